/* SHA-256 of a buffer, by the one crypto library. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False only when the crypto library fails; digest_out is zero then. */
bool sha256(const void *bytes, size_t n, uint8_t digest_out[32]);

#endif
