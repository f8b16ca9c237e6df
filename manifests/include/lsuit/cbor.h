/*
 * A strict CBOR cursor and a writer (RFC 8949), for everything that crosses a border.
 *
 * Accepted is the core deterministic encoding only (RFC 8949, 4.2.1): shortest integers and
 * lengths, definite lengths, map keys ascending and each once, valid UTF-8, no floats, no
 * trailing bytes. Nothing is allocated, nothing is copied: strings point into the input.
 *
 *   (1) The cursor keeps its first error; every later read does nothing and answers zero.
 *   (2) No read goes past the end of the input, and no claimed length is trusted before it is
 *       compared with what is left.
 *   (3) Depth is bounded by LSUIT_CBOR_DEPTH; deeper input is LSUIT_ERR_LIMIT.
 */
#ifndef LSUIT_CBOR_H
#define LSUIT_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Open maps and arrays at one time in one document, and tags in front of one item; what is wrapped in
 * a byte string is a document of its own. */
#ifndef LSUIT_CBOR_DEPTH
#define LSUIT_CBOR_DEPTH 8
#endif

enum lsuit_cbor_type {
    LSUIT_CBOR_UINT = 0,
    LSUIT_CBOR_NINT = 1,
    LSUIT_CBOR_BSTR = 2,
    LSUIT_CBOR_TSTR = 3,
    LSUIT_CBOR_ARRAY = 4,
    LSUIT_CBOR_MAP = 5,
    LSUIT_CBOR_TAG = 6,
    LSUIT_CBOR_SIMPLE = 7, /* false, true, null */
    LSUIT_CBOR_END = 8     /* nothing left at this level, or an error stands */
};

struct lsuit_cbor_level {
    uint32_t left;           /* items (array) or pairs (map) not begun yet */
    uint8_t at;              /* in an array; in a map: between pairs, in a key, before a value */
    const uint8_t *key;      /* map: the encoded bytes of the key in work */
    const uint8_t *prev_key; /* map: those of the key before, for order and uniqueness */
};

/* Read-only for callers, but for err: it may be set to keep an error of the caller's own. */
struct lsuit_cbor {
    const uint8_t *begin;
    const uint8_t *p;
    const uint8_t *end;
    enum lsuit_err err;
#ifndef LSUIT_NO_TEXT
    const char *why; /* of the error, static, or NULL */
#endif
    uint8_t depth;
    uint8_t tags;                                        /* taken in front of the next item */
    struct lsuit_cbor_level level[LSUIT_CBOR_DEPTH + 1]; /* [0]: the document */
};

struct lsuit_cbor lsuit_cbor_open(struct lsuit_bytes doc);
/* The same for a cursor that is there. */
void lsuit_cbor_start(struct lsuit_cbor *c, struct lsuit_bytes doc);

/* Keep the first error. Returns false always, so that a reader can `return lsuit_cbor_fail(..)`. */
bool lsuit_cbor_fail(struct lsuit_cbor *c, enum lsuit_err err);
/* The same with a reason, static. */
bool lsuit_cbor_refuse(struct lsuit_cbor *c, enum lsuit_err err, const char *why);

/* The type of the next item, without taking it. */
enum lsuit_cbor_type lsuit_cbor_peek(const struct lsuit_cbor *c);

/* Take one item of the named type; another type is LSUIT_ERR_CBOR. */
uint64_t lsuit_cbor_uint(struct lsuit_cbor *c);
int64_t lsuit_cbor_int(struct lsuit_cbor *c);   /* LSUIT_ERR_RANGE outside of int64 */
int32_t lsuit_cbor_int32(struct lsuit_cbor *c); /* LSUIT_ERR_RANGE outside of int32 */
bool lsuit_cbor_bool(struct lsuit_cbor *c);
void lsuit_cbor_null(struct lsuit_cbor *c);
struct lsuit_bytes lsuit_cbor_bstr(struct lsuit_cbor *c);
struct lsuit_bytes lsuit_cbor_tstr(struct lsuit_cbor *c); /* UTF-8 is checked; no NUL at the end */
uint64_t lsuit_cbor_tag(struct lsuit_cbor *c);            /* the tagged item follows */

/* A byte string of exactly n bytes, LSUIT_ERR_RANGE otherwise. */
struct lsuit_bytes lsuit_cbor_bstr_n(struct lsuit_cbor *c, size_t n);
/* An unsigned integer of at most max, LSUIT_ERR_RANGE otherwise. */
uint64_t lsuit_cbor_uint_max(struct lsuit_cbor *c, uint64_t max);

/*
 * Enter a map or an array; returns the number of pairs or items. Leave it by reading to its end:
 * next_key / next answers false once, and the level is closed.
 */
uint32_t lsuit_cbor_map(struct lsuit_cbor *c);
uint32_t lsuit_cbor_array(struct lsuit_cbor *c);

/* The next integer key of the open map; any other type of key is LSUIT_ERR_CBOR. */
bool lsuit_cbor_next_key(struct lsuit_cbor *c, int64_t *key_out);
/* The same for the keys of SUIT, which are small: LSUIT_ERR_RANGE outside of int32. */
bool lsuit_cbor_next_code(struct lsuit_cbor *c, int32_t *key_out);

/*
 * Prepare for the next key of whatever type; the caller then reads it with lsuit_cbor_int,
 * _tstr or whole with _item. Order and uniqueness are checked over the encoded bytes, lengths
 * first as bytewise order demands.
 */
bool lsuit_cbor_next_any_key(struct lsuit_cbor *c);

/*
 * The same for a map whose keys may come in any order, as in COSE headers (RFC 9052, section 3).
 * The caller sees to it that each comes once.
 */
bool lsuit_cbor_next_loose_key(struct lsuit_cbor *c);

/* Whether the open array has another item. */
bool lsuit_cbor_next(struct lsuit_cbor *c);

/* Take one whole item of any type, nested ones included, and return its encoded bytes. */
struct lsuit_bytes lsuit_cbor_item(struct lsuit_cbor *c);

/* Take a byte string and return its encoding with the header (digests of severed parts). */
struct lsuit_bytes lsuit_cbor_bstr_whole(struct lsuit_cbor *c, struct lsuit_bytes *content_out);

/*
 * Go into the content of a byte string that was just taken, which holds one item, and out again; what
 * is open around it counts towards LSUIT_CBOR_DEPTH. `around` is enter's answer.
 */
struct lsuit_bytes lsuit_cbor_enter(struct lsuit_cbor *c, struct lsuit_bytes content);
void lsuit_cbor_leave(struct lsuit_cbor *c, struct lsuit_bytes around);

/*
 * The rule of our own documents for a key that is not known: from 0 on the value is skipped,
 * below 0 the document is refused (LSUIT_ERR_REFUSED).
 */
void lsuit_cbor_skip_unknown(struct lsuit_cbor *c, int64_t key);

/* Everything was read, every level is closed, no error stands. */
enum lsuit_err lsuit_cbor_finish(const struct lsuit_cbor *c);

/* --- writing ------------------------------------------------------------------------- */

/*
 * Writes shortest forms into the caller's buffer. Map keys must be given in ascending order;
 * the writer does not sort. Like the cursor it keeps its first error (LSUIT_ERR_SPACE).
 */
struct lsuit_cbor_writer {
    uint8_t *buf;
    size_t cap;
    size_t len;
    enum lsuit_err err;
};

/* The shortest head of an item of this major type (enum lsuit_cbor_type); returns its length. */
size_t lsuit_cbor_head(uint8_t out[9], uint8_t major, uint64_t value);

struct lsuit_cbor_writer lsuit_cbor_writer_init(uint8_t *buf, size_t cap);
void lsuit_put_uint(struct lsuit_cbor_writer *w, uint64_t v);
void lsuit_put_int(struct lsuit_cbor_writer *w, int64_t v);
void lsuit_put_bstr(struct lsuit_cbor_writer *w, struct lsuit_bytes b);
void lsuit_put_tstr(struct lsuit_cbor_writer *w, struct lsuit_bytes utf8);
void lsuit_put_text(struct lsuit_cbor_writer *w, const char *utf8);
void lsuit_put_array(struct lsuit_cbor_writer *w, uint32_t items);
void lsuit_put_map(struct lsuit_cbor_writer *w, uint32_t pairs);
void lsuit_put_tag(struct lsuit_cbor_writer *w, uint64_t tag);
void lsuit_put_bool(struct lsuit_cbor_writer *w, bool v);
void lsuit_put_null(struct lsuit_cbor_writer *w);
/* Bytes that are already one encoded item. */
void lsuit_put_item(struct lsuit_cbor_writer *w, struct lsuit_bytes item);
/*
 * What is written between open and close becomes the content of one byte string. Close inserts
 * the header. Nests; `mark` is open's answer.
 */
size_t lsuit_put_bstr_open(struct lsuit_cbor_writer *w);
void lsuit_put_bstr_close(struct lsuit_cbor_writer *w, size_t mark);
/* LSUIT_OK and the bytes written so far, or the first error. */
enum lsuit_err lsuit_put_finish(const struct lsuit_cbor_writer *w, struct lsuit_bytes *doc_out);

#ifdef __cplusplus
}
#endif
#endif
