/*
 * Code points and their names, as the IANA registries and the drafts list them; and the keys that
 * everybody can sign with.
 */
#include "check.h"

#include "lsuit/suit.h"
#include "lsuit/trust.h"

#define N(table) (sizeof(table) / sizeof *(table))

/* One line for each code that has a name, ascending. What stands between has none. */
struct line {
    int64_t code;
    const char *name;
};

/* clang-format off */
static const struct line ENVELOPE[] = {
  { 1, "suit-delegation" }, { 2, "suit-authentication-wrapper" }, { 3, "suit-manifest" },
  { 14, "suit-coswid" }, { 15, "suit-dependency-resolution" }, { 16, "suit-payload-fetch" },
  { 18, "suit-candidate-verification" }, { 20, "suit-install" }, { 23, "suit-text" },
};
static const struct line MANIFEST[] = {
  { 1, "suit-manifest-version" }, { 2, "suit-manifest-sequence-number" }, { 3, "suit-common" },
  { 4, "suit-reference-uri" }, { 5, "suit-manifest-component-id" }, { 6, "suit-set-version" },
  { 7, "suit-validate" }, { 8, "suit-load" }, { 9, "suit-invoke" }, { 14, "suit-coswid" },
  { 15, "suit-dependency-resolution" }, { 16, "suit-payload-fetch" },
  { 18, "suit-candidate-verification" }, { 20, "suit-install" }, { 23, "suit-text" },
  { 24, "suit-uninstall" }, { 25, "suit-mud" },
};
static const struct line COMMON[] = {
  { 1, "suit-dependencies" }, { 2, "suit-components" }, { 4, "suit-shared-sequence" },
};
static const struct line COMMAND[] = {
  { -258, "command-custom" }, { -257, "command-custom" },
  { 1, "condition-vendor-identifier" }, { 2, "condition-class-identifier" },
  { 3, "condition-image-match" }, { 4, "condition-use-before" }, { 5, "condition-component-slot" },
  { 6, "condition-check-content" }, { 7, "condition-dependency-integrity" },
  { 8, "condition-is-dependency" }, { 11, "directive-process-dependency" },
  { 12, "directive-set-component-index" }, { 14, "condition-abort" }, { 15, "directive-try-each" },
  { 18, "directive-write" }, { 19, "directive-set-parameters" },
  { 20, "directive-override-parameters" }, { 21, "directive-fetch" }, { 22, "directive-copy" },
  { 23, "directive-invoke" }, { 24, "condition-device-identifier" },
  { 25, "condition-image-not-match" }, { 26, "condition-minimum-battery" },
  { 27, "condition-update-authorized" }, { 28, "condition-version" }, { 29, "directive-wait" },
  { 31, "directive-swap" }, { 32, "directive-run-sequence" }, { 33, "directive-unlink" },
  { 34, "directive-override-multiple" }, { 35, "directive-copy-params" },
};
static const struct line PARAMETER[] = {
  { 1, "parameter-vendor-identifier" }, { 2, "parameter-class-identifier" },
  { 3, "parameter-image-digest" }, { 4, "parameter-use-before" }, { 5, "parameter-component-slot" },
  { 12, "parameter-strict-order" }, { 13, "parameter-soft-failure" }, { 14, "parameter-image-size" },
  { 18, "parameter-content" }, { 19, "parameter-encryption-info" }, { 21, "parameter-uri" },
  { 22, "parameter-source-component" }, { 23, "parameter-invoke-args" },
  { 24, "parameter-device-identifier" }, { 25, "parameter-fetch-arguments" },
  { 26, "parameter-minimum-battery" }, { 27, "parameter-update-priority" },
  { 28, "parameter-version" }, { 29, "parameter-wait-info" }, { 30, "parameter-component-metadata" },
};
static const struct line TEXT[] = {
  { -4, "disrupts" }, { -3, "downtime" }, { -2, "advisories" }, { -1, "risks-removed" },
  { 1, "manifest-description" }, { 2, "update-description" }, { 3, "manifest-json-source" },
  { 4, "manifest-yaml-source" },
};
static const struct line TEXT_COMPONENT[] = {
  { 1, "vendor-name" }, { 2, "model-name" }, { 3, "vendor-domain" }, { 4, "model-info" },
  { 5, "component-description" }, { 6, "component-version" }, { 7, "version-required" },
  { 8, "current-version" },
};
static const struct line ALG[] = {
  { -46, "HSS-LMS" }, { -45, "SHAKE256" }, { -44, "SHA-512" }, { -43, "SHA-384" },
  { -19, "Ed25519" }, { -18, "SHAKE128" }, { -16, "SHA-256" }, { -15, "SHA-256/64" },
  { -14, "SHA-1" }, { -9, "ESP256" }, { -8, "EdDSA" }, { -7, "ES256" }, { 5, "HMAC 256/256" },
};

#define TABLE(name, lines, from) { name, lines, N(lines), from }
static const struct {
    const char *(*name)(int64_t code);
    const struct line *lines;
    size_t n;
    int64_t from; /* below it other rules hold */
} TABLES[] = {
  TABLE(lsuit_name_envelope_key, ENVELOPE, -300),
  TABLE(lsuit_name_manifest_key, MANIFEST, -300),
  TABLE(lsuit_name_common_key, COMMON, -300),
  TABLE(lsuit_name_command, COMMAND, -258),
  TABLE(lsuit_name_parameter, PARAMETER, 0),
  TABLE(lsuit_name_text_key, TEXT, -300),
  TABLE(lsuit_name_text_component_key, TEXT_COMPONENT, -300),
  TABLE(lsuit_name_alg, ALG, -300),
};
/* clang-format on */

static void names(void)
{
    for (size_t t = 0; t < N(TABLES); t++) {
        size_t i = 0;

        check_case(TABLES[t].lines[0].name);
        for (int64_t code = TABLES[t].from; code <= 300; code++) {
            bool named = i < TABLES[t].n && TABLES[t].lines[i].code == code;

            CHECK_STR(TABLES[t].name(code), named ? TABLES[t].lines[i].name : NULL);
            i += named;
        }
        CHECK_UINT(i, TABLES[t].n);
    }
    check_case("parameters below 0 are the maker's own");
    CHECK_STR(lsuit_name_parameter(-1), "parameter-custom");
    check_case("codes beyond 16 bits name nothing");
    CHECK_STR(lsuit_name_envelope_key(65536 + 2), NULL);
    CHECK_STR(lsuit_name_alg(65536 - 7), NULL);
}

/* Whole points, from the files of the keys; any other begin is another key. */
static void published(void)
{
    static const char *const POINTS[] = {
        "048496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad"
        "3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896",
        "040c188f91f3cbcd056bae0e4df3a003596a2295f795b415d04de97e3691e22914"
        "fe0eb728c827ed0913d513bd5b2664c74aba69d867e84ec4e5bd266d9b0f8315",
        "045886cd61dd875862e5aaa820e7a15274c968a9bc96048ddcace32f50c3651ba3"
        "9eed8125e932cd60c0ead3650d0a485cf726d378d1b016ed4298b2961e258f1b",
    };
    uint8_t point[LSUIT_P256_POINT_LEN];
    struct lsuit_key key = { LSUIT_KEY_P256, { point, sizeof point }, { NULL, 0 } };

    for (size_t i = 0; i < N(POINTS); i++) {
        check_case(POINTS[i]);
        CHECK_UINT(check_hex(POINTS[i], point, sizeof point), sizeof point);
        CHECK(lsuit_key_is_published(&key));
        for (size_t at = 1; at <= 16; at++) {
            point[at] ^= 1;
            CHECK(!lsuit_key_is_published(&key));
            point[at] ^= 1;
        }
        key.type = LSUIT_KEY_HMAC256;
        CHECK(!lsuit_key_is_published(&key));
        key.type = LSUIT_KEY_P256;
        key.material.len--;
        CHECK(!lsuit_key_is_published(&key));
        key.material.len++;
    }
}

int main(void)
{
    names();
    published();
    return check_done();
}
