#include "decide/hold.h"

#include <string.h>

bool hold_decide(const struct hold_rule *hold, int32_t release, const struct hold_device *device)
{
    const char *said = device->value[hold->attribute];

    if (hold->release != 0 && hold->release != release)
        return false;
    return said[0] != '\0' && strcmp(said, hold->value) == 0;
}
