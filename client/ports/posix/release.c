/* The version that people know, from the manifest of the slot that runs. */
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "lsuit/suit.h"

static bool read_text(struct agent *a, struct lsuit_bytes doc, struct lsuit_text *text_out)
{
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
    struct lsuit_fault fault;
    struct lsuit_auth auth;
    struct lsuit_trust_keys trust = { .keys = a->conf->release_keys.key,
                                      .n = a->conf->release_keys.n };
    struct lsuit_bytes language = { (const uint8_t *)a->conf->language, strlen(a->conf->language) };

    if (language.len == 0)
        language.ptr = NULL;
    return lsuit_envelope_read(doc, &envelope, &fault) == LSUIT_OK &&
           lsuit_envelope_verify(&envelope, &lsuit_crypto_psa, &trust, &auth, &fault) == LSUIT_OK &&
           lsuit_manifest_read(&envelope, &lsuit_crypto_psa, &manifest, &fault) == LSUIT_OK &&
           lsuit_manifest_text(&manifest, language, text_out, &fault) == LSUIT_OK;
}

void release_version(struct agent *a, char *version_out, size_t n)
{
    struct lsuit_text text;
    int len = slots_manifest_read(&a->slots, a->boot.running, a->envelope, sizeof a->envelope);

    version_out[0] = '\0';
    /* The envelope's memory is the core's only from lapel_init on: this runs before it. */
    if (len <= 0 || !read_text(a, (struct lsuit_bytes){ a->envelope, (size_t)len }, &text))
        return;
    if (text.component_version.ptr != NULL && text.component_version.len < n) {
        memcpy(version_out, text.component_version.ptr, text.component_version.len);
        version_out[text.component_version.len] = '\0';
    }
}
