/*
 * Who may sign releases, and whether an envelope is one that devices would take.
 *
 * The release keys of the newest trust set sign for the products in its scope. For the others
 * anchors do: public keys, PEM files "*.pem" in one folder, P-256, in the one DER form that a
 * SubjectPublicKeyInfo of that curve has (RFC 5480). They are read once, and again on reload.
 */
#ifndef TRUST_TRUST_H
#define TRUST_TRUST_H

#include "base/err.h"
#include "lsuit/suit.h"
#include "lsuit/trust.h"

#include <stdbool.h>
#include <stdint.h>

enum { TRUST_KEYS = 16, TRUST_KEY_ID = 32, TRUST_PAYLOADS = 8, TRUST_VERSION = 65 };

struct trust;

/* Start the crypto library: once, before any thread. ERR_INTERNAL */
enum err trust_start(void);

/*
 * Read the folder. A missing folder has no keys; a file that is no P-256 public key is an error,
 * so that a key is never left out in silence.
 *
 *   allow_test_keys  take keys whose private half is public. For tests only
 *
 * ERR_CONFIG  already logged
 */
enum err trust_open(const char *dir, bool allow_test_keys, struct trust **trust_out);
void trust_close(struct trust *trust);
unsigned trust_count(const struct trust *trust);

/*
 * One "-----BEGIN PUBLIC KEY-----" text to the 65-byte point and the key id (SHA-256 of the SPKI).
 * ERR_INVALID  anything else
 */
enum err trust_pem(const char *text, size_t n, uint8_t point_out[LSUIT_P256_POINT_LEN],
                   uint8_t id_out[TRUST_KEY_ID]);

/* The id of a public key: SHA-256 of its SubjectPublicKeyInfo. ERR_INTERNAL */
enum err trust_key_id(const uint8_t point[LSUIT_P256_POINT_LEN], uint8_t id_out[TRUST_KEY_ID]);
/* The id of a key in a trust set: as above for P-256, else SHA-256 of its material. ERR_INTERNAL */
enum err trust_any_key_id(const struct lsuit_key *key, uint8_t id_out[TRUST_KEY_ID]);

/*
 * May this document follow the set in force?
 *
 *   current  NULL: it is the first, and only its own root vouches for it
 *   set_out  borrows from the document
 *
 * ERR_MALFORMED  not a trust set                                      field body
 * ERR_CONFLICT   not the next version                                 field trust.version
 * ERR_SIGNATURE  a root threshold is not reached                      field trust.signatures
 * ERR_REFUSED    it names a key whose private half was published      field trust.roles
 */
enum err trust_step(struct trust *trust, struct lsuit_bytes doc, const struct lsuit_trust *current,
                    struct lsuit_trust *set_out);

/* Is it one of the anchors? */
bool trust_has(const struct trust *trust, const uint8_t id[TRUST_KEY_ID]);

/* PSA's key slots are one for the process: around every use of a key. */
void trust_keys_lock(void);
void trust_keys_unlock(void);

/* What a product must find in an envelope. */
struct trust_want {
    uint8_t vendor_id[16];
    uint8_t class_id[16];
};

/* What is in an envelope that was accepted. Bytes are borrowed from the document. */
struct trust_facts {
    uint8_t digest[32]; /* SUIT manifest digest */
    uint8_t key_id[TRUST_KEY_ID];
    int64_t sequence;
    struct lsuit_bytes component; /* encoded component id, absent for none */
    bool has_priority;
    int64_t priority;
    char version[TRUST_VERSION]; /* empty when the text gives none */
    int64_t size;                /* of all payloads together */
    unsigned payloads_n;
    struct trust_payload {
        uint8_t digest[32];
        int64_t size;
    } payloads[TRUST_PAYLOADS]; /* those that are fetched from the server */
};

/*
 * Is this an envelope that a device of the product would take? The strict reader first, then
 * libcbor; both must agree.
 *
 *   set  whose release keys decide, with their thresholds; NULL: one anchor is enough
 *
 * ERR_MALFORMED  not an envelope            field body
 * ERR_SIGNATURE  too few have signed it     field envelope.authentication
 * ERR_REFUSED    a device would refuse it   field names the part
 * ERR_MEMORY, ERR_INTERNAL
 */
enum err trust_verify(struct trust *trust, const struct lsuit_trust *set, struct lsuit_bytes doc,
                      const struct trust_want *want, struct trust_facts *facts_out);

/* The envelope as libcbor sees it says the same as the strict reader (trust/second.c). */
enum { TRUST_URIS = 16, TRUST_URI = 128, TRUST_IDS = 16 };
struct trust_second {
    uint64_t sequence;
    uint8_t digest[32];
    uint32_t components;
    size_t manifest_n; /* bytes of the manifest */
    unsigned uris_n;   /* of every sequence, in order */
    char uris[TRUST_URIS][TRUST_URI];
    unsigned vendors_n, classes_n; /* every identifier that a sequence sets */
    uint8_t vendors[TRUST_IDS][16], classes[TRUST_IDS][16];
    unsigned images_n; /* SHA-256 and size, where one command sets both */
    struct trust_payload images[TRUST_IDS];
};
/*
 * Read `doc`, which our strict reader has accepted, by libcbor.
 *
 * ERR_MALFORMED  libcbor refuses it, or reads another value anywhere in it   field body
 * ERR_REFUSED    a manifest too long to be held against it                   field envelope.manifest
 */
enum err trust_second_read(struct lsuit_bytes doc, struct trust_second *second_out);

#endif
