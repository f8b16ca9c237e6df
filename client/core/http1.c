#include "http.h"

#if LAPEL_WITH_HTTP1

#include <string.h>

/* Where a chunked body stands. */
enum chunk {
    CHUNK_SIZE = 0, /* the first digit of a size */
    CHUNK_DIGITS,   /* further digits */
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* begin of a line behind the last chunk */
    CHUNK_TRAILER_LINE,
    CHUNK_TRAILER_LF,
    CHUNK_LAST_LF,
    CHUNK_DONE
};

/* Bytes of chunk extensions and trailers in one response, and digits of one chunk's size. */
#define EXTRA_MAX 1024
#define CHUNK_DIGITS_MAX 8

/* A header block is whole within this, and a body brings so many bytes in each of these, or the
 * peer is given up: a byte now and then must not hold the device for ever. */
#define WINDOW_MS (2 * LAPEL_IDLE_TIMEOUT_MS)
#define SLOW_BYTES 512

/* --- the request --------------------------------------------------------------------------- */

/* Requests are built in the buffer by parts; nothing more is added once one didn't fit. */
static void put_bytes(struct lapel_http *h, const uint8_t *bytes, size_t n)
{
    if (h->full || n > h->io_size - h->out_n) {
        h->full = true;
        return;
    }
    if (n > 0) /* an absent value has no address */
        memcpy(h->io + h->out_n, bytes, n);
    h->out_n += n;
}

static void put(struct lapel_http *h, const char *text)
{
    put_bytes(h, (const uint8_t *)text, lsuit_text(text).len);
}

static void put_number(struct lapel_http *h, uint64_t v)
{
    uint8_t digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    put_bytes(h, digits + at, sizeof digits - at);
}

static void put_hex(struct lapel_http *h, const uint8_t *bytes, size_t n)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        uint8_t two[2] = { (uint8_t)DIGITS[bytes[i] >> 4], (uint8_t)DIGITS[bytes[i] & 15] };

        put_bytes(h, two, 2);
    }
}

static void put_host(struct lapel_http *h)
{
    const struct lapel_origin *o = h->origin;

    put(h, " HTTP/1.1\r\nHost: ");
    put(h, o->literal ? "[" : "");
    put(h, o->host);
    put(h, o->literal ? "]" : "");
    if (o->port != (o->tls ? 443 : 80)) {
        put(h, ":");
        put_number(h, o->port);
    }
}

static void put_head(struct lapel_http *h, const struct lapel_request *q)
{
    put(h, q->method);
    put(h, " ");
    put(h, q->path);
    put_bytes(h, q->tail.ptr, q->tail.len);
    put_host(h);
    if (q->token != NULL) {
        put(h, "\r\nAuthorization: Bearer ");
        put(h, q->token);
    }
    if (q->attempt != NULL) {
        put(h, "\r\nLapel-Attempt: ");
        put_hex(h, q->attempt, 8);
    }
    if (q->erase.ptr != NULL) {
        put(h, "\r\nLapel-Erase: ");
        put_hex(h, q->erase.ptr, q->erase.len);
    }
    if (q->from > 0) {
        put(h, "\r\nRange: bytes=");
        put_number(h, q->from);
        put(h, "-\r\nIf-Range: \"");
        put_bytes(h, q->tail.ptr, q->tail.len);
        put(h, "\"");
    }
    if (q->body.ptr != NULL) {
        put(h, "\r\nContent-Type: application/cbor\r\nContent-Length: ");
        put_number(h, q->body.len);
    }
    put(h, "\r\n\r\n");
}

enum http_result lapel_http_start(struct lapel_http *h, const struct lapel_request *request)
{
    struct lsuit_bytes body = request->body;

    h->out_n = 0;
    h->full = false;
    put_head(h, request);
    if (h->full || (body.ptr != NULL && h->out_n > HTTP_HEAD_ROOM) ||
        body.len > h->io_size - h->out_n)
        return HTTP_LIMIT;
    if (body.ptr != NULL)
        lsuit_bytes_move(h->io + h->out_n, body.ptr, body.len);
    h->out_n += body.len;

    memset(&h->head, 0, sizeof h->head);
    h->out_at = 0;
    h->head_n = 0;
    h->body_n = 0;
    h->left = 0;
    h->extra = 0;
    h->chunk = CHUNK_SIZE;
    h->chunked = false;
    h->reused = h->open;
    h->keep = true;
    h->phase = PHASE_CONNECT;
    h->idle_at = 0;
    return HTTP_AGAIN;
}

void lapel_http_close(struct lapel_http *h)
{
    /* A connection that is only begun is ended too. */
    if (h->open || h->phase == PHASE_CONNECT)
        h->net->close(h->ctx);
    h->open = false;
    h->phase = PHASE_IDLE;
}

/* --- the header block ------------------------------------------------------------------------ */

static bool same_text(const uint8_t *p, size_t n, const char *lower)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i];

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 32);
        if (lower[i] == '\0' || c != (uint8_t)lower[i])
            return false;
    }
    return lower[n] == '\0';
}

/* Decimal digits up to a byte that is none; false when there are none or too many. */
static bool parse_number(const uint8_t **p, const uint8_t *end, uint64_t *v_out)
{
    uint64_t v = 0;
    size_t n = 0;

    while (*p < end && **p >= '0' && **p <= '9') {
        if (++n > 18)
            return false;
        v = v * 10 + (uint64_t)(**p - '0');
        (*p)++;
    }
    *v_out = v;
    return n > 0;
}

static bool take(const uint8_t **p, const uint8_t *end, const char *text)
{
    if (!lapel_http_begins(*p, (size_t)(end - *p), text))
        return false;
    *p += lsuit_text(text).len;
    return true;
}

static bool head_length(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    if (h->head.has_length || !parse_number(&p, end, &h->head.length) || p != end)
        return false;
    h->head.has_length = true;
    return true;
}

static bool head_encoding(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    if (h->chunked || !same_text(p, (size_t)(end - p), "chunked"))
        return false;
    h->chunked = true;
    return true;
}

static bool head_coding(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    (void)h;
    return same_text(p, (size_t)(end - p), "identity");
}

static bool head_range(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    if (h->head.has_range)
        return false;
    h->head.has_range = take(&p, end, "bytes ") && parse_number(&p, end, &h->head.range_first) &&
                        take(&p, end, "-") && parse_number(&p, end, &h->head.range_last) &&
                        take(&p, end, "/") && parse_number(&p, end, &h->head.range_total) &&
                        p == end;
    return true; /* a 206 without one is refused where it is used; other statuses don't care */
}

static bool head_retry(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    uint64_t v = 0;

    /* A date is no use without a clock, and a wrong one is worse than our own back-off. */
    if (parse_number(&p, end, &v) && p == end) {
        h->head.has_retry_after = true;
        h->head.retry_after_s = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    } else if (end > p && *p >= '0' && *p <= '9') {
        h->head.has_retry_after = true;
        h->head.retry_after_s = UINT32_MAX;
    }
    return true;
}

static bool head_connection(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        const uint8_t *from = p;

        while (p < end && *p != ',' && *p != ' ' && *p != '\t')
            p++;
        if (same_text(from, (size_t)(p - from), "close"))
            h->keep = false;
        if (p < end)
            p++;
    }
    return true;
}

/* clang-format off */
static const struct {
    const char *name; /* in lower case */
    bool (*read)(struct lapel_http *h, const uint8_t *p, const uint8_t *end);
} HEADERS[] = {
    { "content-length",    head_length },
    { "transfer-encoding", head_encoding },
    { "content-encoding",  head_coding },
    { "content-range",     head_range },
    { "retry-after",       head_retry },
    { "connection",        head_connection },
};
/* clang-format on */

/* tchar of RFC 9110, 5.6.2 */
static bool token_char(uint8_t c)
{
    for (const char *no = "\"(),/:;<=>?@[\\]{}"; *no != '\0'; no++)
        if (c == (uint8_t)*no)
            return false;
    return c > ' ' && c < 0x7f;
}

static bool header_line(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *name = p;

    while (p < end && token_char(*p))
        p++;
    size_t name_n = (size_t)(p - name);
    if (name_n == 0 || p == end || *p != ':') /* also a folded line, and a blank before the colon */
        return false;
    p++;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++)
        if (same_text(name, name_n, HEADERS[i].name))
            return HEADERS[i].read(h, p, end);
    return true;
}

static bool status_line(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    uint64_t status = 0;
    const uint8_t *digits;

    if (!take(&p, end, "HTTP/1.1 "))
        return false;
    digits = p;
    if (!parse_number(&p, end, &status) || p - digits != 3 || status < 200 || status > 599)
        return false;
    if (p < end && *p != ' ')
        return false;
    h->head.status = (uint16_t)status;
    return true;
}

/* The block up to and with its empty line, which ends at `end`. */
static bool parse_head(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    bool first = true;

    end -= 2;
    while (p < end) {
        const uint8_t *line = p;

        while (*p != '\r') {
            if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
                return false; /* a bare LF, a NUL */
            p++;
        }
        if (p[1] != '\n')
            return false;
        if (!(first ? status_line(h, line, p) : header_line(h, line, p)))
            return false;
        first = false;
        p += 2;
    }
    return !first;
}

/* --- the body ---------------------------------------------------------------------------------- */

static void body_start(struct lapel_http *h)
{
    h->left = h->chunked ? 0 : h->head.length;
    h->phase = PHASE_BODY;
    if (h->head.status == 204 || h->head.status == 304 || (!h->chunked && h->left == 0))
        h->phase = PHASE_END;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The states that one byte moves on; false when it must not stand there. */
static bool chunk_byte(struct lapel_http *h, uint8_t c)
{
    int v;

    switch ((enum chunk)h->chunk) {
    case CHUNK_SIZE:
        v = hex_value(c);
        h->left = v < 0 ? 0 : (uint64_t)v;
        h->head.length = 1; /* digits of this size */
        h->chunk = CHUNK_DIGITS;
        return v >= 0;
    case CHUNK_DIGITS:
        v = hex_value(c);
        if (v >= 0) {
            h->left = h->left * 16 + (uint64_t)v;
            return ++h->head.length <= CHUNK_DIGITS_MAX;
        }
        h->chunk = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
        return c == '\r' || c == ';' || c == ' ' || c == '\t';
    case CHUNK_EXTENSION:
        if (c == '\r')
            h->chunk = CHUNK_SIZE_LF;
        return c == '\r' || (++h->extra <= EXTRA_MAX && c != '\n' && c != '\0');
    case CHUNK_SIZE_LF:
        h->chunk = h->left == 0 ? CHUNK_TRAILER : CHUNK_DATA;
        return c == '\n';
    case CHUNK_DATA_CR:
        h->chunk = CHUNK_DATA_LF;
        return c == '\r';
    case CHUNK_DATA_LF:
        h->chunk = CHUNK_SIZE;
        return c == '\n';
    case CHUNK_TRAILER:
        h->chunk = c == '\r' ? CHUNK_LAST_LF : CHUNK_TRAILER_LINE;
        return c == '\r' || (++h->extra <= EXTRA_MAX && c != '\n' && c != '\0');
    case CHUNK_TRAILER_LINE:
        if (c == '\r')
            h->chunk = CHUNK_TRAILER_LF;
        return c == '\r' || (++h->extra <= EXTRA_MAX && c != '\n' && c != '\0');
    case CHUNK_TRAILER_LF:
        h->chunk = CHUNK_TRAILER;
        return c == '\n';
    case CHUNK_LAST_LF:
        h->chunk = CHUNK_DONE;
        return c == '\n';
    case CHUNK_DATA:
    case CHUNK_DONE:
        break;
    }
    return false;
}

static bool decode_chunked(struct lapel_http *h, size_t raw_n)
{
    size_t at = h->body_n, end = h->body_n + raw_n;

    while (at < end && h->chunk != CHUNK_DONE) {
        if (h->chunk != CHUNK_DATA) {
            if (!chunk_byte(h, h->io[at++]))
                return false;
            continue;
        }
        size_t n = end - at;
        if (n > h->left)
            n = (size_t)h->left;
        lsuit_bytes_move(h->io + h->body_n, h->io + at, n);
        h->body_n += n;
        at += n;
        h->left -= n;
        if (h->left == 0)
            h->chunk = CHUNK_DATA_CR;
    }
    if (h->chunk == CHUNK_DONE) {
        h->phase = PHASE_END;
        h->keep = h->keep && at == end;
    }
    return true;
}

/* Raw bytes stand behind the decoded ones; decoding only ever shrinks. */
static bool decode(struct lapel_http *h, size_t raw_n)
{
    if (h->chunked)
        return decode_chunked(h, raw_n);

    size_t n = raw_n;
    if (n > h->left)
        n = (size_t)h->left;
    h->body_n += n;
    h->left -= n;
    if (h->left == 0) {
        h->phase = PHASE_END;
        h->keep = h->keep && n == raw_n; /* more came than was announced */
    }
    return true;
}

/* --- the steps ------------------------------------------------------------------------------------ */

static enum http_result step_connect(struct lapel_http *h)
{
    int r = 1;

    if (!h->open)
        r = h->net->connect(h->ctx, h->origin->host, h->origin->port, h->origin->tls);
    if (r < 0) {
        h->phase = PHASE_IDLE;
        return r == LAPEL_NET_TRUST ? HTTP_TRUST : HTTP_NETWORK;
    }
    if (r > 0) {
        h->open = true;
        h->phase = PHASE_SEND;
        h->idle_at = 0;
    }
    return HTTP_AGAIN;
}

static enum http_result step_send(struct lapel_http *h, uint64_t now_ms)
{
    int r = h->net->send(h->ctx, h->io + h->out_at, h->out_n - h->out_at);

    if (r < 0)
        return h->reused ? HTTP_STALE : r == LAPEL_NET_TRUST ? HTTP_TRUST : HTTP_NETWORK;
    if ((size_t)r > h->out_n - h->out_at)
        return HTTP_NETWORK;
    if (r > 0)
        h->idle_at = 0;
    h->out_at += (size_t)r;
    if (h->out_at == h->out_n) {
        h->phase = PHASE_HEAD;
        h->window_at = now_ms + WINDOW_MS;
    }
    return HTTP_AGAIN;
}

/* The empty line that ends the block: the bytes behind it, or 0. */
static size_t find_end(const uint8_t *p, size_t n, size_t from)
{
    for (size_t i = from; i + 4 <= n; i++)
        if (memcmp(p + i, "\r\n\r\n", 4) == 0)
            return i + 4;
    return 0;
}

static enum http_result step_head(struct lapel_http *h, uint64_t now_ms)
{
    static const char BEGIN[] = "HTTP/1.1 ";
    size_t had = h->head_n;
    int r;

    if (had == h->io_size)
        return HTTP_LIMIT;
    r = h->net->recv(h->ctx, h->io + had, h->io_size - had);
    if (r < 0)
        return h->reused && had == 0  ? HTTP_STALE
               : r == LAPEL_NET_TRUST ? HTTP_TRUST
                                      : HTTP_NETWORK;
    if ((size_t)r > h->io_size - had)
        return HTTP_NETWORK;
    if (r == 0)
        return now_ms >= h->window_at ? HTTP_NETWORK : HTTP_AGAIN;
    h->idle_at = 0;
    h->head_n += (size_t)r;
    size_t known = h->head_n < sizeof BEGIN - 1 ? h->head_n : sizeof BEGIN - 1;
    if (memcmp(h->io, BEGIN, known) != 0)
        return HTTP_PROTOCOL;

    size_t end = find_end(h->io, h->head_n, had > 3 ? had - 3 : 0);
    if (end == 0)
        return now_ms >= h->window_at ? HTTP_NETWORK : HTTP_AGAIN;
    if (!parse_head(h, h->io, h->io + end) || (h->head.has_length && h->chunked))
        return HTTP_PROTOCOL;
    if (!h->head.has_length && !h->chunked && h->head.status != 204 && h->head.status != 304)
        return HTTP_PROTOCOL; /* a body that ends when the connection does proves nothing */

    size_t rest = h->head_n - end;
    lsuit_bytes_move(h->io, h->io + end, rest);
    body_start(h);
    h->window_at = now_ms + WINDOW_MS;
    h->window_n = 0;
    if (h->phase == PHASE_END)
        h->keep = h->keep && rest == 0; /* bytes behind an answer without body */
    else if (!decode(h, rest))
        return HTTP_PROTOCOL;
    return HTTP_HEAD;
}

/* Did this window bring less than it must? A buffer that was filled is never slow: there may be
 * more, and we weren't there to take it. */
static bool too_slow(struct lapel_http *h, uint64_t now_ms, size_t got, size_t room)
{
    h->window_n += (uint32_t)got;
    if (now_ms < h->window_at)
        return false;
    if (h->window_n < SLOW_BYTES && got < room)
        return true;
    h->window_at = now_ms + WINDOW_MS;
    h->window_n = 0;
    return false;
}

static enum http_result step_body(struct lapel_http *h, uint64_t now_ms)
{
    size_t room = h->io_size - h->body_n;
    int r;

    if (room == 0)
        return HTTP_BODY;
    r = h->net->recv(h->ctx, h->io + h->body_n, room);
    if (r < 0)
        return r == LAPEL_NET_TRUST ? HTTP_TRUST : HTTP_NETWORK;
    if ((size_t)r > room)
        return HTTP_NETWORK;
    if (r == 0)
        return HTTP_AGAIN;
    h->idle_at = 0;
    if (!decode(h, (size_t)r))
        return HTTP_PROTOCOL;
    if (h->phase == PHASE_END)
        return HTTP_END;
    if (too_slow(h, now_ms, (size_t)r, room))
        return HTTP_NETWORK;
    return h->body_n > 0 ? HTTP_BODY : HTTP_AGAIN;
}

static enum http_result step(struct lapel_http *h, uint64_t now_ms)
{
    switch ((enum phase)h->phase) {
    case PHASE_CONNECT:
        return step_connect(h);
    case PHASE_SEND:
        return step_send(h, now_ms);
    case PHASE_HEAD:
        return step_head(h, now_ms);
    case PHASE_BODY:
        return step_body(h, now_ms);
    case PHASE_END:
        return HTTP_END;
    case PHASE_IDLE:
        break;
    }
    return HTTP_NETWORK;
}

enum http_result lapel_http_step(struct lapel_http *h, uint64_t now_ms)
{
    enum http_result r = lapel_http_idle(h, step(h, now_ms), now_ms);

    if (r == HTTP_END && !h->keep && h->open) {
        h->net->close(h->ctx);
        h->open = false;
    }
    return r;
}

#endif
