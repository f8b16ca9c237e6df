#include "store/credential.h"

#include <string.h>

#define COLUMNS "id, at_ms, credential, who, act, target, detail, hash"

static void read_row(struct db_query *q, struct audit *a)
{
    memset(a, 0, sizeof *a);
    a->id = (int32_t)db_int(q, 0);
    a->at_ms = db_int(q, 1);
    a->credential = (int32_t)db_int(q, 2);
    db_copy_text(q, 3, a->who, sizeof a->who);
    db_copy_text(q, 4, a->act, sizeof a->act);
    db_copy_text(q, 5, a->target, sizeof a->target);
    db_copy_text(q, 6, a->detail, sizeof a->detail);
    db_copy_bytes(q, 7, a->hash, sizeof a->hash);
}

enum err audit_last(struct db *db, struct audit *audit_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM audit ORDER BY id DESC LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    e = db_step(q);
    if (e == ERR_OK)
        read_row(q, audit_out);
    db_done(q);
    return e;
}

enum err audit_put(struct db *db, const struct audit *a)
{
    static const char SQL[] = "INSERT INTO audit (" COLUMNS ")"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, a->id);
    db_bind_int(q, 2, a->at_ms);
    db_bind_int(q, 3, a->credential);
    db_bind_text(q, 4, a->who);
    db_bind_text(q, 5, a->act);
    db_bind_text(q, 6, a->target);
    db_bind_text(q, 7, a->detail);
    db_bind_bytes(q, 8, a->hash, sizeof a->hash);
    return db_run(q);
}

enum err audit_list(struct db *db, int32_t after, int limit,
                    bool (*each)(void *ctx, const struct audit *a), void *ctx)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM audit WHERE id > $1 ORDER BY id LIMIT $2";
    struct db_query *q = NULL;
    struct audit a;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, after);
    db_bind_int(q, 2, limit);
    while ((e = db_step(q)) == ERR_OK) {
        read_row(q, &a);
        if (!each(ctx, &a))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
