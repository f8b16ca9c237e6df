/* Who devices are, and what they may fetch. */

#include "engine/device.h"

#include "base/log.h"
#include "lsuit/receipt.h"

#include <stdio.h>
#include <string.h>

enum err device_authenticate(struct engine *en, const uint8_t digest[32], struct asker *asker_out)
{
    struct known_device known = { 0 };
    struct device device;
    uint32_t generation;
    struct db *db;
    enum err e;

    if (!known_find(en->known, digest, &known)) {
        generation = known_generation(en->known);
        db = store_reader(en->store);
        if (db == NULL)
            return ERR_DB;
        e = device_token_find(db, digest, &known.device, &known.slot);
        if (e == ERR_OK)
            e = device_by_id(db, known.device, &device);
        if (e == ERR_NOT_FOUND || (e == ERR_OK && device.revoked_ms != 0))
            return ERR_UNAUTHORIZED;
        if (e != ERR_OK)
            return e;
        known.product = device.product;
        known_put(en->known, generation, digest, &known);
    }
    *asker_out = (struct asker){ .device = known.device,
                                 .product = known.product,
                                 .slot = known.slot,
                                 .body = known.body,
                                 .snapshot = known.snapshot };
    memcpy(asker_out->digest, digest, 32);
    return ERR_OK;
}

/* The number, not the name: forgetting a device leaves a pseudonym in a log that never changes. */
static void target_of(const struct product *p, int32_t device, char out[AUDIT_TARGET])
{
    snprintf(out, AUDIT_TARGET, "product/%s/device/%d", p->name, device);
}

static enum err enrol_one(struct db *db, const struct product *product, int64_t now_ms,
                          struct device_new *d, int32_t *id_out)
{
    struct device row = { .product = product->id, .created_ms = now_ms };
    enum err e = ERR_OK;

    snprintf(row.name, sizeof row.name, "%s", d->name);
    if (!d->has_digest)
        e = token_make(d->token, d->digest);
    if (e != ERR_OK)
        return e;
    e = device_add(db, &row);
    if (e == ERR_CONFLICT)
        return FAIL_FIELD(ERR_CONFLICT, "id", "%s exists", d->name);
    if (e != ERR_OK)
        return e;
    *id_out = row.id;
    e = device_token_put(db, d->digest, row.id, 0, now_ms);
    return e == ERR_CONFLICT
               ? FAIL_FIELD(ERR_CONFLICT, "token_sha256", "another device has this token")
               : e;
}

enum err device_enrol(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                      const struct product *product, struct device_new *list, size_t n,
                      size_t *index_out)
{
    char target[AUDIT_TARGET], detail[64];
    int32_t id = 0;
    enum err e = ERR_OK;

    (void)en;
    for (size_t i = 0; i < n; i++) {
        *index_out = i;
        e = enrol_one(db, product, now_ms, &list[i], &id);
        if (e != ERR_OK)
            return e;
    }
    if (n == 1) {
        target_of(product, id, target);
        return engine_audit(db, actor, now_ms, "device.add", target, NULL);
    }
    snprintf(target, sizeof target, "product/%s", product->name);
    snprintf(detail, sizeof detail, "%zu devices", n);
    return engine_audit(db, actor, now_ms, "device.add", target, detail);
}

enum err device_rotate(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                       const struct product *product, struct device_new *which)
{
    char target[AUDIT_TARGET];
    struct device d;
    enum err e = device_by_name(db, product->id, which->name, &d);

    if (e != ERR_OK)
        return e;
    if (d.revoked_ms != 0)
        return FAIL(ERR_STATE, "the device is revoked");
    if (!which->has_digest)
        e = token_make(which->token, which->digest);
    if (e == ERR_OK)
        e = engine_drop_tokens(en, db, d.id);
    if (e == ERR_OK)
        e = device_token_put(db, which->digest, d.id, 1, now_ms);
    if (e == ERR_CONFLICT)
        return FAIL_FIELD(ERR_CONFLICT, "token_sha256", "a device has this token already");
    if (e != ERR_OK)
        return e;
    target_of(product, d.id, target);
    return engine_audit(db, actor, now_ms, "device.rotate", target, NULL);
}

enum err device_block(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                      const struct product *product, const char *name)
{
    char target[AUDIT_TARGET];
    struct device d;
    enum err e = device_by_name(db, product->id, name, &d);

    if (e != ERR_OK || d.revoked_ms != 0)
        return e;
    target_of(product, d.id, target);
    e = engine_drop_tokens(en, db, d.id);
    if (e == ERR_OK)
        e = device_token_drop(db, d.id, -1);
    if (e == ERR_OK)
        e = device_revoke(db, d.id, now_ms);
    return e == ERR_OK ? engine_audit(db, actor, now_ms, "device.revoke", target, NULL) : e;
}

/* On the list that outlives backups first. */
static enum err erase_rows(struct engine *en, struct db *db, const struct product *product,
                           const struct device *d)
{
    enum err e = engine_drop_tokens(en, db, d->id);

    if (e == ERR_OK)
        e = erase_note(en->erase, db, product->name, d->name);
    return e == ERR_OK ? device_forget(db, d->id) : e;
}

enum err device_erase(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                      const struct product *product, const char *name)
{
    char target[AUDIT_TARGET];
    struct device d;
    enum err e = device_by_name(db, product->id, name, &d);

    if (e == ERR_OK)
        e = erase_rows(en, db, product, &d);
    if (e != ERR_OK)
        return e;
    target_of(product, d.id, target);
    return engine_audit(db, actor, now_ms, "device.forget", target, NULL);
}

static enum err write_receipt(struct engine *en, const struct product *p, const struct device *d,
                              struct lsuit_bytes nonce, int64_t now_ms, uint8_t *receipt_out,
                              size_t *n_out)
{
    const struct lsuit_receipt receipt = {
        .product = { (const uint8_t *)p->name, strlen(p->name) },
        .device_id = { (const uint8_t *)d->name, strlen(d->name) },
        .what = { LSUIT_ERASED_IDENTITY, LSUIT_ERASED_CREDENTIAL, LSUIT_ERASED_STATUS,
                  LSUIT_ERASED_HISTORY, LSUIT_ERASED_AUDIT },
        .what_n = 5,
        .when_s = (uint64_t)now_ms / 1000,
        .backups_s = (uint64_t)(now_ms + en->config.backup_keep_ms) / 1000,
        .nonce = nonce,
    };
    uint8_t payload[LSUIT_RECEIPT_MAX - LSUIT_COSE_OVERHEAD];
    struct lsuit_bytes doc = { 0 };
    enum lsuit_err le = lsuit_receipt_write(&receipt, payload, sizeof payload, &doc);
    enum err e;

    if (le != LSUIT_OK)
        return FAIL(ERR_INTERNAL, "receipt: %s", lsuit_err_name(le));
    e = online_sign(en->online, LSUIT_DOC_RECEIPT, doc, receipt_out, LSUIT_RECEIPT_MAX, &doc);
    if (e != ERR_OK)
        return e;
    if (doc.ptr != receipt_out)
        memmove(receipt_out, doc.ptr, doc.len);
    *n_out = doc.len;
    return ERR_OK;
}

enum err device_erase_self(struct engine *en, struct db *db, const struct asker *asker,
                           struct lsuit_bytes nonce, int64_t now_ms, uint8_t *receipt_out,
                           size_t *n_out)
{
    char target[AUDIT_TARGET];
    struct product p;
    struct device d;
    enum err e = asker->device == 0 ? ERR_UNAUTHORIZED : device_by_id(db, asker->device, &d);

    if (e == ERR_NOT_FOUND || (e == ERR_OK && d.revoked_ms != 0))
        return ERR_UNAUTHORIZED;
    if (e == ERR_OK && !erase_fits(en->erase, d.id, nonce, now_ms))
        return FAIL_FIELD(ERR_INVALID, "Lapel-Erase", "not the nonce of the last answer");
    if (e == ERR_OK)
        e = product_by_id(db, d.product, &p);
    if (e == ERR_OK)
        e = write_receipt(en, &p, &d, nonce, now_ms, receipt_out, n_out);
    if (e == ERR_OK)
        e = erase_rows(en, db, &p, &d);
    if (e != ERR_OK)
        return e;
    target_of(&p, d.id, target);
    return engine_audit(db, NULL, now_ms, "device.erase", target, "asked for at the device");
}

/* --- Grants --- */

static bool served(enum release_state state)
{
    return state == RELEASE_OPEN || state == RELEASE_HELD;
}

enum err device_grant(struct engine *en, struct db *db, const struct asker *asker,
                      const uint8_t digest[32], bool manifest, bool in_clear, int32_t *release_out,
                      bool *starts_out)
{
    enum release_state state = RELEASE_WITHDRAWN;
    enum work_state work = WORK_NONE;
    enum err e;

    (void)en;
    *starts_out = false;
    if (asker->device == 0)
        e = grant_public(db, digest, manifest, in_clear, release_out, &state);
    else if (manifest)
        e = grant_manifest(db, asker->device, digest, release_out, &state);
    else
        e = grant_payload(db, asker->device, digest, release_out, &state, &work);
    if (e != ERR_OK)
        return e;
    if (!served(state))
        return FAIL(ERR_GONE, "release %d is stopped", *release_out);
    *starts_out = asker->device != 0 && !manifest && (work == WORK_OFFERED || work == WORK_FAILED);
    return ERR_OK;
}

enum err device_fetches(struct engine *en, struct db *db, int32_t device, int32_t release,
                        int64_t now_ms)
{
    struct work w;
    enum err e = work_get(db, device, release, &w);

    (void)en;
    if (e == ERR_NOT_FOUND)
        return ERR_OK; /* forgotten meanwhile */
    if (e != ERR_OK || (w.state != WORK_OFFERED && w.state != WORK_FAILED))
        return e;
    w.state = WORK_FETCHING;
    w.since_ms = now_ms;
    return work_put(db, &w);
}
