/*
 * The listeners, on libmicrohttpd: from its callbacks to those of the dispatcher.
 *
 *   headers whole   on_headers   begin(); a refusal is queued at once when a body would follow
 *   body bytes      on_body      to the sink or to memory
 *   request whole   on_whole     end(); a reply now, or the connection is suspended
 *   reply over      on_completed done()
 *
 * One timer thread ends what is past its deadline: libmicrohttpd's own timeout counts inactivity
 * only, and a client that sends a byte a second is never inactive.
 */
#include "http/address.h"
#include "http/conn.h"
#include "http/tls.h"
#include "http/waiter.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 200,                       /* how late a deadline may be */
    RENEW_TICKS = 3600 * 1000 / TICK_MS, /* how often certificates and ticket keys are looked at */
    STOP_MS = 5000,                      /* replies under way may take this long at the end */
    POOL = 8 * 1024,                     /* of a device's connection: its headers must fit */
    POOL_OPERATOR = 64 * 1024,           /* few connections, large uploads */
    TLS_BLOCK = 16 * 1024,               /* of a file, one record at a time */
    SEND_BUFFER = 128 * 1024,            /* the kernel doubles it */
    DESCRIPTORS_SPARE = 512,
    LINGERS = 64,
    LINGER_MS = 2000,
    LINGER_BYTES = 64 * 1024 * 1024,
};

struct listener {
    struct http *http;
    enum http_listener which;
    struct MHD_Daemon *daemon;
    int fd;
    unsigned port;
    struct tls *tls;
    atomic_uint connections;
};

/*
 * A connection that was refused while its client still sends. Closing it with bytes unread would
 * send a reset, and a reset can overtake the reply. So a copy of its descriptor lives on for a
 * while: libmicrohttpd has sent the reply and closed its own, what comes is read and thrown away.
 */
struct lingering {
    int fd;
    int64_t until_ms;
    int64_t left; /* bytes that are still read */
};

struct http {
    struct http_config config;
    struct http_dispatcher dispatcher;
    struct listener listener[HTTP_LISTENERS];
    struct proxies proxies;
    struct registry registry;
    struct waiter *waiter; /* of TLS handshakes */
    struct tls_names names;
    pthread_mutex_t reload_lock;
    atomic_bool stopping;

    pthread_t timer;
    bool timer_runs;
    pthread_mutex_t timer_lock;
    pthread_cond_t timer_wake;
    bool timer_stop;
    struct lingering linger[LINGERS]; /* under timer_lock */
    unsigned linger_n;
};

static struct conn *conn_of(const struct http_request *req)
{
    return (struct conn *)(uintptr_t)req; /* its first member */
}

static void set_deadline(struct conn *c, int64_t in_ms)
{
    int64_t at_ms = in_ms > 0 ? clock_mono_ms() + in_ms : 0;

    atomic_store_explicit(&c->deadline_ms, at_ms, memory_order_relaxed);
}

/* A total time for n bytes. */
static int64_t time_for(const struct http *http, int64_t base_ms, int64_t n)
{
    return base_ms + n / http->config.min_rate * 1000;
}

/* --- Reading a request --- */

const char *http_header(const struct http_request *req, const char *name)
{
    return MHD_lookup_connection_value(conn_of(req)->mhd, MHD_HEADER_KIND, name);
}

const char *http_query(const struct http_request *req, const char *name)
{
    return MHD_lookup_connection_value(conn_of(req)->mhd, MHD_GET_ARGUMENT_KIND, name);
}

struct last_value {
    const char *name, *value;
};

static enum MHD_Result keep_last(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct last_value *last = cls;

    (void)kind;
    if (strcasecmp(name, last->name) == 0)
        last->value = value;
    return MHD_YES;
}

/* What the nearest proxy says: some add a line behind those that the client sent. */
static const char *last_header(const struct http_request *req, const char *name)
{
    struct last_value last = { .name = name };

    MHD_get_connection_values(conn_of(req)->mhd, MHD_HEADER_KIND, keep_last, &last);
    return last.value;
}

void http_source(const struct http_request *req, struct http_address *source_out)
{
    const struct conn *c = conn_of(req);
    const char *list = c->peer_trusted ? last_header(req, "X-Forwarded-For") : NULL;
    const char *end = list != NULL ? list + strlen(list) : NULL;

    *source_out = c->peer;
    /* From the last to the first: each trusted proxy vouches for the address before its own. */
    while (list != NULL && end > list && proxies_has(&c->listener->http->proxies, source_out)) {
        const char *from = end;
        const char *to = end;
        struct http_address a;

        while (from > list && from[-1] != ',')
            from--;
        end = from > list ? from - 1 : list;
        while (from < to && (*from == ' ' || *from == '\t'))
            from++;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        if (!address_parse(from, (size_t)(to - from), &a))
            return;
        *source_out = a;
    }
}

static enum http_method method_of(const char *method)
{
    static const char *const NAMES[] = { "GET",   "HEAD",   "POST",    "PUT",
                                         "PATCH", "DELETE", "OPTIONS", NULL };

    for (int i = 0; NAMES[i] != NULL; i++) {
        if (strcmp(method, NAMES[i]) == 0)
            return (enum http_method)i;
    }
    return HTTP_OTHER;
}

/* Content-Length, 0 when there is none; libmicrohttpd has refused what is no number. */
static int64_t body_length_of(const struct http_request *req)
{
    const char *text = http_header(req, "Content-Length");
    unsigned long long n;

    if (text == NULL)
        return 0;
    n = strtoull(text, NULL, 10);
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

/* --- Replies --- */

/* A file that is read block by block, for TLS. */
struct file_source {
    int fd;
    int64_t offset;
};

static ssize_t file_read(void *cls, uint64_t pos, char *buf, size_t max)
{
    const struct file_source *f = cls;
    ssize_t n = pread(f->fd, buf, max, (off_t)(f->offset + (int64_t)pos));

    return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void file_free(void *cls)
{
    struct file_source *f = cls;

    close(f->fd);
    free(f);
}

static struct MHD_Response *make_file(const struct conn *c, struct http_reply *reply)
{
    struct MHD_Response *r = NULL;
    struct file_source *f;

    if (c->listener->tls == NULL) {
        r = MHD_create_response_from_fd_at_offset64((uint64_t)reply->file_size, reply->file,
                                                    (uint64_t)reply->file_offset);
        if (r != NULL)
            reply->file = -1; /* taken by r */
        return r;
    }
    f = malloc(sizeof *f);
    if (f == NULL)
        return NULL;
    *f = (struct file_source){ reply->file, reply->file_offset };
    r = MHD_create_response_from_callback((uint64_t)reply->file_size, TLS_BLOCK, file_read, f,
                                          file_free);
    if (r != NULL)
        reply->file = -1; /* taken by f, which r took */
    else
        free(f);
    return r;
}

static struct MHD_Response *make_body(struct http_reply *reply)
{
    struct MHD_Response *r;

    if (reply->body == NULL)
        return MHD_create_response_from_buffer(
            reply->body_static != NULL ? reply->body_size : 0,
            (void *)(uintptr_t)(reply->body_static != NULL ? reply->body_static : ""),
            MHD_RESPMEM_PERSISTENT);
    r = MHD_create_response_from_buffer(reply->body_size, reply->body, MHD_RESPMEM_MUST_FREE);
    if (r != NULL)
        reply->body = NULL; /* taken by r */
    return r;
}

/* Turn a reply into the connection's response, and empty it. Without memory there is no response,
   and the connection will be closed. */
static void set_reply(struct conn *c, struct http_reply *reply)
{
    struct MHD_Response *r;
    enum MHD_Result ok = MHD_YES;

    if (reply->overflow) {
        LOG_ERROR("a reply to %s has too many headers", c->req.path);
        http_reply_fini(reply);
    }
    c->status = reply->status;
    c->reply_tag = reply->tag;
    c->reply_size = reply->file >= 0 ? reply->file_size : (int64_t)reply->body_size;
    r = reply->file >= 0 ? make_file(c, reply) : make_body(reply);
    if (r != NULL && reply->content_type != NULL)
        ok = MHD_add_response_header(r, "Content-Type", reply->content_type);
    for (unsigned i = 0; r != NULL && ok == MHD_YES && i < reply->header_count; i++)
        ok = MHD_add_response_header(r, reply->header_name[i], reply->text + reply->header_at[i]);
    if (r != NULL && ok == MHD_YES && reply->close)
        ok = MHD_add_response_header(r, "Connection", "close");
    if (r != NULL && ok != MHD_YES) {
        MHD_destroy_response(r);
        r = NULL;
    }
    c->response = r;
    http_reply_fini(reply);
}

static void set_problem(struct conn *c, enum err e, bool last)
{
    struct http_reply reply;

    http_reply_problem(&reply, e, NULL, NULL);
    reply.close = last;
    if (e == ERR_STOPPING)
        http_reply_retry_after(&reply, 5);
    set_reply(c, &reply);
}

/* Hand the response to libmicrohttpd. MHD_NO closes the connection. */
static enum MHD_Result queue(struct conn *c)
{
    struct http *http = c->listener->http;
    struct MHD_Response *r = c->response;
    enum MHD_Result ok;

    c->response = NULL;
    if (r == NULL)
        return MHD_NO;
    if (c->reply_tag != 0) {
        static const int ROOM = SEND_BUFFER;

        setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &ROOM, sizeof ROOM);
        if (!registry_tag(&http->registry, c, c->reply_tag, c->kills)) {
            MHD_destroy_response(r);
            return MHD_NO;
        }
    }
    set_deadline(c, time_for(http, http->config.response_ms, c->reply_size));
    ok = MHD_queue_response(c->mhd, (unsigned)c->status, r);
    MHD_destroy_response(r);
    return ok;
}

/* --- The course of a request --- */

static void abort_sink(struct conn *c)
{
    if (c->taking && c->accept.sink.abort != NULL)
        c->accept.sink.abort(c->accept.sink.ctx);
    c->taking = false;
}

/* Ask the dispatcher what to do with the request. */
static void begin(struct conn *c)
{
    const struct http_dispatcher *d = &c->listener->http->dispatcher;
    struct http_reply reply;

    c->accept = (struct http_accept){ 0 };
    c->begun = true;
    err_clear();
    http_reply_init(&reply, 500);
    if (d->begin(d->app, &c->req, &c->accept, &reply) != HTTP_ACCEPT) {
        set_reply(c, &reply);
        return;
    }
    http_reply_fini(&reply);
    c->taking = true;
    if (http_header(&c->req, "Transfer-Encoding") != NULL) {
        abort_sink(c);
        set_problem(c, ERR_LENGTH, true);
    } else if (c->req.body_length > c->accept.limit) {
        abort_sink(c);
        set_problem(c, ERR_TOO_LARGE, true);
    }
}

static enum MHD_Result on_headers(struct conn *c, const char *url, const char *method)
{
    struct http *http = c->listener->http;
    bool has_body;

    if (!c->secured && c->listener->tls != NULL) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

        if (info != NULL)
            tls_ready(info->tls_session, c->fd);
        c->secured = true;
    }
    c->kills = atomic_load(&http->registry.kills);
    c->req = (struct http_request){ .listener = c->listener->which,
                                    .method = method_of(method),
                                    .path = url,
                                    .is_tls = c->listener->tls != NULL };
    if (c->peer_trusted) {
        const char *proto = last_header(&c->req, "X-Forwarded-Proto");

        c->req.is_tls = c->req.is_tls || (proto != NULL && strcasecmp(proto, "https") == 0);
    }
    c->req.body_length = body_length_of(&c->req);
    has_body = c->req.body_length > 0 || http_header(&c->req, "Transfer-Encoding") != NULL;
    atomic_store_explicit(&c->busy, true, memory_order_relaxed);
    atomic_store_explicit(&c->state, CONN_RUNNING, memory_order_relaxed);
    set_deadline(c, time_for(http, http->config.body_ms, c->req.body_length));
    if (atomic_load_explicit(&http->stopping, memory_order_relaxed))
        set_problem(c, ERR_STOPPING, true);
    else
        begin(c);
    /* Queued now, it closes the connection, as the body is in the way of the next request. Without
       a body it waits for on_whole, so that the connection lives on. */
    if (has_body && (c->response != NULL || !c->taking)) {
        c->linger_fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
        return queue(c);
    }
    return MHD_YES;
}

static void on_body(struct conn *c, const char *bytes, size_t n)
{
    struct http_request *req = &c->req;

    if (req->body_size + n > (size_t)req->body_length)
        return; /* can't be: libmicrohttpd counts too */
    if (c->accept.sink.write != NULL) {
        if (req->sink_err == ERR_OK)
            req->sink_err = c->accept.sink.write(c->accept.sink.ctx, bytes, n);
    } else {
        if (c->body == NULL && req->sink_err == ERR_OK) {
            c->body = malloc((size_t)req->body_length + 1);
            if (c->body == NULL)
                req->sink_err = FAIL(ERR_MEMORY, "a body of %zu bytes", (size_t)req->body_length);
        }
        if (c->body != NULL)
            memcpy(c->body + req->body_size, bytes, n);
    }
    req->body_size += n;
}

/* The request is whole, or its reply is there after a suspension. */
static enum MHD_Result on_whole(struct conn *c)
{
    const struct http_dispatcher *d = &c->listener->http->dispatcher;
    struct http_reply reply;
    int running = CONN_RUNNING;

    if (!c->taking) /* refused, or finished by http_finish */
        return queue(c);
    c->taking = false;
    if (c->body != NULL) {
        c->body[c->req.body_size] = '\0';
        c->req.body = c->body;
    }
    err_clear();
    set_deadline(c, 0);
    http_reply_init(&reply, 500);
    if (d->end(d->app, &c->req, &reply) != HTTP_PENDING) {
        set_reply(c, &reply);
        return queue(c);
    }
    http_reply_fini(&reply);
    if (atomic_load(&c->state) == CONN_FINISHED)
        return queue(c);
    MHD_suspend_connection(c->mhd);
    if (!atomic_compare_exchange_strong(&c->state, &running, CONN_SUSPENDED))
        MHD_resume_connection(c->mhd);
    return MHD_YES;
}

void http_finish(struct http_request *req, struct http_reply *reply)
{
    struct conn *c = conn_of(req);
    struct MHD_Connection *mhd = c->mhd;

    set_reply(c, reply);
    /* From here on only a suspended connection is sure to be there. */
    if (atomic_exchange(&c->state, CONN_FINISHED) == CONN_SUSPENDED)
        MHD_resume_connection(mhd);
}

/* --- Callbacks of libmicrohttpd --- */

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **ctx)
{
    struct conn *c = *ctx;

    (void)cls;
    (void)version;
    if (c == NULL) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        if (info == NULL || info->socket_context == NULL)
            return MHD_NO;
        c = info->socket_context;
        *ctx = c;
        return on_headers(c, url, method);
    }
    if (*size > 0) {
        on_body(c, bytes, *size);
        *size = 0;
        return MHD_YES;
    }
    return on_whole(c);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **ctx,
                         enum MHD_RequestTerminationCode code)
{
    struct conn *c = *ctx;

    (void)mhd;
    if (c == NULL)
        return;
    struct http *http = cls;
    const struct http_dispatcher *d = &http->dispatcher;

    *ctx = NULL;
    abort_sink(c);
    if (c->tag != 0)
        registry_untag(&http->registry, c);
    if (c->begun && d->done != NULL)
        d->done(d->app, &c->req, c->status, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    if (c->response != NULL)
        MHD_destroy_response(c->response);
    free(c->body);
    c->response = NULL;
    c->body = NULL;
    c->begun = false;
    c->status = 0;
    atomic_store_explicit(&c->busy, false, memory_order_relaxed);
    set_deadline(c, http->config.idle_ms + http->config.header_ms);
}

static void linger_add(struct http *http, int fd)
{
    if (fd < 0)
        return;
    pthread_mutex_lock(&http->timer_lock);
    if (http->linger_n < LINGERS) {
        http->linger[http->linger_n++] =
            (struct lingering){ fd, clock_mono_ms() + LINGER_MS, LINGER_BYTES };
        fd = -1; /* taken */
    }
    pthread_mutex_unlock(&http->timer_lock);
    if (fd >= 0)
        close(fd);
}

/* Throw away what came. False when no more will, or it is too much. */
static bool drain_socket(struct lingering *l)
{
    char bytes[16 * 1024];

    for (int i = 0; i < 1024 && l->left > 0; i++) {
        ssize_t n = recv(l->fd, bytes, sizeof bytes, MSG_DONTWAIT);

        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        l->left -= n;
    }
    return l->left > 0;
}

/* Read from those that linger, and close what is over. Under timer_lock. */
static void linger_tick(struct http *http, int64_t now_ms)
{
    for (unsigned i = 0; i < http->linger_n;) {
        struct lingering *l = &http->linger[i];

        if (drain_socket(l) && now_ms < l->until_ms) {
            i++;
            continue;
        }
        close(l->fd);
        *l = http->linger[--http->linger_n];
    }
}

/* A handshake needs bytes that are not there: out of libmicrohttpd's sight until they are. */
static void on_handshake_wait(void *ctx)
{
    struct conn *c = ctx;
    struct http *http = c->listener->http;

    if (atomic_load(&http->stopping))
        return; /* it tries again and again; not for long */
    atomic_store(&c->waiting, true);
    MHD_suspend_connection(c->mhd);
    if (waiter_add(http->waiter, c->fd, c) != ERR_OK) {
        atomic_store(&c->waiting, false);
        MHD_resume_connection(c->mhd);
    }
}

static void on_handshake_ready(void *ctx)
{
    struct conn *c = ctx;
    struct MHD_Connection *mhd = c->mhd;

    atomic_store(&c->waiting, false);
    MHD_resume_connection(mhd);
}

static void on_open(struct listener *l, struct MHD_Connection *mhd, void **context)
{
    const union MHD_ConnectionInfo *info;
    struct conn *c = calloc(1, sizeof *c);

    *context = c;
    if (c == NULL)
        return; /* its first request is answered by closing */
    c->listener = l;
    c->mhd = mhd;
    c->linger_fd = -1;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->fd = info != NULL ? info->connect_fd : -1;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    c->peer = address_of(info != NULL ? info->client_addr : NULL);
    c->peer_trusted = proxies_has(&l->http->proxies, &c->peer);
    set_deadline(c, l->http->config.header_ms);
    registry_add(&l->http->registry, c);
    atomic_fetch_add(&l->connections, 1);
    /* After the registry's lock was taken: whoever had this descriptor before gave it up under it. */
    if (l->tls != NULL) {
        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        if (info != NULL)
            tls_started(l->tls, info->tls_session, c->fd, on_handshake_wait, c);
    }
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct listener *l = cls;
    struct conn *c = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        on_open(l, mhd, context);
    } else if (c != NULL) {
        registry_remove(&l->http->registry, c);
        linger_add(l->http, c->linger_fd);
        atomic_fetch_sub(&l->connections, 1);
        *context = NULL;
        free(c);
    }
}

/* Called with the target before anything is decoded: the path must stay as it is. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    (void)cls;
    if (info != NULL && info->socket_context != NULL)
        ((struct conn *)info->socket_context)->raw_path = target;
    return NULL; /* the request's context, see on_request */
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Decode n characters to text_out, which may be where they stand. An escape that is broken, or
 * means a zero byte, stays as written. Returns the length, and whether all was well.
 */
static size_t decode(const char *text, size_t n, char *text_out, bool *well_out)
{
    size_t used = 0;

    *well_out = true;
    for (size_t i = 0; i < n; i++) {
        int high = text[i] == '%' && i + 2 < n ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

        if (high >= 0 && low >= 0 && high * 16 + low != 0) {
            text_out[used++] = (char)(high * 16 + low);
            i += 2;
        } else {
            *well_out = *well_out && text[i] != '%';
            text_out[used++] = text[i];
        }
    }
    return used;
}

static size_t unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    size_t n = strlen(text);
    bool well;

    (void)cls;
    if (info != NULL && info->socket_context != NULL &&
        ((struct conn *)info->socket_context)->raw_path == text)
        return n;
    n = decode(text, n, text, &well);
    text[n] = '\0';
    return n;
}

bool http_path_decode(const char *segment, size_t n, char *text_out, size_t room)
{
    bool well = n < room;

    if (well) {
        n = decode(segment, n, text_out, &well);
        text_out[n] = '\0';
    }
    return well;
}

static void on_log(void *cls, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *cls, const char *format, va_list ap)
{
    char text[256];

    (void)cls;
    if (!log_enabled(LOG_LEVEL_DEBUG))
        return;
    vsnprintf(text, sizeof text, format, ap);
    LOG_DEBUG("libmicrohttpd: %s", text);
}

/* --- Deadlines and renewal --- */

/* Names that the server's own certificate must be good for. */
static void gather_names(struct http *http)
{
    const char *url = http->config.public_url;
    char host[256];
    unsigned port;

    http->names.count = 0;
    if (url != NULL && strstr(url, "://") != NULL) {
        const char *from = strstr(url, "://") + 3;
        bool v6 = *from == '[';
        size_t n = strcspn(from += v6, v6 ? "]" : ":/");

        snprintf(host, sizeof host, "%.*s", (int)(n < 255 ? n : 255), from);
        tls_names_add(&http->names, host);
    }
    for (int i = 0; i < HTTP_LISTENERS; i++) {
        const char *address = http->config.listen[i].address;

        if (address == NULL || address[0] == '\0' || !address_split(address, host, &port))
            continue;
        if (strcmp(host, "::") != 0 && strcmp(host, "0.0.0.0") != 0)
            tls_names_add(&http->names, host);
        else
            host[0] = '\0';
        if (host[0] == '\0' && gethostname(host, sizeof host - 1) == 0)
            tls_names_add(&http->names, host);
    }
    tls_names_add(&http->names, "localhost");
    tls_names_add(&http->names, "127.0.0.1");
}

static void files_of(const struct http *http, int i, char cert_out[512], char key_out[512])
{
    const struct http_listen *l = &http->config.listen[i];

    if (l->cert_file != NULL && l->cert_file[0] != '\0') {
        snprintf(cert_out, 512, "%s", l->cert_file);
        snprintf(key_out, 512, "%s", l->key_file != NULL ? l->key_file : l->cert_file);
    } else {
        snprintf(cert_out, 512, "%s/server.pem", http->config.data_dir);
        snprintf(key_out, 512, "%s/server.key", http->config.data_dir);
    }
}

static bool is_own(const struct http_listen *l)
{
    return l->address != NULL && l->address[0] != '\0' && l->tls &&
           (l->cert_file == NULL || l->cert_file[0] == '\0');
}

/* Make or renew the own certificate when some listener uses it. */
static enum err ensure_own(struct http *http)
{
    for (int i = 0; i < HTTP_LISTENERS; i++) {
        if (is_own(&http->config.listen[i]))
            return ca_ensure(http->config.data_dir, &http->names, clock_now_ms());
    }
    return ERR_OK;
}

enum err http_reload(struct http *http)
{
    char cert[512];
    char key[512];
    enum err e;

    pthread_mutex_lock(&http->reload_lock);
    e = ensure_own(http);
    for (int i = 0; i < HTTP_LISTENERS; i++) {
        struct listener *l = &http->listener[i];
        enum err one;

        if (l->tls == NULL)
            continue;
        files_of(http, i, cert, key);
        one = tls_reload(l->tls, cert, key);
        e = e == ERR_OK ? one : e;
    }
    pthread_mutex_unlock(&http->reload_lock);
    return e;
}

static void renew(struct http *http)
{
    for (int i = 0; i < HTTP_LISTENERS; i++) {
        if (http->listener[i].tls != NULL)
            tls_rotate(http->listener[i].tls, clock_mono_ms());
    }
    http_reload(http); /* errors are logged, the old certificate stays */
}

static void *timer_run(void *arg)
{
    struct http *http = arg;
    unsigned ticks = 0;

    pthread_mutex_lock(&http->timer_lock);
    while (!http->timer_stop) {
        struct timespec at;

        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_nsec += TICK_MS * 1000000L;
        at.tv_sec += at.tv_nsec / 1000000000L;
        at.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&http->timer_wake, &http->timer_lock, &at);
        if (http->timer_stop)
            break;
        linger_tick(http, clock_mono_ms());
        pthread_mutex_unlock(&http->timer_lock);
        unsigned ended = registry_expire(&http->registry, clock_mono_ms());
        if (ended > 0)
            LOG_DEBUG("%u connections ended at their deadline", ended);
        if (++ticks % RENEW_TICKS == 0)
            renew(http);
        pthread_mutex_lock(&http->timer_lock);
    }
    pthread_mutex_unlock(&http->timer_lock);
    return NULL;
}

static void timer_init(struct http *http)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&http->timer_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&http->timer_wake, &attr);
    pthread_condattr_destroy(&attr);
}

static enum err timer_start(struct http *http)
{
    if (pthread_create(&http->timer, NULL, timer_run, http) != 0)
        return FAIL(ERR_MEMORY, "no thread for deadlines");
    http->timer_runs = true;
    return ERR_OK;
}

static void timer_end(struct http *http)
{
    pthread_mutex_lock(&http->timer_lock);
    http->timer_stop = true;
    pthread_cond_signal(&http->timer_wake);
    pthread_mutex_unlock(&http->timer_lock);
    if (http->timer_runs)
        pthread_join(http->timer, NULL);
    http->timer_runs = false;
}

static void timer_fini(struct http *http)
{
    linger_tick(http, INT64_MAX);
    pthread_cond_destroy(&http->timer_wake);
    pthread_mutex_destroy(&http->timer_lock);
}

/* --- Start and stop --- */

/* Raise the limit on descriptors to what the connections need. */
static enum err raise_limit(const struct http_config *config)
{
    rlim_t want = DESCRIPTORS_SPARE;
    struct rlimit limit;

    for (int i = 0; i < HTTP_LISTENERS; i++)
        want += 2 * (rlim_t)config->listen[i].connections; /* one for the file it sends */
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return FAIL(ERR_IO, "RLIMIT_NOFILE: %s", strerror(errno));
    if (limit.rlim_cur < want) {
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < want)
            LOG_WARN("only %llu descriptors, %llu wanted", (unsigned long long)limit.rlim_cur,
                     (unsigned long long)want);
    }
    /* Descriptors are given lowest first, so none is above what is wanted by much. */
    return tls_init((size_t)want * 2);
}

static enum err listener_start(struct http *http, int i)
{
    const struct http_listen *config = &http->config.listen[i];
    struct listener *l = &http->listener[i];
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[8];
    unsigned n = 0;
    enum err e;

    if (config->address == NULL || config->address[0] == '\0')
        return ERR_OK;
    if (config->tls) {
        char cert[512];
        char key[512];

        files_of(http, i, cert, key);
        e = tls_new(cert, key, &l->tls);
        if (e != ERR_OK)
            return e;
        flags |= MHD_USE_TLS;
        options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
                                                (void *)(uintptr_t)TLS_PRIORITIES };
        options[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
                                                tls_certificate_callback() };
    }
    if (config->threads > 1)
        options[n++] =
            (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)config->threads, NULL };
    options[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
    e = address_listen(config->address, &l->fd, &l->port);
    if (e != ERR_OK)
        return e;
    l->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, l->fd, MHD_OPTION_CONNECTION_LIMIT, config->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((http->config.idle_ms + 999) / 1000),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(i == HTTP_OPERATOR ? POOL_OPERATOR : POOL),
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        http, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_UNESCAPE_CALLBACK, unescape,
        NULL, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    return l->daemon != NULL ? ERR_OK : FAIL(ERR_INTERNAL, "listener on %s", config->address);
}

enum err http_start(const struct http_config *config, const struct http_dispatcher *dispatcher,
                    struct http **http_out)
{
    struct http *http = calloc(1, sizeof *http);
    enum err e = ERR_OK;

    if (http == NULL)
        return FAIL(ERR_MEMORY, "HTTP");
    http->config = *config;
    http->dispatcher = *dispatcher;
    if (http->config.min_rate < 1)
        http->config.min_rate = 1;
    for (int i = 0; i < HTTP_LISTENERS; i++) {
        http->listener[i].http = http;
        http->listener[i].which = (enum http_listener)i;
        http->listener[i].fd = -1;
    }
    registry_init(&http->registry);
    pthread_mutex_init(&http->reload_lock, NULL);
    timer_init(http);
    if (!proxies_parse(config->trusted_proxies, &http->proxies))
        e = FAIL(ERR_CONFIG, "trusted_proxies: %s", config->trusted_proxies);
    gather_names(http);
    if (e == ERR_OK)
        e = raise_limit(config);
    if (e == ERR_OK)
        e = ensure_own(http);
    if (e == ERR_OK)
        e = timer_start(http);
    if (e == ERR_OK)
        e = waiter_start(on_handshake_ready, &http->waiter);
    for (int i = 0; i < HTTP_LISTENERS && e == ERR_OK; i++)
        e = listener_start(http, i);
    if (e != ERR_OK) {
        http_stop(http);
        return e;
    }
    *http_out = http;
    return ERR_OK;
}

unsigned http_port(const struct http *http, enum http_listener listener)
{
    return http->listener[listener].port;
}

unsigned http_connections(const struct http *http, enum http_listener listener)
{
    return atomic_load(&http->listener[listener].connections);
}

void http_kill_tag(struct http *http, int64_t tag)
{
    unsigned n = registry_kill(&http->registry, tag);

    LOG_INFO("%u replies of release %lld were cut off", n, (long long)tag);
}

static void count_busy(struct conn *c, void *ctx)
{
    unsigned *busy = ctx;

    /* A handshake that waits is ended: it fails at once, after the waiter resumed it. */
    if (atomic_load(&c->waiting)) {
        shutdown(c->fd, SHUT_RDWR);
        (*busy)++;
    }
    *busy += atomic_load_explicit(&c->busy, memory_order_relaxed);
}

/* Answer what the dispatcher left pending; libmicrohttpd can't stop with a suspended connection. */
static void finish_one(struct conn *c, void *ctx)
{
    int suspended = CONN_SUSPENDED;

    if (atomic_load(&c->state) != CONN_SUSPENDED)
        return;
    set_problem(c, ERR_STOPPING, true);
    if (atomic_compare_exchange_strong(&c->state, &suspended, CONN_FINISHED))
        MHD_resume_connection(c->mhd);
    (*(unsigned *)ctx)++;
}

/* Give replies under way some time to go out. */
static void wait_for_replies(struct http *http)
{
    static const struct timespec STEP = { .tv_nsec = 10 * 1000000 };
    int64_t until_ms = clock_mono_ms() + STOP_MS;
    unsigned busy = 1;

    while (busy > 0 && clock_mono_ms() < until_ms) {
        busy = 0;
        registry_each(&http->registry, count_busy, &busy);
        if (busy > 0)
            nanosleep(&STEP, NULL);
    }
    if (busy > 0)
        LOG_INFO("%u replies did not end in time and are cut off", busy);
}

void http_stop(struct http *http)
{
    unsigned left = 0;

    if (http == NULL)
        return;
    atomic_store(&http->stopping, true);
    for (int i = 0; i < HTTP_LISTENERS; i++) {
        if (http->listener[i].daemon != NULL)
            MHD_quiesce_daemon(http->listener[i].daemon);
    }
    if (http->dispatcher.drain != NULL && http->timer_runs)
        http->dispatcher.drain(http->dispatcher.app);
    registry_each(&http->registry, finish_one, &left);
    if (left > 0)
        LOG_WARN("%u requests were left pending", left);
    wait_for_replies(http);
    timer_end(http);
    waiter_stop(http->waiter);
    for (int i = 0; i < HTTP_LISTENERS; i++) {
        if (http->listener[i].daemon != NULL)
            MHD_stop_daemon(http->listener[i].daemon);
        if (http->listener[i].fd >= 0)
            close(http->listener[i].fd);
        tls_free(http->listener[i].tls);
    }
    timer_fini(http);
    registry_fini(&http->registry);
    pthread_mutex_destroy(&http->reload_lock);
    free(http);
}
