/*
 * lapel device: identities and their credentials (provisions 5.1-2, 5.4-4).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api.h"
#include "cmd.h"

/* Devices in one request; server/API.md takes so many. */
#define BATCH 1000
#define DEVICE_ID_MAX 64
#define CSV_LINE_MAX 256

static int device_add(int argc, char **argv);
static int device_list(int argc, char **argv);
static int device_show(int argc, char **argv);
static int device_rotate(int argc, char **argv);
static int device_revoke(int argc, char **argv);
static int device_forget(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "add",    "PRODUCT [ID]", "make one device, or all of --csv; credentials are written once", device_add },
  { "list",   "PRODUCT",      "ids and when they were last seen",                                device_list },
  { "show",   "PRODUCT ID",   "everything about one",                                            device_show },
  { "rotate", "PRODUCT ID",   "a second token beside the one in use",                            device_rotate },
  { "revoke", "PRODUCT ID",   "no token of it is good any more",                                 device_revoke },
  { "forget", "PRODUCT ID",   "every row about it goes",                                         device_forget },
};
/* clang-format on */

static char *device_path(const char *product, const char *id, const char *verb)
{
    char *before = api_path("/api/v1/products/", product, "/devices/");
    char *path = before != NULL ? api_path(before, id, verb) : NULL;

    free(before);
    return path;
}

/* --- add ------------------------------------------------------------------------------------ */

static int check_id(const char *id, const char *where)
{
    if (*id == '\0' || strlen(id) > DEVICE_ID_MAX)
        return cli_usage("%s: a device id has 1 to %d bytes", where, DEVICE_ID_MAX);
    return CLI_OK;
}

/* The next id of a CSV file: its first column. 1 found, 0 at the end, -1 after a message. */
static int csv_next(FILE *f, const char *path, unsigned *line_no, char id_out[CSV_LINE_MAX])
{
    char line[CSV_LINE_MAX], where[512];

    while (fgets(line, sizeof line, f) != NULL) {
        size_t n = strcspn(line, "\r\n");

        (*line_no)++;
        if (line[n] == '\0' && !feof(f))
            return cli_fail("%s: line %u: longer than %d bytes", path, *line_no, CSV_LINE_MAX - 2),
                   -1;
        line[n] = '\0';
        line[strcspn(line, ",;")] = '\0';
        if (*line == '\0' || *line == '#' || (*line_no == 1 && strcmp(line, "id") == 0))
            continue;
        snprintf(where, sizeof where, "%s: line %u", path, *line_no);
        if (check_id(line, where) != CLI_OK)
            return -1;
        memcpy(id_out, line, strlen(line) + 1);
        return 1;
    }
    return ferror(f) ? (cli_fail("%s: %s", path, strerror(errno)), -1) : 0;
}

/* Where credentials go: one CSV of all, opened before the first device is made. */
static FILE *open_out(const char *path)
{
    FILE *f = fopen(path, "wx"); /* refuses an existing file */

    if (f == NULL)
        cli_fail("--out: %s: %s", path, strerror(errno));
    else if (chmod(path, 0600) < 0)
        cli_fail("--out: %s: %s", path, strerror(errno));
    return f;
}

static int add_batch(const struct api *api, const char *product, json_t *batch, FILE *out,
                     size_t *made)
{
    char *path = api_path("/api/v1/products/", product, "/devices");
    json_t *answer = NULL, *d;
    size_t i;
    int e = api_call(api, "POST", path, batch, &answer);

    free(path);
    if (e != CLI_OK)
        return e;
    json_array_foreach(json_object_get(answer, "devices"), i, d)
    {
        fprintf(out, "%s,%s\n", api_text(d, "id"), api_text(d, "token"));
        (*made)++;
    }
    if (fflush(out) != 0)
        e = cli_fail("--out: %s", strerror(errno));
    json_decref(answer);
    return e;
}

static int add_csv(const struct api *api, const char *product, const char *csv, const char *out)
{
    FILE *in = fopen(csv, "r"), *f = NULL;
    json_t *batch = json_array();
    char id[CSV_LINE_MAX];
    unsigned line_no = 0;
    size_t made = 0;
    int got, e = CLI_OK;

    if (in == NULL) {
        e = cli_fail("--csv: %s: %s", csv, strerror(errno));
        goto out;
    }
    /* the whole list is read before the first device is made, so that a bad line makes none */
    while ((got = csv_next(in, csv, &line_no, id)) == 1)
        json_array_append_new(batch, json_pack("{s:s}", "id", id));
    if (got < 0 || json_array_size(batch) == 0) {
        e = got < 0 ? CLI_FAILED : cli_fail("--csv: %s: no device in it", csv);
        goto out;
    }
    f = open_out(out);
    if (f == NULL) {
        e = CLI_FAILED;
        goto out;
    }
    for (size_t at = 0; at < json_array_size(batch) && e == CLI_OK; at += BATCH) {
        json_t *part = json_array();

        for (size_t i = at; i < at + BATCH && i < json_array_size(batch); i++)
            json_array_append(part, json_array_get(batch, i));
        e = add_batch(api, product, part, f, &made);
    }
    printf("%zu of %zu devices made; ids and tokens in %s\n", made, json_array_size(batch), out);
    if (made == 0)
        remove(out);
out:
    if (f != NULL && fclose(f) != 0 && e == CLI_OK)
        e = cli_fail("--out: %s: %s", out, strerror(errno));
    if (in != NULL)
        fclose(in);
    json_decref(batch);
    return e;
}

/* Write a credential once: to a 0600 file that did not exist, or to standard output. */
static int hand_out(const json_t *answer, const char *out)
{
    const char *token = json_string_value(json_object_get(answer, "token"));
    char line[64];
    int n;

    if (token == NULL)
        return cli_fail("the server sent no token");
    if (out == NULL) {
        printf("%s\n", token);
        return CLI_OK;
    }
    n = snprintf(line, sizeof line, "%s\n", token);
    return file_write(out, (struct lsuit_bytes){ (const uint8_t *)line, (size_t)n }, 0600, false);
}

static int add_one(const struct api *api, const char *product, const char *id, const char *out)
{
    char *path = api_path("/api/v1/products/", product, "/devices");
    json_t *answer = NULL;
    struct stat st;
    int e = check_id(id, "ID");

    if (e == CLI_OK && out != NULL && stat(out, &st) == 0)
        e = cli_fail("--out: %s: exists already and is not overwritten", out);
    if (e == CLI_OK)
        e = api_call(api, "POST", path, json_pack("{s:s}", "id", id), &answer);
    if (e == CLI_OK)
        e = hand_out(answer, out);
    json_decref(answer);
    free(path);
    return e;
}

static int device_add(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[2], *csv = NULL, *out = NULL;
    size_t n = 0;
    struct opt opts[] = {
        { "csv", OPT_TEXT, &csv, "FILE", "a device id at the start of each line", false },
        { "out", OPT_TEXT, &out, "FILE", "credentials, 0600; with --csv lines of id,token", false },
        API_OPTS(&api)
    };
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 2, &n);

    if (e == CLI_OK && (csv != NULL) == (n == 2))
        e = cli_usage("add: give ID or --csv, one of them");
    if (e == CLI_OK && csv != NULL && out == NULL)
        e = cli_usage("add: --csv needs --out for the credentials");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    return csv != NULL ? add_csv(&api, pos[0], csv, out) : add_one(&api, pos[0], pos[1], out);
}

/* --- list, show ----------------------------------------------------------------------------- */

/* Follow `next` to the end. */
static int each_page(const struct api *api, const char *product, void (*row)(const json_t *))
{
    char *base = api_path("/api/v1/products/", product, "/devices?limit=1000");
    char *path = base != NULL ? strdup(base) : NULL;
    int e = CLI_OK;

    while (path != NULL && e == CLI_OK) {
        json_t *answer = NULL, *d;
        const char *next;
        size_t i;
        char *more = NULL, *mark = NULL;

        e = api_call(api, "GET", path, NULL, &answer);
        json_array_foreach(json_object_get(answer, "devices"), i, d) row(d);
        next = json_string_value(json_object_get(answer, "next"));
        if (next != NULL && (mark = api_path("&after=", next, "")) != NULL) {
            more = malloc(strlen(base) + strlen(mark) + 1);
            if (more != NULL)
                sprintf(more, "%s%s", base, mark);
        }
        free(mark);
        free(path);
        path = more;
        json_decref(answer);
    }
    free(base);
    free(path);
    return e;
}

static void row_text(const json_t *d)
{
    const json_t *running = json_array_get(json_object_get(d, "running"), 0);

    printf("%-24s %-8s seen %-26s sequence %-6s %s\n", api_text(d, "id"), api_text(d, "state"),
           api_text(d, "seen_at"), api_text(running, "sequence"), api_text(running, "state"));
}

static void row_json(const json_t *d)
{
    json_dumpf(d, stdout, JSON_COMPACT);
    putchar('\n');
}

static int device_list(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    int e = opts_parse(&VERBS[1], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    return e == CLI_OK ? each_page(&api, pos[0], api.json ? row_json : row_text) : e;
}

static void print_device(const json_t *d)
{
    const json_t *work = json_object_get(d, "work"), *last = json_object_get(d, "last_attempt"), *r;
    size_t i;

    printf("device   %s of %s, %s\nadded    %s\nseen     %s\n", api_text(d, "id"),
           api_text(d, "product"), api_text(d, "state"), api_text(d, "created_at"),
           api_text(d, "seen_at"));
    json_array_foreach(json_object_get(d, "running"), i, r)
    {
        printf("runs     sequence %s, %s\n         %s\n", api_text(r, "sequence"),
               api_text(r, "state"), api_text(r, "digest"));
    }
    if (json_is_object(work))
        printf("work     rollout %s, release %s: %s since %s\n", api_text(work, "rollout"),
               api_text(work, "release"), api_text(work, "state"), api_text(work, "since"));
    if (json_is_object(last))
        printf("failed   at %s: %s, code %s, %s\n", api_text(last, "stage"),
               api_text(last, "class"), api_text(last, "code"), api_text(last, "at"));
}

/* One call about one device; the answer printed by `print` unless --json. */
static int about_one(const struct verb *v, int argc, char **argv, const char *method,
                     const char *tail, bool body, void (*print)(const json_t *))
{
    struct api api = { 0 };
    const char *pos[2];
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL;
    char *path;
    int e = opts_parse(v, argc, argv, opts, pos, 2, 2, NULL);

    if (e == CLI_OK)
        e = check_id(pos[1], "ID");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    path = device_path(pos[0], pos[1], tail);
    e = api_call(&api, method, path, body ? json_object() : NULL, &answer);
    if (e == CLI_OK && answer != NULL && api.json)
        api_print(answer);
    else if (e == CLI_OK && answer != NULL && print != NULL)
        print(answer);
    json_decref(answer);
    free(path);
    return e;
}

static int device_show(int argc, char **argv)
{
    return about_one(&VERBS[2], argc, argv, "GET", "", false, print_device);
}

static int device_rotate(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[2], *out = NULL;
    struct opt opts[] = { { "out", OPT_TEXT, &out, "FILE", "write the token there, 0600", false },
                          API_OPTS(&api) };
    json_t *answer = NULL;
    struct stat st;
    char *path;
    int e = opts_parse(&VERBS[3], argc, argv, opts, pos, 2, 2, NULL);

    if (e == CLI_OK && out != NULL && stat(out, &st) == 0)
        e = cli_fail("--out: %s: exists already and is not overwritten", out);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    path = device_path(pos[0], pos[1], "/rotate");
    e = api_call(&api, "POST", path, json_object(), &answer);
    if (e == CLI_OK)
        e = hand_out(answer, out);
    json_decref(answer);
    free(path);
    return e;
}

static int device_revoke(int argc, char **argv)
{
    return about_one(&VERBS[4], argc, argv, "POST", "/revoke", true, NULL);
}

static int device_forget(int argc, char **argv)
{
    return about_one(&VERBS[5], argc, argv, "DELETE", "", false, NULL);
}

int cmd_device(int argc, char **argv)
{
    return verbs_run("device", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
