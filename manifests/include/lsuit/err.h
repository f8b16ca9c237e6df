/*
 * What can go wrong in the codec and the processor, one name each.
 *
 * The numbers are ours; lsuit_err_reason gives the code of draft-ietf-suit-report-18, section 4
 * (SUIT_Report_Reasons) that stands for each.
 */
#ifndef LSUIT_ERR_H
#define LSUIT_ERR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum lsuit_err {
    LSUIT_OK = 0,
    LSUIT_ERR_CBOR,           /* not the CBOR that this place demands           reason 1 */
    LSUIT_ERR_COSE,           /* a COSE structure or header we don't accept      reason 2 */
    LSUIT_ERR_ALG,            /* an algorithm we don't have                      reason 3 */
    LSUIT_ERR_UNAUTHORISED,   /* no acceptable signature, or a digest differs    reason 4 */
    LSUIT_ERR_COMMAND,        /* an unknown or misplaced command                 reason 5 */
    LSUIT_ERR_COMPONENT,      /* a component this device does not have           reason 6 */
    LSUIT_ERR_COMPONENT_AUTH, /* a component this signer may not touch           reason 7 */
    LSUIT_ERR_PARAMETER,      /* an unknown, misplaced or ill-typed parameter    reason 8 */
    LSUIT_ERR_SEVERED,        /* a section is severed and absent                 reason 9 */
    LSUIT_ERR_CONDITION,      /* a condition did not hold                        reason 10 */
    LSUIT_ERR_OPERATION,      /* a directive or the platform failed              reason 11 */
    LSUIT_ERR_ROLLBACK,       /* the sequence number is lower than accepted      reason 4 */
    LSUIT_ERR_CONFLICT,       /* same sequence number, other digest              reason 4 */
    LSUIT_ERR_LIMIT,          /* a fixed limit of this build is exceeded         reason 11 */
    LSUIT_ERR_SPACE,          /* the writer's buffer is full                     reason 11 */
    LSUIT_ERR_RANGE,          /* a value outside its range in one of our documents reason 1 */
    LSUIT_ERR_REFUSED,        /* an unknown key below 0: "refuse me if you don't know me" */
    LSUIT_ERR_CRYPTO,         /* the crypto adapter failed for a reason of its own */
    LSUIT_ERR_USAGE           /* the caller broke the contract of a function     */
};

/*
 * Where it went wrong. Filled by readers, the checker and the processor when the caller passes
 * one; `what` is a static string, the standard's name of the thing ("suit-install",
 * "vendor-identifier", "image-size") or NULL when the build leaves texts out.
 */
struct lsuit_fault {
    enum lsuit_err err;
    const char *what;  /* static; names the element, command, parameter or key */
    const char *why;   /* static; a short reason in plain English, or NULL */
    int64_t code;      /* the key, command or parameter number, 0 when none */
    int32_t component; /* component index, -1 when none */
    size_t offset;     /* byte offset in the document given to the reader */
    uint8_t section;   /* manifest key of the command section (7 validate, 20 install...), 0 none */
};

/* The name of an error in the field's words ("cbor-parse", "unauthorised"). Static. */
const char *lsuit_err_name(enum lsuit_err err);

/* The SUIT_Report reason, 0 to 12. */
int lsuit_err_reason(enum lsuit_err err);

#ifdef __cplusplus
}
#endif
#endif
