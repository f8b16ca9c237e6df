/*
 * Payloads on disk, each under the SHA-256 of its bytes.
 *
 *     <dir>/tmp/<random>       being written; removed at the next start
 *     <dir>/<2 hex>/<64 hex>   whole
 *
 *   (1) A name in its final place holds exactly the bytes that the name says, on disk.
 *   (2) An upload uses the same memory whatever its size.
 *   (3) The ballast file is given back to the file system when it is full, so that a halt can
 *       still be written; it is taken again at the next start.
 */
#ifndef ARTIFACT_ARTIFACT_H
#define ARTIFACT_ARTIFACT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARTIFACT_DIGEST 32

struct artifact_dir;
struct artifact_upload;

/*
 * Open the folder, make it when it isn't there, remove what a crash left in tmp.
 *
 *   ballast  bytes to reserve, 0 for none. A disk too full for them is a warning, no error
 *
 * ERR_IO  already logged
 */
enum err artifact_open(const char *dir, int64_t ballast, struct artifact_dir **dir_out);
void artifact_close(struct artifact_dir *dir);

/* Begin an upload of `size` bytes that shall have this digest. ERR_IO, ERR_FULL, ERR_MEMORY */
enum err artifact_begin(struct artifact_dir *dir, const uint8_t digest[ARTIFACT_DIGEST],
                        int64_t size, struct artifact_upload **upload_out);
/* ERR_FULL no space, ERR_IO, ERR_DIGEST more bytes than announced */
enum err artifact_write(struct artifact_upload *upload, const void *bytes, size_t n);
/*
 * Check digest and size, sync, and give it its name. Ends the upload, whatever the outcome.
 * ERR_DIGEST it is something else; ERR_IO, ERR_FULL. Nothing is kept on error.
 */
enum err artifact_commit(struct artifact_upload *upload);
/* Drop it. NULL is fine. */
void artifact_abort(struct artifact_upload *upload);

/* Open for reading. ERR_NOT_FOUND, ERR_IO */
enum err artifact_read(struct artifact_dir *dir, const uint8_t digest[ARTIFACT_DIGEST], int *fd_out,
                       int64_t *size_out);

/* Give the ballast back. True when there was some. */
bool artifact_release_ballast(struct artifact_dir *dir);

#endif
