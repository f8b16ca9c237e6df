/*
 * What every check-in needs to know, in memory: products and releases that were ever offered.
 *
 * A snapshot never changes after it was built. The writer builds the next one inside the batch
 * that changed something, and it becomes the current one after the COMMIT, before the change is
 * acknowledged.
 */
#ifndef ENGINE_SNAPSHOT_H
#define ENGINE_SNAPSHOT_H

#include "lsuit/doc.h"
#include "store/evidence.h"
#include "store/hold.h"
#include "store/product.h"
#include "store/release.h"

enum { SNAP_FIRST = 16 };

struct snap_release {
    int32_t id, rollout, product;
    uint8_t vendor_id[16], class_id[16];
    uint8_t component[RELEASE_COMPONENT];
    size_t component_n;
    int64_t sequence;
    uint8_t digest[32];
    enum release_state state;
    uint8_t salt[16];
    unsigned waves_open; /* 0: nobody is in */
    bool nobody[WAVES];
    uint64_t threshold[WAVES]; /* of the open ones */
    unsigned first_n;          /* revisions with a threshold of their own in the first wave */
    struct snap_first {
        char revision[REVISION];
        uint64_t threshold;
    } first[SNAP_FIRST];
    uint32_t sent_size;
};

struct snap_product {
    int32_t id;
    char name[PRODUCT_NAME];
    char model[PRODUCT_MODEL];
    uint8_t vendor_id[16], class_id[16];
    bool allow_anonymous, payload_in_clear;
    uint32_t poll_s;
    uint32_t support_end; /* year * 100 + month; 0: none */
    char support_url[PRODUCT_TEXT];
    uint32_t trust_version; /* newest trust set; 0: it doesn't cover this product */
    size_t first, n;        /* its releases, by falling sequence number */
    size_t first_hold, holds_n;
};

struct snapshot {
    uint32_t generation;           /* never 0 */
    struct snap_product *products; /* by id */
    size_t products_n;
    struct snap_release *releases;
    size_t releases_n;
    struct hold *holds; /* by product */
    size_t holds_n;
    int64_t due_ms; /* when time moves a rollout next; 0: it does not */
};

/* Read it all. ERR_DB, ERR_MEMORY */
enum err snapshot_build(struct db *db, const char *public_url, uint32_t generation, int64_t now_ms,
                        struct snapshot **snapshot_out);
void snapshot_free(struct snapshot *snapshot);

/* NULL when there is none. */
const struct snap_product *snapshot_product(const struct snapshot *s, int32_t id);
const struct snap_product *snapshot_product_named(const struct snapshot *s,
                                                  struct lsuit_bytes name);

/*
 * The wave that lets this device in, counted from 0; -1: none that is open.
 *
 *   device_id  absent: only a wave of everybody
 *   revision   of its hardware; empty when it says none
 */
int snapshot_wave(const struct snap_release *r, struct lsuit_bytes device_id, const char *revision);

/*
 * The first hold that keeps a device of this revision from this release; NULL when none does.
 * Lives as long as the snapshot.
 */
const struct hold *snapshot_hold(const struct snapshot *s, const struct snap_product *p,
                                 int32_t release, const char *revision);

#endif
