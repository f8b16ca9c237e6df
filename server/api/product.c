#include "engine/product.h"
#include "api/call.h"
#include "engine/rollout.h"

#include <stdio.h>
#include <string.h>

static bool is_name(const char *s)
{
    size_t n = strlen(s);

    return n >= 1 && n < PRODUCT_NAME && s[0] != '-' && s[n - 1] != '-' &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* Labels of letters, digits and hyphens, at least two (RFC 1123, 2.1). */
static bool is_domain(const char *s)
{
    bool dot = false;
    size_t label = 0;

    for (; *s != '\0'; s++) {
        if (*s == '.') {
            if (label == 0 || s[-1] == '-')
                return false;
            dot = true;
            label = 0;
        } else if ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
                   (*s == '-' && label > 0)) {
            if (++label > 63)
                return false;
        } else {
            return false;
        }
    }
    return dot && label > 0 && s[-1] != '-';
}

static bool starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0 && strlen(s) > strlen(with);
}

static void read_month(struct fields *f, bool required, int32_t *month_out)
{
    char text[16];
    int year = 0, month = 0;

    if (!field_text(f, "support_end", required, 1, sizeof text - 1, text))
        return;
    if (strlen(text) != 7 || strspn(text, "0123456789") != 4 || text[4] != '-' ||
        strspn(text + 5, "0123456789") != 2 || sscanf(text, "%4d-%2d", &year, &month) != 2 ||
        year < 2000 || year > 2200 || month < 1 || month > 12)
        field_bad(f, "support_end", "must be YYYY-MM");
    else
        *month_out = year * 12 + month - 1;
}

static void read_components(struct fields *f, char out[PRODUCT_COMPONENTS])
{
    json_t *v = field_any(f, "components");
    char *text;

    if (v == NULL || json_is_null(v))
        return;
    if (!json_is_array(v) || json_array_size(v) < 1 || json_array_size(v) > 8) {
        field_bad(f, "components", "must be an array of 1 to 8 names");
        return;
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        json_t *name = json_array_get(v, i);

        if (!json_is_string(name) || json_string_length(name) < 1 ||
            json_string_length(name) > 64) {
            field_bad(f, "components", "must be strings of 1 to 64 bytes");
            return;
        }
    }
    text = json_dumps(v, JSON_COMPACT);
    if (text == NULL || strlen(text) >= PRODUCT_COMPONENTS)
        field_bad(f, "components", "are too long together");
    else
        memcpy(out, text, strlen(text) + 1);
    free(text);
}

/* Into a row that has the old values, or the defaults. */
static enum err read_change(struct call *c, bool is_new, struct product_change *change)
{
    struct product *p = &change->row;
    struct fields f;
    int64_t poll_s = p->poll_s;

    fields_open(&f, c, c->in, "");
    if (field_text(&f, "vendor_domain", is_new, 1, 253, p->vendor_domain) &&
        !is_domain(p->vendor_domain))
        field_bad(&f, "vendor_domain", "must be a domain name in lower case");
    field_text(&f, "vendor_name", is_new, 1, 128, p->vendor_name);
    field_text(&f, "model", is_new, 1, sizeof p->model - 1, p->model);
    read_month(&f, is_new, &change->end_month);
    field_text(&f, "rationale", false, 0, sizeof change->rationale - 1, change->rationale);
    field_bool(&f, "shorten", &change->shorten);
    if (field_text(&f, "contact", is_new, 1, 254, p->contact) && !starts(p->contact, "mailto:") &&
        !starts(p->contact, "https://"))
        field_bad(&f, "contact", "must be a mailto: or https: URI");
    if (field_text(&f, "support_url", false, 0, 200, p->support_url) && p->support_url[0] != '\0' &&
        !starts(p->support_url, "https://"))
        field_bad(&f, "support_url", "must be an https: URL");
    field_bool(&f, "allow_anonymous", &p->allow_anonymous);
    field_bool(&f, "payload_in_clear", &p->payload_in_clear);
    field_int(&f, "poll_s", false, 30, 604800, &poll_s);
    p->poll_s = (int32_t)poll_s;
    read_components(&f, p->components);
    return fields_end(&f);
}

static bool add_period(void *ctx, const struct support *s)
{
    json_t *list = ctx;

    json_array_append_new(
        list,
        json_pack("{s:s, s:o, s:o, s:o}", "kind", s->kind, "end", json_month(s->end_month),
                  "rationale", s->rationale[0] != '\0' ? json_string(s->rationale) : json_null(),
                  "published_at", json_time(s->published_ms)));
    return true;
}

json_t *json_product(struct call *c, struct db *db, const struct product *p)
{
    char url[PRODUCT_TEXT];
    json_t *periods = json_array();
    json_t *last;
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "product", p->name, "vendor_domain",
                  p->vendor_domain, "vendor_name", p->vendor_name, "model", p->model, "vendor_id",
                  json_uuid(p->vendor_id), "class_id", json_uuid(p->class_id));

    support_list(db, p->id, add_period, periods);
    last = json_array_get(periods, json_array_size(periods) - 1);
    json_object_set(out, "support_end", json_object_get(last, "end"));
    json_object_set(out, "rationale", json_object_get(last, "rationale"));
    json_object_set_new(out, "support_periods", periods);
    product_support_url(p, c->engine->config.public_url, url, sizeof url);
    json_object_set_new(out, "contact", json_string(p->contact));
    json_object_set_new(out, "support_url", url[0] != '\0' ? json_string(url) : json_null());
    json_object_set_new(out, "allow_anonymous", json_boolean(p->allow_anonymous));
    json_object_set_new(out, "payload_in_clear", json_boolean(p->payload_in_clear));
    json_object_set_new(out, "poll_s", json_integer(p->poll_s));
    json_object_set_new(out, "components", json_loads(p->components, 0, NULL));
    json_object_set_new(out, "created_at", json_time(p->created_ms));
    json_object_set_new(out, "changed_at", json_time(p->changed_ms));
    return out;
}

enum err product_set_call(struct call *c, struct db *db)
{
    struct product_change change = { .row = { .poll_s = 86400, .components = "[\"main\"]" } };
    struct support last = { 0 };
    bool created = false;
    enum err e;

    if (!is_name(call_param(c, "product")))
        return call_bad(c, ERR_INVALID, "product", "must be 1 to 63 of a-z, 0-9 and -");
    e = product_by_name(db, call_param(c, "product"), &change.row);
    if (e == ERR_OK)
        e = support_last(db, change.row.id, &last);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    snprintf(change.row.name, sizeof change.row.name, "%s", call_param(c, "product"));
    change.end_month = last.end_month;
    e = read_change(c, change.row.id == 0, &change);
    if (e == ERR_OK)
        e = product_change(c->engine, db, &c->actor, c->now_ms, &change, &created);
    if (e != ERR_OK)
        return e;
    c->out = json_product(c, db, &change.row);
    c->status = created ? 201 : 200;
    return ERR_OK;
}

enum err product_show_call(struct call *c, struct db *db)
{
    struct product p;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        c->out = json_product(c, db, &p);
    return e;
}

struct page {
    struct call *c;
    struct db *db;
    json_t *list;
    int limit;
    char last[PRODUCT_NAME];
    bool more;
};

static bool add_product(void *ctx, const struct product *p)
{
    struct page *page = ctx;

    if (!actor_reaches(&page->c->actor, p->name))
        return true;
    if ((int)json_array_size(page->list) == page->limit) {
        page->more = true;
        return false;
    }
    json_array_append_new(page->list, json_product(page->c, page->db, p));
    memcpy(page->last, p->name, sizeof page->last);
    return true;
}

enum err product_list_call(struct call *c, struct db *db)
{
    struct page page = { .c = c, .db = db };
    const char *after = http_query(c->req, "after");
    enum err e = call_page(c, &page.limit);

    if (e != ERR_OK)
        return e;
    page.list = json_array();
    c->out = json_pack("{s:o}", "products", page.list);
    e = product_list(db, after != NULL ? after : "", INT32_MAX, add_product, &page);
    json_object_set_new(c->out, "next", page.more ? json_string(page.last) : json_null());
    return e;
}
