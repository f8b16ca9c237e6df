/*
 * A name's addresses without waiting for them: the system's resolver blocks for many seconds, so
 * it runs in a thread of its own. A literal address needs none.
 */
#ifndef AGENT_RESOLVE_H
#define AGENT_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

struct resolve;

/* NULL when there is no memory or no thread. */
struct resolve *resolve_begin(const char *host, uint16_t port);

/* 1 done, addresses in *list_out (freeaddrinfo is the caller's); 0 not yet; -1 no such name. */
int resolve_poll(struct resolve *r, struct addrinfo **list_out);

/* Readable once resolve_poll has an answer. */
int resolve_fd(const struct resolve *r);

/* The thread may still run; it cleans up after itself. */
void resolve_end(struct resolve *r);

#endif
