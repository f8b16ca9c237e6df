/*
 * Encrypting payloads over PSA: draft-ietf-suit-firmware-encryption-24. Devices don't link this.
 */
#include "lsuit/encrypt.h"

#include "lsuit/cbor.h"
#include "lsuit/config.h"

#if LSUIT_WITH_ENCRYPTION

#include <psa/crypto.h>
#include <string.h>

#include "../src/cose_encrypt.h"

enum { GCM_NONCE_LEN = 12, GCM_TAG_LEN = 16, WRAPPED_LEN = LSUIT_AES_LEN + 8 };

/* { 1: -29 } and { 1: 1 }, the protected headers that there are. */
static const uint8_t PROTECTED_ECDH[] = { 0xa1, 0x01, 0x38, 0x1c };
static const uint8_t PROTECTED_GCM[] = { 0xa1, 0x01, 0x01 };

static struct lsuit_bytes protected_of(int32_t alg)
{
    if (alg == LSUIT_ALG_ECDH_ES_A128KW)
        return (struct lsuit_bytes){ PROTECTED_ECDH, sizeof PROTECTED_ECDH };
    if (alg == LSUIT_ALG_A128GCM)
        return (struct lsuit_bytes){ PROTECTED_GCM, sizeof PROTECTED_GCM };
    return (struct lsuit_bytes){ NULL, 0 };
}

static psa_status_t import(psa_key_type_t type, psa_algorithm_t alg, psa_key_usage_t usage,
                           const uint8_t *bytes, size_t n, psa_key_id_t *id_out)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;

    psa_set_key_type(&attr, type);
    psa_set_key_algorithm(&attr, alg);
    psa_set_key_usage_flags(&attr, usage);
    return psa_import_key(&attr, bytes, n, id_out);
}

static psa_status_t import_ephemeral(const uint8_t number[32], psa_key_id_t *id_out)
{
    return import(PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1),
                  PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256)),
                  PSA_KEY_USAGE_DERIVE, number, 32, id_out);
}

enum lsuit_err lsuit_encrypt_fresh(struct lsuit_encrypt *e)
{
    psa_status_t status = psa_generate_random(e->cek, sizeof e->cek);

    if (status == PSA_SUCCESS)
        status = psa_generate_random(e->iv, sizeof e->iv);
    for (size_t i = 0; status == PSA_SUCCESS && i < e->to_n; i++) {
        psa_key_id_t id = 0;

        /* A number that is no private key comes once in 2^32: the next one then. */
        do {
            status = psa_generate_random(e->to[i].ephemeral, sizeof e->to[i].ephemeral);
        } while (status == PSA_SUCCESS &&
                 import_ephemeral(e->to[i].ephemeral, &id) == PSA_ERROR_INVALID_ARGUMENT);
        (void)psa_destroy_key(id);
    }
    return status == PSA_SUCCESS ? LSUIT_OK : LSUIT_ERR_CRYPTO;
}

/* Not optimised away, although nobody reads it afterwards. */
static void forget(uint8_t *bytes, size_t n)
{
    volatile uint8_t *p = bytes;

    while (n-- > 0)
        *p++ = 0;
}

void lsuit_encrypt_wipe(struct lsuit_encrypt *e)
{
    forget(e->cek, sizeof e->cek);
    for (size_t i = 0; i < e->to_n; i++)
        forget(e->to[i].ephemeral, sizeof e->to[i].ephemeral);
}

/* --- the payload --- */

size_t lsuit_encrypt_overhead(int32_t alg)
{
    return alg == LSUIT_ALG_A128GCM ? GCM_TAG_LEN : 0;
}

/* Encrypting in counter mode is decrypting. */
static enum lsuit_err ctr(const struct lsuit_encrypt *e, struct lsuit_bytes plain, uint8_t *out)
{
    struct lsuit_cipher c;
    enum lsuit_err err = lsuit_crypto_psa.cipher_start(NULL, &c, e->cek, e->iv);

    if (err == LSUIT_OK && plain.len > 0)
        err = lsuit_crypto_psa.cipher_update(NULL, &c, plain, out);
    lsuit_crypto_psa.cipher_end(NULL, &c);
    return err;
}

static enum lsuit_err gcm(const struct lsuit_encrypt *e, struct lsuit_bytes plain, uint8_t *out,
                          size_t cap)
{
    uint8_t room[LSUIT_ENC_STRUCTURE_MAX];
    struct lsuit_bytes aad = lsuit_enc_structure(protected_of(e->alg), room);
    psa_key_id_t id = 0;
    size_t n = 0;
    psa_status_t status =
        import(PSA_KEY_TYPE_AES, PSA_ALG_GCM, PSA_KEY_USAGE_ENCRYPT, e->cek, sizeof e->cek, &id);

    if (status == PSA_SUCCESS)
        status = psa_aead_encrypt(id, PSA_ALG_GCM, e->iv, GCM_NONCE_LEN, aad.ptr, aad.len,
                                  plain.ptr, plain.len, out, cap, &n);
    (void)psa_destroy_key(id);
    return status == PSA_SUCCESS && n == plain.len + GCM_TAG_LEN ? LSUIT_OK : LSUIT_ERR_CRYPTO;
}

enum lsuit_err lsuit_encrypt_payload(const struct lsuit_encrypt *e, struct lsuit_bytes plain,
                                     uint8_t *out, size_t cap, size_t *len_out)
{
    size_t n = plain.len + lsuit_encrypt_overhead(e->alg);
    enum lsuit_err err;

    if (e->alg != LSUIT_ALG_A128CTR && e->alg != LSUIT_ALG_A128GCM)
        return LSUIT_ERR_ALG;
    if (cap < n)
        return LSUIT_ERR_SPACE;
    err = e->alg == LSUIT_ALG_A128CTR ? ctr(e, plain, out) : gcm(e, plain, out, cap);
    if (err == LSUIT_OK)
        *len_out = n;
    return err;
}

/* --- the encryption info --- */

/* RFC 3394, 2.2.1, for a key of 128 bits. */
static enum lsuit_err wrap(psa_key_id_t kek, const uint8_t cek[LSUIT_AES_LEN],
                           uint8_t wrapped[WRAPPED_LEN])
{
    uint8_t block[LSUIT_AES_LEN];
    size_t n = 0;

    memset(block, 0xa6, 8);
    memcpy(wrapped + 8, cek, LSUIT_AES_LEN);
    for (uint8_t t = 1; t <= 12; t++) {
        uint8_t *r = wrapped + 8 * (1 + (t - 1) % 2);

        memcpy(block + 8, r, 8);
        if (psa_cipher_encrypt(kek, PSA_ALG_ECB_NO_PADDING, block, sizeof block, block,
                               sizeof block, &n) != PSA_SUCCESS)
            return LSUIT_ERR_CRYPTO;
        block[7] ^= t;
        memcpy(r, block + 8, 8);
    }
    memcpy(wrapped, block, 8);
    return LSUIT_OK;
}

/* The key-encryption key; for ECDH the ephemeral public point too. */
static enum lsuit_err kek_make(const struct lsuit_encrypt_to *to, psa_key_id_t *kek_out,
                               uint8_t point[LSUIT_P256_POINT_LEN])
{
    uint8_t room[LSUIT_KDF_CONTEXT_MAX];
    struct lsuit_bytes none = { NULL, 0 };
    psa_key_id_t mine = 0;
    size_t n = 0;
    enum lsuit_err e = LSUIT_ERR_CRYPTO;

    if (to->alg == LSUIT_ALG_A128KW) {
        if (to->key.len != LSUIT_AES_LEN)
            return LSUIT_ERR_USAGE;
        return import(PSA_KEY_TYPE_AES, PSA_ALG_ECB_NO_PADDING, PSA_KEY_USAGE_ENCRYPT, to->key.ptr,
                      to->key.len, kek_out) == PSA_SUCCESS
                   ? LSUIT_OK
                   : LSUIT_ERR_CRYPTO;
    }
    if (to->alg != LSUIT_ALG_ECDH_ES_A128KW)
        return LSUIT_ERR_ALG;
    if (to->key.len != LSUIT_P256_POINT_LEN)
        return LSUIT_ERR_USAGE;
    if (import_ephemeral(to->ephemeral, &mine) == PSA_SUCCESS &&
        psa_export_public_key(mine, point, LSUIT_P256_POINT_LEN, &n) == PSA_SUCCESS)
        e = lsuit_crypto_psa.agree(NULL, mine, to->key, none,
                                   lsuit_kdf_context(protected_of(to->alg), room), kek_out);
    (void)psa_destroy_key(mine);
    return e;
}

/* COSE_recipient. */
static enum lsuit_err recipient_put(struct lsuit_cbor_writer *w, const struct lsuit_encrypt *e,
                                    const struct lsuit_encrypt_to *to)
{
    uint8_t wrapped[WRAPPED_LEN], point[LSUIT_P256_POINT_LEN];
    psa_key_id_t kek = 0;
    enum lsuit_err err = kek_make(to, &kek, point);

    if (err == LSUIT_OK)
        err = wrap(kek, e->cek, wrapped);
    (void)psa_destroy_key(kek);
    if (err != LSUIT_OK)
        return err;
    lsuit_put_array(w, 3);
    lsuit_put_bstr(w, protected_of(to->alg));
    lsuit_put_map(w, to->kid.ptr != NULL ? 2 : 1);
    if (to->alg == LSUIT_ALG_A128KW) {
        lsuit_put_uint(w, 1);
        lsuit_put_int(w, to->alg);
    }
    if (to->kid.ptr != NULL) {
        lsuit_put_uint(w, 4);
        lsuit_put_bstr(w, to->kid);
    }
    if (to->alg == LSUIT_ALG_ECDH_ES_A128KW) {
        lsuit_put_int(w, -1);
        lsuit_put_map(w, 4);
        lsuit_put_uint(w, 1);
        lsuit_put_uint(w, 2);
        lsuit_put_int(w, -1);
        lsuit_put_uint(w, 1);
        lsuit_put_int(w, -2);
        lsuit_put_bstr(w, (struct lsuit_bytes){ point + 1, 32 });
        lsuit_put_int(w, -3);
        lsuit_put_bstr(w, (struct lsuit_bytes){ point + 33, 32 });
    }
    lsuit_put_bstr(w, (struct lsuit_bytes){ wrapped, sizeof wrapped });
    return LSUIT_OK;
}

enum lsuit_err lsuit_encrypt_info(const struct lsuit_encrypt *e, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *info_out)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    bool is_ctr = e->alg == LSUIT_ALG_A128CTR;

    if (!is_ctr && e->alg != LSUIT_ALG_A128GCM)
        return LSUIT_ERR_ALG;
    if (e->to_n == 0 || e->to_n > UINT16_MAX)
        return LSUIT_ERR_USAGE;
    lsuit_put_tag(&w, LSUIT_TAG_COSE_ENCRYPT);
    lsuit_put_array(&w, 4);
    lsuit_put_bstr(&w, protected_of(e->alg));
    lsuit_put_map(&w, is_ctr ? 2 : 1);
    if (is_ctr) {
        lsuit_put_uint(&w, 1);
        lsuit_put_int(&w, e->alg);
    }
    lsuit_put_uint(&w, 5);
    lsuit_put_bstr(&w, (struct lsuit_bytes){ e->iv, is_ctr ? LSUIT_AES_LEN : GCM_NONCE_LEN });
    lsuit_put_null(&w);
    lsuit_put_array(&w, (uint32_t)e->to_n);
    for (size_t i = 0; i < e->to_n; i++) {
        enum lsuit_err err = recipient_put(&w, e, &e->to[i]);

        if (err != LSUIT_OK)
            return err;
    }
    return lsuit_put_finish(&w, info_out);
}

#endif
