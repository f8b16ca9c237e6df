/*
 * Judging the other kinds: foreign envelopes, older drafts, encryption infos.
 */
#include "suit_case.h"

#include "lsuit/decrypt.h"

#include <string.h>

/* Refused for lack of something: skipped when it is named. */
static enum suit_verdict refused(struct suit_case *k, enum lsuit_err e)
{
    const char *what = suit_needs(k, e);

    if (suit_unsupported(e) && what != NULL)
        return suit_say(k, SUIT_SKIP, "needs %s (%s)", what, lsuit_err_name(e));
    return suit_say(k, SUIT_FAIL, "refused: %s, %s, %s", lsuit_err_name(e),
                    what != NULL ? what : "(not named)", k->fault.why != NULL ? k->fault.why : "");
}

/* What nobody signed must be refused for that, and decode nevertheless. */
static enum suit_verdict judge_unsigned(struct suit_case *k, struct lsuit_bytes doc)
{
    enum lsuit_err e = suit_admit(k, doc, 0);

    if (e == LSUIT_OK)
        return suit_say(k, SUIT_FAIL, "accepted without a signature");
    if (e != LSUIT_ERR_UNAUTHORISED)
        return refused(k, e);
    e = lsuit_envelope_read(doc, &k->envelope, &k->fault);
    if (e == LSUIT_OK)
        e = lsuit_envelope_trust_nobody(&k->envelope, &lsuit_crypto_psa, &k->fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_read(&k->envelope, &lsuit_crypto_psa, &k->manifest, &k->fault);
    if (e == LSUIT_OK)
        e = lsuit_manifest_check(&k->manifest, 0, &k->fault);
    return e == LSUIT_OK ? SUIT_PASS : refused(k, e);
}

/* As if every platform call succeeded: a dry run in which no component's bytes are known. */
static enum lsuit_err run_willing(struct suit_case *k, struct suit_device *d)
{
    static const enum lsuit_procedure PROCEDURES[] = { LSUIT_PROCEDURE_UPDATE,
                                                       LSUIT_PROCEDURE_INVOKE };
    struct lsuit_run run;
    uint8_t buf[64];
    enum lsuit_err e = lsuit_run_init(&run, &k->manifest, &SUIT_DEVICE_PLATFORM, d,
                                      &lsuit_crypto_psa, buf, sizeof buf);

    for (size_t i = 0; e == LSUIT_OK && i < sizeof PROCEDURES / sizeof PROCEDURES[0]; i++) {
        lsuit_run_start(&run, PROCEDURES[i], true);
        run.unknown = UINT32_MAX;
        e = lsuit_run_to_end(&run);
    }
    k->fault = run.fault;
    return e;
}

static enum suit_verdict judge_willing(struct suit_case *k, json_t *want)
{
    struct suit_device d = { .willing = true };
    enum lsuit_err e = run_willing(k, &d);
    const char *p = d.trace;
    bool stops = false;
    size_t i;
    json_t *line;

    json_array_foreach(want, i, line)
    {
        const char *text = json_string_value(line);
        size_t n = text != NULL ? strlen(text) : 0;

        stops = text != NULL && strncmp(text, "STOP", 4) == 0;
        if (stops)
            break;
        if (n == 0 || strncmp(p, text, n) != 0 || p[n] != '\n') {
            suit_device_fini(&d);
            return suit_say(k, SUIT_FAIL, "trace line %zu isn't \"%s\" (%s)", i + 1, text,
                            lsuit_err_name(e));
        }
        p += n + 1;
    }
    suit_device_fini(&d);
    if (*p != '\0')
        return suit_say(k, SUIT_FAIL, "the trace goes on after line %zu", i);
    if (stops != (e != LSUIT_OK))
        return suit_say(k, SUIT_FAIL, "%s at the end", lsuit_err_name(e));
    return SUIT_PASS;
}

enum suit_verdict suit_case_foreign(struct suit_case *k)
{
    json_t *want = json_object_get(k->doc, "expect");
    json_t *willing = json_object_get(want, "trace_if_every_platform_call_succeeds_slot0");
    struct lsuit_bytes doc = suit_file(k, json_string_value(json_object_get(k->doc, "file")));
    struct lsuit_text text;
    enum lsuit_err e;

    if (doc.ptr == NULL)
        return suit_say(k, SUIT_FAIL, "no such file");
    if (!json_is_true(json_object_get(want, "authenticates")))
        return judge_unsigned(k, doc);
    e = suit_admit(k, doc, 0);
    if (e == LSUIT_OK && k->manifest.text.bytes.ptr != NULL)
        e = lsuit_manifest_text(&k->manifest, (struct lsuit_bytes){ NULL, 0 }, &text, &k->fault);
    if (e != LSUIT_OK)
        return refused(k, e);
    if (json_object_get(k->doc, "exec") != NULL)
        return suit_case_exec(k, json_object_get(k->doc, "exec"));
    return willing != NULL ? judge_willing(k, willing) : SUIT_PASS;
}

enum suit_verdict suit_case_legacy(struct suit_case *k)
{
    json_t *want = json_object_get(k->doc, "expect");
    const char *result = json_string_value(json_object_get(want, "result"));
    const char *range = json_string_value(json_object_get(want, "draft_range"));
    struct lsuit_bytes doc = suit_file(k, json_string_value(json_object_get(k->doc, "file")));
    const char *guess;
    enum lsuit_err e;

    if (doc.ptr == NULL || result == NULL)
        return suit_say(k, SUIT_FAIL, "no such file, or no result");
    e = suit_admit(k, doc, 0);
    if (strcmp(result, "accepted") == 0 && lsuit_draft_guess(doc) != NULL)
        return suit_say(k, SUIT_FAIL, "taken for %s", lsuit_draft_guess(doc));
    if (strcmp(result, "accepted") == 0)
        return e == LSUIT_OK ? SUIT_PASS : refused(k, e);
    if (e == LSUIT_OK)
        return suit_say(k, SUIT_FAIL, "accepted");
    guess = lsuit_draft_guess(doc);
    if (range != NULL && (guess == NULL || strstr(guess, range) == NULL))
        return suit_say(k, SUIT_FAIL, "refused (%s) as of \"%s\" instead of %s", lsuit_err_name(e),
                        guess != NULL ? guess : "no draft", range);
    return SUIT_PASS;
}

/* Decrypt in pieces of n bytes; the plaintext goes to out. */
static enum lsuit_err decrypt(struct suit_case *k, const struct lsuit_decrypt_key *key,
                              struct lsuit_bytes info, struct lsuit_bytes sealed, size_t n,
                              uint8_t *out, size_t *len_out)
{
    static uint8_t buf[4096];
    struct lsuit_decrypt d;
    struct lsuit_bytes rest;
    size_t at = 0, wrote = 0;
    enum lsuit_err e =
        lsuit_decrypt_open(&d, &lsuit_crypto_psa, key, 1, info, buf, sizeof buf, &k->fault);

    *len_out = 0;
    if (e != LSUIT_OK)
        return e;
    for (; e == LSUIT_OK && at < sealed.len; at += n) {
        struct lsuit_bytes piece = { sealed.ptr + at, sealed.len - at < n ? sealed.len - at : n };

        e = lsuit_decrypt_update(&d, piece, out + *len_out, piece.len, &wrote);
        *len_out += wrote;
    }
    if (e == LSUIT_OK)
        e = lsuit_decrypt_finish(&d, &rest);
    else
        lsuit_decrypt_abort(&d);
    if (e == LSUIT_OK && rest.len > 0) {
        memcpy(out + *len_out, rest.ptr, rest.len);
        *len_out += rest.len;
    }
    return e;
}

/* COSE_Encrypt, a ciphertext apart from it, a key: the plaintext must come out, however cut. */
enum suit_verdict suit_case_encryption_info(struct suit_case *k)
{
    static uint8_t out[4096];
    struct lsuit_bytes info = suit_file(k, json_string_value(json_object_get(k->doc, "info")));
    struct lsuit_bytes sealed =
        suit_file(k, json_string_value(json_object_get(k->doc, "ciphertext")));
    struct lsuit_bytes want = suit_bytes(
        k, json_string_value(json_object_get(json_object_get(k->doc, "expect"), "plaintext")));
    struct lsuit_decrypt_key key;
    enum suit_verdict v = SUIT_PASS;

    if (info.ptr == NULL || sealed.ptr == NULL || want.ptr == NULL || sealed.len > sizeof out)
        return suit_say(k, SUIT_FAIL, "no such file, or no plaintext");
    if (!suit_key_decrypt(json_string_value(json_object_get(k->doc, "kek")),
                          json_string_value(json_object_get(k->doc, "ecdh_private_d")), &key))
        return suit_say(k, SUIT_FAIL, "no key");
    for (size_t n = 1; n <= sealed.len && v == SUIT_PASS; n++) {
        size_t len = 0;
        enum lsuit_err e = decrypt(k, &key, info, sealed, n, out, &len);

        if (e != LSUIT_OK)
            v = refused(k, e);
        else if (len != want.len || memcmp(out, want.ptr, len) != 0)
            v = suit_say(k, SUIT_FAIL, "another plaintext");
    }
    (void)psa_destroy_key(key.key);
    return v;
}
