#include "http1.h"

#include <string.h>

enum phase { PHASE_IDLE = 0, PHASE_CONNECT, PHASE_SEND, PHASE_HEAD, PHASE_BODY, PHASE_END };

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

    if (strncmp(url, "https://", 8) == 0) {
        o.tls = true;
        o.port = 443;
        url += 8;
    } else if (strncmp(url, "http://", 7) == 0) {
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

/* --- the request --------------------------------------------------------------------------- */

void lapel_http_init(struct lapel_http *h, uint8_t *io, size_t io_size)
{
    memset(h, 0, sizeof *h);
    h->io = io;
    h->io_size = io_size;
}

void lapel_http_put_bytes(struct lapel_http *h, const uint8_t *bytes, size_t n)
{
    if (h->full || n > h->io_size - h->out_n) {
        h->full = true;
        return;
    }
    if (n > 0) /* an absent value has no address */
        memcpy(h->io + h->out_n, bytes, n);
    h->out_n += n;
}

void lapel_http_put(struct lapel_http *h, const char *text)
{
    lapel_http_put_bytes(h, (const uint8_t *)text, strlen(text));
}

void lapel_http_put_number(struct lapel_http *h, uint64_t v)
{
    uint8_t digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    lapel_http_put_bytes(h, digits + at, sizeof digits - at);
}

void lapel_http_put_hex(struct lapel_http *h, const uint8_t *bytes, size_t n)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        uint8_t two[2] = { (uint8_t)DIGITS[bytes[i] >> 4], (uint8_t)DIGITS[bytes[i] & 15] };

        lapel_http_put_bytes(h, two, 2);
    }
}

void lapel_http_request(struct lapel_http *h, const struct lapel_origin *origin, const char *method,
                        const char *path, const uint8_t *tail, size_t tail_n)
{
    h->out_n = 0;
    h->full = false;
    lapel_http_put(h, method);
    lapel_http_put(h, " ");
    lapel_http_put(h, path);
    lapel_http_put_bytes(h, tail, tail_n);
    lapel_http_put(h, " HTTP/1.1\r\nHost: ");
    lapel_http_put(h, origin->literal ? "[" : "");
    lapel_http_put(h, origin->host);
    lapel_http_put(h, origin->literal ? "]" : "");
    if (origin->port != (origin->tls ? 443 : 80)) {
        lapel_http_put(h, ":");
        lapel_http_put_number(h, origin->port);
    }
    lapel_http_put(h, "\r\n");
}

enum http_result lapel_http_start(struct lapel_http *h, const uint8_t *body, size_t n)
{
    if (body != NULL) {
        lapel_http_put(h, "Content-Length: ");
        lapel_http_put_number(h, n);
        lapel_http_put(h, "\r\n");
    }
    lapel_http_put(h, "\r\n");
    if (body != NULL) {
        /* The body may stand further back in the same buffer. */
        if (h->full || n > h->io_size - h->out_n)
            return HTTP_LIMIT;
        memmove(h->io + h->out_n, body, n);
        h->out_n += n;
    }
    if (h->full)
        return HTTP_LIMIT;

    h->out_at = 0;
    h->head_n = 0;
    h->body_n = 0;
    h->status = 0;
    h->length = 0;
    h->left = 0;
    h->extra = 0;
    h->retry_after_s = 0;
    h->chunk = CHUNK_SIZE;
    h->has_length = false;
    h->chunked = false;
    h->has_range = false;
    h->has_retry_after = false;
    h->reused = h->open;
    h->keep = true;
    h->phase = PHASE_CONNECT;
    h->idle_at = 0;
    return HTTP_AGAIN;
}

void lapel_http_close(struct lapel_http *h, const struct lapel_net *net, void *ctx)
{
    /* A connection that is only begun is ended too. */
    if (h->open || h->phase == PHASE_CONNECT)
        net->close(ctx);
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
    size_t n = strlen(text);

    if ((size_t)(end - *p) < n || memcmp(*p, text, n) != 0)
        return false;
    *p += n;
    return true;
}

static bool head_length(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    if (h->has_length || !parse_number(&p, end, &h->length) || p != end)
        return false;
    h->has_length = true;
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
    if (h->has_range)
        return false;
    h->has_range = take(&p, end, "bytes ") && parse_number(&p, end, &h->range_first) &&
                   take(&p, end, "-") && parse_number(&p, end, &h->range_last) &&
                   take(&p, end, "/") && parse_number(&p, end, &h->range_total) && p == end;
    return true; /* a 206 without one is refused where it is used; other statuses don't care */
}

static bool head_retry(struct lapel_http *h, const uint8_t *p, const uint8_t *end)
{
    uint64_t v = 0;

    /* A date is no use without a clock, and a wrong one is worse than our own back-off. */
    if (parse_number(&p, end, &v) && p == end) {
        h->has_retry_after = true;
        h->retry_after_s = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    } else if (end > p && *p >= '0' && *p <= '9') {
        h->has_retry_after = true;
        h->retry_after_s = UINT32_MAX;
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
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
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
    h->status = (uint16_t)status;
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
    h->left = h->chunked ? 0 : h->length;
    h->phase = PHASE_BODY;
    if (h->status == 204 || h->status == 304 || (!h->chunked && h->left == 0))
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
        h->length = 1; /* digits of this size */
        h->chunk = CHUNK_DIGITS;
        return v >= 0;
    case CHUNK_DIGITS:
        v = hex_value(c);
        if (v >= 0) {
            h->left = h->left * 16 + (uint64_t)v;
            return ++h->length <= CHUNK_DIGITS_MAX;
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
        memmove(h->io + h->body_n, h->io + at, n);
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

static enum http_result step_connect(struct lapel_http *h, const struct lapel_net *net, void *ctx,
                                     const struct lapel_origin *origin)
{
    int r = 1;

    if (!h->open)
        r = net->connect(ctx, origin->host, origin->port, origin->tls);
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

static enum http_result step_send(struct lapel_http *h, const struct lapel_net *net, void *ctx,
                                  uint64_t now_ms)
{
    int r = net->send(ctx, h->io + h->out_at, h->out_n - h->out_at);

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

static enum http_result step_head(struct lapel_http *h, const struct lapel_net *net, void *ctx,
                                  uint64_t now_ms)
{
    static const char BEGIN[] = "HTTP/1.1 ";
    size_t had = h->head_n;
    int r;

    if (had == h->io_size)
        return HTTP_LIMIT;
    r = net->recv(ctx, h->io + had, h->io_size - had);
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
    if (!parse_head(h, h->io, h->io + end) || (h->has_length && h->chunked))
        return HTTP_PROTOCOL;
    if (!h->has_length && !h->chunked && h->status != 204 && h->status != 304)
        return HTTP_PROTOCOL; /* a body that ends when the connection does proves nothing */

    size_t rest = h->head_n - end;
    memmove(h->io, h->io + end, rest);
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

static enum http_result step_body(struct lapel_http *h, const struct lapel_net *net, void *ctx,
                                  uint64_t now_ms)
{
    size_t room = h->io_size - h->body_n;
    int r;

    if (room == 0)
        return HTTP_BODY;
    r = net->recv(ctx, h->io + h->body_n, room);
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

static enum http_result step(struct lapel_http *h, const struct lapel_net *net, void *ctx,
                             const struct lapel_origin *origin, uint64_t now_ms)
{
    switch ((enum phase)h->phase) {
    case PHASE_CONNECT:
        return step_connect(h, net, ctx, origin);
    case PHASE_SEND:
        return step_send(h, net, ctx, now_ms);
    case PHASE_HEAD:
        return step_head(h, net, ctx, now_ms);
    case PHASE_BODY:
        return step_body(h, net, ctx, now_ms);
    case PHASE_END:
        return HTTP_END;
    case PHASE_IDLE:
        break;
    }
    return HTTP_NETWORK;
}

enum http_result lapel_http_step(struct lapel_http *h, const struct lapel_net *net, void *ctx,
                                 const struct lapel_origin *origin, uint64_t now_ms)
{
    enum http_result r = step(h, net, ctx, origin, now_ms);

    h->moved = h->idle_at == 0;
    if (h->moved) /* a byte moved, or the exchange began */
        h->idle_at = now_ms + LAPEL_IDLE_TIMEOUT_MS;
    else if (r == HTTP_AGAIN && now_ms >= h->idle_at)
        r = HTTP_NETWORK;
    if (r < 0)
        lapel_http_close(h, net, ctx);
    if (r == HTTP_END && !h->keep && h->open) {
        net->close(ctx);
        h->open = false;
    }
    return r;
}

void lapel_http_take(struct lapel_http *h, size_t n)
{
    memmove(h->io, h->io + n, h->body_n - n);
    h->body_n -= n;
}

bool lapel_http_in_body(const struct lapel_http *h)
{
    return h->phase == PHASE_BODY || h->phase == PHASE_END;
}

bool lapel_http_whole(const struct lapel_http *h)
{
    return h->phase == PHASE_END;
}
