/*
 * Report: POST /v1/reports, how one attempt ended. SPEC.md, "Report".
 *
 * Nothing personal. A report never shows success: only a confirmed check-in does.
 * Rules of reading, writing and errors that all documents share: doc.h.
 */
#ifndef LSUIT_REPORT_H
#define LSUIT_REPORT_H

#include "lsuit/doc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LSUIT_REPORT_MAX 4096

enum lsuit_report_key {
    LSUIT_REPORT_VERSION = 0,
    LSUIT_REPORT_PRODUCT = 1,
    LSUIT_REPORT_DEVICE_ID = 2,
    LSUIT_REPORT_ATTEMPT = 3,
    LSUIT_REPORT_EVENTS = 4,
    LSUIT_REPORT_FAULT = 5,
    LSUIT_REPORT_SUIT_REPORT = 6,
    LSUIT_REPORT_NONCE = 7,
    LSUIT_REPORT_SPACE = 8,
    LSUIT_REPORT_COUNTER = 9
};

struct lsuit_report {
    struct lsuit_bytes product;
    struct lsuit_bytes device_id; /* absent: anonymous */
    struct lsuit_attempt attempt; /* always */
    struct lsuit_event events[LSUIT_MAX_EVENTS];
    uint32_t events_n;
    bool has_fault, has_space, has_counter;
    struct lsuit_fault_record fault;
    struct lsuit_bytes suit_report; /* encoded SUIT_Report; absent when none */
    struct lsuit_bytes nonce;       /* 8 to 32 bytes; absent when none */
    struct lsuit_space space;       /* of the attempt */
    uint64_t counter;               /* signed form: the same counter as in check-ins */
};

enum lsuit_err lsuit_report_read(struct lsuit_bytes doc, struct lsuit_report *report_out,
                                 struct lsuit_fault *fault);
enum lsuit_err lsuit_report_write(const struct lsuit_report *report, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *doc_out);

#ifdef __cplusplus
}
#endif
#endif
