/*
 * A file system that forgets: keeps beside a folder what of it was synced, and nothing else.
 * Loaded with LD_PRELOAD. After a kill the test puts the folder back from that copy, and so sees
 * what a machine would see that lost power.
 *
 *   fsync(file)    its bytes as they are now become the durable ones
 *   fsync(folder)  its names as they are now become the durable ones
 *
 *   LOST_SYNC_ROOT  the folder
 *   LOST_SYNC_KEEP  where the copy is kept
 *   LOST_SYNC_SKIP  a sync of a path that has this in it does nothing; "/" of all, "dir" of folders;
 *                   with a $ at its end: of a path that ends so
 *
 * A file is known by inode and birth, so that a name that moves takes its bytes along.
 *
 *     KEEP/root          key of the root
 *     KEEP/file.<key>    bytes
 *     KEEP/dir.<key>     a line "f <key> <name>" or "d <key> <name>" for each name; of a link
 *                        "l <where to> <name>"
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096 };

static const char *root, *keep, *skip;
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what)
{
    fprintf(stderr, "lost_sync: %s: %s\n", what, strerror(errno));
    abort();
}

static void key_of(int fd, char out[64])
{
    struct statx st;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) != 0)
        die("statx");
    snprintf(out, 64, "%llu-%lld-%u", (unsigned long long)st.stx_ino,
             (long long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
}

/* Write the copy beside, then rename: a kill in here leaves the one before. */
static FILE *copy_open(void)
{
    char path[PATH];
    FILE *f;

    snprintf(path, sizeof path, "%s/new", keep);
    f = fopen(path, "we");
    if (f == NULL)
        die(path);
    return f;
}

static void copy_close(FILE *f, const char *kind, const char *key)
{
    char from[PATH], to[PATH];

    if (fclose(f) != 0)
        die("copy");
    snprintf(from, sizeof from, "%s/new", keep);
    snprintf(to, sizeof to, "%s/%s%s", keep, kind, key);
    if (rename(from, to) != 0)
        die(to);
}

static void keep_file(int fd)
{
    char key[64], path[64], bytes[65536];
    FILE *f = copy_open();
    off_t at = 0;
    ssize_t n;
    int own;

    key_of(fd, key);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    own = open(path, O_RDONLY | O_CLOEXEC); /* the given one may be for writing only */
    if (own < 0)
        die(path);
    while ((n = pread(own, bytes, sizeof bytes, at)) > 0) {
        if (fwrite(bytes, 1, (size_t)n, f) != (size_t)n)
            die("copy");
        at += n;
    }
    close(own);
    copy_close(f, "file.", key);
}

static void keep_dir(int fd)
{
    char key[64], path[64];
    FILE *f = copy_open();
    struct dirent *entry;
    DIR *d;

    key_of(fd, key);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    d = opendir(path);
    if (d == NULL)
        die(path);
    while ((entry = readdir(d)) != NULL) {
        char sub[64];
        struct stat st;
        int at;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        at = openat(dirfd(d), entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (at < 0)
            continue; /* gone meanwhile */
        if (fstat(at, &st) == 0 && S_ISLNK(st.st_mode)) {
            ssize_t n = readlinkat(at, "", sub, sizeof sub - 1);

            if (n > 0)
                fprintf(f, "l %.*s %s\n", (int)n, sub, entry->d_name);
        } else if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) {
            key_of(at, sub);
            fprintf(f, "%c %s %s\n", S_ISDIR(st.st_mode) ? 'd' : 'f', sub, entry->d_name);
        }
        close(at);
    }
    closedir(d);
    copy_close(f, "dir.", key);
}

/* What stands in the folder at the start is durable. */
static void prime(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (d == NULL)
        die(path);
    keep_dir(fd);
    while ((entry = readdir(d)) != NULL) {
        char sub[PATH];
        struct stat st;
        int at;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(sub, sizeof sub, "%s/%s", path, entry->d_name);
        if (lstat(sub, &st) == 0 && (S_ISLNK(st.st_mode) || S_ISSOCK(st.st_mode)))
            continue; /* the names are kept already */
        at = open(sub, O_RDONLY | O_CLOEXEC);
        if (at < 0 || fstat(at, &st) != 0)
            die(sub);
        if (S_ISDIR(st.st_mode))
            prime(sub);
        else
            keep_file(at);
        close(at);
    }
    closedir(d);
}

__attribute__((constructor)) static void load(void)
{
    char path[PATH], key[64];
    int fd;

    *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    root = getenv("LOST_SYNC_ROOT");
    keep = getenv("LOST_SYNC_KEEP");
    skip = getenv("LOST_SYNC_SKIP");
    if (root == NULL || keep == NULL)
        return;
    snprintf(path, sizeof path, "%s/root", keep);
    if (access(path, F_OK) == 0)
        return;
    prime(root);
    fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        die(root);
    key_of(fd, key);
    close(fd);
    FILE *f = copy_open();

    fprintf(f, "%s\n", key);
    copy_close(f, "root", "");
}

static int is_skipped(const char *path, int folder)
{
    size_t n = skip != NULL ? strlen(skip) : 0, path_n = strlen(path);

    if (n == 0)
        return 0;
    if (strcmp(skip, "dir") == 0)
        return folder;
    if (skip[n - 1] == '$')
        return path_n >= n - 1 && memcmp(path + path_n - (n - 1), skip, n - 1) == 0;
    return strstr(path, skip) != NULL;
}

static void note(int fd)
{
    char link[64], path[PATH];
    struct stat st;
    ssize_t n;

    if (root == NULL || keep == NULL || fstat(fd, &st) != 0)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return;
    path[n] = '\0';
    if (strncmp(path, root, strlen(root)) != 0)
        return;
    if (is_skipped(path, S_ISDIR(st.st_mode)))
        return;
    pthread_mutex_lock(&lock);
    if (S_ISDIR(st.st_mode))
        keep_dir(fd);
    else if (S_ISREG(st.st_mode))
        keep_file(fd);
    pthread_mutex_unlock(&lock);
}

int fsync(int fd)
{
    note(fd);
    return real_fsync(fd);
}

int fdatasync(int fd)
{
    note(fd);
    return real_fdatasync(fd);
}
