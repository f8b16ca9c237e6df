#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4100 };

static enum err sync_folder(const char *path)
{
    char folder[PATH_ROOM];
    const char *slash = strrchr(path, '/');
    int fd;

    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0) {
        int why = errno;

        if (fd >= 0)
            close(fd);
        return FAIL(ERR_IO, "%s: %s", folder, strerror(why));
    }
    close(fd);
    return ERR_OK;
}

static enum err write_synced(int fd, const char *path, const void *bytes, size_t n)
{
    ssize_t wrote = write(fd, bytes, n);

    if (wrote == (ssize_t)n && fsync(fd) == 0)
        return ERR_OK;
    return FAIL(wrote >= 0 || errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", path, strerror(errno));
}

enum err file_put(const char *path, const void *bytes, size_t n, unsigned mode)
{
    char tmp[PATH_ROOM];
    int fd;
    enum err e;

    if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= (int)sizeof tmp)
        return FAIL(ERR_CONFIG, "name too long: %s", path);
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return FAIL(ERR_IO, "%s: %s", tmp, strerror(errno));
    e = fchmod(fd, mode) == 0 ? write_synced(fd, tmp, bytes, n)
                              : FAIL(ERR_IO, "%s: %s", tmp, strerror(errno));
    close(fd);
    if (e == ERR_OK && rename(tmp, path) < 0)
        e = FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    if (e != ERR_OK)
        unlink(tmp);
    return e == ERR_OK ? sync_folder(path) : e;
}

enum err file_get_secret(const char *path, char *text_out, size_t room, size_t *n_out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t n = -1;
    enum err e = ERR_OK;

    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0)
        e = FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    else if ((st.st_mode & 077) != 0)
        e = FAIL(ERR_CONFIG, "%s: others may read it; it must be 0600", path);
    if (e == ERR_OK)
        n = read(fd, text_out, room);
    close(fd);
    if (e != ERR_OK)
        return e;
    if (n < 0)
        return FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    if ((size_t)n == room)
        return FAIL(ERR_CONFIG, "%s: longer than %zu bytes", path, room - 1);
    text_out[n] = '\0';
    *n_out = (size_t)n;
    return ERR_OK;
}

enum err file_append(const char *path, const void *bytes, size_t n, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, mode);
    struct stat st;
    enum err e;

    if (fd < 0)
        return FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0)
        e = FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    else
        e = write_synced(fd, path, bytes, n);
    if (e == ERR_FULL && ftruncate(fd, st.st_size) < 0) /* half a line would never be read */
        e = FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return e == ERR_OK && st.st_size == 0 ? sync_folder(path) : e;
}
