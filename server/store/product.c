#include "store/product.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                               \
    "id, name, vendor_domain, vendor_name, model, vendor_id, class_id, contact, support_url," \
    " allow_anonymous, payload_in_clear, poll_s, components, created_ms, changed_ms"

static void read_row(struct db_query *q, struct product *p)
{
    memset(p, 0, sizeof *p);
    p->id = (int32_t)db_int(q, 0);
    db_copy_text(q, 1, p->name, sizeof p->name);
    db_copy_text(q, 2, p->vendor_domain, sizeof p->vendor_domain);
    db_copy_text(q, 3, p->vendor_name, sizeof p->vendor_name);
    db_copy_text(q, 4, p->model, sizeof p->model);
    db_copy_bytes(q, 5, p->vendor_id, sizeof p->vendor_id);
    db_copy_bytes(q, 6, p->class_id, sizeof p->class_id);
    db_copy_text(q, 7, p->contact, sizeof p->contact);
    db_copy_text(q, 8, p->support_url, sizeof p->support_url);
    p->allow_anonymous = db_int(q, 9) != 0;
    p->payload_in_clear = db_int(q, 10) != 0;
    p->poll_s = (int32_t)db_int(q, 11);
    db_copy_text(q, 12, p->components, sizeof p->components);
    p->created_ms = db_int(q, 13);
    p->changed_ms = db_int(q, 14);
}

static enum err one(struct db_query *q, struct product *product_out)
{
    enum err e = db_step(q);

    if (e == ERR_OK)
        read_row(q, product_out);
    db_done(q);
    return e;
}

enum err product_by_name(struct db *db, const char *name, struct product *product_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM product WHERE name = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_text(q, 1, name);
    return one(q, product_out);
}

enum err product_by_id(struct db *db, int32_t id, struct product *product_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM product WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    return one(q, product_out);
}

enum err product_by_model(struct db *db, const char *model, struct product *product_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM product WHERE model = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_text(q, 1, model);
    return one(q, product_out);
}

enum err product_put(struct db *db, struct product *p)
{
    static const char NEXT[] = "SELECT max(id) FROM product";
    static const char SQL[] =
        "INSERT INTO product (" COLUMNS ")"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        " ON CONFLICT (id) DO UPDATE SET name = $2, vendor_domain = $3, vendor_name = $4,"
        " model = $5, vendor_id = $6, class_id = $7, contact = $8, support_url = $9,"
        " allow_anonymous = $10, payload_in_clear = $11, poll_s = $12, components = $13,"
        " changed_ms = $15";
    struct db_query *q = NULL;
    enum err e = p->id != 0 ? ERR_OK : db_next_id(db, NEXT, &p->id);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, p->id);
    db_bind_text(q, 2, p->name);
    db_bind_text(q, 3, p->vendor_domain);
    db_bind_text(q, 4, p->vendor_name);
    db_bind_text(q, 5, p->model);
    db_bind_bytes(q, 6, p->vendor_id, sizeof p->vendor_id);
    db_bind_bytes(q, 7, p->class_id, sizeof p->class_id);
    db_bind_text(q, 8, p->contact);
    db_bind_text(q, 9, p->support_url);
    db_bind_int(q, 10, p->allow_anonymous);
    db_bind_int(q, 11, p->payload_in_clear);
    db_bind_int(q, 12, p->poll_s);
    db_bind_text(q, 13, p->components);
    db_bind_int(q, 14, p->created_ms);
    db_bind_int(q, 15, p->changed_ms);
    return db_run(q);
}

enum err product_list(struct db *db, const char *after, int limit,
                      bool (*each)(void *ctx, const struct product *p), void *ctx)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM product WHERE name > $1 ORDER BY name LIMIT $2";
    struct db_query *q = NULL;
    struct product p;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_text(q, 1, after);
    db_bind_int(q, 2, limit);
    while ((e = db_step(q)) == ERR_OK) {
        read_row(q, &p);
        if (!each(ctx, &p))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err product_count(struct db *db, int64_t *count_out)
{
    static const char SQL[] = "SELECT count(*) FROM product";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    e = db_step(q);
    if (e == ERR_OK)
        *count_out = db_int(q, 0);
    db_done(q);
    return e;
}

enum err product_is_fixed(struct db *db, int32_t product, bool *fixed_out)
{
    static const char SQL[] = "SELECT 1 FROM release WHERE product = $1 LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    e = db_step(q);
    *fixed_out = e == ERR_OK;
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

#define SUPPORT "kind, end_month, rationale, published_ms"

static void read_support(struct db_query *q, struct support *s)
{
    memset(s, 0, sizeof *s);
    db_copy_text(q, 0, s->kind, sizeof s->kind);
    s->end_month = (int32_t)db_int(q, 1);
    db_copy_text(q, 2, s->rationale, sizeof s->rationale);
    s->published_ms = db_int(q, 3);
}

enum err support_add(struct db *db, int32_t product, const struct support *s)
{
    static const char SQL[] =
        "INSERT INTO support_period (product, n, kind, component, end_month, rationale,"
        " published_ms) VALUES ($1,"
        " (SELECT coalesce(max(n), 0) + 1 FROM support_period WHERE product = $1),"
        " $2, '', $3, $4, $5)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    db_bind_text(q, 2, s->kind);
    db_bind_int(q, 3, s->end_month);
    db_bind_text(q, 4, s->rationale);
    db_bind_int(q, 5, s->published_ms);
    return db_run(q);
}

enum err support_last(struct db *db, int32_t product, struct support *support_out)
{
    static const char SQL[] =
        "SELECT " SUPPORT " FROM support_period WHERE product = $1 ORDER BY n DESC LIMIT 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    e = db_step(q);
    if (e == ERR_OK)
        read_support(q, support_out);
    db_done(q);
    return e;
}

enum err support_list(struct db *db, int32_t product,
                      bool (*each)(void *ctx, const struct support *s), void *ctx)
{
    static const char SQL[] =
        "SELECT " SUPPORT " FROM support_period WHERE product = $1 ORDER BY n";
    struct db_query *q = NULL;
    struct support s;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    while ((e = db_step(q)) == ERR_OK) {
        read_support(q, &s);
        if (!each(ctx, &s))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
