/*
 * COSE_Sign1, COSE_Sign and COSE_Mac0: reading and verifying (RFC 9052, sections 4 and 6).
 */
#include "cose.h"
#include "hss_lms.h"

static bool tag_ok(uint64_t tag)
{
    return tag == LSUIT_TAG_COSE_SIGN1 || (LSUIT_WITH_COSE_MAC0 && tag == LSUIT_TAG_COSE_MAC0) ||
           (LSUIT_WITH_COSE_SIGN && tag == LSUIT_TAG_COSE_SIGN);
}

/* What stands behind the payload of a COSE_Sign: an array that is not empty. */
static void signers_take(struct lsuit_cbor *c, struct lsuit_cose *cose)
{
    struct lsuit_cbor array;

    cose->signers = lsuit_cbor_item(c);
    array = lsuit_cbor_open(cose->signers);
    cose->signers_n = lsuit_cbor_array(&array);
    if (cose->signers_n == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
}

/* Headers and signature of COSE_Sign1, COSE_Mac0 or COSE_Signature. */
static void header_keep(struct lsuit_cbor *c, struct lsuit_cose *cose)
{
    struct lsuit_cose_header h;

    lsuit_cose_header_take(c, &h);
    cose->protected_ = h.protected_;
    cose->alg = h.alg;
    cose->kid = h.kid;
}

enum lsuit_err lsuit_cose_read(struct lsuit_bytes doc, struct lsuit_cose *cose_out)
{
    struct lsuit_cbor c = lsuit_cbor_open(doc);
    struct lsuit_cose cose = { 0 };
    enum lsuit_err e;

    cose.tag = lsuit_cbor_tag(&c);
    if (c.err == LSUIT_OK && !tag_ok(cose.tag)) {
        (void)lsuit_cbor_item(&c);
        e = lsuit_cbor_finish(&c);
        return e != LSUIT_OK ? e : LSUIT_ERR_COSE;
    }
    if (lsuit_cbor_array(&c) != 4)
        lsuit_cbor_fail(&c, LSUIT_ERR_CBOR);
    header_keep(&c, &cose);
    if (lsuit_cbor_peek(&c) == LSUIT_CBOR_SIMPLE)
        lsuit_cbor_null(&c);
    else
        cose.payload = lsuit_cbor_bstr(&c);
    if (LSUIT_WITH_COSE_SIGN && cose.tag == LSUIT_TAG_COSE_SIGN) {
        /* An empty map is signed as an empty string (RFC 9052, 4.4). */
        cose.body = (struct lsuit_bytes){ cose.protected_.ptr,
                                          cose.protected_.len > 1 ? cose.protected_.len : 0 };
        cose.protected_ = (struct lsuit_bytes){ NULL, 0 };
        cose.alg = 0;
        signers_take(&c, &cose);
    } else {
        cose.signers_n = 1;
        cose.signature = lsuit_cbor_bstr(&c);
        if (cose.alg == 0)
            lsuit_cbor_fail(&c, LSUIT_ERR_COSE);
    }
    (void)lsuit_cbor_next(&c);
    e = lsuit_cbor_finish(&c);
    if (e == LSUIT_OK)
        *cose_out = cose;
    return e;
}

enum lsuit_err lsuit_cose_signer(const struct lsuit_cose *cose, uint32_t i,
                                 struct lsuit_cose *signer_out)
{
    struct lsuit_cbor c = lsuit_cbor_open(cose->signers);
    struct lsuit_cose one = *cose;

    if (i >= cose->signers_n)
        return LSUIT_ERR_USAGE;
    if (LSUIT_WITH_COSE_SIGN && cose->tag == LSUIT_TAG_COSE_SIGN) {
        lsuit_cbor_array(&c);
        while (i-- > 0 && lsuit_cbor_next(&c))
            (void)lsuit_cbor_item(&c);
        if (lsuit_cbor_array(&c) != 3)
            lsuit_cbor_fail(&c, LSUIT_ERR_CBOR);
        header_keep(&c, &one);
        one.signature = lsuit_cbor_bstr(&c);
        if (one.alg == 0)
            lsuit_cbor_fail(&c, LSUIT_ERR_COSE);
        if (c.err != LSUIT_OK)
            return c.err;
        one.signers_n = 1;
    }
    *signer_out = one;
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
#if LSUIT_WITH_HSS_LMS
    case LSUIT_ALG_HSS_LMS:
        return LSUIT_KEY_HSS_LMS;
#endif
    default:
        return LSUIT_KEY_NONE;
    }
}

void lsuit_cose_tbs_parts(struct lsuit_tbs *tbs, const struct lsuit_cose *cose,
                          struct lsuit_bytes external_aad, struct lsuit_bytes payload)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(tbs->heads, sizeof tbs->heads);
    const struct lsuit_bytes content[4] = { cose->body, cose->protected_, external_aad, payload };
    bool sign = LSUIT_WITH_COSE_SIGN && cose->tag == LSUIT_TAG_COSE_SIGN;
    size_t from = 0;

    lsuit_put_array(&w, sign ? 5 : 4);
    lsuit_put_text(&w, sign                               ? "Signature"
                       : cose->tag == LSUIT_TAG_COSE_MAC0 ? "MAC0"
                                                          : "Signature1");
    tbs->n = 0;
    for (size_t i = sign ? 0 : 1; i < 4; i++) {
        size_t head = w.len;

        /* The head of a byte string is that of its length as a number, with another type. */
        lsuit_put_uint(&w, content[i].len);
        tbs->heads[head] |= LSUIT_CBOR_BSTR << 5;
        tbs->part[tbs->n++] = (struct lsuit_bytes){ tbs->heads + from, w.len - from };
        tbs->part[tbs->n++] = content[i];
        from = w.len;
    }
}

static enum lsuit_err verify_one(const struct lsuit_crypto *crypto, const struct lsuit_key *key,
                                 const struct lsuit_tbs *tbs, const struct lsuit_cose *cose)
{
#if LSUIT_WITH_HSS_LMS
    if (cose->alg == LSUIT_ALG_HSS_LMS)
        return lsuit_hss_verify(crypto, key->material, tbs->part, tbs->n, cose->signature);
#endif
    if (crypto->verify == NULL)
        return LSUIT_ERR_ALG;
    return crypto->verify(crypto->ctx, key, cose->alg, tbs->part, tbs->n, cose->signature);
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
    if (type == LSUIT_KEY_NONE)
        return LSUIT_ERR_ALG;
    lsuit_cose_tbs_parts(&tbs, cose, external_aad,
                         cose->payload.ptr != NULL ? cose->payload : payload);

    /* The kid is a hint: first the keys that it names, then the others. */
    for (int named = 1; named >= 0; named--) {
        for (size_t i = 0; i < keys_n; i++) {
            int hit = cose->kid.len > 0 && keys[i].kid.ptr != NULL &&
                      lsuit_bytes_compare(cose->kid, keys[i].kid) == 0;
            enum lsuit_err e;

            if (hit != named || keys[i].type != type)
                continue;
            e = verify_one(crypto, &keys[i], &tbs, cose);
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
