/*
 * What the readers and writers of lapel's documents share. Private to src/.
 *
 * Reading: one struct lsuit_in follows a whole document. A map is read as
 *
 *     struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_EVENT);
 *     while (lsuit_in_next(in))
 *         switch (in->key) { ... default: lsuit_in_unknown(in); }
 *     lsuit_in_leave(in, up, DOC_KEY(LSUIT_EVENT_CLASS) | DOC_KEY(LSUIT_EVENT_COUNT));
 *
 * Writing: the pairs of a map are counted while they are written, and its head is put in front
 * when it is closed. A value that the reader would refuse is LSUIT_ERR_RANGE.
 */
#ifndef LSUIT_DOC_IO_H
#define LSUIT_DOC_IO_H

#include "lsuit/cbor.h"
#include "lsuit/doc.h"

#include "fault.h"

#define DOC_KEY(k) (UINT64_C(1) << (k))

/* --- reading --- */

struct lsuit_in {
    struct lsuit_cbor c;
    enum lsuit_map map; /* being read; after an error: where it happened */
    int64_t key;
    uint64_t seen; /* keys 0 to 63 of this map */
    const char *why;
};

/* Where the reader was in the map around. */
struct lsuit_in_at {
    enum lsuit_map map;
    int64_t key;
    uint64_t seen;
};

struct lsuit_in lsuit_in_open(struct lsuit_bytes doc);
struct lsuit_in_at lsuit_in_map(struct lsuit_in *in, enum lsuit_map map);
bool lsuit_in_next(struct lsuit_in *in);
void lsuit_in_unknown(struct lsuit_in *in);
/* Ends a map: every key in `needed` must have been there. */
void lsuit_in_leave(struct lsuit_in *in, struct lsuit_in_at up, uint64_t needed);
/* Every byte was read. Fills the fault when an error stands. */
enum lsuit_err lsuit_in_close(struct lsuit_in *in, struct lsuit_fault *fault);

/* Keep the first error and its reason, for a value that was read already. */
void lsuit_in_fail(struct lsuit_in *in, enum lsuit_err err, const char *why);
void lsuit_in_fail_key(struct lsuit_in *in, int64_t key, enum lsuit_err err, const char *why);

void lsuit_in_version(struct lsuit_in *in);
uint64_t lsuit_in_uint(struct lsuit_in *in, uint64_t min, uint64_t max);
uint32_t lsuit_in_uint32(struct lsuit_in *in, uint32_t min, uint32_t max);
struct lsuit_bytes lsuit_in_bytes(struct lsuit_in *in, size_t min, size_t max);
struct lsuit_bytes lsuit_in_text(struct lsuit_in *in, size_t min, size_t max);
/* Enter an array of at most max items. */
void lsuit_in_array(struct lsuit_in *in, uint32_t max);
/* Year * 100 + month. */
uint32_t lsuit_in_month(struct lsuit_in *in);
/* Seconds to the next poll, clamped. */
uint32_t lsuit_in_poll(struct lsuit_in *in);

/* The value of keys 1 to 3 of a space; any other key is not its business. */
void lsuit_in_space_key(struct lsuit_in *in, struct lsuit_space *space);
#define DOC_SPACE_NEEDED (DOC_KEY(LSUIT_SPACE_VENDOR_ID) | DOC_KEY(LSUIT_SPACE_CLASS_ID))
void lsuit_in_attempt(struct lsuit_in *in, struct lsuit_attempt *attempt);
uint32_t lsuit_in_events(struct lsuit_in *in, struct lsuit_event events[LSUIT_MAX_EVENTS]);
struct lsuit_capability;
void lsuit_in_capability(struct lsuit_in *in, struct lsuit_capability *cap);
void lsuit_in_fault_record(struct lsuit_in *in, struct lsuit_fault_record *record);

/* --- writing --- */

struct lsuit_out {
    struct lsuit_cbor_writer w;
    uint32_t pairs; /* of the map being written */
};

struct lsuit_out_mark {
    size_t at;
    uint32_t pairs; /* of the map around */
};

struct lsuit_out lsuit_out_init(uint8_t *buf, size_t cap);
struct lsuit_out_mark lsuit_out_map(struct lsuit_out *out);
void lsuit_out_leave(struct lsuit_out *out, struct lsuit_out_mark mark);
void lsuit_out_fail(struct lsuit_out *out, enum lsuit_err err);

/* The key alone, for a value that the caller writes. */
void lsuit_out_key(struct lsuit_out *out, int64_t key);
void lsuit_out_version(struct lsuit_out *out);
void lsuit_out_uint(struct lsuit_out *out, int64_t key, uint64_t v, uint64_t min, uint64_t max);
/* Written when it is not 0, within max. */
void lsuit_out_nonzero(struct lsuit_out *out, int64_t key, uint64_t v, uint64_t max);
/* Absent: nothing is written. */
void lsuit_out_bytes(struct lsuit_out *out, int64_t key, struct lsuit_bytes b, size_t min,
                     size_t max);
void lsuit_out_text(struct lsuit_out *out, int64_t key, struct lsuit_bytes s, size_t min,
                    size_t max);
void lsuit_out_item(struct lsuit_out *out, int64_t key, struct lsuit_bytes item);
void lsuit_out_true(struct lsuit_out *out, int64_t key, bool v);
/* Absent is an error. */
void lsuit_out_need(struct lsuit_out *out, struct lsuit_bytes b);
void lsuit_out_month(struct lsuit_out *out, int64_t key, uint32_t month);
/* Key and head of an array of n items, at most max. */
void lsuit_out_array(struct lsuit_out *out, int64_t key, uint32_t n, uint32_t max);

void lsuit_out_space(struct lsuit_out *out, const struct lsuit_space *space);
void lsuit_out_attempt(struct lsuit_out *out, int64_t key, const struct lsuit_attempt *attempt);
void lsuit_out_events(struct lsuit_out *out, int64_t key, const struct lsuit_event *events,
                      uint32_t n);
void lsuit_out_fault_record(struct lsuit_out *out, int64_t key,
                            const struct lsuit_fault_record *record);

/* --- both --- */

bool lsuit_month_ok(uint64_t month);
/* No control character, so that a text can stand in a C string, a log line and a terminal. */
bool lsuit_text_plain(struct lsuit_bytes utf8);
/* An encoded SUIT_Component_Identifier: [ * bstr ] and nothing else. */
bool lsuit_component_id_ok(struct lsuit_bytes id);
/* 43 characters of base64url. */
bool lsuit_token_ok(struct lsuit_bytes token);
/* An enum member that may get more values later; a reader passes on what it does not know. */
#define DOC_ENUM_MAX 255

#endif
