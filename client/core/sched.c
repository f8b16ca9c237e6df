#include "sched.h"

uint32_t lapel_sched_uniform(uint32_t below, uint32_t chance)
{
    return (uint32_t)(((uint64_t)chance * below) >> 32);
}

/* FNV-1a over the id, then the finaliser of splitmix64, so that ids that count up spread evenly.
 * Not a secret and no proof of anything: a hash of the crypto library would buy nothing. */
uint64_t lapel_sched_phase(const char *device_id)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (const char *p = device_id; *p != '\0'; p++) {
        h ^= (uint8_t)*p;
        h *= 0x100000001b3u;
    }
    h ^= h >> 30;
    h *= 0xbf58476d1ce4e5b9u;
    h ^= h >> 27;
    h *= 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

uint32_t lapel_sched_next(uint64_t clock_ms, uint32_t period_ms, uint64_t phase, uint32_t share,
                          uint32_t chance)
{
    if (period_ms == 0)
        period_ms = 1;

    /* A check that was drawn early must not be followed by one at the phase it was drawn from:
     * start looking at two shares from here. */
    uint32_t margin = (uint32_t)((uint64_t)period_ms * share / 100);
    uint64_t from = clock_ms + 2 * (uint64_t)margin;
    uint32_t at = (uint32_t)(((phase >> 32) * period_ms) >> 32); /* 0 to period - 1 */
    uint32_t now_at = (uint32_t)(from % period_ms);
    uint32_t until = at > now_at ? at - now_at : period_ms - (now_at - at);
    uint64_t wait = 2 * (uint64_t)margin + until; /* 1 to 2 periods */

    wait = wait - margin + lapel_sched_uniform(2 * margin + 1, chance);
    return wait > UINT32_MAX ? UINT32_MAX : (uint32_t)wait;
}

uint32_t lapel_sched_poll(uint32_t poll_ms, uint32_t share, uint32_t chance)
{
    uint32_t margin = (uint32_t)((uint64_t)poll_ms * share / 100);

    return poll_ms + lapel_sched_uniform(margin + 1, chance);
}

uint32_t lapel_sched_clamp_poll(uint64_t poll_s)
{
    if (poll_s < SCHED_POLL_MIN_MS / 1000)
        return SCHED_POLL_MIN_MS;
    if (poll_s > SCHED_POLL_MAX_MS / 1000)
        return SCHED_POLL_MAX_MS;
    return (uint32_t)poll_s * 1000;
}

uint32_t lapel_sched_retry_after(uint64_t after_s, uint32_t chance)
{
    uint32_t v = SCHED_RETRY_AFTER_MAX_MS;

    if (after_s < SCHED_RETRY_AFTER_MAX_MS / 1000)
        v = after_s == 0 ? 1000 : (uint32_t)after_s * 1000;
    return v + lapel_sched_uniform(v + 1, chance);
}

uint32_t lapel_sched_backoff(uint32_t fails, uint32_t min_ms, uint32_t max_ms, uint32_t chance)
{
    uint32_t ceiling = min_ms;

    for (uint32_t i = 0; i < fails && ceiling < max_ms; i++)
        ceiling = ceiling > UINT32_MAX / 2 ? UINT32_MAX : ceiling * 2;
    if (ceiling > max_ms)
        ceiling = max_ms;
    uint32_t wait = lapel_sched_uniform(ceiling, chance);
    return wait == 0 ? 1 : wait;
}
