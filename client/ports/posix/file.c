#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t file_read(int dirfd, const char *name, void *buf, size_t cap)
{
    struct stat st;
    size_t have = 0;
    ssize_t result = FILE_FAIL;
    /* O_NONBLOCK: a FIFO put in place of a file must not stop us. */
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return errno == ENOENT ? FILE_ABSENT : FILE_FAIL;
    if (fstat(fd, &st) < 0)
        goto out;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        goto out;
    }
    for (;;) {
        uint8_t past = 0;
        ssize_t n = have < cap ? read(fd, (uint8_t *)buf + have, cap - have) : read(fd, &past, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            goto out;
        if (n == 0)
            break;
        if (have == cap) {
            errno = EFBIG;
            result = FILE_TOO_BIG;
            goto out;
        }
        have += (size_t)n;
    }
    result = (ssize_t)have;
out:
    close(fd);
    return result;
}

bool file_write_all(int fd, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

bool file_replace(int dirfd, const char *name, const void *bytes, size_t n, mode_t mode)
{
    char tmp[80];
    bool ok = false;
    int saved = 0;
    int fd = -1;

    if (snprintf(tmp, sizeof tmp, "%s.tmp", name) >= (int)sizeof tmp) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return false;
    /* The bytes before the name, or a cut leaves the name over an empty file; the folder last,
     * or the name itself is still only in memory when we say that it is done. */
    ok = file_write_all(fd, bytes, n) && fsync(fd) == 0 && renameat(dirfd, tmp, dirfd, name) == 0 &&
         fsync(dirfd) == 0;
    saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

/* The folder in which `name` stands: else a cut takes a new one away with all that is in it. */
static bool sync_parent(int dirfd, const char *name)
{
    char parent[256] = ".";
    const char *slash = strrchr(name, '/');
    int fd = -1;
    bool ok = false;

    if (slash != NULL && (size_t)(slash - name) < sizeof parent)
        (void)snprintf(parent, sizeof parent, "%.*s", slash == name ? 1 : (int)(slash - name),
                       name);
    fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

int file_open_dir(int dirfd, const char *name)
{
    if (mkdirat(dirfd, name, 0750) < 0 ? errno != EEXIST : !sync_parent(dirfd, name))
        return -1;
    return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int file_others(int dirfd, const char *name)
{
    struct stat st;
    int bits = 0;

    if (fstatat(dirfd, name, &st, 0) < 0)
        return FILE_FAIL;
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return FILE_OTHERS_READ | FILE_OTHERS_WRITE;
    if (st.st_mode & (S_IRGRP | S_IROTH))
        bits |= FILE_OTHERS_READ;
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        bits |= FILE_OTHERS_WRITE;
    return bits;
}
