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
    const char *pos[1], *name = "admin", *token;
    bool replace = false;
    struct file_out file;
    json_t *answer = NULL, *body;
    struct opt opts[] = { { "name", OPT_TEXT, &name, "NAME", "who this admin is", false },
                          { "replace", OPT_FLAG, &replace, NULL,
                            "give up the token that the home folder holds", false },
                          API_OPTS(&api) };
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, false);
    if (e == CLI_OK)
        e = api_token(&api, pos[0]);
    body = json_object();
    if (e == CLI_OK)
        e = api_put(body, "name", name);
    if (e == CLI_OK)
        e = api_reserve_home(&api, replace, &file);
    if (e != CLI_OK) {
        json_decref(body);
        return e;
    }
    e = api_call(&api, "POST", "/api/v1/bootstrap", body, &answer);
    token = e == CLI_OK ? api_token_of(answer) : NULL;
    if (token == NULL)
        file_drop(&file);
    e = token == NULL ? CLI_FAILED : api_store(&api, &file, token);
    if (e == CLI_OK && api.json)
        printf("{}\n");
    else if (e == CLI_OK)
        printf("this is now admin '%s' at %s\n", api_text(answer, "name"), api.url);
    json_decref(answer);
    return e;
}

static int token_new(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1], *role = NULL, *out = NULL;
    struct opt_list products = { { NULL }, 0 };
    uint64_t expires = 0;
    struct file_out file;
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
    if (e == CLI_OK && expires > INT32_MAX)
        e = cli_usage("--expires-s: at most 315360000, which is ten years");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    body = json_object();
    e = api_put(body, "name", pos[0]);
    if (e == CLI_OK)
        e = api_put(body, "role", role);
    if (e == CLI_OK && products.n > 0) {
        list = json_array();
        for (size_t i = 0; i < products.n; i++)
            json_array_append_new(list, json_string(products.item[i]));
        json_object_set_new(body, "products", list);
    }
    if (opts[2].given)
        json_object_set_new(body, "expires_s", json_integer((json_int_t)expires));
    if (e == CLI_OK)
        e = api_secret_reserve(out, &file);
    if (e != CLI_OK) {
        json_decref(body);
        return e;
    }
    e = api_call(&api, "POST", "/api/v1/tokens", body, &answer);
    if (e == CLI_OK)
        e = api_secret(&api, answer, out, &file);
    else if (out != NULL)
        file_drop(&file);
    json_decref(answer);
    return e;
}

static void token_row(const json_t *t, void *user)
{
    (void)user;
    printf("%-4s %-20s %-10s %s\n", api_text(t, "id"), api_text(t, "name"), api_text(t, "role"),
           json_is_null(json_object_get(t, "revoked_at")) ? "good" : "revoked");
}

static int token_list(int argc, char **argv)
{
    struct api api = { 0 };
    struct opt opts[] = { API_OPTS(&api) };
    int e = opts_parse(&VERBS[2], argc, argv, opts, NULL, 0, 0, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    return e == CLI_OK ? api_list(&api, "/api/v1/tokens", "tokens", token_row, NULL) : e;
}

static int token_revoke(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    uint64_t id = 0;
    char path[64];
    int e = opts_parse(&VERBS[3], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_id("revoke", "ID", pos[0], &id);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "/api/v1/tokens/%llu", (unsigned long long)id);
    e = api_call(&api, "DELETE", path, NULL, NULL);
    if (e == CLI_OK)
        printf(api.json ? "{}\n" : "token revoked\n");
    return e;
}

int cmd_token(int argc, char **argv)
{
    return verbs_run("token", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
