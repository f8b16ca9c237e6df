/*
 * lapel token: who may do what at the server.
 */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "cmd.h"

static int token_bootstrap(int argc, char **argv);
static int token_new(int argc, char **argv);
static int token_list(int argc, char **argv);
static int token_revoke(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "bootstrap", "FILE", "trade lapeld's one-use token for the first admin token, kept in the home folder", token_bootstrap },
  { "new",       "NAME", "make a token; shown once, or written to --out",                                   token_new },
  { "list",      "",     "tokens, never their secrets",                                                     token_list },
  { "revoke",    "ID",   "end a token at once",                                                             token_revoke },
};
/* clang-format on */

static int token_bootstrap(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1], *name = "admin";
    json_t *answer = NULL, *body;
    size_t n = 0;
    uint8_t *text;
    struct opt opts[] = { { "name", OPT_TEXT, &name, "NAME", "who this admin is", false },
                          API_OPTS(&api) };
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, false);
    if (e != CLI_OK)
        return e;
    text = file_read(pos[0], 64, &n);
    if (text == NULL)
        return CLI_FAILED;
    text[n] = '\0';
    snprintf(api.token, sizeof api.token, "%.*s", (int)strcspn((char *)text, "\r\n"), (char *)text);
    free(text);
    if (strlen(api.token) != 43)
        return cli_fail("%s: holds no token of 43 characters", pos[0]);
    body = json_pack("{s:s}", "name", name);
    e = api_call(&api, "POST", "/api/v1/bootstrap", body, &answer);
    if (e == CLI_OK && !json_is_string(json_object_get(answer, "token")))
        e = cli_fail("the server sent no token");
    if (e == CLI_OK)
        e = api_store(&api, json_string_value(json_object_get(answer, "token")));
    if (e == CLI_OK)
        printf("this is now admin '%s' at %s\n", name, api.url);
    json_decref(answer);
    return e;
}

/* The secret goes to a 0600 file, or once to standard output. */
static int hand_out(const struct api *api, const json_t *answer, const char *out)
{
    const char *secret = json_string_value(json_object_get(answer, "token"));
    char line[64];
    int n;

    if (secret == NULL)
        return cli_fail("the server sent no token");
    if (out == NULL) {
        if (api->json)
            api_print(answer);
        else
            printf("%s\n", secret);
        return CLI_OK;
    }
    n = snprintf(line, sizeof line, "%s\n", secret);
    return file_write(out, (struct lsuit_bytes){ (const uint8_t *)line, (size_t)n }, 0600, false);
}

static int token_new(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1], *role = NULL, *out = NULL;
    struct opt_list products = { { NULL }, 0 };
    uint64_t expires = 0;
    json_t *answer = NULL, *body, *list;
    struct opt opts[] = {
        { "role", OPT_TEXT, &role, "ROLE", "viewer, publisher, operator or admin", false },
        { "product", OPT_LIST, &products, "NAME", "only for this one; more than once", false },
        { "expires-s", OPT_UINT, &expires, "S", "good for so many seconds", false },
        { "out", OPT_TEXT, &out, "FILE", "write it there, 0600", false },
        API_OPTS(&api)
    };
    int e = opts_parse(&VERBS[1], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK && role == NULL)
        e = cli_usage("new: --role is missing");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    body = json_pack("{s:s, s:s}", "name", pos[0], "role", role);
    if (products.n > 0) {
        list = json_array();
        for (size_t i = 0; i < products.n; i++)
            json_array_append_new(list, json_string(products.item[i]));
        json_object_set_new(body, "products", list);
    }
    if (opts[2].given)
        json_object_set_new(body, "expires_s", json_integer((json_int_t)expires));
    e = api_call(&api, "POST", "/api/v1/tokens", body, &answer);
    if (e == CLI_OK)
        e = hand_out(&api, answer, out);
    json_decref(answer);
    return e;
}

static int token_list(int argc, char **argv)
{
    struct api api = { 0 };
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL, *t;
    size_t i;
    int e = opts_parse(&VERBS[2], argc, argv, opts, NULL, 0, 0, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = api_call(&api, "GET", "/api/v1/tokens?limit=1000", NULL, &answer);
    if (e != CLI_OK)
        return e;
    if (api.json) {
        api_print(answer);
    } else {
        json_array_foreach(json_object_get(answer, "tokens"), i, t)
        {
            printf("%-4s %-20s %-10s %s\n", api_text(t, "id"), api_text(t, "name"),
                   api_text(t, "role"),
                   json_is_null(json_object_get(t, "revoked_at")) ? "good" : "revoked");
        }
    }
    json_decref(answer);
    return CLI_OK;
}

static int token_revoke(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    uint64_t id = 0;
    char path[64];
    int e = opts_parse(&VERBS[3], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK && !parse_uint(pos[0], &id))
        e = cli_usage("revoke: ID: '%s' is not a number", pos[0]);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "/api/v1/tokens/%llu", (unsigned long long)id);
    return api_call(&api, "DELETE", path, NULL, NULL);
}

int cmd_token(int argc, char **argv)
{
    return verbs_run("token", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
