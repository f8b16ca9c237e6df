/*
 * The command processor: conditions and directives, each on one component.
 *
 * A row says what a command needs; lsuit_run_command checks that, calls it, and tells the trace.
 *
 *   (1) A parameter that isn't set fails a condition and aborts a directive.
 *   (2) A function that the platform lacks aborts, also for a condition.
 *   (3) In a dry run no directive reaches the platform.
 */
#include "fault.h"
#include "run.h"

/* What a command is about, and what it has to say to the trace. */
struct call {
    struct lsuit_run *run;
    uint32_t comp;
    int64_t code;
    struct lsuit_trace trace;
};

/* --- Parameters: their values are decoded where they are used. --- */

static bool is_set(const struct call *k, enum param_slot slot)
{
    return k->run->params[k->comp].at[slot] != 0;
}

static struct lsuit_cbor value_open(const struct call *k, enum param_slot slot)
{
    return lsuit_run_cursor(k->run, k->run->params[k->comp].at[slot]);
}

/* Of a byte or text string its content, of any other value its encoding; absent when not set. */
static struct lsuit_bytes value_bytes(const struct call *k, enum param_slot slot)
{
    struct lsuit_cbor c = value_open(k, slot);

    if (!is_set(k, slot))
        return (struct lsuit_bytes){ NULL, 0 };
    switch (lsuit_cbor_peek(&c)) {
    case LSUIT_CBOR_BSTR:
        return lsuit_cbor_bstr(&c);
    case LSUIT_CBOR_TSTR:
        return lsuit_cbor_tstr(&c);
    default:
        return lsuit_cbor_item(&c);
    }
}

/* UINT64_MAX when not set: no limit, no component, no slot. */
static uint64_t value_uint(const struct call *k, enum param_slot slot)
{
    struct lsuit_cbor c = value_open(k, slot);
    uint64_t v = lsuit_cbor_uint(&c);

    return is_set(k, slot) && c.err == LSUIT_OK ? v : UINT64_MAX;
}

/* alg 0 when not set. */
static struct lsuit_digest value_digest(const struct call *k)
{
    struct lsuit_digest d = { 0 };
    struct lsuit_bytes encoded = value_bytes(k, PARAM_DIGEST);
    struct lsuit_cbor c = lsuit_cbor_open(encoded);
    int64_t alg;

    if (encoded.ptr == NULL)
        return d;
    lsuit_cbor_array(&c);
    alg = lsuit_cbor_int(&c);
    d.bytes = lsuit_cbor_bstr(&c);
    if (c.err != LSUIT_OK || alg < INT32_MIN || alg > INT32_MAX ||
        d.bytes.len != lsuit_digest_len((int32_t)alg))
        return (struct lsuit_digest){ 0 };
    d.alg = (int32_t)alg;
    return d;
}

/* --- Ends. --- */

static enum outcome fault(struct call *k, enum lsuit_err err, const char *why)
{
    k->trace.why = why;
    return lsuit_run_abort_with(k->run, err, k->code, why);
}

static enum outcome condition(struct call *k, bool holds)
{
    if (holds)
        return OUT_DONE;
    (void)lsuit_run_abort_with(k->run, LSUIT_ERR_CONDITION, k->code, NULL);
    return OUT_CONDITION;
}

static enum outcome lacking(struct call *k)
{
    return fault(k, LSUIT_ERR_COMMAND, TEXT("this device has no such function"));
}

/* An answer of the platform to a directive. */
static enum outcome answer(struct call *k, int said)
{
    k->run->op_started = true;
    switch (said) {
    case LSUIT_OP_DONE:
        return OUT_DONE;
    case LSUIT_OP_AGAIN:
        return OUT_AGAIN;
    case LSUIT_OP_UNSUPPORTED:
        return lacking(k);
    default:
        return lsuit_run_abort_with(k->run, LSUIT_ERR_OPERATION, k->code, NULL);
    }
}

static bool bytes_unknown(const struct call *k, uint32_t comp)
{
    return k->run->dry && (k->run->unknown >> comp & 1) != 0;
}

/* In a dry run: the component would be written. */
static enum outcome would_write(struct call *k, uint32_t comp)
{
    k->run->unknown |= 1u << comp;
    k->run->dry_result.written |= 1u << comp;
    return OUT_DONE;
}

static bool size_of(const struct call *k, uint32_t comp, uint64_t *size_out)
{
    const struct lsuit_platform *p = k->run->platform;

    *size_out = 0;
    return p->component_size != NULL && p->component_size(k->run->ctx, comp, size_out);
}

/* --- Conditions. --- */

static enum outcome identifier(struct call *k, bool (*is)(void *, struct lsuit_bytes),
                               enum param_slot slot)
{
    if (is == NULL)
        return lacking(k);
    return condition(k, is(k->run->ctx, value_bytes(k, slot)));
}

static enum outcome vendor(struct call *k)
{
    return identifier(k, k->run->platform->vendor_is, PARAM_VENDOR);
}

static enum outcome class(struct call *k) {
    return identifier(k, k->run->platform->class_is, PARAM_CLASS);
}

static enum outcome device(struct call *k)
{
    return identifier(k, k->run->platform->device_is, PARAM_DEVICE);
}

static enum outcome slot(struct call *k)
{
    const struct lsuit_platform *p = k->run->platform;

    if (p->slot_is == NULL)
        return lacking(k);
    k->trace.slot = value_uint(k, PARAM_SLOT);
    return condition(k, p->slot_is(k->run->ctx, k->comp, k->trace.slot));
}

static enum outcome abort_condition(struct call *k)
{
    return condition(k, false);
}

/*
 * Read the next piece of the component back. OUT_DONE with an absent piece at the end;
 * OUT_CONDITION when it can't be read.
 */
static enum outcome read_back(struct call *k, struct lsuit_bytes *piece_out)
{
    struct lsuit_run *run = k->run;
    uint64_t left = run->total - run->offset;
    size_t n = left < run->buf_len ? (size_t)left : run->buf_len;
    size_t got = 0;
    int r;

    *piece_out = (struct lsuit_bytes){ NULL, 0 };
    if (left == 0)
        return OUT_DONE;
    r = run->platform->component_read(run->ctx, k->comp, run->offset, run->buf, n, &got);
    if (r == LSUIT_OP_AGAIN)
        return OUT_AGAIN;
    if (r != LSUIT_OP_DONE || got == 0 || got > n)
        return OUT_CONDITION;
    *piece_out = (struct lsuit_bytes){ run->buf, got };
    return OUT_DONE;
}

static enum outcome hash_failed(struct call *k, enum lsuit_err e)
{
    lsuit_run_hash_end(k->run);
    return fault(k, e, TEXT("hashing failed"));
}

/* Begin reading back: size and hash. */
static enum outcome match_begin(struct call *k, const struct lsuit_digest *digest)
{
    struct lsuit_run *run = k->run;
    enum lsuit_err e;

    if (run->platform->component_read == NULL || run->platform->component_size == NULL)
        return lacking(k);
    e = run->crypto->hash_start(run->crypto->ctx, &run->hash, digest->alg);
    if (e != LSUIT_OK)
        return fault(k, e, TEXT("no such digest algorithm"));
    run->hashing = true;
    run->offset = 0;
    if (!bytes_unknown(k, k->comp) && size_of(k, k->comp, &run->total))
        return OUT_AGAIN;
    lsuit_run_hash_end(run);
    return condition(k, bytes_unknown(k, k->comp));
}

static enum outcome image_match(struct call *k)
{
    struct lsuit_run *run = k->run;
    const struct lsuit_crypto *crypto = run->crypto;
    struct lsuit_digest digest = value_digest(k);
    uint8_t got[LSUIT_DIGEST_MAX];
    struct lsuit_bytes piece;
    size_t got_n = 0;
    enum lsuit_err e;
    enum outcome out;

    if (!run->op_started) {
        out = match_begin(k, &digest);
        run->op_started = out == OUT_AGAIN;
        return out;
    }
    out = read_back(k, &piece);
    if (out == OUT_CONDITION) {
        lsuit_run_hash_end(run);
        return condition(k, false);
    }
    if (out == OUT_AGAIN)
        return out;
    if (piece.ptr != NULL) {
        e = crypto->hash_update(crypto->ctx, &run->hash, piece);
        run->offset += piece.len;
        return e == LSUIT_OK ? OUT_AGAIN : hash_failed(k, e);
    }
    e = crypto->hash_finish(crypto->ctx, &run->hash, got, sizeof got, &got_n);
    if (e != LSUIT_OK)
        return hash_failed(k, e);
    run->hashing = false;
    return condition(k, lsuit_bytes_equal_ct((struct lsuit_bytes){ got, got_n }, digest.bytes));
}

/* The time depends on the lengths only: no early exit, each byte is compared. */
static enum outcome check_content(struct call *k)
{
    struct lsuit_run *run = k->run;
    struct lsuit_bytes content = value_bytes(k, PARAM_CONTENT);
    struct lsuit_bytes piece;
    enum outcome out;

    if (!run->op_started) {
        if (run->platform->component_read == NULL || run->platform->component_size == NULL)
            return lacking(k);
        if (bytes_unknown(k, k->comp))
            return OUT_DONE;
        if (!size_of(k, k->comp, &run->total) || run->total != content.len)
            return condition(k, false);
        run->offset = 0;
        run->differ = 0;
        run->op_started = true;
    }
    out = read_back(k, &piece);
    if (out == OUT_CONDITION)
        return condition(k, false);
    if (out == OUT_AGAIN)
        return out;
    for (size_t i = 0; i < piece.len; i++)
        run->differ |= (uint8_t)(piece.ptr[i] ^ content.ptr[run->offset + i]);
    run->offset += piece.len;
    return run->offset < run->total ? OUT_AGAIN : condition(k, run->differ == 0);
}

/* --- Directives. --- */

static enum outcome dry_fetch(struct call *k, bool network, uint64_t max)
{
    struct lsuit_dry *dry = &k->run->dry_result;

    if (network) {
        dry->fetches++;
        if (!is_set(k, PARAM_SIZE))
            dry->size_unknown = true;
        else if (max > UINT64_MAX - dry->fetch_bytes)
            dry->fetch_bytes = UINT64_MAX;
        else
            dry->fetch_bytes += max;
    }
    return would_write(k, k->comp);
}

/* What a directive left in the component: for the trace, and never more than image-size. */
static enum outcome written(struct call *k, enum outcome out, uint64_t max)
{
    if (out != OUT_DONE)
        return out;
    if (!size_of(k, k->comp, &k->trace.size))
        k->trace.size = 0;
    return k->trace.size <= max ? out
                                : fault(k, LSUIT_ERR_OPERATION, TEXT("larger than image-size"));
}

static enum outcome fetch(struct call *k)
{
    struct lsuit_run *run = k->run;
    struct lsuit_bytes uri = value_bytes(k, PARAM_URI);
    struct lsuit_bytes payload = { NULL, 0 };
    uint64_t max = value_uint(k, PARAM_SIZE);
    bool carried = lsuit_envelope_payload(run->manifest->envelope, uri, &payload) == LSUIT_OK;

    k->trace.uri = uri;
    if (run->platform->fetch == NULL)
        return lacking(k);
    if (!carried && uri.len > 0 && uri.ptr[0] == '#')
        return fault(k, LSUIT_ERR_OPERATION, TEXT("uri not available"));
    if (carried && payload.len > max)
        return fault(k, LSUIT_ERR_OPERATION, TEXT("larger than image-size"));
    if (run->dry)
        return dry_fetch(k, !carried, max);
    return written(
        k,
        answer(k, run->platform->fetch(run->ctx, k->comp, !run->op_started, uri, payload, max,
                                       value_digest(k), value_bytes(k, PARAM_FETCH_ARGS))),
        max);
}

static enum outcome write(struct call *k)
{
    struct lsuit_run *run = k->run;

    if (run->platform->write == NULL)
        return lacking(k);
    if (run->dry)
        return would_write(k, k->comp);
    return written(k,
                   answer(k, run->platform->write(run->ctx, k->comp, !run->op_started,
                                                  value_bytes(k, PARAM_CONTENT))),
                   UINT64_MAX);
}

/* Is there another component to copy from or to swap with? */
static enum outcome source_find(struct call *k)
{
    uint64_t source = value_uint(k, PARAM_SOURCE);

    if (source >= k->run->manifest->components_n)
        return fault(k, LSUIT_ERR_COMPONENT, TEXT("source index"));
    if (source == k->comp)
        return fault(k, LSUIT_ERR_OPERATION, TEXT("source is the destination"));
    k->trace.source = (uint32_t)source;
    return OUT_DONE;
}

static enum outcome copy(struct call *k)
{
    struct lsuit_run *run = k->run;
    enum outcome out = source_find(k);
    uint32_t source = k->trace.source;
    uint64_t max = value_uint(k, PARAM_SIZE);
    uint64_t size = 0;

    if (out != OUT_DONE)
        return out;
    if (run->platform->copy == NULL)
        return lacking(k);
    if (!run->op_started && !bytes_unknown(k, source)) {
        if (!size_of(k, source, &size))
            return fault(k, LSUIT_ERR_OPERATION, TEXT("source component absent"));
        if (size > max)
            return fault(k, LSUIT_ERR_OPERATION, TEXT("larger than image-size"));
    }
    if (run->dry)
        return would_write(k, k->comp);
    return written(
        k, answer(k, run->platform->copy(run->ctx, k->comp, !run->op_started, source, max)), max);
}

static enum outcome swap(struct call *k)
{
    struct lsuit_run *run = k->run;
    enum outcome out = source_find(k);
    uint32_t source = k->trace.source;

    if (out != OUT_DONE)
        return out;
    if (run->platform->swap == NULL)
        return lacking(k);
    if (run->dry) {
        (void)would_write(k, source);
        return would_write(k, k->comp);
    }
    return answer(k, run->platform->swap(run->ctx, k->comp, !run->op_started, source));
}

static enum outcome invoke(struct call *k)
{
    struct lsuit_run *run = k->run;

    k->trace.args = value_bytes(k, PARAM_INVOKE_ARGS);
    if (run->platform->invoke == NULL)
        return lacking(k);
    return run->dry ? OUT_DONE : answer(k, run->platform->invoke(run->ctx, k->comp, k->trace.args));
}

/* --- The table. --- */

struct command {
    uint8_t code;
    bool is_condition;
    uint8_t needs; /* enum param_slot that must be set */
    uint8_t param; /* its number */
    enum outcome (*run)(struct call *k);
};

/* clang-format off */
static const struct command COMMANDS[] = {
  /* code                          condition  needs           its number                    */
  { LSUIT_COND_VENDOR_IDENTIFIER,  true,  PARAM_VENDOR,  LSUIT_PARAM_VENDOR_IDENTIFIER, vendor },
  { LSUIT_COND_CLASS_IDENTIFIER,   true,  PARAM_CLASS,   LSUIT_PARAM_CLASS_IDENTIFIER,  class },
  { LSUIT_COND_DEVICE_IDENTIFIER,  true,  PARAM_DEVICE,  LSUIT_PARAM_DEVICE_IDENTIFIER, device },
  { LSUIT_COND_IMAGE_MATCH,        true,  PARAM_DIGEST,  LSUIT_PARAM_IMAGE_DIGEST,      image_match },
  { LSUIT_COND_COMPONENT_SLOT,     true,  PARAM_SLOT,    LSUIT_PARAM_COMPONENT_SLOT,    slot },
  { LSUIT_COND_CHECK_CONTENT,      true,  PARAM_CONTENT, LSUIT_PARAM_CONTENT,           check_content },
  { LSUIT_COND_ABORT,              true,  PARAM_NONE,    0,                             abort_condition },
  { LSUIT_DIR_WRITE,               false, PARAM_CONTENT, LSUIT_PARAM_CONTENT,           write },
  { LSUIT_DIR_FETCH,               false, PARAM_URI,     LSUIT_PARAM_URI,               fetch },
  { LSUIT_DIR_COPY,                false, PARAM_SOURCE,  LSUIT_PARAM_SOURCE_COMPONENT,  copy },
  { LSUIT_DIR_SWAP,                false, PARAM_SOURCE,  LSUIT_PARAM_SOURCE_COMPONENT,  swap },
  { LSUIT_DIR_INVOKE,              false, PARAM_NONE,    0,                             invoke },
};
/* clang-format on */

static const struct command *find(int64_t code)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++)
        if (COMMANDS[i].code == code)
            return &COMMANDS[i];
    return NULL;
}

/* A parameter that the command needs isn't set. */
static enum outcome missing(struct call *k, const struct command *cmd)
{
    k->trace.missing = cmd->param;
    if (!cmd->is_condition)
        return fault(k, LSUIT_ERR_OPERATION, TEXT("a parameter is missing"));
    (void)fault(k, LSUIT_ERR_CONDITION, TEXT("a parameter is missing"));
    return OUT_CONDITION;
}

enum outcome lsuit_run_command(struct lsuit_run *run, int64_t code, uint32_t comp)
{
    const struct command *cmd = find(code);
    struct call k = { .run = run, .comp = comp, .code = code };
    enum outcome out;

    k.trace.kind = LSUIT_TRACE_COMMAND;
    k.trace.code = code;
    k.trace.component = comp;
    if (cmd == NULL)
        return fault(&k, LSUIT_ERR_COMMAND, TEXT("unknown command"));
    if (cmd->needs != PARAM_NONE && !is_set(&k, (enum param_slot)cmd->needs))
        out = missing(&k, cmd);
    else
        out = cmd->run(&k);
    if (out == OUT_AGAIN || run->platform->trace == NULL)
        return out;
    k.trace.dry = run->dry;
    k.trace.name = lsuit_run_command_name(code);
    k.trace.ok = out == OUT_DONE;
    run->platform->trace(run->ctx, &k.trace);
    return out;
}
