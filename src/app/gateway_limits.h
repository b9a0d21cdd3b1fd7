/*
 * gateway_limits.h - budgets over restarts: what the checkpoint says, and a
 * new checkpoint every ten seconds while something happens.
 *
 * On the control thread, off every call's way.  The evidence is what budgets
 * are rebuilt from; a checkpoint in the store only spares reading all of it.
 * So a store that does not answer costs time at the next start and nothing
 * else.
 *
 *     gateway_limits_new(&options, &l)
 *     gateway_limits_load(l, ...)          // at the first snapshot
 *     gateway_limits_opened(l, store)      // when the store is open
 *     -> loaded: replay the evidence from `from_index`, see limit_replay.h
 *     gateway_limits_keep(l)               // from now on checkpoints are made
 *     gateway_limits_stop(l, ...)          // when no call comes any more
 *     -> stopped: the loop may end
 *     gateway_limits_free(l)               // before the store closes
 */
#ifndef APP_GATEWAY_LIMITS_H
#define APP_GATEWAY_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct gateway_limits;
struct ledger_client;
struct limit_counters;
struct loop;
struct store;

enum {
    GATEWAY_LIMITS_KEEP_MS = 10000,
    GATEWAY_LIMITS_LOAD_MS = 5000, /* calls wait no longer for a store */
    GATEWAY_LIMITS_STOP_MS = 2000, /* for a last checkpoint */
};

struct gateway_limits_options {
    struct loop *loop;
    struct limit_counters *counters;
    struct ledger_client *ledger; /* the control thread's own */
    struct str node;              /* borrowed: outlives it */
    int64_t keep_ms;              /* how often; GATEWAY_LIMITS_KEEP_MS */
};

MUST_CHECK enum err gateway_limits_new(const struct gateway_limits_options *o,
                                       struct gateway_limits **ret);
/* Nothing is told any more; NULL is allowed.  The loop has ended, or the
 * ledger's client is gone: it may still owe an answer. */
void gateway_limits_free(struct gateway_limits *l);

/*
 * Once.  `loaded` runs once, in a later turn, when the counters are as the
 * checkpoint has them.  The evidence from `from_index` on is to be replayed
 * with notes of `generation` and later.  Without a checkpoint, or when no
 * store answers in GATEWAY_LIMITS_LOAD_MS, that is all of it (0 and 0).
 * ERR_NO_MEMORY, ERR_LIMIT, ERR_CORRUPT: the budgets are not known.
 */
void gateway_limits_load(struct gateway_limits *l,
                         void (*loaded)(void *user, enum err e,
                                        uint64_t generation,
                                        uint64_t from_index),
                         void *user);

/* After that, once, when the store is open.  NULL: there will be none. */
void gateway_limits_opened(struct gateway_limits *l, struct store *store);

/* The replay is through: counters are swept and kept from now on. */
void gateway_limits_keep(struct gateway_limits *l);

/*
 * Makes a last checkpoint, so that the next start has nothing to replay.
 * `stopped` runs once, in a later turn, when that is done, has failed, or
 * after GATEWAY_LIMITS_STOP_MS.
 */
void gateway_limits_stop(struct gateway_limits *l, void (*stopped)(void *user),
                         void *user);

/*
 * Has Unix time gone as the loop's time goes, for an hour?  What has ended by
 * a clock that has just leapt is not forgotten: it may be put right.  Asked
 * now and then, from the start on.
 */
struct gateway_limits_clock {
    int64_t ahead_ms; /* of the loop's time; all zero: never asked */
    int64_t leapt_ms;
};
bool gateway_limits_is_steady(struct gateway_limits_clock *c, int64_t unix_ms,
                              int64_t now_ms);

#endif
