/*
 * Payload upload: to disk as it comes, then hashed, synced and named by a thread of its own, since
 * syncing gigabytes takes longer than an HTTP thread may.
 */

#include "api/call.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static enum err sink_write(void *ctx, const void *bytes, size_t n)
{
    struct call *c = ctx;

    return artifact_write(c->upload, bytes, n);
}

static void reply_json(struct call *c, int status, int64_t size)
{
    json_t *out = json_pack("{s:o, s:o}", "sha256", json_hex(c->payload, sizeof c->payload), "size",
                            json_number((uint64_t)size));
    char *text = json_dumps(out, JSON_COMPACT);

    json_decref(out);
    http_reply_init(&c->reply, status);
    if (text != NULL)
        http_reply_take_body(&c->reply, "application/json", text, strlen(text));
    c->replied = true;
}

static enum err open_upload(struct call *c, bool *here_out)
{
    struct db *db = store_reader(c->engine->store);
    int64_t size = 0;
    enum err e = db == NULL ? ERR_DB : call_digest(c, "sha256", c->payload);

    *here_out = false;
    if (e == ERR_OK && c->req->body_length <= 0)
        return call_bad(c, ERR_LENGTH, "Content-Length", "must be there, and not 0");
    if (e == ERR_OK)
        e = artifact_row_get(db, c->payload, &size);
    if (e == ERR_OK) {
        *here_out = true;
        reply_json(c, 200, size);
        return ERR_OK;
    }
    return e == ERR_NOT_FOUND
               ? artifact_begin(c->engine->artifacts, c->payload, c->req->body_length, &c->upload)
               : e;
}

enum http_verdict upload_begin(struct call *c, struct http_accept *accept)
{
    bool here = false;
    enum err e = open_upload(c, &here);

    if (e != ERR_OK) {
        http_reply_problem(&c->reply, e, err_status(e) < 500 ? err_detail() : NULL,
                           c->field[0] != '\0' ? c->field : err_field());
        return HTTP_REPLY;
    }
    if (here)
        return HTTP_REPLY;
    accept->sink = (struct http_sink){ .ctx = c, .write = sink_write };
    return HTTP_ACCEPT;
}

static enum err store_row(void *ctx, struct db *db)
{
    struct call *c = ctx;

    return artifact_row_put(db, c->payload, c->req->body_length, c->now_ms);
}

/* The bytes are on disk under their name, then the row, then the answer. */
static void *commit_main(void *arg)
{
    struct call *c = arg;
    struct api *api = c->api;
    struct artifact_upload *upload = c->upload;
    enum err e;

    err_clear();
    c->upload = NULL; /* taken */
    e = artifact_commit(upload);
    if (e == ERR_OK)
        e = store_write(c->engine->store, store_row, c);
    if (e == ERR_OK)
        reply_json(c, 201, c->req->body_length);
    call_finish(c, e, err_detail(), err_field());
    atomic_fetch_sub(&api->slow, 1);
    return NULL;
}

enum err upload_call(struct call *c, struct db *db)
{
    pthread_attr_t attr;
    pthread_t thread;
    int rc;

    (void)db;
    if (c->req->sink_err != ERR_OK) { /* its file goes before the answer does */
        artifact_abort(c->upload);
        c->upload = NULL;
        return c->req->sink_err;
    }
    atomic_fetch_add(&c->api->slow, 1);
    c->pending = true;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    rc = pthread_create(&thread, &attr, commit_main, c);
    pthread_attr_destroy(&attr);
    if (rc == 0)
        return ERR_OK;
    c->pending = false;
    atomic_fetch_sub(&c->api->slow, 1);
    return FAIL(ERR_BUSY, "no thread for an upload");
}

/* GET and HEAD: is it here? HEAD is what tools ask; the body is the same JSON. */
enum err payload_ask_call(struct call *c, struct db *db)
{
    int64_t size = 0;
    enum err e = call_digest(c, "sha256", c->payload);

    if (e == ERR_OK)
        e = artifact_row_get(db, c->payload, &size);
    if (e == ERR_OK)
        reply_json(c, 200, size);
    return e;
}
