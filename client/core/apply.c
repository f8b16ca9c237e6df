/*
 * The release in hand: from its envelope to its confirmation.
 *
 *   (1) Order: signature, sequence rules, whole check, dry run (identity and conditions), the
 *       user, first byte. Nothing is written before WRITING is stored.
 *   (2) What makes an image acceptable is the manifest's image-match over bytes that were read
 *       back from the slot; how they came there does not matter.
 *   (3) accepted and counter rise in lapel_apply_confirm and nowhere else, and never fall.
 *   (4) A refused manifest leaves no trace on the connection that brought it.
 */
#include "core.h"

#include <string.h>

#define TRIAL_LOOK_MS 1000u
#define RETRY_MS 1000u

/* --- why something is refused ------------------------------------------------------------- */

uint8_t lapel_apply_class(enum lsuit_err e)
{
    switch (e) {
    case LSUIT_ERR_UNAUTHORISED:
    case LSUIT_ERR_COSE:
    case LSUIT_ERR_ALG:
        return LSUIT_CLASS_UNAUTHORISED;
    case LSUIT_ERR_ROLLBACK:
    case LSUIT_ERR_CONFLICT:
        return LSUIT_CLASS_ROLLBACK;
    case LSUIT_ERR_CONDITION:
    case LSUIT_ERR_COMPONENT:
    case LSUIT_ERR_COMPONENT_AUTH:
        return LSUIT_CLASS_WRONG_DEVICE;
    case LSUIT_ERR_COMMAND:
    case LSUIT_ERR_PARAMETER:
    case LSUIT_ERR_SEVERED:
    case LSUIT_ERR_OPERATION:
        return LSUIT_CLASS_UNSUPPORTED;
    case LSUIT_ERR_CBOR:
    case LSUIT_ERR_RANGE:
    case LSUIT_ERR_REFUSED:
        return LSUIT_CLASS_MALFORMED;
    case LSUIT_ERR_LIMIT:
    case LSUIT_ERR_SPACE:
        return LSUIT_CLASS_LIMIT;
    default:
        return LSUIT_CLASS_INTERNAL;
    }
}

static uint8_t count_of(uint8_t class_)
{
    switch (class_) {
    case LSUIT_CLASS_UNAUTHORISED:
        return LSUIT_EVENT_BAD_SIGNATURE;
    case LSUIT_CLASS_ROLLBACK:
        return LSUIT_EVENT_ROLLBACK;
    case LSUIT_CLASS_WRONG_DEVICE:
        return LSUIT_EVENT_WRONG_DEVICE;
    case LSUIT_CLASS_DIGEST_MISMATCH:
        return LSUIT_EVENT_DIGEST_MISMATCH;
    default:
        return LSUIT_EVENT_MALFORMED;
    }
}

/* The manifest is no good. Before WRITING there is no attempt that could fail. */
static void refuse(struct lapel *ctx, uint8_t stage, const struct lsuit_fault *fault)
{
    uint8_t class_ = lapel_apply_class(fault->err);
    struct lapel_event event = { .stage = stage, .error = class_, .fault = fault };

    lapel_core_count(ctx, count_of(class_));
    ctx->manifest_ok = false; /* what a refused manifest says is not told */
    lapel_policy_tell(ctx, LAPEL_EVENT_REFUSED, &event);
    lapel_apply_end(ctx, LAPEL_OUTCOME_FAILED, stage, class_, (int32_t)fault->err);
}

/* --- releases whose trials failed ------------------------------------------------------------ */

static bool same_pair(const struct lapel_pair *a, const struct lapel_pair *b)
{
    return a->sequence == b->sequence && memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

static struct lapel_block *find_block(struct lapel *ctx, const struct lapel_pair *pair)
{
    for (size_t i = 0; i < LAPEL_BLOCKS; i++)
        if (ctx->rec.block[i].fails > 0 && same_pair(&ctx->rec.block[i].pair, pair))
            return &ctx->rec.block[i];
    return NULL;
}

bool lapel_apply_blocked(const struct lapel *ctx, const struct lapel_pair *pair)
{
    for (size_t i = 0; i < LAPEL_BLOCKS; i++)
        if (ctx->rec.block[i].fails >= LAPEL_TRIALS && same_pair(&ctx->rec.block[i].pair, pair))
            return true;
    return false;
}

void lapel_apply_unblock(struct lapel *ctx, const struct lapel_pair *pair)
{
    struct lapel_block *b = find_block(ctx, pair);

    if (b != NULL)
        memset(b, 0, sizeof *b);
}

void lapel_apply_trial_failed(struct lapel *ctx, const struct lapel_pair *pair)
{
    struct lapel_block *b = find_block(ctx, pair);

    if (b == NULL) { /* the entry with the lowest sequence goes: it is the least to come again */
        b = &ctx->rec.block[0];
        for (size_t i = 0; i < LAPEL_BLOCKS && b->fails > 0; i++)
            if (ctx->rec.block[i].fails == 0 || ctx->rec.block[i].pair.sequence < b->pair.sequence)
                b = &ctx->rec.block[i];
        b->pair = *pair;
        b->fails = 0;
    }
    if (b->fails < UINT8_MAX)
        b->fails++;
}

/* --- what the processor asks of the device ----------------------------------------------------- */

static enum lsuit_err op_find(void *p, uint32_t comp, struct lsuit_bytes id)
{
    struct lapel *ctx = p;
    int found = ctx->port.slots->find(ctx->port.ctx, id);

    if (found < 0 || found >= LAPEL_COMPONENTS)
        return LSUIT_ERR_COMPONENT;
    ctx->map[comp] = (uint8_t)found;
    return LSUIT_OK;
}

static bool is_id(const uint8_t *own, struct lsuit_bytes id)
{
    static const uint8_t NONE[16] = { 0 };

    return id.len == 16 && memcmp(own, NONE, 16) != 0 && memcmp(own, id.ptr, 16) == 0;
}

static bool op_vendor(void *p, struct lsuit_bytes id)
{
    return is_id(((struct lapel *)p)->config->vendor_id, id);
}

static bool op_class(void *p, struct lsuit_bytes id)
{
    return is_id(((struct lapel *)p)->config->class_id, id);
}

static bool op_device(void *p, struct lsuit_bytes id)
{
    return is_id(((struct lapel *)p)->config->device_uuid, id);
}

static bool op_slot(void *p, uint32_t comp, uint64_t slot)
{
    (void)comp;
    return slot == ((struct lapel *)p)->target;
}

static bool op_size(void *p, uint32_t comp, uint64_t *size_out)
{
    struct lapel *ctx = p;

    *size_out = ctx->rec.attempt.length[ctx->map[comp]];
    return ctx->rec.state == LAPEL_WRITING && *size_out != 0;
}

static int op_read(void *p, uint32_t comp, uint64_t offset, uint8_t *buf, size_t n, size_t *got_out)
{
    struct lapel *ctx = p;
    int r = ctx->port.slots->read(ctx->port.ctx, ctx->map[comp], ctx->target, offset, buf, n);

    if (r < 0)
        return LSUIT_OP_FAIL;
    *got_out = n;
    return r == 0 ? LSUIT_OP_AGAIN : LSUIT_OP_DONE;
}

/* One write from bytes in memory that stand for the component from its begin. */
static int put_all(struct lapel *ctx, struct lsuit_bytes all)
{
    size_t used = 0;
    size_t at = (size_t)ctx->at;
    int r = lapel_store_put(ctx, all.ptr + at, all.len - at, &used);

    return r == LSUIT_OP_FAIL || ctx->at == ctx->total ? r : LSUIT_OP_AGAIN;
}

/* One write of n bytes at the begin of io, which were read for offset ctx->at. */
static int put_piece(struct lapel *ctx, int n)
{
    size_t used = 0;

    if (n == 0)
        return LSUIT_OP_AGAIN;
    if (n < 0 || (uint64_t)n > ctx->total - ctx->at)
        return lapel_core_fail(ctx, LSUIT_STAGE_FETCH, LSUIT_CLASS_STORAGE, n);
    int r = lapel_store_put(ctx, ctx->http.io, (size_t)n, &used);
    if (r == LSUIT_OP_DONE && used == 0) /* a piece smaller than one write, and not the last */
        return lapel_core_fail(ctx, LSUIT_STAGE_FETCH, LSUIT_CLASS_STORAGE, n);
    return r == LSUIT_OP_FAIL || ctx->at == ctx->total ? r : LSUIT_OP_AGAIN;
}

static size_t piece(const struct lapel *ctx)
{
    uint64_t left = ctx->total - ctx->at;

    return left < ctx->http.io_size ? (size_t)left : ctx->http.io_size;
}

static int begin_store(struct lapel *ctx, uint32_t comp, uint64_t total)
{
    ctx->rec.attempt.length[ctx->map[comp]] = 0;
    return lapel_store_open(ctx, ctx->map[comp], total);
}

static int op_fetch(void *p, uint32_t comp, bool first, struct lsuit_bytes uri,
                    struct lsuit_bytes integrated, uint64_t max_size, struct lsuit_digest digest,
                    struct lsuit_bytes fetch_args)
{
    struct lapel *ctx = p;
    uint8_t bit = (uint8_t)(1u << ctx->map[comp]);
    int r = LSUIT_OP_DONE;

    (void)digest;
    (void)fetch_args;
    if (first && (ctx->whole & bit) != 0 && ctx->rec.attempt.length[ctx->map[comp]] == max_size) {
        ctx->whole &= (uint8_t)~bit; /* whole before a restart; image-match will tell */
        ctx->resumed = true;
        return LSUIT_OP_DONE;
    }
    if (first && (max_size == UINT64_MAX || (integrated.ptr != NULL && integrated.len != max_size)))
        return lapel_core_fail(ctx, LSUIT_STAGE_FETCH, LSUIT_CLASS_UNSUPPORTED, 0);
    if (first)
        r = begin_store(ctx, comp, max_size);
    if (r != LSUIT_OP_DONE)
        return r;
    if (ctx->at < ctx->total) {
        if (integrated.ptr != NULL)
            r = put_all(ctx, integrated);
        else if (is_offline(ctx))
            r = ctx->apply_read == NULL
                    ? lapel_core_fail(ctx, LSUIT_STAGE_FETCH, LSUIT_CLASS_STORAGE, 0)
                    : put_piece(ctx, ctx->apply_read(ctx->port.ctx, uri, ctx->at, ctx->http.io,
                                                     piece(ctx)));
        else
            r = lapel_fetch_payload(ctx, uri);
    }
    return r == LSUIT_OP_DONE ? lapel_store_done(ctx) : r;
}

static int op_write(void *p, uint32_t comp, bool first, struct lsuit_bytes content)
{
    struct lapel *ctx = p;
    int r = first ? begin_store(ctx, comp, content.len) : LSUIT_OP_DONE;

    if (r == LSUIT_OP_DONE && ctx->at < ctx->total)
        r = put_all(ctx, content);
    return r == LSUIT_OP_DONE ? lapel_store_done(ctx) : r;
}

/* From what this attempt wrote, or else from the slot that runs. */
static int op_copy(void *p, uint32_t comp, bool first, uint32_t source, uint64_t max_size)
{
    struct lapel *ctx = p;
    uint8_t from = ctx->map[source];
    uint64_t length = ctx->rec.attempt.length[from];
    uint8_t slot = length != 0 ? ctx->rec.attempt.slot : ctx->running_slot;
    uint64_t size = length != 0 ? length : max_size;
    int r = LSUIT_OP_DONE;

    if (first && (size > max_size || size == UINT64_MAX))
        return lapel_core_fail(ctx, LSUIT_STAGE_WRITE, LSUIT_CLASS_SPACE, 0);
    if (first)
        r = begin_store(ctx, comp, size);
    if (r == LSUIT_OP_DONE && ctx->at < ctx->total) {
        size_t n = piece(ctx);

        r = ctx->port.slots->read(ctx->port.ctx, from, slot, ctx->at, ctx->http.io, n);
        r = put_piece(ctx, r > 0 ? (int)n : r);
    }
    return r == LSUIT_OP_DONE ? lapel_store_done(ctx) : r;
}

static const struct lsuit_platform PLATFORM = {
    .size = sizeof(struct lsuit_platform),
    .component_find = op_find,
    .vendor_is = op_vendor,
    .class_is = op_class,
    .device_is = LSUIT_WITH_OPTIONAL ? op_device : NULL,
    .slot_is = op_slot,
    .component_size = op_size,
    .component_read = op_read,
    .fetch = op_fetch,
    .copy = op_copy,
    .write = LSUIT_WITH_OPTIONAL ? op_write : NULL,
};

/* --- the envelope ----------------------------------------------------------------------------- */

/* Read and authenticate what stands in memory.envelope; `runs`: it is that of the running slot. */
static enum lsuit_err authenticate(struct lapel *ctx, bool runs, struct lsuit_fault *fault)
{
    struct lapel_work *w = ctx->memory.work;
    struct lsuit_bytes doc = { ctx->memory.envelope, ctx->envelope_n };

    ctx->manifest_ok = false;
    ctx->run_open = false;
    ctx->has_priority = false;
    ctx->priority = 0;
    enum lsuit_err e = lsuit_envelope_read(doc, &w->envelope, fault);
    if (e == LSUIT_OK)
        e = runs ? lapel_trust_verify_running(ctx, &w->envelope, fault)
                 : lapel_trust_verify(ctx, &w->envelope, fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(&w->envelope, ctx->port.crypto, &w->manifest, fault);
    if (e == LSUIT_OK && w->manifest.digest.bytes.len != sizeof ctx->want.digest)
        e = LSUIT_ERR_ALG; /* every name of a release is 32 bytes */
    ctx->manifest_ok = e == LSUIT_OK;
    return e;
}

bool lapel_apply_from_slot(struct lapel *ctx, uint8_t slot, struct lapel_pair *pair_out)
{
    struct lsuit_fault fault = { 0 };
    int n = ctx->port.slots->manifest_read(ctx->port.ctx, slot, ctx->memory.envelope,
                                           ctx->memory.envelope_size);

    if (n <= 0 || (size_t)n > ctx->memory.envelope_size)
        return false;
    ctx->envelope_n = (size_t)n;
    if (authenticate(ctx, slot != (ctx->rec.attempt.slot), &fault) != LSUIT_OK)
        return false;
    pair_out->sequence = ctx->memory.work->manifest.sequence;
    memcpy(pair_out->digest, ctx->memory.work->manifest.digest.bytes.ptr, sizeof pair_out->digest);
    return true;
}

/* The priority that the dry run met before the download, met again: the same manifest for the same
 * slot takes the same way. */
static void learn_priority(struct lapel *ctx, uint8_t slot)
{
    struct lapel_work *w = ctx->memory.work;

    ctx->target = slot;
    if (lsuit_run_init(&w->run, &w->manifest, &PLATFORM, ctx, ctx->port.crypto, ctx->http.io,
                       ctx->http.io_size) != LSUIT_OK)
        return;
    lsuit_run_start(&w->run, LSUIT_PROCEDURE_UPDATE, true);
    (void)lsuit_run_to_end(&w->run);
    ctx->has_priority = w->run.dry_result.has_priority;
    ctx->priority = w->run.dry_result.priority;
}

void lapel_apply_recall(struct lapel *ctx, uint8_t slot, const struct lapel_pair *want)
{
    struct lapel_pair pair;

    if (!lapel_apply_from_slot(ctx, slot, &pair))
        return;
    if (same_pair(&pair, want))
        learn_priority(ctx, slot);
    else
        ctx->manifest_ok = false;
}

/* Sequence rules (design 4): lower never, equal only the very same, nothing that failed thrice. */
static enum lsuit_err check_sequence(struct lapel *ctx)
{
    const struct lsuit_manifest *m = &ctx->memory.work->manifest;
    const struct lapel_record *r = &ctx->rec;
    struct lapel_pair pair = { m->sequence, { 0 } };
    bool same = r->accepted_known &&
                memcmp(m->digest.bytes.ptr, r->accepted.digest, sizeof pair.digest) == 0;

    memcpy(pair.digest, m->digest.bytes.ptr, sizeof pair.digest);
    if (m->sequence < r->accepted.sequence)
        return LSUIT_ERR_ROLLBACK;
    if (m->sequence == r->accepted.sequence && (r->accepted_known || m->sequence != 0) && !same)
        return LSUIT_ERR_CONFLICT;
    if (is_offline(ctx)) {
        lapel_apply_unblock(ctx, &pair); /* somebody at the device says: try again */
        ctx->want = pair;
        ctx->offered = true;
    } else if (!same_pair(&pair, &ctx->want)) {
        return LSUIT_ERR_UNAUTHORISED; /* signed, but not what was offered */
    }
    return lapel_apply_blocked(ctx, &pair) ? LSUIT_ERR_CONDITION : LSUIT_OK;
}

static void verify(struct lapel *ctx)
{
    struct lapel_work *w = ctx->memory.work;
    struct lsuit_fault fault = { 0 };
    uint8_t stage = LSUIT_STAGE_VERIFY;
    enum lsuit_err e = authenticate(ctx, false, &fault);

    ctx->target = ctx->rec.state == LAPEL_READY ? ctx->running_slot ^ 1 : ctx->rec.attempt.slot;
    if (e == LSUIT_OK)
        e = check_sequence(ctx);
    if (e == LSUIT_OK) {
        stage = LSUIT_STAGE_CHECK;
        e = lsuit_manifest_check(&w->manifest, LSUIT_CHECK_IDENTITY | LSUIT_CHECK_LAPEL_URI,
                                 &fault);
    }
    if (e == LSUIT_OK)
        e = lsuit_run_init(&w->run, &w->manifest, &PLATFORM, ctx, ctx->port.crypto, ctx->http.io,
                           ctx->http.io_size);
    if (e != LSUIT_OK) {
        fault.err = e;
        refuse(ctx, stage, &fault);
        return;
    }
    lapel_policy_release(ctx, &ctx->want);
    ctx->run_open = true;
    lsuit_run_start(&w->run, LSUIT_PROCEDURE_UPDATE, true);
    ctx->work = WORK_DRY;
}

/* Does what would be fetched fit? */
static enum lsuit_err check_sizes(struct lapel *ctx)
{
    const struct lsuit_dry *dry = &ctx->memory.work->run.dry_result;
    struct lapel_slot_info info;
    uint64_t room = 0;
    unsigned n = 0;

    if (dry->size_unknown)
        return LSUIT_ERR_PARAMETER;
    for (uint32_t i = 0; i < LSUIT_MAX_COMPONENTS; i++) {
        if ((dry->written & (1u << i)) == 0)
            continue;
        memset(&info, 0, sizeof info);
        if (ctx->port.slots->info(ctx->port.ctx, ctx->map[i], ctx->target, &info) <= 0)
            return LSUIT_ERR_OPERATION;
        room += info.size;
        n++;
    }
    if (n > 1 && !ctx->port.boot->atomic_set)
        return LSUIT_ERR_OPERATION; /* a cut between would leave one new and one old */
    return dry->fetch_bytes > room ? LSUIT_ERR_SPACE : LSUIT_OK;
}

static void start_run(struct lapel *ctx)
{
    ctx->resumed = false;
    ctx->whole = 0;
    for (unsigned i = 0; i < LAPEL_COMPONENTS; i++)
        if (ctx->rec.attempt.length[i] != 0)
            ctx->whole |= (uint8_t)(1u << i);
    memset(&ctx->fail, 0, sizeof ctx->fail);
    ctx->work_fails = 0;
    lsuit_run_start(&ctx->memory.work->run, LSUIT_PROCEDURE_UPDATE, false);
    ctx->work = WORK_RUN;
}

static void dry(struct lapel *ctx)
{
    struct lsuit_run *run = &ctx->memory.work->run;
    enum lsuit_run_state s = lsuit_run_step(run);
    struct lsuit_fault fault = run->fault;

    if (s == LSUIT_RUN_AGAIN)
        return;
    if (s == LSUIT_RUN_DONE) {
        fault.err = check_sizes(ctx);
        s = fault.err == LSUIT_OK ? LSUIT_RUN_DONE : LSUIT_RUN_FAILED;
    }
    if (s != LSUIT_RUN_DONE) {
        refuse(ctx, LSUIT_STAGE_CHECK, &fault);
        return;
    }
    ctx->dry_bytes = run->dry_result.fetch_bytes;
    ctx->has_priority = run->dry_result.has_priority;
    ctx->priority = run->dry_result.priority;
    /* A file that is good ends what was postponed before it; stored together with WRITING. */
    if (is_offline(ctx) && ctx->rec.state == LAPEL_READY)
        ctx->rec.postpone_left_ms = 0;
    if (ctx->rec.state == LAPEL_WRITING)
        start_run(ctx);
    else
        ctx->work = ctx->rec.state == LAPEL_CANDIDATE ? WORK_INSTALL_GATE : WORK_DOWNLOAD_GATE;
}

/* --- READY to CANDIDATE --------------------------------------------------------------------------- */

/* Leave READY: an attempt of its own id. What the same release wrote before is gone on with. When
 * WRITING can't be stored the next try begins anew. */
static enum lapel_err begin(struct lapel *ctx)
{
    struct lapel_attempt *a = &ctx->rec.attempt;
    uint8_t slot = ctx->running_slot ^ 1;

    if (a->slot != slot || !same_pair(&a->pair, &ctx->want))
        memset(a, 0, sizeof *a);
    if (ctx->port.sys->random(ctx->port.ctx, a->id, sizeof a->id) <= 0)
        return LAPEL_ERR_PORT;
    a->pair = ctx->want;
    a->slot = slot;
    a->offline = is_offline(ctx);
    a->stagings = 0;
    a->starts = 0;
    enum lapel_err e = lapel_state_set(ctx, LAPEL_WRITING);
    if (e == LAPEL_OK)
        start_run(ctx);
    return e;
}

static enum lapel_err download_gate(struct lapel *ctx)
{
    switch (lapel_policy_gate(ctx, LAPEL_GATE_DOWNLOAD)) {
    case LAPEL_ALLOW:
        return begin(ctx);
    case LAPEL_WAIT:
        return LAPEL_OK;
    case LAPEL_DENY:
        break;
    }
    memcpy(ctx->denied, ctx->want.digest, sizeof ctx->denied);
    ctx->denied_any = true;
    lapel_core_forget(ctx);
    return LAPEL_OK;
}

static void run_failed(struct lapel *ctx)
{
    struct lapel_fail f = ctx->fail;
    struct lapel_attempt *a = &ctx->rec.attempt;
    const struct lsuit_fault *fault = &ctx->memory.work->run.fault;

    if (f.kind == LAPEL_OUTCOME_NONE && fault->err == LSUIT_ERR_CONDITION) {
        if (ctx->resumed && !ctx->from_zero) {
            /* What stood in the slot from before may be to blame: once more, all of it. */
            ctx->from_zero = true;
            memset(a->length, 0, sizeof a->length);
            a->offset = 0;
            start_run(ctx);
            return;
        }
        f.kind = LAPEL_OUTCOME_FAILED;
        f.stage = LSUIT_STAGE_IMAGE_MATCH;
        f.class_ = LSUIT_CLASS_DIGEST_MISMATCH;
        lapel_core_count(ctx, LSUIT_EVENT_DIGEST_MISMATCH);
    } else if (f.kind == LAPEL_OUTCOME_NONE) {
        f.kind = LAPEL_OUTCOME_FAILED;
        f.stage = LSUIT_STAGE_INSTALL;
        f.class_ = lapel_apply_class(fault->err);
        f.code = (int32_t)fault->err;
    }
    lapel_apply_end(ctx, (enum lapel_outcome_kind)f.kind, f.stage, f.class_, f.code);
}

static void run(struct lapel *ctx)
{
    if (!lapel_policy_permits(ctx)) { /* the user changed his mind in the middle */
        if (ctx->exchange == EXCHANGE_PAYLOAD)
            lapel_core_close(ctx);
        (void)lapel_policy_gate(ctx, LAPEL_GATE_DOWNLOAD);
        return;
    }
    ctx->gate = 0;
    switch (lsuit_run_step(&ctx->memory.work->run)) {
    case LSUIT_RUN_AGAIN:
        return;
    case LSUIT_RUN_DONE:
        ctx->work = WORK_KEEP;
        return;
    case LSUIT_RUN_FAILED:
        run_failed(ctx);
        return;
    }
}

/* A lower security counter would not be booted, and must not be tried. */
static bool counter_falls(struct lapel *ctx)
{
    uint64_t counter = 0;

    if (ctx->port.boot->counter == NULL)
        return false;
    return ctx->port.boot->counter(ctx->port.ctx, ctx->rec.attempt.slot, &counter) > 0 &&
           counter < ctx->rec.counter;
}

static enum lapel_err keep(struct lapel *ctx)
{
    if (counter_falls(ctx)) {
        lapel_core_count(ctx, LSUIT_EVENT_ROLLBACK);
        lapel_apply_end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_INSTALL, LSUIT_CLASS_ROLLBACK, 0);
        return LAPEL_OK;
    }
    int r = ctx->port.slots->manifest_write(ctx->port.ctx, ctx->rec.attempt.slot,
                                            ctx->memory.envelope, ctx->envelope_n);
    if (r < 0)
        lapel_apply_end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_INSTALL, LSUIT_CLASS_STORAGE, r);
    if (r <= 0)
        return LAPEL_OK;
    enum lapel_err e = lapel_state_set(ctx, LAPEL_CANDIDATE);
    if (e == LAPEL_OK)
        ctx->work = WORK_INSTALL_GATE;
    return e;
}

/* --- CANDIDATE to the restart ------------------------------------------------------------------------ */

static void refused_by_user(struct lapel *ctx)
{
    memcpy(ctx->denied, ctx->want.digest, sizeof ctx->denied);
    ctx->denied_any = true;
    lapel_apply_end(ctx, LAPEL_OUTCOME_WITHDRAWN, LSUIT_STAGE_GATE, LSUIT_CLASS_USER_REFUSED, 0);
}

static enum lapel_err install_gate(struct lapel *ctx)
{
    enum lapel_verdict v = lapel_policy_gate(ctx, LAPEL_GATE_INSTALL);

    if (v == LAPEL_DENY)
        refused_by_user(ctx);
    if (v != LAPEL_ALLOW)
        return LAPEL_OK;
    if (ctx->rec.attempt.stagings >= LAPEL_TRIALS) { /* the boot loader won't have it */
        lapel_apply_end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_INSTALL, LSUIT_CLASS_INTERNAL, 0);
        return LAPEL_OK;
    }
    ctx->rec.attempt.stagings++;
    enum lapel_err e = lapel_state_set(ctx, LAPEL_STAGED);
    if (e != LAPEL_OK) {
        ctx->rec.attempt.stagings--;
        return e;
    }
    ctx->work = WORK_STAGE;
    return LAPEL_OK;
}

static void stage(struct lapel *ctx)
{
    int r = ctx->port.boot->stage(ctx->port.ctx, ctx->rec.attempt.slot);

    if (r < 0)
        lapel_apply_end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_INSTALL, LSUIT_CLASS_STORAGE, r);
    if (r <= 0)
        return;
    ctx->rechecked = false;
    ctx->staged_at = 0;
    ctx->work = WORK_REBOOT_GATE;
}

/* One more check-in before the restart, tried for a day; a withdrawal comes with it. */
static bool rechecked(struct lapel *ctx)
{
    uint64_t now = now_ms(ctx);

    if (is_offline(ctx) || ctx->rechecked)
        return true;
    if (ctx->staged_at == 0) {
        ctx->staged_at = now == 0 ? 1 : now;
        ctx->next_check = now;
    }
    if (now - ctx->staged_at >= RECHECK_MS)
        return true;
    uint64_t at = ctx->next_check > ctx->not_before ? ctx->next_check : ctx->not_before;
    ctx->wait_ms = at > now ? (uint32_t)(at - now) : 0;
    return false;
}

static void reboot_gate(struct lapel *ctx)
{
    if (!ctx->manifest_ok && ctx->exchange == EXCHANGE_NONE)
        lapel_apply_recall(ctx, ctx->rec.attempt.slot, &ctx->rec.attempt.pair);
    if (!rechecked(ctx))
        return;
    switch (lapel_policy_gate(ctx, LAPEL_GATE_REBOOT)) {
    case LAPEL_ALLOW:
        ctx->work = WORK_REBOOT;
        break;
    case LAPEL_WAIT:
        break;
    case LAPEL_DENY:
        refused_by_user(ctx);
        break;
    }
}

static enum lapel_err reboot(struct lapel *ctx)
{
    lapel_core_close(ctx);
    ctx->wait_ms = SOON_MS;
    return ctx->port.boot->reboot(ctx->port.ctx) < 0 ? LAPEL_ERR_PORT : LAPEL_OK;
}

/* --- the trial ----------------------------------------------------------------------------------------- */

void lapel_apply_raise_counter(struct lapel *ctx)
{
    uint64_t counter = 0;

    if (ctx->port.boot->counter == NULL ||
        ctx->port.boot->counter(ctx->port.ctx, ctx->running_slot, &counter) <= 0)
        return;
    if (counter > ctx->rec.counter)
        ctx->rec.counter = counter;
}

/* The attempt's outcome, stored with the state that it leads to. */
static enum lapel_err conclude(struct lapel *ctx, enum lapel_state state,
                               const struct lapel_fail *how)
{
    struct lapel_record *r = &ctx->rec;
    struct lapel_outcome former = r->outcome;

    lapel_state_outcome(r, how);
    if (how->kind == LAPEL_OUTCOME_FAILED || how->kind == LAPEL_OUTCOME_WITHDRAWN)
        r->outcome.offset = ctx->at;
    enum lapel_err e = lapel_state_set(ctx, state);
    if (e != LAPEL_OK)
        r->outcome = former;
    return e;
}

/* Everything here may be done again: when UPDATED can't be stored, the next step does. */
enum lapel_err lapel_apply_confirm(struct lapel *ctx)
{
    static const struct lapel_fail CONFIRMED = { LAPEL_OUTCOME_CONFIRMED, LSUIT_STAGE_CONFIRM, 0,
                                                 0 };
    struct lapel_record *r = &ctx->rec;
    int done = ctx->port.boot->confirm(ctx->port.ctx);

    if (done <= 0) {
        ctx->wait_ms = RETRY_MS;
        return done < 0 ? LAPEL_ERR_PORT : LAPEL_OK;
    }
    if (r->attempt.pair.sequence >= r->accepted.sequence) {
        r->accepted = r->attempt.pair;
        r->accepted_known = true;
    }
    lapel_apply_raise_counter(ctx);
    lapel_apply_unblock(ctx, &r->attempt.pair);
    enum lapel_err e = conclude(ctx, LAPEL_UPDATED, &CONFIRMED);
    if (e != LAPEL_OK)
        return e;
    if (ctx->port.nv->counter_raise != NULL)
        (void)ctx->port.nv->counter_raise(ctx->port.ctx, r->counter);
    ctx->work = WORK_CLEAN;
    lapel_policy_tell(ctx, LAPEL_EVENT_INSTALLED, NULL);
    return LAPEL_OK;
}

enum lapel_err lapel_apply_reject(struct lapel *ctx, uint8_t class_)
{
    struct lapel_fail rejected = { LAPEL_OUTCOME_REVERTED, LSUIT_STAGE_TRIAL, class_, 0 };
    enum lapel_err e = conclude(ctx, LAPEL_REJECTED, &rejected);

    if (e == LAPEL_OK)
        ctx->work = WORK_REJECT;
    return e;
}

static enum lapel_err trial(struct lapel *ctx)
{
    const struct lapel_policy *p = ctx->port.policy;
    enum lapel_health health = LAPEL_HEALTH_OK;

    if (!ctx->manifest_ok) /* for what the events say; without it the trial goes on too */
        lapel_apply_recall(ctx, ctx->running_slot, &ctx->rec.attempt.pair);
    if (p != NULL && p->health != NULL)
        health = p->health(ctx->port.ctx);
    if (health == LAPEL_HEALTH_BAD || ctx->rec.attempt.starts > LAPEL_TRIALS)
        return lapel_apply_reject(ctx, LSUIT_CLASS_HEALTH);
    if (health == LAPEL_HEALTH_OK &&
        (ctx->trial_checked || (LAPEL_WITH_APPLY && ctx->rec.attempt.offline)))
        return lapel_apply_confirm(ctx);
    if (ctx->trial_left_ms == 0)
        return lapel_apply_reject(ctx, health == LAPEL_HEALTH_OK ? LSUIT_CLASS_NO_SERVER
                                                                 : LSUIT_CLASS_HEALTH);
    ctx->wait_ms = TRIAL_LOOK_MS;
    return LAPEL_OK;
}

static enum lapel_err reject(struct lapel *ctx)
{
    int r = ctx->port.boot->reject(ctx->port.ctx);

    if (r > 0)
        return reboot(ctx);
    ctx->wait_ms = RETRY_MS;
    return r < 0 ? LAPEL_ERR_PORT : LAPEL_OK;
}

/* --- the end of an attempt --------------------------------------------------------------------------- */

void lapel_apply_want(struct lapel *ctx, const struct lapel_pair *want)
{
    if (ctx->rec.state == LAPEL_STAGED || ctx->rec.state == LAPEL_UPDATED ||
        ctx->rec.state == LAPEL_FAILED)
        return; /* first things first: it will be offered again */
    if (ctx->rec.state != LAPEL_READY && lapel_state_set(ctx, LAPEL_READY) != LAPEL_OK)
        return;
    lapel_core_forget(ctx);
    ctx->want = *want;
    ctx->offered = true;
    ctx->retry_at = 0;
    ctx->work = WORK_MANIFEST;
}

void lapel_apply_end(struct lapel *ctx, enum lapel_outcome_kind kind, uint8_t stage_,
                     uint8_t class_, int32_t code)
{
    if (ctx->rec.state == LAPEL_READY) {
        if (kind == LAPEL_OUTCOME_WITHDRAWN)
            lapel_policy_tell(ctx, LAPEL_EVENT_WITHDRAWN, NULL);
        lapel_core_forget(ctx);
        return;
    }
    if (ctx->run_open)
        lsuit_run_abort(&ctx->memory.work->run);
    lapel_core_close(ctx);
    ctx->fail = (struct lapel_fail){ (uint8_t)kind, stage_, class_, code };
    ctx->work = ctx->rec.state == LAPEL_STAGED ? WORK_UNSTAGE : WORK_END;
}

static void unstage(struct lapel *ctx)
{
    int r = ctx->port.boot->unstage(ctx->port.ctx);

    if (r > 0)
        ctx->work = WORK_END;
    else
        ctx->wait_ms = RETRY_MS;
}

static enum lapel_err end(struct lapel *ctx)
{
    struct lapel_event event = { .stage = ctx->fail.stage, .error = ctx->fail.class_ };
    bool withdrawn = ctx->fail.kind == LAPEL_OUTCOME_WITHDRAWN;
    bool news = ctx->fail.class_ == LSUIT_CLASS_WITHDRAWN;
    enum lapel_err e = conclude(ctx, withdrawn ? LAPEL_READY : LAPEL_FAILED, &ctx->fail);

    if (e != LAPEL_OK)
        return e;
    lapel_policy_tell(ctx, news ? LAPEL_EVENT_WITHDRAWN : LAPEL_EVENT_FAILED, &event);
    if (withdrawn)
        lapel_core_forget(ctx);
    else
        ctx->work = WORK_CLEAN;
    return LAPEL_OK;
}

static enum lapel_err clean(struct lapel *ctx)
{
    bool soon = ctx->rec.state == LAPEL_UPDATED || ctx->rec.outcome.kind == LAPEL_OUTCOME_REVERTED;

    memset(&ctx->rec.attempt, 0, sizeof ctx->rec.attempt);
    enum lapel_err e = lapel_state_set(ctx, LAPEL_READY);
    if (e != LAPEL_OK)
        return e;
    lapel_core_forget(ctx);
    if (soon)
        lapel_core_soon(ctx, SOON_MS);
    return LAPEL_OK;
}

/* --- the next piece ---------------------------------------------------------------------------------- */

static void manifest(struct lapel *ctx)
{
    if (ctx->rec.state == LAPEL_CANDIDATE) { /* it is here already */
        struct lapel_pair pair;

        ctx->work = WORK_VERIFY;
        if (!lapel_apply_from_slot(ctx, ctx->rec.attempt.slot, &pair))
            lapel_apply_end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_INSTALL, LSUIT_CLASS_STORAGE, 0);
        return;
    }
    int r = lapel_fetch_manifest(ctx);
    if (r == LSUIT_OP_DONE)
        ctx->work = WORK_VERIFY;
    if (r != LSUIT_OP_FAIL)
        return;
    if (ctx->fail.kind == LAPEL_OUTCOME_FAILED) /* there is no attempt yet that could fail */
        lapel_policy_tell(
            ctx, LAPEL_EVENT_REFUSED,
            &(struct lapel_event){ .stage = ctx->fail.stage, .error = ctx->fail.class_ });
    lapel_apply_end(ctx, (enum lapel_outcome_kind)ctx->fail.kind, ctx->fail.stage, ctx->fail.class_,
                    ctx->fail.code);
}

enum lapel_err lapel_apply_step(struct lapel *ctx)
{
    switch ((enum work)ctx->work) {
    case WORK_NONE:
        ctx->wait_ms = UINT32_MAX;
        return LAPEL_OK;
    case WORK_SELF:
        if (LAPEL_WITH_SELF)
            lapel_self_step(ctx);
        return LAPEL_OK;
    case WORK_MANIFEST:
        manifest(ctx);
        return LAPEL_OK;
    case WORK_VERIFY:
        verify(ctx);
        return LAPEL_OK;
    case WORK_DRY:
        dry(ctx);
        return LAPEL_OK;
    case WORK_DOWNLOAD_GATE:
        return download_gate(ctx);
    case WORK_RUN:
        run(ctx);
        return LAPEL_OK;
    case WORK_KEEP:
        return keep(ctx);
    case WORK_INSTALL_GATE:
        return install_gate(ctx);
    case WORK_STAGE:
        stage(ctx);
        return LAPEL_OK;
    case WORK_REBOOT_GATE:
        reboot_gate(ctx);
        return LAPEL_OK;
    case WORK_REBOOT:
        return reboot(ctx);
    case WORK_TRIAL:
        return trial(ctx);
    case WORK_REJECT:
        return reject(ctx);
    case WORK_UNSTAGE:
        unstage(ctx);
        return LAPEL_OK;
    case WORK_END:
        return end(ctx);
    case WORK_CLEAN:
        return clean(ctx);
    }
    return LAPEL_ERR_STATE;
}
