#include "store/device.h"

#include "store/status.h"

#include <string.h>

#define COLUMNS                                                                                  \
    "id, product, name, revoked_ms, created_ms, seen_ms, attempt, attempt_stage, attempt_class," \
    " attempt_code, attempt_offset, attempt_ms, revision"

static void read_row(struct db_query *q, struct device *d)
{
    memset(d, 0, sizeof *d);
    d->id = (int32_t)db_int(q, 0);
    d->product = (int32_t)db_int(q, 1);
    db_copy_text(q, 2, d->name, sizeof d->name);
    d->revoked_ms = db_int(q, 3);
    d->created_ms = db_int(q, 4);
    d->seen_ms = db_int(q, 5);
    d->attempt.known = !db_is_null(q, 6);
    db_copy_bytes(q, 6, d->attempt.id, sizeof d->attempt.id);
    d->attempt.stage = (uint32_t)db_int(q, 7);
    d->attempt.class_ = (uint32_t)db_int(q, 8);
    d->attempt.code = db_int(q, 9);
    d->attempt.offset = db_int(q, 10);
    d->attempt.at_ms = db_int(q, 11);
    db_copy_text(q, 12, d->revision, sizeof d->revision);
}

static enum err one(struct db_query *q, struct device *device_out)
{
    enum err e = db_step(q);

    if (e == ERR_OK)
        read_row(q, device_out);
    db_done(q);
    return e;
}

enum err device_by_id(struct db *db, int32_t id, struct device *device_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM device WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    return one(q, device_out);
}

enum err device_by_name(struct db *db, int32_t product, const char *name, struct device *device_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM device WHERE product = $1 AND name = $2";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    db_bind_text(q, 2, name);
    return one(q, device_out);
}

enum err device_add(struct db *db, struct device *d)
{
    static const char NEXT[] = "SELECT max(id) FROM device";
    static const char SQL[] = "INSERT INTO device (id, product, name, revoked_ms, created_ms,"
                              " seen_ms) VALUES ($1, $2, $3, 0, $4, 0)";
    struct db_query *q = NULL;
    enum err e = db_next_id(db, NEXT, &d->id);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, d->id);
    db_bind_int(q, 2, d->product);
    db_bind_text(q, 3, d->name);
    db_bind_int(q, 4, d->created_ms);
    return db_run(q);
}

enum err device_revoke(struct db *db, int32_t id, int64_t now_ms)
{
    static const char SQL[] = "UPDATE device SET revoked_ms = $2 WHERE id = $1 AND revoked_ms = 0";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_int(q, 2, now_ms);
    return db_run(q);
}

static enum err run_with_id(struct db *db, const char *sql, int32_t id)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, sql, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    return db_run(q);
}

enum err device_forget(struct db *db, int32_t id)
{
    static const char TOKEN[] = "DELETE FROM device_token WHERE device = $1";
    static const char RUNNING[] = "DELETE FROM running WHERE device = $1";
    static const char WORK[] = "DELETE FROM work WHERE device = $1";
    static const char OUTCOME[] = "DELETE FROM outcome WHERE device = $1";
    static const char HOLDOUT[] = "DELETE FROM holdout WHERE device = $1";
    static const char CONTROL[] = "DELETE FROM control WHERE device = $1";
    static const char DEVICE[] = "DELETE FROM device WHERE id = $1";
    enum err e = run_with_id(db, TOKEN, id);

    if (e == ERR_OK)
        e = run_with_id(db, RUNNING, id);
    if (e == ERR_OK)
        e = run_with_id(db, WORK, id);
    if (e == ERR_OK)
        e = run_with_id(db, OUTCOME, id);
    if (e == ERR_OK)
        e = status_forget(db, id);
    if (e == ERR_OK)
        e = run_with_id(db, HOLDOUT, id);
    if (e == ERR_OK)
        e = run_with_id(db, CONTROL, id);
    return e == ERR_OK ? run_with_id(db, DEVICE, id) : e;
}

enum err device_seen(struct db *db, int32_t id, int64_t seen_ms)
{
    static const char SQL[] = "UPDATE device SET seen_ms = $2 WHERE id = $1 AND seen_ms < $2";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_int(q, 2, seen_ms);
    return db_run(q);
}

enum err device_revision_put(struct db *db, int32_t id, const char *revision)
{
    static const char SQL[] = "UPDATE device SET revision = $2 WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_text(q, 2, revision);
    return db_run(q);
}

enum err device_attempt_put(struct db *db, int32_t id, const struct device_attempt *a)
{
    static const char SQL[] =
        "UPDATE device SET attempt = $2, attempt_stage = $3, attempt_class = $4,"
        " attempt_code = $5, attempt_offset = $6, attempt_ms = $7 WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_bytes(q, 2, a->id, sizeof a->id);
    db_bind_int(q, 3, a->stage);
    db_bind_int(q, 4, a->class_);
    db_bind_int(q, 5, a->code);
    db_bind_int(q, 6, a->offset);
    db_bind_int(q, 7, a->at_ms);
    return db_run(q);
}

enum err device_count(struct db *db, int32_t product, int64_t *count_out)
{
    static const char SQL[] = "SELECT count(*) FROM device WHERE product = $1 OR $1 = 0";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    e = db_step(q);
    if (e == ERR_OK)
        *count_out = db_int(q, 0);
    db_done(q);
    return e;
}

enum err device_list(struct db *db, int32_t product, const char *after, enum device_filter filter,
                     int limit, bool (*each)(void *ctx, const struct device *d), void *ctx)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM device WHERE product = $1 AND name > $2"
        " AND ($3 = 0 OR ($3 = 1 AND revoked_ms = 0) OR ($3 = 2 AND revoked_ms <> 0))"
        " ORDER BY name LIMIT $4";
    struct db_query *q = NULL;
    struct device d;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    db_bind_text(q, 2, after);
    db_bind_int(q, 3, (int64_t)filter);
    db_bind_int(q, 4, limit);
    while ((e = db_step(q)) == ERR_OK) {
        read_row(q, &d);
        if (!each(ctx, &d))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err device_names(struct db *db, int32_t product,
                      bool (*each)(void *ctx, int32_t id, const char *name, const char *revision),
                      void *ctx)
{
    static const char SQL[] = "SELECT id, name, revision FROM device"
                              " WHERE product = $1 AND revoked_ms = 0";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    while ((e = db_step(q)) == ERR_OK)
        if (!each(ctx, (int32_t)db_int(q, 0), db_text(q, 1), db_text(q, 2)))
            break;
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* --- Tokens --- */

enum err device_token_find(struct db *db, const uint8_t digest[32], int32_t *device_out,
                           int *slot_out)
{
    static const char SQL[] = "SELECT device, slot FROM device_token WHERE digest = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_bytes(q, 1, digest, 32);
    e = db_step(q);
    if (e == ERR_OK) {
        *device_out = (int32_t)db_int(q, 0);
        *slot_out = (int)db_int(q, 1);
    }
    db_done(q);
    return e;
}

enum err device_token_put(struct db *db, const uint8_t digest[32], int32_t device, int slot,
                          int64_t now_ms)
{
    static const char SQL[] = "INSERT INTO device_token (digest, device, slot, created_ms)"
                              " VALUES ($1, $2, $3, $4)";
    struct db_query *q = NULL;
    enum err e = device_token_drop(db, device, slot);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_bytes(q, 1, digest, 32);
    db_bind_int(q, 2, device);
    db_bind_int(q, 3, slot);
    db_bind_int(q, 4, now_ms);
    return db_run(q);
}

enum err device_token_drop(struct db *db, int32_t device, int slot)
{
    static const char SQL[] =
        "DELETE FROM device_token WHERE device = $1 AND (slot = $2 OR $2 = -1)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_int(q, 2, slot);
    return db_run(q);
}

enum err device_token_promote(struct db *db, int32_t device)
{
    static const char SQL[] = "UPDATE device_token SET slot = 0 WHERE device = $1 AND slot = 1";
    enum err e = device_token_drop(db, device, 0);

    return e == ERR_OK ? run_with_id(db, SQL, device) : e;
}

enum err device_token_list(struct db *db, int32_t device, uint8_t digests_out[2][32], int *n_out)
{
    static const char SQL[] = "SELECT digest FROM device_token WHERE device = $1 ORDER BY slot";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);
    int n = 0;

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    while (n < 2 && (e = db_step(q)) == ERR_OK)
        db_copy_bytes(q, 0, digests_out[n++], 32);
    db_done(q);
    *n_out = n;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err device_token_count(struct db *db, int32_t device, int *count_out)
{
    uint8_t digests[2][32];

    return device_token_list(db, device, digests, count_out);
}
