/* What a restart does with each pair of journal state and boot loader's word, as data. */
#ifndef LAPEL_STATE_H
#define LAPEL_STATE_H

#include "lapel.h"

enum boot_case {
    BOOT_CASE_FORMER,  /* steady; runs the slot that the attempt doesn't write */
    BOOT_CASE_WRITTEN, /* steady; runs the slot that the attempt wrote */
    BOOT_CASE_STAGED,
    BOOT_CASE_TRIAL,
    BOOT_CASE_REVERTED,
    BOOT_CASES
};

enum settle {
    SETTLE_STAY,      /* go on in the journal's state */
    SETTLE_FORGET,    /* READY; what was attempted is dropped */
    SETTLE_UNSTAGE,   /* take the stage back, then the journal's state (READY for FAILED) */
    SETTLE_CANDIDATE, /* the stage was lost: CANDIDATE, staged again through its gate */
    SETTLE_STAGED,    /* STAGED */
    SETTLE_TRIAL,     /* TRIAL, one more start of it */
    SETTLE_ACCEPT,    /* it runs confirmed: accepted, UPDATED */
    SETTLE_REVERTED,  /* it ran and went back: FAILED, counted unless the power went */
    SETTLE_REJECT     /* tell the boot loader again, and start anew */
};

enum settle lapel_state_rule(enum lapel_state journal, enum boot_case boot);

#endif
