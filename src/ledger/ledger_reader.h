/*
 * ledger_reader.h - reads the entries of a log in order, from any index on.
 *
 * Read-only and without a lock: the log may be written to meanwhile, and
 * reading goes on where it ended.  What is given out has been checked against
 * the root in its frame.
 *
 * One thread.
 */
#ifndef LEDGER_LEDGER_READER_H
#define LEDGER_LEDGER_READER_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "ledger/segment.h"

struct ledger_reader;

struct ledger_entry {
    uint64_t index;
    struct str text; /* borrowed until the next call */
    int64_t wall_us; /* when its frame was committed */
};

/* `dir` is the ledger's folder.  ERR_NOT_FOUND, ERR_IO, ERR_NO_MEMORY. */
MUST_CHECK enum err ledger_reader_open(const char *dir,
                                       struct ledger_reader **ret);
void ledger_reader_close(struct ledger_reader *r); /* NULL is allowed */

/*
 * The next entry given is that of `index`, or, where the log is shorter, the
 * one that will come to have it.  Reads from the start of its segment.
 */
MUST_CHECK enum err ledger_reader_seek(struct ledger_reader *r, uint64_t index);

/*
 * ERR_NOT_FOUND: none yet; ask again later.  ERR_CORRUPT, ERR_UNSUPPORTED:
 * see ledger_reader_trouble(); the reader stays where it is.
 */
MUST_CHECK enum err ledger_reader_next(struct ledger_reader *r,
                                       struct ledger_entry *ret);

const struct segment_trouble *
ledger_reader_trouble(const struct ledger_reader *r);

/* Entries in the log as far as it has been read to its end; for `tail`: seek
 * to some entries before it. */
MUST_CHECK enum err ledger_reader_size(struct ledger_reader *r, uint64_t *ret);

#endif
