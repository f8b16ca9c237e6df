/*
 * Whole lives of a device against a server, both in memory: tests/harness/device.h.
 */
#include "check.h"
#include "device.h"

static struct signer key, other_key;
static struct release v1, v2, v3, odd;
static struct device d;

/* A device that runs v1, and a server that offers v2. */
static void fresh(const char *name)
{
    check_case(name);
    device_init(&d, &key, &v1, 8, 0xff);
    d.image[d.images++] = &v2;
    d.server.release = &v2;
    device_boot(&d);
}

/* The same device after an update to v2; nothing to offer. */
static bool runs_v2(struct device *x)
{
    return device_state(x) == LAPEL_READY && x->lapel.rec.accepted.sequence == v2.sequence;
}

static void updated(const char *name)
{
    fresh(name);
    CHECK(device_live(&d, runs_v2, 20000));
    d.server.release = NULL;
    memset(d.told, 0, sizeof d.told);
}

static bool told_refused(struct device *x)
{
    return x->told[LAPEL_EVENT_REFUSED] > 0;
}

static bool told_failed(struct device *x)
{
    return x->told[LAPEL_EVENT_FAILED] > 0 && device_state(x) == LAPEL_READY;
}

static bool told_withdrawn(struct device *x)
{
    return x->told[LAPEL_EVENT_WITHDRAWN] > 0;
}

static bool in_flight_as_nobody(struct device *x)
{
    return x->server.payloads > 0 && x->server.last_id[0] == '\0';
}

static int until_checkins;
static bool enough_checkins(struct device *x)
{
    return x->server.checkins >= until_checkins && x->lapel.exchange == 0;
}

/* Live through so many more check-ins, whatever comes of them. */
static bool live_checkins(int more)
{
    until_checkins = d.server.checkins + more;
    return device_live(&d, enough_checkins, 200000);
}

static enum lapel_state until_state;
static bool in_state(struct device *x)
{
    return device_state(x) == until_state;
}

static bool live_to(enum lapel_state state)
{
    until_state = state;
    return device_live(&d, in_state, 20000);
}

static bool at_gate(struct device *x)
{
    return x->lapel.gate != 0;
}

/* --- the ordinary way ------------------------------------------------------------------------- */

static bool reported_confirm(struct device *x)
{
    return x->server.has_attempt && x->server.attempt_stage == LSUIT_STAGE_CONFIRM;
}

static void test_update(void)
{
    char id[17];

    fresh("an update from offer to confirmation");
    CHECK_INT(d.init, LAPEL_OK);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
    CHECK(live_to(LAPEL_TRIAL));
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence); /* rises at confirm only */
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.running, 1);
    CHECK_INT(d.violations, 0);
    CHECK_INT(d.bricks, 0);
    CHECK_STR(d.server.last_auth, "Bearer " DEVICE_TOKEN);
    CHECK(device_live(&d, reported_confirm, 20000));
    CHECK_UINT(d.server.running, v2.sequence);
    CHECK_UINT(d.server.running_state, LSUIT_RUNNING_CONFIRMED);
    CHECK_UINT(d.server.attempt_class, LSUIT_CLASS_NONE);
    release_hex(d.server.attempt_id, 8, id);
    CHECK_STR(d.server.last_attempt, id);
    CHECK(live_checkins(1));
    CHECK(!d.server.has_attempt); /* told once, and answered */
    CHECK_INT(d.server.reports, 0);

    updated("the user is told: available, about to disrupt, installed");
    fresh("the user is told, in the language that fits");
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.told[LAPEL_EVENT_AVAILABLE], 1);
    CHECK_INT(d.told[LAPEL_EVENT_DISRUPT], 1);
    CHECK_INT(d.told[LAPEL_EVENT_INSTALLED], 1);
    CHECK_INT(d.told[LAPEL_EVENT_FAILED], 0);
    CHECK_STR(d.version, "2.0");
    CHECK_STR(d.risks, "hole closed");
    CHECK_UINT(d.downtime, 20);
    CHECK_INT(d.asked[LAPEL_GATE_DOWNLOAD], 1);
    CHECK_INT(d.asked[LAPEL_GATE_INSTALL], 1);
    CHECK_INT(d.asked[LAPEL_GATE_REBOOT], 1);

    fresh("a second update goes back to the first slot");
    d.image[d.images++] = &v3;
    CHECK(device_live(&d, runs_v2, 20000));
    d.server.release = &v3;
    until_state = LAPEL_TRIAL;
    CHECK(device_live(&d, in_state, 20000));
    CHECK_INT(d.running, 0);
}

static void test_wire(void)
{
    static const struct {
        const char *name;
        size_t recv_max, send_max;
        bool chunked, close_each;
    } ROWS[] = {
        { "one byte a call, both ways", 1, 1, false, false },
        { "seven bytes a call, chunked", 7, 0, true, false },
        { "one byte a call, chunked", 1, 0, true, false },
        { "a connection for each request", 0, 0, false, true },
        { "chunked, whole", 0, 0, true, true },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        fresh(ROWS[i].name);
        d.server.recv_max = ROWS[i].recv_max;
        d.server.send_max = ROWS[i].send_max;
        d.server.chunked = ROWS[i].chunked;
        d.server.close_each = ROWS[i].close_each;
        CHECK(device_live(&d, runs_v2, 200000));
        CHECK_INT(d.bricks, 0);
    }
    fresh("one connection from check-in to the last byte");
    CHECK(live_to(LAPEL_CANDIDATE));
    CHECK_INT(d.server.connects, 1);
}

/* --- what is refused ---------------------------------------------------------------------------- */

struct hostile {
    const char *name;
    struct release_how how;
    uint64_t sequence;
    bool other_signer;
    bool serve_other; /* offer v2, send this one */
    uint8_t class_;
};

/* clang-format off */
static const struct hostile HOSTILE[] = {
    { "a manifest by a wrong key",         { 0 }, 64, true,  false, LSUIT_CLASS_UNAUTHORISED },
    { "a manifest for another class",      { .class_id = "ffffffffffffffffffffffffffffffff" }, 64, false, false, LSUIT_CLASS_WRONG_DEVICE },
    { "another manifest than the offered", { 0 }, 64, false, true,  LSUIT_CLASS_UNAUTHORISED },
    { "a lower sequence number",           { 0 }, 8,  false, false, LSUIT_CLASS_ROLLBACK },
    { "the same number, another digest",   { .priority = 7 }, 16, false, false, LSUIT_CLASS_ROLLBACK },
    { "no image size",                     { .no_size = true }, 64, false, false, LSUIT_CLASS_UNSUPPORTED },
    { "an image larger than the slot",     { .wrong_size = 16385 }, 64, false, false, LSUIT_CLASS_LIMIT },
    { "an absolute payload address",       { .install = "[20, {21: \"http://evil.example/x\"}, 21, 15, 3, 15]" }, 64, false, false, LSUIT_CLASS_UNSUPPORTED },
    { "a command that nobody knows",       { .install = "[99, 15]" }, 64, false, false, LSUIT_CLASS_UNSUPPORTED },
};
/* clang-format on */

static void test_refused(void)
{
    size_t wire[3] = { 0 };

    for (size_t i = 0; i < sizeof HOSTILE / sizeof *HOSTILE; i++) {
        const struct hostile *h = &HOSTILE[i];

        fresh(h->name);
        release_make(&odd, h->sequence, 4000, h->other_signer ? &other_key : &key, &h->how);
        d.server.release = h->serve_other ? &v2 : &odd;
        d.server.serve = &odd;
        CHECK(device_live(&d, told_refused, 20000));
        CHECK_UINT(d.last_error, h->class_);
        CHECK(device_state(&d) == LAPEL_READY);
        CHECK_INT(d.told[LAPEL_EVENT_AVAILABLE], 0);
        CHECK_INT(d.server.payloads, 0);
        CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
        CHECK(d.slot[1].bytes[0] == 0xff); /* no byte was written */
        int seen = d.server.checkins;
        CHECK(live_checkins(1));
        /* the connection that brought it saw nothing more (5.3-9) */
        CHECK_INT(d.server.checkins, seen + 1);
        CHECK_UINT(d.server.sent_after_manifest, 0);
        CHECK(d.server.event_class != 0); /* the server of the check-ins is told the class */
        CHECK_INT(d.server.reports, 0);
        if (i < 3)
            wire[i] = d.server.last_request_n;
    }
    check_case("the next check-in is as long after each of them");
    CHECK_UINT(wire[0], wire[1]);
    CHECK_UINT(wire[0], wire[2]);
}

static void test_bad_image(void)
{
    struct release_how how = {
        .wrong_payload = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    };

    fresh("an image whose digest isn't the manifest's");
    release_make(&odd, 64, 4000, &key, &how);
    d.server.release = &odd;
    CHECK(device_live(&d, told_failed, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_DIGEST_MISMATCH);
    CHECK_INT(d.server.payloads, 1);
    CHECK(!d.staged);
    d.server.release = NULL;
    CHECK(live_checkins(2));
    CHECK_INT(d.server.reports, 1); /* once, and once in a check-in */
    CHECK_UINT(d.server.report_class, LSUIT_CLASS_DIGEST_MISMATCH);
    CHECK_UINT(d.running, 0);

    fresh("a report that the server can't take is sent again");
    d.server.release = &odd;
    d.server.report_status = 500;
    CHECK(device_live(&d, told_failed, 20000));
    d.server.release = NULL;
    for (int i = 0; i < 400 && d.server.reports < 3; i++) {
        uint32_t wait = 0;

        (void)lapel_step(&d.lapel, &wait);
        d.now += wait;
    }
    CHECK(d.server.reports >= 3 || !d.lapel.rec.outcome.kind);

    fresh("a lower security counter is refused before it is staged");
    d.has_counter = true;
    d.lapel.rec.counter = 5;
    d.counter[1] = 4;
    CHECK(device_live(&d, told_failed, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_ROLLBACK);
    CHECK_UINT(d.lapel.rec.counter, 5);
    CHECK_INT(d.boots, 1);
}

/* --- the server refuses the credential --------------------------------------------------------- */

#define TOKEN_NEXT "NEXT_fghijklmnopqrstuvwxyz0123456789-_ABCDE"

static void test_credentials(void)
{
    fresh("401 for the first token: the second one is used, and stays in use");
    d.config.token_next = TOKEN_NEXT;
    d.server.refuse_auth = DEVICE_TOKEN;
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_STR(d.server.last_auth, "Bearer " TOKEN_NEXT);
    CHECK_STR(d.server.last_id, "device-0001");
    CHECK_INT(d.told[LAPEL_EVENT_AUTH], 2); /* once in each start */

    fresh("401 for both, and nothing else is allowed: told, and tried again for ever");
    d.config.token_next = TOKEN_NEXT;
    d.server.refuse_auth = "Bearer";
    CHECK(!device_live(&d, runs_v2, 40000));
    CHECK(d.told[LAPEL_EVENT_AUTH] > 4);
    CHECK_INT(d.server.checkins, 0);
    d.server.refuse_auth = NULL;
    CHECK(device_live(&d, runs_v2, 200000));

    fresh("401 for both: nobody is updated where that is allowed, and the server hears why");
    d.config.token_next = TOKEN_NEXT;
    d.config.anonymous_fallback = true;
    d.server.refuse_auth = "Bearer";
    CHECK(device_live(&d, in_flight_as_nobody, 20000));
    CHECK_UINT(d.server.event_class, LSUIT_EVENT_AUTH_REFUSED);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_STR(d.server.last_auth, "");
    CHECK_STR(d.server.last_id, "");

    check_case("and is itself again once the server knows it");
    d.server.refuse_auth = NULL;
    CHECK(live_checkins(2));
    CHECK_STR(d.server.last_auth, "Bearer " DEVICE_TOKEN);
    CHECK_STR(d.server.last_id, "device-0001");
}

/* --- the server's word -------------------------------------------------------------------------- */

static bool v2_in_flight(struct device *x)
{
    return x->lapel.at > 1024;
}

static void withdraw(void)
{
    d.server.verdict = LSUIT_WITHDRAW;
    lapel_kick(&d.lapel);
}

static void expect_abandoned(void)
{
    CHECK(device_live(&d, told_withdrawn, 20000));
    CHECK(device_state(&d) == LAPEL_READY);
    CHECK(!d.staged);
    CHECK_INT(d.boots, 1);
    CHECK(live_checkins(2));
    CHECK(device_state(&d) == LAPEL_READY);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
    CHECK_INT(d.lapel.rec.block[0].fails, 0); /* no failed trial */
    d.server.verdict = 0;                     /* resumed: the same number is accepted again */
    CHECK(device_live(&d, runs_v2, 200000));
}

static void test_withdraw(void)
{
    fresh("withdrawn at the DOWNLOAD gate");
    d.gate[LAPEL_GATE_DOWNLOAD] = LAPEL_WAIT;
    CHECK(device_live(&d, at_gate, 20000));
    withdraw();
    d.gate[LAPEL_GATE_DOWNLOAD] = LAPEL_ALLOW;
    d.lapel.gate_until = UINT64_MAX;
    expect_abandoned();

    fresh("withdrawn in WRITING");
    d.server.drop_after = 2000;
    CHECK(device_live(&d, v2_in_flight, 20000));
    CHECK(device_state(&d) == LAPEL_WRITING);
    withdraw();
    d.server.drop_after = 0;
    expect_abandoned();

    fresh("withdrawn in CANDIDATE");
    d.gate[LAPEL_GATE_INSTALL] = LAPEL_WAIT;
    CHECK(live_to(LAPEL_CANDIDATE));
    CHECK(device_live(&d, at_gate, 20000));
    withdraw();
    d.gate[LAPEL_GATE_INSTALL] = LAPEL_ALLOW;
    d.lapel.gate_until = UINT64_MAX;
    expect_abandoned();

    fresh("withdrawn in STAGED, by the check-in before the restart");
    CHECK(live_to(LAPEL_STAGED));
    withdraw();
    expect_abandoned();

    fresh("a 410 to the payload withdraws");
    d.server.payload_status = 410;
    CHECK(device_live(&d, told_withdrawn, 20000));
    CHECK(device_state(&d) == LAPEL_READY);

    fresh("withdrawn in TRIAL: it runs on");
    CHECK(live_to(LAPEL_TRIAL));
    d.server.verdict = LSUIT_WITHDRAW;
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("wait: what is in hand stays, before its first byte too");
    d.gate[LAPEL_GATE_DOWNLOAD] = LAPEL_WAIT;
    CHECK(device_live(&d, at_gate, 20000));
    d.server.verdict = LSUIT_WAIT;
    CHECK(live_checkins(1));
    CHECK(d.lapel.offered);
    check_case("no verdict: it goes on");
    d.server.release = NULL;
    d.server.serve = &v2;
    CHECK(live_checkins(1));
    CHECK(d.lapel.offered);
    d.gate[LAPEL_GATE_DOWNLOAD] = LAPEL_ALLOW;
    CHECK(live_to(LAPEL_TRIAL));
    CHECK_INT(d.server.manifests, 1);

    fresh("another offer takes the place of the one being written");
    d.image[d.images++] = &v3;
    d.server.drop_after = 2000;
    CHECK(device_live(&d, v2_in_flight, 20000));
    d.server.release = &v3;
    d.server.drop_after = 0;
    lapel_kick(&d.lapel);
    CHECK(live_to(LAPEL_TRIAL));
    CHECK_UINT(d.lapel.rec.attempt.pair.sequence, v3.sequence);
}

static bool trial_checked(struct device *x)
{
    return x->server.running_state == LSUIT_RUNNING_TRIAL;
}

static void test_status(void)
{
    uint64_t before;

    fresh("503 with Retry-After: not before v, not after 2 v, and no failed attempt");
    d.server.checkin_status = 503;
    d.server.retry_after = 100;
    CHECK(live_checkins(1));
    before = d.now;
    CHECK_UINT(d.lapel.check_fails, 0);
    lapel_kick(&d.lapel); /* within the server's word, a kick too */
    CHECK(live_checkins(1));
    CHECK(d.now - before >= 100000);
    CHECK(d.now - before <= 200100);

    fresh("429 with a huge Retry-After: an hour, and as much again at most");
    d.server.checkin_status = 429;
    d.server.retry_after = 4000000000;
    CHECK(live_checkins(1));
    before = d.now;
    CHECK(live_checkins(1));
    CHECK(d.now - before >= 3600000);
    CHECK(d.now - before <= 7200100);

    fresh("500: back-off, and then it goes on");
    d.server.checkin_status = 500;
    CHECK(live_checkins(5));
    CHECK_UINT(d.lapel.check_fails, 5);
    d.server.checkin_status = 0;
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("a 401 is told and does not end updates");
    d.server.checkin_status = 401;
    CHECK(live_checkins(3));
    CHECK_INT(d.told[LAPEL_EVENT_AUTH], 3);
    CHECK_UINT(d.lapel.count[0].class_, LSUIT_EVENT_AUTH_REFUSED);
    d.server.checkin_status = 0;
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("a 503 in a trial is an authenticated answer: confirmed");
    CHECK(live_to(LAPEL_TRIAL));
    d.server.checkin_status = 503;
    d.server.retry_after = 10;
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK(device_live(&d, trial_checked, 1));

    fresh("the manifest answers 503, then comes");
    d.server.manifest_status = 503;
    d.server.retry_after = 5;
    for (int i = 0; i < 200 && d.server.manifests < 2; i++) {
        uint32_t wait = 0;

        (void)lapel_step(&d.lapel, &wait);
        d.now += wait;
    }
    CHECK(d.server.manifests >= 2);
    d.server.manifest_status = 0;
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("next poll: the server's word counts, within its borders");
    d.server.release = NULL;
    d.server.next_poll_s = 600;
    CHECK(live_checkins(1));
    before = d.now;
    CHECK(live_checkins(1));
    CHECK(d.now - before >= 600000);
    CHECK(d.now - before <= 660100);
}

static void test_resume(void)
{
    fresh("a broken download goes on where it stopped");
    d.server.drop_after = 2600;
    d.server.drops = 1;
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.server.payloads, 2);
    CHECK_INT(d.server.ranges, 1);
    CHECK_UINT(d.server.range_from, 2600);

    fresh("a 200 to a Range begins again at zero");
    d.server.drop_after = 2600;
    d.server.drops = 2;
    d.server.no_range = true;
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.server.payloads, 3);
    CHECK_INT(d.violations, 0);

    fresh("a 206 that lies about the total is refused, and ends the attempt");
    d.server.drop_after = 2600;
    d.server.drops = 1;
    d.server.lie_total = true;
    CHECK(device_live(&d, told_failed, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_MALFORMED);

    fresh("a restart goes on at a whole erase unit");
    release_make(&odd, 64, 16000, &key, &(struct release_how){ 0 });
    d.image[d.images++] = &odd;
    d.server.release = &odd;
    d.server.drop_after = 9000;
    d.server.drops = 1;
    CHECK(device_live(&d, v2_in_flight, 20000));
    while (d.lapel.at < 9000) {
        uint32_t wait = 0;

        (void)lapel_step(&d.lapel, &wait);
        d.now += wait;
    }
    device_boot(&d);
    CHECK(device_state(&d) == LAPEL_WRITING);
    until_state = LAPEL_TRIAL;
    CHECK(device_live(&d, in_state, 20000));
    CHECK_UINT(d.server.range_from, 8192);

    fresh("what stood in the slot was altered: once more from zero");
    release_make(&odd, 64, 16000, &key, &(struct release_how){ 0 });
    d.image[d.images++] = &odd;
    d.server.release = &odd;
    d.server.drop_after = 9000;
    d.server.drops = 1;
    while (d.lapel.at < 9000) {
        uint32_t wait = 0;

        (void)lapel_step(&d.lapel, &wait);
        d.now += wait;
    }
    d.slot[1].bytes[17] ^= 1;
    d.server.drops = 0;
    device_boot(&d);
    until_state = LAPEL_TRIAL;
    CHECK(device_live(&d, in_state, 20000));
    CHECK_INT(d.server.payloads, 3);
    CHECK_INT(d.bricks, 0);
}

/* --- the trial -------------------------------------------------------------------------------------- */

static bool told_reverted(struct device *x)
{
    return x->told[LAPEL_EVENT_REVERTED] > 0 && device_state(x) == LAPEL_READY;
}

static void test_trial(void)
{
    fresh("an image that isn't well goes back, three times, and is blocked");
    d.health = LAPEL_HEALTH_BAD;
    for (int i = 1; i <= 3; i++) {
        d.told[LAPEL_EVENT_REVERTED] = 0;
        CHECK(device_live(&d, told_reverted, 20000));
        CHECK_INT(d.lapel.rec.block[0].fails, i);
        CHECK_UINT(d.lapel.rec.outcome.error, LSUIT_CLASS_HEALTH);
        CHECK_INT(d.running, 0);
    }
    int manifests = d.server.manifests;
    CHECK(live_checkins(3));
    CHECK_INT(d.server.manifests, manifests);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
    d.health = LAPEL_HEALTH_OK;
    d.image[d.images++] = &v3;
    d.server.release = &v3; /* a higher sequence lifts it */
    until_state = LAPEL_UPDATED;
    CHECK(device_live(&d, in_state, 20000));

    fresh("the revert is reported, and the former image says so");
    d.health = LAPEL_HEALTH_BAD;
    CHECK(device_live(&d, told_reverted, 20000));
    d.server.release = NULL;
    CHECK(live_checkins(1));
    CHECK_UINT(d.server.running_state, LSUIT_RUNNING_REVERTED);
    CHECK_INT(d.server.reports, 1);
    CHECK_UINT(d.server.attempt_class, LSUIT_CLASS_HEALTH);

    fresh("a trial without a server goes back, and that is no evidence");
    CHECK(live_to(LAPEL_TRIAL));
    d.server.refuse_connect = true;
    CHECK(device_live(&d, told_reverted, 20000));
    CHECK_UINT(d.lapel.rec.outcome.error, LSUIT_CLASS_NO_SERVER);
    CHECK_INT(d.lapel.rec.block[0].fails, 0);

    fresh("a network that is away never ends a trial");
    CHECK(live_to(LAPEL_TRIAL));
    d.net_down = true;
    for (int i = 0; i < 20000; i++) {
        uint32_t wait = 0;

        (void)lapel_step(&d.lapel, &wait);
        d.now += wait + 1000;
    }
    CHECK(d.now > 2 * (uint64_t)LAPEL_TRIAL_MS);
    CHECK(device_state(&d) == LAPEL_TRIAL);
    d.net_down = false;
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("somebody pulls the plug in a trial: back, not counted");
    d.health = LAPEL_HEALTH_UNKNOWN;
    CHECK(live_to(LAPEL_TRIAL));
    d.power_on = true;
    device_boot(&d);
    CHECK_INT(d.told[LAPEL_EVENT_REVERTED], 1);
    CHECK_UINT(d.lapel.rec.outcome.error, LSUIT_CLASS_POWER);
    CHECK_INT(d.lapel.rec.block[0].fails, 0);

    fresh("a watchdog in a trial: back, counted");
    d.health = LAPEL_HEALTH_UNKNOWN;
    CHECK(live_to(LAPEL_TRIAL));
    d.power_on = false;
    device_boot(&d);
    CHECK_UINT(d.lapel.rec.outcome.error, LSUIT_CLASS_HEALTH);
    CHECK_INT(d.lapel.rec.block[0].fails, 1);

    fresh("lapel_confirm keeps it, without a server");
    d.health = LAPEL_HEALTH_UNKNOWN;
    CHECK_INT(lapel_confirm(&d.lapel), LAPEL_ERR_STATE);
    CHECK_INT(lapel_reject(&d.lapel), LAPEL_ERR_STATE);
    CHECK(live_to(LAPEL_TRIAL));
    CHECK_INT(lapel_confirm(&d.lapel), LAPEL_OK);
    CHECK(device_state(&d) == LAPEL_UPDATED);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v2.sequence);

    fresh("lapel_reject goes back");
    d.health = LAPEL_HEALTH_UNKNOWN;
    CHECK(live_to(LAPEL_TRIAL));
    CHECK_INT(lapel_reject(&d.lapel), LAPEL_OK);
    CHECK(device_live(&d, told_reverted, 20000));
    CHECK_INT(d.running, 0);

    fresh("the security counter rises at confirm, not before");
    d.has_counter = true;
    d.counter[1] = 9;
    CHECK(live_to(LAPEL_TRIAL));
    CHECK_UINT(d.lapel.rec.counter, 0);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_UINT(d.lapel.rec.counter, 9);
}

/* --- the user ----------------------------------------------------------------------------------------- */

static void test_user(void)
{
    struct lapel_status s;

    fresh("off: told, obeyed, over a restart, until the user says on");
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_FEATURE, LAPEL_OFF, LAPEL_BY_USER), LAPEL_OK);
    CHECK(live_checkins(3));
    CHECK_INT(d.told[LAPEL_EVENT_AVAILABLE], 1);
    CHECK_INT(d.server.payloads, 0);
    device_boot(&d);
    CHECK(live_checkins(3));
    CHECK_INT(d.server.payloads, 0);
    CHECK_UINT(d.server.user_waiting, LSUIT_GATE_DOWNLOAD);
    lapel_status(&d.lapel, &s);
    CHECK_INT(s.setting[LAPEL_AUTO_FEATURE - 1], LAPEL_OFF);
    CHECK_INT(s.setting_by[LAPEL_AUTO_FEATURE - 1], LAPEL_BY_USER);
    CHECK_INT(s.waiting, LAPEL_GATE_DOWNLOAD);
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_FEATURE, LAPEL_ON, LAPEL_BY_USER), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("off in the middle of a download stops it");
    CHECK(device_live(&d, v2_in_flight, 20000));
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_FEATURE, LAPEL_OFF, LAPEL_BY_USER), LAPEL_OK);
    CHECK(live_checkins(2));
    CHECK(device_state(&d) == LAPEL_WRITING);
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_FEATURE, LAPEL_ON, LAPEL_BY_USER), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("security updates have a setting of their own");
    release_make(&odd, 64, 4000, &key, &(struct release_how){ .priority = 50 });
    d.image[d.images++] = &odd;
    d.server.release = &odd;
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_FEATURE, LAPEL_OFF, LAPEL_BY_USER), LAPEL_OK);
    CHECK(live_to(LAPEL_TRIAL));

    fresh("denied is obeyed, for critical releases too");
    d.server.release = &odd;
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_SECURITY, LAPEL_OFF, LAPEL_BY_USER), LAPEL_OK);
    CHECK(live_checkins(3));
    CHECK_INT(d.server.payloads, 0);
    CHECK(d.told[LAPEL_EVENT_AVAILABLE] >= 1);

    fresh("unset: asked once for each release");
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.told[LAPEL_EVENT_CONSENT_NEEDED], 1);

    fresh("on: not asked");
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_FEATURE, LAPEL_ON, LAPEL_BY_USER), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.told[LAPEL_EVENT_CONSENT_NEEDED], 0);

    fresh("notifications off: no news, but the warning before a restart");
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_NOTIFY, LAPEL_OFF, LAPEL_BY_USER), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.told[LAPEL_EVENT_AVAILABLE], 0);
    CHECK_INT(d.told[LAPEL_EVENT_INSTALLED], 0);
    CHECK_INT(d.told[LAPEL_EVENT_DISRUPT], 1);

    fresh("postponed: nothing happens, over a restart, and then it does");
    CHECK_INT(lapel_postpone(&d.lapel, 86400000), LAPEL_OK);
    CHECK_INT(d.told[LAPEL_EVENT_POSTPONED], 1);
    CHECK(live_checkins(6));
    CHECK_INT(d.server.payloads, 0);
    CHECK(d.server.postponed_s > 0);
    device_boot(&d);
    lapel_status(&d.lapel, &s);
    CHECK(s.postponed_ms > 0);
    CHECK(s.postponed_ms <= 86400000);
    CHECK(live_checkins(2));
    CHECK_INT(d.server.payloads, 0);
    CHECK(device_live(&d, runs_v2, 200000));

    fresh("the budget of postponing ends");
    CHECK_INT(lapel_postpone(&d.lapel, LAPEL_POSTPONE_BUDGET_MS), LAPEL_OK);
    for (int i = 0; i < 400 && d.lapel.rec.postpone_left_ms > 0; i++) {
        uint32_t wait = 0;

        (void)lapel_step(&d.lapel, &wait);
        d.now += wait + 3600000;
    }
    CHECK_UINT(d.lapel.rec.postpone_left_ms, 0);
    CHECK_INT(lapel_postpone(&d.lapel, 1), LAPEL_ERR_RANGE);
    CHECK_INT(lapel_postpone(&d.lapel, 0), LAPEL_OK);

    fresh("a gate that denies is not asked again for this release");
    d.gate[LAPEL_GATE_DOWNLOAD] = LAPEL_DENY;
    CHECK(live_checkins(4));
    CHECK_INT(d.asked[LAPEL_GATE_DOWNLOAD], 1);
    CHECK_INT(d.server.payloads, 0);

    fresh("INSTALL denied: nothing is staged, the server hears why");
    d.gate[LAPEL_GATE_INSTALL] = LAPEL_DENY;
    CHECK(live_checkins(2));
    CHECK(device_state(&d) == LAPEL_READY);
    CHECK_INT(d.boots, 1);
    CHECK_UINT(d.server.attempt_class, LSUIT_CLASS_USER_REFUSED);

    fresh("REBOOT denied: unstaged");
    d.gate[LAPEL_GATE_REBOOT] = LAPEL_DENY;
    CHECK(live_checkins(3));
    CHECK(device_state(&d) == LAPEL_READY);
    CHECK(!d.staged);
    CHECK_INT(d.boots, 1);

    fresh("a gate that waits is asked again when its time is over");
    d.gate[LAPEL_GATE_REBOOT] = LAPEL_WAIT;
    d.gate_wait = 3600000;
    CHECK(device_live(&d, at_gate, 20000));
    CHECK_INT(d.asked[LAPEL_GATE_REBOOT], 1);
    CHECK(live_checkins(3));
    CHECK(d.asked[LAPEL_GATE_REBOOT] >= 2);
    CHECK(d.asked[LAPEL_GATE_REBOOT] <= 5);
    d.gate[LAPEL_GATE_REBOOT] = LAPEL_ALLOW;
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("settings out of range");
    CHECK_INT(lapel_user_set(&d.lapel, (enum lapel_setting)0, LAPEL_ON, LAPEL_BY_USER),
              LAPEL_ERR_RANGE);
    CHECK_INT(lapel_user_set(&d.lapel, (enum lapel_setting)4, LAPEL_ON, LAPEL_BY_USER),
              LAPEL_ERR_RANGE);
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_NOTIFY, (enum lapel_choice)3, LAPEL_BY_USER),
              LAPEL_ERR_RANGE);
    CHECK_INT(lapel_postpone(&d.lapel, LAPEL_POSTPONE_BUDGET_MS + 1), LAPEL_ERR_RANGE);

    fresh("no server for a day before the restart: then it goes on");
    CHECK(live_to(LAPEL_STAGED));
    d.server.refuse_connect = true;
    until_state = LAPEL_TRIAL;
    CHECK(device_live(&d, in_state, 20000));
}

/* What is told after a restart is what was signed: the manifest is read again from its slot. */
static void security(const char *name, int64_t priority)
{
    fresh(name);
    release_make(&odd, 64, 4000, &key, &(struct release_how){ .priority = priority });
    d.image[d.images++] = &odd;
    d.server.release = &odd;
}

static void expect_signed(enum lapel_event_id id, enum lapel_severity severity, int64_t priority)
{
    CHECK(d.told[id] > 0);
    CHECK(d.offered_with[id]);
    CHECK_INT(d.severity[id], severity);
    CHECK_INT(d.priority[id], priority);
}

/* The program starts anew, and the boot loader has not acted yet. */
static void same_start(void)
{
    d.server.open = false;
    memset(&d.lapel, 0xa5, sizeof d.lapel);
    memset(d.envelope, 0xa5, sizeof d.envelope);
    d.init = lapel_init(&d.lapel, &d.config, &d.ports, &d.memory);
    CHECK_INT(d.init, LAPEL_OK);
}

static bool is_staged(struct device *x)
{
    return x->staged;
}

static bool told_installed(struct device *x)
{
    return x->told[LAPEL_EVENT_INSTALLED] > 0;
}

static bool told_reverted_now(struct device *x)
{
    return x->told[LAPEL_EVENT_REVERTED] > 0;
}

static void test_severity(void)
{
    static const struct {
        const char *name;
        int64_t priority;
        enum lapel_severity severity;
    } ROWS[] = {
        { "installed: a critical release is told as critical", 50, LAPEL_CRITICAL },
        { "installed: a security release is told as security", 500, LAPEL_SECURITY },
        { "installed: a feature is told as a feature", 5000, LAPEL_FEATURE },
        { "installed: a negative priority is critical", -3, LAPEL_CRITICAL },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        security(ROWS[i].name, ROWS[i].priority);
        CHECK(live_to(LAPEL_STAGED));
        CHECK(live_to(LAPEL_TRIAL));
        expect_signed(LAPEL_EVENT_STATE, ROWS[i].severity, ROWS[i].priority);
        CHECK(device_live(&d, told_installed, 20000));
        expect_signed(LAPEL_EVENT_INSTALLED, ROWS[i].severity, ROWS[i].priority);
        expect_signed(LAPEL_EVENT_STATE, ROWS[i].severity, ROWS[i].priority);
    }

    security("severity by an alternative for the slot that was written", 0);
    release_make(&odd, 64, 700, &key,
                 &(struct release_how){ .install = "[15, [<<[20, {5: 0}, 5, 15, 20, {27: 5000}]>>, "
                                                   "<<[20, {5: 1}, 5, 15, 20, {27: 50}]>>], "
                                                   "20, {21: \"#fw\"}, 21, 15, 3, 15]",
                                        .integrated = true });
    CHECK(device_live(&d, told_installed, 20000));
    CHECK_INT(d.running, 1);
    expect_signed(LAPEL_EVENT_AVAILABLE, LAPEL_CRITICAL, 50);
    expect_signed(LAPEL_EVENT_INSTALLED, LAPEL_CRITICAL, 50);

    security("reverted: says which release, by what was signed", 500);
    d.health = LAPEL_HEALTH_BAD;
    CHECK(device_live(&d, told_reverted_now, 20000));
    expect_signed(LAPEL_EVENT_REVERTED, LAPEL_SECURITY, 500);

    security("reverted by a reset in the trial: the same", 500);
    d.health = LAPEL_HEALTH_UNKNOWN;
    CHECK(live_to(LAPEL_TRIAL));
    device_boot(&d);
    expect_signed(LAPEL_EVENT_REVERTED, LAPEL_SECURITY, 500);

    security("reverted, and another manifest in the slot: it is not told", 500);
    d.health = LAPEL_HEALTH_UNKNOWN;
    CHECK(live_to(LAPEL_TRIAL));
    memcpy(d.area_store[1], v2.envelope, v2.envelope_n);
    d.area_n[1] = (uint16_t)v2.envelope_n;
    device_boot(&d);
    CHECK(d.told[LAPEL_EVENT_REVERTED] > 0);
    CHECK(!d.offered_with[LAPEL_EVENT_REVERTED]);

    security("off for security holds after a restart in STAGED too", 500);
    CHECK(device_live(&d, is_staged, 20000));
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_SECURITY, LAPEL_OFF, LAPEL_BY_USER), LAPEL_OK);
    same_start();
    CHECK(live_checkins(4));
    CHECK_INT(d.boots, 1);
    CHECK(device_state(&d) == LAPEL_STAGED);
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_SECURITY, LAPEL_ON, LAPEL_BY_USER), LAPEL_OK);
    CHECK(live_to(LAPEL_TRIAL));

    security("a manifest that can't be read is installed against no off", 500);
    CHECK(device_live(&d, is_staged, 20000));
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_SECURITY, LAPEL_OFF, LAPEL_BY_USER), LAPEL_OK);
    d.area_n[1] = 0;
    same_start();
    CHECK(live_checkins(4));
    CHECK_INT(d.boots, 1);
}

static void test_support(void)
{
    /* The clock says September 2026. */
    static const struct {
        const char *name;
        uint32_t end;
        int told;
    } ROWS[] = {
        { "support ended a year ago", 202509, 1 },
        { "support ended last month", 202608, 1 },
        { "support ends this month", 202609, 1 },
        { "support ends in three months", 202612, 1 },
        { "support ends in four months", 202701, 0 },
        { "support ends in years", 203106, 0 },
        { "support not published", 0, 0 },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lapel_status s;

        fresh(ROWS[i].name);
        d.server.release = NULL;
        d.server.support_end = ROWS[i].end;
        CHECK(live_checkins(3));
        CHECK_INT(d.told[LAPEL_EVENT_SUPPORT_ENDING], ROWS[i].told);
        if (ROWS[i].told)
            CHECK_UINT(d.year_month, ROWS[i].end);
        lapel_status(&d.lapel, &s);
        CHECK_UINT(s.support_end, ROWS[i].end);
    }
}

static void test_support_url(void)
{
    /* clang-format off */
    static const struct { const char *name, *sent, *kept; } ROWS[] = {
        { "a support page",                   "https://example.com/support/L-1", "https://example.com/support/L-1" },
        { "a support page in clear",          "http://example.com/s",            "http://example.com/s" },
        { "no support page",                  NULL,                              "" },
        { "an address that is no page",       "javascript:alert(1)",             "" },
        { "a scheme and nothing else",        "https://",                        "" },
        { "a page with a blank",              "https://example.com/a b",         "" },
        { "a page beyond ASCII",              "https://example.com/\xc3\xa4",  "" },
    };
    /* clang-format on */
    struct lapel_status s;

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        fresh(ROWS[i].name);
        d.server.release = NULL;
        lapel_status(&d.lapel, &s);
        CHECK_STR(s.support_url, "");
        d.server.support_url = ROWS[i].sent;
        CHECK(live_checkins(2));
        lapel_status(&d.lapel, &s);
        CHECK_STR(s.support_url, ROWS[i].kept);
    }

    fresh("a support page that is taken back is not shown any more");
    d.server.release = NULL;
    d.server.support_url = "https://example.com/s";
    CHECK(live_checkins(2));
    d.server.support_url = NULL;
    CHECK(live_checkins(1));
    lapel_status(&d.lapel, &s);
    CHECK_STR(s.support_url, "");

    fresh("a support page is not kept where the caller has no room for it");
    d.server.release = NULL;
    d.server.support_url = "https://example.com/s";
    d.memory.support_url = NULL;
    device_boot(&d);
    CHECK(live_checkins(2));
    lapel_status(&d.lapel, &s);
    CHECK_STR(s.support_url, "");
    d.memory.support_url = d.support_url;
}

/* --- documents that grow, records that are lost, files --------------------------------------------- */

static void test_forward(void)
{
    fresh("a server that adds unknown keys");
    d.server.unknown_keys = true;
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("an unknown key below 0 refuses the answer");
    d.server.negative_key = true;
    CHECK(live_checkins(3));
    CHECK_INT(d.server.manifests, 0);
    CHECK_UINT(d.lapel.good_checks, 0);
    d.server.negative_key = false;
    CHECK(device_live(&d, runs_v2, 20000));
}

static void test_lost(void)
{
    fresh("both records are lost: the manifest of the running image says how far it was");
    CHECK(device_live(&d, runs_v2, 20000));
    memset(d.record[0].bytes, 0x5a, DEVICE_RECORD_SIZE);
    memset(d.record[1].bytes, 0x00, DEVICE_RECORD_SIZE);
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v2.sequence);
    CHECK(d.lapel.rec.accepted_known);
    d.server.release = &v1; /* and nothing lower is taken */
    d.server.serve = &v1;
    CHECK(device_live(&d, told_refused, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_ROLLBACK);

    fresh("lost in a trial: the boot loader's word counts");
    CHECK(live_to(LAPEL_TRIAL));
    memset(d.record[0].bytes, 0, DEVICE_RECORD_SIZE);
    memset(d.record[1].bytes, 0, DEVICE_RECORD_SIZE);
    d.init = lapel_init(&d.lapel, &d.config, &d.ports, &d.memory); /* the same start */
    CHECK_INT(d.init, LAPEL_OK);
    CHECK(device_state(&d) == LAPEL_TRIAL);
    CHECK(device_live(&d, runs_v2, 20000));

    check_case("a factory image without a manifest has the number of its configuration");
    device_init(&d, &key, &v1, 8, 0xff);
    d.area_n[0] = 0;
    d.config.factory_sequence = 40;
    d.server.release = &v2; /* 32 */
    d.server.serve = &v2;
    device_boot(&d);
    CHECK_UINT(d.lapel.rec.accepted.sequence, 40);
    CHECK(device_live(&d, told_refused, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_ROLLBACK);
}

static int read_file(void *p, struct lsuit_bytes uri, uint64_t offset, uint8_t *buf, size_t n)
{
    struct device *x = p;

    (void)uri;
    if (offset + n > x->file->payload_n)
        return -1;
    memcpy(buf, x->file->payload + offset, n);
    return (int)n;
}

static void test_apply(void)
{
    fresh("a file, without a network");
    d.net_down = true;
    d.file = &v2;
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.server.connects, 0);
    CHECK_INT(d.told[LAPEL_EVENT_INSTALLED], 1);

    fresh("a file with its payload inside");
    release_make(&odd, 64, 700, &key, &(struct release_how){ .integrated = true });
    d.image[d.images++] = &odd;
    d.net_down = true;
    CHECK_INT(lapel_apply(&d.lapel, odd.envelope, odd.envelope_n, NULL), LAPEL_OK);
    until_state = LAPEL_UPDATED;
    CHECK(device_live(&d, in_state, 20000));

    fresh("a person's file goes before off and postponed");
    CHECK_INT(lapel_user_set(&d.lapel, LAPEL_AUTO_FEATURE, LAPEL_OFF, LAPEL_BY_USER), LAPEL_OK);
    CHECK_INT(lapel_postpone(&d.lapel, 1000000), LAPEL_OK);
    d.file = &v2;
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));

    CHECK_UINT(d.lapel.rec.postpone_left_ms, 0); /* and ends the postponement */
    CHECK_UINT(d.lapel.rec.choice[LAPEL_AUTO_FEATURE - 1], LAPEL_OFF);
    CHECK_INT(d.told[LAPEL_EVENT_CONSENT_NEEDED], 0);
    for (int gate = LAPEL_GATE_DOWNLOAD; gate <= LAPEL_GATE_REBOOT; gate++)
        CHECK_INT(d.asked[gate], 1); /* the product's own gate counts */
    d.image[d.images++] = &v3;
    d.server.release = &v3; /* and the consent was for that one file */
    CHECK(live_checkins(3));
    CHECK_INT(d.server.payloads, 0);

    fresh("a file that is denied by the product's gate is not installed");
    d.server.release = NULL;
    d.gate[LAPEL_GATE_INSTALL] = LAPEL_DENY;
    d.file = &v2;
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_OK);
    CHECK(live_checkins(2));
    CHECK(device_state(&d) == LAPEL_READY);
    CHECK_INT(d.boots, 1);

    fresh("a file that is refused doesn't end a postponement");
    CHECK_INT(lapel_postpone(&d.lapel, 86400000), LAPEL_OK);
    release_make(&odd, 64, 700, &other_key, &(struct release_how){ 0 });
    CHECK_INT(lapel_apply(&d.lapel, odd.envelope, odd.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, told_refused, 20000));
    CHECK(d.lapel.rec.postpone_left_ms > 0);

    fresh("who postpones after applying a file is obeyed, over a restart");
    d.server.release = NULL;
    d.file = &v2;
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_OK);
    CHECK(live_to(LAPEL_CANDIDATE));
    CHECK_INT(lapel_postpone(&d.lapel, 86400000), LAPEL_OK);
    CHECK(live_checkins(3));
    CHECK_INT(d.boots, 1);
    device_boot(&d);
    CHECK(live_checkins(3));
    CHECK(device_state(&d) == LAPEL_CANDIDATE);
    CHECK(d.lapel.rec.postpone_left_ms > 0);
    CHECK_INT(lapel_postpone(&d.lapel, 0), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));

    updated("an old file is refused");
    d.file = &v1;
    CHECK_INT(lapel_apply(&d.lapel, v1.envelope, v1.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, told_refused, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_ROLLBACK);

    fresh("a file by a wrong key");
    release_make(&odd, 64, 700, &other_key, &(struct release_how){ 0 });
    CHECK_INT(lapel_apply(&d.lapel, odd.envelope, odd.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, told_refused, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_UNAUTHORISED);

    fresh("a file with another payload beside it");
    d.file = &v3;
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, told_failed, 20000));

    fresh("the power goes while a file is applied: READY, and it can be applied again");
    d.file = &v2;
    d.server.release = NULL;
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, v2_in_flight, 20000));
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_ERR_STATE);
    device_boot(&d);
    CHECK(device_state(&d) == LAPEL_READY);
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("a blocked release is lifted by a person");
    d.health = LAPEL_HEALTH_BAD;
    for (int i = 0; i < 3; i++) {
        d.told[LAPEL_EVENT_REVERTED] = 0;
        CHECK(device_live(&d, told_reverted, 20000));
    }
    d.health = LAPEL_HEALTH_OK;
    d.file = &v2;
    CHECK_INT(lapel_apply(&d.lapel, v2.envelope, v2.envelope_n, read_file), LAPEL_OK);
    CHECK(device_live(&d, runs_v2, 20000));

    fresh("too large for the buffer, or nothing");
    CHECK_INT(lapel_apply(&d.lapel, d.envelope, 4096, read_file), LAPEL_ERR_MEMORY);
    CHECK_INT(lapel_apply(&d.lapel, d.envelope, 0, read_file), LAPEL_ERR_MEMORY);
}

/* --- init ------------------------------------------------------------------------------------------------ */

static void test_init(void)
{
    static const struct lapel_net SHORT_NET = {
        sizeof(struct lapel_net) - 1, dev_connect, dev_send, dev_recv, dev_close, NULL
    };
    static const struct lapel_nv NO_WRITE = {
        sizeof(struct lapel_nv), dev_nv_read, NULL, NULL, NULL, NULL
    };

    fresh("a configuration that is no good is refused, and says why");
    struct lapel_config good = d.config;
    struct lapel_ports ports = d.ports;
    struct lapel_memory memory = d.memory;

    d.config.base_url[0] = "http://updates.example";
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_CONFIG);
    CHECK(strstr(lapel_init_why(&d.lapel), "clear_credentials") != NULL);
    d.config.clear_credentials = true;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_OK);
    d.config = good;
    d.config.base_url[0] = "https://updates.example/path";
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_CONFIG);
    d.config = good;
    d.config.token = "short";
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_CONFIG);
    d.config.token = "abcdefghijklmnopqrstuvwxyz\r\n2345678901234567";
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_CONFIG);
    d.config = good;
    d.config.product = "";
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_CONFIG);
    d.config = good;
    d.config.release_keys_n = 0;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_CONFIG);
    d.config = good;
    d.ports.net = &SHORT_NET;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_PORT);
    d.ports = ports;
    d.ports.nv = &NO_WRITE;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_PORT);
    d.ports = ports;
    d.ports.crypto = NULL;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_PORT);
    d.ports = ports;
    d.memory.envelope_size = 2047;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_MEMORY);
    d.memory = memory;
    d.memory.work = NULL;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_MEMORY);
    d.memory = memory;

    fresh("no policy, no clock of day, no counter: all optional");
    struct lapel_boot boot = DEV_BOOT;
    struct lapel_sys sys = DEV_SYS;

    boot.counter = NULL;
    boot.power_on = NULL;
    sys.epoch_s = NULL;
    d.ports.boot = &boot;
    d.ports.sys = &sys;
    d.ports.policy = NULL;
    device_boot(&d);
    CHECK(device_live(&d, runs_v2, 20000));
}

/* --- wear, drips, crashes ------------------------------------------------------------------- */

static uint64_t until_ms;
static bool later(struct device *x)
{
    return x->now >= until_ms;
}

static void test_begins(void)
{
    const uint64_t day = 86400000;

    fresh("a server that breaks off each download can't wear the flash out");
    d.config.period_ms = 60000;
    d.server.no_range = true;
    d.server.drop_after = 2500;
    until_ms = day - 1000;
    CHECK(device_live(&d, later, 2000000));
    CHECK_INT(d.begins, LAPEL_BEGINS_PER_DAY);
    until_ms = 2 * day - 1000;
    CHECK(device_live(&d, later, 2000000));
    CHECK_INT(d.begins, 2 * LAPEL_BEGINS_PER_DAY);

    check_case("a restart gives no new budget, and the device still checks in");
    int checkins = d.server.checkins;
    uint64_t now = d.now;
    device_boot(&d);
    d.now = now;
    d.lapel.tick = now;
    until_ms = now + 3600000;
    CHECK(device_live(&d, later, 2000000));
    CHECK_INT(d.begins, 2 * LAPEL_BEGINS_PER_DAY);
    CHECK(d.server.checkins > checkins);

    check_case("it goes on by itself the day after");
    d.server.drop_after = 0;
    CHECK(device_live(&d, runs_v2, 2000000));
    CHECK_INT(d.bricks, 0);
}

static bool waits_half(struct device *x)
{
    return device_state(x) == LAPEL_WRITING && x->server.checkins >= 2;
}

static void test_drip(void)
{
    fresh("a long payload keeps no check-in waiting for ever, and goes on behind it");
    d.server.next_poll_s = 60;
    d.server.recv_max = 10;
    d.server.drip_ms = 1100; /* 5000 bytes: nine minutes, and not too slow for http1.c */
    CHECK(live_to(LAPEL_WRITING));
    CHECK(device_live(&d, waits_half, 200000));
    CHECK(d.now < 3 * (uint64_t)LAPEL_EXCHANGE_MS / 2);
    CHECK(d.lapel.at > 0);
    CHECK(device_live(&d, runs_v2, 500000));
    CHECK(d.server.ranges > 0);
    CHECK_INT(d.bricks, 0);

    fresh("a check-in's answer that drips ends in time");
    d.server.recv_max = 1;
    d.server.drip_ms = 0;
    d.drip_all_ms = 25000; /* below the idle time */
    CHECK(live_checkins(1));
    uint64_t began = d.now;
    CHECK(live_checkins(1));
    CHECK(d.now - began < 3 * (uint64_t)LAPEL_EXCHANGE_MS);
    CHECK_UINT(d.lapel.good_checks, 0);
}

static void test_fault(void)
{
    static const uint8_t DETAIL[40] = { 1, 2, 3 };

    fresh("what a crash left goes with the next check-in, once");
    d.server.release = NULL;
    CHECK_INT(lapel_fault(&d.lapel, 2, 0x08001234, DETAIL, 3), LAPEL_OK);
    device_boot(&d); /* it survives */
    CHECK(live_checkins(1));
    CHECK(d.server.checkin.has_fault);
    CHECK_UINT(d.server.checkin.fault.kind, 2);
    CHECK_UINT(d.server.checkin.fault.where, 0x08001234);
    CHECK_UINT(d.server.checkin.fault.sequence, v1.sequence);
    CHECK_BYTES(d.server.checkin.fault.detail.ptr, d.server.checkin.fault.detail.len, DETAIL, 3);
    CHECK(live_checkins(1));
    CHECK(!d.server.checkin.has_fault);

    fresh("a server that is away loses none, and more than fits is cut");
    d.server.release = NULL;
    CHECK_INT(lapel_fault(&d.lapel, 1, 7, DETAIL, sizeof DETAIL), LAPEL_OK);
    d.server.checkin_status = 503;
    CHECK(live_checkins(2));
    d.server.checkin_status = 0;
    CHECK(live_checkins(1));
    CHECK(d.server.checkin.has_fault);
    CHECK_UINT(d.server.checkin.fault.detail.len, 37);

    fresh("after a trial that went back it names the image that crashed");
    CHECK(live_to(LAPEL_TRIAL));
    d.power_on = false;
    d.server.release = NULL;
    device_boot(&d); /* the watchdog: the former image runs again */
    CHECK(device_state(&d) == LAPEL_FAILED);
    CHECK_INT(lapel_fault(&d.lapel, 1, 1, NULL, 0), LAPEL_OK);
    CHECK(live_checkins(1));
    CHECK_UINT(d.server.checkin.fault.sequence, v2.sequence);

    fresh("one that can't be stored is said so");
    d.fail_at = d.calls + 1;
    d.fail_ever = true;
    CHECK_INT(lapel_fault(&d.lapel, 1, 1, NULL, 0), LAPEL_ERR_NV);
    d.fail_at = 0;
    CHECK_UINT(d.lapel.rec.fault.known, 0);
}

int main(void)
{
    struct release_how plain = { 0 };

    signer_init(&key);
    signer_init(&other_key);
    release_make(&v1, 16, 3000, &key, &plain);
    release_make(&v2, 32, 5000, &key, &plain);
    release_make(&v3, 48, 4000, &key, &plain);
    test_update();
    test_wire();
    test_refused();
    test_bad_image();
    test_credentials();
    test_withdraw();
    test_status();
    test_resume();
    test_trial();
    test_user();
    test_severity();
    test_support();
    test_support_url();
    test_forward();
    test_lost();
    test_apply();
    test_init();
    test_begins();
    test_drip();
    test_fault();
    return check_done();
}
