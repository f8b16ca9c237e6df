/* Why a device does or doesn't get a release: the decision, told for each release. Pure. */
#ifndef DECIDE_EXPLAIN_H
#define DECIDE_EXPLAIN_H

#include "decide/rollout.h"

enum explain_word {
    EXPLAIN_OFFERED,
    EXPLAIN_RUNS,      /* it runs this one */
    EXPLAIN_OLDER,     /* not above what it runs */
    EXPLAIN_CLASH,     /* it runs this number with another digest */
    EXPLAIN_STOP,      /* it is told to give this one up */
    EXPLAIN_STOPPED,   /* halted or withdrawn */
    EXPLAIN_NOT_IN,    /* its wave is not open */
    EXPLAIN_HELD,      /* would be offered, but for a pause */
    EXPLAIN_ON_HOLD,   /* would be offered, but for a hold by attribute */
    EXPLAIN_BUSY,      /* another component gets its offer first */
    EXPLAIN_GIVING_UP, /* first it has to give up another one */
    EXPLAIN_LOWER      /* a higher number comes before this one */
};

/* Of release `i`, with the arguments of rollout_decide, which is called. */
enum explain_word explain_decide(const struct rollout_device *device,
                                 const struct rollout_release *release, size_t n, bool busy,
                                 size_t i);

#endif
