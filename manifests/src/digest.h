/*
 * Inside the codec: SUIT_Digest (draft-ietf-suit-manifest-37, section 10).
 */
#ifndef LSUIT_SRC_DIGEST_H
#define LSUIT_SRC_DIGEST_H

#include "lsuit/suit.h"

/*
 * Read the content of a byte string that holds a digest. alg is set in any case.
 *
 * LSUIT_ERR_CBOR   not [alg, bytes]
 * LSUIT_ERR_ALG    an unknown algorithm
 * LSUIT_ERR_RANGE  not as long as the algorithm says
 */
enum lsuit_err lsuit_digest_read(struct lsuit_bytes content, struct lsuit_digest *digest_out);

/* The same at a cursor; the error goes into the cursor. */
struct lsuit_digest lsuit_digest_take(struct lsuit_cbor *c);

/* LSUIT_OK when `bytes` have this digest, LSUIT_ERR_UNAUTHORISED when not, or the adapter's. */
enum lsuit_err lsuit_digest_match(const struct lsuit_crypto *crypto, struct lsuit_digest digest,
                                  struct lsuit_bytes bytes);

#endif
