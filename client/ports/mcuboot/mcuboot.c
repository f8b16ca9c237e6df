#include "mcuboot.h"

#include <string.h>

#include <bootutil/bootutil_public.h>
#include <flash_map_backend/flash_map_backend.h>

#define IMAGE_MAGIC 0x96f3b83du
#define TLV_INFO 0x6907u
#define TLV_INFO_PROTECTED 0x6908u
#define TLV_SHA256 0x10u
#define TLV_SECURITY_COUNTER 0x50u
#define HASH_LEN 32

static uint32_t u16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

/* --- flash ------------------------------------------------------------------------------------ */

static int area_read(uint8_t id, uint32_t at, void *buf, size_t n)
{
    const struct flash_area *fa = NULL;
    int rc = -1;

    if (flash_area_open(id, &fa) != 0)
        return -1;
    if (at <= flash_area_get_size(fa) && n <= flash_area_get_size(fa) - at)
        rc = flash_area_read(fa, at, buf, (uint32_t)n);
    flash_area_close(fa);
    return rc == 0 ? 1 : -1;
}

static int area_write(uint8_t id, uint32_t at, const void *buf, size_t n)
{
    const struct flash_area *fa = NULL;
    int rc = -1;

    if (flash_area_open(id, &fa) != 0)
        return -1;
    if (at <= flash_area_get_size(fa) && n <= flash_area_get_size(fa) - at)
        rc = flash_area_write(fa, at, buf, (uint32_t)n);
    flash_area_close(fa);
    return rc == 0 ? 1 : -1;
}

/* n 0: to the end of the area. */
static int area_erase(uint8_t id, uint32_t at, uint32_t n)
{
    const struct flash_area *fa = NULL;
    int rc;

    if (flash_area_open(id, &fa) != 0)
        return -1;
    rc = flash_area_erase(fa, at, n != 0 ? n : flash_area_get_size(fa) - at);
    flash_area_close(fa);
    return rc == 0 ? 1 : -1;
}

/* --- images ----------------------------------------------------------------------------------- */

/* Walk the entries of a TLV area for one of this type and length. 1 found, 0 not, < 0 error. */
static int tlv_find(uint8_t area, uint32_t at, uint32_t info, uint32_t type, uint8_t *buf,
                    uint32_t n)
{
    uint8_t b[4];
    uint32_t end;

    if (area_read(area, at, b, sizeof b) < 0)
        return -1;
    if (u16(b) != info)
        return 0;
    end = at + u16(b + 2);
    for (at += 4; at < end && end - at >= 4; at += 4 + u16(b + 2)) {
        if (area_read(area, at, b, sizeof b) < 0)
            return -1;
        if (u16(b) == type && u16(b + 2) == n)
            return n <= end - at - 4 ? area_read(area, at + 4, buf, n) : 0;
    }
    return 0;
}

/* A value out of the image's trailer; the security counter only where it is protected. */
static int image_value(uint8_t area, uint32_t type, uint8_t *buf, uint32_t n)
{
    uint8_t head[32];
    uint32_t at;

    if (area_read(area, 0, head, sizeof head) < 0)
        return -1;
    if (u32(head) != IMAGE_MAGIC || u32(head + 12) > UINT32_MAX / 2)
        return 0;
    at = u16(head + 8) + u32(head + 12);
    if (type == TLV_SECURITY_COUNTER)
        return u16(head + 10) == 0 ? 0 : tlv_find(area, at, TLV_INFO_PROTECTED, type, buf, n);
    return tlv_find(area, at + u16(head + 10), TLV_INFO, type, buf, n);
}

/* --- manifest areas: the envelope, and before it what makes it count ---------------------------- */

/*
 * The head is written last. A torn one has another magic, or a hash that is no image's.
 *
 *   bytes  0    magic "LPM1"
 *          4    length of the envelope
 *          8    hash of the slot's image
 *          40   zero
 */
#define HEAD_SIZE 64
#define KEPT_MAGIC 0x314d504cu

static int kept_head(const struct lapel_mcuboot *m, uint8_t slot, uint8_t head[HEAD_SIZE])
{
    if (area_read(m->kept_area[slot], 0, head, HEAD_SIZE) < 0)
        return -1;
    return u32(head) == KEPT_MAGIC ? 1 : 0;
}

/* (1) and (2): which slot of the library runs. */
static uint8_t running_slot(void *ctx)
{
    const struct lapel_mcuboot *m = ctx;
    uint8_t hash[HASH_LEN], head[HEAD_SIZE];

    if (m->running != NULL)
        return m->running(ctx);
    if (image_value(m->slot_area[0], TLV_SHA256, hash, sizeof hash) > 0 &&
        kept_head(m, 1, head) > 0 && memcmp(head + 8, hash, HASH_LEN) == 0)
        return 1;
    return 0;
}

static uint8_t area_of(void *ctx, uint8_t slot)
{
    const struct lapel_mcuboot *m = ctx;

    if (m->running != NULL)
        return m->slot_area[slot & 1];
    return m->slot_area[slot == running_slot(ctx) ? 0 : 1];
}

static int manifest_write(void *ctx, uint8_t slot, const uint8_t *buf, size_t n)
{
    const struct lapel_mcuboot *m = ctx;
    uint8_t head[HEAD_SIZE] = { 'L', 'P', 'M', '1' }, other[HASH_LEN], tail[32];
    uint8_t area = m->kept_area[slot & 1];
    size_t whole = n - n % sizeof tail;

    if (n > UINT16_MAX || slot > 1 ||
        image_value(area_of(ctx, slot), TLV_SHA256, head + 8, HASH_LEN) <= 0)
        return -1;
    /* The same image in both slots could not be told apart: nothing to exchange. */
    if (m->running == NULL &&
        (image_value(area_of(ctx, slot ^ 1), TLV_SHA256, other, HASH_LEN) < 0 ||
         memcmp(other, head + 8, HASH_LEN) == 0))
        return -1;
    head[4] = (uint8_t)n;
    head[5] = (uint8_t)(n >> 8);
    memset(tail, 0, sizeof tail);
    memcpy(tail, buf + whole, n - whole);
    if (area_erase(area, 0, 0) < 0 || area_write(area, HEAD_SIZE, buf, whole) < 0 ||
        area_write(area, (uint32_t)(HEAD_SIZE + whole), tail, sizeof tail) < 0 ||
        area_write(area, 0, head, HEAD_SIZE) < 0)
        return -1;
    return 1;
}

static int manifest_read(void *ctx, uint8_t slot, uint8_t *buf, size_t cap)
{
    const struct lapel_mcuboot *m = ctx;
    uint8_t head[HEAD_SIZE];
    int r = kept_head(m, slot & 1, head);

    if (r <= 0)
        return r;
    if (u32(head + 4) > cap)
        return -1;
    return area_read(m->kept_area[slot & 1], HEAD_SIZE, buf, u32(head + 4)) < 0
               ? -1
               : (int)u32(head + 4);
}

/* --- slots ---------------------------------------------------------------------------------------- */

static int find(void *ctx, struct lsuit_bytes id)
{
    const struct lapel_mcuboot *m = ctx;

    return id.len == m->component.len && memcmp(id.ptr, m->component.ptr, id.len) == 0 ? 0 : -1;
}

static int info(void *ctx, int component, uint8_t slot, struct lapel_slot_info *info_out)
{
    const struct lapel_mcuboot *m = ctx;
    const struct flash_area *fa = NULL;
    struct flash_sector sector;
    int rc;

    (void)component;
    if (flash_area_open(area_of(ctx, slot), &fa) != 0)
        return -1;
    rc = flash_area_get_sector(fa, 0, &sector);
    info_out->size = flash_area_get_size(fa) - m->trailer_size;
    info_out->erase_size = flash_sector_get_size(&sector);
    info_out->write_size = flash_area_align(fa);
    info_out->erased_value = flash_area_erased_val(fa);
    flash_area_close(fa);
    return rc == 0 ? 1 : -1;
}

static int erase(void *ctx, int component, uint8_t slot, uint64_t offset)
{
    struct lapel_slot_info i;

    if (slot == running_slot(ctx) || info(ctx, component, slot, &i) < 0)
        return -1;
    return area_erase(area_of(ctx, slot), (uint32_t)offset, i.erase_size);
}

static int write(void *ctx, int component, uint8_t slot, uint64_t offset, const uint8_t *buf,
                 size_t n)
{
    (void)component;
    if (slot == running_slot(ctx))
        return -1;
    return area_write(area_of(ctx, slot), (uint32_t)offset, buf, n);
}

static int read(void *ctx, int component, uint8_t slot, uint64_t offset, uint8_t *buf, size_t n)
{
    (void)component;
    return area_read(area_of(ctx, slot), (uint32_t)offset, buf, n) < 0 ? -1 : (int)n;
}

const struct lapel_slots lapel_mcuboot_slots = {
    .size = sizeof lapel_mcuboot_slots,
    .find = find,
    .info = info,
    .erase = erase,
    .write = write,
    .read = read,
    .manifest_write = manifest_write,
    .manifest_read = manifest_read,
};

/* --- boot loader ------------------------------------------------------------------------------------ */

static int swap_state(uint8_t area, struct boot_swap_state *state_out)
{
    const struct flash_area *fa = NULL;
    int rc;

    if (flash_area_open(area, &fa) != 0)
        return -1;
    rc = boot_read_swap_state(fa, state_out);
    flash_area_close(fa);
    return rc == 0 ? 1 : -1;
}

static bool is_pending(const struct boot_swap_state *s)
{
    return s->magic == BOOT_MAGIC_GOOD && s->image_ok != BOOT_FLAG_SET;
}

static bool has_image(void *ctx, uint8_t slot)
{
    uint8_t hash[HASH_LEN];

    return image_value(area_of(ctx, slot), TLV_SHA256, hash, sizeof hash) > 0;
}

/* Direct-XIP: pending and started is on trial; pending and not started is staged. */
static int xip_state(void *ctx, enum lapel_boot_state *state_out, uint8_t running)
{
    struct boot_swap_state own, other;

    if (swap_state(area_of(ctx, running), &own) < 0 ||
        swap_state(area_of(ctx, running ^ 1), &other) < 0)
        return -1;
    *state_out = LAPEL_BOOT_STEADY;
    if (is_pending(&own) && own.copy_done == BOOT_FLAG_SET)
        *state_out = LAPEL_BOOT_TRIAL;
    else if (is_pending(&other) && other.copy_done != BOOT_FLAG_SET)
        *state_out = LAPEL_BOOT_STAGED;
    return 1;
}

/* What MCUboot would do at the next start says what is. A revert that has happened looks like rest;
 * the library knows it by the slot that runs. */
static int state(void *ctx, enum lapel_boot_state *state_out, uint8_t *running_slot_out)
{
    const struct lapel_mcuboot *m = ctx;

    *running_slot_out = running_slot(ctx);
    if (m->running != NULL)
        return xip_state(ctx, state_out, *running_slot_out);
    switch (boot_swap_type_multi(m->image)) {
    case BOOT_SWAP_TYPE_NONE:
    case BOOT_SWAP_TYPE_FAIL:
        *state_out = LAPEL_BOOT_STEADY;
        return 1;
    case BOOT_SWAP_TYPE_TEST:
    case BOOT_SWAP_TYPE_PERM:
        *state_out = LAPEL_BOOT_STAGED;
        return 1;
    case BOOT_SWAP_TYPE_REVERT:
        *state_out = LAPEL_BOOT_TRIAL;
        return 1;
    default:
        return -1;
    }
}

/* Direct-XIP has no "the other one": the area is named. */
static int set_next(void *ctx, uint8_t slot, bool active, bool confirm)
{
    const struct flash_area *fa = NULL;
    int rc;

    if (flash_area_open(area_of(ctx, slot), &fa) != 0)
        return -1;
    rc = boot_set_next(fa, active, confirm);
    flash_area_close(fa);
    return rc == 0 ? 1 : -1;
}

/* There is no call for it: without its trailer the image is nobody's wish. */
static int unstage(void *ctx)
{
    const struct lapel_mcuboot *m = ctx;
    uint8_t slot = running_slot(ctx) ^ 1;
    struct lapel_slot_info i;

    if (info(ctx, 0, slot, &i) < 0)
        return -1;
    return area_erase(area_of(ctx, slot), (uint32_t)i.size, m->trailer_size);
}

/* What a cut or an update before left there would make MCUboot erase the image, or keep it without
 * a trial. */
static int clear_marks(void *ctx, uint8_t slot)
{
    struct boot_swap_state s;

    if (swap_state(area_of(ctx, slot), &s) < 0)
        return -1;
    if (s.magic == BOOT_MAGIC_UNSET && s.copy_done == BOOT_FLAG_UNSET &&
        s.image_ok == BOOT_FLAG_UNSET)
        return 1;
    return unstage(ctx);
}

static int stage(void *ctx, uint8_t slot)
{
    const struct lapel_mcuboot *m = ctx;

    if (slot == running_slot(ctx) || !has_image(ctx, slot) || clear_marks(ctx, slot) < 0)
        return -1;
    if (m->running != NULL)
        return set_next(ctx, slot, false, false);
    return boot_set_pending_multi(m->image, 0) == 0 ? 1 : -1;
}

static int confirm(void *ctx)
{
    const struct lapel_mcuboot *m = ctx;

    if (m->running != NULL)
        return set_next(ctx, running_slot(ctx), true, true);
    return boot_set_confirmed_multi(m->image) == 0 ? 1 : -1;
}

static int reject(void *ctx)
{
    (void)ctx; /* (3) */
    return 1;
}

static int reboot(void *ctx)
{
    const struct lapel_mcuboot *m = ctx;

    m->reset();
    return 1;
}

static int counter(void *ctx, uint8_t slot, uint64_t *counter_out)
{
    uint8_t b[4];

    if (image_value(area_of(ctx, slot), TLV_SECURITY_COUNTER, b, sizeof b) <= 0)
        return -1;
    *counter_out = u32(b);
    return 1;
}

const struct lapel_boot lapel_mcuboot_boot = {
    .size = sizeof lapel_mcuboot_boot,
    .state = state,
    .stage = stage,
    .unstage = unstage,
    .confirm = confirm,
    .reject = reject,
    .reboot = reboot,
    .counter = counter,
};

/* --- records ------------------------------------------------------------------------------------------ */

static int record_read(void *ctx, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    const struct lapel_mcuboot *m = ctx;

    return area_read(m->record_area[record & 1], (uint32_t)offset, buf, n);
}

static int record_write(void *ctx, uint8_t record, const uint8_t *buf, size_t n)
{
    const struct lapel_mcuboot *m = ctx;
    uint8_t area = m->record_area[record & 1];

    return area_erase(area, 0, 0) < 0 ? -1 : area_write(area, 0, buf, n);
}

const struct lapel_nv lapel_mcuboot_nv = {
    .size = sizeof lapel_mcuboot_nv,
    .read = record_read,
    .write = record_write,
};
