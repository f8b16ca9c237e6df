#include "journal.h"

#include <string.h>

#define MAGIC 0x324c504cu /* "LPL2" */
#define HEAD 10u          /* up to and with the length */
#define PIECE 32u

_Static_assert(LAPEL_STORED_SIZE <= LAPEL_RECORD_SIZE, "a record fits its area");
_Static_assert(offsetof(struct lapel_record, state) == HEAD, "the head is the same for ever");
_Static_assert(sizeof(struct lapel_record) ==
                   16 + 48 + sizeof(struct lapel_attempt) + sizeof(struct lapel_outcome) +
                       LAPEL_BLOCKS * sizeof(struct lapel_block) + 40 + sizeof(struct lapel_fault) +
                       sizeof(struct lapel_fresh) + sizeof(struct lapel_trusted) +
                       sizeof(struct lapel_begins),
               "no gaps");

/* What proves a record, as it grows over the bytes. */
struct proof {
    struct lsuit_hash hash;
    uint32_t crc;
    bool sealed;
};

static bool proof_start(struct proof *p, struct lapel *ctx)
{
    const struct lsuit_crypto *c = ctx->port.crypto;

    p->crc = UINT32_MAX;
    p->sealed = ctx->port.nv->seal != NULL;
    return !p->sealed || c->hash_start(c->ctx, &p->hash, LSUIT_ALG_SHA256) == LSUIT_OK;
}

static void proof_add(struct proof *p, struct lapel *ctx, const uint8_t *bytes, size_t n)
{
    const struct lsuit_crypto *c = ctx->port.crypto;

    if (p->sealed)
        (void)c->hash_update(c->ctx, &p->hash, (struct lsuit_bytes){ bytes, n });
    for (size_t i = 0; i < n; i++) {
        p->crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            p->crc = (p->crc >> 1) ^ (0xedb88320u & (0u - (p->crc & 1)));
    }
}

/* The bytes that stand behind the record: all of out, zero behind a checksum. */
static bool proof_end(struct proof *p, struct lapel *ctx, uint8_t out[LAPEL_PROOF_MAX])
{
    const struct lsuit_crypto *c = ctx->port.crypto;
    uint8_t digest[LSUIT_SHA256_LEN];
    size_t n = 0;

    memset(out, 0, LAPEL_PROOF_MAX);
    if (!p->sealed) {
        for (int i = 0; i < 4; i++)
            out[i] = (uint8_t)(p->crc >> (8 * i));
        return true;
    }
    return c->hash_finish(c->ctx, &p->hash, digest, sizeof digest, &n) == LSUIT_OK &&
           ctx->port.nv->seal(ctx->port.ctx, digest, out) > 0;
}

/* An error that comes once may be an unstable word: read again before giving up. */
static bool read_piece(struct lapel *ctx, uint8_t which, size_t at, void *buf, size_t n)
{
    for (int tries = 0; tries < 3; tries++)
        if (ctx->port.nv->read(ctx->port.ctx, which, at, buf, n) > 0)
            return true;
    return false;
}

/* How every record begins. */
struct head {
    uint32_t magic, number;
    uint16_t length;
};

/* The bytes of the record into the proof, and as much of them as we know into r. */
static bool read_fields(struct lapel *ctx, uint8_t which, size_t length, struct proof *p,
                        struct lapel_record *r)
{
    uint8_t piece[PIECE];
    size_t n;

    for (size_t at = 0; at < length; at += n) {
        n = length - at < PIECE ? length - at : PIECE;
        if (!read_piece(ctx, which, at, piece, n))
            return false;
        proof_add(p, ctx, piece, n);
        if (r != NULL && at < sizeof *r)
            memcpy((uint8_t *)r + at, piece, n < sizeof *r - at ? n : sizeof *r - at);
    }
    return true;
}

static bool same_proof(const uint8_t *a, const uint8_t *b)
{
    struct lsuit_bytes x = { a, LAPEL_PROOF_MAX }, y = { b, LAPEL_PROOF_MAX };

    return lsuit_bytes_equal_ct(x, y) != 0;
}

enum found { UNREADABLE, DAMAGED, WHOLE };

/* WHOLE: r (NULL: nobody) has what we know of the record, and proof_out its proof. */
static enum found read_record(struct lapel *ctx, uint8_t which, struct lapel_record *r,
                              uint8_t proof_out[LAPEL_PROOF_MAX])
{
    uint8_t stored[LAPEL_PROOF_MAX];
    struct head head;
    struct proof p;

    if (!read_piece(ctx, which, 0, &head, HEAD))
        return UNREADABLE;
    if (head.magic != MAGIC || head.length < HEAD ||
        head.length > LAPEL_RECORD_SIZE - LAPEL_PROOF_MAX || !proof_start(&p, ctx))
        return DAMAGED;
    if (r != NULL)
        memset(r, 0, sizeof *r);
    bool read = read_fields(ctx, which, head.length, &p, r) &&
                read_piece(ctx, which, head.length, stored, sizeof stored);
    if (!proof_end(&p, ctx, proof_out) || !read || !same_proof(stored, proof_out))
        return DAMAGED;
    return WHOLE;
}

/* The values were written by this or another version of the library: nothing is believed that
 * would index a table. */
static bool plausible(const struct lapel_record *r)
{
    if (r->state > LAPEL_FAILED || r->attempt.slot > 1 ||
        r->outcome.kind > LAPEL_OUTCOME_WITHDRAWN || r->fault.detail_n > sizeof r->fault.detail)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (r->choice[i] > LAPEL_OFF || r->choice_by[i] > LAPEL_BY_FACTORY)
            return false;
    return true;
}

static enum found read_plausible(struct lapel *ctx, uint8_t which)
{
    uint8_t proof[LAPEL_PROOF_MAX];
    enum found f = read_record(ctx, which, &ctx->rec, proof);

    return f == WHOLE && !plausible(&ctx->rec) ? DAMAGED : f;
}

enum lapel_err lapel_journal_load(struct lapel *ctx)
{
    enum found found[2] = { UNREADABLE, UNREADABLE };
    uint32_t number[2] = { 0 };

    for (uint8_t which = 0; which < 2; which++) {
        found[which] = read_plausible(ctx, which);
        number[which] = ctx->rec.number;
    }
    ctx->nv_known = false;
    bool second = found[1] == WHOLE && (found[0] != WHOLE || (int32_t)(number[1] - number[0]) > 0);
    ctx->nv_newest = second ? 1 : 0;
    /* Read again: a word that reads one way now and another way next time must not be lived on. */
    for (int tries = 0; tries < 2 && !ctx->nv_known; tries++) {
        ctx->nv_known =
            found[ctx->nv_newest] == WHOLE && read_plausible(ctx, ctx->nv_newest) == WHOLE;
        if (!ctx->nv_known)
            ctx->nv_newest ^= 1;
    }
    if (!ctx->nv_known) {
        memset(ctx->stored, 0, sizeof ctx->stored);
        ctx->nv_newest = 1; /* the first save goes to record 0 */
    }
    return found[0] == UNREADABLE && found[1] == UNREADABLE ? LAPEL_ERR_NV : LAPEL_OK;
}

enum lapel_err lapel_journal_save(struct lapel *ctx)
{
    struct lapel_record *r = &ctx->rec;
    uint8_t *proof = ctx->stored + sizeof *r;
    uint8_t older = ctx->nv_newest ^ 1;
    uint8_t again[LAPEL_PROOF_MAX];
    struct proof p;

    r->magic = MAGIC;
    r->length = sizeof *r;
    r->number++;
    bool stored = proof_start(&p, ctx);
    if (stored) {
        proof_add(&p, ctx, ctx->stored, sizeof *r);
        stored = proof_end(&p, ctx, proof) &&
                 ctx->port.nv->write(ctx->port.ctx, older, ctx->stored, sizeof ctx->stored) > 0 &&
                 read_record(ctx, older, NULL, again) == WHOLE && same_proof(again, proof);
    }
    if (!stored) {
        r->number--;
        return LAPEL_ERR_NV;
    }
    ctx->nv_newest = older;
    ctx->nv_known = true;
    return LAPEL_OK;
}
