#include "crypto.h"

#include <psa/crypto.h>

#include "lsuit/crypto.h"

bool crypto_open(void)
{
    return psa_crypto_init() == PSA_SUCCESS;
}

/* The import of a public key checks that the point is on the curve. */
bool crypto_is_p256_point(const uint8_t *point)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;

    psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attr, 256);
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attr, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    if (psa_import_key(&attr, point, LSUIT_P256_POINT_LEN, &id) != PSA_SUCCESS)
        return false;
    psa_destroy_key(id);
    return true;
}
