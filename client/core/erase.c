/*
 * The server forgets this device, because a person at the device asked for it (5.11-2, -4).
 *
 *   check-in with `erase` ─► answer with a nonce ─► DELETE with it ─► signed receipt
 *
 *   (1) Nothing that came over the network begins it.
 *   (2) It is not remembered over a restart: who asked asks again.
 *   (3) A receipt counts when an online key signed it for this device and this nonce.
 */
#include "core.h"

#include <string.h>

#include "lsuit/checkin.h"
#include "lsuit/receipt.h"

enum lapel_err lapel_erase(struct lapel *ctx)
{
    if (!LAPEL_WITH_ERASE || is_cdn(ctx) || ctx->config->device_id == NULL ||
        ctx->config->token == NULL)
        return LAPEL_ERR_STATE;
    ctx->erase = LAPEL_ERASE_ASKED;
    lapel_kick(ctx);
    return LAPEL_OK;
}

static void end(struct lapel *ctx, uint8_t class_, struct lsuit_bytes receipt)
{
    struct lapel_event event = { .error = class_, .receipt = receipt };

    ctx->erase = class_ == LSUIT_CLASS_NONE ? LAPEL_ERASE_DONE : LAPEL_ERASE_FAILED;
    lapel_policy_tell(ctx, LAPEL_EVENT_ERASED, &event);
}

static const struct lsuit_bytes NO_RECEIPT = { NULL, 0 };

void lapel_erase_answer(struct lapel *ctx, struct lsuit_bytes nonce)
{
    if (ctx->erase != LAPEL_ERASE_ASKED)
        return;
    if (nonce.ptr == NULL || nonce.len > sizeof ctx->erase_nonce) {
        end(ctx, LSUIT_CLASS_UNSUPPORTED, NO_RECEIPT);
        return;
    }
    memcpy(ctx->erase_nonce, nonce.ptr, nonce.len);
    ctx->erase_nonce_n = (uint8_t)nonce.len;
    ctx->erase = LAPEL_ERASE_BEGUN;
    ctx->erase_at = 0;
}

void lapel_erase_refused(struct lapel *ctx)
{
    if (ctx->erase == LAPEL_ERASE_ASKED && ctx->identity != IDENTITY_TOKEN_NEXT)
        end(ctx, LSUIT_CLASS_UNAUTHORISED, NO_RECEIPT);
}

enum lapel_err lapel_erase_start(struct lapel *ctx)
{
    struct lapel_request request = { .method = "DELETE",
                                     .path = "/v1/device",
                                     .erase = { ctx->erase_nonce, ctx->erase_nonce_n } };

    if (lapel_fetch_ask(ctx, EXCHANGE_ERASE, &request) == HTTP_AGAIN)
        return LAPEL_OK;
    end(ctx, LSUIT_CLASS_LIMIT, NO_RECEIPT);
    return LAPEL_ERR_MEMORY;
}

static bool is_text(struct lsuit_bytes b, const char *text)
{
    return b.len == lsuit_text(text).len && memcmp(b.ptr, text, b.len) == 0;
}

static uint8_t check_receipt(struct lapel *ctx, struct lsuit_bytes doc)
{
    const struct lapel_config *c = ctx->config;
    struct lsuit_receipt receipt;
    struct lsuit_bytes payload = { NULL, 0 };
    enum lsuit_err e = lapel_trust_open(ctx, LSUIT_DOC_RECEIPT, doc, &payload);

    if (e == LSUIT_OK)
        e = lsuit_receipt_read(payload, &receipt, NULL);
    if (e != LSUIT_OK)
        return lapel_apply_class(e);
    if (!is_text(receipt.product, c->product) || !is_text(receipt.device_id, c->device_id) ||
        receipt.nonce.len != ctx->erase_nonce_n ||
        memcmp(receipt.nonce.ptr, ctx->erase_nonce, ctx->erase_nonce_n) != 0)
        return LSUIT_CLASS_WRONG_DEVICE;
    return LSUIT_CLASS_NONE;
}

void lapel_erase_ended(struct lapel *ctx)
{
    struct lapel_http *h = &ctx->http;
    struct lsuit_bytes doc = { h->io, h->body_n };

    ctx->exchange = EXCHANGE_NONE;
    if (h->head.status == 204) {
        end(ctx, LSUIT_CLASS_NONE, NO_RECEIPT);
    } else if (h->head.status == 200) {
        uint8_t class_ = check_receipt(ctx, doc);

        end(ctx, class_, class_ == LSUIT_CLASS_NONE ? doc : NO_RECEIPT);
    } else if (h->head.status == 429 || h->head.status >= 500 || h->head.status == 0) {
        lapel_fetch_later(ctx, &ctx->erase_at, &ctx->erase_fails);
    } else {
        end(ctx, h->head.status == 401 ? LSUIT_CLASS_UNAUTHORISED : LSUIT_CLASS_SERVER_REFUSED,
            NO_RECEIPT);
    }
}
