/*
 * A device in memory: see suit_device.h.
 */
#include "suit_device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(struct lsuit_bytes a, struct lsuit_bytes b)
{
    return lsuit_bytes_compare(a, b) == 0;
}

struct suit_component *suit_device_component(struct suit_device *d, struct lsuit_bytes id)
{
    for (size_t i = 0; i < d->comp_n; i++)
        if (same(d->comp[i].id, id))
            return &d->comp[i];
    if (d->comp_n == SUIT_DEVICE_COMPONENTS)
        return NULL;
    d->comp[d->comp_n] = (struct suit_component){ .id = id };
    return &d->comp[d->comp_n++];
}

static void resize(struct suit_component *c, size_t len)
{
    uint8_t *p = realloc(c->bytes, len > 0 ? len : 1);

    if (p == NULL)
        abort();
    c->bytes = p;
    c->len = len;
    c->present = true;
}

void suit_component_set(struct suit_component *c, struct lsuit_bytes content)
{
    resize(c, content.len);
    if (content.len > 0)
        memcpy(c->bytes, content.ptr, content.len);
}

void suit_device_calm(struct suit_device *d)
{
    d->operations = 0;
    d->yields = 0;
    d->again_said = 0;
    d->failed_once = false;
    d->touched = false;
    d->moved = 0;
    d->why = NULL;
    d->trace_n = 0;
    d->trace[0] = '\0';
    d->trace_full = false;
    d->invoked_n = 0;
}

void suit_device_fini(struct suit_device *d)
{
    for (size_t i = 0; i < d->comp_n; i++)
        free(d->comp[i].bytes);
    d->comp_n = 0;
}

/* --- The platform table. --- */

static struct suit_component *of(struct suit_device *d, uint32_t comp)
{
    return &d->comp[d->of[comp]];
}

static enum lsuit_err component_find(void *ctx, uint32_t comp, struct lsuit_bytes id)
{
    struct suit_device *d = ctx;
    struct suit_component *c = suit_device_component(d, id);

    if (c == NULL || comp >= LSUIT_MAX_COMPONENTS ||
        (d->max_components > 0 && comp >= d->max_components))
        return LSUIT_ERR_COMPONENT;
    d->of[comp] = (uint32_t)(c - d->comp);
    return LSUIT_OK;
}

static bool has(const struct suit_device *d, const struct suit_ids *ids, struct lsuit_bytes id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (same(ids->id[i], id))
            return true;
    return d->willing;
}

static bool vendor_is(void *ctx, struct lsuit_bytes id)
{
    struct suit_device *d = ctx;

    return has(d, &d->vendor, id);
}

static bool class_is(void *ctx, struct lsuit_bytes id)
{
    struct suit_device *d = ctx;

    return has(d, &d->class, id);
}

static bool device_is(void *ctx, struct lsuit_bytes id)
{
    struct suit_device *d = ctx;

    return has(d, &d->device, id);
}

static bool slot_is(void *ctx, uint32_t comp, uint64_t slot)
{
    return of(ctx, comp)->slot == slot;
}

static bool component_size(void *ctx, uint32_t comp, uint64_t *size_out)
{
    *size_out = of(ctx, comp)->len;
    return of(ctx, comp)->present;
}

/* AGAIN, FAIL or go on (DONE): what disturbs every operation. */
static int disturb(struct suit_device *d)
{
    if (d->again_said < d->again) {
        d->again_said++;
        d->yields++;
        return LSUIT_OP_AGAIN;
    }
    d->again_said = 0;
    d->operations++;
    d->why = NULL;
    if (d->operations == d->fail_at) {
        d->failed_once = true;
        return LSUIT_OP_FAIL;
    }
    return LSUIT_OP_DONE;
}

static int component_read(void *ctx, uint32_t comp, uint64_t offset, uint8_t *buf, size_t n,
                          size_t *got_out)
{
    struct suit_device *d = ctx;
    struct suit_component *c = of(d, comp);
    int r = disturb(d);

    if (r != LSUIT_OP_DONE)
        return r;
    if (!c->present || offset > c->len || n > c->len - offset)
        return LSUIT_OP_FAIL;
    memcpy(buf, c->bytes + offset, n);
    *got_out = n;
    return LSUIT_OP_DONE;
}

static int refuse(struct suit_device *d, const char *why)
{
    d->why = why;
    return LSUIT_OP_FAIL;
}

/* Move the next piece of `from` into a component. */
static int move(struct suit_device *d, uint32_t comp, bool first, struct lsuit_bytes from)
{
    struct suit_component *c = of(d, comp);
    int r;
    size_t n;

    if (first) {
        resize(c, 0);
        d->moved = 0;
        d->touched = true;
    }
    r = disturb(d);
    if (r != LSUIT_OP_DONE)
        return r;
    n = from.len - d->moved;
    if (d->piece > 0 && n > d->piece)
        n = d->piece;
    resize(c, d->moved + n);
    if (n > 0)
        memcpy(c->bytes + d->moved, from.ptr + d->moved, n);
    d->moved += n;
    if (d->moved == from.len)
        return LSUIT_OP_DONE;
    d->yields++;
    return LSUIT_OP_AGAIN;
}

static int fetch(void *ctx, uint32_t comp, bool first, struct lsuit_bytes uri,
                 struct lsuit_bytes integrated, uint64_t max_size, struct lsuit_digest digest,
                 struct lsuit_bytes fetch_args)
{
    struct suit_device *d = ctx;
    struct lsuit_bytes body = integrated;

    (void)digest;
    (void)fetch_args;
    for (size_t i = 0; body.ptr == NULL && i < d->payloads_n; i++)
        if (same(d->payload[i].uri, uri))
            body = d->payload[i].body;
    if (body.ptr == NULL)
        return refuse(d, "uri not available");
    if (body.len > max_size)
        return refuse(d, "larger than image-size");
    return move(d, comp, first, body);
}

static int copy(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size)
{
    struct suit_component *s = of(ctx, source);

    if (s->len > max_size)
        return refuse(ctx, "larger than image-size");
    return move(ctx, comp, first, (struct lsuit_bytes){ s->bytes, s->len });
}

static int write(void *ctx, uint32_t comp, bool first, struct lsuit_bytes content)
{
    return move(ctx, comp, first, content);
}

/* Decrypt all at once into d->plain, as a device with memory to spare would. */
static bool decrypt(struct suit_device *d, struct lsuit_bytes sealed, struct lsuit_bytes info)
{
    static uint8_t buf[SUIT_DEVICE_PLAIN];
    struct lsuit_decrypt dec;
    struct lsuit_bytes rest = { NULL, 0 };

    if (lsuit_decrypt_open(&dec, &lsuit_crypto_psa, d->decrypt_keys, d->decrypt_keys_n, info, buf,
                           sizeof buf, NULL) != LSUIT_OK)
        return false;
    if (lsuit_decrypt_update(&dec, sealed, d->plain, sizeof d->plain, &d->plain_n) != LSUIT_OK ||
        lsuit_decrypt_finish(&dec, &rest) != LSUIT_OK) {
        lsuit_decrypt_abort(&dec);
        return false;
    }
    if (rest.len > 0) {
        memcpy(d->plain, rest.ptr, rest.len);
        d->plain_n = rest.len;
    }
    return true;
}

static int decrypt_move(struct suit_device *d, uint32_t comp, bool first, struct lsuit_bytes sealed,
                        uint64_t max_size, struct lsuit_bytes info)
{
    if (first && !decrypt(d, sealed, info))
        return refuse(d, "not decrypted");
    if (d->plain_n > max_size)
        return refuse(d, "larger than image-size");
    return move(d, comp, first, (struct lsuit_bytes){ d->plain, d->plain_n });
}

static int copy_decrypt(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size,
                        struct lsuit_bytes encryption_info)
{
    struct suit_component *s = of(ctx, source);

    return decrypt_move(ctx, comp, first, (struct lsuit_bytes){ s->bytes, s->len }, max_size,
                        encryption_info);
}

static int write_decrypt(void *ctx, uint32_t comp, bool first, struct lsuit_bytes content,
                         struct lsuit_bytes encryption_info)
{
    return decrypt_move(ctx, comp, first, content, UINT64_MAX, encryption_info);
}

static int swap(void *ctx, uint32_t comp, bool first, uint32_t source)
{
    struct suit_device *d = ctx;
    struct suit_component *a = of(d, comp);
    struct suit_component *b = of(d, source);
    struct suit_component t = *a;
    int r = disturb(d);

    (void)first;
    if (r != LSUIT_OP_DONE)
        return r;
    a->bytes = b->bytes;
    a->len = b->len;
    a->present = b->present;
    b->bytes = t.bytes;
    b->len = t.len;
    b->present = t.present;
    d->touched = true;
    return LSUIT_OP_DONE;
}

static int invoke(void *ctx, uint32_t comp, struct lsuit_bytes args)
{
    struct suit_device *d = ctx;
    int r = disturb(d);

    (void)args;
    if (r != LSUIT_OP_DONE)
        return r;
    d->touched = true;
    if (d->invoked_n < sizeof d->invoked / sizeof d->invoked[0])
        d->invoked[d->invoked_n++] = d->of[comp];
    return LSUIT_OP_DONE;
}

static bool now(void *ctx, uint64_t *epoch_s_out)
{
    struct suit_device *d = ctx;

    *epoch_s_out = d->now;
    return d->now != 0;
}

static bool battery(void *ctx, uint64_t *mwh_out)
{
    struct suit_device *d = ctx;

    *mwh_out = d->battery_mwh;
    return d->battery_mwh != 0;
}

static int authorized(void *ctx, int64_t priority)
{
    struct suit_device *d = ctx;
    int r = disturb(d);

    (void)priority;
    if (r != LSUIT_OP_DONE)
        return r;
    return d->authorized ? LSUIT_OP_DONE : LSUIT_OP_FAIL;
}

static struct lsuit_bytes version(void *ctx, uint32_t comp)
{
    return of(ctx, comp)->version;
}

/* Whatever it is, it comes when the device has said AGAIN often enough, and stays. */
static int wait_for(void *ctx, enum lsuit_wait_event event, int64_t value, struct lsuit_bytes other)
{
    struct suit_device *d = ctx;

    (void)event;
    (void)value;
    (void)other;
    if (d->again_said < d->again) {
        d->again_said++;
        d->yields++;
        return LSUIT_OP_AGAIN;
    }
    return LSUIT_OP_DONE;
}

static int metadata(void *ctx, uint32_t comp, struct lsuit_bytes metadata)
{
    (void)ctx;
    (void)comp;
    (void)metadata;
    return LSUIT_OP_DONE;
}

static const struct lsuit_trust_keys *dependency_keys(void *ctx, uint32_t comp)
{
    struct suit_device *d = ctx;

    (void)comp;
    return d->keys;
}

static enum lsuit_err dependency_accept(void *ctx, uint32_t comp,
                                        const struct lsuit_manifest *manifest,
                                        const struct lsuit_auth *auth)
{
    (void)ctx;
    (void)comp;
    (void)manifest;
    return auth->signers_n > 0 ? LSUIT_OK : LSUIT_ERR_COMPONENT_AUTH;
}

static int unlink_component(void *ctx, uint32_t comp, bool first)
{
    struct suit_device *d = ctx;
    struct suit_component *c = of(d, comp);
    int r = disturb(d);

    (void)first;
    if (r != LSUIT_OP_DONE)
        return r;
    c->present = false;
    c->len = 0;
    d->touched = true;
    return LSUIT_OP_DONE;
}

/* --- The trace, as the vectors write it. --- */

__attribute__((format(printf, 2, 3))) static void say(struct suit_device *d, const char *format,
                                                      ...)
{
    size_t room = sizeof d->trace - d->trace_n;
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(d->trace + d->trace_n, room, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room)
        d->trace_full = true;
    else
        d->trace_n += (size_t)n;
}

static void say_bytes(struct suit_device *d, const char *label, struct lsuit_bytes b, bool hex)
{
    say(d, "%s", label);
    for (size_t i = 0; i < b.len; i++)
        say(d, hex ? "%02x" : "%c", b.ptr[i]);
}

/* What follows "ok" or "fail". */
static void say_detail(struct suit_device *d, const struct lsuit_trace *t)
{
    const char *why = t->why != NULL ? t->why : d->why;

    if (t->missing != 0) {
        say(d, " missing-parameter=%u", (unsigned)t->missing);
    } else if (t->code == LSUIT_COND_COMPONENT_SLOT) {
        say(d, " slot=%llu", (unsigned long long)t->slot);
    } else if (!t->ok && why != NULL) {
        say(d, " %s", why);
        if (strcmp(why, "uri not available") == 0)
            say_bytes(d, " ", t->uri, false);
    } else if (t->ok && t->code == LSUIT_DIR_FETCH) {
        say_bytes(d, " uri=", t->uri, false);
        if (!d->willing)
            say(d, " size=%llu", (unsigned long long)t->size);
    } else if (t->ok && t->code == LSUIT_DIR_WRITE) {
        say(d, " size=%llu", (unsigned long long)t->size);
    } else if (t->ok && (t->code == LSUIT_DIR_COPY || t->code == LSUIT_DIR_SWAP)) {
        say(d, " source=%u", (unsigned)t->source);
    } else if (t->ok && t->code == LSUIT_DIR_INVOKE) {
        say_bytes(d, " args=", t->args, true);
    }
}

static void trace(void *ctx, const struct lsuit_trace *t)
{
    struct suit_device *d = ctx;
    const char *name = t->name != NULL ? t->name : "?";

    if (t->dry && !d->willing)
        return;
    say(d, "%*s", 2 * t->depth, "");
    if (t->kind == LSUIT_TRACE_PROCEDURE) {
        say(d, "procedure %s\n", name);
    } else if (t->kind == LSUIT_TRACE_SECTION) {
        say(d, "section %s\n", name);
    } else if (t->kind == LSUIT_TRACE_BEGIN || t->kind == LSUIT_TRACE_END) {
        say(d, "%s %u %s\n", name, (unsigned)t->component,
            t->kind == LSUIT_TRACE_BEGIN ? "begin" : "end");
    } else {
        say(d, "%s %u %s", name, (unsigned)t->component, t->ok ? "ok" : "fail");
        say_detail(d, t);
        say(d, "\n");
    }
    d->why = NULL;
}

const struct lsuit_platform SUIT_DEVICE_PLATFORM = {
    .size = sizeof(struct lsuit_platform),
    .component_find = component_find,
    .vendor_is = vendor_is,
    .class_is = class_is,
    .device_is = device_is,
    .slot_is = slot_is,
    .component_size = component_size,
    .component_read = component_read,
    .fetch = fetch,
    .copy = copy,
    .write = write,
    .swap = swap,
    .invoke = invoke,
    .trace = trace,
    .copy_decrypt = copy_decrypt,
    .write_decrypt = write_decrypt,
    .now = now,
    .battery = battery,
    .authorized = authorized,
    .version = version,
    .wait = wait_for,
    .metadata = metadata,
    .dependency_keys = dependency_keys,
    .dependency_accept = dependency_accept,
    .unlink = unlink_component,
};
