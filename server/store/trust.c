#include "store/trust.h"

#include <string.h>

#define COLUMNS "version, document, hash, created_ms"

static enum err read_row(struct db_query *q, struct trust_set *set)
{
    struct lsuit_bytes document = db_bytes(q, 1);

    if (document.len > sizeof set->document)
        return FAIL(ERR_DB, "trust set %u is too long", (unsigned)db_int(q, 0));
    memset(set, 0, sizeof *set);
    set->version = (uint32_t)db_int(q, 0);
    memcpy(set->document, document.ptr, document.len);
    set->document_n = document.len;
    db_copy_bytes(q, 2, set->hash, sizeof set->hash);
    set->created_ms = db_int(q, 3);
    return ERR_OK;
}

static enum err read_one(struct db_query *q, struct trust_set *set_out)
{
    enum err e = db_step(q);

    if (e == ERR_OK)
        e = read_row(q, set_out);
    db_done(q);
    return e;
}

enum err trust_set_get(struct db *db, uint32_t version, struct trust_set *set_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM trust_set WHERE version = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, version);
    return read_one(q, set_out);
}

enum err trust_set_newest(struct db *db, struct trust_set *set_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM trust_set ORDER BY version DESC LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    return e == ERR_OK ? read_one(q, set_out) : e;
}

enum err trust_set_add(struct db *db, const struct trust_set *set)
{
    static const char SQL[] = "INSERT INTO trust_set (" COLUMNS ") VALUES ($1, $2, $3, $4)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, set->version);
    db_bind_bytes(q, 2, set->document, set->document_n);
    db_bind_bytes(q, 3, set->hash, sizeof set->hash);
    db_bind_int(q, 4, set->created_ms);
    return db_run(q);
}

enum err trust_set_list(struct db *db, uint32_t after, int limit,
                        bool (*each)(void *ctx, const struct trust_set *set), void *ctx)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM trust_set WHERE version > $1"
                              " ORDER BY version LIMIT $2";
    struct db_query *q = NULL;
    struct trust_set set;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, after);
    db_bind_int(q, 2, limit);
    while ((e = db_step(q)) == ERR_OK) {
        e = read_row(q, &set);
        if (e != ERR_OK || !each(ctx, &set))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
