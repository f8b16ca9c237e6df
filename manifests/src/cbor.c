/*
 * The strict CBOR cursor: reading.
 *
 * Every read goes through head_take, which decides whether an item may stand here, and ends in
 * item_end, which moves the open level on:
 *
 *   level.at   head_take           item_end
 *   DOCUMENT   -                   -
 *   IN_ARRAY   one fewer left      -
 *   NEXT       refused             -
 *   IN_KEY     -                   order is checked; IN_VALUE
 *   IN_VALUE   -                   NEXT
 *
 * A tag is not an item of its own: it belongs to the one that follows.
 */
#include "lsuit/cbor.h"

#include <string.h>

enum { DOCUMENT, IN_ARRAY, NEXT, IN_KEY, IN_VALUE }; /* maps come last */

struct head {
    uint8_t major;
    uint64_t value;
    size_t len; /* of the head itself */
};

void lsuit_cbor_start(struct lsuit_cbor *c, struct lsuit_bytes doc)
{
    static const uint8_t NOTHING[1] = { 0 };

    if (doc.ptr == NULL)
        doc = (struct lsuit_bytes){ NOTHING, 0 };
    c->begin = doc.ptr;
    c->p = doc.ptr;
    c->end = doc.ptr + doc.len;
    c->err = LSUIT_OK;
#ifndef LSUIT_NO_TEXT
    c->why = NULL;
#endif
    c->depth = 0;
    c->tags = 0;
    c->level[0].at = DOCUMENT;
}

struct lsuit_cbor lsuit_cbor_open(struct lsuit_bytes doc)
{
    struct lsuit_cbor c;

    lsuit_cbor_start(&c, doc);
    return c;
}

struct lsuit_bytes lsuit_cbor_enter(struct lsuit_cbor *c, struct lsuit_bytes content)
{
    struct lsuit_bytes around = { c->p, (size_t)(c->end - c->p) };

    if (c->depth == LSUIT_CBOR_DEPTH)
        lsuit_cbor_fail(c, LSUIT_ERR_LIMIT);
    if (c->err == LSUIT_OK) {
        c->level[++c->depth].at = DOCUMENT;
        c->p = content.ptr;
        c->end = content.ptr + content.len;
    }
    return around;
}

void lsuit_cbor_leave(struct lsuit_cbor *c, struct lsuit_bytes around)
{
    if (c->err != LSUIT_OK)
        return;
    if (c->p != c->end)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    c->depth--;
    c->p = around.ptr;
    c->end = around.ptr + around.len;
}

bool lsuit_cbor_fail(struct lsuit_cbor *c, enum lsuit_err err)
{
    if (c->err == LSUIT_OK)
        c->err = err;
    return false;
}

bool lsuit_cbor_refuse(struct lsuit_cbor *c, enum lsuit_err err, const char *why)
{
#ifndef LSUIT_NO_TEXT
    if (c->err == LSUIT_OK)
        c->why = why;
#else
    (void)why;
#endif
    return lsuit_cbor_fail(c, err);
}

static size_t rest(const struct lsuit_cbor *c)
{
    return (size_t)(c->end - c->p);
}

static struct lsuit_cbor_level *top(struct lsuit_cbor *c)
{
    return &c->level[c->depth];
}

/* Decode a head without taking it: the shortest form only, nothing indefinite. */
static inline bool head_read(struct lsuit_cbor *c, struct head *h)
{
    uint8_t info;
    size_t n;

    if (c->err != LSUIT_OK)
        return false;
    if (rest(c) < 1)
        return lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    h->major = c->p[0] >> 5;
    info = c->p[0] & 0x1f;
    h->value = info;
    h->len = 1;
    if (info < 24)
        return true;
    n = (size_t)1 << (info - 24);
    if (info > 27 || h->major == LSUIT_CBOR_SIMPLE || rest(c) - 1 < n)
        return lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    h->value = 0;
    for (; h->len <= n; h->len++)
        h->value = h->value << 8 | c->p[h->len];
    if (h->value < 24 || (n > 1 && h->value >> (4 * n) == 0))
        return lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    return true;
}

/* Take the head of an item of this major type, where one may begin. Answers its value. */
static inline uint64_t head_take(struct lsuit_cbor *c, uint8_t major)
{
    struct lsuit_cbor_level *l = top(c);
    struct head h;

    if (!head_read(c, &h))
        return 0;
    if (h.major != major || l->at == NEXT || (l->at == IN_ARRAY && l->left == 0)) {
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        return 0;
    }
    if (l->at == IN_ARRAY)
        l->left--;
    c->tags = 0;
    c->p += h.len;
    return h.value;
}

/*
 * An item of the open level is complete. Answers whether no error stands.
 *
 * No encoded item is the beginning of another one. So two keys of which one was compared over
 * its whole length without a difference are equal, and prev_key needs no length.
 */
static inline bool item_end(struct lsuit_cbor *c)
{
    struct lsuit_cbor_level *l = top(c);

    if (c->err != LSUIT_OK)
        return false;
    if (l->at == IN_VALUE) {
        l->at = NEXT;
    } else if (l->at == IN_KEY) {
        if (l->prev_key != NULL && memcmp(l->prev_key, l->key, (size_t)(c->p - l->key)) >= 0) {
            c->p = l->key;
            return lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        }
        l->prev_key = l->key;
        l->at = IN_VALUE;
    }
    return true;
}

enum lsuit_cbor_type lsuit_cbor_peek(const struct lsuit_cbor *c)
{
    const struct lsuit_cbor_level *l = &c->level[c->depth];

    if (c->err != LSUIT_OK || c->p == c->end || l->at == NEXT ||
        (l->at == IN_ARRAY && l->left == 0))
        return LSUIT_CBOR_END;
    return (enum lsuit_cbor_type)(c->p[0] >> 5);
}

/* Take an item of this major type that is its head, and answer its value. */
static inline uint64_t scalar(struct lsuit_cbor *c, uint8_t major)
{
    uint64_t v = head_take(c, major);

    return item_end(c) ? v : 0;
}

/* The cursor goes back to an item whose value is refused. */
static uint64_t refused(struct lsuit_cbor *c, const uint8_t *at, enum lsuit_err err)
{
    if (c->err == LSUIT_OK)
        c->p = at;
    lsuit_cbor_fail(c, err);
    return 0;
}

uint64_t lsuit_cbor_uint(struct lsuit_cbor *c)
{
    return scalar(c, LSUIT_CBOR_UINT);
}

uint64_t lsuit_cbor_uint_max(struct lsuit_cbor *c, uint64_t max)
{
    const uint8_t *at = c->p;
    uint64_t v = scalar(c, LSUIT_CBOR_UINT);

    return v <= max ? v : refused(c, at, LSUIT_ERR_RANGE);
}

int64_t lsuit_cbor_int(struct lsuit_cbor *c)
{
    const uint8_t *at = c->p;
    bool negative = lsuit_cbor_peek(c) == LSUIT_CBOR_NINT;
    uint64_t v = scalar(c, negative ? LSUIT_CBOR_NINT : LSUIT_CBOR_UINT);

    if (c->err != LSUIT_OK || v > INT64_MAX)
        return (int64_t)refused(c, at, LSUIT_ERR_RANGE);
    return negative ? -1 - (int64_t)v : (int64_t)v;
}

int32_t lsuit_cbor_int32(struct lsuit_cbor *c)
{
    const uint8_t *at = c->p;
    int64_t v = lsuit_cbor_int(c);

    return v == (int32_t)v ? (int32_t)v : (int32_t)refused(c, at, LSUIT_ERR_RANGE);
}

/* false is 20, true 21, null 22; the others are refused */
static uint64_t simple(struct lsuit_cbor *c, uint64_t from, uint64_t to)
{
    const uint8_t *at = c->p;
    uint64_t v = scalar(c, LSUIT_CBOR_SIMPLE);

    return v >= from && v <= to ? v : refused(c, at, LSUIT_ERR_CBOR);
}

bool lsuit_cbor_bool(struct lsuit_cbor *c)
{
    return simple(c, 20, 21) == 21;
}

void lsuit_cbor_null(struct lsuit_cbor *c)
{
    (void)simple(c, 22, 22);
}

/* RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. */
static bool utf8_valid(const uint8_t *s, size_t n)
{
    size_t i = 0;

    while (i < n) {
        uint8_t lead = s[i++];
        uint8_t low = 0x80, high = 0xbf; /* of the first byte that follows */
        size_t more;

        if (lead < 0x80)
            continue;
        if (lead < 0xc2 || lead > 0xf4)
            return false;
        more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        if (lead == 0xe0)
            low = 0xa0;
        else if (lead == 0xed)
            high = 0x9f;
        else if (lead == 0xf0)
            low = 0x90;
        else if (lead == 0xf4)
            high = 0x8f;
        if (n - i < more)
            return false;
        for (; more > 0; more--, i++) {
            if (s[i] < low || s[i] > high)
                return false;
            low = 0x80;
            high = 0xbf;
        }
    }
    return true;
}

static inline struct lsuit_bytes string(struct lsuit_cbor *c, uint8_t major)
{
    const uint8_t *at = c->p;
    uint64_t n = head_take(c, major);
    struct lsuit_bytes s = { c->p, (size_t)n };

    if (n > rest(c) || (major == LSUIT_CBOR_TSTR && !utf8_valid(s.ptr, s.len)))
        (void)refused(c, at, LSUIT_ERR_CBOR);
    else
        c->p += s.len;
    return item_end(c) ? s : (struct lsuit_bytes){ NULL, 0 };
}

struct lsuit_bytes lsuit_cbor_bstr(struct lsuit_cbor *c)
{
    return string(c, LSUIT_CBOR_BSTR);
}

struct lsuit_bytes lsuit_cbor_tstr(struct lsuit_cbor *c)
{
    return string(c, LSUIT_CBOR_TSTR);
}

struct lsuit_bytes lsuit_cbor_bstr_n(struct lsuit_cbor *c, size_t n)
{
    const uint8_t *at = c->p;
    struct lsuit_bytes s = lsuit_cbor_bstr(c);

    if (c->err != LSUIT_OK || s.len == n)
        return s;
    c->p = at;
    lsuit_cbor_fail(c, LSUIT_ERR_RANGE);
    return (struct lsuit_bytes){ NULL, 0 };
}

struct lsuit_bytes lsuit_cbor_bstr_whole(struct lsuit_cbor *c, struct lsuit_bytes *content_out)
{
    struct lsuit_bytes whole = { c->p, 0 };
    struct lsuit_bytes content = lsuit_cbor_bstr(c);

    if (content_out != NULL)
        *content_out = content;
    if (c->err != LSUIT_OK)
        return (struct lsuit_bytes){ NULL, 0 };
    whole.len = (size_t)(c->p - whole.ptr);
    return whole;
}

uint64_t lsuit_cbor_tag(struct lsuit_cbor *c)
{
    struct head h;

    if (lsuit_cbor_peek(c) != LSUIT_CBOR_TAG) {
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        return 0;
    }
    if (!head_read(c, &h))
        return 0;
    if (c->tags++ == LSUIT_CBOR_DEPTH)
        lsuit_cbor_fail(c, LSUIT_ERR_LIMIT);
    c->p += h.len;
    return h.value;
}

/* An item takes a byte at least, so a count is compared with what is left. */
static inline uint32_t enter(struct lsuit_cbor *c, uint8_t major)
{
    const uint8_t *at = c->p;
    uint64_t n = head_take(c, major);
    bool is_map = major == LSUIT_CBOR_MAP;

    if (c->err != LSUIT_OK)
        return 0;
    if (n > rest(c) / (is_map ? 2 : 1) || n > UINT32_MAX)
        return (uint32_t)refused(c, at, LSUIT_ERR_CBOR);
    if (c->depth == LSUIT_CBOR_DEPTH)
        return (uint32_t)refused(c, at, LSUIT_ERR_LIMIT);
    c->depth++;
    *top(c) = (struct lsuit_cbor_level){ .left = (uint32_t)n, .at = is_map ? NEXT : IN_ARRAY };
    return (uint32_t)n;
}

uint32_t lsuit_cbor_map(struct lsuit_cbor *c)
{
    return enter(c, LSUIT_CBOR_MAP);
}

uint32_t lsuit_cbor_array(struct lsuit_cbor *c)
{
    return enter(c, LSUIT_CBOR_ARRAY);
}

/* The open level, whose state must be this one, between two of its items; NULL at its end. */
static inline struct lsuit_cbor_level *between(struct lsuit_cbor *c, uint8_t at)
{
    struct lsuit_cbor_level *l = top(c);

    if (c->err != LSUIT_OK)
        return NULL;
    if (l->at != at) {
        lsuit_cbor_fail(c, LSUIT_ERR_USAGE);
        return NULL;
    }
    if (l->left > 0)
        return l;
    c->depth--;
    (void)item_end(c);
    return NULL;
}

bool lsuit_cbor_next_any_key(struct lsuit_cbor *c)
{
    struct lsuit_cbor_level *l = between(c, NEXT);

    if (l == NULL)
        return false;
    l->left--;
    l->at = IN_KEY;
    l->key = c->p;
    return true;
}

bool lsuit_cbor_next_loose_key(struct lsuit_cbor *c)
{
    if (!lsuit_cbor_next_any_key(c))
        return false;
    top(c)->prev_key = NULL;
    return true;
}

bool lsuit_cbor_next_key(struct lsuit_cbor *c, int64_t *key_out)
{
    if (!lsuit_cbor_next_any_key(c))
        return false;
    *key_out = lsuit_cbor_int(c);
    return c->err == LSUIT_OK;
}

bool lsuit_cbor_next_code(struct lsuit_cbor *c, int32_t *key_out)
{
    if (!lsuit_cbor_next_any_key(c))
        return false;
    *key_out = lsuit_cbor_int32(c);
    return c->err == LSUIT_OK;
}

bool lsuit_cbor_next(struct lsuit_cbor *c)
{
    return between(c, IN_ARRAY) != NULL;
}

/* Take what stands at the cursor: a scalar or string whole, of the others the head. */
static enum lsuit_cbor_type take_any(struct lsuit_cbor *c)
{
    enum lsuit_cbor_type type = lsuit_cbor_peek(c);

    switch (type) {
    case LSUIT_CBOR_UINT:
    case LSUIT_CBOR_NINT:
        (void)scalar(c, (uint8_t)type);
        break;
    case LSUIT_CBOR_BSTR:
    case LSUIT_CBOR_TSTR:
        (void)string(c, (uint8_t)type);
        break;
    case LSUIT_CBOR_ARRAY:
    case LSUIT_CBOR_MAP:
        (void)enter(c, (uint8_t)type);
        break;
    case LSUIT_CBOR_TAG:
        (void)lsuit_cbor_tag(c);
        break;
    case LSUIT_CBOR_SIMPLE:
        (void)simple(c, 20, 22);
        break;
    case LSUIT_CBOR_END:
    default:
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    }
    return type;
}

/* Levels above `base` stand open: go to where the next item begins, closing those at their end. */
static void advance(struct lsuit_cbor *c, uint8_t base)
{
    while (c->err == LSUIT_OK && c->depth > base) {
        const struct lsuit_cbor_level *l = top(c);

        if (l->at > NEXT || (l->at == NEXT ? lsuit_cbor_next_any_key(c) : lsuit_cbor_next(c)))
            return;
    }
}

struct lsuit_bytes lsuit_cbor_item(struct lsuit_cbor *c)
{
    struct lsuit_bytes item = { c->p, 0 };
    uint8_t base = c->depth;
    enum lsuit_cbor_type type;

    do {
        type = take_any(c);
        if (type != LSUIT_CBOR_TAG)
            advance(c, base);
    } while (c->err == LSUIT_OK && (c->depth > base || type == LSUIT_CBOR_TAG));

    if (c->err != LSUIT_OK)
        return (struct lsuit_bytes){ NULL, 0 };
    item.len = (size_t)(c->p - item.ptr);
    return item;
}

void lsuit_cbor_skip_unknown(struct lsuit_cbor *c, int64_t key)
{
    if (key < 0)
        lsuit_cbor_fail(c, LSUIT_ERR_REFUSED);
    else
        (void)lsuit_cbor_item(c);
}

enum lsuit_err lsuit_cbor_finish(const struct lsuit_cbor *c)
{
    if (c->err != LSUIT_OK)
        return c->err;
    return c->depth == 0 && c->p == c->end ? LSUIT_OK : LSUIT_ERR_CBOR;
}
