/*
 * suit-text: the language that fits, the texts in it, and what is refused.
 */
#include "check.h"

#include "lsuit/suit.h"

static const struct lsuit_bytes NONE = { NULL, 0 };

static struct lsuit_bytes text(const char *s)
{
    return s != NULL ? (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) } : NONE;
}

/* de, en, de-AT and zh-Hant, each with its own name as the update description */
#define LANGUAGES                                      \
    "a4 62 6465 a1 02 62 6465  62 656e a1 02 62 656e " \
    "65 64652d4154 a1 02 65 64652d4154  67 7a682d48616e74 a1 02 67 7a682d48616e74"

/* clang-format off */
static const struct {
    const char *want, *got;
} FITS[] = {
  { NULL, "de" },     { "", "de" },        { "de", "de" },      { "DE", "de" },
  { "de-AT", "de-AT" }, { "DE-at", "de-AT" }, { "de-CH", "de" }, { "en", "en" },
  { "en-GB", "en" },  { "zh", "zh-Hant" }, { "zh-Hans", "zh-Hant" }, { "fr", "de" },
  { "e", "de" },      { "eng", "de" },     { "d", "de" },       { "-", "de" },
};

static const struct {
    const char *doc;
    enum lsuit_err want;
    const char *name;
} DOCS[] = {
  { "a1 60 a0", LSUIT_OK, "a language without a name or a text" },
  { "a1 61 61 a1 02 60", LSUIT_OK, "an empty text" },
  { "a1 61 61 a1 18 63 81 00", LSUIT_OK, "an unknown number is ignored" },
  { "a1 61 61 a1 24 a1 00 00", LSUIT_OK, "an unknown private number is ignored" },
  { "a1 61 61 a1 81 41 00 a0", LSUIT_OK, "a component without texts" },
  { "a1 61 61 a1 81 41 00 a1 18 63 00", LSUIT_OK, "an unknown text of a component" },
  { "a1 61 61 a1 21 80", LSUIT_OK, "no advisories" },
  { "a1 61 61 a1 22 1a ffffffff", LSUIT_OK, "the longest downtime" },
  { "", LSUIT_ERR_CBOR, "nothing" },
  { "a0", LSUIT_ERR_CBOR, "no language" },
  { "80", LSUIT_ERR_CBOR, "an array" },
  { "a1 61 61 80", LSUIT_ERR_CBOR, "a language that is an array" },
  { "a1 41 61 a0", LSUIT_ERR_CBOR, "a language by bytes" },
  { "a1 d826 82 61 61 61 61 a0", LSUIT_ERR_CBOR, "a language by tag 38" },
  { "a2 61 61 a0 61 61 a0", LSUIT_ERR_CBOR, "one language twice" },
  { "a1 61 61 a0 00", LSUIT_ERR_CBOR, "a byte after it" },
  { "a1 61 61 a1 02 41 61", LSUIT_ERR_CBOR, "a text of bytes" },
  { "a1 61 61 a1 02 61 80", LSUIT_ERR_CBOR, "a text that isn't UTF-8" },
  { "a1 61 61 a2 02 60 02 60", LSUIT_ERR_CBOR, "one text twice" },
  { "a1 61 61 a1 61 61 60", LSUIT_ERR_CBOR, "a text by a name" },
  { "a1 61 61 a1 20 00", LSUIT_ERR_CBOR, "risks as a number" },
  { "a1 61 61 a1 21 60", LSUIT_ERR_CBOR, "advisories as a text" },
  { "a1 61 61 a1 21 81 00", LSUIT_ERR_CBOR, "an advisory as a number" },
  { "a1 61 61 a1 22 20", LSUIT_ERR_CBOR, "a downtime below 0" },
  { "a1 61 61 a1 22 1b 0000000100000000", LSUIT_ERR_RANGE, "a downtime of 2^32 s" },
  { "a1 61 61 a1 23 00", LSUIT_ERR_CBOR, "disrupts 0" },
  { "a1 61 61 a1 81 41 00 80", LSUIT_ERR_CBOR, "texts of a component as an array" },
  { "a1 61 61 a1 81 41 00 a1 01 40", LSUIT_ERR_CBOR, "a vendor name of bytes" },
  { "a2 61 61 a1 02 60 61 62 a1 02 40", LSUIT_ERR_CBOR, "the second language is broken, the first asked for" },
};
/* clang-format on */

static void fits(void)
{
    uint8_t doc[128];
    size_t n = check_hex(LANGUAGES, doc, sizeof doc);

    for (size_t i = 0; i < sizeof FITS / sizeof *FITS; i++) {
        struct lsuit_text t = { 0 };
        char name[64];

        snprintf(name, sizeof name, "language %s", FITS[i].want != NULL ? FITS[i].want : "absent");
        check_case(name);
        CHECK_INT(lsuit_text_read((struct lsuit_bytes){ doc, n }, text(FITS[i].want), &t, NULL),
                  LSUIT_OK);
        CHECK_BYTES(t.language.ptr, t.language.len, FITS[i].got, strlen(FITS[i].got));
        CHECK_BYTES(t.update_description.ptr, t.update_description.len, FITS[i].got,
                    strlen(FITS[i].got));
    }
}

static void refused(void)
{
    for (size_t i = 0; i < sizeof DOCS / sizeof *DOCS; i++) {
        uint8_t doc[64];
        size_t n = check_hex(DOCS[i].doc, doc, sizeof doc);
        struct lsuit_text t = { .downtime_s = 77 };
        struct lsuit_fault fault = { 0 };

        check_case(DOCS[i].name);
        CHECK_INT(lsuit_text_read((struct lsuit_bytes){ doc, n }, text("a"), &t, &fault),
                  DOCS[i].want);
        CHECK_INT(fault.err, DOCS[i].want);
        CHECK(DOCS[i].want == LSUIT_OK || t.downtime_s == 77); /* untouched */
    }
}

/* Everything at once; the second component fills what the first leaves open. */
static const char ALL[] =
    "a1 62 656e a8 01 61 31 02 61 32 20 61 33 21 82 61 34 61 35 22 1864 23 f5 "
    "81 41 00 a2 01 61 61 02 61 62 "
    "81 41 01 a6 01 61 7a 03 61 63 04 61 64 05 61 65 06 61 66 07 40";

static bool is(struct lsuit_bytes b, const char *want)
{
    return b.len == strlen(want) && memcmp(b.ptr, want, b.len) == 0;
}

static void all(void)
{
    uint8_t doc[128];
    struct lsuit_text t = { 0 };
    struct lsuit_manifest m = { 0 };

    m.text.bytes = (struct lsuit_bytes){ doc, check_hex(ALL, doc, sizeof doc) };
    m.text.present = true;
    m.components[0] = text("\x81\x41\x02");
    m.components[0].len = 3;
    m.components[1] = (struct lsuit_bytes){ (const uint8_t *)"\x81\x41\x00", 3 };
    m.components[2] = (struct lsuit_bytes){ (const uint8_t *)"\x81\x41\x01", 3 };
    m.components_n = 3;
    check_case("all texts");
    CHECK_INT(lsuit_manifest_text(&m, text("en"), &t, NULL), LSUIT_OK);
    CHECK(is(t.description, "1"));
    CHECK(is(t.update_description, "2"));
    CHECK(is(t.risks_removed, "3"));
    CHECK_BYTES(t.advisories.ptr, t.advisories.len, "\x82\x61\x34\x61\x35", 5);
    CHECK(t.has_downtime && t.downtime_s == 100);
    CHECK(t.has_disrupts && t.disrupts);
    CHECK(is(t.vendor_name, "a"));
    CHECK(is(t.model_name, "b"));
    CHECK(is(t.vendor_domain, "c"));
    CHECK(is(t.model_info, "d"));
    CHECK(is(t.component_description, "e"));
    CHECK(is(t.component_version, "f"));

    check_case("a component that suit-common doesn't name");
    m.components_n = 2;
    CHECK_INT(lsuit_manifest_text(&m, text("en"), &t, NULL), LSUIT_ERR_COMPONENT);

    check_case("severed and absent, and none at all");
    m.text.bytes = NONE;
    CHECK_INT(lsuit_manifest_text(&m, text("en"), &t, NULL), LSUIT_ERR_SEVERED);
    m.text.present = false;
    CHECK_INT(lsuit_manifest_text(&m, text("en"), &t, NULL), LSUIT_ERR_SEVERED);
}

int main(void)
{
    fits();
    refused();
    all();
    return check_done();
}
