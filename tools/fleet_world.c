#include "fleet.h"

#include "core/sched.h"

const double STRATUM_SHARE[FLEET_STRATA] = { 0.60, 0.29, 0.10, 0.01 };

/* splitmix64 */
uint64_t dev_chance(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double dev_uniform(uint64_t *state)
{
    return (double)(dev_chance(state) >> 11) / 9007199254740992.0;
}

static unsigned stratum_of(double u)
{
    unsigned s = 0;

    while (s + 1 < FLEET_STRATA && u >= STRATUM_SHARE[s])
        u -= STRATUM_SHARE[s++];
    return s;
}

struct dev dev_make(const struct world *w, int64_t number)
{
    const struct model *m = w->model;
    struct dev d = { .chance = w->seed * 0xd1342543de82ef95u + (uint64_t)number };
    double u;

    d.chance = dev_chance(&d.chance);
    d.phase = dev_chance(&d.chance);
    d.stratum = stratum_of(dev_uniform(&d.chance));
    d.weekends = m->weekends > 0 && dev_uniform(&d.chance) < m->weekends;
    d.slow = m->slow > 0 && dev_uniform(&d.chance) < m->slow;
    if (m->skewed > 0 && dev_uniform(&d.chance) < m->skewed)
        d.skew_ms = (int64_t)(dev_uniform(&d.chance) * (double)DAY_MS);
    d.gone_ms = d.back_ms = -1;
    if (m->away + m->long_away == 0)
        return d;
    /* Twice as many leave within three weeks before or after the start as are gone at any time. */
    u = dev_uniform(&d.chance);
    if (u < m->long_away) {
        d.gone_ms = 0;
        d.back_ms = 182 * DAY_MS;
    } else if (u < m->long_away + 2 * m->away) {
        d.gone_ms = w->start_ms + (int64_t)((dev_uniform(&d.chance) * 42 - 21) * (double)DAY_MS);
        d.back_ms = d.gone_ms + 21 * DAY_MS;
    }
    return d;
}

/* When a device that is off at `t` comes on again; `t` when it is on. */
static int64_t on_again(const struct dev *d, int64_t t)
{
    int64_t week = t % (7 * DAY_MS);

    if (t >= d->gone_ms && t < d->back_ms)
        t = d->back_ms;
    week = t % (7 * DAY_MS);
    if (d->weekends && week >= 4 * DAY_MS + 18 * HOUR_MS)
        t += 7 * DAY_MS - week + 6 * HOUR_MS; /* Monday, six in the morning */
    return t;
}

/* The share of check-ins that don't come in the hour of `t`. */
static double background(const struct world *w, int64_t t)
{
    const struct model *m = w->model;
    uint64_t hour = w->seed * 0x9e3779b97f4a7c15u + (uint64_t)(t / HOUR_MS);
    double u;

    if (!m->hourly)
        return m->background;
    u = dev_uniform(&hour);
    return m->background * (0.2 + 4.8 * u * u * u);
}

static int64_t outage_end(const struct world *w, struct dev *d, int64_t t)
{
    int64_t from = w->start_ms + 30 * HOUR_MS;
    int64_t to = from + w->model->outage_hours * HOUR_MS;

    if (t < from || t >= to)
        return t;
    return to + lapel_sched_backoff(20, 5000, 3600000, (uint32_t)dev_chance(&d->chance));
}

int64_t dev_next(const struct world *w, struct dev *d, int64_t t)
{
    for (int i = 0; i < 60; i++) {
        int64_t on;

        t += lapel_sched_next((uint64_t)(t + d->skew_ms), w->model->poll_ms, d->phase, 10,
                              (uint32_t)dev_chance(&d->chance));
        on = on_again(d, t);
        if (on != t) { /* power comes back: the first check of a start */
            t = on + lapel_sched_uniform(300001, (uint32_t)dev_chance(&d->chance));
            if (d->skew_ms != 0)
                d->skew_ms = (int64_t)(dev_uniform(&d->chance) * (double)DAY_MS);
        } else if (dev_uniform(&d->chance) < background(w, t)) {
            continue;
        }
        return outage_end(w, d, t);
    }
    return NEVER;
}

int64_t dev_first(const struct world *w, struct dev *d, int64_t t)
{
    int64_t at = t - 2 * (int64_t)w->model->poll_ms;

    while (at < t)
        at = dev_next(w, d, at);
    return at;
}
