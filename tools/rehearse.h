/*
 * What a device would do with an envelope, without doing it: the processor's dry run over a device
 * that is described by words.
 */
#ifndef TOOLS_REHEARSE_H
#define TOOLS_REHEARSE_H

#include <stdbool.h>

#include "cli.h"
#include "envelope.h"
#include "lsuit/crypto.h"
#include "lsuit/suit.h"
#include "lsuit/suit_run.h"

#define REHEARSE_IDS 8
#define REHEARSE_COMPONENTS 16

/* What a component holds: a file's bytes, or digest and size of some. */
struct rehearse_component {
    uint8_t id[128]; /* encoded SUIT_Component_Identifier */
    size_t id_n;
    const char *path; /* NULL: only digest and size are known */
    uint8_t sha256[LSUIT_SHA256_LEN];
    uint64_t size;
    uint8_t version[64]; /* encoded array of integers */
    size_t version_n;    /* 0: not known */
};

struct rehearse_ids {
    uint8_t id[REHEARSE_IDS][16];
    size_t n;
};

struct rehearse_device {
    struct rehearse_ids vendor, class, device;
    uint64_t slot;     /* that an update writes */
    uint64_t sequence; /* accepted before; a lower one is refused */
    bool has_time, has_battery;
    uint64_t time_s; /* since 1970, UTC */
    uint64_t battery_mwh;
    bool authorizes;           /* somebody says yes when asked */
    struct envelope_keys keys; /* who may sign a dependency; none: nobody */
    struct rehearse_component component[REHEARSE_COMPONENTS];
    size_t components;
};

/*
 * Read "ID=FILE" or "ID=DIGEST:SIZE" into the device; an id is its segments with '/' between, a
 * segment text or 0x and hex digits. Prints what is wrong.
 */
int rehearse_holds(struct rehearse_device *d, const char *text);

/* Read "ID=1.2.3"; the numbers may be negative (-1 rc, -2 beta, -3 alpha). After its rehearse_holds. */
int rehearse_version(struct rehearse_device *d, const char *text);

/*
 * Run a procedure dry and print its trace and what it would come to.
 *
 *   m     checked; of an envelope that was verified or examined
 *   json  one JSON object instead of lines
 *
 * CLI_FAILED when a condition does not hold or the manifest can't be processed.
 */
int rehearse_run(const struct rehearse_device *d, const struct lsuit_manifest *m,
                 enum lsuit_procedure procedure, bool json);

#endif
