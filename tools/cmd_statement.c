/*
 * lapel statement: what the server vouches for, and the key it does so with.
 */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "cmd.h"

static int statement_key(int argc, char **argv);
static int statement_get(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "key", "",             "the public key, for trust sets and agents",   statement_key },
  { "get", "PRODUCT FILE", "the statement, for `lapel checkin show`",     statement_get },
};
/* clang-format on */

static int statement_key(int argc, char **argv)
{
    struct api api = { 0 };
    const char *out = "-", *pem;
    struct opt opts[] = { { "out", OPT_TEXT, &out, "FILE", "write it there, not to the terminal",
                            false },
                          API_OPTS(&api) };
    json_t *answer = NULL;
    int e = opts_parse(&VERBS[0], argc, argv, opts, NULL, 0, 0, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = api_call(&api, "GET", "/api/v1/online-key", NULL, &answer);
    pem = json_string_value(json_object_get(answer, "public_key"));
    if (e == CLI_OK && pem == NULL)
        e = cli_fail("the server sent no key");
    if (e == CLI_OK && api.json)
        api_print(answer);
    else if (e == CLI_OK)
        e = file_write(out, (struct lsuit_bytes){ (const uint8_t *)pem, strlen(pem) }, 0644, true);
    json_decref(answer);
    return e;
}

static int statement_get(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[2], *component = NULL;
    struct opt opts[] = { { "component", OPT_TEXT, &component, "HEX",
                            "of the space with this encoded component id", false },
                          API_OPTS(&api) };
    char tail[200] = "/statement", *path;
    uint8_t *bytes = NULL;
    size_t n = 0;
    int e = opts_parse(&VERBS[1], argc, argv, opts, pos, 2, 2, NULL);

    if (e == CLI_OK && component != NULL &&
        (strspn(component, "0123456789abcdefABCDEF") != strlen(component) ||
         snprintf(tail, sizeof tail, "/statement?component=%s", component) >= (int)sizeof tail))
        e = cli_usage("--component: hex, at most 64 bytes");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    path = api_path("/api/v1/products/", pos[0], tail);
    e = api_fetch(&api, path, &bytes, &n);
    if (e == CLI_OK)
        e = file_write(pos[1], (struct lsuit_bytes){ bytes, n }, 0644, true);
    free(bytes);
    free(path);
    return e;
}

int cmd_statement(int argc, char **argv)
{
    return verbs_run("statement", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
