/*
 * Check-in, its answer, and the report of a failure.
 *
 *   (1) Credentials go out over TLS only, but for the switch that is named for it.
 *   (2) An answer changes times, the support period and the release in hand; never a setting,
 *       a key, a counter or what is accepted. It makes the device look for a trust set.
 *   (3) Of a refused manifest only its class is told, and to the server that check-ins go to,
 *       by the next check-in: the connection that brought it sees nothing of it.
 */
#include "core.h"

#include <string.h>

#include "lsuit/checkin.h"
#include "lsuit/report.h"
#include "lsuit/statement.h"

struct lsuit_space lapel_check_space(const struct lapel *ctx)
{
    struct lsuit_space s = { { ctx->config->vendor_id, sizeof ctx->config->vendor_id },
                             { ctx->config->class_id, sizeof ctx->config->class_id },
                             { NULL, 0 } };

    return s;
}

static void put_running(const struct lapel *ctx, struct lsuit_running *r)
{
    const struct lapel_record *rec = &ctx->rec;
    bool trial = rec->state == LAPEL_TRIAL || rec->state == LAPEL_REJECTED;
    const struct lapel_pair *p = trial ? &rec->attempt.pair : &rec->accepted;

    r->space = lapel_check_space(ctx);
    r->state = LSUIT_RUNNING_CONFIRMED;
    if (trial)
        r->state = LSUIT_RUNNING_TRIAL;
    else if (rec->outcome.kind == LAPEL_OUTCOME_REVERTED)
        r->state = LSUIT_RUNNING_REVERTED;
    if (trial || rec->accepted_known) {
        r->sequence = p->sequence;
        r->digest = (struct lsuit_bytes){ p->digest, sizeof p->digest };
    }
}

static void put_attempt(const struct lapel_outcome *o, struct lsuit_attempt *a)
{
    a->id = (struct lsuit_bytes){ o->id, sizeof o->id };
    a->stage = o->stage;
    a->class_ = o->error;
    a->code = o->code;
    a->has_offset = o->offset != 0;
    a->offset = o->offset;
    a->has_sequence = true;
    a->sequence = o->pair.sequence;
    a->digest = (struct lsuit_bytes){ o->pair.digest, sizeof o->pair.digest };
}

static uint32_t put_events(struct lapel *ctx, struct lsuit_event *events)
{
    uint64_t now = now_ms(ctx);
    uint32_t n = 0;

    for (size_t i = 0; i < LAPEL_COUNTS; i++) {
        const struct lapel_count *c = &ctx->count[i];

        if (c->class_ == 0)
            continue;
        events[n].class_ = c->class_;
        events[n].count = c->count;
        events[n].last_s = (uint32_t)((now - c->last) / 1000);
        n++;
    }
    return n;
}

static void put_user(const struct lapel *ctx, struct lsuit_checkin *c)
{
    const struct lapel_record *r = &ctx->rec;

    c->user.auto_security = r->choice[LAPEL_AUTO_SECURITY - 1];
    c->user.auto_feature = r->choice[LAPEL_AUTO_FEATURE - 1];
    c->user.notifications = r->choice[LAPEL_NOTIFY - 1];
    c->user.postponed_s = (uint32_t)(r->postpone_left_ms / 1000);
    c->user.waiting = ctx->gate;
    c->user.refused = ctx->denied_any;
    c->has_user = c->user.auto_security != 0 || c->user.auto_feature != 0 ||
                  c->user.notifications != 0 || c->user.postponed_s != 0 || c->user.waiting != 0 ||
                  c->user.refused;
}

static void put_fault(const struct lapel_record *r, struct lsuit_checkin *c)
{
    const struct lapel_fault *f = &r->fault;

    c->has_fault = f->known;
    c->fault.kind = f->kind;
    c->fault.where = f->where;
    c->fault.has_sequence = true;
    c->fault.sequence = f->sequence;
    if (f->detail_n > 0)
        c->fault.detail = (struct lsuit_bytes){ f->detail, f->detail_n };
}

static struct lsuit_bytes device_id(const struct lapel *ctx)
{
    bool nobody = ctx->identity == IDENTITY_NOBODY;

    return lsuit_text(nobody ? NULL : ctx->config->device_id);
}

static enum lsuit_err write_checkin(struct lapel *ctx, uint8_t *buf, size_t cap,
                                    struct lsuit_bytes *doc_out)
{
    struct lsuit_checkin c;

    memset(&c, 0, sizeof c);
    c.product = lsuit_text(ctx->config->product);
    c.device_id = device_id(ctx);
    c.model = lsuit_text(ctx->config->model);
    c.hw_revision = lsuit_text(ctx->config->hardware);
    put_running(ctx, &c.running[0]);
    c.running_n = 1;
    if (ctx->rec.outcome.kind != LAPEL_OUTCOME_NONE) {
        c.has_attempt = true;
        put_attempt(&ctx->rec.outcome, &c.attempt);
    }
    c.trust_version = ctx->trust.version;
    c.has_security_counter = ctx->port.boot->counter != NULL;
    c.security_counter = ctx->rec.counter;
    c.has_boot_counter = true;
    c.boot_counter = ctx->rec.boots;
    if (LAPEL_WITH_EVENTS)
        c.events_n = put_events(ctx, c.events);
    if (LAPEL_WITH_FAULT)
        put_fault(&ctx->rec, &c);
    if (LAPEL_WITH_SETTINGS)
        put_user(ctx, &c);
    if (LAPEL_WITH_STATEMENTS)
        c.nonce = lapel_fresh_nonce(ctx);
    c.erase = LAPEL_WITH_ERASE && ctx->erase == LAPEL_ERASE_ASKED;
    return lsuit_checkin_write(&c, buf, cap, doc_out);
}

static enum lsuit_err write_report(struct lapel *ctx, uint8_t *buf, size_t cap,
                                   struct lsuit_bytes *doc_out)
{
    struct lsuit_report r;

    memset(&r, 0, sizeof r);
    r.product = lsuit_text(ctx->config->product);
    r.device_id = device_id(ctx);
    put_attempt(&ctx->rec.outcome, &r.attempt);
    r.has_space = true;
    r.space = lapel_check_space(ctx);
    return lsuit_report_write(&r, buf, cap, doc_out);
}

static enum lapel_err post(struct lapel *ctx, enum exchange exchange, struct lsuit_bytes body,
                           const char *path)
{
    struct lapel_request request = { .method = "POST", .path = path, .body = body };

    return lapel_fetch_ask(ctx, exchange, &request) == HTTP_AGAIN ? LAPEL_OK : LAPEL_ERR_MEMORY;
}

enum lapel_err lapel_check_start(struct lapel *ctx)
{
    struct lsuit_bytes body = { 0 };

    ctx->kicked = false;
    ctx->checks++;
    if (is_cdn(ctx))
        return lapel_fresh_start(ctx);
    /* Nobody's update is over: perhaps the server knows this device again. */
    if (ctx->identity == IDENTITY_NOBODY && ctx->check_fails == 0 && !ctx->offered &&
        ctx->rec.state == LAPEL_READY)
        ctx->identity = IDENTITY_TOKEN;
    if (write_checkin(ctx, ctx->http.io + HTTP_HEAD_ROOM, ctx->http.io_size - HTTP_HEAD_ROOM,
                      &body) != LSUIT_OK ||
        post(ctx, EXCHANGE_CHECKIN, body, "/v1/checkin") != LAPEL_OK) {
        lapel_core_plan(ctx);
        return LAPEL_ERR_MEMORY;
    }
    return LAPEL_OK;
}

enum lapel_err lapel_check_report_start(struct lapel *ctx)
{
    struct lsuit_bytes body = { 0 };

    if (write_report(ctx, ctx->http.io + HTTP_HEAD_ROOM, ctx->http.io_size - HTTP_HEAD_ROOM,
                     &body) != LSUIT_OK ||
        post(ctx, EXCHANGE_REPORT, body, "/v1/reports") != LAPEL_OK) {
        ctx->rec.outcome.reported = true; /* it goes with the next check-in */
        return LAPEL_ERR_MEMORY;
    }
    return LAPEL_OK;
}

/* --- the answer ---------------------------------------------------------------------------- */

static bool in_hand(const struct lapel *ctx, const struct lsuit_verdict *v)
{
    return ctx->offered && v->digest.len == sizeof ctx->want.digest &&
           memcmp(v->digest.ptr, ctx->want.digest, sizeof ctx->want.digest) == 0;
}

static void take_offer(struct lapel *ctx, const struct lsuit_verdict *v)
{
    struct lapel_pair pair = { v->sequence, { 0 } };

    if (v->digest.len != sizeof pair.digest)
        return;
    memcpy(pair.digest, v->digest.ptr, sizeof pair.digest);
    if (in_hand(ctx, v) || ctx->rec.state == LAPEL_TRIAL || ctx->rec.state == LAPEL_REJECTED)
        return;
    if (ctx->rec.accepted_known && !ctx->tampered &&
        memcmp(pair.digest, ctx->rec.accepted.digest, sizeof pair.digest) == 0)
        return; /* it runs already */
    if (ctx->denied_any && memcmp(ctx->denied, pair.digest, sizeof ctx->denied) == 0)
        return; /* asked and denied */
    if (lapel_apply_blocked(ctx, &pair))
        return;
    if (ctx->offered && is_offline(ctx))
        return; /* a local update goes first */
    lapel_apply_want(ctx, &pair);
}

/* Neither *wait* nor *nothing* says anything of what is in hand: it stays, and goes on. */
void lapel_check_verdict(struct lapel *ctx, const struct lsuit_verdict *v)
{
    uint32_t verdict = v == NULL ? (uint32_t)LSUIT_NOTHING : v->verdict;

    if (verdict == LSUIT_OFFER) {
        take_offer(ctx, v);
    } else if (verdict == LSUIT_WITHDRAW) {
        if (in_hand(ctx, v) && ctx->rec.state != LAPEL_TRIAL)
            lapel_apply_end(ctx, LAPEL_OUTCOME_WITHDRAWN, LSUIT_STAGE_GATE, LSUIT_CLASS_WITHDRAWN,
                            0);
    }
}

/* What the server has seen needs not be told again. */
static void answered(struct lapel *ctx)
{
    struct lapel_record *r = &ctx->rec;
    uint8_t kind = r->outcome.kind, known = r->fault.known;

    memset(ctx->count, 0, sizeof ctx->count);
    if (kind == LAPEL_OUTCOME_NONE && !known)
        return;
    r->outcome.kind = LAPEL_OUTCOME_NONE;
    r->fault.known = 0;
    if (lapel_journal_save(ctx) != LAPEL_OK) { /* it is told once more */
        r->outcome.kind = kind;
        r->fault.known = known;
    }
}

/* A page that people may be shown and led to: nothing but visible ASCII behind its scheme. */
static bool is_page(struct lsuit_bytes url)
{
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= 0x20 || url.ptr[i] > 0x7e)
            return false;
    return (lapel_http_begins(url.ptr, url.len, "https://") && url.len > 8) ||
           (lapel_http_begins(url.ptr, url.len, "http://") && url.len > 7);
}

static void take_support_url(struct lapel *ctx, struct lsuit_bytes url)
{
    char *to = ctx->memory.support_url;

    if (to == NULL)
        return;
    memset(to, 0, LAPEL_SUPPORT_URL_SIZE);
    if (url.ptr != NULL && url.len < LAPEL_SUPPORT_URL_SIZE && is_page(url))
        memcpy(to, url.ptr, url.len);
}

static void take_support(struct lapel *ctx, const struct lsuit_answer *a)
{
    if (a->support_end != 0 && a->support_end != ctx->rec.support_end) {
        ctx->rec.support_end = a->support_end;
        (void)lapel_journal_save(ctx); /* or it is stored with the next change */
    }
    take_support_url(ctx, a->support_url);
    lapel_policy_support(ctx);
}

static void good_check(struct lapel *ctx, uint32_t next_poll_s)
{
    ctx->good_checks++;
    ctx->check_fails = 0;
    ctx->poll_ms = lapel_sched_clamp_poll(next_poll_s);
    ctx->rechecked = true;
}

/* All of an answer but its statement. False: it makes no sense. */
static bool take_answer(struct lapel *ctx, struct lsuit_bytes doc,
                        struct lsuit_bytes *statement_out)
{
    struct lsuit_space space = lapel_check_space(ctx);
    struct lsuit_answer a;

    if (lsuit_answer_read(doc, &a, NULL) != LSUIT_OK)
        return false;
    good_check(ctx, a.next_poll_s);
    answered(ctx);
    if (LAPEL_WITH_SUPPORT)
        take_support(ctx, &a);
    lapel_trust_answer(ctx, a.trust_version);
    lapel_core_plan(ctx);
    if (LAPEL_WITH_ERASE)
        lapel_erase_answer(ctx, a.erase_nonce);
    lapel_check_verdict(ctx, lsuit_answer_verdict(&a, &space));
    *statement_out = a.statement;
    return true;
}

/* Apart from the answer, so that the stack never holds both. */
static void take_statement(struct lapel *ctx, struct lsuit_bytes doc)
{
    struct lsuit_statement st;

    if (doc.ptr != NULL && lapel_trust_has_online(ctx))
        (void)lapel_fresh_take(ctx, doc, &st);
}

static void check_failed(struct lapel *ctx)
{
    lapel_fetch_later(ctx, &ctx->next_check, &ctx->check_fails);
}

/* Instead of an answer. Nobody is told how an attempt ended, so nobody needs to have heard it. */
static void statement_ended(struct lapel *ctx)
{
    struct lapel_http *h = &ctx->http;
    struct lsuit_bytes doc = { h->io, h->body_n };
    struct lsuit_statement st;

    ctx->exchange = EXCHANGE_NONE;
    if (h->head.status != 200 || lapel_fresh_take(ctx, doc, &st) != LSUIT_OK) {
        h->head.status = h->head.status == 200 ? 0 : h->head.status;
        check_failed(ctx);
        return;
    }
    ctx->trial_checked = true;
    lapel_trust_heard(ctx);
    good_check(ctx, st.next_poll_s != 0 ? st.next_poll_s : lapel_core_period(ctx) / 1000);
    answered(ctx);
    if (LAPEL_WITH_SUPPORT)
        lapel_policy_support(ctx);
    /* A statement names no trust set: ask for the next, which is there or is a 404. */
    lapel_trust_answer(ctx, ctx->trust.version + 1);
    lapel_core_plan(ctx);
    lapel_fresh_choose(ctx, &st);
}

static void check_ended(struct lapel *ctx)
{
    struct lapel_http *h = &ctx->http;
    struct lsuit_bytes doc = { h->io, h->body_n }, statement;

    ctx->exchange = EXCHANGE_NONE;
    /* An authenticated server answered: for a trial that is as good as any answer (6.10). */
    if (h->head.status == 200 || h->head.status == 429 || h->head.status == 503) {
        ctx->trial_checked = true;
        lapel_trust_heard(ctx);
    }
    if (h->head.status == 401) {
        lapel_fetch_unauthorised(ctx);
        if (LAPEL_WITH_ERASE)
            lapel_erase_refused(ctx);
    }
    if (h->head.status != 200) {
        check_failed(ctx);
        return;
    }
    if (!take_answer(ctx, doc, &statement)) {
        lapel_core_count(ctx, LSUIT_EVENT_MALFORMED);
        h->head.status = 0;
        check_failed(ctx);
        return;
    }
    if (LAPEL_WITH_STATEMENTS)
        take_statement(ctx, statement);
}

static void report_ended(struct lapel *ctx)
{
    uint16_t status = ctx->http.head.status;

    ctx->exchange = EXCHANGE_NONE;
    if (status == 429 || status >= 500) {
        lapel_fetch_later(ctx, &ctx->report_at, &ctx->report_fails);
        return;
    }
    /* Taken, or never will be: the next check-in carries it in any case. */
    ctx->rec.outcome.reported = true;
    ctx->report_fails = 0;
    (void)lapel_journal_save(ctx);
}

/* The exchange is over. */
static void ended(struct lapel *ctx)
{
    if (LAPEL_WITH_REPORTS && ctx->exchange == EXCHANGE_REPORT)
        report_ended(ctx);
    else if (LAPEL_WITH_STATEMENTS && ctx->exchange == EXCHANGE_STATEMENT)
        statement_ended(ctx);
    else if (LAPEL_WITH_ERASE && ctx->exchange == EXCHANGE_ERASE)
        lapel_erase_ended(ctx);
    else
        check_ended(ctx);
}

static void broken(struct lapel *ctx)
{
    ctx->http.head.status = 0;
    if (LAPEL_WITH_REPORTS && ctx->exchange == EXCHANGE_REPORT)
        lapel_fetch_later(ctx, &ctx->report_at, &ctx->report_fails);
    else if (LAPEL_WITH_ERASE && ctx->exchange == EXCHANGE_ERASE)
        lapel_erase_ended(ctx);
    else
        check_failed(ctx);
}

/* Ask again at once, on a new connection. */
static enum lapel_err again(struct lapel *ctx)
{
    uint8_t exchange = ctx->exchange;

    lapel_core_close(ctx);
    if (LAPEL_WITH_REPORTS && exchange == EXCHANGE_REPORT)
        return lapel_check_report_start(ctx);
    if (LAPEL_WITH_ERASE && exchange == EXCHANGE_ERASE)
        return lapel_erase_start(ctx);
    return lapel_check_start(ctx);
}

enum lapel_err lapel_check_step(struct lapel *ctx)
{
    struct lapel_http *h = &ctx->http;
    enum http_result r = lapel_http_step(h, now_ms(ctx));

    if (r == HTTP_AGAIN && !h->moved)
        ctx->wait_ms = SOCKET_WAIT_MS;
    if (r == HTTP_AGAIN || r == HTTP_HEAD || (r == HTTP_BODY && h->body_n < h->io_size))
        return LAPEL_OK;
    if (r == HTTP_END) {
        ended(ctx);
        return LAPEL_OK;
    }
    if (r == HTTP_STALE)
        return again(ctx);
    if (r == HTTP_TRUST)
        lapel_core_count(ctx, LSUIT_EVENT_TLS_FAILURE);
    if (r != HTTP_NETWORK && r != HTTP_TRUST)
        lapel_core_count(ctx, LSUIT_EVENT_MALFORMED);
    broken(ctx);
    return LAPEL_OK;
}
