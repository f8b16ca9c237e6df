/*
 * The journal.
 *
 *   (1) A save writes only the record that doesn't hold the newest values.
 *   (2) A record counts only when magic, format, length and checksum fit.
 *   (3) So at every instant at least one record holds values that were saved whole: the last
 *       ones, or those before.
 *   (4) A save has happened only when the bytes were read back and are the ones written.
 *   (5) Fields are only ever added at the end. A library that doesn't know them reads what it
 *       knows: after a revert an older one finds the record of a newer one.
 *
 *   bytes  field
 *   4      magic "LPL1"
 *   2      length of all that follows up to the checksum
 *   4      number of the record; the higher one is newer (serial arithmetic, may wrap)
 *   ...    the fields in the order of fields() below, little endian
 *   4      CRC-32 (IEEE 802.3) over everything before it
 */
#include "journal.h"

#include <string.h>

#define MAGIC 0x314c504cu
#define HEAD 6

/* One walk over the fields serves reading and writing, so that they cannot differ. */
struct cursor {
    uint8_t *p;
    size_t n, cap;
    bool writing;
};

static void field(struct cursor *c, void *value, size_t n)
{
    if (n > c->cap - c->n) { /* an older, shorter record: the value stays as it is, zero */
        c->cap = c->n;
        return;
    }
    if (c->writing)
        memcpy(c->p + c->n, value, n);
    else
        memcpy(value, c->p + c->n, n);
    c->n += n;
}

static void number(struct cursor *c, uint64_t *value, size_t n)
{
    uint8_t b[8] = { 0 };

    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(*value >> (8 * i));
    field(c, b, n);
    if (c->writing)
        return;
    *value = 0;
    for (size_t i = 0; i < n; i++)
        *value |= (uint64_t)b[i] << (8 * i);
}

static void u32(struct cursor *c, uint32_t *value)
{
    uint64_t v = *value;

    number(c, &v, 4);
    *value = (uint32_t)v;
}

static void flag(struct cursor *c, bool *value)
{
    uint8_t v = *value ? 1 : 0;

    field(c, &v, 1);
    *value = v == 1;
}

static void pair(struct cursor *c, struct lapel_pair *p)
{
    number(c, &p->sequence, 8);
    field(c, p->digest, sizeof p->digest);
}

static void fields(struct cursor *c, struct lapel_record *r)
{
    u32(c, &r->number);
    field(c, &r->state, 1);
    flag(c, &r->accepted_known);
    pair(c, &r->accepted);
    number(c, &r->counter, 8);
    u32(c, &r->boots);

    field(c, r->attempt.id, sizeof r->attempt.id);
    pair(c, &r->attempt.pair);
    field(c, &r->attempt.slot, 1);
    flag(c, &r->attempt.offline);
    field(c, &r->attempt.stagings, 1);
    field(c, &r->attempt.starts, 1);
    field(c, &r->attempt.component, 1);
    number(c, &r->attempt.offset, 8);
    for (size_t i = 0; i < LSUIT_MAX_COMPONENTS; i++)
        number(c, &r->attempt.length[i], 8);

    field(c, r->outcome.id, sizeof r->outcome.id);
    pair(c, &r->outcome.pair);
    field(c, &r->outcome.kind, 1);
    field(c, &r->outcome.stage, 1);
    field(c, &r->outcome.error, 1);
    flag(c, &r->outcome.reported);
    uint32_t code = (uint32_t)r->outcome.code;
    u32(c, &code);
    r->outcome.code = (int32_t)code;
    number(c, &r->outcome.offset, 8);

    for (size_t i = 0; i < LAPEL_BLOCKS; i++) {
        pair(c, &r->block[i].pair);
        field(c, &r->block[i].fails, 1);
    }
    field(c, r->choice, sizeof r->choice);
    field(c, r->choice_by, sizeof r->choice_by);
    number(c, &r->postpone_left_ms, 8);
    number(c, &r->postpone_used_ms, 8);
    field(c, r->postpone_digest, sizeof r->postpone_digest);
    u32(c, &r->support_end);

    number(c, &r->statement, 8);
    number(c, &r->statement_content, 8);
    u32(c, &r->stale_after_s);
    u32(c, &r->fresh_age_s);
    flag(c, &r->stale);
}

static uint32_t crc32(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The values were written by this or another version of the library: nothing is believed that
 * would index a table. */
static bool plausible(const struct lapel_record *r)
{
    if (r->state > LAPEL_FAILED || r->attempt.slot > 1 || r->outcome.kind > LAPEL_OUTCOME_WITHDRAWN)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (r->choice[i] > LAPEL_OFF || r->choice_by[i] > LAPEL_BY_FACTORY)
            return false;
    return true;
}

static size_t length_of(const uint8_t *buf)
{
    return (size_t)buf[4] | (size_t)buf[5] << 8;
}

/* Magic, length and checksum fit. */
static bool whole(const uint8_t *buf)
{
    size_t len = length_of(buf);

    return get32(buf) == MAGIC && len >= 4 && len <= JOURNAL_SIZE - HEAD - 4 &&
           crc32(buf, HEAD + len) == get32(buf + HEAD + len);
}

static bool decode(uint8_t *buf, struct lapel_record *r)
{
    size_t len = length_of(buf);

    if (!whole(buf))
        return false;

    struct cursor c = { buf + HEAD, 0, len, false };
    memset(r, 0, sizeof *r);
    fields(&c, r);
    return plausible(r);
}

/* Returns the length of the fields; the checksum stands behind them. */
static size_t encode(struct lapel_record *r, uint8_t *buf)
{
    struct cursor c = { buf + HEAD, 0, JOURNAL_SIZE - HEAD - 4, true };

    memset(buf, 0, JOURNAL_SIZE);
    put32(buf, MAGIC);
    fields(&c, r);
    buf[4] = (uint8_t)c.n;
    buf[5] = (uint8_t)(c.n >> 8);
    put32(buf + HEAD + c.n, crc32(buf, HEAD + c.n));
    return c.n;
}

/* An error that comes once may be an unstable word: read again before giving up. */
static bool read_record(struct lapel *ctx, uint8_t which, uint8_t *buf)
{
    for (int tries = 0; tries < 3; tries++)
        if (ctx->port.nv->read(ctx->port.ctx, which, buf, JOURNAL_SIZE) > 0)
            return true;
    return false;
}

enum lapel_err lapel_journal_load(struct lapel *ctx)
{
    uint8_t buf[JOURNAL_SIZE];
    uint32_t best = 0;
    int readable = 0;

    ctx->nv_known = false;
    for (uint8_t which = 0; which < 2; which++) {
        if (!read_record(ctx, which, buf))
            continue;
        readable++;
        if (!decode(buf, &ctx->rec))
            continue;
        if (ctx->nv_known && (int32_t)(ctx->rec.number - best) <= 0)
            continue;
        best = ctx->rec.number;
        ctx->nv_newest = which;
        ctx->nv_known = true;
    }
    if (readable == 0)
        return LAPEL_ERR_NV;

    memset(&ctx->rec, 0, sizeof ctx->rec);
    if (!ctx->nv_known) {
        ctx->nv_newest = 1; /* the first save goes to record 0 */
        return LAPEL_OK;
    }
    /* Read again: a word that reads one way now and another way next time must not be lived on. */
    if (!read_record(ctx, ctx->nv_newest, buf) || !decode(buf, &ctx->rec) ||
        ctx->rec.number != best) {
        uint8_t other = ctx->nv_newest ^ 1;

        memset(&ctx->rec, 0, sizeof ctx->rec);
        ctx->nv_known = read_record(ctx, other, buf) && decode(buf, &ctx->rec);
        if (!ctx->nv_known)
            memset(&ctx->rec, 0, sizeof ctx->rec);
        ctx->nv_newest = ctx->nv_known ? other : 1;
    }
    return LAPEL_OK;
}

enum lapel_err lapel_journal_save(struct lapel *ctx)
{
    uint8_t buf[JOURNAL_SIZE];
    uint8_t older = ctx->nv_newest ^ 1;

    ctx->rec.number++;
    size_t len = encode(&ctx->rec, buf);
    uint32_t crc = get32(buf + HEAD + len);
    if (ctx->port.nv->write(ctx->port.ctx, older, buf, sizeof buf) <= 0)
        goto fail;
    if (!read_record(ctx, older, buf) || !whole(buf) || get32(buf + HEAD + len) != crc)
        goto fail;
    ctx->nv_newest = older;
    ctx->nv_known = true;
    return LAPEL_OK;

fail:
    ctx->rec.number--;
    return LAPEL_ERR_NV;
}
