/*
 * The user: settings, postponement, gates and events (provisions 5.3-4, -6, -11, -12, -13).
 *
 *   (1) Consent is local: nothing that came over the network changes a setting.
 *   (2) Nothing is installed by itself against "off", and nothing at all within a postponement. A
 *       person who applies a file at the device has decided for that file: "off" is about
 *       automatic updates, and a postponement from before it ends.
 *   (3) What is told of a release is signed: it comes from a manifest that verified.
 */
#include "core.h"

#include <string.h>

#define GATE_WAIT_MS 60000u  /* when a policy says wait and no time */
#define USER_WAIT_MS 600000u /* look again at a choice that says no; a change wakes at once */
#define TICK_SAVE_MS 3600000u

static enum lapel_severity severity_of(const struct lapel *ctx)
{
    if (ctx->has_priority && ctx->priority < 100)
        return LAPEL_CRITICAL;
    if (ctx->has_priority && ctx->priority < 1000)
        return LAPEL_SECURITY;
    return LAPEL_FEATURE;
}

/* False when no verified manifest is in hand. */
static bool make_offer(const struct lapel *ctx, struct lapel_offer *offer_out)
{
    struct lapel_offer o = { 0 };
    struct lsuit_text text = { 0 };

    if (!ctx->manifest_ok)
        return false;
    const struct lsuit_manifest *m = &ctx->memory.work->manifest;
    o.sequence = m->sequence;
    o.digest = m->digest.bytes;
    o.severity = severity_of(ctx);
    o.priority = ctx->priority;
    o.download_bytes = ctx->dry_bytes;
    o.disrupts = true;
    if (LAPEL_WITH_TEXT &&
        lsuit_manifest_text(m, lsuit_text(ctx->config->language), &text, NULL) == LSUIT_OK) {
        o.version = text.component_version;
        o.changes = text.update_description;
        o.risks_removed = text.risks_removed;
        o.language = text.language;
        o.has_downtime = text.has_downtime;
        o.downtime_s = text.downtime_s;
        o.disrupts = !text.has_disrupts || text.disrupts;
    }
    *offer_out = o;
    return true;
}

void lapel_policy_tell(struct lapel *ctx, enum lapel_event_id id, struct lapel_event *event)
{
    const struct lapel_policy *p = ctx->port.policy;
    struct lapel_event none = { 0 };
    struct lapel_offer offer;

    if (p == NULL || p->event == NULL)
        return;
    if (event == NULL)
        event = &none;
    /* Notifications that are only news are the user's to switch off (5.3-6B). What asks, warns
     * or went wrong is told always. */
    if (LAPEL_WITH_SETTINGS && ctx->rec.choice[LAPEL_NOTIFY - 1] == LAPEL_OFF &&
        (id == LAPEL_EVENT_AVAILABLE || id == LAPEL_EVENT_INSTALLED))
        return;
    event->id = id;
    event->state = (enum lapel_state)ctx->rec.state;
    event->offer = make_offer(ctx, &offer) ? &offer : NULL;
    p->event(ctx->port.ctx, event);
}

void lapel_policy_tell_once(struct lapel *ctx, enum lapel_event_id id, struct lapel_event *event)
{
    uint16_t bit = (uint16_t)(1u << (unsigned)id);

    if ((ctx->told & bit) != 0)
        return;
    ctx->told |= bit;
    lapel_policy_tell(ctx, id, event);
}

/* --- settings ----------------------------------------------------------------------------- */

enum lapel_err lapel_user_set(struct lapel *ctx, enum lapel_setting setting,
                              enum lapel_choice choice, enum lapel_actor by)
{
    int i = (int)setting - 1;

    if (!LAPEL_WITH_SETTINGS)
        return LAPEL_ERR_STATE;
    if (i < 0 || i > 2 || choice > LAPEL_OFF || by > LAPEL_BY_FACTORY)
        return LAPEL_ERR_RANGE;
    uint8_t former = ctx->rec.choice[i], former_by = ctx->rec.choice_by[i];

    ctx->rec.choice[i] = (uint8_t)choice;
    ctx->rec.choice_by[i] = (uint8_t)by;
    if (lapel_journal_save(ctx) != LAPEL_OK) {
        ctx->rec.choice[i] = former;
        ctx->rec.choice_by[i] = former_by;
        return LAPEL_ERR_NV;
    }
    ctx->gate_until = 0;
    ctx->denied_any = false;
    return LAPEL_OK;
}

enum lapel_err lapel_postpone(struct lapel *ctx, uint32_t ms)
{
    uint64_t former = ctx->rec.postpone_left_ms;

    if (!LAPEL_WITH_SETTINGS)
        return LAPEL_ERR_STATE;
    if (ms > LAPEL_POSTPONE_BUDGET_MS || ctx->rec.postpone_used_ms > LAPEL_POSTPONE_BUDGET_MS - ms)
        return LAPEL_ERR_RANGE;
    ctx->rec.postpone_left_ms = ms;
    if (lapel_journal_save(ctx) != LAPEL_OK) {
        ctx->rec.postpone_left_ms = former;
        return LAPEL_ERR_NV;
    }
    ctx->tick_saved = ms;
    ctx->gate_until = 0;
    lapel_policy_tell(ctx, LAPEL_EVENT_POSTPONED,
                      &(struct lapel_event){ .gate = (enum lapel_gate)ctx->gate, .wait_ms = ms });
    return LAPEL_OK;
}

enum lapel_err lapel_reset(struct lapel *ctx)
{
    struct lapel_record *r = &ctx->rec;
    uint8_t choice[3], choice_by[3];
    uint64_t left = r->postpone_left_ms;

    memcpy(choice, r->choice, sizeof choice);
    memcpy(choice_by, r->choice_by, sizeof choice_by);
    memset(r->choice, LAPEL_UNSET, sizeof r->choice);
    memset(r->choice_by, LAPEL_BY_NOBODY, sizeof r->choice_by);
    r->postpone_left_ms = 0;
    if (lapel_journal_save(ctx) == LAPEL_OK) {
        ctx->gate_until = 0;
        ctx->denied_any = false;
        return LAPEL_OK;
    }
    memcpy(r->choice, choice, sizeof choice);
    memcpy(r->choice_by, choice_by, sizeof choice_by);
    r->postpone_left_ms = left;
    return LAPEL_ERR_NV;
}

void lapel_policy_release(struct lapel *ctx, const struct lapel_pair *pair)
{
    static const uint8_t NONE[sizeof ctx->rec.postpone_digest] = { 0 };

    if (!LAPEL_WITH_SETTINGS ||
        memcmp(ctx->rec.postpone_digest, pair->digest, sizeof ctx->rec.postpone_digest) == 0)
        return;
    /* Time that was used before any release was known counts for the first one. */
    if (memcmp(ctx->rec.postpone_digest, NONE, sizeof NONE) != 0)
        ctx->rec.postpone_used_ms = 0;
    memcpy(ctx->rec.postpone_digest, pair->digest, sizeof ctx->rec.postpone_digest);
}

/* A postponement runs out. Stored once an hour: a restart gives back at most that much. */
static void tick_postponed(struct lapel *ctx, uint64_t passed)
{
    struct lapel_record *r = &ctx->rec;

    if (r->postpone_left_ms == 0)
        return;
    if (passed > r->postpone_left_ms)
        passed = r->postpone_left_ms;
    r->postpone_left_ms -= passed;
    r->postpone_used_ms += passed;
    if (r->postpone_left_ms == 0 || ctx->tick_saved - r->postpone_left_ms >= TICK_SAVE_MS) {
        ctx->tick_saved = r->postpone_left_ms;
        (void)lapel_journal_save(ctx);
    }
}

/* Running time passes. */
void lapel_policy_tick(struct lapel *ctx)
{
    uint64_t now = now_ms(ctx);
    uint64_t passed = now > ctx->tick ? now - ctx->tick : 0;

    ctx->tick = now;
    ctx->rec.begins.left_ms -=
        passed < ctx->rec.begins.left_ms ? (uint32_t)passed : ctx->rec.begins.left_ms;
    if (LAPEL_WITH_SETTINGS)
        tick_postponed(ctx, passed);
    lapel_trust_tick(ctx, passed);
    if (ctx->rec.state == LAPEL_TRIAL &&
        (ctx->port.net->up == NULL || ctx->port.net->up(ctx->port.ctx)))
        ctx->trial_left_ms -= passed < ctx->trial_left_ms ? passed : ctx->trial_left_ms;
}

/* The choice that counts for the release in hand. When its manifest can't be read after a restart
 * nobody knows which of the two that is, and the one that says no counts. */
static enum lapel_choice choice_of(const struct lapel *ctx)
{
    if (!ctx->manifest_ok && (ctx->rec.choice[LAPEL_AUTO_SECURITY - 1] == LAPEL_OFF ||
                              ctx->rec.choice[LAPEL_AUTO_FEATURE - 1] == LAPEL_OFF))
        return LAPEL_OFF;
    enum lapel_setting s =
        severity_of(ctx) == LAPEL_FEATURE ? LAPEL_AUTO_FEATURE : LAPEL_AUTO_SECURITY;

    return (enum lapel_choice)ctx->rec.choice[s - 1];
}

bool lapel_policy_permits(struct lapel *ctx)
{
    if (!LAPEL_WITH_SETTINGS)
        return true;
    if (ctx->rec.postpone_left_ms > 0)
        return false;
    if (is_offline(ctx))
        return true;
    switch (choice_of(ctx)) {
    case LAPEL_ON:
        return true;
    case LAPEL_OFF:
        return false;
    case LAPEL_UNSET:
        break;
    }
    return LAPEL_UNSET_MEANS_ON != 0;
}

/* --- gates --------------------------------------------------------------------------------- */

static enum lapel_verdict wait_until(struct lapel *ctx, enum lapel_gate gate, uint64_t wait)
{
    ctx->gate = (uint8_t)gate;
    ctx->gate_until = now_ms(ctx) + wait;
    ctx->wait_ms = wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
    return LAPEL_WAIT;
}

static enum lapel_verdict ask(struct lapel *ctx, enum lapel_gate gate, uint32_t *wait_out)
{
    const struct lapel_policy *p = ctx->port.policy;
    struct lapel_offer offer;

    if (p == NULL || p->gate == NULL || !make_offer(ctx, &offer))
        return LAPEL_ALLOW;
    return p->gate(ctx->port.ctx, gate, &offer, wait_out);
}

enum lapel_verdict lapel_policy_gate(struct lapel *ctx, enum lapel_gate gate)
{
    uint64_t now = now_ms(ctx);
    struct lapel_event event = { .gate = gate };
    uint32_t wait = 0;

    lapel_policy_tell_once(ctx, LAPEL_EVENT_AVAILABLE, &event);
    if (LAPEL_WITH_SETTINGS && !is_offline(ctx) && choice_of(ctx) == LAPEL_UNSET)
        lapel_policy_tell_once(ctx, LAPEL_EVENT_CONSENT_NEEDED, &event);
    if (!lapel_policy_permits(ctx)) {
        uint64_t left = ctx->rec.postpone_left_ms;

        return wait_until(ctx, gate, left > 0 && left < USER_WAIT_MS ? left : USER_WAIT_MS);
    }
    if (ctx->gate == gate && now < ctx->gate_until)
        return wait_until(ctx, gate, ctx->gate_until - now);

    if (gate == LAPEL_GATE_REBOOT)
        lapel_policy_tell_once(ctx, LAPEL_EVENT_DISRUPT, &event);
    enum lapel_verdict v = ask(ctx, gate, &wait);
    if (v == LAPEL_WAIT)
        return wait_until(ctx, gate, wait > 0 ? wait : GATE_WAIT_MS);
    ctx->gate = 0;
    ctx->gate_until = 0;
    return v == LAPEL_ALLOW ? LAPEL_ALLOW : LAPEL_DENY;
}

/* --- the support period ----------------------------------------------------------------------- */

/* Year * 100 + month of a time: days since 1970 in the civil calendar, whose years begin in March. */
static uint32_t month_of(int64_t epoch_s)
{
    uint32_t days = (uint32_t)((uint64_t)epoch_s / 86400) + 719468;
    uint32_t era = days / 146097;
    uint32_t day = days % 146097;
    uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint32_t in_year = day - (365 * year + year / 4 - year / 100);
    uint32_t march = (5 * in_year + 2) / 153;
    uint32_t month = march < 10 ? march + 3 : march - 9;

    return (era * 400 + year + (month <= 2 ? 1 : 0)) * 100 + month;
}

/* Months from a to b, each year * 100 + month. */
static int months_between(uint32_t a, uint32_t b)
{
    return (int)(b / 100 * 12 + b % 100) - (int)(a / 100 * 12 + a % 100);
}

/* Told once for each end and each time it comes nearer: three months before, and past. */
void lapel_policy_support(struct lapel *ctx)
{
    uint32_t end = ctx->rec.support_end;
    int64_t epoch = ctx->port.sys->epoch_s == NULL ? 0 : ctx->port.sys->epoch_s(ctx->port.ctx);

    if (end == 0 || epoch <= 0)
        return;
    int left = months_between(month_of(epoch), end);
    if (left > 3)
        return;
    uint32_t told = end * 2 + (left < 0 ? 1 : 0);
    if (ctx->support_told == told)
        return;
    ctx->support_told = told;
    lapel_policy_tell(ctx, LAPEL_EVENT_SUPPORT_ENDING, &(struct lapel_event){ .year_month = end });
}
