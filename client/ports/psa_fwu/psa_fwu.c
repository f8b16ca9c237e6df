#include "psa_fwu.h"

#include <string.h>

#include <psa/internal_trusted_storage.h>
#include <psa/update.h>

/* Items in the storage, from uid on. */
enum item { ITEM_MARK = 0, ITEM_MANIFEST0 = 1, ITEM_RECORD0 = 3 };

/* (1) */
struct mark {
    uint8_t former;    /* number of the image that ran when the update began */
    uint8_t accepting; /* psa_fwu_accept was about to be called */
};

static int item_get(const struct lapel_psa_fwu *p, uint64_t item, size_t offset, void *buf,
                    size_t cap)
{
    size_t n = 0;
    psa_status_t s = psa_its_get(p->uid + item, offset, cap, buf, &n);

    if (s == PSA_ERROR_DOES_NOT_EXIST)
        return 0;
    return s == PSA_SUCCESS ? (int)n : -1;
}

static int item_set(const struct lapel_psa_fwu *p, uint64_t item, const void *buf, size_t n)
{
    return psa_its_set(p->uid + item, n, buf, PSA_STORAGE_FLAG_NONE) == PSA_SUCCESS ? 1 : -1;
}

static int mark_set(const struct lapel_psa_fwu *p, uint8_t former, bool accepting)
{
    const struct mark m = { former, accepting };

    return item_set(p, ITEM_MARK, &m, sizeof m);
}

/* --- where it stands -------------------------------------------------------------------------- */

struct standing {
    uint8_t state; /* PSA_FWU_... */
    uint8_t former, running;
    uint32_t size;
};

static bool runs_new(uint8_t state, bool accepting)
{
    switch (state) {
    case PSA_FWU_TRIAL:
    case PSA_FWU_REJECTED:
    case PSA_FWU_UPDATED:
        return true;
    case PSA_FWU_READY:
        return accepting;
    default:
        return false;
    }
}

/* The service's state, and by it which image runs. At rest the mark is brought up to date, for the
 * service may forget FAILED and UPDATED at the next start. */
static int look(void *ctx, struct standing *s_out)
{
    const struct lapel_psa_fwu *p = ctx;
    psa_fwu_component_info_t info;
    struct mark m = { 0, 0 };

    if (psa_fwu_query(p->component, &info) != PSA_SUCCESS ||
        item_get(p, ITEM_MARK, 0, &m, sizeof m) < 0)
        return -1;
    s_out->state = info.state;
    s_out->size = info.max_size;
    s_out->former = m.former & 1;
    s_out->running = s_out->former ^ (runs_new(info.state, m.accepting) ? 1 : 0);
    if (m.accepting && (info.state == PSA_FWU_READY || info.state == PSA_FWU_FAILED)) {
        s_out->former = s_out->running;
        return mark_set(p, s_out->running, false);
    }
    return 1;
}

/* Whatever ended before is cleaned away. */
static int make_ready(void *ctx)
{
    const struct lapel_psa_fwu *p = ctx;
    struct standing s;

    if (look(ctx, &s) < 0)
        return -1;
    if ((s.state == PSA_FWU_WRITING || s.state == PSA_FWU_CANDIDATE) &&
        (psa_fwu_cancel(p->component) != PSA_SUCCESS || look(ctx, &s) < 0))
        return -1;
    if ((s.state == PSA_FWU_FAILED || s.state == PSA_FWU_UPDATED) &&
        (psa_fwu_clean(p->component) != PSA_SUCCESS || look(ctx, &s) < 0))
        return -1;
    return s.state == PSA_FWU_READY ? 1 : -1;
}

/* --- slots -------------------------------------------------------------------------------------- */

static int find(void *ctx, struct lsuit_bytes id)
{
    const struct lapel_psa_fwu *p = ctx;

    return id.len == p->id.len && memcmp(id.ptr, p->id.ptr, id.len) == 0 ? 0 : -1;
}

static int info(void *ctx, int component, uint8_t slot, struct lapel_slot_info *info_out)
{
    const struct lapel_psa_fwu *p = ctx;
    struct standing s;

    (void)component;
    (void)slot;
    if (look(ctx, &s) < 0)
        return -1;
    *info_out = (struct lapel_slot_info){
        .size = s.size, .erase_size = s.size, .write_size = p->write_size, .erased_value = 0xff
    };
    return 1;
}

static int erase(void *ctx, int component, uint8_t slot, uint64_t offset)
{
    const struct lapel_psa_fwu *p = ctx;
    struct standing s;

    (void)component;
    if (offset != 0 || look(ctx, &s) < 0 || slot == s.running || make_ready(ctx) < 0)
        return -1;
    return psa_fwu_start(p->component, NULL, 0) == PSA_SUCCESS ? 1 : -1;
}

static int write(void *ctx, int component, uint8_t slot, uint64_t offset, const uint8_t *buf,
                 size_t n)
{
    const struct lapel_psa_fwu *p = ctx;
    struct standing s;

    (void)component;
    if (look(ctx, &s) < 0 || slot == s.running || s.state != PSA_FWU_WRITING)
        return -1;
    for (size_t at = 0; at < n;) {
        size_t part = n - at < p->write_max ? n - at : p->write_max;

        if (psa_fwu_write(p->component, (size_t)offset + at, buf + at, part) != PSA_SUCCESS)
            return -1;
        at += part;
    }
    return 1;
}

static int read(void *ctx, int component, uint8_t slot, uint64_t offset, uint8_t *buf, size_t n)
{
    const struct lapel_psa_fwu *p = ctx;
    struct standing s;

    (void)component;
    return look(ctx, &s) < 0 ? -1 : p->read(ctx, slot == s.running, offset, buf, n);
}

static int set_length(void *ctx, int component, uint8_t slot, uint64_t length)
{
    const struct lapel_psa_fwu *p = ctx;
    struct standing s;

    (void)component;
    (void)length;
    if (look(ctx, &s) < 0 || slot == s.running)
        return -1;
    if (s.state == PSA_FWU_CANDIDATE)
        return 1;
    return psa_fwu_finish(p->component) == PSA_SUCCESS ? 1 : -1;
}

static int manifest_write(void *ctx, uint8_t slot, const uint8_t *buf, size_t n)
{
    return item_set(ctx, ITEM_MANIFEST0 + (slot & 1u), buf, n);
}

static int manifest_read(void *ctx, uint8_t slot, uint8_t *buf, size_t cap)
{
    return item_get(ctx, ITEM_MANIFEST0 + (slot & 1u), 0, buf, cap);
}

const struct lapel_slots lapel_psa_fwu_slots = {
    .size = sizeof lapel_psa_fwu_slots,
    .find = find,
    .info = info,
    .erase = erase,
    .write = write,
    .read = read,
    .manifest_write = manifest_write,
    .manifest_read = manifest_read,
    .set_length = set_length,
};

/* --- boot loader ---------------------------------------------------------------------------------- */

static int state(void *ctx, enum lapel_boot_state *state_out, uint8_t *running_slot_out)
{
    struct standing s;

    if (look(ctx, &s) < 0)
        return -1;
    *running_slot_out = s.running;
    *state_out = s.state == PSA_FWU_STAGED                                 ? LAPEL_BOOT_STAGED
                 : s.state == PSA_FWU_TRIAL || s.state == PSA_FWU_REJECTED ? LAPEL_BOOT_TRIAL
                                                                           : LAPEL_BOOT_STEADY;
    return 1;
}

static int stage(void *ctx, uint8_t slot)
{
    struct standing s;

    if (look(ctx, &s) < 0 || slot == s.running)
        return -1;
    if (s.state == PSA_FWU_STAGED)
        return 1;
    return s.state == PSA_FWU_CANDIDATE && psa_fwu_install() >= 0 ? 1 : -1;
}

static int unstage(void *ctx)
{
    struct standing s;

    if (look(ctx, &s) < 0)
        return -1;
    return s.state != PSA_FWU_STAGED || psa_fwu_reject(PSA_SUCCESS) >= 0 ? 1 : -1;
}

static int confirm(void *ctx)
{
    struct standing s;

    if (look(ctx, &s) < 0)
        return -1;
    if (s.state != PSA_FWU_TRIAL)
        return s.state == PSA_FWU_REJECTED || s.state == PSA_FWU_STAGED ? -1 : 1;
    return mark_set(ctx, s.former, true) > 0 && psa_fwu_accept() >= 0 ? 1 : -1;
}

static int reject(void *ctx)
{
    struct standing s;

    if (look(ctx, &s) < 0)
        return -1;
    return s.state != PSA_FWU_TRIAL || psa_fwu_reject(PSA_SUCCESS) >= 0 ? 1 : -1;
}

static int reboot(void *ctx)
{
    (void)ctx;
    return psa_fwu_request_reboot() >= 0 ? 1 : -1;
}

/* No counter: the service keeps one of its own, and nobody else learns it. */
const struct lapel_boot lapel_psa_fwu_boot = {
    .size = sizeof lapel_psa_fwu_boot,
    .state = state,
    .stage = stage,
    .unstage = unstage,
    .confirm = confirm,
    .reject = reject,
    .reboot = reboot,
};

/* --- records ------------------------------------------------------------------------------------------ */

static int record_read(void *ctx, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    int got = item_get(ctx, ITEM_RECORD0 + (record & 1u), offset, buf, n);

    if (got < 0)
        return -1;
    memset(buf + got, 0, n - (size_t)got); /* never written */
    return 1;
}

static int record_write(void *ctx, uint8_t record, const uint8_t *buf, size_t n)
{
    return item_set(ctx, ITEM_RECORD0 + (record & 1u), buf, n);
}

const struct lapel_nv lapel_psa_fwu_nv = {
    .size = sizeof lapel_psa_fwu_nv,
    .read = record_read,
    .write = record_write,
};
