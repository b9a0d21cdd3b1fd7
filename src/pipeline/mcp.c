/* mcp.c - see mcp.h: what the classes have in common. */
#include "pipeline/mcp.h"

#include "os/loop.h"
#include "pipeline/worker.h"

enum step mcp_stop(struct action *a, struct fault f, enum mcp_place place)
{
    struct mcp_call *c = mcp_of(a);

    c->fault = f;
    c->place = place;
    a->param = f.pointer;
    return stage_stop(a, f.err);
}

void mcp_release(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    assert(!c->calling && !c->settling && c->stream == NULL);
    timer_cancel(&c->ping);
    if (c->node.next != NULL)
        list_remove(&c->node);
    if (c->entered)
        mcp_session_leave(c->session, c->call.number,
                          loop_now_ms(a->worker->loop));
    mcp_session_unref(c->session);
    hub_offer_unref(c->offer);
    catalog_unref(c->catalog);
    buf_release(&c->answer);
    c->session = NULL;
    c->offer = NULL;
    c->catalog = NULL;
    c->pinned = NULL;
}

const struct action_class mcp_class = {
    .name = "mcp",
    .own_size = sizeof(struct mcp_call),
    .parse = mcp_parse,
    .parse_cancel = mcp_parse_cancel,
    .reply = mcp_answer_refusal,
    .release = mcp_release,
};
