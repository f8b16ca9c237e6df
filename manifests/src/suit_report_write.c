/*
 * SUIT_Report: writing (draft-ietf-suit-report-18).
 */
#include "lsuit/suit_report.h"

#if LSUIT_WITH_REPORT

/* Where the command stands in its section; 0 when it is in the shared sequence. */
static uint32_t offset_in(const struct lsuit_manifest *m, const struct lsuit_fault *fault)
{
    const struct lsuit_part *part = lsuit_manifest_part(m, fault->section);
    const uint8_t *at = m->envelope->whole.ptr + fault->offset;

    if (part == NULL || part->bytes.ptr == NULL || at < part->bytes.ptr ||
        at >= part->bytes.ptr + part->bytes.len)
        return 0;
    return (uint32_t)(at - part->bytes.ptr);
}

struct lsuit_suit_report lsuit_suit_report_of(const struct lsuit_manifest *manifest,
                                              const struct lsuit_fault *fault)
{
    struct lsuit_suit_report r = { .uri = manifest->reference_uri,
                                   .digest = manifest->digest,
                                   .ok = fault->err == LSUIT_OK };

    if (!r.ok) {
        r.code = (int64_t)fault->err;
        r.reason = (uint32_t)lsuit_err_reason(fault->err);
        r.record.section = fault->section;
        r.record.offset = offset_in(manifest, fault);
        r.record.component = fault->component >= 0 ? (uint32_t)fault->component : 0;
    }
    return r;
}

void lsuit_put_suit_record(struct lsuit_cbor_writer *w, const struct lsuit_suit_record *record)
{
    if (record->manifest_n > LSUIT_SUIT_RECORD_DEPTH && w->err == LSUIT_OK)
        w->err = LSUIT_ERR_RANGE;
    if (w->err != LSUIT_OK)
        return;
    lsuit_put_array(w, 5);
    lsuit_put_array(w, record->manifest_n);
    for (uint32_t i = 0; i < record->manifest_n; i++)
        lsuit_put_uint(w, record->manifest[i]);
    lsuit_put_uint(w, record->section);
    lsuit_put_uint(w, record->offset);
    lsuit_put_uint(w, record->component);
    if (record->properties.ptr != NULL)
        lsuit_put_item(w, record->properties);
    else
        lsuit_put_map(w, 0);
}

static void put_result(struct lsuit_cbor_writer *w, const struct lsuit_suit_report *r)
{
    lsuit_put_uint(w, LSUIT_SUIT_REPORT_RESULT);
    if (r->ok) {
        lsuit_put_bool(w, true);
        return;
    }
    lsuit_put_map(w, 3);
    lsuit_put_uint(w, LSUIT_SUIT_REPORT_RESULT_CODE);
    lsuit_put_int(w, r->code);
    lsuit_put_uint(w, LSUIT_SUIT_REPORT_RESULT_RECORD);
    lsuit_put_suit_record(w, &r->record);
    lsuit_put_uint(w, LSUIT_SUIT_REPORT_RESULT_REASON);
    lsuit_put_uint(w, r->reason);
}

enum lsuit_err lsuit_suit_report_write(const struct lsuit_suit_report *report, uint8_t *buf,
                                       size_t cap, struct lsuit_bytes *doc_out)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    bool nonce = report->nonce.ptr != NULL, capability = report->capability.ptr != NULL;

    if (nonce && (report->nonce.len == 0 || report->nonce.len > LSUIT_SUIT_NONCE_MAX))
        return LSUIT_ERR_RANGE;
    lsuit_put_map(&w, 3 + (uint32_t)nonce + (uint32_t)capability);
    if (nonce) {
        lsuit_put_uint(&w, LSUIT_SUIT_REPORT_NONCE);
        lsuit_put_bstr(&w, report->nonce);
    }
    lsuit_put_uint(&w, LSUIT_SUIT_REPORT_RECORDS);
    if (report->records.ptr != NULL)
        lsuit_put_item(&w, report->records);
    else
        lsuit_put_array(&w, 0);
    put_result(&w, report);
    if (capability) {
        lsuit_put_uint(&w, LSUIT_SUIT_REPORT_CAPABILITY);
        lsuit_put_item(&w, report->capability);
    }
    lsuit_put_uint(&w, LSUIT_SUIT_REPORT_REFERENCE);
    lsuit_put_array(&w, 2);
    lsuit_put_tstr(&w, report->uri);
    lsuit_put_digest(&w, report->digest.alg, report->digest.bytes);
    return lsuit_put_finish(&w, doc_out);
}

#endif
