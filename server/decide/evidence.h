/*
 * What the outcomes of a rollout say, read so that one may look as often as one likes. Pure:
 * counts in, a verdict out. EVIDENCE.md explains the method to an operator.
 *
 *   (1) A release whose devices fail at most `tolerate` more often than devices that were not
 *       offered it, and at most `limit` in all, is halted with a chance of at most 1 / halt_at,
 *       over its whole life and however often this is asked.
 *   (2) A release that fails at least `doubt` more often passes a gate that asks for evidence
 *       with a chance of at most 1 / advance_at.
 *   (3) Only devices that started in the same hour are compared, within one stratum.
 *   (4) The same cells in the same order give the same verdict, to the last bit on one machine.
 *
 * The method: a product of likelihood ratios against the nearest distribution that is harmless
 * (an e-process, Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample
 * tests that allow for optional stopping", 2021). Ville's inequality gives (1) and (2).
 */
#ifndef DECIDE_EVIDENCE_H
#define DECIDE_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

enum { EVIDENCE_STRATA = 16, EVIDENCE_BETS = 6, EVIDENCE_DOUBTS = 2 };

/* The shares are of devices that started. */
struct evidence_rules {
    double tolerate;   /* excess over the hold-out that is no reason to halt */
    double doubt;      /* excess that must be excluded before a wave is left */
    double limit;      /* failures that halt whatever the hold-out does */
    double halt_at;    /* wealth that halts: 1 / alpha */
    double advance_at; /* wealth that lets a wave be left */
};

/* 0.25 %, 1.5 %, 10 %, 100, 20. */
extern const struct evidence_rules EVIDENCE_RULES;

enum evidence_horizon {
    EVIDENCE_STARTED, /* starts and explicit failures as they come; such cells add up */
    EVIDENCE_NEXT,    /* judged once, when the next check-in is overdue */
    EVIDENCE_LATE     /* judged once more, days later: weekends are over */
};

/* Of the devices of one stratum that started in one hour. */
struct evidence_cell {
    enum evidence_horizon horizon;
    unsigned
        stratum;     /* class and hardware revision, numbered by the caller; the last is "others" */
    int64_t started; /* with EVIDENCE_STARTED only */
    int64_t confirmed, failed, reverted;
    int64_t silent;    /* not heard of when the next check-in was overdue */
    int64_t postponed; /* heard of, neither success nor failure: by the user, or at work still */
    int64_t control;   /* devices not offered whose check-in fell in that hour */
    int64_t control_silent;
};

/* One comparison with the hold-out, at one horizon. */
struct evidence_pair {
    int64_t judged, bad, control, control_bad;
    double background;          /* the hold-out's share, as lately seen */
    double halt[EVIDENCE_BETS]; /* logarithm of the wealth of each bet */
    double advance[EVIDENCE_DOUBTS];
};

struct evidence_stratum {
    int64_t started, failed, reverted;
    int64_t lost; /* silent at EVIDENCE_LATE */
    struct evidence_pair next, late;
};

/* Everything that is known; zero is "nothing yet". */
struct evidence {
    struct evidence_stratum strata[EVIDENCE_STRATA];
    double proof; /* the most that log_advance ever was: what was shown once stays shown */
};

/* Take a cell in. Cells of NEXT and LATE by rising hour. */
void evidence_add(struct evidence *ev, const struct evidence_rules *rules,
                  const struct evidence_cell *cell);

enum evidence_cause {
    EVIDENCE_BY_EXCESS,   /* more often than the hold-out */
    EVIDENCE_BY_FAILURES, /* explicit failures, which a hold-out can't have */
    EVIDENCE_BY_LIMIT     /* the absolute limit */
};

struct evidence_verdict {
    bool halt;          /* harmful, beyond the chance of (1) */
    bool harmless;      /* the excess is below `doubt`, beyond the chance of (2) */
    bool suspect;       /* it looks more like `doubt` than like harmless, by advance_at */
    double log_halt;    /* logarithm of the wealth against "harmless" */
    double log_advance; /* and against "harmful" */
    int stratum;        /* that speaks most for halting; -1: all together */
    enum evidence_cause cause;
    int64_t started, failed, reverted;
    int64_t judged, bad; /* at the next expected check-in */
    int64_t control, control_bad;
};

/* One stratum for itself, corrected for there being EVIDENCE_STRATA that one could look at. */
struct evidence_suspect {
    int stratum;
    double log_harmful; /* logarithm of the wealth, divided by the number of strata */
    int64_t started, failed, reverted, judged, bad;
};

/*
 * The strata that speak against the release by more than advance_at to 1, the worst first. Like
 * the verdict it may be asked for as often as one likes.
 *
 *   list_out  room for EVIDENCE_STRATA
 *
 * Returns how many.
 */
int evidence_suspects(const struct evidence *ev, const struct evidence_rules *rules,
                      struct evidence_suspect *list_out);

struct evidence_verdict evidence_decide(const struct evidence *ev,
                                        const struct evidence_rules *rules);

/* --- Gates --- */

/* A fleet so small is looked at device by device. */
enum { GATE_TINY = 50 };

/* A wave of fewer devices can't exclude `doubt`; it is left when all were judged and none spoke. */
enum { GATE_TELLING = 2000 };

struct gate {
    int64_t fleet;
    int64_t members; /* of all open waves */
    int64_t confirmed;
    bool heard;      /* each stratum has its minimum judged */
    bool soaked;     /* the soak of this wave is over */
    bool settled;    /* every member had its time to start and to be judged */
    bool exhausted;  /* the longest a gate waits is over */
    int64_t excused; /* tiny fleets: devices that a person named as exceptions */
};

enum gate_kind { GATE_WAIT, GATE_ADVANCE, GATE_HOLD, GATE_HALT };

enum gate_reason {
    GATE_SOAKS,
    GATE_UNHEARD,      /* too few are judged, or not all of a small wave */
    GATE_PROVEN,       /* harm is excluded */
    GATE_NO_OBJECTION, /* too few to exclude it; all were judged and nothing speaks against it */
    GATE_ALL_WELL,     /* tiny: every device confirmed, or is excused */
    GATE_REVERTED,     /* tiny: one went back, a person must look */
    GATE_MISSING,      /* tiny: some are not confirmed after the longest wait */
    GATE_UNDECIDED,    /* neither harm nor harmlessness was shown in the longest wait */
    GATE_HARMFUL
};

struct gate_verdict {
    enum gate_kind kind;
    enum gate_reason reason;
};

/* May the wave that is open be left? */
struct gate_verdict gate_decide(const struct evidence_verdict *seen, const struct gate *gate);

#endif
