/*
 * Inside the codec: walking over every command of a sequence and of those nested in it, executed
 * or not, in the order of the document. Nesting ends at LSUIT_MAX_DEPTH.
 */
#ifndef LSUIT_SRC_WALK_H
#define LSUIT_SRC_WALK_H

#include "sequence.h"

struct lsuit_walk {
    struct lsuit_cbor c; /* stands at the argument; keeps the first error */
    int32_t code;        /* the command */
    bool first;          /* the first of the outermost sequence */
    bool begun;          /* there was a command */
    bool open;           /* its argument is the caller's to take */
    bool fresh;          /* a sequence was entered, the command is its first */
    bool branch;         /* the first command of an alternative of an outermost try-each */
    uint8_t depth;       /* 1: in the outermost sequence */
    struct lsuit_frame frame[LSUIT_MAX_DEPTH];
};

/* Begin with the content of a section's byte string; commands apply to component 0 first. */
void lsuit_walk_start(struct lsuit_walk *w, struct lsuit_bytes content);

/*
 * The next command. false at the end or on an error (w->c.err). The caller takes the argument from
 * w->c; those of try-each and run-sequence are taken already, and their commands come next.
 */
bool lsuit_walk_next(struct lsuit_walk *w);

/* The frame in work: its list names the components that the command applies to. */
static inline struct lsuit_frame *lsuit_walk_top(struct lsuit_walk *w)
{
    return &w->frame[w->depth - 1];
}

#endif
