/*
 * Encrypting a payload for devices: the other side of decrypt.h, for tools. Devices don't link
 * this; it calls PSA itself (crypto/encrypt.c), psa_crypto_init must have been called.
 *
 *   struct lsuit_encrypt_to to = { LSUIT_ALG_ECDH_ES_A128KW, kid, point };
 *   struct lsuit_encrypt e = { .alg = LSUIT_ALG_A128GCM, .to = &to, .to_n = 1 };
 *
 *   lsuit_encrypt_fresh(&e);                                  once for each payload
 *   lsuit_encrypt_payload(&e, plain, out, cap, &out_len);     what is fetched
 *   lsuit_encrypt_info(&e, buf, sizeof buf, &info);           suit-parameter-encryption-info
 *   lsuit_encrypt_wipe(&e);
 *
 * A content key serves one payload. The same payload for several devices is one payload with
 * several recipients.
 */
#ifndef LSUIT_ENCRYPT_H
#define LSUIT_ENCRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A recipient. */
struct lsuit_encrypt_to {
    int32_t alg;            /* LSUIT_ALG_A128KW or LSUIT_ALG_ECDH_ES_A128KW */
    struct lsuit_bytes kid; /* absent: none is written */
    struct lsuit_bytes key; /* A128KW: the key-encryption key, 16 bytes. Otherwise the device's
                               public point, LSUIT_P256_POINT_LEN bytes */
    uint8_t ephemeral[32];  /* private number of the ephemeral key, made by lsuit_encrypt_fresh */
};

struct lsuit_encrypt {
    int32_t alg; /* LSUIT_ALG_A128CTR or LSUIT_ALG_A128GCM */
    struct lsuit_encrypt_to *to;
    size_t to_n;
    /* Made by lsuit_encrypt_fresh. A test that wants the same bytes again sets them itself, and
     * nothing else ever does. */
    uint8_t cek[LSUIT_AES_LEN];
    uint8_t iv[LSUIT_AES_LEN]; /* A128GCM takes the first 12 */
};

/* Fill content key, IV and ephemeral keys from PSA's random numbers. LSUIT_ERR_CRYPTO */
enum lsuit_err lsuit_encrypt_fresh(struct lsuit_encrypt *e);

/* Forget the secrets. */
void lsuit_encrypt_wipe(struct lsuit_encrypt *e);

/* How much longer than the payload its ciphertext is: 16 for A128GCM, else 0. */
size_t lsuit_encrypt_overhead(int32_t alg);

/*
 * Encrypt a whole payload.
 *
 *   out, cap  room for plain.len and the overhead; may not overlap with plain
 *
 * LSUIT_ERR_ALG    another algorithm      LSUIT_ERR_SPACE  cap is too small
 */
enum lsuit_err lsuit_encrypt_payload(const struct lsuit_encrypt *e, struct lsuit_bytes plain,
                                     uint8_t *out, size_t cap, size_t *len_out);

/*
 * Write the encryption info: about 70 bytes, and 130 for a recipient with ECDH.
 *
 * LSUIT_ERR_USAGE   no recipient, or a key of another length
 * LSUIT_ERR_ALG     another algorithm      LSUIT_ERR_SPACE  the buffer is full
 * LSUIT_ERR_CRYPTO  a public point that isn't on P-256
 */
enum lsuit_err lsuit_encrypt_info(const struct lsuit_encrypt *e, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *info_out);

#ifdef __cplusplus
}
#endif
#endif
