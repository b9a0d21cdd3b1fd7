/*
 * tool_diff.h - what a server changed in the definition of a tool.
 *
 * Member by member, into the schemas: the outermost values that differ, with
 * their place, in the order of canonical JSON.  Elements of arrays are
 * compared by their place.
 */
#ifndef MCP_TOOL_DIFF_H
#define MCP_TOOL_DIFF_H

#include "mcp/tool.h"

enum { TOOL_DIFF_MAX = 1000 }; /* changes that are told */

struct tool_change {
    struct str pointer;           /* RFC 6901, into the definition */
    const struct json *was, *now; /* NULL: it was, or is, not there */
};

struct tool_diff {
    const struct tool_change *changes;
    size_t count;
    bool is_cut; /* there were more */
};

/* Compares what is pinned of both.  ERR_LIMIT: `a` is full. */
MUST_CHECK enum err tool_diff(struct arena *a, const struct tool *was,
                              const struct tool *now, struct tool_diff *ret);

#endif
