/* One SQLite connection and its prepared statements. */

#include "store/db.h"

#include "store/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err err_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    default:
        return ERR_DB;
    }
}

enum err db_open(const char *path, bool writer, struct db *db_out)
{
    struct db db = { 0 };
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    /* One writer and readers that never write: FULL syncs the WAL at each commit. */
    static const char PRAGMAS[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                  "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
                                  "PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY";

    if (writer)
        flags |= SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &db.handle, flags, NULL) != SQLITE_OK) {
        enum err e = FAIL(ERR_DB, "open %s: %s", path, sqlite3_errmsg(db.handle));

        sqlite3_close(db.handle);
        return e;
    }
    sqlite3_busy_timeout(db.handle, 10000);
    if (sqlite3_exec(db.handle, PRAGMAS, NULL, NULL, NULL) != SQLITE_OK ||
        (!writer &&
         sqlite3_exec(db.handle, "PRAGMA query_only=ON", NULL, NULL, NULL) != SQLITE_OK)) {
        enum err e = FAIL(ERR_DB, "set up %s: %s", path, sqlite3_errmsg(db.handle));

        sqlite3_close(db.handle);
        return e;
    }
    *db_out = db;
    return ERR_OK;
}

void db_close(struct db *db)
{
    for (size_t i = 0; i < DB_QUERIES; i++)
        sqlite3_finalize(db->query[i].stmt);
    sqlite3_close(db->handle);
    memset(db, 0, sizeof *db);
}

enum err db_exec(struct db *db, const char *sql)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        return ERR_OK;
    return FAIL(err_of(rc), "%.60s: %s", sql, sqlite3_errmsg(db->handle));
}

/* Statements stand in an open hash by the address of their text. */
enum err db_query(struct db *db, const char *sql, struct db_query **query_out)
{
    size_t at = ((uintptr_t)sql >> 3) % DB_QUERIES;

    *query_out = NULL;
    for (size_t tries = 0; tries < DB_QUERIES; tries++, at = (at + 1) % DB_QUERIES) {
        struct db_query *q = &db->query[at];

        if (q->stmt != NULL && q->sql != sql)
            continue;
        if (q->busy)
            return FAIL(ERR_DB, "statement used twice at once: %.60s", sql);
        if (q->stmt == NULL) {
            if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &q->stmt,
                                   NULL) != SQLITE_OK)
                return FAIL(ERR_DB, "prepare %.60s: %s", sql, sqlite3_errmsg(db->handle));
            q->sql = sql;
            q->db = db;
            /* SQLite numbers $n by first appearance, so the name decides. */
            for (int n = 1; n < DB_BINDS; n++) {
                char name[16];

                snprintf(name, sizeof name, "$%d", n);
                q->bind[n] = sqlite3_bind_parameter_index(q->stmt, name);
            }
        }
        q->busy = true;
        q->rc = SQLITE_OK;
        *query_out = q;
        return ERR_OK;
    }
    return FAIL(ERR_DB, "more than %d statements", DB_QUERIES);
}

static int place_of(struct db_query *q, int n)
{
    if (n < 1 || n >= DB_BINDS || q->bind[n] == 0) {
        q->rc = SQLITE_RANGE;
        return 0;
    }
    return q->bind[n];
}

static void keep(struct db_query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void db_bind_int(struct db_query *q, int n, int64_t value)
{
    keep(q, sqlite3_bind_int64(q->stmt, place_of(q, n), value));
}

void db_bind_real(struct db_query *q, int n, double value)
{
    keep(q, sqlite3_bind_double(q->stmt, place_of(q, n), value));
}

void db_bind_text(struct db_query *q, int n, const char *text)
{
    keep(q, sqlite3_bind_text(q->stmt, place_of(q, n), text, -1, SQLITE_STATIC));
}

void db_bind_bytes(struct db_query *q, int n, const void *bytes, size_t size)
{
    /* A NULL pointer would bind NULL; empty bytes are a value. */
    keep(q, sqlite3_bind_blob64(q->stmt, place_of(q, n), bytes != NULL ? bytes : "", size,
                                SQLITE_STATIC));
}

void db_bind_null(struct db_query *q, int n)
{
    keep(q, sqlite3_bind_null(q->stmt, place_of(q, n)));
}

enum err db_step(struct db_query *q)
{
    int rc = q->rc != SQLITE_OK ? q->rc : sqlite3_step(q->stmt);

    if (rc == SQLITE_ROW)
        return ERR_OK;
    if (rc == SQLITE_DONE)
        return ERR_NOT_FOUND;
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return ERR_CONFLICT; /* the caller knows what it means and says so */
    return FAIL(err_of(rc), "%.60s: %s", q->sql, sqlite3_errmsg(q->db->handle));
}

int64_t db_int(struct db_query *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

double db_real(struct db_query *q, int column)
{
    return sqlite3_column_double(q->stmt, column);
}

bool db_is_null(struct db_query *q, int column)
{
    return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

const char *db_text(struct db_query *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q->stmt, column);

    return text != NULL ? text : "";
}

struct lsuit_bytes db_bytes(struct db_query *q, int column)
{
    struct lsuit_bytes b = { .ptr = sqlite3_column_blob(q->stmt, column) };

    b.len = (size_t)sqlite3_column_bytes(q->stmt, column);
    return b;
}

void db_copy_text(struct db_query *q, int column, char *text_out, size_t size)
{
    snprintf(text_out, size, "%s", db_text(q, column));
}

void db_copy_bytes(struct db_query *q, int column, void *bytes_out, size_t n)
{
    struct lsuit_bytes b = db_bytes(q, column);

    memset(bytes_out, 0, n);
    if (b.len == n && n > 0)
        memcpy(bytes_out, b.ptr, n);
}

void db_done(struct db_query *q)
{
    if (q == NULL)
        return;
    sqlite3_reset(q->stmt);
    sqlite3_clear_bindings(q->stmt);
    q->busy = false;
}

enum err db_run(struct db_query *q)
{
    enum err e = db_step(q);

    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e; /* no row is what a change gives */
}

enum err db_next_id(struct db *db, const char *sql, int32_t *id_out)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, sql, &q);
    int64_t id = 0;

    if (e != ERR_OK)
        return e;
    e = db_step(q);
    if (e == ERR_OK)
        id = db_int(q, 0) + 1;
    db_done(q);
    if (e == ERR_OK && id > INT32_MAX)
        return FAIL(ERR_FULL, "no id left: %.60s", sql);
    *id_out = (int32_t)id;
    return e;
}
