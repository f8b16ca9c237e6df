/*
 * Bytes that someone else keeps alive: comparing and moving them, without a C library beyond memcmp.
 */
#include "lsuit/bytes.h"

#include <string.h>

struct lsuit_bytes lsuit_text(const char *s)
{
    struct lsuit_bytes b = { (const uint8_t *)s, 0 };

    while (s != NULL && s[b.len] != '\0')
        b.len++;
    return b;
}

void lsuit_bytes_move(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = to < from ? i : n - 1 - i;

        to[at] = from[at];
    }
}

int lsuit_bytes_compare(struct lsuit_bytes a, struct lsuit_bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

    if (order == 0 && a.len != b.len)
        order = a.len < b.len ? -1 : 1;
    return order;
}

int lsuit_bytes_equal_ct(struct lsuit_bytes a, struct lsuit_bytes b)
{
    volatile uint8_t differ = 0;

    if (a.len != b.len || a.len == 0)
        return 0;
    for (size_t i = 0; i < a.len; i++)
        differ = (uint8_t)(differ | (a.ptr[i] ^ b.ptr[i]));
    return differ == 0;
}
