/*
 * Who the first devices are: a million ids are spread evenly, more of them keep those that were
 * in, and another rollout has others. `--places SALT ID...` prints places, for a comparison with
 * the script in server/EVIDENCE.md.
 */
#include "check.h"
#include "lsuit/crypto.h"
#include "lsuit/place.h"

#include <inttypes.h>

enum { IDS = 1000000, BINS = 1000 };

static uint64_t place_of(const uint8_t salt[16], const char *id)
{
    uint64_t place = 0;

    CHECK(lsuit_place(&lsuit_crypto_psa, (struct lsuit_bytes){ salt, 16 },
                      (struct lsuit_bytes){ (const uint8_t *)id, strlen(id) }, &place) == LSUIT_OK);
    return place;
}

/* Chi-square of a million places over a thousand equal bins: 999 degrees of freedom. */
static double chi_square(const uint32_t *bins)
{
    double sum = 0, want = (double)IDS / BINS;

    for (size_t i = 0; i < BINS; i++)
        sum += (bins[i] - want) * (bins[i] - want) / want;
    return sum;
}

/* Between these lies a uniform one in all but one of ten thousand cases. */
static const double CHI_LOW = 837.0, CHI_HIGH = 1177.0;

static int print_places(int argc, char **argv)
{
    uint8_t salt[16];

    if (argc < 3 || check_hex(argv[2], salt, sizeof salt) != sizeof salt)
        return 2;
    for (int i = 3; i < argc; i++)
        printf("%" PRIu64 "\n", place_of(salt, argv[i]));
    return 0;
}

int main(int argc, char **argv)
{
    static uint32_t bins[2][BINS], same;
    static const uint8_t SALT[2][16] = { { 1 }, { 2 } };
    uint64_t one_percent = 0, ten_percent = 0;
    uint32_t in[2] = { 0 }, both = 0, lost = 0;

    check_case("every id has a place");
    if (argc > 1)
        return print_places(argc, argv);
    lsuit_place_threshold(1, 100, &one_percent);
    lsuit_place_threshold(10, 100, &ten_percent);
    for (int i = 0; i < IDS; i++) {
        char id[24];
        uint64_t place[2];

        snprintf(id, sizeof id, "lamp-%07d", i);
        for (int k = 0; k < 2; k++) {
            place[k] = place_of(SALT[k], id);
            bins[k][place[k] / (UINT64_MAX / BINS + 1)]++;
            in[k] += lsuit_place_in(place[k], true, one_percent);
        }
        both += lsuit_place_in(place[0], true, one_percent) &&
                lsuit_place_in(place[1], true, one_percent);
        lost += lsuit_place_in(place[0], true, one_percent) &&
                !lsuit_place_in(place[0], true, ten_percent);
        same += place[0] == place[1];
    }
    check_case("a million ids that count up are spread evenly (chi-square)");
    printf("chi-square %.1f and %.1f\n", chi_square(bins[0]), chi_square(bins[1]));
    CHECK(chi_square(bins[0]) > CHI_LOW && chi_square(bins[0]) < CHI_HIGH);
    CHECK(chi_square(bins[1]) > CHI_LOW && chi_square(bins[1]) < CHI_HIGH);
    check_case("one per cent is one per cent");
    CHECK(in[0] > 9600 && in[0] < 10400);
    check_case("who was in at one per cent is in at ten");
    CHECK_UINT(lost, 0);
    check_case("another rollout has other first devices: one in a hundred is in both");
    CHECK(both > 50 && both < 160);
    CHECK_UINT(same, 0);
    return check_done();
}
