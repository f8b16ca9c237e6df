/*
 * The public functions, and which piece of work is next.
 *
 *   (1) A step does one piece: of the exchange on the connection, or of a report or check-in
 *       that is due, or of the release in hand.
 *   (2) There is one connection. A download keeps it; check-ins wait for its end or for a break
 *       in it.
 */
#include "core.h"

#include <string.h>

#define RETRY_MS 1000u
/* A connection is closed when nothing will use it for so long, ms. */
#define LINGER_MS 2000u

/* --- small things all files use ------------------------------------------------------------- */

uint32_t lapel_core_chance(struct lapel *ctx)
{
    uint8_t b[4];

    if (ctx->port.sys->random(ctx->port.ctx, b, sizeof b) <= 0) {
        /* A generator that fails must not bring a fleet into step: the id spreads it too. */
        return (uint32_t)(ctx->phase_fraction >> 32) ^ (uint32_t)(now_ms(ctx) * 2654435761u);
    }
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

uint32_t lapel_core_period(const struct lapel *ctx)
{
    return ctx->config->period_ms != 0 ? ctx->config->period_ms : LAPEL_PERIOD_MS;
}

void lapel_core_count(struct lapel *ctx, uint8_t class_)
{
    struct lapel_count *c = &ctx->count[0];

    if (!LAPEL_WITH_EVENTS)
        return;
    for (size_t i = 0; i < LAPEL_COUNTS; i++) {
        if (ctx->count[i].class_ == class_) {
            c = &ctx->count[i];
            break;
        }
        if (ctx->count[i].class_ == 0 || ctx->count[i].last < c->last)
            c = &ctx->count[i];
        if (c->class_ == 0)
            break;
    }
    if (c->class_ != class_)
        memset(c, 0, sizeof *c);
    c->class_ = class_;
    if (c->count < UINT16_MAX)
        c->count++;
    c->last = now_ms(ctx);
}

int lapel_core_fail(struct lapel *ctx, uint8_t stage, uint8_t class_, int32_t code)
{
    ctx->fail = (struct lapel_fail){ LAPEL_OUTCOME_FAILED, stage, class_, code };
    return LSUIT_OP_FAIL;
}

void lapel_core_close(struct lapel *ctx)
{
    lapel_http_close(&ctx->http);
    ctx->exchange = EXCHANGE_NONE;
}

void lapel_core_forget(struct lapel *ctx)
{
    if (ctx->run_open)
        lsuit_run_abort(&ctx->memory.work->run);
    lapel_self_end(ctx);
    if (ctx->exchange == EXCHANGE_MANIFEST || ctx->exchange == EXCHANGE_PAYLOAD)
        lapel_core_close(ctx);
    ctx->run_open = false;
    ctx->manifest_ok = false;
    ctx->offered = false;
    ctx->offline = false;
    ctx->apply_read = NULL;
    ctx->work = WORK_NONE;
    ctx->work_fails = 0;
    ctx->told = 0;
    ctx->gate = 0;
    ctx->gate_until = 0;
    ctx->from_zero = false;
    ctx->at = 0;
    ctx->total = 0;
    ctx->dry_bytes = 0;
}

/* A period below what a server may ask for is a test's, and stays. */
static bool test_pace(const struct lapel *ctx)
{
    return lapel_core_period(ctx) < SCHED_POLL_MIN_MS;
}

void lapel_core_plan(struct lapel *ctx)
{
    uint64_t now = now_ms(ctx);
    uint32_t poll = ctx->poll_ms == 0 || test_pace(ctx) ? lapel_core_period(ctx) : ctx->poll_ms;
    uint64_t clock = now;
    uint32_t wait;

    if (ctx->port.sys->epoch_s != NULL && ctx->port.sys->epoch_s(ctx->port.ctx) > 0)
        clock = (uint64_t)ctx->port.sys->epoch_s(ctx->port.ctx) * 1000 + now % 1000;
    if (poll >= SCHED_ALIGN_MS || ctx->poll_ms == 0 || test_pace(ctx))
        wait = lapel_sched_next(clock, poll, ctx->phase_fraction, LAPEL_JITTER_PERCENT,
                                lapel_core_chance(ctx));
    else
        wait = lapel_sched_poll(poll, LAPEL_JITTER_PERCENT, lapel_core_chance(ctx));
    ctx->next_check = now + wait;
}

void lapel_core_soon(struct lapel *ctx, uint32_t within_ms)
{
    uint32_t window =
        ctx->config->first_check_ms != 0 ? ctx->config->first_check_ms : LAPEL_FIRST_CHECK_MS;

    if (window > within_ms)
        window = within_ms;
    ctx->next_check = now_ms(ctx) + lapel_sched_uniform(window + 1, lapel_core_chance(ctx));
}

/* --- the step -------------------------------------------------------------------------------------- */

static bool check_due(const struct lapel *ctx, uint64_t now)
{
    return (ctx->kicked || now >= ctx->next_check) && now >= ctx->not_before;
}

/* After a piece of work that waits: no longer than until the next check or report. */
static uint32_t bounded_wait(struct lapel *ctx)
{
    uint64_t now = now_ms(ctx);
    uint64_t at = ctx->kicked ? 0 : ctx->next_check;

    if (lapel_check_report_due(ctx) && ctx->report_at < at)
        at = ctx->report_at;
    if (LAPEL_WITH_TRUST && lapel_trust_wanted(ctx) && ctx->trust_at < at)
        at = ctx->trust_at;
    if (at < ctx->not_before)
        at = ctx->not_before;
    uint64_t wait = at > now ? at - now : 0;
    if (wait > ctx->wait_ms)
        wait = ctx->wait_ms;
    if (LAPEL_WITH_STATEMENTS && lapel_fresh_wait(ctx) < wait)
        wait = lapel_fresh_wait(ctx);
    return wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
}

/* An exchange that drips: longer than it may be in all, or a payload that keeps a check-in waiting
 * for so long. It ends like one whose connection broke. */
static bool drips(const struct lapel *ctx, uint64_t now)
{
    if (ctx->exchange == EXCHANGE_NONE || now - ctx->exchange_at < LAPEL_EXCHANGE_MS)
        return false;
    return ctx->exchange != EXCHANGE_PAYLOAD ||
           (check_due(ctx, now) && now >= ctx->next_check + LAPEL_EXCHANGE_MS);
}

static enum lapel_err piece(struct lapel *ctx, uint64_t now)
{
    if (drips(ctx, now))
        lapel_http_close(&ctx->http);
    if (ctx->exchange != EXCHANGE_NONE && ctx->exchange < EXCHANGE_MANIFEST)
        return lapel_check_step(ctx);
    if (ctx->exchange == EXCHANGE_NONE && ctx->work != WORK_SELF) {
        if (lapel_erase_due(ctx, now))
            return lapel_erase_start(ctx);
        if (lapel_check_report_due(ctx) && now >= ctx->report_at && now >= ctx->not_before)
            return lapel_check_report_start(ctx);
        if (check_due(ctx, now))
            return lapel_check_start(ctx);
    }
    if (LAPEL_WITH_TRUST && lapel_trust_due(ctx, now)) {
        lapel_trust_step(ctx);
        return LAPEL_OK;
    }
    return lapel_apply_step(ctx);
}

enum lapel_err lapel_step(struct lapel *ctx, uint32_t *wait_ms_out)
{
    uint64_t now = now_ms(ctx);

    lapel_policy_tick(ctx);
    if (LAPEL_WITH_STATEMENTS)
        lapel_fresh_tick(ctx);
    ctx->wait_ms = 0;
    enum lapel_err e = piece(ctx, now);
    if (e != LAPEL_OK && ctx->wait_ms < RETRY_MS)
        ctx->wait_ms = RETRY_MS;
    if (ctx->exchange == EXCHANGE_NONE && ctx->wait_ms > 0) {
        ctx->wait_ms = bounded_wait(ctx);
        if (ctx->wait_ms > LINGER_MS)
            lapel_core_close(ctx);
    }
    *wait_ms_out = ctx->wait_ms;
    return e;
}

/* --- the rest ------------------------------------------------------------------------------------------ */

enum lapel_err lapel_confirm(struct lapel *ctx)
{
    return ctx->rec.state == LAPEL_TRIAL ? lapel_apply_confirm(ctx) : LAPEL_ERR_STATE;
}

enum lapel_err lapel_reject(struct lapel *ctx)
{
    return ctx->rec.state == LAPEL_TRIAL ? lapel_apply_reject(ctx, LSUIT_CLASS_HEALTH)
                                         : LAPEL_ERR_STATE;
}

void lapel_kick(struct lapel *ctx)
{
    ctx->kicked = true;
    ctx->denied_any = false;
}

enum lapel_err lapel_apply(struct lapel *ctx, const uint8_t *envelope, size_t n,
                           int (*read)(void *ctx, struct lsuit_bytes uri, uint64_t offset,
                                       uint8_t *buf, size_t n))
{
    if (!LAPEL_WITH_APPLY || ctx->rec.state != LAPEL_READY)
        return LAPEL_ERR_STATE;
    if (n == 0 || n > ctx->memory.envelope_size)
        return LAPEL_ERR_MEMORY;
    lapel_core_close(ctx);
    lapel_core_forget(ctx);
    memcpy(ctx->memory.envelope, envelope, n);
    ctx->envelope_n = n;
    ctx->apply_read = read;
    ctx->offline = true;
    ctx->work = WORK_VERIFY;
    return LAPEL_OK;
}

enum lapel_err lapel_fault(struct lapel *ctx, uint8_t kind, uint64_t where, const uint8_t *detail,
                           size_t n)
{
    struct lapel_record *r = &ctx->rec;
    struct lapel_fault f = { .where = where, .kind = kind, .known = 1 };
    struct lapel_fault former = r->fault;
    bool attempt = r->state == LAPEL_TRIAL || r->state == LAPEL_FAILED;

    if (!LAPEL_WITH_FAULT)
        return LAPEL_ERR_STATE;
    if (n > sizeof f.detail)
        n = sizeof f.detail;
    if (n > 0)
        memcpy(f.detail, detail, n);
    f.detail_n = (uint8_t)n;
    /* After a trial that went back, it is the trial that crashed. */
    f.sequence = attempt ? r->attempt.pair.sequence : r->accepted.sequence;
    r->fault = f;
    if (lapel_journal_save(ctx) == LAPEL_OK)
        return LAPEL_OK;
    r->fault = former;
    return LAPEL_ERR_NV;
}

void lapel_status(const struct lapel *ctx, struct lapel_status *status_out)
{
    const struct lapel_record *r = &ctx->rec;
    struct lapel_status s;
    uint64_t now = ctx->port.sys->now_ms(ctx->port.ctx);

    memset(&s, 0, sizeof s);
    s.state = (enum lapel_state)r->state;
    s.waiting = (enum lapel_gate)ctx->gate;
    s.accepted_sequence = r->accepted.sequence;
    memcpy(s.accepted_digest, r->accepted.digest, sizeof s.accepted_digest);
    s.accepted_known = r->accepted_known;
    s.attempt_sequence = ctx->offered ? ctx->want.sequence : r->attempt.pair.sequence;
    s.fetched = ctx->at;
    s.total = ctx->total;
    s.counter = r->counter;
    s.tampered = ctx->tampered;
    s.running_slot = ctx->running_slot;
    for (size_t i = 0; i < 3; i++) {
        s.setting[i] = (enum lapel_choice)r->choice[i];
        s.setting_by[i] = (enum lapel_actor)r->choice_by[i];
    }
    s.postponed_ms = r->postpone_left_ms;
    s.next_check_ms = ctx->next_check > now ? ctx->next_check - now : 0;
    s.support_end = r->support_end;
    s.support_url = ctx->memory.support_url != NULL ? ctx->memory.support_url : "";
    s.statement = r->fresh.number;
    s.issued_s = ctx->issued_s;
    s.fresh_age_s = r->fresh.age_s;
    s.stale = r->fresh.stale;
    s.erase = (enum lapel_erase_state)ctx->erase;
    s.last_error = r->outcome.error;
    s.last_stage = r->outcome.stage;
    s.checks = ctx->checks;
    s.good_checks = ctx->good_checks;
    s.trust_version = ctx->trust.version;
    s.host = ctx->origin.host;
    *status_out = s;
}

const char *lapel_state_name(enum lapel_state state)
{
    static const char *const NAMES[] = { "ready", "writing", "candidate", "staged",
                                         "trial", "updated", "rejected",  "failed" };

    return (unsigned)state <= LAPEL_FAILED ? NAMES[state] : "unknown";
}
