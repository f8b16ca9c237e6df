/* Small files that must be whole and durable. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"

#include <stddef.h>

/*
 * Replace a file by these bytes: after ERR_OK the new ones are on disk under this name, before it
 * the old ones are.
 *
 *   mode  of the file, whatever the umask says
 */
enum err file_put(const char *path, const void *bytes, size_t n, unsigned mode);

/*
 * Read a whole file that only its owner may read.
 *
 * ERR_NOT_FOUND  there is none
 * ERR_CONFIG     others may read it, or it is longer than `room` - 1; already logged
 * ERR_IO         it can't be read; already logged
 */
enum err file_get_secret(const char *path, char *text_out, size_t room, size_t *n_out);

/* Add bytes at the end of a file, on disk before this returns. Made with this mode. */
enum err file_append(const char *path, const void *bytes, size_t n, unsigned mode);

#endif
