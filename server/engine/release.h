/* Publishing a release, and the payloads it needs. */
#ifndef ENGINE_RELEASE_H
#define ENGINE_RELEASE_H

#include "engine/engine.h"

/*
 * Take an envelope: verify it, hold it against product, payloads and numbers, store it.
 *
 *   created_out  true: a new release; false: it was here already
 *
 * ERR_MALFORMED, ERR_SIGNATURE, ERR_REFUSED  as trust_verify
 * ERR_CONFLICT  a payload is missing      ERR_DIGEST  one has another size
 * ERR_SEQUENCE  the number is taken, or lower than one that was offered
 */
enum err release_publish(struct engine *engine, struct db *db, const struct actor *actor,
                         int64_t now_ms, const struct product *product, struct lsuit_bytes doc,
                         struct release *release_out, bool *created_out);

/* Final. The same act as aborting its rollout. */
enum err release_withdraw(struct engine *engine, struct db *db, const struct actor *actor,
                          int64_t now_ms, const char *reason, struct release *release);

/*
 * What devices get of an envelope: all of it, or without its severed text when it is larger than
 * every device takes.
 *
 *   buf  holds doc.len bytes
 */
struct lsuit_bytes release_sent(struct lsuit_bytes doc, uint8_t *buf, struct lsuit_bytes *text_out);

#endif
