/* Clock and chance of the system. */
#ifndef AGENT_SYS_H
#define AGENT_SYS_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since the machine started, sleep included where the system counts it. */
uint64_t sys_now_ms(void);

/* The kernel's generator; waits until it is seeded. 1 or -1. */
int sys_random(uint8_t *buf, size_t n);

/* The day on which this program was built, seconds since 1970 UTC: a time that has passed. */
int64_t sys_built_s(void);

/* Seconds since 1970 UTC, 0 while the clock was not set: it stands before the day of the build. */
int64_t sys_epoch_s(void);

#endif
