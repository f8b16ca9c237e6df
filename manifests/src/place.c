/*
 * The place of a device in a rollout.
 */
#include "lsuit/place.h"

#include "lsuit/doc.h"
#include "lsuit/statement.h"

static enum lsuit_err add(const struct lsuit_crypto *crypto, struct lsuit_hash *h,
                          struct lsuit_bytes part)
{
    uint8_t len = (uint8_t)part.len;
    enum lsuit_err e = crypto->hash_update(crypto->ctx, h, (struct lsuit_bytes){ &len, 1 });

    return e != LSUIT_OK ? e : crypto->hash_update(crypto->ctx, h, part);
}

enum lsuit_err lsuit_place(const struct lsuit_crypto *crypto, struct lsuit_bytes salt,
                           struct lsuit_bytes device_id, uint64_t *place_out)
{
    uint8_t digest[LSUIT_SHA256_LEN];
    struct lsuit_hash h;
    uint64_t place = 0;
    size_t n = 0;
    enum lsuit_err e;

    if (salt.ptr == NULL || salt.len != LSUIT_SALT_LEN)
        return LSUIT_ERR_RANGE;
    if (device_id.ptr == NULL || device_id.len < 1 || device_id.len > LSUIT_NAME_MAX)
        return LSUIT_ERR_RANGE;
    if (crypto->hash_start == NULL)
        return LSUIT_ERR_ALG;

    e = crypto->hash_start(crypto->ctx, &h, LSUIT_ALG_SHA256);
    if (e != LSUIT_OK)
        return e;
    e = add(crypto, &h, salt);
    if (e == LSUIT_OK)
        e = add(crypto, &h, device_id);
    if (e != LSUIT_OK) {
        crypto->hash_abort(crypto->ctx, &h);
        return e;
    }
    e = crypto->hash_finish(crypto->ctx, &h, digest, sizeof digest, &n);
    if (e == LSUIT_OK && n != sizeof digest)
        e = LSUIT_ERR_CRYPTO;
    if (e != LSUIT_OK)
        return e;
    for (size_t i = 0; i < 8; i++)
        place = place << 8 | digest[i];
    *place_out = place;
    return LSUIT_OK;
}

bool lsuit_place_in(uint64_t place, bool has_threshold, uint64_t threshold)
{
    return has_threshold && place <= threshold;
}

/*
 * 2^64 * part / whole - 1 without a wider type: two steps of long division by 2^32.
 */
bool lsuit_place_threshold(uint32_t part, uint32_t whole, uint64_t *threshold_out)
{
    uint64_t high, low;

    if (part == 0)
        return false;
    if (part >= whole) {
        *threshold_out = UINT64_MAX;
        return true;
    }
    high = ((uint64_t)part << 32) / whole;
    low = (((uint64_t)part << 32) % whole << 32) / whole;
    *threshold_out = (high << 32) + low - 1;
    return true;
}
