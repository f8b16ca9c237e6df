#include "store/credential.h"

#include <string.h>

#define COLUMNS "id, name, role, products, digest, created_ms, expires_ms, revoked_ms"

static void read_row(struct db_query *q, struct credential *c)
{
    memset(c, 0, sizeof *c);
    c->id = (int32_t)db_int(q, 0);
    db_copy_text(q, 1, c->name, sizeof c->name);
    c->role = (enum role)db_int(q, 2);
    db_copy_text(q, 3, c->products, sizeof c->products);
    db_copy_bytes(q, 4, c->digest, sizeof c->digest);
    c->created_ms = db_int(q, 5);
    c->expires_ms = db_int(q, 6);
    c->revoked_ms = db_int(q, 7);
}

static enum err one(struct db_query *q, struct credential *credential_out)
{
    enum err e = db_step(q);

    if (e == ERR_OK)
        read_row(q, credential_out);
    db_done(q);
    return e;
}

enum err credential_by_digest(struct db *db, const uint8_t digest[32],
                              struct credential *credential_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM credential WHERE digest = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_bytes(q, 1, digest, 32);
    return one(q, credential_out);
}

enum err credential_by_id(struct db *db, int32_t id, struct credential *credential_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM credential WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    return one(q, credential_out);
}

enum err credential_name_used(struct db *db, const char *name, bool *used_out)
{
    static const char SQL[] = "SELECT 1 FROM credential WHERE name = $1 AND revoked_ms = 0 LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_text(q, 1, name);
    e = db_step(q);
    *used_out = e == ERR_OK;
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err credential_add(struct db *db, struct credential *c)
{
    static const char NEXT[] = "SELECT max(id) FROM credential";
    static const char SQL[] = "INSERT INTO credential (" COLUMNS ")"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    struct db_query *q = NULL;
    enum err e = db_next_id(db, NEXT, &c->id);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, c->id);
    db_bind_text(q, 2, c->name);
    db_bind_int(q, 3, (int64_t)c->role);
    db_bind_text(q, 4, c->products);
    db_bind_bytes(q, 5, c->digest, sizeof c->digest);
    db_bind_int(q, 6, c->created_ms);
    db_bind_int(q, 7, c->expires_ms);
    db_bind_int(q, 8, c->revoked_ms);
    return db_run(q);
}

enum err credential_revoke(struct db *db, int32_t id, int64_t now_ms)
{
    static const char SQL[] = "UPDATE credential SET revoked_ms = $2 WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_int(q, 2, now_ms);
    return db_run(q);
}

enum err credential_list(struct db *db, int32_t after, int limit,
                         bool (*each)(void *ctx, const struct credential *c), void *ctx)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM credential WHERE id > $1 ORDER BY id LIMIT $2";
    struct db_query *q = NULL;
    struct credential c;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, after);
    db_bind_int(q, 2, limit);
    while ((e = db_step(q)) == ERR_OK) {
        read_row(q, &c);
        if (!each(ctx, &c))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err credential_admins(struct db *db, int64_t now_ms, int64_t *count_out)
{
    static const char SQL[] = "SELECT count(*) FROM credential WHERE role = $1 AND revoked_ms = 0"
                              " AND (expires_ms = 0 OR expires_ms > $2)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, ROLE_ADMIN);
    db_bind_int(q, 2, now_ms);
    e = db_step(q);
    if (e == ERR_OK)
        *count_out = db_int(q, 0);
    db_done(q);
    return e;
}

enum err setting_get(struct db *db, const char *name, void *value_out, size_t size, size_t *n_out)
{
    static const char SQL[] = "SELECT value FROM setting WHERE name = $1";
    struct db_query *q = NULL;
    struct lsuit_bytes value;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_text(q, 1, name);
    e = db_step(q);
    if (e == ERR_OK) {
        value = db_bytes(q, 0);
        if (value.len > size)
            e = FAIL(ERR_DB, "setting %s is too long", name);
        else if (value.len > 0)
            memcpy(value_out, value.ptr, value.len);
        *n_out = value.len;
    }
    db_done(q);
    return e;
}

enum err setting_put(struct db *db, const char *name, const void *value, size_t n)
{
    static const char SQL[] = "INSERT INTO setting (name, value) VALUES ($1, $2)"
                              " ON CONFLICT (name) DO UPDATE SET value = $2";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_text(q, 1, name);
    db_bind_bytes(q, 2, value, n);
    return db_run(q);
}
