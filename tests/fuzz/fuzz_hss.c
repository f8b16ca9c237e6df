/*
 * HSS-LMS: key and signature of any bytes. Hashes are a stub that costs nothing and reads all it is
 * given; the first byte says how long the key is.
 */
#include <stdlib.h>
#include <string.h>

#include "src/hss_lms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int hashes_open;

static enum lsuit_err start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    (void)ctx;
    h->opaque[0] = (uint64_t)alg;
    hashes_open++;
    return LSUIT_OK;
}

static enum lsuit_err update(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part)
{
    (void)ctx;
    h->opaque[0] += part.ptr[0] + part.ptr[part.len - 1];
    return LSUIT_OK;
}

static enum lsuit_err finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t cap,
                             size_t *len_out)
{
    (void)ctx;
    if (cap < LSUIT_SHA256_LEN)
        abort();
    memset(out, (uint8_t)h->opaque[0], LSUIT_SHA256_LEN);
    *len_out = LSUIT_SHA256_LEN;
    hashes_open--;
    return LSUIT_OK;
}

static void end(void *ctx, struct lsuit_hash *h)
{
    (void)ctx;
    (void)h;
    hashes_open--;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct lsuit_crypto CRYPTO = { .size = sizeof CRYPTO,
                                                .hash_start = start,
                                                .hash_update = update,
                                                .hash_finish = finish,
                                                .hash_abort = end };
    static const uint8_t MESSAGE[] = "a lamp";
    struct lsuit_bytes message = { MESSAGE, sizeof MESSAGE }, key, signature;

    if (size < 1 || (size_t)data[0] + 1 > size)
        return 0;
    key = (struct lsuit_bytes){ data + 1, data[0] };
    signature = (struct lsuit_bytes){ data + 1 + key.len, size - 1 - key.len };
    (void)lsuit_hss_verify(&CRYPTO, key, &message, 1, signature);
    if (hashes_open != 0)
        abort();
    return 0;
}
