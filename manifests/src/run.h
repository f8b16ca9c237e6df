/*
 * Inside the command processor: what run.c (sequences) and run_command.c (conditions and
 * directives of one component) share.
 */
#ifndef LSUIT_SRC_RUN_H
#define LSUIT_SRC_RUN_H

#include "lsuit/suit_run.h"

/* Positions in struct lsuit_params. */
enum param_slot {
    PARAM_VENDOR,
    PARAM_CLASS,
    PARAM_DIGEST,
    PARAM_SLOT,
    PARAM_SIZE,
    PARAM_CONTENT,
    PARAM_URI,
    PARAM_SOURCE,
    PARAM_INVOKE_ARGS,
    PARAM_DEVICE,
    PARAM_FETCH_ARGS,
    PARAM_NONE
};
_Static_assert(PARAM_NONE == LSUIT_RUN_PARAMS, "one position for each parameter");

/* How a command ended for one component. */
enum outcome {
    OUT_DONE,
    OUT_AGAIN,     /* the same command once more */
    OUT_CONDITION, /* a condition does not hold: a try-each or a soft sequence may go on */
    OUT_ABORT      /* run->fault says why */
};

/* A cursor over the envelope from an offset on; items are read one after the other. */
struct lsuit_cbor lsuit_run_cursor(const struct lsuit_run *run, uint32_t at);

/* Offset in the envelope of a place in it. */
uint32_t lsuit_run_offset(const struct lsuit_run *run, const uint8_t *p);

/* Where the parameter with this number is kept; PARAM_NONE when it isn't. */
enum param_slot lsuit_run_param_slot(int64_t key);

/* Note the fault; answers OUT_ABORT. */
enum outcome lsuit_run_abort_with(struct lsuit_run *run, enum lsuit_err err, int64_t code,
                                  const char *why);

/* End an open hash; harmless when there is none. */
void lsuit_run_hash_end(struct lsuit_run *run);

/* Carry out one condition or directive on one component, or a piece of it. */
enum outcome lsuit_run_command(struct lsuit_run *run, int64_t code, uint32_t comp);

/* "vendor-identifier", "install": names as in a trace; NULL when unknown or left out. */
const char *lsuit_run_command_name(int64_t code);
const char *lsuit_run_section_name(int64_t key);

#endif
