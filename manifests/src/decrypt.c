/*
 * Decrypting payloads: draft-ietf-suit-firmware-encryption-24 over COSE_Encrypt (RFC 9052,
 * section 5), AES key unwrap (RFC 3394) and ECDH-ES+A128KW (RFC 9053, section 6.4).
 */
#include "lsuit/decrypt.h"

#include "lsuit/config.h"

#if LSUIT_WITH_ENCRYPTION

#include <string.h>

#include "cose.h"
#include "cose_encrypt.h"
#include "fault.h"
#include "lsuit/suit.h"

enum { GCM_NONCE_LEN = 12, GCM_TAG_LEN = 16, WRAPPED_LEN = LSUIT_AES_LEN + 8, COORDINATE_LEN = 32 };

/* --- the content key --- */

/*
 * RFC 3394, 2.2.2, for a key of 128 bits: two halves, six rounds, backwards.
 *
 * LSUIT_ERR_UNAUTHORISED  not wrapped with this key
 */
static enum lsuit_err unwrap(const struct lsuit_crypto *crypto, uint32_t kek,
                             struct lsuit_bytes wrapped, uint8_t cek[LSUIT_AES_LEN])
{
    static const uint8_t A6[8] = { 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6 };
    uint8_t block[LSUIT_AES_LEN]; /* A, and the half in work */
    uint8_t half[2][8];
    enum lsuit_err e = LSUIT_OK;

    if (wrapped.len != WRAPPED_LEN)
        return LSUIT_ERR_UNAUTHORISED;
    memcpy(block, wrapped.ptr, 8);
    memcpy(half, wrapped.ptr + 8, sizeof half);
    for (uint8_t t = 12; t > 0 && e == LSUIT_OK; t--) {
        uint8_t *r = half[(t - 1) % 2];

        block[7] ^= t;
        memcpy(block + 8, r, 8);
        e = crypto->block_decrypt(crypto->ctx, kek, block, block);
        memcpy(r, block + 8, 8);
    }
    if (e == LSUIT_OK &&
        !lsuit_bytes_equal_ct((struct lsuit_bytes){ block, 8 }, (struct lsuit_bytes){ A6, 8 }))
        e = LSUIT_ERR_UNAUTHORISED;
    if (e == LSUIT_OK)
        memcpy(cek, half, sizeof half);
    return e;
}

/* The content key of one recipient structure, by one of our keys. */
static enum lsuit_err recipient_unwrap(struct lsuit_decrypt *d, const struct lsuit_decrypt_key *key,
                                       const struct lsuit_cose_header *h,
                                       struct lsuit_bytes wrapped)
{
    const struct lsuit_crypto *crypto = d->crypto;
    uint8_t *point = d->agreement.point;
    struct lsuit_bytes context;
    uint32_t kek = 0;
    enum lsuit_err e;

    if (crypto->block_decrypt == NULL)
        return LSUIT_ERR_ALG;
    if (key->alg == LSUIT_ALG_A128KW)
        return unwrap(crypto, key->key, wrapped, d->cek);
    if (crypto->agree == NULL)
        return LSUIT_ERR_ALG;
    context = lsuit_kdf_context(h->protected_, d->agreement.context);
    if (context.ptr == NULL || h->x == NULL)
        return LSUIT_ERR_COSE;
    point[0] = 4;
    memcpy(point + 1, h->x, COORDINATE_LEN);
    memcpy(point + 1 + COORDINATE_LEN, h->y, COORDINATE_LEN);
    e = crypto->agree(crypto->ctx, key->key, (struct lsuit_bytes){ point, LSUIT_P256_POINT_LEN },
                      h->salt, context, &kek);
    if (e != LSUIT_OK)
        return e;
    e = unwrap(crypto, kek, wrapped, d->cek);
    crypto->key_destroy(crypto->ctx, kek);
    return e;
}

/*
 * The algorithm, when it stands where the draft wants it: A128CTR and A128KW are outside, beside
 * an empty protected header, the others inside. 0 for any other.
 */
static int32_t alg_of(const struct lsuit_cose_header *h, int32_t inside, int32_t outside)
{
    if (h->refused)
        return 0;
    if (h->protected_.len > 0)
        return h->alg == inside ? inside : 0;
    return h->alg_outside == outside ? outside : 0;
}

static bool kid_fits(const struct lsuit_decrypt_key *key, const struct lsuit_cose_header *h)
{
    return key->kid.ptr == NULL || h->kid.ptr == NULL || lsuit_bytes_compare(key->kid, h->kid) == 0;
}

/* Take one COSE_recipient; answers its algorithm, 0 for one that we don't take. */
static int32_t recipient_take(struct lsuit_cbor *c, struct lsuit_cose_header *h,
                              struct lsuit_bytes *wrapped)
{
    uint32_t n = lsuit_cbor_array(c);

    *wrapped = (struct lsuit_bytes){ NULL, 0 };
    lsuit_cose_header_take(c, h);
    if (lsuit_cbor_peek(c) == LSUIT_CBOR_SIMPLE)
        lsuit_cbor_null(c);
    else
        *wrapped = lsuit_cbor_bstr(c);
    if (n == 4) /* recipients of its own */
        (void)lsuit_cbor_item(c);
    else if (n != 3)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    (void)lsuit_cbor_next(c);
    return n == 3 ? alg_of(h, LSUIT_ALG_ECDH_ES_A128KW, LSUIT_ALG_A128KW) : 0;
}

/* Take all recipients. The first that one of our keys unwraps gives the content key. */
static enum lsuit_err recipients_take(struct lsuit_cbor *c, struct lsuit_decrypt *d,
                                      struct lsuit_cose_header *h,
                                      const struct lsuit_decrypt_key *keys, size_t keys_n)
{
    enum lsuit_err verdict = LSUIT_ERR_ALG;

    if (lsuit_cbor_array(c) == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next(c)) {
        struct lsuit_bytes wrapped;
        int32_t alg = recipient_take(c, h, &wrapped);

        if (c->err != LSUIT_OK || alg == 0 || verdict == LSUIT_OK)
            continue;
        if (verdict == LSUIT_ERR_ALG)
            verdict = LSUIT_ERR_UNAUTHORISED;
        for (size_t i = 0; i < keys_n && verdict != LSUIT_OK; i++) {
            enum lsuit_err e = LSUIT_ERR_UNAUTHORISED;

            if (keys[i].alg == alg && kid_fits(&keys[i], h))
                e = recipient_unwrap(d, &keys[i], h, wrapped);
            if (e != LSUIT_ERR_UNAUTHORISED)
                verdict = e;
        }
    }
    return c->err != LSUIT_OK ? c->err : verdict;
}

/* --- the content --- */

/* Not optimised away, although nobody reads it afterwards. */
static void wipe(struct lsuit_decrypt *d)
{
    volatile uint8_t *p = d->cek;

    for (size_t i = 0; i < sizeof d->cek; i++)
        p[i] = 0;
    d->alg = 0;
}

static enum lsuit_err info_read(struct lsuit_bytes info, struct lsuit_decrypt *d,
                                const struct lsuit_decrypt_key *keys, size_t keys_n)
{
    struct lsuit_cose_header h;
    struct lsuit_cbor c;
    enum lsuit_err e;

    lsuit_cbor_start(&c, info);
    if (lsuit_cbor_tag(&c) != LSUIT_TAG_COSE_ENCRYPT)
        lsuit_cbor_fail(&c, LSUIT_ERR_COSE);
    if (lsuit_cbor_array(&c) != 4)
        lsuit_cbor_fail(&c, LSUIT_ERR_CBOR);
    lsuit_cose_header_take(&c, &h);
    if (lsuit_cbor_peek(&c) == LSUIT_CBOR_BSTR)
        lsuit_cbor_fail(&c, LSUIT_ERR_COSE); /* the payload is elsewhere */
    lsuit_cbor_null(&c);
    d->alg = alg_of(&h, LSUIT_ALG_A128GCM, LSUIT_ALG_A128CTR);
    if (d->alg == 0)
        lsuit_cbor_fail(&c, LSUIT_ERR_ALG);
    if (h.iv.len != (d->alg == LSUIT_ALG_A128CTR ? LSUIT_AES_LEN : GCM_NONCE_LEN))
        lsuit_cbor_fail(&c, LSUIT_ERR_COSE);
    d->nonce = h.iv;
    d->protected_ = h.protected_;
    e = recipients_take(&c, d, &h, keys, keys_n);
    (void)lsuit_cbor_next(&c);
    return c.err == LSUIT_OK && e == LSUIT_OK ? lsuit_cbor_finish(&c) : e;
}

static const char *open_why(enum lsuit_err e)
{
    switch (e) {
    case LSUIT_ERR_COSE:
        return TEXT("not a COSE_Encrypt as the draft has it");
    case LSUIT_ERR_ALG:
        return TEXT("an algorithm that this build lacks, or in the wrong header");
    case LSUIT_ERR_UNAUTHORISED:
        return TEXT("not encrypted to a key of this device");
    default:
        return TEXT("malformed, or the crypto library failed");
    }
}

enum lsuit_err lsuit_decrypt_open(struct lsuit_decrypt *d, const struct lsuit_crypto *crypto,
                                  const struct lsuit_decrypt_key *keys, size_t keys_n,
                                  struct lsuit_bytes info, uint8_t *buf, size_t cap,
                                  struct lsuit_fault *fault)
{
    enum lsuit_err e = LSUIT_ERR_USAGE;

    memset(d, 0, sizeof *d);
    d->crypto = crypto;
    d->buf = buf;
    d->cap = buf != NULL ? cap : 0;
    if (crypto != NULL && crypto->size == sizeof *crypto)
        e = info_read(info, d, keys, keys_n);
    if (e == LSUIT_OK && d->alg == LSUIT_ALG_A128CTR) {
        if (crypto->cipher_start == NULL)
            e = LSUIT_ERR_ALG;
        else
            e = crypto->cipher_start(crypto->ctx, &d->cipher, d->cek, d->nonce.ptr);
        if (e != LSUIT_OK)
            lsuit_decrypt_abort(d);
    } else if (e == LSUIT_OK && crypto->gcm_decrypt == NULL) {
        e = LSUIT_ERR_ALG;
    }
    if (e != LSUIT_OK) {
        wipe(d);
        return lsuit_fault_set(fault, e, TEXT("parameter-encryption-info"), open_why(e),
                               LSUIT_PARAM_ENCRYPTION_INFO);
    }
    return LSUIT_OK;
}

enum lsuit_err lsuit_decrypt_update(struct lsuit_decrypt *d, struct lsuit_bytes in, uint8_t *out,
                                    size_t cap, size_t *n_out)
{
    *n_out = 0;
    if (d->alg == 0)
        return LSUIT_ERR_USAGE;
    if (in.len == 0)
        return LSUIT_OK;
    if (d->alg == LSUIT_ALG_A128GCM) {
        if (in.len > d->cap - d->len)
            return LSUIT_ERR_LIMIT;
        memcpy(d->buf + d->len, in.ptr, in.len);
        d->len += in.len;
        return LSUIT_OK;
    }
    if (cap < in.len)
        return LSUIT_ERR_SPACE;
    *n_out = in.len;
    return d->crypto->cipher_update(d->crypto->ctx, &d->cipher, in, out);
}

/* Decrypt in place what was gathered. The tag covers the Enc_structure (RFC 9052, 5.3) too. */
static enum lsuit_err gcm_finish(struct lsuit_decrypt *d, struct lsuit_bytes *rest_out)
{
    uint8_t room[LSUIT_ENC_STRUCTURE_MAX];
    struct lsuit_bytes aad = lsuit_enc_structure(d->protected_, room);
    enum lsuit_err e = aad.ptr != NULL ? LSUIT_OK : LSUIT_ERR_LIMIT;

    if (e == LSUIT_OK && d->len < GCM_TAG_LEN)
        e = LSUIT_ERR_UNAUTHORISED;
    if (e == LSUIT_OK)
        e = d->crypto->gcm_decrypt(d->crypto->ctx, d->cek, d->nonce, aad,
                                   (struct lsuit_bytes){ d->buf, d->len }, d->buf);
    if (e == LSUIT_OK)
        *rest_out = (struct lsuit_bytes){ d->buf, d->len - GCM_TAG_LEN };
    return e;
}

enum lsuit_err lsuit_decrypt_finish(struct lsuit_decrypt *d, struct lsuit_bytes *rest_out)
{
    enum lsuit_err e = d->alg != 0 ? LSUIT_OK : LSUIT_ERR_USAGE;

    *rest_out = (struct lsuit_bytes){ NULL, 0 };
    if (d->alg == LSUIT_ALG_A128GCM)
        e = gcm_finish(d, rest_out);
    lsuit_decrypt_abort(d);
    return e;
}

void lsuit_decrypt_abort(struct lsuit_decrypt *d)
{
    if (d->alg == LSUIT_ALG_A128CTR)
        d->crypto->cipher_end(d->crypto->ctx, &d->cipher);
    wipe(d);
}

#endif
