/*
 * What lapel's documents have in common: domain separation, names, small checks.
 */
#include "lsuit/doc.h"

#include <string.h>

#include "doc_io.h"
#include "lsuit/cose.h"

/* --- domain separation --- */

struct kind {
    const char *aad;
    bool audience;
};

/* clang-format off */
static const struct kind KINDS[] = {
    [LSUIT_DOC_CHECKIN]   = { "lapel/checkin/1", true },
    [LSUIT_DOC_REPORT]    = { "lapel/report/1", true },
    [LSUIT_DOC_STATEMENT] = { "lapel/statement/1", false },
    [LSUIT_DOC_TRUST]     = { "lapel/trust/1", false },
    [LSUIT_DOC_RECEIPT]   = { "lapel/receipt/1", false },
    [LSUIT_DOC_ENROL]     = { "lapel/enrol/1", false },
    [LSUIT_DOC_ERASE]     = { "lapel/erase/1", true },
};
/* clang-format on */

enum lsuit_err lsuit_doc_aad(enum lsuit_doc kind, struct lsuit_bytes audience, uint8_t *buf,
                             size_t cap, struct lsuit_bytes *aad_out)
{
    size_t n, i = (size_t)kind;

    if (i >= sizeof KINDS / sizeof KINDS[0] || KINDS[i].aad == NULL)
        return LSUIT_ERR_USAGE;
    if (KINDS[i].audience != (audience.ptr != NULL && audience.len > 0))
        return LSUIT_ERR_USAGE;
    if (audience.len > LSUIT_AUDIENCE_MAX)
        return LSUIT_ERR_RANGE;

    n = lsuit_text(KINDS[i].aad).len;
    if (cap < n + (KINDS[i].audience ? 1 + audience.len : 0))
        return LSUIT_ERR_SPACE;
    memcpy(buf, KINDS[i].aad, n);
    if (KINDS[i].audience) {
        buf[n++] = 0;
        memcpy(buf + n, audience.ptr, audience.len);
        n += audience.len;
    }
    *aad_out = (struct lsuit_bytes){ buf, n };
    return LSUIT_OK;
}

bool lsuit_doc_is_signed(struct lsuit_bytes doc)
{
    return doc.len > 0 && doc.ptr[0] == (0xc0 | LSUIT_TAG_COSE_SIGN1);
}

/* A COSE_Sign1 that carries its payload. */
static enum lsuit_err read_attached(struct lsuit_bytes doc, struct lsuit_cose *cose_out)
{
    enum lsuit_err e = lsuit_cose_read(doc, cose_out);

    if (e == LSUIT_OK && (cose_out->tag != LSUIT_TAG_COSE_SIGN1 || cose_out->payload.ptr == NULL))
        e = LSUIT_ERR_COSE;
    return e;
}

enum lsuit_err lsuit_doc_peek(struct lsuit_bytes doc, struct lsuit_bytes *payload_out)
{
    struct lsuit_cose cose;
    enum lsuit_err e = read_attached(doc, &cose);

    if (e == LSUIT_OK)
        *payload_out = cose.payload;
    return e;
}

enum lsuit_err lsuit_doc_verify(enum lsuit_doc kind, struct lsuit_bytes audience,
                                struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                                const struct lsuit_key *keys, size_t keys_n, size_t *index_out,
                                struct lsuit_bytes *payload_out)
{
    uint8_t buf[LSUIT_AAD_MAX];
    struct lsuit_bytes aad;
    struct lsuit_cose cose;
    enum lsuit_err e = lsuit_doc_aad(kind, audience, buf, sizeof buf, &aad);

    if (e == LSUIT_OK)
        e = read_attached(doc, &cose);
    if (e == LSUIT_OK)
        e = lsuit_cose_verify(&cose, crypto, keys, keys_n, aad, cose.payload, index_out);
    if (e == LSUIT_OK)
        *payload_out = cose.payload;
    return e;
}

enum lsuit_err lsuit_doc_sign(enum lsuit_doc kind, struct lsuit_bytes audience,
                              struct lsuit_bytes payload, const struct lsuit_crypto *crypto,
                              uint32_t signer, struct lsuit_bytes kid, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *doc_out)
{
    uint8_t room[LSUIT_AAD_MAX];
    struct lsuit_bytes aad;
    enum lsuit_err e = lsuit_doc_aad(kind, audience, room, sizeof room, &aad);

    if (e == LSUIT_OK)
        e = lsuit_cose_sign1(crypto, signer, LSUIT_ALG_ESP256, kid, aad, payload, buf, cap,
                             doc_out);
    return e;
}

bool lsuit_space_equal(const struct lsuit_space *a, const struct lsuit_space *b)
{
    return lsuit_bytes_compare(a->vendor_id, b->vendor_id) == 0 &&
           lsuit_bytes_compare(a->class_id, b->class_id) == 0 &&
           lsuit_bytes_compare(a->component_id, b->component_id) == 0;
}

/* --- small checks --- */

bool lsuit_month_ok(uint64_t month)
{
    return month >= 200001 && month <= 999912 && month % 100 >= 1 && month % 100 <= 12;
}

bool lsuit_text_plain(struct lsuit_bytes utf8)
{
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t b = utf8.ptr[i];

        if (b < 0x20 || b == 0x7f)
            return false;
        /* U+0080 to U+009F */
        if (b == 0xc2 && i + 1 < utf8.len && utf8.ptr[i + 1] < 0xa0)
            return false;
    }
    return true;
}

bool lsuit_component_id_ok(struct lsuit_bytes id)
{
    struct lsuit_cbor c = lsuit_cbor_open(id);

    lsuit_cbor_array(&c);
    while (lsuit_cbor_next(&c))
        (void)lsuit_cbor_bstr(&c);
    return lsuit_cbor_finish(&c) == LSUIT_OK;
}

bool lsuit_token_ok(struct lsuit_bytes token)
{
    for (size_t i = 0; i < token.len; i++) {
        uint8_t b = token.ptr[i];

        if (!((b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') ||
              b == '-' || b == '_'))
            return false;
    }
    return token.len == LSUIT_TOKEN_LEN;
}
