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

/* Headers of a signature; without an algorithm it is one that we don't take. */
static void header_keep(struct lsuit_cbor *c, struct lsuit_cose *cose)
{
    struct lsuit_cose_header h;

    lsuit_cose_header_take(c, &h);
    cose->protected_ = h.protected_;
    cose->alg = h.refused ? 0 : h.alg;
    cose->kid = h.kid;
}

#if LSUIT_WITH_COSE_SIGN
/* The body header, which may be empty; an empty map is signed as an empty string (RFC 9052, 4.4). */
static void body_take(struct lsuit_cbor *c, struct lsuit_cose *cose)
{
    struct lsuit_cose_header h;

    lsuit_cose_header_take(c, &h);
    if (h.refused)
        lsuit_cbor_fail(c, LSUIT_ERR_COSE);
    cose->body = h.protected_;
    if (cose->body.len == 1)
        cose->body.len = 0;
}

/* COSE_Signature. */
static void signature_take(struct lsuit_cbor *c, struct lsuit_cose *one)
{
    if (lsuit_cbor_array(c) != 3)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    header_keep(c, one);
    one->signature = lsuit_cbor_bstr(c);
    (void)lsuit_cbor_next(c);
}

/* What stands behind the payload of a COSE_Sign. Each signature must be one, known or not. */
static void signers_take(struct lsuit_cbor *c, struct lsuit_cose *cose)
{
    static const struct lsuit_bytes NONE = { NULL, 0 };

    cose->signers.ptr = c->p;
    cose->signers_n = lsuit_cbor_array(c);
    if (cose->signers_n == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next(c))
        signature_take(c, cose);
    cose->signers.len = (size_t)(c->p - cose->signers.ptr);
    /* Those of the last one; lsuit_cose_signer takes them. */
    cose->protected_ = cose->kid = cose->signature = NONE;
    cose->alg = 0;
}
#endif

static void payload_take(struct lsuit_cbor *c, struct lsuit_cose *cose)
{
    if (lsuit_cbor_peek(c) == LSUIT_CBOR_SIMPLE)
        lsuit_cbor_null(c);
    else
        cose->payload = lsuit_cbor_bstr(c);
}

/* COSE_Sign1 and COSE_Mac0. */
static void single_take(struct lsuit_cbor *c, struct lsuit_cose *cose)
{
    header_keep(c, cose);
    if (cose->alg == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_COSE);
    payload_take(c, cose);
    cose->signature = lsuit_cbor_bstr(c);
    cose->signers_n = 1;
}

enum lsuit_err lsuit_cose_read(struct lsuit_bytes doc, struct lsuit_cose *cose_out)
{
    struct lsuit_cose cose = { 0 };
    struct lsuit_cbor c;
    enum lsuit_err e;

    lsuit_cbor_start(&c, doc);
    cose.tag = lsuit_cbor_tag(&c);
    if (c.err == LSUIT_OK && !tag_ok(cose.tag))
        lsuit_cbor_fail(&c, LSUIT_ERR_COSE);
    if (lsuit_cbor_array(&c) != 4)
        lsuit_cbor_fail(&c, LSUIT_ERR_CBOR);
#if LSUIT_WITH_COSE_SIGN
    if (cose.tag == LSUIT_TAG_COSE_SIGN) {
        body_take(&c, &cose);
        payload_take(&c, &cose);
        signers_take(&c, &cose);
    } else
#endif
        single_take(&c, &cose);
    (void)lsuit_cbor_next(&c);
    e = lsuit_cbor_finish(&c);
    if (e == LSUIT_OK)
        *cose_out = cose;
    return e;
}

enum lsuit_err lsuit_cose_signer(const struct lsuit_cose *cose, uint32_t i,
                                 struct lsuit_cose *signer_out)
{
    if (i >= cose->signers_n)
        return LSUIT_ERR_USAGE;
    *signer_out = *cose;
#if LSUIT_WITH_COSE_SIGN
    if (cose->tag == LSUIT_TAG_COSE_SIGN) {
        struct lsuit_cbor c;

        lsuit_cbor_start(&c, cose->signers);
        lsuit_cbor_array(&c);
        for (uint32_t at = 0; at <= i && lsuit_cbor_next(&c); at++)
            signature_take(&c, signer_out);
    }
#endif
    return signer_out->alg != 0 ? LSUIT_OK : LSUIT_ERR_COSE;
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
    const struct lsuit_bytes content[4] = { cose->body, cose->protected_, external_aad, payload };
    bool sign = LSUIT_WITH_COSE_SIGN && cose->tag == LSUIT_TAG_COSE_SIGN;
    /* Head of the array, and the context as a text string. */
    const char *context = sign                               ? "\x85\x69Signature"
                          : cose->tag == LSUIT_TAG_COSE_MAC0 ? "\x84\x64MAC0"
                                                             : "\x84\x6aSignature1";
    const uint8_t *from = tbs->heads;
    uint8_t *p = tbs->heads;

    while (*context != '\0')
        *p++ = (uint8_t)*context++;
    tbs->n = 0;
    for (size_t i = sign ? 0 : 1; i < 4; i++) {
        p += lsuit_cbor_head(p, LSUIT_CBOR_BSTR, content[i].len);
        tbs->part[tbs->n++] = (struct lsuit_bytes){ from, (size_t)(p - from) };
        tbs->part[tbs->n++] = content[i];
        from = p;
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
