/*
 * recover.h - the state of a log on disk, made fit to be continued.
 *
 * Used by journal_open() only.
 */
#ifndef LEDGER_RECOVER_H
#define LEDGER_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "ledger/intents.h"
#include "ledger/segment.h"
#include "ledger/tree.h"

struct recovered {
    struct tree tree;
    struct intents open;
    uint64_t cut_bytes;
    /* The segment to continue, which has a header and no frame; -1: make the
     * next one. */
    int fd;
    uint64_t end;
};

/*
 * `dir` is the open folder of segments.  Every good frame is on disk when
 * this returns, the last segment is sealed unless it has no frames, and
 * remains of a torn write are gone.  An empty folder is an empty log.
 */
MUST_CHECK enum err recover_log(int dir, struct str node,
                                struct segment_trouble *trouble,
                                struct recovered *ret);

/* Closes `fd` unless it was taken, and frees. */
void recover_release(struct recovered *r);

#endif
