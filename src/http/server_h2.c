/*
 * server_h2.c - HTTP/2 towards a caller: many requests on one connection.
 *
 * What the session has to say gathers during a turn and leaves in one write
 * at its end; while the socket does not take it, nothing more is drawn from
 * the session, and so nothing is pulled from the sources of the replies.
 */
#include "http/server_h2.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/http2.h"

/* What the connection's one deadline is for. */
enum deadline {
    DEADLINE_NONE,
    DEADLINE_HEAD,  /* no request has come yet */
    DEADLINE_IDLE,  /* between requests */
    DEADLINE_WRITE, /* the peer takes nothing */
};

struct server_h2 {
    struct server_conn *conn;
    struct http2 *session;
    struct list requests; /* struct h2_request */
    size_t count;
    enum deadline deadline;
    uint64_t sent_seen; /* http2_sent() when the deadline was set */
    bool busy;          /* inside the session: no flush from here */
    bool served;        /* a request has come */
    bool over;          /* no more requests; ends with the last one */
    bool finished;      /* FIN was sent */
};

struct h2_request {
    struct http_request r;
    struct list node;
    struct server_h2 *h;
    struct timer body_timer;
    int32_t id;        /* 0: the stream is closed */
    size_t unconsumed; /* bytes that the peer's window still lacks */
    bool is_open;      /* a handler knows it */
    bool reply_ended;  /* all of the reply was given to the session */
    bool waiting;      /* for an answer of the reply's source */
    bool pumping;      /* inside pump() */
    bool has_out;      /* a piece waits to be taken */
};

static struct server_h2 *h2_of(struct server_conn *c)
{
    return c->state;
}

static struct h2_request *of_request(struct http_request *r)
{
    return CONTAINER_OF(r, struct h2_request, r);
}

/* --- the deadline of the connection --- */

static enum deadline wanted_deadline(const struct server_h2 *h)
{
    if (http2_blocked(h->session) > 0 || stream_queued(h->conn->stream) > 0)
        return DEADLINE_WRITE;
    if (h->count > 0)
        return DEADLINE_NONE;
    return h->served ? DEADLINE_IDLE : DEADLINE_HEAD;
}

/* One that runs already runs on, so that frames that mean nothing do not
 * keep a connection alive. */
static void set_deadline(struct server_h2 *h)
{
    const struct http_server_options *o = &h->conn->server->options;
    const int64_t ms[] = {0, o->head_timeout_ms, o->idle_timeout_ms,
                          o->write_idle_ms};
    enum deadline wanted = wanted_deadline(h);
    if (h->finished || (wanted == h->deadline && timer_is_set(&h->conn->timer)))
        return;
    h->deadline = wanted;
    h->sent_seen = http2_sent(h->session);
    server_deadline(h->conn, ms[wanted]);
}

static void h2_timeout(struct server_conn *c)
{
    struct server_h2 *h = h2_of(c);
    bool moved = http2_sent(h->session) > h->sent_seen ||
                 stream_queued(c->stream) < c->queued_seen;
    if (h->finished || (h->deadline == DEADLINE_WRITE && !moved)) {
        server_close(c);
    } else if (h->deadline == DEADLINE_WRITE) {
        set_deadline(h);
    } else {
        h->over = true;
        http2_goaway(h->session);
        server_flush_later(c);
    }
}

/* --- output --- */

static void request_free(struct h2_request *q)
{
    timer_cancel(&q->body_timer);
    list_remove(&q->node);
    q->h->count--;
    request_release(&q->r);
    free(q);
}

/* The stream is closed: `done`, when the turn ends. */
static void lose_stream(struct h2_request *q, enum err why)
{
    q->id = 0;
    timer_cancel(&q->body_timer);
    q->r.why = why;
    if (q->is_open)
        server_done_later(&q->r);
    else
        request_free(q);
}

/* The session is beyond saving, and with it all that is open. */
static void lose_all(struct server_h2 *h)
{
    h->over = true;
    LIST_EACH(it, next, &h->requests)
    {
        struct h2_request *q = CONTAINER_OF(it, struct h2_request, node);
        if (q->id == 0)
            continue;
        http2_abandon(h->session, q->id, HTTP2_INTERNAL_ERROR);
        lose_stream(q, ERR_CLOSED);
    }
}

/* All was said: FIN, and a while for the peer to read it. */
static void finish(struct server_h2 *h)
{
    if (h->finished)
        return;
    lose_all(h);
    h->finished = true;
    stream_finish(h->conn->stream);
    server_deadline(h->conn, SERVER_LINGER_MS);
}

static void h2_flush(struct server_conn *c)
{
    struct server_h2 *h = h2_of(c);
    struct buf *out = &c->server->h2_out;
    if (h->busy || c->closing)
        return;
    h->busy = true;
    bool more = true;
    while (more && !c->closing && stream_queued(c->stream) == 0) {
        struct str run;
        buf_clear(out);
        while (out->len < SERVER_GATHER_BYTES &&
               (more = http2_output(h->session, &run)))
            buf_add(out, run);
        struct str all = buf_str(out);
        if (!buf_ok(out) ||
            (all.len > 0 && stream_write(c->stream, &all, 1) != ERR_OK))
            server_close(c);
    }
    h->busy = false;
    if (c->closing)
        return;
    if (!more && stream_queued(c->stream) == 0 &&
        (http2_is_over(h->session) || (h->over && h->count == 0)))
        finish(h);
    else
        set_deadline(h);
}

/* --- requests --- */

static void *on_begin(void *user, int32_t id, struct arena **ret_arena)
{
    struct server_h2 *h = user;
    if (h->over)
        return NULL;
    struct h2_request *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return NULL;
    request_init(&q->r, h->conn, HTTP2_STREAM_WINDOW);
    q->h = h;
    q->id = id;
    list_push(&h->requests, &q->node);
    h->count++;
    h->served = true;
    server_deadline(h->conn, 0);
    *ret_arena = &q->r.arena;
    return q;
}

static void on_request(void *stream, const struct http_request_head *head,
                       const struct http_hop *hop)
{
    struct h2_request *q = stream;
    struct http_server *s = q->r.conn->server;
    q->r.head = *head;
    q->r.hop = *hop;
    q->r.body_complete = head->body_bytes == 0;
    q->is_open = true;
    s->events.request(s->user, &q->r);
}

static void respond(struct h2_request *q, const struct http2_response *w)
{
    /* A field of the handler's that cannot be sent: no other reply is right,
     * so the stream ends without one. */
    if (http2_respond(q->h->session, q->id, w) != ERR_OK)
        http2_reset(q->h->session, q->id, HTTP2_INTERNAL_ERROR);
}

static void write_or_reset(struct h2_request *q, struct str piece, bool last)
{
    if (http2_write(q->h->session, q->id, piece, last) != ERR_OK)
        http2_reset(q->h->session, q->id, HTTP2_INTERNAL_ERROR);
}

static void on_refused(void *stream, enum http_fault fault)
{
    struct h2_request *q = stream;
    char body[REQUEST_REFUSAL_MAX];
    struct str text = {body, request_refusal(fault, body)};
    const struct http_field json = {STR("content-type"),
                                    STR("application/json")};
    const struct http2_response w = {
        .status = http_fault_status(fault),
        .fields = {&json, 1},
        .date = server_date(q->h->conn->server),
        .body_bytes = (int64_t)text.len,
        .has_body = true,
    };
    respond(q, &w);
    write_or_reset(q, text, true);
}

/* What is kept for a reader or thrown away makes room for more. */
static void consume(struct h2_request *q)
{
    if (q->id != 0 && (q->r.body_state != BODY_UNREAD || q->r.replied)) {
        http2_consume(q->h->session, q->id, q->unconsumed);
        q->unconsumed = 0;
        server_flush_later(q->h->conn);
    }
}

static void on_body_timer(struct timer *t)
{
    struct h2_request *q = CONTAINER_OF(t, struct h2_request, body_timer);
    request_body_fail(&q->r, ERR_SLOW_CLIENT);
}

static void on_data(void *stream, struct str piece)
{
    struct h2_request *q = stream;
    q->unconsumed += piece.len;
    request_body_piece(&q->r, piece);
    consume(q);
    if (q->r.body_state != BODY_READING)
        return;
    if (!server_rate_ok(q->h->conn, q->r.body_since_ms, q->r.body_received))
        request_body_fail(&q->r, ERR_SLOW_CLIENT);
    else
        timer_set(q->h->conn->loop, &q->body_timer,
                  q->h->conn->server->options.body_idle_ms, on_body_timer);
}

static void on_end(void *stream)
{
    struct h2_request *q = stream;
    timer_cancel(&q->body_timer);
    request_body_end(&q->r);
}

static void h2_read(struct http_request *r)
{
    struct h2_request *q = of_request(r);
    if (q->id == 0)
        return;
    if (r->hop.expect_continue && r->body_received == 0)
        http2_continue(q->h->session, q->id);
    consume(q);
    server_flush_later(q->h->conn);
    timer_set(q->h->conn->loop, &q->body_timer,
              q->h->conn->server->options.body_idle_ms, on_body_timer);
}

/* --- replies --- */

static void begin_reply(struct h2_request *q,
                        const struct http_response_head *head,
                        int64_t body_bytes, bool has_body)
{
    const struct http2_response w = {
        .status = head->status,
        .fields = head->fields,
        .date = server_date(q->h->conn->server),
        .body_bytes = body_bytes,
        .has_body = has_body,
    };
    timer_cancel(&q->body_timer);
    respond(q, &w);
    consume(q);
    server_flush_later(q->h->conn);
}

static void h2_reply(struct http_request *r,
                     const struct http_response_head *head, struct str body)
{
    struct h2_request *q = of_request(r);
    if (q->id == 0)
        return;
    bool no_length = head->status == 204 || head->status == 304;
    bool has_body = body.len > 0 && !request_reply_is_bare(r, head->status);
    q->reply_ended = true;
    begin_reply(q, head, no_length ? -1 : (int64_t)body.len, has_body);
    if (has_body)
        write_or_reset(q, body, true);
}

static void pump(struct h2_request *q);

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct h2_request *q = reader;
    q->waiting = false;
    if (last || e != ERR_OK)
        q->r.source = NULL;
    if (q->id == 0)
        return;
    server_flush_later(q->h->conn);
    if (e != ERR_OK) {
        http2_reset(q->h->session, q->id, HTTP2_INTERNAL_ERROR);
        return;
    }
    q->reply_ended = last;
    q->has_out = piece.len > 0;
    write_or_reset(q, piece, last);
    pump(q);
}

/* One piece at a time: the next is pulled when this one was taken. */
static void pump(struct h2_request *q)
{
    if (q->pumping)
        return;
    q->pumping = true;
    while (q->r.source != NULL && q->id != 0 && !q->waiting && !q->has_out) {
        q->waiting = true;
        q->r.source->pull(q->r.source, on_piece, q);
    }
    q->pumping = false;
}

static void on_taken(void *stream)
{
    struct h2_request *q = stream;
    q->has_out = false;
    pump(q);
}

static void h2_reply_stream(struct http_request *r,
                            const struct http_response_head *head)
{
    struct h2_request *q = of_request(r);
    if (q->id == 0 || request_reply_is_bare(r, head->status)) {
        request_drop_source(r);
        h2_reply(r, head, (struct str){NULL, 0});
        return;
    }
    begin_reply(q, head, -1, true);
    pump(q);
}

/*
 * A reset overtakes what the session holds of this stream, but not what the
 * socket has not taken yet.  Nothing may leave after this, so then all of the
 * connection ends.
 */
static void h2_cut(struct http_request *r)
{
    struct h2_request *q = of_request(r);
    if (stream_queued(r->conn->stream) > 0) {
        server_close(r->conn);
    } else if (q->id != 0) {
        http2_reset(q->h->session, q->id, HTTP2_CANCEL);
        server_flush_later(r->conn);
    }
}

static void on_stream_closed(void *stream, uint32_t code)
{
    struct h2_request *q = stream;
    bool whole = q->reply_ended && code == HTTP2_NO_ERROR;
    struct server_conn *c = q->h->conn;
    lose_stream(q, whole ? ERR_OK : ERR_CLOSED);
    server_flush_later(c); /* looks whether that was the last one */
}

static void h2_after_done(struct http_request *r)
{
    struct server_conn *c = r->conn;
    request_free(of_request(r));
    server_flush_later(c);
}

/* --- the connection --- */

static void h2_data(struct server_conn *c, struct str bytes)
{
    struct server_h2 *h = h2_of(c);
    if (h->finished)
        return;
    h->busy = true;
    enum err e = http2_feed(h->session, bytes, loop_now_ms(c->loop));
    h->busy = false;
    if (e != ERR_OK)
        lose_all(h);
    server_flush_later(c);
}

static void h2_closed(struct server_conn *c)
{
    struct server_h2 *h = h2_of(c);
    LIST_EACH(it, next, &h->requests)
    {
        struct h2_request *q = CONTAINER_OF(it, struct h2_request, node);
        if (q->is_open)
            server_done(&q->r, q->id == 0 ? q->r.why : ERR_CLOSED);
        request_free(q);
    }
    http2_free(h->session);
    free(h);
    c->state = NULL;
}

static void h2_drain(struct server_conn *c)
{
    struct server_h2 *h = h2_of(c);
    if (h->over)
        return;
    h->over = true;
    http2_goaway(h->session);
    server_flush_later(c);
}

static const struct http2_events session_events = {
    .begin = on_begin,
    .request = on_request,
    .refused = on_refused,
    .data = on_data,
    .end = on_end,
    .taken = on_taken,
    .closed = on_stream_closed,
};

enum err server_h2_start(struct server_conn *c)
{
    struct server_h2 *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return ERR_NO_MEMORY;
    uint32_t streams_max = c->server->options.h2_streams_max;
    enum err e =
        http2_new(HTTP2_SERVER, streams_max, &session_events, h, &h->session);
    if (e != ERR_OK) {
        free(h);
        return e;
    }
    h->conn = c;
    h->deadline = DEADLINE_HEAD; /* since the accept */
    list_init(&h->requests);
    c->state = h;
    server_flush_later(c);
    return ERR_OK;
}

const struct server_protocol server_h2_protocol = {
    .data = h2_data,
    .ended = server_close,
    .drained = h2_flush,
    .timeout = h2_timeout,
    .closed = h2_closed,
    .drain = h2_drain,
    .read = h2_read,
    .reply = h2_reply,
    .reply_stream = h2_reply_stream,
    .cut = h2_cut,
    .after_done = h2_after_done,
    .flush = h2_flush,
};
