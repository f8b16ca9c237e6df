/*
 * SUIT_Report: verifying and reading (draft-ietf-suit-report-18).
 */
#include "lsuit/suit_report.h"

#include "digest.h"
#include "fault.h"

static uint32_t take_u32(struct lsuit_cbor *c)
{
    return (uint32_t)lsuit_cbor_uint_max(c, UINT32_MAX);
}

static struct lsuit_bytes take_map(struct lsuit_cbor *c)
{
    if (lsuit_cbor_peek(c) != LSUIT_CBOR_MAP)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    return lsuit_cbor_item(c);
}

static void record_take(struct lsuit_cbor *c, struct lsuit_suit_record *r)
{
    *r = (struct lsuit_suit_record){ 0 };
    if (lsuit_cbor_array(c) != 5)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    if (lsuit_cbor_array(c) > LSUIT_SUIT_RECORD_DEPTH)
        lsuit_cbor_fail(c, LSUIT_ERR_RANGE);
    while (lsuit_cbor_next(c))
        r->manifest[r->manifest_n++] = take_u32(c);
    r->section = take_u32(c);
    r->offset = take_u32(c);
    r->component = take_u32(c);
    r->properties = take_map(c);
    (void)lsuit_cbor_next(c);
}

/* system-property-claims: the component's identifier, then one parameter at least. */
static struct lsuit_bytes claims_take(struct lsuit_cbor *c)
{
    struct lsuit_bytes claims = take_map(c);
    struct lsuit_cbor in = lsuit_cbor_open(claims);
    int64_t key = -1;

    if (c->err != LSUIT_OK)
        return claims;
    if (lsuit_cbor_map(&in) < 2 || !lsuit_cbor_next_key(&in, &key) || key != 0)
        lsuit_cbor_fail(&in, LSUIT_ERR_CBOR);
    lsuit_cbor_array(&in);
    while (lsuit_cbor_next(&in))
        (void)lsuit_cbor_bstr(&in);
    if (in.err != LSUIT_OK)
        lsuit_cbor_fail(c, in.err);
    return claims;
}

static struct lsuit_bytes records_take(struct lsuit_cbor *c)
{
    struct lsuit_bytes all = { c->p, 0 };
    struct lsuit_suit_record r;

    lsuit_cbor_array(c);
    while (lsuit_cbor_next(c)) {
        if (lsuit_cbor_peek(c) == LSUIT_CBOR_MAP)
            (void)claims_take(c);
        else
            record_take(c, &r);
    }
    all.len = (size_t)(c->p - all.ptr);
    return all;
}

static void result_take(struct lsuit_cbor *c, struct lsuit_suit_report *r)
{
    int64_t key = 0;
    uint32_t seen = 0;

    if (lsuit_cbor_peek(c) != LSUIT_CBOR_MAP) {
        r->ok = lsuit_cbor_bool(c);
        if (!r->ok)
            lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        return;
    }
    lsuit_cbor_map(c);
    while (lsuit_cbor_next_key(c, &key)) {
        if (key == LSUIT_SUIT_REPORT_RESULT_CODE)
            r->code = lsuit_cbor_int(c);
        else if (key == LSUIT_SUIT_REPORT_RESULT_RECORD)
            record_take(c, &r->record);
        else if (key == LSUIT_SUIT_REPORT_RESULT_REASON)
            r->reason = take_u32(c);
        else
            lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        seen++;
    }
    if (seen != 3)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
}

static void reference_take(struct lsuit_cbor *c, struct lsuit_suit_report *r)
{
    if (lsuit_cbor_array(c) != 2)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    r->uri = lsuit_cbor_tstr(c);
    r->digest = lsuit_digest_take(c);
    (void)lsuit_cbor_next(c);
}

/* Each required key is there: records, result, reference. */
static void required_check(struct lsuit_cbor *c, const struct lsuit_suit_report *r, bool result)
{
    if (c->err == LSUIT_OK && (r->records.ptr == NULL || !result || r->uri.ptr == NULL))
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
}

static const char *key_name(int64_t key)
{
    switch (key) {
    case LSUIT_SUIT_REPORT_NONCE:
        return TEXT("suit-report-nonce");
    case LSUIT_SUIT_REPORT_RECORDS:
        return TEXT("suit-report-records");
    case LSUIT_SUIT_REPORT_RESULT:
        return TEXT("suit-report-result");
    case LSUIT_SUIT_REPORT_CAPABILITY:
        return TEXT("suit-report-capability-report");
    case LSUIT_SUIT_REPORT_REFERENCE:
        return TEXT("suit-reference");
    default:
        return TEXT("suit-report");
    }
}

enum lsuit_err lsuit_suit_report_read(struct lsuit_bytes doc, struct lsuit_suit_report *report_out,
                                      struct lsuit_fault *fault)
{
    struct lsuit_cbor c = lsuit_cbor_open(doc);
    struct lsuit_suit_report r = { 0 };
    bool result = false;
    int64_t key = -1;
    enum lsuit_err e;

    lsuit_cbor_map(&c);
    while (lsuit_cbor_next_key(&c, &key)) {
        switch (key) {
        case LSUIT_SUIT_REPORT_NONCE:
            r.nonce = lsuit_cbor_bstr(&c);
            if (r.nonce.len == 0 || r.nonce.len > LSUIT_SUIT_NONCE_MAX)
                lsuit_cbor_fail(&c, LSUIT_ERR_RANGE);
            break;
        case LSUIT_SUIT_REPORT_RECORDS:
            r.records = records_take(&c);
            break;
        case LSUIT_SUIT_REPORT_RESULT:
            result_take(&c, &r);
            result = true;
            break;
        case LSUIT_SUIT_REPORT_CAPABILITY:
            r.capability = take_map(&c);
            break;
        case LSUIT_SUIT_REPORT_REFERENCE:
            reference_take(&c, &r);
            break;
        default:
            lsuit_cbor_skip_unknown(&c, key);
        }
    }
    if (c.err == LSUIT_OK)
        key = -1;
    required_check(&c, &r, result);
    e = lsuit_cbor_finish(&c);
    if (e != LSUIT_OK)
        return lsuit_fault_set(fault, e, key_name(key), TEXT("missing, malformed or out of range"),
                               (int32_t)key);
    *report_out = r;
    return LSUIT_OK;
}

enum lsuit_err lsuit_suit_report_verify(struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                                        const struct lsuit_key *keys, size_t keys_n,
                                        struct lsuit_bytes nonce,
                                        struct lsuit_suit_report *report_out,
                                        struct lsuit_fault *fault)
{
    static const struct lsuit_bytes NONE = { NULL, 0 };
    struct lsuit_suit_report r;
    struct lsuit_cose cose;
    enum lsuit_err e = lsuit_cose_read(doc, &cose);

    if (e == LSUIT_OK && (cose.tag == LSUIT_TAG_COSE_SIGN || cose.payload.ptr == NULL))
        e = LSUIT_ERR_COSE;
    if (e == LSUIT_OK)
        e = lsuit_cose_verify(&cose, crypto, keys, keys_n, NONE, NONE, NULL);
    if (e != LSUIT_OK)
        return lsuit_fault_set(fault, e, TEXT("suit-report"), TEXT("not signed by the device"), 0);
    e = lsuit_suit_report_read(cose.payload, &r, fault);
    if (e != LSUIT_OK)
        return e;
    if (nonce.ptr != NULL && !lsuit_bytes_equal_ct(nonce, r.nonce))
        return lsuit_fault_set(fault, LSUIT_ERR_UNAUTHORISED, TEXT("suit-report-nonce"),
                               TEXT("not the nonce that was asked for"), LSUIT_SUIT_REPORT_NONCE);
    *report_out = r;
    return LSUIT_OK;
}

bool lsuit_suit_record_at(const struct lsuit_suit_report *report, uint32_t i,
                          struct lsuit_suit_record *record_out, struct lsuit_bytes *claims_out)
{
    struct lsuit_cbor c = lsuit_cbor_open(report->records);

    lsuit_cbor_array(&c);
    for (uint32_t at = 0; lsuit_cbor_next(&c); at++) {
        *claims_out = (struct lsuit_bytes){ NULL, 0 };
        *record_out = (struct lsuit_suit_record){ 0 };
        if (lsuit_cbor_peek(&c) == LSUIT_CBOR_MAP)
            *claims_out = claims_take(&c);
        else
            record_take(&c, record_out);
        if (at == i)
            return c.err == LSUIT_OK;
    }
    return false;
}
