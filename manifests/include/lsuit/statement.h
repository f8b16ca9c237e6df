/*
 * Freshness statement: what a server vouches for with its online key. SPEC.md, "Statement".
 *
 * Read a statement after lsuit_doc_verify(LSUIT_DOC_STATEMENT, ...) with keys of role online
 * accepted it. It can withhold an update and end a trial; it can never cause an install.
 * Rules of reading, writing and errors that all documents share: doc.h.
 */
#ifndef LSUIT_STATEMENT_H
#define LSUIT_STATEMENT_H

#include "lsuit/doc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Largest signed statement. */
#define LSUIT_STATEMENT_MAX 2048

enum lsuit_statement_key { /* 1 to 3: the space */
                           LSUIT_STATEMENT_VERSION = 0,
                           LSUIT_STATEMENT_NUMBER = 4,
                           LSUIT_STATEMENT_HIGHEST = 5,
                           LSUIT_STATEMENT_RELEASES = 6,
                           LSUIT_STATEMENT_ISSUED = 7,
                           LSUIT_STATEMENT_MAX_AGE = 8,
                           LSUIT_STATEMENT_STALE_AFTER = 9,
                           LSUIT_STATEMENT_NEXT_POLL = 10,
                           LSUIT_STATEMENT_SUPPORT = 11,
                           LSUIT_STATEMENT_NONCE = 12,
                           LSUIT_STATEMENT_LOG_ROOT = 13,
                           LSUIT_STATEMENT_LOG_SIZE = 14
};

enum lsuit_release_key {
    LSUIT_RELEASE_SEQUENCE = 1,
    LSUIT_RELEASE_DIGEST = 2,
    LSUIT_RELEASE_STATE = 3,
    LSUIT_RELEASE_SALT = 4,
    LSUIT_RELEASE_THRESHOLD = 5
};

enum lsuit_release_state {
    LSUIT_RELEASE_OPEN = 1,
    LSUIT_RELEASE_HELD = 2,     /* no new starts; what is in flight goes on */
    LSUIT_RELEASE_HALTED = 3,   /* abandon it before TRIAL; may be opened again */
    LSUIT_RELEASE_WITHDRAWN = 4 /* for good; ends a trial too */
};

#define LSUIT_SALT_LEN 16
struct lsuit_release {
    uint64_t sequence;
    struct lsuit_bytes digest; /* SUIT manifest digest, 32 bytes */
    uint32_t state;            /* enum lsuit_release_state; a higher number is read as HELD */
    struct lsuit_bytes salt;   /* 16 bytes; absent when the rollout has none */
    bool has_threshold;        /* false: nobody is in. Place and threshold: place.h */
    uint64_t threshold;
};

enum lsuit_support_key { LSUIT_SUPPORT_MODEL = 1, LSUIT_SUPPORT_END = 2 };

#define LSUIT_MAX_SUPPORT 16 /* models in one statement */

struct lsuit_statement {
    struct lsuit_space space;
    uint64_t number;  /* orders statements of one space; from 1 */
    uint64_t highest; /* highest sequence ever opened; 0: none */
    struct lsuit_release releases[LSUIT_MAX_SPACES];
    uint32_t releases_n;
    uint64_t issued_s;           /* seconds since 1970 */
    uint32_t max_age_s;          /* how long a cache may serve it */
    uint32_t stale_after_s;      /* running time until "stale" */
    uint32_t next_poll_s;        /* clamped as in an answer; 0: not said */
    struct lsuit_bytes support;  /* encoded array; lsuit_statement_support. absent when none */
    struct lsuit_bytes nonce;    /* of the check-in that asked; absent when none */
    struct lsuit_bytes log_root; /* 32 bytes, reserved; absent when none */
    bool has_log_size;
    uint64_t log_size; /* reserved */
};

enum lsuit_err lsuit_statement_read(struct lsuit_bytes doc, struct lsuit_statement *statement_out,
                                    struct lsuit_fault *fault);
/* `support` must be what lsuit_support_write made. */
enum lsuit_err lsuit_statement_write(const struct lsuit_statement *statement, uint8_t *buf,
                                     size_t cap, struct lsuit_bytes *doc_out);

struct lsuit_support {
    struct lsuit_bytes model;
    uint32_t end; /* year * 100 + month */
};
enum lsuit_err lsuit_support_write(const struct lsuit_support *support, uint32_t n, uint8_t *buf,
                                   size_t cap, struct lsuit_bytes *list_out);
/* The support end of a model, 0 when the statement doesn't say. */
uint32_t lsuit_statement_support(const struct lsuit_statement *statement, struct lsuit_bytes model);
/* The i-th entry; false when there are not so many. */
bool lsuit_statement_support_at(const struct lsuit_statement *statement, uint32_t i,
                                struct lsuit_support *support_out);

/* The entry of this sequence and digest; NULL when the statement has none. */
const struct lsuit_release *lsuit_statement_release(const struct lsuit_statement *statement,
                                                    uint64_t sequence, struct lsuit_bytes digest);

/* "open", "held", "halted", "withdrawn"; NULL when unknown. */
const char *lsuit_release_state_name(uint32_t state);

#ifdef __cplusplus
}
#endif
#endif
