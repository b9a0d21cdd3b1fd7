/*
 * scan.h - reads one segment from its header to its end and recomputes
 * everything: hashes, roots, open intents.
 *
 * Reads only.  A segment that is being written to may be scanned: what is
 * half there counts as torn, as after a crash.
 */
#ifndef LEDGER_SCAN_H
#define LEDGER_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "ledger/commit.h"
#include "ledger/intents.h"
#include "ledger/segment.h"
#include "ledger/tree.h"
#include "ledger/window.h"

struct scan {
    struct window window;
    struct segment_header header;
    /* The log after the last good frame. */
    struct tree tree;
    struct intents open;
    uint64_t end;     /* where that frame ends */
    uint64_t durable; /* its durable mark; `header.len` without a frame */
    int64_t wall_us;  /* its time, or the header's */
    uint64_t frames;
    bool sealed;
    uint64_t torn_bytes; /* remains of a write behind `end` */
};

/* `fd` is borrowed. */
void scan_init(struct scan *s, int fd);
void scan_release(struct scan *s);

/*
 * Reads the header.  `first_index` is what the file's name says.
 * ERR_CORRUPT and ERR_UNSUPPORTED: `*trouble` but for its `file` is set.
 */
MUST_CHECK enum err scan_header(struct scan *s, uint64_t first_index,
                                struct segment_trouble *trouble);

/* A frame of entries, borrowed until the next step; empty for a seal. */
struct scan_frame {
    struct commit_head head;
    struct str records;
};

/*
 * Then a frame.  Only the `last` segment of a log may lack its seal and may
 * be torn.  ERR_NOT_FOUND: there is none, which is a good end; ask again when
 * the segment may have grown.  ERR_CORRUPT as above.
 */
MUST_CHECK enum err scan_next(struct scan *s, bool last, struct scan_frame *ret,
                              struct segment_trouble *trouble);

/* All frames to the end. */
MUST_CHECK enum err scan_frames(struct scan *s, bool last,
                                struct segment_trouble *trouble);

#endif
