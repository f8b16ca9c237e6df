/* Keys as PEM, read strictly: nothing but P-256 in its one encoding. */

#include "trust/pem.h"

#include "base/bytes.h"
#include "base/sha256.h"
#include "trust/trust.h"

#include <stdio.h>
#include <string.h>

enum { SPKI = 26 + LSUIT_P256_POINT_LEN, DER_MAX = 138, LINE = 64 };

#define PRIV "PRIVATE KEY"
#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING (RFC 5480, 2.1) */
static const uint8_t PREFIX[26] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };

/* What stands before the key in PKCS#8 (RFC 5958) and in SEC1 (RFC 5915), ... */
static const uint8_t PKCS8[36] = { 0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
                                   0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                   0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
                                   0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20 };
static const uint8_t SEC1[7] = { 0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20 };
/* ... and between the key and the point. */
static const uint8_t PKCS8_MID[6] = { 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04 };
static const uint8_t SEC1_MID[18] = { 0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                      0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04 };

static const struct form {
    const char *label;
    const uint8_t *before, *mid;
    size_t before_n, mid_n;
} FORMS[] = {
    { PRIV, PKCS8, PKCS8_MID, sizeof PKCS8, sizeof PKCS8_MID },
    { "EC " PRIV, SEC1, SEC1_MID, sizeof SEC1, sizeof SEC1_MID },
};

static int value_of(char c)
{
    const char *p = c == '\0' ? NULL : strchr(ALPHABET, c);

    return p == NULL ? -1 : (int)(p - ALPHABET);
}

/* Base64 of exactly `size` bytes, with line ends between. */
static bool decode(const char *text, size_t n, uint8_t *out, size_t size)
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
            if (have == size)
                return false;
            out[have++] = (uint8_t)(bits >> count);
        }
    }
    return have == size && padding == (3 - size % 3) % 3;
}

static const char *find(const char *text, size_t n, const char *what)
{
    return memmem(text, n, what, strlen(what));
}

enum err trust_any_key_id(const struct lsuit_key *key, uint8_t id_out[TRUST_KEY_ID])
{
    if (key->type == LSUIT_KEY_P256 && key->material.len == LSUIT_P256_POINT_LEN)
        return trust_key_id(key->material.ptr, id_out);
    return sha256(key->material.ptr, key->material.len, id_out) ? ERR_OK
                                                                : FAIL(ERR_INTERNAL, "no SHA-256");
}

/* What stands between the lines of this label; false when there is no such block. */
static bool block(const char *text, size_t n, const char *label, const char **begin_out,
                  size_t *n_out)
{
    char line[60];
    const char *begin, *end;

    snprintf(line, sizeof line, BEGIN "%s" DASHES, label);
    begin = find(text, n, line);
    if (begin == NULL)
        return false;
    begin += strlen(line);
    snprintf(line, sizeof line, END "%s" DASHES, label);
    end = find(begin, n - (size_t)(begin - text), line);
    if (end == NULL)
        return false;
    *begin_out = begin;
    *n_out = (size_t)(end - begin);
    return true;
}

enum err trust_pem(const char *text, size_t n, uint8_t point_out[LSUIT_P256_POINT_LEN],
                   uint8_t id_out[TRUST_KEY_ID])
{
    uint8_t spki[SPKI];
    const char *body;
    size_t body_n;

    if (find(text, n, PRIV) != NULL)
        return FAIL(ERR_INVALID, "a private key: it must never be on the server");
    if (!block(text, n, "PUBLIC KEY", &body, &body_n))
        return FAIL(ERR_INVALID, "no PUBLIC KEY block");
    if (!decode(body, body_n, spki, sizeof spki) || memcmp(spki, PREFIX, sizeof PREFIX) != 0 ||
        spki[sizeof PREFIX] != 0x04)
        return FAIL(ERR_INVALID, "not a P-256 public key");
    memcpy(point_out, spki + sizeof PREFIX, LSUIT_P256_POINT_LEN);
    return trust_key_id(point_out, id_out);
}

enum err trust_key_id(const uint8_t point[LSUIT_P256_POINT_LEN], uint8_t id_out[TRUST_KEY_ID])
{
    uint8_t spki[SPKI];

    memcpy(spki, PREFIX, sizeof PREFIX);
    memcpy(spki + sizeof PREFIX, point, LSUIT_P256_POINT_LEN);
    return sha256(spki, sizeof spki, id_out) ? ERR_OK : FAIL(ERR_INTERNAL, "no SHA-256");
}

/* --- Private keys --- */

static bool read_form(const struct form *f, const char *body, size_t body_n,
                      uint8_t key_out[PEM_KEY])
{
    size_t n = f->before_n + PEM_KEY + f->mid_n + LSUIT_P256_POINT_LEN - 1;
    uint8_t der[DER_MAX];
    bool good = decode(body, body_n, der, n) && memcmp(der, f->before, f->before_n) == 0 &&
                memcmp(der + f->before_n + PEM_KEY, f->mid, f->mid_n) == 0;

    if (good)
        memcpy(key_out, der + f->before_n, PEM_KEY);
    bytes_wipe(der, sizeof der);
    return good;
}

enum err pem_private_read(const char *text, size_t n, uint8_t key_out[PEM_KEY])
{
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        const char *body;
        size_t body_n;

        if (block(text, n, FORMS[i].label, &body, &body_n) &&
            read_form(&FORMS[i], body, body_n, key_out))
            return ERR_OK;
    }
    return FAIL(ERR_INVALID, "not a P-256 private key in PKCS#8 or SEC1");
}

static void put(char *text, size_t *n, char c)
{
    text[(*n)++] = c;
    text[*n] = '\0';
}

static void write_block(const char *label, const uint8_t *der, size_t der_n,
                        char text_out[PEM_TEXT])
{
    size_t n = (size_t)snprintf(text_out, PEM_TEXT, BEGIN "%s" DASHES "\n", label);
    size_t column = 0;

    for (size_t i = 0; i < der_n; i += 3) {
        size_t have = der_n - i < 3 ? der_n - i : 3;
        uint32_t bits = (uint32_t)der[i] << 16 | (have > 1 ? (uint32_t)der[i + 1] << 8 : 0) |
                        (have > 2 ? der[i + 2] : 0);

        for (size_t k = 0; k < 4; k++)
            put(text_out, &n, k <= have ? ALPHABET[bits >> (18 - 6 * k) & 63] : '=');
        column += 4;
        if (column % LINE == 0 && i + 3 < der_n)
            put(text_out, &n, '\n');
    }
    snprintf(text_out + n, PEM_TEXT - n, "\n" END "%s" DASHES "\n", label);
}

void pem_private_write(const uint8_t key[PEM_KEY], const uint8_t point[LSUIT_P256_POINT_LEN],
                       char text_out[PEM_TEXT])
{
    uint8_t der[DER_MAX];
    size_t n = 0;

    memcpy(der, PKCS8, sizeof PKCS8);
    n += sizeof PKCS8;
    memcpy(der + n, key, PEM_KEY);
    n += PEM_KEY;
    memcpy(der + n, PKCS8_MID, sizeof PKCS8_MID - 1); /* the point brings its 0x04 */
    n += sizeof PKCS8_MID - 1;
    memcpy(der + n, point, LSUIT_P256_POINT_LEN);
    write_block(PRIV, der, n + LSUIT_P256_POINT_LEN, text_out);
    bytes_wipe(der, sizeof der);
}

void pem_public_write(const uint8_t point[LSUIT_P256_POINT_LEN], char text_out[PEM_TEXT])
{
    uint8_t spki[SPKI];

    memcpy(spki, PREFIX, sizeof PREFIX);
    memcpy(spki + sizeof PREFIX, point, LSUIT_P256_POINT_LEN);
    write_block("PUBLIC KEY", spki, sizeof spki, text_out);
}
