/*
 * The device's own key: made once, for its owner only, and the same seal ever after.
 */
#include "check.h"

#include <fcntl.h>
#include <psa/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/posix/seal.h"

static char folder[] = "/tmp/test_seal.XXXXXX", path[64], why[200];

static void put(const void *bytes, size_t n, mode_t mode)
{
    int fd = -1;

    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
}

int main(void)
{
    static const uint8_t DIGEST[32] = { 1, 2, 3 }, OTHER[32] = { 1, 2, 4 };
    uint8_t first[32] = { 0 }, second[32] = { 0 }, third[32] = { 0 };
    struct stat st;
    uint32_t key = 0;

    CHECK(psa_crypto_init() == PSA_SUCCESS && mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/seal.key", folder);

    check_case("made when absent: 32 bytes, for its owner only");
    CHECK(seal_open(path, &key, why, sizeof why));
    CHECK(stat(path, &st) == 0 && st.st_size == 32 && (st.st_mode & 0777) == 0600);
    CHECK_INT(seal_make(key, DIGEST, first), 1);
    CHECK_INT(seal_make(key, OTHER, second), 1);
    CHECK(memcmp(first, second, 32) != 0);
    seal_close(key);

    check_case("the same key gives the same seal");
    CHECK(seal_open(path, &key, why, sizeof why));
    CHECK_INT(seal_make(key, DIGEST, second), 1);
    CHECK_BYTES(first, 32, second, 32);
    seal_close(key);

    check_case("another key gives another");
    CHECK_INT(unlink(path), 0);
    CHECK(seal_open(path, &key, why, sizeof why));
    CHECK_INT(seal_make(key, DIGEST, third), 1);
    CHECK(memcmp(first, third, 32) != 0);
    seal_close(key);

    check_case("a key that others may read");
    put(DIGEST, 32, 0644);
    CHECK(!seal_open(path, &key, why, sizeof why));
    CHECK(strstr(why, "for its owner only") != NULL);

    check_case("a key of another length");
    put(DIGEST, 31, 0600);
    CHECK(!seal_open(path, &key, why, sizeof why));
    CHECK(strstr(why, "not 32 bytes") != NULL);
    put(DIGEST, 0, 0600);
    CHECK(!seal_open(path, &key, why, sizeof why));

    check_case("no such folder");
    CHECK(!seal_open("/tmp/no/such/folder/seal.key", &key, why, sizeof why));

    check_case("no key, no seal");
    CHECK_INT(seal_make(0, DIGEST, first), -1);
    (void)unlink(path);
    CHECK_INT(rmdir(folder), 0);
    return check_done();
}
