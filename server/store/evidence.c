#include "store/evidence.h"

#include <string.h>

/* --- Watches --- */

enum err watch_get(struct db *db, int32_t rollout, struct watch *w)
{
    static const char SQL[] = "SELECT began_ms, cell_ms, poll_ms, cells, next, late, delay_ms"
                              " FROM watch WHERE rollout = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    e = db_step(q);
    if (e == ERR_OK)
        *w = (struct watch){ .rollout = rollout,
                             .began_ms = db_int(q, 0),
                             .cell_ms = db_int(q, 1),
                             .poll_ms = db_int(q, 2),
                             .cells = db_int(q, 3),
                             .next = db_int(q, 4),
                             .late = db_int(q, 5),
                             .delay_ms = db_int(q, 6) };
    db_done(q);
    return e;
}

enum err watch_put(struct db *db, const struct watch *w)
{
    static const char SQL[] =
        "INSERT INTO watch (rollout, began_ms, cell_ms, poll_ms, cells, next, late, delay_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (rollout) DO UPDATE SET cells = $5, next = $6, late = $7, delay_ms = $8";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, w->rollout);
    db_bind_int(q, 2, w->began_ms);
    db_bind_int(q, 3, w->cell_ms);
    db_bind_int(q, 4, w->poll_ms);
    db_bind_int(q, 5, w->cells);
    db_bind_int(q, 6, w->next);
    db_bind_int(q, 7, w->late);
    db_bind_int(q, 8, w->delay_ms);
    return db_run(q);
}

static enum err run_with(struct db *db, const char *sql, int32_t rollout, int64_t second)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, sql, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_int(q, 2, second);
    return db_run(q);
}

enum err watch_drop(struct db *db, int32_t rollout)
{
    static const char WATCH[] = "DELETE FROM watch WHERE rollout = $1 AND $2 = 0";
    static const char HOLDOUT[] = "DELETE FROM holdout WHERE rollout = $1 AND $2 = 0";
    static const char CONTROL[] = "DELETE FROM control WHERE rollout = $1 AND $2 = 0";
    enum err e = run_with(db, WATCH, rollout, 0);

    if (e == ERR_OK)
        e = run_with(db, HOLDOUT, rollout, 0);
    return e == ERR_OK ? run_with(db, CONTROL, rollout, 0) : e;
}

/* --- The hold-out --- */

enum err holdout_add(struct db *db, int32_t rollout, int32_t device)
{
    static const char SQL[] = "INSERT INTO holdout (rollout, device) VALUES ($1, $2)";

    return run_with(db, SQL, rollout, device);
}

enum err control_take(struct db *db, int32_t rollout, int64_t cell, int64_t from_ms, int64_t to_ms)
{
    static const char SQL[] =
        "INSERT INTO control (rollout, cell, device, seen_ms)"
        " SELECT h.rollout, $2, h.device, d.seen_ms FROM holdout h JOIN device d ON d.id = h.device"
        " WHERE h.rollout = $1 AND d.seen_ms >= $3 AND d.seen_ms < $4 AND NOT EXISTS"
        " (SELECT 1 FROM work w WHERE w.device = h.device AND w.rollout = $1)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_int(q, 2, cell);
    db_bind_int(q, 3, from_ms);
    db_bind_int(q, 4, to_ms);
    return db_run(q);
}

enum err control_drop(struct db *db, int32_t rollout, int64_t cell)
{
    static const char SQL[] = "DELETE FROM control WHERE rollout = $1 AND cell = $2";

    return run_with(db, SQL, rollout, cell);
}

/* --- Counting --- */

/* Columns: revision, state, bad, heard, how many. */
static enum err tallies(struct db *db, const char *sql, const int64_t bind[4], tally_each *each,
                        void *ctx)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, sql, &q);

    if (e != ERR_OK)
        return e;
    for (int i = 0; i < 4; i++)
        db_bind_int(q, i + 1, bind[i]);
    while ((e = db_step(q)) == ERR_OK) {
        struct tally t = { .state = (enum work_state)db_int(q, 1),
                           .bad = (enum work_bad)db_int(q, 2),
                           .heard = db_int(q, 3) != 0,
                           .n = db_int(q, 4) };

        db_copy_text(q, 0, t.revision, sizeof t.revision);
        if (!each(ctx, &t))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err tally_started(struct db *db, int32_t rollout, int64_t from_ms, int64_t to_ms,
                       tally_each *each, void *ctx)
{
    static const char SQL[] =
        "SELECT d.revision, 0, 0, $4, count(*) FROM work w JOIN device d ON d.id = w.device"
        " WHERE w.rollout = $1 AND w.started_ms >= $2 AND w.started_ms < $3"
        " GROUP BY d.revision ORDER BY d.revision";

    return tallies(db, SQL, (int64_t[]){ rollout, from_ms, to_ms, 0 }, each, ctx);
}

enum err tally_bad(struct db *db, int32_t rollout, int64_t from_ms, int64_t to_ms, tally_each *each,
                   void *ctx)
{
    static const char SQL[] =
        "SELECT d.revision, 0, w.bad, $4, count(*) FROM work w JOIN device d ON d.id = w.device"
        " WHERE w.rollout = $1 AND w.bad <> 0 AND w.bad_ms >= $2 AND w.bad_ms < $3"
        " GROUP BY d.revision, w.bad ORDER BY d.revision, w.bad";

    return tallies(db, SQL, (int64_t[]){ rollout, from_ms, to_ms, 0 }, each, ctx);
}

enum err tally_judged(struct db *db, int32_t rollout, int64_t from_ms, int64_t to_ms,
                      int64_t half_ms, tally_each *each, void *ctx)
{
    static const char SQL[] =
        "SELECT d.revision, w.state, w.bad, d.seen_ms >= w.started_ms + $4 AS heard, count(*)"
        " FROM work w JOIN device d ON d.id = w.device"
        " WHERE w.rollout = $1 AND w.started_ms >= $2 AND w.started_ms < $3"
        " GROUP BY d.revision, w.state, w.bad, heard ORDER BY d.revision";

    return tallies(db, SQL, (int64_t[]){ rollout, from_ms, to_ms, half_ms }, each, ctx);
}

enum err tally_control(struct db *db, int32_t rollout, int64_t cell, int64_t half_ms,
                       tally_each *each, void *ctx)
{
    static const char SQL[] =
        "SELECT d.revision, 0, $4, d.seen_ms >= c.seen_ms + $3 AS heard, count(*)"
        " FROM control c JOIN device d ON d.id = c.device"
        " WHERE c.rollout = $1 AND c.cell = $2 AND NOT EXISTS"
        " (SELECT 1 FROM work w WHERE w.device = c.device AND w.rollout = $1)"
        " GROUP BY d.revision, heard ORDER BY d.revision";

    return tallies(db, SQL, (int64_t[]){ rollout, cell, half_ms, 0 }, each, ctx);
}

/* --- Strata --- */

enum err stratum_number(struct db *db, int32_t rollout, const char *revision, int most, int *n_out)
{
    static const char FIND[] = "SELECT n, 0 FROM stratum WHERE rollout = $1 AND revision = $2"
                               " UNION ALL SELECT count(*), 1 FROM stratum WHERE rollout = $1";
    static const char ADD[] = "INSERT INTO stratum (rollout, n, revision) VALUES ($1, $2, $3)";
    struct db_query *q = NULL;
    bool fresh = false;
    enum err e = db_query(db, FIND, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_text(q, 2, revision);
    e = db_step(q); /* the row that names it, or how many there are */
    if (e == ERR_OK) {
        *n_out = (int)db_int(q, 0);
        fresh = db_int(q, 1) != 0;
    }
    db_done(q);
    if (e == ERR_OK && fresh && *n_out >= most - 1) {
        *n_out = most - 1;
        return ERR_OK;
    }
    if (e != ERR_OK || !fresh)
        return e;
    e = db_query(db, ADD, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_int(q, 2, *n_out);
    db_bind_text(q, 3, revision);
    return db_run(q);
}

enum err stratum_name(struct db *db, int32_t rollout, int n, char revision_out[REVISION])
{
    static const char SQL[] = "SELECT revision FROM stratum WHERE rollout = $1 AND n = $2";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    revision_out[0] = '\0';
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_int(q, 2, n);
    e = db_step(q);
    if (e == ERR_OK)
        db_copy_text(q, 0, revision_out, REVISION);
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err first_wave_add(struct db *db, int32_t rollout, const char *revision, uint64_t threshold)
{
    static const char SQL[] =
        "INSERT INTO first_wave (rollout, revision, threshold) VALUES ($1, $2, $3)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_text(q, 2, revision);
    db_bind_int(q, 3, (int64_t)threshold);
    return db_run(q);
}

enum err first_wave_list(struct db *db, int32_t rollout,
                         bool (*each)(void *ctx, const char *revision, uint64_t threshold),
                         void *ctx)
{
    static const char SQL[] = "SELECT revision, threshold FROM first_wave WHERE rollout = $1"
                              " ORDER BY revision";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    while ((e = db_step(q)) == ERR_OK)
        if (!each(ctx, db_text(q, 0), (uint64_t)db_int(q, 1)))
            break;
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* --- Rows that are only ever added --- */

static enum err count(struct db *db, const char *sql, int32_t rollout, int64_t *n_out)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, sql, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    e = db_step(q);
    if (e == ERR_OK)
        *n_out = db_int(q, 0);
    db_done(q);
    return e;
}

enum err evidence_rows_count(struct db *db, int32_t rollout, int64_t *rows_out)
{
    static const char SQL[] = "SELECT count(*) FROM evidence WHERE rollout = $1";

    return count(db, SQL, rollout, rows_out);
}

#define EVIDENCE_COLUMNS                                                               \
    "rollout, n, at_ms, cell, horizon, stratum, started, confirmed, failed, reverted," \
    " silent, postponed, control, control_silent"

enum err evidence_row_add(struct db *db, struct evidence_row *r)
{
    static const char SQL[] =
        "INSERT INTO evidence (" EVIDENCE_COLUMNS ")"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    struct db_query *q = NULL;
    enum err e = evidence_rows_count(db, r->rollout, &r->n);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, r->rollout);
    db_bind_int(q, 2, r->n);
    db_bind_int(q, 3, r->at_ms);
    db_bind_int(q, 4, r->cell);
    db_bind_int(q, 5, r->horizon);
    db_bind_int(q, 6, r->stratum);
    db_bind_int(q, 7, r->started);
    db_bind_int(q, 8, r->confirmed);
    db_bind_int(q, 9, r->failed);
    db_bind_int(q, 10, r->reverted);
    db_bind_int(q, 11, r->silent);
    db_bind_int(q, 12, r->postponed);
    db_bind_int(q, 13, r->control);
    db_bind_int(q, 14, r->control_silent);
    return db_run(q);
}

enum err evidence_rows(struct db *db, int32_t rollout, int64_t rows,
                       bool (*each)(void *ctx, const struct evidence_row *row), void *ctx)
{
    static const char SQL[] = "SELECT " EVIDENCE_COLUMNS " FROM evidence"
                              " WHERE rollout = $1 AND n < $2 ORDER BY n";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_int(q, 2, rows);
    while ((e = db_step(q)) == ERR_OK) {
        struct evidence_row r = { .rollout = (int32_t)db_int(q, 0),
                                  .n = db_int(q, 1),
                                  .at_ms = db_int(q, 2),
                                  .cell = db_int(q, 3),
                                  .horizon = (int)db_int(q, 4),
                                  .stratum = (int)db_int(q, 5),
                                  .started = db_int(q, 6),
                                  .confirmed = db_int(q, 7),
                                  .failed = db_int(q, 8),
                                  .reverted = db_int(q, 9),
                                  .silent = db_int(q, 10),
                                  .postponed = db_int(q, 11),
                                  .control = db_int(q, 12),
                                  .control_silent = db_int(q, 13) };

        if (!each(ctx, &r))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

#define DECISION_COLUMNS                                                                    \
    "rollout, n, at_ms, rows, wave, fleet, members, confirmed, soaked, settled, exhausted," \
    " heard, tolerate, doubt, most, halt_at, advance_at, kind, reason, log_halt, log_advance"

enum err decision_add(struct db *db, struct decision *d)
{
    static const char COUNT[] = "SELECT count(*) FROM decision WHERE rollout = $1";
    static const char SQL[] = "INSERT INTO decision (" DECISION_COLUMNS ")"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
                              " $14, $15, $16, $17, $18, $19, $20, $21)";
    struct db_query *q = NULL;
    enum err e = count(db, COUNT, d->rollout, &d->n);
    const int64_t first[] = { d->rollout, d->n,       d->at_ms,     d->rows,
                              d->wave,    d->fleet,   d->members,   d->confirmed,
                              d->soaked,  d->settled, d->exhausted, d->heard };
    const double rules[] = { d->tolerate, d->doubt, d->most, d->halt_at, d->advance_at };

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    for (int i = 0; i < 12; i++)
        db_bind_int(q, i + 1, first[i]);
    for (int i = 0; i < 5; i++)
        db_bind_real(q, i + 13, rules[i]);
    db_bind_int(q, 18, d->kind);
    db_bind_int(q, 19, d->reason);
    db_bind_real(q, 20, d->log_halt);
    db_bind_real(q, 21, d->log_advance);
    return db_run(q);
}

enum err decision_list(struct db *db, int32_t rollout, int64_t before, int limit,
                       bool (*each)(void *ctx, const struct decision *d), void *ctx)
{
    static const char SQL[] = "SELECT " DECISION_COLUMNS " FROM decision"
                              " WHERE rollout = $1 AND n < $2 ORDER BY n DESC LIMIT $3";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, rollout);
    db_bind_int(q, 2, before);
    db_bind_int(q, 3, limit);
    while ((e = db_step(q)) == ERR_OK) {
        struct decision d = { .rollout = (int32_t)db_int(q, 0),
                              .n = db_int(q, 1),
                              .at_ms = db_int(q, 2),
                              .rows = db_int(q, 3),
                              .wave = (int)db_int(q, 4),
                              .fleet = db_int(q, 5),
                              .members = db_int(q, 6),
                              .confirmed = db_int(q, 7),
                              .soaked = db_int(q, 8) != 0,
                              .settled = db_int(q, 9) != 0,
                              .exhausted = db_int(q, 10) != 0,
                              .heard = db_int(q, 11) != 0,
                              .tolerate = db_real(q, 12),
                              .doubt = db_real(q, 13),
                              .most = db_real(q, 14),
                              .halt_at = db_real(q, 15),
                              .advance_at = db_real(q, 16),
                              .kind = (int)db_int(q, 17),
                              .reason = (int)db_int(q, 18),
                              .log_halt = db_real(q, 19),
                              .log_advance = db_real(q, 20) };

        if (!each(ctx, &d))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
