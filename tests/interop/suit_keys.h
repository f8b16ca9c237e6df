/*
 * Keys of the vectors: P-256 and Ed25519 as PEM (SubjectPublicKeyInfo), HMAC and HSS as hex.
 */
#ifndef SUIT_KEYS_H
#define SUIT_KEYS_H

#include <stdbool.h>

#include "lsuit/crypto.h"

struct suit_key {
    struct lsuit_key key; /* borrows from bytes */
    uint8_t bytes[160];
};

/* Read a file; false when it holds no key of a kind that is known here. */
bool suit_key_read(const char *path, struct suit_key *key_out);

/* Hexadecimal digits to bytes; -1 when text is no hex or does not fit. */
long suit_hex(const char *text, uint8_t *out, size_t cap);

#endif
