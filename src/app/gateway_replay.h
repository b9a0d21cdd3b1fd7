/*
 * gateway_replay.h - reads what the evidence says from some entry on, before
 * the gateway serves: what the store has missed, and what budgets reserved.
 *
 * On a thread of its own; one that reads a long log does not keep the control
 * thread from answering.  It does not keep the loop running either: something
 * else has to.
 */
#ifndef APP_GATEWAY_REPLAY_H
#define APP_GATEWAY_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/json.h"

struct gateway_replay;
struct loop;

struct gateway_replay_options {
    const char *data; /* the data directory */
    uint64_t from;    /* index of the first entry */
    /*
     * Runs for each entry of kind intent (with budgets), outcome, admin or
     * revocation, in order, on the thread that reads.  Others are not even
     * parsed.  An error ends the replay with it.
     */
    enum err (*each)(void *user, const struct json *entry, uint64_t index);
    /*
     * Runs once, on the loop: all was read, up to but not including `next`,
     * or it ended before.  ERR_CORRUPT: the log does not verify; `why` says
     * where, for a log.
     */
    void (*done)(void *user, enum err e, uint64_t next, struct str why);
    void *user;
};

/* A ledger that has no entry yet is read to its end.  Copies `data`.
 * ERR_LIMIT: no thread; ERR_NO_MEMORY. */
MUST_CHECK enum err gateway_replay_start(struct loop *l,
                                         const struct gateway_replay_options *o,
                                         struct gateway_replay **ret);

/* Ends it if it still runs; then `done` does not run any more.  After `done`,
 * or before; NULL is allowed. */
void gateway_replay_free(struct gateway_replay *r);

/* False: no replay has a use for this entry (its text).  True also when it
 * only may have. */
bool gateway_replay_wants(struct str entry);

#endif
