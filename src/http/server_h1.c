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

#include "codec/http1.h"

enum { PENDING_ROOM_MAX = 512 * 1024 };

struct server_h1 {
    struct server_conn *conn;
    struct http1 parser;
    struct http_request r;   /* while `open` */
    struct buf pending;      /* came too early */
    const struct str *input; /* what is left of the bytes being parsed */
    size_t lingered;         /* bytes thrown away at the end */
    const struct http_response_head *head; /* not written yet */
    bool open;                             /* between `request` and `done` */
    bool head_timed;  /* the deadline is the head's, not the idle one */
    bool discarding;  /* the rest of the body is here and not wanted */
    bool broken;      /* the parser has failed */
    bool paused;      /* reading is */
    bool chunked;     /* the reply is */
    bool waiting;     /* for an answer of the reply's source */
    bool pumping;     /* inside pump() */
    bool reply_ended; /* all of the reply was given to the stream */
    bool ended;       /* FIN was read */
    bool close;       /* no request after this one */
    bool lingering;   /* FIN was sent; what comes is thrown away */
};

static struct server_h1 *h1_of(struct server_conn *c)
{
    return c->state;
}

static struct server_h1 *h1_of_request(struct http_request *r)
{
    return CONTAINER_OF(r, struct server_h1, r);
}

static bool is_over(const struct server_h1 *h)
{
    return h->conn->closing || h->lingering;
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
    bool pause =
        !is_over(h) && h->pending.len > (unread ? 0 : SERVER_PENDING_MAX);
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
    request_init(&h->r, h->conn);
    http1_start(&h->parser, &h->r.arena);
    h->open = h->head_timed = h->discarding = h->chunked = false;
    h->waiting = h->reply_ended = false;
}

/* The end of a connection: FIN, then a while of not listening, so that what
 * is still on its way does not become a reset that eats the reply. */
static void linger(struct server_h1 *h)
{
    if (is_over(h))
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

static void write_all(struct server_h1 *h, const struct str *pieces, size_t n)
{
    if (stream_write(h->conn->stream, pieces, n) != ERR_OK)
        server_close(h->conn);
}

/* --- replies --- */

/* A head in the server's buffer, good until the next one. */
static struct str compose(struct server_h1 *h,
                          const struct http_response_head *head,
                          int64_t body_bytes)
{
    struct http_server *s = h->conn->server;
    struct http1_write_response w = {
        .status = head->status,
        .fields = head->fields,
        .body_bytes = body_bytes,
        .date = server_date(s),
        .close = h->close,
    };
    buf_clear(&s->out);
    enum err e = http1_write_response(&s->out, &w);
    if (e == ERR_OK)
        return buf_str(&s->out);
    /* The handler gave a field that cannot be sent.  Without it the reply
     * may mean something else, so there is none. */
    server_close(h->conn);
    return (struct str){NULL, 0};
}

/* A request that is no request is answered here, without a handler. */
static void refuse(struct server_h1 *h, enum http_fault fault)
{
    char body[512];
    int n = snprintf(body, sizeof(body),
                     "{\"error\":{\"message\":\"%s\",\"type\":"
                     "\"invalid_request_error\",\"param\":null,\"code\":"
                     "\"%s\"}}",
                     http_fault_text(fault), http_fault_code(fault));
    assert(n > 0 && (size_t)n < sizeof(body));
    const struct http_field json = {STR("content-type"),
                                    STR("application/json")};
    const struct http_response_head head = {
        .status = http_fault_status(fault),
        .fields = {&json, 1},
    };
    h->close = true;
    struct str pieces[] = {compose(h, &head, n), {body, (size_t)n}};
    if (is_over(h))
        return;
    write_all(h, pieces, ARRAY_LEN(pieces));
    linger(h);
}

/* All of the reply was written; `done` waits for the socket to take it. */
static void reply_end(struct server_h1 *h)
{
    h->reply_ended = true;
    if (is_over(h))
        return;
    if (stream_queued(h->conn->stream) > 0) {
        server_deadline(h->conn, h->conn->server->options.write_idle_ms);
        return;
    }
    server_deadline(h->conn, 0);
    h->r.why = ERR_OK;
    server_done_later(&h->r);
}

static void run_pending(struct server_h1 *h);

/*
 * The reply begins, so the rest of the body will not be read.  What is here
 * already is skipped, so that a refusal does not cost the connection; for
 * what is not, nobody waits.
 */
static void give_up_body(struct server_h1 *h)
{
    const struct http_request *r = &h->r;
    if (h->conn->server->draining)
        h->close = true;
    if (!h->parser.keep_alive)
        h->close = true;
    if (r->body_complete)
        return;
    size_t here = h->input != NULL ? h->input->len : h->pending.len;
    int64_t left = r->head.body_bytes - r->body_received;
    if (!h->broken && r->head.body_bytes > 0 && left <= (int64_t)here)
        h->discarding = true;
    else
        h->close = true;
}

static void h1_reply(struct http_request *r,
                     const struct http_response_head *head, struct str body)
{
    struct server_h1 *h = h1_of_request(r);
    if (is_over(h))
        return;
    give_up_body(h);
    bool bare = request_reply_is_bare(r, head->status);
    bool no_length = head->status == 204 || head->status == 304;
    struct str pieces[] = {
        compose(h, head, no_length ? HTTP1_WRITE_NO_LENGTH : (int64_t)body.len),
        body,
    };
    if (is_over(h))
        return;
    write_all(h, pieces, bare || body.len == 0 ? 1 : 2);
    reply_end(h);
    if (h->discarding && h->input == NULL)
        run_pending(h);
}

static void write_piece(struct server_h1 *h, struct str piece, bool last)
{
    char chunk[HTTP1_WRITE_CHUNK_MAX];
    struct str pieces[5];
    size_t n = 0;
    if (h->head != NULL) {
        pieces[n++] =
            compose(h, h->head,
                    h->chunked ? HTTP1_WRITE_CHUNKED : HTTP1_WRITE_UNTIL_CLOSE);
        h->head = NULL;
    }
    if (piece.len > 0 && h->chunked)
        pieces[n++] = (struct str){chunk, http1_write_chunk(chunk, piece.len)};
    if (piece.len > 0)
        pieces[n++] = piece;
    if (piece.len > 0 && h->chunked)
        pieces[n++] = last ? STR("\r\n" HTTP1_LAST_CHUNK) : STR("\r\n");
    else if (last && h->chunked)
        pieces[n++] = STR(HTTP1_LAST_CHUNK);
    if (n > 0 && !is_over(h))
        write_all(h, pieces, n);
}

static void pump(struct server_h1 *h);

/* The source's answer to one pull. */
static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct server_h1 *h = reader;
    h->waiting = false;
    if (last || e != ERR_OK)
        h->r.source = NULL;
    if (is_over(h))
        return;
    if (e != ERR_OK) {
        server_close(h->conn); /* the client must see that it was cut */
        return;
    }
    write_piece(h, piece, last);
    if (last)
        reply_end(h);
    else if (!h->pumping)
        pump(h);
}

/* Pulls as long as the socket takes it all; `drained` goes on. */
static void pump(struct server_h1 *h)
{
    h->pumping = true;
    while (h->r.source != NULL && !h->waiting && !is_over(h)) {
        if (stream_queued(h->conn->stream) > 0) {
            server_deadline(h->conn, h->conn->server->options.write_idle_ms);
            break;
        }
        h->waiting = true;
        h->r.source->pull(h->r.source, on_piece, h);
    }
    h->pumping = false;
}

static void h1_reply_stream(struct http_request *r,
                            const struct http_response_head *head)
{
    struct server_h1 *h = h1_of_request(r);
    if (is_over(h)) {
        request_drop_source(r);
        return;
    }
    give_up_body(h);
    if (request_reply_is_bare(r, head->status)) {
        request_drop_source(r);
        struct str piece = compose(h, head, HTTP1_WRITE_NO_LENGTH);
        if (!is_over(h))
            write_all(h, &piece, 1);
        reply_end(h);
    } else {
        h->chunked = r->head.version == HTTP_VERSION_1_1;
        h->close = h->close || !h->chunked;
        server_deadline(h->conn, 0);
        /* The head leaves with the first piece, if that is there at once. */
        h->head = head;
        pump(h);
        if (h->head != NULL && !is_over(h))
            write_piece(h, (struct str){NULL, 0}, false);
        h->head = NULL;
    }
    if (h->discarding && h->input == NULL)
        run_pending(h);
}

static void h1_cut(struct http_request *r)
{
    server_close(r->conn);
}

/* --- requests --- */

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
        refuse(h, h->parser.fault);
    else
        request_body_fail(&h->r, ERR_MALFORMED);
}

/* Reads what somebody wants of `in`; returns the rest. */
static struct str parse(struct server_h1 *h, struct str in)
{
    assert(h->input == NULL);
    h->input = &in;
    enum http1_event event = HTTP1_END;
    while (!is_over(h) && event != HTTP1_MORE && !h->broken &&
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
    if (h->open || is_over(h) || h->head_timed || !http1_has_begun(&h->parser))
        return;
    h->head_timed = true;
    server_deadline(h->conn, h->conn->server->options.head_timeout_ms);
}

static void run_pending(struct server_h1 *h)
{
    if (h->input != NULL)
        return; /* parse() goes on by itself */
    if (h->pending.len > 0) {
        struct str rest = parse(h, buf_str(&h->pending));
        if (rest.len == 0 || is_over(h))
            buf_release(&h->pending);
        else
            buf_drop(&h->pending, h->pending.len - rest.len);
        watch_head(h);
    }
    update_reading(h);
}

static void h1_read(struct http_request *r)
{
    struct server_h1 *h = h1_of_request(r);
    if (is_over(h) || h->broken)
        return;
    server_deadline(h->conn, h->conn->server->options.body_idle_ms);
    bool here = h->pending.len > 0 || (h->input != NULL && h->input->len > 0);
    if (r->hop.expect_continue && !here) {
        struct str go_on = STR("HTTP/1.1 100 Continue\r\n\r\n");
        write_all(h, &go_on, 1);
    }
    run_pending(h);
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
        run_pending(h);
        return;
    }
    struct str rest = parse(h, bytes);
    if (rest.len > 0 && !is_over(h) && !buf_add(&h->pending, rest))
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
    if (is_over(h) || !h->open || !h->r.replied)
        return;
    if (h->reply_ended) {
        reply_end(h);
        return;
    }
    server_deadline(c, 0);
    pump(h);
}

static void h1_timeout(struct server_conn *c)
{
    struct server_h1 *h = h1_of(c);
    size_t queued = stream_queued(c->stream);
    if (!h->open && !h->lingering && http1_has_begun(&h->parser)) {
        refuse(h, HTTP_FAULT_TIMEOUT);
    } else if (!h->open || h->lingering) {
        server_close(c);
    } else if (h->r.body_state == BODY_READING) {
        h->close = true;
        request_body_fail(&h->r, ERR_SLOW_CLIENT);
    } else if (queued > 0 && queued < c->queued_seen) {
        server_deadline(c, c->server->options.write_idle_ms);
    } else {
        server_close(c);
    }
}

static void h1_after_done(struct http_request *r)
{
    struct server_h1 *h = h1_of_request(r);
    bool close = h->close || h->ended || !r->body_complete;
    request_release(r);
    h->open = false;
    if (is_over(h))
        return;
    if (close) {
        linger(h);
        return;
    }
    begin(h);
    server_deadline(h->conn, h->conn->server->options.idle_timeout_ms);
    run_pending(h);
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
    .reply = h1_reply,
    .reply_stream = h1_reply_stream,
    .cut = h1_cut,
    .after_done = h1_after_done,
};
