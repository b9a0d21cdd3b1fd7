/* channel.c - see channel.h. */
#include "os/channel.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/container.h"
#include "os/loop.h"
#include "os/wire.h"

static_assert(CHANNEL_QUEUE_MAX == WIRE_OUT_MAX, "the wire keeps the limit");
static_assert((int)CHANNEL_FDS_MAX == (int)WIRE_FDS_MAX, "and this one");

struct channel {
    struct wire wire;
    struct loop *loop;
    struct loop_poll *poll; /* NULL once failed */
    struct loop_hook hook;
    const struct channel_events *events;
    void *user;
    enum err why; /* what it failed with; ERR_OK: it works */
    bool dirty;   /* frames were queued since the last flush */
    bool blocked; /* the socket was full: it will say when it is not */
    bool gone;    /* the peer takes nothing any more, but may have said more */
    bool told_opened, told_closed;
    bool busy, freed; /* channel_free() inside an event waits for its end */
};

/* Nothing is read or sent any more; `closed` is told from the hook. */
static void fail(struct channel *c, enum err why)
{
    if (c->why != ERR_OK)
        return;
    c->why = why;
    loop_poll_free(c->poll);
    c->poll = NULL;
    loop_hook_again(c->loop);
}

static bool wants_room(const struct channel *c)
{
    return !c->gone && wire_pending(&c->wire);
}

static void flush(struct channel *c)
{
    if (c->why != ERR_OK)
        return;
    c->dirty = false;
    enum err e = c->gone ? ERR_OK : wire_flush(&c->wire);
    if (e == ERR_CLOSED) { /* reading will come to the end and tell */
        c->gone = true;
        e = ERR_OK;
    }
    if (e == ERR_OK && wants_room(c) != c->blocked) {
        c->blocked = !c->blocked;
        e = loop_poll_set(c->poll, c->blocked ? LOOP_READABLE | LOOP_WRITABLE
                                              : LOOP_READABLE);
    }
    if (e != ERR_OK)
        fail(c, e);
}

static void destroy(struct channel *c)
{
    loop_hook_remove(&c->hook);
    loop_poll_free(c->poll);
    wire_release(&c->wire);
    free(c);
}

/* True when the channel is still ours after an event. */
static bool leave_event(struct channel *c)
{
    c->busy = false;
    if (!c->freed)
        return true;
    destroy(c);
    return false;
}

/* Gives out the frames that are here, until one of them ends the channel. */
static enum err deliver(struct channel *c)
{
    for (;;) {
        struct frame f;
        int fd = -1;
        enum err e;
        bool have = wire_next(&c->wire, &f, &fd, &e);
        if (c->wire.opened && !c->told_opened) {
            c->told_opened = true;
            c->events->opened(c->user, c->wire.peer);
        }
        if (!have)
            return e;
        if (!c->freed && c->why == ERR_OK)
            e = c->events->frame(c->user, &f, fd);
        else if (fd >= 0)
            (void)close(fd);
        if (e != ERR_OK || c->freed || c->why != ERR_OK)
            return e;
    }
}

static void on_ready(void *user, int events)
{
    struct channel *c = user;
    if ((events & LOOP_WRITABLE) != 0 && c->blocked)
        flush(c);
    if ((events & LOOP_READABLE) == 0 || c->why != ERR_OK)
        return;
    c->busy = true;
    enum err e = wire_fill(&c->wire);
    if (e == ERR_OK)
        e = deliver(c);
    if (leave_event(c) && e != ERR_OK)
        fail(c, e);
}

static void on_turn_end(struct loop_hook *h)
{
    struct channel *c = CONTAINER_OF(h, struct channel, hook);
    /* While blocked, a flush would only ask the socket in vain; but a queue
     * over its limit is found there. */
    if (c->dirty && (!c->blocked || !buf_ok(wire_out(&c->wire))))
        flush(c);
    if (c->why == ERR_OK || c->told_closed)
        return;
    c->told_closed = true;
    c->busy = true;
    c->events->closed(c->user, c->why);
    (void)leave_event(c);
}

/* NOLINTNEXTLINE(readability-function-size): the header's seven arguments */
enum err channel_new(struct loop *l, int fd, struct frame_hello own,
                     enum frame_role peer, const struct channel_events *events,
                     void *user, struct channel **ret)
{
    struct channel *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        (void)close(fd);
        return ERR_NO_MEMORY;
    }
    enum err e = wire_init(&c->wire, fd, own, peer);
    if (e != ERR_OK)
        goto out;
    e = loop_poll_new(l, fd, on_ready, c, &c->poll);
    if (e == ERR_OK)
        e = loop_poll_set(c->poll, LOOP_READABLE);
    if (e != ERR_OK)
        goto out;

    c->loop = l;
    c->events = events;
    c->user = user;
    c->dirty = true; /* the hello */
    c->hook.run = on_turn_end;
    loop_hook_add(l, &c->hook);
    loop_hook_again(l);
    *ret = c;
    c = NULL;
out:
    if (c != NULL) {
        loop_poll_free(c->poll);
        wire_release(&c->wire);
        free(c);
    }
    return e;
}

void channel_free(struct channel *c)
{
    if (c == NULL)
        return;
    c->freed = true;
    if (!c->busy)
        destroy(c);
}

struct buf *channel_out(struct channel *c)
{
    if (c->why != ERR_OK || c->gone)
        return NULL;
    if (!c->dirty) {
        c->dirty = true;
        loop_hook_again(c->loop);
    }
    return wire_out(&c->wire);
}

void channel_flush(struct channel *c)
{
    if (!c->blocked)
        flush(c);
}

enum err channel_send_fd(struct channel *c, uint16_t type, struct str payload,
                         int fd)
{
    if (channel_out(c) == NULL) {
        (void)close(fd);
        return ERR_CLOSED;
    }
    return wire_send_fd(&c->wire, type, payload, fd);
}
