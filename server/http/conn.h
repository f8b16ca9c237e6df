/*
 * What http/ knows of one connection, and the registry of all of them. Private to http/.
 *
 * A connection serves one request at a time, so its request is a part of it and nothing is
 * allocated for a request but its body and its reply.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "http/http.h"

#include <pthread.h>
#include <stdatomic.h>

struct MHD_Connection;
struct MHD_Response;
struct listener;

/*
 * Who may answer a request that is pending:
 *
 *   from        to          by
 *   RUNNING     SUSPENDED   the worker, after end() said HTTP_PENDING
 *   RUNNING     FINISHED    http_finish, before the worker got that far
 *   SUSPENDED   FINISHED    http_finish, which then resumes the connection
 */
enum conn_state { CONN_IDLE, CONN_RUNNING, CONN_SUSPENDED, CONN_FINISHED };

struct conn {
    struct http_request req; /* first, so that a request leads to its connection */

    /* The connection */
    struct listener *listener;
    struct MHD_Connection *mhd;
    int fd;
    int linger_fd;       /* a copy, see struct lingering; -1 for none */
    bool secured;        /* tls_ready was called */
    atomic_bool waiting; /* suspended in its handshake, the waiter will resume it */
    bool peer_trusted;
    struct http_address peer;
    const char *raw_path; /* where the path of this request stands, see unescape() */

    /* Under the lock of the registry */
    struct conn *next, *prev;
    int64_t tag; /* of the reply being sent */

    _Atomic int64_t deadline_ms; /* 0: none. On the clock of clock_mono_ms */

    /* The request */
    atomic_int state;
    atomic_bool busy; /* between the headers and the end of the reply */
    bool begun;       /* the dispatcher was asked, so done() is owed */
    bool taking;      /* a body is expected: sink.abort is owed */
    uint8_t *body;
    struct http_accept accept;
    struct MHD_Response *response; /* ready to be queued */
    int status;
    int64_t reply_tag;
    int64_t reply_size;
    uint64_t kills; /* the registry's count when the request began */
};

enum { KILL_LOG = 256 };

/*
 * All open connections, for what comes from outside of a request: deadlines and halts.
 *
 *   (1) A connection leaves the registry before its descriptor is closed, and descriptors are shut
 *       down under the lock only, so no other connection's descriptor is ever hit.
 *   (2) A reply with a tag is registered before its first byte, under the lock. So a kill either
 *       finds it, or is found by it in the log of kills.
 */
struct registry {
    pthread_mutex_t lock;
    struct conn *first;
    _Atomic uint64_t kills;
    int64_t killed[KILL_LOG];
};

void registry_init(struct registry *r);
void registry_fini(struct registry *r);
void registry_add(struct registry *r, struct conn *c);
void registry_remove(struct registry *r, struct conn *c);

/* Register the reply's tag. False when the tag was killed since the request began: send nothing. */
bool registry_tag(struct registry *r, struct conn *c, int64_t tag, uint64_t kills_at_begin);
void registry_untag(struct registry *r, struct conn *c);

/* Shut down every connection with this tag. Returns how many. */
unsigned registry_kill(struct registry *r, int64_t tag);

/* Shut down what is past its deadline. Returns how many. */
unsigned registry_expire(struct registry *r, int64_t now_ms);

/* Call `each` for every connection, under the lock. */
void registry_each(struct registry *r, void (*each)(struct conn *c, void *ctx), void *ctx);

#endif
