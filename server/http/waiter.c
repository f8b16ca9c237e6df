/* Waiting for sockets, on one thread. */
#include "http/waiter.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH = 64 };

struct waiter {
    void (*ready)(void *ctx);
    int epoll;
    int stop; /* an eventfd, known to the epoll by ctx NULL */
    pthread_t thread;
};

static void *run(void *arg)
{
    struct waiter *w = arg;

    for (;;) {
        struct epoll_event events[BATCH];
        int n = epoll_wait(w->epoll, events, BATCH, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                return NULL;
            w->ready(events[i].data.ptr);
        }
    }
}

enum err waiter_add(struct waiter *w, int fd, void *ctx)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = ctx };

    /* One that fired is still in the set, disabled, when the same socket waits again. */
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0 &&
        (errno != EEXIST || epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &e) < 0))
        return FAIL(ERR_IO, "epoll: %s", strerror(errno));
    return ERR_OK;
}

static void close_all(struct waiter *w)
{
    if (w->epoll >= 0)
        close(w->epoll);
    if (w->stop >= 0)
        close(w->stop);
    free(w);
}

enum err waiter_start(void (*ready)(void *ctx), struct waiter **waiter_out)
{
    struct epoll_event e = { .events = EPOLLIN };
    struct waiter *w = calloc(1, sizeof *w);

    if (w == NULL)
        return FAIL(ERR_MEMORY, "a waiter");
    w->ready = ready;
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->epoll < 0 || w->stop < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->stop, &e) < 0 ||
        pthread_create(&w->thread, NULL, run, w) != 0) {
        enum err err = FAIL(ERR_IO, "a waiter: %s", strerror(errno));

        close_all(w);
        return err;
    }
    *waiter_out = w;
    return ERR_OK;
}

void waiter_stop(struct waiter *w)
{
    static const uint64_t ONE = 1;

    if (w == NULL)
        return;
    if (write(w->stop, &ONE, sizeof ONE) != (ssize_t)sizeof ONE)
        abort(); /* an eventfd takes a one */
    pthread_join(w->thread, NULL);
    close_all(w);
}
