/* See artifact.h. The order is: bytes on disk, name in place, folder on disk, then "done". */

#include "artifact/artifact.h"

#include "base/bytes.h"
#include "base/log.h"
#include "lsuit/crypto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct artifact_dir {
    int fd;
    int tmp;
};

struct artifact_upload {
    struct artifact_dir *dir;
    uint8_t digest[ARTIFACT_DIGEST];
    int64_t size, written;
    int fd;
    char name[40]; /* in tmp */
    struct lsuit_hash hash;
    bool hashing;
};

static const char BALLAST[] = "ballast";

static enum err err_of(int why)
{
    return why == ENOSPC || why == EDQUOT ? ERR_FULL : ERR_IO;
}

static int folder(int at, const char *name)
{
    if (mkdirat(at, name, 0750) < 0 && errno != EEXIST)
        return -1;
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What is in tmp was never acknowledged. */
static void clean(int tmp)
{
    int fd = dup(tmp);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    while (d != NULL && (entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(tmp, entry->d_name, 0);
    if (d != NULL)
        closedir(d);
}

static void reserve(struct artifact_dir *d, int64_t ballast)
{
    struct stat st;
    int fd;

    if (ballast <= 0 || (fstatat(d->fd, BALLAST, &st, 0) == 0 && st.st_size >= ballast))
        return;
    fd = openat(d->fd, BALLAST, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0 || posix_fallocate(fd, 0, ballast) != 0) {
        LOG_WARN("no room for %lld bytes of ballast", (long long)ballast);
        unlinkat(d->fd, BALLAST, 0);
    }
    if (fd >= 0)
        close(fd);
}

enum err artifact_open(const char *dir, int64_t ballast, struct artifact_dir **dir_out)
{
    struct artifact_dir *d = calloc(1, sizeof *d);

    if (d == NULL)
        return FAIL(ERR_MEMORY, "artifact folder");
    d->fd = folder(AT_FDCWD, dir);
    d->tmp = d->fd < 0 ? -1 : folder(d->fd, "tmp");
    if (d->tmp < 0) {
        enum err e = FAIL(ERR_IO, "%s: %s", dir, strerror(errno));

        artifact_close(d);
        return e;
    }
    clean(d->tmp);
    reserve(d, ballast);
    *dir_out = d;
    return ERR_OK;
}

void artifact_close(struct artifact_dir *d)
{
    if (d == NULL)
        return;
    if (d->fd >= 0)
        close(d->fd);
    if (d->tmp >= 0)
        close(d->tmp);
    free(d);
}

enum err artifact_begin(struct artifact_dir *dir, const uint8_t digest[ARTIFACT_DIGEST],
                        int64_t size, struct artifact_upload **upload_out)
{
    struct artifact_upload *u = calloc(1, sizeof *u);
    uint8_t random[16];

    if (u == NULL)
        return FAIL(ERR_MEMORY, "upload");
    u->dir = dir;
    u->size = size;
    u->fd = -1;
    memcpy(u->digest, digest, sizeof u->digest);
    bytes_random(random, sizeof random);
    bytes_to_hex(random, sizeof random, u->name);
    if (lsuit_crypto_psa.hash_start(NULL, &u->hash, LSUIT_ALG_SHA256) != LSUIT_OK) {
        artifact_abort(u);
        return FAIL(ERR_INTERNAL, "no SHA-256");
    }
    u->hashing = true;
    u->fd = openat(dir->tmp, u->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (u->fd < 0) {
        enum err e = FAIL(err_of(errno), "create: %s", strerror(errno));

        artifact_abort(u);
        return e;
    }
    *upload_out = u;
    return ERR_OK;
}

enum err artifact_write(struct artifact_upload *u, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    struct lsuit_bytes part = { bytes, n };

    if ((int64_t)n > u->size - u->written)
        return FAIL_FIELD(ERR_DIGEST, "sha256", "more bytes than announced");
    if (lsuit_crypto_psa.hash_update(NULL, &u->hash, part) != LSUIT_OK)
        return FAIL(ERR_INTERNAL, "hash");
    while (n > 0) {
        ssize_t w = write(u->fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return FAIL(err_of(errno), "write: %s", strerror(errno));
        p += w;
        n -= (size_t)w;
        u->written += w;
    }
    return ERR_OK;
}

static enum err check(struct artifact_upload *u)
{
    uint8_t got[LSUIT_DIGEST_MAX];
    size_t n = 0;
    enum lsuit_err le = lsuit_crypto_psa.hash_finish(NULL, &u->hash, got, sizeof got, &n);

    u->hashing = false;
    if (le != LSUIT_OK)
        return FAIL(ERR_INTERNAL, "hash");
    if (u->written != u->size || n != sizeof u->digest || memcmp(got, u->digest, n) != 0)
        return FAIL_FIELD(ERR_DIGEST, "sha256", "the bytes are not those of this name");
    return ERR_OK;
}

enum err artifact_commit(struct artifact_upload *u)
{
    char hex[2 * ARTIFACT_DIGEST + 1];
    char sub[3] = { 0 };
    int fd = -1;
    enum err e = check(u);

    if (e != ERR_OK)
        goto out;
    bytes_to_hex(u->digest, sizeof u->digest, hex);
    memcpy(sub, hex, 2);
    fd = folder(u->dir->fd, sub);
    /* The data must be on disk before the name is, and the name before we say so. */
    if (fd < 0 || fsync(u->fd) < 0 || renameat(u->dir->tmp, u->name, fd, hex) < 0 ||
        fsync(fd) < 0 || fsync(u->dir->fd) < 0)
        e = FAIL(err_of(errno), "commit %s: %s", hex, strerror(errno));
out:
    if (fd >= 0)
        close(fd);
    artifact_abort(u);
    return e;
}

void artifact_abort(struct artifact_upload *u)
{
    if (u == NULL)
        return;
    if (u->hashing)
        lsuit_crypto_psa.hash_abort(NULL, &u->hash);
    if (u->fd >= 0) {
        close(u->fd);
        unlinkat(u->dir->tmp, u->name, 0); /* gone already when it has its name */
    }
    free(u);
}

enum err artifact_read(struct artifact_dir *dir, const uint8_t digest[ARTIFACT_DIGEST], int *fd_out,
                       int64_t *size_out)
{
    char path[2 * ARTIFACT_DIGEST + 4];
    char hex[2 * ARTIFACT_DIGEST + 1];
    struct stat st;
    int fd;

    bytes_to_hex(digest, ARTIFACT_DIGEST, hex);
    snprintf(path, sizeof path, "%.2s/%s", hex, hex);
    fd = openat(dir->fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    if (fd < 0 || fstat(fd, &st) < 0) {
        enum err e = FAIL(ERR_IO, "open %s: %s", hex, strerror(errno));

        if (fd >= 0)
            close(fd);
        return e;
    }
    *fd_out = fd;
    *size_out = st.st_size;
    return ERR_OK;
}

bool artifact_release_ballast(struct artifact_dir *dir)
{
    return unlinkat(dir->fd, BALLAST, 0) == 0;
}
