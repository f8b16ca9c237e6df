/*
 * HTTP: the border between the wire (libmicrohttpd, GnuTLS) and the routes of api/.
 *
 * main hands in a dispatcher; http never calls up in any other way. The course of a request:
 *
 *     headers whole   begin(req)   refuses with a reply, or accepts with a body limit and a sink
 *     body bytes      sink.write   only after begin accepted; none is kept before
 *     body whole      end(req)     a reply now, or HTTP_PENDING and http_finish later
 *     all is over     done(req)    always, exactly once for each begin
 *
 *   (1) begin, sink, end and done of one request never run at the same time, and a connection has
 *       one request at a time. Different connections run on several threads at once.
 *   (2) No callback may block for long: a worker thread serves many connections.
 *   (3) A request accepted with limit L never delivers more than L bytes. A longer Content-Length
 *       is answered 413 before a byte is read, a body without a length 411.
 *   (4) Between begin and done the request and its strings stay valid. While a request is pending
 *       its connection can't go away.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;

/* --- Requests --- */

enum http_listener { HTTP_DEVICE, HTTP_OPERATOR, HTTP_PUBLIC, HTTP_LISTENERS };

/* HTTP_OTHER is any method that has no name here; routes never match it. */
enum http_method {
    HTTP_GET,
    HTTP_HEAD, /* dispatch it like GET, with the same reply: the body is not sent */
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER
};

/* An IPv6 address, or an IPv4 one mapped into it (::ffff:a.b.c.d). */
struct http_address {
    uint8_t bytes[16];
};

/* Valid from begin to done, at the same place all the time. */
struct http_request {
    enum http_listener listener;
    enum http_method method;
    const char *path;    /* as sent, without the query and not decoded: http_path_decode */
    bool is_tls;         /* the client's own hop is encrypted (a trusted proxy may say so) */
    int64_t body_length; /* Content-Length, 0 when there is no body */

    const uint8_t *body; /* at end(): the whole body, when the sink is memory; else NULL */
    size_t body_size;    /* at end(): bytes received, by either sink */
    enum err sink_err;   /* at end(): what sink.write returned first, the rest was dropped */

    void *user; /* the dispatcher's; NULL at begin */
};

/* A header or a query argument by name, NULL when absent. Header names ignore case; query values
   are decoded. */
const char *http_header(const struct http_request *req, const char *name);
const char *http_query(const struct http_request *req, const char *name);

/*
 * Decode a segment of the path, after it was cut at '/', so that an identifier may hold one. False
 * when an escape is broken or means a zero byte, or when it does not fit.
 *
 *   text_out  at least `room` bytes, zero-terminated on success
 */
bool http_path_decode(const char *segment, size_t n, char *text_out, size_t room);

/*
 * The client's address: the peer's, or when the peer is in trusted_proxies the last address of
 * X-Forwarded-For that is not in there.
 */
void http_source(const struct http_request *req, struct http_address *source_out);

/* --- Replies --- */

enum { HTTP_REPLY_HEADERS = 10, HTTP_REPLY_TEXT = 640 };

/*
 * Filled by the dispatcher, on its stack; start with http_reply_init. Everything in it is handed
 * over with the reply: the body is freed, the file closed, whatever happens to the request.
 */
struct http_reply {
    int status;
    const char *content_type; /* static, NULL for none */

    void *body;              /* malloc'd, taken; or NULL */
    const void *body_static; /* lives for ever, not freed; or NULL */
    size_t body_size;

    int file; /* a descriptor, taken; -1 for none. Sent by sendfile in clear */
    int64_t file_offset;
    int64_t file_size; /* bytes to send from there */

    int64_t tag; /* not 0: http_kill_tag ends this reply. The id of a release */

    bool close; /* end the connection after it */

    /* Extra headers, by http_reply_header. */
    unsigned header_count;
    bool overflow; /* a header did not fit: answered as 500 */
    size_t text_used;
    const char *header_name[HTTP_REPLY_HEADERS];
    uint16_t header_at[HTTP_REPLY_HEADERS];
    char text[HTTP_REPLY_TEXT];
};

/* An empty reply with this status. */
void http_reply_init(struct http_reply *reply, int status);

/* Add a header. `name` is static, the value is copied. A value with a control character is left out. */
void http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ETag of the bytes sent: 32 bytes, written as quoted lower-case hex. */
void http_reply_etag(struct http_reply *reply, const uint8_t sha256[32]);

/* A body of malloc'd bytes (taken, also when the request fails later). */
void http_reply_take_body(struct http_reply *reply, const char *content_type, void *body,
                          size_t size);

/* A body that is copied from borrowed bytes; ERR_MEMORY makes it a bare 503. */
void http_reply_copy_body(struct http_reply *reply, const char *content_type, const void *body,
                          size_t size);

/*
 * A problem (RFC 9457), application/problem+json: title and status of `e`, and `detail` and `field`
 * when not NULL. Fills the whole reply. 401 carries WWW-Authenticate: Bearer.
 */
void http_reply_problem(struct http_reply *reply, enum err e, const char *detail,
                        const char *field);
void http_reply_retry_after(struct http_reply *reply, uint32_t retry_s);

/* Free what a reply holds that is not going to be sent. */
void http_reply_fini(struct http_reply *reply);

enum http_range {
    HTTP_RANGE_NONE,   /* send it all, 200 */
    HTTP_RANGE_PART,   /* send the part, 206 */
    HTTP_RANGE_REFUSED /* 416 */
};

/*
 * Read Range (RFC 9110, 14.2) against a representation of `size` bytes. One range only; several, an
 * unknown unit or a syntax error mean the whole. Pure.
 *
 *   range     value of Range, NULL when absent
 *   if_range  value of If-Range, NULL when absent; any value but `etag` makes it the whole
 *   etag      quoted, as sent
 *   first_out, length_out   set for every verdict but HTTP_RANGE_REFUSED
 */
enum http_range http_range_parse(const char *range, const char *if_range, const char *etag,
                                 int64_t size, int64_t *first_out, int64_t *length_out);

/*
 * Answer a request with a file: 200, 206, 304 (If-None-Match) or 416, with ETag, Accept-Ranges
 * and Content-Range. Fills the whole reply but `tag`; `fd` is taken.
 */
void http_reply_file(struct http_reply *reply, const struct http_request *req,
                     const char *content_type, int fd, int64_t size, const uint8_t sha256[32]);

/* --- The dispatcher --- */

/* Where the body goes. With write NULL it is gathered in memory, at most `limit` bytes. */
struct http_sink {
    void *ctx;
    /* Take n bytes. An error drops the rest of the body; end() then sees it in sink_err. */
    enum err (*write)(void *ctx, const void *bytes, size_t n);
    /* The request ends before its body was whole; end() will not come. May be NULL. */
    void (*abort)(void *ctx);
};

struct http_accept {
    int64_t limit; /* bytes of body; 0: no body allowed */
    struct http_sink sink;
};

enum http_verdict { HTTP_REPLY, HTTP_PENDING, HTTP_ACCEPT };

struct http_dispatcher {
    void *app; /* handed to each callback */

    /* At the headers. HTTP_REPLY: refuse with *reply. HTTP_ACCEPT: go on, *accept filled (it comes
       in zeroed). A refusal reaches a client that is still sending; its body is not read. */
    enum http_verdict (*begin)(void *app, struct http_request *req, struct http_accept *accept,
                               struct http_reply *reply);
    /* The body is whole. HTTP_REPLY: *reply answers. HTTP_PENDING: some thread will call
       http_finish(req, …) exactly once, perhaps before end returns. */
    enum http_verdict (*end)(void *app, struct http_request *req, struct http_reply *reply);
    /* The request is over. `sent`: the reply went out whole. Free req->user here. May be NULL. */
    void (*done)(void *app, struct http_request *req, int status, bool sent);
    /* Stopping: no new request comes. Finish every pending one before you return. May be NULL. */
    void (*drain)(void *app);
};

/* Answer a pending request, from any thread, exactly once. Takes what is in *reply. */
void http_finish(struct http_request *req, struct http_reply *reply);

/*
 * End every open connection that sends a reply with this tag (below 0: with any), and drop those
 * replies that requests begun before now still bring. After the return no further byte of them is
 * handed to the kernel.
 */
void http_kill_tag(struct http *http, int64_t tag);

/* --- Life --- */

/* How one listener is set up. Strings live until http_stop. */
struct http_listen {
    const char *address; /* "host:port", "[v6]:port"; NULL or empty: this listener is off */
    bool tls;
    const char *cert_file; /* PEM chain; NULL: a certificate of the server's own CA */
    const char *key_file;
    unsigned threads; /* workers, at least 1 */
    unsigned connections;
};

struct http_config {
    struct http_listen listen[HTTP_LISTENERS];
    const char *data_dir;        /* own CA, certificate and key live here */
    const char *public_url;      /* its host goes into the server certificate; may be NULL */
    const char *trusted_proxies; /* addresses and prefixes, separated by commas or blanks */
    /* Total deadlines, milliseconds; a body or reply of n bytes gets n / min_rate seconds more. */
    int64_t header_ms, body_ms, response_ms, idle_ms;
    int64_t min_rate; /* bytes a second */
};

/* Start the listeners. ERR_CONFIG, ERR_TLS, ERR_IO, ERR_MEMORY: already logged, nothing runs. */
enum err http_start(const struct http_config *config, const struct http_dispatcher *dispatcher,
                    struct http **http_out);

/* The port a listener has, 0 when it is off. */
unsigned http_port(const struct http *http, enum http_listener listener);

/* Read certificates again, and renew the own one when due. Open connections stay. On error the old
   ones stay in use. */
enum err http_reload(struct http *http);

/* Number of open connections of a listener, for metrics. */
unsigned http_connections(const struct http *http, enum http_listener listener);

/*
 * Stop: accept no more, drain, answer what is left with 503, close. NULL is fine.
 * After it no callback runs.
 */
void http_stop(struct http *http);

#endif
