/*
 * evaluate.c - see evaluate.h.
 *
 * One function per kind of node; each returns the node to go on with, or
 * NULL after setting the fault.  Values are checked where they are used, so
 * nothing here relies on validated policies.
 */
#include "cedar/evaluate.h"

#include <assert.h>

#include "cedar/literal.h"

typedef const struct program_node *node_in;
typedef node_in op_fn(struct evaluate *e, node_in n);

static node_in fail(struct evaluate *e, enum cedar_fault fault)
{
    e->fault = fault;
    return NULL;
}

static node_in jump(const struct evaluate *e, node_in n)
{
    return e->nodes + n->a;
}

static node_in push(struct evaluate *e, node_in n, struct cedar_value v)
{
    *e->top++ = v;
    return n + 1;
}

/* Replaces the last value. */
static node_in leave(struct evaluate *e, node_in n, struct cedar_value v)
{
    e->top[-1] = v;
    return n + 1;
}

static node_in leave_bool(struct evaluate *e, node_in n, bool truth)
{
    return leave(e, n, cedar_value_bool(truth));
}

/* Literals and variables. */

static node_in op_bool(struct evaluate *e, node_in n)
{
    return push(e, n, cedar_value_bool(n->as.number != 0));
}

static node_in op_long(struct evaluate *e, node_in n)
{
    return push(e, n, cedar_value_long(n->as.number));
}

static node_in op_string(struct evaluate *e, node_in n)
{
    return push(e, n, cedar_value_string((struct str){n->as.text, n->a}));
}

static node_in op_entity(struct evaluate *e, node_in n)
{
    return push(e, n, cedar_value_entity(n->as.uid));
}

static node_in op_variable(struct evaluate *e, node_in n)
{
    if (n->a != VAR_CONTEXT)
        return push(e, n, cedar_value_entity(e->uids[n->a]));
    const struct cedar_record *context = e->request->context;
    return push(e, n,
                cedar_value_of(context != NULL ? context
                                               : entities_no_record()));
}

static node_in op_open(struct evaluate *e, node_in n)
{
    if (n->as.kept == NULL)
        return n + 1;
    *e->top++ = *n->as.kept;
    return jump(e, n);
}

/* Constructors. */

static node_in op_set(struct evaluate *e, node_in n)
{
    struct cedar_value v = {.kind = CEDAR_SET};
    e->top -= n->a;
    if (value_set_make(&e->pool, e->top, n->a, &v.as.set) != ERR_OK)
        return fail(e, CEDAR_FAULT_LIMIT);
    return push(e, n, v);
}

static node_in op_record(struct evaluate *e, node_in n)
{
    struct cedar_value v = {.kind = CEDAR_RECORD};
    e->top -= n->a;
    if (value_record_make(&e->pool, n->as.keys, e->top, n->a, &v.as.record) !=
        ERR_OK)
        return fail(e, CEDAR_FAULT_LIMIT); /* the parser saw no key twice */
    return push(e, n, v);
}

static node_in op_call(struct evaluate *e, node_in n)
{
    struct cedar_value v;
    e->top -= n->a;
    enum cedar_fault f =
        extension_call(n->as.extension, e->top, n->a, &e->pool, &v);
    return f == CEDAR_FAULT_NONE ? push(e, n, v) : fail(e, f);
}

/* Entities, attributes and tags. */

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

/* The attributes of a value; false and a fault when it can have none. */
static bool attributes(struct evaluate *e, struct cedar_value v,
                       const struct cedar_record **ret)
{
    if (v.kind == CEDAR_RECORD) {
        *ret = v.as.record;
        return true;
    }
    if (v.kind != CEDAR_ENTITY) {
        e->fault = CEDAR_FAULT_TYPE;
        return false;
    }
    const struct entities_entity *entity = evaluate_find(e, v.as.uid);
    *ret = entity == NULL ? NULL : entity->attributes;
    return true;
}

static node_in op_get(struct evaluate *e, node_in n)
{
    const struct cedar_record *r;
    if (!attributes(e, e->top[-1], &r))
        return NULL;
    if (r == NULL)
        return fail(e, CEDAR_FAULT_ENTITY);
    const struct cedar_value *v = value_get(r, n->as.keys);
    return v != NULL ? leave(e, n, *v) : fail(e, CEDAR_FAULT_ATTRIBUTE);
}

/* `e has a.b.c` is (e has a && e.a has b) && e.a.b has c. */
static node_in op_has(struct evaluate *e, node_in n)
{
    struct cedar_value v = e->top[-1];
    for (uint32_t i = 0; i < n->a; i++) {
        const struct cedar_record *r;
        if (!attributes(e, v, &r))
            return NULL;
        const struct cedar_value *found =
            r == NULL ? NULL : value_get(r, &n->as.keys[i]);
        if (found == NULL)
            return leave_bool(e, n, false);
        v = *found;
    }
    return leave_bool(e, n, true);
}

/* The tag that the last two values name; NULL: there is none. */
static bool tag(struct evaluate *e, const struct entities_entity **ret_entity,
                const struct cedar_value **ret)
{
    e->top--;
    if (e->top[-1].kind != CEDAR_ENTITY || e->top[0].kind != CEDAR_STRING) {
        e->fault = CEDAR_FAULT_TYPE;
        return false;
    }
    struct value_key key = value_key_make(value_text(e->top[0]));
    *ret_entity = evaluate_find(e, e->top[-1].as.uid);
    *ret = *ret_entity == NULL ? NULL : value_get((*ret_entity)->tags, &key);
    return true;
}

static node_in op_has_tag(struct evaluate *e, node_in n)
{
    const struct entities_entity *entity;
    const struct cedar_value *v;
    return tag(e, &entity, &v) ? leave_bool(e, n, v != NULL) : NULL;
}

static node_in op_get_tag(struct evaluate *e, node_in n)
{
    const struct entities_entity *entity;
    const struct cedar_value *v;
    if (!tag(e, &entity, &v))
        return NULL;
    if (entity == NULL)
        return fail(e, CEDAR_FAULT_ENTITY);
    return v != NULL ? leave(e, n, *v) : fail(e, CEDAR_FAULT_ATTRIBUTE);
}

static node_in op_in(struct evaluate *e, node_in n)
{
    e->top--;
    struct cedar_value of = e->top[0];
    if (e->top[-1].kind != CEDAR_ENTITY)
        return fail(e, CEDAR_FAULT_TYPE);
    const struct cedar_uid *uid = e->top[-1].as.uid;
    if (of.kind == CEDAR_ENTITY)
        return leave_bool(e, n, evaluate_in(e, uid, of.as.uid));
    if (of.kind != CEDAR_SET || !of.as.set->only_entities)
        return fail(e, CEDAR_FAULT_TYPE);
    bool found = false;
    for (uint32_t i = 0; i < of.as.set->count && !found; i++)
        found = evaluate_in(e, uid, of.as.set->items[i].as.uid);
    return leave_bool(e, n, found);
}

static node_in op_is(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_ENTITY)
        return fail(e, CEDAR_FAULT_TYPE);
    return leave_bool(e, n, str_eq(e->top[-1].as.uid->type, *n->as.type));
}

static node_in op_is_jump(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_ENTITY)
        return fail(e, CEDAR_FAULT_TYPE);
    if (str_eq(e->top[-1].as.uid->type, *n->as.type))
        return n + 1;
    (void)leave_bool(e, n, false);
    return jump(e, n);
}

/* Logic. */

static node_in op_not(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_BOOL)
        return fail(e, CEDAR_FAULT_TYPE);
    return leave_bool(e, n, !e->top[-1].as.truth);
}

/* Jumps with the value when it decides, drops it when not. */
static node_in decide(struct evaluate *e, node_in n, bool deciding)
{
    if (e->top[-1].kind != CEDAR_BOOL)
        return fail(e, CEDAR_FAULT_TYPE);
    if (e->top[-1].as.truth == deciding)
        return jump(e, n);
    e->top--;
    return n + 1;
}

static node_in op_and_jump(struct evaluate *e, node_in n)
{
    return decide(e, n, false);
}

static node_in op_or_jump(struct evaluate *e, node_in n)
{
    return decide(e, n, true);
}

/* The right side of && and || stays, if it is a boolean. */
static node_in op_boolean(struct evaluate *e, node_in n)
{
    return e->top[-1].kind == CEDAR_BOOL ? n + 1 : fail(e, CEDAR_FAULT_TYPE);
}

static node_in op_if_jump(struct evaluate *e, node_in n)
{
    e->top--;
    if (e->top[0].kind != CEDAR_BOOL)
        return fail(e, CEDAR_FAULT_TYPE);
    return e->top[0].as.truth ? n + 1 : jump(e, n);
}

static node_in op_else_jump(struct evaluate *e, node_in n)
{
    return jump(e, n);
}

static node_in op_if(struct evaluate *e, node_in n)
{
    (void)e;
    return n + 1;
}

/* Comparison and arithmetic. */

static node_in op_equal(struct evaluate *e, node_in n)
{
    e->top--;
    return leave_bool(e, n, cedar_value_equal(e->top[-1], e->top[0]));
}

static node_in op_different(struct evaluate *e, node_in n)
{
    e->top--;
    return leave_bool(e, n, !cedar_value_equal(e->top[-1], e->top[0]));
}

/* < and its kin are for long, datetime and duration, both alike. */
static node_in compare(struct evaluate *e, node_in n)
{
    e->top--;
    uint8_t kind = e->top[-1].kind;
    if (kind != e->top[0].kind ||
        (kind != CEDAR_LONG && kind != CEDAR_DATETIME &&
         kind != CEDAR_DURATION))
        return fail(e, CEDAR_FAULT_TYPE);
    int64_t a = e->top[-1].as.number;
    int64_t b = e->top[0].as.number;
    bool truth = n->op == OP_LESS         ? a < b
                 : n->op == OP_LESS_EQUAL ? a <= b
                 : n->op == OP_GREATER    ? a > b
                                          : a >= b;
    return leave_bool(e, n, truth);
}

static node_in arithmetic(struct evaluate *e, node_in n)
{
    e->top--;
    if (e->top[-1].kind != CEDAR_LONG || e->top[0].kind != CEDAR_LONG)
        return fail(e, CEDAR_FAULT_TYPE);
    int64_t a = e->top[-1].as.number;
    int64_t b = e->top[0].as.number;
    int64_t result;
    bool left = n->op == OP_ADD        ? __builtin_add_overflow(a, b, &result)
                : n->op == OP_SUBTRACT ? __builtin_sub_overflow(a, b, &result)
                                       : __builtin_mul_overflow(a, b, &result);
    return left ? fail(e, CEDAR_FAULT_OVERFLOW)
                : leave(e, n, cedar_value_long(result));
}

static node_in op_negate(struct evaluate *e, node_in n)
{
    int64_t result;
    if (e->top[-1].kind != CEDAR_LONG)
        return fail(e, CEDAR_FAULT_TYPE);
    if (__builtin_sub_overflow(0, e->top[-1].as.number, &result))
        return fail(e, CEDAR_FAULT_OVERFLOW);
    return leave(e, n, cedar_value_long(result));
}

static node_in op_like(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_STRING)
        return fail(e, CEDAR_FAULT_TYPE);
    return leave_bool(e, n,
                      literal_matches(n->as.pattern, value_text(e->top[-1])));
}

/* Sets. */

static node_in op_contains(struct evaluate *e, node_in n)
{
    e->top--;
    if (e->top[-1].kind != CEDAR_SET)
        return fail(e, CEDAR_FAULT_TYPE);
    return leave_bool(e, n, value_set_has(e->top[-1].as.set, e->top[0]));
}

static node_in op_contains_all(struct evaluate *e, node_in n)
{
    e->top--;
    if (e->top[-1].kind != CEDAR_SET || e->top[0].kind != CEDAR_SET)
        return fail(e, CEDAR_FAULT_TYPE);
    const struct cedar_set *set = e->top[-1].as.set;
    const struct cedar_set *part = e->top[0].as.set;
    bool all = part->count <= set->count;
    for (uint32_t i = 0; all && i < part->count; i++)
        all = value_set_has(set, part->items[i]);
    return leave_bool(e, n, all);
}

static node_in op_contains_any(struct evaluate *e, node_in n)
{
    e->top--;
    if (e->top[-1].kind != CEDAR_SET || e->top[0].kind != CEDAR_SET)
        return fail(e, CEDAR_FAULT_TYPE);
    const struct cedar_set *large = e->top[-1].as.set;
    const struct cedar_set *small = e->top[0].as.set;
    if (small->count > large->count) {
        small = large;
        large = e->top[0].as.set;
    }
    bool any = false;
    for (uint32_t i = 0; !any && i < small->count; i++)
        any = value_set_has(large, small->items[i]);
    return leave_bool(e, n, any);
}

static node_in op_is_empty(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_SET)
        return fail(e, CEDAR_FAULT_TYPE);
    return leave_bool(e, n, e->top[-1].as.set->count == 0);
}

/* clang-format off */
static op_fn *const ops[OP_COUNT] = {
    [OP_BOOL] = op_bool, [OP_LONG] = op_long, [OP_STRING] = op_string,
    [OP_ENTITY] = op_entity, [OP_VARIABLE] = op_variable,
    [OP_OPEN] = op_open, [OP_SET] = op_set, [OP_RECORD] = op_record,
    [OP_CALL] = op_call, [OP_GET] = op_get, [OP_HAS] = op_has,
    [OP_LIKE] = op_like, [OP_IS] = op_is, [OP_IS_JUMP] = op_is_jump,
    [OP_IS_IN] = op_in, [OP_NOT] = op_not, [OP_NEGATE] = op_negate,
    [OP_AND_JUMP] = op_and_jump, [OP_AND] = op_boolean,
    [OP_OR_JUMP] = op_or_jump, [OP_OR] = op_boolean,
    [OP_IF_JUMP] = op_if_jump, [OP_ELSE_JUMP] = op_else_jump, [OP_IF] = op_if,
    [OP_EQUAL] = op_equal, [OP_DIFFERENT] = op_different,
    [OP_LESS] = compare, [OP_LESS_EQUAL] = compare,
    [OP_GREATER] = compare, [OP_GREATER_EQUAL] = compare,
    [OP_ADD] = arithmetic, [OP_SUBTRACT] = arithmetic,
    [OP_MULTIPLY] = arithmetic, [OP_IN] = op_in,
    [OP_CONTAINS] = op_contains, [OP_CONTAINS_ALL] = op_contains_all,
    [OP_CONTAINS_ANY] = op_contains_any, [OP_IS_EMPTY] = op_is_empty,
    [OP_HAS_TAG] = op_has_tag, [OP_GET_TAG] = op_get_tag,
};
/* clang-format on */

/* To `end` or, when a jump leads there, beyond; NULL: a fault, at *ret_at. */
static node_in run(struct evaluate *e, node_in at, node_in end, node_in *ret_at)
{
    e->top = e->stack;
    e->pool.used = 0;
    while (at < end) {
        node_in next = ops[at->op](e, at);
        if (next == NULL) {
            *ret_at = at;
            return NULL;
        }
        at = next;
    }
    return at;
}

enum cedar_fault evaluate_run(struct evaluate *e, uint32_t first, uint32_t end,
                              struct cedar_value *ret, uint32_t *ret_at)
{
    node_in at;
    if (run(e, e->nodes + first, e->nodes + end, &at) == NULL) {
        *ret_at = (uint32_t)(at - e->nodes);
        return e->fault;
    }
    assert(e->top == e->stack + 1);
    *ret = e->stack[0];
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
