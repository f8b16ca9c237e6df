/*
 * UUIDs of version 5 for vendors and classes, over PSA. Devices don't link this.
 */
#include "lsuit/uuid.h"

#include <psa/crypto.h>
#include <string.h>

/* RFC 9562, section 6.6 */
static const uint8_t NAMESPACE_DNS[16] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                           0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };

enum lsuit_err lsuit_uuid5(const uint8_t space[16], struct lsuit_bytes name, uint8_t out[16])
{
    psa_hash_operation_t op = PSA_HASH_OPERATION_INIT;
    uint8_t hash[PSA_HASH_LENGTH(PSA_ALG_SHA_1)];
    size_t n = 0;

    if (psa_hash_setup(&op, PSA_ALG_SHA_1) != PSA_SUCCESS ||
        psa_hash_update(&op, space, 16) != PSA_SUCCESS ||
        (name.len > 0 && psa_hash_update(&op, name.ptr, name.len) != PSA_SUCCESS) ||
        psa_hash_finish(&op, hash, sizeof hash, &n) != PSA_SUCCESS) {
        psa_hash_abort(&op);
        return LSUIT_ERR_CRYPTO;
    }
    memcpy(out, hash, 16);
    out[6] = (uint8_t)((out[6] & 0x0f) | 0x50); /* version 5 */
    out[8] = (uint8_t)((out[8] & 0x3f) | 0x80); /* variant 10 */
    return LSUIT_OK;
}

enum lsuit_err lsuit_uuid_vendor(struct lsuit_bytes domain, uint8_t out[16])
{
    return lsuit_uuid5(NAMESPACE_DNS, domain, out);
}

enum lsuit_err lsuit_uuid_class(const uint8_t vendor[16], struct lsuit_bytes model, uint8_t out[16])
{
    return lsuit_uuid5(vendor, model, out);
}

static int is_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void lsuit_uuid_format(const uint8_t uuid[16], char text_out[LSUIT_UUID_TEXT])
{
    static const char HEX[] = "0123456789abcdef";
    size_t half = 0;

    for (size_t i = 0; i < LSUIT_UUID_TEXT - 1; i++) {
        if (is_dash(i)) {
            text_out[i] = '-';
            continue;
        }
        text_out[i] = HEX[half % 2 == 0 ? uuid[half / 2] >> 4 : uuid[half / 2] & 0x0f];
        half++;
    }
    text_out[LSUIT_UUID_TEXT - 1] = '\0';
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum lsuit_err lsuit_uuid_parse(struct lsuit_bytes text, uint8_t out[16])
{
    uint8_t uuid[16] = { 0 };
    size_t half = 0;

    if (text.len != LSUIT_UUID_TEXT - 1)
        return LSUIT_ERR_RANGE;
    for (size_t i = 0; i < text.len; i++) {
        int v = hex_value(text.ptr[i]);

        if (is_dash(i) ? text.ptr[i] != '-' : v < 0)
            return LSUIT_ERR_RANGE;
        if (is_dash(i))
            continue;
        uuid[half / 2] = (uint8_t)(uuid[half / 2] << 4 | v);
        half++;
    }
    memcpy(out, uuid, sizeof uuid);
    return LSUIT_OK;
}
