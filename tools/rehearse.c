#include "rehearse.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsuit/cbor.h"

/* --- the device's description --------------------------------------------------------------- */

/* Text, or 0x and hex digits, as a byte string; false for what is neither. */
static bool put_segment(struct lsuit_cbor_writer *w, const char *text, size_t n)
{
    uint8_t bytes[32];
    char hex[2 * sizeof bytes + 1] = "";

    if (n < 2 || strncmp(text, "0x", 2) != 0) {
        lsuit_put_bstr(w, (struct lsuit_bytes){ (const uint8_t *)text, n });
        return n > 0;
    }
    if (n - 2 >= sizeof hex || n % 2 != 0)
        return false;
    memcpy(hex, text + 2, n - 2);
    if (!hex_get(hex, bytes, (n - 2) / 2))
        return false;
    lsuit_put_bstr(w, (struct lsuit_bytes){ bytes, (n - 2) / 2 });
    return true;
}

static bool read_id(const char *text, size_t n, struct rehearse_component *c)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(c->id, sizeof c->id);
    struct lsuit_bytes id;
    uint32_t segments = 1;
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        segments += text[i] == '/';
    lsuit_put_array(&w, segments);
    for (size_t from = 0; from <= n && ok;) {
        const char *slash = memchr(text + from, '/', n - from);
        size_t to = slash != NULL ? (size_t)(slash - text) : n;

        ok = put_segment(&w, text + from, to - from);
        from = to + 1;
    }
    if (!ok || lsuit_put_finish(&w, &id) != LSUIT_OK)
        return false;
    c->id_n = id.len;
    return true;
}

/* "64 hex digits:size"; false when it has another form. */
static bool read_claim(const char *text, struct rehearse_component *c)
{
    char hex[2 * LSUIT_SHA256_LEN + 1] = "";

    if (strlen(text) <= 2 * LSUIT_SHA256_LEN || text[2 * LSUIT_SHA256_LEN] != ':')
        return false;
    memcpy(hex, text, 2 * LSUIT_SHA256_LEN);
    return hex_get(hex, c->sha256, LSUIT_SHA256_LEN) &&
           parse_uint(text + 2 * LSUIT_SHA256_LEN + 1, &c->size);
}

int rehearse_holds(struct rehearse_device *d, const char *text)
{
    struct rehearse_component *c = &d->component[d->components];
    const char *equals = strchr(text, '=');

    if (d->components == REHEARSE_COMPONENTS)
        return cli_usage("--holds: at most %d", REHEARSE_COMPONENTS);
    if (equals == NULL || !read_id(text, (size_t)(equals - text), c))
        return cli_usage("--holds: %s: not ID=FILE or ID=DIGEST:SIZE", text);
    d->components++;
    if (read_claim(equals + 1, c))
        return CLI_OK;
    c->path = equals + 1;
    return file_measure(c->path, c->sha256, &c->size);
}

int rehearse_version(struct rehearse_device *d, const char *text)
{
    struct rehearse_component wanted = { 0 }, *c = NULL;
    const char *equals = strchr(text, '=');
    struct lsuit_cbor_writer w;
    struct lsuit_bytes version;
    uint32_t numbers = 1;

    if (equals == NULL || !read_id(text, (size_t)(equals - text), &wanted))
        return cli_usage("--version: %s: not ID=1.2.3", text);
    for (size_t i = 0; i < d->components; i++)
        if (d->component[i].id_n == wanted.id_n &&
            memcmp(d->component[i].id, wanted.id, wanted.id_n) == 0)
            c = &d->component[i];
    if (c == NULL)
        return cli_usage("--version: %s: give --holds for this component too", text);
    for (const char *p = equals; *p != '\0'; p++)
        numbers += *p == '.';
    w = lsuit_cbor_writer_init(c->version, sizeof c->version);
    lsuit_put_array(&w, numbers);
    for (const char *p = equals + 1;;) {
        char *end = NULL;
        long n = strtol(p, &end, 10);

        if (end == p || (*end != '.' && *end != '\0'))
            return cli_usage("--version: %s: not ID=1.2.3", text);
        lsuit_put_int(&w, n);
        if (*end == '\0')
            break;
        p = end + 1;
    }
    if (lsuit_put_finish(&w, &version) != LSUIT_OK)
        return cli_usage("--version: %s: is too long", text);
    c->version_n = version.len;
    return CLI_OK;
}

/* --- the platform --------------------------------------------------------------------------- */

/*
 * Of a component that is known by digest and size alone zeros are read, and the hash over them is
 * the digest that was claimed.
 */
struct rehearsal {
    const struct rehearse_device *device;
    const struct rehearse_component *of[LSUIT_MAX_COMPONENTS]; /* NULL: holds nothing */
    const struct rehearse_component *claimed; /* what the hash in work reads, if by digest alone */
    struct lsuit_trust_keys trust;            /* of dependencies */
    json_t *trace;                            /* NULL: print lines */
};

static enum lsuit_err component_find(void *ctx, uint32_t comp, struct lsuit_bytes id)
{
    struct rehearsal *r = ctx;

    if (comp >= LSUIT_MAX_COMPONENTS)
        return LSUIT_ERR_COMPONENT;
    r->of[comp] = NULL;
    for (size_t i = 0; i < r->device->components; i++) {
        const struct rehearse_component *c = &r->device->component[i];

        if (c->id_n == id.len && memcmp(c->id, id.ptr, id.len) == 0)
            r->of[comp] = c;
    }
    return LSUIT_OK;
}

static bool is_among(const struct rehearse_ids *ids, struct lsuit_bytes id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (id.len == sizeof ids->id[i] && memcmp(ids->id[i], id.ptr, id.len) == 0)
            return true;
    return false;
}

static bool vendor_is(void *ctx, struct lsuit_bytes id)
{
    return is_among(&((struct rehearsal *)ctx)->device->vendor, id);
}

static bool class_is(void *ctx, struct lsuit_bytes id)
{
    return is_among(&((struct rehearsal *)ctx)->device->class, id);
}

static bool device_is(void *ctx, struct lsuit_bytes id)
{
    return is_among(&((struct rehearsal *)ctx)->device->device, id);
}

static bool slot_is(void *ctx, uint32_t comp, uint64_t slot)
{
    (void)comp;
    return slot == ((struct rehearsal *)ctx)->device->slot;
}

static bool component_size(void *ctx, uint32_t comp, uint64_t *size_out)
{
    const struct rehearse_component *c = ((struct rehearsal *)ctx)->of[comp];

    if (c == NULL)
        return false;
    *size_out = c->size;
    return true;
}

static int component_read(void *ctx, uint32_t comp, uint64_t offset, uint8_t *buf, size_t n,
                          size_t *got_out)
{
    struct rehearsal *r = ctx;
    const struct rehearse_component *c = r->of[comp];
    FILE *f;
    bool ok;

    *got_out = n;
    if (c->path == NULL) {
        r->claimed = c;
        memset(buf, 0, n);
        return LSUIT_OP_DONE;
    }
    f = fopen(c->path, "rb");
    if (f == NULL)
        return LSUIT_OP_FAIL;
    ok = fseek(f, (long)offset, SEEK_SET) == 0 && fread(buf, 1, n, f) == n;
    fclose(f);
    return ok ? LSUIT_OP_DONE : LSUIT_OP_FAIL;
}

/* --- directives: a dry run asks whether they are there, and never calls them --- */

static int fetch(void *ctx, uint32_t comp, bool first, struct lsuit_bytes uri,
                 struct lsuit_bytes integrated, uint64_t max_size, struct lsuit_digest digest,
                 struct lsuit_bytes fetch_args)
{
    (void)ctx, (void)comp, (void)first, (void)uri, (void)integrated;
    (void)max_size, (void)digest, (void)fetch_args;
    return LSUIT_OP_FAIL;
}

static int copy(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size)
{
    (void)ctx, (void)comp, (void)first, (void)source, (void)max_size;
    return LSUIT_OP_FAIL;
}

static int write_content(void *ctx, uint32_t comp, bool first, struct lsuit_bytes content)
{
    (void)ctx, (void)comp, (void)first, (void)content;
    return LSUIT_OP_FAIL;
}

static int copy_decrypt(void *ctx, uint32_t comp, bool first, uint32_t source, uint64_t max_size,
                        struct lsuit_bytes encryption_info)
{
    (void)encryption_info;
    return copy(ctx, comp, first, source, max_size);
}

static int write_decrypt(void *ctx, uint32_t comp, bool first, struct lsuit_bytes content,
                         struct lsuit_bytes encryption_info)
{
    (void)encryption_info;
    return write_content(ctx, comp, first, content);
}

static int unlink_component(void *ctx, uint32_t comp, bool first)
{
    (void)ctx, (void)comp, (void)first;
    return LSUIT_OP_FAIL;
}

static int swap(void *ctx, uint32_t comp, bool first, uint32_t source)
{
    (void)ctx, (void)comp, (void)first, (void)source;
    return LSUIT_OP_FAIL;
}

static int invoke(void *ctx, uint32_t comp, struct lsuit_bytes args)
{
    (void)ctx, (void)comp, (void)args;
    return LSUIT_OP_FAIL;
}

/* --- what an update may ask the device --- */

static bool now(void *ctx, uint64_t *epoch_s_out)
{
    const struct rehearse_device *d = ((struct rehearsal *)ctx)->device;

    *epoch_s_out = d->time_s;
    return d->has_time;
}

static bool battery(void *ctx, uint64_t *mwh_out)
{
    const struct rehearse_device *d = ((struct rehearsal *)ctx)->device;

    *mwh_out = d->battery_mwh;
    return d->has_battery;
}

static int authorized(void *ctx, int64_t priority)
{
    (void)priority;
    return ((struct rehearsal *)ctx)->device->authorizes ? LSUIT_OP_DONE : LSUIT_OP_FAIL;
}

static struct lsuit_bytes version(void *ctx, uint32_t comp)
{
    const struct rehearse_component *c = ((struct rehearsal *)ctx)->of[comp];

    if (c == NULL || c->version_n == 0)
        return (struct lsuit_bytes){ NULL, 0 };
    return (struct lsuit_bytes){ c->version, c->version_n };
}

/* A rehearsal doesn't wait: what is waited for is taken to come. */
static int wait_for(void *ctx, enum lsuit_wait_event event, int64_t value, struct lsuit_bytes other)
{
    (void)ctx, (void)event, (void)value, (void)other;
    return LSUIT_OP_DONE;
}

static int metadata(void *ctx, uint32_t comp, struct lsuit_bytes bytes)
{
    (void)ctx, (void)comp, (void)bytes;
    return LSUIT_OP_DONE;
}

static const struct lsuit_trust_keys *dependency_keys(void *ctx, uint32_t comp)
{
    struct rehearsal *r = ctx;

    (void)comp;
    r->trust = (struct lsuit_trust_keys){ r->device->keys.key, r->device->keys.n, 1 };
    return &r->trust;
}

static enum lsuit_err dependency_accept(void *ctx, uint32_t comp, const struct lsuit_manifest *m,
                                        const struct lsuit_auth *auth)
{
    (void)ctx, (void)comp, (void)m, (void)auth;
    return LSUIT_OK;
}

/* --- the trace --- */

static void print_line(const struct lsuit_trace *t)
{
    static const char *const KINDS[] = { [LSUIT_TRACE_PROCEDURE] = "procedure ",
                                         [LSUIT_TRACE_SECTION] = "section ",
                                         [LSUIT_TRACE_COMMAND] = "  ",
                                         [LSUIT_TRACE_BEGIN] = "  ",
                                         [LSUIT_TRACE_END] = "  " };

    printf("%*s%s%s", 2 * t->depth, "", KINDS[t->kind], t->name);
    if (t->kind == LSUIT_TRACE_BEGIN || t->kind == LSUIT_TRACE_END)
        printf(" %" PRIu32 " %s", t->component, t->kind == LSUIT_TRACE_BEGIN ? "begin" : "end");
    if (t->kind == LSUIT_TRACE_COMMAND) {
        printf(" %" PRIu32 " %s", t->component, t->ok ? "ok" : "fail");
        if (t->uri.len > 0) {
            putchar(' ');
            put_safe(stdout, t->uri.ptr, t->uri.len, "");
        }
        if (t->missing != 0)
            printf(" (%s is not set)", lsuit_name_parameter(t->missing));
        else if (t->why != NULL)
            printf(" (%s)", t->why);
    }
    putchar('\n');
}

static void add_line(json_t *list, const struct lsuit_trace *t)
{
    static const char *const KINDS[] = { [LSUIT_TRACE_PROCEDURE] = "procedure",
                                         [LSUIT_TRACE_SECTION] = "section",
                                         [LSUIT_TRACE_COMMAND] = "command",
                                         [LSUIT_TRACE_BEGIN] = "begin",
                                         [LSUIT_TRACE_END] = "end" };
    json_t *o = json_object();

    json_object_set_new(o, KINDS[t->kind], json_string(t->name));
    if (t->depth > 0)
        json_object_set_new(o, "depth", json_integer(t->depth));
    if (t->kind == LSUIT_TRACE_COMMAND) {
        json_object_set_new(o, "component", json_integer(t->component));
        json_object_set_new(o, "ok", json_boolean(t->ok));
        if (t->uri.len > 0)
            json_object_set_new(o, "uri", json_stringn((const char *)t->uri.ptr, t->uri.len));
        if (t->missing != 0)
            json_object_set_new(o, "missing", json_string(lsuit_name_parameter(t->missing)));
    }
    json_array_append_new(list, o);
}

static void trace(void *ctx, const struct lsuit_trace *t)
{
    struct rehearsal *r = ctx;

    if (r->trace != NULL)
        add_line(r->trace, t);
    else
        print_line(t);
}

static const struct lsuit_platform PLATFORM = { .size = sizeof PLATFORM,
                                                .component_find = component_find,
                                                .vendor_is = vendor_is,
                                                .class_is = class_is,
                                                .device_is = device_is,
                                                .slot_is = slot_is,
                                                .component_size = component_size,
                                                .component_read = component_read,
                                                .fetch = fetch,
                                                .copy = copy,
                                                .write = write_content,
                                                .swap = swap,
                                                .invoke = invoke,
                                                .trace = trace,
                                                .copy_decrypt = copy_decrypt,
                                                .write_decrypt = write_decrypt,
                                                .now = now,
                                                .battery = battery,
                                                .authorized = authorized,
                                                .version = version,
                                                .wait = wait_for,
                                                .metadata = metadata,
                                                .dependency_keys = dependency_keys,
                                                .dependency_accept = dependency_accept,
                                                .unlink = unlink_component };

/* --- hashing, with what is claimed ---------------------------------------------------------- */

static enum lsuit_err hash_start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    ((struct rehearsal *)ctx)->claimed = NULL;
    return lsuit_crypto_psa.hash_start(NULL, h, alg);
}

static enum lsuit_err hash_finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t cap,
                                  size_t *n_out)
{
    const struct rehearse_component *claimed = ((struct rehearsal *)ctx)->claimed;
    enum lsuit_err e = lsuit_crypto_psa.hash_finish(NULL, h, out, cap, n_out);

    if (e == LSUIT_OK && claimed != NULL && *n_out == LSUIT_SHA256_LEN)
        memcpy(out, claimed->sha256, LSUIT_SHA256_LEN);
    return e;
}

/* --- the run -------------------------------------------------------------------------------- */

static void print_sum(const struct lsuit_manifest *m, const struct lsuit_dry *dry)
{
    if (dry->fetches > 0)
        printf("would fetch %s%" PRIu64 " bytes\n", dry->size_unknown ? "more than " : "",
               dry->fetch_bytes);
    for (uint32_t i = 0; i < m->components_n; i++)
        if ((dry->written >> i & 1) != 0)
            printf("would write component %" PRIu32 "\n", i);
    printf("every condition that can be known holds; nothing was done\n");
}

static json_t *sum_json(const struct lsuit_manifest *m, const struct lsuit_dry *dry)
{
    json_t *o = json_object(), *written = json_array();

    for (uint32_t i = 0; i < m->components_n; i++)
        if ((dry->written >> i & 1) != 0)
            json_array_append_new(written, json_integer((json_int_t)i));
    json_object_set_new(o, "fetches", json_integer((json_int_t)dry->fetches));
    json_object_set_new(o, "fetch_bytes", json_integer((json_int_t)dry->fetch_bytes));
    json_object_set_new(o, "size_unknown", json_boolean(dry->size_unknown));
    json_object_set_new(o, "written", written);
    return o;
}

static int report_json(json_t *lines, const struct lsuit_manifest *m, const struct lsuit_run *run,
                       enum lsuit_err e)
{
    json_t *o = sum_json(m, &run->dry_result);

    json_object_set_new(o, "result", json_string(e == LSUIT_OK ? "ok" : lsuit_err_name(e)));
    if (e != LSUIT_OK && run->fault.what != NULL)
        json_object_set_new(o, "what", json_string(run->fault.what));
    if (e != LSUIT_OK && run->fault.why != NULL)
        json_object_set_new(o, "why", json_string(run->fault.why));
    json_object_set_new(o, "trace", lines);
    print_json(o);
    json_decref(o);
    return e == LSUIT_OK ? CLI_OK : CLI_FAILED;
}

int rehearse_run(const struct rehearse_device *d, const struct lsuit_manifest *m,
                 enum lsuit_procedure procedure, bool json)
{
    static uint8_t buf[65536], envelopes[LSUIT_MAX_MANIFESTS - 1][1 << 20];
    static struct lsuit_dependency dependency[LSUIT_MAX_MANIFESTS - 1];
    struct rehearsal r = { .device = d, .trace = json ? json_array() : NULL };
    struct lsuit_crypto crypto = lsuit_crypto_psa;
    struct lsuit_run run;
    enum lsuit_err e;

    crypto.ctx = &r;
    crypto.hash_start = hash_start;
    crypto.hash_finish = hash_finish;
    memset(&run, 0, sizeof run);
    e = lsuit_run_init(&run, m, &PLATFORM, &r, &crypto, buf, sizeof buf);
    if (e == LSUIT_OK && m->sequence < d->sequence) {
        e = LSUIT_ERR_ROLLBACK;
        run.fault = (struct lsuit_fault){ .what = "suit-manifest-sequence-number",
                                          .why = "lower than what the device accepted before",
                                          .component = -1 };
    }
    for (size_t i = 0; i < LSUIT_MAX_MANIFESTS - 1; i++)
        dependency[i] =
            (struct lsuit_dependency){ .buf = envelopes[i], .buf_len = sizeof envelopes[i] };
    if (e == LSUIT_OK) {
        lsuit_run_dependencies(&run, dependency, LSUIT_MAX_MANIFESTS - 1);
        lsuit_run_start(&run, procedure, true);
        e = lsuit_run_to_end(&run);
    }
    if (json)
        return report_json(r.trace, m, &run, e);
    if (e == LSUIT_OK) {
        print_sum(m, &run.dry_result);
        return CLI_OK;
    }
    fflush(stdout);
    return cli_fault("this device refuses it", e, &run.fault);
}
