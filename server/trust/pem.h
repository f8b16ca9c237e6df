/* P-256 keys as PEM, read strictly: each form in its one encoding. Shared inside trust/. */
#ifndef TRUST_PEM_H
#define TRUST_PEM_H

#include "base/err.h"
#include "lsuit/crypto.h"

#include <stddef.h>
#include <stdint.h>

enum { PEM_KEY = 32, PEM_TEXT = 400 };

/*
 * A private key: "PRIVATE KEY" (PKCS#8) or "EC PRIVATE KEY" (SEC1), each with its public point.
 *
 * ERR_INVALID  anything else
 */
enum err pem_private_read(const char *text, size_t n, uint8_t key_out[PEM_KEY]);

/* PKCS#8, as `openssl genpkey` writes it; and the SubjectPublicKeyInfo. Both end in a newline. */
void pem_private_write(const uint8_t key[PEM_KEY], const uint8_t point[LSUIT_P256_POINT_LEN],
                       char text_out[PEM_TEXT]);
void pem_public_write(const uint8_t point[LSUIT_P256_POINT_LEN], char text_out[PEM_TEXT]);

#endif
