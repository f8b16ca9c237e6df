/* What the agent asks of PSA itself; all else goes through the codec's adapter. */
#ifndef AGENT_CRYPTO_H
#define AGENT_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

/* Before anything else. False when the crypto library does not start. */
bool crypto_open(void);

/* Is this an uncompressed point (65 bytes) of P-256? */
bool crypto_is_p256_point(const uint8_t *point);

#endif
