#include "uuid.h"

#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

static const uint8_t NAMESPACE_DNS[16] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                           0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool uuid_parse(const char *text, uint8_t uuid_out[16])
{
    size_t n = strlen(text);
    bool dashes = n == 36;
    uint8_t uuid[16];

    if (n != 32 && !dashes)
        return false;
    for (size_t i = 0; i < 16; i++) {
        if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        int high = hex_value(text[0]);
        int low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0)
            return false;
        uuid[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    memcpy(uuid_out, uuid, 16);
    return true;
}

void uuid_print(const uint8_t uuid[16], char *out)
{
    size_t at = 0;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        (void)snprintf(out + at, 3, "%02x", uuid[i]);
        at += 2;
    }
}

bool uuid_v5(const uint8_t *name_space, const char *name, uint8_t uuid_out[16])
{
    psa_hash_operation_t op = PSA_HASH_OPERATION_INIT;
    uint8_t sha1[20];
    size_t n = 0;

    /* SHA-1 names here, it protects nothing: the signature is what a manifest is trusted by. */
    if (psa_hash_setup(&op, PSA_ALG_SHA_1) != PSA_SUCCESS ||
        psa_hash_update(&op, name_space != NULL ? name_space : NAMESPACE_DNS, 16) != PSA_SUCCESS ||
        psa_hash_update(&op, (const uint8_t *)name, strlen(name)) != PSA_SUCCESS ||
        psa_hash_finish(&op, sha1, sizeof sha1, &n) != PSA_SUCCESS) {
        psa_hash_abort(&op);
        return false;
    }
    memcpy(uuid_out, sha1, 16);
    uuid_out[6] = (uint8_t)((uuid_out[6] & 0x0f) | 0x50);
    uuid_out[8] = (uint8_t)((uuid_out[8] & 0x3f) | 0x80);
    return true;
}
