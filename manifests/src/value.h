/*
 * Inside the codec: what stands in the byte strings of some parameters.
 */
#ifndef LSUIT_SRC_VALUE_H
#define LSUIT_SRC_VALUE_H

#include "command.h"

#define LSUIT_TAG_PEN 112 /* a private enterprise number (RFC 9371) */

/*
 * Is this content what a parameter of this kind (VALUE_...) takes?
 *
 *   VALUE_VERSION     [comparison, [+ int]]                        UM -14, section 4.4
 *   VALUE_WAIT_INFO   a map of known events, one at least          UM -14, section 4.5
 *   VALUE_METADATA    a map of known elements, each of its type    UM -14, section 4.6
 *   VALUE_ENCRYPTION  a tagged COSE_Encrypt                        FE -24, section 5
 *   others            anything
 */
bool lsuit_value_ok(uint8_t value, struct lsuit_bytes content);

/* A version: an array of integers, one at least, the first not below 0. */
bool lsuit_value_version(struct lsuit_bytes encoded);

/* `#name`, or `../payloads/` with the SHA-256 in 64 hex digits. */
bool lsuit_value_lapel_uri(struct lsuit_bytes uri);

#endif
