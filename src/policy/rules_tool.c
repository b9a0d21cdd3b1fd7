/* rules_tool.c - see rules_tool.h. */
#include "policy/rules_tool.h"

#include "cedar/entities.h"
#include "policy/rules_context.h"
#include "policy/rules_vocabulary.h"

/* What a server has; its name in a request, and its type. */
static const struct {
    struct str name, type;
} kinds[] = {
    {STR_INIT("Tool"), STR_INIT(RULES_NAMESPACE "Tool")},
    {STR_INIT("Resource"), STR_INIT(RULES_NAMESPACE "Resource")},
    {STR_INIT("Prompt"), STR_INIT(RULES_NAMESPACE "Prompt")},
};

static struct str type_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq(kinds[i].name, name))
            return kinds[i].type;
    }
    return STR("");
}

bool rules_tool_is_meant(const struct rules_request *q)
{
    return q->tool != NULL &&
           (q->tool->name.len > 0 || type_of(q->resource_type).len > 0);
}

/* Its name, which is also what the resource's id has behind the server's;
 * empty when it is not.  Two names for one thing would be two decisions. */
static struct str name_of(const struct rules_request *q)
{
    const struct rules_tool *t = q->tool;
    struct str name = str_skip(q->resource, t->server.len + 1);
    bool is_own = q->resource.len > t->server.len &&
                  str_starts(q->resource, t->server) &&
                  q->resource.ptr[t->server.len] == '/' &&
                  (t->name.len == 0 || str_eq(name, t->name));
    return is_own ? name : STR("");
}

static enum err words(struct arena *a, const struct names *from,
                      struct cedar_value *ret)
{
    if (from == NULL)
        return ERR_OK; /* not known: not there */
    return rules_context_words(a, from->at, from->count, ret);
}

static enum err attributes(const struct rules_facts *f, struct str name,
                           const struct cedar_record **ret)
{
    const struct rules_tool *t = f->request->tool;
    struct cedar_value v[SHAPE_TOOL_COUNT] = {
        [SHAPE_TOOL_NAME] = cedar_value_string(name),
        [SHAPE_TOOL_SERVER] = cedar_value_string(t->server),
    };
    if (str_eq(f->request->resource_type, kinds[0].name))
        v[SHAPE_TOOL_PINNED] = cedar_value_bool(t->pinned);
    enum err e = rules_facts_risk(f->arena, t->risk, &v[SHAPE_TOOL_RISK]);
    if (e == ERR_OK)
        e = words(f->arena, t->yields, &v[SHAPE_TOOL_LABELS]);
    if (e == ERR_OK)
        e = words(f->arena, t->clearance, &v[SHAPE_TOOL_CLEARANCE]);
    return e != ERR_OK
               ? e
               : cedar_shape_record(f->arena,
                                    f->rules->shapes.at[RULES_SHAPE_TOOL], v,
                                    ret);
}

/* Its server first, then the groups that the files of entities name. */
static enum err parents(const struct rules_facts *f, struct cedar_entity *to)
{
    const struct entities_entity *given =
        f->rules->has_tools ? entities_find(f->rules->entities, &to->uid)
                            : NULL;
    size_t n = given == NULL ? 0 : given->parent_count;
    struct cedar_uid *at = ARENA_NEW(f->arena, struct cedar_uid, 1 + n);
    if (at == NULL)
        return ERR_LIMIT;
    at[0] = cedar_uid_make(STR(RULES_NAMESPACE "ToolServer"),
                           f->request->tool->server);
    for (size_t i = 0; i < n; i++)
        at[1 + i] = given->store->uids[given->parents[i]];
    to->parents = at;
    to->parent_count = 1 + n;
    return ERR_OK;
}

enum err rules_tool_resource(struct rules_facts *f, struct cedar_entity *ret)
{
    const struct rules_request *q = f->request;
    struct str type = type_of(q->resource_type);
    struct str name = name_of(q);
    if (type.len == 0 || q->tool->server.len == 0 || name.len == 0)
        return ERR_MALFORMED;
    f->resource = cedar_uid_make(type, q->resource);
    *ret = (struct cedar_entity){.uid = f->resource};
    enum err e = attributes(f, name, &ret->attributes);
    return e != ERR_OK ? e : parents(f, ret);
}

enum err rules_tool_action(struct rules_facts *f, struct cedar_entity *ret)
{
    struct str begin = STR(RULES_TOOL_ACTION);
    struct str tool = f->request->resource;
    char *id = arena_alloc_raw(f->arena, begin.len + tool.len);
    if (id == NULL)
        return ERR_LIMIT;
    memcpy(id, begin.ptr, begin.len);
    memcpy(id + begin.len, tool.ptr, tool.len);
    f->action = cedar_uid_make(STR(RULES_NAMESPACE "Action"),
                               (struct str){id, begin.len + tool.len});
    *ret = (struct cedar_entity){
        .uid = f->action,
        .parents = &f->rules->actions[ACTION_TOOL_CALL],
        .parent_count = 1,
    };
    return ERR_OK;
}
