/* Slots as files: what is refused, what is read back, and that what must be durable is synced. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "ports/posix/slots.h"

/* The order of fsync and rename, as the code under test asks for it: F a file, D a folder,
 * R a rename. These definitions stand before the C library's. */
static char order[32];
static int fsync_fails;

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
    if (fsync_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    note('R');
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

static void forget_order(void)
{
    memset(order, 0, sizeof order);
}

static struct conf conf;
static struct slots slots;
static char folder[] = "/tmp/test_slots.XXXXXX";

static void set_up(void)
{
    static const uint8_t ID[2][3] = { { 0x81, 0x41, 0x00 }, { 0x81, 0x41, 0x01 } };

    CHECK(mkdtemp(folder) != NULL);
    snprintf(conf.slots_dir, sizeof conf.slots_dir, "%s", folder);
    conf.slot_size = 1000;
    conf.component_n = 2;
    for (size_t i = 0; i < 2; i++) {
        snprintf(conf.component[i].name, sizeof conf.component[i].name, "part%zu", i);
        memcpy(conf.component[i].id, ID[i], 3);
        conf.component[i].id_n = 3;
    }
    CHECK(slots_open(&slots, &conf));
}

/* clang-format off */
static const struct {
    const char *name;
    const char *id;
    int want;
} FIND[] = {
    { "find: the first",          "814100",     0 },
    { "find: the second",         "814101",     1 },
    { "find: another",            "814102",    -1 },
    { "find: a prefix",           "8141",      -1 },
    { "find: longer",             "81410000",  -1 },
    { "find: nothing",            "",          -1 },
    { "find: a path",             "81432e2e2f", -1 },
};

static const struct {
    const char *name;
    int component;
    uint8_t slot;
    uint64_t offset;
    size_t n;
    int want;
} WRITE[] = {
    { "write: at the begin",       0, 0, 0,            10,   10 },
    { "write: up to the end",      0, 0, 990,          10,   10 },
    { "write: one past the end",   0, 0, 991,          10,   -1 },
    { "write: offset wraps",       0, 0, UINT64_MAX-4, 10,   -1 },
    { "write: larger than a slot", 0, 0, 0,            1001, -1 },
    { "write: no such slot",       0, 2, 0,            10,   -1 },
    { "write: no such component",  2, 0, 0,            10,   -1 },
    { "write: component below 0", -1, 0, 0,            10,   -1 },
};
/* clang-format on */

static void test_tables(void)
{
    static uint8_t bytes[1001];
    uint8_t id[8];

    for (size_t i = 0; i < sizeof FIND / sizeof *FIND; i++) {
        size_t n = check_hex(FIND[i].id, id, sizeof id);

        check_case(FIND[i].name);
        CHECK_INT(slots_find(&slots, (struct lsuit_bytes){ id, n }), FIND[i].want);
    }
    for (size_t i = 0; i < sizeof WRITE / sizeof *WRITE; i++) {
        check_case(WRITE[i].name);
        CHECK_INT(slots_write(&slots, WRITE[i].component, WRITE[i].slot, WRITE[i].offset, bytes,
                              WRITE[i].n),
                  WRITE[i].want);
        CHECK_INT(slots_read(&slots, WRITE[i].component, WRITE[i].slot, WRITE[i].offset, bytes,
                             WRITE[i].n),
                  WRITE[i].want);
    }
}

static void test_bytes(void)
{
    uint8_t got[8];

    check_case("read: what was written, zeros behind it");
    CHECK_INT(slots_write(&slots, 1, 1, 0, (const uint8_t *)"hello", 5), 5);
    CHECK_INT(slots_read(&slots, 1, 1, 0, got, 8), 8);
    CHECK_BYTES(got, 8, "hello\0\0\0", 8);

    check_case("read: a slot that was never written");
    CHECK_INT(slots_read(&slots, 1, 0, 0, got, 8), 8);
    CHECK_BYTES(got, 8, "\0\0\0\0\0\0\0\0", 8);

    check_case("erase: cuts off what stands behind");
    CHECK_INT(slots_erase(&slots, 1, 1, 2), 1);
    CHECK_INT(slots_read(&slots, 1, 1, 0, got, 8), 8);
    CHECK_BYTES(got, 8, "he\0\0\0\0\0\0", 8);

    check_case("write: a link in a slot is not followed");
    CHECK_INT(unlinkat(slots.dir[1], "part1", 0), 0);
    CHECK_INT(symlinkat("../elsewhere", slots.dir[1], "part1"), 0);
    CHECK_INT(slots_write(&slots, 1, 1, 0, (const uint8_t *)"x", 1), -1);
    CHECK_INT(slots_read(&slots, 1, 1, 0, got, 1), -1);
    CHECK_INT(slots_set_length(&slots, 1, 1, 1), -1);
    CHECK_INT(faccessat(slots.root, "elsewhere", F_OK, 0), -1);
}

static void test_durable(void)
{
    struct stat st;

    check_case("set_length: file and folder are synced, in this order");
    forget_order();
    CHECK_INT(slots_write(&slots, 0, 0, 0, (const uint8_t *)"0123456789", 10), 10);
    CHECK_INT(slots_set_length(&slots, 0, 0, 4), 1);
    CHECK_STR(order, "FD");
    CHECK_INT(fstatat(slots.dir[0], "part0", &st, 0), 0);
    CHECK_INT(st.st_size, 4);

    check_case("set_length: a failed sync is a failure");
    fsync_fails = 1;
    CHECK_INT(slots_set_length(&slots, 0, 0, 4), -1);
    fsync_fails = 0;

    check_case("manifest: bytes, then name, then folder");
    forget_order();
    CHECK_INT(slots_manifest_write(&slots, 1, (const uint8_t *)"envelope", 8), 1);
    CHECK_STR(order, "FRD");

    check_case("manifest: a failed sync leaves the old one");
    fsync_fails = 1;
    CHECK_INT(slots_manifest_write(&slots, 1, (const uint8_t *)"other", 5), -1);
    fsync_fails = 0;
    uint8_t got[16];
    CHECK_INT(slots_manifest_read(&slots, 1, got, sizeof got), 8);
    CHECK_BYTES(got, 8, "envelope", 8);

    check_case("manifest: none, no such slot, too small a buffer");
    CHECK_INT(slots_manifest_read(&slots, 0, got, sizeof got), 0);
    CHECK_INT(slots_manifest_read(&slots, 2, got, sizeof got), -1);
    CHECK_INT(slots_manifest_read(&slots, 1, got, 4), -1);
    CHECK_INT(slots_manifest_write(&slots, 2, got, 4), -1);

    check_case("current: swapped by rename, the folder synced");
    CHECK_INT(slots_pointed(&slots), -1);
    forget_order();
    CHECK(slots_point(&slots, 1));
    CHECK_STR(order, "RD");
    CHECK_INT(slots_pointed(&slots), 1);
    forget_order();
    CHECK(slots_point(&slots, 1)); /* nothing to do */
    CHECK_STR(order, "");
    CHECK(slots_point(&slots, 0));
    CHECK_INT(slots_pointed(&slots), 0);
}

int main(void)
{
    char command[64];

    check_case("set up");
    set_up();
    test_tables();
    test_bytes();
    test_durable();
    slots_fini(&slots);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    check_case("tidy up");
    CHECK_INT(system(command), 0);
    return check_done();
}
