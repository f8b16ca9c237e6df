/* Status, audit, health, metrics. */

#include "api/call.h"
#include "base/strbuf.h"
#include "engine/rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct running_list {
    struct call *c;
    struct db *db;
    json_t *list;
};

static bool add_running(void *ctx, int32_t id)
{
    struct running_list *l = ctx;
    struct rollout r;

    if (rollout_by_id(l->db, id, &r) != ERR_OK)
        return true;
    if (call_scope(l->c, l->db, r.product) == ERR_OK)
        json_array_append_new(l->list, json_rollout(l->c, l->db, &r, false));
    l->c->field[0] = '\0';
    return true;
}

static json_t *warnings(struct call *c)
{
    json_t *list = json_array();
    unsigned anchors;

    pthread_rwlock_rdlock(&c->engine->trust_lock);
    anchors = trust_count(c->engine->trust);
    pthread_rwlock_unlock(&c->engine->trust_lock);
    if (anchors == 0)
        json_array_append_new(list, json_string("no trust anchor: no release can be published"));
    if (c->api->config.allow_test_keys)
        json_array_append_new(list, json_string("allow_test_keys is on"));
    if (c->api->config.public_url == NULL)
        json_array_append_new(list, json_string("public_url is not set: devices are told no "
                                                "support page unless the product has one"));
    return list;
}

enum err status_call(struct call *c, struct db *db)
{
    struct running_list l = { c, db, json_array() };
    int64_t products = 0, devices = 0, releases = 0, bytes = 0;
    enum err e = product_count(db, &products);

    if (e == ERR_OK)
        e = device_count(db, 0, &devices);
    if (e == ERR_OK)
        e = release_count(db, &releases);
    if (e == ERR_OK)
        e = artifact_row_sum(db, &bytes);
    if (e == ERR_OK)
        e = rollout_running(db, add_running, &l);
    c->out =
        json_pack("{s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "version", LAPEL_VERSION,
                  "started_at", json_time(c->engine->started_ms), "products", (json_int_t)products,
                  "devices", (json_int_t)devices, "releases", (json_int_t)releases, "rollouts",
                  l.list, "artifact_bytes", json_number((uint64_t)bytes), "warnings", warnings(c));
    return e;
}

static bool add_audit(void *ctx, const struct audit *a)
{
    struct id_page *p = ctx;

    if (id_page_full(p))
        return false;
    return id_page_add(p, a->id,
                       json_pack("{s:i, s:o, s:o, s:s, s:s, s:s, s:s, s:o}", "id", a->id, "at",
                                 json_time(a->at_ms), "token",
                                 a->credential != 0 ? json_integer(a->credential) : json_null(),
                                 "who", a->who, "act", a->act, "target", a->target, "detail",
                                 a->detail, "hash", json_hex(a->hash, sizeof a->hash)));
}

enum err audit_call(struct call *c, struct db *db)
{
    struct id_page p;
    int32_t after = 0;
    enum err e = id_page_open(c, db, "audit", 0, &p, &after);

    if (e != ERR_OK)
        return e;
    e = audit_list(db, after, p.limit + 1, add_audit, &p);
    id_page_close(&p);
    return e;
}

static void reply_text(struct call *c, int status, const char *text)
{
    http_reply_init(&c->reply, status);
    http_reply_copy_body(&c->reply, "text/plain; charset=utf-8", text, strlen(text));
    c->replied = true;
}

enum err health_call(struct call *c, struct db *db)
{
    (void)db;
    reply_text(c, 200, "ok\n");
    return ERR_OK;
}

enum err ready_call(struct call *c, struct db *db)
{
    int64_t n = 0;

    if (product_count(db, &n) != ERR_OK || atomic_load(&c->api->stopping))
        reply_text(c, 503, "not ready\n");
    else
        reply_text(c, 200, "ok\n");
    return ERR_OK;
}

static void metric(struct strbuf *b, const char *name, const char *type, const char *help,
                   long long value)
{
    strbuf_format(b, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name, value);
}

enum err metrics_call(struct call *c, struct db *db)
{
    struct strbuf b;
    struct http *http = atomic_load(&c->api->http);
    uint64_t commits = 0, jobs = 0;
    int64_t devices = 0;
    size_t n = 0;
    char *text;

    strbuf_init(&b);
    device_count(db, 0, &devices);
    store_counts(c->engine->store, &commits, &jobs);
    metric(&b, "lapel_devices", "gauge", "Devices known.", devices);
    metric(&b, "lapel_store_commits_total", "counter", "Commits.", (long long)commits);
    metric(&b, "lapel_store_changes_total", "counter", "Changes in them.", (long long)jobs);
    metric(&b, "lapel_pending", "gauge", "Changes that wait for the disk.",
           atomic_load(&c->api->pending));
    metric(&b, "lapel_known", "gauge", "Devices in memory.",
           (long long)known_count(c->engine->known));
    if (http != NULL)
        metric(&b, "lapel_connections", "gauge", "Open connections of devices.",
               http_connections(http, HTTP_DEVICE));
    strbuf_text(&b, "# HELP lapel_answers_total Answers by status.\n"
                    "# TYPE lapel_answers_total counter\n");
    for (int i = 2; i < 6; i++)
        strbuf_format(&b, "lapel_answers_total{status=\"%dxx\"} %llu\n", i,
                      (unsigned long long)__atomic_load_n(&c->api->answered[i], __ATOMIC_RELAXED));
    text = strbuf_take(&b, &n);
    strbuf_fini(&b);
    if (text == NULL)
        return FAIL(ERR_MEMORY, "metrics");
    http_reply_init(&c->reply, 200);
    http_reply_take_body(&c->reply, "text/plain; version=0.0.4", text, n);
    c->replied = true;
    return ERR_OK;
}
