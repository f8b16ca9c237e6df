#include "engine/product.h"

#include "lsuit/uuid.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FIVE_YEARS = 60 };

int32_t month_of(int64_t ms)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm = { 0 };

    gmtime_r(&t, &tm);
    return (tm.tm_year + 1900) * 12 + tm.tm_mon;
}

static enum err identify(struct product *p)
{
    struct lsuit_bytes domain = { (const uint8_t *)p->vendor_domain, strlen(p->vendor_domain) };
    struct lsuit_bytes model = { (const uint8_t *)p->model, strlen(p->model) };

    if (lsuit_uuid_vendor(domain, p->vendor_id) != LSUIT_OK ||
        lsuit_uuid_class(p->vendor_id, model, p->class_id) != LSUIT_OK)
        return FAIL(ERR_INTERNAL, "no UUIDv5");
    return ERR_OK;
}

/* Devices in the field have their ids built in: once something was published they stay. */
static enum err check_fixed(struct db *db, const struct product *old, const struct product *row)
{
    bool fixed = false;
    enum err e = product_is_fixed(db, old->id, &fixed);

    if (e != ERR_OK || !fixed)
        return e;
    if (strcmp(old->vendor_domain, row->vendor_domain) != 0)
        return FAIL_FIELD(ERR_CONFLICT, "vendor_domain", "fixed: a release exists");
    if (strcmp(old->model, row->model) != 0)
        return FAIL_FIELD(ERR_CONFLICT, "model", "fixed: a release exists");
    return ERR_OK;
}

static enum err check_model(struct db *db, const struct product *row)
{
    struct product other;
    enum err e = product_by_model(db, row->model, &other);

    if (e == ERR_OK && other.id != row->id)
        return FAIL_FIELD(ERR_CONFLICT, "model", "product %s has this model", other.name);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A statement once published stays published; a new one is added beside it. */
static enum err change_support(struct db *db, const struct actor *actor, int64_t now_ms,
                               const struct product_change *c, int64_t first_ms)
{
    struct support last = { 0 };
    struct support s = { .kind = "security", .end_month = c->end_month, .published_ms = now_ms };
    char target[AUDIT_TARGET], detail[64];
    enum err e = support_last(db, c->row.id, &last);
    bool is_first = e == ERR_NOT_FOUND;

    if (e != ERR_OK && !is_first)
        return e;
    if (!is_first && last.end_month == c->end_month &&
        (c->rationale[0] == '\0' || strcmp(c->rationale, last.rationale) == 0))
        return ERR_OK;
    if (!is_first && c->end_month < last.end_month && !c->shorten)
        return FAIL_FIELD(ERR_CONFLICT, "support_end",
                          "%04d-%02d was published: a shorter period needs \"shorten\": true",
                          last.end_month / 12, last.end_month % 12 + 1);
    if (!is_first && c->end_month < last.end_month && c->rationale[0] == '\0')
        return FAIL_FIELD(ERR_INVALID, "rationale", "say why the period becomes shorter");
    if (c->end_month < month_of(first_ms) + FIVE_YEARS && c->rationale[0] == '\0' &&
        (is_first || last.rationale[0] == '\0'))
        return FAIL_FIELD(ERR_INVALID, "rationale", "less than five years need a reason");
    snprintf(s.rationale, sizeof s.rationale, "%s",
             c->rationale[0] != '\0' ? c->rationale : last.rationale);
    e = support_add(db, c->row.id, &s);
    snprintf(target, sizeof target, "product/%s", c->row.name);
    snprintf(detail, sizeof detail, "until %04d-%02d", c->end_month / 12, c->end_month % 12 + 1);
    return e == ERR_OK ? engine_audit(db, actor, now_ms, "product.support", target, detail) : e;
}

static bool same_row(const struct product *a, const struct product *b)
{
    return strcmp(a->vendor_domain, b->vendor_domain) == 0 &&
           strcmp(a->vendor_name, b->vendor_name) == 0 && strcmp(a->model, b->model) == 0 &&
           strcmp(a->contact, b->contact) == 0 && strcmp(a->support_url, b->support_url) == 0 &&
           a->allow_anonymous == b->allow_anonymous && a->payload_in_clear == b->payload_in_clear &&
           a->poll_s == b->poll_s && strcmp(a->components, b->components) == 0;
}

enum err product_change(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                        struct product_change *c, bool *created_out)
{
    struct product old = { 0 };
    char target[AUDIT_TARGET];
    enum err e = product_by_name(db, c->row.name, &old);

    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    *created_out = e == ERR_NOT_FOUND;
    c->row.id = old.id;
    c->row.created_ms = *created_out ? now_ms : old.created_ms;
    c->row.changed_ms = *created_out ? now_ms : old.changed_ms;
    e = *created_out ? ERR_OK : check_fixed(db, &old, &c->row);
    if (e == ERR_OK)
        e = check_model(db, &c->row);
    if (e == ERR_OK)
        e = identify(&c->row);
    if (e == ERR_OK && (*created_out || !same_row(&old, &c->row))) {
        c->row.changed_ms = now_ms;
        e = product_put(db, &c->row);
        snprintf(target, sizeof target, "product/%s", c->row.name);
        if (e == ERR_OK)
            e = engine_audit(db, actor, now_ms, "product.set", target, NULL);
    }
    if (e == ERR_OK)
        e = change_support(db, actor, now_ms, c, c->row.created_ms);
    if (e == ERR_OK)
        engine_dirty(en);
    return e;
}
