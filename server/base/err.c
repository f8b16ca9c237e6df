/* Statuses and titles of errors, and the text of the last one in each thread. */
#include "base/err.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

/* clang-format off */
static const struct { int status; const char *title; } ERRORS[] = {
#define ERR_AS_ROW(code, status, title) { status, title },
    ERR_TABLE(ERR_AS_ROW)
#undef ERR_AS_ROW
};
/* clang-format on */

static _Thread_local char last_detail[256];
static _Thread_local char last_field[96];

static unsigned row(enum err e)
{
    return (unsigned)e < ERR_COUNT ? (unsigned)e : (unsigned)ERR_INTERNAL;
}

int err_status(enum err e)
{
    return ERRORS[row(e)].status;
}

const char *err_title(enum err e)
{
    return ERRORS[row(e)].title;
}

enum err err_fail(enum err e, const char *where, const char *field, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(last_detail, sizeof last_detail, format, ap);
    va_end(ap);
    snprintf(last_field, sizeof last_field, "%s", field != NULL ? field : "");
    if (err_status(e) >= 500)
        LOG_ERROR("%s: %s: %s", where, err_title(e), last_detail);
    else
        LOG_DEBUG("%s: %s: %s", where, err_title(e), last_detail);
    return e;
}

const char *err_detail(void)
{
    return last_detail;
}

const char *err_field(void)
{
    return last_field[0] != '\0' ? last_field : NULL;
}

void err_clear(void)
{
    last_detail[0] = '\0';
    last_field[0] = '\0';
}
