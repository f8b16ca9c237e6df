/* Log lines on standard error. */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const NAMES[] = { "error", "warn", "info", "debug" };
    char line[512];
    char when[CLOCK_TEXT];
    va_list ap;
    size_t start;
    size_t n;

    clock_text(clock_now_ms(), when);
    start = (size_t)snprintf(line, sizeof line, "%s %-5s ", when, NAMES[level]);
    va_start(ap, format);
    vsnprintf(line + start, sizeof line - start - 1, format, ap);
    va_end(ap);
    n = strlen(line);
    for (size_t i = start; i < n; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    }
    line[n++] = '\n';
    /* Nobody is left to tell when this fails. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}
