/*
 * Inside the codec: filling a fault, and refusing with a reason. Texts vanish under LSUIT_NO_TEXT,
 * and with them the arguments that carry them and the need for names.c.
 */
#ifndef LSUIT_SRC_FAULT_H
#define LSUIT_SRC_FAULT_H

#include "lsuit/cbor.h"
#include "lsuit/err.h"

/* Fill the fault when there is one; what is not named becomes zero, component -1. Returns err. */
enum lsuit_err lsuit_fault_fill(struct lsuit_fault *fault, enum lsuit_err err, int32_t code);

#ifdef LSUIT_NO_TEXT

#define TEXT(s) ((const char *)0)
#define REFUSE(c, err, why) lsuit_cbor_fail(c, err)
#define REASON(c) ((const char *)0)
#define lsuit_fault_set(fault, err, what, why, code) \
    ((void)(what), (void)(why), lsuit_fault_fill(fault, err, code))

#else

#define TEXT(s) (s)
#define REFUSE(c, err, why) lsuit_cbor_refuse(c, err, why)
#define REASON(c) ((c)->why)

/* Likewise, with the standard's name of the thing and what is wrong with it; both static. */
enum lsuit_err lsuit_fault_set(struct lsuit_fault *fault, enum lsuit_err err, const char *what,
                               const char *why, int32_t code);

#endif
#endif
