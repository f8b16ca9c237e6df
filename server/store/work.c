/* What devices run, what they were offered, how attempts ended, what they may fetch. */

#include "store/device.h"

#include <string.h>

enum err running_list(struct db *db, int32_t device, struct running *list_out, unsigned *n_out)
{
    static const char SQL[] = "SELECT class_id, component, sequence, digest, state FROM running"
                              " WHERE device = $1 ORDER BY class_id, component LIMIT 8";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);
    unsigned n = 0;

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    while (n < RUNNING_MAX && (e = db_step(q)) == ERR_OK) {
        struct running *r = &list_out[n++];
        struct lsuit_bytes component = db_bytes(q, 1);

        memset(r, 0, sizeof *r);
        db_copy_bytes(q, 0, r->class_id, sizeof r->class_id);
        if (component.len > 0 && component.len <= sizeof r->component) {
            memcpy(r->component, component.ptr, component.len);
            r->component_n = component.len;
        }
        r->sequence = db_int(q, 2);
        db_copy_bytes(q, 3, r->digest, sizeof r->digest);
        r->state = (uint32_t)db_int(q, 4);
    }
    db_done(q);
    *n_out = n;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err running_put(struct db *db, int32_t device, const struct running *r, int64_t now_ms)
{
    static const char SQL[] =
        "INSERT INTO running (device, class_id, component, sequence, digest, state, at_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (device, class_id, component) DO UPDATE SET sequence = $4, digest = $5,"
        " state = $6, at_ms = $7";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_bytes(q, 2, r->class_id, sizeof r->class_id);
    db_bind_bytes(q, 3, r->component, r->component_n);
    db_bind_int(q, 4, r->sequence);
    db_bind_bytes(q, 5, r->digest, sizeof r->digest);
    db_bind_int(q, 6, r->state);
    db_bind_int(q, 7, now_ms);
    return db_run(q);
}

/* --- Work --- */

static void read_work(struct db_query *q, struct work *w)
{
    w->device = (int32_t)db_int(q, 0);
    w->release = (int32_t)db_int(q, 1);
    w->rollout = (int32_t)db_int(q, 2);
    w->wave = (int)db_int(q, 3);
    w->state = (enum work_state)db_int(q, 4);
    w->since_ms = db_int(q, 5);
}

enum err work_get(struct db *db, int32_t device, int32_t release, struct work *work_out)
{
    static const char SQL[] = "SELECT device, release, rollout, wave, state, since_ms FROM work"
                              " WHERE device = $1 AND release = $2";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_int(q, 2, release);
    e = db_step(q);
    if (e == ERR_OK)
        read_work(q, work_out);
    db_done(q);
    return e;
}

enum err work_last(struct db *db, int32_t device, struct work *work_out)
{
    static const char SQL[] = "SELECT device, release, rollout, wave, state, since_ms FROM work"
                              " WHERE device = $1 ORDER BY since_ms DESC, release DESC LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    e = db_step(q);
    if (e == ERR_OK)
        read_work(q, work_out);
    db_done(q);
    return e;
}

enum err work_put(struct db *db, const struct work *w)
{
    static const char SQL[] =
        "INSERT INTO work (device, release, rollout, wave, state, since_ms, started_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $6)"
        " ON CONFLICT (device, release) DO UPDATE SET rollout = $3, wave = $4, state = $5,"
        " since_ms = $6";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, w->device);
    db_bind_int(q, 2, w->release);
    db_bind_int(q, 3, w->rollout);
    db_bind_int(q, 4, w->wave);
    db_bind_int(q, 5, (int64_t)w->state);
    db_bind_int(q, 6, w->since_ms);
    return db_run(q);
}

enum err work_blame(struct db *db, int32_t device, int32_t release, enum work_bad bad,
                    int64_t now_ms)
{
    static const char SQL[] = "UPDATE work SET bad = $3, bad_ms = $4"
                              " WHERE device = $1 AND release = $2 AND bad = 0";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_int(q, 2, release);
    db_bind_int(q, 3, (int64_t)bad);
    db_bind_int(q, 4, now_ms);
    return db_run(q);
}

enum err work_count(struct db *db, int32_t rollout, int wave, int64_t counts_out[WORK_STATES])
{
    static const char SQL[] = "SELECT state, count(*) FROM work WHERE rollout = $1 AND wave = $2"
                              " GROUP BY state";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    memset(counts_out, 0, sizeof(int64_t) * WORK_STATES);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_int(q, 2, wave);
    while ((e = db_step(q)) == ERR_OK) {
        int64_t state = db_int(q, 0);

        if (state >= 0 && state < WORK_STATES)
            counts_out[state] = db_int(q, 1);
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err outcome_add(struct db *db, const struct outcome *o)
{
    static const char SQL[] =
        "INSERT INTO outcome (device, attempt, release, ok, stage, class, code, at_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, o->device);
    db_bind_bytes(q, 2, o->attempt, sizeof o->attempt);
    db_bind_int(q, 3, o->release);
    db_bind_int(q, 4, o->ok);
    db_bind_int(q, 5, o->stage);
    db_bind_int(q, 6, o->class_);
    db_bind_int(q, 7, o->code);
    db_bind_int(q, 8, o->at_ms);
    return db_run(q);
}

/* --- Grants. A state that is served sorts before one that is not. --- */

enum err grant_payload(struct db *db, int32_t device, const uint8_t digest[32],
                       int32_t *release_out, enum release_state *state_out,
                       enum work_state *work_out)
{
    static const char SQL[] =
        "SELECT r.id, r.state, w.state FROM release_payload p"
        " JOIN work w ON w.device = $1 AND w.release = p.release"
        " JOIN release r ON r.id = p.release WHERE p.digest = $2 ORDER BY r.state, r.id DESC"
        " LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_bytes(q, 2, digest, 32);
    e = db_step(q);
    if (e == ERR_OK) {
        *release_out = (int32_t)db_int(q, 0);
        *state_out = (enum release_state)db_int(q, 1);
        *work_out = (enum work_state)db_int(q, 2);
    }
    db_done(q);
    return e;
}

enum err grant_manifest(struct db *db, int32_t device, const uint8_t digest[32],
                        int32_t *release_out, enum release_state *state_out)
{
    static const char SQL[] = "SELECT r.id, r.state FROM release r"
                              " JOIN work w ON w.device = $1 AND w.release = r.id"
                              " WHERE r.digest = $2 ORDER BY r.state, r.id DESC LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_bytes(q, 2, digest, 32);
    e = db_step(q);
    if (e == ERR_OK) {
        *release_out = (int32_t)db_int(q, 0);
        *state_out = (enum release_state)db_int(q, 1);
    }
    db_done(q);
    return e;
}

enum err grant_public(struct db *db, const uint8_t digest[32], bool manifest, bool in_clear,
                      int32_t *release_out, enum release_state *state_out)
{
    static const char MANIFEST[] =
        "SELECT r.id, r.state FROM release r JOIN product p ON p.id = r.product"
        " WHERE r.digest = $1 AND r.offered = 1 AND p.allow_anonymous = 1 AND $2 = 0"
        " ORDER BY r.state, r.id DESC LIMIT 1";
    static const char PAYLOAD[] =
        "SELECT r.id, r.state FROM release_payload l JOIN release r ON r.id = l.release"
        " JOIN product p ON p.id = r.product WHERE l.digest = $1 AND r.offered = 1"
        " AND ((p.allow_anonymous = 1 AND $2 = 0) OR p.payload_in_clear = 1)"
        " ORDER BY r.state, r.id DESC LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, manifest ? MANIFEST : PAYLOAD, &q);

    if (e != ERR_OK)
        return e;
    db_bind_bytes(q, 1, digest, 32);
    db_bind_int(q, 2, in_clear);
    e = db_step(q);
    if (e == ERR_OK) {
        *release_out = (int32_t)db_int(q, 0);
        *state_out = (enum release_state)db_int(q, 1);
    }
    db_done(q);
    return e;
}
