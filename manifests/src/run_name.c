/*
 * Names of sections and commands as a trace has them: without the field's prefixes.
 */
#include "run.h"

#ifdef LSUIT_NO_TEXT

const char *lsuit_run_command_name(int32_t code)
{
    (void)code;
    return NULL;
}

const char *lsuit_run_section_name(int32_t key)
{
    (void)key;
    return NULL;
}

#else

#include <string.h>

static const char *strip(const char *name)
{
    static const char *const PREFIXES[] = { "suit-", "condition-", "directive-" };

    for (size_t i = 0; i < sizeof PREFIXES / sizeof PREFIXES[0]; i++) {
        struct lsuit_bytes prefix = lsuit_text(PREFIXES[i]);

        if (lsuit_text(name).len >= prefix.len && memcmp(name, prefix.ptr, prefix.len) == 0)
            name += prefix.len;
    }
    return name;
}

const char *lsuit_run_command_name(int32_t code)
{
    return strip(lsuit_name_command(code));
}

const char *lsuit_run_section_name(int32_t key)
{
    return strip(lsuit_name_manifest_key(key));
}

#endif
