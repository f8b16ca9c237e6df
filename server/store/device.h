/* Devices, their tokens, what they run, and what they were offered. */
#ifndef STORE_DEVICE_H
#define STORE_DEVICE_H

#include "base/state.h"
#include "store/db.h"

enum { DEVICE_NAME = 65, DEVICE_REVISION = 65, SPACE_COMPONENT = 64, RUNNING_MAX = 8 };

struct device_attempt {
    bool known;
    uint8_t id[8];
    uint32_t stage, class_;
    int64_t code, offset;
    int64_t at_ms;
};

struct device {
    int32_t id;
    int32_t product;
    char name[DEVICE_NAME];
    int64_t revoked_ms; /* 0: active */
    int64_t created_ms, seen_ms;
    struct device_attempt attempt;  /* the last */
    char revision[DEVICE_REVISION]; /* of its hardware, as it says; empty: it does not */
};

enum err device_by_id(struct db *db, int32_t id, struct device *device_out);
enum err device_by_name(struct db *db, int32_t product, const char *name,
                        struct device *device_out);
/* Gets the next id. ERR_CONFLICT: the product has one of this name */
enum err device_add(struct db *db, struct device *device);
enum err device_revoke(struct db *db, int32_t id, int64_t now_ms);
/* Every row about it. */
enum err device_forget(struct db *db, int32_t id);
enum err device_revision_put(struct db *db, int32_t id, const char *revision);
enum err device_seen(struct db *db, int32_t id, int64_t seen_ms);
enum err device_attempt_put(struct db *db, int32_t id, const struct device_attempt *attempt);
enum err device_count(struct db *db, int32_t product, int64_t *count_out); /* 0: of all */

enum device_filter { DEVICE_ALL, DEVICE_ACTIVE, DEVICE_REVOKED };
enum err device_list(struct db *db, int32_t product, const char *after, enum device_filter filter,
                     int limit, bool (*each)(void *ctx, const struct device *d), void *ctx);
/* All that are active, for thresholds. */
enum err device_names(struct db *db, int32_t product,
                      bool (*each)(void *ctx, int32_t id, const char *name, const char *revision),
                      void *ctx);

/* Tokens by digest. Slot 0 is in use, slot 1 comes next. */
enum err device_token_find(struct db *db, const uint8_t digest[32], int32_t *device_out,
                           int *slot_out);
/* ERR_CONFLICT: some device has this token */
enum err device_token_put(struct db *db, const uint8_t digest[32], int32_t device, int slot,
                          int64_t now_ms);
enum err device_token_drop(struct db *db, int32_t device, int slot); /* -1: both */
/* Slot 1 becomes slot 0. */
enum err device_token_promote(struct db *db, int32_t device);
enum err device_token_count(struct db *db, int32_t device, int *count_out);
/* The digests of both slots, for those who cache. */
enum err device_token_list(struct db *db, int32_t device, uint8_t digests_out[2][32], int *n_out);

struct running {
    uint8_t class_id[16];
    uint8_t component[SPACE_COMPONENT];
    size_t component_n;
    int64_t sequence;
    uint8_t digest[32]; /* zeros with sequence 0 */
    uint32_t state;     /* enum lsuit_running_state */
};
/* At most RUNNING_MAX. */
enum err running_list(struct db *db, int32_t device, struct running *list_out, unsigned *n_out);
enum err running_put(struct db *db, int32_t device, const struct running *r, int64_t now_ms);

struct work {
    int32_t device;
    int32_t release, rollout;
    int wave;
    enum work_state state;
    int64_t since_ms;
};
/* ERR_NOT_FOUND */
enum err work_get(struct db *db, int32_t device, int32_t release, struct work *work_out);
enum err work_put(struct db *db, const struct work *work);
/* An attempt spoke against the release; the first word stays. */
enum err work_blame(struct db *db, int32_t device, int32_t release, enum work_bad bad,
                    int64_t now_ms);
/* The newest of a device. ERR_NOT_FOUND */
enum err work_last(struct db *db, int32_t device, struct work *work_out);
/* How many of a rollout's wave are in each state. */
enum err work_count(struct db *db, int32_t rollout, int wave, int64_t counts_out[WORK_STATES]);

/* How an attempt ended; ERR_CONFLICT: it is known already, the first word counts. */
struct outcome {
    int32_t device;
    uint8_t attempt[8];
    int32_t release; /* 0: none that we know */
    bool ok;
    uint32_t stage, class_;
    int64_t code;
    int64_t at_ms;
};
enum err outcome_add(struct db *db, const struct outcome *outcome);

/*
 * What a device may fetch: the state of a release that names these bytes and was offered to it.
 * Where several do, one that is served comes first.
 *
 * ERR_NOT_FOUND  it was offered none
 */
enum err grant_payload(struct db *db, int32_t device, const uint8_t digest[32],
                       int32_t *release_out, enum release_state *state_out,
                       enum work_state *work_out);
enum err grant_manifest(struct db *db, int32_t device, const uint8_t digest[32],
                        int32_t *release_out, enum release_state *state_out);
/* Without a device: releases of products that allow it (anonymous, or payloads in clear). */
enum err grant_public(struct db *db, const uint8_t digest[32], bool manifest, bool in_clear,
                      int32_t *release_out, enum release_state *state_out);

#endif
