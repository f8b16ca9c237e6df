/* Erasing: nonces, the list that outlives a database, and what a restored database loses again. */

#include "base/file.h"
#include "check.h"
#include "engine/erase.h"
#include "store/credential.h"
#include "store/device.h"
#include "store/product.h"
#include "trust/trust.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[64], list_file[100], key_file[100], db_file[100], copy_file[100];
static struct erase *erase;
static struct store *store;

static void shell(const char *verb, const char *a, const char *b)
{
    char command[300];

    snprintf(command, sizeof command, "%s %s %s", verb, a, b);
    if (system(command) != 0)
        exit(1);
}

static enum err fill_run(void *ctx, struct db *db)
{
    struct product p = { .id = 1, .name = "lamp", .vendor_domain = "example.com", .model = "EL" };
    static const char *const NAMES[] = { "a", "b", "c" };
    enum err e = product_put(db, &p);

    (void)ctx;
    for (size_t i = 0; e == ERR_OK && i < 3; i++) {
        struct device d = { .product = p.id, .created_ms = 1 };

        snprintf(d.name, sizeof d.name, "%s", NAMES[i]);
        e = device_add(db, &d);
    }
    return e;
}

static enum err note_run(void *ctx, struct db *db)
{
    struct device d;
    enum err e = device_by_name(db, 1, ctx, &d);

    if (e == ERR_OK)
        e = erase_note(erase, db, "lamp", ctx);
    return e == ERR_OK ? device_forget(db, d.id) : e;
}

static enum err apply_run(void *ctx, struct db *db)
{
    return erase_apply(erase, db, ctx);
}

static bool is_there(const char *name)
{
    struct device d;

    return device_by_name(store_reader(store), 1, name, &d) == ERR_OK;
}

static void start(unsigned *count_out)
{
    CHECK_INT(erase_open(list_file, key_file, &erase), ERR_OK);
    CHECK_INT(store_open(db_file, NULL, &store), ERR_OK);
    CHECK_INT(store_write(store, apply_run, count_out), ERR_OK);
}

static void end(void)
{
    store_close(store);
    erase_close(erase);
}

static void check_nonces(void)
{
    uint8_t first[ERASE_NONCE], second[ERASE_NONCE], other[ERASE_NONCE];
    const struct lsuit_bytes one = { first, sizeof first }, two = { second, sizeof second },
                             none = { NULL, 0 };

    check_case("a nonce is good for its device, and again when that failed");
    erase_nonce(erase, 1, 1000, first);
    CHECK(!erase_fits(erase, 2, one, 1001));
    CHECK(!erase_fits(erase, 1, none, 1001));
    CHECK(erase_fits(erase, 1, one, 1001));
    CHECK(erase_fits(erase, 1, one, 1002));
    check_case("the last one counts");
    erase_nonce(erase, 1, 1000, first);
    erase_nonce(erase, 1, 1001, second);
    CHECK(!erase_fits(erase, 1, one, 1002));
    CHECK(erase_fits(erase, 1, two, 1002));
    check_case("for ten minutes");
    erase_nonce(erase, 1, 1000, first);
    CHECK(!erase_fits(erase, 1, one, 1000 + ERASE_NONCE_MS));
    check_case("many who ask push out whoever asked first");
    erase_nonce(erase, 1, 1000, first);
    for (int32_t i = 2; i < ERASE_WAITING + 2; i++)
        erase_nonce(erase, i, 2000 + i, other);
    CHECK(!erase_fits(erase, 1, one, 3000));
    CHECK(erase_fits(erase, ERASE_WAITING + 1, (struct lsuit_bytes){ other, sizeof other }, 9000));
}

int main(void)
{
    unsigned count = 0;
    struct stat st;

    snprintf(dir, sizeof dir, "/tmp/lapel-erase-XXXXXX");
    if (mkdtemp(dir) == NULL || trust_start() != ERR_OK)
        return 1;
    snprintf(list_file, sizeof list_file, "%s/erased", dir);
    snprintf(key_file, sizeof key_file, "%s/erased.key", dir);
    snprintf(db_file, sizeof db_file, "%s/db", dir);
    snprintf(copy_file, sizeof copy_file, "%s/copy", dir);
    check_case("nothing was erased yet");
    start(&count);
    CHECK_INT(count, 0);
    CHECK_INT(store_write(store, fill_run, NULL), ERR_OK);
    check_nonces();
    end();
    shell("cp", db_file, copy_file); /* the backup, with a, b and c */
    start(&count);
    check_case("erased are two, and the list names neither");
    CHECK_INT(store_write(store, note_run, "a"), ERR_OK);
    CHECK_INT(store_write(store, note_run, "c"), ERR_OK);
    CHECK(!is_there("a") && is_there("b") && !is_there("c"));
    CHECK(stat(list_file, &st) == 0 && st.st_size == 2 * 65 && (st.st_mode & 077) == 0);
    CHECK(stat(key_file, &st) == 0 && (st.st_mode & 0777) == 0600);
    end();
    check_case("a start with the same database erases nobody");
    start(&count);
    CHECK_INT(count, 0);
    CHECK(is_there("b"));
    end();
    check_case("a database from before loses them again");
    shell("cp", copy_file, db_file);
    start(&count);
    CHECK_INT(count, 2);
    CHECK(!is_there("a") && is_there("b") && !is_there("c"));
    check_case("who is added again afterwards stays");
    CHECK_INT(store_write(store, note_run, "b"), ERR_OK);
    end();
    start(&count);
    CHECK_INT(count, 0);
    end();
    check_case("a line that was never whole is cut off");
    shell("printf abc >>", list_file, "");
    CHECK_INT(erase_open(list_file, key_file, &erase), ERR_OK);
    erase_close(erase);
    CHECK(stat(list_file, &st) == 0 && st.st_size == 3 * 65);
    check_case("a list without its key is an error");
    CHECK(unlink(key_file) == 0);
    CHECK_INT(erase_open(list_file, key_file, &erase), ERR_CONFIG);
    shell("rm -r", dir, "");
    return check_done();
}
