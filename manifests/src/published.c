/*
 * Keys whose private half was published.
 */
#include "lsuit/trust.h"

/* The first 16 bytes of x. */
/* clang-format off */
static const uint8_t PUBLISHED[][16] = {
  /* draft-ietf-suit-manifest, appendix B */
  { 0x84, 0x96, 0x81, 0x1a, 0xae, 0x0b, 0xaa, 0xab, 0xd2, 0x61, 0x57, 0x18, 0x9e, 0xec, 0xda, 0x26 },
  /* draft-ietf-suit-firmware-encryption, the device's ECDH key */
  { 0x58, 0x86, 0xcd, 0x61, 0xdd, 0x87, 0x58, 0x62, 0xe5, 0xaa, 0xa8, 0x20, 0xe7, 0xa1, 0x52, 0x74 },
  /* the second signer of the open vectors */
  { 0x0c, 0x18, 0x8f, 0x91, 0xf3, 0xcb, 0xcd, 0x05, 0x6b, 0xae, 0x0e, 0x4d, 0xf3, 0xa0, 0x03, 0x59 },
};
/* clang-format on */

bool lsuit_key_is_published(const struct lsuit_key *key)
{
    struct lsuit_bytes x = { key->material.ptr + 1, sizeof PUBLISHED[0] };

    if (key->type != LSUIT_KEY_P256 || key->material.len != LSUIT_P256_POINT_LEN)
        return false;
    for (size_t i = 0; i < sizeof PUBLISHED / sizeof PUBLISHED[0]; i++) {
        struct lsuit_bytes known = { PUBLISHED[i], sizeof PUBLISHED[i] };

        if (lsuit_bytes_compare(x, known) == 0)
            return true;
    }
    return false;
}

bool lsuit_trust_has_published(const struct lsuit_trust *trust)
{
    struct lsuit_role role;

    for (uint32_t i = 0; lsuit_trust_role_at(trust, i, &role); i++) {
        for (uint32_t k = 0; k < role.keys_n; k++) {
            if (lsuit_key_is_published(&role.keys[k]))
                return true;
        }
    }
    return false;
}
