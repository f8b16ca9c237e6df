/*
 * Writing of lapel's documents: what all of them share.
 */
#include "doc_io.h"

#include <string.h>

struct lsuit_out lsuit_out_init(uint8_t *buf, size_t cap)
{
    struct lsuit_out out = { .w = lsuit_cbor_writer_init(buf, cap) };

    return out;
}

struct lsuit_out_mark lsuit_out_map(struct lsuit_out *out)
{
    struct lsuit_out_mark mark = { out->w.len, out->pairs };

    out->pairs = 0;
    return mark;
}

/* The head of the map moves in front of what was written since the mark. */
void lsuit_out_leave(struct lsuit_out *out, struct lsuit_out_mark mark)
{
    uint8_t head[5];
    struct lsuit_cbor_writer h = lsuit_cbor_writer_init(head, sizeof head);
    struct lsuit_cbor_writer *w = &out->w;

    lsuit_put_map(&h, out->pairs);
    out->pairs = mark.pairs;
    if (w->err == LSUIT_OK && w->cap - w->len < h.len)
        w->err = LSUIT_ERR_SPACE;
    if (w->err != LSUIT_OK)
        return;
    if (w->len > mark.at)
        lsuit_bytes_move(w->buf + mark.at + h.len, w->buf + mark.at, w->len - mark.at);
    memcpy(w->buf + mark.at, head, h.len);
    w->len += h.len;
}

void lsuit_out_fail(struct lsuit_out *out, enum lsuit_err err)
{
    if (out->w.err == LSUIT_OK)
        out->w.err = err;
}

void lsuit_out_key(struct lsuit_out *out, int64_t key)
{
    out->pairs++;
    lsuit_put_int(&out->w, key);
}

void lsuit_out_version(struct lsuit_out *out)
{
    lsuit_out_uint(out, 0, LSUIT_DOC_VERSION, 0, LSUIT_DOC_VERSION);
}

void lsuit_out_uint(struct lsuit_out *out, int64_t key, uint64_t v, uint64_t min, uint64_t max)
{
    if (v < min || v > max) {
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
        return;
    }
    lsuit_out_key(out, key);
    lsuit_put_uint(&out->w, v);
}

void lsuit_out_nonzero(struct lsuit_out *out, int64_t key, uint64_t v, uint64_t max)
{
    if (v != 0)
        lsuit_out_uint(out, key, v, 1, max);
}

void lsuit_out_bytes(struct lsuit_out *out, int64_t key, struct lsuit_bytes b, size_t min,
                     size_t max)
{
    if (b.ptr == NULL)
        return;
    if (b.len < min || b.len > max) {
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
        return;
    }
    lsuit_out_key(out, key);
    lsuit_put_bstr(&out->w, b);
}

void lsuit_out_text(struct lsuit_out *out, int64_t key, struct lsuit_bytes s, size_t min,
                    size_t max)
{
    struct lsuit_cbor c;
    size_t at;

    if (s.ptr == NULL)
        return;
    if (s.len < min || s.len > max || !lsuit_text_plain(s)) {
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
        return;
    }
    lsuit_out_key(out, key);
    at = out->w.len;
    lsuit_put_tstr(&out->w, s);
    if (out->w.err != LSUIT_OK)
        return;
    c = lsuit_cbor_open((struct lsuit_bytes){ out->w.buf + at, out->w.len - at });
    (void)lsuit_cbor_tstr(&c);
    if (c.err != LSUIT_OK)
        lsuit_out_fail(out, LSUIT_ERR_RANGE); /* not UTF-8 */
}

void lsuit_out_item(struct lsuit_out *out, int64_t key, struct lsuit_bytes item)
{
    if (item.ptr == NULL)
        return;
    lsuit_out_key(out, key);
    lsuit_put_item(&out->w, item);
}

void lsuit_out_true(struct lsuit_out *out, int64_t key, bool v)
{
    if (!v)
        return;
    lsuit_out_key(out, key);
    lsuit_put_bool(&out->w, true);
}

void lsuit_out_need(struct lsuit_out *out, struct lsuit_bytes b)
{
    if (b.ptr == NULL)
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
}

void lsuit_out_month(struct lsuit_out *out, int64_t key, uint32_t month)
{
    if (!lsuit_month_ok(month))
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
    else
        lsuit_out_uint(out, key, month, 0, UINT32_MAX);
}

void lsuit_out_array(struct lsuit_out *out, int64_t key, uint32_t n, uint32_t max)
{
    if (n > max) {
        lsuit_out_fail(out, LSUIT_ERR_LIMIT);
        return;
    }
    lsuit_out_key(out, key);
    lsuit_put_array(&out->w, n);
}

/* --- maps that several documents have --- */

void lsuit_out_space(struct lsuit_out *out, const struct lsuit_space *space)
{
    lsuit_out_need(out, space->vendor_id);
    lsuit_out_need(out, space->class_id);
    lsuit_out_bytes(out, LSUIT_SPACE_VENDOR_ID, space->vendor_id, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
    lsuit_out_bytes(out, LSUIT_SPACE_CLASS_ID, space->class_id, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
    if (space->component_id.ptr != NULL && !lsuit_component_id_ok(space->component_id))
        lsuit_out_fail(out, LSUIT_ERR_CBOR);
    lsuit_out_bytes(out, LSUIT_SPACE_COMPONENT_ID, space->component_id, 1, LSUIT_COMPONENT_ID_MAX);
}

void lsuit_out_attempt(struct lsuit_out *out, int64_t key, const struct lsuit_attempt *attempt)
{
    struct lsuit_out_mark mark;

    lsuit_out_key(out, key);
    mark = lsuit_out_map(out);
    lsuit_out_need(out, attempt->id);
    lsuit_out_bytes(out, LSUIT_ATTEMPT_ID, attempt->id, LSUIT_ATTEMPT_ID_LEN, LSUIT_ATTEMPT_ID_LEN);
    lsuit_out_uint(out, LSUIT_ATTEMPT_STAGE, attempt->stage, 0, DOC_ENUM_MAX);
    lsuit_out_uint(out, LSUIT_ATTEMPT_CLASS, attempt->class_, 0, DOC_ENUM_MAX);
    if (attempt->code != 0) {
        lsuit_out_key(out, LSUIT_ATTEMPT_CODE);
        lsuit_put_int(&out->w, attempt->code);
    }
    if (attempt->has_offset)
        lsuit_out_uint(out, LSUIT_ATTEMPT_OFFSET, attempt->offset, 0, LSUIT_NUMBER_MAX);
    if (attempt->has_sequence)
        lsuit_out_uint(out, LSUIT_ATTEMPT_SEQUENCE, attempt->sequence, 0, LSUIT_SEQUENCE_MAX);
    lsuit_out_bytes(out, LSUIT_ATTEMPT_DIGEST, attempt->digest, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
    lsuit_out_bytes(out, LSUIT_ATTEMPT_REASON, attempt->reason, 1, LSUIT_SUIT_REPORT_MAX);
    lsuit_out_leave(out, mark);
}

void lsuit_out_events(struct lsuit_out *out, int64_t key, const struct lsuit_event *events,
                      uint32_t n)
{
    if (n == 0)
        return;
    lsuit_out_array(out, key, n, LSUIT_MAX_EVENTS);
    for (uint32_t i = 0; i < n && out->w.err == LSUIT_OK; i++) {
        struct lsuit_out_mark mark = lsuit_out_map(out);

        lsuit_out_uint(out, LSUIT_EVENT_CLASS, events[i].class_, 1, DOC_ENUM_MAX);
        lsuit_out_uint(out, LSUIT_EVENT_COUNT, events[i].count, 1, UINT32_MAX);
        lsuit_out_uint(out, LSUIT_EVENT_LAST, events[i].last_s, 0, UINT32_MAX);
        lsuit_out_leave(out, mark);
    }
}

void lsuit_out_fault_record(struct lsuit_out *out, int64_t key,
                            const struct lsuit_fault_record *record)
{
    struct lsuit_out_mark mark;

    lsuit_out_key(out, key);
    mark = lsuit_out_map(out);
    lsuit_out_uint(out, LSUIT_FAULT_KIND, record->kind, 0, DOC_ENUM_MAX);
    lsuit_out_nonzero(out, LSUIT_FAULT_WHERE, record->where, UINT64_MAX);
    if (record->has_sequence)
        lsuit_out_uint(out, LSUIT_FAULT_SEQUENCE, record->sequence, 0, LSUIT_SEQUENCE_MAX);
    lsuit_out_bytes(out, LSUIT_FAULT_DETAIL, record->detail, 1, LSUIT_FAULT_DETAIL_MAX);
    lsuit_out_leave(out, mark);
}
