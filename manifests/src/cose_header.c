/*
 * The headers of COSE structures (RFC 9052, section 3).
 */
#include "cose.h"

#include <string.h>

/* RFC 9052, table 3, and RFC 9053, tables 13 and 14. */
enum {
    LABEL_ALG = 1,
    LABEL_CRIT = 2,
    LABEL_KID = 4,
    LABEL_IV = 5,
    LABEL_EPHEMERAL_KEY = -1,
    LABEL_SALT = -20
};

/* The labels of one map so far. Their order is free, but each occurs once. */
struct labels {
    const uint8_t *at[8];
    uint32_t n;
};

/* A label; texts are none that we know and become 0. */
static int64_t label_take(struct lsuit_cbor *c)
{
    if (lsuit_cbor_peek(c) != LSUIT_CBOR_TSTR)
        return lsuit_cbor_int(c);
    (void)lsuit_cbor_tstr(c);
    return 0;
}

static bool next_label(struct lsuit_cbor *c, struct labels *seen, int64_t *label_out)
{
    const uint8_t *at;

    if (!lsuit_cbor_next_loose_key(c))
        return false;
    at = c->p;
    *label_out = label_take(c);
    for (uint32_t i = 0; i < seen->n; i++) {
        if (memcmp(seen->at[i], at, (size_t)(c->p - at)) == 0)
            lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    }
    if (seen->n == sizeof seen->at / sizeof seen->at[0])
        return lsuit_cbor_fail(c, LSUIT_ERR_LIMIT);
    seen->at[seen->n++] = at;
    return c->err == LSUIT_OK;
}

/* The labels that must be understood: alg and kid may be listed, since we process them. */
static void crit_take(struct lsuit_cbor *c, struct lsuit_cose_header *h, bool *kid_out)
{
    if (lsuit_cbor_array(c) == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next(c)) {
        int64_t label = label_take(c);

        if (label == LABEL_KID)
            *kid_out = true;
        else if (label != LABEL_ALG)
            h->refused = true;
    }
}

static int32_t alg_take(struct lsuit_cbor *c)
{
    int64_t alg;

    if (lsuit_cbor_peek(c) == LSUIT_CBOR_TSTR) {
        (void)lsuit_cbor_tstr(c);
        return 0;
    }
    alg = lsuit_cbor_int(c);
    return alg >= INT32_MIN && alg <= INT32_MAX ? (int32_t)alg : 0;
}

/* The first one counts. */
static void value_keep(struct lsuit_bytes *slot, struct lsuit_bytes value)
{
    if (slot->ptr == NULL)
        *slot = value;
}

#if LSUIT_WITH_ENCRYPTION
/* A COSE_Key (RFC 9053, 7.1.1). Only a point of P-256 with both coordinates is kept. */
static void point_take(struct lsuit_cbor *c, struct lsuit_cose_header *h)
{
    struct lsuit_bytes x = { NULL, 0 }, y = { NULL, 0 };
    struct labels seen = { .n = 0 };
    uint64_t type = 0, curve = 0;
    int64_t label = 0;

    lsuit_cbor_map(c);
    while (next_label(c, &seen, &label)) {
        enum lsuit_cbor_type next = lsuit_cbor_peek(c);

        if (label == 1 && next == LSUIT_CBOR_UINT)
            type = lsuit_cbor_uint(c);
        else if (label == -1 && next == LSUIT_CBOR_UINT)
            curve = lsuit_cbor_uint(c);
        else if (label == -2 && next == LSUIT_CBOR_BSTR)
            x = lsuit_cbor_bstr(c);
        else if (label == -3 && next == LSUIT_CBOR_BSTR)
            y = lsuit_cbor_bstr(c);
        else
            (void)lsuit_cbor_item(c);
    }
    if (type == 2 && curve == 1 && x.len == 32 && y.len == 32 && h->x == NULL) {
        h->x = x.ptr;
        h->y = y.ptr;
    }
}
#endif

/* One header; what we don't know in it is ignored. */
static void map_take(struct lsuit_cbor *c, bool inside, struct lsuit_cose_header *h)
{
    struct labels seen = { .n = 0 };
    bool kid_critical = false;
    int64_t label = 0;

    lsuit_cbor_map(c);
    while (next_label(c, &seen, &label)) {
        switch (label) {
        case LABEL_ALG:
            *(inside ? &h->alg : &h->alg_outside) = alg_take(c);
            break;
        case LABEL_CRIT:
            h->refused = h->refused || !inside;
            crit_take(c, h, &kid_critical);
            break;
        case LABEL_KID:
            value_keep(&h->kid, lsuit_cbor_bstr(c));
            break;
#if LSUIT_WITH_ENCRYPTION
        case LABEL_IV:
            value_keep(&h->iv, lsuit_cbor_bstr(c));
            break;
        case LABEL_SALT:
            value_keep(&h->salt, lsuit_cbor_bstr(c));
            break;
        case LABEL_EPHEMERAL_KEY:
            point_take(c, h);
            break;
#endif
        default:
            (void)lsuit_cbor_item(c);
        }
    }
    /* A critical label must be present in the same header (RFC 9052, 3.1). */
    if (kid_critical && h->kid.ptr == NULL)
        h->refused = true;
}

void lsuit_cose_header_take(struct lsuit_cbor *c, struct lsuit_cose_header *header_out)
{
    memset(header_out, 0, sizeof *header_out);
    header_out->protected_ = lsuit_cbor_bstr(c);
    if (header_out->protected_.len > 0) {
        struct lsuit_bytes around = lsuit_cbor_enter(c, header_out->protected_);

        map_take(c, true, header_out);
        lsuit_cbor_leave(c, around);
    }
    map_take(c, false, header_out);
}
