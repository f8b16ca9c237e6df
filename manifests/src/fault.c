/*
 * Faults: one place that fills them.
 */
#include "fault.h"

enum lsuit_err lsuit_fault_set(struct lsuit_fault *fault, enum lsuit_err err, const char *what,
                               const char *why, int64_t code)
{
    if (fault != NULL) {
        *fault = (struct lsuit_fault){ 0 };
        fault->err = err;
        fault->what = what;
        fault->why = why;
        fault->code = code;
        fault->component = -1;
    }
    return err;
}
