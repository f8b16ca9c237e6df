# The embeddable client, and the agent for Linux-class devices that is built on it.

LIBS += client/liblapel
SRC.client/liblapel := $(wildcard client/core/*.c)

PROGS += client/ports/posix/lapel-agent
SRC.client/ports/posix/lapel-agent  := $(wildcard client/ports/posix/*.c)
USES.client/ports/posix/lapel-agent := client/liblapel manifests/liblsuit
PKG.client/ports/posix/lapel-agent  := mbedtls inih jansson
