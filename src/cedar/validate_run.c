/* validate_run.c - conditions, jumps and logic; see validate.h. */
#include <assert.h>

#include "cedar/validate.h"

struct validate_operand *validate_pop(struct validate *v, uint32_t count)
{
    assert(count <= (size_t)(v->top - v->stack));
    v->top -= count;
    for (uint32_t i = 0; i < count; i++) {
        validate_drop(v, v->top[i].tests);
        v->top[i].tests = NULL;
    }
    return v->top;
}

struct validate_operand *validate_push(struct validate *v, uint32_t node,
                                       const struct type *type,
                                       const struct validate_operand *from,
                                       uint32_t count)
{
    struct validate_operand o = {.type = type, .node = node};
    for (uint32_t i = 0; i < count; i++)
        if (from[i].level > o.level)
            o.level = from[i].level;
    assert((size_t)(v->top - v->stack) < v->set->stack_max);
    *v->top = o;
    return v->top++;
}

/* What has to be a Bool: its kind, or TYPE_UNKNOWN after an error. */
static enum type_kind truth(struct validate *v,
                            const struct validate_operand *o)
{
    if (type_is_bool(o->type))
        return o->type->kind;
    validate_unexpected(v, o->node, "a Bool", o->type);
    return TYPE_UNKNOWN;
}

/* Puts a test's outcome in the place of `o`, without what it knows. */
static void decide(struct validate *v, struct validate_operand *o,
                   enum type_kind kind)
{
    validate_drop(v, o->tests);
    o->tests = NULL;
    o->type = type_simple(kind);
    o->literal.kind = CEDAR_NOTHING;
    o->is_named = false;
}

/* From here `o` is true. */
static void assume(struct validate *v, struct validate_operand *o)
{
    o->saved = v->known;
    v->known = validate_union(v, validate_copy(v, v->known),
                              validate_copy(v, o->tests));
}

static void forget(struct validate *v, struct validate_operand *o)
{
    validate_drop(v, v->known);
    v->known = o->saved;
    o->saved = NULL;
}

static void raise_level(struct validate_operand *o,
                        const struct validate_operand *other)
{
    if (other->level > o->level)
        o->level = other->level;
}

static void and_both(struct validate *v, uint32_t i)
{
    struct validate_operand *right = --v->top;
    struct validate_operand *left = v->top - 1;
    enum type_kind b = truth(v, right);
    enum type_kind a = left->type->kind;
    forget(v, left);
    raise_level(left, right);
    left->node = i;
    left->tests = validate_union(v, left->tests, right->tests);
    right->tests = NULL;
    if (a == TYPE_UNKNOWN || b == TYPE_UNKNOWN)
        decide(v, left, b == TYPE_FALSE ? TYPE_FALSE : TYPE_UNKNOWN);
    else if (b == TYPE_FALSE)
        decide(v, left, TYPE_FALSE);
    else
        left->type = type_simple(b == TYPE_TRUE ? a : TYPE_BOOL);
    left->literal.kind = CEDAR_NOTHING;
}

static void or_both(struct validate *v, uint32_t i)
{
    struct validate_operand *right = --v->top;
    struct validate_operand *left = v->top - 1;
    enum type_kind b = truth(v, right);
    enum type_kind a = left->type->kind;
    uint64_t *tests = right->tests;
    raise_level(left, right);
    left->node = i;
    left->literal.kind = CEDAR_NOTHING;
    right->tests = NULL;
    if (a == TYPE_UNKNOWN || b == TYPE_UNKNOWN || b == TYPE_TRUE) {
        validate_drop(v, tests);
        decide(v, left, b);
        if (a == TYPE_UNKNOWN)
            left->type = type_simple(TYPE_UNKNOWN);
    } else if (a == TYPE_FALSE) {
        validate_drop(v, left->tests);
        left->tests = tests;
        left->type = type_simple(b);
    } else if (b == TYPE_FALSE) {
        validate_drop(v, tests);
        left->type = type_simple(TYPE_BOOL);
    } else {
        left->tests = validate_intersection(v, left->tests, tests);
        left->type = type_simple(TYPE_BOOL);
    }
}

static void join_branches(struct validate *v, uint32_t i,
                          struct validate_operand *guard,
                          struct validate_operand *then)
{
    struct validate_operand *other = then + 1;
    const struct type *joined = type_simple(TYPE_UNKNOWN);
    enum err e = type_join(&v->scratch, then->type, other->type, &joined);
    if (e == ERR_LIMIT)
        v->err = e;
    else if (e != ERR_OK)
        (void)validate_compatible(v, i, then->type, other->type);
    raise_level(guard, then);
    raise_level(guard, other);
    guard->is_named = then->is_named || other->is_named;
    guard->tests =
        validate_intersection(v, validate_union(v, guard->tests, then->tests),
                              other->tests);
    guard->type = joined;
}

static void if_all(struct validate *v, uint32_t i)
{
    struct validate_operand *guard = v->top - 3;
    struct validate_operand *then = v->top - 2;
    struct validate_operand *other = v->top - 1;
    enum type_kind kind = guard->type->kind;
    v->top -= 2;
    if (kind == TYPE_TRUE) {
        raise_level(guard, then);
        guard->tests = validate_union(v, guard->tests, then->tests);
        guard->type = then->type;
        guard->is_named = then->is_named;
    } else if (kind == TYPE_FALSE) {
        validate_drop(v, guard->tests);
        raise_level(guard, other);
        guard->tests = other->tests;
        guard->type = other->type;
        guard->is_named = other->is_named;
    } else {
        join_branches(v, i, guard, then);
    }
    then->tests = NULL;
    other->tests = NULL;
    guard->node = i;
    guard->literal.kind = CEDAR_NOTHING;
}

/* `e is T in x`: x only where e is a T. */
static uint32_t is_jump(struct validate *v, const struct program_node *node,
                        uint32_t i)
{
    struct validate_operand *o = v->top - 1;
    if (o->type->kind != TYPE_ENTITY)
        validate_unexpected(v, o->node, "an entity", o->type);
    else if (!str_eq(o->type->as.entity->name.name, *node->as.type)) {
        decide(v, o, TYPE_FALSE);
        o->node = node->a - 1;
        return node->a;
    }
    return i + 1;
}

/* A jump at node `i`; returns the node to go on at. */
static uint32_t jump(struct validate *v, uint32_t i)
{
    const struct program_node *node = &v->set->nodes.at[i];
    struct validate_operand *o = v->top - 1;
    if (node->op == OP_OPEN)
        return i + 1;
    if (node->op == OP_IS_JUMP)
        return is_jump(v, node, i);
    if (node->op == OP_ELSE_JUMP) {
        struct validate_operand *guard = v->top - 2;
        forget(v, guard);
        if (guard->type->kind != TYPE_TRUE)
            return i + 1;
        (void)validate_push(v, i, type_simple(TYPE_UNKNOWN), NULL, 0);
        return node->a;
    }
    enum type_kind kind = truth(v, o);
    o->type = type_simple(kind);
    if (node->op == OP_OR_JUMP) {
        if (kind != TYPE_TRUE)
            return i + 1;
        decide(v, o, kind);
        o->node = node->a - 1;
        return node->a;
    }
    if (kind != TYPE_FALSE) {
        assume(v, o);
        return i + 1;
    }
    if (node->op == OP_IF_JUMP) { /* no `then` */
        (void)validate_push(v, i, type_simple(TYPE_UNKNOWN), NULL, 0);
        return node->a;
    }
    decide(v, o, kind);
    o->node = node->a - 1;
    return node->a;
}

static void run(struct validate *v, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end && v->err == ERR_OK;) {
        const struct program_node *node = &v->set->nodes.at[i];
        if (exprs_is_jump(node)) {
            i = jump(v, i);
            continue;
        }
        if (node->op == OP_AND)
            and_both(v, i);
        else if (node->op == OP_OR)
            or_both(v, i);
        else if (node->op == OP_IF)
            if_all(v, i);
        else
            validate_operator(v, i);
        i++;
    }
}

const struct type *validate_conditions(struct validate *v, unsigned *level)
{
    enum type_kind all = TYPE_TRUE;
    v->known = NULL;
    v->spare = NULL;
    v->top = v->stack;
    for (uint32_t i = 0; i < v->policy->condition_count; i++) {
        const struct program_condition *c =
            &v->set->conditions.at[v->policy->condition + i];
        run(v, c->first, c->end);
        if (v->err != ERR_OK)
            break;
        struct validate_operand *o = --v->top;
        enum type_kind kind = truth(v, o);
        if (o->level > *level)
            *level = o->level;
        if (c->is_unless) {
            validate_drop(v, o->tests);
            o->tests = NULL;
            kind = kind == TYPE_TRUE    ? TYPE_FALSE
                   : kind == TYPE_FALSE ? TYPE_TRUE
                                        : kind;
        }
        if (kind == TYPE_FALSE)
            return type_simple(all == TYPE_UNKNOWN ? all : kind);
        if (kind != TYPE_TRUE && all != TYPE_UNKNOWN)
            all = kind;
        v->known = validate_union(v, v->known, o->tests);
    }
    return type_simple(all);
}
