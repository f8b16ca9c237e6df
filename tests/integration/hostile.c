/*
 * A server that lies, on a real socket, against the library with the agent's own network code.
 * Whatever it sends: no hang, no wrong image, and the error has the class that it should have.
 *
 * The good answers are those of device.h; a row says which of them is replaced, by what and how
 * often. Device and server take turns in one thread, and time is the test's: a deadline of a
 * minute costs none.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "core/core.h"
#include "device.h"
#include "ports/posix/log.h"
#include "ports/posix/net.h"
#include "unsigned.h"

enum at { AT_CHECKIN, AT_MANIFEST, AT_PAYLOAD, AT_RANGE };
enum body { GOOD, NONE, HALF, LONGER, OTHER, ENDLESS };
enum flow { WHOLE, BYTES, DRIP, DRIP_BODY, SILENT };
enum end { INSTALLED, FAILED, WITHDRAWN, TRYING, STUCK };

struct row {
    const char *name;
    enum at at;
    int times; /* so often, then the good answer; 0: always */
    const char
        *head; /* instead of the good one; NULL keeps it. {n} {from} {last} {total}: numbers */
    enum body body;
    enum flow flow;
    enum end end;
    uint8_t class_; /* of the attempt; where the check-in is bad: of the event told next time */
};

static struct signer key;
static struct release v1, v2;
static struct device d;
static struct conf conf;
static struct net net;

/* --- the server ------------------------------------------------------------------------------ */

static struct {
    int listen_fd, fd;
    const struct row *row;
    int bad;         /* bad answers so far */
    int asked;       /* requests of the row's kind */
    int cut;         /* responses to payload requests that end in the middle: what makes a Range */
    size_t reset_at; /* reset the connection when so many bytes of it have moved, once; 0: never */
    size_t moved;
    size_t slow_from; /* behind this a byte comes every 20 s */
    uint8_t out[32768];
    size_t out_n, out_at;
    bool end, endless;
    enum flow flow;
    uint64_t drip_at;
    uint64_t bad_at[32]; /* when the bad answers were asked for */
    uint8_t told[16];    /* classes of the events that check-ins brought */
} w;

static void hang_up(bool reset)
{
    const struct linger now = { 1, 0 };

    if (w.fd < 0)
        return;
    if (reset)
        (void)setsockopt(w.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(w.fd);
    w.fd = -1;
    d.server.open = false;
}

static bool take_connection(void)
{
    int fd = accept4(w.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int one = 1;

    if (fd < 0)
        return false;
    hang_up(false);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    w.fd = fd;
    w.out_n = w.out_at = 0;
    w.end = w.endless = false;
    w.flow = WHOLE;
    (void)dev_connect(&d, "", 0, false);
    return true;
}

static void put(const void *bytes, size_t n)
{
    if (n > sizeof w.out - w.out_n) {
        printf("FAIL the answer is larger than the test's buffer\n");
        exit(1);
    }
    memcpy(w.out + w.out_n, bytes, n);
    w.out_n += n;
}

static void put_head(const char *head, size_t n, size_t from)
{
    static const char *const NAMES[] = { "{n}", "{from}", "{last}", "{total}" };
    const size_t values[] = { n, from, v2.payload_n - 1, v2.payload_n };
    char number[24];

    while (*head != '\0') {
        size_t i = 0;

        while (i < 4 && strncmp(head, NAMES[i], strlen(NAMES[i])) != 0)
            i++;
        if (i == 4) {
            put(head++, 1);
            continue;
        }
        snprintf(number, sizeof number, "%zu", values[i]);
        put(number, strlen(number));
        head += strlen(NAMES[i]);
    }
    put("\r\n\r\n", 4);
}

static void put_body(enum body kind, const uint8_t *good, size_t n)
{
    static const uint8_t JUNK[64] = "junk junk junk junk junk junk junk junk junk junk junk junk";

    if (kind == GOOD || kind == LONGER)
        put(good, n);
    if (kind == HALF)
        put(good, n / 2);
    if (kind == LONGER)
        put(JUNK, sizeof JUNK);
    for (size_t i = 0; kind == OTHER && i < n; i++)
        put(&JUNK[i % 50], 1);
    w.endless = kind == ENDLESS;
    w.end = kind == HALF || kind == LONGER;
}

/* Replace the good answer, which stands in the memory server's buffer. */
static void answer_badly(const struct row *r)
{
    struct device_server *s = &d.server;
    const uint8_t *body = s->out;
    size_t n = s->out_n;

    while (n >= 4 && memcmp(body, "\r\n\r\n", 4) != 0) {
        body++;
        n--;
    }
    if (w.bad < 32)
        w.bad_at[w.bad] = d.now;
    w.bad++;
    w.flow = r->flow;
    w.drip_at = 0;
    if (r->flow == SILENT)
        return;
    if (r->head == NULL)
        put(s->out, (size_t)(body + 4 - s->out));
    else
        put_head(r->head, n - 4, s->ranges > 0 ? (size_t)s->range_from : 0);
    w.slow_from = r->flow == DRIP_BODY ? w.out_n : 0;
    put_body(r->body, body + 4, n - 4);
}

static void answer(enum at at)
{
    struct device_server *s = &d.server;
    const struct row *r = w.row;

    w.out_n = w.out_at = 0;
    w.flow = WHOLE;
    if (at == AT_PAYLOAD && w.cut > 0) {
        w.cut--;
        put(s->out, s->out_n - v2.payload_n / 2);
        w.end = true;
        return;
    }
    w.asked += r != NULL && at == r->at;
    if (r != NULL && at == r->at && (r->times == 0 || w.bad < r->times))
        answer_badly(r);
    else
        put(s->out, s->out_n);
}

/* Hand what came to the memory server; answer when a request is whole. */
static void take_bytes(const uint8_t *bytes, size_t n)
{
    struct device_server *s = &d.server;
    int checkins = s->checkins, manifests = s->manifests, ranges = s->ranges;

    if (s->in_n == 0)
        s->out_n = 0;
    if (dev_send(&d, bytes, n) != (int)n) {
        hang_up(true);
        return;
    }
    if (s->in_n != 0 || s->out_n == 0)
        return;
    if (s->checkins != checkins && s->event_class < sizeof w.told)
        w.told[s->event_class] = 1;
    answer(s->checkins != checkins     ? AT_CHECKIN
           : s->manifests != manifests ? AT_MANIFEST
           : s->ranges != ranges       ? AT_RANGE
                                       : AT_PAYLOAD);
}

/* Count bytes that move; the reset falls due at one of them. How many may move. */
static size_t until_reset(size_t n)
{
    if (w.reset_at != 0 && n > w.reset_at - w.moved)
        n = w.reset_at - w.moved;
    return n;
}

static bool reset_due(size_t moved)
{
    w.moved += moved;
    if (w.reset_at == 0 || w.moved < w.reset_at)
        return false;
    w.reset_at = 0;
    hang_up(true);
    return true;
}

static bool send_some(void)
{
    static const uint8_t MORE[4096] = { 0x41 };
    size_t n = w.out_n - w.out_at;
    const uint8_t *from = w.out + w.out_at;

    if (n == 0 && w.end)
        hang_up(false);
    if (w.fd < 0 || (n == 0 && !w.endless))
        return false;
    bool slow = (w.flow == DRIP || w.flow == DRIP_BODY) && w.out_at >= w.slow_from;
    if (slow && d.now < w.drip_at)
        return false;
    if (slow)
        w.drip_at = d.now + 20000;
    if (n == 0) {
        from = MORE;
        n = sizeof MORE;
    }
    if (w.flow != WHOLE)
        n = 1;
    ssize_t k = send(w.fd, from, until_reset(n), MSG_NOSIGNAL);
    if (k < 0 && errno != EAGAIN)
        hang_up(false);
    if (k <= 0)
        return false;
    if (from != MORE)
        w.out_at += (size_t)k;
    (void)reset_due((size_t)k);
    return true;
}

/* True when anything moved. */
static bool serve(void)
{
    uint8_t buf[2048];

    if (take_connection())
        return true;
    if (w.fd < 0)
        return false;
    ssize_t n = recv(w.fd, buf, until_reset(w.flow == BYTES ? 1 : sizeof buf), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        hang_up(false);
        return true;
    }
    if (n > 0) {
        if (!reset_due((size_t)n))
            take_bytes(buf, (size_t)n);
        return true;
    }
    return send_some();
}

/* --- the device ------------------------------------------------------------------------------- */

static int on_connect(void *ctx, const char *host, uint16_t port, bool tls)
{
    (void)ctx;
    return net_connect(&net, host, port, tls);
}

static int on_send(void *ctx, const uint8_t *buf, size_t n)
{
    (void)ctx;
    return net_send(&net, buf, n);
}

static int on_recv(void *ctx, uint8_t *buf, size_t n)
{
    (void)ctx;
    return net_recv(&net, buf, n);
}

static void on_close(void *ctx)
{
    (void)ctx;
    net_close(&net);
}

static const struct lapel_net REAL_NET = { sizeof REAL_NET, on_connect, on_send,
                                           on_recv,         on_close,   NULL };

static struct lsuit_crypto crypto;

static void start(const struct row *row)
{
    hang_up(false);
    net_close(&net);
    device_init(&d, &key, &v1, 8, 0xff);
    d.image[d.images++] = &v2;
    d.server.release = &v2;
    d.ports.net = &REAL_NET;
    d.ports.crypto = &crypto;
    d.config.base_url[0] = conf.server;
    d.config.clear_credentials = true;
    w.row = row;
    w.bad = w.asked = w.cut = 0;
    w.reset_at = w.moved = 0;
    memset(w.told, 0, sizeof w.told);
    device_boot(&d);
}

/* Time passes while the device waits: at once where nothing but time is waited for. */
static void pass(uint32_t wait)
{
    struct pollfd pfd;

    if (wait <= SOCKET_WAIT_MS && net_poll(&net, &pfd))
        wait = poll(&pfd, 1, 1) == 0 ? 1000 : 0; /* the server has nothing more to say */
    d.now += wait;
}

static enum end live(int most_bad)
{
    for (int i = 0; i < 2000000; i++) {
        uint32_t wait = 0;

        if (d.reboot_asked) {
            net_close(&net);
            device_boot(&d);
        }
        if (device_state(&d) == LAPEL_READY && d.lapel.rec.accepted.sequence == v2.sequence)
            return INSTALLED;
        if (d.told[LAPEL_EVENT_WITHDRAWN] > 0)
            return WITHDRAWN;
        if (d.told[LAPEL_EVENT_FAILED] > 0 || d.told[LAPEL_EVENT_REFUSED] > 0)
            return FAILED;
        if (w.bad >= most_bad)
            return TRYING;
        net_forget(&net);
        (void)lapel_step(&d.lapel, &wait);
        if (!serve() && wait > 0)
            pass(wait);
    }
    return STUCK;
}

/* --- the table --------------------------------------------------------------------------------- */

#define OK "HTTP/1.1 200 OK\r\n"
#define PART "HTTP/1.1 206 Partial\r\n"
#define N "Content-Length: {n}"
#define CHUNKED "Transfer-Encoding: chunked"
#define X256                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define MOVED "\r\nLocation: http://127.0.0.1/v1/payloads/0\r\nContent-Length: 0"
#define EMPTY "Content-Length: 0"
#define CLASS(x) LSUIT_CLASS_##x
#define EVENT(x) LSUIT_EVENT_##x

/* clang-format off */
static const struct row ROWS[] = {
  { "nothing is wrong",                 AT_PAYLOAD,  0, NULL,                                      GOOD,    WHOLE,  INSTALLED, 0 },
  { "one byte a time",                  AT_PAYLOAD,  0, NULL,                                      GOOD,    BYTES,  INSTALLED, 0 },

  { "a 200 to a Range",                 AT_RANGE,    0, OK "Content-Length: {total}",              GOOD,    WHOLE,  TRYING,    0 },
  { "a 206 that starts elsewhere",      AT_RANGE,    2, PART N "\r\nContent-Range: bytes 0-{last}/{total}", GOOD, WHOLE, INSTALLED, 0 },
  { "always so",                        AT_RANGE,    0, PART N "\r\nContent-Range: bytes 0-{last}/{total}", GOOD, WHOLE, FAILED, CLASS(MALFORMED) },
  { "a 206 of another total",           AT_RANGE,    0, PART N "\r\nContent-Range: bytes {from}-{last}/99999", GOOD, WHOLE, FAILED, CLASS(MALFORMED) },
  { "a 206 of unknown total",           AT_RANGE,    0, PART N "\r\nContent-Range: bytes {from}-{last}/*", GOOD, WHOLE, FAILED, CLASS(MALFORMED) },
  { "a 206 without Content-Range",      AT_RANGE,    0, PART N,                                    GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a 206 that nobody asked for",      AT_PAYLOAD,  0, PART N "\r\nContent-Range: bytes 0-{last}/{total}", GOOD, WHOLE, FAILED, CLASS(MALFORMED) },
  { "a 416 for what must be there",     AT_RANGE,    0, "HTTP/1.1 416 No\r\n" EMPTY,               NONE,    WHOLE,  INSTALLED, 0 },
  { "another file in the middle",       AT_RANGE,    1, PART N "\r\nETag: \"other\"\r\nContent-Range: bytes {from}-{last}/{total}", OTHER, WHOLE, FAILED, CLASS(DIGEST_MISMATCH) },
  { "no length",                        AT_PAYLOAD,  0, OK "X: y",                                 HALF,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "two lengths",                      AT_PAYLOAD,  0, OK N "\r\n" N,                             GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a length and chunks",              AT_PAYLOAD,  0, OK N "\r\n" CHUNKED,                       GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a negative length",                AT_PAYLOAD,  0, OK "Content-Length: -1",                   GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a length beyond 64 bits",          AT_PAYLOAD,  0, OK "Content-Length: 99999999999999999999", GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "chunks of no size",                AT_PAYLOAD,  0, OK CHUNKED "\r\n\r\n\r\nx",                NONE,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "chunks of a negative size",        AT_PAYLOAD,  0, OK CHUNKED "\r\n\r\n-5\r\nx",              NONE,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a chunk beyond 32 bits",           AT_PAYLOAD,  0, OK CHUNKED "\r\n\r\n100000000\r\nx",       NONE,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a chunk with a wrong end",         AT_PAYLOAD,  0, OK CHUNKED "\r\n\r\n1\r\nxy",              NONE,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "chunks without end",               AT_PAYLOAD,  0, OK CHUNKED "\r\n\r\nffffff\r\n",           ENDLESS, WHOLE,  FAILED,    CLASS(DIGEST_MISMATCH) },
  { "gzip",                             AT_PAYLOAD,  0, OK N "\r\nContent-Encoding: gzip",         GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a header over the buffer",         AT_PAYLOAD,  0, OK N "\r\nX: " X256 X256 X256 X256,        GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "headers without end",              AT_PAYLOAD,  0, OK "X: " X256,                             ENDLESS, WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "HTTP/1.0",                         AT_PAYLOAD,  0, "HTTP/1.0 200 OK\r\n" N,                   GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "not HTTP at all",                  AT_PAYLOAD,  0, "SSH-2.0-OpenSSH_9.2",                     NONE,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "redirected by 301",                AT_PAYLOAD,  0, "HTTP/1.1 301 M" MOVED,                    NONE,    WHOLE,  FAILED,    CLASS(SERVER_REFUSED) },
  { "redirected by 302",                AT_PAYLOAD,  0, "HTTP/1.1 302 M" MOVED,                    NONE,    WHOLE,  FAILED,    CLASS(SERVER_REFUSED) },
  { "redirected by 307, then not",      AT_PAYLOAD,  2, "HTTP/1.1 307 M" MOVED,                    NONE,    WHOLE,  INSTALLED, 0 },
  { "redirected by 308",                AT_MANIFEST, 0, "HTTP/1.1 308 M" MOVED,                    NONE,    WHOLE,  FAILED,    CLASS(SERVER_REFUSED) },
  { "the check-in redirected",          AT_CHECKIN,  2, "HTTP/1.1 302 M" MOVED,                    NONE,    WHOLE,  INSTALLED, 0 },
  { "401 for the payload",              AT_PAYLOAD,  0, "HTTP/1.1 401 No\r\n" EMPTY,               NONE,    WHOLE,  FAILED,    CLASS(SERVER_REFUSED) },
  { "401 for the check-in, twice",      AT_CHECKIN,  2, "HTTP/1.1 401 No\r\n" EMPTY,               NONE,    WHOLE,  INSTALLED, EVENT(AUTH_REFUSED) },
  { "404 for the payload",              AT_PAYLOAD,  0, "HTTP/1.1 404 No\r\n" EMPTY,               NONE,    WHOLE,  FAILED,    CLASS(SERVER_REFUSED) },
  { "404 for the manifest",             AT_MANIFEST, 0, "HTTP/1.1 404 No\r\n" EMPTY,               NONE,    WHOLE,  FAILED,    CLASS(SERVER_REFUSED) },
  { "410 for the payload",              AT_PAYLOAD,  0, "HTTP/1.1 410 No\r\n" EMPTY,               NONE,    WHOLE,  WITHDRAWN, CLASS(WITHDRAWN) },
  { "500 for the payload",              AT_PAYLOAD,  0, "HTTP/1.1 500 No\r\n" EMPTY,               NONE,    WHOLE,  TRYING,    0 },
  { "429 for the payload, for ever",    AT_PAYLOAD,  0, "HTTP/1.1 429 No\r\n" EMPTY,               NONE,    WHOLE,  TRYING,    0 },
  { "503 for the payload, twice",       AT_PAYLOAD,  2, "HTTP/1.1 503 No\r\n" EMPTY,               NONE,    WHOLE,  INSTALLED, 0 },
  { "an interim response",              AT_PAYLOAD,  0, "HTTP/1.1 100 Continue",                   NONE,    WHOLE,  FAILED,    CLASS(MALFORMED) },

  { "a body longer than it says",       AT_PAYLOAD,  0, OK N,                                      LONGER,  WHOLE,  INSTALLED, 0 },
  { "a length longer than the image",   AT_PAYLOAD,  0, OK "Content-Length: 99999",                GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a length shorter than the image",  AT_PAYLOAD,  0, OK "Content-Length: 10",                   GOOD,    WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "a body shorter than it says",      AT_PAYLOAD,  1, NULL,                                      HALF,    WHOLE,  INSTALLED, 0 },
  { "a body without end",               AT_PAYLOAD,  0, OK "Content-Length: 999999999",            ENDLESS, WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "an answer without end",            AT_CHECKIN,  2, OK "Content-Length: 999999999",            ENDLESS, WHOLE,  INSTALLED, EVENT(MALFORMED) },
  { "a manifest without end",           AT_MANIFEST, 0, OK "Content-Length: 999999999",            ENDLESS, WHOLE,  FAILED,    CLASS(LIMIT) },
  { "an answer that is no CBOR",        AT_CHECKIN,  2, OK N,                                      OTHER,   WHOLE,  INSTALLED, EVENT(MALFORMED) },
  { "an empty answer",                  AT_CHECKIN,  2, OK EMPTY,                                  NONE,    WHOLE,  INSTALLED, EVENT(MALFORMED) },
  { "a manifest of junk",               AT_MANIFEST, 0, OK N,                                      OTHER,   WHOLE,  FAILED,    CLASS(MALFORMED) },
  { "an empty manifest",                AT_MANIFEST, 0, OK EMPTY,                                  NONE,    WHOLE,  FAILED,    CLASS(MALFORMED) },

  { "silence after the check-in",       AT_CHECKIN,  3, NULL,                                      GOOD,    SILENT, INSTALLED, 0 },
  { "silence after the payload's GET",  AT_PAYLOAD,  3, NULL,                                      GOOD,    SILENT, INSTALLED, 0 },
  { "a byte of the headers now and then", AT_CHECKIN, 3, NULL,                                     GOOD,    DRIP,   INSTALLED, 0 },
  { "a byte of the payload now and then", AT_PAYLOAD, 1, NULL,                                     GOOD,    DRIP_BODY, INSTALLED, 0 },
  { "a byte of the answer now and then", AT_CHECKIN, 3, NULL,                                      GOOD,    DRIP_BODY, INSTALLED, 0 },
};
/* clang-format on */

static void test_rows(void)
{
    static const char *const END[] = { "installed", "failed", "withdrawn", "trying", "stuck" };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct row *r = &ROWS[i];

        check_case(r->name);
        start(r);
        w.cut = r->at == AT_RANGE ? (r->end == TRYING ? 1000 : 1) : 0;
        enum end end = live(12);
        CHECK_STR(END[end], END[r->end]);
        CHECK(w.bad > 0 && (r->times == 0 || w.bad == r->times));
        CHECK_INT(d.violations, 0);
        CHECK_INT(d.bricks, 0);
        if (r->end != INSTALLED)
            CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
        if (r->end == FAILED)
            CHECK_UINT(d.last_error, r->class_);
        if (w.bad > 1 && (r->flow == DRIP || r->flow == DRIP_BODY))
            CHECK(w.bad_at[1] - w.bad_at[0] < 120000);
        if (r->end == INSTALLED && r->class_ != 0)
            CHECK(w.told[r->class_] != 0);
    }
}

/* --- Retry-After ---------------------------------------------------------------------------------- */

static void test_retry_after(void)
{
    /* v is v + U(0, v); what is no number is as if nothing were said, 30 s. */
    static const struct {
        const char *value;
        uint32_t least_s, most_s;
    } VALUES[] = {
        { "100", 100, 200 },
        { "0", 1, 2 },
        { "-5", 30, 60 },
        { "Wed, 21 Oct 2026 07:28:00 GMT", 30, 60 },
        { "1e9", 30, 60 },
        { "999999", 3600, 7200 },
        { "99999999999999999999999999", 3600, 7200 },
        { "", 30, 60 },
    };
    char name[100], head[200];

    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        for (int at = AT_CHECKIN; at <= AT_PAYLOAD; at++) {
            struct row row = { name, (enum at)at, 3, head, NONE, WHOLE, INSTALLED, 0 };

            snprintf(name, sizeof name, "Retry-After: %s, request %d", VALUES[i].value, at);
            snprintf(head, sizeof head, "HTTP/1.1 503 Later\r\n" EMPTY "\r\nRetry-After: %s",
                     VALUES[i].value);
            check_case(name);
            start(&row);
            CHECK_INT(live(12), INSTALLED);
            CHECK_INT(w.bad, 3);
            for (int k = 1; k < 3; k++) {
                uint64_t gap = w.bad_at[k] - w.bad_at[k - 1];

                CHECK(gap >= VALUES[i].least_s * 1000u);
                CHECK(gap <= VALUES[i].most_s * 1000u + 2000);
            }
        }
    }
}

/* --- the connection ends at each byte ------------------------------------------------------------- */

static void test_resets(void)
{
    int lost = 0;

    check_case("a reset at every byte of all that an update sends and receives");
    start(NULL);
    CHECK_INT(live(1), INSTALLED);
    size_t total = w.moved;
    CHECK(total > 1000);
    for (size_t at = 1; at < total && lost < 5; at++) {
        start(NULL);
        w.reset_at = at;
        enum end end = live(1);
        if (end == INSTALLED && w.reset_at == 0 && d.bricks == 0 && d.violations == 0)
            continue;
        lost++;
        printf("FAIL byte %zu: end %d, fired %d, bricks %d\n", at, end, w.reset_at == 0, d.bricks);
    }
    CHECK_INT(lost, 0);
    printf("%zu resets\n", total - 1);
}

static void listen_somewhere(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof sin;

    w.fd = -1;
    w.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w.listen_fd < 0 || bind(w.listen_fd, (struct sockaddr *)&sin, n) < 0 ||
        listen(w.listen_fd, 4) < 0 || getsockname(w.listen_fd, (struct sockaddr *)&sin, &n) < 0) {
        printf("FAIL no socket: %s\n", strerror(errno));
        exit(1);
    }
    snprintf(conf.server, sizeof conf.server, "http://127.0.0.1:%u", ntohs(sin.sin_port));
    snprintf(conf.clear_credentials, sizeof conf.clear_credentials, "i-know");
    conf.connect_timeout_ms = 10000;
}

int main(void)
{
    char why[200] = "";

    signer_init(&key);
    crypto = unsigned_crypto();
    release_make(&v1, 16, 300, &key, &(struct release_how){ 0 });
    release_make(&v2, 32, 2000, &key, &(struct release_how){ 0 });
    listen_somewhere();
    log_quiet(LOG_LEVEL_ERROR);
    if (!net_open(&net, &conf, 0, why, sizeof why)) {
        printf("FAIL no network: %s\n", why);
        return 1;
    }
    test_rows();
    test_retry_after();
    test_resets();
    hang_up(false);
    net_fini(&net);
    close(w.listen_fd);
    return check_done();
}
