/*
 * What this build processes (draft-ietf-suit-report-18, SUIT_Capability_Report).
 */
#include "lsuit/suit_report.h"

#include "command.h"
#include "element.h"

#if LSUIT_WITH_REPORT

/* SUIT_Capability_Report Elements. */
enum {
    COMPONENTS = 1,
    COMMANDS = 2,
    PARAMETERS = 3,
    ALGORITHMS = 4,
    ENVELOPE = 5,
    MANIFEST = 6,
    COMMON = 7,
    DEPENDENCY = 10
};

enum { CODE_MAX = 63 }; /* of commands and elements; those that there are end at 35 */

/* Different numbers, encoded as an array when they are complete. */
struct list {
    int32_t item[CODE_MAX];
    uint32_t n;
};

static void add(struct list *l, int32_t v)
{
    l->item[l->n++] = v;
}

static void put(struct lsuit_cbor_writer *w, const struct list *l)
{
    lsuit_put_array(w, l->n);
    for (uint32_t i = 0; i < l->n; i++)
        lsuit_put_int(w, l->item[i]);
}

static void add_commands(struct list *l)
{
    for (int32_t code = 1; code <= CODE_MAX; code++) {
        if (lsuit_command_find(code) != NULL)
            add(l, code);
    }
}

static void add_parameters(struct list *l)
{
    for (size_t i = 0; i < PARAM_NONE; i++)
        add(l, lsuit_parameters[i].key);
}

static void add_signatures(struct list *l, const struct lsuit_crypto *crypto)
{
    if (crypto->verify != NULL) {
        add(l, LSUIT_ALG_ESP256);
        add(l, LSUIT_ALG_ES256);
#if LSUIT_WITH_COSE_MAC0
        add(l, LSUIT_ALG_HMAC256);
#endif
    }
#if LSUIT_WITH_HSS_LMS
    add(l, LSUIT_ALG_HSS_LMS);
#endif
}

static void add_digests(struct list *l, const struct lsuit_crypto *crypto)
{
    static const int8_t DIGESTS[] = { LSUIT_ALG_SHA256, LSUIT_ALG_SHA384, LSUIT_ALG_SHA512,
                                      LSUIT_ALG_SHAKE128, LSUIT_ALG_SHAKE256 };
    struct lsuit_hash h;

    for (size_t i = 0; crypto->hash_start != NULL && i < sizeof DIGESTS; i++) {
        if (crypto->hash_start(crypto->ctx, &h, DIGESTS[i]) == LSUIT_OK)
            add(l, DIGESTS[i]);
        crypto->hash_abort(crypto->ctx, &h);
    }
}

static void add_encryption(struct list *l, const struct lsuit_crypto *crypto)
{
#if LSUIT_WITH_ENCRYPTION
    if (crypto->block_decrypt == NULL)
        return;
    add(l, LSUIT_ALG_A128KW);
    if (crypto->agree != NULL)
        add(l, LSUIT_ALG_ECDH_ES_A128KW);
    if (crypto->cipher_start != NULL)
        add(l, LSUIT_ALG_A128CTR);
    if (crypto->gcm_decrypt != NULL)
        add(l, LSUIT_ALG_A128GCM);
#else
    (void)l;
    (void)crypto;
#endif
}

enum lsuit_err lsuit_build_lists(const struct lsuit_crypto *crypto, uint8_t *buf, size_t cap,
                                 struct lsuit_build *build_out)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    struct lsuit_bytes *out[] = { &build_out->commands, &build_out->parameters,
                                  &build_out->algorithms };

    if (crypto == NULL || crypto->size != sizeof *crypto)
        return LSUIT_ERR_USAGE;
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        struct list l = { .n = 0 };
        size_t at = w.len;

        if (i == 0) {
            add_commands(&l);
        } else if (i == 1) {
            add_parameters(&l);
        } else {
            add_signatures(&l, crypto);
            add_digests(&l, crypto);
            add_encryption(&l, crypto);
        }
        put(&w, &l);
        *out[i] = (struct lsuit_bytes){ buf + at, w.len - at };
    }
    return w.err;
}

/* Elements of the manifest, or of the envelope: those that can be severed, behind 2 and 3. */
static void put_elements(struct lsuit_cbor_writer *w, bool envelope)
{
    struct list l = { .n = 0 };

    if (envelope) {
        add(&l, 2);
        add(&l, 3);
    }
    for (int32_t key = 1; key <= CODE_MAX - 2; key++) {
        bool severable = false;

        if (lsuit_element_taken(key, &severable) && (severable || !envelope))
            add(&l, key);
    }
    put(w, &l);
}

static void put_common(struct lsuit_cbor_writer *w)
{
    struct list l = { .n = 0 };

#if LSUIT_WITH_DEPENDENCIES
    add(&l, 1);
#endif
    add(&l, 2);
    add(&l, 4);
    put(w, &l);
}

enum lsuit_err lsuit_suit_capability_write(const struct lsuit_build *build,
                                           struct lsuit_bytes components, uint8_t *buf, size_t cap,
                                           struct lsuit_bytes *doc_out)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);

    lsuit_put_map(&w, 7 + LSUIT_WITH_DEPENDENCIES);
    lsuit_put_uint(&w, COMPONENTS);
    lsuit_put_item(&w, components);
    lsuit_put_uint(&w, COMMANDS);
    lsuit_put_item(&w, build->commands);
    lsuit_put_uint(&w, PARAMETERS);
    lsuit_put_item(&w, build->parameters);
    lsuit_put_uint(&w, ALGORITHMS);
    lsuit_put_item(&w, build->algorithms);
    lsuit_put_uint(&w, ENVELOPE);
    put_elements(&w, true);
    lsuit_put_uint(&w, MANIFEST);
    put_elements(&w, false);
    lsuit_put_uint(&w, COMMON);
    put_common(&w);
#if LSUIT_WITH_DEPENDENCIES
    lsuit_put_uint(&w, DEPENDENCY);
    lsuit_put_array(&w, 1);
    lsuit_put_uint(&w, 1);
#endif
    return lsuit_put_finish(&w, doc_out);
}

#endif
