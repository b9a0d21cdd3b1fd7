/*
 * window.h - reading a file forward through one buffer.
 *
 * Small requests are served from a read of at least WINDOW_STEP bytes; a
 * larger one makes the buffer as large.  The file may grow or be cut while
 * it is read: the buffer shows it as it was, until window_forget().
 */
#ifndef LEDGER_WINDOW_H
#define LEDGER_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/limits.h"

#define WINDOW_STEP (256 * KIB)

struct window {
    int fd; /* borrowed */
    char *bytes;
    size_t room, len;
    uint64_t at; /* of bytes[0] in the file */
};

/* Cannot fail and allocates nothing. */
void window_init(struct window *w, int fd);
void window_release(struct window *w);
void window_forget(struct window *w);

/*
 * `n` bytes at `offset`, borrowed until the next call.  ERR_NOT_FOUND: the
 * file ends before.  ERR_IO, ERR_NO_MEMORY.
 */
MUST_CHECK enum err window_get(struct window *w, uint64_t offset, size_t n,
                               const char **ret);

#endif
