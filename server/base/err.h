/*
 * The one table of errors: a code, the HTTP status that answers it, and a title for people.
 *
 * A function that can fail returns `enum err`. The place that sees an error first logs it with
 * FAIL and passes the code up; nobody above logs it again. FAIL also keeps the text in the thread,
 * so that the same thread can put it into a problem answer (err_detail, err_field).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

/* clang-format off */
/*    code                  status  title (stable; the last word on it is the problem's "title") */
#define ERR_TABLE(X) \
    X(ERR_OK,                 200, "ok") \
    X(ERR_INVALID,            400, "invalid value") \
    X(ERR_MALFORMED,          400, "malformed document") \
    X(ERR_UNAUTHORIZED,       401, "not found or not allowed") \
    X(ERR_FORBIDDEN,          403, "not allowed for this role") \
    X(ERR_NOT_FOUND,          404, "not found") \
    X(ERR_METHOD,             405, "method not allowed") \
    X(ERR_NOT_ACCEPTABLE,     406, "no representation of the asked type") \
    X(ERR_TIMEOUT,            408, "request took too long") \
    X(ERR_CONFLICT,           409, "conflict") \
    X(ERR_SEQUENCE,           409, "sequence conflict") \
    X(ERR_STATE,              409, "not possible in this state") \
    X(ERR_GONE,               410, "no longer offered") \
    X(ERR_LENGTH,             411, "length required") \
    X(ERR_PRECONDITION,       412, "precondition failed") \
    X(ERR_TOO_LARGE,          413, "too large") \
    X(ERR_TYPE,               415, "unsupported content type") \
    X(ERR_RANGE,              416, "range not satisfiable") \
    X(ERR_REFUSED,            422, "refused: a device would refuse it") \
    X(ERR_SIGNATURE,          422, "signature not trusted") \
    X(ERR_DIGEST,             422, "digest or size differs") \
    X(ERR_RATE,               429, "too many requests") \
    X(ERR_HEADERS,            431, "header too large") \
    X(ERR_INTERNAL,           500, "internal error") \
    X(ERR_DB,                 500, "database error") \
    X(ERR_IO,                 500, "input or output error") \
    X(ERR_TLS,                500, "TLS error") \
    X(ERR_CONFIG,             500, "configuration error") \
    X(ERR_UNSUPPORTED,        501, "not supported") \
    X(ERR_BUSY,               503, "busy, try again") \
    X(ERR_MEMORY,             503, "out of memory") \
    X(ERR_STOPPING,           503, "shutting down") \
    X(ERR_FULL,               507, "no space left")
/* clang-format on */

#define ERR_AS_ENUM(code, status, title) code,
enum err { ERR_TABLE(ERR_AS_ENUM) ERR_COUNT };
#undef ERR_AS_ENUM

/* The HTTP status that answers it. */
int err_status(enum err e);

/* The title above. Static. */
const char *err_title(enum err e);

/*
 * Log `e` with the function's name and yield it: `return FAIL(ERR_IO, "open %s: %s", path, why);`
 * A 5xx is logged at level error, a client's fault (4xx) at level debug.
 * FAIL_FIELD also names the input field at fault; it is copied.
 */
#define FAIL(e, ...) err_fail((e), __func__, (const char *)0, __VA_ARGS__)
#define FAIL_FIELD(e, field, ...) err_fail((e), __func__, (field), __VA_ARGS__)

enum err err_fail(enum err e, const char *where, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * What the last FAIL of this thread said, and the field it named (NULL when none).
 * Empty after err_clear, which a request handler calls first. Valid until the next FAIL.
 */
const char *err_detail(void);
const char *err_field(void);
void err_clear(void);

#endif
