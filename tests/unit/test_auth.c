/*
 * Who signed an envelope, by blocks of every structure: thresholds count different keys, whatever
 * they signed with.
 */
#include "suit_make.h"

static const struct lsuit_bytes NONE = { NULL, 0 };
static const char SECRET[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

enum { ALICE, BOB, EVE };
static struct make_key people[3];

/* What a COSE_Signature covers, or a COSE_Mac0. */
static struct lsuit_bytes covered(const char *context, const char *protected_hex, bool sign,
                                  struct lsuit_bytes payload, uint8_t *buf, size_t cap)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    struct lsuit_bytes doc = NONE;
    uint8_t header[16];
    size_t n = check_hex(protected_hex, header, sizeof header);

    lsuit_put_array(&w, sign ? 5 : 4);
    lsuit_put_text(&w, context);
    if (sign)
        lsuit_put_bstr(&w, NONE);
    lsuit_put_bstr(&w, (struct lsuit_bytes){ header, n });
    lsuit_put_bstr(&w, NONE);
    lsuit_put_bstr(&w, payload);
    CHECK_INT(lsuit_put_finish(&w, &doc), LSUIT_OK);
    return doc;
}

/* One COSE_Signature by a letter: a, b, e the three people; x a broken one of alice; u an unknown
 * algorithm; n none at all. */
static void put_signature(struct lsuit_cbor_writer *w, char who, struct lsuit_bytes digest)
{
    static const uint8_t ESP256[] = { 0xa1, 0x01, 0x28 },
                         OTHER[] = { 0xa1, 0x01, 0x39, 0x01, 0x2b };
    uint8_t tbs[256], sig[64] = { 0 };
    struct lsuit_bytes part = covered("Signature", "a10128", true, digest, tbs, sizeof tbs);
    const struct make_key *k = &people[who == 'b' ? BOB : who == 'e' ? EVE : ALICE];
    size_t n = 0;

    CHECK_INT(lsuit_crypto_psa.sign(NULL, k->id, LSUIT_ALG_ESP256, &part, 1, sig, sizeof sig, &n),
              LSUIT_OK);
    if (who == 'x')
        sig[5] ^= 1;
    lsuit_put_array(w, 3);
    if (who == 'u')
        lsuit_put_bstr(w, (struct lsuit_bytes){ OTHER, sizeof OTHER });
    else
        lsuit_put_bstr(w, who == 'n' ? NONE : (struct lsuit_bytes){ ESP256, sizeof ESP256 });
    lsuit_put_map(w, 0);
    lsuit_put_bstr(w, (struct lsuit_bytes){ sig, sizeof sig });
}

static void put_sign(struct lsuit_cbor_writer *w, const char *who, size_t n,
                     struct lsuit_bytes digest)
{
    lsuit_put_tag(w, LSUIT_TAG_COSE_SIGN);
    lsuit_put_array(w, 4);
    lsuit_put_bstr(w, NONE);
    lsuit_put_map(w, 0);
    lsuit_put_null(w);
    lsuit_put_array(w, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_signature(w, who[i], digest);
}

static void put_mac(struct lsuit_cbor_writer *w, struct lsuit_bytes digest)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;
    uint8_t tbs[256], tag[32];
    struct lsuit_bytes part = covered("MAC0", "a10105", false, digest, tbs, sizeof tbs);
    static const uint8_t HMAC[] = { 0xa1, 0x01, 0x05 };
    size_t n = 0;

    psa_set_key_type(&attr, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attr, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    CHECK_INT(psa_import_key(&attr, (const uint8_t *)SECRET, 32, &id), PSA_SUCCESS);
    CHECK_INT(
        psa_mac_compute(id, PSA_ALG_HMAC(PSA_ALG_SHA_256), part.ptr, part.len, tag, sizeof tag, &n),
        PSA_SUCCESS);
    psa_destroy_key(id);
    lsuit_put_tag(w, LSUIT_TAG_COSE_MAC0);
    lsuit_put_array(w, 4);
    lsuit_put_bstr(w, (struct lsuit_bytes){ HMAC, sizeof HMAC });
    lsuit_put_map(w, 0);
    lsuit_put_null(w);
    lsuit_put_bstr(w, (struct lsuit_bytes){ tag, n });
}

/* --- blocks, separated by a blank: "1a" a COSE_Sign1 by alice, "ab" a COSE_Sign, "m" a MAC --- */

/* clang-format off */
static const struct {
    const char *blocks;
    uint32_t threshold;
    enum lsuit_err want;
    uint32_t signers; /* bits: alice, bob, the secret */
    const char *name;
} CASES[] = {
  { "ab",      2, LSUIT_OK, 3, "two signers in one COSE_Sign" },
  { "ba",      2, LSUIT_OK, 3, "in the other order" },
  { "ab",      1, LSUIT_OK, 3, "two where one is enough" },
  { "a b",     2, LSUIT_OK, 3, "one in each of two COSE_Sign" },
  { "1a b",    2, LSUIT_OK, 3, "a COSE_Sign1 and a COSE_Sign" },
  { "1a m",    2, LSUIT_OK, 5, "a COSE_Sign1 and a COSE_Mac0" },
  { "m",       1, LSUIT_OK, 4, "a COSE_Mac0" },
  { "ab m",    3, LSUIT_OK, 7, "all three" },
  { "ea",      1, LSUIT_OK, 1, "a stranger before a trusted one" },
  { "uab",     2, LSUIT_OK, 3, "an unknown algorithm among them" },
  { "nab",     2, LSUIT_OK, 3, "one without an algorithm among them" },
  { "xa",      1, LSUIT_OK, 1, "a broken one before a good one" },
  { "aa",      2, LSUIT_ERR_UNAUTHORISED, 0, "one key twice in a COSE_Sign" },
  { "1a a",    2, LSUIT_ERR_UNAUTHORISED, 0, "one key in a COSE_Sign1 and a COSE_Sign" },
  { "a a a",   2, LSUIT_ERR_UNAUTHORISED, 0, "one key in three blocks" },
  { "m m",     2, LSUIT_ERR_UNAUTHORISED, 0, "one MAC twice" },
  { "ax",      2, LSUIT_ERR_UNAUTHORISED, 0, "one good and one broken" },
  { "ae",      2, LSUIT_ERR_UNAUTHORISED, 0, "one trusted and a stranger" },
  { "e",       1, LSUIT_ERR_UNAUTHORISED, 0, "a stranger alone" },
  { "u",       1, LSUIT_ERR_ALG, 0, "an unknown algorithm alone" },
  { "n",       1, LSUIT_ERR_COSE, 0, "no algorithm at all" },
  { "eeea",    1, LSUIT_OK, 1, "the fourth signature counts" },
  { "eeeea",   1, LSUIT_ERR_LIMIT, 0, "a fifth signature in a COSE_Sign is too much" },
  { "ab ab m", 3, LSUIT_ERR_LIMIT, 0, "a fifth signature in a third block is too much" },
};
/* clang-format on */

static size_t put_block(const char *text, struct lsuit_bytes digest, uint8_t *buf, size_t cap,
                        struct lsuit_bytes *block_out)
{
    size_t n = strcspn(text, " ");
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);

    if (text[0] == '1') {
        *block_out = make_signature(&people[ALICE], LSUIT_ALG_ESP256, NONE, digest, buf, cap);
        return n;
    }
    if (text[0] == 'm')
        put_mac(&w, digest);
    else
        put_sign(&w, text, n, digest);
    CHECK_INT(lsuit_put_finish(&w, block_out), LSUIT_OK);
    return n;
}

static void thresholds(void)
{
    static const struct make_manifest M = { .sequence = 5,
                                            .section = { { 7, "82 03 0f", false } } };
    static uint8_t manifest_buf[256], doc_buf[4096], digest_buf[64], block_buf[4][1024];
    const struct lsuit_key secret = { LSUIT_KEY_HMAC256, { (const uint8_t *)SECRET, 32 }, NONE };
    const struct lsuit_key keys[] = { people[ALICE].key, people[BOB].key, secret };
    struct lsuit_envelope_parts parts = { .manifest = make_manifest(&M, manifest_buf,
                                                                    sizeof manifest_buf) };
    struct lsuit_bytes doc = NONE, digest, blocks[4];
    struct lsuit_envelope e;

    check_case("the digest to be signed");
    CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, doc_buf, sizeof doc_buf, &doc),
              LSUIT_OK);
    CHECK_INT(lsuit_envelope_read(doc, &e, NULL), LSUIT_OK);
    CHECK_INT(lsuit_envelope_trust_nobody(&e, &lsuit_crypto_psa, NULL), LSUIT_OK);
    memcpy(digest_buf, e.digest_bytes.ptr, e.digest_bytes.len);
    digest = (struct lsuit_bytes){ digest_buf, e.digest_bytes.len };

    parts.cose = blocks;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct lsuit_trust_keys trust = { keys, 3, CASES[i].threshold };
        struct lsuit_auth auth = { 0 };

        check_case(CASES[i].name);
        parts.cose_n = 0;
        for (const char *p = CASES[i].blocks; *p != '\0'; p += *p == ' ') {
            p += put_block(p, digest, block_buf[parts.cose_n], sizeof block_buf[0],
                           &blocks[parts.cose_n]);
            parts.cose_n++;
        }
        CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, doc_buf, sizeof doc_buf, &doc),
                  LSUIT_OK);
        CHECK_INT(lsuit_envelope_read(doc, &e, NULL), LSUIT_OK);
        CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa, &trust, &auth, NULL), CASES[i].want);
        CHECK(e.verified == (CASES[i].want == LSUIT_OK));
        CHECK_UINT(auth.signers, CASES[i].signers);
    }
}

int main(void)
{
    for (uint8_t i = 0; i < 3; i++)
        make_key(&people[i], (uint8_t)(i + 1), PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    thresholds();
    return check_done();
}
