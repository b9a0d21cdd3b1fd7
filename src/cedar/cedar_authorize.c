/* cedar_authorize.c - decisions; see cedar.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/evaluate.h"
#include "cedar/sort.h"

/* Sets and records that one policy makes on the way: the first bytes are
 * kept for the next decision, the rest comes from and goes to the heap. */
enum { POOL_BYTES = 64 * 1024 };
#define ARENA_BYTES (64 * MIB)

struct cedar_evaluator {
    struct cedar_value *stack;
    uint32_t *permits, *forbids; /* satisfied; room for `policies` */
    struct cedar_policy_fault *faults;
    size_t stack_room, policies;
    struct arena arena;
    char *pool;
};

struct cedar_evaluator *cedar_evaluator_new(void)
{
    struct cedar_evaluator *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return NULL;
    arena_init(&v->arena, ARENA_BYTES);
    v->pool = malloc(POOL_BYTES);
    if (v->pool == NULL) {
        free(v);
        return NULL;
    }
    return v;
}

void cedar_evaluator_free(struct cedar_evaluator *v)
{
    if (v == NULL)
        return;
    arena_release(&v->arena);
    free(v->stack);
    free(v->permits);
    free(v->forbids);
    free(v->faults);
    free(v->pool);
    free(v);
}

static bool resize(void **array, size_t count, size_t size)
{
    void *grown = reallocarray(*array, count, size);
    if (grown != NULL)
        *array = grown;
    return grown != NULL;
}

/* Room for the decisions of this set. */
static bool make_room(struct cedar_evaluator *v,
                      const struct cedar_policies *set)
{
    size_t count = set->policies.count + 1;
    size_t values = set->stack_max + 1;
    if (values > v->stack_room) {
        if (!resize((void **)(void *)&v->stack, values, sizeof(*v->stack)))
            return false;
        v->stack_room = values;
    }
    if (count > v->policies) {
        if (!resize((void **)(void *)&v->permits, count, sizeof(*v->permits)) ||
            !resize((void **)(void *)&v->forbids, count, sizeof(*v->forbids)) ||
            !resize((void **)(void *)&v->faults, count, sizeof(*v->faults)))
            return false;
        v->policies = count;
    }
    return true;
}

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

/* Satisfied, or not, or a fault and where. */
static enum cedar_fault run_policy(struct evaluate *e,
                                   const struct cedar_policies *set,
                                   const struct program_policy *policy,
                                   bool *ret_satisfied, uint32_t *ret_at)
{
    *ret_satisfied = false;
    if (policy->is_template)
        return CEDAR_FAULT_NONE;
    /* A scope cannot err: the order is free, and actions differ most. */
    if (!scope_holds(e, policy, VAR_ACTION) ||
        !scope_holds(e, policy, VAR_PRINCIPAL) ||
        !scope_holds(e, policy, VAR_RESOURCE))
        return CEDAR_FAULT_NONE;
    for (uint32_t i = 0; i < policy->condition_count; i++) {
        const struct program_condition *c =
            &set->conditions.at[policy->condition + i];
        struct cedar_value v;
        enum cedar_fault f = evaluate_run(e, c->first, c->end, &v, ret_at);
        if (f == CEDAR_FAULT_NONE && v.kind != CEDAR_BOOL) {
            f = CEDAR_FAULT_TYPE;
            *ret_at = c->end - 1;
        }
        if (f != CEDAR_FAULT_NONE)
            return f;
        if (v.as.truth == c->is_unless)
            return CEDAR_FAULT_NONE;
    }
    *ret_satisfied = true;
    return CEDAR_FAULT_NONE;
}

static void prepare(struct evaluate *e, struct cedar_evaluator *v,
                    const struct cedar_policies *set,
                    const struct cedar_request *request)
{
    *e = (struct evaluate){
        .nodes = set->nodes.at,
        .request = request,
        .uids = {&request->principal, &request->action, &request->resource},
        .stack = v->stack,
        .pool = {.fixed = v->pool, .room = POOL_BYTES, .arena = &v->arena},
    };
    for (size_t i = 0; i < ARRAY_LEN(e->uids); i++)
        e->known[i] = entities_find(request->entities, e->uids[i]);
}

/* A decision on its way. */
struct deciding {
    struct evaluate evaluate;
    const struct cedar_policies *set;
    struct cedar_evaluator *to;
    size_t permits, forbids, faults;
    bool forbid_erred;
};

static void consider(struct deciding *d, uint32_t i)
{
    const struct program_policy *policy = &d->set->policies.at[i];
    struct cedar_evaluator *to = d->to;
    bool satisfied;
    uint32_t at = 0;
    enum cedar_fault f =
        run_policy(&d->evaluate, d->set, policy, &satisfied, &at);
    if (f != CEDAR_FAULT_NONE) {
        to->faults[d->faults++] =
            (struct cedar_policy_fault){i, f, d->set->offsets.at[at]};
        if (!policy->is_permit)
            d->forbid_erred = true;
    } else if (satisfied && policy->is_permit) {
        to->permits[d->permits++] = i;
    } else if (satisfied) {
        to->forbids[d->forbids++] = i;
    }
    if (to->arena.used > 0)
        arena_release(&to->arena);
}

/* True when the policy is filed under this very uid, or type if it is NULL:
 * keys of others may be the same, and a policy is considered once. */
static bool is_filed_under(const struct program_scope *scope,
                           const struct cedar_uid *uid, struct str type)
{
    return uid == NULL ? str_eq(scope->type, type)
                       : cedar_uid_equal(scope->uids, uid);
}

static void consider_key(struct deciding *d, unsigned role,
                         const struct cedar_uid *uid, struct str type)
{
    const struct index *x = &d->set->index;
    uint64_t key = index_key(role, uid == NULL ? value_hash(type) : uid->hash);
    uint32_t at;
    uint32_t end;
    index_find(x, key, &at, &end);
    for (; at < end; at++) {
        const struct index_entry *entry = &x->entries[at];
        const struct program_policy *policy =
            &d->set->policies.at[entry->policy];
        if (entry->key == key &&
            is_filed_under(&policy->scopes[role / INDEX_PARTS], uid, type))
            consider(d, entry->policy);
    }
}

/* What is filed under one variable: its uid, its ancestors, its type. */
static void consider_variable(struct deciding *d, unsigned variable)
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

static void consider_indexed(struct deciding *d)
{
    const struct index *x = &d->set->index;
    struct cedar_evaluator *to = d->to;
    uint32_t spare;
    struct cedar_policy_fault spare_fault;
    for (uint32_t i = 0; i < x->rest_count; i++)
        consider(d, x->rest[i]);
    for (unsigned v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++)
        consider_variable(d, v);
    sort_array(to->permits, d->permits, sizeof(spare), order_indices, &spare);
    sort_array(to->forbids, d->forbids, sizeof(spare), order_indices, &spare);
    sort_array(to->faults, d->faults, sizeof(spare_fault), order_faults,
               &spare_fault);
}

enum err cedar_authorize(struct cedar_evaluator *v,
                         const struct cedar_policies *policies,
                         const struct cedar_request *request,
                         const struct cedar_options *options,
                         struct cedar_answer *ret)
{
    if (!make_room(v, policies))
        return ERR_NO_MEMORY;
    struct deciding d = {.set = policies, .to = v};
    prepare(&d.evaluate, v, policies, request);
    if (policies->index.is_used)
        consider_indexed(&d);
    else
        for (uint32_t i = 0; i < policies->policies.count; i++)
            consider(&d, i);
    bool denied =
        d.forbids > 0 || d.permits == 0 ||
        (d.forbid_erred && options != NULL && options->erring_forbid_denies);
    *ret = (struct cedar_answer){
        .decision = denied ? CEDAR_DENY : CEDAR_ALLOW,
        .reasons = denied ? v->forbids : v->permits,
        .reason_count = denied ? d.forbids : d.permits,
        .faults = v->faults,
        .fault_count = d.faults,
        .permits = v->permits,
        .permit_count = d.permits,
        .forbids = v->forbids,
        .forbid_count = d.forbids,
    };
    return ERR_OK;
}

const char *cedar_fault_text(enum cedar_fault f)
{
    static const char *const texts[] = {
        [CEDAR_FAULT_NONE] = "no fault",
        [CEDAR_FAULT_TYPE] = "an operand has the wrong type",
        [CEDAR_FAULT_OVERFLOW] = "a number left 64 bits",
        [CEDAR_FAULT_ENTITY] = "the entity does not exist",
        [CEDAR_FAULT_ATTRIBUTE] = "there is no such attribute or tag",
        [CEDAR_FAULT_ARITY] = "the wrong number of arguments",
        [CEDAR_FAULT_EXTENSION] = "the text is no value of this type",
        [CEDAR_FAULT_LIMIT] = "sets and records need too much memory",
    };
    return texts[f];
}
