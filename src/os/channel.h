/*
 * channel.h - framed messages on a socketpair, on an event loop.
 *
 * Both ends exchange FRAME_HELLO first (codec/frame.h); the user sees frames
 * only after the peer's hello was accepted.  Frames written during a turn
 * leave in one send(2) at its end.  Descriptors may travel with a frame.
 *
 * The channel never blocks the loop: what the socket does not take is kept,
 * up to CHANNEL_QUEUE_MAX; beyond, the channel fails, since a peer that does
 * not read is a dead peer.
 */
#ifndef OS_CHANNEL_H
#define OS_CHANNEL_H

#include "base/attr.h"
#include "base/err.h"
#include "codec/frame.h"

struct channel;
struct loop;

enum { CHANNEL_QUEUE_MAX = 64 * 1024 * 1024, CHANNEL_FDS_MAX = 16 };

struct channel_events {
    /* The peer's hello has come and is of the role expected. */
    void (*opened)(void *user, struct frame_hello peer);
    /*
     * One frame, borrowed for the call.  `fd` is a descriptor that came with
     * it (ours now) or -1.  An error other than ERR_OK closes the channel.
     */
    enum err (*frame)(void *user, const struct frame *f, int fd);
    /* The last event: the peer is gone or broke the protocol.  The channel
     * is still to be freed. */
    void (*closed)(void *user, enum err why);
};

/*
 * Takes `fd` (a connected AF_UNIX stream socket), sends `own` as hello and
 * expects a hello of role `peer`.  On failure `fd` is closed.
 */
MUST_CHECK enum err channel_new(struct loop *l, int fd, struct frame_hello own,
                                enum frame_role peer,
                                const struct channel_events *events, void *user,
                                struct channel **ret);

/* Closes the socket; no event follows.  NULL is allowed. */
void channel_free(struct channel *c);

/*
 * The buffer of frames that leave at the end of this turn: append with
 * frame_add().  NULL once the channel has failed.
 */
struct buf *channel_out(struct channel *c);

/* Sends what is queued now instead of at the end of the turn. */
void channel_flush(struct channel *c);

/* Queues a frame together with `fd`, which is closed once sent. */
MUST_CHECK enum err channel_send_fd(struct channel *c, uint16_t type,
                                    struct str payload, int fd);

#endif
