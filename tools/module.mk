# The publisher's command line, and the fleet simulator.

PROGS += tools/lapel
SRC.tools/lapel  := $(filter-out tools/fleet%.c,$(wildcard tools/*.c))
USES.tools/lapel := client/liblapel manifests/liblsuit
PKG.tools/lapel  := mbedtls cbor jansson curl

# The simulator decides exactly as the server does: it is the one tool that links server/decide.
LIBS += server/libdecide
SRC.server/libdecide := $(wildcard server/decide/*.c)
PKG.server/libdecide := m

PROGS += tools/lapel-fleet
SRC.tools/lapel-fleet  := $(wildcard tools/fleet.c tools/fleet_*.c) tools/cli.c
USES.tools/lapel-fleet := server/libdecide client/liblapel manifests/liblsuit
PKG.tools/lapel-fleet  := m jansson
