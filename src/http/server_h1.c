/*
 * server_h1.c - HTTP/1 towards a caller: one request at a time.
 *
 * While a request is in progress what else arrives is kept, a little of it,
 * and read when the reply is out (pipelining, serially).  Reading goes on all
 * the same, because a FIN is taken as the client having hung up: a call to a
 * model must end when nobody waits for it any more.  A client that half-closes
 * after its request, which is legal and rare, is lost by this.
 */
#include "http/server_h1.h"

#include <assert.h>
#include <stdlib.h>

enum { PENDING_ROOM_MAX = 512 * 1024 };

static struct server_h1 *h1_of(struct server_conn *c)
{
    return c->state;
}

static bool is_reading_body(const struct server_h1 *h)
{
    return !h->broken && !h->r.body_complete &&
           (h->r.body_state == BODY_READING || h->discarding);
}

/* Reads on only as far as something is done with what comes. */
static void update_reading(struct server_h1 *h)
{
    bool unread = h->open && !h->r.body_complete && !is_reading_body(h);
    bool pause = !server_h1_is_over(h) &&
                 h->pending.len > (unread ? 0 : SERVER_PENDING_MAX);
    if (pause == h->paused || h->conn->closing)
        return;
    h->paused = pause;
    if (pause)
        stream_pause(h->conn->stream);
    else
        stream_resume(h->conn->stream);
}

/* Ready for the next request. */
static void begin(struct server_h1 *h)
{
    request_init(&h->r, h->conn, 0);
    http1_start(&h->parser, &h->r.arena);
    h->open = h->head_timed = h->discarding = h->chunked = false;
    h->waiting = h->reply_ended = false;
}

void server_h1_linger(struct server_h1 *h)
{
    if (server_h1_is_over(h))
        return;
    if (h->ended) {
        server_close(h->conn);
        return;
    }
    h->lingering = true;
    buf_release(&h->pending);
    stream_finish(h->conn->stream);
    update_reading(h);
    server_deadline(h->conn, SERVER_LINGER_MS);
}

/* --- requests --- */

static void h1_cut(struct http_request *r)
{
    server_close(r->conn);
}

static void on_head(struct server_h1 *h, struct str *in)
{
    struct http_server *s = h->conn->server;
    h->open = true;
    h->r.head = h->parser.request;
    h->r.hop = h->parser.hop;
    server_deadline(h->conn, 0);
    if (h->r.head.body_bytes == 0) {
        enum http1_event event;
        enum err e = http1_next(&h->parser, in, &event);
        assert(e == ERR_OK && event == HTTP1_END);
        (void)e;
        h->r.body_complete = true;
    }
    s->events.request(s->user, &h->r);
}

static void on_body(struct server_h1 *h)
{
    bool reading = h->r.body_state == BODY_READING;
    request_body_piece(&h->r, h->parser.piece);
    if (!reading || h->r.body_state != BODY_READING)
        return;
    if (server_rate_ok(h->conn, h->r.body_since_ms, h->r.body_received)) {
        server_deadline(h->conn, h->conn->server->options.body_idle_ms);
    } else {
        h->close = true;
        request_body_fail(&h->r, ERR_SLOW_CLIENT);
    }
}

static void on_fault(struct server_h1 *h)
{
    h->broken = h->close = true;
    server_deadline(h->conn, 0);
    if (!h->open)
        server_h1_refuse(h, h->parser.fault);
    else
        request_body_fail(&h->r, ERR_MALFORMED);
}

/* Reads what somebody wants of `in`; returns the rest. */
static struct str parse(struct server_h1 *h, struct str in)
{
    assert(h->input == NULL);
    h->input = &in;
    enum http1_event event = HTTP1_END;
    while (!server_h1_is_over(h) && event != HTTP1_MORE && !h->broken &&
           (!h->open || is_reading_body(h))) {
        if (http1_next(&h->parser, &in, &event) != ERR_OK) {
            on_fault(h);
        } else if (event == HTTP1_HEAD) {
            on_head(h, &in);
        } else if (event == HTTP1_BODY) {
            on_body(h);
        } else if (event == HTTP1_END) {
            if (!h->r.replied)
                server_deadline(h->conn, 0);
            request_body_end(&h->r);
        }
    }
    h->input = NULL;
    return in;
}

/* A head that has begun must come to its end. */
static void watch_head(struct server_h1 *h)
{
    if (h->open || server_h1_is_over(h) || h->head_timed ||
        !http1_has_begun(&h->parser))
        return;
    h->head_timed = true;
    server_deadline(h->conn, h->conn->server->options.head_timeout_ms);
}

void server_h1_run_pending(struct server_h1 *h)
{
    if (h->input != NULL)
        return; /* parse() goes on by itself */
    if (h->pending.len > 0) {
        struct str rest = parse(h, buf_str(&h->pending));
        if (rest.len == 0 || server_h1_is_over(h))
            buf_release(&h->pending);
        else
            buf_drop(&h->pending, h->pending.len - rest.len);
        watch_head(h);
    }
    update_reading(h);
}

static void h1_read(struct http_request *r)
{
    struct server_h1 *h = server_h1_of(r);
    if (server_h1_is_over(h) || h->broken)
        return;
    server_deadline(h->conn, h->conn->server->options.body_idle_ms);
    bool here = h->pending.len > 0 || (h->input != NULL && h->input->len > 0);
    if (r->hop.expect_continue && !here) {
        struct str go_on = STR("HTTP/1.1 100 Continue\r\n\r\n");
        server_h1_write(h, &go_on, 1);
    }
    server_h1_run_pending(h);
}

/* --- events of the connection --- */

static void h1_data(struct server_conn *c, struct str bytes)
{
    struct server_h1 *h = h1_of(c);
    if (h->lingering) {
        h->lingered += bytes.len;
        if (h->lingered > SERVER_LINGER_BYTES)
            server_close(c);
        return;
    }
    if (h->pending.len > 0) {
        if (!buf_add(&h->pending, bytes))
            server_close(c);
        server_h1_run_pending(h);
        return;
    }
    struct str rest = parse(h, bytes);
    if (rest.len > 0 && !server_h1_is_over(h) && !buf_add(&h->pending, rest))
        server_close(c);
    watch_head(h);
    update_reading(h);
}

static void h1_ended(struct server_conn *c)
{
    struct server_h1 *h = h1_of(c);
    h->ended = true;
    if (!h->open || !h->reply_ended)
        server_close(c);
}

static void h1_drained(struct server_conn *c)
{
    struct server_h1 *h = h1_of(c);
    if (!server_h1_is_over(h) && h->open && h->r.replied)
        server_h1_go_on(h);
}

static void h1_timeout(struct server_conn *c)
{
    struct server_h1 *h = h1_of(c);
    size_t queued = stream_queued(c->stream);
    bool answering = h->open && !h->lingering;
    if (!h->open && !h->lingering && http1_has_begun(&h->parser)) {
        server_h1_refuse(h, HTTP_FAULT_TIMEOUT);
    } else if (answering && h->r.body_state == BODY_READING) {
        h->close = true;
        request_body_fail(&h->r, ERR_SLOW_CLIENT);
    } else if (answering && queued > 0 && queued < c->queued_seen) {
        server_deadline(c, c->server->options.write_idle_ms);
    } else {
        server_close(c);
    }
}

static void h1_after_done(struct http_request *r)
{
    struct server_h1 *h = server_h1_of(r);
    bool close = h->close || h->ended || !r->body_complete;
    request_release(r);
    h->open = false;
    if (server_h1_is_over(h))
        return;
    if (close) {
        server_h1_linger(h);
        return;
    }
    begin(h);
    server_deadline(h->conn, h->conn->server->options.idle_timeout_ms);
    server_h1_run_pending(h);
}

static void h1_closed(struct server_conn *c)
{
    struct server_h1 *h = h1_of(c);
    if (h->open) {
        bool sent = !list_empty(&h->r.later);
        server_done(&h->r, sent ? h->r.why : ERR_CLOSED);
    }
    request_release(&h->r);
    buf_release(&h->pending);
    free(h);
    c->state = NULL;
}

static void h1_drain(struct server_conn *c)
{
    struct server_h1 *h = h1_of(c);
    h->close = true;
    if (!h->open && !h->lingering && !http1_has_begun(&h->parser))
        server_close(c);
}

enum err server_h1_start(struct server_conn *c)
{
    struct server_h1 *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return ERR_NO_MEMORY;
    h->conn = c;
    buf_init(&h->pending, PENDING_ROOM_MAX);
    http1_init(&h->parser, HTTP1_REQUEST);
    c->state = h;
    begin(h);
    h->head_timed = true; /* since the accept */
    return ERR_OK;
}

const struct server_protocol server_h1_protocol = {
    .data = h1_data,
    .ended = h1_ended,
    .drained = h1_drained,
    .timeout = h1_timeout,
    .closed = h1_closed,
    .drain = h1_drain,
    .read = h1_read,
    .reply = server_h1_reply,
    .reply_stream = server_h1_reply_stream,
    .cut = h1_cut,
    .after_done = h1_after_done,
};
