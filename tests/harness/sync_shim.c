/*
 * A disk that forgets, for LD_PRELOAD: at the n-th operation the process dies, and what it had not
 * synced is gone.
 *
 *   SYNC_SHIM_DATA     the folder that stands on this disk
 *   SYNC_SHIM_CONTROL  a folder beside it, on the same file system, empty at the start
 *   SYNC_SHIM_LIES     when set, a sync says 0 and keeps nothing
 *
 * The test writes "NUMBER KIND" into control/cut, by rename; at that operation of the kind from then
 * on (write, pwrite, ftruncate, fsync, fdatasync, mkdir, rename, unlink, or any) the shim builds
 * control/rebuilt, which is what a disk would hold, writes control/report, and kills the process.
 *
 *   (1) What stands in the folder at the start is on the disk.
 *   (2) A file's content reaches the disk when the file is synced, whole and as of then.
 *   (3) A name reaches the disk, or leaves it, when its folder is synced.
 *   (4) So what the shim doesn't know of (writes to a mapping, other kinds of sync) is lost.
 *   (5) After the cut no operation ends, so that nothing is acknowledged on its account.
 *
 * Inodes name the files. One that lost its name is kept under another, so that its number isn't
 * given to a new file while the disk still knows the old one.
 */

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char data[PATH / 4], control[PATH / 4];
static bool lies;
static long left; /* operations to the cut; 0: none is asked for */
static char kind[16];
static long count;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);
static int (*real_ftruncate64)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_mkdirat)(int, const char *, mode_t);
static int (*real_rename)(const char *, const char *);
static int (*real_renameat)(int, const char *, int, const char *);
static int (*real_unlink)(const char *);
static int (*real_unlinkat)(int, const char *, int);

/* The test can't go on without its disk. */
__attribute__((noreturn, format(printf, 1, 2))) static void broken(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fprintf(stderr, "sync_shim: ");
    vfprintf(stderr, fmt, args);
    fprintf(stderr, ": %m\n");
    va_end(args);
    _exit(99);
}

__attribute__((format(printf, 2, 3))) static const char *path_of(char out[PATH], const char *fmt,
                                                                 ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(out, PATH, fmt, args);
    va_end(args);
    if (n < 0 || n >= PATH)
        broken("path");
    return out;
}

static void copy(const char *from, const char *to)
{
    static char block[1 << 16]; /* under the lock */
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    struct stat st;
    ssize_t n = 0;

    if (in < 0 || out < 0 || fstat(in, &st) < 0)
        broken("copy %s to %s", from, to);
    while ((n = read(in, block, sizeof block)) > 0)
        if (real_write(out, block, (size_t)n) != n)
            broken("write %s", to);
    if (n < 0 || fchmod(out, st.st_mode & 0777) < 0)
        broken("read %s", from);
    close(in);
    close(out);
}

/* The names of a folder are on the disk now. */
static void keep_names(const char *folder, ino_t ino)
{
    char path[PATH];
    DIR *d = opendir(folder);
    FILE *f = fopen(path_of(path, "%s/names/%lu", control, (unsigned long)ino), "we");
    struct dirent *entry;

    if (d == NULL || f == NULL)
        broken("folder %s", folder);
    while ((entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            fprintf(f, "%c %lu %s\n", entry->d_type == DT_DIR ? 'd' : 'f',
                    (unsigned long)entry->d_ino, entry->d_name);
    closedir(d);
    if (fclose(f) != 0)
        broken("names of %s", folder);
}

static void keep(const char *path)
{
    char to[PATH];
    struct stat st;

    if (stat(path, &st) < 0)
        broken("stat %s", path);
    if (S_ISDIR(st.st_mode))
        keep_names(path, st.st_ino);
    else if (S_ISREG(st.st_mode))
        copy(path, path_of(to, "%s/content/%lu", control, (unsigned long)st.st_ino));
}

static void keep_tree(const char *folder)
{
    char path[PATH];
    DIR *d = opendir(folder);
    struct dirent *entry;

    if (d == NULL)
        return; /* the server makes it */
    while ((entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        path_of(path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR)
            keep_tree(path);
        else
            keep(path);
    }
    closedir(d);
    keep(folder);
}

/* Build what the disk holds of a folder: the names it knows, with the content it knows. */
static void rebuild(ino_t ino, const char *to)
{
    char path[PATH], from[PATH], name[256];
    FILE *f = fopen(path_of(path, "%s/names/%lu", control, (unsigned long)ino), "re");
    unsigned long child;
    char type;

    if (real_mkdirat(AT_FDCWD, to, 0750) < 0)
        broken("mkdir %s", to);
    if (f == NULL)
        return; /* never synced: no names */
    while (fscanf(f, "%c %lu %255[^\n]\n", &type, &child, name) == 3) {
        path_of(path, "%s/%s", to, name);
        path_of(from, "%s/content/%lu", control, child);
        if (type == 'd')
            rebuild(child, path);
        else if (access(from, F_OK) == 0)
            copy(from, path);
        else
            close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640)); /* the name, and no bytes */
    }
    fclose(f);
}

static void cut(const char *what)
{
    char path[PATH];
    struct stat st;
    FILE *f;

    if (stat(data, &st) < 0)
        broken("stat %s", data);
    rebuild(st.st_ino, path_of(path, "%s/rebuilt", control));
    f = fopen(path_of(path, "%s/report", control), "we");
    if (f == NULL || fprintf(f, "%s %ld\n", what, count) < 0 || fclose(f) != 0)
        broken("report");
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* One operation begins. Holds the lock until `done`. */
static void begin(const char *what)
{
    char path[PATH];
    FILE *f;

    pthread_mutex_lock(&lock);
    count++;
    if (left == 0 && (f = fopen(path_of(path, "%s/cut", control), "re")) != NULL) {
        if (fscanf(f, "%ld %15s", &left, kind) != 2)
            broken("control/cut");
        fclose(f);
    }
    if (left > 0 && (strcmp(kind, "any") == 0 || strcmp(kind, what) == 0) && --left == 0)
        cut(what);
}

static void done(void)
{
    pthread_mutex_unlock(&lock);
}

/* Does this descriptor stand on the disk? Its path, if so. */
static bool on_disk(int fd, char path[PATH])
{
    char link[64];
    struct stat st;
    ssize_t n;
    size_t len = strlen(data);

    if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH - 1);
    if (n < 0)
        return false;
    path[n] = '\0';
    return strncmp(path, data, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* A name is about to go: its inode stays. */
static void hold(int at, const char *name)
{
    char path[PATH];
    struct stat st;

    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
        (void)!linkat(at, name, AT_FDCWD,
                      path_of(path, "%s/held/%lu", control, (unsigned long)st.st_ino), 0);
}

static void *real(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);

    if (f == NULL)
        broken("no %s", name);
    return f;
}

__attribute__((constructor)) static void start(void)
{
    static const char *const FOLDERS[] = { "names", "content", "held" };
    const char *d = getenv("SYNC_SHIM_DATA"), *c = getenv("SYNC_SHIM_CONTROL");
    char path[PATH];

    if (d == NULL || c == NULL || realpath(d, path) == NULL)
        broken("SYNC_SHIM_DATA and SYNC_SHIM_CONTROL");
    if (strlen(path) >= sizeof data || strlen(c) >= sizeof control)
        broken("path");
    memcpy(data, path, strlen(path) + 1);
    memcpy(control, c, strlen(c) + 1);
    lies = getenv("SYNC_SHIM_LIES") != NULL;
    *(void **)&real_write = real("write");
    *(void **)&real_pwrite64 = real("pwrite64");
    *(void **)&real_ftruncate64 = real("ftruncate64");
    *(void **)&real_fsync = real("fsync");
    *(void **)&real_fdatasync = real("fdatasync");
    *(void **)&real_mkdirat = real("mkdirat");
    *(void **)&real_rename = real("rename");
    *(void **)&real_renameat = real("renameat");
    *(void **)&real_unlink = real("unlink");
    *(void **)&real_unlinkat = real("unlinkat");
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++)
        if (real_mkdirat(AT_FDCWD, path_of(path, "%s/%s", control, FOLDERS[i]), 0750) < 0)
            broken("mkdir %s", path);
    keep_tree(data);
}

static int sync_of(int fd, const char *what, int (*really)(int))
{
    char path[PATH], link[64];

    if (!on_disk(fd, path))
        return really(fd);
    begin(what);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (!lies)
        keep(link); /* by its descriptor: the name may be gone */
    done();
    return 0;
}

int fsync(int fd)
{
    return sync_of(fd, "fsync", real_fsync);
}

int fdatasync(int fd)
{
    return sync_of(fd, "fdatasync", real_fdatasync);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    char path[PATH];
    ssize_t r;

    if (!on_disk(fd, path))
        return real_write(fd, bytes, n);
    begin("write");
    r = real_write(fd, bytes, n);
    done();
    return r;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    char path[PATH];
    ssize_t r;

    if (!on_disk(fd, path))
        return real_pwrite64(fd, bytes, n, at);
    begin("pwrite");
    r = real_pwrite64(fd, bytes, n, at);
    done();
    return r;
}

int ftruncate64(int fd, off64_t size)
{
    char path[PATH];
    int r;

    if (!on_disk(fd, path))
        return real_ftruncate64(fd, size);
    begin("ftruncate");
    r = real_ftruncate64(fd, size);
    done();
    return r;
}

int mkdirat(int at, const char *name, mode_t mode)
{
    int r;

    begin("mkdir");
    r = real_mkdirat(at, name, mode);
    done();
    return r;
}

int rename(const char *from, const char *to)
{
    int r;

    begin("rename");
    hold(AT_FDCWD, to);
    r = real_rename(from, to);
    done();
    return r;
}

int renameat(int at, const char *from, int at2, const char *to)
{
    int r;

    begin("rename");
    hold(at2, to);
    r = real_renameat(at, from, at2, to);
    done();
    return r;
}

int unlink(const char *name)
{
    int r;

    begin("unlink");
    hold(AT_FDCWD, name);
    r = real_unlink(name);
    done();
    return r;
}

int unlinkat(int at, const char *name, int flags)
{
    int r;

    begin("unlink");
    hold(at, name);
    r = real_unlinkat(at, name, flags);
    done();
    return r;
}
