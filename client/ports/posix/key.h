/*
 * Public keys from PEM files: P-256, "PUBLIC KEY" (SubjectPublicKeyInfo, RFC 5480), nothing else.
 */
#ifndef AGENT_KEY_H
#define AGENT_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/crypto.h"

#define KEY_MAX 8

/* Keys and the bytes they point to, together: don't copy this struct. */
struct key_set {
    struct lsuit_key key[KEY_MAX];
    uint8_t point[KEY_MAX][LSUIT_P256_POINT_LEN];
    size_t n;
};

/*
 * Load every key of a file, or of the *.pem files of a folder. crypto_open comes first.
 *
 *   why  gets the reason on failure, at most why_n bytes with the NUL
 *
 * False on an unreadable file, one that others may write, text that isn't exactly PEM, another
 * type of key, a private key, a point off the curve, a key given twice, too many, or none.
 */
bool key_load(const char *path, struct key_set *set_out, char *why, size_t why_n);

/* Is one of them a published test key, whose private half everybody has? Its index, else -1. */
int key_find_test(const struct key_set *set);

#endif
