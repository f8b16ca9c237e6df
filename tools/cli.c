#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void complain(const char *fmt, va_list ap)
{
    fputs("lapel: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

int cli_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    complain(fmt, ap);
    va_end(ap);
    return CLI_FAILED;
}

int cli_usage(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    complain(fmt, ap);
    va_end(ap);
    return CLI_USAGE;
}

int cli_fault(const char *what, enum lsuit_err e, const struct lsuit_fault *fault)
{
    if (fault == NULL || fault->what == NULL)
        return cli_fail("%s: %s", what, lsuit_err_name(e));
    if (fault->component >= 0)
        return cli_fail("%s: %s: %s (component %d, byte %zu): %s", what, lsuit_err_name(e),
                        fault->what, (int)fault->component, fault->offset,
                        fault->why != NULL ? fault->why : "refused");
    return cli_fail("%s: %s: %s (byte %zu): %s", what, lsuit_err_name(e), fault->what,
                    fault->offset, fault->why != NULL ? fault->why : "refused");
}

bool parse_uint(const char *s, uint64_t *v_out)
{
    char *end = NULL;
    unsigned long long v;

    if (*s < '0' || *s > '9')
        return false;
    errno = 0;
    v = strtoull(s, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *v_out = v;
    return true;
}

static void verb_help(const struct verb *v, const struct opt *opts)
{
    printf("usage: lapel ... %s %s\n%s\n", v->name, v->args, v->help);
    for (const struct opt *o = opts; o->name != NULL; o++) {
        char left[64];

        snprintf(left, sizeof left, "--%s %s", o->name, o->arg != NULL ? o->arg : "");
        printf("  %-28s %s\n", left, o->help);
    }
}

static struct opt *opt_find(struct opt *opts, const char *name, size_t len)
{
    for (struct opt *o = opts; o->name != NULL; o++)
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    return NULL;
}

static int opt_store(struct opt *o, const char *value)
{
    struct opt_list *list;

    if (o->given && o->kind != OPT_LIST)
        return cli_usage("--%s is given twice", o->name);
    o->given = true;
    switch (o->kind) {
    case OPT_FLAG:
        *(bool *)o->to = true;
        break;
    case OPT_TEXT:
        if (*value == '\0')
            return cli_usage("--%s: must not be empty", o->name);
        *(const char **)o->to = value;
        break;
    case OPT_UINT:
        if (!parse_uint(value, (uint64_t *)o->to))
            return cli_usage("--%s: '%s' is not a whole number", o->name, value);
        break;
    case OPT_LIST:
        list = o->to;
        if (list->n == sizeof list->item / sizeof list->item[0])
            return cli_usage("--%s: given too often", o->name);
        list->item[list->n++] = value;
        break;
    }
    return CLI_OK;
}

/* One `--name`, `--name=value` or `--name value` at argv[*i]. */
static int opt_take(const struct verb *v, struct opt *opts, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2;
    const char *eq = strchr(name, '=');
    size_t len = eq != NULL ? (size_t)(eq - name) : strlen(name);
    struct opt *o;

    if (strcmp(name, "help") == 0) {
        verb_help(v, opts);
        return OPTS_HELP;
    }
    o = opt_find(opts, name, len);
    if (o == NULL)
        return cli_usage("%s: unknown option --%.*s", v->name, (int)len, name);
    if (o->kind == OPT_FLAG)
        return eq != NULL ? cli_usage("--%s takes no value", o->name) : opt_store(o, "");
    if (eq != NULL)
        return opt_store(o, eq + 1);
    if (*i + 1 >= argc)
        return cli_usage("--%s needs %s", o->name, o->arg);
    (*i)++;
    return opt_store(o, argv[*i]);
}

int opts_parse(const struct verb *v, int argc, char **argv, struct opt *opts, const char **pos_out,
               size_t min, size_t max, size_t *pos_n_out)
{
    size_t n = 0;
    bool only_pos = false;

    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        int e;

        if (!only_pos && strcmp(a, "--") == 0) {
            only_pos = true;
            continue;
        }
        if (!only_pos && a[0] == '-' && a[1] == '-') {
            e = opt_take(v, opts, argc, argv, &i);
            if (e != CLI_OK)
                return e;
            continue;
        }
        if (!only_pos && a[0] == '-' && a[1] != '\0')
            return cli_usage("%s: unknown option %s", v->name, a);
        if (n == max)
            return cli_usage("%s: unexpected argument '%s'; usage: %s %s", v->name, a, v->name,
                             v->args);
        pos_out[n++] = a;
    }
    if (n < min)
        return cli_usage("%s: an argument is missing; usage: %s %s", v->name, v->name, v->args);
    if (pos_n_out != NULL)
        *pos_n_out = n;
    return CLI_OK;
}

static void verbs_help(FILE *to, const char *noun, const struct verb *verbs, size_t n)
{
    fprintf(to, "usage: lapel %s VERB ...\n", noun);
    for (size_t i = 0; i < n; i++)
        fprintf(to, "  %-10s %-34s %s\n", verbs[i].name, verbs[i].args, verbs[i].help);
}

int verbs_run(const char *noun, const struct verb *verbs, size_t n, int argc, char **argv)
{
    if (argc < 2) {
        verbs_help(stderr, noun, verbs, n);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        verbs_help(stdout, noun, verbs, n);
        return CLI_OK;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(verbs[i].name, argv[1]) == 0) {
            int e = verbs[i].run(argc - 1, argv + 1);

            return e == OPTS_HELP ? CLI_OK : e;
        }
    }
    cli_usage("%s: unknown verb '%s'", noun, argv[1]);
    verbs_help(stderr, noun, verbs, n);
    return CLI_USAGE;
}

uint8_t *file_read(const char *path, size_t max, size_t *n_out)
{
    bool std = strcmp(path, "-") == 0;
    FILE *f = std ? stdin : fopen(path, "rb");
    uint8_t *buf = NULL;
    size_t n;

    if (f == NULL) {
        cli_fail("%s: %s", path, strerror(errno));
        return NULL;
    }
    buf = malloc(max + 1);
    if (buf == NULL) {
        cli_fail("%s: out of memory", path);
        goto out;
    }
    n = fread(buf, 1, max + 1, f);
    if (ferror(f) || n > max) {
        if (n > max)
            cli_fail("%s: longer than %zu bytes", path, max);
        else
            cli_fail("%s: %s", path, strerror(errno));
        free(buf);
        buf = NULL;
        goto out;
    }
    *n_out = n;
out:
    if (!std)
        fclose(f);
    return buf;
}

static int write_fd(int fd, struct lsuit_bytes bytes)
{
    size_t done = 0;

    while (done < bytes.len) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

/* The name is durable only when its folder is. */
static int fsync_parent(const char *path)
{
    char dir[4096];
    const char *slash = strrchr(path, '/');
    int fd, e;

    if (slash == NULL)
        snprintf(dir, sizeof dir, ".");
    else
        snprintf(dir, sizeof dir, "%.*s", (int)(slash == path ? 1 : slash - path), path);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    e = fsync(fd);
    close(fd);
    return e;
}

int file_write(const char *path, struct lsuit_bytes bytes, unsigned mode, bool replace)
{
    char tmp[4096];
    int fd = -1;
    int e = CLI_OK;

    if (strcmp(path, "-") == 0)
        return write_fd(STDOUT_FILENO, bytes) == 0
                   ? CLI_OK
                   : cli_fail("standard output: %s", strerror(errno));
    if (snprintf(tmp, sizeof tmp, "%s.XXXXXX", path) >= (int)sizeof tmp)
        return cli_fail("%s: name too long", path);
    fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0)
        return cli_fail("%s: %s", path, strerror(errno));
    if (fchmod(fd, (mode_t)mode) < 0 || write_fd(fd, bytes) < 0 || fsync(fd) < 0) {
        e = cli_fail("%s: %s", path, strerror(errno));
    } else if (replace) {
        if (rename(tmp, path) < 0)
            e = cli_fail("%s: %s", path, strerror(errno));
    } else if (link(tmp, path) < 0) { /* unlike rename, refuses an existing name */
        e = errno == EEXIST ? cli_fail("%s: exists already and is not overwritten", path)
                            : cli_fail("%s: %s", path, strerror(errno));
    }
    close(fd);
    if (e != CLI_OK || !replace)
        unlink(tmp);
    if (e == CLI_OK && fsync_parent(path) < 0)
        e = cli_fail("%s: %s", path, strerror(errno));
    return e;
}

void hex_put(const uint8_t *bytes, size_t n, char *out)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = DIGITS[bytes[i] >> 4];
        out[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_get(const char *s, uint8_t *out, size_t n)
{
    if (strlen(s) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int hi = hex_digit(s[2 * i]);
        int lo = hex_digit(s[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}
