/* mcp_stream.c - see mcp_stream.h. */
#include "pipeline/mcp_stream.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/container.h"
#include "base/limits.h"
#include "codec/sse.h"
#include "http/body.h"

struct mcp_stream {
    struct body_source source;
    const struct mcp_stream_events *events; /* NULL: the writer has ended */
    void *user;
    struct buf queue;
    size_t pulled; /* bytes of it that were given out */
    body_sink *sink;
    void *reader;
    bool ended;
    enum err broken;
    bool giving; /* give() is on the stack */
    bool dead;   /* ... and the reader gave up in it */
};

static void stream_free(struct mcp_stream *s)
{
    buf_release(&s->queue);
    free(s);
}

/* The next piece of what is queued. */
static struct str next_piece(struct mcp_stream *s)
{
    struct str left = buf_str(&s->queue);

    left = (struct str){left.ptr + s->pulled, left.len - s->pulled};
    return str_first(left,
                     left.len < BODY_PIECE_MAX ? left.len : BODY_PIECE_MAX);
}

/* Answers the pull that is outstanding, if there is something to say.  A sink
 * may pull again at once. */
static void give(struct mcp_stream *s)
{
    if (s->giving)
        return;
    s->giving = true;
    while (s->sink != NULL && !s->dead) {
        struct str piece = next_piece(s);
        bool last = s->ended && s->pulled + piece.len == s->queue.len;
        if (piece.len == 0 && !last && s->broken == ERR_OK)
            break;
        body_sink *sink = s->sink;
        void *reader = s->reader;
        s->sink = NULL;
        if (last || s->broken != ERR_OK) {
            enum err e = s->broken;
            sink(reader, e == ERR_OK ? piece : (struct str){0}, e == ERR_OK, e);
            stream_free(s);
            return;
        }
        s->pulled += piece.len;
        sink(reader, piece, false, ERR_OK);
    }
    s->giving = false;
    if (s->dead) {
        stream_free(s);
        return;
    }
    if (s->pulled == s->queue.len && s->pulled > 0) {
        buf_clear(&s->queue);
        s->pulled = 0;
        if (s->events != NULL)
            s->events->drained(s->user);
    }
}

static void on_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct mcp_stream *s = CONTAINER_OF(src, struct mcp_stream, source);

    assert(s->sink == NULL);
    s->sink = sink;
    s->reader = reader;
    give(s);
}

static void on_cancel(struct body_source *src)
{
    struct mcp_stream *s = CONTAINER_OF(src, struct mcp_stream, source);
    const struct mcp_stream_events *events = s->events;
    void *user = s->user;

    s->events = NULL;
    s->sink = NULL;
    s->dead = true;
    if (!s->giving)
        stream_free(s);
    if (events != NULL)
        events->gone(user);
}

enum err mcp_stream_new(size_t max, const struct mcp_stream_events *events,
                        void *user, struct mcp_stream **ret)
{
    struct mcp_stream *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NO_MEMORY;
    s->source = (struct body_source){on_pull, on_cancel};
    s->events = events;
    s->user = user;
    buf_init(&s->queue, max);
    *ret = s;
    return ERR_OK;
}

struct body_source *mcp_stream_source(struct mcp_stream *s)
{
    return &s->source;
}

bool mcp_stream_write(struct mcp_stream *s, struct str json)
{
    size_t before = s->queue.len;

    sse_write(&s->queue, STR("message"), json);
    if (!buf_ok(&s->queue)) {
        s->queue.failed = false;
        s->queue.len = before;
        return false;
    }
    give(s);
    return true;
}

void mcp_stream_ping(struct mcp_stream *s)
{
    if (mcp_stream_is_empty(s) && BUF_LIT(&s->queue, ":\n\n"))
        give(s);
}

bool mcp_stream_is_empty(const struct mcp_stream *s)
{
    return s->pulled == s->queue.len;
}

void mcp_stream_end(struct mcp_stream *s)
{
    s->events = NULL;
    s->ended = true;
    give(s);
}

void mcp_stream_cut(struct mcp_stream *s, enum err why)
{
    s->events = NULL;
    s->broken = why;
    give(s);
}
