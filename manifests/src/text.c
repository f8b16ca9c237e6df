/*
 * What a manifest tells people: suit-text, one language of it.
 * draft-ietf-suit-manifest-37, section 8.4.5; the private keys are in SPEC.md.
 *
 * All languages are read, so that the text is accepted or refused as a whole.
 */
#include "lsuit/suit.h"

#include "fault.h"

enum { RISKS_REMOVED = -1, ADVISORIES = -2, DOWNTIME = -3, DISRUPTS = -4 };

/* How well a language fits. */
enum { FIT_NONE, FIT_FIRST, FIT_PRIMARY, FIT_EXACT };

static uint8_t lower(uint8_t ch)
{
    return ch >= 'A' && ch <= 'Z' ? (uint8_t)(ch + 32) : ch;
}

/* Language tags are compared without regard to case (RFC 5646, 2.1.1). */
static bool tag_equal(struct lsuit_bytes a, struct lsuit_bytes b, size_t n)
{
    if (a.len < n || b.len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

static size_t primary_len(struct lsuit_bytes tag)
{
    size_t n = 0;

    while (n < tag.len && tag.ptr[n] != '-')
        n++;
    return n;
}

static int fit(struct lsuit_bytes have, struct lsuit_bytes want)
{
    size_t n = primary_len(want);

    if (want.len == 0)
        return FIT_FIRST;
    if (have.len == want.len && tag_equal(have, want, want.len))
        return FIT_EXACT;
    return primary_len(have) == n && tag_equal(have, want, n) ? FIT_PRIMARY : FIT_FIRST;
}

/* A component may be described only when suit-common names it. */
static bool component_known(const struct lsuit_manifest *m, struct lsuit_bytes id)
{
    for (uint32_t i = 0; m != NULL && i < m->components_n; i++) {
        if (lsuit_bytes_compare(m->components[i], id) == 0)
            return true;
    }
    return m == NULL;
}

/* The first component that has a text gives it. */
static void keep(struct lsuit_bytes *slot, struct lsuit_bytes text)
{
    if (slot->ptr == NULL)
        *slot = text;
}

static void component_read(struct lsuit_cbor *c, struct lsuit_text *t)
{
    struct lsuit_bytes *slots[] = { &t->vendor_name,           &t->model_name,
                                    &t->vendor_domain,         &t->model_info,
                                    &t->component_description, &t->component_version };
    int64_t key = 0;

    lsuit_cbor_map(c);
    while (lsuit_cbor_next_key(c, &key)) {
        if (key >= 1 && key <= 6)
            keep(slots[key - 1], lsuit_cbor_tstr(c));
        else
            (void)lsuit_cbor_item(c);
    }
}

static struct lsuit_bytes advisories_take(struct lsuit_cbor *c)
{
    struct lsuit_bytes list = { c->p, 0 };

    lsuit_cbor_array(c);
    while (lsuit_cbor_next(c))
        (void)lsuit_cbor_tstr(c);
    list.len = (size_t)(c->p - list.ptr);
    return c->err == LSUIT_OK ? list : (struct lsuit_bytes){ NULL, 0 };
}

static void value_read(struct lsuit_cbor *c, int64_t key, struct lsuit_text *t)
{
    switch (key) {
    case 1:
        t->description = lsuit_cbor_tstr(c);
        break;
    case 2:
        t->update_description = lsuit_cbor_tstr(c);
        break;
    case RISKS_REMOVED:
        t->risks_removed = lsuit_cbor_tstr(c);
        break;
    case ADVISORIES:
        t->advisories = advisories_take(c);
        break;
    case DOWNTIME:
        t->downtime_s = (uint32_t)lsuit_cbor_uint_max(c, UINT32_MAX);
        t->has_downtime = true;
        break;
    case DISRUPTS:
        t->disrupts = lsuit_cbor_bool(c);
        t->has_disrupts = true;
        break;
    default: /* a key of somebody else: nothing follows from it */
        (void)lsuit_cbor_item(c);
    }
}

/* The map of one language: texts by number, and components by their identifiers. */
static void language_read(struct lsuit_cbor *c, const struct lsuit_manifest *m,
                          struct lsuit_text *t)
{
    lsuit_cbor_map(c);
    while (lsuit_cbor_next_any_key(c)) {
        struct lsuit_bytes id;

        switch (lsuit_cbor_peek(c)) {
        case LSUIT_CBOR_UINT:
        case LSUIT_CBOR_NINT:
            value_read(c, lsuit_cbor_int(c), t);
            break;
        case LSUIT_CBOR_ARRAY:
            id = lsuit_cbor_item(c);
            if (c->err == LSUIT_OK && !component_known(m, id))
                lsuit_cbor_fail(c, LSUIT_ERR_COMPONENT);
            component_read(c, t);
            break;
        default:
            lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        }
    }
}

static enum lsuit_err read_best(struct lsuit_bytes text, struct lsuit_bytes language,
                                const struct lsuit_manifest *m, struct lsuit_text *text_out,
                                struct lsuit_fault *fault)
{
    struct lsuit_text best = { 0 };
    struct lsuit_cbor c;
    int best_fit = FIT_NONE;
    enum lsuit_err e;

    lsuit_cbor_start(&c, text);
    lsuit_cbor_map(&c);
    while (lsuit_cbor_next_any_key(&c)) {
        struct lsuit_text t = { 0 };
        int f;

        t.language = lsuit_cbor_tstr(&c);
        language_read(&c, m, &t);
        if (c.err != LSUIT_OK)
            break;
        f = fit(t.language, language);
        if (f > best_fit) {
            best = t;
            best_fit = f;
        }
    }
    if (lsuit_cbor_finish(&c) == LSUIT_OK && best_fit == FIT_NONE)
        lsuit_cbor_fail(&c, LSUIT_ERR_CBOR);
    e = lsuit_cbor_finish(&c);
    if (e == LSUIT_OK) {
        *text_out = best;
        return LSUIT_OK;
    }
    (void)lsuit_fault_set(fault, e, TEXT("suit-text"),
                          e == LSUIT_ERR_COMPONENT
                              ? TEXT("a component that suit-common doesn't name")
                              : TEXT("malformed, or without a language"),
                          LSUIT_SECTION_TEXT);
    if (fault != NULL)
        fault->offset = (size_t)(c.p - c.begin);
    return e;
}

enum lsuit_err lsuit_text_read(struct lsuit_bytes text, struct lsuit_bytes language,
                               struct lsuit_text *text_out, struct lsuit_fault *fault)
{
    return read_best(text, language, NULL, text_out, fault);
}

enum lsuit_err lsuit_manifest_text(const struct lsuit_manifest *manifest,
                                   struct lsuit_bytes language, struct lsuit_text *text_out,
                                   struct lsuit_fault *fault)
{
    if (manifest->text.bytes.ptr == NULL)
        return lsuit_fault_set(fault, LSUIT_ERR_SEVERED, TEXT("suit-text"),
                               manifest->text.present ? TEXT("not in the envelope")
                                                      : TEXT("the manifest has none"),
                               LSUIT_SECTION_TEXT);
    return read_best(manifest->text.bytes, language, manifest, text_out, fault);
}
