/* The cache of devices: what is dropped stays dropped, whatever comes late. */

#include "check.h"
#include "engine/known.h"

static void digest_of(uint32_t n, uint8_t out[32])
{
    /* Spread, but of few homes, so that probing and moving up are exercised. */
    memset(out, 0, 32);
    memcpy(out, &(uint32_t){ n % 17 }, 4);
    memcpy(out + 8, &n, 4);
    out[31] = (uint8_t)(n % 3);
}

int main(void)
{
    enum { N = 5000 };
    struct known *k = known_new(0);
    struct known_device d = { .device = 1, .product = 2, .slot = 1 }, got;
    struct known_seen seen[16];
    uint8_t digest[32];
    uint32_t generation;
    int wrong = 0;

    digest_of(1, digest);
    check_case("unknown at first");
    CHECK(!known_find(k, digest, &got));
    check_case("known after put");
    known_put(k, known_generation(k), digest, &d);
    CHECK(known_find(k, digest, &got) && got.device == 1 && got.product == 2 && got.slot == 1);
    check_case("what was answered");
    known_touch(k, digest, 100, 42, 7);
    CHECK(known_find(k, digest, &got) && got.body == 42 && got.snapshot == 7);
    check_case("seen is taken once");
    CHECK_INT((int64_t)known_take_seen(k, seen, 16), 1);
    CHECK_INT(seen[0].seen_s, 100);
    CHECK_INT((int64_t)known_take_seen(k, seen, 16), 0);
    check_case("dropped");
    generation = known_generation(k);
    known_drop(k, digest);
    CHECK(!known_find(k, digest, &got));
    check_case("a row read before the drop comes too late");
    known_put(k, generation, digest, &d);
    CHECK(!known_find(k, digest, &got));
    known_touch(k, digest, 1, 1, 1);
    CHECK(!known_find(k, digest, &got));

    check_case("thousands, every third dropped");
    for (uint32_t i = 1; i <= N; i++) {
        digest_of(i, digest);
        d.device = (int32_t)i;
        known_put(k, known_generation(k), digest, &d);
    }
    CHECK_INT((int64_t)known_count(k), N);
    for (uint32_t i = 1; i <= N; i += 3) {
        digest_of(i, digest);
        known_drop(k, digest);
    }
    for (uint32_t i = 1; i <= N; i++) {
        bool found;

        digest_of(i, digest);
        found = known_find(k, digest, &got);
        wrong += found != (i % 3 != 1) || (found && got.device != (int32_t)i);
    }
    CHECK_INT(wrong, 0);
    known_free(k);

    check_case("a full cache forgets, and goes on");
    k = known_new(640);
    for (uint32_t i = 1; i <= N; i++) {
        digest_of(i, digest);
        d.device = (int32_t)i;
        known_put(k, known_generation(k), digest, &d);
        wrong += !known_find(k, digest, &got);
    }
    CHECK_INT(wrong, 0);
    CHECK(known_count(k) <= 640 + 64);
    known_free(k);
    return check_done();
}
