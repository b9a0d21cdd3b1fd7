/*
 * gateway_limits_rows.h - a checkpoint as batches for the store, made before
 * the first of them is run.  Used by gateway_limits.c only.
 */
#ifndef APP_GATEWAY_LIMITS_ROWS_H
#define APP_GATEWAY_LIMITS_ROWS_H

#include <stddef.h>

#include "limit/limit.h"
#include "store/store.h"
#include "store/table_budget.h"

struct gateway_limits_rows {
    struct store_batch **batches;
    size_t count, room, taken;
};

/*
 * What the checkpoint that is ready says, to be run in order; the last one
 * makes it the one that counts.  ERR_NO_MEMORY, ERR_LIMIT; then there is
 * nothing.
 */
MUST_CHECK enum err
gateway_limits_rows_make(struct limit_counters *counters, struct str node,
                         const struct table_budget_checkpoint *checkpoint,
                         int64_t now_us, struct gateway_limits_rows *ret);

/* The next one, which is the caller's; NULL: there are no more. */
struct store_batch *gateway_limits_rows_take(struct gateway_limits_rows *r);

/* What was not taken; does nothing when all zero. */
void gateway_limits_rows_release(struct gateway_limits_rows *r);

#endif
