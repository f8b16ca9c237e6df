/*
 * Inside the codec: the headers of a COSE structure, and the bytes that its signature covers, in
 * parts, so that nothing is copied.
 */
#ifndef LSUIT_SRC_COSE_H
#define LSUIT_SRC_COSE_H

#include "lsuit/cbor.h"
#include "lsuit/config.h"
#include "lsuit/cose.h"

/* What we process of the two headers. Of a label that both have, the protected one counts. */
struct lsuit_cose_header {
    struct lsuit_bytes protected_; /* content of the protected bstr */
    bool refused;                  /* crit lists what we don't know, or stands outside */
    int32_t alg;                   /* protected; 0: none that is a number of 32 bits */
    int32_t alg_outside;           /* the same in the unprotected header */
    struct lsuit_bytes kid;        /* absent when none; so are the next */
#if LSUIT_WITH_ENCRYPTION
    struct lsuit_bytes iv;
    struct lsuit_bytes salt; /* RFC 9053, table 14 */
    const uint8_t *x, *y;    /* ephemeral key, RFC 9053, table 13: 32 bytes each; NULL when it
                                  isn't one of P-256 */
#endif
};

/*
 * Take both headers: a bstr-wrapped map or an empty bstr, and a map. Labels may come in any order,
 * as RFC 9052 has it; a label that comes twice in one map is LSUIT_ERR_CBOR. Errors go into the
 * cursor.
 */
void lsuit_cose_header_take(struct lsuit_cbor *c, struct lsuit_cose_header *header_out);

#define LSUIT_TBS_PARTS 8

struct lsuit_tbs {
    uint8_t heads[48]; /* array, context and four heads of byte strings */
    struct lsuit_bytes part[LSUIT_TBS_PARTS];
    size_t n;
};

/* Sig_structure or MAC_structure (RFC 9052, 4.4 and 6.3). `part` points into *tbs. */
void lsuit_cose_tbs_parts(struct lsuit_tbs *tbs, const struct lsuit_cose *cose,
                          struct lsuit_bytes external_aad, struct lsuit_bytes payload);

#endif
