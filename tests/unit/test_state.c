/*
 * Each journal state against each word of the boot loader: one recovery, the boot loader wins.
 * The table of client/DESIGN.md is read from there and held against the code, row by row.
 */
#include "check.h"
#include "core/core.h"
#include "core/state.h"
#include "device.h"

static struct signer key;
static struct release v1, v2;
static struct device d;

static const char *const RULES[] = { "stay",  "forget", "unstage",  "candidate", "staged",
                                     "trial", "accept", "reverted", "reject" };

static const char *const BOOTS[] = { "former", "written", "staged", "trial", "reverted" };

/* | journal | former | written | staged | trial | reverted | */
static int table_rows(const char *path)
{
    char line[400];
    int rows = 0;
    FILE *f = fopen(path, "r");

    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL) {
        char name[6][24] = { { 0 } };

        if (sscanf(line, "| `%23[a-z]` | %23[a-z] | %23[a-z] | %23[a-z] | %23[a-z] | %23[a-z] |",
                   name[0], name[1], name[2], name[3], name[4], name[5]) != 6)
            continue;
        for (int s = LAPEL_READY; s <= LAPEL_FAILED; s++) {
            if (strcmp(name[0], lapel_state_name((enum lapel_state)s)) != 0)
                continue;
            rows++;
            for (int b = 0; b < BOOT_CASES; b++)
                CHECK_STR(name[b + 1],
                          RULES[lapel_state_rule((enum lapel_state)s, (enum boot_case)b)]);
        }
    }
    fclose(f);
    return rows;
}

/* What a restart must lead to. UPDATED and FAILED are seen before their cleaning up. */
/* clang-format off */
static const enum lapel_state WANT[LAPEL_FAILED + 1][BOOT_CASES] = {
  /*                 former           written          staged           trial          reverted */
  /* ready */     { LAPEL_READY,     LAPEL_READY,     LAPEL_READY,     LAPEL_TRIAL,    LAPEL_READY },
  /* writing */   { LAPEL_WRITING,   LAPEL_READY,     LAPEL_WRITING,   LAPEL_TRIAL,    LAPEL_WRITING },
  /* candidate */ { LAPEL_CANDIDATE, LAPEL_UPDATED,   LAPEL_STAGED,    LAPEL_TRIAL,    LAPEL_CANDIDATE },
  /* staged */    { LAPEL_CANDIDATE, LAPEL_UPDATED,   LAPEL_STAGED,    LAPEL_TRIAL,    LAPEL_FAILED },
  /* trial */     { LAPEL_FAILED,    LAPEL_UPDATED,   LAPEL_STAGED,    LAPEL_TRIAL,    LAPEL_FAILED },
  /* updated */   { LAPEL_READY,     LAPEL_READY,     LAPEL_READY,     LAPEL_TRIAL,    LAPEL_READY },
  /* rejected */  { LAPEL_FAILED,    LAPEL_UPDATED,   LAPEL_REJECTED,  LAPEL_REJECTED, LAPEL_FAILED },
  /* failed */    { LAPEL_READY,     LAPEL_READY,     LAPEL_READY,     LAPEL_TRIAL,    LAPEL_READY },
};
/* clang-format on */

/* The journal says `state` of an attempt to write v2 into slot 1. */
static void journal(enum lapel_state state)
{
    struct lapel_record *r = &d.lapel.rec;

    device_init(&d, &key, &v1, 8, 0xff);
    d.image[d.images++] = &v2;
    device_boot(&d);
    r->state = (uint8_t)state;
    if (state != LAPEL_READY) {
        r->attempt.slot = 1;
        r->attempt.pair.sequence = v2.sequence;
        memcpy(r->attempt.pair.digest, v2.digest, 32);
    }
    if (state == LAPEL_REJECTED || state == LAPEL_FAILED)
        r->outcome.kind = LAPEL_OUTCOME_REVERTED;
    (void)lapel_journal_save(&d.lapel);
    memcpy(d.slot[1].bytes, v2.payload, v2.payload_n);
    memset(d.slot[1].used, 1, v2.payload_n);
    memcpy(d.area_store[1], v2.envelope, v2.envelope_n);
    d.area_n[1] = (uint16_t)v2.envelope_n;
}

/* The boot loader says so; no start is played, this is what it left. */
static void boot(enum boot_case b)
{
    d.active = 0;
    d.running = 0;
    d.staged = b == BOOT_CASE_STAGED;
    d.on_trial = b == BOOT_CASE_TRIAL;
    d.reverted = b == BOOT_CASE_REVERTED;
    if (b == BOOT_CASE_WRITTEN)
        d.active = d.running = 1;
    if (b == BOOT_CASE_TRIAL)
        d.running = 1;
    d.power_on = false;
    d.init = lapel_init(&d.lapel, &d.config, &d.ports, &d.memory);
}

static bool rests(struct device *x)
{
    return device_state(x) == LAPEL_READY && !x->on_trial && !x->staged && x->lapel.work == 0 &&
           x->server.checkins > 0;
}

static void test_pair(enum lapel_state s, enum boot_case b)
{
    char name[60];
    enum lapel_state want = WANT[s][b];

    snprintf(name, sizeof name, "journal %s, boot loader %s", lapel_state_name(s), BOOTS[b]);
    check_case(name);
    journal(s);
    boot(b);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK_STR(lapel_state_name(device_state(&d)), lapel_state_name(want));
    bool accepts = want == LAPEL_UPDATED;
    CHECK_UINT(d.lapel.rec.accepted.sequence, accepts ? v2.sequence : v1.sequence);
    if (lapel_state_rule(s, b) == SETTLE_UNSTAGE)
        CHECK(!d.staged);
    CHECK_INT(d.lapel.rec.block[0].fails, lapel_state_rule(s, b) == SETTLE_REVERTED ? 1 : 0);

    /* Settling is settled: the same start again gives the same. */
    enum lapel_state once = device_state(&d);
    if (once != LAPEL_UPDATED && once != LAPEL_FAILED && b != BOOT_CASE_REVERTED) {
        d.init = lapel_init(&d.lapel, &d.config, &d.ports, &d.memory);
        CHECK_STR(lapel_state_name(device_state(&d)), lapel_state_name(once));
    }
    /* And with a server that offers it, every device ends well. */
    d.server.release = &v2;
    CHECK(device_live(&d, rests, 50000));
    CHECK_INT(d.bricks, 0);
    CHECK_INT(d.violations, 0);
    CHECK(d.lapel.rec.accepted.sequence == v2.sequence || d.lapel.rec.block[0].fails > 0 ||
          device_state(&d) == LAPEL_READY);
}

static void test_storing_fails(void)
{
    check_case("a state that can't be stored is not entered");
    journal(LAPEL_READY);
    boot(BOOT_CASE_FORMER);
    d.server.release = &v2;
    while (d.lapel.work != WORK_DOWNLOAD_GATE) {
        uint32_t wait = 0;

        (void)lapel_step(&d.lapel, &wait);
        d.now += wait;
    }
    d.fail_at = d.calls + 1; /* the next calls fail, the journal's among them */
    d.fail_ever = true;
    uint32_t wait = 0;
    CHECK(lapel_step(&d.lapel, &wait) != LAPEL_OK);
    CHECK(device_state(&d) == LAPEL_READY);
    CHECK(d.slot[1].bytes[0] == v2.payload[0]); /* nothing was erased */
    CHECK(wait > 0);
    d.fail_at = 0;
    CHECK_INT(lapel_step(&d.lapel, &wait), LAPEL_OK);
    CHECK(device_state(&d) == LAPEL_WRITING);
}

int main(void)
{
    signer_init(&key);
    release_make(&v1, 16, 3000, &key, &(struct release_how){ 0 });
    release_make(&v2, 32, 2000, &key, &(struct release_how){ 0 });
    check_case("the table in client/DESIGN.md is the one in the code");
    CHECK_INT(table_rows("client/DESIGN.md"), LAPEL_FAILED + 1);
    for (int s = LAPEL_READY; s <= LAPEL_FAILED; s++)
        for (int b = 0; b < BOOT_CASES; b++)
            test_pair((enum lapel_state)s, (enum boot_case)b);
    test_storing_fails();
    check_case("names of states");
    CHECK_STR(lapel_state_name(LAPEL_UPDATED), "updated");
    CHECK_STR(lapel_state_name((enum lapel_state)8), "unknown");
    return check_done();
}
