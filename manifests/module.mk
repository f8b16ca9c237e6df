# The codec of every document that crosses a border.

LIBS += manifests/liblsuit
SRC.manifests/liblsuit := $(wildcard manifests/src/*.c manifests/crypto/*.c)
PKG.manifests/liblsuit := mbedcrypto

TESTS += tests/unit/test_bytes tests/unit/test_cbor tests/unit/test_cbor_peer tests/unit/test_cose \
         tests/unit/test_suit tests/unit/test_suit_check tests/unit/test_suit_text \
         tests/unit/test_suit_facts
USES.tests/unit/test_bytes      := manifests/liblsuit
USES.tests/unit/test_cbor       := manifests/liblsuit
USES.tests/unit/test_cbor_peer  := manifests/liblsuit
USES.tests/unit/test_cose       := manifests/liblsuit
USES.tests/unit/test_suit       := manifests/liblsuit
USES.tests/unit/test_suit_check := manifests/liblsuit
USES.tests/unit/test_suit_text  := manifests/liblsuit
USES.tests/unit/test_suit_facts := manifests/liblsuit
PKG.tests/unit/test_cbor_peer   := cbor

FUZZ += tests/fuzz/fuzz_cbor tests/fuzz/fuzz_cose tests/fuzz/fuzz_envelope tests/fuzz/fuzz_manifest
USES.tests/fuzz/fuzz_cbor     := manifests/liblsuit
USES.tests/fuzz/fuzz_cose     := manifests/liblsuit
USES.tests/fuzz/fuzz_envelope := manifests/liblsuit
USES.tests/fuzz/fuzz_manifest := manifests/liblsuit

TESTS += tests/unit/test_names tests/unit/test_refusal
USES.tests/unit/test_names   := manifests/liblsuit
USES.tests/unit/test_refusal := manifests/liblsuit

TESTS += tests/unit/test_run
SRC.tests/unit/test_run  := tests/unit/test_run.c tests/interop/suit_device.c
USES.tests/unit/test_run := manifests/liblsuit

TESTS += tests/unit/test_run_update
SRC.tests/unit/test_run_update  := tests/unit/test_run_update.c tests/interop/suit_device.c
USES.tests/unit/test_run_update := manifests/liblsuit

TESTS += tests/unit/test_run_dependency
SRC.tests/unit/test_run_dependency  := tests/unit/test_run_dependency.c tests/interop/suit_device.c
USES.tests/unit/test_run_dependency := manifests/liblsuit

FUZZ += tests/fuzz/fuzz_run
SRC.tests/fuzz/fuzz_run  := tests/fuzz/fuzz_run.c tests/interop/suit_device.c
USES.tests/fuzz/fuzz_run := manifests/liblsuit

TESTS += tests/unit/test_auth tests/unit/test_decrypt tests/unit/test_domain tests/unit/test_hss tests/unit/test_suit_report
USES.tests/unit/test_auth        := manifests/liblsuit
USES.tests/unit/test_domain      := manifests/liblsuit
USES.tests/unit/test_suit_report := manifests/liblsuit
USES.tests/unit/test_hss     := manifests/liblsuit
USES.tests/unit/test_decrypt := manifests/liblsuit

FUZZ += tests/fuzz/fuzz_cbor_peer tests/fuzz/fuzz_decrypt tests/fuzz/fuzz_hss tests/fuzz/fuzz_suit_report
USES.tests/fuzz/fuzz_cbor_peer   := manifests/liblsuit
USES.tests/fuzz/fuzz_decrypt     := manifests/liblsuit
USES.tests/fuzz/fuzz_hss         := manifests/liblsuit
USES.tests/fuzz/fuzz_suit_report := manifests/liblsuit
PKG.tests/fuzz/fuzz_cbor_peer    := cbor

# lapel's own documents.
TESTS += tests/unit/test_bounds tests/unit/test_checkin tests/unit/test_doc tests/unit/test_place tests/unit/test_report \
         tests/unit/test_statement tests/unit/test_trust tests/unit/test_uuid
USES.tests/unit/test_bounds    := manifests/liblsuit
USES.tests/unit/test_checkin   := manifests/liblsuit
USES.tests/unit/test_doc       := manifests/liblsuit
USES.tests/unit/test_place     := manifests/liblsuit
USES.tests/unit/test_report    := manifests/liblsuit
USES.tests/unit/test_statement := manifests/liblsuit
USES.tests/unit/test_trust     := manifests/liblsuit
USES.tests/unit/test_uuid      := manifests/liblsuit

FUZZ += tests/fuzz/fuzz_answer tests/fuzz/fuzz_checkin tests/fuzz/fuzz_report \
        tests/fuzz/fuzz_statement tests/fuzz/fuzz_trust
USES.tests/fuzz/fuzz_answer    := manifests/liblsuit
USES.tests/fuzz/fuzz_checkin   := manifests/liblsuit
USES.tests/fuzz/fuzz_report    := manifests/liblsuit
USES.tests/fuzz/fuzz_statement := manifests/liblsuit
USES.tests/fuzz/fuzz_trust     := manifests/liblsuit
