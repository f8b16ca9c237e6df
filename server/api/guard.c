/*
 * Failed authentication, by source. A source that fails often is told to slow down; whoever brings
 * a good token is never refused here, so nobody can lock a device out, not from its own address
 * either. A source is a keyed hash in memory; no address is kept.
 */

#include "api/call.h"
#include "base/bytes.h"
#include "base/sha256.h"

#include <pthread.h>
#include <string.h>

enum { SLOTS = 1024, FREE_FAILURES = 30, WINDOW_MS = 60000, RETRY_MAX_S = 900 };

struct slot {
    int64_t since_ms;
    uint32_t failures;
};

static struct slot slots[SLOTS];
static uint8_t key[16];
static bool keyed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t slot_of(const struct http_request *req)
{
    struct http_address source;
    uint8_t both[sizeof key + sizeof source.bytes];
    uint8_t digest[32];

    http_source(req, &source);
    if (!keyed)
        bytes_random(key, sizeof key);
    keyed = true;
    memcpy(both, key, sizeof key);
    memcpy(both + sizeof key, source.bytes, sizeof source.bytes);
    sha256(both, sizeof both, digest);
    return (size_t)(digest[0] | digest[1] << 8) % SLOTS;
}

bool guard_failed(const struct http_request *req, int64_t now_ms, uint32_t *retry_s_out)
{
    struct slot *s;
    uint32_t over;

    pthread_mutex_lock(&lock);
    s = &slots[slot_of(req)];
    if (now_ms - s->since_ms > WINDOW_MS) {
        s->failures /= 2; /* forgiven by and by */
        s->since_ms = now_ms;
    }
    if (s->failures < UINT32_MAX)
        s->failures++;
    over = s->failures > FREE_FAILURES ? s->failures - FREE_FAILURES : 0;
    pthread_mutex_unlock(&lock);
    /* Doubles with each ten further failures. */
    *retry_s_out = over / 10 >= 10 || 1u << over / 10 > RETRY_MAX_S ? RETRY_MAX_S : 1u << over / 10;
    return over > 0;
}
