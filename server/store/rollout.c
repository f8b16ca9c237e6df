#include "store/release.h"

#include <string.h>

static enum err read_waves(struct db *db, struct rollout *r)
{
    static const char SQL[] =
        "SELECT share, devices, soak_ms, gate, approved_ms, opened_ms, threshold, nobody, members"
        " FROM wave WHERE rollout = $1 ORDER BY n LIMIT 16";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, r->id);
    while (r->waves_n < WAVES && (e = db_step(q)) == ERR_OK) {
        struct wave *w = &r->waves[r->waves_n++];

        w->share = db_real(q, 0);
        w->devices = db_int(q, 1);
        w->soak_ms = db_int(q, 2);
        w->gate = (enum wave_gate)db_int(q, 3);
        w->approved_ms = db_int(q, 4);
        w->opened_ms = db_int(q, 5);
        w->threshold = (uint64_t)db_int(q, 6);
        w->nobody = db_int(q, 7) != 0;
        w->members = db_int(q, 8);
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err one(struct db *db, struct db_query *q, struct rollout *r)
{
    enum err e = db_step(q);

    if (e == ERR_OK) {
        memset(r, 0, sizeof *r);
        r->id = (int32_t)db_int(q, 0);
        r->product = (int32_t)db_int(q, 1);
        r->release = (int32_t)db_int(q, 2);
        db_copy_bytes(q, 3, r->salt, sizeof r->salt);
        r->started_ms = db_int(q, 4);
        r->ended_ms = db_int(q, 5);
        r->created_ms = db_int(q, 6);
    }
    db_done(q);
    return e == ERR_OK ? read_waves(db, r) : e;
}

#define COLUMNS "id, product, release, salt, started_ms, ended_ms, created_ms"

enum err rollout_by_id(struct db *db, int32_t id, struct rollout *rollout_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM rollout WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    return one(db, q, rollout_out);
}

enum err rollout_by_release(struct db *db, int32_t release, struct rollout *rollout_out)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM rollout WHERE release = $1 ORDER BY id DESC LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, release);
    return one(db, q, rollout_out);
}

enum err rollout_add(struct db *db, struct rollout *r)
{
    static const char NEXT[] = "SELECT max(id) FROM rollout";
    static const char SQL[] = "INSERT INTO rollout (" COLUMNS ")"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7)";
    struct db_query *q = NULL;
    enum err e = db_next_id(db, NEXT, &r->id);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, r->id);
    db_bind_int(q, 2, r->product);
    db_bind_int(q, 3, r->release);
    db_bind_bytes(q, 4, r->salt, sizeof r->salt);
    db_bind_int(q, 5, r->started_ms);
    db_bind_int(q, 6, r->ended_ms);
    db_bind_int(q, 7, r->created_ms);
    e = db_run(q);
    for (unsigned i = 0; e == ERR_OK && i < r->waves_n; i++)
        e = wave_set(db, r->id, i, &r->waves[i]);
    return e;
}

enum err rollout_set_times(struct db *db, const struct rollout *r)
{
    static const char SQL[] = "UPDATE rollout SET started_ms = $2, ended_ms = $3 WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, r->id);
    db_bind_int(q, 2, r->started_ms);
    db_bind_int(q, 3, r->ended_ms);
    return db_run(q);
}

enum err wave_set(struct db *db, int32_t rollout, unsigned n, const struct wave *w)
{
    static const char SQL[] =
        "INSERT INTO wave (rollout, n, share, devices, soak_ms, gate, approved_ms, opened_ms,"
        " threshold, nobody, members) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (rollout, n) DO UPDATE SET approved_ms = $7, opened_ms = $8,"
        " threshold = $9, nobody = $10, members = $11";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_int(q, 2, n);
    db_bind_real(q, 3, w->share);
    db_bind_int(q, 4, w->devices);
    db_bind_int(q, 5, w->soak_ms);
    db_bind_int(q, 6, w->gate);
    db_bind_int(q, 7, w->approved_ms);
    db_bind_int(q, 8, w->opened_ms);
    db_bind_int(q, 9, (int64_t)w->threshold);
    db_bind_int(q, 10, w->nobody);
    db_bind_int(q, 11, w->members);
    return db_run(q);
}

static enum err each_id(struct db_query *q, bool (*each)(void *ctx, int32_t id), void *ctx)
{
    enum err e;

    while ((e = db_step(q)) == ERR_OK)
        if (!each(ctx, (int32_t)db_int(q, 0)))
            break;
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err rollout_list(struct db *db, int32_t product, int32_t before, int limit,
                      bool (*each)(void *ctx, int32_t id), void *ctx)
{
    static const char SQL[] = "SELECT id FROM rollout WHERE (product = $1 OR $1 = 0) AND id < $2"
                              " ORDER BY id DESC LIMIT $3";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    db_bind_int(q, 2, before);
    db_bind_int(q, 3, limit);
    return each_id(q, each, ctx);
}

enum err rollout_running(struct db *db, bool (*each)(void *ctx, int32_t id), void *ctx)
{
    static const char SQL[] =
        "SELECT id FROM rollout WHERE started_ms <> 0 AND ended_ms = 0 ORDER BY id";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    return e == ERR_OK ? each_id(q, each, ctx) : e;
}

enum err rollout_offered(struct db *db, bool (*each)(void *ctx, int32_t release), void *ctx)
{
    static const char SQL[] =
        "SELECT id FROM release WHERE offered = 1 ORDER BY product, sequence DESC, id";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    return e == ERR_OK ? each_id(q, each, ctx) : e;
}
