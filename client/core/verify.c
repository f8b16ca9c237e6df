#include "lapel_verify.h"

#include <string.h>

/* A slot that has nothing now may have it the next time; a boot loader doesn't wait for ever. */
#define TRIES 1000

static enum lsuit_err read_manifest(struct lapel_verify *v, struct lsuit_bytes doc)
{
    struct lsuit_envelope *e = &v->read;
    struct lsuit_manifest *m = &v->manifest;
    struct lsuit_trust_keys trust = { v->keys, v->keys_n, 1 };
    enum lsuit_err err = lsuit_envelope_read(doc, e, NULL);

    if (err == LSUIT_OK)
        err = v->accepted != NULL ? lsuit_envelope_trust_nobody(e, v->crypto, NULL)
                                  : lsuit_envelope_verify(e, v->crypto, &trust, NULL, NULL);
    if (err == LSUIT_OK)
        err = lsuit_manifest_read(e, v->crypto, m, NULL);
    if (err == LSUIT_OK && m->digest.bytes.len != sizeof v->digest)
        err = LSUIT_ERR_ALG;
    if (err == LSUIT_OK && v->accepted != NULL &&
        memcmp(m->digest.bytes.ptr, v->accepted, sizeof v->digest) != 0)
        err = LSUIT_ERR_UNAUTHORISED;
    if (err == LSUIT_OK)
        err = lsuit_manifest_facts(m, &v->facts, NULL);
    return err;
}

/* What the manifest says of a component's bytes: the digest in force first, then one for each
 * fetch, since a try-each may have another image for each slot. */
struct claim {
    uint32_t component;
    struct lsuit_digest digest;
    uint64_t size;
};

static bool claim_at(const struct lapel_verify *v, unsigned i, struct claim *claim_out)
{
    const struct lsuit_facts *f = &v->facts;

    if (i < LSUIT_MAX_COMPONENTS) {
        *claim_out = (struct claim){ i, f->image_digest[i], f->image_size[i] };
        return true;
    }
    i -= LSUIT_MAX_COMPONENTS;
    if (i >= f->fetch_n)
        return false;
    *claim_out = (struct claim){ f->fetch[i].component, f->fetch[i].digest, f->fetch[i].size };
    return true;
}

enum lapel_verdict_of_image lapel_verify_start(struct lapel_verify *v, uint8_t slot)
{
    struct claim c;
    int n = v->slots->manifest_read(v->ctx, slot, v->envelope, v->envelope_size);

    if (n < 0)
        return LAPEL_IMAGE_UNREAD;
    if (n == 0)
        return LAPEL_IMAGE_NONE;
    if ((size_t)n > v->envelope_size ||
        read_manifest(v, (struct lsuit_bytes){ v->envelope, (size_t)n }) != LSUIT_OK)
        return LAPEL_IMAGE_TAMPERED;
    v->sequence = v->manifest.sequence;
    memcpy(v->digest, v->manifest.digest.bytes.ptr, sizeof v->digest);
    v->slot = slot;
    v->at = 0;
    v->claim = 0;
    v->good = 0;
    v->claimed = 0;
    for (unsigned i = 0; claim_at(v, i, &c); i++)
        if (c.digest.alg != 0)
            v->claimed |= 1u << c.component;
    return v->claimed != 0 ? LAPEL_IMAGE_AGAIN : LAPEL_IMAGE_TAMPERED;
}

/* One piece of what a claim is about; its end when the size is reached. */
static enum lapel_verdict_of_image hash_piece(struct lapel_verify *v, const struct claim *c,
                                              int component)
{
    const struct lsuit_crypto *crypto = v->crypto;
    uint8_t got[LSUIT_DIGEST_MAX];
    size_t n = c->size - v->at < v->buf_size ? (size_t)(c->size - v->at) : v->buf_size;

    if (v->at == 0 && crypto->hash_start(crypto->ctx, &v->hash, c->digest.alg) != LSUIT_OK)
        return LAPEL_IMAGE_UNREAD;
    int r = v->slots->read(v->ctx, component, v->slot, v->at, v->buf, n);
    if (r == 0 && v->at > 0)
        return LAPEL_IMAGE_AGAIN;
    if (r <= 0 ||
        crypto->hash_update(crypto->ctx, &v->hash, (struct lsuit_bytes){ v->buf, n }) != LSUIT_OK) {
        crypto->hash_abort(crypto->ctx, &v->hash);
        return r == 0 ? LAPEL_IMAGE_AGAIN : LAPEL_IMAGE_UNREAD;
    }
    v->at += n;
    if (v->at < c->size)
        return LAPEL_IMAGE_AGAIN;
    if (crypto->hash_finish(crypto->ctx, &v->hash, got, sizeof got, &n) != LSUIT_OK)
        return LAPEL_IMAGE_UNREAD;
    if (n == c->digest.bytes.len && memcmp(got, c->digest.bytes.ptr, n) == 0)
        v->good |= 1u << c->component;
    v->at = 0;
    v->claim++;
    return LAPEL_IMAGE_AGAIN;
}

enum lapel_verdict_of_image lapel_verify_step(struct lapel_verify *v)
{
    struct claim c;

    if (!claim_at(v, v->claim, &c))
        return v->good == v->claimed ? LAPEL_IMAGE_GOOD : LAPEL_IMAGE_TAMPERED;
    int component = v->slots->find(v->ctx, v->manifest.components[c.component]);
    struct lapel_slot_info info = { 0 };
    if (c.digest.alg == 0 || c.size == 0 || (v->good & (1u << c.component)) != 0 ||
        component < 0) { /* says nothing, or nothing new */
        v->claim++;
        return LAPEL_IMAGE_AGAIN;
    }
    if (v->slots->info(v->ctx, component, v->slot, &info) <= 0)
        return LAPEL_IMAGE_UNREAD;
    if (c.size > info.size) {
        v->claim++;
        return LAPEL_IMAGE_AGAIN;
    }
    return hash_piece(v, &c, component);
}

enum lapel_verdict_of_image lapel_boot_verify(struct lapel_verify *v, uint8_t slot)
{
    enum lapel_verdict_of_image r = lapel_verify_start(v, slot);

    for (int waits = 0; r == LAPEL_IMAGE_AGAIN && waits < TRIES;) {
        uint64_t at = v->at;
        uint8_t claim = v->claim;

        r = lapel_verify_step(v);
        waits = v->at == at && v->claim == claim ? waits + 1 : 0;
    }
    return r == LAPEL_IMAGE_AGAIN ? LAPEL_IMAGE_UNREAD : r;
}
