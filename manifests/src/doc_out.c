/*
 * Writing of lapel's documents: what all of them share.
 */
#include "doc_io.h"

#include <string.h>

struct doc_out doc_out_init(uint8_t *buf, size_t cap)
{
    struct doc_out out = { .w = lsuit_cbor_writer_init(buf, cap) };

    return out;
}

struct doc_mark doc_out_map(struct doc_out *out)
{
    struct doc_mark mark = { out->w.len, out->pairs };

    out->pairs = 0;
    return mark;
}

/* The head of the map moves in front of what was written since the mark. */
void doc_out_leave(struct doc_out *out, struct doc_mark mark)
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
        memmove(w->buf + mark.at + h.len, w->buf + mark.at, w->len - mark.at);
    memcpy(w->buf + mark.at, head, h.len);
    w->len += h.len;
}

void doc_out_fail(struct doc_out *out, enum lsuit_err err)
{
    if (out->w.err == LSUIT_OK)
        out->w.err = err;
}

void doc_out_key(struct doc_out *out, int64_t key)
{
    out->pairs++;
    lsuit_put_int(&out->w, key);
}

void doc_out_version(struct doc_out *out)
{
    doc_out_uint(out, 0, LSUIT_DOC_VERSION, 0, LSUIT_DOC_VERSION);
}

void doc_out_uint(struct doc_out *out, int64_t key, uint64_t v, uint64_t min, uint64_t max)
{
    if (v < min || v > max) {
        doc_out_fail(out, LSUIT_ERR_RANGE);
        return;
    }
    doc_out_key(out, key);
    lsuit_put_uint(&out->w, v);
}

void doc_out_nonzero(struct doc_out *out, int64_t key, uint64_t v, uint64_t max)
{
    if (v != 0)
        doc_out_uint(out, key, v, 1, max);
}

void doc_out_bytes(struct doc_out *out, int64_t key, struct lsuit_bytes b, size_t min, size_t max)
{
    if (b.ptr == NULL)
        return;
    if (b.len < min || b.len > max) {
        doc_out_fail(out, LSUIT_ERR_RANGE);
        return;
    }
    doc_out_key(out, key);
    lsuit_put_bstr(&out->w, b);
}

void doc_out_text(struct doc_out *out, int64_t key, struct lsuit_bytes s, size_t min, size_t max)
{
    struct lsuit_cbor c;
    size_t at;

    if (s.ptr == NULL)
        return;
    if (s.len < min || s.len > max || !doc_text_plain(s)) {
        doc_out_fail(out, LSUIT_ERR_RANGE);
        return;
    }
    doc_out_key(out, key);
    at = out->w.len;
    lsuit_put_tstr(&out->w, s);
    if (out->w.err != LSUIT_OK)
        return;
    c = lsuit_cbor_open((struct lsuit_bytes){ out->w.buf + at, out->w.len - at });
    (void)lsuit_cbor_tstr(&c);
    if (c.err != LSUIT_OK)
        doc_out_fail(out, LSUIT_ERR_RANGE); /* not UTF-8 */
}

void doc_out_item(struct doc_out *out, int64_t key, struct lsuit_bytes item)
{
    if (item.ptr == NULL)
        return;
    doc_out_key(out, key);
    lsuit_put_item(&out->w, item);
}

void doc_out_true(struct doc_out *out, int64_t key, bool v)
{
    if (!v)
        return;
    doc_out_key(out, key);
    lsuit_put_bool(&out->w, true);
}

void doc_out_need(struct doc_out *out, struct lsuit_bytes b)
{
    if (b.ptr == NULL)
        doc_out_fail(out, LSUIT_ERR_RANGE);
}

void doc_out_month(struct doc_out *out, int64_t key, uint32_t month)
{
    if (!doc_month_ok(month))
        doc_out_fail(out, LSUIT_ERR_RANGE);
    else
        doc_out_uint(out, key, month, 0, UINT32_MAX);
}

void doc_out_array(struct doc_out *out, int64_t key, uint32_t n, uint32_t max)
{
    if (n > max) {
        doc_out_fail(out, LSUIT_ERR_LIMIT);
        return;
    }
    doc_out_key(out, key);
    lsuit_put_array(&out->w, n);
}

/* --- maps that several documents have --- */

void doc_out_space(struct doc_out *out, const struct lsuit_space *space)
{
    doc_out_need(out, space->vendor_id);
    doc_out_need(out, space->class_id);
    doc_out_bytes(out, LSUIT_SPACE_VENDOR_ID, space->vendor_id, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
    doc_out_bytes(out, LSUIT_SPACE_CLASS_ID, space->class_id, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
    if (space->component_id.ptr != NULL && !doc_component_id_ok(space->component_id))
        doc_out_fail(out, LSUIT_ERR_CBOR);
    doc_out_bytes(out, LSUIT_SPACE_COMPONENT_ID, space->component_id, 1, LSUIT_COMPONENT_ID_MAX);
}

void doc_out_attempt(struct doc_out *out, int64_t key, const struct lsuit_attempt *attempt)
{
    struct doc_mark mark;

    doc_out_key(out, key);
    mark = doc_out_map(out);
    doc_out_need(out, attempt->id);
    doc_out_bytes(out, LSUIT_ATTEMPT_ID, attempt->id, LSUIT_ATTEMPT_ID_LEN, LSUIT_ATTEMPT_ID_LEN);
    doc_out_uint(out, LSUIT_ATTEMPT_STAGE, attempt->stage, 0, DOC_ENUM_MAX);
    doc_out_uint(out, LSUIT_ATTEMPT_CLASS, attempt->class_, 0, DOC_ENUM_MAX);
    if (attempt->code != 0) {
        doc_out_key(out, LSUIT_ATTEMPT_CODE);
        lsuit_put_int(&out->w, attempt->code);
    }
    if (attempt->has_offset)
        doc_out_uint(out, LSUIT_ATTEMPT_OFFSET, attempt->offset, 0, LSUIT_NUMBER_MAX);
    if (attempt->has_sequence)
        doc_out_uint(out, LSUIT_ATTEMPT_SEQUENCE, attempt->sequence, 0, LSUIT_SEQUENCE_MAX);
    doc_out_bytes(out, LSUIT_ATTEMPT_DIGEST, attempt->digest, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
    doc_out_bytes(out, LSUIT_ATTEMPT_REASON, attempt->reason, 1, LSUIT_SUIT_REPORT_MAX);
    doc_out_leave(out, mark);
}

void doc_out_events(struct doc_out *out, int64_t key, const struct lsuit_event *events, uint32_t n)
{
    if (n == 0)
        return;
    doc_out_array(out, key, n, LSUIT_MAX_EVENTS);
    for (uint32_t i = 0; i < n && out->w.err == LSUIT_OK; i++) {
        struct doc_mark mark = doc_out_map(out);

        doc_out_uint(out, LSUIT_EVENT_CLASS, events[i].class_, 1, DOC_ENUM_MAX);
        doc_out_uint(out, LSUIT_EVENT_COUNT, events[i].count, 1, UINT32_MAX);
        doc_out_uint(out, LSUIT_EVENT_LAST, events[i].last_s, 0, UINT32_MAX);
        doc_out_leave(out, mark);
    }
}

void doc_out_fault_record(struct doc_out *out, int64_t key, const struct lsuit_fault_record *record)
{
    struct doc_mark mark;

    doc_out_key(out, key);
    mark = doc_out_map(out);
    doc_out_uint(out, LSUIT_FAULT_KIND, record->kind, 0, DOC_ENUM_MAX);
    doc_out_nonzero(out, LSUIT_FAULT_WHERE, record->where, UINT64_MAX);
    if (record->has_sequence)
        doc_out_uint(out, LSUIT_FAULT_SEQUENCE, record->sequence, 0, LSUIT_SEQUENCE_MAX);
    doc_out_bytes(out, LSUIT_FAULT_DETAIL, record->detail, 1, LSUIT_FAULT_DETAIL_MAX);
    doc_out_leave(out, mark);
}
