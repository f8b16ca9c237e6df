/*
 * lapel site: the public pages as files, for the maker's own web site.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api.h"
#include "cmd.h"

static int site_export(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "export", "DIR", "write the support pages and security.txt below DIR", site_export },
};
/* clang-format on */

/* A path from the server must stay below DIR: relative, no empty part, none that is "." or "..". */
static bool safe(const char *path)
{
    const char *p = path;

    if (*p == '\0' || strlen(p) > 1024)
        return false;
    while (*p != '\0') {
        size_t n = strcspn(p, "/");

        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)p[i] < 0x20 || p[i] == '\\')
                return false;
        p += n;
        if (*p == '/' && *++p == '\0')
            return false;
    }
    return true;
}

static int make_parents(char *path, size_t from)
{
    for (char *p = path + from; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return cli_fail("%s: %s", path, strerror(errno));
        *p = '/';
    }
    return CLI_OK;
}

/* All of them, before the first is written. */
static int check_pages(const json_t *pages)
{
    const json_t *page;
    size_t i;

    if (!json_is_array(pages))
        return cli_fail("the server sent no pages");
    json_array_foreach(pages, i, page)
    {
        const char *path = json_string_value(json_object_get(page, "path"));

        if (path == NULL || !json_is_string(json_object_get(page, "content")) || !safe(path))
            return cli_fail("the server names a page that can't be a file: %s",
                            path != NULL ? path : "(none)");
    }
    return CLI_OK;
}

static int write_page(const char *dir, const json_t *page)
{
    const char *path = json_string_value(json_object_get(page, "path"));
    const json_t *content = json_object_get(page, "content");
    char full[4096];

    if (snprintf(full, sizeof full, "%s/%s", dir, path) >= (int)sizeof full)
        return cli_fail("%s: name too long", path);
    if (make_parents(full, strlen(dir) + 1) != CLI_OK)
        return CLI_FAILED;
    return file_write(full,
                      (struct lsuit_bytes){ (const uint8_t *)json_string_value(content),
                                            json_string_length(content) },
                      0644, true);
}

static int site_export(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL, *page;
    size_t i, n = 0;
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = api_call(&api, "GET", "/api/v1/site", NULL, &answer);
    if (e == CLI_OK)
        e = check_pages(json_object_get(answer, "pages"));
    if (e == CLI_OK && mkdir(pos[0], 0755) < 0 && errno != EEXIST)
        e = cli_fail("%s: %s", pos[0], strerror(errno));
    if (e == CLI_OK) {
        json_array_foreach(json_object_get(answer, "pages"), i, page)
        {
            if (e == CLI_OK)
                e = write_page(pos[0], page);
            n += e == CLI_OK;
        }
    }
    if (e == CLI_OK && api.json)
        printf("{\"pages\": %zu}\n", n);
    else if (e == CLI_OK)
        printf("%zu pages below %s\n", n, pos[0]);
    json_decref(answer);
    return e;
}

int cmd_site(int argc, char **argv)
{
    return verbs_run("site", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
