/*
 * An envelope in words. Takes anything: what can't be read is said, never guessed.
 */
#ifndef TOOLS_SHOW_H
#define TOOLS_SHOW_H

#include "lsuit/bytes.h"

/* A readable tree: every key by name, an unknown encoding by the draft it comes from. */
int show_tree(struct lsuit_bytes doc);
/* CBOR diagnostic notation, bstr-wrapped parts opened. */
int show_diag(struct lsuit_bytes doc);
/* The facts as one JSON object. */
int show_json(struct lsuit_bytes doc);

#endif
