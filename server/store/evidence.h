/* What is counted of a rollout, and what was decided from it. */
#ifndef STORE_EVIDENCE_H
#define STORE_EVIDENCE_H

#include "base/state.h"
#include "store/db.h"

enum { REVISION = 65 };

/* How far a rollout was looked at. */
struct watch {
    int32_t rollout;
    int64_t began_ms, cell_ms, poll_ms;
    int64_t cells, next, late; /* looked at, judged when the check-in was overdue, and days later */
    int64_t delay_ms;
};

enum err watch_get(struct db *db, int32_t rollout, struct watch *watch_out);
enum err watch_put(struct db *db, const struct watch *watch);
/* With its hold-out; what was counted and decided stays. */
enum err watch_drop(struct db *db, int32_t rollout);

enum err holdout_add(struct db *db, int32_t rollout, int32_t device);
/* Those of the hold-out that checked in last between the two times, and were not offered it. */
enum err control_take(struct db *db, int32_t rollout, int64_t cell, int64_t from_ms, int64_t to_ms);
enum err control_drop(struct db *db, int32_t rollout, int64_t cell);

/* So many devices of one revision that are alike. */
struct tally {
    char revision[REVISION];
    enum work_state state;
    enum work_bad bad;
    bool heard; /* of again, when half a poll had passed */
    int64_t n;
};
typedef bool tally_each(void *ctx, const struct tally *t);

/* Devices that started between the times; that first spoke against the release between them. */
enum err tally_started(struct db *db, int32_t rollout, int64_t from_ms, int64_t to_ms,
                       tally_each *each, void *ctx);
enum err tally_bad(struct db *db, int32_t rollout, int64_t from_ms, int64_t to_ms, tally_each *each,
                   void *ctx);
/* Devices that started between the times, as they stand now. */
enum err tally_judged(struct db *db, int32_t rollout, int64_t from_ms, int64_t to_ms,
                      int64_t half_ms, tally_each *each, void *ctx);
/* Those of a cell's control that were not offered it since. */
enum err tally_control(struct db *db, int32_t rollout, int64_t cell, int64_t half_ms,
                       tally_each *each, void *ctx);

/* The number of a revision in a rollout; new ones get the next, `most` - 1 when there is none. */
enum err stratum_number(struct db *db, int32_t rollout, const char *revision, int most, int *n_out);
/* Empty: it has no such stratum. */
enum err stratum_name(struct db *db, int32_t rollout, int n, char revision_out[REVISION]);

/* A revision of which more are in the first wave than the wave's threshold lets in. */
enum err first_wave_add(struct db *db, int32_t rollout, const char *revision, uint64_t threshold);
enum err first_wave_list(struct db *db, int32_t rollout,
                         bool (*each)(void *ctx, const char *revision, uint64_t threshold),
                         void *ctx);

struct evidence_row {
    int32_t rollout;
    int64_t n, at_ms, cell;
    int horizon, stratum;
    int64_t started, confirmed, failed, reverted, silent, postponed, control, control_silent;
};
/* Gets the next number. */
enum err evidence_row_add(struct db *db, struct evidence_row *row);
/* The first `rows` of them, in their order. */
enum err evidence_rows(struct db *db, int32_t rollout, int64_t rows,
                       bool (*each)(void *ctx, const struct evidence_row *row), void *ctx);
enum err evidence_rows_count(struct db *db, int32_t rollout, int64_t *rows_out);

struct decision {
    int32_t rollout;
    int64_t n, at_ms, rows;
    int wave;
    int64_t fleet, members, confirmed;
    bool soaked, settled, exhausted, heard;
    double tolerate, doubt, most, halt_at, advance_at;
    int kind, reason;
    double log_halt, log_advance;
};
/* Gets the next number. */
enum err decision_add(struct db *db, struct decision *d);
/* The newest first, those before number `before`. */
enum err decision_list(struct db *db, int32_t rollout, int64_t before, int limit,
                       bool (*each)(void *ctx, const struct decision *d), void *ctx);

#endif
