/*
 * COSE structures: what is read points into the input, and no key fits by itself.
 */
#include <stdlib.h>

#include "lsuit/cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum lsuit_err refuse(void *ctx, const struct lsuit_key *key, int32_t alg,
                             const struct lsuit_bytes *parts, size_t parts_n,
                             struct lsuit_bytes signature)
{
    size_t *sum = ctx;

    (void)key;
    (void)alg;
    for (size_t i = 0; i < parts_n; i++) {
        for (size_t j = 0; j < parts[i].len; j++)
            *sum += parts[i].ptr[j];
    }
    *sum += signature.len;
    return LSUIT_ERR_UNAUTHORISED;
}

static void inside(struct lsuit_bytes b, const uint8_t *data, size_t size)
{
    if (b.ptr != NULL && (b.ptr < data || b.ptr + b.len > data + size))
        abort();
}

/* One signature of the structure, by headers of its own. */
static void signer_check(const struct lsuit_cose *one, const uint8_t *data, size_t size)
{
    static const uint8_t POINT[65] = { 4 }, KID[] = { 'k' };
    const struct lsuit_key keys[] = {
        { LSUIT_KEY_P256, { POINT, 65 }, { KID, 1 } },
        { LSUIT_KEY_HMAC256, { POINT, 32 }, { NULL, 0 } },
        { LSUIT_KEY_HSS_LMS, { POINT, 60 }, { NULL, 0 } },
    };
    size_t sum = 0;
    const struct lsuit_crypto crypto = { .size = sizeof crypto, .ctx = &sum, .verify = refuse };
    struct lsuit_bytes none = { NULL, 0 };

    inside(one->protected_, data, size);
    inside(one->kid, data, size);
    inside(one->signature, data, size);
    if (one->protected_.len == 0 ||
        lsuit_cose_verify(one, &crypto, keys, 3, none, none, NULL) == LSUIT_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lsuit_cose cose, one;

    if (lsuit_cose_read((struct lsuit_bytes){ data, size }, &cose) != LSUIT_OK)
        return 0;
    inside(cose.body, data, size);
    inside(cose.payload, data, size);
    if (cose.signers_n == 0)
        abort();
    for (uint32_t i = 0; i < cose.signers_n && i < 8; i++) {
        if (lsuit_cose_signer(&cose, i, &one) == LSUIT_OK)
            signer_check(&one, data, size);
    }
    return 0;
}
