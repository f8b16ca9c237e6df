/* Payloads: whole under their name, or not there at all. */

#include "artifact/artifact.h"
#include "base/bytes.h"
#include "base/sha256.h"
#include "check.h"

#include <fcntl.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];
static struct artifact_dir *dir;

static int files_in(const char *sub)
{
    char command[160];
    FILE *p;
    int n = -1;

    snprintf(command, sizeof command, "find %s/%s -type f | wc -l", root, sub);
    p = popen(command, "r");
    if (p == NULL || fscanf(p, "%d", &n) != 1)
        n = -1;
    if (p != NULL)
        pclose(p);
    return n;
}

/* Upload in pieces; what `commit` said, or the first error. */
static enum err put(const char *text, int64_t size, const uint8_t digest[32], size_t piece)
{
    struct artifact_upload *u = NULL;
    enum err e = artifact_begin(dir, digest, size, &u);
    size_t n = strlen(text);

    for (size_t at = 0; e == ERR_OK && at < n; at += piece)
        e = artifact_write(u, text + at, n - at < piece ? n - at : piece);
    if (e == ERR_OK)
        return artifact_commit(u);
    artifact_abort(u);
    return e;
}

int main(void)
{
    static const char TEXT[] = "the quick brown fox";
    const int64_t size = sizeof TEXT - 1;
    struct artifact_upload *u = NULL;
    uint8_t digest[32], other[32] = { 1 };
    char hex[65], path[200];
    struct stat st;
    int64_t got = 0;
    int fd = -1;

    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    snprintf(root, sizeof root, "/tmp/lapel-artifact-XXXXXX");
    if (mkdtemp(root) == NULL || artifact_open(root, 100000, &dir) != ERR_OK)
        return 1;
    sha256(TEXT, (size_t)size, digest);
    bytes_to_hex(digest, 32, hex);
    snprintf(path, sizeof path, "%s/%.2s/%s", root, hex, hex);

    check_case("not there");
    CHECK_INT(artifact_read(dir, digest, &fd, &got), ERR_NOT_FOUND);
    check_case("too few bytes");
    CHECK_INT(put(TEXT, size + 1, digest, 5), ERR_DIGEST);
    check_case("too many bytes");
    CHECK_INT(put(TEXT, size - 1, digest, 5), ERR_DIGEST);
    check_case("other bytes");
    CHECK_INT(put(TEXT, size, other, 5), ERR_DIGEST);
    check_case("nothing of those stays");
    CHECK_INT(files_in("tmp"), 0);
    CHECK_INT(artifact_read(dir, digest, &fd, &got), ERR_NOT_FOUND);
    CHECK_INT(artifact_read(dir, other, &fd, &got), ERR_NOT_FOUND);

    check_case("begun and not ended: not visible");
    CHECK_INT(artifact_begin(dir, digest, size, &u), ERR_OK);
    CHECK_INT(artifact_write(u, TEXT, (size_t)size), ERR_OK);
    CHECK_INT(artifact_read(dir, digest, &fd, &got), ERR_NOT_FOUND);
    CHECK_INT(files_in("tmp"), 1);
    check_case("a crash leaves it in tmp; the next start removes it");
    {
        struct artifact_dir *again = NULL;

        CHECK_INT(artifact_open(root, 0, &again), ERR_OK);
        CHECK_INT(files_in("tmp"), 0);
        artifact_close(again);
    }
    artifact_abort(u);

    check_case("whole");
    CHECK_INT(put(TEXT, size, digest, 1), ERR_OK);
    CHECK_INT(artifact_read(dir, digest, &fd, &got), ERR_OK);
    CHECK_INT(got, size);
    {
        char back[64] = { 0 };

        CHECK_INT(read(fd, back, sizeof back), size);
        CHECK_STR(back, TEXT);
        close(fd);
    }
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640);
    check_case("again is fine");
    CHECK_INT(put(TEXT, size, digest, 19), ERR_OK);
    CHECK_INT(files_in("tmp"), 0);

    check_case("the ballast is there, and given back once");
    snprintf(path, sizeof path, "%s/ballast", root);
    CHECK(stat(path, &st) == 0 && st.st_size == 100000 && st.st_blocks >= 100000 / 512);
    CHECK(artifact_release_ballast(dir));
    CHECK(!artifact_release_ballast(dir));

    artifact_close(dir);
    snprintf(path, sizeof path, "rm -r %s", root);
    return system(path) == 0 ? check_done() : 1;
}
