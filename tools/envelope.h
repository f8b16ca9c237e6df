/*
 * An envelope on the maker's desk: before and after signing.
 */
#ifndef TOOLS_ENVELOPE_H
#define TOOLS_ENVELOPE_H

#include <stdbool.h>

#include "cli.h"
#include "lsuit/suit.h"
#include "lsuit/trust.h"

/* Longest envelope that the tools read; integrated payloads count. */
#define ENVELOPE_FILE_MAX ((size_t)64 << 20)
/* What one signature with a kid adds. */
#define ENVELOPE_SIGNATURE_LEN 92

/* Split an envelope whose digest fits, whoever signed it. Prints what is wrong. */
int envelope_open(struct lsuit_bytes doc, struct lsuit_envelope *env_out);

/* Whether there is any authentication block in it. */
bool envelope_is_signed(const struct lsuit_envelope *env);

/*
 * Everything but the signature, held against a policy as lsuit_manifest_check. What is read borrows
 * from doc. Prints what is wrong.
 */
int envelope_examined(struct lsuit_bytes doc, const char *what, uint32_t policy,
                      struct lsuit_envelope *env_out, struct lsuit_manifest *m_out);

/* Would a device accept it, once it is signed? Prints what is wrong. */
int envelope_accept(struct lsuit_bytes doc, const char *what);

/* Public keys, with the ids that name them. */
#define ENVELOPE_KEYS_MAX 16
struct envelope_keys {
    struct lsuit_key key[ENVELOPE_KEYS_MAX];
    uint8_t point[ENVELOPE_KEYS_MAX][LSUIT_P256_POINT_LEN];
    uint8_t id[ENVELOPE_KEYS_MAX][LSUIT_SHA256_LEN];
    size_t n;
};
int envelope_keys_read(const struct opt_list *files, struct envelope_keys *keys_out);

/* Signatures too: `threshold` of the keys must have signed. */
int envelope_verified(struct lsuit_bytes doc, const struct envelope_keys *keys, uint32_t threshold,
                      uint32_t policy, struct lsuit_envelope *env_out, struct lsuit_manifest *m_out,
                      struct lsuit_auth *auth_out);

/* The same; prints the verdict, as lines or as one JSON object. */
int envelope_verify(struct lsuit_bytes doc, const struct opt_list *key_files, uint32_t threshold,
                    uint32_t policy, bool json);

/*
 * The same by the release keys and thresholds of a trust set, for the vendor and the first class
 * that the manifest names.
 */
int envelope_verify_trust(struct lsuit_bytes doc, const struct lsuit_trust *set, uint32_t policy,
                          bool json);

/*
 * Write the envelope again with one authentication block more. The signature is verified first:
 * a wrong one is refused.
 */
int envelope_add_signature(const struct lsuit_envelope *env, int32_t alg,
                           const uint8_t point[LSUIT_P256_POINT_LEN],
                           const uint8_t sig[LSUIT_ES256_LEN], uint8_t *buf, size_t cap,
                           struct lsuit_bytes *doc_out);

/*
 * Whether the envelope, or a dependency inside it, fetches a payload of this digest and size.
 * CLI_FAILED when one of them can't be read; printed.
 */
int envelope_names(struct lsuit_bytes doc, const uint8_t sha256[LSUIT_SHA256_LEN], uint64_t size,
                   bool *found_out);

/* Whether a file is such a payload. Prints that it is not. */
int envelope_installs(struct lsuit_bytes doc, const char *payload);

/* Write the envelope without its text, which must be severable. cap doc.len is enough. */
int envelope_sever(struct lsuit_bytes doc, uint8_t *buf, size_t cap, struct lsuit_bytes *doc_out);

/* SHA-256 and size of a plain file. */
int file_measure(const char *path, uint8_t digest_out[LSUIT_SHA256_LEN], uint64_t *size_out);

/* ECDSA-Sig-Value (RFC 3279) to r, s; false when it is not one for P-256. */
bool envelope_signature_from_der(const uint8_t *der, size_t n, uint8_t sig_out[LSUIT_ES256_LEN]);

#endif
