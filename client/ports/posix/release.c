/* The version that people know, from the manifest of the slot that runs. */
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "lsuit/suit.h"
#include "lsuit/trust.h"

/* By the set in force, or the factory's, for a revoked key may have signed what runs; else by the
 * configured keys. */
static bool is_signed(const struct agent *a, struct lsuit_envelope *envelope)
{
    struct lsuit_bytes vendor = { a->conf->vendor_id.bytes, 16 };
    struct lsuit_bytes class_ = { a->conf->class_id.bytes, 16 };
    struct lsuit_trust_keys keys = { .keys = a->conf->release_keys.key,
                                     .n = a->conf->release_keys.n };
    struct lsuit_bytes factory = { a->conf->trust, a->conf->trust_n };
    const struct lsuit_trust *set = lapel_trust(&a->lapel);
    struct lsuit_trust_doc doc;
    struct lsuit_trust first;

    if (set == NULL)
        return lsuit_envelope_verify(envelope, &lsuit_crypto_psa, &keys, NULL, NULL) == LSUIT_OK;
    return lsuit_trust_verify_envelope(set, vendor, class_, envelope, &lsuit_crypto_psa, NULL, NULL,
                                       NULL) == LSUIT_OK ||
           (lsuit_trust_doc_read(factory, &doc, NULL) == LSUIT_OK &&
            lsuit_trust_read(doc.payload, &first, NULL) == LSUIT_OK &&
            lsuit_trust_verify_envelope(&first, vendor, class_, envelope, &lsuit_crypto_psa, NULL,
                                        NULL, NULL) == LSUIT_OK);
}

static bool read_text(const struct agent *a, struct lsuit_bytes doc, struct lsuit_text *text_out)
{
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
    struct lsuit_fault fault;
    struct lsuit_bytes language = { (const uint8_t *)a->conf->language, strlen(a->conf->language) };

    if (language.len == 0)
        language.ptr = NULL;
    return lsuit_envelope_read(doc, &envelope, &fault) == LSUIT_OK && is_signed(a, &envelope) &&
           lsuit_manifest_read(&envelope, &lsuit_crypto_psa, &manifest, &fault) == LSUIT_OK &&
           lsuit_manifest_text(&manifest, language, text_out, &fault) == LSUIT_OK;
}

void release_version(struct agent *a, char *version_out, size_t n)
{
    struct lsuit_text text = { 0 };
    uint8_t *buf = malloc(SLOTS_MANIFEST_MAX);
    int len = -1;

    version_out[0] = '\0';
    if (buf != NULL)
        len = slots_manifest_read(&a->slots, a->boot.running, buf, SLOTS_MANIFEST_MAX);
    if (len > 0 && read_text(a, (struct lsuit_bytes){ buf, (size_t)len }, &text) &&
        text.component_version.ptr != NULL && text.component_version.len < n) {
        memcpy(version_out, text.component_version.ptr, text.component_version.len);
        version_out[text.component_version.len] = '\0';
    }
    free(buf);
}
