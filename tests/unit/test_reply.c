/* Ranges, conditional answers, headers and problems, as http/reply.c makes them. */
#include "check.h"

#include "http/http.h"

#include <fcntl.h>
#include <unistd.h>

/* The request's headers, in place of those of a connection. */
static const char *header_range, *header_if_range, *header_if_none_match;

const char *http_header(const struct http_request *req, const char *name)
{
    (void)req;
    if (strcmp(name, "Range") == 0)
        return header_range;
    if (strcmp(name, "If-Range") == 0)
        return header_if_range;
    return strcmp(name, "If-None-Match") == 0 ? header_if_none_match : NULL;
}

#define ETAG "\"abc\""
#define NONE HTTP_RANGE_NONE
#define PART HTTP_RANGE_PART
#define REFUSED HTTP_RANGE_REFUSED

/* clang-format off */
static const struct {
    const char *name, *range, *if_range;
    int64_t size;
    enum http_range want;
    int64_t first, length;
} RANGES[] = {
    { "range: absent",                NULL,              NULL,        10, NONE, 0, 10 },
    { "range: first bytes",           "bytes=0-3",       NULL,        10, PART, 0, 4 },
    { "range: one byte",              "bytes=9-9",       NULL,        10, PART, 9, 1 },
    { "range: to the end",            "bytes=4-",        NULL,        10, PART, 4, 6 },
    { "range: last beyond the end",   "bytes=4-99",      NULL,        10, PART, 4, 6 },
    { "range: first at the end",      "bytes=10-",       NULL,        10, REFUSED, 0, 10 },
    { "range: first beyond the end",  "bytes=11-12",     NULL,        10, REFUSED, 0, 10 },
    { "range: suffix",                "bytes=-3",        NULL,        10, PART, 7, 3 },
    { "range: suffix too long",       "bytes=-99",       NULL,        10, PART, 0, 10 },
    { "range: suffix of nothing",     "bytes=-0",        NULL,        10, REFUSED, 0, 10 },
    { "range: of an empty file",      "bytes=0-",        NULL,         0, REFUSED, 0, 0 },
    { "range: suffix of empty file",  "bytes=-1",        NULL,         0, REFUSED, 0, 0 },
    { "range: backwards",             "bytes=5-4",       NULL,        10, NONE, 0, 10 },
    { "range: several",               "bytes=0-1,3-4",   NULL,        10, NONE, 0, 10 },
    { "range: other unit",            "lines=0-1",       NULL,        10, NONE, 0, 10 },
    { "range: no number",             "bytes=-",         NULL,        10, NONE, 0, 10 },
    { "range: letters",               "bytes=a-b",       NULL,        10, NONE, 0, 10 },
    { "range: letters after",         "bytes=0-3x",      NULL,        10, NONE, 0, 10 },
    { "range: negative",              "bytes=--3",       NULL,        10, NONE, 0, 10 },
    { "range: empty",                 "",                NULL,        10, NONE, 0, 10 },
    { "range: blanks around",         "bytes= 0-3 ",     NULL,        10, PART, 0, 4 },
    { "range: number too large",      "bytes=0-99999999999999999999", NULL, 10, NONE, 0, 10 },
    { "range: largest number",        "bytes=2-9223372036854775807", NULL, 10, PART, 2, 8 },
    { "if-range: same",               "bytes=0-3",       ETAG,        10, PART, 0, 4 },
    { "if-range: other",              "bytes=0-3",       "\"abd\"",   10, NONE, 0, 10 },
    { "if-range: weak",               "bytes=0-3",       "W/" ETAG,   10, NONE, 0, 10 },
    { "if-range: a date",             "bytes=0-3",       "Tue, 24 Nov 2026 16:20:50 GMT", 10, NONE, 0, 10 },
};

#define DIGEST "0100000000000000000000000000000000000000000000000000000000000000"
static const struct {
    const char *name, *range, *if_none_match;
    int status;
    int64_t offset, length;
    const char *content_range;
} FILES[] = {
    { "file: whole",            NULL,         NULL,             200, 0, 10, NULL },
    { "file: part",             "bytes=2-3",  NULL,             206, 2, 2,  "bytes 2-3/10" },
    { "file: beyond",           "bytes=99-",  NULL,             416, 0, 0,  "bytes */10" },
    { "file: known",            NULL,         "\"" DIGEST "\"", 304, 0, 0,  NULL },
    { "file: known in a list",  NULL,         "\"x\", W/\"" DIGEST "\"", 304, 0, 0,  NULL },
    { "file: anything known",   NULL,         "*",              304, 0, 0,  NULL },
    { "file: other known",      NULL,         "\"x\"",          200, 0, 10, NULL },
    { "file: known, part asked", "bytes=2-3", "\"" DIGEST "\"", 304, 0, 0,  NULL },
};
/* clang-format on */

static const char *value_of(const struct http_reply *reply, const char *name)
{
    for (unsigned i = 0; i < reply->header_count; i++) {
        if (strcmp(reply->header_name[i], name) == 0)
            return reply->text + reply->header_at[i];
    }
    return NULL;
}

static void test_ranges(void)
{
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++) {
        int64_t first = -1;
        int64_t length = -1;

        check_case(RANGES[i].name);
        CHECK_INT(http_range_parse(RANGES[i].range, RANGES[i].if_range, ETAG, RANGES[i].size,
                                   &first, &length),
                  RANGES[i].want);
        if (RANGES[i].want == REFUSED)
            continue;
        CHECK_INT(first, RANGES[i].first);
        CHECK_INT(length, RANGES[i].length);
    }
}

static void test_files(void)
{
    static const uint8_t SHA256[32] = { 1 };
    const struct http_request req = { 0 };

    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        struct http_reply reply;
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        check_case(FILES[i].name);
        header_range = FILES[i].range;
        header_if_none_match = FILES[i].if_none_match;
        http_reply_file(&reply, &req, "x/y", fd, 10, SHA256);
        CHECK_INT(reply.status, FILES[i].status);
        CHECK_INT(reply.file_offset, FILES[i].offset);
        CHECK_INT(reply.file_size, FILES[i].length);
        CHECK_STR(value_of(&reply, "Content-Range"), FILES[i].content_range);
        CHECK_STR(value_of(&reply, "ETag"), reply.status == 416 ? NULL : "\"" DIGEST "\"");
        http_reply_fini(&reply);
        CHECK(fcntl(fd, F_GETFD) < 0); /* it was taken, and closed */
    }
}

static void test_headers(void)
{
    struct http_reply reply;
    char large[HTTP_REPLY_TEXT];

    check_case("header: a line break starts no second one");
    http_reply_init(&reply, 200);
    http_reply_header(&reply, "X", "a\r\nSet-Cookie: b");
    CHECK_UINT(reply.header_count, 0);
    CHECK(!reply.overflow);

    check_case("header: several");
    http_reply_header(&reply, "A", "%d", 1);
    http_reply_header(&reply, "B", "%s", "two");
    CHECK_STR(value_of(&reply, "A"), "1");
    CHECK_STR(value_of(&reply, "B"), "two");

    check_case("header: too long is seen");
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    http_reply_header(&reply, "C", "%s", large);
    CHECK(reply.overflow);

    check_case("header: too many is seen");
    http_reply_init(&reply, 200);
    for (int i = 0; i < HTTP_REPLY_HEADERS; i++)
        http_reply_header(&reply, "A", "%d", i);
    CHECK(!reply.overflow);
    http_reply_header(&reply, "A", "x");
    CHECK(reply.overflow);
}

static void test_problems(void)
{
    static const char WANT[] =
        "{\"type\":\"about:blank\",\"title\":\"invalid value\",\"status\":400,"
        "\"detail\":\"not \\\"x\\\"\",\"field\":\"waves[1].share\"}\n";
    static const char BARE[] =
        "{\"type\":\"about:blank\",\"title\":\"not found or not allowed\",\"status\":401}\n";
    struct http_reply reply;

    check_case("problem: detail and field");
    http_reply_problem(&reply, ERR_INVALID, "not \"x\"", "waves[1].share");
    CHECK_INT(reply.status, 400);
    CHECK_STR(reply.content_type, "application/problem+json");
    CHECK_BYTES(reply.body, reply.body_size, WANT, strlen(WANT));
    http_reply_fini(&reply);

    check_case("problem: 401 says nothing but how to log in");
    http_reply_problem(&reply, ERR_UNAUTHORIZED, NULL, NULL);
    CHECK_BYTES(reply.body, reply.body_size, BARE, strlen(BARE));
    CHECK_STR(value_of(&reply, "WWW-Authenticate"), "Bearer");
    http_reply_fini(&reply);
}

int main(void)
{
    test_ranges();
    test_files();
    test_headers();
    test_problems();
    return check_done();
}
