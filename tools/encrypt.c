#include "encrypt.h"

#include <stdlib.h>
#include <string.h>

#include "lsuit/crypto.h"
#include "pem.h"

/* The file says what it is: PEM, or the hex digits of a key-encryption key. */
static int read_recipient(const char *path, uint8_t key_out[LSUIT_P256_POINT_LEN],
                          struct lsuit_encrypt_to *to)
{
    size_t n = 0;
    uint8_t *text = file_read(path, PEM_MAX, &n);
    char hex[2 * LSUIT_AES_LEN + 1] = "";
    bool pem;
    int e = CLI_OK;

    if (text == NULL)
        return CLI_FAILED;
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    pem = n > 10 && memcmp(text, "-----BEGIN", 10) == 0;
    if (!pem && n == sizeof hex - 1)
        memcpy(hex, text, n);
    free(text);
    if (pem) {
        e = pem_public(path, key_out);
        to->alg = LSUIT_ALG_ECDH_ES_A128KW;
        to->key = (struct lsuit_bytes){ key_out, LSUIT_P256_POINT_LEN };
    } else if (hex_get(hex, key_out, LSUIT_AES_LEN)) {
        to->alg = LSUIT_ALG_A128KW;
        to->key = (struct lsuit_bytes){ key_out, LSUIT_AES_LEN };
    } else {
        e = cli_fail("%s: neither a P-256 public key in PEM nor %d hex digits", path,
                     2 * LSUIT_AES_LEN);
    }
    return e;
}

static int write_ciphertext(const struct lsuit_encrypt *e, const char *plain, const char *out,
                            bool replace)
{
    size_t n = 0, len = 0;
    uint8_t *bytes = file_read(plain, ENCRYPT_MAX, &n), *cipher;
    enum lsuit_err le = LSUIT_OK;
    int r;

    if (bytes == NULL)
        return CLI_FAILED;
    cipher = malloc(n + lsuit_encrypt_overhead(e->alg) + 1);
    if (cipher == NULL) {
        free(bytes);
        return cli_fail("out of memory");
    }
    if (n > 0)
        le = lsuit_encrypt_payload(e, (struct lsuit_bytes){ bytes, n }, cipher,
                                   n + lsuit_encrypt_overhead(e->alg), &len);
    if (n == 0)
        r = cli_fail("%s: is empty", plain);
    else if (le != LSUIT_OK)
        r = cli_fail("%s: can't be encrypted: %s", plain, lsuit_err_name(le));
    else
        r = file_write(out, (struct lsuit_bytes){ cipher, len }, 0644, replace);
    free(cipher);
    free(bytes);
    return r;
}

int encrypt_file(const struct encrypt_args *a, const char *plain, const char *out, uint8_t *buf,
                 size_t cap, struct lsuit_bytes *info_out)
{
    uint8_t key[LSUIT_P256_POINT_LEN];
    struct lsuit_encrypt_to to = { .kid = { (const uint8_t *)a->kid, strlen(a->kid) } };
    struct lsuit_encrypt e = { .alg = a->alg, .to = &to, .to_n = 1 };
    enum lsuit_err le;
    int r = read_recipient(a->to, key, &to);

    if (to.kid.len == 0)
        to.kid.ptr = NULL;
    if (r != CLI_OK)
        return r;
    le = encrypt_fresh(&e);
    if (le == LSUIT_OK)
        le = lsuit_encrypt_info(&e, buf, cap, info_out);
    r = le == LSUIT_OK ? write_ciphertext(&e, plain, out, a->replace)
                       : cli_fail("%s: can't be encrypted to: %s", a->to, lsuit_err_name(le));
    lsuit_encrypt_wipe(&e);
    return r;
}
