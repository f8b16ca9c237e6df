#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

static const char *const FOLDER[2] = { "slot0", "slot1" };
static const char *const MANIFEST[2] = { "slot0.manifest", "slot1.manifest" };

bool slots_open(struct slots *s, const struct conf *conf)
{
    *s = (struct slots){ .conf = conf, .root = -1, .dir = { -1, -1 } };
    s->root = file_open_dir(AT_FDCWD, conf->slots_dir);
    if (s->root < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        s->dir[i] = file_open_dir(s->root, FOLDER[i]);
        if (s->dir[i] < 0) {
            slots_fini(s);
            return false;
        }
    }
    return true;
}

void slots_fini(struct slots *s)
{
    for (int i = 0; i < 2; i++)
        if (s->dir[i] >= 0)
            close(s->dir[i]);
    if (s->root >= 0)
        close(s->root);
    s->root = s->dir[0] = s->dir[1] = -1;
}

int slots_find(const struct slots *s, struct lsuit_bytes id)
{
    for (size_t i = 0; i < s->conf->component_n; i++) {
        const struct conf_component *c = &s->conf->component[i];
        if (c->id_n == id.len && id.len > 0 && memcmp(c->id, id.ptr, id.len) == 0)
            return (int)i;
    }
    return -1;
}

static bool is_known(const struct slots *s, int component, uint8_t slot)
{
    return slot < 2 && component >= 0 && (size_t)component < s->conf->component_n;
}

static bool fits(const struct slots *s, uint64_t offset, size_t n)
{
    return n <= s->conf->slot_size && offset <= s->conf->slot_size - n;
}

int slots_info(const struct slots *s, int component, uint8_t slot, struct lapel_slot_info *info_out)
{
    if (!is_known(s, component, slot))
        return -1;
    *info_out = (struct lapel_slot_info){
        .size = s->conf->slot_size, .erase_size = 1, .write_size = 1, .erased_value = 0
    };
    return 1;
}

/* O_NOFOLLOW: a link in a slot must not redirect an image over another file. */
static int open_image(const struct slots *s, int component, uint8_t slot, int flags)
{
    return openat(s->dir[slot], s->conf->component[component].name,
                  flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
}

int slots_erase(struct slots *s, int component, uint8_t slot, uint64_t offset)
{
    int fd = -1;
    struct stat st;
    int result = -1;

    if (!is_known(s, component, slot) || !fits(s, offset, 0))
        return -1;
    fd = open_image(s, component, slot, O_WRONLY | O_CREAT);
    if (fd < 0)
        return -1;
    /* What stands behind offset goes; asked again from another offset, the rest follows. */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        ((uint64_t)st.st_size <= offset || ftruncate(fd, (off_t)offset) == 0))
        result = 1;
    close(fd);
    return result;
}

int slots_write(struct slots *s, int component, uint8_t slot, uint64_t offset, const uint8_t *buf,
                size_t n)
{
    size_t done = 0;
    int fd = -1;

    if (!is_known(s, component, slot) || !fits(s, offset, n) || n > INT32_MAX)
        return -1;
    fd = open_image(s, component, slot, O_WRONLY | O_CREAT);
    if (fd < 0)
        return -1;
    while (done < n) {
        ssize_t k = pwrite(fd, buf + done, n - done, (off_t)(offset + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            break;
        done += (size_t)k;
    }
    close(fd);
    return done == n ? (int)n : -1;
}

int slots_read(const struct slots *s, int component, uint8_t slot, uint64_t offset, uint8_t *buf,
               size_t n)
{
    size_t done = 0;
    ssize_t k = 0;
    int fd = -1;

    if (!is_known(s, component, slot) || !fits(s, offset, n) || n > INT32_MAX)
        return -1;
    fd = open_image(s, component, slot, O_RDONLY);
    if (fd < 0 && errno != ENOENT)
        return -1;
    while (fd >= 0 && done < n) {
        k = pread(fd, buf + done, n - done, (off_t)(offset + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            break;
        done += (size_t)k;
    }
    if (fd >= 0)
        close(fd);
    if (k < 0)
        return -1;
    memset(buf + done, 0, n - done); /* (4) */
    return (int)n;
}

int slots_set_length(struct slots *s, int component, uint8_t slot, uint64_t length)
{
    int result = -1;
    int fd = -1;

    if (!is_known(s, component, slot) || !fits(s, length, 0))
        return -1;
    fd = open_image(s, component, slot, O_WRONLY | O_CREAT);
    if (fd < 0)
        return -1;
    /* From here on the core believes in the image: its bytes and its length (fsync of the file)
     * and its name (fsync of the folder) must outlive a cut. */
    if (ftruncate(fd, (off_t)length) == 0 && fsync(fd) == 0 && fsync(s->dir[slot]) == 0)
        result = 1;
    close(fd);
    return result;
}

int slots_manifest_write(struct slots *s, uint8_t slot, const uint8_t *buf, size_t n)
{
    if (slot > 1 || n > SLOTS_MANIFEST_MAX)
        return -1;
    return file_replace(s->root, MANIFEST[slot], buf, n, 0640) ? 1 : -1;
}

int slots_manifest_read(const struct slots *s, uint8_t slot, uint8_t *buf, size_t cap)
{
    ssize_t n = slot < 2 ? file_read(s->root, MANIFEST[slot], buf, cap) : FILE_FAIL;

    if (n == FILE_ABSENT)
        return 0;
    return n >= 0 && n <= INT32_MAX ? (int)n : -1;
}

bool slots_point(struct slots *s, uint8_t slot)
{
    if (slots_pointed(s) == slot)
        return true;
    if (unlinkat(s->root, "current.tmp", 0) < 0 && errno != ENOENT)
        return false;
    /* A link has no bytes of its own to sync: its folder carries it. */
    return symlinkat(FOLDER[slot], s->root, "current.tmp") == 0 &&
           renameat(s->root, "current.tmp", s->root, "current") == 0 && fsync(s->root) == 0;
}

int slots_pointed(const struct slots *s)
{
    char to[16] = "";
    ssize_t n = readlinkat(s->root, "current", to, sizeof to - 1);

    for (int i = 0; i < 2; i++)
        if (n > 0 && strcmp(to, FOLDER[i]) == 0)
            return i;
    return -1;
}
