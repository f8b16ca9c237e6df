/*
 * Inside the codec: the two structures that both sides of an encryption hash.
 */
#ifndef LSUIT_SRC_COSE_ENCRYPT_H
#define LSUIT_SRC_COSE_ENCRYPT_H

#include "lsuit/bytes.h"

#define LSUIT_TAG_COSE_ENCRYPT 96

#define LSUIT_KDF_CONTEXT_MAX \
    80 /* a protected header of some 30 bytes; as in struct lsuit_decrypt */
#define LSUIT_ENC_STRUCTURE_MAX 32

/* COSE_KDF_Context of draft-ietf-suit-firmware-encryption-24, section 6.2.4, for A128KW: neither
 * side is named. Absent when the header is too long. */
struct lsuit_bytes lsuit_kdf_context(struct lsuit_bytes protected_,
                                     uint8_t buf[LSUIT_KDF_CONTEXT_MAX]);

/* Enc_structure (RFC 9052, 5.3) without external_aad; absent when the header is too long. */
struct lsuit_bytes lsuit_enc_structure(struct lsuit_bytes protected_,
                                       uint8_t buf[LSUIT_ENC_STRUCTURE_MAX]);

#endif
