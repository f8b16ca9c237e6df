/*
 * After a start the running image is held against the manifest that was confirmed, piece by piece,
 * before the first check-in. What doesn't fit is told to the user and to the server, and the very
 * same release may then be installed again. It stops nothing: a device that no longer updates
 * can't recover.
 */
#include "core.h"

#include <string.h>

void lapel_self_start(struct lapel *ctx)
{
    struct lapel_verify *v = &ctx->memory.work->self;

    if (!LAPEL_WITH_SELF || ctx->rec.state != LAPEL_READY || !ctx->rec.accepted_known)
        return;
    memset(v, 0, sizeof *v);
    v->slots = ctx->port.slots;
    v->ctx = ctx->port.ctx;
    v->crypto = ctx->port.crypto;
    v->accepted = ctx->rec.accepted.digest;
    v->envelope = ctx->memory.envelope;
    v->envelope_size = ctx->memory.envelope_size;
    v->buf = ctx->http.io;
    v->buf_size = ctx->http.io_size;
    ctx->manifest_ok = false; /* its memory is ours now */
    ctx->work = WORK_SELF;
    ctx->self = LAPEL_IMAGE_NONE;
}

void lapel_self_end(struct lapel *ctx)
{
    struct lapel_verify *v = &ctx->memory.work->self;

    if (LAPEL_WITH_SELF && ctx->work == WORK_SELF && v->at > 0)
        v->crypto->hash_abort(v->crypto->ctx, &v->hash);
}

void lapel_self_step(struct lapel *ctx)
{
    struct lapel_verify *v = &ctx->memory.work->self;
    enum lapel_verdict_of_image r = ctx->self == LAPEL_IMAGE_AGAIN
                                        ? lapel_verify_step(v)
                                        : lapel_verify_start(v, ctx->running_slot);

    ctx->self = (int8_t)r;
    if (r == LAPEL_IMAGE_AGAIN)
        return;
    ctx->work = WORK_NONE;
    ctx->tampered = r == LAPEL_IMAGE_TAMPERED || r == LAPEL_IMAGE_NONE;
    if (!ctx->tampered)
        return;
    lapel_core_count(ctx, LSUIT_EVENT_TAMPERED);
    lapel_policy_tell(ctx, LAPEL_EVENT_TAMPERED, NULL);
}
