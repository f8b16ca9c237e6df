/*
 * A fleet whose power comes back within a minute. Devices differ in nothing but when they ask
 * next, so they are counts by the second; what each waits is drawn by liblapel's scheduler.
 */
#include "fleet.h"

#include "core/sched.h"
#include "decide/shed.h"

#include <string.h>

static const int64_t POWER_MS = 60000;
static const uint32_t FIRST_MS = 300000; /* LAPEL_FIRST_CHECK_MS */

/* The simple way: everybody is told when the backlog will be done. */
static uint32_t one_value(struct shed *s, int64_t now_s, uint64_t chance)
{
    uint64_t before = (uint64_t)s->backlog / s->rate;
    uint32_t v = shed_decide(s, now_s, chance);

    if (v == 0)
        return 0;
    return before < SHED_LEAST_S ? SHED_LEAST_S
                                 : (uint32_t)(before < SHED_MOST_S ? before : SHED_MOST_S);
}

static void first_checks(const struct storm *storm, uint64_t *chance, int32_t *asks)
{
    for (int64_t i = 0; i < storm->devices; i++) {
        int64_t on = (int64_t)(dev_uniform(chance) * (double)POWER_MS);

        on += lapel_sched_uniform(FIRST_MS + 1, (uint32_t)dev_chance(chance));
        asks[on / 1000]++;
    }
}

void storm_run(const struct storm *storm, struct storm_result *out)
{
    static struct shed shed;
    uint64_t chance = storm->seed;
    int64_t requests = 0, served = 0;

    memset(out, 0, sizeof *out);
    memset(&shed, 0, sizeof shed);
    shed.rate = storm->rate;
    shed.fleet = storm->devices;
    first_checks(storm, &chance, out->asked);
    for (int s = 0; s < STORM_SECONDS && served < storm->devices; s++) {
        for (int32_t i = 0; i < out->asked[s]; i++) {
            uint32_t v = storm->octaves ? shed_decide(&shed, s, dev_chance(&chance))
                                        : one_value(&shed, s, dev_chance(&chance));
            int64_t back = s;

            requests++;
            if (v == 0) {
                out->served[s]++;
                continue;
            }
            back += lapel_sched_retry_after(v, (uint32_t)dev_chance(&chance)) / 1000;
            if (back < STORM_SECONDS)
                out->asked[back]++;
        }
        served += out->served[s];
        out->served_s = s + 1;
        if (out->served[s] > out->peak)
            out->peak = out->served[s];
    }
    out->left = storm->devices - served;
    out->requests = (double)requests / (double)storm->devices;
}

/* --- The command --- */

struct limit {
    uint32_t rate;
    double requests;
};

static const struct limit LIMITS[] = { { 5000, 1.05 }, { 500, 2.2 } };

static bool fits(const struct storm *storm, const struct storm_result *r, double requests)
{
    double most = 1.1 * (double)storm->devices / storm->rate;

    /* Counted from the moment at which the last one has power. */
    double done = r->served_s - (double)POWER_MS / 1000;

    return r->left == 0 && r->requests <= requests && done <= (most > 330 ? most : 330) &&
           r->peak <= (int32_t)storm->rate;
}

static bool draw(const char *path, const struct storm_result *r)
{
    static double asked[STORM_SECONDS], served[STORM_SECONDS];
    struct plot p = { .title = "Power is back: requests a second",
                      .x_name = "seconds",
                      .y_name = "requests a second",
                      .x_step = 1,
                      .mark = -1,
                      .curves_n = 2 };
    size_t n = (size_t)r->served_s;

    for (size_t i = 0; i < n; i++) {
        asked[i] = r->asked[i];
        served[i] = r->served[i];
    }
    p.curves[0] = (struct curve){ "asked", "#c0392b", asked, n };
    p.curves[1] = (struct curve){ "served", "#1b6ca8", served, n };
    return plot_write(path, &p);
}

static void storm_line(const char *how, const struct storm *storm, const struct storm_result *r)
{
    printf("  %8u/s  %-20s %9.3f %10d %10d %9lld\n", storm->rate, how, r->requests, r->peak,
           r->served_s - (int)(POWER_MS / 1000), (long long)r->left);
}

int storms_run(const struct figure_options *o)
{
    static struct storm_result r;
    bool ok = true;

    printf("storm: power is back within a minute, first checks over U(0, 300 s)\n");
    printf("  %10s  %-20s %9s %10s %10s %9s\n", "rate", "Retry-After", "each", "peak/s", "done s",
           "left");
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        struct storm storm = { .devices = o->devices != 0 ? (int64_t)o->devices : 1000000,
                               .rate = LIMITS[i].rate,
                               .seed = o->first_seed != 0 ? o->first_seed : 1 };
        char path[512];

        storm_run(&storm, &r);
        storm_line("one value for all", &storm, &r);
        storm.octaves = true;
        storm_run(&storm, &r);
        storm_line("octaves", &storm, &r);
        if (!fits(&storm, &r, LIMITS[i].requests))
            ok = false;
        printf("    %s: at most %.2f each\n",
               fits(&storm, &r, LIMITS[i].requests) ? "reached" : "NOT REACHED",
               LIMITS[i].requests);
        if (o->svg != NULL) {
            snprintf(path, sizeof path, "%s-storm-%u.svg", o->svg, storm.rate);
            ok = draw(path, &r) && ok;
        }
    }
    return ok ? 0 : 1;
}
