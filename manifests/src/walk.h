/*
 * Inside the codec: walking over every command of a sequence and of those nested in it, executed
 * or not, in the order of the document.
 *
 *   (1) Every sequence is an array of a number of pairs that isn't 0, and nothing follows it.
 *   (2) A try-each has two alternatives at least; nil stands last or not at all.
 *   (3) Nesting ends at LSUIT_MAX_DEPTH.
 */
#ifndef LSUIT_SRC_WALK_H
#define LSUIT_SRC_WALK_H

#include "lsuit/suit.h"

struct lsuit_walk_frame {
    const uint8_t *p, *end;         /* the rest of the sequence in work */
    uint32_t left;                  /* pairs in it */
    const uint8_t *alt_p, *alt_end; /* try-each: the alternatives that follow */
    uint32_t alt_left;
    uint32_t components; /* bit i: commands apply to component i */
};

struct lsuit_walk {
    struct lsuit_cbor c; /* stands at the argument */
    int64_t code;        /* the command */
    bool first;          /* the first of the outermost sequence */
    bool begun;
    uint8_t depth;       /* 1: in the outermost sequence */
    uint32_t components; /* the command applies to these */
    enum lsuit_err err;
    const char *why;
    bool open; /* the caller has taken, or will take, the argument */
    struct lsuit_walk_frame frame[LSUIT_MAX_DEPTH];
};

/* Begin with the content of a section's byte string. */
void lsuit_walk_start(struct lsuit_walk *w, struct lsuit_bytes content);

/*
 * The next command. false at the end or on an error (w->err). The caller takes the argument from
 * w->c; those of try-each and run-sequence are taken already, and their commands come next.
 */
bool lsuit_walk_next(struct lsuit_walk *w);

/* Keep the first error. Returns false. */
bool lsuit_walk_fail(struct lsuit_walk *w, enum lsuit_err err, const char *why);

/*
 * Take the argument of set-component-index; the commands that follow apply to what it names.
 *
 * LSUIT_ERR_COMPONENT  an index from components_n on, or one twice
 */
void lsuit_walk_index(struct lsuit_walk *w, uint32_t components_n);

#endif
