/*
 * SUIT_Digest: reading, and holding bytes against it.
 */
#include "digest.h"

struct lsuit_digest lsuit_digest_take(struct lsuit_cbor *c)
{
    struct lsuit_digest d = { 0 };
    int64_t alg;

    if (lsuit_cbor_array(c) != 2)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    alg = lsuit_cbor_int(c);
    d.bytes = lsuit_cbor_bstr(c);
    (void)lsuit_cbor_next(c);
    d.alg = alg >= INT32_MIN && alg <= INT32_MAX ? (int32_t)alg : 0;
    if (c->err != LSUIT_OK)
        return d;
    if (lsuit_digest_len(d.alg) == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_ALG);
    else if (lsuit_digest_len(d.alg) != d.bytes.len)
        lsuit_cbor_fail(c, LSUIT_ERR_RANGE);
    return d;
}

enum lsuit_err lsuit_digest_read(struct lsuit_bytes content, struct lsuit_digest *digest_out)
{
    struct lsuit_cbor c;

    lsuit_cbor_start(&c, content);
    *digest_out = lsuit_digest_take(&c);
    return lsuit_cbor_finish(&c);
}

enum lsuit_err lsuit_digest_match(const struct lsuit_crypto *crypto, struct lsuit_digest digest,
                                  struct lsuit_bytes bytes)
{
    uint8_t made[LSUIT_DIGEST_MAX];
    size_t len = 0;
    enum lsuit_err e = lsuit_hash_bytes(crypto, digest.alg, bytes, made, sizeof made, &len);

    if (e != LSUIT_OK)
        return e;
    return lsuit_bytes_equal_ct((struct lsuit_bytes){ made, len }, digest.bytes)
               ? LSUIT_OK
               : LSUIT_ERR_UNAUTHORISED;
}
