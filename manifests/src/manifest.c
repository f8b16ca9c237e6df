/*
 * The manifest's own map, its common section, and its severed sections.
 * draft-ietf-suit-manifest-37, sections 8.4 and 8.5.
 */
#include "lsuit/suit.h"

#include "digest.h"
#include "fault.h"

#ifdef LSUIT_NO_TEXT
#define NAME(key) NULL
#else
#define NAME(key) lsuit_name_manifest_key(key)
#endif

/* How an element is read. */
enum kind { VERSION, SEQUENCE, COMMON, URI, COMPONENT_ID, INLINE, SEVERABLE, REFUSED };

#define IN_MANIFEST(member) offsetof(struct lsuit_manifest, member)
#define IN_ENVELOPE(member) offsetof(struct lsuit_envelope, member)

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
  { 6, /* set-version */                  REFUSED,      0, 0 },
  { LSUIT_SECTION_VALIDATE,               INLINE,       IN_MANIFEST(validate), 0 },
  { LSUIT_SECTION_LOAD,                   INLINE,       IN_MANIFEST(load), 0 },
  { LSUIT_SECTION_INVOKE,                 INLINE,       IN_MANIFEST(invoke), 0 },
  { LSUIT_SECTION_COSWID,                 REFUSED,      IN_MANIFEST(coswid), IN_ENVELOPE(coswid) },
  { LSUIT_SECTION_DEPENDENCY_RESOLUTION,  REFUSED,      IN_MANIFEST(dependency_resolution), IN_ENVELOPE(dependency_resolution) },
  { LSUIT_SECTION_PAYLOAD_FETCH,          SEVERABLE,    IN_MANIFEST(payload_fetch), IN_ENVELOPE(payload_fetch) },
  { LSUIT_SECTION_CANDIDATE_VERIFICATION, SEVERABLE,    IN_MANIFEST(candidate_verification), IN_ENVELOPE(candidate_verification) },
  { LSUIT_SECTION_INSTALL,                SEVERABLE,    IN_MANIFEST(install), IN_ENVELOPE(install) },
  { LSUIT_SECTION_TEXT,                   SEVERABLE,    IN_MANIFEST(text), IN_ENVELOPE(text) },
  { LSUIT_SECTION_UNINSTALL,              REFUSED,      IN_MANIFEST(uninstall), 0 },
  { 25, /* MUD */                         REFUSED,      0, 0 },
};
/* clang-format on */
#define ELEMENTS_N (sizeof ELEMENTS / sizeof ELEMENTS[0])

enum { COMMON_DEPENDENCIES = 1, COMMON_COMPONENTS = 2, COMMON_SHARED_SEQUENCE = 4 };

/* What a reader noticed beside the cursor's error. */
struct note {
    const char *what;
    const char *why;
    int64_t code;
    const uint8_t *at; /* in the envelope */
};

static void refuse(struct lsuit_cbor *c, enum lsuit_err err, struct note *note, const char *what,
                   const char *why, int64_t code)
{
    if (c->err != LSUIT_OK)
        return;
    lsuit_cbor_fail(c, err);
    note->what = what;
    note->why = why;
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

static void components_read(struct lsuit_cbor *c, struct lsuit_manifest *m, struct note *note)
{
    lsuit_cbor_array(c);
    while (lsuit_cbor_next(c)) {
        struct lsuit_bytes id = component_id_take(c);

        for (uint32_t i = 0; i < m->components_n; i++) {
            if (lsuit_bytes_compare(id, m->components[i]) == 0)
                refuse(c, LSUIT_ERR_COMPONENT, note, TEXT("suit-components"),
                       TEXT("one identifier twice"), COMMON_COMPONENTS);
        }
        if (m->components_n == LSUIT_MAX_COMPONENTS)
            refuse(c, LSUIT_ERR_COMPONENT, note, TEXT("suit-components"),
                   TEXT("more components than this build takes"), COMMON_COMPONENTS);
        else if (c->err == LSUIT_OK)
            m->components[m->components_n++] = id;
    }
}

static enum lsuit_err common_read(struct lsuit_bytes content, struct lsuit_manifest *m,
                                  struct note *note)
{
    struct lsuit_cbor c = lsuit_cbor_open(content);
    int64_t key = 0;

    note->what = TEXT("suit-common");
    lsuit_cbor_map(&c);
    while (lsuit_cbor_next_key(&c, &key)) {
        switch (key) {
        case COMMON_DEPENDENCIES:
            refuse(&c, LSUIT_ERR_COMMAND, note, TEXT("suit-dependencies"),
                   TEXT("dependencies are not supported"), key);
            break;
        case COMMON_COMPONENTS:
            components_read(&c, m, note);
            break;
        case COMMON_SHARED_SEQUENCE:
            m->shared = lsuit_cbor_bstr(&c);
            break;
        default:
            refuse(&c, LSUIT_ERR_CBOR, note, TEXT("suit-common"), TEXT("unknown key"), key);
        }
    }
    if (lsuit_cbor_finish(&c) == LSUIT_OK && m->components_n == 0)
        refuse(&c, LSUIT_ERR_COMPONENT, note, TEXT("suit-components"), TEXT("no component"),
               COMMON_COMPONENTS);
    note->at = c.p;
    return lsuit_cbor_finish(&c);
}

static const struct element *element_find(int64_t key)
{
    for (size_t i = 0; i < ELEMENTS_N; i++) {
        if (ELEMENTS[i].key == key)
            return &ELEMENTS[i];
    }
    return NULL;
}

const struct lsuit_part *lsuit_manifest_part(const struct lsuit_manifest *manifest, int64_t key)
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
static const char *key_why(int64_t key)
{
    if (element_find(key) != NULL)
        return "not supported by this build";
    if (key == 17)
        return "install at key 17: draft-ietf-suit-manifest -17 to -28";
    if (key >= 10 && key <= 13)
        return "keys 10 to 13: draft-ietf-suit-manifest -14 to -16, or before";
    return "unknown key in the manifest";
}
#else
#define key_why(key) NULL
#endif

static void element_read(struct lsuit_cbor *c, int64_t key, struct lsuit_manifest *m,
                         struct lsuit_bytes *common, struct note *note)
{
    const struct element *el = element_find(key);

    switch (el != NULL ? el->kind : REFUSED) {
    case VERSION:
        if (lsuit_cbor_uint(c) != 1)
            refuse(c, LSUIT_ERR_CBOR, note, NAME(key), TEXT("not manifest version 1"), key);
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
    case INLINE:
    case SEVERABLE:
        part_read(c, part_of(m, el), el->kind == SEVERABLE);
        break;
    default:
        refuse(c, el != NULL ? LSUIT_ERR_COMMAND : LSUIT_ERR_CBOR, note, NAME(key), key_why(key),
               key);
    }
}

/* The manifest's map. Keys 1, 2 and 3 must be there; being the lowest, they are counted. */
static enum lsuit_err map_read(struct lsuit_bytes content, struct lsuit_manifest *m,
                               struct lsuit_bytes *common, struct note *note)
{
    struct lsuit_cbor c = lsuit_cbor_open(content);
    int64_t key = 0, expected = 1;
    enum lsuit_err e;

    lsuit_cbor_map(&c);
    while (lsuit_cbor_next_key(&c, &key)) {
        if (expected <= 3 && key != expected)
            refuse(&c, LSUIT_ERR_CBOR, note, NAME(expected), TEXT("missing"), expected);
        expected++;
        element_read(&c, key, m, common, note);
    }
    if (c.err == LSUIT_OK && expected <= 3)
        refuse(&c, LSUIT_ERR_CBOR, note, NAME(expected), TEXT("missing"), expected);
    e = lsuit_cbor_finish(&c);
    if (e == LSUIT_ERR_RANGE)
        e = LSUIT_ERR_CBOR; /* a key or a digest's length */
    if (e != LSUIT_OK && note->why == NULL && note->code == 0) {
        note->what = c.depth > 0 ? NAME(key) : TEXT("suit-manifest");
        note->code = c.depth > 0 ? key : 0;
    }
    note->at = c.p;
    return e;
}

/* Hold one severed section of the envelope, with its header, against what the manifest says. */
static enum lsuit_err severed_match(struct lsuit_bytes whole, const struct lsuit_crypto *crypto,
                                    struct lsuit_part *part, struct note *note)
{
    struct lsuit_cbor c = lsuit_cbor_open(whole);
    enum lsuit_err e;

    note->at = whole.ptr;
    note->why = TEXT("in the envelope, but not declared by the manifest");
    if (!part->present)
        return LSUIT_ERR_UNAUTHORISED;
    note->why = TEXT("both in the manifest and in the envelope");
    if (!part->severable)
        return LSUIT_ERR_CBOR;
    note->why = TEXT("the severed element doesn't have the declared digest");
    e = lsuit_digest_match(crypto, part->digest, whole);
    if (e != LSUIT_OK)
        return e;
    note->why = NULL;
    part->bytes = lsuit_cbor_bstr(&c);
    return lsuit_cbor_finish(&c);
}

static enum lsuit_err severed_read(const struct lsuit_crypto *crypto, struct lsuit_manifest *m,
                                   struct note *note)
{
    enum lsuit_err e = LSUIT_OK;

    for (size_t i = 0; e == LSUIT_OK && i < ELEMENTS_N; i++) {
        const struct element *el = &ELEMENTS[i];
        const struct lsuit_bytes *whole =
            (const void *)((const uint8_t *)m->envelope + el->severed);

        if (el->severed == 0 || whole->ptr == NULL)
            continue;
        e = severed_match(*whole, crypto, part_of(m, el), note);
        if (e != LSUIT_OK) {
            note->what = NAME(el->key);
            note->code = el->key;
        }
    }
    return e;
}

enum lsuit_err lsuit_manifest_read(const struct lsuit_envelope *envelope,
                                   const struct lsuit_crypto *crypto,
                                   struct lsuit_manifest *manifest_out, struct lsuit_fault *fault)
{
    struct lsuit_bytes common = { NULL, 0 };
    struct note note = { 0 };
    enum lsuit_err e;

    if (!envelope->verified && !envelope->examined)
        return lsuit_fault_set(fault, LSUIT_ERR_USAGE, TEXT("suit-manifest"),
                               TEXT("not authenticated"), 0);
    /* Filled in place, since it is too large for a device's stack; emptied again on error. */
    *manifest_out = (struct lsuit_manifest){ 0 };
    manifest_out->envelope = envelope;
    manifest_out->digest = envelope->digest;
    e = map_read(envelope->manifest, manifest_out, &common, &note);
    if (e == LSUIT_OK)
        e = common_read(common, manifest_out, &note);
    if (e == LSUIT_OK)
        e = severed_read(crypto, manifest_out, &note);
    if (e != LSUIT_OK) {
        *manifest_out = (struct lsuit_manifest){ 0 };
        (void)lsuit_fault_set(fault, e, note.what, note.why != NULL ? note.why : TEXT("malformed"),
                              note.code);
        if (fault != NULL)
            fault->offset = (size_t)(note.at - envelope->whole.ptr);
    }
    return e;
}
