/*
 * The boot loader's part, played by the agent at the start of `run`: which slot runs, whether it
 * is on probation, and the way back.
 *
 * One file, `boot`, in state_dir, replaced as a whole:
 *
 *   state      running slot   next start makes of it
 *   steady     s              steady s
 *   staged     s              trial of the other slot, first start
 *   trial      s              trial again while it has starts left, then reverted to the other
 *   rejected   s              reverted to the other
 *   reverted   s              reverted s, until the core has taken note (confirm, unstage, stage)
 *
 *   (1) The file decides; the link `current` is made to agree with it afterwards.
 *   (2) A start counts before the image runs, so that an image that crashes the machine at once
 *       runs out of starts.
 *   (3) A file that can't be understood is never written by us (replaced as a whole): then the
 *       slot that `current` names runs, steady, for it ran before.
 */
#ifndef AGENT_BOOT_H
#define AGENT_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "lapel_port.h"
#include "slots.h"

enum boot_mode { BOOT_STEADY, BOOT_STAGED, BOOT_TRIAL, BOOT_REJECTED, BOOT_REVERTED };

struct boot {
    const struct conf *conf; /* borrowed */
    struct slots *slots;     /* borrowed */
    int state_fd;            /* borrowed: state_dir */
    enum boot_mode mode;
    uint8_t running;
    uint8_t starts; /* that the trial has had */
};

/* Read the file. False with errno when it can't be read; `was_bad_out` tells of (3). */
bool boot_open(struct boot *b, const struct conf *conf, int state_fd, struct slots *slots,
               bool *was_bad_out);

/*
 * The start itself: the table above, `current`, and the boot command for the slot. A trial whose
 * command fails is reverted at once. False when nothing could be started or stored.
 */
bool boot_start(struct boot *b);

/* As struct lapel_boot says. */
int boot_state(const struct boot *b, enum lapel_boot_state *state_out, uint8_t *running_slot_out);
int boot_stage(struct boot *b, uint8_t slot);
int boot_unstage(struct boot *b);
int boot_confirm(struct boot *b);
int boot_reject(struct boot *b);

const char *boot_mode_name(enum boot_mode mode);

#endif
