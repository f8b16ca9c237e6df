/*
 * What the documents have in common: domain separation, names, and that SPEC.md, the CDDL and the
 * code number every key alike.
 */
#include "doc.h"
#include "signers.h"

#include "lsuit/checkin.h"
#include "lsuit/cose.h"
#include "lsuit/receipt.h"
#include "lsuit/report.h"
#include "lsuit/statement.h"
#include "lsuit/trust.h"

#define N(table) (sizeof(table) / sizeof *(table))

static const struct lsuit_crypto *const CRYPTO = &lsuit_crypto_psa;
static const struct lsuit_bytes NONE;

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

/* --- external_aad --- */

static const struct {
    const char *name;
    enum lsuit_doc kind;
    const char *audience, *aad; /* a zero byte is shown as | */
    enum lsuit_err want;
} AADS[] = {
    { "check-in", LSUIT_DOC_CHECKIN, "a.example", "lapel/checkin/1|a.example", LSUIT_OK },
    { "report", LSUIT_DOC_REPORT, "a.example", "lapel/report/1|a.example", LSUIT_OK },
    { "erase", LSUIT_DOC_ERASE, "a.example", "lapel/erase/1|a.example", LSUIT_OK },
    { "statement", LSUIT_DOC_STATEMENT, NULL, "lapel/statement/1", LSUIT_OK },
    { "trust", LSUIT_DOC_TRUST, NULL, "lapel/trust/1", LSUIT_OK },
    { "receipt", LSUIT_DOC_RECEIPT, NULL, "lapel/receipt/1", LSUIT_OK },
    { "enrol", LSUIT_DOC_ENROL, NULL, "lapel/enrol/1", LSUIT_OK },
    { "a check-in for nobody", LSUIT_DOC_CHECKIN, NULL, "", LSUIT_ERR_USAGE },
    { "a check-in for an empty name", LSUIT_DOC_CHECKIN, "", "", LSUIT_ERR_USAGE },
    { "a statement for somebody", LSUIT_DOC_STATEMENT, "a.example", "", LSUIT_ERR_USAGE },
    { "kind 0", (enum lsuit_doc)0, NULL, "", LSUIT_ERR_USAGE },
    { "a kind of later", (enum lsuit_doc)99, NULL, "", LSUIT_ERR_USAGE },
};

static void aads(void)
{
    uint8_t buf[LSUIT_AAD_MAX], longest[LSUIT_AUDIENCE_MAX + 1] = { 'x' };
    struct lsuit_bytes aad;

    for (size_t i = 0; i < N(AADS); i++) {
        struct lsuit_bytes audience = AADS[i].audience != NULL ? text(AADS[i].audience) : NONE;
        char want[64];

        aad = NONE;
        snprintf(want, sizeof want, "%s", AADS[i].aad);
        if (strchr(want, '|') != NULL)
            *strchr(want, '|') = '\0';
        check_case(AADS[i].name);
        CHECK_INT(lsuit_doc_aad(AADS[i].kind, audience, buf, sizeof buf, &aad), AADS[i].want);
        CHECK_BYTES(aad.ptr, aad.len, want, strlen(AADS[i].aad));
    }
    check_case("the longest audience");
    CHECK_INT(lsuit_doc_aad(LSUIT_DOC_CHECKIN, (struct lsuit_bytes){ longest, LSUIT_AUDIENCE_MAX },
                            buf, sizeof buf, &aad),
              LSUIT_OK);
    CHECK_INT(lsuit_doc_aad(LSUIT_DOC_CHECKIN,
                            (struct lsuit_bytes){ longest, LSUIT_AUDIENCE_MAX + 1 }, buf,
                            sizeof buf, &aad),
              LSUIT_ERR_RANGE);
    CHECK_INT(lsuit_doc_aad(LSUIT_DOC_CHECKIN, text("a"), buf, 16, &aad), LSUIT_ERR_SPACE);
    CHECK_INT(lsuit_doc_aad(LSUIT_DOC_CHECKIN, text("a"), buf, 17, &aad), LSUIT_OK);
}

/* --- none can stand in for another --- */

static const struct {
    const char *name;
    enum lsuit_doc kind;
    bool audience;
} KINDS[] = {
    { "checkin", LSUIT_DOC_CHECKIN, true }, { "report", LSUIT_DOC_REPORT, true },
    { "erase", LSUIT_DOC_ERASE, true },     { "statement", LSUIT_DOC_STATEMENT, false },
    { "trust", LSUIT_DOC_TRUST, false },    { "receipt", LSUIT_DOC_RECEIPT, false },
    { "enrol", LSUIT_DOC_ENROL, false },
};

static struct lsuit_bytes audience_of(size_t i, const char *name)
{
    return KINDS[i].audience ? text(name) : NONE;
}

/* One key signs each kind, so that nothing but the external_aad can tell them apart. */
static void each_as_each(void)
{
    static uint8_t buf[DOC_ROOM];
    static const uint8_t PAYLOAD[] = { 0xa1, 0x00, 0x01 };
    struct signer s;
    char title[80];

    signer_init(&s);
    for (size_t i = 0; i < N(KINDS); i++) {
        struct lsuit_bytes doc, payload = NONE, aad = NONE;
        struct lsuit_cose cose;
        size_t index = 9;

        snprintf(title, sizeof title, "%s stands for itself only", KINDS[i].name);
        check_case(title);
        CHECK_INT(lsuit_doc_sign(KINDS[i].kind, audience_of(i, "a.example"),
                                 (struct lsuit_bytes){ PAYLOAD, sizeof PAYLOAD }, CRYPTO, s.id,
                                 NONE, buf, sizeof PAYLOAD + LSUIT_COSE_OVERHEAD, &doc),
                  LSUIT_OK);
        CHECK(lsuit_doc_is_signed(doc));
        CHECK_INT(lsuit_doc_verify(KINDS[i].kind, audience_of(i, "a.example"), doc, CRYPTO, &s.key,
                                   1, &index, &payload),
                  LSUIT_OK);
        CHECK_UINT(index, 0);
        CHECK_BYTES(payload.ptr, payload.len, PAYLOAD, sizeof PAYLOAD);
        payload = NONE;
        for (size_t j = 0; j < N(KINDS); j++) {
            if (j != i)
                CHECK_INT(lsuit_doc_verify(KINDS[j].kind, audience_of(j, "a.example"), doc, CRYPTO,
                                           &s.key, 1, NULL, &payload),
                          LSUIT_ERR_UNAUTHORISED);
        }
        if (KINDS[i].audience)
            CHECK_INT(lsuit_doc_verify(KINDS[i].kind, text("b.example"), doc, CRYPTO, &s.key, 1,
                                       NULL, &payload),
                      LSUIT_ERR_UNAUTHORISED);
        /* as SUIT would take it */
        CHECK_INT(lsuit_cose_read(doc, &cose), LSUIT_OK);
        CHECK_INT(lsuit_cose_verify(&cose, CRYPTO, &s.key, 1, aad, cose.payload, NULL),
                  LSUIT_ERR_UNAUTHORISED);
        CHECK(payload.ptr == NULL);
    }
}

static void no_document(void)
{
    static uint8_t buf[DOC_ROOM];
    static const uint8_t SIG[LSUIT_ES256_LEN] = { 1 };
    struct lsuit_bytes doc, payload = NONE;
    struct signer s;

    signer_init(&s);
    check_case("a detached COSE_Sign1 is no document");
    CHECK_INT(lsuit_cose_sign1_write(LSUIT_ALG_ESP256, NONE, NONE,
                                     (struct lsuit_bytes){ SIG, sizeof SIG }, buf, sizeof buf,
                                     &doc),
              LSUIT_OK);
    CHECK_INT(lsuit_doc_peek(doc, &payload), LSUIT_ERR_COSE);
    CHECK_INT(lsuit_doc_verify(LSUIT_DOC_STATEMENT, NONE, doc, CRYPTO, &s.key, 1, NULL, &payload),
              LSUIT_ERR_COSE);
    check_case("a COSE_Mac0 is no document");
    doc = doc_example("checkin-signed", buf, sizeof buf);
    buf[0] = 0xc0 | LSUIT_TAG_COSE_MAC0;
    CHECK(!lsuit_doc_is_signed(doc));
    CHECK_INT(lsuit_doc_peek(doc, &payload), LSUIT_ERR_COSE);
    check_case("a plain map is no signed document");
    doc = doc_example("statement", buf, sizeof buf);
    CHECK(!lsuit_doc_is_signed(doc));
    CHECK(!lsuit_doc_is_signed(NONE));
    CHECK(lsuit_doc_verify(LSUIT_DOC_STATEMENT, NONE, doc, CRYPTO, &s.key, 1, NULL, &payload) !=
          LSUIT_OK);
    CHECK(payload.ptr == NULL);
}

/* The example, signed by another library; the device's own key stands in its check-in. */
static void signed_checkin(void)
{
    static uint8_t buf[DOC_ROOM], full[DOC_ROOM];
    struct lsuit_bytes doc = doc_example("checkin-signed", buf, sizeof buf), payload = NONE;
    struct lsuit_bytes with_key = doc_example("checkin-full", full, sizeof full);
    struct lsuit_checkin ci;
    struct lsuit_key key = { .type = LSUIT_KEY_P256 };

    check_case("the example's signed check-in");
    CHECK_INT(lsuit_checkin_read(with_key, &ci, NULL), LSUIT_OK);
    key.material = ci.device_key;
    CHECK(lsuit_doc_is_signed(doc));
    if (CHECK_INT(lsuit_doc_peek(doc, &payload), LSUIT_OK) &&
        CHECK_INT(lsuit_checkin_read(payload, &ci, NULL), LSUIT_OK))
        CHECK_UINT(ci.counter, 78);
    CHECK_INT(lsuit_doc_verify(LSUIT_DOC_CHECKIN, text("updates.lamp.example"), doc, CRYPTO, &key,
                               1, NULL, &payload),
              LSUIT_OK);
    CHECK_INT(lsuit_doc_verify(LSUIT_DOC_CHECKIN, text("updates.lamp.exampl"), doc, CRYPTO, &key, 1,
                               NULL, &payload),
              LSUIT_ERR_UNAUTHORISED);
}

/* A reader takes no other document's payload, signed or not. */
static enum lsuit_err read_as(size_t reader, struct lsuit_bytes doc)
{
    union {
        struct lsuit_checkin checkin;
        struct lsuit_answer answer;
        struct lsuit_report report;
        struct lsuit_statement statement;
        struct lsuit_trust trust;
        struct lsuit_receipt receipt;
    } u;

    switch (reader) {
    case 0:
        return lsuit_checkin_read(doc, &u.checkin, NULL);
    case 1:
        return lsuit_answer_read(doc, &u.answer, NULL);
    case 2:
        return lsuit_report_read(doc, &u.report, NULL);
    case 3:
        return lsuit_statement_read(doc, &u.statement, NULL);
    case 4:
        return lsuit_trust_read(doc, &u.trust, NULL);
    default:
        return lsuit_receipt_read(doc, &u.receipt, NULL);
    }
}

static void each_read_as_each(void)
{
    static const struct {
        const char *example;
        size_t reader;
    } ROWS[] = {
        { "checkin-minimal", 0 }, { "checkin-full", 0 },   { "answer-nothing", 1 },
        { "answer-offer", 1 },    { "answer-full", 1 },    { "report", 2 },
        { "statement", 3 },       { "trust-1", 4 },        { "receipt", 5 },
        { "capability", 9 },      { "checkin-signed", 9 },
    };
    uint8_t buf[DOC_ROOM];

    for (size_t i = 0; i < N(ROWS); i++) {
        struct lsuit_bytes doc = doc_example(ROWS[i].example, buf, sizeof buf);

        check_case(ROWS[i].example);
        for (size_t reader = 0; reader < 6; reader++)
            CHECK((read_as(reader, doc) == LSUIT_OK) == (reader == ROWS[i].reader));
    }
}

/* --- names --- */

/* clang-format off */
static const struct {
    enum lsuit_map map;
    const char *rule; /* in the CDDL, and behind "map" in SPEC.md */
    int keys;
} MAPS[] = {
    { LSUIT_MAP_CHECKIN, "checkin", 24 },      { LSUIT_MAP_RUNNING, "running", 6 },
    { LSUIT_MAP_ATTEMPT, "attempt", 8 },       { LSUIT_MAP_CAPABILITY, "capability", 8 },
    { LSUIT_MAP_EVENT, "event", 3 },           { LSUIT_MAP_FAULT, "fault-record", 4 },
    { LSUIT_MAP_USER, "user", 6 },             { LSUIT_MAP_ANSWER, "answer", 11 },
    { LSUIT_MAP_VERDICT, "verdict", 7 },       { LSUIT_MAP_REPORT, "report", 10 },
    { LSUIT_MAP_SPACE, "space", 3 },           { LSUIT_MAP_STATEMENT, "statement", 15 },
    { LSUIT_MAP_RELEASE, "release", 5 },       { LSUIT_MAP_SUPPORT, "support", 2 },
    { LSUIT_MAP_TRUST_DOC, "trust-document", 3 }, { LSUIT_MAP_TRUST, "trust-set", 6 },
    { LSUIT_MAP_ROLE, "role", 5 },             { LSUIT_MAP_KEY, "key", 3 },
    { LSUIT_MAP_ANCHOR, "anchor", 3 },         { LSUIT_MAP_RECEIPT, "receipt", 7 },
};
/* clang-format on */

static const char *const CDDL[] = { "common", "checkin", "answer", "report", "statement",
                                    "trust",  "receipt", "enrol",  "erase" };

static int map_of_rule(const char *rule)
{
    for (size_t i = 0; i < N(MAPS); i++) {
        if (strcmp(MAPS[i].rule, rule) == 0)
            return (int)i;
    }
    return -1;
}

/* Lines `? 7: uint, ; trust-version` below `rule = {`. */
static void count_cddl(const char *path, int *found)
{
    char line[512], rule[64], name[64];
    FILE *f = fopen(path, "r");
    int map = -1;
    long long key = 0;

    if (!CHECK(f != NULL))
        return;
    while (fgets(line, sizeof line, f) != NULL) {
        const char *note = strrchr(line, ';');

        if (sscanf(line, "%63[a-z-] = {", rule) == 1 && strchr(line, '{') != NULL)
            map = map_of_rule(rule);
        if (map < 0 || note == NULL)
            continue;
        if (sscanf(line, " ? %lld:", &key) != 1 && sscanf(line, " %lld:", &key) != 1)
            continue;
        if (sscanf(note, "; %63[a-z-]", name) != 1)
            continue;
        CHECK_STR(name, lsuit_key_name(MAPS[map].map, key));
        found[map]++;
    }
    fclose(f);
}

static void names_in_cddl(void)
{
    int found[N(MAPS)] = { 0 };
    char path[128];

    check_case("the CDDL numbers every key as the code does");
    for (size_t i = 0; i < N(CDDL); i++) {
        snprintf(path, sizeof path, "manifests/cddl/%s.cddl", CDDL[i]);
        count_cddl(path, found);
    }
    for (size_t i = 0; i < N(MAPS); i++) {
        if (!CHECK_INT(found[i], MAPS[i].keys))
            printf("     rule %s\n", MAPS[i].rule);
    }
}

/* Rows `| 7 | trust-version |` below a heading that ends in `map: checkin`. */
static void names_in_spec(void)
{
    int found[N(MAPS)] = { 0 }, map = -1;
    char line[1024], rule[64], name[64];
    FILE *f = fopen("manifests/SPEC.md", "r");
    long long key = 0;

    check_case("SPEC.md numbers every key as the code does");
    if (!CHECK(f != NULL))
        return;
    while (fgets(line, sizeof line, f) != NULL) {
        const char *heading = line[0] == '#' ? strstr(line, "map: ") : NULL;

        if (line[0] == '#')
            map = -1;
        if (heading != NULL && sscanf(heading, "map: %63[a-z-]", rule) == 1)
            map = map_of_rule(rule);
        if (map < 0 || sscanf(line, "| %lld | %63[a-z-] |", &key, name) != 2)
            continue;
        CHECK_STR(name, lsuit_key_name(MAPS[map].map, key));
        found[map]++;
    }
    fclose(f);
    for (size_t i = 0; i < N(MAPS); i++) {
        if (!CHECK_INT(found[i], MAPS[i].keys))
            printf("     map: %s\n", MAPS[i].rule);
    }
}

static void names_in_code(void)
{
    check_case("every key in the code has a name, no other has");
    for (size_t i = 0; i < N(MAPS); i++) {
        int n = 0;

        for (int64_t key = -2; key < 300; key++)
            n += lsuit_key_name(MAPS[i].map, key) != NULL;
        CHECK_INT(n, MAPS[i].keys);
    }
    CHECK_INT((int64_t)N(MAPS), LSUIT_MAP_N);
    CHECK_STR(lsuit_key_name(LSUIT_MAP_N, 0), NULL);
    CHECK_STR(lsuit_key_name(LSUIT_MAP_ANSWER, LSUIT_ANSWER_NEXT_POLL), "next-poll");
    CHECK_STR(lsuit_class_name(LSUIT_CLASS_LIMIT), "limit");
    CHECK_STR(lsuit_class_name(LSUIT_CLASS_LIMIT + 1), NULL);
    CHECK_STR(lsuit_stage_name(LSUIT_STAGE_CONFIRM), "confirm");
    CHECK_STR(lsuit_stage_name(LSUIT_STAGE_CONFIRM + 1), NULL);
    CHECK_STR(lsuit_event_name(LSUIT_EVENT_STATEMENT), "statement");
    CHECK_STR(lsuit_event_name(0), NULL);
}

int main(void)
{
    psa_crypto_init();
    aads();
    each_as_each();
    no_document();
    signed_checkin();
    each_read_as_each();
    names_in_code();
    names_in_cddl();
    names_in_spec();
    return check_done();
}
