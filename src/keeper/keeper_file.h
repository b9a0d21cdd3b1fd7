/*
 * keeper_file.h - the few things that key files need of a file system.
 */
#ifndef KEEPER_KEEPER_FILE_H
#define KEEPER_KEEPER_FILE_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Opens the folder `path`; makes it, for its owner alone, when it is missing
 * and its parent is there.  ERR_IO.
 */
MUST_CHECK enum err keeper_file_open_dir(const char *path, int *ret_fd);

/*
 * Puts `bytes` under `name`, readable by the owner alone: after a crash or a
 * loss of power the file is there whole, or it is not there.
 * ERR_LIMIT: there is one already, which stays.  ERR_IO.
 */
MUST_CHECK enum err keeper_file_create(int dir, const char *name,
                                       struct str bytes);

/* Removes what a crash may have left of keeper_file_create(). */
void keeper_file_clean(int dir, const char *name);

/* Reads exactly `n` bytes at `offset`.  ERR_IO; ERR_CORRUPT: fewer. */
MUST_CHECK enum err keeper_file_read(int fd, void *to, size_t n, size_t offset);

/* Writes all of `bytes` at `offset`.  ERR_STORE: no space left.  ERR_IO. */
MUST_CHECK enum err keeper_file_write(int fd, struct str bytes, size_t offset);

#endif
