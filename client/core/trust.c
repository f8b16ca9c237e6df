/*
 * The trust set: which keys sign what, and where the server is.
 *
 *   (1) The set in force is the newest that can be proved: the factory's, which is part of the
 *       image, or one of the two records. A record is proved by its digest in a sealed journal, or
 *       by the signatures of the factory's roots.
 *   (2) A step goes to the record that doesn't hold the set in force, is read back, and holds from
 *       the journal's save on. So a cut leaves the set before or the set after.
 *   (3) While the set in force is older than the newest that was ever held, no manifest is taken:
 *       a record that was altered or lost makes the device fetch the steps again.
 *   (4) One step at a time; nothing is fetched while a release is being written or tried.
 *   (5) A base URL that gave no good answer for LAPEL_SILENCE_H hours of running time gives way to
 *       the next; the factory's come last, and then the first again.
 */
#include "core.h"

#include <string.h>

#define HEAD 2u /* length of the document, little endian */
#define HOUR_MS 3600000u
/* How often silence is written down, hours. */
#define SILENCE_STEP_H 24u

static const struct lsuit_bytes *factory(const struct lapel *ctx)
{
    return &ctx->config->trust;
}

/* --- the two records ---------------------------------------------------------------------------- */

/* An error that comes once may be an unstable word. */
static bool read_at(struct lapel *ctx, uint8_t which, size_t at, uint8_t *buf, size_t n)
{
    for (int tries = 0; tries < 3; tries++)
        if (ctx->port.trust->read(ctx->port.ctx, which, at, buf, n) > 0)
            return true;
    return false;
}

/* The document of a record, into memory.envelope; its length, 0 for none. */
static size_t read_record(struct lapel *ctx, uint8_t which)
{
    uint8_t head[HEAD];

    if (!read_at(ctx, which, 0, head, sizeof head))
        return 0;
    size_t n = (size_t)head[0] | (size_t)head[1] << 8;
    if (n > LSUIT_TRUST_MAX || n > ctx->memory.envelope_size ||
        !read_at(ctx, which, HEAD, ctx->memory.envelope, n))
        return 0;
    return n;
}

static bool digest_of(struct lapel *ctx, struct lsuit_bytes doc, uint8_t out[LSUIT_SHA256_LEN])
{
    size_t n = 0;

    return lsuit_hash_bytes(ctx->port.crypto, LSUIT_ALG_SHA256, doc, out, LSUIT_SHA256_LEN, &n) ==
           LSUIT_OK;
}

static enum lsuit_err read_set(struct lsuit_bytes doc, struct lsuit_trust *set_out)
{
    struct lsuit_trust_doc parts;
    enum lsuit_err e = lsuit_trust_doc_read(doc, &parts, NULL);

    return e == LSUIT_OK ? lsuit_trust_read(parts.payload, set_out, NULL) : e;
}

/* Rule (1). */
static bool proved(struct lapel *ctx, struct lsuit_bytes doc, const struct lsuit_trust *by,
                   struct lsuit_trust *set_out)
{
    uint8_t digest[LSUIT_SHA256_LEN];

    if (ctx->port.nv->seal != NULL && ctx->nv_known && digest_of(ctx, doc, digest) &&
        memcmp(digest, ctx->rec.trust.digest, sizeof digest) == 0)
        return read_set(doc, set_out) == LSUIT_OK;
    return lsuit_trust_restore(doc, ctx->port.crypto, by, set_out, NULL) == LSUIT_OK;
}

/* Take the set of a record when it is newer than the one in force. */
static void load_record(struct lapel *ctx, uint8_t which, const struct lsuit_trust *by)
{
    struct lsuit_bytes doc = { ctx->memory.envelope, read_record(ctx, which) };
    struct lsuit_trust set;

    if (doc.len == 0 || !proved(ctx, doc, by, &set) || set.version <= ctx->trust.version)
        return;
    memcpy(ctx->memory.trust + HEAD, doc.ptr, doc.len);
    doc.ptr = ctx->memory.trust + HEAD;
    if (read_set(doc, &ctx->trust) == LSUIT_OK)
        ctx->trust_record = which;
}

static bool may_follow(const struct lapel *ctx)
{
    return LAPEL_WITH_TRUST && ctx->trust.version != 0 && ctx->port.trust != NULL;
}

bool lapel_trust_load(struct lapel *ctx)
{
    struct lsuit_trust by;

    memset(&ctx->trust, 0, sizeof ctx->trust);
    ctx->trust_record = 1; /* the first step goes to record 0 */
    if (!LAPEL_WITH_TRUST || factory(ctx)->ptr == NULL)
        return true;
    if (read_set(*factory(ctx), &by) != LSUIT_OK ||
        (!ctx->config->allow_test_keys && lsuit_trust_has_published(&by)))
        return false;
    ctx->trust = by;
    if (may_follow(ctx)) {
        load_record(ctx, 0, &by);
        load_record(ctx, 1, &by);
    }
    if (ctx->trust.version < ctx->rec.trust.version)
        lapel_core_count(ctx, LSUIT_EVENT_TAMPERED);
    else
        ctx->rec.trust.version = ctx->trust.version; /* of a newer image; stored with the next */
    return true;
}

bool lapel_trust_behind(const struct lapel *ctx)
{
    return LAPEL_WITH_TRUST && ctx->trust.version < ctx->rec.trust.version;
}

const struct lsuit_trust *lapel_trust(const struct lapel *ctx)
{
    return LAPEL_WITH_TRUST && ctx->trust.version != 0 ? &ctx->trust : NULL;
}

/* --- who signs releases ------------------------------------------------------------------------- */

static enum lsuit_err by_set(struct lapel *ctx, const struct lsuit_trust *set,
                             struct lsuit_envelope *envelope, struct lsuit_fault *fault)
{
    struct lsuit_bytes vendor = { ctx->config->vendor_id, sizeof ctx->config->vendor_id };
    struct lsuit_bytes class_ = { ctx->config->class_id, sizeof ctx->config->class_id };

    return lsuit_trust_verify_envelope(set, vendor, class_, envelope, ctx->port.crypto, NULL, NULL,
                                       fault);
}

enum lsuit_err lapel_trust_verify(struct lapel *ctx, struct lsuit_envelope *envelope,
                                  struct lsuit_fault *fault)
{
    struct lsuit_trust_keys keys = { ctx->config->release_keys, ctx->config->release_keys_n,
                                     ctx->config->release_threshold };

    if (lapel_trust_behind(ctx)) {
        fault->err = LSUIT_ERR_UNAUTHORISED;
        return LSUIT_ERR_UNAUTHORISED;
    }
    if (LAPEL_WITH_TRUST && ctx->trust.version != 0)
        return by_set(ctx, &ctx->trust, envelope, fault);
    return lsuit_envelope_verify(envelope, ctx->port.crypto, &keys, NULL, fault);
}

enum lsuit_err lapel_trust_verify_running(struct lapel *ctx, struct lsuit_envelope *envelope,
                                          struct lsuit_fault *fault)
{
    enum lsuit_err e = lapel_trust_verify(ctx, envelope, fault);
    struct lsuit_trust by;

    if (!LAPEL_WITH_TRUST || e == LSUIT_OK || ctx->trust.version == 0)
        return e;
    if (by_set(ctx, &ctx->trust, envelope, fault) == LSUIT_OK)
        return LSUIT_OK;
    return read_set(*factory(ctx), &by) == LSUIT_OK ? by_set(ctx, &by, envelope, fault) : e;
}

/* --- who signs news ----------------------------------------------------------------------------- */

/* The next online role of a set for this device, from number *at on. */
static bool find_online(const struct lapel *ctx, const struct lsuit_trust *set, uint32_t *at,
                        struct lsuit_role *role_out)
{
    struct lsuit_bytes vendor = { ctx->config->vendor_id, sizeof ctx->config->vendor_id };
    struct lsuit_bytes class_ = { ctx->config->class_id, sizeof ctx->config->class_id };

    return lsuit_trust_find(set, LSUIT_ROLE_ONLINE, vendor, class_, at, role_out);
}

bool lapel_trust_has_online(const struct lapel *ctx)
{
    struct lsuit_role role;
    uint32_t at = 0;

    if (LAPEL_WITH_TRUST && ctx->trust.version != 0)
        return find_online(ctx, &ctx->trust, &at, &role);
    return ctx->config->online_keys_n != 0;
}

enum lsuit_err lapel_trust_open(struct lapel *ctx, enum lsuit_doc kind, struct lsuit_bytes doc,
                                struct lsuit_bytes *payload_out)
{
    const struct lapel_config *c = ctx->config;
    struct lsuit_bytes vendor = { c->vendor_id, sizeof c->vendor_id };
    struct lsuit_bytes class_ = { c->class_id, sizeof c->class_id }, nobody = { NULL, 0 };

    if (lapel_trust_behind(ctx)) /* rule (3): its keys may have been revoked */
        return LSUIT_ERR_UNAUTHORISED;
    if (LAPEL_WITH_TRUST && ctx->trust.version != 0)
        return lsuit_trust_verify(&ctx->trust, LSUIT_ROLE_ONLINE, vendor, class_, kind, doc,
                                  ctx->port.crypto, payload_out);
    return lsuit_doc_verify(kind, nobody, doc, ctx->port.crypto, c->online_keys, c->online_keys_n,
                            NULL, payload_out);
}

/* --- where the server is ------------------------------------------------------------------------ */

/* The i-th base URL: those of the set, then the factory's. False when it is none to be used. */
static bool origin_at(const struct lapel *ctx, uint32_t i, struct lapel_origin *origin_out)
{
    uint32_t n = LAPEL_WITH_TRUST ? ctx->trust.urls_n : 0;
    char text[LSUIT_URL_MAX + 1];
    struct lsuit_bytes url;
    const char *from = text;

    if (i < n) {
        if (!lsuit_trust_url_at(&ctx->trust, i, &url))
            return false;
        memcpy(text, url.ptr, url.len);
        text[url.len] = '\0';
    } else {
        from = ctx->config->base_url[i - n];
    }
    /* Files carry no credential, and all that has an effect in them is signed. */
    bool may_clear = ctx->config->clear_credentials || (is_cdn(ctx) && ctx->config->allow_clear);
    return from != NULL && lapel_http_origin(from, origin_out) && (origin_out->tls || may_clear);
}

static uint32_t origins(const struct lapel *ctx)
{
    return (LAPEL_WITH_TRUST ? ctx->trust.urls_n : 0) + 2;
}

void lapel_trust_locate(struct lapel *ctx)
{
    const struct lapel_trust_store *s = ctx->port.trust;
    uint32_t n = origins(ctx);
    uint32_t at = ctx->rec.trust.url % n;

    /* The factory's first is known to be good: the search ends. */
    while (!origin_at(ctx, at, &ctx->origin))
        at = (at + 1) % n;
    ctx->rec.trust.url = (uint8_t)at;
    if (LAPEL_WITH_TRUST && s != NULL && s->use != NULL)
        s->use(ctx->port.ctx, &ctx->trust, at >= ctx->trust.urls_n);
}

void lapel_trust_heard(struct lapel *ctx)
{
    ctx->silent_ms = 0;
    if (ctx->rec.trust.silent_h == 0)
        return;
    ctx->rec.trust.silent_h = 0;
    (void)lapel_journal_save(ctx); /* or with the next change: at worst the next URL is tried */
}

void lapel_trust_tick(struct lapel *ctx, uint64_t passed)
{
    struct lapel_trusted *t = &ctx->rec.trust;

    ctx->silent_ms += passed;
    if (ctx->silent_ms < (uint64_t)SILENCE_STEP_H * HOUR_MS || ctx->exchange != EXCHANGE_NONE)
        return;
    uint64_t hours = ctx->silent_ms / HOUR_MS + t->silent_h;
    ctx->silent_ms = 0;
    t->silent_h = (uint16_t)(hours < LAPEL_SILENCE_H ? hours : 0);
    if (hours >= LAPEL_SILENCE_H) {
        lapel_core_close(ctx);
        t->url = (uint8_t)((t->url + 1u) % origins(ctx));
        lapel_trust_locate(ctx);
        ctx->check_fails = 0;
    }
    (void)lapel_journal_save(ctx); /* or with the next change */
}

/* --- the next step ------------------------------------------------------------------------------ */

void lapel_trust_answer(struct lapel *ctx, uint32_t newest)
{
    ctx->trust_newest = may_follow(ctx) ? newest : 0;
}

/* memory.envelope is free, or what stands in it can be had again. */
static bool has_room(const struct lapel *ctx)
{
    switch ((enum work)ctx->work) {
    case WORK_NONE:
    case WORK_MANIFEST:
    case WORK_DOWNLOAD_GATE:
    case WORK_INSTALL_GATE:
    case WORK_REBOOT_GATE:
        return !is_offline(ctx);
    default:
        return false;
    }
}

bool lapel_trust_wanted(const struct lapel *ctx)
{
    return LAPEL_WITH_TRUST && ctx->trust_newest > ctx->trust.version && has_room(ctx);
}

bool lapel_trust_due(const struct lapel *ctx, uint64_t now)
{
    return ctx->exchange == EXCHANGE_TRUST ||
           (ctx->exchange == EXCHANGE_NONE && lapel_trust_wanted(ctx) && now >= ctx->trust_at &&
            now >= ctx->not_before);
}

/* The manifest in hand leaves memory.envelope and is read, and judged, anew afterwards. */
static void make_room(struct lapel *ctx)
{
    if (ctx->run_open)
        lsuit_run_abort(&ctx->memory.work->run);
    ctx->run_open = false;
    ctx->manifest_ok = false;
    ctx->envelope_n = 0;
    if (ctx->work == WORK_DOWNLOAD_GATE || ctx->work == WORK_INSTALL_GATE)
        ctx->work = WORK_MANIFEST;
}

static void ask(struct lapel *ctx)
{
    uint8_t digits[10];
    size_t at = sizeof digits;
    struct lapel_request request = { .method = "GET", .path = "/v1/trust/" };

    for (uint32_t v = ctx->trust.version + 1; v != 0; v /= 10)
        digits[--at] = (uint8_t)('0' + v % 10);
    request.tail = (struct lsuit_bytes){ digits + at, sizeof digits - at };
    make_room(ctx);
    if (lapel_fetch_ask(ctx, EXCHANGE_TRUST, &request) != HTTP_AGAIN)
        ctx->trust_newest = 0; /* the buffer holds no such request: not before the next answer */
}

static void refuse(struct lapel *ctx, enum lsuit_err e)
{
    bool signature = e == LSUIT_ERR_UNAUTHORISED;
    struct lapel_event event = { .stage = LSUIT_STAGE_VERIFY,
                                 .error =
                                     signature ? LSUIT_CLASS_UNAUTHORISED : LSUIT_CLASS_MALFORMED };

    lapel_core_count(ctx, signature ? LSUIT_EVENT_BAD_SIGNATURE : LSUIT_EVENT_MALFORMED);
    lapel_policy_tell(ctx, LAPEL_EVENT_REFUSED, &event);
}

/* What was written reads as it was meant. */
static bool reads_back(struct lapel *ctx, uint8_t which, size_t n)
{
    uint8_t *io = ctx->http.io;
    size_t piece;

    for (size_t at = 0; at < n; at += piece) {
        piece = n - at < ctx->http.io_size ? n - at : ctx->http.io_size;
        if (!read_at(ctx, which, at, io, piece) || memcmp(io, ctx->memory.trust + at, piece) != 0)
            return false;
    }
    return true;
}

/* Rule (2). memory.trust holds the new record afterwards. */
static bool store(struct lapel *ctx)
{
    uint8_t which = ctx->trust_record ^ 1;
    uint8_t *to = ctx->memory.trust;
    size_t n = ctx->envelope_n;
    size_t whole = (HEAD + n + 63) / 64 * 64;

    memset(to, 0, whole);
    to[0] = (uint8_t)n;
    to[1] = (uint8_t)(n >> 8);
    memcpy(to + HEAD, ctx->memory.envelope, n);
    if (ctx->port.trust->write(ctx->port.ctx, which, to, whole) <= 0 ||
        !reads_back(ctx, which, whole) || lapel_journal_save(ctx) != LAPEL_OK)
        return false;
    ctx->trust_record = which;
    return true;
}

/* A set is in force: its servers, and what was staged under the one before. */
static void in_force(struct lapel *ctx)
{
    struct lapel_pair pair;

    lapel_core_close(ctx);
    lapel_trust_locate(ctx);
    lapel_policy_tell(ctx, LAPEL_EVENT_TRUST, NULL);
    if (ctx->rec.state == LAPEL_STAGED && !lapel_trust_wanted(ctx) &&
        !lapel_apply_from_slot(ctx, ctx->rec.attempt.slot, &pair))
        lapel_apply_end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_VERIFY, LSUIT_CLASS_UNAUTHORISED, 0);
}

static bool is_online_key(const struct lapel *ctx, const struct lsuit_trust *set,
                          struct lsuit_bytes material)
{
    struct lsuit_role role;
    uint32_t at = 0;

    while (find_online(ctx, set, &at, &role))
        for (uint32_t i = 0; i < role.keys_n; i++)
            if (lsuit_bytes_compare(role.keys[i].material, material) == 0)
                return true;
    return false;
}

bool lapel_trust_online_went(const struct lapel *ctx, const struct lsuit_trust *next)
{
    struct lsuit_role role;
    uint32_t at = 0;

    while (find_online(ctx, &ctx->trust, &at, &role))
        for (uint32_t i = 0; i < role.keys_n; i++)
            if (!is_online_key(ctx, next, role.keys[i].material))
                return true;
    return false;
}

/* The step in memory.envelope. False: not now. */
static bool take(struct lapel *ctx)
{
    struct lsuit_bytes doc = { ctx->memory.envelope, ctx->envelope_n };
    struct lapel_trusted former = ctx->rec.trust;
    uint64_t number = ctx->rec.fresh.number;
    struct lsuit_trust next;
    enum lsuit_err e = lsuit_trust_accept(doc, ctx->port.crypto, &ctx->trust, &next, NULL);

    if (e == LSUIT_OK && !ctx->config->allow_test_keys && lsuit_trust_has_published(&next))
        e = LSUIT_ERR_UNAUTHORISED;
    if (e != LSUIT_OK) {
        refuse(ctx, e);
        return false;
    }
    ctx->rec.trust = (struct lapel_trusted){ 0 };
    ctx->rec.trust.version = next.version > former.version ? next.version : former.version;
    if (LAPEL_WITH_STATEMENTS && next.version > former.version &&
        lapel_trust_online_went(ctx, &next))
        ctx->rec.fresh.number = 0; /* one that it signed, however high, ends with it */
    if (!digest_of(ctx, doc, ctx->rec.trust.digest) || !store(ctx)) {
        ctx->rec.trust = former;
        ctx->rec.fresh.number = number;
        (void)lapel_trust_load(ctx); /* memory.trust holds what isn't in force */
        return false;
    }
    doc.ptr = ctx->memory.trust + HEAD;
    (void)read_set(doc, &ctx->trust);
    in_force(ctx);
    return true;
}

/* Check-in and release get their turn before the next try, whatever the server said. */
static void later(struct lapel *ctx)
{
    lapel_fetch_later(ctx, &ctx->trust_at, &ctx->trust_fails);
    ctx->trust_at += SOON_MS;
}

void lapel_trust_step(struct lapel *ctx)
{
    if (ctx->exchange != EXCHANGE_TRUST) {
        ask(ctx);
        return;
    }
    enum http_result r = lapel_fetch_document(ctx);
    switch (r) {
    case HTTP_AGAIN:
        return;
    case HTTP_END:
        ctx->exchange = EXCHANGE_NONE;
        if (take(ctx)) {
            ctx->trust_fails = 0;
            return;
        }
        ctx->http.head.status = 0;
        later(ctx);
        return;
    case HTTP_HEAD: /* no 200 */
        if (ctx->http.head.status == 404)
            ctx->trust_newest = 0; /* until an answer says otherwise */
        later(ctx);
        return;
    case HTTP_STALE:
        lapel_core_close(ctx); /* again at once, on a new connection */
        return;
    default:
        ctx->http.head.status = 0;
        later(ctx);
    }
}
