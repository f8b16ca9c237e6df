/*
 * The online key: signs statements and erase receipts, and nothing that could cause an install.
 * It is the one private key on the server.
 */
#ifndef TRUST_ONLINE_H
#define TRUST_ONLINE_H

#include "base/err.h"
#include "lsuit/doc.h"
#include "trust/pem.h"
#include "trust/trust.h"

enum { KEYED_HASH = 32 };

struct online;

/*
 * Read the key from a PEM file that nobody else may read; where there is none a new one is made,
 * 0600, on disk before this returns.
 *
 * ERR_CONFIG  no P-256 key, or others may read it; already logged
 * ERR_IO, ERR_INTERNAL
 */
enum err online_open(const char *path, struct online **online_out);
void online_close(struct online *online);

/* Its public half, for trust sets and agents. */
const uint8_t *online_key_id(const struct online *online);
void online_public(const struct online *online, char pem_out[PEM_TEXT]);

/*
 * Sign a statement or a receipt.
 *
 *   cap  payload.len + LSUIT_COSE_OVERHEAD is enough
 */
enum err online_sign(struct online *online, enum lsuit_doc kind, struct lsuit_bytes payload,
                     uint8_t *buf, size_t cap, struct lsuit_bytes *doc_out);

/* HMAC-SHA256 of `bytes` under a key of 32 bytes. ERR_INTERNAL */
enum err keyed_hash(const uint8_t key[KEYED_HASH], struct lsuit_bytes bytes,
                    uint8_t hash_out[KEYED_HASH]);

#endif
