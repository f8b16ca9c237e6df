/*
 * Inside the codec: one command sequence, as the check and the processor go through it.
 * draft-ietf-suit-manifest-37, section 8.4.12 and the CDDL of SUIT_Command_Sequence.
 *
 *   (1) A sequence is an array of pairs, one at least, and nothing follows it.
 *   (2) A try-each has two alternatives at least; nil stands last, after them, or not at all.
 *
 * A frame is a sequence in work; a try-each and the alternative of it in work are one frame. Errors
 * stand in the cursor that is handed in. Frames of nested sequences are neighbours in an array.
 */
#ifndef LSUIT_SRC_SEQUENCE_H
#define LSUIT_SRC_SEQUENCE_H

#include "lsuit/suit_run.h"

enum lsuit_frame_kind { FRAME_SECTION, FRAME_TRY_EACH, FRAME_RUN_SEQUENCE };

/* Stand before the first command in the content of a byte string. */
bool lsuit_sequence_begin(struct lsuit_frame *f, struct lsuit_cbor *c, struct lsuit_bytes content);

/* The code of the command at hand; the cursor, made anew, stands at its argument. */
int32_t lsuit_sequence_command(const struct lsuit_frame *f, struct lsuit_cbor *c);

/* The argument was taken: stand before the next command, or at the end (f->left is 0). */
bool lsuit_sequence_next(struct lsuit_frame *f, struct lsuit_cbor *c);

/*
 * Enter the first sequence in the argument of try-each or run-sequence, at which the cursor stands.
 * `f` is a new frame, empty but for its list of components.
 */
bool lsuit_sequence_enter(struct lsuit_frame *f, struct lsuit_cbor *c, int32_t code);

/* Enter the next alternative; f->alternatives must not be 0. A nil is a sequence at its end. */
bool lsuit_sequence_alternative(struct lsuit_frame *f, struct lsuit_cbor *c);

/*
 * Take the argument of set-component-index, a number, an array of numbers, or true for all of n;
 * the commands that follow apply to what it names.
 *
 * LSUIT_ERR_COMPONENT  an index from n on, or one twice
 */
bool lsuit_sequence_index(struct lsuit_frame *f, struct lsuit_cbor *c, uint32_t n);

#endif
