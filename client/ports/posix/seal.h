/*
 * The key that only this device has, as a file: it seals the core's records.
 *
 *   (1) Made at the first start, 32 bytes from the system's generator, mode 0600; a file that
 *       others may read or write is refused.
 *   (2) It is worth what the place of the file is worth: who can read it can forge records. A
 *       product with better storage (a TPM, a secure element) puts it there.
 */
#ifndef AGENT_SEAL_H
#define AGENT_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Read the key, or make it. crypto_open comes first.
 *
 *   key_out  a volatile PSA key; seal_close it
 *
 * False with a reason.
 */
bool seal_open(const char *path, uint32_t *key_out, char *why, size_t why_n);
void seal_close(uint32_t key);

/* As lapel_nv.seal: HMAC-SHA-256. */
int seal_make(uint32_t key, const uint8_t digest[32], uint8_t seal_out[32]);

#endif
