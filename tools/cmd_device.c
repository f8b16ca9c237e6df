/*
 * lapel device: identities and their credentials (provisions 5.1-2, 5.4-4).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "cmd.h"

/* Devices in one request; server/API.md takes so many. */
#define BATCH 1000
#define DEVICE_ID_MAX 64
#define CSV_LINE_MAX 256

static int device_add(int argc, char **argv);
static int device_list(int argc, char **argv);
static int device_show(int argc, char **argv);
static int device_explain(int argc, char **argv);
static int device_rotate(int argc, char **argv);
static int device_revoke(int argc, char **argv);
static int device_forget(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "add",    "PRODUCT [ID]", "make one device, or all of --csv; credentials are written once", device_add },
  { "list",   "PRODUCT",      "ids and when they were last seen",                                device_list },
  { "show",   "PRODUCT ID",   "everything about one",                                            device_show },
  { "explain","PRODUCT ID",   "each release: does it get it, why, when that may change",         device_explain },
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
    for (const char *p = id; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return cli_usage("%s: a device id has no control characters", where);
    return is_utf8(id) ? CLI_OK : cli_usage("%s: a device id is UTF-8", where);
}

/* The next id of a CSV file: its first column. 1 found, 0 at the end, -1 after a message. */
static int csv_next(FILE *f, const char *path, unsigned *line_no, char id_out[CSV_LINE_MAX])
{
    char text[CSV_LINE_MAX], where[512];

    while (fgets(text, sizeof text, f) != NULL) {
        char *line = text;
        size_t n = strcspn(line, "\r\n");

        (*line_no)++;
        snprintf(where, sizeof where, "%.400s: line %u", path, *line_no);
        if (line[n] == '\0' && !feof(f))
            return cli_fail("%s: longer than %d bytes, or a NUL in it", where, CSV_LINE_MAX - 2),
                   -1;
        line[n] = '\0';
        if (*line_no == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
            line += 3; /* a byte order mark */
        line[strcspn(line, ",;")] = '\0';
        if (*line == '\0' || *line == '#' || (*line_no == 1 && strcmp(line, "id") == 0))
            continue;
        if (*line == '"')
            return cli_fail("%s: quoted fields are not read", where), -1;
        if (check_id(line, where) != CLI_OK)
            return -1;
        memcpy(id_out, line, strlen(line) + 1);
        return 1;
    }
    return ferror(f) ? (cli_fail("%s: %s", path, strerror(errno)), -1) : 0;
}

/*
 * The whole list, before the first device is made, so that a bad line makes none. `seen` is only
 * there to find an id that stands twice.
 *
 *   room_out  bytes of all lines of id,token
 */
static int csv_read(const char *csv, json_t *list, size_t *room_out)
{
    FILE *in = fopen(csv, "r");
    json_t *seen = json_object();
    char id[CSV_LINE_MAX];
    unsigned line_no = 0;
    int got = 0, e = CLI_OK;

    if (in == NULL) {
        json_decref(seen);
        return cli_fail("--csv: %s: %s", csv, strerror(errno));
    }
    *room_out = 0;
    while (e == CLI_OK && (got = csv_next(in, csv, &line_no, id)) == 1) {
        if (json_object_get(seen, id) != NULL)
            e = cli_fail("%s: line %u: '%s' stands there twice", csv, line_no, id);
        json_object_set_new(seen, id, json_true());
        if (json_array_append_new(list, json_pack("{s:s}", "id", id)) != 0)
            e = cli_fail("out of memory");
        *room_out += strlen(id) + 1 + TOKEN_LINE;
    }
    if (got < 0)
        e = CLI_FAILED;
    else if (e == CLI_OK && json_array_size(list) == 0)
        e = cli_fail("--csv: %s: no device in it", csv);
    fclose(in);
    json_decref(seen);
    return e;
}

/*
 * Where credentials go: made before the first device is, readable by nobody else from the start,
 * its place on the disk taken. What is in it stays when a later batch fails.
 */
static FILE *open_out(const char *path, size_t room)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = NULL;

    if (fd < 0) {
        cli_fail("--out: %s: %s", path,
                 errno == EEXIST ? "exists already and is not overwritten" : strerror(errno));
        return NULL;
    }
    errno = posix_fallocate(fd, 0, (off_t)room);
    if (errno == 0)
        f = fdopen(fd, "w");
    if (f == NULL) {
        cli_fail("--out: %s: %s", path, strerror(errno));
        close(fd);
        unlink(path);
    }
    return f;
}

/* The answer must be about the devices that were asked for, in their order, a token each. */
static int write_rows(FILE *out, const json_t *asked, const json_t *given, size_t *made)
{
    const json_t *d;
    size_t i;

    if (json_array_size(given) != json_array_size(asked))
        return cli_fail("the server made %zu devices of %zu", json_array_size(given),
                        json_array_size(asked));
    json_array_foreach(given, i, d)
    {
        const char *id = json_string_value(json_object_get(json_array_get(asked, i), "id"));
        const char *token = api_token_of(d);

        if (token == NULL ||
            !json_equal(json_object_get(d, "id"), json_object_get(json_array_get(asked, i), "id")))
            return cli_fail("the server's answer is not about '%s'", id);
        fprintf(out, "%s,%s\n", id, token);
        (*made)++;
    }
    /* on the disk before more are made */
    if (fflush(out) != 0 || fsync(fileno(out)) != 0)
        return cli_fail("--out: %s", strerror(errno));
    return CLI_OK;
}

static int add_batch(const struct api *api, const char *product, json_t *batch, FILE *out,
                     size_t *made)
{
    char *path = api_path("/api/v1/products/", product, "/devices");
    json_t *answer = NULL;
    int e = api_call(api, "POST", path, json_incref(batch), &answer);

    if (e == CLI_OK)
        e = write_rows(out, batch, json_object_get(answer, "devices"), made);
    json_decref(answer);
    free(path);
    return e;
}

static int add_all(const struct api *api, const char *product, const json_t *list, FILE *out,
                   size_t *made)
{
    int e = CLI_OK;

    for (size_t at = 0; at < json_array_size(list) && e == CLI_OK; at += BATCH) {
        json_t *batch = json_array();

        for (size_t i = at; i < at + BATCH && i < json_array_size(list); i++)
            json_array_append(batch, json_array_get(list, i));
        e = add_batch(api, product, batch, out, made);
        json_decref(batch);
    }
    return e;
}

static int close_out(FILE *f, const char *path, size_t made)
{
    bool ok = fflush(f) == 0 && ftruncate(fileno(f), ftello(f)) == 0 && fsync(fileno(f)) == 0;

    ok = fclose(f) == 0 && ok;
    if (made == 0)
        unlink(path);
    return ok ? CLI_OK : cli_fail("--out: %s: %s", path, strerror(errno));
}

static int add_csv(const struct api *api, const char *product, const char *csv, const char *out)
{
    json_t *list = json_array();
    size_t made = 0, room = 0, n;
    FILE *f = NULL;
    int closed, e = csv_read(csv, list, &room);

    if (e == CLI_OK && (f = open_out(out, room)) == NULL)
        e = CLI_FAILED;
    if (e != CLI_OK) {
        json_decref(list);
        return e;
    }
    e = add_all(api, product, list, f, &made);
    n = json_array_size(list);
    if (e != CLI_OK)
        cli_fail("'%s' and the %zu after it in %s were not written down; should the server know "
                 "one of them, `lapel device rotate` gives it a token",
                 json_string_value(json_object_get(json_array_get(list, made), "id")), n - made - 1,
                 csv);
    closed = close_out(f, out, made);
    if (api->json)
        printf("{\"made\": %zu, \"of\": %zu}\n", made, n);
    else
        printf("%zu of %zu devices made; ids and tokens in %s\n", made, n, out);
    json_decref(list);
    return e == CLI_OK ? closed : e;
}

static int add_one(const struct api *api, const char *product, const char *id, const char *out)
{
    char *path = NULL;
    json_t *answer = NULL;
    struct file_out file;
    int e = check_id(id, "ID");

    if (e == CLI_OK)
        e = api_secret_reserve(out, &file);
    if (e != CLI_OK)
        return e;
    path = api_path("/api/v1/products/", product, "/devices");
    e = api_call(api, "POST", path, json_pack("{s:s}", "id", id), &answer);
    if (e == CLI_OK)
        e = api_secret(api, answer, out, &file);
    else if (out != NULL)
        file_drop(&file);
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

static void row_text(const json_t *d, void *user)
{
    const json_t *running = json_array_get(json_object_get(d, "running"), 0);

    (void)user;
    printf("%-24s %-8s seen %-26s sequence %-6s %s\n", api_text(d, "id"), api_text(d, "state"),
           api_text(d, "seen_at"), api_text(running, "sequence"), api_text(running, "state"));
}

static int device_list(int argc, char **argv)
{
    return api_list_of_product(&VERBS[1], argc, argv, "devices", row_text);
}

/* What the device said of itself. */
static void print_told(const json_t *d)
{
    const json_t *user = json_object_get(d, "user"), *cap = json_object_get(d, "capability"), *v;
    size_t i;

    if (json_is_object(user))
        printf("user     security %s, feature %s, notifications %s; waiting: %s%s\n",
               api_text(user, "auto_security"), api_text(user, "auto_feature"),
               api_text(user, "notifications"), api_text(user, "waiting"),
               json_is_true(json_object_get(user, "refused")) ? "; refused" : "");
    if (json_is_string(json_object_get(user, "postponed_until")))
        printf("         postponed until %s\n", api_text(user, "postponed_until"));
    if (json_is_object(cap))
        printf("can      %s, envelopes of %s bytes, %s components\n         %s\n",
               api_text(cap, "client_version"), api_text(cap, "envelope_max"),
               api_text(cap, "components"), api_text(cap, "digest"));
    json_array_foreach(json_object_get(d, "events"), i, v)
    {
        printf("event    %s, %s times, last %s\n", api_text(v, "class"), api_text(v, "count"),
               api_text(v, "last"));
    }
    json_array_foreach(json_object_get(d, "faults"), i, v)
    {
        printf("fault    kind %s at %s in sequence %s, %s\n", api_text(v, "kind"),
               api_text(v, "where"), api_text(v, "sequence"), api_text(v, "at"));
    }
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
    print_told(d);
}

/* One call about one device. `done` is said when there is no answer to print. */
static int about_one(const struct verb *v, int argc, char **argv, const char *method,
                     const char *tail, bool body, const char *done)
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
    if (e == CLI_OK && api.json)
        api_print(answer);
    else if (e == CLI_OK && answer != NULL)
        print_device(answer);
    else if (e == CLI_OK)
        printf("device %s\n", done);
    json_decref(answer);
    free(path);
    return e;
}

static int device_show(int argc, char **argv)
{
    return about_one(&VERBS[2], argc, argv, "GET", "", false, "");
}

static void print_explained(const json_t *x)
{
    const json_t *when = json_object_get(x, "may_change_at"), *hold = json_object_get(x, "hold");

    printf("release %-4s sequence %-6s %-8s  %s", api_text(x, "release"), api_text(x, "sequence"),
           api_text(x, "verdict"), api_text(x, "because"));
    if (json_is_object(hold))
        printf(" (hold %s): %s", api_text(hold, "id"), api_text(hold, "reason"));
    if (json_is_string(when))
        printf("; may change at %s", api_text(x, "may_change_at"));
    putchar('\n');
}

static int device_explain(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[2];
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL;
    const json_t *x;
    size_t i;
    char *path;
    int e = opts_parse(&VERBS[3], argc, argv, opts, pos, 2, 2, NULL);

    if (e == CLI_OK)
        e = check_id(pos[1], "ID");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    path = device_path(pos[0], pos[1], "/explain");
    e = path != NULL ? api_call(&api, "GET", path, NULL, &answer) : CLI_FAILED;
    free(path);
    if (e == CLI_OK && api.json)
        api_print(answer);
    else if (e == CLI_OK && json_is_true(json_object_get(answer, "revoked")))
        printf("it is revoked: no token of it is good\n");
    else if (e == CLI_OK && json_array_size(json_object_get(answer, "releases")) == 0)
        printf("no release was offered in what it says it runs\n");
    else if (e == CLI_OK)
        json_array_foreach(json_object_get(answer, "releases"), i, x) print_explained(x);
    json_decref(answer);
    return e;
}

static int device_rotate(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[2], *out = NULL;
    struct opt opts[] = { { "out", OPT_TEXT, &out, "FILE", "write the token there, 0600", false },
                          API_OPTS(&api) };
    json_t *answer = NULL;
    struct file_out file;
    char *path;
    int e = opts_parse(&VERBS[4], argc, argv, opts, pos, 2, 2, NULL);

    if (e == CLI_OK)
        e = check_id(pos[1], "ID");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = api_secret_reserve(out, &file);
    if (e != CLI_OK)
        return e;
    path = device_path(pos[0], pos[1], "/rotate");
    e = api_call(&api, "POST", path, json_object(), &answer);
    if (e == CLI_OK)
        e = api_secret(&api, answer, out, &file);
    else if (out != NULL)
        file_drop(&file);
    json_decref(answer);
    free(path);
    return e;
}

static int device_revoke(int argc, char **argv)
{
    return about_one(&VERBS[5], argc, argv, "POST", "/revoke", true, "revoked");
}

static int device_forget(int argc, char **argv)
{
    return about_one(&VERBS[6], argc, argv, "DELETE", "", false, "forgotten");
}

int cmd_device(int argc, char **argv)
{
    return verbs_run("device", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
