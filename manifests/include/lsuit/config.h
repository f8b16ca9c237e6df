/*
 * Build-time choices of liblsuit: what is built in, and the fixed limits. Define any of these
 * before the build (-D or a file named by LSUIT_CONFIG_FILE); what is out of range stops the
 * build. What is left out is refused by name, never passed over; SPEC.md lists the limits, and
 * the capability report states them.
 *
 * LSUIT_BASE=1 leaves out all that an updater of one or two images doesn't need.
 */
#ifndef LSUIT_CONFIG_H
#define LSUIT_CONFIG_H

#ifdef LSUIT_CONFIG_FILE
#include LSUIT_CONFIG_FILE
#endif

#ifndef LSUIT_BASE
#define LSUIT_BASE 0
#endif

/* Commands that a draft calls optional: write, check-content, swap, device-identifier, and
 * set-parameters where there are no dependencies (draft-ietf-suit-manifest-37, section 11). */
#ifndef LSUIT_WITH_OPTIONAL
#define LSUIT_WITH_OPTIONAL (!LSUIT_BASE)
#endif

/* Dependencies, set-parameters, unlink and uninstall (draft-ietf-suit-trust-domains). */
#ifndef LSUIT_WITH_DEPENDENCIES
#define LSUIT_WITH_DEPENDENCIES (!LSUIT_BASE)
#endif

/* Version, use-before, battery, authorisation, wait, override-multiple, copy-params,
 * image-not-match, metadata (draft-ietf-suit-update-management). Update-priority is always in. */
#ifndef LSUIT_WITH_UPDATE_MANAGEMENT
#define LSUIT_WITH_UPDATE_MANAGEMENT (!LSUIT_BASE)
#endif

/* Encrypted payloads (draft-ietf-suit-firmware-encryption). */
#ifndef LSUIT_WITH_ENCRYPTION
#define LSUIT_WITH_ENCRYPTION (!LSUIT_BASE)
#endif

/* COSE_Sign, several signers in one structure (RFC 9052, section 4.1). */
#ifndef LSUIT_WITH_COSE_SIGN
#define LSUIT_WITH_COSE_SIGN (!LSUIT_BASE)
#endif

/* COSE_Mac0 with HMAC 256/256 (RFC 9052, section 6.2). */
#ifndef LSUIT_WITH_COSE_MAC0
#define LSUIT_WITH_COSE_MAC0 (!LSUIT_BASE)
#endif

/* Verifying HSS-LMS, by hashing alone (RFC 8554, RFC 8778). */
#ifndef LSUIT_WITH_HSS_LMS
#define LSUIT_WITH_HSS_LMS (!LSUIT_BASE)
#endif

/* Writing SUIT_Report (draft-ietf-suit-report). */
#ifndef LSUIT_WITH_REPORT
#define LSUIT_WITH_REPORT (!LSUIT_BASE)
#endif

/* Telling the platform of each command (struct lsuit_platform, trace). */
#ifndef LSUIT_WITH_TRACE
#define LSUIT_WITH_TRACE (!LSUIT_BASE)
#endif

/* Components in one manifest. 1 to 31. */
#ifndef LSUIT_MAX_COMPONENTS
#define LSUIT_MAX_COMPONENTS 4
#endif

/* Nested try-each and run-sequence, the section itself included. 2 to 16. */
#ifndef LSUIT_MAX_DEPTH
#define LSUIT_MAX_DEPTH 5
#endif

/* Manifests in a chain of dependencies, the outermost included. 1 to 8. */
#ifndef LSUIT_MAX_MANIFESTS
#define LSUIT_MAX_MANIFESTS 3
#endif

/* Authentication blocks looked at in one wrapper, each signature of a COSE_Sign counted. 1 to 32. */
#ifndef LSUIT_MAX_AUTH
#define LSUIT_MAX_AUTH 4
#endif

#if LSUIT_MAX_COMPONENTS < 1 || LSUIT_MAX_COMPONENTS > 31
#error "LSUIT_MAX_COMPONENTS: 1 to 31"
#endif
#if LSUIT_MAX_DEPTH < 2 || LSUIT_MAX_DEPTH > 16
#error "LSUIT_MAX_DEPTH: 2 to 16"
#endif
#if LSUIT_MAX_MANIFESTS < 1 || LSUIT_MAX_MANIFESTS > 8
#error "LSUIT_MAX_MANIFESTS: 1 to 8"
#endif
#if LSUIT_MAX_AUTH < 1 || LSUIT_MAX_AUTH > 32
#error "LSUIT_MAX_AUTH: 1 to 32"
#endif

#endif
