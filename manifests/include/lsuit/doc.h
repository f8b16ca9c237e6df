/*
 * What lapel's own documents have in common: kinds, spaces, attempts, events, keys by name.
 *
 * A document is a CBOR map with integer keys in core deterministic encoding. SPEC.md numbers
 * every key; the enums here and in the headers beside are those numbers.
 *
 *   (1) In every map of every document an unknown key from 0 on is skipped, and an unknown key
 *       below 0 refuses the whole document (LSUIT_ERR_REFUSED).
 *   (2) A reader fills the caller's struct on success only.
 *   (3) Values borrow from the document, which must not change as long as they are used.
 *   (4) No document can stand in for another: each kind that is signed has an external_aad of
 *       its own and a key role of its own.
 *
 * Errors of every reader:
 *
 *   LSUIT_ERR_CBOR     malformed, a wrong type, or an essential key is missing
 *   LSUIT_ERR_RANGE    a value outside its range
 *   LSUIT_ERR_LIMIT    more entries than this version of the document allows
 *   LSUIT_ERR_REFUSED  an unknown key below 0, or another version of the format
 *
 * `fault` may be NULL; else it names the key ("attempt-id"), its number and the offset.
 * Errors of every writer: the same for values that the reader would refuse, LSUIT_ERR_SPACE when
 * the buffer is too small. What a writer makes its reader accepts, and writing what was read from
 * such a document gives the same bytes again.
 */
#ifndef LSUIT_DOC_H
#define LSUIT_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsuit/bytes.h"
#include "lsuit/crypto.h"
#include "lsuit/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Key 0 of every document; another number is LSUIT_ERR_REFUSED. */
#define LSUIT_DOC_VERSION 1

/* Any number that a server keeps or orders fits a signed 64-bit integer. */
#define LSUIT_NUMBER_MAX ((uint64_t)INT64_MAX)
#define LSUIT_SEQUENCE_MAX LSUIT_NUMBER_MAX

/* Spaces in one check-in, answer or statement. */
#define LSUIT_MAX_SPACES 4
#define LSUIT_MAX_EVENTS 16
#define LSUIT_UUID_LEN 16
#define LSUIT_ATTEMPT_ID_LEN 8
#define LSUIT_NONCE_MIN 8
#define LSUIT_NONCE_MAX 32
#define LSUIT_NAME_MAX 64        /* product, device id, model: bytes of UTF-8, 1 to 64 */
#define LSUIT_HW_REVISION_MAX 32 /* 0 to 32 */
#define LSUIT_URL_MAX 200
#define LSUIT_CHANNEL_MAX 32
#define LSUIT_LANGUAGE_MAX 35   /* RFC 5646, section 4.4.1 */
#define LSUIT_TIME_ZONE_MAX 900 /* minutes east or west */
#define LSUIT_ATTESTATION_MAX 512
/* The borders of a next poll: a reader clamps, a writer refuses. */
#define LSUIT_POLL_MIN_S 30u
#define LSUIT_POLL_MAX_S 604800u /* 7 days */
#define LSUIT_SUIT_REPORT_MAX 2048
#define LSUIT_TOKEN_LEN 43        /* base64url without padding: 32 bytes */
#define LSUIT_COMPONENT_ID_MAX 64 /* encoded SUIT_Component_Identifier */

/* The documents that may be signed. Their external_aad is "lapel/<name>/1". */
enum lsuit_doc {
    LSUIT_DOC_CHECKIN = 1,   /* by the device's own key; audience */
    LSUIT_DOC_REPORT = 2,    /* by the device's own key; audience */
    LSUIT_DOC_STATEMENT = 3, /* by a key of role online */
    LSUIT_DOC_TRUST = 4,     /* by keys of role root */
    LSUIT_DOC_RECEIPT = 5,   /* by a key of role online */
    LSUIT_DOC_ENROL = 6,     /* by a key of role enrol (reserved) */
    LSUIT_DOC_ERASE = 7      /* by the device's own key; audience (reserved) */
};

/* Longest audience, and so room for any external_aad. */
#define LSUIT_AUDIENCE_MAX 255
#define LSUIT_AAD_BARE 24 /* for a kind without an audience */
#define LSUIT_AAD_MAX (LSUIT_AAD_BARE + LSUIT_AUDIENCE_MAX)

/*
 * The external_aad of a kind of document: "lapel/checkin/1", and for check-in, report and erase
 * a zero byte and the audience behind it.
 *
 *   audience  the server's name as both sides have it configured (SPEC.md); absent for the kinds
 *             that have none
 *
 * LSUIT_ERR_USAGE  an unknown kind; an audience where none belongs, or none where one belongs
 * LSUIT_ERR_RANGE  the audience is longer than LSUIT_AUDIENCE_MAX
 */
enum lsuit_err lsuit_doc_aad(enum lsuit_doc kind, struct lsuit_bytes audience, uint8_t *buf,
                             size_t cap, struct lsuit_bytes *aad_out);

/* Whether the bytes begin like a tagged COSE_Sign1, not like a map. Says nothing of validity. */
bool lsuit_doc_is_signed(struct lsuit_bytes doc);

/*
 * The payload of a COSE_Sign1 before anybody verified it, to find out whose key is needed.
 * Nothing in it may have an effect until lsuit_doc_verify accepts the same bytes.
 *
 * LSUIT_ERR_CBOR, LSUIT_ERR_COSE (also: detached, or no COSE_Sign1)
 */
enum lsuit_err lsuit_doc_peek(struct lsuit_bytes doc, struct lsuit_bytes *payload_out);

/*
 * Verify a COSE_Sign1 with attached payload as a document of this kind.
 *
 *   keys         of the role that signs this kind, and of no other
 *   index_out    which key fitted; may be NULL
 *   payload_out  borrowed from doc; filled on success only
 *
 * LSUIT_ERR_UNAUTHORISED, LSUIT_ERR_ALG, LSUIT_ERR_COSE, LSUIT_ERR_CBOR; as lsuit_doc_aad
 */
enum lsuit_err lsuit_doc_verify(enum lsuit_doc kind, struct lsuit_bytes audience,
                                struct lsuit_bytes doc, const struct lsuit_crypto *crypto,
                                const struct lsuit_key *keys, size_t keys_n, size_t *index_out,
                                struct lsuit_bytes *payload_out);

/*
 * Sign a finished payload as a document of this kind (ESP256; see lsuit_cose_sign1).
 *
 *   signer  names the key to the crypto adapter
 *   cap     payload.len + LSUIT_COSE_OVERHEAD is enough
 */
enum lsuit_err lsuit_doc_sign(enum lsuit_doc kind, struct lsuit_bytes audience,
                              struct lsuit_bytes payload, const struct lsuit_crypto *crypto,
                              uint32_t signer, struct lsuit_bytes kid, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *doc_out);

/* --- spaces --------------------------------------------------------------------------- */

/*
 * Where sequence numbers are compared: (vendor, class, manifest-component-id). In a map of a
 * document it stands at keys 1, 2 and 3.
 */
struct lsuit_space {
    struct lsuit_bytes vendor_id;    /* 16 bytes */
    struct lsuit_bytes class_id;     /* 16 bytes */
    struct lsuit_bytes component_id; /* encoded suit-manifest-component-id; absent: none */
};

enum lsuit_space_key {
    LSUIT_SPACE_VENDOR_ID = 1,
    LSUIT_SPACE_CLASS_ID = 2,
    LSUIT_SPACE_COMPONENT_ID = 3
};

bool lsuit_space_equal(const struct lsuit_space *a, const struct lsuit_space *b);

/* --- how an attempt ended --------------------------------------------------------------- */

/* How far an attempt came. A number that is not known here is passed on as it is. */
enum lsuit_stage {
    LSUIT_STAGE_NONE = 0,
    LSUIT_STAGE_ENVELOPE = 1, /* fetching or reading the envelope */
    LSUIT_STAGE_VERIFY = 2,   /* signature, sequence rules */
    LSUIT_STAGE_CHECK = 3,    /* identity, conditions, dry run */
    LSUIT_STAGE_GATE = 4,     /* the user, or a policy */
    LSUIT_STAGE_FETCH = 5,
    LSUIT_STAGE_WRITE = 6,
    LSUIT_STAGE_IMAGE_MATCH = 7,
    LSUIT_STAGE_INSTALL = 8, /* staging for the boot loader too */
    LSUIT_STAGE_REBOOT = 9,
    LSUIT_STAGE_TRIAL = 10,
    LSUIT_STAGE_CONFIRM = 11
};

/* Why it ended there. */
enum lsuit_class {
    LSUIT_CLASS_NONE = 0, /* no error: with stage CONFIRM, success */
    LSUIT_CLASS_NETWORK = 1,
    LSUIT_CLASS_SERVER_REFUSED = 2,
    LSUIT_CLASS_UNAUTHORISED = 3,
    LSUIT_CLASS_ROLLBACK = 4,
    LSUIT_CLASS_WRONG_DEVICE = 5,
    LSUIT_CLASS_UNSUPPORTED = 6,
    LSUIT_CLASS_MALFORMED = 7,
    LSUIT_CLASS_DIGEST_MISMATCH = 8,
    LSUIT_CLASS_STORAGE = 9,
    LSUIT_CLASS_SPACE = 10, /* too large */
    LSUIT_CLASS_USER_REFUSED = 11,
    LSUIT_CLASS_WITHDRAWN = 12,
    LSUIT_CLASS_HEALTH = 13,    /* reverted: the new image is not well */
    LSUIT_CLASS_NO_SERVER = 14, /* reverted for lack of the server: no evidence against the image */
    LSUIT_CLASS_POWER = 15,
    LSUIT_CLASS_INTERNAL = 16,
    LSUIT_CLASS_LIMIT = 17
};

struct lsuit_attempt {
    struct lsuit_bytes id; /* 8 bytes, made by the device */
    uint32_t stage;        /* enum lsuit_stage */
    uint32_t class_;       /* enum lsuit_class */
    int64_t code;          /* the port's or the protocol's own number; 0 when none */
    bool has_offset;
    uint64_t offset; /* byte of the payload, or of the manifest */
    bool has_sequence;
    uint64_t sequence;
    struct lsuit_bytes digest; /* SUIT manifest digest, 32 bytes; absent when not known */
    struct lsuit_bytes reason; /* encoded suit-report; absent when none */
};

enum lsuit_attempt_key {
    LSUIT_ATTEMPT_ID = 1,
    LSUIT_ATTEMPT_STAGE = 2,
    LSUIT_ATTEMPT_CLASS = 3,
    LSUIT_ATTEMPT_CODE = 4,
    LSUIT_ATTEMPT_OFFSET = 5,
    LSUIT_ATTEMPT_SEQUENCE = 6,
    LSUIT_ATTEMPT_DIGEST = 7,
    LSUIT_ATTEMPT_REASON = 8
};

/* Names for people and JSON: "image-match", "digest-mismatch"; NULL when unknown. */
const char *lsuit_stage_name(uint32_t stage);
const char *lsuit_class_name(uint32_t class_);

/* --- security events -------------------------------------------------------------------- */

enum lsuit_event_class {
    LSUIT_EVENT_BAD_SIGNATURE = 1,
    LSUIT_EVENT_ROLLBACK = 2,
    LSUIT_EVENT_WRONG_DEVICE = 3,
    LSUIT_EVENT_DIGEST_MISMATCH = 4,
    LSUIT_EVENT_TLS_FAILURE = 5,
    LSUIT_EVENT_AUTH_REFUSED = 6, /* a 401 */
    LSUIT_EVENT_STALE = 7,        /* no fresh statement for stale_after_s */
    LSUIT_EVENT_TAMPERED = 8,     /* a stored trust set, or an image that fits no manifest */
    LSUIT_EVENT_JOURNAL = 9,      /* damage that was repaired */
    LSUIT_EVENT_MALFORMED = 10,
    LSUIT_EVENT_STATEMENT = 11 /* a statement that does not verify */
};

struct lsuit_event {
    uint32_t class_;
    uint32_t count;
    uint32_t last_s; /* seconds of running time since the last one */
};

enum lsuit_event_key { LSUIT_EVENT_CLASS = 1, LSUIT_EVENT_COUNT = 2, LSUIT_EVENT_LAST = 3 };

const char *lsuit_event_name(uint32_t class_);

/* --- what survived a crash --------------------------------------------------------------- */

#define LSUIT_FAULT_DETAIL_MAX 64
struct lsuit_fault_record {
    uint32_t kind;  /* the port's own number: watchdog, hard fault, assertion, ... (SPEC.md) */
    uint64_t where; /* program counter or line */
    bool has_sequence;
    uint64_t sequence;         /* that ran when it happened */
    struct lsuit_bytes detail; /* up to 64 bytes; absent when none */
};

enum lsuit_fault_key {
    LSUIT_FAULT_KIND = 1,
    LSUIT_FAULT_WHERE = 2,
    LSUIT_FAULT_SEQUENCE = 3,
    LSUIT_FAULT_DETAIL = 4
};

/* --- keys by name ------------------------------------------------------------------------ */

/* Every map of every document. */
enum lsuit_map {
    LSUIT_MAP_CHECKIN,
    LSUIT_MAP_RUNNING,
    LSUIT_MAP_ATTEMPT,
    LSUIT_MAP_CAPABILITY,
    LSUIT_MAP_EVENT,
    LSUIT_MAP_FAULT,
    LSUIT_MAP_USER,
    LSUIT_MAP_ANSWER,
    LSUIT_MAP_VERDICT,
    LSUIT_MAP_REPORT,
    LSUIT_MAP_SPACE,
    LSUIT_MAP_STATEMENT,
    LSUIT_MAP_RELEASE,
    LSUIT_MAP_SUPPORT,
    LSUIT_MAP_TRUST_DOC,
    LSUIT_MAP_TRUST,
    LSUIT_MAP_ROLE,
    LSUIT_MAP_KEY,
    LSUIT_MAP_ANCHOR,
    LSUIT_MAP_RECEIPT,
    LSUIT_MAP_N
};

/* The name that SPEC.md gives a key: ("next-poll") for (LSUIT_MAP_ANSWER, 2); NULL when unknown. */
const char *lsuit_key_name(enum lsuit_map map, int64_t key);

#ifdef __cplusplus
}
#endif
#endif
