/* decide.c - see decide.h. */
#include "cedar/decide.h"

#include <assert.h>

#include "cedar/leading.h"
#include "cedar/literal.h"
#include "cedar/sort.h"

static bool limit_holds(const struct evaluate *e,
                        const struct program_scope *scope,
                        enum program_variable variable)
{
    const struct cedar_uid *uid = e->uids[variable];
    switch (scope->kind) {
    case SCOPE_EQUAL:
        return cedar_uid_equal(uid, scope->uids);
    case SCOPE_IS:
        return str_eq(uid->type, scope->type);
    case SCOPE_IS_IN:
        return str_eq(uid->type, scope->type) &&
               evaluate_in(e, uid, scope->uids);
    default:
        break;
    }
    assert(scope->kind == SCOPE_IN);
    for (uint32_t i = 0; i < scope->uid_count; i++)
        if (evaluate_in(e, uid, &scope->uids[i]))
            return true;
    return false;
}

static inline bool scope_holds(const struct evaluate *e,
                               const struct program_policy *policy,
                               enum program_variable variable)
{
    const struct program_scope *scope = &policy->scopes[variable];
    return scope->kind == SCOPE_ANY || limit_holds(e, scope, variable);
}

/* A scope cannot err: the order is free, and actions differ most. */
static bool scopes_hold(const struct evaluate *e,
                        const struct program_policy *policy)
{
    return scope_holds(e, policy, VAR_ACTION) &&
           scope_holds(e, policy, VAR_PRINCIPAL) &&
           scope_holds(e, policy, VAR_RESOURCE);
}

/* One condition: true, or not, or a fault and where. */
static inline enum cedar_fault run_condition(struct evaluate *e,
                                             const struct program_condition *c,
                                             bool *ret_holds, uint32_t *ret_at)
{
    const struct cedar_value *v;
    enum cedar_fault f = evaluate_run(e, c->first, c->end, &v, ret_at);
    if (f != CEDAR_FAULT_NONE)
        return f;
    if (v->kind != CEDAR_BOOL) {
        *ret_at = c->end - 1;
        return CEDAR_FAULT_TYPE;
    }
    *ret_holds = v->as.truth != c->is_unless;
    return CEDAR_FAULT_NONE;
}

/* Satisfied, or not, or a fault and where. */
static enum cedar_fault run_policy(struct evaluate *e,
                                   const struct cedar_policies *set,
                                   const struct program_policy *policy,
                                   bool *ret_satisfied, uint32_t *ret_at)
{
    const struct program_condition *c = &set->conditions.at[policy->condition];
    *ret_satisfied = false;
    if (policy->is_template || !scopes_hold(e, policy))
        return CEDAR_FAULT_NONE;
    for (uint32_t i = 0; i < policy->condition_count; i++) {
        bool holds;
        enum cedar_fault f = run_condition(e, &c[i], &holds, ret_at);
        if (f != CEDAR_FAULT_NONE || !holds)
            return f;
    }
    *ret_satisfied = true;
    return CEDAR_FAULT_NONE;
}

/* Writes down what became of policy `i`; `at` is the node of a fault. */
static inline void note(struct decide *d, uint32_t i, bool is_permit,
                        enum cedar_fault f, bool satisfied, uint32_t at)
{
    struct arena *arena = d->evaluate.pool.arena;
    if (f != CEDAR_FAULT_NONE) {
        d->faults[d->fault_count++] =
            (struct cedar_policy_fault){i, f, d->set->offsets.at[at]};
        if (!is_permit)
            d->forbid_erred = true;
    } else if (satisfied && is_permit) {
        d->permits[d->permit_count++] = i;
    } else if (satisfied) {
        d->forbids[d->forbid_count++] = i;
    }
    if (arena->used > 0)
        arena_release(arena);
}

static void consider(struct decide *d, uint32_t i)
{
    const struct program_policy *policy = &d->set->policies.at[i];
    bool satisfied;
    uint32_t at = 0;
    enum cedar_fault f =
        run_policy(&d->evaluate, d->set, policy, &satisfied, &at);
    note(d, i, policy->is_permit, f, satisfied, at);
}

/* The members with this literal. */
static void consider_literal(struct decide *d, const struct index_group *g,
                             struct cedar_value v)
{
    uint64_t key;
    uint32_t at;
    uint32_t end;
    if (!leading_key(v, &key))
        return; /* no literal is like this */
    index_find(&g->members, key, &at, &end);
    for (; at < end; at++) {
        const struct index_entry *entry = &g->members.entries[at];
        if (entry->key == key &&
            cedar_value_equal(leading_value(&d->set->nodes.at[entry->literal]),
                              v))
            consider(d, entry->what);
    }
}

static void consider_members(struct decide *d, const struct index_group *g)
{
    for (uint32_t i = 0; i < g->count; i++)
        consider(d, g->members.entries[i].what);
}

/* The members that name the entity or an ancestor, of which there may be more
 * than members. */
static void consider_family(struct decide *d, const struct index_group *g,
                            const struct cedar_uid *uid)
{
    const struct entities_entity *entity = evaluate_find(&d->evaluate, uid);
    uint32_t count = entity == NULL ? 0 : entity->ancestor_count;
    if (count > g->count) {
        consider_members(d, g);
        return;
    }
    consider_literal(d, g, cedar_value_entity(uid));
    for (uint32_t i = 0; i < count; i++)
        consider_literal(d, g,
                         cedar_value_entity(
                             &entity->store->uids[entity->ancestors[i]]));
}

static void consider_elements(struct decide *d, const struct index_group *g,
                              const struct cedar_set *set)
{
    if (set->count > g->count) {
        consider_members(d, g);
        return;
    }
    for (uint32_t i = 0; i < set->count; i++)
        consider_literal(d, g, set->items[i]);
}

/* How many members have a smaller number, or one that is not larger. */
static uint32_t count_below(const struct index_group *g, int64_t number,
                            bool equal_too)
{
    uint32_t low = 0;
    uint32_t high = g->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t other = (int64_t)g->members.entries[middle].key;
        if (other < number || (equal_too && other == number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void consider_numbers(struct decide *d, const struct index_group *g,
                             int64_t number)
{
    uint32_t first = 0;
    uint32_t end = g->count;
    if (g->op == OP_LESS || g->op == OP_LESS_EQUAL)
        first = count_below(g, number, g->op == OP_LESS);
    else
        end = count_below(g, number, g->op == OP_GREATER_EQUAL);
    for (; first < end; first++)
        consider(d, g->members.entries[first].what);
}

static void consider_patterns(struct decide *d, const struct index_group *g,
                              struct str text)
{
    const struct program_node *nodes = d->set->nodes.at;
    for (uint32_t i = 0; i < g->count; i++) {
        const struct index_entry *entry = &g->members.entries[i];
        if (literal_matches(nodes[entry->literal].as.pattern, text))
            consider(d, entry->what);
    }
}

/* Whether all members err that compare the value. */
static bool is_misfit(enum leading_kind kind, struct cedar_value v)
{
    static const uint8_t kinds[] = {
        [LEADING_IN] = CEDAR_ENTITY,
        [LEADING_CONTAINS] = CEDAR_SET,
        [LEADING_ORDER] = CEDAR_LONG,
        [LEADING_LIKE] = CEDAR_STRING,
    };
    return kind != LEADING_EQUAL && v.kind != kinds[kind];
}

/* Asks the question of a group; false: it errs.  CEDAR_NOTHING: a guard does
 * not hold, for anybody. */
static bool ask(struct decide *d, const struct index_group *g,
                struct cedar_value *ret)
{
    const struct cedar_policies *set = d->set;
    const struct program_condition *c =
        &set->conditions.at[set->policies.at[g->policy].condition];
    *ret = (struct cedar_value){.kind = CEDAR_NOTHING};
    for (uint32_t i = 0; i < g->before; i++) {
        bool holds;
        uint32_t at;
        if (run_condition(&d->evaluate, &c[i], &holds, &at) != CEDAR_FAULT_NONE)
            return false;
        if (!holds)
            return true;
    }
    return evaluate_path(&d->evaluate, c[g->before].first, g->path_end, ret);
}

static void consider_group(struct decide *d, const struct index_group *g)
{
    struct cedar_value v;
    if (!scopes_hold(&d->evaluate, &d->set->policies.at[g->policy]))
        return;
    bool errs = !ask(d, g, &v);
    if (!errs && v.kind == CEDAR_NOTHING)
        return;
    if (errs || is_misfit(g->kind, v))
        consider_members(d, g);
    else if (g->kind == LEADING_EQUAL)
        consider_literal(d, g, v);
    else if (g->kind == LEADING_IN)
        consider_family(d, g, v.as.uid);
    else if (g->kind == LEADING_CONTAINS)
        consider_elements(d, g, v.as.set);
    else if (g->kind == LEADING_ORDER)
        consider_numbers(d, g, v.as.number);
    else
        consider_patterns(d, g, value_text(v));
}

static void consider_filed(struct decide *d, uint32_t what)
{
    if ((what & INDEX_GROUP) != 0)
        consider_group(d, &d->set->index.groups[what & ~INDEX_GROUP]);
    else
        consider(d, what);
}

static void consider_rest(struct decide *d, const struct index_rest *rest)
{
    const struct program_condition c = {rest->first, rest->end,
                                        rest->is_unless};
    bool holds = false;
    uint32_t at = 0;
    if (rest->end == 0) {
        consider_filed(d, rest->what);
        return;
    }
    enum cedar_fault f = run_condition(&d->evaluate, &c, &holds, &at);
    note(d, rest->what, rest->is_permit, f, holds, at);
}

static const struct program_policy *filed_policy(const struct decide *d,
                                                 uint32_t what)
{
    if ((what & INDEX_GROUP) != 0)
        what = d->set->index.groups[what & ~INDEX_GROUP].policy;
    return &d->set->policies.at[what];
}

/* True when the policy is filed under this very uid, or type if it is NULL:
 * keys of others may be the same, and a policy is considered once. */
static bool is_filed_under(const struct program_scope *scope,
                           const struct cedar_uid *uid, struct str type)
{
    return uid == NULL ? str_eq(scope->type, type)
                       : cedar_uid_equal(scope->uids, uid);
}

static void consider_key(struct decide *d, unsigned role,
                         const struct cedar_uid *uid, struct str type)
{
    const struct index_table *t = &d->set->index.filed;
    uint64_t key = index_key(role, uid == NULL ? value_hash(type) : uid->hash);
    uint32_t at;
    uint32_t end;
    index_find(t, key, &at, &end);
    for (; at < end; at++) {
        const struct index_entry *entry = &t->entries[at];
        if (entry->key == key &&
            is_filed_under(
                &filed_policy(d, entry->what)->scopes[role / INDEX_PARTS], uid,
                type))
            consider_filed(d, entry->what);
    }
}

/* What is filed under one variable: its uid, its ancestors, its type. */
static void consider_variable(struct decide *d, unsigned variable)
{
    unsigned role = variable * INDEX_PARTS;
    const uint32_t *roles = d->set->index.roles + role;
    const struct cedar_uid *uid = d->evaluate.uids[variable];
    const struct entities_entity *entity = d->evaluate.known[variable];
    if (roles[INDEX_EQUAL] > 0)
        consider_key(d, role + INDEX_EQUAL, uid, uid->type);
    if (roles[INDEX_IS] > 0)
        consider_key(d, role + INDEX_IS, NULL, uid->type);
    if (roles[INDEX_IN] == 0)
        return;
    consider_key(d, role + INDEX_IN, uid, uid->type);
    for (uint32_t i = 0; entity != NULL && i < entity->ancestor_count; i++)
        consider_key(d, role + INDEX_IN,
                     &entity->store->uids[entity->ancestors[i]], uid->type);
}

static int order_indices(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return (*left > *right) - (*left < *right);
}

static int order_faults(const void *a, const void *b)
{
    const struct cedar_policy_fault *left = a;
    const struct cedar_policy_fault *right = b;
    return (left->policy > right->policy) - (left->policy < right->policy);
}

static void consider_indexed(struct decide *d)
{
    const struct index *x = &d->set->index;
    uint32_t spare;
    struct cedar_policy_fault spare_fault;
    for (uint32_t i = 0; i < x->rest_count; i++)
        consider_rest(d, &x->rest[i]);
    for (unsigned v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++)
        consider_variable(d, v);
    sort_array(d->permits, d->permit_count, sizeof(spare), order_indices,
               &spare);
    sort_array(d->forbids, d->forbid_count, sizeof(spare), order_indices,
               &spare);
    sort_array(d->faults, d->fault_count, sizeof(spare_fault), order_faults,
               &spare_fault);
}

void decide_all(struct decide *d)
{
    if (d->set->index.is_used) {
        consider_indexed(d);
        return;
    }
    for (uint32_t i = 0; i < d->set->policies.count; i++)
        consider(d, i);
}
