/*
 * Erase receipt: the signed answer to DELETE /v1/device. SPEC.md, "Erase receipt".
 *
 * COSE_Sign1 by a key of role online, see lsuit_doc_verify(LSUIT_DOC_RECEIPT, ...).
 * Rules of reading, writing and errors that all documents share: doc.h.
 */
#ifndef LSUIT_RECEIPT_H
#define LSUIT_RECEIPT_H

#include "lsuit/doc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LSUIT_RECEIPT_MAX 512 /* signed */
#define LSUIT_RECEIPT_WHAT 16

enum lsuit_receipt_key {
    LSUIT_RECEIPT_VERSION = 0,
    LSUIT_RECEIPT_PRODUCT = 1,
    LSUIT_RECEIPT_DEVICE_ID = 2,
    LSUIT_RECEIPT_ERASED = 3,
    LSUIT_RECEIPT_WHEN = 4,
    LSUIT_RECEIPT_BACKUPS = 5,
    LSUIT_RECEIPT_NONCE = 6
};

/* What was erased. */
enum lsuit_erased {
    LSUIT_ERASED_IDENTITY = 1,   /* device row, names, groups */
    LSUIT_ERASED_CREDENTIAL = 2, /* tokens, keys, certificates */
    LSUIT_ERASED_STATUS = 3,     /* check-ins, events, fault records */
    LSUIT_ERASED_HISTORY = 4,    /* attempts and reports */
    LSUIT_ERASED_AUDIT = 5       /* the mapping from pseudonym to device */
};

struct lsuit_receipt {
    struct lsuit_bytes product;
    struct lsuit_bytes device_id;
    uint32_t what[LSUIT_RECEIPT_WHAT]; /* enum lsuit_erased, ascending; unknown ones too */
    uint32_t what_n;
    uint64_t when_s;          /* seconds since 1970 */
    uint64_t backups_s;       /* when the last backup that holds any of it expires */
    struct lsuit_bytes nonce; /* the erase nonce, 8 to 32 bytes */
};

enum lsuit_err lsuit_receipt_read(struct lsuit_bytes doc, struct lsuit_receipt *receipt_out,
                                  struct lsuit_fault *fault);
enum lsuit_err lsuit_receipt_write(const struct lsuit_receipt *receipt, uint8_t *buf, size_t cap,
                                   struct lsuit_bytes *doc_out);

#ifdef __cplusplus
}
#endif
#endif
