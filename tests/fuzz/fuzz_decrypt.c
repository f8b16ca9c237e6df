/*
 * Encryption infos: what is read points into the input, and what was opened is ended. The crypto is a
 * stub under which every key unwraps, so that the content is reached too.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lsuit/decrypt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
    if (!held)
        abort();
}

static struct {
    int keys;    /* derived, not destroyed yet */
    int ciphers; /* likewise */
} open_now;

static enum lsuit_err block_decrypt(void *ctx, uint32_t key, const uint8_t in[LSUIT_AES_LEN],
                                    uint8_t out[LSUIT_AES_LEN])
{
    (void)ctx;
    memmove(out, in, LSUIT_AES_LEN);
    memset(out, 0xa6, 8);
    return key == 9 ? LSUIT_ERR_CRYPTO : LSUIT_OK;
}

static enum lsuit_err agree(void *ctx, uint32_t key, struct lsuit_bytes point,
                            struct lsuit_bytes salt, struct lsuit_bytes info, uint32_t *key_out)
{
    size_t sum = 0;

    (void)ctx;
    (void)key;
    require(point.len == LSUIT_P256_POINT_LEN && point.ptr[0] == 4);
    for (size_t i = 0; i < salt.len; i++)
        sum += salt.ptr[i];
    for (size_t i = 0; i < info.len; i++)
        sum += info.ptr[i];
    if (sum % 8 == 0)
        return LSUIT_ERR_CRYPTO;
    open_now.keys++;
    *key_out = 7;
    return LSUIT_OK;
}

static void key_destroy(void *ctx, uint32_t key)
{
    (void)ctx;
    require(key == 7);
    open_now.keys--;
}

static enum lsuit_err cipher_start(void *ctx, struct lsuit_cipher *c,
                                   const uint8_t key[LSUIT_AES_LEN],
                                   const uint8_t iv[LSUIT_AES_LEN])
{
    (void)ctx;
    (void)key;
    memcpy(c->opaque, iv, LSUIT_AES_LEN);
    open_now.ciphers++;
    return iv[0] == 0 ? LSUIT_ERR_CRYPTO : LSUIT_OK;
}

static enum lsuit_err cipher_update(void *ctx, struct lsuit_cipher *c, struct lsuit_bytes in,
                                    uint8_t *out)
{
    (void)ctx;
    (void)c;
    memcpy(out, in.ptr, in.len);
    return LSUIT_OK;
}

static void cipher_end(void *ctx, struct lsuit_cipher *c)
{
    (void)ctx;
    (void)c;
    open_now.ciphers--;
}

static enum lsuit_err gcm_decrypt(void *ctx, const uint8_t key[LSUIT_AES_LEN],
                                  struct lsuit_bytes nonce, struct lsuit_bytes aad,
                                  struct lsuit_bytes in, uint8_t *out)
{
    (void)ctx;
    (void)key;
    require(nonce.len == 12 && in.len >= 16 && out == in.ptr && aad.len > 9);
    return nonce.ptr[0] == 0 ? LSUIT_ERR_UNAUTHORISED : LSUIT_OK;
}

static const struct lsuit_crypto CRYPTO = {
    .size = sizeof(struct lsuit_crypto),
    .block_decrypt = block_decrypt,
    .agree = agree,
    .key_destroy = key_destroy,
    .cipher_start = cipher_start,
    .cipher_update = cipher_update,
    .cipher_end = cipher_end,
    .gcm_decrypt = gcm_decrypt,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t KID[] = { 'k' };
    const struct lsuit_decrypt_key keys[] = {
        { LSUIT_ALG_A128KW, 9, { KID, 1 } },
        { LSUIT_ALG_A128KW, 1, { NULL, 0 } },
        { LSUIT_ALG_ECDH_ES_A128KW, 2, { NULL, 0 } },
    };
    struct lsuit_bytes info = { data, size }, rest;
    uint8_t buf[40], out[32];
    struct lsuit_decrypt d;
    size_t n = 0;

    if (lsuit_decrypt_open(&d, &CRYPTO, keys, 3, info, buf, sizeof buf, NULL) == LSUIT_OK) {
        require(d.nonce.ptr > data && d.nonce.ptr + d.nonce.len <= data + size);
        require(d.protected_.ptr + d.protected_.len <= data + size);
        for (int i = 0; i < 2; i++) {
            if (lsuit_decrypt_update(&d, (struct lsuit_bytes){ data, size < 32 ? size : 32 }, out,
                                     sizeof out, &n) == LSUIT_OK)
                require(n == 0 || d.alg == LSUIT_ALG_A128CTR);
        }
        if (size % 2 == 0)
            (void)lsuit_decrypt_finish(&d, &rest);
    }
    lsuit_decrypt_abort(&d);
    require(open_now.keys == 0 && open_now.ciphers == 0);
    return 0;
}
