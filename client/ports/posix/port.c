/* The tables that liblapel calls, each member one line to the part that does the work. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "nv.h"
#include "seal.h"
#include "sys.h"

static int on_connect(void *ctx, const char *host, uint16_t port, bool tls)
{
    return net_connect(&((struct agent *)ctx)->net, host, port, tls);
}

static int on_send(void *ctx, const uint8_t *buf, size_t n)
{
    return net_send(&((struct agent *)ctx)->net, buf, n);
}

static int on_recv(void *ctx, uint8_t *buf, size_t n)
{
    return net_recv(&((struct agent *)ctx)->net, buf, n);
}

static void on_close(void *ctx)
{
    net_close(&((struct agent *)ctx)->net);
}

static bool on_up(void *ctx)
{
    return net_up(&((struct agent *)ctx)->net);
}

const struct lapel_net port_net = {
    .size = sizeof port_net,
    .connect = on_connect,
    .send = on_send,
    .recv = on_recv,
    .close = on_close,
    .up = on_up,
};

static int on_find(void *ctx, struct lsuit_bytes id)
{
    return slots_find(&((struct agent *)ctx)->slots, id);
}

static int on_info(void *ctx, int component, uint8_t slot, struct lapel_slot_info *info_out)
{
    return slots_info(&((struct agent *)ctx)->slots, component, slot, info_out);
}

static int on_erase(void *ctx, int component, uint8_t slot, uint64_t offset)
{
    return slots_erase(&((struct agent *)ctx)->slots, component, slot, offset);
}

static int on_write(void *ctx, int component, uint8_t slot, uint64_t offset, const uint8_t *buf,
                    size_t n)
{
    return slots_write(&((struct agent *)ctx)->slots, component, slot, offset, buf, n);
}

static int on_read(void *ctx, int component, uint8_t slot, uint64_t offset, uint8_t *buf, size_t n)
{
    return slots_read(&((struct agent *)ctx)->slots, component, slot, offset, buf, n);
}

static int on_set_length(void *ctx, int component, uint8_t slot, uint64_t length)
{
    return slots_set_length(&((struct agent *)ctx)->slots, component, slot, length);
}

static int on_manifest_write(void *ctx, uint8_t slot, const uint8_t *buf, size_t n)
{
    return slots_manifest_write(&((struct agent *)ctx)->slots, slot, buf, n);
}

static int on_manifest_read(void *ctx, uint8_t slot, uint8_t *buf, size_t cap)
{
    return slots_manifest_read(&((struct agent *)ctx)->slots, slot, buf, cap);
}

const struct lapel_slots port_slots = {
    .size = sizeof port_slots,
    .find = on_find,
    .info = on_info,
    .erase = on_erase,
    .write = on_write,
    .read = on_read,
    .set_length = on_set_length,
    .manifest_write = on_manifest_write,
    .manifest_read = on_manifest_read,
};

static int on_state(void *ctx, enum lapel_boot_state *state_out, uint8_t *running_slot_out)
{
    return boot_state(&((struct agent *)ctx)->boot, state_out, running_slot_out);
}

static int on_stage(void *ctx, uint8_t slot)
{
    return boot_stage(&((struct agent *)ctx)->boot, slot);
}

static int on_unstage(void *ctx)
{
    return boot_unstage(&((struct agent *)ctx)->boot);
}

static int on_confirm(void *ctx)
{
    return boot_confirm(&((struct agent *)ctx)->boot);
}

static int on_reject(void *ctx)
{
    return boot_reject(&((struct agent *)ctx)->boot);
}

/* The loop that called the core does it: a restart in the middle of a step would skip the way
 * out through sockets, log and lock. */
static int on_reboot(void *ctx)
{
    ((struct agent *)ctx)->reboot_wanted = true;
    return 1;
}

/* No power_on: on Linux a power-on can't be told from a reset by a watchdog in a general way. */
const struct lapel_boot port_boot = {
    .size = sizeof port_boot,
    .state = on_state,
    .stage = on_stage,
    .unstage = on_unstage,
    .confirm = on_confirm,
    .reject = on_reject,
    .reboot = on_reboot,
    .atomic_set = true, /* a slot is a folder, and boots as a whole */
};

static int on_nv_read(void *ctx, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    return nv_read(((struct agent *)ctx)->state_fd, record, offset, buf, n);
}

static int on_nv_write(void *ctx, uint8_t record, const uint8_t *buf, size_t n)
{
    return nv_write(((struct agent *)ctx)->state_fd, record, buf, n);
}

static int on_seal(void *ctx, const uint8_t digest[32], uint8_t seal_out[32])
{
    return seal_make(((struct agent *)ctx)->seal, digest, seal_out);
}

const struct lapel_nv port_nv = {
    .size = sizeof port_nv,
    .read = on_nv_read,
    .write = on_nv_write,
    .seal = on_seal,
};

static int on_trust_read(void *ctx, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    return nv_trust_read(((struct agent *)ctx)->state_fd, record, offset, buf, n);
}

static int on_trust_write(void *ctx, uint8_t record, const uint8_t *buf, size_t n)
{
    return nv_trust_write(((struct agent *)ctx)->state_fd, record, buf, n);
}

static void on_trust_use(void *ctx, const struct lsuit_trust *set, bool factory)
{
    net_trust(&((struct agent *)ctx)->net, set, factory);
}

const struct lapel_trust_store port_trust = {
    .size = sizeof port_trust,
    .read = on_trust_read,
    .write = on_trust_write,
    .use = on_trust_use,
};

static uint64_t on_now(void *ctx)
{
    (void)ctx;
    return sys_now_ms();
}

static int on_random(void *ctx, uint8_t *buf, size_t n)
{
    (void)ctx;
    return sys_random(buf, n);
}

static int64_t on_epoch(void *ctx)
{
    (void)ctx;
    return sys_epoch_s();
}

const struct lapel_sys port_sys = {
    .size = sizeof port_sys,
    .now_ms = on_now,
    .random = on_random,
    .epoch_s = on_epoch,
};

/* "../payloads/" and 64 hex digits, nothing else: the name that is opened is our own copy. */
static bool payload_name(struct lsuit_bytes uri, char *name_out)
{
    static const char PREFIX[] = "../payloads/";
    size_t skip = sizeof PREFIX - 1;

    if (uri.len != skip + 64 || memcmp(uri.ptr, PREFIX, skip) != 0)
        return false;
    for (size_t i = 0; i < 64; i++) {
        char c = (char)uri.ptr[skip + i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        name_out[i] = c;
    }
    name_out[64] = '\0';
    return true;
}

/* Beside the file that is applied: payloads/DIGEST, ../payloads/DIGEST or DIGEST; never a link, which
 * would have the agent open what the asker may not. */
static int open_payload(int dirfd, const char *name)
{
    static const char *const FOLDER[] = { "payloads/", "../payloads/", "" };
    int fd = -1;

    for (size_t i = 0; i < sizeof FOLDER / sizeof FOLDER[0] && fd < 0; i++) {
        char path[96];
        (void)snprintf(path, sizeof path, "%s%s", FOLDER[i], name);
        fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    }
    return fd;
}

int port_apply_read(void *ctx, struct lsuit_bytes uri, uint64_t offset, uint8_t *buf, size_t n)
{
    struct agent *a = ctx;
    char name[65];
    ssize_t got = 0;
    int fd = -1;

    if (a->apply_dir < 0 || !payload_name(uri, name) || offset > INT64_MAX || n > INT32_MAX)
        return -1;
    fd = open_payload(a->apply_dir, name);
    if (fd < 0)
        return -1;
    do
        got = pread(fd, buf, n, (off_t)offset);
    while (got < 0 && errno == EINTR);
    close(fd);
    return got > 0 ? (int)got : -1; /* its end before the image's end is an error too */
}
