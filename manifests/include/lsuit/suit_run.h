/*
 * The SUIT command processor: executes a checked manifest step by step.
 * draft-ietf-suit-manifest-37, sections 6.2 to 6.5 and 8.4.
 *
 * A machine with an explicit stack: lsuit_run_step does one bounded piece of work and returns,
 * also in the middle of fetch, copy, write and image-match. Nothing is allocated; a step never
 * recurses. After a reset the caller runs the procedure again from its start: a component that
 * already matches is skipped by the manifest's own conditions or by the platform.
 *
 *   (1) Only a manifest that lsuit_manifest_check accepted is run; run_init checks it again.
 *   (2) A condition that the platform denies fails; a command, condition or directive, that the
 *       platform has no function for aborts, so that no try-each falls through to a laxer
 *       alternative.
 *   (3) Only a failed condition selects the next try-each alternative; a failed directive aborts.
 *   (4) A fetch never stores more than image-size bytes when image-size is set.
 *   (5) image-match hashes what is read back from the component, never what was received.
 *   (6) invoke is reached only after every earlier command of the procedure held.
 *   (7) A dependency is run from memory, where it was authenticated, checked whole, and held
 *       against the digest that its dependent gives; never on the word of what is stored.
 */
#ifndef LSUIT_SUIT_RUN_H
#define LSUIT_SUIT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/config.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"
#include "lsuit/suit.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lsuit_trace_kind {
    LSUIT_TRACE_PROCEDURE,
    LSUIT_TRACE_SECTION,
    LSUIT_TRACE_COMMAND,
    LSUIT_TRACE_BEGIN, /* process-dependency: of the dependency's sequences */
    LSUIT_TRACE_END
};
struct lsuit_trace {
    enum lsuit_trace_kind kind;
    const char *name;   /* "update", "suit-install" without "suit-" as in the vectors, "fetch" */
    int64_t code;       /* section key or command code */
    uint32_t component; /* its index in the manifest that the command stands in */
    bool ok;
    bool dry;                /* nothing was done: it would be */
    struct lsuit_bytes uri;  /* fetch */
    uint64_t size;           /* fetch, copy, write: bytes that the component holds afterwards */
    struct lsuit_bytes args; /* invoke */
    uint32_t source;         /* copy, swap */
    uint64_t slot;           /* component-slot */
    uint32_t missing;        /* !ok: number of the parameter that was not set, else 0 */
    const char *why;         /* !ok: what the processor itself found wrong, static, or NULL */
    uint8_t depth;           /* of dependencies; 0 outermost */
};

/* Answers of a platform operation. */
#define LSUIT_OP_DONE 1
#define LSUIT_OP_AGAIN 0   /* not finished: step returns LSUIT_RUN_AGAIN, the same call follows */
#define LSUIT_OP_FAIL (-1) /* a directive: abort. A condition: does not hold */
#define LSUIT_OP_UNSUPPORTED (-2)

/* Events of a wait directive (draft-ietf-suit-update-management-14, section 4.5). */
enum lsuit_wait_event {
    LSUIT_WAIT_AUTHORIZATION = 1, /* of this update-priority */
    LSUIT_WAIT_POWER = 2,
    LSUIT_WAIT_NETWORK = 3,
    LSUIT_WAIT_OTHER_DEVICE = 4,    /* [device, [+ [comparison, version]]], encoded */
    LSUIT_WAIT_TIME = 5,            /* seconds since 1970 UTC */
    LSUIT_WAIT_TIME_OF_DAY = 6,     /* seconds since midnight, local time */
    LSUIT_WAIT_DAY_OF_WEEK = 7,     /* days since Sunday, local time */
    LSUIT_WAIT_TIME_OF_DAY_UTC = 8, /* seconds since midnight */
    LSUIT_WAIT_DAY_OF_WEEK_UTC = 9  /* days since Sunday */
};

/*
 * What the device does for the processor. `comp` is the number of a component in this run: for the
 * outermost manifest its index there; components that only a dependency names have higher numbers,
 * which another dependency may get again. The platform learned at component_find which of its slots
 * that is. Every directive may answer LSUIT_OP_AGAIN any number of times and is then called again
 * with the same arguments, `first` false. Absent members are NULL and mean unsupported: a command
 * that needs one aborts, and no try-each falls through to something laxer.
 */
struct lsuit_platform {
    size_t size; /* sizeof(struct lsuit_platform): refused when it differs */

    /* Does this device have the component, may this manifest touch it? Called once for each
     * component at init, before anything else, and for those of a dependency when it is read. `id`
     * is the encoded identifier.
     * LSUIT_OK, LSUIT_ERR_COMPONENT, LSUIT_ERR_COMPONENT_AUTH */
    enum lsuit_err (*component_find)(void *ctx, uint32_t comp, struct lsuit_bytes id);

    /* Identity conditions: one of the device's own ids equals `id`. Constant answers. A vendor may
     * be a UUID of 16 bytes, or an encoded enterprise number (tag 112, RFC 9371). */
    bool (*vendor_is)(void *ctx, struct lsuit_bytes id);
    bool (*class_is)(void *ctx, struct lsuit_bytes id);
    bool (*device_is)(void *ctx, struct lsuit_bytes id);

    /* component-slot: is `slot` the one that this update writes (or that invoke boots)? */
    bool (*slot_is)(void *ctx, uint32_t comp, uint64_t slot);

    /* Size of what the component holds now; false when it is absent. */
    bool (*component_size)(void *ctx, uint32_t comp, uint64_t *size_out);
    /* Read back up to n bytes at offset; DONE with *got_out > 0, AGAIN, or FAIL. */
    int (*component_read)(void *ctx, uint32_t comp, uint64_t offset, uint8_t *buf, size_t n,
                          size_t *got_out);

    /* fetch: store what `uri` names. max_size is image-size, or UINT64_MAX when not set.
     * `integrated` is present when the envelope carries it under this name: then the network
     * must not be asked. `digest` is the image-digest in force (alg 0 when none), so that a
     * platform can resume or skip. */
    int (*fetch)(void *ctx, uint32_t comp, bool first, struct lsuit_bytes uri,
                 struct lsuit_bytes integrated, uint64_t max_size, struct lsuit_digest digest,
                 struct lsuit_bytes fetch_args);
    /* copy: max_size is image-size, or the size of the source when that isn't set. */
    int (*copy)(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size);
    int (*write)(void *ctx, uint32_t comp, bool first, struct lsuit_bytes content);
    int (*swap)(void *ctx, uint32_t comp, bool first, uint32_t source);
    int (*invoke)(void *ctx, uint32_t comp, struct lsuit_bytes args);

    /* Told of each condition and directive, for traces, reports and tests; of those in a dry run
     * too, with t->dry. `t` and what it points to live until the call returns. NULL when nobody
     * cares. */
    void (*trace)(void *ctx, const struct lsuit_trace *t);

    /* --- encryption (draft-ietf-suit-firmware-encryption-24): in place of copy and write when
     * parameter 19 is in force; `encryption_info` is its content, a tagged COSE_Encrypt, and
     * max_size limits the plaintext. A ciphertext without authentication of its own is copied only
     * from a component that image-match held since it was written. A fetch under parameter 19 is
     * refused: ciphertext is never stored as if it were plain. --- */
    int (*copy_decrypt)(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size,
                        struct lsuit_bytes encryption_info);
    int (*write_decrypt)(void *ctx, uint32_t comp, bool first, struct lsuit_bytes content,
                         struct lsuit_bytes encryption_info);

    /* --- update management (draft-ietf-suit-update-management-14) --- */

    /* Trusted time, seconds since 1970 UTC; false while it isn't known: use-before fails. */
    bool (*now)(void *ctx, uint64_t *epoch_s_out);
    /* What the battery holds; false when it can't be told: minimum-battery fails. */
    bool (*battery)(void *ctx, uint64_t *mwh_out);
    /* May an update of this priority go on? DONE yes, FAIL no, AGAIN while a person is asked. */
    int (*authorized)(void *ctx, int64_t priority);
    /* Version of the component, an encoded array of integers; absent: the condition fails. */
    struct lsuit_bytes (*version)(void *ctx, uint32_t comp);
    /* Has the event come? DONE, or AGAIN; FAIL gives the update up; UNSUPPORTED. `value` counts
     * for all events but LSUIT_WAIT_OTHER_DEVICE, which is in `other`. */
    int (*wait)(void *ctx, enum lsuit_wait_event event, int64_t value, struct lsuit_bytes other);
    /* Told of the component-metadata (content of parameter 30, checked) before the component is
     * fetched, copied into or written. DONE, or FAIL for what it can't or won't honour. */
    int (*metadata)(void *ctx, uint32_t comp, struct lsuit_bytes metadata);

    /* --- dependencies (draft-ietf-suit-trust-domains-12) --- */

    /* The keys that may sign the manifest which is stored in this component; they must outlive the
     * call. NULL: nobody's. */
    const struct lsuit_trust_keys *(*dependency_keys)(void *ctx, uint32_t comp);
    /* A dependency stored in `comp` was authenticated and checked: is it acceptable? The platform
     * holds the sequence number against the one it accepted before, and looks whether its signers
     * may touch its components. LSUIT_OK, LSUIT_ERR_ROLLBACK, LSUIT_ERR_COMPONENT_AUTH */
    enum lsuit_err (*dependency_accept)(void *ctx, uint32_t comp,
                                        const struct lsuit_manifest *manifest,
                                        const struct lsuit_auth *auth);
    /* unlink: the component is needed no longer. Counting references is the platform's; its answer
     * to a write into a component that others still use is FAIL. */
    int (*unlink)(void *ctx, uint32_t comp, bool first);
};

enum lsuit_procedure {
    /* dependency-resolution, payload-fetch, candidate-verification, install, validate */
    LSUIT_PROCEDURE_UPDATE = 1,
    /* validate, load, invoke */
    LSUIT_PROCEDURE_INVOKE = 2,
    /* validate alone: is the stored image what the manifest says */
    LSUIT_PROCEDURE_VALIDATE = 3,
    LSUIT_PROCEDURE_UNINSTALL = 4
};

enum lsuit_run_state {
    LSUIT_RUN_AGAIN, /* call again; the platform said AGAIN or a piece was done */
    LSUIT_RUN_DONE,
    LSUIT_RUN_FAILED /* see run.fault */
};

/*
 * Parameters in force for one component: for each one its encoded value where it stands in the
 * envelope, NULL when it has none. src/command.h says which stands where.
 */
#define LSUIT_RUN_PARAMS                                                    \
    (10 + (LSUIT_WITH_OPTIONAL ? 2 : 0) + (LSUIT_WITH_ENCRYPTION ? 1 : 0) + \
     (LSUIT_WITH_UPDATE_MANAGEMENT ? 5 : 0))
struct lsuit_params {
    const uint8_t *at[LSUIT_RUN_PARAMS];
};

/* One sequence in work. A try-each and the alternative of it in work are one frame. */
struct lsuit_frame {
    const uint8_t *at;     /* the command that comes next, or is in work */
    const uint8_t *end;    /* the first byte after the sequence */
    const uint8_t *next;   /* try-each: the alternative after this one */
    uint32_t left;         /* commands not done, the one in work included */
    uint32_t alternatives; /* try-each: not begun */
    uint8_t begun;         /* try-each: alternatives begun that are no nil, at most 2 */
    uint8_t kind;          /* section, try-each, run-sequence */
    bool soft;             /* soft-failure in force */
    bool all;              /* the list is that of index true */
    uint8_t applied;       /* position in the list for the command in work */
#if LSUIT_WITH_OPTIONAL
    bool loose;       /* strict-order is false */
    uint32_t targets; /* loose: bit n: component n was written here */
    uint32_t sources; /* loose: bit n: its bytes were a source here */
#endif
    uint8_t list_n; /* components that commands apply to; 0: index not set yet */
    uint8_t list[LSUIT_MAX_COMPONENTS];
};

/* One manifest in work. */
struct lsuit_level {
    const struct lsuit_manifest *manifest;
    bool in_shared; /* the shared sequence runs in front of the section */
    uint8_t depth;  /* frames in use */
#if LSUIT_WITH_DEPENDENCIES
    uint8_t comp;         /* the component that holds this manifest */
    uint8_t components_n; /* numbers of components given away up to here */
    uint32_t intact;      /* bit n: the dependency in component n passed dependency-integrity */
    uint8_t map[LSUIT_MAX_COMPONENTS]; /* index in this manifest: number in this run */
#endif
    struct lsuit_frame frame[LSUIT_MAX_DEPTH];
};

#if LSUIT_WITH_DEPENDENCIES
/* Memory for one manifest below the outermost one. */
struct lsuit_dependency {
    uint8_t *buf;   /* the caller's: its envelope is read back into it */
    size_t buf_len; /* a larger one is LSUIT_ERR_LIMIT */
    /* The rest is the processor's. */
    bool held; /* buf holds the dependency of level.comp, authenticated and checked */
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
    struct lsuit_level level;
};
#endif

/* What a dry run learned, for gates, notices and the answer to "does it fit". */
struct lsuit_dry {
    /* Sum of image-size over fetches that would go to the network: an upper bound for what the
     * held conditions let run. */
    uint64_t fetch_bytes;
    uint32_t fetches;
    bool size_unknown; /* a fetch without image-size, or a dependency that isn't here yet */
    uint32_t written;  /* bit n: component n of this run would be written */
    bool has_priority;
    int64_t priority;
};

struct lsuit_run {
    const struct lsuit_platform *platform;
    const struct lsuit_crypto *crypto;
    void *ctx;
    uint8_t *buf; /* for reading back; the caller's */
    size_t buf_len;
    bool dry;
    bool hashing;    /* a hash is open: aborted by lsuit_run_abort */
    bool op_started; /* the command in work was begun */
    uint8_t phase;
    uint8_t procedure;
    uint8_t section;    /* manifest key of the section in work, 0 none */
    uint8_t section_at; /* position of the one after it in the procedure's list */
    uint8_t differ;     /* check-content: sticky difference */
    uint32_t unknown;   /* dry: bit n: bytes of component n are not known yet */
    uint32_t matched;   /* bit n: image-match held for component n since it was written */
    uint64_t offset;    /* bytes read back so far */
    uint64_t total;     /* of so many */
    struct lsuit_hash hash;
    struct lsuit_params params[LSUIT_MAX_COMPONENTS];
    struct lsuit_level root;
#if LSUIT_WITH_DEPENDENCIES
    struct lsuit_level *level; /* the manifest in work: root's, or one of a dependency */
    struct lsuit_dependency *dependency;
    uint8_t dependencies_n;
    uint8_t chain; /* dependencies in work, one below the other */
#endif
    struct lsuit_dry dry_result;
    struct lsuit_fault fault;
};

/*
 * Prepare a run. Checks the manifest again and asks the platform for each component.
 *
 *   buf, buf_len  scratch for reading back, at least 64 bytes; a step hashes at most buf_len
 *   all arguments must outlive the run
 *
 * LSUIT_ERR_USAGE      a table of another size, no buffer, an envelope that was neither verified nor
 *                      examined (the latter allows dry runs only)
 * LSUIT_ERR_LIMIT      an envelope of 4 GiB or more
 * LSUIT_ERR_COMPONENT  the device lacks a component       LSUIT_ERR_COMPONENT_AUTH
 * as lsuit_manifest_check
 */
enum lsuit_err lsuit_run_init(struct lsuit_run *run, const struct lsuit_manifest *manifest,
                              const struct lsuit_platform *platform, void *ctx,
                              const struct lsuit_crypto *crypto, uint8_t *buf, size_t buf_len);

#if LSUIT_WITH_DEPENDENCIES
/*
 * Hand over memory for dependencies, after init and before start. dependency[0] is for those of the
 * outermost manifest, one after the other, dependency[1] for theirs, and so on; without, a
 * manifest that has some is refused at start.
 *
 *   dependency  buf and buf_len filled; must outlive the run
 *   n           at most LSUIT_MAX_MANIFESTS - 1; more are not used
 *
 * A parameter that a dependency sets persists as the draft has it, until its memory is needed for
 * another one.
 */
void lsuit_run_dependencies(struct lsuit_run *run, struct lsuit_dependency *dependency, size_t n);
#endif

/*
 * Begin a procedure. May be called again after DONE for the next one; parameters start afresh.
 *
 *   dry  no directive reaches the platform. A component that would be written becomes unknown,
 *        and a condition over its bytes counts as held; all other conditions are decided now.
 *        A digest whose algorithm the build lacks fails here, before any side effect.
 */
void lsuit_run_start(struct lsuit_run *run, enum lsuit_procedure procedure, bool dry);

/* One bounded piece of work. */
enum lsuit_run_state lsuit_run_step(struct lsuit_run *run);

/* Steps to the end; for tools and tests, and where the platform never says AGAIN for long. */
enum lsuit_err lsuit_run_to_end(struct lsuit_run *run);

/* Give up in the middle: ends an open hash. Harmless at any other time. */
void lsuit_run_abort(struct lsuit_run *run);

#ifdef __cplusplus
}
#endif
#endif
