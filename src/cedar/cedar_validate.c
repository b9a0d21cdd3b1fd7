/* cedar_validate.c - policies in all environments; see cedar_validate.h. */
#include "cedar/cedar_validate.h"

#include <stdlib.h>

#include "base/limits.h"
#include "cedar/validate.h"

/* What typing one policy in one environment may take, for each node. */
enum { SCRATCH_PER_NODE = 4096 };

const char *cedar_finding_name(enum cedar_finding_kind kind)
{
    static const char *const names[] = {
        [CEDAR_FINDING_TYPE] = "unexpected_type",
        [CEDAR_FINDING_INCOMPATIBLE] = "incompatible_types",
        [CEDAR_FINDING_UNKNOWN_TYPE] = "unknown_entity_type",
        [CEDAR_FINDING_UNKNOWN_ACTION] = "unknown_action",
        [CEDAR_FINDING_UNKNOWN_ID] = "unknown_enum_entity",
        [CEDAR_FINDING_ATTRIBUTE] = "attribute_not_found",
        [CEDAR_FINDING_UNSAFE_ATTRIBUTE] = "unsafe_attribute_access",
        [CEDAR_FINDING_TAG] = "unsafe_tag_access",
        [CEDAR_FINDING_EMPTY_SET] = "empty_set",
        [CEDAR_FINDING_ARITY] = "wrong_number_of_arguments",
        [CEDAR_FINDING_NOT_LITERAL] = "argument_not_literal",
        [CEDAR_FINDING_BAD_LITERAL] = "argument_not_valid",
        [CEDAR_FINDING_NO_ACTION] = "no_applicable_action",
        [CEDAR_FINDING_IMPOSSIBLE] = "impossible_policy",
        [CEDAR_FINDING_LEVEL] = "level_exceeded",
        [CEDAR_FINDING_LIMIT] = "too_large",
    };
    return names[kind];
}

/* True when entities of the type can match the scope. */
static bool type_matches(const struct validate *v,
                         const struct program_scope *s,
                         const struct schema_entity *type)
{
    struct str name = type->name.name;
    if ((s->kind == SCOPE_IS || s->kind == SCOPE_IS_IN) &&
        !str_eq(s->type, name))
        return false;
    if (s->kind == SCOPE_ANY || s->kind == SCOPE_IS || s->is_slot)
        return true;
    const struct schema_entity *other = schema_entity(v->schema, s->uids->type);
    if (s->kind == SCOPE_EQUAL)
        return other == type;
    return other != NULL && schema_type_in(v->schema, type, other);
}

static bool action_matches(const struct validate *v,
                           const struct program_scope *s,
                           const struct cedar_uid *action)
{
    if (s->kind == SCOPE_ANY)
        return true;
    if (s->kind == SCOPE_EQUAL)
        return cedar_uid_equal(s->uids, action);
    for (uint32_t i = 0; i < s->uid_count; i++)
        if (schema_action_in(v->schema, action, &s->uids[i]))
            return true;
    return false;
}

static unsigned scope_level(const struct program_policy *p)
{
    for (unsigned k = VAR_PRINCIPAL; k <= VAR_RESOURCE; k++)
        if (p->scopes[k].kind == SCOPE_IN || p->scopes[k].kind == SCOPE_IS_IN)
            return 1;
    return 0;
}

/* In one environment whose scope matches; true when it can be satisfied. */
static bool check_environment(struct validate *v, struct arena *typing)
{
    unsigned level = scope_level(v->policy);
    const struct type *type = validate_conditions(v, &level);
    if (v->options.has_level && level > v->options.level)
        validate_report(v, CEDAR_FINDING_LEVEL, v->policy->begin,
                        "it follows entities over %u steps; %u are allowed",
                        level, v->options.level);
    arena_release(typing);
    return type->kind != TYPE_FALSE;
}

struct outcome {
    bool applies;  /* in some environment the scope matches */
    bool possible; /* and the conditions may hold */
};

static void check_action(struct validate *v, struct outcome *out)
{
    const struct cedar_schema *s = v->schema;
    const struct program_scope *scopes = v->policy->scopes;
    for (uint32_t i = 0; i < v->action->principal_count; i++) {
        v->principal = &s->entities[v->action->principals[i]];
        if (!type_matches(v, &scopes[VAR_PRINCIPAL], v->principal))
            continue;
        for (uint32_t k = 0; v->err == ERR_OK && k < v->action->resource_count;
             k++) {
            v->resource = &s->entities[v->action->resources[k]];
            if (!type_matches(v, &scopes[VAR_RESOURCE], v->resource))
                continue;
            out->applies = true;
            /* A link is typed with its template. */
            if (v->policy->linked > 0 || check_environment(v, &v->scratch))
                out->possible = true;
        }
    }
}

/* The list of `action in [...]` is a set, which has one type and is looked at
 * where the principal matches, whatever action and resource are. */
static void check_action_list(struct validate *v)
{
    const struct cedar_schema *s = v->schema;
    const struct program_scope *list = &v->policy->scopes[VAR_ACTION];
    const struct program_scope *principal = &v->policy->scopes[VAR_PRINCIPAL];
    bool looked_at = false;
    bool same = list->uid_count > 0;
    for (uint32_t i = 1; i < list->uid_count; i++)
        same = same && str_eq(list->uids[0].type, list->uids[i].type);
    if (list->kind != SCOPE_IN || same)
        return;
    for (uint32_t i = 0; i < s->actions.uid_count; i++) {
        const struct schema_action *a = &s->applies[i];
        for (uint32_t k = 0; a->resource_count > 0 && k < a->principal_count;
             k++)
            looked_at =
                looked_at ||
                type_matches(v, principal, &s->entities[a->principals[k]]);
    }
    if (looked_at && list->uid_count == 0)
        validate_report(v, CEDAR_FINDING_EMPTY_SET, v->policy->begin,
                        "an empty list of actions matches none");
    else if (looked_at)
        validate_report(v, CEDAR_FINDING_INCOMPATIBLE, v->policy->begin,
                        "a list of actions has one type, that is one "
                        "namespace");
}

/* Numbers of expressions stay for all environments of the policy. */
static bool number(struct validate *v, struct arena *a, uint32_t *numbers)
{
    enum err e = exprs_number(&v->exprs, a, v->set, v->policy, numbers);
    if (e != ERR_OK)
        v->err = e;
    v->words = v->exprs.tests / 64 + (size_t)1;
    if (v->exprs.tests <= CEDAR_TESTS_MAX)
        return e == ERR_OK;
    validate_report(v, CEDAR_FINDING_LIMIT, v->policy->begin,
                    "the policy has more than %d different tests with 'has' "
                    "and 'hasTag'",
                    CEDAR_TESTS_MAX);
    return false;
}

static void check_policy(struct validate *v, struct arena *a, uint32_t *numbers)
{
    struct outcome out = {false, false};
    v->first_finding = v->findings.count;
    validate_names(v);
    if (v->policy->linked == 0) {
        check_action_list(v);
        if (!number(v, a, numbers))
            return;
    }
    for (uint32_t i = 0; v->err == ERR_OK && i < v->schema->actions.uid_count;
         i++) {
        v->action_uid = &v->schema->actions.uids[i];
        v->action = &v->schema->applies[i];
        if (action_matches(v, &v->policy->scopes[VAR_ACTION], v->action_uid))
            check_action(v, &out);
    }
    if (!out.applies)
        validate_report(v, CEDAR_FINDING_NO_ACTION, v->policy->begin,
                        "the schema has no action for what the scope allows");
    else if (!out.possible && v->findings.count == v->first_finding)
        validate_report(v, CEDAR_FINDING_IMPOSSIBLE, v->policy->begin,
                        "no request that the schema allows satisfies it");
}

static enum err keep(struct validate *v, struct arena *a,
                     struct cedar_findings *ret)
{
    struct cedar_finding *kept =
        ARENA_NEW(a, struct cedar_finding, v->findings.count);
    struct cedar_findings all = {.at = kept, .count = v->findings.count};
    if (kept == NULL)
        return ERR_LIMIT;
    if (all.count > 0)
        memcpy(kept, v->findings.at, all.count * sizeof(*kept));
    for (size_t i = 0; i < all.count; i++)
        all.error_count += !kept[i].is_warning;
    *ret = all;
    return ERR_OK;
}

enum err cedar_validate(struct arena *a, const struct cedar_schema *schema,
                        const struct cedar_policies *policies,
                        const struct cedar_validation *options,
                        struct cedar_findings *ret)
{
    struct validate v = {.schema = schema, .set = policies};
    size_t room = policies->nodes.count * SCRATCH_PER_NODE + MIB;
    struct arena exprs;
    uint32_t *numbers = calloc(policies->stack_max + 1, sizeof(*numbers));
    v.stack = calloc(policies->stack_max + 1, sizeof(*v.stack));
    arena_init(&v.scratch, room);
    arena_init(&exprs, room);
    if (options != NULL)
        v.options = *options;
    v.err = numbers == NULL || v.stack == NULL ? ERR_NO_MEMORY : ERR_OK;
    for (uint32_t i = 0; v.err == ERR_OK && i < policies->policies.count; i++) {
        v.policy = &policies->policies.at[i];
        v.policy_index = i;
        check_policy(&v, &exprs, numbers);
        arena_release(&exprs);
        arena_release(&v.scratch);
    }
    if (v.err == ERR_OK)
        v.err = keep(&v, a, ret);
    free(v.findings.at);
    free(v.stack);
    free(numbers);
    return v.err;
}
