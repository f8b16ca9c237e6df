/* Hex, base64url, comparing secrets, randomness. */
#include "base/bytes.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void bytes_to_hex(const void *bytes, size_t n, char *text_out)
{
    static const char DIGITS[] = "0123456789abcdef";
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n; i++) {
        text_out[2 * i] = DIGITS[p[i] >> 4];
        text_out[2 * i + 1] = DIGITS[p[i] & 15];
    }
    text_out[2 * n] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool bytes_from_hex(const char *text, size_t length, void *bytes_out, size_t n)
{
    uint8_t *out = bytes_out;

    if (length != BYTES_HEX_LENGTH(n))
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

void bytes_to_base64url(const void *bytes, size_t n, char *text_out)
{
    const uint8_t *p = bytes;
    uint32_t bits = 0;
    unsigned have = 0;

    for (size_t i = 0; i < n; i++) {
        bits = (bits << 8 | p[i]) & 0xffff;
        have += 8;
        while (have >= 6) {
            have -= 6;
            *text_out++ = BASE64URL[bits >> have & 63];
        }
    }
    if (have > 0)
        *text_out++ = BASE64URL[bits << (6 - have) & 63];
    *text_out = '\0';
}

bool bytes_equal_secret(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *p = a;
    const volatile uint8_t *q = b;
    uint8_t differ = 0;

    for (size_t i = 0; i < n; i++)
        differ |= (uint8_t)(p[i] ^ q[i]);
    return differ == 0;
}

void bytes_wipe(void *bytes, size_t n)
{
    explicit_bzero(bytes, n);
}

void bytes_random(void *bytes_out, size_t n)
{
    uint8_t *p = bytes_out;

    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            LOG_ERROR("getrandom: %s", strerror(errno));
            abort();
        }
        p += got;
        n -= (size_t)got;
    }
}
