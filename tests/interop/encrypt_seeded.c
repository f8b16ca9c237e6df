/*
 * For the test build of lapel alone, in place of tools/encrypt_fresh.c: secrets that are the same
 * in each run with the same TEST_SEED, so that ciphertexts can be compared. Never installed.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/encrypt.h"

/* The secret with this number: SHA-256 of seed and number. */
static enum lsuit_err derive(const char *seed, char number, uint8_t *out, size_t n)
{
    char text[64];
    uint8_t digest[LSUIT_SHA256_LEN];
    size_t len = strlen(seed), got = 0;
    enum lsuit_err e;

    if (len > sizeof text - 1)
        return LSUIT_ERR_LIMIT;
    memcpy(text, seed, len);
    text[len] = number;
    e = lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256,
                         (struct lsuit_bytes){ (const uint8_t *)text, len + 1 }, digest,
                         sizeof digest, &got);
    if (e == LSUIT_OK)
        memcpy(out, digest, n);
    return e;
}

enum lsuit_err encrypt_fresh(struct lsuit_encrypt *e)
{
    const char *seed = getenv("TEST_SEED");
    enum lsuit_err err = LSUIT_ERR_USAGE;

    if (seed != NULL)
        err = derive(seed, '1', e->cek, sizeof e->cek);
    if (err == LSUIT_OK)
        err = derive(seed, '2', e->iv, sizeof e->iv);
    for (size_t i = 0; i < e->to_n && err == LSUIT_OK; i++) {
        err = derive(seed, (char)('a' + (char)i), e->to[i].ephemeral, sizeof e->to[i].ephemeral);
        e->to[i].ephemeral[0] = 0; /* below the order of the curve */
    }
    return err;
}
