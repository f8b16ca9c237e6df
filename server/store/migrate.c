/* The schema moves by numbered files; each runs once, and its number is kept. */

#include "base/clock.h"
#include "store/sqlite.h"

#include <stdio.h>

extern const char embed_0001_first_sql[];
extern const char embed_0002_status_sql[];
extern const char embed_0003_trust_sql[];
extern const char embed_0004_evidence_sql[];
extern const char embed_0005_first_sql[];
extern const char embed_0006_hold_sql[];

static const char *const STEPS[] = { embed_0001_first_sql, embed_0002_status_sql,
                                     embed_0003_trust_sql, embed_0004_evidence_sql,
                                     embed_0005_first_sql, embed_0006_hold_sql };

int store_schema_version(void)
{
    return (int)(sizeof STEPS / sizeof *STEPS);
}

/* user_version is in the file's header: it can be read before there is any table. */
static enum err version_get(struct db *db, int *version_out)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, "PRAGMA user_version", &q);

    if (e != ERR_OK)
        return e;
    e = db_step(q);
    if (e == ERR_OK)
        *version_out = (int)db_int(q, 0);
    db_done(q);
    return e;
}

static enum err step(struct db *db, int version)
{
    char sql[120];
    enum err e = db_exec(db, "BEGIN IMMEDIATE");

    if (e != ERR_OK)
        return e;
    e = db_exec(db, STEPS[version - 1]);
    snprintf(sql, sizeof sql, "INSERT INTO schema_version (version, at_ms) VALUES (%d, %lld)",
             version, (long long)clock_now_ms());
    if (e == ERR_OK)
        e = db_exec(db, sql);
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", version);
    if (e == ERR_OK)
        e = db_exec(db, sql);
    if (e == ERR_OK)
        e = db_exec(db, "COMMIT");
    if (e != ERR_OK)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

enum err migrate(struct db *db)
{
    int version = 0;
    enum err e = version_get(db, &version);

    if (e != ERR_OK)
        return e;
    if (version > store_schema_version())
        return FAIL(ERR_DB, "the database has version %d, this program knows %d", version,
                    store_schema_version());
    while (e == ERR_OK && version < store_schema_version())
        e = step(db, ++version);
    return e;
}
