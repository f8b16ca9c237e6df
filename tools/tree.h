/*
 * A folder that is replaced as a whole: DIR is a link to DIR.1, DIR.2, ...; the next one is built
 * beside it and the link switched, so that a web server shows the old files or the new ones.
 *
 *   (1) DIR is switched only when everything is on the disk.
 *   (2) The folder before stays until the next switch, for whoever is reading it.
 *   (3) Two at a time are refused.
 */
#ifndef TOOLS_TREE_H
#define TOOLS_TREE_H

#include <stdbool.h>

#include "cli.h"

struct tree {
    const char *dir; /* borrowed */
    uint64_t number; /* of the one that is built */
    int lock_fd;
    char now[FILE_PATH_MAX];  /* the folder in use, "" for none */
    char next[FILE_PATH_MAX]; /* the one that is built */
};

/* Begin; what an earlier run left half done is removed. All print what is wrong: CLI_FAILED. */
int tree_begin(struct tree *t, const char *dir);

/* Where a file goes: next/path, its folders made. */
int tree_path(const struct tree *t, const char *path, char out[FILE_PATH_MAX]);

/* The same file as in the folder in use, without copying it; false when it isn't there. */
bool tree_keep(const struct tree *t, const char *path);

/* Sync, switch, remove the folder before the last. */
int tree_commit(struct tree *t);

/* Remove what was built; after tree_commit only the lock goes. */
void tree_end(struct tree *t);

/* A path from a server must stay below a folder: relative, no empty part, none "." or "..". */
bool tree_is_safe(const char *path);

#endif
