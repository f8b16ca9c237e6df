/*
 * When to check: pure functions of values, a time and chance that are passed in.
 * Provisions 5.3-5 and 5.9-3: after start, then periodically, at randomised times.
 */
#ifndef LAPEL_SCHED_H
#define LAPEL_SCHED_H

#include <stdint.h>

/* The borders of what a server may ask for, ms (SPEC.md). */
#define SCHED_POLL_MIN_MS 30000u
#define SCHED_POLL_MAX_MS 604800000u
#define SCHED_RETRY_AFTER_MAX_MS 3600000u

/* A poll from this length on is aligned to the device's phase. */
#define SCHED_ALIGN_MS 3600000u

/* U(0, below): 0 to below - 1, and 0 for below 0. `chance` is 32 random bits. */
uint32_t lapel_sched_uniform(uint32_t below, uint32_t chance);

/* The device's place in every period, in 2^-64 of it; the same for the same id, even over ids. */
uint64_t lapel_sched_phase(const char *device_id);

/*
 * Milliseconds from `clock_ms` until the next check at the device's phase, each time drawn anew
 * by `share` per cent of the period before or after it.
 *
 *   clock_ms  any clock, the same at every call: time of day when known, else time since start
 */
uint32_t lapel_sched_next(uint64_t clock_ms, uint32_t period_ms, uint64_t phase, uint32_t share,
                          uint32_t chance);

/* The server's own word, spread by `share` per cent upwards, never downwards. */
uint32_t lapel_sched_poll(uint32_t poll_ms, uint32_t share, uint32_t chance);

/* What a server asks for, brought within the borders. */
uint32_t lapel_sched_clamp_poll(uint64_t poll_s);

/* v + U(0, v) with v at most an hour; a v of 0 counts as one second. */
uint32_t lapel_sched_retry_after(uint64_t after_s, uint32_t chance);

/* Full jitter: U(0, min(max, min * 2^fails)), at least 1 ms. */
uint32_t lapel_sched_backoff(uint32_t fails, uint32_t min_ms, uint32_t max_ms, uint32_t chance);

#endif
