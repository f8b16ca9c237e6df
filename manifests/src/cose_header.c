/*
 * The headers of COSE structures (RFC 9052, section 3).
 */
#include "cose.h"

/* RFC 9052, table 3, and RFC 9053, tables 13 and 14. */
enum {
    LABEL_ALG = 1,
    LABEL_CRIT = 2,
    LABEL_KID = 4,
    LABEL_IV = 5,
    LABEL_EPHEMERAL_KEY = -1,
    LABEL_SALT = -20
};

/* A label; texts are none that we know and become 0. */
static int64_t label_take(struct lsuit_cbor *c)
{
    if (lsuit_cbor_peek(c) != LSUIT_CBOR_TSTR)
        return lsuit_cbor_int(c);
    (void)lsuit_cbor_tstr(c);
    return 0;
}

/* The labels that must be understood: alg and kid may be, since we process them. */
static bool crit_take(struct lsuit_cbor *c)
{
    bool kid = false;

    if (lsuit_cbor_array(c) == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next(c)) {
        int64_t label = label_take(c);

        if (label == LABEL_KID)
            kid = true;
        else if (label != LABEL_ALG)
            lsuit_cbor_fail(c, LSUIT_ERR_COSE);
    }
    return kid;
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

/* One header; what we don't know in it is ignored. Returns whether crit lists the kid. */
static bool map_take(struct lsuit_cbor *c, bool inside, struct lsuit_cose_header *h)
{
    bool kid_critical = false;

    lsuit_cbor_map(c);
    while (lsuit_cbor_next_any_key(c)) {
        switch (label_take(c)) {
        case LABEL_ALG:
            *(inside ? &h->alg : &h->alg_outside) = alg_take(c);
            break;
        case LABEL_CRIT:
            if (!inside)
                lsuit_cbor_fail(c, LSUIT_ERR_COSE);
            kid_critical = crit_take(c);
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
            value_keep(&h->ephemeral, lsuit_cbor_item(c));
            break;
#endif
        default:
            (void)lsuit_cbor_item(c);
        }
    }
    return kid_critical;
}

void lsuit_cose_header_take(struct lsuit_cbor *c, struct lsuit_cose_header *header_out)
{
    struct lsuit_cose_header h = { 0 };

    h.protected_ = lsuit_cbor_bstr(c);
    if (h.protected_.len > 0) {
        struct lsuit_cbor inner = lsuit_cbor_open(h.protected_);
        bool kid_critical = map_take(&inner, true, &h);
        enum lsuit_err e = lsuit_cbor_finish(&inner);

        /* A critical label must be present in the same header (RFC 9052, 3.1). */
        if (e == LSUIT_OK && kid_critical && h.kid.ptr == NULL)
            e = LSUIT_ERR_COSE;
        if (e != LSUIT_OK)
            lsuit_cbor_fail(c, e);
    }
    (void)map_take(c, false, &h);
    *header_out = h;
}
