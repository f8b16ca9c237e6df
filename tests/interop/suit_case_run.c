/*
 * A case through the library: what a client does with an envelope.
 */
#include "suit_case.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum suit_verdict suit_say(struct suit_case *k, enum suit_verdict v, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(k->reason, sizeof k->reason, format, ap);
    va_end(ap);
    return v;
}

static struct suit_blob *blob_new(struct suit_case *k, size_t len)
{
    struct suit_blob *b = malloc(sizeof *b + len + 1);

    if (b == NULL)
        abort();
    b->len = len;
    b->next = k->blobs;
    k->blobs = b;
    return b;
}

struct lsuit_bytes suit_bytes(struct suit_case *k, const char *hex)
{
    struct suit_blob *b = blob_new(k, hex != NULL ? strlen(hex) / 2 : 0);
    long n = hex != NULL ? suit_hex(hex, b->bytes, b->len) : -1;

    return n < 0 ? (struct lsuit_bytes){ NULL, 0 } : (struct lsuit_bytes){ b->bytes, (size_t)n };
}

struct lsuit_bytes suit_file(struct suit_case *k, const char *name)
{
    char path[4096];
    FILE *f;
    struct suit_blob *b;
    long size;

    if (name == NULL || strchr(name, '/') != NULL)
        return (struct lsuit_bytes){ NULL, 0 };
    snprintf(path, sizeof path, "%s/%s", k->dir, name);
    f = fopen(path, "rb");
    if (f == NULL)
        return (struct lsuit_bytes){ NULL, 0 };
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);
    b = blob_new(k, size > 0 ? (size_t)size : 0);
    b->len = fread(b->bytes, 1, b->len, f);
    fclose(f);
    return (struct lsuit_bytes){ b->bytes, b->len };
}

bool suit_unsupported(enum lsuit_err e)
{
    return e == LSUIT_ERR_COSE || e == LSUIT_ERR_ALG || e == LSUIT_ERR_COMMAND ||
           e == LSUIT_ERR_PARAMETER;
}

const char *suit_needs(const struct suit_case *k, enum lsuit_err e)
{
    const char *alg =
        e == LSUIT_ERR_ALG && k->fault.code != 0 ? lsuit_name_alg(k->fault.code) : NULL;

    return alg != NULL ? alg : k->fault.what;
}

enum lsuit_err suit_admit(struct suit_case *k, struct lsuit_bytes doc, uint64_t current)
{
    struct lsuit_auth auth;
    enum lsuit_err e;

    k->trust = (struct lsuit_trust_keys){ k->trusted, k->keys_n, 1 };
    memset(&k->fault, 0, sizeof k->fault);
    e = lsuit_envelope_read(doc, &k->envelope, &k->fault);
    if (e == LSUIT_OK)
        e = lsuit_envelope_verify(&k->envelope, &lsuit_crypto_psa, &k->trust, &auth, &k->fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(&k->envelope, &lsuit_crypto_psa, &k->manifest, &k->fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_check(&k->manifest, 0, &k->fault);
    if (e == LSUIT_OK && k->manifest.sequence < current)
        e = LSUIT_ERR_ROLLBACK;
    return e;
}

static int procedure(const char *name)
{
    static const char *const NAMES[] = { [LSUIT_PROCEDURE_UPDATE] = "update",
                                         [LSUIT_PROCEDURE_INVOKE] = "invoke",
                                         [LSUIT_PROCEDURE_VALIDATE] = "validate",
                                         [LSUIT_PROCEDURE_UNINSTALL] = "uninstall" };

    for (int i = LSUIT_PROCEDURE_UPDATE; name != NULL && i <= LSUIT_PROCEDURE_UNINSTALL; i++)
        if (strcmp(NAMES[i], name) == 0)
            return i;
    return 0;
}

#define DEPENDENCY_MAX 4096 /* its envelope */

/*
 * One procedure: dry first, as a client does. What the build lacks ends it there; a condition that
 * fails in the dry run must fail again in earnest.
 */
static enum lsuit_err run_procedure(struct suit_case *k, struct lsuit_run *run, int which,
                                    uint32_t steps, bool *gave_up_out)
{
    enum lsuit_run_state s = LSUIT_RUN_AGAIN;
    enum lsuit_err dry = LSUIT_OK;
    enum lsuit_err e;

    if (which == LSUIT_PROCEDURE_UPDATE) {
        lsuit_run_start(run, LSUIT_PROCEDURE_UPDATE, true);
        dry = lsuit_run_to_end(run);
        k->fault = run->fault;
        if (suit_unsupported(dry))
            return dry;
    }
    lsuit_run_start(run, (enum lsuit_procedure)which, false);
    while (s == LSUIT_RUN_AGAIN) {
        if (steps > 0 && k->steps == steps) {
            *gave_up_out = true;
            lsuit_run_abort(run);
            return LSUIT_ERR_OPERATION;
        }
        s = lsuit_run_step(run);
        k->steps++;
    }
    k->fault = run->fault;
    e = s == LSUIT_RUN_DONE ? LSUIT_OK : run->fault.err;
    if (e == LSUIT_OK && dry != LSUIT_OK) {
        k->fault.why = "the dry run failed, the run did not";
        return LSUIT_ERR_USAGE;
    }
    return e;
}

enum lsuit_err suit_execute(struct suit_case *k, struct suit_device *d, json_t *procedures,
                            uint32_t steps, bool *gave_up_out)
{
    struct lsuit_dependency dependency[LSUIT_MAX_MANIFESTS - 1];
    uint8_t envelope[LSUIT_MAX_MANIFESTS - 1][DEPENDENCY_MAX];
    struct lsuit_run run;
    uint8_t buf[128];
    enum lsuit_err e;
    size_t i;
    json_t *name;

    k->steps = 0;
    *gave_up_out = false;
    e = lsuit_run_init(&run, &k->manifest, &SUIT_DEVICE_PLATFORM, d, &lsuit_crypto_psa, buf,
                       sizeof buf);
    k->fault = run.fault;
    if (e != LSUIT_OK)
        return e;
    for (i = 0; i < LSUIT_MAX_MANIFESTS - 1; i++)
        dependency[i] = (struct lsuit_dependency){ .buf = envelope[i], .buf_len = DEPENDENCY_MAX };
    lsuit_run_dependencies(&run, dependency, LSUIT_MAX_MANIFESTS - 1);
    json_array_foreach(procedures, i, name)
    {
        int which = procedure(json_string_value(name));

        if (which == 0)
            return LSUIT_ERR_USAGE;
        e = run_procedure(k, &run, which, steps, gave_up_out);
        if (e != LSUIT_OK)
            return e;
    }
    return LSUIT_OK;
}

/* --- The device of a case. --- */

static void ids_fill(struct suit_case *k, json_t *array, struct suit_ids *ids)
{
    size_t i;
    json_t *hex;

    json_array_foreach(array, i, hex) if (ids->n < SUIT_DEVICE_IDS) ids->id[ids->n++] =
        suit_bytes(k, json_string_value(hex));
}

/* An array of integers as CBOR. */
static struct lsuit_bytes version_write(struct suit_case *k, json_t *array)
{
    struct suit_blob *b = blob_new(k, 64);
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(b->bytes, b->len);
    size_t i;
    json_t *number;

    lsuit_put_array(&w, (uint32_t)json_array_size(array));
    json_array_foreach(array, i, number) lsuit_put_int(&w, json_integer_value(number));
    return (struct lsuit_bytes){ b->bytes, w.err == LSUIT_OK ? w.len : 0 };
}

void suit_device_fill(struct suit_case *k, json_t *object, struct suit_device *d)
{
    json_t *about = json_object_get(object, "device");
    const char *key;
    json_t *value;

    memset(d, 0, sizeof *d);
    ids_fill(k, json_object_get(about, "vendor_ids"), &d->vendor);
    ids_fill(k, json_object_get(about, "class_ids"), &d->class);
    ids_fill(k, json_object_get(about, "device_ids"), &d->device);
    d->keys = &k->trust;
    d->decrypt_keys = k->decrypt;
    d->decrypt_keys_n = k->decrypt_n;
    d->now = (uint64_t)json_integer_value(json_object_get(about, "now"));
    d->battery_mwh = (uint64_t)json_integer_value(json_object_get(about, "battery_mwh"));
    d->authorized = json_is_true(json_object_get(about, "authorized"));
    d->max_components = (uint32_t)json_integer_value(json_object_get(about, "max_components"));

    json_object_foreach(json_object_get(object, "uris"), key, value)
    {
        if (d->payloads_n == SUIT_DEVICE_URIS)
            break;
        d->payload[d->payloads_n].uri = (struct lsuit_bytes){ (const uint8_t *)key, strlen(key) };
        d->payload[d->payloads_n++].body = suit_bytes(k, json_string_value(value));
    }
    json_object_foreach(json_object_get(object, "components_before"), key, value)
    {
        struct suit_component *c = suit_device_component(d, suit_bytes(k, key));

        if (c != NULL)
            suit_component_set(c, suit_bytes(k, json_string_value(value)));
    }
    json_object_foreach(json_object_get(about, "slots"), key, value)
    {
        struct suit_component *c = suit_device_component(d, suit_bytes(k, key));

        if (c != NULL)
            c->slot = (uint64_t)json_integer_value(value);
    }
    json_object_foreach(json_object_get(about, "versions"), key, value)
    {
        struct suit_component *c = suit_device_component(d, suit_bytes(k, key));

        if (c != NULL)
            c->version = version_write(k, value);
    }
}

bool suit_holds(struct suit_case *k, const struct suit_device *d, json_t *components)
{
    size_t present = 0;
    const char *key;
    json_t *value;

    for (size_t i = 0; i < d->comp_n; i++)
        present += d->comp[i].present;
    if (present != json_object_size(components))
        return false;
    json_object_foreach(components, key, value)
    {
        struct lsuit_bytes id = suit_bytes(k, key);
        struct lsuit_bytes want = suit_bytes(k, json_string_value(value));
        bool found = false;

        for (size_t i = 0; i < d->comp_n && want.ptr != NULL; i++)
            found = found || (d->comp[i].present && lsuit_bytes_compare(d->comp[i].id, id) == 0 &&
                              d->comp[i].len == want.len &&
                              memcmp(d->comp[i].bytes, want.ptr, want.len) == 0);
        if (!found)
            return false;
    }
    return true;
}
