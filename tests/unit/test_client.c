/*
 * Whole lives of a device against a server, both in memory: tests/harness/device.h.
 */
#include "check.h"
#include "device.h"

static struct signer key, other_key;
static struct release v1, v2, v3;
static struct device d;

static void fresh(const char *name)
{
    check_case(name);
    device_init(&d, &key, &v1, 8, 0xff);
    d.image[d.images++] = &v2;
    d.server.release = &v2;
    device_boot(&d);
}

static bool runs_v2(struct device *x)
{
    return device_state(x) == LAPEL_READY && x->lapel.rec.accepted.sequence == v2.sequence;
}

static bool idle_checked(struct device *x)
{
    return x->server.checkins >= 2 && device_state(x) == LAPEL_READY && !x->lapel.offered &&
           x->lapel.exchange == 0;
}

static void test_update(void)
{
    fresh("an update from offer to confirmation");
    CHECK_INT(d.init, LAPEL_OK);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.running, 1);
    CHECK_INT(d.violations, 0);
    CHECK_INT(d.bricks, 0);
}

int main(void)
{
    struct release_how plain = { 0 };

    signer_init(&key);
    signer_init(&other_key);
    release_make(&v1, 16, 3000, &key, &plain);
    release_make(&v2, 32, 5000, &key, &plain);
    release_make(&v3, 48, 4000, &key, &plain);
    test_update();
    (void)idle_checked;
    return check_done();
}
