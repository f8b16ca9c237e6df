/*
 * lapel-fleet: what a rollout, or a power cut, does to a fleet, in simulated time.
 */
#include "fleet.h"

#include "cli.h"

#include <string.h>

static int run_figure(int argc, char **argv);
static int run_storm(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "figure", "NAME...", "simulate rollouts and compare the rules; `all` for every one", run_figure },
  { "storm",  "",        "a fleet's power comes back within a minute",                  run_storm },
};
/* clang-format on */

static int run_figure(int argc, char **argv)
{
    struct figure_options o = { 0 };
    const char *names[32];
    size_t n = 0;
    struct opt opts[] = {
        { "seeds", OPT_UINT, &o.seeds, "N", "so many rollouts", false },
        { "first-seed", OPT_UINT, &o.first_seed, "N", "of the first, 1 by default", false },
        { "devices", OPT_UINT, &o.devices, "N", "so large a fleet", false },
        { "csv", OPT_TEXT, &o.csv, "FILE", "append a line for each rollout", false },
        { "svg", OPT_TEXT, &o.svg, "PREFIX", "write PREFIX-NAME-exposed.svg and -wealth.svg",
          false },
        { NULL, OPT_FLAG, NULL, NULL, NULL, false }
    };
    int worst = CLI_OK, e = opts_parse(&VERBS[0], argc, argv, opts, names, 1, 32, &n);

    if (e != CLI_OK)
        return e == OPTS_HELP ? CLI_OK : e;
    if (o.seeds > 100000 || o.devices > 100000000)
        return cli_usage("at most 100000 seeds and 100000000 devices");
    if (n == 1 && strcmp(names[0], "all") == 0)
        for (n = 0; n < figures_count(); n++)
            names[n] = figure_name(n);
    for (size_t i = 0; i < n; i++) {
        e = figure_run(names[i], &o);
        fflush(stdout);
        if (e < 0) {
            cli_usage("no figure '%s'; there are:", names[i]);
            figures_list(stderr);
            return CLI_USAGE;
        }
        worst = e > worst ? e : worst;
    }
    return worst;
}

static int run_storm(int argc, char **argv)
{
    struct figure_options o = { 0 };
    struct opt opts[] = { { "devices", OPT_UINT, &o.devices, "N", "so large a fleet", false },
                          { "first-seed", OPT_UINT, &o.first_seed, "N", "1 by default", false },
                          { "svg", OPT_TEXT, &o.svg, "PREFIX", "write PREFIX-storm-RATE.svg",
                            false },
                          { NULL, OPT_FLAG, NULL, NULL, NULL, false } };
    int e = opts_parse(&VERBS[1], argc, argv, opts, NULL, 0, 0, NULL);

    if (e != CLI_OK)
        return e == OPTS_HELP ? CLI_OK : e;
    if (o.devices > 100000000)
        return cli_usage("at most 100000000 devices");
    return storms_run(&o);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("lapel-fleet %s\n", LAPEL_VERSION);
        return CLI_OK;
    }
    return verbs_run("fleet", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
