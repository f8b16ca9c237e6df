/*
 * The engine: what the server does, apart from how it is asked. A function that changes something
 * runs in the writer's transaction and gets its connection; one that reads gets a reader's.
 *
 *   (1) A change is on disk before it is acknowledged.
 *   (2) The snapshot that check-ins decide from is replaced after the COMMIT of a change and
 *       before its acknowledgement; a check-in decides under its lock. So no offer is decided
 *       after a halt was acknowledged.
 *   (3) Replies of a halted release, its offers too, are ended before the halt is acknowledged.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "artifact/artifact.h"
#include "decide/shed.h"
#include "engine/erase.h"
#include "engine/known.h"
#include "engine/snapshot.h"
#include "engine/statement.h"
#include "store/credential.h"
#include "store/db.h"
#include "trust/trust.h"

#include <pthread.h>
#include <stdatomic.h>

/* Who asks, on the operator interface. */
struct actor {
    int32_t credential; /* 0: the server itself */
    char name[CREDENTIAL_NAME];
    enum role role;
    char products[CREDENTIAL_PRODUCTS]; /* empty: all */
};

struct engine_config {
    const char *data_dir;
    const char *public_url;
    const char *trust_dir;
    bool allow_test_keys;
    int64_t ballast;
    uint32_t checkins;      /* a second; 0: no limit */
    const char *online_key; /* PEM; NULL: data_dir/online-key.pem */
    uint32_t statement_max_age_s, statement_stale_after_s;
    int64_t backup_keep_ms; /* how long a backup may hold what was erased */
    /* End every open reply of this release; NULL: there are none. */
    void (*kill)(void *ctx, int32_t release);
    void *ctx;
};

struct engine {
    struct engine_config config;
    struct store *store;
    struct artifact_dir *artifacts;
    struct known *known;
    struct online *online;
    struct statements *statements;
    struct erase *erase;
    int64_t started_ms;

    pthread_rwlock_t trust_lock;
    struct trust *trust;

    pthread_rwlock_t lock; /* guards which snapshot is the current one */
    struct snapshot *now;

    pthread_mutex_t shed_lock;
    struct shed shed; /* whom to send away */

    /* The writer thread's own, from here on. */
    bool dirty;            /* this batch changed what a snapshot holds */
    struct snapshot *next; /* built inside this batch; NULL: not, or out of date */
    uint32_t generation;
    int32_t killed[64];
    size_t killed_n;
    uint8_t (*dropped)[32]; /* digests of tokens that are no longer what they were */
    size_t dropped_n, dropped_room;

    /* The clock thread. */
    pthread_t clock;
    pthread_mutex_t clock_lock;
    pthread_cond_t clock_wake;
    bool clock_runs, stopping;
    atomic_llong look_ms; /* when the outcomes of a rollout are to be looked at; at a start, now */
};

/* Opens everything below and starts the clock. Strings of the config live until engine_close. */
enum err engine_open(const struct engine_config *config, struct engine **engine_out);
void engine_close(struct engine *engine);
enum err engine_reload(struct engine *engine);

/* The current snapshot, locked until engine_snapshot_done. Never waits for the disk. */
const struct snapshot *engine_snapshot(struct engine *engine);
void engine_snapshot_done(struct engine *engine);

/* In the writer: what the batch has changed so far shows. NULL: it could not be built, logged. */
const struct snapshot *engine_snapshot_writer(struct engine *engine, struct db *db);

/* In the writer, as the last act of a change. */
void engine_dirty(struct engine *engine);
void engine_look_at(struct engine *engine, int64_t look_ms);
void engine_kill(struct engine *engine, int32_t release);
enum err engine_drop_tokens(struct engine *engine, struct db *db, int32_t device);

/* One checks in: 0 when it may, else the seconds after which it may try again. */
uint32_t engine_admit(struct engine *engine, int64_t now_ms);
/* It may, but there is no room for it: the seconds. */
uint32_t engine_turn_away(struct engine *engine, int64_t now_ms);

/* Write a row of the audit, sealed by the one before. `detail` may be NULL. */
enum err engine_audit(struct db *db, const struct actor *actor, int64_t now_ms, const char *act,
                      const char *target, const char *detail);

/* A credential of 256 bits from the system: 43 characters and a zero byte, and its digest. */
enum { TOKEN_TEXT = 44 };
enum err token_make(char text_out[TOKEN_TEXT], uint8_t digest_out[32]);
/* The digest of a presented token; false when it has not the form of one. */
bool token_digest(const char *text, size_t n, uint8_t digest_out[32]);

#endif
