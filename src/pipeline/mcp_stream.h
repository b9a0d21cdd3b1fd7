/*
 * mcp_stream.h - an answer as a stream of server-sent events, written by an
 * action and pulled by the caller's connection.
 *
 * What was written waits until it is pulled; `drained` is told when all of it
 * was, which is when more is welcome.  It outlives its action: what is queued
 * when the writer ends still goes out, then the stream ends.
 */
#ifndef PIPELINE_MCP_STREAM_H
#define PIPELINE_MCP_STREAM_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct body_source;
struct mcp_stream;

struct mcp_stream_events {
    /* Nothing is queued any more; told in the turn in which it was pulled. */
    void (*drained)(void *user);
    /* The reader gave up, and the stream is gone. */
    void (*gone)(void *user);
};

/* *ret lives until mcp_stream_end(), mcp_stream_cut() or `gone`; its source is
 * for one reader.  `max` bounds what waits, in bytes.  ERR_NO_MEMORY. */
MUST_CHECK enum err mcp_stream_new(size_t max,
                                   const struct mcp_stream_events *events,
                                   void *user, struct mcp_stream **ret);
struct body_source *mcp_stream_source(struct mcp_stream *s);

/* Queues one event with this JSON text.  False: it does not fit; the stream is
 * as it was. */
MUST_CHECK bool mcp_stream_write(struct mcp_stream *s, struct str json);
/* A comment, which keeps a connection alive. */
void mcp_stream_ping(struct mcp_stream *s);
bool mcp_stream_is_empty(const struct mcp_stream *s);

/* No more is written: the rest goes out, then the stream ends well.  No event
 * follows. */
void mcp_stream_end(struct mcp_stream *s);
/* Ends it now as broken, for `why`; what is queued is dropped. */
void mcp_stream_cut(struct mcp_stream *s, enum err why);

#endif
