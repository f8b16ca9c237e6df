#include "decide/explain.h"

#include <string.h>

enum explain_word explain_decide(const struct rollout_device *d,
                                 const struct rollout_release *release, size_t n, bool busy,
                                 size_t i)
{
    struct rollout_verdict v = rollout_decide(d, release, n, busy);
    const struct rollout_release *r = &release[i];
    bool chosen = v.kind != ROLLOUT_NOTHING && v.release == i;
    bool in_flight = r->work == WORK_OFFERED || r->work == WORK_FETCHING;

    if (r->sequence < d->sequence)
        return EXPLAIN_OLDER;
    if (r->sequence == d->sequence)
        return d->digest != NULL && memcmp(r->digest, d->digest, 32) != 0 ? EXPLAIN_CLASH
                                                                          : EXPLAIN_RUNS;
    if (v.kind == ROLLOUT_WITHDRAW && chosen)
        return EXPLAIN_STOP;
    if (r->state == RELEASE_HALTED || r->state == RELEASE_WITHDRAWN)
        return EXPLAIN_STOPPED;
    if (!r->in && !in_flight)
        return EXPLAIN_NOT_IN;
    if (r->state == RELEASE_HELD && !in_flight)
        return EXPLAIN_HELD;
    if (r->on_hold && !in_flight)
        return EXPLAIN_ON_HOLD;
    if (chosen)
        return v.kind == ROLLOUT_OFFER ? EXPLAIN_OFFERED : EXPLAIN_BUSY;
    return v.kind == ROLLOUT_WITHDRAW ? EXPLAIN_GIVING_UP : EXPLAIN_LOWER;
}
