/*
 * Bytes that someone else keeps alive: a pointer and a length, passed by value.
 */
#ifndef LSUIT_BYTES_H
#define LSUIT_BYTES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An absent value has ptr NULL; an empty one has len 0 and ptr not NULL. */
struct lsuit_bytes {
    const uint8_t *ptr;
    size_t len;
};

/* A string without its NUL as bytes; absent for NULL. */
struct lsuit_bytes lsuit_text(const char *s);

/* Move n bytes; the two places may overlap. */
void lsuit_bytes_move(uint8_t *to, const uint8_t *from, size_t n);

/*
 * Compare for order or equality of public values. Not constant time.
 *
 * Returns 0 when both have the same length and the same bytes (two absent values are equal),
 * otherwise below or above 0 as memcmp, a shorter prefix first.
 */
int lsuit_bytes_compare(struct lsuit_bytes a, struct lsuit_bytes b);

/*
 * Compare secrets: the time depends on the lengths only.
 *
 * Returns 1 when equal, 0 when not. Two values of length 0 are not equal, so that a missing
 * secret never matches a missing one.
 */
int lsuit_bytes_equal_ct(struct lsuit_bytes a, struct lsuit_bytes b);

#ifdef __cplusplus
}
#endif
#endif
