/*
 * Inside the command processor: what its files share. run.c has procedures and sequences,
 * run_params.c the parameters, run_command.c conditions and directives, run_update.c those of
 * update management, run_dependency.c those of trust domains.
 */
#ifndef LSUIT_SRC_RUN_H
#define LSUIT_SRC_RUN_H

#include "command.h"
#include "lsuit/suit_run.h"

/* One command on one component, and what it has to say to the trace. */
struct call {
    struct lsuit_run *run;
    uint32_t comp;  /* number in this run */
    uint32_t index; /* in the manifest in work */
    int32_t code;
#if LSUIT_WITH_TRACE
    struct lsuit_trace trace;
#endif
};

/* What the trace will say of the call. */
#if LSUIT_WITH_TRACE
#define TRACE_SET(k, field, value) ((void)((k)->trace.field = (value)))
#else
#define TRACE_SET(k, field, value) ((void)0)
#endif

/* --- run.c --- */

/* The manifest in work. */
static inline struct lsuit_level *lsuit_run_level(struct lsuit_run *run)
{
#if LSUIT_WITH_DEPENDENCIES
    return run->level;
#else
    return &run->root;
#endif
}

/* The sequence in work. */
struct lsuit_frame *lsuit_run_top(struct lsuit_run *run);

/* Number of the component with this index in the manifest in work. */
static inline uint32_t lsuit_run_number(struct lsuit_run *run, uint32_t index)
{
#if LSUIT_WITH_DEPENDENCIES
    return run->level->map[index];
#else
    (void)run;
    return index;
#endif
}

/* Note the fault; answers OUT_ABORT. */
enum outcome lsuit_run_fail(struct lsuit_run *run, enum lsuit_err err, int32_t code);
#ifdef LSUIT_NO_TEXT
#define lsuit_run_refuse(run, err, code, why) lsuit_run_fail(run, err, code)
#else
enum outcome lsuit_run_refuse(struct lsuit_run *run, enum lsuit_err err, int32_t code,
                              const char *why);
#endif

/* Begin the section in work in the manifest in work, its shared sequence first. */
enum outcome lsuit_run_section(struct lsuit_run *run);

/* The command in work is done for one component: to the next one, or to the next command. */
enum outcome lsuit_run_command_done(struct lsuit_run *run);

/* --- run_params.c --- */

/* set- and override-parameters, override-multiple, copy-params: `c` stands at the argument. */
enum outcome lsuit_run_parameters(struct lsuit_run *run, const struct lsuit_command_row *row,
                                  struct lsuit_cbor *c);

/* Values of the component that the call is about. */
bool lsuit_run_is_set(const struct call *k, enum lsuit_param_row param);
/* Of a byte or text string its content, of any other value its encoding; absent when not set. */
struct lsuit_bytes lsuit_run_bytes(const struct call *k, enum lsuit_param_row param);
/* UINT64_MAX when not set: no limit, no component, no slot. */
uint64_t lsuit_run_uint(const struct call *k, enum lsuit_param_row param);
/* alg 0 when not set. */
struct lsuit_digest lsuit_run_digest(const struct call *k);

/* The manifest in whose envelope a value stands. */
const struct lsuit_level *lsuit_run_home(const struct lsuit_run *run, const uint8_t *value);

/* --- run_command.c --- */

/* Carry out one condition or directive on the component at hand, or a piece of it. */
enum outcome lsuit_run_command(struct lsuit_run *run, const struct lsuit_command_row *row);

/* Ends of a call. The texts say what the processor itself found wrong, for the trace too. */
enum outcome lsuit_run_condition(struct call *k, bool holds);
#ifdef LSUIT_NO_TEXT
#define lsuit_run_fault(k, err, why) lsuit_run_fail((k)->run, err, (k)->code)
#else
enum outcome lsuit_run_fault(struct call *k, enum lsuit_err err, const char *why);
#endif
enum outcome lsuit_run_lacking(struct call *k);          /* the platform has no such function */
enum outcome lsuit_run_answer(struct call *k, int said); /* of the platform, to a directive */

/* Size of what the component holds; false when it is absent or can't be told. */
bool lsuit_run_size(const struct call *k, uint32_t comp, uint64_t *size_out);

/* In a dry run: is the component one that would be written? */
bool lsuit_run_unknown(const struct call *k, uint32_t comp);

/* The bytes of a component are about to change, or would in a dry run: OUT_DONE, or a fault. */
enum outcome lsuit_run_change(struct call *k, uint32_t comp);

/*
 * Read the next piece of the component back: run->offset of run->total. OUT_DONE with an absent
 * piece at the end; OUT_CONDITION when it can't be read.
 */
enum outcome lsuit_run_read(struct call *k, uint8_t *buf, size_t cap,
                            struct lsuit_bytes *piece_out);

enum outcome lsuit_do_identifier(struct call *k);  /* vendor, class, device */
enum outcome lsuit_do_image_match(struct call *k); /* and image-not-match */
enum outcome lsuit_do_slot(struct call *k);
enum outcome lsuit_do_abort(struct call *k);
enum outcome lsuit_do_fetch(struct call *k);
enum outcome lsuit_do_copy(struct call *k);
enum outcome lsuit_do_invoke(struct call *k);
enum outcome lsuit_do_check_content(struct call *k);
enum outcome lsuit_do_write(struct call *k);
enum outcome lsuit_do_swap(struct call *k);

/* --- run_update.c --- */

enum outcome lsuit_do_use_before(struct call *k);
enum outcome lsuit_do_minimum_battery(struct call *k);
enum outcome lsuit_do_update_authorized(struct call *k);
enum outcome lsuit_do_version(struct call *k);
enum outcome lsuit_do_wait(struct call *k);

/* --- run_dependency.c --- */

enum outcome lsuit_do_dependency_integrity(struct call *k);
enum outcome lsuit_do_is_dependency(struct call *k);
enum outcome lsuit_do_process_dependency(struct call *k);
enum outcome lsuit_do_unlink(struct call *k);
enum outcome lsuit_do_manifest_match(struct call *k); /* image-match of a dependency */

/* Is the component, by its index, a dependency of the manifest in work? */
bool lsuit_run_is_dependency(const struct call *k);

/* An integrated dependency is looked at before it is stored; the fault says what it is not. */
bool lsuit_run_is_envelope(struct lsuit_run *run, struct lsuit_bytes doc);

/* The dependency in work came to its end: back to its dependent. */
enum outcome lsuit_run_dependency_end(struct lsuit_run *run);

/* Is it the component of a dependency in work? */
bool lsuit_run_in_work(const struct lsuit_run *run, uint32_t comp);

/* The bytes of a component change: what was known of the manifest in it isn't any longer. */
void lsuit_run_dependency_changed(struct lsuit_run *run, uint32_t comp);

/* --- run_name.c --- */

/* "vendor-identifier", "install": names as in a trace; NULL when unknown or left out. */
const char *lsuit_run_command_name(int32_t code);
const char *lsuit_run_section_name(int32_t key);

#endif
