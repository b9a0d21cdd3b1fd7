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

static bool is_listed(const struct tool *list, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(list[i].name, name))
            return true;
    }
    return false;
}

bool mcp_target_offered(const struct action *a, const struct hub_offer *offer,
                        struct worker_offer *ret)
{
    const struct tool_server_settings *s = mcp_server(a);
    const struct tool_page *page = offer->page;

    *ret = (struct worker_offer){.server = s->name,
                                 .offered = page->tools,
                                 .count = page->count,
                                 .approve_new = s->approve_new,
                                 .listed_ms = offer->listed_ms};
    if (page->refused_count == 0)
        return true;
    struct tool *all =
        ARENA_NEW(a->arena, struct tool, page->count + page->refused_count);
    if (all == NULL)
        return false;
    if (page->count > 0)
        memcpy(all, page->tools, page->count * sizeof(*all));
    for (size_t i = 0; i < page->refused_count; i++) {
        struct str name = page->refused[i].name;
        if (catalog_find(a->worker->catalog, s->name, name) != NULL &&
            !is_listed(all, ret->count, name))
            all[ret->count++].name = name;
    }
    ret->offered = all;
    return true;
}

/* Every call asks, and looks at all tools of its server only the first time
 * that offer and catalog meet. */
bool mcp_target_is_settled(const struct action *a, struct hub_offer *offer)
{
    const struct catalog *known = a->worker->catalog;
    struct worker_offer o;

    if (hub_offer_is_settled(offer, catalog_number(known)))
        return true;
    if (!mcp_target_offered(a, offer, &o) ||
        !catalog_is_settled(known, o.server, o.offered, o.count))
        return false;
    hub_offer_settle(offer, catalog_number(known));
    return true;
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
    if (c->pinned == NULL)
        return;
    f->tool = &c->pinned->tool.digest;
    f->state = &c->state;
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
