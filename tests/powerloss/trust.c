/*
 * A device catches up on three trust sets, a new root among them, and installs a release by the
 * newest key, with the power cut at every operation on flash, journal and boot loader: before it,
 * in the middle, after it. After each cut the set in force is the one before or the one after, it
 * never falls, and the device gets to the end by itself.
 *
 * Signatures are real; each is computed once.
 */
#include "check.h"
#include "core/core.h"
#include "device.h"
#include "trust_set.h"

enum { ROOT, ROOT2, RELEASE, RELEASE2, SIGNERS };
enum { CHAIN = 4 };
static struct signer signers[SIGNERS];
static struct release v1, v2;
static struct set_doc chain_doc[CHAIN];
static struct lsuit_bytes chain[CHAIN];
static struct device d;
static struct lsuit_crypto crypto;
static uint32_t version; /* in force when last seen */
static int fell, forged;

/* --- each verdict on a signature once --- */

static struct verdict {
    uint8_t of[32];
    enum lsuit_err e;
    bool known;
} verdicts[256];

static enum lsuit_err verify_once(void *ctx, const struct lsuit_key *k, int32_t alg,
                                  const struct lsuit_bytes *parts, size_t parts_n,
                                  struct lsuit_bytes signature)
{
    const struct lsuit_crypto *psa = &lsuit_crypto_psa;
    struct lsuit_hash h;
    struct verdict *v;
    uint8_t of[32];
    size_t n = 0;

    if (psa->hash_start(psa->ctx, &h, LSUIT_ALG_SHA256) != LSUIT_OK)
        return LSUIT_ERR_ALG;
    (void)psa->hash_update(psa->ctx, &h, k->material);
    (void)psa->hash_update(psa->ctx, &h, signature);
    for (size_t i = 0; i < parts_n; i++)
        (void)psa->hash_update(psa->ctx, &h, parts[i]);
    if (psa->hash_finish(psa->ctx, &h, of, sizeof of, &n) != LSUIT_OK)
        return LSUIT_ERR_ALG;
    v = &verdicts[of[0]];
    if (!v->known || memcmp(v->of, of, sizeof of) != 0) {
        memcpy(v->of, of, sizeof of);
        v->e = psa->verify(ctx, k, alg, parts, parts_n, signature);
        v->known = true;
    }
    return v->e;
}

/* --- the story --- */

static bool settled(struct device *x)
{
    if (x->init == LAPEL_OK) {
        uint32_t now = x->lapel.trust.version;

        fell += now < version;
        version = now;
        /* Whatever is in force is one of the chain's, byte by byte. */
        forged += now < 1 || now > CHAIN || x->lapel.trust.payload.len > chain[now - 1].len ||
                  memmem(chain[now - 1].ptr, chain[now - 1].len, x->lapel.trust.payload.ptr,
                         x->lapel.trust.payload.len) == NULL;
        if (lapel_trust_behind(&x->lapel))
            fell++;
    }
    return x->lapel.trust.version == CHAIN && device_state(x) == LAPEL_READY &&
           x->lapel.rec.accepted.sequence == v2.sequence && x->running == 1 && !x->on_trial;
}

struct story {
    const char *name;
    uint32_t word;
    uint8_t erased;
};

static void start(const struct story *s)
{
    version = 0;
    fell = forged = 0;
    device_init(&d, &signers[RELEASE], &v1, s->word, s->erased);
    d.image[d.images++] = &v2;
    d.server.release = &v2;
    d.server.trust = chain;
    d.server.trust_n = CHAIN;
    d.config.trust = chain[0];
    d.config.release_keys = NULL;
    d.config.release_keys_n = 0;
    d.ports.crypto = &crypto;
    d.ports.nv = &DEV_NV_SEALED;
}

static bool live(uint32_t at, enum device_cut cut)
{
    d.cut_at = at;
    d.cut = cut;
    if (setjmp(d.power) != 0)
        d.power_on = true;
    device_boot(&d);
    return device_live(&d, settled, 100000);
}

static void sweep(const struct story *s)
{
    static const char *const CUTS[] = { "before", "torn", "after" };
    char name[100];
    uint32_t fired = 0;
    int lost = 0;

    snprintf(name, sizeof name, "%s: without a cut", s->name);
    check_case(name);
    start(s);
    CHECK(live(0, CUT_BEFORE));
    CHECK_INT(d.server.trusts, CHAIN - 1);
    CHECK_INT(fell + forged, 0);
    uint32_t total = d.ops;
    CHECK(total > 100);

    for (int cut = 0; cut < CUT_KINDS; cut++) {
        snprintf(name, sizeof name, "%s: cut %s each operation", s->name, CUTS[cut]);
        check_case(name);
        for (uint32_t at = 1; at <= total && lost < 5; at++) {
            start(s);
            bool done = live(at, (enum device_cut)cut);

            fired += d.fired;
            if (done && d.fired && d.bricks == 0 && d.violations == 0 && fell == 0 && forged == 0)
                continue;
            lost++;
            printf("FAIL %s: operation %u %s: done %d, fired %d, version %u, fell %d, forged %d, "
                   "bricks %d, programmed twice %d\n",
                   s->name, at, CUTS[cut], done, d.fired, version, fell, forged, d.bricks,
                   d.violations);
        }
        CHECK_INT(lost, 0);
    }
    CHECK_UINT(fired, total * CUT_KINDS);
    printf("%s: %u operations, %u cuts fired\n", s->name, total, fired);
}

/* Every call of the port fails once. */
static void port_calls(const struct story *s)
{
    uint32_t failed = 0;
    int lost = 0;

    check_case("each port call fails once");
    start(s);
    CHECK(live(0, CUT_BEFORE));
    uint32_t total = d.calls;
    for (uint32_t at = 1; at <= total && lost < 5; at++) {
        start(s);
        d.fail_at = at;
        bool done = live(0, CUT_BEFORE);

        failed += d.calls >= at;
        if (done && d.bricks == 0 && d.violations == 0 && forged == 0)
            continue;
        lost++;
        printf("FAIL call %u: done %d, version %u, forged %d\n", at, done, version, forged);
    }
    CHECK_INT(lost, 0);
    CHECK_UINT(failed, total);
    printf("%u port calls failed\n", failed);
}

int main(void)
{
    static const struct set_how HOW[CHAIN] = {
        { 1, { ROOT, -1 }, { RELEASE, -1 }, { ROOT, -1 }, 0, { NULL } },
        { 2, { ROOT, -1 }, { RELEASE2, -1 }, { ROOT, -1 }, 0, { NULL } },
        { 3, { ROOT2, -1 }, { RELEASE2, -1 }, { ROOT, ROOT2, -1 }, 0, { NULL } },
        { 4, { ROOT2, -1 }, { RELEASE2, -1 }, { ROOT2, -1 }, 0, { "https://updates2.example" } },
    };
    static const struct story STORIES[] = {
        { "words of 32, erased 0xff", 32, 0xff },
        { "words of 64, erased 0x00", 64, 0x00 },
    };

    for (int i = 0; i < SIGNERS; i++)
        signer_init(&signers[i]);
    crypto = lsuit_crypto_psa;
    crypto.verify = verify_once;
    release_make(&v1, 16, 600, &signers[RELEASE], &(struct release_how){ 0 });
    release_make(&v2, 32, 700, &signers[RELEASE2], &(struct release_how){ 0 });
    check_case("the chain");
    for (int i = 0; i < CHAIN; i++) {
        set_make(&chain_doc[i], &HOW[i], signers);
        chain[i] = chain_doc[i].doc;
    }
    for (size_t i = 0; i < sizeof STORIES / sizeof *STORIES; i++)
        sweep(&STORIES[i]);
    port_calls(&STORIES[1]);
    return check_done();
}
