/*
 * The reader and the writer of SUIT_Report, and the records one by one. A key that a reader skips is
 * gone when the report is written again, so the second writing is compared with the third.
 */
#include "doc.h"

#include "lsuit/suit_report.h"

static enum lsuit_err read_only(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                struct lsuit_bytes *out)
{
    struct lsuit_suit_report r;
    struct lsuit_suit_record record;
    struct lsuit_bytes claims;
    struct lsuit_fault fault;
    enum lsuit_err e = lsuit_suit_report_read(doc, &r, &fault);

    (void)buf;
    (void)cap;
    (void)out;
    if (e == LSUIT_OK) {
        MUST(r.digest.bytes.len == lsuit_digest_len(r.digest.alg));
        MUST(r.ok || r.record.manifest_n <= LSUIT_SUIT_RECORD_DEPTH);
    }
    for (uint32_t i = 0; e == LSUIT_OK && lsuit_suit_record_at(&r, i, &record, &claims); i++)
        MUST(claims.ptr != NULL || record.properties.ptr != NULL);
    return e;
}

static enum lsuit_err rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *out)
{
    struct lsuit_suit_report r;
    enum lsuit_err e = lsuit_suit_report_read(doc, &r, NULL);

    return e != LSUIT_OK ? e : lsuit_suit_report_write(&r, buf, cap, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_doc(data, size, read_only, rewrite);
    return 0;
}
