/*
 * mcp_parse.c - what does the caller want of a server of tools?
 *
 * One message per request, read by allow-lists into the one form that is
 * decided on and sent.  What is no action of its own (ping, a notification, an
 * answer) is answered here, by mcp_lifecycle.c; the rest becomes an action of
 * the class that its method asks for.
 */
#include "base/attr.h"
#include "http/server.h"
#include "os/loop.h"
#include "pipeline/exchange.h"
#include "pipeline/mcp.h"
#include "pipeline/mcp_gate.h"
#include "pipeline/mcp_uri.h"
#include "pipeline/payload.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

static enum step refuse(struct action *a, struct fault f)
{
    return mcp_stop(a, f, MCP_IN_HTTP);
}

static enum step refuse_head(struct action *a, enum err e, int code,
                             struct str text)
{
    return refuse(a, (struct fault){.err = e, .code = code, .text = text});
}

/* Copies what is needed longer than the message. */
static bool keep(struct action *a, struct str from, struct str *ret)
{
    return arena_copy(a->arena, from, ret);
}

static bool keep_id(struct action *a, struct message_id from,
                    struct message_id *ret)
{
    ret->type = from.type;
    return keep(a, from.text, &ret->text);
}

/* ---- whose session? ---- */

/* Whoever has the same members has the same sessions: tenant and chain, but
 * not this or that token. */
struct hash mcp_parse_binding(const struct action *a)
{
    struct hash_stream h;

    hash_stream_begin(&h, NULL);
    hash_stream_add(&h, action_tenant(a));
    for (unsigned i = 0; i < a->chain->count; i++) {
        const struct principal *who = &a->chain->links[i].who;
        const char kind[2] = {0, (char)who->kind};
        hash_stream_add(&h, (struct str){kind, sizeof(kind)});
        hash_stream_add(&h, who->id);
    }
    return hash_stream_end(&h);
}

static enum step find_session(struct action *a,
                              const struct http_request_head *head)
{
    struct mcp_call *c = mcp_of(a);
    struct hash binding = mcp_parse_binding(a);
    struct str id, revision;
    size_t server;

    if (!mcp_gate_field(head, STR("mcp-session-id"), &id) ||
        !mcp_gate_field(head, STR("mcp-protocol-version"), &revision))
        return refuse_head(a, ERR_MALFORMED, FAULT_REQUEST,
                           STR("a header field is there several times"));
    if (id.len == 0)
        return refuse_head(a, ERR_MALFORMED, FAULT_REQUEST,
                           STR("Mcp-Session-Id is missing: a session begins "
                               "with initialize"));
    enum err e = mcp_sessions_find(a->worker->mcp_sessions, id, &binding,
                                   loop_now_ms(a->worker->loop), &c->session);
    if (e != ERR_OK)
        return refuse_head(a, ERR_NOT_FOUND, refusal_code(ERR_NOT_FOUND),
                           STR("there is no such session; begin another one "
                               "with initialize"));
    const struct mcp_session_about *about = mcp_session_about(c->session);
    bool same =
        about->server.len == 0
            ? c->server == MCP_ALL
            : mcp_target_find(a, about->server, &server) && server == c->server;
    if (!same)
        return refuse_head(a, ERR_NOT_FOUND, refusal_code(ERR_NOT_FOUND),
                           STR("there is no such session at this path"));
    c->revision = revision_of_request(revision, about->revision);
    if (c->revision == REVISION_NONE)
        return refuse_head(a, ERR_UNSUPPORTED, FAULT_REQUEST,
                           STR("MCP-Protocol-Version is not the revision of "
                               "this session"));
    return STEP_NEXT;
}

/* The server that the path names. */
static bool find_server(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    struct str name = a->exchange->argument;

    c->server = MCP_ALL;
    return name.len == 0 ? str_eq(a->exchange->endpoint->path, STR("/mcp"))
                         : mcp_target_find(a, name, &c->server);
}

/* ---- which action is it? ---- */

/* What it is about; empty: the server itself. */
static struct str target_of(const struct params *p, struct str *ret_type)
{
    static const struct str prompt = STR_INIT("Prompt"),
                            resource = STR_INIT("Resource");

    *ret_type = p->method == METHOD_PROMPTS_GET ? prompt : resource;
    if (p->method == METHOD_PROMPTS_GET)
        return p->prompt.name;
    if (p->method == METHOD_RESOURCES_READ ||
        p->method == METHOD_RESOURCES_SUBSCRIBE)
        return p->resource.uri;
    if (p->method == METHOD_COMPLETE) {
        *ret_type = p->complete.is_prompt ? prompt : resource;
        return p->complete.target;
    }
    *ret_type = STR("ToolServer");
    return (struct str){0};
}

/* What a request is called by policy and evidence. */
static enum step name_target(struct action *a)
{
    struct str server = mcp_server(a)->name;
    struct str item = target_of(&mcp_of(a)->params, &a->resource_type);
    struct buf name;

    if (item.len == 0) {
        a->resource = server;
        return STEP_NEXT;
    }
    if (str_eq(a->resource_type, STR("Resource")) && !mcp_uri_is_plain(item))
        return mcp_stop(a,
                        (struct fault){
                            .err = ERR_MALFORMED,
                            .code = FAULT_PARAMS,
                            .pointer = STR("/params"),
                            .text = STR("a URI with \".\" or \"..\" in its "
                                        "path can be read in two ways"),
                        },
                        MCP_IN_BAND);
    char *at = arena_alloc_raw(a->arena, server.len + 1 + item.len);
    if (at == NULL)
        return stage_stop(a, ERR_NO_MEMORY);
    buf_init_lent(&name, at, server.len + 1 + item.len);
    (void)(buf_add(&name, server) && buf_add_char(&name, '/') &&
           buf_add(&name, item));
    a->resource = buf_str(&name);
    return STEP_NEXT;
}

static enum step become(struct action *a, const struct action_class *class)
{
    struct mcp_call *c = mcp_of(a);
    enum action_kind kind = method_row(c->method)->action;

    a->class = class;
    /* What follows from a right that was decided needs the least of them. */
    a->kind = kind == ACTION_NONE ? ACTION_TOOL_LIST : kind;
    a->risk = RISK_READ;
    if (c->server == MCP_ALL) {
        a->resource_type = STR("ToolServer");
        return STEP_NEXT;
    }
    /* A tool is looked up when its server's are known. */
    return c->method == METHOD_TOOLS_CALL ? STEP_NEXT : name_target(a);
}

static enum step choose(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    if (c->method == METHOD_TOOLS_LIST && c->server == MCP_ALL)
        return become(a, &mcp_gather_class);
    if (c->method == METHOD_INITIALIZE || c->method == METHOD_TOOLS_LIST)
        return become(a, &mcp_open_class);
    if (c->method == METHOD_TOOLS_CALL || c->server != MCP_ALL)
        return become(a, &mcp_call_class);
    return mcp_stop(a,
                    (struct fault){
                        .err = ERR_UNSUPPORTED,
                        .code = FAULT_METHOD,
                        .pointer = STR("/method"),
                        .text = STR("this path has tools only; each server "
                                    "has a path of its own"),
                    },
                    MCP_IN_BAND);
}

/* What both sides of this session can do, as far as it is known. */
static unsigned capabilities(const struct mcp_call *c)
{
    const unsigned all = METHOD_HAS_TOOLS | METHOD_HAS_RESOURCES |
                         METHOD_HAS_SUBSCRIBE | METHOD_HAS_PROMPTS |
                         METHOD_HAS_COMPLETIONS | METHOD_HAS_LOGGING;

    return c->session == NULL ? all
                              : all | mcp_session_about(c->session)->client_has;
}

static enum step read_params(struct action *a, const struct message *m,
                             const struct http_request_head *head)
{
    struct mcp_call *c = mcp_of(a);
    struct fault f;

    if (method_find(m, c->revision, METHOD_CLIENT, capabilities(c), &c->method,
                    &f) != ERR_OK ||
        params_read(&a->question, c->method, c->revision, m->params, &c->params,
                    &f) != ERR_OK)
        return mcp_stop(a, f, MCP_IN_BAND);
    if (!mcp_gate_mirrors(head, m, &c->params))
        return refuse_head(a, ERR_MALFORMED, MCP_GATE_MISMATCH,
                           STR("Mcp-Method or Mcp-Name is not what the body "
                               "says"));
    if (!keep_id(a, c->params.token, &c->token))
        return stage_stop(a, ERR_NO_MEMORY);
    return STEP_NEXT;
}

static bool is_call(const struct message *m)
{
    return m->kind == MESSAGE_REQUEST || m->kind == MESSAGE_NOTIFICATION;
}

static enum step read_message(struct action *a, struct str body)
{
    const struct http_request_head *head = http_request_head(a->exchange->http);
    struct mcp_call *c = mcp_of(a);
    struct message m;
    struct message_id id = {0};
    struct fault f;

    a->request_bytes = body.len;
    a->has_request_hmac = payload_hmac(a, body, a->request_hmac);
    enum err e = message_read(&a->question, body, &m, &id, &f);
    if (!keep_id(a, e == ERR_OK ? m.id : id, &c->id))
        return stage_stop(a, ERR_NO_MEMORY);
    if (e != ERR_OK)
        return refuse(a, f);
    c->kind = m.kind;
    if (!mcp_gate_mirrors(head, &m, NULL) && !is_call(&m))
        return refuse_head(a, ERR_MALFORMED, MCP_GATE_MISMATCH,
                           STR("Mcp-Method or Mcp-Name beside an answer"));
    bool begins =
        m.kind == MESSAGE_REQUEST && method_from(m.method) == METHOD_INITIALIZE;
    enum step s = begins ? STEP_NEXT : find_session(a, head);
    if (begins)
        c->revision = REVISION_NEWEST;
    if (s == STEP_NEXT && is_call(&m))
        s = read_params(a, &m, head);
    if (s != STEP_NEXT)
        return s;
    bool acts = m.kind == MESSAGE_REQUEST && c->method != METHOD_PING &&
                !(begins && c->server == MCP_ALL);
    return acts ? choose(a) : mcp_lifecycle(a, &m);
}

static void on_body(void *user, struct str body, enum err e)
{
    struct action *a = user;
    enum step outcome = e == ERR_OK ? read_message(a, body) : stage_stop(a, e);

    http_request_drop_body(a->exchange->http);
    pipeline_resume(a, outcome);
}

/* ---- GET and DELETE ---- */

static enum step listen_to(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    if (c->server == MCP_ALL || !c->may_stream)
        return refuse_head(a, ERR_METHOD, refusal_code(ERR_METHOD),
                           STR("no stream is to be had at this path"));
    return become(a, &mcp_listen_class);
}

static enum step end_session(struct action *a)
{
    mcp_session_end(mcp_of(a)->session);
    exchange_reply(a->exchange, 204, (struct http_fields){0}, (struct str){0},
                   (struct str){0});
    return STEP_STOP;
}

static bool is_json(struct str content_type)
{
    struct str type = str_first(content_type, str_find(content_type, ';'));
    return str_eq_nocase(str_trim(type), STR("application/json"));
}

enum step mcp_parse(struct action *a)
{
    const struct http_request_head *head = http_request_head(a->exchange->http);
    struct mcp_call *c = mcp_of(a);
    size_t max = a->exchange->endpoint->body_max;

    c->action = a;
    c->may_stream = mcp_gate_accepts(head, STR("text/event-stream"));
    if (!mcp_gate_admits(&a->snapshot->settings, head,
                         http_request_peer(a->exchange->http)))
        return refuse_head(a, ERR_ORIGIN, refusal_code(ERR_ORIGIN),
                           str_from(err_text(ERR_ORIGIN)));
    if (head->query.len > 0)
        return refuse_head(a, ERR_UNKNOWN_FIELD, FAULT_REQUEST,
                           STR("this path takes no query"));
    if (!find_server(a))
        return stage_stop(a, ERR_NOT_FOUND);
    if (!str_eq(head->method, STR("POST"))) {
        enum step s = find_session(a, head);
        if (s != STEP_NEXT)
            return s;
        return str_eq(head->method, STR("GET")) ? listen_to(a) : end_session(a);
    }
    if (!is_json(http_fields_get(head->fields, STR("content-type"))) ||
        http_fields_count(head->fields, STR("content-encoding")) > 0)
        return stage_stop(a, ERR_MEDIA_TYPE);
    if (max > a->snapshot->settings.server.body_max)
        max = (size_t)a->snapshot->settings.server.body_max;
    http_request_read(a->exchange->http, max, on_body, a);
    return STEP_WAIT;
}

void mcp_parse_cancel(struct action *a)
{
    /* The server forgets the read when the request is done or answered. */
    (void)a;
}
