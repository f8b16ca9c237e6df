/*
 * Inside the codec: filling a fault. Texts vanish under LSUIT_NO_TEXT, and with them the need
 * for names.c.
 */
#ifndef LSUIT_SRC_FAULT_H
#define LSUIT_SRC_FAULT_H

#include "lsuit/err.h"

#ifdef LSUIT_NO_TEXT
#define TEXT(s) ((const char *)0)
#else
#define TEXT(s) (s)
#endif

/* Fill the fault when there is one; what is not named becomes zero, component -1. Returns err. */
enum lsuit_err lsuit_fault_set(struct lsuit_fault *fault, enum lsuit_err err, const char *what,
                               const char *why, int64_t code);

#endif
