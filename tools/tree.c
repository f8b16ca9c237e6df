#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* "name" of "a/b/name". */
static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int remove_tree(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return CLI_OK;
    return cli_fail("%s: %s", path, strerror(errno));
}

static int folder(const char *dir, uint64_t number, char out[FILE_PATH_MAX])
{
    if (snprintf(out, FILE_PATH_MAX, "%s.%llu", dir, (unsigned long long)number) < FILE_PATH_MAX)
        return CLI_OK;
    return cli_fail("%s: name too long", dir);
}

/* Which folder DIR points to; 0: there is no DIR yet. */
static int read_link(const char *dir, uint64_t *number_out)
{
    char target[FILE_PATH_MAX];
    size_t base_n = strlen(last_of(dir));
    ssize_t n = readlink(dir, target, sizeof target - 1);

    *number_out = 0;
    if (n < 0 && errno == ENOENT)
        return CLI_OK;
    if (n < 0)
        return cli_fail("%s: it must be free, or a link that an earlier export made", dir);
    target[n] = '\0';
    if ((size_t)n < base_n + 2 || strncmp(target, last_of(dir), base_n) != 0 ||
        target[base_n] != '.' || !parse_uint(target + base_n + 1, number_out) || *number_out == 0)
        return cli_fail("%s: a link to %s, which no export made", dir, target);
    return CLI_OK;
}

static int take_lock(struct tree *t)
{
    char path[FILE_PATH_MAX + 8];

    snprintf(path, sizeof path, "%s.lock", t->dir);
    t->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (t->lock_fd < 0)
        return cli_fail("%s: %s", path, strerror(errno));
    if (flock(t->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return CLI_OK;
    close(t->lock_fd);
    t->lock_fd = -1;
    return cli_fail("%s: another export is under way", t->dir);
}

int tree_begin(struct tree *t, const char *dir)
{
    int e;

    *t = (struct tree){ .dir = dir, .lock_fd = -1 };
    if (*last_of(dir) == '\0')
        return cli_fail("%s: a name, without a slash at its end", dir);
    e = take_lock(t);
    if (e == CLI_OK)
        e = read_link(dir, &t->number);
    if (e == CLI_OK && t->number > 0)
        e = folder(dir, t->number, t->now);
    if (e == CLI_OK)
        e = folder(dir, ++t->number, t->next);
    if (e == CLI_OK)
        e = remove_tree(t->next);
    if (e == CLI_OK && mkdir(t->next, 0755) < 0)
        e = cli_fail("%s: %s", t->next, strerror(errno));
    return e;
}

bool tree_is_safe(const char *path)
{
    const char *p = path;

    if (*p == '\0' || strlen(p) > 1024)
        return false;
    while (*p != '\0') {
        size_t n = strcspn(p, "/");

        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)p[i] < 0x20 || p[i] == '\\')
                return false;
        p += n;
        if (*p == '/' && *++p == '\0')
            return false;
    }
    return true;
}

int tree_path(const struct tree *t, const char *path, char out[FILE_PATH_MAX])
{
    if (snprintf(out, FILE_PATH_MAX, "%s/%s", t->next, path) >= FILE_PATH_MAX)
        return cli_fail("%s: name too long", path);
    return file_parents(out, strlen(t->next) + 1);
}

bool tree_keep(const struct tree *t, const char *path)
{
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];

    return t->now[0] != '\0' &&
           snprintf(from, sizeof from, "%s/%s", t->now, path) < (int)sizeof from &&
           tree_path(t, path, to) == CLI_OK && link(from, to) == 0;
}

static int sync_all(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int e = fd >= 0 && syncfs(fd) == 0 ? CLI_OK : cli_fail("%s: %s", path, strerror(errno));

    if (fd >= 0)
        close(fd);
    return e;
}

int tree_commit(struct tree *t)
{
    char tmp[FILE_PATH_MAX + 8], old[FILE_PATH_MAX];
    int e = sync_all(t->next);

    if (e != CLI_OK)
        return e;
    snprintf(tmp, sizeof tmp, "%s.link", t->dir);
    if ((unlink(tmp) < 0 && errno != ENOENT) || symlink(last_of(t->next), tmp) < 0 ||
        rename(tmp, t->dir) < 0)
        return cli_fail("%s: %s", t->dir, strerror(errno));
    e = sync_all(t->next);
    t->next[0] = '\0'; /* it is DIR now */
    if (e == CLI_OK && t->number > 2 && folder(t->dir, t->number - 2, old) == CLI_OK)
        e = remove_tree(old);
    return e;
}

void tree_end(struct tree *t)
{
    if (t->next[0] != '\0' && t->lock_fd >= 0)
        (void)remove_tree(t->next);
    if (t->lock_fd >= 0)
        close(t->lock_fd);
}
