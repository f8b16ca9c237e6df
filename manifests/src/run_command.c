/*
 * The command processor: conditions and directives, each on one component.
 *
 * A row says what a command needs; lsuit_run_command checks that, calls it, and tells the trace.
 *
 *   (1) A parameter that isn't set fails a condition and aborts a directive.
 *   (2) A function that the platform lacks aborts, also for a condition.
 *   (3) In a dry run no directive reaches the platform.
 *   (4) Before a component's bytes change, what was known of them is forgotten.
 */
#include "fault.h"
#include "run.h"

/* --- Ends. --- */

#ifndef LSUIT_NO_TEXT

enum outcome lsuit_run_fault(struct call *k, enum lsuit_err err, const char *why)
{
    TRACE_SET(k, why, why);
    return lsuit_run_refuse(k->run, err, k->code, why);
}

#endif

enum outcome lsuit_run_condition(struct call *k, bool holds)
{
    if (holds)
        return OUT_DONE;
    (void)lsuit_run_refuse(k->run, LSUIT_ERR_CONDITION, k->code, NULL);
    return OUT_CONDITION;
}

enum outcome lsuit_run_lacking(struct call *k)
{
    return lsuit_run_fault(k, LSUIT_ERR_COMMAND, "this device has no such function");
}

enum outcome lsuit_run_answer(struct call *k, int said)
{
    k->run->op_started = true;
    switch (said) {
    case LSUIT_OP_DONE:
        return OUT_DONE;
    case LSUIT_OP_AGAIN:
        return OUT_AGAIN;
    case LSUIT_OP_UNSUPPORTED:
        return lsuit_run_lacking(k);
    default:
        return lsuit_run_refuse(k->run, LSUIT_ERR_OPERATION, k->code, NULL);
    }
}

/* --- What components hold. --- */

bool lsuit_run_unknown(const struct call *k, uint32_t comp)
{
    return k->run->dry && (k->run->unknown >> comp & 1) != 0;
}

bool lsuit_run_size(const struct call *k, uint32_t comp, uint64_t *size_out)
{
    const struct lsuit_platform *p = k->run->platform;

    *size_out = 0;
    return p->component_size != NULL && p->component_size(k->run->ctx, comp, size_out);
}

enum outcome lsuit_run_read(struct call *k, uint8_t *buf, size_t cap, struct lsuit_bytes *piece_out)
{
    struct lsuit_run *run = k->run;
    uint64_t left = run->total - run->offset;
    size_t n = left < cap ? (size_t)left : cap;
    size_t got = 0;
    int r;

    *piece_out = (struct lsuit_bytes){ NULL, 0 };
    if (left == 0)
        return OUT_DONE;
    r = run->platform->component_read(run->ctx, k->comp, run->offset, buf, n, &got);
    if (r == LSUIT_OP_AGAIN)
        return OUT_AGAIN;
    if (r != LSUIT_OP_DONE || got == 0 || got > n)
        return OUT_CONDITION;
    *piece_out = (struct lsuit_bytes){ buf, got };
    return OUT_DONE;
}

/*
 * While strict-order is false no component may be written and read from in one sequence, in
 * whichever order (draft-ietf-suit-manifest-37, "Parallel Processing Interpreter").
 */
static bool order_broken(struct call *k, uint32_t target, uint32_t source)
{
#if LSUIT_WITH_OPTIONAL
    struct lsuit_frame *f = lsuit_run_top(k->run);

    f->targets |= target;
    f->sources |= source;
    return f->loose && (f->targets & f->sources) != 0;
#else
    (void)k;
    (void)target;
    (void)source;
    return false;
#endif
}

enum outcome lsuit_run_change(struct call *k, uint32_t comp)
{
    struct lsuit_run *run = k->run;
    uint32_t bit = (uint32_t)1 << comp;

#if LSUIT_WITH_DEPENDENCIES
    if (lsuit_run_in_work(run, comp))
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "the component of a manifest in work");
    lsuit_run_dependency_changed(run, comp);
#endif
    if (order_broken(k, bit, 0))
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "a target and a source without an order");
    run->matched &= ~bit;
    if (run->dry) {
        run->unknown |= bit;
        run->dry_result.written |= bit;
    }
    return OUT_DONE;
}

/* --- Conditions. --- */

enum outcome lsuit_do_identifier(struct call *k)
{
    const struct lsuit_platform *p = k->run->platform;
    bool (*is)(void *, struct lsuit_bytes) = p->vendor_is;
    enum lsuit_param_row param = PARAM_VENDOR;

    if (k->code == LSUIT_COND_CLASS_IDENTIFIER) {
        is = p->class_is;
        param = PARAM_CLASS;
    }
#if LSUIT_WITH_OPTIONAL
    if (k->code == LSUIT_COND_DEVICE_IDENTIFIER) {
        is = p->device_is;
        param = PARAM_DEVICE;
    }
#endif
    if (is == NULL)
        return lsuit_run_lacking(k);
    return lsuit_run_condition(k, is(k->run->ctx, lsuit_run_bytes(k, param)));
}

enum outcome lsuit_do_slot(struct call *k)
{
    const struct lsuit_platform *p = k->run->platform;
    uint64_t slot = lsuit_run_uint(k, PARAM_SLOT);

    if (p->slot_is == NULL)
        return lsuit_run_lacking(k);
    TRACE_SET(k, slot, slot);
    return lsuit_run_condition(k, p->slot_is(k->run->ctx, k->comp, slot));
}

enum outcome lsuit_do_abort(struct call *k)
{
    return lsuit_run_condition(k, false);
}

/* Bytes that don't match are what image-not-match asks for; bytes that can't be read are not. */
static enum outcome match(struct call *k, bool matches)
{
    bool wanted = k->code == LSUIT_COND_IMAGE_MATCH;

    if (matches && wanted)
        k->run->matched |= (uint32_t)1 << k->comp;
    return lsuit_run_condition(k, matches == wanted);
}

/* Begin reading back: size and hash. */
static enum outcome match_begin(struct call *k, int32_t alg)
{
    struct lsuit_run *run = k->run;
    const struct lsuit_crypto *crypto = run->crypto;
    enum lsuit_err e;

    if (run->platform->component_read == NULL || run->platform->component_size == NULL)
        return lsuit_run_lacking(k);
    e = crypto->hash_start(crypto->ctx, &run->hash, alg);
    if (e != LSUIT_OK)
        return lsuit_run_fault(k, e, "no such digest algorithm");
    run->hashing = true;
    run->offset = 0;
    if (lsuit_run_unknown(k, k->comp))
        return OUT_DONE;
    if (!lsuit_run_size(k, k->comp, &run->total) ||
        (lsuit_run_is_set(k, PARAM_SIZE) && run->total != lsuit_run_uint(k, PARAM_SIZE)))
        return match(k, false);
    run->op_started = true;
    return OUT_AGAIN;
}

/* An open hash is ended by run.c when the command is done, or has failed. */
enum outcome lsuit_do_image_match(struct call *k)
{
    struct lsuit_run *run = k->run;
    const struct lsuit_crypto *crypto = run->crypto;
    struct lsuit_digest digest = lsuit_run_digest(k);
    uint8_t made[LSUIT_DIGEST_MAX];
    struct lsuit_bytes piece, got = { made, 0 };
    enum outcome out;
    enum lsuit_err e;

#if LSUIT_WITH_DEPENDENCIES
    if (lsuit_run_is_dependency(k))
        return lsuit_do_manifest_match(k);
#endif
    if (!run->op_started)
        return match_begin(k, digest.alg);
    out = lsuit_run_read(k, run->buf, run->buf_len, &piece);
    if (out == OUT_CONDITION)
        return lsuit_run_condition(k, false);
    if (out == OUT_AGAIN)
        return out;
    if (piece.ptr != NULL)
        e = crypto->hash_update(crypto->ctx, &run->hash, piece);
    else
        e = crypto->hash_finish(crypto->ctx, &run->hash, made, sizeof made, &got.len);
    if (e != LSUIT_OK)
        return lsuit_run_fault(k, e, "hashing failed");
    run->offset += piece.len;
    run->hashing = piece.ptr != NULL;
    return run->hashing ? OUT_AGAIN : match(k, lsuit_bytes_equal_ct(got, digest.bytes) != 0);
}

/* --- Directives. --- */

/* Tell the platform of the metadata of a component that comes to be. */
static enum outcome metadata(struct call *k)
{
#if LSUIT_WITH_UPDATE_MANAGEMENT
    const struct lsuit_platform *p = k->run->platform;

    if (!lsuit_run_is_set(k, PARAM_METADATA))
        return OUT_DONE;
    if (p->metadata == NULL)
        return lsuit_run_lacking(k);
    if (!k->run->dry &&
        p->metadata(k->run->ctx, k->comp, lsuit_run_bytes(k, PARAM_METADATA)) != LSUIT_OP_DONE)
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "component-metadata");
#else
    (void)k;
#endif
    return OUT_DONE;
}

/*
 * The component is about to be stored into. OUT_DONE: go on to the platform; OUT_ENTERED: this is
 * a dry run, and all is said.
 */
static enum outcome store_begin(struct call *k)
{
    struct lsuit_run *run = k->run;

    if (!run->op_started) {
        enum outcome out = metadata(k);

        if (out == OUT_DONE)
            out = lsuit_run_change(k, k->comp);
        if (out != OUT_DONE)
            return out;
    }
    return run->dry ? OUT_ENTERED : OUT_DONE;
}

/* What a directive left in the component: for the trace, and never more than image-size. */
static enum outcome store_end(struct call *k, int said, uint64_t max)
{
    enum outcome out = lsuit_run_answer(k, said);
    uint64_t size = 0;

    if (out != OUT_DONE)
        return out;
    (void)lsuit_run_size(k, k->comp, &size);
    TRACE_SET(k, size, size);
    return size <= max ? out : lsuit_run_fault(k, LSUIT_ERR_OPERATION, "larger than image-size");
}

static void dry_fetch(struct lsuit_dry *dry, uint64_t max)
{
    dry->fetches++;
    if (max == UINT64_MAX)
        dry->size_unknown = true;
    else if (max > UINT64_MAX - dry->fetch_bytes)
        dry->fetch_bytes = UINT64_MAX;
    else
        dry->fetch_bytes += max;
}

static bool encrypted(const struct call *k)
{
#if LSUIT_WITH_ENCRYPTION
    return lsuit_run_is_set(k, PARAM_ENCRYPTION);
#else
    (void)k;
    return false;
#endif
}

enum outcome lsuit_do_fetch(struct call *k)
{
    struct lsuit_run *run = k->run;
    struct lsuit_bytes uri = lsuit_run_bytes(k, PARAM_URI);
    struct lsuit_bytes payload = { NULL, 0 };
    uint64_t max = lsuit_run_uint(k, PARAM_SIZE);
    const struct lsuit_level *home = lsuit_run_home(run, run->params[k->comp].at[PARAM_URI]);
    enum outcome out;

    TRACE_SET(k, uri, uri);
    if (run->platform->fetch == NULL || encrypted(k))
        return lsuit_run_lacking(k);
    if (lsuit_envelope_payload(home->manifest->envelope, uri, &payload) != LSUIT_OK &&
        uri.len > 0 && uri.ptr[0] == '#')
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "uri not available");
    if (payload.len > max)
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "larger than image-size");
#if LSUIT_WITH_DEPENDENCIES
    if (payload.ptr != NULL && lsuit_run_is_dependency(k) && !lsuit_run_is_envelope(run, payload))
        return OUT_ABORT;
#endif
    out = store_begin(k);
    if (out == OUT_ENTERED && payload.ptr == NULL)
        dry_fetch(&run->dry_result, max);
    if (out != OUT_DONE)
        return out == OUT_ENTERED ? OUT_DONE : out;
    return store_end(k,
                     run->platform->fetch(run->ctx, k->comp, !run->op_started, uri, payload, max,
                                          lsuit_run_digest(k),
                                          lsuit_run_bytes(k, PARAM_FETCH_ARGS)),
                     max);
}

/* Is there another component to copy from or to swap with? Its number goes to source_out. */
static enum outcome source_find(struct call *k, uint32_t *source_out)
{
    uint64_t source = lsuit_run_uint(k, PARAM_SOURCE);
    const struct lsuit_level *home =
        lsuit_run_home(k->run, k->run->params[k->comp].at[PARAM_SOURCE]);

    if (source >= home->manifest->components_n)
        return lsuit_run_fault(k, LSUIT_ERR_COMPONENT, "source index");
    TRACE_SET(k, source, (uint32_t)source);
#if LSUIT_WITH_DEPENDENCIES
    source = home->map[source];
#endif
    *source_out = (uint32_t)source;
    if (source == k->comp)
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "source is the destination");
    if (order_broken(k, 0, (uint32_t)1 << source))
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "a target and a source without an order");
    return OUT_DONE;
}

#if LSUIT_WITH_ENCRYPTION

/*
 * Is the ciphertext authenticated by its own algorithm (an AEAD, named under protection)? The
 * others are as good as their digest (draft-ietf-suit-firmware-encryption-24, section 7.2).
 */
static bool is_aead(struct lsuit_bytes encryption_info)
{
    struct lsuit_bytes protected_;
    struct lsuit_cbor c;
    int32_t label = 0, alg = 0;

    lsuit_cbor_start(&c, encryption_info);
    (void)lsuit_cbor_tag(&c);
    (void)lsuit_cbor_array(&c);
    protected_ = lsuit_cbor_bstr(&c);
    lsuit_cbor_start(&c, protected_);
    (void)lsuit_cbor_map(&c);
    if (lsuit_cbor_next_code(&c, &label) && label == 1)
        alg = lsuit_cbor_int32(&c);
    return c.err == LSUIT_OK && ((alg >= 1 && alg <= 3) || alg == 24);
}

static enum outcome copy_decrypt(struct call *k, uint32_t source, uint64_t max)
{
    struct lsuit_run *run = k->run;
    struct lsuit_bytes info = lsuit_run_bytes(k, PARAM_ENCRYPTION);
    enum outcome out;

    if (run->platform->copy_decrypt == NULL)
        return lsuit_run_lacking(k);
    if (!is_aead(info) && !lsuit_run_unknown(k, source) && (run->matched >> source & 1) == 0)
        return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "the ciphertext's digest was not checked");
    out = store_begin(k);
    if (out != OUT_DONE)
        return out == OUT_ENTERED ? OUT_DONE : out;
    return store_end(
        k, run->platform->copy_decrypt(run->ctx, k->comp, !run->op_started, source, max, info),
        max);
}

#endif

enum outcome lsuit_do_copy(struct call *k)
{
    struct lsuit_run *run = k->run;
    uint64_t max = lsuit_run_uint(k, PARAM_SIZE);
    uint64_t size = 0;
    uint32_t source = 0;
    enum outcome out = source_find(k, &source);

    if (out != OUT_DONE)
        return out;
    if (run->platform->copy == NULL)
        return lsuit_run_lacking(k);
    if (!lsuit_run_unknown(k, source)) {
        if (!lsuit_run_size(k, source, &size))
            return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "source component absent");
        if (max == UINT64_MAX)
            max = size;
        if (size > max && !encrypted(k))
            return lsuit_run_fault(k, LSUIT_ERR_OPERATION, "larger than image-size");
    }
#if LSUIT_WITH_ENCRYPTION
    if (encrypted(k))
        return copy_decrypt(k, source, max);
#endif
    out = store_begin(k);
    if (out != OUT_DONE)
        return out == OUT_ENTERED ? OUT_DONE : out;
    return store_end(k, run->platform->copy(run->ctx, k->comp, !run->op_started, source, max), max);
}

enum outcome lsuit_do_invoke(struct call *k)
{
    struct lsuit_run *run = k->run;
    struct lsuit_bytes args = lsuit_run_bytes(k, PARAM_INVOKE_ARGS);

    TRACE_SET(k, args, args);
    if (run->platform->invoke == NULL)
        return lsuit_run_lacking(k);
    return run->dry ? OUT_DONE
                    : lsuit_run_answer(k, run->platform->invoke(run->ctx, k->comp, args));
}

#if LSUIT_WITH_OPTIONAL

/* The time depends on the lengths only: no early exit, each byte is compared. */
enum outcome lsuit_do_check_content(struct call *k)
{
    struct lsuit_run *run = k->run;
    struct lsuit_bytes content = lsuit_run_bytes(k, PARAM_CONTENT);
    struct lsuit_bytes piece;
    enum outcome out;

    if (!run->op_started) {
        if (run->platform->component_read == NULL || run->platform->component_size == NULL)
            return lsuit_run_lacking(k);
        if (lsuit_run_unknown(k, k->comp))
            return OUT_DONE;
        if (!lsuit_run_size(k, k->comp, &run->total) || run->total != content.len)
            return lsuit_run_condition(k, false);
        run->offset = 0;
        run->differ = 0;
        run->op_started = true;
    }
    out = lsuit_run_read(k, run->buf, run->buf_len, &piece);
    if (out == OUT_CONDITION)
        return lsuit_run_condition(k, false);
    if (out == OUT_AGAIN)
        return out;
    for (size_t i = 0; i < piece.len; i++)
        run->differ |= (uint8_t)(piece.ptr[i] ^ content.ptr[run->offset + i]);
    run->offset += piece.len;
    return run->offset < run->total ? OUT_AGAIN : lsuit_run_condition(k, run->differ == 0);
}

enum outcome lsuit_do_write(struct call *k)
{
    struct lsuit_run *run = k->run;
    const struct lsuit_platform *p = run->platform;
    struct lsuit_bytes content = lsuit_run_bytes(k, PARAM_CONTENT);
    bool first = !run->op_started;
    enum outcome out;
    int said;

#if LSUIT_WITH_ENCRYPTION
    if (encrypted(k) && p->write_decrypt == NULL)
        return lsuit_run_lacking(k);
#endif
    if (p->write == NULL)
        return lsuit_run_lacking(k);
    out = store_begin(k);
    if (out != OUT_DONE)
        return out == OUT_ENTERED ? OUT_DONE : out;
#if LSUIT_WITH_ENCRYPTION
    if (encrypted(k))
        said = p->write_decrypt(run->ctx, k->comp, first, content,
                                lsuit_run_bytes(k, PARAM_ENCRYPTION));
    else
#endif
        said = p->write(run->ctx, k->comp, first, content);
    return store_end(k, said, UINT64_MAX);
}

enum outcome lsuit_do_swap(struct call *k)
{
    struct lsuit_run *run = k->run;
    uint32_t source = 0;
    enum outcome out = source_find(k, &source);

    if (out != OUT_DONE)
        return out;
    if (run->platform->swap == NULL)
        return lsuit_run_lacking(k);
    if (!run->op_started)
        out = lsuit_run_change(k, source);
    if (!run->op_started && out == OUT_DONE)
        out = lsuit_run_change(k, k->comp);
    return run->dry || out != OUT_DONE
               ? out
               : lsuit_run_answer(k,
                                  run->platform->swap(run->ctx, k->comp, !run->op_started, source));
}

#endif

/* --- The call. --- */

/* A parameter that the command needs isn't set. */
static enum outcome missing(struct call *k, const struct lsuit_command_row *row)
{
    bool condition = (row->kind & COMMAND_CONDITION) != 0;

    TRACE_SET(k, missing, lsuit_parameters[row->needs].key);
    (void)lsuit_run_fault(k, condition ? LSUIT_ERR_CONDITION : LSUIT_ERR_OPERATION,
                          "a parameter is missing");
    return condition ? OUT_CONDITION : OUT_ABORT;
}

#if LSUIT_WITH_TRACE

static void trace(struct call *k, enum outcome out)
{
    struct lsuit_run *run = k->run;

    if (out == OUT_AGAIN || out == OUT_ENTERED || run->platform->trace == NULL)
        return;
    k->trace.kind = LSUIT_TRACE_COMMAND;
    k->trace.name = lsuit_run_command_name(k->code);
    k->trace.code = k->code;
    k->trace.component = k->index;
    k->trace.dry = run->dry;
    k->trace.ok = out == OUT_DONE;
#if LSUIT_WITH_DEPENDENCIES
    k->trace.depth = run->chain;
#endif
    run->platform->trace(run->ctx, &k->trace);
}

#endif

enum outcome lsuit_run_command(struct lsuit_run *run, const struct lsuit_command_row *row)
{
    const struct lsuit_frame *f = lsuit_run_top(run);
    struct call k = { .run = run, .index = f->list[f->applied], .code = row->code };
    enum outcome out;

    k.comp = lsuit_run_number(run, k.index);
    if (row->needs != PARAM_NONE && !lsuit_run_is_set(&k, (enum lsuit_param_row)row->needs))
        out = missing(&k, row);
    else
        out = row->run(&k);
#if LSUIT_WITH_TRACE
    trace(&k, out);
#endif
    return out;
}
