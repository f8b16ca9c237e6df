/*
 * A payload encrypted for devices, on the maker's desk.
 */
#ifndef TOOLS_ENCRYPT_H
#define TOOLS_ENCRYPT_H

#include <stdbool.h>

#include "cli.h"
#include "lsuit/encrypt.h"

/* Longest payload that is encrypted, bytes: it is held in memory as a whole. */
#define ENCRYPT_MAX ((size_t)256 << 20)

/* For whom and how. */
struct encrypt_args {
    int32_t alg;     /* of the content: LSUIT_ALG_A128GCM or LSUIT_ALG_A128CTR */
    const char *to;  /* file: a public key in PEM, or 32 hex digits of a key-encryption key */
    const char *kid; /* empty: none */
    bool replace;    /* the ciphertext's file may exist */
};

/*
 * Encrypt a file into another, with a content key of its own. Prints what is wrong.
 *
 *   info_out  suit-parameter-encryption-info, in buf
 */
int encrypt_file(const struct encrypt_args *a, const char *plain, const char *out, uint8_t *buf,
                 size_t cap, struct lsuit_bytes *info_out);

/*
 * Fill in what is secret and must never occur twice. This is a file of its own so that a test can
 * link another: the program that is installed takes its secrets from nobody.
 */
enum lsuit_err encrypt_fresh(struct lsuit_encrypt *e);

#endif
