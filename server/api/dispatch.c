/*
 * From a request to its handler and back.
 *
 *   begin   route → token → role → type and size; no body byte is taken before
 *   end     JSON → handler with a reader, or in the writer
 *   finish  reply: the JSON that the handler left, or the problem
 */

#include "api/call.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/product.h"
#include "engine/rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* --- Routes --- */

static bool take_param(struct call *c, const char *name, const char *value, size_t n)
{
    if (n == 0 || c->params_n == CALL_PARAMS ||
        !http_path_decode(value, n, c->param[c->params_n], CALL_PARAM))
        return false;
    c->param_name[c->params_n++] = name;
    return true;
}

static bool matches(struct call *c, const char *pattern, const char *path)
{
    c->params_n = 0;
    while (*pattern != '\0' && *path != '\0') {
        size_t n = strcspn(path, "/");

        if (*pattern == '{') {
            if (!take_param(c, pattern + 1, path, n))
                return false;
            pattern = strchr(pattern, '}') + 1;
            path += n;
        } else if (*pattern == *path) {
            pattern++;
            path++;
        } else {
            return false;
        }
    }
    return *pattern == *path;
}

static enum err find_route(struct call *c, char allow_out[64])
{
    static const char *const NAMES[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };
    enum http_method method = c->req->method == HTTP_HEAD ? HTTP_GET : c->req->method;
    bool path_known = false;

    allow_out[0] = '\0';
    for (size_t i = 0; i < ROUTES_N; i++) {
        if ((ROUTES[i].on >> c->req->listener & 1) == 0 ||
            !matches(c, ROUTES[i].path, c->req->path))
            continue;
        if (ROUTES[i].method == method) {
            c->route = &ROUTES[i];
            return ERR_OK;
        }
        path_known = true;
        snprintf(allow_out + strlen(allow_out), 64 - strlen(allow_out), "%s%s",
                 allow_out[0] != '\0' ? ", " : "", NAMES[ROUTES[i].method]);
    }
    return path_known ? ERR_METHOD : ERR_NOT_FOUND;
}

const char *call_param(const struct call *c, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < c->params_n; i++)
        if (strncmp(c->param_name[i], name, n) == 0 && c->param_name[i][n] == '}')
            return c->param[i];
    return "";
}

enum err call_id(struct call *c, int32_t *id_out)
{
    const char *text = call_param(c, "id");
    char *end = NULL;
    long id = strtol(text, &end, 10);

    if (text[0] < '1' || text[0] > '9' || *end != '\0' || id > INT32_MAX)
        return call_bad(c, ERR_NOT_FOUND, "id", "no such id");
    *id_out = (int32_t)id;
    return ERR_OK;
}

enum err call_page(struct call *c, int *limit_out)
{
    const char *text = http_query(c->req, "limit");
    char *end = NULL;
    long limit = text != NULL ? strtol(text, &end, 10) : 100;

    if (text != NULL && (text[0] < '1' || text[0] > '9' || *end != '\0' || limit > 1000))
        return call_bad(c, ERR_INVALID, "limit", "must be 1 to 1000");
    *limit_out = (int)limit;
    return ERR_OK;
}

enum err call_after_id(struct call *c, int32_t none, int32_t *after_out)
{
    const char *text = http_query(c->req, "after");
    char *end = NULL;
    long after = text != NULL ? strtol(text, &end, 10) : none;

    if (text != NULL && (text[0] < '0' || text[0] > '9' || *end != '\0' || after > INT32_MAX))
        return call_bad(c, ERR_INVALID, "after", "must be the next of an answer before");
    *after_out = (int32_t)after;
    return ERR_OK;
}

enum err id_page_open(struct call *c, struct db *db, const char *noun, int32_t none,
                      struct id_page *p_out, int32_t *after_out)
{
    struct id_page p = { .c = c, .db = db };
    enum err e = call_page(c, &p.limit);

    if (e == ERR_OK)
        e = call_after_id(c, none, after_out);
    if (e != ERR_OK)
        return e;
    p.list = json_array();
    c->out = json_pack("{s:o}", noun, p.list);
    *p_out = p;
    return ERR_OK;
}

bool id_page_full(struct id_page *p)
{
    p->more = (int)json_array_size(p->list) == p->limit;
    return p->more;
}

bool id_page_add(struct id_page *p, int64_t id, json_t *entry)
{
    json_array_append_new(p->list, entry);
    p->last = id;
    return true;
}

void id_page_close(struct id_page *p)
{
    json_object_set_new(p->c->out, "next",
                        p->more ? json_sprintf("%lld", (long long)p->last) : json_null());
}

/* --- Who --- */

/* The token of "Bearer <43 characters>", as its digest. */
static bool presented(const struct http_request *req, uint8_t digest_out[32])
{
    const char *value = http_header(req, "Authorization");

    return value != NULL && strncasecmp(value, "Bearer ", 7) == 0 &&
           token_digest(value + 7, strlen(value + 7), digest_out);
}

static bool is_loopback(const struct http_request *req)
{
    static const uint8_t V6[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
    static const uint8_t V4[13] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 };
    struct http_address source;

    http_source(req, &source);
    return memcmp(source.bytes, V6, 16) == 0 || memcmp(source.bytes, V4, 13) == 0;
}

/* A credential or a report must not cross a network in clear; a payload may where allowed. */
bool call_in_clear(const struct call *c)
{
    return !c->req->is_tls && !is_loopback(c->req);
}

static enum err who_device(struct call *c)
{
    if (http_header(c->req, "Authorization") == NULL) {
        c->asker = (struct asker){ .device = 0 };
        return call_in_clear(c) && (c->route->flags & ROUTE_IN_CLEAR) == 0 ? ERR_UNAUTHORIZED
                                                                           : ERR_OK;
    }
    if (call_in_clear(c) || !presented(c->req, c->digest))
        return ERR_UNAUTHORIZED;
    return device_authenticate(c->engine, c->digest, &c->asker);
}

static enum err who_operator(struct call *c)
{
    static const enum role ROLES[] = { [WHO_VIEWER] = ROLE_VIEWER,
                                       [WHO_PUBLISHER] = ROLE_PUBLISHER,
                                       [WHO_OPERATOR] = ROLE_OPERATOR,
                                       [WHO_ADMIN] = ROLE_ADMIN };
    enum err e;

    if (call_in_clear(c) || !presented(c->req, c->digest))
        return ERR_UNAUTHORIZED;
    if (c->route->who == WHO_BOOTSTRAP)
        return ERR_OK; /* decided in the writer, with its use */
    e = credential_check(c->engine, c->digest, c->now_ms, &c->actor);
    if (e != ERR_OK)
        return e;
    if (c->actor.role < ROLES[c->route->who])
        return call_bad(c, ERR_FORBIDDEN, "role", "this needs a stronger role");
    if ((c->route->flags & ROUTE_ALL_PRODUCTS) != 0 && c->actor.products[0] != '\0')
        return call_bad(c, ERR_FORBIDDEN, "product", "this needs a token for all products");
    if (call_param(c, "product")[0] != '\0' && !actor_reaches(&c->actor, call_param(c, "product")))
        return call_bad(c, ERR_FORBIDDEN, "product", "not in the scope of this token");
    return ERR_OK;
}

static enum err authenticate(struct call *c)
{
    switch (c->route->who) {
    case WHO_NOBODY:
        return ERR_OK;
    case WHO_DEVICE:
        return who_device(c);
    default:
        return who_operator(c);
    }
}

enum err call_product(struct call *c, struct db *db, struct product *product_out)
{
    enum err e = product_by_name(db, call_param(c, "product"), product_out);

    return e == ERR_NOT_FOUND ? call_bad(c, ERR_NOT_FOUND, "product", "no such product") : e;
}

enum err call_scope(struct call *c, struct db *db, int32_t product)
{
    struct product p;
    enum err e = c->actor.products[0] == '\0' ? ERR_OK : product_by_id(db, product, &p);

    if (e == ERR_OK && c->actor.products[0] != '\0' && !actor_reaches(&c->actor, p.name))
        return call_bad(c, ERR_FORBIDDEN, "product", "not in the scope of this token");
    return e;
}

/* --- Replies --- */

static void problem(struct call *c, struct http_reply *reply, enum err e, const char *detail,
                    const char *field)
{
    bool is_device = c->route != NULL && (c->route->on & ON_DEVICE) != 0;
    bool is_ours = err_status(e) >= 500;

    if (e == ERR_NOT_FOUND && c->params_n > 0 && field == NULL && c->field[0] == '\0') {
        const char *name = c->param_name[c->params_n - 1]; /* what the path ends in isn't there */

        snprintf(c->field, sizeof c->field, "%.*s", (int)strcspn(name, "}"), name);
    }
    if (c->field[0] != '\0')
        field = c->field;
    /* Our own faults stand in the log; a stranger is told no more than the status. */
    if (e == ERR_UNAUTHORIZED || is_ours || (is_device && err_status(e) != 400))
        detail = field = NULL;
    if (detail != NULL && detail[0] == '\0')
        detail = NULL;
    http_reply_problem(reply, e, detail, field);
    if (err_status(e) == 503)
        http_reply_retry_after(reply, c->retry_s != 0 ? c->retry_s : 5);
}

/* What the handler left, as the reply. */
static void answer(struct call *c, struct http_reply *reply)
{
    size_t flags = JSON_COMPACT | JSON_PRESERVE_ORDER;
    char *text;

    if (c->replied) {
        *reply = c->reply;
        c->replied = false;
        return;
    }
    http_reply_init(reply, c->status != 0 ? c->status : c->out != NULL ? 200 : 204);
    if (c->out == NULL)
        return;
    text = json_dumps(c->out, flags);
    json_decref(c->out);
    c->out = NULL;
    if (text == NULL)
        http_reply_problem(reply, ERR_MEMORY, NULL, NULL);
    else
        http_reply_take_body(reply, "application/json", text, strlen(text));
}

static void make_reply(struct call *c, enum err e, const char *detail, const char *field,
                       struct http_reply *reply)
{
    if (e == ERR_OK) {
        answer(c, reply);
        return;
    }
    if (c->replied)
        http_reply_fini(&c->reply);
    c->replied = false;
    problem(c, reply, e, detail, field);
}

void call_finish(struct call *c, enum err e, const char *detail, const char *field)
{
    struct http_reply reply;

    make_reply(c, e, detail, field, &reply);
    http_finish(c->req, &reply);
}

/* --- The writer --- */

static void forget_answer(struct call *c)
{
    json_decref(c->out);
    c->out = NULL;
    c->status = 0;
    c->field[0] = '\0';
    if (c->replied)
        http_reply_fini(&c->reply);
    c->replied = false;
}

static enum err job_run(struct store_job *job, struct db *db)
{
    struct call *c = (struct call *)job;

    forget_answer(c);
    return c->run(c, db);
}

static void job_done(struct store_job *job, enum err e)
{
    struct call *c = (struct call *)job;

    /* What stops a release must work on a full disk too. */
    if (e == ERR_FULL && !c->retried && (c->route->flags & ROUTE_URGENT) != 0 &&
        artifact_release_ballast(c->engine->artifacts)) {
        LOG_WARN("the disk is full: used the ballast for %s", c->route->path);
        c->retried = true;
        store_submit(c->engine->store, job);
        return;
    }
    atomic_fetch_sub(&c->api->pending, 1);
    if (e == ERR_OK && c->after != NULL)
        c->after(c);
    call_finish(c, e, c->job.detail, c->job.field);
}

void call_submit(struct call *c, enum err (*run)(struct call *c, struct db *db))
{
    atomic_fetch_add(&c->api->pending, 1);
    c->pending = true;
    c->run = run;
    c->job.run = job_run;
    c->job.done = job_done;
    store_submit(c->engine->store, &c->job);
}

/* --- The dispatcher --- */

static bool type_fits(const struct http_request *req, const char *type)
{
    const char *given = http_header(req, "Content-Type");
    size_t n = strlen(type);

    return given != NULL && strncasecmp(given, type, n) == 0 &&
           (given[n] == '\0' || given[n] == ';' || given[n] == ' ');
}

/* The first refusal, in the order route, who, role, size, type. */
static enum err admit(struct call *c, char allow[64])
{
    enum err e = find_route(c, allow);

    if (e == ERR_OK)
        e = authenticate(c);
    if (e != ERR_OK)
        return e;
    if (c->req->body_length > c->route->limit)
        return call_bad(c, c->route->limit == 0 ? ERR_INVALID : ERR_TOO_LARGE, "body",
                        c->route->limit == 0 ? "no body belongs here" : "at most %lld bytes",
                        (long long)c->route->limit);
    if (c->req->body_length > 0 && !type_fits(c->req, c->route->type))
        return call_bad(c, ERR_TYPE, "Content-Type", "must be %s", c->route->type);
    return ERR_OK;
}

static void refuse(struct call *c, enum err e, const char *allow, struct http_reply *reply)
{
    uint32_t retry_s = 0;

    if (e == ERR_UNAUTHORIZED && guard_failed(c->req, c->now_ms, &retry_s)) {
        http_reply_problem(reply, ERR_RATE, NULL, NULL);
        http_reply_retry_after(reply, retry_s);
        return;
    }
    problem(c, reply, e, err_detail(), err_field());
    if (e == ERR_METHOD)
        http_reply_header(reply, "Allow", "%s", allow);
}

static enum http_verdict begin(void *app, struct http_request *req, struct http_accept *accept,
                               struct http_reply *reply)
{
    struct api *api = app;
    struct call *c = calloc(1, sizeof *c);
    char allow[64];
    enum err e;

    err_clear();
    if (c == NULL) {
        http_reply_problem(reply, ERR_MEMORY, NULL, NULL);
        return HTTP_REPLY;
    }
    c->api = api;
    c->engine = api->engine;
    c->req = req;
    c->now_ms = clock_now_ms();
    req->user = c; /* freed in done */
    e = admit(c, allow);
    if (e != ERR_OK) {
        refuse(c, e, allow, reply);
        return HTTP_REPLY;
    }
    accept->limit = c->route->limit;
    if (c->route->handler == upload_call && upload_begin(c, accept) == HTTP_REPLY) {
        *reply = c->reply;
        c->replied = false;
        return HTTP_REPLY;
    }
    return HTTP_ACCEPT;
}

static enum err parse_json(struct call *c)
{
    json_error_t error;

    if (c->route->type == NULL || strcmp(c->route->type, "application/json") != 0 ||
        c->req->body_size == 0)
        return ERR_OK;
    c->in =
        json_loadb((const char *)c->req->body, c->req->body_size, JSON_REJECT_DUPLICATES, &error);
    if (c->in == NULL)
        return call_bad(c, ERR_MALFORMED, "body", "line %d: %s", error.line, error.text);
    return ERR_OK;
}

static enum http_verdict end(void *app, struct http_request *req, struct http_reply *reply)
{
    struct api *api = app;
    struct call *c = req->user;
    struct db *db;
    enum err e;

    err_clear();
    e = parse_json(c);
    if (e == ERR_OK && c->route->kind == KIND_WRITE) {
        call_submit(c, c->route->handler);
        return HTTP_PENDING;
    }
    if (e == ERR_OK) {
        db = store_reader(api->engine->store);
        e = db == NULL ? ERR_DB : c->route->handler(c, db);
    }
    if (c->pending) /* c may be gone already */
        return HTTP_PENDING;
    make_reply(c, e, err_detail(), err_field(), reply);
    return HTTP_REPLY;
}

static void done(void *app, struct http_request *req, int status, bool sent)
{
    struct api *api = app;
    struct call *c = req->user;

    (void)sent;
    if (status >= 100 && status < 600)
        __atomic_fetch_add(&api->answered[status / 100], 1, __ATOMIC_RELAXED);
    if (c == NULL)
        return;
    forget_answer(c);
    json_decref(c->in);
    artifact_abort(c->upload);
    free(c->checkin);
    free(c);
    req->user = NULL;
}

/* Every change that waits is answered; then nothing is pending. */
static void drain(void *app)
{
    struct api *api = app;
    const struct timespec pause = { 0, 2 * 1000 * 1000 };

    atomic_store(&api->stopping, true);
    while (atomic_load(&api->pending) > 0 || atomic_load(&api->slow) > 0)
        nanosleep(&pause, NULL);
}

void api_dispatcher(struct api *api, struct http_dispatcher *dispatcher_out)
{
    *dispatcher_out = (struct http_dispatcher){
        .app = api, .begin = begin, .end = end, .done = done, .drain = drain
    };
}

/* --- Life --- */

static void kill_release(void *ctx, int32_t release)
{
    struct api *api = ctx;
    struct http *http = atomic_load(&api->http);

    if (http != NULL)
        http_kill_tag(http, release);
}

enum err api_open(const struct api_config *config, struct api **api_out)
{
    struct api *api = calloc(1, sizeof *api);
    struct engine_config engine;
    enum err e;

    if (api == NULL)
        return FAIL(ERR_MEMORY, "application");
    api->config = *config;
    if (api->config.max_pending == 0)
        api->config.max_pending = 10000;
    engine = (struct engine_config){ .data_dir = config->data_dir,
                                     .public_url = config->public_url,
                                     .trust_dir = config->trust_dir,
                                     .allow_test_keys = config->allow_test_keys,
                                     .ballast = config->ballast,
                                     .checkins = config->checkins,
                                     .online_key = config->online_key,
                                     .statement_max_age_s = config->statement_max_age_s,
                                     .statement_stale_after_s = config->statement_stale_after_s,
                                     .backup_keep_ms = config->backup_keep_ms,
                                     .kill = kill_release,
                                     .ctx = api };
    json_object_seed(0); /* once, before the threads */
    e = trust_start();
    if (e == ERR_OK)
        e = engine_open(&engine, &api->engine);
    if (e == ERR_OK)
        e = bootstrap_start(api->engine, clock_now_ms());
    if (e != ERR_OK) {
        api_close(api);
        return e;
    }
    if (config->allow_test_keys)
        LOG_WARN("allow_test_keys is on: anybody can sign what devices install");
    *api_out = api;
    return ERR_OK;
}

void api_attach(struct api *api, struct http *http)
{
    atomic_store(&api->http, http);
}

enum err api_reload(struct api *api)
{
    return engine_reload(api->engine);
}

enum err api_bootstrap(struct api *api)
{
    return bootstrap_make(api->engine, clock_now_ms());
}

void api_close(struct api *api)
{
    if (api == NULL)
        return;
    engine_close(api->engine);
    free(api);
}

void api_print_routes(FILE *out)
{
    static const char *const METHODS[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };
    static const char *const WHO[] = { "nobody",    "bootstrap", "device", "viewer",
                                       "publisher", "operator",  "admin" };

    for (size_t i = 0; i < ROUTES_N; i++)
        fprintf(out, "%-6s %-52s %-9s %11lld  %s\n", METHODS[ROUTES[i].method], ROUTES[i].path,
                WHO[ROUTES[i].who], (long long)ROUTES[i].limit, ROUTES[i].summary);
}
