/* Two records in different erase units; the newest whole one holds. Bytes: journal.c. */
#ifndef LAPEL_JOURNAL_H
#define LAPEL_JOURNAL_H

#include "lapel_context.h"

/* Bytes of a record that are read and written, a multiple of any write size up to 32. */
#define JOURNAL_SIZE 512

/*
 * Read what holds into ctx->rec; ctx->nv_known tells whether there was any. Without one the
 * record is all zero. Harmless to call again.
 *
 * LAPEL_ERR_NV  a record could not be read at all
 */
enum lapel_err lapel_journal_load(struct lapel *ctx);

/*
 * Make ctx->rec durable in the older record and read it back.
 *
 * LAPEL_ERR_NV  not stored; the former record still holds, and ctx->rec.number is as it was
 */
enum lapel_err lapel_journal_save(struct lapel *ctx);

#endif
