/*
 * One rollout in simulated time. Opening a wave draws what will happen to each of its devices and
 * drops it into the hours in which it becomes known; the clock then goes by the hour and shows
 * the rule what is known, and no more.
 */
#include "fleet.h"

#include "decide/rollout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const RULE_NAME[RULES] = { "evidence", "2 % of outcomes", "Wilson 95 %" };

/* What becomes known of the devices that started in an hour, in a stratum. */
struct cell {
    int32_t started;
    int32_t told_failed, told_reverted; /* in this hour, of earlier starts */
    int32_t ok[2], silent[2], failed, reverted, busy;
    int32_t control, control_silent[2];
};

struct watched { /* a device of the control sample */
    struct dev dev;
    int64_t number, next;
};

struct sim {
    const struct world *w;
    const struct preset *preset;
    enum rule rule;
    bool reach;
    struct cell (*cells)[FLEET_STRATA]; /* by hour since the start */
    struct watched *control;
    int64_t control_n;
    int32_t *seen, *confirmed;     /* devices, by the hour; for reach */
    int64_t reach_n[FLEET_STRATA]; /* started below this number, beyond the wave */
    int64_t stratum_n[FLEET_STRATA];
    int64_t members;
    size_t waves_open;
    int64_t opened_ms;
    struct evidence evidence;
    int64_t outcomes, bad; /* as the simple rules count */
    struct result *out;
};

static int64_t poll_of(const struct sim *s)
{
    return s->w->model->poll_ms;
}

static int hour_of(const struct sim *s, int64_t t)
{
    int64_t h = t == NEVER ? FLEET_HOURS : (t - s->w->start_ms) / HOUR_MS;

    return h >= FLEET_HOURS ? FLEET_HOURS - 1 : (int)h;
}

/* --- What happens to a device --- */

enum fate { FATE_GOOD, FATE_BRICK, FATE_FAIL, FATE_REVERT };

static enum fate fate_of(const struct sim *s, struct dev *d)
{
    const struct model *m = s->w->model;
    double u = dev_uniform(&d->chance);

    if (m->stratum >= 0 && d->stratum != (unsigned)m->stratum)
        return FATE_GOOD;
    if (u < m->brick)
        return FATE_BRICK;
    if (u < m->brick + m->fail)
        return FATE_FAIL;
    return u < m->brick + m->fail + m->revert ? FATE_REVERT : FATE_GOOD;
}

static void tell_explicit(struct sim *s, struct dev *d, int64_t t, enum fate fate, struct cell *c)
{
    int64_t told = t + 600000 + (int64_t)(dev_uniform(&d->chance) * 2 * (double)HOUR_MS);
    struct cell *then = &s->cells[hour_of(s, told)][d->stratum];

    if (fate == FATE_FAIL) {
        then->told_failed++;
        c->failed++;
    } else {
        then->told_reverted++;
        c->reverted++;
    }
}

/* It checks in at `t` and starts. */
static void start_device(struct sim *s, struct dev *d, int64_t t)
{
    struct cell *c = &s->cells[hour_of(s, t)][d->stratum];
    enum fate fate = fate_of(s, d);
    int64_t next, done;

    c->started++;
    if (fate == FATE_FAIL || fate == FATE_REVERT) {
        tell_explicit(s, d, t, fate, c);
        return;
    }
    done = t + (d->slow ? (int64_t)(dev_uniform(&d->chance) * 3 * (double)DAY_MS)
                        : 600000 + (int64_t)(dev_uniform(&d->chance) * 1800000.0));
    next = fate == FATE_BRICK ? NEVER : dev_next(s->w, d, t);
    if (next == NEVER || next - t > preset_next_ms(poll_of(s)))
        c->silent[0]++;
    else if (done > next)
        c->busy++;
    else
        c->ok[0]++;
    if (next == NEVER || next - t > preset_late_ms(poll_of(s)))
        c->silent[1]++;
    else
        c->ok[1]++;
    if (s->reach && fate == FATE_GOOD)
        s->confirmed[hour_of(s, done)]++;
}

/* A device of the sample comes by: will it come again? */
static void watch_until(struct sim *s, int64_t until)
{
    for (int64_t i = 0; i < s->control_n; i++) {
        struct watched *x = &s->control[i];

        while (x->next < until && x->number >= s->members) {
            struct cell *c = &s->cells[hour_of(s, x->next)][x->dev.stratum];
            int64_t next = dev_next(s->w, &x->dev, x->next);

            c->control++;
            c->control_silent[0] += next == NEVER || next - x->next > preset_next_ms(poll_of(s));
            c->control_silent[1] += next == NEVER || next - x->next > preset_late_ms(poll_of(s));
            x->next = next;
        }
    }
}

/* --- Waves --- */

static void join(struct sim *s, int64_t number, struct dev *d, int64_t now)
{
    (void)number;
    s->stratum_n[d->stratum]++;
    now = dev_first(s->w, d, now);
    if (now != NEVER)
        start_device(s, d, now);
}

/* The wave's range, and beyond it devices of each stratum that has too few. */
static void open_wave(struct sim *s, int64_t now)
{
    const struct preset_wave *wave = &s->preset->waves[s->waves_open];
    int64_t fleet = s->w->model->devices;
    int64_t members = wave_members(wave->share, wave->devices, fleet);
    bool first = s->waves_open == 0;

    for (int64_t i = s->members; i < members; i++) {
        struct dev d = dev_make(s->w, i);

        if (i >= s->reach_n[d.stratum])
            join(s, i, &d, now);
    }
    for (int64_t i = members; first && i < fleet / 2; i++) {
        struct dev d = dev_make(s->w, i);
        bool all = true;

        if (s->stratum_n[d.stratum] < PRESET_STRATUM) {
            join(s, i, &d, now);
            s->reach_n[d.stratum] = i + 1;
        }
        for (int k = 0; k < FLEET_STRATA; k++)
            all = all && s->stratum_n[k] >= PRESET_STRATUM;
        if (all)
            break;
    }
    s->members = members;
    s->opened_ms = now;
    s->waves_open++;
}

/* --- What is known --- */

static void show_started(struct sim *s, int hour)
{
    for (unsigned k = 0; k < FLEET_STRATA; k++) {
        const struct cell *c = &s->cells[hour][k];
        struct evidence_cell e = { .horizon = EVIDENCE_STARTED,
                                   .stratum = k,
                                   .started = c->started,
                                   .failed = c->told_failed,
                                   .reverted = c->told_reverted };

        evidence_add(&s->evidence, &EVIDENCE_RULES, &e);
        s->out->exposed += c->started;
        if (k == (unsigned)(s->w->model->stratum < 0 ? FLEET_STRATA - 1 : s->w->model->stratum))
            s->out->exposed_stratum += c->started;
        s->outcomes += c->told_failed + c->told_reverted;
        s->bad += c->told_failed + c->told_reverted;
    }
}

/* The cells of an hour whose check-ins are overdue. */
static void show_judged(struct sim *s, int hour, bool late)
{
    for (unsigned k = 0; k < FLEET_STRATA; k++) {
        const struct cell *c = &s->cells[hour][k];
        struct evidence_cell e = { .horizon = late ? EVIDENCE_LATE : EVIDENCE_NEXT,
                                   .stratum = k,
                                   .confirmed = c->ok[late],
                                   .failed = c->failed,
                                   .reverted = c->reverted,
                                   .silent = c->silent[late],
                                   .postponed = late ? 0 : c->busy,
                                   .control = c->control,
                                   .control_silent = c->control_silent[late] };

        if (c->started == 0)
            continue;
        evidence_add(&s->evidence, &EVIDENCE_RULES, &e);
        if (!late) {
            s->outcomes += c->ok[0] + c->silent[0];
            s->bad += c->silent[0];
        }
    }
}

/* Lower end of Wilson's interval. */
static double wilson(double x, double n)
{
    double z = 1.96, p = x / n;

    return (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) /
           (1 + z * z / n);
}

/* The rules that others use, looked at each hour: a share of all outcomes, and Wilson's bound. */
static enum gate_kind simple_rule(const struct sim *s, bool soaked)
{
    double limit = s->w->model->background + EVIDENCE_RULES.tolerate;

    if (s->rule == RULE_PERCENT && s->outcomes >= 50 && (double)s->bad > 0.02 * (double)s->outcomes)
        return GATE_HALT;
    if (s->rule == RULE_WILSON && s->outcomes > 0 &&
        wilson((double)s->bad, (double)s->outcomes) > limit)
        return GATE_HALT;
    return soaked ? GATE_ADVANCE : GATE_WAIT;
}

static bool strata_heard(const struct sim *s)
{
    for (int k = 0; k < FLEET_STRATA; k++) {
        int64_t most = s->stratum_n[k] < PRESET_STRATUM ? s->stratum_n[k] : PRESET_STRATUM;

        /* Some of so few may be away. */
        if (s->evidence.strata[k].next.judged < most / 2)
            return false;
    }
    return true;
}

static enum gate_kind look(struct sim *s, int64_t now, struct evidence_verdict *seen)
{
    const struct preset_wave *wave = &s->preset->waves[s->waves_open - 1];
    int64_t soak = (int64_t)(wave->soak * (double)poll_of(s));
    int64_t since = now - s->opened_ms;
    struct gate g = { .fleet = s->w->model->devices, .members = s->members };

    *seen = evidence_decide(&s->evidence, &EVIDENCE_RULES);
    g.soaked = since >= (soak > s->preset->least_soak_ms ? soak : s->preset->least_soak_ms);
    if (s->rule != RULE_EVIDENCE)
        return simple_rule(s, g.soaked);
    g.heard = strata_heard(s);
    g.settled = since >= poll_of(s) + preset_next_ms(poll_of(s));
    g.exhausted = since >= soak + PRESET_LONGEST * poll_of(s);
    g.confirmed = seen->judged - seen->bad;
    return gate_decide(seen, &g).kind;
}

/* --- The clock --- */

static void note(struct trace *t, const struct sim *s, int hour,
                 const struct evidence_verdict *seen)
{
    if (t == NULL)
        return;
    t->hours = hour + 1;
    t->started[hour] = (double)s->out->exposed / (double)s->w->model->devices;
    t->log_halt[hour] = seen->log_halt;
    t->log_advance[hour] = seen->log_advance;
    t->bad[hour] = seen->judged > 0 ? (double)seen->bad / (double)seen->judged : 0;
    t->control_bad[hour] =
        seen->control > 0 ? (double)seen->control_bad / (double)seen->control : 0;
}

static int first_suspect(const struct sim *s)
{
    struct evidence_suspect list[EVIDENCE_STRATA];

    return evidence_suspects(&s->evidence, &EVIDENCE_RULES, list) > 0 ? list[0].stratum : -1;
}

/* True when it is over. */
static bool step(struct sim *s, int hour, struct trace *trace)
{
    int64_t now = s->w->start_ms + (hour + 1) * HOUR_MS;
    int64_t next = preset_next_ms(poll_of(s)) / HOUR_MS + 1;
    int64_t late = preset_late_ms(poll_of(s)) / HOUR_MS + 1;
    struct evidence_verdict seen;
    enum gate_kind kind;

    watch_until(s, now);
    show_started(s, hour);
    if (hour >= next)
        show_judged(s, hour - (int)next, false);
    if (hour >= late)
        show_judged(s, hour - (int)late, true);
    kind = look(s, now, &seen);
    note(trace, s, hour, &seen);
    s->out->ended_days = (double)(hour + 1) / 24;
    s->out->halted = kind == GATE_HALT;
    s->out->held = kind == GATE_HOLD;
    s->out->suspect = first_suspect(s);
    if (kind == GATE_ADVANCE && s->waves_open < PRESET_WAVES)
        open_wave(s, now);
    else if (s->waves_open == PRESET_WAVES)
        s->out->complete = now - s->opened_ms >= preset_late_ms(poll_of(s)) + DAY_MS;
    return s->out->halted || s->out->held || s->out->complete;
}

/* When 99 of a hundred devices that were seen are confirmed. */
static void measure_reach(struct sim *s)
{
    int64_t seen = 0, confirmed = 0;

    s->out->reach_days = -1;
    for (int h = 0; h < FLEET_HOURS; h++) {
        seen += s->seen[h];
        confirmed += s->confirmed[h];
        if (s->out->reach_days < 0 && (double)confirmed >= 0.99 * (double)seen && confirmed > 0)
            s->out->reach_days = (double)(h + 1) / 24;
        if (h == 14 * 24 - 1)
            s->out->reached = (double)confirmed / (double)seen;
    }
}

static void note_seen(struct sim *s)
{
    for (int64_t i = 0; i < s->w->model->devices; i++) {
        struct dev d = dev_make(s->w, i);
        int64_t t = dev_first(s->w, &d, s->w->start_ms);

        if (t != NEVER && t - s->w->start_ms < FLEET_HOURS * HOUR_MS)
            s->seen[hour_of(s, t)]++;
    }
}

static bool set_up(struct sim *s)
{
    int64_t fleet = s->w->model->devices;

    s->control_n = preset_control(fleet);
    s->cells = calloc(FLEET_HOURS, sizeof *s->cells);
    s->control = calloc((size_t)s->control_n, sizeof *s->control);
    s->seen = calloc(FLEET_HOURS, sizeof *s->seen);
    s->confirmed = calloc(FLEET_HOURS, sizeof *s->confirmed);
    if (s->cells == NULL || s->control == NULL || s->seen == NULL || s->confirmed == NULL)
        return false;
    for (int64_t i = 0; i < s->control_n; i++) {
        struct watched *x = &s->control[i];

        x->number = fleet - s->control_n + i;
        x->dev = dev_make(s->w, x->number);
        x->next = dev_first(s->w, &x->dev, s->w->start_ms);
    }
    if (s->reach)
        note_seen(s);
    return true;
}

bool rollout_run(const struct world *w, const struct preset *preset, enum rule rule, bool reach,
                 struct result *result_out, struct trace *trace)
{
    struct sim s = { .w = w, .preset = preset, .rule = rule, .reach = reach, .out = result_out };
    bool ok = set_up(&s);
    int watched = w->model->stratum < 0 ? FLEET_STRATA - 1 : w->model->stratum;

    memset(result_out, 0, sizeof *result_out);
    if (ok) {
        open_wave(&s, w->start_ms);
        for (int h = 0; h < FLEET_HOURS && !step(&s, h, trace); h++)
            ;
        result_out->stratum = (int64_t)(STRATUM_SHARE[watched] * (double)w->model->devices);
        if (reach)
            measure_reach(&s);
    }
    free(s.cells);
    free(s.control);
    free(s.seen);
    free(s.confirmed);
    return ok;
}
