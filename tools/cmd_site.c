/*
 * lapel site: the public pages as files, and with --channel all that devices fetch as well.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <psa/crypto.h>

#include "api.h"
#include "cmd.h"
#include "envelope.h"
#include "tree.h"

static int site_export(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "export", "DIR", "write the support pages and security.txt below DIR", site_export },
};
/* clang-format on */

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

        if (path == NULL || !json_is_string(json_object_get(page, "content")) ||
            !tree_is_safe(path))
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
    if (file_parents(full, strlen(dir) + 1) != CLI_OK)
        return CLI_FAILED;
    return file_write(full,
                      (struct lsuit_bytes){ (const uint8_t *)json_string_value(content),
                                            json_string_length(content) },
                      0644, true);
}

static int write_pages(const char *dir, const json_t *pages, size_t *n_out)
{
    const json_t *page;
    size_t i;
    int e = check_pages(pages);

    if (e == CLI_OK && mkdir(dir, 0755) < 0 && errno != EEXIST)
        e = cli_fail("%s: %s", dir, strerror(errno));
    if (e != CLI_OK)
        return e;
    json_array_foreach(pages, i, page)
    {
        if (e == CLI_OK)
            e = write_page(dir, page);
        *n_out += e == CLI_OK;
    }
    return e;
}

/* --- the channel ------------------------------------------------------------------------------ */

/* Bytes that came with the list, in hex. */
static int write_bytes(const char *to, const char *path, const char *hex)
{
    size_t n = strlen(hex) / 2;
    uint8_t *bytes = malloc(n + 1);
    int e = CLI_FAILED;

    if (bytes == NULL)
        return cli_fail("out of memory");
    if (strlen(hex) != 2 * n || !hex_get(hex, bytes, n))
        cli_fail("%s: the server's bytes are no hex", path);
    else
        e = file_write(to, (struct lsuit_bytes){ bytes, n }, 0644, true);
    free(bytes);
    return e;
}

/* A payload, which its digest names: taken over, or fetched and measured. */
static int write_payload(const struct api *api, const struct tree *t, const char *path,
                         const char *to, const char *sha256)
{
    uint8_t want[LSUIT_SHA256_LEN], got[LSUIT_SHA256_LEN];
    uint64_t size = 0;
    char *from;
    int e;

    if (strlen(sha256) != 2 * sizeof want || !hex_get(sha256, want, sizeof want))
        return cli_fail("%s: the server's digest is none", path);
    if (tree_keep(t, path))
        return CLI_OK;
    from = api_path("/api/v1/payloads/", sha256, "/content");
    e = api_download(api, from, to);
    free(from);
    if (e == CLI_OK)
        e = file_measure(to, got, &size);
    if (e == CLI_OK && memcmp(got, want, sizeof want) != 0)
        e = cli_fail("%s: the server sent other bytes", path);
    return e;
}

static int write_file(const struct api *api, const struct tree *t, const json_t *file)
{
    const char *path = json_string_value(json_object_get(file, "path"));
    const char *content = json_string_value(json_object_get(file, "content"));
    const char *sha256 = json_string_value(json_object_get(file, "sha256"));
    char to[FILE_PATH_MAX];

    if (path == NULL || !tree_is_safe(path) || (content == NULL) == (sha256 == NULL))
        return cli_fail("the server names what can't be a file: %s",
                        path != NULL ? path : "(none)");
    if (tree_path(t, path, to) != CLI_OK)
        return CLI_FAILED;
    return content != NULL ? write_bytes(to, path, content)
                           : write_payload(api, t, path, to, sha256);
}

/* Everything into a folder beside the one in use, then the switch. */
static int export_channel(const struct api *api, const char *dir, const json_t *pages,
                          size_t *n_out)
{
    json_t *answer = NULL, *file;
    struct tree t;
    size_t i;
    int e =
        psa_crypto_init() == PSA_SUCCESS ? CLI_OK : cli_fail("the crypto library does not start");

    if (e == CLI_OK)
        e = tree_begin(&t, dir);
    if (e != CLI_OK)
        return e;
    e = write_pages(t.next, pages, n_out);
    if (e == CLI_OK)
        e = api_call(api, "GET", "/api/v1/channel", NULL, &answer);
    if (e == CLI_OK && !json_is_array(json_object_get(answer, "files")))
        e = cli_fail("the server sent no files");
    if (e == CLI_OK) {
        json_array_foreach(json_object_get(answer, "files"), i, file)
        {
            if (e == CLI_OK)
                e = write_file(api, &t, file);
            *n_out += e == CLI_OK;
        }
    }
    if (e == CLI_OK)
        e = tree_commit(&t);
    tree_end(&t);
    json_decref(answer);
    return e;
}

static int site_export(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    bool channel = false;
    struct opt opts[] = { { "channel", OPT_FLAG, &channel, NULL,
                            "and what devices fetch; DIR becomes a link that is switched", false },
                          API_OPTS(&api) };
    json_t *answer = NULL, *pages;
    size_t n = 0;
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = api_call(&api, "GET", "/api/v1/site", NULL, &answer);
    pages = json_object_get(answer, "pages");
    if (e == CLI_OK)
        e = channel ? export_channel(&api, pos[0], pages, &n) : write_pages(pos[0], pages, &n);
    if (e == CLI_OK && api.json)
        printf("{\"%s\": %zu}\n", channel ? "files" : "pages", n);
    else if (e == CLI_OK)
        printf("%zu %s below %s\n", n, channel ? "files" : "pages", pos[0]);
    json_decref(answer);
    return e;
}

int cmd_site(int argc, char **argv)
{
    return verbs_run("site", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
