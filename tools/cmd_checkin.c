/*
 * lapel checkin: make a check-in by hand and read the documents of the device interface, so that
 * curl alone can walk it (manifests/SPEC.md).
 */
#include <inttypes.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd.h"
#include "lsuit/cbor.h"
#include "lsuit/checkin.h"
#include "lsuit/receipt.h"
#include "lsuit/report.h"
#include "lsuit/statement.h"
#include "lsuit/trust.h"
#include "lsuit/uuid.h"

#define DOC_MAX 8192

static int checkin_make(int argc, char **argv);
static int checkin_show(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "make", "OUT",  "write a check-in; - is standard output",                checkin_make },
  { "show", "FILE", "name every key of a document of the device interface", checkin_show },
};
/* clang-format on */

/* --- make ----------------------------------------------------------------------------------- */

struct make_args {
    const char *product, *device, *model, *hardware, *vendor_domain, *vendor_id, *class_id, *digest,
        *state, *attempt;
    uint64_t sequence, stage, class_;
};

/* 32 hex digits, dashes as in a UUID allowed. */
static bool uuid_get(const char *text, uint8_t out[16])
{
    char hex[33];
    size_t n = 0;

    for (; *text != '\0'; text++) {
        if (*text == '-')
            continue;
        if (n == 32)
            return false;
        hex[n++] = *text;
    }
    hex[n] = '\0';
    return hex_get(hex, out, 16);
}

static struct lsuit_bytes text_of(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, s != NULL ? strlen(s) : 0 };
}

static int ids_of(const struct make_args *a, uint8_t vendor[16], uint8_t class_id[16])
{
    if ((a->vendor_domain != NULL) == (a->vendor_id != NULL))
        return cli_usage("make: give --vendor-domain or --vendor-id, one of them");
    if (a->vendor_id != NULL && !uuid_get(a->vendor_id, vendor))
        return cli_usage("--vendor-id: '%s' is no UUID", a->vendor_id);
    if (a->vendor_domain != NULL &&
        lsuit_uuid_vendor(text_of(a->vendor_domain), vendor) != LSUIT_OK)
        return cli_fail("UUIDv5 is not available");
    if (a->class_id != NULL)
        return uuid_get(a->class_id, class_id)
                   ? CLI_OK
                   : cli_usage("--class-id: '%s' is no UUID", a->class_id);
    return lsuit_uuid_class(vendor, text_of(a->model), class_id) == LSUIT_OK
               ? CLI_OK
               : cli_fail("UUIDv5 is not available");
}

static int state_of(const char *word, uint32_t *out)
{
    static const char *const WORDS[] = { "confirmed", "trial", "reverted" };

    for (uint32_t i = 0; i < 3; i++)
        if (strcmp(word, WORDS[i]) == 0) {
            *out = i + 1;
            return CLI_OK;
        }
    return cli_usage("--state: '%s' is none of confirmed, trial, reverted", word);
}

static int make(const struct make_args *a, const char *out)
{
    uint8_t vendor[16], class_id[16], digest[32], attempt[8], buf[DOC_MAX];
    struct lsuit_checkin in = { 0 };
    struct lsuit_bytes doc;
    enum lsuit_err le;
    int e = ids_of(a, vendor, class_id);

    in.product = text_of(a->product);
    in.model = text_of(a->model);
    if (a->device != NULL)
        in.device_id = text_of(a->device);
    if (a->hardware != NULL)
        in.hw_revision = text_of(a->hardware);
    in.running_n = 1;
    in.running[0].space.vendor_id = (struct lsuit_bytes){ vendor, 16 };
    in.running[0].space.class_id = (struct lsuit_bytes){ class_id, 16 };
    in.running[0].sequence = a->sequence;
    in.running[0].state = LSUIT_RUNNING_CONFIRMED;
    if (e == CLI_OK && a->state != NULL)
        e = state_of(a->state, &in.running[0].state);
    if (e == CLI_OK && a->digest != NULL) {
        if (!hex_get(a->digest, digest, sizeof digest))
            e = cli_usage("--digest: must be 64 hex digits");
        in.running[0].digest = (struct lsuit_bytes){ digest, sizeof digest };
    }
    if (e == CLI_OK && a->attempt != NULL) {
        if (!hex_get(a->attempt, attempt, sizeof attempt))
            e = cli_usage("--attempt: must be 16 hex digits");
        in.has_attempt = true;
        in.attempt.id = (struct lsuit_bytes){ attempt, sizeof attempt };
        in.attempt.stage = (uint32_t)a->stage;
        in.attempt.class_ = (uint32_t)a->class_;
    }
    if (e != CLI_OK)
        return e;
    le = lsuit_checkin_write(&in, buf, sizeof buf, &doc);
    if (le != LSUIT_OK)
        return cli_fail("make: the values don't fit a check-in: %s (product, device, model: 1 to "
                        "64 bytes; --digest goes with --sequence)",
                        lsuit_err_name(le));
    return file_write(out, doc, 0644, true);
}

static int checkin_make(int argc, char **argv)
{
    struct make_args a = { 0 };
    const char *pos[1];
    struct opt opts[] = {
        { "product", OPT_TEXT, &a.product, "NAME", "product", false },
        { "device", OPT_TEXT, &a.device, "ID", "device id; without it anonymous", false },
        { "model", OPT_TEXT, &a.model, "TEXT", "model designation", false },
        { "hardware", OPT_TEXT, &a.hardware, "TEXT", "hardware revision", false },
        { "vendor-domain", OPT_TEXT, &a.vendor_domain, "NAME", "gives vendor and class id", false },
        { "vendor-id", OPT_TEXT, &a.vendor_id, "UUID", "vendor id", false },
        { "class-id", OPT_TEXT, &a.class_id, "UUID", "class id; else from the model", false },
        { "sequence", OPT_UINT, &a.sequence, "N", "what it runs; 0: nothing accepted yet", false },
        { "digest", OPT_TEXT, &a.digest, "HEX", "SUIT manifest digest of that", false },
        { "state", OPT_TEXT, &a.state, "WORD", "confirmed, trial or reverted", false },
        { "attempt", OPT_TEXT, &a.attempt, "HEX", "id of the last attempt", false },
        { "stage", OPT_UINT, &a.stage, "N", "how far it came", false },
        { "class", OPT_UINT, &a.class_, "N", "why it ended", false },
        { NULL, OPT_FLAG, NULL, NULL, NULL, false }
    };
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e != CLI_OK)
        return e;
    if (a.product == NULL || a.model == NULL)
        return cli_usage("make: --%s is missing", a.product == NULL ? "product" : "model");
    if (a.stage > UINT32_MAX || a.class_ > UINT32_MAX)
        return cli_usage("--%s: too large", a.stage > UINT32_MAX ? "stage" : "class");
    return make(&a, pos[0]);
}

/* --- show ----------------------------------------------------------------------------------- */

static const struct kind {
    const char *name;
    enum lsuit_map map;
} KINDS[] = { { "checkin", LSUIT_MAP_CHECKIN }, { "answer", LSUIT_MAP_ANSWER },
              { "report", LSUIT_MAP_REPORT },   { "statement", LSUIT_MAP_STATEMENT },
              { "trust", LSUIT_MAP_TRUST },     { "trust-document", LSUIT_MAP_TRUST_DOC },
              { "receipt", LSUIT_MAP_RECEIPT } };

/* The map that stands under a key of another one. */
static enum lsuit_map map_under(enum lsuit_map map, int64_t key)
{
    static const struct {
        enum lsuit_map map;
        int64_t key;
        enum lsuit_map inner;
    } UNDER[] = {
        { LSUIT_MAP_CHECKIN, LSUIT_CHECKIN_RUNNING, LSUIT_MAP_RUNNING },
        { LSUIT_MAP_CHECKIN, LSUIT_CHECKIN_ATTEMPT, LSUIT_MAP_ATTEMPT },
        { LSUIT_MAP_CHECKIN, LSUIT_CHECKIN_CAPABILITY, LSUIT_MAP_CAPABILITY },
        { LSUIT_MAP_CHECKIN, LSUIT_CHECKIN_EVENTS, LSUIT_MAP_EVENT },
        { LSUIT_MAP_CHECKIN, LSUIT_CHECKIN_FAULT, LSUIT_MAP_FAULT },
        { LSUIT_MAP_CHECKIN, LSUIT_CHECKIN_USER, LSUIT_MAP_USER },
        { LSUIT_MAP_ANSWER, LSUIT_ANSWER_VERDICTS, LSUIT_MAP_VERDICT },
        { LSUIT_MAP_REPORT, LSUIT_REPORT_ATTEMPT, LSUIT_MAP_ATTEMPT },
        { LSUIT_MAP_REPORT, LSUIT_REPORT_EVENTS, LSUIT_MAP_EVENT },
        { LSUIT_MAP_REPORT, LSUIT_REPORT_FAULT, LSUIT_MAP_FAULT },
        { LSUIT_MAP_REPORT, LSUIT_REPORT_SPACE, LSUIT_MAP_SPACE },
        { LSUIT_MAP_STATEMENT, LSUIT_STATEMENT_RELEASES, LSUIT_MAP_RELEASE },
        { LSUIT_MAP_STATEMENT, LSUIT_STATEMENT_SUPPORT, LSUIT_MAP_SUPPORT },
        { LSUIT_MAP_TRUST, LSUIT_TRUST_ROLE_LIST, LSUIT_MAP_ROLE },
        { LSUIT_MAP_ROLE, LSUIT_ROLE_KEYS, LSUIT_MAP_KEY },
        { LSUIT_MAP_TRUST, LSUIT_TRUST_ANCHOR_LIST, LSUIT_MAP_ANCHOR },
    };

    for (size_t i = 0; i < sizeof UNDER / sizeof UNDER[0]; i++)
        if (UNDER[i].map == map && UNDER[i].key == key)
            return UNDER[i].inner;
    return LSUIT_MAP_N;
}

static void print_string(enum lsuit_cbor_type type, struct lsuit_bytes s)
{
    if (type == LSUIT_CBOR_TSTR) {
        putchar('"');
        put_safe(stdout, s.ptr, s.len, "\"\\");
        putchar('"');
        return;
    }
    printf("h'");
    for (size_t i = 0; i < s.len; i++)
        printf("%02x", s.ptr[i]);
    printf("'");
}

static void print_item(struct lsuit_cbor *c)
{
    enum lsuit_cbor_type type = lsuit_cbor_peek(c);

    switch (type) {
    case LSUIT_CBOR_UINT:
        printf("%" PRIu64, lsuit_cbor_uint(c));
        break;
    case LSUIT_CBOR_NINT:
        printf("%" PRId64, lsuit_cbor_int(c));
        break;
    case LSUIT_CBOR_BSTR:
        print_string(type, lsuit_cbor_bstr(c));
        break;
    case LSUIT_CBOR_TSTR:
        print_string(type, lsuit_cbor_tstr(c));
        break;
    default:
        print_string(LSUIT_CBOR_BSTR, lsuit_cbor_item(c));
    }
}

static void print_simple(struct lsuit_cbor *c)
{
    struct lsuit_bytes raw = lsuit_cbor_item(c);

    if (raw.len == 1 && (raw.ptr[0] == 0xf4 || raw.ptr[0] == 0xf5))
        printf(raw.ptr[0] == 0xf5 ? "true" : "false");
    else
        print_string(LSUIT_CBOR_BSTR, raw);
}

static void show_map(struct lsuit_cbor *c, enum lsuit_map map, unsigned depth);

/* The cursor bounds the depth of its input, so this ends. */
static void show_value(struct lsuit_cbor *c, enum lsuit_map map, unsigned depth)
{
    switch (lsuit_cbor_peek(c)) {
    case LSUIT_CBOR_MAP:
        putchar('\n');
        show_map(c, map, depth + 1);
        return;
    case LSUIT_CBOR_ARRAY:
        putchar('\n');
        lsuit_cbor_array(c);
        while (lsuit_cbor_next(c)) {
            printf("%*s-", (int)(2 * depth + 2), "");
            show_value(c, map, depth + 1);
        }
        return;
    case LSUIT_CBOR_SIMPLE:
        putchar(' ');
        print_simple(c);
        break;
    default:
        putchar(' ');
        print_item(c);
    }
    putchar('\n');
}

static void show_map(struct lsuit_cbor *c, enum lsuit_map map, unsigned depth)
{
    int64_t key = 0;

    lsuit_cbor_map(c);
    while (lsuit_cbor_next_key(c, &key)) {
        const char *name = map < LSUIT_MAP_N ? lsuit_key_name(map, key) : NULL;

        printf("%*s%" PRId64 " %s:", (int)(2 * depth), "", key,
               name != NULL ? name : "(unknown key)");
        show_value(c, map < LSUIT_MAP_N ? map_under(map, key) : LSUIT_MAP_N, depth);
    }
}

/*
 * Which document it is, by the types of its first keys.
 *
 *   key 1   key 2    key 3    document
 *   text    any      map      report
 *   text    any      array    receipt
 *   text    any      other    check-in
 *   bytes   array             trust set with its signatures
 *   bytes   other             statement
 *   number                    trust set, bare
 *   other                     answer
 */
static enum lsuit_map guess(struct lsuit_bytes doc)
{
    struct lsuit_cbor c = lsuit_cbor_open(doc);
    enum lsuit_cbor_type type[4] = { LSUIT_CBOR_END, LSUIT_CBOR_END, LSUIT_CBOR_END,
                                     LSUIT_CBOR_END };
    int64_t key = 0;

    lsuit_cbor_map(&c);
    while (lsuit_cbor_next_key(&c, &key) && key <= 3) {
        if (key >= 0)
            type[key] = lsuit_cbor_peek(&c);
        lsuit_cbor_item(&c);
    }
    switch (type[1]) {
    case LSUIT_CBOR_TSTR:
        return type[3] == LSUIT_CBOR_MAP     ? LSUIT_MAP_REPORT
               : type[3] == LSUIT_CBOR_ARRAY ? LSUIT_MAP_RECEIPT
                                             : LSUIT_MAP_CHECKIN;
    case LSUIT_CBOR_BSTR:
        return type[2] == LSUIT_CBOR_ARRAY ? LSUIT_MAP_TRUST_DOC : LSUIT_MAP_STATEMENT;
    case LSUIT_CBOR_UINT:
        return LSUIT_MAP_TRUST;
    default:
        return LSUIT_MAP_ANSWER;
    }
}

/* The strict reader's word over the same bytes. */
static int judge(enum lsuit_map map, struct lsuit_bytes doc)
{
    static union {
        struct lsuit_checkin checkin;
        struct lsuit_answer answer;
        struct lsuit_report report;
        struct lsuit_statement statement;
        struct lsuit_trust trust;
        struct lsuit_trust_doc trust_doc;
        struct lsuit_receipt receipt;
    } out;
    struct lsuit_fault fault = { .component = -1 };
    enum lsuit_err e = LSUIT_OK;

    if (map == LSUIT_MAP_CHECKIN)
        e = lsuit_checkin_read(doc, &out.checkin, &fault);
    else if (map == LSUIT_MAP_ANSWER)
        e = lsuit_answer_read(doc, &out.answer, &fault);
    else if (map == LSUIT_MAP_REPORT)
        e = lsuit_report_read(doc, &out.report, &fault);
    else if (map == LSUIT_MAP_STATEMENT)
        e = lsuit_statement_read(doc, &out.statement, &fault);
    else if (map == LSUIT_MAP_TRUST)
        e = lsuit_trust_read(doc, &out.trust, &fault);
    else if (map == LSUIT_MAP_TRUST_DOC)
        e = lsuit_trust_doc_read(doc, &out.trust_doc, &fault);
    else if (map == LSUIT_MAP_RECEIPT)
        e = lsuit_receipt_read(doc, &out.receipt, &fault);
    return e == LSUIT_OK ? CLI_OK : cli_fault("document", e, &fault);
}

static int checkin_show(int argc, char **argv)
{
    const char *pos[1], *as = NULL;
    struct opt opts[] = { { "as", OPT_TEXT, &as, "KIND",
                            "checkin, answer, report, statement, trust, trust-document or receipt",
                            false },
                          { NULL, OPT_FLAG, NULL, NULL, NULL, false } };
    struct lsuit_bytes doc, payload;
    enum lsuit_map map = LSUIT_MAP_N;
    struct lsuit_cbor c;
    uint8_t *bytes;
    size_t n = 0;
    int e = opts_parse(&VERBS[1], argc, argv, opts, pos, 1, 1, NULL);

    if (e != CLI_OK)
        return e;
    for (size_t i = 0; as != NULL && i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (strcmp(as, KINDS[i].name) == 0)
            map = KINDS[i].map;
    if (as != NULL && map == LSUIT_MAP_N)
        return cli_usage("--as: '%s' is no kind of document", as);
    bytes = file_read(pos[0], DOC_MAX, &n);
    if (bytes == NULL)
        return CLI_FAILED;
    doc = (struct lsuit_bytes){ bytes, n };
    if (lsuit_doc_is_signed(doc) && lsuit_doc_peek(doc, &payload) == LSUIT_OK) {
        printf("signed; the signature is not checked here\n");
        doc = payload;
    }
    if (map == LSUIT_MAP_N)
        map = guess(doc);
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (KINDS[i].map == map)
            printf("%s\n", KINDS[i].name);
    c = lsuit_cbor_open(doc);
    show_map(&c, map, 1);
    e = judge(map, doc); /* before the cursor's word, since it names the key */
    if (e == CLI_OK && lsuit_cbor_finish(&c) != LSUIT_OK)
        e = cli_fail("%s: stops at byte %zu: not the CBOR of this document", pos[0],
                     (size_t)(c.p - c.begin));
    free(bytes);
    return e;
}

int cmd_checkin(int argc, char **argv)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return cli_fail("the crypto library does not start");
    return verbs_run("checkin", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
