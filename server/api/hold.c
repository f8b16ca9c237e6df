#include "engine/hold.h"
#include "api/call.h"

#include <string.h>

static enum err read_hold(struct call *c, struct hold *h)
{
    char attribute[32];
    struct fields f;
    int64_t release = 0;

    fields_open(&f, c, c->in, "");
    if (c->in == NULL)
        field_bad(&f, "attribute", "is missing");
    if (field_text(&f, "attribute", true, 1, sizeof attribute - 1, attribute) &&
        !hold_attribute_find(attribute, &h->attribute))
        field_bad(&f, "attribute", "must be hw_revision");
    field_text(&f, "value", true, 1, sizeof h->value - 1, h->value);
    field_text(&f, "reason", true, 1, sizeof h->reason - 1, h->reason);
    field_int(&f, "release", false, 1, INT32_MAX, &release);
    h->release = (int32_t)release;
    return fields_end(&f);
}

static json_t *json_hold(const char *product, const struct hold *h)
{
    return json_pack("{s:i, s:s, s:o, s:s, s:s, s:s, s:o}", "id", h->id, "product", product,
                     "release", h->release != 0 ? json_integer(h->release) : json_null(),
                     "attribute", hold_attribute_name(h->attribute), "value", h->value, "reason",
                     h->reason, "created_at", json_time(h->created_ms));
}

enum err hold_add_call(struct call *c, struct db *db)
{
    struct hold h = { .id = 0 };
    struct product p;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        e = read_hold(c, &h);
    h.product = p.id;
    if (e == ERR_OK)
        e = hold_place(c->engine, db, &c->actor, c->now_ms, p.name, &h);
    if (e != ERR_OK)
        return e;
    c->out = json_hold(p.name, &h);
    c->status = 201;
    return ERR_OK;
}

enum err hold_remove_call(struct call *c, struct db *db)
{
    struct product p;
    struct hold h;
    int32_t id = 0;
    enum err e = call_id(c, &id);

    if (e == ERR_OK)
        e = hold_by_id(db, id, &h);
    if (e == ERR_OK)
        e = call_scope(c, db, h.product);
    if (e == ERR_OK)
        e = product_by_id(db, h.product, &p);
    return e == ERR_OK ? hold_lift(c->engine, db, &c->actor, c->now_ms, p.name, &h) : e;
}

struct hold_page {
    struct id_page page;
    const char *product;
};

static bool add_hold(void *ctx, const struct hold *h)
{
    struct hold_page *p = ctx;

    return !id_page_full(&p->page) && id_page_add(&p->page, h->id, json_hold(p->product, h));
}

enum err hold_list_call(struct call *c, struct db *db)
{
    struct product p;
    struct hold_page list = { .product = p.name };
    int32_t after = 0;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        e = id_page_open(c, db, "holds", 0, &list.page, &after);
    if (e != ERR_OK)
        return e;
    e = hold_list(db, p.id, after, add_hold, &list);
    id_page_close(&list.page);
    return e;
}
