/* The public functions. */
#include "lapel_context.h"

enum lapel_err lapel_init(struct lapel *ctx, const struct lapel_config *config,
                          const struct lapel_ports *ports, const struct lapel_memory *memory)
{
    (void)ctx;
    (void)config;
    (void)ports;
    (void)memory;
    return LAPEL_ERR_STATE;
}
enum lapel_err lapel_step(struct lapel *ctx, uint32_t *wait_ms_out)
{
    (void)ctx;
    *wait_ms_out = 1000;
    return LAPEL_ERR_STATE;
}
enum lapel_err lapel_confirm(struct lapel *ctx)
{
    (void)ctx;
    return LAPEL_ERR_STATE;
}
enum lapel_err lapel_reject(struct lapel *ctx)
{
    (void)ctx;
    return LAPEL_ERR_STATE;
}
void lapel_kick(struct lapel *ctx)
{
    (void)ctx;
}
enum lapel_err lapel_user_set(struct lapel *ctx, enum lapel_setting setting,
                              enum lapel_choice choice, enum lapel_actor by)
{
    (void)ctx;
    (void)setting;
    (void)choice;
    (void)by;
    return LAPEL_ERR_STATE;
}
enum lapel_err lapel_postpone(struct lapel *ctx, uint32_t ms)
{
    (void)ctx;
    (void)ms;
    return LAPEL_ERR_STATE;
}
void lapel_status(const struct lapel *ctx, struct lapel_status *status_out)
{
    (void)ctx;
    *status_out = (struct lapel_status){ 0 };
}
enum lapel_err lapel_apply(struct lapel *ctx, const uint8_t *envelope, size_t n,
                           int (*read)(void *ctx, struct lsuit_bytes uri, uint64_t offset,
                                       uint8_t *buf, size_t n))
{
    (void)ctx;
    (void)envelope;
    (void)n;
    (void)read;
    return LAPEL_ERR_STATE;
}
const char *lapel_state_name(enum lapel_state state)
{
    (void)state;
    return "ready";
}
const char *lapel_init_why(const struct lapel *ctx)
{
    (void)ctx;
    return "not built yet";
}
