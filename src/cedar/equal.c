/* equal.c - see equal.h. */
#include "cedar/equal.h"

#include "cedar/exprs.h"

static bool same_keys(const struct program_node *x,
                      const struct program_node *y, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!str_eq(x->as.keys[i].name, y->as.keys[i].name))
            return false;
    return true;
}

static bool same_pattern(const struct program_pattern *a,
                         const struct program_pattern *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!str_eq(a->pieces[i], b->pieces[i]))
            return false;
    return true;
}

/* `a` of both is the same already. */
static bool same_content(const struct program_node *x,
                         const struct program_node *y)
{
    switch (x->op) {
    case OP_BOOL:
    case OP_LONG:
        return x->as.number == y->as.number;
    case OP_STRING:
        return str_eq((struct str){x->as.text, x->a},
                      (struct str){y->as.text, y->a});
    case OP_ENTITY:
        return cedar_uid_equal(x->as.uid, y->as.uid);
    case OP_GET:
        return same_keys(x, y, 1);
    case OP_HAS:
    case OP_RECORD:
        return same_keys(x, y, x->a);
    case OP_LIKE:
        return same_pattern(x->as.pattern, y->as.pattern);
    case OP_IS:
    case OP_IS_JUMP:
        return str_eq(*x->as.type, *y->as.type);
    case OP_CALL:
        return x->as.extension == y->as.extension;
    case OP_OPEN:
        return (x->as.kept == NULL) == (y->as.kept == NULL);
    default:
        return true;
    }
}

static bool same_condition(const struct cedar_policies *a,
                           const struct program_condition *ca,
                           const struct cedar_policies *b,
                           const struct program_condition *cb)
{
    uint32_t count = ca->end - ca->first;
    if (ca->is_unless != cb->is_unless || count != cb->end - cb->first)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct program_node *x = &a->nodes.at[ca->first + i];
        const struct program_node *y = &b->nodes.at[cb->first + i];
        uint32_t xa = x->a;
        uint32_t ya = y->a;
        if (exprs_is_jump(x) && !(x->op == OP_OPEN && x->as.kept == NULL)) {
            xa -= ca->first;
            ya -= cb->first;
        }
        if (x->op != y->op || xa != ya || !same_content(x, y))
            return false;
    }
    return true;
}

static bool same_scope(const struct program_scope *a,
                       const struct program_scope *b)
{
    if (a->kind != b->kind || a->is_slot != b->is_slot ||
        a->uid_count != b->uid_count || !str_eq(a->type, b->type))
        return false;
    for (uint32_t i = 0; i < a->uid_count; i++)
        if (!cedar_uid_equal(&a->uids[i], &b->uids[i]))
            return false;
    return true;
}

static bool same_head(const struct cedar_policies *a,
                      const struct program_policy *pa,
                      const struct cedar_policies *b,
                      const struct program_policy *pb)
{
    if (pa->is_permit != pb->is_permit || pa->is_template != pb->is_template ||
        pa->annotation_count != pb->annotation_count ||
        pa->condition_count != pb->condition_count)
        return false;
    for (uint32_t i = 0; i < pa->annotation_count; i++) {
        const struct program_annotation *x =
            &a->annotations.at[pa->annotation + i];
        const struct program_annotation *y =
            &b->annotations.at[pb->annotation + i];
        if (!str_eq(x->key, y->key) || !str_eq(x->value, y->value) ||
            x->has_value != y->has_value)
            return false;
    }
    for (unsigned v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++)
        if (!same_scope(&pa->scopes[v], &pb->scopes[v]))
            return false;
    return true;
}

bool equal_policies(const struct cedar_policies *a, size_t index_a,
                    const struct cedar_policies *b, size_t index_b)
{
    const struct program_policy *pa = &a->policies.at[index_a];
    const struct program_policy *pb = &b->policies.at[index_b];
    if (!same_head(a, pa, b, pb))
        return false;
    for (uint32_t i = 0; i < pa->condition_count; i++)
        if (!same_condition(a, &a->conditions.at[pa->condition + i], b,
                            &b->conditions.at[pb->condition + i]))
            return false;
    return true;
}

bool equal_sets(const struct cedar_policies *a, const struct cedar_policies *b)
{
    if (a->policies.count != b->policies.count)
        return false;
    for (size_t i = 0; i < a->policies.count; i++)
        if (!str_eq(a->policies.at[i].id, b->policies.at[i].id) ||
            a->policies.at[i].linked != b->policies.at[i].linked ||
            !equal_policies(a, i, b, i))
            return false;
    return true;
}
