/*
 * One case of the SUIT vectors: read from JSON, run through the library, judged.
 */
#ifndef SUIT_CASE_H
#define SUIT_CASE_H

#include <jansson.h>

#include "suit_device.h"
#include "suit_keys.h"

#define SUIT_CASE_KEYS 8
#define SUIT_CASE_DECRYPT 2

enum suit_verdict { SUIT_PASS, SUIT_FAIL, SUIT_SKIP };

struct suit_blob {
    struct suit_blob *next;
    size_t len;
    uint8_t bytes[];
};

struct suit_case {
    const char *dir; /* folder of the case */
    json_t *doc;
    struct suit_blob *blobs; /* all that was read from files and hex */
    struct suit_key key[SUIT_CASE_KEYS];
    struct lsuit_key trusted[SUIT_CASE_KEYS];
    size_t keys_n;
    struct lsuit_trust_keys trust; /* those */
    struct lsuit_decrypt_key decrypt[SUIT_CASE_DECRYPT];
    size_t decrypt_n;
    struct lsuit_envelope envelope;
    struct lsuit_manifest manifest;
    struct lsuit_fault fault; /* of the last error */
    uint32_t steps;           /* of the last execution */
    char reason[512];         /* why it failed or was skipped */
};

/* Set the reason; answers the verdict. */
__attribute__((format(printf, 3, 4))) enum suit_verdict
suit_say(struct suit_case *k, enum suit_verdict v, const char *format, ...);

/* Bytes that live as long as the case; absent when there is no such file, or text is no hex. */
struct lsuit_bytes suit_file(struct suit_case *k, const char *name);
struct lsuit_bytes suit_bytes(struct suit_case *k, const char *hex);

/* Envelope, signature, manifest, sequence number: all that comes before a command. */
enum lsuit_err suit_admit(struct suit_case *k, struct lsuit_bytes doc, uint64_t current);

/*
 * Run procedures on a device.
 *
 *   procedures  array of names
 *   steps       give up after so many steps, as a reset would; 0: to the end
 *   gave_up_out true when it did
 */
enum lsuit_err suit_execute(struct suit_case *k, struct suit_device *d, json_t *procedures,
                            uint32_t steps, bool *gave_up_out);

/* Is this the answer to something that the build lacks? */
bool suit_unsupported(enum lsuit_err e);

/* What it lacks, by the name that the library gives it; NULL when it names nothing. */
const char *suit_needs(const struct suit_case *k, enum lsuit_err e);

/* A device as `object` (a case, or the exec of a foreign one) describes it. */
void suit_device_fill(struct suit_case *k, json_t *object, struct suit_device *d);

/* Does the device hold what the object says (hex of identifier: hex of content), no more no less? */
bool suit_holds(struct suit_case *k, const struct suit_device *d, json_t *components);

/* How often a sweep really disturbed a run. */
extern struct suit_disturbances {
    unsigned long yields, resets, failures;
} suit_disturbances;

/* Judge by kind. With `sweep`, a full case that passes is disturbed in every way too. */
enum suit_verdict suit_case_full(struct suit_case *k, bool sweep);
enum suit_verdict suit_case_exec(struct suit_case *k, json_t *object); /* after suit_admit */
enum suit_verdict suit_case_foreign(struct suit_case *k);
enum suit_verdict suit_case_legacy(struct suit_case *k);
enum suit_verdict suit_case_encryption_info(struct suit_case *k);

#endif
