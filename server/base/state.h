/* The states that decisions are about and that rows hold. The numbers stand in the database. */
#ifndef BASE_STATE_H
#define BASE_STATE_H

/*
 *              resume                      open       offered, payloads served
 *      ┌────────────────────┐              held       no new offers, what is in flight goes on
 *      ▼        pause       │              halted     nothing is served, devices are told to stop
 *     open ──────────────► held            withdrawn  the same, for ever
 *      │ ▲                  │
 * halt │ │ resume      halt │
 *      ▼ │                  │
 *     halted ◄──────────────┘   abort, withdraw: from any state to withdrawn
 */
enum release_state {
    RELEASE_OPEN = 1,
    RELEASE_HELD = 2,
    RELEASE_HALTED = 3,
    RELEASE_WITHDRAWN = 4
};

/* A device and a release. In flight are offered and fetching. */
enum work_state {
    WORK_NONE = 0,      /* no row */
    WORK_OFFERED = 1,   /* told, no byte fetched */
    WORK_FETCHING = 2,  /* has fetched, no end yet */
    WORK_INSTALLED = 3, /* confirmed: the only success */
    WORK_FAILED = 4,    /* its last attempt failed */
    WORK_CANCELLED = 5, /* told to withdraw */
    WORK_STATES = 6
};

/* What lets a wave be left, when it has soaked. */
enum wave_gate {
    WAVE_TIMED = 0,   /* nothing more */
    WAVE_MANUAL = 1,  /* a person says so */
    WAVE_EVIDENCE = 2 /* the outcomes say so, or a person */
};

/* What an attempt that ended badly says of the release. */
enum work_bad { WORK_WELL = 0, WORK_BROKE = 1, WORK_REVERTED = 2 };

/* What a device says of itself and a hold can name. */
enum hold_attribute { HOLD_HW_REVISION, HOLD_ATTRIBUTES };

#endif
