/*
 * The command processor on manifests that are signed whatever they say.
 *
 * The input is how the device disturbs (one byte), then the content of the manifest. It is wrapped
 * into an envelope whose digest fits; signatures always verify here, so that the search is not
 * stopped at the door.
 *
 *   (1) The processor ends, and ends every hash that it began.
 *   (2) A dry run touches nothing.
 *   (3) Components are asked for by numbers of this run only, and never onto themselves.
 *   (4) A `#name` never reaches the network; no fetch stores more than image-size.
 *   (5) Yields change nothing: verdict, trace and contents are the same.
 *
 * #dep is an envelope of the same manifest, so that it may depend on itself: there are few digests here.
 */
#include <stdlib.h>
#include <string.h>

#include "lsuit/suit_run.h"
#include "tests/interop/suit_device.h"

#define DOC_MAX 8192
#define DEPENDENCY_MAX 4096
#define STEPS_MAX 4000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

/* --- A crypto adapter that is fast and believes everything. --- */

static int hashes_open;

static enum lsuit_err hash_start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    (void)ctx;
    if (alg != LSUIT_ALG_SHA256)
        return LSUIT_ERR_ALG;
    h->opaque[0] = 0xcbf29ce484222325;
    hashes_open++;
    return LSUIT_OK;
}

static enum lsuit_err hash_update(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part)
{
    (void)ctx;
    for (size_t i = 0; i < part.len; i++)
        h->opaque[0] = (h->opaque[0] ^ part.ptr[i]) * 0x100000001b3;
    return LSUIT_OK;
}

/* Only eight different digests, so that some match. */
static enum lsuit_err hash_finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t out_cap,
                                  size_t *len_out)
{
    (void)ctx;
    HOLDS(out_cap >= LSUIT_SHA256_LEN);
    hashes_open--;
    memset(out, (int)(h->opaque[0] >> 61), LSUIT_SHA256_LEN);
    *len_out = LSUIT_SHA256_LEN;
    return LSUIT_OK;
}

static void hash_abort(void *ctx, struct lsuit_hash *h)
{
    (void)ctx;
    (void)h;
    hashes_open--;
}

static enum lsuit_err verify(void *ctx, const struct lsuit_key *key, int32_t alg,
                             const struct lsuit_bytes *parts, size_t parts_n,
                             struct lsuit_bytes signature)
{
    (void)ctx;
    (void)key;
    (void)alg;
    (void)parts;
    (void)parts_n;
    (void)signature;
    return LSUIT_OK;
}

static const struct lsuit_crypto CRYPTO = {
    .size = sizeof(struct lsuit_crypto),
    .hash_start = hash_start,
    .hash_update = hash_update,
    .hash_finish = hash_finish,
    .hash_abort = hash_abort,
    .verify = verify,
};

/* --- The device, with its calls checked. --- */

static uint32_t components_n;
static bool dry_now;

static int fetch(void *ctx, uint32_t comp, bool first, struct lsuit_bytes uri,
                 struct lsuit_bytes integrated, uint64_t max_size, struct lsuit_digest digest,
                 struct lsuit_bytes fetch_args)
{
    HOLDS(!dry_now && comp < components_n);
    HOLDS(integrated.ptr != NULL || uri.len == 0 || uri.ptr[0] != '#');
    HOLDS(integrated.ptr == NULL || integrated.len <= max_size);
    return SUIT_DEVICE_PLATFORM.fetch(ctx, comp, first, uri, integrated, max_size, digest,
                                      fetch_args);
}

static int copy(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size)
{
    HOLDS(!dry_now && comp < components_n && source < components_n && source != comp);
    return SUIT_DEVICE_PLATFORM.copy(ctx, comp, first, source, max_size);
}

static int swap(void *ctx, uint32_t comp, bool first, uint32_t source)
{
    HOLDS(!dry_now && comp < components_n && source < components_n && source != comp);
    return SUIT_DEVICE_PLATFORM.swap(ctx, comp, first, source);
}

static int write(void *ctx, uint32_t comp, bool first, struct lsuit_bytes content)
{
    HOLDS(!dry_now && comp < components_n && content.ptr != NULL);
    return SUIT_DEVICE_PLATFORM.write(ctx, comp, first, content);
}

static int invoke(void *ctx, uint32_t comp, struct lsuit_bytes args)
{
    HOLDS(!dry_now && comp < components_n);
    return SUIT_DEVICE_PLATFORM.invoke(ctx, comp, args);
}

static int component_read(void *ctx, uint32_t comp, uint64_t offset, uint8_t *buf, size_t n,
                          size_t *got_out)
{
    HOLDS(comp < components_n && n > 0 && n <= DEPENDENCY_MAX);
    return SUIT_DEVICE_PLATFORM.component_read(ctx, comp, offset, buf, n, got_out);
}

static struct lsuit_platform platform(void)
{
    struct lsuit_platform p = SUIT_DEVICE_PLATFORM;

    p.fetch = fetch;
    p.copy = copy;
    p.swap = swap;
    p.write = write;
    p.invoke = invoke;
    p.component_read = component_read;
    return p;
}

#define TEXT_BYTES(s) ((struct lsuit_bytes){ (const uint8_t *)(s), strlen(s) })

static const uint8_t POINT[LSUIT_P256_POINT_LEN] = { 4 };
static const struct lsuit_key KEY = { LSUIT_KEY_P256, { POINT, sizeof POINT }, { NULL, 0 } };
static const struct lsuit_trust_keys TRUST = { &KEY, 1, 1 };

static void device_init(struct suit_device *d, uint8_t how)
{
    memset(d, 0, sizeof *d);
    d->willing = (how & 1) != 0; /* any identity is ours */
    d->fail_at = how >> 5;
    d->payload[0].uri = TEXT_BYTES("http://example.com/file1.bin");
    d->payload[0].body = TEXT_BYTES("some bytes of an image that the network has");
    d->payload[1].uri = TEXT_BYTES("http://updates.widgets.example/fw/app.bin");
    d->payload[1].body = d->payload[0].body;
    d->payloads_n = 2;
    d->keys = &TRUST;
    d->now = 1000;
    d->battery_mwh = 500;
    d->authorized = (how & 1) != 0;
}

/* --- An envelope around a manifest. --- */

static struct lsuit_bytes wrap(struct lsuit_bytes manifest, struct lsuit_bytes dependency,
                               uint8_t *buf, size_t cap)
{
    static const uint8_t SIGNATURE[LSUIT_ES256_LEN] = { 1 };
    static uint8_t cose_buf[256], name_buf[DOC_MAX];
    struct lsuit_cbor_writer names = lsuit_cbor_writer_init(name_buf, sizeof name_buf);
    struct lsuit_bytes none = { NULL, 0 };
    struct lsuit_bytes cose, doc = none;
    struct lsuit_envelope_parts parts = { .manifest = manifest };

    HOLDS(lsuit_cose_sign1_write(LSUIT_ALG_ESP256, none, none,
                                 (struct lsuit_bytes){ SIGNATURE, sizeof SIGNATURE }, cose_buf,
                                 sizeof cose_buf, &cose) == LSUIT_OK);
    lsuit_put_text(&names, "#a");
    lsuit_put_bstr(&names, TEXT_BYTES("integrated"));
    if (dependency.ptr != NULL) {
        lsuit_put_text(&names, "#dep");
        lsuit_put_bstr(&names, dependency);
    }
    parts.cose = &cose;
    parts.cose_n = 1;
    HOLDS(lsuit_put_finish(&names, &parts.integrated) == LSUIT_OK);
    parts.integrated_n = dependency.ptr != NULL ? 2 : 1;
    return lsuit_envelope_write(&parts, &CRYPTO, buf, cap, &doc) == LSUIT_OK ? doc : none;
}

/* --- Runs. --- */

static enum lsuit_err to_end(struct lsuit_run *run)
{
    enum lsuit_run_state s = LSUIT_RUN_AGAIN;

    for (uint32_t steps = 0; s == LSUIT_RUN_AGAIN; steps++) {
        HOLDS(steps < STEPS_MAX);
        s = lsuit_run_step(run);
    }
    HOLDS(hashes_open == 0);
    HOLDS((s == LSUIT_RUN_DONE) == (run->fault.err == LSUIT_OK));
    return run->fault.err;
}

static enum lsuit_err run_once(const struct lsuit_manifest *m, struct suit_device *d)
{
    struct lsuit_platform p = platform();
    static uint8_t memory[LSUIT_MAX_MANIFESTS - 1][DEPENDENCY_MAX];
    struct lsuit_dependency dependency[LSUIT_MAX_MANIFESTS - 1];
    uint8_t buf[64];
    struct lsuit_run run;
    enum lsuit_err e = lsuit_run_init(&run, m, &p, d, &CRYPTO, buf, sizeof buf);

    if (e != LSUIT_OK)
        return e;
    for (size_t i = 0; i < LSUIT_MAX_MANIFESTS - 1; i++)
        dependency[i] = (struct lsuit_dependency){ .buf = memory[i], .buf_len = DEPENDENCY_MAX };
    lsuit_run_dependencies(&run, dependency, LSUIT_MAX_MANIFESTS - 1);
    dry_now = true;
    lsuit_run_start(&run, LSUIT_PROCEDURE_UPDATE, true);
    (void)to_end(&run);
    HOLDS(!d->touched);
    dry_now = false;
    suit_device_calm(d);
    lsuit_run_start(&run, LSUIT_PROCEDURE_UPDATE, false);
    e = to_end(&run);
    if (e != LSUIT_OK)
        return e;
    lsuit_run_start(&run, LSUIT_PROCEDURE_INVOKE, false);
    return to_end(&run);
}

static void same_contents(const struct suit_device *a, const struct suit_device *b)
{
    HOLDS(a->comp_n == b->comp_n && a->invoked_n == b->invoked_n);
    for (size_t i = 0; i < a->comp_n; i++) {
        HOLDS(a->comp[i].present == b->comp[i].present && a->comp[i].len == b->comp[i].len);
        HOLDS(a->comp[i].len == 0 || !memcmp(a->comp[i].bytes, b->comp[i].bytes, a->comp[i].len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[2 * DOC_MAX], inner[DOC_MAX];
    static struct suit_device calm, yielding;
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
    struct lsuit_bytes content = { data + 1, size - 1 };
    struct lsuit_bytes doc = { NULL, 0 };
    enum lsuit_err e;

    if (size < 2 || size > DOC_MAX - 512)
        return 0;
    doc = wrap(content, doc, inner, sizeof inner);
    doc = wrap(content, doc, buf, sizeof buf);
    HOLDS(doc.ptr != NULL);
    HOLDS(lsuit_envelope_read(doc, &envelope, NULL) == LSUIT_OK);
    HOLDS(lsuit_envelope_verify(&envelope, &CRYPTO, &TRUST, NULL, NULL) == LSUIT_OK);
    e = lsuit_manifest_read(&envelope, &CRYPTO, &manifest, NULL);
    HOLDS(hashes_open == 0);
    if (e != LSUIT_OK)
        return 0;
    components_n = LSUIT_MAX_COMPONENTS; /* those of dependencies included */

    device_init(&calm, data[0]);
    e = run_once(&manifest, &calm);
    if (calm.fail_at == 0) {
        device_init(&yielding, data[0]);
        yielding.again = data[0] >> 1 & 3;
        yielding.piece = 1 + (data[0] >> 3 & 3);
        HOLDS(run_once(&manifest, &yielding) == e);
        HOLDS(strcmp(calm.trace, yielding.trace) == 0);
        same_contents(&calm, &yielding);
        suit_device_fini(&yielding);
    }
    suit_device_fini(&calm);
    return 0;
}
