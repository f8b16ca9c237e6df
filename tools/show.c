/*
 * Explains an envelope from its CBOR tree. libcbor reads it, since it takes any well-formed
 * CBOR; the strict reader then gives the verdict.
 */
#include "show.h"

#include <cbor.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "lsuit/crypto.h"
#include "lsuit/suit.h"

#define DEPTH_MAX 24
/* Items of CBOR that are looked at: libcbor takes some 100 bytes for each. */
#define ITEMS_MAX 1000000
/* Byte strings longer than this are cut in the tree. */
#define BYTES_SHOWN 40

/* What a map or array means, so that its keys can be named. */
enum context {
    IN_NOTHING,
    IN_ENVELOPE,
    IN_AUTH,
    IN_DIGEST,
    IN_COSE,
    IN_MANIFEST,
    IN_COMMON,
    IN_SEQUENCE,
    IN_ALTERNATIVES,
    IN_PARAMETERS,
    IN_TEXT,
    IN_LANGUAGE,
    IN_TEXT_COMPONENT,
    IN_DEPENDENCIES, /* component index: IN_DEPENDENCY */
    IN_DEPENDENCY,
    IN_HEADER,     /* of COSE */
    IN_SIGNATURES, /* or recipients */
    IN_REPORT
};

static void indent(unsigned depth)
{
    printf("%*s", (int)(2 * depth), "");
}

static void print_text(const unsigned char *s, size_t n)
{
    putchar('"');
    put_safe(stdout, s, n, "\"\\");
    putchar('"');
}

static void print_bytes(const unsigned char *s, size_t n, size_t shown)
{
    printf("h'");
    for (size_t i = 0; i < n && i < shown; i++)
        printf("%02x", s[i]);
    printf(n > shown ? "...' (%zu bytes)" : "'", n);
}

static bool is_int(const cbor_item_t *item)
{
    return cbor_isa_uint(item) || cbor_isa_negint(item);
}

/* Any CBOR integer as int64; those outside are clipped, which names nothing. */
static int64_t int_of(const cbor_item_t *item)
{
    uint64_t v = cbor_get_int(item);

    if (v > INT64_MAX)
        v = INT64_MAX;
    return cbor_isa_uint(item) ? (int64_t)v : -1 - (int64_t)v;
}

static void print_int(const cbor_item_t *item)
{
    uint64_t v = cbor_get_int(item);

    if (cbor_isa_uint(item))
        printf("%" PRIu64, v);
    else if (v == UINT64_MAX)
        printf("-18446744073709551616");
    else
        printf("-%" PRIu64, v + 1);
}

/*
 * libcbor makes room for as many items as a head claims. So no head may claim more than there
 * are bytes left, and there is an end to their number: one pass over all heads, whatever their
 * nesting.
 */
static bool plausible(const unsigned char *p, size_t n)
{
    for (size_t items = 0; n > 0; items++) {
        unsigned major = p[0] >> 5, low = p[0] & 31;
        size_t follow = low == 24 ? 1 : low == 25 ? 2 : low == 26 ? 4 : low == 27 ? 8 : 0;
        uint64_t v = low < 24 ? low : 0;

        if (n - 1 < follow || items > ITEMS_MAX)
            return false;
        for (size_t i = 0; i < follow; i++)
            v = v << 8 | p[1 + i];
        p += 1 + follow;
        n -= 1 + follow;
        if (major < 2 || major > 5)
            continue;
        if (v > n)
            return false;
        if (major == 2 || major == 3) {
            p += v;
            n -= (size_t)v;
        }
    }
    return true;
}

static cbor_item_t *load_part(const unsigned char *p, size_t n, struct cbor_load_result *r)
{
    memset(r, 0, sizeof *r);
    return plausible(p, n) ? cbor_load(p, n, r) : NULL;
}

/*
 * A byte string that holds exactly one item; NULL when it doesn't. cbor_decref the answer.
 *
 *   tag_out  a tag of 6 to 20 before the item, which libcbor 0.8 does not read; else 0
 */
static cbor_item_t *inner(const cbor_item_t *bstr, unsigned *tag_out)
{
    struct cbor_load_result r;
    cbor_item_t *item;
    const unsigned char *p;
    size_t n;

    *tag_out = 0;
    if (!cbor_bytestring_is_definite(bstr) || cbor_bytestring_length(bstr) == 0)
        return NULL;
    p = cbor_bytestring_handle(bstr);
    n = cbor_bytestring_length(bstr);
    if (p[0] >= 0xc6 && p[0] <= 0xd4 && n > 1) {
        *tag_out = p[0] & 0x1f;
        p++;
        n--;
    }
    item = load_part(p, n, &r);
    if (item != NULL && r.read != n)
        cbor_decref(&item);
    return item;
}

/* --- diagnostic notation ------------------------------------------------------------------ */

static void diag(const cbor_item_t *item, unsigned depth);

static void diag_bstr(const cbor_item_t *item, unsigned depth)
{
    cbor_item_t *in = NULL;
    unsigned tag;

    if (!cbor_bytestring_is_definite(item)) {
        printf("(_ ...)");
        return;
    }
    /* only containers are opened: any short byte string reads as some integer */
    in = inner(item, &tag);
    if (in != NULL && (cbor_isa_array(in) || cbor_isa_map(in) || cbor_isa_tag(in))) {
        printf("<<");
        if (tag != 0)
            printf("%u(", tag);
        diag(in, depth + 1);
        printf(tag != 0 ? ")>>" : ">>");
    } else {
        print_bytes(cbor_bytestring_handle(item), cbor_bytestring_length(item), SIZE_MAX);
    }
    if (in != NULL)
        cbor_decref(&in);
}

static void diag_map(const cbor_item_t *item, unsigned depth)
{
    struct cbor_pair *pairs = cbor_map_handle(item);

    printf(cbor_map_is_definite(item) ? "{" : "{_ ");
    for (size_t i = 0; i < cbor_map_size(item); i++) {
        if (i > 0)
            printf(", ");
        diag(pairs[i].key, depth + 1);
        printf(": ");
        diag(pairs[i].value, depth + 1);
    }
    putchar('}');
}

static void diag_array(const cbor_item_t *item, unsigned depth)
{
    cbor_item_t **items = cbor_array_handle(item);

    printf(cbor_array_is_definite(item) ? "[" : "[_ ");
    for (size_t i = 0; i < cbor_array_size(item); i++) {
        if (i > 0)
            printf(", ");
        diag(items[i], depth + 1);
    }
    putchar(']');
}

static void diag_simple(const cbor_item_t *item)
{
    if (cbor_is_bool(item))
        printf(cbor_get_bool(item) ? "true" : "false");
    else if (cbor_is_null(item))
        printf("null");
    else if (cbor_is_undef(item))
        printf("undefined");
    else if (cbor_float_ctrl_is_ctrl(item))
        printf("simple(%u)", cbor_ctrl_value(item));
    else
        printf("%.17g", cbor_float_get_float(item));
}

static void diag(const cbor_item_t *item, unsigned depth)
{
    cbor_item_t *in;

    if (depth > DEPTH_MAX) {
        printf("/ too deep /");
        return;
    }
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
    case CBOR_TYPE_NEGINT:
        print_int(item);
        break;
    case CBOR_TYPE_BYTESTRING:
        diag_bstr(item, depth);
        break;
    case CBOR_TYPE_STRING:
        if (cbor_string_is_definite(item))
            print_text(cbor_string_handle(item), cbor_string_length(item));
        else
            printf("(_ ...)");
        break;
    case CBOR_TYPE_ARRAY:
        diag_array(item, depth);
        break;
    case CBOR_TYPE_MAP:
        diag_map(item, depth);
        break;
    case CBOR_TYPE_TAG:
        in = cbor_tag_item(item);
        printf("%" PRIu64 "(", cbor_tag_value(item));
        diag(in, depth + 1);
        putchar(')');
        cbor_decref(&in);
        break;
    case CBOR_TYPE_FLOAT_CTRL:
        diag_simple(item);
        break;
    }
}

/* --- tree ----------------------------------------------------------------------------------- */

static void tree(const cbor_item_t *item, enum context in, unsigned depth);

/* Algorithms of encryption too, which the codec has no names for. */
static const char *alg_name(int64_t alg)
{
    switch (alg) {
    case LSUIT_ALG_A128GCM:
        return "A128GCM";
    case LSUIT_ALG_A128CTR:
        return "A128CTR";
    case LSUIT_ALG_A128KW:
        return "A128KW";
    case LSUIT_ALG_ECDH_ES_A128KW:
        return "ECDH-ES+A128KW";
    default:
        return lsuit_name_alg(alg);
    }
}

static const char *header_name(int64_t key)
{
    return key == 1    ? "alg"
           : key == 2  ? "crit"
           : key == 4  ? "kid"
           : key == 5  ? "IV"
           : key == -1 ? "ephemeral key"
                       : NULL;
}

static const char *report_name(int64_t key)
{
    switch (key) {
    case 2:
        return "suit-report-nonce";
    case 3:
        return "suit-report-records";
    case 4:
        return "suit-report-result";
    case 8:
        return "suit-report-capability-report";
    case 99:
        return "suit-reference";
    default:
        return NULL;
    }
}

static const char *key_name(enum context in, int64_t key)
{
    switch (in) {
    case IN_DEPENDENCIES:
        return "component index";
    case IN_DEPENDENCY:
        return key == 1 ? "suit-dependency-prefix" : NULL;
    case IN_HEADER:
        return header_name(key);
    case IN_REPORT:
        return report_name(key);
    case IN_ENVELOPE:
        return lsuit_name_envelope_key(key);
    case IN_MANIFEST:
        return lsuit_name_manifest_key(key);
    case IN_COMMON:
        return lsuit_name_common_key(key);
    case IN_PARAMETERS:
        return lsuit_name_parameter(key);
    case IN_LANGUAGE:
        return lsuit_name_text_key(key);
    case IN_TEXT_COMPONENT:
        return lsuit_name_text_component_key(key);
    default:
        return NULL;
    }
}

static bool is_envelope(const cbor_item_t *bstr)
{
    const unsigned char *p;

    if (!cbor_isa_bytestring(bstr) || !cbor_bytestring_is_definite(bstr) ||
        cbor_bytestring_length(bstr) < 3)
        return false;
    p = cbor_bytestring_handle(bstr);
    return p[0] == 0xd8 && p[1] == LSUIT_TAG_ENVELOPE;
}

/* What the value under a key means. */
static enum context value_context(enum context in, const cbor_item_t *key, const cbor_item_t *value)
{
    int64_t k = is_int(key) ? int_of(key) : 0;

    switch (in) {
    case IN_ENVELOPE:
        if (!is_int(key)) /* an integrated payload, or the envelope of a dependency */
            return is_envelope(value) ? IN_ENVELOPE : IN_NOTHING;
        if (k == 2)
            return IN_AUTH;
        if (k == 3)
            return IN_MANIFEST;
        return k == LSUIT_SECTION_TEXT     ? IN_TEXT
               : k == LSUIT_SECTION_COSWID ? IN_NOTHING
                                           : IN_SEQUENCE;
    case IN_MANIFEST:
        if (k == LSUIT_SECTION_COMMON)
            return IN_COMMON;
        if (k == LSUIT_SECTION_TEXT)
            return IN_TEXT;
        return k >= 7 && k != LSUIT_SECTION_COSWID ? IN_SEQUENCE : IN_NOTHING;
    case IN_COMMON:
        return k == 1 ? IN_DEPENDENCIES : k == 4 ? IN_SEQUENCE : IN_NOTHING;
    case IN_DEPENDENCIES:
        return IN_DEPENDENCY;
    case IN_PARAMETERS:
        return k == LSUIT_PARAM_IMAGE_DIGEST      ? IN_DIGEST
               : k == LSUIT_PARAM_ENCRYPTION_INFO ? IN_COSE
                                                  : IN_NOTHING;
    case IN_TEXT:
        return IN_LANGUAGE;
    case IN_LANGUAGE:
        return IN_TEXT_COMPONENT;
    default:
        return IN_NOTHING;
    }
}

static void tree_map(const cbor_item_t *item, enum context in, unsigned depth)
{
    struct cbor_pair *pairs = cbor_map_handle(item);

    for (size_t i = 0; i < cbor_map_size(item); i++) {
        const cbor_item_t *key = pairs[i].key;
        const char *name = is_int(key) ? key_name(in, int_of(key)) : NULL;

        indent(depth);
        diag(key, 0);
        if (name != NULL)
            printf(" %s", name);
        else if (is_int(key) && in != IN_NOTHING && in != IN_HEADER && in != IN_REPORT)
            printf(" (not in draft-ietf-suit-manifest-37)");
        if (in == IN_HEADER && is_int(key) && int_of(key) == 1 && is_int(pairs[i].value)) {
            name = alg_name(int_of(pairs[i].value));
            printf(": ");
            print_int(pairs[i].value);
            printf(" %s\n", name != NULL ? name : "(unknown algorithm)");
            continue;
        }
        putchar(':');
        tree(pairs[i].value, value_context(in, key, pairs[i].value), depth + 1);
    }
}

static enum context argument_context(int64_t command)
{
    switch (command) {
    case LSUIT_DIR_OVERRIDE_PARAMETERS:
    case LSUIT_DIR_SET_PARAMETERS:
        return IN_PARAMETERS;
    case LSUIT_DIR_TRY_EACH:
        return IN_ALTERNATIVES;
    case LSUIT_DIR_RUN_SEQUENCE:
        return IN_SEQUENCE;
    default:
        return IN_NOTHING;
    }
}

static void tree_sequence(const cbor_item_t *item, unsigned depth)
{
    cbor_item_t **items = cbor_array_handle(item);
    size_t n = cbor_array_size(item);

    /* a severed section holds a SUIT_Digest here: [negative number, bytes] */
    if (n == 2 && cbor_isa_bytestring(items[1]) && cbor_isa_negint(items[0])) {
        tree(item, IN_DIGEST, depth);
        return;
    }
    putchar('\n');
    for (size_t i = 0; i + 1 < n; i += 2) {
        const char *name = is_int(items[i]) ? lsuit_name_command(int_of(items[i])) : NULL;

        indent(depth);
        diag(items[i], 0);
        printf(" %s:", name != NULL ? name : "(unknown command)");
        tree(items[i + 1], is_int(items[i]) ? argument_context(int_of(items[i])) : IN_NOTHING,
             depth + 1);
    }
    if (n % 2 != 0) {
        indent(depth);
        printf("(a command without its argument)\n");
    }
}

static void tree_digest(const cbor_item_t *item)
{
    cbor_item_t **items = cbor_array_handle(item);
    const char *alg;

    if (cbor_array_size(item) != 2 || !is_int(items[0]) || !cbor_isa_bytestring(items[1]) ||
        !cbor_bytestring_is_definite(items[1])) {
        putchar(' ');
        diag(item, 0);
        putchar('\n');
        return;
    }
    alg = lsuit_name_alg(int_of(items[0]));
    printf(" digest, %s ", alg != NULL ? alg : "(unknown algorithm)");
    print_bytes(cbor_bytestring_handle(items[1]), cbor_bytestring_length(items[1]), SIZE_MAX);
    putchar('\n');
}

/* Tags of COSE structures (RFC 9052, section 2); NULL for another. */
static const char *cose_name(uint64_t tag)
{
    switch (tag) {
    case 16:
        return "COSE_Encrypt0";
    case 17:
        return "COSE_Mac0";
    case 18:
        return "COSE_Sign1";
    case 96:
        return "COSE_Encrypt";
    case 97:
        return "COSE_Mac";
    case 98:
        return "COSE_Sign";
    default:
        return NULL;
    }
}

static void tree_protected(const cbor_item_t *item, unsigned depth)
{
    if (cbor_isa_bytestring(item) && cbor_bytestring_is_definite(item) &&
        cbor_bytestring_length(item) == 0)
        printf(" nothing\n");
    else
        tree(item, IN_HEADER, depth);
}

/* [protected, unprotected, payload, signature, signatures, recipients]; a signature has three. */
static void tree_cose(const cbor_item_t *item, unsigned depth)
{
    cbor_item_t **items = cbor_array_handle(item);
    size_t n = cbor_array_size(item);

    for (size_t i = 0; i < n && i < 5; i++) {
        bool list = cbor_isa_array(items[i]);
        bool signers =
            list && cbor_array_size(items[i]) > 0 && cbor_isa_array(cbor_array_handle(items[i])[0]);

        indent(depth);
        if (i < 2) {
            printf(i == 0 ? "protected:" : "unprotected:");
            tree_protected(items[i], depth + 1);
        } else if (signers) {
            printf("signers or recipients:");
            tree(items[i], IN_SIGNATURES, depth + 1);
        } else {
            printf(n == 3   ? "signature or wrapped key:"
                   : i == 2 ? "payload:"
                            : "signature or tag:");
            /* detached in SUIT; a report stands in it */
            tree(items[i], i == 2 ? IN_REPORT : IN_NOTHING, depth + 1);
        }
    }
}

static void tree_array(const cbor_item_t *item, enum context in, unsigned depth)
{
    cbor_item_t **items = cbor_array_handle(item);

    switch (in) {
    case IN_SEQUENCE:
    case IN_TEXT: /* an array here: severed */
        tree_sequence(item, depth);
        return;
    case IN_DIGEST:
        tree_digest(item);
        return;
    case IN_COSE:
        putchar('\n');
        tree_cose(item, depth);
        return;
    case IN_SIGNATURES:
        putchar('\n');
        for (size_t i = 0; i < cbor_array_size(item); i++) {
            indent(depth);
            printf("-");
            tree(items[i], IN_COSE, depth + 1);
        }
        return;
    case IN_AUTH:
    case IN_ALTERNATIVES:
        putchar('\n');
        for (size_t i = 0; i < cbor_array_size(item); i++) {
            indent(depth);
            printf("-%s", in == IN_AUTH ? (i == 0 ? "" : " block") : " alternative");
            tree(items[i], in == IN_ALTERNATIVES ? IN_SEQUENCE : (i == 0 ? IN_DIGEST : IN_COSE),
                 depth + 1);
        }
        return;
    default:
        putchar(' ');
        diag(item, 0);
        putchar('\n');
    }
}

static void print_tag(uint64_t tag)
{
    const char *name = cose_name(tag);

    printf(" tag %" PRIu64 "%s%s", tag, name != NULL ? " " : "", name != NULL ? name : "");
}

static void tree_bstr(const cbor_item_t *item, enum context in, unsigned depth)
{
    unsigned tag = 0;
    cbor_item_t *content = in != IN_NOTHING ? inner(item, &tag) : NULL;

    if (content != NULL) {
        if (tag != 0)
            print_tag(tag);
        tree(content, in, depth);
        cbor_decref(&content);
        return;
    }
    putchar(' ');
    if (cbor_bytestring_is_definite(item))
        print_bytes(cbor_bytestring_handle(item), cbor_bytestring_length(item), BYTES_SHOWN);
    else
        printf("(a byte string of indefinite length)");
    printf(in != IN_NOTHING ? " (can't be read)\n" : "\n");
}

static void tree(const cbor_item_t *item, enum context in, unsigned depth)
{
    cbor_item_t *tagged;

    if (depth > DEPTH_MAX) {
        printf(" (too deep)\n");
        return;
    }
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_MAP:
        putchar('\n');
        tree_map(item, in, depth);
        break;
    case CBOR_TYPE_ARRAY:
        tree_array(item, in, depth);
        break;
    case CBOR_TYPE_BYTESTRING:
        tree_bstr(item, in, depth);
        break;
    case CBOR_TYPE_TAG:
        tagged = cbor_tag_item(item);
        print_tag(cbor_tag_value(item));
        tree(tagged, in, depth);
        cbor_decref(&tagged);
        break;
    default:
        putchar(' ');
        diag(item, 0);
        putchar('\n');
    }
}

/* --- entries ---------------------------------------------------------------------------------- */

static cbor_item_t *load(struct lsuit_bytes doc)
{
    struct cbor_load_result r;
    cbor_item_t *item = load_part(doc.ptr, doc.len, &r);

    if (item == NULL)
        cli_fail("not whole CBOR, or too much: stopped at byte %zu", r.error.position);
    else if (r.read != doc.len)
        fprintf(stderr, "lapel: %zu bytes follow the envelope\n", doc.len - r.read);
    return item;
}

/* The strict reader's word; signatures are not looked at. */
static enum lsuit_err strict(struct lsuit_bytes doc, struct lsuit_manifest *m,
                             struct lsuit_envelope *env, struct lsuit_fault *fault)
{
    enum lsuit_err e = lsuit_envelope_read(doc, env, fault);

    if (e == LSUIT_OK)
        e = lsuit_envelope_trust_nobody(env, &lsuit_crypto_psa, fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(env, &lsuit_crypto_psa, m, fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_check(m, 0, fault);
    return e;
}

/* A SUIT_Report, or a COSE structure, in which a signed one comes. */
static bool is_report(const cbor_item_t *item)
{
    if (cbor_isa_tag(item))
        return cose_name(cbor_tag_value(item)) != NULL;
    for (size_t i = 0; cbor_isa_map(item) && i < cbor_map_size(item); i++) {
        const cbor_item_t *key = cbor_map_handle(item)[i].key;

        if (cbor_isa_uint(key) && cbor_get_int(key) == 99) /* suit-reference */
            return true;
    }
    return false;
}

int show_tree(struct lsuit_bytes doc)
{
    cbor_item_t *item = load(doc);
    struct lsuit_fault fault = { .component = -1 };
    struct lsuit_envelope env;
    struct lsuit_manifest m;
    const char *draft;
    enum lsuit_err e;

    if (item == NULL)
        return CLI_FAILED;
    if (is_report(item)) {
        printf("no envelope, but a report or another structure of its own:");
        tree(item, cbor_isa_tag(item) ? IN_COSE : IN_REPORT, 1);
        cbor_decref(&item);
        printf("who vouches for it was not checked\n");
        return CLI_OK;
    }
    draft = lsuit_draft_guess(doc);
    printf("encoding: %s\nenvelope:",
           draft != NULL ? draft : "no sign of a draft before draft-ietf-suit-manifest-29");
    tree(item, IN_ENVELOPE, 1);
    cbor_decref(&item);
    e = strict(doc, &m, &env, &fault);
    if (e == LSUIT_OK) {
        printf("a device of this build can process it; signatures were not checked\n");
        return CLI_OK;
    }
    fflush(stdout);
    return cli_fault("a device of this build refuses it", e, &fault);
}

int show_diag(struct lsuit_bytes doc)
{
    cbor_item_t *item = load(doc);

    if (item == NULL)
        return CLI_FAILED;
    diag(item, 0);
    putchar('\n');
    cbor_decref(&item);
    return CLI_OK;
}

static void set_hex(json_t *o, const char *key, struct lsuit_bytes b)
{
    char hex[2 * LSUIT_DIGEST_MAX + 1];

    if (b.ptr == NULL || b.len > LSUIT_DIGEST_MAX)
        return;
    hex_put(b.ptr, b.len, hex);
    json_object_set_new(o, key, json_string(hex));
}

static void set_uint(json_t *o, const char *key, uint64_t v)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, v);
    json_object_set_new(o, key, json_string(text));
}

static json_t *facts_json(const struct lsuit_manifest *m, const struct lsuit_facts *f)
{
    json_t *o = json_object(), *images = json_array(), *dependencies = json_array();

    set_hex(o, "digest", m->digest.bytes);
    set_uint(o, "sequence", m->sequence);
    set_hex(o, "vendor_id", f->vendor_id);
    if (f->class_n > 0)
        set_hex(o, "class_id", f->class_id[0]);
    if (f->has_priority)
        json_object_set_new(o, "priority", json_integer(f->priority));
    for (uint32_t i = 0; i < f->fetch_n; i++) {
        json_t *image = json_object();

        json_object_set_new(image, "component", json_integer((json_int_t)f->fetch[i].component));
        json_object_set_new(image, "uri",
                            json_stringn((const char *)f->fetch[i].uri.ptr, f->fetch[i].uri.len));
        set_hex(image, "digest", f->fetch[i].digest.bytes);
        set_uint(image, "size", f->fetch[i].size);
        json_array_append_new(images, image);
    }
    json_object_set_new(o, "payloads", images);
    for (uint32_t i = 0; i < m->components_n; i++)
        if ((m->dependencies >> i & 1) != 0)
            json_array_append_new(dependencies, json_integer((json_int_t)i));
    json_object_set_new(o, "dependencies", dependencies);
    return o;
}

/* What the strict reader says, and what older draft it may come from. */
static void set_verdict(json_t *o, struct lsuit_bytes doc, enum lsuit_err e,
                        const struct lsuit_fault *fault)
{
    const char *draft = lsuit_draft_guess(doc);

    json_object_set_new(o, "accepted", json_boolean(e == LSUIT_OK));
    if (draft != NULL)
        json_object_set_new(o, "draft", json_string(draft));
    if (e == LSUIT_OK)
        return;
    json_object_set_new(o, "error", json_string(lsuit_err_name(e)));
    if (fault->what != NULL)
        json_object_set_new(o, "what", json_string(fault->what));
    if (fault->why != NULL)
        json_object_set_new(o, "why", json_string(fault->why));
}

int show_json(struct lsuit_bytes doc)
{
    struct lsuit_fault fault = { .component = -1 };
    struct lsuit_envelope env;
    struct lsuit_manifest m;
    struct lsuit_facts facts;
    enum lsuit_err e = strict(doc, &m, &env, &fault);
    json_t *o;

    if (e == LSUIT_OK)
        e = lsuit_manifest_facts(&m, &facts, &fault);
    o = e == LSUIT_OK ? facts_json(&m, &facts) : json_object();
    set_verdict(o, doc, e, &fault);
    print_json(o);
    json_decref(o);
    return e == LSUIT_OK ? CLI_OK : CLI_FAILED;
}
