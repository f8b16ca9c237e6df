#include "engine/engine.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "engine/rollout.h"
#include "store/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FLUSH_MAX = 4096, FLUSH_EVERY_MS = 5000 };

/* --- Snapshots --- */

const struct snapshot *engine_snapshot(struct engine *en)
{
    pthread_rwlock_rdlock(&en->lock);
    return en->now;
}

void engine_snapshot_done(struct engine *en)
{
    pthread_rwlock_unlock(&en->lock);
}

const struct snapshot *engine_snapshot_writer(struct engine *en, struct db *db)
{
    if (!en->dirty)
        return en->now; /* only this thread replaces it */
    if (en->next == NULL) {
        uint32_t generation = en->generation + 1 == 0 ? 1 : en->generation + 1;

        if (snapshot_build(db, en->config.public_url, generation, clock_now_ms(), &en->next) !=
            ERR_OK)
            return NULL;
    }
    return en->next;
}

void engine_dirty(struct engine *en)
{
    en->dirty = true;
    snapshot_free(en->next);
    en->next = NULL;
}

void engine_look_at(struct engine *en, int64_t look_ms)
{
    atomic_store(&en->look_ms, look_ms);
}

void engine_kill(struct engine *en, int32_t release)
{
    if (en->killed_n < sizeof en->killed / sizeof *en->killed)
        en->killed[en->killed_n++] = release;
    else
        en->killed[0] = -1; /* too many to tell apart: all */
    engine_dirty(en);
}

enum err engine_drop_tokens(struct engine *en, struct db *db, int32_t device)
{
    uint8_t digests[2][32];
    int n = 0;
    enum err e = device_token_list(db, device, digests, &n);

    for (int i = 0; e == ERR_OK && i < n; i++) {
        if (en->dropped_n == en->dropped_room) {
            size_t room = en->dropped_room == 0 ? 64 : en->dropped_room * 2;
            void *more = realloc(en->dropped, room * sizeof *en->dropped);

            if (more == NULL)
                return FAIL(ERR_MEMORY, "tokens");
            en->dropped = more;
            en->dropped_room = room;
        }
        memcpy(en->dropped[en->dropped_n++], digests[i], 32);
    }
    return e;
}

static void batch_over(struct engine *en)
{
    snapshot_free(en->next);
    en->next = NULL;
    en->dirty = false;
    en->killed_n = 0;
    en->dropped_n = 0;
}

/* After the COMMIT, before anybody is told of it. */
static void committed(void *ctx, struct db *db)
{
    struct engine *en = ctx;
    struct snapshot *old = NULL;

    if (en->dirty && engine_snapshot_writer(en, db) != NULL) {
        pthread_rwlock_wrlock(&en->lock);
        old = en->now;
        en->now = en->next;
        en->next = NULL;
        en->generation = en->now->generation;
        pthread_rwlock_unlock(&en->lock);
        snapshot_free(old);
        pthread_mutex_lock(&en->clock_lock);
        pthread_cond_signal(&en->clock_wake);
        pthread_mutex_unlock(&en->clock_lock);
    } else if (en->dirty) {
        /* What devices are told no longer fits what is stored: better to stop than to lie. */
        LOG_ERROR("no snapshot after a change: stopping");
        abort();
    }
    for (size_t i = 0; i < en->dropped_n; i++)
        known_drop(en->known, en->dropped[i]);
    for (size_t i = 0; i < en->killed_n; i++)
        if (en->config.kill != NULL)
            en->config.kill(en->config.ctx, en->killed[i]);
    batch_over(en);
}

static void rolled_back(void *ctx)
{
    batch_over(ctx);
}

/* --- The clock: waves that are due, and last-seen times --- */

struct flush {
    size_t n;
    struct known_seen list[FLUSH_MAX];
};

static enum err flush_run(void *ctx, struct db *db)
{
    struct flush *f = ctx;
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < f->n; i++)
        e = device_seen(db, f->list[i].device, (int64_t)f->list[i].seen_s * 1000);
    return e;
}

static void flush(struct engine *en, struct flush *f)
{
    do {
        f->n = known_take_seen(en->known, f->list, FLUSH_MAX);
        if (f->n > 0 && store_write(en->store, flush_run, f) != ERR_OK)
            return;
    } while (f->n == FLUSH_MAX);
}

static enum err tick_run(void *ctx, struct db *db)
{
    return rollout_tick(ctx, db, clock_now_ms());
}

static bool is_due(struct engine *en)
{
    const struct snapshot *s = engine_snapshot(en);
    bool due = (s->due_ms != 0 && s->due_ms <= clock_now_ms()) ||
               atomic_load(&en->look_ms) <= clock_now_ms();

    engine_snapshot_done(en);
    return due;
}

static void *clock_main(void *arg)
{
    struct engine *en = arg;
    struct flush *f = malloc(sizeof *f);
    int64_t flushed_ms = clock_mono_ms();
    struct timespec until;

    pthread_mutex_lock(&en->clock_lock);
    while (!en->stopping && f != NULL) {
        pthread_mutex_unlock(&en->clock_lock);
        statements_reserve(en->statements);
        if (is_due(en))
            store_write(en->store, tick_run, en);
        if (clock_mono_ms() - flushed_ms >= FLUSH_EVERY_MS) {
            flush(en, f);
            flushed_ms = clock_mono_ms();
        }
        pthread_mutex_lock(&en->clock_lock);
        if (en->stopping)
            break;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 250 * 1000 * 1000;
        if (until.tv_nsec >= 1000 * 1000 * 1000) {
            until.tv_nsec -= 1000 * 1000 * 1000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&en->clock_wake, &en->clock_lock, &until);
    }
    pthread_mutex_unlock(&en->clock_lock);
    if (f != NULL)
        flush(en, f);
    free(f);
    return NULL;
}

/* --- Life --- */

/* A key that signs what devices install must not be at hand here. */
static enum err open_anchors(const struct engine *en, struct trust **trust_out)
{
    char path[4096];
    enum err e;

    snprintf(path, sizeof path, "%s/anchors", en->config.data_dir);
    e = trust_open(en->config.trust_dir != NULL ? en->config.trust_dir : path,
                   en->config.allow_test_keys, trust_out);
    if (e == ERR_OK && trust_has(*trust_out, online_key_id(en->online))) {
        trust_close(*trust_out);
        *trust_out = NULL;
        return FAIL(ERR_CONFIG, "the online key is a trust anchor too: it must sign no release");
    }
    return e;
}

static enum err open_statements(struct engine *en)
{
    char path[4096], numbers[4096];
    struct statement_config config = { .number_file = numbers,
                                       .max_age_s = en->config.statement_max_age_s,
                                       .stale_after_s = en->config.statement_stale_after_s };
    enum err e;

    snprintf(path, sizeof path, "%s/online-key.pem", en->config.data_dir);
    snprintf(numbers, sizeof numbers, "%s/statement-number", en->config.data_dir);
    e = online_open(en->config.online_key != NULL ? en->config.online_key : path, &en->online);
    return e == ERR_OK ? statements_open(&config, en->online, clock_now_ms(), &en->statements) : e;
}

static enum err open_erase(struct engine *en)
{
    char list[4096], key[4096];

    snprintf(list, sizeof list, "%s/erased", en->config.data_dir);
    snprintf(key, sizeof key, "%s/erased.key", en->config.data_dir);
    return erase_open(list, key, &en->erase);
}

static enum err apply_run(void *ctx, struct db *db)
{
    struct engine *en = ctx;
    unsigned count = 0;
    enum err e = erase_apply(en->erase, db, &count);

    if (e == ERR_OK && count > 0)
        LOG_WARN("the database held %u devices that were erased: erased again", count);
    return e;
}

static enum err open_parts(struct engine *en)
{
    struct store_hooks hooks = { en, committed, rolled_back };
    char path[4096];
    enum err e = open_statements(en);

    if (e == ERR_OK)
        e = open_erase(en);
    if (e == ERR_OK)
        e = open_anchors(en, &en->trust);
    if (e != ERR_OK)
        return e;
    snprintf(path, sizeof path, "%s/artifacts", en->config.data_dir);
    e = artifact_open(path, en->config.ballast, &en->artifacts);
    if (e != ERR_OK)
        return e;
    snprintf(path, sizeof path, "%s/lapel.db", en->config.data_dir);
    e = store_open(path, &hooks, &en->store);
    if (e != ERR_OK)
        return e;
    en->known = known_new(0);
    if (en->known == NULL)
        return FAIL(ERR_MEMORY, "cache");
    return store_write(en->store, apply_run, en);
}

static enum err first_snapshot(struct engine *en)
{
    struct db *db = store_reader(en->store);

    en->generation = 1;
    en->shed.rate = en->config.checkins;
    if (db != NULL && device_count(db, 0, &en->shed.fleet) != ERR_OK)
        return ERR_DB;
    return db == NULL ? ERR_DB
                      : snapshot_build(db, en->config.public_url, 1, clock_now_ms(), &en->now);
}

enum err engine_open(const struct engine_config *config, struct engine **engine_out)
{
    struct engine *en = calloc(1, sizeof *en);
    pthread_rwlockattr_t attr;
    enum err e;

    if (en == NULL)
        return FAIL(ERR_MEMORY, "engine");
    en->config = *config;
    en->started_ms = clock_now_ms();
    pthread_rwlockattr_init(&attr);
    /* Else check-ins without a pause could keep a halt waiting. */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&en->lock, &attr);
    pthread_rwlock_init(&en->trust_lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    pthread_mutex_init(&en->clock_lock, NULL);
    pthread_mutex_init(&en->shed_lock, NULL);
    pthread_cond_init(&en->clock_wake, NULL);
    e = open_parts(en);
    if (e == ERR_OK)
        e = first_snapshot(en);
    if (e == ERR_OK && pthread_create(&en->clock, NULL, clock_main, en) != 0)
        e = FAIL(ERR_MEMORY, "no thread for the clock");
    if (e != ERR_OK) {
        engine_close(en);
        return e;
    }
    en->clock_runs = true;
    *engine_out = en;
    return ERR_OK;
}

void engine_close(struct engine *en)
{
    if (en == NULL)
        return;
    pthread_mutex_lock(&en->clock_lock);
    en->stopping = true;
    pthread_cond_signal(&en->clock_wake);
    pthread_mutex_unlock(&en->clock_lock);
    if (en->clock_runs)
        pthread_join(en->clock, NULL);
    store_close(en->store);
    artifact_close(en->artifacts);
    trust_close(en->trust);
    known_free(en->known);
    statements_close(en->statements);
    erase_close(en->erase);
    online_close(en->online);
    snapshot_free(en->now);
    snapshot_free(en->next);
    free(en->dropped);
    pthread_rwlock_destroy(&en->lock);
    pthread_rwlock_destroy(&en->trust_lock);
    pthread_cond_destroy(&en->clock_wake);
    pthread_mutex_destroy(&en->clock_lock);
    pthread_mutex_destroy(&en->shed_lock);
    free(en);
}

enum err engine_reload(struct engine *en)
{
    struct trust *fresh = NULL;
    struct trust *old;
    enum err e = open_anchors(en, &fresh);

    if (e != ERR_OK)
        return e;
    pthread_rwlock_wrlock(&en->trust_lock);
    old = en->trust;
    en->trust = fresh;
    pthread_rwlock_unlock(&en->trust_lock);
    trust_close(old);
    return ERR_OK;
}

/* --- Too many at a time --- */

uint32_t engine_admit(struct engine *en, int64_t now_ms)
{
    uint64_t chance = 0;
    uint32_t wait;

    if (en->config.checkins != 0)
        bytes_random(&chance, sizeof chance);
    pthread_mutex_lock(&en->shed_lock);
    wait = shed_decide(&en->shed, now_ms / 1000, chance);
    pthread_mutex_unlock(&en->shed_lock);
    return wait;
}

uint32_t engine_turn_away(struct engine *en, int64_t now_ms)
{
    uint64_t chance = 0;
    uint32_t wait;

    bytes_random(&chance, sizeof chance);
    pthread_mutex_lock(&en->shed_lock);
    wait = shed_away(&en->shed, now_ms / 1000, chance);
    pthread_mutex_unlock(&en->shed_lock);
    return wait;
}

/* --- The audit --- */

static void field(struct strbuf *b, const char *text)
{
    strbuf_format(b, "%zu:%s,", strlen(text), text);
}

static enum err seal(const uint8_t before[32], const struct audit *a, uint8_t hash_out[32])
{
    struct strbuf b;
    size_t n = 0;
    char *text;
    bool ok;

    strbuf_init(&b);
    strbuf_add(&b, before, 32);
    strbuf_format(&b, "%d,%lld,%d,", a->id, (long long)a->at_ms, a->credential);
    field(&b, a->who);
    field(&b, a->act);
    field(&b, a->target);
    field(&b, a->detail);
    text = strbuf_take(&b, &n);
    strbuf_fini(&b);
    if (text == NULL)
        return FAIL(ERR_MEMORY, "audit");
    ok = sha256(text, n, hash_out);
    free(text);
    return ok ? ERR_OK : FAIL(ERR_INTERNAL, "no SHA-256");
}

enum err engine_audit(struct db *db, const struct actor *actor, int64_t now_ms, const char *act,
                      const char *target, const char *detail)
{
    struct audit last = { 0 };
    struct audit a = { 0 };
    enum err e = audit_last(db, &last);

    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    a.id = last.id + 1;
    a.at_ms = now_ms;
    a.credential = actor != NULL ? actor->credential : 0;
    snprintf(a.who, sizeof a.who, "%s", actor != NULL ? actor->name : "lapeld");
    snprintf(a.act, sizeof a.act, "%s", act);
    snprintf(a.target, sizeof a.target, "%s", target);
    snprintf(a.detail, sizeof a.detail, "%s", detail != NULL ? detail : "");
    e = seal(last.hash, &a, a.hash);
    return e == ERR_OK ? audit_put(db, &a) : e;
}

/* --- Tokens --- */

enum err token_make(char text_out[TOKEN_TEXT], uint8_t digest_out[32])
{
    uint8_t secret[32];

    bytes_random(secret, sizeof secret);
    bytes_to_base64url(secret, sizeof secret, text_out);
    bytes_wipe(secret, sizeof secret);
    return token_digest(text_out, TOKEN_TEXT - 1, digest_out) ? ERR_OK
                                                              : FAIL(ERR_INTERNAL, "no SHA-256");
}

bool token_digest(const char *text, size_t n, uint8_t digest_out[32])
{
    if (n != TOKEN_TEXT - 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return sha256(text, n, digest_out);
}
