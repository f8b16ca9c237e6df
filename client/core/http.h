/*
 * One exchange at a time with the server, in one buffer: HTTP/1.1 over the port's socket functions
 * (http1.c, RFC 9112), or an HTTP client of the platform (fetcher.c).
 *
 *   (1) The buffer holds the request until it is sent, then the header block, then the decoded
 *       body at its begin. A header block larger than the buffer is an error.
 *   (2) A response must say where its body ends: Content-Length or chunked, never both, each
 *       once. What is ambiguous is refused, for two readers could read it two ways.
 *   (3) No redirect is followed, no content coding accepted, no interim response taken.
 *   (4) A call receives or sends at most once.
 *   (5) A peer that is silent, or sends a byte now and then, is given up within a time that the
 *       size of what it sends bounds.
 */
#ifndef LAPEL_HTTP_H
#define LAPEL_HTTP_H

#include "lapel_context.h"

/* A request's body may stand in the buffer from here on: room for the longest header block. */
#define HTTP_HEAD_ROOM (LAPEL_WITH_HTTP1 ? 416u : 0u)

enum phase { PHASE_IDLE = 0, PHASE_CONNECT, PHASE_SEND, PHASE_HEAD, PHASE_BODY, PHASE_END };

enum http_result {
    HTTP_AGAIN = 0,     /* call again */
    HTTP_HEAD,          /* h->head is filled */
    HTTP_BODY,          /* there are h->body_n bytes at h->io */
    HTTP_END,           /* the body is whole; bytes at h->io may be left */
    HTTP_NETWORK = -1,  /* the connection failed or timed out */
    HTTP_TRUST = -2,    /* TLS: not the server we want */
    HTTP_PROTOCOL = -3, /* the peer does not speak as it must */
    HTTP_LIMIT = -4,    /* larger than the buffer */
    HTTP_STALE = -5     /* a kept connection had ended before a byte came: ask once more */
};

/* Do the n bytes begin with this text? */
bool lapel_http_begins(const uint8_t *p, size_t n, const char *with);

/* Split "https://host[:port]"; false when it is ill-formed, has a path, or the host is too long. */
bool lapel_http_origin(const char *url, struct lapel_origin *origin_out);

/*
 * Once, before anything else. All is borrowed for good; *origin may change between exchanges, once
 * the connection is closed.
 */
void lapel_http_init(struct lapel_http *h, uint8_t *io, size_t io_size, const struct lapel_net *net,
                     void *ctx, const struct lapel_origin *origin);

/* Begin an exchange; HTTP_LIMIT when the request is larger than the buffer, else HTTP_AGAIN. The
 * request is not needed any more. Its body must stand at HTTP_HEAD_ROOM of the buffer or behind. */
enum http_result lapel_http_start(struct lapel_http *h, const struct lapel_request *request);

/* Go on. h->moved tells whether anything happened. Reuses the connection when it is open. */
enum http_result lapel_http_step(struct lapel_http *h, uint64_t now_ms);

/* After a step: whether anything moved, and the end of an exchange in which nothing does. */
enum http_result lapel_http_idle(struct lapel_http *h, enum http_result r, uint64_t now_ms);

/* The header block is read. */
static inline bool lapel_http_in_body(const struct lapel_http *h)
{
    return h->phase >= PHASE_BODY;
}

/* The body came to its end. */
static inline bool lapel_http_whole(const struct lapel_http *h)
{
    return h->phase == PHASE_END;
}

/* The first n bytes of the body were used. */
void lapel_http_take(struct lapel_http *h, size_t n);

/* Close the connection, whatever is going on. */
void lapel_http_close(struct lapel_http *h);

#endif
