#include "trust_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lsuit/cose.h"
#include "lsuit/uuid.h"
#include "pem.h"

static const struct lsuit_crypto *const CRYPTO = &lsuit_crypto_psa;
static const struct lsuit_bytes NONE;

/* --- the JSON file ---------------------------------------------------------------------------- */

/* What a set is made of, with the bytes that its parts point to. */
struct content {
    const char *path; /* of the JSON file */
    struct lsuit_role roles[LSUIT_TRUST_ROLES];
    uint8_t point[LSUIT_TRUST_ROLES][LSUIT_TRUST_KEYS][LSUIT_P256_POINT_LEN];
    uint8_t vendor[LSUIT_TRUST_ROLES][LSUIT_UUID_LEN], class_[LSUIT_TRUST_ROLES][LSUIT_UUID_LEN];
    struct lsuit_anchor anchors[LSUIT_TRUST_ANCHORS];
    uint8_t anchor[LSUIT_TRUST_ANCHORS][LSUIT_TRUST_MAX];
    struct lsuit_bytes urls[LSUIT_TRUST_URLS];
    struct lsuit_trust_parts parts;
};

static int wrong(const char *list, size_t i, const char *why)
{
    return cli_fail("trust set: %s[%zu]: %s", list, i, why);
}

static struct lsuit_bytes text_bytes(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

/* A file named in the JSON file, beside it. */
static int beside(const char *path, const char *name, char out[FILE_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int folder = name[0] == '/' || slash == NULL ? 0 : (int)(slash - path) + 1;

    return snprintf(out, FILE_PATH_MAX, "%.*s%s", folder, path, name) < FILE_PATH_MAX
               ? CLI_OK
               : cli_fail("trust set: %s: the path is too long", name);
}

static int role_of(const char *name, uint32_t *role_out)
{
    for (uint32_t r = LSUIT_ROLE_ROOT; r <= LSUIT_ROLE_ENROL; r++)
        if (strcmp(lsuit_role_name(r), name) == 0) {
            *role_out = r;
            return CLI_OK;
        }
    return CLI_FAILED;
}

static int take_scope(struct content *c, size_t i, const char *domain, const char *model)
{
    struct lsuit_role *role = &c->roles[i];

    if (domain == NULL && model != NULL)
        return wrong("roles", i, "model: needs vendor-domain");
    if (domain != NULL && lsuit_uuid_vendor(text_bytes(domain), c->vendor[i]) != LSUIT_OK)
        return wrong("roles", i, "vendor-domain: must be a DNS name in lower case");
    if (model != NULL &&
        (*model == '\0' || strlen(model) > LSUIT_NAME_MAX ||
         lsuit_uuid_class(c->vendor[i], text_bytes(model), c->class_[i]) != LSUIT_OK))
        return wrong("roles", i, "model: must be 1 to 64 bytes");
    if (domain != NULL)
        role->vendor_id = (struct lsuit_bytes){ c->vendor[i], LSUIT_UUID_LEN };
    if (model != NULL)
        role->class_id = (struct lsuit_bytes){ c->class_[i], LSUIT_UUID_LEN };
    return CLI_OK;
}

static int take_keys(struct content *c, size_t i, json_t *keys)
{
    struct lsuit_role *role = &c->roles[i];
    char path[FILE_PATH_MAX];

    if (!json_is_array(keys) || json_array_size(keys) > LSUIT_TRUST_KEYS)
        return wrong("roles", i, "keys: must be an array of 1 to 8 files");
    for (size_t k = 0; k < json_array_size(keys); k++) {
        const char *name = json_string_value(json_array_get(keys, k));

        if (name == NULL)
            return wrong("roles", i, "keys: must be an array of 1 to 8 files");
        if (beside(c->path, name, path) != CLI_OK || pem_public(path, c->point[i][k]) != CLI_OK)
            return CLI_FAILED;
        role->keys[k] =
            (struct lsuit_key){ LSUIT_KEY_P256, { c->point[i][k], LSUIT_P256_POINT_LEN }, NONE };
        if (lsuit_key_is_published(&role->keys[k]))
            return cli_fail("%s: a published test key: anybody can sign with it", path);
        role->keys_n++;
    }
    return CLI_OK;
}

static int take_role(struct content *c, size_t i, json_t *v)
{
    const char *name = NULL, *domain = NULL, *model = NULL;
    json_t *keys = NULL;
    int threshold = 1;
    json_error_t why;

    if (json_unpack_ex(v, &why, JSON_STRICT, "{s:s, s:o, s?i, s?s, s?s}", "role", &name, "keys",
                       &keys, "threshold", &threshold, "vendor-domain", &domain, "model",
                       &model) != 0)
        return wrong("roles", i, why.text);
    if (role_of(name, &c->roles[i].role) != CLI_OK)
        return wrong("roles", i, "role: root, release, online, author or enrol");
    if (threshold < 1 || threshold > LSUIT_TRUST_KEYS)
        return wrong("roles", i, "threshold: must be 1 to the number of keys");
    c->roles[i].threshold = (uint32_t)threshold;
    return take_scope(c, i, domain, model) == CLI_OK ? take_keys(c, i, keys) : CLI_FAILED;
}

static int take_anchor(struct content *c, size_t i, json_t *v)
{
    const char *certificate = NULL, *spki = NULL, *digest = NULL, *use = "current";
    struct lsuit_anchor *a = &c->anchors[i];
    char path[FILE_PATH_MAX];
    json_error_t why;

    if (json_unpack_ex(v, &why, JSON_STRICT, "{s?s, s?s, s?s, s?s}", "certificate", &certificate,
                       "spki", &spki, "spki-sha256", &digest, "use", &use) != 0)
        return wrong("anchors", i, why.text);
    if ((certificate != NULL) + (spki != NULL) + (digest != NULL) != 1)
        return wrong("anchors", i, "one of certificate, spki, spki-sha256");
    if (strcmp(use, "current") != 0 && strcmp(use, "next") != 0)
        return wrong("anchors", i, "use: current or next");
    a->use = strcmp(use, "next") == 0 ? LSUIT_ANCHOR_NEXT : LSUIT_ANCHOR_CURRENT;
    a->kind = certificate != NULL ? LSUIT_ANCHOR_CERTIFICATE : LSUIT_ANCHOR_SPKI;
    a->bytes = (struct lsuit_bytes){ c->anchor[i], LSUIT_SHA256_LEN };
    if (digest != NULL)
        return hex_get(digest, c->anchor[i], LSUIT_SHA256_LEN)
                   ? CLI_OK
                   : wrong("anchors", i, "spki-sha256: must be 64 hex digits");
    if (beside(c->path, certificate != NULL ? certificate : spki, path) != CLI_OK)
        return CLI_FAILED;
    return certificate != NULL
               ? pem_certificate(path, c->anchor[i], sizeof c->anchor[i], &a->bytes.len)
               : pem_spki_digest(path, c->anchor[i]);
}

static int take_url(struct content *c, size_t i, json_t *v)
{
    const char *url = json_string_value(v);

    if (url == NULL || strncmp(url, "https://", 8) != 0 || url[8] == '\0' ||
        strchr(url + 8, '/') != NULL || strlen(url) > LSUIT_URL_MAX)
        return wrong("urls", i, "must be https://host[:port], at most 200 bytes, without a path");
    c->urls[i] = text_bytes(url);
    return CLI_OK;
}

static int take_list(struct content *c, const char *name, json_t *list, size_t max,
                     int (*take)(struct content *c, size_t i, json_t *v), uint32_t *n_out)
{
    if (list == NULL)
        return CLI_OK;
    if (!json_is_array(list) || json_array_size(list) > max)
        return cli_fail("trust set: %s: must be an array of at most %zu", name, max);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (take(c, i, json_array_get(list, i)) != CLI_OK)
            return CLI_FAILED;
    *n_out = (uint32_t)json_array_size(list);
    return CLI_OK;
}

static int take_all(struct content *c, json_t *root)
{
    json_t *roles = NULL, *anchors = NULL, *urls = NULL;
    json_error_t why;

    if (json_unpack_ex(root, &why, JSON_STRICT, "{s:o, s?o, s?o}", "roles", &roles, "anchors",
                       &anchors, "urls", &urls) != 0)
        return cli_fail("trust set: %s", why.text);
    if (take_list(c, "roles", roles, LSUIT_TRUST_ROLES, take_role, &c->parts.roles_n) != CLI_OK ||
        take_list(c, "anchors", anchors, LSUIT_TRUST_ANCHORS, take_anchor, &c->parts.anchors_n) !=
            CLI_OK ||
        take_list(c, "urls", urls, LSUIT_TRUST_URLS, take_url, &c->parts.urls_n) != CLI_OK)
        return CLI_FAILED;
    c->parts.roles = c->roles;
    c->parts.anchors = c->anchors;
    c->parts.urls = c->urls;
    return CLI_OK;
}

/* Write it, and say in words why not. */
static int encode(const struct content *c, uint8_t *buf, struct lsuit_bytes *payload_out)
{
    uint8_t room[4 * LSUIT_TRUST_MAX];
    struct lsuit_bytes payload = { room, 0 };
    enum lsuit_err e = lsuit_trust_write(&c->parts, room, sizeof room, &payload);

    if (e == LSUIT_ERR_LIMIT || e == LSUIT_ERR_SPACE || payload.len > LSUIT_TRUST_MAX)
        return cli_fail("trust set: larger than %d bytes: fewer keys, or spki in place of "
                        "certificate",
                        LSUIT_TRUST_MAX);
    if (e != LSUIT_OK)
        return cli_fail("trust set: no device would take it: it needs a root role, thresholds that "
                        "its keys reach (1 for online and enrol), no scope on root, and an online "
                        "key has no other role");
    memcpy(buf, payload.ptr, payload.len);
    *payload_out = (struct lsuit_bytes){ buf, payload.len };
    return CLI_OK;
}

int trust_file_write(const char *path, uint32_t version, uint64_t issued_s,
                     uint8_t buf[LSUIT_TRUST_MAX], struct lsuit_bytes *payload_out)
{
    static struct content c;
    json_error_t why;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    int e;

    if (root == NULL)
        return cli_fail("%s: line %d: %s", path, why.line, why.text);
    c = (struct content){ .path = path };
    c.parts.version = version;
    c.parts.issued_s = issued_s;
    e = take_all(&c, root);
    if (e == CLI_OK)
        e = encode(&c, buf, payload_out);
    json_decref(root); /* the urls are its strings */
    return e;
}

/* --- the document ----------------------------------------------------------------------------- */

int trust_doc_load(const char *path, struct trust_doc *doc_out)
{
    struct lsuit_fault fault = { .component = -1 };
    size_t n = 0;
    uint8_t *bytes = file_read(path, LSUIT_TRUST_MAX, &n);
    enum lsuit_err e;

    if (bytes == NULL)
        return CLI_FAILED;
    memcpy(doc_out->bytes, bytes, n);
    doc_out->n = n;
    free(bytes);
    e = lsuit_trust_doc_read((struct lsuit_bytes){ doc_out->bytes, n }, &doc_out->parts, &fault);
    if (e == LSUIT_OK)
        e = lsuit_trust_read(doc_out->parts.payload, &doc_out->set, &fault);
    return e == LSUIT_OK ? CLI_OK : cli_fault(path, e, &fault);
}

bool trust_has_root(const struct lsuit_trust *set, const uint8_t point[LSUIT_P256_POINT_LEN])
{
    struct lsuit_bytes key = { point, LSUIT_P256_POINT_LEN };
    struct lsuit_role role;
    uint32_t at = 0;

    while (lsuit_trust_find(set, LSUIT_ROLE_ROOT, NONE, NONE, &at, &role))
        for (uint32_t i = 0; i < role.keys_n; i++)
            if (lsuit_bytes_compare(role.keys[i].material, key) == 0)
                return true;
    return false;
}

/* Is this signature good for the payload with this key? */
static bool verifies(struct lsuit_bytes signature, const struct lsuit_key *key,
                     struct lsuit_bytes payload)
{
    uint8_t room[LSUIT_AAD_MAX];
    struct lsuit_bytes aad;
    struct lsuit_cose cose;
    size_t index = 0;

    return lsuit_doc_aad(LSUIT_DOC_TRUST, NONE, room, sizeof room, &aad) == LSUIT_OK &&
           lsuit_cose_read(signature, &cose) == LSUIT_OK &&
           lsuit_cose_verify(&cose, CRYPTO, key, 1, aad, payload, &index) == LSUIT_OK;
}

bool trust_doc_signed_by(const struct trust_doc *doc, const struct lsuit_key *key)
{
    for (uint32_t i = 0; i < doc->parts.signatures_n; i++)
        if (verifies(doc->parts.signatures[i], key, doc->parts.payload))
            return true;
    return false;
}

int trust_doc_add_signature(const struct trust_doc *doc, const uint8_t point[LSUIT_P256_POINT_LEN],
                            const uint8_t sig[LSUIT_ES256_LEN], uint8_t *buf,
                            struct lsuit_bytes *doc_out)
{
    struct lsuit_key key = { LSUIT_KEY_P256, { point, LSUIT_P256_POINT_LEN }, NONE };
    struct lsuit_bytes all[LSUIT_TRUST_SIGNATURES];
    uint32_t n = doc->parts.signatures_n;
    uint8_t cose[LSUIT_COSE_OVERHEAD];
    enum lsuit_err e;

    if (n == LSUIT_TRUST_SIGNATURES)
        return cli_fail("trust set: at most %d signatures", LSUIT_TRUST_SIGNATURES);
    if (trust_doc_signed_by(doc, &key))
        return cli_fail("trust set: this key has signed it already");
    memcpy(all, doc->parts.signatures, sizeof all);
    if (lsuit_cose_sign1_write(LSUIT_ALG_ESP256, NONE, NONE,
                               (struct lsuit_bytes){ sig, LSUIT_ES256_LEN }, cose, sizeof cose,
                               &all[n]) != LSUIT_OK ||
        !verifies(all[n], &key, doc->parts.payload))
        return cli_fail("signature: does not verify with this key");
    e = lsuit_trust_doc_write(doc->parts.payload, all, n + 1, buf, LSUIT_TRUST_MAX, doc_out);
    return e == LSUIT_OK
               ? CLI_OK
               : cli_fail("trust set: with this signature larger than %d bytes", LSUIT_TRUST_MAX);
}
