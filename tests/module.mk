# Tests of the harness itself, and programs that stand in tests/. The tests of a folder are listed
# in that folder's module.mk.

TESTS += tests/unit/test_check
