# The codec of every document that crosses a border.

LIBS += manifests/liblsuit
SRC.manifests/liblsuit := $(wildcard manifests/src/*.c manifests/crypto/*.c)
PKG.manifests/liblsuit := mbedcrypto

TESTS += tests/unit/test_bytes tests/unit/test_cbor
USES.tests/unit/test_bytes := manifests/liblsuit
USES.tests/unit/test_cbor  := manifests/liblsuit

TESTS += tests/unit/test_run
SRC.tests/unit/test_run  := tests/unit/test_run.c tests/interop/suit_device.c
USES.tests/unit/test_run := manifests/liblsuit

FUZZ += tests/fuzz/fuzz_run
SRC.tests/fuzz/fuzz_run  := tests/fuzz/fuzz_run.c tests/interop/suit_device.c
USES.tests/fuzz/fuzz_run := manifests/liblsuit
