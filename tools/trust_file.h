/*
 * A trust set on the maker's desk: the JSON file that says what is in one, and the document with
 * its signatures. The file's fields: tools/README.md.
 */
#ifndef TOOLS_TRUST_FILE_H
#define TOOLS_TRUST_FILE_H

#include "cli.h"
#include "lsuit/trust.h"

/*
 * Read the JSON file and write the set it describes. Key and certificate files in it are relative
 * to its folder.
 *
 *   issued_s  seconds since 1970
 *
 * Prints what is wrong, naming the field ("roles[1].keys[0]: ..."), and returns CLI_FAILED.
 */
int trust_file_write(const char *path, uint32_t version, uint64_t issued_s,
                     uint8_t buf[LSUIT_TRUST_MAX], struct lsuit_bytes *payload_out);

/* A document in memory; its parts borrow from bytes. Don't copy this struct. */
struct trust_doc {
    uint8_t bytes[LSUIT_TRUST_MAX + 1];
    size_t n;
    struct lsuit_trust_doc parts;
    struct lsuit_trust set;
};

/* Read a document, whoever signed it. Prints what is wrong. */
int trust_doc_load(const char *path, struct trust_doc *doc_out);

/* Is the key a root of the set? */
bool trust_has_root(const struct lsuit_trust *set, const uint8_t point[LSUIT_P256_POINT_LEN]);

/*
 * Add a signature, which is verified first; one key signs once.
 *
 *   buf  gets the new document, LSUIT_TRUST_MAX bytes
 */
int trust_doc_add_signature(const struct trust_doc *doc, const uint8_t point[LSUIT_P256_POINT_LEN],
                            const uint8_t sig[LSUIT_ES256_LEN], uint8_t *buf,
                            struct lsuit_bytes *doc_out);

/* Has this key signed the document? */
bool trust_doc_signed_by(const struct trust_doc *doc, const struct lsuit_key *key);

#endif
