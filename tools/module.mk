# lapel: the publisher's and operator's command line
PROGS += tools/lapel
SRC.tools/lapel := $(wildcard tools/*.c)
USES.tools/lapel := manifests/liblsuit
PKG.tools/lapel := mbedcrypto jansson curl
