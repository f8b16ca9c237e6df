/*
 * lapel status: one screen; exits 1 when something needs a person. lapel audit: who did what.
 */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "cmd.h"

static void print_status(const json_t *s)
{
    size_t i;
    const json_t *r, *w;

    printf("lapeld %s, up since %s\n", api_text(s, "version"), api_text(s, "started_at"));
    printf("%s products, %s devices, %s releases\n", api_text(s, "products"),
           api_text(s, "devices"), api_text(s, "releases"));
    json_array_foreach(json_object_get(s, "rollouts"), i, r)
    {
        const json_t *c = json_object_get(r, "counts");

        printf("rollout %s: %s %s, %s:", api_text(r, "id"), api_text(r, "product"),
               api_text(r, "version"), api_text(r, "state"));
        printf(" %s of %s installed, %s failed\n", api_text(c, "installed"), api_text(c, "members"),
               api_text(c, "failed"));
    }
    json_array_foreach(json_object_get(s, "warnings"), i, w)
    {
        fputs("warning: ", stdout);
        if (json_is_string(w))
            put_safe(stdout, json_string_value(w), json_string_length(w), "");
        putchar('\n');
    }
}

int cmd_status(int argc, char **argv)
{
    static const struct verb STATUS = { "status", "", "how things stand; exit 1 on a warning",
                                        NULL };
    struct api api = { 0 };
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL;
    int e = opts_parse(&STATUS, argc, argv, opts, NULL, 0, 0, NULL);

    if (e == OPTS_HELP)
        return CLI_OK;
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = api_call(&api, "GET", "/api/v1/status", NULL, &answer);
    if (e != CLI_OK)
        return e;
    api_show(&api, answer, print_status);
    if (json_array_size(json_object_get(answer, "warnings")) > 0)
        e = CLI_FAILED;
    json_decref(answer);
    return e;
}

static void audit_row(const json_t *row, void *user)
{
    (void)user;
    printf("%-6s %s  %-12s %-20s %-24s %s\n", api_text(row, "id"), api_text(row, "at"),
           api_text(row, "who"), api_text(row, "act"), api_text(row, "target"),
           api_text(row, "detail"));
}

int cmd_audit(int argc, char **argv)
{
    static const struct verb AUDIT = { "audit", "", "every change, oldest first", NULL };
    struct api api = { 0 };
    struct opt opts[] = { API_OPTS(&api) };
    int e = opts_parse(&AUDIT, argc, argv, opts, NULL, 0, 0, NULL);

    if (e == OPTS_HELP)
        return CLI_OK;
    if (e == CLI_OK)
        e = api_open(&api, true);
    return e == CLI_OK ? api_list(&api, "/api/v1/audit", "audit", audit_row, NULL) : e;
}
