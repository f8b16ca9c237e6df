/* lapel_init: what the caller handed over is looked at, and a start is settled. */
#include <string.h>

#include "core.h"

#define ENVELOPE_MIN 2048u

/* A reason to refuse; the words only where the build wants them. */
#define WHY(text) (LAPEL_WITH_WHY ? (text) : "")

typedef void (*member)(void);

_Static_assert(sizeof(member) == sizeof(void *), "members of a table stand side by side");
_Static_assert(offsetof(struct lapel_slots, find) == sizeof(size_t), "behind the size");

/* --- the tables of the port ------------------------------------------------------------------ */

/* Is the table as large as ours, and are its members 0 to n - 1 all there? */
static bool has_table(const void *table, size_t size, unsigned n)
{
    static const member NONE = NULL;
    const uint8_t *at = table;

    if (at == NULL || memcmp(at, &size, sizeof size) != 0)
        return false;
    for (at += sizeof size; n > 0; n--, at += sizeof NONE)
        if (memcmp(at, &NONE, sizeof NONE) == 0)
            return false;
    return true;
}

/* How many members of each table must be there: they stand first. */
#define REQUIRED(type, first_optional) \
    (unsigned)((offsetof(type, first_optional) - sizeof(size_t)) / sizeof(member))

static const char *ports_why(const struct lapel_ports *p)
{
    if (!has_table(p->net, sizeof *p->net, REQUIRED(struct lapel_net, up)))
        return WHY("net: connect, send, recv, close; or begin, head, body, close");
    if (!has_table(p->slots, sizeof *p->slots, REQUIRED(struct lapel_slots, set_length)))
        return WHY("slots: find, info, erase, write, read, manifest_write, manifest_read");
    if (!has_table(p->boot, sizeof *p->boot, REQUIRED(struct lapel_boot, counter)))
        return WHY("boot: state, stage, unstage, confirm, reject, reboot");
    if (!has_table(p->nv, sizeof *p->nv, REQUIRED(struct lapel_nv, counter_get)))
        return WHY("nv: read, write");
    if (!has_table(p->sys, sizeof *p->sys, REQUIRED(struct lapel_sys, epoch_s)))
        return WHY("sys: now_ms, random");
    if (p->trust != NULL &&
        !has_table(p->trust, sizeof *p->trust, REQUIRED(struct lapel_trust_store, use)))
        return WHY("trust: read, write");
    if (p->policy != NULL && p->policy->size != sizeof *p->policy)
        return WHY("policy: of another size");
    if (p->crypto == NULL || p->crypto->size != sizeof *p->crypto ||
        p->crypto->hash_start == NULL || p->crypto->hash_update == NULL ||
        p->crypto->hash_finish == NULL || p->crypto->hash_abort == NULL ||
        p->crypto->verify == NULL)
        return WHY("crypto: hash_start, hash_update, hash_finish, hash_abort, verify");
    return NULL;
}

/* --- configuration and memory ----------------------------------------------------------------- */

static bool fits(const char *s, size_t least, size_t most)
{
    size_t n = lsuit_text(s).len;

    return n >= least && n <= most;
}

/* None, or visible ASCII that cannot end a header line. */
static bool is_token(const char *s)
{
    if (s == NULL)
        return true;
    if (!fits(s, LSUIT_TOKEN_LEN, LSUIT_TOKEN_LEN))
        return false;
    for (; *s != '\0'; s++)
        if (*s <= 0x20 || *s > 0x7e)
            return false;
    return true;
}

static const char *keys_why(const struct lapel_config *c)
{
    bool set = LAPEL_WITH_TRUST && c->trust.ptr != NULL;

    if (!set && (c->release_keys == NULL || c->release_keys_n == 0))
        return WHY("release_keys: at least one, or a trust set");
    if (c->release_threshold > c->release_keys_n)
        return WHY("release_threshold: at most as many as there are keys");
    for (size_t i = 0; !c->allow_test_keys && i < c->release_keys_n; i++)
        if (lsuit_key_is_published(&c->release_keys[i]))
            return WHY("release_keys: a published test key: anybody can sign with it");
    return NULL;
}

static const char *config_why(const struct lapel_config *c, struct lapel_origin *origin_out)
{
    struct lapel_origin second;

    if (c->base_url[0] == NULL || !lapel_http_origin(c->base_url[0], origin_out))
        return WHY("base_url: https://host[:port], without a path");
    /* Files carry no credential, and all that has an effect in them is signed. */
    if (LAPEL_WITH_CLEAR && !origin_out->tls && !c->clear_credentials &&
        !(LAPEL_WITH_STATEMENTS && c->cdn && c->allow_clear))
        return WHY("base_url: http:// needs clear_credentials, or cdn and allow_clear");
    if (c->cdn && (!LAPEL_WITH_STATEMENTS || (c->online_keys_n == 0 && c->trust.ptr == NULL)))
        return WHY("cdn: needs online_keys, or a trust set");
    if (!fits(c->product, 1, LSUIT_NAME_MAX))
        return WHY("product: 1 to 64 bytes");
    if (!fits(c->model, 1, LSUIT_NAME_MAX))
        return WHY("model: 1 to 64 bytes");
    if (!fits(c->hardware, 0, LSUIT_HW_REVISION_MAX))
        return WHY("hardware: at most 32 bytes");
    if (c->device_id != NULL && !fits(c->device_id, 1, LSUIT_NAME_MAX))
        return WHY("device_id: 1 to 64 bytes, or NULL");
    if (!is_token(c->token) || !is_token(c->token_next))
        return WHY("token: 43 base64url characters, or NULL");
    if (c->base_url[1] != NULL && !lapel_http_origin(c->base_url[1], &second))
        return WHY("base_url: https://host[:port], without a path");
    return keys_why(c);
}

static const char *memory_why(const struct lapel_memory *m)
{
    if (m->envelope == NULL || m->envelope_size < ENVELOPE_MIN)
        return WHY("memory.envelope: at least 2048 bytes");
    if (m->io == NULL || m->io_size < LAPEL_IO_MIN)
        return WHY("memory.io: at least LAPEL_IO_MIN bytes");
    return m->work == NULL ? WHY("memory.work: one struct lapel_work") : NULL;
}

static enum lapel_err take_over(struct lapel *ctx)
{
    if ((ctx->why = config_why(ctx->config, &ctx->origin)) != NULL)
        return LAPEL_ERR_CONFIG;
    if ((ctx->why = ports_why(&ctx->port)) != NULL)
        return LAPEL_ERR_PORT;
    if (LAPEL_WITH_TRUST && ctx->port.trust != NULL && ctx->memory.trust == NULL)
        ctx->why = WHY("memory.trust: LAPEL_TRUST_SIZE bytes");
    else
        ctx->why = memory_why(&ctx->memory);
    if (ctx->why != NULL)
        return LAPEL_ERR_MEMORY;
    lapel_http_init(&ctx->http, ctx->memory.io, ctx->memory.io_size, ctx->port.net, ctx->port.ctx,
                    &ctx->origin);
    return LAPEL_OK;
}

/* --- the start ---------------------------------------------------------------------------------- */

/* The journal knows nothing: of a first start, or of two damaged records. The manifest of the
 * running image is signed and says how far this device was. */
static void recover(struct lapel *ctx)
{
    enum lapel_boot_state boot = LAPEL_BOOT_STEADY;
    uint8_t slot = 0;
    struct lapel_pair pair;

    ctx->rec.accepted.sequence = ctx->config->factory_sequence;
    if (ctx->port.boot->state(ctx->port.ctx, &boot, &slot) <= 0 || boot != LAPEL_BOOT_STEADY ||
        slot > 1)
        return;
    ctx->rec.attempt.slot = slot ^ 1;
    if (lapel_apply_from_slot(ctx, slot, &pair) && pair.sequence >= ctx->rec.accepted.sequence) {
        ctx->rec.accepted = pair;
        ctx->rec.accepted_known = true;
        ctx->running_slot = slot;
        lapel_apply_raise_counter(ctx);
    }
    ctx->manifest_ok = false;
}

/* A hardware counter can't be set back with the flash. */
static void raise_counter(struct lapel *ctx)
{
    uint64_t counter = 0;

    if (ctx->port.nv->counter_get != NULL &&
        ctx->port.nv->counter_get(ctx->port.ctx, &counter) > 0 && counter > ctx->rec.counter)
        ctx->rec.counter = counter;
}

/* The records, and what they and the boot loader say of each other. */
static enum lapel_err resume(struct lapel *ctx)
{
    enum lapel_err e = lapel_journal_load(ctx);

    if (e != LAPEL_OK) {
        ctx->why = WHY("nv: neither record can be read");
        return e;
    }
    if (!lapel_trust_load(ctx)) {
        ctx->why = WHY("trust: the factory's is no trust set, or names a published test key");
        return LAPEL_ERR_CONFIG;
    }
    if (!ctx->nv_known)
        recover(ctx);
    raise_counter(ctx);
    ctx->tick_saved = ctx->rec.postpone_left_ms;
    ctx->rec.boots++;
    e = lapel_state_settle(ctx);
    if (e != LAPEL_OK)
        ctx->why = e == LAPEL_ERR_NV ? WHY("nv: a record can't be written") : WHY("boot: no state");
    return e;
}

enum lapel_err lapel_init(struct lapel *ctx, const struct lapel_config *config,
                          const struct lapel_ports *ports, const struct lapel_memory *memory)
{
    memset(ctx, 0, sizeof *ctx);
    ctx->config = config;
    ctx->port = *ports;
    ctx->memory = *memory;
    if (memory->support_url != NULL)
        memory->support_url[0] = '\0';

    enum lapel_err e = take_over(ctx);
    if (e != LAPEL_OK)
        return e;
    ctx->phase_fraction =
        lapel_sched_phase(config->device_id != NULL ? config->device_id : config->model);
    ctx->tick = now_ms(ctx);
    if (LAPEL_WITH_STATEMENTS)
        lapel_fresh_init(ctx);
    e = resume(ctx);
    if (e != LAPEL_OK)
        return e;
    lapel_trust_locate(ctx);
    (void)lapel_journal_save(ctx); /* the count of boots; it goes with the next record otherwise */

    lapel_self_start(ctx);
    if (ctx->rec.state == LAPEL_TRIAL || ctx->rec.state == LAPEL_FAILED ||
        ctx->rec.outcome.kind != LAPEL_OUTCOME_NONE)
        lapel_core_soon(ctx, SOON_MS);
    else
        lapel_core_soon(ctx, UINT32_MAX);
    return LAPEL_OK;
}

const char *lapel_init_why(const struct lapel *ctx)
{
    return ctx->why == NULL ? "" : ctx->why;
}
