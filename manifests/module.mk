# The codec of every document that crosses a border.

LIBS += manifests/liblsuit
SRC.manifests/liblsuit := $(wildcard manifests/src/*.c manifests/crypto/*.c)
PKG.manifests/liblsuit := mbedcrypto

TESTS += tests/unit/test_bytes tests/unit/test_cbor tests/unit/test_cose
USES.tests/unit/test_bytes := manifests/liblsuit
USES.tests/unit/test_cbor  := manifests/liblsuit
USES.tests/unit/test_cose  := manifests/liblsuit

TESTS += tests/unit/test_run
USES.tests/unit/test_run := manifests/liblsuit

FUZZ += tests/fuzz/fuzz_run
USES.tests/fuzz/fuzz_run := manifests/liblsuit
