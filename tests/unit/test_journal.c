/*
 * The two records: torn at every byte, both damaged, newer and older, unreadable, unstable.
 */
#include "check.h"
#include <psa/crypto.h>

#include "core/journal.h"

static uint8_t record[2][LAPEL_RECORD_SIZE];
static size_t torn_at; /* the next write stops here and leaves noise; SIZE_MAX: whole */
static int read_fails, write_fails, unstable_reads, writes[2];
static bool lie; /* the write says done and did nothing */

static int nv_read(void *ctx, uint8_t which, size_t at, uint8_t *buf, size_t n)
{
    (void)ctx;
    if (read_fails > 0) {
        read_fails--;
        return -1;
    }
    memcpy(buf, record[which] + at, n);
    if (at > 0 && unstable_reads > 0) {
        unstable_reads--;
        buf[4] ^= 0x10;
    }
    return 1;
}

static int nv_write(void *ctx, uint8_t which, const uint8_t *buf, size_t n)
{
    (void)ctx;
    writes[which]++;
    if (write_fails > 0) {
        write_fails--;
        return -1;
    }
    if (lie)
        return 1;
    memset(record[which], 0xff, LAPEL_RECORD_SIZE);
    if (torn_at < n) {
        memcpy(record[which], buf, torn_at);
        record[which][torn_at] = (uint8_t)(buf[torn_at] ^ 0x5a);
        return -1;
    }
    memcpy(record[which], buf, n);
    return 1;
}

static const struct lapel_nv NV = { sizeof NV, nv_read, nv_write, NULL, NULL, NULL };

static void fresh(struct lapel *c)
{
    memset(c, 0, sizeof *c);
    c->port.nv = &NV;
    c->port.crypto = &lsuit_crypto_psa;
}

static void blank(void)
{
    memset(record, 0xff, sizeof record);
    torn_at = SIZE_MAX;
    read_fails = write_fails = unstable_reads = 0;
    writes[0] = writes[1] = 0;
    lie = false;
}

/* Every field another value. */
static void fill(struct lapel_record *r, uint8_t x)
{
    memset(r, 0, sizeof *r);
    r->state = LAPEL_TRIAL;
    r->accepted_known = true;
    r->accepted.sequence = 0x0102030405060708u + x;
    memset(r->accepted.digest, x + 1, 32);
    r->counter = 0x1112131415161718u;
    r->boots = 0x21222324;
    memset(r->attempt.id, x + 2, 8);
    r->attempt.pair.sequence = 77;
    memset(r->attempt.pair.digest, x + 3, 32);
    r->attempt.slot = 1;
    r->attempt.offline = true;
    r->attempt.stagings = 2;
    r->attempt.starts = 3;
    r->attempt.component = 1;
    r->attempt.offset = 0x3132333435363738u;
    for (size_t i = 0; i < LAPEL_COMPONENTS; i++)
        r->attempt.length[i] = 1000 + i;
    memset(r->outcome.id, x + 4, 8);
    r->outcome.pair.sequence = 78;
    r->outcome.kind = LAPEL_OUTCOME_REVERTED;
    r->outcome.stage = 10;
    r->outcome.error = 13;
    r->outcome.reported = true;
    r->outcome.code = -5;
    r->outcome.offset = 99;
    for (size_t i = 0; i < LAPEL_BLOCKS; i++) {
        r->block[i].pair.sequence = 200 + i;
        memset(r->block[i].pair.digest, (int)(x + 5 + i), 32);
        r->block[i].fails = (uint8_t)(i + 1);
    }
    for (size_t i = 0; i < 3; i++) {
        r->choice[i] = (uint8_t)(2 - i);
        r->choice_by[i] = (uint8_t)(1 + i);
    }
    r->postpone_left_ms = 0x4142434445464748u;
    r->postpone_used_ms = 5;
    memset(r->postpone_digest, x + 6, 8);
    r->support_end = 203104;
    r->fault = (struct lapel_fault){ .where = 0x51, .sequence = 16, .kind = 1, .known = 1 };
    r->fault.detail_n = 37;
    memset(r->fault.detail, x + 7, 37);
}

static bool same(const struct lapel_record *a, const struct lapel_record *b)
{
    struct lapel_record x = *a, y = *b;

    x.number = y.number = 0;
    x.magic = y.magic = 0;
    x.length = y.length = 0;
    return memcmp(&x, &y, sizeof x) == 0;
}

static struct lapel a, b;
static struct lapel_record one, two;

static void test_round(void)
{
    check_case("nothing was ever stored");
    blank();
    fresh(&a);
    CHECK_INT(lapel_journal_load(&a), LAPEL_OK);
    CHECK(!a.nv_known);

    check_case("every field comes back");
    fill(&one, 0);
    a.rec = one;
    CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
    fresh(&b);
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(b.nv_known);
    CHECK(same(&b.rec, &one));

    check_case("saves alternate, the newest holds");
    fill(&two, 50);
    for (int i = 0; i < 5; i++) {
        a.rec.accepted.sequence = (uint64_t)i;
        CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
    }
    CHECK_INT(writes[0], 3);
    CHECK_INT(writes[1], 3);
    fresh(&b);
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK_UINT(b.rec.accepted.sequence, 4);

    check_case("numbers wrap");
    blank();
    fresh(&a);
    (void)lapel_journal_load(&a);
    a.rec.number = UINT32_MAX - 1;
    for (int i = 0; i < 4; i++) {
        a.rec.boots = (uint32_t)i;
        CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
        fresh(&b);
        CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
        CHECK_INT(b.rec.boots, i);
    }
}

static void test_torn(void)
{
    check_case("a write torn at every byte leaves the former record");
    blank();
    fresh(&a);
    (void)lapel_journal_load(&a);
    CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
    size_t used = sizeof(struct lapel_record) + 4; /* the rest is filling */
    for (size_t at = 0; at < used; at++) {         /* what follows is filling */
        blank();
        fresh(&a);
        (void)lapel_journal_load(&a);
        a.rec = one;
        CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
        uint32_t number = a.rec.number;
        torn_at = at;
        a.rec.accepted = two.accepted;
        CHECK_INT(lapel_journal_save(&a), LAPEL_ERR_NV);
        CHECK_UINT(a.rec.number, number);
        torn_at = SIZE_MAX;
        fresh(&b);
        CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
        CHECK(same(&b.rec, &one));
        CHECK_INT(lapel_journal_save(&a), LAPEL_OK); /* and the next save is whole */
        fresh(&b);
        CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
        CHECK_UINT(b.rec.accepted.sequence, two.accepted.sequence);
    }

    check_case("every flipped bit is seen");
    blank();
    fresh(&a);
    (void)lapel_journal_load(&a);
    a.rec = one;
    CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
    bool all = true;
    for (size_t bit = 0; bit < used * 8; bit++) {
        record[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
        fresh(&b);
        (void)lapel_journal_load(&b);
        all = all && !b.nv_known;
        record[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(all);
    CHECK(used < LAPEL_STORED_SIZE);
    CHECK(LAPEL_STORED_SIZE <= LAPEL_RECORD_SIZE);

    check_case("both damaged: known to be unknown");
    memset(record, 0x33, sizeof record);
    fresh(&b);
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(!b.nv_known);
    CHECK_UINT(b.rec.accepted.sequence, 0);
}

static void test_port(void)
{
    check_case("a read that fails twice is read a third time");
    blank();
    fresh(&a);
    (void)lapel_journal_load(&a);
    a.rec = one;
    CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
    read_fails = 2;
    fresh(&b);
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(b.nv_known);

    check_case("neither record can be read");
    read_fails = 1000;
    fresh(&b);
    CHECK_INT(lapel_journal_load(&b), LAPEL_ERR_NV);
    read_fails = 0;

    check_case("a write that fails");
    write_fails = 1;
    CHECK_INT(lapel_journal_save(&a), LAPEL_ERR_NV);
    CHECK_INT(lapel_journal_save(&a), LAPEL_OK);

    check_case("a write that lies is found out by reading back");
    lie = true;
    a.rec.boots++;
    CHECK_INT(lapel_journal_save(&a), LAPEL_ERR_NV);
    lie = false;

    check_case("a word that reads one way now and another way then is not lived on");
    blank();
    fresh(&a);
    (void)lapel_journal_load(&a);
    a.rec = one;
    CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
    unstable_reads = 1; /* the first read of the only record */
    fresh(&b);
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(!b.nv_known || same(&b.rec, &one));

    check_case("values that would index a table are not believed");
    blank();
    fresh(&a);
    (void)lapel_journal_load(&a);
    a.rec = one;
    a.rec.attempt.slot = 7;
    CHECK_INT(lapel_journal_save(&a), LAPEL_OK);
    fresh(&b);
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(!b.nv_known);
}

/* A device's key that the test knows. */
static uint8_t device_key;

static int seal(void *ctx, const uint8_t digest[32], uint8_t seal_out[32])
{
    (void)ctx;
    for (size_t i = 0; i < 32; i++)
        seal_out[i] = digest[i] ^ device_key;
    return device_key == 0 ? -1 : 1;
}

static void test_seal(void)
{
    static const struct lapel_nv SEALED = { sizeof SEALED, nv_read, nv_write, NULL, NULL, seal };

    check_case("5.7-1: with a seal a record of another device, or of a forger, is no record");
    blank();
    fresh(&a);
    (void)lapel_journal_load(&a);
    a.rec = one;
    CHECK_INT(lapel_journal_save(&a), LAPEL_OK); /* whole by its checksum */
    fresh(&b);
    b.port.nv = &SEALED;
    device_key = 0x11;
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(!b.nv_known);

    check_case("a sealed record comes back, under the same key only");
    b.rec = one;
    CHECK_INT(lapel_journal_save(&b), LAPEL_OK);
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(b.nv_known);
    CHECK(same(&b.rec, &one));
    record[0][60] ^= 1;
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(!b.nv_known);
    record[0][60] ^= 1;
    device_key = 0x22;
    CHECK_INT(lapel_journal_load(&b), LAPEL_OK);
    CHECK(!b.nv_known);

    check_case("a seal that can't be made stores nothing");
    device_key = 0;
    writes[0] = writes[1] = 0;
    CHECK_INT(lapel_journal_save(&b), LAPEL_ERR_NV);
    CHECK_INT(writes[0] + writes[1], 0);
}

int main(void)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    fill(&one, 0);
    fill(&two, 50);
    test_round();
    test_torn();
    test_port();
    test_seal();
    return check_done();
}
