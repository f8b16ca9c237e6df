/*
 * One command sequence: see sequence.h.
 */
#include "sequence.h"

#include "fault.h"

bool lsuit_sequence_begin(struct lsuit_frame *f, struct lsuit_cbor *c, struct lsuit_bytes content)
{
    uint32_t items;

    lsuit_cbor_start(c, content);
    items = lsuit_cbor_array(c);
    if (items == 0)
        REFUSE(c, LSUIT_ERR_CBOR, "no command sequence, or an empty one");
    if (items % 2 != 0)
        REFUSE(c, LSUIT_ERR_CBOR, "a command without its argument");
    f->at = c->p;
    f->end = c->end;
    f->left = items / 2;
    return c->err == LSUIT_OK;
}

int32_t lsuit_sequence_command(const struct lsuit_frame *f, struct lsuit_cbor *c)
{
    lsuit_cbor_start(c, (struct lsuit_bytes){ f->at, (size_t)(f->end - f->at) });
    return lsuit_cbor_int32(c);
}

bool lsuit_sequence_next(struct lsuit_frame *f, struct lsuit_cbor *c)
{
    f->at = c->p;
    f->left--;
    if (f->left == 0 && f->at != f->end)
        REFUSE(c, LSUIT_ERR_CBOR, "bytes after a command sequence");
    return c->err == LSUIT_OK;
}

bool lsuit_sequence_enter(struct lsuit_frame *f, struct lsuit_cbor *c, int32_t code)
{
    struct lsuit_bytes content;

    if (code == LSUIT_DIR_TRY_EACH) {
        f->kind = FRAME_TRY_EACH;
        f->alternatives = lsuit_cbor_array(c);
        f->next = c->p;
        if (f->alternatives < 2)
            return REFUSE(c, LSUIT_ERR_CBOR, "try-each needs two alternatives");
        return lsuit_sequence_alternative(f, c);
    }
    f->kind = FRAME_RUN_SEQUENCE;
    content = lsuit_cbor_bstr(c);
    return c->err == LSUIT_OK && lsuit_sequence_begin(f, c, content);
}

bool lsuit_sequence_alternative(struct lsuit_frame *f, struct lsuit_cbor *c)
{
    const uint8_t *end = (f - 1)->end;
    struct lsuit_bytes content;

    lsuit_cbor_start(c, (struct lsuit_bytes){ f->next, (size_t)(end - f->next) });
    f->alternatives--;
    f->soft = true;
    if (lsuit_cbor_peek(c) == LSUIT_CBOR_SIMPLE) {
        lsuit_cbor_null(c);
        if (f->alternatives > 0 || f->begun < 2)
            REFUSE(c, LSUIT_ERR_CBOR, "nil stands last, after two alternatives");
        f->left = 0;
        return c->err == LSUIT_OK;
    }
    content = lsuit_cbor_bstr(c);
    f->next = c->p;
    if (f->begun < 2)
        f->begun++;
    return c->err == LSUIT_OK && lsuit_sequence_begin(f, c, content);
}

static void index_add(struct lsuit_frame *f, struct lsuit_cbor *c, uint32_t n)
{
    uint64_t i = UINT64_MAX;

    if (lsuit_cbor_peek(c) != LSUIT_CBOR_NINT)
        i = lsuit_cbor_uint(c);
    for (uint32_t k = 0; k < f->list_n; k++) {
        if (f->list[k] == i)
            i = UINT64_MAX;
    }
    if (i < n)
        f->list[f->list_n++] = (uint8_t)i;
    else
        REFUSE(c, LSUIT_ERR_COMPONENT, "no component of this index, or one twice");
}

bool lsuit_sequence_index(struct lsuit_frame *f, struct lsuit_cbor *c, uint32_t n)
{
    f->list_n = 0;
    f->all = lsuit_cbor_peek(c) == LSUIT_CBOR_SIMPLE;
    if (f->all) {
        if (lsuit_cbor_bool(c)) {
            while (f->list_n < n) {
                f->list[f->list_n] = f->list_n;
                f->list_n++;
            }
        }
    } else if (lsuit_cbor_peek(c) == LSUIT_CBOR_ARRAY) {
        (void)lsuit_cbor_array(c);
        while (lsuit_cbor_next(c))
            index_add(f, c, n);
    } else {
        index_add(f, c, n);
    }
    if (f->list_n == 0)
        REFUSE(c, LSUIT_ERR_CBOR, "no index of a component");
    return c->err == LSUIT_OK;
}
