/* Waiting for sockets to become readable, for those that nobody else waits for. Private to http/. */
#ifndef HTTP_WAITER_H
#define HTTP_WAITER_H

#include "base/err.h"

struct waiter;

/*
 * One thread. `ready` is called on it, once for each waiter_add, when the socket has bytes, an end
 * or an error.
 */
enum err waiter_start(void (*ready)(void *ctx), struct waiter **waiter_out);

/* Wait for `fd`, which must stay open until `ready(ctx)` is called. ERR_IO: it won't be. */
enum err waiter_add(struct waiter *w, int fd, void *ctx);

/* Stop. What still waits is forgotten. NULL is fine. */
void waiter_stop(struct waiter *w);

#endif
