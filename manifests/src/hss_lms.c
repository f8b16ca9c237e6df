/*
 * HSS-LMS: verifying by hashing alone (RFC 8554; parameter sets with 24 bytes of RFC 9858).
 *
 *   (1) Lengths and types of all levels are right before the first hash.
 *   (2) No recursion: levels, chains and tree paths are loops. The longest signature takes about
 *       8 x 34 x 255 hashes.
 */
#include "hss_lms.h"

#include "lsuit/config.h"

#if LSUIT_WITH_HSS_LMS

#include <stdbool.h>
#include <string.h>

enum { I_LEN = 16, N_MAX = 32, LEVELS_MAX = 8 };

/* Domain separation, RFC 8554, section 7.1. Numbers of chains are lower. */
enum { D_PBLC = 0x8080, D_MESG = 0x8181, D_LEAF = 0x8282, D_INTR = 0x8383 };

/* --- reading --- */

struct reader {
    const uint8_t *p;
    size_t left;
    bool bad; /* it ended too early: everything read since is NULL or 0 */
};

static const uint8_t *take(struct reader *r, size_t n)
{
    const uint8_t *at = r->p;

    if (r->bad || n > r->left) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    r->left -= n;
    return at;
}

static uint32_t take_u32(struct reader *r)
{
    const uint8_t *b = take(r, 4);
    uint32_t v = 0;

    for (int i = 0; b != NULL && i < 4; i++)
        v = v << 8 | b[i];
    return v;
}

/* An LMS public key, its two type codes decoded. */
struct lms_key {
    uint32_t tree_type, ots_type;
    uint32_t n;   /* bytes of a hash */
    uint32_t h;   /* height of the tree */
    uint32_t w;   /* width of a digit in bits */
    uint32_t p;   /* digits, each with its chain */
    uint32_t sum; /* of these, digits of the checksum */
    const uint8_t *id;
    const uint8_t *root;
};

/*
 *   tree types  5 to 9: 32 bytes, 10 to 14: 24 bytes, heights 5, 10, 15, 20, 25
 *   OTS types   1 to 4: 32 bytes, 5 to 8: 24 bytes, widths 1, 2, 4, 8
 */
static bool key_take(struct reader *r, struct lms_key *k)
{
    static const uint8_t CHECKSUM_DIGITS[] = { 9, 5, 3, 2, 8, 5, 3, 2 }; /* RFC 8554, appendix B */
    uint32_t tree, ots;

    k->tree_type = take_u32(r);
    k->ots_type = take_u32(r);
    tree = k->tree_type - 5;
    ots = k->ots_type - 1;
    if (tree > 9 || ots > 7 || (tree > 4) != (ots > 3))
        return false;
    k->n = tree > 4 ? 24 : 32;
    k->h = 5 * (tree % 5 + 1);
    k->w = (uint32_t)1 << ots % 4;
    k->sum = CHECKSUM_DIGITS[ots];
    k->p = k->n * 8 / k->w + k->sum;
    k->id = take(r, I_LEN);
    k->root = take(r, k->n);
    return !r->bad;
}

struct lms_signature {
    uint32_t q; /* number of the leaf */
    const uint8_t *c;
    const uint8_t *y;
    const uint8_t *path;
};

static bool signature_take(struct reader *r, const struct lms_key *k, struct lms_signature *s)
{
    uint32_t ots_type, tree_type;

    s->q = take_u32(r);
    ots_type = take_u32(r);
    s->c = take(r, k->n);
    s->y = take(r, k->n * k->p);
    tree_type = take_u32(r);
    s->path = take(r, k->n * k->h);
    return !r->bad && ots_type == k->ots_type && tree_type == k->tree_type && s->q >> k->h == 0;
}

/* --- hashing --- */

/* What is verified, and two hashes in work: over a whole, and along a chain. */
struct work {
    const struct lsuit_crypto *crypto;
    enum lsuit_err err; /* the first; nothing is hashed after it */
    struct lms_key key;
    struct lsuit_hash whole, chain;
};

/* While a chain is hashed the whole is open: an error ends both. */
static void keep(struct work *w, struct lsuit_hash *h, enum lsuit_err e)
{
    w->err = e;
    if (e == LSUIT_OK)
        return;
    w->crypto->hash_abort(w->crypto->ctx, h);
    if (h == &w->chain)
        w->crypto->hash_abort(w->crypto->ctx, &w->whole);
}

static void add(struct work *w, struct lsuit_hash *h, const uint8_t *bytes, size_t n)
{
    if (w->err == LSUIT_OK && n > 0)
        keep(w, h, w->crypto->hash_update(w->crypto->ctx, h, (struct lsuit_bytes){ bytes, n }));
}

/* Every hash begins with I, u32, u16; one in a chain has the step behind them. `word` is D_... or
 * the number of the chain. */
static void begin(struct work *w, struct lsuit_hash *h, uint32_t number, uint32_t word,
                  uint32_t step)
{
    uint8_t head[I_LEN + 7];

    if (w->err != LSUIT_OK)
        return;
    memcpy(head, w->key.id, I_LEN);
    for (int i = 3; i >= 0; i--, number >>= 8)
        head[I_LEN + i] = (uint8_t)number;
    head[I_LEN + 4] = (uint8_t)(word >> 8);
    head[I_LEN + 5] = (uint8_t)word;
    head[I_LEN + 6] = (uint8_t)step;
    keep(w, h, w->crypto->hash_start(w->crypto->ctx, h, LSUIT_ALG_SHA256));
    add(w, h, head, word >= D_PBLC ? I_LEN + 6 : I_LEN + 7);
}

static void end(struct work *w, struct lsuit_hash *h, uint8_t out[N_MAX])
{
    size_t len = 0;

    if (w->err == LSUIT_OK)
        keep(w, h, w->crypto->hash_finish(w->crypto->ctx, h, out, N_MAX, &len));
}

/* --- one level --- */

/* The i-th digit of w bits. */
static uint32_t digit(const uint8_t *bytes, uint32_t i, uint32_t w)
{
    uint32_t bit = i * w;

    return (uint32_t)bytes[bit / 8] >> (8 - w - bit % 8) & (((uint32_t)1 << w) - 1);
}

/* Append the checksum of the digits (RFC 8554, 4.4). */
static void checksum_put(const struct lms_key *k, uint8_t digest[N_MAX + 2])
{
    uint32_t most = ((uint32_t)1 << k->w) - 1, sum = 0;

    for (uint32_t i = 0; i < k->p - k->sum; i++)
        sum += most - digit(digest, i, k->w);
    sum <<= 16 - k->sum * k->w;
    digest[k->n] = (uint8_t)(sum >> 8);
    digest[k->n + 1] = (uint8_t)sum;
}

/* The one-time public key that fits message and signature (RFC 8554, algorithm 4b). */
static void ots_key(struct work *w, const struct lms_signature *s, const struct lsuit_bytes *parts,
                    size_t parts_n, uint8_t out[N_MAX])
{
    const struct lms_key *k = &w->key;
    uint8_t digest[N_MAX + 2] = { 0 };
    uint8_t *z = out; /* the end of a chain; what is wanted comes last */

    begin(w, &w->whole, s->q, D_MESG, 0);
    add(w, &w->whole, s->c, k->n);
    for (size_t i = 0; i < parts_n; i++)
        add(w, &w->whole, parts[i].ptr, parts[i].len);
    end(w, &w->whole, digest);
    checksum_put(k, digest);

    begin(w, &w->whole, s->q, D_PBLC, 0);
    for (uint32_t i = 0; i < k->p; i++) {
        memcpy(z, s->y + i * k->n, k->n);
        for (uint32_t j = digit(digest, i, k->w); j < ((uint32_t)1 << k->w) - 1; j++) {
            begin(w, &w->chain, s->q, i, j);
            add(w, &w->chain, z, k->n);
            end(w, &w->chain, z);
        }
        add(w, &w->whole, z, k->n);
    }
    end(w, &w->whole, out);
}

/* From the leaf to the root (RFC 8554, algorithm 6a). */
static void level_verify(struct work *w, const struct lms_signature *s,
                         const struct lsuit_bytes *parts, size_t parts_n)
{
    const struct lms_key *k = &w->key;
    const uint8_t *path = s->path;
    uint32_t number = ((uint32_t)1 << k->h) + s->q;
    uint8_t node[N_MAX];

    ots_key(w, s, parts, parts_n, node);
    begin(w, &w->whole, number, D_LEAF, 0);
    add(w, &w->whole, node, k->n);
    end(w, &w->whole, node);
    for (; number > 1; number /= 2, path += k->n) {
        bool right = number % 2 != 0;

        begin(w, &w->whole, number / 2, D_INTR, 0);
        add(w, &w->whole, right ? path : node, k->n);
        add(w, &w->whole, right ? node : path, k->n);
        end(w, &w->whole, node);
    }
    if (w->err == LSUIT_OK && memcmp(node, k->root, k->n) != 0)
        w->err = LSUIT_ERR_UNAUTHORISED;
}

/* --- all levels --- */

/* Go down the levels: each tree signs the public key of the next one, the last the message. */
static void levels_walk(struct work *w, struct reader pub, struct reader sig, bool hashing,
                        const struct lsuit_bytes *parts, size_t parts_n)
{
    uint32_t levels = take_u32(&pub);

    if (levels - 1 >= LEVELS_MAX || !key_take(&pub, &w->key) || pub.left > 0)
        w->err = LSUIT_ERR_ALG;
    else if (take_u32(&sig) != levels - 1 || sig.bad)
        w->err = LSUIT_ERR_UNAUTHORISED;
    for (; levels > 0 && w->err == LSUIT_OK; levels--) {
        struct lms_signature s;
        struct lms_key next = w->key;
        struct lsuit_bytes below;
        bool good = signature_take(&sig, &w->key, &s);

        below.ptr = sig.p;
        good = good && (levels == 1 ? sig.left == 0 : key_take(&sig, &next));
        below.len = (size_t)(sig.p - below.ptr);
        if (!good)
            w->err = LSUIT_ERR_UNAUTHORISED;
        else if (hashing)
            level_verify(w, &s, levels == 1 ? parts : &below, levels == 1 ? parts_n : 1);
        w->key = next;
    }
}

enum lsuit_err lsuit_hss_verify(const struct lsuit_crypto *crypto, struct lsuit_bytes public_key,
                                const struct lsuit_bytes *parts, size_t parts_n,
                                struct lsuit_bytes signature)
{
    struct reader pub = { public_key.ptr, public_key.len, false };
    struct reader sig = { signature.ptr, signature.len, false };
    struct work w;

    w.crypto = crypto;
    w.err = crypto->hash_start != NULL ? LSUIT_OK : LSUIT_ERR_ALG;
    /* First every length and type, then the hashes. */
    for (int hashing = 0; hashing <= 1 && w.err == LSUIT_OK; hashing++)
        levels_walk(&w, pub, sig, hashing != 0, parts, parts_n);
    return w.err;
}

#endif
