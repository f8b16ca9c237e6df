/*
 * The CBOR writer: shortest forms into the caller's buffer.
 */
#include "lsuit/cbor.h"

#include <string.h>

struct lsuit_cbor_writer lsuit_cbor_writer_init(uint8_t *buf, size_t cap)
{
    struct lsuit_cbor_writer w = { 0 };

    w.buf = buf;
    w.cap = buf != NULL ? cap : 0;
    return w;
}

static bool room(struct lsuit_cbor_writer *w, size_t n)
{
    if (w->err == LSUIT_OK && w->cap - w->len < n)
        w->err = LSUIT_ERR_SPACE;
    return w->err == LSUIT_OK;
}

static void put(struct lsuit_cbor_writer *w, const uint8_t *bytes, size_t n)
{
    if (!room(w, n) || n == 0)
        return;
    memcpy(w->buf + w->len, bytes, n);
    w->len += n;
}

size_t lsuit_cbor_head(uint8_t out[9], uint8_t major, uint64_t v)
{
    size_t n = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
    uint8_t info = n == 0 ? (uint8_t)v : n == 1 ? 24 : n == 2 ? 25 : n == 4 ? 26 : 27;

    out[0] = (uint8_t)(major << 5 | info);
    for (size_t i = n; i > 0; i--, v >>= 8)
        out[i] = (uint8_t)v;
    return 1 + n;
}

static void put_head(struct lsuit_cbor_writer *w, uint8_t major, uint64_t v)
{
    uint8_t h[9];
    size_t n = lsuit_cbor_head(h, major, v);

    put(w, h, n);
}

void lsuit_put_uint(struct lsuit_cbor_writer *w, uint64_t v)
{
    put_head(w, LSUIT_CBOR_UINT, v);
}

void lsuit_put_int(struct lsuit_cbor_writer *w, int64_t v)
{
    if (v < 0)
        put_head(w, LSUIT_CBOR_NINT, (uint64_t)(-1 - v));
    else
        put_head(w, LSUIT_CBOR_UINT, (uint64_t)v);
}

void lsuit_put_bstr(struct lsuit_cbor_writer *w, struct lsuit_bytes b)
{
    put_head(w, LSUIT_CBOR_BSTR, b.len);
    put(w, b.ptr, b.len);
}

void lsuit_put_tstr(struct lsuit_cbor_writer *w, struct lsuit_bytes utf8)
{
    put_head(w, LSUIT_CBOR_TSTR, utf8.len);
    put(w, utf8.ptr, utf8.len);
}

void lsuit_put_text(struct lsuit_cbor_writer *w, const char *utf8)
{
    lsuit_put_tstr(w, lsuit_text(utf8));
}

void lsuit_put_array(struct lsuit_cbor_writer *w, uint32_t items)
{
    put_head(w, LSUIT_CBOR_ARRAY, items);
}

void lsuit_put_map(struct lsuit_cbor_writer *w, uint32_t pairs)
{
    put_head(w, LSUIT_CBOR_MAP, pairs);
}

void lsuit_put_tag(struct lsuit_cbor_writer *w, uint64_t tag)
{
    put_head(w, LSUIT_CBOR_TAG, tag);
}

void lsuit_put_bool(struct lsuit_cbor_writer *w, bool v)
{
    put_head(w, LSUIT_CBOR_SIMPLE, v ? 21 : 20);
}

void lsuit_put_null(struct lsuit_cbor_writer *w)
{
    put_head(w, LSUIT_CBOR_SIMPLE, 22);
}

void lsuit_put_item(struct lsuit_cbor_writer *w, struct lsuit_bytes item)
{
    if (item.len == 0 && w->err == LSUIT_OK)
        w->err = LSUIT_ERR_USAGE;
    put(w, item.ptr, item.len);
}

size_t lsuit_put_bstr_open(struct lsuit_cbor_writer *w)
{
    return w->len;
}

void lsuit_put_bstr_close(struct lsuit_cbor_writer *w, size_t mark)
{
    uint8_t h[9];
    size_t content, n;

    if (w->err != LSUIT_OK)
        return;
    if (mark > w->len) {
        w->err = LSUIT_ERR_USAGE;
        return;
    }
    content = w->len - mark;
    n = lsuit_cbor_head(h, LSUIT_CBOR_BSTR, content);
    if (!room(w, n))
        return;
    lsuit_bytes_move(w->buf + mark + n, w->buf + mark, content);
    memcpy(w->buf + mark, h, n);
    w->len += n;
}

enum lsuit_err lsuit_put_finish(const struct lsuit_cbor_writer *w, struct lsuit_bytes *doc_out)
{
    if (w->err == LSUIT_OK)
        *doc_out = (struct lsuit_bytes){ w->buf, w->len };
    return w->err;
}
