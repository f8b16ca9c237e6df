/*
 * A thousand whole devices that start in one second: when each asks the server, first and later
 * (provisions 5.3-5, 5.9-3). Clock and server are in memory, chance has fixed seeds.
 */
#include "check.h"
#include "device.h"
#include "uniform.h"

#define DEVICES 1000

static struct signer key;
static struct release factory;
static struct device d;

/* The clock of day, which goes on with the clock of the device. */
static int64_t moving_epoch(void *p)
{
    return 1790000000 + (int64_t)(((struct device *)p)->now / 1000);
}

static int no_chance(void *p, uint8_t *buf, size_t n)
{
    (void)p;
    (void)buf;
    (void)n;
    return -1;
}

struct fleet {
    const char *name;
    uint32_t poll_s;             /* what the server says, and the period that is looked at */
    uint32_t first_ms;           /* window of the first check, 0: the usual */
    const char *before, *after;  /* of the number in the id */
    bool same;                   /* one id for all */
    bool clock;                  /* the devices know the time of day */
    bool no_chance;              /* their generators fail */
    bool first_even, later_even; /* what is to be seen */
};

/* clang-format off */
static const struct fleet FLEETS[] = {
  /* name                                         poll   window before   after       same   clock  dead   first  later */
  { "ids that count up, asked daily",             86400, 0,     "lamp-", "",         false, true,  false, true,  true },
  { "the same without a time of day",             86400, 0,     "lamp-", "",         false, false, false, true,  true },
  { "asked hourly",                               3600,  0,     "",      "",         false, true,  false, true,  true },
  { "ids that differ in the middle",              86400, 0,     "eu-",   "-kitchen", false, true,  false, true,  true },
  { "a window of their own",                      86400, 60000, "lamp-", "",         false, true,  false, true,  true },
  { "no generator: the id alone spreads them",    86400, 0,     "lamp-", "",         false, true,  true,  true,  true },
  /* The test can see it: chance alone doesn't spread over a period, the phase of the id does. */
  { "one id for all: together from the second on", 86400, 0,    "lamp-", "",         true,  true,  false, true,  false },
};
/* clang-format on */

static int until_checkins;
static bool checked(struct device *x)
{
    return x->server.checkins >= until_checkins;
}

static bool live_to_checkin(int n)
{
    until_checkins = n;
    return device_live(&d, checked, 5000);
}

/* Seeds that have nothing to do with each other (the finaliser of MurmurHash3). */
static uint32_t seed_of(uint32_t x)
{
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

/* One life: its first check as a share of the window, its fourth as a share of the period. */
static bool life(const struct fleet *f, size_t i, double *first_out, double *later_out)
{
    struct lapel_sys sys = DEV_SYS;
    uint64_t window = f->first_ms != 0 ? f->first_ms : LAPEL_FIRST_CHECK_MS;
    uint64_t period = (uint64_t)f->poll_s * 1000, start;
    char id[40];

    device_init(&d, &key, &factory, 8, 0xff);
    snprintf(id, sizeof id, "%s%06zu%s", f->before, f->same ? 0 : i, f->after);
    d.area_n[0] = 0; /* no manifest to verify: this is about time */
    d.config.device_id = id;
    d.config.first_check_ms = f->first_ms;
    d.chance = seed_of((uint32_t)i + 1);
    d.server.next_poll_s = f->poll_s;
    sys.epoch_s = f->clock ? moving_epoch : NULL;
    sys.random = f->no_chance ? no_chance : DEV_SYS.random;
    d.ports.sys = &sys;
    device_boot(&d);
    start = d.now;
    if (!live_to_checkin(1))
        return false;
    *first_out = (double)(d.now - start) / (double)window;
    if (!live_to_checkin(4))
        return false;
    *later_out = (double)(d.now % period) / (double)period;
    return true;
}

int main(void)
{
    static double first[DEVICES], later[DEVICES];

    signer_init(&key);
    release_make(&factory, 16, 3000, &key, &(struct release_how){ 0 });
    for (size_t k = 0; k < sizeof FLEETS / sizeof *FLEETS; k++) {
        const struct fleet *f = &FLEETS[k];
        size_t lived = 0, inside = 0;

        check_case(f->name);
        for (size_t i = 0; i < DEVICES; i++) {
            lived += life(f, i, &first[i], &later[i]) ? 1 : 0;
            inside += first[i] <= 1.001 ? 1 : 0; /* the exchange itself takes a moment */
        }
        CHECK_UINT(lived, DEVICES);
        CHECK_UINT(inside, DEVICES);
        double a = uniform_distance(first, DEVICES), b = uniform_distance(later, DEVICES);
        printf("%s: first %.4f, later %.4f, limit %.4f\n", f->name, a, b, UNIFORM_1000);
        CHECK((a < UNIFORM_1000) == f->first_even);
        CHECK((b < UNIFORM_1000) == f->later_even);
    }
    return check_done();
}
