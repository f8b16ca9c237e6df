/*
 * The command processor: parameters. Kept is where a value stands; it is decoded where it is used.
 */
#include "run.h"

#include "digest.h"
#include "fault.h"
#include "sequence.h"

const struct lsuit_level *lsuit_run_home(const struct lsuit_run *run, const uint8_t *value)
{
#if LSUIT_WITH_DEPENDENCIES
    for (uint32_t i = 0; i < run->dependencies_n; i++) {
        const struct lsuit_dependency *d = &run->dependency[i];

        if ((uintptr_t)value - (uintptr_t)d->buf < d->buf_len)
            return &d->level;
    }
#else
    (void)value;
#endif
    return &run->root;
}

/* --- Values. --- */

bool lsuit_run_is_set(const struct call *k, enum lsuit_param_row param)
{
    return k->run->params[k->comp].at[param] != NULL;
}

/* A cursor at the value. It ends with the envelope; one that isn't set has no bytes. */
static void value_open(struct lsuit_cbor *c, const struct call *k, enum lsuit_param_row param)
{
    const uint8_t *value = k->run->params[k->comp].at[param];
    struct lsuit_bytes rest = { value, 0 };

    if (value != NULL) {
        struct lsuit_bytes whole = lsuit_run_home(k->run, value)->manifest->envelope->whole;

        rest.len = (size_t)(whole.ptr + whole.len - value);
    }
    lsuit_cbor_start(c, rest);
}

struct lsuit_bytes lsuit_run_bytes(const struct call *k, enum lsuit_param_row param)
{
    struct lsuit_cbor c;

    value_open(&c, k, param);
    switch (lsuit_cbor_peek(&c)) {
    case LSUIT_CBOR_BSTR:
        return lsuit_cbor_bstr(&c);
    case LSUIT_CBOR_TSTR:
        return lsuit_cbor_tstr(&c);
    default:
        return lsuit_cbor_item(&c);
    }
}

uint64_t lsuit_run_uint(const struct call *k, enum lsuit_param_row param)
{
    struct lsuit_cbor c;
    uint64_t v;

    value_open(&c, k, param);
    v = lsuit_cbor_uint(&c);
    return c.err == LSUIT_OK ? v : UINT64_MAX;
}

struct lsuit_digest lsuit_run_digest(const struct call *k)
{
    struct lsuit_digest d = { 0 };

    (void)lsuit_digest_read(lsuit_run_bytes(k, PARAM_DIGEST), &d);
    return d;
}

/* --- Setting them. --- */

/* One value for every component of the frame's list; set-parameters keeps a value that is there. */
static void value_set(struct lsuit_run *run, const struct lsuit_frame *f, uint32_t param,
                      const uint8_t *value, bool replace)
{
    for (uint32_t i = 0; i < f->list_n; i++) {
        const uint8_t **at = &run->params[lsuit_run_number(run, f->list[i])].at[param];

        if (replace || *at == NULL)
            *at = value;
    }
}

static void priority_note(struct lsuit_dry *dry, const struct lsuit_cbor *at)
{
    struct lsuit_cbor c = *at; /* the value is taken once more */

    if (dry->has_priority)
        return;
    dry->has_priority = true;
    dry->priority = lsuit_cbor_int(&c);
}

#if LSUIT_WITH_OPTIONAL
/* Commands run in their order either way; what counts is what may not be mixed without one. */
static void order_set(struct lsuit_frame *f, bool strict)
{
    f->loose = !strict;
    f->targets = 0;
    f->sources = 0;
}
#endif

/* A map of parameters. */
static void parameters_set(struct lsuit_run *run, int32_t code, struct lsuit_cbor *c)
{
    struct lsuit_frame *f = lsuit_run_top(run);
    int32_t key = 0;

    (void)lsuit_cbor_map(c);
    while (lsuit_cbor_next_code(c, &key)) {
        enum lsuit_param_row param = lsuit_parameter_find(key);

        if (param == PARAM_PRIORITY)
            priority_note(&run->dry_result, c);
        if (param < PARAM_STORED)
            value_set(run, f, param, c->p, code != LSUIT_DIR_SET_PARAMETERS);
        if (param == PARAM_SOFT_FAILURE && f->kind != FRAME_SECTION)
            f->soft = lsuit_cbor_bool(c);
#if LSUIT_WITH_OPTIONAL
        else if (param == PARAM_STRICT_ORDER)
            order_set(f, lsuit_cbor_bool(c));
#endif
        else
            (void)lsuit_cbor_item(c);
    }
}

#if LSUIT_WITH_UPDATE_MANAGEMENT

/* The index at the cursor becomes the frame's. */
static uint32_t index_take(struct lsuit_run *run, struct lsuit_cbor *c)
{
    uint32_t n = lsuit_run_level(run)->manifest->components_n;
    uint64_t index = lsuit_cbor_uint(c);

    if (index < n)
        return (uint32_t)index;
    REFUSE(c, LSUIT_ERR_COMPONENT, "no component of this index");
    return 0;
}

static void multiple_set(struct lsuit_run *run, struct lsuit_cbor *c)
{
    struct lsuit_frame *f = lsuit_run_top(run);

    (void)lsuit_cbor_map(c);
    while (lsuit_cbor_next_any_key(c)) {
        f->list[0] = (uint8_t)index_take(run, c);
        f->list_n = 1;
        f->all = false;
        parameters_set(run, LSUIT_DIR_OVERRIDE_PARAMETERS, c);
    }
}

/* A parameter to copy that the source doesn't have is one too few. */
static void params_copy(struct lsuit_run *run, struct lsuit_cbor *c)
{
    struct lsuit_frame *f = lsuit_run_top(run);

    (void)lsuit_cbor_map(c);
    while (lsuit_cbor_next_any_key(c)) {
        const struct lsuit_params *from = &run->params[lsuit_run_number(run, index_take(run, c))];

        (void)lsuit_cbor_array(c);
        while (lsuit_cbor_next(c)) {
            enum lsuit_param_row param = lsuit_parameter_find(lsuit_cbor_int32(c));

            if (param >= PARAM_STORED || from->at[param] == NULL)
                REFUSE(c, LSUIT_ERR_OPERATION, "a parameter is missing");
            else
                value_set(run, f, param, from->at[param], true);
        }
    }
}

#endif

enum outcome lsuit_run_parameters(struct lsuit_run *run, const struct lsuit_command_row *row,
                                  struct lsuit_cbor *c)
{
    switch (row->kind & COMMAND_ARG) {
#if LSUIT_WITH_UPDATE_MANAGEMENT
    case ARG_MULTIPLE:
        multiple_set(run, c);
        break;
    case ARG_COPY:
        params_copy(run, c);
        break;
#endif
    default:
        parameters_set(run, row->code, c);
    }
    return c->err == LSUIT_OK ? OUT_DONE : lsuit_run_refuse(run, c->err, row->code, REASON(c));
}
