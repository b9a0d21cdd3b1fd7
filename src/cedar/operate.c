/* operate.c - see operate.h. */
#include "cedar/operate.h"

#include "cedar/literal.h"

/* Constructors. */

OUT_OF_LINE node_in operate_set(struct evaluate *e, node_in n)
{
    struct cedar_value v = {.kind = CEDAR_SET};
    e->top -= n->a;
    if (value_set_make(&e->pool, e->top, n->a, &v.as.set) != ERR_OK)
        return operate_fail(e, CEDAR_FAULT_LIMIT);
    return operate_push(e, n, v);
}

OUT_OF_LINE node_in operate_record(struct evaluate *e, node_in n)
{
    struct cedar_value v = {.kind = CEDAR_RECORD};
    e->top -= n->a;
    if (value_record_make(&e->pool, n->as.keys, e->top, n->a, &v.as.record) !=
        ERR_OK)
        return operate_fail(
            e, CEDAR_FAULT_LIMIT); /* the parser saw no key twice */
    return operate_push(e, n, v);
}

OUT_OF_LINE node_in operate_call(struct evaluate *e, node_in n)
{
    struct cedar_value v;
    e->top -= n->a;
    enum cedar_fault f =
        extension_call(n->as.extension, e->top, n->a, &e->pool, &v);
    return f == CEDAR_FAULT_NONE ? operate_push(e, n, v) : operate_fail(e, f);
}

/* Entities, attributes and tags. */

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

OUT_OF_LINE node_in operate_get(struct evaluate *e, node_in n)
{
    const struct cedar_record *r;
    if (!attributes(e, e->top[-1], &r))
        return NULL;
    if (r == NULL)
        return operate_fail(e, CEDAR_FAULT_ENTITY);
    const struct cedar_value *v = value_get(r, n->as.keys);
    return v != NULL ? operate_leave(e, n, *v)
                     : operate_fail(e, CEDAR_FAULT_ATTRIBUTE);
}

/* `e has a.b.c` is (e has a && e.a has b) && e.a.b has c. */
OUT_OF_LINE node_in operate_has(struct evaluate *e, node_in n)
{
    struct cedar_value v = e->top[-1];
    for (uint32_t i = 0; i < n->a; i++) {
        const struct cedar_record *r;
        if (!attributes(e, v, &r))
            return NULL;
        const struct cedar_value *found =
            r == NULL ? NULL : value_get(r, &n->as.keys[i]);
        if (found == NULL)
            return operate_leave_bool(e, n, false);
        v = *found;
    }
    return operate_leave_bool(e, n, true);
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

OUT_OF_LINE node_in operate_has_tag(struct evaluate *e, node_in n)
{
    const struct entities_entity *entity;
    const struct cedar_value *v;
    return tag(e, &entity, &v) ? operate_leave_bool(e, n, v != NULL) : NULL;
}

OUT_OF_LINE node_in operate_get_tag(struct evaluate *e, node_in n)
{
    const struct entities_entity *entity;
    const struct cedar_value *v;
    if (!tag(e, &entity, &v))
        return NULL;
    if (entity == NULL)
        return operate_fail(e, CEDAR_FAULT_ENTITY);
    return v != NULL ? operate_leave(e, n, *v)
                     : operate_fail(e, CEDAR_FAULT_ATTRIBUTE);
}

OUT_OF_LINE node_in operate_in(struct evaluate *e, node_in n)
{
    e->top--;
    struct cedar_value of = e->top[0];
    if (e->top[-1].kind != CEDAR_ENTITY)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    const struct cedar_uid *uid = e->top[-1].as.uid;
    if (of.kind == CEDAR_ENTITY)
        return operate_leave_bool(e, n, evaluate_in(e, uid, of.as.uid));
    if (of.kind != CEDAR_SET || !of.as.set->only_entities)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    bool found = false;
    for (uint32_t i = 0; i < of.as.set->count && !found; i++)
        found = evaluate_in(e, uid, of.as.set->items[i].as.uid);
    return operate_leave_bool(e, n, found);
}

OUT_OF_LINE node_in operate_is(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_ENTITY)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    return operate_leave_bool(e, n,
                              str_eq(e->top[-1].as.uid->type, *n->as.type));
}

OUT_OF_LINE node_in operate_is_jump(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_ENTITY)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    if (str_eq(e->top[-1].as.uid->type, *n->as.type))
        return n + 1;
    (void)operate_leave_bool(e, n, false);
    return operate_jump(e, n);
}

/* Sets, and what compares any values. */

OUT_OF_LINE node_in operate_equal(struct evaluate *e, node_in n, bool truth)
{
    e->top--;
    return operate_leave_bool(e, n,
                              cedar_value_equal(e->top[-1], e->top[0]) ==
                                  truth);
}

OUT_OF_LINE node_in operate_like(struct evaluate *e, node_in n)
{
    if (e->top[-1].kind != CEDAR_STRING)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    return operate_leave_bool(e, n,
                              literal_matches(n->as.pattern,
                                              value_text(e->top[-1])));
}

OUT_OF_LINE node_in operate_contains(struct evaluate *e, node_in n)
{
    e->top--;
    if (e->top[-1].kind != CEDAR_SET)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    return operate_leave_bool(e, n,
                              value_set_has(e->top[-1].as.set, e->top[0]));
}

/* Of two sets: whether the one holds all, or any, of the other. */
OUT_OF_LINE node_in operate_contains_many(struct evaluate *e, node_in n)
{
    e->top--;
    if (e->top[-1].kind != CEDAR_SET || e->top[0].kind != CEDAR_SET)
        return operate_fail(e, CEDAR_FAULT_TYPE);
    const struct cedar_set *a = e->top[-1].as.set;
    const struct cedar_set *b = e->top[0].as.set;
    return operate_leave_bool(e, n,
                              n->op == OP_CONTAINS_ALL
                                  ? value_set_has_all(a, b)
                                  : value_set_has_any(a, b));
}
