/*
 * The crypto adapter over the PSA Crypto API: SHA-2, HMAC, ECDSA and ECDH on P-256, AES.
 *
 * Only calls of the PSA standard, so that Mbed TLS 2.28, 3.6 and 4 fit, and so does the PSA
 * service of a secure partition.
 */
#include "lsuit/config.h"
#include "lsuit/crypto.h"

#include <psa/crypto.h>

#include <string.h>

_Static_assert(sizeof(psa_hash_operation_t) <= sizeof(struct lsuit_hash),
               "LSUIT_HASH_WORDS is too small for this crypto library");

static psa_hash_operation_t *operation(struct lsuit_hash *h)
{
    return (psa_hash_operation_t *)(void *)h->opaque;
}

static enum lsuit_err err_of(psa_status_t status)
{
    switch (status) {
    case PSA_SUCCESS:
        return LSUIT_OK;
    case PSA_ERROR_INVALID_SIGNATURE:
        return LSUIT_ERR_UNAUTHORISED;
    case PSA_ERROR_NOT_SUPPORTED:
        return LSUIT_ERR_ALG;
    case PSA_ERROR_BUFFER_TOO_SMALL:
        return LSUIT_ERR_SPACE;
    default:
        return LSUIT_ERR_CRYPTO;
    }
}

static enum lsuit_err hash_start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    psa_hash_operation_t fresh = PSA_HASH_OPERATION_INIT;
    psa_algorithm_t psa = alg == LSUIT_ALG_SHA256   ? PSA_ALG_SHA_256
                          : alg == LSUIT_ALG_SHA384 ? PSA_ALG_SHA_384
                          : alg == LSUIT_ALG_SHA512 ? PSA_ALG_SHA_512
                                                    : PSA_ALG_NONE;

    (void)ctx;
    memcpy(h->opaque, &fresh, sizeof fresh);
    if (psa == PSA_ALG_NONE)
        return LSUIT_ERR_ALG;
    return err_of(psa_hash_setup(operation(h), psa));
}

static enum lsuit_err hash_update(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part)
{
    (void)ctx;
    return err_of(psa_hash_update(operation(h), part.ptr, part.len));
}

static enum lsuit_err hash_finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t out_cap,
                                  size_t *len_out)
{
    (void)ctx;
    return err_of(psa_hash_finish(operation(h), out, out_cap, len_out));
}

static void hash_abort(void *ctx, struct lsuit_hash *h)
{
    (void)ctx;
    (void)psa_hash_abort(operation(h));
}

static enum lsuit_err hash_parts(const struct lsuit_bytes *parts, size_t parts_n,
                                 uint8_t out[LSUIT_SHA256_LEN])
{
    struct lsuit_hash h;
    size_t len = 0;
    enum lsuit_err e = hash_start(NULL, &h, LSUIT_ALG_SHA256);

    for (size_t i = 0; e == LSUIT_OK && i < parts_n; i++) {
        if (parts[i].len > 0)
            e = hash_update(NULL, &h, parts[i]);
    }
    if (e == LSUIT_OK)
        e = hash_finish(NULL, &h, out, LSUIT_SHA256_LEN, &len);
    hash_abort(NULL, &h);
    return e;
}

/* A key for one operation. */
static psa_status_t import(psa_key_type_t type, psa_algorithm_t alg, psa_key_usage_t usage,
                           struct lsuit_bytes material, psa_key_id_t *id_out)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;

    psa_set_key_type(&attr, type);
    psa_set_key_usage_flags(&attr, usage);
    psa_set_key_algorithm(&attr, alg);
    return psa_import_key(&attr, material.ptr, material.len, id_out);
}

static enum lsuit_err verify_p256(const struct lsuit_key *key, const struct lsuit_bytes *parts,
                                  size_t parts_n, struct lsuit_bytes signature)
{
    uint8_t digest[LSUIT_SHA256_LEN];
    psa_key_id_t id = 0;
    enum lsuit_err e;

    if (signature.len != LSUIT_ES256_LEN)
        return LSUIT_ERR_UNAUTHORISED;
    if (key->material.len != LSUIT_P256_POINT_LEN)
        return LSUIT_ERR_CRYPTO;
    e = hash_parts(parts, parts_n, digest);
    if (e != LSUIT_OK)
        return e;
    if (import(PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1), PSA_ALG_ECDSA(PSA_ALG_SHA_256),
               PSA_KEY_USAGE_VERIFY_HASH, key->material, &id) != PSA_SUCCESS)
        return LSUIT_ERR_CRYPTO;
    e = err_of(psa_verify_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, sizeof digest,
                               signature.ptr, signature.len));
    (void)psa_destroy_key(id);
    return e;
}

#if LSUIT_WITH_COSE_MAC0
/* HMAC 256/256: the whole tag of 32 bytes, compared by PSA in constant time. */
static enum lsuit_err verify_hmac(const struct lsuit_key *key, const struct lsuit_bytes *parts,
                                  size_t parts_n, struct lsuit_bytes tag)
{
    psa_mac_operation_t op = PSA_MAC_OPERATION_INIT;
    psa_algorithm_t alg = PSA_ALG_HMAC(PSA_ALG_SHA_256);
    psa_key_id_t id = 0;
    psa_status_t status;

    if (tag.len != LSUIT_SHA256_LEN)
        return LSUIT_ERR_UNAUTHORISED;
    if (key->material.len < LSUIT_SHA256_LEN)
        return LSUIT_ERR_CRYPTO;
    status = import(PSA_KEY_TYPE_HMAC, alg, PSA_KEY_USAGE_VERIFY_MESSAGE, key->material, &id);
    if (status == PSA_SUCCESS)
        status = psa_mac_verify_setup(&op, id, alg);
    for (size_t i = 0; status == PSA_SUCCESS && i < parts_n; i++) {
        if (parts[i].len > 0)
            status = psa_mac_update(&op, parts[i].ptr, parts[i].len);
    }
    if (status == PSA_SUCCESS)
        status = psa_mac_verify_finish(&op, tag.ptr, tag.len);
    (void)psa_mac_abort(&op);
    (void)psa_destroy_key(id);
    return err_of(status);
}
#endif

/*
 * Ed25519, where the library has the curve: Mbed TLS has it not, and its answer is "no such
 * algorithm". PSA wants the message in one piece, so it is limited to what SUIT signs.
 */
static enum lsuit_err verify_ed25519(const struct lsuit_key *key, const struct lsuit_bytes *parts,
                                     size_t parts_n, struct lsuit_bytes signature)
{
    uint8_t message[192];
    psa_key_id_t id = 0;
    size_t n = 0;
    enum lsuit_err e;

    for (size_t i = 0; i < parts_n; i++) {
        if (parts[i].len > sizeof message - n)
            return LSUIT_ERR_ALG;
        if (parts[i].len > 0)
            memcpy(message + n, parts[i].ptr, parts[i].len);
        n += parts[i].len;
    }
    if (import(PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_TWISTED_EDWARDS), PSA_ALG_PURE_EDDSA,
               PSA_KEY_USAGE_VERIFY_MESSAGE, key->material, &id) != PSA_SUCCESS)
        return LSUIT_ERR_ALG;
    e = err_of(
        psa_verify_message(id, PSA_ALG_PURE_EDDSA, message, n, signature.ptr, signature.len));
    (void)psa_destroy_key(id);
    return e;
}

/* The key's type says which algorithms it serves; any other is refused. */
static enum lsuit_err verify(void *ctx, const struct lsuit_key *key, int32_t alg,
                             const struct lsuit_bytes *parts, size_t parts_n,
                             struct lsuit_bytes signature)
{
    (void)ctx;
    if (key->type == LSUIT_KEY_P256 && (alg == LSUIT_ALG_ES256 || alg == LSUIT_ALG_ESP256))
        return verify_p256(key, parts, parts_n, signature);
#if LSUIT_WITH_COSE_MAC0
    if (key->type == LSUIT_KEY_HMAC256 && alg == LSUIT_ALG_HMAC256)
        return verify_hmac(key, parts, parts_n, signature);
#endif
    if (key->type == LSUIT_KEY_ED25519 && (alg == LSUIT_ALG_EDDSA || alg == LSUIT_ALG_ED25519))
        return verify_ed25519(key, parts, parts_n, signature);
    return LSUIT_ERR_ALG;
}

/* Deterministic (RFC 6979) where the policy of the key allows it, else randomised. */
static enum lsuit_err sign(void *ctx, uint32_t signer, int32_t alg, const struct lsuit_bytes *parts,
                           size_t parts_n, uint8_t *sig, size_t sig_cap, size_t *len_out)
{
    uint8_t digest[LSUIT_SHA256_LEN];
    psa_status_t status;
    enum lsuit_err e;

    (void)ctx;
    if (alg != LSUIT_ALG_ES256 && alg != LSUIT_ALG_ESP256)
        return LSUIT_ERR_ALG;
    e = hash_parts(parts, parts_n, digest);
    if (e != LSUIT_OK)
        return e;
    status = psa_sign_hash(signer, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256), digest,
                           sizeof digest, sig, sig_cap, len_out);
    if (status == PSA_ERROR_NOT_PERMITTED || status == PSA_ERROR_NOT_SUPPORTED)
        status = psa_sign_hash(signer, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, sizeof digest, sig,
                               sig_cap, len_out);
    return err_of(status);
}

#if LSUIT_WITH_ENCRYPTION

static enum lsuit_err block_decrypt(void *ctx, uint32_t key, const uint8_t in[LSUIT_AES_LEN],
                                    uint8_t out[LSUIT_AES_LEN])
{
    size_t n = 0;
    enum lsuit_err e = err_of(
        psa_cipher_decrypt(key, PSA_ALG_ECB_NO_PADDING, in, LSUIT_AES_LEN, out, LSUIT_AES_LEN, &n));

    (void)ctx;
    return e == LSUIT_OK && n != LSUIT_AES_LEN ? LSUIT_ERR_CRYPTO : e;
}

static enum lsuit_err agree(void *ctx, uint32_t key, struct lsuit_bytes point,
                            struct lsuit_bytes salt, struct lsuit_bytes info, uint32_t *key_out)
{
    psa_key_derivation_operation_t op = PSA_KEY_DERIVATION_OPERATION_INIT;
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;
    psa_status_t status = psa_key_derivation_setup(
        &op, PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256)));

    (void)ctx;
    psa_set_key_type(&attr, PSA_KEY_TYPE_AES);
    psa_set_key_bits(&attr, 8 * LSUIT_AES_LEN);
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_DECRYPT | PSA_KEY_USAGE_ENCRYPT);
    psa_set_key_algorithm(&attr, PSA_ALG_ECB_NO_PADDING);
    if (status == PSA_SUCCESS && salt.len > 0)
        status =
            psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_SALT, salt.ptr, salt.len);
    if (status == PSA_SUCCESS)
        status = psa_key_derivation_key_agreement(&op, PSA_KEY_DERIVATION_INPUT_SECRET, key,
                                                  point.ptr, point.len);
    if (status == PSA_SUCCESS)
        status =
            psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_INFO, info.ptr, info.len);
    if (status == PSA_SUCCESS)
        status = psa_key_derivation_output_key(&attr, &op, &id);
    (void)psa_key_derivation_abort(&op);
    if (status == PSA_SUCCESS)
        *key_out = id;
    return err_of(status);
}

static void key_destroy(void *ctx, uint32_t key)
{
    (void)ctx;
    (void)psa_destroy_key(key);
}

/* A running cipher, and the key that goes with it. */
struct psa_cipher {
    psa_cipher_operation_t op;
    psa_key_id_t key;
};

_Static_assert(sizeof(struct psa_cipher) <= sizeof(struct lsuit_cipher),
               "LSUIT_CIPHER_WORDS is too small for this crypto library");

static enum lsuit_err cipher_start(void *ctx, struct lsuit_cipher *c,
                                   const uint8_t key[LSUIT_AES_LEN],
                                   const uint8_t iv[LSUIT_AES_LEN])
{
    struct psa_cipher fresh = { PSA_CIPHER_OPERATION_INIT, 0 };
    struct psa_cipher *p = (struct psa_cipher *)(void *)c->opaque;
    psa_status_t status;

    (void)ctx;
    memcpy(p, &fresh, sizeof fresh);
    status = import(PSA_KEY_TYPE_AES, PSA_ALG_CTR, PSA_KEY_USAGE_DECRYPT,
                    (struct lsuit_bytes){ key, LSUIT_AES_LEN }, &p->key);
    if (status == PSA_SUCCESS)
        status = psa_cipher_decrypt_setup(&p->op, p->key, PSA_ALG_CTR);
    if (status == PSA_SUCCESS)
        status = psa_cipher_set_iv(&p->op, iv, LSUIT_AES_LEN);
    return err_of(status);
}

static enum lsuit_err cipher_update(void *ctx, struct lsuit_cipher *c, struct lsuit_bytes in,
                                    uint8_t *out)
{
    struct psa_cipher *p = (struct psa_cipher *)(void *)c->opaque;
    size_t n = 0;
    enum lsuit_err e = err_of(psa_cipher_update(&p->op, in.ptr, in.len, out, in.len, &n));

    (void)ctx;
    return e == LSUIT_OK && n != in.len ? LSUIT_ERR_CRYPTO : e;
}

static void cipher_end(void *ctx, struct lsuit_cipher *c)
{
    struct psa_cipher *p = (struct psa_cipher *)(void *)c->opaque;

    (void)ctx;
    (void)psa_cipher_abort(&p->op);
    (void)psa_destroy_key(p->key);
}

static enum lsuit_err gcm_decrypt(void *ctx, const uint8_t key[LSUIT_AES_LEN],
                                  struct lsuit_bytes nonce, struct lsuit_bytes aad,
                                  struct lsuit_bytes in, uint8_t *out)
{
    psa_key_id_t id = 0;
    size_t n = 0;
    psa_status_t status = import(PSA_KEY_TYPE_AES, PSA_ALG_GCM, PSA_KEY_USAGE_DECRYPT,
                                 (struct lsuit_bytes){ key, LSUIT_AES_LEN }, &id);

    (void)ctx;
    if (status == PSA_SUCCESS)
        status = psa_aead_decrypt(id, PSA_ALG_GCM, nonce.ptr, nonce.len, aad.ptr, aad.len, in.ptr,
                                  in.len, out, in.len, &n);
    (void)psa_destroy_key(id);
    return err_of(status);
}

#endif

const struct lsuit_crypto lsuit_crypto_psa = {
    .size = sizeof(struct lsuit_crypto),
    .hash_start = hash_start,
    .hash_update = hash_update,
    .hash_finish = hash_finish,
    .hash_abort = hash_abort,
    .verify = verify,
    .sign = sign,
#if LSUIT_WITH_ENCRYPTION
    .block_decrypt = block_decrypt,
    .agree = agree,
    .key_destroy = key_destroy,
    .cipher_start = cipher_start,
    .cipher_update = cipher_update,
    .cipher_end = cipher_end,
    .gcm_decrypt = gcm_decrypt,
#endif
};
