#include "engine/hold.h"

#include "store/release.h"

#include <stdio.h>
#include <string.h>

struct looking {
    const struct hold *wanted;
    int n;
    int32_t same; /* id; 0: none */
};

static bool look(void *ctx, const struct hold *h)
{
    struct looking *l = ctx;

    l->n++;
    if (h->release == l->wanted->release && h->attribute == l->wanted->attribute &&
        strcmp(h->value, l->wanted->value) == 0)
        l->same = h->id;
    return true;
}

static enum err check_release(struct db *db, const struct hold *h)
{
    struct release r;
    enum err e = h->release == 0 ? ERR_OK : release_by_id(db, h->release, &r);

    if (e == ERR_NOT_FOUND || (e == ERR_OK && h->release != 0 && r.product != h->product))
        return FAIL_FIELD(ERR_INVALID, "release", "no such release of the product");
    return e;
}

static enum err audit(struct db *db, const struct actor *actor, int64_t now_ms, const char *act,
                      const char *product, const struct hold *h)
{
    char target[AUDIT_TARGET], detail[AUDIT_DETAIL], release[32] = "";

    if (h->release != 0)
        snprintf(release, sizeof release, " from release %d", h->release);
    snprintf(target, sizeof target, "product/%s/hold/%d", product, h->id);
    snprintf(detail, sizeof detail, "%s=%s%s: %s", hold_attribute_name(h->attribute), h->value,
             release, h->reason);
    return engine_audit(db, actor, now_ms, act, target, detail);
}

enum err hold_place(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                    const char *product, struct hold *h)
{
    struct looking l = { .wanted = h };
    enum err e = check_release(db, h);

    if (e == ERR_OK)
        e = hold_list(db, h->product, 0, look, &l);
    if (e != ERR_OK)
        return e;
    if (l.same != 0)
        return FAIL_FIELD(ERR_CONFLICT, "value", "hold %d is the same", l.same);
    if (l.n >= HOLDS)
        return FAIL(ERR_STATE, "the product has %d holds", l.n);
    h->created_ms = now_ms;
    e = hold_add(db, h);
    if (e == ERR_OK)
        e = audit(db, actor, now_ms, "hold.add", product, h);
    if (e == ERR_OK)
        engine_dirty(en);
    return e;
}

enum err hold_lift(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                   const char *product, const struct hold *h)
{
    enum err e;

    if (h->removed_ms != 0)
        return ERR_OK;
    e = hold_remove(db, h->id, now_ms);
    if (e == ERR_OK)
        e = audit(db, actor, now_ms, "hold.remove", product, h);
    if (e == ERR_OK)
        engine_dirty(en);
    return e;
}
