/*
 * SUIT envelope and manifest: reading, authenticating, checking, writing.
 * draft-ietf-suit-manifest-37 with the IANA code points.
 *
 * Three steps, always in this order (draft section 6.1; design: verify the raw bytes first,
 * check the whole without side effects second, execute third):
 *
 *   lsuit_envelope_read    outer map only; nothing under the signature is parsed
 *   lsuit_envelope_verify  wrapper, digest, signatures; marks the envelope as verified
 *   lsuit_manifest_read    the manifest's own map, common, severed sections against digests
 *   lsuit_manifest_check   every command of every sequence; then suit_run.h executes
 *
 * All values borrow from the document given to lsuit_envelope_read, which must not change as
 * long as they are used.
 */
#ifndef LSUIT_SUIT_H
#define LSUIT_SUIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/cbor.h"
#include "lsuit/config.h"
#include "lsuit/cose.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An envelope of this size is accepted by every device (SPEC.md). */
#define LSUIT_ENVELOPE_MIN_ACCEPTED 2048

#define LSUIT_TAG_ENVELOPE 107

/* Envelope and manifest keys (draft -37, section 8 and IANA "SUIT Manifest Elements"). */
enum lsuit_section {
    LSUIT_SECTION_COMMON = 3,
    LSUIT_SECTION_VALIDATE = 7,
    LSUIT_SECTION_LOAD = 8,
    LSUIT_SECTION_INVOKE = 9,
    LSUIT_SECTION_COSWID = 14,
    LSUIT_SECTION_DEPENDENCY_RESOLUTION = 15,
    LSUIT_SECTION_PAYLOAD_FETCH = 16,
    LSUIT_SECTION_CANDIDATE_VERIFICATION = 18,
    LSUIT_SECTION_INSTALL = 20,
    LSUIT_SECTION_TEXT = 23,
    LSUIT_SECTION_UNINSTALL = 24
};

enum lsuit_command {
    LSUIT_COND_VENDOR_IDENTIFIER = 1,
    LSUIT_COND_CLASS_IDENTIFIER = 2,
    LSUIT_COND_IMAGE_MATCH = 3,
    LSUIT_COND_USE_BEFORE = 4,
    LSUIT_COND_COMPONENT_SLOT = 5,
    LSUIT_COND_CHECK_CONTENT = 6,
    LSUIT_COND_DEPENDENCY_INTEGRITY = 7,
    LSUIT_COND_IS_DEPENDENCY = 8,
    LSUIT_DIR_PROCESS_DEPENDENCY = 11,
    LSUIT_DIR_SET_COMPONENT_INDEX = 12,
    LSUIT_COND_ABORT = 14,
    LSUIT_DIR_TRY_EACH = 15,
    LSUIT_DIR_WRITE = 18,
    LSUIT_DIR_SET_PARAMETERS = 19,
    LSUIT_DIR_OVERRIDE_PARAMETERS = 20,
    LSUIT_DIR_FETCH = 21,
    LSUIT_DIR_COPY = 22,
    LSUIT_DIR_INVOKE = 23,
    LSUIT_COND_DEVICE_IDENTIFIER = 24,
    LSUIT_COND_IMAGE_NOT_MATCH = 25,
    LSUIT_COND_MINIMUM_BATTERY = 26,
    LSUIT_COND_UPDATE_AUTHORIZED = 27,
    LSUIT_COND_VERSION = 28,
    LSUIT_DIR_WAIT = 29,
    LSUIT_DIR_SWAP = 31,
    LSUIT_DIR_RUN_SEQUENCE = 32,
    LSUIT_DIR_UNLINK = 33,
    LSUIT_DIR_OVERRIDE_MULTIPLE = 34,
    LSUIT_DIR_COPY_PARAMS = 35
};

enum lsuit_parameter {
    LSUIT_PARAM_VENDOR_IDENTIFIER = 1,
    LSUIT_PARAM_CLASS_IDENTIFIER = 2,
    LSUIT_PARAM_IMAGE_DIGEST = 3,
    LSUIT_PARAM_USE_BEFORE = 4,
    LSUIT_PARAM_COMPONENT_SLOT = 5,
    LSUIT_PARAM_STRICT_ORDER = 12,
    LSUIT_PARAM_SOFT_FAILURE = 13,
    LSUIT_PARAM_IMAGE_SIZE = 14,
    LSUIT_PARAM_CONTENT = 18,
    LSUIT_PARAM_ENCRYPTION_INFO = 19,
    LSUIT_PARAM_URI = 21,
    LSUIT_PARAM_SOURCE_COMPONENT = 22,
    LSUIT_PARAM_INVOKE_ARGS = 23,
    LSUIT_PARAM_DEVICE_IDENTIFIER = 24,
    LSUIT_PARAM_FETCH_ARGUMENTS = 25,
    LSUIT_PARAM_MINIMUM_BATTERY = 26,
    LSUIT_PARAM_UPDATE_PRIORITY = 27,
    LSUIT_PARAM_VERSION = 28,
    LSUIT_PARAM_WAIT_INFO = 29,
    LSUIT_PARAM_COMPONENT_METADATA = 30
};

/* SUIT_Digest. */
struct lsuit_digest {
    int32_t alg;              /* LSUIT_ALG_SHA256 ...; 0: absent */
    struct lsuit_bytes bytes; /* as long as the algorithm says */
};

/* A section that may be severed: inline bytes, or a digest and perhaps bytes in the envelope. */
struct lsuit_part {
    bool present;             /* named by the manifest at all */
    bool severable;           /* the manifest holds a digest instead of the section */
    struct lsuit_bytes bytes; /* content of the bstr; absent when severed and not in the envelope */
    struct lsuit_digest digest; /* when severable */
};

struct lsuit_envelope {
    struct lsuit_bytes whole;
    bool tagged;
    bool verified;               /* set by lsuit_envelope_verify, by nothing else */
    bool examined;               /* set by lsuit_envelope_trust_nobody: the digest fits, no more */
    struct lsuit_bytes auth;     /* content of key 2 */
    struct lsuit_bytes manifest; /* content of key 3 */
    struct lsuit_bytes manifest_bstr; /* key 3 with its bstr header: what the digest covers */
    struct lsuit_digest digest;       /* SUIT_Digest from the wrapper; absent before verify */
    struct lsuit_bytes digest_bytes;  /* encoded SUIT_Digest: the COSE payload */
    /* severed sections as they stand in the envelope, with their bstr header; absent when not */
    struct lsuit_bytes coswid, dependency_resolution, payload_fetch, candidate_verification,
        install, text;
    /* the run of tstr keys and bstr values at the end of the map (integrated payloads) */
    struct lsuit_bytes integrated;
    uint32_t integrated_n;
};

struct lsuit_manifest {
    const struct lsuit_envelope *envelope;
    struct lsuit_digest digest; /* SUIT manifest digest: the {digest} of a manifest URL */
    uint64_t sequence;
    struct lsuit_bytes reference_uri; /* tstr; absent when not given */
    struct lsuit_bytes component_id;  /* encoded suit-manifest-component-id; absent: none */
    /* encoded component identifiers; absent: nobody gave one (dependencies have gaps) */
    struct lsuit_bytes components[LSUIT_MAX_COMPONENTS];
    uint32_t components_n;
    uint32_t dependencies;          /* bit i: component i is a dependency */
    struct lsuit_bytes shared;      /* content of suit-shared-sequence */
    struct lsuit_bytes set_version; /* encoded array of integers; absent: none */
    struct lsuit_part validate, load, invoke, coswid, dependency_resolution, payload_fetch,
        candidate_verification, install, text, uninstall;
};

/* Which keys may sign what is verified here, how many must, and what is refused. */
struct lsuit_trust_keys {
    const struct lsuit_key *keys;
    size_t n;
    uint32_t threshold; /* different keys that must have signed; 0 means 1 */
};

/* Who signed: bit i stands for keys[i]. */
struct lsuit_auth {
    uint32_t signers;
    uint32_t signers_n;
    uint32_t blocks; /* authentication blocks seen; of a COSE_Sign each signature */
    int32_t alg;     /* of the refused block that tells most, 0 none; in fault.code too */
};

/*
 * Split the outer map of an envelope. Nothing is believed yet.
 *
 *   doc    the whole document, tag 107 or untagged
 *   fault  may be NULL
 *
 * LSUIT_ERR_CBOR  malformed, a duplicate or unknown key, a missing wrapper or manifest,
 *                 trailing bytes
 */
enum lsuit_err lsuit_envelope_read(struct lsuit_bytes doc, struct lsuit_envelope *envelope_out,
                                   struct lsuit_fault *fault);

/*
 * Authenticate: at least `threshold` keys have signed the SUIT_Digest, and the digest fits the
 * manifest. Sets envelope->verified and ->digest.
 *
 * Blocks of algorithms or structures that the build lacks are passed over; when no block is
 * acceptable the error is that of the most telling one.
 *
 * LSUIT_ERR_UNAUTHORISED, LSUIT_ERR_ALG, LSUIT_ERR_COSE, LSUIT_ERR_CBOR
 */
enum lsuit_err lsuit_envelope_verify(struct lsuit_envelope *envelope,
                                     const struct lsuit_crypto *crypto,
                                     const struct lsuit_trust_keys *trust,
                                     struct lsuit_auth *auth_out, struct lsuit_fault *fault);

/*
 * For tools that explain a document nobody vouches for: take digest and manifest without a
 * signature. The digest must still fit. Sets envelope->examined: the manifest can be read, and
 * is refused by lsuit_run_init. On a device only where the digest is held against one that is
 * known to be good.
 */
enum lsuit_err lsuit_envelope_trust_nobody(struct lsuit_envelope *envelope,
                                           const struct lsuit_crypto *crypto,
                                           struct lsuit_fault *fault);

/*
 * Read the manifest's map and common section, and hold severed sections in the envelope
 * against their digests. Sections the build can't process are refused by name.
 *
 *   envelope  verified; borrowed by manifest_out
 *
 * LSUIT_ERR_USAGE        neither verified nor examined
 * LSUIT_ERR_CBOR         malformed; names the key. An install section at key 17 is told apart:
 *                        "draft -17 to -28"; keys 8 to 13 as in -16 and before likewise
 * LSUIT_ERR_COMPONENT    more components than LSUIT_MAX_COMPONENTS
 * LSUIT_ERR_UNAUTHORISED a severed section whose digest differs, or that isn't declared
 */
enum lsuit_err lsuit_manifest_read(const struct lsuit_envelope *envelope,
                                   const struct lsuit_crypto *crypto,
                                   struct lsuit_manifest *manifest_out, struct lsuit_fault *fault);

/*
 * Check every command and parameter of every sequence, executed or not: known codes, argument
 * types, component indices, depth, what may stand in the shared sequence, soft-failure only
 * inside try-each and run-sequence, digests by algorithm and length, URIs as UTF-8.
 *
 *   policy  LSUIT_CHECK_... bits
 */
#define LSUIT_CHECK_IDENTITY 1u  /* vendor and class conditions in the shared sequence: required */
#define LSUIT_CHECK_LAPEL_URI 2u /* only `#name` and `../payloads/` with 64 hex digits, 0-9a-f */
#define LSUIT_CHECK_SHA256 4u /* no other image digest: for an adapter without SHA-384 and -512 */
enum lsuit_err lsuit_manifest_check(const struct lsuit_manifest *manifest, uint32_t policy,
                                    struct lsuit_fault *fault);

/*
 * Find an integrated payload by its key.
 *
 * LSUIT_OK, or LSUIT_ERR_OPERATION when there is none of this name
 */
enum lsuit_err lsuit_envelope_payload(const struct lsuit_envelope *envelope,
                                      struct lsuit_bytes name, struct lsuit_bytes *payload_out);

/* The i-th integrated payload; false when there are not so many. */
bool lsuit_envelope_payload_at(const struct lsuit_envelope *envelope, uint32_t i,
                               struct lsuit_bytes *name_out, struct lsuit_bytes *payload_out);

/* Section by manifest key; NULL for a key that is no section. */
const struct lsuit_part *lsuit_manifest_part(const struct lsuit_manifest *manifest, int32_t key);

/* --- what a manifest says about itself, for users, servers and stores --- */

/*
 * The facts a reader needs without executing: taken from the whole manifest by walking its
 * sequences (first value wins), no device identity needed. Empty on error.
 */
struct lsuit_facts {
    struct lsuit_bytes vendor_id; /* 16 bytes; absent when none is set */
    struct lsuit_bytes class_id[4];
    uint32_t class_n;
    bool vendor_condition, class_condition; /* condition stands in the shared sequence */
    struct lsuit_digest image_digest[LSUIT_MAX_COMPONENTS];
    uint64_t image_size[LSUIT_MAX_COMPONENTS]; /* 0 when none */
    bool has_priority;
    int64_t priority; /* update-priority (27): < 100 critical, < 1000 security, else feature */
    struct lsuit_fetch {
        uint32_t component;
        struct lsuit_bytes uri;
        struct lsuit_digest digest; /* in force where the fetch stands */
        uint64_t size;
    } fetch[8];
    uint32_t fetch_n;
};
enum lsuit_err lsuit_manifest_facts(const struct lsuit_manifest *manifest,
                                    struct lsuit_facts *facts_out, struct lsuit_fault *fault);

/* One language of suit-text. All borrowed; absent when not given. Private keys: SPEC.md. */
struct lsuit_text {
    struct lsuit_bytes language;           /* tag-38 language tag, as written */
    struct lsuit_bytes description;        /* 1 manifest-description */
    struct lsuit_bytes update_description; /* 2 what changes */
    struct lsuit_bytes risks_removed;      /* -1 */
    struct lsuit_bytes advisories;         /* -2 encoded array of tstr */
    bool has_downtime;
    uint32_t downtime_s;         /* -3 expected downtime, seconds */
    bool has_disrupts, disrupts; /* -4 */
    /* of the first component that has them */
    struct lsuit_bytes vendor_name, model_name, vendor_domain, model_info, component_description,
        component_version;
};

/*
 * Read the text section in the language that fits best: an exact tag, then the same primary
 * subtag, then the first. LSUIT_ERR_SEVERED when the text isn't in the envelope.
 *
 *   language  RFC 5646 tag such as "de-AT"; absent takes the first
 */
enum lsuit_err lsuit_manifest_text(const struct lsuit_manifest *manifest,
                                   struct lsuit_bytes language, struct lsuit_text *text_out,
                                   struct lsuit_fault *fault);
/* The same over the bare content of the text bstr (GET /v1/manifests/{digest}/text). */
enum lsuit_err lsuit_text_read(struct lsuit_bytes text, struct lsuit_bytes language,
                               struct lsuit_text *text_out, struct lsuit_fault *fault);

/* --- writing: the pieces from which tools build an envelope --- */

/* Encode a SUIT_Digest array. */
void lsuit_put_digest(struct lsuit_cbor_writer *w, int32_t alg, struct lsuit_bytes digest);

/*
 * Put together an envelope from a finished manifest and signatures.
 *
 *   manifest     content of key 3 (the map, not wrapped)
 *   cose, cose_n tagged, detached COSE structures; may be none (for signing later)
 *   severed      encoded map pairs (key, bstr) in ascending order for keys 14 to 23; may be absent
 *   integrated   likewise for tstr keys; may be absent
 */
struct lsuit_envelope_parts {
    struct lsuit_bytes manifest;
    const struct lsuit_bytes *cose;
    size_t cose_n;
    struct lsuit_bytes severed;
    uint32_t severed_n;
    struct lsuit_bytes integrated;
    uint32_t integrated_n;
};
enum lsuit_err lsuit_envelope_write(const struct lsuit_envelope_parts *parts,
                                    const struct lsuit_crypto *crypto, uint8_t *buf, size_t cap,
                                    struct lsuit_bytes *doc_out);

/*
 * For people whose document was refused: the range of older drafts that it looks like, static;
 * NULL when it looks like the present one, or like none. Believes nothing; not for devices.
 */
const char *lsuit_draft_guess(struct lsuit_bytes doc);

/* Names for people: "suit-install", "condition-vendor-identifier" ...; NULL when unknown. */
const char *lsuit_name_envelope_key(int64_t key);
const char *lsuit_name_manifest_key(int64_t key);
const char *lsuit_name_common_key(int64_t key);
const char *lsuit_name_command(int64_t code);
const char *lsuit_name_parameter(int64_t key);
const char *lsuit_name_text_key(int64_t key);
const char *lsuit_name_text_component_key(int64_t key);
const char *lsuit_name_alg(int64_t alg);

#ifdef __cplusplus
}
#endif
#endif
