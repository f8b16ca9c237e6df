/* PSA internal trusted storage 1.0 (IHI 0087), for tests: see tests/harness/psa_fwu.h. */
#ifndef HARNESS_PSA_INTERNAL_TRUSTED_STORAGE_H
#define HARNESS_PSA_INTERNAL_TRUSTED_STORAGE_H

#include <psa/crypto.h>
#include <stddef.h>
#include <stdint.h>

#define PSA_STORAGE_FLAG_NONE 0u

psa_status_t psa_its_set(uint64_t uid, size_t n, const void *data, uint32_t flags);
psa_status_t psa_its_get(uint64_t uid, size_t offset, size_t cap, void *data, size_t *n_out);

#endif
