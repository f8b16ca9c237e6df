/* Releases, the payloads they need, rollouts and waves. */
#ifndef STORE_RELEASE_H
#define STORE_RELEASE_H

#include "base/state.h"
#include "store/db.h"

enum { RELEASE_VERSION = 65, RELEASE_COMPONENT = 64, RELEASE_PAYLOADS = 8, WAVES = 16 };

struct release {
    int32_t id, product;
    uint8_t vendor_id[16], class_id[16];
    uint8_t component[RELEASE_COMPONENT]; /* encoded component id */
    size_t component_n;                   /* 0: none */
    int64_t sequence;
    uint8_t digest[32];
    char version[RELEASE_VERSION];
    bool has_priority;
    int64_t priority;
    enum release_state state;
    bool offered; /* its rollout has started */
    int64_t size; /* of all payloads */
    uint8_t key_id[32];
    int64_t created_ms;
    int64_t envelope_size; /* as it was uploaded */
    int64_t sent_size;     /* as devices get it */
};

struct payload {
    uint8_t digest[32];
    int64_t size;
};

enum err release_by_id(struct db *db, int32_t id, struct release *release_out);
/* In a space; ERR_NOT_FOUND */
enum err release_by_sequence(struct db *db, const struct release *space, int64_t sequence,
                             struct release *release_out);
/* The highest number that was offered in a space; 0 when none was. */
enum err release_highest_offered(struct db *db, const struct release *space, int64_t *sequence_out);

/* The three texts of an envelope: as uploaded, as sent, and the severed text. */
struct release_bytes {
    struct lsuit_bytes envelope, sent, text;
    uint8_t sent_hash[32];
};
/* Gets the next id. */
enum err release_add(struct db *db, struct release *release, const struct release_bytes *bytes,
                     const struct payload *payloads, unsigned payloads_n);
/* Another authentication wrapper for the same manifest. */
enum err release_rewrap(struct db *db, int32_t id, const struct release_bytes *bytes,
                        const uint8_t key_id[32]);
enum err release_set_state(struct db *db, int32_t id, enum release_state state);
enum err release_set_offered(struct db *db, int32_t id);
enum err release_list(struct db *db, int32_t product, int32_t before, int limit,
                      bool (*each)(void *ctx, const struct release *r), void *ctx);
enum err release_count(struct db *db, int64_t *count_out);
enum err release_payloads(struct db *db, int32_t id, struct payload *list_out, unsigned *n_out);
/* A malloc'd copy; `which` is "envelope", "sent" or "text". hash_out may be NULL. */
enum release_which { RELEASE_ENVELOPE, RELEASE_SENT, RELEASE_TEXT };
enum err release_read(struct db *db, int32_t id, enum release_which which, void **bytes_out,
                      size_t *n_out, uint8_t hash_out[32]);

/* Payloads that are whole on disk. */
enum err artifact_row_get(struct db *db, const uint8_t digest[32], int64_t *size_out);
enum err artifact_row_put(struct db *db, const uint8_t digest[32], int64_t size, int64_t now_ms);
enum err artifact_row_sum(struct db *db, int64_t *bytes_out);

struct wave {
    double share; /* cumulative; 0: by devices alone */
    int64_t devices;
    int64_t soak_ms;
    enum wave_gate gate;
    int64_t approved_ms, opened_ms; /* 0: not */
    bool nobody;                    /* no threshold: the fleet was empty */
    uint64_t threshold;
    int64_t members;
};

struct rollout {
    int32_t id, product, release;
    uint8_t salt[16];
    int64_t started_ms, ended_ms, created_ms;
    unsigned waves_n;
    struct wave waves[WAVES];
};

enum err rollout_by_id(struct db *db, int32_t id, struct rollout *rollout_out);
/* The newest of a release. ERR_NOT_FOUND */
enum err rollout_by_release(struct db *db, int32_t release, struct rollout *rollout_out);
/* Gets the next id. */
enum err rollout_add(struct db *db, struct rollout *rollout);
enum err rollout_set_times(struct db *db, const struct rollout *rollout);
enum err wave_set(struct db *db, int32_t rollout, unsigned n, const struct wave *wave);
enum err rollout_list(struct db *db, int32_t product, int32_t before, int limit,
                      bool (*each)(void *ctx, int32_t id), void *ctx);
/* Started and not over: those that time moves. */
enum err rollout_running(struct db *db, bool (*each)(void *ctx, int32_t id), void *ctx);
/* Every release that was offered, with its rollout, by product, highest number first. */
enum err rollout_offered(struct db *db, bool (*each)(void *ctx, int32_t release), void *ctx);

#endif
