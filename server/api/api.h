/*
 * The application behind the listeners: routes, and what they stand on. The border between main and
 * api/. main opens it, hands its dispatcher to http/, and closes it after http_stop.
 */
#ifndef API_API_H
#define API_API_H

#include "base/conf.h"
#include "base/err.h"
#include "http/http.h"

#include <stdio.h>

struct app;

/*
 * Open store, artifacts and trust, and start the writer. On a first start this leaves the bootstrap
 * token (see api_bootstrap).
 *
 *   conf  must live until app_close
 *
 * Errors are already logged.
 */
enum err app_open(const struct conf *conf, struct app **app_out);

/* The dispatcher, valid until app_close. Its drain finishes every pending request. */
const struct http_dispatcher *api_dispatcher(struct app *app);

/* The listeners run: a halt may now cut replies off (http_kill_tag). NULL before they stop. */
void app_attach(struct app *app, struct http *http);

/* SIGHUP: read trust anchors and pages again. On error the old ones stay. */
enum err app_reload(struct app *app);

/* Close everything; what was acknowledged is on disk. NULL is fine. */
void app_close(struct app *app);

/* Write a new bootstrap token to data_dir/bootstrap-token (0600), good for one use within an hour.
   ERR_STATE: there is an admin already. */
enum err api_bootstrap(struct app *app);

/* Print the table of routes, one a line. Needs no open app. */
void api_print_routes(FILE *out);

#endif
