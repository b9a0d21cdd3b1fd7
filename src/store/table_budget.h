/*
 * table_budget.h - what each node's budgets had used at its last checkpoint.
 *
 * A checkpoint has a generation and any number of rows, so it is written in
 * several batches: table_budget_clear() and the rows, which nobody reads yet,
 * then table_budget_commit(), which makes it the one that counts.  The rows of
 * the one before go with the next table_budget_clear().
 */
#ifndef STORE_TABLE_BUDGET_H
#define STORE_TABLE_BUDGET_H

#include "store/store.h"

enum {
    TABLE_BUDGET_GROUP = 4,   /* rows that one statement writes */
    TABLE_BUDGET_PAGE = 4096, /* rows that one question gives, at most */
};

/* One counter of a checkpoint. */
struct table_budget {
    int64_t number; /* from 0, within the checkpoint */
    struct str limit, whom;
    int64_t window_start_us, window_us; /* Unix time */
    int64_t used_requests, used_tokens;
};

/* Removes all rows of `node` but those of its last checkpoint. */
MUST_CHECK enum err table_budget_clear(struct store_batch *b, struct str node);

/* Writes `n` rows, 1 to TABLE_BUDGET_GROUP, of that generation. */
MUST_CHECK enum err table_budget_add(struct store_batch *b, struct str node,
                                     int64_t generation,
                                     const struct table_budget *rows, size_t n);

struct table_budget_checkpoint {
    int64_t generation;
    int64_t from_index; /* of the ledger: what is replayed begins there */
};

/* That generation's rows are complete: they count from now on. */
MUST_CHECK enum err
table_budget_commit(struct store_batch *b, struct str node,
                    const struct table_budget_checkpoint *checkpoint);

/* One row, or none when there was no checkpoint. */
MUST_CHECK enum err table_budget_last(struct store_batch *b, struct str node);
/* False: not a row of table_budget_last(). */
MUST_CHECK bool table_budget_last_read(const struct store_value *columns,
                                       size_t n,
                                       struct table_budget_checkpoint *ret);

/* The rows of a generation from `number` on, TABLE_BUDGET_PAGE at most, in
 * order. */
MUST_CHECK enum err table_budget_page(struct store_batch *b, struct str node,
                                      int64_t generation, int64_t number);
/* False: not a row of table_budget_page(). */
MUST_CHECK bool table_budget_read(const struct store_value *columns, size_t n,
                                  struct table_budget *ret);

#endif
