#include "engine/release.h"
#include "api/call.h"
#include "engine/rollout.h"

#include <stdlib.h>
#include <string.h>

static const char *state_name(enum release_state state)
{
    static const char *const NAMES[] = { "?", "open", "held", "halted", "withdrawn" };

    return NAMES[state >= RELEASE_OPEN && state <= RELEASE_WITHDRAWN ? state : 0];
}

/* update-priority: below 100 critical, below 1000 security, from there on feature. */
static const char *severity(const struct release *r)
{
    return !r->has_priority || r->priority >= 1000 ? "feature"
           : r->priority < 100                     ? "critical"
                                                   : "security";
}

static json_t *json_payloads(struct db *db, int32_t release)
{
    struct payload list[RELEASE_PAYLOADS];
    unsigned n = 0;
    json_t *out = json_array();

    if (release_payloads(db, release, list, &n) != ERR_OK)
        return out;
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(out, json_pack("{s:o, s:o}", "sha256", json_hex(list[i].digest, 32),
                                             "size", json_number((uint64_t)list[i].size)));
    return out;
}

static json_t *json_release(struct db *db, const struct release *r)
{
    struct product p = { .id = 0 };
    struct rollout rollout = { .id = 0 };
    bool has_rollout = rollout_by_release(db, r->id, &rollout) == ERR_OK;
    json_t *out;

    product_by_id(db, r->product, &p);
    out = json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:s}", "id", r->id, "product", p.name,
                    "sequence", json_number((uint64_t)r->sequence), "digest",
                    json_hex(r->digest, 32), "class_id", json_uuid(r->class_id), "component",
                    json_hex(r->component, r->component_n), "version", r->version);
    json_object_set_new(out, "priority", r->has_priority ? json_integer(r->priority) : json_null());
    json_object_set_new(out, "severity", json_string(severity(r)));
    json_object_set_new(out, "state", json_string(state_name(r->state)));
    json_object_set_new(out, "offered", json_boolean(r->offered));
    json_object_set_new(out, "size", json_number((uint64_t)r->size));
    json_object_set_new(out, "envelope_size", json_integer(r->envelope_size));
    json_object_set_new(out, "payloads", json_payloads(db, r->id));
    json_object_set_new(out, "key_id", json_hex(r->key_id, 32));
    json_object_set_new(out, "rollout", has_rollout ? json_integer(rollout.id) : json_null());
    json_object_set_new(out, "created_at", json_time(r->created_ms));
    return out;
}

enum err release_publish_call(struct call *c, struct db *db)
{
    struct lsuit_bytes doc = { c->req->body, c->req->body_size };
    struct product p;
    struct release r;
    bool created = false;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK && doc.len == 0)
        return call_bad(c, ERR_INVALID, "body", "is empty");
    if (e == ERR_OK)
        e = release_publish(c->engine, db, &c->actor, c->now_ms, &p, doc, &r, &created);
    if (e != ERR_OK)
        return e;
    c->out = json_release(db, &r);
    c->status = created ? 201 : 200;
    return ERR_OK;
}

static bool add_release(void *ctx, const struct release *r)
{
    struct id_page *page = ctx;

    return !id_page_full(page) && id_page_add(page, r->id, json_release(page->db, r));
}

enum err release_list_call(struct call *c, struct db *db)
{
    struct id_page page;
    int32_t before = 0;
    struct product p;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        e = id_page_open(c, db, "releases", INT32_MAX, &page, &before);
    if (e != ERR_OK)
        return e;
    e = release_list(db, p.id, before, page.limit + 1, add_release, &page);
    id_page_close(&page);
    return e;
}

/* The release of the path, in scope. */
static enum err named(struct call *c, struct db *db, struct release *r)
{
    int32_t id = 0;
    enum err e = call_id(c, &id);

    if (e == ERR_OK)
        e = release_by_id(db, id, r);
    return e == ERR_OK ? call_scope(c, db, r->product) : e;
}

enum err release_show_call(struct call *c, struct db *db)
{
    struct release r;
    enum err e = named(c, db, &r);

    if (e == ERR_OK)
        c->out = json_release(db, &r);
    return e;
}

enum err release_envelope_call(struct call *c, struct db *db)
{
    struct release r;
    void *bytes = NULL;
    size_t n = 0;
    enum err e = named(c, db, &r);

    if (e == ERR_OK)
        e = release_read(db, r.id, RELEASE_ENVELOPE, &bytes, &n, NULL);
    if (e != ERR_OK)
        return e;
    http_reply_init(&c->reply, 200);
    http_reply_take_body(&c->reply, "application/suit-envelope+cose", bytes, n);
    c->replied = true;
    return ERR_OK;
}

enum err release_withdraw_call(struct call *c, struct db *db)
{
    char reason[512];
    struct release r;
    enum err e = named(c, db, &r);

    if (e == ERR_OK)
        e = field_reason(c, reason);
    if (e == ERR_OK)
        e = release_withdraw(c->engine, db, &c->actor, c->now_ms, reason, &r);
    if (e == ERR_OK)
        c->out = json_release(db, &r);
    return e;
}
