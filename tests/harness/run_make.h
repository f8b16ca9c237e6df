/*
 * Manifests written down as diagnostic notation, ready to run; for tests of the processor.
 */
#ifndef RUN_MAKE_H
#define RUN_MAKE_H

#include "diag.h"
#include "lsuit/suit.h"
#include "lsuit/suit_run.h"

#define TEXT_BYTES(s) ((struct lsuit_bytes){ (const uint8_t *)(s), strlen(s) })
/* Vendor, class and digest of what bench_device knows. */
#define SHARED "[12, 0, 20, {1: '0123456789abcdef', 2: 'fedcba9876543210', 3: sha256'new'}]"

struct parts {
    const char *dependencies; /* NULL: none */
    const char *components;   /* NULL: one */
    const char *shared;       /* NULL: none */
    const char *sections;     /* the pairs of the manifest's map that follow 3 */
    uint32_t sections_n;
    const char *payloads; /* pairs of the envelope's map */
    uint32_t payloads_n;
    const char *dependency_name; /* one more, after them: NULL: none */
    struct lsuit_bytes dependency;
    struct lsuit_bytes cose; /* a signature; absent: none */
};

struct made {
    uint8_t doc[DIAG_MAX];
    struct lsuit_bytes whole;
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
};

static inline void put_common(struct lsuit_cbor_writer *w, const struct parts *p)
{
    size_t mark = lsuit_put_bstr_open(w);

    lsuit_put_map(w, 1u + (p->shared != NULL) + (p->dependencies != NULL));
    if (p->dependencies != NULL) {
        lsuit_put_uint(w, 1);
        diag_write(w, p->dependencies);
    }
    lsuit_put_uint(w, 2);
    diag_write(w, p->components != NULL ? p->components : "[[h'00']]");
    if (p->shared != NULL) {
        size_t inner;

        lsuit_put_uint(w, 4);
        inner = lsuit_put_bstr_open(w);
        diag_write(w, p->shared);
        lsuit_put_bstr_close(w, inner);
    }
    lsuit_put_bstr_close(w, mark);
}

/* Write the envelope, read it, and pretend that its signature was verified. */
static inline enum lsuit_err make(struct made *m, const struct parts *p, struct lsuit_fault *fault)
{
    uint8_t buf[2][DIAG_MAX];
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf[0], DIAG_MAX);
    struct lsuit_cbor_writer names = lsuit_cbor_writer_init(buf[1], DIAG_MAX);
    struct lsuit_envelope_parts parts = { 0 };
    struct lsuit_bytes doc = { NULL, 0 };
    enum lsuit_err e;

    lsuit_put_map(&w, 3 + p->sections_n);
    diag_write(&w, "1, 1, 2, 7, 3");
    put_common(&w, p);
    if (p->sections_n > 0)
        diag_write(&w, p->sections);
    if (p->payloads_n > 0)
        diag_write(&names, p->payloads);
    if (p->dependency_name != NULL) {
        lsuit_put_text(&names, p->dependency_name);
        lsuit_put_bstr(&names, p->dependency);
    }
    parts.manifest = (struct lsuit_bytes){ buf[0], w.len };
    parts.integrated = (struct lsuit_bytes){ buf[1], names.len };
    parts.integrated_n = p->payloads_n + (p->dependency_name != NULL);
    parts.cose = &p->cose;
    parts.cose_n = p->cose.ptr != NULL;
    e = lsuit_envelope_write(&parts, &lsuit_crypto_psa, m->doc, sizeof m->doc, &doc);
    m->whole = doc;
    if (e == LSUIT_OK)
        e = lsuit_envelope_read(doc, &m->envelope, fault);
    if (e == LSUIT_OK)
        e = lsuit_envelope_trust_nobody(&m->envelope, &lsuit_crypto_psa, fault);
    m->envelope.verified = e == LSUIT_OK;
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(&m->envelope, &lsuit_crypto_psa, &m->manifest, fault);
    return e;
}

#endif
