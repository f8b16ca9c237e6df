/*
 * Inside the codec: the commands and parameters that this build knows, one row each. Check and
 * processor go by these rows; what has none is refused.
 */
#ifndef LSUIT_SRC_COMMAND_H
#define LSUIT_SRC_COMMAND_H

#include "lsuit/suit_run.h"

/* What a command takes. */
enum { ARG_POLICY, ARG_INDEX, ARG_PARAMETERS, ARG_SEQUENCES, ARG_MULTIPLE, ARG_COPY };
#define COMMAND_ARG 0x07
#define COMMAND_CONDITION 0x40 /* its failure may be soft */
#define COMMAND_SHARED 0x80    /* may stand in the shared sequence */

/* How a command ended for one component. */
enum outcome {
    OUT_DONE,
    OUT_AGAIN,     /* the same command once more */
    OUT_CONDITION, /* a condition does not hold: a try-each or a soft sequence may go on */
    OUT_ENTERED,   /* a dependency comes first; the command is done when it is */
    OUT_ABORT      /* run->fault says why */
};

struct call;

struct lsuit_command_row {
    uint8_t code;
    uint8_t kind;  /* ARG_..., COMMAND_CONDITION, COMMAND_SHARED */
    uint8_t needs; /* row of the parameter that must be set; PARAM_NONE */
    /* Carry it out on one component; NULL where the processor itself does it. */
    enum outcome (*run)(struct call *k);
};

/* Rows of parameters. The first LSUIT_RUN_PARAMS are kept for each component. */
enum lsuit_param_row {
    PARAM_VENDOR,
    PARAM_CLASS,
    PARAM_DIGEST,
    PARAM_SLOT,
    PARAM_SIZE,
    PARAM_URI,
    PARAM_SOURCE,
    PARAM_INVOKE_ARGS,
    PARAM_FETCH_ARGS,
    PARAM_PRIORITY,
#if LSUIT_WITH_OPTIONAL
    PARAM_CONTENT,
    PARAM_DEVICE,
#endif
#if LSUIT_WITH_UPDATE_MANAGEMENT
    PARAM_USE_BEFORE,
    PARAM_BATTERY,
    PARAM_VERSION,
    PARAM_WAIT_INFO,
    PARAM_METADATA,
#endif
#if LSUIT_WITH_ENCRYPTION
    PARAM_ENCRYPTION,
#endif
    PARAM_STORED,
    PARAM_STRICT_ORDER = PARAM_STORED,
    PARAM_SOFT_FAILURE,
    PARAM_NONE
};
_Static_assert(PARAM_STORED == LSUIT_RUN_PARAMS, "one position for each parameter");

/* How a value is checked. */
enum {
    VALUE_UINT,
    VALUE_INT,
    VALUE_BOOL,
    VALUE_BYTES,
    VALUE_URI,
    VALUE_INDEX,
    VALUE_UUID,
    VALUE_VENDOR, /* a UUID, or an enterprise number (tag 112) */
    VALUE_DIGEST,
    VALUE_VERSION,
    VALUE_WAIT_INFO,
    VALUE_METADATA,
    VALUE_ENCRYPTION
};

struct lsuit_parameter_row {
    uint8_t key;
    uint8_t value; /* VALUE_... */
    uint8_t type;  /* enum lsuit_cbor_type */
};

/* NULL for a command that this build lacks. */
const struct lsuit_command_row *lsuit_command_find(int32_t code);

extern const struct lsuit_parameter_row lsuit_parameters[PARAM_NONE];

/* PARAM_NONE for a parameter that this build lacks. */
enum lsuit_param_row lsuit_parameter_find(int32_t key);

#endif
