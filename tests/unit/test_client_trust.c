/*
 * A device that follows trust sets, its server and its store in memory: tests/harness/device.h.
 */
#include "check.h"
#include "core/core.h"
#include "device.h"
#include "trust_set.h"

enum { ROOT, ROOT2, RELEASE, RELEASE2, ONLINE, ONLINE2, STRANGER, SIGNERS };
static struct signer signers[SIGNERS];
static struct release v1, v2, v3;
static struct device d;

/* The chain: the release key changes with 3, the root with 4, the server moves with 5. */
#define FACTORY_URL "https://updates.example"
enum { CHAIN = 6 };
static struct set_doc chain_doc[CHAIN];
static struct lsuit_bytes chain[CHAIN];
static const struct set_how HOW[CHAIN] = {
    { 1, { ROOT, -1 }, { RELEASE, -1 }, { ROOT, -1 }, 0, { NULL } },
    { 2, { ROOT, -1 }, { RELEASE, RELEASE2, -1 }, { ROOT, -1 }, 0, { NULL } },
    { 3, { ROOT, -1 }, { RELEASE2, -1 }, { ROOT, -1 }, 0, { NULL } },
    { 4, { ROOT2, -1 }, { RELEASE2, -1 }, { ROOT, ROOT2, -1 }, 0, { NULL } },
    { 5,
      { ROOT2, -1 },
      { RELEASE2, -1 },
      { ROOT2, -1 },
      0,
      { "https://new.example", "https://other.example" } },
    { 6, { ROOT2, -1 }, { RELEASE2, -1 }, { ROOT2, -1 }, 0, { "https://new.example" } },
};

static void fresh(const char *name, bool sealed)
{
    check_case(name);
    device_init(&d, &signers[RELEASE], &v1, 8, 0xff);
    d.image[d.images++] = &v2;
    d.image[d.images++] = &v3;
    d.config.trust = chain[0];
    d.config.release_keys = NULL;
    d.config.release_keys_n = 0;
    if (sealed)
        d.ports.nv = &DEV_NV_SEALED;
    d.server.trust = chain;
    d.server.trust_n = 1;
}

static uint32_t until_version;
static bool has_version(struct device *x)
{
    return x->lapel.trust.version >= until_version && x->lapel.exchange == EXCHANGE_NONE;
}

static bool live_to(uint32_t version)
{
    until_version = version;
    return device_live(&d, has_version, 20000);
}

static int until_checkins;
static bool enough(struct device *x)
{
    return x->server.checkins >= until_checkins && x->lapel.exchange == EXCHANGE_NONE;
}

static bool live_checkins(int more)
{
    until_checkins = d.server.checkins + more;
    return device_live(&d, enough, 200000);
}

static bool runs_v2(struct device *x)
{
    return device_state(x) == LAPEL_READY && x->lapel.rec.accepted.sequence == v2.sequence;
}

/* --- the step ------------------------------------------------------------------------------------- */

static void test_steps(void)
{
    for (int sealed = 0; sealed < 2; sealed++) {
        fresh(sealed ? "one step, sealed" : "one step", sealed);
        d.server.trust_n = 2;
        device_boot(&d);
        CHECK_INT(d.init, LAPEL_OK);
        CHECK_UINT(d.lapel.trust.version, 1);
        CHECK_UINT(d.used_version, 1);
        CHECK(live_to(2));
        CHECK_INT(d.server.trusts, 1);
        CHECK_INT(d.told[LAPEL_EVENT_TRUST], 1);
        CHECK_UINT(d.used_version, 2);
        CHECK(live_checkins(1));
        CHECK_UINT(d.server.checkin.trust_version, 2);
        CHECK_INT(d.server.trusts, 1); /* it has the newest: nothing is fetched */
        device_boot(&d);
        CHECK_UINT(d.lapel.trust.version, 2); /* and keeps it over a restart */

        check_case("five behind, with a new root between: one by one");
        d.server.trust_n = CHAIN;
        d.server.only_host = NULL;
        CHECK(live_to(CHAIN));
        CHECK_INT(d.server.trusts, 5);
        device_boot(&d);
        CHECK_INT(d.init, LAPEL_OK);
        /* Nobody but the seal can prove a set of another root than the factory's. */
        CHECK_UINT(d.lapel.trust.version, sealed ? CHAIN : 1);
        CHECK_INT(lapel_trust_behind(&d.lapel), !sealed);
        CHECK(live_to(CHAIN));
        CHECK(!lapel_trust_behind(&d.lapel));
        CHECK_INT(d.server.trusts, sealed ? 5 : 10);
        CHECK_INT(d.violations, 0);
    }
}

static void test_refused(void)
{
    static struct set_doc odd;
    static struct lsuit_bytes served[3];
    static const struct {
        const char *name;
        struct set_how how;
        uint8_t event;
    } ROWS[] = {
        { "signed by a stranger",
          { 2, { STRANGER, -1 }, { STRANGER, -1 }, { STRANGER, -1 }, 0, { NULL } },
          LSUIT_EVENT_BAD_SIGNATURE },
        { "a root that nobody vouches for",
          { 2, { ROOT2, -1 }, { RELEASE, -1 }, { ROOT2, -1 }, 0, { NULL } },
          LSUIT_EVENT_BAD_SIGNATURE },
        { "signed by a release key",
          { 2, { ROOT, -1 }, { RELEASE, -1 }, { RELEASE, -1 }, 0, { NULL } },
          LSUIT_EVENT_BAD_SIGNATURE },
        { "a version left out",
          { 3, { ROOT, -1 }, { RELEASE, -1 }, { ROOT, -1 }, 0, { NULL } },
          LSUIT_EVENT_MALFORMED },
        { "the same version",
          { 1, { ROOT, -1 }, { STRANGER, -1 }, { ROOT, -1 }, 0, { NULL } },
          LSUIT_EVENT_MALFORMED },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        fresh(ROWS[i].name, true);
        set_make(&odd, &ROWS[i].how, signers);
        served[0] = chain[0];
        served[1] = odd.doc;
        d.server.trust = served;
        d.server.trust_n = 2;
        device_boot(&d);
        CHECK(live_checkins(2));
        CHECK(d.server.trusts > 0);
        CHECK_UINT(d.lapel.trust.version, 1);
        CHECK_INT(d.told[LAPEL_EVENT_TRUST], 0);
        CHECK(d.told[LAPEL_EVENT_REFUSED] > 0);
        CHECK_UINT(d.server.event_class, ROWS[i].event);
        d.server.trust = chain;
        CHECK(live_to(2)); /* and the right one is taken when it comes */
    }

    fresh("bytes that are none", true);
    served[1] = (struct lsuit_bytes){ (const uint8_t *)"\xa0", 1 };
    d.server.trust = served;
    d.server.trust_n = 2;
    device_boot(&d);
    CHECK(live_checkins(2));
    CHECK_UINT(d.lapel.trust.version, 1);
    CHECK_UINT(d.server.event_class, LSUIT_EVENT_MALFORMED);

    fresh("a version that the server doesn't have is asked for once an answer", true);
    d.server.trust_newest = 4000000000u;
    device_boot(&d);
    CHECK(live_checkins(3));
    CHECK_INT(d.server.trusts, 2);
    CHECK_UINT(d.lapel.trust.version, 1);

    fresh("a server that is busy is left alone", true);
    d.server.trust_n = 2;
    d.server.trust_status = 503;
    d.server.retry_after = 3000;
    device_boot(&d);
    CHECK(live_checkins(4));
    CHECK(d.server.trusts > 0 && d.server.trusts <= 4);
    CHECK_UINT(d.lapel.trust.version, 1);
}

static const uint8_t PUBLISHED[] =
    "\x04\x84\x96\x81\x1a\xae\x0b\xaa\xab\xd2\x61\x57\x18\x9e\xec\xda\x26\xbe\xaa\x8b\xf1\x1b"
    "\x6f\x3f\xe6\xe2\xb5\x65\x9c\x85\xdb\xc0\xad\x3b\x1f\x2a\x4b\x6c\x09\x81\x31\xc0\xa3\x6d"
    "\xac\xd1\xd7\x8b\xd3\x81\xdc\xdf\xb0\x9c\x05\x2d\xb3\x39\x91\xdb\x73\x38\xb4\xa8\x96";

/* A port that says done and has written nothing. */
static int lost_write(void *p, uint8_t record, const uint8_t *buf, size_t n)
{
    (void)p;
    (void)record;
    (void)buf;
    return n > 0 ? 1 : -1;
}

static void test_not_stored(void)
{
    struct lapel_trust_store lost = DEV_TRUST;

    fresh("a set that doesn't read back is not in force", true);
    lost.write = lost_write;
    d.ports.trust = &lost;
    d.server.trust_n = 2;
    device_boot(&d);
    CHECK(live_checkins(2));
    CHECK(d.server.trusts > 0);
    CHECK_UINT(d.lapel.trust.version, 1);
    CHECK_UINT(d.lapel.rec.trust.version, 1); /* and none was held, so nothing is missed */
    CHECK(!lapel_trust_behind(&d.lapel));
    d.ports.trust = &DEV_TRUST;
    device_boot(&d);
    CHECK(live_to(2));
}

static void test_init(void)
{
    static struct set_doc odd, step;
    static struct lsuit_bytes served[2];
    static struct signer test_key;
    struct signer with[SIGNERS];

    fresh("a factory's set that is none", false);
    d.config.trust = (struct lsuit_bytes){ (const uint8_t *)"\xa0", 1 };
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_ERR_CONFIG);

    memcpy(with, signers, sizeof with);
    test_key.key = (struct lsuit_key){ LSUIT_KEY_P256, { PUBLISHED, 65 }, { NULL, 0 } };
    with[RELEASE] = test_key;
    fresh("a factory's set with a key that everybody has", false);
    set_make(&odd, &HOW[0], with);
    d.config.trust = odd.doc;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_ERR_CONFIG);
    d.config.allow_test_keys = true;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);

    fresh("a step that brings a key that everybody has", true);
    set_make(&step, &HOW[1], with);
    served[0] = chain[0];
    served[1] = step.doc;
    d.server.trust = served;
    d.server.trust_n = 2;
    device_boot(&d);
    CHECK(live_checkins(2));
    CHECK(d.server.trusts > 0);
    CHECK_UINT(d.lapel.trust.version, 1);
    CHECK_UINT(d.server.event_class, LSUIT_EVENT_BAD_SIGNATURE);

    fresh("a release key that everybody has", false);
    d.config.trust = (struct lsuit_bytes){ NULL, 0 };
    d.config.release_keys = &test_key.key;
    d.config.release_keys_n = 1;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_ERR_CONFIG);
    d.config.allow_test_keys = true;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);

    fresh("neither a set nor a key", false);
    d.config.trust = (struct lsuit_bytes){ NULL, 0 };
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_ERR_CONFIG);

    fresh("a store without memory for it", false);
    d.memory.trust = NULL;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_ERR_MEMORY);

    fresh("no store: the set stays the factory's", false);
    d.memory.trust = NULL;
    d.ports.trust = NULL;
    d.server.trust_n = 2;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK(live_checkins(2));
    CHECK_INT(d.server.trusts, 0);
    CHECK_UINT(d.lapel.trust.version, 1);

    fresh("a newer image brings a newer set", true);
    d.server.trust_n = 2;
    device_boot(&d);
    CHECK(live_to(2));
    d.config.trust = chain[2];
    device_boot(&d);
    CHECK_UINT(d.lapel.trust.version, 3);
    d.config.trust = chain[0];
    device_boot(&d);
    CHECK_UINT(d.lapel.trust.version, 2);
    CHECK(lapel_trust_behind(&d.lapel)); /* it has known 3 */
    d.server.trust_n = 3;
    CHECK(live_to(3));
    CHECK(!lapel_trust_behind(&d.lapel));
}

/* --- who signs what ------------------------------------------------------------------------------- */

static bool told_refused(struct device *x)
{
    return x->told[LAPEL_EVENT_REFUSED] > 0;
}

static void test_releases(void)
{
    static struct set_doc two;
    static struct lsuit_bytes served[2];
    static const struct set_how TWO = { 2, { ROOT, -1 }, { RELEASE, RELEASE2, -1 }, { ROOT, -1 },
                                        2, { NULL } };

    fresh("a release by the new key comes with the set that names it", true);
    release_make(&v2, 32, 1500, &signers[RELEASE2], &(struct release_how){ 0 });
    d.server.release = &v2;
    d.server.trust_n = 2;
    device_boot(&d);
    CHECK(device_live(&d, runs_v2, 20000));
    CHECK_INT(d.told[LAPEL_EVENT_REFUSED], 0);
    CHECK_UINT(d.lapel.trust.version, 2);

    fresh("a revoked key signs nothing new", true);
    release_make(&v2, 32, 1500, &signers[RELEASE], &(struct release_how){ 0 });
    d.server.trust_n = 3;
    device_boot(&d);
    CHECK(live_to(3));
    d.server.release = &v2;
    CHECK(device_live(&d, told_refused, 20000));
    CHECK_UINT(d.last_error, LSUIT_CLASS_UNAUTHORISED);
    CHECK_INT(d.server.payloads, 0);

    check_case("and what it signed still runs");
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);

    check_case("also when both records of the journal are lost");
    memset(d.record[0].bytes, 0, DEVICE_RECORD_SIZE);
    memset(d.record[1].bytes, 0, DEVICE_RECORD_SIZE);
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK_UINT(d.lapel.trust.version, 3); /* the factory's root vouches for it */
    CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
    CHECK(d.lapel.rec.accepted_known);

    fresh("two must sign together", true);
    set_make(&two, &TWO, signers);
    served[0] = chain[0];
    served[1] = two.doc;
    d.server.trust = served;
    d.server.trust_n = 2;
    d.server.release = &v2;
    device_boot(&d);
    CHECK(device_live(&d, told_refused, 20000));
    CHECK_UINT(d.lapel.trust.version, 2);
    CHECK_INT(d.server.payloads, 0);

    fresh("without sets, two keys of the configuration must sign together", false);
    d.config.trust = (struct lsuit_bytes){ NULL, 0 };
    struct lsuit_key keys[2] = { signers[RELEASE].key, signers[RELEASE2].key };
    d.config.release_keys = keys;
    d.config.release_keys_n = 2;
    d.config.release_threshold = 2;
    d.server.release = &v2;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK(device_live(&d, told_refused, 20000));
    d.config.release_threshold = 3;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_ERR_CONFIG);
}

/* --- who signs news ------------------------------------------------------------------------------- */

static void test_online(void)
{
    static uint8_t set_buf[1024], doc_buf[LSUIT_TRUST_MAX], signed_buf[512], sig_buf[256];
    static const uint8_t SET_VENDOR[16] = { 9 };
    struct lsuit_role roles[3];
    struct lsuit_trust_parts parts = { .version = 1, .roles = roles, .roles_n = 3 };
    struct lsuit_bytes payload, sig, doc, out, said = { (const uint8_t *)"\xa1\x00\x01", 3 };
    struct lsuit_bytes nobody = { NULL, 0 };
    const int root[] = { ROOT, -1 }, release[] = { RELEASE, -1 }, online[] = { ONLINE, -1 };

    fresh("a set's online key counts, not that of the configuration", false);
    set_role(&roles[0], LSUIT_ROLE_ROOT, root, signers);
    set_role(&roles[1], LSUIT_ROLE_RELEASE, release, signers);
    set_role(&roles[2], LSUIT_ROLE_ONLINE, online, signers);
    for (int scoped = 0; scoped < 2; scoped++) {
        if (scoped)
            roles[2].vendor_id = (struct lsuit_bytes){ SET_VENDOR, 16 };
        CHECK_INT(lsuit_trust_write(&parts, set_buf, sizeof set_buf, &payload), LSUIT_OK);
        sig = set_sign(&signers[ROOT], payload, sig_buf, sizeof sig_buf);
        CHECK_INT(lsuit_trust_doc_write(payload, &sig, 1, doc_buf, sizeof doc_buf, &doc), LSUIT_OK);
        d.config.trust = doc;
        d.config.online_keys = &signers[STRANGER].key;
        d.config.online_keys_n = 1;
        device_boot(&d);
        CHECK_INT(d.init, LAPEL_OK);
        CHECK_INT(lapel_trust_has_online(&d.lapel), !scoped);
        CHECK_INT(lsuit_doc_sign(LSUIT_DOC_RECEIPT, nobody, said, &lsuit_crypto_psa,
                                 signers[ONLINE].id, nobody, signed_buf, sizeof signed_buf, &out),
                  LSUIT_OK);
        CHECK_INT(lapel_trust_open(&d.lapel, LSUIT_DOC_RECEIPT, out, &payload),
                  scoped ? LSUIT_ERR_UNAUTHORISED : LSUIT_OK);
        CHECK_INT(lapel_trust_open(&d.lapel, LSUIT_DOC_STATEMENT, out, &payload),
                  LSUIT_ERR_UNAUTHORISED);
        CHECK_INT(lsuit_doc_sign(LSUIT_DOC_RECEIPT, nobody, said, &lsuit_crypto_psa,
                                 signers[STRANGER].id, nobody, signed_buf, sizeof signed_buf, &out),
                  LSUIT_OK);
        CHECK_INT(lapel_trust_open(&d.lapel, LSUIT_DOC_RECEIPT, out, &payload),
                  LSUIT_ERR_UNAUTHORISED);
    }

    fresh("without a set, that of the configuration", false);
    d.config.trust = nobody;
    d.config.release_keys = &signers[RELEASE].key;
    d.config.release_keys_n = 1;
    device_boot(&d);
    CHECK(!lapel_trust_has_online(&d.lapel));
    d.config.online_keys = &signers[STRANGER].key;
    d.config.online_keys_n = 1;
    device_boot(&d);
    CHECK(lapel_trust_has_online(&d.lapel));
    CHECK_INT(lapel_trust_open(&d.lapel, LSUIT_DOC_RECEIPT, out, &payload), LSUIT_OK);
}

/* A release that waits for the user while its key is revoked. */
static bool at_gate(struct device *x)
{
    return x->lapel.gate != 0;
}

static void test_waiting(void)
{
    static const enum lapel_gate GATES[] = { LAPEL_GATE_DOWNLOAD, LAPEL_GATE_INSTALL,
                                             LAPEL_GATE_REBOOT };
    static const char *const NAMES[][2] = {
        { "waits for the download", "waits for the download, its key stays good" },
        { "waits to be staged", "waits to be staged, its key stays good" },
        { "waits for the restart", "waits for the restart, its key stays good" },
    };

    for (size_t i = 0; i < 3; i++) {
        for (int good = 0; good < 2; good++) {
            fresh(NAMES[i][good], true);
            release_make(&v2, 32, 1500, &signers[RELEASE], &(struct release_how){ 0 });
            d.server.release = &v2;
            d.gate[GATES[i]] = LAPEL_WAIT;
            d.gate_wait = 100000000;
            device_boot(&d);
            CHECK(device_live(&d, at_gate, 20000));
            CHECK_UINT(d.lapel.gate, GATES[i]);
            d.server.trust_n = good ? 2 : 3;
            CHECK(live_to(d.server.trust_n)); /* the user needs not decide for it to come */
            d.gate[GATES[i]] = LAPEL_ALLOW;
            d.gate_wait = 0;
            d.lapel.gate_until = 0;
            if (good) {
                CHECK(device_live(&d, runs_v2, 20000));
                CHECK_INT(d.told[LAPEL_EVENT_AVAILABLE], 1); /* told once, all along */
                CHECK_STR(d.version, "2.0");
            } else {
                CHECK(live_checkins(3));
                CHECK_UINT(d.lapel.rec.accepted.sequence, v1.sequence);
                CHECK_INT(d.boots, 1);
                CHECK(d.told[LAPEL_EVENT_REFUSED] > 0 || d.told[LAPEL_EVENT_FAILED] > 0);
            }
            CHECK_INT(d.bricks, 0);
        }
    }
}

/* --- what somebody else wrote into the store ------------------------------------------------------ */

/* Write a document where the device keeps its sets. */
static void forge(const struct lsuit_bytes *doc)
{
    for (int i = 0; i < 2; i++) {
        d.trust[i].bytes[0] = (uint8_t)doc->len;
        d.trust[i].bytes[1] = (uint8_t)(doc->len >> 8);
        memcpy(d.trust[i].bytes + 2, doc->ptr, doc->len);
    }
}

static void test_altered(void)
{
    static struct set_doc odd;
    static const struct set_how FORGED = { 7, { STRANGER, -1 }, { STRANGER, -1 }, { STRANGER, -1 },
                                           0, { NULL } };

    set_make(&odd, &FORGED, signers);
    for (int sealed = 0; sealed < 2; sealed++) {
        fresh(sealed ? "one changed bit in both records, sealed"
                     : "one changed bit in both records",
              sealed);
        d.server.trust_n = 3;
        device_boot(&d);
        CHECK(live_to(3));
        for (int i = 0; i < 2; i++)
            d.trust[i].bytes[100] ^= 1;
        device_boot(&d);
        CHECK_UINT(d.lapel.trust.version, 1);
        CHECK_UINT(d.lapel.count[0].class_, LSUIT_EVENT_TAMPERED);

        check_case("nothing is installed until the steps are there again");
        release_make(&v2, 32, 1500, &signers[RELEASE], &(struct release_how){ 0 });
        d.server.release = &v2; /* signed by a key that the factory's set has, and 3 has not */
        d.server.trust_status = 503;
        CHECK(device_live(&d, told_refused, 20000));
        CHECK_INT(d.server.payloads, 0);
        d.server.trust_status = 0;
        d.server.release = NULL;
        CHECK(live_to(3));
        CHECK(!lapel_trust_behind(&d.lapel));

        fresh(sealed ? "a forger's set, sealed" : "a forger's set", sealed);
        device_boot(&d);
        CHECK(live_checkins(1));
        forge(&odd.doc);
        device_boot(&d);
        CHECK_INT(d.init, LAPEL_OK);
        CHECK_UINT(d.lapel.trust.version, 1);

        fresh(sealed ? "an older set put back, sealed" : "an older set put back", sealed);
        d.server.trust_n = 3;
        device_boot(&d);
        CHECK(live_to(3));
        forge(&chain[1]);
        device_boot(&d);
        CHECK(lapel_trust_behind(&d.lapel));
        CHECK_UINT(d.lapel.count[0].class_, LSUIT_EVENT_TAMPERED);
    }

    fresh("records full of nonsense", true);
    for (int i = 0; i < 2; i++)
        memset(d.trust[i].bytes, i == 0 ? 0xff : 0x00, LAPEL_TRUST_SIZE);
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK_UINT(d.lapel.trust.version, 1);
}

/* --- where the server is -------------------------------------------------------------------------- */

static bool asked_elsewhere(struct device *x)
{
    return strcmp(x->server.host, "updates.example") != 0 && x->server.host[0] != '\0';
}

static int until_days;
static bool days_passed(struct device *x)
{
    return x->now >= (uint64_t)until_days * 86400000u;
}

static void test_servers(void)
{
    fresh("the server moves, and the device follows", true);
    d.server.trust_n = CHAIN;
    device_boot(&d);
    CHECK_STR(d.lapel.origin.host, "updates.example");
    CHECK(d.used_factory);
    CHECK(live_to(CHAIN));
    CHECK_STR(d.lapel.origin.host, "new.example");
    CHECK(!d.used_factory);
    d.server.only_host = "new.example";
    CHECK(live_checkins(1));
    CHECK_STR(d.server.host, "new.example");
    device_boot(&d);
    CHECK_STR(d.lapel.origin.host, "new.example");

    fresh("thirty days of silence: the next one, and not before", true);
    d.server.trust_n = 5;
    device_boot(&d);
    CHECK(live_to(5));
    CHECK_STR(d.lapel.origin.host, "new.example");
    d.server.only_host = "other.example";
    until_days = 29;
    CHECK(device_live(&d, days_passed, 200000));
    CHECK_STR(d.lapel.origin.host, "new.example");
    until_days = 31;
    CHECK(device_live(&d, days_passed, 200000));
    CHECK_STR(d.lapel.origin.host, "other.example");
    CHECK(live_checkins(1));
    check_case("it stays where an answer came from, over a restart");
    device_boot(&d);
    CHECK_STR(d.lapel.origin.host, "other.example");
    until_days = 40;
    CHECK(device_live(&d, days_passed, 200000));
    CHECK_STR(d.lapel.origin.host, "other.example");

    check_case("the factory's is the last resort, and then it begins again");
    d.server.only_host = "updates.example";
    device_boot(&d);
    d.server.host[0] = '\0';
    for (int day = 1; day <= 100 && strcmp(d.server.host, "updates.example") != 0; day++) {
        until_days = day;
        CHECK(device_live(&d, days_passed, 200000));
    }
    CHECK_STR(d.lapel.origin.host, "updates.example");
    CHECK(d.used_factory);
    d.server.only_host = "new.example";
    until_days += 31;
    CHECK(device_live(&d, days_passed, 200000));
    CHECK(live_checkins(1));
    CHECK_STR(d.server.host, "new.example");

    fresh("silence counts over restarts", false);
    d.config.base_url[1] = "https://second.example";
    d.server.only_host = "second.example";
    device_boot(&d);
    int starts = 0;
    for (; starts < 20 && strcmp(d.lapel.origin.host, "updates.example") == 0; starts++) {
        until_days = 3; /* of which a restart may take the last */
        CHECK(device_live(&d, days_passed, 200000));
        device_boot(&d);
    }
    CHECK(starts >= 10 && starts <= 15);
    CHECK(device_live(&d, asked_elsewhere, 20000));
    CHECK(live_checkins(1));

    fresh("a second base URL that is none", false);
    d.config.base_url[1] = "second.example";
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_ERR_CONFIG);

    fresh("a set with a URL in clear: passed over", false);
    d.config.base_url[1] = NULL;
    static struct set_doc odd;
    static const struct set_how CLEAR = {
        1, { ROOT, -1 }, { RELEASE, -1 }, { ROOT, -1 }, 0, { "http://clear.example" }
    };
    set_make(&odd, &CLEAR, signers);
    d.config.trust = odd.doc;
    device_boot(&d);
    CHECK_STR(d.lapel.origin.host, "updates.example");
    CHECK(live_checkins(1));
    CHECK_STR(d.server.host, "updates.example");
}

/* --- who signs statements ------------------------------------------------------------------------- */

static void test_statements(void)
{
    static struct set_doc doc[2];
    struct lsuit_bytes sets[2];

    for (int i = 0; i < 2; i++) {
        set_make_online(&doc[i], &HOW[i], i == 0 ? ONLINE : ONLINE2, signers);
        sets[i] = doc[i].doc;
    }
    fresh("statements are by the online key of the set in force, not by the configuration's", true);
    d.config.trust = sets[0];
    d.server.trust = sets;
    d.server.st.number = 7;
    d.server.always = true;
    device_online(&d, &signers[STRANGER]);
    device_boot(&d);
    CHECK(live_checkins(1));
    CHECK_INT(d.told[LAPEL_EVENT_STATEMENT], 1);
    CHECK_UINT(d.lapel.rec.fresh.number, 0);
    d.server.signer = &signers[ONLINE];
    CHECK(live_checkins(1));
    CHECK_UINT(d.lapel.rec.fresh.number, 7);
    check_case("a release key of the set signs none");
    d.server.signer = &signers[RELEASE];
    d.server.st.number = 8;
    CHECK(live_checkins(1));
    CHECK_UINT(d.lapel.rec.fresh.number, 7);
    check_case("the next set's key takes over, and the one before is no good any more");
    d.server.signer = &signers[ONLINE];
    d.server.st.number = LSUIT_NUMBER_MAX; /* it leaked: no later one would be higher */
    CHECK(live_checkins(1));
    CHECK_UINT(d.lapel.rec.fresh.number, LSUIT_NUMBER_MAX);
    d.server.signer = &signers[ONLINE2];
    d.server.st.number = 8;
    d.server.trust_n = 2;
    CHECK(live_to(2));
    CHECK(live_checkins(1));
    CHECK_UINT(d.lapel.rec.fresh.number, 8);
    d.server.signer = &signers[ONLINE];
    d.server.st.number = 9;
    CHECK(live_checkins(1));
    CHECK_UINT(d.lapel.rec.fresh.number, 8);

    fresh("a set without an online key: nothing is asked for, and nothing gets stale", true);
    d.server.st.number = 7;
    device_boot(&d);
    CHECK(live_checkins(30));
    CHECK_INT(d.server.nonces, 0);
    CHECK_INT(d.told[LAPEL_EVENT_STALE], 0);

    fresh("a device of plain files follows the sets too", true);
    d.config.trust = sets[0];
    d.server.trust = sets;
    d.server.trust_n = 2;
    d.server.signer = &signers[ONLINE];
    d.server.st.number = 7;
    d.config.cdn = true;
    device_boot(&d);
    CHECK_INT(d.init, LAPEL_OK);
    CHECK(live_to(2));
    CHECK_INT(d.server.checkins, 0);
}

int main(void)
{
    for (int i = 0; i < SIGNERS; i++)
        signer_init(&signers[i]);
    release_make(&v1, 16, 900, &signers[RELEASE], &(struct release_how){ 0 });
    release_make(&v2, 32, 1500, &signers[RELEASE], &(struct release_how){ 0 });
    release_make(&v3, 48, 1300, &signers[RELEASE2], &(struct release_how){ 0 });
    check_case("the chain");
    for (int i = 0; i < CHAIN; i++) {
        set_make(&chain_doc[i], &HOW[i], signers);
        chain[i] = chain_doc[i].doc;
    }
    test_init();
    test_not_stored();
    test_steps();
    test_refused();
    test_releases();
    test_online();
    test_waiting();
    test_altered();
    test_servers();
    test_statements();
    return check_done();
}
