#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define CONNECT_TIMEOUT_S 10L
/* Give up when less than one byte a second moves for so long. */
#define STALL_S 120L

struct answer {
    char *bytes;
    size_t n, cap;
    bool too_long;
};

static size_t keep(char *p, size_t size, size_t count, void *user)
{
    struct answer *a = user;
    size_t n = size * count;
    char *bigger;

    if (n > HTTP_ANSWER_MAX - a->n) {
        a->too_long = true;
        return 0;
    }
    if (a->n + n + 1 > a->cap) { /* not realloc(): it leaves copies behind */
        a->cap = 2 * (a->n + n + 1);
        bigger = malloc(a->cap);
        if (bigger == NULL)
            return 0;
        if (a->n > 0)
            memcpy(bigger, a->bytes, a->n);
        http_wipe(a->bytes, a->n);
        a->bytes = bigger;
    }
    memcpy(a->bytes + a->n, p, n);
    a->n += n;
    a->bytes[a->n] = '\0';
    return n;
}

static size_t give(char *p, size_t size, size_t count, void *user)
{
    size_t n = fread(p, size, count, user);

    return n == 0 && ferror((FILE *)user) ? CURL_READFUNC_ABORT : n;
}

static int bar(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
               curl_off_t up)
{
    static const char FULL[] = "########################################";
    int *last = user;
    int percent = up_total > 0 ? (int)(up * 100 / up_total) : 0;

    (void)down_total;
    (void)down;
    if (up_total > 0 && percent != *last) {
        fprintf(stderr, "\r[%-40.*s] %3d %%", percent * 40 / 100, FULL, percent);
        *last = percent;
    }
    return 0;
}

void http_wipe(char *p, size_t n)
{
    if (p != NULL)
        explicit_bzero(p, n);
    free(p);
}

/* Parsed by the library that will connect, so that both mean the same host. */
static bool host_is_local(CURLU *url)
{
    static const char *const LOCAL[] = { "127.0.0.1", "localhost", "[::1]" };
    char *host = NULL;
    bool local = false;

    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return false;
    for (size_t i = 0; i < sizeof LOCAL / sizeof LOCAL[0]; i++)
        local = local || strcmp(host, LOCAL[i]) == 0;
    curl_free(host);
    return local;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

    curl_free(text);
    return has;
}

int http_check_url(const char *url, bool with_token)
{
    CURLU *u = curl_url();
    char *scheme = NULL;
    int e = CLI_OK;

    if (u == NULL)
        return cli_fail("out of memory");
    if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
        e = cli_usage("--server: '%s' is no https:// URL", url);
    else if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
        e = cli_usage("--server: '%s': no user or password belongs into it", url);
    else if (has_part(u, CURLUPART_FRAGMENT))
        e = cli_usage("--server: '%s': no # belongs into it", url);
    else if (with_token && strcmp(scheme, "http") == 0 && !host_is_local(u))
        e = cli_fail("%s: a token is not sent in clear to another machine; use https://", url);
    curl_free(scheme);
    curl_url_cleanup(u);
    return e;
}

static void free_headers(struct curl_slist *list)
{
    for (struct curl_slist *h = list; h != NULL; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(list);
}

static struct curl_slist *headers_of(const struct http_call *c)
{
    struct curl_slist *list = NULL;
    char line[256];

    if (c->token != NULL) {
        snprintf(line, sizeof line, "Authorization: Bearer %s", c->token);
        list = curl_slist_append(list, line);
        explicit_bzero(line, sizeof line);
    }
    if (c->content_type != NULL) {
        snprintf(line, sizeof line, "Content-Type: %s", c->content_type);
        list = curl_slist_append(list, line);
    }
    if (c->accept != NULL) {
        snprintf(line, sizeof line, "Accept: %s", c->accept);
        list = curl_slist_append(list, line);
    }
    return list;
}

static void set_body(CURL *curl, const struct http_call *c, FILE *f, int *last_percent)
{
    if (f != NULL) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
        curl_easy_setopt(curl, CURLOPT_READDATA, f);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->body_file_n);
        if (c->progress) {
            curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
            curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, bar);
            curl_easy_setopt(curl, CURLOPT_XFERINFODATA, last_percent);
        }
    } else if (c->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_n);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body);
    } else if (strcmp(c->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, c->method);
}

static void set_connection(CURL *curl, const struct http_call *c)
{
    curl_easy_setopt(curl, CURLOPT_URL, c->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (strncmp(c->url, "http://", 7) == 0) /* a proxy would see the token */
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (c->ca != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_S);
}

static void set_answer(CURL *curl, struct answer *answer, FILE *to)
{
    if (to != NULL) { /* libcurl writes to a FILE by itself */
        curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, to);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

int http_do(struct http_call *c)
{
    CURL *curl = NULL;
    struct curl_slist *headers = NULL;
    struct answer answer = { NULL, 0, 0, false };
    FILE *f = NULL, *to = NULL;
    CURLcode code;
    int last_percent = -1, e = http_check_url(c->url, c->token != NULL);

    if (e != CLI_OK)
        return e;
    if (c->body_file != NULL && (f = fopen(c->body_file, "rb")) == NULL)
        return cli_fail("%s: %s", c->body_file, strerror(errno));
    if (c->answer_file != NULL && (to = fopen(c->answer_file, "wb")) == NULL) {
        e = cli_fail("%s: %s", c->answer_file, strerror(errno));
        goto out;
    }
    curl = curl_easy_init();
    if (curl == NULL) {
        e = cli_fail("libcurl does not start");
        goto out;
    }
    headers = headers_of(c);
    set_connection(curl, c);
    set_body(curl, c, f, &last_percent);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    set_answer(curl, &answer, to);
    code = curl_easy_perform(curl);
    if (last_percent >= 0)
        fputc('\n', stderr);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &c->status_out);
    /* a server that refuses early may close while we still send: its answer counts */
    if (code != CURLE_OK && !(code == CURLE_SEND_ERROR && c->status_out >= 400))
        e = answer.too_long ? cli_fail("%s: the answer is too long", c->url)
                            : cli_fail("%s: %s", c->url, curl_easy_strerror(code));
out:
    if (e == CLI_OK) {
        c->answer_out = answer.bytes;
        c->answer_n_out = answer.n;
    } else {
        http_wipe(answer.bytes, answer.n);
    }
    free_headers(headers);
    if (curl != NULL)
        curl_easy_cleanup(curl);
    if (f != NULL)
        fclose(f);
    if (to != NULL && fclose(to) != 0 && e == CLI_OK)
        e = cli_fail("%s: %s", c->answer_file, strerror(errno));
    return e;
}

char *http_segment(const char *s)
{
    static const char HEX[] = "0123456789ABCDEF";
    bool dots = strcmp(s, ".") == 0 || strcmp(s, "..") == 0;
    char *out = malloc(3 * strlen(s) + 1), *p = out;

    if (out == NULL)
        return NULL;
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            c == '-' || c == '_' || (c == '.' && !dots) || c == '~') {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = HEX[c >> 4];
            *p++ = HEX[c & 15];
        }
    }
    *p = '\0';
    return out;
}
