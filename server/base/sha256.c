#include "base/sha256.h"

#include "lsuit/crypto.h"

#include <string.h>

bool sha256(const void *bytes, size_t n, uint8_t digest_out[32])
{
    struct lsuit_bytes all = { bytes, n };
    size_t got = 0;

    memset(digest_out, 0, 32);
    return lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, all, digest_out, 32, &got) ==
               LSUIT_OK &&
           got == 32;
}
