/*
 * The device's HTTP/1.1 against peers that don't speak as they must.
 *
 * Each response is fed whole, byte by byte, and split at every point: the outcome must be the
 * same. A response in the table is what the peer sends, then it closes.
 */
#include "check.h"
#include "core/http.h"

static struct peer {
    const char *bytes;
    size_t n, at, split, most; /* a call gets no byte beyond split before the next one */
    char sent[2048];
    size_t sent_n;
    int connects, fail_connect, close_after_send;
    bool open;
} peer;

static int peer_connect(void *ctx, const char *host, uint16_t port, bool tls)
{
    (void)ctx;
    (void)host;
    (void)port;
    (void)tls;
    peer.connects++;
    if (peer.fail_connect != 0)
        return peer.fail_connect;
    peer.open = true;
    return 1;
}

static int peer_send(void *ctx, const uint8_t *buf, size_t n)
{
    (void)ctx;
    if (!peer.open)
        return LAPEL_NET_FAIL;
    if (peer.most != 0 && n > peer.most)
        n = peer.most;
    if (n > sizeof peer.sent - peer.sent_n)
        return LAPEL_NET_FAIL;
    memcpy(peer.sent + peer.sent_n, buf, n);
    peer.sent_n += n;
    return (int)n;
}

static int peer_recv(void *ctx, uint8_t *buf, size_t n)
{
    size_t left = peer.n - peer.at;

    (void)ctx;
    if (!peer.open || left == 0)
        return LAPEL_NET_CLOSED;
    if (peer.most != 0 && left > peer.most)
        left = peer.most;
    if (peer.at < peer.split && left > peer.split - peer.at)
        left = peer.split - peer.at;
    if (n > left)
        n = left;
    memcpy(buf, peer.bytes + peer.at, n);
    peer.at += n;
    return (int)n;
}

static void peer_close(void *ctx)
{
    (void)ctx;
    peer.open = false;
}

static const struct lapel_net NET = { sizeof NET, peer_connect, peer_send,
                                      peer_recv,  peer_close,   NULL };
static const struct lapel_origin ORIGIN = { "h.example", 443, true, false };
static const struct lapel_request REQUEST = { .method = "GET", .path = "/x" };

static uint8_t io[512];
static struct lapel_http http;
static char body[4096];
static size_t body_n;

/* One exchange to its end; the body is taken as it comes. */
static enum http_result exchange(void)
{
    enum http_result r = HTTP_AGAIN;

    body_n = 0;
    if (lapel_http_start(&http, &REQUEST) != HTTP_AGAIN)
        return HTTP_LIMIT;
    for (int i = 0; i < 20000; i++) {
        r = lapel_http_step(&http, 1000);
        if (r < 0)
            return r;
        if ((r == HTTP_BODY || r == HTTP_END) && http.body_n > 0) {
            if (http.body_n > sizeof body - body_n)
                return HTTP_LIMIT;
            memcpy(body + body_n, http.io, http.body_n);
            body_n += http.body_n;
            lapel_http_take(&http, http.body_n);
        }
        if (r == HTTP_END)
            return r;
    }
    return HTTP_AGAIN;
}

static void meet(const char *bytes, size_t n)
{
    memset(&peer, 0, sizeof peer);
    peer.bytes = bytes;
    peer.n = n;
    memset(io, 0, sizeof io);
    lapel_http_init(&http, io, sizeof io, &NET, NULL, &ORIGIN);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define LONG_60 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"

/* clang-format off */
static const struct {
    const char *name, *bytes;
    enum http_result want;
    uint16_t status;
    const char *body;
    bool keep;
} ROWS[] = {
    { "a body by its length", OK_HEAD "Content-Length: 5\r\n\r\nhello", HTTP_END, 200, "hello", true },
    { "no body", OK_HEAD "Content-Length: 0\r\n\r\n", HTTP_END, 200, "", true },
    { "204 without a length", "HTTP/1.1 204 No Content\r\n\r\n", HTTP_END, 204, "", true },
    { "304 with a length and no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", HTTP_END, 304, "", true },
    { "no reason phrase", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", HTTP_END, 200, "x", true },
    { "empty reason phrase", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", HTTP_END, 200, "x", true },
    { "header names in any case", OK_HEAD "cOnTeNt-LeNgTh:5\r\n\r\nhello", HTTP_END, 200, "hello", true },
    { "blanks around a value", OK_HEAD "Content-Length:  \t5 \t\r\n\r\nhello", HTTP_END, 200, "hello", true },
    { "an empty value", OK_HEAD "X-Empty:\r\nContent-Length: 2\r\n\r\nok", HTTP_END, 200, "ok", true },
    { "connection: close", OK_HEAD "Connection: close\r\nContent-Length: 2\r\n\r\nok", HTTP_END, 200, "ok", false },
    { "connection: a list with close", OK_HEAD "Connection: x, Close\r\nContent-Length: 2\r\n\r\nok", HTTP_END, 200, "ok", false },
    { "identity is no coding", OK_HEAD "Content-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", HTTP_END, 200, "ok", true },
    { "chunks", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", HTTP_END, 200, "hello world", true },
    { "chunk sizes in hexadecimal, leading zeros", OK_HEAD "Transfer-Encoding: Chunked\r\n\r\n0000A\r\n0123456789\r\n0\r\n\r\n", HTTP_END, 200, "0123456789", true },
    { "chunk extensions and trailers", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0;z\r\nX-T: 1\r\nY: 2\r\n\r\n", HTTP_END, 200, "ok", true },
    { "chunks: nothing", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HTTP_END, 200, "", true },
    { "more bytes than announced", OK_HEAD "Content-Length: 2\r\n\r\nok+more", HTTP_END, 200, "ok", false },
    { "bytes behind the last chunk", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore", HTTP_END, 200, "ok", false },
    { "an error with a body", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy", HTTP_END, 503, "busy", true },

    { "nothing at all", "", HTTP_NETWORK, 0, "", false },
    { "closed in the status line", "HTTP/1.1 2", HTTP_NETWORK, 0, "", false },
    { "closed in the headers", OK_HEAD "Content-Le", HTTP_NETWORK, 0, "", false },
    { "closed in the body", OK_HEAD "Content-Length: 5\r\n\r\nhel", HTTP_NETWORK, 200, "hel", false },
    { "closed in a chunk", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", HTTP_NETWORK, 200, "hel", false },
    { "closed before the last chunk", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", HTTP_NETWORK, 200, "ok", false },
    { "closed in the trailer", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n", HTTP_NETWORK, 200, "ok", false },

    { "another protocol", "SSH-2.0-OpenSSH_9.2\r\n", HTTP_PROTOCOL, 0, "", false },
    { "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 0, "", false },
    { "HTTP/2", "HTTP/2 200\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 0, "", false },
    { "a blank too many", "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 0, "", false },
    { "a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 0, "", false },
    { "a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 0, "", false },
    { "status 600", "HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 0, "", false },
    { "an interim response", "HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD "Content-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 0, "", false },
    { "no length: ends with the connection", OK_HEAD "\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "two lengths", OK_HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "two different lengths", OK_HEAD "Content-Length: 5\r\nContent-Length: 2\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "length and chunks", OK_HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HTTP_PROTOCOL, 200, "", false },
    { "a negative length", OK_HEAD "Content-Length: -5\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "a length with a sign", OK_HEAD "Content-Length: +5\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "a length in hexadecimal", OK_HEAD "Content-Length: 0x5\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "a list of lengths", OK_HEAD "Content-Length: 5, 5\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "an empty length", OK_HEAD "Content-Length:\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "a length of 19 digits", OK_HEAD "Content-Length: 9999999999999999999\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "gzip", OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", HTTP_PROTOCOL, 200, "", false },
    { "gzip, chunked", OK_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", HTTP_PROTOCOL, 200, "", false },
    { "chunked twice", OK_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HTTP_PROTOCOL, 200, "", false },
    { "a folded header", OK_HEAD "X: a\r\n b\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 200, "", false },
    { "a blank before the colon", OK_HEAD "Content-Length : 2\r\n\r\nok", HTTP_PROTOCOL, 200, "", false },
    { "a header without a colon", OK_HEAD "nonsense\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 200, "", false },
    { "a header without a name", OK_HEAD ": x\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 200, "", false },
    { "a bare LF in the block", OK_HEAD "X: a\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 200, "", false },
    { "a bare CR in the block", OK_HEAD "X: a\rb\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 200, "", false },
    { "a control character", OK_HEAD "X: \x01\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 200, "", false },
    { "two content ranges", "HTTP/1.1 206 P\r\nContent-Range: bytes 0-1/2\r\nContent-Range: bytes 0-1/2\r\nContent-Length: 2\r\n\r\nok", HTTP_PROTOCOL, 206, "", false },
    { "no chunk size", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n", HTTP_PROTOCOL, 200, "", false },
    { "a chunk size that is none", OK_HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", HTTP_PROTOCOL, 200, "", false },
    { "a negative chunk", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n-1\r\n", HTTP_PROTOCOL, 200, "", false },
    { "a chunk size of nine digits", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n100000000\r\n", HTTP_PROTOCOL, 200, "", false },
    { "a chunk longer than it says", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", HTTP_PROTOCOL, 200, "ok", false },
    { "a chunk size ended by LF", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n", HTTP_PROTOCOL, 200, "", false },
    { "a header block over the buffer", OK_HEAD "A: " LONG_60 "\r\nB: " LONG_60 "\r\nC: " LONG_60 "\r\nD: " LONG_60 "\r\nE: " LONG_60 "\r\nF: " LONG_60 "\r\nG: " LONG_60 "\r\nH: " LONG_60 "\r\nContent-Length: 2\r\n\r\nok", HTTP_LIMIT, 0, "", false },
};
/* clang-format on */

static void expect(size_t row)
{
    enum http_result r = exchange();

    CHECK_INT(r, ROWS[row].want);
    if (r == HTTP_END) {
        CHECK_UINT(http.head.status, ROWS[row].status);
        CHECK_BYTES(body, body_n, ROWS[row].body, strlen(ROWS[row].body));
        CHECK(http.open == ROWS[row].keep);
    } else {
        CHECK(!http.open);
        CHECK(!peer.open);
    }
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t n = strlen(ROWS[i].bytes);

        check_case(ROWS[i].name);
        meet(ROWS[i].bytes, n);
        expect(i);
        meet(ROWS[i].bytes, n);
        peer.most = 1;
        enum http_result r = exchange();
        CHECK_INT(r, ROWS[i].want);
        if (r == HTTP_END)
            CHECK_BYTES(body, body_n, ROWS[i].body, strlen(ROWS[i].body));
        for (size_t split = 1; split < n; split++) {
            meet(ROWS[i].bytes, n);
            peer.split = split;
            r = exchange();
            CHECK_INT(r, ROWS[i].want);
            if (r == HTTP_END)
                CHECK_BYTES(body, body_n, ROWS[i].body, strlen(ROWS[i].body));
        }
    }
}

static void test_values(void)
{
    /* clang-format off */
    static const struct { const char *name, *value; bool has; uint32_t s; } RETRY[] = {
        { "Retry-After in seconds",   "120",                            true,  120 },
        { "Retry-After 0",            "0",                              true,  0 },
        { "Retry-After huge",         "99999999999999999999999",        true,  UINT32_MAX },
        { "Retry-After a date",       "Fri, 31 Dec 1999 23:59:59 GMT",  false, 0 },
        { "Retry-After negative",     "-5",                             false, 0 },
        { "Retry-After with a word",  "5 seconds",                      false, 0 },
    };
    static const struct { const char *name, *value; bool has; uint64_t first, last, total; } RANGE[] = {
        { "Content-Range",            "bytes 5-9/10",  true,  5, 9, 10 },
        { "Content-Range of unknown total", "bytes 5-9/*", false, 0, 0, 0 },
        { "Content-Range of a 416",   "bytes */10",    false, 0, 0, 0 },
        { "Content-Range in another unit", "lines 5-9/10", false, 0, 0, 0 },
        { "Content-Range with a tail", "bytes 5-9/10x", false, 0, 0, 0 },
        { "Content-Range overflow",   "bytes 5-99999999999999999999/10", false, 0, 0, 0 },
    };
    /* clang-format on */
    char text[300];

    for (size_t i = 0; i < sizeof RETRY / sizeof *RETRY; i++) {
        check_case(RETRY[i].name);
        snprintf(text, sizeof text,
                 "HTTP/1.1 503 B\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", RETRY[i].value);
        meet(text, strlen(text));
        CHECK_INT(exchange(), HTTP_END);
        CHECK(http.head.has_retry_after == RETRY[i].has);
        if (RETRY[i].has)
            CHECK_UINT(http.head.retry_after_s, RETRY[i].s);
    }
    for (size_t i = 0; i < sizeof RANGE / sizeof *RANGE; i++) {
        check_case(RANGE[i].name);
        snprintf(text, sizeof text,
                 "HTTP/1.1 206 P\r\nContent-Range: %s\r\nContent-Length: 0\r\n\r\n",
                 RANGE[i].value);
        meet(text, strlen(text));
        CHECK_INT(exchange(), HTTP_END);
        CHECK(http.head.has_range == RANGE[i].has);
        if (RANGE[i].has) {
            CHECK_UINT(http.head.range_first, RANGE[i].first);
            CHECK_UINT(http.head.range_last, RANGE[i].last);
            CHECK_UINT(http.head.range_total, RANGE[i].total);
        }
    }
}

static void test_large(void)
{
    static char text[3000];
    size_t n;

    check_case("a body larger than the buffer, in any pieces");
    n = (size_t)snprintf(text, sizeof text, OK_HEAD "Content-Length: 2000\r\n\r\n");
    for (size_t i = 0; i < 2000; i++)
        text[n + i] = (char)('a' + i % 26);
    for (size_t most = 0; most < 700; most += 37) {
        meet(text, n + 2000);
        peer.most = most;
        CHECK_INT(exchange(), HTTP_END);
        CHECK_BYTES(body, body_n, text + n, 2000);
    }

    check_case("endless chunk extensions are cut off");
    n = (size_t)snprintf(text, sizeof text, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2;");
    memset(text + n, 'x', 2000);
    meet(text, n + 2000);
    CHECK_INT(exchange(), HTTP_PROTOCOL);

    check_case("endless trailers are cut off");
    n = (size_t)snprintf(text, sizeof text, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n");
    for (size_t i = 0; i < 400; i++)
        memcpy(text + n + 5 * i, "X:1\r\n", 5);
    meet(text, n + 2000);
    CHECK_INT(exchange(), HTTP_PROTOCOL);
}

static void test_connection(void)
{
    static const char ONE[] = OK_HEAD "Content-Length: 2\r\n\r\nok";

    check_case("a second exchange goes over the same connection");
    meet(ONE, sizeof ONE - 1);
    CHECK_INT(exchange(), HTTP_END);
    peer.at = 0;
    CHECK_INT(exchange(), HTTP_END);
    CHECK_INT(peer.connects, 1);

    check_case("a kept connection that ended is told apart, and the next try is new");
    meet(ONE, sizeof ONE - 1);
    CHECK_INT(exchange(), HTTP_END);
    CHECK_INT(exchange(), HTTP_STALE);
    peer.at = 0;
    CHECK_INT(exchange(), HTTP_END);
    CHECK_INT(peer.connects, 2);

    check_case("no server");
    meet(ONE, sizeof ONE - 1);
    peer.fail_connect = LAPEL_NET_FAIL;
    CHECK_INT(exchange(), HTTP_NETWORK);

    check_case("not the server we want");
    meet(ONE, sizeof ONE - 1);
    peer.fail_connect = LAPEL_NET_TRUST;
    CHECK_INT(exchange(), HTTP_TRUST);

    check_case("what is sent");
    meet(ONE, sizeof ONE - 1);
    CHECK_INT(exchange(), HTTP_END);
    CHECK_BYTES(peer.sent, peer.sent_n, "GET /x HTTP/1.1\r\nHost: h.example\r\n\r\n", 36);

    check_case("a request larger than the buffer");
    meet(ONE, sizeof ONE - 1);
    struct lapel_request large = REQUEST;
    large.tail = (struct lsuit_bytes){ (const uint8_t *)body, sizeof io };
    CHECK_INT(lapel_http_start(&http, &large), HTTP_LIMIT);
    large.tail.len = 0;
    large.body = (struct lsuit_bytes){ io + HTTP_HEAD_ROOM, sizeof io - HTTP_HEAD_ROOM };
    CHECK_INT(lapel_http_start(&http, &large), HTTP_AGAIN);
    large.tail = (struct lsuit_bytes){ (const uint8_t *)body, HTTP_HEAD_ROOM };
    CHECK_INT(lapel_http_start(&http, &large), HTTP_LIMIT); /* it would cover its own body */

    check_case("every header of a request");
    static const uint8_t ID[8] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
    static const char WANT[] = "POST /x/abc HTTP/1.1\r\nHost: h.example\r\n"
                               "Authorization: Bearer secret\r\n"
                               "Lapel-Attempt: 0123456789abcdef\r\n"
                               "Lapel-Erase: 6162\r\n"
                               "Range: bytes=70000000000-\r\nIf-Range: \"abc\"\r\n"
                               "Content-Type: application/cbor\r\nContent-Length: 2\r\n\r\nhi";
    struct lapel_request all = { "POST",
                                 "/x/",
                                 { (const uint8_t *)"abc", 3 },
                                 "secret",
                                 ID,
                                 { (const uint8_t *)"ab", 2 },
                                 70000000000u,
                                 { (const uint8_t *)"hi", 2 } };
    meet(ONE, sizeof ONE - 1);
    CHECK_INT(lapel_http_start(&http, &all), HTTP_AGAIN);
    CHECK_INT(lapel_http_step(&http, 1000), HTTP_AGAIN); /* connect */
    CHECK_INT(lapel_http_step(&http, 1000), HTTP_AGAIN); /* send */
    CHECK_BYTES(peer.sent, peer.sent_n, WANT, sizeof WANT - 1);
}

static int silent_recv(void *ctx, uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)buf;
    (void)n;
    return 0;
}

static int drip_recv(void *ctx, uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)n;
    static const char DRIP[] = "HTTP/1.1 200 OK\r\nX: ";
    static size_t at;

    *buf = (uint8_t)(at < sizeof DRIP - 1 ? DRIP[at] : 'x');
    at++;
    return 1;
}

static void test_time(void)
{
    struct lapel_net net = NET;
    uint64_t now = 1000;
    enum http_result r = HTTP_AGAIN;

    check_case("a server that says nothing is given up after the idle time");
    net.recv = silent_recv;
    meet("", 0);
    http.net = &net;
    CHECK_INT(lapel_http_start(&http, &REQUEST), HTTP_AGAIN);
    while (r == HTTP_AGAIN && now < 1000000) {
        r = lapel_http_step(&http, now);
        now += 100;
    }
    CHECK_INT(r, HTTP_NETWORK);
    CHECK(now >= LAPEL_IDLE_TIMEOUT_MS);
    CHECK(now < LAPEL_IDLE_TIMEOUT_MS + 3000);

    check_case("headers that drip end at a total deadline");
    net.recv = drip_recv;
    meet("", 0);
    http.net = &net;
    CHECK_INT(lapel_http_start(&http, &REQUEST), HTTP_AGAIN);
    now = 1000;
    r = HTTP_AGAIN;
    while (r == HTTP_AGAIN && now < 10000000) {
        r = lapel_http_step(&http, now);
        now += 1000;
    }
    CHECK_INT(r, HTTP_NETWORK);
    CHECK(now < 3 * LAPEL_IDLE_TIMEOUT_MS);
}

static void test_origin(void)
{
    /* clang-format off */
    static const struct { const char *url, *host; uint16_t port; bool tls, literal; } GOOD[] = {
        { "https://a.example",      "a.example", 443,   true,  false },
        { "https://a.example:8443", "a.example", 8443,  true,  false },
        { "http://127.0.0.1:80",    "127.0.0.1", 80,    false, false },
        { "https://[::1]:9",        "::1",       9,     true,  true },
        { "https://[fe80::1]",      "fe80::1",   443,   true,  true },
        { "https://a:65535",        "a",         65535, true,  false },
    };
    static const char *const BAD[] = {
        "", "a.example", "ftp://a", "https://", "https://:1", "https://a:", "https://a:0",
        "https://a:65536", "https://a:1x", "https://a/", "https://a/x", "https://a?x", "https://u@a",
        "https://a b", "https://[::1", "https://[]", "https://[::1]x", "https://a\r\nX: y",
        ("https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    };
    /* clang-format on */
    struct lapel_origin o;

    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        check_case(GOOD[i].url);
        CHECK(lapel_http_origin(GOOD[i].url, &o));
        CHECK_STR(o.host, GOOD[i].host);
        CHECK_UINT(o.port, GOOD[i].port);
        CHECK(o.tls == GOOD[i].tls);
        CHECK(o.literal == GOOD[i].literal);
    }
    check_case("addresses that are refused");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (!CHECK(!lapel_http_origin(BAD[i], &o)))
            printf("     %s\n", BAD[i]);
}

int main(void)
{
    test_rows();
    test_values();
    test_large();
    test_connection();
    test_time();
    test_origin();
    return check_done();
}
