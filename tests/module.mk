# Tests of the harness itself, and programs that stand in tests/. The tests of a folder are listed
# in that folder's module.mk.

TESTS += tests/unit/test_check

PROGS += tests/interop/suit-cases
SRC.tests/interop/suit-cases  := tests/interop/suit_cases.c tests/interop/suit_case_run.c \
                                 tests/interop/suit_device.c tests/interop/suit_keys.c
USES.tests/interop/suit-cases := manifests/liblsuit
PKG.tests/interop/suit-cases  := jansson
