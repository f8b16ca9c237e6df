/*
 * Who signs: a private key here, or one elsewhere (an HSM, an offline machine) that gets the bytes
 * to be signed and gives the signature back.
 */
#ifndef TOOLS_SIGNER_H
#define TOOLS_SIGNER_H

#include "cli.h"
#include "lsuit/crypto.h"

/* As the command line says; exactly one of key, tbs_out and signature. */
struct signer_args {
    const char *key, *tbs_out, *signature, *public_key;
};

#define SIGNER_OPTS(s)                                                                                 \
    { "key", OPT_TEXT, &(s)->key, "FILE", "private key, PEM", false },                                 \
        { "tbs-out", OPT_TEXT, &(s)->tbs_out, "FILE", "write the bytes to be signed; no OUT", false }, \
        { "signature", OPT_TEXT, &(s)->signature, "FILE", "a signature made elsewhere over them",      \
          false },                                                                                     \
    {                                                                                                  \
        "public-key", OPT_TEXT, &(s)->public_key, "FILE", "whose it is; goes with --signature",        \
            false                                                                                      \
    }

/* Is it one of the three, with its OUT? CLI_USAGE after naming what is wrong. */
int signer_check(const struct signer_args *s, bool has_out);

/*
 * The signature over tbs: made with the key, or read from the file (64 bytes r, s, or the DER
 * that openssl and most HSMs give). Not verified.
 *
 *   point_out  the signer's public point
 */
int signer_sign(const struct signer_args *s, int32_t alg, struct lsuit_bytes tbs,
                uint8_t sig_out[LSUIT_ES256_LEN], uint8_t point_out[LSUIT_P256_POINT_LEN]);

#endif
