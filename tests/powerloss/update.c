/*
 * A whole update with the power cut at every operation on flash, journal and boot loader: before
 * it, in the middle, after it. After each cut a verified image runs, nothing was programmed
 * twice, what is accepted and the counter never fell, and the update completes by itself.
 *
 * Signatures are checked by a stand-in, for there are tens of thousands; hashes are real.
 */
#include "check.h"
#include "device.h"
#include "unsigned.h"

/* Every operation is cut; under the address sanitizer, which is slow, some of the smallest. */
#ifdef __SANITIZE_ADDRESS__
#define EVERY 13
#else
#define EVERY 1
#endif

static struct signer key;
static struct release v1, v2;
static struct device d;
static uint64_t accepted, counter; /* the highest seen */
static int fell;

static struct lsuit_crypto crypto;

static void watch(struct device *x)
{
    const struct lapel_record *r = &x->lapel.rec;

    if (x->init != LAPEL_OK)
        return;
    if (r->accepted.sequence < accepted || r->counter < counter)
        fell++;
    accepted = r->accepted.sequence;
    counter = r->counter;
}

static bool settled(struct device *x)
{
    watch(x);
    return device_state(x) == LAPEL_READY && x->lapel.rec.accepted.sequence == v2.sequence &&
           x->running == 1 && x->active == 1 && !x->on_trial;
}

struct story {
    const char *name;
    uint32_t word;
    uint8_t erased;
    size_t payload;
    uint32_t stride; /* every how many operations */
};

static void start(const struct story *s)
{
    accepted = 0;
    counter = 0;
    fell = 0;
    device_init(&d, &key, &v1, s->word, s->erased);
    d.image[d.images++] = &v2;
    d.server.release = &v2;
    d.ports.crypto = &crypto;
    d.has_counter = true;
    d.counter[0] = 3;
    d.counter[1] = 4;
}

/* From the first start on, with a cut at operation `at`; 0: none. */
static bool live(uint32_t at, enum device_cut cut)
{
    d.cut_at = at;
    d.cut = cut;
    if (setjmp(d.power) != 0)
        d.power_on = true;
    device_boot(&d);
    return device_live(&d, settled, 100000);
}

static void sweep(const struct story *s)
{
    static const char *const CUTS[] = { "before", "torn", "after" };
    char name[120];
    uint32_t total, fired = 0, missed = 0;
    int lost = 0;

    release_make(&v1, 16, 900, &key, &(struct release_how){ 0 });
    release_make(&v2, 32, s->payload, &key, &(struct release_how){ 0 });
    start(s);
    snprintf(name, sizeof name, "%s: without a cut", s->name);
    check_case(name);
    CHECK(live(0, CUT_BEFORE));
    CHECK_UINT(counter, 4);
    total = d.ops;
    CHECK(total > 100);

    for (int cut = 0; cut < CUT_KINDS; cut++) {
        snprintf(name, sizeof name, "%s: cut %s each operation", s->name, CUTS[cut]);
        check_case(name);
        for (uint32_t at = 1; at <= total; at += s->stride) {
            start(s);
            bool done = live(at, (enum device_cut)cut);

            fired += d.fired;
            missed += !d.fired;
            if (!done || d.bricks != 0 || d.violations != 0 || fell != 0 || counter != 4) {
                lost++;
                printf("FAIL %s: operation %u %s: done %d, state %s, bricks %d, programmed twice "
                       "%d, fell %d, counter %d\n",
                       s->name, at, CUTS[cut], done, lapel_state_name(device_state(&d)), d.bricks,
                       d.violations, fell, (int)counter);
                if (lost > 5)
                    break;
            }
        }
        CHECK_INT(lost, 0);
        CHECK_UINT(missed, 0); /* a cut that never happens proves nothing */
    }
    printf("%s: %u operations, %u cuts fired\n", s->name, total, fired);
}

/* Runs with cut after cut, at operations and of kinds that a seed gives. */
static void many_cuts(void)
{
    static const uint32_t WORDS[] = { 1, 4, 8, 16, 32 };
    uint32_t cuts = 0, unstable = 0;
    int lost = 0;

    check_case("1000 runs with up to 20 cuts each");
    release_make(&v2, 32, 2100, &key, &(struct release_how){ 0 });
    for (uint32_t seed = 1; seed <= 1000 && lost < 5; seed++) {
        struct story s = { "", WORDS[seed % 5], seed % 2 != 0 ? 0xff : 0x00, 2100, 1 };

        start(&s);
        d.chance = seed * 2654435761u;
        d.cuts_left = 19;
        d.cuts_gap = 60 + 4000 / s.word;
        bool done = live(1 + device_random(&d) % d.cuts_gap, (enum device_cut)(seed % CUT_KINDS));

        cuts += d.cuts;
        unstable += d.unstable;
        if (done && d.bricks == 0 && d.violations == 0 && fell == 0 && counter == 4)
            continue;
        lost++;
        printf(
            "FAIL seed %u: done %d, state %s, %u cuts, bricks %d, programmed twice %d, fell %d\n",
            seed, done, lapel_state_name(device_state(&d)), d.cuts, d.bricks, d.violations, fell);
    }
    CHECK_INT(lost, 0);
    CHECK(cuts > 3000);
    CHECK(unstable > 100);
    printf("1000 runs: %u cuts fired, %u bytes read another way\n", cuts, unstable);
}

int main(void)
{
    /* clang-format off */
    static const struct story STORIES[] = {
        { "words of 8, erased 0xff",  8,  0xff, 5000, 1 },
        { "words of 8, erased 0x00",  8,  0x00, 2100, 1 },
        { "words of 32, erased 0x00", 32, 0x00, 5003, 1 },
        { "words of 32, erased 0xff", 32, 0xff, 2100, 1 },
        { "bytes, erased 0xff",       1,  0xff, 1100, EVERY },
        { "bytes, erased 0x00",       1,  0x00, 1100, EVERY },
        { "words of 4, erased 0x00",  4,  0x00, 1100, EVERY },
        { "words of 4, erased 0xff",  4,  0xff, 1100, EVERY },
        { "words of 16, erased 0xff", 16, 0xff, 3000, 1 },
        { "words of 16, erased 0x00", 16, 0x00, 3000, 1 },
    };
    /* clang-format on */

    signer_init(&key);
    crypto = unsigned_crypto();
    for (size_t i = 0; i < sizeof STORIES / sizeof *STORIES; i++)
        sweep(&STORIES[i]);
    many_cuts();
    return check_done();
}
