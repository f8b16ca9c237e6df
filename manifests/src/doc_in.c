/*
 * Reading of lapel's documents: what all of them share.
 */
#include "doc_io.h"

struct lsuit_in lsuit_in_open(struct lsuit_bytes doc)
{
    struct lsuit_in in = { .c = lsuit_cbor_open(doc), .map = LSUIT_MAP_N };

    return in;
}

struct lsuit_in_at lsuit_in_map(struct lsuit_in *in, enum lsuit_map map)
{
    struct lsuit_in_at up = { in->map, in->key, in->seen };

    lsuit_cbor_map(&in->c);
    if (in->c.err == LSUIT_OK) {
        in->map = map;
        in->key = 0;
        in->seen = 0;
    }
    return up;
}

bool lsuit_in_next(struct lsuit_in *in)
{
    int64_t key = 0;

    if (!lsuit_cbor_next_key(&in->c, &key))
        return false;
    in->key = key;
    if (key >= 0 && key < 64)
        in->seen |= DOC_KEY(key);
    return true;
}

void lsuit_in_unknown(struct lsuit_in *in)
{
    if (in->key < 0)
        in->why = TEXT("unknown key below 0");
    lsuit_cbor_skip_unknown(&in->c, in->key);
}

void lsuit_in_leave(struct lsuit_in *in, struct lsuit_in_at up, uint64_t needed)
{
    uint64_t missing = needed & ~in->seen;
    int64_t key = 0;

    if (in->c.err != LSUIT_OK)
        return; /* the fault names this map */
    if (missing != 0) {
        while ((missing >> key & 1) == 0)
            key++;
        lsuit_in_fail_key(in, key, LSUIT_ERR_CBOR, TEXT("missing"));
        return;
    }
    in->map = up.map;
    in->key = up.key;
    in->seen = up.seen;
}

enum lsuit_err lsuit_in_close(struct lsuit_in *in, struct lsuit_fault *fault)
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

void lsuit_in_fail(struct lsuit_in *in, enum lsuit_err err, const char *why)
{
    if (in->c.err == LSUIT_OK)
        in->why = why;
    lsuit_cbor_fail(&in->c, err);
}

void lsuit_in_fail_key(struct lsuit_in *in, int64_t key, enum lsuit_err err, const char *why)
{
    if (in->c.err == LSUIT_OK)
        in->key = key;
    lsuit_in_fail(in, err, why);
}

void lsuit_in_version(struct lsuit_in *in)
{
    if (lsuit_cbor_uint(&in->c) != LSUIT_DOC_VERSION)
        lsuit_in_fail(in, LSUIT_ERR_REFUSED, TEXT("another version of the format"));
}

uint64_t lsuit_in_uint(struct lsuit_in *in, uint64_t min, uint64_t max)
{
    const uint8_t *at = in->c.p;
    uint64_t v = lsuit_cbor_uint(&in->c);

    if (in->c.err == LSUIT_OK && (v < min || v > max)) {
        in->c.p = at;
        lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("number out of range"));
    }
    return in->c.err == LSUIT_OK ? v : 0;
}

uint32_t lsuit_in_uint32(struct lsuit_in *in, uint32_t min, uint32_t max)
{
    return (uint32_t)lsuit_in_uint(in, min, max);
}

static struct lsuit_bytes length_between(struct lsuit_in *in, const uint8_t *at,
                                         struct lsuit_bytes s, size_t min, size_t max)
{
    if (in->c.err == LSUIT_OK && (s.len < min || s.len > max)) {
        in->c.p = at;
        lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("length out of range"));
    }
    return in->c.err == LSUIT_OK ? s : (struct lsuit_bytes){ NULL, 0 };
}

struct lsuit_bytes lsuit_in_bytes(struct lsuit_in *in, size_t min, size_t max)
{
    const uint8_t *at = in->c.p;

    return length_between(in, at, lsuit_cbor_bstr(&in->c), min, max);
}

struct lsuit_bytes lsuit_in_text(struct lsuit_in *in, size_t min, size_t max)
{
    const uint8_t *at = in->c.p;
    struct lsuit_bytes s = length_between(in, at, lsuit_cbor_tstr(&in->c), min, max);

    if (in->c.err == LSUIT_OK && !lsuit_text_plain(s)) {
        in->c.p = at;
        lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("control character"));
        s = (struct lsuit_bytes){ NULL, 0 };
    }
    return s;
}

void lsuit_in_array(struct lsuit_in *in, uint32_t max)
{
    const uint8_t *at = in->c.p;

    if (lsuit_cbor_array(&in->c) > max && in->c.err == LSUIT_OK) {
        in->c.p = at;
        lsuit_in_fail(in, LSUIT_ERR_LIMIT, TEXT("too many entries"));
    }
}

uint32_t lsuit_in_month(struct lsuit_in *in)
{
    const uint8_t *at = in->c.p;
    uint64_t month = lsuit_cbor_uint(&in->c);

    if (in->c.err == LSUIT_OK && !lsuit_month_ok(month)) {
        in->c.p = at;
        lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("not year * 100 + month"));
    }
    return in->c.err == LSUIT_OK ? (uint32_t)month : 0;
}

uint32_t lsuit_in_poll(struct lsuit_in *in)
{
    uint64_t s = lsuit_cbor_uint(&in->c);

    return s < LSUIT_POLL_MIN_S   ? LSUIT_POLL_MIN_S
           : s > LSUIT_POLL_MAX_S ? LSUIT_POLL_MAX_S
                                  : (uint32_t)s;
}

/* --- maps that several documents have --- */

void lsuit_in_space_key(struct lsuit_in *in, struct lsuit_space *space)
{
    switch (in->key) {
    case LSUIT_SPACE_VENDOR_ID:
        space->vendor_id = lsuit_in_bytes(in, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
        break;
    case LSUIT_SPACE_CLASS_ID:
        space->class_id = lsuit_in_bytes(in, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
        break;
    default:
        space->component_id = lsuit_in_bytes(in, 1, LSUIT_COMPONENT_ID_MAX);
        if (in->c.err == LSUIT_OK && !lsuit_component_id_ok(space->component_id))
            lsuit_in_fail(in, LSUIT_ERR_CBOR, TEXT("not a component identifier"));
    }
}

void lsuit_in_attempt(struct lsuit_in *in, struct lsuit_attempt *attempt)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_ATTEMPT);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_ATTEMPT_ID:
            attempt->id = lsuit_in_bytes(in, LSUIT_ATTEMPT_ID_LEN, LSUIT_ATTEMPT_ID_LEN);
            break;
        case LSUIT_ATTEMPT_STAGE:
            attempt->stage = lsuit_in_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_ATTEMPT_CLASS:
            attempt->class_ = lsuit_in_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_ATTEMPT_CODE:
            attempt->code = lsuit_cbor_int(&in->c);
            break;
        case LSUIT_ATTEMPT_OFFSET:
            attempt->offset = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
            attempt->has_offset = true;
            break;
        case LSUIT_ATTEMPT_SEQUENCE:
            attempt->sequence = lsuit_in_uint(in, 0, LSUIT_SEQUENCE_MAX);
            attempt->has_sequence = true;
            break;
        case LSUIT_ATTEMPT_DIGEST:
            attempt->digest = lsuit_in_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
            break;
        case LSUIT_ATTEMPT_REASON:
            attempt->reason = lsuit_in_bytes(in, 1, LSUIT_SUIT_REPORT_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_ATTEMPT_ID) | DOC_KEY(LSUIT_ATTEMPT_STAGE) |
                       DOC_KEY(LSUIT_ATTEMPT_CLASS));
}

static void event(struct lsuit_in *in, struct lsuit_event *e)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_EVENT);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_EVENT_CLASS:
            e->class_ = lsuit_in_uint32(in, 1, DOC_ENUM_MAX);
            break;
        case LSUIT_EVENT_COUNT:
            e->count = lsuit_in_uint32(in, 1, UINT32_MAX);
            break;
        case LSUIT_EVENT_LAST:
            e->last_s = lsuit_in_uint32(in, 0, UINT32_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_EVENT_CLASS) | DOC_KEY(LSUIT_EVENT_COUNT) |
                       DOC_KEY(LSUIT_EVENT_LAST));
}

uint32_t lsuit_in_events(struct lsuit_in *in, struct lsuit_event events[LSUIT_MAX_EVENTS])
{
    uint32_t n = 0;

    lsuit_in_array(in, LSUIT_MAX_EVENTS);
    while (lsuit_cbor_next(&in->c))
        event(in, &events[n++]);
    return n;
}

void lsuit_in_fault_record(struct lsuit_in *in, struct lsuit_fault_record *record)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_FAULT);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_FAULT_KIND:
            record->kind = lsuit_in_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_FAULT_WHERE:
            record->where = lsuit_in_uint(in, 0, UINT64_MAX);
            break;
        case LSUIT_FAULT_SEQUENCE:
            record->sequence = lsuit_in_uint(in, 0, LSUIT_SEQUENCE_MAX);
            record->has_sequence = true;
            break;
        case LSUIT_FAULT_DETAIL:
            record->detail = lsuit_in_bytes(in, 1, LSUIT_FAULT_DETAIL_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up, DOC_KEY(LSUIT_FAULT_KIND));
}
