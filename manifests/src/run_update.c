/*
 * The command processor: conditions and the directive of update management.
 * draft-ietf-suit-update-management-14, section 5.
 *
 * What the device can't tell (no clock, no gauge, no version) fails the condition.
 */
#include "run.h"

#include "fault.h"

#if LSUIT_WITH_UPDATE_MANAGEMENT

enum outcome lsuit_do_use_before(struct call *k)
{
    const struct lsuit_platform *p = k->run->platform;
    uint64_t now = 0;

    if (p->now == NULL)
        return lsuit_run_lacking(k);
    return lsuit_run_condition(k, p->now(k->run->ctx, &now) &&
                                      now < lsuit_run_uint(k, PARAM_USE_BEFORE));
}

enum outcome lsuit_do_minimum_battery(struct call *k)
{
    const struct lsuit_platform *p = k->run->platform;
    uint64_t mwh = 0;

    if (p->battery == NULL)
        return lsuit_run_lacking(k);
    return lsuit_run_condition(k, p->battery(k->run->ctx, &mwh) &&
                                      mwh >= lsuit_run_uint(k, PARAM_BATTERY));
}

/* A condition that may take its time. In a dry run nobody is asked. */
enum outcome lsuit_do_update_authorized(struct call *k)
{
    const struct lsuit_platform *p = k->run->platform;
    struct lsuit_cbor c = lsuit_cbor_open(lsuit_run_bytes(k, PARAM_PRIORITY));
    int said;

    if (p->authorized == NULL)
        return lsuit_run_lacking(k);
    if (k->run->dry)
        return OUT_DONE;
    said = p->authorized(k->run->ctx, lsuit_cbor_int(&c));
    return said == LSUIT_OP_FAIL ? lsuit_run_condition(k, false) : lsuit_run_answer(k, said);
}

/* The array of integers at the cursor against ours, as far as the former goes: -1, 0, 1 for us. */
static int version_compare(struct lsuit_cbor *c, struct lsuit_cbor *ours)
{
    int order = 0;

    (void)lsuit_cbor_array(c);
    (void)lsuit_cbor_array(ours);
    while (lsuit_cbor_next(c)) {
        int64_t theirs = lsuit_cbor_int(c);
        /* What isn't there counts as 0: 1.2 is 1.2.0, and above 1.2-rc. */
        int64_t own = order == 0 && lsuit_cbor_next(ours) ? lsuit_cbor_int(ours) : 0;

        if (order == 0)
            order = (own > theirs) - (own < theirs);
    }
    return order;
}

enum outcome lsuit_do_version(struct call *k)
{
    /* Bit 0: holds when we are lower, bit 1: when equal, bit 2: when higher. */
    static const uint8_t HOLDS[] = { 0, 4, 6, 2, 3, 1 };
    const struct lsuit_platform *p = k->run->platform;
    struct lsuit_cbor c, ours;
    uint64_t comparison;
    int order;

    if (p->version == NULL)
        return lsuit_run_lacking(k);
    if (lsuit_run_unknown(k, k->comp))
        return OUT_DONE;
    lsuit_cbor_start(&c, lsuit_run_bytes(k, PARAM_VERSION));
    lsuit_cbor_start(&ours, p->version(k->run->ctx, k->comp));
    (void)lsuit_cbor_array(&c);
    comparison = lsuit_cbor_uint_max(&c, sizeof HOLDS - 1);
    order = version_compare(&c, &ours);
    return lsuit_run_condition(k, c.err == LSUIT_OK && ours.err == LSUIT_OK &&
                                      (HOLDS[comparison] >> (order + 1) & 1) != 0);
}

/* All events must have come at the same time: the one that hasn't is asked for with the others. */
enum outcome lsuit_do_wait(struct call *k)
{
    const struct lsuit_platform *p = k->run->platform;
    struct lsuit_cbor c;
    int32_t event = 0;
    int said = LSUIT_OP_DONE;

    if (p->wait == NULL)
        return lsuit_run_lacking(k);
    if (k->run->dry)
        return OUT_DONE;
    lsuit_cbor_start(&c, lsuit_run_bytes(k, PARAM_WAIT_INFO));
    (void)lsuit_cbor_map(&c);
    while (said >= 0 && lsuit_cbor_next_code(&c, &event)) {
        struct lsuit_bytes other = { NULL, 0 };
        int64_t value = 0;
        int one;

        if (event == LSUIT_WAIT_OTHER_DEVICE)
            other = lsuit_cbor_item(&c);
        else
            value = lsuit_cbor_int(&c);
        one = p->wait(k->run->ctx, (enum lsuit_wait_event)event, value, other);
        if (one < said)
            said = one;
    }
    return lsuit_run_answer(k, c.err == LSUIT_OK ? said : LSUIT_OP_FAIL);
}

#endif
