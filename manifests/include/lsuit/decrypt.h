/*
 * Decrypting a payload (draft-ietf-suit-firmware-encryption-24): COSE_Encrypt with the content in
 * A128CTR or A128GCM, its key wrapped with A128KW or ECDH-ES+A128KW on P-256.
 *
 *   open     finds the recipient that is us, and unwraps the content key
 *   update   any number of times, pieces of any length
 *   finish   says whether all of it was good
 *
 *   (1) A128CTR has no integrity: whoever calls this has checked the digest of the ciphertext
 *       before, and checks that of the plaintext afterwards.
 *   (2) Of A128GCM no byte of plaintext is handed out before the tag was checked. So the whole
 *       ciphertext must fit into the caller's buffer; what is larger is LSUIT_ERR_LIMIT.
 *   (3) The content key leaves memory at finish and abort. One of them ends what open began, also
 *       after an error of update.
 */
#ifndef LSUIT_DECRYPT_H
#define LSUIT_DECRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A key of this device to which payloads are encrypted. It never leaves the adapter. */
struct lsuit_decrypt_key {
    int32_t alg;            /* LSUIT_ALG_A128KW or LSUIT_ALG_ECDH_ES_A128KW */
    uint32_t key;           /* as the adapter names it; for PSA a key id, see below */
    struct lsuit_bytes kid; /* absent: tried on every recipient of its algorithm */
};

/*
 * Policies that lsuit_crypto_psa needs:
 *   A128KW          PSA_KEY_TYPE_AES, 128 bits, PSA_KEY_USAGE_DECRYPT, PSA_ALG_ECB_NO_PADDING
 *   ECDH-ES+A128KW  P-256 key pair, PSA_KEY_USAGE_DERIVE,
 *                   PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256))
 */

struct lsuit_decrypt {
    const struct lsuit_crypto *crypto;
    int32_t alg; /* of the content; 0: not open */
    union {
        struct { /* while it is opened, ECDH */
            uint8_t point[LSUIT_P256_POINT_LEN];
            uint8_t context[80];
        } agreement;
        struct lsuit_cipher cipher; /* A128CTR */
    };
    /* A128GCM */
    uint8_t cek[LSUIT_AES_LEN];
    struct lsuit_bytes nonce;      /* borrowed, as the next */
    struct lsuit_bytes protected_; /* content of the protected bstr */
    uint8_t *buf;
    size_t cap;
    size_t len;
};

/*
 * Begin.
 *
 *   info      content of suit-parameter-encryption-info; borrowed until finish or abort
 *   buf, cap  room for the ciphertext of A128GCM with its tag, the caller's until finish or abort;
 *             NULL and 0 when only A128CTR is wanted
 *   fault     may be NULL
 *
 * LSUIT_ERR_CBOR          malformed
 * LSUIT_ERR_COSE          no COSE_Encrypt, an attached ciphertext, an IV of another length, or an
 *                         ephemeral key that isn't of P-256 with both coordinates
 * LSUIT_ERR_ALG           an algorithm that this build lacks, or not in the header where it belongs
 * LSUIT_ERR_UNAUTHORISED  no recipient is us, or none of ours unwraps
 * LSUIT_ERR_CRYPTO        the library failed, or the ephemeral key is no point on the curve
 */
enum lsuit_err lsuit_decrypt_open(struct lsuit_decrypt *d, const struct lsuit_crypto *crypto,
                                  const struct lsuit_decrypt_key *keys, size_t keys_n,
                                  struct lsuit_bytes info, uint8_t *buf, size_t cap,
                                  struct lsuit_fault *fault);

/*
 * Decrypt the next piece.
 *
 *   out, cap  room for in.len bytes, apart from `in`. Nothing is written with A128GCM
 *   n_out     bytes written: in.len or, with A128GCM, 0
 *
 * LSUIT_ERR_SPACE  cap is too small      LSUIT_ERR_LIMIT  more than the buffer of A128GCM holds
 */
enum lsuit_err lsuit_decrypt_update(struct lsuit_decrypt *d, struct lsuit_bytes in, uint8_t *out,
                                    size_t cap, size_t *n_out);

/*
 * End it.
 *
 *   rest_out  with A128GCM the whole plaintext, in the buffer given to open; else empty
 *
 * LSUIT_ERR_UNAUTHORISED  the tag of A128GCM doesn't fit
 */
enum lsuit_err lsuit_decrypt_finish(struct lsuit_decrypt *d, struct lsuit_bytes *rest_out);

/* Give up. Harmless on what is not open, provided that d was zeroed or opened once. */
void lsuit_decrypt_abort(struct lsuit_decrypt *d);

#ifdef __cplusplus
}
#endif
#endif
