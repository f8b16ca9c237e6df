#include "engine/statement.h"

#include "base/file.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 100000, STALE_LEAST_S = 7 * 86400, STALE_POLLS = 3 };

/* The statement of one space as it was last signed. */
struct kept {
    int32_t product;
    uint8_t component[RELEASE_COMPONENT];
    size_t component_n;
    uint32_t generation; /* of the snapshot it says */
    int64_t made_ms;
    struct statement statement;
};

struct statements {
    struct statement_config config;
    char *number_file;
    struct online *online;
    pthread_mutex_t lock;    /* guards all below */
    uint64_t next, reserved; /* numbers below `reserved` are ours on disk */
    struct kept *kept;
    size_t kept_n, kept_room;
    int64_t budget, budget_ms; /* nonces left, in thousandths, at this time */
};

/* --- Numbers --- */

static enum err write_reserved(const struct statements *s, uint64_t reserved)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)reserved);

    return file_put(s->number_file, text, (size_t)n, 0600);
}

static enum err read_reserved(struct statements *s)
{
    char text[24];
    char *end = NULL;
    size_t n = 0;
    enum err e = file_get_secret(s->number_file, text, sizeof text, &n);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e != ERR_OK)
        return e;
    s->reserved = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || strcmp(end, "\n") != 0 || s->reserved > INT64_MAX / 2)
        return FAIL(ERR_CONFIG, "%s: no statement number", s->number_file);
    return ERR_OK;
}

enum err statements_open(const struct statement_config *config, struct online *online,
                         int64_t now_ms, struct statements **statements_out)
{
    struct statements *s = calloc(1, sizeof *s);
    enum err e;

    if (s == NULL || (s->number_file = strdup(config->number_file)) == NULL) {
        free(s);
        return FAIL(ERR_MEMORY, "statements");
    }
    s->config = *config;
    s->online = online;
    s->budget = STATEMENT_NONCES_BURST * 1000;
    pthread_mutex_init(&s->lock, NULL);
    e = read_reserved(s);
    if (e == ERR_OK) {
        s->next = s->reserved > (uint64_t)now_ms ? s->reserved : (uint64_t)now_ms;
        s->reserved = s->next + BLOCK;
        e = write_reserved(s, s->reserved);
    }
    if (e != ERR_OK) {
        pthread_mutex_destroy(&s->lock);
        free(s->number_file);
        free(s);
        return e;
    }
    *statements_out = s;
    return ERR_OK;
}

void statements_close(struct statements *s)
{
    if (s == NULL)
        return;
    (void)write_reserved(s, s->next);
    pthread_mutex_destroy(&s->lock);
    free(s->kept);
    free(s->number_file);
    free(s);
}

void statements_reserve(struct statements *s)
{
    uint64_t reserved;

    pthread_mutex_lock(&s->lock);
    reserved = s->reserved - s->next < BLOCK / 2 ? s->next + BLOCK : 0;
    pthread_mutex_unlock(&s->lock);
    if (reserved == 0 || write_reserved(s, reserved) != ERR_OK)
        return;
    pthread_mutex_lock(&s->lock);
    s->reserved = reserved;
    pthread_mutex_unlock(&s->lock);
}

/* --- What it says --- */

static bool in_space(const struct snap_release *r, struct lsuit_bytes component)
{
    return r->component_n == component.len &&
           (component.len == 0 || memcmp(r->component, component.ptr, component.len) == 0);
}

static void put_release(struct lsuit_statement *st, uint32_t at, const struct snap_release *r)
{
    struct lsuit_release *out = &st->releases[at];
    unsigned last = r->waves_open - 1;

    *out = (struct lsuit_release){ .sequence = (uint64_t)r->sequence,
                                   .digest = { r->digest, sizeof r->digest },
                                   .state = (uint32_t)r->state };
    /* Waves are cumulative: the last open one lets in whom those before did. */
    if (r->waves_open == 0 || r->nobody[last])
        return;
    out->salt = (struct lsuit_bytes){ r->salt, sizeof r->salt };
    out->has_threshold = true;
    out->threshold = r->threshold[last];
}

/* The four highest; the last place is for the highest open one, when none of the others is open:
 * a device that came back after long needs one to go to. */
static void put_releases(struct lsuit_statement *st, const struct snapshot *snap,
                         const struct snap_product *p, struct lsuit_bytes component)
{
    bool open = false;

    for (size_t i = 0; i < p->n; i++) {
        const struct snap_release *r = &snap->releases[p->first + i];

        if (!in_space(r, component))
            continue;
        if (st->releases_n == 0)
            st->highest = (uint64_t)r->sequence;
        if (st->releases_n < LSUIT_MAX_SPACES)
            put_release(st, st->releases_n++, r);
        else if (r->state == RELEASE_OPEN)
            put_release(st, LSUIT_MAX_SPACES - 1, r);
        open = open || r->state == RELEASE_OPEN;
        if (open && st->releases_n == LSUIT_MAX_SPACES)
            return;
    }
}

static enum err sign(struct statements *s, const struct snapshot *snap,
                     const struct snap_product *p, struct lsuit_bytes component,
                     struct lsuit_bytes nonce, int64_t now_ms, struct statement *out)
{
    struct lsuit_statement st = { .number = out->number,
                                  .issued_s = (uint64_t)now_ms / 1000,
                                  .max_age_s = s->config.max_age_s,
                                  .stale_after_s = s->config.stale_after_s,
                                  .next_poll_s = p->poll_s,
                                  .nonce = nonce };
    uint8_t support[128], payload[LSUIT_STATEMENT_MAX - LSUIT_COSE_OVERHEAD];
    struct lsuit_support end = { { (const uint8_t *)p->model, strlen(p->model) }, p->support_end };
    struct lsuit_bytes doc = { 0 };
    enum lsuit_err le = LSUIT_OK;
    enum err e;

    st.space.vendor_id = (struct lsuit_bytes){ p->vendor_id, sizeof p->vendor_id };
    st.space.class_id = (struct lsuit_bytes){ p->class_id, sizeof p->class_id };
    st.space.component_id = component;
    if (st.stale_after_s == 0)
        st.stale_after_s =
            p->poll_s * STALE_POLLS > STALE_LEAST_S ? p->poll_s * STALE_POLLS : STALE_LEAST_S;
    put_releases(&st, snap, p, component);
    if (end.end != 0)
        le = lsuit_support_write(&end, 1, support, sizeof support, &st.support);
    if (le == LSUIT_OK)
        le = lsuit_statement_write(&st, payload, sizeof payload, &doc);
    if (le != LSUIT_OK)
        return FAIL(ERR_INTERNAL, "statement: %s", lsuit_err_name(le));
    e = online_sign(s->online, LSUIT_DOC_STATEMENT, doc, out->bytes, sizeof out->bytes, &doc);
    if (e != ERR_OK)
        return e;
    if (doc.ptr != out->bytes)
        memmove(out->bytes, doc.ptr, doc.len);
    out->n = doc.len;
    return ERR_OK;
}

/* --- Keeping them --- */

/* A space is one in which something was offered, or the one without a component id. */
static bool is_space(const struct snapshot *snap, const struct snap_product *p,
                     struct lsuit_bytes component)
{
    for (size_t i = 0; i < p->n; i++)
        if (in_space(&snap->releases[p->first + i], component))
            return true;
    return component.len == 0;
}

static struct kept *find_kept(struct statements *s, int32_t product, struct lsuit_bytes component)
{
    struct kept *k;

    for (size_t i = 0; i < s->kept_n; i++) {
        k = &s->kept[i];
        if (k->product == product && k->component_n == component.len &&
            (component.len == 0 || memcmp(k->component, component.ptr, component.len) == 0))
            return k;
    }
    if (s->kept_n == s->kept_room) {
        size_t room = s->kept_room == 0 ? 4 : s->kept_room * 2;
        void *more = realloc(s->kept, room * sizeof *s->kept);

        if (more == NULL)
            return NULL;
        s->kept = more;
        s->kept_room = room;
    }
    k = &s->kept[s->kept_n++];
    memset(k, 0, sizeof *k);
    k->product = product;
    k->component_n = component.len;
    if (component.len > 0)
        memcpy(k->component, component.ptr, component.len);
    return k;
}

/* A statement of a later snapshot is kept already when another thread was faster. */
static bool is_good(const struct statements *s, const struct kept *k, const struct snapshot *snap,
                    int64_t now_ms)
{
    return k->statement.n > 0 && (int32_t)(k->generation - snap->generation) >= 0 &&
           now_ms >= k->made_ms && now_ms - k->made_ms < (int64_t)s->config.max_age_s * 1000;
}

static enum err refresh(struct statements *s, struct kept *k, const struct snapshot *snap,
                        const struct snap_product *p, struct lsuit_bytes component, int64_t now_ms)
{
    struct statement fresh = { .number = s->next };
    struct lsuit_bytes none = { 0 };
    enum err e;

    if (s->next >= s->reserved)
        return ERR_BUSY;
    e = sign(s, snap, p, component, none, now_ms, &fresh);
    if (e != ERR_OK)
        return e;
    s->next++;
    k->statement = fresh;
    k->generation = snap->generation;
    k->made_ms = now_ms;
    return ERR_OK;
}

static bool may_answer_nonce(struct statements *s, int64_t now_ms)
{
    int64_t passed = now_ms > s->budget_ms ? now_ms - s->budget_ms : 0;

    s->budget = passed > STATEMENT_NONCES_BURST * 1000
                    ? STATEMENT_NONCES_BURST * 1000
                    : s->budget + passed * STATEMENT_NONCES_PER_S;
    if (s->budget > STATEMENT_NONCES_BURST * 1000)
        s->budget = STATEMENT_NONCES_BURST * 1000;
    s->budget_ms = now_ms;
    if (s->budget < 1000)
        return false;
    s->budget -= 1000;
    return true;
}

enum err statement_get(struct statements *s, const struct snapshot *snap,
                       const struct snap_product *p, struct lsuit_bytes component,
                       struct lsuit_bytes nonce, int64_t now_ms, struct statement *out)
{
    bool with_nonce = false;
    struct kept *k;
    enum err e = ERR_OK;

    if (!is_space(snap, p, component))
        return ERR_NOT_FOUND;
    pthread_mutex_lock(&s->lock);
    k = find_kept(s, p->id, component);
    if (k == NULL)
        e = FAIL(ERR_MEMORY, "statement");
    else if (!is_good(s, k, snap, now_ms))
        e = refresh(s, k, snap, p, component, now_ms);
    if (e == ERR_OK) {
        *out = k->statement;
        /* Only of this snapshot: the number stands for what it says. */
        with_nonce =
            nonce.ptr != NULL && k->generation == snap->generation && may_answer_nonce(s, now_ms);
    }
    pthread_mutex_unlock(&s->lock);
    return e == ERR_OK && with_nonce ? sign(s, snap, p, component, nonce, now_ms, out) : e;
}
