/*
 * Reading of lapel's documents: what all of them share.
 */
#include "doc_io.h"

struct doc_in doc_open(struct lsuit_bytes doc)
{
    struct doc_in in = { .c = lsuit_cbor_open(doc), .map = LSUIT_MAP_N };

    return in;
}

struct doc_at doc_map(struct doc_in *in, enum lsuit_map map)
{
    struct doc_at up = { in->map, in->key, in->seen };

    lsuit_cbor_map(&in->c);
    if (in->c.err == LSUIT_OK) {
        in->map = map;
        in->key = 0;
        in->seen = 0;
    }
    return up;
}

bool doc_next(struct doc_in *in)
{
    int64_t key = 0;

    if (!lsuit_cbor_next_key(&in->c, &key))
        return false;
    in->key = key;
    if (key >= 0 && key < 64)
        in->seen |= DOC_KEY(key);
    return true;
}

void doc_unknown(struct doc_in *in)
{
    if (in->key < 0)
        in->why = "unknown key below 0";
    lsuit_cbor_skip_unknown(&in->c, in->key);
}

void doc_leave(struct doc_in *in, struct doc_at up, uint64_t needed)
{
    uint64_t missing = needed & ~in->seen;
    int64_t key = 0;

    if (in->c.err != LSUIT_OK)
        return; /* the fault names this map */
    if (missing != 0) {
        while ((missing >> key & 1) == 0)
            key++;
        doc_fail_key(in, key, LSUIT_ERR_CBOR, "missing");
        return;
    }
    in->map = up.map;
    in->key = up.key;
    in->seen = up.seen;
}

enum lsuit_err doc_close(struct doc_in *in, struct lsuit_fault *fault)
{
    enum lsuit_err e = lsuit_cbor_finish(&in->c);

    if (e != LSUIT_OK && fault != NULL) {
        *fault = (struct lsuit_fault){ 0 };
        fault->err = e;
        fault->what = lsuit_key_name(in->map, in->key);
        fault->why = in->why;
        fault->code = in->key;
        fault->component = -1;
        fault->offset = (size_t)(in->c.p - in->c.begin);
    }
    return e;
}

void doc_fail(struct doc_in *in, enum lsuit_err err, const char *why)
{
    if (in->c.err == LSUIT_OK)
        in->why = why;
    lsuit_cbor_fail(&in->c, err);
}

void doc_fail_key(struct doc_in *in, int64_t key, enum lsuit_err err, const char *why)
{
    if (in->c.err == LSUIT_OK)
        in->key = key;
    doc_fail(in, err, why);
}

void doc_version(struct doc_in *in)
{
    if (lsuit_cbor_uint(&in->c) != LSUIT_DOC_VERSION)
        doc_fail(in, LSUIT_ERR_REFUSED, "another version of the format");
}

uint64_t doc_uint(struct doc_in *in, uint64_t min, uint64_t max)
{
    const uint8_t *at = in->c.p;
    uint64_t v = lsuit_cbor_uint(&in->c);

    if (in->c.err == LSUIT_OK && (v < min || v > max)) {
        in->c.p = at;
        doc_fail(in, LSUIT_ERR_RANGE, "number out of range");
    }
    return in->c.err == LSUIT_OK ? v : 0;
}

uint32_t doc_uint32(struct doc_in *in, uint32_t min, uint32_t max)
{
    return (uint32_t)doc_uint(in, min, max);
}

static struct lsuit_bytes length_between(struct doc_in *in, const uint8_t *at,
                                         struct lsuit_bytes s, size_t min, size_t max)
{
    if (in->c.err == LSUIT_OK && (s.len < min || s.len > max)) {
        in->c.p = at;
        doc_fail(in, LSUIT_ERR_RANGE, "length out of range");
    }
    return in->c.err == LSUIT_OK ? s : (struct lsuit_bytes){ NULL, 0 };
}

struct lsuit_bytes doc_bytes(struct doc_in *in, size_t min, size_t max)
{
    const uint8_t *at = in->c.p;

    return length_between(in, at, lsuit_cbor_bstr(&in->c), min, max);
}

struct lsuit_bytes doc_text(struct doc_in *in, size_t min, size_t max)
{
    const uint8_t *at = in->c.p;
    struct lsuit_bytes s = length_between(in, at, lsuit_cbor_tstr(&in->c), min, max);

    if (in->c.err == LSUIT_OK && !doc_text_plain(s)) {
        in->c.p = at;
        doc_fail(in, LSUIT_ERR_RANGE, "control character");
        s = (struct lsuit_bytes){ NULL, 0 };
    }
    return s;
}

void doc_array(struct doc_in *in, uint32_t max)
{
    const uint8_t *at = in->c.p;

    if (lsuit_cbor_array(&in->c) > max && in->c.err == LSUIT_OK) {
        in->c.p = at;
        doc_fail(in, LSUIT_ERR_LIMIT, "too many entries");
    }
}

uint32_t doc_month(struct doc_in *in)
{
    const uint8_t *at = in->c.p;
    uint64_t month = lsuit_cbor_uint(&in->c);

    if (in->c.err == LSUIT_OK && !doc_month_ok(month)) {
        in->c.p = at;
        doc_fail(in, LSUIT_ERR_RANGE, "not year * 100 + month");
    }
    return in->c.err == LSUIT_OK ? (uint32_t)month : 0;
}

uint32_t doc_poll(struct doc_in *in)
{
    uint64_t s = lsuit_cbor_uint(&in->c);

    return s < LSUIT_POLL_MIN_S   ? LSUIT_POLL_MIN_S
           : s > LSUIT_POLL_MAX_S ? LSUIT_POLL_MAX_S
                                  : (uint32_t)s;
}

/* --- maps that several documents have --- */

void doc_space_key(struct doc_in *in, struct lsuit_space *space)
{
    switch (in->key) {
    case LSUIT_SPACE_VENDOR_ID:
        space->vendor_id = doc_bytes(in, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
        break;
    case LSUIT_SPACE_CLASS_ID:
        space->class_id = doc_bytes(in, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
        break;
    default:
        space->component_id = doc_bytes(in, 1, LSUIT_COMPONENT_ID_MAX);
        if (in->c.err == LSUIT_OK && !doc_component_id_ok(space->component_id))
            doc_fail(in, LSUIT_ERR_CBOR, "not a component identifier");
    }
}

void doc_attempt(struct doc_in *in, struct lsuit_attempt *attempt)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_ATTEMPT);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_ATTEMPT_ID:
            attempt->id = doc_bytes(in, LSUIT_ATTEMPT_ID_LEN, LSUIT_ATTEMPT_ID_LEN);
            break;
        case LSUIT_ATTEMPT_STAGE:
            attempt->stage = doc_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_ATTEMPT_CLASS:
            attempt->class_ = doc_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_ATTEMPT_CODE:
            attempt->code = lsuit_cbor_int(&in->c);
            break;
        case LSUIT_ATTEMPT_OFFSET:
            attempt->offset = doc_uint(in, 0, LSUIT_NUMBER_MAX);
            attempt->has_offset = true;
            break;
        case LSUIT_ATTEMPT_SEQUENCE:
            attempt->sequence = doc_uint(in, 0, LSUIT_SEQUENCE_MAX);
            attempt->has_sequence = true;
            break;
        case LSUIT_ATTEMPT_DIGEST:
            attempt->digest = doc_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
            break;
        case LSUIT_ATTEMPT_REASON:
            attempt->reason = doc_bytes(in, 1, LSUIT_SUIT_REPORT_MAX);
            break;
        default:
            doc_unknown(in);
        }
    }
    doc_leave(in, up,
              DOC_KEY(LSUIT_ATTEMPT_ID) | DOC_KEY(LSUIT_ATTEMPT_STAGE) |
                  DOC_KEY(LSUIT_ATTEMPT_CLASS));
}

static void event(struct doc_in *in, struct lsuit_event *e)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_EVENT);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_EVENT_CLASS:
            e->class_ = doc_uint32(in, 1, DOC_ENUM_MAX);
            break;
        case LSUIT_EVENT_COUNT:
            e->count = doc_uint32(in, 1, UINT32_MAX);
            break;
        case LSUIT_EVENT_LAST:
            e->last_s = doc_uint32(in, 0, UINT32_MAX);
            break;
        default:
            doc_unknown(in);
        }
    }
    doc_leave(in, up,
              DOC_KEY(LSUIT_EVENT_CLASS) | DOC_KEY(LSUIT_EVENT_COUNT) | DOC_KEY(LSUIT_EVENT_LAST));
}

uint32_t doc_events(struct doc_in *in, struct lsuit_event events[LSUIT_MAX_EVENTS])
{
    uint32_t n = 0;

    doc_array(in, LSUIT_MAX_EVENTS);
    while (lsuit_cbor_next(&in->c))
        event(in, &events[n++]);
    return n;
}

void doc_fault_record(struct doc_in *in, struct lsuit_fault_record *record)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_FAULT);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_FAULT_KIND:
            record->kind = doc_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_FAULT_WHERE:
            record->where = doc_uint(in, 0, UINT64_MAX);
            break;
        case LSUIT_FAULT_SEQUENCE:
            record->sequence = doc_uint(in, 0, LSUIT_SEQUENCE_MAX);
            record->has_sequence = true;
            break;
        case LSUIT_FAULT_DETAIL:
            record->detail = doc_bytes(in, 1, LSUIT_FAULT_DETAIL_MAX);
            break;
        default:
            doc_unknown(in);
        }
    }
    doc_leave(in, up, DOC_KEY(LSUIT_FAULT_KIND));
}
