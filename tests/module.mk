# Tests of the harness itself, and programs that stand in tests/. The tests of a folder are listed
# in that folder's module.mk.

TESTS += tests/unit/test_check

PROGS += tests/interop/suit-cases
SRC.tests/interop/suit-cases  := $(wildcard tests/interop/suit_*.c)
USES.tests/interop/suit-cases := manifests/liblsuit
PKG.tests/interop/suit-cases  := jansson

# What tests/interop/http_splits.sh runs.
TEST_TOOLS += tests/interop/http_splits
SRC.tests/interop/http_splits  := tests/interop/http_splits.c tests/interop/suit_keys.c
USES.tests/interop/http_splits := client/liblapel manifests/liblsuit

# lapel, but for where the secrets of an encryption come from.
TEST_TOOLS += tests/interop/lapel_seeded
SRC.tests/interop/lapel_seeded  := $(filter-out tools/fleet%.c tools/encrypt_fresh.c,$(wildcard tools/*.c)) \
                                   tests/interop/encrypt_seeded.c
USES.tests/interop/lapel_seeded := client/liblapel manifests/liblsuit
PKG.tests/interop/lapel_seeded  := mbedtls cbor jansson curl

# What make bench measures with.
TEST_TOOLS += tests/bench/bare tests/bench/load tests/bench/envelope
PKG.tests/bench/bare  := microhttpd
PKG.tests/bench/load  := gnutls pthread
USES.tests/bench/load := manifests/liblsuit
USES.tests/bench/envelope := manifests/liblsuit

# A disk that forgets what was not synced.
