/*
 * What a manifest says about itself; and envelopes as they are written.
 */
#include "check.h"

#include "lsuit/suit.h"

#include "suit_make.h"

#define VENDOR "63af0877853a5c4cb5eeb649d6315671"
#define CLASS "50ff4e1212605cef84f682d49f893715"
#define CLASS2 "60ff4e1212605cef84f682d49f893715"
#define DIGEST "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define DIGEST2 "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static uint8_t buf[4096];
static struct lsuit_envelope envelope;

static enum lsuit_err facts_of(const struct make_manifest *made, struct lsuit_facts *f)
{
    struct lsuit_manifest m;

    envelope = (struct lsuit_envelope){ .examined = true };
    envelope.whole = envelope.manifest = make_manifest(made, buf, sizeof buf);
    if (!CHECK_INT(lsuit_manifest_read(&envelope, &lsuit_crypto_psa, &m, NULL), LSUIT_OK) ||
        !CHECK_INT(lsuit_manifest_check(&m, 0, NULL), LSUIT_OK))
        return LSUIT_ERR_USAGE;
    return lsuit_manifest_facts(&m, f, NULL);
}

static void one_image(void)
{
    const struct make_manifest made = {
        .shared = "86 14 a4 01 50" VENDOR "02 50" CLASS "03 5824 82 2f 5820" DIGEST
                  "0e 1905dc 01 0f 02 0f",
        .section = { { 16, "84 14 a2 15 6161 18 1b 18 63 15 0f", false },
                     { 20, "86 14 a2 15 6162 18 1b 00 15 0f 03 0f", false } },
    };
    struct lsuit_facts f = { 0 };

    check_case("one image");
    CHECK_INT(facts_of(&made, &f), LSUIT_OK);
    CHECK_UINT(f.vendor_id.len, 16);
    CHECK_UINT(f.class_n, 1);
    CHECK(f.vendor_condition && f.class_condition);
    CHECK_INT(f.image_digest[0].alg, LSUIT_ALG_SHA256);
    CHECK_UINT(f.image_size[0], 1500);
    CHECK(f.has_priority);
    CHECK_INT(f.priority, 99); /* the first one */
    CHECK_UINT(f.fetch_n, 2);
    CHECK_BYTES(f.fetch[0].uri.ptr, f.fetch[0].uri.len, "a", 1);
    CHECK_BYTES(f.fetch[1].uri.ptr, f.fetch[1].uri.len, "b", 1);
    CHECK_UINT(f.fetch[1].size, 1500);
}

static void two_components(void)
{
    const struct make_manifest made = {
        .components = "82 81 41 00 81 41 01",
        .shared = "88 0c f5 14 a1 0e 05  0c 01 14 a2 03 5824 82 2f 5820" DIGEST2 "0e 06",
        .section = { { 20, "8c 0c 82 00 01 13 a2 0e 07 15 6161 15 0f  0c 00 14 a1 15 6162 15 0f",
                       false } },
    };
    struct lsuit_facts f = { 0 };

    check_case("two components");
    CHECK_INT(facts_of(&made, &f), LSUIT_OK);
    CHECK(f.vendor_id.ptr == NULL && f.class_n == 0);
    CHECK(!f.vendor_condition && !f.class_condition && !f.has_priority);
    CHECK_INT(f.image_digest[0].alg, 0);
    CHECK_INT(f.image_digest[1].alg, LSUIT_ALG_SHA256);
    CHECK_UINT(f.image_size[0], 5);
    CHECK_UINT(f.image_size[1], 5); /* the first value, though 6 is in force */
    CHECK_UINT(f.fetch_n, 3);
    CHECK_UINT(f.fetch[0].component, 0);
    CHECK_UINT(f.fetch[0].size, 5);
    CHECK_INT(f.fetch[0].digest.alg, 0);
    CHECK_UINT(f.fetch[1].component, 1);
    CHECK_UINT(f.fetch[1].size, 6);
    CHECK_INT(f.fetch[1].digest.alg, LSUIT_ALG_SHA256);
    CHECK_BYTES(f.fetch[2].uri.ptr, f.fetch[2].uri.len, "b", 1);
}

static void nested(void)
{
    const struct make_manifest made = {
        .components = "82 81 41 00 81 41 01",
        .shared = "84 0c 00 0f 82 57 84 14 a1 02 50" CLASS "02 0f 55 82 14 a1 02 50" CLASS2,
        .section = { { 20, "86 0c 00 18 20 48 84 0c 01 14 a1 15 6161 15 0f", false } },
    };
    struct lsuit_facts f = { 0 };

    check_case("alternatives, and an index that ends with its sequence");
    CHECK_INT(facts_of(&made, &f), LSUIT_OK);
    CHECK_UINT(f.class_n, 2);
    CHECK(!f.class_condition); /* in one alternative only */
    CHECK_UINT(f.fetch_n, 1);
    CHECK_UINT(f.fetch[0].component, 0);
    CHECK(f.fetch[0].uri.ptr == NULL);
}

/* Where an index holds: to the end of its sequence, and for what is nested in it. */
static void indices(void)
{
    const struct make_manifest made = {
        .components = "82 81 41 00 81 41 01",
        .shared = "86 0c 00 14 a1 01 50" VENDOR "0f 82 43 82 01 0f 55 82 14 a1 01 50" CLASS,
        .section = { { 20,
                       "86 0c 01 18 20 46 82 14 a1 15 6163 0f 82 48 84 0c 00 14 a1 15 6161 "
                       "43 82 15 0f",
                       false } },
    };
    struct lsuit_facts f = { 0 };

    check_case("an index holds in what is nested, and ends with its sequence");
    CHECK_INT(facts_of(&made, &f), LSUIT_OK);
    CHECK_UINT(f.fetch_n, 1);
    CHECK_UINT(f.fetch[0].component, 1);
    CHECK_BYTES(f.fetch[0].uri.ptr, f.fetch[0].uri.len, "c", 1);
    CHECK(!f.vendor_condition);                     /* in one alternative only */
    CHECK_BYTES(f.vendor_id.ptr, 2, "\x63\xaf", 2); /* the first one */
}

#define FETCH(digit) "14 a1 15 61" digit "15 0f"
#define EIGHT(head)                                                                          \
    head FETCH("30") FETCH("31") FETCH("32") FETCH("33") FETCH("34") FETCH("35") FETCH("36") \
        FETCH("37")

static void limits(void)
{
    struct make_manifest made = { .section = { { 20, EIGHT("98 20"), false } } };
    struct lsuit_facts f = { 0 };

    check_case("eight fetches, and nine");
    CHECK_INT(facts_of(&made, &f), LSUIT_OK);
    CHECK_UINT(f.fetch_n, 8);
    made.section[0].content = EIGHT("98 24") FETCH("38");
    CHECK_INT(facts_of(&made, &f), LSUIT_ERR_LIMIT);
    made.section[0].content = EIGHT("98 24") FETCH("37");
    CHECK_INT(facts_of(&made, &f), LSUIT_OK); /* one of them twice */
    CHECK_UINT(f.fetch_n, 8);
}

/* Each alternative sets where its payload is, and one fetch stands behind them. */
static void alternatives(void)
{
    struct make_manifest two = { .section = { { 20, NULL, false } } };
    struct lsuit_facts f = { 0 };

    check_case("a fetch behind alternatives names the payload of each");
    two.section[0].content = "84 0f 82 46 82 14 a1 15 61 61 46 82 14 a1 15 61 62 15 0f";
    CHECK_INT(facts_of(&two, &f), LSUIT_OK);
    CHECK_UINT(f.fetch_n, 2);
    CHECK_BYTES(f.fetch[0].uri.ptr, f.fetch[0].uri.len, "a", 1);
    CHECK_BYTES(f.fetch[1].uri.ptr, f.fetch[1].uri.len, "b", 1);

    check_case("and what one sets isn't the other's");
    two.section[0].content = "84 0f 82 48 82 14 a2 0e 07 15 61 61 46 82 14 a1 15 61 62 15 0f";
    CHECK_INT(facts_of(&two, &f), LSUIT_OK);
    CHECK_UINT(f.fetch_n, 2);
    CHECK_UINT(f.fetch[0].size, 7);
    CHECK_UINT(f.fetch[1].size, 0);
}

static void written(void)
{
    static const struct lsuit_bytes NONE = { NULL, 0 };
    const struct make_manifest small = { .sequence = 3, .section = { { 7, "82 03 0f", false } } };
    struct lsuit_envelope_parts parts = { .manifest = NONE };
    struct lsuit_envelope e;
    struct lsuit_manifest m;
    uint8_t out[1024], severed[16], integrated[16];
    struct lsuit_bytes doc = NONE, payload;
    size_t full;

    check_case("an envelope comes back as it was written");
    parts.manifest = make_manifest(&small, buf, sizeof buf);
    parts.integrated =
        (struct lsuit_bytes){ integrated, check_hex("62 2361 42 0102", integrated, 16) };
    parts.integrated_n = 1;
    CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, out, sizeof out, &doc), LSUIT_OK);
    CHECK_INT(lsuit_envelope_read(doc, &e, NULL), LSUIT_OK);
    CHECK(e.tagged);
    CHECK_BYTES(e.manifest.ptr, e.manifest.len, parts.manifest.ptr, parts.manifest.len);
    CHECK_INT(lsuit_envelope_trust_nobody(&e, &lsuit_crypto_psa, NULL), LSUIT_OK);
    CHECK_INT(lsuit_manifest_read(&e, &lsuit_crypto_psa, &m, NULL), LSUIT_OK);
    CHECK_UINT(m.sequence, 3);
    CHECK_INT(
        lsuit_envelope_payload(&e, (struct lsuit_bytes){ (const uint8_t *)"#a", 2 }, &payload),
        LSUIT_OK);
    CHECK_BYTES(payload.ptr, payload.len, "\x01\x02", 2);

    check_case("each buffer that is too small");
    full = doc.len;
    for (size_t cap = 0; cap < full; cap++)
        CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, out, cap, &doc), LSUIT_ERR_SPACE);

    check_case("pieces out of order or malformed");
    parts.severed = (struct lsuit_bytes){ severed, check_hex("17 40 14 40", severed, 16) };
    parts.severed_n = 2;
    CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, out, sizeof out, &doc),
              LSUIT_ERR_CBOR);
    parts.severed_n = 1;
    CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, out, sizeof out, &doc),
              LSUIT_ERR_CBOR);
    parts.severed = NONE;
    CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, out, sizeof out, &doc),
              LSUIT_ERR_USAGE);
    parts.severed_n = 0;
    parts.manifest = NONE;
    CHECK_INT(lsuit_envelope_write(&parts, &lsuit_crypto_psa, out, sizeof out, &doc),
              LSUIT_ERR_USAGE);
}

static void names(void)
{
    check_case("names");
    CHECK_STR(lsuit_name_envelope_key(2), "suit-authentication-wrapper");
    CHECK_STR(lsuit_name_manifest_key(20), "suit-install");
    CHECK_STR(lsuit_name_common_key(4), "suit-shared-sequence");
    CHECK_STR(lsuit_name_command(32), "directive-run-sequence");
    CHECK_STR(lsuit_name_command(-257), "command-custom");
    CHECK_STR(lsuit_name_command(-256), NULL);
    CHECK_STR(lsuit_name_parameter(27), "parameter-update-priority");
    CHECK_STR(lsuit_name_parameter(-1), "parameter-custom");
    CHECK_STR(lsuit_name_text_key(-3), "downtime");
    CHECK_STR(lsuit_name_text_component_key(6), "component-version");
    CHECK_STR(lsuit_name_alg(-9), "ESP256");
    CHECK_STR(lsuit_name_alg(0), NULL);
    CHECK_STR(lsuit_name_manifest_key(65540), NULL); /* 4 when cut to 16 bits */
}

int main(void)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    one_image();
    two_components();
    nested();
    indices();
    limits();
    alternatives();
    written();
    names();
    return check_done();
}
