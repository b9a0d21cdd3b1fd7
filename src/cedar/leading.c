/* leading.c - see leading.h. */
#include "cedar/leading.h"

/* Conjuncts of one condition that wait; a policy with more of them side by
 * side, or with a longer way to its comparison, is not worth the search. */
enum { CONJUNCTS_MAX = 32, NODES_MAX = 64 };

struct cedar_value leading_value(const struct program_node *literal)
{
    switch (literal->op) {
    case OP_BOOL:
        return cedar_value_bool(literal->as.number != 0);
    case OP_LONG:
        return cedar_value_long(literal->as.number);
    case OP_STRING:
        return cedar_value_string((struct str){literal->as.text, literal->a});
    case OP_ENTITY:
        return cedar_value_entity(literal->as.uid);
    default:
        return (struct cedar_value){.kind = CEDAR_NOTHING};
    }
}

bool leading_key(struct cedar_value v, uint64_t *ret)
{
    switch (v.kind) {
    case CEDAR_BOOL:
        *ret = program_mix(v.kind, v.as.truth);
        return true;
    case CEDAR_LONG:
        *ret = program_mix(v.kind, (uint64_t)v.as.number);
        return true;
    case CEDAR_STRING:
        *ret = value_hash(value_text(v));
        return true;
    case CEDAR_ENTITY:
        *ret = v.as.uid->hash;
        return true;
    default:
        return false;
    }
}

static bool hash_nodes(const struct cedar_policies *set, uint32_t first,
                       uint32_t end, uint64_t *h)
{
    for (uint32_t i = first; i < end; i++)
        if (!program_hash(&set->nodes.at[i], h))
            return false;
    return true;
}

static uint64_t hash_scopes(const struct program_policy *policy)
{
    uint64_t h = 1;
    for (unsigned v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++) {
        const struct program_scope *s = &policy->scopes[v];
        h = program_mix(h, s->kind);
        if (s->type.len > 0)
            h = program_mix(h, value_hash(s->type));
        for (uint32_t i = 0; i < s->uid_count; i++)
            h = program_mix(h, s->uids[i].hash);
    }
    return h;
}

/* A path's values are found, never made on the way: they stay. */
static bool is_path(const struct cedar_policies *set, uint32_t first,
                    uint32_t end)
{
    uint8_t root = set->nodes.at[end - 1].op;
    if (root != OP_VARIABLE && root != OP_GET && root != OP_GET_TAG)
        return false;
    for (uint32_t i = first; i < end; i++) {
        uint8_t op = set->nodes.at[i].op;
        if (op != OP_VARIABLE && op != OP_GET && op != OP_GET_TAG &&
            op != OP_STRING && op != OP_ENTITY)
            return false;
    }
    return true;
}

static bool is_literal(const struct program_node *n)
{
    return n->op == OP_STRING || n->op == OP_ENTITY || n->op == OP_LONG ||
           n->op == OP_BOOL;
}

/* The kind of a comparison, by its operator and its right side. */
static bool kind_of(const struct program_node *n,
                    const struct program_node *right, uint8_t *ret)
{
    switch (n->op) {
    case OP_EQUAL:
        *ret = LEADING_EQUAL;
        return is_literal(right);
    case OP_CONTAINS:
        *ret = LEADING_CONTAINS;
        return is_literal(right);
    case OP_IN:
        *ret = LEADING_IN;
        return right->op == OP_ENTITY;
    case OP_LESS:
    case OP_LESS_EQUAL:
    case OP_GREATER:
    case OP_GREATER_EQUAL:
        *ret = LEADING_ORDER;
        return right->op == OP_LONG;
    default:
        return false;
    }
}

/* Takes the conjunct that ends with the node `root` apart. */
static bool comparison(const struct cedar_policies *set, uint32_t root,
                       struct leading *ret)
{
    const struct program_node *n = &set->nodes.at[root];
    ret->begin = ret->path = set->starts.at[root];
    if (n->op == OP_LIKE) {
        ret->kind = LEADING_LIKE;
        ret->path_end = ret->literal = root;
        return is_path(set, ret->path, ret->path_end);
    }
    if (root == ret->begin) /* no operands */
        return false;
    uint32_t right = set->starts.at[root - 1];
    if (right + 1 == root && kind_of(n, &set->nodes.at[right], &ret->kind)) {
        ret->path_end = ret->literal = right;
    } else if (n->op == OP_EQUAL && right == ret->begin + 1 &&
               is_literal(&set->nodes.at[ret->begin])) {
        ret->kind = LEADING_EQUAL;
        ret->literal = ret->begin;
        ret->path = right;
        ret->path_end = root;
    } else {
        return false;
    }
    return is_path(set, ret->path, ret->path_end);
}

/* A comparison behind what `h` is the hash of. */
static bool describe(const struct cedar_policies *set, uint32_t root,
                     uint64_t h, struct leading *ret)
{
    if (!comparison(set, root, ret) ||
        !hash_nodes(set, ret->path, ret->path_end, &h))
        return false;
    const struct program_node *literal = &set->nodes.at[ret->literal];
    ret->op = set->nodes.at[root].op;
    ret->question = program_mix(h, ret->op);
    ret->key = 0;
    if (ret->kind == LEADING_ORDER)
        ret->key = (uint64_t)literal->as.number;
    else
        (void)leading_key(leading_value(literal), &ret->key);
    return true;
}

/* The conjuncts of one condition, the first one first.  False: what comes
 * behind it is no longer to be looked at. */
static bool search(const struct cedar_policies *set,
                   const struct program_condition *c, uint32_t before,
                   uint64_t *h, struct leading *to, size_t *count)
{
    uint32_t roots[CONJUNCTS_MAX];
    uint32_t left = 1;
    roots[0] = c->end - 1;
    while (left > 0 && *count < LEADING_MAX) {
        uint32_t root = roots[--left];
        if (set->nodes.at[root].op == OP_AND) {
            if (left + 2 > CONJUNCTS_MAX)
                return false;
            roots[left++] = root - 1;
            roots[left++] = set->starts.at[root - 1] - 2; /* over the jump */
            continue;
        }
        to[*count].before = before;
        if (describe(set, root, *h, &to[*count]))
            (*count)++;
        if (root - c->first > NODES_MAX ||
            !hash_nodes(set, set->starts.at[root], root + 1, h))
            return false;
    }
    return *count < LEADING_MAX;
}

size_t leading_find(const struct cedar_policies *set, uint32_t policy,
                    struct leading *to)
{
    const struct program_policy *p = &set->policies.at[policy];
    size_t count = 0;
    uint64_t h = hash_scopes(p);
    for (uint32_t i = 0; i < p->condition_count; i++) {
        const struct program_condition *c =
            &set->conditions.at[p->condition + i];
        if (c->is_unless || !search(set, c, i, &h, to, &count))
            break;
        h = program_mix(h, OP_COUNT); /* so ends a condition */
    }
    return count;
}

static bool same_nodes(const struct cedar_policies *set, uint32_t x,
                       uint32_t x_end, uint32_t y, uint32_t y_end)
{
    if (x_end - x != y_end - y)
        return false;
    for (; x < x_end; x++, y++)
        if (!program_same(&set->nodes.at[x], &set->nodes.at[y]))
            return false;
    return true;
}

static bool same_scope(const struct program_scope *a,
                       const struct program_scope *b)
{
    if (a->kind != b->kind || a->uid_count != b->uid_count ||
        !str_eq(a->type, b->type))
        return false;
    for (uint32_t i = 0; i < a->uid_count; i++)
        if (!cedar_uid_equal(&a->uids[i], &b->uids[i]))
            return false;
    return true;
}

bool leading_same(const struct cedar_policies *set, uint32_t x,
                  const struct leading *a, uint32_t y, const struct leading *b)
{
    const struct program_policy *px = &set->policies.at[x];
    const struct program_policy *py = &set->policies.at[y];
    if (a->question != b->question || a->op != b->op || a->before != b->before)
        return false;
    for (unsigned v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++)
        if (!same_scope(&px->scopes[v], &py->scopes[v]))
            return false;
    const struct program_condition *cx = &set->conditions.at[px->condition];
    const struct program_condition *cy = &set->conditions.at[py->condition];
    for (uint32_t i = 0; i < a->before; i++)
        if (!same_nodes(set, cx[i].first, cx[i].end, cy[i].first, cy[i].end))
            return false;
    return same_nodes(set, cx[a->before].first, a->begin, cy[b->before].first,
                      b->begin) &&
           same_nodes(set, a->path, a->path_end, b->path, b->path_end);
}
