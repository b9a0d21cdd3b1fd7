/*
 * link_lines.h - a server's stdout as lines of bounded length.
 *
 * A line that is too long is passed over, and what it was about is told
 * (link_scan.h); the lines after it are read as ever.
 */
#ifndef MCP_LINK_LINES_H
#define MCP_LINK_LINES_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "mcp/link_scan.h"

struct link_lines {
    struct buf part; /* of a line that has not ended */
    bool skipping;
    struct link_scan scan; /* of the line that is passed over */
};

/* Each false stops the feed: nothing more of these bytes is told. */
struct link_lines_events {
    /* Without its line end; borrowed for the call. */
    bool (*line)(void *user, struct str line);
    /* A line over the limit has ended. */
    bool (*too_long)(void *user, const struct link_scan *scan);
};

/* Allocates nothing.  `max` is in bytes, without the line end. */
void link_lines_init(struct link_lines *l, size_t max);
void link_lines_release(struct link_lines *l);

/* ERR_CLOSED: stopped; only release is allowed then.  ERR_NO_MEMORY. */
MUST_CHECK enum err link_lines_feed(struct link_lines *l, struct str bytes,
                                    const struct link_lines_events *events,
                                    void *user);

#endif
