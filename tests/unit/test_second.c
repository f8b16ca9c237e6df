/*
 * The second opinion on a published envelope. Two readers that are right agree on every vector; so
 * libcbor is made to misread one value at a time, and each misreading must be noticed.
 */
#include "check.h"

#include <cbor.h>
#include <dirent.h>
#include <psa/crypto.h>

static struct {
    bool on;
    unsigned at;  /* the integer with this number, counted over all that is loaded, is misread */
    unsigned met; /* so far */
    bool done;
} misread;

static void misread_in(cbor_item_t *item)
{
    cbor_item_t *tagged;

    if (cbor_isa_uint(item) && misread.met++ == misread.at) {
        if (cbor_int_get_width(item) == CBOR_INT_8)
            cbor_set_uint8(item, cbor_get_uint8(item) ^ 1);
        misread.done = cbor_int_get_width(item) == CBOR_INT_8;
    }
    for (size_t i = 0; cbor_isa_array(item) && i < cbor_array_size(item); i++)
        misread_in(cbor_array_handle(item)[i]);
    for (size_t i = 0; cbor_isa_map(item) && i < cbor_map_size(item); i++) {
        misread_in(cbor_map_handle(item)[i].key);
        misread_in(cbor_map_handle(item)[i].value);
    }
    if (cbor_isa_tag(item)) {
        tagged = cbor_tag_item(item);
        misread_in(tagged);
        cbor_decref(&tagged);
    }
}

static cbor_item_t *load_misreading(cbor_data source, size_t n, struct cbor_load_result *result)
{
    cbor_item_t *item = cbor_load(source, n, result);

    if (item != NULL && misread.on)
        misread_in(item);
    return item;
}
#define cbor_load load_misreading
#include "trust/second.c"
#undef cbor_load

static uint8_t bytes[16384];

static struct lsuit_bytes file(const char *folder, const char *name)
{
    char path[300];
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, "%s/%.200s", folder, name);
    f = fopen(path, "rb");
    n = f != NULL ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f != NULL)
        fclose(f);
    return (struct lsuit_bytes){ bytes, n };
}

/* Would the server ask for a second opinion? Signatures aside. */
static bool strict_accepts(struct lsuit_bytes doc)
{
    struct lsuit_envelope env;
    struct lsuit_manifest m;

    return lsuit_envelope_read(doc, &env, NULL) == LSUIT_OK &&
           lsuit_envelope_trust_nobody(&env, &lsuit_crypto_psa, NULL) == LSUIT_OK &&
           env.digest.alg == LSUIT_ALG_SHA256 && /* the server takes no other */
           lsuit_manifest_read(&env, &lsuit_crypto_psa, &m, NULL) == LSUIT_OK &&
           lsuit_manifest_check(&m, 0, NULL) == LSUIT_OK;
}

static void check_vectors(const char *folder)
{
    struct trust_second second;
    struct dirent *entry;
    DIR *d = opendir(folder);
    unsigned asked = 0;

    while (d != NULL && (entry = readdir(d)) != NULL) {
        size_t n = strlen(entry->d_name);

        if (n < 5 || strcmp(entry->d_name + n - 5, ".suit") != 0)
            continue;
        struct lsuit_bytes doc = file(folder, entry->d_name);
        if (!strict_accepts(doc))
            continue;
        asked++;
        if (!CHECK_INT(trust_second_read(doc, &second), ERR_OK))
            printf("     %s\n", entry->d_name);
    }
    if (d != NULL)
        closedir(d);
    CHECK(asked >= 60);
}

static void check_misreading(const char *folder, const char *name)
{
    struct lsuit_bytes doc = file(folder, name);
    unsigned noticed = 0, missed = 0;

    CHECK(same_document(doc, 0));
    misread.on = true;
    for (misread.at = 0;; misread.at++) {
        bool same;

        misread.met = 0;
        misread.done = false;
        same = same_document(doc, 0);
        if (misread.met <= misread.at)
            break; /* there are not so many */
        noticed += misread.done && !same;
        missed += misread.done && same;
    }
    misread.on = false;
    CHECK(noticed > 40);
    CHECK_UINT(missed, 0);
}

/* Our cursor is asked before; these show that libcbor's own word counts too. */
static void check_refused(void)
{
    static const struct {
        const char *name, *hex;
    } ROWS[] = {
        { "nothing", "" },
        { "cut", "d86ba202" },
        { "a byte too many", "d86ba000" },
        { "another tag", "d86aa0" },
        { "no wrapper", "d86ba0" },
        { "no map", "80" },
        { "a wrapper without a digest", "a20241800340" },
    };
    struct trust_second second;

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t n = check_hex(ROWS[i].hex, bytes, sizeof bytes);

        check_case(ROWS[i].name);
        CHECK_INT(trust_second_read((struct lsuit_bytes){ bytes, n }, &second), ERR_MALFORMED);
    }
}

int main(void)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    check_case("agrees on every vector that our reader takes");
    check_vectors("tests/interop/vectors/exec");
    check_case("a misread value is noticed: one image");
    check_misreading("manifests/examples", "single.suit");
    check_case("a misread value is noticed: an image for each slot");
    check_misreading("manifests/examples", "ab.suit");
    check_case("a misread value is noticed: two components");
    check_misreading("manifests/examples", "two-components.suit");
    check_refused();
    return check_done();
}
