/*
 * lapel release: publish what was signed.
 */
#include <inttypes.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "cmd.h"
#include "envelope.h"

static int release_publish(int argc, char **argv);
static int release_list(int argc, char **argv);
static int release_show(int argc, char **argv);
static int release_withdraw(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "publish",  "PRODUCT ENVELOPE [PAYLOAD...]", "send what the server lacks, then the envelope", release_publish },
  { "list",     "PRODUCT",                       "releases, newest first",                        release_list },
  { "show",     "ID",                            "one release",                                   release_show },
  { "withdraw", "ID",                            "end it for good",                               release_withdraw },
};
/* clang-format on */

#define PAYLOADS_MAX 16

/* --- publish -------------------------------------------------------------------------------- */

/* A wrong file is said here, not after the upload. */
static int send_payload(const struct api *api, struct lsuit_bytes doc, const char *file)
{
    uint8_t digest[LSUIT_SHA256_LEN];
    char hex[2 * LSUIT_SHA256_LEN + 1], path[128];
    struct http_call call = { 0 };
    FILE *said = api->json ? stderr : stdout;
    uint64_t size = 0;
    long status = 0;
    bool named = false;
    int e = file_measure(file, digest, &size);

    if (e == CLI_OK)
        e = envelope_names(doc, digest, size, &named);
    if (e == CLI_OK && !named)
        e = cli_fail("%s: the envelope names no payload with this digest", file);
    if (e != CLI_OK)
        return e;
    hex_put(digest, sizeof digest, hex);
    snprintf(path, sizeof path, "/api/v1/payloads/%s", hex);
    e = api_head(api, path, &status);
    if (e != CLI_OK)
        return e;
    if (status == 200) {
        fprintf(said, "%s: the server has it already\n", file);
        return CLI_OK;
    }
    call.body_file = file;
    call.body_file_n = size;
    call.progress = isatty(STDERR_FILENO) != 0;
    e = api_send(api, "PUT", path, "application/octet-stream", &call, NULL);
    if (e == CLI_OK)
        fprintf(said, "%s: %" PRIu64 " bytes sent\n", file, size);
    return e;
}

static void print_release(const json_t *r)
{
    printf("release   %s of %s, %s\nversion   %s\nsequence  %s\nseverity  %s\ndigest    %s\n",
           api_text(r, "id"), api_text(r, "product"), api_text(r, "state"), api_text(r, "version"),
           api_text(r, "sequence"), api_text(r, "severity"), api_text(r, "digest"));
    printf("envelope  %s bytes, payloads %s bytes\nkey       %s\n", api_text(r, "envelope_size"),
           api_text(r, "size"), api_text(r, "key_id"));
}

static int publish(const struct api *api, const char *product, struct lsuit_bytes doc,
                   const char *const *payloads, size_t n)
{
    struct http_call call = { 0 };
    struct lsuit_envelope env;
    json_t *answer = NULL;
    char *path;
    int e = envelope_open(doc, &env);

    for (size_t i = 0; i < n && e == CLI_OK; i++)
        e = send_payload(api, doc, payloads[i]);
    if (e != CLI_OK)
        return e;
    path = api_path("/api/v1/products/", product, "/releases");
    call.body = doc.ptr;
    call.body_n = doc.len;
    call.accept = "application/json";
    e = api_send(api, "POST", path, "application/suit-envelope+cose", &call, &answer);
    if (e == CLI_OK)
        api_show(api, answer, print_release);
    json_decref(answer);
    free(path);
    return e;
}

static int release_publish(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[2 + PAYLOADS_MAX];
    struct opt opts[] = { API_OPTS(&api) };
    size_t n = 0, doc_n = 0;
    uint8_t *doc;
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 2, 2 + PAYLOADS_MAX, &n);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK && psa_crypto_init() != PSA_SUCCESS)
        e = cli_fail("the crypto library does not start");
    if (e != CLI_OK)
        return e;
    doc = file_read(pos[1], ENVELOPE_FILE_MAX, &doc_n);
    if (doc == NULL)
        return CLI_FAILED;
    e = publish(&api, pos[0], (struct lsuit_bytes){ doc, doc_n }, pos + 2, n - 2);
    free(doc);
    return e;
}

/* --- list, show, withdraw ------------------------------------------------------------------- */

static void release_row(const json_t *r, void *user)
{
    (void)user;
    printf("%-4s %-16s sequence %-8s %-9s %s\n", api_text(r, "id"), api_text(r, "version"),
           api_text(r, "sequence"), api_text(r, "severity"), api_text(r, "state"));
}

static int release_list(int argc, char **argv)
{
    return api_list_of_product(&VERBS[1], argc, argv, "releases", release_row);
}

static int by_id(const struct verb *v, int argc, char **argv, const char *method, const char *tail,
                 bool body)
{
    struct api api = { 0 };
    const char *pos[1], *reason = NULL;
    struct opt opts[] = { { "reason", OPT_TEXT, &reason, "TEXT", "kept in the audit", false },
                          API_OPTS(&api) };
    json_t *answer = NULL, *o = NULL;
    uint64_t id = 0;
    char path[96];
    int e = opts_parse(v, argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_id(v->name, "ID", pos[0], &id);
    if (e == CLI_OK && reason != NULL && !body)
        e = cli_usage("%s takes no --reason", v->name);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "/api/v1/releases/%" PRIu64 "%s", id, tail);
    if (body && (o = api_reason(reason)) == NULL)
        return CLI_USAGE;
    e = api_call(&api, method, path, o, &answer);
    if (e == CLI_OK)
        api_show(&api, answer, print_release);
    json_decref(answer);
    return e;
}

static int release_show(int argc, char **argv)
{
    return by_id(&VERBS[2], argc, argv, "GET", "", false);
}

static int release_withdraw(int argc, char **argv)
{
    return by_id(&VERBS[3], argc, argv, "POST", "/withdraw", true);
}

int cmd_release(int argc, char **argv)
{
    return verbs_run("release", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
