/*
 * Keys of the vectors: see suit_keys.h.
 */
#include "suit_keys.h"

#include <stdio.h>
#include <string.h>

static int digit(char ch)
{
    static const char DIGITS[] = "0123456789abcdef";
    const char *d = ch != '\0' ? strchr(DIGITS, ch) : NULL;

    return d != NULL ? (int)(d - DIGITS) : -1;
}

long suit_hex(const char *text, uint8_t *out, size_t cap)
{
    size_t n = 0;

    for (; digit(text[0]) >= 0; text += 2) {
        if (digit(text[1]) < 0 || n == cap)
            return -1;
        out[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
    }
    return text[strspn(text, "\r\n ")] == '\0' ? (long)n : -1;
}

/* The base64 text between the lines of a PEM file. */
static size_t pem(const char *text, uint8_t *out, size_t cap)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = strchr(text, '\n');
    uint32_t acc = 0;
    int bits = 0;
    size_t n = 0;

    for (; p != NULL && *p != '\0' && *p != '-' && *p != '='; p++) {
        const char *d = strchr(DIGITS, *p);

        if (d == NULL)
            continue;
        acc = acc << 6 | (uint32_t)(d - DIGITS);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            if (n == cap)
                return 0;
            out[n++] = (uint8_t)(acc >> bits);
        }
    }
    return n;
}

/* What stands before the key itself in a SubjectPublicKeyInfo. */
static const uint8_t P256[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
static const uint8_t ED25519[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                   0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

static bool spki(struct suit_key *k, size_t n, const uint8_t *head, size_t head_n, size_t key_n,
                 enum lsuit_key_type type)
{
    if (n != head_n + key_n || memcmp(k->bytes, head, head_n) != 0)
        return false;
    k->key.type = type;
    k->key.material = (struct lsuit_bytes){ k->bytes + head_n, key_n };
    return true;
}

/* An hss_public_key: its length, one to eight levels, a small number as type of the tree. */
static bool hss(const uint8_t *key, long n)
{
    static const uint8_t ZERO[3] = { 0 };

    return (n == 60 || n == 52) && memcmp(key, ZERO, 3) == 0 && key[3] >= 1 && key[3] <= 8 &&
           memcmp(key + 4, ZERO, 3) == 0;
}

bool suit_key_read(const char *path, struct suit_key *key_out)
{
    char text[2048];
    FILE *f = fopen(path, "rb");
    size_t n;
    long hex;

    memset(key_out, 0, sizeof *key_out);
    if (f == NULL)
        return false;
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    if (text[0] == '-') {
        n = pem(text, key_out->bytes, sizeof key_out->bytes);
        return spki(key_out, n, P256, sizeof P256, LSUIT_P256_POINT_LEN, LSUIT_KEY_P256) ||
               spki(key_out, n, ED25519, sizeof ED25519, 32, LSUIT_KEY_ED25519);
    }
    hex = suit_hex(text, key_out->bytes, sizeof key_out->bytes);
    if (hex < 32)
        return false;
    key_out->key.type = hss(key_out->bytes, hex) ? LSUIT_KEY_HSS_LMS : LSUIT_KEY_HMAC256;
    key_out->key.material = (struct lsuit_bytes){ key_out->bytes, (size_t)hex };
    return true;
}

/* The private number in a PEM file: the octet string behind the version (RFC 5915), bare or within
 * a PrivateKeyInfo (RFC 5958). */
static size_t pem_private(const char *path, uint8_t out[32])
{
    static const uint8_t HEAD[] = { 0x02, 0x01, 0x01, 0x04, 0x20 };
    char text[2048];
    uint8_t der[512];
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;

    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    n = pem(text, der, sizeof der);
    for (size_t i = 0; i + sizeof HEAD + 32 <= n; i++) {
        if (memcmp(der + i, HEAD, sizeof HEAD) == 0) {
            memcpy(out, der + i + sizeof HEAD, 32);
            return 32;
        }
    }
    return 0;
}

bool suit_key_decrypt(const char *kek, const char *ecdh, struct lsuit_decrypt_key *key_out)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    uint8_t bytes[32];
    long n = suit_hex(kek != NULL ? kek : ecdh != NULL ? ecdh : "", bytes, sizeof bytes);

    if (n <= 0 && kek == NULL && ecdh != NULL)
        n = (long)pem_private(ecdh, bytes);
    if (kek != NULL) {
        psa_set_key_type(&attr, PSA_KEY_TYPE_AES);
        psa_set_key_algorithm(&attr, PSA_ALG_ECB_NO_PADDING);
        psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_DECRYPT);
    } else {
        psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
        psa_set_key_algorithm(&attr,
                              PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256)));
        psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_DERIVE);
    }
    memset(key_out, 0, sizeof *key_out);
    key_out->alg = kek != NULL ? LSUIT_ALG_A128KW : LSUIT_ALG_ECDH_ES_A128KW;
    return n > 0 && psa_crypto_init() == PSA_SUCCESS &&
           psa_import_key(&attr, bytes, (size_t)n, &key_out->key) == PSA_SUCCESS;
}
