/* Who gets what, when waves open, how attempts count, which numbers are taken: tables. */

#include "check.h"
#include "decide/rollout.h"
#include "lsuit/doc.h"

static uint8_t DIGEST[4][32]; /* number n has digest n, but for 3, which stands for a clash */

/* clang-format off */
enum { OPEN = RELEASE_OPEN, HELD = RELEASE_HELD, HALTED = RELEASE_HALTED, GONE = RELEASE_WITHDRAWN };
enum { NONE = WORK_NONE, OFFERED = WORK_OFFERED, FETCHING = WORK_FETCHING, FAILED = WORK_FAILED,
       CANCELLED = WORK_CANCELLED, DONE = WORK_INSTALLED, KEPT = 16 /* and on hold */ };
enum { NOTHING = ROLLOUT_NOTHING, OFFER = ROLLOUT_OFFER, WAIT = ROLLOUT_WAIT, WITHDRAW = ROLLOUT_WITHDRAW };

struct rel { int number; int state; bool in; int work; };
static const struct {
  const char *name;
  int runs; bool trial; bool busy;
  struct rel r[3];                                  /* by falling number; 0 ends */
  int want; int reason; int which;                  /* number of the release */
} ROWS[] = {
  { "no release",                 1, 0, 0, {{0}},                                             NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
  { "new and in",                 1, 0, 0, {{2,OPEN,1,NONE}},                                 OFFER,    ROLLOUT_IN, 2 },
  { "new, its wave not open",     1, 0, 0, {{2,OPEN,0,NONE}},                                 NOTHING,  ROLLOUT_NOT_IN, 0 },
  { "up to date",                 2, 0, 0, {{2,OPEN,1,NONE}},                                 NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
  { "installed before, lower now",1, 0, 0, {{2,OPEN,1,DONE}},                                 OFFER,    ROLLOUT_IN, 2 },
  { "ahead of all",               3, 0, 0, {{2,OPEN,1,NONE}},                                 NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
  { "its number, other digest",   3, 0, 0, {{3,OPEN,1,NONE}},                                 NOTHING,  ROLLOUT_CLASH, 0 },
  { "the higher of two",          0, 0, 0, {{2,OPEN,1,NONE},{1,OPEN,1,NONE}},                 OFFER,    ROLLOUT_IN, 2 },
  { "the lower while not in",     0, 0, 0, {{2,OPEN,0,NONE},{1,OPEN,1,NONE}},                 OFFER,    ROLLOUT_IN, 1 },
  { "offered stays offered",      1, 0, 0, {{2,OPEN,0,OFFERED}},                              OFFER,    ROLLOUT_IN, 2 },
  { "failed tries again",         1, 0, 0, {{2,OPEN,1,FAILED}},                               OFFER,    ROLLOUT_IN, 2 },
  { "another space has the offer",1, 0, 1, {{2,OPEN,1,NONE}},                                 WAIT,     ROLLOUT_IN, 2 },
  { "on trial of the newest",     2, 1, 0, {{2,OPEN,1,FETCHING}},                             NOTHING,  ROLLOUT_ON_TRIAL, 0 },
  { "held: nobody new",           1, 0, 0, {{2,HELD,1,NONE}},                                 WAIT,     ROLLOUT_IS_HELD, 2 },
  { "held: not meant for it",     1, 0, 0, {{2,HELD,0,NONE}},                                 NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
  { "held: offered goes on",      1, 0, 0, {{2,HELD,1,OFFERED}},                              OFFER,    ROLLOUT_IN, 2 },
  { "held: fetching goes on",     1, 0, 0, {{2,HELD,1,FETCHING}},                             OFFER,    ROLLOUT_IN, 2 },
  { "held: failed starts no more",1, 0, 0, {{2,HELD,1,FAILED}},                               WAIT,     ROLLOUT_IS_HELD, 2 },
  { "held, an older one is there",0, 0, 0, {{2,HELD,1,NONE},{1,OPEN,1,NONE}},                 OFFER,    ROLLOUT_IN, 1 },
  { "halted: nobody new",         1, 0, 0, {{2,HALTED,1,NONE}},                               NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
  { "halted: offered stops",      1, 0, 0, {{2,HALTED,1,OFFERED}},                            WITHDRAW, ROLLOUT_IS_HALTED, 2 },
  { "halted: fetching stops",     1, 0, 0, {{2,HALTED,1,FETCHING}},                           WITHDRAW, ROLLOUT_IS_HALTED, 2 },
  { "halted: told again",         1, 0, 0, {{2,HALTED,1,CANCELLED}},                          WITHDRAW, ROLLOUT_IS_HALTED, 2 },
  { "halted: it failed anyway",   1, 0, 0, {{2,HALTED,1,FAILED}},                             NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
  { "withdrawn: offered stops",   1, 0, 0, {{2,GONE,1,OFFERED}},                              WITHDRAW, ROLLOUT_IS_HALTED, 2 },
  { "withdrawn: nobody new",      1, 0, 0, {{2,GONE,1,NONE}},                                 NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
  { "resumed after a cancel",     1, 0, 0, {{2,OPEN,1,CANCELLED}},                            OFFER,    ROLLOUT_IN, 2 },
  { "stop before a better offer", 0, 0, 0, {{2,OPEN,1,NONE},{1,HALTED,1,OFFERED}},            WITHDRAW, ROLLOUT_IS_HALTED, 1 },
  { "then the better offer",      0, 0, 0, {{2,OPEN,1,NONE},{1,HALTED,1,CANCELLED}},          OFFER,    ROLLOUT_IN, 2 },
  { "it runs the halted one",     2, 0, 0, {{2,HALTED,1,FETCHING}},                           NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
  { "stop while another is busy", 1, 0, 1, {{2,HALTED,1,OFFERED}},                            WITHDRAW, ROLLOUT_IS_HALTED, 2 },
  { "on hold: nobody new",        1, 0, 0, {{2,OPEN,1,NONE|KEPT}},                               NOTHING,  ROLLOUT_ON_HOLD, 0 },
  { "on hold: offered goes on",   1, 0, 0, {{2,OPEN,1,OFFERED|KEPT}},                            OFFER,    ROLLOUT_IN, 2 },
  { "on hold: fetching goes on",  1, 0, 0, {{2,OPEN,1,FETCHING|KEPT}},                           OFFER,    ROLLOUT_IN, 2 },
  { "on hold: failed, no more",   1, 0, 0, {{2,OPEN,1,FAILED|KEPT}},                             NOTHING,  ROLLOUT_ON_HOLD, 0 },
  { "on hold, an older is there", 0, 0, 0, {{2,OPEN,1,NONE|KEPT},{1,OPEN,1,NONE}},               OFFER,    ROLLOUT_IN, 1 },
  { "on hold, its wave not open", 1, 0, 0, {{2,OPEN,0,NONE|KEPT}},                               NOTHING,  ROLLOUT_NOT_IN, 0 },
  { "on hold and held",           1, 0, 0, {{2,HELD,1,NONE|KEPT}},                               WAIT,     ROLLOUT_IS_HELD, 2 },
  { "on hold: a halt stops it",   1, 0, 0, {{2,HALTED,1,OFFERED|KEPT}},                          WITHDRAW, ROLLOUT_IS_HALTED, 2 },
  { "never below what it runs",   2, 0, 0, {{1,OPEN,1,OFFERED}},                              NOTHING,  ROLLOUT_UP_TO_DATE, 0 },
};

#define MIN 60000
static const struct {
  const char *name;
  struct rollout_wave w[3]; size_t n;
  int state; int64_t now;
  bool open; bool complete; size_t wave; int wait;
} WAVE_ROWS[] = {
  { "the first opens at once",  {{MIN,0,0,0},{0,0,0,0}}, 2,                 OPEN, 1000,        1, 0, 0, WAVE_NO_WAIT },
  { "not while held",           {{MIN,0,0,0}}, 1,                           HELD, 1000,        0, 0, 0, WAVE_WANTS_RESUME },
  { "soaks",                    {{MIN,0,1000,0},{0,0,0,0}}, 2,              OPEN, 1000+MIN-1,  0, 0, 1, WAVE_SOAKS },
  { "soaked",                   {{MIN,0,1000,0},{0,0,0,0}}, 2,              OPEN, 1000+MIN,    1, 0, 1, WAVE_NO_WAIT },
  { "no soak at all",           {{0,0,1000,0},{0,0,0,0}}, 2,                OPEN, 1000,        1, 0, 1, WAVE_NO_WAIT },
  { "soaked, but halted",       {{MIN,0,1000,0},{0,0,0,0}}, 2,              HALTED, 1000+MIN,  0, 0, 1, WAVE_WANTS_RESUME },
  { "soaked, wants a person",   {{MIN,1,1000,0},{0,0,0,0}}, 2,              OPEN, 1000+MIN,    0, 0, 1, WAVE_WANTS_APPROVAL },
  { "approved",                 {{MIN,1,1000,2000},{0,0,0,0}}, 2,           OPEN, 1000+MIN,    1, 0, 1, WAVE_NO_WAIT },
  { "approval is no shortcut",  {{MIN,1,1000,2000},{0,0,0,0}}, 2,           OPEN, 2000,        0, 0, 1, WAVE_SOAKS },
  { "the last one soaks",       {{0,0,1,0},{MIN,0,1000,0}}, 2,              OPEN, 1000,        0, 0, 2, WAVE_SOAKS },
  { "over",                     {{0,0,1,0},{MIN,0,1000,0}}, 2,              OPEN, 1000+MIN,    0, 1, 2, WAVE_NO_WAIT },
  { "the last gate is none",    {{MIN,1,1000,0}}, 1,                        OPEN, 1000+MIN,    0, 1, 1, WAVE_NO_WAIT },
  { "wants evidence",           {{MIN,2,1000,0},{0,0,0,0}}, 2,              OPEN, 1000+MIN,    0, 0, 1, WAVE_WANTS_EVIDENCE },
  { "proven",                   {{MIN,2,1000,2000},{0,0,0,0}}, 2,           OPEN, 1000+MIN,    1, 0, 1, WAVE_NO_WAIT },
  { "the clock went back",      {{MIN,0,100000,0},{0,0,0,0}}, 2,            OPEN, 1000,        0, 0, 1, WAVE_SOAKS },
};

static const struct { const char *name; double share; int64_t devices, fleet, want; } MEMBERS[] = {
  { "an empty fleet",        0.5,  3, 0,       0 },
  { "a half",                0.5,  0, 10,      5 },
  { "a part of a device",    0.01, 0, 10,      1 },
  { "the number is larger",  0.1,  5, 10,      5 },
  { "the share is larger",   0.5,  2, 10,      5 },
  { "more than there are",   0,   50, 10,     10 },
  { "all",                   1.0,  0, 1000000, 1000000 },
};

static const struct { const char *name; int before; uint32_t class_; int want; } OUTCOMES[] = {
  { "digest differs",            FETCHING,  LSUIT_CLASS_DIGEST_MISMATCH, FAILED },
  { "network",                   FETCHING,  LSUIT_CLASS_NETWORK,         FAILED },
  { "reverted",                  FETCHING,  LSUIT_CLASS_HEALTH,          FAILED },
  { "an unknown class",          FETCHING,  999,                         FAILED },
  { "the user said no",          OFFERED,   LSUIT_CLASS_USER_REFUSED,    OFFERED },
  { "no server in the trial",    FETCHING,  LSUIT_CLASS_NO_SERVER,       FETCHING },
  { "told to withdraw",          FETCHING,  LSUIT_CLASS_WITHDRAWN,       CANCELLED },
  { "no error is no success",    FETCHING,  LSUIT_CLASS_NONE,            FETCHING },
  { "success stays",             DONE,      LSUIT_CLASS_NETWORK,         DONE },
  { "failed after a cancel",     CANCELLED, LSUIT_CLASS_NETWORK,         CANCELLED },
  { "never offered",             NONE,      LSUIT_CLASS_NETWORK,         NONE },
};

static const struct { const char *name; uint32_t class_; int want; } BLAMES[] = {
  { "no error",                      LSUIT_CLASS_NONE,            WORK_WELL },
  { "the network isn't the release", LSUIT_CLASS_NETWORK,         WORK_WELL },
  { "nor is a refusing server",      LSUIT_CLASS_SERVER_REFUSED,  WORK_WELL },
  { "nor a token that is no good",   LSUIT_CLASS_UNAUTHORISED,    WORK_WELL },
  { "nor the user",                  LSUIT_CLASS_USER_REFUSED,    WORK_WELL },
  { "nor a withdrawal",              LSUIT_CLASS_WITHDRAWN,       WORK_WELL },
  { "nor a server that is missing",  LSUIT_CLASS_NO_SERVER,       WORK_WELL },
  { "not well in the trial",         LSUIT_CLASS_HEALTH,          WORK_REVERTED },
  { "another image than promised",   LSUIT_CLASS_DIGEST_MISMATCH, WORK_BROKE },
  { "a class that nobody knows yet", 999,                         WORK_BROKE },
};

static const struct { const char *name; uint64_t n; int digest; int taken; int64_t highest; int want; } NUMBERS[] = {
  { "the first",                     1,             1, 0, 0,  SEQUENCE_NEW },
  { "higher",                        20,            1, 0, 16, SEQUENCE_NEW },
  { "the same again",                16,            1, 1, 16, SEQUENCE_SAME },
  { "the same again, long after",    16,            1, 1, 99, SEQUENCE_SAME },
  { "taken",                         16,            2, 1, 16, SEQUENCE_TAKEN },
  { "lower than one offered",        15,            1, 0, 16, SEQUENCE_LOW },
  { "lower, taken",                  15,            2, 1, 16, SEQUENCE_TAKEN },
  { "lower than one not offered",    15,            1, 0, 0,  SEQUENCE_NEW },
  { "the highest there is",          INT64_MAX,     1, 0, 16, SEQUENCE_NEW },
  { "one more",                      1ull << 63,    1, 0, 16, SEQUENCE_HIGH },
  { "the most",                      UINT64_MAX,    1, 1, 16, SEQUENCE_HIGH },
};
/* clang-format on */

static void check_rollout(size_t row)
{
    struct rollout_release list[3];
    struct rollout_device d = { .sequence = ROWS[row].runs,
                                .digest = ROWS[row].runs > 0 ? DIGEST[ROWS[row].runs % 3] : NULL,
                                .trial = ROWS[row].trial };
    struct rollout_verdict v;
    size_t n = 0;

    while (n < 3 && ROWS[row].r[n].number != 0) {
        const struct rel *r = &ROWS[row].r[n];

        list[n++] = (struct rollout_release){ .id = r->number,
                                              .sequence = r->number,
                                              .digest = DIGEST[r->number],
                                              .state = (enum release_state)r->state,
                                              .in = r->in,
                                              .on_hold = (r->work & KEPT) != 0,
                                              .work = (enum work_state)(r->work & ~KEPT) };
    }
    check_case(ROWS[row].name);
    v = rollout_decide(&d, list, n, ROWS[row].busy);
    CHECK_INT(v.kind, ROWS[row].want);
    CHECK_INT(v.reason, ROWS[row].reason);
    if (v.kind != ROLLOUT_NOTHING)
        CHECK_INT(list[v.release].sequence, ROWS[row].which);
}

int main(void)
{
    for (int i = 0; i < 4; i++)
        memset(DIGEST[i], i, sizeof DIGEST[i]);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        check_rollout(i);
    for (size_t i = 0; i < sizeof WAVE_ROWS / sizeof *WAVE_ROWS; i++) {
        struct wave_verdict v =
            wave_decide(WAVE_ROWS[i].w, WAVE_ROWS[i].n, (enum release_state)WAVE_ROWS[i].state,
                        WAVE_ROWS[i].now);

        check_case(WAVE_ROWS[i].name);
        CHECK_INT(v.open, WAVE_ROWS[i].open);
        CHECK_INT(v.complete, WAVE_ROWS[i].complete);
        CHECK_INT((int64_t)v.wave, (int64_t)WAVE_ROWS[i].wave);
        CHECK_INT(v.wait, WAVE_ROWS[i].wait);
    }
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        check_case(MEMBERS[i].name);
        CHECK_INT(wave_members(MEMBERS[i].share, MEMBERS[i].devices, MEMBERS[i].fleet),
                  MEMBERS[i].want);
    }
    for (size_t i = 0; i < sizeof OUTCOMES / sizeof *OUTCOMES; i++) {
        check_case(OUTCOMES[i].name);
        CHECK_INT(outcome_decide((enum work_state)OUTCOMES[i].before, LSUIT_STAGE_FETCH,
                                 OUTCOMES[i].class_),
                  OUTCOMES[i].want);
    }
    for (size_t i = 0; i < sizeof BLAMES / sizeof *BLAMES; i++) {
        check_case(BLAMES[i].name);
        CHECK_INT(outcome_blame(BLAMES[i].class_), BLAMES[i].want);
    }
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        check_case(NUMBERS[i].name);
        CHECK_INT(sequence_decide(NUMBERS[i].n, DIGEST[NUMBERS[i].digest],
                                  NUMBERS[i].taken != 0 ? DIGEST[NUMBERS[i].taken] : NULL,
                                  NUMBERS[i].highest),
                  NUMBERS[i].want);
    }
    return check_done();
}
