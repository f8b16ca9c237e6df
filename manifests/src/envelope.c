/*
 * The envelope: its outer map, and who signed it.
 * draft-ietf-suit-manifest-37, sections 6.1, 8.2 and 8.3.
 *
 * Of what stands under the signature nothing is parsed here.
 */
#include "lsuit/suit.h"

#include "digest.h"
#include "fault.h"

enum { KEY_DELEGATION = 1, KEY_AUTH = 2, KEY_MANIFEST = 3 };

static const char *key_why(int32_t key)
{
    if (key == 17)
        return TEXT("install at key 17: draft-ietf-suit-manifest -17 to -28");
    if (key >= 8 && key <= 13)
        return TEXT("severed at keys 8 to 13: draft-ietf-suit-manifest -16 and before");
    if (key == KEY_DELEGATION)
        return TEXT("delegation is not supported");
    return TEXT("unknown key in the envelope");
}

static struct lsuit_bytes *severed_slot(struct lsuit_envelope *e, int32_t key)
{
    switch (key) {
    case LSUIT_SECTION_COSWID:
        return &e->coswid;
    case LSUIT_SECTION_DEPENDENCY_RESOLUTION:
        return &e->dependency_resolution;
    case LSUIT_SECTION_PAYLOAD_FETCH:
        return &e->payload_fetch;
    case LSUIT_SECTION_CANDIDATE_VERIFICATION:
        return &e->candidate_verification;
    case LSUIT_SECTION_INSTALL:
        return &e->install;
    case LSUIT_SECTION_TEXT:
        return &e->text;
    default:
        return NULL;
    }
}

/* One pair with an integer key. Returns what is wrong, NULL when nothing is. */
static const char *element_read(struct lsuit_cbor *c, int32_t key, struct lsuit_envelope *e)
{
    struct lsuit_bytes *slot = severed_slot(e, key);

    if (key == KEY_AUTH) {
        e->auth = lsuit_cbor_bstr(c);
        return TEXT("the authentication wrapper is no byte string");
    }
    if (key == KEY_MANIFEST) {
        e->manifest_bstr = lsuit_cbor_bstr_whole(c, &e->manifest);
        return TEXT("the manifest is no whole byte string");
    }
    if (slot != NULL) {
        *slot = lsuit_cbor_bstr_whole(c, NULL);
        return TEXT("a severed element is no whole byte string");
    }
    lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    return key_why(key);
}

/* The pairs of the outer map: integer keys, then the names of integrated payloads. */
static const char *map_read(struct lsuit_cbor *c, struct lsuit_envelope *e, int32_t *key_out)
{
    const uint8_t *first = NULL;

    lsuit_cbor_map(c);
    if (c->err != LSUIT_OK)
        return TEXT("the envelope is no map");
    while (lsuit_cbor_next_any_key(c)) {
        const char *why = TEXT("malformed, or keys not in ascending order");

        *key_out = 0;
        if (lsuit_cbor_peek(c) == LSUIT_CBOR_TSTR) {
            if (first == NULL)
                first = c->p;
            (void)lsuit_cbor_tstr(c);
            if (c->err == LSUIT_OK)
                why = TEXT("an integrated payload is no whole byte string");
            (void)lsuit_cbor_bstr(c);
            e->integrated = (struct lsuit_bytes){ first, (size_t)(c->p - first) };
            e->integrated_n++;
        } else {
            *key_out = lsuit_cbor_int32(c);
            if (c->err == LSUIT_OK)
                why = element_read(c, *key_out, e);
        }
        if (c->err != LSUIT_OK)
            return why;
    }
    return NULL;
}

enum lsuit_err lsuit_envelope_read(struct lsuit_bytes doc, struct lsuit_envelope *envelope_out,
                                   struct lsuit_fault *fault)
{
    struct lsuit_envelope e = { 0 };
    struct lsuit_cbor c;
    const char *why = NULL;
    uint64_t tag = LSUIT_TAG_ENVELOPE;
    int32_t key = 0;
    enum lsuit_err err;

    lsuit_cbor_start(&c, doc);
    e.whole = doc;
    e.tagged = lsuit_cbor_peek(&c) == LSUIT_CBOR_TAG;
    if (e.tagged)
        tag = lsuit_cbor_tag(&c);
    if (tag != LSUIT_TAG_ENVELOPE) {
        lsuit_cbor_fail(&c, LSUIT_ERR_CBOR);
        why = tag == 48 ? TEXT("envelope tag 48: draft-ietf-suit-manifest -11 to -13")
                        : TEXT("not the tag of a SUIT envelope");
    } else {
        why = map_read(&c, &e, &key);
    }
    err = lsuit_cbor_finish(&c);
    if (err == LSUIT_ERR_RANGE)
        err = LSUIT_ERR_CBOR; /* a key */
    if (err == LSUIT_OK && (e.auth.ptr == NULL || e.manifest.ptr == NULL)) {
        err = LSUIT_ERR_CBOR;
        why = e.auth.ptr == NULL ? TEXT("no authentication wrapper") : TEXT("no manifest");
    }
    if (err != LSUIT_OK) {
        (void)lsuit_fault_set(fault, err, TEXT("suit-envelope"),
                              why != NULL ? why : TEXT("bytes after the envelope"), key);
        if (fault != NULL)
            fault->offset = (size_t)(c.p - c.begin);
        return err;
    }
    *envelope_out = e;
    return LSUIT_OK;
}

/*
 * The i-th byte string of the wrapper, an array of nothing else; absent when there are not so many.
 * The cursor is not kept while a block is verified: that is where the stack is deepest.
 */
static enum lsuit_err wrapper_item(const struct lsuit_envelope *e, uint32_t i,
                                   struct lsuit_bytes *item_out)
{
    struct lsuit_cbor c;

    lsuit_cbor_start(&c, e->auth);
    lsuit_cbor_array(&c);
    for (; lsuit_cbor_next(&c); i--) {
        *item_out = lsuit_cbor_bstr(&c);
        if (i == 0)
            return c.err;
    }
    *item_out = (struct lsuit_bytes){ NULL, 0 };
    return lsuit_cbor_finish(&c);
}

/* The first item of the wrapper is the digest. */
static enum lsuit_err wrapper_read(struct lsuit_envelope *e, const struct lsuit_crypto *crypto,
                                   struct lsuit_fault *fault)
{
    struct lsuit_bytes content;
    struct lsuit_digest digest;
    enum lsuit_err err = wrapper_item(e, 0, &content);

    if (err == LSUIT_OK && content.ptr == NULL)
        err = LSUIT_ERR_CBOR;
    if (err != LSUIT_OK)
        return lsuit_fault_set(fault, err, TEXT("suit-authentication-wrapper"),
                               TEXT("not an array that begins with a digest"), KEY_AUTH);
    err = lsuit_digest_read(content, &digest);
    if (err != LSUIT_OK) {
        if (err == LSUIT_ERR_RANGE)
            err = LSUIT_ERR_UNAUTHORISED;
        return lsuit_fault_set(
            fault, err, TEXT("suit-digest"),
            digest.alg == 2 ? TEXT("digest algorithm 2: draft-ietf-suit-manifest -13 and before")
            : err == LSUIT_ERR_ALG ? TEXT("an unknown digest algorithm")
                                   : TEXT("not a digest of its algorithm's length"),
            digest.alg);
    }
    err = lsuit_digest_match(crypto, digest, e->manifest_bstr);
    if (err != LSUIT_OK)
        return lsuit_fault_set(fault, err, TEXT("suit-digest"),
                               err == LSUIT_ERR_UNAUTHORISED
                                   ? TEXT("the digest isn't that of the manifest")
                                   : TEXT("this build lacks the digest algorithm"),
                               digest.alg);
    e->digest = digest;
    e->digest_bytes = content;
    return LSUIT_OK;
}

/* One key may be listed twice, say with two kids: it counts as its first entry. */
static size_t first_alike(const struct lsuit_trust_keys *trust, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (trust->keys[i].type == trust->keys[index].type &&
            lsuit_bytes_compare(trust->keys[i].material, trust->keys[index].material) == 0)
            return i;
    }
    return index;
}

/* What is verified against what, and what was found so far. */
struct tally {
    const struct lsuit_envelope *envelope;
    const struct lsuit_crypto *crypto;
    const struct lsuit_trust_keys *trust;
    struct lsuit_auth auth;
    enum lsuit_err verdict; /* of the refused signature that tells most */
};

/* Of the errors of several blocks the most telling one is reported. */
static int rank(enum lsuit_err err)
{
    switch (err) {
    case LSUIT_ERR_CRYPTO:
        return 4;
    case LSUIT_ERR_UNAUTHORISED:
        return 3;
    case LSUIT_ERR_ALG:
        return 2;
    case LSUIT_ERR_COSE:
        return 1;
    default:
        return 0;
    }
}

static const char *verdict_why(enum lsuit_err err, const struct lsuit_auth *auth)
{
    if (auth->blocks == 0)
        return TEXT("not signed");
    if (auth->signers_n > 0)
        return TEXT("fewer signatures than the threshold");
    switch (err) {
    case LSUIT_ERR_UNAUTHORISED:
        return TEXT("no signature of a trusted key");
    case LSUIT_ERR_ALG:
        return TEXT("signed with an algorithm that this build lacks");
    case LSUIT_ERR_COSE:
        return TEXT("no COSE structure that this build takes");
    default:
        return TEXT("malformed, or the crypto library failed");
    }
}

static void refuse(struct tally *t, enum lsuit_err err, int32_t alg)
{
    if (t->verdict == LSUIT_OK || rank(err) > rank(t->verdict)) {
        t->verdict = err;
        t->auth.alg = alg;
    }
}

static void signature_count(struct tally *t, const struct lsuit_cose *one)
{
    static const struct lsuit_bytes NO_AAD = { NULL, 0 };
    size_t index = 0;
    enum lsuit_err err = lsuit_cose_verify(one, t->crypto, t->trust->keys, t->trust->n, NO_AAD,
                                           t->envelope->digest_bytes, &index);
    uint32_t bit;

    if (err != LSUIT_OK) {
        refuse(t, err, one->alg);
        return;
    }
    bit = (uint32_t)1 << first_alike(t->trust, index);
    if ((t->auth.signers & bit) == 0)
        t->auth.signers_n++;
    t->auth.signers |= bit;
}

/* A block must be detached; each signature in it counts by itself. */
static void block_count(struct tally *t, struct lsuit_bytes bytes)
{
    struct lsuit_cose block = { 0 };
    enum lsuit_err err = lsuit_cose_read(bytes, &block);
    uint32_t i = 0;

    if (err == LSUIT_OK && block.payload.ptr != NULL)
        err = LSUIT_ERR_UNAUTHORISED;
    do {
        if (++t->auth.blocks > LSUIT_MAX_AUTH)
            return;
        if (err != LSUIT_OK)
            refuse(t, err, block.alg);
        else if (lsuit_cose_signer(&block, i, &block) != LSUIT_OK)
            refuse(t, LSUIT_ERR_COSE, 0);
        else
            signature_count(t, &block);
    } while (++i < block.signers_n);
}

static enum lsuit_err blocks_count(struct tally *t)
{
    uint32_t threshold = t->trust->threshold > 0 ? t->trust->threshold : 1;
    struct lsuit_bytes block = { NULL, 0 };

    for (uint32_t i = 1; i == 1 || block.ptr != NULL; i++) {
        if (wrapper_item(t->envelope, i, &block) != LSUIT_OK)
            return LSUIT_ERR_CBOR;
        if (block.ptr != NULL)
            block_count(t, block);
        if (t->auth.blocks > LSUIT_MAX_AUTH)
            return LSUIT_ERR_LIMIT;
    }
    if (t->auth.signers_n >= threshold)
        return LSUIT_OK;
    return t->auth.signers_n > 0 || t->verdict == LSUIT_OK ? LSUIT_ERR_UNAUTHORISED : t->verdict;
}

enum lsuit_err lsuit_envelope_verify(struct lsuit_envelope *envelope,
                                     const struct lsuit_crypto *crypto,
                                     const struct lsuit_trust_keys *trust,
                                     struct lsuit_auth *auth_out, struct lsuit_fault *fault)
{
    struct tally t = { .envelope = envelope, .crypto = crypto, .trust = trust };
    enum lsuit_err err;

    envelope->verified = false;
    if (crypto == NULL || crypto->size != sizeof *crypto || trust == NULL || trust->n > 32)
        return lsuit_fault_set(fault, LSUIT_ERR_USAGE, TEXT("suit-authentication-wrapper"),
                               TEXT("no crypto adapter, or more than 32 keys"), 0);
    err = wrapper_read(envelope, crypto, fault);
    if (err != LSUIT_OK)
        return err;
    err = blocks_count(&t);
    if (err != LSUIT_OK)
        return lsuit_fault_set(fault, err, TEXT("suit-authentication-block"),
                               verdict_why(err, &t.auth), t.auth.alg);
    if (auth_out != NULL)
        *auth_out = t.auth;
    envelope->verified = true;
    return LSUIT_OK;
}

enum lsuit_err lsuit_envelope_trust_nobody(struct lsuit_envelope *envelope,
                                           const struct lsuit_crypto *crypto,
                                           struct lsuit_fault *fault)
{
    enum lsuit_err err = wrapper_read(envelope, crypto, fault);

    envelope->examined = err == LSUIT_OK;
    return err;
}

bool lsuit_envelope_payload_at(const struct lsuit_envelope *envelope, uint32_t i,
                               struct lsuit_bytes *name_out, struct lsuit_bytes *payload_out)
{
    struct lsuit_cbor c = lsuit_cbor_open(envelope->integrated);

    if (i >= envelope->integrated_n)
        return false;
    for (uint32_t at = 0; at <= i; at++) {
        *name_out = lsuit_cbor_tstr(&c);
        *payload_out = lsuit_cbor_bstr(&c);
    }
    return c.err == LSUIT_OK;
}

enum lsuit_err lsuit_envelope_payload(const struct lsuit_envelope *envelope,
                                      struct lsuit_bytes name, struct lsuit_bytes *payload_out)
{
    struct lsuit_cbor c = lsuit_cbor_open(envelope->integrated);

    for (uint32_t i = 0; i < envelope->integrated_n; i++) {
        struct lsuit_bytes at = lsuit_cbor_tstr(&c);
        struct lsuit_bytes payload = lsuit_cbor_bstr(&c);

        if (c.err == LSUIT_OK && lsuit_bytes_compare(at, name) == 0) {
            *payload_out = payload;
            return LSUIT_OK;
        }
    }
    return LSUIT_ERR_OPERATION;
}
