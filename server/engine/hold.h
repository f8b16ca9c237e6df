/* Holds: devices of one attribute get no offer until somebody takes the hold away. */
#ifndef ENGINE_HOLD_H
#define ENGINE_HOLD_H

#include "engine/engine.h"
#include "store/hold.h"

enum { HOLDS = 64 }; /* of a product: every check-in that isn't answered from memory reads them */

/*
 * In the writer. `hold` brings all but id and times.
 *
 * ERR_INVALID   the release is none of the product
 * ERR_CONFLICT  the same hold is there already
 * ERR_STATE     the product has HOLDS of them
 */
enum err hold_place(struct engine *engine, struct db *db, const struct actor *actor, int64_t now_ms,
                    const char *product, struct hold *hold);

/* In the writer; one that was lifted before is fine. */
enum err hold_lift(struct engine *engine, struct db *db, const struct actor *actor, int64_t now_ms,
                   const char *product, const struct hold *hold);

#endif
