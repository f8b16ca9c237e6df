/* Products and their support periods; credentials of operators. */
#ifndef ENGINE_PRODUCT_H
#define ENGINE_PRODUCT_H

#include "engine/engine.h"

/* A change to a product: the whole row as it shall be, and the month. */
struct product_change {
    struct product row;                /* id 0: a new one */
    int32_t end_month;                 /* year * 12 + month - 1 */
    char rationale[SUPPORT_RATIONALE]; /* empty: none given */
    bool shorten;
};
/*
 * ERR_INVALID   rationale missing where less than five years are promised
 * ERR_CONFLICT  model taken; vendor or model changed after a release; a shorter period unasked
 */
enum err product_change(struct engine *engine, struct db *db, const struct actor *actor,
                        int64_t now_ms, struct product_change *change, bool *created_out);

/* The month of a time: year * 12 + month - 1, UTC. */
int32_t month_of(int64_t ms);

/* Make a credential. text_out is the only place where the token appears. ERR_CONFLICT name used */
enum err credential_make(struct db *db, const struct actor *actor, int64_t now_ms,
                         struct credential *credential, char text_out[TOKEN_TEXT]);
/* ERR_CONFLICT: the last admin */
enum err credential_end(struct db *db, const struct actor *actor, int64_t now_ms, int32_t id);
/* ERR_UNAUTHORIZED */
enum err credential_check(struct engine *engine, const uint8_t digest[32], int64_t now_ms,
                          struct actor *actor_out);
bool actor_reaches(const struct actor *actor, const char *product);

/*
 * The bootstrap token: made while there is no admin, in a file only its owner reads, good for one
 * use within an hour.
 *
 * bootstrap_make  ERR_CONFLICT an admin exists
 * bootstrap_use   ERR_UNAUTHORIZED not this token; ERR_GONE used, or too old
 */
enum err bootstrap_make(struct engine *engine, int64_t now_ms);
enum err bootstrap_use(struct engine *engine, struct db *db, const uint8_t digest[32],
                       int64_t now_ms, struct credential *credential, char text_out[TOKEN_TEXT]);
/* Remove the file, after the COMMIT. */
void bootstrap_clean(struct engine *engine);
/* At the start: make one when there is neither an admin nor a valid token. */
enum err bootstrap_start(struct engine *engine, int64_t now_ms);

#endif
