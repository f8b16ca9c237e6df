/*
 * The device's HTTP/1.1: the input's first byte says how many bytes a receive gives, the rest is
 * what the peer sends, twice over one connection. Whatever comes, an exchange ends, and never
 * more body comes out than went in.
 */
#include <stdlib.h>
#include <string.h>

#include "core/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
    const uint8_t *bytes;
    size_t n, at, most;
};

static int peer_connect(void *ctx, const char *host, uint16_t port, bool tls)
{
    (void)ctx;
    (void)host;
    (void)port;
    (void)tls;
    return 1;
}

static int peer_send(void *ctx, const uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)buf;
    return (int)n;
}

static int peer_recv(void *ctx, uint8_t *buf, size_t n)
{
    struct peer *p = ctx;
    size_t left = p->n - p->at;

    if (left == 0)
        return LAPEL_NET_CLOSED;
    if (n > p->most)
        n = p->most;
    if (n > left)
        n = left;
    memcpy(buf, p->bytes + p->at, n);
    p->at += n;
    return (int)n;
}

static void peer_close(void *ctx)
{
    (void)ctx;
}

static size_t exchange(struct lapel_http *h, struct peer *p)
{
    static const struct lapel_request REQUEST = { .method = "GET", .path = "/x" };
    size_t body = 0;

    if (lapel_http_start(h, &REQUEST) != HTTP_AGAIN)
        abort();
    for (size_t i = 0; i < 4 * p->n + 16; i++) {
        enum http_result r = lapel_http_step(h, 1000);

        if (r < 0)
            return body;
        if (h->body_n > h->io_size)
            abort();
        if (r == HTTP_BODY || r == HTTP_END) {
            body += h->body_n;
            lapel_http_take(h, h->body_n);
        }
        if (r == HTTP_END)
            return body;
    }
    abort(); /* it never ended */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct lapel_net NET = { sizeof NET, peer_connect, peer_send,
                                          peer_recv,  peer_close,   NULL };
    static const struct lapel_origin ORIGIN = { "h.example", 443, true, false };
    uint8_t io[512];
    struct lapel_http h;
    struct peer p;

    if (size == 0)
        return 0;
    p = (struct peer){ data + 1, size - 1, 0, (size_t)data[0] + 1 };
    lapel_http_init(&h, io, sizeof io, &NET, &p, &ORIGIN);
    if (exchange(&h, &p) + exchange(&h, &p) > size)
        abort();
    return 0;
}
