/*
 * mcp_relay.c - what a server says while a call is under way, and its answer.
 *
 * Progress and log messages make the answer a stream; an answer without them
 * is plain JSON.  The answer of a tool that can do more than read waits until
 * its outcome is durable (rule "Before, and after").
 */
#include "base/container.h"
#include "http/server.h"
#include "os/loop.h"
#include "pipeline/attempt.h"
#include "pipeline/mcp.h"
#include "pipeline/mcp_stream.h"
#include "pipeline/payload.h"
#include "pipeline/snapshot.h"
#include "pipeline/standing.h"
#include "pipeline/worker.h"

/* ---- notices ---- */

static bool level_of(const struct json *params, int *ret)
{
    static const struct str words[] = {
        STR_INIT("debug"),   STR_INIT("info"),     STR_INIT("notice"),
        STR_INIT("warning"), STR_INIT("error"),    STR_INIT("critical"),
        STR_INIT("alert"),   STR_INIT("emergency")};
    struct str word;

    if (!json_str(json_get(params, STR("level")), &word))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!str_eq(words[i], word))
            continue;
        *ret = (int)i;
        return true;
    }
    return false;
}

/* The params as the caller gets them; false: it gets none of this. */
static bool rewrite(struct action *a, const struct hub_event *e,
                    struct arena *room, struct buf *to)
{
    struct mcp_call *c = mcp_of(a);
    const struct json *params;
    char id[6 * MESSAGE_ID_MAX + 2];
    struct buf token;
    int level;

    if (e->method == METHOD_CANCELLED)
        return false; /* its id is one that the caller does not know */
    if (e->method != METHOD_PROGRESS && e->method != METHOD_LOG)
        return buf_add(to, e->text);
    if (json_read(room, e->text, &params, NULL) != ERR_OK)
        return false;
    if (e->method == METHOD_LOG) {
        return level_of(params, &level) &&
               level >= mcp_session_level(c->session) && buf_add(to, e->text);
    }
    if (c->token.type == MESSAGE_ID_NONE)
        return false; /* nobody asked for it */
    buf_init_lent(&token, id, sizeof(id));
    message_id_write(&token, c->token);
    const struct json_patch patch = {STR("progressToken"), buf_str(&token)};
    json_write(to, params, &patch, 1);
    return buf_ok(to) && buf_ok(&token);
}

bool mcp_relay_notice(struct action *a, const struct hub_event *e)
{
    struct arena room;
    struct buf params, message;
    bool written = false;

    arena_init_spare(&room, REQUEST_ARENA_MAX, &a->worker->spare);
    buf_init(&params, SSE_EVENT_MAX);
    buf_init(&message, SSE_EVENT_MAX);
    if (rewrite(a, e, &room, &params)) {
        message_write_call(&message, (struct message_id){0},
                           method_row(e->method)->name, buf_str(&params));
        written = buf_ok(&message) && mcp_answer_event(a, buf_str(&message));
    }
    buf_release(&message);
    buf_release(&params);
    arena_release(&room);
    return written;
}

/* The next one is welcome when this one has left. */
static void want_next(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    c->waits_for_room = c->stream != NULL && !mcp_stream_is_empty(c->stream);
    if (!c->waits_for_room)
        hub_next(a->worker->hub, &c->call);
}

static void on_notice(struct action *a, const struct hub_event *e)
{
    if (e->method == METHOD_CANCELLED)
        mcp_ask_take_back(a, e);
    else
        (void)mcp_relay_notice(a, e); /* who takes no stream misses it */
    want_next(a);
}

static void on_asked(struct action *a, const struct hub_event *e)
{
    static const struct str no =
        STR_INIT("{\"code\":-32600,\"message\":\"the gateway does not let "
                 "this server ask that\"}");

    if (!mcp_ask_begin(a, e))
        hub_answer(a->worker->hub, &mcp_of(a)->call, e->id, true, no);
    want_next(a);
}

/* ---- the answer ---- */

static bool is_filtered(enum method m)
{
    return m == METHOD_RESOURCES_LIST || m == METHOD_RESOURCES_TEMPLATES ||
           m == METHOD_PROMPTS_LIST;
}

static enum err write_answer(struct action *a, const struct hub_event *e,
                             struct buf *to)
{
    struct mcp_call *c = mcp_of(a);
    struct buf result;
    enum err err = ERR_OK;

    if (e->is_error) {
        (void)BUF_LIT(to, "{\"jsonrpc\":\"2.0\",\"id\":");
        message_id_write(to, c->id);
        (void)BUF_LIT(to, ",\"error\":");
        (void)buf_add(to, e->text);
        (void)buf_add_char(to, '}');
    } else if (is_filtered(c->method)) {
        buf_init(&result, MCP_STREAM_MAX);
        err = mcp_list_filter(a, e->text, &result);
        message_write_result(to, c->id, buf_str(&result));
        buf_release(&result);
    } else {
        message_write_result(to, c->id, e->text);
    }
    if (err != ERR_OK)
        return ERR_UPSTREAM;
    return buf_ok(to) ? ERR_OK : ERR_LIMIT;
}

static void give(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    mcp_answer_message(a, buf_str(&c->answer));
    buf_release(&c->answer);
    pipeline_resume(a, STEP_NEXT);
}

static void on_outcome(struct ledger_wait *w, enum err e,
                       const struct ledger_receipt *receipt)
{
    struct mcp_call *c = CONTAINER_OF(w, struct mcp_call, outcome);
    struct action *a = c->action;

    (void)receipt;
    c->settling = false;
    if (e == ERR_OK)
        give(a);
    else
        pipeline_resume(a, stage_stop(a, ERR_EVIDENCE));
}

static void on_answered(struct action *a, const struct hub_event *e)
{
    struct mcp_call *c = mcp_of(a);

    c->calling = false;
    a->attempt.answer_bytes = e->text.len;
    a->attempt.has_answer_hmac =
        payload_hmac(a, e->text, a->attempt.answer_hmac);
    a->outcome = e->is_error || e->is_tool_error ? OUTCOME_ERROR : OUTCOME_OK;
    buf_init(&c->answer, MCP_STREAM_MAX + MCP_BODY_MAX);
    enum err err = write_answer(a, e, &c->answer);
    if (err != ERR_OK) {
        pipeline_resume(a, stage_stop(a, err));
        return;
    }
    if ((a->risk & ~(uint32_t)RISK_READ) == 0) {
        give(a);
        return;
    }
    c->outcome.done = on_outcome;
    err = attempt_close_awaited(a, a->outcome, ERR_OK, &c->outcome);
    if (err != ERR_OK)
        pipeline_resume(a, stage_stop(a, err));
    else
        c->settling = true;
}

static void on_failed(struct action *a, const struct hub_event *e)
{
    mcp_of(a)->calling = false;
    a->attempt.unsent = !e->sent;
    (void)!arena_copy(a->arena, e->why, &a->reason);
    /* More than one piece of memory may hold is no usable answer. */
    pipeline_resume(a,
                    stage_stop(a, e->err == ERR_LIMIT ? ERR_UPSTREAM : e->err));
}

void mcp_relay_event(struct hub_call *call, const struct hub_event *e)
{
    struct action *a = CONTAINER_OF(call, struct mcp_call, call)->action;

    switch (e->kind) {
    case HUB_NOTICE:
        on_notice(a, e);
        return;
    case HUB_ASKED:
        on_asked(a, e);
        return;
    case HUB_ANSWERED:
        on_answered(a, e);
        return;
    case HUB_FAILED:
        on_failed(a, e);
        return;
    case HUB_OPENED:
        break;
    }
    mcp_of(a)->calling = false;
    pipeline_resume(a, stage_stop(a, ERR_INTERNAL));
}

enum step mcp_relay(struct action *a)
{
    (void)a;
    return STEP_WAIT; /* for mcp_relay_event() */
}

void mcp_relay_cancel(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    if (c->calling)
        hub_cancel(a->worker->hub, &c->call, str_from(err_text(a->err)));
    c->calling = false;
    if (c->settling)
        ledger_wait_cancel(&c->outcome);
    c->settling = false;
    mcp_answer_cut(a);
}
