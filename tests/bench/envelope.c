/*
 * What a device's processor does for an envelope, without hashing and signatures: read,
 * authenticate, check, and run dry the update of a manifest with one image.
 *
 *     envelope FILE    prints the bytes hashed; `measured` is what tests/bench/envelope.sh counts
 *
 * A first pass with the real crypto library notes each digest; in the second, which is measured,
 * they are handed out in the same order.
 */
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

#include "lsuit/suit_run.h"

enum { DIGESTS = 16 };

/* --- crypto that remembers, or stands in --- */

static struct {
    uint8_t digest[DIGESTS][LSUIT_DIGEST_MAX];
    size_t len[DIGESTS];
    unsigned n, at;
    size_t hashed; /* bytes */
    bool stub;
} memory;

static enum lsuit_err hash_start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    return memory.stub ? LSUIT_OK : lsuit_crypto_psa.hash_start(ctx, h, alg);
}

static enum lsuit_err hash_update(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part)
{
    memory.hashed += part.len;
    return memory.stub ? LSUIT_OK : lsuit_crypto_psa.hash_update(ctx, h, part);
}

static enum lsuit_err hash_finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t cap,
                                  size_t *n_out)
{
    unsigned i = memory.stub ? memory.at++ : memory.n;
    enum lsuit_err e = LSUIT_OK;

    if (i >= DIGESTS || cap < memory.len[i])
        return LSUIT_ERR_LIMIT;
    if (memory.stub) {
        memcpy(out, memory.digest[i], memory.len[i]);
        *n_out = memory.len[i];
        return LSUIT_OK;
    }
    e = lsuit_crypto_psa.hash_finish(ctx, h, out, cap, n_out);
    if (e == LSUIT_OK) {
        memcpy(memory.digest[i], out, *n_out);
        memory.len[i] = *n_out;
        memory.n++;
    }
    return e;
}

static void hash_abort(void *ctx, struct lsuit_hash *h)
{
    if (!memory.stub)
        lsuit_crypto_psa.hash_abort(ctx, h);
}

static enum lsuit_err verify(void *ctx, const struct lsuit_key *key, int32_t alg,
                             const struct lsuit_bytes *parts, size_t parts_n,
                             struct lsuit_bytes signature)
{
    (void)ctx, (void)key, (void)alg, (void)parts, (void)parts_n, (void)signature;
    return LSUIT_OK;
}

/* --- a device that any manifest suits, with nothing in its components --- */

static enum lsuit_err component_find(void *ctx, uint32_t comp, struct lsuit_bytes id)
{
    (void)ctx, (void)comp, (void)id;
    return LSUIT_OK;
}

static bool is_ours(void *ctx, struct lsuit_bytes id)
{
    (void)ctx;
    return id.len == 16;
}

static bool slot_is(void *ctx, uint32_t comp, uint64_t slot)
{
    (void)ctx, (void)comp;
    return slot == 0;
}

static bool component_size(void *ctx, uint32_t comp, uint64_t *size_out)
{
    (void)ctx, (void)comp, (void)size_out;
    return false;
}

static int component_read(void *ctx, uint32_t comp, uint64_t offset, uint8_t *buf, size_t n,
                          size_t *got_out)
{
    (void)ctx, (void)comp, (void)offset, (void)buf, (void)n, (void)got_out;
    return LSUIT_OP_FAIL;
}

static int fetch(void *ctx, uint32_t comp, bool first, struct lsuit_bytes uri,
                 struct lsuit_bytes integrated, uint64_t max_size, struct lsuit_digest digest,
                 struct lsuit_bytes fetch_args)
{
    (void)ctx, (void)comp, (void)first, (void)uri, (void)integrated;
    (void)max_size, (void)digest, (void)fetch_args;
    return LSUIT_OP_FAIL; /* a dry run must not come here */
}

static const struct lsuit_platform PLATFORM = { .size = sizeof PLATFORM,
                                                .component_find = component_find,
                                                .vendor_is = is_ours,
                                                .class_is = is_ours,
                                                .slot_is = slot_is,
                                                .component_size = component_size,
                                                .component_read = component_read,
                                                .fetch = fetch };

/* --- the work --- */

static enum lsuit_err process(struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                              struct lsuit_dry *dry_out)
{
    static const uint8_t POINT[LSUIT_P256_POINT_LEN] = { 4 };
    const struct lsuit_key key = { .type = LSUIT_KEY_P256, .material = { POINT, sizeof POINT } };
    const struct lsuit_trust_keys trust = { &key, 1, 1 };
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
    struct lsuit_run run;
    uint8_t buf[128];
    enum lsuit_err e = lsuit_envelope_read(doc, &envelope, NULL);

    if (e == LSUIT_OK)
        e = lsuit_envelope_verify(&envelope, crypto, &trust, NULL, NULL);
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(&envelope, crypto, &manifest, NULL);
    if (e == LSUIT_OK) /* checks every command */
        e = lsuit_run_init(&run, &manifest, &PLATFORM, NULL, crypto, buf, sizeof buf);
    if (e != LSUIT_OK)
        return e;
    lsuit_run_start(&run, LSUIT_PROCEDURE_UPDATE, true);
    e = lsuit_run_to_end(&run);
    *dry_out = run.dry_result;
    return e;
}

/* The second pass has a name of its own, by which the instructions are counted. */
enum lsuit_err measured(struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                        struct lsuit_dry *dry_out);

__attribute__((noinline)) enum lsuit_err
measured(struct lsuit_bytes doc, const struct lsuit_crypto *crypto, struct lsuit_dry *dry_out)
{
    return process(doc, crypto, dry_out);
}

int main(int argc, char **argv)
{
    static uint8_t bytes[65536];
    struct lsuit_crypto crypto = lsuit_crypto_psa;
    struct lsuit_dry dry = { 0 };
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    size_t n = f != NULL ? fread(bytes, 1, sizeof bytes, f) : 0;
    enum lsuit_err e;

    crypto.hash_start = hash_start;
    crypto.hash_update = hash_update;
    crypto.hash_finish = hash_finish;
    crypto.hash_abort = hash_abort;
    crypto.verify = verify;
    if (n == 0 || psa_crypto_init() != PSA_SUCCESS)
        return 2;
    fclose(f);
    e = process((struct lsuit_bytes){ bytes, n }, &crypto, &dry);
    memory.stub = true;
    memory.hashed = 0;
    if (e == LSUIT_OK)
        e = measured((struct lsuit_bytes){ bytes, n }, &crypto, &dry);
    if (e != LSUIT_OK || dry.fetches != 1) {
        fprintf(stderr, "envelope: %s, %u fetches\n", lsuit_err_name(e), dry.fetches);
        return 1;
    }
    printf("%zu\n", memory.hashed);
    return 0;
}
