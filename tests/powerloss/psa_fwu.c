/*
 * The port for the PSA Firmware Update API over a fake of the service: lives of a device, and the
 * power cut at every operation. A call in a state in which the service doesn't take it counts as a
 * violation.
 */
#include "psa_fwu.h"
#include "check.h"
#include "device.h"
#include "unsigned.h"

#include "ports/psa_fwu/psa_fwu.h"

static struct signer key;
static struct release v1, v2, v3;
static struct device d;
static struct lsuit_crypto crypto;

static int read_image(void *ctx, bool active, uint64_t offset, uint8_t *buf, size_t n)
{
    return dev_read(ctx, 0, active ? 0 : 1, offset, buf, n);
}

static void start(bool volatile_staging)
{
    static const uint8_t ID[] = { 0x81, 0x41, 0x00 };

    device_init(&d, &key, &v1, 16, 0xff);
    fwu_init(&d, volatile_staging);
    *(struct lapel_psa_fwu *)(void *)d.port = (struct lapel_psa_fwu){ .uid = 100,
                                                                      .write_size = 16,
                                                                      .write_max = FWU_WRITE_MAX,
                                                                      .id = { ID, sizeof ID },
                                                                      .read = read_image };
    d.config.factory_sequence = v1.sequence;
    d.ports.slots = &lapel_psa_fwu_slots;
    d.ports.boot = &lapel_psa_fwu_boot;
    d.ports.nv = &lapel_psa_fwu_nv;
    d.ports.crypto = &crypto;
    d.image[d.images++] = &v2;
    d.image[d.images++] = &v3;
    d.server.release = &v2;
}

static bool runs(const struct device *x, const struct release *r)
{
    return device_state(x) == LAPEL_READY && x->lapel.rec.accepted.sequence == r->sequence &&
           memcmp(x->slot[0].bytes, r->payload, r->payload_n) == 0;
}

static bool runs_v2(struct device *x)
{
    return runs(x, &v2);
}

static bool runs_v3(struct device *x)
{
    return runs(x, &v3);
}

static bool told_reverted(struct device *x)
{
    return x->told[LAPEL_EVENT_REVERTED] > 0 && device_state(x) == LAPEL_READY;
}

static bool told_withdrawn(struct device *x)
{
    return x->told[LAPEL_EVENT_WITHDRAWN] > 0 && device_state(x) == LAPEL_READY;
}

static bool is_staged(struct device *x)
{
    (void)x;
    return fwu.state == PSA_FWU_STAGED;
}

/* Each state of the library that outlives a start has the service's state of the same name. */
static unsigned pairs_seen, pairs_wrong;

static bool watch(struct device *x)
{
    static const uint8_t SAME[] = { [LAPEL_WRITING] = PSA_FWU_WRITING,
                                    [LAPEL_CANDIDATE] = PSA_FWU_CANDIDATE,
                                    [LAPEL_TRIAL] = PSA_FWU_TRIAL };
    enum lapel_state s = device_state(x);

    if (s == LAPEL_CANDIDATE || s == LAPEL_TRIAL) {
        pairs_seen |= 1u << s;
        pairs_wrong += fwu.state != SAME[s];
    }
    if (s == LAPEL_STAGED && fwu.state == PSA_FWU_STAGED)
        pairs_seen |= 1u << s;
    return runs(x, &v2);
}

static void test_lives(bool gone)
{
    check_case(gone ? "volatile staging: two updates" : "two updates, state for state");
    start(gone);
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    pairs_seen = pairs_wrong = 0;
    CHECK(device_live(&d, watch, 20000));
    CHECK_UINT(pairs_seen, 1u << LAPEL_CANDIDATE | 1u << LAPEL_STAGED | 1u << LAPEL_TRIAL);
    CHECK_UINT(pairs_wrong, 0);
    CHECK_UINT(d.lapel.running_slot, 1);
    CHECK_INT(d.boots, 2);
    device_boot(&d);
    CHECK_UINT(d.lapel.running_slot, 1);
    d.server.release = &v3;
    CHECK(device_live(&d, runs_v3, 20000));
    CHECK_UINT(d.lapel.running_slot, 0);
    device_boot(&d);
    CHECK_UINT(d.lapel.running_slot, 0);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v3.sequence);
    CHECK_INT(d.violations, 0);
    CHECK_INT(d.bricks, 0);

    check_case(gone ? "volatile staging: a bad image goes back" : "a bad image goes back");
    start(gone);
    d.health = LAPEL_HEALTH_BAD;
    device_boot(&d);
    CHECK(device_live(&d, told_reverted, 20000));
    CHECK_INT(memcmp(d.slot[0].bytes, v1.payload, v1.payload_n), 0);
    CHECK_UINT(d.lapel.running_slot, 0);
    d.health = LAPEL_HEALTH_OK;
    d.server.release = &v3;
    CHECK(device_live(&d, runs_v3, 20000));
    CHECK_INT(d.violations, 0);

    check_case(gone ? "volatile staging: a stage is taken back" : "a stage is taken back");
    start(gone);
    d.gate[LAPEL_GATE_REBOOT] = LAPEL_WAIT;
    d.gate_wait = 1000;
    device_boot(&d);
    CHECK(device_live(&d, is_staged, 20000));
    d.server.verdict = LSUIT_WITHDRAW;
    lapel_kick(&d.lapel);
    CHECK(device_live(&d, told_withdrawn, 20000));
    CHECK_INT(fwu.state, PSA_FWU_FAILED);
    d.gate[LAPEL_GATE_REBOOT] = LAPEL_ALLOW;
    d.server.verdict = 0;
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.violations, 0);
}

static bool accepted; /* before this start */
static int forgotten; /* and after it the port said that the former one runs */

static void loader(struct device *x)
{
    accepted = fwu.state == PSA_FWU_UPDATED;
    fwu_loader(x);
}

static bool settled(struct device *x)
{
    forgotten += accepted && x->lapel.running_slot != 1;
    accepted = false;
    return runs(x, &v2);
}

static bool live(uint32_t at, enum device_cut cut)
{
    accepted = false;
    d.loader = loader;
    d.cut_at = at;
    d.cut = cut;
    if (setjmp(d.power) != 0)
        d.power_on = true;
    device_boot(&d);
    return device_live(&d, settled, 100000);
}

static void sweep(bool gone)
{
    const char *name =
        gone ? "volatile staging: a cut at every operation" : "a cut at every operation";
    uint32_t fired = 0, missed = 0;
    int lost = 0;

    check_case(name);
    start(gone);
    CHECK(live(0, CUT_BEFORE));
    uint32_t total = d.ops;
    CHECK(total > 100);
    for (int cut = 0; cut < CUT_KINDS; cut++) {
        for (uint32_t at = 1; at <= total && lost < 5; at++) {
            start(gone);
            bool done = live(at, (enum device_cut)cut);

            device_boot(&d); /* what it says it runs is what it runs after one more start */
            fired += d.fired;
            missed += !d.fired;
            if (done && d.bricks == 0 && d.violations == 0 && d.lapel.running_slot == 1)
                continue;
            lost++;
            printf("FAIL %s: operation %u, cut %d: done %d, state %s, bricks %d, violations %d, "
                   "slot %d\n",
                   name, at, cut, done, lapel_state_name(device_state(&d)), d.bricks, d.violations,
                   d.lapel.running_slot);
        }
    }
    CHECK_INT(lost, 0);
    CHECK_INT(forgotten, 0);
    CHECK_UINT(missed, 0);
    printf("%s: %u operations, %u cuts fired\n", name, total, fired);
}

int main(void)
{
    static const struct release_how PLAIN = { 0 };

    signer_init(&key);
    crypto = unsigned_crypto();
    release_make(&v1, 16, 900, &key, &PLAIN);
    release_make(&v2, 32, 2003, &key, &PLAIN);
    release_make(&v3, 48, 1500, &key, &PLAIN);
    test_lives(false);
    test_lives(true);
    sweep(false);
    sweep(true);
    return check_done();
}

/* Here, for its names are those of the system's calls. */
#include "ports/psa_fwu/psa_fwu.c"
