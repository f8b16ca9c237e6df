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
    char url[512], ca_path[1024], token[64];     /* settled by api_open */
};

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

/* Settle server, CA and token. `need_token` false for bootstrap. */
int api_open(struct api *api, bool need_token);

/* Keep server, CA and token for later calls. The token file is 0600. */
int api_store(const struct api *api, const char *token);

/*
 * One call.
 *
 *   path        printf-like; segments must be encoded already (api_segment)
 *   body        taken; NULL sends none
 *   answer_out  may be NULL; json_decref it. NULL for 204
 *
 * An answer of 400 or more is printed with its field and reason: CLI_FAILED.
 */
int api_call(const struct api *api, const char *method, const char *path, json_t *body,
             json_t **answer_out);

/* The status of an answer, without printing errors: HEAD. */
int api_head(const struct api *api, const char *path, long *status_out);

/* Send a file or bytes. */
int api_send(const struct api *api, const char *method, const char *path, const char *content_type,
             struct http_call *call, json_t **answer_out);

/* "/api/v1/products/" + segment + rest; free() it. */
char *api_path(const char *before, const char *segment, const char *after);

/* Print an answer as JSON. */
void api_print(const json_t *answer);

/* A member as text for people; "-" when it is null or absent. Valid until the fourth next call. */
const char *api_text(const json_t *o, const char *key);

#endif
