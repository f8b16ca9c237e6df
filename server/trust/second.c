/*
 * The second opinion: the envelope read again, by libcbor and by other code. It runs after the
 * strict reader has accepted, so that libcbor's allocations are bounded by a document we know.
 */

#include "trust/trust.h"

#include <cbor.h>
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

static enum err read_manifest(const cbor_item_t *bstr, struct trust_second *out)
{
    cbor_item_t *map = load_bstr(bstr);
    const cbor_item_t *sequence = value_of(map, 2);
    cbor_item_t *common = load_bstr(value_of(map, 3));
    const cbor_item_t *components = value_of(common, 2);
    enum err e = ERR_OK;

    if (sequence == NULL || !cbor_isa_uint(sequence))
        e = differ("the sequence number");
    else if (components == NULL || !cbor_isa_array(components))
        e = differ("the components");
    if (e == ERR_OK) {
        out->sequence = cbor_get_int(sequence);
        out->components = (uint32_t)cbor_array_size(components);
        out->manifest.len = cbor_bytestring_length(bstr);
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
    const cbor_item_t *manifest;
    enum err e;

    if (top == NULL)
        return differ("the whole");
    if (cbor_isa_tag(top))
        map = cbor_tag_value(top) == LSUIT_TAG_ENVELOPE ? cbor_tag_item(top) : NULL;
    else
        cbor_incref(map);
    e = read_digest(value_of(map, 2), out.digest);
    manifest = value_of(map, 3);
    if (e == ERR_OK)
        e = read_manifest(manifest, &out);
    if (map != NULL)
        cbor_decref(&map);
    cbor_decref(&top);
    if (e == ERR_OK)
        *second_out = out;
    return e;
}
