/*
 * mcp_target.c - the server of an action, as hub, policy and evidence are told
 * of it.
 */
#include <assert.h>
#include <string.h>

#include "broker/broker.h"
#include "pipeline/mcp.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

const struct tool_server_settings *mcp_server(const struct action *a)
{
    size_t server = mcp_of(a)->server;

    return server == MCP_ALL ? NULL : &a->snapshot->settings.tools[server];
}

bool mcp_target_is_visible(const struct action *a, size_t server)
{
    const struct names *t = &a->snapshot->settings.tools[server].tenants;

    for (size_t i = 0; i < t->count; i++) {
        if (str_eq(t->at[i], action_tenant(a)))
            return true;
    }
    return t->count == 0;
}

bool mcp_target_find(const struct action *a, struct str name, size_t *ret)
{
    const struct settings *s = &a->snapshot->settings;

    for (size_t i = 0; i < s->tool_count; i++) {
        if (!str_eq(s->tools[i].name, name))
            continue;
        *ret = i;
        return mcp_target_is_visible(a, i); /* else it is as if unknown */
    }
    return false;
}

static void keep_snapshot(void *it)
{
    (void)snapshot_ref(it);
}

static void let_snapshot_go(void *it)
{
    snapshot_unref(it);
}

struct hub_to mcp_target_to(const struct action *a)
{
    const struct mcp_call *c = mcp_of(a);

    return (struct hub_to){
        .session = c->session,
        .server = mcp_server(a),
        .digest = &a->snapshot->tool_rows[c->server].digest,
        .tls = a->snapshot->tool_rows[c->server].tls,
        .keep = {a->snapshot, keep_snapshot, let_snapshot_go},
        .tenant = action_tenant(a),
        .authorization = c->authorization,
        .offer = c->offer,
    };
}

static struct rules_destination destination_of(const struct action *a)
{
    const struct tool_server_settings *s = mcp_server(a);

    return (struct rules_destination){
        .provider = s->name,
        .host = s->transport == TRANSPORT_HTTP ? s->http.host : (struct str){0},
        .region = s->region,
    };
}

void mcp_target_facts(const struct action *a, unsigned candidate,
                      struct rules_request *q)
{
    (void)candidate;
    q->tool = &mcp_of(a)->about;
    q->risk = a->risk;
    q->destination = destination_of(a);
}

/* What the resource is called at its server; the server itself: nothing. */
static struct str own_name(const struct action *a)
{
    assert(a->resource_type.len > 0);
    return str_eq(a->resource_type, STR("ToolServer"))
               ? (struct str){0}
               : str_skip(a->resource, mcp_server(a)->name.len + 1);
}

void mcp_target_about(struct action *a)
{
    const struct tool_server_settings *s = mcp_server(a);

    mcp_of(a)->about = (struct rules_tool){
        .server = s->name,
        .name = own_name(a),
        .yields = &s->yields,
        .clearance = &s->clearance,
        .risk = a->risk,
    };
}

/* The one that `broker` will take; empty when none fits, which it refuses. */
static struct str credential_id(const struct action *a)
{
    struct broker_credential c = {0};
    enum err e = broker_get_tool(a->snapshot->broker, mcp_of(a)->server,
                                 action_tenant(a), mcp_server(a)->region, &c);

    return e == ERR_OK ? c.id : (struct str){0};
}

void mcp_target_describe(const struct action *a, struct evidence_intent *f,
                         struct evidence_route *room)
{
    const struct mcp_call *c = mcp_of(a);
    struct rules_destination d = destination_of(a);

    (void)room; /* there is no choice of destinations */
    f->destination =
        (struct evidence_destination){d.provider, d.host, d.region};
    f->dialect = STR("mcp");
    f->credential = credential_id(a);
    f->has_input_hmac = c->has_input_hmac;
    memcpy(f->input_hmac, c->input_hmac, sizeof(f->input_hmac));
    f->tool = c->pinned == NULL ? NULL : &c->pinned->tool.digest;
}

enum err mcp_target_broker(struct action *a)
{
    struct broker_credential c;

    enum err e = broker_get_tool(a->snapshot->broker, mcp_of(a)->server,
                                 action_tenant(a), mcp_server(a)->region, &c);
    if (e == ERR_OK)
        mcp_of(a)->authorization = c.field;
    return e;
}
