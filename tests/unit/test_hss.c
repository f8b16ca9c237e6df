/*
 * HSS-LMS against signatures of RFC 8554, of RFC 9858 and of pyhsslms (tests/interop/vectors/hss.txt,
 * hss.py beside it), and against what is malformed.
 */
#include <psa/crypto.h>

#include "check.h"

#include "src/hss_lms.h"

#define ROOM 8704 /* the longest signature */

/* --- cases: four lines each --- */

struct vector {
    char name[120];
    uint8_t key_buf[64], message_buf[256], signature_buf[ROOM];
    struct lsuit_bytes key, message, signature;
};

static struct lsuit_bytes line_bytes(FILE *f, uint8_t *buf, size_t cap)
{
    static char line[2 * ROOM + 2];

    if (fgets(line, sizeof line, f) == NULL) {
        printf("FAIL hss.txt ends within a case\n");
        exit(1);
    }
    return (struct lsuit_bytes){ buf, check_hex(line, buf, cap) };
}

static bool vector_next(FILE *f, struct vector *v)
{
    do {
        if (fgets(v->name, sizeof v->name, f) == NULL)
            return false;
    } while (v->name[0] == '\n');
    v->name[strcspn(v->name, "\n")] = '\0';
    v->key = line_bytes(f, v->key_buf, sizeof v->key_buf);
    v->message = line_bytes(f, v->message_buf, sizeof v->message_buf);
    v->signature = line_bytes(f, v->signature_buf, sizeof v->signature_buf);
    return true;
}

static FILE *vectors_open(void)
{
    FILE *f = fopen("tests/interop/vectors/hss.txt", "r");

    if (f == NULL) {
        printf("FAIL hss.txt cannot be read\n");
        exit(1);
    }
    return f;
}

static enum lsuit_err verify(const struct vector *v)
{
    return lsuit_hss_verify(&lsuit_crypto_psa, v->key, &v->message, 1, v->signature);
}

/* A copy of exactly the right size, so that ASan sees a byte too many. */
static enum lsuit_err verify_cut(const struct vector *v, size_t n)
{
    uint8_t *copy = malloc(n + (n == 0));
    enum lsuit_err e;

    memcpy(copy, v->signature.ptr, n);
    e = lsuit_hss_verify(&lsuit_crypto_psa, v->key, &v->message, 1,
                         (struct lsuit_bytes){ copy, n });
    free(copy);
    return e;
}

static void vectors(void)
{
    static struct vector v;
    FILE *f = vectors_open();
    int n = 0;

    for (; vector_next(f, &v); n++) {
        struct lsuit_bytes parts[3];

        check_case(v.name);
        CHECK_INT(verify(&v), LSUIT_OK);

        /* In parts, one of them empty. */
        parts[0] = (struct lsuit_bytes){ v.message.ptr, 2 };
        parts[1] = (struct lsuit_bytes){ NULL, 0 };
        parts[2] = (struct lsuit_bytes){ v.message.ptr + 2, v.message.len - 2 };
        CHECK_INT(lsuit_hss_verify(&lsuit_crypto_psa, v.key, parts, 3, v.signature), LSUIT_OK);

        v.message_buf[0] ^= 1;
        CHECK_INT(verify(&v), LSUIT_ERR_UNAUTHORISED);
        v.message_buf[0] ^= 1;
        v.key_buf[v.key.len - 1] ^= 1;
        CHECK_INT(verify(&v), LSUIT_ERR_UNAUTHORISED);
        v.key_buf[v.key.len - 1] ^= 1;
        v.key_buf[12] ^= 1;
        CHECK_INT(verify(&v), LSUIT_ERR_UNAUTHORISED);
        v.key_buf[12] ^= 1;
    }
    fclose(f);
    check_case("all of them were there");
    CHECK_INT(n, 21);
}

/* --- one small signature, changed in every way: RFC 9858, 784 bytes --- */

static void small_vector(struct vector *v)
{
    FILE *f = vectors_open();

    while (vector_next(f, v) && strncmp(v->name, "RFC 9858", 8) != 0)
        ;
    fclose(f);
}

static void every_byte(void)
{
    static struct vector v;

    small_vector(&v);
    check_case("each byte of a signature counts");
    CHECK_UINT(v.signature.len, 784);
    for (size_t i = 0; i < v.signature.len; i++) {
        v.signature_buf[i] ^= 1;
        CHECK_INT(verify(&v), LSUIT_ERR_UNAUTHORISED);
        v.signature_buf[i] ^= 1;
    }
    check_case("each length but the right one is refused");
    for (size_t n = 0; n < v.signature.len; n++)
        CHECK_INT(verify_cut(&v, n), LSUIT_ERR_UNAUTHORISED);
    v.signature.len++;
    CHECK_INT(verify(&v), LSUIT_ERR_UNAUTHORISED);
}

/* clang-format off */
static const struct {
    size_t at;
    uint8_t value;
    enum lsuit_err want;
    const char *name;
} KEYS[] = {
  { 3, 0,  LSUIT_ERR_ALG, "no level" },
  { 3, 9,  LSUIT_ERR_ALG, "nine levels" },
  { 0, 1,  LSUIT_ERR_ALG, "sixteen million levels" },
  { 3, 2,  LSUIT_ERR_UNAUTHORISED, "two levels, the signature has one" },
  { 7, 0,  LSUIT_ERR_ALG, "tree type 0, reserved" },
  { 7, 4,  LSUIT_ERR_ALG, "tree type 4" },
  { 7, 5,  LSUIT_ERR_ALG, "a tree of 32 bytes over one-time keys of 24" },
  { 7, 15, LSUIT_ERR_ALG, "tree type 15, SHAKE" },
  { 4, 1,  LSUIT_ERR_ALG, "a tree type beyond 16 bits" },
  { 7, 11, LSUIT_ERR_UNAUTHORISED, "a tree of height 10, the signature has 5" },
  { 11, 0, LSUIT_ERR_ALG, "one-time type 0, reserved" },
  { 11, 4, LSUIT_ERR_ALG, "one-time keys of 32 bytes under a tree of 24" },
  { 11, 9, LSUIT_ERR_ALG, "one-time type 9, SHAKE" },
  { 11, 7, LSUIT_ERR_UNAUTHORISED, "width 4, the signature has 8" },
};
/* clang-format on */

static void keys(void)
{
    static struct vector v;

    small_vector(&v);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        uint8_t was = v.key_buf[KEYS[i].at];

        check_case(KEYS[i].name);
        v.key_buf[KEYS[i].at] = KEYS[i].value;
        CHECK_INT(verify(&v), KEYS[i].want);
        v.key_buf[KEYS[i].at] = was;
    }
    check_case("a key of another length");
    for (size_t n = 0; n <= 60; n++) {
        v.key.len = n;
        CHECK_INT(verify(&v), n == 52 ? LSUIT_OK : LSUIT_ERR_ALG);
    }
    check_case("a leaf that the tree doesn't have");
    v.key.len = 52;
    for (uint32_t q = 32; q != 0; q <<= 1) {
        for (int i = 0; i < 4; i++)
            v.signature_buf[4 + i] = (uint8_t)(q >> (24 - 8 * i));
        CHECK_INT(verify(&v), LSUIT_ERR_UNAUTHORISED);
    }
}

/* --- an adapter that fails at the n-th call --- */

static struct {
    unsigned at, calls, open;
    bool fired;
} broken;

static enum lsuit_err answer(enum lsuit_err e)
{
    if (++broken.calls != broken.at)
        return e;
    broken.fired = true;
    return LSUIT_ERR_CRYPTO;
}

static enum lsuit_err broken_start(void *ctx, struct lsuit_hash *h, int32_t alg)
{
    broken.open++;
    return answer(lsuit_crypto_psa.hash_start(ctx, h, alg));
}

static enum lsuit_err broken_update(void *ctx, struct lsuit_hash *h, struct lsuit_bytes part)
{
    return answer(lsuit_crypto_psa.hash_update(ctx, h, part));
}

static enum lsuit_err broken_finish(void *ctx, struct lsuit_hash *h, uint8_t *out, size_t cap,
                                    size_t *len_out)
{
    enum lsuit_err e = answer(lsuit_crypto_psa.hash_finish(ctx, h, out, cap, len_out));

    if (e == LSUIT_OK)
        broken.open--;
    return e;
}

static void broken_abort(void *ctx, struct lsuit_hash *h)
{
    broken.open--;
    lsuit_crypto_psa.hash_abort(ctx, h);
}

static void adapters(void)
{
    static struct vector v;
    struct lsuit_crypto crypto = lsuit_crypto_psa;
    unsigned calls;

    small_vector(&v);
    crypto.hash_start = broken_start;
    crypto.hash_update = broken_update;
    crypto.hash_finish = broken_finish;
    crypto.hash_abort = broken_abort;

    check_case("a signature of a wrong length costs no hash");
    CHECK_INT(lsuit_hss_verify(&crypto, v.key, &v.message, 1,
                               (struct lsuit_bytes){ v.signature.ptr, v.signature.len - 1 }),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_UINT(broken.calls, 0);

    check_case("a hash that fails ends it, and no hash is left open");
    CHECK_INT(lsuit_hss_verify(&crypto, v.key, &v.message, 1, v.signature), LSUIT_OK);
    calls = broken.calls;
    CHECK(calls > 1000);
    for (unsigned at = 1; at <= calls; at += at < 60 || at > calls - 60 ? 1 : 97) {
        broken.calls = broken.open = 0;
        broken.fired = false;
        broken.at = at;
        CHECK_INT(lsuit_hss_verify(&crypto, v.key, &v.message, 1, v.signature), LSUIT_ERR_CRYPTO);
        CHECK(broken.fired);
        CHECK_UINT(broken.open, 0);
    }
    broken.at = 0;

    check_case("no hash at all");
    crypto.hash_start = NULL;
    CHECK_INT(lsuit_hss_verify(&crypto, v.key, &v.message, 1, v.signature), LSUIT_ERR_ALG);
}

int main(void)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    vectors();
    every_byte();
    keys();
    adapters();
    return check_done();
}
