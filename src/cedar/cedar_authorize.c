/* cedar_authorize.c - decisions; see cedar.h. */
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/decide.h"

/* Sets and records that one policy makes on the way: the first bytes are
 * kept for the next decision, the rest comes from and goes to the heap. */
enum { POOL_BYTES = 64 * 1024 };
#define ARENA_BYTES (64 * MIB)

struct cedar_evaluator {
    struct cedar_value *stack;
    uint32_t *permits, *forbids; /* satisfied; room for `policies` */
    struct cedar_policy_fault *faults;
    struct evaluate_memo *memos;
    size_t stack_room, memo_room, policies;
    uint64_t decisions; /* so far */
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
    free(v->memos);
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
    if (set->path_count > v->memo_room) {
        if (!resize((void **)(void *)&v->memos, set->path_count,
                    sizeof(*v->memos)))
            return false;
        for (; v->memo_room < set->path_count; v->memo_room++)
            v->memos[v->memo_room].at = 0;
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

static struct decide prepare(struct cedar_evaluator *v,
                             const struct cedar_policies *set,
                             const struct cedar_request *request)
{
    struct decide d = {
        .evaluate =
            {
                .nodes = set->nodes.at,
                .request = request,
                .uids = {&request->principal, &request->action,
                         &request->resource},
                .stack = v->stack,
                .memos = v->memos,
                .at = ++v->decisions,
                .pool = {.fixed = v->pool,
                         .room = POOL_BYTES,
                         .arena = &v->arena},
            },
        .set = set,
        .permits = v->permits,
        .forbids = v->forbids,
        .faults = v->faults,
    };
    for (size_t i = 0; i < ARRAY_LEN(d.evaluate.uids); i++)
        d.evaluate.known[i] =
            entities_find(request->entities, d.evaluate.uids[i]);
    return d;
}

enum err cedar_authorize(struct cedar_evaluator *v,
                         const struct cedar_policies *policies,
                         const struct cedar_request *request,
                         const struct cedar_options *options,
                         struct cedar_answer *ret)
{
    if (!make_room(v, policies))
        return ERR_NO_MEMORY;
    struct decide d = prepare(v, policies, request);
    decide_all(&d);
    bool denied =
        d.forbid_count > 0 || d.permit_count == 0 ||
        (d.forbid_erred && options != NULL && options->erring_forbid_denies);
    *ret = (struct cedar_answer){
        .decision = denied ? CEDAR_DENY : CEDAR_ALLOW,
        .reasons = denied ? d.forbids : d.permits,
        .reason_count = denied ? d.forbid_count : d.permit_count,
        .faults = d.faults,
        .fault_count = d.fault_count,
        .permits = d.permits,
        .permit_count = d.permit_count,
        .forbids = d.forbids,
        .forbid_count = d.forbid_count,
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
