/* Filling a reply: headers, problems, files and ranges. Nothing here touches the wire. */
#include "http/http.h"

#include "base/bytes.h"
#include "base/strbuf.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void http_reply_init(struct http_reply *reply, int status)
{
    reply->status = status;
    reply->content_type = NULL;
    reply->body = NULL;
    reply->body_static = NULL;
    reply->body_size = 0;
    reply->file = -1;
    reply->file_offset = 0;
    reply->file_size = 0;
    reply->tag = 0;
    reply->close = false;
    reply->header_count = 0;
    reply->overflow = false;
    reply->text_used = 0;
}

void http_reply_fini(struct http_reply *reply)
{
    free(reply->body);
    if (reply->file >= 0)
        close(reply->file);
    http_reply_init(reply, 500);
}

void http_reply_header(struct http_reply *reply, const char *name, const char *format, ...)
{
    size_t room = sizeof reply->text - reply->text_used;
    char *value = reply->text + reply->text_used;
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(value, room, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room || reply->header_count == HTTP_REPLY_HEADERS) {
        reply->overflow = true;
        return;
    }
    for (int i = 0; i < n; i++) {
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return; /* nobody can start a header line of his own */
    }
    reply->header_name[reply->header_count] = name;
    reply->header_at[reply->header_count] = (uint16_t)reply->text_used;
    reply->header_count++;
    reply->text_used += (size_t)n + 1;
}

void http_reply_etag(struct http_reply *reply, const uint8_t sha256[32])
{
    char hex[BYTES_HEX_LENGTH(32) + 1];

    bytes_to_hex(sha256, 32, hex);
    http_reply_header(reply, "ETag", "\"%s\"", hex);
}

void http_reply_take_body(struct http_reply *reply, const char *content_type, void *body,
                          size_t size)
{
    reply->content_type = content_type;
    reply->body = body;
    reply->body_size = size;
}

void http_reply_copy_body(struct http_reply *reply, const char *content_type, const void *body,
                          size_t size)
{
    void *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL) {
        http_reply_init(reply, err_status(ERR_MEMORY));
        return;
    }
    if (size > 0)
        memcpy(copy, body, size);
    http_reply_take_body(reply, content_type, copy, size);
}

void http_reply_problem(struct http_reply *reply, enum err e, const char *detail, const char *field)
{
    struct strbuf b;
    size_t size = 0;
    char *body;

    strbuf_init(&b);
    strbuf_text(&b, "{\"type\":\"about:blank\",\"title\":");
    strbuf_json(&b, err_title(e));
    strbuf_format(&b, ",\"status\":%d", err_status(e));
    if (detail != NULL && detail[0] != '\0') {
        strbuf_text(&b, ",\"detail\":");
        strbuf_json(&b, detail);
    }
    if (field != NULL) {
        strbuf_text(&b, ",\"field\":");
        strbuf_json(&b, field);
    }
    strbuf_text(&b, "}\n");
    body = strbuf_take(&b, &size);

    http_reply_init(reply, err_status(e));
    if (body != NULL)
        http_reply_take_body(reply, "application/problem+json", body, size);
    if (reply->status == 401)
        http_reply_header(reply, "WWW-Authenticate", "Bearer");
}

void http_reply_retry_after(struct http_reply *reply, uint32_t retry_s)
{
    http_reply_header(reply, "Retry-After", "%u", (unsigned)retry_s);
}

/* Read a decimal number at *p and step over it. False when there is none or it is too large. */
static bool read_number(const char **p, int64_t *n_out)
{
    int64_t n = 0;

    if (**p < '0' || **p > '9')
        return false;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        int digit = **p - '0';

        if (n > (INT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *n_out = n;
    return true;
}

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Read "bytes=first-last", "first-" or "-suffix"; an absent number is -1. False on anything else. */
static bool read_range(const char *p, int64_t *first_out, int64_t *last_out)
{
    *first_out = -1;
    *last_out = -1;
    if (strncmp(p, "bytes=", 6) != 0)
        return false;
    p = skip_blanks(p + 6);
    if (*p != '-' && !read_number(&p, first_out))
        return false;
    if (*p++ != '-')
        return false;
    if (*p >= '0' && *p <= '9' && !read_number(&p, last_out))
        return false;
    p = skip_blanks(p);
    if (*p != '\0' || (*first_out < 0 && *last_out < 0))
        return false;
    return *first_out < 0 || *last_out < 0 || *first_out <= *last_out;
}

enum http_range http_range_parse(const char *range, const char *if_range, const char *etag,
                                 int64_t size, int64_t *first_out, int64_t *length_out)
{
    int64_t first;
    int64_t last;

    *first_out = 0;
    *length_out = size;
    if (range == NULL || (if_range != NULL && strcmp(if_range, etag) != 0))
        return HTTP_RANGE_NONE;
    if (!read_range(range, &first, &last))
        return HTTP_RANGE_NONE;
    if (first < 0) { /* the last bytes */
        if (last == 0 || size == 0)
            return HTTP_RANGE_REFUSED;
        first = last >= size ? 0 : size - last;
        last = size - 1;
    }
    if (first >= size)
        return HTTP_RANGE_REFUSED;
    if (last < 0 || last >= size)
        last = size - 1;
    *first_out = first;
    *length_out = last - first + 1;
    return HTTP_RANGE_PART;
}

/* Is the entity tag in the list of If-None-Match? Weak comparison (RFC 9110, 13.1.2). */
static bool matches(const char *list, const char *etag)
{
    size_t n = strlen(etag);

    if (list == NULL)
        return false;
    for (const char *p = skip_blanks(list); *p != '\0';) {
        if (*p == '*')
            return true;
        if (strncmp(p, "W/", 2) == 0)
            p += 2;
        if (strncmp(p, etag, n) == 0)
            return true;
        p = strchr(p, ',');
        if (p == NULL)
            return false;
        p = skip_blanks(p + 1);
    }
    return false;
}

void http_reply_file(struct http_reply *reply, const struct http_request *req,
                     const char *content_type, int fd, int64_t size, const uint8_t sha256[32])
{
    char hex[BYTES_HEX_LENGTH(32) + 1];
    char etag[sizeof hex + 2];
    int64_t first;
    int64_t length;
    enum http_range range;

    bytes_to_hex(sha256, 32, hex);
    snprintf(etag, sizeof etag, "\"%s\"", hex);
    range = http_range_parse(http_header(req, "Range"), http_header(req, "If-Range"), etag, size,
                             &first, &length);
    if (matches(http_header(req, "If-None-Match"), etag)) {
        close(fd);
        http_reply_init(reply, 304);
        http_reply_header(reply, "ETag", "%s", etag);
        return;
    }
    if (range == HTTP_RANGE_REFUSED) {
        close(fd);
        http_reply_problem(reply, ERR_RANGE, NULL, NULL);
        http_reply_header(reply, "Content-Range", "bytes */%lld", (long long)size);
        return;
    }
    http_reply_init(reply, range == HTTP_RANGE_PART ? 206 : 200);
    reply->content_type = content_type;
    reply->file = fd;
    reply->file_offset = first;
    reply->file_size = length;
    http_reply_header(reply, "ETag", "%s", etag);
    http_reply_header(reply, "Accept-Ranges", "bytes");
    if (range == HTTP_RANGE_PART)
        http_reply_header(reply, "Content-Range", "bytes %lld-%lld/%lld", (long long)first,
                          (long long)(first + length - 1), (long long)size);
}
