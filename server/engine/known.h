/*
 * What is known of devices that asked lately, so that the common check-in touches no database:
 * whose token it is, and the last check-in that was answered *nothing*.
 *
 *   (1) A cache: it may lose entries at any time, and is empty after a start.
 *   (2) After known_drop returns, the token is looked up in the database again.
 *   (3) A row that was read before a drop is never put in after it (the generation tells).
 */
#ifndef ENGINE_KNOWN_H
#define ENGINE_KNOWN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known;

struct known_device {
    int32_t device, product;
    int slot;          /* of the token: 0 in use, 1 the next one */
    uint64_t body;     /* hash of the check-in that was answered nothing; 0: none */
    uint32_t snapshot; /* generation of the snapshot it was answered from */
};

/* `limit` entries at most, 0 for two million. NULL when there is no memory. */
struct known *known_new(size_t limit);
void known_free(struct known *known);

bool known_find(struct known *known, const uint8_t digest[32], struct known_device *device_out);

/* Taken before the database is read, handed to known_put. */
uint32_t known_generation(struct known *known);
void known_put(struct known *known, uint32_t generation, const uint8_t digest[32],
               const struct known_device *device);
void known_drop(struct known *known, const uint8_t digest[32]);

/* It checked in; body 0 forgets what was answered. */
void known_touch(struct known *known, const uint8_t digest[32], uint32_t seen_s, uint64_t body,
                 uint32_t snapshot);

/* Take up to `room` devices that were seen since the last call. Returns how many. */
struct known_seen {
    int32_t device;
    uint32_t seen_s;
};
size_t known_take_seen(struct known *known, struct known_seen *list_out, size_t room);

size_t known_count(struct known *known);

#endif
