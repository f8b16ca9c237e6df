/* The registry of open connections. */
#include "http/conn.h"

#include <sys/socket.h>

void registry_init(struct registry *r)
{
    *r = (struct registry){ 0 };
    pthread_mutex_init(&r->lock, NULL);
}

void registry_fini(struct registry *r)
{
    pthread_mutex_destroy(&r->lock);
}

void registry_add(struct registry *r, struct conn *c)
{
    pthread_mutex_lock(&r->lock);
    c->prev = NULL;
    c->next = r->first;
    if (r->first != NULL)
        r->first->prev = c;
    r->first = c;
    pthread_mutex_unlock(&r->lock);
}

void registry_remove(struct registry *r, struct conn *c)
{
    pthread_mutex_lock(&r->lock);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        r->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&r->lock);
}

bool registry_tag(struct registry *r, struct conn *c, int64_t tag, uint64_t kills_at_begin)
{
    bool alive = true;

    pthread_mutex_lock(&r->lock);
    uint64_t kills = atomic_load(&r->kills);
    if (kills - kills_at_begin > KILL_LOG) {
        alive = false; /* too many to remember: the client asks again */
    } else {
        for (uint64_t i = kills_at_begin; i < kills; i++)
            alive = alive && r->killed[i % KILL_LOG] != tag && r->killed[i % KILL_LOG] >= 0;
    }
    if (alive)
        c->tag = tag;
    pthread_mutex_unlock(&r->lock);
    return alive;
}

void registry_untag(struct registry *r, struct conn *c)
{
    pthread_mutex_lock(&r->lock);
    c->tag = 0;
    pthread_mutex_unlock(&r->lock);
}

unsigned registry_kill(struct registry *r, int64_t tag)
{
    unsigned n = 0;
    /* So that the close that follows throws away what the kernel still holds, too. */
    static const struct linger AT_ONCE = { .l_onoff = 1, .l_linger = 0 };

    pthread_mutex_lock(&r->lock);
    uint64_t kills = atomic_load(&r->kills);
    r->killed[kills % KILL_LOG] = tag;
    atomic_store(&r->kills, kills + 1);
    for (struct conn *c = r->first; c != NULL; c = c->next) {
        if (c->tag != tag && (tag >= 0 || c->tag == 0)) /* below 0: all that have one */
            continue;
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &AT_ONCE, sizeof AT_ONCE);
        shutdown(c->fd, SHUT_RDWR);
        n++;
    }
    pthread_mutex_unlock(&r->lock);
    return n;
}

unsigned registry_expire(struct registry *r, int64_t now_ms)
{
    unsigned n = 0;

    pthread_mutex_lock(&r->lock);
    for (struct conn *c = r->first; c != NULL; c = c->next) {
        int64_t deadline_ms = atomic_load_explicit(&c->deadline_ms, memory_order_relaxed);

        if (deadline_ms == 0 || now_ms < deadline_ms)
            continue;
        /* Not twice: the worker ends it now. Lost when a new deadline is set this very moment. */
        atomic_compare_exchange_strong(&c->deadline_ms, &deadline_ms, 0);
        shutdown(c->fd, SHUT_RDWR);
        n++;
    }
    pthread_mutex_unlock(&r->lock);
    return n;
}

void registry_each(struct registry *r, void (*each)(struct conn *c, void *ctx), void *ctx)
{
    pthread_mutex_lock(&r->lock);
    for (struct conn *c = r->first; c != NULL; c = c->next)
        each(c, ctx);
    pthread_mutex_unlock(&r->lock);
}
