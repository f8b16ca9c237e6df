/*
 * When a device checks: values, borders, and that a fleet is spread evenly (5.3-5, 5.9-3).
 */
#include "check.h"
#include "core/sched.h"
#include "uniform.h"

#define DEVICES 1000

static uint32_t seed = 1;
static uint32_t chance(void)
{
    /* xorshift32, fixed seed */
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static void test_uniform(void)
{
    static double v[DEVICES];
    char id[40];

    check_case("first checks of 1000 devices are uniform over 300 s");
    for (size_t i = 0; i < DEVICES; i++)
        v[i] = lapel_sched_uniform(300001, chance()) / 300000.0;
    CHECK(uniform_distance(v, DEVICES) < UNIFORM_1000);

    check_case("phases of 1000 ids that count up are uniform");
    for (size_t i = 0; i < DEVICES; i++) {
        snprintf(id, sizeof id, "lamp-%06zu", i);
        v[i] = (double)lapel_sched_phase(id) / 18446744073709551616.0;
    }
    CHECK(uniform_distance(v, DEVICES) < UNIFORM_1000);

    check_case("later checks of 1000 devices that started at once are uniform over a period");
    for (size_t i = 0; i < DEVICES; i++) {
        uint64_t now = 60000 + lapel_sched_uniform(1000, chance()); /* all within one second */

        snprintf(id, sizeof id, "lamp-%06zu", i);
        for (int k = 0; k < 5; k++)
            now += lapel_sched_next(now, 86400000, lapel_sched_phase(id), 10, chance());
        v[i] = (double)(now % 86400000) / 86400000.0;
    }
    CHECK(uniform_distance(v, DEVICES) < UNIFORM_1000);

    check_case("the same test sees a fleet that is not uniform");
    for (size_t i = 0; i < DEVICES; i++)
        v[i] = lapel_sched_uniform(300001, chance()) / 300000.0 * 0.9;
    CHECK(uniform_distance(v, DEVICES) > UNIFORM_1000);
}

static void test_next(void)
{
    /* clang-format off */
    static const struct {
        const char *name;
        uint64_t clock;
        uint32_t period;
        uint64_t phase;
        uint32_t share, chance, want;
    } ROWS[] = {
        { "phase 0, at 0, no share",       0,      1000, 0,            0,  0,          1000 },
        { "phase 0, at 1",                 1,      1000, 0,            0,  0,          999 },
        { "half phase, at 0",              0,      1000, UINT64_MAX / 2 + 1, 0, 0,     500 },
        { "half phase, at it",             500,    1000, UINT64_MAX / 2 + 1, 0, 0,     1000 },
        { "a share, drawn low",            500,    1000, UINT64_MAX / 2 + 1, 10, 0,    900 },
        { "a share, drawn high",           500,    1000, UINT64_MAX / 2 + 1, 10, UINT32_MAX, 1100 },
        { "early before the phase is not followed at it", 410, 1000, UINT64_MAX / 2 + 1, 10, 0, 990 },
        { "last phase",                    0,      1000, UINT64_MAX,   0,  0,          999 },
        { "period 0 counts as 1 ms",       7,      0,    UINT64_MAX,   10, 0,          1 },
        { "the clock near its end",        UINT64_MAX - 10, 1000, 0,   0,  0,          395 },
        { "the longest period",            0,      604800000, UINT64_MAX, 50, UINT32_MAX, 1511999999 },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        check_case(ROWS[i].name);
        CHECK_UINT(lapel_sched_next(ROWS[i].clock, ROWS[i].period, ROWS[i].phase, ROWS[i].share,
                                    ROWS[i].chance),
                   ROWS[i].want);
    }

    check_case("never twice in one period, never two periods without");
    uint64_t now = 12345, last = now;
    bool in_time = true;
    for (int i = 0; i < 10000; i++) {
        now += lapel_sched_next(now, 100000, 0x9e3779b97f4a7c15u, 10, chance());
        if (i > 0)
            in_time = in_time && now - last >= 80000 && now - last <= 120000;
        last = now;
    }
    CHECK(in_time);
}

static void test_server_words(void)
{
    /* clang-format off */
    static const struct { const char *name; uint64_t s; uint32_t ms; } CLAMP[] = {
        { "poll 0",            0,          30000 },
        { "poll 29 s",         29,         30000 },
        { "poll 30 s",         30,         30000 },
        { "poll an hour",      3600,       3600000 },
        { "poll 7 days",       604800,     604800000 },
        { "poll 7 days + 1 s", 604801,     604800000 },
        { "poll for ever",     UINT64_MAX, 604800000 },
    };
    static const struct { const char *name; uint64_t s; uint32_t low, high; } AFTER[] = {
        { "Retry-After 0",        0,          1000,    2000 },
        { "Retry-After 1",        1,          1000,    2000 },
        { "Retry-After 120",      120,        120000,  240000 },
        { "Retry-After an hour",  3600,       3600000, 7200000 },
        { "Retry-After 3601",     3601,       3600000, 7200000 },
        { "Retry-After for ever", UINT64_MAX, 3600000, 7200000 },
    };
    static const struct { const char *name; uint32_t fails, high; } BACKOFF[] = {
        { "back-off, first",       0,   4999 },
        { "back-off, second",      1,   9999 },
        { "back-off, ninth",       8,   1279999 },
        { "back-off, the ceiling", 10,  3599999 },
        { "back-off, for ever",    255, 3599999 },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof CLAMP / sizeof *CLAMP; i++) {
        check_case(CLAMP[i].name);
        CHECK_UINT(lapel_sched_clamp_poll(CLAMP[i].s), CLAMP[i].ms);
    }
    for (size_t i = 0; i < sizeof AFTER / sizeof *AFTER; i++) {
        check_case(AFTER[i].name);
        CHECK_UINT(lapel_sched_retry_after(AFTER[i].s, 0), AFTER[i].low);
        CHECK_UINT(lapel_sched_retry_after(AFTER[i].s, UINT32_MAX), AFTER[i].high);
    }
    for (size_t i = 0; i < sizeof BACKOFF / sizeof *BACKOFF; i++) {
        check_case(BACKOFF[i].name);
        CHECK_UINT(lapel_sched_backoff(BACKOFF[i].fails, 5000, 3600000, 0), 1);
        CHECK_UINT(lapel_sched_backoff(BACKOFF[i].fails, 5000, 3600000, UINT32_MAX),
                   BACKOFF[i].high);
    }
    check_case("a poll is spread upwards only");
    CHECK_UINT(lapel_sched_poll(60000, 10, 0), 60000);
    CHECK_UINT(lapel_sched_poll(60000, 10, UINT32_MAX), 66000);
    check_case("U(0, n) has its borders");
    CHECK_UINT(lapel_sched_uniform(0, UINT32_MAX), 0);
    CHECK_UINT(lapel_sched_uniform(1, UINT32_MAX), 0);
    CHECK_UINT(lapel_sched_uniform(UINT32_MAX, UINT32_MAX), UINT32_MAX - 1);
}

int main(void)
{
    test_uniform();
    test_next();
    test_server_words();
    return check_done();
}
