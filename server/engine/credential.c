/* Credentials of operators, and the one token that makes the first. */

#include "base/bytes.h"
#include "base/log.h"
#include "engine/product.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BOOTSTRAP_MS = 60 * 60 * 1000 };
static const char SETTING[] = "bootstrap";

/* The setting: digest, then the end as 8 bytes. The digest stays after use, so that a second use
 * can be told from a wrong token. */
struct bootstrap {
    uint8_t digest[32];
    int64_t end_ms; /* 0: used */
};

enum err credential_make(struct db *db, const struct actor *actor, int64_t now_ms,
                         struct credential *c, char text_out[TOKEN_TEXT])
{
    char target[40];
    bool used = false;
    enum err e = credential_name_used(db, c->name, &used);

    if (e == ERR_OK && used)
        return FAIL_FIELD(ERR_CONFLICT, "name", "a token of this name is in use");
    if (e == ERR_OK)
        e = token_make(text_out, c->digest);
    c->created_ms = now_ms;
    if (e == ERR_OK)
        e = credential_add(db, c);
    snprintf(target, sizeof target, "token/%d", c->id);
    return e == ERR_OK ? engine_audit(db, actor, now_ms, "token.make", target, c->name) : e;
}

enum err credential_end(struct db *db, const struct actor *actor, int64_t now_ms, int32_t id)
{
    struct credential c;
    int64_t admins = 0;
    char target[40];
    enum err e = credential_by_id(db, id, &c);

    if (e != ERR_OK || c.revoked_ms != 0)
        return e;
    e = credential_admins(db, now_ms, &admins);
    if (e == ERR_OK && c.role == ROLE_ADMIN && admins <= 1 &&
        (c.expires_ms == 0 || c.expires_ms > now_ms))
        return FAIL(ERR_CONFLICT, "the last admin token");
    if (e == ERR_OK)
        e = credential_revoke(db, id, now_ms);
    snprintf(target, sizeof target, "token/%d", id);
    return e == ERR_OK ? engine_audit(db, actor, now_ms, "token.revoke", target, c.name) : e;
}

enum err credential_check(struct engine *en, const uint8_t digest[32], int64_t now_ms,
                          struct actor *actor_out)
{
    struct db *db = store_reader(en->store);
    struct credential c;
    enum err e = db == NULL ? ERR_DB : credential_by_digest(db, digest, &c);

    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && (!bytes_equal_secret(c.digest, digest, 32) || c.revoked_ms != 0 ||
                         (c.expires_ms != 0 && c.expires_ms <= now_ms))))
        return ERR_UNAUTHORIZED;
    if (e != ERR_OK)
        return e;
    actor_out->credential = c.id;
    actor_out->role = c.role;
    memcpy(actor_out->name, c.name, sizeof actor_out->name);
    memcpy(actor_out->products, c.products, sizeof actor_out->products);
    return ERR_OK;
}

bool actor_reaches(const struct actor *actor, const char *product)
{
    char want[PRODUCT_NAME + 3];

    if (actor->products[0] == '\0')
        return true;
    snprintf(want, sizeof want, " %s ", product);
    return strstr(actor->products, want) != NULL;
}

/* --- Bootstrap --- */

static enum err bootstrap_get(struct db *db, struct bootstrap *b)
{
    uint8_t raw[40];
    size_t n = 0;
    enum err e = setting_get(db, SETTING, raw, sizeof raw, &n);

    if (e == ERR_OK && n != sizeof raw)
        return FAIL(ERR_DB, "setting %s is damaged", SETTING);
    if (e == ERR_OK) {
        memcpy(b->digest, raw, 32);
        memcpy(&b->end_ms, raw + 32, 8);
    }
    return e;
}

static enum err bootstrap_put(struct db *db, const struct bootstrap *b)
{
    uint8_t raw[40];

    memcpy(raw, b->digest, 32);
    memcpy(raw + 32, &b->end_ms, 8);
    return setting_put(db, SETTING, raw, sizeof raw);
}

static void path_of(const struct engine *en, char out[4096])
{
    snprintf(out, 4096, "%s/bootstrap-token", en->config.data_dir);
}

/* A new file each time, so that the mode is right whatever was there. */
static enum err write_file(const struct engine *en, const char *token)
{
    char path[4096], line[TOKEN_TEXT + 1];
    size_t n = (size_t)snprintf(line, sizeof line, "%s\n", token);
    enum err e = ERR_OK;
    int fd;

    path_of(en, path);
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, n) != (ssize_t)n || fsync(fd) < 0)
        e = FAIL(ERR_IO, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    bytes_wipe(line, sizeof line);
    if (e == ERR_OK)
        LOG_INFO("bootstrap token, good for one use within an hour: %s", path);
    return e;
}

struct making {
    int64_t now_ms;
    struct bootstrap b;
};

static enum err make_run(void *ctx, struct db *db)
{
    struct making *m = ctx;
    int64_t admins = 0;
    enum err e = credential_admins(db, m->now_ms, &admins);

    if (e == ERR_OK && admins > 0)
        return FAIL(ERR_CONFLICT, "an admin token exists");
    return e == ERR_OK ? bootstrap_put(db, &m->b) : e;
}

enum err bootstrap_make(struct engine *en, int64_t now_ms)
{
    struct making m = { .now_ms = now_ms, .b = { .end_ms = now_ms + BOOTSTRAP_MS } };
    char token[TOKEN_TEXT];
    enum err e = token_make(token, m.b.digest);

    if (e == ERR_OK)
        e = store_write(en->store, make_run, &m);
    if (e == ERR_OK)
        e = write_file(en, token);
    bytes_wipe(token, sizeof token);
    return e;
}

enum err bootstrap_use(struct engine *en, struct db *db, const uint8_t digest[32], int64_t now_ms,
                       struct credential *c, char text_out[TOKEN_TEXT])
{
    struct bootstrap b;
    struct actor actor = { .name = "bootstrap" };
    enum err e = bootstrap_get(db, &b);

    (void)en;
    if (e == ERR_NOT_FOUND || (e == ERR_OK && !bytes_equal_secret(b.digest, digest, 32)))
        return ERR_UNAUTHORIZED;
    if (e != ERR_OK)
        return e;
    if (b.end_ms == 0)
        return FAIL(ERR_GONE, "the bootstrap token was used");
    if (b.end_ms <= now_ms)
        return FAIL(ERR_GONE, "the bootstrap token is over an hour old: lapeld --bootstrap");
    c->role = ROLE_ADMIN;
    e = credential_make(db, &actor, now_ms, c, text_out);
    b.end_ms = 0;
    return e == ERR_OK ? bootstrap_put(db, &b) : e;
}

void bootstrap_clean(struct engine *en)
{
    char path[4096];

    path_of(en, path);
    unlink(path);
}

enum err bootstrap_start(struct engine *en, int64_t now_ms)
{
    struct db *db = store_reader(en->store);
    struct bootstrap b = { .end_ms = 0 };
    int64_t admins = 0;
    char path[4096];
    enum err e = db == NULL ? ERR_DB : credential_admins(db, now_ms, &admins);

    if (e != ERR_OK || admins > 0)
        return e;
    e = bootstrap_get(db, &b);
    path_of(en, path);
    if (e == ERR_OK && b.end_ms > now_ms && access(path, R_OK) == 0)
        return ERR_OK; /* the one from before is still good */
    return e == ERR_OK || e == ERR_NOT_FOUND ? bootstrap_make(en, now_ms) : e;
}
