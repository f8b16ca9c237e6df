/* 64 hash tables with linear probing, each under a lock of its own. */

#include "engine/known.h"

#include "base/bytes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 64, PREFIX = 16 };

struct entry {
    uint8_t prefix[PREFIX]; /* of the token's digest: 128 bits of a hash nobody can choose */
    int32_t device;         /* 0: empty */
    int32_t product;
    uint64_t body;
    uint32_t snapshot;
    uint32_t seen_s;
    uint8_t slot;
    bool is_new; /* seen_s is not in the database yet */
};

struct shard {
    pthread_mutex_t lock;
    struct entry *table;
    size_t room, used; /* room is a power of two, or 0 */
};

struct known {
    atomic_uint generation;
    size_t limit; /* of a shard */
    struct shard shards[SHARDS];
};

struct known *known_new(size_t limit)
{
    struct known *k = calloc(1, sizeof *k);

    if (k == NULL)
        return NULL;
    k->limit = (limit == 0 ? 2000000 : limit) / SHARDS + 1;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&k->shards[i].lock, NULL);
    return k;
}

void known_free(struct known *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&k->shards[i].lock);
        free(k->shards[i].table);
    }
    free(k);
}

static struct shard *shard_of(struct known *k, const uint8_t digest[32])
{
    return &k->shards[digest[31] % SHARDS];
}

static size_t home_of(const struct shard *s, const uint8_t *prefix)
{
    uint32_t h;

    memcpy(&h, prefix, sizeof h);
    return h & (s->room - 1);
}

/* The entry of this digest, or the empty one where it would stand. NULL: no table. */
static struct entry *find(struct shard *s, const uint8_t digest[32])
{
    if (s->room == 0)
        return NULL;
    for (size_t i = home_of(s, digest);; i = (i + 1) & (s->room - 1)) {
        struct entry *e = &s->table[i];

        if (e->device == 0 || bytes_equal_secret(e->prefix, digest, PREFIX))
            return e;
    }
}

bool known_find(struct known *k, const uint8_t digest[32], struct known_device *device_out)
{
    struct shard *s = shard_of(k, digest);
    struct entry *e;
    bool found;

    pthread_mutex_lock(&s->lock);
    e = find(s, digest);
    found = e != NULL && e->device != 0;
    if (found)
        *device_out = (struct known_device){ .device = e->device,
                                             .product = e->product,
                                             .slot = e->slot,
                                             .body = e->body,
                                             .snapshot = e->snapshot };
    pthread_mutex_unlock(&s->lock);
    return found;
}

uint32_t known_generation(struct known *k)
{
    return atomic_load(&k->generation);
}

/* Three quarters full at most. Without memory the cache stays as it is. */
static bool make_room(struct known *k, struct shard *s)
{
    struct entry *old = s->table;
    size_t old_room = s->room;

    if (s->used >= k->limit) { /* start again: a cache may forget */
        memset(s->table, 0, s->room * sizeof *s->table);
        s->used = 0;
    }
    if (s->room != 0 && s->used + 1 <= s->room / 4 * 3)
        return true;
    s->room = old_room == 0 ? 64 : old_room * 2;
    s->table = calloc(s->room, sizeof *s->table);
    if (s->table == NULL) {
        s->table = old;
        s->room = old_room;
        return false;
    }
    for (size_t i = 0; i < old_room; i++)
        if (old[i].device != 0) {
            size_t at = home_of(s, old[i].prefix);

            while (s->table[at].device != 0)
                at = (at + 1) & (s->room - 1);
            s->table[at] = old[i];
        }
    free(old);
    return true;
}

void known_put(struct known *k, uint32_t generation, const uint8_t digest[32],
               const struct known_device *device)
{
    struct shard *s = shard_of(k, digest);
    struct entry *e;

    pthread_mutex_lock(&s->lock);
    if (atomic_load(&k->generation) == generation && make_room(k, s)) {
        e = find(s, digest);
        if (e->device == 0)
            s->used++;
        memset(e, 0, sizeof *e);
        memcpy(e->prefix, digest, PREFIX);
        e->device = device->device;
        e->product = device->product;
        e->slot = (uint8_t)device->slot;
    }
    pthread_mutex_unlock(&s->lock);
}

void known_drop(struct known *k, const uint8_t digest[32])
{
    struct shard *s = shard_of(k, digest);
    struct entry *e;

    atomic_fetch_add(&k->generation, 1);
    pthread_mutex_lock(&s->lock);
    e = find(s, digest);
    if (e != NULL && e->device != 0) {
        size_t hole = (size_t)(e - s->table);

        /* Move up what would no longer be found. */
        for (size_t i = (hole + 1) & (s->room - 1); s->table[i].device != 0;
             i = (i + 1) & (s->room - 1)) {
            size_t home = home_of(s, s->table[i].prefix);

            if (((i - home) & (s->room - 1)) >= ((i - hole) & (s->room - 1))) {
                s->table[hole] = s->table[i];
                hole = i;
            }
        }
        memset(&s->table[hole], 0, sizeof s->table[hole]);
        s->used--;
    }
    pthread_mutex_unlock(&s->lock);
}

void known_touch(struct known *k, const uint8_t digest[32], uint32_t seen_s, uint64_t body,
                 uint32_t snapshot)
{
    struct shard *s = shard_of(k, digest);
    struct entry *e;

    pthread_mutex_lock(&s->lock);
    e = find(s, digest);
    if (e != NULL && e->device != 0) {
        e->is_new = e->is_new || seen_s != e->seen_s;
        e->seen_s = seen_s;
        e->body = body;
        e->snapshot = snapshot;
    }
    pthread_mutex_unlock(&s->lock);
}

size_t known_take_seen(struct known *k, struct known_seen *list_out, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < SHARDS && n < room; i++) {
        struct shard *s = &k->shards[i];

        pthread_mutex_lock(&s->lock);
        for (size_t at = 0; at < s->room && n < room; at++)
            if (s->table[at].device != 0 && s->table[at].is_new) {
                s->table[at].is_new = false;
                list_out[n++] = (struct known_seen){ s->table[at].device, s->table[at].seen_s };
            }
        pthread_mutex_unlock(&s->lock);
    }
    return n;
}

size_t known_count(struct known *k)
{
    size_t n = 0;

    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&k->shards[i].lock);
        n += k->shards[i].used;
        pthread_mutex_unlock(&k->shards[i].lock);
    }
    return n;
}
