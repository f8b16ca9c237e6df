#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "sys.h"

#define KEY_LEN 32

/* The folder of a path, and the name in it. */
static int open_folder(const char *path, const char **name_out)
{
    char folder[256] = ".";
    const char *slash = strrchr(path, '/');

    *name_out = slash != NULL ? slash + 1 : path;
    if (slash != NULL && snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path) >=
                             (int)sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Make the key, durably: a seal by a key that a power cut takes away would damage every record. */
static bool make(const char *path, uint8_t key_out[KEY_LEN])
{
    const char *name = NULL;
    int dirfd = open_folder(path, &name);
    bool ok = dirfd >= 0 && sys_random(key_out, KEY_LEN) > 0 &&
              file_replace(dirfd, name, key_out, KEY_LEN, 0600);
    int error = errno;

    if (dirfd >= 0)
        close(dirfd);
    errno = error;
    return ok;
}

static const char *load(const char *path, uint8_t key_out[KEY_LEN])
{
    ssize_t n = file_read(AT_FDCWD, path, key_out, KEY_LEN);

    if (n == FILE_ABSENT)
        return make(path, key_out) ? NULL : strerror(errno);
    if (n == FILE_FAIL)
        return strerror(errno);
    if (n != KEY_LEN)
        return "not 32 bytes";
    return file_others(AT_FDCWD, path) > 0 ? "not for its owner only (mode 0600)" : NULL;
}

bool seal_open(const char *path, uint32_t *key_out, char *why, size_t why_n)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;
    uint8_t key[KEY_LEN];
    const char *wrong = load(path, key);

    psa_set_key_type(&attr, PSA_KEY_TYPE_HMAC);
    psa_set_key_bits(&attr, 8 * KEY_LEN);
    psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attr, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    if (wrong == NULL && psa_import_key(&attr, key, sizeof key, &id) != PSA_SUCCESS)
        wrong = "the crypto library takes no such key";
    explicit_bzero(key, sizeof key);
    if (wrong != NULL)
        (void)snprintf(why, why_n, "%s: %s", path, wrong);
    *key_out = id;
    return wrong == NULL;
}

void seal_close(uint32_t key)
{
    if (key != 0)
        (void)psa_destroy_key(key);
}

int seal_make(uint32_t key, const uint8_t digest[32], uint8_t seal_out[32])
{
    size_t n = 0;

    return psa_mac_compute(key, PSA_ALG_HMAC(PSA_ALG_SHA_256), digest, 32, seal_out, 32, &n) ==
                       PSA_SUCCESS &&
                   n == 32
               ? 1
               : -1;
}
