/*
 * tear.h - is what follows the last good frame the remains of a write that
 * a crash cut short, or damage?
 *
 * A segment is preallocated, so a sector that was never written reads as
 * zeros, and frames never end in a zero byte.  Remains of the last write
 * therefore show a hole: a missing end, or whole sectors of zeros.  Bytes
 * that are all there and yet do not verify were changed later, and so was a
 * frame that later frames were built upon.  Evidence is cut only when it
 * cannot have been acknowledged.
 */
#ifndef LEDGER_TEAR_H
#define LEDGER_TEAR_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "ledger/commit.h"
#include "ledger/window.h"

enum { TEAR_SECTOR = 512 };

struct tear {
    uint64_t bytes;   /* from the good end to the last byte that is not 0 */
    const char *what; /* why it is damage */
};

/*
 * `end` is where the frame should be; `head` is its head when that verifies,
 * else NULL.  ERR_OK: a torn write, or nothing at all (`bytes` is 0).
 * ERR_CORRUPT: damage.  ERR_IO, ERR_NO_MEMORY.
 */
MUST_CHECK enum err tear_judge(struct window *w, uint64_t end,
                               const struct commit_head *head,
                               struct tear *ret);

#endif
