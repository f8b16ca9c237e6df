/*
 * Build-time choices of liblapel. Define any of these before the build (-D or a file named by
 * LAPEL_CONFIG_FILE); what is out of range stops the build.
 */
#ifndef LAPEL_CONFIG_H
#define LAPEL_CONFIG_H

#ifdef LAPEL_CONFIG_FILE
#include LAPEL_CONFIG_FILE
#endif

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

/* First back-off after an error and its ceiling, ms; full jitter between. */
#ifndef LAPEL_BACKOFF_MIN_MS
#define LAPEL_BACKOFF_MIN_MS 5000
#endif
#ifndef LAPEL_BACKOFF_MAX_MS
#define LAPEL_BACKOFF_MAX_MS 3600000
#endif

/* How long one exchange may take without a byte moving, ms. */
#ifndef LAPEL_IDLE_TIMEOUT_MS
#define LAPEL_IDLE_TIMEOUT_MS 30000
#endif

/* Trials that fail before (digest, sequence) is blocked. 1 to 10. */
#ifndef LAPEL_TRIALS
#define LAPEL_TRIALS 3
#endif

/* A trial must be confirmed within this much time with the network up, ms. */
#ifndef LAPEL_TRIAL_MS
#define LAPEL_TRIAL_MS 1800000
#endif

/* What an unset user choice means until the user chooses: 1 on, 0 off. Provision 5.3-6. */
#ifndef LAPEL_UNSET_MEANS_ON
#define LAPEL_UNSET_MEANS_ON 1
#endif

/* Longest postponement in all for one release, ms. */
#ifndef LAPEL_POSTPONE_BUDGET_MS
#define LAPEL_POSTPONE_BUDGET_MS 604800000
#endif

/* Running time without a fresh statement until "stale", before any statement said so, s. */
#ifndef LAPEL_STALE_AFTER_S
#define LAPEL_STALE_AFTER_S 604800
#endif

/* Longest address of a support page, with its NUL; a longer one is not kept. 1 keeps none. */
#ifndef LAPEL_SUPPORT_URL_SIZE
#define LAPEL_SUPPORT_URL_SIZE 201
#endif

#if LAPEL_SUPPORT_URL_SIZE < 1
#error "LAPEL_SUPPORT_URL_SIZE: at least 1"
#endif
#if LAPEL_IO_MIN < 512 || LAPEL_IO_MIN > 4096
#error "LAPEL_IO_MIN: 512 to 4096"
#endif
#if LAPEL_JITTER_PERCENT < 0 || LAPEL_JITTER_PERCENT > 50
#error "LAPEL_JITTER_PERCENT: 0 to 50"
#endif
#if LAPEL_PERIOD_MS < 30000 || LAPEL_PERIOD_MS > 604800000
#error "LAPEL_PERIOD_MS: 30 s to 7 days"
#endif
#if LAPEL_TRIALS < 1 || LAPEL_TRIALS > 10
#error "LAPEL_TRIALS: 1 to 10"
#endif

#endif
