/*
 * The command processor: procedures, sections, sequences.
 *
 * One frame stands for each sequence in execution. What ends a frame, and what follows:
 *
 *   frame         its sequence ended       a condition failed in it
 *   SECTION       the next section         the run failed
 *   TRY_EACH      the next component       soft: the next alternative, then as if it failed below
 *                 of the list, or below    hard: as if the condition failed in the frame below
 *   RUN_SEQUENCE  likewise                 soft: as if the sequence ended
 *                                          hard: as if the condition failed in the frame below
 *
 *   (1) frame.at moves on only when its command is done for every component of the list, so a
 *       step that ends with AGAIN begins with the same command.
 *   (2) Everything was checked before; what is malformed nevertheless ends the run.
 */
#include "run.h"
#include "fault.h"

#include <string.h>

_Static_assert(LSUIT_MAX_COMPONENTS <= 32, "components are bits of a uint32_t");

enum frame_kind { SECTION, TRY_EACH, RUN_SEQUENCE };
enum phase { IDLE, NEXT_SECTION, RUNNING, DONE, FAILED };

#define SECTIONS_MAX 5

struct procedure {
    const char *name;
    uint8_t section[SECTIONS_MAX + 1]; /* 0 ends the list */
};

/* clang-format off */
static const struct procedure PROCEDURES[] = {
    [LSUIT_PROCEDURE_UPDATE] = { "update", {
        LSUIT_SECTION_DEPENDENCY_RESOLUTION, LSUIT_SECTION_PAYLOAD_FETCH,
        LSUIT_SECTION_CANDIDATE_VERIFICATION, LSUIT_SECTION_INSTALL, LSUIT_SECTION_VALIDATE } },
    [LSUIT_PROCEDURE_INVOKE] = { "invoke", {
        LSUIT_SECTION_VALIDATE, LSUIT_SECTION_LOAD, LSUIT_SECTION_INVOKE } },
    [LSUIT_PROCEDURE_VALIDATE] = { "validate", { LSUIT_SECTION_VALIDATE } },
    [LSUIT_PROCEDURE_UNINSTALL] = { "uninstall", { LSUIT_SECTION_UNINSTALL } },
};
/* clang-format on */

struct lsuit_cbor lsuit_run_cursor(const struct lsuit_run *run, uint32_t at)
{
    struct lsuit_bytes whole = run->manifest->envelope->whole;

    if (at > whole.len)
        at = (uint32_t)whole.len;
    return lsuit_cbor_open((struct lsuit_bytes){ whole.ptr + at, whole.len - at });
}

uint32_t lsuit_run_offset(const struct lsuit_run *run, const uint8_t *p)
{
    return (uint32_t)(p - run->manifest->envelope->whole.ptr);
}

static struct lsuit_frame *top(struct lsuit_run *run)
{
    return &run->frame[run->depth - 1];
}

enum outcome lsuit_run_abort_with(struct lsuit_run *run, enum lsuit_err err, int64_t code,
                                  const char *why)
{
    (void)lsuit_fault_set(&run->fault, err, lsuit_run_command_name(code), why, code);
    run->fault.offset = run->depth > 0 ? top(run)->at : 0;
    run->fault.section = run->section;
    if (run->list_n > 0 && run->applied < run->list_n)
        run->fault.component = run->list[run->applied];
    return OUT_ABORT;
}

static enum lsuit_run_state fail(struct lsuit_run *run)
{
    lsuit_run_abort(run);
    run->phase = FAILED;
    return LSUIT_RUN_FAILED;
}

/* --- Sequences. --- */

/* Point a frame at the commands in the content of a byte string. */
static bool sequence_begin(struct lsuit_run *run, struct lsuit_frame *f, struct lsuit_bytes content)
{
    struct lsuit_cbor c = lsuit_cbor_open(content);

    lsuit_cbor_array(&c);
    if (content.ptr == NULL || c.err != LSUIT_OK)
        return false;
    f->at = lsuit_run_offset(run, c.p);
    f->end = lsuit_run_offset(run, content.ptr + content.len);
    return true;
}

static bool section_push(struct lsuit_run *run, struct lsuit_bytes content)
{
    struct lsuit_frame *f = &run->frame[0];

    /* The index is not inherited. Only where there is a single component it goes without saying. */
    run->list[0] = 0;
    run->list_n = run->manifest->components_n == 1 ? 1 : 0;
    run->applied = 0;
    *f = (struct lsuit_frame){ .kind = SECTION };
    run->depth = 1;
    return sequence_begin(run, f, content);
}

/* Begin the next alternative of a try-each. A nil has nothing to do and thereby holds. */
static bool alternative_begin(struct lsuit_run *run, struct lsuit_frame *f)
{
    struct lsuit_cbor c = lsuit_run_cursor(run, f->next);
    struct lsuit_bytes content;

    f->left--;
    f->soft = true;
    if (lsuit_cbor_peek(&c) == LSUIT_CBOR_SIMPLE) {
        lsuit_cbor_null(&c);
        f->at = f->end = f->next;
        f->next = lsuit_run_offset(run, c.p);
        return c.err == LSUIT_OK;
    }
    content = lsuit_cbor_bstr(&c);
    f->next = lsuit_run_offset(run, c.p);
    return c.err == LSUIT_OK && sequence_begin(run, f, content);
}

/* Begin the sequence of a try-each or run-sequence for one component of the frame's list. */
static bool iteration_begin(struct lsuit_run *run, struct lsuit_frame *f)
{
    struct lsuit_cbor c = lsuit_run_cursor(run, f->arg);

    run->list[0] = f->list[f->list_at];
    run->list_n = 1;
    run->applied = 0;
    f->soft = false;
    if (f->kind == RUN_SEQUENCE) {
        struct lsuit_bytes content = lsuit_cbor_bstr(&c);

        return c.err == LSUIT_OK && sequence_begin(run, f, content);
    }
    f->left = lsuit_cbor_array(&c);
    f->next = lsuit_run_offset(run, c.p);
    return c.err == LSUIT_OK && f->left > 0 && alternative_begin(run, f);
}

/* The frame is done with: what stands below goes on behind the command, with its own list. */
static void frame_pop(struct lsuit_run *run)
{
    const struct lsuit_frame *f = top(run);

    memcpy(run->list, f->list, sizeof run->list);
    run->list_n = f->list_n;
    run->applied = 0;
    run->depth--;
}

/* try-each, run-sequence: `c` stands at the argument. */
static enum outcome sequence_push(struct lsuit_run *run, int64_t code, struct lsuit_cbor *c)
{
    struct lsuit_frame *f;
    uint32_t arg = lsuit_run_offset(run, c->p);

    if (run->depth == LSUIT_MAX_DEPTH)
        return lsuit_run_abort_with(run, LSUIT_ERR_LIMIT, code, TEXT("nested too deep"));
    (void)lsuit_cbor_item(c);
    if (c->err != LSUIT_OK)
        return lsuit_run_abort_with(run, c->err, code, NULL);
    top(run)->at = lsuit_run_offset(run, c->p);

    f = &run->frame[run->depth++];
    *f = (struct lsuit_frame){ .kind = code == LSUIT_DIR_TRY_EACH ? TRY_EACH : RUN_SEQUENCE,
                               .arg = arg,
                               .list_n = run->list_n };
    memcpy(f->list, run->list, sizeof f->list);
    return iteration_begin(run, f) ? OUT_DONE
                                   : lsuit_run_abort_with(run, LSUIT_ERR_CBOR, code, NULL);
}

/* A sequence came to its end. */
static enum outcome sequence_end(struct lsuit_run *run)
{
    struct lsuit_frame *f = top(run);

    if (f->kind == SECTION) {
        run->depth = 0;
        run->phase = NEXT_SECTION;
        return OUT_DONE;
    }
    if (++f->list_at < f->list_n)
        return iteration_begin(run, f) ? OUT_DONE
                                       : lsuit_run_abort_with(run, LSUIT_ERR_CBOR, 0, NULL);
    frame_pop(run);
    return OUT_DONE;
}

/* A condition failed: find the sequence that bears it. */
static enum outcome condition_failed(struct lsuit_run *run)
{
    for (;;) {
        struct lsuit_frame *f = top(run);

        if (f->kind == SECTION)
            return OUT_ABORT; /* run->fault is the condition's */
        if (f->soft && f->kind == RUN_SEQUENCE)
            return sequence_end(run);
        if (f->soft && f->left > 0) {
            run->list[0] = f->list[f->list_at];
            run->list_n = 1;
            run->applied = 0;
            if (!alternative_begin(run, f))
                return lsuit_run_abort_with(run, LSUIT_ERR_CBOR, LSUIT_DIR_TRY_EACH, NULL);
            return OUT_DONE;
        }
        frame_pop(run);
    }
}

/* --- Commands that only change the processor itself. --- */

static bool list_add(struct lsuit_run *run, uint64_t index)
{
    if (index >= run->manifest->components_n || run->list_n == LSUIT_MAX_COMPONENTS)
        return false;
    run->list[run->list_n++] = (uint8_t)index;
    return true;
}

/* set-component-index: a number, an array of numbers, or true for all. */
static enum outcome set_index(struct lsuit_run *run, struct lsuit_cbor *c)
{
    bool ok = true;

    run->list_n = 0;
    switch (lsuit_cbor_peek(c)) {
    case LSUIT_CBOR_UINT:
        ok = list_add(run, lsuit_cbor_uint(c));
        break;
    case LSUIT_CBOR_ARRAY:
        (void)lsuit_cbor_array(c);
        while (ok && lsuit_cbor_next(c))
            ok = list_add(run, lsuit_cbor_uint(c));
        break;
    default:
        ok = lsuit_cbor_bool(c);
        for (uint32_t i = 0; ok && i < run->manifest->components_n; i++)
            ok = list_add(run, i);
    }
    if (!ok || c->err != LSUIT_OK || run->list_n == 0) {
        run->list_n = 0;
        return lsuit_run_abort_with(run, LSUIT_ERR_COMPONENT, LSUIT_DIR_SET_COMPONENT_INDEX,
                                    TEXT("no such component"));
    }
    return OUT_DONE;
}

enum param_slot lsuit_run_param_slot(int64_t key)
{
    static const uint8_t KEYS[LSUIT_RUN_PARAMS] = {
        [PARAM_VENDOR] = LSUIT_PARAM_VENDOR_IDENTIFIER,
        [PARAM_CLASS] = LSUIT_PARAM_CLASS_IDENTIFIER,
        [PARAM_DIGEST] = LSUIT_PARAM_IMAGE_DIGEST,
        [PARAM_SLOT] = LSUIT_PARAM_COMPONENT_SLOT,
        [PARAM_SIZE] = LSUIT_PARAM_IMAGE_SIZE,
        [PARAM_CONTENT] = LSUIT_PARAM_CONTENT,
        [PARAM_URI] = LSUIT_PARAM_URI,
        [PARAM_SOURCE] = LSUIT_PARAM_SOURCE_COMPONENT,
        [PARAM_INVOKE_ARGS] = LSUIT_PARAM_INVOKE_ARGS,
        [PARAM_DEVICE] = LSUIT_PARAM_DEVICE_IDENTIFIER,
        [PARAM_FETCH_ARGS] = LSUIT_PARAM_FETCH_ARGUMENTS,
    };
    int slot = 0;

    while (slot < PARAM_NONE && KEYS[slot] != key)
        slot++;
    return (enum param_slot)slot;
}

static void set_value(struct lsuit_run *run, enum param_slot slot, uint32_t at, bool replace)
{
    for (uint32_t i = 0; i < run->list_n; i++) {
        uint32_t *value = &run->params[run->list[i]].at[slot];

        if (replace || *value == 0)
            *value = at;
    }
}

/* override-parameters and set-parameters; the latter leaves alone what has a value. */
static enum outcome set_parameters(struct lsuit_run *run, int64_t code, struct lsuit_cbor *c)
{
    bool replace = code == LSUIT_DIR_OVERRIDE_PARAMETERS;
    int64_t key = 0;

    lsuit_cbor_map(c);
    while (lsuit_cbor_next_key(c, &key)) {
        enum param_slot slot = lsuit_run_param_slot(key);

        if (key == LSUIT_PARAM_SOFT_FAILURE && top(run)->kind != SECTION) {
            top(run)->soft = lsuit_cbor_bool(c);
        } else if (key == LSUIT_PARAM_STRICT_ORDER) {
            (void)lsuit_cbor_bool(c); /* we are strict in any case */
        } else if (key == LSUIT_PARAM_UPDATE_PRIORITY) {
            int64_t priority = lsuit_cbor_int(c);

            if (!run->dry_result.has_priority) {
                run->dry_result.has_priority = true;
                run->dry_result.priority = priority;
            }
        } else if (slot != PARAM_NONE) {
            set_value(run, slot, lsuit_run_offset(run, c->p), replace);
            (void)lsuit_cbor_item(c);
        } else {
            return lsuit_run_abort_with(run, LSUIT_ERR_PARAMETER, key,
                                        TEXT("no parameter for this place"));
        }
    }
    return c->err == LSUIT_OK ? OUT_DONE : lsuit_run_abort_with(run, c->err, code, NULL);
}

/* --- The machine. --- */

/* One command, or a piece of it. */
static enum outcome command_step(struct lsuit_run *run)
{
    struct lsuit_frame *f = top(run);
    struct lsuit_cbor c = lsuit_run_cursor(run, f->at);
    int64_t code = lsuit_cbor_int(&c);
    enum outcome out = OUT_DONE;

    if (c.err != LSUIT_OK || f->at > f->end)
        return lsuit_run_abort_with(run, LSUIT_ERR_CBOR, 0, NULL);
    if (code == LSUIT_DIR_SET_COMPONENT_INDEX) {
        out = set_index(run, &c);
    } else if (run->list_n == 0) {
        return lsuit_run_abort_with(run, LSUIT_ERR_COMPONENT, code, TEXT("no component index set"));
    } else if (code == LSUIT_DIR_TRY_EACH || code == LSUIT_DIR_RUN_SEQUENCE) {
        return sequence_push(run, code, &c);
    } else if (code == LSUIT_DIR_OVERRIDE_PARAMETERS || code == LSUIT_DIR_SET_PARAMETERS) {
        out = set_parameters(run, code, &c);
    } else {
        (void)lsuit_cbor_uint(&c); /* the reporting policy */
        if (c.err != LSUIT_OK)
            return lsuit_run_abort_with(run, c.err, code, NULL);
        out = lsuit_run_command(run, code, run->list[run->applied]);
        if (out == OUT_AGAIN)
            return out;
        run->op_started = false;
        if (out == OUT_CONDITION)
            return condition_failed(run);
        if (out == OUT_DONE && ++run->applied < run->list_n)
            return out;
        run->applied = 0;
    }
    if (out == OUT_DONE)
        f->at = lsuit_run_offset(run, c.p);
    return out;
}

static void trace_begin(struct lsuit_run *run, enum lsuit_trace_kind kind, const char *name,
                        int64_t code)
{
    struct lsuit_trace t = {
        .kind = kind, .name = name, .code = code, .ok = true, .dry = run->dry
    };

    if (run->platform->trace != NULL)
        run->platform->trace(run->ctx, &t);
}

/* The next section of the procedure that the manifest has: first the shared sequence, then it. */
static enum outcome section_next(struct lsuit_run *run)
{
    const uint8_t *list = PROCEDURES[run->procedure].section;
    const struct lsuit_part *part = NULL;
    bool begun = true;

    if (run->in_shared) {
        run->in_shared = false;
        part = lsuit_manifest_part(run->manifest, run->section);
    } else {
        do {
            run->section = list[run->section_at];
            if (run->section == 0) {
                run->phase = DONE;
                return OUT_DONE;
            }
            run->section_at++;
            part = lsuit_manifest_part(run->manifest, run->section);
        } while (part == NULL || !part->present);
        if (part->bytes.ptr == NULL)
            return lsuit_run_abort_with(run, LSUIT_ERR_SEVERED, 0,
                                        TEXT("the section is severed and absent"));
        trace_begin(run, LSUIT_TRACE_SECTION, lsuit_run_section_name(run->section), run->section);
        run->in_shared = run->manifest->shared.ptr != NULL;
    }
    run->phase = RUNNING;
    begun = section_push(run, run->in_shared ? run->manifest->shared : part->bytes);
    return begun ? OUT_DONE : lsuit_run_abort_with(run, LSUIT_ERR_CBOR, 0, NULL);
}

enum lsuit_run_state lsuit_run_step(struct lsuit_run *run)
{
    enum outcome out = OUT_DONE;

    switch (run->phase) {
    case NEXT_SECTION:
        out = section_next(run);
        break;
    case RUNNING:
        out = top(run)->at == top(run)->end ? sequence_end(run) : command_step(run);
        break;
    case DONE:
        return LSUIT_RUN_DONE;
    default:
        if (run->fault.err == LSUIT_OK)
            run->fault.err = LSUIT_ERR_USAGE;
        return fail(run);
    }
    if (out == OUT_ABORT || out == OUT_CONDITION)
        return fail(run);
    if (run->phase != DONE)
        return LSUIT_RUN_AGAIN;
    run->fault = (struct lsuit_fault){ .component = -1 }; /* of alternatives that did not hold */
    return LSUIT_RUN_DONE;
}

enum lsuit_err lsuit_run_to_end(struct lsuit_run *run)
{
    enum lsuit_run_state s;

    do
        s = lsuit_run_step(run);
    while (s == LSUIT_RUN_AGAIN);
    return s == LSUIT_RUN_DONE ? LSUIT_OK : run->fault.err;
}

enum lsuit_err lsuit_run_init(struct lsuit_run *run, const struct lsuit_manifest *manifest,
                              const struct lsuit_platform *platform, void *ctx,
                              const struct lsuit_crypto *crypto, uint8_t *buf, size_t buf_len)
{
    enum lsuit_err e;

    memset(run, 0, sizeof *run);
    run->fault.component = -1;
    run->fault.err = LSUIT_ERR_USAGE; /* also of a step before start */
    if (platform->size != sizeof *platform || crypto->size != sizeof *crypto || buf == NULL ||
        buf_len < 64 || !(manifest->envelope->verified || manifest->envelope->examined))
        return LSUIT_ERR_USAGE;
    if (manifest->envelope->whole.len > UINT32_MAX)
        return run->fault.err = LSUIT_ERR_LIMIT;
    e = lsuit_manifest_check(manifest, 0, &run->fault);
    if (e != LSUIT_OK)
        return run->fault.err = e;
    for (uint32_t i = 0; i < manifest->components_n; i++) {
        e = platform->component_find != NULL
                ? platform->component_find(ctx, i, manifest->components[i])
                : LSUIT_ERR_COMPONENT;
        if (e != LSUIT_OK) {
            run->fault.component = (int32_t)i;
            return run->fault.err = e;
        }
    }
    run->manifest = manifest;
    run->platform = platform;
    run->ctx = ctx;
    run->crypto = crypto;
    run->buf = buf;
    run->buf_len = buf_len;
    return LSUIT_OK;
}

void lsuit_run_start(struct lsuit_run *run, enum lsuit_procedure procedure, bool dry)
{
    bool known = procedure >= LSUIT_PROCEDURE_UPDATE && procedure <= LSUIT_PROCEDURE_UNINSTALL;

    if (run->manifest == NULL) /* init failed: stay so */
        return;
    if (!dry && !run->manifest->envelope->verified)
        known = false; /* what nobody signed is never executed */
    lsuit_run_abort(run);
    run->procedure = (uint8_t)procedure;
    run->dry = dry;
    run->section_at = 0;
    run->section = 0;
    run->in_shared = false;
    run->op_started = false;
    run->depth = 0;
    run->list_n = 0;
    run->applied = 0;
    run->unknown = 0;
    memset(run->params, 0, sizeof run->params);
    run->dry_result = (struct lsuit_dry){ 0 };
    run->fault = (struct lsuit_fault){ .err = known ? LSUIT_OK : LSUIT_ERR_USAGE, .component = -1 };
    run->phase = known ? NEXT_SECTION : FAILED;
    if (known)
        trace_begin(run, LSUIT_TRACE_PROCEDURE, PROCEDURES[procedure].name, procedure);
}

void lsuit_run_hash_end(struct lsuit_run *run)
{
    if (run->hashing)
        run->crypto->hash_abort(run->crypto->ctx, &run->hash);
    run->hashing = false;
}

void lsuit_run_abort(struct lsuit_run *run)
{
    lsuit_run_hash_end(run);
    if (run->phase == NEXT_SECTION || run->phase == RUNNING)
        run->phase = IDLE;
}
