/*
 * Dependencies: what the vectors of trust-domains don't reach. Memory, chains and cycles, who may
 * do what, and what is left when a dependency is done.
 */
#include <psa/crypto.h>

#include "check.h"
#include "lsuit/cose.h"
#include "run_make.h"
#include "tests/interop/suit_device.h"

#define CHAIN 4 /* manifests at most: the outermost and three below */

/* Sections of a dependent whose component 1 is the dependency in #d, of the digest given as hex. */
#define RESOLVE "15, <<[12, 1, 20, {3: h'822f5820%s', 21: \"#d\"}, 21, 2, 7, 15, 11, 0]>>"
#define INSTALL "20, <<[12, 1, 7, 15, 11, 0%s]>>"

static psa_key_id_t signer;
static uint8_t point[LSUIT_P256_POINT_LEN];
static struct lsuit_key key = { LSUIT_KEY_P256, { point, sizeof point }, { NULL, 0 } };
static struct lsuit_trust_keys trust = { &key, 1, 1 };

static bool key_make(void)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    size_t n = 0;

    psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attr, 256);
    psa_set_key_algorithm(&attr, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_SIGN_MESSAGE | PSA_KEY_USAGE_SIGN_HASH);
    return psa_generate_key(&attr, &signer) == PSA_SUCCESS &&
           psa_export_public_key(signer, point, sizeof point, &n) == PSA_SUCCESS;
}

/* Make an envelope, and again with a signature over its digest. */
static bool signed_make(struct made *m, struct parts p)
{
    static uint8_t tbs_buf[512], cose_buf[256];
    struct lsuit_bytes none = { NULL, 0 }, tbs;
    uint8_t sig[LSUIT_ES256_LEN];
    size_t n = 0;

    if (make(m, &p, NULL) != LSUIT_OK ||
        lsuit_cose_tbs(LSUIT_ALG_ESP256, none, m->envelope.digest_bytes, tbs_buf, sizeof tbs_buf,
                       &tbs) != LSUIT_OK ||
        lsuit_crypto_psa.sign(NULL, signer, LSUIT_ALG_ESP256, &tbs, 1, sig, sizeof sig, &n) !=
            LSUIT_OK ||
        lsuit_cose_sign1_write(LSUIT_ALG_ESP256, none, none, (struct lsuit_bytes){ sig, n },
                               cose_buf, sizeof cose_buf, &p.cose) != LSUIT_OK)
        return false;
    return make(m, &p, NULL) == LSUIT_OK;
}

static const char *digest_hex(const struct made *m)
{
    static char hex[2 * LSUIT_SHA256_LEN + 1];

    for (size_t i = 0; i < LSUIT_SHA256_LEN; i++)
        snprintf(hex + 2 * i, 3, "%02x", m->envelope.digest.bytes.ptr[i]);
    return hex;
}

/* --- A device that has an opinion of dependencies. --- */

static enum lsuit_err opinion;
static uint32_t asked;

static enum lsuit_err accept(void *ctx, uint32_t comp, const struct lsuit_manifest *manifest,
                             const struct lsuit_auth *auth)
{
    (void)ctx;
    (void)comp;
    asked++;
    return manifest->components_n > 0 && auth->signers == 1 ? opinion : LSUIT_ERR_COMPONENT_AUTH;
}

struct bench {
    struct made made[CHAIN]; /* [0]: innermost */
    struct suit_device device;
    struct lsuit_platform platform;
    struct lsuit_dependency dependency[CHAIN - 1];
    uint8_t memory[CHAIN - 1][1024];
    uint8_t buf[64];
    struct lsuit_run run;
};

static struct bench b;

static void bench_begin(void)
{
    memset(&b, 0, sizeof b);
    b.platform = SUIT_DEVICE_PLATFORM;
    b.platform.dependency_accept = accept;
    b.device.keys = &trust;
    b.device.payload[0].uri = TEXT_BYTES("http://x/new");
    b.device.payload[0].body = TEXT_BYTES("new");
    b.device.payloads_n = 1;
    for (size_t i = 0; i < CHAIN - 1; i++)
        b.dependency[i] =
            (struct lsuit_dependency){ .buf = b.memory[i], .buf_len = sizeof b.memory[i] };
    opinion = LSUIT_OK;
    asked = 0;
}

/* Run the outermost manifest, made[at], with memory for n below it. */
static enum lsuit_err bench_run(size_t at, size_t n, bool dry)
{
    enum lsuit_err e = lsuit_run_init(&b.run, &b.made[at].manifest, &b.platform, &b.device,
                                      &lsuit_crypto_psa, b.buf, sizeof b.buf);

    if (e != LSUIT_OK)
        return e;
    lsuit_run_dependencies(&b.run, b.dependency, n);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, dry);
    return lsuit_run_to_end(&b.run);
}

/* A dependent of made[at - 1]; `more` follows process-dependency in its install section. */
static bool dependent_make(size_t at, const char *components, const char *more)
{
    char sections[1024];
    struct parts p = { .dependencies = "{1: {}}",
                       .components = components,
                       .sections = sections,
                       .sections_n = 2,
                       .dependency_name = "#d",
                       .dependency = b.made[at - 1].whole };

    snprintf(sections, sizeof sections, RESOLVE ", " INSTALL, digest_hex(&b.made[at - 1]), more);
    return signed_make(&b.made[at], p);
}

/* A dependency that writes 'x' into component h'02', then its dependent. */
static bool pair_make(const char *child_sections, uint32_t n, const char *more)
{
    struct parts child = { .components = "[[h'02']]", .sections = child_sections, .sections_n = n };

    return signed_make(&b.made[0], child) && dependent_make(1, "[[h'00'], [h'01'], [h'02']]", more);
}

#define WRITES "20, <<[20, {18: 'x'}, 18, 2]>>"

static const struct suit_component *component(uint8_t n)
{
    uint8_t id[] = { 0x81, 0x41, n };

    return suit_device_component(&b.device, (struct lsuit_bytes){ id, sizeof id });
}

/* --- Memory. --- */

static void test_memory(void)
{
    check_case("without memory it is refused before anything happens");
    bench_begin();
    CHECK(pair_make(WRITES, 1, ""));
    CHECK_STR(lsuit_err_name(bench_run(1, 0, false)), lsuit_err_name(LSUIT_ERR_COMMAND));
    CHECK_STR(b.run.fault.what, "suit-dependencies");
    CHECK(!b.device.touched);

    check_case("memory of exactly its size");
    b.dependency[0].buf_len = b.made[0].whole.len;
    CHECK_STR(lsuit_err_name(bench_run(1, 1, false)), lsuit_err_name(LSUIT_OK));
    CHECK(component(2)->present);
    suit_device_fini(&b.device);

    check_case("a byte too few");
    bench_begin();
    CHECK(pair_make(WRITES, 1, ""));
    b.dependency[0].buf_len = b.made[0].whole.len - 1;
    CHECK_STR(lsuit_err_name(bench_run(1, 1, false)), lsuit_err_name(LSUIT_ERR_LIMIT));
    CHECK(!component(2)->present);
    suit_device_fini(&b.device);
}

/* --- Chains. --- */

/* A chain of n manifests: each one's component 1 is the next one. */
static bool chain_make(size_t n)
{
    static const char *const COMPONENTS[CHAIN] = { "[[h'02']]", "[[h'02'], [h'11']]",
                                                   "[[h'02'], [h'12']]", "[[h'02'], [h'13']]" };
    struct parts child = { .components = COMPONENTS[0], .sections = WRITES, .sections_n = 1 };
    bool ok = signed_make(&b.made[0], child);

    for (size_t i = 1; ok && i < n; i++)
        ok = dependent_make(i, COMPONENTS[i], "");
    return ok;
}

static void test_chain(void)
{
    check_case("three manifests, two memories");
    bench_begin();
    CHECK(chain_make(3));
    CHECK_STR(lsuit_err_name(bench_run(2, 2, false)), lsuit_err_name(LSUIT_OK));
    CHECK(component(2)->present);
    CHECK_UINT(b.run.chain, 0);
    suit_device_fini(&b.device);

    check_case("three manifests, one memory");
    bench_begin();
    CHECK(chain_make(3));
    CHECK_STR(lsuit_err_name(bench_run(2, 1, false)), lsuit_err_name(LSUIT_ERR_LIMIT));
    CHECK(!component(2)->present);
    suit_device_fini(&b.device);

    check_case("four manifests, where this build takes three");
    bench_begin();
    CHECK(chain_make(4));
    CHECK_STR(lsuit_err_name(bench_run(3, 3, false)), lsuit_err_name(LSUIT_ERR_LIMIT));
    CHECK(!component(2)->present);
    suit_device_fini(&b.device);

    check_case("a dependency that stands in the component of its dependent");
    bench_begin();
    CHECK(signed_make(
        &b.made[0],
        (struct parts){ .components = "[[h'02']]", .sections = WRITES, .sections_n = 1 }));
    CHECK(dependent_make(1, "[[h'02'], [h'01']]", ""));
    CHECK(dependent_make(2, "[[h'02'], [h'01']]", ""));
    CHECK_STR(lsuit_err_name(bench_run(2, 2, false)), lsuit_err_name(LSUIT_ERR_OPERATION));
    CHECK(!component(2)->present);
    suit_device_fini(&b.device);
}

/* A dependency that looks at its own component as if that were its dependency. */
static void test_cycle(void)
{
    struct parts child = { .dependencies = "{1: {}}",
                           .components = "[[h'02'], [h'01']]",
                           .sections = "20, <<[12, 1, 20, {3: sha256'new'}, 7, 15, 12, 0]>>",
                           .sections_n = 1 };

    check_case("a dependency of itself");
    bench_begin();
    CHECK(signed_make(&b.made[0], child));
    CHECK(dependent_make(1, "[[h'00'], [h'01']]", ""));
    CHECK_STR(lsuit_err_name(bench_run(1, 2, false)), lsuit_err_name(LSUIT_ERR_OPERATION));
    CHECK_STR(b.run.fault.why, "a cycle of dependencies");
    suit_device_fini(&b.device);
}

/* image-match is the first look at what is stored. */
static void test_match(const char *name, const char *commands, uint32_t again, enum lsuit_err want)
{
    struct parts child = { .components = "[[h'02']]", .sections = WRITES, .sections_n = 1 };
    struct parts p = { .dependencies = "{1: {}}",
                       .components = "[[h'00'], [h'01']]",
                       .sections_n = 1,
                       .dependency_name = "#d" };
    char text[512];

    check_case(name);
    bench_begin();
    b.device.again = again;
    CHECK(signed_make(&b.made[0], child));
    snprintf(text, sizeof text, "20, <<[12, 1, 20, {3: h'822f5820%s', 21: \"#d\"}, %s]>>",
             digest_hex(&b.made[0]), commands);
    p.sections = text;
    p.dependency = b.made[0].whole;
    CHECK(signed_make(&b.made[1], p));
    CHECK_STR(lsuit_err_name(bench_run(1, 1, false)), lsuit_err_name(want));
    CHECK_UINT(asked, 0); /* nobody's signature was of interest */
    suit_device_fini(&b.device);
}

/* --- Authority. --- */

struct authority {
    const char *name;
    const char *child; /* its sections */
    uint32_t n;
    const char *more; /* of the dependent */
    enum lsuit_err opinion, want;
    bool written; /* component h'02' */
};

static const struct authority AUTHORITY[] = {
    { "a dependency that is accepted", WRITES, 1, "", LSUIT_OK, LSUIT_OK, true },
    { "an older one", WRITES, 1, "", LSUIT_ERR_ROLLBACK, LSUIT_ERR_ROLLBACK, false },
    { "one whose signer has no business there", WRITES, 1, "", LSUIT_ERR_COMPONENT_AUTH,
      LSUIT_ERR_COMPONENT_AUTH, false },
    { "one with a command that nobody knows, behind a write",
      "20, <<[20, {18: 'x'}, 18, 2, 99, 0]>>", 1, "", LSUIT_OK, LSUIT_ERR_COMMAND, false },
    { "one that fails its own condition chooses no alternative", "20, <<[20, {18: 'x'}, 14, 0]>>",
      1, ", 15, [<<[11, 0]>>, <<[14, 0]>>, null]", LSUIT_OK, LSUIT_ERR_CONDITION, false },
    { "what it sets is there for its dependent", "20, <<[20, {18: 'set'}]>>", 1, ", 12, 2, 18, 0",
      LSUIT_OK, LSUIT_OK, true },
    { "index true means the dependencies", WRITES, 1, ", 12, true, 11, 0", LSUIT_OK, LSUIT_OK,
      true },
    { "an array of indices doesn't", WRITES, 1, ", 12, [1, 0], 11, 0", LSUIT_OK,
      LSUIT_ERR_OPERATION, true },
    { "image-match goes by the manifest", WRITES, 1, ", 3, 15", LSUIT_OK, LSUIT_OK, true },
    { "a component's name that is the dependency's", "20, <<[12, 0, 20, {18: 'x'}, 18, 2]>>", 1,
      ", 18, 2", LSUIT_OK, LSUIT_ERR_OPERATION, true },
    { "integrity of something else", WRITES, 1, ", 12, 0, 20, {3: sha256'new'}, 7, 15", LSUIT_OK,
      LSUIT_ERR_OPERATION, true },
    { "a dependency that is gone", WRITES, 1, ", 33, 0, 7, 15", LSUIT_OK, LSUIT_ERR_OPERATION,
      true },
    { "and isn't processed either", WRITES, 1, ", 33, 0, 11, 0", LSUIT_OK, LSUIT_ERR_OPERATION,
      true },
};

static void test_authority(uint32_t again)
{
    for (size_t i = 0; i < sizeof AUTHORITY / sizeof *AUTHORITY; i++) {
        const struct authority *r = &AUTHORITY[i];

        check_case(r->name);
        bench_begin();
        b.device.again = again;
        b.device.piece = again > 0 ? 5 : 0;
        CHECK(pair_make(r->child, r->n, r->more));
        opinion = r->opinion;
        CHECK_STR(lsuit_err_name(bench_run(1, 1, false)), lsuit_err_name(r->want));
        CHECK(asked > 0 || r->want == LSUIT_ERR_COMMAND);
        CHECK_INT(component(2)->present, r->written);
        suit_device_fini(&b.device);
    }
}

static bool no_keys(struct bench *x)
{
    x->platform.dependency_keys = NULL;
    return true;
}

static bool no_accept(struct bench *x)
{
    x->platform.dependency_accept = NULL;
    return true;
}

static bool nobody(struct bench *x)
{
    static const struct lsuit_trust_keys NOBODY = { NULL, 0, 1 };

    x->device.keys = &NOBODY;
    return true;
}

static bool no_set(struct bench *x)
{
    x->device.keys = NULL;
    return true;
}

static bool no_unlink(struct bench *x)
{
    x->platform.unlink = NULL;
    return true;
}

static void test_lacks(void)
{
    static const struct {
        const char *name;
        bool (*change)(struct bench *x);
        const char *more;
        enum lsuit_err want;
    } CASES[] = {
        { "no keys function", no_keys, "", LSUIT_ERR_COMMAND },
        { "no accept function", no_accept, "", LSUIT_ERR_COMMAND },
        { "no keys", nobody, "", LSUIT_ERR_UNAUTHORISED },
        { "no set of keys", no_set, "", LSUIT_ERR_USAGE },
        { "no unlink", no_unlink, ", 33, 0", LSUIT_ERR_COMMAND },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        check_case(CASES[i].name);
        bench_begin();
        CHECK(pair_make(WRITES, 1, CASES[i].more));
        CASES[i].change(&b);
        CHECK_STR(lsuit_err_name(bench_run(1, 1, false)), lsuit_err_name(CASES[i].want));
        suit_device_fini(&b.device);
    }
}

/* --- Components. --- */

static void test_components(void)
{
    check_case("a component that only the dependency names");
    bench_begin();
    CHECK(signed_make(&b.made[0],
                      (struct parts){ .components = "[[h'05'], [h'06'], [h'00']]",
                                      .sections = "20, <<[12, [1, 2], 20, {18: 'x'}, 18, 2]>>",
                                      .sections_n = 1 }));
    CHECK(dependent_make(1, "[[h'00'], [h'01']]", ""));
    CHECK_STR(lsuit_err_name(bench_run(1, 1, false)), lsuit_err_name(LSUIT_OK));
    CHECK(!component(5)->present && component(6)->present && component(0)->present);
    suit_device_fini(&b.device);

    check_case("one more than this build takes");
    bench_begin();
    CHECK(
        signed_make(&b.made[0], (struct parts){ .components = "[[h'05'], [h'06'], [h'07']]",
                                                .sections = "20, <<[12, 0, 20, {18: 'x'}, 18, 2]>>",
                                                .sections_n = 1 }));
    CHECK(dependent_make(1, "[[h'00'], [h'01']]", ""));
    CHECK_STR(lsuit_err_name(bench_run(1, 1, false)), lsuit_err_name(LSUIT_ERR_LIMIT));
    CHECK(!component(5)->present);
    suit_device_fini(&b.device);

    check_case("a source component counts in the manifest that names it");
    bench_begin();
    CHECK(signed_make(&b.made[0], (struct parts){ .components = "[[h'02'], [h'00']]",
                                                  .sections = "20, <<[12, 0, 22, 2]>>",
                                                  .sections_n = 1 }));
    /* The dependent says: copy component 0, h'00', into h'02'. In the dependency 0 is h'02'. */
    {
        char sections[1024];
        struct parts p = { .dependencies = "{1: {}}",
                           .components = "[[h'00'], [h'01'], [h'02']]",
                           .shared = "[12, 2, 20, {22: 0}]",
                           .sections = sections,
                           .sections_n = 2,
                           .dependency_name = "#d",
                           .dependency = b.made[0].whole };
        struct suit_component *from;

        snprintf(sections, sizeof sections, RESOLVE ", " INSTALL, digest_hex(&b.made[0]), "");
        CHECK(signed_make(&b.made[1], p));
        from = suit_device_component(&b.device, b.made[1].manifest.components[0]);
        suit_component_set(from, TEXT_BYTES("copied"));
    }
    CHECK_STR(lsuit_err_name(bench_run(1, 1, false)), lsuit_err_name(LSUIT_OK));
    CHECK(component(2)->present && component(2)->len == 6);
    suit_device_fini(&b.device);
}

/* --- Dry runs. --- */

static void test_dry(void)
{
    check_case("a dry run counts what isn't here as held, and says that it doesn't know all");
    bench_begin();
    CHECK(pair_make(WRITES, 1, ""));
    CHECK_STR(lsuit_err_name(bench_run(1, 1, true)), lsuit_err_name(LSUIT_OK));
    CHECK(b.run.dry_result.size_unknown);
    CHECK_UINT(b.run.dry_result.written, 2);
    CHECK(!b.device.touched);
    CHECK_UINT(asked, 0);
    suit_device_fini(&b.device);
}

int main(void)
{
    if (psa_crypto_init() != PSA_SUCCESS || !key_make())
        return 1;
    test_memory();
    test_chain();
    test_cycle();
    test_match("a stored dependency matches", "21, 2, 3, 15", 0, LSUIT_OK);
    test_match("in pieces too", "21, 2, 3, 15", 2, LSUIT_OK);
    test_match("one that isn't there doesn't", "3, 15", 0, LSUIT_ERR_CONDITION);
    test_match("nor does something else", "18, 0, 3, 15", 0, LSUIT_ERR_OPERATION);
    test_match("nor another digest", "21, 2, 20, {3: sha256'new'}, 3, 15", 0, LSUIT_ERR_CONDITION);
    test_match("what isn't there is no match", "25, 15", 0, LSUIT_OK);
    test_match("image-not-match is its opposite", "21, 2, 25, 15", 0, LSUIT_ERR_CONDITION);
    test_authority(0);
    test_authority(2);
    test_lacks();
    test_components();
    test_dry();
    return check_done();
}
