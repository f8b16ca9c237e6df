/*
 * Two records in different erase units; the newest whole one holds.
 *
 *   (1) A save writes only the record that doesn't hold the newest values.
 *   (2) A record counts only when magic, length and proof fit. The proof is a CRC-32 (IEEE
 *       802.3), or the port's seal over the SHA-256 of the record.
 *   (3) So at every instant at least one record holds values that were saved whole: the last
 *       ones, or those before.
 *   (4) A save has happened only when the bytes were read back and are the ones written.
 *   (5) Members are only ever added at the end. A library that doesn't know them reads what it
 *       knows: after a revert an older one finds the record of a newer one.
 *
 * struct lapel_record is stored as it lies in memory, its proof right behind it. Only the device
 * itself reads it, so the order of bytes is its own.
 */
#ifndef LAPEL_JOURNAL_H
#define LAPEL_JOURNAL_H

#include "lapel_context.h"

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
