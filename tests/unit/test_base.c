/* Text forms of bytes, and growing text. */
#include "check.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"

/* clang-format off */
static const struct {
    const char *name, *hex, *base64url;
} PAIRS[] = {
    { "text: nothing",     "",           "" },
    { "text: one byte",    "ff",         "_w" },
    { "text: two bytes",   "00ff",       "AP8" },
    { "text: three bytes", "fbefbe",     "----" },
    { "text: four bytes",  "01020304",   "AQIDBA" },
    { "text: all digits",  "0123456789abcdef", "ASNFZ4mrze8" },
};

static const struct {
    const char *name, *text;
    size_t n;
} BAD[] = {
    { "bad hex: odd",                  "abc",    2 },
    { "bad hex: too short",            "ab",     2 },
    { "bad hex: too long",             "abcdef", 2 },
    { "bad hex: letter",               "abcg",   2 },
};

static const struct { const char *name, *in, *json, *html; } TEXTS[] = {
    { "escape: plain",           "abc",          "\"abc\"",            "abc" },
    { "escape: quotes",          "a\"b\\c",      "\"a\\\"b\\\\c\"",    "a&quot;b\\c" },
    { "escape: a line break",    "a\nb",         "\"a\\u000ab\"",      "a\nb" },
    { "escape: markup",          "<a&'b'>",      "\"<a&'b'>\"",        "&lt;a&amp;&#39;b&#39;&gt;" },
    { "escape: UTF-8",           "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "escape: stray byte",      "a\x80" "b",    "\"a\\ufffdb\"",      "a\x80" "b" },
    { "escape: cut character",   "\xe2\x82",     "\"\\ufffd\\ufffd\"", "\xe2\x82" },
    { "escape: too long a form", "\xc0\xaf",     "\"\\ufffd\\ufffd\"", "\xc0\xaf" },
    { "escape: half a pair",     "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"", "\xed\xa0\x80" },
};

static const struct { const char *name; int64_t ms; const char *want; } TIMES[] = {
    { "clock: 1970",          0,              "1970-01-01T00:00:00.000Z" },
    { "clock: a leap day",    1709210096789,  "2024-02-29T12:34:56.789Z" },
    { "clock: before 1970",   -1,             "1969-12-31T23:59:59.999Z" },
    { "clock: the last year", 253402300799999, "9999-12-31T23:59:59.999Z" },
    { "clock: after that",    253402300800000, "-" },
    { "clock: far away",      INT64_MAX,      "-" },
};
/* clang-format on */

static void test_pairs(void)
{
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        uint8_t bytes[16];
        uint8_t back[16];
        char text[40];
        size_t n = check_hex(PAIRS[i].hex, bytes, sizeof bytes);

        check_case(PAIRS[i].name);
        bytes_to_hex(bytes, n, text);
        CHECK_STR(text, PAIRS[i].hex);
        CHECK(bytes_from_hex(text, strlen(text), back, n));
        CHECK_BYTES(back, n, bytes, n);
        bytes_to_base64url(bytes, n, text);
        CHECK_STR(text, PAIRS[i].base64url);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        uint8_t back[16];
        size_t length = strlen(BAD[i].text);

        check_case(BAD[i].name);
        CHECK(!bytes_from_hex(BAD[i].text, length, back, BAD[i].n));
    }
}

static void test_strbuf(void)
{
    struct strbuf b;
    size_t n = 0;
    char *text;

    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        check_case(TEXTS[i].name);
        strbuf_init(&b);
        strbuf_json(&b, TEXTS[i].in);
        CHECK_STR(b.text, TEXTS[i].json);
        strbuf_fini(&b);
        strbuf_html(&b, TEXTS[i].in);
        CHECK_STR(b.text, TEXTS[i].html);
        strbuf_fini(&b);
    }

    check_case("strbuf: grows");
    strbuf_init(&b);
    for (int i = 0; i < 1000; i++)
        strbuf_format(&b, "%03d", i);
    text = strbuf_take(&b, &n);
    CHECK_UINT(n, 3000);
    CHECK_BYTES(text + 2997, 4, "999", 4);
    free(text);

    check_case("strbuf: taken empty it is a string");
    text = strbuf_take(&b, &n);
    CHECK_STR(text, "");
    free(text);

    check_case("strbuf: a failure sticks");
    strbuf_add(&b, "x", SIZE_MAX / 2);
    strbuf_text(&b, "more");
    CHECK(strbuf_take(&b, &n) == NULL);
    CHECK_UINT(n, 0);
}

static void test_secrets(void)
{
    uint8_t a[32];
    uint8_t b[32];

    bytes_random(a, sizeof a);
    memcpy(b, a, sizeof b);
    check_case("secret: equal");
    CHECK(bytes_equal_secret(a, b, sizeof a));
    check_case("secret: differs in one bit, at each place");
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] ^= 0x10;
        CHECK(!bytes_equal_secret(a, b, sizeof a));
        b[i] ^= 0x10;
    }
    check_case("random: two are not the same");
    bytes_random(b, sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
}

static void test_err(void)
{
    check_case("err: what failed last is kept");
    err_clear();
    CHECK_STR(err_detail(), "");
    CHECK(err_field() == NULL);
    CHECK_INT(FAIL_FIELD(ERR_INVALID, "waves[1]", "more than %d", 3), ERR_INVALID);
    CHECK_STR(err_detail(), "more than 3");
    CHECK_STR(err_field(), "waves[1]");
    CHECK_INT(FAIL(ERR_NOT_FOUND, "gone"), ERR_NOT_FOUND);
    CHECK(err_field() == NULL);

    check_case("err: every row has a status and a title");
    for (int e = 0; e < ERR_COUNT; e++) {
        CHECK(err_status((enum err)e) >= 200 && err_status((enum err)e) < 600);
        CHECK(err_title((enum err)e)[0] != '\0');
    }
    CHECK_INT(err_status(ERR_COUNT), err_status(ERR_INTERNAL));
}

int main(void)
{
    test_pairs();
    test_strbuf();
    test_secrets();
    test_err();
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++) {
        char text[CLOCK_TEXT];

        check_case(TIMES[i].name);
        clock_text(TIMES[i].ms, text);
        CHECK_STR(text, TIMES[i].want);
    }
    return check_done();
}
