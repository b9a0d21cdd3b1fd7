/* exprs.c - see exprs.h. */
#include "cedar/exprs.h"

#include <assert.h>

bool exprs_is_jump(const struct program_node *node)
{
    return node->op == OP_OPEN || node->op == OP_AND_JUMP ||
           node->op == OP_OR_JUMP || node->op == OP_IF_JUMP ||
           node->op == OP_ELSE_JUMP || node->op == OP_IS_JUMP;
}

uint32_t exprs_operands(const struct program_node *node)
{
    switch (node->op) {
    case OP_BOOL:
    case OP_LONG:
    case OP_STRING:
    case OP_ENTITY:
    case OP_VARIABLE:
        return 0;
    case OP_SET:
    case OP_RECORD:
    case OP_CALL:
        return node->a;
    case OP_GET:
    case OP_HAS:
    case OP_LIKE:
    case OP_IS:
    case OP_NOT:
    case OP_NEGATE:
    case OP_IS_EMPTY:
        return 1;
    case OP_IF:
        return 3;
    default:
        return 2;
    }
}

static uint64_t mix(uint64_t h, uint64_t more)
{
    h = (h ^ more) * 0x9E3779B97F4A7C15;
    return h ^ h >> 32;
}

/* What the node itself says, without its operands. */
static uint64_t hash_node(const struct program_node *n)
{
    uint64_t h = mix(n->op, n->a);
    switch (n->op) {
    case OP_BOOL:
    case OP_LONG:
        return mix(h, (uint64_t)n->as.number);
    case OP_STRING:
        return mix(h, value_hash((struct str){n->as.text, n->a}));
    case OP_ENTITY:
        return mix(h, n->as.uid->hash);
    case OP_RECORD:
        for (uint32_t i = 0; i < n->a; i++)
            h = mix(h, n->as.keys[i].hash);
        return h;
    case OP_LIKE:
        for (uint32_t i = 0; i < n->as.pattern->count; i++)
            h = mix(h, value_hash(n->as.pattern->pieces[i]));
        return h;
    case OP_IS:
    case OP_IS_IN:
        return mix(h, value_hash(*n->as.type));
    case OP_CALL:
        return mix(h, value_hash(n->as.extension->name));
    default:
        return h; /* of GET and HAS the key is in `key` */
    }
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

static bool same_node(const struct program_node *x,
                      const struct program_node *y)
{
    if (x->op != y->op || x->a != y->a)
        return false;
    switch (x->op) {
    case OP_BOOL:
    case OP_LONG:
        return x->as.number == y->as.number;
    case OP_STRING:
        return str_eq((struct str){x->as.text, x->a},
                      (struct str){y->as.text, y->a});
    case OP_ENTITY:
        return cedar_uid_equal(x->as.uid, y->as.uid);
    case OP_RECORD:
        for (uint32_t i = 0; i < x->a; i++)
            if (!str_eq(x->as.keys[i].name, y->as.keys[i].name))
                return false;
        return true;
    case OP_LIKE:
        return same_pattern(x->as.pattern, y->as.pattern);
    case OP_IS:
    case OP_IS_IN:
        return str_eq(*x->as.type, *y->as.type);
    case OP_CALL:
        return x->as.extension == y->as.extension;
    default:
        return true;
    }
}

static struct exprs_one describe(struct program_node node,
                                 const struct value_key *key,
                                 const uint32_t *parts, uint32_t count)
{
    struct exprs_one one = {.node = node,
                            .count = count,
                            .parts = parts,
                            .test = EXPRS_NONE};
    one.hash = hash_node(&node);
    if (key != NULL) {
        one.key = *key;
        one.hash = mix(one.hash, key->hash);
    }
    for (uint32_t i = 0; i < count; i++)
        one.hash = mix(one.hash, parts[i]);
    return one;
}

static bool same(const struct exprs_one *a, const struct exprs_one *b)
{
    return a->hash == b->hash && a->count == b->count &&
           same_node(&a->node, &b->node) && str_eq(a->key.name, b->key.name) &&
           (a->count == 0 ||
            memcmp(a->parts, b->parts, a->count * sizeof(*a->parts)) == 0);
}

/* The slot with that expression, or the empty one for it. */
static uint32_t slot_of(const struct exprs *x, const struct exprs_one *one)
{
    uint32_t at = (uint32_t)one->hash & (x->slot_count - 1);
    while (x->slots[at] != EXPRS_NONE && !same(&x->at[x->slots[at]], one))
        at = (at + 1) & (x->slot_count - 1);
    return at;
}

/* Its number, a new one maybe; EXPRS_NONE: no memory.  There is room. */
static uint32_t number_of(struct exprs *x, struct exprs_one one)
{
    uint32_t slot = slot_of(x, &one);
    if (x->slots[slot] != EXPRS_NONE)
        return x->slots[slot];
    assert(x->count < x->room);
    uint32_t *parts = arena_alloc_raw(x->arena, one.count * sizeof(*parts));
    if (parts == NULL)
        return EXPRS_NONE;
    if (one.count > 0)
        memcpy(parts, one.parts, one.count * sizeof(*parts));
    one.parts = parts;
    if (one.node.op == OP_HAS || one.node.op == OP_HAS_TAG)
        one.test = x->tests++;
    x->at[x->count] = one;
    x->slots[slot] = x->count;
    return x->count++;
}

static uint32_t find(const struct exprs *x, const struct exprs_one *one)
{
    return x->slots[slot_of(x, one)];
}

uint32_t exprs_get(const struct exprs *x, uint32_t of,
                   const struct value_key *key)
{
    struct exprs_one one =
        describe((struct program_node){.op = OP_GET}, key, &of, 1);
    return find(x, &one);
}

uint32_t exprs_test(const struct exprs *x, uint32_t of,
                    const struct value_key *key)
{
    struct exprs_one one =
        describe((struct program_node){.op = OP_HAS, .a = 1}, key, &of, 1);
    uint32_t at = find(x, &one);
    return at == EXPRS_NONE ? EXPRS_NONE : x->at[at].test;
}

uint32_t exprs_tag_test(const struct exprs *x, uint32_t of, uint32_t tag)
{
    uint32_t parts[] = {of, tag};
    struct exprs_one one =
        describe((struct program_node){.op = OP_HAS_TAG}, NULL, parts, 2);
    uint32_t at = find(x, &one);
    return at == EXPRS_NONE ? EXPRS_NONE : x->at[at].test;
}

/* `e has a.b` is `e has a && e.a has b`: all of its expressions. */
static uint32_t number_has(struct exprs *x, const struct program_node *node,
                           uint32_t of)
{
    uint32_t last = EXPRS_NONE;
    for (uint32_t i = 0; i < node->a && of != EXPRS_NONE; i++) {
        struct program_node has = {.op = OP_HAS, .a = 1};
        struct program_node get = {.op = OP_GET};
        last = number_of(x, describe(has, &node->as.keys[i], &of, 1));
        if (i + 1 < node->a)
            of = last == EXPRS_NONE
                     ? last
                     : number_of(x, describe(get, &node->as.keys[i], &of, 1));
    }
    return of == EXPRS_NONE ? of : last;
}

static uint32_t number_node(struct exprs *x, const struct cedar_policies *set,
                            uint32_t i, const uint32_t *parts)
{
    struct program_node node = set->nodes.at[i];
    if (node.op == OP_HAS)
        return number_has(x, &node, parts[0]);
    const struct value_key *key = NULL;
    if (node.op == OP_GET)
        key = node.as.keys;
    else if (node.op == OP_IS_IN) /* its type is that of the jump */
        node.as.type = set->nodes.at[set->starts.at[i - 1] - 1].as.type;
    return number_of(x, describe(node, key, parts, exprs_operands(&node)));
}

static size_t expressions(const struct cedar_policies *set, uint32_t first,
                          uint32_t end)
{
    size_t count = 0;
    for (uint32_t i = first; i < end; i++)
        count +=
            set->nodes.at[i].op == OP_HAS ? 2 * (size_t)set->nodes.at[i].a : 1;
    return count;
}

enum err exprs_number(struct exprs *x, struct arena *a,
                      const struct cedar_policies *set,
                      const struct program_policy *policy, uint32_t *stack)
{
    *x = (struct exprs){.arena = a, .slot_count = 16};
    if (policy->condition_count == 0)
        return ERR_OK;
    const struct program_condition *c = &set->conditions.at[policy->condition];
    uint32_t end = c[policy->condition_count - 1].end;
    size_t room = expressions(set, c->first, end);
    x->first = c->first;
    x->room = (uint32_t)room;
    while (x->slot_count < 2 * room)
        x->slot_count *= 2;
    x->at = ARENA_NEW(a, struct exprs_one, room);
    x->slots = ARENA_NEW(a, uint32_t, x->slot_count);
    x->numbers = ARENA_NEW(a, uint32_t, end - c->first);
    if (x->at == NULL || x->slots == NULL || x->numbers == NULL)
        return ERR_LIMIT;
    memset(x->slots, 0xFF, x->slot_count * sizeof(*x->slots));
    const struct program_condition *past = c + policy->condition_count;
    uint32_t depth = 0;
    for (uint32_t i = x->first; i < end; i++) {
        if (c < past && i == c->first) {
            depth = 0;
            c++;
        }
        if (exprs_is_jump(&set->nodes.at[i]))
            continue;
        depth -= exprs_operands(&set->nodes.at[i]);
        uint32_t number = number_node(x, set, i, stack + depth);
        if (number == EXPRS_NONE)
            return ERR_LIMIT;
        x->numbers[i - x->first] = number;
        stack[depth++] = number;
        assert(depth <= set->stack_max);
    }
    return ERR_OK;
}
