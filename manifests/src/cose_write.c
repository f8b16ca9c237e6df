/*
 * COSE_Sign1: signing and writing.
 */
#include "lsuit/cose.h"

#include "lsuit/cbor.h"

#include "cose.h"

#include <string.h>

/* The protected header, which holds the algorithm alone. */
static struct lsuit_bytes protected_make(int32_t alg, uint8_t buf[8])
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, 8);

    lsuit_put_map(&w, 1);
    lsuit_put_uint(&w, 1);
    lsuit_put_int(&w, alg);
    return (struct lsuit_bytes){ w.buf, w.len };
}

/* What a COSE_Sign1 of this algorithm covers; `header` must live as long as tbs. */
static void tbs_make(struct lsuit_tbs *tbs, int32_t alg, uint8_t header[8],
                     struct lsuit_bytes external_aad, struct lsuit_bytes payload)
{
    const struct lsuit_cose cose = { .tag = LSUIT_TAG_COSE_SIGN1,
                                     .protected_ = protected_make(alg, header) };

    lsuit_cose_tbs_parts(tbs, &cose, external_aad, payload);
}

enum lsuit_err lsuit_cose_tbs(int32_t alg, struct lsuit_bytes external_aad,
                              struct lsuit_bytes payload, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *tbs_out)
{
    uint8_t header[8];
    struct lsuit_tbs tbs;
    size_t len = 0;

    tbs_make(&tbs, alg, header, external_aad, payload);
    for (size_t i = 0; i < tbs.n; i++) {
        if (cap - len < tbs.part[i].len)
            return LSUIT_ERR_SPACE;
        if (tbs.part[i].len > 0)
            memcpy(buf + len, tbs.part[i].ptr, tbs.part[i].len);
        len += tbs.part[i].len;
    }
    *tbs_out = (struct lsuit_bytes){ buf, len };
    return LSUIT_OK;
}

enum lsuit_err lsuit_cose_sign1_write(int32_t alg, struct lsuit_bytes kid,
                                      struct lsuit_bytes payload, struct lsuit_bytes signature,
                                      uint8_t *buf, size_t cap, struct lsuit_bytes *doc_out)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    uint8_t header[8];

    lsuit_put_tag(&w, LSUIT_TAG_COSE_SIGN1);
    lsuit_put_array(&w, 4);
    lsuit_put_bstr(&w, protected_make(alg, header));
    lsuit_put_map(&w, kid.ptr != NULL ? 1 : 0);
    if (kid.ptr != NULL) {
        lsuit_put_uint(&w, 4);
        lsuit_put_bstr(&w, kid);
    }
    if (payload.ptr != NULL)
        lsuit_put_bstr(&w, payload);
    else
        lsuit_put_null(&w);
    lsuit_put_bstr(&w, signature);
    return lsuit_put_finish(&w, doc_out);
}

enum lsuit_err lsuit_cose_sign1(const struct lsuit_crypto *crypto, uint32_t signer, int32_t alg,
                                struct lsuit_bytes kid, struct lsuit_bytes external_aad,
                                struct lsuit_bytes payload, uint8_t *buf, size_t cap,
                                struct lsuit_bytes *doc_out)
{
    uint8_t header[8];
    uint8_t signature[LSUIT_ES256_LEN];
    struct lsuit_tbs tbs;
    size_t len = 0;
    enum lsuit_err e;

    if (crypto == NULL || crypto->size != sizeof *crypto || payload.ptr == NULL)
        return LSUIT_ERR_USAGE;
    if (crypto->sign == NULL)
        return LSUIT_ERR_ALG;
    tbs_make(&tbs, alg, header, external_aad, payload);
    e = crypto->sign(crypto->ctx, signer, alg, tbs.part, tbs.n, signature, sizeof signature, &len);
    if (e != LSUIT_OK)
        return e;
    return lsuit_cose_sign1_write(alg, kid, payload, (struct lsuit_bytes){ signature, len }, buf,
                                  cap, doc_out);
}
