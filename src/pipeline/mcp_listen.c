/*
 * mcp_listen.c - the stream of notices that a GET asks for: what a server says
 * beside any call (its tools have changed, a resource was updated, a log).
 */
#include "base/container.h"
#include "pipeline/mcp.h"
#include "pipeline/mcp_stream.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

static enum step parse(struct action *a)
{
    return stage_stop(a, ERR_INTERNAL); /* mcp_class has parsed */
}

static enum step route(struct action *a)
{
    a->candidate_count = 1;
    mcp_target_about(a);
    return STEP_NEXT;
}

static enum err outgoing(struct action *a)
{
    (void)a;
    return ERR_OK; /* nothing of the caller's goes out */
}

static void on_event(struct hub_call *call, const struct hub_event *e)
{
    struct mcp_call *c = CONTAINER_OF(call, struct mcp_call, call);
    struct action *a = c->action;

    if (e->kind == HUB_NOTICE) {
        (void)mcp_relay_notice(a, e);
        c->waits_for_room =
            c->stream != NULL && !mcp_stream_is_empty(c->stream);
        if (!c->waits_for_room)
            hub_next(a->worker->hub, &c->call);
        return;
    }
    /* Its session or its link is over, or somebody else listens: the stream
     * ends well, and the caller may ask again. */
    c->calling = false;
    a->outcome = OUTCOME_OK;
    mcp_answer_end(a);
    pipeline_resume(a, STEP_NEXT);
}

static enum step dispatch(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    struct hub_to to = mcp_target_to(a);

    c->call = (struct hub_call){.number = hub_number(a->worker->hub),
                                .event = on_event};
    enum err e = hub_listen(a->worker->hub, &c->call, &to);
    if (e != ERR_OK)
        return stage_stop(a, e);
    c->calling = true;
    return STEP_NEXT;
}

static enum step relay(struct action *a)
{
    enum err e = mcp_answer_begin(a);
    if (e == ERR_OK)
        return STEP_WAIT;
    mcp_relay_cancel(a);
    return stage_stop(a, e);
}

/* A stream that has begun just ends: the caller may ask for another. */
static void reply(struct action *a)
{
    if (mcp_of(a)->stream != NULL)
        mcp_answer_end(a);
    else
        mcp_answer_refusal(a);
}

const struct action_class mcp_listen_class = {
    .name = "listen",
    .own_size = sizeof(struct mcp_call),
    .only_listens = true,
    .parse = parse,
    .route = route,
    .facts = mcp_target_facts,
    .outgoing = outgoing,
    .describe = mcp_target_describe,
    .broker = mcp_target_broker,
    .dispatch = dispatch,
    .relay = relay,
    .relay_cancel = mcp_relay_cancel,
    .reply = reply,
    .release = mcp_release,
};
