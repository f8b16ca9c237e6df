/*
 * Build-time choices of liblapel. Define any of these before the build (-D or a file named by
 * LAPEL_CONFIG_FILE); what is out of range stops the build. The library and all that includes
 * its headers must be built with the same choices.
 */
#ifndef LAPEL_CONFIG_H
#define LAPEL_CONFIG_H

#ifdef LAPEL_CONFIG_FILE
#include LAPEL_CONFIG_FILE
#endif

/* --- what is built in: 1 yes, 0 no. README.md has what each costs ---------------------------- */

/* LAPEL_MINIMAL=1 leaves out all of these but what is chosen by name. What is left is a device that
 * updates itself over a fetcher of the platform. */
#ifndef LAPEL_MINIMAL
#define LAPEL_MINIMAL 0
#endif

/* HTTP/1.1 over four socket functions. 0: struct lapel_net is a fetcher of the platform. */
#ifndef LAPEL_WITH_HTTP1
#define LAPEL_WITH_HTTP1 (!LAPEL_MINIMAL)
#endif

/* An http:// server, for payloads or for tests. 0: a base URL without TLS is refused. */
#ifndef LAPEL_WITH_CLEAR
#define LAPEL_WITH_CLEAR (!LAPEL_MINIMAL)
#endif

/* POST /v1/reports at once. 0: a failure is told by the next check-in. */
#ifndef LAPEL_WITH_REPORTS
#define LAPEL_WITH_REPORTS (!LAPEL_MINIMAL)
#endif

/* The counts of security events in each check-in. 0: they are told to the policy only. */
#ifndef LAPEL_WITH_EVENTS
#define LAPEL_WITH_EVENTS (!LAPEL_MINIMAL)
#endif

/* lapel_fault: what a crash left goes with the next check-in. */
#ifndef LAPEL_WITH_FAULT
#define LAPEL_WITH_FAULT (!LAPEL_MINIMAL)
#endif

/* The running image is held against its manifest after each start. 0: the boot loader does it. */
#ifndef LAPEL_WITH_SELF
#define LAPEL_WITH_SELF (!LAPEL_MINIMAL)
#endif

/* The signed text of a release in struct lapel_offer. 0: its texts are absent, and it disrupts. */
#ifndef LAPEL_WITH_TEXT
#define LAPEL_WITH_TEXT (!LAPEL_MINIMAL)
#endif

/* lapel_user_set and lapel_postpone. 0: every choice is unset, which means on; the gates of
 * struct lapel_policy are the product's way to ask its user. */
#ifndef LAPEL_WITH_SETTINGS
#define LAPEL_WITH_SETTINGS (!LAPEL_MINIMAL)
#endif

/* lapel_apply: a file at the device. 0: it answers LAPEL_ERR_STATE. */
#ifndef LAPEL_WITH_APPLY
#define LAPEL_WITH_APPLY (!LAPEL_MINIMAL)
#endif

/* The support end and page that an answer brings, and LAPEL_EVENT_SUPPORT_ENDING. */
#ifndef LAPEL_WITH_SUPPORT
#define LAPEL_WITH_SUPPORT (!LAPEL_MINIMAL)
#endif

/* Freshness statements, LAPEL_EVENT_STALE, and config.cdn. */
#ifndef LAPEL_WITH_STATEMENTS
#define LAPEL_WITH_STATEMENTS (!LAPEL_MINIMAL)
#endif

/* Trust sets that replace keys, anchors and base URLs. 0: those of struct lapel_config hold. */
#ifndef LAPEL_WITH_TRUST
#define LAPEL_WITH_TRUST (!LAPEL_MINIMAL)
#endif

/* Asking the server to erase what it knows of this device, and its receipt. */
#ifndef LAPEL_WITH_ERASE
#define LAPEL_WITH_ERASE (!LAPEL_MINIMAL)
#endif

/* The sentences of lapel_init_why. 0: it answers "". */
#ifndef LAPEL_WITH_WHY
#define LAPEL_WITH_WHY (!LAPEL_MINIMAL)
#endif

/* --- times and limits -------------------------------------------------------------------------- */

/* Longest response header block and longest check-in or answer, bytes. 512 to 4096. Sets the
 * smallest io buffer at lapel_init. */
#ifndef LAPEL_IO_MIN
#define LAPEL_IO_MIN 1024
#endif

/* First check after boot is spread over U(0, this), ms. Provision 5.3-5, 5.9-3. 0 to 1 day. */
#ifndef LAPEL_FIRST_CHECK_MS
#define LAPEL_FIRST_CHECK_MS 300000
#endif

/* Period between checks until the server says otherwise, ms. 30 s to 7 days. */
#ifndef LAPEL_PERIOD_MS
#define LAPEL_PERIOD_MS 86400000
#endif

/* Share of the period that is drawn anew each time, per cent. 0 to 50. */
#ifndef LAPEL_JITTER_PERCENT
#define LAPEL_JITTER_PERCENT 10
#endif

/* First back-off after an error and its ceiling, ms; full jitter between. 1 s to 1 h, the ceiling
 * not below the first. */
#ifndef LAPEL_BACKOFF_MIN_MS
#define LAPEL_BACKOFF_MIN_MS 5000
#endif
#ifndef LAPEL_BACKOFF_MAX_MS
#define LAPEL_BACKOFF_MAX_MS 3600000
#endif

/* How long one exchange may take without a byte moving, ms. 1 s to 10 min. */
#ifndef LAPEL_IDLE_TIMEOUT_MS
#define LAPEL_IDLE_TIMEOUT_MS 30000
#endif

/* How often in a day of running time a component is erased from its begin for one and the same
 * release; then it waits. 1 to 1000. */
#ifndef LAPEL_BEGINS_PER_DAY
#define LAPEL_BEGINS_PER_DAY 16
#endif

/* How long one exchange may take in all, ms; a payload's, how long it may keep a check-in waiting
 * that is due (it goes on behind it). 10 s to 1 h. */
#ifndef LAPEL_EXCHANGE_MS
#define LAPEL_EXCHANGE_MS 300000
#endif

/* Trials that fail before (digest, sequence) is blocked. 1 to 10. */
#ifndef LAPEL_TRIALS
#define LAPEL_TRIALS 3
#endif

/* A trial must be confirmed within this much time with the network up, ms. 1 min to 1 day. */
#ifndef LAPEL_TRIAL_MS
#define LAPEL_TRIAL_MS 1800000
#endif

/* What an unset user choice means until the user chooses: 1 on, 0 off. Provision 5.3-6. */
#ifndef LAPEL_UNSET_MEANS_ON
#define LAPEL_UNSET_MEANS_ON 1
#endif

/* Running time without a good answer after which the next base URL is tried, hours. 24 to 8760. */
#ifndef LAPEL_SILENCE_H
#define LAPEL_SILENCE_H 720
#endif

/* Longest postponement in all for one release, ms. 0 to 30 days. */
#ifndef LAPEL_POSTPONE_BUDGET_MS
#define LAPEL_POSTPONE_BUDGET_MS 604800000
#endif

/* Running time without a fresh statement until "stale", before any statement said so, s. 1 hour to
 * 1 year. */
#ifndef LAPEL_STALE_AFTER_S
#define LAPEL_STALE_AFTER_S 604800
#endif

/* Room in memory.support_url: the longest address of a support page, with its NUL. A longer one is
 * not kept. 32 to 256. */
#ifndef LAPEL_SUPPORT_URL_SIZE
#define LAPEL_SUPPORT_URL_SIZE 201
#endif

/* --- what is out of range ----------------------------------------------------------------------- */

#if (LAPEL_WITH_HTTP1 | LAPEL_WITH_CLEAR | LAPEL_WITH_REPORTS | LAPEL_WITH_EVENTS |     \
     LAPEL_WITH_SELF | LAPEL_WITH_FAULT | LAPEL_WITH_TEXT | LAPEL_WITH_SETTINGS |       \
     LAPEL_WITH_APPLY | LAPEL_WITH_SUPPORT | LAPEL_WITH_STATEMENTS | LAPEL_WITH_TRUST | \
     LAPEL_WITH_ERASE | LAPEL_WITH_WHY | LAPEL_MINIMAL | LAPEL_UNSET_MEANS_ON) &        \
    ~1
#error "LAPEL_WITH_..., LAPEL_MINIMAL, LAPEL_UNSET_MEANS_ON: 0 or 1"
#endif
#if !LAPEL_UNSET_MEANS_ON && !LAPEL_WITH_SETTINGS
#error "LAPEL_UNSET_MEANS_ON=0 without LAPEL_WITH_SETTINGS: nobody could ever say yes"
#endif
#if LAPEL_IO_MIN < 512 || LAPEL_IO_MIN > 4096
#error "LAPEL_IO_MIN: 512 to 4096"
#endif
#if LAPEL_FIRST_CHECK_MS < 0 || LAPEL_FIRST_CHECK_MS > 86400000
#error "LAPEL_FIRST_CHECK_MS: 0 to 1 day"
#endif
#if LAPEL_PERIOD_MS < 30000 || LAPEL_PERIOD_MS > 604800000
#error "LAPEL_PERIOD_MS: 30 s to 7 days"
#endif
#if LAPEL_JITTER_PERCENT < 0 || LAPEL_JITTER_PERCENT > 50
#error "LAPEL_JITTER_PERCENT: 0 to 50"
#endif
#if LAPEL_BACKOFF_MIN_MS < 1000 || LAPEL_BACKOFF_MAX_MS < LAPEL_BACKOFF_MIN_MS || \
    LAPEL_BACKOFF_MAX_MS > 3600000
#error "LAPEL_BACKOFF_MIN_MS, LAPEL_BACKOFF_MAX_MS: 1 s to 1 h, in this order"
#endif
#if LAPEL_IDLE_TIMEOUT_MS < 1000 || LAPEL_IDLE_TIMEOUT_MS > 600000
#error "LAPEL_IDLE_TIMEOUT_MS: 1 s to 10 min"
#endif
#if LAPEL_BEGINS_PER_DAY < 1 || LAPEL_BEGINS_PER_DAY > 1000
#error "LAPEL_BEGINS_PER_DAY: 1 to 1000"
#endif
#if LAPEL_EXCHANGE_MS < 10000 || LAPEL_EXCHANGE_MS > 3600000
#error "LAPEL_EXCHANGE_MS: 10 s to 1 h"
#endif
#if LAPEL_SILENCE_H < 24 || LAPEL_SILENCE_H > 8760
#error "LAPEL_SILENCE_H: 24 to 8760"
#endif
#if LAPEL_TRIALS < 1 || LAPEL_TRIALS > 10
#error "LAPEL_TRIALS: 1 to 10"
#endif
#if LAPEL_TRIAL_MS < 60000 || LAPEL_TRIAL_MS > 86400000
#error "LAPEL_TRIAL_MS: 1 min to 1 day"
#endif
#if LAPEL_POSTPONE_BUDGET_MS < 0 || LAPEL_POSTPONE_BUDGET_MS > 2592000000
#error "LAPEL_POSTPONE_BUDGET_MS: 0 to 30 days"
#endif
#if LAPEL_STALE_AFTER_S < 3600 || LAPEL_STALE_AFTER_S > 31536000
#error "LAPEL_STALE_AFTER_S: 1 h to 1 year"
#endif
#if LAPEL_SUPPORT_URL_SIZE < 32 || LAPEL_SUPPORT_URL_SIZE > 256
#error "LAPEL_SUPPORT_URL_SIZE: 32 to 256"
#endif

#endif
