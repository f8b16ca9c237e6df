/*
 * MCUboot as a device made of memory has it: its flash map, its trailers, its public functions, and
 * what it does at a start. The flash is that of device.h, so power cuts reach all of it.
 *
 * Written after MCUboot's design document: swap types are decided by the table there; a swap goes
 * unit by unit, its progress is durable, and a cut in it is gone on with at the next start. In
 * direct-XIP with revert the higher version starts, unless it was tried and not confirmed.
 *
 * Include it after device.h.
 */
#ifndef HARNESS_MCUBOOT_H
#define HARNESS_MCUBOOT_H

#include <bootutil/bootutil_public.h>
#include <flash_map_backend/flash_map_backend.h>

#include "device.h"

enum { AREA_PRIMARY = 1, AREA_SECONDARY, AREA_KEPT0, AREA_KEPT1, AREA_RECORD0, AREA_RECORD1 };

#define MCUBOOT_UNIT 1024u /* erase unit of the slots; the last one is the trailer's */
#define MCUBOOT_HEADER 32u

static const uint8_t MCUBOOT_MAGIC[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f,
                                           0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80 };

static struct {
    struct device *d;
    bool xip;
    /* durable: the swap at work */
    uint32_t swap_at; /* units exchanged */
    bool swapping, reverting;
} mcuboot;

/* --- an image ---------------------------------------------------------------------------------- */

static void mcuboot_put(uint8_t *p, uint32_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t mcuboot_get(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void mcuboot_hash(const uint8_t *bytes, size_t n, uint8_t out[32])
{
    size_t out_n = 0;

    release_must(lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256,
                                  (struct lsuit_bytes){ bytes, n }, out, 32, &out_n),
                 "image hash");
}

/* Make random bytes an image: header, protected TLVs with the security counter, TLVs with the
 * hash. Version and counter are the sequence number's sixteenth. */
static void mcuboot_image(uint8_t *bytes, size_t n, uint64_t sequence)
{
    uint32_t body = (uint32_t)n - MCUBOOT_HEADER - 12 - 40, at = MCUBOOT_HEADER + body;

    memset(bytes, 0, MCUBOOT_HEADER);
    mcuboot_put(bytes, 0x96f3b83du, 4);
    mcuboot_put(bytes + 8, MCUBOOT_HEADER, 2);
    mcuboot_put(bytes + 10, 12, 2);
    mcuboot_put(bytes + 12, body, 4);
    mcuboot_put(bytes + 20, (uint32_t)sequence / 16, 1); /* major version */
    mcuboot_put(bytes + at, 0x6908, 2);
    mcuboot_put(bytes + at + 2, 12, 2);
    mcuboot_put(bytes + at + 4, 0x50, 2);
    mcuboot_put(bytes + at + 6, 4, 2);
    mcuboot_put(bytes + at + 8, (uint32_t)sequence / 16, 4);
    mcuboot_put(bytes + at + 12, 0x6907, 2);
    mcuboot_put(bytes + at + 14, 40, 2);
    mcuboot_put(bytes + at + 16, 0x10, 2);
    mcuboot_put(bytes + at + 18, 32, 2);
    mcuboot_hash(bytes, at + 12, bytes + at + 20);
}

/* MCUboot checks a signature too; the hash says as much where nobody forges. */
static bool mcuboot_valid(const struct device_flash *f)
{
    uint32_t body = mcuboot_get(f->bytes + 12), at = MCUBOOT_HEADER + body;
    uint8_t hash[32];

    if (mcuboot_get(f->bytes) != 0x96f3b83du || body > f->size - 2 * MCUBOOT_UNIT)
        return false;
    mcuboot_hash(f->bytes, at + 12, hash);
    return memcmp(hash, f->bytes + at + 20, 32) == 0;
}

/* --- trailers: copy_done, image_ok, magic at the end of a slot ------------------------------------ */

static uint32_t mcuboot_image_ok(void)
{
    return DEVICE_SLOT_SIZE - 16 - mcuboot.d->word;
}

static uint32_t mcuboot_copy_done(void)
{
    return mcuboot_image_ok() - mcuboot.d->word;
}

static uint8_t mcuboot_flag(const struct device_flash *f, uint32_t at)
{
    return f->bytes[at] == 1                   ? BOOT_FLAG_SET
           : f->bytes[at] == mcuboot.d->erased ? BOOT_FLAG_UNSET
                                               : BOOT_FLAG_BAD;
}

static void mcuboot_trailer(const struct device_flash *f, struct boot_swap_state *out)
{
    const uint8_t *magic = f->bytes + DEVICE_SLOT_SIZE - 16;
    bool unset = true;

    for (unsigned i = 0; i < 16; i++)
        unset = unset && magic[i] == mcuboot.d->erased;
    memset(out, 0, sizeof *out);
    out->magic = memcmp(magic, MCUBOOT_MAGIC, 16) == 0 ? BOOT_MAGIC_GOOD
                 : unset                               ? BOOT_MAGIC_UNSET
                                                       : BOOT_MAGIC_BAD;
    out->copy_done = mcuboot_flag(f, mcuboot_copy_done());
    out->image_ok = mcuboot_flag(f, mcuboot_image_ok());
}

/* By the application: a word of flash like any other. */
static void mcuboot_set_flag(struct device_flash *f, uint32_t at)
{
    uint8_t word[32];

    memset(word, mcuboot.d->erased, sizeof word);
    word[0] = 1;
    flash_program(mcuboot.d, f, at, word, mcuboot.d->word);
}

/* By the boot loader, as the last thing of a swap. */
static void mcuboot_set_trailer(struct device_flash *f, bool magic, bool copy_done, bool image_ok)
{
    uint32_t at = DEVICE_SLOT_SIZE - MCUBOOT_UNIT;

    memset(f->bytes + at, mcuboot.d->erased, MCUBOOT_UNIT);
    memset(f->used + at, 0, MCUBOOT_UNIT);
    if (magic) {
        memcpy(f->bytes + DEVICE_SLOT_SIZE - 16, MCUBOOT_MAGIC, 16);
        memset(f->used + DEVICE_SLOT_SIZE - 16, 1, 16);
    }
    if (copy_done)
        f->bytes[mcuboot_copy_done()] = f->used[mcuboot_copy_done()] = 1;
    if (image_ok)
        f->bytes[mcuboot_image_ok()] = f->used[mcuboot_image_ok()] = 1;
}

/* --- the flash map --------------------------------------------------------------------------------- */

static struct device_flash *mcuboot_area(const struct flash_area *fa)
{
    return (struct device_flash *)(uintptr_t)fa;
}

int flash_area_open(uint8_t id, const struct flash_area **fa_out)
{
    struct device *d = mcuboot.d;
    struct device_flash *areas[] = { &d->slot[0], &d->slot[1],   &d->area[0],
                                     &d->area[1], &d->record[0], &d->record[1] };

    if (device_fails(d) || id < AREA_PRIMARY || id > AREA_RECORD1)
        return -1;
    *fa_out = (const struct flash_area *)areas[id - AREA_PRIMARY];
    return 0;
}

void flash_area_close(const struct flash_area *fa)
{
    (void)fa;
}

int flash_area_read(const struct flash_area *fa, uint32_t off, void *dst, uint32_t len)
{
    if (device_fails(mcuboot.d))
        return -1;
    memcpy(dst, mcuboot_area(fa)->bytes + off, len);
    return 0;
}

int flash_area_write(const struct flash_area *fa, uint32_t off, const void *src, uint32_t len)
{
    if (device_fails(mcuboot.d))
        return -1;
    if (off % mcuboot.d->word != 0 || len % mcuboot.d->word != 0 ||
        off + len > mcuboot_area(fa)->size) {
        mcuboot.d->violations++;
        return -1;
    }
    flash_program(mcuboot.d, mcuboot_area(fa), off, src, len);
    return 0;
}

int flash_area_erase(const struct flash_area *fa, uint32_t off, uint32_t len)
{
    struct device_flash *f = mcuboot_area(fa);

    if (device_fails(mcuboot.d))
        return -1;
    if (off % f->unit != 0 || len % f->unit != 0 || len == 0 || off + len > f->size) {
        mcuboot.d->violations++;
        return -1;
    }
    for (uint32_t at = off; at < off + len; at += f->unit)
        flash_erase(mcuboot.d, f, at);
    return 0;
}

uint32_t flash_area_align(const struct flash_area *fa)
{
    (void)fa;
    return mcuboot.d->word;
}

uint8_t flash_area_erased_val(const struct flash_area *fa)
{
    (void)fa;
    return mcuboot.d->erased;
}

uint32_t flash_area_get_size(const struct flash_area *fa)
{
    return mcuboot_area(fa)->size;
}

int flash_area_get_sector(const struct flash_area *fa, uint32_t off, struct flash_sector *out)
{
    out->fs_off = off;
    out->fs_size = mcuboot_area(fa)->unit;
    return 0;
}

/* --- what an application may ask ------------------------------------------------------------------- */

int boot_read_swap_state(const struct flash_area *fa, struct boot_swap_state *state)
{
    if (device_fails(mcuboot.d))
        return -1;
    mcuboot_trailer(mcuboot_area(fa), state);
    return 0;
}

static int mcuboot_swap_type(void)
{
    struct boot_swap_state primary, secondary;

    mcuboot_trailer(&mcuboot.d->slot[0], &primary);
    mcuboot_trailer(&mcuboot.d->slot[1], &secondary);
    if (secondary.magic == BOOT_MAGIC_GOOD)
        return secondary.image_ok == BOOT_FLAG_SET     ? BOOT_SWAP_TYPE_PERM
               : secondary.image_ok == BOOT_FLAG_UNSET ? BOOT_SWAP_TYPE_TEST
                                                       : BOOT_SWAP_TYPE_NONE;
    if (primary.magic == BOOT_MAGIC_GOOD && secondary.magic == BOOT_MAGIC_UNSET &&
        primary.image_ok == BOOT_FLAG_UNSET && primary.copy_done == BOOT_FLAG_SET)
        return BOOT_SWAP_TYPE_REVERT;
    return BOOT_SWAP_TYPE_NONE;
}

int boot_swap_type_multi(int image_index)
{
    (void)image_index;
    return device_fails(mcuboot.d) ? BOOT_SWAP_TYPE_PANIC : mcuboot_swap_type();
}

int boot_set_next(const struct flash_area *fa, bool active, bool confirm)
{
    struct device_flash *f = mcuboot_area(fa);
    struct boot_swap_state s;

    if (device_fails(mcuboot.d))
        return -1;
    mcuboot_trailer(f, &s);
    if (active && s.magic != BOOT_MAGIC_GOOD)
        return s.magic == BOOT_MAGIC_UNSET ? 0 : -1;
    if (s.magic == BOOT_MAGIC_BAD) { /* no way to recover: all of it goes */
        for (uint32_t at = 0; at < f->size; at += f->unit)
            flash_erase(mcuboot.d, f, at);
        return -1;
    }
    if (s.magic == BOOT_MAGIC_UNSET)
        flash_program(mcuboot.d, f, DEVICE_SLOT_SIZE - 16, MCUBOOT_MAGIC, 16);
    if (confirm && s.image_ok == BOOT_FLAG_UNSET)
        mcuboot_set_flag(f, mcuboot_image_ok());
    return 0;
}

int boot_set_pending_multi(int image_index, int permanent)
{
    (void)image_index;
    return boot_set_next((const struct flash_area *)&mcuboot.d->slot[1], false, permanent != 0);
}

int boot_set_confirmed_multi(int image_index)
{
    (void)image_index;
    return boot_set_next((const struct flash_area *)&mcuboot.d->slot[0], true, true);
}

/* --- a start --------------------------------------------------------------------------------------- */

static void mcuboot_exchange(struct device *d, uint32_t unit)
{
    uint8_t *a = d->slot[0].bytes + unit * MCUBOOT_UNIT,
            *b = d->slot[1].bytes + unit * MCUBOOT_UNIT;

    for (uint32_t i = 0; i < MCUBOOT_UNIT; i++) {
        uint8_t x = a[i];

        a[i] = b[i];
        b[i] = x;
    }
    memset(d->slot[0].used + unit * MCUBOOT_UNIT, 1, MCUBOOT_UNIT);
    memset(d->slot[1].used + unit * MCUBOOT_UNIT, 1, MCUBOOT_UNIT);
}

static void mcuboot_swap(struct device *d)
{
    while (mcuboot.swap_at < DEVICE_SLOT_SIZE / MCUBOOT_UNIT - 1) {
        if (device_word(d))
            mcuboot_exchange(d, mcuboot.swap_at++);
        device_op_end(d);
    }
    mcuboot_set_trailer(&d->slot[0], true, true, mcuboot.reverting);
    mcuboot_set_trailer(&d->slot[1], false, false, false);
    mcuboot.swapping = false;
}

static void mcuboot_start_swap(struct device *d)
{
    if (!mcuboot.swapping) {
        int type = mcuboot_swap_type();
        bool revert = type == BOOT_SWAP_TYPE_REVERT;

        if (type == BOOT_SWAP_TYPE_NONE)
            return;
        if (!revert && !mcuboot_valid(&d->slot[1])) { /* BOOT_SWAP_TYPE_FAIL */
            mcuboot_set_trailer(&d->slot[1], false, false, false);
            return;
        }
        mcuboot.swapping = true;
        mcuboot.reverting = revert || type == BOOT_SWAP_TYPE_PERM;
        mcuboot.swap_at = 0;
    }
    mcuboot_swap(d);
}

static bool mcuboot_may_start(struct device *d, uint8_t slot)
{
    struct boot_swap_state s;
    struct device_flash *f = &d->slot[slot];

    mcuboot_trailer(f, &s);
    if (mcuboot_get(f->bytes) == (d->erased == 0 ? 0 : UINT32_MAX))
        return false; /* no image */
    if (!mcuboot_valid(f) || s.magic != BOOT_MAGIC_GOOD ||
        (s.copy_done == BOOT_FLAG_SET && s.image_ok != BOOT_FLAG_SET)) {
        memset(f->bytes, d->erased, f->size);
        memset(f->used, 0, f->size);
        return false;
    }
    if (s.copy_done == BOOT_FLAG_UNSET)
        mcuboot_set_flag(f, mcuboot_copy_done());
    return true;
}

static void mcuboot_start_xip(struct device *d)
{
    bool both = mcuboot_valid(&d->slot[0]) && mcuboot_valid(&d->slot[1]);
    uint8_t first = both ? d->slot[1].bytes[20] > d->slot[0].bytes[20] : mcuboot_valid(&d->slot[1]);

    d->running = mcuboot_may_start(d, first) ? first : first ^ 1;
}

static void mcuboot_loader(struct device *d)
{
    const struct device_flash *runs = &d->slot[0];
    bool good = false;

    d->running = 0;
    if (mcuboot.xip) {
        mcuboot_start_xip(d);
        runs = &d->slot[d->running];
    } else {
        mcuboot_start_swap(d);
    }
    for (size_t i = 0; i < d->images; i++)
        good = good || memcmp(runs->bytes, d->image[i]->payload, d->image[i]->payload_n) == 0;
    d->bricks += !good;
    d->boots++;
}

/* After device_init: areas, trailers of a device that left the factory, the boot loader. */
static void mcuboot_init(struct device *d, bool xip)
{
    memset(&mcuboot, 0, sizeof mcuboot);
    mcuboot.d = d;
    mcuboot.xip = xip;
    for (int i = 0; i < 2; i++)
        flash_init(d, &d->area[i], d->area_store[i], DEVICE_AREA_SIZE, DEVICE_AREA_SIZE);
    if (xip)
        mcuboot_set_trailer(&d->slot[0], true, true, true);
    d->loader = mcuboot_loader;
}

#endif
