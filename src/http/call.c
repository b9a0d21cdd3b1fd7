/* call.c - the life of one call, apart from where it is sent. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "http/client_conn.h"

enum { CALL_ARENA_MAX = 4 * 1024 * 1024, QUEUE_SLACK_MS = 100 };

static void on_timer(struct timer *t);
static void source_pull(struct body_source *src, body_sink *sink, void *reader);
static void source_cancel(struct body_source *src);

struct http_call *call_new(struct http_client *client,
                           const struct http_call_request *r,
                           const struct http_call_events *events, void *user)
{
    struct http_call *call = pool_take(&client->spare_calls, sizeof(*call));
    if (call == NULL)
        return NULL;
    call->client = client;
    call->events = *events;
    call->user = user;
    call->method = r->method;
    call->target = r->target;
    call->fields = r->fields;
    call->body = r->body;
    call->head_timeout_ms = r->head_timeout_ms;
    call->body_idle_ms = r->body_idle_ms;
    call->source = (struct body_source){source_pull, source_cancel};
    arena_init_spare(&call->arena, CALL_ARENA_MAX, &client->spare);
    buf_init(&call->pending, CLIENT_PENDING_MAX);
    list_init(&call->place);
    list_init(&call->touched);
    list_push(&client->calls, &call->node);
    return call;
}

static bool keep(struct arena *a, struct str *s)
{
    char *copy = arena_strdup(a, *s);
    if (copy == NULL)
        return false;
    s->ptr = copy;
    return true;
}

enum err call_keep_request(struct http_call *call)
{
    struct arena *a = &call->arena;
    size_t n = call->fields.count;
    struct http_field *fields = ARENA_NEW(a, struct http_field, n);
    bool ok =
        fields != NULL && keep(a, &call->method) && keep(a, &call->target);
    for (size_t i = 0; ok && i < n; i++) {
        fields[i] = call->fields.at[i];
        ok = keep(a, &fields[i].name) && keep(a, &fields[i].value);
    }
    call->fields.at = fields;
    return ok ? ERR_OK : ERR_NO_MEMORY;
}

void call_free(struct http_call *call)
{
    assert(call->conn == NULL);
    timer_cancel(&call->timer);
    if (call->client->told == call)
        call->client->told = NULL;
    list_remove(&call->node);
    list_remove(&call->place);
    list_remove(&call->touched);
    buf_release(&call->pending);
    arena_release(&call->arena);
    pool_give(&call->client->spare_calls, call);
}

void call_fail(struct http_call *call, enum err why, bool sent)
{
    assert(call->state < CALL_HEAD);
    struct http_call_events events = call->events;
    void *user = call->user;
    call_free(call);
    events.failed(user, why, sent);
}

/* A deadline passed: of the queue, of the head, or between two pieces. */
static void on_timer(struct timer *t)
{
    struct http_call *call = CONTAINER_OF(t, struct http_call, timer);
    if (call->state == CALL_QUEUED) {
        client_detach(call);
        call_fail(call, ERR_TIMEOUT, false);
        return;
    }
    assert(call->conn != NULL);
    size_t queued = stream_queued(call->conn->stream);
    if (call->state == CALL_SENT && queued > 0 && queued < call->queued_seen) {
        call_await_head(call); /* it takes the request, slowly */
        return;
    }
    call->conn->protocol->cancel(call);
    if (call->state == CALL_SENT) {
        call_fail(call, ERR_TIMEOUT, true);
        return;
    }
    call_end(call, ERR_TIMEOUT);
    call_flush(call);
}

void call_await_connection(struct http_call *call)
{
    /* Dialling has its own deadline; this one is for those that only wait
     * for another call to end. */
    timer_set(call->client->loop, &call->timer,
              call->pool->connect_timeout_ms + QUEUE_SLACK_MS, on_timer);
}

void call_await_head(struct http_call *call)
{
    call->queued_seen = stream_queued(call->conn->stream);
    timer_set(call->client->loop, &call->timer, call->head_timeout_ms,
              on_timer);
}

void call_take_head(struct http_call *call,
                    const struct http_response_head *head)
{
    assert(call->state == CALL_SENT);
    call->state = CALL_HEAD;
    call->head = *head;
    call->head_due = true;
    timer_cancel(&call->timer);
}

bool call_tell_head(struct http_call *call)
{
    if (!call->head_due)
        return true;
    struct http_client *client = call->client;
    call->head_due = false;
    client->told = call;
    call->events.head(call->user, &call->head);
    bool alive = client->told == call;
    client->told = NULL;
    return alive;
}

/* --- the body of the reply --- */

bool call_piece(struct http_call *call, struct str piece)
{
    if (call->piece.len == 0 && call->pending.len == 0) {
        call->piece = piece;
        return true;
    }
    bool ok =
        buf_add(&call->pending, call->piece) && buf_add(&call->pending, piece);
    call->piece = (struct str){NULL, 0};
    return ok;
}

void call_end(struct http_call *call, enum err why)
{
    assert(call->conn == NULL);
    call->state = CALL_ENDED;
    call->why = why;
    timer_cancel(&call->timer);
}

/* No memory for what has come: the call ends here. */
static void give_up(struct http_call *call)
{
    if (call->conn != NULL)
        call->conn->protocol->cancel(call);
    buf_release(&call->pending);
    call_end(call, ERR_NO_MEMORY);
}

/* Answers the reader, who then waits no more.  `all`: nothing is left after
 * `piece`.  An error comes alone, after all bytes. */
static void answer(struct http_call *call, struct str piece, bool all)
{
    body_sink *sink = call->sink;
    void *reader = call->reader;
    bool ended = all && call->state == CALL_ENDED &&
                 (call->why == ERR_OK || piece.len == 0);
    enum err why = ended ? call->why : ERR_OK;
    call->waiting = false;
    call->answered = true;
    timer_cancel(&call->timer);
    /* The head stays until the sink has returned: who waited for the first
     * bytes to pass it on needs it there. */
    sink(reader, piece, ended && why == ERR_OK, why);
    if (ended)
        call_free(call);
}

/* The bytes leave the call first, since the reader may end it. */
static void answer_pending(struct http_call *call)
{
    struct buf given = call->pending;
    bool all = given.len <= BODY_PIECE_MAX;
    if (all) {
        buf_init(&call->pending, CLIENT_PENDING_MAX);
    } else {
        buf_init(&given, BODY_PIECE_MAX);
        all = !buf_add(&given,
                       str_first(buf_str(&call->pending), BODY_PIECE_MAX));
        if (!all)
            buf_drop(&call->pending, BODY_PIECE_MAX);
    }
    if (!buf_ok(&given))
        give_up(call);
    answer(call, buf_str(&given), all);
    buf_release(&given);
}

void call_flush(struct http_call *call)
{
    struct str piece = call->piece;
    call->piece = (struct str){NULL, 0};
    bool keep_it =
        !call->waiting || call->pending.len > 0 || piece.len > BODY_PIECE_MAX;
    if (piece.len > 0 && keep_it) {
        if (!buf_add(&call->pending, piece))
            give_up(call);
        piece = (struct str){NULL, 0};
    }
    if (!call->waiting)
        return;
    if (call->pending.len > 0)
        answer_pending(call);
    else if (piece.len > 0 || call->state == CALL_ENDED)
        answer(call, piece, true);
}

static void source_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct http_call *call = CONTAINER_OF(src, struct http_call, source);
    assert(!call->waiting);
    call->sink = sink;
    call->reader = reader;
    call->waiting = true;
    if (call->answered) /* a stream may be long, and needs its head no more */
        arena_release(&call->arena);
    if (call->piece.len > 0 || call->pending.len > 0 ||
        call->state == CALL_ENDED) {
        call_flush(call);
        return;
    }
    timer_set(call->client->loop, &call->timer, call->body_idle_ms, on_timer);
    if (call->conn != NULL)
        call->conn->protocol->resume(call);
}

static void source_cancel(struct body_source *src)
{
    http_call_cancel(CONTAINER_OF(src, struct http_call, source));
}

struct body_source *http_call_body(struct http_call *call)
{
    assert(call->state >= CALL_HEAD);
    return &call->source;
}

void http_call_cancel(struct http_call *call)
{
    if (call->conn != NULL)
        call->conn->protocol->cancel(call);
    else if (call->state == CALL_QUEUED)
        client_detach(call);
    call_free(call);
}
