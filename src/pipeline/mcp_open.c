/*
 * mcp_open.c - opens a server for a session, and learns its tools.
 *
 * It is what `initialize` and `tools/list` do at a server's own path, and what
 * any other action does first, as a child, when its server is not open: so
 * nothing is ever called whose definition was not seen, and pinned, before.
 * What is known already is answered where it is decided, and nothing leaves.
 */
#include <string.h>

#include "base/container.h"
#include "pipeline/facts.h"
#include "pipeline/mcp.h"
#include "pipeline/snapshot.h"
#include "pipeline/standing.h"
#include "pipeline/worker.h"

static bool is_settled(const struct action *a)
{
    const struct mcp_call *c = mcp_of(a);

    return c->offer != NULL && mcp_target_is_settled(a, c->offer);
}

static enum step answer_list(struct action *a)
{
    struct buf result;
    bool first = true;

    buf_init(&result, MCP_STREAM_MAX);
    (void)BUF_LIT(&result, "{\"tools\":[");
    mcp_list_tools(a, mcp_of(a)->server, mcp_of(a)->offer, &first, &result);
    (void)BUF_LIT(&result, "]}");
    bool ok = buf_ok(&result);
    if (ok)
        mcp_answer_result(a, buf_str(&result));
    buf_release(&result);
    return ok ? STEP_NEXT : stage_stop(a, ERR_LIMIT);
}

/* To the caller, or to the parent, who looks at the offer itself. */
static enum step answer(struct action *a)
{
    if (a->exchange == NULL) {
        struct mcp_call *of = mcp_of(a->parent);
        hub_offer_unref(of->offer);
        of->offer = hub_offer_ref(mcp_of(a)->offer);
        return STEP_NEXT;
    }
    return mcp_of(a)->method == METHOD_INITIALIZE ? mcp_lifecycle_begin(a)
                                                  : answer_list(a);
}

static enum step route(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    struct hub_to to = mcp_target_to(a);

    mcp_target_about(a);
    if (c->session != NULL)
        c->offer = hub_known(a->worker->hub, &to);
    a->candidate_count = 1;
    return STEP_NEXT;
}

/* Nothing leaves for what is known: then the answer is given here. */
static enum step decide(struct action *a)
{
    struct facts facts;
    struct rules_request q;
    struct rules_answer ruling;

    facts_ask(a, &facts, &q);
    mcp_target_facts(a, 0, &q);
    facts_decide(a, &q, &ruling);
    a->decision = ruling.decision;
    a->shadow = ruling.shadow;
    if (a->decision.effect == DECISION_DENY)
        return stage_stop(a, ERR_DENIED);
    if (a->decision.effect != DECISION_ALLOW || !is_settled(a))
        return STEP_NEXT;
    enum step s = answer(a);
    return s == STEP_NEXT ? STEP_STOP : s;
}

static enum err outgoing(struct action *a)
{
    struct arena home;
    struct buf nothing;

    arena_init_spare(&home, REQUEST_ARENA_MAX, &a->worker->spare);
    buf_init(&nothing, ACTION_OUTGOING_MAX);
    /* What it sends is the gateway's own; what was asked goes with the
     * question, but for who asks. */
    if (mcp_of(a)->method != METHOD_INITIALIZE)
        action_keep_outgoing(a, &home, &nothing);
    else
        arena_release(&home);
    return ERR_OK;
}

/* ---- the link, then the pins ---- */

static void on_pinned(struct catalog_wait *w, enum err e)
{
    struct action *a = CONTAINER_OF(w, struct mcp_call, pinning)->action;

    pipeline_resume(a, e == ERR_OK ? answer(a) : stage_stop(a, e));
}

static void on_event(struct hub_call *call, const struct hub_event *e)
{
    struct mcp_call *c = CONTAINER_OF(call, struct mcp_call, call);
    struct action *a = c->action;

    c->calling = false;
    if (e->kind == HUB_OPENED) {
        c->offer = hub_offer_ref(e->offer);
        pipeline_resume(a, STEP_NEXT);
        return;
    }
    a->attempt.unsent = !e->sent;
    (void)!arena_copy(a->arena, e->why, &a->reason);
    /* What is over a limit is the server's, not what was asked. */
    pipeline_resume(a,
                    stage_stop(a, e->err == ERR_LIMIT ? ERR_UPSTREAM : e->err));
}

static enum step dispatch(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    enum err e = ERR_OK;

    if (c->session == NULL)
        e = mcp_lifecycle_open(a);
    if (e == ERR_OK) {
        struct hub_to to = mcp_target_to(a); /* what is known was not enough */
        c->call = (struct hub_call){.number = hub_number(a->worker->hub),
                                    .event = on_event};
        e = hub_open(a->worker->hub, &c->call, &to);
    }
    hub_offer_unref(c->offer);
    c->offer = NULL;
    if (e != ERR_OK)
        return stage_stop(a, e);
    c->calling = true;
    return STEP_WAIT;
}

static void cancel(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    if (c->calling)
        hub_cancel(a->worker->hub, &c->call, STR("the caller has left"));
    c->calling = false;
    catalog_wait_cancel(&c->pinning);
}

static enum step relay(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    a->outcome = OUTCOME_OK;
    if (is_settled(a))
        return answer(a);
    c->pinning.done = on_pinned;
    struct worker_offer o;
    if (!mcp_target_offered(a, c->offer, &o))
        return stage_stop(a, ERR_NO_MEMORY);
    enum err e = a->worker->offer(a->worker, &o, &c->pinning);
    return e == ERR_OK ? STEP_WAIT : stage_stop(a, e);
}

/* ---- as a child ---- */

static enum step parse(struct action *a)
{
    return a->exchange == NULL ? STEP_NEXT : stage_stop(a, ERR_INTERNAL);
}

static void prepare(struct action *child, const void *input)
{
    struct mcp_call *c = mcp_of(child);
    const struct mcp_call *of = mcp_of(child->parent);
    const size_t *server = input;

    c->action = child;
    c->method = METHOD_TOOLS_LIST;
    c->revision = of->revision;
    c->session = mcp_session_ref(of->session);
    c->server = *server;
    child->risk = RISK_READ;
    child->resource_type = STR("ToolServer");
    child->resource = mcp_server(child)->name;
}

struct action *mcp_open_spawn(struct action *a, size_t server,
                              void (*ended)(struct action *child, void *user))
{
    const struct action_child o = {.kind = ACTION_TOOL_LIST,
                                   .prepare = prepare,
                                   .input = &server,
                                   .ended = ended,
                                   .user = a};

    return action_spawn(a, &mcp_open_class, &o);
}

/* A session that could not be begun is none. */
static void release(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    if (a->err != ERR_OK && a->exchange != NULL &&
        c->method == METHOD_INITIALIZE && c->session != NULL)
        mcp_session_end(c->session);
    mcp_release(a);
}

const struct action_class mcp_open_class = {
    .name = "tools",
    .own_size = sizeof(struct mcp_call),
    .parse = parse,
    .route = route,
    .decide = decide,
    .outgoing = outgoing,
    .describe = mcp_target_describe,
    .broker = mcp_target_broker,
    .dispatch = dispatch,
    .dispatch_cancel = cancel,
    .relay = relay,
    .relay_cancel = cancel,
    .reply = mcp_answer_refusal,
    .release = release,
};
