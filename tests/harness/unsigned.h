/*
 * Real hashes, and signatures that nobody compares: for tests that live thousands of lives.
 */
#ifndef HARNESS_UNSIGNED_H
#define HARNESS_UNSIGNED_H

#include "lsuit/crypto.h"

static inline enum lsuit_err unsigned_verify(void *ctx, const struct lsuit_key *k, int32_t alg,
                                             const struct lsuit_bytes *parts, size_t parts_n,
                                             struct lsuit_bytes signature)
{
    (void)ctx;
    (void)k;
    (void)alg;
    (void)parts;
    (void)parts_n;
    return signature.len == LSUIT_ES256_LEN ? LSUIT_OK : LSUIT_ERR_UNAUTHORISED;
}

static inline struct lsuit_crypto unsigned_crypto(void)
{
    struct lsuit_crypto crypto = lsuit_crypto_psa;

    crypto.verify = unsigned_verify;
    return crypto;
}

#endif
