/*
 * lapel trust: who may sign what, in steps that devices follow. Only publish and list need a server.
 */
#include <inttypes.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "cmd.h"
#include "pem.h"
#include "signer.h"
#include "trust_file.h"

static int trust_new(int argc, char **argv);
static int trust_next(int argc, char **argv);
static int trust_sign(int argc, char **argv);
static int trust_show(int argc, char **argv);
static int trust_verify(int argc, char **argv);
static int trust_publish(int argc, char **argv);
static int trust_list(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "new",     "FILE.json OUT",         "make an unsigned first set from a JSON file",           trust_new },
  { "next",    "SET FILE.json OUT",     "make the unsigned one that follows SET",                trust_next },
  { "sign",    "SET OUT",               "add a signature; or --tbs-out, then --signature",       trust_sign },
  { "show",    "SET",                   "explain a set, whoever signed it",                      trust_show },
  { "verify",  "SET...",                "follow a chain from its first set, as a device would",  trust_verify },
  { "publish", "SET",                   "hand the next set to the server",                       trust_publish },
  { "list",    "",                      "the chain on the server",                               trust_list },
};
/* clang-format on */

#define OPT_END                                 \
    {                                           \
        NULL, OPT_FLAG, NULL, NULL, NULL, false \
    }
#define CHAIN_MAX 256

/* --- new, next -------------------------------------------------------------------------------- */

static int make(const char *json, uint32_t version, const struct opt *issued, uint64_t issued_s,
                const char *out, bool replace)
{
    uint8_t set[LSUIT_TRUST_MAX], buf[LSUIT_TRUST_MAX];
    struct lsuit_bytes payload, doc;
    int e = trust_file_write(json, version, issued->given ? issued_s : (uint64_t)time(NULL), set,
                             &payload);

    if (e == CLI_OK && lsuit_trust_doc_write(payload, NULL, 0, buf, sizeof buf, &doc) != LSUIT_OK)
        e = cli_fail("trust set: larger than %d bytes", LSUIT_TRUST_MAX);
    if (e == CLI_OK)
        e = file_write(out, doc, 0644, replace);
    if (e == CLI_OK && strcmp(out, "-") != 0)
        printf("%s: version %u, %zu bytes, not signed yet\n", out, version, doc.len);
    return e;
}

static int trust_new(int argc, char **argv)
{
    const char *pos[2];
    uint64_t issued = 0;
    bool replace = false;
    struct opt opts[] = {
        { "issued", OPT_UINT, &issued, "SECONDS", "since 1970; default: now", false },
        { "replace", OPT_FLAG, &replace, NULL, "replace OUT when it exists", false },
        OPT_END
    };
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 2, 2, NULL);

    return e == CLI_OK ? make(pos[0], 1, &opts[0], issued, pos[1], replace) : e;
}

static int trust_next(int argc, char **argv)
{
    static struct trust_doc now;
    const char *pos[3];
    uint64_t issued = 0;
    bool replace = false;
    struct opt opts[] = {
        { "issued", OPT_UINT, &issued, "SECONDS", "since 1970; default: now", false },
        { "replace", OPT_FLAG, &replace, NULL, "replace OUT when it exists", false },
        OPT_END
    };
    int e = opts_parse(&VERBS[1], argc, argv, opts, pos, 3, 3, NULL);

    if (e == CLI_OK)
        e = trust_doc_load(pos[0], &now);
    if (e == CLI_OK && now.set.version == UINT32_MAX)
        e = cli_fail("%s: there is no version after this one", pos[0]);
    return e == CLI_OK ? make(pos[1], now.set.version + 1, &opts[0], issued, pos[2], replace) : e;
}

/* --- sign ------------------------------------------------------------------------------------- */

static int sign(const struct trust_doc *doc, const struct signer_args *a, const char *out,
                bool replace)
{
    uint8_t tbs_room[LSUIT_TRUST_MAX + 64], buf[LSUIT_TRUST_MAX], sig[LSUIT_ES256_LEN];
    uint8_t point[LSUIT_P256_POINT_LEN];
    struct lsuit_bytes tbs, signed_doc;
    int e;

    if (lsuit_trust_tbs(LSUIT_ALG_ESP256, doc->parts.payload, tbs_room, sizeof tbs_room, &tbs) !=
        LSUIT_OK)
        return cli_fail("the bytes to be signed are too long");
    if (a->tbs_out != NULL)
        return file_write(a->tbs_out, tbs, 0644, replace);
    e = signer_sign(a, LSUIT_ALG_ESP256, tbs, sig, point);
    if (e == CLI_OK && !trust_has_root(&doc->set, point))
        fprintf(stderr, "lapel: note: this key is no root of this set; it must be one of the set "
                        "before\n");
    if (e == CLI_OK)
        e = trust_doc_add_signature(doc, point, sig, buf, &signed_doc);
    return e == CLI_OK ? file_write(out, signed_doc, 0644, replace) : e;
}

static int trust_sign(int argc, char **argv)
{
    static struct trust_doc doc;
    struct signer_args a = { 0 };
    const char *pos[2] = { NULL, NULL };
    bool replace = false;
    size_t n = 0;
    struct opt opts[] = { SIGNER_OPTS(&a),
                          { "replace", OPT_FLAG, &replace, NULL, "replace what exists", false },
                          OPT_END };
    int e = opts_parse(&VERBS[2], argc, argv, opts, pos, 1, 2, &n);

    if (e == CLI_OK)
        e = signer_check(&a, n == 2);
    if (e == CLI_OK)
        e = trust_doc_load(pos[0], &doc);
    return e == CLI_OK ? sign(&doc, &a, pos[1], replace) : e;
}

/* --- show ------------------------------------------------------------------------------------- */

/* The id of a key as everywhere: SHA-256 of the SubjectPublicKeyInfo; other types by material. */
static void key_id(const struct lsuit_key *key, char hex[2 * LSUIT_SHA256_LEN + 1])
{
    uint8_t id[LSUIT_SHA256_LEN] = { 0 };
    size_t n = 0;

    if (key->type == LSUIT_KEY_P256)
        (void)pem_key_id(key->material.ptr, id);
    else
        (void)lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, key->material, id, sizeof id,
                               &n);
    hex_put(id, sizeof id, hex);
}

static json_t *json_uuid(struct lsuit_bytes id)
{
    char hex[2 * LSUIT_UUID_LEN + 1];

    if (id.ptr == NULL)
        return json_null();
    hex_put(id.ptr, id.len, hex);
    return json_string(hex);
}

static json_t *json_role(const struct trust_doc *doc, const struct lsuit_role *role)
{
    const char *name = lsuit_role_name(role->role);
    json_t *keys = json_array();
    char hex[2 * LSUIT_SHA256_LEN + 1];

    for (uint32_t i = 0; i < role->keys_n; i++) {
        key_id(&role->keys[i], hex);
        json_array_append_new(keys, json_pack("{s:s, s:b}", "id", hex, "signed",
                                              (int)trust_doc_signed_by(doc, &role->keys[i])));
    }
    return json_pack("{s:s, s:i, s:o, s:o, s:o}", "role", name != NULL ? name : "unknown",
                     "threshold", (int)role->threshold, "vendor_id", json_uuid(role->vendor_id),
                     "class_id", json_uuid(role->class_id), "keys", keys);
}

static json_t *json_anchor(const struct lsuit_anchor *a)
{
    uint8_t digest[LSUIT_SHA256_LEN] = { 0 };
    char hex[2 * LSUIT_SHA256_LEN + 1];
    size_t n = 0;

    if (a->kind == LSUIT_ANCHOR_SPKI)
        memcpy(digest, a->bytes.ptr, sizeof digest);
    else
        (void)lsuit_hash_bytes(&lsuit_crypto_psa, LSUIT_ALG_SHA256, a->bytes, digest, sizeof digest,
                               &n);
    hex_put(digest, sizeof digest, hex);
    return json_pack("{s:s, s:s, s:s}", "kind",
                     a->kind == LSUIT_ANCHOR_SPKI          ? "spki"
                     : a->kind == LSUIT_ANCHOR_CERTIFICATE ? "certificate"
                                                           : "unknown",
                     "sha256", hex, "use", a->use == LSUIT_ANCHOR_NEXT ? "next" : "current");
}

static json_t *json_set(const struct trust_doc *doc)
{
    json_t *roles = json_array(), *anchors = json_array(), *urls = json_array();
    struct lsuit_anchor anchor;
    struct lsuit_role role;
    struct lsuit_bytes url;

    for (uint32_t i = 0; lsuit_trust_role_at(&doc->set, i, &role); i++)
        json_array_append_new(roles, json_role(doc, &role));
    for (uint32_t i = 0; lsuit_trust_anchor_at(&doc->set, i, &anchor); i++)
        json_array_append_new(anchors, json_anchor(&anchor));
    for (uint32_t i = 0; lsuit_trust_url_at(&doc->set, i, &url); i++)
        json_array_append_new(urls, json_stringn((const char *)url.ptr, url.len));
    return json_pack("{s:I, s:I, s:i, s:i, s:o, s:o, s:o}", "version", (json_int_t)doc->set.version,
                     "issued", (json_int_t)doc->set.issued_s, "size", (int)doc->n, "signatures",
                     (int)doc->parts.signatures_n, "roles", roles, "anchors", anchors, "urls",
                     urls);
}

static void print_role(const json_t *role)
{
    const json_t *keys = json_object_get(role, "keys"), *key;
    size_t i;

    printf("%-8s %s of %zu", api_text(role, "role"), api_text(role, "threshold"),
           json_array_size(keys));
    if (!json_is_null(json_object_get(role, "vendor_id")))
        printf("  vendor %s", api_text(role, "vendor_id"));
    if (!json_is_null(json_object_get(role, "class_id")))
        printf("  class %s", api_text(role, "class_id"));
    putchar('\n');
    json_array_foreach((json_t *)keys, i, key)
    {
        printf("  %s%s\n", api_text(key, "id"),
               json_is_true(json_object_get(key, "signed")) ? "  signed this set" : "");
    }
}

static void print_set(const json_t *set)
{
    const json_t *v;
    size_t i;

    printf("version  %s, %s bytes, %s signatures\n", api_text(set, "version"),
           api_text(set, "size"), api_text(set, "signatures"));
    json_array_foreach(json_object_get(set, "roles"), i, v)
    {
        print_role(v);
    }
    json_array_foreach(json_object_get(set, "anchors"), i, v)
    {
        printf("anchor   %s %s, %s\n", api_text(v, "kind"), api_text(v, "sha256"),
               api_text(v, "use"));
    }
    json_array_foreach(json_object_get(set, "urls"), i, v)
    {
        fputs("url      ", stdout);
        put_safe(stdout, json_string_value(v), json_string_length(v), "");
        putchar('\n');
    }
}

static int trust_show(int argc, char **argv)
{
    static struct trust_doc doc;
    const char *pos[1];
    bool json = false;
    struct opt opts[] = { { "json", OPT_FLAG, &json, NULL, "as JSON", false }, OPT_END };
    int e = opts_parse(&VERBS[3], argc, argv, opts, pos, 1, 1, NULL);
    json_t *set;

    if (e == CLI_OK)
        e = trust_doc_load(pos[0], &doc);
    if (e != CLI_OK)
        return e;
    set = json_set(&doc);
    if (json)
        api_print(set);
    else
        print_set(set);
    json_decref(set);
    return CLI_OK;
}

/* --- verify ----------------------------------------------------------------------------------- */

static int follow(const char *path, const struct trust_doc *before, struct trust_doc *doc)
{
    struct lsuit_fault fault = { .component = -1 };
    struct lsuit_bytes bytes;
    enum lsuit_err e;

    if (trust_doc_load(path, doc) != CLI_OK)
        return CLI_FAILED;
    bytes = (struct lsuit_bytes){ doc->bytes, doc->n };
    e = lsuit_trust_accept(bytes, &lsuit_crypto_psa, before != NULL ? &before->set : NULL,
                           &doc->set, &fault);
    if (e == LSUIT_ERR_ROLLBACK || e == LSUIT_ERR_CONFLICT)
        return cli_fail("%s: version %u does not follow version %u", path, doc->set.version,
                        before->set.version);
    if (e == LSUIT_ERR_UNAUTHORISED)
        return cli_fail("%s: a root threshold is not reached: of this set%s", path,
                        before != NULL ? ", or of the one before" : "");
    if (e != LSUIT_OK)
        return cli_fault(path, e, &fault);
    return lsuit_trust_has_published(&doc->set)
               ? cli_fail("%s: it names a published test key: anybody can sign with it", path)
               : CLI_OK;
}

static int trust_verify(int argc, char **argv)
{
    static struct trust_doc docs[2]; /* the one at hand and the one before */
    static const char *pos[CHAIN_MAX];
    json_t *chain = json_array();
    bool json = false;
    size_t n = 0;
    struct opt opts[] = { { "json", OPT_FLAG, &json, NULL, "the chain as JSON", false }, OPT_END };
    int e = opts_parse(&VERBS[4], argc, argv, opts, pos, 1, CHAIN_MAX, &n);

    for (size_t i = 0; e == CLI_OK && i < n; i++) {
        struct trust_doc *doc = &docs[i % 2];

        e = follow(pos[i], i > 0 ? &docs[(i + 1) % 2] : NULL, doc);
        if (e == CLI_OK && json)
            json_array_append_new(chain, json_set(doc));
        else if (e == CLI_OK)
            printf("%s: version %u accepted\n", pos[i], doc->set.version);
    }
    if (e == CLI_OK && json)
        api_print(chain);
    json_decref(chain);
    return e;
}

/* --- the server ------------------------------------------------------------------------------- */

static int trust_publish(int argc, char **argv)
{
    static struct trust_doc doc;
    struct api api = { 0 };
    const char *pos[1];
    struct http_call call = { .accept = "application/json" };
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL;
    int e = opts_parse(&VERBS[5], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = trust_doc_load(pos[0], &doc);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    call.body = doc.bytes;
    call.body_n = doc.n;
    e = api_send(&api, "POST", "/api/v1/trust", "application/cbor", &call, &answer);
    if (e == CLI_OK && api.json)
        api_print(answer);
    else if (e == CLI_OK)
        printf("version %s is published\n", api_text(answer, "version"));
    json_decref(answer);
    return e;
}

static void trust_row(const json_t *set, void *user)
{
    (void)user;
    printf("%-4s %s  %s bytes, %zu roles, %s anchors  %s\n", api_text(set, "version"),
           api_text(set, "created_at"), api_text(set, "size"),
           json_array_size(json_object_get(set, "roles")), api_text(set, "anchors"),
           api_text(set, "sha256"));
}

static int trust_list(int argc, char **argv)
{
    struct api api = { 0 };
    struct opt opts[] = { API_OPTS(&api) };
    int e = opts_parse(&VERBS[6], argc, argv, opts, NULL, 0, 0, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    return e == CLI_OK ? api_list(&api, "/api/v1/trust", "trust", trust_row, NULL) : e;
}

int cmd_trust(int argc, char **argv)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return cli_fail("the crypto library does not start");
    return verbs_run("trust", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
