# The server. Everything but main.c is a library, so that tests link what they need of it.

LIBS += server/libserver
SRC.server/libserver := $(wildcard $(foreach d,base http store artifact trust decide engine api web, \
                          server/$(d)/*.c server/$(d)/*.sql))
PKG.server/libserver := microhttpd gnutls sqlite3 cbor jansson inih pthread

PROGS += server/lapeld
SRC.server/lapeld  := $(wildcard server/main.c)
USES.server/lapeld := server/libserver manifests/liblsuit
