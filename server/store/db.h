/*
 * The database: connections, statements, migrations, and one writer.
 *
 *   (1) Only the writer thread changes the database. A job runs inside its transaction, in a
 *       savepoint of its own: a job that fails leaves nothing.
 *   (2) Jobs that wait at the same time share one transaction and one sync (group commit).
 *   (3) `done` is called after the COMMIT is on disk (synchronous=FULL), never before.
 *   (4) Every thread reads through a connection of its own; statements stay prepared.
 *
 * A value is bound by its name, $1 … $9, which both SQLite and PostgreSQL read.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/err.h"
#include "lsuit/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct db;
struct db_query;

/* --- One connection --- */

/*
 * The statement `sql`, prepared once for each connection and kept.
 *
 *   sql  a string that lives for ever; its address is the key
 *
 * ERR_DB  already logged. Each query is given back by db_done.
 */
enum err db_query(struct db *db, const char *sql, struct db_query **query_out);

void db_bind_int(struct db_query *q, int n, int64_t value);
void db_bind_real(struct db_query *q, int n, double value);
/* Text and bytes are borrowed until db_done. */
void db_bind_text(struct db_query *q, int n, const char *text);
void db_bind_bytes(struct db_query *q, int n, const void *bytes, size_t size);
void db_bind_null(struct db_query *q, int n);

/*
 * ERR_OK         a row is there
 * ERR_NOT_FOUND  no (further) row
 * ERR_CONFLICT   a UNIQUE constraint
 * ERR_FULL       the disk is full
 * ERR_DB         the statement failed; already logged
 */
enum err db_step(struct db_query *q);

/* Columns from 0. Text and bytes stay valid until the next step or db_done. */
int64_t db_int(struct db_query *q, int column);
double db_real(struct db_query *q, int column);
bool db_is_null(struct db_query *q, int column);
const char *db_text(struct db_query *q, int column); /* never NULL */
struct lsuit_bytes db_bytes(struct db_query *q, int column);

/* Copy a text column; it is cut when it does not fit. */
void db_copy_text(struct db_query *q, int column, char *text_out, size_t size);
/* Copy a column of exactly n bytes; zeros when it has another length. */
void db_copy_bytes(struct db_query *q, int column, void *bytes_out, size_t n);

void db_done(struct db_query *q);

/* Step a statement that gives no row, and give it back. */
enum err db_run(struct db_query *q);
/* The next id of a table: one more than its largest. `sql` is "SELECT max(id) FROM ...". */
enum err db_next_id(struct db *db, const char *sql, int32_t *id_out);

/* --- The store --- */

/* Told by the writer: inside the batch, after each COMMIT that is on disk, before the jobs' done. */
struct store_hooks {
    void *ctx;
    void (*committed)(void *ctx, struct db *db);
    void (*rolled_back)(void *ctx);
};

/*
 * Open the database file, bring its schema to the newest version, start the writer.
 *
 *   path   ":memory:" makes one that lives as long as the store, for tests
 *   hooks  copied; may be NULL
 *
 * ERR_DB  it can't be opened, is damaged, or is of a newer version; already logged
 */
enum err store_open(const char *path, const struct store_hooks *hooks, struct store **store_out);

/* Finish every job that waits, stop the writer, close. NULL is fine. No reader may be at work. */
void store_close(struct store *store);

/* This thread's reading connection. NULL when it can't be opened; already logged. */
struct db *store_reader(struct store *store);

/*
 * A change. `run` is called in the writer's transaction; then `done` once with its error, or with
 * ERR_DB or ERR_FULL when the COMMIT failed. The job is the caller's and stays valid until done.
 */
struct store_job {
    enum err (*run)(struct store_job *job, struct db *db);
    void (*done)(struct store_job *job, enum err e);
    enum err err;
    char detail[200]; /* what the FAIL of run said */
    const char *field;
    struct store_job *next;
};

/* Hand over a job. After store_close has begun it is ended at once with ERR_STOPPING. */
void store_submit(struct store *store, struct store_job *job);

/* The same, and wait for it; for starts, tests and the slow lane, never in an HTTP thread. */
enum err store_write(struct store *store, enum err (*run)(void *ctx, struct db *db), void *ctx);

/* Commits so far, and jobs in them. */
void store_counts(struct store *store, uint64_t *commits_out, uint64_t *jobs_out);

/* Newest version of the schema that this program knows. */
int store_schema_version(void);

#endif
