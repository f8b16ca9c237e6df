/*
 * What a manifest says about itself, found without executing it: all sequences are walked in the
 * order of an update and then of an invocation, every alternative included.
 *
 * The alternatives of an outermost try-each begin alike, with the parameters in force before it.
 * What they set is a payload each, as with A/B slots: a fetch behind the try-each lists them all.
 */
#include "lsuit/suit.h"

#include "digest.h"
#include "fault.h"
#include "walk.h"

#include <string.h>

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
    struct force before[LSUIT_MAX_COMPONENTS]; /* the try-each in work */
    struct lsuit_fetch other[FETCHES];         /* what alternatives set that aren't the last */
    uint32_t other_n;
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
        REFUSE(&k->w.c, LSUIT_ERR_LIMIT, "more class identifiers than fit");
    else
        f->class_id[f->class_n++] = id;
}

/* --- Parameters. --- */

/* One parameter of one component. set-parameters keeps a value that is there. */
static void force_set(struct walker *k, uint32_t i, int32_t key, struct lsuit_bytes value,
                      bool keep)
{
    struct force *f = &k->force[i];
    struct lsuit_cbor c;

    lsuit_cbor_start(&c, value);
    if (key == LSUIT_PARAM_IMAGE_DIGEST && !(keep && f->digest.alg != 0)) {
        if (lsuit_digest_read(lsuit_cbor_bstr(&c), &f->digest) != LSUIT_OK)
            REFUSE(&k->w.c, LSUIT_ERR_CBOR, "no digest");
        if (k->facts->image_digest[i].alg == 0)
            k->facts->image_digest[i] = f->digest;
    } else if (key == LSUIT_PARAM_IMAGE_SIZE && !(keep && f->has_size)) {
        f->size = lsuit_cbor_uint(&c);
        f->has_size = true;
        if (k->facts->image_size[i] == 0)
            k->facts->image_size[i] = f->size;
    } else if (key == LSUIT_PARAM_URI && !(keep && f->uri.ptr != NULL)) {
        f->uri = lsuit_cbor_tstr(&c);
    }
}

/* A value that tells something about the whole. */
static void whole_note(struct walker *k, int32_t key, struct lsuit_bytes value)
{
    struct lsuit_facts *f = k->facts;
    struct lsuit_cbor c;

    lsuit_cbor_start(&c, value);
    if (key == LSUIT_PARAM_VENDOR_IDENTIFIER && f->vendor_id.ptr == NULL) {
        f->vendor_id = lsuit_cbor_peek(&c) == LSUIT_CBOR_TAG ? value : lsuit_cbor_bstr(&c);
    } else if (key == LSUIT_PARAM_CLASS_IDENTIFIER) {
        class_add(k, lsuit_cbor_bstr(&c));
    } else if (key == LSUIT_PARAM_UPDATE_PRIORITY && !f->has_priority) {
        f->priority = lsuit_cbor_int(&c);
        f->has_priority = true;
    }
}

/* A map of parameters, for the components that the command in work applies to. */
static void parameters_read(struct walker *k, bool keep)
{
    const struct lsuit_frame *f = lsuit_walk_top(&k->w);
    struct lsuit_cbor *c = &k->w.c;
    int32_t key = 0;

    lsuit_cbor_map(c);
    while (lsuit_cbor_next_code(c, &key)) {
        struct lsuit_bytes value = lsuit_cbor_item(c);

        if (c->err != LSUIT_OK)
            break;
        whole_note(k, key, value);
        for (uint32_t i = 0; i < f->list_n; i++)
            force_set(k, f->list[i], key, value, keep);
    }
}

#if LSUIT_WITH_UPDATE_MANAGEMENT

static uint8_t index_take(struct walker *k)
{
    uint64_t index = lsuit_cbor_uint(&k->w.c);

    if (index < k->manifest->components_n)
        return (uint8_t)index;
    lsuit_cbor_fail(&k->w.c, LSUIT_ERR_COMPONENT);
    return 0;
}

static void multiple_read(struct walker *k)
{
    struct lsuit_frame *f = lsuit_walk_top(&k->w);

    lsuit_cbor_map(&k->w.c);
    while (lsuit_cbor_next_any_key(&k->w.c)) {
        f->list[0] = index_take(k);
        f->list_n = 1;
        parameters_read(k, false);
    }
}

static void params_copy(struct walker *k)
{
    const struct lsuit_frame *f = lsuit_walk_top(&k->w);
    struct lsuit_cbor *c = &k->w.c;

    lsuit_cbor_map(c);
    while (lsuit_cbor_next_any_key(c)) {
        struct force from = k->force[index_take(k)];

        lsuit_cbor_array(c);
        while (lsuit_cbor_next(c)) {
            int32_t key = lsuit_cbor_int32(c);

            for (uint32_t i = 0; i < f->list_n; i++) {
                struct force *to = &k->force[f->list[i]];

                if (key == LSUIT_PARAM_IMAGE_DIGEST)
                    to->digest = from.digest;
                if (key == LSUIT_PARAM_URI)
                    to->uri = from.uri;
                if (key == LSUIT_PARAM_IMAGE_SIZE) {
                    to->size = from.size;
                    to->has_size = from.has_size;
                }
            }
        }
    }
}

#endif

/* --- Payloads. --- */

static void list_add(struct walker *k, struct lsuit_fetch *list, uint32_t *n, uint32_t component,
                     const struct force *f)
{
    for (uint32_t i = 0; i < *n; i++) {
        if (list[i].component == component && lsuit_bytes_compare(list[i].uri, f->uri) == 0 &&
            lsuit_bytes_compare(list[i].digest.bytes, f->digest.bytes) == 0)
            return;
    }
    if (*n == FETCHES)
        REFUSE(&k->w.c, LSUIT_ERR_LIMIT, "more fetches than fit");
    else
        list[(*n)++] = (struct lsuit_fetch){ component, f->uri, f->digest, f->size };
}

/* An alternative begins: what the one before it set is kept, and unset. */
static void alternative_begin(struct walker *k)
{
    bool is_first = lsuit_walk_top(&k->w)->begun == 1;

    for (uint32_t i = 0; !is_first && i < k->manifest->components_n; i++) {
        const struct force *f = &k->force[i];

        if (f->uri.ptr != NULL &&
            (lsuit_bytes_compare(f->uri, k->before[i].uri) != 0 ||
             lsuit_bytes_compare(f->digest.bytes, k->before[i].digest.bytes) != 0))
            list_add(k, k->other, &k->other_n, i, f);
    }
    if (is_first)
        memcpy(k->before, k->force, sizeof k->before);
    else
        memcpy(k->force, k->before, sizeof k->force);
}

static void fetch_read(struct walker *k)
{
    const struct lsuit_frame *f = lsuit_walk_top(&k->w);

    for (uint32_t i = 0; i < f->list_n; i++) {
        uint32_t component = f->list[i];

        for (uint32_t o = 0; o < k->other_n; o++) {
            struct force other = { k->other[o].uri, k->other[o].digest, k->other[o].size, true };

            if (k->other[o].component == component)
                list_add(k, k->facts->fetch, &k->facts->fetch_n, component, &other);
        }
        list_add(k, k->facts->fetch, &k->facts->fetch_n, component, &k->force[component]);
    }
}

/* --- Commands. --- */

static void command_read(struct walker *k)
{
    struct lsuit_cbor *c = &k->w.c;
    bool outermost = k->shared && k->w.depth == 1;

    if (k->w.branch)
        alternative_begin(k);
    switch (k->w.code) {
    case LSUIT_DIR_TRY_EACH:
    case LSUIT_DIR_RUN_SEQUENCE:
        return; /* taken by the walk */
    case LSUIT_DIR_SET_COMPONENT_INDEX:
        (void)lsuit_sequence_index(lsuit_walk_top(&k->w), c, k->manifest->components_n);
        return;
    case LSUIT_DIR_OVERRIDE_PARAMETERS:
    case LSUIT_DIR_SET_PARAMETERS:
        parameters_read(k, k->w.code == LSUIT_DIR_SET_PARAMETERS);
        return;
#if LSUIT_WITH_UPDATE_MANAGEMENT
    case LSUIT_DIR_OVERRIDE_MULTIPLE:
        multiple_read(k);
        return;
    case LSUIT_DIR_COPY_PARAMS:
        params_copy(k);
        return;
#endif
    case LSUIT_DIR_FETCH:
        fetch_read(k);
        break;
    case LSUIT_COND_VENDOR_IDENTIFIER:
        k->facts->vendor_condition |= outermost;
        break;
    case LSUIT_COND_CLASS_IDENTIFIER:
        k->facts->class_condition |= outermost;
        break;
    default:
        break;
    }
    (void)lsuit_cbor_item(c);
}

static enum lsuit_err section_read(struct walker *k, struct lsuit_bytes content, uint8_t section,
                                   struct lsuit_fault *fault)
{
    enum lsuit_err err;

    if (content.ptr == NULL)
        return LSUIT_OK;
    k->shared = section == LSUIT_SECTION_COMMON;
    lsuit_walk_start(&k->w, content);
    while (lsuit_walk_next(&k->w))
        command_read(k);
    err = k->w.c.err == LSUIT_ERR_RANGE ? LSUIT_ERR_CBOR : k->w.c.err;
    if (err == LSUIT_OK)
        return LSUIT_OK;
    (void)lsuit_fault_set(fault, err, "suit-command-sequence", REASON(&k->w.c), k->w.code);
    if (fault != NULL)
        fault->section = section;
    return err;
}

enum lsuit_err lsuit_manifest_facts(const struct lsuit_manifest *manifest,
                                    struct lsuit_facts *facts_out, struct lsuit_fault *fault)
{
    static const uint8_t SECTIONS[] = {
        LSUIT_SECTION_DEPENDENCY_RESOLUTION,
        LSUIT_SECTION_PAYLOAD_FETCH,
        LSUIT_SECTION_CANDIDATE_VERIFICATION,
        LSUIT_SECTION_INSTALL,
        LSUIT_SECTION_VALIDATE,
        LSUIT_SECTION_LOAD,
        LSUIT_SECTION_INVOKE,
    };
    struct lsuit_facts facts = { 0 };
    struct walker k = { 0 };
    enum lsuit_err e = LSUIT_OK;

    k.manifest = manifest;
    k.facts = &facts;
    /* The shared sequence comes before each section (draft, 8.4.4). */
    for (size_t i = 0; e == LSUIT_OK && i < sizeof SECTIONS; i++) {
        e = section_read(&k, manifest->shared, LSUIT_SECTION_COMMON, fault);
        if (e == LSUIT_OK)
            e = section_read(&k, lsuit_manifest_part(manifest, SECTIONS[i])->bytes, SECTIONS[i],
                             fault);
    }
    if (e == LSUIT_OK)
        *facts_out = facts;
    return e;
}
