#include "decide/shed.h"

/* Without a rate, what was served lately is one. */
static uint32_t rate_of(const struct shed *s)
{
    return s->rate != 0 ? s->rate : s->last != 0 ? s->last : 1;
}

/* A second ends: what came unexpected in it, and is there more than can be served? */
static void end_second(struct shed *s)
{
    s->fresh = (int64_t)s->asked - s->back;
    s->served_since += s->served;
    if (s->asked <= rate_of(s)) {
        s->since = s->second + 1;
        s->served_since = 0;
    }
    s->second++;
    s->last = s->served;
    s->asked = s->served = 0;
    s->back = s->due[s->second % SHED_SECONDS];
    s->due[s->second % SHED_SECONDS] = 0;
    s->backlog -= s->back;
}

static void go_on(struct shed *s, int64_t now_s)
{
    for (int i = 0; i < SHED_SECONDS && s->second < now_s; i++)
        end_second(s);
    if (now_s > s->second) { /* a day later: everybody came back, or never will */
        s->second = s->since = now_s;
        s->served_since = 0;
    }
}

/* Those who wait, and those who are still to come when this is a storm. */
static int64_t backlog(const struct shed *s)
{
    int64_t left = s->since + SHED_FIRST_S - s->second;
    int64_t all = s->fleet - s->served_since;
    int64_t coming = s->backlog + 2 * left * s->fresh;

    if (left <= 0 || s->fresh <= rate_of(s) || all < s->backlog)
        return s->backlog;
    return coming < all ? coming : all;
}

/* How often a coin shows heads first: k with probability 2^-(k+1). */
static unsigned coins(uint64_t chance)
{
    unsigned k = 0;

    while (k < 31 && (chance >> k & 1) == 0)
        k++;
    return k;
}

uint32_t shed_away(struct shed *s, int64_t now_s, uint64_t chance)
{
    int64_t t;

    go_on(s, now_s);
    t = backlog(s) / (2 * (int64_t)rate_of(s));
    t = t < SHED_LEAST_S ? SHED_LEAST_S : t > SHED_MOST_S ? SHED_MOST_S : t;
    t >>= coins(chance & UINT32_MAX);
    t = t < 1 ? 1 : t;
    /* When it really comes is its own draw; one like it is as good for the sum. */
    s->due[(s->second + t + (int64_t)((chance >> 32) * (uint64_t)t >> 32)) % SHED_SECONDS]++;
    s->backlog++;
    return (uint32_t)t;
}

uint32_t shed_decide(struct shed *s, int64_t now_s, uint64_t chance)
{
    go_on(s, now_s);
    s->asked++;
    if (s->rate != 0 && s->served >= s->rate)
        return shed_away(s, now_s, chance);
    s->served++;
    return 0;
}
