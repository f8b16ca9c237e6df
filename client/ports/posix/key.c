#include "key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "lsuit/trust.h"

#define SPKI_LEN 91
#define SPKI_HEAD 26
#define PEM_FILE_MAX 8192

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING of 65 bytes with no unused bits }:
 * in DER there is only this way to write it (RFC 5480, section 2). */
static const uint8_t SPKI_P256[SPKI_HEAD] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                              0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                              0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };

int key_find_test(const struct key_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (lsuit_key_is_published(&set->key[i]))
            return (int)i;
    return -1;
}

static int base64_value(char c)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(ALPHABET, c) : NULL;

    return at != NULL ? (int)(at - ALPHABET) : -1;
}

/* Canonical base64 only: no white space, right padding, no stray bits in the last character. */
static bool base64_decode(const char *text, size_t n, uint8_t *bytes_out, size_t expect)
{
    size_t done = 0;
    size_t pad = 0;

    if (n == 0 || n % 4 != 0)
        return false;
    pad = text[n - 1] == '=' ? (text[n - 2] == '=' ? 2 : 1) : 0;
    if (n / 4 * 3 - pad != expect)
        return false;
    for (size_t i = 0; i < n; i += 4) {
        uint32_t group = 0;
        size_t take = i + 4 == n ? 3 - pad : 3;

        for (size_t k = 0; k < 4; k++) {
            int v = k > take ? 0 : base64_value(text[i + k]);
            if (v < 0)
                return false;
            group = group << 6 | (uint32_t)v;
        }
        if (take < 3 && (group & (take == 1 ? 0xffffu : 0xffu)) != 0)
            return false;
        for (size_t k = 0; k < take; k++)
            bytes_out[done++] = (uint8_t)(group >> (16 - 8 * k));
    }
    return true;
}

static const char *add_spki(struct key_set *set, const uint8_t *spki)
{
    const uint8_t *point = spki + SPKI_HEAD;

    if (memcmp(spki, SPKI_P256, SPKI_HEAD) != 0 || point[0] != 0x04)
        return "not an uncompressed P-256 public key";
    if (!crypto_is_p256_point(point))
        return "the point is not on the curve";
    if (set->n == KEY_MAX)
        return "more than 8 keys";
    for (size_t i = 0; i < set->n; i++)
        if (memcmp(set->point[i], point, LSUIT_P256_POINT_LEN) == 0)
            return "the same key twice";
    memcpy(set->point[set->n], point, LSUIT_P256_POINT_LEN);
    set->key[set->n] =
        (struct lsuit_key){ .type = LSUIT_KEY_P256,
                            .material = { set->point[set->n], LSUIT_P256_POINT_LEN } };
    set->n++;
    return NULL;
}

/* One line of the text without its end; the end may be LF or CRLF. */
static char *next_line(char **text)
{
    char *line = *text;
    char *end = NULL;

    if (line[0] == '\0')
        return NULL;
    end = strchr(line, '\n');
    *text = end != NULL ? end + 1 : line + strlen(line);
    if (end != NULL)
        *end = '\0';
    size_t n = strlen(line);
    if (n > 0 && line[n - 1] == '\r')
        line[n - 1] = '\0';
    return line;
}

static const char *add_pem(struct key_set *set, char *text)
{
    size_t before = set->n;
    char *line = NULL;

    while ((line = next_line(&text)) != NULL) {
        char body[160];
        size_t n = 0;
        uint8_t spki[SPKI_LEN];

        if (line[0] == '\0')
            continue;
        if (strstr(line, "PRIVATE KEY") != NULL)
            return "a private key: it must never be on a device";
        if (strcmp(line, "-----BEGIN PUBLIC KEY-----") != 0)
            return "text that is not \"BEGIN PUBLIC KEY\"";
        while ((line = next_line(&text)) != NULL && line[0] != '-') {
            size_t more = strlen(line);
            if (more == 0 || n + more >= sizeof body)
                return "not the length of a P-256 public key";
            memcpy(body + n, line, more);
            n += more;
        }
        if (line == NULL || strcmp(line, "-----END PUBLIC KEY-----") != 0)
            return "no \"END PUBLIC KEY\"";
        if (!base64_decode(body, n, spki, sizeof spki))
            return "not the base64 of a P-256 public key";
        const char *wrong = add_spki(set, spki);
        if (wrong != NULL)
            return wrong;
    }
    return set->n > before ? NULL : "no key in it";
}

static bool load_file(int dirfd, const char *name, struct key_set *set, char *why, size_t why_n)
{
    char text[PEM_FILE_MAX + 1];
    const char *wrong = NULL;
    int others = file_others(dirfd, name);
    ssize_t n = 0;

    if (others > 0 && (others & FILE_OTHERS_WRITE)) {
        (void)snprintf(why, why_n, "%s: others may write it", name);
        return false;
    }
    n = file_read(dirfd, name, text, PEM_FILE_MAX);
    if (n < 0) {
        (void)snprintf(why, why_n, "%s: %s", name, strerror(errno));
        return false;
    }
    text[n] = '\0';
    wrong = strlen(text) != (size_t)n ? "a NUL byte" : add_pem(set, text);
    if (wrong != NULL)
        (void)snprintf(why, why_n, "%s: %s", name, wrong);
    return wrong == NULL;
}

static int is_pem(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return d->d_name[0] != '.' && n > 4 && strcmp(d->d_name + n - 4, ".pem") == 0;
}

static bool load_folder(int dirfd, struct key_set *set, char *why, size_t why_n)
{
    struct dirent **names = NULL;
    int n = scandirat(dirfd, ".", &names, is_pem, alphasort);
    bool ok = n > 0;

    if (n < 0)
        (void)snprintf(why, why_n, "%s", strerror(errno));
    if (n == 0)
        (void)snprintf(why, why_n, "no *.pem file in it");
    for (int i = 0; i < n; i++) {
        ok = ok && load_file(dirfd, names[i]->d_name, set, why, why_n);
        free(names[i]);
    }
    free(names);
    return ok;
}

bool key_load(const char *path, struct key_set *set_out, char *why, size_t why_n)
{
    bool ok = false;
    int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    set_out->n = 0;
    if (dirfd < 0)
        return load_file(AT_FDCWD, path, set_out, why, why_n);
    if (file_others(dirfd, ".") & FILE_OTHERS_WRITE)
        (void)snprintf(why, why_n, "%s: others may write to this folder", path);
    else
        ok = load_folder(dirfd, set_out, why, why_n);
    close(dirfd);
    return ok;
}
