/*
 * The log: one line an event, on standard error, with a time and a level.
 *
 *   (1) A line is written by one write(2), so lines of several threads never mix.
 *   (2) Control characters in the text are written as '?', so that input can't forge a line.
 *   (3) At level info and above there are no network addresses and no secrets. Callers see to it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Levels above this one are dropped. INFO at first. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define LOG_AT(level, ...)                  \
    do {                                    \
        if (log_enabled(level))             \
            log_line((level), __VA_ARGS__); \
    } while (0)
#define LOG_ERROR(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)
#define LOG_WARN(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define LOG_INFO(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define LOG_DEBUG(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
