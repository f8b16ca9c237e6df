# The embeddable client, and the agent for Linux-class devices that is built on it.

LIBS += client/liblapel
SRC.client/liblapel := $(wildcard client/core/*.c)

# The agent: all but main.c is a library, so that tests link what they need of it.
LIBS += client/libagent
SRC.client/libagent := $(filter-out %/main.c,$(wildcard client/ports/posix/*.c))
PKG.client/libagent := mbedtls inih jansson pthread

PROGS += client/ports/posix/lapel-agent
SRC.client/ports/posix/lapel-agent  := $(wildcard client/ports/posix/main.c)
USES.client/ports/posix/lapel-agent := client/libagent client/liblapel manifests/liblsuit

AGENT_TESTS := $(wildcard tests/unit/test_slots.c tests/unit/test_boot.c tests/unit/test_nv.c \
                 tests/unit/test_hooks.c tests/unit/test_agentconf.c tests/unit/test_seal.c)
TESTS += $(AGENT_TESTS:.c=)
$(foreach t,$(AGENT_TESTS:.c=),$(eval USES.$(t) := client/libagent client/liblapel manifests/liblsuit))

TESTS += tests/unit/test_client tests/unit/test_fresh tests/unit/test_forget
USES.tests/unit/test_client := client/liblapel manifests/liblsuit
USES.tests/unit/test_fresh  := client/liblapel manifests/liblsuit
USES.tests/unit/test_forget := client/liblapel manifests/liblsuit

TESTS += tests/powerloss/update
USES.tests/powerloss/update := client/liblapel manifests/liblsuit
TIMEOUT.tests/powerloss/update := 400

TESTS += tests/unit/test_sched tests/unit/test_http1 tests/unit/test_journal
USES.tests/unit/test_sched   := client/liblapel manifests/liblsuit
USES.tests/unit/test_http1   := client/liblapel manifests/liblsuit
USES.tests/unit/test_journal := client/liblapel manifests/liblsuit

TESTS += tests/unit/test_fleet
USES.tests/unit/test_fleet := client/liblapel manifests/liblsuit

TESTS += tests/unit/test_verify
USES.tests/unit/test_verify := client/liblapel manifests/liblsuit

TESTS += tests/unit/test_init
USES.tests/unit/test_init := client/liblapel manifests/liblsuit

TESTS += tests/unit/test_state
USES.tests/unit/test_state := client/liblapel manifests/liblsuit

# A port to fill in builds, and the device of README.md updates itself.
LIBS += client/libtemplate
SRC.client/libtemplate := client/ports/template/port.c

TESTS += tests/unit/test_minimal
USES.tests/unit/test_minimal := client/liblapel manifests/liblsuit

FUZZ += tests/fuzz/fuzz_http1
USES.tests/fuzz/fuzz_http1 := client/liblapel manifests/liblsuit

TESTS += tests/powerloss/other
USES.tests/powerloss/other := client/liblapel manifests/liblsuit
TIMEOUT.tests/powerloss/other := 400

TESTS += tests/powerloss/mcuboot tests/powerloss/psa_fwu
USES.tests/powerloss/mcuboot := client/liblapel manifests/liblsuit
USES.tests/powerloss/psa_fwu := client/liblapel manifests/liblsuit

# The agent's network code against a server that lies.
TESTS += tests/integration/hostile
USES.tests/integration/hostile := client/libagent client/liblapel manifests/liblsuit
TIMEOUT.tests/integration/hostile := 180

TEST_SHIMS += tests/integration/fake_clock

TESTS += tests/unit/test_client_trust
USES.tests/unit/test_client_trust := client/liblapel manifests/liblsuit

TESTS += tests/powerloss/trust
USES.tests/powerloss/trust := client/liblapel manifests/liblsuit

# A port by somebody new.
TEST_TOOLS += tests/integration/newcomer
SRC.tests/integration/newcomer  := tests/integration/newcomer.c tests/integration/newcomer_port.c
USES.tests/integration/newcomer := client/liblapel manifests/liblsuit

TEST_SHIMS += tests/integration/fake_names
