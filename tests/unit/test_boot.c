/* The agent as boot loader: each state, what the next start makes of it, and what is refused. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "ports/posix/boot.h"
#include "ports/posix/log.h"

static struct conf conf;
static struct slots slots;
static char folder[] = "/tmp/test_boot.XXXXXX";
static int state_fd;

static void put(const char *text)
{
    int fd = openat(state_fd, "boot", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void get(char *text_out, size_t n)
{
    int fd = openat(state_fd, "boot", O_RDONLY);
    ssize_t len = fd >= 0 ? read(fd, text_out, n - 1) : -1;

    text_out[len > 0 ? len : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

/* A start. `command` is the boot command. */
/* clang-format off */
static const struct {
    const char *name, *before, *command;
    uint64_t starts;
    bool ok;
    const char *after;
    int current;
} START[] = {
    { "steady stays",                      "steady 1 0\n",   "true",  1, true,  "steady 1 0\n",   1 },
    { "staged becomes a trial",            "staged 0 0\n",   "true",  1, true,  "trial 1 1\n",    1 },
    { "trial out of starts reverts",       "trial 1 1\n",    "true",  1, true,  "reverted 0 0\n", 0 },
    { "trial with a start left goes on",   "trial 1 1\n",    "true",  2, true,  "trial 1 2\n",    1 },
    { "trial used the second one too",     "trial 1 2\n",    "true",  2, true,  "reverted 0 0\n", 0 },
    { "rejected reverts at once",          "rejected 1 1\n", "true",  3, true,  "reverted 0 0\n", 0 },
    { "reverted stays until noted",        "reverted 0 0\n", "true",  1, true,  "reverted 0 0\n", 0 },
    { "a trial that doesn't start reverts","staged 0 0\n",   "test %slot = 0",
                                                                      1, true,  "reverted 0 0\n", 0 },
    { "steady that doesn't start",         "steady 0 0\n",   "false", 1, false, "steady 0 0\n",   0 },
};

static const struct {
    const char *name, *text;
    bool bad;
    uint8_t running; /* `current` names slot 1 */
} FILES[] = {
    { "file: good",             "steady 0 0\n",     false, 0 },
    { "file: empty",            "",                 true,  1 },
    { "file: unknown word",     "happy 0 0\n",      true,  1 },
    { "file: slot 2",           "steady 2 0\n",     true,  1 },
    { "file: no end",           "steady 0 0",       true,  1 },
    { "file: something behind", "steady 0 0\nmore", true,  1 },
    { "file: too long",         "steady 0 0\n0123456789012345678901234567890123456789012345678901234567", true, 1 },
};

/* What the core asks for, from each state. */
enum call { STAGE_OTHER, STAGE_SAME, UNSTAGE, CONFIRM, REJECT };
static const struct {
    const char *name, *before;
    enum call call;
    int want;
    const char *after;
} CALL[] = {
    { "stage: from steady",         "steady 0 0\n",   STAGE_OTHER, 1,  "staged 0 0\n" },
    { "stage: again",               "staged 0 0\n",   STAGE_OTHER, 1,  "staged 0 0\n" },
    { "stage: after a revert",      "reverted 0 0\n", STAGE_OTHER, 1,  "staged 0 0\n" },
    { "stage: during a trial",      "trial 0 1\n",    STAGE_OTHER, -1, "trial 0 1\n" },
    { "stage: after a rejection",   "rejected 0 1\n", STAGE_OTHER, -1, "rejected 0 1\n" },
    { "stage: the running slot",    "steady 0 0\n",   STAGE_SAME,  -1, "steady 0 0\n" },
    { "unstage: staged",            "staged 0 0\n",   UNSTAGE,     1,  "steady 0 0\n" },
    { "unstage: nothing staged",    "steady 1 0\n",   UNSTAGE,     1,  "steady 1 0\n" },
    { "unstage: notes a revert",    "reverted 1 0\n", UNSTAGE,     1,  "steady 1 0\n" },
    { "unstage: leaves a trial",    "trial 1 1\n",    UNSTAGE,     1,  "trial 1 1\n" },
    { "confirm: a trial",           "trial 1 1\n",    CONFIRM,     1,  "steady 1 0\n" },
    { "confirm: again",             "steady 1 0\n",   CONFIRM,     1,  "steady 1 0\n" },
    { "confirm: notes a revert",    "reverted 0 0\n", CONFIRM,     1,  "steady 0 0\n" },
    { "confirm: staged, not tried", "staged 0 0\n",   CONFIRM,     -1, "staged 0 0\n" },
    { "confirm: after a rejection", "rejected 1 1\n", CONFIRM,     -1, "rejected 1 1\n" },
    { "reject: a trial",            "trial 1 1\n",    REJECT,      1,  "rejected 1 0\n" },
    { "reject: again",              "rejected 1 1\n", REJECT,      1,  "rejected 1 1\n" },
    { "reject: no trial",           "steady 1 0\n",   REJECT,      -1, "steady 1 0\n" },
};
/* clang-format on */

static void test_starts(void)
{
    for (size_t i = 0; i < sizeof START / sizeof *START; i++) {
        struct boot b;
        bool bad = false;
        char text[80];

        check_case(START[i].name);
        put(START[i].before);
        conf.trial_starts = START[i].starts;
        snprintf(conf.boot_command, sizeof conf.boot_command, "%s", START[i].command);
        CHECK(boot_open(&b, &conf, state_fd, &slots, &bad));
        CHECK_INT(boot_start(&b), START[i].ok);
        get(text, sizeof text);
        CHECK_STR(text, START[i].after);
        CHECK_INT(slots_pointed(&slots), START[i].current);
    }
    conf.boot_command[0] = '\0';
}

static void test_files(void)
{
    struct boot b;
    bool bad = false;

    CHECK(slots_point(&slots, 1));
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        check_case(FILES[i].name);
        put(FILES[i].text);
        CHECK(boot_open(&b, &conf, state_fd, &slots, &bad));
        CHECK_INT(bad, FILES[i].bad);
        CHECK_INT(b.running, FILES[i].running);
        CHECK_INT(b.mode, BOOT_STEADY);
    }
    check_case("file: none yet");
    CHECK_INT(unlinkat(state_fd, "boot", 0), 0);
    CHECK(boot_open(&b, &conf, state_fd, &slots, &bad));
    CHECK(!bad);
    CHECK_INT(b.running, 1);
}

static int call(struct boot *b, enum call what)
{
    switch (what) {
    case STAGE_OTHER:
        return boot_stage(b, b->running ^ 1);
    case STAGE_SAME:
        return boot_stage(b, b->running);
    case UNSTAGE:
        return boot_unstage(b);
    case CONFIRM:
        return boot_confirm(b);
    case REJECT:
        break;
    }
    return boot_reject(b);
}

static void test_calls(void)
{
    for (size_t i = 0; i < sizeof CALL / sizeof *CALL; i++) {
        struct boot b;
        bool bad = false;
        char text[80];

        check_case(CALL[i].name);
        put(CALL[i].before);
        CHECK(boot_open(&b, &conf, state_fd, &slots, &bad));
        CHECK_INT(call(&b, CALL[i].call), CALL[i].want);
        get(text, sizeof text);
        CHECK_STR(text, CALL[i].after);
    }
}

int main(void)
{
    char command[64];

    log_quiet(LOG_LEVEL_ERROR - 1);
    check_case("set up");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(conf.slots_dir, sizeof conf.slots_dir, "%s", folder);
    conf.boot_timeout_ms = 5000;
    state_fd = open(folder, O_RDONLY | O_DIRECTORY);
    CHECK(state_fd >= 0 && slots_open(&slots, &conf));
    test_starts();
    test_files();
    test_calls();
    slots_fini(&slots);
    close(state_fd);
    check_case("tidy up");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(system(command), 0);
    return check_done();
}
