/*
 * The check of every command and parameter, without side effects.
 * draft-ietf-suit-manifest-37, sections 6.4, 7 and 8.4.
 *
 * What stands in the two tables is supported; everything else is refused, by its name where the
 * drafts give it one.
 */
#include "lsuit/suit.h"

#include "digest.h"
#include "fault.h"
#include "walk.h"

#include <string.h>

#ifdef LSUIT_NO_TEXT
#define COMMAND_NAME(code) NULL
#define PARAMETER_NAME(key) NULL
#define SECTION_NAME(key) NULL
#else
#define COMMAND_NAME(code) lsuit_name_command(code)
#define PARAMETER_NAME(key) lsuit_name_parameter(key)
#define SECTION_NAME(key) lsuit_name_manifest_key(key)
#endif

enum arg { ARG_POLICY, ARG_INDEX, ARG_PARAMETERS, ARG_SEQUENCES };
#define SHARED 0x80 /* may stand in the shared sequence (section 8.4.4.1 and its CDDL) */

/* clang-format off */
static const struct {
    uint8_t code;
    uint8_t arg;
} COMMANDS[] = {
  { LSUIT_COND_VENDOR_IDENTIFIER,   ARG_POLICY | SHARED },
  { LSUIT_COND_CLASS_IDENTIFIER,    ARG_POLICY | SHARED },
  { LSUIT_COND_IMAGE_MATCH,         ARG_POLICY | SHARED },
  { LSUIT_COND_COMPONENT_SLOT,      ARG_POLICY | SHARED },
  { LSUIT_COND_CHECK_CONTENT,       ARG_POLICY | SHARED },
  { LSUIT_DIR_SET_COMPONENT_INDEX,  ARG_INDEX | SHARED },
  { LSUIT_COND_ABORT,               ARG_POLICY | SHARED },
  { LSUIT_DIR_TRY_EACH,             ARG_SEQUENCES | SHARED },
  { LSUIT_DIR_WRITE,                ARG_POLICY },
  { LSUIT_DIR_SET_PARAMETERS,       ARG_PARAMETERS },
  { LSUIT_DIR_OVERRIDE_PARAMETERS,  ARG_PARAMETERS | SHARED },
  { LSUIT_DIR_FETCH,                ARG_POLICY },
  { LSUIT_DIR_COPY,                 ARG_POLICY },
  { LSUIT_DIR_INVOKE,               ARG_POLICY },
  { LSUIT_COND_DEVICE_IDENTIFIER,   ARG_POLICY | SHARED },
  { LSUIT_DIR_SWAP,                 ARG_POLICY },
  { LSUIT_DIR_RUN_SEQUENCE,         ARG_SEQUENCES | SHARED },
};

enum value { UUID, DIGEST, UINT, BOOL, BYTES, URI, INDEX, INT };

static const struct {
    uint8_t key;
    uint8_t value;
    uint8_t type; /* enum lsuit_cbor_type */
} PARAMETERS[] = {
  { LSUIT_PARAM_VENDOR_IDENTIFIER,  UUID,   LSUIT_CBOR_BSTR },
  { LSUIT_PARAM_CLASS_IDENTIFIER,   UUID,   LSUIT_CBOR_BSTR },
  { LSUIT_PARAM_IMAGE_DIGEST,       DIGEST, LSUIT_CBOR_BSTR },
  { LSUIT_PARAM_COMPONENT_SLOT,     UINT,   LSUIT_CBOR_UINT },
  { LSUIT_PARAM_STRICT_ORDER,       BOOL,   LSUIT_CBOR_SIMPLE },
  { LSUIT_PARAM_SOFT_FAILURE,       BOOL,   LSUIT_CBOR_SIMPLE },
  { LSUIT_PARAM_IMAGE_SIZE,         UINT,   LSUIT_CBOR_UINT },
  { LSUIT_PARAM_CONTENT,            BYTES,  LSUIT_CBOR_BSTR },
  { LSUIT_PARAM_URI,                URI,    LSUIT_CBOR_TSTR },
  { LSUIT_PARAM_SOURCE_COMPONENT,   INDEX,  LSUIT_CBOR_UINT },
  { LSUIT_PARAM_INVOKE_ARGS,        BYTES,  LSUIT_CBOR_BSTR },
  { LSUIT_PARAM_DEVICE_IDENTIFIER,  UUID,   LSUIT_CBOR_BSTR },
  { LSUIT_PARAM_FETCH_ARGUMENTS,    BYTES,  LSUIT_CBOR_BSTR },
  { LSUIT_PARAM_UPDATE_PRIORITY,    INT,    LSUIT_CBOR_UINT }, /* or LSUIT_CBOR_NINT */
};
/* clang-format on */

struct check {
    const struct lsuit_manifest *manifest;
    uint32_t policy;
    bool shared; /* in the shared sequence */
    bool vendor, class_;
    const char *what; /* of the error; the code beside it */
    int64_t code;
    struct lsuit_walk w;
};

/* Refuse the parameter in work. Returns false. */
static bool refuse_parameter(struct check *k, enum lsuit_err err, const char *why, int64_t key)
{
    if (k->w.err == LSUIT_OK) {
        k->what = PARAMETER_NAME(key);
        k->code = key;
    }
    return lsuit_walk_fail(&k->w, err, why);
}

/* Refuse the command in work. */
static void refuse_command(struct check *k, enum lsuit_err err, const char *why)
{
    if (k->w.err == LSUIT_OK) {
        k->what = COMMAND_NAME(k->w.code);
        k->code = k->w.code;
    }
    (void)lsuit_walk_fail(&k->w, err, why);
}

/* `#name`, or `../payloads/` with the SHA-256 in 64 hex digits. */
static bool lapel_uri(struct lsuit_bytes uri)
{
    static const char PREFIX[] = "../payloads/";
    const size_t n = sizeof PREFIX - 1;

    if (uri.len > 1 && uri.ptr[0] == '#')
        return true;
    if (uri.len != n + 64 || memcmp(uri.ptr, PREFIX, n) != 0)
        return false;
    for (size_t i = n; i < uri.len; i++) {
        uint8_t ch = uri.ptr[i];

        if ((ch < '0' || ch > '9') && (ch < 'a' || ch > 'f'))
            return false;
    }
    return true;
}

static bool digest_check(struct check *k, struct lsuit_bytes content, int64_t key)
{
    struct lsuit_digest d;
    enum lsuit_err e = lsuit_digest_read(content, &d);

    if (e == LSUIT_ERR_RANGE)
        return refuse_parameter(k, LSUIT_ERR_CBOR,
                                TEXT("a digest that isn't as long as its algorithm says"), key);
    if (e != LSUIT_OK && e != LSUIT_ERR_ALG)
        return refuse_parameter(k, LSUIT_ERR_CBOR, TEXT("no digest"), key);
    if (e == LSUIT_ERR_ALG || d.alg == LSUIT_ALG_SHAKE128 || d.alg == LSUIT_ALG_SHAKE256 ||
        (d.alg != LSUIT_ALG_SHA256 && (k->policy & LSUIT_CHECK_SHA256) != 0))
        return refuse_parameter(k, LSUIT_ERR_ALG, TEXT("a digest algorithm that this build lacks"),
                                key);
    /* Draft, section 7: a digest may always be replaced by a later one, never kept by an earlier. */
    if (k->w.code == LSUIT_DIR_SET_PARAMETERS)
        return refuse_parameter(k, LSUIT_ERR_PARAMETER, TEXT("a digest needs override-parameters"),
                                key);
    return true;
}

/* Take one value and hold it against what its parameter allows. */
static bool value_check(struct check *k, int64_t key, uint8_t value)
{
    struct lsuit_cbor *c = &k->w.c;
    struct lsuit_bytes b = { NULL, 0 };

    switch (value) {
    case UUID:
        (void)lsuit_cbor_bstr_n(c, 16);
        if (c->err == LSUIT_ERR_RANGE)
            return refuse_parameter(k, LSUIT_ERR_CBOR, TEXT("not 16 bytes"), key);
        break;
    case DIGEST:
        b = lsuit_cbor_bstr(c);
        return c->err == LSUIT_OK && digest_check(k, b, key);
    case BOOL:
        (void)lsuit_cbor_bool(c);
        if (key == LSUIT_PARAM_SOFT_FAILURE && k->w.depth == 1)
            return refuse_parameter(k, LSUIT_ERR_PARAMETER,
                                    TEXT("only inside try-each and run-sequence"), key);
        break;
    case BYTES:
        (void)lsuit_cbor_bstr(c);
        break;
    case URI:
        b = lsuit_cbor_tstr(c);
        if (c->err == LSUIT_OK && (k->policy & LSUIT_CHECK_LAPEL_URI) != 0 && !lapel_uri(b))
            return refuse_parameter(k, LSUIT_ERR_PARAMETER,
                                    TEXT("neither #name nor ../payloads/ with 64 hex digits"), key);
        break;
    case INDEX:
        if (lsuit_cbor_uint(c) >= k->manifest->components_n)
            return refuse_parameter(k, LSUIT_ERR_COMPONENT, TEXT("no component of this index"),
                                    key);
        break;
    case UINT:
        (void)lsuit_cbor_uint(c);
        break;
    default:
        (void)lsuit_cbor_int(c);
    }
    return c->err == LSUIT_OK;
}

static bool parameter_check(struct check *k, int64_t key)
{
    enum lsuit_cbor_type type = lsuit_cbor_peek(&k->w.c);

    for (size_t i = 0; i < sizeof PARAMETERS / sizeof PARAMETERS[0]; i++) {
        if (PARAMETERS[i].key != key)
            continue;
        if (type == LSUIT_CBOR_NINT && PARAMETERS[i].value == INT)
            type = LSUIT_CBOR_UINT;
        if (type != PARAMETERS[i].type)
            return refuse_parameter(k, LSUIT_ERR_PARAMETER, TEXT("a value of the wrong type"), key);
        return value_check(k, key, PARAMETERS[i].value);
    }
    return refuse_parameter(k, LSUIT_ERR_PARAMETER, TEXT("unknown, or not supported by this build"),
                            key);
}

static void parameters_check(struct check *k)
{
    struct lsuit_cbor *c = &k->w.c;
    int64_t key = 0;

    if (lsuit_cbor_map(c) == 0)
        refuse_command(k, LSUIT_ERR_CBOR, TEXT("no map of parameters"));
    while (lsuit_cbor_next_key(c, &key)) {
        if (!parameter_check(k, key))
            break;
    }
    if (c->err == LSUIT_OK)
        return;
    if (key != 0)
        (void)refuse_parameter(k, c->err, TEXT("malformed, or keys not in ascending order"), key);
    else
        refuse_command(k, c->err, TEXT("malformed parameters"));
}

static void argument_check(struct check *k, uint8_t arg)
{
    struct lsuit_cbor *c = &k->w.c;

    switch (arg) {
    case ARG_POLICY: /* SUIT_Rep_Policy: four bits */
        (void)lsuit_cbor_uint_max(c, 15);
        if (c->err != LSUIT_OK)
            refuse_command(k, LSUIT_ERR_CBOR, TEXT("no reporting policy"));
        break;
    case ARG_INDEX:
        lsuit_walk_index(&k->w, k->manifest->components_n);
        break;
    case ARG_PARAMETERS:
        parameters_check(k);
        break;
    default: /* the walk has taken it */
        break;
    }
}

/* The argument size of a command in the table; -1 for one that isn't there. */
static int find(int64_t code)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        if (COMMANDS[i].code == code)
            return COMMANDS[i].arg;
    }
    return -1;
}

static void command_check(struct check *k)
{
    int64_t code = k->w.code;
    int row = find(code);

    if (row < 0) {
        refuse_command(k, LSUIT_ERR_COMMAND, TEXT("unknown, or not supported by this build"));
    } else if (k->shared && (row & SHARED) == 0) {
        refuse_command(k, LSUIT_ERR_COMMAND, TEXT("not allowed in the shared sequence"));
    } else if (k->w.first && k->manifest->components_n > 1 &&
               code != LSUIT_DIR_SET_COMPONENT_INDEX) {
        refuse_command(k, LSUIT_ERR_CBOR,
                       TEXT("with several components a section begins with set-component-index"));
    } else {
        argument_check(k, (uint8_t)(row & ~SHARED));
    }
    if (k->shared && k->w.depth == 1) {
        k->vendor |= code == LSUIT_COND_VENDOR_IDENTIFIER;
        k->class_ |= code == LSUIT_COND_CLASS_IDENTIFIER;
    }
}

static bool section_check(struct check *k, struct lsuit_bytes content, uint8_t section,
                          struct lsuit_fault *fault)
{
    if (content.ptr == NULL)
        return true;
    k->what = NULL;
    k->code = 0;
    k->shared = section == LSUIT_SECTION_COMMON;
    lsuit_walk_start(&k->w, content);
    while (lsuit_walk_next(&k->w))
        command_check(k);
    if (k->w.err == LSUIT_OK)
        return true;
    if (k->what == NULL && k->code == 0) {
        k->code = k->w.begun ? k->w.code : 0;
        k->what = k->w.begun ? COMMAND_NAME(k->code) : SECTION_NAME(section);
    }
    (void)lsuit_fault_set(fault, k->w.err, k->what, k->w.why, k->code);
    if (fault != NULL) {
        fault->section = section;
        fault->offset = (size_t)(k->w.c.p - k->manifest->envelope->whole.ptr);
    }
    return false;
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
    };
    struct check k;

    k.manifest = manifest;
    k.policy = policy;
    k.vendor = k.class_ = false;
    if (manifest->envelope == NULL)
        return lsuit_fault_set(fault, LSUIT_ERR_USAGE, TEXT("suit-manifest"), TEXT("not read"), 0);
    if (!section_check(&k, manifest->shared, LSUIT_SECTION_COMMON, fault))
        return k.w.err;
    for (size_t i = 0; i < sizeof SECTIONS; i++) {
        if (!section_check(&k, lsuit_manifest_part(manifest, SECTIONS[i])->bytes, SECTIONS[i],
                           fault))
            return k.w.err;
    }
    if ((policy & LSUIT_CHECK_IDENTITY) != 0 && !(k.vendor && k.class_))
        return lsuit_fault_set(fault, LSUIT_ERR_CONDITION, TEXT("suit-shared-sequence"),
                               TEXT("no vendor or class condition"), 0);
    return LSUIT_OK;
}
