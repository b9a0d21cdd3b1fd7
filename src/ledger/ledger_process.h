/*
 * ledger_process.h - the process that writes the evidence.
 *
 * One thread in poll(2): no event loop, no network, no file beyond its
 * folder.  The supervisor hands it clients' sockets over the control
 * connection (codec/frame.h); our hello there says that the log is open.
 *
 * SIGINT and SIGTERM are ignored: the supervisor says when, or its end does.
 *
 * A failed write or fdatasync ends the process: everything that waits is
 * refused, one line is logged, what comes within LEDGER_LAST_WORDS_MS is
 * refused too, then it exits.  The next start recovers (journal.h).
 */
#ifndef LEDGER_LEDGER_PROCESS_H
#define LEDGER_LEDGER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"

enum { LEDGER_LAST_WORDS_MS = 1000, LEDGER_BATCH_MS = 50 };

struct ledger_process_options {
    const char *dir;      /* data/ledger; made when missing */
    struct str node;      /* the log's name (its origin) */
    int control_fd;       /* the supervisor's socket; ours from now on */
    bool batched;         /* answer before syncing, sync every
                             LEDGER_BATCH_MS: outside the promise */
    size_t segment_bytes; /* 0: SEGMENT_BYTES */
};

/*
 * Runs until the supervisor says so or is gone, then seals the log and
 * returns 0.  Returns 1, with one line in the log, when the ledger cannot be
 * opened or written.
 */
MUST_CHECK int ledger_process_run(const struct ledger_process_options *o);

#endif
