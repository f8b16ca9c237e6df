#include "engine/rollout.h"

#include "base/bytes.h"
#include "decide/preset.h"
#include "engine/evidence.h"
#include "lsuit/crypto.h"
#include "lsuit/place.h"
#include "store/device.h"
#include "store/product.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fleet of at most so many gets exact waves; a larger one is close enough by its share. */
enum { EXACT_FLEET = 20000 };

struct wave_verdict rollout_next(const struct rollout *r, enum release_state state, int64_t now_ms)
{
    struct rollout_wave waves[WAVES];

    for (unsigned i = 0; i < r->waves_n; i++)
        waves[i] = (struct rollout_wave){ .soak_ms = r->waves[i].soak_ms,
                                          .gate = r->waves[i].gate,
                                          .opened_ms = r->waves[i].opened_ms,
                                          .approved_ms = r->waves[i].approved_ms };
    return wave_decide(waves, r->waves_n, state, now_ms);
}

int64_t rollout_due(const struct rollout *r, enum release_state state, int64_t now_ms)
{
    struct wave_verdict v;

    if (r->started_ms == 0 || r->ended_ms != 0)
        return 0;
    v = rollout_next(r, state, now_ms);
    if (v.open || v.complete)
        return now_ms;
    return v.wait == WAVE_SOAKS ? v.due_ms : 0;
}

const char *rollout_state_name(const struct rollout *r, enum release_state state)
{
    if (state == RELEASE_WITHDRAWN)
        return "aborted";
    if (state == RELEASE_HALTED)
        return "halted";
    if (state == RELEASE_HELD)
        return "held";
    if (r->started_ms == 0)
        return "draft";
    return r->ended_ms != 0 ? "complete" : "running";
}

/* --- Opening a wave --- */

struct place {
    uint64_t place;
    int32_t device;
    int revision; /* EVIDENCE_STRATA: one of many */
};

struct places {
    struct lsuit_bytes salt;
    struct place *list;
    size_t n, room;
    char revisions[EVIDENCE_STRATA][REVISION];
    int revisions_n;
    enum err err;
};

static int revision_number(struct places *p, const char *revision)
{
    for (int i = 0; i < p->revisions_n; i++)
        if (strcmp(p->revisions[i], revision) == 0)
            return i;
    if (p->revisions_n == EVIDENCE_STRATA)
        return EVIDENCE_STRATA;
    snprintf(p->revisions[p->revisions_n], REVISION, "%s", revision);
    return p->revisions_n++;
}

static bool add_place(void *ctx, int32_t device, const char *name, const char *revision)
{
    struct places *p = ctx;
    struct lsuit_bytes id = { (const uint8_t *)name, strlen(name) };

    if (p->n == p->room) {
        size_t room = p->room == 0 ? 256 : p->room * 2;
        struct place *more = realloc(p->list, room * sizeof *more);

        if (more == NULL) {
            p->err = FAIL(ERR_MEMORY, "places");
            return false;
        }
        p->list = more;
        p->room = room;
    }
    p->list[p->n].device = device;
    p->list[p->n].revision = revision_number(p, revision);
    if (lsuit_place(&lsuit_crypto_psa, p->salt, id, &p->list[p->n].place) != LSUIT_OK) {
        p->err = FAIL(ERR_INTERNAL, "place of a device");
        return false;
    }
    p->n++;
    return true;
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return x->place < y->place ? -1 : x->place > y->place;
}

/* The fleet in the order in which this rollout lets it in. Free the list, after an error too. */
static enum err read_places(struct db *db, const struct rollout *r, struct places *p)
{
    enum err e;

    *p = (struct places){ .salt = { r->salt, sizeof r->salt } };
    e = device_names(db, r->product, add_place, p);
    if (e == ERR_OK)
        e = p->err;
    if (e == ERR_OK && p->n > 0)
        qsort(p->list, p->n, sizeof *p->list, by_place);
    return e;
}

/* Never lower than the wave before, so that who is in stays in. */
static void set_threshold(struct rollout *r, unsigned n, const struct places *p)
{
    struct wave *w = &r->waves[n];
    int64_t want = wave_members(w->share, w->devices, (int64_t)p->n);
    const struct wave *before = n > 0 ? &r->waves[n - 1] : NULL;
    uint64_t threshold = 0;
    bool some;

    /* A wave that happens to hold the whole fleet of today is not open to the one of tomorrow. */
    if (w->share >= 1.0) {
        some = true;
        threshold = UINT64_MAX;
    } else if (want > 0 && (p->n <= EXACT_FLEET || (double)want > w->share * (double)p->n + 1)) {
        some = true;
        threshold = p->list[want - 1].place; /* frozen as the place of the last member */
    } else {
        some = lsuit_place_threshold((uint32_t)(w->share * 1e9 + 0.5), 1000000000, &threshold);
    }
    if (before != NULL && !before->nobody && (!some || threshold < before->threshold)) {
        some = true;
        threshold = before->threshold;
    }
    w->nobody = !some;
    w->threshold = threshold;
    w->members = 0;
    for (size_t i = 0; i < p->n; i++)
        w->members += lsuit_place_in(p->list[i].place, some, threshold);
}

/*
 * Each revision has a minimum of devices in the first wave of a rollout that asks for evidence:
 * where its threshold lets in fewer, they come in up to the place of the last that is needed.
 * Never so far that the hold-out would be touched.
 */
static enum err widen_first(struct db *db, struct rollout *r, const struct places *p)
{
    struct wave *w = &r->waves[0];
    size_t end = p->n - (size_t)preset_control((int64_t)p->n);
    enum err e = ERR_OK;

    for (int k = 0; e == ERR_OK && k < p->revisions_n; k++) {
        int64_t n = 0, beyond = 0;
        uint64_t last = 0;

        for (size_t i = 0; i < end && n < PRESET_STRATUM; i++) {
            if (p->list[i].revision != k)
                continue;
            n++;
            last = p->list[i].place;
            beyond += !lsuit_place_in(last, !w->nobody, w->threshold);
        }
        if (beyond == 0)
            continue;
        w->members += beyond;
        e = first_wave_add(db, r->id, p->revisions[k], last);
    }
    return e;
}

static enum err open_wave(struct db *db, struct rollout *r, unsigned n, int64_t now_ms)
{
    struct places p;
    enum err e = read_places(db, r, &p);

    if (e == ERR_OK) {
        set_threshold(r, n, &p);
        if (n == 0 && evidence_wanted(r) && p.n > GATE_TINY)
            e = widen_first(db, r, &p);
    }
    if (e == ERR_OK) {
        r->waves[n].opened_ms = now_ms;
        e = wave_set(db, r->id, n, &r->waves[n]);
    }
    free(p.list);
    return e;
}

/* The last ones by place are watched as long as the release is not offered to them. */
static enum err begin_watch(struct db *db, const struct rollout *r, int64_t now_ms)
{
    struct places p;
    enum err e = read_places(db, r, &p);
    size_t n = e == ERR_OK ? (size_t)preset_control((int64_t)p.n) : 0;

    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = holdout_add(db, r->id, p.list[p.n - 1 - i].device);
    free(p.list);
    return e == ERR_OK ? evidence_begin(db, r, now_ms) : e;
}

/* Bring one rollout to where it should be now. */
static enum err advance(struct engine *en, struct db *db, struct rollout *r,
                        enum release_state state, int64_t now_ms)
{
    enum err e = ERR_OK;

    while (e == ERR_OK && r->started_ms != 0 && r->ended_ms == 0) {
        struct wave_verdict v = rollout_next(r, state, now_ms);
        char target[40];

        snprintf(target, sizeof target, "rollout/%d", r->id);
        if (v.open) {
            char detail[40];

            snprintf(detail, sizeof detail, "wave %zu", v.wave);
            e = open_wave(db, r, (unsigned)v.wave, now_ms);
            if (e == ERR_OK)
                e = engine_audit(db, NULL, now_ms, "wave.open", target, detail);
        } else if (v.complete) {
            r->ended_ms = now_ms;
            e = rollout_set_times(db, r);
            if (e == ERR_OK)
                e = watch_drop(db, r->id);
            if (e == ERR_OK)
                e = engine_audit(db, NULL, now_ms, "rollout.complete", target, NULL);
        } else {
            break;
        }
        if (e == ERR_OK)
            engine_dirty(en);
    }
    return e;
}

struct ids {
    int32_t list[256];
    size_t n;
};

static bool add_id(void *ctx, int32_t id)
{
    struct ids *ids = ctx;

    ids->list[ids->n++] = id;
    return ids->n < sizeof ids->list / sizeof *ids->list;
}

static enum err note_look(struct db *db, int32_t rollout, int64_t *look_ms)
{
    int64_t due = INT64_MAX;
    enum err e = evidence_due(db, rollout, &due);

    if (due < *look_ms)
        *look_ms = due;
    return e;
}

enum err rollout_tick(struct engine *en, struct db *db, int64_t now_ms)
{
    struct ids ids = { .n = 0 };
    int64_t look_ms = INT64_MAX;
    enum err e = rollout_running(db, add_id, &ids);

    for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
        struct rollout r;
        struct release release;

        e = rollout_by_id(db, ids.list[i], &r);
        if (e == ERR_OK)
            e = release_by_id(db, r.release, &release);
        if (e == ERR_OK)
            e = evidence_look(en, db, now_ms, &r, &release);
        if (e == ERR_OK)
            e = advance(en, db, &r, release.state, now_ms);
        if (e == ERR_OK)
            e = note_look(db, r.id, &look_ms);
    }
    engine_look_at(en, e == ERR_OK ? look_ms : now_ms + 60000);
    return e;
}

/* --- Verbs --- */

enum err rollout_preset(struct db *db, const struct release *release, const char *name,
                        struct rollout *r)
{
    const struct preset *preset = strcmp(name, "auto") == 0
                                      ? &PRESET[preset_of(release->has_priority, release->priority)]
                                      : preset_find(name);
    struct product p;
    enum err e;

    if (preset == NULL)
        return ERR_INVALID;
    e = product_by_id(db, release->product, &p);
    if (e != ERR_OK)
        return e;
    r->waves_n = PRESET_WAVES;
    for (unsigned i = 0; i < PRESET_WAVES; i++) {
        const struct preset_wave *from = &preset->waves[i];
        int64_t soak_ms = (int64_t)(from->soak * 1000 * (double)p.poll_s);

        if (soak_ms < preset->least_soak_ms)
            soak_ms = preset->least_soak_ms;
        r->waves[i] = (struct wave){ .share = from->share,
                                     .devices = from->devices,
                                     .gate = WAVE_EVIDENCE,
                                     .soak_ms = soak_ms };
    }
    return ERR_OK;
}

enum err rollout_create(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                        struct rollout *r)
{
    struct release release;
    struct rollout other;
    char target[40];
    enum err e = release_by_id(db, r->release, &release);

    (void)en;
    if (e != ERR_OK)
        return e;
    if (release.state == RELEASE_WITHDRAWN)
        return FAIL_FIELD(ERR_STATE, "release", "release %d is withdrawn", release.id);
    e = rollout_by_release(db, release.id, &other);
    if (e == ERR_OK)
        return FAIL_FIELD(ERR_CONFLICT, "release", "release %d has rollout %d", release.id,
                          other.id);
    if (e != ERR_NOT_FOUND)
        return e;
    r->product = release.product;
    r->created_ms = now_ms;
    bytes_random(r->salt, sizeof r->salt);
    e = rollout_add(db, r);
    snprintf(target, sizeof target, "rollout/%d", r->id);
    return e == ERR_OK ? engine_audit(db, actor, now_ms, "rollout.create", target, NULL) : e;
}

enum err release_change(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                        struct release *release, enum release_state state, const char *act,
                        const char *reason)
{
    char target[40];
    enum err e;

    if (release->state == state)
        return ERR_OK;
    snprintf(target, sizeof target, "release/%d", release->id);
    e = release_set_state(db, release->id, state);
    if (e == ERR_OK)
        e = engine_audit(db, actor, now_ms, act, target, reason);
    if (e != ERR_OK)
        return e;
    release->state = state;
    if (state == RELEASE_HALTED || state == RELEASE_WITHDRAWN)
        engine_kill(en, release->id);
    else
        engine_dirty(en);
    return ERR_OK;
}

static enum err start(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                      const char *reason, struct rollout *r, struct release *release)
{
    char target[40];
    int64_t highest = 0;
    enum err e;

    if (r->started_ms != 0)
        return FAIL(ERR_STATE, "the rollout is %s already", rollout_state_name(r, release->state));
    if (release->state != RELEASE_OPEN)
        return FAIL(ERR_STATE, "the rollout is %s", rollout_state_name(r, release->state));
    e = release_highest_offered(db, release, &highest);
    if (e != ERR_OK)
        return e;
    if (release->sequence < highest)
        return FAIL(ERR_SEQUENCE, "number %lld is lower than %lld, which was offered",
                    (long long)release->sequence, (long long)highest);
    r->started_ms = now_ms;
    e = rollout_set_times(db, r);
    if (e == ERR_OK)
        e = release_set_offered(db, release->id);
    if (e == ERR_OK && evidence_wanted(r)) {
        e = begin_watch(db, r, now_ms);
        engine_look_at(en, 0);
    }
    snprintf(target, sizeof target, "rollout/%d", r->id);
    if (e == ERR_OK)
        e = engine_audit(db, actor, now_ms, "rollout.start", target, reason);
    if (e == ERR_OK)
        e = advance(en, db, r, release->state, now_ms);
    if (e == ERR_OK)
        engine_dirty(en);
    return e;
}

static enum err approve(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                        const char *reason, struct rollout *r, enum release_state state)
{
    struct wave_verdict v = rollout_next(r, state, now_ms);
    char target[40];
    enum err e;

    if (r->started_ms == 0 || r->ended_ms != 0 ||
        (v.wait != WAVE_WANTS_APPROVAL && v.wait != WAVE_WANTS_EVIDENCE))
        return FAIL(ERR_STATE, "%s",
                    r->started_ms == 0            ? "the rollout is a draft"
                    : r->ended_ms != 0            ? "the rollout is over"
                    : v.wait == WAVE_SOAKS        ? "the wave still soaks"
                    : v.wait == WAVE_WANTS_RESUME ? "the release is not open: resume it first"
                                                  : "no gate waits for a person");
    r->waves[v.wave - 1].approved_ms = now_ms;
    e = wave_set(db, r->id, (unsigned)v.wave - 1, &r->waves[v.wave - 1]);
    snprintf(target, sizeof target, "rollout/%d", r->id);
    if (e == ERR_OK)
        e = engine_audit(db, actor, now_ms, "rollout.advance", target, reason);
    return e == ERR_OK ? advance(en, db, r, state, now_ms) : e;
}

static enum err resume(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                       const char *reason, struct rollout *r, struct release *release)
{
    enum err e;

    if (release->state == RELEASE_WITHDRAWN)
        return FAIL(ERR_STATE, "the rollout is aborted, for good");
    if (release->state == RELEASE_OPEN && r->started_ms == 0)
        return FAIL(ERR_STATE, "the rollout is a draft: start it");
    e = release_change(en, db, actor, now_ms, release, RELEASE_OPEN, "rollout.resume", reason);
    return e == ERR_OK ? advance(en, db, r, release->state, now_ms) : e;
}

enum err rollout_do(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                    enum rollout_verb verb, const char *reason, struct rollout *r)
{
    struct release release;
    enum err e = release_by_id(db, r->release, &release);

    if (e != ERR_OK)
        return e;
    switch (verb) {
    case ROLLOUT_START:
        return start(en, db, actor, now_ms, reason, r, &release);
    case ROLLOUT_ADVANCE:
        return approve(en, db, actor, now_ms, reason, r, release.state);
    case ROLLOUT_RESUME:
        return resume(en, db, actor, now_ms, reason, r, &release);
    case ROLLOUT_PAUSE:
        if (release.state == RELEASE_HALTED || release.state == RELEASE_WITHDRAWN)
            return FAIL(ERR_STATE, "the rollout is %s", rollout_state_name(r, release.state));
        return release_change(en, db, actor, now_ms, &release, RELEASE_HELD, "rollout.pause",
                              reason);
    case ROLLOUT_HALT:
        if (release.state == RELEASE_WITHDRAWN)
            return ERR_OK; /* stopped more than that already */
        return release_change(en, db, actor, now_ms, &release, RELEASE_HALTED, "rollout.halt",
                              reason);
    case ROLLOUT_ABORT:
        if (r->ended_ms == 0) {
            r->ended_ms = now_ms;
            e = rollout_set_times(db, r);
        }
        if (e == ERR_OK)
            e = watch_drop(db, r->id);
        if (e != ERR_OK)
            return e;
        return release_change(en, db, actor, now_ms, &release, RELEASE_WITHDRAWN, "rollout.abort",
                              reason);
    }
    return FAIL(ERR_INTERNAL, "verb %d", (int)verb);
}
