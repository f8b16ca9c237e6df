/* A template as a SUIT manifest: see template.h. */
#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "lsuit/cbor.h"

/* SUIT_Rep_Policy for conditions and directives: report on failure, with system information. */
#define REPORT_CONDITION 15
#define REPORT_DIRECTIVE 2

/* Longest sequence of commands. */
#define SEQUENCE_MAX 8192

/* --- sequences ------------------------------------------------------------------------------ */

/* A sequence in the making: its commands are counted, for its array says first how many there are. */
struct sequence {
    const struct template *t;
    uint8_t bytes[SEQUENCE_MAX];
    struct lsuit_cbor_writer w;
    uint32_t items;
};

static void begin(struct sequence *s, const struct template *t)
{
    s->t = t;
    s->w = lsuit_cbor_writer_init(s->bytes, sizeof s->bytes);
    s->items = 0;
}

/* Into a byte string; an overflow becomes that of the writer. */
static void end(struct sequence *s, struct lsuit_cbor_writer *w)
{
    struct lsuit_bytes commands;
    size_t mark = lsuit_put_bstr_open(w);

    lsuit_put_array(w, s->items);
    if (lsuit_put_finish(&s->w, &commands) == LSUIT_OK)
        lsuit_put_item(w, commands);
    else
        w->err = s->w.err;
    lsuit_put_bstr_close(w, mark);
}

/* The code of a command; its argument must follow. */
static struct lsuit_cbor_writer *command(struct sequence *s, int64_t code)
{
    lsuit_put_int(&s->w, code);
    s->items += 2;
    return &s->w;
}

static void condition(struct sequence *s, int64_t code)
{
    lsuit_put_uint(command(s, code), REPORT_CONDITION);
}

static void directive(struct sequence *s, int64_t code)
{
    lsuit_put_uint(command(s, code), REPORT_DIRECTIVE);
}

/* Where there is one component its index is left out. */
static void at(struct sequence *s, size_t component)
{
    if (s->t->components > 1)
        lsuit_put_uint(command(s, LSUIT_DIR_SET_COMPONENT_INDEX), component);
}

/* All components with one of these roles (a bit each): an index, a list, or true. */
static void at_roles(struct sequence *s, unsigned roles)
{
    struct lsuit_cbor_writer *w;
    size_t of[LSUIT_MAX_COMPONENTS], n = 0;

    for (size_t i = 0; i < s->t->components; i++)
        if ((roles >> s->t->component[i].role & 1) != 0)
            of[n++] = i;
    if (n == 1 || s->t->components == 1) {
        at(s, n == 1 ? of[0] : 0);
        return;
    }
    w = command(s, LSUIT_DIR_SET_COMPONENT_INDEX);
    if (n == s->t->components) {
        lsuit_put_bool(w, true);
        return;
    }
    lsuit_put_array(w, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        lsuit_put_uint(w, of[i]);
}

static void put_digest_param(struct lsuit_cbor_writer *w, const uint8_t sha256[LSUIT_SHA256_LEN])
{
    size_t mark;

    lsuit_put_int(w, LSUIT_PARAM_IMAGE_DIGEST);
    mark = lsuit_put_bstr_open(w);
    lsuit_put_digest(w, LSUIT_ALG_SHA256, (struct lsuit_bytes){ sha256, LSUIT_SHA256_LEN });
    lsuit_put_bstr_close(w, mark);
}

static void set_image(struct sequence *s, const struct template_image *img)
{
    struct lsuit_cbor_writer *w = command(s, LSUIT_DIR_OVERRIDE_PARAMETERS);

    lsuit_put_map(w, 2);
    put_digest_param(w, img->sha256);
    lsuit_put_int(w, LSUIT_PARAM_IMAGE_SIZE);
    lsuit_put_uint(w, img->size);
}

static void set_uri(struct sequence *s, const char *uri)
{
    struct lsuit_cbor_writer *w = command(s, LSUIT_DIR_OVERRIDE_PARAMETERS);

    lsuit_put_map(w, 1);
    lsuit_put_int(w, LSUIT_PARAM_URI);
    lsuit_put_text(w, uri);
}

static void fetch(struct sequence *s, const struct template_image *img)
{
    set_uri(s, img->uri);
    directive(s, LSUIT_DIR_FETCH);
    condition(s, LSUIT_COND_IMAGE_MATCH);
}

/*
 * Where there is an image for each slot its digest and size stand beside its fetch too, so that
 * whoever reads the manifest without being a device (server, mirror) finds both payloads.
 */
static void set_and_fetch(struct sequence *s, const struct template_image *img)
{
    set_image(s, img);
    fetch(s, img);
}

/* try-each over the two slots: set the slot, ask whether it is ours, then `put` for its image. */
static void by_slot(struct sequence *s, const struct template_component *c,
                    void (*put)(struct sequence *, const struct template_image *))
{
    struct lsuit_cbor_writer *w = command(s, LSUIT_DIR_TRY_EACH);

    lsuit_put_array(w, 2);
    for (uint64_t slot = 0; slot < 2; slot++) {
        struct sequence alternative;
        struct lsuit_cbor_writer *a;

        begin(&alternative, s->t);
        a = command(&alternative, LSUIT_DIR_OVERRIDE_PARAMETERS);
        lsuit_put_map(a, 1);
        lsuit_put_int(a, LSUIT_PARAM_COMPONENT_SLOT);
        lsuit_put_uint(a, slot);
        condition(&alternative, LSUIT_COND_COMPONENT_SLOT);
        put(&alternative, &c->image[slot]);
        end(&alternative, w);
    }
}

/* try-each: nothing to do where component i is as it shall be, else `put`. */
static void unless_current(struct sequence *s, size_t i,
                           void (*put)(struct sequence *, const struct template_component *))
{
    struct lsuit_cbor_writer *w;
    struct sequence alternative;

    at(s, i);
    w = command(s, LSUIT_DIR_TRY_EACH);
    lsuit_put_array(w, 2);
    begin(&alternative, s->t);
    condition(&alternative, LSUIT_COND_IMAGE_MATCH);
    end(&alternative, w);
    begin(&alternative, s->t);
    put(&alternative, &s->t->component[i]);
    end(&alternative, w);
}

/* --- the shared sequence -------------------------------------------------------------------- */

static void identify(struct sequence *s)
{
    const struct template *t = s->t;
    struct lsuit_cbor_writer *w = command(s, LSUIT_DIR_OVERRIDE_PARAMETERS);

    lsuit_put_map(w, t->has_priority ? 3 : 2);
    lsuit_put_int(w, LSUIT_PARAM_VENDOR_IDENTIFIER);
    lsuit_put_bstr(w, (struct lsuit_bytes){ t->vendor_id, sizeof t->vendor_id });
    lsuit_put_int(w, LSUIT_PARAM_CLASS_IDENTIFIER);
    lsuit_put_bstr(w, (struct lsuit_bytes){ t->class_id, sizeof t->class_id });
    if (t->has_priority) {
        lsuit_put_int(w, LSUIT_PARAM_UPDATE_PRIORITY);
        lsuit_put_int(w, t->priority);
    }
    condition(s, LSUIT_COND_VENDOR_IDENTIFIER);
    condition(s, LSUIT_COND_CLASS_IDENTIFIER);
}

static void put_shared(struct sequence *s)
{
    at_roles(s, 1u << TEMPLATE_IMAGE | 1u << TEMPLATE_SOURCE | 1u << TEMPLATE_BASE);
    identify(s);
    for (size_t i = 0; i < s->t->components; i++) {
        const struct template_component *c = &s->t->component[i];

        at(s, i);
        if (c->role == TEMPLATE_DEPENDENCY) {
            struct lsuit_cbor_writer *w = command(s, LSUIT_DIR_OVERRIDE_PARAMETERS);

            lsuit_put_map(w, 1);
            put_digest_param(w, c->digest);
        } else if (c->images > 1) {
            by_slot(s, c, set_image);
        } else {
            set_image(s, &c->image[0]);
        }
    }
}

static bool has_role(const struct template *t, enum template_role role)
{
    for (size_t i = 0; i < t->components; i++)
        if (t->component[i].role == role)
            return true;
    return false;
}

/* suit-dependencies: their indices, and nothing about them. */
static void put_dependencies(struct lsuit_cbor_writer *w, const struct template *t)
{
    uint32_t n = 0;

    for (size_t i = 0; i < t->components; i++)
        n += t->component[i].role == TEMPLATE_DEPENDENCY;
    lsuit_put_int(w, 1);
    lsuit_put_map(w, n);
    for (size_t i = 0; i < t->components; i++) {
        if (t->component[i].role != TEMPLATE_DEPENDENCY)
            continue;
        lsuit_put_uint(w, i);
        lsuit_put_map(w, 0);
    }
}

static void put_common(struct lsuit_cbor_writer *w, const struct template *t)
{
    struct sequence shared;
    bool dependencies = has_role(t, TEMPLATE_DEPENDENCY);

    lsuit_put_map(w, 2u + dependencies);
    if (dependencies)
        put_dependencies(w, t);
    lsuit_put_int(w, 2); /* suit-components */
    lsuit_put_array(w, (uint32_t)t->components);
    for (size_t i = 0; i < t->components; i++)
        lsuit_put_item(w, (struct lsuit_bytes){ t->component[i].id, t->component[i].id_n });
    lsuit_put_int(w, 4); /* suit-shared-sequence */
    begin(&shared, t);
    put_shared(&shared);
    end(&shared, w);
}

/* --- sections ------------------------------------------------------------------------------- */

/* The dependency is vouched for by our digest and by its author's signature, then runs. */
static void process(struct sequence *s, size_t i)
{
    at(s, i);
    condition(s, LSUIT_COND_DEPENDENCY_INTEGRITY);
    directive(s, LSUIT_DIR_PROCESS_DEPENDENCY);
}

static void process_all(struct sequence *s)
{
    for (size_t i = 0; i < s->t->components; i++)
        if (s->t->component[i].role == TEMPLATE_DEPENDENCY)
            process(s, i);
}

static void put_dependency_resolution(struct sequence *s)
{
    for (size_t i = 0; i < s->t->components; i++) {
        if (s->t->component[i].role != TEMPLATE_DEPENDENCY)
            continue;
        at(s, i);
        set_uri(s, s->t->component[i].image[0].uri);
        directive(s, LSUIT_DIR_FETCH);
        process(s, i);
    }
}

static void fetch_source(struct sequence *s, const struct template_component *c)
{
    if (c->base != TEMPLATE_NO_COMPONENT) {
        at(s, c->base);
        condition(s, LSUIT_COND_IMAGE_MATCH);
    }
    at(s, c->source);
    fetch(s, &s->t->component[c->source].image[0]);
}

static void put_payload_fetch(struct sequence *s)
{
    for (size_t i = 0; i < s->t->components; i++)
        if (s->t->component[i].role == TEMPLATE_IMAGE &&
            s->t->component[i].source != TEMPLATE_NO_COMPONENT)
            unless_current(s, i, fetch_source);
    process_all(s);
}

/* The source is looked at once more, right before it is used. */
static void copy_source(struct sequence *s, const struct template_component *c)
{
    bool encrypted = c->encryption.info_n > 0;
    struct lsuit_cbor_writer *w;

    at(s, c->source);
    condition(s, LSUIT_COND_IMAGE_MATCH);
    at(s, (size_t)(c - s->t->component));
    w = command(s, LSUIT_DIR_OVERRIDE_PARAMETERS);
    lsuit_put_map(w, 1u + encrypted);
    if (encrypted) {
        lsuit_put_int(w, LSUIT_PARAM_ENCRYPTION_INFO);
        lsuit_put_bstr(w, (struct lsuit_bytes){ c->encryption.info, c->encryption.info_n });
    }
    lsuit_put_int(w, LSUIT_PARAM_SOURCE_COMPONENT);
    lsuit_put_uint(w, c->source);
    directive(s, LSUIT_DIR_COPY);
    condition(s, LSUIT_COND_IMAGE_MATCH);
}

static void put_install(struct sequence *s)
{
    process_all(s);
    for (size_t i = 0; i < s->t->components; i++) {
        const struct template_component *c = &s->t->component[i];

        if (c->role != TEMPLATE_IMAGE)
            continue;
        if (c->source != TEMPLATE_NO_COMPONENT) {
            unless_current(s, i, copy_source);
            continue;
        }
        at(s, i);
        if (c->images > 1)
            by_slot(s, c, set_and_fetch);
        else
            fetch(s, &c->image[0]);
    }
}

static void put_validate(struct sequence *s)
{
    at_roles(s, 1u << TEMPLATE_IMAGE);
    condition(s, LSUIT_COND_IMAGE_MATCH);
    process_all(s);
}

/* Dependencies first: our own image takes over. */
static void put_invoke(struct sequence *s)
{
    process_all(s);
    at(s, 0);
    directive(s, LSUIT_DIR_INVOKE);
}

static void put_section(struct lsuit_cbor_writer *w, int64_t key, const struct template *t,
                        void (*put)(struct sequence *))
{
    struct sequence s;

    lsuit_put_int(w, key);
    begin(&s, t);
    put(&s);
    end(&s, w);
}

/* --- text ----------------------------------------------------------------------------------- */

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

static int sha256_of(struct lsuit_bytes wrapped, uint8_t digest[LSUIT_SHA256_LEN])
{
    size_t n = 0;

    return lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, wrapped, digest, LSUIT_SHA256_LEN,
                            &n) == LSUIT_OK
               ? CLI_OK
               : cli_fail("SHA-256 is not available");
}

/* Byte string of a map that `put` writes. */
static void put_wrapped(struct lsuit_cbor_writer *w, int64_t key, const struct template *t,
                        void (*put)(struct lsuit_cbor_writer *, const struct template *))
{
    size_t mark;

    lsuit_put_int(w, key);
    mark = lsuit_put_bstr_open(w);
    put(w, t);
    lsuit_put_bstr_close(w, mark);
}

/*
 *   text  SHA-256 of the wrapped text when that stands in the envelope; NULL: it stands here
 */
static void put_manifest(struct lsuit_cbor_writer *w, const struct template *t, const uint8_t *text)
{
    bool dependencies = has_role(t, TEMPLATE_DEPENDENCY);
    bool fetches = has_role(t, TEMPLATE_SOURCE) || dependencies;

    lsuit_put_map(w, 6u + dependencies + fetches + t->invoke + (t->manifest_component_id_n > 0));
    lsuit_put_int(w, 1); /* suit-manifest-version */
    lsuit_put_uint(w, 1);
    lsuit_put_int(w, 2); /* suit-manifest-sequence-number */
    lsuit_put_uint(w, t->sequence);
    put_wrapped(w, LSUIT_SECTION_COMMON, t, put_common);
    if (t->manifest_component_id_n > 0) {
        lsuit_put_int(w, 5); /* suit-manifest-component-id */
        lsuit_put_item(
            w, (struct lsuit_bytes){ t->manifest_component_id, t->manifest_component_id_n });
    }
    put_section(w, LSUIT_SECTION_VALIDATE, t, put_validate);
    if (t->invoke)
        put_section(w, LSUIT_SECTION_INVOKE, t, put_invoke);
    if (dependencies)
        put_section(w, LSUIT_SECTION_DEPENDENCY_RESOLUTION, t, put_dependency_resolution);
    if (fetches)
        put_section(w, LSUIT_SECTION_PAYLOAD_FETCH, t, put_payload_fetch);
    put_section(w, LSUIT_SECTION_INSTALL, t, put_install);
    if (text != NULL) {
        lsuit_put_int(w, LSUIT_SECTION_TEXT);
        lsuit_put_digest(w, LSUIT_ALG_SHA256, (struct lsuit_bytes){ text, LSUIT_SHA256_LEN });
    } else {
        put_wrapped(w, LSUIT_SECTION_TEXT, t, put_text_map);
    }
}

/* --- integrated payloads -------------------------------------------------------------------- */

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
            return cli_fail("template: uri: two integrated payloads have the same name");
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
            return cli_fail("template: text: is too long");
        parts.severed = pair;
        parts.severed_n = 1;
        /* the key 23 takes one byte; what follows is the wrapped text */
        e = sha256_of((struct lsuit_bytes){ pair.ptr + 1, pair.len - 1 }, digest);
    }
    if (e != CLI_OK)
        return e;
    put_manifest(&mw, t, sever_text ? digest : NULL);
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
