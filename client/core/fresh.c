/*
 * Freshness: a statement by an online key shows what is newest, and that nobody keeps it back.
 *
 *   (1) It withholds a release and ends a trial; by itself it never starts an attempt, but where
 *       the server is static files (config.cdn): there it says which of the releases this device
 *       may look at, and the release keys decide as ever.
 *   (2) Numbers never fall while the online keys stay (trust.c). A change in what a statement says
 *       of releases is in the journal before it has an effect, so that no restart makes an older
 *       one new.
 *   (3) Age is running time since the number last rose or an own nonce was answered. No clock.
 *   (4) The journal is written for it when what it says of releases changed, when stale begins
 *       and ends, a quarter of an hour after a start, and then every six hours: four times a day
 *       and once for each start, however often the device checks.
 */
#include "core.h"

#include <string.h>

#include "lsuit/checkin.h"
#include "lsuit/place.h"
#include "lsuit/statement.h"

#define SAVE_FIRST_S 900u
#define SAVE_S 21600u

static uint32_t stale_after(const struct lapel *ctx)
{
    return ctx->rec.fresh.stale_after_s != 0 ? ctx->rec.fresh.stale_after_s : LAPEL_STALE_AFTER_S;
}

/* false: it can't be written now, and will be with the next change. */
static bool save(struct lapel *ctx)
{
    ctx->fresh_unsaved_s = 0;
    ctx->fresh_save_s = SAVE_S;
    return lapel_journal_save(ctx) == LAPEL_OK;
}

void lapel_fresh_init(struct lapel *ctx)
{
    ctx->fresh_tick = now_ms(ctx);
    ctx->fresh_save_s = SAVE_FIRST_S;
}

static void begin_stale(struct lapel *ctx)
{
    ctx->rec.fresh.stale = true;
    (void)save(ctx);
    lapel_core_count(ctx, LSUIT_EVENT_STALE);
    lapel_policy_tell(ctx, LAPEL_EVENT_STALE, NULL);
}

void lapel_fresh_tick(struct lapel *ctx)
{
    struct lapel_fresh *f = &ctx->rec.fresh;
    uint64_t now = now_ms(ctx);
    uint64_t passed = now > ctx->fresh_tick ? (now - ctx->fresh_tick) / 1000 : 0;

    if (passed == 0 || !lapel_trust_has_online(ctx))
        return;
    ctx->fresh_tick += passed * 1000;
    f->age_s = passed < UINT32_MAX - f->age_s ? f->age_s + (uint32_t)passed : UINT32_MAX;
    ctx->fresh_unsaved_s += passed;
    if (!f->stale && f->age_s >= stale_after(ctx))
        begin_stale(ctx);
    else if (ctx->fresh_unsaved_s >= ctx->fresh_save_s)
        (void)save(ctx);
}

uint64_t lapel_fresh_wait(const struct lapel *ctx)
{
    const struct lapel_fresh *f = &ctx->rec.fresh;
    uint64_t s =
        ctx->fresh_save_s > ctx->fresh_unsaved_s ? ctx->fresh_save_s - ctx->fresh_unsaved_s : 0;

    if (!lapel_trust_has_online(ctx))
        return UINT64_MAX;
    if (!f->stale && f->age_s < stale_after(ctx) && stale_after(ctx) - f->age_s < s)
        s = stale_after(ctx) - f->age_s;
    return (s + 1) * 1000;
}

/* Proof that no cache and no replay can give: when it matters now, or a quarter of the time until
 * stale is over. */
struct lsuit_bytes lapel_fresh_nonce(struct lapel *ctx)
{
    const struct lapel_record *r = &ctx->rec;
    struct lsuit_bytes nonce = { ctx->nonce, sizeof ctx->nonce };
    bool wants = r->state == LAPEL_TRIAL || r->state == LAPEL_STAGED || r->fresh.number == 0 ||
                 r->fresh.age_s >= stale_after(ctx) / 4;

    ctx->nonce_asked = lapel_trust_has_online(ctx) && wants &&
                       ctx->port.sys->random(ctx->port.ctx, ctx->nonce, sizeof ctx->nonce) > 0;
    return ctx->nonce_asked ? nonce : (struct lsuit_bytes){ NULL, 0 };
}

/* --- is it good, and newer? ------------------------------------------------------------------ */

static enum lsuit_err read_statement(struct lapel *ctx, struct lsuit_bytes doc,
                                     struct lsuit_statement *st)
{
    struct lsuit_space space = lapel_check_space(ctx);
    struct lsuit_bytes payload = { NULL, 0 };
    enum lsuit_err e = lapel_trust_open(ctx, LSUIT_DOC_STATEMENT, doc, &payload);

    if (e == LSUIT_OK)
        e = lsuit_statement_read(payload, st, NULL);
    if (e == LSUIT_OK && !lsuit_space_equal(&st->space, &space))
        e = LSUIT_ERR_CONDITION;
    return e;
}

static bool is_own_nonce(const struct lapel *ctx, struct lsuit_bytes nonce)
{
    return ctx->nonce_asked && nonce.len == sizeof ctx->nonce &&
           memcmp(nonce.ptr, ctx->nonce, sizeof ctx->nonce) == 0;
}

/* An old one that nobody asked for is a cache's doing, and no event of security. */
static void refuse(struct lapel *ctx, enum lsuit_err e, bool asked)
{
    struct lapel_event event = { .stage = LSUIT_STAGE_VERIFY, .error = lapel_apply_class(e) };

    if (e != LSUIT_ERR_ROLLBACK || asked)
        lapel_core_count(ctx, LSUIT_EVENT_STATEMENT);
    lapel_policy_tell(ctx, LAPEL_EVENT_STATEMENT, &event);
}

/* --- what it says ------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t h, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* FNV-1a over what it says of releases: tells whether that changed. Who could make two alike has
 * the online key, and needs no such thing. */
static uint64_t content_of(const struct lsuit_statement *st)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (uint32_t i = 0; i < st->releases_n; i++) {
        const struct lsuit_release *r = &st->releases[i];
        uint64_t threshold = r->has_threshold ? r->threshold : 0;
        uint8_t state = (uint8_t)(r->state << 1 | (r->has_threshold ? 1 : 0));

        h = mix(h, r->digest.ptr, r->digest.len);
        h = mix(h, r->salt.ptr, r->salt.len);
        h = mix(h, &state, 1);
        for (int k = 0; k < 64; k += 8) {
            uint8_t b = (uint8_t)(threshold >> k);

            h = mix(h, &b, 1);
        }
    }
    return h;
}

/* What is in hand and stopped ends; a trial ends only for good. */
static void stop_what_is_in_hand(struct lapel *ctx, const struct lsuit_statement *st)
{
    uint8_t state = ctx->rec.state;
    const struct lapel_pair *p = state == LAPEL_READY ? &ctx->want : &ctx->rec.attempt.pair;
    struct lsuit_bytes digest = { p->digest, sizeof p->digest };
    const struct lsuit_release *r = lsuit_statement_release(st, p->sequence, digest);

    if (r == NULL || r->state < LSUIT_RELEASE_HALTED || (state == LAPEL_READY && !ctx->offered))
        return;
    if (state == LAPEL_TRIAL && r->state == LSUIT_RELEASE_WITHDRAWN)
        (void)lapel_apply_reject(ctx, LSUIT_CLASS_WITHDRAWN);
    else if (state <= LAPEL_STAGED)
        lapel_apply_end(ctx, LAPEL_OUTCOME_WITHDRAWN, LSUIT_STAGE_GATE, LSUIT_CLASS_WITHDRAWN, 0);
}

/* True when it must be in the journal before anything follows from it. */
static bool take_support(struct lapel *ctx, const struct lsuit_statement *st)
{
    uint32_t end = lsuit_statement_support(st, lsuit_text(ctx->config->model));
    bool news = end != 0 && end != ctx->rec.support_end;

    if (news)
        ctx->rec.support_end = end;
    return news;
}

/* false, with everything as it was: what it says can't be stored, so it must not have an effect. */
static bool remember(struct lapel *ctx, const struct lsuit_statement *st, bool fresh)
{
    struct lapel_fresh *f = &ctx->rec.fresh;
    struct lapel_fresh was = *f;
    uint32_t support_end = ctx->rec.support_end;
    uint64_t content = content_of(st);
    bool must = content != f->content || (fresh && was.stale);

    f->number = st->number;
    f->content = content;
    f->stale_after_s = st->stale_after_s;
    if (fresh) {
        f->age_s = 0;
        f->stale = false;
    }
    if (LAPEL_WITH_SUPPORT && take_support(ctx, st))
        must = true;
    if (must && !save(ctx)) {
        *f = was;
        ctx->rec.support_end = support_end;
        return false;
    }
    ctx->issued_s = st->issued_s;
    if (was.stale && fresh)
        lapel_policy_tell(ctx, LAPEL_EVENT_FRESH, NULL);
    return true;
}

enum lsuit_err lapel_fresh_take(struct lapel *ctx, struct lsuit_bytes doc,
                                struct lsuit_statement *st)
{
    bool asked = ctx->nonce_asked;
    bool own = false;
    enum lsuit_err e = read_statement(ctx, doc, st);

    if (e == LSUIT_OK) {
        own = is_own_nonce(ctx, st->nonce);
        if (st->number < ctx->rec.fresh.number || (st->nonce.ptr != NULL && !own))
            e = LSUIT_ERR_ROLLBACK;
    }
    if (e != LSUIT_OK) {
        refuse(ctx, e, asked || st->nonce.ptr != NULL);
        return e;
    }
    ctx->nonce_asked = false; /* a second answer to it proves nothing */
    if (!remember(ctx, st, own || st->number > ctx->rec.fresh.number))
        return LSUIT_ERR_OPERATION;
    stop_what_is_in_hand(ctx, st);
    return LSUIT_OK;
}

/* --- a server that is static files -------------------------------------------------------------- */

enum lapel_err lapel_fresh_start(struct lapel *ctx)
{
    uint8_t hex[2 * sizeof ctx->config->class_id];
    struct lapel_request request = { .method = "GET",
                                     .path = "/v1/statements/",
                                     .tail = { hex, sizeof hex } };

    lapel_fetch_hex(ctx->config->class_id, sizeof ctx->config->class_id, hex);
    return lapel_fetch_ask(ctx, EXCHANGE_STATEMENT, &request) == HTTP_AGAIN ? LAPEL_OK
                                                                            : LAPEL_ERR_MEMORY;
}

static bool lets_in(const struct lapel *ctx, const struct lsuit_release *r)
{
    struct lsuit_bytes id = lsuit_text(ctx->config->device_id);
    uint64_t place = UINT64_MAX; /* nobody in particular: in when everybody is */

    if (r->state != LSUIT_RELEASE_OPEN || r->sequence <= ctx->rec.accepted.sequence)
        return false;
    if (id.ptr != NULL && r->salt.ptr != NULL &&
        lsuit_place(ctx->port.crypto, r->salt, id, &place) != LSUIT_OK)
        return false;
    return lsuit_place_in(place, r->has_threshold, r->threshold);
}

void lapel_fresh_choose(struct lapel *ctx, const struct lsuit_statement *st)
{
    struct lsuit_verdict v = { .verdict = LSUIT_OFFER };
    bool found = false;

    for (uint32_t i = 0; i < st->releases_n; i++) {
        const struct lsuit_release *r = &st->releases[i];

        if (r->sequence <= v.sequence || !lets_in(ctx, r))
            continue;
        v.sequence = r->sequence;
        v.digest = r->digest;
        found = true;
    }
    if (found)
        lapel_check_verdict(ctx, &v);
    else if (ctx->rec.state == LAPEL_READY && ctx->offered && !is_offline(ctx))
        lapel_core_forget(ctx); /* nothing is begun, and it may not be any more */
}
