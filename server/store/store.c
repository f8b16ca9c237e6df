/*
 * The store: one writer thread with group commit, and a reading connection for each thread.
 *
 *   submit ──► queue ──► BEGIN ─ SAVEPOINT, run, RELEASE (or ROLLBACK TO) ─ … ─ COMMIT
 *                                                                                 │ on disk
 *                                              done(job) ◄── committed(hook) ◄────┘
 *
 * A batch is whatever waits when the one before is on disk, at most BATCH_MAX jobs.
 */

#include "base/log.h"
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_MAX = 512 };

struct reader {
    struct db db;
    struct reader *next;
};

struct store {
    char *path;
    char memory_name[64]; /* shared-cache name of an in-memory store */
    struct store_hooks hooks;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct store_job *first, *last;
    bool stopping;
    struct reader *readers;
    uint64_t commits, jobs;

    pthread_key_t reader_key;
    struct db writer; /* the writer thread's alone */
};

static const char *path_of(const struct store *s)
{
    return s->memory_name[0] != '\0' ? s->memory_name : s->path;
}

static void run_job(struct store_job *job, struct db *db)
{
    err_clear();
    job->detail[0] = '\0';
    job->field = NULL;
    job->err = db_exec(db, "SAVEPOINT job");
    if (job->err == ERR_OK)
        job->err = job->run(job, db);
    if (job->err == ERR_OK) {
        job->err = db_exec(db, "RELEASE job");
    } else {
        const char *detail = err_detail();

        snprintf(job->detail, sizeof job->detail, "%s", detail != NULL ? detail : "");
        job->field = err_field();
        sqlite3_exec(db->handle, "ROLLBACK TO job; RELEASE job", NULL, NULL, NULL);
    }
}

/* One transaction. Every job of the list has its error afterwards. */
static void run_batch(struct store *s, struct store_job *list)
{
    bool any = false;
    enum err e = db_exec(&s->writer, "BEGIN IMMEDIATE");

    for (struct store_job *j = list; j != NULL; j = j->next) {
        if (e == ERR_OK)
            run_job(j, &s->writer);
        else
            j->err = e;
        any = any || j->err == ERR_OK;
        /* A full disk or a failed read may end the whole transaction: nothing of it stands, and
         * the next savepoint would begin one of its own. */
        if (e == ERR_OK && sqlite3_get_autocommit(s->writer.handle) != 0)
            e = j->err != ERR_OK ? j->err : ERR_DB;
    }
    if (e == ERR_OK)
        e = db_exec(&s->writer, "COMMIT");
    if (e != ERR_OK) {
        sqlite3_exec(s->writer.handle, "ROLLBACK", NULL, NULL, NULL);
        for (struct store_job *j = list; j != NULL; j = j->next)
            if (j->err == ERR_OK)
                j->err = e;
        any = false;
    }
    if (any && s->hooks.committed != NULL)
        s->hooks.committed(s->hooks.ctx, &s->writer);
    if (!any && s->hooks.rolled_back != NULL)
        s->hooks.rolled_back(s->hooks.ctx);
}

static struct store_job *take_batch(struct store *s, uint64_t *n_out)
{
    struct store_job *list = s->first;
    struct store_job *last = list;

    *n_out = 1;
    while (last->next != NULL && *n_out < BATCH_MAX) {
        last = last->next;
        (*n_out)++;
    }
    s->first = last->next;
    if (s->first == NULL)
        s->last = NULL;
    last->next = NULL;
    return list;
}

static void *writer_main(void *arg)
{
    struct store *s = arg;

    pthread_mutex_lock(&s->lock);
    while (s->first != NULL || !s->stopping) {
        uint64_t n = 0;
        struct store_job *list;

        if (s->first == NULL) {
            pthread_cond_wait(&s->wake, &s->lock);
            continue;
        }
        list = take_batch(s, &n);
        pthread_mutex_unlock(&s->lock);
        run_batch(s, list);
        pthread_mutex_lock(&s->lock);
        s->commits++;
        s->jobs += n;
        pthread_mutex_unlock(&s->lock);
        while (list != NULL) {
            struct store_job *j = list;

            list = j->next; /* done may free the job */
            j->done(j, j->err);
        }
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* SQLite gives its log the mode of the file, so it is enough to make that. */
static enum err make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return FAIL(ERR_DB, "%s: %s", path, strerror(errno));
    close(fd);
    return ERR_OK;
}

enum err store_open(const char *path, const struct store_hooks *hooks, struct store **store_out)
{
    struct store *s = calloc(1, sizeof *s);
    enum err e = ERR_OK;

    if (s == NULL || (s->path = strdup(path)) == NULL) {
        free(s);
        return FAIL(ERR_MEMORY, "store");
    }
    if (strcmp(path, ":memory:") == 0)
        snprintf(s->memory_name, sizeof s->memory_name, "file:/lapel-%p?vfs=memdb", (void *)s);
    if (hooks != NULL)
        s->hooks = *hooks;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    pthread_key_create(&s->reader_key, NULL);

    if (s->memory_name[0] == '\0')
        e = make_file(path);
    if (e == ERR_OK)
        e = db_open(path_of(s), true, &s->writer);
    if (e != ERR_OK)
        goto fail;
    e = migrate(&s->writer);
    if (e != ERR_OK)
        goto fail_open;
    if (pthread_create(&s->thread, NULL, writer_main, s) != 0) {
        e = FAIL(ERR_MEMORY, "no thread for the writer");
        goto fail_open;
    }
    *store_out = s;
    return ERR_OK;

fail_open:
    db_close(&s->writer);
fail:
    pthread_key_delete(s->reader_key);
    free(s->path);
    free(s);
    return e;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    while (s->readers != NULL) {
        struct reader *r = s->readers;

        s->readers = r->next;
        db_close(&r->db);
        free(r);
    }
    /* Leaves one file without a log behind, so that a copy of it is whole. */
    sqlite3_exec(s->writer.handle, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    db_close(&s->writer);
    pthread_key_delete(s->reader_key);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

/* A reader lives as long as the store: the HTTP threads do too. */
struct db *store_reader(struct store *s)
{
    struct reader *r = pthread_getspecific(s->reader_key);

    if (r != NULL)
        return &r->db;
    r = calloc(1, sizeof *r);
    if (r == NULL || db_open(path_of(s), false, &r->db) != ERR_OK) {
        free(r);
        return NULL;
    }
    pthread_mutex_lock(&s->lock);
    r->next = s->readers;
    s->readers = r;
    pthread_mutex_unlock(&s->lock);
    pthread_setspecific(s->reader_key, r);
    return &r->db;
}

void store_submit(struct store *s, struct store_job *job)
{
    bool stopping;

    job->next = NULL;
    pthread_mutex_lock(&s->lock);
    stopping = s->stopping;
    if (!stopping) {
        if (s->last != NULL)
            s->last->next = job;
        else
            s->first = job;
        s->last = job;
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    if (stopping) {
        job->err = ERR_STOPPING;
        job->done(job, ERR_STOPPING);
    }
}

struct waiting {
    struct store_job job; /* first: the job is the waiting */
    enum err (*run)(void *ctx, struct db *db);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool over;
};

static enum err waiting_run(struct store_job *job, struct db *db)
{
    struct waiting *w = (struct waiting *)job;

    return w->run(w->ctx, db);
}

static void waiting_done(struct store_job *job, enum err e)
{
    struct waiting *w = (struct waiting *)job;

    (void)e;
    pthread_mutex_lock(&w->lock);
    w->over = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

enum err store_write(struct store *s, enum err (*run)(void *ctx, struct db *db), void *ctx)
{
    struct waiting w = { .job = { .run = waiting_run, .done = waiting_done },
                         .run = run,
                         .ctx = ctx,
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .cond = PTHREAD_COND_INITIALIZER };

    store_submit(s, &w.job);
    pthread_mutex_lock(&w.lock);
    while (!w.over)
        pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    return w.job.err;
}

void store_counts(struct store *s, uint64_t *commits_out, uint64_t *jobs_out)
{
    pthread_mutex_lock(&s->lock);
    *commits_out = s->commits;
    *jobs_out = s->jobs;
    pthread_mutex_unlock(&s->lock);
}
