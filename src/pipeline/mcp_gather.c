/*
 * mcp_gather.c - the tools of all servers that the caller's tenant may see, as
 * one list: one child action per server, one after the other.
 *
 * A server that cannot be reached, or whose list the caller may not see, is
 * left out; those that could not be asked are named in `_meta`.
 */
#include "base/attr.h"
#include "pipeline/mcp.h"
#include "pipeline/snapshot.h"

/* The list as it grows; in a->own's action, between children. */
struct gathering {
    struct buf tools, missing;
    bool first, first_missing;
};

static void note_missing(struct gathering *g, struct str server)
{
    if (!g->first_missing)
        (void)buf_add_char(&g->missing, ',');
    g->first_missing = false;
    json_write_str(&g->missing, server);
}

static enum step next(struct action *a);

static void on_ended(struct action *child, void *user)
{
    struct action *a = user;
    struct mcp_call *c = mcp_of(a);
    struct gathering *g = c->gathering;
    size_t server = c->gathered - 1;

    if (child->err == ERR_OK && c->offer != NULL)
        mcp_list_tools(a, server, c->offer, &g->first, &g->tools);
    else if (child->err != ERR_DENIED)
        note_missing(g, a->snapshot->settings.tools[server].name);
    hub_offer_unref(c->offer);
    c->offer = NULL;
    enum step s = next(a);
    if (s != STEP_WAIT)
        pipeline_resume(a, s);
}

/* Asks the next server; NEXT: that was the last one. */
static enum step next(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    struct gathering *g = c->gathering;

    while (c->gathered < a->snapshot->settings.tool_count) {
        size_t server = c->gathered++;
        if (!mcp_target_is_visible(a, server))
            continue;
        if (mcp_open_spawn(a, server, on_ended) != NULL)
            return STEP_WAIT;
        note_missing(g, a->snapshot->settings.tools[server].name);
    }
    return STEP_NEXT;
}

static enum step route(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    c->gathering = ARENA_NEW(a->arena, struct gathering, 1);
    if (c->gathering == NULL)
        return stage_stop(a, ERR_NO_MEMORY);
    c->gathering->first = c->gathering->first_missing = true;
    buf_init(&c->gathering->tools, MCP_STREAM_MAX);
    buf_init(&c->gathering->missing, MCP_BODY_MAX);
    return next(a);
}

static void route_cancel(struct action *a)
{
    (void)a; /* children are ended before */
}

/* What children have brought was decided there and in mcp_list.c. */
static enum step decide(struct action *a)
{
    const struct gathering *g = mcp_of(a)->gathering;
    struct buf result;

    buf_init(&result, MCP_STREAM_MAX + MCP_BODY_MAX);
    (void)BUF_LIT(&result, "{\"tools\":[");
    (void)buf_add(&result, buf_str(&g->tools));
    (void)buf_add_char(&result, ']');
    if (g->missing.len > 0) {
        (void)BUF_LIT(&result, ",\"_meta\":{\"writ/unavailable\":[");
        (void)buf_add(&result, buf_str(&g->missing));
        (void)BUF_LIT(&result, "]}");
    }
    (void)buf_add_char(&result, '}');
    bool ok = buf_ok(&result) && buf_ok(&g->tools) && buf_ok(&g->missing);
    if (ok)
        mcp_answer_result(a, buf_str(&result));
    buf_release(&result);
    return ok ? STEP_STOP : stage_stop(a, ERR_LIMIT);
}

static void release(struct action *a)
{
    struct gathering *g = mcp_of(a)->gathering;

    if (g != NULL) {
        buf_release(&g->tools);
        buf_release(&g->missing);
    }
    mcp_release(a);
}

const struct action_class mcp_gather_class = {
    .name = "all tools",
    .own_size = sizeof(struct mcp_call),
    .route = route,
    .route_cancel = route_cancel,
    .decide = decide,
    .reply = mcp_answer_refusal,
    .release = release,
};
