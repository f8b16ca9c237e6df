/*
 * The server looks at outcomes: fleets on a real database, in a time that is passed in. Devices
 * check in once a day; what they do stands in the rows as a check-in would leave it.
 */
#include "check.h"
#include "engine/evidence.h"
#include "engine/rollout.h"
#include "lsuit/crypto.h"
#include "lsuit/place.h"
#include "store/device.h"
#include "store/product.h"

enum { MOST = 1000 };
static const int64_t HOUR = 3600000, DAY = 24 * INT64_C(3600000), START = INT64_C(1800000000000);

static struct engine en;
static struct store *store;

/* What a fleet is like, and what the release does to it. */
struct story {
    int devices;
    int brick_percent, revert_first; /* reverts are of the first so many that start */
    int days;
    bool weekends; /* everybody is off for two days */
};

static struct {
    struct story s;
    struct rollout r;
    struct release release;
    int32_t ids[MOST];
    uint64_t place[MOST];
    uint64_t b_threshold; /* of revision B in the first wave; 0: none of its own */
    bool started[MOST], bricked[MOST];
    int starts;
    int64_t now;
} f;

static bool is_b(int i)
{
    return i % 10 == 0;
}

static enum err set_up(void *ctx, struct db *db)
{
    struct product p = { .name = "lamp", .model = "Lamp", .poll_s = 86400 };
    struct release_bytes b = { .envelope = { (const uint8_t *)"e", 1 },
                               .sent = { (const uint8_t *)"s", 1 } };
    enum err e = product_put(db, &p);

    (void)ctx;
    f.release = (struct release){ .product = p.id, .sequence = 16, .state = RELEASE_OPEN };
    if (e == ERR_OK)
        e = release_add(db, &f.release, &b, NULL, 0);
    for (int i = 0; e == ERR_OK && i < f.s.devices; i++) {
        struct device d = { .product = p.id };

        snprintf(d.name, sizeof d.name, "lamp-%04d", i);
        e = device_add(db, &d);
        f.ids[i] = d.id;
        if (e == ERR_OK && is_b(i))
            e = device_revision_put(db, d.id, "B");
        /* Spread over the day before. */
        if (e == ERR_OK)
            e = device_seen(db, d.id, START - DAY + i * (DAY / f.s.devices));
    }
    f.r = (struct rollout){ .release = f.release.id };
    if (e == ERR_OK)
        e = rollout_preset(db, &f.release, "security", &f.r);
    if (e == ERR_OK)
        e = rollout_create(&en, db, NULL, START, &f.r);
    return e == ERR_OK ? rollout_do(&en, db, NULL, START, ROLLOUT_START, NULL, &f.r) : e;
}

static void place_all(void)
{
    for (int i = 0; i < f.s.devices; i++) {
        char name[32];

        snprintf(name, sizeof name, "lamp-%04d", i);
        lsuit_place(&lsuit_crypto_psa, (struct lsuit_bytes){ f.r.salt, 16 },
                    (struct lsuit_bytes){ (const uint8_t *)name, strlen(name) }, &f.place[i]);
    }
}

static bool keep_b(void *ctx, const char *revision, uint64_t threshold)
{
    if (strcmp(revision, "B") == 0)
        *(uint64_t *)ctx = threshold;
    return true;
}

static bool is_in(int i)
{
    bool in = false;

    for (unsigned k = 0; k < f.r.waves_n; k++)
        in = in || (f.r.waves[k].opened_ms != 0 && !f.r.waves[k].nobody &&
                    f.place[i] <= f.r.waves[k].threshold);
    in = in || (is_b(i) && f.place[i] <= f.b_threshold);
    return in && f.release.state == RELEASE_OPEN;
}

/* One device checks in now: it starts, or it was confirmed and is only seen. */
static enum err check_in(struct db *db, int i)
{
    struct work w = { .device = f.ids[i], .release = f.release.id, .rollout = f.r.id };
    enum err e = device_seen(db, f.ids[i], f.now);

    if (e != ERR_OK || f.started[i] || !is_in(i))
        return e;
    f.started[i] = true;
    f.bricked[i] = f.starts % 100 < f.s.brick_percent;
    w.state = WORK_OFFERED;
    w.since_ms = f.now;
    e = work_put(db, &w);
    if (e == ERR_OK && f.starts++ < f.s.revert_first) {
        w.state = WORK_FAILED;
        e = work_blame(db, w.device, w.release, WORK_REVERTED, f.now);
    } else {
        w.state = f.bricked[i] ? WORK_FETCHING : WORK_INSTALLED;
    }
    return e == ERR_OK ? work_put(db, &w) : e;
}

/* An hour goes by. */
static enum err hour(void *ctx, struct db *db)
{
    int64_t day = (f.now - START) / DAY;
    bool off = f.s.weekends && (day % 7 == 1 || day % 7 == 2);
    enum err e = ERR_OK;

    (void)ctx;
    for (int i = 0; e == ERR_OK && i < f.s.devices && !off; i++) {
        int64_t at = i * (DAY / f.s.devices); /* of the day */

        if (at / HOUR == (f.now - START) % DAY / HOUR && !f.bricked[i])
            e = check_in(db, i);
    }
    f.now += HOUR;
    if (e == ERR_OK)
        e = rollout_tick(&en, db, f.now);
    if (e == ERR_OK)
        e = rollout_by_id(db, f.r.id, &f.r);
    return e == ERR_OK ? release_by_id(db, f.release.id, &f.release) : e;
}

static void live(int hours)
{
    for (int h = 0; h < hours && f.r.ended_ms == 0; h++) {
        CHECK_INT(store_write(store, hour, NULL), ERR_OK);
        en.killed_n = 0;
    }
}

static void begin(struct story s)
{
    memset(&f, 0, sizeof f);
    f.s = s;
    f.now = START;
    CHECK_INT(store_open(":memory:", NULL, &store), ERR_OK);
    CHECK_INT(store_write(store, set_up, NULL), ERR_OK);
    place_all();
    CHECK_INT(first_wave_list(store_reader(store), f.r.id, keep_b, &f.b_threshold), ERR_OK);
}

static int waves_open(void)
{
    int n = 0;

    while (n < (int)f.r.waves_n && f.r.waves[n].opened_ms != 0)
        n++;
    return n;
}

/* --- Decisions --- */

struct looks {
    struct db *db;
    int n, tried, replayed, of[4];
};

static bool look_at(void *ctx, const struct decision *d)
{
    struct looks *l = ctx;
    struct replay again;

    l->n++;
    l->of[d->kind]++;
    if (d->n % 8 != 0)
        return true;
    l->tried++;
    if (evidence_replay(l->db, d, &again) == ERR_OK && (int)again.gate.kind == d->kind &&
        (int)again.gate.reason == d->reason && again.seen.log_halt == d->log_halt)
        l->replayed++;
    return true;
}

static struct looks looks_of(void)
{
    struct looks l = { .db = store_reader(store) };

    CHECK_INT(decision_list(l.db, f.r.id, INT64_MAX, 100000, look_at, &l), ERR_OK);
    CHECK(l.tried > 0);
    CHECK_INT(l.replayed, l.tried);
    return l;
}

static enum err forget(void *ctx, struct db *db)
{
    return device_forget(db, *(int32_t *)ctx);
}

static bool count_one(void *ctx, const struct tally *t)
{
    *(int64_t *)ctx += t->n;
    return true;
}

static int64_t control_in(int64_t cell)
{
    int64_t n = 0;

    CHECK_INT(tally_control(store_reader(store), f.r.id, cell, 1, count_one, &n), ERR_OK);
    return n;
}

/* --- Stories --- */

/* A hundred devices, and enough of the revision that is a tenth of the fleet. */
static void check_first_wave(void)
{
    int in = 0, b = 0;

    for (int i = 0; i < f.s.devices; i++) {
        in += is_in(i);
        b += is_in(i) && is_b(i);
    }
    CHECK_INT(f.r.waves[0].members, in);
    CHECK(in >= 100);
    CHECK(b >= 20);
}

static void good_release(void)
{
    check_case("a good release reaches everybody, wave by wave, without a person");
    begin((struct story){ .devices = 800 });
    CHECK_INT(waves_open(), 1);
    check_first_wave();
    live(24 * 14);
    CHECK_INT(waves_open(), 5);
    CHECK_INT(f.starts, 800);
    CHECK(f.r.ended_ms != 0);
    CHECK_INT(looks_of().of[GATE_HALT], 0);
    CHECK_INT(control_in(0), 0);
    store_close(store);
}

static void bad_release(void)
{
    check_case("a release that bricks half is halted in its first wave");
    begin((struct story){ .devices = 800, .brick_percent = 50 });
    live(24 * 4);
    CHECK_INT(f.release.state, RELEASE_HALTED);
    CHECK_INT(waves_open(), 1);
    CHECK(f.starts <= 120);
    CHECK(looks_of().of[GATE_HALT] > 0);

    check_case("what was forgotten is no longer in the hold-out");
    CHECK(control_in(2) > 0);
    for (int i = 0; i < f.s.devices; i++)
        CHECK_INT(store_write(store, forget, &f.ids[i]), ERR_OK);
    CHECK_INT(control_in(2), 0);
    CHECK(looks_of().n > 0);
    store_close(store);
}

static void everybody_off(void)
{
    check_case("when everybody is off, nobody is blamed, and the rollout waits");
    begin((struct story){ .devices = 800, .weekends = true });
    live(24 * 9);
    CHECK_INT(f.release.state, RELEASE_OPEN);
    CHECK_INT(looks_of().of[GATE_HALT], 0);
    store_close(store);
}

static enum err tick_late(void *ctx, struct db *db)
{
    (void)ctx;
    return rollout_tick(&en, db, f.now);
}

static void server_away(void)
{
    struct watch w = { 0 };

    check_case("while the server is away nobody is silent");
    begin((struct story){ .devices = 800 });
    live(20);
    f.now += 6 * DAY;
    CHECK_INT(store_write(store, tick_late, NULL), ERR_OK);
    CHECK_INT(watch_get(store_reader(store), f.r.id, &w), ERR_OK);
    CHECK(w.delay_ms >= 6 * DAY - 2 * HOUR);
    live(60);
    CHECK_INT(f.release.state, RELEASE_OPEN);
    CHECK_INT(looks_of().of[GATE_HALT], 0);
    store_close(store);
}

static enum err resume(void *ctx, struct db *db)
{
    (void)ctx;
    return rollout_do(&en, db, NULL, f.now, ROLLOUT_RESUME, NULL, &f.r);
}

static void tiny_fleet(void)
{
    check_case("twenty devices, one reverts: held for a person, and held once");
    begin((struct story){ .devices = 20, .revert_first = 1 });
    live(30);
    CHECK_INT(f.release.state, RELEASE_HELD);
    CHECK_INT(store_write(store, resume, NULL), ERR_OK);
    live(10);
    CHECK_INT(f.release.state, RELEASE_OPEN);
    CHECK(looks_of().of[GATE_HOLD] > 1);
    store_close(store);

    check_case("five devices, all well: all confirmed is enough");
    begin((struct story){ .devices = 5 });
    live(24 * 12);
    CHECK_INT(f.starts, 5);
    CHECK_INT(waves_open(), 5);
    store_close(store);
}

int main(void)
{
    good_release();
    bad_release();
    everybody_off();
    server_away();
    tiny_fleet();
    return check_done();
}
