/*
 * Update management and encryption in the processor: what the vectors don't reach. Limits of each
 * condition, a device that can't tell, events, and what may be done with ciphertext.
 */
#include <psa/crypto.h>

#include "check.h"
#include "run_make.h"
#include "tests/interop/suit_device.h"

struct bench {
    struct made made;
    struct suit_device device;
    struct lsuit_platform platform;
    uint8_t buf[64];
    struct lsuit_run run;
};

static struct bench b;

/* Components h'00', which holds "old" in version 1.2.3, and h'01', which holds "sealed". */
static enum lsuit_err bench_init(const char *install)
{
    static const uint8_t ID[2][3] = { { 0x81, 0x41, 0x00 }, { 0x81, 0x41, 0x01 } };
    static const uint8_t VERSION[] = { 0x83, 1, 2, 3 };
    char section[1024];
    struct parts p = { .components = "[[h'00'], [h'01']]", .sections = section, .sections_n = 1 };
    struct lsuit_fault fault = { 0 };
    struct suit_component *c;
    enum lsuit_err e;

    memset(&b, 0, sizeof b);
    snprintf(section, sizeof section, "20, <<[12, 0, %s]>>", install);
    e = make(&b.made, &p, &fault);
    b.platform = SUIT_DEVICE_PLATFORM;
    b.device.now = 1000;
    b.device.battery_mwh = 500;
    b.device.authorized = true;
    b.device.payload[0].uri = TEXT_BYTES("http://x/new");
    b.device.payload[0].body = TEXT_BYTES("new");
    b.device.payloads_n = 1;
    c = suit_device_component(&b.device, (struct lsuit_bytes){ ID[0], 3 });
    suit_component_set(c, TEXT_BYTES("old"));
    c->version = (struct lsuit_bytes){ VERSION, sizeof VERSION };
    suit_component_set(suit_device_component(&b.device, (struct lsuit_bytes){ ID[1], 3 }),
                       TEXT_BYTES("sealed"));
    return e;
}

static enum lsuit_err bench_run(bool dry)
{
    enum lsuit_err e = lsuit_run_init(&b.run, &b.made.manifest, &b.platform, &b.device,
                                      &lsuit_crypto_psa, b.buf, sizeof b.buf);

    if (e != LSUIT_OK)
        return e;
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, dry);
    return lsuit_run_to_end(&b.run);
}

/* --- Conditions. --- */

struct row {
    const char *name;
    const char *install;
    enum lsuit_err want;
};

#define VERSION(comparison, version) "20, {28: <<[" comparison ", " version "]>>}, 28, 0"

static const struct row ROWS[] = {
    { "a second before", "20, {4: 1001}, 4, 0", LSUIT_OK },
    { "the very second", "20, {4: 1000}, 4, 0", LSUIT_ERR_CONDITION },
    { "a time past 32 bits", "20, {4: 4294967296}, 4, 0", LSUIT_OK },
    { "no time set", "4, 0", LSUIT_ERR_CONDITION },
    { "a battery of exactly that", "20, {26: 500}, 26, 0", LSUIT_OK },
    { "one of less", "20, {26: 501}, 26, 0", LSUIT_ERR_CONDITION },
    { "no battery set", "26, 0", LSUIT_ERR_CONDITION },
    { "authorised", "20, {27: -5}, 27, 0", LSUIT_OK },
    { "no priority set", "27, 0", LSUIT_ERR_CONDITION },
    { "1.2.3 > 1.2.2", VERSION("1", "[1, 2, 2]"), LSUIT_OK },
    { "1.2.3 > 1.2.3", VERSION("1", "[1, 2, 3]"), LSUIT_ERR_CONDITION },
    { "1.2.3 > 1.2: as far as it is given", VERSION("1", "[1, 2]"), LSUIT_ERR_CONDITION },
    { "1.2.3 >= 1.2.3", VERSION("2", "[1, 2, 3]"), LSUIT_OK },
    { "1.2.3 >= 1.2.4", VERSION("2", "[1, 2, 4]"), LSUIT_ERR_CONDITION },
    { "1.2.3 >= 2", VERSION("2", "[2]"), LSUIT_ERR_CONDITION },
    { "1.2.3 = 1", VERSION("3", "[1]"), LSUIT_OK },
    { "1.2.3 = 1.3.3", VERSION("3", "[1, 3, 3]"), LSUIT_ERR_CONDITION },
    { "1.2.3 <= 1.2.3", VERSION("4", "[1, 2, 3]"), LSUIT_OK },
    { "1.2.3 <= 1.2.2", VERSION("4", "[1, 2, 2]"), LSUIT_ERR_CONDITION },
    { "1.2.3 < 1.10", VERSION("5", "[1, 10]"), LSUIT_OK },
    { "1.2.3 < 1.2.3", VERSION("5", "[1, 2, 3]"), LSUIT_ERR_CONDITION },
    { "1.2.3 > 1.2.3-rc.1", VERSION("1", "[1, 2, 3, -1, 1]"), LSUIT_OK },
    { "1.2.3 < 1.2.3-rc.1", VERSION("5", "[1, 2, 3, -1, 1]"), LSUIT_ERR_CONDITION },
    { "no version set", "28, 0", LSUIT_ERR_CONDITION },
    { "a component without a version", "12, 1, 20, {28: <<[2, [0]]>>}, 28, 0",
      LSUIT_ERR_CONDITION },
    { "image-not-match of another image", "20, {3: sha256'new'}, 25, 0", LSUIT_OK },
    { "image-not-match of this one", "20, {3: sha256'old'}, 25, 0", LSUIT_ERR_CONDITION },
    { "of another size", "20, {3: sha256'old', 14: 4}, 25, 0", LSUIT_OK },
    { "of nothing", "25, 0", LSUIT_ERR_CONDITION },
    { "image-match of the right digest in the wrong size", "20, {3: sha256'old', 14: 4}, 3, 0",
      LSUIT_ERR_CONDITION },
    { "in the right size", "20, {3: sha256'old', 14: 3}, 3, 0", LSUIT_OK },
    { "wait for all there is",
      "20, {29: <<{1: 5, 2: 0, 3: 0, 4: [h'aa', [[1, [1]]]], 5: 7, 9: 0}>>}, 29, 0", LSUIT_OK },
    { "wait for nothing", "29, 0", LSUIT_ERR_OPERATION },
    { "override-multiple leaves the last index",
      "34, {0: {18: 'a'}, 1: {18: 'b'}}, 18, 0, 6, 0, 20, {3: sha256'b'}, 3, 0", LSUIT_OK },
    { "copy-params copies what it names",
      "20, {14: 1, 18: 'sealed'}, 12, 1, 35, {0: [18]}, 6, 0, 20, {3: sha256'sealed'}, 3, 0",
      LSUIT_OK },
    { "copy-params of what isn't set", "12, 1, 35, {0: [18]}", LSUIT_ERR_OPERATION },
    { "copy-params replaces", "20, {18: 'sealed'}, 12, 1, 20, {18: 'x'}, 35, {0: [18]}, 6, 0",
      LSUIT_OK },
    { "a copy without image-size", "20, {3: sha256'sealed', 22: 1}, 22, 0, 3, 0", LSUIT_OK },
    { "metadata is told before a write", "20, {18: 'x', 30: <<{5: 1}>>}, 18, 0", LSUIT_OK },
};

static void test_rows(uint32_t again)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        check_case(ROWS[i].name);
        CHECK_INT(bench_init(ROWS[i].install), LSUIT_OK);
        b.device.again = again;
        CHECK_STR(lsuit_err_name(bench_run(false)), lsuit_err_name(ROWS[i].want));
        suit_device_fini(&b.device);
    }
}

/* --- A device that can't tell, or has no function for it. --- */

static void no_now(void)
{
    b.platform.now = NULL;
}
static void unset_clock(void)
{
    b.device.now = 0;
}
static void no_battery(void)
{
    b.platform.battery = NULL;
}
static void no_gauge(void)
{
    b.device.battery_mwh = 0;
}
static void no_authorized(void)
{
    b.platform.authorized = NULL;
}
static void denied(void)
{
    b.device.authorized = false;
}
static void no_version(void)
{
    b.platform.version = NULL;
}
static void no_wait(void)
{
    b.platform.wait = NULL;
}
static void no_metadata(void)
{
    b.platform.metadata = NULL;
}
static void no_decrypt(void)
{
    b.platform.copy_decrypt = NULL;
    b.platform.write_decrypt = NULL;
}

static int wait_never(void *ctx, enum lsuit_wait_event event, int64_t value,
                      struct lsuit_bytes other)
{
    (void)ctx;
    (void)value;
    (void)other;
    return event == LSUIT_WAIT_POWER ? LSUIT_OP_FAIL : LSUIT_OP_AGAIN;
}
static void waiting(void)
{
    b.platform.wait = wait_never;
}

static int metadata_refused(void *ctx, uint32_t comp, struct lsuit_bytes metadata)
{
    (void)ctx;
    (void)comp;
    (void)metadata;
    return LSUIT_OP_FAIL;
}
static void refusing(void)
{
    b.platform.metadata = metadata_refused;
}

#define CTR "h'd8608440a1013a0000fffdf680'" /* the algorithm outside of protection */
#define GCM "h'd8608443a10101a0f680'"

static void test_lacks(void)
{
    static const struct {
        const char *name, *install;
        void (*change)(void);
        enum lsuit_err want;
    } CASES[] = {
        { "no clock", "20, {4: 9999}, 15, [<<[4, 0]>>, <<[14, 0]>>, null]", no_now,
          LSUIT_ERR_COMMAND },
        { "a clock that isn't set", "20, {4: 9999}, 4, 0", unset_clock, LSUIT_ERR_CONDITION },
        { "no battery", "20, {26: 0}, 15, [<<[26, 0]>>, <<[14, 0]>>, null]", no_battery,
          LSUIT_ERR_COMMAND },
        { "a gauge that can't tell", "20, {26: 0}, 26, 0", no_gauge, LSUIT_ERR_CONDITION },
        { "nobody to authorise", "20, {27: 0}, 15, [<<[27, 0]>>, <<[14, 0]>>, null]", no_authorized,
          LSUIT_ERR_COMMAND },
        { "not authorised", "20, {27: 0}, 27, 0", denied, LSUIT_ERR_CONDITION },
        { "no versions", "20, {28: <<[2, [0]]>>}, 28, 0", no_version, LSUIT_ERR_COMMAND },
        { "no waiting", "20, {29: <<{5: 0}>>}, 29, 0", no_wait, LSUIT_ERR_COMMAND },
        { "an event that will never come", "20, {29: <<{1: 0, 2: 0}>>}, 29, 0", waiting,
          LSUIT_ERR_OPERATION },
        { "no metadata", "20, {18: 'x', 30: <<{5: 1}>>}, 18, 0", no_metadata, LSUIT_ERR_COMMAND },
        { "metadata that won't be honoured", "20, {18: 'x', 30: <<{5: 3}>>}, 18, 0", refusing,
          LSUIT_ERR_OPERATION },
        { "no decryption of content", "20, {18: 'x', 19: " GCM "}, 18, 0", no_decrypt,
          LSUIT_ERR_COMMAND },
        { "no decryption of a component", "20, {19: " GCM ", 22: 1}, 22, 0", no_decrypt,
          LSUIT_ERR_COMMAND },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        check_case(CASES[i].name);
        CHECK_INT(bench_init(CASES[i].install), LSUIT_OK);
        CASES[i].change();
        CHECK_STR(lsuit_err_name(bench_run(false)), lsuit_err_name(CASES[i].want));
        CHECK(!b.device.touched);
        suit_device_fini(&b.device);
    }
}

/* --- Ciphertext. --- */

static uint32_t decrypted;

static int decrypt(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size,
                   struct lsuit_bytes encryption_info)
{
    decrypted += first && encryption_info.len > 0;
    return SUIT_DEVICE_PLATFORM.copy(ctx, comp, first, source, max_size);
}

#define MATCHED "12, 1, 20, {3: sha256'sealed'}, 3, 0, 12, 0, "

static const struct row SEALED[] = {
    { "ciphertext without a tag, its digest not checked", "20, {19: " CTR ", 22: 1}, 22, 0",
      LSUIT_ERR_OPERATION },
    { "checked", MATCHED "20, {19: " CTR ", 22: 1}, 22, 0", LSUIT_OK },
    { "with a tag of its own", "20, {19: " GCM ", 22: 1}, 22, 0", LSUIT_OK },
    { "a tag's number under another label", "20, {19: h'd8608443a10201a0f680', 22: 1}, 22, 0",
      LSUIT_ERR_OPERATION },
    { "checked, but not held",
      "12, 1, 20, {3: sha256'other'}, 15, [<<[3, 0]>>, <<[14, 0]>>, null], 12, 0, 20, {19: " CTR
      ", 22: 1}, 22, 0",
      LSUIT_ERR_OPERATION },
    { "written after the check",
      MATCHED "12, 1, 20, {18: 'sealed'}, 18, 0, 12, 0, 20, {19: " CTR ", 22: 1}, 22, 0",
      LSUIT_ERR_OPERATION },
    { "swapped after the check", MATCHED "20, {22: 1}, 31, 0, 20, {19: " CTR ", 22: 1}, 22, 0",
      LSUIT_ERR_OPERATION },
    { "image-not-match is no check",
      "12, 1, 20, {3: sha256'other'}, 25, 0, 12, 0, 20, {19: " CTR ", 22: 1}, 22, 0",
      LSUIT_ERR_OPERATION },
    { "a ciphertext larger than the image", "20, {14: 6, 19: " GCM ", 22: 1}, 22, 0", LSUIT_OK },
    { "a fetch never stores ciphertext as if it were plain",
      "20, {19: " GCM ", 21: \"http://x/new\"}, 21, 0", LSUIT_ERR_COMMAND },
};

static void test_sealed(void)
{
    for (size_t i = 0; i < sizeof SEALED / sizeof *SEALED; i++) {
        check_case(SEALED[i].name);
        CHECK_INT(bench_init(SEALED[i].install), LSUIT_OK);
        b.platform.copy_decrypt = decrypt;
        decrypted = 0;
        CHECK_STR(lsuit_err_name(bench_run(false)), lsuit_err_name(SEALED[i].want));
        CHECK_UINT(decrypted, SEALED[i].want == LSUIT_OK);
        suit_device_fini(&b.device);
    }
}

/* --- Dry runs: nobody is asked, nothing is waited for. --- */

static void test_dry(void)
{
    check_case("a dry run decides what it can, and asks nobody");
    CHECK_INT(bench_init("20, {4: 1001, 26: 500, 27: 3, 28: <<[2, [1]]>>, 29: <<{5: 0}>>},"
                         " 4, 0, 26, 0, 27, 0, 28, 0, 29, 0"),
              LSUIT_OK);
    b.device.authorized = false;
    CHECK_STR(lsuit_err_name(bench_run(true)), lsuit_err_name(LSUIT_OK));
    CHECK_UINT(b.device.operations, 0);
    CHECK(b.run.dry_result.has_priority && b.run.dry_result.priority == 3);
    suit_device_fini(&b.device);

    check_case("and finds out that it is too late");
    CHECK_INT(bench_init("20, {4: 1000}, 4, 0"), LSUIT_OK);
    CHECK_STR(lsuit_err_name(bench_run(true)), lsuit_err_name(LSUIT_ERR_CONDITION));
    suit_device_fini(&b.device);
}

int main(void)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    test_rows(0);
    test_rows(2);
    test_lacks();
    test_sealed();
    test_dry();
    return check_done();
}
