/*
 * Trust set: which keys may do what, and how to reach the server. SPEC.md, "Trust set".
 *
 * A device holds one set and moves from N to N+1 with lsuit_trust_accept, never another way.
 * Rules of reading, writing and errors that all documents share: doc.h.
 *
 *   (1) The version never falls, and rises by one at each step.
 *   (2) N+1 is signed by the root thresholds of N and of N+1.
 *   (3) An online key has no other role, so that it can never cause an install.
 *   (4) A set without a root role, or with a threshold that its keys can't reach, is refused.
 */
#ifndef LSUIT_TRUST_H
#define LSUIT_TRUST_H

#include "lsuit/crypto.h"
#include "lsuit/doc.h"
#include "lsuit/suit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A whole set with its signatures, on every device. */
#define LSUIT_TRUST_MAX 2048
#define LSUIT_TRUST_ROLES 8 /* entries in one set */
#define LSUIT_TRUST_KEYS 8  /* keys in one entry */
#define LSUIT_TRUST_ANCHORS 4
#define LSUIT_TRUST_URLS 4
#define LSUIT_TRUST_SIGNATURES 8
#define LSUIT_KID_MAX 32

/* The document: payload and signatures beside each other, since there may be several. */
enum lsuit_trust_doc_key {
    LSUIT_TRUST_DOC_VERSION = 0,
    LSUIT_TRUST_DOC_PAYLOAD = 1,   /* bstr: the encoded set */
    LSUIT_TRUST_DOC_SIGNATURES = 2 /* [ bstr: tagged COSE_Sign1, detached ] */
};

enum lsuit_trust_key {
    LSUIT_TRUST_FORMAT = 0,
    LSUIT_TRUST_VERSION = 1,
    LSUIT_TRUST_ROLE_LIST = 2,
    LSUIT_TRUST_ANCHOR_LIST = 3,
    LSUIT_TRUST_URL_LIST = 4,
    LSUIT_TRUST_ISSUED = 5
};

enum lsuit_role_key {
    LSUIT_ROLE_ROLE = 1,
    LSUIT_ROLE_KEYS = 2,
    LSUIT_ROLE_THRESHOLD = 3,
    LSUIT_ROLE_VENDOR_ID = 4,
    LSUIT_ROLE_CLASS_ID = 5
};

enum lsuit_key_key { LSUIT_KEY_TYPE = 1, LSUIT_KEY_MATERIAL = 2, LSUIT_KEY_KID = 3 };

enum lsuit_anchor_key { LSUIT_ANCHOR_KIND = 1, LSUIT_ANCHOR_BYTES = 2, LSUIT_ANCHOR_USE = 3 };

enum lsuit_role_kind {
    LSUIT_ROLE_ROOT = 1,    /* signs trust sets */
    LSUIT_ROLE_RELEASE = 2, /* signs SUIT manifests */
    LSUIT_ROLE_ONLINE = 3,  /* signs statements and erase receipts */
    LSUIT_ROLE_AUTHOR = 4,  /* signs dependencies */
    LSUIT_ROLE_ENROL = 5    /* signs batch attestations */
};

/*
 * One entry: keys of a role in a scope. Several entries of one role stand side by side: a
 * document is good when any entry whose scope fits is satisfied by itself.
 */
struct lsuit_role {
    uint32_t role; /* enum lsuit_role_kind; an unknown one is passed over by lsuit_trust_find */
    struct lsuit_key keys[LSUIT_TRUST_KEYS]; /* P-256 and later types; an unknown type has NONE */
    uint32_t keys_n;
    uint32_t threshold;           /* 1 to keys_n: different keys that must have signed */
    struct lsuit_bytes vendor_id; /* absent: any */
    struct lsuit_bytes class_id;  /* absent: any */
};

enum lsuit_anchor_kind {
    LSUIT_ANCHOR_CERTIFICATE = 1, /* DER */
    LSUIT_ANCHOR_SPKI = 2         /* SHA-256 of SubjectPublicKeyInfo, 32 bytes */
};
enum lsuit_anchor_use { LSUIT_ANCHOR_CURRENT = 1, LSUIT_ANCHOR_NEXT = 2 };

struct lsuit_anchor {
    uint32_t kind; /* enum lsuit_anchor_kind; unknown ones are to be passed over */
    struct lsuit_bytes bytes;
    uint32_t use; /* enum lsuit_anchor_use */
};

/* A checked set. The lists are encoded; take their entries with the functions below. */
struct lsuit_trust {
    uint32_t version;         /* from 1 */
    uint64_t issued_s;        /* seconds since 1970; 0: not said */
    struct lsuit_bytes roles; /* encoded arrays; anchors and urls absent when none */
    struct lsuit_bytes anchors, urls;
    uint32_t roles_n, anchors_n, urls_n;
    struct lsuit_bytes payload; /* the whole encoded set, as signed */
};

/*
 * Read a bare set (the payload), as a device has it stored beside its own keys or built in.
 * Nothing is verified.
 */
enum lsuit_err lsuit_trust_read(struct lsuit_bytes payload, struct lsuit_trust *trust_out,
                                struct lsuit_fault *fault);

/*
 * Take a step: verify the next document against the set in force and against itself.
 *
 *   current  the set in force; NULL only for a tool that shows a set nobody vouches for yet, or
 *            at the factory: then the root threshold of the new set alone is asked
 *
 * LSUIT_ERR_ROLLBACK      the version is not above current's
 * LSUIT_ERR_CONFLICT      it is more than one above: fetch the step between first
 * LSUIT_ERR_UNAUTHORISED  a threshold is not reached
 * LSUIT_ERR_LIMIT         larger than LSUIT_TRUST_MAX
 * as lsuit_trust_read
 */
enum lsuit_err lsuit_trust_accept(struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                                  const struct lsuit_trust *current, struct lsuit_trust *trust_out,
                                  struct lsuit_fault *fault);

/*
 * Read the document of a set that was accepted before and stored since, on a medium that others
 * may have written to: it must still be signed by a root threshold of `by`, an earlier set that
 * needs no proof (that of the factory), and by its own.
 *
 * LSUIT_ERR_ROLLBACK      the version is not above that of `by`
 * LSUIT_ERR_UNAUTHORISED  a threshold is not reached: altered, or the root was rotated since `by`
 * as lsuit_trust_read
 */
enum lsuit_err lsuit_trust_restore(struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                                   const struct lsuit_trust *by, struct lsuit_trust *trust_out,
                                   struct lsuit_fault *fault);

/* The i-th entry; false when there are not so many. trust must come from one of the above. */
bool lsuit_trust_role_at(const struct lsuit_trust *trust, uint32_t i, struct lsuit_role *role_out);
bool lsuit_trust_anchor_at(const struct lsuit_trust *trust, uint32_t i,
                           struct lsuit_anchor *anchor_out);
bool lsuit_trust_url_at(const struct lsuit_trust *trust, uint32_t i, struct lsuit_bytes *url_out);

/*
 * The next entry of a role whose scope holds (vendor, class): start with *at = 0, call until
 * false.
 *
 *   vendor_id, class_id  absent: entries without a scope only
 */
bool lsuit_trust_find(const struct lsuit_trust *trust, enum lsuit_role_kind role,
                      struct lsuit_bytes vendor_id, struct lsuit_bytes class_id, uint32_t *at,
                      struct lsuit_role *role_out);

/*
 * Verify a document of a kind that one key of a role signs (statement, receipt, enrolment):
 * lsuit_doc_verify with the keys of every entry whose scope fits.
 */
enum lsuit_err lsuit_trust_verify(const struct lsuit_trust *trust, enum lsuit_role_kind role,
                                  struct lsuit_bytes vendor_id, struct lsuit_bytes class_id,
                                  enum lsuit_doc kind, struct lsuit_bytes doc,
                                  const struct lsuit_crypto *crypto,
                                  struct lsuit_bytes *payload_out);

/*
 * Verify a SUIT envelope: by the threshold of one release entry whose scope fits.
 *
 *   role_out  the entry that was satisfied; auth_out's bits stand for its keys. May be NULL, as
 *             auth_out and fault may
 *
 * LSUIT_ERR_UNAUTHORISED  also when no entry's scope fits
 * as lsuit_envelope_verify
 */
enum lsuit_err
lsuit_trust_verify_envelope(const struct lsuit_trust *trust, struct lsuit_bytes vendor_id,
                            struct lsuit_bytes class_id, struct lsuit_envelope *envelope,
                            const struct lsuit_crypto *crypto, struct lsuit_role *role_out,
                            struct lsuit_auth *auth_out, struct lsuit_fault *fault);

/*
 * Keys whose private half was published, as those of the drafts' examples: anybody can sign with
 * them. A shipped product refuses them, and a set that names one.
 */
bool lsuit_key_is_published(const struct lsuit_key *key);
bool lsuit_trust_has_published(const struct lsuit_trust *trust);

/* --- writing -------------------------------------------------------------------------------- */

struct lsuit_trust_parts {
    uint32_t version;
    uint64_t issued_s; /* 0: not written */
    const struct lsuit_role *roles;
    uint32_t roles_n;
    const struct lsuit_anchor *anchors;
    uint32_t anchors_n;
    const struct lsuit_bytes *urls;
    uint32_t urls_n;
};

/* Encode a set. It is read back before the answer, so that only a good one comes out. */
enum lsuit_err lsuit_trust_write(const struct lsuit_trust_parts *parts, uint8_t *buf, size_t cap,
                                 struct lsuit_bytes *payload_out);

/*
 * What one root key signs: the Sig_structure over the payload (for an HSM, or for a PSA key).
 * Put the signature into a detached COSE_Sign1 with lsuit_cose_sign1_write.
 */
enum lsuit_err lsuit_trust_tbs(int32_t alg, struct lsuit_bytes payload, uint8_t *buf, size_t cap,
                               struct lsuit_bytes *tbs_out);

/* Put payload and detached signatures together. */
enum lsuit_err lsuit_trust_doc_write(struct lsuit_bytes payload,
                                     const struct lsuit_bytes *signatures, uint32_t signatures_n,
                                     uint8_t *buf, size_t cap, struct lsuit_bytes *doc_out);

/* The parts of a document, unverified, to add a signature or to show it. */
struct lsuit_trust_doc {
    struct lsuit_bytes payload;
    struct lsuit_bytes signatures[LSUIT_TRUST_SIGNATURES];
    uint32_t signatures_n;
};
enum lsuit_err lsuit_trust_doc_read(struct lsuit_bytes doc, struct lsuit_trust_doc *doc_out,
                                    struct lsuit_fault *fault);

/* "root", "release", "online", "author", "enrol"; NULL when unknown. */
const char *lsuit_role_name(uint32_t role);

#ifdef __cplusplus
}
#endif
#endif
