/*
 * The image in a slot against its manifest: for a boot loader, and by the library after a start.
 * Provisions 5.7-1 and 5.7-2.
 */
#include "check.h"
#include "device.h"

static struct signer key, other_key;
static struct release v1, v2, forged;
static struct device d;

static struct lapel_verify verify_of(void)
{
    struct lapel_verify v = { 0 };

    v.slots = &DEV_SLOTS;
    v.ctx = &d;
    v.crypto = &lsuit_crypto_psa;
    v.keys = d.keys;
    v.keys_n = 1;
    v.envelope = d.envelope;
    v.envelope_size = sizeof d.envelope;
    v.buf = d.io;
    v.buf_size = 64;
    return v;
}

static void put_slot(uint8_t slot, const struct release *r)
{
    memcpy(d.slot[slot].bytes, r->payload, r->payload_n);
    memcpy(d.area_store[slot], r->envelope, r->envelope_n);
    d.area_n[slot] = (uint16_t)r->envelope_n;
}

static void test_loader(void)
{
    struct lapel_verify v;

    device_init(&d, &key, &v1, 8, 0xff);
    check_case("5.7-1: a signed image verifies, whatever the slot");
    v = verify_of();
    CHECK_INT(lapel_boot_verify(&v, 0), LAPEL_IMAGE_GOOD);
    CHECK_UINT(v.sequence, v1.sequence);
    CHECK_BYTES(v.digest, 32, v1.digest, 32);
    put_slot(1, &v2);
    CHECK_INT(lapel_boot_verify(&v, 1), LAPEL_IMAGE_GOOD);
    CHECK_UINT(v.sequence, v2.sequence);

    check_case("each flipped bit of the image is seen");
    int seen = 0;
    for (size_t at = 0; at < v1.payload_n; at += 37) {
        d.slot[0].bytes[at] ^= 0x04;
        seen += lapel_boot_verify(&v, 0) == LAPEL_IMAGE_TAMPERED;
        d.slot[0].bytes[at] ^= 0x04;
    }
    CHECK_UINT((size_t)seen, (v1.payload_n + 36) / 37);

    check_case("each flipped bit of the manifest is seen");
    seen = 0;
    for (size_t at = 0; at < v1.envelope_n; at++) {
        d.area_store[0][at] ^= 0x10;
        seen += lapel_boot_verify(&v, 0) != LAPEL_IMAGE_GOOD;
        d.area_store[0][at] ^= 0x10;
    }
    CHECK(seen > (int)v1.envelope_n - 260); /* severable text stands apart from the image */

    check_case("image, manifest and record forged together don't verify");
    put_slot(0, &forged);
    CHECK_INT(lapel_boot_verify(&v, 0), LAPEL_IMAGE_TAMPERED);
    v.accepted = v1.digest; /* as a sealed record says */
    CHECK_INT(lapel_boot_verify(&v, 0), LAPEL_IMAGE_TAMPERED);

    check_case("an accepted release verifies when its key is revoked, and no other one does");
    v = verify_of();
    v.keys_n = 0;
    put_slot(0, &v1);
    CHECK_INT(lapel_boot_verify(&v, 0), LAPEL_IMAGE_TAMPERED);
    v.accepted = v1.digest;
    CHECK_INT(lapel_boot_verify(&v, 0), LAPEL_IMAGE_GOOD);
    put_slot(0, &v2);
    CHECK_INT(lapel_boot_verify(&v, 0), LAPEL_IMAGE_TAMPERED);

    check_case("an empty slot, one that can't be read, a hash that fails");
    v = verify_of();
    d.area_n[0] = 0;
    CHECK_INT(lapel_boot_verify(&v, 0), LAPEL_IMAGE_NONE);
    put_slot(0, &v1);
    for (d.fail_at = d.calls + 1; d.fail_at < d.calls + 20; d.fail_at++) {
        uint32_t before = d.calls;
        enum lapel_verdict_of_image r = lapel_boot_verify(&v, 0);

        CHECK(r == LAPEL_IMAGE_UNREAD || (r == LAPEL_IMAGE_GOOD && d.calls < d.fail_at));
        d.fail_at += d.calls - before;
        if (r == LAPEL_IMAGE_GOOD)
            break;
    }
    d.fail_at = 0;
}

static bool told_tampered(struct device *x)
{
    return x->told[LAPEL_EVENT_TAMPERED] > 0 && x->server.checkins > 0;
}

static bool checked(struct device *x)
{
    return x->server.checkins > 0 && x->lapel.exchange == 0;
}

static bool mended(struct device *x)
{
    return device_state(x) == LAPEL_READY && x->running == 1 && x->server.checkins > 2;
}

static void test_start(void)
{
    check_case("a good image is looked at before the first check-in, and nobody is told");
    device_init(&d, &key, &v1, 8, 0xff);
    device_boot(&d);
    CHECK(device_live(&d, checked, 5000));
    CHECK_INT(d.told[LAPEL_EVENT_TAMPERED], 0);
    CHECK_UINT(d.server.event_class, 0);

    check_case("5.7-2: a changed one is told to the user and to the server");
    d.slot[0].bytes[100] ^= 1;
    d.server.checkins = 0;
    device_boot(&d);
    CHECK(device_live(&d, told_tampered, 5000));
    CHECK_UINT(d.server.event_class, LSUIT_EVENT_TAMPERED);
    struct lapel_status s;
    lapel_status(&d.lapel, &s);
    CHECK(s.tampered);

    check_case("the very same release mends it, from the other slot");
    d.server.release = &v1;
    d.server.reoffer = true;
    CHECK(device_live(&d, mended, 20000));
    CHECK_BYTES(d.slot[1].bytes, v1.payload_n, v1.payload, v1.payload_n);
    lapel_status(&d.lapel, &s);
    CHECK(!s.tampered);
    CHECK_UINT(s.accepted_sequence, v1.sequence);

    check_case("image and manifest of another release, both signed: not the one that was accepted");
    device_init(&d, &key, &v1, 8, 0xff);
    device_boot(&d);
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_NOTIFY, LAPEL_ON, LAPEL_BY_USER), LAPEL_OK);
    put_slot(0, &v2);
    device_boot(&d);
    CHECK(device_live(&d, told_tampered, 5000));

    check_case("a file that is applied meanwhile goes first");
    device_init(&d, &key, &v1, 8, 0xff);
    d.memory.io_size = 1024;
    device_boot(&d);
    uint32_t wait = 0;
    (void)lapel_step(&d.lapel, &wait);
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, NULL), LAPEL_OK);
    (void)lapel_step(&d.lapel, &wait);
    CHECK_INT(d.told[LAPEL_EVENT_TAMPERED], 0);
}

int main(void)
{
    signer_init(&key);
    signer_init(&other_key);
    release_make(&v1, 16, 1500, &key, &(struct release_how){ 0 });
    release_make(&v2, 32, 2000, &key, &(struct release_how){ 0 });
    release_make(&forged, 20, 1500, &other_key, &(struct release_how){ 0 });
    test_loader();
    test_start();
    return check_done();
}
