/*
 * Envelope, manifest and check: each malformed input with its reason. What is well-formed but odd
 * stands beside it.
 */
#include "check.h"

#include "lsuit/suit.h"

#include "suit_make.h"

static const struct lsuit_bytes NONE = { NULL, 0 };

static uint8_t manifest_buf[4096], envelope_buf[8192];
static struct make_key alice, bob;

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

/* --- the outer map --- */

/* clang-format off */
#define AUTH "02 43820102 "  /* not looked into yet */
#define MAN  "03 41a0 "

static const struct {
    const char *doc;
    enum lsuit_err want;
    const char *why; /* begins so */
    const char *name;
} ENVELOPES[] = {
  { "d86b a2 " AUTH MAN,                       LSUIT_OK, NULL, "the least" },
  { "a2 " AUTH MAN,                            LSUIT_OK, NULL, "untagged" },
  { "d86b a3 " AUTH MAN "14 4100",             LSUIT_OK, NULL, "a severed section" },
  { "d86b a8 " AUTH MAN "0e 40 0f 40 10 40 12 40 14 40 17 40", LSUIT_OK, NULL, "all severed sections" },
  { "d86b a3 " AUTH MAN "612340",              LSUIT_OK, NULL, "an integrated payload" },
  { "d86b a3 " AUTH MAN "6040",                LSUIT_OK, NULL, "a payload without a name" },
  { "",                                        LSUIT_ERR_CBOR, "the envelope is no map", "nothing" },
  { "d86b",                                    LSUIT_ERR_CBOR, "the envelope is no map", "a tag alone" },
  { "d86c a2 " AUTH MAN,                       LSUIT_ERR_CBOR, "not the tag", "tag 108" },
  { "d830 a2 " AUTH MAN,                       LSUIT_ERR_CBOR, "envelope tag 48: draft-ietf-suit-manifest -11 to -13", "tag 48" },
  { "d86b d86b a2 " AUTH MAN,                  LSUIT_ERR_CBOR, "the envelope is no map", "the tag twice" },
  { "d86b 82 " AUTH MAN,                       LSUIT_ERR_CBOR, "the envelope is no map", "an array" },
  { "d86b a1 " MAN,                            LSUIT_ERR_CBOR, "no authentication wrapper", "no wrapper" },
  { "d86b a1 " AUTH,                           LSUIT_ERR_CBOR, "no manifest", "no manifest" },
  { "d86b a2 " MAN AUTH,                       LSUIT_ERR_CBOR, "malformed", "the manifest first" },
  { "d86b a3 " AUTH AUTH MAN,                  LSUIT_ERR_CBOR, "malformed", "the wrapper twice" },
  { "d86b a3 " AUTH MAN MAN,                   LSUIT_ERR_CBOR, "malformed", "the manifest twice" },
  { "d86b a2 02 820102 " MAN,                  LSUIT_ERR_CBOR, "the authentication wrapper is no", "the wrapper isn't wrapped" },
  { "d86b a2 " AUTH "03 a0",                   LSUIT_ERR_CBOR, "the manifest is no", "the manifest isn't wrapped" },
  { "d86b a3 01 40 " AUTH MAN,                 LSUIT_ERR_CBOR, "delegation", "delegation" },
  { "d86b a3 " AUTH MAN "11 40",               LSUIT_ERR_CBOR, "install at key 17: draft-ietf-suit-manifest -17 to -28", "key 17" },
  { "d86b a3 " AUTH MAN "09 40",               LSUIT_ERR_CBOR, "severed at keys 8 to 13: draft-ietf-suit-manifest -16", "key 9" },
  { "d86b a3 " AUTH MAN "07 40",               LSUIT_ERR_CBOR, "unknown key", "key 7 can't be severed" },
  { "d86b a3 " AUTH MAN "18 18 40",            LSUIT_ERR_CBOR, "unknown key", "key 24 can't be severed" },
  { "d86b a3 " AUTH MAN "20 40",               LSUIT_ERR_CBOR, "unknown key", "key -1" },
  { "d86b a3 " AUTH MAN "1bffffffffffffffff 40", LSUIT_ERR_CBOR, "malformed", "key 2^64-1" },
  { "d86b a3 " AUTH MAN "4123 40",             LSUIT_ERR_CBOR, "malformed", "a key of bytes" },
  { "d86b a3 " AUTH MAN "f4 40",               LSUIT_ERR_CBOR, "malformed", "false as a key" },
  { "d86b a3 " AUTH MAN "14 80",               LSUIT_ERR_CBOR, "a severed element", "a severed section isn't wrapped" },
  { "d86b a3 " AUTH MAN "6123 6100",           LSUIT_ERR_CBOR, "an integrated payload", "a payload of text" },
  { "d86b a4 " AUTH MAN "612340 612340",       LSUIT_ERR_CBOR, "malformed", "a payload's name twice" },
  { "d86b a4 " AUTH MAN "62232340 612340",     LSUIT_ERR_CBOR, "malformed", "the longer name first" },
  { "d86b a3 " AUTH MAN "618040",              LSUIT_ERR_CBOR, "malformed", "a name that isn't UTF-8" },
  { "d86b a2 " AUTH MAN "00",                  LSUIT_ERR_CBOR, "bytes after", "a byte after it" },
  { "d86b b90002 " AUTH MAN,                   LSUIT_ERR_CBOR, "the envelope is no map", "a long count" },
  { "d86b bf " AUTH MAN "ff",                  LSUIT_ERR_CBOR, "the envelope is no map", "indefinite" },
  { "d86b ba80000000 " AUTH MAN,               LSUIT_ERR_CBOR, "the envelope is no map", "a huge count" },
  { "d86b a2 " AUTH "03 5affffffff 00",        LSUIT_ERR_CBOR, "the manifest is no", "a huge length" },
};
/* clang-format on */

static bool begins(const char *s, const char *with)
{
    return with == NULL || (s != NULL && strncmp(s, with, strlen(with)) == 0);
}

static void envelopes(void)
{
    for (size_t i = 0; i < sizeof ENVELOPES / sizeof *ENVELOPES; i++) {
        uint8_t doc[128];
        size_t n = check_hex(ENVELOPES[i].doc, doc, sizeof doc);
        struct lsuit_envelope e = { .integrated_n = 77 };
        struct lsuit_fault fault = { 0 };

        check_case(ENVELOPES[i].name);
        CHECK_INT(lsuit_envelope_read((struct lsuit_bytes){ doc, n }, &e, &fault),
                  ENVELOPES[i].want);
        CHECK_INT(fault.err, ENVELOPES[i].want);
        if (!CHECK(begins(fault.why, ENVELOPES[i].why)))
            printf("     %s\n", fault.why);
        CHECK(fault.offset <= n);
        if (ENVELOPES[i].want != LSUIT_OK) {
            CHECK_UINT(e.integrated_n, 77); /* untouched */
            CHECK_INT(lsuit_envelope_read((struct lsuit_bytes){ doc, n }, &e, NULL),
                      ENVELOPES[i].want);
        }
    }
}

static void payloads(void)
{
    static const char DOC[] = "d86b a5 " AUTH MAN "14 4100 612341aa 6223624 0";
    uint8_t doc[64];
    size_t n = check_hex(DOC, doc, sizeof doc);
    struct lsuit_envelope e;
    struct lsuit_bytes name, payload;

    check_case("integrated payloads by name and by number");
    if (!CHECK_INT(lsuit_envelope_read((struct lsuit_bytes){ doc, n }, &e, NULL), LSUIT_OK))
        return;
    CHECK_UINT(e.integrated_n, 2);
    CHECK_INT(lsuit_envelope_payload(&e, text("#"), &payload), LSUIT_OK);
    CHECK_BYTES(payload.ptr, payload.len, "\xaa", 1);
    CHECK_INT(lsuit_envelope_payload(&e, text("#b"), &payload), LSUIT_OK);
    CHECK_UINT(payload.len, 0);
    CHECK_INT(lsuit_envelope_payload(&e, text("#c"), &payload), LSUIT_ERR_OPERATION);
    CHECK_INT(lsuit_envelope_payload(&e, NONE, &payload), LSUIT_ERR_OPERATION);
    CHECK(lsuit_envelope_payload_at(&e, 1, &name, &payload));
    CHECK_BYTES(name.ptr, name.len, "#b", 2);
    CHECK(!lsuit_envelope_payload_at(&e, 2, &name, &payload));
    CHECK_BYTES(e.install.ptr, e.install.len, "\x41\x00", 2); /* with its header */
}

/* --- who signed --- */

/* An envelope around the smallest manifest with these blocks. */
static struct lsuit_bytes envelope_of(struct lsuit_bytes manifest, const struct lsuit_bytes *cose,
                                      size_t cose_n)
{
    struct lsuit_envelope_parts parts = { .manifest = manifest, .cose = cose, .cose_n = cose_n };
    struct lsuit_bytes doc = NONE;

    CHECK_INT(
        lsuit_envelope_write(&parts, &lsuit_crypto_psa, envelope_buf, sizeof envelope_buf, &doc),
        LSUIT_OK);
    return doc;
}

static struct lsuit_bytes small_manifest(void)
{
    const struct make_manifest m = { .sequence = 5, .section = { { 7, "82 03 0f", false } } };

    return make_manifest(&m, manifest_buf, sizeof manifest_buf);
}

/* The bytes that a signer of this manifest signs. */
static struct lsuit_bytes digest_of(struct lsuit_bytes manifest, uint8_t buf[64])
{
    struct lsuit_envelope e;
    struct lsuit_bytes digest = NONE;

    if (lsuit_envelope_read(envelope_of(manifest, NULL, 0), &e, NULL) == LSUIT_OK &&
        lsuit_envelope_trust_nobody(&e, &lsuit_crypto_psa, NULL) == LSUIT_OK) {
        memcpy(buf, e.digest_bytes.ptr, e.digest_bytes.len);
        digest = (struct lsuit_bytes){ buf, e.digest_bytes.len };
    }
    return digest;
}

enum block {
    END,
    BY_ALICE,
    BY_ALICE_KID_BOB,
    BY_BOB,
    BY_BOB_ES256,
    BY_EVE,
    BROKEN,
    UNKNOWN_ALG,
    UNKNOWN_TAG,
    MAC,
    ATTACHED,
    GARBAGE
};

/* clang-format off */
static const struct {
    enum block blocks[6];
    uint32_t threshold;
    enum lsuit_err want;
    uint32_t signers; /* bit 0: alice, bit 1: bob */
    const char *name;
} SIGNED[] = {
  { { BY_ALICE },                          0, LSUIT_OK, 1, "one signer" },
  { { BY_BOB_ES256 },                      1, LSUIT_OK, 2, "ES256 like ESP256" },
  { { BY_ALICE_KID_BOB },                  1, LSUIT_OK, 1, "a kid of somebody else is no obstacle" },
  { { BY_ALICE, BY_BOB },                  1, LSUIT_OK, 3, "two signers where one is enough" },
  { { BY_ALICE, BY_BOB },                  2, LSUIT_OK, 3, "two of two" },
  { { BY_EVE, BY_ALICE },                  1, LSUIT_OK, 1, "an untrusted block first" },
  { { BROKEN, BY_ALICE },                  1, LSUIT_OK, 1, "a broken signature first" },
  { { UNKNOWN_ALG, BY_ALICE },             1, LSUIT_OK, 1, "an unknown algorithm first" },
  { { UNKNOWN_TAG, BY_ALICE },             1, LSUIT_OK, 1, "another structure first" },
  { { ATTACHED, BY_ALICE },                1, LSUIT_OK, 1, "an attached block first" },
  { { GARBAGE, BY_ALICE },                 1, LSUIT_OK, 1, "garbage first" },
  { { BY_ALICE, GARBAGE },                 1, LSUIT_OK, 1, "garbage last" },
  { { UNKNOWN_TAG, BY_EVE, BROKEN, BY_BOB }, 1, LSUIT_OK, 2, "as many blocks as are looked at" },
  { { END },                               1, LSUIT_ERR_UNAUTHORISED, 0, "not signed" },
  { { END },                               0, LSUIT_ERR_UNAUTHORISED, 0, "not signed, and no threshold" },
  { { BY_EVE },                            0, LSUIT_ERR_UNAUTHORISED, 0, "an untrusted signer, and no threshold" },
  { { BY_EVE },                            1, LSUIT_ERR_UNAUTHORISED, 0, "an untrusted signer" },
  { { BROKEN },                            1, LSUIT_ERR_UNAUTHORISED, 0, "a broken signature" },
  { { ATTACHED },                          1, LSUIT_ERR_UNAUTHORISED, 0, "attached, though signed by a trusted key" },
  { { MAC },                               1, LSUIT_ERR_UNAUTHORISED, 0, "a MAC with the public key as its secret" },
  { { UNKNOWN_ALG },                       1, LSUIT_ERR_ALG, 0, "an unknown algorithm only" },
  { { UNKNOWN_TAG },                       1, LSUIT_ERR_COSE, 0, "another structure only" },
  { { GARBAGE },                           1, LSUIT_ERR_CBOR, 0, "garbage only" },
  { { UNKNOWN_TAG, UNKNOWN_ALG },          1, LSUIT_ERR_ALG, 0, "the more telling error" },
  { { BY_EVE, UNKNOWN_ALG, GARBAGE },      1, LSUIT_ERR_UNAUTHORISED, 0, "the most telling error" },
  { { BY_ALICE },                          2, LSUIT_ERR_UNAUTHORISED, 0, "one of two" },
  { { BY_ALICE, BY_ALICE },                2, LSUIT_ERR_UNAUTHORISED, 0, "the same signature twice" },
  { { BY_ALICE, BY_ALICE_KID_BOB },        2, LSUIT_ERR_UNAUTHORISED, 0, "one signer under two kids" },
  { { BY_BOB, BY_BOB_ES256 },              2, LSUIT_ERR_UNAUTHORISED, 0, "one signer by two algorithms" },
  { { BY_ALICE, BY_EVE },                  2, LSUIT_ERR_UNAUTHORISED, 0, "one of two is untrusted" },
  { { BY_ALICE, BY_BOB },                  3, LSUIT_ERR_UNAUTHORISED, 0, "a threshold that nobody reaches" },
  { { BY_EVE, BY_EVE, BY_EVE, BY_EVE, BY_ALICE }, 1, LSUIT_ERR_LIMIT, 0, "one block more than is looked at" },
};
/* clang-format on */

static struct lsuit_bytes block_of(enum block what, struct lsuit_bytes digest, uint8_t *buf,
                                   size_t cap)
{
    static struct make_key eve;
    struct lsuit_bytes doc = NONE;

    if (eve.id == 0)
        make_key(&eve, 9, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    switch (what) {
    case BY_ALICE:
        return make_signature(&alice, LSUIT_ALG_ESP256, text("alice"), digest, buf, cap);
    case BY_ALICE_KID_BOB:
        return make_signature(&alice, LSUIT_ALG_ESP256, text("bob"), digest, buf, cap);
    case BY_BOB:
        return make_signature(&bob, LSUIT_ALG_ESP256, NONE, digest, buf, cap);
    case BY_BOB_ES256:
        return make_signature(&bob, LSUIT_ALG_ES256, text("bob"), digest, buf, cap);
    case BY_EVE:
        return make_signature(&eve, LSUIT_ALG_ESP256, text("alice"), digest, buf, cap);
    case BROKEN:
        doc = make_signature(&alice, LSUIT_ALG_ESP256, text("alice"), digest, buf, cap);
        buf[doc.len - 1] ^= 1;
        return doc;
    case UNKNOWN_ALG:
        (void)lsuit_cose_sign1_write(-300, NONE, NONE, text("s"), buf, cap, &doc);
        return doc;
    case UNKNOWN_TAG:
        return (struct lsuit_bytes){ buf, check_hex("d0 83 40 a0 40", buf, cap) };
    case MAC:
        return (struct lsuit_bytes){ buf, check_hex("d1 84 43a10105 a0 f6 4101", buf, cap) };
    case ATTACHED:
        (void)lsuit_cose_sign1(&lsuit_crypto_psa, alice.id, LSUIT_ALG_ESP256, NONE, NONE, digest,
                               buf, cap, &doc);
        return doc;
    case GARBAGE:
    case END:
    default:
        return text("\xff\xff");
    }
}

static void signers(void)
{
    struct lsuit_key keys[2];
    struct lsuit_bytes digest;
    uint8_t digest_buf[64];

    keys[0] = alice.key;
    keys[0].kid = text("alice");
    keys[1] = bob.key;
    keys[1].kid = text("bob");
    check_case("the digest to be signed");
    digest = digest_of(small_manifest(), digest_buf);
    CHECK_UINT(digest.len, 36);
    for (size_t i = 0; i < sizeof SIGNED / sizeof *SIGNED; i++) {
        const struct lsuit_trust_keys trust = { keys, 2, SIGNED[i].threshold };
        uint8_t bufs[6][256];
        struct lsuit_bytes blocks[6];
        struct lsuit_envelope e = { 0 };
        struct lsuit_auth auth = { 0 };
        struct lsuit_fault fault = { 0 };
        size_t n = 0;

        check_case(SIGNED[i].name);
        for (; n < 6 && SIGNED[i].blocks[n] != END; n++)
            blocks[n] = block_of(SIGNED[i].blocks[n], digest, bufs[n], sizeof bufs[n]);
        CHECK_INT(lsuit_envelope_read(envelope_of(small_manifest(), blocks, n), &e, NULL),
                  LSUIT_OK);
        e.verified = true; /* whatever stood there before */
        CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa, &trust, &auth, &fault),
                  SIGNED[i].want);
        CHECK(e.verified == (SIGNED[i].want == LSUIT_OK));
        CHECK_INT(fault.err, SIGNED[i].want);
        CHECK_UINT(auth.signers, SIGNED[i].signers);
    }
}

/* A key that is listed twice must not reach a threshold of two alone. */
static void one_key_twice(void)
{
    struct lsuit_key keys[2];
    const struct lsuit_trust_keys trust = { keys, 2, 2 };
    uint8_t digest_buf[64], one[256], two[256];
    struct lsuit_bytes digest, blocks[2];
    struct lsuit_envelope e = { 0 };

    check_case("one key listed under two kids counts once");
    keys[0] = keys[1] = alice.key;
    keys[0].kid = text("one");
    keys[1].kid = text("two");
    digest = digest_of(small_manifest(), digest_buf);
    blocks[0] = make_signature(&alice, LSUIT_ALG_ESP256, text("one"), digest, one, sizeof one);
    blocks[1] = make_signature(&alice, LSUIT_ALG_ESP256, text("two"), digest, two, sizeof two);
    CHECK_INT(lsuit_envelope_read(envelope_of(small_manifest(), blocks, 2), &e, NULL), LSUIT_OK);
    CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa, &trust, NULL, NULL),
              LSUIT_ERR_UNAUTHORISED);
}

/* What stands behind the digest: blocks to the end, and nothing else. */
static void after_the_digest(void)
{
    static const char *const REST[] = {
        "82 % 00",          /* a block that is a number */
        "82 % 80",          /* a block that isn't wrapped */
        "82 % %b 00",       /* a byte after the blocks */
        "83 % %b 82 01 02", /* the last one isn't wrapped */
    };
    const struct lsuit_trust_keys trust = { &alice.key, 1, 1 };
    uint8_t digest_buf[64], block_buf[256], bytes[512];
    struct lsuit_bytes digest = digest_of(small_manifest(), digest_buf);
    struct lsuit_bytes block =
        make_signature(&alice, LSUIT_ALG_ESP256, NONE, digest, block_buf, sizeof block_buf);
    struct lsuit_envelope e;

    check_case("blocks that aren't wrapped, bytes after them");
    CHECK_INT(lsuit_envelope_read(envelope_of(small_manifest(), &block, 1), &e, NULL), LSUIT_OK);
    CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa, &trust, NULL, NULL), LSUIT_OK);
    for (size_t i = 0; i < sizeof REST / sizeof *REST; i++) {
        struct lsuit_cbor_writer w = lsuit_cbor_writer_init(bytes, sizeof bytes);

        for (const char *p = REST[i]; *p != '\0'; p++) {
            if (*p == '%' && p[1] == 'b')
                lsuit_put_bstr(&w, block), p++;
            else if (*p == '%')
                lsuit_put_bstr(&w, digest);
            else if (*p != ' ')
                w.len += check_hex((char[]){ p[0], p[1], 0 }, bytes + w.len, 1), p++;
        }
        e.auth = (struct lsuit_bytes){ bytes, w.len };
        CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa, &trust, NULL, NULL), LSUIT_ERR_CBOR);
        CHECK(!e.verified);
    }

    check_case("no adapter, no keys, more keys than bits");
    CHECK_INT(lsuit_envelope_verify(&e, NULL, &trust, NULL, NULL), LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa, NULL, NULL, NULL), LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa,
                                    &(struct lsuit_trust_keys){ &alice.key, 33, 1 }, NULL, NULL),
              LSUIT_ERR_USAGE);
}

/* clang-format off */
static const struct {
    const char *wrapper; /* %: the right SHA-256 of the manifest 41a0 */
    enum lsuit_err want;
    const char *why;
    const char *name;
} WRAPPERS[] = {
  { "81 5824 82 2f 5820 %",      LSUIT_OK, NULL, "a digest alone" },
  { "80",                        LSUIT_ERR_CBOR, "not an array", "empty" },
  { "a0",                        LSUIT_ERR_CBOR, "not an array", "a map" },
  { "",                          LSUIT_ERR_CBOR, "not an array", "no bytes" },
  { "81 82 2f 5820 %",           LSUIT_ERR_CBOR, "not an array", "the digest isn't wrapped" },
  { "81 43 82 2f 40",            LSUIT_ERR_UNAUTHORISED, "not a digest", "an empty digest" },
  { "81 44 82 2f 4100",          LSUIT_ERR_UNAUTHORISED, "not a digest", "a digest of one byte" },
  { "81 5824 82 2e 5820 %",      LSUIT_ERR_ALG, "an unknown", "SHA-256/64" },
  { "81 5824 82 02 5820 %",      LSUIT_ERR_ALG, "digest algorithm 2: draft-ietf-suit-manifest -13", "algorithm 2" },
  { "81 5824 82 31 5820 %",      LSUIT_ERR_ALG, "this build lacks", "SHAKE128" },
  { "81 5826 82 382a 5820 %",    LSUIT_ERR_CBOR, "not an array", "cut" },
  { "81 5825 82 382a 5820 %",    LSUIT_ERR_UNAUTHORISED, "not a digest", "SHA-384 with 32 bytes" },
  { "81 5825 83 2f 5820 % 00",   LSUIT_ERR_CBOR, "not a digest", "three members" },
  { "81 5825 82 2f 5820 % 00",   LSUIT_ERR_CBOR, "not a digest", "a byte after the digest" },
  { "81 5824 82 2f 5820 00000000000000000000000000000000"
    "00000000000000000000000000000000", LSUIT_ERR_UNAUTHORISED, "the digest isn't", "of something else" },
};
/* clang-format on */

static void wrappers(void)
{
    uint8_t made[32];
    char hex[65];
    size_t len = 0;

    (void)lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, text("\x41\xa0"), made, 32, &len);
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", made[i]);
    for (size_t i = 0; i < sizeof WRAPPERS / sizeof *WRAPPERS; i++) {
        char line[256];
        const char *mark = strchr(WRAPPERS[i].wrapper, '%');
        int head = mark != NULL ? (int)(mark - WRAPPERS[i].wrapper) : 200;
        uint8_t bytes[128];
        struct lsuit_envelope e = { .manifest = text("\xa0"), .manifest_bstr = text("\x41\xa0") };
        struct lsuit_fault fault = { 0 };

        snprintf(line, sizeof line, "%.*s%s%s", head, WRAPPERS[i].wrapper, mark != NULL ? hex : "",
                 mark != NULL ? mark + 1 : "");
        e.auth = (struct lsuit_bytes){ bytes, check_hex(line, bytes, sizeof bytes) };
        check_case(WRAPPERS[i].name);
        CHECK_INT(lsuit_envelope_trust_nobody(&e, &lsuit_crypto_psa, &fault), WRAPPERS[i].want);
        CHECK(e.examined == (WRAPPERS[i].want == LSUIT_OK));
        CHECK(!e.verified);
        if (!CHECK(begins(fault.why, WRAPPERS[i].why)))
            printf("     %s\n", fault.why);
    }
}

/* --- the manifest's map --- */

/* clang-format off */
#define COMMON "03 46 a1 02 81 81 41 00 "
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define BASE "01 01 02 00 " COMMON

static const struct {
    const char *doc;
    enum lsuit_err want;
    const char *what; /* of the fault */
    const char *why;  /* begins so */
    const char *name;
} MANIFESTS[] = {
  { "a3 " BASE,                                LSUIT_OK, NULL, NULL, "the least" },
  { "a3 01 01 02 1bffffffffffffffff " COMMON,  LSUIT_OK, NULL, NULL, "the highest sequence number" },
  { "a4 " BASE "04 6161",                      LSUIT_OK, NULL, NULL, "a reference URI" },
  { "a4 " BASE "05 81 4100",                   LSUIT_OK, NULL, NULL, "a component id of its own" },
  { "a4 " BASE "05 80",                        LSUIT_OK, NULL, NULL, "an empty one" },
  { "a8 " BASE "07 40 08 40 09 40 14 40 17 40", LSUIT_OK, NULL, NULL, "sections, looked into by the check" },
  { "a3 01 01 02 00 03 45 a1 02 81 81 40",     LSUIT_OK, NULL, NULL, "an empty segment" },
  { "a3 01 01 02 00 03 44 a1 02 81 80",        LSUIT_OK, NULL, NULL, "an empty component identifier" },

  { "",                                        LSUIT_ERR_CBOR, "suit-manifest", "malformed", "nothing" },
  { "80",                                      LSUIT_ERR_CBOR, "suit-manifest", "malformed", "an array" },
  { "a0",                                      LSUIT_ERR_CBOR, "suit-manifest-version", "missing", "an empty map" },
  { "a2 02 00 " COMMON,                        LSUIT_ERR_CBOR, "suit-manifest-version", "missing", "no version" },
  { "a3 01 02 02 00 " COMMON,                  LSUIT_ERR_CBOR, "suit-manifest-version", "not manifest version 1", "version 2" },
  { "a3 01 00 02 00 " COMMON,                  LSUIT_ERR_CBOR, "suit-manifest-version", "not manifest version 1", "version 0" },
  { "a3 01 6131 02 00 " COMMON,                LSUIT_ERR_CBOR, "suit-manifest-version", "malformed", "a text version" },
  { "a2 01 01 " COMMON,                        LSUIT_ERR_CBOR, "suit-manifest-sequence-number", "missing", "no sequence number" },
  { "a3 01 01 02 20 " COMMON,                  LSUIT_ERR_CBOR, "suit-manifest-sequence-number", "malformed", "sequence number -1" },
  { "a3 01 01 02 c2 41 01 " COMMON,            LSUIT_ERR_CBOR, "suit-manifest-sequence-number", "malformed", "a bignum" },
  { "a2 01 01 02 00",                          LSUIT_ERR_CBOR, "suit-common", "missing", "no common" },
  { "a3 01 01 02 00 07 40",                    LSUIT_ERR_CBOR, "suit-common", "missing", "validate instead of common" },
  { "a3 02 00 01 01 " COMMON,                  LSUIT_ERR_CBOR, "suit-manifest-version", "missing", "the sequence number first" },
  { "a4 01 01 02 00 02 01 " COMMON,            LSUIT_ERR_CBOR, NULL, "malformed", "two sequence numbers" },
  { "a4 " BASE "04 4161",                      LSUIT_ERR_CBOR, "suit-reference-uri", "malformed", "a reference URI of bytes" },
  { "a4 " BASE "05 81 6161",                   LSUIT_ERR_CBOR, "suit-manifest-component-id", "malformed", "a component id of text" },
  { "a4 " BASE "07 80",                        LSUIT_ERR_CBOR, "suit-validate", "malformed", "validate isn't wrapped" },
  { "a4 " BASE "07 82 2f 5820 " ZEROS,                 LSUIT_ERR_CBOR, "suit-validate", "malformed", "validate can't be severed" },
  { "a4 " BASE "14 82 2f 4100",                LSUIT_ERR_CBOR, "suit-install", "malformed", "a severed digest of one byte" },
  { "a4 " BASE "14 82 02 40",                  LSUIT_ERR_ALG, "suit-install", "malformed", "a severed digest of algorithm 2" },
  { "a4 " BASE "14 81 2f",                     LSUIT_ERR_CBOR, "suit-install", "malformed", "half a digest" },
  { "a4 " BASE "14 a0",                        LSUIT_ERR_CBOR, "suit-install", "malformed", "install is a map" },
  { "a4 " BASE "06 43 82 01 02",               LSUIT_OK,          NULL, NULL, "set-version" },
  { "a4 " BASE "06 40",                        LSUIT_ERR_CBOR,    "suit-set-version", "no version", "a version of no bytes" },
  { "a4 " BASE "06 41 80",                     LSUIT_ERR_CBOR,    "suit-set-version", "no version", "a version of no numbers" },
  { "a4 " BASE "06 42 81 20",                  LSUIT_ERR_CBOR,    "suit-set-version", "no version", "a version that begins below 0" },
  { "a4 " BASE "0e 40",                        LSUIT_OK,          NULL, NULL, "CoSWID" },
  { "a4 " BASE "0f 40",                        LSUIT_OK,          NULL, NULL, "dependency-resolution" },
  { "a4 " BASE "18 18 40",                     LSUIT_OK,          NULL, NULL, "uninstall" },
  { "a4 " BASE "18 18 80",                     LSUIT_ERR_CBOR,    "suit-uninstall", "malformed", "uninstall isn't wrapped" },
  { "a4 " BASE "18 19 40",                     LSUIT_ERR_COMMAND, "suit-mud", "not supported", "MUD" },
  { "a4 " BASE "11 40",                        LSUIT_ERR_CBOR, NULL, "install at key 17: draft-ietf-suit-manifest -17 to -28", "install at 17" },
  { "a4 " BASE "0a 40",                        LSUIT_ERR_CBOR, NULL, "keys 10 to 13: draft-ietf-suit-manifest -14 to -16", "validate at 10" },
  { "a4 " BASE "0d 40",                        LSUIT_ERR_CBOR, NULL, "keys 10 to 13", "text at 13" },
  { "a4 " BASE "18 1a 40",                     LSUIT_ERR_CBOR, NULL, "unknown key", "key 26" },
  { "a4 " BASE "20 40",                        LSUIT_ERR_CBOR, NULL, "unknown key", "key -1" },
  { "a4 " BASE "1bffffffffffffffff 40",        LSUIT_ERR_CBOR, NULL, "malformed", "key 2^64-1" },
  { "a4 " BASE "6161 40",                      LSUIT_ERR_CBOR, NULL, "malformed", "a text key" },
  { "a3 " BASE "00",                           LSUIT_ERR_CBOR, "suit-manifest", "malformed", "a byte after it" },

  { "a3 01 01 02 00 03 a0",                    LSUIT_ERR_CBOR, "suit-common", "malformed", "common isn't wrapped" },
  { "a3 01 01 02 00 03 40",                    LSUIT_ERR_CBOR, "suit-common", "malformed", "common is empty" },
  { "a3 01 01 02 00 03 41 a0",                 LSUIT_ERR_COMPONENT, "suit-components", "no component", "no components" },
  { "a3 01 01 02 00 03 43 a1 02 80",           LSUIT_ERR_COMPONENT, "suit-components", "no component", "an empty list" },
  { "a3 01 01 02 00 03 47 a1 02 81 81 41 00 00", LSUIT_ERR_CBOR, "suit-common", "malformed", "a byte after common" },
  { "a3 01 01 02 00 03 46 a1 02 81 81 61 61",  LSUIT_ERR_CBOR, "suit-components", "malformed", "a segment of text" },
  { "a3 01 01 02 00 03 45 a1 02 81 41 00",     LSUIT_ERR_CBOR, "suit-components", "malformed", "an identifier that is no array" },
  { "a3 01 01 02 00 03 49 a1 02 82 81 41 00 81 41 00", LSUIT_ERR_COMPONENT, "suit-components", "one identifier twice", "one component twice" },
  { "a3 01 01 02 00 03 52 a1 02 85 81 41 00 81 41 01 81 41 02 81 41 03 81 41 04", LSUIT_ERR_COMPONENT, "suit-components", "more components", "five components" },
  { "a3 01 01 02 00 03 48 a2 01 a0 02 81 81 41 00", LSUIT_ERR_CBOR, "suit-dependencies", "no map", "no dependencies" },
  { "a3 01 01 02 00 03 4a a2 01 a1 00 a0 02 81 81 41 00", LSUIT_OK, NULL, NULL, "a dependency" },
  { "a3 01 01 02 00 03 4a a2 01 a1 20 a0 02 81 81 41 00", LSUIT_ERR_CBOR, "suit-dependencies", "malformed", "dependency -1" },
  { "a3 01 01 02 00 03 4b a2 01 a1 18 20 a0 02 81 81 41 00", LSUIT_ERR_COMPONENT, "suit-dependencies", "more components", "dependency 32: a shift too far" },
  { "a3 01 01 02 00 03 4a a2 01 a1 00 80 02 81 81 41 00", LSUIT_ERR_CBOR, "suit-dependencies", "malformed", "a dependency without a map" },
  { "a3 01 01 02 00 03 4e a2 01 a1 00 a1 01 81 41 05 02 81 81 41 00", LSUIT_ERR_COMMAND, "suit-components", "a prefix", "a dependency with a prefix" },
  { "a3 01 01 02 00 03 4e a2 01 a1 01 a1 01 81 41 00 02 81 81 41 00", LSUIT_ERR_COMPONENT, "suit-components", "one identifier", "a dependency of the identifier of another component" },
  { "a3 01 01 02 00 03 4c a2 01 a1 00 a1 02 00 02 81 81 41 00", LSUIT_ERR_COMMAND, "suit-dependencies", "unknown metadata", "a dependency with something unknown" },
  { "a3 01 01 02 00 03 48 a2 02 81 81 41 00 03 40", LSUIT_ERR_CBOR, "suit-common", "unknown key", "common key 3" },
  { "a3 01 01 02 00 03 48 a2 02 81 81 41 00 04 80", LSUIT_ERR_CBOR, "suit-shared-sequence", "malformed", "the shared sequence isn't wrapped" },
};
/* clang-format on */

static void manifests(void)
{
    for (size_t i = 0; i < sizeof MANIFESTS / sizeof *MANIFESTS; i++) {
        uint8_t doc[128];
        size_t n = check_hex(MANIFESTS[i].doc, doc, sizeof doc);
        struct lsuit_envelope e = { .examined = true };
        struct lsuit_manifest m;
        struct lsuit_fault fault = { 0 };

        e.whole = e.manifest = (struct lsuit_bytes){ doc, n };
        check_case(MANIFESTS[i].name);
        CHECK_INT(lsuit_manifest_read(&e, &lsuit_crypto_psa, &m, &fault), MANIFESTS[i].want);
        CHECK_INT(fault.err, MANIFESTS[i].want);
        if (MANIFESTS[i].what != NULL)
            CHECK_STR(fault.what, MANIFESTS[i].what);
        if (!CHECK(begins(fault.why, MANIFESTS[i].why)))
            printf("     %s\n", fault.why);
        CHECK(fault.offset <= n);
        CHECK_UINT(m.components_n, MANIFESTS[i].want == LSUIT_OK);
    }

    check_case("what nobody has authenticated isn't read");
    {
        struct lsuit_envelope e = { 0 };
        struct lsuit_manifest m;

        CHECK_INT(lsuit_manifest_read(&e, &lsuit_crypto_psa, &m, NULL), LSUIT_ERR_USAGE);
    }
}

/* --- severed sections --- */

static void severed_case(const char *name, const char *manifest_part, const char *in_envelope,
                         enum lsuit_err want, bool present)
{
    char line[256];
    uint8_t doc[256], other[64];
    struct lsuit_envelope e = { .examined = true };
    struct lsuit_manifest m;
    size_t n;

    check_case(name);
    snprintf(line, sizeof line, "%s %s", manifest_part != NULL ? "a4 " BASE : "a3 " BASE,
             manifest_part != NULL ? manifest_part : "");
    n = check_hex(line, doc, sizeof doc);
    e.whole = e.manifest = (struct lsuit_bytes){ doc, n };
    if (in_envelope != NULL)
        e.install = (struct lsuit_bytes){ other, check_hex(in_envelope, other, sizeof other) };
    CHECK_INT(lsuit_manifest_read(&e, &lsuit_crypto_psa, &m, NULL), want);
    if (want == LSUIT_OK)
        CHECK((m.install.bytes.ptr != NULL) == present);
}

static void severed(void)
{
    uint8_t digest[32];
    char declared[96], bare[96];
    size_t len = 0;

    (void)lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, text("\x43\x82\x15\x02"), digest,
                           32, &len);
    snprintf(declared, sizeof declared, "14 82 2f 5820 ");
    for (size_t i = 0; i < 32; i++)
        snprintf(declared + strlen(declared), 3, "%02x", digest[i]);
    (void)lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, text("\x82\x15\x02"), digest, 32,
                           &len);
    snprintf(bare, sizeof bare, "14 82 2f 5820 ");
    for (size_t i = 0; i < 32; i++)
        snprintf(bare + strlen(bare), 3, "%02x", digest[i]);

    severed_case("severed, and there", declared, "43 821502", LSUIT_OK, true);
    severed_case("severed, and away", declared, NULL, LSUIT_OK, false);
    severed_case("severed, and another", declared, "43 821503", LSUIT_ERR_UNAUTHORISED, false);
    severed_case("a digest over the content without its header", bare, "43 821502",
                 LSUIT_ERR_UNAUTHORISED, false);
    severed_case("inline", "14 43 821502", NULL, LSUIT_OK, true);
    severed_case("inline and severed", "14 43 821502", "43 821502", LSUIT_ERR_CBOR, false);
    severed_case("not declared", NULL, "43 821502", LSUIT_ERR_UNAUTHORISED, false);
    severed_case("declared at another key", "10 43 821502", "43 821502", LSUIT_ERR_UNAUTHORISED,
                 false);
}

static void parts(void)
{
    struct lsuit_manifest m = { 0 };

    check_case("sections by key");
    CHECK(lsuit_manifest_part(&m, 7) == &m.validate);
    CHECK(lsuit_manifest_part(&m, 8) == &m.load);
    CHECK(lsuit_manifest_part(&m, 9) == &m.invoke);
    CHECK(lsuit_manifest_part(&m, 14) == &m.coswid);
    CHECK(lsuit_manifest_part(&m, 15) == &m.dependency_resolution);
    CHECK(lsuit_manifest_part(&m, 16) == &m.payload_fetch);
    CHECK(lsuit_manifest_part(&m, 18) == &m.candidate_verification);
    CHECK(lsuit_manifest_part(&m, 20) == &m.install);
    CHECK(lsuit_manifest_part(&m, 23) == &m.text);
    CHECK(lsuit_manifest_part(&m, 24) == &m.uninstall);
    CHECK(lsuit_manifest_part(&m, 3) == NULL);
    CHECK(lsuit_manifest_part(&m, 17) == NULL);
    CHECK(lsuit_manifest_part(&m, -1) == NULL);
}

int main(void)
{
    make_key(&alice, 1, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    make_key(&bob, 2, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    envelopes();
    payloads();
    signers();
    one_key_twice();
    after_the_digest();
    wrappers();
    manifests();
    severed();
    parts();
    return check_done();
}
