/* The figures that are promised, each beside what simpler rules reach in the same fleets. */
#include "fleet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum measure {
    HALTS,    /* halted with at most `most` of the fleet (or stratum) exposed */
    STOPS,    /* the same, or held for a person */
    NAMES,    /* halted, and the stratum that it harms is the first suspect */
    KEEPS_ON, /* neither halted nor held */
    REACHES   /* 99 % of those seen are confirmed within `most` days */
};

struct figure {
    const char *name, *what;
    enum measure measure;
    double most;
    double in; /* share of seeds in which it must be so; 0: nothing is promised */
    unsigned seeds;
    unsigned others; /* seeds in which the simpler rules are tried as well */
    struct model model;
};

#define DAY 86400000u

/* clang-format off */
static const struct figure FIGURES[] = {
  { "brick", "2 % go silent, on top of 1 % background: halted with at most 0.5 % exposed", HALTS, 0.005, 0.95, 200, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .brick = 0.02, .stratum = -1 } },
  { "brick-10k", "the same for 10 000 devices: halted, or held for a person (what is exposed is shown)", STOPS, 1, 0.95, 200, 200,
    { .devices = 10000, .poll_ms = DAY, .background = 0.01, .brick = 0.02, .stratum = -1 } },
  { "revision", "one revision, 1 % of the fleet, bricks: at most 20 % of it exposed", HALTS, 0.20, 0.95, 200, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .brick = 1, .stratum = FLEET_STRATA - 1 } },
  { "suspect", "one revision, 10 % of the fleet, of which a fifth bricks: named first", NAMES, 0, 0.95, 200, 0,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .brick = 0.2, .stratum = 2 } },
  { "bad", "10 % report a failure: halted with at most 0.1 % exposed", HALTS, 0.001, 0.95, 200, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .fail = 0.10, .stratum = -1 } },
  { "good-constant", "a good release, background constant: neither halted nor held", KEEPS_ON, 0, 0.99, 2000, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .stratum = -1 } },
  { "good-hourly", "a good release, background changes by the hour from 0.2 to 5 %", KEEPS_ON, 0, 0.99, 2000, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .hourly = true, .stratum = -1 } },
  { "good-limit", "a good release, background at the absolute limit of 10 %", KEEPS_ON, 0, 0.99, 2000, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.10, .stratum = -1 } },
  { "good-tolerated", "failures exactly as tolerated, 0.25 %", KEEPS_ON, 0, 0.99, 200, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .fail = 0.0025, .stratum = -1 } },
  { "good-outage", "a good release, the server is away for six hours", KEEPS_ON, 0, 0.99, 200, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .outage_hours = 6, .stratum = -1 } },
  { "good-slow", "a good release, a tenth on slow links, clocks that are wrong", KEEPS_ON, 0, 0.99, 200, 200,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .slow = 0.10, .skewed = 0.05, .stratum = -1 } },
  { "good-10k", "a good release, 10 000 devices", KEEPS_ON, 0, 0.99, 2000, 200,
    { .devices = 10000, .poll_ms = DAY, .background = 0.01, .stratum = -1 } },
  { "harmless", "0.1 % harmless failures: 99 % of the devices seen, in 14 days", REACHES, 14, 0.95, 20, 0,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .fail = 0.001, .stratum = -1 } },
  { "reach", "weekends off, 3 % away for weeks, 1 % for six months: 99 % of those seen in 14 days", REACHES, 14, 0.95, 20, 0,
    { .devices = 1000000, .poll_ms = DAY, .background = 0.01, .weekends = 0.30, .away = 0.03, .long_away = 0.01, .stratum = -1 } },
};
/* clang-format on */

enum { FIGURES_N = sizeof FIGURES / sizeof *FIGURES };

size_t figures_count(void)
{
    return FIGURES_N;
}

const char *figure_name(size_t i)
{
    return FIGURES[i].name;
}

void figures_list(FILE *to)
{
    for (size_t i = 0; i < FIGURES_N; i++)
        fprintf(to, "  %-15s %s\n", FIGURES[i].name, FIGURES[i].what);
}

/* --- Running one --- */

struct run {
    const struct figure *f;
    struct model model;
    unsigned seeds;
    uint64_t first_seed;
    struct result *results[RULES];
    unsigned n[RULES];
    FILE *csv;
};

static bool good(const struct run *run, const struct result *r)
{
    double of = run->model.stratum < 0 ? (double)run->model.devices : (double)r->stratum;
    double exposed = run->model.stratum < 0 ? (double)r->exposed : (double)r->exposed_stratum;

    switch (run->f->measure) {
    case HALTS:
        return r->halted && exposed <= run->f->most * of;
    case STOPS:
        return (r->halted || r->held) && exposed <= run->f->most * of;
    case NAMES:
        return r->halted && r->suspect == run->model.stratum;
    case KEEPS_ON:
        return !r->halted && !r->held;
    case REACHES:
        return !r->halted && !r->held && r->reach_days >= 0 && r->reach_days <= run->f->most;
    }
    return false;
}

static void csv_line(const struct run *run, enum rule rule, uint64_t seed, const struct result *r)
{
    if (run->csv != NULL)
        fprintf(run->csv, "%s,%s,%llu,%d,%d,%lld,%lld,%.2f,%.2f,%.5f\n", run->f->name,
                RULE_NAME[rule], (unsigned long long)seed, r->halted, r->held,
                (long long)r->exposed, (long long)r->exposed_stratum, r->ended_days, r->reach_days,
                r->reached);
}

static bool run_all(struct run *run, struct trace *trace)
{
    for (enum rule rule = 0; rule < RULES; rule++) {
        unsigned n =
            rule == RULE_EVIDENCE || run->f->others > run->seeds ? run->seeds : run->f->others;

        run->n[rule] = n;
        run->results[rule] = calloc(n > 0 ? n : 1, sizeof *run->results[rule]);
        if (run->results[rule] == NULL)
            return false;
        for (unsigned i = 0; i < n; i++) {
            struct world w = { .model = &run->model, .seed = run->first_seed + i };
            uint64_t chance = w.seed;
            bool draw = rule == RULE_EVIDENCE && i == 0;

            /* At any time of a week, a year after the clocks began. */
            w.start_ms = 364 * DAY_MS + (int64_t)(dev_uniform(&chance) * 7 * (double)DAY_MS);
            if (!rollout_run(&w, &PRESET[PRESET_SECURITY], rule, run->f->measure == REACHES,
                             &run->results[rule][i], draw ? trace : NULL))
                return false;
            csv_line(run, rule, w.seed, &run->results[rule][i]);
        }
    }
    return true;
}

/* --- Telling --- */

static double value_of(const struct run *run, const struct result *r)
{
    if (run->f->measure == REACHES)
        return r->reach_days < 0 ? 999 : r->reach_days;
    if (run->model.stratum >= 0)
        return 100 * (double)r->exposed_stratum / (double)r->stratum;
    return 100 * (double)r->exposed / (double)run->model.devices;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static double *sorted(const struct run *run, enum rule rule)
{
    double *v = calloc(run->n[rule] + 1, sizeof *v);

    if (v == NULL)
        return NULL;
    for (unsigned i = 0; i < run->n[rule]; i++)
        v[i] = value_of(run, &run->results[rule][i]);
    qsort(v, run->n[rule], sizeof *v, by_value);
    return v;
}

static double share_good(const struct run *run, enum rule rule)
{
    unsigned n = 0;

    for (unsigned i = 0; i < run->n[rule]; i++)
        n += good(run, &run->results[rule][i]);
    return run->n[rule] == 0 ? 0 : (double)n / run->n[rule];
}

static bool print_rule(const struct run *run, enum rule rule)
{
    unsigned n = run->n[rule], halted = 0, held = 0;
    double *v = sorted(run, rule), days = 0;

    if (v == NULL)
        return false;
    for (unsigned i = 0; i < n; i++) {
        halted += run->results[rule][i].halted;
        held += run->results[rule][i].held;
        days += run->results[rule][i].ended_days / n;
    }
    printf("  %-18s %6u %7.1f%% %6.1f%% %9.3f %9.3f %9.3f %8.1f %8.1f%%\n", RULE_NAME[rule], n,
           100.0 * halted / n, 100.0 * held / n, v[n / 2], v[n * 95 / 100], v[n - 1], days,
           100 * share_good(run, rule));
    free(v);
    return true;
}

static bool print_table(const struct run *run)
{
    const char *unit = run->f->measure == REACHES ? "days to 99 %"
                       : run->model.stratum >= 0  ? "% of stratum"
                                                  : "% exposed";

    printf("%s: %s\n%lld devices, seeds from %llu\n", run->f->name, run->f->what,
           (long long)run->model.devices, (unsigned long long)run->first_seed);
    printf("  %-18s %6s %8s %7s %9s %9s %9s %8s %9s\n", "rule", "seeds", "halted", "held", "median",
           "p95", "most", "days", "as asked");
    printf("  %-18s %6s %8s %7s %29s\n", "", "", "", "", unit);
    for (enum rule rule = 0; rule < RULES; rule++)
        if (run->n[rule] > 0 && !print_rule(run, rule))
            return false;
    return true;
}

static bool draw(const struct run *run, const char *prefix, const struct trace *t)
{
    static const char *const COLOUR[RULES] = { "#1b6ca8", "#c0392b", "#7d6608" };
    char path[512];
    struct plot p = { .title = run->f->what, .x_name = "seeds, %", .mark = -1 };
    double *v[RULES] = { NULL }, wealth[2][FLEET_HOURS];
    bool ok = true;

    p.y_name = run->f->measure == REACHES ? "days to 99 %" : "exposed, %";
    p.x_step = 100.0 / run->seeds;
    for (enum rule rule = 0; rule < RULES; rule++) {
        v[rule] = sorted(run, rule);
        if (v[rule] != NULL && run->n[rule] == run->seeds)
            p.curves[p.curves_n++] =
                (struct curve){ RULE_NAME[rule], COLOUR[rule], v[rule], run->n[rule] };
    }
    snprintf(path, sizeof path, "%s-%s-exposed.svg", prefix, run->f->name);
    ok = plot_write(path, &p);
    for (enum rule rule = 0; rule < RULES; rule++)
        free(v[rule]);
    for (int h = 0; h < t->hours; h++) {
        wealth[0][h] = t->log_halt[h] / log(10);
        wealth[1][h] = t->log_advance[h] / log(10);
    }
    p = (struct plot){ .title = run->f->what,
                       .x_name = "days",
                       .y_name = "log10 of the evidence",
                       .x_step = 1.0 / 24,
                       .mark = 2,
                       .curves_n = 2,
                       .curves = { { "it is harmful", COLOUR[1], wealth[0], (size_t)t->hours },
                                   { "it is harmless", COLOUR[0], wealth[1], (size_t)t->hours } } };
    snprintf(path, sizeof path, "%s-%s-wealth.svg", prefix, run->f->name);
    return plot_write(path, &p) && ok;
}

static int judge(struct run *run, const struct figure_options *o)
{
    static struct trace trace;
    double reached;
    bool ok;

    memset(&trace, 0, sizeof trace);
    ok = run_all(run, &trace) && print_table(run);
    if (ok && o->svg != NULL)
        ok = draw(run, o->svg, &trace);
    reached = share_good(run, RULE_EVIDENCE);
    if (ok)
        printf("  %s: %.1f %% of the seeds, at least %.0f %% are asked\n",
               reached >= run->f->in ? "reached" : "NOT REACHED", 100 * reached, 100 * run->f->in);
    return ok && reached >= run->f->in ? 0 : 1;
}

int figure_run(const char *name, const struct figure_options *o)
{
    const struct figure *f = NULL;
    struct run run = { .first_seed = o->first_seed != 0 ? o->first_seed : 1 };
    int e;

    for (size_t i = 0; i < FIGURES_N; i++)
        if (strcmp(FIGURES[i].name, name) == 0)
            f = &FIGURES[i];
    if (f == NULL)
        return -1;
    run.f = f;
    run.model = f->model;
    run.seeds = o->seeds != 0 ? (unsigned)o->seeds : f->seeds;
    if (o->devices != 0)
        run.model.devices = (int64_t)o->devices;
    if (o->csv != NULL) {
        run.csv = fopen(o->csv, "a");
        if (run.csv == NULL) {
            perror(o->csv);
            return 1;
        }
    }
    e = judge(&run, o);
    for (enum rule rule = 0; rule < RULES; rule++)
        free(run.results[rule]);
    if (run.csv != NULL && fclose(run.csv) != 0) {
        perror(o->csv);
        e = 1;
    }
    return e;
}
