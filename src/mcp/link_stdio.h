/*
 * link_stdio.h - a link over the pipes of a child; for link*.c alone.
 */
#ifndef MCP_LINK_STDIO_H
#define MCP_LINK_STDIO_H

#include "base/buf.h"
#include "mcp/link_lines.h"
#include "os/timer.h"
#include "runner/runner_client.h"

struct link;
struct link_transport;
struct loop_poll;

extern const struct link_transport link_stdio_transport;

struct link_stdio {
    struct runner_job job;
    bool running, started;
    int fds[RUNNER_PIPES]; /* -1: closed */
    struct loop_poll *polls[RUNNER_PIPES];
    struct link_lines lines;
    struct buf out;
    size_t out_used;          /* bytes of `out` that are written */
    uint64_t queued, written; /* bytes, of all that was ever sent */
    struct buf said;          /* on stderr, the last of it */
    struct timer patience;    /* with a child that starts, or ends */
};

MUST_CHECK enum err link_stdio_start(struct link *l,
                                     struct runner_client *runner);

#endif
