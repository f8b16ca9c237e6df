/*
 * The CBOR cursor and writer: what is refused, what is answered, and that both agree.
 */
#include "check.h"
#include "lsuit/cbor.h"

static uint8_t buffer[4096];

static struct lsuit_bytes hex(const char *text)
{
    /* At the end of the buffer, so that a read past the end leaves it. */
    size_t n = check_hex(text, buffer, sizeof buffer);

    memmove(buffer + sizeof buffer - n, buffer, n);
    return (struct lsuit_bytes){ buffer + sizeof buffer - n, n };
}

/* One item and nothing after it. */
static enum lsuit_err skim(struct lsuit_bytes doc)
{
    struct lsuit_cbor c = lsuit_cbor_open(doc);

    (void)lsuit_cbor_item(&c);
    return lsuit_cbor_finish(&c);
}

/* clang-format off */
static const struct {
    const char *doc;
    enum lsuit_err want;
    const char *name;
} ITEMS[] = {
  /* accepted */
  { "00", LSUIT_OK, "0" },
  { "17", LSUIT_OK, "23, the largest in the first byte" },
  { "1818", LSUIT_OK, "24, the smallest in one more byte" },
  { "18ff", LSUIT_OK, "255" },
  { "190100", LSUIT_OK, "256" },
  { "19ffff", LSUIT_OK, "65535" },
  { "1a00010000", LSUIT_OK, "65536" },
  { "1b0000000100000000", LSUIT_OK, "2^32" },
  { "1bffffffffffffffff", LSUIT_OK, "2^64-1" },
  { "3bffffffffffffffff", LSUIT_OK, "-2^64" },
  { "20", LSUIT_OK, "-1" },
  { "40", LSUIT_OK, "an empty byte string" },
  { "60", LSUIT_OK, "an empty text" },
  { "80", LSUIT_OK, "an empty array" },
  { "a0", LSUIT_OK, "an empty map" },
  { "f4", LSUIT_OK, "false" },
  { "f5", LSUIT_OK, "true" },
  { "f6", LSUIT_OK, "null" },
  { "c100", LSUIT_OK, "a tag" },
  { "c1c2c300", LSUIT_OK, "a tag on a tag" },
  { "d9042e00", LSUIT_OK, "tag 1070" },
  { "83010203", LSUIT_OK, "an array" },
  { "82c100c200", LSUIT_OK, "tags in an array" },
  { "a201020304", LSUIT_OK, "a map" },
  { "a20000200120", LSUIT_ERR_CBOR, "a byte after a map" },
  { "a200002001", LSUIT_OK, "keys 0, -1" },
  { "a2000081000a", LSUIT_OK, "an array as a key" },
  { "a2810001810102", LSUIT_OK, "two arrays as keys" },
  { "a2a00000a10000", LSUIT_ERR_CBOR, "maps as keys in falling order" },
  { "a2616101626161 02", LSUIT_OK, "the shorter text first" },
  { "a1c10002", LSUIT_OK, "a tagged key" },
  { "8181818181818180", LSUIT_OK, "eight levels" },
  { "818181818181818180", LSUIT_ERR_LIMIT, "nine levels" },
  { "c1c1c1c1c1c1c1c100", LSUIT_OK, "eight tags on one item" },
  { "c1c1c1c1c1c1c1c1c100", LSUIT_ERR_LIMIT, "nine tags on one item" },
  { "82c1c1c1c1c1c1c1c100c1c1c1c1c1c1c1c100", LSUIT_OK, "eight tags on each of two items" },
  { "c181c181c181c181c181c181c181c180", LSUIT_OK, "tags are no levels" },

  /* the end comes too soon */
  { "", LSUIT_ERR_CBOR, "nothing at all" },
  { "18", LSUIT_ERR_CBOR, "a head without its byte" },
  { "1901", LSUIT_ERR_CBOR, "a head with one byte of two" },
  { "1a000100", LSUIT_ERR_CBOR, "a head with three bytes of four" },
  { "1b00000001000000", LSUIT_ERR_CBOR, "a head with seven bytes of eight" },
  { "41", LSUIT_ERR_CBOR, "a byte string without its byte" },
  { "5818", LSUIT_ERR_CBOR, "a byte string of 24 bytes without any" },
  { "61", LSUIT_ERR_CBOR, "a text without its byte" },
  { "81", LSUIT_ERR_CBOR, "an array without its item" },
  { "8201", LSUIT_ERR_CBOR, "an array with one item of two" },
  { "a1", LSUIT_ERR_CBOR, "a map without its pair" },
  { "a101", LSUIT_ERR_CBOR, "a map with a key alone" },
  { "a2010203", LSUIT_ERR_CBOR, "a map with a pair and a key" },
  { "c1", LSUIT_ERR_CBOR, "a tag on nothing" },
  { "81c1", LSUIT_ERR_CBOR, "a tag on nothing in an array" },

  /* claims that the input can't hold */
  { "5bffffffffffffffff", LSUIT_ERR_CBOR, "a byte string of 2^64-1" },
  { "5b7fffffffffffffff00", LSUIT_ERR_CBOR, "a byte string of 2^63-1" },
  { "5affffffff00", LSUIT_ERR_CBOR, "a byte string of 2^32-1" },
  { "7bffffffffffffffff", LSUIT_ERR_CBOR, "a text of 2^64-1" },
  { "9bffffffffffffffff", LSUIT_ERR_CBOR, "an array of 2^64-1" },
  { "9affffffff00", LSUIT_ERR_CBOR, "an array of 2^32-1" },
  { "9b000000010000000000", LSUIT_ERR_CBOR, "an array of 2^32: a count cut to 32 bits is 0" },
  { "bbffffffffffffffff", LSUIT_ERR_CBOR, "a map of 2^64-1" },
  { "bb80000000000000000000", LSUIT_ERR_CBOR, "a map of 2^63: twice that is 0" },
  { "ba8000000000", LSUIT_ERR_CBOR, "a map of 2^31: twice that is 0 in 32 bits" },

  /* not the shortest form */
  { "1800", LSUIT_ERR_CBOR, "0 in two bytes" },
  { "1817", LSUIT_ERR_CBOR, "23 in two bytes" },
  { "190017", LSUIT_ERR_CBOR, "23 in three bytes" },
  { "1900ff", LSUIT_ERR_CBOR, "255 in three bytes" },
  { "1a0000ffff", LSUIT_ERR_CBOR, "65535 in five bytes" },
  { "1b00000000ffffffff", LSUIT_ERR_CBOR, "2^32-1 in nine bytes" },
  { "3800", LSUIT_ERR_CBOR, "-1 in two bytes" },
  { "580100", LSUIT_ERR_CBOR, "a byte string with a long length" },
  { "780161", LSUIT_ERR_CBOR, "a text with a long length" },
  { "980100", LSUIT_ERR_CBOR, "an array with a long count" },
  { "b8010000", LSUIT_ERR_CBOR, "a map with a long count" },
  { "d80100", LSUIT_ERR_CBOR, "a tag with a long number" },
  { "811800", LSUIT_ERR_CBOR, "a long number in an array that is skipped" },
  { "a1180000", LSUIT_ERR_CBOR, "a long key" },

  /* indefinite, reserved, floats */
  { "5f4100ff", LSUIT_ERR_CBOR, "an indefinite byte string" },
  { "7f6161ff", LSUIT_ERR_CBOR, "an indefinite text" },
  { "9f00ff", LSUIT_ERR_CBOR, "an indefinite array" },
  { "bf0000ff", LSUIT_ERR_CBOR, "an indefinite map" },
  { "ff", LSUIT_ERR_CBOR, "a break" },
  { "81ff", LSUIT_ERR_CBOR, "a break in an array" },
  { "1c", LSUIT_ERR_CBOR, "reserved 28" },
  { "1c 00000000000000010100000000000000", LSUIT_ERR_CBOR, "reserved 28 as sixteen bytes" },
  { "1d", LSUIT_ERR_CBOR, "reserved 29" },
  { "3e", LSUIT_ERR_CBOR, "reserved 30" },
  { "dc00", LSUIT_ERR_CBOR, "a tag with reserved 28" },
  { "e0", LSUIT_ERR_CBOR, "simple value 0" },
  { "f3", LSUIT_ERR_CBOR, "simple value 19" },
  { "f7", LSUIT_ERR_CBOR, "undefined" },
  { "f814", LSUIT_ERR_CBOR, "false in two bytes" },
  { "f820", LSUIT_ERR_CBOR, "simple value 32" },
  { "f90000", LSUIT_ERR_CBOR, "a half float" },
  { "fa00000000", LSUIT_ERR_CBOR, "a float" },
  { "fb0000000000000000", LSUIT_ERR_CBOR, "a double" },

  /* order and uniqueness of keys */
  { "a200000000", LSUIT_ERR_CBOR, "key 0 twice" },
  { "a201000000", LSUIT_ERR_CBOR, "keys 1, 0" },
  { "a220000000", LSUIT_ERR_CBOR, "keys -1, 0" },
  { "a218180017 00", LSUIT_ERR_CBOR, "keys 24, 23" },
  { "a2190100001818 00", LSUIT_ERR_CBOR, "keys 256, 24" },
  { "a2626161006162 00", LSUIT_ERR_CBOR, "the longer text first" },
  { "a261620061 6100", LSUIT_ERR_CBOR, "keys b, a" },
  { "a26161006161 00", LSUIT_ERR_CBOR, "key a twice" },
  { "a281000081 0000", LSUIT_ERR_CBOR, "key [0] twice" },
  { "a2c10000c10000", LSUIT_ERR_CBOR, "a tagged key twice" },
  { "81a200000000", LSUIT_ERR_CBOR, "key 0 twice in a map that is skipped" },
  { "a1a20000000000", LSUIT_ERR_CBOR, "key 0 twice in a map that is a key" },
  { "a10081a200000000", LSUIT_ERR_CBOR, "key 0 twice two levels down" },

  /* UTF-8 */
  { "62c3a4", LSUIT_OK, "two bytes" },
  { "63e282ac", LSUIT_OK, "three bytes" },
  { "64f09f9880", LSUIT_OK, "four bytes" },
  { "63ed9fbf", LSUIT_OK, "U+D7FF, before the surrogates" },
  { "63ee8080", LSUIT_OK, "U+E000, after them" },
  { "64f48fbfbf", LSUIT_OK, "U+10FFFF" },
  { "6100", LSUIT_OK, "a zero byte" },
  { "6180", LSUIT_ERR_CBOR, "a continuation alone" },
  { "61c3", LSUIT_ERR_CBOR, "a lead alone" },
  { "62c361", LSUIT_ERR_CBOR, "a lead and a letter" },
  { "62e282", LSUIT_ERR_CBOR, "two bytes of three" },
  { "63f09f98", LSUIT_ERR_CBOR, "three bytes of four" },
  { "62c080", LSUIT_ERR_CBOR, "an overlong zero" },
  { "62c1bf", LSUIT_ERR_CBOR, "an overlong U+7F" },
  { "63e09fbf", LSUIT_ERR_CBOR, "an overlong U+7FF" },
  { "64f08fbfbf", LSUIT_ERR_CBOR, "an overlong U+FFFF" },
  { "63eda080", LSUIT_ERR_CBOR, "the surrogate U+D800" },
  { "63edbfbf", LSUIT_ERR_CBOR, "the surrogate U+DFFF" },
  { "64f4908080", LSUIT_ERR_CBOR, "U+110000" },
  { "64f5808080", LSUIT_ERR_CBOR, "a lead above F4" },
  { "61fe", LSUIT_ERR_CBOR, "the byte FE" },
  { "a1618000", LSUIT_ERR_CBOR, "a continuation alone in a key" },

  /* more than one item */
  { "0000", LSUIT_ERR_CBOR, "a byte after a number" },
  { "8000", LSUIT_ERR_CBOR, "a byte after an array" },
};
/* clang-format on */

static void items(void)
{
    for (size_t i = 0; i < sizeof ITEMS / sizeof *ITEMS; i++) {
        check_case(ITEMS[i].name);
        CHECK_INT(skim(hex(ITEMS[i].doc)), ITEMS[i].want);
    }
}

/* Every item of the table that is accepted is refused when cut anywhere. */
static void truncation(void)
{
    check_case("each accepted item, cut");
    for (size_t i = 0; i < sizeof ITEMS / sizeof *ITEMS; i++) {
        struct lsuit_bytes doc = hex(ITEMS[i].doc);

        if (ITEMS[i].want != LSUIT_OK)
            continue;
        for (size_t n = 0; n < doc.len; n++)
            CHECK_INT(skim((struct lsuit_bytes){ doc.ptr, n }), LSUIT_ERR_CBOR);
    }
}

/* clang-format off */
enum take { UINT, UINT_MAX_9, INT, BOOL, NUL, BSTR, BSTR_2, TSTR, TAG, MAP, ARRAY };

static const struct {
    enum take take;
    const char *doc;
    enum lsuit_err want;
    int64_t value; /* a number, or a length */
    const char *name;
} TAKES[] = {
  { UINT,       "1864",               LSUIT_OK,        100, "uint" },
  { UINT,       "20",                 LSUIT_ERR_CBOR,  0,   "uint of a negative" },
  { UINT,       "4100",               LSUIT_ERR_CBOR,  0,   "uint of bytes" },
  { UINT,       "f4",                 LSUIT_ERR_CBOR,  0,   "uint of false" },
  { UINT,       "c24101",             LSUIT_ERR_CBOR,  0,   "uint of a bignum" },
  { UINT_MAX_9, "09",                 LSUIT_OK,        9,   "the largest allowed" },
  { UINT_MAX_9, "0a",                 LSUIT_ERR_RANGE, 0,   "one more" },
  { UINT_MAX_9, "1bffffffffffffffff", LSUIT_ERR_RANGE, 0,   "far more" },
  { UINT_MAX_9, "20",                 LSUIT_ERR_CBOR,  0,   "a negative is of another type" },
  { INT,        "00",                 LSUIT_OK,        0,   "int 0" },
  { INT,        "3863",               LSUIT_OK,        -100, "int -100" },
  { INT,        "1b7fffffffffffffff", LSUIT_OK,        INT64_MAX, "the largest int" },
  { INT,        "3b7fffffffffffffff", LSUIT_OK,        INT64_MIN, "the smallest int" },
  { INT,        "1b8000000000000000", LSUIT_ERR_RANGE, 0,   "2^63" },
  { INT,        "3b8000000000000000", LSUIT_ERR_RANGE, 0,   "-2^63-1" },
  { INT,        "60",                 LSUIT_ERR_CBOR,  0,   "int of a text" },
  { BOOL,       "f4",                 LSUIT_OK,        0,   "false" },
  { BOOL,       "f5",                 LSUIT_OK,        1,   "true" },
  { BOOL,       "f6",                 LSUIT_ERR_CBOR,  0,   "bool of null" },
  { BOOL,       "01",                 LSUIT_ERR_CBOR,  0,   "bool of 1" },
  { NUL,        "f6",                 LSUIT_OK,        0,   "null" },
  { NUL,        "f5",                 LSUIT_ERR_CBOR,  0,   "null of true" },
  { NUL,        "f7",                 LSUIT_ERR_CBOR,  0,   "null of undefined" },
  { BSTR,       "43010203",           LSUIT_OK,        3,   "bytes" },
  { BSTR,       "40",                 LSUIT_OK,        0,   "no bytes" },
  { BSTR,       "63616263",           LSUIT_ERR_CBOR,  0,   "bytes of a text" },
  { BSTR_2,     "420102",             LSUIT_OK,        2,   "two bytes" },
  { BSTR_2,     "4101",               LSUIT_ERR_RANGE, 0,   "one of two bytes" },
  { BSTR_2,     "43010203",           LSUIT_ERR_RANGE, 0,   "three of two bytes" },
  { TSTR,       "63616263",           LSUIT_OK,        3,   "text" },
  { TSTR,       "43616263",           LSUIT_ERR_CBOR,  0,   "text of bytes" },
  { TAG,        "d86b00",             LSUIT_OK,        107, "a tag and its item" },
  { TAG,        "00",                 LSUIT_ERR_CBOR,  0,   "a tag of a number" },
  { MAP,        "a0",                 LSUIT_OK,        0,   "a map" },
  { MAP,        "80",                 LSUIT_ERR_CBOR,  0,   "a map of an array" },
  { ARRAY,      "80",                 LSUIT_OK,        0,   "an array" },
  { ARRAY,      "a0",                 LSUIT_ERR_CBOR,  0,   "an array of a map" },
};
/* clang-format on */

static int64_t take(struct lsuit_cbor *c, enum take what)
{
    switch (what) {
    case UINT:
        return (int64_t)lsuit_cbor_uint(c);
    case UINT_MAX_9:
        return (int64_t)lsuit_cbor_uint_max(c, 9);
    case INT:
        return lsuit_cbor_int(c);
    case BOOL:
        return lsuit_cbor_bool(c);
    case NUL:
        lsuit_cbor_null(c);
        return 0;
    case BSTR:
        return (int64_t)lsuit_cbor_bstr(c).len;
    case BSTR_2:
        return (int64_t)lsuit_cbor_bstr_n(c, 2).len;
    case TSTR:
        return (int64_t)lsuit_cbor_tstr(c).len;
    case TAG: {
        int64_t tag = (int64_t)lsuit_cbor_tag(c);

        (void)lsuit_cbor_uint(c);
        return tag;
    }
    case MAP:
        (void)lsuit_cbor_map(c);
        (void)lsuit_cbor_next_any_key(c);
        return 0;
    case ARRAY:
    default:
        (void)lsuit_cbor_array(c);
        (void)lsuit_cbor_next(c);
        return 0;
    }
}

static void takes(void)
{
    for (size_t i = 0; i < sizeof TAKES / sizeof *TAKES; i++) {
        struct lsuit_cbor c = lsuit_cbor_open(hex(TAKES[i].doc));

        check_case(TAKES[i].name);
        CHECK_INT(take(&c, TAKES[i].take), TAKES[i].value);
        CHECK_INT(lsuit_cbor_finish(&c), TAKES[i].want);
        if (TAKES[i].want != LSUIT_OK)
            CHECK_UINT((uint64_t)(c.p - c.begin), 0);
    }
}

static void sticky(void)
{
    struct lsuit_cbor c = lsuit_cbor_open(hex("8301410203"));
    int64_t key = 7;

    check_case("after an error everything answers zero");
    CHECK_UINT(lsuit_cbor_array(&c), 3);
    CHECK(!lsuit_cbor_fail(&c, LSUIT_ERR_RANGE));
    CHECK(!lsuit_cbor_fail(&c, LSUIT_ERR_CBOR));
    CHECK_INT(lsuit_cbor_peek(&c), LSUIT_CBOR_END);
    CHECK_UINT(lsuit_cbor_uint(&c), 0);
    CHECK_INT(lsuit_cbor_int(&c), 0);
    CHECK(!lsuit_cbor_bool(&c));
    CHECK(lsuit_cbor_bstr(&c).ptr == NULL);
    CHECK(lsuit_cbor_tstr(&c).ptr == NULL);
    CHECK(lsuit_cbor_item(&c).ptr == NULL);
    CHECK(lsuit_cbor_bstr_whole(&c, NULL).ptr == NULL);
    CHECK_UINT(lsuit_cbor_tag(&c), 0);
    CHECK_UINT(lsuit_cbor_map(&c), 0);
    CHECK(!lsuit_cbor_next(&c));
    CHECK(!lsuit_cbor_next_key(&c, &key));
    CHECK_INT(key, 7);
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_ERR_RANGE);
}

static void levels(void)
{
    struct lsuit_cbor c = lsuit_cbor_open(hex("a2018102028101"));
    int64_t key = 0;

    check_case("a level is left by reading to its end");
    CHECK_UINT(lsuit_cbor_map(&c), 2);
    CHECK_INT(lsuit_cbor_peek(&c), LSUIT_CBOR_END); /* a key must be asked for */
    CHECK(lsuit_cbor_next_key(&c, &key));
    CHECK_INT(key, 1);
    CHECK_INT(lsuit_cbor_peek(&c), LSUIT_CBOR_ARRAY);
    CHECK_UINT(lsuit_cbor_array(&c), 1);
    CHECK(lsuit_cbor_next(&c));
    CHECK_UINT(lsuit_cbor_uint(&c), 2);
    CHECK_INT(lsuit_cbor_peek(&c), LSUIT_CBOR_END);
    CHECK(!lsuit_cbor_next(&c));
    CHECK(lsuit_cbor_next_key(&c, &key));
    CHECK_INT(key, 2);
    CHECK_UINT(lsuit_cbor_item(&c).len, 2);
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_ERR_CBOR); /* not left yet */
    CHECK(!lsuit_cbor_next_key(&c, &key));
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_OK);

    check_case("a fixed array that holds more is not left");
    c = lsuit_cbor_open(hex("820102"));
    (void)lsuit_cbor_array(&c);
    (void)lsuit_cbor_uint(&c);
    CHECK(lsuit_cbor_next(&c));
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_ERR_CBOR);

    check_case("an item too many");
    c = lsuit_cbor_open(hex("810100"));
    (void)lsuit_cbor_array(&c);
    (void)lsuit_cbor_uint(&c);
    (void)lsuit_cbor_uint(&c);
    CHECK_INT(c.err, LSUIT_ERR_CBOR);

    check_case("a value without its key being asked for");
    c = lsuit_cbor_open(hex("a10102"));
    (void)lsuit_cbor_map(&c);
    (void)lsuit_cbor_uint(&c);
    CHECK_INT(c.err, LSUIT_ERR_CBOR);

    check_case("the next key before the value is a mistake of the caller");
    c = lsuit_cbor_open(hex("a201020304"));
    (void)lsuit_cbor_map(&c);
    CHECK(lsuit_cbor_next_key(&c, &key));
    CHECK(!lsuit_cbor_next_key(&c, &key));
    CHECK_INT(c.err, LSUIT_ERR_USAGE);

    check_case("next on a map, next_key on an array, either on nothing");
    c = lsuit_cbor_open(hex("a0"));
    (void)lsuit_cbor_map(&c);
    CHECK(!lsuit_cbor_next(&c));
    CHECK_INT(c.err, LSUIT_ERR_USAGE);
    c = lsuit_cbor_open(hex("80"));
    (void)lsuit_cbor_array(&c);
    CHECK(!lsuit_cbor_next_key(&c, &key));
    CHECK_INT(c.err, LSUIT_ERR_USAGE);
    c = lsuit_cbor_open(hex("00"));
    CHECK(!lsuit_cbor_next(&c));
    CHECK_INT(c.err, LSUIT_ERR_USAGE);

    check_case("keys are ordered whoever reads them");
    c = lsuit_cbor_open(hex("a202000100"));
    (void)lsuit_cbor_map(&c);
    CHECK(lsuit_cbor_next_key(&c, &key));
    (void)lsuit_cbor_uint(&c);
    CHECK(!lsuit_cbor_next_key(&c, &key));
    CHECK_INT(c.err, LSUIT_ERR_CBOR);
    CHECK_UINT((uint64_t)(c.p - c.begin), 3); /* where the key stands */

    check_case("an array as a key may be read item by item");
    c = lsuit_cbor_open(hex("a1820102f5"));
    (void)lsuit_cbor_map(&c);
    CHECK(lsuit_cbor_next_any_key(&c));
    CHECK_UINT(lsuit_cbor_array(&c), 2);
    (void)lsuit_cbor_uint(&c);
    (void)lsuit_cbor_uint(&c);
    CHECK(!lsuit_cbor_next(&c));
    CHECK(lsuit_cbor_bool(&c));
    CHECK(!lsuit_cbor_next_any_key(&c));
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_OK);

    check_case("a text key where a number is wanted");
    c = lsuit_cbor_open(hex("a1616100"));
    (void)lsuit_cbor_map(&c);
    CHECK(!lsuit_cbor_next_key(&c, &key));
    CHECK_INT(c.err, LSUIT_ERR_CBOR);
}

static void unknown_keys(void)
{
    struct lsuit_cbor c = lsuit_cbor_open(hex("a21863a10102186481f6"));
    int64_t key = 0;

    check_case("an unknown key from 0 on is skipped");
    (void)lsuit_cbor_map(&c);
    while (lsuit_cbor_next_key(&c, &key))
        lsuit_cbor_skip_unknown(&c, key);
    CHECK_INT(key, 100);
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_OK);

    check_case("an unknown key below 0 refuses the document");
    c = lsuit_cbor_open(hex("a12000"));
    (void)lsuit_cbor_map(&c);
    while (lsuit_cbor_next_key(&c, &key))
        lsuit_cbor_skip_unknown(&c, key);
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_ERR_REFUSED);
}

static void whole(void)
{
    struct lsuit_bytes doc = hex("83430102034104 f6");
    struct lsuit_cbor c = lsuit_cbor_open(doc);
    struct lsuit_bytes content, w;

    check_case("a byte string with its header");
    (void)lsuit_cbor_array(&c);
    w = lsuit_cbor_bstr_whole(&c, &content);
    CHECK_BYTES(w.ptr, w.len, "\x43\x01\x02\x03", 4);
    CHECK_BYTES(content.ptr, content.len, "\x01\x02\x03", 3);
    CHECK(content.ptr == doc.ptr + 2); /* borrowed */

    check_case("an absent document is an empty one");
    c = lsuit_cbor_open((struct lsuit_bytes){ NULL, 0 });
    CHECK_INT(lsuit_cbor_peek(&c), LSUIT_CBOR_END);
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_OK);
    CHECK_UINT(lsuit_cbor_uint(&c), 0);
    CHECK_INT(lsuit_cbor_finish(&c), LSUIT_ERR_CBOR);
}

static void fill(struct lsuit_cbor_writer *w)
{
    size_t outer, inner;

    lsuit_put_tag(w, 107);
    lsuit_put_map(w, 4);
    lsuit_put_uint(w, 1);
    lsuit_put_int(w, INT64_MIN);
    lsuit_put_int(w, 1000);
    lsuit_put_array(w, 3);
    lsuit_put_bool(w, true);
    lsuit_put_bool(w, false);
    lsuit_put_null(w);
    lsuit_put_int(w, -1);
    outer = lsuit_put_bstr_open(w);
    inner = lsuit_put_bstr_open(w);
    for (int i = 0; i < 300; i++)
        lsuit_put_uint(w, 0);
    lsuit_put_bstr_close(w, inner);
    lsuit_put_bstr_close(w, outer);
    lsuit_put_text(w, "key");
    lsuit_put_bstr(w, (struct lsuit_bytes){ NULL, 0 });
}

static void writer(void)
{
    static const char HEAD[] = "d86b a4 01 3b7fffffffffffffff 1903e8 83f5f4f6 20 59012f 59012c";
    static uint8_t out[512];
    uint8_t want[64];
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(out, sizeof out);
    struct lsuit_bytes doc = { NULL, 0 };
    size_t n = check_hex(HEAD, want, sizeof want), full;

    check_case("what is written is what a reader accepts");
    fill(&w);
    CHECK_INT(lsuit_put_finish(&w, &doc), LSUIT_OK);
    CHECK_BYTES(doc.ptr, n, want, n);
    CHECK_BYTES(doc.ptr + n + 300, doc.len - n - 300, "\x63key\x40", 5);
    CHECK_INT(skim(doc), LSUIT_OK);

    check_case("each buffer that is too small");
    full = doc.len;
    for (size_t cap = 0; cap < full; cap++) {
        memset(out, 0xee, sizeof out);
        w = lsuit_cbor_writer_init(out, cap);
        fill(&w);
        CHECK_INT(lsuit_put_finish(&w, &doc), LSUIT_ERR_SPACE);
        CHECK(out[cap] == 0xee);
    }
    w = lsuit_cbor_writer_init(out, full);
    fill(&w);
    CHECK_INT(lsuit_put_finish(&w, &doc), LSUIT_OK);

    check_case("mistakes of the caller");
    w = lsuit_cbor_writer_init(NULL, 100);
    lsuit_put_null(&w);
    CHECK_INT(w.err, LSUIT_ERR_SPACE);
    w = lsuit_cbor_writer_init(out, sizeof out);
    lsuit_put_item(&w, (struct lsuit_bytes){ NULL, 0 });
    CHECK_INT(w.err, LSUIT_ERR_USAGE);
    w = lsuit_cbor_writer_init(out, sizeof out);
    lsuit_put_bstr_close(&w, 1);
    CHECK_INT(w.err, LSUIT_ERR_USAGE);
}

/* Each number at the border of two forms comes back as it was. */
static void numbers(void)
{
    static const uint64_t N[] = {
        0, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX
    };

    check_case("numbers there and back");
    for (size_t i = 0; i < sizeof N / sizeof *N; i++) {
        uint8_t out[32];
        struct lsuit_cbor_writer w = lsuit_cbor_writer_init(out, sizeof out);
        struct lsuit_bytes doc;
        struct lsuit_cbor c;

        lsuit_put_uint(&w, N[i]);
        if (N[i] <= INT64_MAX)
            lsuit_put_int(&w, -1 - (int64_t)N[i]);
        CHECK_INT(lsuit_put_finish(&w, &doc), LSUIT_OK);
        c = lsuit_cbor_open(doc);
        CHECK_UINT(lsuit_cbor_uint(&c), N[i]);
        if (N[i] <= INT64_MAX)
            CHECK_INT(lsuit_cbor_int(&c), -1 - (int64_t)N[i]);
        CHECK_INT(lsuit_cbor_finish(&c), LSUIT_OK);
    }
}

int main(void)
{
    items();
    truncation();
    takes();
    sticky();
    levels();
    unknown_keys();
    whole();
    writer();
    numbers();
    return check_done();
}
