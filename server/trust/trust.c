/* The anchors, and the verdict on an uploaded envelope. */

#include "trust/trust.h"

#include "base/bytes.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <psa/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct trust {
    unsigned n;
    struct lsuit_key keys[TRUST_KEYS];
    uint8_t points[TRUST_KEYS][LSUIT_P256_POINT_LEN];
    uint8_t ids[TRUST_KEYS][TRUST_KEY_ID];
    bool allow_test_keys;
};

enum err trust_start(void)
{
    return psa_crypto_init() == PSA_SUCCESS ? ERR_OK : FAIL(ERR_INTERNAL, "no crypto library");
}

static enum err add(struct trust *t, const char *name, const char *text, size_t n,
                    bool allow_test_keys)
{
    unsigned i = t->n;

    if (i == TRUST_KEYS)
        return FAIL(ERR_CONFIG, "%s: more than %d trust anchors", name, TRUST_KEYS);
    if (trust_pem(text, n, t->points[i], t->ids[i]) != ERR_OK)
        return FAIL(ERR_CONFIG, "trust anchor %s is not a P-256 public key in PEM", name);
    for (unsigned k = 0; k < i; k++)
        if (memcmp(t->ids[k], t->ids[i], TRUST_KEY_ID) == 0)
            return ERR_OK; /* the same key in two files */
    t->keys[i] = (struct lsuit_key){ .type = LSUIT_KEY_P256,
                                     .material = { t->points[i], LSUIT_P256_POINT_LEN } };
    if (!allow_test_keys && lsuit_key_is_published(&t->keys[i]))
        return FAIL(ERR_CONFIG, "trust anchor %s is a key that everybody can sign with", name);
    t->n++;
    return ERR_OK;
}

static enum err load(struct trust *t, int dir, const char *name, bool allow_test_keys)
{
    char text[4096];
    ssize_t n;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return FAIL(ERR_CONFIG, "trust anchor %s: %s", name, strerror(errno));
    n = read(fd, text, sizeof text);
    close(fd);
    if (n < 0 || n == (ssize_t)sizeof text)
        return FAIL(ERR_CONFIG, "trust anchor %s can't be read, or is too long", name);
    return add(t, name, text, (size_t)n, allow_test_keys);
}

static bool is_pem(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && name[0] != '.' && strcmp(name + n - 4, ".pem") == 0;
}

enum err trust_open(const char *dir, bool allow_test_keys, struct trust **trust_out)
{
    struct trust *t = calloc(1, sizeof *t);
    struct dirent *entry;
    enum err e = ERR_OK;
    DIR *d;

    if (t == NULL)
        return FAIL(ERR_MEMORY, "trust anchors");
    t->allow_test_keys = allow_test_keys;
    d = opendir(dir);
    if (d == NULL && errno != ENOENT)
        e = FAIL(ERR_CONFIG, "%s: %s", dir, strerror(errno));
    while (e == ERR_OK && d != NULL && (entry = readdir(d)) != NULL)
        if (is_pem(entry->d_name))
            e = load(t, dirfd(d), entry->d_name, allow_test_keys);
    if (d != NULL)
        closedir(d);
    if (e != ERR_OK) {
        trust_close(t);
        return e;
    }
    *trust_out = t;
    return ERR_OK;
}

void trust_close(struct trust *t)
{
    if (t == NULL)
        return;
    free(t);
}

unsigned trust_count(const struct trust *t)
{
    return t->n;
}

bool trust_has(const struct trust *t, const uint8_t id[TRUST_KEY_ID])
{
    for (unsigned i = 0; i < t->n; i++)
        if (memcmp(t->ids[i], id, TRUST_KEY_ID) == 0)
            return true;
    return false;
}

static pthread_mutex_t keys_lock = PTHREAD_MUTEX_INITIALIZER;

void trust_keys_lock(void)
{
    pthread_mutex_lock(&keys_lock);
}

void trust_keys_unlock(void)
{
    pthread_mutex_unlock(&keys_lock);
}

/* --- The verdict --- */

static enum err refuse(enum err e, const char *field, enum lsuit_err le,
                       const struct lsuit_fault *f)
{
    if (f->what != NULL && f->why != NULL)
        return FAIL_FIELD(e, field, "%s: %s", f->what, f->why);
    if (f->what != NULL || f->why != NULL)
        return FAIL_FIELD(e, field, "%s: %s", f->what != NULL ? f->what : f->why,
                          lsuit_err_name(le));
    return FAIL_FIELD(e, field, "%s", lsuit_err_name(le));
}

/* The id of the first of these keys that signed. */
static enum err signer_id(const struct lsuit_key *keys, size_t n, const struct lsuit_auth *auth,
                          uint8_t id_out[TRUST_KEY_ID])
{
    for (size_t i = 0; i < n; i++)
        if ((auth->signers >> i & 1) != 0)
            return trust_any_key_id(&keys[i], id_out);
    return FAIL(ERR_INTERNAL, "verified by nobody");
}

static enum err by_anchor(struct trust *t, struct lsuit_envelope *env, uint8_t *key_id_out)
{
    struct lsuit_trust_keys keys = { t->keys, t->n, 1 };
    struct lsuit_auth auth = { 0 };
    struct lsuit_fault fault = { 0 };
    enum lsuit_err le;

    if (t->n == 0)
        return FAIL_FIELD(ERR_SIGNATURE, "envelope.authentication",
                          "this server has no trust anchor yet");
    trust_keys_lock();
    le = lsuit_envelope_verify(env, &lsuit_crypto_psa, &keys, &auth, &fault);
    trust_keys_unlock();
    return le == LSUIT_OK ? signer_id(t->keys, t->n, &auth, key_id_out)
                          : refuse(ERR_SIGNATURE, "envelope.authentication", le, &fault);
}

static enum err by_set(const struct lsuit_trust *set, const struct trust_want *want,
                       struct lsuit_envelope *env, uint8_t *key_id_out)
{
    struct lsuit_bytes vendor = { want->vendor_id, 16 }, class_ = { want->class_id, 16 };
    struct lsuit_role role;
    struct lsuit_auth auth = { 0 };
    struct lsuit_fault fault = { 0 };
    enum lsuit_err le;

    trust_keys_lock();
    le = lsuit_trust_verify_envelope(set, vendor, class_, env, &lsuit_crypto_psa, &role, &auth,
                                     &fault);
    trust_keys_unlock();
    return le == LSUIT_OK ? signer_id(role.keys, role.keys_n, &auth, key_id_out)
                          : refuse(ERR_SIGNATURE, "envelope.authentication", le, &fault);
}

enum err trust_step(struct trust *t, struct lsuit_bytes doc, const struct lsuit_trust *current,
                    struct lsuit_trust *set_out)
{
    struct lsuit_fault fault = { 0 };
    enum lsuit_err le;

    trust_keys_lock();
    le = lsuit_trust_accept(doc, &lsuit_crypto_psa, current, set_out, &fault);
    trust_keys_unlock();
    if (le == LSUIT_ERR_UNAUTHORISED)
        return FAIL_FIELD(ERR_SIGNATURE, "trust.signatures",
                          current != NULL
                              ? "a root threshold is not reached: of this set, or of the one before"
                              : "the root threshold is not reached");
    if (le == LSUIT_ERR_ROLLBACK || le == LSUIT_ERR_CONFLICT)
        return FAIL_FIELD(ERR_CONFLICT, "trust.version", "version %u is in force, %u comes next",
                          (unsigned)current->version, (unsigned)current->version + 1);
    if (le != LSUIT_OK)
        return refuse(ERR_MALFORMED, "body", le, &fault);
    if (!t->allow_test_keys && lsuit_trust_has_published(set_out))
        return FAIL_FIELD(ERR_REFUSED, "trust.roles", "a key that everybody can sign with");
    return ERR_OK;
}

static bool same(struct lsuit_bytes a, const void *b, size_t n)
{
    return a.len == n && a.ptr != NULL && memcmp(a.ptr, b, n) == 0;
}

/* Another vendor's or class's manifest must never be offered to this product. */
static enum err check_identity(const struct lsuit_facts *f, const struct trust_want *want)
{
    if (!f->vendor_condition || f->vendor_id.ptr == NULL)
        return FAIL_FIELD(ERR_REFUSED, "envelope.vendor", "no vendor condition");
    if (!f->class_condition || f->class_n == 0)
        return FAIL_FIELD(ERR_REFUSED, "envelope.class", "no class condition");
    if (!same(f->vendor_id, want->vendor_id, 16))
        return FAIL_FIELD(ERR_REFUSED, "envelope.vendor", "not the vendor id of this product");
    for (uint32_t i = 0; i < f->class_n; i++)
        if (!same(f->class_id[i], want->class_id, 16))
            return FAIL_FIELD(ERR_REFUSED, "envelope.class", "not the class id of this product");
    return ERR_OK;
}

static enum err add_payload(struct trust_facts *out, const uint8_t digest[32], uint64_t size)
{
    for (unsigned i = 0; i < out->payloads_n; i++)
        if (memcmp(out->payloads[i].digest, digest, 32) == 0) {
            if (out->payloads[i].size != (int64_t)size)
                return FAIL_FIELD(ERR_REFUSED, "envelope.components.size",
                                  "two sizes for one payload");
            return ERR_OK;
        }
    if (out->payloads_n == TRUST_PAYLOADS)
        return FAIL_FIELD(ERR_REFUSED, "envelope.components", "more than %d payloads",
                          TRUST_PAYLOADS);
    memcpy(out->payloads[out->payloads_n].digest, digest, 32);
    out->payloads[out->payloads_n++].size = (int64_t)size;
    out->size += (int64_t)size;
    return ERR_OK;
}

/* An integrated payload stands in the envelope, so it can be held against its digest here. */
static enum err check_integrated(const struct lsuit_envelope *env, const struct lsuit_fetch *f)
{
    struct lsuit_bytes payload = { 0 };
    uint8_t digest[LSUIT_DIGEST_MAX];
    size_t n = 0;

    if (lsuit_envelope_payload(env, f->uri, &payload) != LSUIT_OK)
        return FAIL_FIELD(ERR_REFUSED, "envelope.components.uri", "%.*s is not in the envelope",
                          (int)f->uri.len, (const char *)f->uri.ptr);
    if (lsuit_hash_bytes(&lsuit_crypto_psa, f->digest.alg, payload, digest, sizeof digest, &n) !=
            LSUIT_OK ||
        !same(f->digest.bytes, digest, n))
        return FAIL_FIELD(ERR_REFUSED, "envelope.components.digest",
                          "not that of the integrated payload");
    if (f->size != payload.len)
        return FAIL_FIELD(ERR_REFUSED, "envelope.components.size",
                          "not that of the integrated payload");
    return ERR_OK;
}

static enum err check_fetch(const struct lsuit_envelope *env, const struct lsuit_fetch *f,
                            struct trust_facts *out)
{
    static const char PREFIX[] = "../payloads/";
    size_t n = strlen(PREFIX);
    uint8_t digest[32];

    if (f->digest.alg == 0)
        return FAIL_FIELD(ERR_REFUSED, "envelope.components.digest", "a fetch without a digest");
    if (f->size == 0 || f->size > INT64_MAX / 16)
        return FAIL_FIELD(ERR_REFUSED, "envelope.components.size", "a fetch without a size");
    if (f->uri.len > 1 && f->uri.ptr[0] == '#')
        return check_integrated(env, f);
    if (f->uri.len != n + 64 || memcmp(f->uri.ptr, PREFIX, n) != 0 ||
        !bytes_from_hex((const char *)f->uri.ptr + n, 64, digest, sizeof digest))
        return FAIL_FIELD(ERR_REFUSED, "envelope.components.uri",
                          "neither #name nor ../payloads/ with 64 hex digits");
    if (f->digest.alg != LSUIT_ALG_SHA256 || !same(f->digest.bytes, digest, sizeof digest))
        return FAIL_FIELD(ERR_REFUSED, "envelope.components.digest",
                          "not the digest that the URI names");
    return add_payload(out, digest, f->size);
}

/*
 * What an alternative fetches, one for each slot for example: any of them may be what a device asks
 * for, and which digest goes with it only the device's choice tells. Its bytes must be named, with
 * their size.
 */
static enum err check_uri(const struct lsuit_envelope *env, const struct trust_second *second,
                          const char *uri, struct trust_facts *out)
{
    struct lsuit_fetch f = { .uri = { (const uint8_t *)uri, strlen(uri) } };
    uint8_t digest[32];
    struct lsuit_bytes payload = { 0 };
    size_t n = 0;

    if (uri[0] == '#' && lsuit_envelope_payload(env, f.uri, &payload) == LSUIT_OK)
        lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, payload, digest, 32, &n);
    else if (f.uri.len > 64 && bytes_from_hex(uri + f.uri.len - 64, 64, digest, 32))
        n = 32;
    for (unsigned i = 0; n == 32 && i < second->images_n; i++)
        if (memcmp(second->images[i].digest, digest, 32) == 0) {
            f.digest = (struct lsuit_digest){ LSUIT_ALG_SHA256, { digest, 32 } };
            f.size = (uint64_t)second->images[i].size;
            return check_fetch(env, &f, out);
        }
    return FAIL_FIELD(ERR_REFUSED, "envelope.components.digest", "no digest and size for %s", uri);
}

/* Is this one of several that the component may be fetched from? */
static bool is_choice(const struct lsuit_facts *facts, const struct lsuit_fetch *f)
{
    for (uint32_t i = 0; i < facts->fetch_n; i++)
        if (facts->fetch[i].component == f->component &&
            !same(facts->fetch[i].uri, f->uri.ptr, f->uri.len))
            return true;
    return false;
}

/* Was it checked as a fetch whose digest is known? */
static bool is_checked(const struct lsuit_facts *facts, const char *uri)
{
    for (uint32_t i = 0; i < facts->fetch_n; i++)
        if (same(facts->fetch[i].uri, uri, strlen(uri)))
            return !is_choice(facts, &facts->fetch[i]);
    return false;
}

static void read_version(const struct lsuit_manifest *m, struct trust_facts *out)
{
    struct lsuit_bytes any = { 0 };
    struct lsuit_text text = { 0 };
    size_t n;

    if (lsuit_manifest_text(m, any, &text, NULL) != LSUIT_OK || text.component_version.ptr == NULL)
        return;
    n = text.component_version.len;
    if (n >= sizeof out->version)
        n = sizeof out->version - 1;
    memcpy(out->version, text.component_version.ptr, n);
    out->version[n] = '\0';
}

/* Two parsers that read one document differently are a hole; such a document is refused. */
static bool agree_on_uris(const struct trust_second *s, const struct lsuit_facts *f)
{
    for (uint32_t i = 0; i < f->fetch_n; i++) {
        bool found = false;

        for (unsigned k = 0; k < s->uris_n; k++)
            found = found || same(f->fetch[i].uri, s->uris[k], strlen(s->uris[k]));
        if (!found)
            return false;
    }
    return true;
}

static bool agree_on_identity(const struct trust_second *s, const struct trust_want *want)
{
    for (unsigned i = 0; i < s->vendors_n; i++)
        if (memcmp(s->vendors[i], want->vendor_id, 16) != 0)
            return false;
    for (unsigned i = 0; i < s->classes_n; i++)
        if (memcmp(s->classes[i], want->class_id, 16) != 0)
            return false;
    return s->vendors_n > 0 && s->classes_n > 0;
}

static enum err agree(const struct trust_second *second, const struct lsuit_envelope *env,
                      const struct lsuit_manifest *m, const struct lsuit_facts *facts,
                      const struct trust_want *want)
{
    if (!agree_on_uris(second, facts) || !agree_on_identity(second, want) ||
        second->sequence != m->sequence || second->components != m->components_n ||
        !same(m->digest.bytes, second->digest, 32) || second->manifest_n != env->manifest.len)
        return FAIL_FIELD(ERR_MALFORMED, "body", "two readers do not agree on this document");
    return ERR_OK;
}

/* --- Dependencies --- */

/*
 * What a dependency has devices fetch. Who signed it is for them to judge, by keys of the role
 * author; that it is what the digest in our manifest names is certain here.
 */
static enum err check_dependency(const struct lsuit_envelope *env, const struct lsuit_fetch *f,
                                 struct trust_facts *out)
{
    struct lsuit_fault fault = { 0 };
    struct lsuit_envelope inner = { 0 };
    struct lsuit_manifest m = { 0 };
    struct lsuit_facts facts = { 0 };
    struct lsuit_bytes doc = { 0 };
    enum lsuit_err le;
    enum err e = ERR_OK;

    if (lsuit_envelope_payload(env, f->uri, &doc) != LSUIT_OK)
        return FAIL_FIELD(ERR_REFUSED, "envelope.dependencies", "%.*s is not in the envelope",
                          (int)f->uri.len, (const char *)f->uri.ptr);
    le = lsuit_envelope_read(doc, &inner, &fault);
    if (le == LSUIT_OK)
        le = lsuit_envelope_trust_nobody(&inner, &lsuit_crypto_psa, &fault);
    if (le == LSUIT_OK && !same(f->digest.bytes, inner.digest.bytes.ptr, inner.digest.bytes.len))
        return FAIL_FIELD(ERR_REFUSED, "envelope.dependencies", "not the digest of the manifest");
    if (le == LSUIT_OK)
        le = lsuit_manifest_read(&inner, &lsuit_crypto_psa, &m, &fault);
    if (le == LSUIT_OK)
        le = lsuit_manifest_check(&m, LSUIT_CHECK_IDENTITY | LSUIT_CHECK_LAPEL_URI, &fault);
    if (le == LSUIT_OK)
        le = lsuit_manifest_facts(&m, &facts, &fault);
    if (le != LSUIT_OK)
        return refuse(ERR_REFUSED, "envelope.dependencies", le, &fault);
    if (m.dependencies != 0)
        return FAIL_FIELD(ERR_REFUSED, "envelope.dependencies", "a dependency with dependencies");
    for (uint32_t i = 0; e == ERR_OK && i < facts.fetch_n; i++)
        e = check_fetch(&inner, &facts.fetch[i], out);
    return e;
}

static bool is_dependency(const struct lsuit_manifest *m, const struct lsuit_fetch *f)
{
    return (m->dependencies >> f->component & 1) != 0;
}

static enum err read_facts(const struct lsuit_envelope *env, const struct lsuit_manifest *m,
                           const struct trust_want *want, struct lsuit_facts *facts,
                           struct trust_facts *out)
{
    struct lsuit_fault fault = { 0 };
    enum lsuit_err le = lsuit_manifest_facts(m, facts, &fault);
    enum err e;

    if (le != LSUIT_OK)
        return refuse(ERR_REFUSED, "envelope.manifest", le, &fault);
    e = check_identity(facts, want);
    for (uint32_t i = 0; e == ERR_OK && i < facts->fetch_n; i++)
        if (is_dependency(m, &facts->fetch[i]))
            e = check_dependency(env, &facts->fetch[i], out);
        else if (!is_choice(facts, &facts->fetch[i]))
            e = check_fetch(env, &facts->fetch[i], out);
    if (e != ERR_OK)
        return e;
    if (m->sequence > (uint64_t)INT64_MAX)
        return FAIL_FIELD(ERR_REFUSED, "envelope.sequence", "over 2^63-1");
    if (m->digest.alg != LSUIT_ALG_SHA256 || m->digest.bytes.len != 32)
        return FAIL_FIELD(ERR_REFUSED, "envelope.authentication", "the digest is not SHA-256");
    out->sequence = (int64_t)m->sequence;
    memcpy(out->digest, m->digest.bytes.ptr, 32);
    out->component = m->component_id;
    out->has_priority = facts->has_priority;
    out->priority = facts->priority;
    read_version(m, out);
    return ERR_OK;
}

enum err trust_verify(struct trust *t, const struct lsuit_trust *set, struct lsuit_bytes doc,
                      const struct trust_want *want, struct trust_facts *facts_out)
{
    struct lsuit_fault fault = { 0 };
    struct lsuit_envelope env = { 0 };
    struct lsuit_manifest m = { 0 };
    struct trust_facts facts = { 0 };
    struct lsuit_facts read = { 0 };
    struct trust_second second = { 0 };
    enum lsuit_err le = lsuit_envelope_read(doc, &env, &fault);
    enum err e;

    if (le != LSUIT_OK)
        return refuse(ERR_MALFORMED, "body", le, &fault);
    e = set != NULL ? by_set(set, want, &env, facts.key_id) : by_anchor(t, &env, facts.key_id);
    if (e != ERR_OK)
        return e;
    le = lsuit_manifest_read(&env, &lsuit_crypto_psa, &m, &fault);
    if (le == LSUIT_OK)
        le = lsuit_manifest_check(&m, 0, &fault);
    if (le != LSUIT_OK)
        return refuse(ERR_REFUSED, "envelope.manifest", le, &fault);
    e = read_facts(&env, &m, want, &read, &facts);
    if (e != ERR_OK)
        return e;
    /* Our own reader has said yes; what it means for identity and URIs is checked last, so that
     * the errors above name their field. */
    le = lsuit_manifest_check(&m, LSUIT_CHECK_IDENTITY | LSUIT_CHECK_LAPEL_URI, &fault);
    if (le != LSUIT_OK)
        return refuse(ERR_REFUSED, "envelope.manifest", le, &fault);
    e = trust_second_read(doc, &second);
    if (e == ERR_OK)
        e = agree(&second, &env, &m, &read, want);
    for (unsigned i = 0; e == ERR_OK && i < second.uris_n; i++)
        if (!is_checked(&read, second.uris[i]))
            e = check_uri(&env, &second, second.uris[i], &facts);
    if (e == ERR_OK)
        *facts_out = facts;
    return e;
}
