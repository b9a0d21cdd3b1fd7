/*
 * table_tool.h - the tools that each node has seen of its servers, as they are
 * pinned (mcp/catalog.h).
 *
 * A pin is its node's: another node may have another server behind the same
 * name, and must not put its own first sight in the place of what a person
 * approved here.
 */
#ifndef STORE_TABLE_TOOL_H
#define STORE_TABLE_TOOL_H

#include "store/store.h"

struct table_tool {
    struct str server, name;
    struct str state;             /* a short word */
    struct str pinned, offered;   /* canonical JSON; `offered` may be empty */
    int64_t first_us, changed_us; /* Unix time */
    struct str approved_by;       /* entity id, or empty */
};

/* Adds or replaces.  Errors as of store_batch_add(). */
MUST_CHECK enum err table_tool_put(struct store_batch *b, struct str node,
                                   const struct table_tool *t);

/* At most `max` tools of `node` that follow (`server`, `name`), in an order of
 * the database's own; the first page follows two empty names. */
MUST_CHECK enum err table_tool_page(struct store_batch *b, struct str node,
                                    struct str server, struct str name,
                                    int64_t max);
/* False: not a row of table_tool_page().  Texts are borrowed. */
MUST_CHECK bool table_tool_read(const struct store_value *columns, size_t n,
                                struct table_tool *ret);

#endif
