/*
 * entry_tool.h - the entry of what became of tools that a server offered; see
 * entry.h.
 */
#ifndef EVIDENCE_ENTRY_TOOL_H
#define EVIDENCE_ENTRY_TOOL_H

#include "evidence/entry.h"

enum { ENTRY_TOOLS_MAX = 32 }; /* in one entry */

struct evidence_tool {
    struct str name, state;
    struct hash pinned;  /* digest of the definition that holds */
    struct hash offered; /* of what its server offers instead; or zero */
};

/* Tools of one server with which the same has happened. */
struct evidence_tools {
    struct str event;  /* "seen", "changed", "returned", "approved" */
    struct str server; /* its name in the config */
    const struct evidence_tool *at;
    size_t count;        /* at most ENTRY_TOOLS_MAX */
    struct hash catalog; /* of all that is usable afterwards; or zero */
};

/* ERR_LIMIT: over ENTRY_MAX. */
MUST_CHECK enum err entry_tool(struct buf *to, const struct evidence_head *h,
                               const struct evidence_tools *f);

#endif
