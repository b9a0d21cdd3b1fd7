/*
 * ledger_verify.h - is this folder the log that was written?
 *
 * Recomputes every hash from the first entry on and needs nothing else: not
 * the keys, not the running process, which may go on writing meanwhile.  What
 * it cannot see is a log whose end was cut off at a frame: for that a size
 * or root known from elsewhere has to be compared.
 */
#ifndef LEDGER_LEDGER_VERIFY_H
#define LEDGER_LEDGER_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "ledger/segment.h"

struct ledger_verify_options {
    const char *dir;  /* the ledger's folder */
    unsigned threads; /* 0: as many as there are processors */
    /* Now and then, on the calling thread; NULL is allowed. */
    void (*progress)(void *user, uint64_t entries);
    void *user;
};

struct ledger_verify_report {
    uint64_t entries;
    uint64_t segments;
    uint64_t open_intents;
    struct hash root;
    int64_t last_wall_us;         /* time of the last frame */
    bool sealed;                  /* the last segment is: a clean end */
    uint64_t torn_bytes;          /* remains of a write behind the last entry */
    struct segment_header header; /* of the first segment: the node */
    /* The first thing that is wrong, in the order of the log; what it says
     * about entries before it (`index`) is that they are good. */
    struct segment_trouble trouble;
};

/*
 * ERR_OK: every entry is as it was committed (torn_bytes > 0 says that the
 * last write was cut short; it was never acknowledged).  ERR_CORRUPT or
 * ERR_UNSUPPORTED: see `report->trouble`; the rest of the report covers what
 * is before it.  ERR_NOT_FOUND: no such folder.  ERR_IO, ERR_NO_MEMORY.
 */
MUST_CHECK enum err ledger_verify(const struct ledger_verify_options *o,
                                  struct ledger_verify_report *report);

#endif
