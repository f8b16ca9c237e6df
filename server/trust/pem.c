/* One public key as PEM, read strictly: nothing but P-256 in its one encoding. */

#include "base/sha256.h"
#include "trust/trust.h"

#include <string.h>

enum { SPKI = 26 + LSUIT_P256_POINT_LEN };

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING (RFC 5480, 2.1) */
static const uint8_t PREFIX[26] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };

static int value_of(char c)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c == '\0' ? NULL : strchr(ALPHABET, c);

    return p == NULL ? -1 : (int)(p - ALPHABET);
}

/* Base64 with line ends between; the padding is checked by the length that comes out. */
static bool decode(const char *text, size_t n, uint8_t out[SPKI])
{
    size_t have = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    unsigned padding = 0;

    for (size_t i = 0; i < n; i++) {
        int v;

        if (text[i] == '\n' || text[i] == '\r')
            continue;
        if (text[i] == '=') {
            padding++;
            continue;
        }
        v = value_of(text[i]);
        if (v < 0 || padding > 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (have == SPKI)
                return false;
            out[have++] = (uint8_t)(bits >> count);
        }
    }
    return have == SPKI && padding == (3 - SPKI % 3) % 3;
}

static const char *find(const char *text, size_t n, const char *what)
{
    return memmem(text, n, what, strlen(what));
}

enum err trust_key_id(const struct lsuit_key *key, uint8_t id_out[TRUST_KEY_ID])
{
    uint8_t spki[SPKI];
    bool p256 = key->type == LSUIT_KEY_P256 && key->material.len == LSUIT_P256_POINT_LEN;

    if (p256) {
        memcpy(spki, PREFIX, sizeof PREFIX);
        memcpy(spki + sizeof PREFIX, key->material.ptr, LSUIT_P256_POINT_LEN);
    }
    if (!sha256(p256 ? spki : key->material.ptr, p256 ? sizeof spki : key->material.len, id_out))
        return FAIL(ERR_INTERNAL, "no SHA-256");
    return ERR_OK;
}

enum err trust_pem(const char *text, size_t n, uint8_t point_out[LSUIT_P256_POINT_LEN],
                   uint8_t id_out[TRUST_KEY_ID])
{
    static const char BEGIN[] = "-----BEGIN PUBLIC KEY-----";
    static const char END[] = "-----END PUBLIC KEY-----";
    uint8_t spki[SPKI];
    const char *begin = find(text, n, BEGIN);
    const char *end = find(text, n, END);

    if (find(text, n, "PRIVATE KEY") != NULL)
        return FAIL(ERR_INVALID, "a private key: it must never be on the server");
    if (begin == NULL || end == NULL || end < begin)
        return FAIL(ERR_INVALID, "no PUBLIC KEY block");
    begin += strlen(BEGIN);
    if (!decode(begin, (size_t)(end - begin), spki) || memcmp(spki, PREFIX, sizeof PREFIX) != 0 ||
        spki[sizeof PREFIX] != 0x04)
        return FAIL(ERR_INVALID, "not a P-256 public key");
    memcpy(point_out, spki + sizeof PREFIX, LSUIT_P256_POINT_LEN);
    if (!sha256(spki, sizeof spki, id_out))
        return FAIL(ERR_INTERNAL, "no SHA-256");
    return ERR_OK;
}
