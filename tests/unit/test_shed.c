/* Whom to send away and for how long: rate, octaves, the backlog, clocks. */

#include "check.h"
#include "decide/shed.h"

static struct shed s;

static void fresh_shed(uint32_t rate)
{
    memset(&s, 0, sizeof s);
    s.rate = rate;
    s.fleet = 1000000;
}

/* `n` ask in a second; how many are served. */
static int64_t ask(int64_t now_s, int64_t n)
{
    int64_t served = 0;

    for (int64_t i = 0; i < n; i++)
        served += shed_decide(&s, now_s, (uint64_t)i * 0x9e3779b97f4a7c15u) == 0;
    return served;
}

/* clang-format off */
static const struct { const char *name; uint64_t chance; uint32_t want; } OCTAVES[] = {
  { "heads at once: the whole time",  1,              100 },
  { "one tail: half",                 2,              50 },
  { "two tails: a quarter",           4,              25 },
  { "many tails: a second at least",  1u << 20,       1 },
  { "nothing but tails",              0,              1 },
};
/* clang-format on */

int main(void)
{
    check_case("no limit, nobody is sent away");
    fresh_shed(0);
    CHECK_INT(ask(1000, 5000), 5000);

    check_case("the rate in each second, and no more");
    fresh_shed(100);
    CHECK_INT(ask(1000, 100), 100);
    CHECK_INT(ask(1000, 50), 0);
    CHECK_INT(ask(1001, 500), 100);

    for (size_t i = 0; i < sizeof OCTAVES / sizeof *OCTAVES; i++) {
        check_case(OCTAVES[i].name);
        fresh_shed(10);
        ask(1000, 10);
        s.backlog = 2000; /* 2000 / (2 * 10) seconds */
        CHECK_INT(shed_decide(&s, 1000, OCTAVES[i].chance), OCTAVES[i].want);
    }

    check_case("who is sent away is in the backlog until he is due");
    fresh_shed(10);
    ask(1000, 30);
    CHECK_INT(s.backlog, 20);
    ask(1000 + 2 * SHED_LEAST_S, 1);
    CHECK_INT(s.backlog, 0);

    check_case("the longest is an hour");
    fresh_shed(1);
    ask(1000, 1);
    s.backlog = 1000000;
    CHECK_INT(shed_decide(&s, 1000, 1), SHED_MOST_S);

    check_case("a storm counts those who will come");
    fresh_shed(10);
    ask(1000, 1000);
    ask(1001, 1000);
    ask(1002, 11);
    CHECK(shed_decide(&s, 1002, 1) > 1000);

    check_case("without a rate, what was served lately is one");
    fresh_shed(0);
    ask(1000, 10);
    ask(1001, 1);
    s.backlog = 2000;
    CHECK_INT(shed_away(&s, 1001, 1), 100);

    check_case("a clock that goes back stands");
    fresh_shed(10);
    ask(1000, 10);
    CHECK_INT(ask(999, 5), 0);
    CHECK_INT(ask(1001, 5), 5);

    check_case("a clock that jumps ahead forgets");
    fresh_shed(10);
    ask(1000, 500);
    CHECK_INT(ask(1000000, 20), 10);
    CHECK_INT(s.backlog, 10);
    return check_done();
}
