/* Text that grows. */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strbuf_init(struct strbuf *b)
{
    *b = (struct strbuf){ 0 };
}

void strbuf_fini(struct strbuf *b)
{
    free(b->text);
    strbuf_init(b);
}

/* Make room for n more bytes and a zero byte. */
static bool reserve(struct strbuf *b, size_t n)
{
    size_t room = b->room == 0 ? 256 : b->room;
    char *text;

    if (b->failed || n > SIZE_MAX / 4 || b->size > SIZE_MAX / 4) {
        b->failed = true;
        return false;
    }
    if (b->size + n < b->room)
        return true;
    while (room <= b->size + n)
        room *= 2;
    text = realloc(b->text, room);
    if (text == NULL) {
        b->failed = true;
        return false;
    }
    b->text = text;
    b->room = room;
    return true;
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t n)
{
    if (!reserve(b, n))
        return;
    if (n > 0)
        memcpy(b->text + b->size, bytes, n);
    b->size += n;
    b->text[b->size] = '\0';
}

void strbuf_text(struct strbuf *b, const char *text)
{
    strbuf_add(b, text, strlen(text));
}

void strbuf_format(struct strbuf *b, const char *format, ...)
{
    va_list ap;
    va_list again;
    int n;

    va_start(ap, format);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, format, ap);
    if (n < 0)
        b->failed = true;
    else if (reserve(b, (size_t)n)) {
        vsnprintf(b->text + b->size, (size_t)n + 1, format, again);
        b->size += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

/* Bytes of the valid UTF-8 character at p, 0 when there is none (RFC 3629). */
static size_t utf8_length(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] < 0xe0)
        return (p[1] & 0xc0) == 0x80 ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] < 0xf0) {
        if ((p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
            return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
            return 0; /* too long a form, or half of a surrogate pair */
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] < 0xf5) {
        if ((p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
            return 0;
        if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

void strbuf_json(struct strbuf *b, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    strbuf_add(b, "\"", 1);
    while (*p != '\0') {
        size_t n = utf8_length(p);

        if (n == 0)
            strbuf_text(b, "\\ufffd");
        else if (*p == '"' || *p == '\\')
            strbuf_format(b, "\\%c", *p);
        else if (*p < 0x20)
            strbuf_format(b, "\\u%04x", *p);
        else
            strbuf_add(b, p, n);
        p += n == 0 ? 1 : n;
    }
    strbuf_add(b, "\"", 1);
}

void strbuf_html(struct strbuf *b, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            strbuf_text(b, "&amp;");
            break;
        case '<':
            strbuf_text(b, "&lt;");
            break;
        case '>':
            strbuf_text(b, "&gt;");
            break;
        case '"':
            strbuf_text(b, "&quot;");
            break;
        case '\'':
            strbuf_text(b, "&#39;");
            break;
        default:
            strbuf_add(b, text, 1);
        }
    }
}

char *strbuf_take(struct strbuf *b, size_t *size_out)
{
    char *text = NULL;

    strbuf_add(b, "", 0); /* so that empty text is a string too */
    if (b->failed)
        free(b->text);
    else
        text = b->text;
    if (size_out != NULL)
        *size_out = text != NULL ? b->size : 0;
    strbuf_init(b);
    return text;
}
