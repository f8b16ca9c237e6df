/* Rollouts: waves that open, verbs that stop them. */
#ifndef ENGINE_ROLLOUT_H
#define ENGINE_ROLLOUT_H

#include "decide/rollout.h"
#include "engine/engine.h"

enum rollout_verb {
    ROLLOUT_START,
    ROLLOUT_PAUSE,
    ROLLOUT_RESUME,
    ROLLOUT_HALT,
    ROLLOUT_ABORT,
    ROLLOUT_ADVANCE
};

/*
 * Store a draft. `rollout` brings product, release and waves; id and salt are set.
 *
 * ERR_STATE     the release is withdrawn
 * ERR_CONFLICT  it has a rollout already
 */
enum err rollout_create(struct engine *engine, struct db *db, const struct actor *actor,
                        int64_t now_ms, struct rollout *rollout);

/*
 * Do it; a verb that changes nothing is fine. `reason` may be NULL.
 * ERR_STATE  the state does not allow it; the detail says which it is
 */
enum err rollout_do(struct engine *engine, struct db *db, const struct actor *actor, int64_t now_ms,
                    enum rollout_verb verb, const char *reason, struct rollout *rollout);

/*
 * The waves of a preset, "auto" for the one that the release's priority asks for.
 * ERR_INVALID  there is none of this name
 */
enum { PRESET_NAME = 16 };
enum err rollout_preset(struct db *db, const struct release *release, const char *name,
                        struct rollout *rollout);

/* Set the state of a release, end its replies when it stops, write the audit. */
enum err release_change(struct engine *engine, struct db *db, const struct actor *actor,
                        int64_t now_ms, struct release *release, enum release_state state,
                        const char *act, const char *reason);

/* Open every wave that is due, end every rollout that is complete. */
enum err rollout_tick(struct engine *engine, struct db *db, int64_t now_ms);

/* When time moves this rollout next; 0: it does not. */
int64_t rollout_due(const struct rollout *rollout, enum release_state state, int64_t now_ms);

/* "draft", "running", "held", "halted", "aborted", "complete". */
const char *rollout_state_name(const struct rollout *rollout, enum release_state state);

struct wave_verdict rollout_next(const struct rollout *rollout, enum release_state state,
                                 int64_t now_ms);

/* Where a product's support page is: its own URL, or under the public one; empty when neither. */
void product_support_url(const struct product *product, const char *public_url, char *url_out,
                         size_t size);

#endif
