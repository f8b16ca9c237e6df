#include "pem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>

#include "cli.h"

#define SCALAR_LEN 32

/* SubjectPublicKeyInfo of a P-256 key, up to the point (RFC 5480). */
static const uint8_t SPKI_HEAD[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
/* PrivateKeyInfo (RFC 5208) around ECPrivateKey (RFC 5915), up to the scalar, then to the point. */
static const uint8_t PKCS8_HEAD[] = { 0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
                                      0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                      0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
                                      0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20 };
static const uint8_t PKCS8_MID[] = { 0xa1, 0x44, 0x03, 0x42, 0x00 };
/* ECPrivateKey as mbedtls_pk_write_key_der gives it, up to the scalar. */
static const uint8_t SEC1_HEAD[] = { 0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20 };

static int random_bytes(void *ctx, unsigned char *buf, size_t n)
{
    (void)ctx;
    return psa_generate_random(buf, n) == PSA_SUCCESS ? 0 : -1;
}

static int parse_private(mbedtls_pk_context *pk, const uint8_t *pem, size_t n)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_parse_key(pk, pem, n, NULL, 0, random_bytes, NULL);
#else
    (void)random_bytes;
    return mbedtls_pk_parse_key(pk, pem, n, NULL, 0);
#endif
}

/* The point stands at the end of the SubjectPublicKeyInfo, which must be that of a P-256 key. */
static int point_of(mbedtls_pk_context *pk, const char *path, uint8_t *point_out)
{
    uint8_t der[256];
    int n = mbedtls_pk_write_pubkey_der(pk, der, sizeof der); /* written at the end */
    const uint8_t *spki = der + sizeof der - (n > 0 ? n : 0);

    if (n != (int)(sizeof SPKI_HEAD + LSUIT_P256_POINT_LEN) ||
        memcmp(spki, SPKI_HEAD, sizeof SPKI_HEAD) != 0)
        return cli_fail("%s: not a P-256 key", path);
    memcpy(point_out, spki + sizeof SPKI_HEAD, LSUIT_P256_POINT_LEN);
    return CLI_OK;
}

static int import_scalar(const char *path, const uint8_t *scalar, uint32_t *signer_out)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;

    psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attr, 256);
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_SIGN_HASH);
    psa_set_key_algorithm(&attr, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    if (psa_import_key(&attr, scalar, SCALAR_LEN, &id) != PSA_SUCCESS)
        return cli_fail("%s: the key can't be used", path);
    *signer_out = id;
    return CLI_OK;
}

int pem_signer(const char *path, uint32_t *signer_out, uint8_t point_out[LSUIT_P256_POINT_LEN])
{
    mbedtls_pk_context pk;
    uint8_t der[256] = { 0 };
    uint8_t *pem = NULL;
    size_t pem_n = 0;
    struct stat st;
    int n, e = CLI_FAILED;

    pem = file_read(path, PEM_MAX, &pem_n);
    if (pem == NULL)
        return CLI_FAILED;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        fprintf(stderr, "lapel: note: others may read this private key; chmod 600 it\n");
    pem[pem_n] = '\0'; /* file_read keeps room for it; Mbed TLS wants it counted */
    mbedtls_pk_init(&pk);
    if (parse_private(&pk, pem, pem_n + 1) != 0) {
        cli_fail("%s: not a private key in PEM (an encrypted one is not supported)", path);
        goto out;
    }
    e = point_of(&pk, path, point_out);
    if (e != CLI_OK)
        goto out;
    n = mbedtls_pk_write_key_der(&pk, der, sizeof der);
    if (n < (int)(sizeof SEC1_HEAD + SCALAR_LEN) ||
        memcmp(der + sizeof der - n, SEC1_HEAD, sizeof SEC1_HEAD) != 0) {
        e = cli_fail("%s: the key can't be read", path);
        goto out;
    }
    e = import_scalar(path, der + sizeof der - n + sizeof SEC1_HEAD, signer_out);
out:
    mbedtls_pk_free(&pk);
    mbedtls_platform_zeroize(der, sizeof der);
    mbedtls_platform_zeroize(pem, pem_n);
    free(pem);
    return e;
}

int pem_public(const char *path, uint8_t point_out[LSUIT_P256_POINT_LEN])
{
    mbedtls_pk_context pk;
    size_t n = 0;
    uint8_t *pem = file_read(path, PEM_MAX, &n);
    int e;

    if (pem == NULL)
        return CLI_FAILED;
    pem[n] = '\0';
    mbedtls_pk_init(&pk);
    if (mbedtls_pk_parse_public_key(&pk, pem, n + 1) == 0 || parse_private(&pk, pem, n + 1) == 0)
        e = point_of(&pk, path, point_out);
    else
        e = cli_fail("%s: neither a public nor a private key in PEM", path);
    mbedtls_pk_free(&pk);
    mbedtls_platform_zeroize(pem, n);
    free(pem);
    return e;
}

static int write_pem(const char *path, const char *label, const uint8_t *der, size_t n,
                     unsigned mode)
{
    char begin[64], end[64];
    uint8_t pem[1024];
    size_t len = 0;
    int e;

    snprintf(begin, sizeof begin, "-----BEGIN %s-----\n", label);
    snprintf(end, sizeof end, "-----END %s-----\n", label);
    if (mbedtls_pem_write_buffer(begin, end, der, n, pem, sizeof pem, &len) != 0)
        return cli_fail("%s: PEM can't be written", path);
    e = file_write(path, (struct lsuit_bytes){ pem, len - 1 }, mode, false); /* without NUL */
    mbedtls_platform_zeroize(pem, sizeof pem);
    return e;
}

int pem_generate(const char *path, const char *pub_path)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;
    uint8_t scalar[SCALAR_LEN], point[LSUIT_P256_POINT_LEN], der[160], *p = der;
    size_t scalar_n = 0, point_n = 0;
    struct stat st;
    int e;

    if (lstat(pub_path, &st) == 0)
        return cli_fail("%s: exists already and is not overwritten", pub_path);
    psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attr, 256);
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_EXPORT);
    if (psa_generate_key(&attr, &id) != PSA_SUCCESS ||
        psa_export_key(id, scalar, sizeof scalar, &scalar_n) != PSA_SUCCESS ||
        psa_export_public_key(id, point, sizeof point, &point_n) != PSA_SUCCESS ||
        scalar_n != sizeof scalar || point_n != sizeof point) {
        e = cli_fail("%s: no key could be made", path);
        goto out;
    }
    memcpy(p, PKCS8_HEAD, sizeof PKCS8_HEAD), p += sizeof PKCS8_HEAD;
    memcpy(p, scalar, sizeof scalar), p += sizeof scalar;
    memcpy(p, PKCS8_MID, sizeof PKCS8_MID), p += sizeof PKCS8_MID;
    memcpy(p, point, sizeof point), p += sizeof point;
    e = write_pem(path, "PRIVATE KEY", der, (size_t)(p - der), 0600);
    if (e != CLI_OK)
        goto out;
    memcpy(der, SPKI_HEAD, sizeof SPKI_HEAD);
    memcpy(der + sizeof SPKI_HEAD, point, sizeof point);
    e = write_pem(pub_path, "PUBLIC KEY", der, sizeof SPKI_HEAD + sizeof point, 0644);
    if (e != CLI_OK)
        unlink(path); /* nobody has used it: no half of a pair is left */
out:
    psa_destroy_key(id);
    mbedtls_platform_zeroize(scalar, sizeof scalar);
    mbedtls_platform_zeroize(der, sizeof der);
    return e;
}

int pem_key_id(const uint8_t point[LSUIT_P256_POINT_LEN], uint8_t id_out[LSUIT_SHA256_LEN])
{
    uint8_t spki[sizeof SPKI_HEAD + LSUIT_P256_POINT_LEN];
    size_t n = 0;

    memcpy(spki, SPKI_HEAD, sizeof SPKI_HEAD);
    memcpy(spki + sizeof SPKI_HEAD, point, LSUIT_P256_POINT_LEN);
    if (psa_hash_compute(PSA_ALG_SHA_256, spki, sizeof spki, id_out, LSUIT_SHA256_LEN, &n) !=
        PSA_SUCCESS)
        return cli_fail("SHA-256 is not available");
    return CLI_OK;
}

/* The first certificate of a file. */
static int load_certificate(const char *path, mbedtls_x509_crt *crt)
{
    size_t n = 0;
    uint8_t *pem = file_read(path, 64 * PEM_MAX, &n);
    int e;

    if (pem == NULL)
        return CLI_FAILED;
    pem[n] = '\0';
    e = mbedtls_x509_crt_parse(crt, pem, n + 1) == 0 ? CLI_OK : CLI_FAILED;
    free(pem);
    return e;
}

int pem_certificate(const char *path, uint8_t *der, size_t cap, size_t *n_out)
{
    mbedtls_x509_crt crt;
    int e;

    mbedtls_x509_crt_init(&crt);
    e = load_certificate(path, &crt) == CLI_OK ? CLI_OK
                                               : cli_fail("%s: no certificate in PEM", path);
    if (e == CLI_OK && crt.raw.len > cap)
        e = cli_fail("%s: a certificate of more than %zu bytes", path, cap);
    if (e == CLI_OK) {
        memcpy(der, crt.raw.p, crt.raw.len);
        *n_out = crt.raw.len;
    }
    mbedtls_x509_crt_free(&crt);
    return e;
}

int pem_spki_digest(const char *path, uint8_t digest_out[LSUIT_SHA256_LEN])
{
    mbedtls_x509_crt crt;
    mbedtls_pk_context pk;
    uint8_t der[1024], *pem = NULL;
    size_t n = 0;
    int len = -1;

    mbedtls_x509_crt_init(&crt);
    mbedtls_pk_init(&pk);
    if (load_certificate(path, &crt) == CLI_OK) {
        len = mbedtls_pk_write_pubkey_der(&crt.pk, der, sizeof der);
    } else if ((pem = file_read(path, PEM_MAX, &n)) != NULL) {
        pem[n] = '\0';
        if (mbedtls_pk_parse_public_key(&pk, pem, n + 1) == 0)
            len = mbedtls_pk_write_pubkey_der(&pk, der, sizeof der);
    }
    mbedtls_x509_crt_free(&crt);
    mbedtls_pk_free(&pk);
    free(pem);
    if (len <= 0)
        return cli_fail("%s: neither a certificate nor a public key in PEM", path);
    return psa_hash_compute(PSA_ALG_SHA_256, der + sizeof der - len, (size_t)len, digest_out,
                            LSUIT_SHA256_LEN, &n) == PSA_SUCCESS
               ? CLI_OK
               : cli_fail("SHA-256 is not available");
}
