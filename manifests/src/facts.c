/*
 * What a manifest says about itself, found without executing it: all sequences are walked in the
 * order of an update and then of an invocation, every alternative included.
 */
#include "lsuit/suit.h"

#include "digest.h"
#include "fault.h"
#include "walk.h"

#define CLASSES (sizeof((struct lsuit_facts *)0)->class_id / sizeof(struct lsuit_bytes))
#define FETCHES (sizeof((struct lsuit_facts *)0)->fetch / sizeof(struct lsuit_fetch))

/* Parameters in force where the walk stands. */
struct force {
    struct lsuit_bytes uri;
    struct lsuit_digest digest;
    uint64_t size;
    bool has_size;
};

struct walker {
    const struct lsuit_manifest *manifest;
    struct lsuit_facts *facts;
    struct force force[LSUIT_MAX_COMPONENTS];
    bool shared;
    struct lsuit_walk w;
};

static void class_add(struct walker *k, struct lsuit_bytes id)
{
    struct lsuit_facts *f = k->facts;

    for (uint32_t i = 0; i < f->class_n; i++) {
        if (lsuit_bytes_compare(f->class_id[i], id) == 0)
            return;
    }
    if (f->class_n == CLASSES)
        (void)lsuit_walk_fail(&k->w, LSUIT_ERR_LIMIT, TEXT("more class identifiers than fit"));
    else
        f->class_id[f->class_n++] = id;
}

/* Does the command in work set this parameter of this component? set-parameters keeps a value. */
static bool sets(const struct walker *k, uint32_t i, bool has_value)
{
    return (k->w.components >> i & 1) != 0 &&
           (k->w.code == LSUIT_DIR_OVERRIDE_PARAMETERS || !has_value);
}

static void digest_set(struct walker *k, struct lsuit_bytes content)
{
    struct lsuit_digest d;
    enum lsuit_err e = lsuit_digest_read(content, &d);

    if (e != LSUIT_OK) {
        (void)lsuit_walk_fail(&k->w, e, TEXT("no digest"));
        return;
    }
    for (uint32_t i = 0; i < k->manifest->components_n; i++) {
        if (!sets(k, i, k->force[i].digest.alg != 0))
            continue;
        k->force[i].digest = d;
        if (k->facts->image_digest[i].alg == 0)
            k->facts->image_digest[i] = d;
    }
}

static void size_set(struct walker *k, uint64_t size)
{
    for (uint32_t i = 0; i < k->manifest->components_n; i++) {
        if (!sets(k, i, k->force[i].has_size))
            continue;
        k->force[i].size = size;
        k->force[i].has_size = true;
        if (k->facts->image_size[i] == 0)
            k->facts->image_size[i] = size;
    }
}

static void uri_set(struct walker *k, struct lsuit_bytes uri)
{
    for (uint32_t i = 0; i < k->manifest->components_n; i++) {
        if (sets(k, i, k->force[i].uri.ptr != NULL))
            k->force[i].uri = uri;
    }
}

static void parameters_read(struct walker *k)
{
    struct lsuit_cbor *c = &k->w.c;
    struct lsuit_facts *f = k->facts;
    struct lsuit_bytes b;
    int64_t key = 0;

    lsuit_cbor_map(c);
    while (k->w.err == LSUIT_OK && lsuit_cbor_next_key(c, &key)) {
        switch (key) {
        case LSUIT_PARAM_VENDOR_IDENTIFIER:
            b = lsuit_cbor_bstr(c);
            if (f->vendor_id.ptr == NULL)
                f->vendor_id = b;
            break;
        case LSUIT_PARAM_CLASS_IDENTIFIER:
            b = lsuit_cbor_bstr(c);
            if (c->err == LSUIT_OK)
                class_add(k, b);
            break;
        case LSUIT_PARAM_IMAGE_DIGEST:
            b = lsuit_cbor_bstr(c);
            if (c->err == LSUIT_OK)
                digest_set(k, b);
            break;
        case LSUIT_PARAM_IMAGE_SIZE:
            size_set(k, lsuit_cbor_uint(c));
            break;
        case LSUIT_PARAM_URI:
            uri_set(k, lsuit_cbor_tstr(c));
            break;
        case LSUIT_PARAM_UPDATE_PRIORITY:
            if (f->has_priority) {
                (void)lsuit_cbor_int(c);
            } else {
                f->priority = lsuit_cbor_int(c);
                f->has_priority = true;
            }
            break;
        default:
            (void)lsuit_cbor_item(c);
        }
    }
}

static void fetch_add(struct walker *k)
{
    for (uint32_t i = 0; i < k->manifest->components_n; i++) {
        if ((k->w.components >> i & 1) == 0)
            continue;
        if (k->facts->fetch_n == FETCHES) {
            (void)lsuit_walk_fail(&k->w, LSUIT_ERR_LIMIT, TEXT("more fetches than fit"));
            return;
        }
        k->facts->fetch[k->facts->fetch_n++] =
            (struct lsuit_fetch){ i, k->force[i].uri, k->force[i].digest, k->force[i].size };
    }
}

static void command_read(struct walker *k)
{
    switch (k->w.code) {
    case LSUIT_DIR_TRY_EACH:
    case LSUIT_DIR_RUN_SEQUENCE:
        return; /* taken by the walk */
    case LSUIT_DIR_SET_COMPONENT_INDEX:
        lsuit_walk_index(&k->w, k->manifest->components_n);
        return;
    case LSUIT_DIR_OVERRIDE_PARAMETERS:
    case LSUIT_DIR_SET_PARAMETERS:
        parameters_read(k);
        return;
    case LSUIT_DIR_FETCH:
        fetch_add(k);
        break;
    case LSUIT_COND_VENDOR_IDENTIFIER:
        k->facts->vendor_condition |= k->shared && k->w.depth == 1;
        break;
    case LSUIT_COND_CLASS_IDENTIFIER:
        k->facts->class_condition |= k->shared && k->w.depth == 1;
        break;
    default:
        break;
    }
    (void)lsuit_cbor_item(&k->w.c);
}

static bool section_read(struct walker *k, struct lsuit_bytes content, uint8_t section,
                         struct lsuit_fault *fault)
{
    if (content.ptr == NULL)
        return true;
    k->shared = section == LSUIT_SECTION_COMMON;
    lsuit_walk_start(&k->w, content);
    while (lsuit_walk_next(&k->w))
        command_read(k);
    if (k->w.err == LSUIT_OK)
        return true;
    (void)lsuit_fault_set(fault, k->w.err, TEXT("suit-command-sequence"), k->w.why, k->w.code);
    if (fault != NULL)
        fault->section = section;
    return false;
}

enum lsuit_err lsuit_manifest_facts(const struct lsuit_manifest *manifest,
                                    struct lsuit_facts *facts_out, struct lsuit_fault *fault)
{
    static const uint8_t SECTIONS[] = {
        LSUIT_SECTION_PAYLOAD_FETCH, LSUIT_SECTION_CANDIDATE_VERIFICATION,
        LSUIT_SECTION_INSTALL,       LSUIT_SECTION_VALIDATE,
        LSUIT_SECTION_LOAD,          LSUIT_SECTION_INVOKE,
    };
    struct lsuit_facts facts = { 0 };
    struct walker k = { 0 };

    k.manifest = manifest;
    k.facts = &facts;
    /* The shared sequence comes before each section (draft, 8.4.4). */
    for (size_t i = 0; i < sizeof SECTIONS; i++) {
        if (!section_read(&k, manifest->shared, LSUIT_SECTION_COMMON, fault) ||
            !section_read(&k, lsuit_manifest_part(manifest, SECTIONS[i])->bytes, SECTIONS[i],
                          fault))
            return k.w.err;
    }
    *facts_out = facts;
    return LSUIT_OK;
}
