/*
 * lapel hold: devices of one hardware revision wait, with a reason for everybody to read.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "cmd.h"

static int hold_add(int argc, char **argv);
static int hold_remove(int argc, char **argv);
static int hold_list(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "add",    "PRODUCT", "no offers to devices that match; what is in flight goes on", hold_add },
  { "remove", "ID",      "they get their offers again",                                hold_remove },
  { "list",   "PRODUCT", "what is held, and why",                                      hold_list },
};
/* clang-format on */

static void hold_row(const json_t *h, void *user)
{
    (void)user;
    printf("%-4s %s=%-16s release %-4s %s\n", api_text(h, "id"), api_text(h, "attribute"),
           api_text(h, "value"),
           json_is_null(json_object_get(h, "release")) ? "all" : api_text(h, "release"),
           api_text(h, "reason"));
}

/* "hw_revision=B", and why. */
static int put_where(json_t *body, const char *where, const char *reason)
{
    const char *equals = where != NULL ? strchr(where, '=') : NULL;
    char attribute[64];
    int e;

    if (where == NULL || reason == NULL)
        return cli_usage("--%s is missing", where == NULL ? "where" : "reason");
    if (equals == NULL || equals == where || equals[1] == '\0' ||
        (size_t)(equals - where) >= sizeof attribute)
        return cli_usage("--where: '%s' is no attribute=value", where);
    snprintf(attribute, sizeof attribute, "%.*s", (int)(equals - where), where);
    e = api_put(body, "attribute", attribute);
    if (e == CLI_OK)
        e = api_put(body, "value", equals + 1);
    return e == CLI_OK ? api_put(body, "reason", reason) : e;
}

static int hold_add(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1], *where = NULL, *reason = NULL;
    uint64_t release = 0;
    struct opt opts[] = { { "where", OPT_TEXT, &where, "A=V", "hw_revision=B", false },
                          { "reason", OPT_TEXT, &reason, "TEXT", "public", false },
                          { "release", OPT_UINT, &release, "ID", "this one only", false },
                          API_OPTS(&api) };
    json_t *answer = NULL, *body = json_object();
    char *path = NULL;
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = put_where(body, where, reason);
    if (e == CLI_OK && opts[2].given && (release == 0 || release > INT32_MAX))
        e = cli_usage("--release: is no id");
    if (e == CLI_OK && opts[2].given)
        json_object_set_new(body, "release", json_integer((json_int_t)release));
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK) {
        json_decref(body);
        return e;
    }
    path = api_path("/api/v1/products/", pos[0], "/holds");
    e = api_call(&api, "POST", path, body, &answer);
    free(path);
    if (e == CLI_OK && api.json)
        api_print(answer);
    else if (e == CLI_OK)
        hold_row(answer, NULL);
    json_decref(answer);
    return e;
}

static int hold_remove(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    uint64_t id = 0;
    char path[64];
    int e = opts_parse(&VERBS[1], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_id("remove", "ID", pos[0], &id);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "/api/v1/holds/%" PRIu64, id);
    e = api_call(&api, "DELETE", path, NULL, NULL);
    if (e == CLI_OK)
        printf(api.json ? "{}\n" : "hold removed\n");
    return e;
}

static int hold_list(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    char *path;
    int e = opts_parse(&VERBS[2], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    path = api_path("/api/v1/products/", pos[0], "/holds");
    e = path != NULL ? api_list(&api, path, "holds", hold_row, NULL) : CLI_FAILED;
    free(path);
    return e;
}

int cmd_hold(int argc, char **argv)
{
    return verbs_run("hold", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
