/*
 * The manifest's own map, its common section, and its severed sections.
 * draft-ietf-suit-manifest-37, sections 8.4 and 8.5.
 */
#include "lsuit/suit.h"

#include "digest.h"
#include "element.h"
#include "fault.h"
#include "value.h"

#ifdef LSUIT_NO_TEXT
#define NAME(key) NULL
#define COMMON_NAME(key) NULL
#else
#define NAME(key) lsuit_name_manifest_key(key)
#define COMMON_NAME(key) lsuit_name_common_key(key)
#endif

/* How an element is read. */
enum kind { VERSION, SEQUENCE, COMMON, URI, COMPONENT_ID, SET_VERSION, INLINE, SEVERABLE, REFUSED };

#define IN_MANIFEST(member) offsetof(struct lsuit_manifest, member)
#define IN_ENVELOPE(member) offsetof(struct lsuit_envelope, member)

#define IF_DEPENDENCIES(kind) (LSUIT_WITH_DEPENDENCIES ? (kind) : REFUSED)
#define IF_UPDATE_MANAGEMENT(kind) (LSUIT_WITH_UPDATE_MANAGEMENT ? (kind) : REFUSED)

/* clang-format off */
static const struct element {
    uint8_t key;
    uint8_t kind;
    uint16_t place;   /* of a section in struct lsuit_manifest, 0 when it is none */
    uint16_t severed; /* of its severed form in struct lsuit_envelope */
} ELEMENTS[] = {
  { 1,                                    VERSION,      0, 0 },
  { 2,                                    SEQUENCE,     0, 0 },
  { LSUIT_SECTION_COMMON,                 COMMON,       0, 0 },
  { 4,                                    URI,          0, 0 },
  { 5,                                    COMPONENT_ID, 0, 0 },
  { 6,                                    IF_UPDATE_MANAGEMENT(SET_VERSION), 0, 0 },
  { LSUIT_SECTION_VALIDATE,               INLINE,       IN_MANIFEST(validate), 0 },
  { LSUIT_SECTION_LOAD,                   INLINE,       IN_MANIFEST(load), 0 },
  { LSUIT_SECTION_INVOKE,                 INLINE,       IN_MANIFEST(invoke), 0 },
  { LSUIT_SECTION_COSWID,                 IF_UPDATE_MANAGEMENT(SEVERABLE), IN_MANIFEST(coswid), IN_ENVELOPE(coswid) },
  { LSUIT_SECTION_DEPENDENCY_RESOLUTION,  IF_DEPENDENCIES(SEVERABLE), IN_MANIFEST(dependency_resolution), IN_ENVELOPE(dependency_resolution) },
  { LSUIT_SECTION_PAYLOAD_FETCH,          SEVERABLE,    IN_MANIFEST(payload_fetch), IN_ENVELOPE(payload_fetch) },
  { LSUIT_SECTION_CANDIDATE_VERIFICATION, SEVERABLE,    IN_MANIFEST(candidate_verification), IN_ENVELOPE(candidate_verification) },
  { LSUIT_SECTION_INSTALL,                SEVERABLE,    IN_MANIFEST(install), IN_ENVELOPE(install) },
  { LSUIT_SECTION_TEXT,                   SEVERABLE,    IN_MANIFEST(text), IN_ENVELOPE(text) },
  { LSUIT_SECTION_UNINSTALL,              IF_DEPENDENCIES(INLINE), IN_MANIFEST(uninstall), 0 },
  { 25, /* MUD */                         REFUSED,      0, 0 },
};
/* clang-format on */
#define ELEMENTS_N (sizeof ELEMENTS / sizeof ELEMENTS[0])

enum { COMMON_DEPENDENCIES = 1, COMMON_COMPONENTS = 2, COMMON_SHARED_SEQUENCE = 4 };

#define DEPENDENCY_PREFIX 1

/* What is at fault, beside the cursor's error. */
struct note {
    const char *what;
    int32_t code;
};

static void note(struct note *note, const char *what, int32_t code)
{
#ifndef LSUIT_NO_TEXT
    note->what = what;
#else
    (void)what;
#endif
    note->code = code;
}

/* A component identifier: an array of byte strings. Returns its encoding. */
static struct lsuit_bytes component_id_take(struct lsuit_cbor *c)
{
    struct lsuit_bytes id = { c->p, 0 };

    lsuit_cbor_array(c);
    while (lsuit_cbor_next(c))
        (void)lsuit_cbor_bstr(c);
    id.len = (size_t)(c->p - id.ptr);
    return c->err == LSUIT_OK ? id : (struct lsuit_bytes){ NULL, 0 };
}

/* One identifier; it must be no other component's. */
static void component_add(struct lsuit_cbor *c, struct lsuit_manifest *m, uint64_t index,
                          struct lsuit_bytes id)
{
    for (uint32_t i = 0; i < LSUIT_MAX_COMPONENTS; i++) {
        if (lsuit_bytes_compare(id, m->components[i]) == 0)
            REFUSE(c, LSUIT_ERR_COMPONENT, "one identifier twice");
    }
    if (index >= LSUIT_MAX_COMPONENTS)
        REFUSE(c, LSUIT_ERR_COMPONENT, "more components than this build takes");
    else if (m->components[index].ptr != NULL)
        REFUSE(c, LSUIT_ERR_COMMAND, "a prefix for the components of a dependency");
    if (c->err == LSUIT_OK)
        m->components[index] = id;
}

static void components_read(struct lsuit_cbor *c, struct lsuit_manifest *m)
{
    lsuit_cbor_array(c);
    while (lsuit_cbor_next(c))
        component_add(c, m, m->components_n++, component_id_take(c));
}

#if LSUIT_WITH_DEPENDENCIES

/*
 * { + index => { ? prefix } }. A dependency that suit-components leaves out has its identifier as
 * the prefix, as in the examples of the draft; any other prefix is not supported.
 */
static void dependencies_read(struct lsuit_cbor *c, struct lsuit_manifest *m)
{
    int32_t key = 0;

    if (lsuit_cbor_map(c) == 0)
        REFUSE(c, LSUIT_ERR_CBOR, "no map of dependencies");
    while (lsuit_cbor_next_any_key(c)) {
        uint64_t index = lsuit_cbor_uint(c);

        if (index >= LSUIT_MAX_COMPONENTS)
            REFUSE(c, LSUIT_ERR_COMPONENT, "more components than this build takes");
        else
            m->dependencies |= (uint32_t)1 << index;
        lsuit_cbor_map(c);
        while (lsuit_cbor_next_code(c, &key)) {
            if (key != DEPENDENCY_PREFIX)
                REFUSE(c, LSUIT_ERR_COMMAND, "unknown metadata of a dependency");
            component_add(c, m, index, component_id_take(c));
        }
    }
}

/* Those that suit-components leaves out are components too. */
static void dependencies_count(struct lsuit_manifest *m)
{
    while (m->dependencies >> m->components_n != 0)
        m->components_n++;
}

#endif

static enum lsuit_err common_read(struct lsuit_cbor *c, struct lsuit_manifest *m, struct note *n)
{
    int32_t key = 0;

    lsuit_cbor_map(c);
    while (lsuit_cbor_next_code(c, &key)) {
        note(n, COMMON_NAME(key), key);
        switch (key) {
#if LSUIT_WITH_DEPENDENCIES
        case COMMON_DEPENDENCIES:
            dependencies_read(c, m);
            break;
#else
        case COMMON_DEPENDENCIES:
            REFUSE(c, LSUIT_ERR_COMMAND, "dependencies are not supported by this build");
            break;
#endif
        case COMMON_COMPONENTS:
            components_read(c, m);
            break;
        case COMMON_SHARED_SEQUENCE:
            m->shared = lsuit_cbor_bstr(c);
            break;
        default:
            note(n, TEXT("suit-common"), key);
            REFUSE(c, LSUIT_ERR_CBOR, "unknown key");
        }
    }
    if (c->depth == 0)
        note(n, TEXT("suit-common"), 0);
    if (lsuit_cbor_finish(c) == LSUIT_OK && m->components_n == 0) {
        note(n, TEXT("suit-components"), COMMON_COMPONENTS);
        REFUSE(c, LSUIT_ERR_COMPONENT, "no component");
    }
#if LSUIT_WITH_DEPENDENCIES
    dependencies_count(m);
#endif
    return lsuit_cbor_finish(c);
}

static const struct element *element_find(int32_t key)
{
    for (size_t i = 0; i < ELEMENTS_N; i++) {
        if (ELEMENTS[i].key == key)
            return &ELEMENTS[i];
    }
    return NULL;
}

bool lsuit_element_taken(int32_t key, bool *severable_out)
{
    const struct element *el = element_find(key);

    *severable_out = el != NULL && el->kind == SEVERABLE;
    return el != NULL && el->kind != REFUSED;
}

const struct lsuit_part *lsuit_manifest_part(const struct lsuit_manifest *manifest, int32_t key)
{
    const struct element *el = element_find(key);

    if (el == NULL || el->place == 0)
        return NULL;
    return (const struct lsuit_part *)(const void *)((const uint8_t *)manifest + el->place);
}

static struct lsuit_part *part_of(struct lsuit_manifest *m, const struct element *el)
{
    return (struct lsuit_part *)(void *)((uint8_t *)m + el->place);
}

/* A section: the byte string itself or, where it may be severed, its digest. */
static void part_read(struct lsuit_cbor *c, struct lsuit_part *part, bool severable)
{
    part->present = true;
    if (severable && lsuit_cbor_peek(c) == LSUIT_CBOR_ARRAY) {
        part->severable = true;
        part->digest = lsuit_digest_take(c);
    } else {
        part->bytes = lsuit_cbor_bstr(c);
    }
}

#ifndef LSUIT_NO_TEXT
/* Why a key may not stand here: unsupported, or of an older draft. */
static const char *key_why(int32_t key)
{
    if (element_find(key) != NULL)
        return "not supported by this build";
    if (key == 17)
        return "install at key 17: draft-ietf-suit-manifest -17 to -28";
    if (key >= 10 && key <= 13)
        return "keys 10 to 13: draft-ietf-suit-manifest -14 to -16, or before";
    return "unknown key in the manifest";
}
#endif

#if LSUIT_WITH_UPDATE_MANAGEMENT
static void set_version_read(struct lsuit_cbor *c, struct lsuit_manifest *m)
{
    m->set_version = lsuit_cbor_bstr(c);
    if (c->err == LSUIT_OK && !lsuit_value_version(m->set_version))
        REFUSE(c, LSUIT_ERR_CBOR, "no version");
}
#endif

static void element_read(struct lsuit_cbor *c, int32_t key, struct lsuit_manifest *m,
                         struct lsuit_bytes *common)
{
    const struct element *el = element_find(key);

    switch (el != NULL ? el->kind : REFUSED) {
    case VERSION:
        if (lsuit_cbor_uint(c) != 1)
            REFUSE(c, LSUIT_ERR_CBOR, "not manifest version 1");
        break;
    case SEQUENCE:
        m->sequence = lsuit_cbor_uint(c);
        break;
    case COMMON:
        *common = lsuit_cbor_bstr(c);
        break;
    case URI:
        m->reference_uri = lsuit_cbor_tstr(c);
        break;
    case COMPONENT_ID:
        m->component_id = component_id_take(c);
        break;
#if LSUIT_WITH_UPDATE_MANAGEMENT
    case SET_VERSION:
        set_version_read(c, m);
        break;
#endif
    case INLINE:
    case SEVERABLE:
        part_read(c, part_of(m, el), el->kind == SEVERABLE);
        break;
    default:
        REFUSE(c, el != NULL ? LSUIT_ERR_COMMAND : LSUIT_ERR_CBOR, key_why(key));
    }
}

/* The manifest's map. Keys 1, 2 and 3 must be there; being the lowest, they are counted. */
static enum lsuit_err map_read(struct lsuit_cbor *c, struct lsuit_manifest *m,
                               struct lsuit_bytes *common, struct note *n)
{
    int32_t key = 0, expected = 1;

    lsuit_cbor_map(c);
    while (lsuit_cbor_next_code(c, &key)) {
        if (expected <= 3 && key != expected)
            break;
        note(n, NAME(key), key);
        expected++;
        element_read(c, key, m, common);
    }
    if (c->depth == 0)
        note(n, TEXT("suit-manifest"), 0);
    if (c->err == LSUIT_OK && expected <= 3) {
        note(n, NAME(expected), expected);
        REFUSE(c, LSUIT_ERR_CBOR, "missing");
    }
    return lsuit_cbor_finish(c);
}

/* Hold one severed section of the envelope, with its header, against what the manifest says. */
static void severed_match(struct lsuit_cbor *c, struct lsuit_bytes whole,
                          const struct lsuit_crypto *crypto, struct lsuit_part *part)
{
    enum lsuit_err e;

    lsuit_cbor_start(c, whole);
    if (!part->present)
        REFUSE(c, LSUIT_ERR_UNAUTHORISED, "in the envelope, but not declared by the manifest");
    if (!part->severable)
        REFUSE(c, LSUIT_ERR_CBOR, "both in the manifest and in the envelope");
    if (c->err != LSUIT_OK)
        return;
    e = lsuit_digest_match(crypto, part->digest, whole);
    if (e != LSUIT_OK)
        REFUSE(c, e, "the severed element doesn't have the declared digest");
    part->bytes = lsuit_cbor_bstr(c);
}

static enum lsuit_err severed_read(struct lsuit_cbor *c, const struct lsuit_crypto *crypto,
                                   struct lsuit_manifest *m, struct note *n)
{
    for (size_t i = 0; c->err == LSUIT_OK && i < ELEMENTS_N; i++) {
        const struct element *el = &ELEMENTS[i];
        const struct lsuit_bytes *whole =
            (const void *)((const uint8_t *)m->envelope + el->severed);

        if (el->severed == 0 || whole->ptr == NULL)
            continue;
        note(n, NAME(el->key), el->key);
        severed_match(c, *whole, crypto, part_of(m, el));
    }
    return c->err;
}

enum lsuit_err lsuit_manifest_read(const struct lsuit_envelope *envelope,
                                   const struct lsuit_crypto *crypto,
                                   struct lsuit_manifest *manifest_out, struct lsuit_fault *fault)
{
    struct lsuit_bytes common = { NULL, 0 };
    struct note n = { 0 };
    struct lsuit_cbor c;
    enum lsuit_err e;

    if (!envelope->verified && !envelope->examined)
        return lsuit_fault_set(fault, LSUIT_ERR_USAGE, "suit-manifest", "not authenticated", 0);
    /* Filled in place, since it is too large for a device's stack; emptied again on error. */
    *manifest_out = (struct lsuit_manifest){ 0 };
    manifest_out->envelope = envelope;
    manifest_out->digest = envelope->digest;
    lsuit_cbor_start(&c, envelope->manifest);
    e = map_read(&c, manifest_out, &common, &n);
    if (e == LSUIT_OK) {
        lsuit_cbor_start(&c, common);
        e = common_read(&c, manifest_out, &n);
    }
    if (e == LSUIT_OK)
        e = severed_read(&c, crypto, manifest_out, &n);
    if (e == LSUIT_OK)
        return e;
    if (e == LSUIT_ERR_RANGE)
        e = LSUIT_ERR_CBOR; /* a key or a digest's length */
    *manifest_out = (struct lsuit_manifest){ 0 };
    (void)lsuit_fault_set(fault, e, n.what, REASON(&c) != NULL ? REASON(&c) : "malformed", n.code);
    if (fault != NULL)
        fault->offset = (size_t)(c.p - envelope->whole.ptr);
    return e;
}
