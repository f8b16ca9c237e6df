/*
 * Running another program: no shell, nothing inherited but what is handed over, and a time limit
 * for it and all its children.
 */
#ifndef AGENT_COMMAND_H
#define AGENT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define COMMAND_ARGS_MAX 16

/* Replace `name` (such as "%slot") by `value` wherever it stands in an argument. */
struct command_word {
    const char *name, *value;
};

/* The arguments of a line, taken apart at spaces, words filled in. */
struct command {
    char text[1024];
    char *argv[COMMAND_ARGS_MAX + 1];
};

/* False when it doesn't fit or is empty. */
bool command_parse(const char *line, const struct command_word *words, size_t words_n,
                   struct command *cmd_out);

/*
 * Start a program in a process group of its own, with an environment of PATH only, standard
 * output and error to our standard error.
 *
 *   input_fd  becomes standard input; -1 for /dev/null
 *
 * The process id, or -1 with errno.
 */
pid_t command_spawn(char *const argv[], int input_fd);

/* Has it ended? 1 with its exit code (128 + signal when killed), 0 not yet, -1 with errno. */
int command_poll(pid_t pid, int *code_out);

/* The whole group, at once. */
void command_kill(pid_t pid);

/* Wait for the end, at most this long, then kill. The exit code, or -1 (killed for its time, or
 * not started: errno). */
int command_wait(pid_t pid, uint64_t timeout_ms);

#endif
