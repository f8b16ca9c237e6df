#include "api/call.h"
#include "base/bytes.h"
#include "engine/rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_device(struct call *c, json_t *object, const char *path, struct device_new *d,
                        enum err *err)
{
    struct fields f;

    fields_open(&f, c, object, path);
    if (object == NULL)
        field_bad(&f, "id", "is missing");
    field_text(&f, "id", true, 1, DEVICE_NAME - 1, d->name);
    d->has_digest = field_hex(&f, "token_sha256", d->digest, sizeof d->digest);
    *err = fields_end(&f);
}

static json_t *json_new(const struct device_new *d)
{
    json_t *out = json_pack("{s:s}", "id", d->name);

    if (!d->has_digest)
        json_object_set_new(out, "token", json_string(d->token));
    return out;
}

static enum err add(struct call *c, struct db *db, const struct product *p, struct device_new *list,
                    size_t n, bool is_array)
{
    size_t at = 0;
    enum err e = ERR_OK;
    json_t *out;

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        char path[40];

        snprintf(path, sizeof path, "[%zu].", i);
        read_device(c, is_array ? json_array_get(c->in, i) : c->in, is_array ? path : "", &list[i],
                    &e);
    }
    if (e == ERR_OK)
        e = device_enrol(c->engine, db, &c->actor, c->now_ms, p, list, n, &at);
    if (e == ERR_CONFLICT && is_array)
        snprintf(c->field, sizeof c->field, "[%zu].%s", at,
                 err_field() != NULL ? err_field() : "id");
    if (e != ERR_OK)
        return e;
    c->status = 201;
    if (!is_array) {
        c->out = json_new(&list[0]);
        return ERR_OK;
    }
    out = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(out, json_new(&list[i]));
    c->out = json_pack("{s:o}", "devices", out);
    return ERR_OK;
}

enum err device_add_call(struct call *c, struct db *db)
{
    bool is_array = json_is_array(c->in);
    size_t n = is_array ? json_array_size(c->in) : 1;
    struct device_new *list;
    struct product p;
    enum err e = call_product(c, db, &p);

    if (e != ERR_OK)
        return e;
    if (n < 1 || n > 1000)
        return call_bad(c, ERR_INVALID, "body", "must be an object, or an array of 1 to 1000");
    list = calloc(n, sizeof *list);
    if (list == NULL)
        return FAIL(ERR_MEMORY, "devices");
    e = add(c, db, &p, list, n, is_array);
    bytes_wipe(list, n * sizeof *list);
    free(list);
    return e;
}

enum err device_rotate_call(struct call *c, struct db *db)
{
    struct device_new d = { .has_digest = false };
    struct product p;
    struct fields f;
    enum err e = call_product(c, db, &p);

    if (e != ERR_OK)
        return e;
    snprintf(d.name, sizeof d.name, "%s", call_param(c, "device"));
    fields_open(&f, c, c->in, "");
    d.has_digest = field_hex(&f, "token_sha256", d.digest, sizeof d.digest);
    e = fields_end(&f);
    if (e == ERR_OK)
        e = device_rotate(c->engine, db, &c->actor, c->now_ms, &p, &d);
    if (e == ERR_OK)
        c->out = json_new(&d);
    bytes_wipe(&d, sizeof d);
    return e;
}

enum err device_revoke_call(struct call *c, struct db *db)
{
    struct product p;
    char reason[512];
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        e = field_reason(c, reason);
    return e == ERR_OK
               ? device_block(c->engine, db, &c->actor, c->now_ms, &p, call_param(c, "device"))
               : e;
}

enum err device_forget_call(struct call *c, struct db *db)
{
    struct product p;
    enum err e = call_product(c, db, &p);

    return e == ERR_OK
               ? device_erase(c->engine, db, &c->actor, c->now_ms, &p, call_param(c, "device"))
               : e;
}

/* --- Showing --- */

static json_t *json_running(struct db *db, int32_t device)
{
    static const char *const STATES[] = { "?", "confirmed", "trial", "reverted" };
    struct running list[RUNNING_MAX];
    unsigned n = 0;
    json_t *out = json_array();

    if (running_list(db, device, list, &n) != ERR_OK)
        return out;
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(
            out, json_pack("{s:o, s:o, s:o, s:o, s:s}", "class_id", json_uuid(list[i].class_id),
                           "component", json_hex(list[i].component, list[i].component_n),
                           "sequence", json_number((uint64_t)list[i].sequence), "digest",
                           list[i].sequence != 0 ? json_hex(list[i].digest, 32) : json_null(),
                           "state", STATES[list[i].state < 4 ? list[i].state : 0]));
    return out;
}

static json_t *json_work(struct db *db, int32_t device)
{
    static const char *const STATES[] = { "?",         "offered", "fetching",
                                          "installed", "failed",  "cancelled" };
    struct work w;

    if (work_last(db, device, &w) != ERR_OK)
        return json_null();
    return json_pack("{s:i, s:i, s:s, s:o}", "rollout", w.rollout, "release", w.release, "state",
                     STATES[w.state < WORK_STATES ? w.state : 0], "since", json_time(w.since_ms));
}

static json_t *json_attempt(const struct device_attempt *a)
{
    const char *stage = lsuit_stage_name(a->stage);
    const char *class_ = lsuit_class_name(a->class_);

    if (!a->known)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:o}", "attempt", json_hex(a->id, sizeof a->id),
                     "stage", stage != NULL ? json_string(stage) : json_sprintf("%u", a->stage),
                     "class", class_ != NULL ? json_string(class_) : json_sprintf("%u", a->class_),
                     "code", (json_int_t)a->code, "offset", json_number((uint64_t)a->offset), "at",
                     json_time(a->at_ms));
}

static json_t *json_device(struct db *db, const char *product, const struct device *d)
{
    int tokens = 0;

    device_token_count(db, d->id, &tokens);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:i}", "product", product, "id",
                     d->name, "state", d->revoked_ms != 0 ? "revoked" : "active", "created_at",
                     json_time(d->created_ms), "seen_at", json_time(d->seen_ms), "running",
                     json_running(db, d->id), "work", json_work(db, d->id), "last_attempt",
                     json_attempt(&d->attempt), "tokens", tokens);
}

static const char *one_of(const char *const *names, uint32_t n, uint32_t value)
{
    return value < n ? names[value] : "?";
}

/* What the user decided, as the device told it. */
static json_t *json_user(const struct status *s)
{
    static const char *const CHOICE[] = { "unset", "on", "off" };
    static const char *const GATE[] = { "none", "download", "install", "reboot" };

    if (s->at_ms == 0)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:b, s:o}", "auto_security",
                     one_of(CHOICE, 3, s->auto_security), "auto_feature",
                     one_of(CHOICE, 3, s->auto_feature), "notifications",
                     one_of(CHOICE, 3, s->notifications), "postponed_until",
                     json_time(s->postponed_ms), "waiting", one_of(GATE, 4, s->waiting), "refused",
                     s->refused, "changed_at", json_time(s->at_ms));
}

static json_t *json_list(struct lsuit_bytes list)
{
    json_t *out = json_array();
    int64_t v = 0;

    for (uint32_t i = 0; lsuit_list_at(list, i, &v); i++)
        json_array_append_new(out, json_integer(v));
    return out;
}

static json_t *json_capability(struct db *db, const struct status *s)
{
    struct lsuit_capability cap = { 0 };
    uint8_t map[CAPABILITY_MAX];
    size_t n = 0;
    json_t *out;

    if (!s->has_capability)
        return json_null();
    out = json_pack("{s:o}", "digest", json_hex(s->capability, sizeof s->capability));
    if (capability_get(db, s->capability, map, &n) != ERR_OK ||
        lsuit_capability_read((struct lsuit_bytes){ map, n }, &cap, NULL) != LSUIT_OK)
        return out;
    json_object_set_new(out, "commands", json_list(cap.commands));
    json_object_set_new(out, "parameters", json_list(cap.parameters));
    json_object_set_new(out, "algorithms", json_list(cap.algorithms));
    json_object_set_new(out, "envelope_max", json_integer(cap.envelope_max));
    json_object_set_new(out, "components", json_integer(cap.components));
    if (cap.payload_max != 0)
        json_object_set_new(out, "payload_max", json_number(cap.payload_max));
    if (cap.client_version.ptr != NULL)
        json_object_set_new(
            out, "client_version",
            json_stringn((const char *)cap.client_version.ptr, cap.client_version.len));
    return out;
}

static json_t *json_events(struct db *db, int32_t device)
{
    struct status_event list[EVENT_RING];
    json_t *out = json_array();
    unsigned n = 0;

    if (event_list(db, device, list, &n) != ERR_OK)
        return out;
    for (unsigned i = 0; i < n; i++) {
        const char *name = lsuit_event_name(list[i].class_);

        json_array_append_new(
            out, json_pack("{s:o, s:I, s:o}", "class",
                           name != NULL ? json_string(name) : json_sprintf("%u", list[i].class_),
                           "count", (json_int_t)list[i].count, "last", json_time(list[i].last_ms)));
    }
    return out;
}

static json_t *json_faults(struct db *db, int32_t device)
{
    struct status_fault list[FAULT_RING];
    json_t *out = json_array();
    unsigned n = 0;

    if (fault_list(db, device, list, &n) != ERR_OK)
        return out;
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(
            out,
            json_pack("{s:I, s:o, s:o, s:o, s:o}", "kind", (json_int_t)list[i].kind, "where",
                      json_number(list[i].where), "sequence",
                      list[i].has_sequence ? json_number((uint64_t)list[i].sequence) : json_null(),
                      "detail", json_hex(list[i].detail, list[i].detail_n), "at",
                      json_time(list[i].at_ms)));
    return out;
}

enum err device_show_call(struct call *c, struct db *db)
{
    struct product p;
    struct status s;
    struct device d;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        e = device_by_name(db, p.id, call_param(c, "device"), &d);
    if (e == ERR_OK)
        e = status_get(db, d.id, &s);
    if (e != ERR_OK)
        return e;
    c->out = json_device(db, p.name, &d);
    json_object_set_new(c->out, "user", json_user(&s));
    json_object_set_new(c->out, "capability", json_capability(db, &s));
    json_object_set_new(c->out, "events", json_events(db, d.id));
    json_object_set_new(c->out, "faults", json_faults(db, d.id));
    return ERR_OK;
}

struct explaining {
    struct db *db;
    int64_t now_ms;
    json_t *list;
};

/* When it may change, where time alone does it. */
static int64_t may_change(struct db *db, const struct explained *x, int64_t now_ms)
{
    struct rollout r;

    if (x->word != EXPLAIN_NOT_IN || rollout_by_id(db, x->release->rollout, &r) != ERR_OK)
        return 0;
    return rollout_due(&r, x->release->state, now_ms);
}

static json_t *json_hold(const struct hold *h)
{
    return h == NULL ? json_null() : json_pack("{s:i, s:s}", "id", h->id, "reason", h->reason);
}

static void add_explained(void *ctx, const struct explained *x)
{
    struct explaining *e = ctx;

    json_array_append_new(e->list,
                          json_pack("{s:i, s:i, s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "release",
                                    x->release->id, "rollout", x->release->rollout, "sequence",
                                    json_number((uint64_t)x->release->sequence), "component",
                                    json_hex(x->space->component, x->space->component_n), "runs",
                                    json_number((uint64_t)x->space->sequence), "verdict",
                                    explain_verdict(x->word), "because", explain_text(x->word),
                                    "hold", json_hold(x->hold), "may_change_at",
                                    json_time(may_change(e->db, x, e->now_ms))));
}

enum err device_explain_call(struct call *c, struct db *db)
{
    struct explaining x = { .db = db, .now_ms = c->now_ms };
    struct product p;
    struct device d;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        e = device_by_name(db, p.id, call_param(c, "device"), &d);
    if (e != ERR_OK)
        return e;
    x.list = json_array();
    c->out = json_pack("{s:s, s:s, s:b, s:o}", "product", p.name, "id", d.name, "revoked",
                       d.revoked_ms != 0, "releases", x.list);
    return device_explain(c->engine, db, &d, add_explained, &x);
}

struct page {
    struct db *db;
    const char *product;
    json_t *list;
    int limit;
    char last[DEVICE_NAME];
    bool more;
};

static bool add_device(void *ctx, const struct device *d)
{
    struct page *page = ctx;

    if ((int)json_array_size(page->list) == page->limit) {
        page->more = true;
        return false;
    }
    json_array_append_new(page->list, json_device(page->db, page->product, d));
    memcpy(page->last, d->name, sizeof page->last);
    return true;
}

enum err device_list_call(struct call *c, struct db *db)
{
    struct page page = { .db = db };
    const char *after = http_query(c->req, "after");
    const char *state = http_query(c->req, "state");
    enum device_filter filter = DEVICE_ALL;
    struct product p;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        e = call_page(c, &page.limit);
    if (e != ERR_OK)
        return e;
    if (state != NULL && strcmp(state, "active") == 0)
        filter = DEVICE_ACTIVE;
    else if (state != NULL && strcmp(state, "revoked") == 0)
        filter = DEVICE_REVOKED;
    else if (state != NULL)
        return call_bad(c, ERR_INVALID, "state", "must be active or revoked");
    page.product = p.name;
    page.list = json_array();
    c->out = json_pack("{s:o}", "devices", page.list);
    e = device_list(db, p.id, after != NULL ? after : "", filter, page.limit + 1, add_device,
                    &page);
    json_object_set_new(c->out, "next", page.more ? json_string(page.last) : json_null());
    return e;
}
