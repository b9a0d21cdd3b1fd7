/*
 * body.h - a body as a stream that its reader pulls.
 *
 * A slow client must slow the provider down, not fill our memory.  So the
 * writer side never pushes: it answers one pull with one piece.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

/*
 * Receives the answer to one pull.  `piece` is borrowed until this returns
 * and is at most BODY_PIECE_MAX bytes; it may be empty.  `last` or an `e`
 * other than ERR_OK ends the stream: the source is gone and must not be used
 * again.
 */
typedef void body_sink(void *reader, struct str piece, bool last, enum err e);

struct body_source {
    /* At most one pull is outstanding; the answer may come at once. */
    void (*pull)(struct body_source *src, body_sink *sink, void *reader);
    /* The reader gave up: frees the source, and no answer follows. */
    void (*cancel)(struct body_source *src);
};

#endif
