/*
 * The daemon: lapel_step in a loop that sleeps until something happens.
 *
 *   SIGTERM, SIGINT  end cleanly         SIGHUP  read the configuration again
 *   SIGUSR1          check now           SIGCHLD a hook has ended: ask the core again
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "command.h"
#include "control.h"
#include "log.h"
#include "sys.h"

#define LOCK_WAIT_MS 10000
#define REBOOT_PATIENCE_MS 600000
#define WAIT_MAX_MS 3600000u

/* A handler can't carry a pointer: the only state of the process beside the log. */
static int signal_pipe[2] = { -1, -1 };

static void on_signal(int number)
{
    int saved = errno;
    uint8_t byte = (uint8_t)number;

    (void)!write(signal_pipe[1], &byte, 1); /* full: enough signals wait there already */
    errno = saved;
}

static bool signals_open(void)
{
    static const int CAUGHT[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
    struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t none;

    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        return false;
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof CAUGHT / sizeof CAUGHT[0]; i++)
        if (sigaction(CAUGHT[i], &sa, NULL) < 0)
            return false;
    sigemptyset(&none);
    return sigaction(SIGPIPE, &ignore, NULL) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* What comes between here and signals_open of the next program waits for that one: a signal without
 * a handler would end it. */
static void signals_hold(void)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &held, NULL);
}

static struct conf *conf_fresh(const struct args *args)
{
    char why[400] = "no memory";
    struct conf *conf = calloc(1, sizeof *conf);

    if (conf != NULL &&
        conf_load(args->conf_path, args->conf_arg, args->conf_arg_n, conf, why, sizeof why))
        return conf;
    log_text(LOG_LEVEL_ERROR, "%s", why);
    free(conf);
    return NULL;
}

static void reload(struct agent *a)
{
    struct conf *conf = conf_fresh(a->args);

    if (conf == NULL || !agent_reload(a, conf)) {
        if (conf != a->conf)
            free(conf);
        return;
    }
    log_event(LOG_LEVEL_INFO, "reload", NULL);
}

/* False when the end was asked for. */
static bool take_signals(struct agent *a)
{
    uint8_t number = 0;
    bool go_on = true;

    while (read(signal_pipe[0], &number, 1) == 1) {
        if (number == SIGTERM || number == SIGINT)
            go_on = false;
        else if (number == SIGHUP)
            reload(a);
        else if (number == SIGUSR1)
            lapel_kick(&a->lapel);
    }
    return go_on;
}

static uint32_t least(uint32_t x, uint32_t y)
{
    return x < y ? x : y;
}

/* Sleep until the core is due, a file descriptor moves or a signal comes. */
static void sleep_until_due(struct agent *a, const struct control *control, uint32_t hooks_ms)
{
    struct pollfd pfd[CONTROL_PLACES + 3];
    nfds_t n = 0;
    uint32_t wait =
        least(least(a->wait_ms, hooks_ms), least(control_wait_ms(control), WAIT_MAX_MS));

    pfd[n++] = (struct pollfd){ .fd = signal_pipe[0], .events = POLLIN };
    n += control_poll(control, pfd + n);
    if (net_poll(&a->net, &pfd[n]))
        n++;
    (void)poll(pfd, n, (int)wait); /* EINTR: whatever came is in the pipe */
}

/* True: the core asked for the restart. False: we were asked to end. */
static bool loop(struct agent *a, struct control *control)
{
    for (;;) {
        agent_step(a);
        control_serve(control, a);
        uint32_t hooks_ms = hooks_tick(&a->hooks);
        if (a->reboot_wanted)
            return true;
        sleep_until_due(a, control, hooks_ms);
        if (!take_signals(a))
            return false;
    }
}

/* The machine goes down; SIGTERM ends us on the way. */
static int reboot_command(const char *line)
{
    struct command cmd;
    struct pollfd p = { .fd = signal_pipe[0], .events = POLLIN };
    uint64_t until = sys_now_ms() + REBOOT_PATIENCE_MS;
    uint8_t number = 0;

    if (!command_parse(line, NULL, 0, &cmd) || command_wait(command_spawn(cmd.argv, -1), 30000)) {
        log_text(LOG_LEVEL_ERROR, "reboot: the command failed");
        return AGENT_RESTART;
    }
    while (sys_now_ms() < until) {
        (void)poll(&p, 1, 1000);
        while (read(signal_pipe[0], &number, 1) == 1)
            if (number == SIGTERM || number == SIGINT)
                return AGENT_OK;
    }
    return AGENT_RESTART;
}

static int start_again(const char *mode, char **argv)
{
    char line[256];

    (void)snprintf(line, sizeof line, "%s", mode); /* the configuration is gone by now */
    log_event(LOG_LEVEL_INFO, "reboot", json_pack("{s:s}", "mode", line));
    if (strcmp(line, "exit") == 0)
        return AGENT_RESTART;
    if (strcmp(line, "exec") != 0)
        return reboot_command(line);
    log_close();
    signals_hold();
    /* By name first: an update may have replaced the program. */
    (void)execvp(argv[0], argv);
    (void)execv("/proc/self/exe", argv);
    return AGENT_RESTART;
}

int run_main(const struct args *args)
{
    struct agent *a = calloc(1, sizeof *a);
    struct control *control = calloc(1, sizeof *control);
    struct conf *conf = conf_fresh(args);
    char mode[256] = "";
    int code = AGENT_FAILED;

    if (a == NULL || control == NULL || conf == NULL)
        goto out;
    if (!log_open(args->json_log, conf->event_log))
        log_text(LOG_LEVEL_ERROR, "event_log: %s: %s", conf->event_log, strerror(errno));
    if (!signals_open() || !agent_open(a, args, conf, LOCK_WAIT_MS)) {
        agent_fini(a);
        conf = NULL; /* taken by a */
        goto out;
    }
    memcpy(mode, conf->reboot, sizeof mode);
    conf = NULL; /* taken by a */
    if (!control_open(control, a->conf) || !agent_start(a, true)) {
        control_fini(control);
        agent_fini(a);
        goto out;
    }
    log_event(LOG_LEVEL_INFO, "start",
              json_pack("{s:s, s:s, s:i}", "model", a->conf->model, "version", a->version, "slot",
                        (int)a->boot.running));
    code = loop(a, control) ? AGENT_RESTART : AGENT_OK;
    control_fini(control);
    agent_fini(a);
    if (code == AGENT_OK)
        log_event(LOG_LEVEL_INFO, "stop", NULL);
out:
    free(conf);
    free(control);
    free(a);
    if (code == AGENT_RESTART)
        code = start_again(mode, args->argv);
    log_close();
    return code;
}
