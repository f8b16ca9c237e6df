/*
 * The check of every command and parameter, without side effects.
 * draft-ietf-suit-manifest-37, sections 6.4, 7 and 8.4.
 *
 * What has a row in command.c is supported; everything else is refused, by its name where the
 * drafts give it one.
 */
#include "lsuit/suit.h"

#include "command.h"
#include "digest.h"
#include "fault.h"
#include "value.h"
#include "walk.h"

#ifndef LSUIT_NO_TEXT
#define UNKNOWN "unknown, or not supported by this build"
#endif

struct check {
    const struct lsuit_manifest *manifest;
    uint32_t policy;
    bool shared; /* in the shared sequence */
    bool vendor, class_;
    int32_t param; /* in work; 0 none */
    struct lsuit_walk w;
};

static void digest_check(struct check *k, struct lsuit_bytes content)
{
    struct lsuit_cbor *c = &k->w.c;
    struct lsuit_digest d;
    enum lsuit_err e = lsuit_digest_read(content, &d);

    if (e != LSUIT_OK && e != LSUIT_ERR_ALG)
        REFUSE(c, LSUIT_ERR_CBOR,
               e == LSUIT_ERR_RANGE ? "a digest that isn't as long as its algorithm says"
                                    : "no digest");
    if (e == LSUIT_ERR_ALG || d.alg == LSUIT_ALG_SHAKE128 || d.alg == LSUIT_ALG_SHAKE256 ||
        (d.alg != LSUIT_ALG_SHA256 && (k->policy & LSUIT_CHECK_SHA256) != 0))
        REFUSE(c, LSUIT_ERR_ALG, "a digest algorithm that this build lacks");
    /* Draft, section 7: a digest may always be replaced by a later one, never kept by an earlier. */
    if (k->w.code == LSUIT_DIR_SET_PARAMETERS)
        REFUSE(c, LSUIT_ERR_PARAMETER, "a digest needs override-parameters");
}

/* Take one value and hold it against what its parameter allows. */
static void value_check(struct check *k, uint8_t value)
{
    struct lsuit_cbor *c = &k->w.c;
    struct lsuit_bytes b = { NULL, 0 };

    switch (value) {
    case VALUE_VENDOR:
        if (lsuit_cbor_peek(c) == LSUIT_CBOR_TAG) {
            if (lsuit_cbor_tag(c) != LSUIT_TAG_PEN)
                lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
            (void)lsuit_cbor_bstr(c);
            break;
        }
        /* fall through */
    case VALUE_UUID:
        if (lsuit_cbor_bstr(c).len != 16)
            REFUSE(c, LSUIT_ERR_CBOR, "not 16 bytes");
        break;
    case VALUE_DIGEST:
        b = lsuit_cbor_bstr(c);
        if (c->err == LSUIT_OK)
            digest_check(k, b);
        break;
    case VALUE_BOOL:
        (void)lsuit_cbor_bool(c);
        if (k->param == LSUIT_PARAM_SOFT_FAILURE && k->w.depth == 1)
            REFUSE(c, LSUIT_ERR_PARAMETER, "only inside try-each and run-sequence");
        break;
    case VALUE_URI:
        b = lsuit_cbor_tstr(c);
        if ((k->policy & LSUIT_CHECK_LAPEL_URI) != 0 && !lsuit_value_lapel_uri(b))
            REFUSE(c, LSUIT_ERR_PARAMETER, "neither #name nor ../payloads/ with 64 hex digits");
        break;
    case VALUE_INDEX:
        if (lsuit_cbor_uint(c) >= k->manifest->components_n)
            REFUSE(c, LSUIT_ERR_COMPONENT, "no component of this index");
        break;
    case VALUE_UINT:
        (void)lsuit_cbor_uint(c);
        break;
    case VALUE_INT:
        (void)lsuit_cbor_int(c);
        break;
    default: /* a byte string; of what is in it, its own reader knows */
        b = lsuit_cbor_bstr(c);
        if (c->err == LSUIT_OK && !lsuit_value_ok(value, b))
            REFUSE(c, LSUIT_ERR_CBOR, "malformed, or with something unknown in it");
    }
}

static void parameter_check(struct check *k)
{
    struct lsuit_cbor *c = &k->w.c;
    enum lsuit_cbor_type type = lsuit_cbor_peek(c);
    enum lsuit_param_row row = lsuit_parameter_find(k->param);
    const struct lsuit_parameter_row *param = &lsuit_parameters[row];

    if (row == PARAM_NONE) {
        REFUSE(c, LSUIT_ERR_PARAMETER, UNKNOWN);
        return;
    }
    if ((type == LSUIT_CBOR_NINT && param->value == VALUE_INT) ||
        (type == LSUIT_CBOR_TAG && param->value == VALUE_VENDOR))
        type = (enum lsuit_cbor_type)param->type;
    if (type != param->type)
        REFUSE(c, LSUIT_ERR_PARAMETER, "a value of the wrong type");
    value_check(k, param->value);
}

static void parameters_check(struct check *k)
{
    struct lsuit_cbor *c = &k->w.c;

    if (lsuit_cbor_map(c) == 0)
        REFUSE(c, LSUIT_ERR_CBOR, "no map of parameters");
    while (lsuit_cbor_next_code(c, &k->param))
        parameter_check(k);
    if (c->err == LSUIT_OK)
        k->param = 0;
}

#if LSUIT_WITH_UPDATE_MANAGEMENT

/* The argument of override-multiple and copy-params: something for each of several components. */
static void components_check(struct check *k, bool copy)
{
    struct lsuit_cbor *c = &k->w.c;

    if (lsuit_cbor_map(c) == 0)
        REFUSE(c, LSUIT_ERR_CBOR, "no map of components");
    while (lsuit_cbor_next_any_key(c)) {
        if (lsuit_cbor_uint(c) >= k->manifest->components_n)
            REFUSE(c, LSUIT_ERR_COMPONENT, "no component of this index");
        if (!copy) {
            parameters_check(k);
            continue;
        }
        if (lsuit_cbor_array(c) == 0)
            REFUSE(c, LSUIT_ERR_CBOR, "no list of parameters");
        while (lsuit_cbor_next(c)) {
            k->param = lsuit_cbor_int32(c);
            if (lsuit_parameter_find(k->param) >= PARAM_STORED)
                REFUSE(c, LSUIT_ERR_PARAMETER, UNKNOWN);
        }
    }
    if (c->err == LSUIT_OK)
        k->param = 0;
}

#endif

static void argument_check(struct check *k, uint8_t arg)
{
    struct lsuit_cbor *c = &k->w.c;

    switch (arg) {
    case ARG_POLICY: /* SUIT_Rep_Policy: four bits */
        if (lsuit_cbor_uint(c) > 15)
            REFUSE(c, LSUIT_ERR_CBOR, "no reporting policy");
        break;
    case ARG_INDEX:
        (void)lsuit_sequence_index(lsuit_walk_top(&k->w), c, k->manifest->components_n);
        break;
    case ARG_PARAMETERS:
        parameters_check(k);
        break;
#if LSUIT_WITH_UPDATE_MANAGEMENT
    case ARG_MULTIPLE:
    case ARG_COPY:
        components_check(k, arg == ARG_COPY);
        break;
#endif
    default: /* the walk has taken it */
        break;
    }
}

static void command_check(struct check *k)
{
    struct lsuit_cbor *c = &k->w.c;
    int32_t code = k->w.code;
    const struct lsuit_command_row *row = lsuit_command_find(code);
    uint8_t arg = row != NULL ? row->kind & COMMAND_ARG : ARG_POLICY;

    if (row == NULL)
        REFUSE(c, LSUIT_ERR_COMMAND, UNKNOWN);
    else if (k->shared && (row->kind & COMMAND_SHARED) == 0)
        REFUSE(c, LSUIT_ERR_COMMAND, "not allowed in the shared sequence");
    else if (k->w.first && k->manifest->components_n > 1 && arg != ARG_INDEX && arg != ARG_MULTIPLE)
        REFUSE(c, LSUIT_ERR_CBOR,
               "with several components a section begins with set-component-index");
    else
        argument_check(k, arg);
    if (k->shared && k->w.depth == 1) {
        k->vendor |= code == LSUIT_COND_VENDOR_IDENTIFIER;
        k->class_ |= code == LSUIT_COND_CLASS_IDENTIFIER;
    }
}

/* Name what stands at fault: the parameter, the command, or the section. */
static enum lsuit_err fault_name(const struct check *k, uint8_t section, struct lsuit_fault *fault)
{
    const struct lsuit_cbor *c = &k->w.c;
    enum lsuit_err err = c->err == LSUIT_ERR_RANGE ? LSUIT_ERR_CBOR : c->err;

    if (fault == NULL)
        return err;
    (void)lsuit_fault_fill(fault, err, k->param != 0 ? k->param : k->w.begun ? k->w.code : 0);
    fault->section = section;
    fault->offset = (size_t)(c->p - k->manifest->envelope->whole.ptr);
#ifndef LSUIT_NO_TEXT
    fault->what = k->param != 0 ? lsuit_name_parameter(k->param)
                  : k->w.begun  ? lsuit_name_command(k->w.code)
                                : lsuit_name_manifest_key(section);
    fault->why = c->why != NULL ? c->why : "malformed, or not in ascending order";
#endif
    return err;
}

static enum lsuit_err section_check(struct check *k, struct lsuit_bytes content, uint8_t section,
                                    struct lsuit_fault *fault)
{
    if (content.ptr == NULL)
        return LSUIT_OK;
    k->param = 0;
    k->shared = section == LSUIT_SECTION_COMMON;
    lsuit_walk_start(&k->w, content);
    while (lsuit_walk_next(&k->w))
        command_check(k);
    return k->w.c.err == LSUIT_OK ? LSUIT_OK : fault_name(k, section, fault);
}

enum lsuit_err lsuit_manifest_check(const struct lsuit_manifest *manifest, uint32_t policy,
                                    struct lsuit_fault *fault)
{
    static const uint8_t SECTIONS[] = {
        LSUIT_SECTION_VALIDATE,
        LSUIT_SECTION_LOAD,
        LSUIT_SECTION_INVOKE,
        LSUIT_SECTION_PAYLOAD_FETCH,
        LSUIT_SECTION_CANDIDATE_VERIFICATION,
        LSUIT_SECTION_INSTALL,
#if LSUIT_WITH_DEPENDENCIES
        LSUIT_SECTION_DEPENDENCY_RESOLUTION,
        LSUIT_SECTION_UNINSTALL,
#endif
    };
    struct check k;
    enum lsuit_err e;

    k.manifest = manifest;
    k.policy = policy;
    k.vendor = k.class_ = false;
    if (manifest->envelope == NULL)
        return lsuit_fault_set(fault, LSUIT_ERR_USAGE, "suit-manifest", "not read", 0);
    e = section_check(&k, manifest->shared, LSUIT_SECTION_COMMON, fault);
    for (size_t i = 0; e == LSUIT_OK && i < sizeof SECTIONS; i++)
        e = section_check(&k, lsuit_manifest_part(manifest, SECTIONS[i])->bytes, SECTIONS[i],
                          fault);
    if (e == LSUIT_OK && (policy & LSUIT_CHECK_IDENTITY) != 0 && !(k.vendor && k.class_))
        return lsuit_fault_set(fault, LSUIT_ERR_CONDITION, "suit-shared-sequence",
                               "no vendor or class condition", 0);
    return e;
}
