/*
 * Bytes that someone else keeps alive: comparing them.
 */
#include "lsuit/bytes.h"

#include <string.h>

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
