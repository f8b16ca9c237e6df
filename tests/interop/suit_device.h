/*
 * A device in memory for the command processor: components, payloads by URI, identities; it
 * writes the trace down, and disturbs on demand.
 *
 * All bytes given to it are borrowed. suit_device_fini frees what the components hold.
 */
#ifndef SUIT_DEVICE_H
#define SUIT_DEVICE_H

#include "lsuit/decrypt.h"
#include "lsuit/suit_run.h"

#define SUIT_DEVICE_COMPONENTS 32
#define SUIT_DEVICE_IDS 8
#define SUIT_DEVICE_URIS 16
#define SUIT_DEVICE_TRACE 16384
#define SUIT_DEVICE_PLAIN 16384

struct suit_component {
    struct lsuit_bytes id; /* encoded */
    uint8_t *bytes;
    size_t len;
    bool present;
    uint64_t slot;              /* that an update writes */
    struct lsuit_bytes version; /* encoded; absent: it has none */
};

struct suit_ids {
    struct lsuit_bytes id[SUIT_DEVICE_IDS];
    size_t n;
};

struct suit_device {
    struct suit_ids vendor, class, device;
    struct {
        struct lsuit_bytes uri, body;
    } payload[SUIT_DEVICE_URIS];
    size_t payloads_n;
    struct suit_component comp[SUIT_DEVICE_COMPONENTS];
    size_t comp_n;
    uint32_t of[LSUIT_MAX_COMPONENTS]; /* component index in the manifest -> comp[] */
    uint32_t max_components;
    const struct lsuit_trust_keys *keys; /* of dependencies */
    const struct lsuit_decrypt_key *decrypt_keys;
    size_t decrypt_keys_n;
    uint64_t now, battery_mwh; /* 0: not known */
    bool authorized;

    bool willing;     /* any identity is ours, and dry runs are traced: for foreign traces */
    uint32_t piece;   /* bytes that one call of fetch, copy, write moves; 0: all */
    uint32_t again;   /* AGAIN answers before each answer of an operation */
    uint32_t fail_at; /* the operation with this number fails once; 0: none */

    uint32_t operations; /* so far */
    uint32_t yields;     /* answers AGAIN so far */
    uint32_t again_said;
    bool failed_once;
    bool touched; /* a component changed, or something was invoked */
    size_t moved; /* of the operation in work */
    uint8_t plain[SUIT_DEVICE_PLAIN];
    size_t plain_n;                /* decrypted, for the operation in work */
    const char *why;               /* of the last failure */
    char trace[SUIT_DEVICE_TRACE]; /* lines, each with its newline */
    size_t trace_n;
    bool trace_full;
    uint32_t invoked[16]; /* comp[] */
    size_t invoked_n;
};

extern const struct lsuit_platform SUIT_DEVICE_PLATFORM;

/* Find a component by its encoded identifier, or make it; NULL when there are too many. */
struct suit_component *suit_device_component(struct suit_device *d, struct lsuit_bytes id);

/* Give a component its content. */
void suit_component_set(struct suit_component *c, struct lsuit_bytes content);

/* Forget trace, counters and what was invoked; the components stay. */
void suit_device_calm(struct suit_device *d);

void suit_device_fini(struct suit_device *d);

#endif
