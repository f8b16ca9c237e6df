/*
 * Erase receipt: what a server vouches to have erased.
 */
#include "lsuit/receipt.h"

#include "doc_io.h"

static void read_what(struct lsuit_in *in, struct lsuit_receipt *r)
{
    lsuit_in_array(in, LSUIT_RECEIPT_WHAT);
    while (lsuit_cbor_next(&in->c)) {
        uint32_t what = lsuit_in_uint32(in, 1, DOC_ENUM_MAX);

        if (in->c.err == LSUIT_OK && r->what_n > 0 && r->what[r->what_n - 1] >= what)
            lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("not ascending"));
        r->what[r->what_n++] = what;
    }
}

static void read_receipt(struct lsuit_in *in, struct lsuit_receipt *r)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_RECEIPT);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_RECEIPT_VERSION:
            lsuit_in_version(in);
            break;
        case LSUIT_RECEIPT_PRODUCT:
            r->product = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_RECEIPT_DEVICE_ID:
            r->device_id = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_RECEIPT_ERASED:
            read_what(in, r);
            break;
        case LSUIT_RECEIPT_WHEN:
            r->when_s = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
            break;
        case LSUIT_RECEIPT_BACKUPS:
            r->backups_s = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
            break;
        case LSUIT_RECEIPT_NONCE:
            r->nonce = lsuit_in_bytes(in, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up, DOC_KEY(LSUIT_RECEIPT_NONCE + 1) - 1); /* all of them */
}

enum lsuit_err lsuit_receipt_read(struct lsuit_bytes doc, struct lsuit_receipt *receipt_out,
                                  struct lsuit_fault *fault)
{
    struct lsuit_in in = lsuit_in_open(doc);
    struct lsuit_receipt r = { 0 };
    enum lsuit_err e;

    read_receipt(&in, &r);
    e = lsuit_in_close(&in, fault);
    if (e == LSUIT_OK)
        *receipt_out = r;
    return e;
}

enum lsuit_err lsuit_receipt_write(const struct lsuit_receipt *receipt, uint8_t *buf, size_t cap,
                                   struct lsuit_bytes *doc_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);
    struct lsuit_out_mark mark = lsuit_out_map(&out);

    lsuit_out_version(&out);
    lsuit_out_need(&out, receipt->product);
    lsuit_out_need(&out, receipt->device_id);
    lsuit_out_need(&out, receipt->nonce);
    lsuit_out_text(&out, LSUIT_RECEIPT_PRODUCT, receipt->product, 1, LSUIT_NAME_MAX);
    lsuit_out_text(&out, LSUIT_RECEIPT_DEVICE_ID, receipt->device_id, 1, LSUIT_NAME_MAX);
    lsuit_out_array(&out, LSUIT_RECEIPT_ERASED, receipt->what_n, LSUIT_RECEIPT_WHAT);
    for (uint32_t i = 0; i < receipt->what_n && out.w.err == LSUIT_OK; i++) {
        uint32_t what = receipt->what[i];

        if (what < 1 || what > DOC_ENUM_MAX || (i > 0 && receipt->what[i - 1] >= what))
            lsuit_out_fail(&out, LSUIT_ERR_RANGE);
        lsuit_put_uint(&out.w, what);
    }
    lsuit_out_uint(&out, LSUIT_RECEIPT_WHEN, receipt->when_s, 0, LSUIT_NUMBER_MAX);
    lsuit_out_uint(&out, LSUIT_RECEIPT_BACKUPS, receipt->backups_s, 0, LSUIT_NUMBER_MAX);
    lsuit_out_bytes(&out, LSUIT_RECEIPT_NONCE, receipt->nonce, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
    lsuit_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}
