/*
 * The operator interface of lapeld as the verbs use it (server/API.md): where the server is, who
 * we are, JSON out and in, errors in words.
 */
#ifndef TOOLS_API_H
#define TOOLS_API_H

#include <jansson.h>

#include "cli.h"
#include "http.h"

/* Filled by the common options and, where these are not given, from the home folder. */
struct api {
    const char *home, *server, *ca, *token_file; /* options */
    bool json;                                   /* print the answer as it came */
    char url[512], ca_path[1024];                /* settled by api_open */
    const char *token;                           /* of api_open, wiped at exit; NULL: none */
};

/* A token: 43 base64url characters and a newline. */
#define TOKEN_LEN 43
#define TOKEN_LINE (TOKEN_LEN + 1)

/* The common options of every verb that talks to a server. */
#define API_OPTS(api)                                                                     \
    { "server", OPT_TEXT, &(api)->server, "URL", "operator interface of lapeld", false }, \
        { "ca", OPT_TEXT, &(api)->ca, "FILE", "its CA certificate, PEM", false },         \
        { "token-file", OPT_TEXT, &(api)->token_file, "FILE", "who we are", false },      \
        { "home", OPT_TEXT, &(api)->home, "DIR", "where these three are kept", false },   \
        { "json", OPT_FLAG, &(api)->json, NULL, "print the answer as JSON", false },      \
    {                                                                                     \
        NULL, OPT_FLAG, NULL, NULL, NULL, false                                           \
    }

/* Once, before anything else: what held a token is wiped before it is given back. */
void api_wipe_secrets(void);

/* Settle server, CA and token. `need_token` false for bootstrap. */
int api_open(struct api *api, bool need_token);

/* Take the bearer from a file of one line that nobody else may read. */
int api_token(struct api *api, const char *path);

/*
 * Keep server, CA and token for later calls. The token file is 0600.
 *
 *   token_file  reserved with api_reserve_home before the server made the token
 */
int api_reserve_home(const struct api *api, bool replace, struct file_out *token_file);
int api_store(const struct api *api, struct file_out *token_file, const char *token);

/*
 * Hand a token out of an answer: into a file reserved for it (path NULL: to standard output, as
 * JSON with --json). When the file can't be written after all it is printed: nothing can give it
 * again.
 */
int api_secret_reserve(const char *path, struct file_out *out);
int api_secret(const struct api *api, const json_t *answer, const char *path, struct file_out *out);

/* The token in an answer; NULL after a message when there is none of the right form. */
const char *api_token_of(const json_t *answer);

/*
 * One call.
 *
 *   path        segments are encoded (api_path); NULL says that there was no memory for it
 *   body        taken; NULL sends none
 *   answer_out  may be NULL; json_decref it. NULL for 204
 *
 * An answer of 400 or more is printed with its field and reason: CLI_FAILED.
 */
int api_call(const struct api *api, const char *method, const char *path, json_t *body,
             json_t **answer_out);

/* GET into a file. */
int api_download(const struct api *api, const char *path, const char *file);
/* Bytes that are no JSON: GET; free() them. */
int api_fetch(const struct api *api, const char *path, uint8_t **bytes_out, size_t *n_out);

/* The status of an answer, without printing errors: HEAD. */
int api_head(const struct api *api, const char *path, long *status_out);

/* Send a file or bytes. */
int api_send(const struct api *api, const char *method, const char *path, const char *content_type,
             struct http_call *call, json_t **answer_out);

/* "/api/v1/products/" + segment + rest; free() it. */
char *api_path(const char *before, const char *segment, const char *after);

/*
 * All entries of a list, following `next`. With --json one object with all of them is printed,
 * else `row` is called for each.
 *
 *   path  with its query, if any
 *   noun  the member that holds the array
 *   row   user is passed on
 */
int api_list(const struct api *api, const char *path, const char *noun,
             void (*row)(const json_t *entry, void *user), void *user);

/*
 * The verb "list PRODUCT", from its command line on: `api_list` over /api/v1/products/PRODUCT/noun.
 */
int api_list_of_product(const struct verb *v, int argc, char **argv, const char *noun,
                        void (*row)(const json_t *entry, void *user));

/* A text into a body that is sent. Names it and fails when it is no UTF-8. */
int api_put(json_t *body, const char *key, const char *value);
/* {"reason": ...}, {} without one; NULL after a message. */
json_t *api_reason(const char *reason);
/* An id from the command line: 1 to 2^31-1. */
int api_id(const char *verb, const char *what, const char *text, uint64_t *id_out);

/* Print an answer as JSON; {} when there was none. */
void api_print(const json_t *answer);

/* With --json the answer as `api_print` does, else as `print` does. */
void api_show(const struct api *api, const json_t *answer, void (*print)(const json_t *answer));

/*
 * A member as text for people: "-" when it is null or absent, nothing in it drives a terminal.
 * Valid until the 16th next call.
 */
const char *api_text(const json_t *o, const char *key);

#endif
