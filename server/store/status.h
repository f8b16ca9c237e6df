/* What devices say of themselves: abilities, the user's choices, events, faults. */
#ifndef STORE_STATUS_H
#define STORE_STATUS_H

#include "store/db.h"

enum { CAPABILITY_MAX = 2048, EVENT_RING = 16, FAULT_RING = 4, FAULT_DETAIL = 64 };

struct status {
    bool has_capability;
    uint8_t capability[32];                              /* SHA-256 of the map */
    uint32_t auto_security, auto_feature, notifications; /* enum lsuit_setting */
    int64_t postponed_ms;                                /* until when; 0: not */
    uint32_t waiting;                                    /* enum lsuit_gate */
    bool refused;
    int64_t at_ms; /* of the last change; 0: nothing was told yet */
};
/* All zero when the device never told any. */
enum err status_get(struct db *db, int32_t device, struct status *status_out);
/* A map that nobody has any more goes with the last who had it. */
enum err status_put(struct db *db, int32_t device, const struct status *status);

/* Is there a map of this digest? map_out may be NULL, else it has CAPABILITY_MAX bytes. */
enum err capability_get(struct db *db, const uint8_t digest[32], uint8_t *map_out, size_t *n_out);
enum err capability_put(struct db *db, const uint8_t digest[32], const void *map, size_t n,
                        int64_t now_ms);

struct status_event {
    uint32_t class_, count;
    int64_t last_ms;
};
/* Add to the ring; the oldest goes. */
enum err event_add(struct db *db, int32_t device, const struct status_event *event);
/* The newest first, at most EVENT_RING. */
enum err event_list(struct db *db, int32_t device, struct status_event *list_out, unsigned *n_out);

struct status_fault {
    uint32_t kind;
    uint64_t where;
    bool has_sequence;
    int64_t sequence;
    uint8_t detail[FAULT_DETAIL];
    size_t detail_n;
    int64_t at_ms;
};
enum err fault_add(struct db *db, int32_t device, const struct status_fault *fault);
/* The newest first, at most FAULT_RING. */
enum err fault_list(struct db *db, int32_t device, struct status_fault *list_out, unsigned *n_out);

/* Every row of these about a device. */
enum err status_forget(struct db *db, int32_t device);

#endif
