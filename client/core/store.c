/*
 * Bytes into a slot: erase a unit when its first byte is due, write in multiples of the write
 * size, remember how far for certain.
 *
 *   (1) One call erases at most one unit or writes once.
 *   (2) The journal's offset is a whole erase unit that was written before it was stored; what
 *       lies behind it may be torn, and is erased again after a restart.
 *   (3) Sixteen records at most for one component, whatever its size.
 *   (4) A component is begun anew for the same release LAPEL_BEGINS_PER_DAY times in a day of
 *       running time at most, so that no server can wear the flash out. The count is in the
 *       journal before the first erase.
 */
#include "core.h"

#include <string.h>

#define WRITE_SIZE_MAX 64u
#define RECORDS 16u
#define DAY_MS 86400000u
#define RETRY_MS 1000u

int lapel_store_open(struct lapel *ctx, uint8_t component, uint64_t total)
{
    struct lapel_attempt *a = &ctx->rec.attempt;

    memset(&ctx->info, 0, sizeof ctx->info);
    if (ctx->port.slots->info(ctx->port.ctx, component, a->slot, &ctx->info) <= 0 ||
        ctx->info.write_size == 0 || ctx->info.write_size > WRITE_SIZE_MAX ||
        ctx->info.erase_size == 0)
        return lapel_core_fail(ctx, LSUIT_STAGE_WRITE, LSUIT_CLASS_STORAGE, 0);
    if (total == 0 || total > ctx->info.size)
        return lapel_core_fail(ctx, LSUIT_STAGE_WRITE, LSUIT_CLASS_SPACE, 0);
    ctx->into = component;
    ctx->total = total;
    ctx->at = 0;
    if (a->component != component)
        a->offset = 0;
    a->component = component;
    if (!ctx->from_zero && a->offset < total && a->offset % ctx->info.erase_size == 0 &&
        a->offset % ctx->info.write_size == 0)
        ctx->at = a->offset;
    ctx->resumed = ctx->resumed || ctx->at > 0;
    ctx->erased = ctx->at;
    ctx->saved = ctx->at;
    return LSUIT_OP_DONE;
}

void lapel_store_rewind(struct lapel *ctx)
{
    ctx->at = 0;
    ctx->erased = 0;
    ctx->saved = 0;
    ctx->rec.attempt.offset = 0;
}

/* How far the journal may say: down to whole units. */
static uint64_t whole_units(const struct lapel *ctx)
{
    uint64_t unit =
        ctx->info.erase_size > ctx->info.write_size ? ctx->info.erase_size : ctx->info.write_size;

    return ctx->at - ctx->at % unit;
}

static void remember(struct lapel *ctx)
{
    uint64_t step = ctx->total / RECORDS;
    uint64_t whole = whole_units(ctx);

    if (step < ctx->info.erase_size)
        step = ctx->info.erase_size;
    if (step < 4096)
        step = 4096;
    if (whole < ctx->saved + step)
        return;
    uint64_t former = ctx->rec.attempt.offset;
    ctx->rec.attempt.offset = whole;
    ctx->saved = whole;
    if (lapel_journal_save(ctx) != LAPEL_OK)
        ctx->rec.attempt.offset = former; /* it will be fetched again after a cut; no harm */
}

/* May writing begin at offset 0 once more? Says how long not. */
static bool may_begin(struct lapel *ctx)
{
    struct lapel_begins *b = &ctx->rec.begins;
    const uint8_t *digest = ctx->rec.attempt.pair.digest;

    if (memcmp(b->digest, digest, sizeof b->digest) != 0 || b->left_ms == 0) {
        memcpy(b->digest, digest, sizeof b->digest);
        b->left_ms = DAY_MS;
        b->count = 0;
    }
    if (b->count >= LAPEL_BEGINS_PER_DAY) {
        ctx->wait_ms = b->left_ms;
        return false;
    }
    b->count++;
    if (lapel_journal_save(ctx) == LAPEL_OK)
        return true;
    b->count--;
    ctx->wait_ms = RETRY_MS;
    return false;
}

/* One unit. */
static int erase(struct lapel *ctx)
{
    if (ctx->erased == 0 && !may_begin(ctx))
        return LSUIT_OP_AGAIN;
    int r = ctx->port.slots->erase(ctx->port.ctx, ctx->into, ctx->rec.attempt.slot, ctx->erased);
    if (r < 0)
        return lapel_core_fail(ctx, LSUIT_STAGE_WRITE, LSUIT_CLASS_STORAGE, r);
    if (r > 0)
        ctx->erased += ctx->info.erase_size;
    return LSUIT_OP_AGAIN;
}

static int write_at(struct lapel *ctx, const uint8_t *buf, size_t n)
{
    return ctx->port.slots->write(ctx->port.ctx, ctx->into, ctx->rec.attempt.slot, ctx->at, buf, n);
}

int lapel_store_put(struct lapel *ctx, const uint8_t *buf, size_t n, size_t *used_out)
{
    uint64_t left = ctx->total - ctx->at;
    uint32_t unit = ctx->info.write_size;
    uint8_t pad[WRITE_SIZE_MAX];
    int r;

    *used_out = 0;
    if (n > left)
        n = (size_t)left;
    if (n == 0)
        return LSUIT_OP_DONE;
    if (ctx->info.erase_size > 1 && ctx->at >= ctx->erased)
        return erase(ctx);
    if (ctx->info.erase_size > 1 && n > ctx->erased - ctx->at)
        n = (size_t)(ctx->erased - ctx->at);

    size_t whole = n - n % unit;
    if (whole > 0) {
        r = write_at(ctx, buf, whole);
    } else if (n == left) { /* the last bytes: padded with what an erased byte reads as */
        memset(pad, ctx->info.erased_value, unit);
        memcpy(pad, buf, n);
        whole = n;
        r = write_at(ctx, pad, unit);
    } else {
        return LSUIT_OP_DONE; /* wait for more */
    }
    if (r < 0)
        return lapel_core_fail(ctx, LSUIT_STAGE_WRITE, LSUIT_CLASS_STORAGE, r);
    if (r == 0)
        return LSUIT_OP_AGAIN;
    ctx->at += whole;
    *used_out = whole;
    remember(ctx);
    return LSUIT_OP_DONE;
}

int lapel_store_done(struct lapel *ctx)
{
    struct lapel_attempt *a = &ctx->rec.attempt;
    int r = 1;

    if (ctx->port.slots->set_length != NULL)
        r = ctx->port.slots->set_length(ctx->port.ctx, ctx->into, a->slot, ctx->total);
    if (r < 0)
        return lapel_core_fail(ctx, LSUIT_STAGE_WRITE, LSUIT_CLASS_STORAGE, r);
    if (r == 0)
        return LSUIT_OP_AGAIN;
    a->length[ctx->into] = ctx->total;
    a->offset = 0;
    /* When this record is lost the component is fetched again: a cost, no harm. */
    (void)lapel_journal_save(ctx);
    return LSUIT_OP_DONE;
}
