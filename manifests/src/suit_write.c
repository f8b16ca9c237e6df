/*
 * Writing an envelope around a finished manifest.
 */
#include "lsuit/suit.h"

void lsuit_put_digest(struct lsuit_cbor_writer *w, int32_t alg, struct lsuit_bytes digest)
{
    lsuit_put_array(w, 2);
    lsuit_put_int(w, alg);
    lsuit_put_bstr(w, digest);
}

/* The SHA-256 of the manifest as it stands in the envelope, with its header. */
static enum lsuit_err manifest_digest(const struct lsuit_crypto *crypto,
                                      struct lsuit_bytes manifest, uint8_t out[LSUIT_SHA256_LEN])
{
    uint8_t head[16];
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(head, sizeof head);
    struct lsuit_hash h;
    size_t len = 0;
    enum lsuit_err e;

    /* The head of a byte string is that of its length as a number, with another type. */
    lsuit_put_uint(&w, manifest.len);
    head[0] |= LSUIT_CBOR_BSTR << 5;
    e = crypto->hash_start(crypto->ctx, &h, LSUIT_ALG_SHA256);
    if (e != LSUIT_OK)
        return e;
    e = crypto->hash_update(crypto->ctx, &h, (struct lsuit_bytes){ head, w.len });
    if (e == LSUIT_OK)
        e = crypto->hash_update(crypto->ctx, &h, manifest);
    if (e == LSUIT_OK)
        e = crypto->hash_finish(crypto->ctx, &h, out, LSUIT_SHA256_LEN, &len);
    if (e != LSUIT_OK)
        crypto->hash_abort(crypto->ctx, &h);
    return e;
}

enum lsuit_err lsuit_envelope_write(const struct lsuit_envelope_parts *parts,
                                    const struct lsuit_crypto *crypto, uint8_t *buf, size_t cap,
                                    struct lsuit_bytes *doc_out)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    uint8_t digest[LSUIT_SHA256_LEN];
    struct lsuit_envelope check;
    struct lsuit_bytes doc;
    size_t wrapper, inner;
    enum lsuit_err e;

    if (crypto == NULL || crypto->size != sizeof *crypto || parts->manifest.len == 0)
        return LSUIT_ERR_USAGE;
    if (crypto->hash_start == NULL)
        return LSUIT_ERR_ALG;
    e = manifest_digest(crypto, parts->manifest, digest);
    if (e != LSUIT_OK)
        return e;

    lsuit_put_tag(&w, LSUIT_TAG_ENVELOPE);
    lsuit_put_map(&w, 2 + parts->severed_n + parts->integrated_n);
    lsuit_put_uint(&w, 2); /* suit-authentication-wrapper */
    wrapper = lsuit_put_bstr_open(&w);
    lsuit_put_array(&w, 1 + (uint32_t)parts->cose_n);
    inner = lsuit_put_bstr_open(&w);
    lsuit_put_digest(&w, LSUIT_ALG_SHA256, (struct lsuit_bytes){ digest, sizeof digest });
    lsuit_put_bstr_close(&w, inner);
    for (size_t i = 0; i < parts->cose_n; i++)
        lsuit_put_bstr(&w, parts->cose[i]);
    lsuit_put_bstr_close(&w, wrapper);
    lsuit_put_uint(&w, 3); /* suit-manifest */
    lsuit_put_bstr(&w, parts->manifest);
    if (parts->severed_n > 0)
        lsuit_put_item(&w, parts->severed);
    if (parts->integrated_n > 0)
        lsuit_put_item(&w, parts->integrated);
    e = lsuit_put_finish(&w, &doc);

    /* What was handed in may be out of order or malformed: our own reader is the judge. */
    if (e == LSUIT_OK)
        e = lsuit_envelope_read(doc, &check, NULL);
    if (e == LSUIT_OK)
        *doc_out = doc;
    return e;
}
