/*
 * One line per event, to standard error for people (or as JSON), and to a file for programs.
 *
 * A line is a name and fields. Names and fields are listed in lapel-agent(8) and stay stable;
 * scripts wait for them.
 */
#ifndef AGENT_LOG_H
#define AGENT_LOG_H

#include <jansson.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 };

/*
 * Choose where lines go. May be called again.
 *
 *   json  standard error gets JSON too
 *   path  appended to, JSON, made with 0640; "" for none
 *
 * False with errno when the file can't be opened; standard error works nevertheless.
 */
bool log_open(bool json, const char *path);
void log_close(void);

/* Say nothing on standard error below this level. */
void log_quiet(enum log_level level);

/* `fields` is a JSON object, taken; NULL for none. */
void log_event(enum log_level level, const char *name, json_t *fields);

/* A plain sentence: event "error" or "warning" or "note", field "text". */
void log_text(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
