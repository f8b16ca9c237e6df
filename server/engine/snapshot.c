#include "engine/snapshot.h"

#include "decide/hold.h"
#include "decide/rollout.h"
#include "engine/rollout.h"
#include "engine/trust.h"
#include "lsuit/crypto.h"
#include "lsuit/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    struct db *db;
    struct snapshot *s;
    const char *public_url;
    int64_t now_ms;
    uint32_t trust_version; /* newest; 0: none */
    size_t products_room, releases_room, holds_room;
    enum err err;
};

/* Room for one more element; doubles. */
static void *grow(struct builder *b, void *list, size_t n, size_t *room, size_t size)
{
    size_t want = *room == 0 ? 16 : *room * 2;
    void *more;

    if (n < *room)
        return list;
    more = realloc(list, want * size);
    if (more == NULL) {
        b->err = FAIL(ERR_MEMORY, "snapshot");
        return list;
    }
    *room = want;
    return more;
}

static void percent_encode(const char *text, char *out, size_t size)
{
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    size_t n = 0;

    for (; *text != '\0' && n + 4 < size; text++) {
        if (strchr(PLAIN, *text) != NULL)
            out[n++] = *text;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", (unsigned char)*text);
    }
    out[n] = '\0';
}

void product_support_url(const struct product *p, const char *public_url, char *url_out,
                         size_t size)
{
    char model[3 * PRODUCT_MODEL + 4];

    url_out[0] = '\0';
    if (p->support_url[0] != '\0') {
        snprintf(url_out, size, "%s", p->support_url);
    } else if (public_url != NULL && public_url[0] != '\0') {
        percent_encode(p->model, model, sizeof model);
        snprintf(url_out, size, "%s/support/%s", public_url, model);
    }
}

static bool add_product(void *ctx, const struct product *p)
{
    struct builder *b = ctx;
    struct snapshot *s = b->s;
    struct snap_product *out;

    s->products = grow(b, s->products, s->products_n, &b->products_room, sizeof *s->products);
    if (b->err != ERR_OK)
        return false;
    out = &s->products[s->products_n++];
    memset(out, 0, sizeof *out);
    out->id = p->id;
    memcpy(out->name, p->name, sizeof out->name);
    memcpy(out->model, p->model, sizeof out->model);
    memcpy(out->vendor_id, p->vendor_id, sizeof out->vendor_id);
    memcpy(out->class_id, p->class_id, sizeof out->class_id);
    out->allow_anonymous = p->allow_anonymous;
    out->payload_in_clear = p->payload_in_clear;
    out->poll_s = (uint32_t)p->poll_s;
    product_support_url(p, b->public_url, out->support_url, sizeof out->support_url);
    if (b->trust_version != 0) {
        bool covers = false;

        b->err = trust_set_covers(b->db, p->vendor_id, p->class_id, &covers);
        out->trust_version = covers ? b->trust_version : 0;
    }
    return b->err == ERR_OK;
}

static enum err newest_trust(struct builder *b)
{
    struct trust_set newest = { 0 };
    enum err e = trust_set_newest(b->db, &newest);

    b->trust_version = newest.version;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err add_support(struct builder *b, struct snap_product *p)
{
    struct support support;
    enum err e = support_last(b->db, p->id, &support);

    if (e == ERR_OK)
        p->support_end = (uint32_t)(support.end_month / 12 * 100 + support.end_month % 12 + 1);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static void note_due(struct builder *b, const struct rollout *r, enum release_state state)
{
    int64_t due = rollout_due(r, state, b->now_ms);

    if (due != 0 && (b->s->due_ms == 0 || due < b->s->due_ms))
        b->s->due_ms = due;
}

static bool add_first(void *ctx, const char *revision, uint64_t threshold)
{
    struct snap_release *out = ctx;
    struct snap_first *f = &out->first[out->first_n];

    if (out->first_n == SNAP_FIRST)
        return false;
    snprintf(f->revision, sizeof f->revision, "%s", revision);
    f->threshold = threshold;
    out->first_n++;
    return true;
}

static bool add_release(void *ctx, int32_t id)
{
    struct builder *b = ctx;
    struct snapshot *s = b->s;
    struct snap_release *out;
    struct release r;
    struct rollout rollout;

    b->err = release_by_id(b->db, id, &r);
    if (b->err == ERR_OK)
        b->err = rollout_by_release(b->db, id, &rollout);
    if (b->err != ERR_OK)
        return false;
    s->releases = grow(b, s->releases, s->releases_n, &b->releases_room, sizeof *s->releases);
    if (b->err != ERR_OK)
        return false;
    out = &s->releases[s->releases_n++];
    memset(out, 0, sizeof *out);
    out->id = r.id;
    out->rollout = rollout.id;
    out->product = r.product;
    memcpy(out->vendor_id, r.vendor_id, sizeof out->vendor_id);
    memcpy(out->class_id, r.class_id, sizeof out->class_id);
    memcpy(out->component, r.component, sizeof out->component);
    out->component_n = r.component_n;
    out->sequence = r.sequence;
    memcpy(out->digest, r.digest, sizeof out->digest);
    out->state = r.state;
    memcpy(out->salt, rollout.salt, sizeof out->salt);
    out->sent_size = (uint32_t)r.sent_size;
    while (out->waves_open < rollout.waves_n && rollout.waves[out->waves_open].opened_ms != 0) {
        out->nobody[out->waves_open] = rollout.waves[out->waves_open].nobody;
        out->threshold[out->waves_open] = rollout.waves[out->waves_open].threshold;
        out->waves_open++;
    }
    note_due(b, &rollout, r.state);
    b->err = first_wave_list(b->db, rollout.id, add_first, out);
    return b->err == ERR_OK;
}

static bool add_hold(void *ctx, const struct hold *h)
{
    struct builder *b = ctx;
    struct snapshot *s = b->s;

    s->holds = grow(b, s->holds, s->holds_n, &b->holds_room, sizeof *s->holds);
    if (b->err != ERR_OK)
        return false;
    s->holds[s->holds_n++] = *h;
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct snap_product *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

enum err snapshot_build(struct db *db, const char *public_url, uint32_t generation, int64_t now_ms,
                        struct snapshot **snapshot_out)
{
    struct builder b = { .db = db, .public_url = public_url, .now_ms = now_ms };
    enum err e;

    b.s = calloc(1, sizeof *b.s);
    if (b.s == NULL)
        return FAIL(ERR_MEMORY, "snapshot");
    b.s->generation = generation;
    e = newest_trust(&b);
    if (e == ERR_OK)
        e = product_list(db, "", INT32_MAX, add_product, &b);
    if (e == ERR_OK)
        e = b.err;
    if (e == ERR_OK && b.s->products_n > 0)
        qsort(b.s->products, b.s->products_n, sizeof *b.s->products, by_id);
    for (size_t i = 0; e == ERR_OK && i < b.s->products_n; i++)
        e = add_support(&b, &b.s->products[i]);
    if (e == ERR_OK)
        e = rollout_offered(db, add_release, &b);
    if (e == ERR_OK)
        e = b.err;
    if (e == ERR_OK)
        e = hold_list(db, 0, 0, add_hold, &b);
    if (e == ERR_OK)
        e = b.err;
    for (size_t i = 0, k = 0, h = 0; e == ERR_OK && i < b.s->products_n; i++) {
        struct snap_product *p = &b.s->products[i];

        p->first = k;
        while (k < b.s->releases_n && b.s->releases[k].product == p->id)
            k++;
        p->n = k - p->first;
        p->first_hold = h;
        while (h < b.s->holds_n && b.s->holds[h].product == p->id)
            h++;
        p->holds_n = h - p->first_hold;
    }
    if (e != ERR_OK) {
        snapshot_free(b.s);
        return e;
    }
    *snapshot_out = b.s;
    return ERR_OK;
}

void snapshot_free(struct snapshot *s)
{
    if (s == NULL)
        return;
    free(s->products);
    free(s->releases);
    free(s->holds);
    free(s);
}

const struct snap_product *snapshot_product(const struct snapshot *s, int32_t id)
{
    struct snap_product key = { .id = id };

    if (s->products_n == 0)
        return NULL;
    return bsearch(&key, s->products, s->products_n, sizeof *s->products, by_id);
}

const struct snap_product *snapshot_product_named(const struct snapshot *s, struct lsuit_bytes name)
{
    for (size_t i = 0; i < s->products_n; i++)
        if (strlen(s->products[i].name) == name.len &&
            memcmp(s->products[i].name, name.ptr, name.len) == 0)
            return &s->products[i];
    return NULL;
}

int snapshot_wave(const struct snap_release *r, struct lsuit_bytes device_id, const char *revision)
{
    struct lsuit_bytes salt = { r->salt, sizeof r->salt };
    uint64_t place = UINT64_MAX;

    if (r->waves_open == 0)
        return -1;
    if (device_id.ptr != NULL &&
        lsuit_place(&lsuit_crypto_psa, salt, device_id, &place) != LSUIT_OK)
        return -1;
    for (unsigned i = 0; i < r->waves_open; i++)
        if (lsuit_place_in(place, !r->nobody[i], r->threshold[i]))
            return (int)i;
    for (unsigned i = 0; i < r->first_n && device_id.ptr != NULL; i++)
        if (strcmp(r->first[i].revision, revision) == 0 && place <= r->first[i].threshold)
            return 0;
    return -1;
}

const struct hold *snapshot_hold(const struct snapshot *s, const struct snap_product *p,
                                 int32_t release, const char *revision)
{
    const struct hold_device device = { .value = { [HOLD_HW_REVISION] = revision } };

    for (size_t i = 0; i < p->holds_n; i++) {
        const struct hold *h = &s->holds[p->first_hold + i];
        const struct hold_rule rule = { h->release, h->attribute, h->value };

        if (hold_decide(&rule, release, &device))
            return h;
    }
    return NULL;
}
