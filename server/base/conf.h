/*
 * Configuration: one table of keywords (conf.c) fills one struct, from the file and from the command
 * line alike. The table also makes --print-config and the checks.
 *
 *   (1) Nothing of a file is applied unless the whole file could be read.
 *   (2) An unknown keyword, a keyword given twice, and a value out of its limits are errors that
 *       name the file, the line and the keyword.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum conf_tls { CONF_TLS_OFF, CONF_TLS_ON, CONF_TLS_AUTO };

struct conf_listen {
    char *listen; /* "host:port", empty: off */
    int64_t tls;  /* enum conf_tls */
    char *cert;
    char *key;
    int64_t threads;
    int64_t connections;
};

/* Texts belong to the struct and are never NULL after conf_init; durations are milliseconds. */
struct conf {
    char *data_dir;
    char *public_url;
    char *trusted_proxies;
    int64_t log_level; /* enum log_level */

    struct conf_listen device, operator_, public_;

    int64_t header_timeout, body_timeout, response_timeout, idle_timeout;
    int64_t min_rate;
    int64_t checkins; /* a second; 0: no limit */

    char *trust_dir;
    bool allow_test_keys;
    int64_t ballast; /* bytes */
    char *online_key;
    int64_t statement_max_age, statement_stale_after; /* the second 0: by the poll */
    int64_t backup_keep;
    int64_t max_pending;

    uint64_t given; /* which rows of the table were set, bit by bit */
};

/* The defaults. Ends the program when memory runs out, as nothing else can be done then. */
void conf_init(struct conf *c);
void conf_fini(struct conf *c);

/* Read a file in INI form. ERR_CONFIG: logged, with file, line and keyword; *c is unchanged. */
enum err conf_load(struct conf *c, const char *file);

/* Set one keyword, "device.listen=127.0.0.1:8443"; wins over a file read before or after. */
enum err conf_set(struct conf *c, const char *assignment);

/* Rules that need more than one keyword. ERR_CONFIG: logged */
enum err conf_check(const struct conf *c);

/* Print every keyword with its value, in the form of the file; `help` adds what each is for. */
void conf_print(const struct conf *c, FILE *out, bool help);

/* Is TLS spoken on this listener? AUTO is: not on a loopback address. */
bool conf_uses_tls(const struct conf_listen *l);

#endif
