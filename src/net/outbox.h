/*
 * outbox.h - bytes on their way into a socket: tried at once, and what the
 * socket does not take is copied and follows when it can.
 *
 * While nothing waits, an outbox has no memory and a write is one system call.
 */
#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* Against a writer that never waits. */
#define OUTBOX_MAX ((size_t)256 * 1024 * 1024)

struct outbox_queue;

struct outbox {
    uv_stream_t *to;
    struct outbox_queue *queue; /* NULL: all is written */
    /* All that waited was taken, or (false) the socket takes no more.  Not
     * called from inside outbox_write(). */
    void (*emptied)(struct outbox *o, bool ok);
};

/*
 * Writes the pieces in order, after what waits.  ERR_CLOSED: the socket takes
 * no more.  ERR_NO_MEMORY: nothing was written or queued.  ERR_IO: there was
 * no memory when a part was written already.
 */
MUST_CHECK enum err outbox_write(struct outbox *o, const struct str *pieces,
                                 size_t n);

/* Bytes that wait. */
size_t outbox_queued(const struct outbox *o);

/* The handle must be closed: libuv uses the memory until then. */
void outbox_release(struct outbox *o);

#endif
