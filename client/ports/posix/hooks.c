#include "hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command.h"
#include "file.h"
#include "log.h"
#include "sys.h"

/* How soon the core asks again while a hook runs; the end of the hook wakes it anyway. */
#define WHILE_RUNNING_MS 200
#define HEALTH_EVERY_MS 1000

void hooks_init(struct hooks *h, const struct conf *conf)
{
    *h = (struct hooks){
        .conf = conf, .gate.name = "gate", .health.name = "health", .event.name = "event"
    };
}

static void hook_forget(struct hook *k)
{
    free(k->input);
    k->input = NULL;
    k->pid = 0;
}

static void hook_stop(struct hook *k)
{
    int code = 0;

    if (k->pid > 0) {
        command_kill(k->pid);
        (void)command_wait(k->pid, 1000);
        (void)command_poll(k->pid, &code);
    }
    hook_forget(k);
}

void hooks_fini(struct hooks *h)
{
    hook_stop(&h->gate);
    hook_stop(&h->health);
    hook_stop(&h->event);
    for (unsigned i = 0; i < h->queue_n; i++)
        free(h->queue[i]);
    h->queue_n = 0;
}

/* False when the path is too long to exist. */
static bool path_of(const struct conf *conf, const char *name, char *path_out, size_t n)
{
    return snprintf(path_out, n, "%s/%s", conf->hooks_dir, name) < (int)n;
}

static bool is_present(const struct conf *conf, const char *name)
{
    char path[300];

    return conf->hooks_dir[0] != '\0' && path_of(conf, name, path, sizeof path) &&
           access(path, F_OK) == 0;
}

const char *hooks_weakness(const struct conf *conf, const char *name)
{
    char path[300];
    int others = 0;

    if (!is_present(conf, name) || !path_of(conf, name, path, sizeof path))
        return NULL;
    others = file_others(AT_FDCWD, conf->hooks_dir);
    if (others < 0 || (others & FILE_OTHERS_WRITE))
        return "others may write to its folder";
    others = file_others(AT_FDCWD, path);
    if (others < 0 || (others & FILE_OTHERS_WRITE))
        return "others may write it";
    return access(path, X_OK) < 0 ? "it is not executable" : NULL;
}

/* Input without a pipe: a pipe could fill up and block us, a file in memory can't. */
static int input_open(const char *text)
{
    int fd = memfd_create("hook", MFD_CLOEXEC);

    if (fd < 0)
        return -1;
    if (!file_write_all(fd, text, strlen(text)) || lseek(fd, 0, SEEK_SET) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* `input` is taken. */
static bool hook_start(struct hooks *h, struct hook *k, char *input)
{
    char path[300];
    char *argv[] = { path, NULL };
    const char *weak = hooks_weakness(h->conf, k->name);
    int fd = -1;

    k->input = input;
    if (weak == NULL && input != NULL && path_of(h->conf, k->name, path, sizeof path))
        fd = input_open(input);
    if (fd >= 0) {
        k->pid = command_spawn(argv, fd);
        close(fd);
        if (k->pid > 0) {
            k->deadline_ms = sys_now_ms() + h->conf->hook_timeout_ms;
            return true;
        }
    }
    log_event(LOG_LEVEL_ERROR, "hook-failed",
              json_pack("{s:s, s:s}", "hook", k->name, "why", weak ? weak : strerror(errno)));
    hook_forget(k);
    return false;
}

/* Has it ended, or must it? */
static enum hook_result hook_look(struct hook *k, int *code_out)
{
    int rc = command_poll(k->pid, code_out);

    if (rc > 0)
        return HOOK_EXITED;
    if (rc == 0 && sys_now_ms() < k->deadline_ms)
        return HOOK_RUNS;
    log_event(LOG_LEVEL_ERROR, "hook-failed",
              json_pack("{s:s, s:s}", "hook", k->name, "why",
                        rc == 0 ? "killed: longer than hook_timeout" : strerror(errno)));
    if (rc == 0) {
        command_kill(k->pid);
        (void)command_wait(k->pid, 1000);
    }
    return HOOK_BROKEN;
}

static bool code_known(const struct hook *k, int code)
{
    if (code == HOOK_EXIT_ALLOW || code == HOOK_EXIT_DENY || code == HOOK_EXIT_WAIT)
        return true;
    log_event(LOG_LEVEL_ERROR, "hook-failed",
              json_pack("{s:s, s:s, s:i}", "hook", k->name, "why", "exit code", "code", code));
    return false;
}

/*
 * Start `k` with this question, or look after the one that runs.
 *
 * HOOK_EXITED: *code_out answers this very question. HOOK_RUNS: ask again later.
 */
static enum hook_result hook_ask(struct hooks *h, struct hook *k, char *question, int *code_out)
{
    enum hook_result r = HOOK_RUNS;
    bool same = false;

    if (k->pid == 0)
        return hook_start(h, k, question) ? HOOK_RUNS : HOOK_BROKEN;
    r = hook_look(k, code_out);
    same = question != NULL && strcmp(k->input, question) == 0;
    free(question);
    if (r == HOOK_RUNS)
        return r;
    hook_forget(k);
    /* An answer to another question (another release meanwhile) counts for nothing. */
    return r == HOOK_EXITED && !same ? HOOK_RUNS : r;
}

enum lapel_verdict hooks_gate(struct hooks *h, json_t *question, uint32_t *wait_ms_out)
{
    char *text = json_dumps(question, JSON_COMPACT);
    uint64_t now = sys_now_ms();
    int code = 0;

    json_decref(question);
    *wait_ms_out = WHILE_RUNNING_MS;
    if (!is_present(h->conf, "gate")) {
        free(text);
        return LAPEL_ALLOW;
    }
    if (h->gate.pid == 0 && now < h->gate_again_ms) {
        *wait_ms_out = (uint32_t)(h->gate_again_ms - now);
        free(text);
        return LAPEL_WAIT;
    }
    switch (hook_ask(h, &h->gate, text, &code)) {
    case HOOK_RUNS:
        return LAPEL_WAIT;
    case HOOK_EXITED:
        if (code_known(&h->gate, code) && code != HOOK_EXIT_WAIT)
            return code == HOOK_EXIT_ALLOW ? LAPEL_ALLOW : LAPEL_DENY;
        break;
    case HOOK_ABSENT:
    case HOOK_BROKEN:
        break;
    }
    h->gate_again_ms = sys_now_ms() + h->conf->hook_wait_ms;
    *wait_ms_out = (uint32_t)h->conf->hook_wait_ms;
    return LAPEL_WAIT;
}

enum lapel_health hooks_health(struct hooks *h)
{
    enum hook_result r = HOOK_RUNS;
    int code = 0;

    if (!is_present(h->conf, "health"))
        return LAPEL_HEALTH_OK;
    if (h->health.pid == 0 && sys_now_ms() < h->health_again_ms)
        return LAPEL_HEALTH_UNKNOWN;
    r = hook_ask(h, &h->health, strdup("{}"), &code);
    if (r == HOOK_RUNS)
        return LAPEL_HEALTH_UNKNOWN;
    h->health_again_ms = sys_now_ms() + HEALTH_EVERY_MS;
    if (r != HOOK_EXITED || !code_known(&h->health, code) || code == HOOK_EXIT_WAIT)
        return LAPEL_HEALTH_UNKNOWN;
    return code == HOOK_EXIT_ALLOW ? LAPEL_HEALTH_OK : LAPEL_HEALTH_BAD;
}

static void queue_drop_first(struct hooks *h)
{
    h->queue_n--;
    memmove(h->queue, h->queue + 1, h->queue_n * sizeof h->queue[0]);
}

void hooks_event(struct hooks *h, json_t *told)
{
    char *text = is_present(h->conf, "event") ? json_dumps(told, JSON_COMPACT) : NULL;

    json_decref(told);
    if (text == NULL)
        return;
    if (h->queue_n == HOOKS_QUEUE) {
        free(h->queue[0]);
        queue_drop_first(h);
        h->lost++;
        log_event(LOG_LEVEL_WARNING, "hook-events-lost", json_pack("{s:i}", "count", (int)h->lost));
    }
    h->queue[h->queue_n++] = text;
}

static uint32_t until(const struct hook *k, uint64_t now)
{
    if (k->pid == 0)
        return UINT32_MAX;
    return k->deadline_ms > now ? (uint32_t)(k->deadline_ms - now) : 0;
}

uint32_t hooks_tick(struct hooks *h)
{
    uint64_t now = sys_now_ms();
    int code = 0;

    if (h->event.pid > 0 && hook_look(&h->event, &code) != HOOK_RUNS)
        hook_forget(&h->event);
    while (h->event.pid == 0 && h->queue_n > 0) {
        char *text = h->queue[0];

        queue_drop_first(h);
        if (hook_start(h, &h->event, text))
            break;
    }
    /* Gate and health are looked after by the core's next question. */
    return until(&h->event, now);
}

bool hooks_reset(struct hooks *h)
{
    struct hook reset = { .name = "reset" };
    int code = 0;

    if (!is_present(h->conf, "reset"))
        return true;
    if (!hook_start(h, &reset, strdup("{}")))
        return false;
    code = command_wait(reset.pid, h->conf->hook_timeout_ms);
    hook_forget(&reset);
    return code == 0;
}
