#include "api.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TOKEN_LEN 43

/* --- where and who -------------------------------------------------------------------------- */

static int home_dir(const struct api *api, char *out, size_t cap)
{
    const char *home = api->home != NULL ? api->home : getenv("LAPEL_HOME");
    const char *user = getenv("HOME");
    int n;

    if (home != NULL)
        n = snprintf(out, cap, "%s", home);
    else if (user != NULL)
        n = snprintf(out, cap, "%s/.config/lapel", user);
    else
        return cli_usage("give --home, --server and --token-file: there is no HOME");
    return n < (int)cap ? CLI_OK : cli_usage("--home: too long");
}

/* The first line of a small file; false when there is none. */
static bool first_line(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "r");
    bool ok = f != NULL && fgets(out, (int)cap, f) != NULL;

    if (ok)
        out[strcspn(out, "\r\n")] = '\0';
    if (f != NULL)
        fclose(f);
    return ok;
}

static bool is_token(const char *s)
{
    return strlen(s) == TOKEN_LEN &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               TOKEN_LEN;
}

static int read_token(const char *path, char token_out[64])
{
    struct stat st;

    if (stat(path, &st) != 0)
        return cli_fail("%s: %s; `lapel token bootstrap` makes the first token", path,
                        strerror(errno));
    if ((st.st_mode & 077) != 0)
        return cli_fail("%s: others may read it; chmod 600 it", path);
    if (!first_line(path, token_out, 64) || !is_token(token_out))
        return cli_fail("%s: holds no token of 43 base64url characters", path);
    return CLI_OK;
}

int api_open(struct api *api, bool need_token)
{
    char home[512], path[1024];
    struct stat st;
    int e = home_dir(api, home, sizeof home);

    if (e != CLI_OK)
        return e;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    snprintf(path, sizeof path, "%s/server", home);
    if (api->server != NULL)
        snprintf(api->url, sizeof api->url, "%s", api->server);
    else if (!first_line(path, api->url, sizeof api->url))
        return cli_usage("which server? give --server, or `lapel token bootstrap` once");
    while (*api->url != '\0' && api->url[strlen(api->url) - 1] == '/')
        api->url[strlen(api->url) - 1] = '\0';
    snprintf(path, sizeof path, "%s/ca.pem", home);
    if (api->ca != NULL)
        snprintf(api->ca_path, sizeof api->ca_path, "%s", api->ca);
    else if (stat(path, &st) == 0)
        snprintf(api->ca_path, sizeof api->ca_path, "%s", path);
    if (api->ca != NULL && stat(api->ca, &st) != 0)
        return cli_fail("--ca: %s: %s", api->ca, strerror(errno));
    if (!need_token)
        return CLI_OK;
    snprintf(path, sizeof path, "%s/token", home);
    return read_token(api->token_file != NULL ? api->token_file : path, api->token);
}

static int make_folders(const char *dir)
{
    char part[512];

    snprintf(part, sizeof part, "%s", dir);
    for (char *p = part + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return cli_fail("%s: %s", part, strerror(errno));
        *p = '/';
    }
    if (mkdir(part, 0700) < 0 && errno != EEXIST)
        return cli_fail("%s: %s", part, strerror(errno));
    return CLI_OK;
}

static int store_line(const char *path, const char *line, unsigned mode, bool replace)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "%s\n", line);

    return file_write(path, (struct lsuit_bytes){ (const uint8_t *)text, (size_t)n }, mode,
                      replace);
}

int api_store(const struct api *api, const char *token)
{
    char home[512], path[1024];
    size_t n = 0;
    uint8_t *ca;
    int e = home_dir(api, home, sizeof home);

    if (e == CLI_OK)
        e = make_folders(home);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "%s/token", home);
    e = store_line(path, token, 0600, true);
    snprintf(path, sizeof path, "%s/server", home);
    if (e == CLI_OK)
        e = store_line(path, api->url, 0644, true);
    if (e != CLI_OK || api->ca_path[0] == '\0')
        return e;
    ca = file_read(api->ca_path, 65536, &n);
    if (ca == NULL)
        return CLI_FAILED;
    snprintf(path, sizeof path, "%s/ca.pem", home);
    if (strcmp(path, api->ca_path) != 0)
        e = file_write(path, (struct lsuit_bytes){ ca, n }, 0644, true);
    free(ca);
    return e;
}

/* --- calls ---------------------------------------------------------------------------------- */

/* A problem document (RFC 9457) in one line. */
static int complain(const struct http_call *c)
{
    json_t *o = json_loadb(c->answer_out != NULL ? c->answer_out : "", c->answer_n_out, 0, NULL);
    const char *title = json_string_value(json_object_get(o, "title"));
    const char *detail = json_string_value(json_object_get(o, "detail"));
    const char *field = json_string_value(json_object_get(o, "field"));

    if (title == NULL)
        cli_fail("%s %s: the server says %ld", c->method, c->url, c->status_out);
    else
        cli_fail("%s%s%s%s%s (%ld)", field != NULL ? field : "", field != NULL ? ": " : "",
                 detail != NULL ? detail : title, detail != NULL ? ": " : "",
                 detail != NULL ? title : "", c->status_out);
    json_decref(o);
    return CLI_FAILED;
}

static int finish(struct http_call *c, json_t **answer_out)
{
    json_error_t error;
    int e = CLI_OK;

    if (answer_out != NULL)
        *answer_out = NULL;
    if (c->status_out >= 300) {
        e = complain(c);
    } else if (answer_out != NULL && c->answer_n_out > 0) {
        *answer_out = json_loadb(c->answer_out, c->answer_n_out, 0, &error);
        if (*answer_out == NULL)
            e = cli_fail("%s: the answer is no JSON: %s", c->url, error.text);
    }
    free(c->answer_out);
    return e;
}

static int with_url(const struct api *api, struct http_call *c, const char *method,
                    const char *path, char *url, size_t cap)
{
    if (snprintf(url, cap, "%s%s", api->url, path) >= (int)cap)
        return cli_usage("%s: too long", path);
    c->method = method;
    c->url = url;
    c->ca = api->ca_path[0] != '\0' ? api->ca_path : NULL;
    c->token = api->token[0] != '\0' ? api->token : NULL;
    return CLI_OK;
}

int api_send(const struct api *api, const char *method, const char *path, const char *content_type,
             struct http_call *call, json_t **answer_out)
{
    char url[2048];
    int e = with_url(api, call, method, path, url, sizeof url);

    call->content_type = content_type;
    if (e == CLI_OK)
        e = http_do(call);
    return e == CLI_OK ? finish(call, answer_out) : e;
}

int api_call(const struct api *api, const char *method, const char *path, json_t *body,
             json_t **answer_out)
{
    struct http_call c = { 0 };
    char *text = NULL;
    int e;

    if (body != NULL) {
        text = json_dumps(body, JSON_COMPACT);
        json_decref(body);
        if (text == NULL)
            return cli_fail("out of memory");
        c.body = text;
        c.body_n = strlen(text);
    }
    c.accept = "application/json";
    e = api_send(api, method, path, body != NULL ? "application/json" : NULL, &c, answer_out);
    free(text);
    return e;
}

int api_head(const struct api *api, const char *path, long *status_out)
{
    struct http_call c = { 0 };
    char url[2048];
    int e = with_url(api, &c, "HEAD", path, url, sizeof url);

    if (e == CLI_OK)
        e = http_do(&c);
    if (e == CLI_OK)
        *status_out = c.status_out;
    free(c.answer_out);
    return e;
}

/* --- paths and printing --------------------------------------------------------------------- */

char *api_path(const char *before, const char *segment, const char *after)
{
    char *encoded = http_segment(segment);
    size_t n;
    char *path;

    if (encoded == NULL)
        return NULL;
    n = strlen(before) + strlen(encoded) + strlen(after) + 1;
    path = malloc(n);
    if (path != NULL)
        snprintf(path, n, "%s%s%s", before, encoded, after);
    free(encoded);
    return path;
}

void api_print(const json_t *answer)
{
    json_dumpf(answer, stdout, JSON_INDENT(2));
    putchar('\n');
}

const char *api_text(const json_t *o, const char *key)
{
    static char ring[4][64];
    static unsigned at;
    const json_t *v = json_object_get(o, key);

    if (json_is_string(v))
        return json_string_value(v);
    at = (at + 1) % 4;
    if (json_is_integer(v))
        snprintf(ring[at], sizeof ring[at], "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v))
        snprintf(ring[at], sizeof ring[at], "%g", json_real_value(v));
    else if (json_is_boolean(v))
        snprintf(ring[at], sizeof ring[at], "%s", json_is_true(v) ? "yes" : "no");
    else
        snprintf(ring[at], sizeof ring[at], "-");
    return ring[at];
}
