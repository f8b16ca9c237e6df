/* What every store must do: jobs, group commit, migrations, rows. On a real database in a file. */

#include "base/clock.h"
#include "check.h"
#include "store/credential.h"
#include "store/device.h"
#include "store/product.h"
#include "store/release.h"
#include "store/status.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];
static struct store *store;

static void fresh(void)
{
    snprintf(path, sizeof path, "/tmp/lapel-store-XXXXXX");
    if (mkdtemp(path) == NULL)
        exit(1);
    strcat(path, "/db");
}

static void clean(void)
{
    char command[160];

    store_close(store);
    store = NULL;
    snprintf(command, sizeof command, "rm -r %.*s", (int)(strlen(path) - 3), path);
    if (system(command) != 0)
        exit(1);
}

/* --- Jobs --- */

struct put {
    const char *name;
    enum err result;
};

static enum err put_run(void *ctx, struct db *db)
{
    const struct put *p = ctx;
    enum err e = setting_put(db, p->name, "x", 1);

    return e == ERR_OK ? p->result : e;
}

static bool is_there(const char *name)
{
    char value[8];
    size_t n = 0;

    return setting_get(store_reader(store), name, value, sizeof value, &n) == ERR_OK;
}

static void check_jobs(void)
{
    struct put good = { "good", ERR_OK };
    struct put bad = { "bad", ERR_STATE };

    check_case("a job's rows are there when it is done");
    CHECK_INT(store_write(store, put_run, &good), ERR_OK);
    CHECK(is_there("good"));
    check_case("a job that fails leaves nothing");
    CHECK_INT(store_write(store, put_run, &bad), ERR_STATE);
    CHECK(!is_there("bad"));
}

enum { MANY = 400 };
struct counted {
    struct store_job job;
    int n;
};
static struct counted counted[MANY];
static atomic_int told, told_early;
static pthread_barrier_t gate;

static enum err counted_run(struct store_job *job, struct db *db)
{
    struct counted *c = (struct counted *)job;
    char name[24];

    snprintf(name, sizeof name, "many-%d", c->n);
    if (c->n == 0)
        pthread_barrier_wait(&gate); /* until all others wait */
    if (c->n % 7 == 3)
        return FAIL(ERR_STATE, "job %d fails", c->n);
    return setting_put(db, name, "x", 1);
}

static void counted_done(struct store_job *job, enum err e)
{
    struct counted *c = (struct counted *)job;
    char name[24];

    snprintf(name, sizeof name, "many-%d", c->n);
    /* The COMMIT is over: another connection sees the row. */
    if ((e == ERR_OK) != is_there(name) || (e == ERR_OK) == (c->n % 7 == 3))
        atomic_fetch_add(&told_early, 1);
    atomic_fetch_add(&told, 1);
}

static void check_group(void)
{
    uint64_t commits0 = 0, jobs0 = 0, commits = 0, jobs = 0;
    struct put last = { "last", ERR_OK };

    pthread_barrier_init(&gate, NULL, 2);
    store_counts(store, &commits0, &jobs0);
    for (int i = 0; i < MANY; i++) {
        counted[i].n = i;
        counted[i].job.run = counted_run;
        counted[i].job.done = counted_done;
        store_submit(store, &counted[i].job);
    }
    pthread_barrier_wait(&gate);
    store_write(store, put_run, &last); /* comes after all of them */
    store_counts(store, &commits, &jobs);
    check_case("jobs that wait share a commit");
    CHECK_UINT(jobs - jobs0, MANY + 1);
    CHECK(commits - commits0 < 8);
    check_case("each is told, after the commit, of its own fate");
    CHECK_INT(atomic_load(&told), MANY);
    CHECK_INT(atomic_load(&told_early), 0);
    CHECK_STR(counted[3].job.detail, "job 3 fails");
    pthread_barrier_destroy(&gate);
}

static int committed_n;
static void committed(void *ctx, struct db *db)
{
    (void)ctx;
    (void)db;
    committed_n++;
}

/* --- Schema --- */

static int64_t number(const char *sql)
{
    sqlite3 *raw = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t n = -1;

    if (sqlite3_open(path, &raw) == SQLITE_OK &&
        sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(raw);
    return n;
}

/* What a device tells, with its event so many times. */
struct tell {
    int32_t device;
    const struct status *status;
    const struct status_event *event;
    int times;
};

static enum err tell_run(void *ctx, struct db *db)
{
    const struct tell *t = ctx;
    enum err e = status_put(db, t->device, t->status);

    for (int i = 0; e == ERR_OK && i < t->times; i++) {
        struct status_event event = *t->event;
        struct status_fault fault = { .kind = (uint32_t)i, .where = UINT64_MAX, .detail_n = 1 };

        event.count = (uint32_t)i;
        e = event_add(db, t->device, &event);
        if (e == ERR_OK)
            e = fault_add(db, t->device, &fault);
    }
    return e;
}

struct map {
    const uint8_t *digest;
    struct tell tell;
};

static enum err map_run(void *ctx, struct db *db)
{
    struct map *m = ctx;
    enum err e = capability_put(db, m->digest, "map", 3, 1);

    return e == ERR_OK ? tell_run(&m->tell, db) : e;
}

static enum err forget_run(void *ctx, struct db *db)
{
    return device_forget(db, *(const int32_t *)ctx);
}

static void check_status(void)
{
    struct status_event events[EVENT_RING], event = { 7, 1, 5 };
    struct status_fault faults[FAULT_RING];
    struct status status = { .has_capability = true, .at_ms = 1 };
    struct tell tell = { 1, &status, &event, 20 };
    struct map map = { status.capability, tell };
    uint8_t first[32], bytes[CAPABILITY_MAX];
    int32_t device = 1;
    size_t n = 0;
    unsigned count = 0;

    check_case("events and faults are rings, the newest first");
    memset(status.capability, 1, sizeof status.capability);
    memcpy(first, status.capability, sizeof first);
    CHECK_INT(store_write(store, map_run, &map), ERR_OK);
    CHECK_INT(event_list(store_reader(store), 1, events, &count), ERR_OK);
    CHECK_INT(count, EVENT_RING);
    CHECK_INT(events[0].count, 19);
    CHECK_INT(events[EVENT_RING - 1].count, 20 - EVENT_RING);
    CHECK_INT(fault_list(store_reader(store), 1, faults, &count), ERR_OK);
    CHECK_INT(count, FAULT_RING);
    CHECK_INT(faults[0].kind, 19);
    CHECK_UINT(faults[0].where, UINT64_MAX);
    check_case("devices of one build share a capability; it goes with the last that has it");
    CHECK_INT(capability_get(store_reader(store), first, bytes, &n), ERR_OK);
    CHECK(n == 3 && memcmp(bytes, "map", 3) == 0);
    map.tell.device = 2;
    map.tell.times = 0;
    CHECK_INT(store_write(store, map_run, &map), ERR_OK);
    memset(status.capability, 2, sizeof status.capability);
    CHECK_INT(store_write(store, map_run, &map), ERR_OK);
    CHECK_INT(capability_get(store_reader(store), first, NULL, NULL), ERR_OK);
    CHECK_INT(store_write(store, forget_run, &device), ERR_OK);
    CHECK_INT(capability_get(store_reader(store), first, NULL, NULL), ERR_NOT_FOUND);
    CHECK_INT(capability_get(store_reader(store), status.capability, NULL, NULL), ERR_OK);
    check_case("a device that is forgotten leaves no status");
    CHECK_INT(event_list(store_reader(store), 1, events, &count), ERR_OK);
    CHECK_INT(count, 0);
    CHECK_INT(fault_list(store_reader(store), 1, faults, &count), ERR_OK);
    CHECK_INT(count, 0);
}

static void raw_exec(const char *sql)
{
    sqlite3 *raw = NULL;

    if (sqlite3_open(path, &raw) != SQLITE_OK || sqlite3_exec(raw, sql, NULL, NULL, NULL) != 0)
        printf("FAIL %s\n", sql);
    sqlite3_close(raw);
}

extern const char embed_0001_first_sql[];

/* A database as the first schema left it, with a device in it. */
static void check_migration(void)
{
    struct status status = { .auto_security = 2, .at_ms = 5 };
    struct status_event event = { 7, 1, 5 };
    struct status back;
    struct device d;

    check_case("a database of schema 1 gets the second, and keeps its rows");
    fresh();
    raw_exec(embed_0001_first_sql);
    raw_exec("INSERT INTO schema_version (version, at_ms) VALUES (1, 1); PRAGMA user_version = 1;"
             "INSERT INTO device (id, product, name, revoked_ms, created_ms, seen_ms)"
             " VALUES (7, 1, 'lamp-1', 0, 11, 12)");
    CHECK_INT(store_open(path, NULL, &store), ERR_OK);
    CHECK_INT(number("PRAGMA user_version"), store_schema_version());
    CHECK_INT(number("SELECT count(*) FROM schema_version"), store_schema_version());
    CHECK_INT(device_by_id(store_reader(store), 7, &d), ERR_OK);
    CHECK_STR(d.name, "lamp-1");
    CHECK_INT(d.seen_ms, 12);
    check_case("a device of before can tell of itself");
    CHECK_INT(status_get(store_reader(store), 7, &back), ERR_OK);
    CHECK_INT(back.at_ms, 0);
    struct tell tell = { 7, &status, &event, 20 };
    CHECK_INT(store_write(store, tell_run, &tell), ERR_OK);
    CHECK_INT(status_get(store_reader(store), 7, &back), ERR_OK);
    CHECK_INT(back.auto_security, 2);
    clean();
}

static void check_schema(void)
{
    struct stat st;

    check_case("a new database has the newest schema");
    CHECK_INT(number("PRAGMA user_version"), store_schema_version());
    CHECK_INT(number("SELECT count(*) FROM schema_version"), store_schema_version());
    check_case("and is the owner's alone");
    CHECK(stat(path, &st) == 0 && (st.st_mode & 077) == 0);
    check_case("opened again, it keeps its rows and runs no step twice");
    store_close(store);
    CHECK_INT(store_open(path, NULL, &store), ERR_OK);
    CHECK(is_there("good"));
    CHECK_INT(number("SELECT count(*) FROM schema_version"), store_schema_version());
    store_close(store);
    store = NULL;
    check_case("one of a newer program is left alone");
    raw_exec("PRAGMA user_version = 99");
    CHECK_INT(store_open(path, NULL, &store), ERR_DB);
    CHECK_INT(number("PRAGMA user_version"), 99);
    check_case("one of an earlier program gets what it lacks");
    raw_exec(
        "DROP TABLE hold; DROP TABLE first_wave; DROP TABLE watch; DROP TABLE holdout; DROP TABLE control; DROP TABLE stratum;"
        "DROP TABLE evidence; DROP TABLE decision; DROP INDEX work_started;"
        "DROP INDEX work_bad; ALTER TABLE work DROP COLUMN started_ms;"
        "ALTER TABLE work DROP COLUMN bad; ALTER TABLE work DROP COLUMN bad_ms;"
        "ALTER TABLE device DROP COLUMN revision;"
        "ALTER TABLE wave RENAME COLUMN gate TO manual;"
        "INSERT INTO wave (rollout, n, share, devices, soak_ms, manual, approved_ms,"
        " opened_ms, threshold, nobody, members) VALUES (77, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0);"
        "INSERT INTO work (device, release, rollout, wave, state, since_ms)"
        " VALUES (77, 1, 77, 0, 1, 5);"
        "DROP TABLE trust_set; DELETE FROM schema_version WHERE version > 2;"
        "PRAGMA user_version = 2");
    CHECK_INT(store_open(path, NULL, &store), ERR_OK);
    CHECK_INT(number("SELECT gate FROM wave WHERE rollout = 77"), WAVE_MANUAL);
    CHECK_INT(number("SELECT started_ms + bad FROM work WHERE device = 77"), 0);
    CHECK_INT(number("SELECT count(*) FROM decision"), 0);
    CHECK_INT(number("SELECT count(*) FROM hold"), 0);
    CHECK_INT(number("PRAGMA user_version"), store_schema_version());
    CHECK_INT(number("SELECT count(*) FROM trust_set"), 0);
    CHECK_INT(number("SELECT count(*) FROM schema_version"), store_schema_version());
    check_case("closed, it is one file");
    store_close(store);
    store = NULL;
    {
        char wal[80];

        snprintf(wal, sizeof wal, "%s-wal", path);
        CHECK(access(wal, F_OK) != 0);
    }
    check_case("a damaged file is an error, not an empty database");
    {
        FILE *f = fopen(path, "r+");

        CHECK(f != NULL && fwrite("garbage garbage ", 16, 1, f) == 1);
        if (f != NULL)
            fclose(f);
    }
    CHECK_INT(store_open(path, NULL, &store), ERR_DB);
}

/* --- Rows --- */

static enum err rows_run(void *ctx, struct db *db)
{
    struct product p = { .name = "lamp", .model = "EL", .poll_s = 60, .components = "[]" };
    struct product q = { .name = "other", .model = "EL" };
    struct device d = { .name = "a", .created_ms = 5 };
    struct device same = { .name = "a" };
    uint8_t token[32] = { 1 }, next[32] = { 2 };
    struct support s = { .kind = "security", .end_month = 24000 };
    int32_t owner = 0;
    int slot = -1;

    (void)ctx;
    check_case("products");
    CHECK_INT(product_put(db, &p), ERR_OK);
    CHECK_INT(p.id, 1);
    CHECK_INT(product_put(db, &q), ERR_CONFLICT); /* the model */
    CHECK_INT(product_by_name(db, "lamp", &q), ERR_OK);
    CHECK_INT(q.poll_s, 60);
    CHECK_INT(product_by_name(db, "lam", &q), ERR_NOT_FOUND);
    check_case("support periods are only added");
    CHECK_INT(support_add(db, p.id, &s), ERR_OK);
    s.end_month = 23000;
    CHECK_INT(support_add(db, p.id, &s), ERR_OK);
    CHECK_INT(support_last(db, p.id, &s), ERR_OK);
    CHECK_INT(s.end_month, 23000);
    check_case("devices");
    d.product = same.product = p.id;
    CHECK_INT(device_add(db, &d), ERR_OK);
    CHECK_INT(device_add(db, &same), ERR_CONFLICT);
    same.product = 2;
    CHECK_INT(device_add(db, &same), ERR_OK);
    check_case("tokens have two slots");
    CHECK_INT(device_token_put(db, token, d.id, 0, 1), ERR_OK);
    CHECK_INT(device_token_put(db, token, same.id, 0, 1), ERR_CONFLICT);
    CHECK_INT(device_token_put(db, next, d.id, 1, 1), ERR_OK);
    CHECK_INT(device_token_find(db, next, &owner, &slot), ERR_OK);
    CHECK_INT(owner, d.id);
    CHECK_INT(slot, 1);
    CHECK_INT(device_token_promote(db, d.id), ERR_OK);
    CHECK_INT(device_token_find(db, token, &owner, &slot), ERR_NOT_FOUND);
    CHECK_INT(device_token_find(db, next, &owner, &slot), ERR_OK);
    CHECK_INT(slot, 0);
    return ERR_OK;
}

static enum err work_run(void *ctx, struct db *db)
{
    struct work w = { .device = 1, .release = 1, .rollout = 1, .wave = 0, .state = WORK_OFFERED };
    struct outcome o = { .device = 1, .attempt = { 7 }, .class_ = 1 };
    struct running r = { .sequence = 5, .state = 1 };
    struct running list[RUNNING_MAX];
    int64_t counts[WORK_STATES];
    struct device d;
    unsigned n = 0;

    (void)ctx;
    check_case("work is one row for device and release");
    CHECK_INT(work_put(db, &w), ERR_OK);
    w.state = WORK_INSTALLED;
    CHECK_INT(work_put(db, &w), ERR_OK);
    CHECK_INT(work_count(db, 1, 0, counts), ERR_OK);
    CHECK_INT(counts[WORK_OFFERED], 0);
    CHECK_INT(counts[WORK_INSTALLED], 1);
    check_case("an outcome is told once");
    CHECK_INT(outcome_add(db, &o), ERR_OK);
    CHECK_INT(outcome_add(db, &o), ERR_CONFLICT);
    check_case("what it runs");
    CHECK_INT(running_put(db, 1, &r, 1), ERR_OK);
    r.sequence = 6;
    CHECK_INT(running_put(db, 1, &r, 2), ERR_OK);
    r.component[0] = 0x80;
    r.component_n = 1;
    CHECK_INT(running_put(db, 1, &r, 2), ERR_OK);
    CHECK_INT(running_list(db, 1, list, &n), ERR_OK);
    CHECK_INT(n, 2);
    CHECK_INT(list[0].sequence, 6);
    CHECK_INT((int64_t)list[1].component_n, 1);
    check_case("forgotten: every row");
    CHECK_INT(device_forget(db, 1), ERR_OK);
    CHECK_INT(device_by_id(db, 1, &d), ERR_NOT_FOUND);
    CHECK_INT(work_get(db, 1, 1, &w), ERR_NOT_FOUND);
    CHECK_INT(running_list(db, 1, list, &n), ERR_OK);
    CHECK_INT(n, 0);
    CHECK_INT(outcome_add(db, &o), ERR_OK);
    return ERR_OK;
}

static enum err release_run(void *ctx, struct db *db)
{
    struct release r = { .product = 1, .sequence = INT64_MAX, .state = RELEASE_OPEN };
    struct release same = r, got;
    struct release_bytes b = { .envelope = { (const uint8_t *)"envelope", 8 },
                               .sent = { (const uint8_t *)"sent", 4 } };
    struct rollout roll = { .product = 1,
                            .waves_n = 2,
                            .waves = { { .share = 0.5 }, { .devices = 3, .gate = WAVE_MANUAL } } };
    struct rollout back;
    uint8_t digest[32] = { 9 };
    int64_t size = 0, highest = -1;

    (void)ctx;
    check_case("releases");
    CHECK_INT(release_add(db, &r, &b, NULL, 0), ERR_OK);
    CHECK_INT(release_add(db, &same, &b, NULL, 0), ERR_CONFLICT);
    same.class_id[0] = 1; /* another space */
    CHECK_INT(release_add(db, &same, &b, NULL, 0), ERR_OK);
    CHECK_INT(release_by_id(db, r.id, &got), ERR_OK);
    CHECK_INT(got.sequence, INT64_MAX);
    CHECK_INT(got.envelope_size, 8);
    CHECK_INT(got.sent_size, 4);
    CHECK_INT(got.has_priority, false);
    check_case("the highest number offered, by space");
    CHECK_INT(release_highest_offered(db, &r, &highest), ERR_OK);
    CHECK_INT(highest, 0);
    CHECK_INT(release_set_offered(db, r.id), ERR_OK);
    CHECK_INT(release_highest_offered(db, &r, &highest), ERR_OK);
    CHECK_INT(highest, INT64_MAX);
    CHECK_INT(release_highest_offered(db, &same, &highest), ERR_OK);
    CHECK_INT(highest, 0);
    check_case("rollouts and waves");
    roll.release = r.id;
    CHECK_INT(rollout_add(db, &roll), ERR_OK);
    roll.waves[0].opened_ms = 7;
    roll.waves[0].threshold = UINT64_MAX;
    CHECK_INT(wave_set(db, roll.id, 0, &roll.waves[0]), ERR_OK);
    CHECK_INT(rollout_by_release(db, r.id, &back), ERR_OK);
    CHECK_INT(back.waves_n, 2);
    CHECK_UINT(back.waves[0].threshold, UINT64_MAX);
    CHECK(back.waves[0].share == 0.5);
    CHECK_INT(back.waves[1].gate, WAVE_MANUAL);
    CHECK_INT(back.waves[1].devices, 3);
    check_case("payloads");
    CHECK_INT(artifact_row_get(db, digest, &size), ERR_NOT_FOUND);
    CHECK_INT(artifact_row_put(db, digest, 77, 1), ERR_OK);
    CHECK_INT(artifact_row_put(db, digest, 77, 2), ERR_OK);
    CHECK_INT(artifact_row_get(db, digest, &size), ERR_OK);
    CHECK_INT(size, 77);
    return ERR_OK;
}

/* A reader can't write, whatever code it runs. */
static void check_reader(void)
{
    check_case("a reader can't write");
    CHECK_INT(setting_put(store_reader(store), "reader", "x", 1), ERR_DB);
    CHECK(!is_there("reader"));
}

int main(void)
{
    struct store_hooks hooks = { NULL, committed, NULL };

    fresh();
    if (store_open(path, &hooks, &store) != ERR_OK)
        return 1;
    check_jobs();
    check_group();
    check_case("the hook is called for each commit that changed something");
    CHECK(committed_n >= 2);
    store_write(store, rows_run, NULL);
    store_write(store, work_run, NULL);
    store_write(store, release_run, NULL);
    check_reader();
    check_status();
    check_schema();
    clean();
    check_migration();
    return check_done();
}
