/*
 * catalog_entry.h - one tool of the catalog, immutable, shared by the views.
 * For the inside of the catalog only.
 *
 * Each has an arena with its texts and what was compiled from them, so that a
 * change of one tool leaves the others as they are.  Any thread.
 */
#ifndef MCP_CATALOG_ENTRY_H
#define MCP_CATALOG_ENTRY_H

#include <stdatomic.h>

#include "base/siphash.h"
#include "mcp/catalog_writer.h"

struct catalog_entry {
    struct catalog_tool tool;
    uint64_t hash; /* catalog_entry_hash() */
    atomic_uint refs;
    struct arena arena;
};

/* False: no tool can have such names. */
MUST_CHECK bool catalog_entry_hash(struct siphash_key seed, struct str server,
                                   struct str name, uint64_t *ret);

/* Copies the row, one reference.  ERR_CORRUPT: it is no row of ours, or out of
 * memory while its text was read.  ERR_NO_MEMORY. */
MUST_CHECK enum err catalog_entry_new(struct siphash_key seed,
                                      const struct catalog_row *row,
                                      int64_t changed_ms,
                                      struct catalog_entry **ret);
struct catalog_entry *catalog_entry_ref(struct catalog_entry *e);
void catalog_entry_unref(struct catalog_entry *e); /* NULL is allowed */

/* As it is stored; borrowed from the tool. */
struct catalog_row catalog_entry_row(const struct catalog_tool *t);

/* In the order of server and name. */
int catalog_entry_compare(const struct catalog_tool *t, struct str server,
                          struct str name);

/* A definition that can be read, and kept. */
bool catalog_entry_readable(const struct tool *offered);
/* What is known of it follows from this offer; `t` NULL: nothing is known. */
bool catalog_entry_follows(const struct catalog_tool *t,
                           const struct tool *offered);

#endif
