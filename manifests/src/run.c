/*
 * The command processor: procedures, sections, sequences.
 *
 * One frame stands for each sequence in work. A command is done for each component of its frame's
 * list; try-each and run-sequence are done for one when the frame above has gone.
 *
 *   frame         its sequence ended       a condition failed in it
 *   SECTION       shared: the section      the run failed
 *                 itself; then the next
 *                 one, or the dependent
 *   TRY_EACH      its command is done      soft: the next alternative, then as if it failed below
 *                                          hard: as if the condition failed in the frame below
 *   RUN_SEQUENCE  likewise                 soft: as if the sequence ended
 *                                          hard: as if the condition failed in the frame below
 *
 *   (1) frame.at moves on only when its command is done for every component of the list, so a
 *       step that ends with AGAIN begins with the same command.
 *   (2) Everything was checked before; what is malformed nevertheless ends the run.
 */
#include "run.h"

#include "fault.h"
#include "sequence.h"

#include <string.h>

enum phase { IDLE, NEXT_SECTION, RUNNING, DONE, FAILED };

#define SECTIONS_MAX 5

struct procedure {
#ifndef LSUIT_NO_TEXT
    const char *name;
#endif
    uint8_t section[SECTIONS_MAX + 1]; /* 0 ends the list */
};

#ifdef LSUIT_NO_TEXT
#define NAME(name)
#define PROCEDURE_NAME(procedure) NULL
#else
#define NAME(name) name,
#define PROCEDURE_NAME(procedure) PROCEDURES[procedure].name
#endif

/* clang-format off */
static const struct procedure PROCEDURES[] = {
    [LSUIT_PROCEDURE_UPDATE] = { NAME("update") {
        LSUIT_SECTION_DEPENDENCY_RESOLUTION, LSUIT_SECTION_PAYLOAD_FETCH,
        LSUIT_SECTION_CANDIDATE_VERIFICATION, LSUIT_SECTION_INSTALL, LSUIT_SECTION_VALIDATE } },
    [LSUIT_PROCEDURE_INVOKE] = { NAME("invoke") {
        LSUIT_SECTION_VALIDATE, LSUIT_SECTION_LOAD, LSUIT_SECTION_INVOKE } },
    [LSUIT_PROCEDURE_VALIDATE] = { NAME("validate") { LSUIT_SECTION_VALIDATE } },
    [LSUIT_PROCEDURE_UNINSTALL] = { NAME("uninstall") { LSUIT_SECTION_UNINSTALL } },
};
/* clang-format on */

struct lsuit_frame *lsuit_run_top(struct lsuit_run *run)
{
    struct lsuit_level *level = lsuit_run_level(run);

    return &level->frame[level->depth - 1];
}

enum outcome lsuit_run_fail(struct lsuit_run *run, enum lsuit_err err, int32_t code)
{
    struct lsuit_level *level = lsuit_run_level(run);

    (void)lsuit_fault_fill(&run->fault, err, code);
    run->fault.section = run->section;
    if (level->depth > 0) {
        struct lsuit_frame *f = lsuit_run_top(run);

        run->fault.offset = (size_t)(f->at - level->manifest->envelope->whole.ptr);
        if (f->list_n > 0)
            run->fault.component = f->list[f->applied];
    }
    return OUT_ABORT;
}

#ifndef LSUIT_NO_TEXT

enum outcome lsuit_run_refuse(struct lsuit_run *run, enum lsuit_err err, int32_t code,
                              const char *why)
{
    (void)lsuit_run_fail(run, err, code);
    run->fault.what = lsuit_run_command_name(code);
    run->fault.why = why;
    return OUT_ABORT;
}

#endif

/* Malformed nevertheless; the cursor may say how. */
static enum outcome malformed(struct lsuit_run *run, const struct lsuit_cbor *c, int32_t code)
{
    return lsuit_run_refuse(run, c->err != LSUIT_OK ? c->err : LSUIT_ERR_CBOR, code, REASON(c));
}

/* End an open hash; harmless when there is none. */
static void hash_end(struct lsuit_run *run)
{
    if (run->hashing)
        run->crypto->hash_abort(run->crypto->ctx, &run->hash);
    run->hashing = false;
}

static enum lsuit_run_state fail(struct lsuit_run *run)
{
    lsuit_run_abort(run);
    run->phase = FAILED;
    return LSUIT_RUN_FAILED;
}

/* --- Sections. --- */

static void trace(struct lsuit_run *run, enum lsuit_trace_kind kind, const char *name, int32_t code)
{
#if LSUIT_WITH_TRACE
    struct lsuit_trace t = {
        .kind = kind, .name = name, .code = code, .ok = true, .dry = run->dry
    };

#if LSUIT_WITH_DEPENDENCIES
    t.depth = run->chain;
#endif
    if (run->platform->trace != NULL)
        run->platform->trace(run->ctx, &t);
#else
    (void)run;
    (void)kind;
    (void)name;
    (void)code;
#endif
}

/* Begin the sequence of a section, or the shared one in front of it. */
static enum outcome section_begin(struct lsuit_run *run, struct lsuit_bytes content)
{
    struct lsuit_level *level = lsuit_run_level(run);
    struct lsuit_frame *f = &level->frame[0];
    struct lsuit_cbor c;

    /* The index is not inherited. Only where there is a single component it goes without saying. */
    *f = (struct lsuit_frame){ .list_n = level->manifest->components_n == 1 };
    level->depth = 1;
    if (!lsuit_sequence_begin(f, &c, content))
        return malformed(run, &c, 0);
    run->phase = RUNNING;
    return OUT_DONE;
}

enum outcome lsuit_run_section(struct lsuit_run *run)
{
    struct lsuit_level *level = lsuit_run_level(run);
    struct lsuit_bytes content = lsuit_manifest_part(level->manifest, run->section)->bytes;

    if (content.ptr == NULL)
        return lsuit_run_refuse(run, LSUIT_ERR_SEVERED, 0, "the section is severed and absent");
    trace(run, LSUIT_TRACE_SECTION, lsuit_run_section_name(run->section), run->section);
    level->in_shared = level->manifest->shared.ptr != NULL;
    return section_begin(run, level->in_shared ? level->manifest->shared : content);
}

/* The next section of the procedure that the outermost manifest has. */
static enum outcome section_next(struct lsuit_run *run)
{
    do {
        run->section = PROCEDURES[run->procedure].section[run->section_at];
        if (run->section == 0) {
            run->phase = DONE;
            return OUT_DONE;
        }
        run->section_at++;
    } while (!lsuit_manifest_part(run->root.manifest, run->section)->present);
    return lsuit_run_section(run);
}

/* --- Sequences. --- */

enum outcome lsuit_run_command_done(struct lsuit_run *run)
{
    struct lsuit_frame *f = lsuit_run_top(run);
    struct lsuit_cbor c;
    int32_t code;

    run->op_started = false;
    if (++f->applied < f->list_n)
        return OUT_DONE;
    f->applied = 0;
    code = lsuit_sequence_command(f, &c);
    (void)lsuit_cbor_item(&c);
    return lsuit_sequence_next(f, &c) ? OUT_DONE : malformed(run, &c, code);
}

/* A nested sequence begins anew with the component that the command below is in work for. */
static void list_reset(struct lsuit_frame *f)
{
    const struct lsuit_frame *below = f - 1;

    f->list[0] = below->list[below->applied];
    f->list_n = 1;
    f->all = false;
    f->applied = 0;
}

/* try-each, run-sequence: `c` stands at the argument. */
static enum outcome sequence_push(struct lsuit_run *run, int32_t code, struct lsuit_cbor *c)
{
    struct lsuit_level *level = lsuit_run_level(run);
    struct lsuit_frame *f = &level->frame[level->depth];

    if (level->depth == LSUIT_MAX_DEPTH)
        return lsuit_run_refuse(run, LSUIT_ERR_LIMIT, code, "nested too deep");
    level->depth++;
    *f = (struct lsuit_frame){ 0 };
    list_reset(f);
    return lsuit_sequence_enter(f, c, code) ? OUT_DONE : malformed(run, c, code);
}

/* A sequence came to its end. */
static enum outcome sequence_end(struct lsuit_run *run)
{
    struct lsuit_level *level = lsuit_run_level(run);

    if (lsuit_run_top(run)->kind != FRAME_SECTION) {
        level->depth--;
        return lsuit_run_command_done(run);
    }
    if (level->in_shared) {
        level->in_shared = false;
        return section_begin(run, lsuit_manifest_part(level->manifest, run->section)->bytes);
    }
    level->depth = 0;
#if LSUIT_WITH_DEPENDENCIES
    if (run->chain > 0)
        return lsuit_run_dependency_end(run);
#endif
    run->phase = NEXT_SECTION;
    return OUT_DONE;
}

/* A condition failed: find the sequence that bears it. The cursor is free to be used. */
static enum outcome condition_failed(struct lsuit_run *run, struct lsuit_cbor *c)
{
    struct lsuit_level *level = lsuit_run_level(run);

    for (;;) {
        struct lsuit_frame *f = lsuit_run_top(run);

        if (f->kind == FRAME_SECTION)
            return OUT_ABORT; /* run->fault is the condition's */
        if (f->soft && f->kind == FRAME_RUN_SEQUENCE)
            return sequence_end(run);
        if (f->soft && f->alternatives > 0) {
            list_reset(f);
            return lsuit_sequence_alternative(f, c) ? OUT_DONE
                                                    : malformed(run, c, LSUIT_DIR_TRY_EACH);
        }
        level->depth--;
    }
}

/* --- The machine. --- */

/* A condition or directive on the component at hand, or a piece of it. */
static enum outcome policy_command(struct lsuit_run *run, const struct lsuit_command_row *row,
                                   struct lsuit_cbor *c)
{
    enum outcome out = lsuit_run_command(run, row);

    if (out == OUT_AGAIN || out == OUT_ENTERED)
        return OUT_DONE;
    hash_end(run);
    run->op_started = false;
    if (out == OUT_CONDITION)
        return condition_failed(run, c);
    return out == OUT_DONE ? lsuit_run_command_done(run) : out;
}

/* One command, or a piece of it. */
static enum outcome command_step(struct lsuit_run *run)
{
    struct lsuit_frame *f = lsuit_run_top(run);
    struct lsuit_cbor c;
    int32_t code = lsuit_sequence_command(f, &c);
    const struct lsuit_command_row *row = lsuit_command_find(code);
    enum outcome out = OUT_DONE;

    if (c.err != LSUIT_OK || row == NULL)
        return malformed(run, &c, code);
    switch (row->kind & COMMAND_ARG) {
    case ARG_INDEX:
        (void)lsuit_sequence_index(f, &c, lsuit_run_level(run)->manifest->components_n);
        break;
#if LSUIT_WITH_UPDATE_MANAGEMENT
    case ARG_MULTIPLE: /* sets the index itself */
        out = lsuit_run_parameters(run, row, &c);
        break;
#endif
    default:
        if (f->list_n == 0)
            return lsuit_run_refuse(run, LSUIT_ERR_COMPONENT, code, "no component index set");
        if (row->run != NULL)
            return policy_command(run, row, &c);
        if ((row->kind & COMMAND_ARG) == ARG_SEQUENCES)
            return sequence_push(run, code, &c);
        out = lsuit_run_parameters(run, row, &c);
    }
    if (out == OUT_DONE && !lsuit_sequence_next(f, &c))
        out = malformed(run, &c, code);
    return out;
}

enum lsuit_run_state lsuit_run_step(struct lsuit_run *run)
{
    enum outcome out = OUT_DONE;

    switch (run->phase) {
    case NEXT_SECTION:
        out = section_next(run);
        break;
    case RUNNING:
        out = lsuit_run_top(run)->left == 0 ? sequence_end(run) : command_step(run);
        break;
    case DONE:
        return LSUIT_RUN_DONE;
    default:
        if (run->fault.err == LSUIT_OK)
            run->fault.err = LSUIT_ERR_USAGE;
        return fail(run);
    }
    if (out != OUT_DONE)
        return fail(run);
    if (run->phase != DONE)
        return LSUIT_RUN_AGAIN;
    (void)lsuit_fault_fill(&run->fault, LSUIT_OK, 0); /* of alternatives that did not hold */
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

/* --- Beginning and end. --- */

/* Ask the platform for each component of the outermost manifest. */
static enum lsuit_err components_find(struct lsuit_run *run, const struct lsuit_manifest *manifest)
{
    enum lsuit_err e = LSUIT_OK;

    for (uint32_t i = 0; e == LSUIT_OK && i < manifest->components_n; i++) {
        e = LSUIT_ERR_COMPONENT;
        /* One without an identifier is a dependency that suit-components leaves out. */
        if (manifest->components[i].ptr != NULL && run->platform->component_find != NULL)
            e = run->platform->component_find(run->ctx, i, manifest->components[i]);
        run->fault.component = (int32_t)i;
#if LSUIT_WITH_DEPENDENCIES
        run->root.map[i] = (uint8_t)i;
#endif
    }
    return e;
}

enum lsuit_err lsuit_run_init(struct lsuit_run *run, const struct lsuit_manifest *manifest,
                              const struct lsuit_platform *platform, void *ctx,
                              const struct lsuit_crypto *crypto, uint8_t *buf, size_t buf_len)
{
    enum lsuit_err e;

    memset(run, 0, sizeof *run);
    (void)lsuit_fault_fill(&run->fault, LSUIT_ERR_USAGE, 0); /* also of a step before start */
    if (platform->size != sizeof *platform || crypto->size != sizeof *crypto || buf == NULL ||
        buf_len < 64 || !(manifest->envelope->verified || manifest->envelope->examined))
        return LSUIT_ERR_USAGE;
    run->platform = platform;
    run->ctx = ctx;
    run->crypto = crypto;
    run->buf = buf;
    run->buf_len = buf_len;
#if LSUIT_WITH_DEPENDENCIES
    run->level = &run->root;
    run->root.components_n = (uint8_t)manifest->components_n;
#endif
    e = lsuit_manifest_check(manifest, 0, &run->fault);
    if (e == LSUIT_OK)
        e = components_find(run, manifest);
    if (e == LSUIT_OK)
        run->root.manifest = manifest;
    return run->fault.err = e;
}

/* What stands against this procedure from the start. */
static enum lsuit_err start_err(const struct lsuit_run *run, enum lsuit_procedure procedure)
{
    if (procedure < LSUIT_PROCEDURE_UPDATE || procedure > LSUIT_PROCEDURE_UNINSTALL)
        return LSUIT_ERR_USAGE;
    if (!run->dry && !run->root.manifest->envelope->verified)
        return LSUIT_ERR_USAGE; /* what nobody signed is never executed */
#if LSUIT_WITH_DEPENDENCIES
    if (run->root.manifest->dependencies != 0 && run->dependencies_n == 0)
        return LSUIT_ERR_COMMAND; /* no memory was handed over: not on this device */
#endif
    return LSUIT_OK;
}

void lsuit_run_start(struct lsuit_run *run, enum lsuit_procedure procedure, bool dry)
{
    enum lsuit_err e;

    if (run->root.manifest == NULL) /* init failed: stay so */
        return;
    lsuit_run_abort(run);
    run->dry = dry;
    e = start_err(run, procedure);
    run->procedure = (uint8_t)procedure;
    run->section_at = 0;
    run->section = 0;
    run->op_started = false;
    run->root.depth = 0;
    run->unknown = 0;
    run->matched = 0;
#if LSUIT_WITH_DEPENDENCIES
    run->level = &run->root;
    run->chain = 0;
    run->root.intact = 0;
    for (uint32_t i = 0; i < run->dependencies_n; i++)
        run->dependency[i].held = false;
#endif
    memset(run->params, 0, sizeof run->params);
    run->dry_result = (struct lsuit_dry){ 0 };
    (void)lsuit_fault_set(
        &run->fault, e, e == LSUIT_ERR_COMMAND ? "suit-dependencies" : NULL,
        e == LSUIT_ERR_COMMAND ? "this device has no memory for dependencies" : NULL, 0);
    run->phase = e == LSUIT_OK ? NEXT_SECTION : FAILED;
    if (e == LSUIT_OK)
        trace(run, LSUIT_TRACE_PROCEDURE, PROCEDURE_NAME(procedure), (int32_t)procedure);
}

void lsuit_run_abort(struct lsuit_run *run)
{
    hash_end(run);
    if (run->phase == NEXT_SECTION || run->phase == RUNNING)
        run->phase = IDLE;
}
