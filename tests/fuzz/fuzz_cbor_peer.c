/*
 * Our cursor against libcbor: what ours accepts, libcbor accepts too and reads to the same values.
 */
#include <cbor.h>
#include <stdlib.h>
#include <string.h>

#include "lsuit/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
    if (!held)
        abort();
}

static void same_string(struct lsuit_bytes ours, const unsigned char *theirs, size_t n)
{
    require(ours.len == n && (n == 0 || memcmp(ours.ptr, theirs, n) == 0));
}

/* The magnitude of a negative number as encoded; ours reads those of int64 only. */
static void same_negative(struct lsuit_cbor *c, const cbor_item_t *item)
{
    uint64_t magnitude = cbor_get_int(item);

    if (magnitude <= INT64_MAX)
        require(lsuit_cbor_int(c) == -1 - (int64_t)magnitude);
    else
        require(lsuit_cbor_item(c).len == 9);
}

static void same(struct lsuit_cbor *c, const cbor_item_t *item);

static void same_array(struct lsuit_cbor *c, const cbor_item_t *item)
{
    require(lsuit_cbor_array(c) == cbor_array_size(item));
    for (size_t i = 0; i < cbor_array_size(item); i++) {
        require(lsuit_cbor_next(c));
        same(c, cbor_array_handle(item)[i]);
    }
    require(!lsuit_cbor_next(c));
}

static void same_map(struct lsuit_cbor *c, const cbor_item_t *item)
{
    require(lsuit_cbor_map(c) == cbor_map_size(item));
    for (size_t i = 0; i < cbor_map_size(item); i++) {
        require(lsuit_cbor_next_any_key(c));
        same(c, cbor_map_handle(item)[i].key);
        same(c, cbor_map_handle(item)[i].value);
    }
    require(!lsuit_cbor_next_any_key(c));
}

static void same_simple(struct lsuit_cbor *c, const cbor_item_t *item)
{
    if (cbor_is_bool(item)) {
        require(lsuit_cbor_bool(c) == (cbor_ctrl_value(item) == CBOR_CTRL_TRUE));
    } else {
        require(cbor_is_null(item));
        lsuit_cbor_null(c);
    }
}

static void same(struct lsuit_cbor *c, const cbor_item_t *item)
{
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        require(lsuit_cbor_uint(c) == cbor_get_int(item));
        break;
    case CBOR_TYPE_NEGINT:
        same_negative(c, item);
        break;
    case CBOR_TYPE_BYTESTRING:
        require(cbor_bytestring_is_definite(item));
        same_string(lsuit_cbor_bstr(c), cbor_bytestring_handle(item), cbor_bytestring_length(item));
        break;
    case CBOR_TYPE_STRING:
        require(cbor_string_is_definite(item));
        same_string(lsuit_cbor_tstr(c), cbor_string_handle(item), cbor_string_length(item));
        break;
    case CBOR_TYPE_ARRAY:
        same_array(c, item);
        break;
    case CBOR_TYPE_MAP:
        same_map(c, item);
        break;
    case CBOR_TYPE_TAG:
        require(lsuit_cbor_tag(c) == cbor_tag_value(item));
        same(c, cbor_move(cbor_tag_item(item)));
        break;
    case CBOR_TYPE_FLOAT_CTRL:
        same_simple(c, item);
        break;
    }
    require(c->err == LSUIT_OK);
}

/* libcbor 0.8 refuses tags 6 to 20, which we leave to the reader: nothing to compare then. */
static bool may_hold_such_a_tag(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] >= 0xc6 && data[i] <= 0xd4)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lsuit_bytes doc = { data, size };
    struct lsuit_cbor skim = lsuit_cbor_open(doc), c = lsuit_cbor_open(doc);
    struct cbor_load_result result = { 0 };
    cbor_item_t *item;

    (void)lsuit_cbor_item(&skim);
    if (lsuit_cbor_finish(&skim) != LSUIT_OK || may_hold_such_a_tag(data, size))
        return 0;
    item = cbor_load(data, size, &result);
    require(item != NULL && result.read == size);
    same(&c, item);
    require(lsuit_cbor_finish(&c) == LSUIT_OK);
    cbor_decref(&item);
    return 0;
}
