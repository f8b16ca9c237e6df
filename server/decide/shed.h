/*
 * Whom to send away when more devices ask than are to be served, and for how long. Pure: the
 * state is the caller's, time and chance are passed in.
 *
 *   (1) shed_decide serves in no second more than `rate`.
 *   (2) Who is sent away is told v seconds and comes back v to 2 v seconds later; v is drawn
 *       from octaves of the time that the backlog takes, T / 2^k with probability 2^-(k+1), so
 *       that some of them come whenever there is room and few of them in vain.
 *   (3) The backlog is what was sent away and is not due back yet; and while devices spread
 *       their first checks (SHED_FIRST_S), what is to come when twice as many ask as in the second
 *       before, for a storm rises: at most the fleet, less those that were served.
 *       Nobody is remembered.
 */
#ifndef DECIDE_SHED_H
#define DECIDE_SHED_H

#include <stdint.h>

/* A power of two, longer than twice the longest Retry-After of an hour. */
enum { SHED_SECONDS = 8192, SHED_LEAST_S = 10, SHED_MOST_S = 3600, SHED_FIRST_S = 300 };

/* Zero but for `rate` and `fleet` at the start. */
struct shed {
    uint32_t rate;                /* requests a second; 0: everybody is served */
    int64_t fleet;                /* devices that may ask */
    int64_t second, since;        /* the present one; the one in which the overload began */
    uint32_t asked, served, back; /* in this second; of those asked, expected back */
    uint32_t last;                /* served in the second before */
    int64_t fresh;                /* asked in the second before, beyond those expected back */
    int64_t backlog, served_since;
    uint32_t due[SHED_SECONDS]; /* by the second in which they are expected back */
};

/*
 * One asks: 0 when it is served, else the seconds for its Retry-After.
 *
 *   now_s   never falls; a clock that went back counts as one that stands
 *   chance  64 random bits
 */
uint32_t shed_decide(struct shed *shed, int64_t now_s, uint64_t chance);

/*
 * One that was let in can't be served after all: the seconds for its Retry-After. Without a rate,
 * what was served in the second before counts as one.
 */
uint32_t shed_away(struct shed *shed, int64_t now_s, uint64_t chance);

#endif
