#include "decide/preset.h"

#include <string.h>

/* clang-format off */
const struct preset PRESET[PRESETS] = {
  /* name        share  least  soak */
  { "feature", { { 0.001, 100,  2.0 }, { 0.005, 400, 2.0 }, { 0.05, 1500, 2.0 }, { 0.98, 0, 2.0 }, { 1, 0, 2.0 } },
    PRESET_FLOOR_MS, 0 },
  { "security", { { 0.001, 100, 1.5 }, { 0.005, 400, 1.5 }, { 0.05, 1500, 1.5 }, { 0.98, 0, 1.5 }, { 1, 0, 1.5 } },
    PRESET_FLOOR_MS, 0 },
  { "critical", { { 0.005, 100, 1.5 }, { 0.02, 400, 1.5 }, { 0.20, 1500, 1.5 }, { 0.98, 0, 1.5 }, { 1, 0, 1.5 } },
    PRESET_FLOOR_MS, 3600 },
};
/* clang-format on */

const struct preset *preset_find(const char *name)
{
    for (size_t i = 0; i < PRESETS; i++)
        if (strcmp(PRESET[i].name, name) == 0)
            return &PRESET[i];
    return NULL;
}

enum preset_kind preset_of(bool has_priority, int64_t priority)
{
    if (!has_priority)
        return PRESET_SECURITY;
    return priority < 100 ? PRESET_CRITICAL : priority < 1000 ? PRESET_SECURITY : PRESET_FEATURE;
}

int64_t preset_cell_ms(int64_t poll_ms)
{
    int64_t cell = poll_ms / 24;

    return cell < 1000 ? 1000 : cell > 3600000 ? 3600000 : cell;
}

int64_t preset_next_ms(int64_t poll_ms)
{
    return poll_ms + poll_ms / 4 + preset_cell_ms(poll_ms);
}

int64_t preset_late_ms(int64_t poll_ms)
{
    return preset_next_ms(poll_ms) + 3 * INT64_C(86400000);
}

int64_t preset_control(int64_t fleet)
{
    int64_t wanted = fleet / 50 > 5000 ? fleet / 50 : 5000;

    return wanted < fleet / 2 ? wanted : fleet / 2;
}
