/*
 * A port for platforms with the PSA Firmware Update API 1.0 and internal trusted storage: slots and
 * boot loader are the update service, records and manifests are in the storage. Network, clock and
 * policy are the product's.
 *
 *   state of the library    state of the component
 *   READY                   READY; FAILED and UPDATED are cleaned before the next start
 *   WRITING                 WRITING    psa_fwu_start, psa_fwu_write
 *   CANDIDATE               CANDIDATE  psa_fwu_finish, once the image is whole
 *   STAGED                  STAGED     psa_fwu_install; psa_fwu_reject takes it back
 *   TRIAL                   TRIAL      psa_fwu_accept, psa_fwu_reject
 *   REJECTED                REJECTED   until the restart, then FAILED
 *   UPDATED                 UPDATED    psa_fwu_clean, or by itself where it is volatile
 *
 *   (1) The service has no slots. The port numbers the images itself: what runs, and the other one;
 *       they change roles when an update is accepted. A stored byte says so, and it is written
 *       before psa_fwu_accept, so that a cut between the two can be told.
 *   (2) A service may not take the same block twice, so a download that a restart interrupted
 *       begins anew: the slot is one erase unit.
 */
#ifndef LAPEL_PSA_FWU_H
#define LAPEL_PSA_FWU_H

#include "lapel_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The context of the tables below, and so lapel_ports.ctx: begin your own struct with it. */
struct lapel_psa_fwu {
    uint8_t component;     /* psa_fwu_component_t */
    uint64_t uid;          /* of five items in the storage: this one and the next four */
    uint32_t write_size;   /* 1 << PSA_FWU_LOG2_WRITE_ALIGN of the platform */
    uint32_t write_max;    /* PSA_FWU_MAX_WRITE_SIZE of the platform */
    struct lsuit_bytes id; /* encoded SUIT_Component_Identifier of the image */
    /* Bytes of the image that was written, or (active) of the one that runs: count, or < 0. The
     * interface has no call for it, and a digest over anything but what is stored proves nothing. */
    int (*read)(void *ctx, bool active, uint64_t offset, uint8_t *buf, size_t n);
};

extern const struct lapel_slots lapel_psa_fwu_slots;
extern const struct lapel_boot lapel_psa_fwu_boot;
extern const struct lapel_nv lapel_psa_fwu_nv;

#ifdef __cplusplus
}
#endif
#endif
