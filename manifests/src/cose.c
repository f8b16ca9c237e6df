/*
 * COSE_Sign1 and COSE_Mac0: reading and verifying (RFC 9052, sections 3, 4.4 and 6.3).
 */
#include "lsuit/cose.h"

#include "lsuit/cbor.h"

#include "cose.h"

/* Header parameters, RFC 9052, table 3. */
enum { LABEL_ALG = 1, LABEL_CRIT = 2, LABEL_KID = 4 };

struct header {
    bool has_alg, has_kid;
    int64_t alg;
    struct lsuit_bytes kid;
    uint32_t crit; /* bit n: label n is listed */
};

/* Labels that may be critical, since we process them. */
static void crit_read(struct lsuit_cbor *c, struct header *h)
{
    if (lsuit_cbor_array(c) == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next(c)) {
        enum lsuit_cbor_type type = lsuit_cbor_peek(c);
        int64_t label = 0;

        if (type == LSUIT_CBOR_UINT || type == LSUIT_CBOR_NINT)
            label = lsuit_cbor_int(c);
        else
            (void)lsuit_cbor_tstr(c);
        if (label != LABEL_ALG && label != LABEL_KID)
            lsuit_cbor_fail(c, LSUIT_ERR_COSE);
        else
            h->crit |= (uint32_t)1 << label;
    }
}

/* A header map: labels are integers or texts; what we don't know is ignored. */
static void header_read(struct lsuit_cbor *c, struct header *h)
{
    lsuit_cbor_map(c);
    while (lsuit_cbor_next_any_key(c)) {
        int64_t label = 0;

        if (lsuit_cbor_peek(c) == LSUIT_CBOR_TSTR)
            (void)lsuit_cbor_tstr(c);
        else
            label = lsuit_cbor_int(c);
        if (label == LABEL_ALG && lsuit_cbor_peek(c) != LSUIT_CBOR_TSTR) {
            h->alg = lsuit_cbor_int(c);
            h->has_alg = true;
        } else if (label == LABEL_CRIT) {
            crit_read(c, h);
        } else if (label == LABEL_KID) {
            h->kid = lsuit_cbor_bstr(c);
            h->has_kid = true;
        } else {
            (void)lsuit_cbor_item(c);
        }
    }
}

static enum lsuit_err protected_read(struct lsuit_bytes content, struct header *h)
{
    struct lsuit_cbor c = lsuit_cbor_open(content);
    enum lsuit_err e;

    if (content.len == 0)
        return LSUIT_ERR_COSE; /* an empty header: no algorithm */
    header_read(&c, h);
    e = lsuit_cbor_finish(&c);
    if (e != LSUIT_OK)
        return e;
    if (!h->has_alg || h->alg < INT32_MIN || h->alg > INT32_MAX)
        return LSUIT_ERR_COSE;
    /* A critical label must be present in the same header (RFC 9052, 3.1). */
    if ((h->crit & (uint32_t)1 << LABEL_KID) != 0 && !h->has_kid)
        return LSUIT_ERR_COSE;
    return LSUIT_OK;
}

enum lsuit_err lsuit_cose_read(struct lsuit_bytes doc, struct lsuit_cose *cose_out)
{
    struct lsuit_cbor c = lsuit_cbor_open(doc);
    struct lsuit_cose cose = { 0 };
    struct header inner = { 0 }, outer = { 0 };
    enum lsuit_err e;

    cose.tag = lsuit_cbor_tag(&c);
    if (c.err == LSUIT_OK && cose.tag != LSUIT_TAG_COSE_SIGN1 && cose.tag != LSUIT_TAG_COSE_MAC0) {
        (void)lsuit_cbor_item(&c);
        e = lsuit_cbor_finish(&c);
        return e != LSUIT_OK ? e : LSUIT_ERR_COSE;
    }
    if (lsuit_cbor_array(&c) != 4)
        lsuit_cbor_fail(&c, LSUIT_ERR_CBOR);
    cose.protected_ = lsuit_cbor_bstr(&c);
    header_read(&c, &outer);
    if (outer.crit != 0)
        lsuit_cbor_fail(&c, LSUIT_ERR_COSE);
    if (lsuit_cbor_peek(&c) == LSUIT_CBOR_SIMPLE)
        lsuit_cbor_null(&c);
    else
        cose.payload = lsuit_cbor_bstr(&c);
    cose.signature = lsuit_cbor_bstr(&c);
    (void)lsuit_cbor_next(&c);
    e = lsuit_cbor_finish(&c);
    if (e == LSUIT_OK)
        e = protected_read(cose.protected_, &inner);
    if (e != LSUIT_OK)
        return e;
    cose.alg = (int32_t)inner.alg;
    cose.kid = inner.has_kid ? inner.kid : outer.kid;
    *cose_out = cose;
    return LSUIT_OK;
}

/* The one type of key that an algorithm takes; LSUIT_KEY_NONE for an algorithm we don't know. */
static enum lsuit_key_type key_type(uint64_t tag, int32_t alg)
{
    if (tag == LSUIT_TAG_COSE_MAC0)
        return alg == LSUIT_ALG_HMAC256 ? LSUIT_KEY_HMAC256 : LSUIT_KEY_NONE;
    switch (alg) {
    case LSUIT_ALG_ES256:
    case LSUIT_ALG_ESP256:
        return LSUIT_KEY_P256;
    case LSUIT_ALG_EDDSA:
    case LSUIT_ALG_ED25519:
        return LSUIT_KEY_ED25519;
    case LSUIT_ALG_HSS_LMS:
        return LSUIT_KEY_HSS_LMS;
    default:
        return LSUIT_KEY_NONE;
    }
}

void lsuit_cose_tbs_parts(struct lsuit_tbs *tbs, uint64_t tag, struct lsuit_bytes protected_,
                          struct lsuit_bytes external_aad, struct lsuit_bytes payload)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(tbs->heads, sizeof tbs->heads);
    const struct lsuit_bytes content[3] = { protected_, external_aad, payload };
    size_t from = 0;

    lsuit_put_array(&w, 4);
    lsuit_put_text(&w, tag == LSUIT_TAG_COSE_MAC0 ? "MAC0" : "Signature1");
    for (size_t i = 0; i < 3; i++) {
        size_t head = w.len;

        /* The head of a byte string is that of its length as a number, with another type. */
        lsuit_put_uint(&w, content[i].len);
        tbs->heads[head] |= LSUIT_CBOR_BSTR << 5;
        tbs->part[2 * i] = (struct lsuit_bytes){ tbs->heads + from, w.len - from };
        tbs->part[2 * i + 1] = content[i];
        from = w.len;
    }
}

enum lsuit_err lsuit_cose_verify(const struct lsuit_cose *cose, const struct lsuit_crypto *crypto,
                                 const struct lsuit_key *keys, size_t keys_n,
                                 struct lsuit_bytes external_aad, struct lsuit_bytes payload,
                                 size_t *index_out)
{
    enum lsuit_key_type type = key_type(cose->tag, cose->alg);
    enum lsuit_err verdict = LSUIT_ERR_UNAUTHORISED;
    struct lsuit_tbs tbs;

    if (crypto == NULL || crypto->size != sizeof *crypto)
        return LSUIT_ERR_USAGE;
    if (type == LSUIT_KEY_NONE || crypto->verify == NULL)
        return LSUIT_ERR_ALG;
    lsuit_cose_tbs_parts(&tbs, cose->tag, cose->protected_, external_aad,
                         cose->payload.ptr != NULL ? cose->payload : payload);

    /* The kid is a hint: first the keys that it names, then the others. */
    for (int named = 1; named >= 0; named--) {
        for (size_t i = 0; i < keys_n; i++) {
            int hit = cose->kid.len > 0 && keys[i].kid.ptr != NULL &&
                      lsuit_bytes_compare(cose->kid, keys[i].kid) == 0;
            enum lsuit_err e;

            if (hit != named || keys[i].type != type)
                continue;
            e = crypto->verify(crypto->ctx, &keys[i], cose->alg, tbs.part, LSUIT_TBS_PARTS,
                               cose->signature);
            if (e == LSUIT_OK) {
                if (index_out != NULL)
                    *index_out = i;
                return LSUIT_OK;
            }
            if (e != LSUIT_ERR_UNAUTHORISED)
                verdict = e;
        }
    }
    return verdict;
}
