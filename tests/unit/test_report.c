/*
 * Report and erase receipt: the worked examples, ranges, growth.
 */
#include "doc.h"

#include "lsuit/receipt.h"
#include "lsuit/report.h"

#define N(table) (sizeof(table) / sizeof *(table))

static enum lsuit_err report_rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                     struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    struct lsuit_report r;
    enum lsuit_err e = lsuit_report_read(doc, &r, fault);

    return e != LSUIT_OK ? e : lsuit_report_write(&r, buf, cap, out);
}

static enum lsuit_err receipt_rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                      struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    struct lsuit_receipt r;
    enum lsuit_err e = lsuit_receipt_read(doc, &r, fault);

    return e != LSUIT_OK ? e : lsuit_receipt_write(&r, buf, cap, out);
}

/* Maps of report: 0 itself, 1 attempt, 2 and 3 events, 4 fault, 5 space. */
/* clang-format off */
static const struct doc_case REPORT_CASES[] = {
    /* name                    map key value               want               what */
    { "no version",             0, 0, "",                 LSUIT_ERR_CBOR,    "version" },
    { "version 2",              0, 0, "02",               LSUIT_ERR_REFUSED, "version" },
    { "no product",             0, 1, "",                 LSUIT_ERR_CBOR,    "product" },
    { "anonymous",              0, 2, "",                 LSUIT_OK,          NULL },
    { "no attempt",             0, 3, "",                 LSUIT_ERR_CBOR,    "attempt" },
    { "an attempt without id",  1, 1, "",                 LSUIT_ERR_CBOR,    "attempt-id" },
    { "17 events",              0, 4, "91a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0", LSUIT_ERR_LIMIT, "events" },
    { "a fault without kind",   4, 1, "",                 LSUIT_ERR_CBOR,    "kind" },
    { "an empty suit-report",   0, 6, "40",               LSUIT_ERR_RANGE,   "suit-report" },
    { "no suit-report",         0, 6, "",                 LSUIT_OK,          NULL },
    { "a nonce of 7 bytes",     0, 7, "4700112233445566", LSUIT_ERR_RANGE,   "nonce" },
    { "a space without vendor", 5, 1, "",                 LSUIT_ERR_CBOR,    "vendor-id" },
    { "no space",               0, 8, "",                 LSUIT_OK,          NULL },
    { "a counter above",        0, 9, "1b8000000000000000", LSUIT_ERR_RANGE, "counter" },
};

static const struct doc_case RECEIPT_CASES[] = {
    { "receipt: no device id",  0, 2, "",                 LSUIT_ERR_CBOR,    "device-id" },
    { "receipt: no list",       0, 3, "",                 LSUIT_ERR_CBOR,    "erased" },
    { "receipt: nothing",       0, 3, "80",               LSUIT_OK,          NULL },
    { "receipt: 17 classes",    0, 3, "910102030405060708090a0b0c0d0e0f1011", LSUIT_ERR_LIMIT, "erased" },
    { "receipt: class 0",       0, 3, "8100",             LSUIT_ERR_RANGE,   "erased" },
    { "receipt: a class twice", 0, 3, "820101",           LSUIT_ERR_RANGE,   "erased" },
    { "receipt: descending",    0, 3, "820201",           LSUIT_ERR_RANGE,   "erased" },
    { "receipt: a later class", 0, 3, "820118ff",         LSUIT_OK,          NULL },
    { "receipt: no time",       0, 4, "",                 LSUIT_ERR_CBOR,    "when" },
    { "receipt: no backups",    0, 5, "",                 LSUIT_ERR_CBOR,    "backups" },
    { "receipt: no nonce",      0, 6, "",                 LSUIT_ERR_CBOR,    "nonce" },
};
/* clang-format on */

static void refused_values(struct lsuit_bytes report_doc, struct lsuit_bytes receipt_doc)
{
    static uint8_t buf[DOC_ROOM];
    const struct lsuit_bytes none = { NULL, 0 };
    struct lsuit_bytes out;
    struct lsuit_report r;
    struct lsuit_receipt c;

    check_case("a report that can't be read is not written");
    CHECK_INT(lsuit_report_read(report_doc, &r, NULL), LSUIT_OK);
    r.attempt.id = none;
    CHECK_INT(lsuit_report_write(&r, buf, sizeof buf, &out), LSUIT_ERR_RANGE);
    CHECK_INT(lsuit_report_read(report_doc, &r, NULL), LSUIT_OK);
    r.space.vendor_id = none;
    CHECK_INT(lsuit_report_write(&r, buf, sizeof buf, &out), LSUIT_ERR_RANGE);

    check_case("a receipt that can't be read is not written");
    CHECK_INT(lsuit_receipt_read(receipt_doc, &c, NULL), LSUIT_OK);
    c.what[1] = c.what[0];
    CHECK_INT(lsuit_receipt_write(&c, buf, sizeof buf, &out), LSUIT_ERR_RANGE);
    CHECK_INT(lsuit_receipt_read(receipt_doc, &c, NULL), LSUIT_OK);
    c.nonce = none;
    CHECK_INT(lsuit_receipt_write(&c, buf, sizeof buf, &out), LSUIT_ERR_RANGE);
    CHECK_INT(lsuit_receipt_read(receipt_doc, &c, NULL), LSUIT_OK);
    c.what_n = 17;
    CHECK_INT(lsuit_receipt_write(&c, buf, sizeof buf, &out), LSUIT_ERR_LIMIT);
}

static void values(struct lsuit_bytes report_doc, struct lsuit_bytes receipt_doc)
{
    struct lsuit_report r;
    struct lsuit_receipt c;

    check_case("every value of a report");
    if (CHECK_INT(lsuit_report_read(report_doc, &r, NULL), LSUIT_OK)) {
        CHECK_BYTES(r.device_id.ptr, r.device_id.len, "lamp-000017", 11);
        CHECK_UINT(r.attempt.stage, LSUIT_STAGE_IMAGE_MATCH);
        CHECK_STR(lsuit_stage_name(r.attempt.stage), "image-match");
        CHECK_STR(lsuit_class_name(r.attempt.class_), "digest-mismatch");
        CHECK_UINT(r.events_n, 2);
        CHECK_STR(lsuit_event_name(r.events[1].class_), "auth-refused");
        CHECK(r.has_fault && r.fault.kind == 1);
        CHECK_BYTES(r.fault.detail.ptr, r.fault.detail.len, "watchdog", 8);
        CHECK_UINT(r.suit_report.len, 1);
        CHECK_UINT(r.nonce.len, 8);
        CHECK(r.has_space && r.space.class_id.len == 16);
        CHECK(r.has_counter && r.counter == 79);
    }
    check_case("every value of a receipt");
    if (CHECK_INT(lsuit_receipt_read(receipt_doc, &c, NULL), LSUIT_OK)) {
        CHECK_UINT(c.what_n, 5);
        CHECK_UINT(c.what[4], LSUIT_ERASED_AUDIT);
        CHECK_UINT(c.when_s, 1790000000);
        CHECK_UINT(c.backups_s, 1792592000);
        CHECK_UINT(c.nonce.len, 16);
    }
}

int main(void)
{
    static uint8_t report_buf[DOC_ROOM], receipt_buf[DOC_ROOM];
    struct lsuit_bytes report = doc_example("report", report_buf, sizeof report_buf);
    struct lsuit_bytes receipt = doc_example("receipt", receipt_buf, sizeof receipt_buf);

    doc_check_all("report", report, 6, report_rewrite);
    doc_check_all("receipt", receipt, 1, receipt_rewrite);
    doc_check_cases(report, REPORT_CASES, N(REPORT_CASES), report_rewrite);
    doc_check_cases(receipt, RECEIPT_CASES, N(RECEIPT_CASES), receipt_rewrite);
    refused_values(report, receipt);
    values(report, receipt);
    return check_done();
}
