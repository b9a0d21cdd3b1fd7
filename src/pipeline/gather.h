/*
 * gather.h - pulls a whole body into one piece of memory.
 */
#ifndef PIPELINE_GATHER_H
#define PIPELINE_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/body.h"

/* Called once.  `body` is borrowed for the call. */
typedef void gather_done(void *user, struct str body, enum err e);

/* Embedded in its owner; zero-initialised it is idle. */
struct gather {
    struct body_source *src; /* NULL: idle */
    struct buf body;
    gather_done *done;
    void *user;
    bool pulling, again;
};

/*
 * Takes `src`.  `done` may run at once.  ERR_LIMIT: over `max` bytes, the
 * source is cancelled; else the source's error.
 */
void gather_start(struct gather *g, struct body_source *src, size_t max,
                  gather_done *done, void *user);

/* Gives up: cancels the source, `done` will not run.  Idle: nothing. */
void gather_cancel(struct gather *g);

#endif
