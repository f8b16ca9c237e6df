/*
 * What main sees of the application: open it, hand its dispatcher to http, tell it of http, close.
 *
 *     api_open ─► api_dispatcher ─► http_start ─► api_attach ─► … ─► http_stop ─► api_close
 */
#ifndef API_API_H
#define API_API_H

#include "base/err.h"
#include "http/http.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct api;

/* Strings live until api_close. */
struct api_config {
    const char *data_dir;   /* exists, 0750; database, payloads and bootstrap-token live in it */
    const char *public_url; /* "https://updates.example.com", without a slash at the end; or NULL */
    const char *trust_dir;  /* PEM public keys; NULL: <data_dir>/anchors */
    bool allow_test_keys;   /* take keys that everybody can sign with. For tests only */
    uint32_t checkins;      /* a second; 0: no limit */
    int64_t ballast;        /* bytes kept free for bad days; 0: none */
    const char *online_key; /* PEM, signs statements; NULL: <data_dir>/online-key.pem */
    uint32_t statement_max_age_s, statement_stale_after_s; /* 0 for the second: by the poll */
    int64_t backup_keep_ms; /* when the last backup of today is gone; for erase receipts */
    unsigned max_pending;   /* changes that wait for the disk before devices get 503; 0: 10000 */
};

/*
 * Open database, payloads and anchors, and start the writer. On the first start, and as long as
 * no admin exists and none is valid, a bootstrap token is left in <data_dir>/bootstrap-token.
 *
 * ERR_CONFIG, ERR_DB, ERR_IO, ERR_MEMORY: already logged, nothing runs
 */
enum err api_open(const struct api_config *config, struct api **api_out);

void api_dispatcher(struct api *api, struct http_dispatcher *dispatcher_out);

/* http runs: halts can end its replies now. Call it before the first operator could halt. */
void api_attach(struct api *api, struct http *http);

/* Read the trust anchors again. On error the old ones stay. */
enum err api_reload(struct api *api);

/* Make a new bootstrap token. ERR_CONFLICT: an admin exists */
enum err api_bootstrap(struct api *api);

/* Finish every change that waits, and close. After http_stop. NULL is fine. */
void api_close(struct api *api);

/* The table of routes, one line each: method, path, role, limit, summary. */
void api_print_routes(FILE *out);

#endif
