/*
 * Text that grows. The first failure sticks: later calls do nothing, and strbuf_take says NULL, so
 * the caller asks once at the end.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *text; /* zero-terminated once something was added; NULL before */
    size_t size;
    size_t room;
    bool failed;
};

void strbuf_init(struct strbuf *b);
void strbuf_fini(struct strbuf *b);
void strbuf_add(struct strbuf *b, const void *bytes, size_t n);
void strbuf_text(struct strbuf *b, const char *text);
void strbuf_format(struct strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A string as JSON, in quotes; bytes that are no valid UTF-8 become U+FFFD. */
void strbuf_json(struct strbuf *b, const char *text);

/* Text with the characters that mean something in HTML escaped. */
void strbuf_html(struct strbuf *b, const char *text);

/* Hand over the text (free it) and start empty. NULL when memory ran out on the way. */
char *strbuf_take(struct strbuf *b, size_t *size_out);

#endif
