# The codec of every document that crosses a border.

LIBS += manifests/liblsuit
SRC.manifests/liblsuit := $(wildcard manifests/src/*.c manifests/crypto/*.c)
PKG.manifests/liblsuit := mbedcrypto
