/*
 * table_projection.h - how far each reader of the evidence has come.
 *
 * A projection is named after what it feeds and the node whose ledger it
 * reads.  Its row moves in the same batch as what it did, see
 * store_batch_once().
 */
#ifndef STORE_TABLE_PROJECTION_H
#define STORE_TABLE_PROJECTION_H

#include "store/store.h"

#define TABLE_PROJECTION_NONE INT64_C(-1) /* nothing applied yet */

/*
 * Moves `name` to `index`; a constraint stops the batch unless that is
 * forward.  For store_batch_once(), which everyone else calls.
 */
MUST_CHECK enum err table_projection_claim(struct store_batch *b,
                                           struct str name, int64_t index);

/* One row, or none when nothing was ever applied. */
MUST_CHECK enum err table_projection_get(struct store_batch *b,
                                         struct str name);

struct table_projection {
    struct str name;
    int64_t applied; /* the last ledger index, from 0 */
};
/* False: not a row of table_projection_get(). */
MUST_CHECK bool table_projection_read(const struct store_value *columns,
                                      size_t n, struct table_projection *ret);

#endif
