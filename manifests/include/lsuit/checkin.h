/*
 * Check-in and answer: POST /v1/checkin. SPEC.md, "Check-in" and "Answer".
 *
 * Rules of reading, writing and errors that all documents share: doc.h.
 */
#ifndef LSUIT_CHECKIN_H
#define LSUIT_CHECKIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/doc.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Largest check-in that a server must take, signed or not. */
#define LSUIT_CHECKIN_MAX 4096
/* Largest answer that a client must take. A statement has at most LSUIT_STATEMENT_MAX of it. */
#define LSUIT_ANSWER_MAX 4096

/* --- check-in --------------------------------------------------------------------------- */

enum lsuit_checkin_key {
    LSUIT_CHECKIN_VERSION = 0,
    LSUIT_CHECKIN_PRODUCT = 1,
    LSUIT_CHECKIN_DEVICE_ID = 2,
    LSUIT_CHECKIN_MODEL = 3,
    LSUIT_CHECKIN_HW_REVISION = 4,
    LSUIT_CHECKIN_RUNNING = 5,
    LSUIT_CHECKIN_ATTEMPT = 6,
    LSUIT_CHECKIN_TRUST_VERSION = 7,
    LSUIT_CHECKIN_SECURITY_COUNTER = 8,
    LSUIT_CHECKIN_BOOT_COUNTER = 9,
    LSUIT_CHECKIN_CAPABILITY = 10,
    LSUIT_CHECKIN_CAPABILITY_DIGEST = 11,
    LSUIT_CHECKIN_EVENTS = 12,
    LSUIT_CHECKIN_FAULT = 13,
    LSUIT_CHECKIN_USER = 14,
    LSUIT_CHECKIN_NONCE = 15,
    LSUIT_CHECKIN_COUNTER = 16,
    LSUIT_CHECKIN_VIA = 17,
    LSUIT_CHECKIN_TIME_ZONE = 18,
    LSUIT_CHECKIN_CHANNEL = 19,
    LSUIT_CHECKIN_DEVICE_KEY = 20,
    LSUIT_CHECKIN_ATTESTATION = 21,
    LSUIT_CHECKIN_ERASE = 22,
    LSUIT_CHECKIN_LANGUAGE = 23
};

enum lsuit_running_key { /* 1 to 3: the space */
                         LSUIT_RUNNING_SEQUENCE = 4,
                         LSUIT_RUNNING_DIGEST = 5,
                         LSUIT_RUNNING_STATE = 6
};

enum lsuit_running_state {
    LSUIT_RUNNING_CONFIRMED = 1,
    LSUIT_RUNNING_TRIAL = 2,
    LSUIT_RUNNING_REVERTED = 3 /* it runs this one because a newer one was reverted */
};

struct lsuit_running {
    struct lsuit_space space;
    uint64_t sequence;         /* 0: no manifest was ever accepted here */
    struct lsuit_bytes digest; /* SUIT manifest digest, 32 bytes; absent with sequence 0 only */
    uint32_t state;            /* enum lsuit_running_state */
};

enum lsuit_user_key {
    LSUIT_USER_AUTO_SECURITY = 1,
    LSUIT_USER_AUTO_FEATURE = 2,
    LSUIT_USER_NOTIFICATIONS = 3,
    LSUIT_USER_POSTPONED = 4,
    LSUIT_USER_WAITING = 5,
    LSUIT_USER_REFUSED = 6
};

enum lsuit_setting { LSUIT_SETTING_UNSET = 0, LSUIT_SETTING_ON = 1, LSUIT_SETTING_OFF = 2 };

enum lsuit_gate {
    LSUIT_GATE_NONE = 0, /* not sent */
    LSUIT_GATE_DOWNLOAD = 1,
    LSUIT_GATE_INSTALL = 2,
    LSUIT_GATE_REBOOT = 3
};

/* What the user decided. Members at 0 / false are not sent. */
struct lsuit_user {
    uint32_t auto_security, auto_feature, notifications; /* enum lsuit_setting */
    uint32_t postponed_s;                                /* seconds left; 0: not postponed */
    uint32_t waiting;                                    /* enum lsuit_gate */
    bool refused;
};

struct lsuit_checkin {
    struct lsuit_bytes product;
    struct lsuit_bytes device_id;   /* absent: anonymous */
    struct lsuit_bytes model;       /* the model designation as the support page spells it */
    struct lsuit_bytes hw_revision; /* absent when not sent */
    struct lsuit_running running[LSUIT_MAX_SPACES];
    uint32_t running_n; /* 1 to 4, each space once */
    bool has_attempt;
    struct lsuit_attempt attempt;
    uint32_t trust_version;
    bool has_security_counter, has_boot_counter;
    uint64_t security_counter, boot_counter;
    struct lsuit_bytes capability;        /* encoded map, see lsuit_capability; absent or ... */
    struct lsuit_bytes capability_digest; /* ... SHA-256 of the map sent earlier; or neither */
    struct lsuit_event events[LSUIT_MAX_EVENTS];
    uint32_t events_n;
    bool has_fault, has_user;
    struct lsuit_fault_record fault;
    struct lsuit_user user;
    struct lsuit_bytes nonce; /* 8 to 32 bytes; absent: no fresh proof wanted */
    bool has_counter;
    uint64_t counter;       /* signed form: rises with each check-in and report */
    struct lsuit_bytes via; /* who relayed it; absent: nobody */
    bool has_time_zone;
    int32_t time_zone_min;          /* offset from UTC, minutes, -900 to 900; with consent only */
    struct lsuit_bytes channel;     /* absent: the product's default */
    struct lsuit_bytes device_key;  /* 65 bytes; for enrolment */
    struct lsuit_bytes attestation; /* for enrolment */
    bool erase;                     /* asks for an erase nonce */
    struct lsuit_bytes language;    /* RFC 5646 tag; with consent only */
};

enum lsuit_err lsuit_checkin_read(struct lsuit_bytes doc, struct lsuit_checkin *checkin_out,
                                  struct lsuit_fault *fault);
enum lsuit_err lsuit_checkin_write(const struct lsuit_checkin *checkin, uint8_t *buf, size_t cap,
                                   struct lsuit_bytes *doc_out);

/*
 * Whether the device succeeded with this release: it runs it and has confirmed it. Only this
 * counts as success (SPEC.md, "Outcomes").
 */
bool lsuit_checkin_confirmed(const struct lsuit_checkin *checkin, const struct lsuit_space *space,
                             uint64_t sequence, struct lsuit_bytes digest);

/* --- capability --------------------------------------------------------------------------- */

enum lsuit_capability_key {
    LSUIT_CAPABILITY_COMMANDS = 1,
    LSUIT_CAPABILITY_PARAMETERS = 2,
    LSUIT_CAPABILITY_ALGORITHMS = 3,
    LSUIT_CAPABILITY_ENVELOPE_MAX = 4,
    LSUIT_CAPABILITY_COMPONENTS = 5,
    LSUIT_CAPABILITY_PAYLOAD_MAX = 6,
    LSUIT_CAPABILITY_CLIENT_VERSION = 7,
    LSUIT_CAPABILITY_RESERVED = 8
};

/*
 * Lists are encoded arrays of different integers; ask with lsuit_list_has.
 *
 * The capability digest is the SHA-256 of the encoded map. A server that has no map for the
 * digest asks for it with answer key 9.
 */
#define LSUIT_LIST_MAX 64 /* items */
struct lsuit_capability {
    struct lsuit_bytes commands;       /* SUIT command codes */
    struct lsuit_bytes parameters;     /* SUIT parameter keys */
    struct lsuit_bytes algorithms;     /* COSE algorithm numbers: signatures and digests */
    uint32_t envelope_max;             /* bytes, at least LSUIT_ENVELOPE_MIN_ACCEPTED */
    uint32_t components;               /* at least 1 */
    uint64_t payload_max;              /* bytes; 0: not said */
    struct lsuit_bytes client_version; /* absent when not said */
};

enum lsuit_err lsuit_capability_read(struct lsuit_bytes doc,
                                     struct lsuit_capability *capability_out,
                                     struct lsuit_fault *fault);
enum lsuit_err lsuit_capability_write(const struct lsuit_capability *capability, uint8_t *buf,
                                      size_t cap, struct lsuit_bytes *doc_out);

/* Whether an encoded array of integers holds v; false for an absent one. */
bool lsuit_list_has(struct lsuit_bytes list, int64_t v);
/* The i-th integer; false when there are not so many. */
bool lsuit_list_at(struct lsuit_bytes list, uint32_t i, int64_t *v_out);
/* Encode one, for the capability. */
enum lsuit_err lsuit_list_write(const int64_t *items, uint32_t n, uint8_t *buf, size_t cap,
                                struct lsuit_bytes *list_out);

/* --- answer ------------------------------------------------------------------------------- */

enum lsuit_answer_key {
    LSUIT_ANSWER_VERSION = 0,
    LSUIT_ANSWER_VERDICTS = 1,
    LSUIT_ANSWER_NEXT_POLL = 2,
    LSUIT_ANSWER_SUPPORT_END = 3,
    LSUIT_ANSWER_SUPPORT_URL = 4,
    LSUIT_ANSWER_TRUST_VERSION = 5,
    LSUIT_ANSWER_STATEMENT = 6,
    LSUIT_ANSWER_ERASE_NONCE = 7,
    LSUIT_ANSWER_TOKEN = 8,
    LSUIT_ANSWER_CAPABILITY = 9,
    LSUIT_ANSWER_TIME = 10
};

enum lsuit_verdict_key { /* 1 to 3: the space */
                         LSUIT_VERDICT_VERDICT = 4,
                         LSUIT_VERDICT_SEQUENCE = 5,
                         LSUIT_VERDICT_DIGEST = 6,
                         LSUIT_VERDICT_SIZE = 7
};

enum lsuit_verdict_kind {
    LSUIT_NOTHING = 0,
    LSUIT_OFFER = 1,
    LSUIT_WAIT = 2,    /* one is meant for you, not now; or: hold what you have */
    LSUIT_WITHDRAW = 3 /* give up this one, whatever its state before TRIAL */
};

struct lsuit_verdict {
    struct lsuit_space space;
    uint32_t verdict; /* enum lsuit_verdict_kind; a number above WITHDRAW is read as NOTHING */
    bool has_sequence;
    uint64_t sequence;         /* always with OFFER and WITHDRAW */
    struct lsuit_bytes digest; /* SUIT manifest digest, 32 bytes; always with OFFER and WITHDRAW */
    uint32_t size;             /* envelope size in bytes; always with OFFER */
};

struct lsuit_answer {
    struct lsuit_verdict verdicts[LSUIT_MAX_SPACES];
    uint32_t verdicts_n;            /* 0 to 4, each space once, at most one OFFER */
    uint32_t next_poll_s;           /* 30 to 604 800 after reading */
    uint32_t support_end;           /* year * 100 + month of the device's model; 0: not published */
    struct lsuit_bytes support_url; /* absent when none */
    uint32_t trust_version;         /* newest; 0: not said */
    struct lsuit_bytes statement;   /* signed, see statement.h; absent when none */
    struct lsuit_bytes erase_nonce; /* 8 to 32 bytes; absent when none */
    struct lsuit_bytes token;       /* new credential, 43 base64url characters; absent when none */
    bool capability;                /* send the capability in full next time */
    bool has_time;
    uint64_t time_s; /* server time, seconds since 1970; a hint without effect on decisions */
};

enum lsuit_err lsuit_answer_read(struct lsuit_bytes doc, struct lsuit_answer *answer_out,
                                 struct lsuit_fault *fault);
enum lsuit_err lsuit_answer_write(const struct lsuit_answer *answer, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *doc_out);

/* The verdict on this space; NULL when the answer has none (read it as NOTHING). */
const struct lsuit_verdict *lsuit_answer_verdict(const struct lsuit_answer *answer,
                                                 const struct lsuit_space *space);

#ifdef __cplusplus
}
#endif
#endif
