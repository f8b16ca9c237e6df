/*
 * lapel-fleet: fleets in simulated time. Devices follow liblapel's scheduler, rollouts follow
 * server/decide; nothing else is decided here.
 *
 *   (1) The same seed gives the same numbers.
 *   (2) A device is a few words that are drawn again from its number when they are needed, so a
 *       million of them take no memory; only what happens to it in a rollout is computed.
 *   (3) Devices are numbered by their place in the rollout: a wave is a range of numbers.
 */
#ifndef TOOLS_FLEET_H
#define TOOLS_FLEET_H

#include "decide/evidence.h"
#include "decide/preset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { FLEET_STRATA = 4, FLEET_HOURS = 24 * 42 };

static const int64_t HOUR_MS = INT64_C(3600000), DAY_MS = INT64_C(86400000);
static const int64_t NEVER = INT64_MAX;

/* --- The world --- */

/* What the fleet is like, and what the release does to it. Shares are of devices. */
struct model {
    int64_t devices;
    uint32_t poll_ms;
    double background; /* of expected check-ins that don't come, though nothing is wrong */
    bool hourly;       /* it changes by the hour, between a fifth and five times of that */
    double weekends;   /* off from Friday evening to Monday morning */
    double away;       /* gone for three weeks at any time */
    double long_away;  /* back after six months */
    double slow;       /* need up to three days to fetch */
    double skewed;    /* have a clock that is wrong by up to a day, another time after each start */
    int outage_hours; /* the server can't be reached, from 30 hours after the start */
    double brick;     /* of those that install are never heard of again */
    double fail;      /* report a failure */
    double revert;    /* go back to the old image */
    int stratum;      /* only of this one; -1: of all */
};

struct world {
    const struct model *model;
    uint64_t seed;
    int64_t start_ms; /* of the rollout, after a Monday 00:00 */
};

struct dev {
    uint64_t chance; /* its generator */
    uint64_t phase;
    unsigned stratum;
    bool weekends, slow;
    int64_t skew_ms;
    int64_t gone_ms, back_ms; /* switched off for long */
};

/* Shares of the strata, which add up to 1. */
extern const double STRATUM_SHARE[FLEET_STRATA];

struct dev dev_make(const struct world *w, int64_t number);
uint64_t dev_chance(uint64_t *state);
double dev_uniform(uint64_t *state);

/* Its next check-in that arrives, after `t`; NEVER when none comes within two months. */
int64_t dev_next(const struct world *w, struct dev *d, int64_t t);
/* Its first check-in from `t` on, for a device that has lived before. */
int64_t dev_first(const struct world *w, struct dev *d, int64_t t);

/* --- One rollout --- */

enum rule { RULE_EVIDENCE, RULE_PERCENT, RULE_WILSON, RULES };
extern const char *const RULE_NAME[RULES];

struct result {
    bool halted, held, complete;
    int64_t exposed;         /* devices that started */
    int64_t exposed_stratum; /* of model.stratum, or of the last */
    int64_t stratum;         /* devices it has, about */
    int suspect;             /* the stratum that is named first; -1: none */
    double ended_days;       /* halted, held or complete */
    double reach_days;       /* 99 % of the devices seen are confirmed; < 0: never */
    double reached;          /* share confirmed of those seen, at 14 days */
};

/* What happened hour by hour, for a curve. */
struct trace {
    int hours;
    double started[FLEET_HOURS]; /* share of the fleet */
    double log_halt[FLEET_HOURS], log_advance[FLEET_HOURS];
    double bad[FLEET_HOURS], control_bad[FLEET_HOURS]; /* shares of the judged */
};

/*
 *   reach  follow every device, so that reach_days and reached are known
 *   trace  NULL when nobody wants to draw it
 *
 * false: no memory.
 */
bool rollout_run(const struct world *w, const struct preset *preset, enum rule rule, bool reach,
                 struct result *result_out, struct trace *trace);

/* --- A million devices whose power comes back --- */

struct storm {
    int64_t devices;
    uint32_t rate; /* requests a second that the server serves */
    uint64_t seed;
    bool octaves; /* Retry-After by octaves of the backlog; else one value for all */
};

enum { STORM_SECONDS = 7200 };

struct storm_result {
    double requests; /* each, mean */
    int served_s;    /* when the last was served */
    int32_t peak;    /* served in the busiest second */
    int64_t left;    /* not served within STORM_SECONDS */
    int32_t asked[STORM_SECONDS], served[STORM_SECONDS];
};

void storm_run(const struct storm *storm, struct storm_result *result_out);

/* --- Figures --- */

struct figure_options {
    uint64_t seeds, devices, first_seed; /* 0: as the figure says */
    const char *csv, *svg;               /* NULL: none */
};

void figures_list(FILE *to);
/* Print the table of one; -1 no such, 0 reached, 1 not. */
int figure_run(const char *name, const struct figure_options *options);
/* Both rates, both ways: 0 reached, 1 not. */
int storms_run(const struct figure_options *options);
size_t figures_count(void);
const char *figure_name(size_t i);

/* --- Drawing --- */

struct curve {
    const char *name, *colour;
    const double *y;
    size_t n;
};

struct plot {
    const char *title, *x_name, *y_name;
    double x_step; /* between two values, in the unit of x */
    double mark;   /* a dashed line at this y; < 0: none */
    struct curve curves[4];
    size_t curves_n;
};

/* false: the file can't be written; said on standard error. */
bool plot_write(const char *path, const struct plot *plot);

#endif
