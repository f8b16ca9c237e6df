/*
 * Envelope and payload over HTTP.
 *
 *   (1) One connection serves the whole download; it is opened again when it ends.
 *   (2) A payload is whole by the manifest's image size and nothing else; a response that
 *       promises another length is refused before its first byte is written.
 *   (3) Resumed by Range with If-Range: the ETag of a payload is its SHA-256 (SPEC.md, "Names
 *       of bytes"), which its URL names. A 200 to a Range begins again at zero.
 *   (4) A network that is away never ends an attempt; answers that make no sense do.
 */
#include "core.h"

#include <string.h>

#define PAYLOAD_PREFIX "../payloads/"
#define HEX_DIGEST 64

enum http_result lapel_fetch_ask(struct lapel *ctx, enum exchange exchange,
                                 struct lapel_request *request)
{
    bool may = ctx->origin.tls || ctx->config->clear_credentials;

    if (is_cdn(ctx)) { /* whoever serves the files has no business with us */
        may = false;
        request->attempt = NULL;
    }
    request->token = !may || ctx->identity == IDENTITY_NOBODY ? NULL
                     : ctx->identity == IDENTITY_TOKEN_NEXT   ? ctx->config->token_next
                                                              : ctx->config->token;
    enum http_result r = lapel_http_start(&ctx->http, request);
    if (r == HTTP_AGAIN)
        ctx->exchange = (uint8_t)exchange;
    ctx->exchange_at = now_ms(ctx);
    return r;
}

void lapel_fetch_unauthorised(struct lapel *ctx)
{
    bool nobody = ctx->identity == IDENTITY_NOBODY;

    lapel_core_count(ctx, LSUIT_EVENT_AUTH_REFUSED);
    lapel_policy_tell(ctx, LAPEL_EVENT_AUTH, NULL);
    if (ctx->identity == IDENTITY_TOKEN && ctx->config->token_next != NULL)
        ctx->identity = IDENTITY_TOKEN_NEXT;
    else if (!nobody && ctx->config->anonymous_fallback)
        ctx->identity = IDENTITY_NOBODY;
    else
        ctx->identity = IDENTITY_TOKEN;
}

void lapel_fetch_later(struct lapel *ctx, uint64_t *at, uint8_t *fails)
{
    struct lapel_http *h = &ctx->http;
    uint64_t now = now_ms(ctx);

    if (h->head.status == 429 || h->head.status == 503) {
        uint32_t after = h->head.has_retry_after ? h->head.retry_after_s : 30;

        *at = now + lapel_sched_retry_after(after, lapel_core_chance(ctx));
        ctx->not_before = *at;
    } else {
        uint32_t min = lapel_core_period(ctx) < LAPEL_BACKOFF_MIN_MS ? lapel_core_period(ctx)
                                                                     : LAPEL_BACKOFF_MIN_MS;

        *at = now + lapel_sched_backoff(*fails, min, LAPEL_BACKOFF_MAX_MS, lapel_core_chance(ctx));
        if (*fails < UINT8_MAX)
            (*fails)++;
    }
    lapel_core_close(ctx);
}

static enum http_result step(struct lapel *ctx)
{
    enum http_result r = lapel_http_step(&ctx->http, now_ms(ctx));

    if (r == HTTP_AGAIN && !ctx->http.moved)
        ctx->wait_ms = SOCKET_WAIT_MS;
    if (r == HTTP_TRUST)
        lapel_core_count(ctx, LSUIT_EVENT_TLS_FAILURE);
    return r;
}

/* May the next request go out? Says how long not. */
static bool due(struct lapel *ctx)
{
    uint64_t now = now_ms(ctx);
    uint64_t at = ctx->retry_at > ctx->not_before ? ctx->retry_at : ctx->not_before;

    if (now >= at)
        return true;
    ctx->wait_ms = at - now > UINT32_MAX ? UINT32_MAX : (uint32_t)(at - now);
    return false;
}

static int end(struct lapel *ctx, uint8_t kind, uint8_t stage, uint8_t class_, int32_t code)
{
    ctx->fail = (struct lapel_fail){ kind, stage, class_, code };
    lapel_core_close(ctx);
    return LSUIT_OP_FAIL;
}

/* An answer other than the wanted one. AGAIN: later; FAIL: ctx->fail says why. */
static int refused(struct lapel *ctx, uint8_t stage)
{
    uint16_t status = ctx->http.head.status;

    if (status == 410)
        return end(ctx, LAPEL_OUTCOME_WITHDRAWN, stage, LSUIT_CLASS_WITHDRAWN, status);
    if (status == 401)
        lapel_fetch_unauthorised(ctx);
    if (status == 404 || (status < 500 && status != 429 && ctx->work_fails >= WORK_FAILS_MAX))
        return end(ctx, LAPEL_OUTCOME_FAILED, stage, LSUIT_CLASS_SERVER_REFUSED, status);
    lapel_fetch_later(ctx, &ctx->retry_at, &ctx->work_fails);
    return LSUIT_OP_AGAIN;
}

/* The exchange broke. */
static int broken(struct lapel *ctx, enum http_result r, uint8_t stage)
{
    ctx->http.head.status = 0;
    if (r == HTTP_STALE) {
        lapel_core_close(ctx);
        return LSUIT_OP_AGAIN; /* at once, on a new connection */
    }
    if ((r == HTTP_PROTOCOL || r == HTTP_LIMIT) && ctx->work_fails >= WORK_FAILS_MAX)
        return end(ctx, LAPEL_OUTCOME_FAILED, stage, LSUIT_CLASS_MALFORMED, (int32_t)r);
    lapel_fetch_later(ctx, &ctx->retry_at, &ctx->work_fails);
    return LSUIT_OP_AGAIN;
}

/* --- the envelope ------------------------------------------------------------------------ */

void lapel_fetch_hex(const uint8_t *bytes, size_t n, uint8_t *hex)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < 2 * n; i++)
        hex[i] = (uint8_t)DIGITS[(bytes[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15];
}

static int manifest_ask(struct lapel *ctx)
{
    uint8_t hex[HEX_DIGEST];
    struct lapel_request request = { .method = "GET", .path = "/v1/manifests/" };

    if (!due(ctx))
        return LSUIT_OP_AGAIN;
    lapel_fetch_hex(ctx->want.digest, sizeof ctx->want.digest, hex);
    request.tail = (struct lsuit_bytes){ hex, sizeof hex };
    if (lapel_fetch_ask(ctx, EXCHANGE_MANIFEST, &request) != HTTP_AGAIN)
        return end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_ENVELOPE, LSUIT_CLASS_LIMIT, 0);
    ctx->envelope_n = 0;
    return LSUIT_OP_AGAIN;
}

static bool document_take(struct lapel *ctx)
{
    struct lapel_http *h = &ctx->http;

    if (h->body_n > ctx->memory.envelope_size - ctx->envelope_n)
        return false;
    memcpy(ctx->memory.envelope + ctx->envelope_n, h->io, h->body_n);
    ctx->envelope_n += h->body_n;
    lapel_http_take(h, h->body_n);
    return true;
}

enum http_result lapel_fetch_document(struct lapel *ctx)
{
    enum http_result r = step(ctx);

    if (r == HTTP_HEAD && ctx->http.head.status == 200)
        return HTTP_AGAIN;
    if ((r == HTTP_BODY || r == HTTP_END) && !document_take(ctx))
        return HTTP_LIMIT;
    return r == HTTP_BODY ? HTTP_AGAIN : r;
}

int lapel_fetch_manifest(struct lapel *ctx)
{
    struct lapel_http *h = &ctx->http;

    if (ctx->exchange != EXCHANGE_MANIFEST)
        return manifest_ask(ctx);
    enum http_result r = lapel_fetch_document(ctx);
    switch (r) {
    case HTTP_AGAIN:
        return LSUIT_OP_AGAIN;
    case HTTP_HEAD:
        return refused(ctx, LSUIT_STAGE_ENVELOPE);
    case HTTP_END:
        ctx->exchange = EXCHANGE_NONE;
        ctx->work_fails = 0;
        return LSUIT_OP_DONE;
    default:
        if (r == HTTP_LIMIT && lapel_http_in_body(h))
            return end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_ENVELOPE, LSUIT_CLASS_LIMIT, 0);
        return broken(ctx, r, LSUIT_STAGE_ENVELOPE);
    }
}

/* --- a payload ------------------------------------------------------------------------------ */

static int payload_ask(struct lapel *ctx, struct lsuit_bytes hex)
{
    struct lapel_request request = { .method = "GET", .path = "/v1/payloads/", .tail = hex };

    if (!due(ctx))
        return LSUIT_OP_AGAIN;
    request.attempt = ctx->rec.attempt.id;
    request.from = ctx->at;
    if (lapel_fetch_ask(ctx, EXCHANGE_PAYLOAD, &request) != HTTP_AGAIN)
        return end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_FETCH, LSUIT_CLASS_LIMIT, 0);
    return LSUIT_OP_AGAIN;
}

static int payload_head(struct lapel *ctx)
{
    struct lapel_http *h = &ctx->http;

    if (h->head.status == 416 &&
        ctx->at > 0) { /* another length than ours: what is there is no good */
        lapel_store_rewind(ctx);
        lapel_fetch_later(ctx, &ctx->retry_at, &ctx->work_fails);
        return LSUIT_OP_AGAIN;
    }
    if (h->head.status != 200 && h->head.status != 206)
        return refused(ctx, LSUIT_STAGE_FETCH);
    if (h->head.status == 200 && ctx->at > 0)
        lapel_store_rewind(ctx);
    if (h->head.status == 206 &&
        (ctx->at == 0 || !h->head.has_range || h->head.range_first != ctx->at ||
         h->head.range_total != ctx->total || h->head.range_last != ctx->total - 1))
        return broken(ctx, HTTP_PROTOCOL, LSUIT_STAGE_FETCH);
    if (h->head.has_length && h->head.length != ctx->total - ctx->at)
        return broken(ctx, HTTP_PROTOCOL, LSUIT_STAGE_FETCH);
    return LSUIT_OP_AGAIN;
}

/* Write what has come. */
static int payload_body(struct lapel *ctx, bool whole)
{
    struct lapel_http *h = &ctx->http;
    size_t used = 0;

    if (h->body_n > ctx->total - ctx->at)
        return broken(ctx, HTTP_PROTOCOL, LSUIT_STAGE_FETCH);
    uint64_t before = ctx->at;
    int r = lapel_store_put(ctx, h->io, h->body_n, &used);
    if (r == LSUIT_OP_FAIL) {
        lapel_core_close(ctx);
        return r;
    }
    lapel_http_take(h, used);
    if (ctx->at != before)
        ctx->work_fails = 0;
    if (ctx->at == ctx->total) {
        ctx->exchange = EXCHANGE_NONE;
        if (!whole || !h->keep)
            lapel_core_close(ctx);
        return LSUIT_OP_DONE;
    }
    if (whole && r == LSUIT_OP_DONE && used == 0) /* shorter than it said: go on from here */
        return broken(ctx, HTTP_NETWORK, LSUIT_STAGE_FETCH);
    return LSUIT_OP_AGAIN;
}

/* Is there something to write before the next receive? */
static bool must_write(const struct lapel *ctx)
{
    const struct lapel_http *h = &ctx->http;

    return h->body_n >= ctx->info.write_size || h->body_n == ctx->total - ctx->at;
}

int lapel_fetch_payload(struct lapel *ctx, struct lsuit_bytes uri)
{
    const size_t prefix = sizeof PAYLOAD_PREFIX - 1;
    struct lapel_http *h = &ctx->http;

    if (uri.len != prefix + HEX_DIGEST || memcmp(uri.ptr, PAYLOAD_PREFIX, prefix) != 0)
        return end(ctx, LAPEL_OUTCOME_FAILED, LSUIT_STAGE_FETCH, LSUIT_CLASS_UNSUPPORTED, 0);
    if (ctx->exchange != EXCHANGE_PAYLOAD)
        return payload_ask(ctx, (struct lsuit_bytes){ uri.ptr + prefix, HEX_DIGEST });
    if (lapel_http_in_body(h) && h->body_n > 0 && must_write(ctx))
        return payload_body(ctx, lapel_http_whole(h));

    enum http_result r = step(ctx);
    switch (r) {
    case HTTP_AGAIN:
    case HTTP_BODY:
        return LSUIT_OP_AGAIN;
    case HTTP_HEAD:
        return payload_head(ctx);
    case HTTP_END:
        return payload_body(ctx, true);
    default:
        return broken(ctx, r, LSUIT_STAGE_FETCH);
    }
}
