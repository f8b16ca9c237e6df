/*
 * What an integrator writes: the tables through which liblapel reaches the device.
 *
 * One return rule for all of them: above 0 done (a count where one makes sense), 0 try again
 * later (nothing has changed), below 0 an error. Each table begins with its own size, so that a
 * library and a port of different versions refuse each other at lapel_init. Members marked
 * optional may be NULL.
 *
 * No member may block for longer than the watchdog allows; none is called from an interrupt;
 * none may call back into liblapel.
 */
#ifndef LAPEL_PORT_H
#define LAPEL_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lapel_config.h"
#include "lsuit/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- network: one connection at a time --------------------------------------------------- */

/* Errors that the core tells apart; any other negative value is LAPEL_NET_FAIL. */
#define LAPEL_NET_FAIL (-1)   /* no route, refused, reset, name not found */
#define LAPEL_NET_TRUST (-2)  /* TLS: certificate or name not accepted */
#define LAPEL_NET_CLOSED (-3) /* recv, body: the peer ended it in order */

/* A request of the core. All of it is borrowed. */
struct lapel_request {
    const char *method;       /* "GET", "POST" or "DELETE" */
    const char *path;         /* begins with a slash */
    struct lsuit_bytes tail;  /* ends the path; may be absent */
    const char *token;        /* Authorization: Bearer ...; NULL for none */
    const uint8_t *attempt;   /* 8 bytes, in hex behind Lapel-Attempt; NULL for none */
    struct lsuit_bytes erase; /* a nonce, in hex behind Lapel-Erase; absent for none */
    uint64_t from;            /* > 0: Range from here on, with If-Range on the ETag `tail` */
    struct lsuit_bytes body;  /* of the type application/cbor; absent for none */
};

/* What the core must know of a response. */
struct lapel_response {
    uint64_t length;                               /* of the body */
    uint64_t range_first, range_last, range_total; /* Content-Range: bytes first-last/total */
    uint32_t retry_after_s;                        /* seconds; a date counts as none */
    uint16_t status;
    bool has_length, has_range, has_retry_after;
};

#if LAPEL_WITH_HTTP1

struct lapel_net {
    size_t size;
    /* Begin or go on connecting; called again with the same arguments until it isn't 0.
     * `tls` false only for payloads of a product that allows them in clear (and where
     * config.allow_clear says so). */
    int (*connect)(void *ctx, const char *host, uint16_t port, bool tls);
    /* Bytes taken (> 0), 0 try again, < 0 error. */
    int (*send)(void *ctx, const uint8_t *buf, size_t n);
    /* Bytes read (> 0), 0 try again, < 0 error. The peer's orderly close is LAPEL_NET_CLOSED. */
    int (*recv)(void *ctx, uint8_t *buf, size_t n);
    void (*close)(void *ctx);
    /* Is the network up? Optional: NULL means always. Drives the trial's deadline (6.10). */
    bool (*up)(void *ctx);
};

#else /* a fetcher: the platform has an HTTP client of its own */

struct lapel_net {
    size_t size;
    /* Take the request, and what it borrows, before returning. TLS as for a socket. */
    int (*begin)(void *ctx, const char *host, uint16_t port, bool tls,
                 const struct lapel_request *request);
    /* Status and headers, once they are there. No redirect is followed. */
    int (*head)(void *ctx, struct lapel_response *response_out);
    /* Bytes of the body without any coding (> 0), 0 try again; LAPEL_NET_CLOSED: it is whole, and
     * as long as it was announced. */
    int (*body)(void *ctx, uint8_t *buf, size_t n);
    /* End the exchange, whatever is going on. */
    void (*close)(void *ctx);
    bool (*up)(void *ctx); /* as above */
};

#endif

/* --- slots: where images live ------------------------------------------------------------- */

/* Two slots, 0 and 1, for each component that the device has; an image in place and its
 * candidate. A slot also has a manifest area that follows its image. */
struct lapel_slot_info {
    uint64_t size;       /* bytes an image may have */
    uint32_t erase_size; /* bytes per erase unit; 1 where erasing isn't needed */
    uint32_t
        write_size; /* writes are multiples of this, at multiples of this; the last is padded */
    uint8_t erased_value; /* what an erased byte reads as */
};

struct lapel_slots {
    size_t size;
    /* Which component is this (encoded SUIT_Component_Identifier)? Index 0.. or < 0 when the
     * device doesn't have it. */
    int (*find)(void *ctx, struct lsuit_bytes id);
    int (*info)(void *ctx, int component, uint8_t slot, struct lapel_slot_info *info_out);
    /* One erase unit at offset (a multiple of erase_size). */
    int (*erase)(void *ctx, int component, uint8_t slot, uint64_t offset);
    int (*write)(void *ctx, int component, uint8_t slot, uint64_t offset, const uint8_t *buf,
                 size_t n);
    int (*read)(void *ctx, int component, uint8_t slot, uint64_t offset, uint8_t *buf, size_t n);
    /* Manifest area of the slot, >= 2 KiB: the whole envelope, or nothing of it after a cut.
     * read answers the length, 0 when empty. */
    int (*manifest_write)(void *ctx, uint8_t slot, const uint8_t *buf, size_t n);
    int (*manifest_read)(void *ctx, uint8_t slot, uint8_t *buf, size_t cap);
    /* The image in the slot is complete with this length; durable when it answers 1. Optional
     * where the medium keeps no length (the journal keeps it too). */
    int (*set_length)(void *ctx, int component, uint8_t slot, uint64_t length);
};

/* --- boot loader --------------------------------------------------------------------------- */

enum lapel_boot_state {
    LAPEL_BOOT_STEADY,  /* runs a confirmed image, nothing is staged */
    LAPEL_BOOT_STAGED,  /* the other slot will be tried at the next start */
    LAPEL_BOOT_TRIAL,   /* runs an image that reverts at the next start unless confirmed */
    LAPEL_BOOT_REVERTED /* a trial ended without confirm; the former image runs again */
};

struct lapel_boot {
    size_t size;
    /* What the boot loader says, and which slot runs. The boot loader's word counts. */
    int (*state)(void *ctx, enum lapel_boot_state *state_out, uint8_t *running_slot_out);
    /* Try `slot` at the next start; durable when it answers 1. */
    int (*stage)(void *ctx, uint8_t slot);
    /* Take a stage back. */
    int (*unstage)(void *ctx);
    /* Keep the running image. Durable when it answers 1. Idempotent. */
    int (*confirm)(void *ctx);
    /* Mark the running trial as bad: the next start runs the other slot. */
    int (*reject)(void *ctx);
    /* Start anew. May return (the core then waits for the end) or not. */
    int (*reboot)(void *ctx);
    /* Security counter of the image in a slot (MCUboot TLV 0x50). Optional. */
    int (*counter)(void *ctx, uint8_t slot, uint64_t *counter_out);
    /* Was this start a power-on (true) or a reset by watchdog or software? Optional. */
    bool (*power_on)(void *ctx);
    /* Do stage, the trial and confirm switch all components of a slot at once, over a power cut
     * too? Where not, a manifest that writes more than one component is refused. */
    bool atomic_set;
};

/* --- two records that survive power loss ---------------------------------------------------- */

/* Two areas, 0 and 1, in different erase units, each at least LAPEL_RECORD_SIZE bytes. */
#define LAPEL_RECORD_SIZE 1024
struct lapel_nv {
    size_t size;
    /* n bytes from offset on; what was never written reads as anything. */
    int (*read)(void *ctx, uint8_t record, size_t offset, uint8_t *buf, size_t n);
    /* Erase and program the whole record; durable when it answers 1. A cut may leave anything
     * in this record, never in the other one. */
    int (*write)(void *ctx, uint8_t record, const uint8_t *buf, size_t n);
    /* A hardware counter that only rises. Optional. */
    int (*counter_get)(void *ctx, uint64_t *value_out);
    int (*counter_raise)(void *ctx, uint64_t value);
    /* A MAC over these 32 bytes with a key that only this device has and that nobody reads who
     * can write the records (a key in PSA, in a secure element). Optional: without it a checksum
     * tells whole records from torn ones, and nothing tells those of a forger. */
    int (*seal)(void *ctx, const uint8_t digest[32], uint8_t seal_out[32]);
};

/* --- the trust set (config.trust) ------------------------------------------------------------- */

struct lsuit_trust;

/* Two areas, 0 and 1, in different erase units, each at least LAPEL_TRUST_SIZE bytes: as lapel_nv,
 * and n is a multiple of 64. */
#define LAPEL_TRUST_SIZE 2112
struct lapel_trust_store {
    size_t size;
    int (*read)(void *ctx, uint8_t record, size_t offset, uint8_t *buf, size_t n);
    int (*write)(void *ctx, uint8_t record, const uint8_t *buf, size_t n);
    /*
     * From the next connection on: TLS takes its anchors from this set (lsuit_trust_anchor_at).
     * Optional, where the set has none.
     *
     *   set      borrowed until the next call; version 0: there is none
     *   factory  the URL in use is one of config.base_url: the factory's anchors hold too
     */
    void (*use)(void *ctx, const struct lsuit_trust *set, bool factory);
};

/* --- clock and chance ------------------------------------------------------------------------ */

struct lapel_sys {
    size_t size;
    /* Milliseconds since some instant of this boot; never goes back, wraps after 2^64. */
    uint64_t (*now_ms)(void *ctx);
    /* Fill with bytes from a cryptographic generator; 1 or < 0. */
    int (*random)(void *ctx, uint8_t *buf, size_t n);
    /* Seconds since 1970 UTC; optional, and 0 means not known. */
    int64_t (*epoch_s)(void *ctx);
};

#ifdef __cplusplus
}
#endif
#endif
