#include "decide/rollout.h"

#include "lsuit/doc.h"

#include <string.h>

static bool in_flight(enum work_state work)
{
    return work == WORK_OFFERED || work == WORK_FETCHING;
}

static bool stopped(enum release_state state)
{
    return state == RELEASE_HALTED || state == RELEASE_WITHDRAWN;
}

static struct rollout_verdict verdict(enum rollout_kind kind, enum rollout_reason reason, size_t i)
{
    return (struct rollout_verdict){ .kind = kind, .reason = reason, .release = i };
}

struct rollout_verdict rollout_decide(const struct rollout_device *d,
                                      const struct rollout_release *release, size_t n, bool busy)
{
    struct rollout_verdict v = verdict(ROLLOUT_NOTHING, ROLLOUT_UP_TO_DATE, 0);
    size_t cancelled = n;

    /* (2) first: what must stop is more urgent than what could start. */
    for (size_t i = 0; i < n && release[i].sequence > d->sequence; i++) {
        if (stopped(release[i].state) && in_flight(release[i].work))
            return verdict(ROLLOUT_WITHDRAW, ROLLOUT_IS_HALTED, i);
        if (stopped(release[i].state) && release[i].work == WORK_CANCELLED && cancelled == n)
            cancelled = i; /* told already; told again, for that answer may be lost */
    }

    for (size_t i = 0; i < n && release[i].sequence >= d->sequence; i++) {
        const struct rollout_release *r = &release[i];

        if (r->sequence == d->sequence) {
            if (d->digest != NULL && memcmp(r->digest, d->digest, 32) != 0)
                v.reason = ROLLOUT_CLASH;
            break;
        }
        if (stopped(r->state))
            continue;
        if (r->state == RELEASE_HELD && !in_flight(r->work)) {
            if (r->in && v.kind == ROLLOUT_NOTHING)
                v = verdict(ROLLOUT_WAIT, ROLLOUT_IS_HELD, i);
            continue;
        }
        if (!r->in && !in_flight(r->work)) {
            if (v.kind == ROLLOUT_NOTHING)
                v.reason = ROLLOUT_NOT_IN;
            continue;
        }
        if (r->on_hold && !in_flight(r->work)) {
            if (v.kind == ROLLOUT_NOTHING)
                v.reason = ROLLOUT_ON_HOLD;
            continue;
        }
        if (busy)
            return verdict(ROLLOUT_WAIT, ROLLOUT_IN, i);
        return verdict(ROLLOUT_OFFER, ROLLOUT_IN, i);
    }
    if (cancelled < n)
        return verdict(ROLLOUT_WITHDRAW, ROLLOUT_IS_HALTED, cancelled);
    if (d->trial && v.kind == ROLLOUT_NOTHING)
        v.reason = ROLLOUT_ON_TRIAL;
    return v;
}

struct wave_verdict wave_decide(const struct rollout_wave *wave, size_t n, enum release_state state,
                                int64_t now_ms)
{
    struct wave_verdict v = { 0 };
    const struct rollout_wave *last;

    while (v.wave < n && wave[v.wave].opened_ms != 0)
        v.wave++;
    if (v.wave > 0) {
        last = &wave[v.wave - 1];
        v.due_ms = last->opened_ms + last->soak_ms;
    }
    if (state != RELEASE_OPEN)
        v.wait = WAVE_WANTS_RESUME;
    else if (v.wave > 0 && now_ms < v.due_ms)
        v.wait = WAVE_SOAKS;
    else if (v.wave > 0 && v.wave < n && wave[v.wave - 1].gate != WAVE_TIMED &&
             wave[v.wave - 1].approved_ms == 0)
        v.wait = wave[v.wave - 1].gate == WAVE_MANUAL ? WAVE_WANTS_APPROVAL : WAVE_WANTS_EVIDENCE;
    else if (v.wave < n)
        v.open = true;
    else
        v.complete = true;
    return v;
}

int64_t wave_members(double share, int64_t devices, int64_t fleet)
{
    double exact = share * (double)fleet;
    int64_t members = (int64_t)exact;

    if (share >= 1.0)
        return fleet;
    if ((double)members < exact)
        members++; /* a share of a small fleet is somebody, not nobody */
    if (members < devices)
        members = devices;
    return members < fleet ? members : fleet;
}

enum work_state outcome_decide(enum work_state before, uint32_t stage, uint32_t class_)
{
    (void)stage;
    if (before == WORK_NONE || before == WORK_INSTALLED)
        return before;
    switch (class_) {
    case LSUIT_CLASS_NONE:
    case LSUIT_CLASS_USER_REFUSED:
    case LSUIT_CLASS_NO_SERVER:
        return before;
    case LSUIT_CLASS_WITHDRAWN:
        return WORK_CANCELLED;
    default:
        return before == WORK_CANCELLED ? before : WORK_FAILED;
    }
}

enum work_bad outcome_blame(uint32_t class_)
{
    switch (class_) {
    case LSUIT_CLASS_NONE:
    case LSUIT_CLASS_NETWORK:
    case LSUIT_CLASS_SERVER_REFUSED:
    case LSUIT_CLASS_UNAUTHORISED:
    case LSUIT_CLASS_USER_REFUSED:
    case LSUIT_CLASS_WITHDRAWN:
    case LSUIT_CLASS_NO_SERVER:
        return WORK_WELL;
    case LSUIT_CLASS_HEALTH:
        return WORK_REVERTED;
    default:
        return WORK_BROKE;
    }
}

enum sequence_verdict sequence_decide(uint64_t sequence, const uint8_t digest[32],
                                      const uint8_t *taken, int64_t highest)
{
    if (sequence > LSUIT_SEQUENCE_MAX)
        return SEQUENCE_HIGH;
    if (taken != NULL)
        return memcmp(taken, digest, 32) == 0 ? SEQUENCE_SAME : SEQUENCE_TAKEN;
    if ((int64_t)sequence < highest)
        return SEQUENCE_LOW;
    return SEQUENCE_NEW;
}
