/* Does a hold keep a device from a release? Pure. */
#ifndef DECIDE_HOLD_H
#define DECIDE_HOLD_H

#include "base/state.h"

#include <stdbool.h>
#include <stdint.h>

struct hold_rule {
    int32_t release; /* 0: every release */
    enum hold_attribute attribute;
    const char *value;
};

/* What the device says of itself, by attribute; empty when it says nothing. */
struct hold_device {
    const char *value[HOLD_ATTRIBUTES];
};

/* Byte for byte: "B" holds neither "b" nor "B2", and nobody who says nothing. */
bool hold_decide(const struct hold_rule *hold, int32_t release, const struct hold_device *device);

#endif
