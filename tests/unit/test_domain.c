/*
 * No document stands in for another. Each is fed to the reader of each, all signed by one and the same
 * key, so that nothing but what is signed can tell them apart; then each by the key of each role.
 */
#include "doc.h"
#include "suit_make.h"

#include "lsuit/checkin.h"
#include "lsuit/doc.h"
#include "lsuit/report.h"
#include "lsuit/suit_report.h"
#include "lsuit/trust.h"

#define CRYPTO (&lsuit_crypto_psa)

static const struct lsuit_bytes NONE = { NULL, 0 };
static struct make_key everyone; /* the key that has every role */

static struct lsuit_bytes audience_of(enum lsuit_doc kind)
{
    static const char NAME[] = "updates.lamp.example";
    bool has = kind == LSUIT_DOC_CHECKIN || kind == LSUIT_DOC_REPORT || kind == LSUIT_DOC_ERASE;

    return has ? (struct lsuit_bytes){ (const uint8_t *)NAME, sizeof NAME - 1 } : NONE;
}

/* --- making documents --- */

/* The content of a worked example, without its signature. */
static struct lsuit_bytes content_of(const char *example, uint8_t *buf)
{
    struct lsuit_bytes doc = doc_example(example, buf, DOC_ROOM), payload = doc;

    if (lsuit_doc_is_signed(doc))
        CHECK_INT(lsuit_doc_peek(doc, &payload), LSUIT_OK);
    return payload;
}

static struct lsuit_bytes make_doc(const struct make_key *key, enum lsuit_doc kind,
                                   struct lsuit_bytes content, uint8_t *buf)
{
    struct lsuit_bytes doc = NONE;

    CHECK_INT(lsuit_doc_sign(kind, audience_of(kind), content, CRYPTO, key->id, NONE, buf, DOC_ROOM,
                             &doc),
              LSUIT_OK);
    return doc;
}

/* [ payload, [ + COSE_Sign1 ] ], with one signature; the trust set names its key as root. */
static struct lsuit_bytes make_trust(const struct make_key *key, struct lsuit_bytes *signature_out,
                                     uint8_t *buf)
{
    static uint8_t payload_buf[1024], tbs_buf[1200], cose_buf[256];
    struct lsuit_role root = { .role = LSUIT_ROLE_ROOT, .threshold = 1, .keys_n = 1 };
    struct lsuit_trust_parts parts = { .version = 1, .roles = &root, .roles_n = 1 };
    struct lsuit_bytes payload = NONE, tbs = NONE, doc = NONE;
    uint8_t sig[LSUIT_ES256_LEN];
    size_t n = 0;

    root.keys[0] = key->key;
    CHECK_INT(lsuit_trust_write(&parts, payload_buf, sizeof payload_buf, &payload), LSUIT_OK);
    CHECK_INT(lsuit_trust_tbs(LSUIT_ALG_ESP256, payload, tbs_buf, sizeof tbs_buf, &tbs), LSUIT_OK);
    CHECK_INT(CRYPTO->sign(NULL, key->id, LSUIT_ALG_ESP256, &tbs, 1, sig, sizeof sig, &n),
              LSUIT_OK);
    CHECK_INT(lsuit_cose_sign1_write(LSUIT_ALG_ESP256, NONE, NONE, (struct lsuit_bytes){ sig, n },
                                     cose_buf, sizeof cose_buf, signature_out),
              LSUIT_OK);
    CHECK_INT(lsuit_trust_doc_write(payload, signature_out, 1, buf, DOC_ROOM, &doc), LSUIT_OK);
    return doc;
}

static struct lsuit_bytes make_envelope(const struct make_key *key, struct lsuit_bytes *block_out,
                                        uint8_t *buf)
{
    static const struct make_manifest M = { .sequence = 1, .shared = "84 01 0f 02 0f" };
    static uint8_t manifest_buf[512], cose_buf[256];
    struct lsuit_envelope_parts parts = { .manifest = make_manifest(&M, manifest_buf,
                                                                    sizeof manifest_buf) };
    struct lsuit_envelope e;
    struct lsuit_bytes doc = NONE;

    CHECK_INT(lsuit_envelope_write(&parts, CRYPTO, buf, DOC_ROOM, &doc), LSUIT_OK);
    CHECK_INT(lsuit_envelope_read(doc, &e, NULL), LSUIT_OK);
    CHECK_INT(lsuit_envelope_trust_nobody(&e, CRYPTO, NULL), LSUIT_OK);
    *block_out =
        make_signature(key, LSUIT_ALG_ESP256, NONE, e.digest_bytes, cose_buf, sizeof cose_buf);
    parts.cose = block_out;
    parts.cose_n = 1;
    CHECK_INT(lsuit_envelope_write(&parts, CRYPTO, buf, DOC_ROOM, &doc), LSUIT_OK);
    return doc;
}

static struct lsuit_bytes make_suit_report(const struct make_key *key, uint8_t *buf)
{
    static uint8_t plain_buf[256];
    struct lsuit_suit_report r = { .ok = true, .digest = { LSUIT_ALG_SHA256, { plain_buf, 32 } } };
    uint8_t plain[256];
    struct lsuit_bytes content = NONE, doc = NONE;

    CHECK_INT(lsuit_suit_report_write(&r, plain, sizeof plain, &content), LSUIT_OK);
    CHECK_INT(lsuit_cose_sign1(CRYPTO, key->id, LSUIT_ALG_ESP256, NONE, NONE, content, buf,
                               DOC_ROOM, &doc),
              LSUIT_OK);
    return doc;
}

/* --- reading them --- */

enum place {
    CHECKIN,
    REPORT,
    STATEMENT,
    RECEIPT,
    ENROL,
    ERASE,
    TRUST,
    ENVELOPE,
    SUIT_REPORT,
    PLAIN_CHECKIN,
    PLAIN_ANSWER,
    PLAIN_REPORT,
    PLACES
};

/* clang-format off */
static const struct {
    const char *name;
    enum lsuit_doc kind; /* of a signed document of lapel */
    const char *example;
} PLACE[PLACES] = {
    [CHECKIN]       = { "check-in",       LSUIT_DOC_CHECKIN,   "checkin-signed" },
    [REPORT]        = { "report",         LSUIT_DOC_REPORT,    "report" },
    [STATEMENT]     = { "statement",      LSUIT_DOC_STATEMENT, "statement" },
    [RECEIPT]       = { "receipt",        LSUIT_DOC_RECEIPT,   "receipt" },
    [ENROL]         = { "enrolment",      LSUIT_DOC_ENROL,     "receipt" },
    [ERASE]         = { "erase request",  LSUIT_DOC_ERASE,     "receipt" },
    [TRUST]         = { "trust set",      LSUIT_DOC_TRUST,     NULL },
    [ENVELOPE]      = { "SUIT envelope",  LSUIT_DOC_TRUST,     NULL },
    [SUIT_REPORT]   = { "SUIT report",    LSUIT_DOC_TRUST,     NULL },
    [PLAIN_CHECKIN] = { "plain check-in", LSUIT_DOC_CHECKIN,   "checkin-signed" },
    [PLAIN_ANSWER]  = { "plain answer",   LSUIT_DOC_CHECKIN,   "answer-offer" },
    [PLAIN_REPORT]  = { "plain report",   LSUIT_DOC_CHECKIN,   "report" },
};
/* clang-format on */

static enum lsuit_err read_envelope(struct lsuit_bytes doc)
{
    const struct lsuit_trust_keys trust = { &everyone.key, 1, 1 };
    struct lsuit_envelope e;
    enum lsuit_err err = lsuit_envelope_read(doc, &e, NULL);

    return err != LSUIT_OK ? err : lsuit_envelope_verify(&e, CRYPTO, &trust, NULL, NULL);
}

/* Take a document for what this place expects. */
static enum lsuit_err read_as(enum place place, struct lsuit_bytes doc)
{
    static union {
        struct lsuit_trust trust;
        struct lsuit_suit_report suit_report;
        struct lsuit_checkin checkin;
        struct lsuit_answer answer;
        struct lsuit_report report;
    } out;
    struct lsuit_bytes payload = NONE;

    switch (place) {
    case TRUST:
        return lsuit_trust_accept(doc, CRYPTO, NULL, &out.trust, NULL);
    case ENVELOPE:
        return read_envelope(doc);
    case SUIT_REPORT:
        return lsuit_suit_report_verify(doc, CRYPTO, &everyone.key, 1, NONE, &out.suit_report,
                                        NULL);
    case PLAIN_CHECKIN:
        return lsuit_checkin_read(doc, &out.checkin, NULL);
    case PLAIN_ANSWER:
        return lsuit_answer_read(doc, &out.answer, NULL);
    case PLAIN_REPORT:
        return lsuit_report_read(doc, &out.report, NULL);
    default:
        return lsuit_doc_verify(PLACE[place].kind, audience_of(PLACE[place].kind), doc, CRYPTO,
                                &everyone.key, 1, NULL, &payload);
    }
}

static uint8_t bufs[PLACES][DOC_ROOM];
static struct lsuit_bytes docs[PLACES];
static struct lsuit_bytes trust_signature, envelope_block; /* the detached COSE_Sign1 within */

static void documents_make(void)
{
    static uint8_t content[DOC_ROOM];

    for (int i = 0; i < PLACES; i++) {
        if (i == TRUST)
            docs[i] = make_trust(&everyone, &trust_signature, bufs[i]);
        else if (i == ENVELOPE)
            docs[i] = make_envelope(&everyone, &envelope_block, bufs[i]);
        else if (i == SUIT_REPORT)
            docs[i] = make_suit_report(&everyone, bufs[i]);
        else if (i >= PLAIN_CHECKIN)
            docs[i] = content_of(PLACE[i].example, bufs[i]);
        else
            docs[i] =
                make_doc(&everyone, PLACE[i].kind, content_of(PLACE[i].example, content), bufs[i]);
    }
}

static void each_in_each_place(void)
{
    char title[80];

    for (int i = 0; i < PLACES; i++) {
        snprintf(title, sizeof title, "a %s stands for itself only", PLACE[i].name);
        check_case(title);
        for (int j = 0; j < PLACES; j++) {
            enum lsuit_err e = read_as((enum place)j, docs[i]);

            if (!CHECK((e == LSUIT_OK) == (i == j)))
                printf("     as a %s: %s\n", PLACE[j].name, lsuit_err_name(e));
        }
    }
}

/* --- signatures that are put around other bytes --- */

/* The signature of a COSE_Sign1 with another payload, attached. */
static struct lsuit_bytes attach(struct lsuit_bytes cose_bytes, struct lsuit_bytes payload,
                                 uint8_t *buf)
{
    struct lsuit_cose cose;
    struct lsuit_bytes doc = NONE;

    CHECK_INT(lsuit_cose_read(cose_bytes, &cose), LSUIT_OK);
    CHECK_INT(
        lsuit_cose_sign1_write(cose.alg, cose.kid, payload, cose.signature, buf, DOC_ROOM, &doc),
        LSUIT_OK);
    return doc;
}

static void nowhere(const char *what, struct lsuit_bytes doc)
{
    char title[80];

    snprintf(title, sizeof title, "%s fits nowhere", what);
    check_case(title);
    for (int j = 0; j < PLACES; j++) {
        if (!CHECK(read_as((enum place)j, doc) != LSUIT_OK))
            printf("     as a %s\n", PLACE[j].name);
    }
}

/* An envelope with a foreign signature as its authentication block. */
static struct lsuit_bytes envelope_with(struct lsuit_bytes cose_bytes, uint8_t *buf)
{
    struct lsuit_envelope e;
    struct lsuit_envelope_parts parts = { .cose = &cose_bytes, .cose_n = 1 };
    struct lsuit_bytes doc = NONE;

    CHECK_INT(lsuit_envelope_read(docs[ENVELOPE], &e, NULL), LSUIT_OK);
    parts.manifest = e.manifest;
    CHECK_INT(lsuit_envelope_write(&parts, CRYPTO, buf, DOC_ROOM, &doc), LSUIT_OK);
    return doc;
}

static void signatures_moved(void)
{
    static uint8_t buf[DOC_ROOM], buf2[DOC_ROOM];
    struct lsuit_envelope e;
    struct lsuit_trust trust;
    struct lsuit_bytes doc = NONE;

    check_case("what they cover");
    CHECK_INT(lsuit_envelope_read(docs[ENVELOPE], &e, NULL), LSUIT_OK);
    CHECK_INT(lsuit_envelope_trust_nobody(&e, CRYPTO, NULL), LSUIT_OK);
    CHECK_INT(lsuit_trust_accept(docs[TRUST], CRYPTO, NULL, &trust, NULL), LSUIT_OK);

    nowhere("a manifest's signature with its digest attached",
            attach(envelope_block, e.digest_bytes, buf));
    nowhere("a trust set's signature with the set attached",
            attach(trust_signature, trust.payload, buf));
    nowhere("an envelope signed as a trust set", envelope_with(trust_signature, buf));
    for (int i = 0; i <= SUIT_REPORT; i++) {
        char title[80];

        if (i == TRUST || i == ENVELOPE)
            continue;
        snprintf(title, sizeof title, "an envelope with the signature of a %s", PLACE[i].name);
        nowhere(title, envelope_with(attach(docs[i], NONE, buf2), buf));
        snprintf(title, sizeof title, "an envelope with a whole %s as its block", PLACE[i].name);
        nowhere(title, envelope_with(docs[i], buf));
        snprintf(title, sizeof title, "a trust set with the signature of a %s", PLACE[i].name);
        doc = attach(docs[i], NONE, buf2);
        CHECK_INT(lsuit_trust_doc_write(trust.payload, &doc, 1, buf, DOC_ROOM, &doc), LSUIT_OK);
        nowhere(title, doc);
    }

    check_case("a key that signs its manifests may not even sign a set of the same bytes");
    doc = make_signature(&everyone, LSUIT_ALG_ESP256, NONE, trust.payload, buf2, sizeof buf2);
    CHECK_INT(lsuit_trust_doc_write(trust.payload, &doc, 1, buf, DOC_ROOM, &doc), LSUIT_OK);
    CHECK_INT(read_as(TRUST, doc), LSUIT_ERR_UNAUTHORISED);
}

/* --- roles --- */

/* clang-format off */
static const struct {
    enum place place;
    enum lsuit_role_kind role; /* that signs it */
} ROLES[] = {
    { STATEMENT, LSUIT_ROLE_ONLINE },
    { RECEIPT,   LSUIT_ROLE_ONLINE },
    { ENROL,     LSUIT_ROLE_ENROL },
    { ENVELOPE,  LSUIT_ROLE_RELEASE },
};
static const enum lsuit_role_kind KINDS[] = {
    LSUIT_ROLE_ROOT, LSUIT_ROLE_RELEASE, LSUIT_ROLE_ONLINE, LSUIT_ROLE_AUTHOR, LSUIT_ROLE_ENROL,
};
/* clang-format on */
enum { KINDS_N = sizeof KINDS / sizeof KINDS[0] };

static enum lsuit_err verify_by_role(const struct lsuit_trust *trust, enum place place,
                                     enum lsuit_role_kind role, struct lsuit_bytes doc)
{
    struct lsuit_bytes payload = NONE;
    struct lsuit_envelope e;

    if (place != ENVELOPE)
        return lsuit_trust_verify(trust, role, NONE, NONE, PLACE[place].kind, doc, CRYPTO,
                                  &payload);
    CHECK_INT(lsuit_envelope_read(doc, &e, NULL), LSUIT_OK);
    return lsuit_trust_verify_envelope(trust, NONE, NONE, &e, CRYPTO, NULL, NULL, NULL);
}

/* A set with a key for each role; each document signed by each of them. */
static void each_by_each_role(void)
{
    static uint8_t buf[DOC_ROOM], content[DOC_ROOM], payload_buf[1024];
    struct lsuit_role roles[KINDS_N];
    struct lsuit_trust_parts parts = { .version = 1, .roles = roles, .roles_n = KINDS_N };
    struct make_key keys[KINDS_N];
    struct lsuit_bytes payload = NONE, doc, block;
    struct lsuit_trust trust = { 0 };

    check_case("a set with a key for each role");
    for (size_t i = 0; i < KINDS_N; i++) {
        make_key(&keys[i], (uint8_t)(20 + i), PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
        roles[i] = (struct lsuit_role){ .role = KINDS[i], .threshold = 1, .keys_n = 1 };
        roles[i].keys[0] = keys[i].key;
    }
    CHECK_INT(lsuit_trust_write(&parts, payload_buf, sizeof payload_buf, &payload), LSUIT_OK);
    CHECK_INT(lsuit_trust_read(payload, &trust, NULL), LSUIT_OK);
    for (size_t i = 0; i < sizeof ROLES / sizeof ROLES[0]; i++) {
        char title[80];

        snprintf(title, sizeof title, "a %s counts from a key of its role only",
                 PLACE[ROLES[i].place].name);
        check_case(title);
        for (size_t k = 0; k < KINDS_N; k++) {
            doc = ROLES[i].place == ENVELOPE
                      ? make_envelope(&keys[k], &block, buf)
                      : make_doc(&keys[k], PLACE[ROLES[i].place].kind,
                                 content_of(PLACE[ROLES[i].place].example, content), buf);
            CHECK_INT(verify_by_role(&trust, ROLES[i].place, ROLES[i].role, doc),
                      KINDS[k] == ROLES[i].role ? LSUIT_OK : LSUIT_ERR_UNAUTHORISED);
        }
    }
}

int main(void)
{
    make_key(&everyone, 1, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    check_case("each document is made");
    documents_make();
    each_in_each_place();
    signatures_moved();
    each_by_each_role();
    return check_done();
}
