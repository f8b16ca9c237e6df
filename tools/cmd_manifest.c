/*
 * lapel manifest: make, sign, check and explain SUIT manifests. No server is needed.
 */
#include <inttypes.h>
#include <jansson.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd.h"
#include "envelope.h"
#include "lsuit/uuid.h"
#include "pem.h"
#include "rehearse.h"
#include "show.h"
#include "signer.h"
#include "template.h"
#include "trust_file.h"

/* Sequence numbers advance by this, so that a fix or a return manifest fits between. */
#define SEQUENCE_STEP 16
/* A jump larger than this is a typing error unless --force says otherwise. */
#define SEQUENCE_JUMP_MAX (UINT64_C(1) << 20)

static int manifest_create(int argc, char **argv);
static int manifest_sign(int argc, char **argv);
static int manifest_verify(int argc, char **argv);
static int manifest_show(int argc, char **argv);
static int manifest_sever(int argc, char **argv);
static int manifest_run(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "create", "TEMPLATE OUT",  "make an unsigned envelope from a JSON template and its payloads", manifest_create },
  { "sign",   "ENVELOPE OUT",  "add a signature; or --tbs-out, then --signature, for an HSM",     manifest_sign },
  { "verify", "ENVELOPE",      "check signatures and every command, as a device would",           manifest_verify },
  { "show",   "ENVELOPE",      "explain any envelope, also a broken or an old one",               manifest_show },
  { "sever",  "ENVELOPE OUT",  "leave the text out; signatures stay good",                        manifest_sever },
  { "run",    "ENVELOPE",      "with --dry: what a device would execute, step by step",           manifest_run },
};
/* clang-format on */

#define OPT_END                                 \
    {                                           \
        NULL, OPT_FLAG, NULL, NULL, NULL, false \
    }

/* --- create --------------------------------------------------------------------------------- */

static int settle_sequence(struct template *t, const struct opt *sequence, uint64_t number,
                           const struct opt *after, uint64_t last, bool force)
{
    if (sequence->given)
        t->sequence = number;
    else if (after->given && t->sequence == 0)
        t->sequence = last < INT64_MAX ? last + SEQUENCE_STEP : UINT64_MAX;
    if (t->sequence == 0)
        return cli_usage("create: no sequence number: give it in the template, or --sequence, "
                         "or --after with the one before");
    if (t->sequence > INT64_MAX)
        return cli_usage("create: sequence: must be at most 2^63-1");
    if (after->given && t->sequence <= last)
        return cli_usage("create: sequence: %" PRIu64 " is not above %" PRIu64, t->sequence, last);
    if (t->sequence - (after->given ? last : 0) > SEQUENCE_JUMP_MAX && !force)
        return cli_usage("create: sequence: a jump of more than 2^20 to %" PRIu64
                         " can't be taken back; --force means it",
                         t->sequence);
    return CLI_OK;
}

static void print_created(const struct template *t, const char *out, size_t n, bool json)
{
    char sequence[24];
    json_t *o;

    snprintf(sequence, sizeof sequence, "%" PRIu64, t->sequence);
    if (!json) {
        printf("%s: sequence %s, %zu bytes, not signed yet\n", out, sequence, n);
        return;
    }
    o = json_object();
    json_object_set_new(o, "envelope", json_string(out));
    json_object_set_new(o, "sequence", json_string(sequence));
    json_object_set_new(o, "size", json_integer((json_int_t)n));
    print_json(o);
    json_decref(o);
}

static int write_created(const struct template *t, const char *out, bool inline_text, bool replace,
                         bool json)
{
    size_t cap = ENVELOPE_FILE_MAX;
    uint8_t *buf = malloc(cap);
    struct lsuit_bytes doc;
    int e;

    if (buf == NULL)
        return cli_fail("out of memory");
    e = template_write(t, !inline_text, buf, cap, &doc);
    if (e == CLI_OK)
        e = envelope_accept(doc, "template");
    if (e == CLI_OK)
        e = file_write(out, doc, 0644, replace);
    if (e == CLI_OK && strcmp(out, "-") != 0)
        print_created(t, out, doc.len, json);
    if (e == CLI_OK && doc.len + ENVELOPE_SIGNATURE_LEN > LSUIT_ENVELOPE_MIN_ACCEPTED)
        fprintf(stderr,
                "lapel: note: with a signature this is over the %d bytes that every device"
                " accepts\n",
                LSUIT_ENVELOPE_MIN_ACCEPTED);
    free(buf);
    return e;
}

static int manifest_create(int argc, char **argv)
{
    static struct template t;
    const char *pos[2];
    uint64_t number = 0, last = 0;
    bool force = false, replace = false, absolute = false, no_priority = false, inline_text = false;
    bool json = false;
    struct opt opts[] = {
        { "sequence", OPT_UINT, &number, "N", "sequence number; overrides the template's", false },
        { "after", OPT_UINT, &last, "N", "number of the release before; N + 16 is the default",
          false },
        { "force", OPT_FLAG, &force, NULL, "allow a jump above 2^20", false },
        { "replace", OPT_FLAG, &replace, NULL, "replace OUT, and ciphertexts, when they exist",
          false },
        { "absolute", OPT_FLAG, &absolute, NULL, "keep URIs as the template gives them", false },
        { "no-priority", OPT_FLAG, &no_priority, NULL,
          "leave update-priority out, for devices that refuse it", false },
        { "inline-text", OPT_FLAG, &inline_text, NULL, "text inside the manifest, not severable",
          false },
        { "json", OPT_FLAG, &json, NULL, "what was made, as one JSON object", false },
        OPT_END
    };
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 2, 2, NULL);

    if (e == CLI_OK)
        e = template_read(pos[0], &t);
    if (e == CLI_OK)
        e = settle_sequence(&t, &opts[0], number, &opts[1], last, force);
    if (e == CLI_OK)
        e = template_measure(&t, absolute, replace);
    if (e != CLI_OK)
        return e;
    if (no_priority)
        t.has_priority = false;
    return write_created(&t, pos[1], inline_text, replace, json);
}

/* --- sign ----------------------------------------------------------------------------------- */

struct sign_args {
    struct signer_args signer;
    const char *out;
    struct opt_list payloads;
    bool es256, replace;
};

/* What is signed must be what a device would accept; nobody should sign a broken manifest. */
static int sign_envelope(const struct sign_args *a, struct lsuit_bytes doc)
{
    int32_t alg = a->es256 ? LSUIT_ALG_ES256 : LSUIT_ALG_ESP256;
    uint8_t tbs[256], sig[LSUIT_ES256_LEN], point[LSUIT_P256_POINT_LEN], *buf = NULL;
    struct lsuit_bytes tbs_doc, signed_doc;
    struct lsuit_envelope env;
    int e = envelope_accept(doc, "envelope");

    for (size_t i = 0; i < a->payloads.n && e == CLI_OK; i++)
        e = envelope_installs(doc, a->payloads.item[i]);
    if (e == CLI_OK)
        e = envelope_open(doc, &env);
    if (e != CLI_OK)
        return e;
    if (lsuit_cose_tbs(alg, (struct lsuit_bytes){ tbs, 0 }, env.digest_bytes, tbs, sizeof tbs,
                       &tbs_doc) != LSUIT_OK)
        return cli_fail("the bytes to be signed are too long");
    if (a->signer.tbs_out != NULL)
        return file_write(a->signer.tbs_out, tbs_doc, 0644, a->replace);
    e = signer_sign(&a->signer, alg, tbs_doc, sig, point);
    if (e != CLI_OK)
        return e;
    buf = malloc(doc.len + 256);
    if (buf == NULL)
        return cli_fail("out of memory");
    e = envelope_add_signature(&env, alg, point, sig, buf, doc.len + 256, &signed_doc);
    if (e == CLI_OK)
        e = file_write(a->out, signed_doc, 0644, a->replace);
    free(buf);
    return e;
}

static int manifest_sign(int argc, char **argv)
{
    struct sign_args a = { 0 };
    const char *pos[2] = { NULL, NULL };
    size_t n = 0, pos_n = 0;
    uint8_t *bytes;
    struct opt opts[] = { SIGNER_OPTS(&a.signer),
                          { "es256", OPT_FLAG, &a.es256, NULL,
                            "algorithm -7 instead of -9, for foreign devices", false },
                          { "payload", OPT_LIST, &a.payloads, "FILE",
                            "sign only if this is what it installs; more than once", false },
                          { "replace", OPT_FLAG, &a.replace, NULL, "replace what exists", false },
                          OPT_END };
    int e = opts_parse(&VERBS[1], argc, argv, opts, pos, 1, 2, &pos_n);

    if (e != CLI_OK)
        return e;
    e = signer_check(&a.signer, pos_n == 2);
    if (e != CLI_OK)
        return e;
    a.out = pos[1];
    bytes = file_read(pos[0], ENVELOPE_FILE_MAX, &n);
    if (bytes == NULL)
        return CLI_FAILED;
    e = sign_envelope(&a, (struct lsuit_bytes){ bytes, n });
    free(bytes);
    return e;
}

/* --- verify, show --------------------------------------------------------------------------- */

static int manifest_verify(int argc, char **argv)
{
    static struct trust_doc set;
    const char *pos[1], *trust = NULL;
    struct opt_list keys = { { NULL }, 0 };
    uint64_t threshold = 1;
    bool any_device = false, any_uri = false, json = false;
    uint32_t policy;
    size_t n = 0;
    uint8_t *bytes;
    struct opt opts[] = {
        { "key", OPT_LIST, &keys, "FILE", "a key that may have signed; more than once", false },
        { "threshold", OPT_UINT, &threshold, "N", "how many of them must have", false },
        { "trust", OPT_TEXT, &trust, "SET", "a trust set, whose keys and thresholds count", false },
        { "any-device", OPT_FLAG, &any_device, NULL, "don't insist on vendor and class", false },
        { "absolute", OPT_FLAG, &any_uri, NULL, "don't insist on lapel's two forms of URI", false },
        { "json", OPT_FLAG, &json, NULL, "the verdict as one JSON object", false },
        OPT_END
    };
    int e = opts_parse(&VERBS[2], argc, argv, opts, pos, 1, 1, NULL);

    if (e != CLI_OK)
        return e;
    if ((keys.n == 0) == (trust == NULL))
        return cli_usage("verify: give --key with the public key, or --trust with a trust set");
    if (trust != NULL && opts[1].given)
        return cli_usage("--threshold: stands in the trust set");
    if (trust == NULL && (threshold == 0 || threshold > keys.n))
        return cli_usage("--threshold: must be 1 to the number of keys");
    if (trust != NULL && trust_doc_load(trust, &set) != CLI_OK)
        return CLI_FAILED;
    bytes = file_read(pos[0], ENVELOPE_FILE_MAX, &n);
    if (bytes == NULL)
        return CLI_FAILED;
    policy = (any_device ? 0 : LSUIT_CHECK_IDENTITY) | (any_uri ? 0 : LSUIT_CHECK_LAPEL_URI);
    e = trust != NULL
            ? envelope_verify_trust((struct lsuit_bytes){ bytes, n }, &set.set, policy, json)
            : envelope_verify((struct lsuit_bytes){ bytes, n }, &keys, (uint32_t)threshold, policy,
                              json);
    free(bytes);
    return e;
}

static int manifest_show(int argc, char **argv)
{
    const char *pos[1];
    bool diag = false, json = false;
    size_t n = 0;
    uint8_t *bytes;
    struct opt opts[] = { { "diag", OPT_FLAG, &diag, NULL,
                            "CBOR diagnostic notation (RFC 8949, section 8)", false },
                          { "json", OPT_FLAG, &json, NULL, "the facts, for programs", false },
                          OPT_END };
    int e = opts_parse(&VERBS[3], argc, argv, opts, pos, 1, 1, NULL);

    if (e != CLI_OK)
        return e;
    if (diag && json)
        return cli_usage("show: give --diag or --json, not both");
    bytes = file_read(pos[0], ENVELOPE_FILE_MAX, &n);
    if (bytes == NULL)
        return CLI_FAILED;
    if (diag)
        e = show_diag((struct lsuit_bytes){ bytes, n });
    else if (json)
        e = show_json((struct lsuit_bytes){ bytes, n });
    else
        e = show_tree((struct lsuit_bytes){ bytes, n });
    free(bytes);
    return e;
}

static int manifest_sever(int argc, char **argv)
{
    const char *pos[2];
    bool replace = false;
    size_t n = 0;
    uint8_t *bytes, *buf = NULL;
    struct lsuit_bytes doc;
    struct opt opts[] = {
        { "replace", OPT_FLAG, &replace, NULL, "replace OUT when it exists", false }, OPT_END
    };
    int e = opts_parse(&VERBS[4], argc, argv, opts, pos, 2, 2, NULL);

    if (e != CLI_OK)
        return e;
    bytes = file_read(pos[0], ENVELOPE_FILE_MAX, &n);
    if (bytes == NULL)
        return CLI_FAILED;
    buf = malloc(n + 1);
    e = buf != NULL ? envelope_sever((struct lsuit_bytes){ bytes, n }, buf, n, &doc)
                    : cli_fail("out of memory");
    if (e == CLI_OK)
        e = file_write(pos[1], doc, 0644, replace);
    free(buf);
    free(bytes);
    return e;
}

/* --- run ------------------------------------------------------------------------------------ */

struct run_args {
    struct opt_list keys, vendor, class, device, holds, versions;
    const char *domain, *model, *procedure;
    uint64_t slot, sequence;
    bool dry, json;
};

/* Identifiers: UUIDs, with or without hyphens. */
static int read_ids(const char *option, const struct opt_list *list, struct rehearse_ids *ids)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *text = list->item[i];

        if (ids->n == REHEARSE_IDS)
            return cli_usage("--%s: at most %d", option, REHEARSE_IDS);
        if (lsuit_uuid_parse((struct lsuit_bytes){ (const uint8_t *)text, strlen(text) },
                             ids->id[ids->n]) != LSUIT_OK &&
            !(strlen(text) == 32 && hex_get(text, ids->id[ids->n], 16)))
            return cli_usage("--%s: %s is no UUID", option, text);
        ids->n++;
    }
    return CLI_OK;
}

/* Vendor and class as a template makes them. */
static int add_identity(const struct run_args *a, struct rehearse_device *d)
{
    struct lsuit_bytes domain = { (const uint8_t *)a->domain, strlen(a->domain) };
    struct lsuit_bytes model = { (const uint8_t *)a->model, strlen(a->model) };

    if (d->vendor.n == REHEARSE_IDS || d->class.n == REHEARSE_IDS)
        return cli_usage("run: too many identifiers");
    if (lsuit_uuid_vendor(domain, d->vendor.id[d->vendor.n]) != LSUIT_OK ||
        lsuit_uuid_class(d->vendor.id[d->vendor.n], model, d->class.id[d->class.n]) != LSUIT_OK)
        return cli_fail("UUIDv5 is not available");
    d->vendor.n++;
    d->class.n++;
    return CLI_OK;
}

static int read_device(const struct run_args *a, struct rehearse_device *d)
{
    int e = read_ids("vendor-id", &a->vendor, &d->vendor);

    if (e == CLI_OK)
        e = read_ids("class-id", &a->class, &d->class);
    if (e == CLI_OK)
        e = read_ids("device-id", &a->device, &d->device);
    if (e == CLI_OK && (a->domain == NULL) != (a->model == NULL))
        e = cli_usage("run: --vendor-domain and --model go together");
    if (e == CLI_OK && a->domain != NULL)
        e = add_identity(a, d);
    if (e == CLI_OK && (d->vendor.n == 0 || d->class.n == 0))
        e = cli_usage("run: who is the device? give --vendor-domain and --model, or --vendor-id "
                      "and --class-id");
    for (size_t i = 0; i < a->holds.n && e == CLI_OK; i++)
        e = rehearse_holds(d, a->holds.item[i]);
    for (size_t i = 0; i < a->versions.n && e == CLI_OK; i++)
        e = rehearse_version(d, a->versions.item[i]);
    if (e == CLI_OK)
        e = envelope_keys_read(&a->keys, &d->keys);
    d->slot = a->slot;
    d->sequence = a->sequence;
    return e;
}

static int read_procedure(const char *name, enum lsuit_procedure *procedure_out)
{
    static const char *const NAMES[] = { [LSUIT_PROCEDURE_UPDATE] = "update",
                                         [LSUIT_PROCEDURE_INVOKE] = "invoke",
                                         [LSUIT_PROCEDURE_VALIDATE] = "validate",
                                         [LSUIT_PROCEDURE_UNINSTALL] = "uninstall" };

    for (int i = LSUIT_PROCEDURE_UPDATE; i <= LSUIT_PROCEDURE_UNINSTALL; i++)
        if (strcmp(name, NAMES[i]) == 0) {
            *procedure_out = (enum lsuit_procedure)i;
            return CLI_OK;
        }
    return cli_usage("--procedure: must be update, invoke, validate or uninstall");
}

/* Signatures are checked where there is a key; the rest always. */
static int run_envelope(const struct run_args *a, struct lsuit_bytes doc,
                        const struct rehearse_device *device, enum lsuit_procedure procedure)
{
    struct lsuit_auth auth = { 0 };
    struct lsuit_envelope env;
    struct lsuit_manifest m;
    int e = device->keys.n > 0 ? envelope_verified(doc, &device->keys, 1, 0, &env, &m, &auth)
                               : envelope_examined(doc, "envelope", 0, &env, &m);

    return e == CLI_OK ? rehearse_run(device, &m, procedure, a->json) : e;
}

static int manifest_run(int argc, char **argv)
{
    static struct rehearse_device device;
    struct run_args a = { .procedure = "update" };
    enum lsuit_procedure procedure = LSUIT_PROCEDURE_UPDATE;
    const char *pos[1];
    size_t n = 0;
    uint8_t *bytes;
    struct opt opts[] = {
        { "dry", OPT_FLAG, &a.dry, NULL, "must be given: a computer is no device", false },
        { "vendor-domain", OPT_TEXT, &a.domain, "NAME", "the device's vendor", false },
        { "model", OPT_TEXT, &a.model, "NAME", "and model, as in a template", false },
        { "vendor-id", OPT_LIST, &a.vendor, "UUID", "in their place; more than once", false },
        { "class-id", OPT_LIST, &a.class, "UUID", "likewise", false },
        { "device-id", OPT_LIST, &a.device, "UUID", "the device itself; more than once", false },
        { "slot", OPT_UINT, &a.slot, "N", "that an update writes; 0 unless given", false },
        { "sequence", OPT_UINT, &a.sequence, "N", "number that it has accepted", false },
        { "holds", OPT_LIST, &a.holds, "ID=FILE", "what a component holds, or ID=DIGEST:SIZE",
          false },
        { "version", OPT_LIST, &a.versions, "ID=1.2.3", "version of what a component holds",
          false },
        { "time", OPT_UINT, &device.time_s, "N", "seconds since 1970; else no clock", false },
        { "battery", OPT_UINT, &device.battery_mwh, "N", "mWh; else no gauge", false },
        { "authorize", OPT_FLAG, &device.authorizes, NULL, "somebody says yes when asked", false },
        { "procedure", OPT_TEXT, &a.procedure, "NAME", "update, invoke, validate or uninstall",
          false },
        { "key", OPT_LIST, &a.keys, "FILE", "who may sign; without, signatures don't count",
          false },
        { "json", OPT_FLAG, &a.json, NULL, "one JSON object", false },
        OPT_END
    };
    int e = opts_parse(&VERBS[5], argc, argv, opts, pos, 1, 1, NULL);

    if (e != CLI_OK)
        return e;
    for (size_t i = 0; opts[i].name != NULL; i++) {
        device.has_time = device.has_time || (opts[i].to == &device.time_s && opts[i].given);
        device.has_battery =
            device.has_battery || (opts[i].to == &device.battery_mwh && opts[i].given);
    }
    if (!a.dry)
        return cli_usage("run: only --dry is there; lapel-agent is what installs");
    e = read_procedure(a.procedure, &procedure);
    if (e == CLI_OK)
        e = read_device(&a, &device);
    if (e != CLI_OK)
        return e;
    bytes = file_read(pos[0], ENVELOPE_FILE_MAX, &n);
    if (bytes == NULL)
        return CLI_FAILED;
    e = run_envelope(&a, (struct lsuit_bytes){ bytes, n }, &device, procedure);
    free(bytes);
    return e;
}

int cmd_manifest(int argc, char **argv)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return cli_fail("the crypto library does not start");
    return verbs_run("manifest", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
