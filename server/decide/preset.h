/*
 * How fast a release is handed out, by its severity: the waves of a rollout for which nobody
 * gave any. Pure tables.
 */
#ifndef DECIDE_PRESET_H
#define DECIDE_PRESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PRESET_WAVES = 5 };

struct preset_wave {
    double share;    /* cumulative */
    int64_t devices; /* at least so many */
    double soak;     /* in polls */
};

struct preset {
    const char *name;
    struct preset_wave waves[PRESET_WAVES];
    int64_t least_soak_ms; /* of every wave, however short the polls */
    uint32_t poll_s;       /* polls are made as short as this while it runs; 0: left alone */
};

enum preset_kind { PRESET_FEATURE, PRESET_SECURITY, PRESET_CRITICAL, PRESETS };

/* Security is the default. */
extern const struct preset PRESET[PRESETS];

/* NULL: there is none of this name. */
const struct preset *preset_find(const char *name);

/* By update-priority: below 100 critical, below 1000 security, from there on feature. */
enum preset_kind preset_of(bool has_priority, int64_t priority);

/* The least that a wave of a preset soaks. Its first wave holds 100 devices or more, or all. */
enum { PRESET_FLOOR_MS = 3600000 };

/*
 * How judging goes with time. Starts are looked at in cells of a 24th of a poll, a second at least
 * and an hour at most; a check-in is overdue a poll and a quarter and a cell after the start, and
 * the last word is said three days later.
 */
int64_t preset_cell_ms(int64_t poll_ms);
int64_t preset_next_ms(int64_t poll_ms);
int64_t preset_late_ms(int64_t poll_ms);

/* Devices of which it is watched whether they stay away without the release: the last by place. */
int64_t preset_control(int64_t fleet);

/* Each class and hardware revision has at least so many devices in the first wave, or all. */
enum { PRESET_STRATUM = 20 };

/* Polls that a gate waits for evidence, beyond its soak, before it asks a person. */
enum { PRESET_LONGEST = 7 };

#endif
