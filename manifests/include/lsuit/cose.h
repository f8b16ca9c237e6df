/*
 * COSE_Sign1, COSE_Sign and COSE_Mac0 (RFC 9052, sections 4 and 6.2), as SUIT and lapel's own
 * documents use them.
 *
 *   (1) The algorithm is taken from the protected header only; one in the unprotected header is
 *       ignored.
 *   (2) `crit` is honoured: a label in it that we don't process is LSUIT_ERR_COSE.
 *   (3) A key verifies its own type of algorithm only.
 *   (4) The kid is a hint: keys whose kid matches are tried first, then the others.
 */
#ifndef LSUIT_COSE_H
#define LSUIT_COSE_H

#include "lsuit/bytes.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LSUIT_TAG_COSE_MAC0 17
#define LSUIT_TAG_COSE_SIGN1 18
#define LSUIT_TAG_COSE_SIGN 98

/* Largest COSE_Sign1 overhead that lsuit_cose_sign1_write adds to a payload; the kid is at most
 * 32 bytes then. */
#define LSUIT_COSE_OVERHEAD 128

struct lsuit_cose {
    uint64_t tag;                  /* 17, 18 or 98 */
    struct lsuit_bytes protected_; /* content of the protected bstr, of the signer for COSE_Sign */
    int32_t alg;                   /* from that header */
    struct lsuit_bytes kid;        /* from either header, absent when none */
    struct lsuit_bytes payload;    /* absent when detached (nil) */
    struct lsuit_bytes signature;
    uint32_t signers_n; /* COSE_Sign: signatures in it; else 1 */
    /* COSE_Sign */
    struct lsuit_bytes signers; /* encoded COSE_Signatures, as an array */
    struct lsuit_bytes body;    /* content of the protected bstr of the whole */
};

/*
 * Read one COSE structure. A COSE_Sign then has no algorithm and no signature yet: its signers
 * come from lsuit_cose_signer.
 *
 * LSUIT_ERR_CBOR  malformed
 * LSUIT_ERR_COSE  a structure we don't take, a missing algorithm, or an unknown crit label
 */
enum lsuit_err lsuit_cose_read(struct lsuit_bytes doc, struct lsuit_cose *cose_out);

/*
 * The i-th signature, to be verified by itself; of COSE_Sign1 and COSE_Mac0 the only one. signer_out
 * may be `cose` itself, for one after the other; after an error it holds no signature.
 *
 * LSUIT_ERR_USAGE  there are not so many
 * LSUIT_ERR_COSE   this one has no algorithm, or an unknown crit label
 */
enum lsuit_err lsuit_cose_signer(const struct lsuit_cose *cose, uint32_t i,
                                 struct lsuit_cose *signer_out);

/*
 * Verify one signature against a set of keys; index_out (may be NULL) tells which one fitted.
 * HSS-LMS is verified by the codec itself, all else by the adapter.
 *
 *   external_aad  domain separation, h'' for SUIT
 *   payload       the detached payload; ignored when the structure carries one
 *
 * LSUIT_ERR_UNAUTHORISED  no key fits   LSUIT_ERR_ALG  nobody here knows the algorithm
 */
enum lsuit_err lsuit_cose_verify(const struct lsuit_cose *cose, const struct lsuit_crypto *crypto,
                                 const struct lsuit_key *keys, size_t keys_n,
                                 struct lsuit_bytes external_aad, struct lsuit_bytes payload,
                                 size_t *index_out);

/*
 * The bytes that a signer outside (an HSM) signs: Sig_structure of RFC 9052, 4.4, for an
 * algorithm and a kid that go into the headers.
 */
enum lsuit_err lsuit_cose_tbs(int32_t alg, struct lsuit_bytes external_aad,
                              struct lsuit_bytes payload, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *tbs_out);

/*
 * Write a tagged COSE_Sign1 with a signature that was made elsewhere.
 *
 *   kid      goes into the unprotected header; absent is fine
 *   payload  absent: detached
 */
enum lsuit_err lsuit_cose_sign1_write(int32_t alg, struct lsuit_bytes kid,
                                      struct lsuit_bytes payload, struct lsuit_bytes signature,
                                      uint8_t *buf, size_t cap, struct lsuit_bytes *doc_out);

/* Sign and write in one: an attached payload under external_aad. */
enum lsuit_err lsuit_cose_sign1(const struct lsuit_crypto *crypto, uint32_t signer, int32_t alg,
                                struct lsuit_bytes kid, struct lsuit_bytes external_aad,
                                struct lsuit_bytes payload, uint8_t *buf, size_t cap,
                                struct lsuit_bytes *doc_out);

#ifdef __cplusplus
}
#endif
#endif
