/* client/ports/template filled in after client/PORTING.md: a board whose flash is files, and whose
 * boot loader is newcomer_start. */
/* clang-format off */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lapel.h"
#include "newcomer.h"

static int sock = -1;
static char mode = 'r'; /* of the boot loader: rest, staged, trial, gone back */
static uint8_t running;

/* --- files that are flash: the whole write is on disk, or the former bytes are --------------- */
static int put(const char *name, uint8_t n, uint64_t at, const void *buf, size_t len, bool whole)
{
    char path[40];
    (void)snprintf(path, sizeof path, "%s%u", name, n);
    int fd = open(whole ? "new" : path, O_WRONLY | O_CREAT | (whole ? O_TRUNC : 0), 0600);
    bool ok = fd >= 0 && pwrite(fd, buf, len, (off_t)at) == (ssize_t)len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok && (!whole || rename("new", path) == 0) ? 1 : -1;
}

static int get(const char *name, uint8_t n, uint64_t at, void *buf, size_t len)
{
    char path[40];
    (void)snprintf(path, sizeof path, "%s%u", name, n);
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? 0 : pread(fd, buf, len, (off_t)at);
    if (fd >= 0)
        close(fd);
    return (int)got;
}

/* --- boot loader --------------------------------------------------------------------------------- */
static int boot_put(char to, uint8_t slot)
{
    char text[2] = { to, (char)('0' + slot) };
    if (put("boot", 0, 0, text, 2, true) < 0)
        return -1;
    mode = to;
    running = slot;
    return 1;
}

void newcomer_start(void)
{
    char text[2] = { 'r', '0' };
    (void)get("boot", 0, 0, text, 2);
    mode = text[0];
    running = text[1] == '1';
    if (mode == 's')
        (void)boot_put('t', running ^ 1); /* try it */
    else if (mode == 't')
        (void)boot_put('g', running ^ 1); /* not confirmed: back */
}

static int boot_state(void *ctx, enum lapel_boot_state *state_out, uint8_t *slot_out)
{
    *state_out = mode == 's'   ? LAPEL_BOOT_STAGED
                 : mode == 't' ? LAPEL_BOOT_TRIAL
                 : mode == 'g' ? LAPEL_BOOT_REVERTED
                               : LAPEL_BOOT_STEADY;
    *slot_out = running;
    return ctx == NULL;
}
static int boot_stage(void *ctx, uint8_t slot) { return ctx == NULL && slot != running ? boot_put('s', running) : -1; }
static int boot_keep(void *ctx) { return ctx == NULL ? boot_put('r', running) : -1; }
static int boot_reject(void *ctx) { return ctx == NULL; } /* what isn't confirmed goes back */
static int boot_reboot(void *ctx) { exit(ctx == NULL ? 75 : 1); }
const struct lapel_boot newcomer_boot = { .size = sizeof newcomer_boot, .state = boot_state, .stage = boot_stage, .unstage = boot_keep, .confirm = boot_keep, .reject = boot_reject, .reboot = boot_reboot };

/* --- slots: [h'6d61696e'], which is the text "main", of 1 MiB ------------------------------------- */
static int slots_find(void *ctx, struct lsuit_bytes id) { return ctx == NULL && id.len == 6 && memcmp(id.ptr, "\x81\x44main", 6) == 0 ? 0 : -1; }
static int slots_info(void *ctx, int component, uint8_t slot, struct lapel_slot_info *info_out)
{
    (void)component, (void)slot;
    *info_out = (struct lapel_slot_info){ .size = 1 << 20, .erase_size = 4096, .write_size = 16, .erased_value = 0xff };
    return ctx == NULL;
}
static int slots_erase(void *ctx, int component, uint8_t slot, uint64_t offset)
{
    uint8_t unit[4096];
    (void)ctx, (void)component;
    memset(unit, 0xff, sizeof unit);
    return slot == running ? -1 : put("slot", slot, offset, unit, sizeof unit, false);
}
static int slots_write(void *ctx, int component, uint8_t slot, uint64_t offset, const uint8_t *buf, size_t n)
{
    (void)ctx, (void)component;
    return slot == running ? -1 : put("slot", slot, offset, buf, n, false);
}
static int slots_read(void *ctx, int component, uint8_t slot, uint64_t offset, uint8_t *buf, size_t n)
{
    (void)ctx, (void)component;
    return get("slot", slot, offset, buf, n) == (int)n ? (int)n : -1;
}
static int manifest_write(void *ctx, uint8_t slot, const uint8_t *buf, size_t n) { return ctx == NULL ? put("manifest", slot, 0, buf, n, true) : -1; }
static int manifest_read(void *ctx, uint8_t slot, uint8_t *buf, size_t cap) { return ctx == NULL ? get("manifest", slot, 0, buf, cap) : -1; }
const struct lapel_slots newcomer_slots = { .size = sizeof newcomer_slots, .find = slots_find, .info = slots_info, .erase = slots_erase, .write = slots_write, .read = slots_read, .manifest_write = manifest_write, .manifest_read = manifest_read };

/* --- records ----------------------------------------------------------------------------------------- */
static int nv_read(void *ctx, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    int got = get("record", record, offset, buf, n);
    memset(buf + got, 0xff, n - (size_t)got);
    return ctx == NULL;
}
static int nv_write(void *ctx, uint8_t record, const uint8_t *buf, size_t n) { return ctx == NULL ? put("record", record, 0, buf, n, true) : -1; }
const struct lapel_nv newcomer_nv = { .size = sizeof newcomer_nv, .read = nv_read, .write = nv_write };

/* --- clock and chance ---------------------------------------------------------------------------------- */
static uint64_t now_ms(void *ctx)
{
    struct timespec t = { 0 };
    (void)ctx, (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
static int chance(void *ctx, uint8_t *buf, size_t n) { return ctx == NULL && getrandom(buf, n, 0) == (ssize_t)n ? 1 : -1; }
const struct lapel_sys newcomer_sys = { .size = sizeof newcomer_sys, .now_ms = now_ms, .random = chance };

/* --- network: the test's server is on loopback, without TLS --------------------------------------------- */
static int net_connect(void *ctx, const char *host, uint16_t port, bool tls)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    (void)ctx;
    sock = tls || inet_pton(AF_INET, host, &to.sin_addr) != 1 ? -1 : socket(AF_INET, SOCK_STREAM, 0);
    return sock >= 0 && connect(sock, (struct sockaddr *)&to, sizeof to) == 0 ? 1 : LAPEL_NET_FAIL;
}
static int net_result(ssize_t n) { return n > 0 ? (int)n : errno == EAGAIN ? 0 : LAPEL_NET_FAIL; }
static int net_send(void *ctx, const uint8_t *buf, size_t n) { return ctx == NULL ? net_result(send(sock, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL)) : -1; }
static int net_recv(void *ctx, uint8_t *buf, size_t n)
{
    ssize_t got = recv(sock, buf, n, MSG_DONTWAIT);
    return ctx != NULL || got == 0 ? LAPEL_NET_CLOSED : net_result(got);
}
static void net_close(void *ctx) { (void)ctx, (void)close(sock); }
const struct lapel_net newcomer_net = { .size = sizeof newcomer_net, .connect = net_connect, .send = net_send, .recv = net_recv, .close = net_close };
