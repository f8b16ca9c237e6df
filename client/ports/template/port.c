/*
 * A port to fill in. It builds, and every function says "not here": a device made of it starts,
 * refuses at lapel_init, and harms nothing.
 *
 * The rule for all of them: above 0 done, 0 try again later, below 0 an error. None may block
 * longer than the watchdog allows. lapel_port.h has the contract of each.
 */
#include "port.h"

/* --- network: one connection, TLS where `tls` says so ------------------------------------------ */

static int net_connect(void *ctx, const char *host, uint16_t port, bool tls)
{
    (void)ctx;
    (void)host;
    (void)port;
    (void)tls;             /* certificate and name are checked here, and only here */
    return LAPEL_NET_FAIL; /* 0 while it is being made: the same call follows */
}

static int net_send(void *ctx, const uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)buf;
    (void)n;
    return LAPEL_NET_FAIL;
}

static int net_recv(void *ctx, uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)buf;
    (void)n;
    return LAPEL_NET_FAIL; /* LAPEL_NET_CLOSED when the peer ended it in order */
}

static void net_close(void *ctx)
{
    (void)ctx;
}

const struct lapel_net template_net = { sizeof template_net, net_connect, net_send, net_recv,
                                        net_close,           NULL };

/* --- slots: the one that runs is never written ------------------------------------------------- */

static int slots_find(void *ctx, struct lsuit_bytes id)
{
    (void)ctx;
    (void)id; /* [h'00'] is 81 41 00 */
    return -1;
}

static int slots_info(void *ctx, int component, uint8_t slot, struct lapel_slot_info *info_out)
{
    (void)ctx;
    (void)component;
    (void)slot;
    (void)info_out;
    return -1;
}

static int slots_erase(void *ctx, int component, uint8_t slot, uint64_t offset)
{
    (void)ctx;
    (void)component;
    (void)slot;
    (void)offset;
    return -1;
}

static int slots_write(void *ctx, int component, uint8_t slot, uint64_t offset, const uint8_t *buf,
                       size_t n)
{
    (void)ctx;
    (void)component;
    (void)slot;
    (void)offset;
    (void)buf;
    (void)n; /* all of it, or an error */
    return -1;
}

static int slots_read(void *ctx, int component, uint8_t slot, uint64_t offset, uint8_t *buf,
                      size_t n)
{
    (void)ctx;
    (void)component;
    (void)slot;
    (void)offset;
    (void)buf;
    (void)n; /* all of it, or an error; from the medium, not from a cache */
    return -1;
}

static int manifest_write(void *ctx, uint8_t slot, const uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)slot;
    (void)buf;
    (void)n; /* after a cut the whole of it stands there, or nothing: length last */
    return -1;
}

static int manifest_read(void *ctx, uint8_t slot, uint8_t *buf, size_t cap)
{
    (void)ctx;
    (void)slot;
    (void)buf;
    (void)cap;
    return 0; /* empty */
}

const struct lapel_slots template_slots = { sizeof template_slots, slots_find,    slots_info,
                                            slots_erase,           slots_write,   slots_read,
                                            manifest_write,        manifest_read, NULL };

/* --- boot loader: each act is durable when it answers 1 ------------------------------------------ */

static int boot_state(void *ctx, enum lapel_boot_state *state_out, uint8_t *running_slot_out)
{
    (void)ctx;
    (void)state_out;
    (void)running_slot_out;
    return -1;
}

static int boot_stage(void *ctx, uint8_t slot)
{
    (void)ctx;
    (void)slot;
    return -1;
}

static int boot_none(void *ctx)
{
    (void)ctx;
    return -1;
}

const struct lapel_boot template_boot = { sizeof template_boot,
                                          boot_state,
                                          boot_stage,
                                          boot_none,
                                          boot_none,
                                          boot_none,
                                          boot_none,
                                          NULL,
                                          NULL,
                                          false };

/* --- two records in different erase units --------------------------------------------------------- */

static int nv_read(void *ctx, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)record;
    (void)offset;
    (void)buf;
    (void)n;
    return -1;
}

static int nv_write(void *ctx, uint8_t record, const uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)record;
    (void)buf;
    (void)n; /* erase the unit, program it; never the other one */
    return -1;
}

const struct lapel_nv template_nv = { sizeof template_nv, nv_read, nv_write, NULL, NULL, NULL };

/* --- clock and chance ------------------------------------------------------------------------------ */

static uint64_t sys_now_ms(void *ctx)
{
    (void)ctx;
    return 0;
}

static int sys_random(void *ctx, uint8_t *buf, size_t n)
{
    (void)ctx;
    (void)buf;
    (void)n; /* from a cryptographic generator, never from a counter */
    return -1;
}

const struct lapel_sys template_sys = { sizeof template_sys, sys_now_ms, sys_random, NULL };
