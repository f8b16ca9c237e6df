#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The length of the character at s, 1 to 4 bytes, and whether a terminal only shows it: no control
 * character, none that changes the direction of writing, and UTF-8 at all.
 */
static size_t char_at(const uint8_t *s, size_t n, bool *plain_out)
{
    static const uint32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc2 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf5 ? 4
                               : 0;
    uint32_t c = len < 2 ? s[0] : s[0] & (0x7fu >> len);

    *plain_out = false;
    if (len == 0 || len > n)
        return 1;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 1;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < LEAST[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 1;
    *plain_out = c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && !(c >= 0x200e && c <= 0x200f) &&
                 !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
    return len;
}

void put_safe(FILE *to, const void *text, size_t n, const char *escaped)
{
    const uint8_t *s = text;

    while (n > 0) {
        bool plain;
        size_t len = char_at(s, n, &plain);

        if (plain && len == 1 && strchr(escaped, s[0]) != NULL)
            fputc('\\', to);
        if (plain)
            fwrite(s, 1, len, to);
        else
            for (size_t i = 0; i < len; i++)
                fprintf(to, "\\x%02x", s[i]);
        s += len;
        n -= len;
    }
}

void print_json(const struct json_t *o)
{
    json_dumpf(o, stdout, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    putchar('\n');
}

bool is_utf8(const char *text)
{
    const uint8_t *s = (const uint8_t *)text;
    size_t n = strlen(text);

    while (n > 0) {
        bool plain;
        size_t len = char_at(s, n, &plain);

        if (!plain && len == 1 && s[0] >= 0x80)
            return false;
        s += len;
        n -= len;
    }
    return true;
}

/* Much of what is said here comes from a server or a file: nothing of it may drive a terminal. */
static void __attribute__((format(printf, 1, 0))) complain(const char *fmt, va_list ap)
{
    char *text = NULL;
    int n = vasprintf(&text, fmt, ap);

    fflush(stdout);
    fputs("lapel: ", stderr);
    if (n < 0)
        fputs("out of memory", stderr);
    else
        put_safe(stderr, text, (size_t)n, "");
    fputc('\n', stderr);
    if (n >= 0)
        free(text);
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
        if (*value == '\0')
            return cli_usage("--%s: must not be empty", o->name);
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
        if (*a == '\0')
            return cli_usage("%s: an argument is empty; usage: %s %s", v->name, v->name, v->args);
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
    int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    uint8_t *buf = NULL;
    size_t n = 0;
    ssize_t got = 0;

    if (fd < 0) {
        cli_fail("%s: %s", path, strerror(errno));
        return NULL;
    }
    buf = malloc(max + 1); /* untouched pages cost nothing */
    while (buf != NULL && n <= max && (got = read(fd, buf + n, max + 1 - n)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        n += (size_t)got;
    }
    if (buf == NULL)
        cli_fail("%s: out of memory", path);
    else if (got < 0)
        cli_fail("%s: %s", path, strerror(errno));
    else if (n > max)
        cli_fail("%s: longer than %zu bytes", path, max);
    else
        *n_out = n;
    if (buf != NULL && (got < 0 || n > max)) {
        explicit_bzero(buf, n);
        free(buf);
        buf = NULL;
    }
    if (!std)
        close(fd);
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
    char dir[FILE_PATH_MAX];
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

/* Whatever stands at the name and is no plain file (a device, a pipe) is not replaced by one. */
static int check_target(const char *path, bool replace)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? CLI_OK : cli_fail("%s: %s", path, strerror(errno));
    if (!replace)
        return cli_fail("%s: exists already and is not overwritten", path);
    return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? CLI_OK
                                                      : cli_fail("%s: is no plain file", path);
}

int file_reserve(const char *path, size_t size, unsigned mode, bool replace, struct file_out *out)
{
    mode_t mask = umask(077);
    int e = CLI_OK;

    umask(mask);
    *out = (struct file_out){ path, "", -1, replace };
    if (strcmp(path, "-") == 0)
        return CLI_OK;
    if (check_target(path, replace) != CLI_OK)
        return CLI_FAILED;
    if (snprintf(out->tmp, sizeof out->tmp, "%s.XXXXXX", path) >= (int)sizeof out->tmp)
        return cli_fail("%s: name too long", path);
    out->fd = mkostemp(out->tmp, O_CLOEXEC); /* 0600 until it is finished */
    if (out->fd < 0)
        return cli_fail("%s: %s", path, strerror(errno));
    errno = size > 0 ? posix_fallocate(out->fd, 0, (off_t)size) : 0;
    if (errno != 0 || fchmod(out->fd, (mode_t)mode & ~mask) < 0) {
        e = cli_fail("%s: %s", path, strerror(errno));
        file_drop(out);
    }
    return e;
}

/* Not link(): file systems without hard links are what travels to an offline machine. */
static int give_name(const struct file_out *out)
{
    if (out->replace)
        return rename(out->tmp, out->path);
    if (renameat2(AT_FDCWD, out->tmp, AT_FDCWD, out->path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(out->tmp, out->path) < 0)
        return -1;
    unlink(out->tmp);
    return 0;
}

int file_commit(struct file_out *out, struct lsuit_bytes bytes)
{
    if (out->fd < 0) /* standard output */
        return fflush(stdout) == 0 && write_fd(STDOUT_FILENO, bytes) == 0
                   ? CLI_OK
                   : cli_fail("standard output: %s", strerror(errno));
    if (write_fd(out->fd, bytes) < 0 || ftruncate(out->fd, (off_t)bytes.len) < 0 ||
        fsync(out->fd) < 0 || give_name(out) < 0) {
        if (errno == EEXIST)
            cli_fail("%s: exists already and is not overwritten", out->path);
        else
            cli_fail("%s: %s", out->path, strerror(errno));
        file_drop(out);
        return CLI_FAILED;
    }
    close(out->fd);
    out->fd = -1;
    return fsync_parent(out->path) == 0 ? CLI_OK : cli_fail("%s: %s", out->path, strerror(errno));
}

void file_drop(struct file_out *out)
{
    if (out->fd < 0)
        return;
    close(out->fd);
    unlink(out->tmp);
    out->fd = -1;
}

int file_parents(char *path, size_t from)
{
    for (char *p = path + from; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return cli_fail("%s: %s", path, strerror(errno));
        *p = '/';
    }
    return CLI_OK;
}

int file_write(const char *path, struct lsuit_bytes bytes, unsigned mode, bool replace)
{
    struct file_out out;
    int e = file_reserve(path, 0, mode, replace, &out);

    return e == CLI_OK ? file_commit(&out, bytes) : e;
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
