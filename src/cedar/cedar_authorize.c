/* cedar_authorize.c - decisions; see cedar.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/evaluate.h"

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

static bool scope_holds(const struct evaluate *e,
                        const struct program_scope *scope,
                        enum program_variable variable)
{
    const struct cedar_uid *uid = e->uids[variable];
    switch (scope->kind) {
    case SCOPE_ANY:
        return true;
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
    if (!scope_holds(e, &policy->scopes[VAR_ACTION], VAR_ACTION) ||
        !scope_holds(e, &policy->scopes[VAR_PRINCIPAL], VAR_PRINCIPAL) ||
        !scope_holds(e, &policy->scopes[VAR_RESOURCE], VAR_RESOURCE))
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

enum err cedar_authorize(struct cedar_evaluator *v,
                         const struct cedar_policies *policies,
                         const struct cedar_request *request,
                         const struct cedar_options *options,
                         struct cedar_answer *ret)
{
    if (!make_room(v, policies))
        return ERR_NO_MEMORY;
    struct evaluate e;
    prepare(&e, v, policies, request);
    size_t permits = 0;
    size_t forbids = 0;
    size_t faults = 0;
    bool forbid_erred = false;
    for (size_t i = 0; i < policies->policies.count; i++) {
        const struct program_policy *policy = &policies->policies.at[i];
        bool satisfied;
        uint32_t at = 0;
        enum cedar_fault f = run_policy(&e, policies, policy, &satisfied, &at);
        if (f != CEDAR_FAULT_NONE) {
            v->faults[faults++] =
                (struct cedar_policy_fault){(uint32_t)i, f,
                                            policies->offsets.at[at]};
            if (!policy->is_permit)
                forbid_erred = true;
        } else if (satisfied && policy->is_permit) {
            v->permits[permits++] = (uint32_t)i;
        } else if (satisfied) {
            v->forbids[forbids++] = (uint32_t)i;
        }
        if (v->arena.used > 0)
            arena_release(&v->arena);
    }
    bool denied =
        forbids > 0 || permits == 0 ||
        (forbid_erred && options != NULL && options->erring_forbid_denies);
    *ret = (struct cedar_answer){
        .decision = denied ? CEDAR_DENY : CEDAR_ALLOW,
        .reasons = denied ? v->forbids : v->permits,
        .reason_count = denied ? forbids : permits,
        .faults = v->faults,
        .fault_count = faults,
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
