#include "engine/evidence.h"

#include "decide/preset.h"
#include "engine/rollout.h"
#include "store/device.h"
#include "store/product.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *gate_kind_name(int kind)
{
    static const char *const NAME[] = { "wait", "advance", "hold", "halt" };

    return kind >= 0 && kind < 4 ? NAME[kind] : "unknown";
}

const char *gate_reason_text(int reason)
{
    static const char *const TEXT[] = {
        [GATE_SOAKS] = "the wave soaks",
        [GATE_UNHEARD] = "too little is known yet",
        [GATE_PROVEN] = "harm is excluded",
        [GATE_NO_OBJECTION] = "too few devices to exclude harm, and nothing speaks against it",
        [GATE_ALL_WELL] = "every device is confirmed",
        [GATE_REVERTED] = "a device went back to the old image",
        [GATE_MISSING] = "devices are not confirmed after the longest wait",
        [GATE_UNDECIDED] = "neither harm nor harmlessness was shown in the longest wait",
        [GATE_HARMFUL] = "the release is harmful",
    };

    return reason >= 0 && reason <= GATE_HARMFUL ? TEXT[reason] : "unknown";
}

const char *evidence_cause_text(enum evidence_cause cause)
{
    static const char *const TEXT[] = {
        [EVIDENCE_BY_EXCESS] = "more bad outcomes than in the hold-out",
        [EVIDENCE_BY_FAILURES] = "more explicit failures than are tolerated",
        [EVIDENCE_BY_LIMIT] = "more bad outcomes than the absolute limit",
    };

    return TEXT[cause];
}

bool evidence_wanted(const struct rollout *r)
{
    for (unsigned i = 0; i < r->waves_n; i++)
        if (r->waves[i].gate == WAVE_EVIDENCE)
            return true;
    return false;
}

enum err evidence_begin(struct db *db, const struct rollout *r, int64_t now_ms)
{
    struct watch w = { .rollout = r->id, .began_ms = now_ms };
    struct product p;
    enum err e = product_by_id(db, r->product, &p);

    if (e != ERR_OK)
        return e;
    w.poll_ms = (int64_t)p.poll_s * 1000;
    w.cell_ms = preset_cell_ms(w.poll_ms);
    return watch_put(db, &w);
}

enum err evidence_due(struct db *db, int32_t rollout, int64_t *due_ms_out)
{
    struct watch w;
    enum err e = watch_get(db, rollout, &w);

    *due_ms_out = INT64_MAX;
    if (e == ERR_OK)
        *due_ms_out = w.began_ms + (w.cells + 1) * w.cell_ms;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* --- Counting one cell --- */

struct counting {
    struct db *db;
    struct evidence_row rows[EVIDENCE_STRATA];
    int32_t rollout;
    enum err err;
};

static struct evidence_row *row_of(struct counting *c, const char *revision)
{
    int n = 0;

    c->err = stratum_number(c->db, c->rollout, revision, EVIDENCE_STRATA, &n);
    return c->err == ERR_OK ? &c->rows[n] : NULL;
}

static bool count_started(void *ctx, const struct tally *t)
{
    struct evidence_row *r = row_of(ctx, t->revision);

    if (r == NULL)
        return false;
    r->started += t->n;
    return true;
}

static bool count_bad(void *ctx, const struct tally *t)
{
    struct evidence_row *r = row_of(ctx, t->revision);

    if (r == NULL)
        return false;
    if (t->bad == WORK_REVERTED)
        r->reverted += t->n;
    else
        r->failed += t->n;
    return true;
}

static bool count_judged(void *ctx, const struct tally *t)
{
    struct evidence_row *r = row_of(ctx, t->revision);

    if (r == NULL)
        return false;
    if (t->bad == WORK_REVERTED)
        r->reverted += t->n;
    else if (t->bad == WORK_BROKE)
        r->failed += t->n;
    else if (!t->heard)
        r->silent += t->n;
    else if (t->state == WORK_INSTALLED)
        r->confirmed += t->n;
    else
        r->postponed += t->n;
    return true;
}

static bool count_control(void *ctx, const struct tally *t)
{
    struct evidence_row *r = row_of(ctx, t->revision);

    if (r == NULL)
        return false;
    r->control += t->n;
    r->control_silent += t->heard ? 0 : t->n;
    return true;
}

static bool is_empty(const struct evidence_row *r)
{
    return r->started + r->confirmed + r->failed + r->reverted + r->silent + r->postponed +
               r->control ==
           0;
}

static enum err keep(struct counting *c, int64_t now_ms, int64_t cell, int horizon)
{
    enum err e = c->err;

    for (int i = 0; e == ERR_OK && i < EVIDENCE_STRATA; i++) {
        struct evidence_row *r = &c->rows[i];

        if (is_empty(r))
            continue;
        r->rollout = c->rollout;
        r->at_ms = now_ms;
        r->cell = cell;
        r->horizon = horizon;
        r->stratum = i;
        e = evidence_row_add(c->db, r);
    }
    return e;
}

static enum err see_started(struct db *db, const struct watch *w, int64_t now_ms)
{
    struct counting c = { .db = db, .rollout = w->rollout };
    int64_t from = w->began_ms + w->cells * w->cell_ms, to = from + w->cell_ms;
    enum err e = tally_started(db, w->rollout, from, to, count_started, &c);

    if (e == ERR_OK && c.err == ERR_OK)
        e = tally_bad(db, w->rollout, from, to, count_bad, &c);
    if (e == ERR_OK)
        e = keep(&c, now_ms, w->cells, EVIDENCE_STARTED);
    return e == ERR_OK ? control_take(db, w->rollout, w->cells, from, to) : e;
}

static enum err see_judged(struct db *db, const struct watch *w, int64_t now_ms, int64_t cell,
                           int horizon)
{
    struct counting c = { .db = db, .rollout = w->rollout };
    int64_t from = w->began_ms + cell * w->cell_ms, to = from + w->cell_ms;
    enum err e = tally_judged(db, w->rollout, from, to, w->poll_ms / 2, count_judged, &c);

    if (e == ERR_OK && c.err == ERR_OK)
        e = tally_control(db, w->rollout, cell, w->poll_ms / 2, count_control, &c);
    return e == ERR_OK ? keep(&c, now_ms, cell, horizon) : e;
}

/* Judge every cell of which the deadline is over at `to`. */
static enum err judge_cells(struct db *db, struct watch *w, int64_t now_ms, int64_t to)
{
    int64_t next = preset_next_ms(w->poll_ms) + w->delay_ms;
    int64_t late = preset_late_ms(w->poll_ms) + w->delay_ms;
    enum err e = ERR_OK;

    while (e == ERR_OK && w->began_ms + (w->next + 1) * w->cell_ms + next <= to)
        e = see_judged(db, w, now_ms, w->next++, EVIDENCE_NEXT);
    while (e == ERR_OK && w->began_ms + (w->late + 1) * w->cell_ms + late <= to) {
        e = see_judged(db, w, now_ms, w->late, EVIDENCE_LATE);
        if (e == ERR_OK)
            e = control_drop(db, w->rollout, w->late++);
    }
    return e;
}

/* Later than this many cells after one ended, the server was away. */
enum { AWAY_CELLS = 2, AWAY_LEAST_MS = 60000 };

static enum err see_cells(struct db *db, struct watch *w, int64_t now_ms)
{
    int64_t behind = now_ms - (w->began_ms + (w->cells + 1) * w->cell_ms);
    enum err e = ERR_OK;

    if (behind > AWAY_CELLS * w->cell_ms && behind > AWAY_LEAST_MS)
        w->delay_ms += behind;
    while (e == ERR_OK && w->began_ms + (w->cells + 1) * w->cell_ms <= now_ms) {
        e = see_started(db, w, now_ms);
        w->cells++;
        if (e == ERR_OK)
            e = judge_cells(db, w, now_ms, w->began_ms + w->cells * w->cell_ms);
    }
    return e == ERR_OK ? watch_put(db, w) : e;
}

/* --- Deciding --- */

struct adding {
    struct evidence ev;
    struct evidence_rules rules;
};

static bool add_row(void *ctx, const struct evidence_row *r)
{
    struct adding *a = ctx;
    struct evidence_cell c = { .horizon = (enum evidence_horizon)r->horizon,
                               .stratum = (unsigned)r->stratum,
                               .started = r->started,
                               .confirmed = r->confirmed,
                               .failed = r->failed,
                               .reverted = r->reverted,
                               .silent = r->silent,
                               .postponed = r->postponed,
                               .control = r->control,
                               .control_silent = r->control_silent };

    evidence_add(&a->ev, &a->rules, &c);
    return true;
}

static struct evidence_rules rules_of(const struct decision *d)
{
    return (struct evidence_rules){ .tolerate = d->tolerate,
                                    .doubt = d->doubt,
                                    .limit = d->most,
                                    .halt_at = d->halt_at,
                                    .advance_at = d->advance_at };
}

static enum err decide(struct db *db, const struct decision *d, struct evidence *ev_out,
                       struct evidence_verdict *seen_out)
{
    struct adding a = { .rules = rules_of(d) };
    enum err e = evidence_rows(db, d->rollout, d->rows, add_row, &a);

    if (e != ERR_OK)
        return e;
    *seen_out = evidence_decide(&a.ev, &a.rules);
    *ev_out = a.ev;
    return ERR_OK;
}

static struct gate gate_of(const struct decision *d)
{
    return (struct gate){ .fleet = d->fleet,
                          .members = d->members,
                          .confirmed = d->confirmed,
                          .heard = d->heard,
                          .soaked = d->soaked,
                          .settled = d->settled,
                          .exhausted = d->exhausted };
}

enum err evidence_replay(struct db *db, const struct decision *d, struct replay *out)
{
    struct evidence_rules rules = rules_of(d);
    struct gate g = gate_of(d);
    struct evidence ev;
    enum err e = decide(db, d, &ev, &out->seen);

    if (e != ERR_OK)
        return e;
    out->gate = gate_decide(&out->seen, &g);
    out->suspects_n = evidence_suspects(&ev, &rules, out->suspects);
    return ERR_OK;
}

/* Of each stratum half of what should be in the first wave was judged: some may be away. */
static bool strata_heard(const struct evidence *ev)
{
    for (int i = 0; i < EVIDENCE_STRATA; i++) {
        int64_t started = ev->strata[i].started;
        int64_t most = started < PRESET_STRATUM ? started : PRESET_STRATUM;

        if (ev->strata[i].next.judged < most / 2)
            return false;
    }
    return true;
}

static enum err confirmed_of(struct db *db, const struct rollout *r, int64_t *n_out)
{
    enum err e = ERR_OK;

    *n_out = 0;
    for (unsigned i = 0; e == ERR_OK && i < r->waves_n; i++) {
        int64_t n[WORK_STATES];

        e = work_count(db, r->id, (int)i, n);
        if (e == ERR_OK)
            *n_out += n[WORK_INSTALLED];
    }
    return e;
}

/* Everything about the wave that is open, but what the rows say. */
static enum err set_scene(struct db *db, const struct rollout *r, const struct watch *w,
                          int64_t now_ms, struct decision *d)
{
    const struct wave *open;
    int64_t since;
    enum err e = device_count(db, r->product, &d->fleet);

    while (d->wave + 1 < (int)r->waves_n && r->waves[d->wave + 1].opened_ms != 0)
        d->wave++;
    open = &r->waves[d->wave];
    since = now_ms - open->opened_ms - w->delay_ms;
    d->members = open->members;
    d->soaked = now_ms - open->opened_ms >= open->soak_ms;
    d->settled = since >= w->poll_ms + preset_next_ms(w->poll_ms);
    d->exhausted = since >= open->soak_ms + (int64_t)PRESET_LONGEST * w->poll_ms;
    if (e == ERR_OK)
        e = confirmed_of(db, r, &d->confirmed);
    return e == ERR_OK ? evidence_rows_count(db, r->id, &d->rows) : e;
}

/* --- Doing it --- */

static bool keep_last(void *ctx, const struct decision *d)
{
    *(struct decision *)ctx = *d;
    return false;
}

/* A person has seen the same before and said to go on. */
static bool said_before(const struct decision *last, const struct decision *d)
{
    return last->kind == GATE_HOLD && last->reason == d->reason && last->wave == d->wave;
}

static enum err act(struct engine *en, struct db *db, int64_t now_ms, struct rollout *r,
                    struct release *release, const struct decision *d,
                    const struct evidence_verdict *seen, const struct decision *last)
{
    struct wave *open = &r->waves[d->wave];
    char text[200], revision[REVISION] = "";
    enum err e = seen->stratum < 0 ? ERR_OK : stratum_name(db, r->id, seen->stratum, revision);

    if (e != ERR_OK || (release->state != RELEASE_OPEN && release->state != RELEASE_HELD))
        return e;
    if (d->kind != GATE_HALT && release->state == RELEASE_HELD)
        return ERR_OK;
    snprintf(text, sizeof text, "decision %lld: %s", (long long)d->n, gate_reason_text(d->reason));
    switch (d->kind) {
    case GATE_HALT:
        snprintf(text, sizeof text, "decision %lld: %s%s%s", (long long)d->n,
                 evidence_cause_text(seen->cause), seen->stratum < 0 ? "" : ", revision ",
                 revision);
        return release_change(en, db, NULL, now_ms, release, RELEASE_HALTED, "evidence.halt", text);
    case GATE_HOLD:
        if (open->gate != WAVE_EVIDENCE || open->approved_ms != 0 || said_before(last, d))
            return ERR_OK;
        return release_change(en, db, NULL, now_ms, release, RELEASE_HELD, "evidence.hold", text);
    case GATE_ADVANCE:
        if (open->gate != WAVE_EVIDENCE || open->approved_ms != 0)
            return ERR_OK;
        open->approved_ms = now_ms;
        e = wave_set(db, r->id, (unsigned)d->wave, open);
        if (e == ERR_OK) {
            char target[40];

            snprintf(target, sizeof target, "rollout/%d", r->id);
            e = engine_audit(db, NULL, now_ms, "evidence.advance", target, text);
        }
        return e;
    default:
        return ERR_OK;
    }
}

static enum err look(struct engine *en, struct db *db, int64_t now_ms, struct rollout *r,
                     struct release *release, const struct watch *w)
{
    struct decision d = { .rollout = r->id,
                          .at_ms = now_ms,
                          .tolerate = EVIDENCE_RULES.tolerate,
                          .doubt = EVIDENCE_RULES.doubt,
                          .most = EVIDENCE_RULES.limit,
                          .halt_at = EVIDENCE_RULES.halt_at,
                          .advance_at = EVIDENCE_RULES.advance_at };
    struct decision last = { .kind = GATE_WAIT };
    struct evidence_verdict seen;
    struct gate_verdict gate;
    struct evidence ev;
    struct gate g;
    enum err e = set_scene(db, r, w, now_ms, &d);

    if (e == ERR_OK)
        e = decide(db, &d, &ev, &seen);
    if (e != ERR_OK)
        return e;
    d.heard = strata_heard(&ev);
    g = gate_of(&d);
    gate = gate_decide(&seen, &g);
    d.kind = (int)gate.kind;
    d.reason = (int)gate.reason;
    d.log_halt = seen.log_halt;
    d.log_advance = seen.log_advance;
    e = decision_list(db, r->id, INT64_MAX, 1, keep_last, &last);
    if (e == ERR_OK)
        e = decision_add(db, &d);
    return e == ERR_OK ? act(en, db, now_ms, r, release, &d, &seen, &last) : e;
}

enum err evidence_look(struct engine *en, struct db *db, int64_t now_ms, struct rollout *r,
                       struct release *release)
{
    struct watch w;
    enum err e = watch_get(db, r->id, &w);

    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    if (w.began_ms + (w.cells + 1) * w.cell_ms > now_ms)
        return ERR_OK;
    e = see_cells(db, &w, now_ms);
    return e == ERR_OK ? look(en, db, now_ms, r, release, &w) : e;
}
