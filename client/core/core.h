/*
 * How the files of the core call each other. Downward in this list only, but for what `policy`
 * and `state` offer to all:
 *
 *   lapel.c   public functions; which piece of work is next
 *   init.c    a start
 *   self.c    the running image, looked at after a start
 *   apply.c   the release in hand, from its envelope to its confirmation
 *   check.c   check-in, answer, report
 *   fresh.c   statements, and the server that is static files
 *   erase.c   the server forgets this device
 *   trust.c   the trust set in force, its next step, the server's address
 *   fetch.c   envelope and payload over HTTP
 *   store.c   bytes into a slot
 *   state.c   the state and what a restart finds
 *   policy.c  the user: settings, gates, events
 *   journal.c sched.c http.c with http1.c or fetcher.c
 */
#ifndef LAPEL_CORE_H
#define LAPEL_CORE_H

#include "http.h"
#include "journal.h"
#include "lapel_context.h"
#include "lsuit/doc.h"
#include "sched.h"

struct lsuit_statement;
struct lsuit_verdict;

/* The next piece of work on the release in hand. */
enum work {
    WORK_NONE = 0,
    WORK_SELF,     /* is the running image still what was confirmed? */
    WORK_MANIFEST, /* fetch the envelope */
    WORK_VERIFY,   /* signature, sequence, whole check */
    WORK_DRY,      /* dry run of the update */
    WORK_DOWNLOAD_GATE,
    WORK_RUN,          /* WRITING: the update procedure */
    WORK_KEEP,         /* WRITING: the envelope goes into the slot's manifest area */
    WORK_INSTALL_GATE, /* CANDIDATE */
    WORK_STAGE,        /* STAGED: tell the boot loader */
    WORK_REBOOT_GATE,  /* STAGED: one more check-in, then ask */
    WORK_REBOOT,
    WORK_TRIAL,
    WORK_REJECT,  /* REJECTED: tell the boot loader */
    WORK_UNSTAGE, /* STAGED and given up */
    WORK_END,     /* the attempt ends as ctx->fail says */
    WORK_CLEAN    /* UPDATED or FAILED, next is READY */
};

/* As who it speaks to the server. */
enum identity { IDENTITY_TOKEN = 0, IDENTITY_TOKEN_NEXT, IDENTITY_NOBODY };

enum exchange {
    EXCHANGE_NONE = 0,
    EXCHANGE_CHECKIN,
    EXCHANGE_REPORT,
    EXCHANGE_STATEMENT, /* instead of a check-in: config.cdn */
    EXCHANGE_ERASE,
    EXCHANGE_MANIFEST,
    EXCHANGE_PAYLOAD,
    EXCHANGE_TRUST
};

/* Consecutive answers that make no sense before an attempt gives up. */
#define WORK_FAILS_MAX 5
/* How long to wait for a socket that has nothing, ms. */
#define SOCKET_WAIT_MS 5
/* First check-in in a trial and after its end: U(0, this), ms. */
#define SOON_MS 60000u
/* The check-in before the REBOOT gate is tried for so long, ms. */
#define RECHECK_MS 86400000u

static inline uint64_t now_ms(struct lapel *ctx)
{
    return ctx->port.sys->now_ms(ctx->port.ctx);
}

/* The release in hand came by lapel_apply. */
static inline bool is_offline(const struct lapel *ctx)
{
    return LAPEL_WITH_APPLY && ctx->offline;
}

/* The server is static files. */
static inline bool is_cdn(const struct lapel *ctx)
{
    return LAPEL_WITH_STATEMENTS && ctx->config->cdn;
}

/* lapel.c */
uint32_t lapel_core_chance(struct lapel *ctx);       /* 32 random bits */
uint32_t lapel_core_period(const struct lapel *ctx); /* ms, until the server says otherwise */
/* The release in hand is no more in hand; the state is not touched. */
void lapel_core_forget(struct lapel *ctx);
/* The connection and the exchange on it end. */
void lapel_core_close(struct lapel *ctx);
/* Count a security event of this class (enum lsuit_event_class) for the next check-in. */
void lapel_core_count(struct lapel *ctx, uint8_t class_);
/* Say why a fetch, copy or write fails; answers LSUIT_OP_FAIL. */
int lapel_core_fail(struct lapel *ctx, uint8_t stage, uint8_t class_, int32_t code);
/* Next check at the device's own pace. */
void lapel_core_plan(struct lapel *ctx);
/* Next check within U(0, within_ms), or within the time that a first check has if that is less. */
void lapel_core_soon(struct lapel *ctx, uint32_t within_ms);

/* apply.c */
enum lapel_err lapel_apply_step(struct lapel *ctx);
/* Take this release in hand, to be fetched. */
void lapel_apply_want(struct lapel *ctx, const struct lapel_pair *want);
/* Read the envelope of a slot's manifest area into memory; false when there is none that
 * verifies. The pair is filled when it is true. */
bool lapel_apply_from_slot(struct lapel *ctx, uint8_t slot, struct lapel_pair *pair_out);
/* The same for what events and gates say of this release after a restart: texts and priority as
 * signed. Nothing is in hand when the slot holds another one. */
void lapel_apply_recall(struct lapel *ctx, uint8_t slot, const struct lapel_pair *want);
/* End the attempt; the state follows when that could be stored. In READY: drop the offer. */
void lapel_apply_end(struct lapel *ctx, enum lapel_outcome_kind kind, uint8_t stage, uint8_t class_,
                     int32_t code);
enum lapel_err lapel_apply_confirm(struct lapel *ctx);
enum lapel_err lapel_apply_reject(struct lapel *ctx, uint8_t class_);
/* The security counter is at least that of the running image. */
void lapel_apply_raise_counter(struct lapel *ctx);
bool lapel_apply_blocked(const struct lapel *ctx, const struct lapel_pair *pair);
void lapel_apply_unblock(struct lapel *ctx, const struct lapel_pair *pair);
void lapel_apply_trial_failed(struct lapel *ctx, const struct lapel_pair *pair);
/* enum lsuit_class of what the codec refused */
uint8_t lapel_apply_class(enum lsuit_err e);

/* check.c */
enum lapel_err lapel_check_start(struct lapel *ctx);
static inline bool lapel_check_report_due(const struct lapel *ctx)
{
    const struct lapel_outcome *o = &ctx->rec.outcome;

    return LAPEL_WITH_REPORTS && !is_cdn(ctx) && !o->reported &&
           (o->kind == LAPEL_OUTCOME_FAILED || o->kind == LAPEL_OUTCOME_REVERTED);
}
enum lapel_err lapel_check_report_start(struct lapel *ctx);
enum lapel_err lapel_check_step(struct lapel *ctx);
struct lsuit_space lapel_check_space(const struct lapel *ctx);
/* Follow a verdict on our space; NULL: nothing. */
void lapel_check_verdict(struct lapel *ctx, const struct lsuit_verdict *v);

/* fresh.c */
void lapel_fresh_init(struct lapel *ctx);
void lapel_fresh_tick(struct lapel *ctx);
/* Until the tick has something to do, ms. */
uint64_t lapel_fresh_wait(const struct lapel *ctx);
/* For the check-in that is being written; absent when no proof is wanted. */
struct lsuit_bytes lapel_fresh_nonce(struct lapel *ctx);
/*
 * Take a signed statement. What it stops ends, what is refused is told and counted.
 *
 *   st  filled; it borrows from doc
 *
 * LSUIT_OK, or why it was refused: then nothing has changed
 */
enum lsuit_err lapel_fresh_take(struct lapel *ctx, struct lsuit_bytes doc,
                                struct lsuit_statement *st);
/* config.cdn: ask for the statement; and of one that was taken, follow what it offers. */
enum lapel_err lapel_fresh_start(struct lapel *ctx);
void lapel_fresh_choose(struct lapel *ctx, const struct lsuit_statement *st);

/* erase.c */
void lapel_erase_answer(struct lapel *ctx, struct lsuit_bytes nonce);
void lapel_erase_refused(struct lapel *ctx); /* the check-in that asked got a 401 */
static inline bool lapel_erase_due(const struct lapel *ctx, uint64_t now)
{
    return LAPEL_WITH_ERASE && ctx->erase == LAPEL_ERASE_BEGUN && now >= ctx->erase_at &&
           now >= ctx->not_before;
}
enum lapel_err lapel_erase_start(struct lapel *ctx);
void lapel_erase_ended(struct lapel *ctx);

/* trust.c */
/* At start, and when a step could not be stored: find the set in force. Uses memory.envelope.
 * False: the factory's set is none, or names a published key. */
bool lapel_trust_load(struct lapel *ctx);
/* The set in force is older than one that was held before. */
bool lapel_trust_behind(const struct lapel *ctx);
/* Is the envelope signed by whom the set in force, or the configuration, says? */
enum lsuit_err lapel_trust_verify(struct lapel *ctx, struct lsuit_envelope *envelope,
                                  struct lsuit_fault *fault);
/* The same for what runs already: a key of the factory's set is good too, revoked or not. */
enum lsuit_err lapel_trust_verify_running(struct lapel *ctx, struct lsuit_envelope *envelope,
                                          struct lsuit_fault *fault);
/* Is there a key that may sign statements and receipts? Verify one, as lsuit_doc_verify. */
bool lapel_trust_has_online(const struct lapel *ctx);
/* Did an online key of the set in force go with the next one? A frame of its own: it is large. */
bool lapel_trust_online_went(const struct lapel *ctx, const struct lsuit_trust *next);
enum lsuit_err lapel_trust_open(struct lapel *ctx, enum lsuit_doc kind, struct lsuit_bytes doc,
                                struct lsuit_bytes *payload_out);
/* Settle ctx->origin and tell the port; no connection may be open. */
void lapel_trust_locate(struct lapel *ctx);
/* A good answer came; running time passed without one. */
void lapel_trust_heard(struct lapel *ctx);
void lapel_trust_tick(struct lapel *ctx, uint64_t passed);
/* The newest version that an answer named, 0 for none. */
void lapel_trust_answer(struct lapel *ctx, uint32_t newest);
/* There is a step to be fetched; now. */
bool lapel_trust_wanted(const struct lapel *ctx);
bool lapel_trust_due(const struct lapel *ctx, uint64_t now);
void lapel_trust_step(struct lapel *ctx);

/* fetch.c */
/* One piece of a whole document into memory.envelope. HTTP_END: it is there; HTTP_HEAD: the status
 * is no 200; HTTP_LIMIT: also when it is larger than memory.envelope. */
enum http_result lapel_fetch_document(struct lapel *ctx);
/* One piece; LSUIT_OP_DONE: memory.envelope holds ctx->envelope_n bytes. */
int lapel_fetch_manifest(struct lapel *ctx);
/* The platform's fetch for a payload by its uri, as suit_run.h says. */
int lapel_fetch_payload(struct lapel *ctx, struct lsuit_bytes uri);
/* 2n lower-case hex digits. */
void lapel_fetch_hex(const uint8_t *bytes, size_t n, uint8_t *hex);
/* Begin an exchange, with the token where it may be sent. HTTP_LIMIT: it doesn't fit. */
enum http_result lapel_fetch_ask(struct lapel *ctx, enum exchange exchange,
                                 struct lapel_request *request);
/* 401: count it, tell it, and be somebody else next time: the second token, then nobody where that
 * is allowed, then the first again. */
void lapel_fetch_unauthorised(struct lapel *ctx);
/* Wait as a status or an error demands: Retry-After, or back-off by *fails. Ends the exchange. */
void lapel_fetch_later(struct lapel *ctx, uint64_t *at, uint8_t *fails);

/* store.c: AGAIN, DONE or FAIL as in suit_run.h */
int lapel_store_open(struct lapel *ctx, uint8_t component, uint64_t total);
/* Take up to n bytes; *used_out of them were written (0: call again). Only the last bytes of the
 * component may be no multiple of the write size. */
int lapel_store_put(struct lapel *ctx, const uint8_t *buf, size_t n, size_t *used_out);
int lapel_store_done(struct lapel *ctx);
void lapel_store_rewind(struct lapel *ctx); /* begin again at offset 0 */

/* state.c */
/* Store, then be. LAPEL_ERR_NV: nothing has changed. */
enum lapel_err lapel_state_set(struct lapel *ctx, enum lapel_state state);
/* The outcome of the attempt in the record. */
void lapel_state_outcome(struct lapel_record *r, const struct lapel_fail *how);
/* At start: hold the journal against the boot loader's word. */
enum lapel_err lapel_state_settle(struct lapel *ctx);

/* self.c */
/* At start, in READY: begin to look at the running image. */
void lapel_self_start(struct lapel *ctx);
/* One piece of it. */
void lapel_self_step(struct lapel *ctx);
/* Something else is taken in hand. */
void lapel_self_end(struct lapel *ctx);

/* policy.c */
void lapel_policy_tick(struct lapel *ctx);
/* Does the user let this release go on, his postponement included? */
bool lapel_policy_permits(struct lapel *ctx);
/* Ask at a gate: LAPEL_ALLOW, LAPEL_WAIT (ctx->wait_ms is set) or LAPEL_DENY. */
enum lapel_verdict lapel_policy_gate(struct lapel *ctx, enum lapel_gate gate);
/* Tell; `event` has what goes beyond id, state and offer, and may be NULL. */
void lapel_policy_tell(struct lapel *ctx, enum lapel_event_id id, struct lapel_event *event);
/* The same once for the release in hand. */
void lapel_policy_tell_once(struct lapel *ctx, enum lapel_event_id id, struct lapel_event *event);
void lapel_policy_support(struct lapel *ctx);
/* A release is in hand: the budget of postponing is its own. */
void lapel_policy_release(struct lapel *ctx, const struct lapel_pair *pair);

#endif
