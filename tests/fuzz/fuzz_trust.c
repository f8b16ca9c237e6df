/*
 * The readers of a trust set and of its document, every entry, and the step to it.
 *
 * Signatures are decided by a stub: one is good when its first byte is that of the key.
 */
#include "doc.h"

#include "lsuit/trust.h"

static enum lsuit_err stub_verify(void *ctx, const struct lsuit_key *key, int32_t alg,
                                  const struct lsuit_bytes *parts, size_t parts_n,
                                  struct lsuit_bytes signature)
{
    (void)ctx;
    (void)alg;
    (void)parts;
    (void)parts_n;
    if (signature.len == 0 || key->material.len < 2 || signature.ptr[0] != key->material.ptr[1])
        return LSUIT_ERR_UNAUTHORISED;
    return LSUIT_OK;
}

static const struct lsuit_crypto STUB = { .size = sizeof(struct lsuit_crypto),
                                          .verify = stub_verify };

/* Every entry of a set that was accepted can be had. */
static void entries(const struct lsuit_trust *t)
{
    const struct lsuit_bytes none = { NULL, 0 };
    struct lsuit_anchor anchor;
    struct lsuit_bytes url;
    struct lsuit_role role;
    uint32_t at = 0;

    for (uint32_t i = 0; i < t->roles_n; i++)
        MUST(lsuit_trust_role_at(t, i, &role) && role.threshold >= 1 &&
             role.threshold <= role.keys_n);
    for (uint32_t i = 0; i < t->anchors_n; i++)
        MUST(lsuit_trust_anchor_at(t, i, &anchor));
    for (uint32_t i = 0; i < t->urls_n; i++)
        MUST(lsuit_trust_url_at(t, i, &url));
    MUST(!lsuit_trust_role_at(t, t->roles_n, &role));
    MUST(!lsuit_trust_anchor_at(t, t->anchors_n, &anchor));
    MUST(!lsuit_trust_url_at(t, t->urls_n, &url));
    MUST(lsuit_trust_find(t, LSUIT_ROLE_ROOT, none, none, &at, &role));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lsuit_bytes doc = { data, size };
    struct lsuit_trust t, next;
    struct lsuit_fault fault;

    if (lsuit_trust_read(doc, &t, &fault) == LSUIT_OK)
        entries(&t);
    if (lsuit_trust_accept(doc, &STUB, NULL, &t, &fault) == LSUIT_OK) {
        entries(&t);
        MUST(lsuit_trust_accept(doc, &STUB, &t, &next, &fault) == LSUIT_ERR_ROLLBACK);
    }
    return 0;
}
