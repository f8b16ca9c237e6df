/*
 * What the local commands do to an agent, the same for a running daemon and without one.
 *
 * Requests and answers are JSON objects. A request has "do", the verb's name; an answer has "ok"
 * and, when that is false, "why".
 */
#ifndef AGENT_VERB_H
#define AGENT_VERB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent.h"

/* A request whose answer needs steps of the core first. */
struct verb_wait {
    bool (*look)(struct agent *a, struct verb_wait *w, json_t **answer_out);
    uint32_t checks, good_checks; /* when it began */
};

/* Who asks, and what came with it. */
struct verb_asker {
    bool daemon; /* the agent runs; else a command has it for itself */
    enum lapel_actor by;
    int envelope_fd, folder_fd; /* apply; borrowed */
};

/*
 * Carry out a request. The answer, or NULL when verb_look has to be asked after each step.
 */
json_t *verb_do(struct agent *a, const json_t *request, const struct verb_asker *asker,
                struct verb_wait *wait_out);
json_t *verb_look(struct agent *a, struct verb_wait *w);

#endif
