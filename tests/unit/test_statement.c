/*
 * Freshness statement: the worked example, ranges, growth, lookups.
 */
#include "doc.h"

#include "lsuit/statement.h"

#define N(table) (sizeof(table) / sizeof *(table))

/* The support list is kept as it came: write it anew, so that unknown keys in it go too. */
static enum lsuit_err rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    static uint8_t room[DOC_ROOM];
    struct lsuit_support list[LSUIT_MAX_SUPPORT];
    struct lsuit_statement st;
    uint32_t n = 0;
    enum lsuit_err e = lsuit_statement_read(doc, &st, fault);

    if (e != LSUIT_OK)
        return e;
    while (n < LSUIT_MAX_SUPPORT && lsuit_statement_support_at(&st, n, &list[n]))
        n++;
    if (st.support.ptr != NULL)
        e = lsuit_support_write(list, n, room, sizeof room, &st.support);
    return e != LSUIT_OK ? e : lsuit_statement_write(&st, buf, cap, out);
}

/* Maps of statement: 0 itself, 1 and 2 releases, 3 and 4 support. */
/* clang-format off */
static const struct doc_case CASES[] = {
    /* name                       map key value               want               what */
    { "no version",                0, 0, "",                 LSUIT_ERR_CBOR,    "version" },
    { "version 2",                 0, 0, "02",               LSUIT_ERR_REFUSED, "version" },
    { "no vendor id",              0, 1, "",                 LSUIT_ERR_CBOR,    "vendor-id" },
    { "no class id",               0, 2, "",                 LSUIT_ERR_CBOR,    "class-id" },
    { "a component id",            0, 3, "43814102",         LSUIT_OK,          NULL },
    { "no number",                 0, 4, "",                 LSUIT_ERR_CBOR,    "number" },
    { "number 0",                  0, 4, "00",               LSUIT_ERR_RANGE,   "number" },
    { "number above",              0, 4, "1b8000000000000000", LSUIT_ERR_RANGE, "number" },
    { "no highest",                0, 5, "",                 LSUIT_ERR_CBOR,    "highest" },
    { "nothing was ever opened",   0, 5, "00",               LSUIT_OK,          NULL },
    { "no releases",               0, 6, "",                 LSUIT_OK,          NULL },
    { "five releases",             0, 6, "85a0a0a0a0a0",     LSUIT_ERR_LIMIT,   "releases" },
    { "no issued",                 0, 7, "",                 LSUIT_ERR_CBOR,    "issued" },
    { "no max-age",                0, 8, "",                 LSUIT_ERR_CBOR,    "max-age" },
    { "max-age 0",                 0, 8, "00",               LSUIT_OK,          NULL },
    { "no stale-after",            0, 9, "",                 LSUIT_ERR_CBOR,    "stale-after" },
    { "stale at once",             0, 9, "00",               LSUIT_ERR_RANGE,   "stale-after" },
    { "no next poll",              0, 10, "",                LSUIT_OK,          NULL },
    { "no support",                0, 11, "",                LSUIT_OK,          NULL },
    { "17 models",                 0, 11, "91a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0", LSUIT_ERR_LIMIT, "support" },
    { "a nonce of 7 bytes",        0, 12, "4700112233445566", LSUIT_ERR_RANGE,  "nonce" },
    { "a log root of 8 bytes",     0, 13, "480011223344556677", LSUIT_ERR_RANGE, "log-root" },
    { "a release with sequence 0", 1, 1, "00",               LSUIT_ERR_RANGE,   "sequence" },
    { "two of one sequence",       1, 1, "1830",             LSUIT_ERR_RANGE,   "releases" },
    { "a release without digest",  1, 2, "",                 LSUIT_ERR_CBOR,    "digest" },
    { "a release without state",   1, 3, "",                 LSUIT_ERR_CBOR,    "state" },
    { "state 0",                   1, 3, "00",               LSUIT_ERR_RANGE,   "state" },
    { "a salt of 15 bytes",        2, 4, "4f112233445566778899aabbccddeeff", LSUIT_ERR_RANGE, "salt" },
    { "a threshold without salt",  2, 4, "",                 LSUIT_ERR_CBOR,    "salt" },
    { "a salt without threshold",  2, 5, "",                 LSUIT_OK,          NULL },
    { "everybody",                 2, 5, "1bffffffffffffffff", LSUIT_OK,        NULL },
    { "support without model",     3, 1, "",                 LSUIT_ERR_CBOR,    "model" },
    { "support without end",       3, 2, "",                 LSUIT_ERR_CBOR,    "end" },
    { "support until month 13",    3, 2, "1a00031969",       LSUIT_ERR_RANGE,   "end" },
};
/* clang-format on */

static void values(struct lsuit_bytes doc)
{
    static uint8_t edited[DOC_ROOM];
    struct lsuit_statement st;
    struct lsuit_support s;
    const struct lsuit_release *r;

    check_case("every value of a statement");
    if (!CHECK_INT(lsuit_statement_read(doc, &st, NULL), LSUIT_OK))
        return;
    CHECK_UINT(st.number, 9);
    CHECK_UINT(st.highest, 48);
    CHECK_UINT(st.releases_n, 2);
    CHECK_UINT(st.releases[0].state, LSUIT_RELEASE_WITHDRAWN);
    CHECK(!st.releases[0].has_threshold);
    CHECK(st.releases[0].salt.ptr == NULL);
    CHECK_UINT(st.releases[1].threshold, 0x1fffffffffffffff);
    CHECK(st.releases[1].has_threshold);
    CHECK_UINT(st.issued_s, 1790000000);
    CHECK_UINT(st.max_age_s, 60);
    CHECK_UINT(st.stale_after_s, 604800);
    CHECK_UINT(st.next_poll_s, 21600);
    CHECK_UINT(st.nonce.len, 16);
    CHECK_UINT(st.log_root.len, 32);
    CHECK(st.has_log_size && st.log_size == 1234);

    check_case("support end by model");
    CHECK_UINT(lsuit_statement_support(&st, (struct lsuit_bytes){ (const uint8_t *)"LX-100", 6 }),
               203112);
    CHECK_UINT(lsuit_statement_support(&st, (struct lsuit_bytes){ (const uint8_t *)"LX-200", 6 }),
               203306);
    CHECK_UINT(lsuit_statement_support(&st, (struct lsuit_bytes){ (const uint8_t *)"LX-10", 5 }),
               0);
    CHECK(!lsuit_statement_support_at(&st, 2, &s));
    st.support = (struct lsuit_bytes){ NULL, 0 };
    CHECK_UINT(lsuit_statement_support(&st, (struct lsuit_bytes){ (const uint8_t *)"LX-100", 6 }),
               0);

    check_case("a release by sequence and digest");
    r = lsuit_statement_release(&st, 48, st.releases[1].digest);
    CHECK(r == &st.releases[1]);
    CHECK(lsuit_statement_release(&st, 48, st.releases[0].digest) == NULL);
    CHECK(lsuit_statement_release(&st, 49, st.releases[1].digest) == NULL);

    check_case("a release state of later is held");
    doc = doc_edit(doc, 2, 3, (struct lsuit_bytes){ (const uint8_t *)"\x09", 1 }, edited);
    if (CHECK_INT(lsuit_statement_read(doc, &st, NULL), LSUIT_OK))
        CHECK_UINT(st.releases[1].state, LSUIT_RELEASE_HELD);
    CHECK_STR(lsuit_release_state_name(LSUIT_RELEASE_HELD), "held");
    CHECK_STR(lsuit_release_state_name(9), NULL);
}

static void refused_values(struct lsuit_bytes doc)
{
    static uint8_t buf[DOC_ROOM];
    struct lsuit_support many[LSUIT_MAX_SUPPORT + 1];
    struct lsuit_statement full, st;
    struct lsuit_bytes out;

    check_case("a statement that can't be read is not written");
    CHECK_INT(lsuit_statement_read(doc, &full, NULL), LSUIT_OK);
#define REFUSED(change)                                                                \
    do {                                                                               \
        st = full;                                                                     \
        change;                                                                        \
        CHECK_INT(lsuit_statement_write(&st, buf, sizeof buf, &out), LSUIT_ERR_RANGE); \
    } while (0)
    REFUSED(st.number = 0);
    REFUSED(st.stale_after_s = 0);
    REFUSED(st.next_poll_s = 29);
    REFUSED(st.releases[1].salt.ptr = NULL);
    REFUSED(st.releases[1].sequence = st.releases[0].sequence);
    REFUSED(st.releases[1].state = 5);
    REFUSED(st.log_root.len = 31);
    REFUSED(st.space.vendor_id.len = 15);
#undef REFUSED
    for (size_t i = 0; i < N(many); i++)
        many[i] = (struct lsuit_support){ { (const uint8_t *)"m", 1 }, 203001 };
    CHECK_INT(lsuit_support_write(many, LSUIT_MAX_SUPPORT, buf, sizeof buf, &out), LSUIT_OK);
    CHECK_INT(lsuit_support_write(many, LSUIT_MAX_SUPPORT + 1, buf, sizeof buf, &out),
              LSUIT_ERR_LIMIT);
    many[0].end = 203000;
    CHECK_INT(lsuit_support_write(many, 1, buf, sizeof buf, &out), LSUIT_ERR_RANGE);
}

int main(void)
{
    static uint8_t buf[DOC_ROOM];
    struct lsuit_bytes doc = doc_example("statement", buf, sizeof buf);

    doc_check_all("statement", doc, 5, rewrite);
    doc_check_cases(doc, CASES, N(CASES), rewrite);
    values(doc);
    refused_values(doc);
    return check_done();
}
