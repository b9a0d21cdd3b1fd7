/* policy_given.c - see policy_given.h. */
#include "app/policy_given.h"

#include "app/policy_link.h"
#include "app/policy_tool.h"
#include "cedar/cedar_value.h"
#include "domain/action.h"

static const char *const given_keys[] = {
    "chain",       "principal", "agent",     "action",  "resource", "tool",
    "risk",        "pinned",    "arguments", "element", "schema",   "approved",
    "destination", "tenant",    "context",   NULL,
};
static const char *const destination_keys[] = {"provider", "host", "region",
                                               NULL};
static const char *const resource_keys[] = {"type", "id", NULL};
static const char *const context_keys[] = {
    "purpose",  "task", "labels", "session", "chain",
    "estimate", "time", "ip",     NULL,
};
static const char *const session_keys[] = {"calls", "tokens", "age", "labels",
                                           NULL};
static const char *const chain_keys[] = {"history", "supervised", NULL};
static const char *const estimate_keys[] = {"tokens", NULL};

/* Of one layer. */
static void check_part(struct policy_yaml *y, const struct yaml_node *map,
                       const char *key, const char *const *keys)
{
    const struct yaml_node *part = yaml_get(map, str_from(key));
    if (part != NULL)
        (void)policy_yaml_map(y, part, keys);
}

void policy_given_check(struct policy_yaml *y, const struct yaml_node *given)
{
    if (!policy_yaml_map(y, given, given_keys))
        return;
    const struct yaml_node *context = yaml_get(given, STR("context"));
    check_part(y, given, "destination", destination_keys);
    check_part(y, given, "context", context_keys);
    check_part(y, context, "session", session_keys);
    check_part(y, context, "chain", chain_keys);
    check_part(y, context, "estimate", estimate_keys);
}

const struct yaml_node *policy_given_get(const struct policy_given *g,
                                         const char *key)
{
    const struct yaml_node *own = yaml_get(g->own, str_from(key));
    return own != NULL ? own : yaml_get(g->defaults, str_from(key));
}

/* The same of a map within. */
static const struct yaml_node *get_in(const struct policy_given *g,
                                      const char *map, const char *key)
{
    const struct policy_given inner = {
        .own = yaml_get(g->own, str_from(map)),
        .defaults = yaml_get(g->defaults, str_from(map)),
    };
    return policy_given_get(&inner, key);
}

static const struct yaml_node *get_in_context(const struct policy_given *g,
                                              const char *map, const char *key)
{
    const struct policy_given inner = {
        .own = yaml_get(g->own, STR("context")),
        .defaults = yaml_get(g->defaults, STR("context")),
    };
    return get_in(&inner, map, key);
}

static void read_action(const struct policy_given *g,
                        const struct yaml_node *place, struct rules_request *q)
{
    const struct yaml_node *node = policy_tool_action(g);
    struct str name;
    if (node == NULL && policy_tool_is_named(g)) {
        q->action = ACTION_TOOL_CALL;
        return;
    }
    if (node == NULL)
        policy_yaml_error(g->yaml, place, "action: is missing");
    if (!policy_yaml_text(g->yaml, node, &name))
        return;
    for (unsigned i = 1; i < ACTION_COUNT; i++) {
        if (str_eq(action_kind_name((enum action_kind)i), name))
            q->action = (enum action_kind)i;
    }
    if (q->action == ACTION_NONE)
        policy_yaml_error(g->yaml, node, "there is no action \"%.*s\"",
                          STR_FMT(str_first(name, 60)));
}

/* The id of a model, or {type: ..., id: ...}. */
static void read_resource(const struct policy_given *g,
                          const struct yaml_node *place,
                          struct rules_request *q)
{
    const struct yaml_node *node = policy_given_get(g, "resource");
    bool ok = false;
    q->resource_type = STR("Model");
    if (node == NULL)
        policy_yaml_error(g->yaml, place, "resource: is missing");
    else if (yaml_type(node) != YAML_MAP)
        ok = policy_yaml_text(g->yaml, node, &q->resource);
    else if (policy_yaml_map(g->yaml, node, resource_keys))
        ok = policy_yaml_text(g->yaml, yaml_get(node, STR("type")),
                              &q->resource_type) &&
             policy_yaml_text(g->yaml, yaml_get(node, STR("id")), &q->resource);
    if (ok && (q->resource.len == 0 || q->resource_type.len == 0))
        policy_yaml_error(g->yaml, node, "a resource has a type and an id");
    else if (!ok && node != NULL && yaml_type(node) == YAML_MAP)
        policy_yaml_error(g->yaml, node, "a resource has type: and id:");
}

/* Labels of the request or the session; "*": every one. */
static bool read_labels(const struct policy_given *g,
                        const struct yaml_node *node, struct labels *to)
{
    struct names words;
    if (!policy_yaml_words(g->yaml, node, &words))
        return false;
    for (size_t i = 0; i < words.count; i++) {
        if (str_eq(words.at[i], STR("*")))
            to->all = true;
        else
            labels_add(to, words.at[i]);
    }
    return true;
}

static void read_session(const struct policy_given *g, struct policy_case *to)
{
    struct rules_session *s = &to->session;
    bool calls =
        policy_yaml_count(g->yaml, get_in_context(g, "session", "calls"),
                          &s->calls);
    bool tokens =
        policy_yaml_count(g->yaml, get_in_context(g, "session", "tokens"),
                          &s->tokens);
    bool age =
        policy_yaml_duration(g->yaml, get_in_context(g, "session", "age"),
                             &s->age_ms);
    bool labels = read_labels(g, get_in_context(g, "session", "labels"),
                              &to->session_labels);
    if (labels)
        s->labels = &to->session_labels;
    if (calls || tokens || age || labels)
        to->request.session = s;
}

static void read_history(const struct policy_given *g, struct chain *to)
{
    const struct yaml_node *node = get_in_context(g, "chain", "history");
    struct names ids;
    if (!policy_yaml_words(g->yaml, node, &ids))
        return;
    if (ids.count > CHAIN_LINKS_MAX)
        policy_yaml_error(g->yaml, node, "a history has at most %d members",
                          CHAIN_LINKS_MAX);
    for (size_t i = 0; i < ids.count && i < CHAIN_LINKS_MAX; i++)
        to->history[to->history_count++] = ids.at[i];
}

static void read_time(const struct policy_given *g, struct rules_request *q)
{
    const struct yaml_node *node = get_in(g, "context", "time");
    struct cedar_value time;
    struct str text;
    q->now_us = g->now_us;
    if (!policy_yaml_text(g->yaml, node, &text))
        return;
    enum err e =
        cedar_value_extension(g->yaml->arena, STR("datetime"), text, &time);
    if (e == ERR_OK && time.as.number >= 0 &&
        time.as.number <= INT64_MAX / 1000)
        q->now_us = time.as.number * 1000;
    else if (e == ERR_LIMIT)
        g->yaml->full = true;
    else
        policy_yaml_error(g->yaml, node,
                          "a time like 2026-11-20T08:00:00Z is wanted");
}

static void read_context(const struct policy_given *g, struct policy_case *to)
{
    struct policy_yaml *y = g->yaml;
    struct rules_request *q = &to->request;
    (void)policy_yaml_text(y, get_in(g, "context", "purpose"), &q->purpose);
    (void)policy_yaml_text(y, get_in(g, "context", "task"), &q->task);
    (void)policy_yaml_text(y, get_in(g, "context", "ip"), &q->ip);
    (void)policy_yaml_count(y, get_in_context(g, "estimate", "tokens"),
                            &q->tokens);
    (void)policy_yaml_bool(y, get_in_context(g, "chain", "supervised"),
                           &q->supervised);
    (void)read_labels(g, get_in(g, "context", "labels"), &to->labels);
    q->labels = &to->labels;
    read_session(g, to);
    read_history(g, &to->chain);
    read_time(g, q);
}

static void read_destination(const struct policy_given *g,
                             struct rules_destination *to)
{
    struct policy_yaml *y = g->yaml;
    (void)policy_yaml_text(y, get_in(g, "destination", "provider"),
                           &to->provider);
    (void)policy_yaml_text(y, get_in(g, "destination", "host"), &to->host);
    (void)policy_yaml_text(y, get_in(g, "destination", "region"), &to->region);
}

static void read_approved(const struct policy_given *g, struct policy_case *to)
{
    struct names ids;
    if (!policy_yaml_words(g->yaml, policy_given_get(g, "approved"), &ids))
        return;
    to->lifted = (struct rules_lifted){ids.at, ids.count, NULL};
    to->request.lifted = &to->lifted;
}

static void read_chain(const struct policy_given *g,
                       const struct yaml_node *place, struct policy_case *to)
{
    bool own = yaml_get(g->own, STR("chain")) != NULL ||
               yaml_get(g->own, STR("principal")) != NULL ||
               yaml_get(g->own, STR("agent")) != NULL;
    const struct yaml_node *from = own ? g->own : g->defaults;
    const struct yaml_node *list = yaml_get(from, STR("chain"));
    const struct yaml_node *one = yaml_get(from, STR("principal"));
    const struct yaml_node *agent = yaml_get(from, STR("agent"));
    if ((one != NULL) + (list != NULL) + (agent != NULL) > 1)
        policy_yaml_error(g->yaml, one != NULL ? one : agent,
                          "principal: or agent: is a chain of one: not both");
    else if (one != NULL)
        policy_link_read(g->yaml, one, 1, to);
    else if (agent != NULL)
        policy_link_read_agent(g->yaml, agent, to);
    else if (list == NULL)
        policy_yaml_error(g->yaml, place, "chain: is missing");
    else if (yaml_type(list) != YAML_LIST || yaml_count(list) == 0 ||
             yaml_count(list) > CHAIN_LINKS_MAX)
        policy_yaml_error(g->yaml, list, "a chain is a list of 1 to %d links",
                          CHAIN_LINKS_MAX);
    else
        for (size_t i = 0; i < yaml_count(list); i++)
            policy_link_read(g->yaml, yaml_at(list, i), yaml_count(list), to);
}

void policy_given_read(const struct policy_given *g,
                       const struct yaml_node *place, struct policy_case *to)
{
    struct rules_request *q = &to->request;
    q->chain = &to->chain;
    q->links = to->links;
    (void)policy_yaml_text(g->yaml, policy_given_get(g, "tenant"), &q->tenant);
    read_context(g, to); /* links need the time */
    read_chain(g, place, to);
    read_action(g, place, q);
    if (policy_tool_is_named(g))
        policy_tool_name(g, q);
    else
        read_resource(g, place, q);
    read_destination(g, &q->destination);
    policy_tool_read(g, to);
    read_approved(g, to);
}
