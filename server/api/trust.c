#include "engine/trust.h"
#include "api/call.h"

#include <stdlib.h>
#include <string.h>

/* The version of the path: decimal, written in the one way. */
static enum err named(struct call *c, struct db *db, struct trust_set *set_out)
{
    const char *text = call_param(c, "version");
    size_t n = strspn(text, "0123456789");
    unsigned long long version = strtoull(text, NULL, 10);

    if (n == 0 || n > 10 || text[n] != '\0' || text[0] == '0' || version > UINT32_MAX)
        return ERR_NOT_FOUND;
    return trust_set_get(db, (uint32_t)version, set_out);
}

enum err trust_call(struct call *c, struct db *db)
{
    struct trust_set set;
    enum err e = named(c, db, &set);

    if (e != ERR_OK)
        return e;
    http_reply_init(&c->reply, 200);
    http_reply_etag(&c->reply, set.hash);
    http_reply_header(&c->reply, "Cache-Control", "public, max-age=31536000, immutable");
    http_reply_copy_body(&c->reply, "application/cbor", set.document, set.document_n);
    c->replied = true;
    return ERR_OK;
}

static json_t *json_keys(const struct lsuit_role *role)
{
    json_t *out = json_array();
    uint8_t id[TRUST_KEY_ID];

    for (uint32_t i = 0; i < role->keys_n; i++)
        if (trust_any_key_id(&role->keys[i], id) == ERR_OK)
            json_array_append_new(out, json_hex(id, sizeof id));
    return out;
}

static json_t *json_role(const struct lsuit_role *role)
{
    const char *name = lsuit_role_name(role->role);
    json_t *out = json_pack("{s:s, s:i, s:o}", "role", name != NULL ? name : "unknown", "threshold",
                            (int)role->threshold, "keys", json_keys(role));

    json_object_set_new(out, "vendor_id",
                        role->vendor_id.ptr != NULL ? json_uuid(role->vendor_id.ptr) : json_null());
    json_object_set_new(out, "class_id",
                        role->class_id.ptr != NULL ? json_uuid(role->class_id.ptr) : json_null());
    return out;
}

static json_t *json_trust(const struct trust_set *set)
{
    json_t *roles = json_array(), *urls = json_array();
    struct lsuit_trust trust = { 0 };
    struct lsuit_role role;
    struct lsuit_bytes url;

    if (trust_set_read(set, &trust) == ERR_OK) {
        for (uint32_t i = 0; lsuit_trust_role_at(&trust, i, &role); i++)
            json_array_append_new(roles, json_role(&role));
        for (uint32_t i = 0; lsuit_trust_url_at(&trust, i, &url); i++)
            json_array_append_new(urls, json_stringn((const char *)url.ptr, url.len));
    }
    return json_pack("{s:I, s:o, s:i, s:o, s:i, s:o, s:o}", "version", (json_int_t)set->version,
                     "sha256", json_hex(set->hash, 32), "size", (int)set->document_n, "roles",
                     roles, "anchors", (int)trust.anchors_n, "urls", urls, "created_at",
                     json_time(set->created_ms));
}

enum err trust_publish_call(struct call *c, struct db *db)
{
    struct lsuit_bytes doc = { c->req->body, c->req->body_size };
    struct trust_set set;
    bool created = false;
    enum err e;

    if (doc.len == 0)
        return call_bad(c, ERR_INVALID, "body", "is empty");
    e = trust_set_publish(c->engine, db, &c->actor, c->now_ms, doc, &set, &created);
    if (e != ERR_OK)
        return e;
    c->out = json_trust(&set);
    c->status = created ? 201 : 200;
    return ERR_OK;
}

static bool add_set(void *ctx, const struct trust_set *set)
{
    struct id_page *page = ctx;

    return !id_page_full(page) && id_page_add(page, set->version, json_trust(set));
}

enum err trust_list_call(struct call *c, struct db *db)
{
    struct id_page page;
    int32_t after = 0;
    enum err e = id_page_open(c, db, "trust", 0, &page, &after);

    if (e != ERR_OK)
        return e;
    e = trust_set_list(db, (uint32_t)after, page.limit + 1, add_set, &page);
    id_page_close(&page);
    return e;
}
