/* Statements, the key that signs them, and the channel: all that devices fetch, as files. */

#include "api/call.h"
#include "base/bytes.h"
#include "engine/release.h"
#include "engine/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPACES = 64, SPACE_CLASS = 32, SPACE_FILE = SPACE_CLASS + 1 + 2 * RELEASE_COMPONENT + 1 };

enum err online_key_call(struct call *c, struct db *db)
{
    char pem[PEM_TEXT];

    (void)db;
    online_public(c->engine->online, pem);
    c->out = json_pack("{s:o, s:s}", "key_id",
                       json_hex(online_key_id(c->engine->online), TRUST_KEY_ID), "public_key", pem);
    return ERR_OK;
}

/* ?component= as hex of the encoded component id. */
static enum err ask_component(struct call *c, uint8_t buf[RELEASE_COMPONENT],
                              struct lsuit_bytes *component_out)
{
    const char *text = http_query(c->req, "component");
    size_t n = text == NULL ? 0 : strlen(text) / 2;

    *component_out = (struct lsuit_bytes){ n > 0 ? buf : NULL, n };
    if (n > RELEASE_COMPONENT ||
        (text != NULL && (n == 0 || !bytes_from_hex(text, strlen(text), buf, n))))
        return call_bad(c, ERR_INVALID, "component", "must be an encoded component id in hex");
    return ERR_OK;
}

enum err statement_call(struct call *c, struct db *db)
{
    uint8_t buf[RELEASE_COMPONENT];
    struct lsuit_bytes component, none = { 0 };
    const struct snapshot *snap;
    const struct snap_product *sp;
    struct statement st;
    struct product p;
    enum err e = call_product(c, db, &p);

    if (e == ERR_OK)
        e = ask_component(c, buf, &component);
    if (e != ERR_OK)
        return e;
    snap = engine_snapshot(c->engine);
    sp = snapshot_product(snap, p.id);
    e = sp == NULL
            ? ERR_NOT_FOUND
            : statement_get(c->engine->statements, snap, sp, component, none, c->now_ms, &st);
    engine_snapshot_done(c->engine);
    if (e == ERR_NOT_FOUND)
        return call_bad(c, e, "component", "nothing was offered for this component");
    if (e != ERR_OK)
        return e;
    http_reply_init(&c->reply, 200);
    http_reply_copy_body(&c->reply, "application/cbor", st.bytes, st.n);
    c->replied = true;
    return ERR_OK;
}

/* --- The channel --- */

/* One space: its statement, and the releases in it that a device may fetch. */
struct space {
    char file[SPACE_FILE];
    struct statement statement;
    int32_t release[LSUIT_MAX_SPACES];
    unsigned releases_n;
};

struct channel {
    struct call *c;
    struct db *db;
    json_t *files;
    struct space *space;
    size_t space_n;
    enum err err;
};

static void add_file(struct channel *ch, const char *folder, const char *name, const void *bytes,
                     size_t n)
{
    char *text = malloc(BYTES_HEX_LENGTH(n) + 1);

    if (text == NULL) {
        ch->err = FAIL(ERR_MEMORY, "channel");
        return;
    }
    bytes_to_hex(bytes, n, text);
    json_array_append_new(
        ch->files,
        json_pack("{s:o, s:s}", "path", json_sprintf("v1/%s/%s", folder, name), "content", text));
    free(text);
}

/* Does the statement list it, and may it be fetched? */
static bool is_served(const struct lsuit_statement *st, const struct snap_release *r)
{
    struct lsuit_bytes digest = { r->digest, sizeof r->digest };

    return (r->state == RELEASE_OPEN || r->state == RELEASE_HELD) &&
           lsuit_statement_release(st, (uint64_t)r->sequence, digest) != NULL;
}

static enum err fill_space(struct channel *ch, const struct snapshot *snap,
                           const struct snap_product *p, struct lsuit_bytes component)
{
    struct space *s = &ch->space[ch->space_n];
    struct lsuit_bytes doc, none = { 0 };
    struct lsuit_statement st;
    enum err e = statement_get(ch->c->engine->statements, snap, p, component, none, ch->c->now_ms,
                               &s->statement);

    if (e != ERR_OK)
        return e;
    if (lsuit_doc_peek((struct lsuit_bytes){ s->statement.bytes, s->statement.n }, &doc) !=
            LSUIT_OK ||
        lsuit_statement_read(doc, &st, NULL) != LSUIT_OK)
        return FAIL(ERR_INTERNAL, "a statement of our own can't be read");
    bytes_to_hex(p->class_id, sizeof p->class_id, s->file);
    if (component.len > 0) {
        s->file[SPACE_CLASS] = '-';
        bytes_to_hex(component.ptr, component.len, s->file + SPACE_CLASS + 1);
    }
    s->releases_n = 0;
    for (size_t i = 0; i < p->n && s->releases_n < LSUIT_MAX_SPACES; i++) {
        const struct snap_release *r = &snap->releases[p->first + i];

        if (r->component_n == component.len && is_served(&st, r))
            s->release[s->releases_n++] = r->id;
    }
    ch->space_n++;
    return ERR_OK;
}

static bool is_first_of_space(const struct snapshot *snap, const struct snap_product *p, size_t at)
{
    const struct snap_release *r = &snap->releases[p->first + at];

    for (size_t i = 0; i < at; i++) {
        const struct snap_release *other = &snap->releases[p->first + i];

        if (other->component_n == r->component_n &&
            memcmp(other->component, r->component, r->component_n) == 0)
            return false;
    }
    return true;
}

/* Every space of a product; one without any release has a statement too. */
static enum err fill_product(struct channel *ch, const struct snapshot *snap,
                             const struct snap_product *p)
{
    struct lsuit_bytes none = { 0 };
    enum err e = p->n == 0 ? fill_space(ch, snap, p, none) : ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < p->n; i++) {
        const struct snap_release *r = &snap->releases[p->first + i];
        struct lsuit_bytes component = { r->component_n > 0 ? r->component : NULL, r->component_n };

        if (!is_first_of_space(snap, p, i))
            continue;
        e = ch->space_n == SPACES ? FAIL(ERR_UNSUPPORTED, "more than %d spaces", SPACES)
                                  : fill_space(ch, snap, p, component);
    }
    return e;
}

static void add_payloads(struct channel *ch, int32_t release)
{
    struct payload list[RELEASE_PAYLOADS];
    char hex[65];
    unsigned n = 0;

    ch->err = release_payloads(ch->db, release, list, &n);
    for (unsigned i = 0; ch->err == ERR_OK && i < n; i++) {
        bytes_to_hex(list[i].digest, sizeof list[i].digest, hex);
        json_array_append_new(
            ch->files, json_pack("{s:o, s:s, s:o}", "path", json_sprintf("v1/payloads/%s", hex),
                                 "sha256", hex, "size", json_number((uint64_t)list[i].size)));
    }
}

static void add_release(struct channel *ch, int32_t id)
{
    struct release r;
    void *bytes = NULL;
    char hex[65];
    size_t n = 0;

    ch->err = release_by_id(ch->db, id, &r);
    if (ch->err == ERR_OK)
        ch->err = release_read(ch->db, id, RELEASE_SENT, &bytes, &n, NULL);
    if (ch->err != ERR_OK)
        return;
    bytes_to_hex(r.digest, sizeof r.digest, hex);
    add_file(ch, "manifests", hex, bytes, n);
    free(bytes);
    if (ch->err == ERR_OK)
        add_payloads(ch, id);
}

static bool add_trust(void *ctx, const struct trust_set *set)
{
    char name[12];

    snprintf(name, sizeof name, "%u", set->version);
    add_file(ctx, "trust", name, set->document, set->document_n);
    return ((struct channel *)ctx)->err == ERR_OK;
}

enum err channel_call(struct call *c, struct db *db)
{
    struct channel ch = { .c = c, .db = db, .files = json_array() };
    const struct snapshot *snap;
    enum err e = ERR_OK;

    c->out = json_pack("{s:o}", "files", ch.files);
    ch.space = calloc(SPACES, sizeof *ch.space);
    if (ch.space == NULL)
        return FAIL(ERR_MEMORY, "channel");
    snap = engine_snapshot(c->engine);
    for (size_t i = 0; ch.err == ERR_OK && i < snap->products_n; i++)
        ch.err = ch.space_n == SPACES ? FAIL(ERR_UNSUPPORTED, "more than %d spaces", SPACES)
                                      : fill_product(&ch, snap, &snap->products[i]);
    engine_snapshot_done(c->engine);
    for (size_t i = 0; ch.err == ERR_OK && i < ch.space_n; i++) {
        struct space *s = &ch.space[i];

        add_file(&ch, "statements", s->file, s->statement.bytes, s->statement.n);
        for (unsigned k = 0; ch.err == ERR_OK && k < s->releases_n; k++)
            add_release(&ch, s->release[k]);
    }
    free(ch.space);
    if (ch.err == ERR_OK)
        e = trust_set_list(db, 0, INT32_MAX, add_trust, &ch);
    return ch.err != ERR_OK ? ch.err : e;
}

enum err payload_content_call(struct call *c, struct db *db)
{
    int64_t size = 0;
    int fd = -1;
    enum err e = call_digest(c, "sha256", c->payload);

    if (e == ERR_OK)
        e = artifact_row_get(db, c->payload, &size);
    if (e == ERR_OK)
        e = artifact_read(c->engine->artifacts, c->payload, &fd, &size);
    if (e != ERR_OK)
        return e;
    http_reply_file(&c->reply, c->req, "application/octet-stream", fd, size, c->payload);
    c->replied = true;
    return ERR_OK;
}
