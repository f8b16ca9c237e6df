/* What is explained is what is decided: ten thousand random states, against a second derivation. */

#include "check.h"
#include "decide/explain.h"

enum { STATES = 10000, MOST = 5 };

static uint64_t seed = 1;
static unsigned below(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % n);
}

static uint8_t digest[8][32];

struct state {
    struct rollout_device d;
    struct rollout_release r[MOST];
    size_t n;
    bool busy;
};

static struct state random_state(void)
{
    struct state s = { .n = below(MOST + 1), .busy = below(4) == 0 };
    int64_t number = 6;

    s.d.sequence = below(5);
    s.d.digest = s.d.sequence != 0 ? digest[below(4) == 0 ? 7 : s.d.sequence] : NULL;
    s.d.trial = below(4) == 0;
    for (size_t i = 0; i < s.n; i++) {
        number -= below(2) + (i > 0 && s.r[i - 1].sequence == number);
        s.r[i] = (struct rollout_release){ .id = (int32_t)i + 1,
                                           .sequence = number,
                                           .digest = digest[number & 7],
                                           .state = (enum release_state)(below(4) + 1),
                                           .in = below(2) == 0,
                                           .on_hold = below(4) == 0,
                                           .work = (enum work_state)below(WORK_STATES) };
    }
    return s;
}

static bool flies(const struct rollout_release *r)
{
    return r->work == WORK_OFFERED || r->work == WORK_FETCHING;
}

/* The first that nothing stands against, n when there is none. */
static size_t first_free(const struct state *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct rollout_release *r = &s->r[i];

        if (r->sequence > s->d.sequence && r->state <= RELEASE_HELD && (r->in || flies(r)) &&
            ((r->state == RELEASE_OPEN && !r->on_hold) || flies(r)))
            return i;
    }
    return s->n;
}

/* The one that must be given up, n when there is none. */
static size_t first_stop(const struct state *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->r[i].sequence > s->d.sequence && s->r[i].state >= RELEASE_HALTED && flies(&s->r[i]))
            return i;
    for (size_t i = 0; i < s->n && first_free(s) == s->n; i++)
        if (s->r[i].sequence > s->d.sequence && s->r[i].state >= RELEASE_HALTED &&
            s->r[i].work == WORK_CANCELLED)
            return i;
    return s->n;
}

static size_t agrees(const struct state *s, size_t *offers, size_t *holds)
{
    size_t stop = first_stop(s), best = first_free(s), wrong = 0;
    struct rollout_verdict v = rollout_decide(&s->d, s->r, s->n, s->busy);

    for (size_t i = 0; i < s->n; i++) {
        enum explain_word word = explain_decide(&s->d, s->r, s->n, s->busy, i);
        bool chosen = v.kind != ROLLOUT_NOTHING && v.release == i;

        wrong += (word == EXPLAIN_STOP) != (i == stop);
        wrong += (word == EXPLAIN_STOP) != (chosen && v.kind == ROLLOUT_WITHDRAW);
        wrong += (word == EXPLAIN_OFFERED) != (stop == s->n && i == best && !s->busy);
        wrong += (word == EXPLAIN_OFFERED) != (chosen && v.kind == ROLLOUT_OFFER);
        wrong += (word == EXPLAIN_BUSY) != (stop == s->n && i == best && s->busy);
        wrong += chosen && v.kind == ROLLOUT_WAIT && word != EXPLAIN_BUSY && word != EXPLAIN_HELD;
        wrong += (word == EXPLAIN_NOT_IN) && (s->r[i].in || flies(&s->r[i]));
        wrong += (word == EXPLAIN_ON_HOLD) && (!s->r[i].on_hold || flies(&s->r[i]));
        wrong += s->r[i].on_hold && !flies(&s->r[i]) && s->r[i].in &&
                 s->r[i].state == RELEASE_OPEN && s->r[i].sequence > s->d.sequence &&
                 word != EXPLAIN_ON_HOLD;
        *holds += word == EXPLAIN_ON_HOLD;
        wrong += (word == EXPLAIN_LOWER) && best >= i;
        wrong += (word == EXPLAIN_GIVING_UP) && stop == s->n;
        *offers += word == EXPLAIN_OFFERED;
    }
    return wrong;
}

int main(void)
{
    size_t wrong = 0, offers = 0, holds = 0;

    for (int i = 0; i < 8; i++)
        memset(digest[i], i, 32);
    check_case("10 000 random states");
    for (int i = 0; i < STATES; i++) {
        struct state s = random_state();

        wrong += agrees(&s, &offers, &holds);
    }
    CHECK_UINT(wrong, 0);
    CHECK(offers > STATES / 10);
    CHECK(holds > STATES / 50);
    return check_done();
}
