/*
 * Slots as files: slot0/NAME and slot1/NAME for each component, and slot0.manifest,
 * slot1.manifest beside them.
 *
 *   (1) A file's name comes from the table of components in the configuration, never from a
 *       component identifier in a manifest.
 *   (2) slots_set_length answers true when the image, its length and its name are on the medium.
 *   (3) A manifest area holds a whole envelope or the one before, or is empty.
 *   (4) What was not written yet reads as zeros, as on flash; a cut that loses bytes loses only
 *       bytes that the core hashes again.
 */
#ifndef AGENT_SLOTS_H
#define AGENT_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "lapel_port.h"

#define SLOTS_MANIFEST_MAX 65536

struct slots {
    const struct conf *conf; /* borrowed */
    int root;                /* slots_dir */
    int dir[2];              /* slot0, slot1 */
};

/* Makes what is missing. False with errno. */
bool slots_open(struct slots *s, const struct conf *conf);
void slots_fini(struct slots *s);

/* As struct lapel_slots says. */
int slots_find(const struct slots *s, struct lsuit_bytes id);
int slots_info(const struct slots *s, int component, uint8_t slot,
               struct lapel_slot_info *info_out);
int slots_erase(struct slots *s, int component, uint8_t slot, uint64_t offset);
int slots_write(struct slots *s, int component, uint8_t slot, uint64_t offset, const uint8_t *buf,
                size_t n);
int slots_read(const struct slots *s, int component, uint8_t slot, uint64_t offset, uint8_t *buf,
               size_t n);
int slots_set_length(struct slots *s, int component, uint8_t slot, uint64_t length);
int slots_manifest_write(struct slots *s, uint8_t slot, const uint8_t *buf, size_t n);
int slots_manifest_read(const struct slots *s, uint8_t slot, uint8_t *buf, size_t cap);

/*
 * Let the symbolic link `current` name this slot; swapped by rename, so that whoever opens
 * current/NAME sees the one or the other. False with errno.
 */
bool slots_point(struct slots *s, uint8_t slot);

/* Which slot `current` names, or -1. */
int slots_pointed(const struct slots *s);

#endif
