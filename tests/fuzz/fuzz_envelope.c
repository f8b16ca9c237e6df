/*
 * Envelopes from strangers: split, authenticated against a key that never fits, and read as a tool
 * reads them whose hash always fits.
 */
#include <stdlib.h>
#include <string.h>

#include "lsuit/suit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The "hash" of everything is the digest that the input names, so that more of it is reached. */
struct wish {
    struct lsuit_bytes digest;
};

static enum lsuit_err hash_start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    (void)ctx;
    (void)h;
    return lsuit_digest_len(alg) > 0 ? LSUIT_OK : LSUIT_ERR_ALG;
}

static enum lsuit_err hash_update(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part)
{
    volatile uint8_t last;

    (void)ctx;
    (void)h;
    last = part.ptr[part.len - 1];
    (void)last;
    return LSUIT_OK;
}

static enum lsuit_err hash_finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t out_cap,
                                  size_t *len_out)
{
    const struct wish *w = ctx;

    (void)h;
    *len_out = w->digest.len < out_cap ? w->digest.len : out_cap;
    if (*len_out > 0)
        memcpy(out, w->digest.ptr, *len_out);
    return LSUIT_OK;
}

static void hash_abort(void *ctx, struct lsuit_hash *h)
{
    (void)ctx;
    (void)h;
}

static enum lsuit_err refuse(void *ctx, const struct lsuit_key *key, int32_t alg,
                             const struct lsuit_bytes *parts, size_t parts_n,
                             struct lsuit_bytes signature)
{
    (void)ctx;
    (void)key;
    (void)alg;
    (void)parts;
    (void)parts_n;
    (void)signature;
    return LSUIT_ERR_UNAUTHORISED;
}

/* The bytes of the digest in the wrapper, wherever they are. */
static struct lsuit_bytes wish_of(const struct lsuit_envelope *e)
{
    struct lsuit_cbor c = lsuit_cbor_open(e->auth);
    struct lsuit_bytes inner;

    (void)lsuit_cbor_array(&c);
    inner = lsuit_cbor_bstr(&c);
    c = lsuit_cbor_open(inner);
    (void)lsuit_cbor_array(&c);
    (void)lsuit_cbor_int(&c);
    return lsuit_cbor_bstr(&c);
}

static void require(bool held)
{
    if (!held)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t POINT[65] = { 4 };
    const struct lsuit_key key = { LSUIT_KEY_P256, { POINT, 65 }, { NULL, 0 } };
    const struct lsuit_trust_keys trust = { &key, 1, 1 };
    struct wish wish = { { NULL, 0 } };
    const struct lsuit_crypto crypto = {
        .size = sizeof crypto,
        .ctx = &wish,
        .hash_start = hash_start,
        .hash_update = hash_update,
        .hash_finish = hash_finish,
        .hash_abort = hash_abort,
        .verify = refuse,
    };
    struct lsuit_bytes name = { NULL, 0 }, payload, found;
    struct lsuit_fault fault = { 0 };
    struct lsuit_envelope e;
    struct lsuit_manifest m;
    uint32_t n = 0;

    if (lsuit_envelope_read((struct lsuit_bytes){ data, size }, &e, &fault) != LSUIT_OK) {
        require(fault.err != LSUIT_OK && fault.why != NULL && fault.offset <= size);
        return 0;
    }
    while (lsuit_envelope_payload_at(&e, n, &name, &payload)) {
        n++;
        require(lsuit_envelope_payload(&e, name, &found) == LSUIT_OK);
        require(found.ptr == payload.ptr && found.len == payload.len);
    }
    require(n == e.integrated_n);
    wish.digest = wish_of(&e);
    require(lsuit_envelope_verify(&e, &crypto, &trust, NULL, &fault) != LSUIT_OK);
    require(!e.verified && fault.err != LSUIT_OK && fault.why != NULL);
    if (lsuit_envelope_trust_nobody(&e, &crypto, &fault) != LSUIT_OK)
        return 0;
    if (lsuit_manifest_read(&e, &crypto, &m, &fault) == LSUIT_OK)
        (void)lsuit_manifest_check(&m, 0, &fault);
    else
        require(fault.offset <= size);
    return 0;
}
