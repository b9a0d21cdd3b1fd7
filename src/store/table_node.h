/*
 * table_node.h - the nodes that have used this store, and how often each was
 * started.
 */
#ifndef STORE_TABLE_NODE_H
#define STORE_TABLE_NODE_H

#include "store/store.h"

/* `name` starts now: made or moved to its next generation.  One row. */
MUST_CHECK enum err table_node_start(struct store_batch *b, struct str name,
                                     int64_t now_us);

/* All nodes, by name. */
MUST_CHECK enum err table_node_list(struct store_batch *b);

struct table_node {
    struct str name;
    int64_t first_seen_us, last_start_us; /* Unix time */
    int64_t generation;                   /* starts so far, from 1 */
};
/* False: not a row of the above. */
MUST_CHECK bool table_node_read(const struct store_value *columns, size_t n,
                                struct table_node *ret);

#endif
