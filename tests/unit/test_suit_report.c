/*
 * SUIT_Report: what a device writes a server reads, and nothing malformed.
 */
#include "doc.h"
#include "suit_make.h"

#include "lsuit/checkin.h"
#include "lsuit/suit_report.h"

static const struct lsuit_bytes NONE = { NULL, 0 };

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

#define DIGEST "5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define RECORD "85 80 14 02 00 a0"

/* 2 nonce, 3 records: one of a dependency's dependency, and claims; 4 failed; 8 capability; 99 */
static const char WHOLE[] = "a5 02 480001020304050607"
                            " 03 82 85 820102 07 181a 01 a10341ff a2 00 814100 0e 1903e8"
                            " 04 a3 05 0a 06 " RECORD " 07 0a"
                            " 08 a4 01 81814100 02 8103 03 8103 04 8126"
                            " 1863 82 6178 82 2f " DIGEST;
/* The least: nothing noted, all well. */
static const char LEAST[] = "a3 03 80 04 f5 1863 82 60 82 2f " DIGEST;

static struct lsuit_bytes hex(const char *digits, uint8_t *buf, size_t cap)
{
    return (struct lsuit_bytes){ buf, check_hex(digits, buf, cap) };
}

static enum lsuit_err rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    struct lsuit_suit_report r;
    enum lsuit_err e = lsuit_suit_report_read(doc, &r, fault);

    return e != LSUIT_OK ? e : lsuit_suit_report_write(&r, buf, cap, out);
}

/* --- reading --- */

static void whole(void)
{
    uint8_t buf[512];
    struct lsuit_bytes doc = hex(WHOLE, buf, sizeof buf), claims;
    struct lsuit_suit_report r;
    struct lsuit_suit_record record;

    check_case("every value of a report");
    CHECK_INT(lsuit_suit_report_read(doc, &r, NULL), LSUIT_OK);
    CHECK_BYTES(r.nonce.ptr, r.nonce.len, "\0\1\2\3\4\5\6\7", 8);
    CHECK_BYTES(r.uri.ptr, r.uri.len, "x", 1);
    CHECK_INT(r.digest.alg, LSUIT_ALG_SHA256);
    CHECK(!r.ok);
    CHECK_INT(r.code, 10);
    CHECK_UINT(r.reason, 10);
    CHECK_UINT(r.record.manifest_n, 0);
    CHECK_UINT(r.record.section, LSUIT_SECTION_INSTALL);
    CHECK_UINT(r.record.offset, 2);
    CHECK_UINT(r.capability.len, 15);

    check_case("records and claims one by one");
    CHECK(lsuit_suit_record_at(&r, 0, &record, &claims));
    CHECK(claims.ptr == NULL);
    CHECK_UINT(record.manifest_n, 2);
    CHECK_UINT(record.manifest[0], 1);
    CHECK_UINT(record.manifest[1], 2);
    CHECK_UINT(record.section, LSUIT_SECTION_VALIDATE);
    CHECK_UINT(record.offset, 26);
    CHECK_UINT(record.component, 1);
    CHECK_BYTES(record.properties.ptr, record.properties.len, "\xa1\x03\x41\xff", 4);
    CHECK(lsuit_suit_record_at(&r, 1, &record, &claims));
    CHECK_UINT(claims.len, 9);
    CHECK(!lsuit_suit_record_at(&r, 2, &record, &claims));
    doc = hex(LEAST, buf, sizeof buf);
    CHECK_INT(lsuit_suit_report_read(doc, &r, NULL), LSUIT_OK);
    CHECK(r.ok && r.nonce.ptr == NULL && r.uri.len == 0);
    CHECK(!lsuit_suit_record_at(&r, 0, &record, &claims));

    check_case("a later key is skipped, one below 0 is not");
    doc = hex("a4 03 80 04 f5 0a 8100 1863 82 60 82 2f " DIGEST, buf, sizeof buf);
    CHECK_INT(lsuit_suit_report_read(doc, &r, NULL), LSUIT_OK);
    doc = hex("a4 03 80 04 f5 1863 82 60 82 2f " DIGEST " 20 00", buf, sizeof buf);
    CHECK_INT(lsuit_suit_report_read(doc, &r, NULL), LSUIT_ERR_REFUSED);
}

/* clang-format off */
static const struct doc_case CASES[] = {
  { "no records",                0, 3, "", LSUIT_ERR_CBOR, "suit-report" },
  { "no result",                 0, 4, "", LSUIT_ERR_CBOR, "suit-report" },
  { "no reference",              0, 99, "", LSUIT_ERR_CBOR, "suit-report" },
  { "no nonce",                  0, 2, "", LSUIT_OK, NULL },
  { "no capability",             0, 8, "", LSUIT_OK, NULL },
  { "an empty nonce",            0, 2, "40", LSUIT_ERR_RANGE, "suit-report-nonce" },
  { "a nonce of 64 bytes",       0, 2, "5840" "0000000000000000000000000000000000000000000000000000000000000000" "0000000000000000000000000000000000000000000000000000000000000000", LSUIT_OK, NULL },
  { "a nonce of 65 bytes",       0, 2, "5841" "0000000000000000000000000000000000000000000000000000000000000000" "0000000000000000000000000000000000000000000000000000000000000000" "00", LSUIT_ERR_RANGE, "suit-report-nonce" },
  { "a text nonce",              0, 2, "6161", LSUIT_ERR_CBOR, NULL },
  { "records in a map",          0, 3, "a0", LSUIT_ERR_CBOR, "suit-report-records" },
  { "a record that is a number", 0, 3, "81 00", LSUIT_ERR_CBOR, "suit-report-records" },
  { "a record of four",          0, 3, "81 84 80 14 02 00", LSUIT_ERR_CBOR, "suit-report-records" },
  { "a record of six",           0, 3, "81 86 80 14 02 00 a0 00", LSUIT_ERR_CBOR, "suit-report-records" },
  { "eight manifests deep",      0, 3, "81 85 880001020304050607 14 02 00 a0", LSUIT_OK, NULL },
  { "nine manifests deep",       0, 3, "81 85 89000102030405060708 14 02 00 a0", LSUIT_ERR_RANGE, "suit-report-records" },
  { "a manifest below 0",        0, 3, "81 85 8120 14 02 00 a0", LSUIT_ERR_CBOR, "suit-report-records" },
  { "an offset beyond 32 bits",  0, 3, "81 85 80 14 1b0000000100000000 00 a0", LSUIT_ERR_RANGE, "suit-report-records" },
  { "properties in an array",    0, 3, "81 85 80 14 02 00 80", LSUIT_ERR_CBOR, "suit-report-records" },
  { "claims without a component", 0, 3, "81 a1 0e 00", LSUIT_ERR_CBOR, "suit-report-records" },
  { "claims about nothing",      0, 3, "81 a1 00 814100", LSUIT_ERR_CBOR, "suit-report-records" },
  { "claims about a text",       0, 3, "81 a2 00 8161 61 0e 00", LSUIT_ERR_CBOR, "suit-report-records" },
  { "result false",              0, 4, "f4", LSUIT_ERR_CBOR, "suit-report-result" },
  { "result null",               0, 4, "f6", LSUIT_ERR_CBOR, "suit-report-result" },
  { "result true",               0, 4, "f5", LSUIT_OK, NULL },
  { "a result without a reason", 0, 4, "a2 05 00 06 " RECORD, LSUIT_ERR_CBOR, "suit-report-result" },
  { "a result without a record", 0, 4, "a2 05 00 07 00", LSUIT_ERR_CBOR, "suit-report-result" },
  { "a result with more",        0, 4, "a4 05 00 06 " RECORD " 07 00 08 00", LSUIT_ERR_CBOR, "suit-report-result" },
  { "a result in another order", 0, 4, "a3 05 00 07 00 06 " RECORD, LSUIT_ERR_CBOR, "suit-report-result" },
  { "a code below 0",            0, 4, "a3 05 20 06 " RECORD " 07 00", LSUIT_OK, NULL },
  { "a reason nobody knows",     0, 4, "a3 05 00 06 " RECORD " 07 18ff", LSUIT_OK, NULL },
  { "a reason beyond 32 bits",   0, 4, "a3 05 00 06 " RECORD " 07 1b0000000100000000", LSUIT_ERR_RANGE, "suit-report-result" },
  { "capability in an array",    0, 8, "80", LSUIT_ERR_CBOR, "suit-report-capability-report" },
  { "capability out of order",   0, 8, "a2 02 80 01 80", LSUIT_ERR_CBOR, "suit-report-capability-report" },
  { "a reference of one",        0, 99, "81 60", LSUIT_ERR_CBOR, "suit-reference" },
  { "a reference of bytes",      0, 99, "82 40 82 2f " DIGEST, LSUIT_ERR_CBOR, "suit-reference" },
  { "a short digest",            0, 99, "82 60 82 2f 4101", LSUIT_ERR_RANGE, "suit-reference" },
  { "an unknown digest",         0, 99, "82 60 82 2e " DIGEST, LSUIT_ERR_ALG, "suit-reference" },
};
/* clang-format on */

static void malformed(void)
{
    uint8_t buf[512];
    struct lsuit_bytes doc = hex(WHOLE, buf, sizeof buf);

    doc_check_same("a report", doc, rewrite);
    doc_check_cut("a report", doc, rewrite);
    doc_check_room("a report", doc, rewrite);
    doc_check_cases(doc, CASES, sizeof CASES / sizeof *CASES, rewrite);
    doc = hex(LEAST, buf, sizeof buf);
    doc_check_same("the least report", doc, rewrite);
    doc_check_cut("the least report", doc, rewrite);
}

/* --- writing --- */

static void from_a_fault(void)
{
    static const struct make_manifest M = { .sequence = 1,
                                            .shared = "84 01 0f 02 0f",
                                            .section = { { 7, "84 03 0f 03 0f", false } } };
    static uint8_t bytes[512];
    struct lsuit_envelope e = { .whole = make_manifest(&M, bytes, sizeof bytes), .examined = true };
    struct lsuit_manifest m;
    struct lsuit_fault fault = { 0 };
    struct lsuit_suit_report r;

    check_case("an outcome becomes a report");
    e.manifest = e.whole;
    e.digest = (struct lsuit_digest){ LSUIT_ALG_SHA256, { bytes, 32 } };
    if (!CHECK_INT(lsuit_manifest_read(&e, &lsuit_crypto_psa, &m, NULL), LSUIT_OK))
        return;
    r = lsuit_suit_report_of(&m, &fault);
    CHECK(r.ok && r.nonce.ptr == NULL && r.records.ptr == NULL && r.capability.ptr == NULL);
    CHECK_BYTES(r.digest.bytes.ptr, r.digest.bytes.len, bytes, 32);

    check_case("a failure names the command by its place in the section");
    fault = (struct lsuit_fault){ .err = LSUIT_ERR_CONDITION,
                                  .component = 3,
                                  .section = LSUIT_SECTION_VALIDATE,
                                  .offset = (size_t)(m.validate.bytes.ptr - e.whole.ptr) + 3 };
    r = lsuit_suit_report_of(&m, &fault);
    CHECK(!r.ok);
    CHECK_INT(r.code, LSUIT_ERR_CONDITION);
    CHECK_UINT(r.reason, 10);
    CHECK_UINT(r.record.section, 7);
    CHECK_UINT(r.record.offset, 3);
    CHECK_UINT(r.record.component, 3);

    check_case("one in the shared sequence, and one in no section, stand at 0");
    fault.offset = 1;
    CHECK_UINT(lsuit_suit_report_of(&m, &fault).record.offset, 0);
    fault.offset = e.whole.len;
    CHECK_UINT(lsuit_suit_report_of(&m, &fault).record.offset, 0);
    fault.section = 0;
    fault.component = -1;
    fault.err = LSUIT_ERR_ROLLBACK;
    r = lsuit_suit_report_of(&m, &fault);
    CHECK_UINT(r.record.section, 0);
    CHECK_UINT(r.record.component, 0);
    CHECK_UINT(r.reason, 4);
}

static void writer(void)
{
    uint8_t buf[512], long_nonce[65] = { 0 };
    struct lsuit_suit_report r = { .ok = false,
                                   .digest = { LSUIT_ALG_SHA256, text("0123456789abcdef"
                                                                      "0123456789abcdef") } };
    struct lsuit_bytes doc = NONE;

    check_case("what the writer refuses");
    r.record.manifest_n = LSUIT_SUIT_RECORD_DEPTH + 1;
    CHECK_INT(lsuit_suit_report_write(&r, buf, sizeof buf, &doc), LSUIT_ERR_RANGE);
    r.record.manifest_n = LSUIT_SUIT_RECORD_DEPTH;
    CHECK_INT(lsuit_suit_report_write(&r, buf, sizeof buf, &doc), LSUIT_OK);
    r.nonce = (struct lsuit_bytes){ long_nonce, 65 };
    CHECK_INT(lsuit_suit_report_write(&r, buf, sizeof buf, &doc), LSUIT_ERR_RANGE);
    r.nonce.len = 0;
    CHECK_INT(lsuit_suit_report_write(&r, buf, sizeof buf, &doc), LSUIT_ERR_RANGE);
    r.nonce.len = 64;
    CHECK_INT(lsuit_suit_report_write(&r, buf, sizeof buf, &doc), LSUIT_OK);
}

/* --- capability --- */

#define UNKNOWN "unknown, or not supported by this build"

/* What the checker says about a manifest whose validate section is these bytes. */
static struct lsuit_fault check_section(const uint8_t *section, size_t n)
{
    static char hex_text[64];
    static uint8_t bytes[512];
    struct make_manifest plan = { .sequence = 1, .section = { { 7, hex_text, false } } };
    struct lsuit_envelope e = { .examined = true };
    struct lsuit_manifest m;
    struct lsuit_fault fault = { 0 };

    for (size_t i = 0; i < n; i++)
        snprintf(hex_text + 2 * i, 3, "%02x", section[i]);
    e.whole = e.manifest = make_manifest(&plan, bytes, sizeof bytes);
    if (lsuit_manifest_read(&e, &lsuit_crypto_psa, &m, &fault) == LSUIT_OK)
        (void)lsuit_manifest_check(&m, 0, &fault);
    return fault;
}

static bool is_unknown(struct lsuit_fault fault, enum lsuit_err err)
{
    return fault.err == err && fault.why != NULL && strcmp(fault.why, UNKNOWN) == 0;
}

/* Whether a SUIT_Capability_Report's list at `key` holds v. */
static bool reported(struct lsuit_bytes capability, int64_t key, int64_t v)
{
    struct lsuit_cbor c = lsuit_cbor_open(capability);
    int64_t at = 0;

    lsuit_cbor_map(&c);
    while (lsuit_cbor_next_key(&c, &at)) {
        struct lsuit_bytes list = lsuit_cbor_item(&c);

        if (at == key)
            return lsuit_list_has(list, v);
    }
    return false;
}

static void capability(void)
{
    static const int32_t ALGS[] = { LSUIT_ALG_SHA256, LSUIT_ALG_SHA384, LSUIT_ALG_SHA512,
                                    LSUIT_ALG_SHAKE128, LSUIT_ALG_SHAKE256 };
    uint8_t buf[LSUIT_BUILD_MAX], out[512], digest[64], report_buf[768];
    struct lsuit_build build;
    struct lsuit_bytes doc = NONE, report = NONE;
    struct lsuit_crypto less = lsuit_crypto_psa;
    struct lsuit_suit_report r = { .ok = true };
    size_t n = 0;

    check_case("the capability report is complete and can be read");
    CHECK_INT(lsuit_build_lists(&lsuit_crypto_psa, buf, sizeof buf, &build), LSUIT_OK);
    CHECK_INT(lsuit_suit_capability_write(&build, NONE, out, sizeof out, &doc), LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_suit_capability_write(
                  &build, (struct lsuit_bytes){ (const uint8_t *)"\x81\x81\x41\x00", 4 }, out,
                  sizeof out, &doc),
              LSUIT_OK);
    r.digest = (struct lsuit_digest){ LSUIT_ALG_SHA256, text("0123456789abcdef0123456789abcdef") };
    r.capability = doc;
    CHECK_INT(lsuit_suit_report_write(&r, report_buf, sizeof report_buf, &report), LSUIT_OK);
    CHECK_INT(lsuit_suit_report_read(report, &r, NULL), LSUIT_OK);
    CHECK_BYTES(r.capability.ptr, r.capability.len, doc.ptr, doc.len);

    check_case("a command is listed when the checker knows it, and only then");
    for (uint8_t code = 1; code < 64; code++) {
        uint8_t section[] = { 0x82, code, 0x0f }, wide[] = { 0x82, 0x18, code, 0x0f };
        struct lsuit_fault fault =
            code < 24 ? check_section(section, sizeof section) : check_section(wide, sizeof wide);

        if (!CHECK(reported(doc, 2, code) == !is_unknown(fault, LSUIT_ERR_COMMAND)))
            printf("     command %u: %s\n", code, fault.why != NULL ? fault.why : "accepted");
    }

    check_case("a parameter is listed when the checker knows it, and only then");
    for (uint8_t key = 1; key < 64; key++) {
        uint8_t section[] = { 0x82, 0x14, 0xa1, key, 0x00 };
        uint8_t wide[] = { 0x82, 0x14, 0xa1, 0x18, key, 0x00 };
        struct lsuit_fault fault =
            key < 24 ? check_section(section, sizeof section) : check_section(wide, sizeof wide);

        if (!CHECK(reported(doc, 3, key) == !is_unknown(fault, LSUIT_ERR_PARAMETER)))
            printf("     parameter %u: %s\n", key, fault.why != NULL ? fault.why : "accepted");
    }

    check_case("digests are listed when the adapter has them");
    for (size_t i = 0; i < sizeof ALGS / sizeof ALGS[0]; i++)
        CHECK(reported(doc, 4, ALGS[i]) ==
              (lsuit_hash_bytes(&lsuit_crypto_psa, ALGS[i], NONE, digest, sizeof digest, &n) ==
               LSUIT_OK));
    CHECK(reported(doc, 4, LSUIT_ALG_ESP256) && reported(doc, 4, LSUIT_ALG_ES256));
    CHECK(reported(doc, 4, LSUIT_ALG_HMAC256) && reported(doc, 4, LSUIT_ALG_HSS_LMS));
    CHECK(reported(doc, 4, LSUIT_ALG_A128KW) && reported(doc, 4, LSUIT_ALG_ECDH_ES_A128KW));
    CHECK(reported(doc, 4, LSUIT_ALG_A128CTR) && reported(doc, 4, LSUIT_ALG_A128GCM));
    CHECK(!reported(doc, 4, LSUIT_ALG_ED25519) && !reported(doc, 4, LSUIT_ALG_EDDSA));

    check_case("elements of manifest, envelope and common");
    for (int key = 1; key <= 7; key++)
        CHECK(reported(doc, 6, key));
    CHECK(reported(doc, 5, LSUIT_SECTION_INSTALL) && !reported(doc, 5, LSUIT_SECTION_VALIDATE));
    CHECK(reported(doc, 5, 2) && reported(doc, 5, 3) && !reported(doc, 5, 1));
    CHECK(!reported(doc, 6, 25) && !reported(doc, 6, 17));
    CHECK(reported(doc, 7, 1) && reported(doc, 7, 2) && reported(doc, 7, 4) &&
          !reported(doc, 7, 3));
    CHECK(reported(doc, 10, 1));

    check_case("an adapter that has less");
    less.verify = NULL;
    less.agree = NULL;
    less.gcm_decrypt = NULL;
    CHECK_INT(lsuit_build_lists(&less, buf, sizeof buf, &build), LSUIT_OK);
    CHECK(!lsuit_list_has(build.algorithms, LSUIT_ALG_ESP256));
    CHECK(!lsuit_list_has(build.algorithms, LSUIT_ALG_HMAC256));
    CHECK(lsuit_list_has(build.algorithms, LSUIT_ALG_A128KW));
    CHECK(!lsuit_list_has(build.algorithms, LSUIT_ALG_ECDH_ES_A128KW));
    CHECK(!lsuit_list_has(build.algorithms, LSUIT_ALG_A128GCM));
    less.block_decrypt = NULL;
    less.hash_start = NULL;
    CHECK_INT(lsuit_build_lists(&less, buf, sizeof buf, &build), LSUIT_OK);
    CHECK(!lsuit_list_has(build.algorithms, LSUIT_ALG_A128CTR));
    CHECK(!lsuit_list_has(build.algorithms, LSUIT_ALG_SHA256));
    less.size = 0;
    CHECK_INT(lsuit_build_lists(&less, buf, sizeof buf, &build), LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_build_lists(NULL, buf, sizeof buf, &build), LSUIT_ERR_USAGE);
    for (size_t cap = 0; cap < 64; cap++)
        CHECK_INT(lsuit_build_lists(&lsuit_crypto_psa, buf, cap, &build), LSUIT_ERR_SPACE);
}

/* --- signed --- */

static void signed_report(void)
{
    static const char SECRET[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    uint8_t plain_buf[512], buf[768], out[768];
    struct make_key device, other;
    struct lsuit_key mac = { LSUIT_KEY_HMAC256, text(SECRET), NONE };
    struct lsuit_bytes plain = hex(WHOLE, plain_buf, sizeof plain_buf), doc = NONE;
    struct lsuit_bytes nonce = { (const uint8_t *)"\0\1\2\3\4\5\6\7", 8 };
    struct lsuit_suit_report r;
    struct lsuit_fault fault = { 0 };

    make_key(&device, 1, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    make_key(&other, 2, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    check_case("signed by the device, with the nonce that was asked for");
    CHECK_INT(lsuit_cose_sign1(&lsuit_crypto_psa, device.id, LSUIT_ALG_ESP256, NONE, NONE, plain,
                               buf, sizeof buf, &doc),
              LSUIT_OK);
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &device.key, 1, nonce, &r, &fault),
              LSUIT_OK);
    CHECK_UINT(r.reason, 10);
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &device.key, 1, NONE, &r, NULL),
              LSUIT_OK);

    check_case("another nonce, a replay; another key; the secret of a MAC");
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &device.key, 1, text("12345678"), &r,
                                       &fault),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_STR(fault.what, "suit-report-nonce");
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &other.key, 1, nonce, &r, &fault),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &mac, 1, nonce, &r, &fault),
              LSUIT_ERR_UNAUTHORISED);

    check_case("a nonce is asked for and none is there");
    plain = hex(LEAST, plain_buf, sizeof plain_buf);
    CHECK_INT(lsuit_cose_sign1(&lsuit_crypto_psa, device.id, LSUIT_ALG_ESP256, NONE, NONE, plain,
                               buf, sizeof buf, &doc),
              LSUIT_OK);
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &device.key, 1, nonce, &r, &fault),
              LSUIT_ERR_UNAUTHORISED);

    check_case("detached, by several signers, malformed, unsigned");
    doc = make_signature(&device, LSUIT_ALG_ESP256, NONE, plain, out, sizeof out);
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &device.key, 1, NONE, &r, &fault),
              LSUIT_ERR_COSE);
    doc = hex("d862 84 40 a0 41a0 81 83 43a10128 a0 4101", out, sizeof out);
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &device.key, 1, NONE, &r, &fault),
              LSUIT_ERR_COSE);
    CHECK_INT(lsuit_suit_report_verify(plain, &lsuit_crypto_psa, &device.key, 1, NONE, &r, &fault),
              LSUIT_ERR_CBOR);
    CHECK_INT(lsuit_cose_sign1(&lsuit_crypto_psa, device.id, LSUIT_ALG_ESP256, NONE, NONE,
                               text("\xa0"), buf, sizeof buf, &doc),
              LSUIT_OK);
    CHECK_INT(lsuit_suit_report_verify(doc, &lsuit_crypto_psa, &device.key, 1, NONE, &r, &fault),
              LSUIT_ERR_CBOR);
}

int main(void)
{
    whole();
    malformed();
    from_a_fault();
    writer();
    capability();
    signed_report();
    return check_done();
}
