/* A whole device. The tables of the board are written after ports/template/port.c. */
#include "lapel_context.h"

extern const struct lapel_net board_net;     /* four socket functions, TLS behind them */
extern const struct lapel_slots board_slots; /* the flash */
extern const struct lapel_boot board_boot;   /* the boot loader */
extern const struct lapel_nv board_nv;       /* two records */
extern const struct lapel_sys board_sys;     /* clock and chance */
extern const struct lapel_config board_config;
extern bool board_wait(uint32_t ms);      /* until it is time, or the product wants to check */
extern bool board_busy(void);             /* not now: the oven is on */
extern void board_show(const char *line); /* tell the user */

static uint8_t envelope[2048], io[1024];
static struct lapel_work work;
static struct lapel lapel;

static enum lapel_verdict gate(void *ctx, enum lapel_gate at, const struct lapel_offer *offer,
                               uint32_t *wait_ms_out)
{
    (void)ctx;
    (void)offer;
    *wait_ms_out = 600000;
    return at == LAPEL_GATE_REBOOT && board_busy() ? LAPEL_WAIT : LAPEL_ALLOW;
}

static void event(void *ctx, const struct lapel_event *e)
{
    (void)ctx;
    if (e->id == LAPEL_EVENT_AVAILABLE)
        board_show("an update is available");
    if (e->id == LAPEL_EVENT_DISRUPT)
        board_show("the device will restart");
    if (e->id == LAPEL_EVENT_INSTALLED)
        board_show("the update is installed");
}

static enum lapel_health health(void *ctx)
{
    (void)ctx;
    return LAPEL_HEALTH_OK; /* is the product well? asked while a new image is on trial */
}

int main(void)
{
    static const struct lapel_policy policy = { sizeof policy, gate, event, health };
    const struct lapel_ports ports = { &board_net,        &board_slots, &board_boot,
                                       &board_nv,         &board_sys,   &policy,
                                       &lsuit_crypto_psa, NULL,         NULL };
    const struct lapel_memory memory = {
        envelope, sizeof envelope, io, sizeof io, &work, NULL, NULL
    };
    uint32_t wait_ms = 0;

    if (lapel_init(&lapel, &board_config, &ports, &memory) != LAPEL_OK)
        board_show(lapel_init_why(&lapel));
    do {
        (void)lapel_step(&lapel, &wait_ms);
    } while (board_wait(wait_ms));
    return 0;
}
