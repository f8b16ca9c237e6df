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

    const char *answer_file; /* the answer goes there; a status of 400 or more is then an error */

    long status_out;
    char *answer_out; /* heap, NUL at the end; http_wipe it */
    size_t answer_n_out;
};

/*
 * Returns CLI_OK when an answer came, whatever its status; CLI_FAILED after a message when none
 * did. Refuses to send a token in clear to another machine (provision 5.5-7).
 */
int http_do(struct http_call *call);

/*
 * Whether an URL may be asked: https, or http to this machine, without user or password in it.
 * With a token http goes to this machine only (provision 5.5-7).
 */
int http_check_url(const char *url, bool with_token);

/* Free what may hold a secret. p may be NULL. */
void http_wipe(char *p, size_t n);

/* Percent-encode one path segment; free() it. NULL without memory. "." and ".." stay segments. */
char *http_segment(const char *s);

#endif
