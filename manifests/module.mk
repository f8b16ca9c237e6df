# The codec of every document that crosses a border.

LIBS += manifests/liblsuit
SRC.manifests/liblsuit := $(wildcard manifests/src/*.c manifests/crypto/*.c)
PKG.manifests/liblsuit := mbedcrypto

TESTS += tests/unit/test_run
USES.tests/unit/test_run := manifests/liblsuit

FUZZ += tests/fuzz/fuzz_run
USES.tests/fuzz/fuzz_run := manifests/liblsuit
