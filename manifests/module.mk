# The codec of every document that crosses a border.

LIBS += manifests/liblsuit
SRC.manifests/liblsuit := $(wildcard manifests/src/*.c manifests/crypto/*.c)
PKG.manifests/liblsuit := mbedcrypto

CODEC_TESTS := $(addprefix tests/unit/test_,bytes cbor cose suit suit_check suit_text suit_facts)
TESTS += $(CODEC_TESTS)
$(foreach t,$(CODEC_TESTS),$(eval USES.$(t) := manifests/liblsuit))

CODEC_FUZZ := $(addprefix tests/fuzz/fuzz_,cbor cose envelope manifest)
FUZZ += $(CODEC_FUZZ)
$(foreach t,$(CODEC_FUZZ),$(eval USES.$(t) := manifests/liblsuit))

TESTS += tests/unit/test_run
USES.tests/unit/test_run := manifests/liblsuit

FUZZ += tests/fuzz/fuzz_run
USES.tests/fuzz/fuzz_run := manifests/liblsuit
