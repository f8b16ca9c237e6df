/* JSON in and out. Every error names the member at fault. */

#include "api/call.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "engine/rollout.h"
#include "lsuit/uuid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err call_bad(struct call *c, enum err e, const char *field, const char *format, ...)
{
    char why[200];
    va_list ap;

    va_start(ap, format);
    vsnprintf(why, sizeof why, format, ap);
    va_end(ap);
    if (field != NULL && c->field[0] == '\0')
        snprintf(c->field, sizeof c->field, "%s", field);
    return FAIL(e, "%s", why);
}

void fields_open(struct fields *f, struct call *c, json_t *object, const char *path)
{
    memset(f, 0, sizeof *f);
    f->c = c;
    f->object = object;
    snprintf(f->path, sizeof f->path, "%s", path);
    if (object != NULL && !json_is_object(object)) {
        size_t n = strlen(f->path);

        if (n > 0)
            f->path[n - 1] = '\0'; /* the dot */
        f->err = call_bad(c, ERR_INVALID, n > 0 ? f->path : "body", "must be an object");
    }
}

void field_bad(struct fields *f, const char *name, const char *why)
{
    char field[CALL_FIELD];

    if (f->err != ERR_OK)
        return;
    snprintf(field, sizeof field, "%s%s", f->path, name);
    f->err = call_bad(f->c, ERR_INVALID, field, "%s", why);
}

json_t *field_any(struct fields *f, const char *name)
{
    if (f->asked_n < FIELDS_ASKED)
        f->asked[f->asked_n++] = name;
    return f->err == ERR_OK ? json_object_get(f->object, name) : NULL;
}

/* The member, or NULL: absent, null, or an error stands. */
static json_t *ask(struct fields *f, const char *name, bool required)
{
    json_t *v = field_any(f, name);

    if (json_is_null(v))
        v = NULL;
    if (v == NULL && required)
        field_bad(f, name, "is missing");
    return v;
}

/* A person reads it later, perhaps on a terminal: no control characters. */
static bool is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return true;
}

bool field_text(struct fields *f, const char *name, bool required, size_t min, size_t max,
                char *text_out)
{
    json_t *v = ask(f, name, required);
    char why[80];
    size_t n;

    if (v == NULL)
        return false;
    n = json_string_length(v);
    if (!json_is_string(v)) {
        field_bad(f, name, "must be a string");
    } else if (n < min || n > max) {
        snprintf(why, sizeof why, "must have %zu to %zu bytes", min, max);
        field_bad(f, name, why);
    } else if (!is_plain(json_string_value(v), n)) {
        field_bad(f, name, "must have no control characters");
    } else {
        memcpy(text_out, json_string_value(v), n + 1);
        return true;
    }
    return false;
}

bool field_int(struct fields *f, const char *name, bool required, int64_t min, int64_t max,
               int64_t *value_out)
{
    json_t *v = ask(f, name, required);
    char why[80];

    if (v == NULL)
        return false;
    if (!json_is_integer(v)) {
        field_bad(f, name, "must be a whole number");
    } else if (json_integer_value(v) < min || json_integer_value(v) > max) {
        snprintf(why, sizeof why, "must be %lld to %lld", (long long)min, (long long)max);
        field_bad(f, name, why);
    } else {
        *value_out = json_integer_value(v);
        return true;
    }
    return false;
}

bool field_real(struct fields *f, const char *name, bool required, double *value_out)
{
    json_t *v = ask(f, name, required);

    if (v == NULL)
        return false;
    if (!json_is_number(v)) {
        field_bad(f, name, "must be a number");
        return false;
    }
    *value_out = json_number_value(v);
    return true;
}

bool field_bool(struct fields *f, const char *name, bool *value_out)
{
    json_t *v = ask(f, name, false);

    if (v == NULL)
        return false;
    if (!json_is_boolean(v)) {
        field_bad(f, name, "must be true or false");
        return false;
    }
    *value_out = json_is_true(v);
    return true;
}

bool field_hex(struct fields *f, const char *name, void *bytes_out, size_t n)
{
    json_t *v = ask(f, name, false);
    char why[60];

    if (v == NULL)
        return false;
    if (json_is_string(v) &&
        bytes_from_hex(json_string_value(v), json_string_length(v), bytes_out, n))
        return true;
    snprintf(why, sizeof why, "must be %zu hex digits", 2 * n);
    field_bad(f, name, why);
    return false;
}

enum err fields_end(struct fields *f)
{
    const char *key;
    json_t *value;

    if (f->err != ERR_OK || f->object == NULL)
        return f->err;
    json_object_foreach(f->object, key, value)
    {
        bool asked = false;

        for (size_t i = 0; i < f->asked_n; i++)
            asked = asked || strcmp(f->asked[i], key) == 0;
        if (!asked) {
            field_bad(f, key, "is not known here");
            break;
        }
    }
    return f->err;
}

enum err field_reason(struct call *c, char reason_out[512])
{
    struct fields f;

    reason_out[0] = '\0';
    fields_open(&f, c, c->in, "");
    field_text(&f, "reason", false, 0, 500, reason_out);
    return fields_end(&f);
}

/* --- Out --- */

json_t *json_time(int64_t ms)
{
    char text[CLOCK_TEXT];

    if (ms == 0)
        return json_null();
    clock_text(ms, text);
    return json_string(text);
}

json_t *json_number(uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return json_string(text);
}

json_t *json_hex(const void *bytes, size_t n)
{
    char text[2 * 128 + 1];

    bytes_to_hex(bytes, n > 128 ? 128 : n, text);
    return json_string(text);
}

json_t *json_uuid(const uint8_t uuid[16])
{
    char text[LSUIT_UUID_TEXT];

    lsuit_uuid_format(uuid, text);
    return json_string(text);
}

json_t *json_month(int32_t month)
{
    return json_sprintf("%04d-%02d", month / 12, month % 12 + 1);
}
