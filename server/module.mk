# The server. Everything but main.c is a library, so that tests link what they need of it.

LIBS += server/libserver
SRC.server/libserver := $(wildcard $(foreach d,base http store artifact trust decide engine api web, \
                          server/$(d)/*.c)) $(wildcard server/store/migrations/*.sql)
PKG.server/libserver := m microhttpd gnutls sqlite3 cbor jansson inih pthread

PROGS += server/lapeld
SRC.server/lapeld  := $(if $(wildcard server/api/*.c),server/main.c)
USES.server/lapeld := server/libserver manifests/liblsuit

# The listeners behind a small application of the tests' own.
TEST_TOOLS += tests/integration/http_stub
SRC.tests/integration/http_stub  := server/main.c tests/integration/http_stub.c
USES.tests/integration/http_stub := server/libserver

TESTS += tests/unit/test_reply tests/unit/test_base tests/unit/test_address tests/unit/test_conf
SRC.tests/unit/test_reply   := tests/unit/test_reply.c server/http/reply.c
USES.tests/unit/test_reply   := server/libserver
USES.tests/unit/test_base   := server/libserver
USES.tests/unit/test_address := server/libserver
USES.tests/unit/test_conf    := server/libserver

TESTS += tests/unit/test_rollout tests/contract/test_store tests/unit/test_known
TESTS += tests/unit/test_artifact tests/unit/test_anchor tests/unit/test_statements
TESTS += tests/unit/test_erase tests/unit/test_second
USES.tests/unit/test_rollout   := server/libserver
USES.tests/contract/test_store := server/libserver manifests/liblsuit
USES.tests/unit/test_known     := server/libserver
USES.tests/unit/test_artifact  := server/libserver manifests/liblsuit
USES.tests/unit/test_anchor    := server/libserver manifests/liblsuit
USES.tests/unit/test_statements := server/libserver manifests/liblsuit
USES.tests/unit/test_erase      := server/libserver manifests/liblsuit
USES.tests/unit/test_second    := server/libserver manifests/liblsuit

# A file system that forgets what was not synced.
TEST_SHIMS += tests/powerloss/lost_sync

TESTS += tests/unit/test_evidence tests/unit/test_shed
USES.tests/unit/test_evidence := server/libserver
PKG.tests/unit/test_evidence  := m
USES.tests/unit/test_shed     := server/libserver

SLOW_TESTS += tests/unit/test_canary
USES.tests/unit/test_canary := manifests/liblsuit

SLOW_TESTS += tests/contract/test_watch
USES.tests/contract/test_watch := server/libserver manifests/liblsuit
TIMEOUT.tests/contract/test_watch := 240

TESTS += tests/unit/test_explain tests/unit/test_hold
USES.tests/unit/test_hold    := server/libserver
USES.tests/unit/test_explain := server/libserver
