/*
 * evaluate.c - see evaluate.h.
 *
 * The loop, and the operators that are a few instructions; see operate.h.
 */
#include "cedar/evaluate.h"

#include <assert.h>

#include "cedar/operate.h"

const struct entities_entity *evaluate_find(const struct evaluate *e,
                                            const struct cedar_uid *uid)
{
    for (size_t i = 0; i < ARRAY_LEN(e->uids); i++)
        if (uid == e->uids[i])
            return e->known[i];
    return entities_find(e->request->entities, uid);
}

bool evaluate_in(const struct evaluate *e, const struct cedar_uid *a,
                 const struct cedar_uid *b)
{
    if (cedar_uid_equal(a, b))
        return true;
    const struct entities_entity *entity = evaluate_find(e, a);
    return entity != NULL && entities_has_ancestor(entity, b);
}

/* Literals and variables. */

static node_in op_bool(struct evaluate *e, node_in n)
{
    return operate_push(e, n, cedar_value_bool(n->as.number != 0));
}

static node_in op_string(struct evaluate *e, node_in n)
{
    return operate_push(e, n,
                        cedar_value_string((struct str){n->as.text, n->a}));
}

static node_in op_entity(struct evaluate *e, node_in n)
{
    return operate_push(e, n, cedar_value_entity(n->as.uid));
}

static inline struct cedar_value variable(const struct evaluate *e,
                                          uint32_t which)
{
    const struct cedar_record *context = e->request->context;
    if (which != VAR_CONTEXT)
        return cedar_value_entity(e->uids[which]);
    return cedar_value_of(context != NULL ? context : entities_no_record());
}

static node_in op_open(struct evaluate *e, node_in n)
{
    if (n->as.kept == NULL)
        return n + 1;
    *e->top++ = *n->as.kept;
    return operate_jump(e, n);
}

/* Paths. */

/* Looks a path up; false: a fault on the way. */
static OUT_OF_LINE bool look_up(struct evaluate *e, node_in n)
{
    node_in end = n + n->as.path.nodes;
    node_in at = operate_push(e, n, variable(e, n->a));
    while (at != NULL && at < end) {
        if (at->op == OP_GET)
            at = operate_get(e, at);
        else if (at->op == OP_STRING)
            at = op_string(e, at);
        else if (at->op == OP_GET_TAG)
            at = operate_get_tag(e, at);
        else if (at->op == OP_HAS_TAG)
            at = operate_has_tag(e, at);
        else
            at = operate_has(e, at);
    }
    return at != NULL;
}

/* With the path behind it, if that has a number. */
static node_in op_variable(struct evaluate *e, node_in n)
{
    if (n->as.path.number == 0)
        return operate_push(e, n, variable(e, n->a));
    struct evaluate_memo *memo = &e->memos[n->as.path.number - 1];
    struct cedar_value *bottom = e->top;
    if (memo->at == e->at) {
        *e->top++ = memo->value;
        return n + n->as.path.nodes;
    }
    if (look_up(e, n)) {
        memo->value = e->top[-1];
        memo->at = e->at;
        return n + n->as.path.nodes;
    }
    /* Once more, node by node: so it is known which of them fails. */
    e->top = bottom;
    return operate_push(e, n, variable(e, n->a));
}

/* Logic. */

static node_in op_not(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_BOOL)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    return operate_leave_bool(e, n, !e->top[-1].as.truth);
}

/* Jumps with the value when it decides, drops it when not. */
static node_in decide(struct evaluate *e, node_in n, bool deciding)
{
    if (e->top[-1].kind != CEDAR_BOOL)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    if (e->top[-1].as.truth == deciding)
        return operate_jump(e, n);
    e->top--;
    return n + 1;
}

/* The right side of && and || stays, if it is a boolean. */
static node_in op_boolean(struct evaluate *e, node_in n)
{
    return e->top[-1].kind == CEDAR_BOOL ? n + 1
                                         : operate_fail(e, CEDAR_FAULT_TYPE);
}

static node_in op_if_jump(struct evaluate *e, node_in n)
{
    e->top--;
    if (e->top[0].kind != CEDAR_BOOL)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    return e->top[0].as.truth ? n + 1 : operate_jump(e, n);
}

/* Comparison and arithmetic. */

static inline bool orders(enum program_op op, int64_t a, int64_t b)
{
    return op == OP_LESS         ? a < b
           : op == OP_LESS_EQUAL ? a <= b
           : op == OP_GREATER    ? a > b
                                 : a >= b;
}

/* < and its kin are for long, datetime and duration, both alike. */
static inline node_in compare(struct evaluate *e, node_in n, enum program_op op)
{
    e->top--;
    uint8_t kind = e->top[-1].kind;
    if (kind != e->top[0].kind ||
        (kind != CEDAR_LONG && kind != CEDAR_DATETIME &&
         kind != CEDAR_DURATION))
        return operate_fail(e, CEDAR_FAULT_TYPE);
    return operate_leave_bool(e, n,
                              orders(op, e->top[-1].as.number,
                                     e->top[0].as.number));
}

static inline node_in arithmetic(struct evaluate *e, node_in n,
                                 enum program_op op)
{
    e->top--;
    if (e->top[-1].kind != CEDAR_LONG || e->top[0].kind != CEDAR_LONG)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    int64_t *a = &e->top[-1].as.number;
    int64_t b = e->top[0].as.number;
    bool left = op == OP_ADD        ? __builtin_add_overflow(*a, b, a)
                : op == OP_SUBTRACT ? __builtin_sub_overflow(*a, b, a)
                                    : __builtin_mul_overflow(*a, b, a);
    return left ? operate_fail(e, CEDAR_FAULT_OVERFLOW) : n + 1;
}

static node_in op_negate(struct evaluate *e, node_in n)
{
    int64_t result;
    if (e->top[-1].kind != CEDAR_LONG)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    if (__builtin_sub_overflow(0, e->top[-1].as.number, &result))
        return operate_fail(e, CEDAR_FAULT_OVERFLOW);
    return operate_leave(e, n, cedar_value_long(result));
}

/* Sets. */

static node_in op_is_empty(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_SET)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    return operate_leave_bool(e, n, e->top[-1].as.set->count == 0);
}

/*
 * A number, and at once the operator behind it, if that has a number on its
 * left, too: the node there is this number's, no jump leads to it.  What
 * fails is left to the operator, which then is where the fault is.
 */
static inline node_in op_long(struct evaluate *e, node_in n, node_in end)
{
    int64_t b = n->as.number;
    int64_t sum;
    if (n + 1 == end || e->top == e->stack || e->top[-1].kind != CEDAR_LONG)
        return operate_push(e, n, cedar_value_long(b));
    struct cedar_value *left = &e->top[-1];
    int64_t a = left->as.number;
    switch (n[1].op) {
    case OP_EQUAL:
        *left = cedar_value_bool(a == b);
        return n + 2;
    case OP_LESS:
        *left = cedar_value_bool(a < b);
        return n + 2;
    case OP_LESS_EQUAL:
        *left = cedar_value_bool(a <= b);
        return n + 2;
    case OP_GREATER:
        *left = cedar_value_bool(a > b);
        return n + 2;
    case OP_GREATER_EQUAL:
        *left = cedar_value_bool(a >= b);
        return n + 2;
    case OP_ADD:
        if (__builtin_add_overflow(a, b, &sum))
            break;
        left->as.number = sum;
        return n + 2;
    default:
        break;
    }
    return operate_push(e, n, cedar_value_long(b));
}

/* A switch and no table of functions: what is small is put in place.  What is
 * out of line would cost all others the memory that it needs. */
static inline node_in step(struct evaluate *e, node_in n, node_in end)
{
    /* clang-format off */
    switch ((enum program_op)n->op) {
    case OP_BOOL: return op_bool(e, n);
    case OP_LONG: return op_long(e, n, end);
    case OP_STRING: return op_string(e, n);
    case OP_ENTITY: return op_entity(e, n);
    case OP_VARIABLE: return op_variable(e, n);
    case OP_OPEN: return op_open(e, n);
    case OP_SET: return operate_set(e, n);
    case OP_RECORD: return operate_record(e, n);
    case OP_CALL: return operate_call(e, n);
    case OP_GET: return operate_get(e, n);
    case OP_HAS: return operate_has(e, n);
    case OP_LIKE: return operate_like(e, n);
    case OP_IS: return operate_is(e, n);
    case OP_IS_JUMP: return operate_is_jump(e, n);
    case OP_IS_IN: case OP_IN: return operate_in(e, n);
    case OP_NOT: return op_not(e, n);
    case OP_NEGATE: return op_negate(e, n);
    case OP_AND_JUMP: return decide(e, n, false);
    case OP_OR_JUMP: return decide(e, n, true);
    case OP_AND: case OP_OR: return op_boolean(e, n);
    case OP_IF_JUMP: return op_if_jump(e, n);
    case OP_ELSE_JUMP: return operate_jump(e, n);
    case OP_IF: return n + 1;
    case OP_EQUAL: return operate_equal(e, n, true);
    case OP_DIFFERENT: return operate_equal(e, n, false);
    case OP_LESS: return compare(e, n, OP_LESS);
    case OP_LESS_EQUAL: return compare(e, n, OP_LESS_EQUAL);
    case OP_GREATER: return compare(e, n, OP_GREATER);
    case OP_GREATER_EQUAL: return compare(e, n, OP_GREATER_EQUAL);
    case OP_ADD: return arithmetic(e, n, OP_ADD);
    case OP_SUBTRACT: return arithmetic(e, n, OP_SUBTRACT);
    case OP_MULTIPLY: return arithmetic(e, n, OP_MULTIPLY);
    case OP_CONTAINS: return operate_contains(e, n);
    case OP_CONTAINS_ALL: case OP_CONTAINS_ANY: return operate_contains_many(e, n);
    case OP_IS_EMPTY: return op_is_empty(e, n);
    case OP_HAS_TAG: return operate_has_tag(e, n);
    case OP_GET_TAG: return operate_get_tag(e, n);
    case OP_COUNT: break;
    }
    /* clang-format on */
    assert(n->op < OP_COUNT);
    return NULL;
}

/* To `end` or, when a jump leads there, beyond; NULL: a fault, at *ret_at. */
static OUT_OF_LINE node_in run(struct evaluate *e, node_in at, node_in end,
                               node_in *ret_at)
{
    e->top = e->stack;
    e->pool.used = 0;
    while (at < end) {
        node_in next = step(e, at, end);
        if (next == NULL) {
            *ret_at = at;
            return NULL;
        }
        at = next;
    }
    return at;
}

enum cedar_fault evaluate_run(struct evaluate *e, uint32_t first, uint32_t end,
                              const struct cedar_value **ret, uint32_t *ret_at)
{
    node_in at;
    if (run(e, e->nodes + first, e->nodes + end, &at) == NULL) {
        *ret_at = (uint32_t)(at - e->nodes);
        return e->fault;
    }
    assert(e->top == e->stack + 1);
    *ret = e->stack; /* not copied: it was written in parts just now */
    return CEDAR_FAULT_NONE;
}

bool evaluate_path(struct evaluate *e, uint32_t first, uint32_t end,
                   struct cedar_value *ret)
{
    node_in at;
    node_in last = e->nodes + end;
    node_in reached = run(e, e->nodes + first, last, &at);
    if (reached == NULL)
        return false;
    *ret = reached == last ? e->top[-1] : (struct cedar_value){0};
    return true;
}
