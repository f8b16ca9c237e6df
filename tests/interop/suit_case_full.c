/*
 * Judging a full case: verdict, trace, contents afterwards, what was invoked.
 *
 *   level             passes when
 *   must              all four are as expected; skipped when the build lacks something
 *   optional-feature  the same, or a clean unsupported error before any side effect
 *   must-reject       refused; nothing invoked; contents as before or as expected; what ran is the
 *                     beginning of the reference's trace. Refused as unsupported only where the
 *                     reason says so, else it is skipped
 *   should-reject     refused likewise, for any reason
 *   safe              refused likewise, or accepted and nothing invoked that isn't expected
 */
#include "suit_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum level { MUST, OPTIONAL, MUST_REJECT, SHOULD_REJECT, SAFE, UNKNOWN };

static enum level level_of(const char *text)
{
    static const char *const NAMES[] = { "must", "optional-feature", "must-reject", "should-reject",
                                         "safe" };
    size_t n = text != NULL ? strcspn(text, ":") : 0;

    for (int i = MUST; i < UNKNOWN; i++)
        if (strlen(NAMES[i]) == n && strncmp(NAMES[i], text, n) == 0)
            return (enum level)i;
    return UNKNOWN;
}

/* The lines of a trace one after the other; NULL at the end. */
static const char *line_next(const char *p, char *out, size_t cap)
{
    const char *end = strchr(p, '\n');

    if (end == NULL)
        return NULL;
    snprintf(out, cap, "%.*s", (int)(end - p), p);
    return end + 1;
}

/* Compare with an array of lines; `prefix`: ours may be shorter. Sets the reason. */
static bool trace_is(struct suit_case *k, const struct suit_device *d, json_t *want, bool prefix)
{
    char line[512];
    const char *p = d->trace;
    size_t i = 0;

    if (d->trace_full) {
        suit_say(k, SUIT_FAIL, "the trace is too long for this program");
        return false;
    }
    for (const char *next; (next = line_next(p, line, sizeof line)) != NULL; p = next, i++) {
        const char *w = json_string_value(json_array_get(want, i));

        if (w == NULL || strcmp(line, w) != 0) {
            suit_say(k, SUIT_FAIL, "trace line %zu is \"%s\", want \"%s\"", i + 1, line,
                     w != NULL ? w : "(nothing)");
            return false;
        }
    }
    if (prefix || i == json_array_size(want))
        return true;
    suit_say(k, SUIT_FAIL, "the trace ends before \"%s\" (%s)",
             json_string_value(json_array_get(want, i)), lsuit_err_name(k->fault.err));
    return false;
}

static bool invoked_is(struct suit_case *k, const struct suit_device *d, json_t *want)
{
    bool ok = d->invoked_n == json_array_size(want);

    for (size_t i = 0; ok && i < d->invoked_n; i++)
        ok = lsuit_bytes_compare(d->comp[d->invoked[i]].id,
                                 suit_bytes(k, json_string_value(json_array_get(want, i)))) == 0;
    return ok;
}

/* Something the build lacks, refused before anything happened: names what. */
static enum suit_verdict lacking(struct suit_case *k, const struct suit_device *d, enum lsuit_err e)
{
    if (d->touched)
        return suit_say(k, SUIT_FAIL, "%s only after a side effect", lsuit_err_name(e));
    if (suit_needs(k, e) == NULL)
        return suit_say(k, SUIT_FAIL, "%s, but of what isn't named", lsuit_err_name(e));
    return suit_say(k, SUIT_SKIP, "needs %s (%s)", suit_needs(k, e), lsuit_err_name(e));
}

/* Everything as expected. */
static enum suit_verdict judge_exact(struct suit_case *k, const struct suit_device *d,
                                     enum lsuit_err e, json_t *want)
{
    const char *result = json_string_value(json_object_get(want, "result"));
    bool ok = result != NULL && strcmp(result, "ok") == 0;

    if ((e == LSUIT_OK) != ok)
        return suit_say(k, SUIT_FAIL, "%s (%s%s%s), want %s", e == LSUIT_OK ? "ok" : "error",
                        lsuit_err_name(e), k->fault.what != NULL ? ": " : "",
                        k->fault.what != NULL ? k->fault.what : "", ok ? "ok" : "error");
    if (!trace_is(k, d, json_object_get(want, "trace"), false))
        return SUIT_FAIL;
    if (json_object_get(want, "components_after") != NULL &&
        !suit_holds(k, d, json_object_get(want, "components_after")))
        return suit_say(k, SUIT_FAIL, "other contents afterwards");
    if (json_object_get(want, "invoked") != NULL &&
        !invoked_is(k, d, json_object_get(want, "invoked")))
        return suit_say(k, SUIT_FAIL, "invoked something else");
    return SUIT_PASS;
}

static enum suit_verdict judge_refused(struct suit_case *k, const struct suit_device *d,
                                       enum lsuit_err e, json_t *want, enum level level)
{
    json_t *trace = json_object_get(want, "reference_trace");
    json_t *after = json_object_get(want, "components_after");
    const char *hint = json_string_value(json_object_get(want, "reason_hint"));

    if (!invoked_is(k, d, json_object_get(want, "invoked")))
        return suit_say(k, SUIT_FAIL, "invoked something");
    if (d->touched && after != NULL && !suit_holds(k, d, after))
        return suit_say(k, SUIT_FAIL, "other contents afterwards");
    if (d->touched && level != SAFE && trace == NULL && after == NULL)
        return suit_say(k, SUIT_FAIL, "contents changed");
    if (trace != NULL && json_array_size(trace) > 0 && !trace_is(k, d, trace, true))
        return SUIT_FAIL;
    if (level == MUST_REJECT && suit_unsupported(e) &&
        (hint == NULL || !strstr(hint, "unsupported")))
        return lacking(k, d, e);
    return SUIT_PASS;
}

static enum suit_verdict judge(struct suit_case *k, const struct suit_device *d, enum lsuit_err e)
{
    json_t *want = json_object_get(k->doc, "expect");
    enum level level = level_of(json_string_value(json_object_get(want, "level")));

    switch (level) {
    case MUST:
        return suit_unsupported(e) ? lacking(k, d, e) : judge_exact(k, d, e, want);
    case OPTIONAL:
        if (suit_unsupported(e))
            return d->touched ? suit_say(k, SUIT_FAIL, "a side effect") : SUIT_PASS;
        return judge_exact(k, d, e, want);
    case MUST_REJECT:
    case SHOULD_REJECT:
        if (e == LSUIT_OK)
            return suit_say(k, SUIT_FAIL, "accepted");
        return judge_refused(k, d, e, want, level);
    case SAFE:
        if (e != LSUIT_OK)
            return judge_refused(k, d, e, want, level);
        return invoked_is(k, d, json_object_get(want, "invoked"))
                   ? SUIT_PASS
                   : suit_say(k, SUIT_FAIL, "invoked something");
    default:
        return suit_say(k, SUIT_FAIL, "a level that is not known here");
    }
}

/* --- Disturbances. --- */

struct suit_disturbances suit_disturbances;

struct sweep {
    struct suit_case *k;
    json_t *procedures;
    const struct suit_device *calm; /* after the run that nothing disturbed */
    enum lsuit_err err;             /* of that run */
};

static bool same_contents(const struct suit_device *a, const struct suit_device *b)
{
    for (size_t i = 0; i < a->comp_n; i++) {
        const struct suit_component *x = &a->comp[i];
        const struct suit_component *y = &b->comp[i];

        if (x->present != y->present || x->len != y->len ||
            (x->len > 0 && memcmp(x->bytes, y->bytes, x->len) != 0))
            return false;
    }
    return a->comp_n == b->comp_n;
}

static bool same_invoked(const struct suit_device *a, const struct suit_device *b)
{
    return a->invoked_n == b->invoked_n &&
           memcmp(a->invoked, b->invoked, a->invoked_n * sizeof a->invoked[0]) == 0;
}

/* Every operation says AGAIN several times and moves its bytes in pieces: nothing may differ. */
static enum suit_verdict sweep_again(const struct sweep *s, uint32_t again, uint32_t piece)
{
    struct suit_device d;
    bool gave_up;
    enum lsuit_err e;
    bool ok;

    suit_device_fill(s->k, s->k->doc, &d);
    d.again = again;
    d.piece = piece;
    e = suit_execute(s->k, &d, s->procedures, 0, &gave_up);
    suit_disturbances.yields += d.yields;
    ok = e == s->err && strcmp(d.trace, s->calm->trace) == 0 && same_contents(&d, s->calm) &&
         same_invoked(&d, s->calm);
    suit_device_fini(&d);
    return ok ? SUIT_PASS : suit_say(s->k, SUIT_FAIL, "yields of %u change the outcome", again);
}

/*
 * Reset after each number of steps, then once more from the start: the end is the same. A manifest
 * that refuses the image it installed (image-not-match) may refuse then, with the same contents.
 */
static enum suit_verdict sweep_reset(const struct sweep *s)
{
    bool once = strstr(s->calm->trace, "image-not-match") != NULL;
    bool gave_up = true;

    for (uint32_t steps = 1; gave_up; steps++) {
        struct suit_device d;
        bool whole = false;
        enum lsuit_err e = LSUIT_OK;
        bool ok;

        suit_device_fill(s->k, s->k->doc, &d);
        d.again = 1;
        d.piece = 700;
        (void)suit_execute(s->k, &d, s->procedures, steps, &gave_up);
        suit_disturbances.resets += gave_up;
        suit_device_calm(&d);
        e = suit_execute(s->k, &d, s->procedures, 0, &whole);
        ok = !gave_up ||
             (same_contents(&d, s->calm) &&
              ((e == s->err && same_invoked(&d, s->calm)) || (once && e == LSUIT_ERR_CONDITION)));
        suit_device_fini(&d);
        if (!ok)
            return suit_say(s->k, SUIT_FAIL, "a reset after step %u changes the end", steps);
    }
    return SUIT_PASS;
}

/* Each operation fails once: refused, or as if nothing had happened; never anything in between. */
static enum suit_verdict sweep_fail(const struct sweep *s)
{
    bool failed = true;

    for (uint32_t at = 1; failed; at++) {
        struct suit_device d;
        bool gave_up;
        enum lsuit_err e;
        bool ok;

        suit_device_fill(s->k, s->k->doc, &d);
        d.piece = 700;
        d.fail_at = at;
        e = suit_execute(s->k, &d, s->procedures, 0, &gave_up);
        failed = d.failed_once;
        suit_disturbances.failures += failed;
        ok = e != LSUIT_OK ? d.invoked_n <= s->calm->invoked_n
                           : same_contents(&d, s->calm) && same_invoked(&d, s->calm);
        suit_device_fini(&d);
        if (!ok)
            return suit_say(s->k, SUIT_FAIL, "operation %u fails, and it goes on", at);
    }
    return SUIT_PASS;
}

static enum suit_verdict sweep(const struct sweep *s)
{
    enum suit_verdict v = sweep_again(s, 1, 0);

    if (v == SUIT_PASS)
        v = sweep_again(s, 3, 100);
    /* A swap is its own opposite: only a platform that keeps a journal may be reset in it. */
    if (v == SUIT_PASS && strstr(s->calm->trace, "swap") == NULL)
        v = sweep_reset(s);
    return v == SUIT_PASS ? sweep_fail(s) : v;
}

enum suit_verdict suit_case_exec(struct suit_case *k, json_t *object)
{
    json_t *procedures = json_object_get(object, "procedures");
    json_t *both = json_pack("[ss]", "update", "invoke");
    struct suit_device d;
    enum suit_verdict v;
    enum lsuit_err e;
    bool gave_up;

    suit_device_fill(k, object, &d);
    e = suit_execute(k, &d, procedures != NULL ? procedures : both, 0, &gave_up);
    v = suit_unsupported(e) ? lacking(k, &d, e) : judge_exact(k, &d, e, object);
    suit_device_fini(&d);
    json_decref(both);
    return v;
}

enum suit_verdict suit_case_full(struct suit_case *k, bool sweeping)
{
    json_t *about = json_object_get(k->doc, "device");
    json_t *procedures = json_object_get(k->doc, "procedures");
    const char *name = json_string_value(json_object_get(k->doc, "file"));
    struct lsuit_bytes doc = suit_file(k, name);
    uint64_t current = (uint64_t)json_integer_value(json_object_get(about, "current_sequence"));
    struct suit_device d;
    enum suit_verdict v;
    enum lsuit_err e;
    bool gave_up;

    if (doc.ptr == NULL)
        return suit_say(k, SUIT_FAIL, "no file %s", name != NULL ? name : "(file)");
    suit_device_fill(k, k->doc, &d);
    e = suit_admit(k, doc, current);
    if (e == LSUIT_OK)
        e = suit_execute(k, &d, procedures, 0, &gave_up);
    k->fault.err = e;
    v = judge(k, &d, e);
    if (sweeping && v == SUIT_PASS && d.trace_n > 0) {
        struct sweep s = { k, procedures, &d, e };

        v = sweep(&s);
    }
    suit_device_fini(&d);
    return v;
}
