#include "template.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "envelope.h"
#include "lsuit/cbor.h"
#include "lsuit/uuid.h"

/* SUIT_Rep_Policy for conditions and directives: report on failure, with system information. */
#define REPORT_CONDITION 15
#define REPORT_DIRECTIVE 2

/* update-priority of a severity word (SPEC.md: below 100 critical, below 1000 security). */
#define PRIORITY_CRITICAL 50
#define PRIORITY_SECURITY 500
#define PRIORITY_FEATURE 5000

static struct lsuit_bytes text_bytes(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

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

static int read_image(const json_t *o, const char *where, const char *dir,
                      struct template_image *img)
{
    char name[TEMPLATE_PATH_MAX / 2] = "";
    bool integrated = false;
    int e = get_text(o, where, "payload", true, name, sizeof name);

    if (e == CLI_OK)
        e = get_text(o, where, "uri", false, img->uri, sizeof img->uri);
    if (e == CLI_OK)
        e = get_bool(o, where, "integrated", NULL, &integrated);
    if (e != CLI_OK)
        return e;
    img->integrated = integrated;
    if (snprintf(img->path, sizeof img->path, "%s%s", name[0] == '/' ? "" : dir, name) >=
        (int)sizeof img->path)
        return wrong(where, "path too long");
    return CLI_OK;
}

static int read_component(const json_t *o, size_t index, const char *dir,
                          struct template_component *c)
{
    static const char *const NAMES[] = { "id", "payload", "uri", "integrated", "slots", NULL };
    static const char *const SLOT_NAMES[] = { "payload", "uri", "integrated", NULL };
    char where[64], field[96];
    const json_t *slots = json_object_get(o, "slots");
    int e;

    snprintf(where, sizeof where, "components[%zu]", index);
    if (!json_is_object(o))
        return wrong(where, "must be an object");
    snprintf(where, sizeof where, "components[%zu].", index);
    e = known_only(o, where, NAMES);
    if (e != CLI_OK)
        return e;
    snprintf(field, sizeof field, "%sid", where);
    e = get_component_id(json_object_get(o, "id"), field, c->id, sizeof c->id, &c->id_n);
    if (e != CLI_OK)
        return e;
    if (slots == NULL) {
        c->images = 1;
        return read_image(o, where, dir, &c->image[0]);
    }
    snprintf(field, sizeof field, "%sslots", where);
    if (!json_is_array(slots) || json_array_size(slots) != 2)
        return wrong(field, "must be an array of two images");
    if (json_object_get(o, "payload") != NULL || json_object_get(o, "uri") != NULL ||
        json_object_get(o, "integrated") != NULL)
        return wrong(field, "payload, uri and integrated stand in each slot, not beside slots");
    c->images = 2;
    for (size_t i = 0; i < 2 && e == CLI_OK; i++) {
        snprintf(field, sizeof field, "%sslots[%zu]", where, i);
        if (!json_is_object(json_array_get(slots, i)))
            return wrong(field, "must be an object");
        snprintf(field, sizeof field, "%sslots[%zu].", where, i);
        e = known_only(json_array_get(slots, i), field, SLOT_NAMES);
        if (e == CLI_OK)
            e = read_image(json_array_get(slots, i), field, dir, &c->image[i]);
    }
    return e;
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

static int read_components(const json_t *list, const char *dir, struct template *t)
{
    int e = CLI_OK;

    if (!json_is_array(list) || json_array_size(list) == 0)
        return wrong("components", "must be an array of at least one component");
    if (json_array_size(list) > LSUIT_MAX_COMPONENTS)
        return wrong("components", "more components than this build takes");
    for (size_t i = 0; i < json_array_size(list) && e == CLI_OK; i++) {
        e = read_component(json_array_get(list, i), i, dir, &t->component[i]);
        for (size_t k = 0; k < i && e == CLI_OK; k++)
            if (t->component[k].id_n == t->component[i].id_n &&
                memcmp(t->component[k].id, t->component[i].id, t->component[i].id_n) == 0)
                e = wrong("components", "two components have the same id");
    }
    t->components = json_array_size(list);
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
        "vendor-domain",         "model",      "sequence", "severity", "priority", "invoke", "text",
        "manifest-component-id", "components", NULL
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
        e = read_components(json_object_get(o, "components"), dir, t);
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

int template_measure(struct template *t, bool allow_absolute)
{
    for (size_t i = 0; i < t->components; i++) {
        for (size_t k = 0; k < t->component[i].images; k++) {
            struct template_image *img = &t->component[i].image[k];
            int e = measure(img);

            if (e == CLI_OK)
                e = settle_uri(img, i, k, allow_absolute);
            if (e != CLI_OK)
                return e;
        }
    }
    return CLI_OK;
}

/* --- writing ------------------------------------------------------------------------------ */

/* A command and its reporting policy. */
static void put_command(struct lsuit_cbor_writer *w, int64_t code, uint64_t policy)
{
    lsuit_put_int(w, code);
    lsuit_put_uint(w, policy);
}

static void put_index(struct lsuit_cbor_writer *w, const struct template *t, size_t i)
{
    if (t->components == 1)
        return;
    lsuit_put_int(w, LSUIT_DIR_SET_COMPONENT_INDEX);
    lsuit_put_uint(w, i);
}

static void put_all_index(struct lsuit_cbor_writer *w, const struct template *t)
{
    if (t->components == 1)
        return;
    lsuit_put_int(w, LSUIT_DIR_SET_COMPONENT_INDEX);
    lsuit_put_bool(w, true);
}

static void put_image_params(struct lsuit_cbor_writer *w, const struct template_image *img)
{
    size_t mark;

    lsuit_put_int(w, LSUIT_DIR_OVERRIDE_PARAMETERS);
    lsuit_put_map(w, 2);
    lsuit_put_int(w, LSUIT_PARAM_IMAGE_DIGEST);
    mark = lsuit_put_bstr_open(w);
    lsuit_put_digest(w, LSUIT_ALG_SHA256, (struct lsuit_bytes){ img->sha256, LSUIT_SHA256_LEN });
    lsuit_put_bstr_close(w, mark);
    lsuit_put_int(w, LSUIT_PARAM_IMAGE_SIZE);
    lsuit_put_uint(w, img->size);
}

static void put_uri_param(struct lsuit_cbor_writer *w, const struct template_image *img)
{
    lsuit_put_int(w, LSUIT_DIR_OVERRIDE_PARAMETERS);
    lsuit_put_map(w, 1);
    lsuit_put_int(w, LSUIT_PARAM_URI);
    lsuit_put_text(w, img->uri);
}

/*
 * try-each over the two slots: set the slot, ask whether it is ours, then `put` for its image.
 *
 *   items  what `put` adds to an alternative
 */
static void put_by_slot(struct lsuit_cbor_writer *w, const struct template_component *c,
                        uint32_t items,
                        void (*put)(struct lsuit_cbor_writer *, const struct template_image *))
{
    if (c->images == 1) {
        put(w, &c->image[0]);
        return;
    }
    lsuit_put_int(w, LSUIT_DIR_TRY_EACH);
    lsuit_put_array(w, 2);
    for (uint64_t slot = 0; slot < 2; slot++) {
        size_t mark = lsuit_put_bstr_open(w);

        lsuit_put_array(w, 4 + items);
        lsuit_put_int(w, LSUIT_DIR_OVERRIDE_PARAMETERS);
        lsuit_put_map(w, 1);
        lsuit_put_int(w, LSUIT_PARAM_COMPONENT_SLOT);
        lsuit_put_uint(w, slot);
        put_command(w, LSUIT_COND_COMPONENT_SLOT, REPORT_CONDITION);
        put(w, &c->image[slot]);
        lsuit_put_bstr_close(w, mark);
    }
}

static void put_identity(struct lsuit_cbor_writer *w, const struct template *t)
{
    lsuit_put_int(w, LSUIT_DIR_OVERRIDE_PARAMETERS);
    lsuit_put_map(w, t->has_priority ? 3 : 2);
    lsuit_put_int(w, LSUIT_PARAM_VENDOR_IDENTIFIER);
    lsuit_put_bstr(w, (struct lsuit_bytes){ t->vendor_id, sizeof t->vendor_id });
    lsuit_put_int(w, LSUIT_PARAM_CLASS_IDENTIFIER);
    lsuit_put_bstr(w, (struct lsuit_bytes){ t->class_id, sizeof t->class_id });
    if (t->has_priority) {
        lsuit_put_int(w, LSUIT_PARAM_UPDATE_PRIORITY);
        lsuit_put_int(w, t->priority);
    }
    put_command(w, LSUIT_COND_VENDOR_IDENTIFIER, REPORT_CONDITION);
    put_command(w, LSUIT_COND_CLASS_IDENTIFIER, REPORT_CONDITION);
}

/* Items of an array: an index costs two where there is more than one component. */
static uint32_t index_items(const struct template *t)
{
    return t->components > 1 ? 2 : 0;
}

static void put_shared(struct lsuit_cbor_writer *w, const struct template *t)
{
    uint32_t n = (uint32_t)t->components;

    lsuit_put_array(w, index_items(t) + 6 + n * (index_items(t) + 2));
    put_all_index(w, t);
    put_identity(w, t);
    for (size_t i = 0; i < t->components; i++) {
        put_index(w, t, i);
        put_by_slot(w, &t->component[i], 2, put_image_params);
    }
}

static void put_common(struct lsuit_cbor_writer *w, const struct template *t)
{
    size_t mark;

    lsuit_put_map(w, 2);
    lsuit_put_int(w, 2); /* suit-components */
    lsuit_put_array(w, (uint32_t)t->components);
    for (size_t i = 0; i < t->components; i++)
        lsuit_put_item(w, (struct lsuit_bytes){ t->component[i].id, t->component[i].id_n });
    lsuit_put_int(w, 4); /* suit-shared-sequence */
    mark = lsuit_put_bstr_open(w);
    put_shared(w, t);
    lsuit_put_bstr_close(w, mark);
}

static void put_fetch(struct lsuit_cbor_writer *w, const struct template_image *img)
{
    put_uri_param(w, img);
    put_command(w, LSUIT_DIR_FETCH, REPORT_DIRECTIVE);
    put_command(w, LSUIT_COND_IMAGE_MATCH, REPORT_CONDITION);
}

/*
 * Where there is an image for each slot its digest and size stand beside its fetch too, so that
 * whoever reads the manifest without being a device (server, mirror) finds both payloads.
 */
static void put_slot_fetch(struct lsuit_cbor_writer *w, const struct template_image *img)
{
    put_image_params(w, img);
    put_fetch(w, img);
}

static void put_install(struct lsuit_cbor_writer *w, const struct template *t)
{
    uint32_t n = 0;

    for (size_t i = 0; i < t->components; i++)
        n += index_items(t) + (t->component[i].images > 1 ? 2 : 6);
    lsuit_put_array(w, n);
    for (size_t i = 0; i < t->components; i++) {
        const struct template_component *c = &t->component[i];

        put_index(w, t, i);
        if (c->images > 1)
            put_by_slot(w, c, 8, put_slot_fetch);
        else
            put_fetch(w, &c->image[0]);
    }
}

static void put_validate(struct lsuit_cbor_writer *w, const struct template *t)
{
    lsuit_put_array(w, index_items(t) + 2);
    put_all_index(w, t);
    put_command(w, LSUIT_COND_IMAGE_MATCH, REPORT_CONDITION);
}

static void put_invoke(struct lsuit_cbor_writer *w, const struct template *t)
{
    lsuit_put_array(w, index_items(t) + 2);
    put_index(w, t, 0);
    put_command(w, LSUIT_DIR_INVOKE, REPORT_DIRECTIVE);
}

static void put_optional_text(struct lsuit_cbor_writer *w, int64_t key, const char *s)
{
    if (*s == '\0')
        return;
    lsuit_put_int(w, key);
    lsuit_put_text(w, s);
}

static void put_language(struct lsuit_cbor_writer *w, const struct template *t,
                         const struct template_language *l)
{
    uint32_t pairs = 1u + (l->description[0] != '\0') + (l->changes[0] != '\0') +
                     (l->risks[0] != '\0') + (l->advisories > 0) + l->has_downtime +
                     l->has_disrupts;
    uint32_t named = 1u + (l->vendor_name[0] != '\0') + (l->model_name[0] != '\0');

    lsuit_put_text(w, l->tag);
    lsuit_put_map(w, pairs);
    put_optional_text(w, 1, l->description);
    put_optional_text(w, 2, l->changes);
    put_optional_text(w, -1, l->risks); /* private keys: SPEC.md */
    if (l->advisories > 0) {
        lsuit_put_int(w, -2);
        lsuit_put_array(w, (uint32_t)l->advisories);
        for (size_t i = 0; i < l->advisories; i++)
            lsuit_put_text(w, l->advisory[i]);
    }
    if (l->has_downtime) {
        lsuit_put_int(w, -3);
        lsuit_put_uint(w, l->downtime_s);
    }
    if (l->has_disrupts) {
        lsuit_put_int(w, -4);
        lsuit_put_bool(w, l->disrupts);
    }
    lsuit_put_item(w, (struct lsuit_bytes){ t->component[0].id, t->component[0].id_n });
    lsuit_put_map(w, named);
    put_optional_text(w, 1, l->vendor_name);
    put_optional_text(w, 2, l->model_name);
    put_optional_text(w, 6, l->version);
}

/* Map keys in deterministic order: the shorter encoding first, then by bytes. */
static int by_tag(const void *a, const void *b)
{
    const char *x = (*(const struct template_language *const *)a)->tag;
    const char *y = (*(const struct template_language *const *)b)->tag;

    if (strlen(x) != strlen(y))
        return strlen(x) < strlen(y) ? -1 : 1;
    return strcmp(x, y);
}

static void put_text_map(struct lsuit_cbor_writer *w, const struct template *t)
{
    const struct template_language *order[TEMPLATE_LANGUAGES];

    for (size_t i = 0; i < t->languages; i++)
        order[i] = &t->language[i];
    qsort(order, t->languages, sizeof order[0], by_tag);
    lsuit_put_map(w, (uint32_t)t->languages);
    for (size_t i = 0; i < t->languages; i++)
        put_language(w, t, order[i]);
}

static void put_section(struct lsuit_cbor_writer *w, int64_t key, const struct template *t,
                        void (*put)(struct lsuit_cbor_writer *, const struct template *))
{
    size_t mark;

    lsuit_put_int(w, key);
    mark = lsuit_put_bstr_open(w);
    put(w, t);
    lsuit_put_bstr_close(w, mark);
}

static int sha256_of(struct lsuit_bytes wrapped, uint8_t digest[LSUIT_SHA256_LEN])
{
    size_t n = 0;

    return lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, wrapped, digest, LSUIT_SHA256_LEN,
                            &n) == LSUIT_OK
               ? CLI_OK
               : cli_fail("SHA-256 is not available");
}

/* `severed` holds key 23 and the wrapped text; the digest covers the wrapped text. */
static void put_manifest(struct lsuit_cbor_writer *w, const struct template *t, bool sever_text,
                         const uint8_t *digest)
{
    lsuit_put_map(w, 6u + t->invoke + (t->manifest_component_id_n > 0));
    lsuit_put_int(w, 1); /* suit-manifest-version */
    lsuit_put_uint(w, 1);
    lsuit_put_int(w, 2); /* suit-manifest-sequence-number */
    lsuit_put_uint(w, t->sequence);
    put_section(w, LSUIT_SECTION_COMMON, t, put_common);
    if (t->manifest_component_id_n > 0) {
        lsuit_put_int(w, 5); /* suit-manifest-component-id */
        lsuit_put_item(
            w, (struct lsuit_bytes){ t->manifest_component_id, t->manifest_component_id_n });
    }
    put_section(w, LSUIT_SECTION_VALIDATE, t, put_validate);
    if (t->invoke)
        put_section(w, LSUIT_SECTION_INVOKE, t, put_invoke);
    put_section(w, LSUIT_SECTION_INSTALL, t, put_install);
    if (sever_text) {
        lsuit_put_int(w, LSUIT_SECTION_TEXT);
        lsuit_put_digest(w, LSUIT_ALG_SHA256, (struct lsuit_bytes){ digest, LSUIT_SHA256_LEN });
    } else {
        put_section(w, LSUIT_SECTION_TEXT, t, put_text_map);
    }
}

static size_t integrated_count(const struct template *t, size_t *bytes_out)
{
    size_t n = 0;

    *bytes_out = 0;
    for (size_t i = 0; i < t->components; i++)
        for (size_t k = 0; k < t->component[i].images; k++)
            if (t->component[i].image[k].integrated) {
                n++;
                *bytes_out += (size_t)t->component[i].image[k].size + 600;
            }
    return n;
}

/* What goes in must be what was measured. */
static int same_bytes(const struct template_image *img, struct lsuit_bytes bytes)
{
    uint8_t digest[LSUIT_SHA256_LEN];

    if (sha256_of(bytes, digest) != CLI_OK)
        return CLI_FAILED;
    return memcmp(digest, img->sha256, sizeof digest) == 0
               ? CLI_OK
               : cli_fail("%s: changed while it was read", img->path);
}

static int put_integrated(struct lsuit_cbor_writer *w, const struct template *t)
{
    const struct template_image *img[2 * LSUIT_MAX_COMPONENTS];
    size_t n = 0;

    for (size_t i = 0; i < t->components; i++)
        for (size_t k = 0; k < t->component[i].images; k++)
            if (t->component[i].image[k].integrated)
                img[n++] = &t->component[i].image[k];
    /* names are #c<i>s<k> of one length, in ascending order, unless the template names them */
    for (size_t i = 0; i + 1 < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            size_t a = strlen(img[i]->uri), b = strlen(img[k]->uri);

            if (a > b || (a == b && strcmp(img[i]->uri, img[k]->uri) > 0)) {
                const struct template_image *swap = img[i];

                img[i] = img[k];
                img[k] = swap;
            }
        }
    for (size_t i = 0; i < n; i++) {
        size_t len = 0;
        uint8_t *bytes = file_read(img[i]->path, (size_t)img[i]->size, &len);

        if (bytes == NULL)
            return CLI_FAILED;
        if (same_bytes(img[i], (struct lsuit_bytes){ bytes, len }) != CLI_OK) {
            free(bytes);
            return CLI_FAILED;
        }
        if (i > 0 && strcmp(img[i]->uri, img[i - 1]->uri) == 0) {
            free(bytes);
            return wrong("uri", "two integrated payloads have the same name");
        }
        lsuit_put_text(w, img[i]->uri);
        lsuit_put_bstr(w, (struct lsuit_bytes){ bytes, len });
        free(bytes);
    }
    return CLI_OK;
}

int template_write(const struct template *t, bool sever_text, uint8_t *buf, size_t cap,
                   struct lsuit_bytes *doc_out)
{
    static uint8_t manifest[65536], severed[65536];
    struct lsuit_cbor_writer mw = lsuit_cbor_writer_init(manifest, sizeof manifest);
    struct lsuit_cbor_writer sw = lsuit_cbor_writer_init(severed, sizeof severed);
    struct lsuit_envelope_parts parts = { 0 };
    uint8_t digest[LSUIT_SHA256_LEN], *integrated = NULL;
    size_t integrated_bytes = 0, mark;
    struct lsuit_bytes pair;
    int e = CLI_OK;

    if (sever_text) {
        lsuit_put_int(&sw, LSUIT_SECTION_TEXT);
        mark = lsuit_put_bstr_open(&sw);
        put_text_map(&sw, t);
        lsuit_put_bstr_close(&sw, mark);
        if (lsuit_put_finish(&sw, &pair) != LSUIT_OK)
            return wrong("text", "is too long");
        parts.severed = pair;
        parts.severed_n = 1;
        /* the key 23 takes one byte; what follows is the wrapped text */
        e = sha256_of((struct lsuit_bytes){ pair.ptr + 1, pair.len - 1 }, digest);
    }
    if (e != CLI_OK)
        return e;
    put_manifest(&mw, t, sever_text, digest);
    if (lsuit_put_finish(&mw, &parts.manifest) != LSUIT_OK)
        return cli_fail("template: the manifest would be longer than %zu bytes", sizeof manifest);
    parts.integrated_n = (uint32_t)integrated_count(t, &integrated_bytes);
    if (parts.integrated_n > 0) {
        struct lsuit_cbor_writer iw;

        integrated = malloc(integrated_bytes);
        if (integrated == NULL)
            return cli_fail("out of memory");
        iw = lsuit_cbor_writer_init(integrated, integrated_bytes);
        e = put_integrated(&iw, t);
        if (e == CLI_OK && lsuit_put_finish(&iw, &parts.integrated) != LSUIT_OK)
            e = cli_fail("template: integrated payloads are too large");
    }
    if (e == CLI_OK &&
        lsuit_envelope_write(&parts, &lsuit_crypto_psa, buf, cap, doc_out) != LSUIT_OK)
        e = cli_fail("template: the envelope would be longer than %zu bytes", cap);
    free(integrated);
    return e;
}
