/*
 * A small application behind the real main and listeners, so that http/ is tested without the rest.
 * Linked with server/main.c in place of api/.
 *
 *   GET  /healthz           well
 *   GET  /hello             a few bytes
 *   POST /echo              at most 4096 bytes, sent back
 *   PUT  /sink              at most 100 MiB, counted
 *   PUT  /denied            401 at the headers
 *   GET  /file              data_dir/file.bin, with tag 7
 *   GET  /source            the client's address, and whether its hop is encrypted
 *   GET  /path/{segment}    the segment, decoded
 *   GET  /query?x=          the argument
 *   POST /later             answered when POST /finish comes, or at the end
 *   POST /soon              answered by another thread, at once
 *   POST /kill              http_kill_tag(7)
 *   POST /kill-all          http_kill_tag(-1)
 *   GET  /count             what happened so far
 */
#include "api/api.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PENDING_MAX = 4096 };

struct api {
    struct http_dispatcher dispatcher;
    struct api_config config;
    _Atomic(struct http *) http;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct http_request *later[PENDING_MAX];
    unsigned later_n;
    struct http_request *soon[PENDING_MAX];
    unsigned soon_n;
    bool stop;
    pthread_t worker;
    atomic_llong sink_bytes, aborts, begun, done, sent;
};

static bool is(const struct http_request *req, enum http_method method, const char *path)
{
    enum http_method asked = req->method == HTTP_HEAD ? HTTP_GET : req->method;

    return asked == method && strcmp(req->path, path) == 0;
}

static void text(struct http_reply *reply, const char *bytes)
{
    http_reply_init(reply, 200);
    http_reply_copy_body(reply, "text/plain", bytes, strlen(bytes));
}

static void finish_with(struct http_request *req, const char *bytes)
{
    struct http_reply reply;

    text(&reply, bytes);
    http_finish(req, &reply);
}

static enum err sink_write(void *ctx, const void *bytes, size_t n)
{
    struct api *app = ctx;

    (void)bytes;
    atomic_fetch_add(&app->sink_bytes, (long long)n);
    return ERR_OK;
}

static void sink_abort(void *ctx)
{
    struct api *app = ctx;

    atomic_fetch_add(&app->aborts, 1);
    LOG_INFO("sink aborted");
}

static enum http_verdict begin(void *ctx, struct http_request *req, struct http_accept *accept,
                               struct http_reply *reply)
{
    struct api *app = ctx;

    atomic_fetch_add(&app->begun, 1);
    if (is(req, HTTP_PUT, "/denied")) {
        http_reply_problem(reply, ERR_UNAUTHORIZED, NULL, NULL);
        return HTTP_REPLY;
    }
    if (req->method == HTTP_POST)
        accept->limit = 4096;
    if (is(req, HTTP_PUT, "/sink")) {
        accept->limit = 100 << 20;
        accept->sink = (struct http_sink){ app, sink_write, sink_abort };
    }
    return HTTP_ACCEPT;
}

static void answer_file(struct api *app, const struct http_request *req, struct http_reply *reply)
{
    static const uint8_t ETAG[32] = { 0xab, 0xcd };
    char path[512];
    struct stat st;
    int fd;

    snprintf(path, sizeof path, "%s/file.bin", app->config.data_dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        http_reply_problem(reply, ERR_NOT_FOUND, strerror(errno), NULL);
        return;
    }
    http_reply_file(reply, req, "application/octet-stream", fd, st.st_size, ETAG);
    reply->tag = 7;
}

static void answer_source(const struct http_request *req, struct http_reply *reply)
{
    struct http_address a;
    char ip[INET6_ADDRSTRLEN];
    char line[80];

    http_source(req, &a);
    inet_ntop(AF_INET6, a.bytes, ip, sizeof ip);
    snprintf(line, sizeof line, "%s %s\n", ip, req->is_tls ? "tls" : "clear");
    text(reply, line);
}

static void answer_count(struct api *app, struct http_reply *reply)
{
    char line[200];

    pthread_mutex_lock(&app->lock);
    unsigned pending = app->later_n;
    pthread_mutex_unlock(&app->lock);
    snprintf(line, sizeof line, "sink %lld aborts %lld begun %lld done %lld sent %lld pending %u\n",
             atomic_load(&app->sink_bytes), atomic_load(&app->aborts), atomic_load(&app->begun),
             atomic_load(&app->done), atomic_load(&app->sent), pending);
    text(reply, line);
}

static enum http_verdict keep(struct api *app, struct http_request **list, unsigned *n,
                              struct http_request *req)
{
    pthread_mutex_lock(&app->lock);
    list[(*n)++] = req;
    pthread_cond_signal(&app->wake);
    pthread_mutex_unlock(&app->lock);
    return HTTP_PENDING;
}

static void finish_later(struct api *app, const char *bytes)
{
    pthread_mutex_lock(&app->lock);
    for (unsigned i = 0; i < app->later_n; i++)
        finish_with(app->later[i], bytes);
    app->later_n = 0;
    pthread_mutex_unlock(&app->lock);
}

static void answer_path(const struct http_request *req, struct http_reply *reply)
{
    char segment[64];
    const char *from = req->path + strlen("/path/");

    if (http_path_decode(from, strlen(from), segment, sizeof segment))
        text(reply, segment);
    else
        http_reply_problem(reply, ERR_INVALID, "broken escape", "path");
}

static enum http_verdict end(void *ctx, struct http_request *req, struct http_reply *reply)
{
    struct api *app = ctx;

    if (is(req, HTTP_GET, "/hello") || is(req, HTTP_GET, "/healthz"))
        text(reply, "hello\n");
    else if (is(req, HTTP_POST, "/echo"))
        http_reply_copy_body(reply, "application/octet-stream", req->body, req->body_size),
            reply->status = 200;
    else if (is(req, HTTP_PUT, "/sink") || is(req, HTTP_GET, "/count"))
        answer_count(app, reply);
    else if (is(req, HTTP_GET, "/file"))
        answer_file(app, req, reply);
    else if (is(req, HTTP_GET, "/source"))
        answer_source(req, reply);
    else if (is(req, HTTP_GET, "/query"))
        text(reply, http_query(req, "x") != NULL ? http_query(req, "x") : "(none)");
    else if (req->method == HTTP_GET && strncmp(req->path, "/path/", 6) == 0)
        answer_path(req, reply);
    else if (is(req, HTTP_POST, "/later"))
        return keep(app, app->later, &app->later_n, req);
    else if (is(req, HTTP_POST, "/soon"))
        return keep(app, app->soon, &app->soon_n, req);
    else if (is(req, HTTP_POST, "/finish"))
        finish_later(app, "finished\n"), text(reply, "ok\n");
    else if (is(req, HTTP_POST, "/kill"))
        http_kill_tag(app->http, 7), text(reply, "ok\n");
    else if (is(req, HTTP_POST, "/kill-all"))
        http_kill_tag(app->http, -1), text(reply, "ok\n");
    else
        http_reply_problem(reply, ERR_NOT_FOUND, NULL, NULL);
    return HTTP_REPLY;
}

static void done(void *ctx, struct http_request *req, int status, bool sent)
{
    struct api *app = ctx;

    (void)req;
    (void)status;
    atomic_fetch_add(&app->done, 1);
    if (sent)
        atomic_fetch_add(&app->sent, 1);
}

/* Answers /soon in batches, as a store's writer does. */
static void *work(void *ctx)
{
    struct api *app = ctx;

    pthread_mutex_lock(&app->lock);
    while (!app->stop || app->soon_n > 0) {
        if (app->soon_n == 0)
            pthread_cond_wait(&app->wake, &app->lock);
        for (unsigned i = 0; i < app->soon_n; i++)
            finish_with(app->soon[i], "soon\n");
        app->soon_n = 0;
    }
    pthread_mutex_unlock(&app->lock);
    return NULL;
}

static void stop_worker(struct api *app)
{
    pthread_mutex_lock(&app->lock);
    bool stopped = app->stop;
    app->stop = true;
    pthread_cond_signal(&app->wake);
    pthread_mutex_unlock(&app->lock);
    if (!stopped)
        pthread_join(app->worker, NULL);
}

static void drain(void *ctx)
{
    struct api *app = ctx;

    finish_later(app, "drained\n");
    stop_worker(app);
}

enum err api_open(const struct api_config *config, struct api **app_out)
{
    struct api *app = calloc(1, sizeof *app);

    if (app == NULL)
        return FAIL(ERR_MEMORY, "stub");
    app->config = *config;
    app->dispatcher = (struct http_dispatcher){ app, begin, end, done, drain };
    pthread_mutex_init(&app->lock, NULL);
    pthread_cond_init(&app->wake, NULL);
    pthread_create(&app->worker, NULL, work, app);
    *app_out = app;
    return ERR_OK;
}

void api_dispatcher(struct api *app, struct http_dispatcher *dispatcher_out)
{
    *dispatcher_out = app->dispatcher;
}

void api_attach(struct api *app, struct http *http)
{
    app->http = http;
}

enum err api_reload(struct api *app)
{
    (void)app;
    return ERR_OK;
}

void api_close(struct api *app)
{
    if (app != NULL)
        stop_worker(app);
    free(app);
}

enum err api_bootstrap(struct api *app)
{
    (void)app;
    return ERR_CONFLICT;
}

void api_print_routes(FILE *out)
{
    fputs("none\n", out);
}
