/* The little of a C library that the core needs beyond memcpy, memset and memcmp. */
#ifndef LAPEL_TEXT_H
#define LAPEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"

/* Length without the NUL; 0 for NULL. */
size_t lapel_text_n(const char *s);

/* The same as bytes; absent for NULL. */
struct lsuit_bytes lapel_text_bytes(const char *s);

/* Do the n bytes begin with this text? */
bool lapel_text_begins(const uint8_t *p, size_t n, const char *with);

/* n bytes to a lower address, or the same; they may overlap. */
void lapel_text_down(uint8_t *to, const uint8_t *from, size_t n);

#endif
