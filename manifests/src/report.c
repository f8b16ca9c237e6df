/*
 * Report: how one attempt ended.
 */
#include "lsuit/report.h"

#include "doc_io.h"

static void read_space(struct doc_in *in, struct lsuit_space *space)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_SPACE);

    while (doc_next(in)) {
        if (in->key >= LSUIT_SPACE_VENDOR_ID && in->key <= LSUIT_SPACE_COMPONENT_ID)
            doc_space_key(in, space);
        else
            doc_unknown(in);
    }
    doc_leave(in, up, DOC_SPACE_NEEDED);
}

static void read_report(struct doc_in *in, struct lsuit_report *r)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_REPORT);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_REPORT_VERSION:
            doc_version(in);
            break;
        case LSUIT_REPORT_PRODUCT:
            r->product = doc_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_REPORT_DEVICE_ID:
            r->device_id = doc_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_REPORT_ATTEMPT:
            doc_attempt(in, &r->attempt);
            break;
        case LSUIT_REPORT_EVENTS:
            r->events_n = doc_events(in, r->events);
            break;
        case LSUIT_REPORT_FAULT:
            doc_fault_record(in, &r->fault);
            r->has_fault = true;
            break;
        case LSUIT_REPORT_SUIT_REPORT:
            r->suit_report = doc_bytes(in, 1, LSUIT_SUIT_REPORT_MAX);
            break;
        case LSUIT_REPORT_NONCE:
            r->nonce = doc_bytes(in, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
            break;
        case LSUIT_REPORT_SPACE:
            read_space(in, &r->space);
            r->has_space = true;
            break;
        case LSUIT_REPORT_COUNTER:
            r->counter = doc_uint(in, 0, LSUIT_NUMBER_MAX);
            r->has_counter = true;
            break;
        default:
            doc_unknown(in);
        }
    }
    doc_leave(in, up,
              DOC_KEY(LSUIT_REPORT_VERSION) | DOC_KEY(LSUIT_REPORT_PRODUCT) |
                  DOC_KEY(LSUIT_REPORT_ATTEMPT));
}

enum lsuit_err lsuit_report_read(struct lsuit_bytes doc, struct lsuit_report *report_out,
                                 struct lsuit_fault *fault)
{
    struct doc_in in = doc_open(doc);
    struct lsuit_report r = { 0 };
    enum lsuit_err e;

    read_report(&in, &r);
    e = doc_close(&in, fault);
    if (e == LSUIT_OK)
        *report_out = r;
    return e;
}

enum lsuit_err lsuit_report_write(const struct lsuit_report *report, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *doc_out)
{
    struct doc_out out = doc_out_init(buf, cap);
    struct doc_mark mark = doc_out_map(&out);

    doc_out_version(&out);
    doc_out_need(&out, report->product);
    doc_out_text(&out, LSUIT_REPORT_PRODUCT, report->product, 1, LSUIT_NAME_MAX);
    doc_out_text(&out, LSUIT_REPORT_DEVICE_ID, report->device_id, 1, LSUIT_NAME_MAX);
    doc_out_attempt(&out, LSUIT_REPORT_ATTEMPT, &report->attempt);
    doc_out_events(&out, LSUIT_REPORT_EVENTS, report->events, report->events_n);
    if (report->has_fault)
        doc_out_fault_record(&out, LSUIT_REPORT_FAULT, &report->fault);
    doc_out_bytes(&out, LSUIT_REPORT_SUIT_REPORT, report->suit_report, 1, LSUIT_SUIT_REPORT_MAX);
    doc_out_bytes(&out, LSUIT_REPORT_NONCE, report->nonce, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
    if (report->has_space) {
        struct doc_mark inner;

        doc_out_key(&out, LSUIT_REPORT_SPACE);
        inner = doc_out_map(&out);
        doc_out_space(&out, &report->space);
        doc_out_leave(&out, inner);
    }
    if (report->has_counter)
        doc_out_uint(&out, LSUIT_REPORT_COUNTER, report->counter, 0, LSUIT_NUMBER_MAX);
    doc_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}
