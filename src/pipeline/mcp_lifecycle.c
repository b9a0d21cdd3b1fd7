/*
 * mcp_lifecycle.c - messages that are no action: the beginning of a session,
 * ping, notifications, and answers to what a server has asked.
 *
 * None of them reaches a server that nobody decided on: a notification goes on
 * only along links that a permitted action has opened, an answer only to the
 * action that asked.
 */
#include "base/attr.h"
#include "base/text.h"
#include "http/server.h"
#include "mcp/handshake.h"
#include "os/loop.h"
#include "pipeline/exchange.h"
#include "pipeline/mcp.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

enum { WORDS_MAX = 8 * 1024 * 1024 };

static enum step done(struct action *a, int status)
{
    exchange_reply(a->exchange, status, (struct http_fields){0},
                   (struct str){0}, (struct str){0});
    return STEP_STOP;
}

static enum step answer_empty(struct action *a)
{
    mcp_answer_result(a, STR("{}"));
    return STEP_STOP;
}

/* ---- initialize ---- */

enum err mcp_lifecycle_open(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    const struct json *has = c->params.initialize.capabilities;
    const struct mcp_session_about about = {
        .binding = mcp_parse_binding(a),
        .server = c->server == MCP_ALL ? (struct str){0} : mcp_server(a)->name,
        .owner = a->worker->number,
        .revision = revision_offer(c->params.initialize.revision),
        .client_has = handshake_capabilities(has, REVISION_NEWEST),
    };

    c->revision = about.revision;
    return mcp_sessions_open(a->worker->mcp_sessions, &about,
                             a->snapshot->settings.sessions.idle_ms,
                             loop_now_ms(a->worker->loop), &c->session);
}

enum step mcp_lifecycle_begin(struct action *a)
{
    const unsigned offered = METHOD_HAS_TOOLS | METHOD_HAS_RESOURCES |
                             METHOD_HAS_SUBSCRIBE | METHOD_HAS_PROMPTS |
                             METHOD_HAS_COMPLETIONS | METHOD_HAS_LOGGING;
    struct mcp_call *c = mcp_of(a);
    struct handshake_self self = {
        .revision = c->revision,
        .has = METHOD_HAS_TOOLS,
        .name = STR("writ"),
        .title = STR("Writ"),
        .version = a->worker->version,
    };
    struct buf result, message;

    if (c->offer != NULL) {
        self.has = (c->offer->has & offered) | METHOD_HAS_CHANGES;
        self.instructions = c->offer->instructions;
    }
    const struct http_field id = {STR("mcp-session-id"),
                                  mcp_session_id(c->session)};
    buf_init(&result, MCP_BODY_MAX);
    buf_init(&message, MCP_BODY_MAX);
    handshake_write_result(&result, &self);
    message_write_result(&message, c->id, buf_str(&result));
    bool ok = buf_ok(&result) && buf_ok(&message);
    if (ok)
        exchange_reply(a->exchange, 200, (struct http_fields){&id, 1},
                       STR("application/json"), buf_str(&message));
    buf_release(&result);
    buf_release(&message);
    return ok ? STEP_NEXT : stage_stop(a, ERR_LIMIT);
}

static enum step begin_with_all(struct action *a)
{
    enum err e = mcp_lifecycle_open(a);
    if (e != ERR_OK)
        return stage_stop(a, e);
    enum step s = mcp_lifecycle_begin(a);
    return s == STEP_NEXT ? STEP_STOP : s;
}

/* ---- notifications and answers ---- */

static void say(struct action *a, const struct hub_word *w)
{
    /* What the other worker cannot take now is lost, as on a network. */
    if (w->number != 0)
        (void)!hub_say(a->worker->hub, w);
}

static enum step take_notice(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    if (c->method == METHOD_CANCELLED) {
        const struct hub_word w = {
            .number =
                mcp_session_number(c->session, c->params.cancelled.request),
            .session = c->session,
            .is_cancel = true,
            .text = c->params.cancelled.reason,
        };
        say(a, &w);
    } else if (c->method == METHOD_ROOTS_CHANGED) {
        hub_notify(a->worker->hub, c->session, c->method, (struct str){0});
    }
    return done(a, 202);
}

/* An id of ours, as it was written; 0: it is none. */
static uint64_t number_of(struct message_id id)
{
    uint64_t n = 0;

    if (id.type != MESSAGE_ID_INTEGER || id.text.len > 16)
        return 0;
    for (size_t i = 0; i < id.text.len; i++) {
        if (id.text.ptr[i] < '0' || id.text.ptr[i] > '9')
            return 0;
        n = n * 10 + (uint64_t)(id.text.ptr[i] - '0');
    }
    return n;
}

static void write_error(struct buf *to, const struct message *m)
{
    (void)BUF_LIT(to, "{\"code\":");
    (void)buf_add_i64(to, m->error.code);
    (void)BUF_LIT(to, ",\"message\":");
    json_write_str(to, m->error.text);
    if (m->error.data != NULL) {
        (void)BUF_LIT(to, ",\"data\":");
        json_write(to, m->error.data, NULL, 0);
    }
    (void)buf_add_char(to, '}');
}

static enum step take_answer(struct action *a, const struct message *m)
{
    struct buf text;

    buf_init(&text, WORDS_MAX);
    if (m->kind == MESSAGE_ERROR)
        write_error(&text, m);
    else
        json_write(&text, m->result, NULL, 0);
    const struct hub_word w = {
        .number = number_of(m->id),
        .session = mcp_of(a)->session,
        .is_error = m->kind == MESSAGE_ERROR,
        .text = buf_str(&text),
    };
    bool ok = buf_ok(&text);
    if (ok)
        say(a, &w);
    buf_release(&text);
    return ok ? done(a, 202) : stage_stop(a, ERR_LIMIT);
}

enum step mcp_lifecycle(struct action *a, const struct message *m)
{
    switch (m->kind) {
    case MESSAGE_REQUEST:
        return mcp_of(a)->method == METHOD_PING ? answer_empty(a)
                                                : begin_with_all(a);
    case MESSAGE_NOTIFICATION:
        return take_notice(a);
    case MESSAGE_RESULT:
    case MESSAGE_ERROR:
        return take_answer(a, m);
    case MESSAGE_NONE:
        break;
    }
    return stage_stop(a, ERR_INTERNAL);
}
