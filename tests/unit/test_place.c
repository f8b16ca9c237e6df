/*
 * The place of a device in a rollout.
 */
#include "check.h"

#include "lsuit/place.h"

#include <psa/crypto.h>

#define N(table) (sizeof(table) / sizeof *(table))

static const uint8_t SALT[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

/* By another program: printf '\x10<salt>\x0blamp-000017' | sha256sum | head -c 16 */
static const struct {
    const char *id;
    uint64_t want;
} PLACES[] = {
    { "lamp-000017", UINT64_C(0x9380bc9a8e62dff2) },
    { "a", UINT64_C(0x0feb9468acc3506e) },
    { "\xce\xb1", UINT64_C(0xd13fa881a4da0496) },
    { "0123456789012345678901234567890123456789012345678901234567890123",
      UINT64_C(0xfac34884b5c4b587) },
};

static const struct {
    const char *name;
    uint64_t place;
    bool has;
    uint64_t threshold;
    bool want;
} IN[] = {
    { "below", 9, true, 10, true },
    { "at the threshold", 10, true, 10, true },
    { "above", 11, true, 10, false },
    { "threshold 0 lets in place 0", 0, true, 0, true },
    { "threshold 0 keeps out place 1", 1, true, 0, false },
    { "everybody", UINT64_MAX, true, UINT64_MAX, true },
    { "no threshold is nobody", 0, false, UINT64_MAX, false },
};

static const struct {
    const char *name;
    uint32_t part, whole;
    bool some;
    uint64_t want;
} SHARES[] = {
    { "nothing", 0, 100, false, 0 },
    { "all", 100, 100, true, UINT64_MAX },
    { "more than all", 101, 100, true, UINT64_MAX },
    { "half", 1, 2, true, UINT64_C(0x7fffffffffffffff) },
    { "a quarter", 25, 100, true, UINT64_C(0x3fffffffffffffff) },
    { "an eighth", 125, 1000, true, UINT64_C(0x1fffffffffffffff) },
    { "a third", 1, 3, true, UINT64_C(0x5555555555555554) },
    { "one of 2^32-1", 1, UINT32_MAX, true, UINT64_C(0x100000000) },
    { "all but one of 2^32-1", UINT32_MAX - 1, UINT32_MAX, true, UINT64_C(0xfffffffefffffffd) },
};

static void lengths(void)
{
    char id[66];
    uint64_t place = 0;

    memset(id, 'x', sizeof id);
    id[65] = '\0';
    check_case("lengths of salt and id");
    CHECK_INT(lsuit_place(&lsuit_crypto_psa, (struct lsuit_bytes){ SALT, 15 }, text("a"), &place),
              LSUIT_ERR_RANGE);
    CHECK_INT(lsuit_place(&lsuit_crypto_psa, (struct lsuit_bytes){ SALT, 16 }, text(""), &place),
              LSUIT_ERR_RANGE);
    CHECK_INT(lsuit_place(&lsuit_crypto_psa, (struct lsuit_bytes){ SALT, 16 }, text(id), &place),
              LSUIT_ERR_RANGE);
    CHECK_UINT(place, 0);
}

/* 10 000 ids of a factory: shares come out as asked, and another salt picks others. */
static void uniform(void)
{
    uint64_t tenth = 0;
    uint8_t other[16] = { 9 };
    int in = 0, both = 0;

    check_case("a tenth of serial numbers is a tenth");
    CHECK(lsuit_place_threshold(1, 10, &tenth));
    for (int i = 0; i < 10000; i++) {
        char id[32];
        uint64_t a = 0, b = 0;

        snprintf(id, sizeof id, "lamp-%06d", i);
        CHECK_INT(lsuit_place(&lsuit_crypto_psa, (struct lsuit_bytes){ SALT, 16 }, text(id), &a),
                  LSUIT_OK);
        CHECK_INT(lsuit_place(&lsuit_crypto_psa, (struct lsuit_bytes){ other, 16 }, text(id), &b),
                  LSUIT_OK);
        in += lsuit_place_in(a, true, tenth);
        both += lsuit_place_in(a, true, tenth) && lsuit_place_in(b, true, tenth);
    }
    /* five standard deviations about 1000 and 100 */
    CHECK(in > 850 && in < 1150);
    CHECK(both > 50 && both < 150);
}

int main(void)
{
    psa_crypto_init();
    for (size_t i = 0; i < N(PLACES); i++) {
        uint64_t place = 0;

        check_case(PLACES[i].id);
        CHECK_INT(lsuit_place(&lsuit_crypto_psa, (struct lsuit_bytes){ SALT, 16 },
                              text(PLACES[i].id), &place),
                  LSUIT_OK);
        CHECK_UINT(place, PLACES[i].want);
    }
    for (size_t i = 0; i < N(IN); i++) {
        check_case(IN[i].name);
        CHECK_INT(lsuit_place_in(IN[i].place, IN[i].has, IN[i].threshold), IN[i].want);
    }
    for (size_t i = 0; i < N(SHARES); i++) {
        uint64_t threshold = 0;

        check_case(SHARES[i].name);
        CHECK_INT(lsuit_place_threshold(SHARES[i].part, SHARES[i].whole, &threshold),
                  SHARES[i].some);
        CHECK_UINT(threshold, SHARES[i].want);
    }
    lengths();
    uniform();
    return check_done();
}
