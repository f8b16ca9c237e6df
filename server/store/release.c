#include "store/release.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                \
    "id, product, vendor_id, class_id, component, sequence, digest, version, priority, state," \
    " offered, size, key_id, created_ms, length(envelope), length(sent)"

static void read_row(struct db_query *q, struct release *r)
{
    struct lsuit_bytes component = db_bytes(q, 4);

    memset(r, 0, sizeof *r);
    r->id = (int32_t)db_int(q, 0);
    r->product = (int32_t)db_int(q, 1);
    db_copy_bytes(q, 2, r->vendor_id, sizeof r->vendor_id);
    db_copy_bytes(q, 3, r->class_id, sizeof r->class_id);
    if (component.len > 0 && component.len <= sizeof r->component) {
        memcpy(r->component, component.ptr, component.len);
        r->component_n = component.len;
    }
    r->sequence = db_int(q, 5);
    db_copy_bytes(q, 6, r->digest, sizeof r->digest);
    db_copy_text(q, 7, r->version, sizeof r->version);
    r->has_priority = !db_is_null(q, 8);
    r->priority = db_int(q, 8);
    r->state = (enum release_state)db_int(q, 9);
    r->offered = db_int(q, 10) != 0;
    r->size = db_int(q, 11);
    db_copy_bytes(q, 12, r->key_id, sizeof r->key_id);
    r->created_ms = db_int(q, 13);
    r->envelope_size = db_int(q, 14);
    r->sent_size = db_int(q, 15);
}

static enum err one(struct db_query *q, struct release *release_out)
{
    enum err e = db_step(q);

    if (e == ERR_OK)
        read_row(q, release_out);
    db_done(q);
    return e;
}

enum err release_by_id(struct db *db, int32_t id, struct release *release_out)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM release WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    return one(q, release_out);
}

static void bind_space(struct db_query *q, const struct release *space)
{
    db_bind_bytes(q, 1, space->vendor_id, sizeof space->vendor_id);
    db_bind_bytes(q, 2, space->class_id, sizeof space->class_id);
    db_bind_bytes(q, 3, space->component, space->component_n);
}

enum err release_by_sequence(struct db *db, const struct release *space, int64_t sequence,
                             struct release *release_out)
{
    static const char SQL[] =
        "SELECT " COLUMNS " FROM release WHERE vendor_id = $1 AND class_id = $2"
        " AND component = $3 AND sequence = $4";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    bind_space(q, space);
    db_bind_int(q, 4, sequence);
    return one(q, release_out);
}

enum err release_highest_offered(struct db *db, const struct release *space, int64_t *sequence_out)
{
    static const char SQL[] = "SELECT coalesce(max(sequence), 0) FROM release WHERE vendor_id = $1"
                              " AND class_id = $2 AND component = $3 AND offered = 1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    bind_space(q, space);
    e = db_step(q);
    if (e == ERR_OK)
        *sequence_out = db_int(q, 0);
    db_done(q);
    return e;
}

static enum err add_payload(struct db *db, int32_t id, unsigned n, const struct payload *p)
{
    static const char SQL[] =
        "INSERT INTO release_payload (release, n, digest, size) VALUES ($1, $2, $3, $4)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_int(q, 2, n);
    db_bind_bytes(q, 3, p->digest, sizeof p->digest);
    db_bind_int(q, 4, p->size);
    return db_run(q);
}

enum err release_add(struct db *db, struct release *r, const struct release_bytes *b,
                     const struct payload *payloads, unsigned payloads_n)
{
    static const char NEXT[] = "SELECT max(id) FROM release";
    static const char SQL[] =
        "INSERT INTO release (vendor_id, class_id, component, id, product, sequence, digest,"
        " version, priority, state, offered, size, key_id, created_ms, envelope, sent, text,"
        " sent_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, $14, $15,"
        " $16, $17)";
    struct db_query *q = NULL;
    enum err e = db_next_id(db, NEXT, &r->id);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    bind_space(q, r);
    db_bind_int(q, 4, r->id);
    db_bind_int(q, 5, r->product);
    db_bind_int(q, 6, r->sequence);
    db_bind_bytes(q, 7, r->digest, sizeof r->digest);
    db_bind_text(q, 8, r->version);
    if (r->has_priority)
        db_bind_int(q, 9, r->priority);
    else
        db_bind_null(q, 9);
    db_bind_int(q, 10, (int64_t)r->state);
    db_bind_int(q, 11, r->size);
    db_bind_bytes(q, 12, r->key_id, sizeof r->key_id);
    db_bind_int(q, 13, r->created_ms);
    db_bind_bytes(q, 14, b->envelope.ptr, b->envelope.len);
    db_bind_bytes(q, 15, b->sent.ptr, b->sent.len);
    db_bind_bytes(q, 16, b->text.ptr, b->text.len);
    db_bind_bytes(q, 17, b->sent_hash, sizeof b->sent_hash);
    e = db_run(q);
    for (unsigned i = 0; e == ERR_OK && i < payloads_n; i++)
        e = add_payload(db, r->id, i, &payloads[i]);
    return e;
}

enum err release_rewrap(struct db *db, int32_t id, const struct release_bytes *b,
                        const uint8_t key_id[32])
{
    static const char SQL[] = "UPDATE release SET envelope = $2, sent = $3, text = $4,"
                              " sent_hash = $5, key_id = $6 WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_bytes(q, 2, b->envelope.ptr, b->envelope.len);
    db_bind_bytes(q, 3, b->sent.ptr, b->sent.len);
    db_bind_bytes(q, 4, b->text.ptr, b->text.len);
    db_bind_bytes(q, 5, b->sent_hash, sizeof b->sent_hash);
    db_bind_bytes(q, 6, key_id, 32);
    return db_run(q);
}

enum err release_set_state(struct db *db, int32_t id, enum release_state state)
{
    static const char SQL[] = "UPDATE release SET state = $2 WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    db_bind_int(q, 2, (int64_t)state);
    return db_run(q);
}

enum err release_set_offered(struct db *db, int32_t id)
{
    static const char SQL[] = "UPDATE release SET offered = 1 WHERE id = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    return db_run(q);
}

enum err release_list(struct db *db, int32_t product, int32_t before, int limit,
                      bool (*each)(void *ctx, const struct release *r), void *ctx)
{
    static const char SQL[] = "SELECT " COLUMNS " FROM release WHERE product = $1 AND id < $2"
                              " ORDER BY id DESC LIMIT $3";
    struct db_query *q = NULL;
    struct release r;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, product);
    db_bind_int(q, 2, before);
    db_bind_int(q, 3, limit);
    while ((e = db_step(q)) == ERR_OK) {
        read_row(q, &r);
        if (!each(ctx, &r))
            break;
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err number(struct db *db, const char *sql, int64_t *out)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, sql, &q);

    if (e != ERR_OK)
        return e;
    e = db_step(q);
    if (e == ERR_OK)
        *out = db_int(q, 0);
    db_done(q);
    return e;
}

enum err release_count(struct db *db, int64_t *count_out)
{
    static const char SQL[] = "SELECT count(*) FROM release";

    return number(db, SQL, count_out);
}

enum err release_payloads(struct db *db, int32_t id, struct payload *list_out, unsigned *n_out)
{
    static const char SQL[] = "SELECT digest, size FROM release_payload WHERE release = $1"
                              " ORDER BY n LIMIT 8";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);
    unsigned n = 0;

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    while (n < RELEASE_PAYLOADS && (e = db_step(q)) == ERR_OK) {
        db_copy_bytes(q, 0, list_out[n].digest, 32);
        list_out[n++].size = db_int(q, 1);
    }
    db_done(q);
    *n_out = n;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err release_read(struct db *db, int32_t id, enum release_which which, void **bytes_out,
                      size_t *n_out, uint8_t hash_out[32])
{
    static const char ENVELOPE[] = "SELECT envelope, sent_hash FROM release WHERE id = $1";
    static const char SENT[] = "SELECT sent, sent_hash FROM release WHERE id = $1";
    static const char TEXT[] = "SELECT text, sent_hash FROM release WHERE id = $1";
    const char *sql = which == RELEASE_ENVELOPE ? ENVELOPE : which == RELEASE_SENT ? SENT : TEXT;
    struct db_query *q = NULL;
    struct lsuit_bytes b;
    enum err e = db_query(db, sql, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, id);
    e = db_step(q);
    if (e == ERR_OK) {
        b = db_bytes(q, 0);
        *bytes_out = malloc(b.len + 1);
        *n_out = b.len;
        if (*bytes_out == NULL)
            e = FAIL(ERR_MEMORY, "%zu bytes", b.len);
        else if (b.len > 0)
            memcpy(*bytes_out, b.ptr, b.len);
        if (hash_out != NULL)
            db_copy_bytes(q, 1, hash_out, 32);
    }
    db_done(q);
    return e;
}

/* --- Payloads --- */

enum err artifact_row_get(struct db *db, const uint8_t digest[32], int64_t *size_out)
{
    static const char SQL[] = "SELECT size FROM artifact WHERE digest = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_bytes(q, 1, digest, 32);
    e = db_step(q);
    if (e == ERR_OK)
        *size_out = db_int(q, 0);
    db_done(q);
    return e;
}

enum err artifact_row_put(struct db *db, const uint8_t digest[32], int64_t size, int64_t now_ms)
{
    static const char SQL[] = "INSERT INTO artifact (digest, size, created_ms) VALUES ($1, $2, $3)"
                              " ON CONFLICT (digest) DO NOTHING";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_bytes(q, 1, digest, 32);
    db_bind_int(q, 2, size);
    db_bind_int(q, 3, now_ms);
    return db_run(q);
}

enum err artifact_row_sum(struct db *db, int64_t *bytes_out)
{
    static const char SQL[] = "SELECT coalesce(sum(size), 0) FROM artifact";

    return number(db, SQL, bytes_out);
}
