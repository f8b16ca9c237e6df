/*
 * Faults: one place that fills them.
 */
#include "fault.h"

enum lsuit_err lsuit_fault_fill(struct lsuit_fault *fault, enum lsuit_err err, int32_t code)
{
    if (fault != NULL)
        *fault = (struct lsuit_fault){ .err = err, .code = code, .component = -1 };
    return err;
}

#ifndef LSUIT_NO_TEXT

enum lsuit_err lsuit_fault_set(struct lsuit_fault *fault, enum lsuit_err err, const char *what,
                               const char *why, int32_t code)
{
    (void)lsuit_fault_fill(fault, err, code);
    if (fault != NULL) {
        fault->what = what;
        fault->why = why;
    }
    return err;
}

#endif
