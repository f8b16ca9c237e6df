/*
 * Encrypted payloads: what is encrypted for a device it decrypts, and nobody else; what is
 * malformed is refused by name.
 */
#include <psa/crypto.h>

#include "check.h"

#include "lsuit/decrypt.h"
#include "lsuit/encrypt.h"
#include "lsuit/suit.h"

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

/* --- keys: those of two devices, the same in each run --- */

struct device {
    uint8_t kek[LSUIT_AES_LEN];
    uint8_t point[LSUIT_P256_POINT_LEN];
    struct lsuit_decrypt_key key[2]; /* A128KW, ECDH-ES+A128KW */
};

static struct device mine, other;

static uint32_t import(psa_key_type_t type, psa_algorithm_t alg, psa_key_usage_t usage,
                       const uint8_t *bytes, size_t n)
{
    psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;

    psa_set_key_type(&attr, type);
    psa_set_key_algorithm(&attr, alg);
    psa_set_key_usage_flags(&attr, usage);
    if (psa_crypto_init() != PSA_SUCCESS || psa_import_key(&attr, bytes, n, &id) != PSA_SUCCESS) {
        printf("FAIL no key for the test\n");
        exit(1);
    }
    return id;
}

static void device_init(struct device *d, uint8_t first, const char *kid_kw, const char *kid_ecdh)
{
    uint8_t number[32];
    size_t n = 0;

    for (uint8_t i = 0; i < LSUIT_AES_LEN; i++)
        d->kek[i] = (uint8_t)(first + i);
    memset(number, first + 1, sizeof number);
    d->key[0] = (struct lsuit_decrypt_key){ LSUIT_ALG_A128KW,
                                            import(PSA_KEY_TYPE_AES, PSA_ALG_ECB_NO_PADDING,
                                                   PSA_KEY_USAGE_DECRYPT, d->kek, sizeof d->kek),
                                            text(kid_kw) };
    d->key[1] = (struct lsuit_decrypt_key){
        LSUIT_ALG_ECDH_ES_A128KW,
        import(PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1),
               PSA_ALG_KEY_AGREEMENT(PSA_ALG_ECDH, PSA_ALG_HKDF(PSA_ALG_SHA_256)),
               PSA_KEY_USAGE_DERIVE, number, sizeof number),
        text(kid_ecdh)
    };
    (void)psa_export_public_key(d->key[1].key, d->point, sizeof d->point, &n);
}

/* --- a recipient by its letter --- */

/*
 *   k  ours by A128KW          w  our kid, but another's key
 *   e  ours by ECDH            d  our kid, but another's point
 *   K  another's by A128KW     n  ours by A128KW, without a kid
 *   E  another's by ECDH       N  another's by A128KW, without a kid
 */
static struct lsuit_encrypt_to to_of(char letter)
{
    struct lsuit_bytes none = { NULL, 0 };
    const struct device *d = strchr("KENwd", letter) != NULL ? &other : &mine;
    bool ecdh = strchr("eEd", letter) != NULL;
    const struct device *named = strchr("wd", letter) != NULL ? &mine : d;
    struct lsuit_encrypt_to to = { ecdh ? LSUIT_ALG_ECDH_ES_A128KW : LSUIT_ALG_A128KW,
                                   named->key[ecdh].kid,
                                   ecdh ? (struct lsuit_bytes){ d->point, sizeof d->point }
                                        : (struct lsuit_bytes){ d->kek, sizeof d->kek },
                                   { 0 } };

    if (letter == 'n' || letter == 'N')
        to.kid = none;
    memset(to.ephemeral, 7, sizeof to.ephemeral);
    return to;
}

/* Content key 00 11 22 ... as in RFC 3394, section 4.1. */
static struct lsuit_bytes info_of(const char *letters, int32_t alg, uint8_t *buf, size_t cap)
{
    struct lsuit_encrypt_to to[64];
    struct lsuit_encrypt e = { .alg = alg, .to = to, .to_n = strlen(letters) };
    struct lsuit_bytes info = { NULL, 0 };

    for (size_t i = 0; i < e.to_n; i++)
        to[i] = to_of(letters[i]);
    for (uint8_t i = 0; i < LSUIT_AES_LEN; i++) {
        e.cek[i] = (uint8_t)(0x11 * i);
        e.iv[i] = i;
    }
    CHECK_INT(lsuit_encrypt_info(&e, buf, cap, &info), LSUIT_OK);
    return info;
}

static enum lsuit_err open_close(const struct lsuit_decrypt_key *keys, size_t n,
                                 struct lsuit_bytes info, struct lsuit_fault *fault)
{
    struct lsuit_decrypt d;
    uint8_t buf[64];
    enum lsuit_err e =
        lsuit_decrypt_open(&d, &lsuit_crypto_psa, keys, n, info, buf, sizeof buf, fault);

    if (e == LSUIT_OK)
        lsuit_decrypt_abort(&d);
    return e;
}

/* --- there and back --- */

/* Decrypt in pieces of n bytes; the plaintext takes the ciphertext's place. */
static enum lsuit_err decrypt(struct lsuit_bytes info, uint8_t *bytes, size_t len, size_t n,
                              size_t *len_out)
{
    static uint8_t out[2048];
    static uint8_t buf[2048];
    struct lsuit_decrypt d;
    struct lsuit_bytes rest = { NULL, 0 };
    size_t wrote = 0;
    enum lsuit_err e =
        lsuit_decrypt_open(&d, &lsuit_crypto_psa, mine.key, 2, info, buf, sizeof buf, NULL);

    *len_out = 0;
    for (size_t at = 0; e == LSUIT_OK && at < len; at += n) {
        struct lsuit_bytes piece = { bytes + at, len - at < n ? len - at : n };

        e = lsuit_decrypt_update(&d, piece, out + at, piece.len, &wrote);
        *len_out += wrote;
    }
    if (e != LSUIT_OK) {
        lsuit_decrypt_abort(&d);
        return e;
    }
    e = lsuit_decrypt_finish(&d, &rest);
    if (*len_out + rest.len > 0)
        memcpy(bytes, *len_out > 0 ? out : rest.ptr, *len_out + rest.len);
    *len_out += rest.len;
    return e;
}

static void there_and_back(void)
{
    static const size_t SIZES[] = { 0, 1, 15, 16, 17, 1000 }, PIECES[] = { 1, 7, 16, 2000 };
    static const int32_t ALGS[] = { LSUIT_ALG_A128CTR, LSUIT_ALG_A128GCM };
    static const char *const TO[] = { "k", "e", "KEn" };
    static uint8_t plain[1000], sealed[1016], work[1016];
    char name[80];

    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < 2 * 3 * 6 * 4; i++) {
        int32_t alg = ALGS[i % 2];
        size_t size = SIZES[i / 6 % 6], piece = PIECES[i / 36], n = 0;
        struct lsuit_encrypt_to to[3];
        struct lsuit_encrypt e = { .alg = alg, .to = to };
        struct lsuit_bytes info = { NULL, 0 };
        uint8_t buf[512];

        for (const char *p = TO[i / 2 % 3]; *p != '\0'; p++)
            to[e.to_n++] = to_of(*p);
        snprintf(name, sizeof name, "%zu bytes in pieces of %zu, algorithm %d, to %s", size, piece,
                 (int)alg, TO[i / 2 % 3]);
        check_case(name);
        CHECK_INT(lsuit_encrypt_fresh(&e), LSUIT_OK);
        CHECK_INT(lsuit_encrypt_payload(&e, (struct lsuit_bytes){ plain, size }, sealed,
                                        sizeof sealed, &n),
                  LSUIT_OK);
        CHECK_UINT(n, size + lsuit_encrypt_overhead(alg));
        CHECK(size < 15 || memcmp(plain, sealed, size) != 0);
        CHECK_INT(lsuit_encrypt_info(&e, buf, sizeof buf, &info), LSUIT_OK);
        lsuit_encrypt_wipe(&e);
        memcpy(work, sealed, n);
        CHECK_INT(decrypt(info, work, n, piece, &n), LSUIT_OK);
        CHECK_BYTES(work, n, plain, size);
    }
}

/* --- who can open it --- */

/* clang-format off */
static const struct {
    const char *to;
    enum lsuit_err want;
    const char *name;
} RECIPIENTS[] = {
  { "k",   LSUIT_OK, "to us" },
  { "e",   LSUIT_OK, "to us by ECDH" },
  { "n",   LSUIT_OK, "to us without a kid" },
  { "Kk",  LSUIT_OK, "to another and us" },
  { "EKe", LSUIT_OK, "to others and us by ECDH" },
  { "kk",  LSUIT_OK, "to us twice" },
  { "ee",  LSUIT_OK, "to us twice by ECDH" },
  { "wk",  LSUIT_OK, "our kid with another key, then us" },
  { "de",  LSUIT_OK, "our kid with another point, then us" },
  { "Nn",  LSUIT_OK, "without kids, to another and us" },
  { "KKKKKKKKKKKKKKKKEEEEEEEEEEEEEEEEKKKKKKKKKKKKKKKKEEEEEEEEEEEEEEEk", LSUIT_OK, "us the last of 64" },
  { "K",   LSUIT_ERR_UNAUTHORISED, "to another" },
  { "E",   LSUIT_ERR_UNAUTHORISED, "to another by ECDH" },
  { "N",   LSUIT_ERR_UNAUTHORISED, "to another without a kid" },
  { "w",   LSUIT_ERR_UNAUTHORISED, "our kid with another key" },
  { "d",   LSUIT_ERR_UNAUTHORISED, "our kid with another point" },
  { "KKKKKKKKKKKKKKKKEEEEEEEEEEEEEEEEKKKKKKKKKKKKKKKKEEEEEEEEEEEEEEEE", LSUIT_ERR_UNAUTHORISED, "to 64 others" },
};
/* clang-format on */

static void recipients(void)
{
    static uint8_t buf[8192];

    for (size_t i = 0; i < sizeof RECIPIENTS / sizeof *RECIPIENTS; i++) {
        struct lsuit_fault fault = { 0 };

        check_case(RECIPIENTS[i].name);
        for (int alg = 0; alg < 2; alg++) {
            struct lsuit_bytes info = info_of(
                RECIPIENTS[i].to, alg ? LSUIT_ALG_A128CTR : LSUIT_ALG_A128GCM, buf, sizeof buf);

            CHECK_INT(open_close(mine.key, 2, info, &fault), RECIPIENTS[i].want);
        }
        CHECK_INT(fault.err, RECIPIENTS[i].want);
        CHECK(RECIPIENTS[i].want == LSUIT_OK ||
              (fault.code == LSUIT_PARAM_ENCRYPTION_INFO && fault.why != NULL));
    }

    check_case("a key without a kid is tried on all");
    struct lsuit_decrypt_key nameless = mine.key[0];
    nameless.kid.ptr = NULL;
    CHECK_INT(open_close(&nameless, 1, info_of("Kk", LSUIT_ALG_A128GCM, buf, sizeof buf), NULL),
              LSUIT_OK);

    check_case("no key, or none of the algorithm");
    CHECK_INT(open_close(NULL, 0, info_of("k", LSUIT_ALG_A128GCM, buf, sizeof buf), NULL),
              LSUIT_ERR_UNAUTHORISED);
    CHECK_INT(open_close(mine.key, 1, info_of("e", LSUIT_ALG_A128GCM, buf, sizeof buf), NULL),
              LSUIT_ERR_UNAUTHORISED);

    check_case("keys that PSA doesn't let us use");
    struct lsuit_decrypt_key swapped = mine.key[0];
    swapped.key = mine.key[1].key;
    CHECK_INT(open_close(&swapped, 1, info_of("k", LSUIT_ALG_A128GCM, buf, sizeof buf), NULL),
              LSUIT_ERR_CRYPTO);
    swapped = mine.key[1];
    swapped.key = mine.key[0].key;
    CHECK_INT(open_close(&swapped, 1, info_of("e", LSUIT_ALG_A128GCM, buf, sizeof buf), NULL),
              LSUIT_ERR_CRYPTO);

    check_case("no key of PSA is left behind, many times over");
    for (int i = 0; i < 200; i++) {
        CHECK_INT(open_close(mine.key, 2, info_of("e", LSUIT_ALG_A128CTR, buf, sizeof buf), NULL),
                  LSUIT_OK);
        CHECK_INT(open_close(mine.key, 2, info_of("d", LSUIT_ALG_A128CTR, buf, sizeof buf), NULL),
                  LSUIT_ERR_UNAUTHORISED);
    }
}

/* --- malformed --- */

/* RFC 3394, 4.1: 00112233445566778899aabbccddeeff under 000102030405060708090a0b0c0d0e0f. */
#define WRAPPED "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"
#define KW "83 40 a10122 5818" WRAPPED
#define GCM "43a10101 a1 05 4c000102030405060708090a0b"
#define CTR "40 a2 01 39fffd 05 50000102030405060708090a0b0c0d0e0f"
/* ECDH: the ephemeral key's head, its coordinates are those of the generator */
#define X "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define Y "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

/* clang-format off */
static const struct {
    const char *info;
    enum lsuit_err want;
    const char *name;
} INFOS[] = {
  { "d860 84 " GCM " f6 81 " KW,            LSUIT_OK, "A128KW as in RFC 3394" },
  { "d860 84 " CTR " f6 81 " KW,            LSUIT_OK, "A128KW, A128CTR" },
  { "d860 84 40 a2 05 50000102030405060708090a0b0c0d0e0f 01 39fffd f6 81 " KW, LSUIT_OK, "labels in another order" },
  { "d860 84 51a20101054c000102030405060708090a0b a0 f6 81 " KW, LSUIT_OK, "the IV inside" },
  { "d860 84 " GCM " f6 82 84 40 a10122 f6 80 " KW, LSUIT_OK, "a recipient with recipients is passed over" },
  { "d860 84 " GCM " f6 82 83 40 a10124 4101 " KW, LSUIT_OK, "a recipient by A256KW is passed over" },
  { "d860 84 " GCM " f6 82 83 43a10122 a0 5818" WRAPPED KW, LSUIT_OK, "A128KW in the protected header is passed over" },
  { "d860 84 " GCM " f6 82 83 47a20138 1c028102 a0 5818" WRAPPED KW, LSUIT_OK, "an unknown crit is passed over" },

  { "",                                     LSUIT_ERR_CBOR, "nothing" },
  { "84 " GCM " f6 81 " KW,                 LSUIT_ERR_CBOR, "untagged" },
  { "d860 83 " GCM " f6",                   LSUIT_ERR_CBOR, "three members" },
  { "d860 85 " GCM " f6 81 " KW " 00",      LSUIT_ERR_CBOR, "five members" },
  { "d860 84 " GCM " f6 81 " KW " 00",      LSUIT_ERR_CBOR, "a byte after it" },
  { "d860 84 " GCM " f5 81 " KW,            LSUIT_ERR_CBOR, "the ciphertext is true" },
  { "d860 84 " GCM " f6 80",                LSUIT_ERR_CBOR, "no recipient" },
  { "d860 84 " GCM " f6 " KW,               LSUIT_ERR_CBOR, "a recipient that isn't in an array" },
  { "d860 84 " GCM " f6 81 82 40 a10122",   LSUIT_ERR_CBOR, "a recipient of two members" },
  { "d860 84 " GCM " f6 82 " KW " 00",      LSUIT_ERR_CBOR, "a recipient that is a number" },
  { "d860 84 43a10101 a2 054c000102030405060708090a0b 0540 f6 81 " KW, LSUIT_ERR_CBOR, "the IV twice" },
  { "d861 84 " GCM " f6 81 " KW,            LSUIT_ERR_COSE, "another tag" },
  { "d0 83 " GCM " f6",                     LSUIT_ERR_COSE, "COSE_Encrypt0" },
  { "d860 84 " GCM " 4101 81 " KW,          LSUIT_ERR_COSE, "the ciphertext within" },
  { "d860 84 43a10101 a0 f6 81 " KW,        LSUIT_ERR_COSE, "no IV" },
  { "d860 84 43a10101 a1 05 4b000102030405060708090a f6 81 " KW, LSUIT_ERR_COSE, "A128GCM, an IV of 11 bytes" },
  { "d860 84 43a10101 a1 05 4d000102030405060708090a0b0c f6 81 " KW, LSUIT_ERR_COSE, "A128GCM, an IV of 13 bytes" },
  { "d860 84 40 a2 01 39fffd 05 4f000102030405060708090a0b0c0d0e f6 81 " KW, LSUIT_ERR_COSE, "A128CTR, an IV of 15 bytes" },
  { "d860 84 40 a2 01 39fffd 05 51000102030405060708090a0b0c0d0e0f10 f6 81 " KW, LSUIT_ERR_COSE, "A128CTR, an IV of 17 bytes" },
  { "d860 84 40 a2 0101 054c000102030405060708090a0b f6 81 " KW, LSUIT_ERR_ALG, "A128GCM outside" },
  { "d860 84 45a10139fffd a1 0550000102030405060708090a0b0c0d0e0f f6 81 " KW, LSUIT_ERR_ALG, "A128CTR inside" },
  { "d860 84 43a10103 a1 05 4c000102030405060708090a0b f6 81 " KW, LSUIT_ERR_ALG, "A256GCM" },
  { "d860 84 46a20101028105 a1 05 4c000102030405060708090a0b f6 81 " KW, LSUIT_ERR_ALG, "crit names the IV" },
  { "d860 84 " GCM " f6 81 83 40 a10125 5818" WRAPPED, LSUIT_ERR_ALG, "direct key agreement" },
  { "d860 84 " GCM " f6 81 83 43a10122 a0 5818" WRAPPED, LSUIT_ERR_ALG, "A128KW in the protected header" },
  { "d860 84 " GCM " f6 81 83 40 a101381c 5818" WRAPPED, LSUIT_ERR_ALG, "ECDH in the unprotected header" },
  { "d860 84 " GCM " f6 81 83 40 a10122 57" "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cf", LSUIT_ERR_UNAUTHORISED, "a wrapped key of 23 bytes" },
  { "d860 84 " GCM " f6 81 83 40 a10122 5819" WRAPPED "00", LSUIT_ERR_UNAUTHORISED, "a wrapped key of 25 bytes" },
  { "d860 84 " GCM " f6 81 83 40 a10122 40", LSUIT_ERR_UNAUTHORISED, "an empty wrapped key" },
  { "d860 84 " GCM " f6 81 83 40 a10122 f6", LSUIT_ERR_UNAUTHORISED, "no wrapped key" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a4 0102 2001 215820" X "225820" Y " 5818" WRAPPED, LSUIT_ERR_UNAUTHORISED, "ECDH that leads to another key" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a4 225820" Y "215820" X "2001 0102 5818" WRAPPED, LSUIT_ERR_UNAUTHORISED, "the same, labels in another order" },
  { "d860 84 " GCM " f6 81 83 44a101381c a0 5818" WRAPPED, LSUIT_ERR_COSE, "ECDH without an ephemeral key" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a4 0101 2001 215820" X "225820" Y " 5818" WRAPPED, LSUIT_ERR_COSE, "a key of type OKP" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a4 0102 2002 215820" X "225820" Y " 5818" WRAPPED, LSUIT_ERR_COSE, "a key of P-384" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a4 0102 2001 215820" X "22f5 5818" WRAPPED, LSUIT_ERR_COSE, "a compressed point" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a3 0102 2001 215820" X " 5818" WRAPPED, LSUIT_ERR_COSE, "a point without y" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a4 0102 2001 2142 0102 225820" Y " 5818" WRAPPED, LSUIT_ERR_COSE, "a short x" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a4 0102 0102 215820" X "225820" Y " 5818" WRAPPED, LSUIT_ERR_CBOR, "a label of the key twice" },
  { "d860 84 " GCM " f6 81 83 44a101381c a120a4 0102 2001 215820" Y "225820" X " 5818" WRAPPED, LSUIT_ERR_CRYPTO, "a point that isn't on the curve" },
};
/* clang-format on */

static void malformed(void)
{
    uint8_t doc[512];

    for (size_t i = 0; i < sizeof INFOS / sizeof *INFOS; i++) {
        struct lsuit_bytes info = { doc, check_hex(INFOS[i].info, doc, sizeof doc) };
        struct lsuit_decrypt_key keys[] = { mine.key[0], mine.key[1] };
        struct lsuit_fault fault = { 0 };

        check_case(INFOS[i].name);
        CHECK_INT(open_close(keys, 2, info, &fault), INFOS[i].want);
        CHECK_INT(fault.err, INFOS[i].want);
        for (size_t n = 0; INFOS[i].want == LSUIT_OK && n < info.len; n++)
            CHECK(open_close(keys, 2, (struct lsuit_bytes){ doc, n }, NULL) != LSUIT_OK);
    }
}

/* --- the content --- */

static void gcm_content(void)
{
    uint8_t info_buf[256], sealed[48], buf[48], out[48];
    struct lsuit_encrypt_to to = to_of('k');
    struct lsuit_encrypt e = { .alg = LSUIT_ALG_A128GCM, .to = &to, .to_n = 1 };
    struct lsuit_bytes info = { NULL, 0 }, rest;
    struct lsuit_decrypt d;
    size_t n = 0, wrote = 99;

    check_case("A128GCM: nothing is handed out before the tag was checked");
    CHECK_INT(lsuit_encrypt_fresh(&e), LSUIT_OK);
    CHECK_INT(lsuit_encrypt_info(&e, info_buf, sizeof info_buf, &info), LSUIT_OK);
    CHECK_INT(
        lsuit_encrypt_payload(&e, text("This is what the lamp runs."), sealed, sizeof sealed, &n),
        LSUIT_OK);
    CHECK_UINT(n, 27 + 16);
    memset(out, 0xee, sizeof out);
    CHECK_INT(lsuit_decrypt_open(&d, &lsuit_crypto_psa, mine.key, 2, info, buf, n, NULL), LSUIT_OK);
    CHECK_INT(lsuit_decrypt_update(&d, (struct lsuit_bytes){ sealed, n }, out, sizeof out, &wrote),
              LSUIT_OK);
    CHECK_UINT(wrote, 0);
    CHECK_UINT(out[0], 0xee);
    CHECK_INT(lsuit_decrypt_finish(&d, &rest), LSUIT_OK);
    CHECK_BYTES(rest.ptr, rest.len, "This is what the lamp runs.", 27);

    check_case("A128GCM: the key is forgotten, and it is over");
    for (size_t i = 0; i < sizeof d.cek; i++)
        CHECK_UINT(d.cek[i], 0);
    CHECK_INT(lsuit_decrypt_update(&d, (struct lsuit_bytes){ sealed, 1 }, out, 1, &wrote),
              LSUIT_ERR_USAGE);
    CHECK_INT(lsuit_decrypt_finish(&d, &rest), LSUIT_ERR_USAGE);
    CHECK(rest.ptr == NULL);
    lsuit_decrypt_abort(&d);

    check_case("A128GCM: cut anywhere, the tag included");
    for (size_t len = 0; len < n; len++) {
        size_t got = 0;

        memcpy(out, sealed, len);
        CHECK_INT(decrypt(info, out, len, 5, &got), LSUIT_ERR_UNAUTHORISED);
        CHECK_UINT(got, 0);
    }

    check_case("A128GCM: each byte of ciphertext and tag");
    for (size_t i = 0; i < n; i++) {
        size_t got = 0;

        memcpy(out, sealed, n);
        out[i] ^= 0x80;
        CHECK_INT(decrypt(info, out, n, 48, &got), LSUIT_ERR_UNAUTHORISED);
        CHECK_UINT(got, 0);
    }

    check_case("A128GCM: more than the buffer holds");
    for (size_t cap = 0; cap < n; cap++) {
        enum lsuit_err err = LSUIT_OK;

        CHECK_INT(lsuit_decrypt_open(&d, &lsuit_crypto_psa, mine.key, 2, info, cap ? buf : NULL,
                                     cap, NULL),
                  LSUIT_OK);
        for (size_t i = 0; i < n && err == LSUIT_OK; i++)
            err = lsuit_decrypt_update(&d, (struct lsuit_bytes){ sealed + i, 1 }, out, 1, &wrote);
        CHECK_INT(err, LSUIT_ERR_LIMIT);
        lsuit_decrypt_abort(&d);
    }
}

static void ctr_content(void)
{
    uint8_t info_buf[256], out[16];
    struct lsuit_bytes info = info_of("k", LSUIT_ALG_A128CTR, info_buf, sizeof info_buf);
    struct lsuit_bytes rest;
    struct lsuit_decrypt d;
    size_t wrote = 99;

    check_case("A128CTR: no more is written than there is room");
    CHECK_INT(lsuit_decrypt_open(&d, &lsuit_crypto_psa, mine.key, 2, info, NULL, 0, NULL),
              LSUIT_OK);
    CHECK_INT(lsuit_decrypt_update(&d, text("0123456789"), out, 9, &wrote), LSUIT_ERR_SPACE);
    CHECK_UINT(wrote, 0);
    CHECK_INT(lsuit_decrypt_update(&d, (struct lsuit_bytes){ NULL, 0 }, NULL, 0, &wrote), LSUIT_OK);
    CHECK_UINT(wrote, 0);
    CHECK_INT(lsuit_decrypt_update(&d, text("0123456789"), out, 10, &wrote), LSUIT_OK);
    CHECK_UINT(wrote, 10);
    CHECK_INT(lsuit_decrypt_finish(&d, &rest), LSUIT_OK);
    CHECK_UINT(rest.len, 0);
    CHECK_INT(lsuit_decrypt_update(&d, text("0"), out, 1, &wrote), LSUIT_ERR_USAGE);
    lsuit_decrypt_abort(&d);
}

/* --- adapters that lack something --- */

static void adapters(void)
{
    uint8_t buf[256], room[64];
    struct lsuit_crypto crypto = lsuit_crypto_psa;
    struct lsuit_bytes info;
    struct lsuit_decrypt d;

    check_case("what an adapter lacks is an unknown algorithm");
    crypto.block_decrypt = NULL;
    info = info_of("k", LSUIT_ALG_A128CTR, buf, sizeof buf);
    CHECK_INT(lsuit_decrypt_open(&d, &crypto, mine.key, 2, info, NULL, 0, NULL), LSUIT_ERR_ALG);
    crypto = lsuit_crypto_psa;
    crypto.agree = NULL;
    CHECK_INT(lsuit_decrypt_open(&d, &crypto, mine.key, 2, info, NULL, 0, NULL), LSUIT_OK);
    lsuit_decrypt_abort(&d);
    info = info_of("e", LSUIT_ALG_A128CTR, buf, sizeof buf);
    CHECK_INT(lsuit_decrypt_open(&d, &crypto, mine.key, 2, info, NULL, 0, NULL), LSUIT_ERR_ALG);
    crypto = lsuit_crypto_psa;
    crypto.cipher_start = NULL;
    CHECK_INT(lsuit_decrypt_open(&d, &crypto, mine.key, 2, info, NULL, 0, NULL), LSUIT_ERR_ALG);
    crypto = lsuit_crypto_psa;
    crypto.gcm_decrypt = NULL;
    info = info_of("e", LSUIT_ALG_A128GCM, buf, sizeof buf);
    CHECK_INT(lsuit_decrypt_open(&d, &crypto, mine.key, 2, info, room, sizeof room, NULL),
              LSUIT_ERR_ALG);
    for (size_t i = 0; i < sizeof d.cek; i++)
        CHECK_UINT(d.cek[i], 0);

    check_case("no adapter, or one of another size");
    CHECK_INT(lsuit_decrypt_open(&d, NULL, mine.key, 2, info, NULL, 0, NULL), LSUIT_ERR_USAGE);
    crypto.size--;
    CHECK_INT(lsuit_decrypt_open(&d, &crypto, mine.key, 2, info, NULL, 0, NULL), LSUIT_ERR_USAGE);
    lsuit_decrypt_abort(&d);
}

/* --- the writer's own errors --- */

static void writer(void)
{
    uint8_t buf[512];
    struct lsuit_encrypt_to to = to_of('k');
    struct lsuit_encrypt e = { .alg = LSUIT_ALG_A128GCM, .to = &to, .to_n = 1 };
    struct lsuit_bytes info = { NULL, 0 }, again = { NULL, 0 };
    uint8_t twice[512];
    size_t n = 0;

    check_case("the same secrets give the same bytes, fresh ones others");
    info = info_of("ke", LSUIT_ALG_A128GCM, buf, sizeof buf);
    again = info_of("ke", LSUIT_ALG_A128GCM, twice, sizeof twice);
    CHECK_BYTES(again.ptr, again.len, info.ptr, info.len);
    to = to_of('e');
    for (int i = 0; i < 2; i++) {
        CHECK_INT(lsuit_encrypt_fresh(&e), LSUIT_OK);
        CHECK_INT(lsuit_encrypt_info(&e, i ? twice : buf, sizeof buf, i ? &again : &info),
                  LSUIT_OK);
    }
    CHECK(info.len == again.len && memcmp(info.ptr, again.ptr, info.len) != 0);

    check_case("less room than it needs");
    for (size_t cap = 0; cap < info.len; cap++)
        CHECK_INT(lsuit_encrypt_info(&e, twice, cap, &again), LSUIT_ERR_SPACE);
    CHECK_INT(lsuit_encrypt_payload(&e, text("12345"), buf, 20, &n), LSUIT_ERR_SPACE);

    check_case("what it refuses");
    to.key.len = 64;
    CHECK_INT(lsuit_encrypt_info(&e, buf, sizeof buf, &info), LSUIT_ERR_USAGE);
    to = to_of('k');
    to.key.len = 15;
    CHECK_INT(lsuit_encrypt_info(&e, buf, sizeof buf, &info), LSUIT_ERR_USAGE);
    to.alg = -5;
    CHECK_INT(lsuit_encrypt_info(&e, buf, sizeof buf, &info), LSUIT_ERR_ALG);
    e.to_n = 0;
    CHECK_INT(lsuit_encrypt_info(&e, buf, sizeof buf, &info), LSUIT_ERR_USAGE);
    e.alg = 3;
    CHECK_INT(lsuit_encrypt_info(&e, buf, sizeof buf, &info), LSUIT_ERR_ALG);
    CHECK_INT(lsuit_encrypt_payload(&e, text("1"), buf, sizeof buf, &n), LSUIT_ERR_ALG);

    check_case("a point that isn't on the curve");
    uint8_t point[LSUIT_P256_POINT_LEN] = { 4, 1 };
    e.alg = LSUIT_ALG_A128CTR;
    e.to_n = 1;
    to = to_of('e');
    to.key = (struct lsuit_bytes){ point, sizeof point };
    CHECK_INT(lsuit_encrypt_info(&e, buf, sizeof buf, &info), LSUIT_ERR_CRYPTO);
}

int main(void)
{
    device_init(&mine, 0, "mine", "mine too");
    device_init(&other, 100, "other", "other too");
    there_and_back();
    recipients();
    malformed();
    gcm_content();
    ctr_content();
    adapters();
    writer();
    return check_done();
}
