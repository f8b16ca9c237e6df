/* What MCUboot's flash map offers, for tests: the fake of tests/harness/mcuboot.h is behind it. */
#ifndef HARNESS_FLASH_MAP_BACKEND_H
#define HARNESS_FLASH_MAP_BACKEND_H

#include <stddef.h>
#include <stdint.h>

struct flash_area;
struct flash_sector {
    uint32_t fs_off, fs_size;
};

int flash_area_open(uint8_t id, const struct flash_area **fa_out);
void flash_area_close(const struct flash_area *fa);
int flash_area_read(const struct flash_area *fa, uint32_t off, void *dst, uint32_t len);
int flash_area_write(const struct flash_area *fa, uint32_t off, const void *src, uint32_t len);
int flash_area_erase(const struct flash_area *fa, uint32_t off, uint32_t len);
uint32_t flash_area_align(const struct flash_area *fa);
uint8_t flash_area_erased_val(const struct flash_area *fa);
uint32_t flash_area_get_size(const struct flash_area *fa);
int flash_area_get_sector(const struct flash_area *fa, uint32_t off, struct flash_sector *out);

static inline uint32_t flash_sector_get_size(const struct flash_sector *s)
{
    return s->fs_size;
}

#endif
