/* The one crypto library: its start, and the SHA-256 of a buffer. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, before any thread. ERR_INTERNAL */
enum err crypto_start(void);

/* False only when the crypto library fails; digest_out is zero then. */
bool sha256(const void *bytes, size_t n, uint8_t digest_out[32]);

#endif
