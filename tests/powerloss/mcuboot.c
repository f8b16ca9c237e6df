/*
 * The port for MCUboot over a fake of its public interface: lives of a device that swaps and of one
 * that runs in place, what the port refuses, and the power cut at every operation on flash.
 */
#include "mcuboot.h"
#include "check.h"
#include "device.h"
#include "unsigned.h"

#include "ports/mcuboot/mcuboot.h"

static struct signer key;
static struct release v1, v2, v3;
static struct device d;
static struct lsuit_crypto crypto;

static uint8_t running(void *ctx)
{
    return ((struct device *)ctx)->running;
}

static void reset(void)
{
    d.reboot_asked = true;
    d.power_on = false;
}

static struct lapel_mcuboot *port(void)
{
    return (struct lapel_mcuboot *)(void *)d.port;
}

static void start(bool xip, uint32_t word, uint8_t erased)
{
    static const uint8_t ID[] = { 0x81, 0x41, 0x00 };

    device_init(&d, &key, &v1, word, erased);
    mcuboot_init(&d, xip);
    *port() = (struct lapel_mcuboot){
        .slot_area = { AREA_PRIMARY, AREA_SECONDARY },
        .kept_area = { AREA_KEPT0, AREA_KEPT1 },
        .record_area = { AREA_RECORD0, AREA_RECORD1 },
        .trailer_size = MCUBOOT_UNIT,
        .running = xip ? running : NULL,
        .component = { ID, sizeof ID },
        .reset = reset,
    };
    d.config.factory_sequence = v1.sequence;
    d.ports.slots = &lapel_mcuboot_slots;
    d.ports.boot = &lapel_mcuboot_boot;
    d.ports.nv = &lapel_mcuboot_nv;
    d.ports.crypto = &crypto;
    d.image[d.images++] = &v2;
    d.image[d.images++] = &v3;
    d.server.release = &v2;
}

static bool runs(const struct device *x, const struct release *r)
{
    return device_state(x) == LAPEL_READY && x->lapel.rec.accepted.sequence == r->sequence &&
           memcmp(x->slot[x->running].bytes, r->payload, r->payload_n) == 0;
}

static bool runs_v2(struct device *x)
{
    return runs(x, &v2);
}

static bool runs_v3(struct device *x)
{
    return runs(x, &v3);
}

static bool in_trial(struct device *x)
{
    return device_state(x) == LAPEL_TRIAL;
}

static bool staged(struct device *x)
{
    enum lapel_boot_state s = LAPEL_BOOT_STEADY;
    uint8_t slot = 0;

    (void)lapel_mcuboot_boot.state(x, &s, &slot);
    return s == LAPEL_BOOT_STAGED;
}

static bool told_reverted(struct device *x)
{
    return x->told[LAPEL_EVENT_REVERTED] > 0 && device_state(x) == LAPEL_READY;
}

static bool told_failed(struct device *x)
{
    return x->told[LAPEL_EVENT_FAILED] > 0 && device_state(x) == LAPEL_READY;
}

static bool told_withdrawn(struct device *x)
{
    return x->told[LAPEL_EVENT_WITHDRAWN] > 0 && device_state(x) == LAPEL_READY;
}

/* --- lives ------------------------------------------------------------------------------------- */

static void test_lives(bool xip)
{
    check_case(xip ? "in place: two updates, one into each slot" : "swap: two updates");
    start(xip, 8, 0xff);
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_UINT(d.lapel.running_slot, 1);
    CHECK_UINT(d.lapel.rec.counter, 2); /* TLV 0x50 */
    CHECK_INT(d.boots, 2);
    d.server.release = &v3;
    CHECK(device_live(&d, runs_v3, 20000));
    CHECK_UINT(d.lapel.running_slot, 0);
    CHECK_INT(d.running, 0);
    CHECK_INT(d.boots, 3);
    CHECK_INT(d.violations, 0);
    CHECK_INT(d.bricks, 0);

    check_case(xip ? "in place: the manifest stays with its image" : "swap: the same");
    device_boot(&d);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v3.sequence);
    memset(d.record_store, 0, sizeof d.record_store); /* both records are lost */
    device_boot(&d);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v3.sequence);

    check_case(xip ? "in place: a bad image goes back" : "swap: a bad image goes back");
    start(xip, 8, 0xff);
    d.health = LAPEL_HEALTH_BAD;
    device_boot(&d);
    CHECK(device_live(&d, told_reverted, 20000));
    CHECK(runs(&d, &v1) || d.lapel.rec.accepted.sequence == v1.sequence);
    CHECK_INT(memcmp(d.slot[d.running].bytes, v1.payload, v1.payload_n), 0);
    CHECK_UINT(d.lapel.running_slot, 0);
    d.health = LAPEL_HEALTH_OK;
    d.server.release = &v3;
    CHECK(device_live(&d, runs_v3, 20000));
    CHECK_UINT(d.lapel.running_slot, 1);

    check_case(xip ? "in place: a trial that stops goes back"
                   : "swap: a trial that stops goes back");
    start(xip, 8, 0xff);
    device_boot(&d);
    CHECK(device_live(&d, in_trial, 20000));
    d.power_on = false;
    device_boot(&d); /* the watchdog */
    CHECK(device_live(&d, told_reverted, 20000));
    CHECK_INT(memcmp(d.slot[d.running].bytes, v1.payload, v1.payload_n), 0);

    check_case(xip ? "in place: a stage is taken back" : "swap: a stage is taken back");
    start(xip, 8, 0xff);
    d.gate[LAPEL_GATE_REBOOT] = LAPEL_WAIT;
    d.gate_wait = 1000;
    device_boot(&d);
    CHECK(device_live(&d, staged, 20000));
    d.server.verdict = LSUIT_WITHDRAW;
    lapel_kick(&d.lapel);
    CHECK(device_live(&d, told_withdrawn, 20000));
    CHECK(!staged(&d));
    device_boot(&d);
    CHECK_INT(memcmp(d.slot[d.running].bytes, v1.payload, v1.payload_n), 0);
    CHECK_INT(d.violations, 0);
}

static void test_refused(void)
{
    uint8_t b[64] = { 0 };
    uint64_t counter = 0;

    check_case("the slot that runs is not written, whichever area it is");
    start(false, 8, 0xff);
    device_boot(&d);
    CHECK(lapel_mcuboot_slots.write(&d, 0, 0, 0, b, sizeof b) < 0);
    CHECK(lapel_mcuboot_slots.erase(&d, 0, 0, 0) < 0);
    CHECK(lapel_mcuboot_boot.stage(&d, 0) < 0);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK(lapel_mcuboot_slots.write(&d, 0, 1, 0, b, sizeof b) < 0);
    CHECK(lapel_mcuboot_slots.erase(&d, 0, 1, 0) < 0);
    CHECK(lapel_mcuboot_boot.stage(&d, 1) < 0);

    check_case("nothing beyond an area is read or written");
    CHECK(lapel_mcuboot_slots.read(&d, 0, 0, DEVICE_SLOT_SIZE - 8, b, 16) < 0);
    CHECK(lapel_mcuboot_slots.write(&d, 0, 0, DEVICE_SLOT_SIZE - 8, b, 16) < 0);
    CHECK_INT(d.violations, 0);

    check_case("an image without a counter has none, and lengths that lie lead nowhere");
    CHECK(lapel_mcuboot_boot.counter(&d, 1, &counter) > 0);
    CHECK_UINT(counter, 2);
    CHECK(lapel_mcuboot_boot.counter(&d, 0, &counter) > 0); /* the former, in the other area */
    CHECK_UINT(counter, 1);
    d.slot[1].bytes[10] = 0; /* no protected area */
    CHECK(lapel_mcuboot_boot.counter(&d, 0, &counter) < 0);
    memset(d.slot[1].bytes + 8, 0xff, 8);
    CHECK(lapel_mcuboot_boot.counter(&d, 0, &counter) < 0);
    memset(d.slot[1].bytes, 0xff, 4);
    CHECK(lapel_mcuboot_boot.counter(&d, 0, &counter) < 0);
    CHECK(lapel_mcuboot_boot.stage(&d, 0) < 0); /* nothing to start from there */

    check_case("the image that runs, under another manifest, is no update");
    start(false, 8, 0xff);
    release_make(&v3, 48, 2000, &key, &(struct release_how){ .shape = mcuboot_image });
    memcpy(d.slot[0].bytes, v3.payload, v3.payload_n);
    d.server.release = &v3;
    device_boot(&d);
    CHECK(device_live(&d, told_failed, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_STORAGE);
    CHECK(!staged(&d));
    device_boot(&d);
    CHECK_UINT(d.lapel.running_slot, 0);

    check_case("a torn mark of the boot loader is cleared before it is set again");
    start(false, 8, 0xff);
    d.slot[1].bytes[DEVICE_SLOT_SIZE - 3] = 0x55;
    memset(d.slot[1].used + DEVICE_SLOT_SIZE - 8, 1, 8);
    device_boot(&d);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.told[LAPEL_EVENT_FAILED], 0);
    CHECK_INT(d.violations, 0);
}

/* --- power ---------------------------------------------------------------------------------------- */

static bool live(uint32_t at, enum device_cut cut)
{
    d.cut_at = at;
    d.cut = cut;
    if (setjmp(d.power) != 0)
        d.power_on = true;
    device_boot(&d);
    return device_live(&d, runs_v2, 100000);
}

static void sweep(bool xip, uint32_t word, uint8_t erased)
{
    char name[100];
    uint32_t fired = 0, missed = 0;
    int lost = 0;

    snprintf(name, sizeof name, "%s, words of %u, erased 0x%02x: a cut at every operation",
             xip ? "in place" : "swap", word, erased);
    check_case(name);
    start(xip, word, erased);
    CHECK(live(0, CUT_BEFORE));
    uint32_t total = d.ops;
    CHECK(total > 100);
    for (int cut = 0; cut < CUT_KINDS; cut++) {
        for (uint32_t at = 1; at <= total && lost < 5; at++) {
            start(xip, word, erased);
            bool done = live(at, (enum device_cut)cut);

            fired += d.fired;
            missed += !d.fired;
            if (done && d.bricks == 0 && d.violations == 0 && d.lapel.rec.counter == 2)
                continue;
            lost++;
            printf("FAIL %s: operation %u, cut %d: done %d, state %s, bricks %d, programmed twice "
                   "%d, counter %d\n",
                   name, at, cut, done, lapel_state_name(device_state(&d)), d.bricks, d.violations,
                   (int)d.lapel.rec.counter);
        }
    }
    CHECK_INT(lost, 0);
    CHECK_UINT(missed, 0);
    printf("%s: %u operations, %u cuts fired\n", name, total, fired);
}

int main(void)
{
    static const struct release_how IMAGE = { .shape = mcuboot_image };

    signer_init(&key);
    crypto = unsigned_crypto();
    release_make(&v1, 16, 900, &key, &IMAGE);
    release_make(&v2, 32, 2003, &key, &IMAGE);
    release_make(&v3, 48, 1500, &key, &IMAGE);
    test_lives(false);
    test_lives(true);
    test_refused();
    release_make(&v3, 48, 1500, &key, &IMAGE);
    sweep(false, 8, 0xff);
    sweep(false, 16, 0x00);
    sweep(true, 8, 0xff);
    sweep(true, 16, 0x00);
    return check_done();
}

/* Here, for its names are those of the system's calls. */
#include "ports/mcuboot/mcuboot.c"
