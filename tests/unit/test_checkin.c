/*
 * Check-in, capability and answer: the worked examples, ranges, growth.
 */
#include "doc.h"

#include "lsuit/cbor.h"
#include "lsuit/checkin.h"
#include "lsuit/crypto.h"

#include <psa/crypto.h>

#define N(table) (sizeof(table) / sizeof *(table))

/* The capability is kept as it came: write it anew, so that unknown keys in it go too. */
static enum lsuit_err capability_anew(struct lsuit_checkin *ci, uint8_t *buf, size_t cap)
{
    struct lsuit_capability c;
    enum lsuit_err e = LSUIT_OK;

    if (ci->capability.ptr != NULL)
        e = lsuit_capability_read(ci->capability, &c, NULL);
    if (e == LSUIT_OK && ci->capability.ptr != NULL)
        e = lsuit_capability_write(&c, buf, cap, &ci->capability);
    return e;
}

static enum lsuit_err checkin_rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                      struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    static uint8_t room[DOC_ROOM];
    struct lsuit_checkin ci;
    enum lsuit_err e = lsuit_checkin_read(doc, &ci, fault);

    if (e == LSUIT_OK)
        e = capability_anew(&ci, room, sizeof room);
    return e != LSUIT_OK ? e : lsuit_checkin_write(&ci, buf, cap, out);
}

static enum lsuit_err capability_rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                         struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    struct lsuit_capability c;
    enum lsuit_err e = lsuit_capability_read(doc, &c, fault);

    return e != LSUIT_OK ? e : lsuit_capability_write(&c, buf, cap, out);
}

static enum lsuit_err answer_rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                     struct lsuit_bytes *out, struct lsuit_fault *fault)
{
    struct lsuit_answer a;
    enum lsuit_err e = lsuit_answer_read(doc, &a, fault);

    return e != LSUIT_OK ? e : lsuit_answer_write(&a, buf, cap, out);
}

/* Maps of checkin-full: 0 itself, 1 and 2 running, 3 attempt, 4 capability, 5 and 6 events,
 * 7 fault, 8 user. */
#define HEX16 "00112233445566778899aabbccddeeff"
#define HEX32 HEX16 HEX16
#define TEXT32 "61616161616161616161616161616161 61616161616161616161616161616161"
/* clang-format off */
static const struct doc_case CHECKIN_CASES[] = {
    /* name                           map key value                  want               what */
    { "no version",                    0, 0, "",                    LSUIT_ERR_CBOR,    "version" },
    { "version 2",                     0, 0, "02",                  LSUIT_ERR_REFUSED, "version" },
    { "version 0",                     0, 0, "00",                  LSUIT_ERR_REFUSED, "version" },
    { "version as text",               0, 0, "6131",                LSUIT_ERR_CBOR,    "version" },
    { "no product",                    0, 1, "",                    LSUIT_ERR_CBOR,    "product" },
    { "an empty product",              0, 1, "60",                  LSUIT_ERR_RANGE,   "product" },
    { "a product of 64 bytes",         0, 1, "7840" TEXT32 TEXT32,  LSUIT_OK,          NULL },
    { "a product of 65 bytes",         0, 1, "7841" TEXT32 TEXT32 "61", LSUIT_ERR_RANGE, "product" },
    { "a product as bytes",            0, 1, "4161",                LSUIT_ERR_CBOR,    "product" },
    { "a product with a zero byte",    0, 1, "63610062",            LSUIT_ERR_RANGE,   "product" },
    { "a product with an escape",      0, 1, "631b5b6d",            LSUIT_ERR_RANGE,   "product" },
    { "a product with a C1 control",   0, 1, "62c29b",              LSUIT_ERR_RANGE,   "product" },
    { "a product with a DEL",          0, 1, "62617f",              LSUIT_ERR_RANGE,   "product" },
    { "a product in Greek",            0, 1, "64ceb1ceb2",          LSUIT_OK,          NULL },
    { "a product with a no-break space", 0, 1, "62c2a0",            LSUIT_OK,          NULL },
    { "a product that is no UTF-8",    0, 1, "62c328",              LSUIT_ERR_CBOR,    "product" },
    { "anonymous",                     0, 2, "",                    LSUIT_OK,          NULL },
    { "an empty device id",            0, 2, "60",                  LSUIT_ERR_RANGE,   "device-id" },
    { "no model",                      0, 3, "",                    LSUIT_ERR_CBOR,    "model" },
    { "no hardware revision",          0, 4, "",                    LSUIT_OK,          NULL },
    { "an empty hardware revision",    0, 4, "60",                  LSUIT_OK,          NULL },
    { "a hardware revision of 33",     0, 4, "7821" TEXT32 "61",    LSUIT_ERR_RANGE,   "hardware-revision" },
    { "no running",                    0, 5, "",                    LSUIT_ERR_CBOR,    "running" },
    { "running is empty",              0, 5, "80",                  LSUIT_ERR_RANGE,   "running" },
    { "running is a map",              0, 5, "a0",                  LSUIT_ERR_CBOR,    "running" },
    { "five spaces",                   0, 5, "85a0a0a0a0a0",        LSUIT_ERR_LIMIT,   "running" },
    { "the same space twice",          2, 3, "",                    LSUIT_ERR_RANGE,   "running" },
    { "a vendor id of 15 bytes",       1, 1, "4f112233445566778899aabbccddeeff", LSUIT_ERR_RANGE, "vendor-id" },
    { "no vendor id",                  1, 1, "",                    LSUIT_ERR_CBOR,    "vendor-id" },
    { "no class id",                   1, 2, "",                    LSUIT_ERR_CBOR,    "class-id" },
    { "a component id",                1, 3, "43814102",            LSUIT_OK,          NULL },
    { "a component id of two parts",   1, 3, "4582410141aa",        LSUIT_OK,          NULL },
    { "a component id that is no array", 1, 3, "420102",            LSUIT_ERR_CBOR,    "component-id" },
    { "a component id of integers",    1, 3, "428101",              LSUIT_ERR_CBOR,    "component-id" },
    { "an empty component id string",  1, 3, "40",                  LSUIT_ERR_RANGE,   "component-id" },
    { "no sequence",                   1, 4, "",                    LSUIT_ERR_CBOR,    "sequence" },
    { "the highest sequence",          1, 4, "1b7fffffffffffffff",  LSUIT_OK,          NULL },
    { "a sequence above it",           1, 4, "1b8000000000000000",  LSUIT_ERR_RANGE,   "sequence" },
    { "a negative sequence",           1, 4, "20",                  LSUIT_ERR_CBOR,    "sequence" },
    { "a sequence without digest",     1, 5, "",                    LSUIT_ERR_CBOR,    "digest" },
    { "a digest of 31 bytes",          1, 5, "581f" HEX16 "00112233445566778899aabbccddee", LSUIT_ERR_RANGE, "digest" },
    { "state 0",                       1, 6, "00",                  LSUIT_ERR_RANGE,   "state" },
    { "a state of later",              1, 6, "09",                  LSUIT_OK,          NULL },
    { "a state out of all range",      1, 6, "190100",              LSUIT_ERR_RANGE,   "state" },
    { "no attempt",                    0, 6, "",                    LSUIT_OK,          NULL },
    { "an attempt id of 7 bytes",      3, 1, "4700112233445566",    LSUIT_ERR_RANGE,   "attempt-id" },
    { "an attempt without id",         3, 1, "",                    LSUIT_ERR_CBOR,    "attempt-id" },
    { "an attempt without stage",      3, 2, "",                    LSUIT_ERR_CBOR,    "stage" },
    { "an attempt without class",      3, 3, "",                    LSUIT_ERR_CBOR,    "class" },
    { "a stage of later",              3, 2, "18ff",                LSUIT_OK,          NULL },
    { "a stage out of all range",      3, 2, "190100",              LSUIT_ERR_RANGE,   "stage" },
    { "the lowest code",               3, 4, "3b7fffffffffffffff",  LSUIT_OK,          NULL },
    { "a code below it",               3, 4, "3b8000000000000000",  LSUIT_ERR_RANGE,   "code" },
    { "an empty reason",               3, 8, "40",                  LSUIT_ERR_RANGE,   "reason" },
    { "trust version 2^32",            0, 7, "1b0000000100000000",  LSUIT_ERR_RANGE,   "trust-version" },
    { "security counter above",        0, 8, "1b8000000000000000",  LSUIT_ERR_RANGE,   "security-counter" },
    { "boot counter above",            0, 9, "1b8000000000000000",  LSUIT_ERR_RANGE,   "boot-counter" },
    { "a capability and its digest",   0, 11, "5820" HEX32,         LSUIT_ERR_RANGE,   "capability-digest" },
    { "a capability without commands", 4, 1, "",                    LSUIT_ERR_CBOR,    "commands" },
    { "a command twice",               4, 1, "820101",              LSUIT_ERR_RANGE,   "commands" },
    { "commands as text",              4, 1, "816161",              LSUIT_ERR_CBOR,    "commands" },
    { "envelopes of 2047 bytes",       4, 4, "1907ff",              LSUIT_ERR_RANGE,   "envelope-max" },
    { "envelopes of 2048 bytes",       4, 4, "190800",              LSUIT_OK,          NULL },
    { "no component",                  4, 5, "00",                  LSUIT_ERR_RANGE,   "components" },
    { "no client version",             4, 7, "",                    LSUIT_OK,          NULL },
    { "17 events",                     0, 12, "91a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0", LSUIT_ERR_LIMIT, "events" },
    { "event class 0",                 5, 1, "00",                  LSUIT_ERR_RANGE,   "class" },
    { "an event that never was",       5, 2, "00",                  LSUIT_ERR_RANGE,   "count" },
    { "an event without time",         5, 3, "",                    LSUIT_ERR_CBOR,    "last" },
    { "a fault without kind",          7, 1, "",                    LSUIT_ERR_CBOR,    "kind" },
    { "a fault anywhere",              7, 2, "1bffffffffffffffff",  LSUIT_OK,          NULL },
    { "a fault detail of 65 bytes",    7, 4, "5841" HEX32 HEX32 "00", LSUIT_ERR_RANGE, "detail" },
    { "a setting of later",            8, 1, "03",                  LSUIT_OK,          NULL },
    { "refused is no bool",            8, 6, "01",                  LSUIT_ERR_CBOR,    "refused" },
    { "a nonce of 7 bytes",            0, 15, "4700112233445566",   LSUIT_ERR_RANGE,   "nonce" },
    { "a nonce of 8 bytes",            0, 15, "480011223344556677", LSUIT_OK,          NULL },
    { "a nonce of 33 bytes",           0, 15, "5821" HEX32 "00",    LSUIT_ERR_RANGE,   "nonce" },
    { "counter above",                 0, 16, "1b8000000000000000", LSUIT_ERR_RANGE,   "counter" },
    { "an empty via",                  0, 17, "60",                 LSUIT_ERR_RANGE,   "via" },
    { "15 hours east",                 0, 18, "190384",             LSUIT_OK,          NULL },
    { "a minute more",                 0, 18, "190385",             LSUIT_ERR_RANGE,   "time-zone" },
    { "15 hours west",                 0, 18, "390383",             LSUIT_OK,          NULL },
    { "a minute more to the west",     0, 18, "390384",             LSUIT_ERR_RANGE,   "time-zone" },
    { "a channel of 33 bytes",         0, 19, "7821" TEXT32 "61",   LSUIT_ERR_RANGE,   "channel" },
    { "a device key of 64 bytes",      0, 20, "5840" HEX32 HEX32,   LSUIT_ERR_RANGE,   "device-key" },
    { "an empty attestation",          0, 21, "40",                 LSUIT_ERR_RANGE,   "attestation" },
    { "erase as a number",             0, 22, "01",                 LSUIT_ERR_CBOR,    "erase" },
    { "a language of 36 bytes",        0, 23, "7824" TEXT32 "61616161", LSUIT_ERR_RANGE, "language" },
    { "a float that nobody knows",     0, 24, "f93c00",             LSUIT_ERR_CBOR,    NULL },
    { "an array of no set length",     0, 24, "9fff",               LSUIT_ERR_CBOR,    NULL },
    { "a number longer than it must be", 0, 7, "1801",              LSUIT_ERR_CBOR,    "trust-version" },
};

/* Maps of answer-full: 0 itself, 1 and 2 verdicts. */
static const struct doc_case ANSWER_CASES[] = {
    { "answer: no version",            0, 0, "",                    LSUIT_ERR_CBOR,    "version" },
    { "answer: version 2",             0, 0, "02",                  LSUIT_ERR_REFUSED, "version" },
    { "answer: no verdicts",           0, 1, "",                    LSUIT_OK,          NULL },
    { "answer: five verdicts",         0, 1, "85a0a0a0a0a0",        LSUIT_ERR_LIMIT,   "verdicts" },
    { "answer: the same space twice",  2, 3, "",                    LSUIT_ERR_RANGE,   "verdicts" },
    { "answer: no next poll",          0, 2, "",                    LSUIT_ERR_CBOR,    "next-poll" },
    { "answer: month 13",              0, 3, "1a00031969",          LSUIT_ERR_RANGE,   "support-end" },
    { "answer: month 0",               0, 3, "1a0003195c",          LSUIT_ERR_RANGE,   "support-end" },
    { "answer: January",               0, 3, "1a0003195d",          LSUIT_OK,          NULL },
    { "answer: a year without month",  0, 3, "1907eb",              LSUIT_ERR_RANGE,   "support-end" },
    { "answer: a URL with a line end", 0, 4, "63610a62",            LSUIT_ERR_RANGE,   "support-url" },
    { "answer: an empty statement",    0, 6, "40",                  LSUIT_ERR_RANGE,   "statement" },
    { "answer: an erase nonce of 7",   0, 7, "4700112233445566",    LSUIT_ERR_RANGE,   "erase-nonce" },
    { "answer: a token of 42",         0, 8, "782a" TEXT32 "61616161616161616161", LSUIT_ERR_RANGE, "token" },
    { "answer: a token with a blank",  0, 8, "782b" TEXT32 "6161616161616161616120", LSUIT_ERR_RANGE, "token" },
    { "answer: a token in base64",     0, 8, "782b" TEXT32 "616161616161616161612b", LSUIT_ERR_RANGE, "token" },
    { "answer: a good token",          0, 8, "782b" TEXT32 "616161616161616161612d", LSUIT_OK, NULL },
    { "answer: time above",            0, 10, "1b8000000000000000", LSUIT_ERR_RANGE,   "time" },
    { "answer: no verdict",            1, 4, "",                    LSUIT_ERR_CBOR,    "verdict" },
    { "answer: withdraw without sequence", 1, 5, "",                LSUIT_ERR_CBOR,    "sequence" },
    { "answer: withdraw without digest", 1, 6, "",                  LSUIT_ERR_CBOR,    "digest" },
    { "answer: an offer without size", 1, 4, "01",                  LSUIT_ERR_CBOR,    "size" },
    { "answer: size 0",                1, 7, "00",                  LSUIT_ERR_RANGE,   "size" },
};
/* clang-format on */

static void next_poll_cases(struct lsuit_bytes doc)
{
    static const struct {
        const char *name, *value;
        uint32_t want;
    } ROWS[] = {
        { "next poll 0 is 30", "00", 30 },
        { "next poll 29 is 30", "181d", 30 },
        { "next poll 30", "181e", 30 },
        { "next poll 31", "181f", 31 },
        { "next poll 7 d", "1a00093a80", 604800 },
        { "next poll 7 d and a second is 7 d", "1a00093a81", 604800 },
        { "next poll 2^64-1 is 7 d", "1bffffffffffffffff", 604800 },
    };
    uint8_t value[16], edited[DOC_ROOM];

    for (size_t i = 0; i < N(ROWS); i++) {
        struct lsuit_bytes v = { value, check_hex(ROWS[i].value, value, sizeof value) };
        struct lsuit_answer a;

        check_case(ROWS[i].name);
        if (CHECK_INT(lsuit_answer_read(doc_edit(doc, 0, 2, v, edited), &a, NULL), LSUIT_OK))
            CHECK_UINT(a.next_poll_s, ROWS[i].want);
    }
}

static void values_of_checkin(struct lsuit_bytes doc)
{
    struct lsuit_checkin ci;
    struct lsuit_capability cap;
    int64_t v = 0;

    check_case("every value of a full check-in");
    if (!CHECK_INT(lsuit_checkin_read(doc, &ci, NULL), LSUIT_OK))
        return;
    CHECK_BYTES(ci.product.ptr, ci.product.len, "lamp", 4);
    CHECK_BYTES(ci.device_id.ptr, ci.device_id.len, "lamp-000017", 11);
    CHECK_BYTES(ci.model.ptr, ci.model.len, "LX-100", 6);
    CHECK_BYTES(ci.hw_revision.ptr, ci.hw_revision.len, "B2", 2);
    CHECK_UINT(ci.running_n, 2);
    CHECK_UINT(ci.running[0].sequence, 16);
    CHECK_UINT(ci.running[0].state, LSUIT_RUNNING_REVERTED);
    CHECK(ci.running[0].space.component_id.ptr == NULL);
    CHECK_BYTES(ci.running[1].space.component_id.ptr, ci.running[1].space.component_id.len,
                "\x81\x45radio", 7);
    CHECK_UINT(ci.running[1].sequence, 0);
    CHECK(ci.running[1].digest.ptr == NULL);
    CHECK(ci.has_attempt);
    CHECK_UINT(ci.attempt.stage, LSUIT_STAGE_IMAGE_MATCH);
    CHECK_UINT(ci.attempt.class_, LSUIT_CLASS_DIGEST_MISMATCH);
    CHECK_INT(ci.attempt.code, -116);
    CHECK(ci.attempt.has_offset && ci.attempt.offset == 65536);
    CHECK(ci.attempt.has_sequence && ci.attempt.sequence == 32);
    CHECK_UINT(ci.attempt.digest.len, 32);
    CHECK_UINT(ci.trust_version, 1);
    CHECK(ci.has_security_counter && ci.security_counter == 4);
    CHECK(ci.has_boot_counter && ci.boot_counter == 212);
    CHECK_UINT(ci.events_n, 2);
    CHECK_UINT(ci.events[0].class_, LSUIT_EVENT_ROLLBACK);
    CHECK_UINT(ci.events[0].count, 3);
    CHECK_UINT(ci.events[1].last_s, 59);
    CHECK(ci.has_fault && ci.fault.where == 0x08001234);
    CHECK(ci.has_user && ci.user.refused);
    CHECK_UINT(ci.user.auto_security, LSUIT_SETTING_ON);
    CHECK_UINT(ci.user.auto_feature, LSUIT_SETTING_OFF);
    CHECK_UINT(ci.user.postponed_s, 7200);
    CHECK_UINT(ci.user.waiting, LSUIT_GATE_REBOOT);
    CHECK_UINT(ci.nonce.len, 16);
    CHECK(ci.has_counter && ci.counter == 77);
    CHECK_BYTES(ci.via.ptr, ci.via.len, "hub-3", 5);
    CHECK(ci.has_time_zone && ci.time_zone_min == -210);
    CHECK_BYTES(ci.channel.ptr, ci.channel.len, "beta", 4);
    CHECK_UINT(ci.device_key.len, 65);
    CHECK(ci.erase);
    CHECK_BYTES(ci.language.ptr, ci.language.len, "de-AT", 5);
    if (!CHECK_INT(lsuit_capability_read(ci.capability, &cap, NULL), LSUIT_OK))
        return;
    CHECK_UINT(cap.envelope_max, 4096);
    CHECK_UINT(cap.payload_max, 1048576);
    CHECK(lsuit_list_has(cap.commands, 21));
    CHECK(!lsuit_list_has(cap.commands, 22));
    CHECK(lsuit_list_has(cap.algorithms, LSUIT_ALG_ESP256));
    CHECK(lsuit_list_at(cap.algorithms, 2, &v) && v == LSUIT_ALG_SHA256);
    CHECK(!lsuit_list_at(cap.algorithms, 3, &v));
    CHECK(!lsuit_list_has((struct lsuit_bytes){ NULL, 0 }, 0));
}

static void values_of_answer(struct lsuit_bytes doc)
{
    struct lsuit_answer a;
    struct lsuit_space other = { 0 };

    check_case("every value of a full answer");
    if (!CHECK_INT(lsuit_answer_read(doc, &a, NULL), LSUIT_OK))
        return;
    CHECK_UINT(a.verdicts_n, 2);
    CHECK_UINT(a.verdicts[0].verdict, LSUIT_WITHDRAW);
    CHECK(a.verdicts[0].has_sequence && a.verdicts[0].sequence == 32);
    CHECK_UINT(a.verdicts[1].verdict, LSUIT_WAIT);
    CHECK(!a.verdicts[1].has_sequence);
    CHECK(lsuit_answer_verdict(&a, &a.verdicts[1].space) == &a.verdicts[1]);
    CHECK(lsuit_answer_verdict(&a, &other) == NULL);
    CHECK_UINT(a.next_poll_s, 3600);
    CHECK_UINT(a.support_end, 203112);
    CHECK_UINT(a.trust_version, 2);
    CHECK_UINT(a.erase_nonce.len, 16);
    CHECK_UINT(a.token.len, 43);
    CHECK(a.capability);
    CHECK(a.has_time && a.time_s == 1790000000);
}

static void confirmed_cases(void)
{
    static const uint8_t ID[16] = { 1 }, DIGEST[32] = { 2 }, OTHER[32] = { 3 };
    static const struct {
        const char *name;
        uint32_t state;
        uint64_t sequence;
        const uint8_t *digest;
        bool want;
    } ROWS[] = {
        { "confirmed counts", LSUIT_RUNNING_CONFIRMED, 7, DIGEST, true },
        { "a trial does not", LSUIT_RUNNING_TRIAL, 7, DIGEST, false },
        { "reverted does not", LSUIT_RUNNING_REVERTED, 7, DIGEST, false },
        { "a state of later does not", 9, 7, DIGEST, false },
        { "another sequence does not", LSUIT_RUNNING_CONFIRMED, 8, DIGEST, false },
        { "another digest does not", LSUIT_RUNNING_CONFIRMED, 7, OTHER, false },
        { "no digest does not", LSUIT_RUNNING_CONFIRMED, 7, NULL, false },
    };

    for (size_t i = 0; i < N(ROWS); i++) {
        struct lsuit_space space = { { ID, 16 }, { ID, 16 }, { NULL, 0 } };
        struct lsuit_checkin ci = { .running_n = 1 };

        ci.running[0].space = space;
        ci.running[0].sequence = ROWS[i].sequence;
        ci.running[0].state = ROWS[i].state;
        ci.running[0].digest = (struct lsuit_bytes){ ROWS[i].digest, ROWS[i].digest ? 32 : 0 };
        check_case(ROWS[i].name);
        CHECK_INT(lsuit_checkin_confirmed(&ci, &space, 7, (struct lsuit_bytes){ DIGEST, 32 }),
                  ROWS[i].want);
    }
}

/* Values that the reader would refuse are not written. */
static void refused_values(struct lsuit_bytes checkin_doc, struct lsuit_bytes answer_doc)
{
    static uint8_t buf[DOC_ROOM];
    struct lsuit_checkin full, ci;
    struct lsuit_answer all, a;
    struct lsuit_bytes out = { NULL, 0 };
    const struct lsuit_bytes none = { NULL, 0 }, bad = { (const uint8_t *)"\xc3\x28", 2 };

    check_case("a check-in that can't be read is not written");
    CHECK_INT(lsuit_checkin_read(checkin_doc, &full, NULL), LSUIT_OK);
#define REFUSED(change)                                                              \
    do {                                                                             \
        ci = full;                                                                   \
        change;                                                                      \
        CHECK_INT(lsuit_checkin_write(&ci, buf, sizeof buf, &out), LSUIT_ERR_RANGE); \
    } while (0)
    REFUSED(ci.product = none);
    REFUSED(ci.product = bad);
    REFUSED(ci.model = none);
    REFUSED(ci.device_id.len = 0);
    REFUSED(ci.running_n = 0);
    REFUSED(ci.running[1].space = ci.running[0].space);
    REFUSED(ci.running[0].space.class_id = none);
    REFUSED(ci.running[0].digest = none);
    REFUSED(ci.running[0].digest.len = 31);
    REFUSED(ci.running[0].state = 0);
    REFUSED(ci.running[0].sequence = LSUIT_SEQUENCE_MAX + 1);
    REFUSED(ci.attempt.id = none);
    REFUSED(ci.capability_digest = ci.running[0].digest);
    REFUSED(ci.events[0].count = 0);
    REFUSED(ci.nonce.len = 7);
    REFUSED(ci.time_zone_min = -901);
    REFUSED(ci.device_key.len = 64);
    ci = full;
    ci.running_n = 5;
    CHECK_INT(lsuit_checkin_write(&ci, buf, sizeof buf, &out), LSUIT_ERR_LIMIT);
    ci = full;
    ci.events_n = 17;
    CHECK_INT(lsuit_checkin_write(&ci, buf, sizeof buf, &out), LSUIT_ERR_LIMIT);
#undef REFUSED

    check_case("an answer that can't be read is not written");
    CHECK_INT(lsuit_answer_read(answer_doc, &all, NULL), LSUIT_OK);
#define REFUSED(change)                                                            \
    do {                                                                           \
        a = all;                                                                   \
        change;                                                                    \
        CHECK_INT(lsuit_answer_write(&a, buf, sizeof buf, &out), LSUIT_ERR_RANGE); \
    } while (0)
    REFUSED(a.next_poll_s = 29);
    REFUSED(a.next_poll_s = 604801);
    REFUSED(a.support_end = 203113);
    REFUSED(a.token.len = 42);
    REFUSED(a.verdicts[0].digest = none);
    REFUSED(a.verdicts[0].has_sequence = false);
    REFUSED(a.verdicts[0].verdict = 4);
    REFUSED(a.verdicts[0].verdict = LSUIT_OFFER); /* without size */
    REFUSED(a.verdicts[1].space = a.verdicts[0].space);
    a = all;
    a.verdicts[0].space.component_id = bad;
    CHECK_INT(lsuit_answer_write(&a, buf, sizeof buf, &out), LSUIT_ERR_CBOR);
    a = all;
    a.verdicts[0].verdict = LSUIT_OFFER;
    a.verdicts[0].size = 9;
    CHECK_INT(lsuit_answer_write(&a, buf, sizeof buf, &out), LSUIT_OK);
#undef REFUSED
}

/* Two offers, put together by hand: the writer makes none such. */
static void two_offers(struct lsuit_bytes offer_doc)
{
    static uint8_t edited[DOC_ROOM], two[DOC_ROOM];
    static const uint8_t COMPONENT[] = { 0x43, 0x81, 0x41, 0x02 };
    struct lsuit_bytes first, second, value, doc;
    struct lsuit_cbor c = lsuit_cbor_open(offer_doc);
    struct lsuit_fault fault = { 0 };
    struct lsuit_answer a;
    int64_t key = 0;
    size_t n = 0;

    check_case("two offers are refused");
    lsuit_cbor_map(&c);
    lsuit_cbor_next_key(&c, &key);
    lsuit_cbor_uint(&c);
    lsuit_cbor_next_key(&c, &key);
    lsuit_cbor_array(&c);
    CHECK(lsuit_cbor_next(&c));
    first = lsuit_cbor_item(&c);
    second = doc_edit(first, 0, 3, (struct lsuit_bytes){ COMPONENT, sizeof COMPONENT }, edited);
    two[n++] = 0x82;
    memcpy(two + n, first.ptr, first.len);
    n += first.len;
    memcpy(two + n, second.ptr, second.len);
    n += second.len;
    value = (struct lsuit_bytes){ two, n };
    doc = doc_edit(offer_doc, 0, 1, value, edited);
    CHECK_INT(lsuit_answer_read(doc, &a, &fault), LSUIT_ERR_RANGE);
    CHECK_STR(fault.why, "more than one offer");
    CHECK_INT(fault.code, LSUIT_ANSWER_VERDICTS);

    check_case("a verdict of later is nothing");
    doc = doc_edit(offer_doc, 1, 4, (struct lsuit_bytes){ (const uint8_t *)"\x09", 1 }, edited);
    if (CHECK_INT(lsuit_answer_read(doc, &a, NULL), LSUIT_OK))
        CHECK_UINT(a.verdicts[0].verdict, LSUIT_NOTHING);
}

static void capability_digest(void)
{
    static uint8_t cap_buf[DOC_ROOM], buf[DOC_ROOM];
    struct lsuit_bytes cap = doc_example("capability", cap_buf, sizeof cap_buf);
    struct lsuit_bytes doc = doc_example("checkin-digest", buf, sizeof buf);
    struct lsuit_checkin ci;
    uint8_t digest[32];
    size_t n = 0;

    check_case("the capability digest is the SHA-256 of the encoded map");
    CHECK_INT(psa_hash_compute(PSA_ALG_SHA_256, cap.ptr, cap.len, digest, sizeof digest, &n), 0);
    if (CHECK_INT(lsuit_checkin_read(doc, &ci, NULL), LSUIT_OK))
        CHECK_BYTES(ci.capability_digest.ptr, ci.capability_digest.len, digest, n);
}

static void lists(void)
{
    int64_t items[LSUIT_LIST_MAX + 1];
    uint8_t buf[512];
    struct lsuit_bytes out;

    check_case("a list has at most 64 different numbers");
    for (int i = 0; i <= LSUIT_LIST_MAX; i++)
        items[i] = -i;
    CHECK_INT(lsuit_list_write(items, LSUIT_LIST_MAX, buf, sizeof buf, &out), LSUIT_OK);
    CHECK(lsuit_list_has(out, -63));
    CHECK_INT(lsuit_list_write(items, LSUIT_LIST_MAX + 1, buf, sizeof buf, &out), LSUIT_ERR_LIMIT);
    items[1] = 0;
    CHECK_INT(lsuit_list_write(items, 2, buf, sizeof buf, &out), LSUIT_ERR_RANGE);
}

int main(void)
{
    static uint8_t full_buf[DOC_ROOM], min_buf[DOC_ROOM], cap_buf[DOC_ROOM], all_buf[DOC_ROOM],
        none_buf[DOC_ROOM], offer_buf[DOC_ROOM], digest_buf[DOC_ROOM];
    struct lsuit_bytes full = doc_example("checkin-full", full_buf, sizeof full_buf);
    struct lsuit_bytes minimal = doc_example("checkin-minimal", min_buf, sizeof min_buf);
    struct lsuit_bytes digest = doc_example("checkin-digest", digest_buf, sizeof digest_buf);
    struct lsuit_bytes cap = doc_example("capability", cap_buf, sizeof cap_buf);
    struct lsuit_bytes all = doc_example("answer-full", all_buf, sizeof all_buf);
    struct lsuit_bytes nothing = doc_example("answer-nothing", none_buf, sizeof none_buf);
    struct lsuit_bytes offer = doc_example("answer-offer", offer_buf, sizeof offer_buf);

    psa_crypto_init();
    doc_check_all("checkin-full", full, 9, checkin_rewrite);
    doc_check_all("checkin-minimal", minimal, 2, checkin_rewrite);
    doc_check_same("checkin-digest", digest, checkin_rewrite);
    doc_check_all("capability", cap, 1, capability_rewrite);
    doc_check_all("answer-full", all, 3, answer_rewrite);
    doc_check_all("answer-nothing", nothing, 1, answer_rewrite);
    doc_check_all("answer-offer", offer, 2, answer_rewrite);
    doc_check_cases(full, CHECKIN_CASES, N(CHECKIN_CASES), checkin_rewrite);
    doc_check_cases(all, ANSWER_CASES, N(ANSWER_CASES), answer_rewrite);
    values_of_checkin(full);
    values_of_answer(all);
    next_poll_cases(nothing);
    confirmed_cases();
    refused_values(full, all);
    two_offers(offer);
    capability_digest();
    lists();
    return check_done();
}
