/*
 * Inside the codec: the bytes that a COSE signature covers, in parts, so that nothing is copied.
 */
#ifndef LSUIT_SRC_COSE_H
#define LSUIT_SRC_COSE_H

#include "lsuit/bytes.h"

#define LSUIT_TBS_PARTS 6

struct lsuit_tbs {
    uint8_t heads[40]; /* array, context and three heads of byte strings */
    struct lsuit_bytes part[LSUIT_TBS_PARTS];
};

/* Sig_structure or MAC_structure (RFC 9052, 4.4 and 6.3). `part` points into *tbs. */
void lsuit_cose_tbs_parts(struct lsuit_tbs *tbs, uint64_t tag, struct lsuit_bytes protected_,
                          struct lsuit_bytes external_aad, struct lsuit_bytes payload);

#endif
