/*
 * file.h - whole files, synchronously: for start-up, and for the processes
 * that have no loop.
 *
 * Paths are relative to `dir`, an open directory, or to the working directory
 * with FILE_CWD.  Everything opened here is close-on-exec.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define FILE_CWD AT_FDCWD
#define FILE_PATH_MAX ((size_t)4096)

/*
 * Appends the whole of a regular file to `to`, whose maximum is the limit.
 * ERR_NOT_FOUND.  ERR_LIMIT: larger than what `to` may still take.  ERR_IO.
 */
MUST_CHECK enum err file_read(int dir, const char *path, struct buf *to);

/* Writes all of it, however often the system wants to be asked. */
MUST_CHECK enum err file_write(int fd, struct str bytes);

/*
 * Makes `path` hold exactly `bytes`, or leaves it as it was, also across a
 * power cut: a temporary file beside it is written, synced and renamed, and
 * the directory is synced.  One writer at a time.
 */
MUST_CHECK enum err file_replace(int dir, const char *path, struct str bytes,
                                 mode_t mode);

/* Creates `path` and the directories above it; those that exist are fine. */
MUST_CHECK enum err file_make_dirs(int dir, const char *path, mode_t mode);

/* Opens a directory, for the `dir` arguments and for file_sync(). */
MUST_CHECK enum err file_open_dir(int dir, const char *path, int *ret_fd);

/* fsync(2) of a file or directory. */
MUST_CHECK enum err file_sync(int fd);

/*
 * Takes the one lock that `path` stands for, without waiting; it is held
 * until *ret_fd is closed, here and in every process that inherited it.
 * ERR_OVERLOAD: somebody else holds it, and *ret_holder is their pid, or 0
 * where they have not said yet.
 */
MUST_CHECK enum err file_lock(int dir, const char *path, int *ret_fd,
                              pid_t *ret_holder);

#endif
