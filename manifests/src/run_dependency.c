/*
 * The command processor: dependencies.
 * draft-ietf-suit-trust-domains-12, sections 5.4 and 5.6.
 *
 * A dependency is read back from its component into memory, where it is authenticated, checked, held
 * against the digest that its dependent gives, and run. What is known of it:
 *
 *   intact  in the level of the dependent: dependency-integrity held, in this context only
 *   held    in the memory: that manifest stands there and may be run
 *
 *   (1) A write into its component ends both, at every level; so does the begin of a procedure.
 *   (2) Memory that gets another manifest takes along what stood in it: parameters, numbers of
 *       components, and what was held below.
 *   (3) A manifest in work is neither written nor entered again: no cycles.
 */
#include "run.h"

#include "digest.h"
#include "fault.h"

#include <string.h>

#if LSUIT_WITH_DEPENDENCIES

bool lsuit_run_is_dependency(const struct call *k)
{
    return (k->run->level->manifest->dependencies >> k->index & 1) != 0;
}

static struct lsuit_level *level_at(struct lsuit_run *run, uint32_t depth)
{
    return depth == 0 ? &run->root : &run->dependency[depth - 1].level;
}

/* Is it the component of a manifest in work? The outermost one stands in none. */
bool lsuit_run_in_work(const struct lsuit_run *run, uint32_t comp)
{
    for (uint32_t i = 0; i < run->chain; i++) {
        if (run->dependency[i].level.comp == comp)
            return true;
    }
    return false;
}

void lsuit_run_dependency_changed(struct lsuit_run *run, uint32_t comp)
{
    for (uint32_t i = 0; i <= run->chain; i++)
        level_at(run, i)->intact &= ~((uint32_t)1 << comp);
    for (uint32_t i = run->chain; i < run->dependencies_n; i++) {
        if (run->dependency[i].level.comp == comp)
            run->dependency[i].held = false;
    }
}

bool lsuit_run_is_envelope(struct lsuit_run *run, struct lsuit_bytes doc)
{
    struct lsuit_envelope envelope;

    return lsuit_envelope_read(doc, &envelope, &run->fault) == LSUIT_OK;
}

/* --- Memory. --- */

/* The parameters whose values stand in this memory are set no longer. */
static void params_forget(struct lsuit_run *run, const struct lsuit_dependency *d)
{
    for (uint32_t i = 0; i < LSUIT_MAX_COMPONENTS; i++) {
        for (uint32_t param = 0; param < LSUIT_RUN_PARAMS; param++) {
            const uint8_t **at = &run->params[i].at[param];

            if (*at != NULL && lsuit_run_home(run, *at) == &d->level)
                *at = NULL;
        }
    }
}

/* The memory below the manifest in work, emptied together with all that is below it. */
static void memory_empty(struct lsuit_run *run)
{
    uint32_t named = ((uint32_t)1 << run->level->components_n) - 1;

    run->matched &= named;
    run->unknown &= named;
    for (uint32_t i = run->chain; i < run->dependencies_n; i++) {
        run->dependency[i].held = false;
        params_forget(run, &run->dependency[i]);
    }
    for (uint32_t n = run->level->components_n; n < LSUIT_MAX_COMPONENTS; n++)
        run->params[n] = (struct lsuit_params){ { NULL } };
}

/* Read the component back, a piece a call. OUT_DONE when it is there, OUT_CONDITION when not. */
static enum outcome envelope_load(struct call *k, struct lsuit_dependency *d)
{
    struct lsuit_run *run = k->run;
    struct lsuit_bytes piece;
    enum outcome out;

    if (!run->op_started) {
        if (run->platform->component_read == NULL)
            return lsuit_run_lacking(k);
        if (!lsuit_run_size(k, k->comp, &run->total))
            return OUT_CONDITION;
        if (run->total > d->buf_len)
            return lsuit_run_refuse(run, LSUIT_ERR_LIMIT, k->code,
                                    "the dependency is larger than its memory");
        memory_empty(run);
        run->offset = 0;
        run->op_started = true;
    }
    out = lsuit_run_read(k, d->buf + run->offset, run->buf_len, &piece);
    if (out != OUT_DONE || piece.ptr == NULL)
        return out;
    run->offset += piece.len;
    return OUT_AGAIN;
}

/* --- Authentication. --- */

/* Is the digest that the dependent gives that of the manifest? */
static bool digest_is(struct call *k, const struct lsuit_envelope *envelope)
{
    struct lsuit_digest want = lsuit_run_digest(k);

    return want.alg != 0 && want.alg == envelope->digest.alg &&
           lsuit_bytes_equal_ct(want.bytes, envelope->digest.bytes);
}

static bool id_number(struct lsuit_run *run, struct lsuit_bytes id, uint8_t *number_out)
{
    for (uint32_t depth = 0; depth <= run->chain; depth++) {
        const struct lsuit_level *level = level_at(run, depth);

        for (uint32_t i = 0; i < level->manifest->components_n; i++) {
            if (lsuit_bytes_compare(level->manifest->components[i], id) == 0) {
                *number_out = level->map[i];
                return true;
            }
        }
    }
    return false;
}

/* Number the components: those that manifests above name as there, the others anew. */
static enum lsuit_err components_number(struct lsuit_run *run, struct lsuit_dependency *d)
{
    struct lsuit_level *level = &d->level;
    enum lsuit_err e = LSUIT_OK;

    level->components_n = run->level->components_n;
    for (uint32_t i = 0; e == LSUIT_OK && i < d->manifest.components_n; i++) {
        struct lsuit_bytes id = d->manifest.components[i];

        if (id.ptr == NULL)
            return LSUIT_ERR_COMPONENT;
        if (id_number(run, id, &level->map[i]))
            continue;
        if (level->components_n == LSUIT_MAX_COMPONENTS)
            return LSUIT_ERR_LIMIT;
        level->map[i] = level->components_n++;
        e = run->platform->component_find(run->ctx, level->map[i], id);
    }
    return e;
}

/* Who signed it, what is in it, and may it do that? The fault says what not. */
static enum lsuit_err authenticate(struct call *k, struct lsuit_dependency *d)
{
    struct lsuit_run *run = k->run;
    const struct lsuit_platform *p = run->platform;
    const struct lsuit_trust_keys *keys = p->dependency_keys(run->ctx, k->comp);
    struct lsuit_auth auth;
    enum lsuit_err e;

    e = lsuit_envelope_verify(&d->envelope, run->crypto, keys, &auth, &run->fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(&d->envelope, run->crypto, &d->manifest, &run->fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_check(&d->manifest, 0, &run->fault);
    if (e != LSUIT_OK)
        return e;
    e = p->dependency_accept(run->ctx, k->comp, &d->manifest, &auth);
    if (e == LSUIT_OK)
        e = components_number(run, d);
    return lsuit_fault_set(&run->fault, e, "suit-dependencies", "the dependency is not acceptable",
                           0);
}

/*
 * Have the dependency in memory. OUT_DONE, or what else a call may answer; a fault stays as the
 * reader, the check or the platform left it.
 */
static enum outcome dependency_hold(struct call *k, struct lsuit_dependency *d)
{
    struct lsuit_run *run = k->run;
    enum lsuit_err e;

    if (!d->held || d->level.comp != k->comp) {
        enum outcome out = envelope_load(k, d);

        if (out != OUT_DONE)
            return out == OUT_CONDITION ? lsuit_run_answer(k, LSUIT_OP_FAIL) : out;
        e = lsuit_envelope_read((struct lsuit_bytes){ d->buf, (size_t)run->total }, &d->envelope,
                                &run->fault);
        d->level = (struct lsuit_level){ .manifest = &d->manifest, .comp = (uint8_t)k->comp };
        if (e == LSUIT_OK)
            e = authenticate(k, d);
        if (e != LSUIT_OK)
            return OUT_ABORT;
        d->held = true;
    }
    if (digest_is(k, &d->envelope))
        return OUT_DONE;
    return lsuit_run_refuse(run, LSUIT_ERR_UNAUTHORISED, k->code,
                            "another manifest than its dependent names");
}

/* Memory for a dependency of the manifest in work; OUT_ABORT when there is none. */
static enum outcome memory_find(struct call *k, struct lsuit_dependency **d_out)
{
    struct lsuit_run *run = k->run;

    if (run->platform->dependency_keys == NULL || run->platform->dependency_accept == NULL)
        return lsuit_run_lacking(k);
    if (run->chain == run->dependencies_n)
        return lsuit_run_refuse(run, LSUIT_ERR_LIMIT, k->code, "too many manifests in a chain");
    if (lsuit_run_in_work(run, k->comp))
        return lsuit_run_refuse(run, LSUIT_ERR_OPERATION, k->code, "a cycle of dependencies");
    *d_out = &run->dependency[run->chain];
    return OUT_DONE;
}

/* --- Conditions and directives. --- */

enum outcome lsuit_do_is_dependency(struct call *k)
{
    return lsuit_run_condition(k, lsuit_run_is_dependency(k));
}

/* Everything that fails here aborts (section 5.6.4). */
enum outcome lsuit_do_dependency_integrity(struct call *k)
{
    struct lsuit_dependency *d = NULL;
    enum outcome out;

    if (!lsuit_run_is_dependency(k))
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "not a dependency");
    out = memory_find(k, &d);
    if (out == OUT_DONE && !lsuit_run_unknown(k, k->comp))
        out = dependency_hold(k, d);
    if (out == OUT_DONE)
        k->run->level->intact |= (uint32_t)1 << k->comp;
    return out;
}

/* image-match and image-not-match go by the manifest alone, whoever signed it (section 5.2.2). */
enum outcome lsuit_do_manifest_match(struct call *k)
{
    struct lsuit_run *run = k->run;
    struct lsuit_dependency *d = NULL;
    enum outcome out = memory_find(k, &d);
    bool there;

    if (out != OUT_DONE || lsuit_run_unknown(k, k->comp))
        return out;
    there = d->held && d->level.comp == k->comp;
    if (!there) {
        out = envelope_load(k, d);
        if (out == OUT_CONDITION && run->op_started) /* there, but it can't be read */
            return lsuit_run_condition(k, false);
        if (out != OUT_DONE && out != OUT_CONDITION)
            return out;
        there = out == OUT_DONE &&
                lsuit_envelope_read((struct lsuit_bytes){ d->buf, (size_t)run->total },
                                    &d->envelope, NULL) == LSUIT_OK &&
                lsuit_envelope_trust_nobody(&d->envelope, run->crypto, NULL) == LSUIT_OK;
    }
    return lsuit_run_condition(k, (there && digest_is(k, &d->envelope)) ==
                                      (k->code == LSUIT_COND_IMAGE_MATCH));
}

/* Tell of the begin or the end of a dependency's sequences. */
static void trace(struct lsuit_run *run, enum lsuit_trace_kind kind)
{
#if LSUIT_WITH_TRACE
    const struct lsuit_frame *f = lsuit_run_top(run);
    struct lsuit_trace t = { .kind = kind, .ok = true, .dry = run->dry, .depth = run->chain };

    t.name = lsuit_run_command_name(LSUIT_DIR_PROCESS_DEPENDENCY);
    t.code = LSUIT_DIR_PROCESS_DEPENDENCY;
    t.component = f->list[f->applied];
    if (run->platform->trace != NULL)
        run->platform->trace(run->ctx, &t);
#else
    (void)run;
    (void)kind;
#endif
}

enum outcome lsuit_do_process_dependency(struct call *k)
{
    struct lsuit_run *run = k->run;
    struct lsuit_dependency *d = NULL;
    enum outcome out;

    if (!lsuit_run_is_dependency(k)) {
        /* Index true means all dependencies here (section 5.6.2). */
        if (lsuit_run_top(run)->all)
            return lsuit_run_command_done(run) == OUT_DONE ? OUT_ENTERED : OUT_ABORT;
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "not a dependency");
    }
    out = memory_find(k, &d);
    if (out != OUT_DONE)
        return out;
    if ((run->level->intact >> k->comp & 1) == 0)
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "no dependency-integrity check before");
    if (lsuit_run_unknown(k, k->comp)) {
        run->dry_result.size_unknown = true; /* what it fetches isn't known yet */
        return OUT_DONE;
    }
    out = dependency_hold(k, d);
    if (out != OUT_DONE)
        return out;
    trace(run, LSUIT_TRACE_BEGIN);
    run->op_started = false;
    run->chain++;
    run->level = &d->level;
    d->level.intact = 0; /* of another context */
    if (!lsuit_manifest_part(&d->manifest, run->section)->present)
        out = lsuit_run_dependency_end(run);
    else
        out = lsuit_run_section(run);
    return out == OUT_DONE ? OUT_ENTERED : out;
}

enum outcome lsuit_run_dependency_end(struct lsuit_run *run)
{
    run->chain--;
    run->level = level_at(run, run->chain);
    trace(run, LSUIT_TRACE_END);
    return lsuit_run_command_done(run);
}

enum outcome lsuit_do_unlink(struct call *k)
{
    struct lsuit_run *run = k->run;

    enum outcome out = OUT_DONE;

    if (run->platform->unlink == NULL)
        return lsuit_run_lacking(k);
    if (!run->op_started)
        out = lsuit_run_change(k, k->comp);
    if (out != OUT_DONE || run->dry)
        return out;
    return lsuit_run_answer(k, run->platform->unlink(run->ctx, k->comp, !run->op_started));
}

void lsuit_run_dependencies(struct lsuit_run *run, struct lsuit_dependency *dependency, size_t n)
{
    run->dependency = dependency;
    run->dependencies_n = (uint8_t)(n < LSUIT_MAX_MANIFESTS ? n : LSUIT_MAX_MANIFESTS - 1);
}

#endif
