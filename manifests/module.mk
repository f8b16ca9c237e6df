# The codec of every document that crosses a border.

LIBS += manifests/liblsuit
SRC.manifests/liblsuit := $(wildcard manifests/src/*.c manifests/crypto/*.c)
PKG.manifests/liblsuit := mbedcrypto

TESTS += tests/unit/test_run
SRC.tests/unit/test_run  := tests/unit/test_run.c tests/interop/suit_device.c
USES.tests/unit/test_run := manifests/liblsuit

FUZZ += tests/fuzz/fuzz_run
USES.tests/fuzz/fuzz_run := manifests/liblsuit
