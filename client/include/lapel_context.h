/*
 * What a struct lapel is made of, so that a caller can place one statically and its size is known
 * to the compiler. Members are the library's own: read them through lapel_status only.
 */
#ifndef LAPEL_CONTEXT_H
#define LAPEL_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lapel.h"
#include "lapel_verify.h"
#include "lsuit/suit.h"
#include "lsuit/suit_run.h"
#include "lsuit/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest host name of a base URL, with its NUL. */
#define LAPEL_HOST_MAX 128

/* Components that a port may have. */
#define LAPEL_COMPONENTS 4

/* Releases that are remembered for failed trials. */
#define LAPEL_BLOCKS 4

/* --- what the journal keeps: stored as it lies in memory (core/journal.h) ------------------- */

/*
 * Members of these structs have fixed widths and leave no gaps, so that a record means the same
 * to every library that this device ever runs. New members go to the end of struct lapel_record
 * and nowhere else.
 */

struct lapel_pair {
    uint64_t sequence;
    uint8_t digest[32];
};

struct lapel_attempt {
    struct lapel_pair pair;
    uint64_t offset;                   /* of the component in work, written for certain */
    uint64_t length[LAPEL_COMPONENTS]; /* of a whole component by port index, 0: not whole */
    uint8_t id[8];                     /* random, made when leaving READY */
    uint8_t slot;                      /* the one that is written */
    uint8_t offline;                   /* by lapel_apply: nothing is asked of the server */
    uint8_t stagings;                  /* how often it was staged */
    uint8_t starts;                    /* how often its trial was started */
    uint8_t component;                 /* of the port, in work */
    uint8_t spare[3];
};

enum lapel_outcome_kind {
    LAPEL_OUTCOME_NONE = 0,
    LAPEL_OUTCOME_FAILED,
    LAPEL_OUTCOME_REVERTED,
    LAPEL_OUTCOME_CONFIRMED,
    LAPEL_OUTCOME_WITHDRAWN
};

/* How the last attempt ended; kept until the server has taken it in a check-in. */
struct lapel_outcome {
    struct lapel_pair pair;
    uint64_t offset;
    int32_t code;
    uint8_t kind;     /* enum lapel_outcome_kind */
    uint8_t stage;    /* enum lsuit_stage */
    uint8_t error;    /* enum lsuit_class */
    uint8_t reported; /* by POST /v1/reports */
    uint8_t id[8];
};

struct lapel_block {
    struct lapel_pair pair;
    uint8_t fails; /* trials that failed; 0: the entry is free */
    uint8_t spare[7];
};

/* What a crash left; kept until the server has taken it in a check-in. */
struct lapel_fault {
    uint64_t where;    /* program counter or line */
    uint64_t sequence; /* of the image that crashed */
    uint8_t kind;      /* SPEC.md, "Fault record" */
    uint8_t known;     /* 0: there is none */
    uint8_t detail_n;
    uint8_t detail[37];
};

/* What is known of trust sets and servers. */
struct lapel_trusted {
    uint32_t version;  /* the highest that was ever in force; 0: none */
    uint16_t silent_h; /* hours of running time without a good answer */
    uint8_t url;       /* the base URL in use: those of the set, then the factory's */
    uint8_t spare;
    uint8_t digest[32]; /* SHA-256 of the stored document */
};

/* The newest statement, and how old it is. */
struct lapel_fresh {
    uint64_t number;        /* highest seen, 0: none */
    uint64_t content;       /* hash of what it said of releases */
    uint32_t stale_after_s; /* as it said, 0: LAPEL_STALE_AFTER_S */
    uint32_t age_s;         /* running time since the last fresh one */
    uint8_t stale;
    uint8_t spare[7];
};

/* How often writing began anew (core/store.c). */
struct lapel_begins {
    uint8_t digest[8]; /* begin of the release's */
    uint32_t left_ms;  /* of the day that counts */
    uint32_t count;
};

struct lapel_record {
    uint32_t magic;
    uint32_t number;        /* rises with each save, may wrap */
    uint16_t length;        /* of the record without its proof */
    uint8_t state;          /* enum lapel_state */
    uint8_t accepted_known; /* accepted.digest holds a digest */
    uint32_t boots;
    struct lapel_pair accepted;
    uint64_t counter; /* security counter */
    struct lapel_attempt attempt;
    struct lapel_outcome outcome;
    struct lapel_block block[LAPEL_BLOCKS];
    uint64_t postpone_left_ms; /* when the record was made */
    uint64_t postpone_used_ms; /* of the budget, for the release of postpone_digest */
    uint8_t postpone_digest[8];
    uint32_t support_end; /* year * 100 + month, 0 not known */
    uint8_t choice[3];    /* enum lapel_choice by enum lapel_setting - 1 */
    uint8_t choice_by[3];
    uint8_t spare[6];
    struct lapel_fault fault;
    struct lapel_fresh fresh;
    struct lapel_trusted trust;
    struct lapel_begins begins;
};

/* The record and, right behind it, what proves it whole: a checksum or the port's seal. */
#define LAPEL_PROOF_MAX 32
#define LAPEL_STORED_SIZE ((sizeof(struct lapel_record) + LAPEL_PROOF_MAX + 63) / 64 * 64)

/* --- one HTTP exchange (core/http1.c, or the platform's) ------------------------------------------------------- */

struct lapel_origin {
    char host[LAPEL_HOST_MAX];
    uint16_t port;
    bool tls;
    bool literal; /* an IPv6 address: in brackets in the Host header */
};

struct lapel_http {
    uint8_t *io;
    size_t io_size;
    const struct lapel_net *net;
    void *ctx; /* of the port */
    const struct lapel_origin *origin;
    struct lapel_response head;
    uint64_t idle_at;     /* no byte moved until then: given up */
    uint64_t window_at;   /* by then the header block is whole, or enough of the body came */
    uint64_t left;        /* bytes of the body or the chunk still to come */
    size_t out_n, out_at; /* the request in io, and how much of it is sent */
    size_t head_n;        /* bytes of the header block so far */
    size_t body_n;        /* decoded body bytes at io[0..] */
    uint32_t window_n;    /* bytes of the body since the window began */
    uint16_t extra;       /* bytes of chunk sizes, extensions and trailers */
    uint8_t phase;
    uint8_t chunk;
    bool moved; /* the last step got on */
    bool full;  /* the request did not fit */
    bool open, keep, reused, chunked;
};

/* --- the release in hand: caller's memory, as large as the processor of manifests/ wants ----- */

struct lapel_work {
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
    union {
        struct lsuit_run run;
        struct lapel_verify self; /* of the image that runs, before anything else is in hand */
    };
};

/* --- small things ------------------------------------------------------------------------------ */

/* Security events since start, by class; sent with each check-in until one is answered. */
#define LAPEL_COUNTS 4
struct lapel_count {
    uint8_t class_; /* enum lsuit_event_class, 0: free */
    uint16_t count;
    uint64_t last; /* now_ms */
};

struct lapel_fail {
    uint8_t kind;   /* enum lapel_outcome_kind */
    uint8_t stage;  /* enum lsuit_stage */
    uint8_t class_; /* enum lsuit_class */
    int32_t code;
};

/* --- the whole ------------------------------------------------------------------------------- */

/* What every step looks at stands first: a processor of 16-bit instructions reaches it with one. */
struct lapel {
    /* what is being done (core.h) */
    uint8_t work;     /* enum work */
    uint8_t exchange; /* enum exchange */
    uint8_t running_slot;
    uint8_t target; /* the slot that the manifest in hand is for */
    uint8_t into;   /* component of the port that is written */
    uint8_t whole;  /* bit per component of the port: whole before this run began */
    uint8_t gate;   /* where it waits, 0 nowhere */
    uint8_t check_fails, work_fails, report_fails;
    uint8_t nv_newest;  /* which of the two records holds rec */
    bool nv_known;      /* at least one was whole */
    bool kicked;        /* check now */
    bool rechecked;     /* STAGED: the check-in before the REBOOT gate is done */
    bool offered;       /* want is set */
    bool offline;       /* by lapel_apply */
    bool manifest_ok;   /* memory.work holds a verified manifest */
    bool run_open;      /* memory.work->run is set up */
    bool resumed;       /* writing began behind offset 0 */
    bool from_zero;     /* and must not again */
    bool denied_any;    /* denied is set */
    bool has_priority;  /* priority is set */
    int8_t self;        /* enum lapel_verdict_of_image so far */
    bool tampered;      /* the running image isn't what its manifest names */
    bool trial_checked; /* a good check-in since the trial began */
    uint8_t identity;   /* enum identity */
    uint16_t told;      /* bit per event that was told for the release in hand */
    uint32_t wait_ms;   /* what the step in progress says */

    const struct lapel_config *config;
    struct lapel_ports port;
    struct lapel_memory memory;
    struct lapel_fail fail; /* why the attempt ends, until that is stored */

    /* writing a component (store.c) */
    uint64_t at;     /* bytes of the component that are written */
    uint64_t total;  /* image-size in force */
    uint64_t erased; /* below this everything is erased or written */
    uint64_t saved;  /* what the journal says */
    struct lapel_slot_info info;

    /* when (sched.c), all now_ms */
    uint64_t next_check;
    uint64_t not_before; /* the server's Retry-After */
    uint64_t retry_at;   /* of the work in hand */
    uint64_t report_at;
    uint64_t exchange_at; /* when the exchange under way began */
    uint64_t gate_until;
    uint64_t tick;           /* when running time was last counted */
    uint64_t staged_at;      /* when the check-in before the REBOOT gate was first tried */
    uint64_t phase_fraction; /* of the period, in 2^-64 */
    uint64_t trial_left_ms;
    uint64_t tick_saved; /* postpone_left_ms in the journal */
    uint32_t poll_ms;    /* as the server said, 0: config */
    uint32_t checks, good_checks;

    /* the release in hand */
    size_t envelope_n;
    int (*apply_read)(void *ctx, struct lsuit_bytes uri, uint64_t offset, uint8_t *buf, size_t n);
    struct lapel_pair want;
    uint64_t dry_bytes;
    int64_t priority;
    uint8_t denied[8];                 /* begin of the digest that the policy denied */
    uint8_t map[LSUIT_MAX_COMPONENTS]; /* manifest component -> port component */

    union {
        struct lapel_record rec;
        uint8_t stored[LAPEL_STORED_SIZE];
    };
    struct lapel_http http;
    struct lapel_origin origin;
    const char *why; /* of a refused init */
    struct lapel_count count[LAPEL_COUNTS];
    /* freshness (fresh.c) */
    uint64_t fresh_tick;      /* now_ms when age was last counted */
    uint64_t fresh_unsaved_s; /* age that the journal doesn't know */
    uint32_t fresh_save_s;    /* how much of it is saved */
    uint8_t nonce[16];        /* of the last check-in */
    bool nonce_asked;         /* and not answered yet */
    uint64_t issued_s;        /* of the newest statement since start, 0 none */

    /* erase.c */
    uint8_t erase; /* enum lapel_erase_state */
    uint8_t erase_nonce_n, erase_fails;
    uint8_t erase_nonce[32];
    uint64_t erase_at; /* not before */

    struct lsuit_trust
        trust;          /* in force; borrows from memory.trust or config.trust; version 0: none */
    uint64_t trust_at;  /* now_ms: the next step may be fetched */
    uint64_t silent_ms; /* running time without a good answer, beyond what rec says */
    uint32_t trust_newest; /* as an answer said, 0: nothing to fetch */
    uint8_t trust_fails;
    uint8_t trust_record; /* which record of the port holds the set in force */
    uint32_t support_told;
};

#ifdef __cplusplus
}
#endif
#endif
