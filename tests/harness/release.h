/*
 * Signed releases for tests: a payload, and an envelope around its digest.
 */
#ifndef HARNESS_RELEASE_H
#define HARNESS_RELEASE_H

#include "diag.h"
#include "signers.h"

#define RELEASE_PAYLOAD_MAX 16384
#define RELEASE_VENDOR "101112131415161718191a1b1c1d1e1f"
#define RELEASE_CLASS "202122232425262728292a2b2c2d2e2f"

struct release {
    uint64_t sequence;
    uint8_t payload[RELEASE_PAYLOAD_MAX];
    size_t payload_n;
    uint8_t payload_digest[32];
    uint8_t envelope[2048];
    size_t envelope_n;
    uint8_t digest[32]; /* SUIT manifest digest */
};

/* What may differ from an ordinary release; all zero is ordinary. */
struct release_how {
    const char *class_id;      /* hex; NULL: ours */
    const char *wrong_payload; /* hex digest in the manifest; NULL: that of the payload */
    const char *install;       /* diagnostic notation; NULL: fetch and image-match */
    const char *text;          /* diagnostic notation of the text map; NULL: the usual */
    int64_t priority;          /* 0: none */
    bool integrated;           /* the payload travels in the envelope as #fw */
    void (*shape)(uint8_t *payload, size_t n, uint64_t sequence); /* NULL: random bytes */
    bool no_size;
    uint64_t wrong_size; /* 0: right */
};

static inline void release_hex(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

static inline void release_must(enum lsuit_err e, const char *what)
{
    if (e == LSUIT_OK)
        return;
    printf("FAIL no release for the test: %s: %s\n", what, lsuit_err_name(e));
    exit(1);
}

static inline void release_shared(struct lsuit_cbor_writer *w, const struct release *r,
                                  const struct release_how *how)
{
    char text[600], hex[65], priority[40] = "", size[40] = "";

    release_hex(r->payload_digest, 32, hex);
    if (how->priority != 0)
        snprintf(priority, sizeof priority, ", 27: %lld", (long long)how->priority);
    if (!how->no_size)
        snprintf(size, sizeof size, ", 14: %llu",
                 (unsigned long long)(how->wrong_size != 0 ? how->wrong_size : r->payload_n));
    snprintf(text, sizeof text,
             "[20, {1: h'" RELEASE_VENDOR "', 2: h'%s', 3: <<[-16, h'%s']>>%s%s}, 1, 15, 2, 15]",
             how->class_id != NULL ? how->class_id : RELEASE_CLASS,
             how->wrong_payload != NULL ? how->wrong_payload : hex, size, priority);
    diag_write(w, text);
}

static inline void release_section(struct lsuit_cbor_writer *w, uint64_t key, const char *text)
{
    size_t mark;

    lsuit_put_uint(w, key);
    mark = lsuit_put_bstr_open(w);
    diag_write(w, text);
    lsuit_put_bstr_close(w, mark);
}

static inline void release_manifest(struct lsuit_cbor_writer *w, const struct release *r,
                                    const struct release_how *how)
{
    char hex[65], install[200];
    size_t common, shared;

    release_hex(r->payload_digest, 32, hex);
    snprintf(install, sizeof install, "[20, {21: \"%s%s\"}, 21, 15, 3, 15]",
             how->integrated ? "#fw" : "../payloads/", how->integrated ? "" : hex);
    lsuit_put_map(w, 6);
    diag_write(w, "1, 1, 2");
    lsuit_put_uint(w, r->sequence);
    lsuit_put_uint(w, 3);
    common = lsuit_put_bstr_open(w);
    lsuit_put_map(w, 2);
    diag_write(w, "2, [[h'00']], 4");
    shared = lsuit_put_bstr_open(w);
    release_shared(w, r, how);
    lsuit_put_bstr_close(w, shared);
    lsuit_put_bstr_close(w, common);
    release_section(w, 7, "[3, 15]");
    release_section(w, 20, how->install != NULL ? how->install : install);
    release_section(w, 23,
                    how->text != NULL
                        ? how->text
                        : "{\"de\": {2: \"heller\", -1: \"Loch zu\", [h'00']: {6: \"2.0\"}}, "
                          "\"en\": {2: \"brighter\", -1: \"hole closed\", -3: 20, -4: true, "
                          "[h'00']: {6: \"2.0\"}}}");
}

/* Sign a finished manifest; `signer` NULL leaves it unsigned. */
static inline void release_sign(struct release *r, struct lsuit_bytes manifest,
                                const struct signer *signer, const struct release_how *how)
{
    uint8_t bstr[2048], digest[40], tbs[200], sig[64], cose[200], payload[2048];
    size_t n = 0, sig_n = 0;
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(bstr, sizeof bstr);
    struct lsuit_cbor_writer d = lsuit_cbor_writer_init(digest, sizeof digest);
    struct lsuit_cbor_writer p = lsuit_cbor_writer_init(payload, sizeof payload);
    struct lsuit_bytes none = { NULL, 0 }, to_sign, one, doc;
    struct lsuit_envelope_parts parts = { 0 };

    lsuit_put_bstr(&w, manifest);
    release_must(lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256,
                                  (struct lsuit_bytes){ bstr, w.len }, r->digest, 32, &n),
                 "digest");
    lsuit_put_digest(&d, LSUIT_ALG_SHA256, (struct lsuit_bytes){ r->digest, 32 });
    release_must(lsuit_cose_tbs(LSUIT_ALG_ESP256, none, (struct lsuit_bytes){ digest, d.len }, tbs,
                                sizeof tbs, &to_sign),
                 "to be signed");
    release_must(lsuit_crypto_psa.sign(NULL, signer->id, LSUIT_ALG_ESP256, &to_sign, 1, sig,
                                       sizeof sig, &sig_n),
                 "sign");
    release_must(lsuit_cose_sign1_write(LSUIT_ALG_ESP256, none, none,
                                        (struct lsuit_bytes){ sig, sig_n }, cose, sizeof cose,
                                        &one),
                 "cose");
    if (how->integrated) {
        lsuit_put_text(&p, "#fw");
        lsuit_put_bstr(&p, (struct lsuit_bytes){ r->payload, r->payload_n });
        parts.integrated = (struct lsuit_bytes){ payload, p.len };
        parts.integrated_n = 1;
    }
    parts.manifest = manifest;
    parts.cose = &one;
    parts.cose_n = 1;
    release_must(
        lsuit_envelope_write(&parts, &lsuit_crypto_psa, r->envelope, sizeof r->envelope, &doc),
        "envelope");
    r->envelope_n = doc.len;
}

/* Bytes that differ from release to release. */
static inline void release_make(struct release *r, uint64_t sequence, size_t payload_n,
                                const struct signer *signer, const struct release_how *how)
{
    uint8_t manifest[1500];
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(manifest, sizeof manifest);
    uint32_t x = (uint32_t)sequence * 2654435761u + 1;
    size_t n = 0;

    memset(r, 0, sizeof *r);
    r->sequence = sequence;
    r->payload_n = payload_n;
    for (size_t i = 0; i < payload_n; i++) {
        x = x * 1664525u + 1013904223u;
        r->payload[i] = (uint8_t)(x >> 24);
    }
    if (how->shape != NULL)
        how->shape(r->payload, payload_n, sequence);
    release_must(lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256,
                                  (struct lsuit_bytes){ r->payload, payload_n }, r->payload_digest,
                                  32, &n),
                 "payload digest");
    release_manifest(&w, r, how);
    release_must(w.err, "manifest");
    release_sign(r, (struct lsuit_bytes){ manifest, w.len }, signer, how);
}

#endif
