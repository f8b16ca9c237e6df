/* Whom a hold keeps back. */

#include "check.h"
#include "decide/hold.h"

/* clang-format off */
static const struct {
  const char *name;
  int32_t of; const char *value;              /* the hold; of 0: every release */
  int32_t release; const char *said;
  bool holds;
} ROWS[] = {
  { "its revision, any release",     0, "B",  7, "B",  true },
  { "another revision",              0, "B",  7, "A",  false },
  { "its revision and release",      7, "B",  7, "B",  true },
  { "another release",               6, "B",  7, "B",  false },
  { "a prefix is no match",          0, "B",  7, "B2", false },
  { "nor is it the other way",       0, "B2", 7, "B",  false },
  { "nor another case",              0, "b",  7, "B",  false },
  { "who says nothing isn't named",  0, "B",  7, "",   false },
  { "not even by an empty value",    0, "",   7, "",   false },
};
/* clang-format on */

int main(void)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct hold_rule rule = { ROWS[i].of, HOLD_HW_REVISION, ROWS[i].value };
        const struct hold_device device = { { ROWS[i].said } };

        check_case(ROWS[i].name);
        CHECK_INT(hold_decide(&rule, ROWS[i].release, &device), ROWS[i].holds);
    }
    return check_done();
}
