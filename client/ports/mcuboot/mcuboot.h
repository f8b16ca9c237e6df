/*
 * A port for devices that start through MCUboot: slots, boot loader and records over its public
 * interface (bootutil_public.h) and its flash map. Network, clock and policy are the product's.
 *
 *   (1) Swap: the image that runs is always in the primary area, and MCUboot exchanges both. Slot
 *       numbers of the library stay with an image: the manifest area of a slot holds the hash of
 *       its image (TLV 0x10), and the slot whose hash is that of the primary area runs.
 *   (2) Direct-XIP: a slot is an area. A release has a payload for each slot (suit-parameter
 *       component-slot); MCUboot takes the higher version, so a return image needs one too.
 *   (3) Staged is MCUboot's "pending", confirmed its "image ok"; what is neither goes back at the
 *       next start. So nothing has to be written to reject.
 *   (4) The security counter is that of the image (TLV 0x50, in the protected area).
 */
#ifndef LAPEL_MCUBOOT_H
#define LAPEL_MCUBOOT_H

#include "lapel_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The context of the tables below, and so lapel_ports.ctx: begin your own struct with it. */
struct lapel_mcuboot {
    uint8_t image;        /* image index of MCUboot; 0 where there is one */
    uint8_t slot_area[2]; /* flash area ids: primary, secondary */
    uint8_t kept_area[2]; /* of the manifest areas: at least 2 KiB and 96 bytes, own erase units */
    uint8_t record_area[2]; /* of the journal: at least LAPEL_RECORD_SIZE, own erase units */
    uint32_t trailer_size; /* bytes at the end of a slot that are MCUboot's (imgtool prints them) */
    /* Direct-XIP: the slot that this program was started from. NULL: swap. */
    uint8_t (*running)(void *ctx);
    struct lsuit_bytes component; /* encoded SUIT_Component_Identifier of the image */
    void (*reset)(void);          /* of the machine */
};

extern const struct lapel_slots lapel_mcuboot_slots;
extern const struct lapel_boot lapel_mcuboot_boot;
extern const struct lapel_nv lapel_mcuboot_nv;

#ifdef __cplusplus
}
#endif
#endif
