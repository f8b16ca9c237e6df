/* Bytes as text and back, and comparing secrets. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters that n bytes need, without the final zero byte. */
#define BYTES_HEX_LENGTH(n) ((n)*2)

/* Write n bytes as lower-case hex, and a zero byte. text_out holds 2 n + 1. */
void bytes_to_hex(const void *bytes, size_t n, char *text_out);

/* Read exactly n bytes from `length` characters of hex, either case. False when it is anything else;
   bytes_out is undefined then. */
bool bytes_from_hex(const char *text, size_t length, void *bytes_out, size_t n);

/* Write n bytes as base64url without padding (RFC 4648, 5), and a zero byte. */
void bytes_to_base64url(const void *bytes, size_t n, char *text_out);

/* Are n bytes equal? Takes the same time whatever they are. */
bool bytes_equal_secret(const void *a, const void *b, size_t n);

/* Overwrite a secret; not optimised away. */
void bytes_wipe(void *bytes, size_t n);

/* Fill with random bytes from the system. Never fails: it ends the program when the system can't. */
void bytes_random(void *bytes_out, size_t n);

#endif
