/*
 * Telling older drafts apart, for the people who made a document that is refused.
 *
 *   drafts       digest algorithm   keys that -37 doesn't have
 *   -11 to -13   2                  8 to 13 for sections and text
 *   -14 to -16   -16                8 to 13 likewise
 *   -17 to -28   -16                17 for install
 *
 * Nothing found here is believed: no device calls this.
 */
#include "lsuit/suit.h"

enum { TAG_OLD = 48, ALG_OLD_SHA256 = 2, KEY_AUTH = 2, KEY_MANIFEST = 3 };

struct signs {
    bool tag48, alg2, old_key, key17;
};

static void note_key(struct signs *s, int64_t key)
{
    s->old_key = s->old_key || (key >= 10 && key <= 13);
    s->key17 = s->key17 || key == 17;
}

/* The wrapper begins with the digest, wrapped or (before -11) not. */
static void note_digest(struct signs *s, struct lsuit_bytes auth)
{
    struct lsuit_cbor c = lsuit_cbor_open(auth);
    struct lsuit_cbor d;

    lsuit_cbor_array(&c);
    d = lsuit_cbor_peek(&c) == LSUIT_CBOR_BSTR ? lsuit_cbor_open(lsuit_cbor_bstr(&c)) : c;
    lsuit_cbor_array(&d);
    s->alg2 = lsuit_cbor_int(&d) == ALG_OLD_SHA256 && d.err == LSUIT_OK;
}

/* Old manifests aren't sorted: what stands before the first disorder has to do. */
static void note_manifest(struct signs *s, struct lsuit_bytes manifest)
{
    struct lsuit_cbor c = lsuit_cbor_open(manifest);
    int64_t key = 0;

    lsuit_cbor_map(&c);
    while (lsuit_cbor_next_key(&c, &key)) {
        note_key(s, key);
        (void)lsuit_cbor_item(&c);
    }
}

const char *lsuit_draft_guess(struct lsuit_bytes doc)
{
    struct lsuit_cbor c = lsuit_cbor_open(doc);
    struct signs s = { 0 };

    if (lsuit_cbor_peek(&c) == LSUIT_CBOR_TAG)
        s.tag48 = lsuit_cbor_tag(&c) == TAG_OLD;
    lsuit_cbor_map(&c);
    while (lsuit_cbor_next_any_key(&c) && lsuit_cbor_peek(&c) == LSUIT_CBOR_UINT) {
        int64_t key = lsuit_cbor_int(&c);

        note_key(&s, key);
        if (key == KEY_AUTH)
            note_digest(&s, lsuit_cbor_bstr(&c));
        else if (key == KEY_MANIFEST)
            note_manifest(&s, lsuit_cbor_bstr(&c));
        else
            (void)lsuit_cbor_item(&c);
    }
    if (s.tag48 || s.alg2)
        return "draft-ietf-suit-manifest -11 to -13, or before";
    if (s.old_key)
        return "draft-ietf-suit-manifest -14 to -16";
    return s.key17 ? "draft-ietf-suit-manifest -17 to -28" : NULL;
}
