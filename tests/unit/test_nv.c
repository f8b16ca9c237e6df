/* The core's records as files: whole, apart from each other, and synced before they count. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "lapel_port.h"
#include "ports/posix/nv.h"

static char order[32]; /* F a file is synced, D a folder, R a rename */
static int rename_fails;

static void note(char what)
{
    size_t n = strlen(order);

    if (n + 1 < sizeof order)
        order[n] = what;
}

int fsync(int fd)
{
    struct stat st;

    note(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? 'D' : 'F');
    return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    note('R');
    if (rename_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

static void write_raw(int dirfd, const char *name, size_t n)
{
    static const uint8_t ZEROS[LAPEL_RECORD_SIZE + 1];
    int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, ZEROS, n) == (ssize_t)n);
    close(fd);
}

int main(void)
{
    char folder[] = "/tmp/test_nv.XXXXXX";
    char command[64];
    uint8_t got[LAPEL_RECORD_SIZE];
    uint8_t blank[16];
    int dirfd = -1;

    memset(blank, 0xff, sizeof blank);
    check_case("a record that was never written");
    CHECK(mkdtemp(folder) != NULL);
    dirfd = open(folder, O_RDONLY | O_DIRECTORY);
    CHECK_INT(nv_read(dirfd, 0, 0, got, 16), 1);
    CHECK_BYTES(got, 16, blank, 16);

    check_case("bytes, then name, then folder");
    CHECK_INT(nv_write(dirfd, 0, (const uint8_t *)"zero", 4), 1);
    CHECK_STR(order, "FRD");
    CHECK_INT(nv_write(dirfd, 1, (const uint8_t *)"one!", 4), 1);

    check_case("each record for itself, blank behind");
    CHECK_INT(nv_read(dirfd, 0, 0, got, 6), 1);
    CHECK_BYTES(got, 6, "zero\xff\xff", 6);
    CHECK_INT(nv_read(dirfd, 0, 2, got, 3), 1);
    CHECK_BYTES(got, 3, "ro\xff", 3);
    CHECK_INT(nv_read(dirfd, 1, 0, got, 4), 1);
    CHECK_BYTES(got, 4, "one!", 4);

    check_case("a write that fails keeps the old record");
    rename_fails = 1;
    CHECK_INT(nv_write(dirfd, 0, (const uint8_t *)"torn", 4), -1);
    rename_fails = 0;
    CHECK_INT(nv_read(dirfd, 0, 0, got, 4), 1);
    CHECK_BYTES(got, 4, "zero", 4);

    check_case("no such record, too large");
    CHECK_INT(nv_write(dirfd, 2, got, 4), -1);
    CHECK_INT(nv_read(dirfd, 2, 0, got, 4), -1);
    CHECK_INT(nv_write(dirfd, 0, got, LAPEL_RECORD_SIZE + 1), -1);
    CHECK_INT(nv_read(dirfd, 0, 0, got, LAPEL_RECORD_SIZE + 1), -1);
    CHECK_INT(nv_read(dirfd, 0, LAPEL_RECORD_SIZE, got, 1), -1);
    CHECK_INT(nv_read(dirfd, 0, SIZE_MAX, got, 2), -1);

    check_case("a file that is too long is still read");
    write_raw(dirfd, "record0", LAPEL_RECORD_SIZE + 1);
    CHECK_INT(nv_read(dirfd, 0, 0, got, 4), 1);

    check_case("what is no file is an error");
    CHECK_INT(unlinkat(dirfd, "record1", 0), 0);
    CHECK_INT(mkdirat(dirfd, "record1", 0700), 0);
    CHECK_INT(nv_read(dirfd, 1, 0, got, 4), -1);

    close(dirfd);
    check_case("tidy up");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(system(command), 0);
    return check_done();
}
