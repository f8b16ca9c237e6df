/*
 * Capability: what a device can process. Lists of integers.
 */
#include "lsuit/checkin.h"
#include "lsuit/suit.h"

#include "doc_io.h"

/* Different integers, at most LSUIT_LIST_MAX. */
static struct lsuit_bytes read_list(struct lsuit_in *in)
{
    struct lsuit_bytes list = { in->c.p, 0 };
    int64_t items[LSUIT_LIST_MAX];
    uint32_t n = 0;

    lsuit_in_array(in, LSUIT_LIST_MAX);
    while (lsuit_cbor_next(&in->c)) {
        items[n] = lsuit_cbor_int(&in->c);
        for (uint32_t i = 0; i < n; i++) {
            if (items[i] == items[n])
                lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("the same number twice"));
        }
        n++;
    }
    list.len = (size_t)(in->c.p - list.ptr);
    return list;
}

void lsuit_in_capability(struct lsuit_in *in, struct lsuit_capability *cap)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_CAPABILITY);

    *cap = (struct lsuit_capability){ 0 };
    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_CAPABILITY_COMMANDS:
            cap->commands = read_list(in);
            break;
        case LSUIT_CAPABILITY_PARAMETERS:
            cap->parameters = read_list(in);
            break;
        case LSUIT_CAPABILITY_ALGORITHMS:
            cap->algorithms = read_list(in);
            break;
        case LSUIT_CAPABILITY_ENVELOPE_MAX:
            cap->envelope_max = lsuit_in_uint32(in, LSUIT_ENVELOPE_MIN_ACCEPTED, UINT32_MAX);
            break;
        case LSUIT_CAPABILITY_COMPONENTS:
            cap->components = lsuit_in_uint32(in, 1, UINT32_MAX);
            break;
        case LSUIT_CAPABILITY_PAYLOAD_MAX:
            cap->payload_max = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
            break;
        case LSUIT_CAPABILITY_CLIENT_VERSION:
            cap->client_version = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_CAPABILITY_COMMANDS) | DOC_KEY(LSUIT_CAPABILITY_PARAMETERS) |
                       DOC_KEY(LSUIT_CAPABILITY_ALGORITHMS) |
                       DOC_KEY(LSUIT_CAPABILITY_ENVELOPE_MAX) |
                       DOC_KEY(LSUIT_CAPABILITY_COMPONENTS));
}

enum lsuit_err lsuit_capability_read(struct lsuit_bytes doc,
                                     struct lsuit_capability *capability_out,
                                     struct lsuit_fault *fault)
{
    struct lsuit_in in = lsuit_in_open(doc);
    struct lsuit_capability cap;
    enum lsuit_err e;

    lsuit_in_capability(&in, &cap);
    e = lsuit_in_close(&in, fault);
    if (e == LSUIT_OK)
        *capability_out = cap;
    return e;
}

enum lsuit_err lsuit_capability_write(const struct lsuit_capability *capability, uint8_t *buf,
                                      size_t cap, struct lsuit_bytes *doc_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);
    struct lsuit_out_mark mark = lsuit_out_map(&out);

    lsuit_out_need(&out, capability->commands);
    lsuit_out_need(&out, capability->parameters);
    lsuit_out_need(&out, capability->algorithms);
    lsuit_out_item(&out, LSUIT_CAPABILITY_COMMANDS, capability->commands);
    lsuit_out_item(&out, LSUIT_CAPABILITY_PARAMETERS, capability->parameters);
    lsuit_out_item(&out, LSUIT_CAPABILITY_ALGORITHMS, capability->algorithms);
    lsuit_out_uint(&out, LSUIT_CAPABILITY_ENVELOPE_MAX, capability->envelope_max,
                   LSUIT_ENVELOPE_MIN_ACCEPTED, UINT32_MAX);
    lsuit_out_uint(&out, LSUIT_CAPABILITY_COMPONENTS, capability->components, 1, UINT32_MAX);
    lsuit_out_nonzero(&out, LSUIT_CAPABILITY_PAYLOAD_MAX, capability->payload_max,
                      LSUIT_NUMBER_MAX);
    lsuit_out_text(&out, LSUIT_CAPABILITY_CLIENT_VERSION, capability->client_version, 1,
                   LSUIT_NAME_MAX);
    lsuit_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}

bool lsuit_list_at(struct lsuit_bytes list, uint32_t i, int64_t *v_out)
{
    struct lsuit_cbor c = lsuit_cbor_open(list);
    int64_t v = 0;

    if (lsuit_cbor_array(&c) <= i)
        return false;
    for (uint32_t at = 0; at <= i && lsuit_cbor_next(&c); at++)
        v = lsuit_cbor_int(&c);
    if (c.err != LSUIT_OK)
        return false;
    *v_out = v;
    return true;
}

bool lsuit_list_has(struct lsuit_bytes list, int64_t v)
{
    struct lsuit_cbor c = lsuit_cbor_open(list);
    bool has = false;

    lsuit_cbor_array(&c);
    while (lsuit_cbor_next(&c)) {
        if (lsuit_cbor_int(&c) == v && c.err == LSUIT_OK)
            has = true;
    }
    return has && lsuit_cbor_finish(&c) == LSUIT_OK;
}

enum lsuit_err lsuit_list_write(const int64_t *items, uint32_t n, uint8_t *buf, size_t cap,
                                struct lsuit_bytes *list_out)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);

    if (n > LSUIT_LIST_MAX)
        return LSUIT_ERR_LIMIT;
    lsuit_put_array(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (items[j] == items[i])
                return LSUIT_ERR_RANGE;
        }
        lsuit_put_int(&w, items[i]);
    }
    return lsuit_put_finish(&w, list_out);
}
