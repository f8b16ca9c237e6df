#include "envelope.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "pem.h"

static const struct lsuit_crypto *const CRYPTO = &lsuit_crypto_psa;

int envelope_open(struct lsuit_bytes doc, struct lsuit_envelope *env_out)
{
    struct lsuit_fault fault = { .component = -1 };
    enum lsuit_err e = lsuit_envelope_read(doc, env_out, &fault);

    if (e == LSUIT_OK)
        e = lsuit_envelope_trust_nobody(env_out, CRYPTO, &fault);
    return e == LSUIT_OK ? CLI_OK : cli_fault("envelope", e, &fault);
}

int envelope_examined(struct lsuit_bytes doc, const char *what, uint32_t policy,
                      struct lsuit_envelope *env_out, struct lsuit_manifest *m_out)
{
    struct lsuit_fault fault = { .component = -1 };
    enum lsuit_err e;

    if (envelope_open(doc, env_out) != CLI_OK)
        return CLI_FAILED;
    e = lsuit_manifest_read(env_out, CRYPTO, m_out, &fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_check(m_out, policy, &fault);
    return e == LSUIT_OK ? CLI_OK : cli_fault(what, e, &fault);
}

int envelope_accept(struct lsuit_bytes doc, const char *what)
{
    struct lsuit_envelope env;
    struct lsuit_manifest m;

    return envelope_examined(doc, what, LSUIT_CHECK_IDENTITY, &env, &m);
}

int envelope_keys_read(const struct opt_list *files, struct envelope_keys *keys_out)
{
    if (files->n > ENVELOPE_KEYS_MAX)
        return cli_usage("--key: at most %d", ENVELOPE_KEYS_MAX);
    for (size_t i = 0; i < files->n; i++) {
        if (pem_public(files->item[i], keys_out->point[i]) != CLI_OK ||
            pem_key_id(keys_out->point[i], keys_out->id[i]) != CLI_OK)
            return CLI_FAILED;
        keys_out->key[i] = (struct lsuit_key){ LSUIT_KEY_P256,
                                               { keys_out->point[i], LSUIT_P256_POINT_LEN },
                                               { keys_out->id[i], 8 } };
    }
    keys_out->n = files->n;
    return CLI_OK;
}

int envelope_verified(struct lsuit_bytes doc, const struct envelope_keys *keys, uint32_t threshold,
                      uint32_t policy, struct lsuit_envelope *env_out, struct lsuit_manifest *m_out,
                      struct lsuit_auth *auth_out)
{
    struct lsuit_trust_keys trust = { keys->key, keys->n, threshold };
    struct lsuit_fault fault = { .component = -1 };
    enum lsuit_err e = lsuit_envelope_read(doc, env_out, &fault);

    if (e == LSUIT_OK)
        e = lsuit_envelope_verify(env_out, CRYPTO, &trust, auth_out, &fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(env_out, CRYPTO, m_out, &fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_check(m_out, policy, &fault);
    return e == LSUIT_OK ? CLI_OK : cli_fault("envelope", e, &fault);
}

/*
 * The verdict as lines, or as one JSON object.
 *
 *   files  where the keys came from; NULL: from no files
 */
static void print_verified(const struct lsuit_manifest *m, const struct envelope_keys *keys,
                           const struct lsuit_auth *auth, const struct opt_list *files, bool json)
{
    char id[2 * LSUIT_SHA256_LEN + 1], digest[2 * LSUIT_DIGEST_MAX + 1], sequence[24];
    json_t *list = json_array(), *o = json_object();

    for (size_t i = 0; i < keys->n; i++) {
        if ((auth->signers >> i & 1) == 0)
            continue;
        hex_put(keys->id[i], LSUIT_SHA256_LEN, id);
        json_array_append_new(list, json_string(id));
        if (!json && files != NULL)
            printf("signed by   %s (%s)\n", id, files->item[i]);
        else if (!json)
            printf("signed by   %s\n", id);
    }
    hex_put(m->digest.bytes.ptr, m->digest.bytes.len, digest);
    snprintf(sequence, sizeof sequence, "%" PRIu64, m->sequence);
    json_object_set_new(o, "signers", list);
    json_object_set_new(o, "digest", json_string(digest));
    json_object_set_new(o, "sequence", json_string(sequence));
    if (json)
        print_json(o);
    else
        printf("digest      %s\nsequence    %s\naccepted\n", digest, sequence);
    json_decref(o);
}

int envelope_verify(struct lsuit_bytes doc, const struct opt_list *key_files, uint32_t threshold,
                    uint32_t policy, bool json)
{
    static struct envelope_keys keys;
    struct lsuit_auth auth = { 0 };
    struct lsuit_envelope env;
    struct lsuit_manifest m;
    int e = envelope_keys_read(key_files, &keys);

    if (e == CLI_OK)
        e = envelope_verified(doc, &keys, threshold, policy, &env, &m, &auth);
    if (e == CLI_OK)
        print_verified(&m, &keys, &auth, key_files, json);
    return e;
}

int envelope_verify_trust(struct lsuit_bytes doc, const struct lsuit_trust *set, uint32_t policy,
                          bool json)
{
    static struct envelope_keys keys;
    struct lsuit_auth auth = { 0 };
    struct lsuit_fault fault = { .component = -1 };
    struct lsuit_envelope env;
    struct lsuit_manifest m;
    struct lsuit_facts facts = { 0 };
    struct lsuit_role role;
    enum lsuit_err e;

    if (envelope_open(doc, &env) != CLI_OK)
        return CLI_FAILED;
    e = lsuit_manifest_read(&env, CRYPTO, &m, &fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_facts(&m, &facts, &fault);
    if (e == LSUIT_OK)
        e = lsuit_trust_verify_envelope(set, facts.vendor_id, facts.class_id[0], &env, CRYPTO,
                                        &role, &auth, &fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_check(&m, policy, &fault);
    if (e != LSUIT_OK)
        return cli_fault("envelope", e, &fault);
    for (size_t i = 0; i < role.keys_n; i++)
        if (pem_key_id(role.keys[i].material.ptr, keys.id[i]) != CLI_OK)
            return CLI_FAILED;
    keys.n = role.keys_n;
    print_verified(&m, &keys, &auth, NULL, json);
    return CLI_OK;
}

/* The COSE blocks that the wrapper holds already, without the digest before them. */
static int old_blocks(const struct lsuit_envelope *env, struct lsuit_bytes *blocks, size_t max,
                      size_t *n_out)
{
    struct lsuit_cbor c = lsuit_cbor_open(env->auth);
    size_t n = 0;

    lsuit_cbor_array(&c);
    if (lsuit_cbor_next(&c))
        lsuit_cbor_bstr(&c); /* SUIT_Digest */
    while (lsuit_cbor_next(&c)) {
        struct lsuit_bytes b = lsuit_cbor_bstr(&c);

        if (n == max)
            return cli_fail("envelope: at most %zu signatures", max);
        blocks[n++] = b;
    }
    *n_out = n;
    return lsuit_cbor_finish(&c) == LSUIT_OK ? CLI_OK
                                             : cli_fail("envelope: malformed authentication");
}

bool envelope_is_signed(const struct lsuit_envelope *env)
{
    struct lsuit_bytes blocks[LSUIT_MAX_AUTH];
    size_t n = 0;

    return old_blocks(env, blocks, LSUIT_MAX_AUTH, &n) == CLI_OK && n > 0;
}

/* Severed members and integrated payloads as they stand: encoded pairs. */
static void keep_severed(const struct lsuit_envelope *env, bool text, struct lsuit_cbor_writer *w,
                         uint32_t *n_out)
{
    const struct {
        int64_t key;
        struct lsuit_bytes bstr;
    } all[] = {
        { LSUIT_SECTION_COSWID, env->coswid },
        { LSUIT_SECTION_DEPENDENCY_RESOLUTION, env->dependency_resolution },
        { LSUIT_SECTION_PAYLOAD_FETCH, env->payload_fetch },
        { LSUIT_SECTION_CANDIDATE_VERIFICATION, env->candidate_verification },
        { LSUIT_SECTION_INSTALL, env->install },
        { LSUIT_SECTION_TEXT, env->text },
    };

    *n_out = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].bstr.ptr == NULL || (all[i].key == LSUIT_SECTION_TEXT && !text))
            continue;
        lsuit_put_int(w, all[i].key);
        lsuit_put_item(w, all[i].bstr);
        (*n_out)++;
    }
}

/* The same manifest, with these blocks and with or without its text. */
static int write_again(const struct lsuit_envelope *env, bool text,
                       const struct lsuit_bytes *blocks, size_t blocks_n, uint8_t *buf, size_t cap,
                       struct lsuit_bytes *doc_out)
{
    static uint8_t pairs[1 << 20];
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(pairs, sizeof pairs);
    struct lsuit_envelope_parts parts = { 0 };

    keep_severed(env, text, &w, &parts.severed_n);
    if (lsuit_put_finish(&w, &parts.severed) != LSUIT_OK)
        return cli_fail("envelope: severed sections are too long");
    parts.manifest = env->manifest;
    parts.cose = blocks;
    parts.cose_n = blocks_n;
    parts.integrated = env->integrated;
    parts.integrated_n = env->integrated_n;
    return lsuit_envelope_write(&parts, CRYPTO, buf, cap, doc_out) == LSUIT_OK
               ? CLI_OK
               : cli_fail("envelope: can't be written again");
}

int envelope_add_signature(const struct lsuit_envelope *env, int32_t alg,
                           const uint8_t point[LSUIT_P256_POINT_LEN],
                           const uint8_t sig[LSUIT_ES256_LEN], uint8_t *buf, size_t cap,
                           struct lsuit_bytes *doc_out)
{
    uint8_t id[LSUIT_SHA256_LEN], block[256];
    struct lsuit_bytes blocks[LSUIT_MAX_AUTH];
    struct lsuit_bytes none = { NULL, 0 };
    struct lsuit_key key = { LSUIT_KEY_P256, { point, LSUIT_P256_POINT_LEN }, none };
    struct lsuit_cose cose;
    size_t n = 0, index = 0;

    if (pem_key_id(point, id) != CLI_OK ||
        old_blocks(env, blocks, LSUIT_MAX_AUTH - 1, &n) != CLI_OK)
        return CLI_FAILED;
    if (lsuit_cose_sign1_write(alg, (struct lsuit_bytes){ id, 8 }, none,
                               (struct lsuit_bytes){ sig, LSUIT_ES256_LEN }, block, sizeof block,
                               &blocks[n]) != LSUIT_OK ||
        lsuit_cose_read(blocks[n], &cose) != LSUIT_OK ||
        lsuit_cose_verify(&cose, CRYPTO, &key, 1, (struct lsuit_bytes){ id, 0 }, env->digest_bytes,
                          &index) != LSUIT_OK)
        return cli_fail("signature: does not verify with this key");
    for (size_t i = 0; i < n; i++)
        if (lsuit_cose_read(blocks[i], &cose) == LSUIT_OK &&
            lsuit_cose_verify(&cose, CRYPTO, &key, 1, (struct lsuit_bytes){ id, 0 },
                              env->digest_bytes, &index) == LSUIT_OK)
            return cli_fail("envelope: this key has signed it already");
    return write_again(env, true, blocks, n + 1, buf, cap, doc_out);
}

int envelope_sever(struct lsuit_bytes doc, uint8_t *buf, size_t cap, struct lsuit_bytes *doc_out)
{
    struct lsuit_bytes blocks[LSUIT_MAX_AUTH];
    struct lsuit_envelope env;
    size_t n = 0;
    int e = envelope_accept(doc, "envelope");

    if (e == CLI_OK)
        e = envelope_open(doc, &env);
    if (e == CLI_OK && env.text.ptr == NULL)
        e = cli_fail("envelope: there is no severable text in it");
    if (e == CLI_OK)
        e = old_blocks(&env, blocks, LSUIT_MAX_AUTH, &n);
    return e == CLI_OK ? write_again(&env, false, blocks, n, buf, cap, doc_out) : e;
}

int file_measure(const char *path, uint8_t digest_out[LSUIT_SHA256_LEN], uint64_t *size_out)
{
    static uint8_t buf[65536];
    struct lsuit_hash h;
    FILE *f = fopen(path, "rb");
    struct stat st;
    size_t n, len = 0;
    int e = CLI_OK;

    if (f == NULL)
        return cli_fail("%s: %s", path, strerror(errno));
    *size_out = 0;
    if (fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode))
        e = cli_fail("%s: is no plain file", path);
    if (e != CLI_OK || CRYPTO->hash_start(CRYPTO->ctx, &h, LSUIT_ALG_SHA256) != LSUIT_OK) {
        fclose(f);
        return e != CLI_OK ? e : cli_fail("SHA-256 is not available");
    }
    while (e == CLI_OK && (n = fread(buf, 1, sizeof buf, f)) > 0) {
        *size_out += n;
        if (*size_out > INT64_MAX)
            e = cli_fail("%s: larger than 2^63-1 bytes", path);
        else if (CRYPTO->hash_update(CRYPTO->ctx, &h, (struct lsuit_bytes){ buf, n }) != LSUIT_OK)
            e = cli_fail("%s: hashing failed", path);
    }
    if (e == CLI_OK && ferror(f))
        e = cli_fail("%s: %s", path, strerror(errno));
    if (CRYPTO->hash_finish(CRYPTO->ctx, &h, digest_out, LSUIT_SHA256_LEN, &len) != LSUIT_OK &&
        e == CLI_OK)
        e = cli_fail("%s: hashing failed", path);
    fclose(f);
    return e;
}

static bool is_digest(const struct lsuit_digest *d, const uint8_t *sha256)
{
    return d->bytes.len == LSUIT_SHA256_LEN && memcmp(d->bytes.ptr, sha256, LSUIT_SHA256_LEN) == 0;
}

/* Whether its own commands fetch it. */
static int fetches(struct lsuit_bytes doc, const uint8_t *sha256, uint64_t size,
                   struct lsuit_envelope *env_out, bool *found_out)
{
    struct lsuit_fault fault = { .component = -1 };
    struct lsuit_manifest m;
    struct lsuit_facts facts;
    enum lsuit_err le;
    int e = envelope_open(doc, env_out);

    if (e != CLI_OK)
        return e;
    le = lsuit_manifest_read(env_out, CRYPTO, &m, &fault);
    if (le == LSUIT_OK)
        le = lsuit_manifest_facts(&m, &facts, &fault);
    if (le != LSUIT_OK)
        return cli_fault("envelope", le, &fault);
    for (uint32_t i = 0; i < facts.fetch_n; i++)
        *found_out = *found_out ||
                     (is_digest(&facts.fetch[i].digest, sha256) && facts.fetch[i].size == size);
    return CLI_OK;
}

int envelope_names(struct lsuit_bytes doc, const uint8_t sha256[LSUIT_SHA256_LEN], uint64_t size,
                   bool *found_out)
{
    struct lsuit_envelope env, inner;
    struct lsuit_bytes name, payload;
    int e;

    *found_out = false;
    e = fetches(doc, sha256, size, &env, found_out);
    for (uint32_t i = 0; e == CLI_OK && lsuit_envelope_payload_at(&env, i, &name, &payload); i++)
        if (payload.len > 2 && payload.ptr[0] == 0xd8 && payload.ptr[1] == LSUIT_TAG_ENVELOPE)
            e = fetches(payload, sha256, size, &inner, found_out);
    return e;
}

int envelope_installs(struct lsuit_bytes doc, const char *payload)
{
    uint8_t sha256[LSUIT_SHA256_LEN];
    uint64_t size = 0;
    bool found = false;
    int e = file_measure(payload, sha256, &size);

    if (e == CLI_OK)
        e = envelope_names(doc, sha256, size, &found);
    if (e == CLI_OK && !found)
        e = cli_fail("%s: the manifest installs nothing with its digest and size", payload);
    return e;
}

/* One INTEGER of an ECDSA-Sig-Value into 32 bytes, right-aligned. */
static bool der_integer(const uint8_t **p, const uint8_t *end, uint8_t *out)
{
    size_t len;

    if (end - *p < 3 || (*p)[0] != 0x02)
        return false;
    len = (*p)[1];
    *p += 2;
    if (len == 0 || len > 33 || (size_t)(end - *p) < len || ((*p)[0] & 0x80) != 0)
        return false;
    if (len == 33 && (*p)[0] != 0)
        return false;
    if (len == 33) {
        (*p)++;
        len--;
    }
    memset(out, 0, 32);
    memcpy(out + 32 - len, *p, len);
    *p += len;
    return true;
}

bool envelope_signature_from_der(const uint8_t *der, size_t n, uint8_t sig_out[LSUIT_ES256_LEN])
{
    const uint8_t *p = der + 2, *end = der + n;

    if (n < 8 || n > 72 || der[0] != 0x30 || der[1] != n - 2)
        return false;
    return der_integer(&p, end, sig_out) && der_integer(&p, end, sig_out + 32) && p == end;
}
