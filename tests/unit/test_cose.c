/*
 * COSE_Sign1, COSE_Sign, COSE_Mac0: which structures are taken, which keys are asked, what a
 * signature covers.
 */
#include "check.h"

#include "lsuit/cose.h"

#include "suit_make.h"

static const struct lsuit_bytes NONE = { NULL, 0 };

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

/* clang-format off */
static const struct {
    const char *doc;
    enum lsuit_err want;
    int32_t alg;
    const char *name;
} DOCS[] = {
  { "d2 84 43a10126 a0 f6 4101",              LSUIT_OK, -7, "detached, ES256" },
  { "d2 84 43a10128 a0 f6 4101",              LSUIT_OK, -9, "detached, ESP256" },
  { "d2 84 43a10128 a0 420102 4101",          LSUIT_OK, -9, "attached" },
  { "d2 84 43a10128 a0 f6 40",                LSUIT_OK, -9, "an empty signature; verifying refuses it" },
  { "d1 84 43a10105 a0 f6 4101",              LSUIT_OK, 5,  "COSE_Mac0" },
  { "d2 84 43a10128 a1 04 4161 f6 4101",      LSUIT_OK, -9, "kid outside" },
  { "d2 84 46a20128 044161 a0 f6 4101",       LSUIT_OK, -9, "kid inside" },
  { "d2 84 45a2012803 00 a0 f6 4101",         LSUIT_OK, -9, "content type" },
  { "d2 84 43a10128 a1 6178 80 f6 4101",      LSUIT_OK, -9, "a text label that nobody knows" },
  { "d2 84 43a10128 a1 01 26 f6 4101",        LSUIT_OK, -9, "another algorithm outside is ignored" },
  { "d2 84 46a201280281 01 a0 f6 4101",       LSUIT_OK, -9, "alg is critical" },
  { "d2 84 49a3012802810404 4161 a0 f6 4101", LSUIT_OK, -9, "kid is critical" },

  { "d862 84 40 a0 f6 81 83 43a10128 a0 4101", LSUIT_OK, 0, "COSE_Sign; its signers are looked at one by one" },
  { "d862 84 41a0 a0 420102 81 83 40 a0 4101", LSUIT_OK, 0, "COSE_Sign, attached, an empty map in the body" },
  { "d2 84 46a204 4161 0128 a2 21 00 05 40 f6 4101", LSUIT_OK, -9, "labels in any order" },
  { "d2 84 49a201280681818181 80 a0 f6 4101", LSUIT_OK, -9, "eight levels, wrapping counted" },
  { "d2 84 4aa20128068181818181 80 a0 f6 4101", LSUIT_ERR_LIMIT, 0, "nine levels" },
  { "d2 84 43a10128 a8 0600 0700 0800 0900 0a00 0b00 0c00 0d00 f6 4101", LSUIT_OK, -9, "eight labels" },
  { "d2 84 43a10128 a9 0600 0700 0800 0900 0a00 0b00 0c00 0d00 0e00 f6 4101", LSUIT_ERR_LIMIT, 0, "nine labels" },

  { "84 43a10128 a0 f6 4101",                 LSUIT_ERR_CBOR, 0, "untagged" },
  { "d2 83 43a10128 a0 4101",                 LSUIT_ERR_CBOR, 0, "three members" },
  { "d2 85 43a10128 a0 f6 4101 00",           LSUIT_ERR_CBOR, 0, "five members" },
  { "d2 a0",                                  LSUIT_ERR_CBOR, 0, "a map" },
  { "d2 84 a10128 a0 f6 4101",                LSUIT_ERR_CBOR, 0, "the protected header isn't wrapped" },
  { "d2 84 43a10128 80 f6 4101",              LSUIT_ERR_CBOR, 0, "the other header is an array" },
  { "d2 84 43a10128 a0 f5 4101",              LSUIT_ERR_CBOR, 0, "the payload is true" },
  { "d2 84 43a10128 a0 6161 4101",            LSUIT_ERR_CBOR, 0, "the payload is text" },
  { "d2 84 43a10128 a0 f6 f6",                LSUIT_ERR_CBOR, 0, "no signature" },
  { "d2 84 43a10128 a0 f6 4101 00",           LSUIT_ERR_CBOR, 0, "a byte after it" },
  { "d2 84 44a1012800 a0 f6 4101",            LSUIT_ERR_CBOR, 0, "a byte after the protected header" },
  { "d2 84 45a201280126 a0 f6 4101",          LSUIT_ERR_CBOR, 0, "the algorithm twice" },
  { "d2 84 43a10128 a2 044161 044162 f6 4101", LSUIT_ERR_CBOR, 0, "the kid twice" },
  { "d2 84 43a10128 a3 04 4161 00 f6 04 4162 f6 4101", LSUIT_ERR_CBOR, 0, "the kid twice, another between" },
  { "d2 84 43a10128 a2 6178 80 6178 80 f6 4101", LSUIT_ERR_CBOR, 0, "a text label twice" },
  { "d2 84 43a10128 a1 04 6161 f6 4101",      LSUIT_ERR_CBOR, 0, "the kid is text" },
  { "d2 84 46a201280280 00 a0 f6 4101",       LSUIT_ERR_CBOR, 0, "crit is empty, and a byte too many" },
  { "d2 84 45a201280280 a0 f6 4101",          LSUIT_ERR_CBOR, 0, "crit is empty" },
  { "d2 84 45a201280204 a0 f6 4101",          LSUIT_ERR_CBOR, 0, "crit is no array" },
  { "d2 84 41f6 a0 f6 4101",                  LSUIT_ERR_CBOR, 0, "the protected header is null" },
  { "d2",                                     LSUIT_ERR_CBOR, 0, "a tag alone" },
  { "",                                       LSUIT_ERR_CBOR, 0, "nothing" },

  { "d2 84 40 a0 f6 4101",                    LSUIT_ERR_COSE, 0, "an empty protected header" },
  { "d2 84 41a0 a0 f6 4101",                  LSUIT_ERR_COSE, 0, "no algorithm" },
  { "d2 84 40 a1 01 28 f6 4101",              LSUIT_ERR_COSE, 0, "the algorithm outside only" },
  { "d2 84 48a1016545533235 36 a0 f6 4101",   LSUIT_ERR_COSE, 0, "a text algorithm" },
  { "d2 84 47a1013a80000000 a0 f6 4101",      LSUIT_ERR_COSE, 0, "an algorithm below 32 bits" },
  { "d2 84 47a1011a80000000 a0 f6 4101",      LSUIT_ERR_COSE, 0, "an algorithm above 32 bits" },
  { "d2 84 47a20128028118 63 a0 f6 4101",     LSUIT_ERR_COSE, 0, "crit names label 99" },
  { "d2 84 46a201280281 02 a0 f6 4101",       LSUIT_ERR_COSE, 0, "crit names itself" },
  { "d2 84 47a20128028161 78 a0 f6 4101",     LSUIT_ERR_COSE, 0, "crit names a text label" },
  { "d2 84 46a201280281 04 a1044161 f6 4101", LSUIT_ERR_COSE, 0, "crit names a kid that stands outside" },
  { "d2 84 43a10128 a1 02 81 01 f6 4101",     LSUIT_ERR_COSE, 0, "crit outside the protected header" },
  { "d862 84 40 a0 f6 80",                    LSUIT_ERR_CBOR, 0, "COSE_Sign without a signature" },
  { "d862 84 40 a0 f6 a10000",                LSUIT_ERR_CBOR, 0, "COSE_Sign, a map of signatures" },
  { "d862 84 40 a0 f6 81 4101 00",            LSUIT_ERR_CBOR, 0, "COSE_Sign, a byte after it" },
  { "d862 84 40 a0 f6 81 84 43a10128 a0 f6 4101", LSUIT_ERR_CBOR, 0, "COSE_Sign, a signer of four members" },
  { "d862 84 40 a0 f6 82 83 43a10128 a0 4101 82 43a10128 a0", LSUIT_ERR_CBOR, 0, "COSE_Sign, a signer of two members" },
  { "d862 84 40 a0 f6 81 83 43a10128 a0 6161", LSUIT_ERR_CBOR, 0, "COSE_Sign, a text signature" },
  { "d862 84 40 a0 f6 81 83 a10128 a0 4101",  LSUIT_ERR_CBOR, 0, "COSE_Sign, a protected header that isn't wrapped" },
  { "d862 84 40 a0 f6 82 00 00",              LSUIT_ERR_CBOR, 0, "COSE_Sign, signers that are numbers" },
  { "d862 84 41ff a0 f6 81 4101",             LSUIT_ERR_CBOR, 0, "COSE_Sign, a body header of nonsense" },
  { "d862 84 45a201280280 a0 f6 81 4101",     LSUIT_ERR_CBOR, 0, "COSE_Sign, an empty crit in the body" },
  { "d862 84 44a1028102 a0 f6 81 4101",       LSUIT_ERR_COSE, 0, "COSE_Sign, an unknown crit in the body" },
  { "d0 83 40 a0 40",                         LSUIT_ERR_COSE, 0, "COSE_Encrypt0" },
  { "d861 85 40 a0 f6 40 80",                 LSUIT_ERR_COSE, 0, "COSE_Mac" },
  { "d862 84 40 a0 f6",                       LSUIT_ERR_CBOR, 0, "COSE_Sign, cut" },
};
/* clang-format on */

static void structures(void)
{
    for (size_t i = 0; i < sizeof DOCS / sizeof *DOCS; i++) {
        uint8_t doc[64];
        size_t n = check_hex(DOCS[i].doc, doc, sizeof doc);
        struct lsuit_cose cose = { 0 };

        check_case(DOCS[i].name);
        CHECK_INT(lsuit_cose_read((struct lsuit_bytes){ doc, n }, &cose), DOCS[i].want);
        CHECK_INT(cose.alg, DOCS[i].alg);
    }
}

/* clang-format off */
static const struct {
    const char *signer; /* the second of a COSE_Sign with two */
    enum lsuit_err want;
    int32_t alg;
    const char *name;
} SIGNERS[] = {
  { "83 43a10128 a0 4101",       LSUIT_OK, -9, "a signer" },
  { "83 43a10128 a1044161 4101", LSUIT_OK, -9, "a signer with a kid" },
  { "83 46a201280281 01 a0 4101", LSUIT_OK, -9, "a signer whose alg is critical" },
  { "83 40 a10128 4101",         LSUIT_ERR_COSE, 0, "a signer with the algorithm outside" },
  { "83 46a201280281 02 a0 4101", LSUIT_ERR_COSE, 0, "a signer with an unknown crit" },
  { "83 43a10128 a10281 01 4101", LSUIT_ERR_COSE, 0, "a signer with crit outside" },
};
/* clang-format on */

static void signers(void)
{
    for (size_t i = 0; i < sizeof SIGNERS / sizeof *SIGNERS; i++) {
        uint8_t doc[64];
        size_t n = check_hex("d862 84 40 a0 f6 82 83 43a10126 a0 420203", doc, sizeof doc);
        struct lsuit_cose cose = { 0 }, one = { 0 };

        n += check_hex(SIGNERS[i].signer, doc + n, sizeof doc - n);
        check_case(SIGNERS[i].name);
        CHECK_INT(lsuit_cose_read((struct lsuit_bytes){ doc, n }, &cose), LSUIT_OK);
        CHECK_UINT(cose.signers_n, 2);
        CHECK_INT(lsuit_cose_signer(&cose, 1, &one), SIGNERS[i].want);
        CHECK_INT(one.alg, SIGNERS[i].alg);
        CHECK_INT(lsuit_cose_signer(&cose, 0, &one), LSUIT_OK);
        CHECK_INT(one.alg, LSUIT_ALG_ES256);
        CHECK_BYTES(one.signature.ptr, one.signature.len, "\2\3", 2);
        CHECK_INT(lsuit_cose_signer(&cose, 2, &one), LSUIT_ERR_USAGE);
    }
}

/* --- an adapter that notes which keys it is asked to try --- */

struct tried {
    char kids[16];
    size_t n;
    enum lsuit_err answer;
    const char *good; /* the material that fits */
    uint8_t signed_[128];
    size_t signed_len;
};

static enum lsuit_err note_verify(void *ctx, const struct lsuit_key *key, int32_t alg,
                                  const struct lsuit_bytes *parts, size_t parts_n,
                                  struct lsuit_bytes signature)
{
    struct tried *t = ctx;

    (void)alg;
    (void)signature;
    t->kids[t->n++] = (char)key->material.ptr[0];
    t->signed_len = 0;
    for (size_t i = 0; i < parts_n; i++) {
        if (parts[i].len > 0)
            memcpy(t->signed_ + t->signed_len, parts[i].ptr, parts[i].len);
        t->signed_len += parts[i].len;
    }
    return t->good != NULL && key->material.ptr[0] == (uint8_t)t->good[0] ? LSUIT_OK : t->answer;
}

static struct lsuit_key key_of(const char *material, const char *kid, enum lsuit_key_type type)
{
    return (struct lsuit_key){ type, text(material), kid != NULL ? text(kid) : NONE };
}

static void keys_asked(void)
{
    struct tried tried = { .answer = LSUIT_ERR_UNAUTHORISED };
    const struct lsuit_crypto crypto = { .size = sizeof crypto,
                                         .ctx = &tried,
                                         .verify = note_verify };
    const struct lsuit_key keys[] = {
        key_of("a", "one", LSUIT_KEY_P256),    key_of("b", NULL, LSUIT_KEY_P256),
        key_of("c", "two", LSUIT_KEY_P256),    key_of("d", "one", LSUIT_KEY_P256),
        key_of("e", "one", LSUIT_KEY_HMAC256), key_of("f", "one", LSUIT_KEY_ED25519),
    };
    struct lsuit_cose cose = { .tag = LSUIT_TAG_COSE_SIGN1,
                               .alg = LSUIT_ALG_ESP256,
                               .kid = text("one"),
                               .signature = text("s") };
    size_t index = 99;

    check_case("keys that the kid names come first, the others after, other types never");
    CHECK_INT(lsuit_cose_verify(&cose, &crypto, keys, 6, NONE, text("p"), &index),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_STR(tried.kids, "adbc");
    CHECK_UINT(index, 99);

    check_case("a kid that nobody has is no obstacle");
    memset(&tried, 0, sizeof tried);
    tried.answer = LSUIT_ERR_UNAUTHORISED;
    tried.good = "c";
    cose.kid = text("three");
    CHECK_INT(lsuit_cose_verify(&cose, &crypto, keys, 6, NONE, text("p"), &index), LSUIT_OK);
    CHECK_STR(tried.kids, "abc");
    CHECK_UINT(index, 2);

    check_case("two keys of one kid: the second fits");
    memset(&tried, 0, sizeof tried);
    tried.answer = LSUIT_ERR_UNAUTHORISED;
    tried.good = "d";
    cose.kid = text("one");
    CHECK_INT(lsuit_cose_verify(&cose, &crypto, keys, 6, NONE, text("p"), &index), LSUIT_OK);
    CHECK_STR(tried.kids, "ad");
    CHECK_UINT(index, 3);

    check_case("a Mac0 asks MAC keys only");
    memset(&tried, 0, sizeof tried);
    tried.answer = LSUIT_ERR_ALG;
    cose.tag = LSUIT_TAG_COSE_MAC0;
    cose.alg = LSUIT_ALG_HMAC256;
    CHECK_INT(lsuit_cose_verify(&cose, &crypto, keys, 6, NONE, text("p"), NULL), LSUIT_ERR_ALG);
    CHECK_STR(tried.kids, "e");
    CHECK_BYTES(tried.signed_, 6, "\x84\x64MAC0", 6);

    check_case("HMAC in a Sign1 and ES256 in a Mac0 are no algorithms");
    memset(&tried, 0, sizeof tried);
    cose.tag = LSUIT_TAG_COSE_SIGN1;
    CHECK_INT(lsuit_cose_verify(&cose, &crypto, keys, 6, NONE, text("p"), NULL), LSUIT_ERR_ALG);
    cose.tag = LSUIT_TAG_COSE_MAC0;
    cose.alg = LSUIT_ALG_ES256;
    CHECK_INT(lsuit_cose_verify(&cose, &crypto, keys, 6, NONE, text("p"), NULL), LSUIT_ERR_ALG);
    CHECK_UINT(tried.n, 0);

    check_case("an algorithm that we know without a key of its type");
    cose.tag = LSUIT_TAG_COSE_SIGN1;
    cose.alg = LSUIT_ALG_HSS_LMS;
    CHECK_INT(lsuit_cose_verify(&cose, &crypto, keys, 6, NONE, text("p"), NULL),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(lsuit_cose_verify(&cose, &crypto, NULL, 0, NONE, text("p"), NULL),
              LSUIT_ERR_UNAUTHORISED);

    check_case("an adapter that is absent or of another size");
    cose.alg = LSUIT_ALG_ES256;
    CHECK_INT(lsuit_cose_verify(&cose, NULL, keys, 6, NONE, text("p"), NULL), LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_cose_verify(&cose, &(struct lsuit_crypto){ .size = 8 }, keys, 6, NONE,
                                text("p"), NULL),
              LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_cose_verify(&cose, &(struct lsuit_crypto){ .size = sizeof crypto }, keys, 6,
                                NONE, text("p"), NULL),
              LSUIT_ERR_ALG);
}

/* --- real signatures --- */

static void signatures(void)
{
    struct make_key good, other, random;
    uint8_t buf[256], again[256], tbs[256], sig[64];
    struct lsuit_bytes doc, doc2, part;
    struct lsuit_cose cose;
    size_t len = 0;
    static const char TBS[] = "846a5369676e617475726531 43a10128 43616164 4770617"
                              "96c6f6164";
    uint8_t want[64];

    make_key(&good, 1, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    make_key(&other, 2, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    make_key(&random, 3, PSA_ALG_ECDSA(PSA_ALG_SHA_256));

    check_case("what is signed");
    CHECK_INT(
        lsuit_cose_tbs(LSUIT_ALG_ESP256, text("aad"), text("payload"), tbs, sizeof tbs, &part),
        LSUIT_OK);
    CHECK_BYTES(part.ptr, part.len, want, check_hex(TBS, want, sizeof want));
    for (size_t cap = 0; cap < part.len; cap++)
        CHECK_INT(lsuit_cose_tbs(LSUIT_ALG_ESP256, text("aad"), text("payload"), tbs, cap, &doc),
                  LSUIT_ERR_SPACE);

    check_case("sign and verify, attached");
    CHECK_INT(lsuit_cose_sign1(&lsuit_crypto_psa, good.id, LSUIT_ALG_ESP256, text("kid"),
                               text("aad"), text("payload"), buf, sizeof buf, &doc),
              LSUIT_OK);
    CHECK(doc.len <= 7 + LSUIT_COSE_OVERHEAD);
    CHECK_INT(lsuit_cose_read(doc, &cose), LSUIT_OK);
    CHECK_BYTES(cose.payload.ptr, cose.payload.len, "payload", 7);
    CHECK_BYTES(cose.kid.ptr, cose.kid.len, "kid", 3);
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &good.key, 1, text("aad"),
                                text("ignored"), NULL),
              LSUIT_OK);

    check_case("deterministic: the same bytes again");
    CHECK_INT(lsuit_cose_sign1(&lsuit_crypto_psa, good.id, LSUIT_ALG_ESP256, text("kid"),
                               text("aad"), text("payload"), again, sizeof again, &doc2),
              LSUIT_OK);
    CHECK_BYTES(doc2.ptr, doc2.len, doc.ptr, doc.len);

    check_case("another key, another domain, another payload");
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &other.key, 1, text("aad"), NONE, NULL),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &good.key, 1, text("aae"), NONE, NULL),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &good.key, 1, NONE, NONE, NULL),
              LSUIT_ERR_UNAUTHORISED);
    cose.payload = text("payloae");
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &good.key, 1, text("aad"), NONE, NULL),
              LSUIT_ERR_UNAUTHORISED);

    check_case("each byte of a signed document, but for the unprotected header");
    for (size_t i = 0; i < doc.len; i++) {
        buf[i] ^= 0x10;
        if (lsuit_cose_read(doc, &cose) == LSUIT_OK && (i < 6 || i > 11))
            CHECK(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &good.key, 1, text("aad"), NONE,
                                    NULL) != LSUIT_OK);
        buf[i] ^= 0x10;
    }

    check_case("signed outside, with a key that may not sign deterministically");
    CHECK_INT(lsuit_cose_tbs(LSUIT_ALG_ES256, NONE, text("p"), tbs, sizeof tbs, &part), LSUIT_OK);
    CHECK_INT(
        lsuit_crypto_psa.sign(NULL, random.id, LSUIT_ALG_ES256, &part, 1, sig, sizeof sig, &len),
        LSUIT_OK);
    CHECK_UINT(len, LSUIT_ES256_LEN);
    CHECK_INT(lsuit_cose_sign1_write(LSUIT_ALG_ES256, NONE, NONE, (struct lsuit_bytes){ sig, len },
                                     buf, sizeof buf, &doc),
              LSUIT_OK);
    CHECK_INT(lsuit_cose_read(doc, &cose), LSUIT_OK);
    CHECK(cose.payload.ptr == NULL && cose.kid.ptr == NULL);
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &random.key, 1, NONE, text("p"), NULL),
              LSUIT_OK);

    check_case("signatures of another length");
    for (size_t n = 0; n <= 72; n += 8) {
        uint8_t longer[72] = { 0 };

        memcpy(longer, sig, n < sizeof sig ? n : sizeof sig);
        cose.signature = (struct lsuit_bytes){ longer, n };
        CHECK_INT(
            lsuit_cose_verify(&cose, &lsuit_crypto_psa, &random.key, 1, NONE, text("p"), NULL),
            n == sizeof sig ? LSUIT_OK : LSUIT_ERR_UNAUTHORISED);
    }

    check_case("a key that is no point, an algorithm that isn't there");
    memset(random.point + 1, 0xff, 64);
    cose.signature = (struct lsuit_bytes){ sig, sizeof sig };
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &random.key, 1, NONE, text("p"), NULL),
              LSUIT_ERR_CRYPTO);
    random.key.material.len = 64;
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &random.key, 1, NONE, text("p"), NULL),
              LSUIT_ERR_CRYPTO);
    CHECK_INT(lsuit_cose_sign1(&lsuit_crypto_psa, good.id, LSUIT_ALG_ED25519, NONE, NONE, text("p"),
                               buf, sizeof buf, &doc),
              LSUIT_ERR_ALG);
    CHECK_INT(lsuit_cose_sign1(&lsuit_crypto_psa, good.id, LSUIT_ALG_ESP256, NONE, NONE, NONE, buf,
                               sizeof buf, &doc),
              LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_cose_sign1(&lsuit_crypto_psa, 0x7fff, LSUIT_ALG_ESP256, NONE, NONE, text("p"),
                               buf, sizeof buf, &doc),
              LSUIT_ERR_CRYPTO);
}

/* Sign `payload` as a signer of a COSE_Sign with this body header; returns the COSE_Signature. */
static struct lsuit_bytes cosign(const struct make_key *k, const char *body, struct lsuit_bytes aad,
                                 struct lsuit_bytes payload, uint8_t *buf, size_t cap)
{
    static const uint8_t PROTECTED[] = { 0xa1, 0x01, 0x28 };
    uint8_t tbs[256], sig[64];
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(tbs, sizeof tbs);
    struct lsuit_bytes part = { NULL, 0 }, doc = { NULL, 0 };
    size_t len = 0;

    lsuit_put_array(&w, 5);
    lsuit_put_text(&w, "Signature");
    lsuit_put_bstr(&w, text(body));
    lsuit_put_bstr(&w, (struct lsuit_bytes){ PROTECTED, sizeof PROTECTED });
    lsuit_put_bstr(&w, aad);
    lsuit_put_bstr(&w, payload);
    CHECK_INT(lsuit_put_finish(&w, &part), LSUIT_OK);
    CHECK_INT(lsuit_crypto_psa.sign(NULL, k->id, LSUIT_ALG_ESP256, &part, 1, sig, sizeof sig, &len),
              LSUIT_OK);
    w = lsuit_cbor_writer_init(buf, cap);
    lsuit_put_array(&w, 3);
    lsuit_put_bstr(&w, (struct lsuit_bytes){ PROTECTED, sizeof PROTECTED });
    lsuit_put_map(&w, 0);
    lsuit_put_bstr(&w, (struct lsuit_bytes){ sig, len });
    CHECK_INT(lsuit_put_finish(&w, &doc), LSUIT_OK);
    return doc;
}

/* A detached COSE_Sign with a body header and one signature. */
static struct lsuit_bytes sign_of(const char *body, struct lsuit_bytes signature, uint8_t *buf,
                                  size_t cap)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    struct lsuit_bytes doc = { NULL, 0 };

    lsuit_put_tag(&w, LSUIT_TAG_COSE_SIGN);
    lsuit_put_array(&w, 4);
    lsuit_put_bstr(&w, text(body));
    lsuit_put_map(&w, 0);
    lsuit_put_null(&w);
    lsuit_put_array(&w, 1);
    lsuit_put_item(&w, signature);
    CHECK_INT(lsuit_put_finish(&w, &doc), LSUIT_OK);
    return doc;
}

static enum lsuit_err cosign_verify(struct lsuit_bytes doc, const struct lsuit_key *key,
                                    struct lsuit_bytes aad, struct lsuit_bytes payload)
{
    struct lsuit_cose cose, one;

    if (!CHECK_INT(lsuit_cose_read(doc, &cose), LSUIT_OK) ||
        !CHECK_INT(lsuit_cose_signer(&cose, 0, &one), LSUIT_OK))
        return LSUIT_ERR_USAGE;
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, key, 1, aad, payload, NULL),
              LSUIT_ERR_ALG); /* not as a whole */
    return lsuit_cose_verify(&one, &lsuit_crypto_psa, key, 1, aad, payload, NULL);
}

static void several_signers(void)
{
    static const char BODY[] = "\xa1\x03\x01"; /* a content type */
    struct make_key good, other;
    uint8_t buf[256], sig[128];
    struct lsuit_bytes doc, signature;

    make_key(&good, 1, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    make_key(&other, 2, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));

    check_case("a signer of a COSE_Sign covers the header of the whole");
    signature = cosign(&good, BODY, text("aad"), text("p"), sig, sizeof sig);
    doc = sign_of(BODY, signature, buf, sizeof buf);
    CHECK_INT(cosign_verify(doc, &good.key, text("aad"), text("p")), LSUIT_OK);
    CHECK_INT(cosign_verify(doc, &other.key, text("aad"), text("p")), LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(cosign_verify(doc, &good.key, text("aae"), text("p")), LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(cosign_verify(doc, &good.key, text("aad"), text("q")), LSUIT_ERR_UNAUTHORISED);
    doc = sign_of("\xa1\x03\x02", signature, buf, sizeof buf);
    CHECK_INT(cosign_verify(doc, &good.key, text("aad"), text("p")), LSUIT_ERR_UNAUTHORISED);

    check_case("an empty map in the body is signed as an empty string");
    signature = cosign(&good, "", NONE, text("p"), sig, sizeof sig);
    CHECK_INT(cosign_verify(sign_of("", signature, buf, sizeof buf), &good.key, NONE, text("p")),
              LSUIT_OK);
    CHECK_INT(
        cosign_verify(sign_of("\xa0", signature, buf, sizeof buf), &good.key, NONE, text("p")),
        LSUIT_OK);

    check_case("a signature does not move between COSE_Sign and COSE_Sign1");
    CHECK_INT(lsuit_cose_sign1_write(LSUIT_ALG_ESP256, NONE, NONE,
                                     (struct lsuit_bytes){ sig + signature.len - 64, 64 }, buf,
                                     sizeof buf, &doc),
              LSUIT_OK);
    struct lsuit_cose cose;
    CHECK_INT(lsuit_cose_read(doc, &cose), LSUIT_OK);
    CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &good.key, 1, NONE, text("p"), NULL),
              LSUIT_ERR_UNAUTHORISED);
}

/* HMAC 256/256 with the key 'a' 32 times; Python's hmac made the tag. */
static void macs(void)
{
    static const char SECRET[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const char TAG[] = "9be23604218ae1201061cd4210e311b9"
                              "060292f6aa5ef59bd56e2a9e041ceb5e";
    struct lsuit_key key = key_of(SECRET, NULL, LSUIT_KEY_HMAC256);
    uint8_t tag[33] = { 0 };
    struct lsuit_cose cose = { .tag = LSUIT_TAG_COSE_MAC0,
                               .alg = LSUIT_ALG_HMAC256,
                               .protected_ = text("\xa1\x01\x05") };

    check_case("a MAC fits, and only as a whole");
    cose.signature = (struct lsuit_bytes){ tag, check_hex(TAG, tag, sizeof tag) };
    CHECK_INT(
        lsuit_cose_verify(&cose, &lsuit_crypto_psa, &key, 1, text("aad"), text("payload"), NULL),
        LSUIT_OK);
    for (size_t n = 0; n <= 33; n++) {
        cose.signature.len = n;
        CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &key, 1, text("aad"), text("payload"),
                                    NULL),
                  n == 32 ? LSUIT_OK : LSUIT_ERR_UNAUTHORISED);
    }
    cose.signature.len = 32;
    for (size_t i = 0; i < 32; i++) {
        tag[i] ^= 1;
        CHECK_INT(lsuit_cose_verify(&cose, &lsuit_crypto_psa, &key, 1, text("aad"), text("payload"),
                                    NULL),
                  LSUIT_ERR_UNAUTHORISED);
        tag[i] ^= 1;
    }

    check_case("another secret, a short one, a public key as a secret");
    key.material = text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    CHECK_INT(
        lsuit_cose_verify(&cose, &lsuit_crypto_psa, &key, 1, text("aad"), text("payload"), NULL),
        LSUIT_ERR_UNAUTHORISED);
    key.material = (struct lsuit_bytes){ (const uint8_t *)SECRET, 31 };
    CHECK_INT(
        lsuit_cose_verify(&cose, &lsuit_crypto_psa, &key, 1, text("aad"), text("payload"), NULL),
        LSUIT_ERR_CRYPTO);
    key.material.len = 32;
    key.type = LSUIT_KEY_P256;
    CHECK_INT(
        lsuit_cose_verify(&cose, &lsuit_crypto_psa, &key, 1, text("aad"), text("payload"), NULL),
        LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(
        lsuit_crypto_psa.verify(NULL, &key, LSUIT_ALG_HMAC256, &cose.payload, 1, cose.signature),
        LSUIT_ERR_ALG);
}

/* The adapter by itself, and where the kid is looked for. */
static void adapter(void)
{
    uint8_t doc[64];
    size_t n = check_hex("d2 84 46a20128 044161 a1044162 f6 4101", doc, sizeof doc);
    struct make_key key;
    struct lsuit_bytes part = text("p");
    struct lsuit_cose cose;

    check_case("a kid under the signature comes before one outside");
    CHECK_INT(lsuit_cose_read((struct lsuit_bytes){ doc, n }, &cose), LSUIT_OK);
    CHECK_BYTES(cose.kid.ptr, cose.kid.len, "a", 1);

    check_case("the adapter refuses a key of another type and algorithms that it lacks");
    make_key(&key, 4, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    key.key.type = LSUIT_KEY_HMAC256;
    CHECK_INT(lsuit_crypto_psa.verify(NULL, &key.key, LSUIT_ALG_ES256, &part, 1, text("s")),
              LSUIT_ERR_ALG);
    key.key.type = LSUIT_KEY_P256;
    CHECK_INT(lsuit_crypto_psa.verify(NULL, &key.key, LSUIT_ALG_HMAC256, &part, 1, text("s")),
              LSUIT_ERR_ALG);
    CHECK_INT(lsuit_crypto_psa.verify(NULL, &key.key, LSUIT_ALG_ED25519, &part, 1, text("s")),
              LSUIT_ERR_ALG);
}

static void hashes(void)
{
    uint8_t out[64];
    size_t len = 0;

    check_case("the adapter's hashes");
    CHECK_INT(lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, text("abc"), out, 64, &len),
              LSUIT_OK);
    CHECK_UINT(len, 32);
    CHECK_BYTES(out, 4, "\xba\x78\x16\xbf", 4);
    CHECK_INT(lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA384, text("abc"), out, 64, &len),
              LSUIT_OK);
    CHECK_UINT(len, 48);
    CHECK_BYTES(out, 4, "\xcb\x00\x75\x3f", 4);
    CHECK_INT(lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA512, NONE, out, 64, &len), LSUIT_OK);
    CHECK_UINT(len, 64);
    CHECK_BYTES(out, 4, "\xcf\x83\xe1\x35", 4);
    CHECK_INT(lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, text("abc"), out, 31, &len),
              LSUIT_ERR_SPACE);
    CHECK_INT(lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHAKE128, NONE, out, 64, &len),
              LSUIT_ERR_ALG);
    CHECK_INT(lsuit_hash_bytes(NULL, LSUIT_ALG_SHA256, NONE, out, 64, &len), LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_hash_bytes(&(struct lsuit_crypto){ .size = sizeof(struct lsuit_crypto) },
                               LSUIT_ALG_SHA256, NONE, out, 64, &len),
              LSUIT_ERR_ALG);

    check_case("lengths of digests");
    CHECK_UINT(lsuit_digest_len(LSUIT_ALG_SHA256), 32);
    CHECK_UINT(lsuit_digest_len(LSUIT_ALG_SHA384), 48);
    CHECK_UINT(lsuit_digest_len(LSUIT_ALG_SHA512), 64);
    CHECK_UINT(lsuit_digest_len(LSUIT_ALG_SHAKE128), 32);
    CHECK_UINT(lsuit_digest_len(LSUIT_ALG_SHAKE256), 64);
    CHECK_UINT(lsuit_digest_len(-15), 0); /* SHA-256/64, truncated */
    CHECK_UINT(lsuit_digest_len(2), 0);   /* SHA-256 in the drafts before -14 */
    CHECK_UINT(lsuit_digest_len(0), 0);
}

int main(void)
{
    structures();
    signers();
    keys_asked();
    signatures();
    several_signers();
    macs();
    adapter();
    hashes();
    return check_done();
}
