/*
 * The walk over all commands. The nesting is a stack of positions; nothing recurses.
 */
#include "walk.h"

#include "fault.h"

_Static_assert(LSUIT_MAX_COMPONENTS < 32, "sets of components are 32 bits");

bool lsuit_walk_fail(struct lsuit_walk *w, enum lsuit_err err, const char *why)
{
    if (w->err == LSUIT_OK) {
        w->err = err == LSUIT_ERR_RANGE ? LSUIT_ERR_CBOR : err;
        w->why = why;
    }
    return false;
}

static struct lsuit_walk_frame *top(struct lsuit_walk *w)
{
    return &w->frame[w->depth - 1];
}

/* Point the frame at the commands in the content of a byte string. */
static void sequence_begin(struct lsuit_walk *w, struct lsuit_bytes content)
{
    struct lsuit_walk_frame *f = top(w);
    uint32_t items;

    w->c = lsuit_cbor_open(content);
    items = lsuit_cbor_array(&w->c);
    f->left = items / 2;
    f->p = w->c.p;
    f->end = w->c.end;
    if (w->c.err != LSUIT_OK)
        (void)lsuit_walk_fail(w, w->c.err, TEXT("no command sequence"));
    else if (items == 0 || items % 2 != 0)
        (void)lsuit_walk_fail(w, LSUIT_ERR_CBOR,
                              items == 0 ? TEXT("an empty command sequence")
                                         : TEXT("a command without its argument"));
}

static bool push(struct lsuit_walk *w)
{
    uint32_t components = w->components;

    if (w->depth == LSUIT_MAX_DEPTH)
        return lsuit_walk_fail(w, LSUIT_ERR_LIMIT, TEXT("sequences nested too deeply"));
    w->depth++;
    *top(w) = (struct lsuit_walk_frame){ 0 };
    top(w)->components = components;
    return true;
}

void lsuit_walk_start(struct lsuit_walk *w, struct lsuit_bytes content)
{
    *w = (struct lsuit_walk){ 0 };
    w->components = 1; /* the index starts at 0 */
    if (push(w))
        sequence_begin(w, content);
}

/* Go into the next alternative of the try-each on top, or past the nil at its end. */
static void alternative_begin(struct lsuit_walk *w)
{
    struct lsuit_walk_frame *f = top(w);
    struct lsuit_bytes content = { NULL, 0 };

    f->alt_left--;
    w->c = lsuit_cbor_open((struct lsuit_bytes){ f->alt_p, (size_t)(f->alt_end - f->alt_p) });
    if (lsuit_cbor_peek(&w->c) == LSUIT_CBOR_SIMPLE && f->alt_left == 0)
        lsuit_cbor_null(&w->c);
    else
        content = lsuit_cbor_bstr(&w->c);
    if (w->c.err != LSUIT_OK) {
        (void)lsuit_walk_fail(w, w->c.err, TEXT("an alternative is no byte string"));
    } else if (content.ptr != NULL) {
        f->alt_p = w->c.p;
        f->components = f[-1].components;
        sequence_begin(w, content);
    }
}

/* Leave sequences that are at their end. false when all are, or on an error. */
static bool settle(struct lsuit_walk *w)
{
    while (w->err == LSUIT_OK && top(w)->left == 0) {
        if (top(w)->p != top(w)->end)
            return lsuit_walk_fail(w, LSUIT_ERR_CBOR, TEXT("bytes after a command sequence"));
        if (top(w)->alt_left > 0) {
            alternative_begin(w);
            continue;
        }
        if (w->depth == 1)
            return false;
        w->depth--;
    }
    return w->err == LSUIT_OK;
}

/* The list of alternatives, whole, is `list`. */
static void try_each_enter(struct lsuit_walk *w, struct lsuit_bytes list)
{
    const uint8_t *first;
    uint32_t n;

    w->c = lsuit_cbor_open(list);
    n = lsuit_cbor_array(&w->c);
    if (w->c.err != LSUIT_OK) {
        (void)lsuit_walk_fail(w, w->c.err, TEXT("try-each needs an array"));
        return;
    }
    first = w->c.p;
    for (uint32_t i = 1; i < n; i++)
        (void)lsuit_cbor_item(&w->c);
    if (n < (lsuit_cbor_peek(&w->c) == LSUIT_CBOR_SIMPLE ? 3u : 2u)) {
        (void)lsuit_walk_fail(w, LSUIT_ERR_CBOR, TEXT("try-each needs two alternatives"));
        return;
    }
    if (!push(w))
        return;
    top(w)->alt_p = first;
    top(w)->alt_end = w->c.end;
    top(w)->alt_left = n;
}

/* Take the argument of a command that holds sequences, and go into them. */
static void enter(struct lsuit_walk *w)
{
    struct lsuit_bytes content;

    w->open = false;
    if (w->code == LSUIT_DIR_TRY_EACH)
        content = lsuit_cbor_item(&w->c);
    else
        content = lsuit_cbor_bstr(&w->c);
    if (w->c.err != LSUIT_OK) {
        (void)lsuit_walk_fail(w, w->c.err, TEXT("the argument holds no sequence"));
        return;
    }
    top(w)->p = w->c.p;
    if (w->code == LSUIT_DIR_TRY_EACH)
        try_each_enter(w, content);
    else if (push(w))
        sequence_begin(w, content);
}

bool lsuit_walk_next(struct lsuit_walk *w)
{
    struct lsuit_walk_frame *f;

    if (w->c.err != LSUIT_OK)
        return lsuit_walk_fail(w, w->c.err, TEXT("a malformed argument"));
    if (w->open)
        top(w)->p = w->c.p;
    w->open = false;
    if (!settle(w))
        return false;
    f = top(w);
    w->c = lsuit_cbor_open((struct lsuit_bytes){ f->p, (size_t)(f->end - f->p) });
    w->code = lsuit_cbor_int(&w->c);
    if (w->c.err != LSUIT_OK)
        return lsuit_walk_fail(w, LSUIT_ERR_CBOR, TEXT("a malformed command"));
    f->left--;
    w->components = f->components;
    w->first = !w->begun;
    w->begun = true;
    w->open = true;
    if (w->code == LSUIT_DIR_TRY_EACH || w->code == LSUIT_DIR_RUN_SEQUENCE)
        enter(w);
    return w->err == LSUIT_OK;
}

static void index_add(struct lsuit_walk *w, uint32_t components_n, uint32_t *set)
{
    uint64_t i = 0;

    if (lsuit_cbor_peek(&w->c) == LSUIT_CBOR_NINT)
        lsuit_cbor_fail(&w->c, LSUIT_ERR_COMPONENT);
    i = lsuit_cbor_uint(&w->c);
    if (w->c.err != LSUIT_OK)
        return;
    if (i >= components_n || (*set & (uint32_t)1 << i) != 0)
        lsuit_cbor_fail(&w->c, LSUIT_ERR_COMPONENT);
    else
        *set |= (uint32_t)1 << i;
}

void lsuit_walk_index(struct lsuit_walk *w, uint32_t components_n)
{
    uint32_t set = 0;

    switch (lsuit_cbor_peek(&w->c)) {
    case LSUIT_CBOR_SIMPLE:
        if (lsuit_cbor_bool(&w->c))
            set = ((uint32_t)1 << components_n) - 1;
        break;
    case LSUIT_CBOR_ARRAY:
        lsuit_cbor_array(&w->c);
        while (lsuit_cbor_next(&w->c))
            index_add(w, components_n, &set);
        break;
    default:
        index_add(w, components_n, &set);
    }
    if (set == 0)
        lsuit_cbor_fail(&w->c, LSUIT_ERR_CBOR);
    if (w->c.err != LSUIT_OK)
        (void)lsuit_walk_fail(w, w->c.err, TEXT("no index of a component"));
    top(w)->components = set;
}
