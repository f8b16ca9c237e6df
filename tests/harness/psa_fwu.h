/*
 * A PSA firmware update service and its storage, as a device made of memory has them.
 *
 * Each call checks the state that the specification wants and changes it as a whole or not at all;
 * a block is taken once, aligned, and no larger than the platform says. Where staging is volatile
 * WRITING, CANDIDATE, FAILED and UPDATED don't outlive a start.
 *
 * Include it after device.h.
 */
#ifndef HARNESS_PSA_FWU_H
#define HARNESS_PSA_FWU_H

#include <psa/internal_trusted_storage.h>
#include <psa/update.h>

#include "device.h"

#define FWU_WRITE_MAX 256u
#define FWU_ITEM_MAX 2048u

static struct {
    struct device *d;
    bool volatile_staging;
    /* durable */
    uint8_t state;
    struct {
        uint8_t bytes[FWU_ITEM_MAX];
        size_t n;
        bool there;
    } item[5];
} fwu;

/* The state changes, or the power goes before it does. */
static psa_status_t fwu_go(uint8_t state, psa_status_t answer)
{
    if (device_word(fwu.d))
        fwu.state = state;
    device_op_end(fwu.d);
    return answer;
}

/* Is it in one of these states (bits)? */
static bool fwu_in(unsigned states)
{
    if (device_fails(fwu.d))
        return false;
    if ((states >> fwu.state & 1u) == 0)
        fwu.d->violations++;
    return (states >> fwu.state & 1u) != 0;
}

#define FWU(state) (1u << PSA_FWU_##state)

psa_status_t psa_fwu_query(psa_fwu_component_t component, psa_fwu_component_info_t *info)
{
    if (device_fails(fwu.d) || component != 0)
        return PSA_ERROR_GENERIC_ERROR;
    info->state = fwu.state;
    info->error = 0;
    info->max_size = DEVICE_SLOT_SIZE;
    return PSA_SUCCESS;
}

psa_status_t psa_fwu_start(psa_fwu_component_t component, const void *manifest, size_t n)
{
    (void)component;
    (void)manifest;
    (void)n;
    if (!fwu_in(FWU(READY)))
        return PSA_ERROR_BAD_STATE;
    memset(fwu.d->slot[1].bytes, fwu.d->erased, DEVICE_SLOT_SIZE);
    memset(fwu.d->slot[1].used, 0, DEVICE_SLOT_SIZE);
    return fwu_go(PSA_FWU_WRITING, PSA_SUCCESS);
}

psa_status_t psa_fwu_write(psa_fwu_component_t component, size_t offset, const void *block,
                           size_t n)
{
    (void)component;
    if (!fwu_in(FWU(WRITING)))
        return PSA_ERROR_BAD_STATE;
    if (n > FWU_WRITE_MAX || offset % fwu.d->word != 0 || n % fwu.d->word != 0 ||
        offset + n > DEVICE_SLOT_SIZE) {
        fwu.d->violations++;
        return PSA_ERROR_INVALID_ARGUMENT;
    }
    flash_program(fwu.d, &fwu.d->slot[1], (uint32_t)offset, block, (uint32_t)n);
    return PSA_SUCCESS;
}

psa_status_t psa_fwu_finish(psa_fwu_component_t component)
{
    (void)component;
    return fwu_in(FWU(WRITING)) ? fwu_go(PSA_FWU_CANDIDATE, PSA_SUCCESS) : PSA_ERROR_BAD_STATE;
}

psa_status_t psa_fwu_cancel(psa_fwu_component_t component)
{
    (void)component;
    return fwu_in(FWU(WRITING) | FWU(CANDIDATE)) ? fwu_go(PSA_FWU_FAILED, PSA_SUCCESS)
                                                 : PSA_ERROR_BAD_STATE;
}

psa_status_t psa_fwu_clean(psa_fwu_component_t component)
{
    (void)component;
    return fwu_in(FWU(FAILED) | FWU(UPDATED)) ? fwu_go(PSA_FWU_READY, PSA_SUCCESS)
                                              : PSA_ERROR_BAD_STATE;
}

psa_status_t psa_fwu_install(void)
{
    return fwu_in(FWU(CANDIDATE)) ? fwu_go(PSA_FWU_STAGED, PSA_SUCCESS_REBOOT)
                                  : PSA_ERROR_BAD_STATE;
}

psa_status_t psa_fwu_request_reboot(void)
{
    if (device_fails(fwu.d))
        return PSA_ERROR_GENERIC_ERROR;
    fwu.d->reboot_asked = true;
    fwu.d->power_on = false;
    return PSA_SUCCESS;
}

psa_status_t psa_fwu_reject(psa_status_t error)
{
    (void)error;
    if (!fwu_in(FWU(STAGED) | FWU(TRIAL)))
        return PSA_ERROR_BAD_STATE;
    return fwu.state == PSA_FWU_STAGED ? fwu_go(PSA_FWU_FAILED, PSA_SUCCESS)
                                       : fwu_go(PSA_FWU_REJECTED, PSA_SUCCESS_REBOOT);
}

psa_status_t psa_fwu_accept(void)
{
    return fwu_in(FWU(TRIAL)) ? fwu_go(PSA_FWU_UPDATED, PSA_SUCCESS) : PSA_ERROR_BAD_STATE;
}

/* An item is replaced as a whole or not at all: the storage's own promise. */
psa_status_t psa_its_set(uint64_t uid, size_t n, const void *data, uint32_t flags)
{
    if (device_fails(fwu.d) || flags != 0 || uid < 100 || uid > 104 || n > FWU_ITEM_MAX)
        return PSA_ERROR_INVALID_ARGUMENT;
    if (device_word(fwu.d)) {
        memcpy(fwu.item[uid - 100].bytes, data, n);
        fwu.item[uid - 100].n = n;
        fwu.item[uid - 100].there = true;
    }
    device_op_end(fwu.d);
    return PSA_SUCCESS;
}

psa_status_t psa_its_get(uint64_t uid, size_t offset, size_t cap, void *data, size_t *n_out)
{
    if (device_fails(fwu.d) || uid < 100 || uid > 104)
        return PSA_ERROR_INVALID_ARGUMENT;
    if (!fwu.item[uid - 100].there)
        return PSA_ERROR_DOES_NOT_EXIST;
    if (offset > fwu.item[uid - 100].n)
        return PSA_ERROR_INVALID_ARGUMENT;
    *n_out = fwu.item[uid - 100].n - offset;
    if (*n_out > cap)
        *n_out = cap;
    memcpy(data, fwu.item[uid - 100].bytes + offset, *n_out);
    return PSA_SUCCESS;
}

static void fwu_exchange(struct device *d)
{
    for (uint32_t i = 0; i < DEVICE_SLOT_SIZE; i++) {
        uint8_t x = d->slot[0].bytes[i];

        d->slot[0].bytes[i] = d->slot[1].bytes[i];
        d->slot[1].bytes[i] = x;
    }
}

/* A start: install what is staged, go back from what was not accepted. */
static void fwu_loader(struct device *d)
{
    uint8_t state = fwu.state;
    bool good = false;

    d->running = 0;
    if (state == PSA_FWU_STAGED || state == PSA_FWU_TRIAL || state == PSA_FWU_REJECTED) {
        if (device_word(d)) {
            fwu_exchange(d);
            fwu.state = state == PSA_FWU_STAGED ? PSA_FWU_TRIAL : PSA_FWU_FAILED;
        }
        device_op_end(d);
    } else if (fwu.volatile_staging) {
        fwu.state = PSA_FWU_READY;
    }
    for (size_t i = 0; i < d->images; i++)
        good = good || memcmp(d->slot[0].bytes, d->image[i]->payload, d->image[i]->payload_n) == 0;
    d->bricks += !good;
    d->boots++;
}

/* After device_init. */
static void fwu_init(struct device *d, bool volatile_staging)
{
    memset(&fwu, 0, sizeof fwu);
    fwu.d = d;
    fwu.volatile_staging = volatile_staging;
    d->loader = fwu_loader;
}

#endif
