/*
 * Vendor and class identifiers: UUIDs of version 5 (RFC 9562, section 5.5).
 * draft-ietf-suit-manifest-37, section 8.4.8.2.
 *
 * For tools and servers: a device has its identifiers built in and doesn't link this. SHA-1
 * serves to name things here, not to protect them.
 */
#ifndef LSUIT_UUID_H
#define LSUIT_UUID_H

#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LSUIT_UUID_TEXT 37 /* 36 characters and NUL */

/*
 * uuid5(space, name). psa_crypto_init must have been called.
 *
 * LSUIT_ERR_CRYPTO  the crypto library lacks SHA-1 or failed
 */
enum lsuit_err lsuit_uuid5(const uint8_t space[16], struct lsuit_bytes name, uint8_t out[16]);

/* Vendor: uuid5(namespace DNS, domain); the domain in lower case, without a dot at the end. */
enum lsuit_err lsuit_uuid_vendor(struct lsuit_bytes domain, uint8_t out[16]);

/* Class: uuid5(vendor, model), the model designation byte for byte. */
enum lsuit_err lsuit_uuid_class(const uint8_t vendor[16], struct lsuit_bytes model,
                                uint8_t out[16]);

/* 8-4-4-4-12 in lower case, NUL at the end. */
void lsuit_uuid_format(const uint8_t uuid[16], char text_out[LSUIT_UUID_TEXT]);

/* The reverse, upper case allowed; LSUIT_ERR_RANGE for any other form. */
enum lsuit_err lsuit_uuid_parse(struct lsuit_bytes text, uint8_t out[16]);

#ifdef __cplusplus
}
#endif
#endif
