/*
 * mcp_answer.c - answers to a caller of /mcp: one JSON message, or a stream of
 * events whose last one is the answer.
 */
#include "base/container.h"
#include "base/text.h"
#include "http/server.h"
#include "os/loop.h"
#include "pipeline/approving.h"
#include "pipeline/exchange.h"
#include "pipeline/mcp.h"
#include "pipeline/mcp_stream.h"
#include "pipeline/standing.h"
#include "pipeline/worker.h"

enum { REFUSAL_MAX = 64 * 1024 };

/* ---- the stream ---- */

static void on_drained(void *user)
{
    struct action *a = user;
    struct mcp_call *c = mcp_of(a);

    if (c->waits_for_room && c->calling) {
        c->waits_for_room = false;
        hub_next(a->worker->hub, &c->call);
    }
}

static void on_gone(void *user)
{
    struct mcp_call *c = mcp_of(user);

    c->stream = NULL; /* the exchange ends, and with it the action */
    timer_cancel(&c->ping);
}

static void on_ping(struct timer *t)
{
    struct mcp_call *c = CONTAINER_OF(t, struct mcp_call, ping);

    mcp_stream_ping(c->stream);
    if (c->stream != NULL)
        timer_set(c->action->worker->loop, &c->ping, MCP_PING_MS, on_ping);
}

enum err mcp_answer_begin(struct action *a)
{
    static const struct mcp_stream_events events = {on_drained, on_gone};
    static const struct http_field fields[] = {
        {STR_INIT("cache-control"), STR_INIT("no-cache, no-transform")},
        {STR_INIT("x-accel-buffering"), STR_INIT("no")},
    };
    struct mcp_call *c = mcp_of(a);

    enum err e = mcp_stream_new(MCP_STREAM_MAX, &events, a, &c->stream);
    if (e != ERR_OK)
        return e;
    exchange_reply_stream(a->exchange, 200,
                          (struct http_fields){fields, ARRAY_LEN(fields)},
                          STR("text/event-stream"),
                          mcp_stream_source(c->stream));
    if (c->stream == NULL)
        return ERR_CLOSED;
    timer_set(a->worker->loop, &c->ping, MCP_PING_MS, on_ping);
    return ERR_OK;
}

bool mcp_answer_event(struct action *a, struct str message)
{
    struct mcp_call *c = mcp_of(a);

    if (a->exchange == NULL || !c->may_stream || a->exchange->gone)
        return false;
    if (c->stream == NULL &&
        (a->exchange->replied || mcp_answer_begin(a) != ERR_OK))
        return false;
    return mcp_stream_write(c->stream, message);
}

/* No more is written; it goes on by itself until all of it is taken. */
static void end_stream(struct mcp_call *c)
{
    struct mcp_stream *s = c->stream;

    timer_cancel(&c->ping);
    c->stream = NULL;
    mcp_stream_end(s);
}

static void cut_stream(struct mcp_call *c, enum err why)
{
    struct mcp_stream *s = c->stream;

    timer_cancel(&c->ping);
    c->stream = NULL;
    mcp_stream_cut(s, why);
}

void mcp_answer_end(struct action *a)
{
    if (mcp_of(a)->stream != NULL)
        end_stream(mcp_of(a));
}

/* ---- the answer ---- */

void mcp_answer_message(struct action *a, struct str message)
{
    struct mcp_call *c = mcp_of(a);

    if (c->stream == NULL && a->exchange->replied)
        return; /* the stream is gone; that the caller is, we hear later */
    if (c->stream == NULL) {
        exchange_reply(a->exchange, 200, (struct http_fields){0},
                       STR("application/json"), message);
        return;
    }
    if (mcp_stream_write(c->stream, message))
        end_stream(c);
    else
        cut_stream(c, ERR_LIMIT);
}

void mcp_answer_result(struct action *a, struct str result)
{
    struct buf message;

    buf_init(&message, MCP_STREAM_MAX + MCP_BODY_MAX);
    message_write_result(&message, mcp_of(a)->id, result);
    if (buf_ok(&message))
        mcp_answer_message(a, buf_str(&message));
    else
        exchange_reply_error(a->exchange, ERR_LIMIT, (struct str){0},
                             (struct str){0});
    buf_release(&message);
}

void mcp_answer_cut(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    if (!standing_is_lost(a->err) || a->exchange == NULL || c->stream == NULL)
        return; /* the refusal says why the stream ends */
    /* What waits is not for them any more. */
    if (!mcp_stream_is_empty(c->stream) ||
        http_request_queued(a->exchange->http)) {
        cut_stream(c, a->err);
        http_request_cut(a->exchange->http);
    }
}

/* ---- refusals ---- */

static struct fault fault_of(const struct action *a)
{
    struct fault f = mcp_of(a)->fault;

    if (f.err != ERR_OK)
        return f;
    f = refusal_of(a->err);
    if (a->reason.len > 0)
        f.text = a->reason;
    return f;
}

void mcp_answer_refusal(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    char id[TEXT_HEX_LEN(ACTION_ID_LEN)];
    struct buf body;

    if (a->exchange->gone || (a->exchange->replied && c->stream == NULL))
        return;
    if (a->err == ERR_CLOSED && c->stream != NULL) {
        end_stream(c); /* who has cancelled waits for no answer */
        return;
    }
    text_hex(a->id, ACTION_ID_LEN, id);
    const struct refusal r = {.fault = fault_of(a),
                              .decision = {id, sizeof(id)},
                              .ticket = approving_ticket(a)};
    bool is_result = c->method == METHOD_TOOLS_CALL &&
                     c->kind != MESSAGE_NONE &&
                     refusal_is_result(&r, c->revision);
    buf_init(&body, REFUSAL_MAX);
    if (is_result)
        refusal_write_result(&body, c->id, &r);
    else
        refusal_write_error(&body, c->id, &r);
    if (!buf_ok(&body) && c->stream != NULL)
        cut_stream(c, a->err);
    else if (!buf_ok(&body))
        exchange_reply_error(a->exchange, a->err, (struct str){0},
                             (struct str){0});
    else if (c->stream != NULL || is_result || c->place == MCP_IN_BAND)
        mcp_answer_message(a, buf_str(&body));
    else
        exchange_reply_refusal(a->exchange, r.fault.err,
                               STR("application/json"), buf_str(&body));
    buf_release(&body);
}
