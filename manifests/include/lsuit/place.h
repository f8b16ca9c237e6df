/*
 * The place of a device in a rollout: anybody who knows salt and threshold computes who is in.
 *
 *   (1) Deterministic: the same salt and id give the same place everywhere.
 *   (2) Monotonic: who is in at a threshold is in at every higher one.
 *   (3) Another salt gives other first devices.
 */
#ifndef LSUIT_PLACE_H
#define LSUIT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The first 8 bytes, big-endian, of SHA-256(len || salt || len || device id), each len one byte.
 *
 *   salt       16 bytes
 *   device_id  1 to 64 bytes of UTF-8
 *
 * LSUIT_ERR_RANGE   salt or id has another length
 * LSUIT_ERR_CRYPTO, LSUIT_ERR_ALG  as the adapter says
 */
enum lsuit_err lsuit_place(const struct lsuit_crypto *crypto, struct lsuit_bytes salt,
                           struct lsuit_bytes device_id, uint64_t *place_out);

/* In when place <= threshold: 2^64-1 is everybody. No threshold: nobody. */
bool lsuit_place_in(uint64_t place, bool has_threshold, uint64_t threshold);

/*
 * The threshold that lets in a share of an endless fleet.
 *
 *   part, whole  the share as a fraction: 0 < part <= whole
 *
 * Returns false when the share is nothing: there is no threshold then. part >= whole gives
 * 2^64-1.
 */
bool lsuit_place_threshold(uint32_t part, uint32_t whole, uint64_t *threshold_out);

#ifdef __cplusplus
}
#endif
#endif
