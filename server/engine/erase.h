/*
 * Erasing devices for good: the nonce of an erase that was asked for at the device, the list that
 * outlives backups, and the signed receipt.
 *
 *   (1) A device is on the list, on disk, before its rows go; so a database from a backup loses
 *       them again at the next start.
 *   (2) The list names nobody: it is keyed hashes, and the key stands in another file.
 *   (3) A nonce is good once, for ten minutes, and for the device that asked.
 */
#ifndef ENGINE_ERASE_H
#define ENGINE_ERASE_H

#include "base/err.h"
#include "lsuit/bytes.h"
#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ERASE_NONCE = 16, ERASE_WAITING = 1024, ERASE_NONCE_MS = 10 * 60 * 1000 };

struct erase;

/*
 *   list_file  keyed hashes, one a line; made with the first
 *   key_file   32 bytes as hex, 0600; made when it is missing
 *
 * ERR_CONFIG  a list without its key, or either damaged; already logged
 */
enum err erase_open(const char *list_file, const char *key_file, struct erase **erase_out);
void erase_close(struct erase *erase);

/* A nonce for this device; one before it is no good any more. */
void erase_nonce(struct erase *erase, int32_t device, int64_t now_ms,
                 uint8_t nonce_out[ERASE_NONCE]);
/* Is it the one? It stays so while the device is there: what failed can be asked for again. */
bool erase_fits(struct erase *erase, int32_t device, struct lsuit_bytes nonce, int64_t now_ms);

/* In the writer, before the rows go: put a device on the list. */
enum err erase_note(struct erase *erase, struct db *db, const char *product, const char *device);

/*
 * In the writer, at the start: forget what the list has and this database was never told of.
 *
 *   count_out  how many devices went
 */
enum err erase_apply(struct erase *erase, struct db *db, unsigned *count_out);

#endif
