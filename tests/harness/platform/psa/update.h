/* The PSA Firmware Update API 1.0 (IHI 0093), for tests: the fake of tests/harness/psa_fwu.h is
 * behind it. */
#ifndef HARNESS_PSA_UPDATE_H
#define HARNESS_PSA_UPDATE_H

#include <psa/crypto.h> /* psa_status_t */
#include <stddef.h>
#include <stdint.h>

#define PSA_SUCCESS_REBOOT ((psa_status_t)1)

#define PSA_FWU_READY 0u
#define PSA_FWU_WRITING 1u
#define PSA_FWU_CANDIDATE 2u
#define PSA_FWU_STAGED 3u
#define PSA_FWU_FAILED 4u
#define PSA_FWU_TRIAL 5u
#define PSA_FWU_REJECTED 6u
#define PSA_FWU_UPDATED 7u

typedef uint8_t psa_fwu_component_t;
typedef struct {
    uint8_t state;
    psa_status_t error;
    uint32_t max_size;
} psa_fwu_component_info_t;

psa_status_t psa_fwu_query(psa_fwu_component_t component, psa_fwu_component_info_t *info);
psa_status_t psa_fwu_start(psa_fwu_component_t component, const void *manifest, size_t n);
psa_status_t psa_fwu_write(psa_fwu_component_t component, size_t offset, const void *block,
                           size_t n);
psa_status_t psa_fwu_finish(psa_fwu_component_t component);
psa_status_t psa_fwu_cancel(psa_fwu_component_t component);
psa_status_t psa_fwu_clean(psa_fwu_component_t component);
psa_status_t psa_fwu_install(void);
psa_status_t psa_fwu_request_reboot(void);
psa_status_t psa_fwu_reject(psa_status_t error);
psa_status_t psa_fwu_accept(void);

#endif
