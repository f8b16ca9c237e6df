/*
 * P-256 keys for tests, made anew in each run.
 */
#ifndef HARNESS_SIGNERS_H
#define HARNESS_SIGNERS_H

#include <stdio.h>
#include <stdlib.h>

#include <psa/crypto.h>

#include "lsuit/crypto.h"

struct signer {
    psa_key_id_t id;
    uint8_t point[LSUIT_P256_POINT_LEN];
    struct lsuit_key key; /* borrows point */
};

/* Ends the program when it can't. The signer must not move afterwards. */
static inline void signer_init(struct signer *s)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    size_t n = 0;

    psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attr, 256);
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_SIGN_HASH);
    psa_set_key_algorithm(&attr, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    if (psa_crypto_init() != PSA_SUCCESS || psa_generate_key(&attr, &s->id) != PSA_SUCCESS ||
        psa_export_public_key(s->id, s->point, sizeof s->point, &n) != PSA_SUCCESS) {
        printf("FAIL no key for the test\n");
        exit(1);
    }
    s->key.type = LSUIT_KEY_P256;
    s->key.material = (struct lsuit_bytes){ s->point, n };
    s->key.kid = (struct lsuit_bytes){ NULL, 0 };
}

#endif
