/*
 * The product's own word: executables in hooks_dir, asked and told without blocking.
 *
 *   gate    may it go on? exit 0 allow, 10 deny, 75 wait
 *   health  is the product well? exit 0 well, 10 not well, 75 not known yet
 *   event   told of each event, one at a time, in order
 *   reset   told of a factory reset
 *
 * Each gets one JSON object on standard input, a cleared environment, no shell, hook_timeout.
 *
 *   (1) Anything but the codes above, a time-out included, is *wait* for a gate and *not known*
 *       for health, and is logged.
 *   (2) A hook that is absent allows, is well, and hears nothing.
 *   (3) A hook that others may write is not run; see (1).
 *   (4) While one runs the asker gets *wait*; the main loop goes on.
 */
#ifndef AGENT_HOOKS_H
#define AGENT_HOOKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf.h"
#include "lapel.h"

#define HOOKS_QUEUE 32

#define HOOK_EXIT_ALLOW 0
#define HOOK_EXIT_DENY 10
#define HOOK_EXIT_WAIT 75

enum hook_result { HOOK_ABSENT, HOOK_RUNS, HOOK_EXITED, HOOK_BROKEN };

struct hook {
    const char *name;
    pid_t pid; /* 0: none runs */
    uint64_t deadline_ms;
    char *input; /* what it was asked, so that an answer is never taken for another question */
};

struct hooks {
    const struct conf *conf; /* borrowed */
    struct hook gate, health, event;
    uint64_t gate_again_ms, health_again_ms; /* not asked again before */
    char *queue[HOOKS_QUEUE];                /* events to tell, oldest first */
    unsigned queue_n;
    unsigned lost; /* events that found the queue full */
};

void hooks_init(struct hooks *h, const struct conf *conf);
/* Ends what runs. */
void hooks_fini(struct hooks *h);

/* `question` is taken. *wait_ms_out is set with LAPEL_WAIT. */
enum lapel_verdict hooks_gate(struct hooks *h, json_t *question, uint32_t *wait_ms_out);
enum lapel_health hooks_health(struct hooks *h);

/* Queue an event; `told` is taken. */
void hooks_event(struct hooks *h, json_t *told);

/* Start and reap. Milliseconds until it should be called again, UINT32_MAX when a signal of a
 * child's end is enough. */
uint32_t hooks_tick(struct hooks *h);

/* Run `reset` to its end. False when it failed; an absent one is fine. */
bool hooks_reset(struct hooks *h);

/* NULL when the hook may be run or is absent, else what is wrong with it (static). */
const char *hooks_weakness(const struct conf *conf, const char *name);

#endif
