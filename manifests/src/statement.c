/*
 * Freshness statement: what a server vouches for with its online key.
 */
#include "lsuit/statement.h"

#include "doc_io.h"

/* --- reading --- */

static void read_release(struct lsuit_in *in, struct lsuit_release *r)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_RELEASE);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_RELEASE_SEQUENCE:
            r->sequence = lsuit_in_uint(in, 1, LSUIT_SEQUENCE_MAX);
            break;
        case LSUIT_RELEASE_DIGEST:
            r->digest = lsuit_in_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
            break;
        case LSUIT_RELEASE_STATE:
            r->state = lsuit_in_uint32(in, 1, DOC_ENUM_MAX);
            if (r->state > LSUIT_RELEASE_WITHDRAWN)
                r->state = LSUIT_RELEASE_HELD;
            break;
        case LSUIT_RELEASE_SALT:
            r->salt = lsuit_in_bytes(in, LSUIT_SALT_LEN, LSUIT_SALT_LEN);
            break;
        case LSUIT_RELEASE_THRESHOLD:
            r->threshold = lsuit_in_uint(in, 0, UINT64_MAX);
            r->has_threshold = true;
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    if (in->c.err == LSUIT_OK && r->has_threshold && r->salt.ptr == NULL)
        lsuit_in_fail_key(in, LSUIT_RELEASE_SALT, LSUIT_ERR_CBOR, TEXT("missing"));
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_RELEASE_SEQUENCE) | DOC_KEY(LSUIT_RELEASE_DIGEST) |
                       DOC_KEY(LSUIT_RELEASE_STATE));
}

/* Sequence numbers are unique in a space. */
static bool sequence_repeats(const struct lsuit_release *releases, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (releases[i].sequence == releases[n].sequence)
            return true;
    }
    return false;
}

static void read_releases(struct lsuit_in *in, struct lsuit_statement *st)
{
    lsuit_in_array(in, LSUIT_MAX_SPACES);
    while (lsuit_cbor_next(&in->c)) {
        read_release(in, &st->releases[st->releases_n]);
        if (in->c.err == LSUIT_OK && sequence_repeats(st->releases, st->releases_n))
            lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("the same sequence twice"));
        st->releases_n++;
    }
}

static void read_support(struct lsuit_in *in, struct lsuit_support *s)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_SUPPORT);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_SUPPORT_MODEL:
            s->model = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_SUPPORT_END:
            s->end = lsuit_in_month(in);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up, DOC_KEY(LSUIT_SUPPORT_MODEL) | DOC_KEY(LSUIT_SUPPORT_END));
}

static struct lsuit_bytes read_support_list(struct lsuit_in *in)
{
    struct lsuit_bytes list = { in->c.p, 0 };
    struct lsuit_support unused;

    lsuit_in_array(in, LSUIT_MAX_SUPPORT);
    while (lsuit_cbor_next(&in->c))
        read_support(in, &unused);
    list.len = (size_t)(in->c.p - list.ptr);
    return list;
}

/* Keys 7 to 14. */
static void read_times(struct lsuit_in *in, struct lsuit_statement *st)
{
    switch (in->key) {
    case LSUIT_STATEMENT_ISSUED:
        st->issued_s = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
        break;
    case LSUIT_STATEMENT_MAX_AGE:
        st->max_age_s = lsuit_in_uint32(in, 0, UINT32_MAX);
        break;
    case LSUIT_STATEMENT_STALE_AFTER:
        st->stale_after_s = lsuit_in_uint32(in, 1, UINT32_MAX);
        break;
    case LSUIT_STATEMENT_NEXT_POLL:
        st->next_poll_s = lsuit_in_poll(in);
        break;
    case LSUIT_STATEMENT_SUPPORT:
        st->support = read_support_list(in);
        break;
    case LSUIT_STATEMENT_NONCE:
        st->nonce = lsuit_in_bytes(in, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
        break;
    case LSUIT_STATEMENT_LOG_ROOT:
        st->log_root = lsuit_in_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
        break;
    case LSUIT_STATEMENT_LOG_SIZE:
        st->log_size = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
        st->has_log_size = true;
        break;
    default:
        lsuit_in_unknown(in);
    }
}

static void read_statement(struct lsuit_in *in, struct lsuit_statement *st)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_STATEMENT);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_STATEMENT_VERSION:
            lsuit_in_version(in);
            break;
        case LSUIT_SPACE_VENDOR_ID:
        case LSUIT_SPACE_CLASS_ID:
        case LSUIT_SPACE_COMPONENT_ID:
            lsuit_in_space_key(in, &st->space);
            break;
        case LSUIT_STATEMENT_NUMBER:
            st->number = lsuit_in_uint(in, 1, LSUIT_NUMBER_MAX);
            break;
        case LSUIT_STATEMENT_HIGHEST:
            st->highest = lsuit_in_uint(in, 0, LSUIT_SEQUENCE_MAX);
            break;
        case LSUIT_STATEMENT_RELEASES:
            read_releases(in, st);
            break;
        default:
            read_times(in, st);
        }
    }
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_STATEMENT_VERSION) | DOC_SPACE_NEEDED |
                       DOC_KEY(LSUIT_STATEMENT_NUMBER) | DOC_KEY(LSUIT_STATEMENT_HIGHEST) |
                       DOC_KEY(LSUIT_STATEMENT_ISSUED) | DOC_KEY(LSUIT_STATEMENT_MAX_AGE) |
                       DOC_KEY(LSUIT_STATEMENT_STALE_AFTER));
}

enum lsuit_err lsuit_statement_read(struct lsuit_bytes doc, struct lsuit_statement *statement_out,
                                    struct lsuit_fault *fault)
{
    struct lsuit_in in = lsuit_in_open(doc);
    struct lsuit_statement st = { 0 };
    enum lsuit_err e;

    read_statement(&in, &st);
    e = lsuit_in_close(&in, fault);
    if (e == LSUIT_OK)
        *statement_out = st;
    return e;
}

bool lsuit_statement_support_at(const struct lsuit_statement *statement, uint32_t i,
                                struct lsuit_support *support_out)
{
    struct lsuit_in in = lsuit_in_open(statement->support);
    struct lsuit_support s = { 0 };
    uint32_t n = 0;

    if (statement->support.ptr == NULL)
        return false;
    lsuit_cbor_array(&in.c);
    while (lsuit_cbor_next(&in.c)) {
        s = (struct lsuit_support){ 0 };
        read_support(&in, &s);
        if (in.c.err == LSUIT_OK && n++ == i) {
            *support_out = s;
            return true;
        }
    }
    return false;
}

uint32_t lsuit_statement_support(const struct lsuit_statement *statement, struct lsuit_bytes model)
{
    struct lsuit_support s;

    for (uint32_t i = 0; lsuit_statement_support_at(statement, i, &s); i++) {
        if (lsuit_bytes_compare(s.model, model) == 0)
            return s.end;
    }
    return 0;
}

const struct lsuit_release *lsuit_statement_release(const struct lsuit_statement *statement,
                                                    uint64_t sequence, struct lsuit_bytes digest)
{
    for (uint32_t i = 0; i < statement->releases_n; i++) {
        const struct lsuit_release *r = &statement->releases[i];

        if (r->sequence == sequence && lsuit_bytes_compare(r->digest, digest) == 0)
            return r;
    }
    return NULL;
}

/* --- writing --- */

static void write_releases(struct lsuit_out *out, const struct lsuit_statement *st)
{
    if (st->releases_n == 0)
        return;
    lsuit_out_array(out, LSUIT_STATEMENT_RELEASES, st->releases_n, LSUIT_MAX_SPACES);
    for (uint32_t i = 0; i < st->releases_n && out->w.err == LSUIT_OK; i++) {
        const struct lsuit_release *r = &st->releases[i];
        struct lsuit_out_mark mark = lsuit_out_map(out);

        if (sequence_repeats(st->releases, i) || (r->has_threshold && r->salt.ptr == NULL))
            lsuit_out_fail(out, LSUIT_ERR_RANGE);
        lsuit_out_need(out, r->digest);
        lsuit_out_uint(out, LSUIT_RELEASE_SEQUENCE, r->sequence, 1, LSUIT_SEQUENCE_MAX);
        lsuit_out_bytes(out, LSUIT_RELEASE_DIGEST, r->digest, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
        lsuit_out_uint(out, LSUIT_RELEASE_STATE, r->state, 1, LSUIT_RELEASE_WITHDRAWN);
        lsuit_out_bytes(out, LSUIT_RELEASE_SALT, r->salt, LSUIT_SALT_LEN, LSUIT_SALT_LEN);
        if (r->has_threshold)
            lsuit_out_uint(out, LSUIT_RELEASE_THRESHOLD, r->threshold, 0, UINT64_MAX);
        lsuit_out_leave(out, mark);
    }
}

enum lsuit_err lsuit_statement_write(const struct lsuit_statement *statement, uint8_t *buf,
                                     size_t cap, struct lsuit_bytes *doc_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);
    struct lsuit_out_mark mark = lsuit_out_map(&out);

    lsuit_out_version(&out);
    lsuit_out_space(&out, &statement->space);
    lsuit_out_uint(&out, LSUIT_STATEMENT_NUMBER, statement->number, 1, LSUIT_NUMBER_MAX);
    lsuit_out_uint(&out, LSUIT_STATEMENT_HIGHEST, statement->highest, 0, LSUIT_SEQUENCE_MAX);
    write_releases(&out, statement);
    lsuit_out_uint(&out, LSUIT_STATEMENT_ISSUED, statement->issued_s, 0, LSUIT_NUMBER_MAX);
    lsuit_out_uint(&out, LSUIT_STATEMENT_MAX_AGE, statement->max_age_s, 0, UINT32_MAX);
    lsuit_out_uint(&out, LSUIT_STATEMENT_STALE_AFTER, statement->stale_after_s, 1, UINT32_MAX);
    if (statement->next_poll_s != 0)
        lsuit_out_uint(&out, LSUIT_STATEMENT_NEXT_POLL, statement->next_poll_s, LSUIT_POLL_MIN_S,
                       LSUIT_POLL_MAX_S);
    lsuit_out_item(&out, LSUIT_STATEMENT_SUPPORT, statement->support);
    lsuit_out_bytes(&out, LSUIT_STATEMENT_NONCE, statement->nonce, LSUIT_NONCE_MIN,
                    LSUIT_NONCE_MAX);
    lsuit_out_bytes(&out, LSUIT_STATEMENT_LOG_ROOT, statement->log_root, LSUIT_SHA256_LEN,
                    LSUIT_SHA256_LEN);
    if (statement->has_log_size)
        lsuit_out_uint(&out, LSUIT_STATEMENT_LOG_SIZE, statement->log_size, 0, LSUIT_NUMBER_MAX);
    lsuit_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}

enum lsuit_err lsuit_support_write(const struct lsuit_support *support, uint32_t n, uint8_t *buf,
                                   size_t cap, struct lsuit_bytes *list_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);

    if (n > LSUIT_MAX_SUPPORT)
        return LSUIT_ERR_LIMIT;
    lsuit_put_array(&out.w, n);
    for (uint32_t i = 0; i < n; i++) {
        struct lsuit_out_mark mark = lsuit_out_map(&out);

        lsuit_out_need(&out, support[i].model);
        lsuit_out_text(&out, LSUIT_SUPPORT_MODEL, support[i].model, 1, LSUIT_NAME_MAX);
        lsuit_out_month(&out, LSUIT_SUPPORT_END, support[i].end);
        lsuit_out_leave(&out, mark);
    }
    return lsuit_put_finish(&out.w, list_out);
}
