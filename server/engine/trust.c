#include "engine/trust.h"

#include "base/sha256.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum err trust_set_read(const struct trust_set *set, struct lsuit_trust *trust_out)
{
    struct lsuit_bytes doc = { set->document, set->document_n };
    struct lsuit_trust_doc parts;

    if (lsuit_trust_doc_read(doc, &parts, NULL) != LSUIT_OK ||
        lsuit_trust_read(parts.payload, trust_out, NULL) != LSUIT_OK)
        return FAIL(ERR_INTERNAL, "trust set %u can't be read", (unsigned)set->version);
    return ERR_OK;
}

struct scope {
    struct lsuit_bytes vendor_id, class_id;
    bool covers;
    enum err err;
};

static bool look(void *ctx, const struct trust_set *set)
{
    struct scope *s = ctx;
    struct lsuit_trust trust;
    struct lsuit_role role;
    uint32_t at = 0;

    s->err = trust_set_read(set, &trust);
    if (s->err != ERR_OK)
        return false;
    s->covers = lsuit_trust_find(&trust, LSUIT_ROLE_RELEASE, s->vendor_id, s->class_id, &at, &role);
    return !s->covers;
}

enum err trust_set_covers(struct db *db, const uint8_t vendor_id[16], const uint8_t class_id[16],
                          bool *covers_out)
{
    struct scope s = { { vendor_id, 16 }, { class_id, 16 }, false, ERR_OK };
    enum err e = trust_set_list(db, 0, INT_MAX, look, &s);

    *covers_out = s.covers;
    return e == ERR_OK ? s.err : e;
}

static bool is_same(const struct trust_set *set, struct lsuit_bytes doc)
{
    return set->document_n == doc.len && memcmp(set->document, doc.ptr, doc.len) == 0;
}

/* Has this very document been published? Its answer was lost, then; it is given again. */
static enum err find_same(struct db *db, struct lsuit_bytes doc, struct trust_set *set_out)
{
    struct lsuit_trust_doc parts;
    struct lsuit_trust trust;
    enum err e;

    if (lsuit_trust_doc_read(doc, &parts, NULL) != LSUIT_OK ||
        lsuit_trust_read(parts.payload, &trust, NULL) != LSUIT_OK)
        return ERR_NOT_FOUND; /* trust_step says what is wrong with it */
    e = trust_set_get(db, trust.version, set_out);
    return e == ERR_OK && !is_same(set_out, doc) ? ERR_NOT_FOUND : e;
}

static enum err check_first(const struct actor *actor, const struct lsuit_trust *trust)
{
    if (actor->role < ROLE_ADMIN)
        return FAIL_FIELD(ERR_FORBIDDEN, "role", "the first trust set needs an admin");
    if (trust->version != 1)
        return FAIL_FIELD(ERR_CONFLICT, "trust.version",
                          "the first is version 1: devices need the whole chain");
    return ERR_OK;
}

enum err trust_set_publish(struct engine *en, struct db *db, const struct actor *actor,
                           int64_t now_ms, struct lsuit_bytes doc, struct trust_set *set_out,
                           bool *created_out)
{
    struct trust_set newest;
    struct lsuit_trust current = { 0 }, trust = { 0 };
    char target[40], detail[80];
    bool first;
    enum err e = find_same(db, doc, set_out);

    *created_out = e != ERR_OK;
    if (e != ERR_NOT_FOUND)
        return e;
    e = trust_set_newest(db, &newest);
    first = e == ERR_NOT_FOUND;
    if (!first && e == ERR_OK)
        e = trust_set_read(&newest, &current);
    if (!first && e != ERR_OK)
        return e;
    pthread_rwlock_rdlock(&en->trust_lock);
    e = trust_step(en->trust, doc, first ? NULL : &current, &trust);
    pthread_rwlock_unlock(&en->trust_lock);
    if (e == ERR_OK && first)
        e = check_first(actor, &trust);
    if (e != ERR_OK)
        return e;
    *set_out =
        (struct trust_set){ .version = trust.version, .document_n = doc.len, .created_ms = now_ms };
    memcpy(set_out->document, doc.ptr, doc.len); /* a set that was read has at most 2 KiB */
    if (!sha256(doc.ptr, doc.len, set_out->hash))
        return FAIL(ERR_INTERNAL, "no SHA-256");
    e = trust_set_add(db, set_out);
    snprintf(target, sizeof target, "trust/%u", (unsigned)trust.version);
    snprintf(detail, sizeof detail, "%u roles, %u anchors, %u urls", (unsigned)trust.roles_n,
             (unsigned)trust.anchors_n, (unsigned)trust.urls_n);
    if (e == ERR_OK)
        e = engine_audit(db, actor, now_ms, "trust.publish", target, detail);
    if (e == ERR_OK)
        engine_dirty(en);
    return e;
}
