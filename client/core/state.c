/*
 * The state: one function changes it, and a table says what a restart does.
 *
 *   (1) ctx->rec.state is what the journal holds, always. When storing fails, nothing has
 *       changed.
 *   (2) A state is stored before the act that belongs to it: WRITING before the first erase,
 *       STAGED before boot.stage, REJECTED before boot.reject. Confirming is the exception:
 *       boot.confirm comes first, for a boot loader that goes back would leave an accepted
 *       sequence that doesn't run.
 *   (3) Where journal and boot loader disagree, the boot loader is believed.
 *   (4) Nothing is ever written to the slot that runs.
 */
#include "state.h"

#include <string.h>

#include "core.h"

/* clang-format off */
static const uint8_t RULES[LAPEL_FAILED + 1][BOOT_CASES] = {
  /*                   FORMER            WRITTEN         STAGED          TRIAL         REVERTED */
  [LAPEL_READY]     = { SETTLE_STAY,     SETTLE_STAY,    SETTLE_UNSTAGE, SETTLE_TRIAL, SETTLE_STAY },
  [LAPEL_WRITING]   = { SETTLE_STAY,     SETTLE_FORGET,  SETTLE_UNSTAGE, SETTLE_TRIAL, SETTLE_STAY },
  [LAPEL_CANDIDATE] = { SETTLE_STAY,     SETTLE_ACCEPT,  SETTLE_STAGED,  SETTLE_TRIAL, SETTLE_STAY },
  [LAPEL_STAGED]    = { SETTLE_CANDIDATE,SETTLE_ACCEPT,  SETTLE_STAY,    SETTLE_TRIAL, SETTLE_REVERTED },
  [LAPEL_TRIAL]     = { SETTLE_REVERTED, SETTLE_ACCEPT,  SETTLE_STAGED,  SETTLE_TRIAL, SETTLE_REVERTED },
  [LAPEL_UPDATED]   = { SETTLE_FORGET,   SETTLE_FORGET,  SETTLE_UNSTAGE, SETTLE_TRIAL, SETTLE_FORGET },
  [LAPEL_REJECTED]  = { SETTLE_REVERTED, SETTLE_ACCEPT,  SETTLE_REJECT,  SETTLE_REJECT,SETTLE_REVERTED },
  [LAPEL_FAILED]    = { SETTLE_FORGET,   SETTLE_FORGET,  SETTLE_UNSTAGE, SETTLE_TRIAL, SETTLE_FORGET },
};
/* clang-format on */

enum settle lapel_state_rule(enum lapel_state journal, enum boot_case boot)
{
    return (enum settle)RULES[journal][boot];
}

enum lapel_err lapel_state_set(struct lapel *ctx, enum lapel_state state)
{
    uint8_t former = ctx->rec.state;

    ctx->rec.state = (uint8_t)state;
    if (lapel_journal_save(ctx) != LAPEL_OK) {
        ctx->rec.state = former;
        return LAPEL_ERR_NV;
    }
    if (former != state)
        lapel_policy_tell(ctx, LAPEL_EVENT_STATE, NULL);
    return LAPEL_OK;
}

/* The attempt in the journal is the image that runs on trial, or an unknown one does. */
static void adopt_running(struct lapel *ctx)
{
    struct lapel_attempt *a = &ctx->rec.attempt;
    bool known = ctx->rec.state == LAPEL_CANDIDATE || ctx->rec.state == LAPEL_STAGED ||
                 ctx->rec.state == LAPEL_TRIAL;

    if (known && a->slot == ctx->running_slot)
        return;
    *a = (struct lapel_attempt){ 0 };
    a->slot = ctx->running_slot;
    (void)ctx->port.sys->random(ctx->port.ctx, a->id, sizeof a->id);
    if (!lapel_apply_from_slot(ctx, ctx->running_slot, &a->pair))
        a->pair = ctx->rec.accepted;
}

static enum lapel_err settle_trial(struct lapel *ctx)
{
    adopt_running(ctx);
    lapel_apply_recall(ctx, ctx->running_slot, &ctx->rec.attempt.pair);
    /* Many starts of one trial are a crash loop, unless somebody pulls the plug. */
    bool power = ctx->port.boot->power_on != NULL && ctx->port.boot->power_on(ctx->port.ctx);
    if (!power && ctx->rec.attempt.starts < UINT8_MAX)
        ctx->rec.attempt.starts++;
    ctx->work = WORK_TRIAL;
    ctx->trial_left_ms = LAPEL_TRIAL_MS;
    return lapel_state_set(ctx, LAPEL_TRIAL);
}

void lapel_state_outcome(struct lapel_record *r, const struct lapel_fail *how)
{
    struct lapel_outcome *o = &r->outcome;

    memset(o, 0, sizeof *o);
    memcpy(o->id, r->attempt.id, sizeof o->id);
    o->pair = r->attempt.pair;
    o->kind = how->kind;
    o->stage = how->stage;
    o->error = how->class_;
    o->code = how->code;
}

/* Is it no evidence against the image: the power or the server went, or its maker took it back? */
static bool is_blameless(uint8_t class_)
{
    return class_ == LSUIT_CLASS_POWER || class_ == LSUIT_CLASS_NO_SERVER ||
           class_ == LSUIT_CLASS_WITHDRAWN;
}

/* The trial is over and the former image runs. What a REJECTED said of it was stored then. */
static enum lapel_err settle_reverted(struct lapel *ctx)
{
    struct lapel_record *r = &ctx->rec;
    bool power = ctx->port.boot->power_on != NULL && ctx->port.boot->power_on(ctx->port.ctx);

    lapel_apply_recall(ctx, r->attempt.slot, &r->attempt.pair); /* the user learns which one */
    if (r->state != LAPEL_REJECTED) {
        struct lapel_fail how = { LAPEL_OUTCOME_REVERTED, LSUIT_STAGE_TRIAL, LSUIT_CLASS_HEALTH,
                                  0 };

        if (power)
            how.class_ = LSUIT_CLASS_POWER;
        lapel_state_outcome(r, &how);
    }
    if (!is_blameless(r->outcome.error))
        lapel_apply_trial_failed(ctx, &r->attempt.pair);
    enum lapel_err e = lapel_state_set(ctx, LAPEL_FAILED);
    if (e != LAPEL_OK)
        return e; /* the next lapel_init begins with the record as it was */
    struct lapel_event event = { .stage = r->outcome.stage, .error = r->outcome.error };
    ctx->work = WORK_CLEAN;
    lapel_policy_tell(ctx, LAPEL_EVENT_REVERTED, &event);
    return LAPEL_OK;
}

static enum lapel_err settle_unstage(struct lapel *ctx)
{
    if (ctx->port.boot->unstage(ctx->port.ctx) < 0)
        return LAPEL_ERR_PORT;
    if (ctx->rec.state == LAPEL_WRITING)
        return LAPEL_OK;
    return ctx->rec.state == LAPEL_READY ? LAPEL_OK : lapel_state_set(ctx, LAPEL_READY);
}

static enum lapel_err settle(struct lapel *ctx, enum settle rule)
{
    switch (rule) {
    case SETTLE_STAY:
    case SETTLE_REJECT:
        return LAPEL_OK;
    case SETTLE_FORGET:
        return lapel_state_set(ctx, LAPEL_READY);
    case SETTLE_UNSTAGE:
        return settle_unstage(ctx);
    case SETTLE_CANDIDATE:
        return lapel_state_set(ctx, LAPEL_CANDIDATE);
    case SETTLE_STAGED:
        return lapel_state_set(ctx, LAPEL_STAGED);
    case SETTLE_TRIAL:
        return settle_trial(ctx);
    case SETTLE_ACCEPT:
        lapel_apply_recall(ctx, ctx->running_slot, &ctx->rec.attempt.pair);
        return lapel_apply_confirm(ctx);
    case SETTLE_REVERTED:
        return settle_reverted(ctx);
    }
    return LAPEL_ERR_STATE;
}

static enum boot_case boot_case(const struct lapel *ctx, enum lapel_boot_state state)
{
    switch (state) {
    case LAPEL_BOOT_STAGED:
        return BOOT_CASE_STAGED;
    case LAPEL_BOOT_TRIAL:
        return BOOT_CASE_TRIAL;
    case LAPEL_BOOT_REVERTED:
        return BOOT_CASE_REVERTED;
    case LAPEL_BOOT_STEADY:
        break;
    }
    return ctx->running_slot == ctx->rec.attempt.slot ? BOOT_CASE_WRITTEN : BOOT_CASE_FORMER;
}

/* What is to be done first in the state that was found. */
static uint8_t first_work(const struct lapel *ctx)
{
    switch ((enum lapel_state)ctx->rec.state) {
    case LAPEL_READY:
        return WORK_NONE;
    case LAPEL_WRITING:
    case LAPEL_CANDIDATE:
        return WORK_MANIFEST;
    case LAPEL_STAGED:
        return WORK_REBOOT_GATE;
    case LAPEL_TRIAL:
        return WORK_TRIAL;
    case LAPEL_REJECTED:
        return WORK_REJECT;
    case LAPEL_UPDATED:
    case LAPEL_FAILED:
        break;
    }
    return WORK_CLEAN;
}

enum lapel_err lapel_state_settle(struct lapel *ctx)
{
    enum lapel_boot_state boot = LAPEL_BOOT_STEADY;
    int r = 0;

    for (int tries = 0; r == 0 && tries < 3; tries++)
        r = ctx->port.boot->state(ctx->port.ctx, &boot, &ctx->running_slot);
    if (r <= 0 || ctx->running_slot > 1)
        return LAPEL_ERR_PORT;

    enum lapel_err e =
        settle(ctx, lapel_state_rule((enum lapel_state)ctx->rec.state, boot_case(ctx, boot)));
    if (e != LAPEL_OK)
        return e;
    /* Nothing is ever written to the slot that runs, whatever a record says; and a file that was
     * being applied is applied again by whoever did. */
    if (ctx->rec.state == LAPEL_WRITING && (ctx->rec.attempt.slot == ctx->running_slot ||
                                            (LAPEL_WITH_APPLY && ctx->rec.attempt.offline)))
        e = lapel_state_set(ctx, LAPEL_READY);
    /* A reverted trial is settled: the former image is kept, and the boot loader may forget. */
    if (e == LAPEL_OK && boot == LAPEL_BOOT_REVERTED)
        (void)ctx->port.boot->confirm(ctx->port.ctx);
    if (ctx->rec.state == LAPEL_WRITING || ctx->rec.state == LAPEL_CANDIDATE ||
        ctx->rec.state == LAPEL_STAGED) {
        ctx->want = ctx->rec.attempt.pair;
        ctx->offline = ctx->rec.attempt.offline;
        ctx->offered = true;
    }
    ctx->work = first_work(ctx);
    return e;
}
