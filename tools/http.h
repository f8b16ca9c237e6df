/*
 * One HTTP exchange with lapeld, over libcurl. Certificate and name are always checked.
 */
#ifndef TOOLS_HTTP_H
#define TOOLS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest answer that is kept, bytes. */
#define HTTP_ANSWER_MAX ((size_t)64 << 20)

struct http_call {
    const char *method;
    const char *url;
    const char *ca;           /* PEM file, NULL: the system's */
    const char *token;        /* bearer, NULL: none */
    const char *content_type; /* NULL: no body */
    const char *accept;       /* NULL: any */
    const void *body;         /* in memory, or ... */
    size_t body_n;
    const char *body_file; /* ... streamed from a file of body_file_n bytes */
    uint64_t body_file_n;
    bool progress; /* a bar on standard error while the file goes out */

    long status_out;
    char *answer_out; /* heap, NUL at the end; free() it */
    size_t answer_n_out;
};

/*
 * Returns CLI_OK when an answer came, whatever its status; CLI_FAILED after a message when none
 * did. Refuses to send a token in clear to another machine (provision 5.5-7).
 */
int http_do(struct http_call *call);

/* Percent-encode one path segment; free() it. NULL without memory. */
char *http_segment(const char *s);

#endif
