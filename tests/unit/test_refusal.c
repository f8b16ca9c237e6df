/*
 * What is said when something is refused, and what happens when the crypto library fails: at each
 * of its calls, one after the other.
 */
#include "check.h"

#include "lsuit/cose.h"
#include "lsuit/err.h"
#include "lsuit/place.h"
#include "lsuit/suit.h"

#include "suit_make.h"

#define N(table) (sizeof(table) / sizeof *(table))

static const struct lsuit_bytes NONE = { NULL, 0 };

/* --- the reasons of draft-ietf-suit-report-18 --- */

static void reasons(void)
{
    static const struct {
        enum lsuit_err err;
        int reason;
        const char *name;
    } ROWS[] = {
        { LSUIT_OK, 0, "ok" },
        { LSUIT_ERR_CBOR, 1, "cbor-parse" },
        { LSUIT_ERR_COSE, 2, "cose-unsupported" },
        { LSUIT_ERR_ALG, 3, "algorithm-unsupported" },
        { LSUIT_ERR_UNAUTHORISED, 4, "unauthorised" },
        { LSUIT_ERR_COMMAND, 5, "command-unsupported" },
        { LSUIT_ERR_COMPONENT, 6, "component-unsupported" },
        { LSUIT_ERR_COMPONENT_AUTH, 7, "component-unauthorised" },
        { LSUIT_ERR_PARAMETER, 8, "parameter-unsupported" },
        { LSUIT_ERR_SEVERED, 9, "severed-absent" },
        { LSUIT_ERR_CONDITION, 10, "condition-failed" },
        { LSUIT_ERR_OPERATION, 11, "operation-failed" },
        { LSUIT_ERR_ROLLBACK, 4, "rollback" },
        { LSUIT_ERR_CONFLICT, 4, "sequence-conflict" },
        { LSUIT_ERR_LIMIT, 11, "limit-exceeded" },
        { LSUIT_ERR_SPACE, 11, "no-space" },
        { LSUIT_ERR_RANGE, 1, "out-of-range" },
        { LSUIT_ERR_REFUSED, 1, "refused-unknown-key" },
        { LSUIT_ERR_CRYPTO, 11, "crypto-failed" },
        { LSUIT_ERR_USAGE, 11, "usage" },
    };

    for (size_t i = 0; i < N(ROWS); i++) {
        check_case(ROWS[i].name);
        CHECK_INT(lsuit_err_reason(ROWS[i].err), ROWS[i].reason);
        CHECK_STR(lsuit_err_name(ROWS[i].err), ROWS[i].name);
    }
}

/* --- which draft a document comes from --- */

static void drafts(void)
{
    static const char FIRST[] = "draft-ietf-suit-manifest -11 to -13, or before";
    static const char SECOND[] = "draft-ietf-suit-manifest -14 to -16";
    static const char THIRD[] = "draft-ietf-suit-manifest -17 to -28";
    static const struct {
        const char *name, *hex, *want;
    } ROWS[] = {
        { "nothing", "", NULL },
        { "no map", "80", NULL },
        { "of today", "d86ba2 0247 81 45 82 2f 42 0000 0344 a1 07 40 00", NULL },
        { "tag 48", "d830a0", FIRST },
        { "tag 47", "d82fa0", NULL },
        { "digest algorithm 2, wrapped", "a1 02 46 81 44 82 02 41 00", FIRST },
        { "digest algorithm 2, not wrapped", "a1 02 45 81 82 02 41 00", FIRST },
        { "digest algorithm 1", "a1 02 46 81 44 82 01 41 00", NULL },
        { "digest algorithm 3", "a1 02 46 81 44 82 03 41 00", NULL },
        { "algorithm 2 at another key", "a1 03 46 81 44 82 02 41 00", NULL },
        { "a wrapper that is cut in its digest", "a1 02 43 81 41 82", NULL },
        { "manifest key 9: today's invoke", "a1 03 44 a1 09 41 00", NULL },
        { "manifest key 10", "a1 03 44 a1 0a 41 00", SECOND },
        { "manifest key 11", "a1 03 44 a1 0b 41 00", SECOND },
        { "manifest key 13", "a1 03 44 a1 0d 41 00", SECOND },
        { "manifest key 14: today's", "a1 03 44 a1 0e 41 00", NULL },
        { "manifest key 16: today's", "a1 03 44 a1 10 41 00", NULL },
        { "manifest key 17", "a1 03 44 a1 11 41 00", THIRD },
        { "manifest key 18: today's", "a1 03 44 a1 12 41 00", NULL },
        { "envelope key 10", "a1 0a 41 00", SECOND },
        { "envelope key 13", "a1 0d 41 00", SECOND },
        { "envelope key 17", "a1 11 41 00", THIRD },
        { "key 10 in a later member is no manifest key", "a1 04 44 a1 0a 41 00", NULL },
        { "both: the older one", "a2 03 44 a1 11 41 00 0a 41 00", SECOND },
        { "of two manifest keys the second", "a1 03 47 a2 09 41 00 0a 41 00", SECOND },
        { "a payload's name ends the search", "a2 61 61 41 00 62 6161 41 00", NULL },
    };
    uint8_t bytes[64];

    for (size_t i = 0; i < N(ROWS); i++) {
        struct lsuit_bytes doc = { bytes, check_hex(ROWS[i].hex, bytes, sizeof bytes) };

        check_case(ROWS[i].name);
        CHECK_STR(lsuit_draft_guess(doc), ROWS[i].want);
    }
}

/* --- why a signature doesn't count --- */

static struct make_key alice, bob;

enum block { END, GOOD, STRANGER, NO_ALG, NO_COSE, BROKEN, FAILS };

static struct lsuit_bytes block_of(enum block kind, struct lsuit_bytes digest, uint8_t *buf)
{
    static const char *const HEX[] = {
        [NO_ALG] = "d284 45a1013903e6 a0 f6 4100", [NO_COSE] = "d86380", [BROKEN] = "d284"
    };

    if (kind == GOOD || kind == STRANGER || kind == FAILS)
        return make_signature(kind == STRANGER ? &bob : &alice, LSUIT_ALG_ESP256, NONE, digest, buf,
                              256);
    return (struct lsuit_bytes){ buf, check_hex(HEX[kind], buf, 256) };
}

/* The least manifest; nothing looks into it here. */
static const uint8_t MANIFEST[] = { 0xa0 };
static const struct lsuit_bytes MANIFEST_BYTES = { MANIFEST, sizeof MANIFEST };

static struct lsuit_bytes envelope_of(const struct lsuit_bytes *blocks, size_t n)
{
    static uint8_t buf[4096];
    struct lsuit_envelope_parts parts = { .manifest = MANIFEST_BYTES, .cose = blocks, .cose_n = n };
    struct lsuit_bytes doc = { NULL, 0 };

    CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, buf, sizeof buf, &doc), LSUIT_OK);
    return doc;
}

static enum lsuit_err verify_fails(void *ctx, const struct lsuit_key *key, int32_t alg,
                                   const struct lsuit_bytes *parts, size_t parts_n,
                                   struct lsuit_bytes signature)
{
    (void)ctx, (void)key, (void)alg, (void)parts, (void)parts_n, (void)signature;
    return LSUIT_ERR_CRYPTO;
}

/* clang-format off */
static const struct {
    const char *name;
    enum block block[3];
    uint32_t threshold;
    enum lsuit_err want;
    const char *why;
} SIGNED[] = {
  { "nobody",                    { END },                 1, LSUIT_ERR_UNAUTHORISED, "not signed" },
  { "threshold 0 means 1",       { END },                 0, LSUIT_ERR_UNAUTHORISED, "not signed" },
  { "a stranger",                { STRANGER },            1, LSUIT_ERR_UNAUTHORISED, "no signature of a trusted key" },
  { "one of two",                { GOOD },                2, LSUIT_ERR_UNAUTHORISED, "fewer signatures than the threshold" },
  { "one of two, and a stranger", { STRANGER, GOOD },     2, LSUIT_ERR_UNAUTHORISED, "fewer signatures than the threshold" },
  { "an algorithm",              { NO_ALG },              1, LSUIT_ERR_ALG, "signed with an algorithm that this build lacks" },
  { "a structure",               { NO_COSE },             1, LSUIT_ERR_COSE, "no COSE structure that this build takes" },
  { "broken",                    { BROKEN },              1, LSUIT_ERR_CBOR, "malformed, or the crypto library failed" },
  { "the library fails",         { FAILS },               1, LSUIT_ERR_CRYPTO, "malformed, or the crypto library failed" },
  { "broken, structure",         { BROKEN, NO_COSE },     1, LSUIT_ERR_COSE, "no COSE structure that this build takes" },
  { "structure, broken",         { NO_COSE, BROKEN },     1, LSUIT_ERR_COSE, "no COSE structure that this build takes" },
  { "structure, algorithm",      { NO_COSE, NO_ALG },     1, LSUIT_ERR_ALG, "signed with an algorithm that this build lacks" },
  { "algorithm, structure",      { NO_ALG, NO_COSE },     1, LSUIT_ERR_ALG, "signed with an algorithm that this build lacks" },
  { "algorithm, stranger",       { NO_ALG, STRANGER },    1, LSUIT_ERR_UNAUTHORISED, "no signature of a trusted key" },
  { "stranger, algorithm",       { STRANGER, NO_ALG },    1, LSUIT_ERR_UNAUTHORISED, "no signature of a trusted key" },
  { "the library fails, structure", { FAILS, NO_COSE },   1, LSUIT_ERR_CRYPTO, "malformed, or the crypto library failed" },
  { "structure, the library fails", { NO_COSE, FAILS },   1, LSUIT_ERR_CRYPTO, "malformed, or the crypto library failed" },
};
/* clang-format on */

static void signatures(void)
{
    for (size_t i = 0; i < N(SIGNED); i++) {
        const struct lsuit_trust_keys trust = { &alice.key, 1, SIGNED[i].threshold };
        struct lsuit_crypto crypto = lsuit_crypto_psa;
        uint8_t bufs[3][256], digest_buf[64];
        struct lsuit_bytes blocks[3], digest;
        struct lsuit_envelope e = { 0 };
        struct lsuit_fault fault = { 0 };
        size_t n = 0;

        check_case(SIGNED[i].name);
        CHECK_INT(lsuit_envelope_read(envelope_of(NULL, 0), &e, NULL), LSUIT_OK);
        CHECK_INT(lsuit_envelope_trust_nobody(&e, &lsuit_crypto_psa, NULL), LSUIT_OK);
        digest = (struct lsuit_bytes){ digest_buf, e.digest_bytes.len };
        memcpy(digest_buf, e.digest_bytes.ptr, e.digest_bytes.len);
        for (; n < 3 && SIGNED[i].block[n] != END; n++) {
            blocks[n] = block_of(SIGNED[i].block[n], digest, bufs[n]);
            if (SIGNED[i].block[n] == FAILS)
                crypto.verify = verify_fails;
        }
        CHECK_INT(lsuit_envelope_read(envelope_of(blocks, n), &e, NULL), LSUIT_OK);
        CHECK_INT(lsuit_envelope_verify(&e, &crypto, &trust, NULL, &fault), SIGNED[i].want);
        CHECK_STR(fault.why, SIGNED[i].why);
        CHECK(!e.verified);
    }
}

static void keys_and_payloads(void)
{
    static struct lsuit_key keys[33];
    const struct lsuit_trust_keys many = { keys, 32, 1 }, too_many = { keys, 33, 1 };
    struct lsuit_bytes name = { (const uint8_t *)"x", 1 }, payload = { NULL, 0 };
    uint8_t digest_buf[64], buf[256];
    struct lsuit_envelope e = { 0 };
    struct lsuit_auth auth = { 0 };
    struct lsuit_bytes block, digest;

    check_case("the 32nd key counts, a 33rd is refused");
    for (size_t i = 0; i < N(keys); i++)
        keys[i] = i >= 31 ? alice.key : bob.key;
    CHECK_INT(lsuit_envelope_read(envelope_of(NULL, 0), &e, NULL), LSUIT_OK);
    CHECK_INT(lsuit_envelope_trust_nobody(&e, &lsuit_crypto_psa, NULL), LSUIT_OK);
    digest = (struct lsuit_bytes){ digest_buf, e.digest_bytes.len };
    memcpy(digest_buf, e.digest_bytes.ptr, e.digest_bytes.len);
    block = block_of(GOOD, digest, buf);
    CHECK_INT(lsuit_envelope_read(envelope_of(&block, 1), &e, NULL), LSUIT_OK);
    CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa, &many, &auth, NULL), LSUIT_OK);
    CHECK_UINT(auth.signers, (uint32_t)1 << 31);
    CHECK_INT(lsuit_envelope_verify(&e, &lsuit_crypto_psa, &too_many, &auth, NULL),
              LSUIT_ERR_USAGE);

    check_case("there is no payload in it");
    CHECK(!lsuit_envelope_payload_at(&e, 0, &name, &payload));
    CHECK_INT(lsuit_envelope_payload(&e, name, &payload), LSUIT_ERR_OPERATION);
}

/* --- the crypto library fails --- */

/* PSA's table, but call number `fail_at` fails; what was begun must be ended. */
static struct {
    unsigned calls, fail_at;
    int open; /* hashes */
} faults;

static bool fault_now(void)
{
    return ++faults.calls == faults.fail_at;
}

static enum lsuit_err start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    if (fault_now())
        return LSUIT_ERR_CRYPTO;
    faults.open++;
    return lsuit_crypto_psa.hash_start(ctx, h, alg);
}

static enum lsuit_err update(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part)
{
    return fault_now() ? LSUIT_ERR_CRYPTO : lsuit_crypto_psa.hash_update(ctx, h, part);
}

static enum lsuit_err finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t cap,
                             size_t *n_out)
{
    faults.open--;
    if (fault_now()) {
        lsuit_crypto_psa.hash_abort(ctx, h);
        return LSUIT_ERR_CRYPTO;
    }
    return lsuit_crypto_psa.hash_finish(ctx, h, out, cap, n_out);
}

static void cancel(void *ctx, struct lsuit_hash *h)
{
    if (faults.open > 0) /* after a failed finish there is none, and asking is harmless */
        faults.open--;
    lsuit_crypto_psa.hash_abort(ctx, h);
}

static enum lsuit_err sign(void *ctx, uint32_t signer, int32_t alg, const struct lsuit_bytes *parts,
                           size_t parts_n, uint8_t *sig, size_t cap, size_t *n_out)
{
    return fault_now() ? LSUIT_ERR_CRYPTO
                       : lsuit_crypto_psa.sign(ctx, signer, alg, parts, parts_n, sig, cap, n_out);
}

static struct lsuit_crypto failing(void)
{
    struct lsuit_crypto c = lsuit_crypto_psa;

    c.hash_start = start;
    c.hash_update = update;
    c.hash_finish = finish;
    c.hash_abort = cancel;
    c.sign = sign;
    return c;
}

/* Each answers its error and leaves `out` alone, or sets it. */
static enum lsuit_err call_place(const struct lsuit_crypto *c, struct lsuit_bytes *out)
{
    static const uint8_t SALT[16] = { 1 };
    static uint64_t place;
    enum lsuit_err e =
        lsuit_place(c, (struct lsuit_bytes){ SALT, 16 }, (struct lsuit_bytes){ SALT, 1 }, &place);

    if (e == LSUIT_OK)
        *out = MANIFEST_BYTES;
    return e;
}

static enum lsuit_err call_envelope_write(const struct lsuit_crypto *c, struct lsuit_bytes *out)
{
    static uint8_t buf[256];
    struct lsuit_envelope_parts parts = { .manifest = MANIFEST_BYTES };

    return lsuit_envelope_write(&parts, c, buf, sizeof buf, out);
}

static enum lsuit_err call_sign(const struct lsuit_crypto *c, struct lsuit_bytes *out)
{
    static uint8_t buf[256];

    return lsuit_cose_sign1(c, alice.id, LSUIT_ALG_ESP256, NONE, NONE, MANIFEST_BYTES, buf,
                            sizeof buf, out);
}

static enum lsuit_err call_hash(const struct lsuit_crypto *c, struct lsuit_bytes *out)
{
    static uint8_t digest[32];
    size_t n = 0;
    enum lsuit_err e =
        lsuit_hash_bytes(c, LSUIT_ALG_SHA256, MANIFEST_BYTES, digest, sizeof digest, &n);

    if (e == LSUIT_OK)
        *out = (struct lsuit_bytes){ digest, n };
    return e;
}

static enum lsuit_err call_examine(const struct lsuit_crypto *c, struct lsuit_bytes *out)
{
    struct lsuit_envelope e = { 0 };
    struct lsuit_bytes doc = envelope_of(NULL, 0);
    enum lsuit_err err = lsuit_envelope_read(doc, &e, NULL);

    if (err == LSUIT_OK)
        err = lsuit_envelope_trust_nobody(&e, c, NULL);
    if (err == LSUIT_OK)
        *out = e.digest_bytes;
    CHECK(e.examined == (err == LSUIT_OK));
    return err;
}

static void crypto_fails(void)
{
    static const struct {
        const char *name;
        enum lsuit_err (*call)(const struct lsuit_crypto *, struct lsuit_bytes *);
        unsigned calls;
    } ROWS[] = {
        { "place of a device", call_place, 6 },
        { "writing an envelope", call_envelope_write, 4 },
        { "signing", call_sign, 1 },
        { "hashing", call_hash, 3 },
        { "the digest of a manifest", call_examine, 3 },
    };

    for (size_t i = 0; i < N(ROWS); i++) {
        const struct lsuit_crypto c = failing();
        struct lsuit_crypto none = failing();
        struct lsuit_bytes out = { NULL, 0 };

        check_case(ROWS[i].name);
        for (faults.fail_at = 1; faults.fail_at <= ROWS[i].calls; faults.fail_at++) {
            faults.calls = 0;
            faults.open = 0;
            CHECK_INT(ROWS[i].call(&c, &out), LSUIT_ERR_CRYPTO);
            CHECK(out.ptr == NULL);
            CHECK_UINT(faults.calls, faults.fail_at);
            CHECK_INT(faults.open, 0);
        }
        faults.calls = 0;
        CHECK_INT(ROWS[i].call(&c, &out), LSUIT_OK);
        CHECK_UINT(faults.calls, ROWS[i].calls);
        CHECK(out.ptr != NULL);

        out.ptr = NULL;
        none.hash_start = NULL;
        none.sign = NULL;
        CHECK_INT(ROWS[i].call(&none, &out), LSUIT_ERR_ALG);
        CHECK(out.ptr == NULL);
    }
}

int main(void)
{
    make_key(&alice, 1, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    make_key(&bob, 2, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    reasons();
    drafts();
    signatures();
    keys_and_payloads();
    crypto_fails();
    return check_done();
}
