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
        printf("warning: %s\n", json_string_value(w));
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
    if (api.json)
        api_print(answer);
    else
        print_status(answer);
    if (json_array_size(json_object_get(answer, "warnings")) > 0)
        e = CLI_FAILED;
    json_decref(answer);
    return e;
}

int cmd_audit(int argc, char **argv)
{
    static const struct verb AUDIT = { "audit", "", "every change, oldest first", NULL };
    struct api api = { 0 };
    uint64_t after = 0;
    struct opt opts[] = { { "after", OPT_UINT, &after, "ID", "from there on", false },
                          API_OPTS(&api) };
    json_t *answer = NULL, *row;
    char path[96];
    size_t i;
    bool more = true;
    int e = opts_parse(&AUDIT, argc, argv, opts, NULL, 0, 0, NULL);

    if (e == OPTS_HELP)
        return CLI_OK;
    if (e == CLI_OK)
        e = api_open(&api, true);
    while (e == CLI_OK && more) {
        const char *next;

        snprintf(path, sizeof path, "/api/v1/audit?limit=1000&after=%llu",
                 (unsigned long long)after);
        e = api_call(&api, "GET", path, NULL, &answer);
        if (e != CLI_OK)
            break;
        json_array_foreach(json_object_get(answer, "audit"), i, row)
        {
            if (api.json) {
                json_dumpf(row, stdout, JSON_COMPACT);
                putchar('\n');
                continue;
            }
            printf("%-6s %s  %-12s", api_text(row, "id"), api_text(row, "at"),
                   api_text(row, "who"));
            printf(" %-20s %-24s %s\n", api_text(row, "act"), api_text(row, "target"),
                   api_text(row, "detail"));
        }
        next = json_string_value(json_object_get(answer, "next"));
        more = next != NULL && parse_uint(next, &after);
        json_decref(answer);
    }
    return e;
}
