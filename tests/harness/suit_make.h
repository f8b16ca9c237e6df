/*
 * SUIT documents for tests: manifests from pieces in hexadecimal, keys from a number, signatures.
 */
#ifndef SUIT_MAKE_H
#define SUIT_MAKE_H

#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lsuit/suit.h"

/* A key pair for tests, the same in each run: the private number is one byte, 32 times. */
struct make_key {
    psa_key_id_t id;
    uint8_t point[LSUIT_P256_POINT_LEN];
    struct lsuit_key key; /* points at `point` */
};

static inline void make_key(struct make_key *k, uint8_t number, psa_algorithm_t alg)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    uint8_t scalar[32];
    size_t len = 0;

    memset(scalar, number, sizeof scalar);
    psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attr, 256);
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_SIGN_HASH);
    psa_set_key_algorithm(&attr, alg);
    if (psa_crypto_init() != PSA_SUCCESS ||
        psa_import_key(&attr, scalar, sizeof scalar, &k->id) != PSA_SUCCESS ||
        psa_export_public_key(k->id, k->point, sizeof k->point, &len) != PSA_SUCCESS) {
        printf("FAIL no key for the test\n");
        exit(1);
    }
    k->key = (struct lsuit_key){ LSUIT_KEY_P256, { k->point, len }, { NULL, 0 } };
}

/* A tagged, detached COSE_Sign1 over payload; returns the bytes in buf. */
static inline struct lsuit_bytes make_signature(const struct make_key *k, int32_t alg,
                                                struct lsuit_bytes kid, struct lsuit_bytes payload,
                                                uint8_t *buf, size_t cap)
{
    static const struct lsuit_bytes NONE = { NULL, 0 };
    uint8_t tbs[512], sig[64];
    struct lsuit_bytes part, doc = { NULL, 0 };
    size_t len = 0;

    if (lsuit_cose_tbs(alg, NONE, payload, tbs, sizeof tbs, &part) != LSUIT_OK ||
        lsuit_crypto_psa.sign(NULL, k->id, alg, &part, 1, sig, sizeof sig, &len) != LSUIT_OK ||
        lsuit_cose_sign1_write(alg, kid, NONE, (struct lsuit_bytes){ sig, len }, buf, cap, &doc) !=
            LSUIT_OK) {
        printf("FAIL no signature for the test\n");
        exit(1);
    }
    return doc;
}

/* What goes into a manifest. Hexadecimal; NULL leaves the element out. */
struct make_manifest {
    const char *components; /* the array */
    const char *shared;     /* the sequence, not wrapped */
    uint64_t sequence;
    struct make_section {
        uint8_t key;
        const char *content; /* not wrapped */
        bool raw;            /* or as it stands, a digest say */
    } section[4];            /* ascending; key 0 ends the list */
};

static inline void make_put_hex(struct lsuit_cbor_writer *w, const char *text)
{
    static uint8_t bytes[4096];
    size_t n = check_hex(text, bytes, sizeof bytes);

    /* An empty sequence is one of the things to be tried. */
    if (n > 0)
        lsuit_put_item(w, (struct lsuit_bytes){ bytes, n });
}

static inline struct lsuit_bytes make_manifest(const struct make_manifest *m, uint8_t *buf,
                                               size_t cap)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    struct lsuit_bytes doc = { NULL, 0 };
    uint32_t n = 0;
    size_t common, inner;

    while (n < 4 && m->section[n].key != 0)
        n++;
    lsuit_put_map(&w, 3 + n);
    lsuit_put_uint(&w, 1);
    lsuit_put_uint(&w, 1);
    lsuit_put_uint(&w, 2);
    lsuit_put_uint(&w, m->sequence);
    lsuit_put_uint(&w, 3);
    common = lsuit_put_bstr_open(&w);
    lsuit_put_map(&w, m->shared != NULL ? 2 : 1);
    lsuit_put_uint(&w, 2);
    make_put_hex(&w, m->components != NULL ? m->components : "81 81 41 00");
    if (m->shared != NULL) {
        lsuit_put_uint(&w, 4);
        inner = lsuit_put_bstr_open(&w);
        make_put_hex(&w, m->shared);
        lsuit_put_bstr_close(&w, inner);
    }
    lsuit_put_bstr_close(&w, common);
    for (uint32_t i = 0; i < n; i++) {
        lsuit_put_uint(&w, m->section[i].key);
        inner = lsuit_put_bstr_open(&w);
        make_put_hex(&w, m->section[i].content);
        if (!m->section[i].raw)
            lsuit_put_bstr_close(&w, inner);
    }
    if (lsuit_put_finish(&w, &doc) != LSUIT_OK) {
        printf("FAIL %s: the manifest doesn't fit\n", check_state.name);
        exit(1);
    }
    return doc;
}

#endif
