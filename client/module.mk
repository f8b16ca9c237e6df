# The embeddable client, and the agent for Linux-class devices that is built on it.

LIBS += client/liblapel
SRC.client/liblapel := $(wildcard client/core/*.c)
