#include "store/hold.h"

#include <string.h>

#define COLUMNS "id, product, release, attribute, value, reason, created_ms, removed_ms"

/* By enum hold_attribute. */
static const char *const NAMES[HOLD_ATTRIBUTES] = { "hw_revision" };

const char *hold_attribute_name(enum hold_attribute attribute)
{
    return NAMES[attribute];
}

bool hold_attribute_find(const char *name, enum hold_attribute *attribute_out)
{
    for (int i = 0; i < HOLD_ATTRIBUTES; i++)
        if (strcmp(NAMES[i], name) == 0) {
            *attribute_out = (enum hold_attribute)i;
            return true;
        }
    return false;
}

static enum err read_row(struct db_query *q, struct hold *h)
{
    char attribute[32];

    memset(h, 0, sizeof *h);
    h->id = (int32_t)db_int(q, 0);
    h->product = (int32_t)db_int(q, 1);
    h->release = (int32_t)db_int(q, 2);
    db_copy_text(q, 3, attribute, sizeof attribute);
    db_copy_text(q, 4, h->value, sizeof h->value);
    db_copy_text(q, 5, h->reason, sizeof h->reason);
    h->created_ms = db_int(q, 6);
    h->removed_ms = db_int(q, 7);
    if (!hold_attribute_find(attribute, &h->attribute))
        return FAIL(ERR_DB, "hold %d: no attribute %s", h->id, attribute);
    return ERR_OK;
}

enum err hold_add(struct db *db, struct hold *h)
{
    static const char NEXT[] = "SELECT max(id) FROM hold";
    static const char SQL[] = "INSERT INTO hold (" COLUMNS ")"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    struct db_query *q = NULL;
    enum err e = db_next_id(db, NEXT, &h->id);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, h->id);
    db_bind_int(q, 2, h->product);
    db_bind_int(q, 3, h->release);
    db_bind_text(q, 4, hold_attribute_name(h->attribute));
    db_bind_text(q, 5, h->value);
    db_bind_text(q, 6, h->reason);
    db_bind_int(q, 7, h->created_ms);
    db_bind_int(q, 8, h->removed_ms);
    return db_run(q);
}

enum err hold_by_id(struct db *db, int32_t id, struct hold *hold_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM hold WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    e = db_step(q);
    if (e == ERR_OK)
        e = read_row(q, hold_out);
    db_done(q);
    return e;
}

enum err hold_remove(struct db *db, int32_t id, int64_t now_ms)
{
    static const char SQL[] = "UPDATE hold SET removed_ms = $2 WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_int(q, 2, now_ms);
    return db_run(q);
}

enum err hold_list(struct db *db, int32_t product, int32_t after,
                   bool (*each)(void *ctx, const struct hold *hold), void *ctx)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM hold WHERE removed_ms = 0 AND id > $2"
                              " AND (product = $1 OR $1 = 0) ORDER BY product, id";
    struct db_query *q = NULL;
    struct hold h;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    db_bind_int(q, 2, after);
    while ((e = db_step(q)) == ERR_OK) {
        e = read_row(q, &h);
        if (e != ERR_OK || !each(ctx, &h))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
