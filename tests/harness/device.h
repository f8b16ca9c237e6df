/*
 * A device made of memory, and the server it talks to: for tests of liblapel.
 *
 * Flash is NOR: a unit is erased as a whole, a word is programmed once; a second time is counted
 * as a violation. Every erase, every programmed word and every word of the boot loader's state is
 * one operation; the power can be cut at the n-th, before it, in the middle of it, or after it.
 * In the middle leaves random bits that may read another way the next time, until they are
 * erased. A cut leaves the library by longjmp; device_boot() then
 * plays the boot loader and starts it again.
 *
 * One per program: include it from one file.
 */
#ifndef HARNESS_DEVICE_H
#define HARNESS_DEVICE_H

#include <setjmp.h>

#include "lapel_context.h"
#include "lsuit/checkin.h"
#include "lsuit/receipt.h"
#include "lsuit/report.h"
#include "lsuit/statement.h"
#include "release.h"

#define DEVICE_SLOT_SIZE 16384u
#define DEVICE_AREA_SIZE 2048u
#define DEVICE_RECORD_SIZE 1024u
#define DEVICE_TOKEN "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDE"

enum device_cut { CUT_BEFORE, CUT_TORN, CUT_AFTER, CUT_KINDS };

#define MARGINAL 2 /* torn: reads now so, now so */

struct device_flash {
    uint8_t *bytes;
    uint8_t *used; /* by byte: programmed since the last erase, or MARGINAL */
    uint32_t size, unit;
};

/* --- the server ----------------------------------------------------------------------------- */

struct device_server {
    const struct release *release;       /* offered to who runs less; NULL: nothing to offer */
    uint32_t verdict;                    /* instead of OFFER; 0: OFFER */
    const struct release *serve_payload; /* whose payload is really sent; NULL: serve's */
    const struct release *serve;         /* whose bytes are really sent; NULL: release */
    uint32_t support_end, next_poll_s;
    const char *support_url;                                            /* NULL: none */
    int checkin_status, manifest_status, payload_status, report_status; /* 0: 200 */
    long retry_after;                                                   /* -1: no such header */
    size_t recv_max, send_max; /* bytes a call moves; 0: all */
    size_t drop_after;         /* close after so many payload bytes of a response; 0: never */
    int drops;                 /* how often; -1: always */
    uint32_t drip_ms;          /* time that each receive of a payload takes */
    bool reoffer;              /* also to who runs it */
    bool no_range, chunked, close_each, refuse_connect, unknown_keys, negative_key, lie_total;
    const char *refuse_auth; /* 401 where this is in the Authorization header; NULL: nowhere */
    const struct lsuit_bytes *trust; /* trust[0] is version 1, and so on */
    uint32_t trust_n, trust_newest;  /* how many; what an answer names, 0: trust_n */
    int trust_status;                /* 0: 200 */
    const char *only_host;           /* no other name is served; NULL: any */
    const uint8_t *raw;              /* this instead of any response */
    size_t raw_n;
    /* statements: st is signed and sent when there is a signer and its number isn't 0 */
    struct lsuit_statement st;
    struct signer *signer;
    enum lsuit_doc sign_as; /* 0: LSUIT_DOC_STATEMENT */
    bool always, no_nonce;  /* send it unasked; leave the nonce out */
    const uint8_t *nonce;   /* this one instead of the device's */
    /* erasing */
    struct lsuit_bytes erase_nonce; /* answered to who asks; absent: not known here */
    int erase_status;               /* 0: 200 with a receipt */
    struct lsuit_receipt receipt;
    /* seen */
    int statements, erases, nonces;
    bool erase_asked;
    char last_erase[80];
    uint32_t events[20];       /* counts by class, of all check-ins */
    int trusts;                /* sets that were asked for */
    char host[LAPEL_HOST_MAX]; /* of the last connection */
    int connects, checkins, manifests, payloads, reports, ranges;
    uint64_t range_from;
    struct lsuit_checkin checkin; /* the last; borrows request */
    uint8_t checkin_doc[1024];
    uint8_t attempt_id[8];
    bool has_attempt, confirmed;
    uint32_t attempt_class, attempt_stage, running_state, report_class, user_waiting, postponed_s;
    uint64_t running;
    uint32_t event_class;
    char last_auth[80], last_attempt[40], last_id[40]; /* "": none */
    size_t sent_after_manifest; /* bytes from the device on the connection, behind the envelope */
    size_t last_request_n;
    /* wire */
    bool open, served_manifest;
    uint8_t in[4096], out[RELEASE_PAYLOAD_MAX + 4096];
    size_t in_n, out_n, out_at;
    size_t payload_at, payload_end; /* out bytes that are payload */
};

/* --- the device ------------------------------------------------------------------------------- */

struct device {
    uint64_t port[24]; /* first: what a port under test wants its context to begin with */
    void (*loader)(struct device *d); /* the boot loader; NULL: device_loader */
    struct device_flash slot[2], area[2], record[2], trust[2];
    uint8_t store[2][2 * DEVICE_SLOT_SIZE], area_store[2][2 * DEVICE_AREA_SIZE],
        record_store[2][2 * DEVICE_RECORD_SIZE], trust_store[2][2 * LAPEL_TRUST_SIZE];
    uint16_t area_n[2];
    uint32_t word;
    uint8_t erased;

    /* boot loader, durable */
    uint8_t active;
    bool staged, on_trial, reverted;
    /* this start */
    uint8_t running;
    bool power_on, reboot_asked;
    uint64_t counter[2]; /* security counter of the images */
    bool has_counter;

    uint64_t now;
    uint32_t drip_all_ms; /* time that any receive takes */
    int64_t epoch;
    bool net_down;
    uint32_t chance;

    /* cut */
    uint32_t ops, cut_at;
    enum device_cut cut;
    bool fired;
    uint32_t cuts_left, cuts_gap; /* after a cut: so many more, each within so many operations */
    uint32_t second_at;           /* one more cut, so many operations behind the first; 0: none */
    uint32_t cuts, unstable;      /* cuts that fired; bytes that read another way */
    jmp_buf power;
    int violations, bricks, boots;
    int begins; /* erases of a slot's first unit */

    /* a port call that fails: the fail_at-th call, once or for ever */
    uint32_t calls, fail_at;
    bool records_dead; /* no record can be written */
    uint32_t records_refused;
    bool fail_ever;

    const struct release *image[4]; /* what may ever run */
    size_t images;

    /* the product */
    enum lapel_verdict gate[4];
    uint32_t gate_wait;
    enum lapel_health health;
    int told[20], asked[4];
    bool offered_with[20]; /* the last event of this id had an offer: */
    enum lapel_severity severity[20];
    int64_t priority[20];
    uint8_t last_error;
    uint8_t receipt[LSUIT_RECEIPT_MAX];
    size_t receipt_n;
    char version[32], risks[64];
    uint32_t downtime, year_month;
    const struct release *file; /* for lapel_apply */

    struct device_server server;
    struct lapel_config config;
    struct lapel_ports ports;
    struct lapel_memory memory;
    struct lapel_work work;
    uint8_t envelope[4096];
    uint8_t io[2048];
    uint8_t trust_set[LAPEL_TRUST_SIZE];
    char support_url[LAPEL_SUPPORT_URL_SIZE];
    /* the set that TLS was told of last */
    uint32_t used_version;
    bool used_factory;
    struct lapel lapel;
    enum lapel_err init;
    struct signer *key;
    struct lsuit_key keys[1], online[1];
};

static uint32_t device_random(struct device *d)
{
    d->chance = d->chance * 1664525u + 1013904223u;
    return d->chance >> 8;
}

/* True when this call shall fail. */
static bool device_fails(struct device *d)
{
    d->calls++;
    return d->fail_at != 0 && (d->calls == d->fail_at || (d->fail_ever && d->calls > d->fail_at));
}

/* Begin an operation. CUT_BEFORE ends here; true: cut it in the middle. */
static bool device_op(struct device *d)
{
    if (++d->ops != d->cut_at)
        return false;
    d->fired = true;
    d->cuts++;
    if (d->cut == CUT_BEFORE)
        longjmp(d->power, 1);
    return d->cut == CUT_TORN;
}

static void device_op_end(struct device *d)
{
    if (d->fired && d->ops == d->cut_at)
        longjmp(d->power, 1);
}

static void flash_erase(struct device *d, struct device_flash *f, uint32_t at)
{
    bool torn = device_op(d);

    for (uint32_t i = at; i < at + f->unit; i++) {
        if (torn && device_random(d) % 2 == 0)
            continue;
        f->bytes[i] = torn ? (uint8_t)device_random(d) : d->erased;
        f->used[i] = torn ? MARGINAL : 0;
    }
    device_op_end(d);
}

static void flash_program(struct device *d, struct device_flash *f, uint32_t at, const uint8_t *buf,
                          uint32_t n)
{
    for (uint32_t i = 0; i < n; i += d->word) {
        bool torn = device_op(d);

        for (uint32_t k = i; k < i + d->word; k++) {
            if (f->used[at + k])
                d->violations++;
            f->bytes[at + k] = torn ? (uint8_t)(buf[k] ^ (device_random(d) & 0x55)) : buf[k];
            f->used[at + k] = torn ? MARGINAL : 1;
        }
        device_op_end(d);
    }
}

static void flash_read(struct device *d, const struct device_flash *f, size_t at, uint8_t *buf,
                       size_t n)
{
    memcpy(buf, f->bytes + at, n);
    for (size_t i = 0; i < n; i++)
        if (f->used[at + i] == MARGINAL && device_random(d) % 4 == 0) {
            buf[i] ^= (uint8_t)(1u << device_random(d) % 8);
            d->unstable++;
        }
}

/* One word of the boot loader's state, which it changes as a whole or not. */
static bool device_word(struct device *d)
{
    bool torn = device_op(d);

    return !torn || device_random(d) % 2 == 0;
}

/* --- ports ---------------------------------------------------------------------------------- */

static int dev_find(void *p, struct lsuit_bytes id)
{
    static const uint8_t OURS[] = { 0x81, 0x41, 0x00 };

    (void)p;
    return id.len == sizeof OURS && memcmp(id.ptr, OURS, sizeof OURS) == 0 ? 0 : -1;
}

static int dev_info(void *p, int component, uint8_t slot, struct lapel_slot_info *info_out)
{
    struct device *d = p;

    (void)component;
    if (device_fails(d))
        return -1;
    info_out->size = d->slot[slot].size;
    info_out->erase_size = d->slot[slot].unit;
    info_out->write_size = d->word;
    info_out->erased_value = d->erased;
    return 1;
}

static int dev_erase(void *p, int component, uint8_t slot, uint64_t offset)
{
    struct device *d = p;

    (void)component;
    if (device_fails(d))
        return -1;
    if (slot == d->running || offset % d->slot[slot].unit != 0)
        d->violations++;
    d->begins += offset == 0;
    flash_erase(d, &d->slot[slot], (uint32_t)offset);
    return 1;
}

static int dev_write(void *p, int component, uint8_t slot, uint64_t offset, const uint8_t *buf,
                     size_t n)
{
    struct device *d = p;

    (void)component;
    if (device_fails(d))
        return -1;
    if (slot == d->running || offset % d->word != 0 || n % d->word != 0 ||
        offset + n > d->slot[slot].size) {
        d->violations++;
        return -1;
    }
    flash_program(d, &d->slot[slot], (uint32_t)offset, buf, (uint32_t)n);
    return 1;
}

static int dev_read(void *p, int component, uint8_t slot, uint64_t offset, uint8_t *buf, size_t n)
{
    struct device *d = p;

    (void)component;
    if (device_fails(d) || offset + n > d->slot[slot].size)
        return -1;
    flash_read(d, &d->slot[slot], offset, buf, n);
    return (int)n;
}

static int dev_manifest_write(void *p, uint8_t slot, const uint8_t *buf, size_t n)
{
    struct device *d = p;

    if (device_fails(d) || n > DEVICE_AREA_SIZE)
        return -1;
    if (!device_word(d)) {
        d->area_n[slot] = 0;
    } else {
        memcpy(d->area_store[slot], buf, n);
        d->area_n[slot] = (uint16_t)n;
    }
    device_op_end(d);
    return 1;
}

static int dev_manifest_read(void *p, uint8_t slot, uint8_t *buf, size_t cap)
{
    struct device *d = p;

    if (device_fails(d) || d->area_n[slot] > cap)
        return -1;
    memcpy(buf, d->area_store[slot], d->area_n[slot]);
    return d->area_n[slot];
}

static int dev_state(void *p, enum lapel_boot_state *state_out, uint8_t *running_out)
{
    struct device *d = p;

    if (device_fails(d))
        return -1;
    *state_out = d->on_trial   ? LAPEL_BOOT_TRIAL
                 : d->staged   ? LAPEL_BOOT_STAGED
                 : d->reverted ? LAPEL_BOOT_REVERTED
                               : LAPEL_BOOT_STEADY;
    *running_out = d->running;
    return 1;
}

static int dev_stage(void *p, uint8_t slot)
{
    struct device *d = p;

    if (device_fails(d))
        return -1;
    if (slot == d->running)
        d->violations++;
    if (device_word(d))
        d->staged = true;
    device_op_end(d);
    return 1;
}

static int dev_unstage(void *p)
{
    struct device *d = p;

    if (device_fails(d))
        return -1;
    if (device_word(d))
        d->staged = false;
    device_op_end(d);
    return 1;
}

static int dev_confirm(void *p)
{
    struct device *d = p;

    if (device_fails(d))
        return -1;
    if (device_word(d)) {
        d->active = d->running;
        d->on_trial = false;
        d->reverted = false;
    }
    device_op_end(d);
    return 1;
}

static int dev_reject(void *p)
{
    return device_fails(p) ? -1 : 1; /* a trial that isn't confirmed goes back anyway */
}

static int dev_reboot(void *p)
{
    struct device *d = p;

    if (device_fails(d))
        return -1;
    d->reboot_asked = true;
    d->power_on = false;
    return 1;
}

static int dev_counter(void *p, uint8_t slot, uint64_t *counter_out)
{
    struct device *d = p;

    *counter_out = d->counter[slot];
    return d->has_counter ? 1 : -1;
}

static bool dev_power_on(void *p)
{
    return ((struct device *)p)->power_on;
}

static int dev_nv_read(void *p, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    struct device *d = p;

    if (device_fails(d) || offset + n > DEVICE_RECORD_SIZE)
        return -1;
    flash_read(d, &d->record[record], offset, buf, n);
    return 1;
}

static int dev_nv_write(void *p, uint8_t record, const uint8_t *buf, size_t n)
{
    struct device *d = p;

    if (d->records_dead) {
        d->records_refused++;
        return -1;
    }
    if (device_fails(d) || n > DEVICE_RECORD_SIZE || n % d->word != 0)
        return -1;
    flash_erase(d, &d->record[record], 0);
    flash_program(d, &d->record[record], 0, buf, (uint32_t)n);
    return 1;
}

/* A MAC that nobody without this constant can make, as far as these tests go. */
static int dev_seal(void *p, const uint8_t digest[32], uint8_t seal_out[32])
{
    uint8_t bytes[40] = "this device alone knows";
    size_t n = 0;

    (void)p;
    for (size_t i = 0; i < 32; i++)
        bytes[i + 8] = digest[i];
    return lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256,
                            (struct lsuit_bytes){ bytes, sizeof bytes }, seal_out, 32,
                            &n) == LSUIT_OK
               ? 1
               : -1;
}

static int dev_trust_read(void *p, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    struct device *d = p;

    if (device_fails(d) || offset + n > LAPEL_TRUST_SIZE)
        return -1;
    memcpy(buf, d->trust[record].bytes + offset, n);
    return 1;
}

static int dev_trust_write(void *p, uint8_t record, const uint8_t *buf, size_t n)
{
    struct device *d = p;

    if (device_fails(d) || n > LAPEL_TRUST_SIZE || n % 64 != 0)
        return -1;
    flash_erase(d, &d->trust[record], 0);
    flash_program(d, &d->trust[record], 0, buf, (uint32_t)n);
    return 1;
}

static void dev_trust_use(void *p, const struct lsuit_trust *set, bool factory)
{
    struct device *d = p;

    d->used_version = set->version;
    d->used_factory = factory;
}

static uint64_t dev_now(void *p)
{
    return ((struct device *)p)->now;
}

static int dev_chance(void *p, uint8_t *buf, size_t n)
{
    struct device *d = p;

    if (device_fails(d))
        return -1;
    for (size_t i = 0; i < n; i++)
        buf[i] = (uint8_t)device_random(d);
    return 1;
}

static int64_t dev_epoch(void *p)
{
    return ((struct device *)p)->epoch;
}

/* --- the wire --------------------------------------------------------------------------------- */

static void server_out(struct device_server *s, const void *bytes, size_t n)
{
    if (n > sizeof s->out - s->out_n) {
        printf("FAIL the fake server's buffer is full\n");
        exit(1);
    }
    memcpy(s->out + s->out_n, bytes, n);
    s->out_n += n;
}

static void server_text(struct device_server *s, const char *text)
{
    server_out(s, text, strlen(text));
}

/* Header block; `more` are further header lines. */
static void server_head(struct device_server *s, int status, const char *more, size_t length)
{
    char line[400], retry[60] = "";

    if ((status == 429 || status == 503) && s->retry_after >= 0)
        snprintf(retry, sizeof retry, "Retry-After: %ld\r\n", s->retry_after);
    snprintf(line, sizeof line, "HTTP/1.1 %d Some Reason\r\n%s%sDate: never\r\n", status, more,
             retry);
    server_text(s, line);
    if (s->close_each)
        server_text(s, "Connection: close\r\n");
    if (s->chunked)
        snprintf(line, sizeof line, "Transfer-Encoding: chunked\r\n\r\n");
    else
        snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", length);
    server_text(s, line);
}

static void server_body(struct device_server *s, const uint8_t *bytes, size_t n)
{
    char line[20];

    if (!s->chunked) {
        server_out(s, bytes, n);
        return;
    }
    for (size_t at = 0; at < n;) {
        size_t part = n - at < 700 ? n - at : 700;

        snprintf(line, sizeof line, "%zx\r\n", part);
        server_text(s, line);
        server_out(s, bytes + at, part);
        server_text(s, "\r\n");
        at += part;
    }
    server_text(s, "0\r\n\r\n");
}

static void server_error(struct device_server *s, int status)
{
    static const char PROBLEM[] = "{\"type\":\"about:blank\"}";

    server_head(s, status, "", sizeof PROBLEM - 1);
    server_body(s, (const uint8_t *)PROBLEM, sizeof PROBLEM - 1);
}

/* The server's own reading of a check-in. */
static void server_read_checkin(struct device *d, struct lsuit_bytes body)
{
    struct device_server *s = &d->server;
    struct lsuit_checkin *c = &s->checkin;

    if (body.len > sizeof s->checkin_doc ||
        lsuit_checkin_read((memcpy(s->checkin_doc, body.ptr, body.len),
                            (struct lsuit_bytes){ s->checkin_doc, body.len }),
                           c, NULL) != LSUIT_OK) {
        printf("FAIL the device sent a check-in that can't be read\n");
        exit(1);
    }
    snprintf(s->last_id, sizeof s->last_id, "%.*s", (int)c->device_id.len,
             c->device_id.ptr != NULL ? (const char *)c->device_id.ptr : "");
    s->running = c->running[0].sequence;
    s->running_state = c->running[0].state;
    s->has_attempt = c->has_attempt;
    if (c->has_attempt) {
        s->attempt_class = c->attempt.class_;
        s->attempt_stage = c->attempt.stage;
        memcpy(s->attempt_id, c->attempt.id.ptr, 8);
    }
    s->event_class = c->events_n > 0 ? c->events[0].class_ : 0;
    for (uint32_t i = 0; i < c->events_n; i++)
        s->events[c->events[i].class_] += c->events[i].count;
    s->nonces += c->nonce.ptr != NULL;
    s->erase_asked = c->erase;
    s->user_waiting = c->has_user ? c->user.waiting : 0;
    s->postponed_s = c->has_user ? c->user.postponed_s : 0;
}

/* Sign a document of ours with the server's online key. */
static struct lsuit_bytes server_sign(struct device *d, enum lsuit_doc kind,
                                      struct lsuit_bytes payload, uint8_t *buf, size_t cap)
{
    struct lsuit_bytes none = { NULL, 0 }, doc = { NULL, 0 };

    release_must(lsuit_doc_sign(kind, none, payload, &lsuit_crypto_psa, d->server.signer->id, none,
                                buf, cap, &doc),
                 "signature");
    return doc;
}

/* The statement of the moment, for a device that sent this nonce. */
static struct lsuit_bytes server_statement(struct device *d, struct lsuit_bytes nonce, uint8_t *buf,
                                           size_t cap)
{
    struct device_server *s = &d->server;
    struct lsuit_statement st = s->st;
    struct lsuit_bytes payload = { NULL, 0 };
    uint8_t plain[1024];

    if (st.space.vendor_id.ptr == NULL) {
        st.space.vendor_id = (struct lsuit_bytes){ d->config.vendor_id, 16 };
        st.space.class_id = (struct lsuit_bytes){ d->config.class_id, 16 };
    }
    if (st.stale_after_s == 0)
        st.stale_after_s = 7 * 86400;
    st.nonce = s->nonce != NULL ? (struct lsuit_bytes){ s->nonce, 16 } : nonce;
    if (s->no_nonce)
        st.nonce = (struct lsuit_bytes){ NULL, 0 };
    release_must(lsuit_statement_write(&st, plain, sizeof plain, &payload), "statement");
    return server_sign(d, s->sign_as != 0 ? s->sign_as : LSUIT_DOC_STATEMENT, payload, buf, cap);
}

static void server_channel(struct device *d)
{
    struct device_server *s = &d->server;
    struct lsuit_bytes none = { NULL, 0 }, doc;
    uint8_t buf[1200];

    s->statements++;
    if (s->st.number == 0) {
        server_error(s, 404);
        return;
    }
    doc = server_statement(d, none, buf, sizeof buf);
    server_head(s, 200, "", doc.len);
    server_body(s, doc.ptr, doc.len);
}

static void server_erase(struct device *d, const char *head)
{
    struct device_server *s = &d->server;
    const char *given = strstr(head, "\r\nLapel-Erase: ");
    uint8_t plain[256], buf[LSUIT_RECEIPT_MAX];
    struct lsuit_bytes doc = { NULL, 0 };

    s->erases++;
    snprintf(s->last_erase, sizeof s->last_erase, "%.*s",
             given != NULL ? (int)strcspn(given + 15, "\r") : 0, given != NULL ? given + 15 : "");
    if (s->erase_status == 204) {
        server_text(s, "HTTP/1.1 204 No Content\r\n\r\n");
        return;
    }
    if (s->erase_status != 0) {
        server_error(s, s->erase_status);
        return;
    }
    release_must(lsuit_receipt_write(&s->receipt, plain, sizeof plain, &doc), "receipt");
    doc = server_sign(d, s->sign_as != 0 ? s->sign_as : LSUIT_DOC_RECEIPT, doc, buf, sizeof buf);
    server_head(s, 200, "", doc.len);
    server_body(s, doc.ptr, doc.len);
}

static void server_checkin(struct device *d, struct lsuit_bytes body)
{
    struct device_server *s = &d->server;
    const struct release *r = s->release;
    struct lsuit_answer a = { 0 };
    struct lsuit_verdict *v = &a.verdicts[0];
    uint8_t buf[1200], statement[1000];
    struct lsuit_bytes doc;

    s->checkins++;
    server_read_checkin(d, body);
    if (s->checkin_status != 0) {
        server_error(s, s->checkin_status);
        return;
    }
    a.next_poll_s = s->next_poll_s != 0 ? s->next_poll_s : 3600;
    a.trust_version = s->trust_newest != 0 ? s->trust_newest : s->trust_n;
    a.support_end = s->support_end;
    if (s->support_url != NULL)
        a.support_url =
            (struct lsuit_bytes){ (const uint8_t *)s->support_url, strlen(s->support_url) };
    if (s->st.number != 0 && (s->always || s->checkin.nonce.ptr != NULL))
        a.statement = server_statement(d, s->checkin.nonce, statement, sizeof statement);
    if (s->checkin.erase)
        a.erase_nonce = s->erase_nonce;
    if (r != NULL) {
        a.verdicts_n = 1;
        v->space.vendor_id = (struct lsuit_bytes){ d->config.vendor_id, 16 };
        v->space.class_id = (struct lsuit_bytes){ d->config.class_id, 16 };
        v->verdict = s->verdict != 0 ? s->verdict : LSUIT_OFFER;
        if (v->verdict == LSUIT_OFFER && s->running >= r->sequence && s->serve == NULL &&
            !s->reoffer)
            v->verdict = LSUIT_NOTHING;
        if (v->verdict == LSUIT_OFFER || v->verdict == LSUIT_WITHDRAW) {
            v->has_sequence = true;
            v->sequence = r->sequence;
            v->digest = (struct lsuit_bytes){ r->digest, 32 };
            v->size = (uint32_t)r->envelope_n;
        }
    }
    release_must(lsuit_answer_write(&a, buf, sizeof buf - 16, &doc), "answer");
    size_t n = doc.len;
    if (s->unknown_keys || s->negative_key) { /* a map of up to 22 pairs: one more at its end */
        static const uint8_t MORE[] = { 0x18, 0x63, 0x82, 0x01, 0x61, 0x78 }; /* 99: [1, "x"] */
        static const uint8_t REFUSE[] = { 0x38, 0x62, 0x01 };                 /* -99: 1 */

        buf[0]++;
        if (s->negative_key) {
            memcpy(buf + n, REFUSE, sizeof REFUSE);
            n += sizeof REFUSE;
        } else {
            memcpy(buf + n, MORE, sizeof MORE);
            n += sizeof MORE;
        }
    }
    server_head(s, 200, "Content-Type: application/cbor\r\n", n);
    server_body(s, buf, n);
}

static void server_manifest(struct device *d)
{
    struct device_server *s = &d->server;
    const struct release *r = s->serve != NULL ? s->serve : s->release;

    s->manifests++;
    if (s->manifest_status != 0 || r == NULL) {
        server_error(s, s->manifest_status != 0 ? s->manifest_status : 404);
        return;
    }
    s->served_manifest = true;
    server_head(s, 200, "", r->envelope_n);
    server_body(s, r->envelope, r->envelope_n);
}

static void server_trust(struct device *d, const char *head)
{
    struct device_server *s = &d->server;
    unsigned long version = strtoul(head + strlen("GET /v1/trust/"), NULL, 10);

    s->trusts++;
    if (s->trust_status != 0 || version < 1 || version > s->trust_n) {
        server_error(s, s->trust_status != 0 ? s->trust_status : 404);
        return;
    }
    server_head(s, 200, "", s->trust[version - 1].len);
    server_body(s, s->trust[version - 1].ptr, s->trust[version - 1].len);
}

static void server_payload(struct device *d, const char *head)
{
    struct device_server *s = &d->server;
    const struct release *r = s->serve_payload != NULL ? s->serve_payload
                              : s->serve != NULL       ? s->serve
                                                       : s->release;
    const char *range = strstr(head, "\r\nRange: bytes=");
    const char *attempt = strstr(head, "\r\nLapel-Attempt: ");
    size_t from = 0;
    char more[100] = "";

    s->payloads++;
    snprintf(s->last_attempt, sizeof s->last_attempt, "%.16s", attempt != NULL ? attempt + 17 : "");
    if (s->payload_status != 0) {
        server_error(s, s->payload_status);
        return;
    }
    if (range != NULL) {
        s->ranges++;
        s->range_from = strtoull(range + 15, NULL, 10);
    }
    if (range != NULL && !s->no_range) {
        from = (size_t)s->range_from;
        snprintf(more, sizeof more, "Content-Range: bytes %zu-%zu/%zu\r\n", from, r->payload_n - 1,
                 r->payload_n + (s->lie_total ? 1 : 0));
    }
    server_head(s, from > 0 ? 206 : 200, more, r->payload_n - from);
    s->payload_at = s->out_n;
    server_body(s, r->payload + from, r->payload_n - from);
    s->payload_end = s->out_n;
    if (s->drop_after != 0 && s->drops != 0 && s->payload_at + s->drop_after < s->out_n)
        s->out_n = s->payload_at + s->drop_after;
    else
        s->payload_end = 0;
}

static void server_report(struct device *d, struct lsuit_bytes body)
{
    struct device_server *s = &d->server;
    struct lsuit_report r;

    s->reports++;
    if (lsuit_report_read(body, &r, NULL) != LSUIT_OK) {
        printf("FAIL the device sent a report that can't be read\n");
        exit(1);
    }
    s->report_class = r.attempt.class_;
    if (s->report_status != 0)
        server_error(s, s->report_status);
    else
        server_text(s, "HTTP/1.1 204 No Content\r\n\r\n");
}

/* A whole request stands in s->in, its header block ends at `head_n`. */
static void server_request(struct device *d, size_t head_n, size_t body_n)
{
    struct device_server *s = &d->server;
    struct lsuit_bytes body = { s->in + head_n, body_n };
    char head[2048];
    const char *auth;

    memcpy(head, s->in, head_n);
    head[head_n] = '\0';
    s->out_n = 0;
    s->out_at = 0;
    s->payload_at = 0;
    s->payload_end = 0;
    s->last_request_n = head_n + body_n;
    auth = strstr(head, "\r\nAuthorization: ");
    snprintf(s->last_auth, sizeof s->last_auth, "%.50s", auth != NULL ? auth + 17 : "");
    if (s->raw != NULL)
        server_out(s, s->raw, s->raw_n);
    else if (s->refuse_auth != NULL && strstr(s->last_auth, s->refuse_auth) != NULL)
        server_error(s, 401);
    else if (strncmp(head, "POST /v1/checkin ", 17) == 0)
        server_checkin(d, body);
    else if (strncmp(head, "POST /v1/reports ", 17) == 0)
        server_report(d, body);
    else if (strncmp(head, "GET /v1/statements/202122232425262728292a2b2c2d2e2f ", 52) == 0)
        server_channel(d);
    else if (strncmp(head, "DELETE /v1/device ", 18) == 0)
        server_erase(d, head);
    else if (strncmp(head, "GET /v1/manifests/", 18) == 0)
        server_manifest(d);
    else if (strncmp(head, "GET /v1/trust/", 14) == 0)
        server_trust(d, head);
    else if (strncmp(head, "GET /v1/payloads/", 17) == 0)
        server_payload(d, head);
    else
        server_error(s, 404);
}

static int dev_connect(void *p, const char *host, uint16_t port, bool tls)
{
    struct device *d = p;
    struct device_server *s = &d->server;

    (void)port;
    (void)tls;
    snprintf(s->host, sizeof s->host, "%s", host);
    if (device_fails(d) || d->net_down || s->refuse_connect ||
        (s->only_host != NULL && strcmp(host, s->only_host) != 0))
        return LAPEL_NET_FAIL;
    s->connects++;
    s->open = true;
    s->served_manifest = false;
    s->sent_after_manifest = 0;
    s->in_n = s->out_n = s->out_at = 0;
    return 1;
}

static int dev_send(void *p, const uint8_t *buf, size_t n)
{
    struct device *d = p;
    struct device_server *s = &d->server;

    if (device_fails(d) || d->net_down || !s->open)
        return LAPEL_NET_FAIL;
    if (s->send_max != 0 && n > s->send_max)
        n = s->send_max;
    if (n > sizeof s->in - s->in_n)
        return LAPEL_NET_FAIL;
    if (s->served_manifest)
        s->sent_after_manifest += n;
    memcpy(s->in + s->in_n, buf, n);
    s->in_n += n;

    /* Is it whole? */
    for (size_t i = 0; i + 4 <= s->in_n; i++) {
        if (memcmp(s->in + i, "\r\n\r\n", 4) != 0)
            continue;
        size_t head_n = i + 4, body_n = 0;
        char head[2048];

        memcpy(head, s->in, head_n);
        head[head_n] = '\0';
        const char *length = strstr(head, "\r\nContent-Length: ");
        if (length != NULL)
            body_n = strtoul(length + 18, NULL, 10);
        if (s->in_n >= head_n + body_n) {
            server_request(d, head_n, body_n);
            s->in_n = 0;
        }
        break;
    }
    return (int)n;
}

static int dev_recv(void *p, uint8_t *buf, size_t n)
{
    struct device *d = p;
    struct device_server *s = &d->server;
    size_t left = s->out_n - s->out_at;

    if (device_fails(d) || d->net_down || !s->open)
        return LAPEL_NET_FAIL;
    if (left == 0) {
        if (s->payload_end != 0) { /* the response was cut */
            s->payload_end = 0;
            s->drops -= s->drops > 0;
            s->open = false;
            return LAPEL_NET_CLOSED;
        }
        if (s->raw != NULL || (s->close_each && s->out_n > 0)) {
            s->open = false;
            return LAPEL_NET_CLOSED;
        }
        return 0;
    }
    if (n > left)
        n = left;
    if (s->recv_max != 0 && n > s->recv_max)
        n = s->recv_max;
    if (s->payload_at != 0 && s->out_at >= s->payload_at)
        d->now += s->drip_ms;
    d->now += d->drip_all_ms;
    memcpy(buf, s->out + s->out_at, n);
    s->out_at += n;
    return (int)n;
}

static void dev_close(void *p)
{
    ((struct device *)p)->server.open = false;
}

static bool dev_up(void *p)
{
    return !((struct device *)p)->net_down;
}

/* --- the product ---------------------------------------------------------------------------------- */

static enum lapel_verdict dev_gate(void *p, enum lapel_gate gate, const struct lapel_offer *offer,
                                   uint32_t *wait_ms_out)
{
    struct device *d = p;

    (void)offer;
    d->asked[gate]++;
    *wait_ms_out = d->gate_wait;
    return d->gate[gate];
}

static void dev_copy(char *out, size_t size, struct lsuit_bytes text)
{
    snprintf(out, size, "%.*s", (int)text.len, text.ptr != NULL ? (const char *)text.ptr : "");
}

static void dev_event(void *p, const struct lapel_event *event)
{
    struct device *d = p;

    d->told[event->id]++;
    if (event->id == LAPEL_EVENT_FAILED || event->id == LAPEL_EVENT_REVERTED ||
        event->id == LAPEL_EVENT_REFUSED || event->id == LAPEL_EVENT_STATEMENT ||
        event->id == LAPEL_EVENT_ERASED)
        d->last_error = event->error;
    if (event->id == LAPEL_EVENT_ERASED) {
        d->receipt_n = event->receipt.len;
        memcpy(d->receipt, event->receipt.ptr != NULL ? event->receipt.ptr : d->receipt,
               d->receipt_n);
    }
    if (event->id == LAPEL_EVENT_SUPPORT_ENDING)
        d->year_month = event->year_month;
    d->offered_with[event->id] = event->offer != NULL;
    if (event->offer != NULL) {
        d->severity[event->id] = event->offer->severity;
        d->priority[event->id] = event->offer->priority;
        dev_copy(d->version, sizeof d->version, event->offer->version);
        dev_copy(d->risks, sizeof d->risks, event->offer->risks_removed);
        d->downtime = event->offer->downtime_s;
    }
}

static enum lapel_health dev_health(void *p)
{
    return ((struct device *)p)->health;
}

/* clang-format off */
static const struct lapel_net DEV_NET = { sizeof DEV_NET, dev_connect, dev_send, dev_recv, dev_close, dev_up };
static const struct lapel_slots DEV_SLOTS = { sizeof DEV_SLOTS, dev_find, dev_info, dev_erase, dev_write, dev_read, dev_manifest_write, dev_manifest_read, NULL };
static const struct lapel_boot DEV_BOOT = { sizeof DEV_BOOT, dev_state, dev_stage, dev_unstage, dev_confirm, dev_reject, dev_reboot, dev_counter, dev_power_on, true };
static const struct lapel_nv DEV_NV = { sizeof DEV_NV, dev_nv_read, dev_nv_write, NULL, NULL, NULL };
static const struct lapel_nv DEV_NV_SEALED = { sizeof DEV_NV_SEALED, dev_nv_read, dev_nv_write, NULL, NULL, dev_seal };
static const struct lapel_trust_store DEV_TRUST = { sizeof DEV_TRUST, dev_trust_read, dev_trust_write, dev_trust_use };
static const struct lapel_sys DEV_SYS = { sizeof DEV_SYS, dev_now, dev_chance, dev_epoch };
static const struct lapel_policy DEV_POLICY = { sizeof DEV_POLICY, dev_gate, dev_event, dev_health };
/* clang-format on */

/* --- life -------------------------------------------------------------------------------------------- */

static void flash_init(struct device *d, struct device_flash *f, uint8_t *store, uint32_t size,
                       uint32_t unit)
{
    f->bytes = store;
    f->used = store + size;
    f->size = size;
    f->unit = unit;
    memset(f->bytes, d->erased, size);
    memset(f->used, 0, size);
}

static void device_configure(struct device *d)
{
    d->config.base_url[0] = "https://updates.example";
    d->config.product = "lamp";
    d->config.model = "LAMP-1";
    d->config.hardware = "B";
    d->config.device_id = "device-0001";
    d->config.token = DEVICE_TOKEN;
    d->config.language = "en";
    for (uint8_t i = 0; i < 16; i++) {
        d->config.vendor_id[i] = (uint8_t)(0x10 + i);
        d->config.class_id[i] = (uint8_t)(0x20 + i);
    }
    d->config.release_keys = d->keys;
    d->config.release_keys_n = 1;
    d->ports = (struct lapel_ports){ &DEV_NET,    &DEV_SLOTS,        &DEV_BOOT,  &DEV_NV, &DEV_SYS,
                                     &DEV_POLICY, &lsuit_crypto_psa, &DEV_TRUST, d };
    d->memory = (struct lapel_memory){ d->envelope, 2048,         d->io,         1024,
                                       &d->work,    d->trust_set, d->support_url };
}

/* The device believes statements by this key, and the server makes them with it. */
static inline void device_online(struct device *d, struct signer *online)
{
    d->online[0] = online->key;
    d->config.online_keys = d->online;
    d->config.online_keys_n = 1;
    d->server.signer = online;
}

/*
 * A new device that runs `factory`, whose manifest stands in slot 0.
 *
 *   word, erased  the flash: write size, and what an erased byte reads as
 */
static void device_init(struct device *d, struct signer *key, const struct release *factory,
                        uint32_t word, uint8_t erased)
{
    memset(d, 0, sizeof *d);
    d->word = word;
    d->erased = erased;
    d->key = key;
    d->keys[0] = key->key;
    d->chance = 12345;
    d->epoch = 1790000000; /* September 2026 */
    d->power_on = true;
    d->health = LAPEL_HEALTH_OK;
    d->server.retry_after = -1;
    d->server.drops = -1;
    for (int i = 0; i < 2; i++) {
        flash_init(d, &d->slot[i], d->store[i], DEVICE_SLOT_SIZE, 1024);
        flash_init(d, &d->trust[i], d->trust_store[i], LAPEL_TRUST_SIZE, LAPEL_TRUST_SIZE);
        flash_init(d, &d->record[i], d->record_store[i], DEVICE_RECORD_SIZE, DEVICE_RECORD_SIZE);
    }
    memcpy(d->slot[0].bytes, factory->payload, factory->payload_n);
    memset(d->slot[0].used, 1, factory->payload_n);
    memcpy(d->area_store[0], factory->envelope, factory->envelope_n);
    d->area_n[0] = (uint16_t)factory->envelope_n;
    d->image[d->images++] = factory;
    device_configure(d);
}

/* What a boot loader does, and the start of the image that it chose. */
static void device_loader(struct device *d)
{
    if (d->on_trial) { /* not confirmed: back */
        d->on_trial = false;
        d->reverted = true;
        d->running = d->active;
    } else if (d->staged) {
        d->staged = false;
        d->reverted = false;
        d->on_trial = true;
        d->running = d->active ^ 1;
    } else {
        d->running = d->active;
    }
    bool good = false;
    for (size_t i = 0; i < d->images; i++)
        good = good ||
               memcmp(d->slot[d->running].bytes, d->image[i]->payload, d->image[i]->payload_n) == 0;
    if (!good)
        d->bricks++;
    d->boots++;
}

/* After a cut, the next one. */
static void device_more_cuts(struct device *d)
{
    if (!d->fired || d->ops < d->cut_at)
        return;
    if (d->second_at != 0) {
        d->cut_at = d->ops + d->second_at;
        d->second_at = 0;
    } else if (d->cuts_left > 0) {
        d->cuts_left--;
        d->cut_at = d->ops + 1 + device_random(d) % d->cuts_gap;
        d->cut = (enum device_cut)(device_random(d) % CUT_KINDS);
    }
}

/* Start anew; RAM is lost. A cut during init starts once more. */
static inline void device_boot(struct device *d)
{
    (d->loader != NULL ? d->loader : device_loader)(d);
    device_more_cuts(d);
    d->reboot_asked = false;
    d->server.open = false;
    d->now = 1000;
    memset(&d->lapel, 0xa5, sizeof d->lapel);
    memset(&d->work, 0xa5, sizeof d->work);
    memset(d->envelope, 0xa5, sizeof d->envelope);
    memset(d->io, 0xa5, sizeof d->io);
    memset(d->trust_set, 0xa5, sizeof d->trust_set);
    memset(d->support_url, 0xa5, sizeof d->support_url);
    d->init = lapel_init(&d->lapel, &d->config, &d->ports, &d->memory);
}

/*
 * Live until `done` says so or max_steps are over; restarts are played. True when done. The
 * device must have been booted.
 */
static inline bool device_live(struct device *d, bool (*done)(struct device *d), int max_steps)
{
    for (volatile int i = 0; i < max_steps; i++) {
        uint32_t wait = 0;

        if (setjmp(d->power) != 0 || d->reboot_asked) {
            if (!d->reboot_asked)
                d->power_on = true;
            if (setjmp(d->power) != 0)
                d->power_on = true;
            device_boot(d);
        }
        if (d->init != LAPEL_OK) { /* a port call failed: the product tries again */
            d->init = lapel_init(&d->lapel, &d->config, &d->ports, &d->memory);
            d->now += 1000;
            continue;
        }
        if (done(d))
            return true;
        (void)lapel_step(&d->lapel, &wait);
        d->now += wait;
    }
    return false;
}

static inline enum lapel_state device_state(const struct device *d)
{
    return (enum lapel_state)d->lapel.rec.state;
}

#endif
