/*
 * Is the image in a slot the one that its manifest names, and is that manifest one that this
 * device may run? Provisions 5.7-1 and 5.7-2.
 *
 * For a boot loader, before it jumps, and for liblapel after each start. It needs the slots table
 * and a crypto adapter, writes nothing, and never executes a command of the manifest.
 *
 *   (1) What makes a manifest good is a signature by one of the keys that were ever good for
 *       booting, or that it is the very one that the caller knows was accepted: from a record that
 *       is sealed, never from a bare digest that whoever writes the flash could write too.
 *   (2) Each component that the manifest says a digest of holds bytes that it says one of.
 */
#ifndef LAPEL_VERIFY_H
#define LAPEL_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "lapel_port.h"
#include "lsuit/crypto.h"
#include "lsuit/suit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One for each check; the caller's memory. The first part is the caller's to fill. All borrowed
 * until the check is over. */
struct lapel_verify {
    const struct lapel_slots *slots;
    void *ctx; /* handed to each member of slots */
    const struct lsuit_crypto *crypto;
    const struct lsuit_key *keys; /* may be none when accepted is given */
    size_t keys_n;
    const uint8_t *accepted; /* 32 bytes: the manifest is this one, whoever signed it; or NULL */
    uint8_t *envelope;       /* room for a manifest envelope */
    size_t envelope_size;
    uint8_t *buf; /* what is read back, piece by piece; 64 bytes or more */
    size_t buf_size;

    /* What is found. */
    uint64_t sequence; /* of the manifest, once lapel_verify_start was good */
    uint8_t digest[32];

    /* The check's own. */
    struct lsuit_envelope read;
    struct lsuit_manifest manifest;
    struct lsuit_facts facts;
    struct lsuit_hash hash;
    uint64_t at;
    uint32_t claimed, good; /* bit per component of the manifest */
    uint8_t claim;
    uint8_t slot;
};

enum lapel_verdict_of_image {
    LAPEL_IMAGE_AGAIN = 0,     /* call again */
    LAPEL_IMAGE_GOOD = 1,      /* it is what the manifest names */
    LAPEL_IMAGE_NONE = -1,     /* there is no manifest in the slot */
    LAPEL_IMAGE_TAMPERED = -2, /* its manifest isn't good, or the image isn't what that names */
    LAPEL_IMAGE_UNREAD = -3    /* the slot or the crypto library failed: nothing is known */
};

/* Read and judge the manifest in the slot. LAPEL_IMAGE_AGAIN: it is good, go on by _step. */
enum lapel_verdict_of_image lapel_verify_start(struct lapel_verify *v, uint8_t slot);

/* Hash one piece of buf_size bytes. */
enum lapel_verdict_of_image lapel_verify_step(struct lapel_verify *v);

/* All of it at once, for a boot loader. Never LAPEL_IMAGE_AGAIN. */
enum lapel_verdict_of_image lapel_boot_verify(struct lapel_verify *v, uint8_t slot);

#ifdef __cplusplus
}
#endif
#endif
