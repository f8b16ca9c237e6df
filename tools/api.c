#include "api.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bearer of this run. One place, so that it can be wiped. */
static char bearer[TOKEN_LEN + 1];

/* --- secrets -------------------------------------------------------------------------------- */

static void wipe_bearer(void)
{
    explicit_bzero(bearer, sizeof bearer);
}

/* Jansson's memory holds tokens: it is wiped before it is given back. */
static void *json_get(size_t n)
{
    size_t *p = n <= SIZE_MAX - 16 ? malloc(n + 16) : NULL;

    if (p == NULL)
        return NULL;
    *p = n;
    return (char *)p + 16;
}

static void json_wipe(void *p)
{
    if (p == NULL)
        return;
    p = (char *)p - 16;
    explicit_bzero(p, *(size_t *)p + 16);
    free(p);
}

void api_wipe_secrets(void)
{
    json_set_alloc_funcs(json_get, json_wipe);
    atexit(wipe_bearer);
}

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
    return n > 0 && n < (int)cap ? CLI_OK : cli_usage("--home: empty or too long");
}

/* The first line of a small file; false when there is none or it is longer. */
static bool first_line(int fd, char *out, size_t cap)
{
    ssize_t n = read(fd, out, cap - 1);
    size_t end;

    if (n <= 0)
        return false;
    out[n] = '\0';
    end = strcspn(out, "\r\n");
    if (end == cap - 1)
        return false;
    out[end] = '\0';
    return true;
}

static bool is_token(const char *s)
{
    return s != NULL && strlen(s) == TOKEN_LEN &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               TOKEN_LEN;
}

int api_token(struct api *api, const char *path)
{
    char line[TOKEN_LINE + 2];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int e = CLI_OK;

    if (fd < 0 || fstat(fd, &st) < 0)
        e = cli_fail("%s: %s; `lapel token bootstrap` makes the first token", path,
                     strerror(errno));
    else if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        e = cli_fail("%s: others may read it; chmod 600 it", path);
    else if (!first_line(fd, line, sizeof line) || !is_token(line))
        e = cli_fail("%s: holds no token of 43 base64url characters", path);
    if (e == CLI_OK) {
        memcpy(bearer, line, sizeof bearer);
        api->token = bearer;
    }
    explicit_bzero(line, sizeof line);
    if (fd >= 0)
        close(fd);
    return e;
}

static int settle_server(struct api *api, const char *home)
{
    char path[1024];
    int fd, n;

    if (api->server != NULL) {
        n = snprintf(api->url, sizeof api->url, "%s", api->server);
        if (n >= (int)sizeof api->url)
            return cli_usage("--server: longer than %zu bytes", sizeof api->url - 1);
    } else {
        snprintf(path, sizeof path, "%s/server", home);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || !first_line(fd, api->url, sizeof api->url))
            api->url[0] = '\0';
        if (fd >= 0)
            close(fd);
        if (api->url[0] == '\0')
            return cli_usage("which server? give --server, or `lapel token bootstrap` once");
    }
    while (*api->url != '\0' && api->url[strlen(api->url) - 1] == '/')
        api->url[strlen(api->url) - 1] = '\0';
    return http_check_url(api->url, api->token != NULL);
}

static int settle_ca(struct api *api, const char *home)
{
    struct stat st;

    if (api->ca != NULL) {
        if (snprintf(api->ca_path, sizeof api->ca_path, "%s", api->ca) >= (int)sizeof api->ca_path)
            return cli_usage("--ca: too long");
        return stat(api->ca, &st) == 0 ? CLI_OK
                                       : cli_fail("--ca: %s: %s", api->ca, strerror(errno));
    }
    snprintf(api->ca_path, sizeof api->ca_path, "%s/ca.pem", home);
    if (stat(api->ca_path, &st) != 0)
        api->ca_path[0] = '\0';
    return CLI_OK;
}

int api_open(struct api *api, bool need_token)
{
    char home[512], path[1024];
    int e = home_dir(api, home, sizeof home);

    if (e != CLI_OK)
        return e;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return cli_fail("libcurl does not start");
    if (need_token) {
        snprintf(path, sizeof path, "%s/token", home);
        e = api_token(api, api->token_file != NULL ? api->token_file : path);
    }
    if (e == CLI_OK)
        e = settle_server(api, home);
    if (e == CLI_OK)
        e = settle_ca(api, home);
    return e;
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

static int commit_token(struct file_out *out, const char *token)
{
    char line[TOKEN_LINE];
    int e;

    memcpy(line, token, TOKEN_LEN);
    line[TOKEN_LEN] = '\n';
    e = file_commit(out, (struct lsuit_bytes){ (const uint8_t *)line, sizeof line });
    explicit_bzero(line, sizeof line);
    return e;
}

int api_reserve_home(const struct api *api, bool replace, struct file_out *token_file)
{
    static char path[1024]; /* token_file borrows it */
    char home[512];
    struct stat st;
    int e = home_dir(api, home, sizeof home);

    if (e == CLI_OK)
        e = make_folders(home);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "%s/token", home);
    if (!replace && stat(path, &st) == 0)
        return cli_fail("%s: holds a token already; --replace gives it up, --home DIR keeps both",
                        path);
    return file_reserve(path, TOKEN_LINE, 0600, replace, token_file);
}

/* Server and CA are no secrets and can be written again: the token goes first. */
int api_store(const struct api *api, struct file_out *token_file, const char *token)
{
    char home[512], path[1024], line[sizeof api->url + 1];
    size_t n = 0;
    uint8_t *ca;
    int e = home_dir(api, home, sizeof home);

    if (e == CLI_OK)
        e = commit_token(token_file, token);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "%s/server", home);
    snprintf(line, sizeof line, "%s\n", api->url);
    e = file_write(path, (struct lsuit_bytes){ (const uint8_t *)line, strlen(line) }, 0644, true);
    snprintf(path, sizeof path, "%s/ca.pem", home);
    if (e != CLI_OK || api->ca_path[0] == '\0' || strcmp(path, api->ca_path) == 0)
        return e;
    ca = file_read(api->ca_path, 65536, &n);
    if (ca == NULL)
        return CLI_FAILED;
    e = file_write(path, (struct lsuit_bytes){ ca, n }, 0644, true);
    free(ca);
    return e;
}

const char *api_token_of(const json_t *answer)
{
    const char *token = json_string_value(json_object_get(answer, "token"));

    if (is_token(token))
        return token;
    cli_fail("the server sent no token of 43 base64url characters");
    return NULL;
}

int api_secret_reserve(const char *path, struct file_out *out)
{
    return path == NULL ? CLI_OK : file_reserve(path, TOKEN_LINE, 0600, false, out);
}

int api_secret(const struct api *api, const json_t *answer, const char *path, struct file_out *out)
{
    const char *token = api_token_of(answer);
    int e = CLI_OK;

    if (token == NULL) {
        if (path != NULL)
            file_drop(out);
        return CLI_FAILED;
    }
    if (path != NULL)
        e = commit_token(out, token);
    if (path == NULL && api->json)
        api_print(answer);
    else if (path == NULL || e != CLI_OK)
        printf("%s\n", token);
    else if (api->json)
        printf("{}\n");
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
    http_wipe(c->answer_out, c->answer_n_out);
    return e;
}

static int with_url(const struct api *api, struct http_call *c, const char *method,
                    const char *path, char *url, size_t cap)
{
    if (path == NULL)
        return cli_fail("out of memory");
    if (snprintf(url, cap, "%s%s", api->url, path) >= (int)cap)
        return cli_usage("%s: too long", path);
    c->method = method;
    c->url = url;
    c->ca = api->ca_path[0] != '\0' ? api->ca_path : NULL;
    c->token = api->token;
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
    json_wipe(text);
    return e;
}

int api_download(const struct api *api, const char *path, const char *file)
{
    struct http_call c = { .answer_file = file };
    char url[2048];
    int e = with_url(api, &c, "GET", path, url, sizeof url);

    return e == CLI_OK ? http_do(&c) : e;
}

int api_fetch(const struct api *api, const char *path, uint8_t **bytes_out, size_t *n_out)
{
    struct http_call c = { 0 };
    char url[2048];
    int e = with_url(api, &c, "GET", path, url, sizeof url);

    if (e == CLI_OK)
        e = http_do(&c);
    if (e == CLI_OK && c.status_out >= 300) {
        e = complain(&c);
        http_wipe(c.answer_out, c.answer_n_out);
    } else if (e == CLI_OK) {
        *bytes_out = (uint8_t *)c.answer_out;
        *n_out = c.answer_n_out;
    }
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
    http_wipe(c.answer_out, c.answer_n_out);
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

int api_put(json_t *body, const char *key, const char *value)
{
    if (!is_utf8(value) || json_object_set_new(body, key, json_string(value)) != 0)
        return cli_usage("%s: '%s' is no UTF-8", key, value);
    return CLI_OK;
}

json_t *api_reason(const char *reason)
{
    json_t *body = json_object();

    if (reason == NULL || api_put(body, "reason", reason) == CLI_OK)
        return body;
    json_decref(body);
    return NULL;
}

int api_id(const char *verb, const char *what, const char *text, uint64_t *id_out)
{
    if (!parse_uint(text, id_out) || *id_out == 0 || *id_out > INT32_MAX)
        return cli_usage("%s: %s: '%s' is not a number from 1 to 2147483647", verb, what, text);
    return CLI_OK;
}

/* The rows of one page; with --json as elements of an array that goes on over all pages. */
static size_t print_page(const struct api *api, const json_t *page, size_t before,
                         void (*row)(const json_t *, void *), void *user)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(page, i, entry)
    {
        if (!api->json) {
            row(entry, user);
            continue;
        }
        fputs(before + i > 0 ? ",\n" : "\n", stdout);
        json_dumpf(entry, stdout, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    }
    return json_array_size(page);
}

/* path & limit=1000 & after=mark; free() it. */
static char *page_path(const char *path, const char *after)
{
    char *mark = after != NULL ? http_segment(after) : NULL;
    char *out = NULL;

    if ((after != NULL && mark == NULL) ||
        asprintf(&out, "%s%climit=1000%s%s", path, strchr(path, '?') != NULL ? '&' : '?',
                 mark != NULL ? "&after=" : "", mark != NULL ? mark : "") < 0)
        out = NULL; /* cppcheck-suppress memleak ; asprintf failed and left nothing */
    free(mark);
    return out;
}

int api_list(const struct api *api, const char *path, const char *noun,
             void (*row)(const json_t *entry, void *user), void *user)
{
    json_t *answer = NULL;
    char *after = NULL, *page;
    size_t n = 0;
    int e = path != NULL ? CLI_OK : cli_fail("out of memory");
    bool first = true;

    while (e == CLI_OK && (first || after != NULL)) {
        const char *next;

        page = page_path(path, after);
        e = api_call(api, "GET", page, NULL, &answer);
        free(page);
        if (e != CLI_OK)
            break;
        if (first && api->json)
            printf("{\"%s\": [", noun);
        first = false;
        n += print_page(api, json_object_get(answer, noun), n, row, user);
        next = json_string_value(json_object_get(answer, "next"));
        if (next != NULL && after != NULL && strcmp(next, after) == 0)
            e = cli_fail("%s: the server names the same page again", path);
        free(after);
        after = next != NULL && e == CLI_OK ? strdup(next) : NULL;
        json_decref(answer);
        answer = NULL;
    }
    if (!first && api->json)
        printf("\n]}\n");
    free(after);
    return e;
}

int api_list_of_product(const struct verb *v, int argc, char **argv, const char *noun,
                        void (*row)(const json_t *entry, void *user))
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    char after[32], *path;
    int e = opts_parse(v, argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    snprintf(after, sizeof after, "/%s", noun);
    path = api_path("/api/v1/products/", pos[0], after);
    e = api_list(&api, path, noun, row, NULL);
    free(path);
    return e;
}

void api_print(const json_t *answer)
{
    if (answer == NULL)
        fputs("{}", stdout);
    else
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
}

void api_show(const struct api *api, const json_t *answer, void (*print)(const json_t *answer))
{
    if (api->json)
        api_print(answer);
    else
        print(answer);
}

const char *api_text(const json_t *o, const char *key)
{
    static char *ring[16];
    static unsigned at;
    const json_t *v = json_object_get(o, key);
    size_t n = 0;
    FILE *f;

    at = (at + 1) % 16;
    free(ring[at]);
    ring[at] = NULL;
    f = open_memstream(&ring[at], &n);
    if (f == NULL)
        return "?";
    if (json_is_string(v))
        put_safe(f, json_string_value(v), json_string_length(v), "");
    else if (json_is_integer(v))
        fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v))
        fprintf(f, "%g", json_real_value(v));
    else if (json_is_boolean(v))
        fputs(json_is_true(v) ? "yes" : "no", f);
    else
        fputc('-', f);
    fclose(f);
    return ring[at] != NULL ? ring[at] : "?";
}
