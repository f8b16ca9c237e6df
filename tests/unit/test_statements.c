/* Statements: what they say, that numbers never fall, when they are signed. */

#include "base/file.h"
#include "check.h"
#include "engine/statement.h"

#include <sys/stat.h>
#include <unistd.h>

enum { NOW = 1790000000 }; /* seconds; the cases count in milliseconds from there */

static char dir[64], number_file[100], key_file[100];
static struct online *online;
static struct statements *all, *left; /* left: one whose end never came */
static struct lsuit_statement st;
static struct statement made;

static struct snap_product lamp = {
    .id = 1, .name = "lamp", .model = "EL-100", .poll_s = 3600, .support_end = 203206
};
static struct snap_release releases[8];
static struct snapshot snap = {
    .generation = 1, .products = &lamp, .products_n = 1, .releases = releases
};

static int64_t at(int64_t ms)
{
    return (int64_t)NOW * 1000 + ms;
}

static void open_all(int64_t now_ms, uint32_t stale_s)
{
    const struct statement_config config = { number_file, 60, stale_s };

    all = NULL;
    CHECK_INT(statements_open(&config, online, now_ms, &all), ERR_OK);
}

/* The next statement, read; its error. */
static enum err get(struct lsuit_bytes component, struct lsuit_bytes nonce, int64_t now_ms)
{
    struct lsuit_bytes doc;
    enum err e = statement_get(all, &snap, &lamp, component, nonce, now_ms, &made);

    memset(&st, 0, sizeof st);
    if (e == ERR_OK) {
        CHECK_INT(lsuit_doc_peek((struct lsuit_bytes){ made.bytes, made.n }, &doc), LSUIT_OK);
        CHECK_INT(lsuit_statement_read(doc, &st, NULL), LSUIT_OK);
        CHECK_UINT(st.number, made.number);
    }
    return e;
}

static const struct lsuit_bytes NONE = { NULL, 0 };

static void put(size_t i, int64_t sequence, enum release_state state, unsigned open)
{
    struct snap_release *r = &releases[i];

    memset(r, 0, sizeof *r);
    r->sequence = sequence;
    memset(r->digest, (int)sequence, sizeof r->digest);
    memset(r->salt, 0x5a, sizeof r->salt);
    r->state = state;
    r->waves_open = open;
    for (unsigned w = 0; w < open; w++)
        r->threshold[w] = (uint64_t)sequence << 32 | w;
    lamp.n = snap.releases_n = i + 1;
}

static void check_says(void)
{
    static const uint8_t MAIN[] = { 0x81, 0x41, 0x00 };
    const struct lsuit_bytes main_ = { MAIN, sizeof MAIN };

    check_case("with nothing offered it says just that");
    lamp.n = 0;
    CHECK_INT(get(NONE, NONE, at(0)), ERR_OK);
    CHECK_UINT(st.highest, 0);
    CHECK_INT(st.releases_n, 0);
    CHECK_INT(st.max_age_s, 60);
    CHECK_INT(st.stale_after_s, 7 * 86400);
    CHECK_INT(st.next_poll_s, 3600);
    CHECK_UINT(st.issued_s, NOW);
    CHECK_INT(lsuit_statement_support(&st, (struct lsuit_bytes){ (const uint8_t *)"EL-100", 6 }),
              203206);

    check_case("releases with state, salt, and the threshold of the last open wave");
    put(0, 48, RELEASE_OPEN, 2);
    put(1, 32, RELEASE_WITHDRAWN, 0);
    releases[0].nobody[0] = true;
    snap.generation++;
    CHECK_INT(get(NONE, NONE, at(1)), ERR_OK);
    CHECK_UINT(st.highest, 48);
    CHECK_INT(st.releases_n, 2);
    CHECK_UINT(st.releases[0].sequence, 48);
    CHECK_INT(st.releases[0].state, LSUIT_RELEASE_OPEN);
    CHECK_UINT(st.releases[0].threshold, UINT64_C(48) << 32 | 1);
    CHECK_INT(st.releases[1].state, LSUIT_RELEASE_WITHDRAWN);
    CHECK(!st.releases[1].has_threshold);
    check_case("a wave of nobody has no threshold");
    releases[0].nobody[1] = true;
    snap.generation++;
    CHECK_INT(get(NONE, NONE, at(2)), ERR_OK);
    CHECK(!st.releases[0].has_threshold);

    check_case("four at most, and one of them open when there is one");
    for (size_t i = 0; i < 6; i++)
        put(i, 96 - 16 * (int64_t)i, i < 5 ? RELEASE_HALTED : RELEASE_OPEN, 1);
    snap.generation++;
    CHECK_INT(get(NONE, NONE, at(3)), ERR_OK);
    CHECK_INT(st.releases_n, 4);
    CHECK_UINT(st.highest, 96);
    CHECK_UINT(st.releases[2].sequence, 64);
    CHECK_UINT(st.releases[3].sequence, 16);
    check_case("an open one among the four keeps its place");
    releases[1].state = RELEASE_OPEN;
    snap.generation++;
    CHECK_INT(get(NONE, NONE, at(4)), ERR_OK);
    CHECK_UINT(st.releases[3].sequence, 48);

    check_case("another component is another space");
    CHECK_INT(get(main_, NONE, at(5)), ERR_NOT_FOUND);
    memcpy(releases[2].component, MAIN, sizeof MAIN);
    releases[2].component_n = sizeof MAIN;
    snap.generation++;
    CHECK_INT(get(main_, NONE, at(5)), ERR_OK);
    CHECK_INT(st.releases_n, 1);
    CHECK_UINT(st.highest, 64);
}

static void check_numbers(void)
{
    const struct lsuit_bytes nonce = { (const uint8_t *)"0123456789abcdef", 16 };
    uint64_t before;

    check_case("it is signed once for its max-age");
    CHECK_INT(get(NONE, NONE, at(1000)), ERR_OK);
    before = st.number;
    CHECK_INT(get(NONE, NONE, at(59000)), ERR_OK);
    CHECK_UINT(st.number, before);
    CHECK_INT(get(NONE, NONE, at(62000)), ERR_OK);
    CHECK_UINT(st.number, before + 1);
    check_case("and anew when something changed");
    snap.generation++;
    CHECK_INT(get(NONE, NONE, at(62001)), ERR_OK);
    CHECK_UINT(st.number, before + 2);
    check_case("a thread with the snapshot before gets the newer one");
    snap.generation--;
    CHECK_INT(get(NONE, NONE, at(62002)), ERR_OK);
    CHECK_UINT(st.number, before + 2);
    snap.generation++;
    check_case("a nonce is in it, and takes no number");
    CHECK_INT(get(NONE, nonce, at(62003)), ERR_OK);
    CHECK_INT(lsuit_bytes_compare(st.nonce, nonce), 0);
    CHECK_UINT(st.number, before + 2);
    check_case("nonces are limited: one over it gets none, and later again");
    for (int i = 0; i < 3 * STATEMENT_NONCES_BURST; i++)
        CHECK_INT(get(NONE, nonce, at(62004)), ERR_OK);
    CHECK(st.nonce.ptr == NULL);
    CHECK_INT(get(NONE, nonce, at(62004 + 1000)), ERR_OK);
    CHECK(st.nonce.ptr != NULL);

    check_case("after a clean stop numbers go on");
    before = st.number;
    statements_close(all);
    open_all(at(0), 0);
    CHECK_INT(get(NONE, NONE, at(0)), ERR_OK);
    CHECK(st.number > before && st.number < before + 100000);
    check_case("after one without an end they rise");
    before = st.number;
    left = all; /* as a kill -9 leaves it */
    open_all(at(0), 0);
    CHECK_INT(get(NONE, NONE, at(0)), ERR_OK);
    CHECK(st.number > before);
    check_case("when the file is lost the clock is below nothing that was used");
    before = st.number;
    statements_close(all);
    CHECK(unlink(number_file) == 0);
    open_all(at(86400000), 5);
    CHECK_INT(get(NONE, NONE, at(86400000)), ERR_OK);
    CHECK(st.number > before);
    CHECK_INT(st.stale_after_s, 5);
    check_case("a number is on disk before it is used, and more are taken in time");
    for (int i = 0; i < 120000; i += 60000) {
        char text[30];
        size_t n = 0;

        statements_reserve(all);
        snap.generation++;
        CHECK_INT(get(NONE, NONE, at(86400001)), ERR_OK);
        CHECK_INT(file_get_secret(number_file, text, sizeof text, &n), ERR_OK);
        CHECK(strtoull(text, NULL, 10) > st.number);
    }
    statements_close(all);
    check_case("a file that holds no number is an error, not the number 0");
    CHECK_INT(file_put(number_file, "many\n", 5, 0600), ERR_OK);
    CHECK_INT(
        statements_open(&(struct statement_config){ number_file, 60, 0 }, online, at(0), &all),
        ERR_CONFIG);
    statements_close(left);
}

static void check_key(void)
{
    struct lsuit_bytes doc = { (const uint8_t *)"\xa0", 1 }, signed_ = { 0 }, payload;
    uint8_t buf[300], point[LSUIT_P256_POINT_LEN], id[TRUST_KEY_ID];
    struct lsuit_key key = { .type = LSUIT_KEY_P256, .material = { point, sizeof point } };
    struct online *again = NULL;
    char pem[PEM_TEXT];
    struct stat info;

    check_case("the key is made once, for its owner alone");
    CHECK(stat(key_file, &info) == 0 && (info.st_mode & 0777) == 0600);
    CHECK_INT(online_open(key_file, &again), ERR_OK);
    CHECK_INT(memcmp(online_key_id(again), online_key_id(online), TRUST_KEY_ID), 0);
    online_close(again);
    check_case("its public half verifies what it signs, and only as what it was signed for");
    online_public(online, pem);
    CHECK_INT(trust_pem(pem, strlen(pem), point, id), ERR_OK);
    CHECK_INT(memcmp(id, online_key_id(online), sizeof id), 0);
    CHECK_INT(online_sign(online, LSUIT_DOC_RECEIPT, doc, buf, sizeof buf, &signed_), ERR_OK);
    CHECK_INT(lsuit_doc_verify(LSUIT_DOC_RECEIPT, NONE, signed_, &lsuit_crypto_psa, &key, 1, NULL,
                               &payload),
              LSUIT_OK);
    CHECK_INT(lsuit_doc_verify(LSUIT_DOC_STATEMENT, NONE, signed_, &lsuit_crypto_psa, &key, 1, NULL,
                               &payload),
              LSUIT_ERR_UNAUTHORISED);
    check_case("a key that others may read is refused");
    CHECK(chmod(key_file, 0640) == 0);
    CHECK_INT(online_open(key_file, &again), ERR_CONFIG);
    check_case("so is what is no private key");
    CHECK_INT(file_put(key_file, pem, strlen(pem), 0600), ERR_OK);
    CHECK_INT(online_open(key_file, &again), ERR_CONFIG);
    check_case("HMAC-SHA256 of RFC 4231, case 2 with its key padded");
    uint8_t hmac_key[KEYED_HASH] = "Jefe", hash[KEYED_HASH];
    static const uint8_t WANT[4] = { 0x5b, 0xdc, 0xc1, 0x46 };
    CHECK_INT(
        keyed_hash(hmac_key,
                   (struct lsuit_bytes){ (const uint8_t *)"what do ya want for nothing?", 28 },
                   hash),
        ERR_OK);
    CHECK_INT(memcmp(hash, WANT, sizeof WANT), 0);
}

int main(void)
{
    char command[80];

    snprintf(dir, sizeof dir, "/tmp/lapel-statements-XXXXXX");
    if (mkdtemp(dir) == NULL || trust_start() != ERR_OK)
        return 1;
    snprintf(number_file, sizeof number_file, "%s/number", dir);
    snprintf(key_file, sizeof key_file, "%s/key.pem", dir);
    if (online_open(key_file, &online) != ERR_OK)
        return 1;
    check_case("numbers begin at the clock");
    open_all(at(0), 0);
    check_says();
    check_numbers();
    check_key();
    online_close(online);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command) != 0 ? 1 : check_done();
}
