/*
 * Looking at the outcomes of a rollout: count what became known, decide, keep what was used.
 *
 *   (1) Rows of evidence and decisions are only ever added; a later word is a later row.
 *   (2) A decision names how many rows it used. The same rows give it again (evidence_replay).
 *   (3) While the server was away no device could be heard of: judging waits as much longer.
 */
#ifndef ENGINE_EVIDENCE_H
#define ENGINE_EVIDENCE_H

#include "decide/evidence.h"
#include "engine/engine.h"
#include "store/evidence.h"

/* Has it a gate that asks for evidence? Only then it is watched. */
bool evidence_wanted(const struct rollout *r);

/* When it starts. `holdout` are the devices that are watched without it, by id. */
enum err evidence_begin(struct db *db, const struct rollout *r, int64_t now_ms);

/*
 * Look at every cell that is over, decide, store both, and do what was decided: open the gate
 * (wave.approved_ms), hold the release, or halt it. The rollout and release change with it.
 */
enum err evidence_look(struct engine *engine, struct db *db, int64_t now_ms, struct rollout *r,
                       struct release *release);

/* When the next look is due; INT64_MAX: never. */
enum err evidence_due(struct db *db, int32_t rollout, int64_t *due_ms_out);

/* Decide once more from the rows that this decision used. */
struct replay {
    struct evidence_verdict seen;
    struct gate_verdict gate;
    struct evidence_suspect suspects[EVIDENCE_STRATA]; /* the worst first */
    int suspects_n;
};
enum err evidence_replay(struct db *db, const struct decision *d, struct replay *replay_out);

/* "halt", "excess": for the audit, the API and people. */
const char *gate_kind_name(int kind);
const char *gate_reason_text(int reason);
const char *evidence_cause_text(enum evidence_cause cause);

#endif
