/*
 * Manifests by a hostile signer: the map, every sequence, the facts and the text.
 */
#include <stdlib.h>

#include "lsuit/suit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
    if (!held)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct lsuit_crypto NOTHING = { .size = sizeof NOTHING };
    static const uint8_t GERMAN[] = { 'd', 'e' };
    struct lsuit_envelope e = { .examined = true };
    struct lsuit_fault fault = { 0 };
    struct lsuit_manifest m;
    struct lsuit_facts facts;
    struct lsuit_text text;
    enum lsuit_err err;

    e.whole = e.manifest = (struct lsuit_bytes){ data, size };
    (void)lsuit_text_read(e.whole, (struct lsuit_bytes){ GERMAN, 2 }, &text, &fault);
    err = lsuit_manifest_read(&e, &NOTHING, &m, &fault);
    if (err != LSUIT_OK) {
        require(fault.err == err && fault.why != NULL && fault.offset <= size);
        return 0;
    }
    require(m.components_n >= 1 && m.components_n <= LSUIT_MAX_COMPONENTS);
    (void)lsuit_manifest_text(&m, (struct lsuit_bytes){ GERMAN, 2 }, &text, &fault);
    err = lsuit_manifest_check(&m, 0, &fault);
    if (err != LSUIT_OK)
        require(fault.err == err && fault.why != NULL && fault.offset <= size);
    if (lsuit_manifest_check(&m, ~0u, &fault) == LSUIT_OK)
        require(err == LSUIT_OK);

    /* What the check accepts has facts, unless there are too many of them. */
    err = lsuit_manifest_facts(&m, &facts, &fault) == LSUIT_ERR_LIMIT ? LSUIT_OK : err;
    if (err == LSUIT_OK)
        require(fault.err == LSUIT_ERR_LIMIT ||
                lsuit_manifest_facts(&m, &facts, &fault) == LSUIT_OK);
    return 0;
}
