/*
 * Inside the codec: verifying HSS-LMS signatures (RFC 8554, RFC 8778).
 */
#ifndef LSUIT_SRC_HSS_LMS_H
#define LSUIT_SRC_HSS_LMS_H

#include "lsuit/crypto.h"

/*
 * Verify over the concatenation of `parts`. SHA-256 with 32 bytes (RFC 8554) or 24 (RFC 9858) and
 * all heights and widths registered for them, up to 8 levels. Each level may take its own
 * parameters; tree and one-time signature of a level hash to the same length.
 *
 *   public_key  hss_public_key: u32 levels, then the LMS public key of the top tree
 *   signature   hss_signature
 *
 * LSUIT_ERR_UNAUTHORISED  malformed, or it does not verify
 * LSUIT_ERR_ALG           no key, or of a parameter set that we don't have
 */
enum lsuit_err lsuit_hss_verify(const struct lsuit_crypto *crypto, struct lsuit_bytes public_key,
                                const struct lsuit_bytes *parts, size_t parts_n,
                                struct lsuit_bytes signature);

#endif
