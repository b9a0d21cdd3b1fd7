/* est_policy.c - policies in JSON: scopes and annotations; see est.h. */
#include "cedar/est.h"
#include "cedar/name.h"
#include "cedar/schema.h"

/* One of the three scopes of the policy that is being read. */
struct limit {
    enum program_variable variable;
    struct program_scope *to;
};

enum { OP, ENTITY, SLOT, ENTITIES, ENTITY_TYPE, IN };
static const struct est_field scope_fields[] = {
    [OP] = {"op", false},
    [ENTITY] = {"entity", true},
    [SLOT] = {"slot", true},
    [ENTITIES] = {"entities", true},
    [ENTITY_TYPE] = {"entity_type", true},
    [IN] = {"in", true},
};

static bool slot(struct est *e, const struct json *json, void *to)
{
    const struct limit *l = to;
    static const struct str slots[] = {
        [VAR_PRINCIPAL] = STR_INIT("?principal"),
        [VAR_ACTION] = STR_INIT(""),
        [VAR_RESOURCE] = STR_INIT("?resource"),
    };
    if (l->variable == VAR_ACTION)
        return est_refuse(e, "an action has no slot");
    if (!json_is_string(json, slots[l->variable]))
        return est_refuse(e, "the slot here can only be %s",
                          slots[l->variable].ptr);
    l->to->is_slot = true;
    return true;
}

static bool uid(struct est *e, const struct json *json, void *to)
{
    const struct limit *l = to;
    struct cedar_uid *kept = arena_alloc_raw(&e->p.set->arena, sizeof(*kept));
    if (kept == NULL)
        return parser_no_memory(&e->p);
    if (!est_uid(e, json, kept))
        return false;
    if (l->variable == VAR_ACTION && !schema_is_action_type(kept->type))
        return est_refuse(e, "an action's type is Action, not %.*s",
                          STR_FMT(str_first(kept->type, 40)));
    l->to->uids = kept;
    l->to->uid_count = 1;
    return true;
}

/* The rest of the array that a list of actions fills. */
struct rest {
    struct cedar_uid *at;
};

static bool uid_of_list(struct est *e, const struct json *json, void *to)
{
    struct rest *rest = to;
    struct program_scope one = {0};
    struct limit l = {VAR_ACTION, &one};
    if (!uid(e, json, &l))
        return false;
    *rest->at++ = *one.uids;
    return true;
}

static bool uids(struct est *e, const struct json *json, void *to)
{
    const struct limit *l = to;
    size_t count = json_count(json);
    struct cedar_uid *all =
        ARENA_NEW(&e->p.set->arena, struct cedar_uid, count);
    struct rest rest = {all};
    if (all == NULL)
        return parser_no_memory(&e->p);
    l->to->uids = all;
    l->to->uid_count = (uint32_t)count;
    return est_elements(e, json, uid_of_list, &rest);
}

/* The entity, the slot, or where it is allowed the entities. */
static bool whom(struct est *e, const struct est_object *o, struct limit *l)
{
    bool takes_list = l->variable == VAR_ACTION && l->to->kind == SCOPE_IN;
    bool has_list = takes_list && o->values[ENTITIES] != NULL;
    bool has_one = o->values[ENTITY] != NULL;
    bool has_slot = o->values[SLOT] != NULL;
    if (has_one + has_slot + has_list != 1)
        return est_refuse(e, "expected one of entity%s",
                          takes_list ? " and entities" : " and slot");
    if (has_list)
        return est_member(e, o, ENTITIES, uids, l);
    return has_one ? est_member(e, o, ENTITY, uid, l)
                   : est_member(e, o, SLOT, slot, l);
}

/* {"entity": ...} or {"slot": ...} after `is`. */
static bool within(struct est *e, const struct json *json, void *to)
{
    static const struct est_field known[] = {[OP] = {"", true},
                                             [ENTITY] = {"entity", true},
                                             [SLOT] = {"slot", true}};
    struct est_object o;
    return est_fields(e, json, known, ARRAY_LEN(known), &o) && whom(e, &o, to);
}

/* Refuses members that do not go with `op`; `allowed` has a bit for each. */
static bool only(struct est *e, const struct est_object *o, unsigned allowed)
{
    for (size_t i = 0; i < ARRAY_LEN(scope_fields); i++)
        if (o->values[i] != NULL && (allowed & 1U << i) == 0)
            return est_refuse(e, "%s does not go with this op",
                              scope_fields[i].name);
    return true;
}

static bool scope_is(struct est *e, const struct est_object *o, struct limit *l)
{
    if (l->variable == VAR_ACTION)
        return est_refuse(e, "'is' is not for actions");
    if (o->values[ENTITY_TYPE] == NULL)
        return est_refuse(e, "the member entity_type is missing");
    l->to->kind = o->values[IN] == NULL ? SCOPE_IS : SCOPE_IS_IN;
    return only(e, o, 1U << OP | 1U << ENTITY_TYPE | 1U << IN) &&
           est_member(e, o, ENTITY_TYPE, est_type, &l->to->type) &&
           (o->values[IN] == NULL || est_member(e, o, IN, within, l));
}

static bool scope(struct est *e, const struct json *json, void *to)
{
    struct limit *l = to;
    struct est_object o;
    unsigned whom_bits = 1U << OP | 1U << ENTITY | 1U << SLOT;
    if (!est_fields(e, json, scope_fields, ARRAY_LEN(scope_fields), &o))
        return false;
    const struct json *op = o.values[OP];
    if (json_is_string(op, STR("All")))
        return only(e, &o, 1U << OP);
    if (json_is_string(op, STR("is")))
        return scope_is(e, &o, l);
    if (json_is_string(op, STR("=="))) {
        l->to->kind = SCOPE_EQUAL;
    } else if (json_is_string(op, STR("in"))) {
        l->to->kind = SCOPE_IN;
        whom_bits |= l->variable == VAR_ACTION ? 1U << ENTITIES : 0;
    } else {
        return est_refuse(e, "the op of a scope is All, ==, in or is");
    }
    return only(e, &o, whom_bits) && whom(e, &o, l);
}

static bool condition(struct est *e, const struct json *json, void *to)
{
    static const struct est_field known[] = {{"kind", false}, {"body", false}};
    struct program_policy *policy = to;
    struct cedar_policies *set = e->p.set;
    struct program_condition c = {.first = (uint32_t)set->nodes.count};
    struct est_object o;
    if (!est_fields(e, json, known, ARRAY_LEN(known), &o))
        return false;
    c.is_unless = json_is_string(o.values[0], STR("unless"));
    if (!c.is_unless && !json_is_string(o.values[0], STR("when")))
        return est_refuse(e, "the kind of a condition is when or unless");
    if (!est_member(e, &o, 1, est_expression, NULL))
        return false;
    e->p.constants.count = 0;
    e->p.starts.count = 0;
    c.end = (uint32_t)set->nodes.count;
    if (!PROGRAM_ROOM(set->conditions))
        return parser_no_memory(&e->p);
    set->conditions.at[set->conditions.count++] = c;
    policy->condition_count++;
    return true;
}

static bool conditions(struct est *e, const struct json *json, void *to)
{
    return est_elements(e, json, condition, to);
}

/* Its key is that of the place. */
static bool annotation(struct est *e, const struct json *json, void *to)
{
    struct program_policy *policy = to;
    struct cedar_policies *set = e->p.set;
    struct program_annotation a = {.value = STR(""), .has_value = true};
    struct str key = e->place->name;
    size_t n = 0;
    while (n < key.len && name_is_part(key.ptr[n]))
        n++;
    if (key.len == 0 || n < key.len || name_is_digit(key.ptr[0]))
        return est_refuse(e, "this cannot be the name of an annotation");
    a.has_value = json_type(json) != JSON_NULL;
    if (a.has_value && !est_string(e, json, &a.value))
        return false;
    if (!arena_copy(&set->arena, key, &a.key) ||
        !PROGRAM_ROOM(set->annotations))
        return parser_no_memory(&e->p);
    set->annotations.at[set->annotations.count++] = a;
    policy->annotation_count++;
    return true;
}

static bool annotations(struct est *e, const struct json *json, void *to)
{
    struct json_iter it = json_each(json);
    struct str name;
    const struct json *one;
    if (json_type(json) != JSON_OBJECT)
        return est_refuse(e, "expected an object");
    if (json_count(json) > CEDAR_ANNOTATIONS_MAX)
        return est_refuse(e, "more than %d annotations", CEDAR_ANNOTATIONS_MAX);
    for (size_t nth = 0; json_next(&it, &name, &one); nth++)
        if (!est_inside(e, name, nth, annotation, one, to))
            return false;
    return true;
}

bool est_policy(struct est *e, const struct json *json, void *to)
{
    static const struct est_field known[] = {
        {"principal", false},  {"action", false}, {"resource", false},
        {"conditions", false}, {"effect", false}, {"annotations", true}};
    struct program_policy *policy = to;
    struct est_object o;
    *policy = (struct program_policy){
        .annotation = (uint32_t)e->p.set->annotations.count,
        .condition = (uint32_t)e->p.set->conditions.count,
    };
    if (!est_fields(e, json, known, ARRAY_LEN(known), &o))
        return false;
    policy->is_permit = json_is_string(o.values[4], STR("permit"));
    if (!policy->is_permit && !json_is_string(o.values[4], STR("forbid")))
        return est_refuse(e, "the effect is permit or forbid");
    for (unsigned v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++) {
        struct limit l = {v, &policy->scopes[v]};
        if (!est_member(e, &o, v, scope, &l))
            return false;
        policy->is_template |= policy->scopes[v].is_slot;
    }
    return (o.values[5] == NULL || est_member(e, &o, 5, annotations, policy)) &&
           est_member(e, &o, 3, conditions, policy);
}
