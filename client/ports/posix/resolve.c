#include "resolve.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct resolve {
    char host[256];
    char port[8];
    struct addrinfo *list; /* the thread's until `done`, then the owner's */
    int rc;
    atomic_bool done;
    atomic_int holders; /* owner and thread: the last one frees */
    int wake[2];
};

static void release(struct resolve *r)
{
    if (atomic_fetch_sub(&r->holders, 1) > 1)
        return;
    if (r->list != NULL)
        freeaddrinfo(r->list);
    if (r->wake[0] >= 0)
        close(r->wake[0]);
    if (r->wake[1] >= 0)
        close(r->wake[1]);
    free(r);
}

static void look_up(struct resolve *r, int flags)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV };
    /* Always loopback, and no question to the network (RFC 6761, 6.3): /etc/hosts may be missing. */
    const char *host = strcasecmp(r->host, "localhost") == 0 ? NULL : r->host;

    r->rc = getaddrinfo(host, r->port, &hints, &r->list);
}

static void *thread_main(void *arg)
{
    struct resolve *r = arg;

    look_up(r, AI_ADDRCONFIG);
    atomic_store(&r->done, true);
    (void)!write(r->wake[1], "", 1);
    release(r);
    return NULL;
}

static int thread_begin(struct resolve *r)
{
    pthread_t id;
    pthread_attr_t attr;
    sigset_t all, old;
    int rc = 0;

    /* Signals are for the main loop. */
    sigfillset(&all);
    if (pthread_attr_init(&attr) != 0)
        return -1;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&id, &attr, thread_main, r);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc == 0 ? 0 : -1;
}

struct resolve *resolve_begin(const char *host, uint16_t port)
{
    struct resolve *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->wake[0] = r->wake[1] = -1;
    atomic_init(&r->holders, 1);
    if (snprintf(r->host, sizeof r->host, "%s", host) >= (int)sizeof r->host)
        goto fail;
    (void)snprintf(r->port, sizeof r->port, "%u", (unsigned)port);
    look_up(r, AI_NUMERICHOST);
    if (r->rc == 0) {
        atomic_store(&r->done, true);
        return r;
    }
    if (pipe2(r->wake, O_CLOEXEC | O_NONBLOCK) < 0)
        goto fail;
    atomic_store(&r->holders, 2);
    if (thread_begin(r) == 0)
        return r;
    atomic_store(&r->holders, 1);
fail:
    release(r);
    return NULL;
}

int resolve_poll(struct resolve *r, struct addrinfo **list_out)
{
    if (!atomic_load(&r->done))
        return 0;
    if (r->rc != 0 || r->list == NULL)
        return -1;
    *list_out = r->list;
    r->list = NULL;
    return 1;
}

int resolve_fd(const struct resolve *r)
{
    return r->wake[0];
}

void resolve_end(struct resolve *r)
{
    if (r != NULL)
        release(r);
}
