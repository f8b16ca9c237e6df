#include "store/status.h"

#include <string.h>

enum err status_get(struct db *db, int32_t device, struct status *status_out)
{
    static const char SQL[] = "SELECT capability, auto_security, auto_feature, notifications,"
                              " postponed_ms, waiting, refused, at_ms FROM device_status"
                              " WHERE device = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    memset(status_out, 0, sizeof *status_out);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    e = db_step(q);
    if (e == ERR_OK) {
        status_out->has_capability = db_bytes(q, 0).len == sizeof status_out->capability;
        db_copy_bytes(q, 0, status_out->capability, sizeof status_out->capability);
        status_out->auto_security = (uint32_t)db_int(q, 1);
        status_out->auto_feature = (uint32_t)db_int(q, 2);
        status_out->notifications = (uint32_t)db_int(q, 3);
        status_out->postponed_ms = db_int(q, 4);
        status_out->waiting = (uint32_t)db_int(q, 5);
        status_out->refused = db_int(q, 6) != 0;
        status_out->at_ms = db_int(q, 7);
    }
    db_done(q);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Maps that no device has. */
static enum err capability_sweep(struct db *db)
{
    static const char SQL[] = "DELETE FROM capability WHERE NOT EXISTS (SELECT 1 FROM device_status"
                              " WHERE device_status.capability = capability.digest)";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    return e == ERR_OK ? db_run(q) : e;
}

enum err status_put(struct db *db, int32_t device, const struct status *s)
{
    static const char SQL[] =
        "INSERT INTO device_status (device, capability, auto_security, auto_feature,"
        " notifications, postponed_ms, waiting, refused, at_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (device) DO UPDATE SET capability = $2, auto_security = $3,"
        " auto_feature = $4, notifications = $5, postponed_ms = $6, waiting = $7, refused = $8,"
        " at_ms = $9";
    struct status before;
    struct db_query *q = NULL;
    enum err e = status_get(db, device, &before);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_bytes(q, 2, s->capability, s->has_capability ? sizeof s->capability : 0);
    db_bind_int(q, 3, s->auto_security);
    db_bind_int(q, 4, s->auto_feature);
    db_bind_int(q, 5, s->notifications);
    db_bind_int(q, 6, s->postponed_ms);
    db_bind_int(q, 7, s->waiting);
    db_bind_int(q, 8, s->refused);
    db_bind_int(q, 9, s->at_ms);
    e = db_run(q);
    if (e == ERR_OK && before.has_capability &&
        memcmp(before.capability, s->capability, sizeof s->capability) != 0)
        e = capability_sweep(db);
    return e;
}

enum err capability_get(struct db *db, const uint8_t digest[32], uint8_t *map_out, size_t *n_out)
{
    static const char SQL[] = "SELECT map FROM capability WHERE digest = $1";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_bytes(q, 1, digest, 32);
    e = db_step(q);
    if (e == ERR_OK && map_out != NULL) {
        struct lsuit_bytes map = db_bytes(q, 0);

        *n_out = map.len <= CAPABILITY_MAX ? map.len : 0;
        if (*n_out > 0)
            memcpy(map_out, map.ptr, *n_out);
    }
    db_done(q);
    return e;
}

enum err capability_put(struct db *db, const uint8_t digest[32], const void *map, size_t n,
                        int64_t now_ms)
{
    static const char SQL[] = "INSERT INTO capability (digest, map, at_ms) VALUES ($1, $2, $3)"
                              " ON CONFLICT (digest) DO NOTHING";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);

    if (e != ERR_OK)
        return e;
    db_bind_bytes(q, 1, digest, 32);
    db_bind_bytes(q, 2, map, n);
    db_bind_int(q, 3, now_ms);
    return db_run(q);
}

/* --- Rings: n rises, and what is too old goes. --- */

static enum err next_n(struct db *db, const char *sql, int32_t device, int64_t *n_out)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, sql, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    e = db_step(q);
    if (e == ERR_OK)
        *n_out = db_int(q, 0) + 1; /* NULL reads as 0 */
    db_done(q);
    return e;
}

static enum err delete_to(struct db *db, const char *sql, int32_t device, int64_t n)
{
    struct db_query *q = NULL;
    enum err e = db_query(db, sql, &q);

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_int(q, 2, n);
    return db_run(q);
}

static const char EVENT_DELETE[] = "DELETE FROM device_event WHERE device = $1 AND n <= $2";
static const char FAULT_DELETE[] = "DELETE FROM device_fault WHERE device = $1 AND n <= $2";

enum err event_add(struct db *db, int32_t device, const struct status_event *event)
{
    static const char LAST[] = "SELECT max(n) FROM device_event WHERE device = $1";
    static const char SQL[] = "INSERT INTO device_event (device, n, class, count, last_ms)"
                              " VALUES ($1, $2, $3, $4, $5)";
    struct db_query *q = NULL;
    int64_t n = 0;
    enum err e = next_n(db, LAST, device, &n);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_int(q, 2, n);
    db_bind_int(q, 3, event->class_);
    db_bind_int(q, 4, event->count);
    db_bind_int(q, 5, event->last_ms);
    e = db_run(q);
    return e == ERR_OK ? delete_to(db, EVENT_DELETE, device, n - EVENT_RING) : e;
}

enum err event_list(struct db *db, int32_t device, struct status_event *list_out, unsigned *n_out)
{
    static const char SQL[] = "SELECT class, count, last_ms FROM device_event WHERE device = $1"
                              " ORDER BY n DESC LIMIT 16";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);
    unsigned n = 0;

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    while (n < EVENT_RING && (e = db_step(q)) == ERR_OK)
        list_out[n++] = (struct status_event){ .class_ = (uint32_t)db_int(q, 0),
                                               .count = (uint32_t)db_int(q, 1),
                                               .last_ms = db_int(q, 2) };
    db_done(q);
    *n_out = n;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err fault_add(struct db *db, int32_t device, const struct status_fault *f)
{
    static const char LAST[] = "SELECT max(n) FROM device_fault WHERE device = $1";
    static const char SQL[] =
        "INSERT INTO device_fault (device, n, kind, place, sequence, detail, at_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)";
    struct db_query *q = NULL;
    int64_t n = 0;
    enum err e = next_n(db, LAST, device, &n);

    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    db_bind_int(q, 2, n);
    db_bind_int(q, 3, f->kind);
    db_bind_int(q, 4, (int64_t)f->where);
    if (f->has_sequence)
        db_bind_int(q, 5, f->sequence);
    else
        db_bind_null(q, 5);
    db_bind_bytes(q, 6, f->detail, f->detail_n);
    db_bind_int(q, 7, f->at_ms);
    e = db_run(q);
    return e == ERR_OK ? delete_to(db, FAULT_DELETE, device, n - FAULT_RING) : e;
}

enum err fault_list(struct db *db, int32_t device, struct status_fault *list_out, unsigned *n_out)
{
    static const char SQL[] = "SELECT kind, place, sequence, detail, at_ms FROM device_fault"
                              " WHERE device = $1 ORDER BY n DESC LIMIT 4";
    struct db_query *q = NULL;
    enum err e = db_query(db, SQL, &q);
    unsigned n = 0;

    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    while (n < FAULT_RING && (e = db_step(q)) == ERR_OK) {
        struct status_fault *f = &list_out[n++];
        struct lsuit_bytes detail = db_bytes(q, 3);

        memset(f, 0, sizeof *f);
        f->kind = (uint32_t)db_int(q, 0);
        f->where = (uint64_t)db_int(q, 1);
        f->has_sequence = !db_is_null(q, 2);
        f->sequence = db_int(q, 2);
        f->detail_n = detail.len <= sizeof f->detail ? detail.len : 0;
        if (f->detail_n > 0)
            memcpy(f->detail, detail.ptr, f->detail_n);
        f->at_ms = db_int(q, 4);
    }
    db_done(q);
    *n_out = n;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err status_forget(struct db *db, int32_t device)
{
    static const char SQL[] = "DELETE FROM device_status WHERE device = $1";
    struct db_query *q = NULL;
    enum err e = delete_to(db, EVENT_DELETE, device, INT64_MAX);

    if (e == ERR_OK)
        e = delete_to(db, FAULT_DELETE, device, INT64_MAX);
    if (e == ERR_OK)
        e = db_query(db, SQL, &q);
    if (e != ERR_OK)
        return e;
    db_bind_int(q, 1, device);
    e = db_run(q);
    return e == ERR_OK ? capability_sweep(db) : e;
}
