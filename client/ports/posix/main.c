/*
 * lapel-agent: the device client for Linux-class devices. lapel-agent(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "control.h"
#include "crypto.h"
#include "log.h"
#include "verb.h"

#define DEFAULT_CONF "/etc/lapel/agent.conf"
#define LOCK_WAIT_MS 3000

/* A request from the command line; NULL after it has said what is wrong. */
typedef json_t *(*request_fn)(const struct args *args);

static json_t *bad(const char *what, const char *why)
{
    fprintf(stderr, "lapel-agent: %s: %s\n", what, why);
    return NULL;
}

static json_t *plain_request(const struct args *args)
{
    return json_pack("{s:s}", "do", args->command);
}

static json_t *postpone_request(const struct args *args)
{
    uint64_t ms = 0;

    if (!conf_duration(args->rest[0], &ms) || ms > UINT32_MAX)
        return bad("DURATION", "not a duration such as 30m, 2h or 1d; 0 ends it");
    return json_pack("{s:s, s:I}", "do", "postpone", "ms", (json_int_t)ms);
}

static bool is_one_of(const char *s, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(s, *names) == 0)
            return true;
    return false;
}

static json_t *settings_request(const struct args *args)
{
    static const char *const SETTING[] = { "auto-security", "auto-feature", "notify", NULL };
    static const char *const CHOICE[] = { "on", "off", "unset", NULL };

    if (args->rest_n == 0)
        return json_pack("{s:s}", "do", "status");
    if (!is_one_of(args->rest[0], SETTING))
        return bad("SETTING", "auto-security, auto-feature or notify");
    if (args->rest_n < 2 || !is_one_of(args->rest[1], CHOICE))
        return bad("CHOICE", "on, off or unset");
    return json_pack("{s:s, s:s, s:s}", "do", "settings", "setting", args->rest[0], "choice",
                     args->rest[1]);
}

static json_t *reset_request(const struct args *args)
{
    return json_pack("{s:s, s:b}", "do", "reset", "erase", (int)args->erase);
}

/* clang-format off */
static const struct command_line {
    const char *name;
    size_t least, most; /* arguments */
    const char *usage;
    const char *help;
    int (*run)(const struct args *args); /* NULL: a request to the agent */
    request_fn request;
} COMMANDS[] = {
  { "run",      0, 0, "",                 "the daemon",                                run_main,    NULL },
  { "check",    0, 0, "",                 "ask the server for an update now",          NULL,        plain_request },
  { "status",   0, 0, "",                 "what runs, what is going on, what is set",  NULL,        plain_request },
  { "apply",    1, 1, "FILE",             "update from a file, without a network",     NULL,        plain_request },
  { "postpone", 1, 1, "DURATION",         "put off what waits; 0 ends it",             NULL,        postpone_request },
  { "settings", 0, 2, "[SETTING CHOICE]", "auto-security, auto-feature, notify: on, off, unset", NULL, settings_request },
  { "confirm",  0, 0, "",                 "keep the image that is on trial",           NULL,        plain_request },
  { "reset",    0, 0, "[--erase]",        "erase the user's data and settings; at the server too", NULL, reset_request },
  { "doctor",   0, 0, "",                 "is this set up safely? 1 when not",         doctor_main, NULL },
};
/* clang-format on */
#define COMMANDS_N (sizeof COMMANDS / sizeof COMMANDS[0])

static void usage(FILE *f)
{
    fprintf(f, "usage: lapel-agent [-c FILE] [--KEYWORD=VALUE]... COMMAND\n\n");
    for (size_t i = 0; i < COMMANDS_N; i++)
        fprintf(f, "  %-8s %-17s %s\n", COMMANDS[i].name, COMMANDS[i].usage, COMMANDS[i].help);
    fprintf(f, "\n  -c, --config FILE  configuration, " DEFAULT_CONF " when not given\n"
               "  --json             print JSON\n"
               "  --json-log         log JSON lines\n"
               "  --help, --version\n");
}

static bool flag(struct args *args, const char *arg)
{
    bool *to = strcmp(arg, "--json") == 0       ? &args->json
               : strcmp(arg, "--json-log") == 0 ? &args->json_log
               : strcmp(arg, "--erase") == 0    ? &args->erase
                                                : NULL;
    if (to != NULL)
        *to = true;
    return to != NULL;
}

/* One option with a value, in this word or the next. How many words it took, 0 when it is wrong. */
static int option(struct args *args, const char *arg, const char *next)
{
    const char *equals = strchr(arg, '=');
    const char *value = equals != NULL ? equals + 1 : next;
    char name[sizeof args->keyword[0]] = "config";

    if (strcmp(arg, "-c") != 0)
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(arg + 2, "="), arg + 2);
    if (strcmp(name, "config") != 0 && !conf_knows(name)) {
        fprintf(stderr, "lapel-agent: --%s: no such option\n", name);
        return 0;
    }
    if (value == NULL) {
        fprintf(stderr, "lapel-agent: --%s: its value is missing\n", name);
        return 0;
    }
    if (strcmp(name, "config") == 0) {
        args->conf_path = value;
    } else if (args->conf_arg_n == ARGS_KEYWORDS_MAX) {
        fprintf(stderr, "lapel-agent: --%s: too many options\n", name);
        return 0;
    } else {
        memcpy(args->keyword[args->conf_arg_n], name, sizeof name);
        args->conf_arg[args->conf_arg_n] =
            (struct conf_arg){ args->keyword[args->conf_arg_n], value };
        args->conf_arg_n++;
    }
    return equals != NULL ? 1 : 2;
}

/* 0 to go on, -1 wrong, 1 nothing left to do. */
static int parse(struct args *args, int argc, char **argv)
{
    for (int i = 1; i < argc;) {
        char *arg = argv[i];
        int words = 1;

        if (strcmp(arg, "--help") == 0) {
            usage(stdout);
            printf("\nkeywords, in the file and as --KEYWORD=VALUE:\n");
            conf_print_keywords();
            return 1;
        }
        if (strcmp(arg, "--version") == 0) {
            printf("lapel-agent %s\n", LAPEL_VERSION);
            return 1;
        }
        if (strcmp(arg, "-c") == 0 || (strncmp(arg, "--", 2) == 0 && !flag(args, arg))) {
            words = option(args, arg, i + 1 < argc ? argv[i + 1] : NULL);
        } else if (arg[0] != '-') {
            if (args->command == NULL)
                args->command = arg;
            else if (args->rest_n < sizeof args->rest / sizeof args->rest[0])
                args->rest[args->rest_n++] = arg;
        } else if (strncmp(arg, "--", 2) != 0) {
            fprintf(stderr, "lapel-agent: %s: no such option\n", arg);
            return -1;
        }
        if (words == 0)
            return -1;
        i += words;
    }
    return 0;
}

static const struct command_line *find_command(const struct args *args)
{
    if (args->command == NULL) {
        usage(stderr);
        return NULL;
    }
    for (size_t i = 0; i < COMMANDS_N; i++) {
        const struct command_line *c = &COMMANDS[i];

        if (strcmp(c->name, args->command) != 0)
            continue;
        if (args->erase && strcmp(c->name, "reset") != 0) {
            fprintf(stderr, "lapel-agent: --erase: belongs to reset\n");
            return NULL;
        }
        if (args->rest_n >= c->least && args->rest_n <= c->most)
            return c;
        fprintf(stderr, "lapel-agent: %s: usage: %s %s\n", c->name, c->name, c->usage);
        return NULL;
    }
    fprintf(stderr, "lapel-agent: %s: no such command\n", args->command);
    return NULL;
}

/* No daemon runs: be the agent for as long as the request takes. */
static json_t *do_alone(const struct args *args, struct conf *conf, const json_t *request,
                        int envelope_fd, int folder_fd)
{
    struct verb_asker asker = { .by = control_actor(getuid()),
                                .envelope_fd = envelope_fd,
                                .folder_fd = folder_fd };
    struct agent *a = calloc(1, sizeof *a);
    struct verb_wait wait;
    struct pollfd pfd;
    json_t *done = NULL;

    if (a == NULL) {
        free(conf);
        return NULL;
    }
    if (agent_open(a, args, conf, LOCK_WAIT_MS) && agent_start(a, false)) {
        done = verb_do(a, request, &asker, &wait);
        while (done == NULL) {
            agent_step(a);
            (void)hooks_tick(&a->hooks);
            done = verb_look(a, &wait);
            if (done == NULL)
                (void)poll(&pfd, net_poll(&a->net, &pfd) ? 1 : 0, (int)(a->wait_ms % 3600000));
        }
    }
    agent_fini(a);
    free(a);
    return done;
}

static void print_answer(const struct args *args, const json_t *done)
{
    const json_t *status = json_object_get(done, "status");
    const json_t *shown = status != NULL ? status : done;
    const char *text = json_string_value(json_object_get(done, "result"));
    const char *version = json_string_value(json_object_get(done, "version"));

    if (args->json) {
        char *dump = json_dumps(shown, JSON_INDENT(1));
        puts(dump != NULL ? dump : "{}");
        free(dump);
    } else if (!json_is_true(json_object_get(done, "ok"))) {
        const char *why = json_string_value(json_object_get(done, "why"));
        fprintf(stderr, "lapel-agent: %s: %s\n", args->command, why != NULL ? why : "failed");
    } else if (status != NULL) {
        status_print(status);
    } else if (text != NULL) {
        printf("%s%s%s\n", text, version != NULL ? ": version " : "",
               version != NULL ? version : "");
    } else {
        char *dump = json_dumps(done, JSON_COMPACT);
        puts(dump != NULL ? dump : "{}");
        free(dump);
    }
}

/* The file of `apply`, and the folder it stands in, opened with the caller's own rights. */
static bool open_files(const struct args *args, int *envelope_fd, int *folder_fd)
{
    char *copy = strdup(args->rest[0]);

    *envelope_fd = open(args->rest[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (copy != NULL && *envelope_fd >= 0)
        *folder_fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (*envelope_fd >= 0 && *folder_fd >= 0)
        return true;
    fprintf(stderr, "lapel-agent: FILE: %s: %s\n", args->rest[0], strerror(errno));
    return false;
}

static int ask(const struct args *args, const json_t *request)
{
    struct conf *conf = calloc(1, sizeof *conf);
    char why[400] = "no memory";
    int envelope_fd = -1;
    int folder_fd = -1;
    bool absent = false;
    json_t *done = NULL;
    int code = AGENT_FAILED;

    if (conf == NULL ||
        !conf_read(args->conf_path, args->conf_arg, args->conf_arg_n, conf, why, sizeof why)) {
        fprintf(stderr, "lapel-agent: %s\n", why);
        goto out;
    }
    if (strcmp(args->command, "apply") == 0 && !open_files(args, &envelope_fd, &folder_fd))
        goto out;
    log_quiet(LOG_LEVEL_WARNING);
    done = control_ask(conf, request, envelope_fd, folder_fd, &absent);
    if (done == NULL && absent) {
        if (!conf_read_token(conf, why, sizeof why) || !conf_read_keys(conf, why, sizeof why)) {
            fprintf(stderr, "lapel-agent: %s\n", why);
            goto out;
        }
        done = do_alone(args, conf, request, envelope_fd, folder_fd);
        conf = NULL; /* taken by do_alone */
    }
    if (done != NULL) {
        print_answer(args, done);
        code = json_is_true(json_object_get(done, "ok")) ? AGENT_OK : AGENT_FAILED;
    }
out:
    json_decref(done);
    if (envelope_fd >= 0)
        close(envelope_fd);
    if (folder_fd >= 0)
        close(folder_fd);
    free(conf);
    return code;
}

int main(int argc, char **argv)
{
    struct args args = { .argv = argv };
    const struct command_line *c = NULL;
    json_t *request = NULL;
    int code = 0;

    code = parse(&args, argc, argv);
    if (code != 0)
        return code > 0 ? AGENT_OK : AGENT_USAGE;
    c = find_command(&args);
    if (c == NULL)
        return AGENT_USAGE;
    if (args.conf_path == NULL && access(DEFAULT_CONF, F_OK) == 0)
        args.conf_path = DEFAULT_CONF;
    if (!crypto_open()) {
        fprintf(stderr, "lapel-agent: the crypto library does not start\n");
        return AGENT_FAILED;
    }
    if (c->run != NULL)
        return c->run(&args);
    request = c->request(&args);
    if (request == NULL)
        return AGENT_USAGE;
    code = ask(&args, request);
    json_decref(request);
    return code;
}
