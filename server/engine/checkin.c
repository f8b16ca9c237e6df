/*
 * Check-in and report.
 *
 *   body the same as the one last answered nothing,
 *   and nothing was changed since               ─► answer from memory
 *   else read rows, decide
 *     nothing to store                          ─► answer
 *     else in the writer: read, decide, store   ─► answer after the COMMIT
 */

#include "engine/device.h"

#include "base/bytes.h"
#include "base/sha256.h"
#include "decide/rollout.h"
#include "lsuit/cbor.h"

#include <stdio.h>
#include <string.h>

/* ANSWER_SMALL: the smallest buffer that a device may have (LAPEL_IO_MIN). */
enum { SPACE_RELEASES = 32, ANSWER_SMALL = 1024, POSTPONED_SLACK_MS = 10 * 60 * 1000 };

/* FNV-1a, 64 bits: finds out whether a device says the same again. It guards nothing: a device
 * that finds a collision has only told itself that there is no news. */
static uint64_t hash_body(struct lsuit_bytes body)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < body.len; i++)
        h = (h ^ body.ptr[i]) * 0x100000001b3u;
    return h == 0 ? 1 : h;
}

/* Spreads polls; not secret. One generator for each thread, seeded by the system. */
static uint32_t spread(uint32_t n)
{
    static _Thread_local uint64_t state;
    uint64_t z;

    if (state == 0)
        bytes_random(&state, sizeof state);
    state += 0x9e3779b97f4a7c15u;
    z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return n == 0 ? 0 : (uint32_t)(z % n);
}

/* The period of the product, less or more a tenth. */
static uint32_t next_poll(const struct snap_product *p)
{
    uint32_t poll = p->poll_s - p->poll_s / 10 + spread(p->poll_s / 5 + 1);

    return poll < LSUIT_POLL_MIN_S   ? LSUIT_POLL_MIN_S
           : poll > LSUIT_POLL_MAX_S ? LSUIT_POLL_MAX_S
                                     : poll;
}

static struct lsuit_bytes text(const char *s)
{
    return s[0] == '\0' ? (struct lsuit_bytes){ 0 }
                        : (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

static enum err write_answer(const struct snap_product *p, struct lsuit_answer *a,
                             struct checkin *c)
{
    struct lsuit_bytes doc = { 0 };
    enum lsuit_err le;

    a->statement =
        (struct lsuit_bytes){ c->statement.n > 0 ? c->statement.bytes : NULL, c->statement.n };
    a->next_poll_s = next_poll(p);
    a->support_end = p->support_end;
    a->support_url = text(p->support_url);
    if (a->support_url.len > LSUIT_URL_MAX)
        a->support_url = (struct lsuit_bytes){ 0 };
    a->trust_version = p->trust_version;
    a->has_time = true;
    a->time_s = (uint64_t)(c->now_ms / 1000);
    le = lsuit_answer_write(a, c->answer, sizeof c->answer, &doc);
    if (le == LSUIT_OK && doc.len > ANSWER_SMALL && a->statement.ptr != NULL) {
        a->support_url = (struct lsuit_bytes){ 0 }; /* the next answer has it */
        le = lsuit_answer_write(a, c->answer, sizeof c->answer, &doc);
    }
    if (le != LSUIT_OK)
        return FAIL(ERR_INTERNAL, "answer: %s", lsuit_err_name(le));
    c->answer_n = doc.len;
    if (doc.ptr != c->answer)
        memmove(c->answer, doc.ptr, doc.len);
    return ERR_OK;
}

bool device_checkin_quick(struct engine *en, struct checkin *c)
{
    const struct snapshot *s;
    const struct snap_product *p;
    struct lsuit_answer a = { 0 };
    bool answered = false;

    if (c->asker.device == 0 || c->asker.body == 0 || c->asker.body != hash_body(c->body))
        return false;
    s = engine_snapshot(en);
    p = snapshot_product(s, c->asker.product);
    if (s->generation == c->asker.snapshot && p != NULL)
        answered = write_answer(p, &a, c) == ERR_OK;
    engine_snapshot_done(en);
    if (answered)
        known_touch(en->known, c->asker.digest, (uint32_t)(c->now_ms / 1000), c->asker.body,
                    c->asker.snapshot);
    return answered;
}

/* --- The slow way --- */

/* What one check-in needs while it is decided. */
struct course {
    struct engine *en;
    struct db *db;
    struct checkin *c;
    const struct lsuit_checkin *in;
    const struct snapshot *snap;
    const struct snap_product *product;
    struct device device; /* id 0: anonymous */
    bool write;           /* in the writer: store */
    bool must_write;      /* something is to be stored */
    struct lsuit_answer answer;
    bool has_offer;
    uint8_t erase_nonce[ERASE_NONCE];
};

static struct lsuit_bytes name_of(const struct course *k)
{
    return text(k->device.name);
}

static bool same_bytes(struct lsuit_bytes a, const void *b, size_t n)
{
    return a.len == n && (n == 0 || memcmp(a.ptr, b, n) == 0);
}

static bool in_space(const struct snap_release *r, const struct lsuit_space *space)
{
    return same_bytes(space->vendor_id, r->vendor_id, 16) &&
           same_bytes(space->class_id, r->class_id, 16) &&
           same_bytes(space->component_id, r->component, r->component_n);
}

/* It is who its token says, and what it says of itself does not contradict. */
static enum err identify(struct course *k)
{
    enum err e;

    if (k->c->asker.device == 0) {
        k->product = snapshot_product_named(k->snap, k->in->product);
        if (k->product == NULL || !k->product->allow_anonymous)
            return ERR_UNAUTHORIZED;
        return ERR_OK;
    }
    e = device_by_id(k->db, k->c->asker.device, &k->device);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && k->device.revoked_ms != 0))
        return ERR_UNAUTHORIZED;
    if (e != ERR_OK)
        return e;
    k->product = snapshot_product(k->snap, k->device.product);
    if (k->product == NULL)
        return FAIL(ERR_INTERNAL, "device %d without a product", k->device.id);
    if (!same_bytes(k->in->product, k->product->name, strlen(k->product->name)))
        return FAIL_FIELD(ERR_INVALID, "product", "not the product of this token");
    if (!same_bytes(k->in->device_id, k->device.name, strlen(k->device.name)))
        return FAIL_FIELD(ERR_INVALID, "device-id", "not the device of this token");
    return ERR_OK;
}

static const struct snap_release *find_release(const struct course *k,
                                               const struct lsuit_space *space, uint64_t sequence,
                                               struct lsuit_bytes digest)
{
    for (size_t i = 0; i < k->product->n; i++) {
        const struct snap_release *r = &k->snap->releases[k->product->first + i];

        if ((uint64_t)r->sequence == sequence && same_bytes(digest, r->digest, 32) &&
            (space == NULL || in_space(r, space)))
            return r;
    }
    return NULL;
}

static enum err set_work(struct course *k, struct work *w, enum work_state state)
{
    k->must_write = true;
    if (!k->write)
        return ERR_OK;
    w->state = state;
    w->since_ms = k->c->now_ms;
    return work_put(k->db, w);
}

static enum err store_outcome(struct course *k, const struct lsuit_attempt *a, int32_t release,
                              bool ok)
{
    struct outcome o = { .device = k->device.id,
                         .release = release,
                         .ok = ok,
                         .stage = a->stage,
                         .class_ = a->class_,
                         .code = a->code,
                         .at_ms = k->c->now_ms };

    memcpy(o.attempt, a->id.ptr, sizeof o.attempt);
    return outcome_add(k->db, &o);
}

/* How an attempt ended: once for each attempt id, whichever document brings it first. */
static enum err take_attempt(struct course *k, const struct lsuit_attempt *a)
{
    const struct snap_release *r = NULL;
    struct device_attempt row = { .known = true };
    struct work w;
    enum err e;

    if (k->device.attempt.known && same_bytes(a->id, k->device.attempt.id, 8))
        return ERR_OK;
    k->must_write = true;
    if (!k->write)
        return ERR_OK;
    if (a->has_sequence && a->digest.ptr != NULL)
        r = find_release(k, NULL, a->sequence, a->digest);
    e = store_outcome(k, a, r != NULL ? r->id : 0, false);
    if (e == ERR_CONFLICT)
        return ERR_OK;
    if (e != ERR_OK)
        return e;
    memcpy(row.id, a->id.ptr, sizeof row.id);
    row.stage = a->stage;
    row.class_ = a->class_;
    row.code = a->code;
    row.offset = a->has_offset && a->offset <= INT64_MAX ? (int64_t)a->offset : 0;
    row.at_ms = k->c->now_ms;
    e = device_attempt_put(k->db, k->device.id, &row);
    if (e == ERR_OK && r != NULL && outcome_blame(a->class_) != WORK_WELL)
        e = work_blame(k->db, k->device.id, r->id, outcome_blame(a->class_), k->c->now_ms);
    if (e != ERR_OK || r == NULL)
        return e;
    e = work_get(k->db, k->device.id, r->id, &w);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e == ERR_OK && outcome_decide(w.state, a->stage, a->class_) != w.state)
        e = set_work(k, &w, outcome_decide(w.state, a->stage, a->class_));
    return e;
}

static bool same_running(const struct running *a, const struct running *b)
{
    return memcmp(a->class_id, b->class_id, sizeof a->class_id) == 0 &&
           a->component_n == b->component_n &&
           memcmp(a->component, b->component, a->component_n) == 0 && a->sequence == b->sequence &&
           memcmp(a->digest, b->digest, sizeof a->digest) == 0 && a->state == b->state;
}

/* What it runs: rows that differ are stored, and a confirmed release is a success. */
static enum err take_running(struct course *k, const struct lsuit_running *now,
                             const struct running *before, unsigned before_n)
{
    struct running row = { .sequence = (int64_t)now->sequence, .state = now->state };
    const struct snap_release *r;
    bool known = false;
    struct work w;
    enum err e;

    if (now->sequence > LSUIT_SEQUENCE_MAX || now->space.component_id.len > sizeof row.component)
        return FAIL_FIELD(ERR_INVALID, "running", "out of range");
    memcpy(row.class_id, now->space.class_id.ptr, sizeof row.class_id);
    row.component_n = now->space.component_id.len;
    if (row.component_n > 0)
        memcpy(row.component, now->space.component_id.ptr, row.component_n);
    if (now->digest.ptr != NULL && now->digest.len == 32)
        memcpy(row.digest, now->digest.ptr, 32);
    for (unsigned i = 0; i < before_n; i++)
        known = known || same_running(&before[i], &row);
    if (!known) {
        k->must_write = true;
        e = k->write ? running_put(k->db, k->device.id, &row, k->c->now_ms) : ERR_OK;
        if (e != ERR_OK)
            return e;
    }
    if (now->state != LSUIT_RUNNING_CONFIRMED || now->sequence == 0)
        return ERR_OK;
    r = find_release(k, &now->space, now->sequence, now->digest);
    if (r == NULL)
        return ERR_OK;
    e = work_get(k->db, k->device.id, r->id, &w);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && w.state == WORK_INSTALLED))
        return ERR_OK;
    return e == ERR_OK ? set_work(k, &w, WORK_INSTALLED) : e;
}

/* The releases of one space above what the device runs, and how it stands to each. */
static enum err gather(struct course *k, const struct lsuit_running *now,
                       struct rollout_release *list, const struct snap_release **which,
                       struct work *work, size_t *n_out)
{
    size_t n = 0;

    for (size_t i = 0; i < k->product->n && n < SPACE_RELEASES; i++) {
        const struct snap_release *r = &k->snap->releases[k->product->first + i];
        int wave;
        enum err e = ERR_NOT_FOUND;

        if ((uint64_t)r->sequence < now->sequence)
            break;
        if (!in_space(r, &now->space))
            continue;
        which[n] = r;
        work[n] = (struct work){ .device = k->device.id, .release = r->id, .rollout = r->rollout };
        wave = (uint64_t)r->sequence > now->sequence
                   ? snapshot_wave(r, name_of(k), k->device.revision)
                   : -1;
        if (k->device.id != 0 && (uint64_t)r->sequence > now->sequence)
            e = work_get(k->db, k->device.id, r->id, &work[n]);
        if (e != ERR_OK && e != ERR_NOT_FOUND)
            return e;
        if (e == ERR_NOT_FOUND)
            work[n].wave = wave < 0 ? 0 : wave;
        list[n] = (struct rollout_release){ .id = r->id,
                                            .sequence = r->sequence,
                                            .digest = r->digest,
                                            .state = r->state,
                                            .in = wave >= 0,
                                            .on_hold = snapshot_hold(k->snap, k->product, r->id,
                                                                     k->device.revision) != NULL,
                                            .work = work[n].state };
        /* Of an anonymous device we know nothing, so it is told of every stop. */
        if (k->device.id == 0 && r->state >= RELEASE_HALTED)
            list[n].work = WORK_CANCELLED;
        n++;
    }
    *n_out = n;
    return ERR_OK;
}

static enum err apply(struct course *k, const struct lsuit_running *now,
                      const struct rollout_verdict *v, const struct snap_release *r, struct work *w)
{
    static const uint32_t KIND[] = { LSUIT_NOTHING, LSUIT_OFFER, LSUIT_WAIT, LSUIT_WITHDRAW };
    struct lsuit_verdict *out = &k->answer.verdicts[k->answer.verdicts_n++];

    out->space = now->space;
    out->verdict = KIND[v->kind];
    if (v->kind != ROLLOUT_WAIT) {
        out->has_sequence = true;
        out->sequence = (uint64_t)r->sequence;
        out->digest = (struct lsuit_bytes){ r->digest, 32 };
    }
    if (v->kind == ROLLOUT_OFFER) {
        out->size = r->sent_size;
        k->has_offer = true;
        k->c->offered = r->id;
    }
    if (k->device.id == 0)
        return ERR_OK;
    /* A failed attempt stays on record until the device fetches again. */
    if (v->kind == ROLLOUT_OFFER &&
        (w->state == WORK_NONE || w->state == WORK_CANCELLED || w->state == WORK_INSTALLED))
        return set_work(k, w, WORK_OFFERED);
    if (v->kind == ROLLOUT_WITHDRAW && w->state != WORK_CANCELLED)
        return set_work(k, w, WORK_CANCELLED);
    return ERR_OK;
}

static enum err decide_space(struct course *k, const struct lsuit_running *now)
{
    struct rollout_release list[SPACE_RELEASES];
    const struct snap_release *which[SPACE_RELEASES];
    struct work work[SPACE_RELEASES];
    struct rollout_device d = { .sequence = (int64_t)now->sequence,
                                .digest = now->digest.len == 32 ? now->digest.ptr : NULL,
                                .trial = now->state == LSUIT_RUNNING_TRIAL };
    struct rollout_verdict v;
    size_t n = 0;
    enum err e = gather(k, now, list, which, work, &n);

    if (e != ERR_OK)
        return e;
    v = rollout_decide(&d, list, n, k->has_offer);
    if (v.kind == ROLLOUT_NOTHING)
        return ERR_OK;
    return apply(k, now, &v, which[v.release], &work[v.release]);
}

/* The revision of its hardware, when it says another than before. */
static enum err take_revision(struct course *k)
{
    size_t n = k->in->hw_revision.len;

    if (n == 0 || n >= sizeof k->device.revision || memchr(k->in->hw_revision.ptr, 0, n) != NULL ||
        same_bytes(k->in->hw_revision, k->device.revision, strlen(k->device.revision)))
        return ERR_OK;
    memcpy(k->device.revision, k->in->hw_revision.ptr, n);
    k->device.revision[n] = '\0';
    if (k->device.id == 0)
        return ERR_OK; /* nothing is kept of it, but a hold counts */
    k->must_write = true;
    return k->write ? device_revision_put(k->db, k->device.id, k->device.revision) : ERR_OK;
}

/* The new token was used, so the old one goes. */
static enum err take_slot(struct course *k)
{
    int32_t device = 0;
    int slot = 0;
    enum err e;

    if (k->c->asker.slot == 0)
        return ERR_OK;
    k->must_write = true;
    if (!k->write)
        return ERR_OK;
    /* Asked anew: a check-in that came at the same time may have made it the one in use. */
    e = device_token_find(k->db, k->c->asker.digest, &device, &slot);
    if (e == ERR_NOT_FOUND)
        return ERR_UNAUTHORIZED;
    if (e != ERR_OK || slot == 0)
        return e;
    e = engine_drop_tokens(k->en, k->db, k->device.id);
    return e == ERR_OK ? device_token_promote(k->db, k->device.id) : e;
}

/* --- What it says of itself --- */

/* The digest of what it can do. A map that we don't have is asked for. */
static enum err take_capability(struct course *k, struct status *s)
{
    struct lsuit_bytes map = k->in->capability;
    enum err e;

    if (map.ptr != NULL && map.len <= CAPABILITY_MAX)
        s->has_capability = sha256(map.ptr, map.len, s->capability);
    else if (k->in->capability_digest.len == sizeof s->capability) {
        s->has_capability = true;
        memcpy(s->capability, k->in->capability_digest.ptr, sizeof s->capability);
    } else {
        return ERR_OK;
    }
    e = capability_get(k->db, s->capability, NULL, NULL);
    if (e != ERR_NOT_FOUND)
        return e;
    if (map.ptr == NULL) {
        k->answer.capability = true;
        return ERR_OK;
    }
    k->must_write = true;
    return k->write ? capability_put(k->db, s->capability, map.ptr, map.len, k->c->now_ms) : ERR_OK;
}

/* Left out means the default. A time that runs down is stored when it was set, not each time. */
static void take_user(const struct course *k, struct status *s)
{
    const struct lsuit_user *u = &k->in->user;
    int64_t until = u->postponed_s == 0 ? 0 : k->c->now_ms + (int64_t)u->postponed_s * 1000;

    s->auto_security = u->auto_security;
    s->auto_feature = u->auto_feature;
    s->notifications = u->notifications;
    s->waiting = u->waiting;
    s->refused = u->refused;
    if (until == 0 || s->postponed_ms == 0 || until - s->postponed_ms > POSTPONED_SLACK_MS ||
        s->postponed_ms - until > POSTPONED_SLACK_MS)
        s->postponed_ms = until;
}

static bool same_status(const struct status *a, const struct status *b)
{
    return a->has_capability == b->has_capability &&
           memcmp(a->capability, b->capability, sizeof a->capability) == 0 &&
           a->auto_security == b->auto_security && a->auto_feature == b->auto_feature &&
           a->notifications == b->notifications && a->postponed_ms == b->postponed_ms &&
           a->waiting == b->waiting && a->refused == b->refused;
}

static enum err take_events(struct course *k)
{
    const struct lsuit_fault_record *f = &k->in->fault;
    struct status_fault fault = { .kind = f->kind,
                                  .where = f->where,
                                  .has_sequence = f->has_sequence,
                                  .sequence = (int64_t)f->sequence,
                                  .at_ms = k->c->now_ms };
    enum err e = ERR_OK;

    if (k->in->events_n == 0 && !k->in->has_fault)
        return ERR_OK;
    k->must_write = true;
    for (uint32_t i = 0; k->write && e == ERR_OK && i < k->in->events_n; i++) {
        const struct lsuit_event *in = &k->in->events[i];
        struct status_event event = { in->class_, in->count,
                                      k->c->now_ms - (int64_t)in->last_s * 1000 };

        e = event_add(k->db, k->device.id, &event);
    }
    if (!k->write || e != ERR_OK || !k->in->has_fault)
        return e;
    if (f->detail.len <= sizeof fault.detail && f->detail.len > 0) {
        memcpy(fault.detail, f->detail.ptr, f->detail.len);
        fault.detail_n = f->detail.len;
    }
    return fault_add(k->db, k->device.id, &fault);
}

static enum err take_status(struct course *k)
{
    struct status before, now;
    enum err e = status_get(k->db, k->device.id, &before);

    if (e != ERR_OK)
        return e;
    now = before;
    take_user(k, &now);
    e = take_capability(k, &now);
    if (e == ERR_OK && !same_status(&before, &now)) {
        k->must_write = true;
        now.at_ms = k->c->now_ms;
        if (k->write)
            e = status_put(k->db, k->device.id, &now);
    }
    return e == ERR_OK ? take_events(k) : e;
}

/* --- What a signature covers --- */

static bool in_trial(const struct course *k)
{
    for (uint32_t i = 0; i < k->in->running_n; i++)
        if (k->in->running[i].state == LSUIT_RUNNING_TRIAL)
            return true;
    return false;
}

static bool wants_statement(const struct course *k)
{
    for (uint32_t i = 0; i < k->answer.verdicts_n; i++)
        if (k->answer.verdicts[i].verdict == LSUIT_WITHDRAW)
            return true;
    return k->in->nonce.ptr != NULL || in_trial(k);
}

/* Made in the pass that reads: what the writer has in hand may never be committed. */
static enum err add_statement(struct course *k)
{
    const struct lsuit_space *space = &k->in->running[0].space;
    enum err e;

    if (k->write)
        return ERR_OK;
    k->c->statement.n = 0;
    if (!wants_statement(k) ||
        !same_bytes(space->vendor_id, k->product->vendor_id, sizeof k->product->vendor_id) ||
        !same_bytes(space->class_id, k->product->class_id, sizeof k->product->class_id))
        return ERR_OK;
    e = statement_get(k->en->statements, k->snap, k->product, space->component_id, k->in->nonce,
                      k->c->now_ms, &k->c->statement);
    return e == ERR_NOT_FOUND || e == ERR_BUSY ? ERR_OK : e;
}

static void add_erase_nonce(struct course *k)
{
    if (!k->in->erase || k->device.id == 0)
        return;
    erase_nonce(k->en->erase, k->device.id, k->c->now_ms, k->erase_nonce);
    k->answer.erase_nonce = (struct lsuit_bytes){ k->erase_nonce, sizeof k->erase_nonce };
}

static enum err run_course(struct course *k)
{
    struct running before[RUNNING_MAX];
    unsigned before_n = 0;
    enum err e = identify(k);

    if (e == ERR_OK)
        e = take_revision(k);
    if (e == ERR_OK && k->device.id != 0) {
        e = take_slot(k);
        if (e == ERR_OK)
            e = running_list(k->db, k->device.id, before, &before_n);
        for (uint32_t i = 0; e == ERR_OK && i < k->in->running_n; i++)
            e = take_running(k, &k->in->running[i], before, before_n);
        if (e == ERR_OK && k->in->has_attempt)
            e = take_attempt(k, &k->in->attempt);
        if (e == ERR_OK)
            e = take_status(k);
    }
    for (uint32_t i = 0; e == ERR_OK && i < k->in->running_n; i++)
        e = decide_space(k, &k->in->running[i]);
    if (e == ERR_OK)
        e = add_statement(k);
    if (e == ERR_OK)
        add_erase_nonce(k);
    return e == ERR_OK ? write_answer(k->product, &k->answer, k->c) : e;
}

/* May the next one with the same bytes be answered from memory? */
static bool is_quiet(const struct course *k)
{
    return k->answer.verdicts_n == 0 && !k->answer.capability && k->in->nonce.ptr == NULL &&
           !k->in->erase && k->in->events_n == 0 && !k->in->has_fault && !in_trial(k);
}

enum err device_checkin(struct engine *en, struct db *db, struct checkin *c, bool write,
                        bool *must_write_out)
{
    struct lsuit_checkin in = { 0 };
    struct lsuit_fault fault = { 0 };
    struct course k = { .en = en, .db = db, .c = c, .in = &in, .write = write };
    enum lsuit_err le = lsuit_checkin_read(c->body, &in, &fault);
    enum err e;

    *must_write_out = false;
    c->offered = 0;
    if (le != LSUIT_OK)
        return FAIL(ERR_MALFORMED, "check-in: %s %s", lsuit_err_name(le),
                    fault.what != NULL ? fault.what : "");
    for (uint32_t i = 0; i < in.running_n; i++)
        c->in_trial = c->in_trial || in.running[i].state == LSUIT_RUNNING_TRIAL;
    k.snap = write ? engine_snapshot_writer(en, db) : engine_snapshot(en);
    if (k.snap == NULL)
        return ERR_DB;
    e = run_course(&k);
    if (!write) {
        if (e == ERR_OK && !k.must_write && c->asker.device != 0)
            known_touch(en->known, c->asker.digest, (uint32_t)(c->now_ms / 1000),
                        is_quiet(&k) ? hash_body(c->body) : 0, k.snap->generation);
        engine_snapshot_done(en);
    } else if (e == ERR_OK) {
        e = device_seen(db, k.device.id, c->now_ms);
    }
    *must_write_out = k.must_write;
    return e;
}

enum err device_report(struct engine *en, struct db *db, const struct asker *asker,
                       struct lsuit_bytes body, int64_t now_ms, bool write, bool *must_write_out)
{
    struct lsuit_report report = { 0 };
    struct lsuit_checkin in = { 0 };
    struct lsuit_fault fault = { 0 };
    struct checkin c = { .asker = *asker, .body = body, .now_ms = now_ms };
    struct course k = { .en = en, .db = db, .c = &c, .in = &in, .write = write };
    enum lsuit_err le = lsuit_report_read(body, &report, &fault);
    enum err e;

    *must_write_out = false;
    if (le != LSUIT_OK)
        return FAIL(ERR_MALFORMED, "report: %s %s", lsuit_err_name(le),
                    fault.what != NULL ? fault.what : "");
    in.product = report.product;
    in.device_id = report.device_id;
    k.snap = write ? engine_snapshot_writer(en, db) : engine_snapshot(en);
    if (k.snap == NULL)
        return ERR_DB;
    e = identify(&k);
    if (e == ERR_OK && k.device.id != 0)
        e = take_attempt(&k, &report.attempt);
    if (!write)
        engine_snapshot_done(en);
    *must_write_out = k.must_write;
    return e;
}

/* --- Why --- */

const char *explain_text(enum explain_word word)
{
    static const char *const TEXT[] = {
        [EXPLAIN_OFFERED] = "it is offered",
        [EXPLAIN_RUNS] = "the device runs it",
        [EXPLAIN_OLDER] = "the device runs a higher number",
        [EXPLAIN_CLASH] = "the device runs this number with another digest",
        [EXPLAIN_STOP] = "it is stopped, and the device was offered it",
        [EXPLAIN_STOPPED] = "it is halted or withdrawn",
        [EXPLAIN_NOT_IN] = "no wave that is open holds the device",
        [EXPLAIN_HELD] = "it is held, and nobody starts",
        [EXPLAIN_ON_HOLD] = "a hold keeps the device from it",
        [EXPLAIN_BUSY] = "another component of the device has an offer",
        [EXPLAIN_GIVING_UP] = "the device has to give up another release first",
        [EXPLAIN_LOWER] = "a release with a higher number comes first",
    };

    return TEXT[word];
}

const char *explain_verdict(enum explain_word word)
{
    return word == EXPLAIN_OFFERED                        ? "offer"
           : word == EXPLAIN_STOP                         ? "withdraw"
           : word == EXPLAIN_HELD || word == EXPLAIN_BUSY ? "wait"
                                                          : "nothing";
}

static enum err explain_space(struct course *k, const struct product *p, const struct running *now,
                              void (*each)(void *ctx, const struct explained *x), void *ctx)
{
    struct rollout_release list[SPACE_RELEASES];
    const struct snap_release *which[SPACE_RELEASES];
    struct work work[SPACE_RELEASES];
    const struct lsuit_running said = {
        .space = { .vendor_id = { p->vendor_id, 16 },
                   .class_id = { now->class_id, 16 },
                   .component_id = { now->component, now->component_n } },
        .sequence = (uint64_t)now->sequence,
    };
    struct rollout_device d = { .sequence = now->sequence,
                                .digest = now->sequence != 0 ? now->digest : NULL,
                                .trial = now->state == LSUIT_RUNNING_TRIAL };
    size_t n = 0;
    bool busy = k->has_offer;
    enum err e = gather(k, &said, list, which, work, &n);

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        struct explained x = { .space = now,
                               .release = which[i],
                               .word = explain_decide(&d, list, n, busy, i),
                               .work = list[i].work };

        if (x.word == EXPLAIN_ON_HOLD)
            x.hold = snapshot_hold(k->snap, k->product, which[i]->id, k->device.revision);

        k->has_offer = k->has_offer || x.word == EXPLAIN_OFFERED;
        each(ctx, &x);
    }
    return e;
}

enum err device_explain(struct engine *en, struct db *db, const struct device *device,
                        void (*each)(void *ctx, const struct explained *x), void *ctx)
{
    struct course k = { .en = en, .db = db, .device = *device };
    struct running list[RUNNING_MAX];
    struct product p;
    unsigned n = 0;
    enum err e = product_by_id(db, device->product, &p);

    if (e == ERR_OK)
        e = running_list(db, device->id, list, &n);
    if (e != ERR_OK)
        return e;
    k.snap = engine_snapshot(en);
    k.product = snapshot_product(k.snap, device->product);
    for (unsigned i = 0; e == ERR_OK && k.product != NULL && i < n; i++)
        e = explain_space(&k, &p, &list[i], each, ctx);
    engine_snapshot_done(en);
    return e;
}
