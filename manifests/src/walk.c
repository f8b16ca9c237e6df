/*
 * The walk over all commands. The nesting is a stack of frames; nothing recurses.
 */
#include "walk.h"

#include "fault.h"

#include <string.h>

void lsuit_walk_start(struct lsuit_walk *w, struct lsuit_bytes content)
{
    *w = (struct lsuit_walk){ .depth = 1 };
    w->frame[0].list_n = 1;
    (void)lsuit_sequence_begin(&w->frame[0], &w->c, content);
}

/* A nested sequence applies to what the command that holds it applies to. */
static void inherit(struct lsuit_frame *f)
{
    memcpy(f->list, (f - 1)->list, sizeof f->list);
    f->list_n = (f - 1)->list_n;
}

/* Leave sequences that are at their end, for the next alternative where there is one. */
static bool settle(struct lsuit_walk *w)
{
    while (lsuit_walk_top(w)->left == 0) {
        struct lsuit_frame *f = lsuit_walk_top(w);

        if (f->alternatives > 0) {
            inherit(f);
            w->fresh = true;
            w->code = LSUIT_DIR_TRY_EACH; /* should it be at fault */
            if (!lsuit_sequence_alternative(f, &w->c))
                return false;
        } else if (w->depth == 1) {
            return false;
        } else {
            w->depth--;
        }
    }
    return true;
}

/* The argument holds sequences: go into the first one. */
static bool enter(struct lsuit_walk *w)
{
    struct lsuit_frame *f = lsuit_walk_top(w);
    struct lsuit_bytes argument = lsuit_cbor_item(&w->c);

    w->open = false;
    if (w->c.err != LSUIT_OK || !lsuit_sequence_next(f, &w->c))
        return false;
    if (w->depth == LSUIT_MAX_DEPTH)
        return REFUSE(&w->c, LSUIT_ERR_LIMIT, "sequences nested too deeply");
    w->depth++;
    f[1] = (struct lsuit_frame){ 0 };
    inherit(&f[1]);
    w->fresh = true;
    lsuit_cbor_start(&w->c, argument);
    return lsuit_sequence_enter(&f[1], &w->c, w->code);
}

bool lsuit_walk_next(struct lsuit_walk *w)
{
    if (w->c.err != LSUIT_OK || (w->open && !lsuit_sequence_next(lsuit_walk_top(w), &w->c)))
        return false;
    w->open = false;
    if (!settle(w))
        return false;
    w->code = lsuit_sequence_command(lsuit_walk_top(w), &w->c);
    if (w->c.err != LSUIT_OK)
        return false;
    w->first = !w->begun;
    w->begun = true;
    w->open = true;
    w->branch = w->fresh && w->depth == 2 && lsuit_walk_top(w)->kind == FRAME_TRY_EACH;
    w->fresh = false;
    if (w->code == LSUIT_DIR_TRY_EACH || w->code == LSUIT_DIR_RUN_SEQUENCE)
        return enter(w);
    return true;
}
