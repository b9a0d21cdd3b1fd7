/* policy_tool.c - see policy_tool.h. */
#include "app/policy_tool.h"

#include "app/policy_json.h"
#include "codec/json_pointer.h"
#include "domain/risk.h"
#include "domain/tool_risk.h"

/* The layer that says what it is about: the test's own, if it says so. */
static const struct yaml_node *layer_of(const struct policy_given *g)
{
    bool own = yaml_get(g->own, STR("tool")) != NULL ||
               yaml_get(g->own, STR("resource")) != NULL;
    return own ? g->own : g->defaults;
}

bool policy_tool_is_named(const struct policy_given *g)
{
    return yaml_get(layer_of(g), STR("tool")) != NULL;
}

const struct yaml_node *policy_tool_action(const struct policy_given *g)
{
    const struct yaml_node *own = yaml_get(g->own, STR("action"));
    bool is_own = layer_of(g) == g->own && policy_tool_is_named(g);
    return own != NULL || is_own ? own : policy_given_get(g, "action");
}

void policy_tool_name(const struct policy_given *g, struct rules_request *q)
{
    const struct yaml_node *layer = layer_of(g);
    const struct yaml_node *node = yaml_get(layer, STR("tool"));
    q->resource_type = STR("Tool");
    if (yaml_get(layer, STR("resource")) != NULL)
        policy_yaml_error(g->yaml, node, "tool: is a resource: not both");
    (void)policy_yaml_text(g->yaml, node, &q->resource);
}

static const struct tool_server_settings *
find_server(const struct policy_given *g, struct str name)
{
    for (size_t i = 0; g->settings != NULL && i < g->settings->tool_count;
         i++) {
        if (str_eq(g->settings->tools[i].name, name))
            return &g->settings->tools[i];
    }
    return NULL;
}

/* What `risk:` says, else what the configuration does. */
static uint32_t risk_of(const struct policy_given *g,
                        const struct tool_server_settings *s, struct str tool)
{
    const struct yaml_node *node = policy_given_get(g, "risk");
    struct names words;
    uint32_t risk = 0;
    if (!policy_yaml_words(g->yaml, node, &words))
        return s == NULL ? RISK_ALL
                         : tool_risk(s, tool, (struct tool_risk_hints){0});
    for (size_t i = 0; i < words.count; i++) {
        uint32_t bit = risk_from(words.at[i]);
        if (bit == 0)
            policy_yaml_error(g->yaml, node, "there is no risk \"%.*s\"",
                              STR_FMT(str_first(words.at[i], 60)));
        risk |= bit;
    }
    if (risk == 0)
        policy_yaml_error(g->yaml, node, "risk: is at least one word");
    return risk;
}

/* The rest of what a call is. */
static void read_arguments(const struct policy_given *g, struct rules_tool *to)
{
    const struct yaml_node *node = policy_given_get(g, "arguments");
    const struct yaml_node *element = policy_given_get(g, "element");
    struct str pointer;
    to->schema = policy_json_read(g->yaml, policy_given_get(g, "schema"));
    to->arguments = policy_json_read(g->yaml, node);
    if (node != NULL && yaml_type(node) != YAML_MAP)
        policy_yaml_error(g->yaml, node, "arguments: is a map");
    if (!policy_yaml_text(g->yaml, element, &pointer))
        return;
    to->element = json_pointer_find(to->arguments, pointer);
    if (to->element == NULL)
        policy_yaml_error(g->yaml, element,
                          "there is no \"%.*s\" in the arguments; a JSON "
                          "Pointer like /items/0 is wanted",
                          STR_FMT(str_first(pointer, 60)));
}

/* "<server>/<name>", or of a server its name. */
static bool split(const struct rules_request *q, struct rules_tool *to)
{
    bool is_server = str_eq(q->resource_type, STR("ToolServer"));
    size_t slash = str_find(q->resource, '/');
    to->server = is_server ? q->resource : str_first(q->resource, slash);
    to->name = is_server ? STR("") : str_skip(q->resource, slash + 1);
    return to->server.len > 0 && (is_server || to->name.len > 0);
}

static bool is_of_server(struct str type)
{
    return str_eq(type, STR("Tool")) || str_eq(type, STR("Resource")) ||
           str_eq(type, STR("Prompt")) || str_eq(type, STR("ToolServer"));
}

/* Keys that mean nothing where there is no tool. */
static void check_alone(const struct policy_given *g)
{
    static const char *const keys[] = {"risk", "pinned", "arguments", "element",
                                       "schema"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct yaml_node *own = yaml_get(g->own, str_from(keys[i]));
        if (own != NULL)
            policy_yaml_error(g->yaml, own,
                              "%s: is for tools, and this is none", keys[i]);
    }
}

void policy_tool_read(const struct policy_given *g, struct policy_case *to)
{
    static const struct names none = {NULL, 0};
    struct rules_request *q = &to->request;
    struct rules_tool *t = &to->tool;
    q->risk = RISK_READ;
    if (!is_of_server(q->resource_type)) {
        check_alone(g);
        return;
    }
    if (!split(q, t)) {
        policy_yaml_error(g->yaml, layer_of(g),
                          "a tool's name is <server>/<tool>");
        return;
    }
    const struct tool_server_settings *s = find_server(g, t->server);
    t->risk = RISK_READ;
    if (q->action == ACTION_TOOL_CALL)
        q->risk = t->risk = risk_of(g, s, t->name);
    t->yields = s == NULL ? &none : &s->yields;
    t->clearance = s == NULL ? &none : &s->clearance;
    t->pinned = true;
    (void)policy_yaml_bool(g->yaml, policy_given_get(g, "pinned"), &t->pinned);
    read_arguments(g, t);
    /* A call goes to its server; what defaults say of models is not meant. */
    if (s != NULL && yaml_get(g->own, STR("destination")) == NULL)
        q->destination = (struct rules_destination){
            .provider = s->name,
            .host = s->transport == TRANSPORT_HTTP ? s->http.host : STR(""),
            .region = s->region,
        };
    q->tool = t;
}
