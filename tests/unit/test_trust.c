/*
 * Trust set: the worked examples, what is refused, and the step from one version to the next.
 */
#include "doc.h"
#include "signers.h"

#include "lsuit/cose.h"
#include "lsuit/trust.h"

#define N(table) (sizeof(table) / sizeof *(table))

static const struct lsuit_crypto *const CRYPTO = &lsuit_crypto_psa;
static const struct lsuit_bytes NONE;

/* The lists are kept as they came: write them anew, so that unknown keys in them go too. */
static enum lsuit_err rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    struct lsuit_role roles[LSUIT_TRUST_ROLES];
    struct lsuit_anchor anchors[LSUIT_TRUST_ANCHORS];
    struct lsuit_bytes urls[LSUIT_TRUST_URLS];
    struct lsuit_trust t;
    struct lsuit_trust_parts parts = { .roles = roles, .anchors = anchors, .urls = urls };
    enum lsuit_err e = lsuit_trust_read(doc, &t, fault);

    if (e != LSUIT_OK)
        return e;
    for (uint32_t i = 0; i < N(roles) && lsuit_trust_role_at(&t, i, &roles[i]); i++)
        parts.roles_n++;
    for (uint32_t i = 0; i < N(anchors) && lsuit_trust_anchor_at(&t, i, &anchors[i]); i++)
        parts.anchors_n++;
    for (uint32_t i = 0; i < N(urls) && lsuit_trust_url_at(&t, i, &urls[i]); i++)
        parts.urls_n++;
    parts.version = t.version;
    parts.issued_s = t.issued_s;
    return lsuit_trust_write(&parts, buf, cap, out);
}

static enum lsuit_err rewrite_doc(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    struct lsuit_trust_doc d;
    enum lsuit_err e = lsuit_trust_doc_read(doc, &d, fault);

    return e != LSUIT_OK
               ? e
               : lsuit_trust_doc_write(d.payload, d.signatures, d.signatures_n, buf, cap, out);
}

/* Maps of trust-1: 0 itself, 1 root role, 2 and 3 its keys, 4 release role, 5 its key,
 * 6 online role, 7 its key, 8 and 9 anchors. */
#define HEX16 "00112233445566778899aabbccddeeff"
/* clang-format off */
static const struct doc_case CASES[] = {
    /* name                          map key value               want               what */
    { "no version",                   0, 0, "",                 LSUIT_ERR_CBOR,    "version" },
    { "version 2 of the format",      0, 0, "02",               LSUIT_ERR_REFUSED, "version" },
    { "no set version",               0, 1, "",                 LSUIT_ERR_CBOR,    "set-version" },
    { "set version 0",                0, 1, "00",               LSUIT_ERR_RANGE,   "set-version" },
    { "no roles",                     0, 2, "",                 LSUIT_ERR_CBOR,    "roles" },
    { "an empty list of roles",       0, 2, "80",               LSUIT_ERR_RANGE,   "roles" },
    { "nine roles",                   0, 2, "89a0a0a0a0a0a0a0a0a0", LSUIT_ERR_LIMIT, "roles" },
    { "no anchors",                   0, 3, "",                 LSUIT_OK,          NULL },
    { "five anchors",                 0, 3, "85a0a0a0a0a0",     LSUIT_ERR_LIMIT,   "anchors" },
    { "no urls",                      0, 4, "",                 LSUIT_OK,          NULL },
    { "five urls",                    0, 4, "8561616161616161616161", LSUIT_ERR_LIMIT, "urls" },
    { "an empty url",                 0, 4, "8160",             LSUIT_ERR_RANGE,   "urls" },
    { "a url with a line end",        0, 4, "81610a",           LSUIT_ERR_RANGE,   "urls" },
    { "no time of issue",             0, 5, "",                 LSUIT_OK,          NULL },
    { "no root role",                 1, 1, "02",               LSUIT_ERR_RANGE,   "roles" },
    { "no role number",               1, 1, "",                 LSUIT_ERR_CBOR,    "role" },
    { "role 0",                       1, 1, "00",               LSUIT_ERR_RANGE,   "role" },
    { "no keys",                      4, 2, "",                 LSUIT_ERR_CBOR,    "keys" },
    { "an empty list of keys",        4, 2, "80",               LSUIT_ERR_RANGE,   NULL },
    { "nine keys",                    4, 2, "89a0a0a0a0a0a0a0a0a0", LSUIT_ERR_LIMIT, "keys" },
    { "no threshold",                 1, 3, "",                 LSUIT_ERR_CBOR,    "threshold" },
    { "threshold 0",                  1, 3, "00",               LSUIT_ERR_RANGE,   "threshold" },
    { "3 of 2 keys",                  1, 3, "03",               LSUIT_ERR_RANGE,   NULL },
    { "two must sign statements",     6, 3, "02",               LSUIT_ERR_RANGE,   NULL },
    { "a root role for one vendor",   1, 4, "50" HEX16,         LSUIT_ERR_RANGE,   NULL },
    { "a class without vendor",       4, 4, "",                 LSUIT_ERR_RANGE,   NULL },
    { "a vendor without class",       4, 5, "",                 LSUIT_OK,          NULL },
    { "a role of later",              4, 1, "09",               LSUIT_OK,          NULL },
    { "no key type",                  5, 1, "",                 LSUIT_ERR_CBOR,    "type" },
    { "an HMAC secret",               5, 1, "02",               LSUIT_ERR_RANGE,   "material" },
    { "an Ed25519 key of 65 bytes",   5, 1, "04",               LSUIT_ERR_RANGE,   "material" },
    { "no material",                  5, 2, "",                 LSUIT_ERR_CBOR,    "material" },
    { "a P-256 key of 16 bytes",      5, 2, "50" HEX16,         LSUIT_ERR_RANGE,   "material" },
    { "an empty kid",                 5, 3, "40",               LSUIT_ERR_RANGE,   "kid" },
    { "no kid",                       5, 3, "",                 LSUIT_OK,          NULL },
    { "an anchor without kind",       8, 1, "",                 LSUIT_ERR_CBOR,    "kind" },
    { "an anchor of later",           8, 1, "09",               LSUIT_OK,          NULL },
    { "an SPKI digest of 16 bytes",   8, 2, "50" HEX16,         LSUIT_ERR_RANGE,   "bytes" },
    { "a certificate of 16 bytes",    8, 1, "01",               LSUIT_OK,          NULL },
    { "an anchor without use",        8, 3, "",                 LSUIT_ERR_CBOR,    "use" },
};

static const struct doc_case DOC_CASES[] = {
    { "document: no version",         0, 0, "",                 LSUIT_ERR_CBOR,    "version" },
    { "document: version 2",          0, 0, "02",               LSUIT_ERR_REFUSED, "version" },
    { "document: no payload",         0, 1, "",                 LSUIT_ERR_CBOR,    "payload" },
    { "document: no signatures",      0, 2, "",                 LSUIT_ERR_CBOR,    "signatures" },
    { "document: nine signatures",    0, 2, "89410141014101410141014101410141014101", LSUIT_ERR_LIMIT, "signatures" },
};
/* clang-format on */

/* A key of later has a type that we don't know: it is kept, and verifies nothing. */
static void later_key(struct lsuit_bytes doc)
{
    static uint8_t edited[DOC_ROOM];
    struct lsuit_role role;
    struct lsuit_trust t;

    check_case("a key type of later");
    doc = doc_edit(doc, 5, 1, (struct lsuit_bytes){ (const uint8_t *)"\x09", 1 }, edited);
    if (CHECK_INT(lsuit_trust_read(doc, &t, NULL), LSUIT_OK) &&
        CHECK(lsuit_trust_role_at(&t, 1, &role)))
        CHECK_INT(role.keys[0].type, LSUIT_KEY_NONE);
}

static void examples(void)
{
    static uint8_t a[DOC_ROOM], b[DOC_ROOM], c[DOC_ROOM];
    struct lsuit_bytes first = doc_example("trust-1-signed", a, sizeof a);
    struct lsuit_bytes second = doc_example("trust-2-signed", b, sizeof b);
    struct lsuit_bytes payload = doc_example("trust-1", c, sizeof c), url;
    struct lsuit_fault fault;
    struct lsuit_anchor anchor;
    struct lsuit_trust one, two;

    check_case("the example's first set");
    if (!CHECK_INT(lsuit_trust_accept(first, CRYPTO, NULL, &one, NULL), LSUIT_OK))
        return;
    CHECK_UINT(one.version, 1);
    CHECK_UINT(one.issued_s, 1780000000);
    CHECK_BYTES(one.payload.ptr, one.payload.len, payload.ptr, payload.len);
    CHECK_UINT(one.roles_n, 3);
    CHECK_UINT(one.anchors_n, 2);
    CHECK(lsuit_trust_anchor_at(&one, 1, &anchor) && anchor.use == LSUIT_ANCHOR_NEXT);
    CHECK(!lsuit_trust_anchor_at(&one, 2, &anchor));
    CHECK(lsuit_trust_url_at(&one, 1, &url));
    CHECK_BYTES(url.ptr, url.len, "https://updates2.lamp.example", 29);
    CHECK(!lsuit_trust_url_at(&one, 2, &url));

    check_case("the example's step to the second");
    CHECK_INT(lsuit_trust_accept(second, CRYPTO, &one, &two, NULL), LSUIT_OK);
    CHECK_UINT(two.version, 2);

    check_case("no way back");
    CHECK_INT(lsuit_trust_accept(first, CRYPTO, &two, &one, &fault), LSUIT_ERR_ROLLBACK);
    CHECK_STR(fault.what, "set-version");
    CHECK_INT(lsuit_trust_accept(second, CRYPTO, &two, &one, &fault), LSUIT_ERR_ROLLBACK);

    check_case("one changed byte of a set");
    b[second.len / 2] ^= 1;
    CHECK(lsuit_trust_accept(second, CRYPTO, &one, &two, &fault) != LSUIT_OK);
}

/* --- steps --- */

enum { A, B, C, D, SIGNERS };
static struct signer signers[SIGNERS];

struct set {
    uint32_t version;
    int roots[3]; /* -1: none */
    uint32_t threshold;
    int other_roots[3]; /* of a second root entry */
    uint32_t other_threshold;
    int online; /* -1: none */
};

static uint32_t role_of(const int *which, uint32_t role, uint32_t threshold, struct lsuit_role *out)
{
    *out = (struct lsuit_role){ .role = role, .threshold = threshold };
    for (int i = 0; i < 3 && which[i] >= 0; i++)
        out->keys[out->keys_n++] = signers[which[i]].key;
    return out->keys_n > 0;
}

static enum lsuit_err set_write(const struct set *s, uint8_t *buf, size_t cap,
                                struct lsuit_bytes *out)
{
    struct lsuit_role roles[3];
    struct lsuit_trust_parts parts = { .version = s->version, .roles = roles };
    int online[3] = { s->online, -1, -1 };

    parts.roles_n += role_of(s->roots, LSUIT_ROLE_ROOT, s->threshold, &roles[parts.roles_n]);
    parts.roles_n +=
        role_of(s->other_roots, LSUIT_ROLE_ROOT, s->other_threshold, &roles[parts.roles_n]);
    parts.roles_n += role_of(online, LSUIT_ROLE_ONLINE, 1, &roles[parts.roles_n]);
    return lsuit_trust_write(&parts, buf, cap, out);
}

/* A detached signature as an HSM would make it. */
static struct lsuit_bytes sign_set(int who, struct lsuit_bytes payload, uint8_t *buf, size_t cap)
{
    static uint8_t room[DOC_ROOM];
    struct lsuit_bytes tbs, doc = NONE;
    uint8_t sig[LSUIT_ES256_LEN];
    size_t n = 0;

    CHECK_INT(lsuit_trust_tbs(LSUIT_ALG_ESP256, payload, room, sizeof room, &tbs), LSUIT_OK);
    CHECK_INT(
        CRYPTO->sign(CRYPTO->ctx, signers[who].id, LSUIT_ALG_ESP256, &tbs, 1, sig, sizeof sig, &n),
        LSUIT_OK);
    CHECK_INT(lsuit_cose_sign1_write(LSUIT_ALG_ESP256, NONE, NONE, (struct lsuit_bytes){ sig, n },
                                     buf, cap, &doc),
              LSUIT_OK);
    return doc;
}

/* clang-format off */
#define NOBODY { -1, -1, -1 }
#define AB { 1, { A, B, -1 }, 2, NOBODY, 0, -1 }
static const struct {
    const char *name;
    struct set now, next;
    int by[4]; /* signers, -1 ends */
    enum lsuit_err want;
} STEPS[] = {
    { "both thresholds are reached", AB,
      { 2, { B, C, -1 }, 2, NOBODY, 0, -1 }, { A, B, C, -1 }, LSUIT_OK },
    { "the order of signatures doesn't matter", AB,
      { 2, { B, C, -1 }, 2, NOBODY, 0, -1 }, { C, B, A, -1 }, LSUIT_OK },
    { "the old threshold is not reached", AB,
      { 2, { B, C, -1 }, 2, NOBODY, 0, -1 }, { B, C, -1 }, LSUIT_ERR_UNAUTHORISED },
    { "the new threshold is not reached", AB,
      { 2, { B, C, -1 }, 2, NOBODY, 0, -1 }, { A, B, -1 }, LSUIT_ERR_UNAUTHORISED },
    { "one key twice counts once", AB,
      { 2, { A, B, -1 }, 2, NOBODY, 0, -1 }, { A, A, -1 }, LSUIT_ERR_UNAUTHORISED },
    { "a stranger counts nothing", AB,
      { 2, { A, B, -1 }, 2, NOBODY, 0, -1 }, { A, D, -1 }, LSUIT_ERR_UNAUTHORISED },
    { "a stranger does no harm", AB,
      { 2, { A, B, -1 }, 2, NOBODY, 0, -1 }, { D, A, B, -1 }, LSUIT_OK },
    { "nobody signed", AB,
      { 2, { A, B, -1 }, 2, NOBODY, 0, -1 }, { -1 }, LSUIT_ERR_UNAUTHORISED },
    { "the same version", AB, AB, { A, B, -1 }, LSUIT_ERR_ROLLBACK },
    { "a version too high", AB,
      { 3, { A, B, -1 }, 2, NOBODY, 0, -1 }, { A, B, -1 }, LSUIT_ERR_CONFLICT },
    { "one root entry of two is enough",
      { 1, { A, B, -1 }, 2, { C, -1, -1 }, 1, -1 },
      { 2, { A, B, -1 }, 2, { C, -1, -1 }, 1, -1 }, { C, -1 }, LSUIT_OK },
    { "halves of two root entries are none",
      { 1, { A, B, -1 }, 2, { C, D, -1 }, 2, -1 },
      { 2, { A, B, -1 }, 2, { C, D, -1 }, 2, -1 }, { A, C, -1 }, LSUIT_ERR_UNAUTHORISED },
    { "an online key signs no set",
      { 1, { A, -1, -1 }, 1, NOBODY, 0, D },
      { 2, { A, -1, -1 }, 1, NOBODY, 0, D }, { D, -1 }, LSUIT_ERR_UNAUTHORISED },
};
/* clang-format on */

static void steps(void)
{
    static uint8_t now_buf[DOC_ROOM], next_buf[DOC_ROOM], doc_buf[DOC_ROOM], sig_buf[4][256];

    for (size_t i = 0; i < N(STEPS); i++) {
        struct lsuit_bytes now_doc, payload, doc, sigs[4];
        struct lsuit_trust now, next = { 0 };
        struct lsuit_fault fault = { 0 };
        uint32_t n = 0;

        check_case(STEPS[i].name);
        if (!CHECK_INT(set_write(&STEPS[i].now, now_buf, sizeof now_buf, &now_doc), LSUIT_OK) ||
            !CHECK_INT(set_write(&STEPS[i].next, next_buf, sizeof next_buf, &payload), LSUIT_OK))
            continue;
        CHECK_INT(lsuit_trust_read(now_doc, &now, NULL), LSUIT_OK);
        for (; n < 4 && STEPS[i].by[n] >= 0; n++)
            sigs[n] = sign_set(STEPS[i].by[n], payload, sig_buf[n], sizeof sig_buf[n]);
        CHECK_INT(lsuit_trust_doc_write(payload, sigs, n, doc_buf, sizeof doc_buf, &doc), LSUIT_OK);
        CHECK_INT(lsuit_trust_accept(doc, CRYPTO, &now, &next, &fault), STEPS[i].want);
        CHECK_UINT(next.version, STEPS[i].want == LSUIT_OK ? STEPS[i].next.version : 0);
        CHECK_INT(fault.err, STEPS[i].want);
    }
}

/* A signature that carries a payload of its own, or another kind of document. */
static void wrong_signatures(void)
{
    static uint8_t now_buf[DOC_ROOM], next_buf[DOC_ROOM], doc_buf[DOC_ROOM], sig_buf[DOC_ROOM];
    static const struct set NOW = { 1, { A, -1, -1 }, 1, NOBODY, 0, -1 },
                            NEXT = { 2, { A, -1, -1 }, 1, NOBODY, 0, -1 };
    struct lsuit_bytes now_doc, payload, doc, sig;
    struct lsuit_trust now, next;

    check_case("an attached payload is no signature of a set");
    CHECK_INT(set_write(&NOW, now_buf, sizeof now_buf, &now_doc), LSUIT_OK);
    CHECK_INT(set_write(&NEXT, next_buf, sizeof next_buf, &payload), LSUIT_OK);
    CHECK_INT(lsuit_trust_read(now_doc, &now, NULL), LSUIT_OK);
    CHECK_INT(lsuit_doc_sign(LSUIT_DOC_TRUST, NONE, payload, CRYPTO, signers[A].id, NONE, sig_buf,
                             sizeof sig_buf, &sig),
              LSUIT_OK);
    CHECK_INT(lsuit_trust_doc_write(payload, &sig, 1, doc_buf, sizeof doc_buf, &doc), LSUIT_OK);
    CHECK_INT(lsuit_trust_accept(doc, CRYPTO, &now, &next, NULL), LSUIT_ERR_UNAUTHORISED);

    check_case("garbage is no signature of a set");
    sig = (struct lsuit_bytes){ (const uint8_t *)"\xd2\x84", 2 };
    CHECK_INT(lsuit_trust_doc_write(payload, &sig, 1, doc_buf, sizeof doc_buf, &doc), LSUIT_OK);
    CHECK_INT(lsuit_trust_accept(doc, CRYPTO, &now, &next, NULL), LSUIT_ERR_UNAUTHORISED);

    check_case("a set larger than 2048 bytes");
    memset(sig_buf, 0x55, sizeof sig_buf);
    sig = (struct lsuit_bytes){ sig_buf, LSUIT_TRUST_MAX };
    CHECK_INT(lsuit_trust_doc_write(payload, &sig, 1, doc_buf, sizeof doc_buf, &doc),
              LSUIT_ERR_LIMIT);
    CHECK_INT(lsuit_trust_accept((struct lsuit_bytes){ doc_buf, LSUIT_TRUST_MAX + 1 }, CRYPTO, &now,
                                 &next, NULL),
              LSUIT_ERR_LIMIT);
}

static void bad_sets(void)
{
    static uint8_t buf[DOC_ROOM];
    static const struct {
        const char *name;
        struct set set;
        enum lsuit_err want;
    } ROWS[] = {
        { "a good set", { 1, { A, B, -1 }, 1, NOBODY, 0, C }, LSUIT_OK },
        { "an online key that is root too", { 1, { A, B, -1 }, 1, NOBODY, 0, B }, LSUIT_ERR_RANGE },
        { "an online key of the second root entry",
          { 1, { A, -1, -1 }, 1, { C, -1, -1 }, 1, C },
          LSUIT_ERR_RANGE },
        { "one key twice in an entry", { 1, { A, A, -1 }, 2, NOBODY, 0, -1 }, LSUIT_ERR_RANGE },
        { "two of one key", { 1, { A, -1, -1 }, 2, NOBODY, 0, -1 }, LSUIT_ERR_RANGE },
        { "a set without root", { 1, NOBODY, 0, NOBODY, 0, C }, LSUIT_ERR_RANGE },
        { "set version 0 is not written", { 0, { A, -1, -1 }, 1, NOBODY, 0, -1 }, LSUIT_ERR_RANGE },
    };

    for (size_t i = 0; i < N(ROWS); i++) {
        struct lsuit_bytes out;

        check_case(ROWS[i].name);
        CHECK_INT(set_write(&ROWS[i].set, buf, sizeof buf, &out), ROWS[i].want);
    }
}

/* --- roles by scope --- */

static void scopes(void)
{
    static const uint8_t V1[16] = { 1 }, V2[16] = { 2 }, C1[16] = { 11 }, C2[16] = { 12 };
    static uint8_t buf[DOC_ROOM];
    struct lsuit_role roles[5] = {
        { .role = LSUIT_ROLE_ROOT },
        { .role = LSUIT_ROLE_RELEASE, .vendor_id = { V1, 16 }, .class_id = { C1, 16 } },
        { .role = LSUIT_ROLE_RELEASE, .vendor_id = { V1, 16 } },
        { .role = LSUIT_ROLE_RELEASE },
        { .role = LSUIT_ROLE_ONLINE },
    };
    static const struct {
        const char *name;
        enum lsuit_role_kind role;
        const uint8_t *vendor, *class_;
        uint32_t want; /* bit i: entry i */
    } ROWS[] = {
        { "class, vendor and any", LSUIT_ROLE_RELEASE, V1, C1, 14 },
        { "another class: vendor and any", LSUIT_ROLE_RELEASE, V1, C2, 12 },
        { "another vendor: any", LSUIT_ROLE_RELEASE, V2, C1, 8 },
        { "no scope asked: any", LSUIT_ROLE_RELEASE, NULL, NULL, 8 },
        { "online", LSUIT_ROLE_ONLINE, V1, C1, 16 },
        { "root", LSUIT_ROLE_ROOT, V1, C1, 1 },
        { "nobody enrols", LSUIT_ROLE_ENROL, V1, C1, 0 },
    };
    struct lsuit_trust_parts parts = { .version = 1, .roles = roles, .roles_n = N(roles) };
    struct lsuit_bytes payload;
    struct lsuit_trust t;

    for (size_t i = 0; i < N(roles); i++) {
        roles[i].keys[0] = signers[i % 3].key;
        roles[i].keys_n = roles[i].threshold = 1;
    }
    roles[4].keys[0] = signers[D].key;
    check_case("a set with scopes");
    CHECK_INT(lsuit_trust_write(&parts, buf, sizeof buf, &payload), LSUIT_OK);
    CHECK_INT(lsuit_trust_read(payload, &t, NULL), LSUIT_OK);
    for (size_t i = 0; i < N(ROWS); i++) {
        struct lsuit_bytes vendor = { ROWS[i].vendor, ROWS[i].vendor ? 16 : 0 };
        struct lsuit_bytes class_ = { ROWS[i].class_, ROWS[i].class_ ? 16 : 0 };
        struct lsuit_role role;
        uint32_t at = 0, got = 0;

        check_case(ROWS[i].name);
        while (lsuit_trust_find(&t, ROWS[i].role, vendor, class_, &at, &role))
            got |= 1u << (at - 1);
        CHECK_UINT(got, ROWS[i].want);
    }
    CHECK_STR(lsuit_role_name(LSUIT_ROLE_ENROL), "enrol");
}

/* The example's statement and receipt against the example's trust set. */
static void signed_documents(void)
{
    static uint8_t a[DOC_ROOM], b[DOC_ROOM], c[DOC_ROOM], d[DOC_ROOM];
    struct lsuit_bytes set = doc_example("trust-1", a, sizeof a);
    struct lsuit_bytes statement = doc_example("statement-signed", b, sizeof b);
    struct lsuit_bytes receipt = doc_example("receipt-signed", c, sizeof c);
    struct lsuit_bytes want = doc_example("statement", d, sizeof d), payload = NONE;
    struct lsuit_trust t;

    check_case("an online key signs statement and receipt");
    CHECK_INT(lsuit_trust_read(set, &t, NULL), LSUIT_OK);
    CHECK_INT(lsuit_trust_verify(&t, LSUIT_ROLE_ONLINE, NONE, NONE, LSUIT_DOC_STATEMENT, statement,
                                 CRYPTO, &payload),
              LSUIT_OK);
    CHECK_BYTES(payload.ptr, payload.len, want.ptr, want.len);
    CHECK_INT(lsuit_trust_verify(&t, LSUIT_ROLE_ONLINE, NONE, NONE, LSUIT_DOC_RECEIPT, receipt,
                                 CRYPTO, &payload),
              LSUIT_OK);
    check_case("no other role does");
    CHECK_INT(lsuit_trust_verify(&t, LSUIT_ROLE_RELEASE, NONE, NONE, LSUIT_DOC_STATEMENT, statement,
                                 CRYPTO, &payload),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(lsuit_trust_verify(&t, LSUIT_ROLE_ROOT, NONE, NONE, LSUIT_DOC_STATEMENT, statement,
                                 CRYPTO, &payload),
              LSUIT_ERR_UNAUTHORISED);
}

/* --- releases by thresholds --- */

/* An envelope around bytes that nobody parses here, signed by some. */
static struct lsuit_bytes make_envelope(const int *by, uint8_t *buf, size_t cap)
{
    static const struct lsuit_bytes MANIFEST = { (const uint8_t *)"\xa0", 1 };
    static uint8_t room[4][256];
    uint8_t digest[32], encoded[64], tbs_room[256], sig[LSUIT_ES256_LEN];
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(encoded, sizeof encoded);
    struct lsuit_envelope_parts parts = { .manifest = MANIFEST };
    struct lsuit_bytes cose[4], tbs, out = NONE;
    size_t n = 0;

    CHECK_INT(lsuit_hash_bytes(CRYPTO, LSUIT_ALG_SHA256,
                               (struct lsuit_bytes){ (const uint8_t *)"\x41\xa0", 2 }, digest,
                               sizeof digest, &n),
              LSUIT_OK);
    lsuit_put_digest(&w, LSUIT_ALG_SHA256, (struct lsuit_bytes){ digest, sizeof digest });
    CHECK_INT(lsuit_cose_tbs(LSUIT_ALG_ESP256, NONE, (struct lsuit_bytes){ encoded, w.len },
                             tbs_room, sizeof tbs_room, &tbs),
              LSUIT_OK);
    for (uint32_t i = 0; i < 4 && by[i] >= 0; i++) {
        CHECK_INT(CRYPTO->sign(CRYPTO->ctx, signers[by[i]].id, LSUIT_ALG_ESP256, &tbs, 1, sig,
                               sizeof sig, &n),
                  LSUIT_OK);
        CHECK_INT(lsuit_cose_sign1_write(LSUIT_ALG_ESP256, NONE, NONE,
                                         (struct lsuit_bytes){ sig, n }, room[i], sizeof room[i],
                                         &cose[i]),
                  LSUIT_OK);
        parts.cose_n++;
    }
    parts.cose = cose;
    CHECK_INT(lsuit_envelope_write(&parts, CRYPTO, buf, cap, &out), LSUIT_OK);
    return out;
}

static void releases(void)
{
    static const uint8_t V1[16] = { 1 }, V2[16] = { 2 }, C1[16] = { 11 }, C2[16] = { 12 };
    static uint8_t set_buf[DOC_ROOM], doc_buf[1024];
    struct lsuit_role roles[4] = {
        { .role = LSUIT_ROLE_ROOT },
        { .role = LSUIT_ROLE_RELEASE, .vendor_id = { V1, 16 }, .threshold = 2 },
        { .role = LSUIT_ROLE_RELEASE, .vendor_id = { V1, 16 }, .class_id = { C2, 16 } },
        { .role = LSUIT_ROLE_AUTHOR },
    };
    /* A and B together sign for vendor 1, C alone for its class 2, D signs dependencies. */
    static const struct {
        const char *name;
        const uint8_t *vendor, *class_;
        int by[4];
        enum lsuit_err want;
        uint32_t signers;
    } ROWS[] = {
        { "two of two", V1, C1, { A, B, -1 }, LSUIT_OK, 2 },
        { "one of two", V1, C1, { A, -1 }, LSUIT_ERR_UNAUTHORISED, 0 },
        { "one of two, twice", V1, C1, { A, A, -1 }, LSUIT_ERR_UNAUTHORISED, 0 },
        { "one of two and a stranger", V1, C1, { A, C, -1 }, LSUIT_ERR_UNAUTHORISED, 0 },
        { "one for the class", V1, C2, { C, -1 }, LSUIT_OK, 1 },
        { "two of two for the class too", V1, C2, { B, A, -1 }, LSUIT_OK, 2 },
        { "halves of two entries", V1, C2, { A, D, -1 }, LSUIT_ERR_UNAUTHORISED, 0 },
        { "an author key signs no release", V1, C1, { D, -1 }, LSUIT_ERR_UNAUTHORISED, 0 },
        { "another vendor", V2, C1, { A, B, C, -1 }, LSUIT_ERR_UNAUTHORISED, 0 },
    };
    struct lsuit_trust_parts parts = { .version = 1, .roles = roles, .roles_n = N(roles) };
    struct lsuit_bytes payload;
    struct lsuit_trust t;

    for (size_t i = 0; i < N(roles); i++) {
        roles[i].keys[0] = signers[i == 0 || i == 1 ? A : i == 2 ? C : D].key;
        roles[i].keys_n = 1;
        roles[i].threshold = roles[i].threshold > 0 ? roles[i].threshold : 1;
    }
    roles[1].keys[1] = signers[B].key;
    roles[1].keys_n = 2;
    check_case("a set with two that sign together");
    CHECK_INT(lsuit_trust_write(&parts, set_buf, sizeof set_buf, &payload), LSUIT_OK);
    CHECK_INT(lsuit_trust_read(payload, &t, NULL), LSUIT_OK);
    for (size_t i = 0; i < N(ROWS); i++) {
        struct lsuit_bytes vendor = { ROWS[i].vendor, 16 }, class_ = { ROWS[i].class_, 16 };
        struct lsuit_envelope env;
        struct lsuit_auth auth = { 0 };
        struct lsuit_fault fault = { 0 };
        struct lsuit_role role = { 0 };

        check_case(ROWS[i].name);
        CHECK_INT(
            lsuit_envelope_read(make_envelope(ROWS[i].by, doc_buf, sizeof doc_buf), &env, NULL),
            LSUIT_OK);
        CHECK_INT(
            lsuit_trust_verify_envelope(&t, vendor, class_, &env, CRYPTO, &role, &auth, &fault),
            ROWS[i].want);
        CHECK_INT(env.verified, ROWS[i].want == LSUIT_OK);
        CHECK_UINT(auth.signers_n, ROWS[i].signers);
        CHECK_UINT(role.keys_n, ROWS[i].signers); /* in this table the entry's keys all sign */
        CHECK_INT(fault.err, ROWS[i].want);
    }
}

/* --- what stands stored --- */

static void restore(void)
{
    static const struct set FACTORY = { 1, { A, B, -1 }, 1, NOBODY, 0, -1 };
    /* clang-format off */
    static const struct {
        const char *name;
        struct set set;
        int by[4];
        int flip; /* this byte from the end; 0: none */
        enum lsuit_err want;
    } ROWS[] = {
        { "five steps on, the same root", { 6, { A, -1, -1 }, 1, NOBODY, 0, -1 }, { A, -1 }, 0, LSUIT_OK },
        { "a rotated root that the old one vouches for", { 6, { C, -1, -1 }, 1, NOBODY, 0, -1 }, { C, B, -1 }, 0, LSUIT_OK },
        { "a rotated root by itself", { 6, { C, -1, -1 }, 1, NOBODY, 0, -1 }, { C, -1 }, 0, LSUIT_ERR_UNAUTHORISED },
        { "without its own root", { 6, { C, -1, -1 }, 1, NOBODY, 0, -1 }, { A, -1 }, 0, LSUIT_ERR_UNAUTHORISED },
        { "the factory's own version", { 1, { A, -1, -1 }, 1, NOBODY, 0, -1 }, { A, -1 }, 0, LSUIT_ERR_ROLLBACK },
        { "one changed bit of the signature", { 6, { A, -1, -1 }, 1, NOBODY, 0, -1 }, { A, -1 }, 1, LSUIT_ERR_UNAUTHORISED },
        { "one changed bit of a key", { 6, { A, -1, -1 }, 1, NOBODY, 0, -1 }, { A, -1 }, 100, LSUIT_ERR_UNAUTHORISED },
    };
    /* clang-format on */
    static uint8_t now_buf[DOC_ROOM], set_buf[DOC_ROOM], doc_buf[DOC_ROOM], sig_buf[4][256];
    struct lsuit_bytes factory_doc, payload, doc, sigs[4];
    struct lsuit_trust factory, t;

    check_case("the factory's set");
    CHECK_INT(set_write(&FACTORY, now_buf, sizeof now_buf, &factory_doc), LSUIT_OK);
    CHECK_INT(lsuit_trust_read(factory_doc, &factory, NULL), LSUIT_OK);
    for (size_t i = 0; i < N(ROWS); i++) {
        uint32_t n = 0;

        check_case(ROWS[i].name);
        t.version = 0;
        CHECK_INT(set_write(&ROWS[i].set, set_buf, sizeof set_buf, &payload), LSUIT_OK);
        for (; n < 4 && ROWS[i].by[n] >= 0; n++)
            sigs[n] = sign_set(ROWS[i].by[n], payload, sig_buf[n], sizeof sig_buf[n]);
        CHECK_INT(lsuit_trust_doc_write(payload, sigs, n, doc_buf, sizeof doc_buf, &doc), LSUIT_OK);
        if (ROWS[i].flip != 0)
            doc_buf[doc.len - (size_t)ROWS[i].flip] ^= 1;
        CHECK_INT(lsuit_trust_restore(doc, CRYPTO, &factory, &t, NULL), ROWS[i].want);
        CHECK_UINT(t.version, ROWS[i].want == LSUIT_OK ? ROWS[i].set.version : 0);
    }
}

/* --- keys that everybody has --- */

static void published(void)
{
    static uint8_t buf[DOC_ROOM], point[LSUIT_P256_POINT_LEN];
    struct lsuit_role roles[2] = { { .role = LSUIT_ROLE_ROOT, .keys_n = 1, .threshold = 1 },
                                   { .role = LSUIT_ROLE_RELEASE, .keys_n = 1, .threshold = 1 } };
    struct lsuit_trust_parts parts = { .version = 1, .roles = roles, .roles_n = 2 };
    struct lsuit_bytes payload;
    struct lsuit_trust t;

    check_case("a set with good keys has no published key");
    roles[0].keys[0] = signers[A].key;
    roles[1].keys[0] = signers[B].key;
    CHECK_INT(lsuit_trust_write(&parts, buf, sizeof buf, &payload), LSUIT_OK);
    CHECK_INT(lsuit_trust_read(payload, &t, NULL), LSUIT_OK);
    CHECK(!lsuit_trust_has_published(&t));

    check_case("the drafts' example key is found");
    CHECK_UINT(check_hex("048496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad"
                         "3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896",
                         point, sizeof point),
               sizeof point);
    roles[1].keys[0].material.ptr = point;
    CHECK(lsuit_key_is_published(&roles[1].keys[0]));
    CHECK_INT(lsuit_trust_write(&parts, buf, sizeof buf, &payload), LSUIT_OK);
    CHECK_INT(lsuit_trust_read(payload, &t, NULL), LSUIT_OK);
    CHECK(lsuit_trust_has_published(&t));

    check_case("a key of another type is none");
    roles[1].keys[0].type = LSUIT_KEY_ED25519;
    CHECK(!lsuit_key_is_published(&roles[1].keys[0]));
}

int main(void)
{
    static uint8_t one[DOC_ROOM], two[DOC_ROOM], doc_buf[DOC_ROOM];
    struct lsuit_bytes first = doc_example("trust-1", one, sizeof one);
    struct lsuit_bytes second = doc_example("trust-2", two, sizeof two);
    struct lsuit_bytes doc = doc_example("trust-1-signed", doc_buf, sizeof doc_buf);

    for (int i = 0; i < SIGNERS; i++)
        signer_init(&signers[i]);
    doc_check_all("trust-1", first, 10, rewrite);
    doc_check_all("trust-2", second, 10, rewrite);
    doc_check_all("trust-1-signed", doc, 1, rewrite_doc);
    doc_check_cases(first, CASES, N(CASES), rewrite);
    doc_check_cases(doc, DOC_CASES, N(DOC_CASES), rewrite_doc);
    later_key(first);
    examples();
    steps();
    wrong_signatures();
    bad_sets();
    scopes();
    signed_documents();
    releases();
    restore();
    published();
    return check_done();
}
