/*
 * The chain of trust sets, one for the server: each step once, in order, kept for ever.
 *
 * A product is covered from the first set on that has a release key in its scope. Releases of a
 * covered product need the threshold of the newest set, and its devices are told of the newest;
 * the others go by the anchors.
 */
#ifndef ENGINE_TRUST_H
#define ENGINE_TRUST_H

#include "engine/engine.h"
#include "store/trust.h"

/*
 * In the writer: take the next step. The very same document again changes nothing.
 *
 * ERR_FORBIDDEN  the first set, and not by an admin
 * as trust_step
 */
enum err trust_set_publish(struct engine *engine, struct db *db, const struct actor *actor,
                           int64_t now_ms, struct lsuit_bytes doc, struct trust_set *set_out,
                           bool *created_out);

/* The set in a row. ERR_INTERNAL: the row is damaged */
enum err trust_set_read(const struct trust_set *set, struct lsuit_trust *trust_out);

/* Is the product covered? */
enum err trust_set_covers(struct db *db, const uint8_t vendor_id[16], const uint8_t class_id[16],
                          bool *covers_out);

#endif
