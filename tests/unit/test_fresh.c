/*
 * Statements at a device: what is believed, what it stops, when it is stale, what is stored; and a
 * server that is static files. In memory: tests/harness/device.h.
 */
#include "check.h"
#include "device.h"
#include "lsuit/place.h"

static struct signer key, online_key, other_key;
static struct release v1, v2, v3;
static struct device d;

static void fresh(const char *name)
{
    check_case(name);
    device_init(&d, &key, &v1, 8, 0xff);
    device_online(&d, &online_key);
    d.image[d.images++] = &v2;
    d.image[d.images++] = &v3;
    d.server.st.number = 100;
    d.server.st.issued_s = 1800000000;
    device_boot(&d);
}

/* The statement says this of a release, to everybody, from the next number on. */
static void say(const struct release *r, uint32_t state)
{
    static const uint8_t SALT[16] = { 1 };
    struct lsuit_statement *st = &d.server.st;
    uint32_t at = 0;

    while (at < st->releases_n && st->releases[at].sequence != r->sequence)
        at++;
    if (at == st->releases_n)
        st->releases_n++;
    st->releases[at] = (struct lsuit_release){ .sequence = r->sequence,
                                               .digest = { r->digest, 32 },
                                               .state = state,
                                               .salt = { SALT, 16 },
                                               .has_threshold = true,
                                               .threshold = UINT64_MAX };
    st->number++;
}

static int until_checkins;
static bool enough_checkins(struct device *x)
{
    return x->server.checkins + x->server.statements >= until_checkins && x->lapel.exchange == 0;
}

static bool live_checkins(int more)
{
    until_checkins = d.server.checkins + d.server.statements + more;
    return device_live(&d, enough_checkins, 400000);
}

static enum lapel_state until_state;
static bool in_state(struct device *x)
{
    return device_state(x) == until_state;
}

static bool live_to(enum lapel_state state)
{
    until_state = state;
    return device_live(&d, in_state, 40000);
}

static bool at_gate(struct device *x)
{
    return x->lapel.gate != 0;
}

static bool runs_v2(struct device *x)
{
    return device_state(x) == LAPEL_READY && x->lapel.rec.accepted.sequence == v2.sequence;
}

static struct lapel_status status(void)
{
    struct lapel_status s;

    lapel_status(&d.lapel, &s);
    return s;
}

/* --- who is believed ---------------------------------------------------------------------------- */

static void test_believed(void)
{
    static const uint8_t OTHER[16] = { 9 };
    static const struct {
        const char *name;
        bool by_release_key, by_stranger;
        enum lsuit_doc sign_as;
        bool other_space, other_nonce;
        uint64_t number; /* 0: the next */
        uint8_t class_;
    } ROWS[] = {
        { "signed by the release key", true, false, 0, false, false, 0, LSUIT_CLASS_UNAUTHORISED },
        { "signed by a stranger", false, true, 0, false, false, 0, LSUIT_CLASS_UNAUTHORISED },
        { "a receipt in its place", false, false, LSUIT_DOC_RECEIPT, false, false, 0,
          LSUIT_CLASS_UNAUTHORISED },
        { "of another space", false, false, 0, true, false, 0, LSUIT_CLASS_WRONG_DEVICE },
        { "an old one, with our nonce", false, false, 0, false, false, 50, LSUIT_CLASS_ROLLBACK },
        { "replayed: a nonce that isn't ours", false, false, 0, false, true, 0,
          LSUIT_CLASS_ROLLBACK },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        fresh(ROWS[i].name);
        CHECK(live_checkins(1));
        CHECK_UINT(status().statement, 100);
        CHECK_UINT(status().issued_s, 1800000000);
        d.server.st.issued_s++;
        d.server.signer = ROWS[i].by_release_key ? &key
                          : ROWS[i].by_stranger  ? &other_key
                                                 : &online_key;
        d.server.sign_as = ROWS[i].sign_as;
        d.server.st.number = ROWS[i].number != 0 ? ROWS[i].number : 101;
        if (ROWS[i].other_space) {
            d.server.st.space.vendor_id = (struct lsuit_bytes){ OTHER, 16 };
            d.server.st.space.class_id = (struct lsuit_bytes){ OTHER, 16 };
        }
        d.server.nonce = ROWS[i].other_nonce ? OTHER : NULL;
        d.lapel.rec.fresh.age_s = 6 * 86400; /* it will want a nonce */
        CHECK(live_checkins(1));
        CHECK_INT(d.told[LAPEL_EVENT_STATEMENT], 1);
        CHECK_INT(d.last_error, ROWS[i].class_);
        CHECK_UINT(status().statement, 100);
        CHECK_UINT(status().issued_s, 1800000000);
        CHECK(status().fresh_age_s >= 6 * 86400);
        CHECK(live_checkins(1));
        CHECK(d.server.events[LSUIT_EVENT_STATEMENT] > 0);
        CHECK_INT(d.lapel.rec.state, LAPEL_READY);
    }

    fresh("an old one that nobody asked for is refused, and no event of security");
    d.server.always = true;
    CHECK(live_checkins(1));
    d.server.st.number = 99;
    CHECK(live_checkins(2));
    CHECK_UINT(status().statement, 100);
    CHECK_INT(d.last_error, LSUIT_CLASS_ROLLBACK);
    CHECK_INT(d.server.events[LSUIT_EVENT_STATEMENT], 0);

    fresh("a device without online keys asks for none and believes none");
    d.config.online_keys_n = 0;
    d.server.always = true;
    device_boot(&d);
    CHECK(live_checkins(2));
    CHECK_INT(d.server.nonces, 0);
    CHECK_UINT(status().statement, 0);

    fresh("it never causes an install, nor raises what is accepted");
    say(&v2, LSUIT_RELEASE_OPEN);
    d.server.st.highest = 1u << 30;
    CHECK(live_checkins(3));
    CHECK_INT(d.server.manifests, 0);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
}

static void test_nonce(void)
{
    fresh("a nonce is asked for at the first check-in, then rests");
    CHECK(live_checkins(4));
    CHECK_INT(d.server.nonces, 1);
    check_case("and again when a quarter of the time until stale is over");
    d.lapel.rec.fresh.age_s = 7 * 86400 / 4;
    CHECK(live_checkins(2));
    CHECK_INT(d.server.nonces, 2);
    check_case("a server that has no nonce to spare: the number shows that it is fresh");
    d.server.no_nonce = true;
    d.server.st.number = 200;
    d.lapel.rec.fresh.age_s = 6 * 86400;
    CHECK(live_checkins(1));
    CHECK(status().fresh_age_s < 60);
    check_case("the same number without the nonce is no proof");
    d.lapel.rec.fresh.age_s = 6 * 86400;
    CHECK(live_checkins(1));
    CHECK(status().fresh_age_s >= 6 * 86400);
    check_case("with it, it is");
    d.server.no_nonce = false;
    CHECK(live_checkins(1));
    CHECK(status().fresh_age_s < 60);
}

/* --- what it stops -------------------------------------------------------------------------------- */

/* At a gate of this state, with an offer of v2 in hand. */
static void at(const char *name, enum lapel_gate gate)
{
    fresh(name);
    d.server.release = &v2;
    d.server.always = true;
    d.gate[gate] = LAPEL_WAIT;
    d.gate_wait = 3600000;
    CHECK(device_live(&d, at_gate, 20000));
}

static void test_stops(void)
{
    static const struct {
        const char *name;
        enum lapel_gate gate;
        uint32_t state;
        bool ends;
    } ROWS[] = {
        { "withdrawn: an offer is dropped", LAPEL_GATE_DOWNLOAD, LSUIT_RELEASE_WITHDRAWN, true },
        { "withdrawn: a candidate is abandoned", LAPEL_GATE_INSTALL, LSUIT_RELEASE_WITHDRAWN,
          true },
        { "halted: a candidate is abandoned", LAPEL_GATE_INSTALL, LSUIT_RELEASE_HALTED, true },
        { "held: a candidate stays", LAPEL_GATE_INSTALL, LSUIT_RELEASE_HELD, false },
        { "withdrawn: what is staged is unstaged", LAPEL_GATE_REBOOT, LSUIT_RELEASE_WITHDRAWN,
          true },
        { "open: what is staged stays", LAPEL_GATE_REBOOT, LSUIT_RELEASE_OPEN, false },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        at(ROWS[i].name, ROWS[i].gate);
        if (ROWS[i].ends && ROWS[i].gate != LAPEL_GATE_DOWNLOAD)
            d.server.release = NULL; /* the answer itself says nothing of it */
        say(&v2, ROWS[i].state);
        CHECK(live_checkins(1));
        if (ROWS[i].ends) {
            CHECK(live_to(LAPEL_READY));
            CHECK_INT(d.told[LAPEL_EVENT_WITHDRAWN], 1);
            CHECK(!d.staged);
            CHECK_INT(d.lapel.rec.block[0].fails, 0);
        } else {
            CHECK(live_checkins(2));
            CHECK(device_state(&d) != LAPEL_READY);
            CHECK_INT(d.told[LAPEL_EVENT_WITHDRAWN], 0);
        }
    }

    fresh("withdrawn while it is written");
    d.server.release = &v2;
    d.server.always = true;
    d.server.drop_after = 1500;
    d.server.drops = 1;
    CHECK(live_to(LAPEL_WRITING));
    say(&v2, LSUIT_RELEASE_WITHDRAWN);
    d.server.release = NULL;
    d.server.serve = &v2;
    d.server.payload_status = 503;
    CHECK(live_to(LAPEL_READY));
    CHECK_INT(d.told[LAPEL_EVENT_WITHDRAWN], 1);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
}

static bool went_back(struct device *x)
{
    return x->told[LAPEL_EVENT_REVERTED] > 0 && device_state(x) == LAPEL_READY;
}

static void on_trial(const char *name)
{
    fresh(name);
    d.server.release = &v2;
    d.health = LAPEL_HEALTH_UNKNOWN; /* the product has not said that it is well */
    CHECK(live_to(LAPEL_TRIAL));
}

static void test_trial(void)
{
    on_trial("withdrawn for good ends a trial by going back");
    say(&v2, LSUIT_RELEASE_WITHDRAWN);
    CHECK(device_live(&d, went_back, 40000));
    CHECK_INT(d.last_error, LSUIT_CLASS_WITHDRAWN);
    CHECK_INT(d.running, 0);
    check_case("which counts nothing against the image");
    CHECK_INT(d.lapel.rec.block[0].fails, 0);
    CHECK_INT(d.bricks, 0);

    on_trial("halted lets a trial go on");
    say(&v2, LSUIT_RELEASE_HALTED);
    CHECK(live_checkins(1));
    CHECK_INT(device_state(&d), LAPEL_TRIAL);
    d.health = LAPEL_HEALTH_OK;
    CHECK(device_live(&d, runs_v2, 20000));

    on_trial("another release that is withdrawn ends nothing");
    say(&v3, LSUIT_RELEASE_WITHDRAWN);
    d.health = LAPEL_HEALTH_OK;
    CHECK(device_live(&d, runs_v2, 20000));

    on_trial("an old statement that says withdrawn ends nothing");
    d.lapel.rec.fresh.number = 500;
    say(&v2, LSUIT_RELEASE_WITHDRAWN);
    CHECK(live_checkins(1));
    CHECK_INT(device_state(&d), LAPEL_TRIAL);

    on_trial("nor does one by a release key");
    d.server.signer = &key;
    say(&v2, LSUIT_RELEASE_WITHDRAWN);
    CHECK(live_checkins(1));
    CHECK_INT(device_state(&d), LAPEL_TRIAL);
}

/* --- stale ----------------------------------------------------------------------------------------- */

static uint64_t until_ms;
static bool past(struct device *x)
{
    return x->now >= until_ms;
}

static bool live_days(uint32_t n)
{
    until_ms = d.now + (uint64_t)n * 86400000;
    return device_live(&d, past, 4000000);
}

static bool is_stale(struct device *x)
{
    return x->told[LAPEL_EVENT_STALE] > 0;
}

static void test_stale(void)
{
    uint32_t number;

    fresh("stale is told once, when no statement came for as long as the last one said");
    d.server.st.stale_after_s = 3 * 86400;
    CHECK(live_checkins(1));
    d.server.st.number = 0; /* the server has none any more, or somebody keeps them */
    CHECK(live_days(2));
    CHECK_INT(d.told[LAPEL_EVENT_STALE], 0);
    CHECK(live_days(2));
    CHECK_INT(d.told[LAPEL_EVENT_STALE], 1);
    CHECK(status().stale);
    CHECK(live_days(4));
    CHECK_INT(d.told[LAPEL_EVENT_STALE], 1);
    CHECK_INT(d.server.events[LSUIT_EVENT_STALE], 1);
    check_case("the same number without a nonce does not end it");
    d.server.st.number = 100;
    d.server.no_nonce = true;
    CHECK(live_checkins(2));
    CHECK(status().stale);
    check_case("a restart neither ends it nor tells it again");
    device_boot(&d);
    CHECK(status().stale);
    CHECK(live_checkins(2));
    CHECK_INT(d.told[LAPEL_EVENT_STALE], 1);
    CHECK_INT(d.told[LAPEL_EVENT_FRESH], 0);
    check_case("a fresh one ends it, and that is told");
    d.server.no_nonce = false;
    CHECK(live_checkins(2));
    CHECK_INT(d.told[LAPEL_EVENT_FRESH], 1);
    CHECK(!status().stale);

    fresh("a clock that is wrong by years changes nothing");
    CHECK(live_checkins(1));
    d.epoch = 0x7fffffffffff;
    CHECK(live_checkins(2));
    CHECK_INT(d.told[LAPEL_EVENT_STALE], 0);

    fresh("a device that starts each hour gets stale too: age outlives starts");
    d.server.st.stale_after_s = 86400;
    CHECK(live_checkins(1));
    d.server.st.number = 0;
    for (int i = 0; i < 200 && d.told[LAPEL_EVENT_STALE] == 0; i++) {
        until_ms = d.now + 3600000;
        CHECK(device_live(&d, past, 100000));
        device_boot(&d);
    }
    CHECK(is_stale(&d));

    fresh("the journal is written four times a day for it, however often the device checks");
    d.server.next_poll_s = 60;
    CHECK(live_days(1));
    number = d.lapel.rec.number;
    int before = d.server.checkins;
    for (int i = 0; i < 10; i++) {
        d.server.st.number++;
        CHECK(live_days(1));
    }
    CHECK(d.server.checkins - before > 5000);
    CHECK(d.lapel.rec.number - number <= 41);
}

/* --- the journal ------------------------------------------------------------------------------------ */

static void test_not_stored(void)
{
    uint64_t number;

    fresh("a change that can't be stored has no effect");
    CHECK(live_checkins(1));
    number = d.lapel.rec.fresh.number;
    d.lapel.rec.fresh.age_s = 6 * 86400; /* it asks for proof at each check-in */
    say(&v3, LSUIT_RELEASE_HALTED);
    d.records_dead = true;
    CHECK(live_checkins(2));
    CHECK(d.records_refused > 0);
    CHECK_UINT(d.lapel.rec.fresh.number, number);
    check_case("and is taken when it can be");
    d.records_dead = false;
    CHECK(live_checkins(1));
    CHECK_UINT(d.lapel.rec.fresh.number, d.server.st.number);
}

static void test_stored(void)
{
    fresh("what changed is stored before it has an effect: no restart makes the old one new");
    d.server.always = true;
    say(&v2, LSUIT_RELEASE_OPEN);
    CHECK(live_checkins(1));
    say(&v2, LSUIT_RELEASE_HALTED);
    uint64_t halted = d.server.st.number;
    CHECK(live_checkins(1));
    device_boot(&d);
    CHECK_UINT(status().statement, halted);
    d.server.st.number = halted - 1;
    d.server.st.releases[0].state = LSUIT_RELEASE_OPEN;
    CHECK(live_checkins(1));
    CHECK_UINT(status().statement, halted);
    CHECK_INT(d.last_error, LSUIT_CLASS_ROLLBACK);

    /* Power cuts at every operation of the flash while statements come that change something: after
     * each the device knows a number that it saw, and never a lower one than it had stored. */
    uint32_t fired = 0;
    for (enum device_cut cut = CUT_BEFORE; cut < CUT_KINDS; cut++) {
        for (uint32_t n = 1;; n++) {
            fresh("power cut while a number is stored");
            d.server.always = true;
            CHECK(live_checkins(1));
            say(&v2, LSUIT_RELEASE_OPEN);
            CHECK(live_checkins(1));
            uint64_t stored = d.server.st.number;
            say(&v2, LSUIT_RELEASE_HALTED);
            d.ops = 0;
            d.cut_at = n;
            d.cut = cut;
            CHECK(live_checkins(2));
            if (!d.fired)
                break;
            fired++;
            d.cut_at = 0;
            device_boot(&d);
            uint64_t known = status().statement;
            CHECK(known == stored || known == d.server.st.number);
            CHECK(live_checkins(1));
            CHECK_UINT(status().statement, d.server.st.number);
            CHECK_INT(d.violations, 0);
        }
    }
    CHECK(fired > 200);
}

/* --- a server of static files --------------------------------------------------------------------- */

static void files(const char *name)
{
    check_case(name);
    device_init(&d, &key, &v1, 8, 0xff);
    device_online(&d, &online_key);
    d.image[d.images++] = &v2;
    d.image[d.images++] = &v3;
    d.config.cdn = true;
    d.server.serve = &v2;
    d.server.st.number = 100;
    device_boot(&d);
}

static uint64_t place_of(const char *id, struct lsuit_bytes salt)
{
    uint64_t place = 0;

    release_must(lsuit_place(&lsuit_crypto_psa, salt,
                             (struct lsuit_bytes){ (const uint8_t *)id, strlen(id) }, &place),
                 "place");
    return place;
}

static void test_files(void)
{
    struct lsuit_release *r = &d.server.st.releases[0];

    files("a whole update by GET alone, without a credential");
    say(&v2, LSUIT_RELEASE_OPEN);
    CHECK(device_live(&d, runs_v2, 40000));
    CHECK_INT(d.server.checkins, 0);
    CHECK_INT(d.server.reports, 0);
    CHECK_STR(d.server.last_auth, "");
    CHECK_STR(d.server.last_attempt, "");
    CHECK_INT(d.bricks, 0);
    check_case("before the restart the statement was asked once more");
    CHECK(d.server.statements >= 3);
    check_case("and when it runs, nothing more is fetched");
    int manifests = d.server.manifests;
    CHECK(live_checkins(3));
    CHECK_INT(d.server.manifests, manifests);

    files("its place is below the threshold: in");
    say(&v2, LSUIT_RELEASE_OPEN);
    r->threshold = place_of("device-0001", r->salt);
    CHECK(device_live(&d, runs_v2, 40000));
    files("above it: not");
    say(&v2, LSUIT_RELEASE_OPEN);
    r->threshold = place_of("device-0001", r->salt) - 1;
    CHECK(live_checkins(3));
    CHECK_INT(d.server.manifests, 0);
    check_case("until a later wave");
    r->threshold = UINT64_MAX;
    d.server.st.number++;
    CHECK(device_live(&d, runs_v2, 40000));
    files("without a threshold nobody is in");
    say(&v2, LSUIT_RELEASE_OPEN);
    r->has_threshold = false;
    CHECK(live_checkins(3));
    CHECK_INT(d.server.manifests, 0);
    files("a device without a name is in when everybody is");
    d.config.device_id = NULL;
    device_boot(&d);
    say(&v2, LSUIT_RELEASE_OPEN);
    r->threshold = UINT64_MAX - 1;
    CHECK(live_checkins(2));
    CHECK_INT(d.server.manifests, 0);
    r->threshold = UINT64_MAX;
    d.server.st.number++;
    CHECK(device_live(&d, runs_v2, 40000));

    static const uint32_t STOPPED[] = { LSUIT_RELEASE_HELD, LSUIT_RELEASE_HALTED,
                                        LSUIT_RELEASE_WITHDRAWN };
    for (size_t i = 0; i < 3; i++) {
        files("a release that is not open is not taken");
        say(&v2, STOPPED[i]);
        CHECK(live_checkins(3));
        CHECK_INT(d.server.manifests, 0);
    }
    files("of two the higher one, in whatever order they stand");
    say(&v3, LSUIT_RELEASE_OPEN);
    say(&v2, LSUIT_RELEASE_OPEN);
    d.server.serve = &v3;
    CHECK(live_to(LAPEL_TRIAL));
    CHECK_UINT(d.lapel.rec.attempt.pair.sequence, v3.sequence);
    files("the lower one when the higher is halted");
    say(&v2, LSUIT_RELEASE_OPEN);
    say(&v3, LSUIT_RELEASE_HALTED);
    CHECK(device_live(&d, runs_v2, 40000));
    files("what is held before its first byte is no offer any more");
    say(&v2, LSUIT_RELEASE_OPEN);
    d.gate[LAPEL_GATE_DOWNLOAD] = LAPEL_WAIT;
    d.gate_wait = 3600000;
    CHECK(device_live(&d, at_gate, 20000));
    say(&v2, LSUIT_RELEASE_HELD);
    CHECK(live_checkins(1));
    CHECK(!d.lapel.offered);
    files("what is halted before the restart is given up");
    say(&v2, LSUIT_RELEASE_OPEN);
    d.gate[LAPEL_GATE_REBOOT] = LAPEL_WAIT;
    d.gate_wait = 60000;
    CHECK(device_live(&d, at_gate, 40000));
    say(&v2, LSUIT_RELEASE_HALTED);
    CHECK(live_to(LAPEL_READY));
    CHECK_INT(d.running, 0);

    files("a statement by a stranger is no good check, and is tried again");
    d.server.signer = &other_key;
    say(&v2, LSUIT_RELEASE_OPEN);
    CHECK(live_checkins(3));
    CHECK_INT(d.server.manifests, 0);
    CHECK_INT((int)status().good_checks, 0);
    CHECK(d.told[LAPEL_EVENT_STATEMENT] >= 3);
    files("no export is refreshed any more: stale");
    say(&v1, LSUIT_RELEASE_OPEN);
    d.server.st.stale_after_s = 86400;
    CHECK(live_days(3));
    CHECK_INT(d.told[LAPEL_EVENT_STALE], 1);
    CHECK(d.server.statements >= 3);
    CHECK_INT(d.told[LAPEL_EVENT_STATEMENT], 0);
    files("the poll is the statement's");
    d.server.st.next_poll_s = 60;
    CHECK(live_checkins(5));
    CHECK(d.now < 3600000);
    files("a trial is confirmed by a verified statement");
    d.server.statements = 0;
    say(&v2, LSUIT_RELEASE_OPEN);
    CHECK(live_to(LAPEL_TRIAL));
    d.server.signer = &other_key;
    CHECK(live_checkins(2));
    CHECK_INT(device_state(&d), LAPEL_TRIAL);
    d.server.signer = &online_key;
    CHECK(device_live(&d, runs_v2, 40000));

    check_case("config: cdn needs online keys; http:// is enough where clear payloads are");
    d.config.online_keys_n = 0;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_CONFIG);
    d.config.online_keys_n = 1;
    d.config.base_url[0] = "http://files.example";
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_ERR_CONFIG);
    d.config.allow_clear = true;
    CHECK_INT(lapel_init(&d.lapel, &d.config, &d.ports, &d.memory), LAPEL_OK);
}

int main(void)
{
    struct release_how none = { 0 };

    signer_init(&key);
    signer_init(&online_key);
    signer_init(&other_key);
    release_make(&v1, 16, 4000, &key, &none);
    release_make(&v2, 32, 5000, &key, &none);
    release_make(&v3, 48, 4500, &key, &none);
    test_believed();
    test_nonce();
    test_stops();
    test_trial();
    test_stale();
    test_not_stored();
    test_stored();
    test_files();
    return check_done();
}
