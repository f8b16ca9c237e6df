/*
 * Bytes and errors: the small things that everything else leans on.
 */
#include "check.h"
#include "lsuit/bytes.h"
#include "lsuit/err.h"

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, s != NULL ? strlen(s) : 0 };
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

/* clang-format off */
static const struct {
    const char *a, *b;
    int order;
    int equal_ct;
    const char *name;
} PAIRS[] = {
  { "abc", "abc", 0,  1, "equal" },
  { "abc", "abd", -1, 0, "differ at the end" },
  { "xbc", "abc", 1,  0, "differ at the start" },
  { "ab",  "abc", -1, 0, "a prefix comes first" },
  { "abc", "ab",  1,  0, "and its extension after" },
  { "",    "a",   -1, 0, "empty before anything" },
  { "",    "",    0,  0, "empty secrets never match" },
  { NULL,  NULL,  0,  0, "absent secrets never match" },
  { NULL,  "",    0,  0, "absent and empty" },
  { NULL,  "a",   -1, 0, "absent and something" },
  { "\xff", "\x01", 1, 0, "bytes have no sign" },
};
/* clang-format on */

int main(void)
{
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        struct lsuit_bytes a = text(PAIRS[i].a), b = text(PAIRS[i].b);

        check_case(PAIRS[i].name);
        CHECK_INT(sign(lsuit_bytes_compare(a, b)), PAIRS[i].order);
        CHECK_INT(lsuit_bytes_equal_ct(a, b), PAIRS[i].equal_ct);
    }

    check_case("every error has a name and a reason of its own kind");
    for (int e = LSUIT_OK; e <= LSUIT_ERR_USAGE; e++) {
        CHECK(lsuit_err_name((enum lsuit_err)e)[0] != '\0');
        CHECK(lsuit_err_reason((enum lsuit_err)e) >= (e != LSUIT_OK));
        CHECK(lsuit_err_reason((enum lsuit_err)e) <= 12);
        for (int f = LSUIT_OK; f < e; f++)
            CHECK(strcmp(lsuit_err_name((enum lsuit_err)e), lsuit_err_name((enum lsuit_err)f)));
    }

    check_case("a number that is no error");
    CHECK_STR(lsuit_err_name((enum lsuit_err)1000), "usage");
    CHECK_STR(lsuit_err_name((enum lsuit_err) - 1), "usage");
    return check_done();
}
