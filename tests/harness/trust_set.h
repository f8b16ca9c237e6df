/*
 * Trust sets for tests: written and signed by keys that are made anew in each run.
 */
#ifndef HARNESS_TRUST_SET_H
#define HARNESS_TRUST_SET_H

#include "check.h"
#include "lsuit/cose.h"
#include "lsuit/trust.h"
#include "signers.h"

/* A set in few words. Keys are numbers into the signers; -1 ends a list. */
struct set_how {
    uint32_t version;
    int roots[3];
    int release[3];
    int by[4];                  /* who signs it */
    uint32_t release_threshold; /* 0: 1 */
    const char *urls[3];
};

struct set_doc {
    uint8_t bytes[LSUIT_TRUST_MAX];
    struct lsuit_bytes doc;
};

static inline void set_role(struct lsuit_role *role, uint32_t kind, const int *which,
                            const struct signer *signers)
{
    *role = (struct lsuit_role){ .role = kind, .threshold = 1 };
    for (int i = 0; i < 3 && which[i] >= 0; i++)
        role->keys[role->keys_n++] = signers[which[i]].key;
}

/* A detached signature as an HSM would make it. */
static inline struct lsuit_bytes set_sign(const struct signer *s, struct lsuit_bytes payload,
                                          uint8_t *buf, size_t cap)
{
    static uint8_t room[4096];
    struct lsuit_bytes none = { NULL, 0 }, tbs, doc = none;
    uint8_t sig[LSUIT_ES256_LEN];
    size_t n = 0;

    CHECK_INT(lsuit_trust_tbs(LSUIT_ALG_ESP256, payload, room, sizeof room, &tbs), LSUIT_OK);
    CHECK_INT(lsuit_crypto_psa.sign(NULL, s->id, LSUIT_ALG_ESP256, &tbs, 1, sig, sizeof sig, &n),
              LSUIT_OK);
    CHECK_INT(lsuit_cose_sign1_write(LSUIT_ALG_ESP256, none, none, (struct lsuit_bytes){ sig, n },
                                     buf, cap, &doc),
              LSUIT_OK);
    return doc;
}

/* With a key of role online, or -1 for none. */
static inline void set_make_online(struct set_doc *out, const struct set_how *how, int online,
                                   const struct signer *signers)
{
    static uint8_t payload_buf[4096], sig_buf[4][256];
    struct lsuit_role roles[3];
    struct lsuit_bytes urls[3], payload, sigs[4];
    struct lsuit_trust_parts parts = {
        .version = how->version, .roles = roles, .roles_n = online < 0 ? 2 : 3, .urls = urls
    };
    uint32_t n = 0;

    set_role(&roles[0], LSUIT_ROLE_ROOT, how->roots, signers);
    set_role(&roles[1], LSUIT_ROLE_RELEASE, how->release, signers);
    set_role(&roles[2], LSUIT_ROLE_ONLINE, (const int[]){ online, -1 }, signers);
    if (how->release_threshold != 0)
        roles[1].threshold = how->release_threshold;
    for (; parts.urls_n < 3 && how->urls[parts.urls_n] != NULL; parts.urls_n++)
        urls[parts.urls_n] = (struct lsuit_bytes){ (const uint8_t *)how->urls[parts.urls_n],
                                                   strlen(how->urls[parts.urls_n]) };
    CHECK_INT(lsuit_trust_write(&parts, payload_buf, sizeof payload_buf, &payload), LSUIT_OK);
    for (; n < 4 && how->by[n] >= 0; n++)
        sigs[n] = set_sign(&signers[how->by[n]], payload, sig_buf[n], sizeof sig_buf[n]);
    CHECK_INT(lsuit_trust_doc_write(payload, sigs, n, out->bytes, sizeof out->bytes, &out->doc),
              LSUIT_OK);
}

static inline void set_make(struct set_doc *out, const struct set_how *how,
                            const struct signer *signers)
{
    set_make_online(out, how, -1, signers);
}

#endif
