/*
 * What else must survive: a trial that goes back, a change of a setting, a withdrawal, each with
 * the power cut at every operation; and every call of a port that fails, once and for a while.
 */
#include "check.h"
#include "core/core.h"
#include "device.h"
#include "unsigned.h"

#ifdef __SANITIZE_ADDRESS__
#define STRIDE 17 /* it is slow */
#else
#define STRIDE 1
#endif

static struct signer key;
static struct release v1, v2, v3, bad;
static struct device d;
static struct lsuit_crypto crypto;
static int scene; /* how far the story is, in the world outside the device: a cut leaves it alone */

static void start(void)
{
    scene = 0;
    device_init(&d, &key, &v1, 16, 0xff);
    d.image[d.images++] = &v2;
    d.image[d.images++] = &v3;
    d.server.release = &v2;
    d.ports.crypto = &crypto;
}

static bool live(uint32_t at, enum device_cut cut, bool (*done)(struct device *x), int steps)
{
    d.cut_at = at;
    d.cut = cut;
    if (setjmp(d.power) != 0)
        d.power_on = true;
    device_boot(&d);
    return device_live(&d, done, steps);
}

static bool runs(struct device *x, const struct release *r)
{
    return device_state(x) == LAPEL_READY && x->lapel.rec.accepted.sequence == r->sequence &&
           !x->on_trial;
}

/* v2 isn't well; v3, which comes after its first revert, is. */
static bool gone_back(struct device *x)
{
    bool v2_runs = x->on_trial && memcmp(x->slot[x->running].bytes, v2.payload, 64) == 0;

    x->health = v2_runs ? LAPEL_HEALTH_BAD : LAPEL_HEALTH_OK;
    if (x->told[LAPEL_EVENT_REVERTED] > 0)
        x->server.release = &v3;
    return runs(x, &v3);
}

/* The user says off at the DOWNLOAD gate; from then on nothing is installed. */
static bool said_off(struct device *x)
{
    if (x->lapel.gate == 0 && x->lapel.work == WORK_DOWNLOAD_GATE &&
        x->lapel.rec.choice[LAPEL_AUTO_FEATURE - 1] != LAPEL_OFF)
        (void)lapel_user_set(&x->lapel, LAPEL_AUTO_FEATURE, LAPEL_OFF, LAPEL_BY_USER);
    return x->lapel.rec.choice[LAPEL_AUTO_FEATURE - 1] == LAPEL_OFF && x->server.checkins > 3;
}

/* Withdrawn when it is staged, and offered again once the server hears that it was given up. A
 * cut may take the event from the user, never the outcome from the server. */
static bool withdrawn(struct device *x)
{
    if (scene == 0 && device_state(x) == LAPEL_STAGED) {
        x->server.verdict = LSUIT_WITHDRAW;
        scene = 1;
    }
    if (x->server.has_attempt && x->server.attempt_class == LSUIT_CLASS_WITHDRAWN)
        x->server.verdict = 0;
    return runs(x, &v2);
}

/* The bytes that come aren't those that were signed; a good release follows. */
static bool rejected(struct device *x)
{
    if (x->server.checkins == 0)
        x->server.serve_payload = &bad;
    if (x->told[LAPEL_EVENT_FAILED] > 0 ||
        (x->server.has_attempt && x->server.attempt_class == LSUIT_CLASS_DIGEST_MISMATCH)) {
        x->server.serve_payload = NULL;
        x->server.release = &v3;
    }
    return runs(x, &v3);
}

/* Settings and a postponement, and then a factory reset, after a cut once more. What was accepted
 * stays. */
static bool reset(struct device *x)
{
    const struct lapel_record *r = &x->lapel.rec;

    x->server.release = NULL;
    if (scene == 0 &&
        lapel_user_set(&x->lapel, LAPEL_AUTO_SECURITY, LAPEL_OFF, LAPEL_BY_USER) == LAPEL_OK)
        scene = 1;
    if (scene == 1 && lapel_postpone(&x->lapel, 1000000) == LAPEL_OK)
        scene = 2;
    if (scene == 2 && r->choice[LAPEL_AUTO_SECURITY - 1] == LAPEL_OFF && r->postpone_left_ms > 0)
        scene = 3; /* both are there to be reset */
    if (scene == 3 && lapel_reset(&x->lapel) == LAPEL_OK)
        scene = 4;
    return scene == 4 && r->choice[LAPEL_AUTO_SECURITY - 1] == LAPEL_UNSET &&
           r->postpone_left_ms == 0 && r->accepted.sequence == v1.sequence &&
           x->server.checkins > 0;
}

struct story {
    const char *name;
    bool (*done)(struct device *x);
    bool stays; /* v1 must still run at the end */
};

static void sweep(const struct story *s)
{
    char name[100];
    uint32_t fired = 0;
    int lost = 0;

    snprintf(name, sizeof name, "%s: without a cut", s->name);
    check_case(name);
    start();
    CHECK(live(0, CUT_BEFORE, s->done, 100000));
    uint32_t total = d.ops;
    CHECK(total > 30);

    snprintf(name, sizeof name, "%s: cut before, in and after each operation", s->name);
    check_case(name);
    for (int cut = 0; cut < CUT_KINDS; cut++) {
        for (uint32_t at = 1; at <= total && lost < 5; at++) {
            start();
            bool done = live(at, (enum device_cut)cut, s->done, 20000);

            fired += d.fired;
            if (done && d.fired && d.bricks == 0 && d.violations == 0 &&
                (!s->stays || d.running == 0))
                continue;
            lost++;
            printf("FAIL %s: operation %u, cut %d: done %d, fired %d, state %s, bricks %d, "
                   "programmed twice %d\n",
                   s->name, at, cut, done, d.fired, lapel_state_name(device_state(&d)), d.bricks,
                   d.violations);
        }
    }
    CHECK_INT(lost, 0);
    CHECK_UINT(fired, total * CUT_KINDS);
    printf("%s: %u operations, %u cuts fired\n", s->name, total, fired);
}

/* Every two cuts of a short story, of every two kinds. */
static void pairs(const struct story *s)
{
    uint32_t fired = 0, runs_n = 0;
    int lost = 0;
    char name[100];

    snprintf(name, sizeof name, "%s: every pair of cuts", s->name);
    check_case(name);
    start();
    CHECK(live(0, CUT_BEFORE, s->done, 100000));
    uint32_t total = d.ops;
    for (uint32_t first = 1; first <= total; first += STRIDE) {
        for (uint32_t second = 1; second <= total && lost < 5; second += STRIDE) {
            enum device_cut cut = (enum device_cut)((first + second) % CUT_KINDS);

            start();
            d.second_at = second;
            bool done = live(first, cut, s->done, 5000);

            runs_n++;
            fired += d.cuts;
            if (done && d.bricks == 0 && d.violations == 0 && (!s->stays || d.running == 0))
                continue;
            lost++;
            printf("FAIL %s: operations %u and %u, cut %d: done %d, state %s, bricks %d\n", s->name,
                   first, second, cut, done, lapel_state_name(device_state(&d)), d.bricks);
        }
    }
    CHECK_INT(lost, 0);
    CHECK(fired > runs_n + runs_n / 2); /* a story may be over before the second */
    printf("%s: %u pairs, %u cuts fired\n", s->name, runs_n, fired);
}

static bool runs_v2(struct device *x)
{
    return runs(x, &v2);
}

/* The server offers again what failed; a device that is blocked would never come through. */
static void port_calls(bool ever)
{
    uint32_t failed = 0;
    int lost = 0;

    start();
    check_case(ever ? "each port call and twenty after it fail" : "each port call fails once");
    CHECK(live(0, CUT_BEFORE, runs_v2, 100000));
    uint32_t total = d.calls;
    for (uint32_t at = 1; at <= total && lost < 5; at++) {
        start();
        d.fail_at = at;
        d.fail_ever = ever;
        device_boot(&d);
        for (int i = 0; ever && i < 3000 && d.calls < at + 20; i++)
            (void)device_live(&d, runs_v2, 1);
        d.fail_ever = false;
        bool done = device_live(&d, runs_v2, 100000);

        failed += d.calls >= at;
        if (done && d.bricks == 0 && d.violations == 0)
            continue;
        lost++;
        printf("FAIL call %u: done %d, state %s, bricks %d, violations %d\n", at, done,
               lapel_state_name(device_state(&d)), d.bricks, d.violations);
    }
    CHECK_INT(lost, 0);
    CHECK_UINT(failed, total);
    printf("%u port calls failed\n", failed);
}

int main(void)
{
    static const struct story STORIES[] = {
        { "a trial that goes back", gone_back, false },
        { "a setting", said_off, true },
        { "a withdrawal", withdrawn, false },
        { "a rejected update", rejected, false },
        { "a factory reset", reset, true },
    };

    signer_init(&key);
    crypto = unsigned_crypto();
    release_make(&v1, 16, 900, &key, &(struct release_how){ 0 });
    release_make(&v2, 32, 1500, &key, &(struct release_how){ 0 });
    release_make(&bad, 33, 1500, &key, &(struct release_how){ 0 }); /* as long as v2 */
    release_make(&v3, 48, 1300, &key, &(struct release_how){ 0 });
    for (size_t i = 0; i < sizeof STORIES / sizeof *STORIES; i++)
        sweep(&STORIES[i]);
    pairs(&STORIES[1]);
    port_calls(false);
    port_calls(true);
    return check_done();
}
