/*
 * The second opinion: the envelope read again, by libcbor and by other code. It runs after the
 * strict reader has accepted, so that libcbor's allocations are bounded by a document we know.
 *
 *   (1) What our cursor reads as one item, libcbor reads whole and writes again as the same bytes:
 *       the envelope, and each byte string in it that holds an array or a map, down to the last.
 *       The cursor takes only the one deterministic encoding of a value, so equal bytes are equal
 *       values, whatever key, command or parameter they belong to.
 *   (2) What publishing decides by (digest, number, identity, payloads) is found again by a walk of
 *       its own.
 */

#include "trust/trust.h"

#include <cbor.h>
#include <stdlib.h>
#include <string.h>

static enum err differ(const char *what)
{
    return FAIL_FIELD(ERR_MALFORMED, "body", "the second reader misses %s", what);
}

/* The whole of `doc` as one item, or NULL. */
static cbor_item_t *load(const unsigned char *bytes, size_t n)
{
    struct cbor_load_result result;
    cbor_item_t *item = cbor_load(bytes, n, &result);

    if (item != NULL && result.read != n)
        cbor_decref(&item);
    return item;
}

/* --- (1) the same values --- */

enum {
    NESTED = 12,         /* byte strings in byte strings */
    OPENED_MAX = 1 << 16 /* a longer one is a payload */
};
static bool same_inside(const cbor_item_t *item, unsigned depth);

/* Does our cursor take it as one array or map, tagged or not? */
static bool ours(struct lsuit_bytes doc)
{
    struct lsuit_cbor c = lsuit_cbor_open(doc);
    enum lsuit_cbor_type type = lsuit_cbor_peek(&c);

    lsuit_cbor_item(&c);
    return (type == LSUIT_CBOR_ARRAY || type == LSUIT_CBOR_MAP || type == LSUIT_CBOR_TAG) &&
           lsuit_cbor_finish(&c) == LSUIT_OK;
}

/* libcbor 0.8 reads no tag from 6 to 20, which COSE uses: those have one byte, which is left out. */
static struct lsuit_bytes without_tag(struct lsuit_bytes doc)
{
    if (doc.len > 1 && doc.ptr[0] >= 0xc6 && doc.ptr[0] <= 0xd4)
        return (struct lsuit_bytes){ doc.ptr + 1, doc.len - 1 };
    return doc;
}

static bool same_document(struct lsuit_bytes doc, unsigned depth)
{
    cbor_item_t *item;
    unsigned char *again = NULL;
    size_t n, size = 0;
    bool ok;

    doc = without_tag(doc);
    item = depth < NESTED ? load(doc.ptr, doc.len) : NULL;
    if (item == NULL)
        return false;
    n = cbor_serialize_alloc(item, &again, &size);
    ok = n == doc.len && memcmp(again, doc.ptr, n) == 0 && same_inside(item, depth);
    free(again);
    cbor_decref(&item);
    return ok;
}

static bool same_string(const cbor_item_t *bstr, unsigned depth)
{
    struct lsuit_bytes doc = { cbor_bytestring_handle(bstr), cbor_bytestring_length(bstr) };

    return doc.len > OPENED_MAX || !ours(doc) || same_document(doc, depth + 1);
}

static bool same_inside(const cbor_item_t *item, unsigned depth)
{
    cbor_item_t *tagged;
    bool ok = true;

    switch (cbor_typeof(item)) {
    case CBOR_TYPE_BYTESTRING:
        return same_string(item, depth);
    case CBOR_TYPE_ARRAY:
        for (size_t i = 0; ok && i < cbor_array_size(item); i++)
            ok = same_inside(cbor_array_handle(item)[i], depth);
        return ok;
    case CBOR_TYPE_MAP:
        for (size_t i = 0; ok && i < cbor_map_size(item); i++)
            ok = same_inside(cbor_map_handle(item)[i].key, depth) &&
                 same_inside(cbor_map_handle(item)[i].value, depth);
        return ok;
    case CBOR_TYPE_TAG:
        tagged = cbor_tag_item(item);
        ok = same_inside(tagged, depth);
        cbor_decref(&tagged);
        return ok;
    default:
        return true;
    }
}

/* --- (2) what publishing decides by --- */

static cbor_item_t *load_bstr(const cbor_item_t *bstr)
{
    if (bstr == NULL || !cbor_isa_bytestring(bstr) || !cbor_bytestring_is_definite(bstr))
        return NULL;
    return load(cbor_bytestring_handle(bstr), cbor_bytestring_length(bstr));
}

/* The value of an unsigned key that is there exactly once. Borrowed from the map. */
static cbor_item_t *value_of(const cbor_item_t *map, uint64_t key)
{
    cbor_item_t *found = NULL;

    if (map == NULL || !cbor_isa_map(map))
        return NULL;
    for (size_t i = 0; i < cbor_map_size(map); i++) {
        struct cbor_pair pair = cbor_map_handle(map)[i];

        if (!cbor_isa_uint(pair.key) || cbor_get_int(pair.key) != key)
            continue;
        if (found != NULL)
            return NULL;
        found = pair.value;
    }
    return found;
}

static enum err read_digest(const cbor_item_t *wrapper, uint8_t digest_out[32])
{
    cbor_item_t *list = load_bstr(wrapper);
    cbor_item_t *digest = NULL;
    bool ok = false;

    if (list != NULL && cbor_isa_array(list) && cbor_array_size(list) > 1)
        digest = load_bstr(cbor_array_handle(list)[0]);
    if (digest != NULL && cbor_isa_array(digest) && cbor_array_size(digest) == 2) {
        const cbor_item_t *bytes = cbor_array_handle(digest)[1];

        if (cbor_isa_bytestring(bytes) && cbor_bytestring_length(bytes) == 32) {
            memcpy(digest_out, cbor_bytestring_handle(bytes), 32);
            ok = true;
        }
    }
    if (digest != NULL)
        cbor_decref(&digest);
    if (list != NULL)
        cbor_decref(&list);
    return ok ? ERR_OK : differ("the digest");
}

/* --- Sequences --- */

enum { DEPTH = 8 };
static bool walk(const cbor_item_t *bstr, unsigned depth, struct trust_second *out);

static bool add_id(const cbor_item_t *v, uint8_t list[TRUST_IDS][16], unsigned *n)
{
    if (!cbor_isa_bytestring(v) || cbor_bytestring_length(v) != 16 || *n == TRUST_IDS)
        return false;
    memcpy(list[(*n)++], cbor_bytestring_handle(v), 16);
    return true;
}

static bool add_uri(const cbor_item_t *v, struct trust_second *out)
{
    size_t n;

    if (!cbor_isa_string(v) || !cbor_string_is_definite(v) || out->uris_n == TRUST_URIS)
        return false;
    n = cbor_string_length(v);
    if (n >= TRUST_URI || memchr(cbor_string_handle(v), 0, n) != NULL)
        return false;
    memcpy(out->uris[out->uris_n++], cbor_string_handle(v), n); /* zeroed before */
    return true;
}

/* An image's digest and size, when the map has both; another algorithm is passed over. */
static bool add_image(const cbor_item_t *map, struct trust_second *out)
{
    cbor_item_t *digest = load_bstr(value_of(map, LSUIT_PARAM_IMAGE_DIGEST));
    const cbor_item_t *size = value_of(map, LSUIT_PARAM_IMAGE_SIZE);
    const cbor_item_t *bytes = NULL;
    bool ok = true;

    if (digest != NULL && cbor_isa_array(digest) && cbor_array_size(digest) == 2)
        bytes = cbor_array_handle(digest)[1];
    if (bytes != NULL && size != NULL && cbor_isa_uint(size) && cbor_isa_bytestring(bytes) &&
        cbor_bytestring_length(bytes) == 32) {
        ok = out->images_n < TRUST_IDS && cbor_get_int(size) <= INT64_MAX / 16;
        if (ok) {
            memcpy(out->images[out->images_n].digest, cbor_bytestring_handle(bytes), 32);
            out->images[out->images_n++].size = (int64_t)cbor_get_int(size);
        }
    }
    if (digest != NULL)
        cbor_decref(&digest);
    return ok;
}

static bool take_parameters(const cbor_item_t *map, struct trust_second *out)
{
    if (!cbor_isa_map(map))
        return false;
    for (size_t i = 0; i < cbor_map_size(map); i++) {
        struct cbor_pair pair = cbor_map_handle(map)[i];
        uint64_t key = cbor_isa_uint(pair.key) ? cbor_get_int(pair.key) : 0;

        if ((key == LSUIT_PARAM_VENDOR_IDENTIFIER &&
             !add_id(pair.value, out->vendors, &out->vendors_n)) ||
            (key == LSUIT_PARAM_CLASS_IDENTIFIER &&
             !add_id(pair.value, out->classes, &out->classes_n)) ||
            (key == LSUIT_PARAM_URI && !add_uri(pair.value, out)))
            return false;
    }
    return add_image(map, out);
}

static bool take_command(uint64_t code, const cbor_item_t *argument, unsigned depth,
                         struct trust_second *out)
{
    switch (code) {
    case LSUIT_DIR_SET_PARAMETERS:
    case LSUIT_DIR_OVERRIDE_PARAMETERS:
        return take_parameters(argument, out);
    case LSUIT_DIR_RUN_SEQUENCE:
        return walk(argument, depth + 1, out);
    case LSUIT_DIR_TRY_EACH:
        if (!cbor_isa_array(argument))
            return false;
        for (size_t i = 0; i < cbor_array_size(argument); i++) {
            const cbor_item_t *alternative = cbor_array_handle(argument)[i];

            if (cbor_isa_bytestring(alternative) && !walk(alternative, depth + 1, out))
                return false;
        }
        return true;
    default:
        return true;
    }
}

static bool walk(const cbor_item_t *bstr, unsigned depth, struct trust_second *out)
{
    cbor_item_t *list = depth < DEPTH ? load_bstr(bstr) : NULL;
    bool ok = list != NULL && cbor_isa_array(list) && cbor_array_size(list) % 2 == 0;

    for (size_t i = 0; ok && i < cbor_array_size(list); i += 2) {
        const cbor_item_t *code = cbor_array_handle(list)[i];

        if (cbor_isa_uint(code))
            ok = take_command(cbor_get_int(code), cbor_array_handle(list)[i + 1], depth, out);
    }
    if (list != NULL)
        cbor_decref(&list);
    return ok;
}

/* A section stands in the manifest, or as a digest there and severed in the envelope. */
static bool walk_sections(const cbor_item_t *envelope, const cbor_item_t *manifest,
                          struct trust_second *out)
{
    static const uint64_t SECTIONS[] = {
        LSUIT_SECTION_VALIDATE,      LSUIT_SECTION_LOAD,
        LSUIT_SECTION_INVOKE,        LSUIT_SECTION_DEPENDENCY_RESOLUTION,
        LSUIT_SECTION_PAYLOAD_FETCH, LSUIT_SECTION_CANDIDATE_VERIFICATION,
        LSUIT_SECTION_INSTALL,       LSUIT_SECTION_UNINSTALL,
    };

    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++) {
        const cbor_item_t *section = value_of(manifest, SECTIONS[i]);

        if (section != NULL && cbor_isa_array(section))
            section = value_of(envelope, SECTIONS[i]);
        if (section != NULL && !walk(section, 0, out))
            return false;
    }
    return true;
}

static enum err read_manifest(const cbor_item_t *envelope, struct trust_second *out)
{
    const cbor_item_t *bstr = value_of(envelope, 3);
    cbor_item_t *map = load_bstr(bstr);
    const cbor_item_t *sequence = value_of(map, 2);
    cbor_item_t *common = load_bstr(value_of(map, 3));
    const cbor_item_t *components = value_of(common, 2);
    const cbor_item_t *shared = value_of(common, 4);
    enum err e = ERR_OK;

    if (sequence == NULL || !cbor_isa_uint(sequence))
        e = differ("the sequence number");
    else if (components == NULL || !cbor_isa_array(components))
        e = differ("the components");
    else if (shared == NULL || !walk(shared, 0, out))
        e = differ("the shared sequence");
    else if (!walk_sections(envelope, map, out))
        e = differ("a section");
    if (e == ERR_OK) {
        out->sequence = cbor_get_int(sequence);
        out->components = (uint32_t)cbor_array_size(components);
        out->manifest_n = cbor_bytestring_length(bstr);
    }
    if (common != NULL)
        cbor_decref(&common);
    if (map != NULL)
        cbor_decref(&map);
    return e;
}

enum err trust_second_read(struct lsuit_bytes doc, struct trust_second *second_out)
{
    struct trust_second out = { 0 };
    cbor_item_t *top = load(doc.ptr, doc.len);
    cbor_item_t *map = top;
    enum err e;

    if (top == NULL)
        return differ("the whole");
    if (!same_document(doc, 0)) {
        cbor_decref(&top);
        return differ("a value");
    }
    if (cbor_isa_tag(top))
        map = cbor_tag_value(top) == LSUIT_TAG_ENVELOPE ? cbor_tag_item(top) : NULL;
    else
        cbor_incref(map);
    e = read_digest(value_of(map, 2), out.digest);
    if (e == ERR_OK)
        e = read_manifest(map, &out);
    if (e == ERR_OK && out.manifest_n > OPENED_MAX)
        e = FAIL_FIELD(ERR_REFUSED, "envelope.manifest", "over %d bytes", OPENED_MAX);
    if (map != NULL)
        cbor_decref(&map);
    cbor_decref(&top);
    if (e == ERR_OK)
        *second_out = out;
    return e;
}
