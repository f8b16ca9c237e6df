/*
 * HSS-LMS: verifying by hashing alone (RFC 8554; parameter sets with 24 bytes of RFC 9858).
 *
 *   (1) A length is compared with what is left before a byte is read.
 *   (2) No recursion: levels, chains and tree paths are loops. The longest signature takes
 *       8 x (265 x 255 + 25) hashes.
 */
#include "hss_lms.h"

#include "lsuit/config.h"

#if LSUIT_WITH_HSS_LMS

#include <stdbool.h>
#include <string.h>

enum { I_LEN = 16, N_MAX = 32, LEVELS_MAX = 8 };

/* Domain separation, RFC 8554, section 7.1. */
enum { D_PBLC = 0x8080, D_MESG = 0x8181, D_LEAF = 0x8282, D_INTR = 0x8383 };

/* --- reading --- */

struct reader {
    const uint8_t *p;
    size_t left;
    bool bad; /* it ended too early: everything read since is empty */
};

static struct lsuit_bytes take(struct reader *r, size_t n)
{
    struct lsuit_bytes b = { r->p, n };

    if (r->bad || n > r->left) {
        r->bad = true;
        return (struct lsuit_bytes){ NULL, 0 };
    }
    r->p += n;
    r->left -= n;
    return b;
}

static uint32_t take_u32(struct reader *r)
{
    struct lsuit_bytes b = take(r, 4);

    if (b.ptr == NULL)
        return 0;
    return (uint32_t)b.ptr[0] << 24 | (uint32_t)b.ptr[1] << 16 | (uint32_t)b.ptr[2] << 8 | b.ptr[3];
}

/* An LMS public key, its two type codes decoded. */
struct lms_key {
    uint32_t tree_type, ots_type;
    size_t n;     /* bytes of a hash */
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
static bool types_decode(struct lms_key *k)
{
    static const uint8_t CHECKSUM_DIGITS[] = { 9, 5, 3, 2, 8, 5, 3, 2 }; /* RFC 8554, appendix B */
    uint32_t tree = k->tree_type - 5, ots = k->ots_type - 1;

    if (tree > 9 || ots > 7 || (tree > 4) != (ots > 3))
        return false;
    k->n = tree > 4 ? 24 : 32;
    k->h = 5 * (tree % 5 + 1);
    k->w = (uint32_t)1 << ots % 4;
    k->sum = CHECKSUM_DIGITS[ots];
    k->p = (uint32_t)k->n * 8 / k->w + k->sum;
    return true;
}

static bool key_take(struct reader *r, struct lms_key *k)
{
    k->tree_type = take_u32(r);
    k->ots_type = take_u32(r);
    if (!types_decode(k))
        return false;
    k->id = take(r, I_LEN).ptr;
    k->root = take(r, k->n).ptr;
    return !r->bad;
}

/* --- hashing --- */

/* What every hash begins with: I, u32, u16; a hash in a chain has one byte more. */
struct prefix {
    uint8_t bytes[I_LEN + 4 + 2 + 1];
};

static struct lsuit_bytes prefix_make(struct prefix *x, const uint8_t *id, uint32_t number,
                                      uint32_t word)
{
    memcpy(x->bytes, id, I_LEN);
    for (int i = 0; i < 4; i++)
        x->bytes[I_LEN + i] = (uint8_t)(number >> (24 - 8 * i));
    x->bytes[I_LEN + 4] = (uint8_t)(word >> 8);
    x->bytes[I_LEN + 5] = (uint8_t)word;
    return (struct lsuit_bytes){ x->bytes, I_LEN + 6 };
}

/* A hash in work; it keeps its first error. */
struct work {
    const struct lsuit_crypto *crypto;
    enum lsuit_err err;
    struct lsuit_hash hash;
};

static void add(struct work *h, struct lsuit_bytes part)
{
    if (h->err == LSUIT_OK && part.len > 0) {
        h->err = h->crypto->hash_update(h->crypto->ctx, &h->hash, part);
        if (h->err != LSUIT_OK)
            h->crypto->hash_abort(h->crypto->ctx, &h->hash);
    }
}

static void begin(struct work *h, struct lsuit_bytes first)
{
    if (h->err != LSUIT_OK)
        return;
    h->err = h->crypto->hash_start(h->crypto->ctx, &h->hash, LSUIT_ALG_SHA256);
    if (h->err != LSUIT_OK)
        h->crypto->hash_abort(h->crypto->ctx, &h->hash);
    add(h, first);
}

static void end(struct work *h, uint8_t out[N_MAX])
{
    size_t len = 0;

    if (h->err != LSUIT_OK)
        return;
    h->err = h->crypto->hash_finish(h->crypto->ctx, &h->hash, out, N_MAX, &len);
    if (h->err != LSUIT_OK)
        h->crypto->hash_abort(h->crypto->ctx, &h->hash);
}

/* --- one level --- */

struct lms_signature {
    uint32_t q; /* number of the leaf */
    struct lsuit_bytes c;
    const uint8_t *y;
    const uint8_t *path;
};

static bool signature_take(struct reader *r, const struct lms_key *k, struct lms_signature *s)
{
    bool same_types;

    s->q = take_u32(r);
    same_types = take_u32(r) == k->ots_type;
    s->c = take(r, k->n);
    s->y = take(r, k->n * k->p).ptr;
    same_types = take_u32(r) == k->tree_type && same_types;
    s->path = take(r, k->n * k->h).ptr;
    return !r->bad && same_types && s->q >> k->h == 0;
}

/* The i-th digit of w bits. */
static uint32_t digit(const uint8_t *bytes, uint32_t i, uint32_t w)
{
    uint32_t bit = i * w;

    return (uint32_t)bytes[bit / 8] >> (8 - w - bit % 8) & (((uint32_t)1 << w) - 1);
}

/* Append the checksum of the digits (RFC 8554, 4.4). */
static void checksum_put(uint8_t digest[N_MAX + 2], const struct lms_key *k)
{
    uint32_t most = ((uint32_t)1 << k->w) - 1, sum = 0;

    for (uint32_t i = 0; i < k->p - k->sum; i++)
        sum += most - digit(digest, i, k->w);
    sum <<= 16 - k->sum * k->w;
    digest[k->n] = (uint8_t)(sum >> 8);
    digest[k->n + 1] = (uint8_t)sum;
}

/* The one-time public key that fits message and signature (RFC 8554, algorithm 4b). */
static enum lsuit_err ots_key(const struct lsuit_crypto *crypto, const struct lms_key *k,
                              const struct lms_signature *s, const struct lsuit_bytes *parts,
                              size_t parts_n, uint8_t out[N_MAX])
{
    struct work all = { .crypto = crypto }, chain = { .crypto = crypto };
    uint8_t digest[N_MAX + 2], z[N_MAX];
    uint32_t most = ((uint32_t)1 << k->w) - 1;
    struct prefix x;

    begin(&all, prefix_make(&x, k->id, s->q, D_MESG));
    add(&all, s->c);
    for (size_t i = 0; i < parts_n; i++)
        add(&all, parts[i]);
    end(&all, digest);
    if (all.err != LSUIT_OK)
        return all.err;
    checksum_put(digest, k);

    begin(&all, prefix_make(&x, k->id, s->q, D_PBLC));
    for (uint32_t i = 0; i < k->p; i++) {
        struct lsuit_bytes head = prefix_make(&x, k->id, s->q, i);

        memcpy(z, s->y + i * k->n, k->n);
        head.len++;
        for (uint32_t j = digit(digest, i, k->w); j < most; j++) {
            x.bytes[I_LEN + 6] = (uint8_t)j;
            begin(&chain, head);
            add(&chain, (struct lsuit_bytes){ z, k->n });
            end(&chain, z);
        }
        add(&all, (struct lsuit_bytes){ z, k->n });
    }
    end(&all, out);
    return chain.err != LSUIT_OK ? chain.err : all.err;
}

/* RFC 8554, algorithm 6a. */
static enum lsuit_err level_verify(const struct lsuit_crypto *crypto, const struct lms_key *k,
                                   const struct lms_signature *s, const struct lsuit_bytes *parts,
                                   size_t parts_n)
{
    struct work h = { .crypto = crypto };
    uint8_t node[N_MAX];
    uint32_t number = ((uint32_t)1 << k->h) + s->q;
    struct lsuit_bytes mine = { node, k->n }, other = { s->path, k->n };
    struct prefix x;

    h.err = ots_key(crypto, k, s, parts, parts_n, node);
    begin(&h, prefix_make(&x, k->id, number, D_LEAF));
    add(&h, mine);
    end(&h, node);
    for (; number > 1; number /= 2, other.ptr += k->n) {
        begin(&h, prefix_make(&x, k->id, number / 2, D_INTR));
        add(&h, number % 2 != 0 ? other : mine);
        add(&h, number % 2 != 0 ? mine : other);
        end(&h, node);
    }
    if (h.err == LSUIT_OK && memcmp(node, k->root, k->n) != 0)
        h.err = LSUIT_ERR_UNAUTHORISED;
    return h.err;
}

/* --- all levels --- */

enum lsuit_err lsuit_hss_verify(const struct lsuit_crypto *crypto, struct lsuit_bytes public_key,
                                const struct lsuit_bytes *parts, size_t parts_n,
                                struct lsuit_bytes signature)
{
    struct reader pub = { public_key.ptr, public_key.len, false };
    struct reader r = { signature.ptr, signature.len, false };
    uint32_t levels = take_u32(&pub);
    struct lms_key key, next;
    struct lms_signature s;
    enum lsuit_err e;

    if (crypto->hash_start == NULL || levels < 1 || levels > LEVELS_MAX || !key_take(&pub, &key) ||
        pub.left > 0)
        return LSUIT_ERR_ALG;
    if (take_u32(&r) != levels - 1)
        return LSUIT_ERR_UNAUTHORISED;
    for (; levels > 1; levels--) {
        struct lsuit_bytes signed_key;

        if (!signature_take(&r, &key, &s))
            return LSUIT_ERR_UNAUTHORISED;
        signed_key.ptr = r.p;
        if (!key_take(&r, &next))
            return LSUIT_ERR_UNAUTHORISED;
        signed_key.len = (size_t)(r.p - signed_key.ptr);
        e = level_verify(crypto, &key, &s, &signed_key, 1);
        if (e != LSUIT_OK)
            return e;
        key = next;
    }
    if (!signature_take(&r, &key, &s) || r.left > 0)
        return LSUIT_ERR_UNAUTHORISED;
    return level_verify(crypto, &key, &s, parts, parts_n);
}

#endif
