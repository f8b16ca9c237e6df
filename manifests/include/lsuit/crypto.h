/*
 * The crypto adapter: all that the codec asks of a crypto library, as one table.
 *
 * crypto/psa.c fills it with the PSA Crypto API; tests fill it with stubs. An absent member is
 * NULL and means that this build lacks it: the codec then answers LSUIT_ERR_ALG.
 */
#ifndef LSUIT_CRYPTO_H
#define LSUIT_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* COSE algorithm identifiers (IANA COSE registry; RFC 9053, 9054, 9864). */
#define LSUIT_ALG_ES256 (-7)
#define LSUIT_ALG_EDDSA (-8)
#define LSUIT_ALG_ESP256 (-9)
#define LSUIT_ALG_SHA256 (-16)
#define LSUIT_ALG_SHAKE128 (-18)
#define LSUIT_ALG_ED25519 (-19)
#define LSUIT_ALG_SHA384 (-43)
#define LSUIT_ALG_SHA512 (-44)
#define LSUIT_ALG_SHAKE256 (-45)
#define LSUIT_ALG_HSS_LMS (-46)
#define LSUIT_ALG_HMAC256 5
#define LSUIT_ALG_A128GCM 1
#define LSUIT_ALG_A128KW (-3)
#define LSUIT_ALG_ECDH_ES_A128KW (-29)
#define LSUIT_ALG_A128CTR (-65534)

#define LSUIT_SHA256_LEN 32
#define LSUIT_DIGEST_MAX 64
#define LSUIT_P256_POINT_LEN 65 /* 0x04, x, y */
#define LSUIT_ES256_LEN 64      /* r, s: never DER */
#define LSUIT_AES_LEN 16        /* a key of AES-128, and a block */

/* Room for a running hash, in 8-byte words; the adapter asserts at build time that it fits. */
#ifndef LSUIT_HASH_WORDS
#define LSUIT_HASH_WORDS 32
#endif

struct lsuit_hash {
    uint64_t opaque[LSUIT_HASH_WORDS];
};

/* Room for a running cipher, likewise. */
#ifndef LSUIT_CIPHER_WORDS
#define LSUIT_CIPHER_WORDS 32
#endif

struct lsuit_cipher {
    uint64_t opaque[LSUIT_CIPHER_WORDS];
};

enum lsuit_key_type {
    LSUIT_KEY_NONE = 0,
    LSUIT_KEY_P256 = 1,    /* public: 65-byte point; for ES256 and ESP256 */
    LSUIT_KEY_HMAC256 = 2, /* secret: 32 bytes or more */
    LSUIT_KEY_HSS_LMS = 3, /* public: hss_public_key of RFC 8554 */
    LSUIT_KEY_ED25519 = 4  /* public: 32 bytes */
};

/* A key that verifies (or MACs). A key serves one type of algorithm, never another. */
struct lsuit_key {
    enum lsuit_key_type type;
    struct lsuit_bytes material; /* as the type says */
    struct lsuit_bytes kid;      /* a hint only; may be absent */
};

struct lsuit_crypto {
    size_t size; /* sizeof(struct lsuit_crypto): refused when it differs */
    void *ctx;

    /* Hashing. `alg` is a COSE hash algorithm; LSUIT_ERR_ALG when the build lacks it. A started
     * hash is ended by finish or abort, also after an error. */
    enum lsuit_err (*hash_start)(void *ctx, struct lsuit_hash *h, int32_t alg);
    enum lsuit_err (*hash_update)(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part);
    enum lsuit_err (*hash_finish)(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t out_cap,
                                  size_t *len_out);
    void (*hash_abort)(void *ctx, struct lsuit_hash *h);

    /*
     * Verify a signature or MAC over the concatenation of `parts`.
     *
     * LSUIT_ERR_UNAUTHORISED  it does not verify
     * LSUIT_ERR_ALG           no such algorithm, or the key is of another type
     */
    enum lsuit_err (*verify)(void *ctx, const struct lsuit_key *key, int32_t alg,
                             const struct lsuit_bytes *parts, size_t parts_n,
                             struct lsuit_bytes signature);

    /*
     * Sign the concatenation of `parts` with the key that `signer` names to the adapter (a PSA
     * key id; for a key in a secure element too). ES256 signatures are r, s.
     */
    enum lsuit_err (*sign)(void *ctx, uint32_t signer, int32_t alg, const struct lsuit_bytes *parts,
                           size_t parts_n, uint8_t *sig, size_t sig_cap, size_t *len_out);

    /* --- decrypting payloads (decrypt.h); each is LSUIT_ERR_CRYPTO when the library fails --- */

    /* AES-128, one block, by a key that the adapter keeps: that of the device, or of `agree`. */
    enum lsuit_err (*block_decrypt)(void *ctx, uint32_t key, const uint8_t in[LSUIT_AES_LEN],
                                    uint8_t out[LSUIT_AES_LEN]);

    /*
     * ECDH on P-256, then HKDF-SHA-256 to a key for block_decrypt. The secret stays inside.
     *
     *   key           the device's private key, as the adapter names it
     *   point         of the other side, LSUIT_P256_POINT_LEN bytes
     *   salt          may be absent
     *   key_out       to be given to key_destroy; filled on success only
     */
    enum lsuit_err (*agree)(void *ctx, uint32_t key, struct lsuit_bytes point,
                            struct lsuit_bytes salt, struct lsuit_bytes info, uint32_t *key_out);
    void (*key_destroy)(void *ctx, uint32_t key);

    /* AES-128-CTR. A started cipher is ended by cipher_end, also after an error. `out` has room
     * for in.len bytes and doesn't overlap with `in`. */
    enum lsuit_err (*cipher_start)(void *ctx, struct lsuit_cipher *c,
                                   const uint8_t key[LSUIT_AES_LEN],
                                   const uint8_t iv[LSUIT_AES_LEN]);
    enum lsuit_err (*cipher_update)(void *ctx, struct lsuit_cipher *c, struct lsuit_bytes in,
                                    uint8_t *out);
    void (*cipher_end)(void *ctx, struct lsuit_cipher *c);

    /*
     * AES-128-GCM, whole: `in` ends with the tag of 16 bytes. `out` has room for in.len - 16 bytes,
     * and may be where `in` is; nothing in it counts unless this answers LSUIT_OK.
     *
     * LSUIT_ERR_UNAUTHORISED  the tag doesn't fit
     */
    enum lsuit_err (*gcm_decrypt)(void *ctx, const uint8_t key[LSUIT_AES_LEN],
                                  struct lsuit_bytes nonce, struct lsuit_bytes aad,
                                  struct lsuit_bytes in, uint8_t *out);
};

/* The length of a digest algorithm, 0 when unknown. */
size_t lsuit_digest_len(int32_t alg);

/* Hash one buffer with the adapter. */
enum lsuit_err lsuit_hash_bytes(const struct lsuit_crypto *crypto, int32_t alg,
                                struct lsuit_bytes bytes, uint8_t *out, size_t out_cap,
                                size_t *len_out);

/*
 * The adapter over the PSA Crypto API (crypto/psa.c). psa_crypto_init must have been called.
 * ctx is unused.
 */
extern const struct lsuit_crypto lsuit_crypto_psa;

#ifdef __cplusplus
}
#endif
#endif
