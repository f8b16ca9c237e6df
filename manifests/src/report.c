/*
 * Report: how one attempt ended.
 */
#include "lsuit/report.h"

#include "doc_io.h"

static void read_space(struct lsuit_in *in, struct lsuit_space *space)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_SPACE);

    while (lsuit_in_next(in)) {
        if (in->key >= LSUIT_SPACE_VENDOR_ID && in->key <= LSUIT_SPACE_COMPONENT_ID)
            lsuit_in_space_key(in, space);
        else
            lsuit_in_unknown(in);
    }
    lsuit_in_leave(in, up, DOC_SPACE_NEEDED);
}

static void read_report(struct lsuit_in *in, struct lsuit_report *r)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_REPORT);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_REPORT_VERSION:
            lsuit_in_version(in);
            break;
        case LSUIT_REPORT_PRODUCT:
            r->product = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_REPORT_DEVICE_ID:
            r->device_id = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_REPORT_ATTEMPT:
            lsuit_in_attempt(in, &r->attempt);
            break;
        case LSUIT_REPORT_EVENTS:
            r->events_n = lsuit_in_events(in, r->events);
            break;
        case LSUIT_REPORT_FAULT:
            lsuit_in_fault_record(in, &r->fault);
            r->has_fault = true;
            break;
        case LSUIT_REPORT_SUIT_REPORT:
            r->suit_report = lsuit_in_bytes(in, 1, LSUIT_SUIT_REPORT_MAX);
            break;
        case LSUIT_REPORT_NONCE:
            r->nonce = lsuit_in_bytes(in, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
            break;
        case LSUIT_REPORT_SPACE:
            read_space(in, &r->space);
            r->has_space = true;
            break;
        case LSUIT_REPORT_COUNTER:
            r->counter = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
            r->has_counter = true;
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_REPORT_VERSION) | DOC_KEY(LSUIT_REPORT_PRODUCT) |
                       DOC_KEY(LSUIT_REPORT_ATTEMPT));
}

enum lsuit_err lsuit_report_read(struct lsuit_bytes doc, struct lsuit_report *report_out,
                                 struct lsuit_fault *fault)
{
    struct lsuit_in in = lsuit_in_open(doc);
    struct lsuit_report r = { 0 };
    enum lsuit_err e;

    read_report(&in, &r);
    e = lsuit_in_close(&in, fault);
    if (e == LSUIT_OK)
        *report_out = r;
    return e;
}

enum lsuit_err lsuit_report_write(const struct lsuit_report *report, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *doc_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);
    struct lsuit_out_mark mark = lsuit_out_map(&out);

    lsuit_out_version(&out);
    lsuit_out_need(&out, report->product);
    lsuit_out_text(&out, LSUIT_REPORT_PRODUCT, report->product, 1, LSUIT_NAME_MAX);
    lsuit_out_text(&out, LSUIT_REPORT_DEVICE_ID, report->device_id, 1, LSUIT_NAME_MAX);
    lsuit_out_attempt(&out, LSUIT_REPORT_ATTEMPT, &report->attempt);
    lsuit_out_events(&out, LSUIT_REPORT_EVENTS, report->events, report->events_n);
    if (report->has_fault)
        lsuit_out_fault_record(&out, LSUIT_REPORT_FAULT, &report->fault);
    lsuit_out_bytes(&out, LSUIT_REPORT_SUIT_REPORT, report->suit_report, 1, LSUIT_SUIT_REPORT_MAX);
    lsuit_out_bytes(&out, LSUIT_REPORT_NONCE, report->nonce, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
    if (report->has_space) {
        struct lsuit_out_mark inner;

        lsuit_out_key(&out, LSUIT_REPORT_SPACE);
        inner = lsuit_out_map(&out);
        lsuit_out_space(&out, &report->space);
        lsuit_out_leave(&out, inner);
    }
    if (report->has_counter)
        lsuit_out_uint(&out, LSUIT_REPORT_COUNTER, report->counter, 0, LSUIT_NUMBER_MAX);
    lsuit_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}
