LIBS += manifests/liblsuit
SRC.manifests/liblsuit := $(wildcard manifests/src/*.c) $(wildcard manifests/crypto/*.c)
