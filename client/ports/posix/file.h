/*
 * Small files on a file system that may lose power at any instant.
 *
 *   (1) file_replace: after a cut the name holds the old bytes or the new ones, whole.
 *   (2) When it answers true the new bytes are on the medium, and so is the name.
 */
#ifndef AGENT_FILE_H
#define AGENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FILE_ABSENT (-1)  /* no such file */
#define FILE_FAIL (-2)    /* errno says why */
#define FILE_TOO_BIG (-3) /* more than cap bytes */

/* Read a whole regular file. The number of bytes, or one of the above. */
ssize_t file_read(int dirfd, const char *name, void *buf, size_t cap);

/* Write all or nothing, durably (1), (2). False with errno. The name holds no '/'. */
bool file_replace(int dirfd, const char *name, const void *bytes, size_t n, mode_t mode);

/* All bytes to fd, whatever write takes at a time. */
bool file_write_all(int fd, const void *bytes, size_t n);

/* Make a folder (0750) unless it is there, and open it. -1 with errno. */
int file_open_dir(int dirfd, const char *name);

/*
 * Who else may read or write this path? A set of FILE_OTHERS_... bits, 0 when only its owner may;
 * FILE_FAIL (negative) with errno when it can't be asked. A foreign owner (neither we nor root)
 * counts as somebody who may do both. Symbolic links are followed.
 */
#define FILE_OTHERS_READ 1
#define FILE_OTHERS_WRITE 2
int file_others(int dirfd, const char *name);

#endif
