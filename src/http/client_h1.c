/*
 * client_h1.c - HTTP/1 towards a destination: one call at a time.
 *
 * A connection is used again only when everything about the last call was as
 * it should be: the request sent whole before the reply began, the reply
 * complete by its framing, no byte after it.
 */
#include "http/client_h1.h"

#include <assert.h>

#include "codec/http1_write.h"

static void set_paused(struct client_conn *c, bool paused)
{
    if (c->paused == paused || c->closing)
        return;
    c->paused = paused;
    if (paused)
        stream_pause(c->stream);
    else
        stream_resume(c->stream);
}

/* The connection and its call part; the connection will not be used again
 * unless it is released. */
static void part(struct client_conn *c)
{
    c->call->conn = NULL;
    c->call = NULL;
}

/* --- the request --- */

static int64_t framing(const struct http_call *call)
{
    bool none = call->body.len == 0 && (str_eq(call->method, STR("GET")) ||
                                        str_eq(call->method, STR("HEAD")) ||
                                        str_eq(call->method, STR("DELETE")));
    return none ? HTTP1_WRITE_NO_LENGTH : (int64_t)call->body.len;
}

/* Goes on as long as the socket takes it all; `drained` goes on then. */
static void send_rest(struct client_conn *c, struct http_call *call)
{
    while (!c->closing && stream_queued(c->stream) == 0) {
        struct str slice = client_slice(call);
        if (slice.len == 0)
            break;
        if (stream_write(c->stream, &slice, 1) != ERR_OK)
            client_close(c);
    }
}

static enum err h1_start(struct client_conn *c, struct http_call *call)
{
    struct buf *out = &call->client->out;
    const struct http1_write_request w = {
        .method = call->method,
        .target = call->target,
        .authority = call->pool->authority,
        .fields = call->fields,
        .body_bytes = framing(call),
    };
    buf_clear(out);
    enum err e = http1_write_request(out, &w);
    if (e != ERR_OK)
        return e;
    call->body_sent = 0;
    struct str pieces[] = {buf_str(out), client_slice(call)};
    e = stream_write(c->stream, pieces, pieces[1].len > 0 ? 2 : 1);
    if (e != ERR_OK)
        return e;
    c->call = call;
    send_rest(c, call);
    bool headless = str_eq(call->method, STR("HEAD"));
    /* The queue kept its copy of the request there. */
    arena_release(&call->arena);
    if (headless)
        http1_start_headless(&c->parser, &call->arena);
    else
        http1_start(&c->parser, &call->arena);
    set_paused(c, false);
    return ERR_OK;
}

static bool is_sent(const struct client_conn *c, const struct http_call *call)
{
    return call->body_sent == call->body.len && stream_queued(c->stream) == 0;
}

static void h1_drained(struct client_conn *c)
{
    struct http_call *call = c->call;
    if (call == NULL || call->state != CALL_SENT)
        return;
    send_rest(c, call);
    if (!c->closing)
        call_await_head(call);
}

/* --- the reply --- */

/* The call is over for the connection, before its end. */
static void break_off(struct client_conn *c, enum err why)
{
    struct http_call *call = c->call;
    client_close(c);
    if (call == NULL)
        return;
    part(c);
    if (call->state == CALL_SENT) {
        call_fail(call, why, true);
        return;
    }
    call_end(call, why);
    if (call_tell_head(call))
        call_flush(call);
}

static void on_head(struct client_conn *c, struct http_call *call)
{
    /* A reply to half a question: the rest would not be understood. */
    if (!is_sent(c, call))
        c->parser.keep_alive = false;
    call_take_head(call, &c->parser.response);
}

/* The reply is whole; `left` is what came after it. */
static void on_end(struct client_conn *c, struct str left)
{
    struct http_call *call = c->call;
    part(c);
    call_end(call, ERR_OK);
    if (c->parser.keep_alive && left.len == 0)
        client_release(c);
    else
        client_close(c);
}

/* Reads all of `in`; false when the call has ended badly. */
static bool parse(struct client_conn *c, struct http_call *call, struct str in)
{
    enum http1_event event = HTTP1_HEAD;
    while (event != HTTP1_MORE && event != HTTP1_END) {
        if (http1_next(&c->parser, &in, &event) != ERR_OK) {
            break_off(c, ERR_UPSTREAM);
            return false;
        }
        if (event == HTTP1_HEAD)
            on_head(c, call);
        if (event == HTTP1_BODY && !call_piece(call, c->parser.piece)) {
            break_off(c, ERR_NO_MEMORY);
            return false;
        }
        if (event == HTTP1_END)
            on_end(c, in);
    }
    return true;
}

static void h1_data(struct client_conn *c, struct str bytes)
{
    struct http_call *call = c->call;
    if (call == NULL) {
        client_close(c); /* nobody asked */
        return;
    }
    if (!parse(c, call, bytes))
        return;
    if (!call_tell_head(call))
        return;
    /* What comes while the reader does not wait is kept; no more then. */
    if (c->call == call && !call->waiting && call->state == CALL_HEAD)
        set_paused(c, true);
    call_flush(call);
}

static void h1_ended(struct client_conn *c)
{
    struct http_call *call = c->call;
    if (call == NULL || call->state == CALL_SENT ||
        http1_finish(&c->parser) != ERR_OK) {
        break_off(c, ERR_UPSTREAM);
        return;
    }
    part(c);
    client_close(c);
    call_end(call, ERR_OK);
    call_flush(call);
}

static void h1_closed(struct client_conn *c)
{
    if (c->call != NULL)
        break_off(c, ERR_UPSTREAM);
}

static void h1_resume(struct http_call *call)
{
    set_paused(call->conn, false);
}

static void h1_cancel(struct http_call *call)
{
    struct client_conn *c = call->conn;
    assert(c->call == call);
    part(c);
    client_close(c);
}

const struct client_protocol client_h1_protocol = {
    .start = h1_start,
    .resume = h1_resume,
    .cancel = h1_cancel,
    .data = h1_data,
    .ended = h1_ended,
    .drained = h1_drained,
    .closed = h1_closed,
};
