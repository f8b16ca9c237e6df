#include "template.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "encrypt.h"
#include "envelope.h"
#include "lsuit/cbor.h"
#include "lsuit/uuid.h"

/* update-priority of a severity word (SPEC.md: below 100 critical, below 1000 security). */
#define PRIORITY_CRITICAL 50
#define PRIORITY_SECURITY 500
#define PRIORITY_FEATURE 5000

static struct lsuit_bytes text_bytes(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

/* Longest name of a field, as "components[1].slots[0].payload". */
#define FIELD_MAX 160

/* --- reading ------------------------------------------------------------------------------ */

static int wrong(const char *field, const char *why)
{
    return cli_fail("template: %s: %s", field, why);
}

/* Every member must be one of `names` (a NULL-ended list). */
static int known_only(const json_t *o, const char *where, const char *const *names)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)o, key, value)
    {
        size_t i = 0;
        char field[160];

        while (names[i] != NULL && strcmp(names[i], key) != 0)
            i++;
        if (names[i] == NULL) {
            snprintf(field, sizeof field, "%s%s", where, key);
            return wrong(field, "unknown field");
        }
    }
    return CLI_OK;
}

/* A string member into a buffer; absent leaves it empty unless it is required. */
static int get_text(const json_t *o, const char *where, const char *key, bool required, char *out,
                    size_t cap)
{
    const json_t *v = json_object_get(o, key);
    char field[160];

    snprintf(field, sizeof field, "%s%s", where, key);
    if (v == NULL)
        return required ? wrong(field, "is missing") : CLI_OK;
    if (!json_is_string(v))
        return wrong(field, "must be a string");
    if (json_string_length(v) == 0)
        return wrong(field, "must not be empty");
    if (json_string_length(v) >= cap || strlen(json_string_value(v)) != json_string_length(v))
        return wrong(field, "is too long or holds a NUL");
    memcpy(out, json_string_value(v), json_string_length(v) + 1);
    return CLI_OK;
}

static int get_bool(const json_t *o, const char *where, const char *key, bool *given, bool *out)
{
    const json_t *v = json_object_get(o, key);
    char field[160];

    snprintf(field, sizeof field, "%s%s", where, key);
    if (v == NULL)
        return CLI_OK;
    if (!json_is_boolean(v))
        return wrong(field, "must be true or false");
    *out = json_is_true(v);
    if (given != NULL)
        *given = true;
    return CLI_OK;
}

/* A whole number, or a decimal string of one (JSON numbers end at 2^53). */
static int get_uint(const json_t *o, const char *where, const char *key, uint64_t max, bool *given,
                    uint64_t *out)
{
    const json_t *v = json_object_get(o, key);
    char field[160];
    uint64_t n = 0;

    snprintf(field, sizeof field, "%s%s", where, key);
    if (v == NULL)
        return CLI_OK;
    if (json_is_string(v) ? !parse_uint(json_string_value(v), &n)
                          : !json_is_integer(v) || json_integer_value(v) < 0)
        return wrong(field, "must be a whole number");
    if (json_is_integer(v))
        n = (uint64_t)json_integer_value(v);
    if (n > max)
        return wrong(field, "is too large");
    *out = n;
    if (given != NULL)
        *given = true;
    return CLI_OK;
}

/* ["main"] or [{"hex": "00"}]: an encoded SUIT_Component_Identifier. */
static int get_component_id(const json_t *v, const char *field, uint8_t *out, size_t cap,
                            size_t *n_out)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(out, cap);
    struct lsuit_bytes doc;
    size_t i;
    json_t *segment;

    if (!json_is_array(v) || json_array_size(v) == 0)
        return wrong(field, "must be an array of strings or {\"hex\": ...}");
    lsuit_put_array(&w, (uint32_t)json_array_size(v));
    json_array_foreach((json_t *)v, i, segment)
    {
        uint8_t bytes[64];
        const char *hex = json_string_value(json_object_get(segment, "hex"));

        if (json_is_string(segment)) {
            lsuit_put_bstr(&w, (struct lsuit_bytes){ (const uint8_t *)json_string_value(segment),
                                                     json_string_length(segment) });
            continue;
        }
        if (hex == NULL || strlen(hex) / 2 > sizeof bytes || !hex_get(hex, bytes, strlen(hex) / 2))
            return wrong(field, "must be an array of strings or {\"hex\": ...}");
        lsuit_put_bstr(&w, (struct lsuit_bytes){ bytes, strlen(hex) / 2 });
    }
    if (lsuit_put_finish(&w, &doc) != LSUIT_OK)
        return wrong(field, "is too long");
    *n_out = doc.len;
    return CLI_OK;
}

/* dir and name, unless the name stands for itself. */
static int get_path(const json_t *o, const char *where, const char *key, const char *dir, char *out)
{
    char name[TEMPLATE_PATH_MAX / 2] = "";
    int e = get_text(o, where, key, true, name, sizeof name);

    if (e != CLI_OK)
        return e;
    if (snprintf(out, TEMPLATE_PATH_MAX, "%s%s", name[0] == '/' ? "" : dir, name) >=
        TEMPLATE_PATH_MAX)
        return wrong(where, "path too long");
    return CLI_OK;
}

/* The file under `key`, and how it is reached. */
static int read_image(const json_t *o, const char *where, const char *key, const char *dir,
                      struct template_image *img)
{
    int e = get_path(o, where, key, dir, img->path);

    if (e == CLI_OK)
        e = get_text(o, where, "uri", false, img->uri, sizeof img->uri);
    if (e == CLI_OK)
        e = get_bool(o, where, "integrated", NULL, &img->integrated);
    return e;
}

/* The next component of the manifest, with its id. NULL: said what is wrong. */
static struct template_component *add_component(const json_t *o, const char *where,
                                                enum template_role role, struct template *t)
{
    struct template_component *c = &t->component[t->components];
    char field[FIELD_MAX];

    if (t->components == LSUIT_MAX_COMPONENTS) {
        wrong("components", "more components than this build takes");
        return NULL;
    }
    *c = (struct template_component){
        .role = role, .images = 1, .source = TEMPLATE_NO_COMPONENT, .base = TEMPLATE_NO_COMPONENT
    };
    snprintf(field, sizeof field, "%sid", where);
    if (get_component_id(json_object_get(o, "id"), field, c->id, sizeof c->id, &c->id_n) != CLI_OK)
        return NULL;
    for (size_t k = 0; k < t->components; k++)
        if (t->component[k].id_n == c->id_n && memcmp(t->component[k].id, c->id, c->id_n) == 0) {
            wrong(field, "two components have the same id");
            return NULL;
        }
    t->components++;
    return c;
}

static int read_slots(const json_t *o, const char *where, const char *dir,
                      struct template_component *c)
{
    static const char *const NAMES[] = { "payload", "uri", "integrated", NULL };
    const json_t *slots = json_object_get(o, "slots");
    char field[FIELD_MAX];
    int e = CLI_OK;

    snprintf(field, sizeof field, "%sslots", where);
    if (!json_is_array(slots) || json_array_size(slots) != 2)
        return wrong(field, "must be an array of two images");
    for (size_t i = 0; NAMES[i] != NULL; i++)
        if (json_object_get(o, NAMES[i]) != NULL)
            return wrong(field, "payload, uri and integrated stand in each slot, not beside slots");
    c->images = 2;
    for (size_t i = 0; i < 2 && e == CLI_OK; i++) {
        const json_t *slot = json_array_get(slots, i);

        snprintf(field, sizeof field, "%sslots[%zu]", where, i);
        if (!json_is_object(slot))
            return wrong(field, "must be an object");
        snprintf(field, sizeof field, "%sslots[%zu].", where, i);
        e = known_only(slot, field, NAMES);
        if (e == CLI_OK)
            e = read_image(slot, field, "payload", dir, &c->image[i]);
    }
    return e;
}

static int read_encryption(const json_t *o, const char *where, const char *dir,
                           struct template_encryption *encryption)
{
    static const char *const NAMES[] = { "to", "kid", "content", NULL };
    char content[16] = "A128GCM", field[FIELD_MAX];
    int e = json_is_object(o) ? CLI_OK : wrong(where, "must be an object");

    snprintf(field, sizeof field, "%.100s.", where);
    if (e == CLI_OK)
        e = known_only(o, field, NAMES);
    if (e == CLI_OK)
        e = get_path(o, field, "to", dir, encryption->to);
    if (e == CLI_OK)
        e = get_text(o, field, "kid", false, encryption->kid, sizeof encryption->kid);
    if (e == CLI_OK)
        e = get_text(o, field, "content", false, content, sizeof content);
    if (e != CLI_OK)
        return e;
    snprintf(field, sizeof field, "%.100s.content", where);
    if (strcmp(content, "A128GCM") == 0)
        encryption->alg = LSUIT_ALG_A128GCM;
    else if (strcmp(content, "A128CTR") == 0)
        encryption->alg = LSUIT_ALG_A128CTR;
    else
        return wrong(field, "must be A128GCM or A128CTR");
    return CLI_OK;
}

/*
 * A member that is a component of its own: "source", which the image is copied from, or "base",
 * which must be there before. Absent: TEMPLATE_NO_COMPONENT.
 */
static int read_partner(const json_t *o, const char *where, const char *key, const char *dir,
                        enum template_role role, struct template *t, size_t *index_out)
{
    static const char *const SOURCE[] = { "id", "payload", "uri", "integrated", NULL };
    static const char *const BASE[] = { "id", "payload", NULL };
    const json_t *partner = json_object_get(o, key);
    struct template_component *c;
    char field[FIELD_MAX];
    int e;

    snprintf(field, sizeof field, "%s%s", where, key);
    if (partner == NULL)
        return CLI_OK;
    if (!json_is_object(partner))
        return wrong(field, "must be an object");
    snprintf(field, sizeof field, "%s%s.", where, key);
    e = known_only(partner, field, role == TEMPLATE_SOURCE ? SOURCE : BASE);
    if (e != CLI_OK)
        return e;
    *index_out = t->components;
    c = add_component(partner, field, role, t);
    return c != NULL ? read_image(partner, field, "payload", dir, &c->image[0]) : CLI_FAILED;
}

static int read_partners(const json_t *o, const char *where, const char *dir, size_t own,
                         struct template *t)
{
    const json_t *encrypt = json_object_get(o, "encrypt");
    struct template_component *c = &t->component[own];
    char field[FIELD_MAX];
    int e = read_partner(o, where, "source", dir, TEMPLATE_SOURCE, t, &c->source);

    if (e == CLI_OK)
        e = read_partner(o, where, "base", dir, TEMPLATE_BASE, t, &c->base);
    if (e != CLI_OK)
        return e;
    if (c->source == TEMPLATE_NO_COMPONENT) {
        if (encrypt == NULL && c->base == TEMPLATE_NO_COMPONENT)
            return CLI_OK;
        snprintf(field, sizeof field, "%s%s", where, encrypt != NULL ? "encrypt" : "base");
        return wrong(field, "goes with a source, which is fetched in its place");
    }
    snprintf(field, sizeof field, "%ssource", where);
    if (c->images > 1 || c->image[0].uri[0] != '\0' || c->image[0].integrated)
        return wrong(field, "is what is fetched: slots, uri and integrated don't stand beside it");
    snprintf(field, sizeof field, "%sencrypt", where);
    return encrypt != NULL ? read_encryption(encrypt, field, dir, &c->encryption) : CLI_OK;
}

static int read_component(const json_t *o, size_t index, const char *dir, struct template *t)
{
    static const char *const NAMES[] = { "id",     "payload", "uri",     "integrated", "slots",
                                         "source", "base",    "encrypt", NULL };
    size_t own = t->components;
    struct template_component *c;
    char where[64];
    int e;

    snprintf(where, sizeof where, "components[%zu]", index);
    if (!json_is_object(o))
        return wrong(where, "must be an object");
    snprintf(where, sizeof where, "components[%zu].", index);
    e = known_only(o, where, NAMES);
    if (e != CLI_OK)
        return e;
    c = add_component(o, where, TEMPLATE_IMAGE, t);
    if (c == NULL)
        return CLI_FAILED;
    e = json_object_get(o, "slots") != NULL ? read_slots(o, where, dir, c)
                                            : read_image(o, where, "payload", dir, &c->image[0]);
    return e == CLI_OK ? read_partners(o, where, dir, own, t) : e;
}

static int read_dependency(const json_t *o, size_t index, const char *dir, struct template *t)
{
    static const char *const NAMES[] = { "id", "envelope", "uri", "integrated", NULL };
    struct template_component *c;
    char where[64];
    int e;

    snprintf(where, sizeof where, "dependencies[%zu]", index);
    if (!json_is_object(o))
        return wrong(where, "must be an object");
    snprintf(where, sizeof where, "dependencies[%zu].", index);
    e = known_only(o, where, NAMES);
    if (e != CLI_OK)
        return e;
    c = add_component(o, where, TEMPLATE_DEPENDENCY, t);
    if (c == NULL)
        return CLI_FAILED;
    return read_image(o, where, "envelope", dir, &c->image[0]);
}

static int read_language(const char *tag, const json_t *o, struct template_language *l)
{
    static const char *const NAMES[] = { "description", "changes", "risks-removed", "version",
                                         "vendor",      "model",   "advisories",    "disrupts",
                                         "downtime-s",  NULL };
    char where[80];
    uint64_t downtime = 0;
    const json_t *adv = json_object_get(o, "advisories");
    int e;

    snprintf(where, sizeof where, "text.%.35s", tag);
    if (strlen(tag) >= sizeof l->tag || *tag == '\0')
        return wrong(where, "the language tag must have 1 to 35 characters");
    memcpy(l->tag, tag, strlen(tag) + 1);
    if (!json_is_object(o))
        return wrong(where, "must be an object");
    snprintf(where, sizeof where, "text.%.35s.", tag);
    e = known_only(o, where, NAMES);
    if (e == CLI_OK)
        e = get_text(o, where, "description", false, l->description, sizeof l->description);
    if (e == CLI_OK)
        e = get_text(o, where, "changes", false, l->changes, sizeof l->changes);
    if (e == CLI_OK)
        e = get_text(o, where, "risks-removed", false, l->risks, sizeof l->risks);
    if (e == CLI_OK)
        e = get_text(o, where, "version", true, l->version, sizeof l->version);
    if (e == CLI_OK)
        e = get_text(o, where, "vendor", false, l->vendor_name, sizeof l->vendor_name);
    if (e == CLI_OK)
        e = get_text(o, where, "model", false, l->model_name, sizeof l->model_name);
    if (e == CLI_OK)
        e = get_bool(o, where, "disrupts", &l->has_disrupts, &l->disrupts);
    if (e == CLI_OK)
        e = get_uint(o, where, "downtime-s", UINT32_MAX, &l->has_downtime, &downtime);
    if (e != CLI_OK)
        return e;
    l->downtime_s = (uint32_t)downtime;
    if (adv == NULL)
        return CLI_OK;
    snprintf(where, sizeof where, "text.%.35s.advisories", tag);
    if (!json_is_array(adv) || json_array_size(adv) > 16)
        return wrong(where, "must be an array of at most 16 strings");
    for (size_t i = 0; i < json_array_size(adv); i++) {
        const json_t *a = json_array_get(adv, i);

        if (!json_is_string(a) || json_string_length(a) >= sizeof l->advisory[0])
            return wrong(where, "must be strings of at most 63 bytes");
        snprintf(l->advisory[l->advisories++], sizeof l->advisory[0], "%s", json_string_value(a));
    }
    return CLI_OK;
}

static int read_identity(const json_t *o, struct template *t)
{
    char domain[254] = "", model[65] = "";
    int e = get_text(o, "", "vendor-domain", true, domain, sizeof domain);

    if (e == CLI_OK)
        e = get_text(o, "", "model", true, model, sizeof model);
    if (e != CLI_OK)
        return e;
    /* the server knows it in lower case, and another case gives another id */
    for (const char *p = domain; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", *p) == NULL)
            return wrong("vendor-domain", "must be a DNS name in lower case");
    if (lsuit_uuid_vendor(text_bytes(domain), t->vendor_id) != LSUIT_OK ||
        lsuit_uuid_class(t->vendor_id, text_bytes(model), t->class_id) != LSUIT_OK)
        return cli_fail("UUIDv5 is not available");
    return CLI_OK;
}

static int read_severity(const json_t *o, struct template *t)
{
    char word[16] = "";
    uint64_t priority = 0;
    int e = get_text(o, "", "severity", false, word, sizeof word);

    if (e == CLI_OK)
        e = get_uint(o, "", "priority", INT32_MAX, &t->has_priority, &priority);
    if (e != CLI_OK)
        return e;
    if (word[0] != '\0' && t->has_priority)
        return wrong("priority", "give severity or priority, not both");
    t->priority = (int64_t)priority;
    if (word[0] == '\0')
        return CLI_OK;
    t->has_priority = true;
    if (strcmp(word, "critical") == 0)
        t->priority = PRIORITY_CRITICAL;
    else if (strcmp(word, "security") == 0)
        t->priority = PRIORITY_SECURITY;
    else if (strcmp(word, "feature") == 0)
        t->priority = PRIORITY_FEATURE;
    else
        return wrong("severity", "must be critical, security or feature");
    return CLI_OK;
}

static int read_components(const json_t *o, const char *dir, struct template *t)
{
    const json_t *list = json_object_get(o, "components");
    const json_t *dependencies = json_object_get(o, "dependencies");
    int e = CLI_OK;

    if (!json_is_array(list) || json_array_size(list) == 0)
        return wrong("components", "must be an array of at least one component");
    for (size_t i = 0; i < json_array_size(list) && e == CLI_OK; i++)
        e = read_component(json_array_get(list, i), i, dir, t);
    if (e != CLI_OK || dependencies == NULL)
        return e;
    if (!json_is_array(dependencies) || json_array_size(dependencies) == 0)
        return wrong("dependencies", "must be an array of at least one dependency");
    for (size_t i = 0; i < json_array_size(dependencies) && e == CLI_OK; i++)
        e = read_dependency(json_array_get(dependencies, i), i, dir, t);
    return e;
}

static int read_texts(const json_t *text, struct template *t)
{
    const char *tag;
    json_t *value;
    int e = CLI_OK;

    if (text == NULL)
        return wrong("text", "is missing: say in one language at least which version this is");
    if (!json_is_object(text) || json_object_size(text) == 0 ||
        json_object_size(text) > TEMPLATE_LANGUAGES)
        return wrong("text", "must be an object of one to eight languages");
    json_object_foreach((json_t *)text, tag, value)
    {
        if (e == CLI_OK)
            e = read_language(tag, value, &t->language[t->languages++]);
    }
    return e;
}

static int read_all(const json_t *o, const char *dir, struct template *t)
{
    static const char *const NAMES[] = {
        "vendor-domain", "model",        "sequence", "severity",
        "priority",      "invoke",       "text",     "manifest-component-id",
        "components",    "dependencies", NULL
    };
    const json_t *mcid = json_object_get(o, "manifest-component-id");
    int e = known_only(o, "", NAMES);

    t->invoke = true;
    if (e == CLI_OK)
        e = read_identity(o, t);
    if (e == CLI_OK)
        e = get_uint(o, "", "sequence", INT64_MAX, NULL, &t->sequence);
    if (e == CLI_OK)
        e = read_severity(o, t);
    if (e == CLI_OK)
        e = get_bool(o, "", "invoke", NULL, &t->invoke);
    if (e == CLI_OK && mcid != NULL)
        e = get_component_id(mcid, "manifest-component-id", t->manifest_component_id,
                             sizeof t->manifest_component_id, &t->manifest_component_id_n);
    if (e == CLI_OK)
        e = read_components(o, dir, t);
    if (e == CLI_OK)
        e = read_texts(json_object_get(o, "text"), t);
    return e;
}

int template_read(const char *path, struct template *t_out)
{
    json_error_t error;
    size_t n = 0;
    uint8_t *text = file_read(path, TEMPLATE_FILE_MAX, &n);
    json_t *o;
    char dir[TEMPLATE_PATH_MAX / 2] = "";
    const char *slash = strrchr(path, '/');
    int e;

    if (text == NULL)
        return CLI_FAILED;
    o = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (o == NULL)
        return cli_fail("%s: line %d: %s", path, error.line, error.text);
    if (slash != NULL &&
        snprintf(dir, sizeof dir, "%.*s", (int)(slash - path + 1), path) >= (int)sizeof dir) {
        json_decref(o);
        return cli_fail("%s: name too long", path);
    }
    memset(t_out, 0, sizeof *t_out);
    e = json_is_object(o) ? read_all(o, dir, t_out) : wrong(path, "must be a JSON object");
    json_decref(o);
    return e;
}

/* --- measuring ---------------------------------------------------------------------------- */

static int measure(struct template_image *img)
{
    int e = file_measure(img->path, img->sha256, &img->size);

    if (e == CLI_OK && img->size == 0)
        e = cli_fail("%s: is empty", img->path);
    if (e == CLI_OK && img->integrated && img->size > TEMPLATE_INTEGRATED_MAX)
        e = cli_fail("%s: an integrated payload has at most %d bytes", img->path,
                     TEMPLATE_INTEGRATED_MAX);
    return e;
}

/* A dependency is named by the digest of its manifest, and must be what a device would take. */
static int measure_dependency(struct template_component *c)
{
    const char *path = c->image[0].path;
    size_t n = 0;
    uint8_t *bytes = file_read(path, ENVELOPE_FILE_MAX, &n);
    struct lsuit_bytes doc = { bytes, n };
    struct lsuit_envelope env;
    int e = bytes != NULL ? envelope_accept(doc, path) : CLI_FAILED;

    if (e == CLI_OK)
        e = envelope_open(doc, &env);
    if (e == CLI_OK && env.digest.alg != LSUIT_ALG_SHA256)
        e = cli_fail("%s: its digest is not SHA-256", path);
    if (e == CLI_OK && !envelope_is_signed(&env))
        e = cli_fail("%s: is not signed", path);
    if (e == CLI_OK)
        memcpy(c->digest, env.digest.bytes.ptr, sizeof c->digest);
    free(bytes);
    return e;
}

static int settle_uri(struct template_image *img, size_t component, size_t slot,
                      bool allow_absolute)
{
    char hex[2 * LSUIT_SHA256_LEN + 1], ours[96];

    hex_put(img->sha256, sizeof img->sha256, hex);
    snprintf(ours, sizeof ours, "../payloads/%s", hex);
    if (img->integrated) {
        if (img->uri[0] != '\0' && img->uri[0] != '#')
            return wrong("uri", "an integrated payload is named #name");
        if (img->uri[0] == '\0')
            snprintf(img->uri, sizeof img->uri, "#c%zus%zu", component, slot);
        return CLI_OK;
    }
    if (img->uri[0] == '\0')
        snprintf(img->uri, sizeof img->uri, "%s", ours);
    if (strcmp(img->uri, ours) != 0 && !allow_absolute)
        return wrong("uri", "only ../payloads/ with the digest survives a new host name; "
                            "--absolute takes it as it stands");
    return CLI_OK;
}

/* The source of an encrypted image is made here, of the image. */
static int encrypt_source(struct template *t, struct template_component *c, bool replace)
{
    struct template_encryption *encryption = &c->encryption;
    struct encrypt_args args = { encryption->alg, encryption->to, encryption->kid, replace };
    struct lsuit_bytes info = { NULL, 0 };
    int e = encrypt_file(&args, c->image[0].path, t->component[c->source].image[0].path,
                         encryption->info, sizeof encryption->info, &info);

    encryption->info_n = info.len;
    return e;
}

static int measure_component(struct template *t, size_t i, bool allow_absolute)
{
    struct template_component *c = &t->component[i];
    int e = c->role == TEMPLATE_DEPENDENCY ? measure_dependency(c) : CLI_OK;

    for (size_t k = 0; k < c->images && e == CLI_OK; k++) {
        e = measure(&c->image[k]);
        if (e == CLI_OK)
            e = settle_uri(&c->image[k], i, k, allow_absolute);
    }
    return e;
}

int template_measure(struct template *t, bool allow_absolute, bool replace)
{
    int e = CLI_OK;

    for (size_t i = 0; i < t->components && e == CLI_OK; i++)
        if (t->component[i].encryption.alg != 0)
            e = encrypt_source(t, &t->component[i], replace);
    for (size_t i = 0; i < t->components && e == CLI_OK; i++)
        e = measure_component(t, i, allow_absolute);
    return e;
}
