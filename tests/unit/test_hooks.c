/* Hooks: what each exit code means, the input, the environment, the time limit. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ports/posix/hooks.h"
#include "ports/posix/log.h"

static struct conf conf;
static char folder[] = "/tmp/test_hooks.XXXXXX";

static void script(const char *name, const char *text, mode_t mode)
{
    char path[64];
    int fd = -1;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    CHECK(fd >= 0 && dprintf(fd, "#!/bin/sh\n%s\n", text) > 0);
    close(fd);
    CHECK_INT(chmod(path, mode), 0);
}

/* Wait for a child's end without taking its exit code. */
static void wait_for(pid_t pid)
{
    siginfo_t info;

    if (pid > 0)
        (void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
}

static enum lapel_verdict ask(struct hooks *h, const char *gate, uint32_t *wait_ms_out)
{
    return hooks_gate(h, json_pack("{s:s}", "gate", gate), wait_ms_out);
}

/* clang-format off */
static const struct {
    const char *name, *text;
    mode_t mode;
    enum lapel_verdict want;
    enum lapel_health health;
} CODE[] = {
    { "exit 0",             "exit 0",                 0700, LAPEL_ALLOW, LAPEL_HEALTH_OK },
    { "exit 10",            "exit 10",                0700, LAPEL_DENY,  LAPEL_HEALTH_BAD },
    { "exit 75",            "exit 75",                0700, LAPEL_WAIT,  LAPEL_HEALTH_UNKNOWN },
    { "exit 1",             "exit 1",                 0700, LAPEL_WAIT,  LAPEL_HEALTH_UNKNOWN },
    { "killed",             "kill -9 $$",             0700, LAPEL_WAIT,  LAPEL_HEALTH_UNKNOWN },
    { "not executable",     "exit 0",                 0600, LAPEL_WAIT,  LAPEL_HEALTH_UNKNOWN },
    { "others may write",   "exit 0",                 0777, LAPEL_WAIT,  LAPEL_HEALTH_UNKNOWN },
    { "reads its question", "grep -q '\"gate\":\"install\"' || exit 10", 0700, LAPEL_ALLOW, LAPEL_HEALTH_BAD },
    { "cleared environment","test -z \"$SECRET\" && test \"$(env | grep -vc '^\\(PWD\\|_\\|SHLVL\\|PATH\\)=')\" = 0", 0700, LAPEL_ALLOW, LAPEL_HEALTH_OK },
};
/* clang-format on */

static void test_codes(void)
{
    for (size_t i = 0; i < sizeof CODE / sizeof *CODE; i++) {
        struct hooks h;
        uint32_t wait = 0;
        enum lapel_verdict v = LAPEL_WAIT;
        enum lapel_health health = LAPEL_HEALTH_UNKNOWN;

        check_case(CODE[i].name);
        hooks_init(&h, &conf);
        script("gate", CODE[i].text, CODE[i].mode);
        script("health", CODE[i].text, CODE[i].mode);
        v = ask(&h, "install", &wait);
        if (h.gate.pid > 0) {
            CHECK_INT(v, LAPEL_WAIT); /* the asker is never kept */
            wait_for(h.gate.pid);
            v = ask(&h, "install", &wait);
        }
        CHECK_INT(v, CODE[i].want);
        if (v == LAPEL_WAIT)
            CHECK_UINT(wait, conf.hook_wait_ms);
        health = hooks_health(&h);
        if (h.health.pid > 0) {
            CHECK_INT(health, LAPEL_HEALTH_UNKNOWN);
            wait_for(h.health.pid);
            health = hooks_health(&h);
        }
        CHECK_INT(health, CODE[i].health);
        hooks_fini(&h);
    }
}

static void test_gate(void)
{
    struct hooks h;
    uint32_t wait = 0;

    check_case("gate: an answer counts for its question only");
    hooks_init(&h, &conf);
    script("gate", "exit 0", 0700);
    CHECK_INT(ask(&h, "download", &wait), LAPEL_WAIT);
    wait_for(h.gate.pid);
    CHECK_INT(ask(&h, "reboot", &wait), LAPEL_WAIT);
    CHECK_INT(ask(&h, "reboot", &wait), LAPEL_WAIT); /* asked anew */
    wait_for(h.gate.pid);
    CHECK_INT(ask(&h, "reboot", &wait), LAPEL_ALLOW);
    hooks_fini(&h);

    check_case("gate: the group of a hook that takes too long is killed");
    hooks_init(&h, &conf);
    conf.hook_timeout_ms = 0;
    script("gate", "tail -f /dev/null & exec tail -f /dev/null", 0700);
    CHECK_INT(ask(&h, "install", &wait), LAPEL_WAIT);
    pid_t pid = h.gate.pid;
    CHECK_INT(ask(&h, "install", &wait), LAPEL_WAIT);
    CHECK_UINT(wait, conf.hook_wait_ms);
    CHECK_INT(h.gate.pid, 0);
    CHECK_INT(waitpid(pid, NULL, WNOHANG), -1); /* reaped already */
    conf.hook_timeout_ms = 30000;
    hooks_fini(&h);

    check_case("gate: not asked again before hook_wait");
    hooks_init(&h, &conf);
    script("gate", "exit 75", 0700);
    CHECK_INT(ask(&h, "install", &wait), LAPEL_WAIT);
    wait_for(h.gate.pid);
    CHECK_INT(ask(&h, "install", &wait), LAPEL_WAIT);
    CHECK_INT(ask(&h, "install", &wait), LAPEL_WAIT);
    CHECK_INT(h.gate.pid, 0);
    hooks_fini(&h);

    check_case("absent hooks allow and are well");
    hooks_init(&h, &conf);
    char path[64];
    snprintf(path, sizeof path, "%s/gate", folder);
    CHECK_INT(unlink(path), 0);
    snprintf(path, sizeof path, "%s/health", folder);
    CHECK_INT(unlink(path), 0);
    CHECK_INT(ask(&h, "install", &wait), LAPEL_ALLOW);
    CHECK_INT(hooks_health(&h), LAPEL_HEALTH_OK);
    CHECK(hooks_reset(&h));
    hooks_fini(&h);
}

static void tell(struct hooks *h, int i)
{
    hooks_event(h, json_pack("{s:i}", "n", i));
}

static void test_events(void)
{
    struct hooks h;
    char text[64];
    char got[64] = "";
    char path[64];

    check_case("event: told one after the other, in order");
    hooks_init(&h, &conf);
    snprintf(text, sizeof text, "cat >>%s/told", folder);
    script("event", text, 0700);
    for (int i = 0; i < 3; i++)
        tell(&h, i);
    (void)hooks_tick(&h);
    while (h.event.pid > 0) {
        wait_for(h.event.pid);
        (void)hooks_tick(&h);
    }
    snprintf(path, sizeof path, "%s/told", folder);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, got, sizeof got - 1) > 0);
    close(fd);
    CHECK_STR(got, "{\"n\":0}{\"n\":1}{\"n\":2}");

    check_case("event: the queue is bounded, the oldest goes");
    for (int i = 0; i < HOOKS_QUEUE + 2; i++)
        tell(&h, i);
    CHECK_UINT(h.queue_n, HOOKS_QUEUE);
    CHECK_UINT(h.lost, 2);
    CHECK_STR(h.queue[0], "{\"n\":2}");
    hooks_fini(&h);

    check_case("reset: its failure is seen");
    hooks_init(&h, &conf);
    script("reset", "exit 1", 0700);
    CHECK(!hooks_reset(&h));
    script("reset", "exit 0", 0700);
    CHECK(hooks_reset(&h));
    hooks_fini(&h);
}

int main(void)
{
    char command[64];

    log_quiet(LOG_LEVEL_ERROR - 1);
    CHECK(setenv("SECRET", "1", 1) == 0);
    check_case("set up");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(conf.hooks_dir, sizeof conf.hooks_dir, "%s", folder);
    conf.hook_timeout_ms = 30000;
    conf.hook_wait_ms = 50000;
    test_codes();
    test_gate();
    test_events();
    check_case("tidy up");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(system(command), 0);
    return check_done();
}
