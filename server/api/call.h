/*
 * One request on its way: from the route that takes it to the reply.
 *
 *     dispatch_begin  route, who, role, size ─► dispatch_end ─► handler ─► reply
 *
 * A handler turns JSON or bytes into values, calls one function of engine/, and turns values back.
 * Those of KIND_WRITE run in the writer's transaction; their reply leaves after the COMMIT.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/api.h"
#include "engine/device.h"
#include "engine/engine.h"

#include <jansson.h>
#include <stdatomic.h>

struct call;

enum route_who {
    WHO_NOBODY, /* anybody */
    WHO_BOOTSTRAP,
    WHO_DEVICE, /* a device's token, or none */
    WHO_VIEWER,
    WHO_PUBLISHER,
    WHO_OPERATOR,
    WHO_ADMIN
};

enum route_kind {
    KIND_READ,  /* handler with a reader */
    KIND_WRITE, /* handler in the writer */
    KIND_OWN    /* handler sees to it all, db is a reader; may leave the call pending */
};

/* On the listeners of a route; the operator's serves the public pages too. */
enum {
    ON_DEVICE = 1 << HTTP_DEVICE,
    ON_OPERATOR = 1 << HTTP_OPERATOR,
    ON_PUBLIC = 1 << HTTP_PUBLIC
};

enum { ROUTE_ALL_PRODUCTS = 1, ROUTE_URGENT = 2, ROUTE_IN_CLEAR = 4 };

struct route {
    unsigned on;
    enum http_method method;
    const char *path; /* "{name}" takes one segment */
    enum route_who who;
    int64_t limit;
    const char *type; /* of the body; NULL: none */
    enum route_kind kind;
    enum err (*handler)(struct call *c, struct db *db);
    const char *summary;
    unsigned flags;
};

extern const struct route ROUTES[];
extern const size_t ROUTES_N;

enum { CALL_PARAMS = 3, CALL_PARAM = 200, CALL_FIELD = 80 };

struct call {
    struct store_job job; /* first: the job is the call */
    struct api *api;
    struct engine *engine;
    struct http_request *req;
    const struct route *route;
    struct actor actor; /* operators */
    struct asker asker; /* devices */
    uint8_t digest[32]; /* of the token that was presented */
    int64_t now_ms;
    char param[CALL_PARAMS][CALL_PARAM];
    const char *param_name[CALL_PARAMS];
    size_t params_n;

    json_t *in;  /* body as JSON, NULL when there is none */
    json_t *out; /* answer, taken by the reply */
    int status;
    struct http_reply reply; /* for handlers that answer otherwise than by JSON */
    bool replied;
    uint32_t retry_s;                               /* with a 503; 0: five seconds */
    bool pending;                                   /* KIND_OWN: somebody will call call_finish */
    bool retried;                                   /* with the ballast's room */
    char field[CALL_FIELD];                         /* at fault; empty: the one that FAIL named */
    enum err (*run)(struct call *c, struct db *db); /* in the writer */
    void (*after)(struct call *c);                  /* after the COMMIT, before the reply */

    struct artifact_upload *upload;
    uint8_t payload[32];
    struct checkin *checkin;
};

struct api {
    struct api_config config;
    struct engine *engine;
    _Atomic(struct http *) http;
    atomic_uint pending; /* changes that wait for the disk */
    atomic_uint slow;    /* uploads being synced */
    atomic_bool stopping;
    uint64_t answered[6]; /* by hundreds of the status; relaxed, for metrics */
};

/* Did it cross a network without TLS? Loopback is no network, a trusted proxy counts as its hop. */
bool call_in_clear(const struct call *c);
/* The value of "{name}", never NULL. */
const char *call_param(const struct call *c, const char *name);
/* The product of the path, in scope of the token. ERR_NOT_FOUND */
enum err call_product(struct call *c, struct db *db, struct product *product_out);
/* Is this product in the scope of the token? ERR_FORBIDDEN */
enum err call_scope(struct call *c, struct db *db, int32_t product);
/* A number in the path, 1 to 2^31-1. ERR_NOT_FOUND: none */
enum err call_id(struct call *c, int32_t *id_out);
/* 64 hex digits in the path. ERR_INVALID */
enum err call_digest(struct call *c, const char *name, uint8_t digest_out[32]);

/* ?limit= and ?after=. */
enum err call_page(struct call *c, int *limit_out);
enum err call_after_id(struct call *c, int32_t none, int32_t *after_out);

/* A page of a list by number. */
struct id_page {
    struct call *c;
    struct db *db;
    json_t *list; /* borrowed from c->out */
    int limit;
    int64_t last;
    bool more;
};

/*
 * Begin the answer {noun: []} with ?limit= and ?after=; without the latter `none`. The caller asks
 * the store for what comes after `after_out`, one more than the limit.
 */
enum err id_page_open(struct call *c, struct db *db, const char *noun, int32_t none,
                      struct id_page *p_out, int32_t *after_out);
/* Has it all it may have? Then there are more. */
bool id_page_full(struct id_page *p);
/* Takes `entry`. Always true: go on. */
bool id_page_add(struct id_page *p, int64_t id, json_t *entry);
/* Add "next". */
void id_page_close(struct id_page *p);

/* Name the field at fault: FAIL of e with text, and the name kept. */
enum err call_bad(struct call *c, enum err e, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Answer a pending call: ERR_OK with what the handler left, else the problem. From any thread. */
void call_finish(struct call *c, enum err e, const char *detail, const char *field);
/* In the writer with this function; the call is pending from here on. */
void call_submit(struct call *c, enum err (*run)(struct call *c, struct db *db));

/* --- Reading JSON: the first error sticks, fields_end refuses what nobody asked for. --- */

enum { FIELDS_ASKED = 24 };
struct fields {
    struct call *c;
    json_t *object;
    char path[40]; /* "waves[1]." */
    const char *asked[FIELDS_ASKED];
    size_t asked_n;
    enum err err;
};

/* NULL is an empty object; anything else that is no object is an error. */
void fields_open(struct fields *f, struct call *c, json_t *object, const char *path);
/* True when it is there and good. `required` makes its absence an error. */
bool field_text(struct fields *f, const char *name, bool required, size_t min, size_t max,
                char *text_out);
bool field_int(struct fields *f, const char *name, bool required, int64_t min, int64_t max,
               int64_t *value_out);
bool field_real(struct fields *f, const char *name, bool required, double *value_out);
bool field_bool(struct fields *f, const char *name, bool *value_out);
bool field_hex(struct fields *f, const char *name, void *bytes_out, size_t n);
/* The value as it is; NULL when absent. */
json_t *field_any(struct fields *f, const char *name);
void field_bad(struct fields *f, const char *name, const char *why);
enum err fields_end(struct fields *f);
/* {} or {"reason": "…"}; empty when none. */
enum err field_reason(struct call *c, char reason_out[512]);

/* --- Writing JSON --- */

json_t *json_time(int64_t ms);       /* null for 0 */
json_t *json_number(uint64_t value); /* as a string */
json_t *json_hex(const void *bytes, size_t n);
json_t *json_uuid(const uint8_t uuid[16]);
json_t *json_month(int32_t month);
json_t *json_rollout(struct call *c, struct db *db, const struct rollout *rollout, bool whole);
json_t *json_product(struct call *c, struct db *db, const struct product *product);

/* --- Handlers --- */

enum err bootstrap_call(struct call *c, struct db *db);
enum err token_list_call(struct call *c, struct db *db);
enum err token_make_call(struct call *c, struct db *db);
enum err token_revoke_call(struct call *c, struct db *db);
enum err product_list_call(struct call *c, struct db *db);
enum err product_set_call(struct call *c, struct db *db);
enum err product_show_call(struct call *c, struct db *db);
enum err device_add_call(struct call *c, struct db *db);
enum err device_list_call(struct call *c, struct db *db);
enum err device_show_call(struct call *c, struct db *db);
enum err device_explain_call(struct call *c, struct db *db);
enum err device_rotate_call(struct call *c, struct db *db);
enum err device_revoke_call(struct call *c, struct db *db);
enum err device_forget_call(struct call *c, struct db *db);
enum err hold_add_call(struct call *c, struct db *db);
enum err hold_list_call(struct call *c, struct db *db);
enum err hold_remove_call(struct call *c, struct db *db);
enum err upload_call(struct call *c, struct db *db);
enum err payload_ask_call(struct call *c, struct db *db);
enum err release_publish_call(struct call *c, struct db *db);
enum err release_list_call(struct call *c, struct db *db);
enum err release_show_call(struct call *c, struct db *db);
enum err release_envelope_call(struct call *c, struct db *db);
enum err release_withdraw_call(struct call *c, struct db *db);
enum err rollout_create_call(struct call *c, struct db *db);
enum err rollout_list_call(struct call *c, struct db *db);
enum err rollout_show_call(struct call *c, struct db *db);
enum err rollout_start_call(struct call *c, struct db *db);
enum err rollout_pause_call(struct call *c, struct db *db);
enum err rollout_resume_call(struct call *c, struct db *db);
enum err rollout_halt_call(struct call *c, struct db *db);
enum err rollout_abort_call(struct call *c, struct db *db);
enum err rollout_advance_call(struct call *c, struct db *db);
enum err rollout_decisions_call(struct call *c, struct db *db);
enum err status_call(struct call *c, struct db *db);
enum err audit_call(struct call *c, struct db *db);
enum err site_call(struct call *c, struct db *db);
enum err health_call(struct call *c, struct db *db);
enum err ready_call(struct call *c, struct db *db);
enum err metrics_call(struct call *c, struct db *db);
enum err checkin_call(struct call *c, struct db *db);
enum err manifest_call(struct call *c, struct db *db);
enum err manifest_text_call(struct call *c, struct db *db);
enum err payload_call(struct call *c, struct db *db);
enum err report_call(struct call *c, struct db *db);
enum err trust_call(struct call *c, struct db *db);
enum err trust_publish_call(struct call *c, struct db *db);
enum err trust_list_call(struct call *c, struct db *db);
enum err device_delete_call(struct call *c, struct db *db);
enum err online_key_call(struct call *c, struct db *db);
enum err statement_call(struct call *c, struct db *db);
enum err channel_call(struct call *c, struct db *db);
enum err payload_content_call(struct call *c, struct db *db);
enum err support_call(struct call *c, struct db *db);
enum err support_list_call(struct call *c, struct db *db);
enum err security_txt_call(struct call *c, struct db *db);

/* upload.c, at the headers: open the file that the body goes to, or answer. */
enum http_verdict upload_begin(struct call *c, struct http_accept *accept);

/* guard.c: failed authentication by source. True when this source fails too often. */
bool guard_failed(const struct http_request *req, int64_t now_ms, uint32_t *retry_s_out);

#endif
