/*
 * The CBOR cursor: no input does harm, and what is accepted is written again byte for byte.
 */
#include <stdlib.h>

#include "lsuit/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
    if (!held)
        abort();
}

/* Copy one scalar, or the head of anything else. */
static enum lsuit_cbor_type copy_one(struct lsuit_cbor *c, struct lsuit_cbor_writer *w)
{
    enum lsuit_cbor_type type = lsuit_cbor_peek(c);

    switch (type) {
    case LSUIT_CBOR_UINT:
        lsuit_put_uint(w, lsuit_cbor_uint(c));
        break;
    case LSUIT_CBOR_BSTR:
        lsuit_put_bstr(w, lsuit_cbor_bstr(c));
        break;
    case LSUIT_CBOR_TSTR:
        lsuit_put_tstr(w, lsuit_cbor_tstr(c));
        break;
    case LSUIT_CBOR_ARRAY:
        lsuit_put_array(w, lsuit_cbor_array(c));
        break;
    case LSUIT_CBOR_MAP:
        lsuit_put_map(w, lsuit_cbor_map(c));
        break;
    case LSUIT_CBOR_TAG:
        lsuit_put_tag(w, lsuit_cbor_tag(c));
        break;
    case LSUIT_CBOR_NINT:   /* may be below int64 */
    case LSUIT_CBOR_SIMPLE: /* of three kinds */
        lsuit_put_item(w, lsuit_cbor_item(c));
        break;
    case LSUIT_CBOR_END:
    default:
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    }
    return type;
}

/* Copy a document item by item, by the calls that a reader makes. */
static void copy(struct lsuit_cbor *c, struct lsuit_cbor_writer *w)
{
    bool is_map[LSUIT_CBOR_DEPTH + 1] = { false };
    enum lsuit_cbor_type type;

    do {
        type = copy_one(c, w);
        if (type == LSUIT_CBOR_MAP || type == LSUIT_CBOR_ARRAY)
            is_map[c->depth] = type == LSUIT_CBOR_MAP;
        while (type != LSUIT_CBOR_TAG && c->err == LSUIT_OK && c->depth > 0) {
            if (lsuit_cbor_peek(c) != LSUIT_CBOR_END)
                break;
            if (is_map[c->depth] ? lsuit_cbor_next_any_key(c) : lsuit_cbor_next(c))
                break;
        }
    } while (c->err == LSUIT_OK && (c->depth > 0 || type == LSUIT_CBOR_TAG));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lsuit_bytes doc = { data, size };
    struct lsuit_cbor skim = lsuit_cbor_open(doc), c = lsuit_cbor_open(doc);
    uint8_t *out = malloc(size + 1);
    struct lsuit_cbor_writer w;
    struct lsuit_bytes copied = { NULL, 0 };
    enum lsuit_err e;

    if (out == NULL)
        return 0;
    w = lsuit_cbor_writer_init(out, size + 1);
    (void)lsuit_cbor_item(&skim);
    e = lsuit_cbor_finish(&skim);
    copy(&c, &w);
    require((lsuit_cbor_finish(&c) == LSUIT_OK) == (e == LSUIT_OK));
    require(skim.p >= skim.begin && skim.p <= skim.end && c.p >= c.begin && c.p <= c.end);
    if (e == LSUIT_OK) {
        require(lsuit_put_finish(&w, &copied) == LSUIT_OK);
        require(lsuit_bytes_compare(copied, doc) == 0);
    }
    free(out);
    return 0;
}
