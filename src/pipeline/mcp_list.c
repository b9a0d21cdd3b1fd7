/*
 * mcp_list.c - answers to lists: what the caller may use, and nothing else.
 *
 * A tool is listed when it is usable as it is offered (pinned, not
 * quarantined, its schema understood) and some call of it may be permitted.
 */
#include "domain/tool_risk.h"
#include "mcp/listing.h"
#include "pipeline/facts.h"
#include "pipeline/mcp.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

enum { TARGET_NAME_MAX = PARAMS_URI_MAX + NAME_MAX_LEN + 1 };

/* One question after the other, about items of one server: prepare, begin,
 * ask, end. */
struct asking {
    struct action *action;
    struct facts facts;
    struct rules_request q;
    struct rules_tool tool;
    char name[TARGET_NAME_MAX];
};

static void asking_prepare(struct asking *k, struct action *a, size_t server)
{
    const struct tool_server_settings *s = &a->snapshot->settings.tools[server];

    k->action = a;
    k->tool = (struct rules_tool){.server = s->name,
                                  .yields = &s->yields,
                                  .clearance = &s->clearance,
                                  .any_arguments = true};
    facts_ask(a, &k->facts, &k->q);
    k->q.tool = &k->tool;
    k->q.destination = (struct rules_destination){
        .provider = s->name,
        .host = s->transport == TRANSPORT_HTTP ? s->http.host : (struct str){0},
        .region = s->region,
    };
}

/* May the caller use item `name` of the server?  A list shows what a person
 * has to approve, too. */
static bool asking_ask(struct asking *k, struct str name)
{
    struct rules_answer ruling;
    struct buf full;

    buf_init_lent(&full, k->name, sizeof(k->name));
    (void)(buf_add(&full, k->tool.server) && buf_add_char(&full, '/') &&
           buf_add(&full, name));
    if (!buf_ok(&full))
        return false;
    k->q.resource = buf_str(&full);
    facts_next(k->action, &k->q, &ruling);
    return ruling.decision.effect == DECISION_ALLOW ||
           ruling.decision.effect == DECISION_DEFER;
}

static bool is_usable(const struct catalog_tool *t, const struct tool *offered)
{
    return t != NULL && t->state == CATALOG_PINNED && t->input != NULL &&
           !offered->needs_task &&
           memcmp(&t->tool.digest, &offered->digest, sizeof(offered->digest)) ==
               0;
}

static void add_tool(struct action *a, const struct tool *t, struct str server,
                     bool *first, struct buf *to)
{
    char room[PARAMS_NAME_MAX];
    struct buf full;

    buf_init_lent(&full, room, sizeof(room));
    if (mcp_of(a)->server == MCP_ALL)
        (void)(buf_add(&full, server) && buf_add(&full, LISTING_BETWEEN));
    (void)buf_add(&full, t->name);
    if (!buf_ok(&full))
        return;
    if (!*first)
        (void)buf_add_char(to, ',');
    *first = false;
    tool_write(to, t, buf_str(&full));
}

uint32_t mcp_list_risk(const struct tool_server_settings *s,
                       const struct tool *t)
{
    const struct tool_risk_hints hints = {
        .read_only = (enum tool_risk_said)t->read_only,
        .destructive = (enum tool_risk_said)t->destructive,
        .open_world = (enum tool_risk_said)t->open_world,
    };

    return tool_risk(s, t->name, hints);
}

void mcp_list_tools(struct action *a, size_t server,
                    const struct hub_offer *offer, bool *first, struct buf *to)
{
    const struct tool_server_settings *s = &a->snapshot->settings.tools[server];
    struct asking k;

    asking_prepare(&k, a, server);
    k.q.action = ACTION_TOOL_CALL;
    k.q.resource_type = STR("Tool");
    facts_begin(a, &k.q);
    for (size_t i = 0; i < offer->page->count; i++) {
        const struct tool *t = &offer->page->tools[i];
        if (!is_usable(catalog_find(a->worker->catalog, s->name, t->name), t))
            continue;
        k.tool.name = t->name;
        k.tool.pinned = true;
        k.q.risk = k.tool.risk = mcp_list_risk(s, t);
        if (asking_ask(&k, t->name))
            add_tool(a, t, s->name, first, to);
    }
    facts_end(a);
}

static bool keep(void *user, struct str name)
{
    struct asking *k = user;

    k->tool.name = name;
    return asking_ask(k, name);
}

enum err mcp_list_filter(struct action *a, struct str result, struct buf *to)
{
    struct mcp_call *c = mcp_of(a);
    struct arena room;
    struct asking k;

    asking_prepare(&k, a, c->server);
    k.tool.risk = k.q.risk = RISK_READ;
    k.q.resource_type =
        c->method == METHOD_PROMPTS_LIST ? STR("Prompt") : STR("Resource");
    arena_init_spare(&room, REQUEST_ARENA_MAX, &a->worker->spare);
    facts_begin(a, &k.q);
    enum err e = listing_filter(&room, c->method, result, keep, &k, to);
    facts_end(a);
    arena_release(&room);
    return e;
}
