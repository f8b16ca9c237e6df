/*
 * P-256 keys in PEM files. The only tools file that knows Mbed TLS beyond PSA, because PSA
 * reads no PEM.
 */
#ifndef TOOLS_PEM_H
#define TOOLS_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/crypto.h"

/* Longest PEM file that is read, bytes. */
#define PEM_MAX 8192

/*
 * Import a private key (PKCS#8 or SEC1) for signing.
 *
 *   signer_out  a volatile PSA key id; psa_destroy_key it
 *   point_out   its public point
 *
 * All three print a message and return CLI_FAILED on error.
 */
int pem_signer(const char *path, uint32_t *signer_out, uint8_t point_out[LSUIT_P256_POINT_LEN]);

/* Read the public key of a file that holds a SubjectPublicKeyInfo or a private key. */
int pem_public(const char *path, uint8_t point_out[LSUIT_P256_POINT_LEN]);

/* Make a key: PKCS#8 into `path` (0600), SubjectPublicKeyInfo into `pub_path`. Never overwrites. */
int pem_generate(const char *path, const char *pub_path);

/*
 * The name of a key in kid headers and answers: SHA-256 of the SubjectPublicKeyInfo, of which
 * the first 8 bytes go into the kid.
 */
int pem_key_id(const uint8_t point[LSUIT_P256_POINT_LEN], uint8_t id_out[LSUIT_SHA256_LEN]);

/*
 * A certificate in PEM as DER; and the SHA-256 of the SubjectPublicKeyInfo of a certificate or a
 * public key, of any type. Both print what is wrong.
 */
int pem_certificate(const char *path, uint8_t *der, size_t cap, size_t *n_out);
int pem_spki_digest(const char *path, uint8_t digest_out[LSUIT_SHA256_LEN]);

#endif
