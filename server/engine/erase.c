#include "engine/erase.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "store/credential.h"
#include "store/device.h"
#include "store/product.h"
#include "trust/online.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 2 * KEYED_HASH + 1 };

/* How many lines of the list this database knows of. */
#define SETTING "erased"

struct waiting {
    int32_t device; /* 0: free */
    int64_t until_ms;
    uint8_t nonce[ERASE_NONCE];
};

struct erase {
    char *list_file;
    uint8_t key[KEYED_HASH];
    uint64_t lines; /* of the list; the writer's */
    pthread_mutex_t lock;
    struct waiting waiting[ERASE_WAITING];
};

/* --- The files --- */

static enum err count_lines(struct erase *er)
{
    struct stat st;

    if (stat(er->list_file, &st) < 0)
        return errno == ENOENT ? ERR_OK : FAIL(ERR_IO, "%s: %s", er->list_file, strerror(errno));
    if (st.st_size % LINE != 0) /* the last one was never whole, so nothing was erased for it */
        LOG_WARN("%s: %lld bytes at the end are cut off", er->list_file,
                 (long long)(st.st_size % LINE));
    if (st.st_size % LINE != 0 && truncate(er->list_file, st.st_size - st.st_size % LINE) < 0)
        return FAIL(ERR_IO, "%s: %s", er->list_file, strerror(errno));
    er->lines = (uint64_t)st.st_size / LINE;
    return ERR_OK;
}

static enum err open_key(struct erase *er, const char *key_file)
{
    char text[2 * KEYED_HASH + 2];
    size_t n = 0;
    enum err e = file_get_secret(key_file, text, sizeof text, &n);

    if (e == ERR_NOT_FOUND && er->lines > 0)
        return FAIL(ERR_CONFIG, "%s is missing: without it %s can't be applied", key_file,
                    er->list_file);
    if (e == ERR_NOT_FOUND) {
        bytes_random(er->key, sizeof er->key);
        bytes_to_hex(er->key, sizeof er->key, text);
        e = file_put(key_file, text, 2 * KEYED_HASH, 0600);
    } else if (e == ERR_OK && !bytes_from_hex(text, n, er->key, sizeof er->key)) {
        e = FAIL(ERR_CONFIG, "%s: not 64 hex digits", key_file);
    }
    bytes_wipe(text, sizeof text);
    return e;
}

enum err erase_open(const char *list_file, const char *key_file, struct erase **erase_out)
{
    struct erase *er = calloc(1, sizeof *er);
    enum err e;

    if (er == NULL || (er->list_file = strdup(list_file)) == NULL) {
        free(er);
        return FAIL(ERR_MEMORY, "erase list");
    }
    pthread_mutex_init(&er->lock, NULL);
    e = count_lines(er);
    if (e == ERR_OK)
        e = open_key(er, key_file);
    if (e != ERR_OK) {
        erase_close(er);
        return e;
    }
    *erase_out = er;
    return ERR_OK;
}

void erase_close(struct erase *er)
{
    if (er == NULL)
        return;
    pthread_mutex_destroy(&er->lock);
    bytes_wipe(er->key, sizeof er->key);
    free(er->list_file);
    free(er);
}

/* --- Nonces --- */

/* The entry of this device, or the one that ends first: free ones ended at 0. */
static struct waiting *entry_of(struct erase *er, int32_t device)
{
    struct waiting *first = &er->waiting[0];

    for (size_t i = 0; i < ERASE_WAITING; i++) {
        if (er->waiting[i].device == device)
            return &er->waiting[i];
        if (er->waiting[i].until_ms < first->until_ms)
            first = &er->waiting[i];
    }
    return first;
}

void erase_nonce(struct erase *er, int32_t device, int64_t now_ms, uint8_t nonce_out[ERASE_NONCE])
{
    struct waiting *w;

    pthread_mutex_lock(&er->lock);
    w = entry_of(er, device);
    w->device = device;
    w->until_ms = now_ms + ERASE_NONCE_MS;
    bytes_random(w->nonce, sizeof w->nonce);
    memcpy(nonce_out, w->nonce, sizeof w->nonce);
    pthread_mutex_unlock(&er->lock);
}

bool erase_fits(struct erase *er, int32_t device, struct lsuit_bytes nonce, int64_t now_ms)
{
    struct waiting *w;
    bool good;

    pthread_mutex_lock(&er->lock);
    w = entry_of(er, device);
    good = w->device == device && now_ms < w->until_ms && nonce.len == sizeof w->nonce &&
           bytes_equal_secret(w->nonce, nonce.ptr, sizeof w->nonce);
    pthread_mutex_unlock(&er->lock);
    return good;
}

/* --- The list --- */

static enum err hash_of(const struct erase *er, const char *product, const char *device,
                        uint8_t hash_out[KEYED_HASH])
{
    char both[PRODUCT_NAME + DEVICE_NAME];
    size_t n = strlen(product) + 1; /* the zero byte stands between the two */

    memcpy(both, product, n);
    memcpy(both + n, device, strlen(device));
    return keyed_hash(er->key, (struct lsuit_bytes){ (uint8_t *)both, n + strlen(device) },
                      hash_out);
}

static enum err put_known(struct db *db, uint64_t lines)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)lines);
    return setting_put(db, SETTING, text, strlen(text));
}

static enum err get_known(struct db *db, uint64_t *lines_out)
{
    char text[24] = "";
    size_t n = 0;
    enum err e = setting_get(db, SETTING, text, sizeof text - 1, &n);

    *lines_out = strtoull(text, NULL, 10);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err erase_note(struct erase *er, struct db *db, const char *product, const char *device)
{
    uint8_t hash[KEYED_HASH];
    char line[LINE + 1];
    enum err e = hash_of(er, product, device, hash);

    if (e != ERR_OK)
        return e;
    bytes_to_hex(hash, sizeof hash, line);
    line[LINE - 1] = '\n';
    e = file_append(er->list_file, line, LINE, 0600);
    if (e != ERR_OK)
        return e;
    er->lines++;
    return put_known(db, er->lines);
}

/* --- Applying it --- */

struct apply {
    struct erase *er;
    struct db *db;
    uint8_t (*hash)[KEYED_HASH]; /* sorted */
    size_t n;
    const struct product *product;
    char (*name)[DEVICE_NAME]; /* whom to forget, of this product */
    size_t name_n, name_room;
    unsigned count;
    enum err err;
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, KEYED_HASH);
}

static bool read_line(FILE *f, uint8_t hash_out[KEYED_HASH])
{
    char line[LINE];

    return fread(line, 1, LINE, f) == LINE && bytes_from_hex(line, LINE - 1, hash_out, KEYED_HASH);
}

static enum err read_list(struct apply *a, uint64_t from)
{
    FILE *f = fopen(a->er->list_file, "re");
    enum err e = ERR_OK;

    a->n = (size_t)(a->er->lines - from);
    a->hash = calloc(a->n, sizeof *a->hash);
    if (f == NULL || a->hash == NULL || fseek(f, (long)(from * LINE), SEEK_SET) != 0)
        e = FAIL(ERR_IO, "%s can't be read", a->er->list_file);
    for (size_t i = 0; e == ERR_OK && i < a->n; i++)
        if (!read_line(f, a->hash[i]))
            e = FAIL(ERR_CONFIG, "%s: line %llu is no hash", a->er->list_file,
                     (unsigned long long)(from + i + 1));
    if (f != NULL)
        fclose(f);
    if (e == ERR_OK)
        qsort(a->hash, a->n, sizeof *a->hash, compare);
    return e;
}

static bool look_at_device(void *ctx, const struct device *d)
{
    struct apply *a = ctx;
    uint8_t hash[KEYED_HASH];

    a->err = hash_of(a->er, a->product->name, d->name, hash);
    if (a->err != ERR_OK || bsearch(hash, a->hash, a->n, sizeof *a->hash, compare) == NULL)
        return a->err == ERR_OK;
    if (a->name_n == a->name_room) {
        size_t room = a->name_room == 0 ? 16 : a->name_room * 2;
        void *more = realloc(a->name, room * sizeof *a->name);

        if (more == NULL) {
            a->err = FAIL(ERR_MEMORY, "erase list");
            return false;
        }
        a->name = more;
        a->name_room = room;
    }
    memcpy(a->name[a->name_n++], d->name, DEVICE_NAME);
    return true;
}

static enum err forget_named(struct apply *a)
{
    struct device d;
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < a->name_n; i++) {
        e = device_by_name(a->db, a->product->id, a->name[i], &d);
        if (e == ERR_OK)
            e = device_forget(a->db, d.id);
        a->count += e == ERR_OK;
    }
    a->name_n = 0;
    return e;
}

static bool look_at_product(void *ctx, const struct product *p)
{
    struct apply *a = ctx;
    enum err e;

    a->product = p;
    e = device_list(a->db, p->id, "", DEVICE_ALL, INT32_MAX, look_at_device, a);
    if (e == ERR_OK)
        e = a->err;
    if (e == ERR_OK)
        e = forget_named(a);
    a->err = e;
    return e == ERR_OK;
}

enum err erase_apply(struct erase *er, struct db *db, unsigned *count_out)
{
    struct apply a = { .er = er, .db = db };
    uint64_t known = 0;
    enum err e = get_known(db, &known);

    *count_out = 0;
    if (e != ERR_OK || known >= er->lines)
        return e;
    e = read_list(&a, known);
    if (e == ERR_OK)
        e = product_list(db, "", INT32_MAX, look_at_product, &a);
    if (e == ERR_OK)
        e = a.err;
    if (e == ERR_OK)
        e = put_known(db, er->lines);
    *count_out = a.count;
    free(a.hash);
    free(a.name);
    return e;
}
