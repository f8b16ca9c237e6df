/* What both ways of an exchange share. */
#include "http.h"

#include <string.h>

bool lapel_http_begins(const uint8_t *p, size_t n, const char *with)
{
    struct lsuit_bytes w = lsuit_text(with);

    return n >= w.len && memcmp(p, w.ptr, w.len) == 0;
}

void lapel_http_init(struct lapel_http *h, uint8_t *io, size_t io_size, const struct lapel_net *net,
                     void *ctx, const struct lapel_origin *origin)
{
    memset(h, 0, sizeof *h);
    h->io = io;
    h->io_size = io_size;
    h->net = net;
    h->ctx = ctx;
    h->origin = origin;
}

void lapel_http_take(struct lapel_http *h, size_t n)
{
    h->body_n -= n;
    lsuit_bytes_move(h->io, h->io + n, h->body_n);
}

enum http_result lapel_http_idle(struct lapel_http *h, enum http_result r, uint64_t now_ms)
{
    h->moved = h->idle_at == 0;
    if (h->moved) /* a byte moved, or the exchange began */
        h->idle_at = now_ms + LAPEL_IDLE_TIMEOUT_MS;
    else if (r == HTTP_AGAIN && now_ms >= h->idle_at)
        r = HTTP_NETWORK;
    if (r < 0)
        lapel_http_close(h);
    return r;
}

/* --- the address ------------------------------------------------------------------------- */

static bool parse_port(const char *p, uint16_t *port_out)
{
    uint32_t v = 0;

    if (*p == '\0')
        return false;
    for (; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        v = v * 10 + (uint32_t)(*p - '0');
        if (v > 65535)
            return false;
    }
    *port_out = (uint16_t)v;
    return v != 0;
}

static bool host_char(char c, bool literal)
{
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    return alnum || c == '.' || (literal ? c == ':' : c == '-');
}

bool lapel_http_origin(const char *url, struct lapel_origin *origin_out)
{
    struct lapel_origin o = { 0 };
    size_t n = 0;

    size_t url_n = lsuit_text(url).len;

    if (lapel_http_begins((const uint8_t *)url, url_n, "https://")) {
        o.tls = true;
        o.port = 443;
        url += 8;
    } else if (LAPEL_WITH_CLEAR && lapel_http_begins((const uint8_t *)url, url_n, "http://")) {
        o.port = 80;
        url += 7;
    } else {
        return false;
    }
    if (*url == '[') {
        o.literal = true;
        url++;
    }
    while (host_char(*url, o.literal)) {
        if (n + 1 == sizeof o.host)
            return false;
        o.host[n++] = *url++;
    }
    if (n == 0 || (o.literal && *url++ != ']'))
        return false;
    if (*url == ':' && !parse_port(url + 1, &o.port))
        return false;
    if (*url != '\0' && *url != ':')
        return false;
    *origin_out = o;
    return true;
}
