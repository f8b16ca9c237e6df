/*
 * What every subcommand of lapel shares: options, errors, files.
 */
#ifndef TOOLS_CLI_H
#define TOOLS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lsuit/bytes.h"
#include "lsuit/err.h"

/* Exit codes: 0 done, 1 it failed, 2 the command line is wrong. */
#define CLI_OK 0
#define CLI_FAILED 1
#define CLI_USAGE 2

enum opt_kind {
    OPT_FLAG, /* bool */
    OPT_TEXT, /* const char * */
    OPT_UINT, /* uint64_t; decimal */
    OPT_LIST  /* struct opt_list: may be given more than once */
};

struct opt_list {
    const char *item[64];
    size_t n;
};

/* One option of a verb. A table of these ends with a NULL name. */
struct opt {
    const char *name; /* without the dashes */
    enum opt_kind kind;
    void *to;
    const char *arg; /* what the value is, for the help; NULL for a flag */
    const char *help;
    bool given; /* set by opts_parse */
};

/* A verb of a noun: `lapel manifest create`. */
struct verb {
    const char *name;
    const char *args; /* positional arguments, for the help */
    const char *help;
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

/*
 * Take options out of argv; what remains are positionals. `--name value`, `--name=value`, `--`
 * ends the options.
 *
 *   min, max  how many positionals there must be
 *   pos_out   filled with them; room for max
 *
 * Returns CLI_OK, or CLI_USAGE after naming the option or argument that is wrong; CLI_FAILED + 16
 * (OPTS_HELP) when --help was asked for and printed.
 */
#define OPTS_HELP 17
int opts_parse(const struct verb *v, int argc, char **argv, struct opt *opts, const char **pos_out,
               size_t min, size_t max, size_t *pos_n_out);

/* Find the verb in a table and run it; prints the table for --help or a wrong verb. */
int verbs_run(const char *noun, const struct verb *verbs, size_t n, int argc, char **argv);

/* Print "lapel: ..." and a newline to standard error; returns CLI_FAILED or CLI_USAGE. */
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The codec's complaint about `what` in words: error, element, reason, offset. CLI_FAILED. */
int cli_fault(const char *what, enum lsuit_err e, const struct lsuit_fault *fault);

/*
 * Read a whole file ("-" is standard input) into heap memory; free() it. NULL after a message
 * when it can't be read or is longer than max.
 */
uint8_t *file_read(const char *path, size_t max, size_t *n_out);

/*
 * Write a file so that it is whole or not there: a temporary beside it, fsync, rename. "-" is
 * standard output.
 *
 *   replace  false refuses when the name exists
 */
int file_write(const char *path, struct lsuit_bytes bytes, unsigned mode, bool replace);

/* Longest path of a file that is written, with the ending of its temporary. */
#define FILE_PATH_MAX 4096

/* Make the folders above a file; those of the first `from` bytes are there. */
int file_parents(char *path, size_t from);

/* A file that is being made: a temporary beside its name. */
struct file_out {
    const char *path; /* borrowed; "-" is standard output */
    char tmp[FILE_PATH_MAX];
    int fd; /* -1: standard output, or finished */
    bool replace;
};

/*
 * Make sure that a file can be written before something is done that can't be done twice, such as
 * asking a server for a secret: name free, folder writable, `size` bytes on the disk taken.
 *
 *   mode  less what the umask takes away
 *
 * file_commit gives it its bytes and its name, file_drop removes it. All print what is wrong.
 */
int file_reserve(const char *path, size_t size, unsigned mode, bool replace, struct file_out *out);
int file_commit(struct file_out *out, struct lsuit_bytes bytes);
void file_drop(struct file_out *out);

/*
 * Print text that somebody else wrote. Control characters, marks that change the direction of
 * writing and bytes that are no UTF-8 come out as \xNN.
 *
 *   escaped  ASCII characters that get a backslash
 */
void put_safe(FILE *to, const void *text, size_t n, const char *escaped);

/* A JSON document to standard output, keys sorted. */
struct json_t;
void print_json(const struct json_t *o);

/* Whether JSON can carry it. */
bool is_utf8(const char *text);

/* A decimal number without sign, blanks or leading junk; false otherwise. */
bool parse_uint(const char *s, uint64_t *v_out);

/* n bytes as 2n lower-case hex digits and NUL. */
void hex_put(const uint8_t *bytes, size_t n, char *out);
/* Exactly 2n hex digits; false otherwise. */
bool hex_get(const char *s, uint8_t *out, size_t n);

#endif
