/*
 * One HTTP/1.1 exchange at a time over the port's socket functions (RFC 9112), in one buffer.
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
#ifndef LAPEL_HTTP1_H
#define LAPEL_HTTP1_H

#include "lapel_context.h"

enum http_result {
    HTTP_AGAIN = 0,     /* call again */
    HTTP_HEAD,          /* status and headers are known: h->status, h->length, ... */
    HTTP_BODY,          /* there are h->body_n bytes at h->io */
    HTTP_END,           /* the body is whole; bytes at h->io may be left */
    HTTP_NETWORK = -1,  /* the connection failed or timed out */
    HTTP_TRUST = -2,    /* TLS: not the server we want */
    HTTP_PROTOCOL = -3, /* the peer does not speak as it must */
    HTTP_LIMIT = -4,    /* larger than the buffer */
    HTTP_STALE = -5     /* a kept connection had ended before a byte came: ask once more */
};

/* Split "https://host[:port]"; false when it is ill-formed, has a path, or the host is too long. */
bool lapel_http_origin(const char *url, struct lapel_origin *origin_out);

void lapel_http_init(struct lapel_http *h, uint8_t *io, size_t io_size);

/*
 * Requests are built in the buffer by parts; the writer keeps quiet when it is full, and
 * http_start answers HTTP_LIMIT then.
 */
void lapel_http_put(struct lapel_http *h, const char *text);
void lapel_http_put_bytes(struct lapel_http *h, const uint8_t *bytes, size_t n);
void lapel_http_put_number(struct lapel_http *h, uint64_t v);
void lapel_http_put_hex(struct lapel_http *h, const uint8_t *bytes, size_t n);
/* "METHOD path HTTP/1.1", Host; call first. `tail` ends the path, and may be of length 0. */
void lapel_http_request(struct lapel_http *h, const struct lapel_origin *origin, const char *method,
                        const char *path, const uint8_t *tail, size_t tail_n);

/* End the header block. `body` may stand in the buffer behind it; NULL for none. */
enum http_result lapel_http_start(struct lapel_http *h, const uint8_t *body, size_t n);

/* Go on. h->moved tells whether anything happened. Reuses the connection when it is open. */
enum http_result lapel_http_step(struct lapel_http *h, const struct lapel_net *net, void *ctx,
                                 const struct lapel_origin *origin, uint64_t now_ms);

/* The header block is read; the body came to its end. */
bool lapel_http_in_body(const struct lapel_http *h);
bool lapel_http_whole(const struct lapel_http *h);

/* The first n bytes of the body were used. */
void lapel_http_take(struct lapel_http *h, size_t n);

/* Close the connection, whatever is going on. */
void lapel_http_close(struct lapel_http *h, const struct lapel_net *net, void *ctx);

#endif
