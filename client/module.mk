# The embeddable client, and the agent for Linux-class devices that is built on it.

LIBS += client/liblapel
SRC.client/liblapel := $(wildcard client/core/*.c)

PROGS += client/ports/posix/lapel-agent
SRC.client/ports/posix/lapel-agent  := $(wildcard client/ports/posix/*.c)
USES.client/ports/posix/lapel-agent := client/liblapel manifests/liblsuit
PKG.client/ports/posix/lapel-agent  := mbedtls inih jansson

TESTS += tests/unit/test_client
USES.tests/unit/test_client := client/liblapel manifests/liblsuit

TESTS += tests/powerloss/update
USES.tests/powerloss/update := client/liblapel manifests/liblsuit

TESTS += tests/unit/test_sched tests/unit/test_http1 tests/unit/test_journal
USES.tests/unit/test_sched   := client/liblapel
USES.tests/unit/test_http1   := client/liblapel
USES.tests/unit/test_journal := client/liblapel manifests/liblsuit

TESTS += tests/unit/test_state
USES.tests/unit/test_state := client/liblapel manifests/liblsuit
