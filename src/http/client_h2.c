/*
 * client_h2.c - HTTP/2 towards a destination: many calls on one connection.
 *
 * Inside the session nobody is called back: what there is to say to a reader
 * is noted, and said when the session has returned (settle), because then a
 * reader may do whatever it likes.
 */
#include "http/client_h2.h"

#include <assert.h>
#include <stdlib.h>

#include "codec/http2.h"

enum { OUT_ROOM = 64 * 1024 };

struct client_h2 {
    struct client_conn *conn;
    struct http2 *session;
    struct list calls;   /* a stream each */
    struct list touched; /* those whose reader is to be told something */
    bool busy;           /* inside the session */
};

static struct client_h2 *h2_of(struct client_conn *c)
{
    return c->h2;
}

static void touch(struct client_h2 *h, struct http_call *call)
{
    if (list_empty(&call->touched))
        list_push(&h->touched, &call->touched);
}

/* The call and its stream part; the reader hears of it in settle(). */
static void part(struct client_h2 *h, struct http_call *call, enum err why)
{
    list_remove(&call->place);
    call->conn = NULL;
    call->why = why;
    timer_cancel(&call->timer);
    touch(h, call);
}

/* Tells the readers, who may end their calls or start others. */
static void settle(struct client_h2 *h)
{
    struct list *first;
    while ((first = list_first(&h->touched)) != NULL) {
        struct http_call *call = CONTAINER_OF(first, struct http_call, touched);
        list_remove(&call->touched);
        if (call->conn == NULL && call->state == CALL_SENT) {
            call_fail(call, call->why, !call->unsent);
            continue;
        }
        if (call->conn == NULL)
            call_end(call, call->why);
        if (call_tell_head(call))
            call_flush(call);
    }
}

/* Where the connection now belongs. */
static void update_place(struct client_h2 *h)
{
    if (!h->conn->closing)
        client_share(h->conn, http2_may_request(h->session),
                     list_empty(&h->calls));
}

/* --- output --- */

static void flush(struct client_h2 *h)
{
    struct client_conn *c = h->conn;
    if (h->busy || c->closing)
        return;
    struct buf *out = &c->pool->client->h2_out;
    h->busy = true;
    bool more = true;
    while (more && !c->closing && stream_queued(c->stream) == 0) {
        struct str run;
        buf_clear(out);
        while (out->len < OUT_ROOM && (more = http2_output(h->session, &run)))
            buf_add(out, run);
        struct str all = buf_str(out);
        if (!buf_ok(out) ||
            (all.len > 0 && stream_write(c->stream, &all, 1) != ERR_OK))
            client_close(c);
    }
    h->busy = false;
}

/* After all that may have left something to say, to the peer or to us. */
static void go_on(struct client_h2 *h)
{
    do {
        settle(h);
        flush(h);
    } while (!list_empty(&h->touched));
    if (!h->conn->closing && http2_is_over(h->session))
        client_close(h->conn);
    update_place(h);
}

static void send_slice(struct client_h2 *h, struct http_call *call)
{
    struct str slice = client_slice(call);
    bool last = call->body_sent == call->body.len;
    if (slice.len > 0 &&
        http2_write(h->session, call->stream_id, slice, last) != ERR_OK)
        http2_reset(h->session, call->stream_id, HTTP2_INTERNAL_ERROR);
}

static enum err h2_start(struct client_conn *c, struct http_call *call)
{
    struct client_h2 *h = h2_of(c);
    const struct http2_request r = {
        .method = call->method,
        .scheme = call->pool->tls != NULL ? STR("https") : STR("http"),
        .authority = call->pool->authority,
        .target = call->target,
        .fields = call->fields,
        .body_bytes = (int64_t)call->body.len,
        .stream = call,
        .arena = &call->arena,
    };
    enum err e = http2_request(h->session, &r, &call->stream_id);
    if (e != ERR_OK)
        return e;
    /* The queue kept its copy of the request there. */
    arena_release(&call->arena);
    call->body_sent = 0;
    list_remove(&call->place);
    list_push(&h->calls, &call->place);
    send_slice(h, call);
    flush(h);
    if (!http2_may_request(h->session))
        client_share(c, false, false);
    return ERR_OK;
}

/* --- events of the session --- */

static void on_response(void *stream, const struct http_response_head *head)
{
    struct http_call *call = stream;
    call_take_head(call, head);
    touch(h2_of(call->conn), call);
}

static void on_data(void *stream, struct str piece)
{
    struct http_call *call = stream;
    struct client_h2 *h = h2_of(call->conn);
    call->unconsumed += piece.len;
    if (!call_piece(call, piece))
        http2_reset(h->session, call->stream_id, HTTP2_INTERNAL_ERROR);
    touch(h, call);
}

static void on_end(void *stream)
{
    struct http_call *call = stream;
    call->complete = true;
    /* An answer to half a question: the other half is not needed. */
    if (call->body_sent < call->body.len)
        http2_reset(h2_of(call->conn)->session, call->stream_id, HTTP2_CANCEL);
}

static void on_taken(void *stream)
{
    struct http_call *call = stream;
    if (call->state != CALL_SENT)
        return; /* answered: the rest of the question is not ours any more */
    send_slice(h2_of(call->conn), call);
    call_await_head(call);
}

static void on_stream_closed(void *stream, uint32_t code)
{
    struct http_call *call = stream;
    call->unsent = code == HTTP2_REFUSED_STREAM;
    part(h2_of(call->conn), call, call->complete ? ERR_OK : ERR_UPSTREAM);
}

/* --- calls --- */

static void h2_resume(struct http_call *call)
{
    struct client_h2 *h = h2_of(call->conn);
    if (call->unconsumed == 0)
        return;
    http2_consume(h->session, call->stream_id, call->unconsumed);
    call->unconsumed = 0;
    flush(h);
}

static void h2_cancel(struct http_call *call)
{
    struct client_h2 *h = h2_of(call->conn);
    http2_abandon(h->session, call->stream_id, HTTP2_CANCEL);
    list_remove(&call->place);
    list_remove(&call->touched);
    call->conn = NULL;
    flush(h);
    if (!h->conn->closing)
        client_share_later(h->conn, http2_may_request(h->session),
                           list_empty(&h->calls));
}

/* --- the connection --- */

/* All calls end, those without a head by failing. */
static void break_off(struct client_h2 *h, enum err why)
{
    client_close(h->conn);
    LIST_EACH(it, next, &h->calls)
    {
        struct http_call *call = CONTAINER_OF(it, struct http_call, place);
        http2_abandon(h->session, call->stream_id, HTTP2_CANCEL);
        part(h, call, why);
    }
    settle(h);
}

static void h2_data(struct client_conn *c, struct str bytes)
{
    struct client_h2 *h = h2_of(c);
    h->busy = true;
    enum err e =
        http2_feed(h->session, bytes, loop_now_ms(c->pool->client->loop));
    h->busy = false;
    if (e != ERR_OK)
        break_off(h, ERR_UPSTREAM);
    else
        go_on(h);
}

static void h2_ended(struct client_conn *c)
{
    break_off(h2_of(c), ERR_UPSTREAM);
}

static void h2_drained(struct client_conn *c)
{
    go_on(h2_of(c));
}

static void h2_closed(struct client_conn *c)
{
    struct client_h2 *h = h2_of(c);
    break_off(h, ERR_UPSTREAM);
    http2_free(h->session);
    free(h);
    c->h2 = NULL;
}

static const struct http2_events session_events = {
    .response = on_response,
    .data = on_data,
    .end = on_end,
    .taken = on_taken,
    .closed = on_stream_closed,
};

enum err client_h2_start(struct client_conn *c)
{
    struct client_h2 *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return ERR_NO_MEMORY;
    enum err e = http2_new(HTTP2_CLIENT, 0, &session_events, h, &h->session);
    if (e != ERR_OK) {
        free(h);
        return e;
    }
    h->conn = c;
    list_init(&h->calls);
    list_init(&h->touched);
    c->h2 = h;
    flush(h);
    return c->closing ? ERR_CLOSED : ERR_OK;
}

const struct client_protocol client_h2_protocol = {
    .start = h2_start,
    .resume = h2_resume,
    .cancel = h2_cancel,
    .data = h2_data,
    .ended = h2_ended,
    .drained = h2_drained,
    .closed = h2_closed,
};
