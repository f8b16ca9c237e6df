/*
 * suit-cases DIR...: run every case of the SUIT vectors in these folders through the library.
 *
 * A case is a *.json; the keys are found in DIR/../keys. A line for each case that fails or is
 * skipped, "N passed, N failed, N skipped" at the end. A case is skipped only when the library
 * itself refused it, by name, for something that this build lacks.
 *
 *   --sweep  disturb each full case that passes: yields, resets and failures at every place
 *
 * Exit 0: no case failed. 1: some did, or a folder has none. 2: wrong use.
 */
#include "suit_case.h"

#include <dirent.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    unsigned passed, failed, skipped;
} count;

static void report(const char *dir, const char *name, enum suit_verdict v, const char *reason)
{
    static const char *const WORDS[] = { [SUIT_FAIL] = "FAIL", [SUIT_SKIP] = "SKIP" };

    if (v == SUIT_PASS)
        count.passed++;
    else if (v == SUIT_FAIL)
        count.failed++;
    else
        count.skipped++;
    if (v != SUIT_PASS)
        printf("%s %s/%s: %s\n", WORDS[v], dir, name, reason);
}

/* "keys/name" in the case is DIR/../keys/name. False: a key can't be read. */
static bool keys_read(struct suit_case *k)
{
    json_t *list = json_object_get(k->doc, "trusted_keys");
    size_t i;
    json_t *path;

    json_array_foreach(list, i, path)
    {
        char full[4096];
        const char *name = json_string_value(path);
        const char *slash = name != NULL ? strrchr(name, '/') : NULL;

        if (name == NULL || k->keys_n == SUIT_CASE_KEYS)
            return false;
        snprintf(full, sizeof full, "%s/../keys/%s", k->dir, slash != NULL ? slash + 1 : name);
        if (!suit_key_read(full, &k->key[k->keys_n])) {
            suit_say(k, SUIT_FAIL, "can't read the key %s", full);
            return false;
        }
        k->trusted[k->keys_n] = k->key[k->keys_n].key;
        k->keys_n++;
    }
    return true;
}

/* The keys of the examples in draft-ietf-suit-firmware-encryption, for cases that name none. */
#define DRAFT_KEK "61616161616161616161616161616161"
#define DRAFT_ECDH "60fe6dd6d85d5740a5349b6f91267eeac5ba81b8cb53ee249e4b4eb102c476b3"

/* The keys that payloads of the case are encrypted to. */
static bool decrypt_keys_read(struct suit_case *k)
{
    const char *kek = json_string_value(json_object_get(k->doc, "device_kek_hex"));
    const char *path = json_string_value(json_object_get(k->doc, "device_ecdh_private_key"));
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    char full[4096];

    if (path != NULL) {
        snprintf(full, sizeof full, "%s/../keys/%s", k->dir, slash != NULL ? slash + 1 : path);
        return suit_key_decrypt(NULL, full, &k->decrypt[k->decrypt_n++]);
    }
    if (kek == NULL && !suit_key_decrypt(NULL, DRAFT_ECDH, &k->decrypt[k->decrypt_n++]))
        return false;
    return suit_key_decrypt(kek != NULL ? kek : DRAFT_KEK, NULL, &k->decrypt[k->decrypt_n++]);
}

static enum suit_verdict judge(struct suit_case *k, bool sweep)
{
    const char *kind = json_string_value(json_object_get(k->doc, "kind"));

    if (!keys_read(k))
        return SUIT_FAIL;
    if (!decrypt_keys_read(k))
        return suit_say(k, SUIT_FAIL, "can't read the key to decrypt with");
    if (kind == NULL)
        return suit_case_full(k, sweep);
    if (strcmp(kind, "full") == 0)
        return suit_case_full(k, sweep);
    if (strcmp(kind, "foreign") == 0)
        return suit_case_foreign(k);
    if (strcmp(kind, "legacy") == 0)
        return suit_case_legacy(k);
    if (strcmp(kind, "encryption-info") == 0)
        return suit_case_encryption_info(k);
    return suit_say(k, SUIT_FAIL, "a kind that is not known here: %s", kind);
}

static void run_case(const char *dir, const char *file, bool sweep)
{
    struct suit_case *k = calloc(1, sizeof *k);
    json_error_t error;
    char path[4096];
    enum suit_verdict v;

    if (k == NULL)
        abort();
    k->dir = dir;
    snprintf(path, sizeof path, "%s/%s", dir, file);
    k->doc = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(k->doc))
        v = suit_say(k, SUIT_FAIL, "no JSON object: %s", error.text);
    else
        v = judge(k, sweep);
    report(dir, file, v, k->reason);

    while (k->blobs != NULL) {
        struct suit_blob *next = k->blobs->next;

        free(k->blobs);
        k->blobs = next;
    }
    for (size_t i = 0; i < k->decrypt_n; i++)
        (void)psa_destroy_key(k->decrypt[i].key);
    json_decref(k->doc);
    free(k);
}

static int is_json(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

static void run_folder(const char *dir, bool sweep)
{
    struct dirent **list = NULL;
    int n = scandir(dir, &list, is_json, alphasort);

    if (n <= 0)
        report(dir, "", SUIT_FAIL, n < 0 ? "can't be read" : "has no case");
    for (int i = 0; i < n; i++) {
        run_case(dir, list[i]->d_name, sweep);
        free(list[i]);
    }
    free(list);
}

int main(int argc, char **argv)
{
    bool sweep = argc > 1 && strcmp(argv[1], "--sweep") == 0;
    int first = sweep ? 2 : 1;

    if (first >= argc || argv[first][0] == '-') {
        fprintf(stderr, "usage: suit-cases [--sweep] DIR...\n");
        return 2;
    }
    if (psa_crypto_init() != PSA_SUCCESS) {
        fprintf(stderr, "suit-cases: psa_crypto_init failed\n");
        return 1;
    }
    for (int i = first; i < argc; i++)
        run_folder(argv[i], sweep);
    if (sweep) {
        printf("disturbed: %lu yields, %lu resets, %lu failures\n", suit_disturbances.yields,
               suit_disturbances.resets, suit_disturbances.failures);
        if (suit_disturbances.yields == 0 || suit_disturbances.resets == 0 ||
            suit_disturbances.failures == 0)
            report("--sweep", "", SUIT_FAIL, "some disturbance never happened");
    }
    printf("%u passed, %u failed, %u skipped\n", count.passed, count.failed, count.skipped);
    return count.failed > 0 ? 1 : 0;
}
