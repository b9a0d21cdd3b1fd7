/*
 * catalog_view.h - how a catalog is made.  For the inside of the catalog only.
 */
#ifndef MCP_CATALOG_VIEW_H
#define MCP_CATALOG_VIEW_H

#include "mcp/catalog_entry.h"

struct catalog {
    atomic_uint refs;
    uint64_t number; /* by chance */
    struct siphash_key seed;
    struct hash digest;
    size_t count;
    struct catalog_entry **at; /* heap; +1 each, in order */
    uint32_t *slots;           /* heap; by hash: index + 1, or 0 */
    size_t slot_mask;
    struct catalog_change *changes; /* heap; what made it, for who records */
    size_t change_count;
};

/*
 * `old` (NULL: nothing) with `entries` in place of those of the same names, or
 * added; in order, each once; a reference of each is taken.  ERR_LIMIT: too
 * many, or too long.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err catalog_view_new(struct siphash_key seed,
                                     const struct catalog *old,
                                     struct catalog_entry *const *entries,
                                     size_t count, struct catalog **ret);

#endif
