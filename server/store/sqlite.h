/* What db.c, migrate.c and store.c share; nobody else sees SQLite. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/db.h"

#include <sqlite3.h>

/* More than there are statements, so that the hash stays loose. */
enum { DB_QUERIES = 257, DB_BINDS = 24 };

struct db_query {
    sqlite3_stmt *stmt;
    const char *sql;
    struct db *db;
    int rc; /* the first binding that failed */
    bool busy;
    int bind[DB_BINDS];
};

struct db {
    sqlite3 *handle;
    struct db_query query[DB_QUERIES];
};

enum err db_open(const char *path, bool writer, struct db *db_out);
void db_close(struct db *db);
enum err db_exec(struct db *db, const char *sql);

/* Bring the schema to the newest version, each step in a transaction of its own. */
enum err migrate(struct db *db);

#endif
