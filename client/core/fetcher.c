/* The exchanges of http.h by an HTTP client of the platform. */
#include "http.h"

#if !LAPEL_WITH_HTTP1

#include <string.h>

void lapel_http_close(struct lapel_http *h)
{
    if (h->open)
        h->net->close(h->ctx);
    h->open = false;
    h->phase = PHASE_IDLE;
}

enum http_result lapel_http_start(struct lapel_http *h, const struct lapel_request *request)
{
    const struct lapel_origin *o = h->origin;

    lapel_http_close(h);
    memset(&h->head, 0, sizeof h->head);
    h->body_n = 0;
    h->idle_at = 0;
    h->open = true;
    if (h->net->begin(h->ctx, o->host, o->port, o->tls, request) >= 0)
        h->phase = PHASE_HEAD; /* else the next step says so */
    return HTTP_AGAIN;
}

static enum http_result error_of(int r)
{
    return r == LAPEL_NET_TRUST ? HTTP_TRUST : HTTP_NETWORK;
}

static enum http_result step_head(struct lapel_http *h)
{
    int r = h->net->head(h->ctx, &h->head);

    if (r < 0)
        return error_of(r);
    if (r == 0)
        return HTTP_AGAIN;
    h->idle_at = 0;
    h->phase = PHASE_BODY;
    return HTTP_HEAD;
}

static enum http_result step_body(struct lapel_http *h)
{
    size_t room = h->io_size - h->body_n;

    if (room == 0)
        return HTTP_BODY;
    int r = h->net->body(h->ctx, h->io + h->body_n, room);
    if (r == LAPEL_NET_CLOSED) {
        lapel_http_close(h);
        h->phase = PHASE_END;
        return HTTP_END;
    }
    if (r < 0 || (size_t)r > room)
        return error_of(r);
    if (r == 0)
        return HTTP_AGAIN;
    h->idle_at = 0;
    h->body_n += (size_t)r;
    return HTTP_BODY;
}

enum http_result lapel_http_step(struct lapel_http *h, uint64_t now_ms)
{
    enum http_result r = HTTP_NETWORK;

    if (h->phase == PHASE_HEAD)
        r = step_head(h);
    else if (h->phase == PHASE_BODY)
        r = step_body(h);
    else if (h->phase == PHASE_END)
        return HTTP_END;
    return lapel_http_idle(h, r, now_ms);
}

#endif
