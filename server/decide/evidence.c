#include "decide/evidence.h"

#include <math.h>
#include <stddef.h>

const struct evidence_rules EVIDENCE_RULES = {
    .tolerate = 0.0025, .doubt = 0.015, .limit = 0.10, .halt_at = 100, .advance_at = 20
};

/* What is bet on: an excess so much above what is tolerated, and with how much of the money. */
/* clang-format off */
static const double GAIN[EVIDENCE_BETS]  = { 0.0075, 0.015, 0.04, 0.12, 0.40, 0.85 };
static const double STAKE[EVIDENCE_BETS] = { 0.15,   0.35,  0.20, 0.10, 0.10, 0.10 };
/* clang-format on */

/* The four tests and their shares of the money; then all strata together, and each alone. */
static const double SHARE_NEXT = 0.60, SHARE_LATE = 0.15, SHARE_FAILURES = 0.15, SHARE_LIMIT = 0.10;
static const double SHARE_TOGETHER = 0.5;

/* The hold-out's share is remembered over so many of its devices; on fewer nobody bets. */
static const double MEMORY = 300;
enum { ENOUGH = 50 };

static const double LEAST = 1e-6; /* no probability is nearer to 0 or 1 */

static size_t stratum_of(const struct evidence_cell *c)
{
    return c->stratum < EVIDENCE_STRATA ? c->stratum : EVIDENCE_STRATA - 1;
}

static double within(double p, double low, double high)
{
    return p < low ? low : p > high ? high : p;
}

/* log of the likelihood of `bad` among `n` at p, over the same at q. */
static double log_ratio(int64_t bad, int64_t n, double p, double q)
{
    return (double)bad * log(p / q) + (double)(n - bad) * log((1 - p) / (1 - q));
}

/*
 * The pair (q + gap, q) that is nearest to (offered, held) in the sense of Kullback and Leibler,
 * weighted by the numbers of devices: the harmless (or harmful) world that explains the bet best.
 * The divergence is convex in q, and its slope changes sign between held and offered - gap.
 */
static double nearest(double offered, double held, double gap, double n, double m)
{
    double low = within(fmin(held, offered - gap), LEAST, 1 - gap - LEAST);
    double high = within(fmax(held, offered - gap), LEAST, 1 - gap - LEAST);

    for (int i = 0; i < 26; i++) {
        double q = (low + high) / 2, p = q + gap;
        double slope = n * (p - offered) / (p * (1 - p)) + m * (q - held) / (q * (1 - q));

        if (slope > 0)
            high = q;
        else
            low = q;
    }
    return (low + high) / 2;
}

/* What a bet on the shares (offered, held) gains from one cell against the border at `gap`. */
static double gain_of(const struct evidence_cell *c, int64_t n, int64_t bad, double offered,
                      double held, double gap)
{
    double q;

    offered = within(offered, LEAST, 1 - LEAST);
    q = nearest(offered, held, gap, (double)n, (double)c->control);
    return log_ratio(bad, n, offered, q + gap) + log_ratio(c->control_silent, c->control, held, q);
}

static const struct evidence_pair *pair_at(const struct evidence_stratum *s,
                                           enum evidence_horizon horizon)
{
    return horizon == EVIDENCE_NEXT ? &s->next : &s->late;
}

/* What is to be expected of the hold-out, from what was seen before: in the stratum, else in all.
 * Below 0: too little was seen. */
static double expected(const struct evidence *ev, const struct evidence_cell *c)
{
    const struct evidence_pair *own = pair_at(&ev->strata[stratum_of(c)], c->horizon);
    double n = 0, bad = 0;

    if (own->control >= ENOUGH)
        return within(own->background, 0.0005, 0.9);
    for (size_t i = 0; i < EVIDENCE_STRATA; i++) {
        const struct evidence_pair *p = pair_at(&ev->strata[i], c->horizon);

        n += (double)p->control;
        bad += p->background * (double)p->control;
    }
    return n < ENOUGH ? -1 : within(bad / n, 0.0005, 0.9);
}

static void compare(struct evidence_pair *pair, const struct evidence_rules *rules,
                    const struct evidence_cell *c, double held)
{
    int64_t bad = c->failed + c->reverted + c->silent;
    int64_t n = c->confirmed + bad;
    double weight = fmin((double)pair->control, MEMORY);

    if (n > 0 && c->control > 0 && held >= 0) {
        for (int i = 0; i < EVIDENCE_BETS; i++)
            pair->halt[i] +=
                gain_of(c, n, bad, held + rules->tolerate + GAIN[i], held, rules->tolerate);
        for (int i = 0; i < EVIDENCE_DOUBTS; i++)
            pair->advance[i] += gain_of(c, n, bad, held + i * rules->doubt / 6, held, rules->doubt);
    }
    if (c->control > 0)
        pair->background =
            (pair->background * weight + (double)c->control_silent) / (weight + (double)c->control);
    pair->judged += n;
    pair->bad += bad;
    pair->control += c->control;
    pair->control_bad += c->control_silent;
}

/* --- Adding up wealth --- */

static double log_sum(double a, double b)
{
    double most = fmax(a, b);

    return most == -INFINITY ? most : most + log(exp(a - most) + exp(b - most));
}

/* A share against a fixed border needs no hold-out. Who has not been judged counts as well. */
static double log_single(int64_t bad, int64_t n, double border)
{
    double sum = -INFINITY;

    for (int i = 0; i < EVIDENCE_BETS; i++) {
        double bet = within(border + GAIN[i], LEAST, 0.99);

        sum = log_sum(sum, log(STAKE[i]) + log_ratio(bad, n, bet, border));
    }
    return sum;
}

static double log_bets(const double *halt)
{
    double sum = -INFINITY;

    for (int i = 0; i < EVIDENCE_BETS; i++)
        sum = log_sum(sum, log(STAKE[i]) + halt[i]);
    return sum;
}

/* The wealth of one stratum, or of all when their logarithms are added up in one. */
static double log_wealth(const struct evidence_stratum *s, const struct evidence_rules *rules,
                         enum evidence_cause *cause_out)
{
    int64_t explicit_ = s->failed + s->reverted;
    double excess =
        log_sum(log(SHARE_NEXT) + log_bets(s->next.halt), log(SHARE_LATE) + log_bets(s->late.halt));
    double failures = log(SHARE_FAILURES) + log_single(explicit_, s->started, rules->tolerate);
    double limit = log(SHARE_LIMIT) + log_single(explicit_ + s->lost, s->started, rules->limit);

    *cause_out = limit > excess && limit > failures ? EVIDENCE_BY_LIMIT
                 : failures > excess                ? EVIDENCE_BY_FAILURES
                                                    : EVIDENCE_BY_EXCESS;
    return log_sum(log_sum(excess, failures), limit);
}

static double log_mean(const double *advance)
{
    double sum = -INFINITY;

    for (int i = 0; i < EVIDENCE_DOUBTS; i++)
        sum = log_sum(sum, advance[i]);
    return sum - log(EVIDENCE_DOUBTS);
}

static void add_pair(struct evidence_pair *sum, const struct evidence_pair *p)
{
    sum->judged += p->judged;
    sum->bad += p->bad;
    sum->control += p->control;
    sum->control_bad += p->control_bad;
    for (int i = 0; i < EVIDENCE_BETS; i++)
        sum->halt[i] += p->halt[i];
    for (int i = 0; i < EVIDENCE_DOUBTS; i++)
        sum->advance[i] += p->advance[i];
}

static struct evidence_stratum together(const struct evidence *ev)
{
    struct evidence_stratum all = { 0 };

    for (size_t i = 0; i < EVIDENCE_STRATA; i++) {
        all.started += ev->strata[i].started;
        all.failed += ev->strata[i].failed;
        all.reverted += ev->strata[i].reverted;
        all.lost += ev->strata[i].lost;
        add_pair(&all.next, &ev->strata[i].next);
        add_pair(&all.late, &ev->strata[i].late);
    }
    return all;
}

/* A mean over the horizons and what harmless may mean, of products over the strata. */
static double log_advance(const struct evidence *ev)
{
    double next[EVIDENCE_DOUBTS] = { 0 }, late[EVIDENCE_DOUBTS] = { 0 };

    for (size_t i = 0; i < EVIDENCE_STRATA; i++)
        for (int k = 0; k < EVIDENCE_DOUBTS; k++) {
            next[k] += ev->strata[i].next.advance[k];
            late[k] += ev->strata[i].late.advance[k];
        }
    return log_sum(log_mean(next), log_mean(late)) - log(2);
}

void evidence_add(struct evidence *ev, const struct evidence_rules *rules,
                  const struct evidence_cell *c)
{
    struct evidence_stratum *s = &ev->strata[stratum_of(c)];

    switch (c->horizon) {
    case EVIDENCE_STARTED:
        s->started += c->started;
        s->failed += c->failed;
        s->reverted += c->reverted;
        return;
    case EVIDENCE_NEXT:
        compare(&s->next, rules, c, expected(ev, c));
        break;
    case EVIDENCE_LATE:
        s->lost += c->silent;
        compare(&s->late, rules, c, expected(ev, c));
        break;
    }
    ev->proof = fmax(ev->proof, log_advance(ev));
}

struct evidence_verdict evidence_decide(const struct evidence *ev,
                                        const struct evidence_rules *rules)
{
    struct evidence_stratum all = together(ev);
    struct evidence_verdict v = { .stratum = -1,
                                  .started = all.started,
                                  .failed = all.failed,
                                  .reverted = all.reverted,
                                  .judged = all.next.judged,
                                  .bad = all.next.bad,
                                  .control = all.next.control,
                                  .control_bad = all.next.control_bad };
    double loudest = log(SHARE_TOGETHER) + log_wealth(&all, rules, &v.cause);

    v.log_halt = loudest;
    for (int i = 0; i < EVIDENCE_STRATA; i++) {
        enum evidence_cause cause;
        double alone =
            log((1 - SHARE_TOGETHER) / EVIDENCE_STRATA) + log_wealth(&ev->strata[i], rules, &cause);

        v.log_halt = log_sum(v.log_halt, alone);
        if (alone > loudest) {
            loudest = alone;
            v.stratum = i;
            v.cause = cause;
        }
    }
    v.log_advance = log_advance(ev);
    v.halt = v.log_halt >= log(rules->halt_at);
    v.suspect =
        log_mean(all.next.advance) < -log(rules->advance_at) &&
        (all.late.judged < all.next.judged || log_mean(all.late.advance) < -log(rules->advance_at));
    v.harmless = ev->proof >= log(rules->advance_at) && !v.suspect;
    return v;
}

int evidence_suspects(const struct evidence *ev, const struct evidence_rules *rules,
                      struct evidence_suspect *list)
{
    int n = 0;

    for (int i = 0; i < EVIDENCE_STRATA; i++) {
        const struct evidence_stratum *s = &ev->strata[i];
        enum evidence_cause cause;
        double harmful = log_wealth(s, rules, &cause) - log(EVIDENCE_STRATA);
        int at = n;

        if (harmful < log(rules->advance_at))
            continue;
        for (; at > 0 && list[at - 1].log_harmful < harmful; at--)
            list[at] = list[at - 1];
        list[at] = (struct evidence_suspect){ .stratum = i,
                                              .log_harmful = harmful,
                                              .started = s->started,
                                              .failed = s->failed,
                                              .reverted = s->reverted,
                                              .judged = s->next.judged,
                                              .bad = s->next.bad };
        n++;
    }
    return n;
}

/* --- Gates --- */

static struct gate_verdict gate_verdict(enum gate_kind kind, enum gate_reason reason)
{
    return (struct gate_verdict){ .kind = kind, .reason = reason };
}

/* Too few for statistics: every device is looked at, and one that went back is one too many. */
static struct gate_verdict gate_tiny(const struct evidence_verdict *seen, const struct gate *g)
{
    if (seen->reverted > 0)
        return gate_verdict(GATE_HOLD, GATE_REVERTED);
    if (!g->soaked)
        return gate_verdict(GATE_WAIT, GATE_SOAKS);
    if (g->confirmed + g->excused >= g->members)
        return gate_verdict(GATE_ADVANCE, GATE_ALL_WELL);
    if (g->exhausted)
        return gate_verdict(GATE_HOLD, GATE_MISSING);
    return gate_verdict(GATE_WAIT, GATE_UNHEARD);
}

struct gate_verdict gate_decide(const struct evidence_verdict *seen, const struct gate *g)
{
    if (seen->halt)
        return gate_verdict(GATE_HALT, GATE_HARMFUL);
    if (g->fleet <= GATE_TINY)
        return gate_tiny(seen, g);
    if (!g->soaked)
        return gate_verdict(GATE_WAIT, GATE_SOAKS);
    if (g->heard && seen->harmless)
        return gate_verdict(GATE_ADVANCE, GATE_PROVEN);
    if (g->members < GATE_TELLING && g->settled && !seen->suspect)
        return gate_verdict(GATE_ADVANCE, GATE_NO_OBJECTION);
    if (g->exhausted)
        return gate_verdict(GATE_HOLD, GATE_UNDECIDED);
    return gate_verdict(GATE_WAIT, GATE_UNHEARD);
}
