/*
 * Names for people, as the drafts write them. Texts only: a build without them links none.
 */
#include "lsuit/suit.h"

struct name {
    int16_t code;
    const char *text;
};

static const char *find(const struct name *names, size_t n, int64_t code)
{
    for (size_t i = 0; i < n; i++) {
        if (names[i].code == code)
            return names[i].text;
    }
    return NULL;
}

#define FIND(table, code) find(table, sizeof(table) / sizeof(table)[0], code)

const char *lsuit_name_envelope_key(int64_t key)
{
    static const struct name NAMES[] = {
        { 1, "suit-delegation" },
        { 2, "suit-authentication-wrapper" },
        { 3, "suit-manifest" },
        { 14, "suit-coswid" },
        { 15, "suit-dependency-resolution" },
        { 16, "suit-payload-fetch" },
        { 18, "suit-candidate-verification" },
        { 20, "suit-install" },
        { 23, "suit-text" },
    };

    return FIND(NAMES, key);
}

const char *lsuit_name_manifest_key(int64_t key)
{
    static const struct name NAMES[] = {
        { 1, "suit-manifest-version" },
        { 2, "suit-manifest-sequence-number" },
        { 3, "suit-common" },
        { 4, "suit-reference-uri" },
        { 5, "suit-manifest-component-id" },
        { 6, "suit-set-version" },
        { 7, "suit-validate" },
        { 8, "suit-load" },
        { 9, "suit-invoke" },
        { 14, "suit-coswid" },
        { 15, "suit-dependency-resolution" },
        { 16, "suit-payload-fetch" },
        { 18, "suit-candidate-verification" },
        { 20, "suit-install" },
        { 23, "suit-text" },
        { 24, "suit-uninstall" },
        { 25, "suit-mud" },
    };

    return FIND(NAMES, key);
}

const char *lsuit_name_common_key(int64_t key)
{
    static const struct name NAMES[] = {
        { 1, "suit-dependencies" },
        { 2, "suit-components" },
        { 4, "suit-shared-sequence" },
    };

    return FIND(NAMES, key);
}

const char *lsuit_name_command(int64_t code)
{
    static const struct name NAMES[] = {
        { 1, "condition-vendor-identifier" },
        { 2, "condition-class-identifier" },
        { 3, "condition-image-match" },
        { 4, "condition-use-before" },
        { 5, "condition-component-slot" },
        { 6, "condition-check-content" },
        { 7, "condition-dependency-integrity" },
        { 8, "condition-is-dependency" },
        { 11, "directive-process-dependency" },
        { 12, "directive-set-component-index" },
        { 14, "condition-abort" },
        { 15, "directive-try-each" },
        { 18, "directive-write" },
        { 19, "directive-set-parameters" },
        { 20, "directive-override-parameters" },
        { 21, "directive-fetch" },
        { 22, "directive-copy" },
        { 23, "directive-invoke" },
        { 24, "condition-device-identifier" },
        { 25, "condition-image-not-match" },
        { 26, "condition-minimum-battery" },
        { 27, "condition-update-authorized" },
        { 28, "condition-version" },
        { 29, "directive-wait" },
        { 31, "directive-swap" },
        { 32, "directive-run-sequence" },
        { 33, "directive-unlink" },
        { 34, "directive-override-multiple" },
        { 35, "directive-copy-params" },
    };

    return code < -256 ? "command-custom" : FIND(NAMES, code);
}

const char *lsuit_name_parameter(int64_t key)
{
    static const struct name NAMES[] = {
        { 1, "parameter-vendor-identifier" },
        { 2, "parameter-class-identifier" },
        { 3, "parameter-image-digest" },
        { 4, "parameter-use-before" },
        { 5, "parameter-component-slot" },
        { 12, "parameter-strict-order" },
        { 13, "parameter-soft-failure" },
        { 14, "parameter-image-size" },
        { 18, "parameter-content" },
        { 19, "parameter-encryption-info" },
        { 21, "parameter-uri" },
        { 22, "parameter-source-component" },
        { 23, "parameter-invoke-args" },
        { 24, "parameter-device-identifier" },
        { 25, "parameter-fetch-arguments" },
        { 26, "parameter-minimum-battery" },
        { 27, "parameter-update-priority" },
        { 28, "parameter-version" },
        { 29, "parameter-wait-info" },
        { 30, "parameter-component-metadata" },
    };

    return key < 0 ? "parameter-custom" : FIND(NAMES, key);
}

const char *lsuit_name_text_key(int64_t key)
{
    static const struct name NAMES[] = {
        { 1, "manifest-description" },
        { 2, "update-description" },
        { 3, "manifest-json-source" },
        { 4, "manifest-yaml-source" },
        { -1, "risks-removed" },
        { -2, "advisories" },
        { -3, "downtime" },
        { -4, "disrupts" },
    };

    return FIND(NAMES, key);
}

const char *lsuit_name_text_component_key(int64_t key)
{
    static const struct name NAMES[] = {
        { 1, "vendor-name" },           { 2, "model-name" },
        { 3, "vendor-domain" },         { 4, "model-info" },
        { 5, "component-description" }, { 6, "component-version" },
        { 7, "version-required" },      { 8, "current-version" },
    };

    return FIND(NAMES, key);
}

const char *lsuit_name_alg(int64_t alg)
{
    static const struct name NAMES[] = {
        { 5, "HMAC 256/256" }, { -7, "ES256" },       { -8, "EdDSA" },    { -9, "ESP256" },
        { -14, "SHA-1" },      { -15, "SHA-256/64" }, { -16, "SHA-256" }, { -18, "SHAKE128" },
        { -19, "Ed25519" },    { -43, "SHA-384" },    { -44, "SHA-512" }, { -45, "SHAKE256" },
        { -46, "HSS-LMS" },
    };

    return FIND(NAMES, alg);
}
