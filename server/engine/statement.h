/*
 * Freshness statements (manifests/SPEC.md, section 9): one for each space, signed once and kept.
 *
 *   (1) A number is below what is on disk before any device sees it; it never falls, whatever
 *       becomes of this process or of the database.
 *   (2) What a statement says was committed: it is made from the current snapshot only.
 *   (3) A statement is signed when it is older than max-age, when the snapshot changed, or for a
 *       nonce; nonces are limited for all devices together, and one over the limit gets the
 *       statement that is kept.
 *   (4) Making one never waits for the disk.
 */
#ifndef ENGINE_STATEMENT_H
#define ENGINE_STATEMENT_H

#include "engine/snapshot.h"
#include "lsuit/statement.h"
#include "trust/online.h"

enum { STATEMENT_NONCES_PER_S = 100, STATEMENT_NONCES_BURST = 200 };

struct statements;

struct statement_config {
    const char *number_file; /* keeps the numbers; not part of a backup */
    uint32_t max_age_s;
    uint32_t stale_after_s; /* 0: 7 days or three polls, whichever is longer */
};

/*
 * The numbers go on above all that were used, and not below the time of day: so they rise even
 * when the whole folder comes from a backup.
 *
 *   online  borrowed until statements_close
 *
 * ERR_CONFIG  the file is no number; already logged
 * ERR_IO, ERR_FULL, ERR_MEMORY
 */
enum err statements_open(const struct statement_config *config, struct online *online,
                         int64_t now_ms, struct statements **statements_out);
/* Leaves the numbers where they are, without a gap. NULL is fine. */
void statements_close(struct statements *statements);

/* Take more numbers when few are left. By the clock, and by nobody else. */
void statements_reserve(struct statements *statements);

struct statement {
    uint64_t number;
    uint8_t bytes[LSUIT_STATEMENT_MAX];
    size_t n;
};

/*
 * The statement of a product's space.
 *
 *   snap       the current snapshot, locked
 *   component  encoded component id; absent for none
 *   nonce      absent: none is wanted
 *
 * ERR_NOT_FOUND  the product has no such space
 * ERR_BUSY       no number is left until the disk answers
 * ERR_INTERNAL, ERR_MEMORY
 */
enum err statement_get(struct statements *statements, const struct snapshot *snap,
                       const struct snap_product *product, struct lsuit_bytes component,
                       struct lsuit_bytes nonce, int64_t now_ms, struct statement *statement_out);

#endif
