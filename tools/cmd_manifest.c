/*
 * lapel manifest: make, sign, check and explain SUIT manifests. No server is needed.
 */
#include <inttypes.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd.h"
#include "envelope.h"
#include "pem.h"
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

/* clang-format off */
static const struct verb VERBS[] = {
  { "create", "TEMPLATE OUT",  "make an unsigned envelope from a JSON template and its payloads", manifest_create },
  { "sign",   "ENVELOPE OUT",  "add a signature; or --tbs-out, then --signature, for an HSM",     manifest_sign },
  { "verify", "ENVELOPE",      "check signatures and every command, as a device would",           manifest_verify },
  { "show",   "ENVELOPE",      "explain any envelope, also a broken or an old one",               manifest_show },
  { "sever",  "ENVELOPE OUT",  "leave the text out; signatures stay good",                        manifest_sever },
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

static int write_created(const struct template *t, const char *out, bool inline_text, bool replace)
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
        printf("%s: sequence %" PRIu64 ", %zu bytes, not signed yet\n", out, t->sequence, doc.len);
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
    struct opt opts[] = {
        { "sequence", OPT_UINT, &number, "N", "sequence number; overrides the template's", false },
        { "after", OPT_UINT, &last, "N", "number of the release before; N + 16 is the default",
          false },
        { "force", OPT_FLAG, &force, NULL, "allow a jump above 2^20", false },
        { "replace", OPT_FLAG, &replace, NULL, "replace OUT when it exists", false },
        { "absolute", OPT_FLAG, &absolute, NULL, "keep URIs as the template gives them", false },
        { "no-priority", OPT_FLAG, &no_priority, NULL,
          "leave update-priority out, for devices that refuse it", false },
        { "inline-text", OPT_FLAG, &inline_text, NULL, "text inside the manifest, not severable",
          false },
        OPT_END
    };
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 2, 2, NULL);

    if (e == CLI_OK)
        e = template_read(pos[0], &t);
    if (e == CLI_OK)
        e = settle_sequence(&t, &opts[0], number, &opts[1], last, force);
    if (e == CLI_OK)
        e = template_measure(&t, absolute);
    if (e != CLI_OK)
        return e;
    if (no_priority)
        t.has_priority = false;
    return write_created(&t, pos[1], inline_text, replace);
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
    bool any_device = false, any_uri = false;
    uint32_t policy;
    size_t n = 0;
    uint8_t *bytes;
    struct opt opts[] = {
        { "key", OPT_LIST, &keys, "FILE", "a key that may have signed; more than once", false },
        { "threshold", OPT_UINT, &threshold, "N", "how many of them must have", false },
        { "trust", OPT_TEXT, &trust, "SET", "a trust set, whose keys and thresholds count", false },
        { "any-device", OPT_FLAG, &any_device, NULL, "don't insist on vendor and class", false },
        { "absolute", OPT_FLAG, &any_uri, NULL, "don't insist on lapel's two forms of URI", false },
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
            ? envelope_verify_trust((struct lsuit_bytes){ bytes, n }, &set.set, policy)
            : envelope_verify((struct lsuit_bytes){ bytes, n }, &keys, (uint32_t)threshold, policy);
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

int cmd_manifest(int argc, char **argv)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return cli_fail("the crypto library does not start");
    return verbs_run("manifest", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
