/*
 * What the codec does with the crypto adapter beyond calling it.
 */
#include "lsuit/crypto.h"

size_t lsuit_digest_len(int32_t alg)
{
    switch (alg) {
    case LSUIT_ALG_SHA256:
    case LSUIT_ALG_SHAKE128: /* RFC 9054, 3.3: an output of 256 bits */
        return 32;
    case LSUIT_ALG_SHA384:
        return 48;
    case LSUIT_ALG_SHA512:
    case LSUIT_ALG_SHAKE256:
        return 64;
    default:
        return 0;
    }
}

enum lsuit_err lsuit_hash_bytes(const struct lsuit_crypto *crypto, int32_t alg,
                                struct lsuit_bytes bytes, uint8_t *out, size_t out_cap,
                                size_t *len_out)
{
    struct lsuit_hash h;
    enum lsuit_err e;

    if (crypto == NULL || crypto->size != sizeof *crypto)
        return LSUIT_ERR_USAGE;
    if (crypto->hash_start == NULL)
        return LSUIT_ERR_ALG;
    e = crypto->hash_start(crypto->ctx, &h, alg);
    if (e != LSUIT_OK)
        return e;
    if (bytes.len > 0)
        e = crypto->hash_update(crypto->ctx, &h, bytes);
    if (e == LSUIT_OK)
        e = crypto->hash_finish(crypto->ctx, &h, out, out_cap, len_out);
    if (e != LSUIT_OK)
        crypto->hash_abort(crypto->ctx, &h);
    return e;
}
