/*
 * The command processor, on manifests written down as diagnostic notation.
 *
 * What the vectors show is not repeated here: tests/interop/suit-cases compares whole runs with
 * another implementation's. This is what they don't reach: dry runs, a platform that lacks
 * functions or lies, limits, and that every hash that is begun is ended.
 */
#include <psa/crypto.h>

#include "check.h"
#include "lsuit/suit_run.h"
#include "run_make.h"
#include "tests/interop/suit_device.h"

/* --- A crypto adapter that counts. --- */

static struct {
    int open;
    bool no_hash; /* answers ALG */
    int fail_update;
} hashes;

static enum lsuit_err count_start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    enum lsuit_err e = hashes.no_hash ? LSUIT_ERR_ALG : lsuit_crypto_psa.hash_start(ctx, h, alg);

    hashes.open += e == LSUIT_OK;
    return e;
}

static enum lsuit_err count_update(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part)
{
    return hashes.fail_update-- == 1 ? LSUIT_ERR_CRYPTO
                                     : lsuit_crypto_psa.hash_update(ctx, h, part);
}

static enum lsuit_err count_finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t cap,
                                   size_t *len_out)
{
    hashes.open--;
    return lsuit_crypto_psa.hash_finish(ctx, h, out, cap, len_out);
}

static void count_abort(void *ctx, struct lsuit_hash *h)
{
    hashes.open--;
    lsuit_crypto_psa.hash_abort(ctx, h);
}

static struct lsuit_crypto counting(void)
{
    struct lsuit_crypto c = lsuit_crypto_psa;

    c.hash_start = count_start;
    c.hash_update = count_update;
    c.hash_finish = count_finish;
    c.hash_abort = count_abort;
    return c;
}

/* --- A run. --- */

struct bench {
    struct made made;
    struct suit_device device;
    struct lsuit_platform platform;
    struct lsuit_crypto crypto;
    uint8_t buf[64];
    struct lsuit_run run;
};

/* A device of this vendor and class whose component 0 holds "old", and "net" at http://x/net. */
static void bench_device(struct suit_device *d)
{
    static const uint8_t ZERO[] = { 0x81, 0x41, 0x00 };

    memset(d, 0, sizeof *d);
    d->vendor = (struct suit_ids){ { TEXT_BYTES("0123456789abcdef") }, 1 };
    d->class = (struct suit_ids){ { TEXT_BYTES("fedcba9876543210") }, 1 };
    d->payload[0].uri = TEXT_BYTES("http://x/new");
    d->payload[0].body = TEXT_BYTES("new");
    d->payload[1].uri = TEXT_BYTES("#a");
    d->payload[1].body = TEXT_BYTES("must not be asked for");
    d->payloads_n = 2;
    suit_component_set(suit_device_component(d, (struct lsuit_bytes){ ZERO, sizeof ZERO }),
                       TEXT_BYTES("old"));
}

static enum lsuit_err bench_init(struct bench *b, const struct parts *p)
{
    struct lsuit_fault fault = { 0 };
    enum lsuit_err e = make(&b->made, p, &fault);

    memset(&hashes, 0, sizeof hashes);
    bench_device(&b->device);
    b->platform = SUIT_DEVICE_PLATFORM;
    b->crypto = counting();
    if (e != LSUIT_OK)
        printf("     %s: %s, %s\n", lsuit_err_name(e), fault.what != NULL ? fault.what : "",
               fault.why != NULL ? fault.why : "");
    if (e != LSUIT_OK)
        return e;
    e = lsuit_run_init(&b->run, &b->made.manifest, &b->platform, &b->device, &b->crypto, b->buf,
                       sizeof b->buf);
    if (e != LSUIT_OK)
        printf("     %s: %s, %s\n", lsuit_err_name(e), b->run.fault.what, b->run.fault.why);
    return e;
}

static void bench_fini(struct bench *b)
{
    CHECK_INT(hashes.open, 0);
    suit_device_fini(&b->device);
}

static const char *content(const struct bench *b)
{
    static char text[64];
    const struct suit_component *c = &b->device.comp[b->device.of[0]];

    if (!c->present)
        return "(absent)";
    snprintf(text, sizeof text, "%.*s", (int)c->len, (const char *)c->bytes);
    return text;
}

/* --- Whole runs of an install section. --- */

struct row {
    const char *name;
    const char *install;
    const char *payloads;
    uint32_t payloads_n;
    enum lsuit_err want;
    const char *content; /* of component 0 afterwards */
};

#define FETCH_NEW "20, {21: \"http://x/new\"}, 21, 2"
#define HARD "14, 15" /* abort */

static const struct row ROWS[] = {
    { "fetch and match", "[" FETCH_NEW ", 3, 15]", NULL, 0, LSUIT_OK, "new" },
    { "an integrated payload never asks the network", "[20, {21: \"#a\"}, 21, 2, 3, 15]",
      "\"#a\", 'new'", 1, LSUIT_OK, "new" },
    { "a whole URI in the envelope comes first", "[20, {21: \"http://x/new\"}, 21, 2, 3, 15]",
      "\"http://x/new\", 'NEW'", 1, LSUIT_ERR_CONDITION, "NEW" },
    { "a fragment that isn't there never asks the network", "[20, {21: \"#a\"}, 21, 2]",
      "\"#b\", 'new'", 1, LSUIT_ERR_OPERATION, "old" },
    { "an integrated payload above image-size stores nothing", "[20, {14: 2, 21: \"#a\"}, 21, 2]",
      "\"#a\", 'new'", 1, LSUIT_ERR_OPERATION, "old" },
    { "of exactly image-size", "[20, {14: 3, 21: \"#a\"}, 21, 2, 3, 15]", "\"#a\", 'new'", 1,
      LSUIT_OK, "new" },
    { "image-size 0 stores nothing", "[20, {14: 0, 21: \"http://x/new\"}, 21, 2]", NULL, 0,
      LSUIT_ERR_OPERATION, "old" },
    { "an integrated payload of no bytes", "[20, {3: sha256'', 21: \"#a\"}, 21, 2, 3, 15]",
      "\"#a\", ''", 1, LSUIT_OK, "" },
    { "the first alternative that holds is the last that runs",
      "[15, [<<[18, 0]>>, <<[20, {18: 'x'}, 18, 0]>>], 3, 15]", NULL, 0, LSUIT_ERR_OPERATION,
      "old" },
    { "soft-failure of an alternative ends with it",
      "[15, [<<[20, {13: false}, 20, {18: 'a'}, 18, 0]>>, <<[14, 0]>>],"
      " 15, [<<[14, 0]>>, <<[20, {18: 'b'}, 18, 0]>>]]",
      NULL, 0, LSUIT_OK, "b" },
    { "soft-failure begins anew with each alternative",
      "[15, [<<[14, 0]>>, <<[20, {13: false}, 14, 0]>>, <<[20, {18: 'c'}, 18, 0]>>]]", NULL, 0,
      LSUIT_ERR_CONDITION, "old" },
    { "a soft run-sequence in a hard alternative",
      "[15, [<<[14, 0]>>, <<[32, <<[20, {13: true}, 14, 0]>>, 20, {18: 'd'}, 18, 0]>>, null]]",
      NULL, 0, LSUIT_OK, "d" },
    { "a hard run-sequence chooses the next alternative",
      "[15, [<<[32, <<[14, 0]>>, 20, {18: 'e'}, 18, 0]>>, <<[20, {18: 'f'}, 18, 0]>>]]", NULL, 0,
      LSUIT_OK, "f" },
    { "a try-each without a way out fails the alternative around it",
      "[15, [<<[15, [<<[14, 0]>>, <<[14, 0]>>]]>>, <<[20, {18: 'g'}, 18, 0]>>]]", NULL, 0, LSUIT_OK,
      "g" },
    { "the command behind a nested sequence runs once",
      "[32, <<[32, <<[20, {18: 'h'}, 18, 0]>>, 6, 0]>>, 6, 0]", NULL, 0, LSUIT_OK, "h" },
    { "five deep", "[32, <<[32, <<[32, <<[32, <<[20, {18: 'i'}, 18, 0]>>]>>]>>]>>]", NULL, 0,
      LSUIT_OK, "i" },
    { "a condition without its parameter chooses the next alternative",
      "[15, [<<[5, 0]>>, <<[20, {18: 'n'}, 18, 0]>>]]", NULL, 0, LSUIT_OK, "n" },
    { "a directive without its parameter does not",
      "[15, [<<[18, 0]>>, <<[20, {18: 'o'}, 18, 0]>>]]", NULL, 0, LSUIT_ERR_OPERATION, "old" },
    { "a parameter of a failed alternative stays, as the draft has it",
      "[15, [<<[20, {18: 'j'}, 14, 0]>>, <<[18, 0]>>]]", NULL, 0, LSUIT_OK, "j" },
    { "the next alternative begins with what it writes, not with what is left",
      "[15, [<<[20, {18: 'a long one'}, 18, 0, 14, 0]>>, <<[20, {18: 's'}, 18, 0]>>]]", NULL, 0,
      LSUIT_OK, "s" },
    { "set does not replace, override does",
      "[20, {18: 'k'}, 19, {18: 'l'}, 18, 0, 6, 0, 20, {18: 'm'}, 18, 0]", NULL, 0, LSUIT_OK, "m" },
    { "content that is a beginning of what is stored", "[20, {18: 'ol'}, 6, 0]", NULL, 0,
      LSUIT_ERR_CONDITION, "old" },
    { "content that goes on behind what is stored", "[20, {18: 'olde'}, 6, 0]", NULL, 0,
      LSUIT_ERR_CONDITION, "old" },
    { "content that differs in the first byte", "[20, {18: 'Old'}, 6, 0]", NULL, 0,
      LSUIT_ERR_CONDITION, "old" },
    { "content that differs in the last byte", "[20, {18: 'ole'}, 6, 0]", NULL, 0,
      LSUIT_ERR_CONDITION, "old" },
    { "empty content against something", "[20, {18: ''}, 6, 0]", NULL, 0, LSUIT_ERR_CONDITION,
      "old" },
    { "empty content against nothing", "[20, {18: ''}, 18, 0, 6, 0]", NULL, 0, LSUIT_OK, "" },
};

static enum lsuit_err run_row(struct bench *b, const struct row *r, uint32_t again)
{
    char install[1024];
    struct parts p = { .shared = SHARED, .sections = install, .sections_n = 1 };
    enum lsuit_err e;

    snprintf(install, sizeof install, "20, <<%s>>", r->install);
    p.payloads = r->payloads;
    p.payloads_n = r->payloads_n;
    e = bench_init(b, &p);
    if (e != LSUIT_OK)
        return e;
    b->device.again = again;
    b->device.piece = again > 0 ? 1 : 0;
    lsuit_run_start(&b->run, LSUIT_PROCEDURE_UPDATE, false);
    return lsuit_run_to_end(&b->run);
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (uint32_t again = 0; again < 3; again++) {
            static struct bench b;
            char name[128];

            snprintf(name, sizeof name, "%s, %u yields", ROWS[i].name, (unsigned)again);
            check_case(name);
            CHECK_STR(lsuit_err_name(run_row(&b, &ROWS[i], again)), lsuit_err_name(ROWS[i].want));
            CHECK_STR(content(&b), ROWS[i].content);
            CHECK_INT(b.run.fault.err, ROWS[i].want);
            bench_fini(&b);
        }
}

/* --- Dry runs. --- */

struct dry_row {
    const char *name;
    const char *install;
    enum lsuit_err want;
    uint64_t fetch_bytes;
    uint32_t fetches;
    bool size_unknown;
    uint32_t written;
    bool has_priority;
    int64_t priority;
};

/* clang-format off */
static const struct dry_row DRY_ROWS[] = {
    { "a fetch that the network serves", "[20, {14: 1000, 21: \"http://x/new\"}, 21, 2, 3, 15]",
      LSUIT_OK, 1000, 1, false, 1, false, 0 },
    { "a fetch without image-size", "[" FETCH_NEW ", 3, 15]", LSUIT_OK, 0, 1, true, 1, false, 0 },
    { "a payload in the envelope costs nothing", "[20, {14: 3, 21: \"#a\"}, 21, 2, 3, 15]",
      LSUIT_OK, 0, 0, false, 1, false, 0 },
    { "a payload that is missing is found missing", "[20, {21: \"#b\"}, 21, 2]",
      LSUIT_ERR_OPERATION, 0, 0, false, 0, false, 0 },
    { "what is there already is not fetched",
      "[20, {3: sha256'old'}, 15, [<<[3, 0]>>, <<[20, {14: 9, 21: \"http://x/new\"}, 21, 2]>>]]",
      LSUIT_OK, 0, 0, false, 0, false, 0 },
    { "what is stale is", "[15, [<<[3, 0]>>, <<[20, {14: 9, 21: \"http://x/new\"}, 21, 2]>>]]",
      LSUIT_OK, 9, 1, false, 1, false, 0 },
    { "bytes not known yet count as held",
      "[15, [<<[20, {14: 5, 21: \"http://x/new\"}, 21, 2, 3, 15]>>, <<[20, {14: 7}, 21, 2]>>]]",
      LSUIT_OK, 5, 1, false, 1, false, 0 },
    { "two fetches add up", "[20, {14: 5, 21: \"http://x/new\"}, 21, 2, 20, {14: 6}, 21, 2]",
      LSUIT_OK, 11, 2, false, 1, false, 0 },
    { "two fetches past the end of the numbers stay there",
      "[20, {14: 0xfffffffffffffff0, 21: \"http://x/new\"}, 21, 2, 21, 2]",
      LSUIT_OK, UINT64_MAX, 2, false, 1, false, 0 },
    { "a condition on the device is decided", "[20, {1: 'another vendor  '}, 1, 15]", LSUIT_ERR_CONDITION, 0, 0, false, 0, false, 0 },
    { "a write is not done", "[20, {18: 'x'}, 18, 0, 6, 0]", LSUIT_OK, 0, 0, false, 1, false, 0 },
    { "the priority that is met first", "[20, {27: 50}, 20, {27: 2000}]",
      LSUIT_OK, 0, 0, false, 0, true, 50 },
    { "an absent source", "[20, {22: 1}, 22, 0]", LSUIT_ERR_OPERATION, 0, 0, false, 0, false, 0 },
    { "a source that would be written",
      "[12, 1, 20, {18: 'x'}, 18, 0, 12, 0, 20, {22: 1}, 22, 0, 3, 15]",
      LSUIT_OK, 0, 0, false, 3, false, 0 },
};
/* clang-format on */

static void dry_row(const struct dry_row *r)
{
    static struct bench b;
    char install[1024];
    struct parts p = { .components = "[[h'00'], [h'01']]",
                       .shared = SHARED,
                       .sections = install,
                       .sections_n = 1,
                       .payloads = "\"#a\", 'new'",
                       .payloads_n = 1 };
    enum lsuit_err e;

    snprintf(install, sizeof install, "20, <<[12, 0, %s>>", r->install + 1);
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, true);
    e = lsuit_run_to_end(&b.run);
    CHECK_STR(lsuit_err_name(e), lsuit_err_name(r->want));
    CHECK_UINT(b.run.dry_result.fetch_bytes, r->fetch_bytes);
    CHECK_UINT(b.run.dry_result.fetches, r->fetches);
    CHECK_INT(b.run.dry_result.size_unknown, r->size_unknown);
    CHECK_UINT(b.run.dry_result.written, r->written);
    CHECK_INT(b.run.dry_result.has_priority, r->has_priority);
    CHECK_INT(b.run.dry_result.priority, r->priority);
    CHECK(!b.device.touched);
    CHECK_STR(content(&b), "old");
    bench_fini(&b);
}

/* --- A platform that lacks something, or lies. --- */

static int fetch_lie(void *ctx, uint32_t comp, bool first, struct lsuit_bytes uri,
                     struct lsuit_bytes integrated, uint64_t max_size, struct lsuit_digest digest,
                     struct lsuit_bytes fetch_args)
{
    struct suit_device *d = ctx;

    (void)first;
    (void)uri;
    (void)integrated;
    (void)max_size;
    (void)digest;
    (void)fetch_args;
    suit_component_set(&d->comp[d->of[comp]], TEXT_BYTES("more than allowed"));
    return LSUIT_OP_DONE;
}

static int read_nothing(void *ctx, uint32_t comp, uint64_t offset, uint8_t *buf, size_t n,
                        size_t *got_out)
{
    (void)ctx;
    (void)comp;
    (void)offset;
    (void)buf;
    (void)n;
    *got_out = 0;
    return LSUIT_OP_DONE;
}

static int read_too_much(void *ctx, uint32_t comp, uint64_t offset, uint8_t *buf, size_t n,
                         size_t *got_out)
{
    (void)ctx;
    (void)comp;
    (void)offset;
    memset(buf, 'o', n);
    *got_out = n + 1;
    return LSUIT_OP_DONE;
}

static void lacks(const char *name, const char *install, void (*change)(struct bench *),
                  enum lsuit_err want)
{
    static struct bench b;
    char section[512];
    struct parts p = { .shared = SHARED, .sections = section, .sections_n = 1 };

    check_case(name);
    /* In a try-each with a way out: what is lacking must not choose it. */
    snprintf(section, sizeof section, "20, <<[15, [<<[14, 0]>>, <<%s>>, null]]>>", install);
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    change(&b);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
    CHECK_STR(lsuit_err_name(lsuit_run_to_end(&b.run)), lsuit_err_name(want));
    CHECK_STR(lsuit_err_name(lsuit_run_to_end(&b.run)), lsuit_err_name(want)); /* and stays so */
    bench_fini(&b);
}

static void no_vendor(struct bench *b)
{
    b->platform.vendor_is = NULL;
}
static void no_class(struct bench *b)
{
    b->platform.class_is = NULL;
}
static void no_slot(struct bench *b)
{
    b->platform.slot_is = NULL;
}
static void no_read(struct bench *b)
{
    b->platform.component_read = NULL;
}
static void no_size(struct bench *b)
{
    b->platform.component_size = NULL;
}
static void no_fetch(struct bench *b)
{
    b->platform.fetch = NULL;
}
static void no_copy(struct bench *b)
{
    b->platform.copy = NULL;
}
static void no_write(struct bench *b)
{
    b->platform.write = NULL;
}
static void no_swap(struct bench *b)
{
    b->platform.swap = NULL;
}
static void no_invoke(struct bench *b)
{
    b->platform.invoke = NULL;
}
static void no_hash(struct bench *b)
{
    (void)b;
    hashes.no_hash = true;
}
static void bad_hash(struct bench *b)
{
    (void)b;
    hashes.fail_update = 1;
}
static void lying_fetch(struct bench *b)
{
    b->platform.fetch = fetch_lie;
}
static void empty_read(struct bench *b)
{
    b->platform.component_read = read_nothing;
}
static void long_read(struct bench *b)
{
    b->platform.component_read = read_too_much;
}
static void no_trace(struct bench *b)
{
    b->platform.trace = NULL;
}

static void test_lacks(void)
{
    static const char WRITE[] = "[20, {18: 'x'}, 18, 0]";
    static const char MATCH[] = "[3, 0]";
    static const char FETCH[] = "[20, {14: 3, 21: \"http://x/new\"}, 21, 0]";

    lacks("no vendor", "[20, {1: h'30313233343536373839616263646566'}, 1, 0]", no_vendor,
          LSUIT_ERR_COMMAND);
    lacks("no class", "[20, {2: h'30313233343536373839616263646566'}, 2, 0]", no_class,
          LSUIT_ERR_COMMAND);
    lacks("no slot", "[20, {5: 0}, 5, 0]", no_slot, LSUIT_ERR_COMMAND);
    lacks("no reading back for image-match", MATCH, no_read, LSUIT_ERR_COMMAND);
    lacks("no size for image-match", MATCH, no_size, LSUIT_ERR_COMMAND);
    lacks("no reading back for check-content", "[20, {18: 'x'}, 6, 0]", no_read, LSUIT_ERR_COMMAND);
    lacks("no fetch", FETCH, no_fetch, LSUIT_ERR_COMMAND);
    lacks("no write", WRITE, no_write, LSUIT_ERR_COMMAND);
    lacks("no invoke", "[23, 0]", no_invoke, LSUIT_ERR_COMMAND);
    lacks("no such hash", MATCH, no_hash, LSUIT_ERR_ALG);
    lacks("a hash that fails in the middle", MATCH, bad_hash, LSUIT_ERR_CRYPTO);
    lacks("a fetch that stores more than image-size", FETCH, lying_fetch, LSUIT_ERR_OPERATION);
    lacks("a read that answers nothing fails the condition", MATCH, empty_read, LSUIT_OK);
    lacks("a read that answers more than asked fails the condition", MATCH, long_read, LSUIT_OK);
    lacks("nobody listens to the trace", WRITE, no_trace, LSUIT_OK);
}

/* What can't be read is neither what is wanted nor something else. */
static void test_unreadable(void)
{
    static const char *const SECTIONS[] = { "20, <<[3, 0]>>", "20, <<[25, 0]>>",
                                            "20, <<[20, {18: 'old'}, 6, 0]>>" };

    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++) {
        static struct bench b;
        struct parts p = { .shared = SHARED, .sections = SECTIONS[i], .sections_n = 1 };

        check_case(SECTIONS[i]);
        CHECK_INT(bench_init(&b, &p), LSUIT_OK);
        empty_read(&b);
        lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
        CHECK_STR(lsuit_err_name(lsuit_run_to_end(&b.run)), lsuit_err_name(LSUIT_ERR_CONDITION));
        bench_fini(&b);
    }
}

/* With two components, for those that need a source. */
static void test_lacks_source(void)
{
    static const struct {
        const char *name, *install;
        void (*change)(struct bench *);
        enum lsuit_err want;
    } CASES[] = {
        { "no copy", "[12, 1, 20, {22: 0}, 15, [<<[14, 0]>>, <<[22, 0]>>, null]]", no_copy,
          LSUIT_ERR_COMMAND },
        { "no swap", "[12, 1, 20, {22: 0}, 15, [<<[14, 0]>>, <<[31, 0]>>, null]]", no_swap,
          LSUIT_ERR_COMMAND },
        { "a copy larger than image-size",
          "[12, 1, 20, {14: 2, 22: 0}, 15, [<<[14, 0]>>, <<[22, 0]>>, null]]", no_trace,
          LSUIT_ERR_OPERATION },
        { "a copy of exactly image-size",
          "[12, 1, 20, {14: 3, 22: 0}, 15, [<<[14, 0]>>, <<[22, 0]>>, null]]", no_trace, LSUIT_OK },
        { "a copy onto itself", "[12, 0, 20, {22: 0}, 15, [<<[14, 0]>>, <<[22, 0]>>, null]]",
          no_trace, LSUIT_ERR_OPERATION },
        { "a swap with itself", "[12, 0, 20, {22: 0}, 15, [<<[14, 0]>>, <<[31, 0]>>, null]]",
          no_trace, LSUIT_ERR_OPERATION },
        { "a source that only its own component has",
          "[12, 0, 20, {22: 1}, 12, 1, 15, [<<[14, 0]>>, <<[22, 0]>>, null]]", no_trace,
          LSUIT_ERR_OPERATION },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        static struct bench b;
        char section[512];
        struct parts p = { .components = "[[h'00'], [h'01']]",
                           .shared = SHARED,
                           .sections = section,
                           .sections_n = 1 };

        check_case(CASES[i].name);
        snprintf(section, sizeof section, "20, <<%s>>", CASES[i].install);
        CHECK_INT(bench_init(&b, &p), LSUIT_OK);
        CASES[i].change(&b);
        lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
        CHECK_STR(lsuit_err_name(lsuit_run_to_end(&b.run)), lsuit_err_name(CASES[i].want));
        bench_fini(&b);
    }
}

/* --- The contract of the functions themselves. --- */

static void test_contract(void)
{
    static struct bench b;
    struct parts p = { .shared = SHARED,
                       .sections = "20, <<[" FETCH_NEW ", 3, 15]>>",
                       .sections_n = 1 };
    struct lsuit_run run;

    check_case("a table of another size, a small buffer");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    CHECK_INT(lsuit_run_init(&run, &b.made.manifest, &b.platform, &b.device, &b.crypto, b.buf, 63),
              LSUIT_ERR_USAGE);
    b.platform.size--;
    CHECK_INT(lsuit_run_init(&run, &b.made.manifest, &b.platform, &b.device, &b.crypto, b.buf, 64),
              LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_run_step(&run), LSUIT_RUN_FAILED);
    lsuit_run_start(&run, LSUIT_PROCEDURE_UPDATE, false);
    CHECK_INT(lsuit_run_to_end(&run), LSUIT_ERR_USAGE);
    bench_fini(&b);

    check_case("an envelope that nobody verified is run dry only");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    b.made.envelope.verified = false;
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, true);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_OK);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_ERR_USAGE);
    CHECK(!b.device.touched);
    b.made.envelope.examined = false;
    CHECK_INT(lsuit_run_init(&run, &b.made.manifest, &b.platform, &b.device, &b.crypto, b.buf, 64),
              LSUIT_ERR_USAGE);
    bench_fini(&b);

    check_case("a component that the device doesn't have");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    b.platform.component_find = NULL;
    CHECK_INT(lsuit_run_init(&run, &b.made.manifest, &b.platform, &b.device, &b.crypto, b.buf, 64),
              LSUIT_ERR_COMPONENT);
    bench_fini(&b);

    check_case("a step before the start");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_ERR_USAGE);
    bench_fini(&b);

    check_case("no such procedure");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    lsuit_run_start(&b.run, (enum lsuit_procedure)9, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_ERR_USAGE);
    bench_fini(&b);
}

static void test_abort(bool abort_first)
{
    struct parts p = { .shared = SHARED,
                       .sections = "20, <<[" FETCH_NEW ", 3, 15]>>",
                       .sections_n = 1 };

    check_case(abort_first ? "given up after each step, then begun again"
                           : "begun again after each step");
    for (uint32_t steps = 0; steps < 20; steps++) {
        static struct bench b;

        CHECK_INT(bench_init(&b, &p), LSUIT_OK);
        b.device.again = 1;
        lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
        for (uint32_t i = 0; i < steps; i++)
            (void)lsuit_run_step(&b.run);
        if (abort_first) { /* start itself gives up what was open */
            lsuit_run_abort(&b.run);
            CHECK_INT(hashes.open, 0);
            if (steps < 8)
                CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_ERR_USAGE);
        }
        lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
        CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_OK);
        CHECK_STR(content(&b), "new");
        bench_fini(&b);
    }
}

/* A section that was not there is no error; one that is severed and absent is. */
static void test_sections(void)
{
    static struct bench b;
    struct parts none = { .shared = SHARED };
    struct parts severed = { .shared = SHARED, .sections_n = 1 };
    char text[200];

    check_case("no section at all");
    CHECK_INT(bench_init(&b, &none), LSUIT_OK);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_OK);
    CHECK_STR(b.device.trace, "procedure update\n");
    bench_fini(&b);

    check_case("severed and absent, named in the fault");
    snprintf(text, sizeof text, "20, [-16, h'%064d']", 0);
    severed.sections = text;
    CHECK_INT(bench_init(&b, &severed), LSUIT_OK);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_ERR_SEVERED);
    CHECK_INT(b.run.fault.section, LSUIT_SECTION_INSTALL);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_INVOKE, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_OK);
    bench_fini(&b);
}

/* The index isn't inherited from the shared sequence when there is more than one component. */
static void test_index(void)
{
    static struct bench b;
    struct parts p = { .components = "[[h'00'], [h'01'], [h'02']]",
                       .shared = "[12, true, 20, {18: 'x', 22: 0}, 12, 1, 20, {18: 'one'}]",
                       .sections = "20, <<[12, [2, 1], 18, 0, 32, <<[6, 0, 12, 0]>>, 6, 0]>>",
                       .sections_n = 1 };

    check_case("a list in its order, restored behind run-sequence");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_OK);
    CHECK_STR(b.device.trace, "procedure update\nsection install\nwrite 2 ok size=1\n"
                              "write 1 ok size=3\ncheck-content 2 ok\ncheck-content 1 ok\n"
                              "check-content 2 ok\ncheck-content 1 ok\n");
    bench_fini(&b);
}

/* Run a section of two components; what is left in the first one. */
static const char *two(struct bench *b, const char *sections, uint32_t n, enum lsuit_err want)
{
    struct parts p = { .components = "[[h'00'], [h'01']]",
                       .shared = "[12, true, 20, {18: 'old'}]",
                       .sections = sections,
                       .sections_n = n };

    CHECK_INT(bench_init(b, &p), LSUIT_OK);
    lsuit_run_start(&b->run, LSUIT_PROCEDURE_UPDATE, false);
    CHECK_STR(lsuit_err_name(lsuit_run_to_end(&b->run)), lsuit_err_name(want));
    return content(b);
}

/* What belongs to one iteration, alternative or procedure doesn't reach the next one. */
static void test_scopes(void)
{
    static struct bench b;

    check_case("soft-failure of the first component isn't that of the second");
    (void)two(&b, "20, <<[12, true, 32, <<[6, 0, 20, {13: true}]>>]>>", 1, LSUIT_ERR_CONDITION);
    CHECK_STR(b.device.trace, "procedure update\nsection install\ncheck-content 0 ok\n"
                              "check-content 1 fail\n");
    bench_fini(&b);

    check_case("an index set in a failed alternative isn't that of the next");
    CHECK_STR(two(&b, "20, <<[12, 0, 15, [<<[12, 1, 14, 0]>>, <<[20, {18: 'here'}, 18, 0]>>]]>>", 1,
                  LSUIT_OK),
              "here");
    bench_fini(&b);

    check_case("without an order, a source isn't written afterwards");
    (void)two(&b, "20, <<[12, 1, 18, 0, 12, 0, 20, {12: false, 22: 1}, 22, 0, 12, 1, 18, 0]>>", 1,
              LSUIT_ERR_OPERATION);
    CHECK_STR(b.run.fault.why, "a target and a source without an order");
    bench_fini(&b);

    check_case("nor read from when it was written");
    (void)two(&b, "20, <<[12, 1, 20, {12: false}, 18, 0, 12, 0, 20, {22: 1}, 22, 0]>>", 1,
              LSUIT_ERR_OPERATION);
    bench_fini(&b);

    check_case("with one again it may be");
    (void)two(&b,
              "20, <<[12, 1, 20, {12: false}, 18, 0, 20, {12: true}, 12, 0, 20, {22: 1}, 22, 0]>>",
              1, LSUIT_OK);
    bench_fini(&b);

    check_case("and it ends with its sequence");
    (void)two(&b, "20, <<[12, 1, 32, <<[20, {12: false}, 18, 0]>>, 12, 0, 20, {22: 1}, 22, 0]>>", 1,
              LSUIT_OK);
    bench_fini(&b);

    check_case("parameters end with the procedure");
    (void)two(&b, "7, <<[12, 1, 5, 0]>>, 20, <<[12, 1, 20, {5: 0}]>>", 2, LSUIT_OK);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_VALIDATE, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_ERR_CONDITION);
    bench_fini(&b);
}

static void test_dry_twice(void)
{
    static struct bench b;
    struct parts p = { .shared = SHARED,
                       .sections = "7, <<[3, 15]>>, 9, <<[23, 2]>>, 20, <<[" FETCH_NEW "]>>",
                       .sections_n = 3 };

    check_case("what one dry run assumed is not known to the next");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, true);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_OK);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_INVOKE, true);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_ERR_CONDITION);
    CHECK(!b.device.touched);
    bench_fini(&b);

    check_case("a dry run invokes nothing");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    suit_component_set(&b.device.comp[0], TEXT_BYTES("new"));
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_INVOKE, true);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_OK);
    CHECK_UINT(b.device.invoked_n, 0);
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_INVOKE, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_OK);
    CHECK_UINT(b.device.invoked_n, 1);
    bench_fini(&b);
}

/* A platform that stores whatever it gets isn't even asked. */
static void test_caps(void)
{
    static struct bench b;
    struct parts p = { .shared = SHARED,
                       .sections = "20, <<[20, {14: 2, 21: \"#a\"}, 21, 2]>>",
                       .sections_n = 1,
                       .payloads = "\"#a\", 'new'",
                       .payloads_n = 1 };

    check_case("an integrated payload above image-size isn't given to the platform");
    CHECK_INT(bench_init(&b, &p), LSUIT_OK);
    b.platform.fetch = fetch_lie;
    lsuit_run_start(&b.run, LSUIT_PROCEDURE_UPDATE, false);
    CHECK_INT(lsuit_run_to_end(&b.run), LSUIT_ERR_OPERATION);
    CHECK_STR(content(&b), "old");
    bench_fini(&b);
}

int main(void)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    test_rows();
    for (size_t i = 0; i < sizeof DRY_ROWS / sizeof *DRY_ROWS; i++) {
        check_case(DRY_ROWS[i].name);
        dry_row(&DRY_ROWS[i]);
    }
    test_lacks();
    test_unreadable();
    test_lacks_source();
    test_contract();
    test_abort(true);
    test_abort(false);
    test_scopes();
    test_dry_twice();
    test_caps();
    test_sections();
    test_index();
    return check_done();
}
