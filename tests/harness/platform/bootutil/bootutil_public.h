/* What an application may ask of MCUboot, for tests: names and numbers as it publishes them; the
 * fake of tests/harness/mcuboot.h is behind it. */
#ifndef HARNESS_BOOTUTIL_PUBLIC_H
#define HARNESS_BOOTUTIL_PUBLIC_H

#include <stdbool.h>
#include <stdint.h>

#define BOOT_SWAP_TYPE_NONE 1
#define BOOT_SWAP_TYPE_TEST 2
#define BOOT_SWAP_TYPE_PERM 3
#define BOOT_SWAP_TYPE_REVERT 4
#define BOOT_SWAP_TYPE_FAIL 5
#define BOOT_SWAP_TYPE_PANIC 0xff

#define BOOT_MAGIC_GOOD 1
#define BOOT_MAGIC_BAD 2
#define BOOT_MAGIC_UNSET 3
#define BOOT_FLAG_SET 1
#define BOOT_FLAG_BAD 2
#define BOOT_FLAG_UNSET 3

struct flash_area;
struct boot_swap_state {
    uint8_t magic;     /* BOOT_MAGIC_... */
    uint8_t swap_type; /* BOOT_SWAP_TYPE_... */
    uint8_t copy_done; /* BOOT_FLAG_... */
    uint8_t image_ok;  /* BOOT_FLAG_... */
    uint8_t image_num;
};

int boot_swap_type_multi(int image_index);
int boot_set_pending_multi(int image_index, int permanent);
int boot_set_confirmed_multi(int image_index);
int boot_set_next(const struct flash_area *fa, bool active, bool confirm);
int boot_read_swap_state(const struct flash_area *fa, struct boot_swap_state *state);

#endif
