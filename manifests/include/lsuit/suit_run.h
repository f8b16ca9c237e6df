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
 */
#ifndef LSUIT_SUIT_RUN_H
#define LSUIT_SUIT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"
#include "lsuit/suit.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lsuit_trace_kind { LSUIT_TRACE_PROCEDURE, LSUIT_TRACE_SECTION, LSUIT_TRACE_COMMAND };
struct lsuit_trace {
    enum lsuit_trace_kind kind;
    const char *name; /* "update", "suit-install" without "suit-" as in the vectors, "fetch" */
    int64_t code;     /* section key or command code */
    uint32_t component;
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

/*
 * What the device does for the processor. `comp` is the component index in this manifest; the
 * platform learned at component_find which of its slots that is. Every directive may answer
 * LSUIT_OP_AGAIN any number of times and is then called again with the same arguments, `first`
 * false. Absent members are NULL and mean unsupported.
 */
struct lsuit_platform {
    size_t size; /* sizeof(struct lsuit_platform): refused when it differs */

    /* Does this device have the component, may this manifest touch it? Called once for each
     * component at init, before anything else. `id` is the encoded identifier.
     * LSUIT_OK, LSUIT_ERR_COMPONENT, LSUIT_ERR_COMPONENT_AUTH */
    enum lsuit_err (*component_find)(void *ctx, uint32_t comp, struct lsuit_bytes id);

    /* Identity conditions: one of the device's own ids equals `id`. Constant answers. */
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
    int (*copy)(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size);
    int (*write)(void *ctx, uint32_t comp, bool first, struct lsuit_bytes content);
    int (*swap)(void *ctx, uint32_t comp, bool first, uint32_t source);
    int (*invoke)(void *ctx, uint32_t comp, struct lsuit_bytes args);

    /* Told of each condition and directive, for traces, reports and tests; of those in a dry run
     * too, with t->dry. `t` and what it points to live until the call returns. NULL when nobody
     * cares. */
    void (*trace)(void *ctx, const struct lsuit_trace *t);
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
 * Parameters in force for one component: for each one the offset of its encoded value in the
 * envelope, 0 when it has none. run.c says which stands where.
 */
#define LSUIT_RUN_PARAMS 11
struct lsuit_params {
    uint32_t at[LSUIT_RUN_PARAMS];
};

/*
 * One sequence in execution; positions are offsets in the envelope. A try-each and the
 * alternative of it that runs are one frame.
 */
struct lsuit_frame {
    uint32_t at;    /* the command that comes next, or is in work */
    uint32_t end;   /* the first byte after the sequence */
    uint32_t arg;   /* try-each, run-sequence: argument of the command, to begin again */
    uint32_t next;  /* try-each: the alternative after this one */
    uint32_t left;  /* try-each: alternatives that were not begun */
    uint8_t kind;   /* section, try-each, run-sequence */
    bool soft;      /* soft-failure in force */
    uint8_t list_n; /* the component list of the frame below; the sequence runs once for each */
    uint8_t list_at;
    uint8_t list[LSUIT_MAX_COMPONENTS];
};

/* What a dry run learned, for gates, notices and the answer to "does it fit". */
struct lsuit_dry {
    /* Sum of image-size over fetches that would go to the network: an upper bound for what the
     * held conditions let run. */
    uint64_t fetch_bytes;
    uint32_t fetches;
    bool size_unknown; /* a fetch without image-size */
    uint32_t written;  /* bit i: component i would be written */
    bool has_priority;
    int64_t priority;
};

struct lsuit_run {
    const struct lsuit_manifest *manifest;
    const struct lsuit_platform *platform;
    const struct lsuit_crypto *crypto;
    void *ctx;
    uint8_t *buf; /* for reading back; the caller's */
    size_t buf_len;
    bool dry;
    bool hashing;    /* a hash is open: aborted by lsuit_run_abort */
    bool op_started; /* the command at `applied` is in work */
    uint8_t phase;
    uint8_t procedure;
    uint8_t section;    /* manifest key of the section in work, 0 none */
    uint8_t section_at; /* position of the one after it in the procedure's list */
    bool in_shared;     /* the shared sequence runs in front of the section */
    uint8_t depth;      /* frames in use */
    uint8_t list_n;     /* components that the next command applies to; 0: index not set yet */
    uint8_t applied;    /* position in the list for the command in work */
    uint8_t list[LSUIT_MAX_COMPONENTS];
    uint8_t differ;   /* check-content: sticky difference */
    uint32_t unknown; /* dry: bit i: bytes of component i are not known yet */
    uint64_t offset;  /* image-match and check-content: bytes read so far */
    uint64_t total;   /* of so many */
    struct lsuit_hash hash;
    struct lsuit_params params[LSUIT_MAX_COMPONENTS];
    struct lsuit_frame frame[LSUIT_MAX_DEPTH];
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
