/*
 * SUIT_Report: how a manifest was processed (draft-ietf-suit-report-18). A device writes one, a
 * server reads it; on its way it is signed, or travels in a lapel report (key 6) that is.
 *
 * It names the device's faults, so it goes over an authenticated, confidential channel only
 * (RFC 9124, REQ.SEC.REPORTING). The media type of a signed one is application/suit-report+cose.
 */
#ifndef LSUIT_SUIT_REPORT_H
#define LSUIT_SUIT_REPORT_H

#include "lsuit/suit.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lsuit_suit_report_key {
    LSUIT_SUIT_REPORT_NONCE = 2,
    LSUIT_SUIT_REPORT_RECORDS = 3,
    LSUIT_SUIT_REPORT_RESULT = 4,
    LSUIT_SUIT_REPORT_RESULT_CODE = 5,
    LSUIT_SUIT_REPORT_RESULT_RECORD = 6,
    LSUIT_SUIT_REPORT_RESULT_REASON = 7,
    LSUIT_SUIT_REPORT_CAPABILITY = 8,
    LSUIT_SUIT_REPORT_REFERENCE = 99
};

#define LSUIT_SUIT_REASON_INVOKE_PENDING 12 /* no error: invoke comes next */

#define LSUIT_SUIT_RECORD_DEPTH 8
#define LSUIT_SUIT_NONCE_MAX 64

/* SUIT_Record: where in which manifest. */
struct lsuit_suit_record {
    uint32_t manifest[LSUIT_SUIT_RECORD_DEPTH]; /* indices of dependencies from the root down */
    uint32_t manifest_n;                        /* 0: the root */
    uint32_t section;                           /* manifest key; 0: before any command */
    uint32_t offset;                            /* of the command in its section, bytes */
    uint32_t component;
    struct lsuit_bytes properties; /* encoded SUIT_Parameters that were measured; absent: none */
};

/* All borrowed: by a reader from the document, by a writer from its caller. */
struct lsuit_suit_report {
    struct lsuit_bytes uri; /* suit-reference-uri of the manifest; absent is written as "" */
    struct lsuit_digest digest;
    struct lsuit_bytes nonce;   /* 1 to LSUIT_SUIT_NONCE_MAX bytes; absent: none */
    struct lsuit_bytes records; /* encoded array of what was noted on the way; absent: none */
    bool ok;
    /* when not ok */
    int64_t code; /* of the processor, an enum lsuit_err of ours; for people */
    struct lsuit_suit_record record;
    uint32_t reason;               /* SUIT_Report_Reasons; unknown ones may come */
    struct lsuit_bytes capability; /* encoded SUIT_Capability_Report; absent: none */
};

/* --- writing: devices --- */

/*
 * Fill a report for a manifest and its outcome; nonce, records and capability stay absent.
 *
 *   fault  of the processor, or with LSUIT_OK in it
 */
struct lsuit_suit_report lsuit_suit_report_of(const struct lsuit_manifest *manifest,
                                              const struct lsuit_fault *fault);

/* One record, for the array of them. */
void lsuit_put_suit_record(struct lsuit_cbor_writer *w, const struct lsuit_suit_record *record);

/*
 * Write a report. To sign it: lsuit_cose_sign1 with the device's own key and without external_aad.
 *
 * LSUIT_ERR_SPACE  the buffer is full
 * LSUIT_ERR_RANGE  a nonce too long, or a record too deep
 */
enum lsuit_err lsuit_suit_report_write(const struct lsuit_suit_report *report, uint8_t *buf,
                                       size_t cap, struct lsuit_bytes *doc_out);

/*
 * What this build processes, as encoded arrays of numbers; commands and parameters come from the rows
 * that the checker goes by. They fit a SUIT_Capability_Report and lapel's capability (checkin.h) alike.
 */
struct lsuit_build {
    struct lsuit_bytes commands, parameters;
    struct lsuit_bytes algorithms; /* COSE numbers: signatures, MACs, digests, encryption */
};

#define LSUIT_BUILD_MAX 192 /* bytes that always suffice */

/*
 *   crypto  asked for its digests, and for what it has members
 *
 * LSUIT_ERR_SPACE  the buffer is full      LSUIT_ERR_USAGE  no adapter, or of another size
 */
enum lsuit_err lsuit_build_lists(const struct lsuit_crypto *crypto, uint8_t *buf, size_t cap,
                                 struct lsuit_build *build_out);

/*
 * Write a SUIT_Capability_Report of this build, for the report's `capability`.
 *
 *   components  encoded array of what the device stores: [ + [ * bstr, ? true ] ], true at the end
 *               of one standing for everything below it
 *
 * LSUIT_ERR_SPACE  the buffer is full      LSUIT_ERR_USAGE  no components
 */
enum lsuit_err lsuit_suit_capability_write(const struct lsuit_build *build,
                                           struct lsuit_bytes components, uint8_t *buf, size_t cap,
                                           struct lsuit_bytes *doc_out);

/* --- reading: servers --- */

/*
 * Check the signature of a COSE_Sign1 or COSE_Mac0 with the report in it, and that the report answers
 * `nonce` (absent: none was asked for, and none is compared).
 *
 * LSUIT_ERR_UNAUTHORISED  no key fits, or the nonce is another
 * otherwise as lsuit_cose_read, lsuit_cose_verify and lsuit_suit_report_read
 */
enum lsuit_err lsuit_suit_report_verify(struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                                        const struct lsuit_key *keys, size_t keys_n,
                                        struct lsuit_bytes nonce,
                                        struct lsuit_suit_report *report_out,
                                        struct lsuit_fault *fault);

/*
 * Read a report. An unknown key from 0 on is skipped, one below refuses it.
 *
 * LSUIT_ERR_CBOR   malformed, or something is missing
 * LSUIT_ERR_RANGE  a value that is out of bounds
 * LSUIT_ERR_ALG    a digest of an unknown algorithm
 */
enum lsuit_err lsuit_suit_report_read(struct lsuit_bytes doc, struct lsuit_suit_report *report_out,
                                      struct lsuit_fault *fault);

/*
 * The i-th entry of `records`: a record, or claims about a component.
 *
 *   claims_out  encoded map (0 component identifier, the others parameters); absent for a record
 *
 * Returns false when there are not so many.
 */
bool lsuit_suit_record_at(const struct lsuit_suit_report *report, uint32_t i,
                          struct lsuit_suit_record *record_out, struct lsuit_bytes *claims_out);

#ifdef __cplusplus
}
#endif
#endif
