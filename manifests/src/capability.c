/*
 * Capability: what a device can process. Lists of integers.
 */
#include "lsuit/checkin.h"
#include "lsuit/suit.h"

#include "doc_io.h"

/* Different integers, at most LSUIT_LIST_MAX. */
static struct lsuit_bytes read_list(struct doc_in *in)
{
    struct lsuit_bytes list = { in->c.p, 0 };
    int64_t items[LSUIT_LIST_MAX];
    uint32_t n = 0;

    doc_array(in, LSUIT_LIST_MAX);
    while (lsuit_cbor_next(&in->c)) {
        items[n] = lsuit_cbor_int(&in->c);
        for (uint32_t i = 0; i < n; i++) {
            if (items[i] == items[n])
                doc_fail(in, LSUIT_ERR_RANGE, "the same number twice");
        }
        n++;
    }
    list.len = (size_t)(in->c.p - list.ptr);
    return list;
}

void doc_capability(struct doc_in *in, struct lsuit_capability *cap)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_CAPABILITY);

    *cap = (struct lsuit_capability){ 0 };
    while (doc_next(in)) {
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
            cap->envelope_max = doc_uint32(in, LSUIT_ENVELOPE_MIN_ACCEPTED, UINT32_MAX);
            break;
        case LSUIT_CAPABILITY_COMPONENTS:
            cap->components = doc_uint32(in, 1, UINT32_MAX);
            break;
        case LSUIT_CAPABILITY_PAYLOAD_MAX:
            cap->payload_max = doc_uint(in, 0, LSUIT_NUMBER_MAX);
            break;
        case LSUIT_CAPABILITY_CLIENT_VERSION:
            cap->client_version = doc_text(in, 1, LSUIT_NAME_MAX);
            break;
        default:
            doc_unknown(in);
        }
    }
    doc_leave(in, up,
              DOC_KEY(LSUIT_CAPABILITY_COMMANDS) | DOC_KEY(LSUIT_CAPABILITY_PARAMETERS) |
                  DOC_KEY(LSUIT_CAPABILITY_ALGORITHMS) | DOC_KEY(LSUIT_CAPABILITY_ENVELOPE_MAX) |
                  DOC_KEY(LSUIT_CAPABILITY_COMPONENTS));
}

enum lsuit_err lsuit_capability_read(struct lsuit_bytes doc,
                                     struct lsuit_capability *capability_out,
                                     struct lsuit_fault *fault)
{
    struct doc_in in = doc_open(doc);
    struct lsuit_capability cap;
    enum lsuit_err e;

    doc_capability(&in, &cap);
    e = doc_close(&in, fault);
    if (e == LSUIT_OK)
        *capability_out = cap;
    return e;
}

enum lsuit_err lsuit_capability_write(const struct lsuit_capability *capability, uint8_t *buf,
                                      size_t cap, struct lsuit_bytes *doc_out)
{
    struct doc_out out = doc_out_init(buf, cap);
    struct doc_mark mark = doc_out_map(&out);

    doc_out_need(&out, capability->commands);
    doc_out_need(&out, capability->parameters);
    doc_out_need(&out, capability->algorithms);
    doc_out_item(&out, LSUIT_CAPABILITY_COMMANDS, capability->commands);
    doc_out_item(&out, LSUIT_CAPABILITY_PARAMETERS, capability->parameters);
    doc_out_item(&out, LSUIT_CAPABILITY_ALGORITHMS, capability->algorithms);
    doc_out_uint(&out, LSUIT_CAPABILITY_ENVELOPE_MAX, capability->envelope_max,
                 LSUIT_ENVELOPE_MIN_ACCEPTED, UINT32_MAX);
    doc_out_uint(&out, LSUIT_CAPABILITY_COMPONENTS, capability->components, 1, UINT32_MAX);
    doc_out_nonzero(&out, LSUIT_CAPABILITY_PAYLOAD_MAX, capability->payload_max, LSUIT_NUMBER_MAX);
    doc_out_text(&out, LSUIT_CAPABILITY_CLIENT_VERSION, capability->client_version, 1,
                 LSUIT_NAME_MAX);
    doc_out_leave(&out, mark);
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
