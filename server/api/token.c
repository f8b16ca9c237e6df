#include "api/call.h"
#include "engine/product.h"

#include <stdio.h>
#include <string.h>

static const char *const ROLES[] = { "none", "viewer", "publisher", "operator", "admin" };

/* " lamp plug " as ["lamp", "plug"], nothing as null. */
static json_t *json_products(const char *products)
{
    json_t *list;

    if (products[0] == '\0')
        return json_null();
    list = json_array();
    for (const char *p = products; *p == ' ' && p[1] != '\0';) {
        size_t n = strcspn(p + 1, " ");

        json_array_append_new(list, json_stringn(p + 1, n));
        p += n + 1;
    }
    return list;
}

static json_t *json_credential(const struct credential *c)
{
    return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o}", "id", c->id, "name", c->name, "role",
                     ROLES[c->role], "products", json_products(c->products), "created_at",
                     json_time(c->created_ms), "expires_at", json_time(c->expires_ms), "revoked_at",
                     json_time(c->revoked_ms));
}

static void bootstrap_over(struct call *c)
{
    bootstrap_clean(c->engine);
}

enum err bootstrap_call(struct call *c, struct db *db)
{
    struct credential made = { .name = "admin" };
    char token[TOKEN_TEXT];
    struct fields f;
    enum err e;

    fields_open(&f, c, c->in, "");
    field_text(&f, "name", false, 1, sizeof made.name - 1, made.name);
    e = fields_end(&f);
    if (e == ERR_OK)
        e = bootstrap_use(c->engine, db, c->digest, c->now_ms, &made, token);
    if (e != ERR_OK)
        return e;
    c->out = json_credential(&made);
    json_object_set_new(c->out, "token", json_string(token));
    c->status = 201;
    c->after = bootstrap_over;
    return ERR_OK;
}

static bool add_credential(void *ctx, const struct credential *c)
{
    struct id_page *p = ctx;

    return !id_page_full(p) && id_page_add(p, c->id, json_credential(c));
}

enum err token_list_call(struct call *c, struct db *db)
{
    struct id_page p;
    int32_t after = 0;
    enum err e = id_page_open(c, db, "tokens", 0, &p, &after);

    if (e != ERR_OK)
        return e;
    e = credential_list(db, after, p.limit + 1, add_credential, &p);
    id_page_close(&p);
    return e;
}

/* A list of product names into " lamp plug ". */
static void read_products(struct fields *f, char *out, size_t size)
{
    json_t *v = field_any(f, "products");
    size_t n = 0;

    out[0] = '\0';
    if (v == NULL || json_is_null(v))
        return;
    if (!json_is_array(v) || json_array_size(v) < 1 || json_array_size(v) > 64) {
        field_bad(f, "products", "must be an array of 1 to 64 names, or null");
        return;
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        const char *name = json_string_value(json_array_get(v, i));

        if (name == NULL || name[0] == '\0' ||
            strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name) ||
            strlen(name) >= PRODUCT_NAME) {
            field_bad(f, "products", "must be names of products");
            return;
        }
        n += (size_t)snprintf(out + n, size - n, " %s", name);
    }
    snprintf(out + n, size - n, " ");
}

static enum role read_role(struct fields *f)
{
    char text[16];

    if (!field_text(f, "role", true, 1, sizeof text - 1, text))
        return ROLE_NONE;
    for (int i = ROLE_VIEWER; i <= ROLE_ADMIN; i++)
        if (strcmp(text, ROLES[i]) == 0)
            return (enum role)i;
    field_bad(f, "role", "must be viewer, publisher, operator or admin");
    return ROLE_NONE;
}

enum err token_make_call(struct call *c, struct db *db)
{
    struct credential made = { .id = 0 };
    char token[TOKEN_TEXT];
    struct fields f;
    int64_t expires_s = 0;
    enum err e;

    fields_open(&f, c, c->in, "");
    field_text(&f, "name", true, 1, sizeof made.name - 1, made.name);
    made.role = read_role(&f);
    read_products(&f, made.products, sizeof made.products);
    if (made.role == ROLE_ADMIN && made.products[0] != '\0')
        field_bad(&f, "products", "an admin is for all products");
    if (field_int(&f, "expires_s", false, 60, 315360000, &expires_s))
        made.expires_ms = c->now_ms + expires_s * 1000;
    e = fields_end(&f);
    if (e == ERR_OK)
        e = credential_make(db, &c->actor, c->now_ms, &made, token);
    if (e != ERR_OK)
        return e;
    c->out = json_credential(&made);
    json_object_set_new(c->out, "token", json_string(token));
    c->status = 201;
    return ERR_OK;
}

enum err token_revoke_call(struct call *c, struct db *db)
{
    int32_t id = 0;
    enum err e = call_id(c, &id);

    return e == ERR_OK ? credential_end(db, &c->actor, c->now_ms, id) : e;
}
