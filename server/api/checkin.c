/* The device interface: bytes to values, and back. */

#include "api/call.h"
#include "base/bytes.h"
#include "lsuit/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void answer(struct call *c)
{
    http_reply_init(&c->reply, 200);
    http_reply_copy_body(&c->reply, "application/cbor", c->checkin->answer, c->checkin->answer_n);
    c->reply.tag = c->checkin->offered; /* a halt that is answered first keeps it back */
    c->replied = true;
}

static enum err checkin_in_writer(struct call *c, struct db *db)
{
    bool must_write = false;
    enum err e = device_checkin(c->engine, db, c->checkin, true, &must_write);

    if (e == ERR_OK)
        answer(c);
    return e;
}

/* Over the limit devices wait, but never one that is trying a new image. */
static bool is_busy(struct call *c)
{
    return atomic_load(&c->api->pending) >= c->api->config.max_pending;
}

static bool in_trial(const struct call *c)
{
    struct lsuit_bytes body = { c->req->body, c->req->body_size };
    struct lsuit_checkin in;
    bool trial = false;

    if (lsuit_checkin_read(body, &in, NULL) != LSUIT_OK)
        return false;
    for (uint32_t i = 0; i < in.running_n; i++)
        trial = trial || in.running[i].state == LSUIT_RUNNING_TRIAL;
    return trial;
}

enum err checkin_call(struct call *c, struct db *db)
{
    bool must_write = false;
    uint32_t wait;
    enum err e;

    if (c->req->body_size == 0)
        return call_bad(c, ERR_MALFORMED, "body", "is empty");
    wait = engine_admit(c->engine, c->now_ms);
    if (wait != 0 && !in_trial(c)) {
        c->retry_s = wait;
        return ERR_BUSY;
    }
    c->checkin = malloc(sizeof *c->checkin);
    if (c->checkin == NULL)
        return FAIL(ERR_MEMORY, "check-in");
    c->checkin->asker = c->asker;
    c->checkin->body = (struct lsuit_bytes){ c->req->body, c->req->body_size };
    c->checkin->now_ms = c->now_ms;
    c->checkin->in_trial = false;
    c->checkin->offered = 0;
    c->checkin->answer_n = 0;
    c->checkin->statement.n = 0;
    if (device_checkin_quick(c->engine, c->checkin)) {
        answer(c);
        return ERR_OK;
    }
    e = device_checkin(c->engine, db, c->checkin, false, &must_write);
    if (e != ERR_OK)
        return e;
    if (!must_write) {
        answer(c);
        return ERR_OK;
    }
    if (is_busy(c) && !c->checkin->in_trial) {
        c->retry_s = engine_turn_away(c->engine, c->now_ms);
        return ERR_BUSY;
    }
    call_submit(c, checkin_in_writer);
    return ERR_OK;
}

/* --- Bytes --- */

enum err call_digest(struct call *c, const char *name, uint8_t digest_out[32])
{
    const char *text = call_param(c, name);

    if (!bytes_from_hex(text, strlen(text), digest_out, 32) ||
        strspn(text, "0123456789abcdef") != 64)
        return call_bad(c, ERR_INVALID, name, "must be 64 lower-case hex digits");
    return ERR_OK;
}

static enum err grant(struct call *c, struct db *db, bool manifest, int32_t *release_out)
{
    bool starts = false;
    enum err e = call_digest(c, "digest", c->payload);

    if (e != ERR_OK)
        return e;
    return device_grant(c->engine, db, &c->asker, c->payload, manifest, call_in_clear(c),
                        release_out, &starts);
}

enum err manifest_call(struct call *c, struct db *db)
{
    int32_t release = 0;
    uint8_t hash[32];
    void *bytes = NULL;
    size_t n = 0;
    enum err e = grant(c, db, true, &release);

    if (e == ERR_OK)
        e = release_read(db, release, RELEASE_SENT, &bytes, &n, hash);
    if (e != ERR_OK)
        return e;
    http_reply_init(&c->reply, 200);
    http_reply_etag(&c->reply, hash);
    http_reply_take_body(&c->reply, "application/suit-envelope+cose", bytes, n);
    c->reply.tag = release;
    c->replied = true;
    return ERR_OK;
}

enum err manifest_text_call(struct call *c, struct db *db)
{
    int32_t release = 0;
    void *bytes = NULL;
    size_t n = 0;
    enum err e = grant(c, db, true, &release);

    if (e == ERR_OK)
        e = release_read(db, release, RELEASE_TEXT, &bytes, &n, NULL);
    if (e == ERR_OK && n == 0) {
        free(bytes);
        return ERR_NOT_FOUND;
    }
    if (e != ERR_OK)
        return e;
    http_reply_init(&c->reply, 200);
    http_reply_take_body(&c->reply, "application/cbor", bytes, n);
    c->replied = true;
    return ERR_OK;
}

/* The first byte goes out: in flight from here on. Nobody waits for this row. */
struct fetching {
    struct store_job job;
    struct engine *engine;
    struct api *api;
    int32_t device, release;
    int64_t now_ms;
};

static enum err fetching_run(struct store_job *job, struct db *db)
{
    struct fetching *f = (struct fetching *)job;

    return device_fetches(f->engine, db, f->device, f->release, f->now_ms);
}

static void fetching_done(struct store_job *job, enum err e)
{
    struct fetching *f = (struct fetching *)job;

    (void)e;
    atomic_fetch_sub(&f->api->pending, 1);
    free(f);
}

static void note_fetching(struct call *c, int32_t release)
{
    struct fetching *f = calloc(1, sizeof *f);

    if (f == NULL)
        return;
    *f = (struct fetching){ .job = { .run = fetching_run, .done = fetching_done },
                            .engine = c->engine,
                            .api = c->api,
                            .device = c->asker.device,
                            .release = release,
                            .now_ms = c->now_ms };
    atomic_fetch_add(&c->api->pending, 1);
    store_submit(c->engine->store, &f->job);
    /* cppcheck-suppress memleak ; fetching_done frees it */
}

enum err payload_call(struct call *c, struct db *db)
{
    int32_t release = 0;
    int64_t size = 0;
    bool starts = false;
    int fd = -1;
    enum err e = call_digest(c, "digest", c->payload);

    if (e == ERR_OK)
        e = device_grant(c->engine, db, &c->asker, c->payload, false, call_in_clear(c), &release,
                         &starts);
    if (e == ERR_OK)
        e = artifact_read(c->engine->artifacts, c->payload, &fd, &size);
    if (e != ERR_OK)
        return e;
    http_reply_file(&c->reply, c->req, "application/octet-stream", fd, size, c->payload);
    c->reply.tag = release;
    c->replied = true;
    if (starts && c->req->method == HTTP_GET)
        note_fetching(c, release);
    return ERR_OK;
}

/* --- Reports --- */

static enum err report_in_writer(struct call *c, struct db *db)
{
    struct lsuit_bytes body = { c->req->body, c->req->body_size };
    bool must_write = false;

    return device_report(c->engine, db, &c->asker, body, c->now_ms, true, &must_write);
}

enum err report_call(struct call *c, struct db *db)
{
    struct lsuit_bytes body = { c->req->body, c->req->body_size };
    bool must_write = false;
    enum err e;

    if (body.len == 0)
        return call_bad(c, ERR_MALFORMED, "body", "is empty");
    e = device_report(c->engine, db, &c->asker, body, c->now_ms, false, &must_write);
    if (e != ERR_OK || !must_write)
        return e;
    if (is_busy(c))
        return ERR_BUSY;
    call_submit(c, report_in_writer);
    return ERR_OK;
}

/* --- Erasing --- */

enum err device_delete_call(struct call *c, struct db *db)
{
    const char *given = http_header(c->req, "Lapel-Erase");
    uint8_t nonce[ERASE_NONCE], receipt[LSUIT_RECEIPT_MAX];
    struct lsuit_bytes presented = { nonce, sizeof nonce };
    size_t n = 0;
    enum err e;

    if (c->asker.device == 0)
        return ERR_UNAUTHORIZED;
    if (given == NULL || !bytes_from_hex(given, strlen(given), nonce, sizeof nonce))
        return call_bad(c, ERR_INVALID, "Lapel-Erase", "must be the erase nonce of an answer");
    e = device_erase_self(c->engine, db, &c->asker, presented, c->now_ms, receipt, &n);
    if (e != ERR_OK)
        return e;
    http_reply_init(&c->reply, 200);
    http_reply_header(&c->reply, "Cache-Control", "no-store");
    http_reply_copy_body(&c->reply, "application/cbor", receipt, n);
    c->replied = true;
    return ERR_OK;
}
