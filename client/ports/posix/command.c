#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool put(char *to, size_t cap, size_t *at, const char *s, size_t n)
{
    if (n >= cap - *at)
        return false;
    memcpy(to + *at, s, n);
    *at += n;
    to[*at] = '\0';
    return true;
}

static bool put_argument(struct command *cmd, size_t *at, const char *arg, size_t n,
                         const struct command_word *words, size_t words_n)
{
    for (size_t i = 0; i < n;) {
        const struct command_word *w = NULL;

        for (size_t k = 0; k < words_n && w == NULL; k++)
            if (strncmp(arg + i, words[k].name, strlen(words[k].name)) == 0)
                w = &words[k];
        if (!put(cmd->text, sizeof cmd->text, at, w != NULL ? w->value : arg + i,
                 w != NULL ? strlen(w->value) : 1))
            return false;
        i += w != NULL ? strlen(w->name) : 1;
    }
    (*at)++; /* keeps the NUL */
    return *at < sizeof cmd->text;
}

bool command_parse(const char *line, const struct command_word *words, size_t words_n,
                   struct command *cmd_out)
{
    size_t at = 0;
    size_t argc = 0;

    memset(cmd_out, 0, sizeof *cmd_out);
    for (line += strspn(line, " "); *line != '\0'; line += strspn(line, " ")) {
        size_t n = strcspn(line, " ");

        if (argc == COMMAND_ARGS_MAX)
            return false;
        cmd_out->argv[argc++] = cmd_out->text + at;
        if (!put_argument(cmd_out, &at, line, n, words, words_n))
            return false;
        line += n;
    }
    return argc > 0;
}

static void child_main(char *const argv[], int input_fd)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *const env[] = { path, NULL };
    sigset_t none;
    int in = input_fd >= 0 ? input_fd : open("/dev/null", O_RDONLY);

    (void)setpgid(0, 0);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    /* Programs that write to a closed terminal or pipe of ours would die of it: give them our
     * standard error, where the log goes. */
    if (dup2(in, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        _exit(127);
    if (strchr(argv[0], '/') != NULL)
        execve(argv[0], argv, env);
    else
        execvpe(argv[0], argv, env);
    _exit(127);
}

pid_t command_spawn(char *const argv[], int input_fd)
{
    pid_t pid = fork();

    if (pid == 0)
        child_main(argv, input_fd);
    if (pid > 0)
        (void)setpgid(pid, pid); /* here too: a kill may come before the child has run */
    return pid;
}

int command_poll(pid_t pid, int *code_out)
{
    int status = 0;
    pid_t done = waitpid(pid, &status, WNOHANG);

    if (done == 0 || (done < 0 && errno == EINTR))
        return 0;
    if (done < 0)
        return -1;
    *code_out = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 1;
}

void command_kill(pid_t pid)
{
    (void)kill(-pid, SIGKILL);
}

int command_wait(pid_t pid, uint64_t timeout_ms)
{
    const struct timespec step = { 0, 5000000 };
    uint64_t waited = 0;
    int code = 0;

    if (pid < 0)
        return -1;
    for (;;) {
        int rc = command_poll(pid, &code);
        if (rc != 0)
            return rc > 0 ? code : -1;
        if (waited >= timeout_ms)
            break;
        (void)nanosleep(&step, NULL);
        waited += 5;
    }
    command_kill(pid);
    while (command_poll(pid, &code) == 0)
        (void)nanosleep(&step, NULL);
    errno = ETIMEDOUT;
    return -1;
}
