/* The health check of a running server, for containers that have no other HTTP client. */
#ifndef HTTP_PROBE_H
#define HTTP_PROBE_H

#include "base/err.h"

/*
 * Ask the operator listener that data_dir/endpoints names for /healthz, within 5 seconds.
 * ERR_OK: it answered 200. ERR_NOT_FOUND: no server has started here. Else: said in the log.
 */
enum err probe(const char *data_dir);

#endif
