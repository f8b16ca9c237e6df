/*
 * liblapel: the device side of lapel.
 *
 * One context, one function that does a bounded piece of work, no heap, no globals, no threads.
 * The caller owns all memory. See client/README.md for a whole device in sixty lines and
 * client/DESIGN.md for the states.
 */
#ifndef LAPEL_H
#define LAPEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lapel_config.h"
#include "lapel_port.h"
#include "lsuit/bytes.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- states (PSA Firmware Update API 1.0, section 4.2; the same names) ------------------- */
enum lapel_state {
    LAPEL_READY = 0,
    LAPEL_WRITING,
    LAPEL_CANDIDATE, /* whole, digest read back, manifest stored */
    LAPEL_STAGED,    /* the boot loader will try it */
    LAPEL_TRIAL,     /* the new image runs on probation */
    LAPEL_UPDATED,   /* confirmed; cleaning up */
    LAPEL_REJECTED,  /* the trial was rejected; the next start reverts */
    LAPEL_FAILED     /* the attempt ended; reported, then READY */
};

enum lapel_severity { LAPEL_CRITICAL, LAPEL_SECURITY, LAPEL_FEATURE };

/* --- gates and events: ask and tell the user (provisions 5.3-4, -6, -11, -12) ------------- */
enum lapel_gate { LAPEL_GATE_DOWNLOAD = 1, LAPEL_GATE_INSTALL = 2, LAPEL_GATE_REBOOT = 3 };
enum lapel_verdict { LAPEL_ALLOW, LAPEL_WAIT, LAPEL_DENY };

/* What the user may be told of an update. All borrowed for the time of the call; texts are
 * signed, UTF-8, without NUL at the end; absent when the manifest doesn't say. */
struct lapel_offer {
    uint64_t sequence;
    struct lsuit_bytes digest; /* 32 bytes, SUIT manifest digest */
    enum lapel_severity severity;
    int64_t priority;        /* update-priority as signed */
    uint64_t download_bytes; /* still to be fetched */
    struct lsuit_bytes version, changes, risks_removed;
    struct lsuit_bytes language; /* of these texts */
    bool has_downtime;
    uint32_t downtime_s;
    bool disrupts; /* true unless the manifest says that it doesn't */
};

enum lapel_event_id {
    LAPEL_EVENT_AVAILABLE = 1,  /* offer: a release for this device; told also when off */
    LAPEL_EVENT_CONSENT_NEEDED, /* offer, gate: the user's choice is unset and the build asks */
    LAPEL_EVENT_DISRUPT,        /* offer: about to disrupt the device (before INSTALL/REBOOT) */
    LAPEL_EVENT_INSTALLED,      /* offer: confirmed */
    LAPEL_EVENT_FAILED,         /* error, stage: the attempt ended; the running image is unharmed */
    LAPEL_EVENT_REVERTED,       /* error: the trial ended by going back */
    LAPEL_EVENT_POSTPONED,      /* wait_ms: until when */
    LAPEL_EVENT_WITHDRAWN,      /* the server took the release back */
    LAPEL_EVENT_SUPPORT_ENDING, /* year_month: support ended or ends soon */
    LAPEL_EVENT_STALE,          /* no fresh word from the server for too long */
    LAPEL_EVENT_REFUSED,        /* error: a manifest was refused, or could not be had */
    LAPEL_EVENT_STATE,          /* state changed; stored already */
    LAPEL_EVENT_AUTH,           /* the server refused our credential (401) */
    LAPEL_EVENT_FRESH,          /* stale is over */
    LAPEL_EVENT_STATEMENT,      /* error: a statement was refused */
    LAPEL_EVENT_ERASED,         /* error, receipt: what came of lapel_erase */
    LAPEL_EVENT_TRUST,          /* another trust set is in force */
    LAPEL_EVENT_TAMPERED        /* the running image isn't the one that was confirmed (5.7-2) */
};

struct lapel_event {
    enum lapel_event_id id;
    enum lapel_state state;
    enum lapel_gate gate;
    const struct lapel_offer *offer; /* NULL when the event has none */
    uint8_t stage;                   /* enum lsuit_stage (doc.h) */
    uint8_t error;                   /* enum lsuit_class (doc.h) */
    const struct lsuit_fault *fault; /* NULL or what the codec refused */
    uint32_t year_month;             /* support end, year * 100 + month */
    uint64_t wait_ms;
    struct lsuit_bytes
        receipt; /* signed (SPEC.md, 11), verified; absent when the server has none */
};

enum lapel_health { LAPEL_HEALTH_UNKNOWN, LAPEL_HEALTH_OK, LAPEL_HEALTH_BAD };

struct lapel_policy {
    size_t size;
    /* Asked before the first byte, before staging and before the restart, after the user's own
     * settings said yes. WAIT sets *wait_ms_out. Optional: NULL allows. */
    enum lapel_verdict (*gate)(void *ctx, enum lapel_gate gate, const struct lapel_offer *offer,
                               uint32_t *wait_ms_out);
    /* Told. Optional. Must not call back. */
    void (*event)(void *ctx, const struct lapel_event *event);
    /* Is the product well? Asked during a trial. Optional: NULL counts as OK. */
    enum lapel_health (*health)(void *ctx);
};

/* --- user settings (design 6.7); persisted, local only ------------------------------------- */
enum lapel_setting { LAPEL_AUTO_SECURITY = 1, LAPEL_AUTO_FEATURE, LAPEL_NOTIFY };
enum lapel_choice { LAPEL_UNSET = 0, LAPEL_ON = 1, LAPEL_OFF = 2 };
enum lapel_actor {
    LAPEL_BY_NOBODY = 0,
    LAPEL_BY_USER = 1,
    LAPEL_BY_ADMIN = 2,
    LAPEL_BY_FACTORY = 3
};

/* --- configuration ------------------------------------------------------------------------- */

/* All borrowed: must outlive the context. Strings end in NUL. */
struct lapel_config {
    const char *base_url[2]; /* "https://host[:port]"; the second may be NULL. Those of a trust set
                                come before them */
    const char *product;     /* 1 to 64 bytes */
    const char *model;       /* model designation, provision 5.3-16 */
    const char *hardware;    /* revision, or NULL */
    const char *device_id;   /* 1 to 64 bytes; NULL checks in anonymously */
    const char *token;       /* 43 base64url characters; NULL for none */
    const char *token_next;  /* a second one, tried where the server refuses the first; or NULL */
    bool anonymous_fallback; /* where it refuses each, go on without a name: updates must not end */
    const char *version;     /* of the running firmware, for people; or NULL */
    const char *language;    /* RFC 5646 tag for texts, or NULL for the first */
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    uint8_t device_uuid[16];              /* for condition-device-identifier; all 0 when none */
    const struct lsuit_key *release_keys; /* who may sign manifests */
    size_t release_keys_n;
    uint32_t release_threshold; /* how many of them must have; 0: 1 */
    struct lsuit_bytes trust; /* the factory's trust set, a document of `lapel trust`; absent: none,
                                 and the release keys above hold for ever */
    bool allow_test_keys;     /* take keys whose private half was published. For tests only */
    const struct lsuit_key *online_keys; /* who may sign statements; may be none */
    size_t online_keys_n;
    /* The server is static files (SPEC.md, "The channel as files"): statements are fetched instead
     * of check-ins made, no credential is sent and nothing is told. Needs online_keys. */
    bool cdn;
    bool allow_clear;          /* payloads may travel without TLS */
    bool clear_credentials;    /* the switch named for it: credentials in clear (tests) */
    uint32_t first_check_ms;   /* 0: LAPEL_FIRST_CHECK_MS */
    uint32_t period_ms;        /* 0: LAPEL_PERIOD_MS */
    uint64_t factory_sequence; /* what the image in place has before any update */
};

struct lapel_ports {
    const struct lapel_net *net;
    const struct lapel_slots *slots;
    const struct lapel_boot *boot;
    const struct lapel_nv *nv;
    const struct lapel_sys *sys;
    const struct lapel_policy *policy; /* may be NULL */
    const struct lsuit_crypto *crypto;
    const struct lapel_trust_store *trust; /* may be NULL: the trust set stays the factory's */
    void *ctx;                             /* handed to every member of every table but crypto */
};

struct lapel_work; /* defined in lapel_context.h */

/* Working memory: the caller's, for the life of the context. */
struct lapel_memory {
    uint8_t *envelope; /* holds one manifest envelope; >= 2048 */
    size_t envelope_size;
    uint8_t *io; /* sending, receiving, reading back; >= LAPEL_IO_MIN */
    size_t io_size;
    struct lapel_work *work; /* the manifest processor's state; one, not set up */
    uint8_t *trust;          /* LAPEL_TRUST_SIZE bytes; NULL where ports.trust is */
    char *support_url;       /* LAPEL_SUPPORT_URL_SIZE bytes; NULL: the page is not kept */
};

struct lapel; /* defined in lapel_context.h, so that it can be a static variable */

enum lapel_err {
    LAPEL_OK = 0,
    LAPEL_ERR_CONFIG = -1, /* a missing or ill-formed member; see lapel_init_why */
    LAPEL_ERR_PORT = -2,   /* a table of another size, or a required member is NULL */
    LAPEL_ERR_MEMORY = -3, /* a buffer is too small */
    LAPEL_ERR_NV = -4,     /* the records can't be read or written */
    LAPEL_ERR_STATE = -5,  /* not in this state */
    LAPEL_ERR_RANGE = -6   /* a value outside of its range */
};

/*
 * Take over at start: reads the journal, asks the boot loader, settles what a power cut left
 * (DESIGN.md, the table), draws the first check. Touches the network not at all.
 */
enum lapel_err lapel_init(struct lapel *ctx, const struct lapel_config *config,
                          const struct lapel_ports *ports, const struct lapel_memory *memory);

/* Why lapel_init refused: the member's name and what it wants. Static, "" when it did not. */
const char *lapel_init_why(const struct lapel *ctx);

/* One bounded piece of work; *wait_ms_out says when to call again (0: at once). */
enum lapel_err lapel_step(struct lapel *ctx, uint32_t *wait_ms_out);

/* The product's own word during a trial: keep it, or go back at the next start. */
enum lapel_err lapel_confirm(struct lapel *ctx);
enum lapel_err lapel_reject(struct lapel *ctx);

/* Check now (a button, an operator). Still within the server's Retry-After. */
void lapel_kick(struct lapel *ctx);

/* Settings; stored before it answers. LAPEL_ERR_STATE: not in this build. */
enum lapel_err lapel_user_set(struct lapel *ctx, enum lapel_setting setting,
                              enum lapel_choice choice, enum lapel_actor by);
/* The same: postpone what is waiting for at most LAPEL_POSTPONE_BUDGET_MS in all; 0 ends it. */
enum lapel_err lapel_postpone(struct lapel *ctx, uint32_t ms);

/*
 * Say what the last crash left (memory that survives a reset, a fault register): call it once
 * after lapel_init. It is stored, survives a restart and a trial that goes back, and goes with the
 * check-ins until one is answered. A newer one replaces it.
 *
 *   kind    SPEC.md, "Fault record": 1 watchdog, 2 hard fault, 3 assertion, ...
 *   where   program counter or line
 *   detail  n bytes of the port's own, of which the first 37 are kept; NULL with 0
 *
 * LAPEL_ERR_NV     not stored: say it again
 * LAPEL_ERR_STATE  not in this build
 */
enum lapel_err lapel_fault(struct lapel *ctx, uint8_t kind, uint64_t where, const uint8_t *detail,
                           size_t n);

/*
 * Ask the server to forget this device: for an act of a person at the device, never for something
 * that came over a network. It begins with a check-in at once; LAPEL_EVENT_ERASED says what came
 * of it, with the receipt to keep. Not remembered over a restart.
 *
 * LAPEL_ERR_STATE  no device_id, no token, or config.cdn: there is nothing to forget; or not in
 *                  this build
 */
enum lapel_err lapel_erase(struct lapel *ctx);

enum lapel_erase_state {
    LAPEL_ERASE_NONE = 0,
    LAPEL_ERASE_ASKED, /* the next check-in asks for a nonce */
    LAPEL_ERASE_BEGUN, /* the request is on its way */
    LAPEL_ERASE_DONE,
    LAPEL_ERASE_FAILED
};

/*
 * Factory reset of what the library keeps for its user: the settings are unset again and a
 * postponement ends, in one record. Which release runs, the counters, the trust set, and releases
 * that failed stay (design 6.12; provision 5.11-1). Erase user data and credentials beside it.
 *
 * LAPEL_ERR_NV  not stored: nothing has changed
 */
enum lapel_err lapel_reset(struct lapel *ctx);

struct lapel_status {
    enum lapel_state state;
    enum lapel_gate waiting; /* 0: at no gate */
    uint64_t accepted_sequence;
    uint8_t accepted_digest[32];
    bool accepted_known; /* a digest is known (not the factory image) */
    uint64_t attempt_sequence;
    uint64_t fetched, total; /* bytes of the attempt */
    uint64_t counter;        /* security counter */
    bool tampered;           /* LAPEL_EVENT_TAMPERED was told: only alert and recover (5.7-2) */
    uint8_t running_slot;
    enum lapel_choice setting[3]; /* by enum lapel_setting - 1 */
    enum lapel_actor setting_by[3];
    uint64_t postponed_ms;  /* left */
    uint64_t next_check_ms; /* from now */
    uint32_t support_end;   /* year * 100 + month, 0 not known */
    /* The support page of the model as the server last said, "" when not known or not kept: since
     * start only. Visible ASCII, https:// or http://. Borrowed until the next lapel_step. */
    const char *support_url;
    uint8_t last_error; /* enum lsuit_class of the last attempt */
    uint8_t last_stage;
    uint32_t checks, good_checks; /* since start */
    uint64_t statement;           /* number of the newest statement, 0 none */
    uint64_t
        issued_s; /* when it was signed, seconds since 1970; since start only, 0 none. A time that
                          has passed if the server's clock is right */
    uint32_t fresh_age_s; /* running time since the last fresh one */
    bool stale;
    enum lapel_erase_state erase; /* since start */
    uint32_t trust_version;       /* of the set in force; 0: none */
    const char *host;             /* of the server in use; borrowed until the next lapel_step */
};
void lapel_status(const struct lapel *ctx, struct lapel_status *status_out);

/*
 * An update without a network: an envelope with its payload integrated or beside it. Takes the
 * envelope into memory->envelope and goes the same way as a download: signature, sequence,
 * identity, gates. The port's fetch of a payload is answered by `read`.
 *
 * To be called for an act of a person at the device, never for something that came over a
 * network. The act is consent for this one file: automatic updates may be off (they stay off), and
 * a postponement from before ends once the file has been found good. One made afterwards holds,
 * and policy->gate is asked as ever.
 *
 *   envelope  bytes elsewhere than in memory->envelope, which may hold a manifest that was verified:
 *             only the library writes there
 *   read      bytes of a payload by its uri at offset; > 0 count, < 0 error
 *
 * LAPEL_ERR_STATE   an update is under way
 * LAPEL_ERR_MEMORY  nothing, or larger than memory->envelope
 * What is refused later is told by LAPEL_EVENT_REFUSED or LAPEL_EVENT_FAILED.
 */
enum lapel_err lapel_apply(struct lapel *ctx, const uint8_t *envelope, size_t n,
                           int (*read)(void *ctx, struct lsuit_bytes uri, uint64_t offset,
                                       uint8_t *buf, size_t n));

/* The trust set in force, NULL when there is none. Borrowed until the next lapel_step. */
const struct lsuit_trust *lapel_trust(const struct lapel *ctx);

/* The state's name, for people. Static. */
const char *lapel_state_name(enum lapel_state state);

#ifdef __cplusplus
}
#endif
#endif
