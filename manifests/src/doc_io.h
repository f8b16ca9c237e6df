/*
 * What the readers and writers of lapel's documents share. Private to src/.
 *
 * Reading: one struct doc_in follows a whole document. A map is read as
 *
 *     struct doc_at up = doc_map(in, LSUIT_MAP_EVENT);
 *     while (doc_next(in))
 *         switch (in->key) { ... default: doc_unknown(in); }
 *     doc_leave(in, up, DOC_KEY(LSUIT_EVENT_CLASS) | DOC_KEY(LSUIT_EVENT_COUNT));
 *
 * Writing: the pairs of a map are counted while they are written, and its head is put in front
 * when it is closed. A value that the reader would refuse is LSUIT_ERR_RANGE.
 */
#ifndef LSUIT_DOC_IO_H
#define LSUIT_DOC_IO_H

#include "lsuit/cbor.h"
#include "lsuit/doc.h"

#define DOC_KEY(k) (UINT64_C(1) << (k))

/* --- reading --- */

struct doc_in {
    struct lsuit_cbor c;
    enum lsuit_map map; /* being read; after an error: where it happened */
    int64_t key;
    uint64_t seen; /* keys 0 to 63 of this map */
    const char *why;
};

/* Where the reader was in the map around. */
struct doc_at {
    enum lsuit_map map;
    int64_t key;
    uint64_t seen;
};

struct doc_in doc_open(struct lsuit_bytes doc);
struct doc_at doc_map(struct doc_in *in, enum lsuit_map map);
bool doc_next(struct doc_in *in);
void doc_unknown(struct doc_in *in);
/* Ends a map: every key in `needed` must have been there. */
void doc_leave(struct doc_in *in, struct doc_at up, uint64_t needed);
/* Every byte was read. Fills the fault when an error stands. */
enum lsuit_err doc_close(struct doc_in *in, struct lsuit_fault *fault);

/* Keep the first error and its reason, for a value that was read already. */
void doc_fail(struct doc_in *in, enum lsuit_err err, const char *why);
void doc_fail_key(struct doc_in *in, int64_t key, enum lsuit_err err, const char *why);

void doc_version(struct doc_in *in);
uint64_t doc_uint(struct doc_in *in, uint64_t min, uint64_t max);
uint32_t doc_uint32(struct doc_in *in, uint32_t min, uint32_t max);
struct lsuit_bytes doc_bytes(struct doc_in *in, size_t min, size_t max);
struct lsuit_bytes doc_text(struct doc_in *in, size_t min, size_t max);
/* Enter an array of at most max items. */
void doc_array(struct doc_in *in, uint32_t max);
/* Year * 100 + month. */
uint32_t doc_month(struct doc_in *in);
/* Seconds to the next poll, clamped. */
uint32_t doc_poll(struct doc_in *in);

/* The value of keys 1 to 3 of a space; any other key is not its business. */
void doc_space_key(struct doc_in *in, struct lsuit_space *space);
#define DOC_SPACE_NEEDED (DOC_KEY(LSUIT_SPACE_VENDOR_ID) | DOC_KEY(LSUIT_SPACE_CLASS_ID))
void doc_attempt(struct doc_in *in, struct lsuit_attempt *attempt);
uint32_t doc_events(struct doc_in *in, struct lsuit_event events[LSUIT_MAX_EVENTS]);
struct lsuit_capability;
void doc_capability(struct doc_in *in, struct lsuit_capability *cap);
void doc_fault_record(struct doc_in *in, struct lsuit_fault_record *record);

/* --- writing --- */

struct doc_out {
    struct lsuit_cbor_writer w;
    uint32_t pairs; /* of the map being written */
};

struct doc_mark {
    size_t at;
    uint32_t pairs; /* of the map around */
};

struct doc_out doc_out_init(uint8_t *buf, size_t cap);
struct doc_mark doc_out_map(struct doc_out *out);
void doc_out_leave(struct doc_out *out, struct doc_mark mark);
void doc_out_fail(struct doc_out *out, enum lsuit_err err);

/* The key alone, for a value that the caller writes. */
void doc_out_key(struct doc_out *out, int64_t key);
void doc_out_version(struct doc_out *out);
void doc_out_uint(struct doc_out *out, int64_t key, uint64_t v, uint64_t min, uint64_t max);
/* Written when it is not 0, within max. */
void doc_out_nonzero(struct doc_out *out, int64_t key, uint64_t v, uint64_t max);
/* Absent: nothing is written. */
void doc_out_bytes(struct doc_out *out, int64_t key, struct lsuit_bytes b, size_t min, size_t max);
void doc_out_text(struct doc_out *out, int64_t key, struct lsuit_bytes s, size_t min, size_t max);
void doc_out_item(struct doc_out *out, int64_t key, struct lsuit_bytes item);
void doc_out_true(struct doc_out *out, int64_t key, bool v);
/* Absent is an error. */
void doc_out_need(struct doc_out *out, struct lsuit_bytes b);
void doc_out_month(struct doc_out *out, int64_t key, uint32_t month);
/* Key and head of an array of n items, at most max. */
void doc_out_array(struct doc_out *out, int64_t key, uint32_t n, uint32_t max);

void doc_out_space(struct doc_out *out, const struct lsuit_space *space);
void doc_out_attempt(struct doc_out *out, int64_t key, const struct lsuit_attempt *attempt);
void doc_out_events(struct doc_out *out, int64_t key, const struct lsuit_event *events, uint32_t n);
void doc_out_fault_record(struct doc_out *out, int64_t key,
                          const struct lsuit_fault_record *record);

/* --- both --- */

bool doc_month_ok(uint64_t month);
/* No control character, so that a text can stand in a C string, a log line and a terminal. */
bool doc_text_plain(struct lsuit_bytes utf8);
/* An encoded SUIT_Component_Identifier: [ * bstr ] and nothing else. */
bool doc_component_id_ok(struct lsuit_bytes id);
/* 43 characters of base64url. */
bool doc_token_ok(struct lsuit_bytes token);
/* An enum member that may get more values later; a reader passes on what it does not know. */
#define DOC_ENUM_MAX 255

#endif
