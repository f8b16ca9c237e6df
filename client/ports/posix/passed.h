/*
 * A time that has passed for certain, for a machine without a clock: the newest statement's that was
 * kept, in the file `passed` of state_dir. Who can write there can set the clock as well.
 */
#ifndef AGENT_PASSED_H
#define AGENT_PASSED_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970; 0: none is kept, or it can't be read. */
int64_t passed_read(int state_fd);

/* Durable when it answers true; false with errno. */
bool passed_write(int state_fd, int64_t at_s);

#endif
