/*
 * lapeld: options, configuration, signals. Opens the application, hands its dispatcher to the
 * listeners, and waits.
 *
 *   signal            act
 *   SIGTERM, SIGINT   stop: no new requests, replies under way go out, exit 0
 *   SIGHUP            read certificates and trust anchors again; connections stay
 */
#include "api/api.h"
#include "base/conf.h"
#include "base/log.h"
#include "http/http.h"
#include "http/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/lapel/lapeld.conf"

enum { EXIT_USAGE = 2 };

/* --- What stands in the data folder --- */

/* Make the folder when it isn't there, and hold it for this process alone. */
static enum err hold_data_dir(const char *dir, int *lock_out)
{
    char path[512];
    int fd;

    if (mkdir(dir, 0750) < 0 && errno != EEXIST)
        return FAIL(ERR_CONFIG, "data_dir: %s: %s", dir, strerror(errno));
    snprintf(path, sizeof path, "%s/lock", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return FAIL(ERR_CONFIG, "data_dir: %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return FAIL(ERR_CONFIG, "data_dir: %s is in use by another lapeld", dir);
    }
    *lock_out = fd;
    return ERR_OK;
}

static const struct conf_listen *listen_of(const struct conf *c, enum http_listener which)
{
    return which == HTTP_DEVICE ? &c->device : which == HTTP_OPERATOR ? &c->operator_ : &c->public_;
}

/* What a server that ended left behind would mislead. */
static void remove_endpoints(const struct conf *c)
{
    char path[512];

    snprintf(path, sizeof path, "%s/endpoints", c->data_dir);
    unlink(path);
}

/* Say where the listeners are, in the log and in the file that --probe reads. */
static enum err write_endpoints(const struct conf *c, const struct http *http)
{
    static const char *const NAMES[] = { "device", "operator", "public" };
    char path[512];
    char tmp[520];
    FILE *f;

    snprintf(path, sizeof path, "%s/endpoints", c->data_dir);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    f = fopen(tmp, "we");
    if (f == NULL)
        return FAIL(ERR_IO, "%s: %s", tmp, strerror(errno));
    for (int i = 0; i < HTTP_LISTENERS; i++) {
        const struct conf_listen *l = listen_of(c, (enum http_listener)i);
        const char *colon = strrchr(l->listen, ':');
        const char *scheme = conf_uses_tls(l) ? "https" : "http";
        int n = colon != NULL ? (int)(colon - l->listen) : 0;
        unsigned port = http_port(http, (enum http_listener)i);

        if (port == 0)
            continue;
        LOG_INFO("%s listens on %s://%.*s:%u", NAMES[i], scheme, n, l->listen, port);
        if (n == 1 || strncmp(l->listen, "0.0.0.0", 7) == 0 || strncmp(l->listen, "[::]", 4) == 0)
            fprintf(f, "%s %s://127.0.0.1:%u\n", NAMES[i], scheme, port);
        else
            fprintf(f, "%s %s://%.*s:%u\n", NAMES[i], scheme, n, l->listen, port);
    }
    if (fclose(f) != 0 || rename(tmp, path) < 0)
        return FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    return ERR_OK;
}

/* --- Running --- */

/* Tell the service manager, when there is one (sd_notify(3)). */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    socklen_t size;
    int fd;

    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof sa.sun_path)
        return;
    memcpy(sa.sun_path, path, strlen(path));
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        sa.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, state, strlen(state), 0, (const struct sockaddr *)&sa, size) < 0)
        LOG_WARN("service manager: %s", strerror(errno));
    close(fd);
}

static struct http_config http_config_of(const struct conf *c)
{
    struct http_config h = {
        .data_dir = c->data_dir,
        .public_url = c->public_url,
        .trusted_proxies = c->trusted_proxies,
        .header_ms = c->header_timeout,
        .body_ms = c->body_timeout,
        .response_ms = c->response_timeout,
        .idle_ms = c->idle_timeout,
        .min_rate = c->min_rate,
    };

    for (int i = 0; i < HTTP_LISTENERS; i++) {
        const struct conf_listen *l = listen_of(c, (enum http_listener)i);

        h.listen[i] = (struct http_listen){ .address = l->listen,
                                            .tls = conf_uses_tls(l),
                                            .cert_file = l->cert,
                                            .key_file = l->key,
                                            .threads = (unsigned)l->threads,
                                            .connections = (unsigned)l->connections };
    }
    return h;
}

static enum err open_api(const struct conf *c, struct api **api_out)
{
    const struct api_config config = {
        .data_dir = c->data_dir,
        .public_url = c->public_url[0] != '\0' ? c->public_url : NULL,
        .trust_dir = c->trust_dir[0] != '\0' ? c->trust_dir : NULL,
        .allow_test_keys = c->allow_test_keys,
        .ballast = c->ballast,
        .checkins = (uint32_t)c->checkins,
        .online_key = c->online_key[0] != '\0' ? c->online_key : NULL,
        .statement_max_age_s = (uint32_t)(c->statement_max_age / 1000),
        .statement_stale_after_s = (uint32_t)(c->statement_stale_after / 1000),
        .backup_keep_ms = c->backup_keep,
        .max_pending = (unsigned)c->max_pending,
    };

    return api_open(&config, api_out);
}

/* Wait for signals until one says stop. */
static void wait_for_stop(const sigset_t *signals, struct api *api, struct http *http)
{
    int signal_number = 0;

    while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP) {
        notify("RELOADING=1");
        if (http_reload(http) == ERR_OK && api_reload(api) == ERR_OK)
            LOG_INFO("read certificates and trust anchors again");
        notify("READY=1");
    }
    LOG_INFO("stopping");
    notify("STOPPING=1");
}

static enum err serve(const struct conf *c)
{
    struct http_config config = http_config_of(c);
    struct http_dispatcher dispatcher;
    struct http *http = NULL;
    struct api *api = NULL;
    sigset_t signals;
    int lock = -1;
    enum err e;

    /* Before the first thread, so that all inherit it and sigwait gets them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    e = hold_data_dir(c->data_dir, &lock);
    if (e == ERR_OK) {
        remove_endpoints(c);
        e = open_api(c, &api);
    }
    if (e == ERR_OK) {
        api_dispatcher(api, &dispatcher);
        e = http_start(&config, &dispatcher, &http);
    }
    if (e == ERR_OK) {
        api_attach(api, http);
        e = write_endpoints(c, http);
    }
    if (e == ERR_OK) {
        notify("READY=1");
        wait_for_stop(&signals, api, http);
    }
    http_stop(http);
    api_close(api);
    if (lock >= 0) {
        remove_endpoints(c);
        close(lock);
    }
    if (e == ERR_OK)
        LOG_INFO("stopped");
    return e;
}

static enum err bootstrap(const struct conf *c)
{
    struct api *api = NULL;
    int lock = -1;
    /* Not beside a server: opening the folder throws uploads away, and its clock opens waves. */
    enum err e = hold_data_dir(c->data_dir, &lock);

    if (e == ERR_OK)
        e = open_api(c, &api);
    if (e == ERR_OK)
        e = api_bootstrap(api);
    if (e == ERR_CONFLICT)
        fprintf(stderr, "lapeld: there is an admin already\n");
    api_close(api);
    if (lock >= 0)
        close(lock);
    return e;
}

/* --- Options --- */

enum act { SERVE, CHECK, PRINT_CONFIG, ROUTES, BOOTSTRAP, RESTORE, PROBE, VERSION, HELP };

struct options {
    enum act act;
    const char *config;
    const char *set[32];
    int set_n;
};

/* clang-format off */
static const struct {
    struct option option;
    const char *argument, *help;
} OPTIONS[] = {
  { { "config",       required_argument, NULL, 'c' },          "FILE",  "read this file (" DEFAULT_CONFIG " if it is there)" },
  { { "set",          required_argument, NULL, 's' },          "NAME=VALUE", "set a keyword of the file, for example device.listen=*:443" },
  { { "check",        no_argument, NULL, 256 + CHECK },        "",      "check the configuration, and exit" },
  { { "print-config", no_argument, NULL, 256 + PRINT_CONFIG }, "",      "print the configuration in use, with what each keyword is for" },
  { { "routes",       no_argument, NULL, 256 + ROUTES },       "",      "print every route, who may use it, and its limits" },
  { { "bootstrap",    no_argument, NULL, 256 + BOOTSTRAP },    "",      "write a new bootstrap token, while no admin exists" },
  { { "restore",      required_argument, NULL, 256 + RESTORE },"FILE",  "restore a backup (not supported yet)" },
  { { "probe",        no_argument, NULL, 256 + PROBE },        "",      "ask the running server for its health; exit 0 when it is well" },
  { { "version",      no_argument, NULL, 256 + VERSION },      "",      "print the version" },
  { { "help",         no_argument, NULL, 256 + HELP },         "",      "print this" },
};
/* clang-format on */

enum { OPTIONS_N = sizeof OPTIONS / sizeof *OPTIONS };

static void print_help(FILE *out)
{
    fputs("lapeld [OPTION...]: the update server\n\n", out);
    for (int i = 0; i < OPTIONS_N; i++) {
        char left[40];

        snprintf(left, sizeof left, "--%s %s", OPTIONS[i].option.name, OPTIONS[i].argument);
        fprintf(out, "  %-22s %s\n", left, OPTIONS[i].help);
    }
}

/* False when the options make no sense; said on standard error. */
static bool read_options(int argc, char **argv, struct options *o)
{
    struct option list[OPTIONS_N + 1] = { { 0 } };
    int c;

    for (int i = 0; i < OPTIONS_N; i++)
        list[i] = OPTIONS[i].option;
    while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
        if (c == '?')
            return false;
        if (c == 'c') {
            o->config = optarg;
        } else if (c == 's') {
            if (o->set_n == (int)(sizeof o->set / sizeof *o->set)) {
                fprintf(stderr, "lapeld: too many --set\n");
                return false;
            }
            o->set[o->set_n++] = optarg;
        } else if (o->act != SERVE) {
            fprintf(stderr, "lapeld: one act at a time\n");
            return false;
        } else {
            o->act = (enum act)(c - 256);
        }
    }
    if (optind < argc)
        fprintf(stderr, "lapeld: unexpected argument: %s\n", argv[optind]);
    return optind == argc;
}

static enum err read_config(const struct options *o, struct conf *c)
{
    const char *file = o->config;
    enum err e = ERR_OK;

    if (file == NULL && access(DEFAULT_CONFIG, F_OK) == 0)
        file = DEFAULT_CONFIG;
    for (int i = 0; i < o->set_n && e == ERR_OK; i++)
        e = conf_set(c, o->set[i]);
    if (e == ERR_OK && file != NULL)
        e = conf_load(c, file);
    if (e == ERR_OK)
        e = conf_check(c);
    if (e == ERR_OK)
        log_set_level((enum log_level)c->log_level);
    return e;
}

static enum err act_on(const struct options *o, const struct conf *c)
{
    switch (o->act) {
    case CHECK:
        puts("the configuration is well");
        return ERR_OK;
    case PRINT_CONFIG:
        conf_print(c, stdout, true);
        return ERR_OK;
    case BOOTSTRAP:
        return bootstrap(c);
    case PROBE:
        return probe(c->data_dir);
    default:
        return serve(c);
    }
}

int main(int argc, char **argv)
{
    struct options o = { 0 };
    struct conf c;
    enum err e;

    if (!read_options(argc, argv, &o)) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    switch (o.act) { /* what needs no configuration */
    case HELP:
        print_help(stdout);
        return EXIT_SUCCESS;
    case VERSION:
        puts("lapeld " LAPEL_VERSION);
        return EXIT_SUCCESS;
    case ROUTES:
        api_print_routes(stdout);
        return EXIT_SUCCESS;
    case RESTORE:
        fprintf(stderr, "lapeld: --restore is not supported yet\n");
        return EXIT_USAGE;
    default:
        break;
    }
    conf_init(&c);
    e = read_config(&o, &c);
    if (e == ERR_OK)
        e = act_on(&o, &c);
    conf_fini(&c);
    return e == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
