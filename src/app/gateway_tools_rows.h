/*
 * gateway_tools_rows.h - the catalog's rows, from the store and into it.
 * Private to gateway_tools*.c.
 */
#ifndef APP_GATEWAY_TOOLS_ROWS_H
#define APP_GATEWAY_TOOLS_ROWS_H

#include "mcp/catalog_writer.h"

struct loop;
struct store;
struct store_batch;

/* All rows of one node, page by page, into `writer`. */
struct gateway_tools_rows;
struct gateway_tools_rows_plan {
    struct loop *loop;
    struct store *store;
    struct str node;
    struct catalog_writer *writer;
    /* Once, in a later turn; the reading is gone then. */
    void (*done)(void *user, enum err e, struct str why);
    void *user;
};
MUST_CHECK enum err
gateway_tools_rows_read(const struct gateway_tools_rows_plan *plan,
                        struct gateway_tools_rows **ret);
/* `done` does not run.  NULL is allowed. */
void gateway_tools_rows_cancel(struct gateway_tools_rows *r);

/* A batch with as many of `changes` from *from on as fit; *from moves behind
 * them. */
MUST_CHECK enum err
gateway_tools_rows_batch(struct str node, const struct catalog_changes *changes,
                         size_t *from, struct store_batch **ret);

#endif
