/*
 * limit_checkpoint.c - the cut through time.
 *
 * A reservation takes its generation under the lock of a stripe and is counted
 * there.  So whoever still got the old generation is seen by the first look at
 * that stripe after begin(), and whoever comes after that look has the new one.
 */
#include "limit/limit_table.h"

uint64_t limit_checkpoint_begin(struct limit_counters *c)
{
    return atomic_fetch_add(&c->generation, 1) + 1;
}

bool limit_checkpoint_ready(struct limit_counters *c)
{
    for (size_t i = 0; i < LIMIT_TABLE_STRIPES; i++) {
        struct limit_stripe *s = &c->stripes[i];
        limit_table_lock(s);
        uint64_t older = limit_table_older(c, s);
        limit_table_unlock(s);
        if (older > 0)
            return false;
    }
    return true;
}
