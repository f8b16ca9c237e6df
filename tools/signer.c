#include "signer.h"

#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "pem.h"

int signer_check(const struct signer_args *s, bool has_out)
{
    if ((s->key != NULL) + (s->tbs_out != NULL) + (s->signature != NULL) != 1)
        return cli_usage("sign: give one of --key, --tbs-out, --signature");
    if ((s->signature != NULL) != (s->public_key != NULL))
        return cli_usage("sign: --signature and --public-key go together");
    if ((s->tbs_out == NULL) != has_out)
        return cli_usage("sign: OUT is %s", has_out ? "not written with --tbs-out" : "missing");
    return CLI_OK;
}

static int read_signature(const char *path, uint8_t sig_out[LSUIT_ES256_LEN])
{
    size_t n = 0;
    uint8_t *bytes = file_read(path, 256, &n);
    int e = CLI_OK;

    if (bytes == NULL)
        return CLI_FAILED;
    if (n == LSUIT_ES256_LEN)
        memcpy(sig_out, bytes, n);
    else if (!envelope_signature_from_der(bytes, n, sig_out))
        e = cli_usage("--signature: %s: neither 64 bytes r, s nor a DER ECDSA-Sig-Value", path);
    free(bytes);
    return e;
}

int signer_sign(const struct signer_args *s, int32_t alg, struct lsuit_bytes tbs,
                uint8_t sig_out[LSUIT_ES256_LEN], uint8_t point_out[LSUIT_P256_POINT_LEN])
{
    uint32_t signer = 0;
    size_t n = 0;
    int e;

    if (s->signature != NULL) {
        e = read_signature(s->signature, sig_out);
        return e == CLI_OK ? pem_public(s->public_key, point_out) : e;
    }
    e = pem_signer(s->key, &signer, point_out);
    if (e != CLI_OK)
        return e;
    if (lsuit_crypto_psa.sign(lsuit_crypto_psa.ctx, signer, alg, &tbs, 1, sig_out, LSUIT_ES256_LEN,
                              &n) != LSUIT_OK ||
        n != LSUIT_ES256_LEN)
        e = cli_fail("%s: signing failed", s->key);
    psa_destroy_key(signer);
    return e;
}
