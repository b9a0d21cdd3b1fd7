/*
 * wire.h - framed messages on a connected AF_UNIX stream socket, without a
 * loop: for the processes that wait in poll(2), and inside os/channel.h.
 *
 *     struct wire w;
 *     e = wire_init(&w, fd, own_hello, FRAME_ROLE_WORKER);
 *     poll: POLLIN, and POLLOUT while wire_pending(&w)
 *     on POLLIN:  e = wire_fill(&w);
 *                 while (wire_next(&w, &frame, &passed, &e)) ...
 *     once a turn: frame_add(wire_out(&w), ...); e = wire_flush(&w);
 *
 * Nothing here blocks.  The first frame each way is FRAME_HELLO: ours leaves
 * with the first flush, theirs is checked inside wire_next() and is never
 * returned.  One descriptor may travel with a frame; such a frame carries
 * WIRE_FLAG_FD, which wire_send_fd() sets and wire_next() clears.
 *
 * Any error ends the connection: the owner calls wire_release().
 */
#ifndef OS_WIRE_H
#define OS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/frame.h"

#define WIRE_OUT_MAX (64 * MIB) /* a peer this far behind is dead */
#define WIRE_READ_MAX (1 * MIB) /* bytes asked for in one recvmsg(2) */

enum {
    WIRE_FDS_MAX = 16,     /* descriptors waiting, each way */
    WIRE_FLAG_FD = 0x8000, /* in a frame's flags: a descriptor comes with it */
};

struct wire_fd {
    size_t at; /* where its frame starts in `out` */
    int fd;
};

struct wire {
    int fd; /* ours */
    struct buf in, out;
    size_t in_at, out_at; /* bytes before these are done with */
    int fds_in[WIRE_FDS_MAX];
    struct wire_fd fds_out[WIRE_FDS_MAX];
    unsigned fds_in_count, fds_out_count;
    enum frame_role expected;
    bool opened;             /* the peer's hello was accepted */
    struct frame_hello peer; /* once `opened` */
};

/*
 * Takes the connected socket `fd`; queues `own` as hello and expects one of
 * role `peer`.  ERR_NO_MEMORY: `fd` is closed.
 */
MUST_CHECK enum err wire_init(struct wire *w, int fd, struct frame_hello own,
                              enum frame_role peer);

/* Closes the socket and every descriptor that waits.  Twice is allowed. */
void wire_release(struct wire *w);

/*
 * Reads what has come, up to WIRE_READ_MAX bytes in one system call; poll(2)
 * tells whether there is more.  Frames borrowed from wire_next() end here.
 * ERR_CLOSED: the peer is gone.  ERR_MALFORMED: too many descriptors.
 */
MUST_CHECK enum err wire_fill(struct wire *w);

/*
 * The next whole frame, borrowed until wire_fill() or wire_release().
 * `*ret_fd` is -1 or a descriptor that is now the caller's.  False and *ret_err
 * ERR_OK: none yet.  False and ERR_LIMIT or ERR_MALFORMED: the peer broke the
 * protocol.  `ret_fd` may be NULL where no descriptor is expected: then one
 * that comes is ERR_MALFORMED.
 */
MUST_CHECK bool wire_next(struct wire *w, struct frame *ret, int *ret_fd,
                          enum err *ret_err);

/* Where frames are appended with frame_add(); sent by wire_flush(). */
static inline struct buf *wire_out(struct wire *w)
{
    return &w->out;
}

/*
 * Sends what the socket takes and keeps the rest.  ERR_CLOSED: the peer is
 * gone.  ERR_LIMIT: more than WIRE_OUT_MAX waited, and frames were lost.
 */
MUST_CHECK enum err wire_flush(struct wire *w);

/* Bytes wait: call wire_flush() when the socket is writable. */
static inline bool wire_pending(const struct wire *w)
{
    return w->out_at < w->out.len;
}

/*
 * Queues a frame together with `fd`, in order with the others.  `fd` is
 * closed once sent, on failure, or by wire_release().
 * ERR_LIMIT: WIRE_FDS_MAX or WIRE_OUT_MAX reached.
 */
MUST_CHECK enum err wire_send_fd(struct wire *w, uint16_t type,
                                 struct str payload, int fd);

#endif
