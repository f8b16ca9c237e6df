/*
 * The names of keys and numbers in lapel's documents, as SPEC.md gives them.
 *
 * A build with LSUIT_NO_TEXT has none of them: every function here answers NULL.
 */
#include "lsuit/doc.h"
#include "lsuit/statement.h"
#include "lsuit/trust.h"

#ifdef LSUIT_NO_TEXT

const char *lsuit_key_name(enum lsuit_map map, int64_t key)
{
    (void)map;
    (void)key;
    return NULL;
}

#define NAME_OF(function, table)          \
    const char *function(uint32_t number) \
    {                                     \
        (void)number;                     \
        return NULL;                      \
    }

#else

#define SPACE [1] = "vendor-id", [2] = "class-id", [3] = "component-id"
#define KEYS 24

/* clang-format off */
static const char *const NAMES[LSUIT_MAP_N][KEYS] = {
    [LSUIT_MAP_CHECKIN] = { "version", "product", "device-id", "model", "hardware-revision",
        "running", "attempt", "trust-version", "security-counter", "boot-counter", "capability",
        "capability-digest", "events", "fault", "user", "nonce", "counter", "via", "time-zone",
        "channel", "device-key", "attestation", "erase", "language" },
    [LSUIT_MAP_RUNNING] = { SPACE, [4] = "sequence", "digest", "state" },
    [LSUIT_MAP_ATTEMPT] = { [1] = "attempt-id", "stage", "class", "code", "offset", "sequence",
        "digest", "reason" },
    [LSUIT_MAP_CAPABILITY] = { [1] = "commands", "parameters", "algorithms", "envelope-max",
        "components", "payload-max", "client-version", "reserved" },
    [LSUIT_MAP_EVENT] = { [1] = "class", "count", "last" },
    [LSUIT_MAP_FAULT] = { [1] = "kind", "where", "sequence", "detail" },
    [LSUIT_MAP_USER] = { [1] = "auto-security", "auto-feature", "notifications", "postponed",
        "waiting", "refused" },
    [LSUIT_MAP_ANSWER] = { "version", "verdicts", "next-poll", "support-end", "support-url",
        "trust-version", "statement", "erase-nonce", "token", "capability-wanted", "time" },
    [LSUIT_MAP_VERDICT] = { SPACE, [4] = "verdict", "sequence", "digest", "size" },
    [LSUIT_MAP_REPORT] = { "version", "product", "device-id", "attempt", "events", "fault",
        "suit-report", "nonce", "space", "counter" },
    [LSUIT_MAP_SPACE] = { SPACE },
    [LSUIT_MAP_STATEMENT] = { "version", SPACE, [4] = "number", "highest", "releases", "issued",
        "max-age", "stale-after", "next-poll", "support", "nonce", "log-root", "log-size" },
    [LSUIT_MAP_RELEASE] = { [1] = "sequence", "digest", "state", "salt", "threshold" },
    [LSUIT_MAP_SUPPORT] = { [1] = "model", "end" },
    [LSUIT_MAP_TRUST_DOC] = { "version", "payload", "signatures" },
    [LSUIT_MAP_TRUST] = { "version", "set-version", "roles", "anchors", "urls", "issued" },
    [LSUIT_MAP_ROLE] = { [1] = "role", "keys", "threshold", "vendor-id", "class-id" },
    [LSUIT_MAP_KEY] = { [1] = "type", "material", "kid" },
    [LSUIT_MAP_ANCHOR] = { [1] = "kind", "bytes", "use" },
    [LSUIT_MAP_RECEIPT] = { "version", "product", "device-id", "erased", "when", "backups",
        "nonce" },
};

static const char *const STAGES[] = { "none", "envelope", "verify", "check", "gate", "fetch",
    "write", "image-match", "install", "reboot", "trial", "confirm" };

static const char *const CLASSES[] = { "none", "network", "server-refused", "unauthorised",
    "rollback", "wrong-device", "unsupported", "malformed", "digest-mismatch", "storage", "space",
    "user-refused", "withdrawn", "health", "no-server", "power", "internal", "limit" };

static const char *const EVENTS[] = { [1] = "bad-signature", "rollback", "wrong-device",
    "digest-mismatch", "tls-failure", "auth-refused", "stale", "tampered", "journal", "malformed",
    "statement" };

static const char *const STATES[] = { [1] = "open", "held", "halted", "withdrawn" };

static const char *const ROLES[] = { [1] = "root", "release", "online", "author", "enrol" };
/* clang-format on */

const char *lsuit_key_name(enum lsuit_map map, int64_t key)
{
    if ((unsigned)map >= LSUIT_MAP_N || key < 0 || key >= KEYS)
        return NULL;
    return NAMES[map][key];
}

#define NAME_OF(function, table)                                                 \
    const char *function(uint32_t number)                                        \
    {                                                                            \
        return number < sizeof table / sizeof *(table) ? (table)[number] : NULL; \
    }

#endif

NAME_OF(lsuit_stage_name, STAGES)
NAME_OF(lsuit_class_name, CLASSES)
NAME_OF(lsuit_event_name, EVENTS)
NAME_OF(lsuit_release_state_name, STATES)
NAME_OF(lsuit_role_name, ROLES)
