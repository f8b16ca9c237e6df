/*
 * CBOR from diagnostic notation (RFC 8949, section 8), so that a table can hold documents as text:
 *
 *     [12, true, 20, {14: 5, 21: "#a", 3: sha256'hello'}, 15, [<<[14, 0]>>, null]]
 *
 * Integers, h'..', 'text' (bytes), "text", arrays, maps, <<..>>, true, false, null, tag(item), and
 * sha256'text' for the SUIT_Digest of a text as a byte string. Map keys stay in the given order.
 * A text that isn't this notation ends the program, for then the table is wrong.
 */
#ifndef DIAG_H
#define DIAG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsuit/cbor.h"
#include "lsuit/suit.h"

#define DIAG_MAX 4096

struct diag {
    const char *text; /* whole, for the message */
    const char *p;
};

static inline void diag_bad(const struct diag *d)
{
    printf("FAIL no diagnostic notation from \"%.40s\" on: %s\n", d->p, d->text);
    exit(1);
}

static inline bool diag_take(struct diag *d, const char *word)
{
    while (*d->p == ' ' || *d->p == '\n')
        d->p++;
    if (strncmp(d->p, word, strlen(word)) != 0)
        return false;
    d->p += strlen(word);
    return true;
}

/* What stands up to a closing quote. */
static inline struct lsuit_bytes diag_quoted(struct diag *d, char quote)
{
    const char *from = d->p;
    const char *end = strchr(from, quote);

    if (end == NULL)
        diag_bad(d);
    else
        d->p = end + 1;
    return (struct lsuit_bytes){ (const uint8_t *)from, end != NULL ? (size_t)(end - from) : 0 };
}

static inline void diag_digest(struct diag *d, struct lsuit_cbor_writer *w)
{
    uint8_t digest[LSUIT_DIGEST_MAX];
    size_t n = 0;
    size_t mark = lsuit_put_bstr_open(w);

    if (lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, diag_quoted(d, '\''), digest,
                         sizeof digest, &n) != LSUIT_OK)
        diag_bad(d);
    lsuit_put_digest(w, LSUIT_ALG_SHA256, (struct lsuit_bytes){ digest, n });
    lsuit_put_bstr_close(w, mark);
}

static inline void diag_hex(struct diag *d, struct lsuit_cbor_writer *w)
{
    uint8_t bytes[DIAG_MAX];
    size_t n = 0;
    unsigned value;

    for (; sscanf(d->p, "%2x", &value) == 1 && d->p[0] != '\'' && n < sizeof bytes; d->p += 2)
        bytes[n++] = (uint8_t)value;
    if (!diag_take(d, "'"))
        diag_bad(d);
    lsuit_put_bstr(w, (struct lsuit_bytes){ bytes, n });
}

static inline void diag_item(struct diag *d, struct lsuit_cbor_writer *w);

/* Items up to a closing word; `between` stands between key and value, NULL in an array. */
static inline uint32_t diag_items(struct diag *d, struct lsuit_cbor_writer *w, const char *between,
                                  const char *close)
{
    uint32_t n = 0;

    while (!diag_take(d, close)) {
        if (n > 0 && !diag_take(d, ","))
            diag_bad(d);
        diag_item(d, w);
        if (between != NULL) {
            if (!diag_take(d, between))
                diag_bad(d);
            diag_item(d, w);
        }
        n++;
    }
    return n;
}

static inline void diag_group(struct diag *d, struct lsuit_cbor_writer *w, bool map)
{
    uint8_t buf[DIAG_MAX];
    struct lsuit_cbor_writer inner = lsuit_cbor_writer_init(buf, sizeof buf);
    uint32_t n = diag_items(d, &inner, map ? ":" : NULL, map ? "}" : "]");

    if (map)
        lsuit_put_map(w, n);
    else
        lsuit_put_array(w, n);
    if (inner.len > 0)
        lsuit_put_item(w, (struct lsuit_bytes){ buf, inner.len });
}

static inline void diag_number(struct diag *d, struct lsuit_cbor_writer *w)
{
    bool negative = diag_take(d, "-");
    char *end = NULL;
    unsigned long long v = strtoull(d->p, &end, 0);

    if (end == d->p)
        diag_bad(d);
    d->p = end;
    if (diag_take(d, "(")) {
        lsuit_put_tag(w, v);
        diag_item(d, w);
        if (!diag_take(d, ")"))
            diag_bad(d);
    } else if (negative) {
        lsuit_put_int(w, -(int64_t)v);
    } else {
        lsuit_put_uint(w, v);
    }
}

static inline void diag_item(struct diag *d, struct lsuit_cbor_writer *w)
{
    if (diag_take(d, "[")) {
        diag_group(d, w, false);
    } else if (diag_take(d, "{")) {
        diag_group(d, w, true);
    } else if (diag_take(d, "<<")) {
        size_t mark = lsuit_put_bstr_open(w);

        (void)diag_items(d, w, NULL, ">>");
        lsuit_put_bstr_close(w, mark);
    } else if (diag_take(d, "sha256'")) {
        diag_digest(d, w);
    } else if (diag_take(d, "h'")) {
        diag_hex(d, w);
    } else if (diag_take(d, "'")) {
        lsuit_put_bstr(w, diag_quoted(d, '\''));
    } else if (diag_take(d, "\"")) {
        lsuit_put_tstr(w, diag_quoted(d, '"'));
    } else if (diag_take(d, "true")) {
        lsuit_put_bool(w, true);
    } else if (diag_take(d, "false")) {
        lsuit_put_bool(w, false);
    } else if (diag_take(d, "null")) {
        lsuit_put_null(w);
    } else {
        diag_number(d, w);
    }
}

/* Write the items of a text one after the other. Ends the program when they don't fit. */
static inline void diag_write(struct lsuit_cbor_writer *w, const char *text)
{
    struct diag d = { text, text };

    while (diag_item(&d, w), diag_take(&d, ","))
        ;
    if (!diag_take(&d, "") || *d.p != '\0' || w->err != LSUIT_OK)
        diag_bad(&d);
}

#endif
