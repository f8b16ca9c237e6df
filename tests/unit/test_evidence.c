/* What outcomes say: directed cases, the exact mean of the wealth in harmless worlds, gates. */

#include "check.h"
#include "decide/evidence.h"

#include <math.h>

static uint64_t seed;
static double uniform(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static int64_t draw(int64_t n, double p)
{
    int64_t bad = 0;

    for (int64_t i = 0; i < n; i++)
        bad += uniform() < p;
    return bad;
}

/* The hold-out alone, so that it is known what to expect. */
static void show_background(struct evidence *ev, int64_t n, int64_t silent)
{
    struct evidence_cell c = { .horizon = EVIDENCE_NEXT, .control = n, .control_silent = silent };

    evidence_add(ev, &EVIDENCE_RULES, &c);
    c.horizon = EVIDENCE_LATE;
    evidence_add(ev, &EVIDENCE_RULES, &c);
}

/* --- Directed cases --- */

/* clang-format off */
static const struct {
    const char *name;
    int64_t started, failed, reverted;            /* told so far */
    int64_t confirmed, bad, silent;               /* judged */
    int64_t control, control_silent;
    bool halt, harmless, suspect; int cause;
} ROWS[] = {
  { "nothing yet",                      0,    0,  0,  0,    0,  0,   0,     0,    0, 0, 0, EVIDENCE_BY_EXCESS },
  { "as the hold-out",                  2000, 0,  0,  1980, 0,  20,  20000, 200,  0, 1, 0, EVIDENCE_BY_EXCESS },
  { "too few to say",                   50,   0,  0,  49,   0,  1,   1000,  10,   0, 0, 0, EVIDENCE_BY_EXCESS },
  { "2 % more go silent",               2000, 0,  0,  1940, 0,  60,  20000, 200,  1, 0, 1, EVIDENCE_BY_EXCESS },
  { "so does the hold-out",             2000, 0,  0,  1940, 0,  60,  20000, 600,  0, 1, 0, EVIDENCE_BY_EXCESS },
  { "half fail, nobody judged yet",     20,   10, 0,  0,    0,  0,   0,     0,    1, 0, 0, EVIDENCE_BY_FAILURES },
  { "half revert, nobody judged yet",   20,   0,  10, 0,    0,  0,   0,     0,    1, 0, 0, EVIDENCE_BY_FAILURES },
  { "one of a thousand fails",          2000, 2,  0,  1978, 2,  20,  20000, 200,  0, 1, 0, EVIDENCE_BY_EXCESS },
  { "a quarter of a hundred fails",     4000, 10, 0,  3950, 10, 40,  20000, 200,  0, 1, 0, EVIDENCE_BY_EXCESS },
  { "both are away: an outage",         1000, 0,  0,  600,  0,  400, 20000, 8000, 0, 0, 0, EVIDENCE_BY_EXCESS },
  { "no hold-out left, few failures",   1000, 1,  0,  990,  1,  9,   0,     0,    0, 0, 0, EVIDENCE_BY_EXCESS },
};
/* clang-format on */

static void check_row(size_t i)
{
    struct evidence ev = { 0 };
    struct evidence_cell told = { .horizon = EVIDENCE_STARTED,
                                  .started = ROWS[i].started,
                                  .failed = ROWS[i].failed,
                                  .reverted = ROWS[i].reverted };
    struct evidence_cell judged = { .horizon = EVIDENCE_NEXT,
                                    .confirmed = ROWS[i].confirmed,
                                    .failed = ROWS[i].bad,
                                    .silent = ROWS[i].silent,
                                    .control = ROWS[i].control,
                                    .control_silent = ROWS[i].control_silent };
    struct evidence_verdict v;

    check_case(ROWS[i].name);
    show_background(&ev, ROWS[i].control, ROWS[i].control_silent);
    evidence_add(&ev, &EVIDENCE_RULES, &told);
    evidence_add(&ev, &EVIDENCE_RULES, &judged);
    v = evidence_decide(&ev, &EVIDENCE_RULES);
    CHECK_INT(v.halt, ROWS[i].halt);
    CHECK_INT(v.harmless, ROWS[i].harmless);
    CHECK_INT(v.suspect, ROWS[i].suspect);
    if (v.halt)
        CHECK_INT(v.cause, ROWS[i].cause);
    CHECK_INT(v.started, ROWS[i].started);
}

static void check_limit(void)
{
    struct evidence ev = { 0 };
    struct evidence_cell told = { .horizon = EVIDENCE_STARTED, .started = 2000 };
    struct evidence_cell late = { .horizon = EVIDENCE_LATE,
                                  .confirmed = 1600,
                                  .silent = 400,
                                  .control = 2000,
                                  .control_silent = 400 };

    check_case("the limit halts though the hold-out is as bad");
    show_background(&ev, 2000, 400);
    evidence_add(&ev, &EVIDENCE_RULES, &told);
    evidence_add(&ev, &EVIDENCE_RULES, &late);
    CHECK(evidence_decide(&ev, &EVIDENCE_RULES).halt);
    CHECK_INT(evidence_decide(&ev, &EVIDENCE_RULES).cause, EVIDENCE_BY_LIMIT);
}

static void check_strata(void)
{
    struct evidence ev = { 0 };
    struct evidence_cell c = { .horizon = EVIDENCE_NEXT,
                               .confirmed = 5000,
                               .silent = 50,
                               .control = 20000,
                               .control_silent = 200 };

    check_case("one revision of two that is bricked is found and named");
    show_background(&ev, 20000, 200);
    evidence_add(&ev, &EVIDENCE_RULES, &c);
    c = (struct evidence_cell){
        .horizon = EVIDENCE_NEXT, .stratum = 3, .silent = 12, .control = 200, .control_silent = 2
    };
    evidence_add(&ev, &EVIDENCE_RULES, &c);
    CHECK(evidence_decide(&ev, &EVIDENCE_RULES).halt);
    CHECK_INT(evidence_decide(&ev, &EVIDENCE_RULES).stratum, 3);

    check_case("it is the one suspect; a worse one comes before it");
    struct evidence_suspect list[EVIDENCE_STRATA];
    CHECK_INT(evidence_suspects(&ev, &EVIDENCE_RULES, list), 1);
    CHECK_INT(list[0].stratum, 3);
    CHECK_INT(list[0].bad, 12);
    c.stratum = 5;
    c.silent = 30;
    evidence_add(&ev, &EVIDENCE_RULES, &c);
    CHECK_INT(evidence_suspects(&ev, &EVIDENCE_RULES, list), 2);
    CHECK_INT(list[0].stratum, 5);
    CHECK_INT(list[1].stratum, 3);
    c.silent = 12;

    check_case("strata beyond the last count as others");
    c.stratum = 1000;
    evidence_add(&ev, &EVIDENCE_RULES, &c);
    CHECK_INT(ev.strata[EVIDENCE_STRATA - 1].next.judged, 12);
}

/* --- The exact mean of the wealth --- */

static double binomial(int n, int k, double p)
{
    double r = 1;

    for (int i = 0; i < k; i++)
        r *= (double)(n - i) / (i + 1);
    return r * pow(p, k) * pow(1 - p, n - k);
}

/* Mean of exp(log) over every outcome of one cell, when the true shares are (offered, held). */
static double mean_wealth(int n, int m, double offered, double held, bool advance)
{
    double sum = 0;

    for (int x = 0; x <= n; x++)
        for (int y = 0; y <= m; y++) {
            struct evidence ev = { 0 };
            struct evidence_cell c = { .horizon = EVIDENCE_NEXT,
                                       .confirmed = n - x,
                                       .silent = x,
                                       .control = m,
                                       .control_silent = y };
            struct evidence_verdict v;

            show_background(&ev, 200, 10);
            evidence_add(&ev, &EVIDENCE_RULES, &c);
            v = evidence_decide(&ev, &EVIDENCE_RULES);
            sum += binomial(n, x, offered) * binomial(m, y, held) *
                   exp(advance ? v.log_advance : v.log_halt);
        }
    return sum;
}

static void check_means(void)
{
    static const double HELD[] = { 0.001, 0.01, 0.05, 0.2, 0.5, 0.9 };
    static const int SIZES[][2] = { { 1, 1 }, { 5, 8 }, { 8, 3 }, { 3, 30 } };
    double tolerate = EVIDENCE_RULES.tolerate, doubt = EVIDENCE_RULES.doubt;

    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++)
        for (size_t h = 0; h < sizeof HELD / sizeof *HELD; h++) {
            int n = SIZES[s][0], m = SIZES[s][1];
            char name[80];

            snprintf(name, sizeof name, "mean wealth is at most 1: %d and %d devices at %g", n, m,
                     HELD[h]);
            check_case(name);
            CHECK(mean_wealth(n, m, HELD[h] + tolerate, HELD[h], false) <= 1 + 1e-6);
            CHECK(mean_wealth(n, m, HELD[h], HELD[h], false) <= 1 + 1e-6);
            CHECK(mean_wealth(n, m, HELD[h] + doubt, HELD[h], true) <= 1 + 1e-6);
            CHECK(mean_wealth(n, m, HELD[h] + 2 * doubt, HELD[h], true) <= 1 + 1e-6);
        }
    check_case("and above 1 in the worlds that are looked for");
    CHECK(mean_wealth(8, 30, 0.5, 0.05, false) > 2);
    CHECK(mean_wealth(8, 30, 0.05, 0.05, true) > 1.01);
}

/* --- Looking often --- */

/* How many of `runs` rollouts of 60 hours are ever halted. */
static int halted_of(int runs, double offered, double held)
{
    int halted = 0;

    for (int r = 0; r < runs; r++) {
        struct evidence ev = { 0 };
        bool halt = false;

        seed = 88172645463325252u + (uint64_t)r * 7919;
        show_background(&ev, 200, draw(200, held));
        for (int h = 0; h < 60 && !halt; h++) {
            struct evidence_cell c = { .horizon = EVIDENCE_NEXT, .control = 200 };

            c.silent = draw(40, offered);
            c.confirmed = 40 - c.silent;
            c.control_silent = draw(200, held);
            evidence_add(&ev, &EVIDENCE_RULES, &c);
            halt = evidence_decide(&ev, &EVIDENCE_RULES).halt;
        }
        halted += halt;
    }
    return halted;
}

static void check_looks(void)
{
    check_case("at the border of what is tolerated, 1 % of 400 at most");
    CHECK(halted_of(400, 0.01 + EVIDENCE_RULES.tolerate, 0.01) <= 4);
    check_case("2 % more are found in 2400 devices, nearly always");
    CHECK(halted_of(100, 0.03, 0.01) >= 95);
}

/* --- Gates --- */

/* clang-format off */
static const struct {
    const char *name;
    struct evidence_verdict seen;
    struct gate gate;
    int kind, reason;
} GATES[] = {
  { "harmful before anything else",   { .halt = true },     { .fleet = 10, .members = 1 },                                              GATE_HALT,    GATE_HARMFUL },
  { "soaks",                          { .harmless = true }, { .fleet = 9999, .members = 100 },                                          GATE_WAIT,    GATE_SOAKS },
  { "proven",                         { .harmless = true }, { .fleet = 9999, .members = 100, .soaked = true, .heard = true },           GATE_ADVANCE, GATE_PROVEN },
  { "a revision was not heard of",    { .harmless = true }, { .fleet = 9999, .members = 3000, .soaked = true },                         GATE_WAIT,    GATE_UNHEARD },
  { "a small wave, all judged",       { 0 },                { .fleet = 9999, .members = 100, .soaked = true, .settled = true },         GATE_ADVANCE, GATE_NO_OBJECTION },
  { "a small wave, suspect",          { .suspect = true },  { .fleet = 9999, .members = 100, .soaked = true, .settled = true },         GATE_WAIT,    GATE_UNHEARD },
  { "a large wave must prove",        { 0 },                { .fleet = 9999, .members = 2000, .soaked = true, .settled = true },        GATE_WAIT,    GATE_UNHEARD },
  { "and asks a person in the end",   { 0 },                { .fleet = 9999, .members = 2000, .soaked = true, .settled = true, .exhausted = true }, GATE_HOLD, GATE_UNDECIDED },
  { "tiny: one reverted",             { .reverted = 1 },    { .fleet = 50, .members = 5, .confirmed = 4 },                              GATE_HOLD,    GATE_REVERTED },
  { "51 are not tiny",                { .reverted = 1 },    { .fleet = 51, .members = 5, .confirmed = 4 },                              GATE_WAIT,    GATE_SOAKS },
  { "one device, confirmed",          { 0 },                { .fleet = 1, .members = 1, .soaked = true, .confirmed = 1 },               GATE_ADVANCE, GATE_ALL_WELL },
  { "tiny: one is missing",           { 0 },                { .fleet = 20, .members = 5, .soaked = true, .confirmed = 4 },              GATE_WAIT,    GATE_UNHEARD },
  { "tiny: it is excused",            { 0 },                { .fleet = 20, .members = 5, .soaked = true, .confirmed = 4, .excused = 1 }, GATE_ADVANCE, GATE_ALL_WELL },
  { "tiny: missing to the end",       { 0 },                { .fleet = 20, .members = 5, .soaked = true, .confirmed = 4, .exhausted = true }, GATE_HOLD, GATE_MISSING },
  { "tiny: confirmed, but soaks",     { 0 },                { .fleet = 5, .members = 5, .confirmed = 5 },                               GATE_WAIT,    GATE_SOAKS },
};
/* clang-format on */

static void check_gate(size_t i)
{
    struct gate_verdict v = gate_decide(&GATES[i].seen, &GATES[i].gate);

    check_case(GATES[i].name);
    CHECK_INT(v.kind, GATES[i].kind);
    CHECK_INT(v.reason, GATES[i].reason);
}

int main(void)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        check_row(i);
    check_limit();
    check_strata();
    check_means();
    check_looks();
    for (size_t i = 0; i < sizeof GATES / sizeof *GATES; i++)
        check_gate(i);
    return check_done();
}
