/*
 * The device of client/README.md: its C block is client/examples/minimal.c, which is built here
 * on a device made of memory, and updates itself.
 */
#include "check.h"
#include "device.h"

/* The board: one device, and the tables that the example names. */
static struct device d;
static int restarts;
static char shown[8][80];
static int shown_n;

/* The example has no context; the device's own functions want one. */
static int b_connect(void *x, const char *host, uint16_t port, bool tls)
{
    (void)x;
    return dev_connect(&d, host, port, tls);
}
static int b_send(void *x, const uint8_t *buf, size_t n)
{
    (void)x;
    return dev_send(&d, buf, n);
}
static int b_recv(void *x, uint8_t *buf, size_t n)
{
    (void)x;
    return dev_recv(&d, buf, n);
}
static void b_close(void *x)
{
    (void)x;
    dev_close(&d);
}
static int b_info(void *x, int c, uint8_t slot, struct lapel_slot_info *info_out)
{
    (void)x;
    return dev_info(&d, c, slot, info_out);
}
static int b_erase(void *x, int c, uint8_t slot, uint64_t at)
{
    (void)x;
    return dev_erase(&d, c, slot, at);
}
static int b_write(void *x, int c, uint8_t slot, uint64_t at, const uint8_t *buf, size_t n)
{
    (void)x;
    return dev_write(&d, c, slot, at, buf, n);
}
static int b_read(void *x, int c, uint8_t slot, uint64_t at, uint8_t *buf, size_t n)
{
    (void)x;
    return dev_read(&d, c, slot, at, buf, n);
}
static int b_manifest_write(void *x, uint8_t slot, const uint8_t *buf, size_t n)
{
    (void)x;
    return dev_manifest_write(&d, slot, buf, n);
}
static int b_manifest_read(void *x, uint8_t slot, uint8_t *buf, size_t cap)
{
    (void)x;
    return dev_manifest_read(&d, slot, buf, cap);
}
static int b_state(void *x, enum lapel_boot_state *state_out, uint8_t *slot_out)
{
    (void)x;
    return dev_state(&d, state_out, slot_out);
}
static int b_stage(void *x, uint8_t slot)
{
    (void)x;
    return dev_stage(&d, slot);
}
static int b_unstage(void *x)
{
    (void)x;
    return dev_unstage(&d);
}
static int b_confirm(void *x)
{
    (void)x;
    return dev_confirm(&d);
}
static int b_reject(void *x)
{
    (void)x;
    return dev_reject(&d);
}
static int b_reboot(void *x)
{
    (void)x;
    return dev_reboot(&d);
}
static int b_nv_read(void *x, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    (void)x;
    return dev_nv_read(&d, record, offset, buf, n);
}
static int b_nv_write(void *x, uint8_t record, const uint8_t *buf, size_t n)
{
    (void)x;
    return dev_nv_write(&d, record, buf, n);
}
static uint64_t b_now(void *x)
{
    (void)x;
    return d.now;
}
static int b_random(void *x, uint8_t *buf, size_t n)
{
    (void)x;
    return dev_chance(&d, buf, n);
}

/* clang-format off */
extern const struct lapel_net board_net;
extern const struct lapel_slots board_slots;
extern const struct lapel_boot board_boot;
extern const struct lapel_nv board_nv;
extern const struct lapel_sys board_sys;
extern const struct lapel_config board_config;
const struct lapel_net board_net = { sizeof board_net, b_connect, b_send, b_recv, b_close, NULL };
const struct lapel_slots board_slots = { sizeof board_slots, dev_find, b_info, b_erase, b_write, b_read, b_manifest_write, b_manifest_read, NULL };
const struct lapel_boot board_boot = { sizeof board_boot, b_state, b_stage, b_unstage, b_confirm, b_reject, b_reboot, NULL, NULL, true };
const struct lapel_nv board_nv = { sizeof board_nv, b_nv_read, b_nv_write, NULL, NULL, NULL };
const struct lapel_sys board_sys = { sizeof board_sys, b_now, b_random, NULL };
/* clang-format on */

/* The keys are made at run time, so the bytes of the configuration are too. */
static struct signer key;
static struct lsuit_key keys[1];
const struct lapel_config board_config = {
    .base_url = { "https://updates.example", NULL },
    .product = "lamp",
    .model = "LAMP-1",
    .device_id = "device-0001",
    .token = DEVICE_TOKEN,
    .vendor_id = { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c,
                   0x1d, 0x1e, 0x1f },
    .class_id = { 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c,
                  0x2d, 0x2e, 0x2f },
    .release_keys = keys,
    .release_keys_n = 1,
};

bool board_wait(uint32_t ms);
bool board_busy(void);
void board_show(const char *line);

static int steps;
bool board_wait(uint32_t ms)
{
    d.now += ms;
    return !d.reboot_asked && ++steps < 5000;
}

static bool busy = true;
bool board_busy(void)
{
    bool was = busy;

    busy = false; /* once */
    return was;
}

void board_show(const char *line)
{
    if (shown_n < 8)
        snprintf(shown[shown_n++], sizeof shown[0], "%s", line);
}

#define main minimal_main
int minimal_main(void);
#include "client/examples/minimal.c"
#undef main

static bool same_as_readme(void)
{
    static char readme[40000], example[8000];
    FILE *f = fopen("client/README.md", "r");
    FILE *g = fopen("client/examples/minimal.c", "r");
    bool same = false;

    if (f != NULL && g != NULL) {
        size_t n = fread(readme, 1, sizeof readme - 1, f);
        size_t m = fread(example, 1, sizeof example - 1, g);

        readme[n] = example[m] = '\0';
        const char *at = strstr(readme, "```c\n");
        same = at != NULL && m > 0 && strncmp(at + 5, example, m) == 0 &&
               strncmp(at + 5 + m, "```\n", 4) == 0;
    }
    if (f != NULL)
        fclose(f);
    if (g != NULL)
        fclose(g);
    return same;
}

int main(void)
{
    static struct release v1, v2;

    signer_init(&key);
    keys[0] = key.key;
    release_make(&v1, 16, 3000, &key, &(struct release_how){ 0 });
    release_make(&v2, 32, 5000, &key, &(struct release_how){ 0 });

    check_case("the example updates itself");
    device_init(&d, &key, &v1, 8, 0xff);
    d.image[d.images++] = &v2;
    d.server.release = &v2;
    do {
        device_loader(&d);
        d.reboot_asked = false;
        d.now = 1000;
        (void)minimal_main();
    } while (d.reboot_asked && ++restarts < 5);
    CHECK_INT(restarts, 1);
    CHECK_INT(d.active, 1);
    CHECK_UINT(d.server.running, 32);
    CHECK_INT(shown_n, 3);
    CHECK_STR(shown[0], "an update is available");
    CHECK_STR(shown[1], "the device will restart");
    CHECK_STR(shown[2], "the update is installed");

    check_case("client/README.md shows the example as it is");
    CHECK(same_as_readme());
    return check_done();
}
