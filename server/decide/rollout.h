/*
 * Who gets which release, and when a wave opens. Pure: values in, a verdict out; the time is
 * passed in. The server and the fleet simulator call the same functions.
 */
#ifndef DECIDE_ROLLOUT_H
#define DECIDE_ROLLOUT_H

#include "base/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- One device, one space --- */

/* A release that was ever offered in the space. */
struct rollout_release {
    int32_t id;
    int64_t sequence;
    const uint8_t *digest; /* 32 bytes */
    enum release_state state;
    bool in;              /* the device's place is within the threshold of the newest open wave */
    bool on_hold;         /* a hold keeps this device from it */
    enum work_state work; /* what is known of this device and this release */
};

/* What the device says it runs there. */
struct rollout_device {
    int64_t sequence; /* 0: nothing was ever accepted */
    const uint8_t *digest;
    bool trial; /* it tries this one now */
};

enum rollout_kind { ROLLOUT_NOTHING, ROLLOUT_OFFER, ROLLOUT_WAIT, ROLLOUT_WITHDRAW };

/* Why, for `explain` and tests. */
enum rollout_reason {
    ROLLOUT_UP_TO_DATE,
    ROLLOUT_NOT_IN,    /* something newer is there, its wave is not open for this device */
    ROLLOUT_ON_TRIAL,  /* it is busy with a newer one */
    ROLLOUT_IN,        /* offered */
    ROLLOUT_IS_HELD,   /* would be offered, but for a pause */
    ROLLOUT_ON_HOLD,   /* would be offered, but for a hold by attribute */
    ROLLOUT_IS_HALTED, /* told to stop */
    ROLLOUT_CLASH      /* it runs this number with another digest */
};

struct rollout_verdict {
    enum rollout_kind kind;
    enum rollout_reason reason;
    size_t release; /* index; meaningless with NOTHING */
};

/*
 *   release   by falling sequence number; only those above the device's number matter
 *   busy      another space of the same answer has an offer already: at most one
 *
 *   (1) A release that is halted or withdrawn is never offered.
 *   (2) A device in flight on such a release is told to withdraw before anything else.
 *   (3) Nothing is ever offered whose number is not above the one the device runs.
 *   (4) Of several releases that are offered to it the device gets the one with the highest number.
 *   (5) A held release goes on for devices in flight, and starts for nobody.
 *   (6) So does one that a hold keeps from this device; a hold is told as nothing, since it may
 *       last for months, and the next lower release is looked at.
 */
struct rollout_verdict rollout_decide(const struct rollout_device *device,
                                      const struct rollout_release *release, size_t n, bool busy);

/* --- Waves --- */

struct rollout_wave {
    int64_t soak_ms;
    enum wave_gate gate;
    int64_t opened_ms;   /* 0: waiting */
    int64_t approved_ms; /* by a person, or by the evidence; 0: not */
};

enum wave_wait {
    WAVE_NO_WAIT,
    WAVE_SOAKS,
    WAVE_WANTS_APPROVAL,
    WAVE_WANTS_EVIDENCE,
    WAVE_WANTS_RESUME
};

struct wave_verdict {
    bool open;           /* open wave `wave` now */
    bool complete;       /* the last one has soaked: the rollout is over */
    size_t wave;         /* the one that is open next; n when all are */
    enum wave_wait wait; /* what it waits for when it is not due */
    int64_t due_ms;      /* when its soak ends; 0: not known */
};

/*
 * What is due in a rollout that was started. While the release is not open nothing moves.
 *
 *   wave  n of them, opened in order
 */
struct wave_verdict wave_decide(const struct rollout_wave *wave, size_t n, enum release_state state,
                                int64_t now_ms);

/* How many devices a wave holds: the larger of the share and the number, at most the fleet. */
int64_t wave_members(double share, int64_t devices, int64_t fleet);

/* --- Outcomes --- */

/*
 * What an attempt that ended does to the work.
 *
 *   class_  enum lsuit_class; stage  enum lsuit_stage
 *
 * A user's no, a withdrawal and a missing server are neither success nor failure; success comes
 * from a confirmed check-in only, never from here.
 */
enum work_state outcome_decide(enum work_state before, uint32_t stage, uint32_t class_);

/* What it says of the release: nothing when the network, the user or the server ended it. */
enum work_bad outcome_blame(uint32_t class_);

/* --- Sequence numbers --- */

enum sequence_verdict {
    SEQUENCE_NEW,
    SEQUENCE_SAME,  /* the same digest again: nothing to do */
    SEQUENCE_TAKEN, /* the number stands for another digest */
    SEQUENCE_LOW,   /* lower than one already offered */
    SEQUENCE_HIGH   /* over 2^63-1 */
};

/*
 *   taken    digest of the release that has this number, NULL when none has
 *   highest  highest number ever offered in the space
 */
enum sequence_verdict sequence_decide(uint64_t sequence, const uint8_t digest[32],
                                      const uint8_t *taken, int64_t highest);

#endif
