#include "text.h"

#include <string.h>

size_t lapel_text_n(const char *s)
{
    size_t n = 0;

    while (s != NULL && s[n] != '\0')
        n++;
    return n;
}

struct lsuit_bytes lapel_text_bytes(const char *s)
{
    struct lsuit_bytes b = { (const uint8_t *)s, lapel_text_n(s) };

    return b;
}

bool lapel_text_begins(const uint8_t *p, size_t n, const char *with)
{
    size_t with_n = lapel_text_n(with);

    return n >= with_n && memcmp(p, with, with_n) == 0;
}

void lapel_text_down(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}
