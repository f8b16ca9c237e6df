#include "engine/release.h"

#include "base/bytes.h"
#include "base/sha256.h"
#include "decide/rollout.h"
#include "engine/rollout.h"
#include "engine/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lsuit_bytes release_sent(struct lsuit_bytes doc, uint8_t *buf, struct lsuit_bytes *text_out)
{
    struct lsuit_envelope env = { 0 };
    struct lsuit_cbor c;
    size_t head, at;

    *text_out = (struct lsuit_bytes){ 0 };
    if (lsuit_envelope_read(doc, &env, NULL) != LSUIT_OK || env.text.ptr == NULL)
        return doc;
    c = lsuit_cbor_open(env.text);
    *text_out = lsuit_cbor_bstr(&c);
    /* The map's header is one byte below 24 pairs, and so is the key of the text, 23. */
    head = env.tagged ? 2 : 0;
    at = (size_t)(env.text.ptr - doc.ptr) - 1;
    if (doc.len <= LSUIT_ENVELOPE_MIN_ACCEPTED || doc.ptr[head] < 0xa1 || doc.ptr[head] > 0xb7 ||
        doc.ptr[at] != LSUIT_SECTION_TEXT)
        return doc;
    memcpy(buf, doc.ptr, at);
    buf[head]--;
    memcpy(buf + at, env.text.ptr + env.text.len, doc.len - at - 1 - env.text.len);
    return (struct lsuit_bytes){ buf, doc.len - 1 - env.text.len };
}

/* Every payload is here, whole, and of the size that the manifest says. */
static enum err check_payloads(struct db *db, const struct trust_facts *facts)
{
    for (unsigned i = 0; i < facts->payloads_n; i++) {
        char hex[65];
        int64_t size = 0;
        enum err e = artifact_row_get(db, facts->payloads[i].digest, &size);

        bytes_to_hex(facts->payloads[i].digest, 32, hex);
        if (e == ERR_NOT_FOUND)
            return FAIL_FIELD(ERR_CONFLICT, "payloads", "%s is not uploaded", hex);
        if (e != ERR_OK)
            return e;
        if (size != facts->payloads[i].size)
            return FAIL_FIELD(ERR_DIGEST, "envelope.components.size",
                              "%lld in the manifest, %lld uploaded",
                              (long long)facts->payloads[i].size, (long long)size);
    }
    return ERR_OK;
}

static void fill(struct release *r, const struct product *p, const struct trust_facts *f,
                 int64_t now_ms)
{
    memset(r, 0, sizeof *r);
    r->product = p->id;
    memcpy(r->vendor_id, p->vendor_id, sizeof r->vendor_id);
    memcpy(r->class_id, p->class_id, sizeof r->class_id);
    if (f->component.len <= sizeof r->component && f->component.ptr != NULL) {
        memcpy(r->component, f->component.ptr, f->component.len);
        r->component_n = f->component.len;
    }
    r->sequence = f->sequence;
    memcpy(r->digest, f->digest, sizeof r->digest);
    memcpy(r->version, f->version, sizeof r->version);
    r->has_priority = f->has_priority;
    r->priority = f->priority;
    r->state = RELEASE_OPEN;
    r->size = f->size;
    memcpy(r->key_id, f->key_id, sizeof r->key_id);
    r->created_ms = now_ms;
}

/* The same manifest again. Another wrapper that verifies today replaces the old one. */
static enum err again(struct engine *en, struct db *db, const struct actor *actor, int64_t now_ms,
                      const struct release_bytes *b, const struct release *fresh, struct release *r)
{
    char target[40];
    void *old = NULL;
    size_t n = 0;
    bool same;
    enum err e = release_read(db, r->id, RELEASE_ENVELOPE, &old, &n, NULL);

    if (e != ERR_OK)
        return e;
    same = n == b->envelope.len && memcmp(old, b->envelope.ptr, n) == 0;
    free(old);
    if (same)
        return ERR_OK;
    /* What users are told needs no key to leave out, so it must not go by publishing again. */
    e = release_read(db, r->id, RELEASE_TEXT, &old, &n, NULL);
    if (e != ERR_OK)
        return e;
    free(old);
    if (n > 0 && b->text.len == 0)
        return FAIL_FIELD(ERR_CONFLICT, "envelope.text",
                          "the release has a text, which this envelope leaves out");
    snprintf(target, sizeof target, "release/%d", r->id);
    e = release_rewrap(db, r->id, b, fresh->key_id);
    if (e == ERR_OK)
        e = engine_audit(db, actor, now_ms, "release.resign", target, NULL);
    if (e == ERR_OK)
        e = release_by_id(db, r->id, r);
    if (e == ERR_OK)
        engine_dirty(en);
    return e;
}

static enum err add(struct db *db, const struct actor *actor, int64_t now_ms,
                    const struct release_bytes *b, const struct trust_facts *facts,
                    struct release *r)
{
    struct payload payloads[RELEASE_PAYLOADS];
    char target[40], detail[120];
    enum err e;

    for (unsigned i = 0; i < facts->payloads_n; i++) {
        memcpy(payloads[i].digest, facts->payloads[i].digest, 32);
        payloads[i].size = facts->payloads[i].size;
    }
    e = release_add(db, r, b, payloads, facts->payloads_n);
    if (e != ERR_OK)
        return e;
    snprintf(target, sizeof target, "release/%d", r->id);
    snprintf(detail, sizeof detail, "sequence %lld %s", (long long)r->sequence, r->version);
    e = engine_audit(db, actor, now_ms, "release.publish", target, detail);
    return e == ERR_OK ? release_by_id(db, r->id, r) : e;
}

static enum err store_it(struct engine *en, struct db *db, const struct actor *actor,
                         int64_t now_ms, const struct release_bytes *b,
                         const struct trust_facts *facts, struct release *r, bool *created_out)
{
    struct release other;
    int64_t highest = 0;
    enum err e = release_by_sequence(db, r, r->sequence, &other);
    bool taken = e == ERR_OK;

    if (e == ERR_OK || e == ERR_NOT_FOUND)
        e = release_highest_offered(db, r, &highest);
    if (e != ERR_OK)
        return e;
    switch (
        sequence_decide((uint64_t)r->sequence, r->digest, taken ? other.digest : NULL, highest)) {
    case SEQUENCE_TAKEN:
        return FAIL_FIELD(ERR_SEQUENCE, "envelope.sequence",
                          "number %lld stands for another digest", (long long)r->sequence);
    case SEQUENCE_LOW:
        return FAIL_FIELD(ERR_SEQUENCE, "envelope.sequence",
                          "number %lld is lower than %lld, which was offered",
                          (long long)r->sequence, (long long)highest);
    case SEQUENCE_HIGH:
        return FAIL_FIELD(ERR_REFUSED, "envelope.sequence", "over 2^63-1");
    case SEQUENCE_SAME:
        *created_out = false;
        e = again(en, db, actor, now_ms, b, r, &other);
        *r = other;
        return e;
    case SEQUENCE_NEW:
        break;
    }
    *created_out = true;
    return add(db, actor, now_ms, b, facts, r);
}

/* By the newest trust set when it covers the product, else by an anchor. */
static enum err verify(struct engine *en, struct db *db, struct lsuit_bytes doc,
                       const struct trust_want *want, struct trust_facts *facts)
{
    struct trust_set newest;
    struct lsuit_trust set = { 0 };
    bool covers = false;
    enum err e = trust_set_covers(db, want->vendor_id, want->class_id, &covers);

    if (e == ERR_OK && covers)
        e = trust_set_newest(db, &newest);
    if (e == ERR_OK && covers)
        e = trust_set_read(&newest, &set);
    if (e != ERR_OK)
        return e;
    pthread_rwlock_rdlock(&en->trust_lock);
    e = trust_verify(en->trust, covers ? &set : NULL, doc, want, facts);
    pthread_rwlock_unlock(&en->trust_lock);
    return e;
}

enum err release_publish(struct engine *en, struct db *db, const struct actor *actor,
                         int64_t now_ms, const struct product *product, struct lsuit_bytes doc,
                         struct release *release_out, bool *created_out)
{
    struct trust_facts facts = { 0 };
    struct trust_want want;
    struct release_bytes b = { .envelope = doc };
    uint8_t *buf;
    enum err e;

    memcpy(want.vendor_id, product->vendor_id, sizeof want.vendor_id);
    memcpy(want.class_id, product->class_id, sizeof want.class_id);
    e = verify(en, db, doc, &want, &facts);
    if (e == ERR_OK)
        e = check_payloads(db, &facts);
    if (e != ERR_OK)
        return e;
    if (facts.component.len > RELEASE_COMPONENT)
        return FAIL_FIELD(ERR_REFUSED, "envelope.component", "longer than %d bytes",
                          RELEASE_COMPONENT);
    fill(release_out, product, &facts, now_ms);
    buf = malloc(doc.len);
    if (buf == NULL)
        return FAIL(ERR_MEMORY, "envelope");
    b.sent = release_sent(doc, buf, &b.text);
    if (!sha256(b.sent.ptr, b.sent.len, b.sent_hash))
        e = FAIL(ERR_INTERNAL, "no SHA-256");
    if (e == ERR_OK)
        e = store_it(en, db, actor, now_ms, &b, &facts, release_out, created_out);
    free(buf);
    return e;
}

enum err release_withdraw(struct engine *en, struct db *db, const struct actor *actor,
                          int64_t now_ms, const char *reason, struct release *r)
{
    struct rollout rollout;
    enum err e = rollout_by_release(db, r->id, &rollout);

    if (e == ERR_OK && rollout.ended_ms == 0) {
        rollout.ended_ms = now_ms;
        e = rollout_set_times(db, &rollout);
    }
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    return release_change(en, db, actor, now_ms, r, RELEASE_WITHDRAWN, "release.withdraw", reason);
}
