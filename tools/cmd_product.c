/*
 * lapel product: what is sold, and until when it is supported (provisions 5.3-13, 5.3-16).
 */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "cmd.h"

static int product_set(int argc, char **argv);
static int product_show(int argc, char **argv);
static int product_list(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "set",  "PRODUCT", "make a product, or change what is given", product_set },
  { "show", "PRODUCT", "everything about one",                    product_show },
  { "list", "",        "all of them",                             product_list },
};
/* clang-format on */

/* Texts of `set`, the first of its options. */
#define TEXTS 7

static void print_product(const json_t *p)
{
    size_t i;
    const json_t *period;

    printf("product      %s\nmodel        %s\nvendor       %s (%s)\n", api_text(p, "product"),
           api_text(p, "model"), api_text(p, "vendor_name"), api_text(p, "vendor_domain"));
    printf("vendor id    %s\nclass id     %s\n", api_text(p, "vendor_id"), api_text(p, "class_id"));
    printf("support end  %s\nsupport page %s\ncontact      %s\npoll         %s s\n",
           api_text(p, "support_end"), api_text(p, "support_url"), api_text(p, "contact"),
           api_text(p, "poll_s"));
    printf("anonymous    %s\nclear        %s\n", api_text(p, "allow_anonymous"),
           api_text(p, "payload_in_clear"));
    json_array_foreach(json_object_get(p, "support_periods"), i, period)
    {
        printf("published    %s until %s at %s\n", api_text(period, "kind"),
               api_text(period, "end"), api_text(period, "published_at"));
    }
}

/* The texts that are given, under the names of server/API.md. */
static int set_texts(json_t *body, const struct opt *opts, size_t n)
{
    int e = CLI_OK;

    for (const struct opt *o = opts; o < opts + n && e == CLI_OK; o++) {
        char key[32];

        if (!o->given)
            continue;
        snprintf(key, sizeof key, "%s", o->name);
        for (char *p = key; *p != '\0'; p++)
            if (*p == '-')
                *p = '_';
        e = api_put(body, key, *(const char **)o->to);
    }
    return e;
}

static int set_components(json_t *body, const struct opt_list *names)
{
    json_t *list = json_array();

    for (size_t i = 0; i < names->n; i++) {
        if (!is_utf8(names->item[i])) {
            json_decref(list);
            return cli_usage("--component: '%s' is no UTF-8", names->item[i]);
        }
        json_array_append_new(list, json_string(names->item[i]));
    }
    json_object_set_new(body, "components", list);
    return CLI_OK;
}

static int bool_word(json_t *body, const char *key, const char *option, const char *word)
{
    if (word == NULL)
        return CLI_OK;
    if (strcmp(word, "yes") != 0 && strcmp(word, "no") != 0)
        return cli_usage("--%s: '%s' is neither yes nor no", option, word);
    json_object_set_new(body, key, json_boolean(strcmp(word, "yes") == 0));
    return CLI_OK;
}

static int product_set(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1], *text[TEXTS] = { NULL }, *anonymous = NULL, *clear = NULL;
    struct opt_list components = { { NULL }, 0 };
    uint64_t poll_s = 0;
    bool shorten = false;
    json_t *body = NULL, *answer = NULL;
    char *path;
    struct opt opts[] = {
        { "vendor-domain", OPT_TEXT, &text[0], "NAME", "DNS name: gives the vendor id", false },
        { "vendor-name", OPT_TEXT, &text[1], "TEXT", "as a customer knows the maker", false },
        { "model", OPT_TEXT, &text[2], "TEXT", "designation on the product", false },
        { "support-end", OPT_TEXT, &text[3], "YYYY-MM", "security updates until then", false },
        { "rationale", OPT_TEXT, &text[4], "TEXT", "why support is under five years", false },
        { "contact", OPT_TEXT, &text[5], "URI", "mailto: or https: for security reports", false },
        { "support-url", OPT_TEXT, &text[6], "URL", "support page elsewhere", false },
        { "poll-s", OPT_UINT, &poll_s, "S", "how often devices ask, 30 to 604800", false },
        { "allow-anonymous", OPT_TEXT, &anonymous, "yes|no", "check-ins without a token", false },
        { "payload-in-clear", OPT_TEXT, &clear, "yes|no", "payloads without TLS", false },
        { "component", OPT_LIST, &components, "NAME", "an updatable part; more than once", false },
        { "shorten", OPT_FLAG, &shorten, NULL, "the support end really moves back", false },
        API_OPTS(&api)
    };
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK && poll_s > INT32_MAX)
        e = cli_usage("--poll-s: must be 30 to 604800");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    body = json_object();
    e = set_texts(body, opts, TEXTS);
    if (e == CLI_OK)
        e = bool_word(body, "allow_anonymous", "allow-anonymous", anonymous);
    if (e == CLI_OK)
        e = bool_word(body, "payload_in_clear", "payload-in-clear", clear);
    if (e == CLI_OK && opts[TEXTS].given)
        json_object_set_new(body, "poll_s", json_integer((json_int_t)poll_s));
    if (e == CLI_OK && shorten)
        json_object_set_new(body, "shorten", json_true());
    if (e == CLI_OK && components.n > 0)
        e = set_components(body, &components);
    if (e != CLI_OK) {
        json_decref(body);
        return e;
    }
    path = api_path("/api/v1/products/", pos[0], "");
    e = api_call(&api, "PUT", path, body, &answer);
    if (e == CLI_OK)
        api_show(&api, answer, print_product);
    json_decref(answer);
    free(path);
    return e;
}

static int product_show(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL;
    char *path;
    int e = opts_parse(&VERBS[1], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    path = api_path("/api/v1/products/", pos[0], "");
    e = api_call(&api, "GET", path, NULL, &answer);
    if (e == CLI_OK)
        api_show(&api, answer, print_product);
    json_decref(answer);
    free(path);
    return e;
}

static void product_row(const json_t *p, void *user)
{
    (void)user;
    printf("%-20s %-20s until %s\n", api_text(p, "product"), api_text(p, "model"),
           api_text(p, "support_end"));
}

static int product_list(int argc, char **argv)
{
    struct api api = { 0 };
    struct opt opts[] = { API_OPTS(&api) };
    int e = opts_parse(&VERBS[2], argc, argv, opts, NULL, 0, 0, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    return e == CLI_OK ? api_list(&api, "/api/v1/products", "products", product_row, NULL) : e;
}

int cmd_product(int argc, char **argv)
{
    return verbs_run("product", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
