/*
 * Keys of the vectors: P-256 and Ed25519 as PEM (SubjectPublicKeyInfo), HMAC and HSS as hex; keys to
 * decrypt with.
 */
#ifndef SUIT_KEYS_H
#define SUIT_KEYS_H

#include <stdbool.h>

#include <psa/crypto.h>

#include "lsuit/crypto.h"
#include "lsuit/decrypt.h"

struct suit_key {
    struct lsuit_key key; /* borrows from bytes */
    uint8_t bytes[160];
};

/* Read a file; false when it holds no key of a kind that is known here. */
bool suit_key_read(const char *path, struct suit_key *key_out);

/*
 * A key that payloads are encrypted to, put into PSA: the key-encryption key in hex, or the private
 * number of a P-256 key in hex or in a PEM file. One of the two is NULL. False when it is no key.
 */
bool suit_key_decrypt(const char *kek, const char *ecdh, struct lsuit_decrypt_key *key_out);

/* Hexadecimal digits to bytes; -1 when text is no hex or does not fit. */
long suit_hex(const char *text, uint8_t *out, size_t cap);

#endif
