/* Time: wall clock in milliseconds since 1970 UTC, and a clock that never goes back. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { CLOCK_TEXT = 32 };

/* Milliseconds since 1970 UTC. May jump. */
int64_t clock_now_ms(void);

/* Milliseconds since some point in the past; never goes back, good to about 4 ms. */
int64_t clock_mono_ms(void);

/* Write a wall clock time as 2026-11-24T15:58:28.123Z. Years outside 0 to 9999 become "-". */
void clock_text(int64_t ms, char text_out[CLOCK_TEXT]);

#endif
