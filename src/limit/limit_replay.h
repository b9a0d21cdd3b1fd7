/*
 * limit_replay.h - budgets from evidence: what intents reserved, and what
 * their outcomes say it became.
 *
 *     limit_restore() ...                       // the checkpoint's rows
 *     limit_restore_generation(c, generation);
 *     struct limit_replay r = {c, generation, now_us};
 *     for each entry from the checkpoint's index on:
 *         e = limit_replay_entry(&r, entry, index);
 *     limit_replay_end(c);
 *
 * Before anybody reserves; one thread.
 */
#ifndef LIMIT_LIMIT_REPLAY_H
#define LIMIT_LIMIT_REPLAY_H

#include "codec/json.h"
#include "domain/outcome.h"
#include "domain/usage.h"
#include "limit/limit.h"

struct limit_replay {
    struct limit_counters *counters;
    uint64_t generation; /* of the checkpoint; 0: there was none */
    int64_t now_us;      /* windows that have ended by then are left out */
};

/*
 * Applies one entry (parsed) at `index`; what is no intent and no outcome does
 * nothing.  ERR_CORRUPT: a member that we never wrote so.  Else as
 * limit_replay_intent().  After an error the budgets are not known.
 */
MUST_CHECK enum err limit_replay_entry(const struct limit_replay *r,
                                       const struct json *entry,
                                       uint64_t index);

/* What limit_settle() and limit_replay_outcome() are told. */
struct limit_use {
    bool sent;
    uint64_t tokens;
};
/*
 * From what an outcome says; the pipeline settles by the same words that it
 * records, so that a replay comes to the same numbers:
 *
 *     not sent                         all is given back
 *     tokens are known, or estimated   input and output together
 *     the destination refused (error)  no tokens, one request
 *     else, and how is not known       as much as was reserved
 *
 * `usage` NULL: nothing is known.
 */
struct limit_use limit_replay_use(enum outcome_status status,
                                  const struct usage *usage);

#endif
