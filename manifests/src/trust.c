/*
 * Trust set: reading, checking, and the step from one version to the next.
 */
#include "lsuit/trust.h"

#include "doc_io.h"
#include "lsuit/cose.h"

/* --- reading one entry --- */

/* Public keys only: a secret in a set that everybody may read is refused. */
static bool material_ok(uint64_t type, struct lsuit_bytes m)
{
    switch (type) {
    case LSUIT_KEY_P256:
        return m.len == LSUIT_P256_POINT_LEN && m.ptr[0] == 0x04;
    case LSUIT_KEY_ED25519:
        return m.len == 32;
    case LSUIT_KEY_HMAC256:
        return false;
    default:
        return m.len >= 1 && m.len <= 128;
    }
}

static void read_key(struct lsuit_in *in, struct lsuit_key *key)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_KEY);
    uint32_t type = 0;

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_KEY_TYPE:
            type = lsuit_in_uint32(in, 1, DOC_ENUM_MAX);
            break;
        case LSUIT_KEY_MATERIAL:
            key->material = lsuit_in_bytes(in, 1, 128);
            break;
        case LSUIT_KEY_KID:
            key->kid = lsuit_in_bytes(in, 1, LSUIT_KID_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    key->type = type <= LSUIT_KEY_ED25519 ? (enum lsuit_key_type)type : LSUIT_KEY_NONE;
    if (in->c.err == LSUIT_OK && key->material.ptr != NULL && !material_ok(type, key->material))
        lsuit_in_fail_key(in, LSUIT_KEY_MATERIAL, LSUIT_ERR_RANGE,
                          TEXT("not a public key of this type"));
    lsuit_in_leave(in, up, DOC_KEY(LSUIT_KEY_TYPE) | DOC_KEY(LSUIT_KEY_MATERIAL));
}

/* One key twice would count twice for a threshold. */
static void read_keys(struct lsuit_in *in, struct lsuit_role *role)
{
    lsuit_in_array(in, LSUIT_TRUST_KEYS);
    while (lsuit_cbor_next(&in->c)) {
        struct lsuit_key *key = &role->keys[role->keys_n];

        read_key(in, key);
        for (uint32_t i = 0; i < role->keys_n; i++) {
            if (lsuit_bytes_compare(role->keys[i].material, key->material) == 0)
                lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("the same key twice"));
        }
        role->keys_n++;
    }
}

static const char *role_fault(const struct lsuit_role *role)
{
    if (role->keys_n == 0 || role->threshold > role->keys_n)
        return "a threshold that its keys can't reach";
    if (role->class_id.ptr != NULL && role->vendor_id.ptr == NULL)
        return "a class without its vendor";
    if (role->role == LSUIT_ROLE_ROOT && role->vendor_id.ptr != NULL)
        return "a scope on the root role";
    if ((role->role == LSUIT_ROLE_ONLINE || role->role == LSUIT_ROLE_ENROL) && role->threshold != 1)
        return "a threshold on a role that signs alone";
    return NULL;
}

static void read_role(struct lsuit_in *in, struct lsuit_role *role)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_ROLE);
    uint64_t all =
        DOC_KEY(LSUIT_ROLE_ROLE) | DOC_KEY(LSUIT_ROLE_KEYS) | DOC_KEY(LSUIT_ROLE_THRESHOLD);

    *role = (struct lsuit_role){ 0 };
    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_ROLE_ROLE:
            role->role = lsuit_in_uint32(in, 1, DOC_ENUM_MAX);
            break;
        case LSUIT_ROLE_KEYS:
            read_keys(in, role);
            break;
        case LSUIT_ROLE_THRESHOLD:
            role->threshold = lsuit_in_uint32(in, 1, LSUIT_TRUST_KEYS);
            break;
        case LSUIT_ROLE_VENDOR_ID:
            role->vendor_id = lsuit_in_bytes(in, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
            break;
        case LSUIT_ROLE_CLASS_ID:
            role->class_id = lsuit_in_bytes(in, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    if (in->c.err == LSUIT_OK && (in->seen & all) == all && role_fault(role) != NULL)
        lsuit_in_fail(in, LSUIT_ERR_RANGE, role_fault(role));
    lsuit_in_leave(in, up, all);
}

static void read_anchor(struct lsuit_in *in, struct lsuit_anchor *anchor)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_ANCHOR);

    *anchor = (struct lsuit_anchor){ 0 };
    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_ANCHOR_KIND:
            anchor->kind = lsuit_in_uint32(in, 1, DOC_ENUM_MAX);
            break;
        case LSUIT_ANCHOR_BYTES:
            anchor->bytes = lsuit_in_bytes(in, 1, LSUIT_TRUST_MAX);
            break;
        case LSUIT_ANCHOR_USE:
            anchor->use = lsuit_in_uint32(in, 1, DOC_ENUM_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    if (in->c.err == LSUIT_OK && anchor->kind == LSUIT_ANCHOR_SPKI &&
        anchor->bytes.len != LSUIT_SHA256_LEN)
        lsuit_in_fail_key(in, LSUIT_ANCHOR_BYTES, LSUIT_ERR_RANGE, TEXT("length out of range"));
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_ANCHOR_KIND) | DOC_KEY(LSUIT_ANCHOR_BYTES) |
                       DOC_KEY(LSUIT_ANCHOR_USE));
}

/* --- entries by number --- */

/* Go to the i-th item of an array that was read before. */
static bool item_at(struct lsuit_in *in, struct lsuit_bytes list, uint32_t i)
{
    *in = lsuit_in_open(list);
    if (list.ptr == NULL)
        return false;
    lsuit_cbor_array(&in->c);
    while (lsuit_cbor_next(&in->c)) {
        if (i-- == 0)
            return true;
        (void)lsuit_cbor_item(&in->c);
    }
    return false;
}

bool lsuit_trust_role_at(const struct lsuit_trust *trust, uint32_t i, struct lsuit_role *role_out)
{
    struct lsuit_in in;

    if (!item_at(&in, trust->roles, i))
        return false;
    read_role(&in, role_out);
    return in.c.err == LSUIT_OK;
}

bool lsuit_trust_anchor_at(const struct lsuit_trust *trust, uint32_t i,
                           struct lsuit_anchor *anchor_out)
{
    struct lsuit_in in;

    if (!item_at(&in, trust->anchors, i))
        return false;
    read_anchor(&in, anchor_out);
    return in.c.err == LSUIT_OK;
}

bool lsuit_trust_url_at(const struct lsuit_trust *trust, uint32_t i, struct lsuit_bytes *url_out)
{
    struct lsuit_in in;

    if (!item_at(&in, trust->urls, i))
        return false;
    *url_out = lsuit_cbor_tstr(&in.c);
    return in.c.err == LSUIT_OK;
}

/* --- reading a whole set --- */

static bool role_has_key(const struct lsuit_role *role, const struct lsuit_key *key)
{
    for (uint32_t i = 0; i < role->keys_n; i++) {
        if (lsuit_bytes_compare(role->keys[i].material, key->material) == 0)
            return true;
    }
    return false;
}

/* Rule (3): does the key of this online role stand in an entry of another role? */
static bool online_key_elsewhere(const struct lsuit_trust *trust, const struct lsuit_role *online)
{
    struct lsuit_role other;

    for (uint32_t i = 0; lsuit_trust_role_at(trust, i, &other); i++) {
        if (other.role == LSUIT_ROLE_ONLINE)
            continue;
        for (uint32_t k = 0; k < online->keys_n; k++) {
            if (role_has_key(&other, &online->keys[k]))
                return true;
        }
    }
    return false;
}

static const char *set_fault(const struct lsuit_trust *trust)
{
    struct lsuit_role role;
    bool root = false;

    for (uint32_t i = 0; lsuit_trust_role_at(trust, i, &role); i++) {
        if (role.role == LSUIT_ROLE_ROOT)
            root = true;
        if (role.role == LSUIT_ROLE_ONLINE && online_key_elsewhere(trust, &role))
            return "an online key in another role";
    }
    return root ? NULL : "no root role";
}

static void read_roles(struct lsuit_in *in, struct lsuit_trust *trust)
{
    struct lsuit_role role;

    trust->roles.ptr = in->c.p;
    lsuit_in_array(in, LSUIT_TRUST_ROLES);
    for (; lsuit_cbor_next(&in->c); trust->roles_n++)
        read_role(in, &role);
    trust->roles.len = (size_t)(in->c.p - trust->roles.ptr);
}

static void read_anchors(struct lsuit_in *in, struct lsuit_trust *trust)
{
    struct lsuit_anchor anchor;

    trust->anchors.ptr = in->c.p;
    lsuit_in_array(in, LSUIT_TRUST_ANCHORS);
    for (; lsuit_cbor_next(&in->c); trust->anchors_n++)
        read_anchor(in, &anchor);
    trust->anchors.len = (size_t)(in->c.p - trust->anchors.ptr);
}

static void read_urls(struct lsuit_in *in, struct lsuit_trust *trust)
{
    trust->urls.ptr = in->c.p;
    lsuit_in_array(in, LSUIT_TRUST_URLS);
    for (; lsuit_cbor_next(&in->c); trust->urls_n++)
        (void)lsuit_in_text(in, 1, LSUIT_URL_MAX);
    trust->urls.len = (size_t)(in->c.p - trust->urls.ptr);
}

static void read_set(struct lsuit_in *in, struct lsuit_trust *trust)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_TRUST);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_TRUST_FORMAT:
            lsuit_in_version(in);
            break;
        case LSUIT_TRUST_VERSION:
            trust->version = lsuit_in_uint32(in, 1, UINT32_MAX);
            break;
        case LSUIT_TRUST_ROLE_LIST:
            read_roles(in, trust);
            break;
        case LSUIT_TRUST_ANCHOR_LIST:
            read_anchors(in, trust);
            break;
        case LSUIT_TRUST_URL_LIST:
            read_urls(in, trust);
            break;
        case LSUIT_TRUST_ISSUED:
            trust->issued_s = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    if (in->c.err == LSUIT_OK && trust->roles.ptr != NULL && set_fault(trust) != NULL)
        lsuit_in_fail_key(in, LSUIT_TRUST_ROLE_LIST, LSUIT_ERR_RANGE, set_fault(trust));
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_TRUST_FORMAT) | DOC_KEY(LSUIT_TRUST_VERSION) |
                       DOC_KEY(LSUIT_TRUST_ROLE_LIST));
}

enum lsuit_err lsuit_trust_read(struct lsuit_bytes payload, struct lsuit_trust *trust_out,
                                struct lsuit_fault *fault)
{
    struct lsuit_in in = lsuit_in_open(payload);
    struct lsuit_trust trust = { 0 };
    enum lsuit_err e;

    if (payload.len > LSUIT_TRUST_MAX)
        lsuit_in_fail(&in, LSUIT_ERR_LIMIT, TEXT("larger than 2048 bytes"));
    read_set(&in, &trust);
    trust.payload = payload;
    e = lsuit_in_close(&in, fault);
    if (e == LSUIT_OK)
        *trust_out = trust;
    return e;
}

enum lsuit_err lsuit_trust_doc_read(struct lsuit_bytes doc, struct lsuit_trust_doc *doc_out,
                                    struct lsuit_fault *fault)
{
    struct lsuit_in in = lsuit_in_open(doc);
    struct lsuit_trust_doc d = { 0 };
    struct lsuit_in_at up;
    enum lsuit_err e;

    if (doc.len > LSUIT_TRUST_MAX)
        lsuit_in_fail(&in, LSUIT_ERR_LIMIT, TEXT("larger than 2048 bytes"));
    up = lsuit_in_map(&in, LSUIT_MAP_TRUST_DOC);
    while (lsuit_in_next(&in)) {
        switch (in.key) {
        case LSUIT_TRUST_DOC_VERSION:
            lsuit_in_version(&in);
            break;
        case LSUIT_TRUST_DOC_PAYLOAD:
            d.payload = lsuit_in_bytes(&in, 1, LSUIT_TRUST_MAX);
            break;
        case LSUIT_TRUST_DOC_SIGNATURES:
            lsuit_in_array(&in, LSUIT_TRUST_SIGNATURES);
            while (lsuit_cbor_next(&in.c))
                d.signatures[d.signatures_n++] = lsuit_in_bytes(&in, 1, LSUIT_TRUST_MAX);
            break;
        default:
            lsuit_in_unknown(&in);
        }
    }
    lsuit_in_leave(&in, up,
                   DOC_KEY(LSUIT_TRUST_DOC_VERSION) | DOC_KEY(LSUIT_TRUST_DOC_PAYLOAD) |
                       DOC_KEY(LSUIT_TRUST_DOC_SIGNATURES));
    e = lsuit_in_close(&in, fault);
    if (e == LSUIT_OK)
        *doc_out = d;
    return e;
}

/* --- verifying --- */

/* Which of the keys made this signature: their bit, or 0. */
static uint32_t signer_of(struct lsuit_bytes signature, const struct lsuit_crypto *crypto,
                          const struct lsuit_role *role, struct lsuit_bytes aad,
                          struct lsuit_bytes payload)
{
    struct lsuit_cose cose;
    size_t index = 0;

    if (lsuit_cose_read(signature, &cose) != LSUIT_OK || cose.tag != LSUIT_TAG_COSE_SIGN1 ||
        cose.payload.ptr != NULL)
        return 0;
    if (lsuit_cose_verify(&cose, crypto, role->keys, role->keys_n, aad, payload, &index) !=
        LSUIT_OK)
        return 0;
    return index < role->keys_n ? 1u << index : 0;
}

static bool role_satisfied(const struct lsuit_trust_doc *doc, const struct lsuit_crypto *crypto,
                           const struct lsuit_role *role, struct lsuit_bytes aad)
{
    uint32_t signers = 0, n = 0;

    for (uint32_t i = 0; i < doc->signatures_n; i++)
        signers |= signer_of(doc->signatures[i], crypto, role, aad, doc->payload);
    for (; signers != 0; signers &= signers - 1)
        n++;
    return n >= role->threshold;
}

/* Does any root entry of this set vouch for the document? */
static bool root_satisfied(const struct lsuit_trust_doc *doc, const struct lsuit_crypto *crypto,
                           const struct lsuit_trust *trust, struct lsuit_bytes aad)
{
    struct lsuit_role role;

    for (uint32_t i = 0; lsuit_trust_role_at(trust, i, &role); i++) {
        if (role.role == LSUIT_ROLE_ROOT && role_satisfied(doc, crypto, &role, aad))
            return true;
    }
    return false;
}

/* Rule (2): do the roots of the set before, if there is one, and its own vouch for it? */
static enum lsuit_err vouched(const struct lsuit_trust_doc *doc, const struct lsuit_crypto *crypto,
                              const struct lsuit_trust *before, const struct lsuit_trust *set)
{
    struct lsuit_bytes none = { NULL, 0 }, aad;
    uint8_t buf[LSUIT_AAD_BARE];
    enum lsuit_err e = lsuit_doc_aad(LSUIT_DOC_TRUST, none, buf, sizeof buf, &aad);

    if (e != LSUIT_OK)
        return e;
    if (before != NULL && !root_satisfied(doc, crypto, before, aad))
        return LSUIT_ERR_UNAUTHORISED;
    return root_satisfied(doc, crypto, set, aad) ? LSUIT_OK : LSUIT_ERR_UNAUTHORISED;
}

/* Document and set, nothing verified. */
static enum lsuit_err read_both(struct lsuit_bytes doc, struct lsuit_trust_doc *parts,
                                struct lsuit_trust *trust, struct lsuit_fault *fault)
{
    enum lsuit_err e = lsuit_trust_doc_read(doc, parts, fault);

    return e == LSUIT_OK ? lsuit_trust_read(parts->payload, trust, fault) : e;
}

/* The verdict on a set that was read: taken, or named in the fault. */
static enum lsuit_err settle(enum lsuit_err e, const struct lsuit_trust *next,
                             struct lsuit_trust *trust_out, struct lsuit_fault *fault)
{
    if (e == LSUIT_OK) {
        *trust_out = *next;
        return LSUIT_OK;
    }
    if (fault != NULL) {
        *fault = (struct lsuit_fault){ .err = e, .component = -1 };
        fault->code =
            e == LSUIT_ERR_UNAUTHORISED ? LSUIT_TRUST_DOC_SIGNATURES : LSUIT_TRUST_VERSION;
        fault->what = lsuit_key_name(
            e == LSUIT_ERR_UNAUTHORISED ? LSUIT_MAP_TRUST_DOC : LSUIT_MAP_TRUST, fault->code);
    }
    return e;
}

enum lsuit_err lsuit_trust_accept(struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                                  const struct lsuit_trust *current, struct lsuit_trust *trust_out,
                                  struct lsuit_fault *fault)
{
    struct lsuit_trust_doc parts;
    struct lsuit_trust next;
    enum lsuit_err e = read_both(doc, &parts, &next, fault);

    if (e != LSUIT_OK)
        return e;
    if (current != NULL && next.version <= current->version)
        e = LSUIT_ERR_ROLLBACK;
    else if (current != NULL && next.version - current->version > 1)
        e = LSUIT_ERR_CONFLICT;
    else
        e = vouched(&parts, crypto, current, &next);
    return settle(e, &next, trust_out, fault);
}

enum lsuit_err lsuit_trust_restore(struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                                   const struct lsuit_trust *by, struct lsuit_trust *trust_out,
                                   struct lsuit_fault *fault)
{
    struct lsuit_trust_doc parts;
    struct lsuit_trust stored;
    enum lsuit_err e = read_both(doc, &parts, &stored, fault);

    if (e != LSUIT_OK)
        return e;
    e = stored.version > by->version ? vouched(&parts, crypto, by, &stored) : LSUIT_ERR_ROLLBACK;
    return settle(e, &stored, trust_out, fault);
}

static bool in_scope(const struct lsuit_role *role, struct lsuit_bytes vendor_id,
                     struct lsuit_bytes class_id)
{
    return (role->vendor_id.ptr == NULL || lsuit_bytes_compare(role->vendor_id, vendor_id) == 0) &&
           (role->class_id.ptr == NULL || lsuit_bytes_compare(role->class_id, class_id) == 0);
}

bool lsuit_trust_find(const struct lsuit_trust *trust, enum lsuit_role_kind role,
                      struct lsuit_bytes vendor_id, struct lsuit_bytes class_id, uint32_t *at,
                      struct lsuit_role *role_out)
{
    while (lsuit_trust_role_at(trust, *at, role_out)) {
        ++*at;
        if (role_out->role == (uint32_t)role && in_scope(role_out, vendor_id, class_id))
            return true;
    }
    return false;
}

enum lsuit_err lsuit_trust_verify(const struct lsuit_trust *trust, enum lsuit_role_kind role,
                                  struct lsuit_bytes vendor_id, struct lsuit_bytes class_id,
                                  enum lsuit_doc kind, struct lsuit_bytes doc,
                                  const struct lsuit_crypto *crypto,
                                  struct lsuit_bytes *payload_out)
{
    struct lsuit_bytes no_audience = { NULL, 0 };
    enum lsuit_err e = LSUIT_ERR_UNAUTHORISED;
    struct lsuit_role entry;
    uint32_t at = 0;

    while (e != LSUIT_OK && lsuit_trust_find(trust, role, vendor_id, class_id, &at, &entry))
        e = lsuit_doc_verify(kind, no_audience, doc, crypto, entry.keys, entry.keys_n, NULL,
                             payload_out);
    return e;
}

enum lsuit_err
lsuit_trust_verify_envelope(const struct lsuit_trust *trust, struct lsuit_bytes vendor_id,
                            struct lsuit_bytes class_id, struct lsuit_envelope *envelope,
                            const struct lsuit_crypto *crypto, struct lsuit_role *role_out,
                            struct lsuit_auth *auth_out, struct lsuit_fault *fault)
{
    struct lsuit_role entry;
    struct lsuit_trust_keys keys = { entry.keys, 0, 1 }; /* nobody, when no scope fits */
    enum lsuit_err e = LSUIT_ERR_UNAUTHORISED;
    uint32_t at = 0;
    bool any = false;

    while (e != LSUIT_OK &&
           lsuit_trust_find(trust, LSUIT_ROLE_RELEASE, vendor_id, class_id, &at, &entry)) {
        any = true;
        keys.n = entry.keys_n;
        keys.threshold = entry.threshold;
        e = lsuit_envelope_verify(envelope, crypto, &keys, auth_out, fault);
    }
    if (!any)
        e = lsuit_envelope_verify(envelope, crypto, &keys, auth_out, fault);
    if (e != LSUIT_OK)
        return e;
    if (role_out != NULL)
        *role_out = entry;
    if (fault != NULL)
        *fault = (struct lsuit_fault){ 0 }; /* of an entry that was not satisfied */
    return LSUIT_OK;
}
