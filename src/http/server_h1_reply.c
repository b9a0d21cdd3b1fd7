/* server_h1_reply.c - the sending half of HTTP/1 towards a caller. */
#include "http/server_h1.h"

void server_h1_write(struct server_h1 *h, const struct str *pieces, size_t n)
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

void server_h1_refuse(struct server_h1 *h, enum http_fault fault)
{
    char body[REQUEST_REFUSAL_MAX];
    size_t n = request_refusal(fault, body);
    const struct http_field json = {STR("content-type"),
                                    STR("application/json")};
    const struct http_response_head head = {
        .status = http_fault_status(fault),
        .fields = {&json, 1},
    };
    h->close = true;
    struct str pieces[] = {compose(h, &head, (int64_t)n), {body, n}};
    if (server_h1_is_over(h))
        return;
    server_h1_write(h, pieces, ARRAY_LEN(pieces));
    server_h1_linger(h);
}

/* All of the reply was written; `done` waits for the socket to take it. */
static void reply_end(struct server_h1 *h)
{
    h->reply_ended = true;
    if (server_h1_is_over(h))
        return;
    if (stream_queued(h->conn->stream) > 0) {
        server_deadline(h->conn, h->conn->server->options.write_idle_ms);
        return;
    }
    server_deadline(h->conn, 0);
    h->r.why = ERR_OK;
    server_done_later(&h->r);
}

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

void server_h1_reply(struct http_request *r,
                     const struct http_response_head *head, struct str body)
{
    struct server_h1 *h = server_h1_of(r);
    if (server_h1_is_over(h))
        return;
    give_up_body(h);
    bool bare = request_reply_is_bare(r, head->status);
    bool no_length = head->status == 204 || head->status == 304;
    struct str pieces[] = {
        compose(h, head, no_length ? HTTP1_WRITE_NO_LENGTH : (int64_t)body.len),
        body,
    };
    if (server_h1_is_over(h))
        return;
    server_h1_write(h, pieces, bare || body.len == 0 ? 1 : 2);
    reply_end(h);
    if (h->discarding && h->input == NULL)
        server_h1_run_pending(h);
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
    if (n > 0 && !server_h1_is_over(h))
        server_h1_write(h, pieces, n);
}

static void pump(struct server_h1 *h);

/* The source's answer to one pull. */
static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct server_h1 *h = reader;
    h->waiting = false;
    if (last || e != ERR_OK)
        h->r.source = NULL;
    if (server_h1_is_over(h))
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
    while (h->r.source != NULL && !h->waiting && !server_h1_is_over(h)) {
        if (stream_queued(h->conn->stream) > 0) {
            server_deadline(h->conn, h->conn->server->options.write_idle_ms);
            break;
        }
        h->waiting = true;
        h->r.source->pull(h->r.source, on_piece, h);
    }
    h->pumping = false;
}

void server_h1_reply_stream(struct http_request *r,
                            const struct http_response_head *head)
{
    struct server_h1 *h = server_h1_of(r);
    if (server_h1_is_over(h)) {
        request_drop_source(r);
        return;
    }
    give_up_body(h);
    if (request_reply_is_bare(r, head->status)) {
        request_drop_source(r);
        struct str piece = compose(h, head, HTTP1_WRITE_NO_LENGTH);
        if (!server_h1_is_over(h))
            server_h1_write(h, &piece, 1);
        reply_end(h);
    } else {
        h->chunked = r->head.version == HTTP_VERSION_1_1;
        h->close = h->close || !h->chunked;
        server_deadline(h->conn, 0);
        /* The head leaves with the first piece, if that is there at once. */
        h->head = head;
        pump(h);
        if (h->head != NULL && !server_h1_is_over(h))
            write_piece(h, (struct str){NULL, 0}, false);
        h->head = NULL;
    }
    if (h->discarding && h->input == NULL)
        server_h1_run_pending(h);
}

void server_h1_go_on(struct server_h1 *h)
{
    if (h->reply_ended) {
        reply_end(h);
        return;
    }
    server_deadline(h->conn, 0);
    pump(h);
}
