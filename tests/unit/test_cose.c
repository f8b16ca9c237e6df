/*
 * COSE_Sign1: which structures are taken, which keys are asked, what a signature covers.
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
  { "d862 84 40 a0 f6 80",                    LSUIT_ERR_COSE, 0, "COSE_Sign" },
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
    keys_asked();
    signatures();
    adapter();
    hashes();
    return check_done();
}
