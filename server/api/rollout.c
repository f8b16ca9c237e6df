#include "engine/rollout.h"
#include "api/call.h"
#include "engine/evidence.h"
#include "engine/product.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* By enum wave_gate. */
static const char *const GATES[] = { "timed", "manual", "evidence" };

/* --- In --- */

static bool gate_find(const char *name, enum wave_gate *gate_out)
{
    for (size_t i = 0; i < sizeof GATES / sizeof *GATES; i++)
        if (strcmp(GATES[i], name) == 0) {
            *gate_out = (enum wave_gate)i;
            return true;
        }
    return false;
}

/* `least` is the largest share of the waves before. */
static void read_wave(struct call *c, json_t *object, size_t i, double least, struct wave *w,
                      enum err *err)
{
    char path[40], gate[16];
    int64_t soak_s = 0;
    struct fields f;
    bool has_share, has_devices;

    snprintf(path, sizeof path, "waves[%zu].", i);
    fields_open(&f, c, object, path);
    has_share = field_real(&f, "share", false, &w->share);
    if (has_share && !(w->share > 0 && w->share <= 1))
        field_bad(&f, "share", "must be greater than 0 and at most 1");
    has_devices = field_int(&f, "devices", false, 1, 1000000000, &w->devices);
    if (!has_share && !has_devices)
        field_bad(&f, "share", "or devices must be given");
    if (has_share && w->share < least)
        field_bad(&f, "share", "must not be less than that of a wave before");
    field_int(&f, "soak_s", false, 0, 7776000, &soak_s);
    w->soak_ms = soak_s * 1000;
    if (field_text(&f, "gate", false, 1, sizeof gate - 1, gate)) {
        if (!gate_find(gate, &w->gate))
            field_bad(&f, "gate", "must be timed, manual or evidence");
    }
    *err = fields_end(&f);
}

/* `preset_out` is empty when none is named. */
static enum err read_rollout(struct call *c, struct rollout *r, char preset_out[PRESET_NAME])
{
    struct fields f;
    int64_t release = 0;
    double least = 0;
    json_t *waves;
    bool has_preset;
    enum err e;

    fields_open(&f, c, c->in, "");
    if (c->in == NULL)
        field_bad(&f, "release", "is missing");
    field_int(&f, "release", true, 1, INT32_MAX, &release);
    waves = field_any(&f, "waves");
    if (waves != NULL &&
        (!json_is_array(waves) || json_array_size(waves) < 1 || json_array_size(waves) > WAVES))
        field_bad(&f, "waves", "must be an array of 1 to 16");
    has_preset = field_text(&f, "preset", false, 1, PRESET_NAME - 1, preset_out);
    if (has_preset && waves != NULL)
        field_bad(&f, "preset", "and waves exclude each other");
    e = fields_end(&f);
    r->release = (int32_t)release;
    if (e != ERR_OK || has_preset)
        return e;
    if (waves == NULL) {
        r->waves_n = 1;
        r->waves[0] = (struct wave){ .share = 1 };
        return ERR_OK;
    }
    r->waves_n = (unsigned)json_array_size(waves);
    for (unsigned i = 0; e == ERR_OK && i < r->waves_n; i++) {
        read_wave(c, json_array_get(waves, i), i, least, &r->waves[i], &e);
        least = r->waves[i].share > least ? r->waves[i].share : least;
    }
    return e;
}

/* --- Out --- */

static void set_counts(json_t *out, const int64_t n[WORK_STATES])
{
    json_object_set_new(out, "offered", json_integer(n[WORK_OFFERED]));
    json_object_set_new(out, "fetching", json_integer(n[WORK_FETCHING]));
    json_object_set_new(out, "installed", json_integer(n[WORK_INSTALLED]));
    json_object_set_new(out, "failed", json_integer(n[WORK_FAILED]));
    json_object_set_new(out, "cancelled", json_integer(n[WORK_CANCELLED]));
}

static json_t *json_wave(const struct wave *w, const struct wave *before, int64_t now_ms,
                         const int64_t counts[WORK_STATES])
{
    bool open = w->opened_ms != 0;
    int64_t soaked = open ? w->opened_ms + w->soak_ms : 0;
    int64_t members = w->members - (before != NULL ? before->members : 0);
    json_t *out = json_object();

    json_object_set_new(out, "share", w->share > 0 ? json_real(w->share) : json_null());
    json_object_set_new(out, "devices", w->devices > 0 ? json_integer(w->devices) : json_null());
    json_object_set_new(out, "soak_s", json_integer(w->soak_ms / 1000));
    json_object_set_new(out, "gate", json_string(GATES[w->gate]));
    json_object_set_new(out, "state",
                        json_string(!open             ? "waiting"
                                    : soaked > now_ms ? "open"
                                                      : "soaked"));
    json_object_set_new(out, "opened_at", json_time(w->opened_ms));
    json_object_set_new(out, "soaked_at", json_time(soaked));
    json_object_set_new(out, "threshold",
                        open && !w->nobody ? json_number(w->threshold) : json_null());
    json_object_set_new(out, "members", open ? json_integer(members) : json_null());
    set_counts(out, counts);
    return out;
}

static json_t *json_next(const struct rollout *r, enum release_state state, int64_t now_ms)
{
    static const char *const WAITS[] = { "soak", "soak", "approval", "evidence", "resume" };
    struct wave_verdict v = rollout_next(r, state, now_ms);
    const struct wave *last = v.wave > 0 ? &r->waves[v.wave - 1] : NULL;

    if (r->started_ms == 0 || r->ended_ms != 0 || state == RELEASE_WITHDRAWN ||
        v.wave >= r->waves_n)
        return json_null();
    return json_pack("{s:I, s:s, s:o, s:s}", "wave", (json_int_t)v.wave, "gate",
                     GATES[last != NULL ? last->gate : WAVE_TIMED], "due_at", json_time(v.due_ms),
                     "waiting_for", WAITS[v.wait]);
}

static void set_waves(struct call *c, struct db *db, const struct rollout *r, bool whole,
                      json_t *out)
{
    int64_t sum[WORK_STATES] = { 0 };
    int64_t members = 0;
    json_t *waves = json_array();
    json_t *counts = json_object();

    for (unsigned i = 0; i < r->waves_n; i++) {
        int64_t n[WORK_STATES];

        work_count(db, r->id, (int)i, n);
        for (int k = 0; k < WORK_STATES; k++)
            sum[k] += n[k];
        if (r->waves[i].opened_ms != 0)
            members = r->waves[i].members;
        json_array_append_new(
            waves, json_wave(&r->waves[i], i > 0 ? &r->waves[i - 1] : NULL, c->now_ms, n));
    }
    if (whole)
        json_object_set(out, "waves", waves);
    json_decref(waves);
    json_object_set_new(counts, "members", json_integer(members));
    set_counts(counts, sum);
    json_object_set_new(out, "counts", counts);
}

json_t *json_rollout(struct call *c, struct db *db, const struct rollout *r, bool whole)
{
    struct release release = { .state = RELEASE_OPEN };
    struct product p = { .id = 0 };
    json_t *out;

    release_by_id(db, r->release, &release);
    product_by_id(db, r->product, &p);
    out = json_pack("{s:i, s:s, s:i, s:o, s:s, s:o, s:s, s:o, s:o, s:o}", "id", r->id, "product",
                    p.name, "release", r->release, "sequence",
                    json_number((uint64_t)release.sequence), "version", release.version, "digest",
                    json_hex(release.digest, 32), "state", rollout_state_name(r, release.state),
                    "created_at", json_time(r->created_ms), "started_at", json_time(r->started_ms),
                    "ended_at", json_time(r->ended_ms));
    set_waves(c, db, r, whole, out);
    json_object_set_new(out, "next", json_next(r, release.state, c->now_ms));
    return out;
}

/* --- Calls --- */

enum err rollout_create_call(struct call *c, struct db *db)
{
    struct rollout r = { .id = 0 };
    struct release release;
    char preset[PRESET_NAME] = "";
    enum err e = read_rollout(c, &r, preset);

    if (e != ERR_OK)
        return e;
    e = release_by_id(db, r.release, &release);
    if (e == ERR_NOT_FOUND)
        return call_bad(c, ERR_INVALID, "release", "no such release");
    if (e == ERR_OK)
        e = call_scope(c, db, release.product);
    if (e == ERR_OK && preset[0] != '\0' && rollout_preset(db, &release, preset, &r) != ERR_OK)
        return call_bad(c, ERR_INVALID, "preset", "must be auto, feature, security or critical");
    if (e == ERR_OK)
        e = rollout_create(c->engine, db, &c->actor, c->now_ms, &r);
    if (e == ERR_OK)
        c->out = json_rollout(c, db, &r, true);
    c->status = 201;
    return e;
}

static enum err named(struct call *c, struct db *db, struct rollout *r)
{
    int32_t id = 0;
    enum err e = call_id(c, &id);

    if (e == ERR_OK)
        e = rollout_by_id(db, id, r);
    return e == ERR_OK ? call_scope(c, db, r->product) : e;
}

enum err rollout_show_call(struct call *c, struct db *db)
{
    struct rollout r;
    enum err e = named(c, db, &r);

    if (e == ERR_OK)
        c->out = json_rollout(c, db, &r, true);
    return e;
}

static enum err verb(struct call *c, struct db *db, enum rollout_verb which)
{
    char reason[512];
    struct rollout r;
    enum err e = named(c, db, &r);

    if (e == ERR_OK)
        e = field_reason(c, reason);
    if (e == ERR_OK)
        e = rollout_do(c->engine, db, &c->actor, c->now_ms, which, reason, &r);
    if (e == ERR_OK)
        e = rollout_by_id(db, r.id, &r);
    if (e == ERR_OK)
        c->out = json_rollout(c, db, &r, true);
    return e;
}

enum err rollout_start_call(struct call *c, struct db *db)
{
    return verb(c, db, ROLLOUT_START);
}

enum err rollout_pause_call(struct call *c, struct db *db)
{
    return verb(c, db, ROLLOUT_PAUSE);
}

enum err rollout_resume_call(struct call *c, struct db *db)
{
    return verb(c, db, ROLLOUT_RESUME);
}

enum err rollout_halt_call(struct call *c, struct db *db)
{
    return verb(c, db, ROLLOUT_HALT);
}

enum err rollout_abort_call(struct call *c, struct db *db)
{
    return verb(c, db, ROLLOUT_ABORT);
}

enum err rollout_advance_call(struct call *c, struct db *db)
{
    return verb(c, db, ROLLOUT_ADVANCE);
}

static bool add_rollout(void *ctx, int32_t id)
{
    struct id_page *page = ctx;
    struct rollout r;

    if (rollout_by_id(page->db, id, &r) != ERR_OK)
        return true;
    if (call_scope(page->c, page->db, r.product) != ERR_OK) {
        page->c->field[0] = '\0';
        return true;
    }
    return !id_page_full(page) && id_page_add(page, id, json_rollout(page->c, page->db, &r, true));
}

enum err rollout_list_call(struct call *c, struct db *db)
{
    struct id_page page;
    const char *name = http_query(c->req, "product");
    struct product p = { .id = 0 };
    int32_t before = 0;
    enum err e = ERR_OK;

    if (name != NULL) {
        if (!actor_reaches(&c->actor, name)) /* whether it exists or not */
            return call_bad(c, ERR_FORBIDDEN, "product", "not in the scope of this token");
        e = product_by_name(db, name, &p);
        if (e == ERR_NOT_FOUND)
            return call_bad(c, ERR_NOT_FOUND, "product", "no such product");
    }
    if (e == ERR_OK)
        e = id_page_open(c, db, "rollouts", INT32_MAX, &page, &before);
    if (e != ERR_OK)
        return e;
    e = rollout_list(db, p.id, before, INT32_MAX, add_rollout, &page);
    id_page_close(&page);
    return e;
}

/* --- Decisions --- */

/* Wealth as a power of ten, as the documents speak of it. */
static json_t *json_power(double log_wealth)
{
    return isfinite(log_wealth) ? json_real(log_wealth / log(10)) : json_null();
}

static json_t *json_seen(const struct evidence_verdict *seen)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "started", (json_int_t)seen->started,
                     "failed", (json_int_t)seen->failed, "reverted", (json_int_t)seen->reverted,
                     "judged", (json_int_t)seen->judged, "bad", (json_int_t)seen->bad, "control",
                     (json_int_t)seen->control, "control_silent", (json_int_t)seen->control_bad);
}

static json_t *json_gate(const struct decision *d)
{
    return json_pack("{s:I, s:I, s:I, s:b, s:b, s:b, s:b}", "fleet", (json_int_t)d->fleet,
                     "members", (json_int_t)d->members, "confirmed", (json_int_t)d->confirmed,
                     "soaked", d->soaked, "settled", d->settled, "exhausted", d->exhausted, "heard",
                     d->heard);
}

static json_t *json_suspects(struct db *db, int32_t rollout, const struct replay *again)
{
    json_t *list = json_array();

    for (int i = 0; i < again->suspects_n; i++) {
        const struct evidence_suspect *x = &again->suspects[i];
        char revision[REVISION] = "";

        stratum_name(db, rollout, x->stratum, revision);
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I}", "revision", revision, "harmful",
                            json_power(x->log_harmful), "started", (json_int_t)x->started, "failed",
                            (json_int_t)x->failed, "reverted", (json_int_t)x->reverted, "judged",
                            (json_int_t)x->judged, "bad", (json_int_t)x->bad));
    }
    return list;
}

/* Everything that was used, and whether the same rows still say the same. */
static json_t *json_decision(struct db *db, const struct decision *d)
{
    struct replay again;
    const struct evidence_verdict *seen = &again.seen;
    char revision[REVISION] = "";
    json_t *out;
    bool same;

    if (evidence_replay(db, d, &again) != ERR_OK ||
        (seen->stratum >= 0 && stratum_name(db, d->rollout, seen->stratum, revision) != ERR_OK))
        return NULL;
    same = (int)again.gate.kind == d->kind && (int)again.gate.reason == d->reason &&
           fabs(seen->log_halt - d->log_halt) < 1e-6 &&
           fabs(seen->log_advance - d->log_advance) < 1e-6;
    out =
        json_pack("{s:I, s:o, s:I, s:i, s:s, s:s, s:b}", "n", (json_int_t)d->n, "at",
                  json_time(d->at_ms), "rows", (json_int_t)d->rows, "wave", d->wave, "verdict",
                  gate_kind_name(d->kind), "reason", gate_reason_text(d->reason), "replays", same);
    json_object_set_new(out, "harmful", json_power(d->log_halt));
    json_object_set_new(out, "harmless", json_power(d->log_advance));
    json_object_set_new(out, "loudest", json_string(evidence_cause_text(seen->cause)));
    json_object_set_new(out, "revision", seen->stratum < 0 ? json_null() : json_string(revision));
    json_object_set_new(out, "counts", json_seen(seen));
    json_object_set_new(out, "suspects", json_suspects(db, d->rollout, &again));
    json_object_set_new(out, "gate", json_gate(d));
    json_object_set_new(out, "rules",
                        json_pack("{s:f, s:f, s:f, s:f, s:f}", "tolerate", d->tolerate, "doubt",
                                  d->doubt, "limit", d->most, "halt_at", d->halt_at, "advance_at",
                                  d->advance_at));
    return out;
}

static bool add_decision(void *ctx, const struct decision *d)
{
    struct id_page *page = ctx;
    json_t *one;

    if (id_page_full(page))
        return false;
    one = json_decision(page->db, d);
    return one != NULL && id_page_add(page, d->n, one);
}

enum err rollout_decisions_call(struct call *c, struct db *db)
{
    struct id_page page;
    int32_t before = 0;
    struct rollout r;
    enum err e = named(c, db, &r);

    if (e == ERR_OK)
        e = id_page_open(c, db, "decisions", INT32_MAX, &page, &before);
    if (e != ERR_OK)
        return e;
    e = decision_list(db, r.id, before, page.limit + 1, add_decision, &page);
    id_page_close(&page);
    return e;
}
